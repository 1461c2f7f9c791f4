/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether grants fit below each other is asked of a switch that has nothing
 * else: so what passes here the switch takes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/malloc.h>
#include <vnet/switch.h>

#include "check_grants.h"
#include "grant_read.h"

/**
 * struct tree - the grants of a configuration
 * @k:		who hears
 * @grants:	by name
 * @sw:		has those that fit
 * @read:	room for one
 */
struct tree {
	const struct check *k;
	const json_t *config;
	const json_t *grants;
	struct vnet_switch *sw;
	struct grant_read *read;
};

static const struct place list = {.key = "grants"};

static const char *
string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* NULL where it has none. */
static const json_t *
parent_of(const struct tree *t, const json_t *grant)
{
	const char *name = string(grant, "parent");

	return name ? json_object_get(t->grants, name) : NULL;
}

/*
 * Parents
 */

/* An uplink that attaches: what is granted to it only the switch there knows. */
static bool
is_uplink(const struct tree *t, const char *name)
{
	const json_t *port;
	size_t i;

	json_array_foreach(json_object_get(t->config, "ports"), i, port)
		if (!strcmp(string(port, "name"), name))
			return !strcmp(string(port, "type"), "uplink") &&
			       string(port, "path");
	return false;
}

static bool
check_parent(const struct tree *t, const char *name, const json_t *grant)
{
	const struct place element = {.up = &list, .key = name};
	const struct place at = {.up = &element, .key = "parent"};
	const json_t *up = grant;
	int nlevels = 0;

	if (string(grant, "parent") && !parent_of(t, grant)) {
		if (is_uplink(t, string(grant, "parent")))
			return true;
		check_refuse(t->k, &at,
			     "there is no grant %s, and no uplink with a "
			     "\"path\" of that name",
			     string(grant, "parent"));
		return false;
	}
	do {
		up = parent_of(t, up);
		nlevels++;
	} while (up && up != grant && nlevels < VNET_GRANT_MAX_DEPTH);
	if (up == grant)
		check_refuse(t->k, &at, "found \"%s\", which is below %s",
			     string(grant, "parent"), name);
	else if (up)
		check_refuse(t->k, &at,
			     "found more than %d levels of grants above it",
			     VNET_GRANT_MAX_DEPTH - 1);
	return !up;
}

static bool
check_parents(const struct tree *t)
{
	json_t *grants = (json_t *)t->grants;

	for (void *i = json_object_iter(grants); i;
	     i = json_object_iter_next(grants, i))
		if (!check_parent(t, json_object_iter_key(i),
				  json_object_iter_value(i)))
			return false;
	return true;
}

/*
 * Whether they fit
 */

/* Which of the words after "may" has this part. */
static size_t
find_word(const json_t *grant, enum vnet_grant_part part)
{
	const char *name = vnet_grant_part_name(part);
	const json_t *word;
	size_t i;

	if (part == VNET_GRANT_GROUPS)
		name = "multicast";
	json_array_foreach(json_object_get(grant, "may"), i, word)
		if (!strcmp(json_string_value(word), name))
			return i;
	return 0;
}

/* The key that a complaint is of. That any group may be sent to is no group. */
static const char *
key_of(int error, enum vnet_grant_part part, const struct vnet_why *why)
{
	const char *key = grant_key(part);

	if (error == -EPERM && part == VNET_GRANT_GROUPS && why->found)
		return "may";
	return key ? key : "mac";
}

/* Complain of what the switch did not take. */
static bool
refuse(const struct tree *t, const char *name, const json_t *grant, int error,
       enum vnet_grant_part part, const struct vnet_why *why)
{
	const struct place element = {.up = &list, .key = name};
	const struct place value = {
		.up = &element,
		.key = key_of(error, part, why),
	};
	const json_t *found = json_object_get(grant, value.key);
	struct place entry = {.up = &value, .index = why->index};
	const struct place *at = &value;
	char text[GRANT_WHY_SIZE];

	if (!strcmp(value.key, "may"))
		entry.index = find_word(grant, part);
	if (entry.index < json_array_size(found))
		at = &entry;
	grant_why(part, why, text, sizeof(text));
	if (error == -EPERM)
		check_refuse(t->k, at, "does not fit into grant %s: %s",
			     string(grant, "parent"), text);
	else if (error == -EINVAL)
		check_refuse(t->k, at, "%s", text);
	else
		check_refuse(t->k, &element, "%s: %s",
			     why->text ? why->text : "cannot be made",
			     strerror(-error));
	return false;
}

/* Its parents first: no more of them than there are levels. */
static bool
add(const struct tree *t, const char *name)
{
	const json_t *grant = json_object_get(t->grants, name);
	const char *parent =
		parent_of(t, grant) ? string(grant, "parent") : NULL;
	enum vnet_grant_part part = VNET_GRANT_UNDECIDED;
	struct vnet_why why = {0};
	vnet_grant_id id;
	json_t *whole;
	int r;

	if (vnet_grant_find(t->sw, name) != VNET_NO_ID)
		return true;
	if (parent && !add(t, parent))
		return false;
	whole = grant_whole(t->grants, grant);
	if (!whole) {
		check_refuse_memory(t->k);
		return false;
	}
	grant_read(t->read, name, whole, grant_until(whole));
	r = vnet_grant_check(&t->read->grant, &part, &why);
	if (!r)
		r = vnet_grant_add(t->sw,
				   parent ? vnet_grant_find(t->sw, parent)
					  : VNET_NO_ID,
				   &t->read->grant, &id, &part, &why);
	json_decref(whole);
	return !r || refuse(t, name, grant, r, part, &why);
}

