/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables say what there is; behind them, what holds for one key by itself
 * is checked first, then what holds between keys of one port, then what holds
 * between ports.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vnet/client.h>
#include <vnet/port.h>

#include "check.h"
#include "check_grants.h"
#include "forms.h"
#include "keys.h"
#include "schema.h"

/* Octets of the control socket's path, so that there is room for ".attach". */
#define ENTRANCE_SOCKET_MAX 100

/* What elements of a list must not have in common: who has it, by their index.
 * Returns false if somebody has. */
static bool
claim(const struct check *k, const struct place *list, size_t index,
      const char *key, json_t *owners, const char *what)
{
	const struct place element = {.up = list, .index = index};
	const struct place at = {.up = &element, .key = key};
	const json_t *owner = json_object_get(owners, what);

	if (owner) {
		check_refuse(k, &at,
			     "found \"%.*s\", which %s[%" JSON_INTEGER_FORMAT
			     "] has as well",
			     2 * QUOTED, what, list->key,
			     json_integer_value(owner));
		return false;
	}
	if (json_object_set_new(owners, what,
				json_integer((json_int_t)index))) {
		check_refuse_memory(k);
		return false;
	}
	return true;
}

/* What is in a list is whole, also in changes to a port. */
static json_t *
check_whole(struct check *k, enum schema_kind kind, const struct place *p,
	    const struct key *keys, const json_t *value)
{
	const enum schema_kind before = k->kind;
	json_t *group;

	k->kind = kind;
	group = check_group(k, p, keys, value);
	k->kind = before;
	return group;
}

static json_t *
check_filter(struct check *k, const struct place *p, const json_t *value)
{
	return check_whole(k, SCHEMA_FILTER, p, filter_keys, value);
}

static json_t *
check_client_filter(struct check *k, const struct place *p, const json_t *value)
{
	return check_group(k, p, client_filter_keys, value);
}

static json_t *
check_client_changes(struct check *k, const struct place *p,
		     const json_t *value)
{
	return check_group(k, p, client_keys, value);
}

static json_t *
check_fdb(struct check *k, const struct place *p, const json_t *value)
{
	return check_group(k, p, fdb_keys, value);
}

static const char *
string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* A burst is one of a rate. */
static bool
check_rates(const struct check *k, const struct place *p, const json_t *limit)
{
	static const char *const keys[][2] = {
		{"frames_per_s", "burst_frames"},
		{"octets_per_s", "burst_octets"},
	};
	size_t nrates = 0;

	for (size_t i = 0; i < 2; i++) {
		const struct place at = {.up = p, .key = keys[i][1]};

		if (json_object_get(limit, keys[i][0])) {
			nrates++;
		} else if (json_object_get(limit, keys[i][1])) {
			check_refuse(k, &at, "there is no \"%s\" beside it",
				     keys[i][0]);
			return false;
		}
	}
	if (nrates)
		return true;
	check_refuse(k, p,
		     "there is no \"frames_per_s\" and no \"octets_per_s\"");
	return false;
}

static json_t *
check_grant(struct check *k, const struct place *p, const json_t *value)
{
	const struct place at = {.up = p, .key = "rate"};
	json_t *grant =
		k->kind == SCHEMA_GRANT_CHANGES
			? check_group(k, p, grant_keys, value)
			: check_whole(k, SCHEMA_GRANT, p, grant_keys, value);
	const json_t *rate = json_object_get(grant, at.key);

	if (json_is_object(rate) && !check_rates(k, &at, rate)) {
		json_decref(grant);
		grant = NULL;
	}
	return grant;
}

static json_t *
check_limit(struct check *k, const struct place *p, const json_t *value)
{
	json_t *limit = check_whole(k, SCHEMA_LIMIT, p, limit_keys, value);

	if (limit && !check_rates(k, p, limit)) {
		json_decref(limit);
		limit = NULL;
	}
	return limit;
}

