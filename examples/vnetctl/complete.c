/* SPDX-License-Identifier: BSD-2-Clause */
/* What completion asks for, and --help does not mention: lines that a shell
 * takes apart without knowing JSON. */
#include <stdio.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "field.h"
#include "keys.h"

/* The text without what could be taken for something else, or NULL. */
static const char *
name_of(const json_t *object, const char *key)
{
	const char *text = field_text(object, key);

	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return NULL;
	return *text ? text : NULL;
}

enum status
list_port_names(const struct command_line *line, struct complaint *c)
{
	json_t *ports = NULL;
	const json_t *port;
	size_t i;
	enum status status = client_ask_once(
		line, field_request("port show", NULL, NULL), &ports, c);

	json_array_foreach(ports, i, port) {
		const char *name = name_of(port, "name");

		if (name)
			puts(name);
	}
	json_decref(ports);
	return status;
}

enum status
list_client_names(const struct command_line *line, struct complaint *c)
{
	json_t *clients = NULL;
	const json_t *client;
	size_t i;
	enum status status = client_ask_once(
		line, field_request("client show", NULL, NULL), &clients, c);

	json_array_foreach(clients, i, client) {
		const char *name = name_of(client, "client");

		if (name)
			puts(name);
	}
	json_decref(clients);
	return status;
}

enum status
list_grant_names(const struct command_line *line, struct complaint *c)
{
	json_t *grants = NULL;
	const json_t *grant;
	size_t i;
	enum status status = client_ask_once(
		line, field_request("grant show", NULL, NULL), &grants, c);

	json_array_foreach(grants, i, grant) {
		const char *name = name_of(grant, "name");

		if (name)
			puts(name);
	}
	json_decref(grants);
	return status;
}

/* SIDE NAME */
enum status
list_filter_names(const struct command_line *line, struct complaint *c)
{
	json_t *rules = NULL;
	const json_t *rule;
	size_t i;
	enum status status = client_ask_once(
		line, field_request("filter show", "port", line->args[0]),
		&rules, c);

	json_array_foreach(rules, i, rule) {
		const char *side = name_of(rule, "side");
		const char *name = name_of(rule, "name");

		if (side && name)
			printf("%s %s\n", side, name);
	}
	json_decref(rules);
	return status;
}

/* "KEY=", or "KEY=VALUE" for each where there are only some. */
static void
list_key(const struct key *key)
{
	const struct key *value = key->type == SCALARS ? key->of : key;

	if (key->type == BOOL)
		printf("%s=true\n%s=false\n", key->name, key->name);
	else if (value->type == CHOICE)
		for (size_t i = 0; value->choices[i]; i++)
			printf("%s=%s\n", key->name, value->choices[i]);
	else if (key->type != GROUP && key->type != GROUPS)
		printf("%s=\n", key->name);
}

/* Those of a group in it as "GROUP.KEY=". */
static void
list_group(const struct key *group)
{
	for (const struct key *key = group->of; key->name; key++)
		printf("%s.%s=\n", group->name, key->name);
}

/* Of ports of a type, or of those that may change. */
enum status
list_port_keys(const struct command_line *line, struct complaint *c)
{
	unsigned int ports = UNKNOWN;

	if (line->nargs) {
		size_t i = key_choice(port_types, line->args[0]);

		if (!port_types[i])
			return complain(c, FAILED, "there is no type %s",
					line->args[0]);
		ports = 1U << i;
	}
	for (const struct key *key = port_keys; key->name; key++)
		if (key->ports & ports && strcmp(key->name, "type") != 0 &&
		    strcmp(key->name, "name") != 0)
			list_key(key);
	return DONE;
}

enum status
list_client_keys(const struct command_line *line, struct complaint *c)
{
	(void)line;
	(void)c;
	for (const struct key *key = client_keys; key->name; key++)
		list_key(key);
	return DONE;
}

/* Side and traffic have places of their own. */
enum status
list_limit_keys(const struct command_line *line, struct complaint *c)
{
	(void)line;
	(void)c;
	for (const struct key *key = limit_keys; key->name; key++)
		if (key->type == NUMBER)
			list_key(key);
	return DONE;
}

enum status
list_grant_keys(const struct command_line *line, struct complaint *c)
{
	(void)line;
	(void)c;
	for (const struct key *key = grant_keys; key->name; key++)
		if (key->type == GROUP)
			list_group(key);
		else
			list_key(key);
	return DONE;
}

enum status
list_port_types(const struct command_line *line, struct complaint *c)
{
	(void)line;
	(void)c;
	for (size_t i = 0; port_types[i]; i++)
		puts(port_types[i]);
	return DONE;
}
