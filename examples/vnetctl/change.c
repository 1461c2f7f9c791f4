/* SPDX-License-Identifier: BSD-2-Clause */
/* What changes the switch. Silent when all is well. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"
#include "field.h"
#include "order.h"
#include "schema.h"
#include "words.h"

static enum status
set_keys(enum schema_kind kind, json_t *object, const struct command_line *line,
	 int first, struct complaint *c)
{
	for (int i = first; i < line->nargs; i++)
		if (schema_set(kind, object, line->args[i], c))
			return FAILED;
	return DONE;
}

/* The daemon is somewhere else in the file system. */
static enum status
make_absolute(json_t *port, const char *key, struct complaint *c)
{
	const char *path = json_string_value(json_object_get(port, key));
	char *here;
	int r;

	if (!path || *path == '/')
		return DONE;
	here = getcwd(NULL, 0);
	if (!here)
		return complain(c, FAILED, "%s: where it is from here: %s",
				path, strerror(errno));
	r = json_object_set_new(port, key, json_sprintf("%s/%s", here, path));
	free(here);
	if (r)
		return complain(c, FAILED, "%s: no text in UTF-8", path);
	return DONE;
}

/* Type and name have places of their own. */
static enum status
check_keys(const struct command_line *line, struct complaint *c)
{
	for (int i = 2; i < line->nargs; i++) {
		if (strncmp(line->args[i], "name=", 5) == 0)
			return complain(c, MISUSED,
					"found \"%s\", but the port is to be "
					"called %s; an interface of another "
					"name is interface=",
					line->args[i], line->args[1]);
		if (strncmp(line->args[i], "type=", 5) == 0)
			return complain(c, MISUSED,
					"found \"%s\", but the port's type is "
					"%s",
					line->args[i], line->args[0]);
	}
	return DONE;
}

enum status
add_port(const struct command_line *line, struct complaint *c)
{
	json_t *port = json_pack("{s:s, s:s}", "type", line->args[0], "name",
				 line->args[1]);
	json_t *checked = NULL;
	enum status status;

	if (!port)
		return complain(c, FAILED, "%s %s: no text in UTF-8",
				line->args[0], line->args[1]);
	status = check_keys(line, c);
	if (!status)
		status = set_keys(SCHEMA_PORT, port, line, 2, c);
	if (!status)
		status = make_absolute(port, "path", c);
	/* The daemon does so as well: this is the sooner. */
	if (!status) {
		checked = schema_check(SCHEMA_PORT, port, NULL, NULL, c);
		status = checked ? DONE : FAILED;
	}
	json_decref(checked);
	if (status) {
		json_decref(port);
		return status;
	}
	return order(line,
		     json_pack("{s:s, s:o}", "do", "port add", "port", port),
		     c);
}

enum status
set_port(const struct command_line *line, struct complaint *c)
{
	json_t *changes = json_object();
	enum status status = set_keys(SCHEMA_PORT_CHANGES, changes, line, 1, c);

	if (!status)
		status = make_absolute(changes, "path", c);
	if (status) {
		json_decref(changes);
		return status;
	}
	return order(line,
		     json_pack("{s:s, s:s, s:o}", "do", "port set", "port",
			       line->args[0], "set", changes),
		     c);
}

enum status
delete_port(const struct command_line *line, struct complaint *c)
{
	return order(line, field_request("port del", "port", line->args[0]), c);
}

enum status
add_address(const struct command_line *line, struct complaint *c)
{
	return order(line,
		     json_pack("{s:s, s:s, s:s}", "do", "fdb add", "mac",
			       line->args[0], "port", line->args[1]),
		     c);
}

enum status
delete_address(const struct command_line *line, struct complaint *c)
{
	return order(line, field_request("fdb del", "mac", line->args[0]), c);
}

enum status
flush_addresses(const struct command_line *line, struct complaint *c)
{
	return order(line,
		     field_request("fdb flush", "port",
				   line->nargs ? line->args[0] : NULL),
		     c);
}

/* A port and its only client may have the same name; one with a slash is a
 * client's. */
static enum status
check_side(const char *owner, const char *side, struct complaint *c)
{
	if (strcmp(side, "receive_in") == 0 || strcmp(side, "receive_out") == 0)
		return DONE;
	if (strchr(owner, '/'))
		return complain(c, MISUSED,
				"found \"%s\", expected receive_in or "
				"receive_out: %s is a client",
				side, owner);
	if (strcmp(side, "in") == 0 || strcmp(side, "out") == 0)
		return DONE;
	return complain(c, MISUSED,
			"found \"%s\", expected in (into the switch) or out, "
			"or for a client receive_in or receive_out",
			side);
}

static enum status
parse_priority(const char *text, uint32_t *priority, struct complaint *c)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || n > UINT32_MAX)
		return complain(c, MISUSED,
				"PRIO: found \"%s\", expected 0 to %lu", text,
				(unsigned long)UINT32_MAX);
	*priority = (uint32_t)n;
	return DONE;
}

enum status
add_filter(const struct command_line *line, struct complaint *c)
{
	char **args = line->args;
	uint32_t priority = 0;
	char *expr;
	json_t *request;
	enum status status = check_side(args[0], args[1], c);

	if (!status)
		status = parse_priority(args[3], &priority, c);
	if (!status && strcmp(args[4], "pass") != 0 &&
	    strcmp(args[4], "drop") != 0)
		status = complain(c, MISUSED,
				  "found \"%s\", expected pass or drop",
				  args[4]);
	if (status)
		return status;
	expr = words_join(args + 5, line->nargs - 5);
	if (!expr)
		return complain(c, FAILED, "no memory for an expression");
	request = json_pack("{s:s, s:s, s:{s:s, s:s, s:I, s:s, s:s}}", "do",
			    "filter add", "port", args[0], "filter", "name",
			    args[2], "side", args[1], "priority",
			    (json_int_t)priority, "verdict", args[4], "expr",
			    expr);
	free(expr);
	return order(line, request, c);
}

enum status
delete_filter(const struct command_line *line, struct complaint *c)
{
	enum status status = check_side(line->args[0], line->args[1], c);

	if (status)
		return status;
	return order(line,
		     json_pack("{s:s, s:s, s:s, s:s}", "do", "filter del",
			       "port", line->args[0], "side", line->args[1],
			       "name", line->args[2]),
		     c);
}

enum status
reload_config(const struct command_line *line, struct complaint *c)
{
	return order(line, field_request("config reload", NULL, NULL), c);
}