/* Elements of the list @key of @object are told apart by their side and by
 * @name: what they cannot have in common. */
static bool
check_sides(const struct check *k, const struct place *p, const json_t *object,
	    const char *key, const char *name)
{
	const struct place list = {.up = p, .key = key};
	const json_t *elements = json_object_get(object, key);
	json_t *owners = json_object();
	bool is_right = true;

	if (!owners) {
		check_refuse_memory(k);
		return false;
	}
	for (size_t i = 0; is_right && i < json_array_size(elements); i++) {
		const json_t *element = json_array_get(elements, i);
		char what[VNET_PORT_NAME_SIZE + 8];

		(void)snprintf(what, sizeof(what), "%s %s",
			       string(element, "side"),
			       schema_string(element, name));
		is_right = claim(k, &list, i, name, owners, what);
	}
	json_decref(owners);
	return is_right;
}

static json_t *
check_allow(struct check *k, const struct place *p, const json_t *value)
{
	json_t *row = check_whole(k, SCHEMA_ALLOW, p, allow_keys, value);

	if (row && !check_sides(k, p, row, "limits", "traffic")) {
		json_decref(row);
		row = NULL;
	}
	return row;
}

static unsigned int
type_of(const json_t *port)
{
	const char *type = string(port, "type");

	return type ? 1U << key_choice(port_types, type) : UNKNOWN;
}

/* Take its type first: it says which keys there are. */
static bool
find_type(struct check *k, const struct place *p, const json_t *value)
{
	const struct key *key = key_find(port_keys, "type", ANY);
	const struct place at = {.up = p, .key = key->name};
	const json_t *found = json_object_get(value, key->name);
	json_t *type;

	if (!found && k->kind != SCHEMA_PORT_CHANGES) {
		check_refuse(k, p,
			     "there is no \"type\": tap, uplink, stream or "
			     "attach");
		return false;
	}
	if (found) {
		type = check_value(k, &at, key, found);
		if (!type)
			return false;
		json_decref(type);
	}
	k->ports = type_of(value);
	return true;
}

/* An uplink that is a client of another switch. */
static bool
is_session(const json_t *port)
{
	return type_of(port) == UPLINK && string(port, "path");
}

/* The value of the key that a port is called after. */
static const char *
default_name(const json_t *port)
{
	const char *path = string(port, "path");
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (is_session(port) && string(port, "vif"))
		return string(port, "vif");
	if (type_of(port) != STREAM && !is_session(port))
		return string(port, "interface");
	return slash ? slash + 1 : path;
}

/* The same with a name, if there is one for it. New reference. */
static json_t *
add_name(const json_t *port)
{
	const char *name = default_name(port);
	json_t *named = json_copy((json_t *)port);

	if (named && name && !json_object_get(named, "name"))
		(void)json_object_set_new(named, "name", json_string(name));
	return named;
}

static bool
check_interface(const struct check *k, const struct place *p, json_t *port)
{
	const char *interface = string(port, "interface");
	const char *name = string(port, "name"), *expected;
	json_t *usual;

	if (interface) {
		if (!strcmp(interface, name))
			json_object_del(port, "interface");
		return true;
	}
	usual = form_interface(name, &expected);
	if (!usual) {
		check_refuse(
			k, p,
			"there is no \"interface\", and \"%s\" cannot be one",
			name);
		return false;
	}
	json_decref(usual);
	return true;
}

/* Of an uplink: what is an interface's, and what another switch's. */
static bool
check_uplink(const struct check *k, const struct place *p, const json_t *port)
{
	static const char *const of_interface[] = {"interface", "netns",
						   "own_only", "without", NULL};
	static const char *const of_session[] = {"vif", NULL};
	const char *const *keys = is_session(port) ? of_interface : of_session;

	for (; *keys; keys++) {
		const struct place at = {.up = p, .key = *keys};

		if (!json_object_get(port, *keys))
			continue;
		check_refuse(k, &at,
			     is_session(port)
				     ? "an uplink with a \"path\" has no such "
				       "key"
				     : "there is no \"path\" beside it");
		return false;
	}
	return true;
}

