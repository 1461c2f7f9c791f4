/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of commands with the keys that each takes. That a request has these,
 * and no others, each of its type, is seen to before the command is run.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "forms.h"
#include "log.h"
#include "request.h"
#include "schema.h"

/* Rows of a list in one answer. */
#define ROWS_A_PIECE 64

#define KEYS_MAX     5

/* Octets of what somebody has sent that a complaint quotes. */
#define QUOTED 40

enum type { STRING, BOOLEAN, OBJECT, NUMBER };

static const char *const type_names[] = {
	[STRING] = "a string",
	[BOOLEAN] = "true or false",
	[OBJECT] = "an object",
	[NUMBER] = "a whole number",
};

struct key {
	const char *name;
	enum type type;
	bool required;
};

/**
 * struct request - a request whose keys are what they should be
 * @begun:	as for request_run()
 * @json:	its values
 */
struct request {
	const struct control_config *config;
	uint64_t begun;
	struct plant *plant;
	const json_t *json;
	struct answer *answer;
	struct complaint *c;
};

struct command {
	const char *name;
	int (*run)(const struct request *r);
	struct key keys[KEYS_MAX];
};

static const char *
string(const struct request *r, const char *key)
{
	return json_string_value(json_object_get(r->json, key));
}

static bool
is_set(const struct request *r, const char *key)
{
	return json_is_true(json_object_get(r->json, key));
}

static int
give(const struct request *r, enum answer_kind kind, json_t *result)
{
	if (!result)
		return -EINVAL;
	r->answer->kind = kind;
	r->answer->result = result;
	return 0;
}

static int
no_memory(struct complaint *c)
{
	return complain(c, -ENOMEM, "no memory");
}

/* What is about the program and not about the plant; @result may be NULL. */
static int
give_with(const struct request *r, json_t *result, json_t *more)
{
	if (!result || !more || json_object_update_missing(result, more) < 0) {
		json_decref(result);
		json_decref(more);
		return no_memory(r->c);
	}
	json_decref(more);
	return give(r, ANSWER_WHOLE, result);
}

static int
show(const struct request *r)
{
	const json_int_t uptime = (json_int_t)(request_now() - r->begun);

	return give_with(r, plant_show(r->plant),
			 json_pack("{s:s?, s:i, s:I, s:s, s:s?}", "version",
				   r->config->version, "pid", (int)getpid(),
				   "uptime_ns", uptime, "socket",
				   r->config->path, "config", r->config->file));
}

static int
config_show(const struct request *r)
{
	json_t *own = json_pack("{s:s}", "socket", r->config->path);

	if (own && r->config->settings)
		json_object_update_missing(own, r->config->settings);
	return give_with(r, plant_config(r->plant), own);
}

static int
config_reload(const struct request *r)
{
	json_t *complaints;
	const char *first;
	size_t n;
	int e;

	if (!r->config->reload)
		return complain(r->c, -ENOENT,
				"there is no file to read: vnet-switch runs "
				"without -c");
	complaints = json_array();
	if (!complaints)
		return no_memory(r->c);
	e = r->config->reload(r->config->ctx, complaints);
	n = json_array_size(complaints);
	if (e == 0 && n == 0) {
		json_decref(complaints);
		return 0;
	}
	r->answer->complaints = complaints;
	first = json_string_value(json_array_get(complaints, 0));
	e = e ? e : -EINVAL;
	if (n > 1)
		return complain(r->c, e, "%s (and %zu more)", first, n - 1);
	return complain(r->c, e, "%s", first ? first : strerror(-e));
}

static int
port_show(const struct request *r)
{
	return give(r, ANSWER_LIST,
		    plant_port_show(r->plant, string(r, "port"), r->c));
}

/* What was asked for is so already. */
static int
forgive(const struct request *r, const char *key, int error, int forgiven)
{
	return error == forgiven && is_set(r, key) ? 0 : error;
}

static int
port_add(const struct request *r)
{
	json_t *port =
		schema_check(SCHEMA_PORT, json_object_get(r->json, "port"),
			     NULL, NULL, r->c);
	int e;

	if (!port)
		return -EINVAL;
	e = plant_port_add(r->plant, port, PLANT_CONTROL, r->c);
	if (!e)
		log_write(LOG_INFO, "control: port %s added",
			  schema_string(port, "name"));
	json_decref(port);
	return forgive(r, "may_exist", e, -EEXIST);
}

