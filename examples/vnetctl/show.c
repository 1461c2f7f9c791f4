/* SPDX-License-Identifier: BSD-2-Clause */
/* What is there: the switch, its ports, addresses, rules, configuration. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "conf_file.h"
#include "field.h"
#include "print_json.h"
#include "table.h"
#include "units.h"

/* Of a list on one line. */
#define LIST_SIZE 256

static const struct column port_columns[] = {
	{"PORT", false},   {"TYPE", false},  {"ROLE", false},
	{"LINK", false},   {"MTU", true},    {"MAC", false},
	{"MEDIUM", false}, {"NETNS", false}, {"ERROR", false},
};

static void
add_port_row(struct table *t, const json_t *port)
{
	const json_t *medium = json_object_get(port, "medium");
	const char *interface = field_text(medium, "interface");
	char text[LIST_SIZE];

	if (!*interface)
		interface = field_text(port, "interface");
	if (!*interface)
		interface = field_text(port, "path");
	table_cell(t, "%s", field_text(port, "name"));
	table_cell(t, "%s", field_text(port, "type"));
	table_cell(t, "%s", field_text(port, "role"));
	table_cell(t, "%s", field_text(port, "link"));
	table_cell(t, "%s",
		   field_shown(json_object_get(medium, "mtu") ? medium : port,
			       "mtu", text, sizeof(text)));
	table_cell(t, "%s", field_text(medium, "mac"));
	table_cell(t, "%s", interface);
	table_cell(t, "%s", field_shown(port, "netns", text, sizeof(text)));
	table_cell(t, "%s", field_text(port, "error"));
}

static enum status
print_ports(const json_t *ports, const char *indent, struct complaint *c)
{
	struct table t = TABLE(port_columns);
	enum status status = field_expect(ports, JSON_ARRAY, "port show", c);
	const json_t *port;
	size_t i;

	if (status)
		return status;
	json_array_foreach(ports, i, port)
		add_port_row(&t, port);
	return table_print(&t, indent, stdout, c);
}

/* "KEY  VALUE" lines of all that can be shown on one. */
static void
add_keys(struct table *t, const json_t *object)
{
	char text[LIST_SIZE];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		if (json_is_object(value))
			continue;
		field_shown(object, key, text, sizeof(text));
		if (!*text)
			continue;
		table_cell(t, "%s", key);
		table_cell(t, "%s", text);
	}
}

static const struct column key_columns[] = {{"", false}, {"", false}};

/* All about one port. */
static enum status
print_port(const json_t *port, struct complaint *c)
{
	struct table config = TABLE(key_columns);
	struct table medium = TABLE(key_columns);
	struct table granted = TABLE(key_columns);
	char name[LIST_SIZE];
	enum status status;

	snprintf(name, sizeof(name), "%s", field_text(port, "name"));
	table_clean(name);
	add_keys(&config, port);
	add_keys(&medium, json_object_get(port, "medium"));
	printf("%s\n", name);
	status = table_print_plain(&config, "    ", stdout, c);
	if (!status && medium.ncells)
		printf("    medium\n");
	if (status)
		table_free(&medium);
	else
		status = table_print_plain(&medium, "        ", stdout, c);
	add_keys(&granted, json_object_get(port, "granted"));
	if (!status && granted.ncells)
		printf("    granted\n");
	if (status)
		table_free(&granted);
	else
		status = table_print_plain(&granted, "        ", stdout, c);
	return status;
}

enum status
show_ports(const struct command_line *line, struct complaint *c)
{
	const char *name = line->nargs ? line->args[0] : NULL;
	json_t *request = field_request("port show", "port", name);
	json_t *ports = NULL;
	enum status status;

	if (line->json)
		return print_json(line, request, c);
	status = client_ask_once(line, request, &ports, c);
	if (status)
		return status;
	if (name && json_array_size(ports) == 1)
		status = print_port(json_array_get(ports, 0), c);
	else
		status = print_ports(ports, "", c);
	json_decref(ports);
	return status;
}