/* What holds between the keys of a port. */
static bool
check_whole_port(const struct check *k, const struct place *p, json_t *port)
{
	const char *mode = string(port, "mode");

	if (!string(port, "name")) {
		check_refuse(k, p, "there is no \"name\"%s",
			     k->ports == ATTACH   ? ""
			     : k->ports == STREAM ? " and no \"path\""
						  : " and no \"interface\"");
		return false;
	}
	if (k->ports == ATTACH)
		return true;
	if (k->ports == STREAM) {
		if (string(port, "path"))
			return true;
		check_refuse(k, p, "there is no \"path\"");
		return false;
	}
	if (k->ports == UPLINK && !check_uplink(k, p, port))
		return false;
	if (is_session(port))
		return true;
	/* One that is there already is left as it is. */
	if (json_is_true(json_object_get(port, "up")) &&
	    (!mode || strcmp(mode, "attach") != 0))
		json_object_del(port, "up");
	return check_interface(k, p, port);
}

static json_t *
check_port(struct check *k, const struct place *p, const json_t *value)
{
	const bool is_whole = k->kind != SCHEMA_PORT_CHANGES;
	json_t *given, *port;

	if (!json_is_object(value))
		return check_group(k, p, port_keys, value); /* says so */
	if (!find_type(k, p, value))
		return NULL;
	given = is_whole ? add_name(value) : json_incref((json_t *)value);
	if (!given)
		return check_refuse_memory(k);
	port = check_group(k, p, port_keys, given);
	json_decref(given);
	if (port && (!check_sides(k, p, port, "filters", "name") ||
		     !check_sides(k, p, port, "limits", "traffic") ||
		     (is_whole && !check_whole_port(k, p, port)))) {
		json_decref(port);
		port = NULL;
	}
	k->ports = ANY;
	return port;
}

/* What a switch is made for, and how many there are. */
static bool
check_count(const struct check *k, const struct place *p, size_t n,
	    const char *what, const json_t *sw, const char *bound)
{
	const uint64_t most = schema_number(sw, bound);

	if (n <= most)
		return true;
	check_refuse(k, p,
		     "found %zu%s, expected at most %" PRIu64 " (switch.%s)", n,
		     what, most, bound);
	return false;
}

static bool
check_queue(const struct check *k, const struct place *p, const json_t *object,
	    const json_t *sw)
{
	const struct place at = {.up = p, .key = "queue_octets"};
	const json_t *found = json_object_get(object, at.key);

	return check_count(k, &at, (size_t)json_integer_value(found), "", sw,
			   at.key);
}

static bool
check_queues(const struct check *k, const struct place *ports, size_t index,
	     const json_t *port, const json_t *sw)
{
	const struct place element = {.up = ports, .index = index};
	const struct place list = {.up = &element, .key = "allow"};
	const json_t *rows = json_object_get(port, list.key);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const struct place row = {.up = &list, .index = i};

		if (!check_queue(k, &row, json_array_get(rows, i), sw))
			return false;
	}
	return check_queue(k, &element, port, sw);
}

/* Where a port is, in words: what two ports cannot have in common (but those of
 * type attach). Empty where they can. */
static void
write_medium(const json_t *port, char *text, size_t size)
{
	const char *netns = string(port, "netns");

	text[0] = '\0';
	if (is_session(port))
		return;
	if (type_of(port) == ATTACH) {
		if (string(port, "path"))
			(void)snprintf(text, size, "%s", string(port, "path"));
		return;
	}
	if (type_of(port) != STREAM)
		(void)snprintf(text, size, "%s%s%s",
			       schema_string(port, "interface"),
			       netns ? " in " : "", netns ? netns : "");
	else if (!strcmp(schema_string(port, "mode"), "listen"))
		(void)snprintf(text, size, "%s", string(port, "path"));
}