static int
port_del(const struct request *r)
{
	int e = plant_port_del(r->plant, string(r, "port"), r->c);

	if (!e)
		log_write(LOG_INFO, "control: port %s deleted",
			  string(r, "port"));
	return forgive(r, "if_exists", e, -ENOENT);
}

static int
port_set(const struct request *r)
{
	const json_t *changes = json_object_get(r->json, "set");
	int e = plant_port_set(r->plant, string(r, "port"), changes, r->c);
	char *text = e ? NULL : json_dumps(changes, JSON_COMPACT);

	if (text)
		log_write(LOG_INFO, "control: port %s: set %s",
			  string(r, "port"), text);
	free(text);
	return e;
}

static int
fdb_show(const struct request *r)
{
	const char *port = string(r, "port");

	r->answer->kind = ANSWER_FDB;
	if (!port)
		return 0;
	r->answer->port = strdup(port);
	return r->answer->port ? 0 : no_memory(r->c);
}

static int
fdb_add(const struct request *r)
{
	json_t *entry = json_pack("{s:s, s:s}", "mac", string(r, "mac"), "port",
				  string(r, "port"));
	json_t *normal =
		entry ? schema_check(SCHEMA_FDB, entry, NULL, NULL, r->c)
		      : NULL;
	int e = -EINVAL;

	if (!entry)
		e = no_memory(r->c);
	if (normal)
		e = plant_fdb_add(r->plant, schema_string(normal, "mac"),
				  schema_string(normal, "port"), r->c);
	if (!e)
		log_write(LOG_INFO, "control: %s pinned to port %s",
			  schema_string(normal, "mac"),
			  schema_string(normal, "port"));
	json_decref(normal);
	json_decref(entry);
	return e;
}

static int
fdb_del(const struct request *r)
{
	int e = plant_fdb_del(r->plant, string(r, "mac"), r->c);

	if (!e)
		log_write(LOG_INFO, "control: %s deleted", string(r, "mac"));
	return forgive(r, "if_exists", e, -ENOENT);
}

static int
fdb_flush(const struct request *r)
{
	const char *port = string(r, "port");
	int e = plant_fdb_flush(r->plant, port, r->c);

	if (!e)
		log_write(LOG_INFO, "control: addresses flushed%s%s",
			  port ? ": port " : "", port ? port : "");
	return e;
}

static int
filter_show(const struct request *r)
{
	return give(r, ANSWER_LIST,
		    plant_filter_show(r->plant, string(r, "port"), r->c));
}

/* A client, or one of its sides, is what is meant. */
static bool
is_client_filter(const struct request *r, const char *side)
{
	return strchr(string(r, "port"), '/') ||
	       (side && !strncmp(side, "receive_", 8));
}

static int
filter_add(const struct request *r)
{
	const json_t *given = json_object_get(r->json, "filter");
	const char *side = json_string_value(json_object_get(given, "side"));
	json_t *filter =
		schema_check(is_client_filter(r, side) ? SCHEMA_CLIENT_FILTER
						       : SCHEMA_FILTER,
			     given, NULL, NULL, r->c);
	int e;

	if (!filter)
		return -EINVAL;
	e = plant_filter_add(r->plant, string(r, "port"), filter, PLANT_CONTROL,
			     r->c);
	if (!e)
		log_write(LOG_INFO, "control: port %s: filter %s (%s) added",
			  string(r, "port"), schema_string(filter, "name"),
			  schema_string(filter, "side"));
	json_decref(filter);
	return forgive(r, "may_exist", e, -EEXIST);
}

static int
check_side(const struct request *r)
{
	const char *side = string(r, "side");

	if (!strcmp(side, "in") || !strcmp(side, "out"))
		return 0;
	return complain(r->c, -EINVAL,
			"side: found \"%.*s\", expected \"in\" or \"out\"",
			QUOTED, side);
}

static int
check_client_side(const struct request *r)
{
	const char *side = string(r, "side");

	if (!strcmp(side, "receive_in") || !strcmp(side, "receive_out"))
		return 0;
	return complain(r->c, -EINVAL,
			"side: found \"%.*s\", expected \"receive_in\" or "
			"\"receive_out\"",
			QUOTED, side);
}

static int
filter_del(const struct request *r)
{
	const char *side = string(r, "side");
	int e = is_client_filter(r, side) ? check_client_side(r)
					  : check_side(r);

	if (e)
		return e;
	e = plant_filter_del(r->plant, string(r, "port"), side,
			     string(r, "name"), r->c);
	if (!e)
		log_write(LOG_INFO, "control: port %s: filter %s (%s) deleted",
			  string(r, "port"), string(r, "name"), side);
	return forgive(r, "if_exists", e, -ENOENT);
}

