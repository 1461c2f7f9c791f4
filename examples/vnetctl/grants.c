/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants: what clients that are not trusted may send and receive. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "field.h"
#include "order.h"
#include "print_json.h"
#include "schema.h"
#include "table.h"

/* Of a list on one line. */
#define LIST_SIZE 256

/*
 * What is there
 */

static const struct column columns[] = {
	{"GRANT", false},  {"PARENT", false},   {"STATE", false},
	{"CLIENTS", true}, {"ADDRESSES", true}, {"MAC", false},
	{"IPV4", false},   {"IPV6", false},     {"VLAN", false},
	{"UNTIL", false},  {"REFUSED", true},
};

/* "USED/MOST", where what was given to others is used as well. */
static void
add_share(struct table *t, const json_t *grant, const char *used,
	  const char *given, const char *most)
{
	if (json_object_get(grant, used))
		table_cell(t, "%" PRIu64 "/%" PRIu64,
			   field_number(grant, used) +
				   field_number(grant, given),
			   field_number(grant, most));
	else
		table_cell(t, "%s", "");
}

/* Frames of all parts, of both sides. */
static uint64_t
sum_refused(const json_t *grant)
{
	static const char *const sides[] = {"in", "out"};
	const json_t *refused = json_object_get(grant, "refused");
	uint64_t sum = 0;

	for (size_t i = 0; i < 2; i++) {
		json_t *parts = json_object_get(refused, sides[i]), *count;
		const char *part;

		json_object_foreach(parts, part, count)
			sum += field_number(count, "frames");
	}
	return sum;
}

static void
add_row(struct table *t, const json_t *grant)
{
	static const char *const lists[] = {"mac", "ipv4", "ipv6", "vlan",
					    "until"};
	char text[LIST_SIZE];

	table_cell(t, "%s", field_text(grant, "name"));
	table_cell(t, "%s", field_text(grant, "parent"));
	table_cell(t, "%s", field_text(grant, "state"));
	add_share(t, grant, "clients", "given_clients", "max_clients");
	add_share(t, grant, "addresses", "given_addresses", "max_addresses");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		table_cell(t, "%s",
			   field_shown(grant, lists[i], text, sizeof(text)));
	table_cell(t, "%" PRIu64, sum_refused(grant));
}

static enum status
print_grants(const json_t *grants, struct complaint *c)
{
	struct table t = TABLE(columns);
	const json_t *grant;
	size_t i;

	json_array_foreach(grants, i, grant)
		add_row(&t, grant);
	return table_print(&t, "", stdout, c);
}

/* "KEY  VALUE" lines of all that can be shown on one. */
static enum status
print_keys(const json_t *object, const char *indent, struct complaint *c)
{
	static const struct column key_columns[] = {{"", false}, {"", false}};
	struct table t = TABLE(key_columns);
	char text[LIST_SIZE];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		field_shown(object, key, text, sizeof(text));
		if (json_is_object(value) || !*text || !strcmp(key, "name"))
			continue;
		table_cell(&t, "%s", key);
		table_cell(&t, "%s", text);
	}
	return table_print_plain(&t, indent, stdout, c);
}

static enum status
print_refused(const json_t *refused, struct complaint *c)
{
	static const struct column refused_columns[] = {
		{"REFUSED", false},
		{"PART", false},
		{"FRAMES", true},
		{"OCTETS", true},
	};
	static const char *const sides[] = {"in", "out"};
	struct table t = TABLE(refused_columns);

	for (size_t i = 0; i < 2; i++) {
		json_t *parts = json_object_get(refused, sides[i]), *value;
		const char *part;

		json_object_foreach(parts, part, value) {
			const struct field_count n = field_count(parts, part);

			table_cell(&t, "%s", sides[i]);
			table_cell(&t, "%s", part);
			table_cell(&t, "%" PRIu64, n.frames);
			table_cell(&t, "%" PRIu64, n.octets);
		}
	}
	if (t.ncells)
		return table_print(&t, "    ", stdout, c);
	table_free(&t);
	return DONE;
}

static enum status
print_grant(const json_t *grant, struct complaint *c)
{
	const json_t *rate = json_object_get(grant, "rate");
	const json_t *insns = json_object_get(grant, "insns");
	char name[LIST_SIZE];
	enum status status;

	snprintf(name, sizeof(name), "%s", field_text(grant, "name"));
	table_clean(name);
	printf("%s\n", name);
	status = print_keys(grant, "    ", c);
	if (!status && rate) {
		printf("    rate\n");
		status = print_keys(rate, "        ", c);
	}
	if (!status && insns) {
		printf("    instructions\n");
		status = print_keys(insns, "        ", c);
	}
	return status ? status
		      : print_refused(json_object_get(grant, "refused"), c);
}

enum status
show_grants(const struct command_line *line, struct complaint *c)
{
	const char *name = line->nargs ? line->args[0] : NULL;
	json_t *request = field_request("grant show", "name", name);
	json_t *grants = NULL;
	enum status status;

	if (line->json)
		return print_json(line, request, c);
	status = client_ask_once(line, request, &grants, c);
	if (!status)
		status = field_expect(grants, JSON_ARRAY, "grant show", c);
	if (!status && name && json_array_size(grants) == 1)
		status = print_grant(json_array_get(grants, 0), c);
	else if (!status)
		status = print_grants(grants, c);
	json_decref(grants);
	return status;
}

/*
 * What changes them
 */

/* The keys that were typed behind the name, for which the daemon checks the rest;
 * NULL with @c. */
static json_t *
read_keys(const struct command_line *line, enum schema_kind kind,
	  struct complaint *c)
{
	json_t *grant = json_object(), *checked;

	for (int i = 1; i < line->nargs; i++)
		if (schema_set(kind, grant, line->args[i], c)) {
			json_decref(grant);
			return NULL;
		}
	/* The daemon does so as well: this is the sooner. */
	checked = schema_check(kind, grant, NULL, NULL, c);
	if (!checked) {
		json_decref(grant);
		return NULL;
	}
	json_decref(checked);
	return grant;
}

enum status
add_grant(const struct command_line *line, struct complaint *c)
{
	json_t *grant = read_keys(line, SCHEMA_GRANT, c);

	if (!grant)
		return FAILED;
	return order(line,
		     json_pack("{s:s, s:s, s:o}", "do", "grant add", "name",
			       line->args[0], "grant", grant),
		     c);
}

enum status
set_grant(const struct command_line *line, struct complaint *c)
{
	json_t *changes = read_keys(line, SCHEMA_GRANT_CHANGES, c);

	if (!changes)
		return FAILED;
	return order(line,
		     json_pack("{s:s, s:s, s:o}", "do", "grant set", "name",
			       line->args[0], "set", changes),
		     c);
}

enum status
revoke_grant(const struct command_line *line, struct complaint *c)
{
	return order(line, field_request("grant revoke", "name", line->args[0]),
		     c);
}