struct owners {
	json_t *names;
	json_t *media;
};

/* Is the owner of a path a port of type attach? */
static bool
is_entrance(const json_t *ports, const json_t *owner)
{
	return owner &&
	       type_of(json_array_get(
		       ports, (size_t)json_integer_value(owner))) == ATTACH;
}

static bool
check_claims(const struct check *k, const struct place *list,
	     const json_t *ports, size_t i, const struct owners *owners)
{
	const json_t *port = json_array_get(ports, i);
	const bool is_path = type_of(port) & (STREAM | ATTACH);
	const char *key = is_path ? "path" : "interface";
	char medium[8192];

	if (!claim(k, list, i, "name", owners->names, string(port, "name")))
		return false;
	write_medium(port, medium, sizeof(medium));
	return !*medium ||
	       (type_of(port) == ATTACH &&
		is_entrance(ports, json_object_get(owners->media, medium))) ||
	       claim(k, list, i, key, owners->media, medium);
}

/* As many as there are ports, where nothing else is said. */
static uint64_t
max_clients(const json_t *sw)
{
	const uint64_t n = schema_number(sw, "max_clients");

	return n ? n : schema_number(sw, "max_ports");
}

static bool
check_ports(const struct check *k, const json_t *config,
	    const struct owners *owners)
{
	const struct place list = {.key = "ports"};
	const json_t *ports = json_object_get(config, "ports");
	const json_t *sw = json_object_get(config, "switch");
	size_t nfilters = 0, nclients = 0;

	for (size_t i = 0; i < json_array_size(ports); i++) {
		const json_t *port = json_array_get(ports, i);

		if (!check_claims(k, &list, ports, i, owners) ||
		    !check_queues(k, &list, i, port, sw))
			return false;
		nfilters += json_array_size(json_object_get(port, "filters"));
		nclients += type_of(port) != ATTACH;
	}
	return check_count(k, &list, json_array_size(ports), " ports", sw,
			   "max_ports") &&
	       (nclients <= max_clients(sw) ||
		check_count(k, &list, nclients, " ports with a client each", sw,
			    "max_clients")) &&
	       check_count(k, &list, nfilters, " filters", sw, "max_rules") &&
	       check_count(k, &list, k->ninsns, " instructions of filters", sw,
			   "max_insns");
}

static bool
check_pinned(const struct check *k, const json_t *config, const json_t *names)
{
	const struct place list = {.key = "fdb"};
	const json_t *fdb = json_object_get(config, "fdb");
	json_t *owners = json_object();
	bool is_right = true;

	if (!owners) {
		check_refuse_memory(k);
		return false;
	}
	for (size_t i = 0; is_right && i < json_array_size(fdb); i++) {
		const struct place element = {.up = &list, .index = i};
		const struct place at = {.up = &element, .key = "port"};
		const json_t *entry = json_array_get(fdb, i);
		const char *port = string(entry, "port");

		is_right =
			claim(k, &list, i, "mac", owners, string(entry, "mac"));
		if (is_right && !json_object_get(names, port)) {
			check_refuse(k, &at, "there is no port %s", port);
			is_right = false;
		}
	}
	json_decref(owners);
	return is_right &&
	       check_count(k, &list, json_array_size(fdb), " addresses",
			   json_object_get(config, "switch"), "fdb_entries");
}

static bool
check_pool(const struct check *k, const json_t *sw)
{
	const struct place group = {.key = "switch"};
	const struct place at = {.up = &group, .key = "pool_octets"};
	const uint64_t clients = max_clients(sw);
	const uint64_t found = schema_number(sw, "pool_octets");

	if (!found || found >= clients * VNET_POOL_BLOCK)
		return true;
	check_refuse(k, &at,
		     "found %" PRIu64 ", expected %" PRIu64
		     " at least: %d for each of %s",
		     found, clients * VNET_POOL_BLOCK, VNET_POOL_BLOCK,
		     schema_number(sw, "max_clients") ? "max_clients"
						      : "max_ports");
	return false;
}