static int
limit_show(const struct request *r)
{
	return give(r, ANSWER_LIST,
		    plant_limit_show(r->plant, string(r, "owner"), r->c));
}

static int
limit_set(const struct request *r)
{
	json_t *limit =
		schema_check(SCHEMA_LIMIT, json_object_get(r->json, "limit"),
			     NULL, NULL, r->c);
	int e;

	if (!limit)
		return -EINVAL;
	e = plant_limit_set(r->plant, string(r, "owner"), limit, r->c);
	if (!e)
		log_write(LOG_INFO, "control: %s: limit %s %s set",
			  string(r, "owner"), schema_string(limit, "side"),
			  schema_string(limit, "traffic"));
	json_decref(limit);
	return e;
}

static int
limit_del(const struct request *r)
{
	int e = check_side(r);

	if (e)
		return e;
	e = plant_limit_del(r->plant, string(r, "owner"), string(r, "side"),
			    string(r, "traffic"), r->c);
	if (!e)
		log_write(LOG_INFO, "control: %s: limit %s %s deleted",
			  string(r, "owner"), string(r, "side"),
			  string(r, "traffic"));
	return forgive(r, "if_exists", e, -ENOENT);
}

static int
grant_show(const struct request *r)
{
	return give(r, ANSWER_LIST,
		    plant_grant_show(r->plant, string(r, "name"), r->c));
}

/* A name that one can have. */
static int
check_grant_name(const struct request *r)
{
	const char *expected = NULL;
	json_t *name = form_grant(string(r, "name"), &expected);

	json_decref(name);
	return name ? 0
		    : complain(r->c, -EINVAL,
			       "name: found \"%.*s\", expected %s", QUOTED,
			       string(r, "name"), expected);
}

static int
grant_add(const struct request *r)
{
	json_t *grant;
	int e = check_grant_name(r);

	if (e)
		return e;
	grant = schema_check(SCHEMA_GRANT, json_object_get(r->json, "grant"),
			     NULL, NULL, r->c);
	if (!grant)
		return -EINVAL;
	e = plant_grant_add(r->plant, string(r, "name"), grant, r->c);
	if (!e)
		log_write(LOG_INFO, "control: grant %s added",
			  string(r, "name"));
	json_decref(grant);
	return forgive(r, "may_exist", e, -EEXIST);
}

static int
grant_set(const struct request *r)
{
	const json_t *changes = json_object_get(r->json, "set");
	int e = plant_grant_set(r->plant, string(r, "name"), changes, r->c);
	char *text = e ? NULL : json_dumps(changes, JSON_COMPACT);

	if (text)
		log_write(LOG_INFO, "control: grant %s: set %s",
			  string(r, "name"), text);
	free(text);
	return e;
}

static int
grant_revoke(const struct request *r)
{
	int e = plant_grant_revoke(r->plant, string(r, "name"), r->c);

	if (!e)
		log_write(LOG_INFO, "control: grant %s revoked",
			  string(r, "name"));
	return forgive(r, "if_exists", e, -ENOENT);
}

static int
grant_program(const struct request *r)
{
	return give(r, ANSWER_WHOLE,
		    plant_grant_program(r->plant, string(r, "name"), r->c));
}

static int
explain(const struct request *r)
{
	return give(r, ANSWER_WHOLE,
		    plant_explain(r->plant, string(r, "client"),
				  string(r, "frame"), r->c));
}

static int
stats(const struct request *r)
{
	return give(r, ANSWER_WHOLE,
		    plant_stats(r->plant, string(r, "port"), r->c));
}

static int
monitor(const struct request *r)
{
	r->answer->kind = ANSWER_MONITOR;
	return 0;
}

static int
capture(const struct request *r)
{
	const json_int_t snaplen =
		json_integer_value(json_object_get(r->json, "snaplen"));
	const struct capture_config config = {
		.port = string(r, "port"),
		.expr = string(r, "expr"),
		.snaplen = (uint32_t)snaplen,
		.raw = is_set(r, "raw"),
	};
	struct capture *capture;
	int e;

	if (snaplen < 0 || snaplen > PCAPNG_PACKET_MAX)
		return complain(r->c, -EINVAL,
				"snaplen: found %" JSON_INTEGER_FORMAT
				", expected 0 to %d",
				snaplen, PCAPNG_PACKET_MAX);
	e = capture_create(&capture, &config, r->c);
	if (e)
		return e;
	e = plant_capture_add(r->plant, config.port, capture, r->c);
	if (e) {
		capture_destroy(capture);
		return e;
	}
	r->answer->kind = ANSWER_CAPTURE;
	r->answer->capture = capture;
	return 0;
}