/* What is said in words, or not in the same place. */
static const char *const daemon_keys[] = {
	"version", "pid",     "uptime_ns",   "socket",    "config",
	"ports",   "clients", "fdb_entries", "pool_used", "pool_octets",
};

static bool
is_daemon_key(const char *key)
{
	for (size_t i = 0; i < sizeof(daemon_keys) / sizeof(daemon_keys[0]);
	     i++)
		if (strcmp(key, daemon_keys[i]) == 0)
			return true;
	return false;
}

static void
print_key(const char *key, const char *value)
{
	char name[LIST_SIZE];
	char text[LIST_SIZE];

	snprintf(name, sizeof(name), "%s", key);
	snprintf(text, sizeof(text), "%s", value);
	table_clean(name);
	table_clean(text);
	if (*text)
		printf("    %s: %s\n", name, text);
}

static void
print_daemon(const json_t *daemon)
{
	char version[LIST_SIZE];
	char time[UNITS_SIZE];
	char ports[UNITS_SIZE];
	char clients[UNITS_SIZE];
	char addresses[UNITS_SIZE];
	char used[UNITS_SIZE];
	char size[UNITS_SIZE];
	char text[LIST_SIZE];
	const char *key;
	json_t *value;

	snprintf(version, sizeof(version), "%s", field_text(daemon, "version"));
	table_clean(version);
	printf("vnet-switch %s, pid %" PRIu64 ", up %s\n", version,
	       field_number(daemon, "pid"),
	       units_duration(time, field_number(daemon, "uptime_ns")));
	print_key("socket", field_text(daemon, "socket"));
	print_key("config", json_is_string(json_object_get(daemon, "config"))
				    ? field_text(daemon, "config")
				    : "none");
	printf("    now: %s, %s, %s, %s of %s queued\n",
	       units_count(ports, field_number(daemon, "ports"), "port", "s"),
	       units_count(clients, field_number(daemon, "clients"), "client",
			   "s"),
	       units_count(addresses, field_number(daemon, "fdb_entries"),
			   "address", "es"),
	       units_octets(used, field_number(daemon, "pool_used")),
	       units_octets(size, field_number(daemon, "pool_octets")));
	json_object_foreach((json_t *)daemon, key, value)
		if (!is_daemon_key(key))
			print_key(key,
				  field_shown(daemon, key, text, sizeof(text)));
}

enum status
show_daemon(const struct command_line *line, struct complaint *c)
{
	json_t *daemon = NULL;
	json_t *ports = NULL;
	struct client client;
	enum status status;

	if (line->json)
		return print_json(line, field_request("show", NULL, NULL), c);
	status = client_open(&client, line, c);
	if (!status)
		status = client_ask_whole(
			&client, field_request("show", NULL, NULL), &daemon, c);
	if (!status)
		status = field_expect(daemon, JSON_OBJECT, "show", c);
	if (!status)
		status =
			client_ask_whole(&client,
					 field_request("port show", NULL, NULL),
					 &ports, c);
	if (!status)
		print_daemon(daemon);
	if (!status && (!json_is_array(ports) || json_array_size(ports)))
		status = print_ports(ports, "    ", c);
	json_decref(ports);
	json_decref(daemon);
	client_close(&client);
	return status;
}

/* An address is as wide as the next: a million are not held to be aligned. */
static void
print_addresses(const json_t *piece)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(piece, i, entry) {
		char mac[20];
		char port[40];
		char age[UNITS_SIZE] = "static";

		snprintf(mac, sizeof(mac), "%s", field_text(entry, "mac"));
		snprintf(port, sizeof(port), "%s", field_text(entry, "port"));
		table_clean(mac);
		table_clean(port);
		if (!json_is_true(json_object_get(entry, "static")))
			snprintf(age, sizeof(age), "%" PRIu64 " s",
				 field_number(entry, "age_s"));
		printf("%-17s  %8s  %s\n", mac, age, port);
	}
}