static bool
check_cpu(const struct check *k, const json_t *config)
{
	const struct place at = {.key = "cpu"};
	const long n = sysconf(_SC_NPROCESSORS_CONF);
	const uint64_t found = schema_number(config, "cpu");

	if (n < 1 || found < (uint64_t)n)
		return true;
	check_refuse(k, &at, "found %" PRIu64 ", expected 0 to %ld", found,
		     n - 1);
	return false;
}

/* Is there a port whose path is made of the control socket's? */
static bool
needs_entrance(const json_t *config)
{
	const json_t *port;
	size_t i;

	json_array_foreach(json_object_get(config, "ports"), i, port)
		if (type_of(port) == ATTACH && !string(port, "path"))
			return true;
	return false;
}

/* Nobody can connect to the control socket where a port listens. */
static bool
check_socket(const struct check *k, const json_t *config,
	     const struct owners *owners)
{
	const struct place at = {.key = "socket"};
	const char *path = string(config, "socket");
	const json_t *port = path ? json_object_get(owners->media, path) : NULL;

	if (path && strlen(path) > ENTRANCE_SOCKET_MAX &&
	    needs_entrance(config)) {
		check_refuse(k, &at,
			     "found %zu octets, expected at most %d: a port of "
			     "type attach has no \"path\"",
			     strlen(path), ENTRANCE_SOCKET_MAX);
		return false;
	}
	if (!port)
		return true;
	check_refuse(k, &at,
		     "found \"%.*s\", where ports[%" JSON_INTEGER_FORMAT
		     "] listens",
		     2 * QUOTED, path, json_integer_value(port));
	return false;
}

/* What holds between parts of a configuration. */
static bool
check_whole_config(const struct check *k, const json_t *config)
{
	const struct owners owners = {json_object(), json_object()};
	bool is_right = false;

	if (!owners.names || !owners.media)
		check_refuse_memory(k);
	else
		is_right = check_cpu(k, config) &&
			   check_pool(k, json_object_get(config, "switch")) &&
			   check_ports(k, config, &owners) &&
			   check_grants(k, config) &&
			   check_socket(k, config, &owners) &&
			   check_pinned(k, config, owners.names);
	json_decref(owners.names);
	json_decref(owners.media);
	return is_right;
}

static json_t *
check_config(struct check *k, const struct place *p, const json_t *value)
{
	json_t *config = check_group(k, p, config_keys, value);

	if (config && !check_whole_config(k, config)) {
		json_decref(config);
		config = NULL;
	}
	return config;
}

static const struct {
	const struct key *keys;
	json_t *(*check)(struct check *k, const struct place *p,
			 const json_t *value);
} kinds[] = {
	[SCHEMA_CONFIG] = {config_keys, check_config},
	[SCHEMA_PORT] = {port_keys, check_port},
	[SCHEMA_PORT_CHANGES] = {port_keys, check_port},
	[SCHEMA_FILTER] = {filter_keys, check_filter},
	[SCHEMA_FDB] = {fdb_keys, check_fdb},
	[SCHEMA_LIMIT] = {limit_keys, check_limit},
	[SCHEMA_ALLOW] = {allow_keys, check_allow},
	[SCHEMA_CLIENT_FILTER] = {client_filter_keys, check_client_filter},
	[SCHEMA_CLIENT_CHANGES] = {client_keys, check_client_changes},
	[SCHEMA_GRANT] = {grant_keys, check_grant},
	[SCHEMA_GRANT_CHANGES] = {grant_keys, check_grant},
};

static json_t *
check_element(struct check *k, enum schema_kind kind, const struct place *p,
	      const json_t *value)
{
	return kinds[kind].check(k, p, value);
}