static int
client_show(const struct request *r)
{
	return give(r, ANSWER_LIST,
		    plant_client_show(r->plant, string(r, "port"), r->c));
}

static int
client_set(const struct request *r)
{
	json_t *changes = schema_check(SCHEMA_CLIENT_CHANGES,
				       json_object_get(r->json, "changes"),
				       NULL, NULL, r->c);
	char *text;
	int e;

	if (!changes)
		return -EINVAL;
	e = plant_client_set(r->plant, string(r, "client"), changes, r->c);
	text = e ? NULL : json_dumps(changes, JSON_COMPACT);
	if (text)
		log_write(LOG_INFO, "control: client %s: set %s",
			  string(r, "client"), text);
	free(text);
	json_decref(changes);
	return e;
}

static int
client_del(const struct request *r)
{
	int e = plant_client_del(r->plant, string(r, "client"), r->c);

	if (!e)
		log_write(LOG_INFO, "control: client %s deleted",
			  string(r, "client"));
	return forgive(r, "if_exists", e, -ENOENT);
}

static const struct command commands[] = {
	{"show", show, {{0}}},
	{"config show", config_show, {{0}}},
	{"config reload", config_reload, {{0}}},
	{"port show", port_show, {{"port", STRING, false}}},
	{"port add",
	 port_add,
	 {{"port", OBJECT, true}, {"may_exist", BOOLEAN, false}}},
	{"port del",
	 port_del,
	 {{"port", STRING, true}, {"if_exists", BOOLEAN, false}}},
	{"port set", port_set, {{"port", STRING, true}, {"set", OBJECT, true}}},
	{"client show", client_show, {{"port", STRING, false}}},
	{"client set",
	 client_set,
	 {{"client", STRING, true}, {"changes", OBJECT, true}}},
	{"client del",
	 client_del,
	 {{"client", STRING, true}, {"if_exists", BOOLEAN, false}}},
	{"fdb show", fdb_show, {{"port", STRING, false}}},
	{"fdb add", fdb_add, {{"mac", STRING, true}, {"port", STRING, true}}},
	{"fdb del",
	 fdb_del,
	 {{"mac", STRING, true}, {"if_exists", BOOLEAN, false}}},
	{"fdb flush", fdb_flush, {{"port", STRING, false}}},
	{"filter show", filter_show, {{"port", STRING, false}}},
	{"filter add",
	 filter_add,
	 {{"port", STRING, true},
	  {"filter", OBJECT, true},
	  {"may_exist", BOOLEAN, false}}},
	{"filter del",
	 filter_del,
	 {{"port", STRING, true},
	  {"side", STRING, true},
	  {"name", STRING, true},
	  {"if_exists", BOOLEAN, false}}},
	{"limit show", limit_show, {{"owner", STRING, false}}},
	{"limit set",
	 limit_set,
	 {{"owner", STRING, true}, {"limit", OBJECT, true}}},
	{"limit del",
	 limit_del,
	 {{"owner", STRING, true},
	  {"side", STRING, true},
	  {"traffic", STRING, true},
	  {"if_exists", BOOLEAN, false}}},
	{"grant show", grant_show, {{"name", STRING, false}}},
	{"grant add",
	 grant_add,
	 {{"name", STRING, true},
	  {"grant", OBJECT, true},
	  {"may_exist", BOOLEAN, false}}},
	{"grant set",
	 grant_set,
	 {{"name", STRING, true}, {"set", OBJECT, true}}},
	{"grant revoke",
	 grant_revoke,
	 {{"name", STRING, true}, {"if_exists", BOOLEAN, false}}},
	{"grant program", grant_program, {{"name", STRING, true}}},
	{"explain",
	 explain,
	 {{"client", STRING, true}, {"frame", STRING, true}}},
	{"stats", stats, {{"port", STRING, false}}},
	{"monitor", monitor, {{0}}},
	{"capture",
	 capture,
	 {{"port", STRING, true},
	  {"expr", STRING, false},
	  {"snaplen", NUMBER, false},
	  {"raw", BOOLEAN, false}}},
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

uint64_t
request_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* "one, two, three", as far as it fits. */
static void
append_name(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
}

static const struct command *
find_command(const json_t *request, struct complaint *c)
{
	const json_t *name = json_object_get(request, "do");
	char list[COMPLAINT_SIZE] = "";

	if (!json_is_object(request)) {
		complain(c, -EINVAL, "found no object, expected {\"do\": ...}");
		return NULL;
	}
	if (!json_is_string(name)) {
		complain(c, -EINVAL, "\"do\": found %s, expected a string",
			 name ? "something else" : "nothing");
		return NULL;
	}
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (strcmp(commands[i].name, json_string_value(name)) == 0)
			return &commands[i];
		append_name(list, sizeof(list), commands[i].name);
	}
	complain(c, -EINVAL, "\"do\": found \"%.*s\", expected one of %s",
		 QUOTED, json_string_value(name), list);
	return NULL;
}