static enum status
print_fdb(struct client *client, json_t *request, struct complaint *c)
{
	json_t *piece = NULL;
	bool more = false;
	bool is_first = true;
	enum status status = client_ask(client, request, &piece, &more, c);

	while (!status) {
		status = field_expect(piece, JSON_ARRAY, "fdb show", c);
		if (!status && is_first)
			printf("%-17s  %8s  %s\n", "ADDRESS", "AGE", "PORT");
		is_first = false;
		if (!status)
			print_addresses(piece);
		json_decref(piece);
		piece = NULL;
		if (status || !more)
			break;
		status = client_next(client, &piece, &more, c);
	}
	return status;
}

enum status
show_fdb(const struct command_line *line, struct complaint *c)
{
	json_t *request = field_request("fdb show", "port",
					line->nargs ? line->args[0] : NULL);
	struct client client;
	enum status status;

	if (line->json)
		return print_json(line, request, c);
	status = client_open(&client, line, c);
	if (status)
		json_decref(request);
	else
		status = print_fdb(&client, request, c);
	client_close(&client);
	return status;
}

static const struct column filter_columns[] = {
	{"OWNER", false},   {"SIDE", false}, {"PRIO", true},  {"NAME", false},
	{"VERDICT", false}, {"HITS", true},  {"EXPR", false},
};

/* Programs that attach bring instructions in the place of an expression. */
static void
add_expr_cell(struct table *t, const json_t *rule)
{
	const char *expr = field_text(rule, "expr");
	const uint64_t n = field_number(rule, "insns");
	char text[UNITS_SIZE];

	if (json_is_true(json_object_get(rule, "default")))
		table_cell(t, "(the rest)");
	else if (n)
		table_cell(t, "(%s)", units_count(text, n, "instruction", "s"));
	else
		table_cell(t, "%s", *expr ? expr : "(all)");
}

static void
add_filter_row(struct table *t, const json_t *rule)
{
	bool is_default = json_is_true(json_object_get(rule, "default"));
	char text[LIST_SIZE];

	table_cell(t, "%s", field_text(rule, "port"));
	table_cell(t, "%s", field_text(rule, "side"));
	table_cell(t, "%s",
		   is_default
			   ? "-"
			   : field_shown(rule, "priority", text, sizeof(text)));
	table_cell(t, "%s", is_default ? "-" : field_text(rule, "name"));
	table_cell(t, "%s", field_text(rule, "verdict"));
	table_cell(t, "%s", field_shown(rule, "hits", text, sizeof(text)));
	add_expr_cell(t, rule);
}

enum status
show_filters(const struct command_line *line, struct complaint *c)
{
	json_t *request = field_request("filter show", "port",
					line->nargs ? line->args[0] : NULL);
	struct table t = TABLE(filter_columns);
	json_t *rules = NULL;
	const json_t *rule;
	enum status status;
	size_t i;

	if (line->json)
		return print_json(line, request, c);
	status = client_ask_once(line, request, &rules, c);
	if (!status)
		status = field_expect(rules, JSON_ARRAY, "filter show", c);
	if (!status) {
		json_array_foreach(rules, i, rule)
			add_filter_row(&t, rule);
		status = table_print(&t, "", stdout, c);
	}
	json_decref(rules);
	return status;
}

enum status
show_config(const struct command_line *line, struct complaint *c)
{
	json_t *request = field_request("config show", NULL, NULL);
	json_t *config = NULL;
	char *text = NULL;
	enum status status;

	if (line->json)
		return print_json(line, request, c);
	status = client_ask_once(line, request, &config, c);
	if (!status)
		status = field_expect(config, JSON_OBJECT, "config show", c);
	if (!status) {
		text = conf_file_text(config);
		if (text)
			fputs(text, stdout);
		else
			status = complain(c, FAILED,
					  "the configuration cannot be "
					  "written as a file");
	}
	free(text);
	json_decref(config);
	return status;
}