json_t *
schema_check(enum schema_kind kind, const json_t *value, schema_where *where,
	     void *ctx, struct complaint *c)
{
	struct check k = {
		.kind = kind,
		.where = where,
		.ctx = ctx,
		.c = c,
		.element = check_element,
		.ports = ANY,
	};

	return kinds[kind].check(&k, NULL, value);
}

static json_t *
parse_number(const char *text)
{
	const bool is_hex = !strncmp(text, "0x", 2);
	const char *digits = is_hex ? text + 2 : text + (*text == '-');
	char *end;
	long long n;

	if (!isxdigit((unsigned char)*digits))
		return NULL;
	errno = 0;
	n = strtoll(text, &end, is_hex ? 16 : 10);
	return *end || errno ? NULL : json_integer(n);
}

static json_t *
parse_bool(const char *text)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off",
					    "on",    "0",    "1",  NULL};
	const size_t i = key_choice(words, text);

	return words[i] ? json_boolean(i & 1) : NULL;
}

/* What text can say of a scalar; a text itself where it can be nothing else, so
 * that schema_check() says what was expected. */
static json_t *
parse_scalar(const struct key *key, const char *text)
{
	json_t *value = NULL;

	if (key->type == NUMBER)
		value = parse_number(text);
	else if (key->type == BOOL)
		value = parse_bool(text);
	return value ? value : json_string(text);
}