static bool
add_all(const struct tree *t)
{
	json_t *grants = (json_t *)t->grants;

	for (void *i = json_object_iter(grants); i;
	     i = json_object_iter_next(grants, i))
		if (!add(t, json_object_iter_key(i)))
			return false;
	return true;
}

/* A switch for nothing else. */
static int
make_switch(struct tree *t)
{
	const struct vnet_alloc alloc = vnet_malloc();
	const json_t *sw = json_object_get(t->config, "switch");
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.max_ports = 1,
		.fdb_entries = 1,
		.max_rules = 1,
		.max_insns = (uint32_t)schema_number(sw, "max_insns"),
		.max_grants = (uint32_t)json_object_size(t->grants),
	};

	return vnet_switch_create(&t->sw, &config, NULL);
}

/*
 * Ports
 */

/* The grant that is named is there, and bounds the queue. */
static bool
check_user(const struct tree *t, const struct place *p, const json_t *user,
	   const char *name)
{
	const struct place at = {.up = p, .key = "grant"};
	const struct place queue = {.up = p, .key = "queue_octets"};
	const json_t *grant = json_object_get(t->grants, name);
	const json_int_t found =
		json_integer_value(json_object_get(user, queue.key));
	json_int_t bound;
	json_t *whole;

	if (!grant) {
		check_refuse(t->k, &at, "there is no grant %s", name);
		return false;
	}
	whole = grant_whole(t->grants, grant);
	bound = json_integer_value(json_object_get(whole, "queue"));
	json_decref(whole);
	if (!bound || found <= bound)
		return true;
	check_refuse(t->k, &queue,
		     "found %" JSON_INTEGER_FORMAT
		     ", expected at most %" JSON_INTEGER_FORMAT
		     ": that of grant %s",
		     found, bound, name);
	return false;
}

static bool
check_rows(const struct tree *t, const struct place *p, const json_t *port)
{
	const struct place rows = {.up = p, .key = "allow"};
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(port, rows.key), i, row) {
		const struct place at = {.up = &rows, .index = i};

		if (string(row, "grant") &&
		    !check_user(t, &at, row, string(row, "grant")))
			return false;
	}
	return true;
}

/* Clients that it may have itself: what it has not given to others. */
static json_int_t
clients_of(const struct tree *t, const char *name)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	(void)vnet_grant_get(t->sw, vnet_grant_find(t->sw, name), &info);
	return (json_int_t)info.grant.max_clients - info.given_clients;
}

/* A port's own client is there as long as the port. */
static bool
count_client(const struct tree *t, const struct place *p, const json_t *port,
	     json_t *counts)
{
	const struct place at = {.up = p, .key = "grant"};
	const char *name = string(port, "grant");
	const json_int_t n =
		json_integer_value(json_object_get(counts, name)) + 1;
	const json_int_t bound = clients_of(t, name);

	if (n > bound) {
		check_refuse(t->k, &at,
			     "found %" JSON_INTEGER_FORMAT
			     " ports with grant %s, expected "
			     "%" JSON_INTEGER_FORMAT ": its max_clients, less "
			     "those of grants below it",
			     n, name, bound);
		return false;
	}
	if (json_object_set_new(counts, name, json_integer(n))) {
		check_refuse_memory(t->k);
		return false;
	}
	return true;
}

static bool
check_ports(const struct tree *t)
{
	const struct place ports = {.key = "ports"};
	json_t *counts = json_object();
	bool is_right = true;
	const json_t *port;
	size_t i;

	if (!counts) {
		check_refuse_memory(t->k);
		return false;
	}
	json_array_foreach(json_object_get(t->config, ports.key), i, port) {
		const struct place at = {.up = &ports, .index = i};
		const char *name = string(port, "grant");

		is_right = (!name || check_user(t, &at, port, name)) &&
			   check_rows(t, &at, port);
		if (is_right && name &&
		    strcmp(string(port, "type"), "attach") != 0)
			is_right = count_client(t, &at, port, counts);
		if (!is_right)
			break;
	}
	json_decref(counts);
	return is_right;
}

/*
 * All of it
 */

static bool
check_count(const struct tree *t)
{
	/* The first that is set is the bound; the last is always. */
	static const char *const bounds[] = {"max_grants", "max_clients",
					     "max_ports"};
	const json_t *sw = json_object_get(t->config, "switch");
	const size_t n = json_object_size(t->grants);
	size_t i = 0;

	while (i < 2 && !schema_number(sw, bounds[i]))
		i++;
	if (n <= schema_number(sw, bounds[i]))
		return true;
	check_refuse(t->k, &list,
		     "found %zu grants, expected at most %" PRIu64
		     " (switch.%s)",
		     n, schema_number(sw, bounds[i]), bounds[i]);
	return false;
}

bool
check_grants(const struct check *k, const json_t *config)
{
	struct tree t = {
		.k = k,
		.config = config,
		.grants = json_object_get(config, "grants"),
	};
	bool is_right;

	if (!check_count(&t) || !check_parents(&t))
		return false;
	/* Not on the stack. */
	t.read = malloc(sizeof(*t.read));
	if (!t.read || (t.grants && make_switch(&t))) {
		check_refuse_memory(k);
		is_right = false;
	} else {
		is_right = (!t.grants || add_all(&t)) && check_ports(&t);
	}
	vnet_switch_destroy(t.sw);
	free(t.read);
	return is_right;
}