static const struct key *
find_key(const struct command *command, const char *name)
{
	for (size_t i = 0; i < KEYS_MAX && command->keys[i].name; i++)
		if (strcmp(command->keys[i].name, name) == 0)
			return &command->keys[i];
	return NULL;
}

static bool
has_type(const json_t *value, enum type type)
{
	switch (type) {
	case STRING:
		return json_is_string(value);
	case BOOLEAN:
		return json_is_boolean(value);
	case OBJECT:
		return json_is_object(value);
	default:
		return json_is_integer(value);
	}
}

static const char *
type_of(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",
		[JSON_STRING] = "a string",  [JSON_INTEGER] = "a number",
		[JSON_REAL] = "a fraction",  [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null",
	};

	return value ? names[json_typeof(value)] : "nothing";
}

static int
unknown_key(const struct command *command, const char *name,
	    struct complaint *c)
{
	char list[COMPLAINT_SIZE] = "";

	for (size_t i = 0; i < KEYS_MAX && command->keys[i].name; i++)
		append_name(list, sizeof(list), command->keys[i].name);
	return complain(c, -EINVAL, "%s: found the key \"%.*s\", expected %s",
			command->name, QUOTED, name,
			*list ? list : "none but \"do\" and \"id\"");
}

static int
check_keys(const struct command *command, const json_t *request,
	   struct complaint *c)
{
	const char *name;
	json_t *value;

	/* json_object_foreach() wants it so; nothing is changed. */
	json_object_foreach((json_t *)request, name, value)
		if (strcmp(name, "do") != 0 && strcmp(name, "id") != 0 &&
		    !find_key(command, name))
			return unknown_key(command, name, c);
	for (size_t i = 0; i < KEYS_MAX && command->keys[i].name; i++) {
		const struct key *key = &command->keys[i];

		value = json_object_get(request, key->name);
		if (value ? !has_type(value, key->type) : key->required)
			return complain(c, -EINVAL,
					"%s: \"%s\": found %s, expected %s",
					command->name, key->name,
					type_of(value), type_names[key->type]);
	}
	return 0;
}

int
request_run(const struct control_config *config, uint64_t begun,
	    const json_t *request, struct answer *a, struct complaint *c)
{
	const struct command *command;
	const struct request r = {
		.config = config,
		.begun = begun,
		.plant = config->plant,
		.json = request,
		.answer = a,
		.c = c,
	};
	int e;

	*a = (struct answer){0};
	command = find_command(request, c);
	if (!command)
		return -EINVAL;
	e = check_keys(command, request, c);
	return e ? e : command->run(&r);
}

static json_t *
list_piece(struct answer *a, bool *last, struct complaint *c)
{
	size_t end = json_array_size(a->result);
	json_t *piece = json_array();
	int r = piece ? 0 : -1;

	if (end - a->at > ROWS_A_PIECE)
		end = a->at + ROWS_A_PIECE;
	for (; !r && a->at < end; a->at++)
		r = json_array_append(piece, json_array_get(a->result, a->at));
	*last = a->at == json_array_size(a->result);
	if (!r)
		return piece;
	json_decref(piece);
	no_memory(c);
	return NULL;
}

json_t *
answer_piece(struct answer *a, struct plant *plant, bool *last,
	     struct complaint *c)
{
	if (a->kind == ANSWER_LIST)
		return list_piece(a, last, c);
	*last = false;
	return plant_fdb_show(plant, a->port, &a->cursor, last, c);
}

void
answer_fini(struct answer *a)
{
	json_decref(a->result);
	json_decref(a->complaints);
	free(a->port);
	*a = (struct answer){0};
}