/* Texts between commas. */
static json_t *
parse_list(const struct key *of, const char *text)
{
	json_t *list = json_array();
	bool is_right = list;

	while (is_right && *text) {
		const size_t len = strcspn(text, ",");
		char *element = strndup(text, len);

		is_right = element &&
			   json_array_append_new(
				   list, parse_scalar(of, element)) == 0;
		free(element);
		text += len + (text[len] == ',');
	}
	if (!is_right) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static bool
can_be(const struct key *key, const char *value)
{
	return key->type == CHOICE && value &&
	       key->choices[key_choice(key->choices, value)];
}

/* Of a key that is not the same for all ports, where it is not said of which
 * one, that which may have this value; else the first. */
static const struct key *
find_by_value(const struct key *keys, const char *name, unsigned int ports,
	      const char *value)
{
	for (const struct key *key = keys; key->name; key++)
		if (key->ports & ports && !strcmp(key->name, name) &&
		    can_be(key, value))
			return key;
	return key_find(keys, name, ports);
}

/* The key that is to be set; NULL with a complaint. */
static const struct key *
find_setting(const struct check *k, const struct key *keys, const char *name,
	     const char *value)
{
	const struct place at = {.key = name};
	/* One of "addresses". */
	const bool is_one = !strcmp(name, "address");
	const struct key *key = find_by_value(keys, is_one ? "addresses" : name,
					      k->ports, value);

	/* That it is another port's, schema_check() says. */
	if (!key)
		key = key_find(keys, name, ANY);
	if (!*name)
		check_refuse(k, NULL, "expected KEY=VALUE");
	else if (!key)
		check_refuse_unknown(k, &at, keys);
	else if (key->type == GROUP || key->type == GROUPS ||
		 key->type == NAMED)
		check_refuse(k, &at, "cannot be set so");
	else if (!value && key->type != BOOL)
		check_refuse(k, &at, "has no value, expected %s=VALUE", name);
	else
		return key;
	return NULL;
}

/* Back to its default. */
static int
put_default(const struct check *k, json_t *object, const struct key *key)
{
	return json_object_set_new(object, key->name, json_null())
		       ? complain(k->c, -ENOMEM, "no memory")
		       : 0;
}

/* Set it, or append to it. */
static int
put_value(const struct check *k, json_t *object, const struct key *key,
	  const char *text)
{
	const struct place at = {.key = key->name};
	json_t *list = json_object_get(object, key->name);
	json_t *value = key->type == SCALARS ? parse_list(key->of, text)
					     : parse_scalar(key, text);
	int r;

	if (!value) {
		check_refuse(k, &at, "found text that is not UTF-8");
		return -EINVAL;
	}
	if (json_is_array(list) && json_is_array(value)) {
		r = json_array_extend(list, value);
		json_decref(value);
	} else {
		r = json_object_set_new(object, key->name, value);
	}
	return r ? complain(k->c, -ENOMEM, "no memory") : 0;
}

/* One of @keys, whose name has @len octets. */
static int
set_key(const struct check *k, json_t *object, const struct key *keys,
	const char *text, size_t len, bool has_defaults)
{
	const char *value = text[len] ? text + len + 1 : NULL;
	char *name = strndup(text, len);
	const struct key *key;

	if (!name)
		return complain(k->c, -ENOMEM, "no memory");
	key = find_setting(k, keys, name, value);
	free(name);
	if (!key)
		return -EINVAL;
	if (has_defaults && value && !*value)
		return put_default(k, object, key);
	return put_value(k, object, key, value ? value : "true");
}

/* The group whose name is the first @len octets of @text, or NULL. */
static const struct key *
find_group(const struct key *keys, const char *text, size_t len)
{
	for (; keys->name; keys++)
		if (keys->type == GROUP && strlen(keys->name) == len &&
		    !strncmp(keys->name, text, len))
			return keys;
	return NULL;
}

/* What is in a group: it is made if it is not there. */
static json_t *
open_group(json_t *object, const char *name)
{
	json_t *group = json_object_get(object, name);

	if (json_is_object(group))
		return group;
	return json_object_set_new(object, name, json_object())
		       ? NULL
		       : json_object_get(object, name);
}

int
schema_set(enum schema_kind kind, json_t *object, const char *text,
	   struct complaint *c)
{
	const bool has_defaults =
		kind == SCHEMA_PORT_CHANGES || kind == SCHEMA_GRANT_CHANGES;
	const unsigned int type = type_of(object);
	const struct check k = {
		.kind = kind,
		.c = c,
		.ports = type == UNKNOWN ? ANY : type,
	};
	const struct key *keys = kinds[kind].keys, *group = NULL;
	const size_t len = strcspn(text, "="), dot = strcspn(text, ".=");

	/* "rate" itself can be given its default. */
	if (dot < len || (has_defaults && text[len] && !text[len + 1]))
		group = find_group(keys, text, dot);
	if (!group)
		return set_key(&k, object, keys, text, len, has_defaults);
	if (dot == len)
		return put_default(&k, object, group);
	object = open_group(object, group->name);
	if (!object)
		return complain(c, -ENOMEM, "no memory");
	return set_key(&k, object, group->of, text + dot + 1, len - dot - 1,
		       false);
}

/* The key that a checked object may have, for its default. Names that are in
 * more than one table have one in the first of these alone. */
static const struct key *
find_default(const json_t *object, const char *name)
{
	static const struct key *const tables[] = {
		switch_keys, config_keys, filter_keys, limit_keys, NULL};
	const struct key *key = NULL;

	/* Ports alone have a type, in normal form all of them. */
	if (json_object_get(object, "type"))
		return key_find(port_keys, name, type_of(object));
	for (size_t i = 0; !key && tables[i]; i++)
		key = key_find(tables[i], name, ANY);
	return key;
}

const char *
schema_string(const json_t *object, const char *key)
{
	const char *value = string(object, key);
	const struct key *known;

	if (value)
		return value;
	known = find_default(object, key);
	if (known && known->form == form_interface)
		return string(object, "name");
	return known ? known->text : NULL;
}

uint64_t
schema_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const struct key *known;

	if (value)
		return (uint64_t)json_integer_value(value);
	known = find_default(object, key);
	return known ? known->number : 0;
}

bool
schema_bool(const json_t *object, const char *key, bool otherwise)
{
	const json_t *value = json_object_get(object, key);

	return value ? json_is_true(value) : otherwise;
}
