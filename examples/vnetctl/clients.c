/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has opened the ports: a medium, or sessions of programs. */
#include <string.h>

#include "actions.h"
#include "client.h"
#include "field.h"
#include "order.h"
#include "print_json.h"
#include "schema.h"
#include "table.h"

#define TEXT_SIZE 32

static const struct column columns[] = {
	{"CLIENT", false}, {"MAC", false},      {"UID", true},
	{"GID", true},     {"PID", true},       {"QUEUE", true},
	{"WEIGHT", true},  {"ADDRESSES", true}, {"ACCEPT", false},
	{"GRANT", false},
};

static void
add_row(struct table *t, const json_t *client)
{
	static const char *const keys[] = {"mac", "uid",          "gid",
					   "pid", "queue_octets", "weight"};
	char text[TEXT_SIZE];

	table_cell(t, "%s", field_text(client, "client"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		table_cell(t, "%s",
			   field_shown(client, keys[i], text, sizeof(text)));
	/* 0 is for no bound. */
	table_cell(t, "%s",
		   field_number(client, "max_addresses")
			   ? field_shown(client, "max_addresses", text,
					 sizeof(text))
			   : "");
	table_cell(t, "%s", field_text(client, "accept"));
	table_cell(t, "%s", field_text(client, "grant"));
}

enum status
show_clients(const struct command_line *line, struct complaint *c)
{
	json_t *request = field_request("client show", "port",
					line->nargs ? line->args[0] : NULL);
	struct table t = TABLE(columns);
	json_t *clients = NULL;
	const json_t *client;
	enum status status;
	size_t i;

	if (line->json)
		return print_json(line, request, c);
	status = client_ask_once(line, request, &clients, c);
	if (!status)
		status = field_expect(clients, JSON_ARRAY, "client show", c);
	if (!status) {
		json_array_foreach(clients, i, client)
			add_row(&t, client);
		status = table_print(&t, "", stdout, c);
	}
	json_decref(clients);
	return status;
}

enum status
set_client(const struct command_line *line, struct complaint *c)
{
	json_t *changes = json_object(), *checked = NULL;
	enum status status = DONE;

	for (int i = 1; i < line->nargs && !status; i++)
		if (schema_set(SCHEMA_CLIENT_CHANGES, changes, line->args[i],
			       c))
			status = FAILED;
	/* The daemon does so as well: this is the sooner. */
	if (!status) {
		checked = schema_check(SCHEMA_CLIENT_CHANGES, changes, NULL,
				       NULL, c);
		status = checked ? DONE : FAILED;
	}
	json_decref(checked);
	if (status) {
		json_decref(changes);
		return status;
	}
	return order(line,
		     json_pack("{s:s, s:s, s:o}", "do", "client set", "client",
			       line->args[0], "changes", changes),
		     c);
}

enum status
delete_client(const struct command_line *line, struct complaint *c)
{
	return order(line, field_request("client del", "client", line->args[0]),
		     c);
}
