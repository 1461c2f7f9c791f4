/* SPDX-License-Identifier: BSD-2-Clause */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_file.h"
#include "options.h"
#include "schema.h"

enum {
	TAP = 256,
	UPLINK,
	STREAM,
	ATTACH,
	FILTER,
	SOCKET,
	CPU,
	READY_FD,
	LOG,
	CHECK,
};

static const struct argp_option list[] = {
	{"config", 'c', "FILE", 0, "Read the configuration from FILE", 0},
	{"tap", TAP, "NAME[,KEY=VALUE]...", 0,
	 "A port with the TAP interface NAME", 1},
	{"uplink", UPLINK, "IFACE|attach:PATH[,KEY=VALUE]...", 0,
	 "A port with an interface that is there, or that attaches to another "
	 "switch",
	 1},
	{"stream", STREAM, "PATH[,KEY=VALUE]...", 0,
	 "A port that listens at a Unix socket, in QEMU's framing", 1},
	{"attach", ATTACH, "NAME[,KEY=VALUE]...", 0,
	 "A port that programs attach to by a Unix socket", 1},
	{"filter", FILTER, "PORT,in|out,NAME,PRIO,pass|drop,EXPR", 0,
	 "A filter of a port, in the language of pcap-filter(7)", 1},
	{"socket", SOCKET, "PATH", 0, "Where vnetctl finds the switch", 2},
	{"cpu", CPU, "N", 0, "Forward on processor N alone", 2},
	{"ready-fd", READY_FD, "N", 0,
	 "Write a line to descriptor N when all is ready", 2},
	{"log", LOG, "LEVEL", 0, "error, warning, info (default) or debug", 2},
	{"check", CHECK, NULL, 0, "Check options and file, and exit", 2},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1},
	{0},
};

static const struct complaint not_utf8 = {"found text that is not UTF-8"};

/* Of a value of an option: the first is told, when all are read. */
static void
refuse(struct argp_state *state, const char *option, const char *value,
       const struct complaint *c)
{
	struct options *o = state->input;

	if (!*o->wrong.text)
		complain(&o->wrong, 0, "%s %s: %s", option, value, c->text);
}

static void
set(struct argp_state *state, const char *key, const char *value)
{
	struct options *o = state->input;
	struct complaint c = not_utf8;
	json_t *text = json_sprintf("%s=%s", key, value);
	char option[16];

	(void)snprintf(option, sizeof(option), "--%s", key);
	if (!text || schema_set(SCHEMA_CONFIG, o->settings,
				json_string_value(text), &c)) {
		refuse(state, option, value, &c);
	} else {
		json_t *checked = schema_check(SCHEMA_CONFIG, o->settings, NULL,
					       NULL, &c);

		if (!checked)
			refuse(state, option, value, &c);
		json_decref(checked);
	}
	json_decref(text);
}

/* Take what goes up to the next comma off a list; NULL at its end. */
static char *
next(char **text)
{
	return strsep(text, ",");
}

/* The first of @value is the value of @key. NULL with @c if it is no port. */
static json_t *
parse_port(const char *type, const char *key, char *value, struct complaint *c)
{
	const char *first = next(&value), *text;
	json_t *port = json_pack("{s:s, s:s?}", "type", type, key, first);
	json_t *checked = NULL;
	int r = 0;

	if (!port) {
		*c = not_utf8;
		return NULL;
	}
	while (!r && (text = next(&value)))
		r = schema_set(SCHEMA_PORT, port, text, c);
	if (!r)
		checked = schema_check(SCHEMA_PORT, port, NULL, NULL, c);
	json_decref(port);
	return checked;
}

static void
add_port(struct argp_state *state, const char *type, const char *key,
	 const char *arg)
{
	struct options *o = state->input;
	char *value = strdup(arg), option[16];
	struct complaint c = {"no memory"};
	json_t *port = value ? parse_port(type, key, value, &c) : NULL;

	free(value);
	(void)snprintf(option, sizeof(option), "--%s", type);
	if (port)
		json_array_append_new(o->ports,
				      json_pack("{s:s, s:o}", "option", option,
						"port", port));
	else
		refuse(state, option, arg, &c);
}

/* No interface has a colon in its name. */
static void
add_uplink(struct argp_state *state, const char *arg)
{
	static const char attach[] = "attach:";
	const size_t len = sizeof(attach) - 1;

	if (strncmp(arg, attach, len) == 0)
		add_port(state, "uplink", "path", arg + len);
	else
		add_port(state, "uplink", "interface", arg);
}

/* @text is NULL where there was no comma. */
static int
set_filter_key(json_t *filter, const char *key, const char *text,
	       struct complaint *c)
{
	json_t *setting;
	int r;

	if (!text)
		return complain(c, -EINVAL,
				"expected PORT,in|out,NAME,PRIO,pass|drop,"
				"EXPR");
	setting = json_sprintf("%s=%s", key, text);
	if (!setting) {
		*c = not_utf8;
		return -EINVAL;
	}
	r = schema_set(SCHEMA_FILTER, filter, json_string_value(setting), c);
	json_decref(setting);
	return r;
}

/* The expression, which comes last, may have commas. NULL with @c. */
static json_t *
parse_filter(char *value, const char **port, struct complaint *c)
{
	static const char *const keys[] = {"side", "name", "priority",
					   "verdict"};
	json_t *filter = json_object(), *checked = NULL;

	*port = next(&value);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (set_filter_key(filter, keys[i], next(&value), c))
			goto free_filter;
	if (!set_filter_key(filter, "expr", value, c))
		checked = schema_check(SCHEMA_FILTER, filter, NULL, NULL, c);
free_filter:
	json_decref(filter);
	return checked;
}

static void
add_filter(struct argp_state *state, const char *arg)
{
	struct options *o = state->input;
	struct complaint c = {"no memory"};
	char *value = strdup(arg);
	const char *port = NULL;
	json_t *filter = value ? parse_filter(value, &port, &c) : NULL;
	json_t *entry = filter ? json_pack("{s:s, s:s, s:O}", "option", arg,
					   "port", port, "filter", filter)
			       : NULL;

	if (filter && !entry)
		c = not_utf8;
	if (entry)
		json_array_append_new(o->filters, entry);
	else
		refuse(state, "--filter", arg, &c);
	json_decref(filter);
	free(value);
}

static int
parse_fd(struct argp_state *state, const char *arg)
{
	static const struct complaint closed = {
		"expected the number of an open descriptor"};
	char *end;
	long fd = strtol(arg, &end, 10);

	if (end == arg || *end || fd < 0 || fd > 1 << 20 ||
	    fcntl((int)fd, F_GETFD) < 0) {
		refuse(state, "--ready-fd", arg, &closed);
		return -1;
	}
	return (int)fd;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'c':
		o->config = arg;
		break;
	case TAP:
		add_port(state, "tap", "interface", arg);
		break;
	case UPLINK:
		add_uplink(state, arg);
		break;
	case STREAM:
		add_port(state, "stream", "path", arg);
		break;
	case ATTACH:
		add_port(state, "attach", "name", arg);
		break;
	case FILTER:
		add_filter(state, arg);
		break;
	case SOCKET:
		set(state, "socket", arg);
		break;
	case CPU:
		set(state, "cpu", arg);
		break;
	case LOG:
		set(state, "log", arg);
		break;
	case READY_FD:
		o->ready_fd = parse_fd(state, arg);
		break;
	case CHECK:
		o->check = true;
		break;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case ARGP_KEY_END:
		/* Of --check it is the answer. */
		if (*o->wrong.text && !o->check)
			argp_error(state, "%s", o->wrong.text);
		break;
	case ARGP_KEY_ARG:
		argp_error(state,
			   "%s: no such argument; ports are given by "
			   "options",
			   arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Hidden, as all else is, libc would not find it. */
__attribute__((visibility("default"))) const char *argp_program_version =
	"vnet-switch " VNET_SWITCH_VERSION;

void
options_parse(struct options *o, int argc, char **argv)
{
	static const struct argp argp = {
		.options = list,
		.parser = parse,
		.doc = "A learning Ethernet switch of TAP interfaces, network "
		       "cards and Unix sockets.\v"
		       "All keys are in vnet-switch.conf(5). For example:\n\n"
		       "  vnet-switch --tap a0,address=10.0.0.1/24 \\\n"
		       "              --tap b0,netns=web,address=10.0.0.2/24",
	};

	*o = (struct options){
		.settings = json_object(),
		.ports = json_array(),
		.filters = json_array(),
		.ready_fd = -1,
	};
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, o);
}

void
options_fini(struct options *o)
{
	json_decref(o->settings);
	json_decref(o->ports);
	json_decref(o->filters);
}

/*
 * With the file
 */

static const char *
string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* A list of the configuration, made if it is not there. */
static json_t *
list_of(json_t *config, const char *key)
{
	if (!json_object_get(config, key))
		json_object_set_new(config, key, json_array());
	return json_object_get(config, key);
}

static json_t *
find_named(const json_t *ports, const char *name)
{
	json_t *port;
	size_t i;

	json_array_foreach(ports, i, port)
		if (!strcmp(string(port, "name"), name))
			return port;
	return NULL;
}

/* The option that a port came from, NULL for the file. */
static const char *
find_option(const struct options *o, const char *name, size_t before)
{
	for (size_t i = 0; i < before; i++) {
		const json_t *entry = json_array_get(o->ports, i);

		if (!strcmp(string(json_object_get(entry, "port"), "name"),
			    name))
			return string(entry, "option");
	}
	return NULL;
}

static int
join_ports(const struct options *o, json_t *config, struct complaint *c)
{
	json_t *ports = list_of(config, "ports"), *entry;
	size_t i;

	json_array_foreach(o->ports, i, entry) {
		json_t *port = json_object_get(entry, "port");
		const char *name = string(port, "name");
		const char *option = string(entry, "option");
		const char *other = find_option(o, name, i);

		if (other && !strcmp(other, option))
			return complain(c, -EEXIST,
					"port %s: given twice, by %s", name,
					option);
		if (find_named(ports, name))
			return complain(c, -EEXIST,
					"port %s: given by %s, and by %s", name,
					other ? other : o->config, option);
		json_array_append_new(ports, json_deep_copy(port));
	}
	return 0;
}

static int
join_filters(const struct options *o, json_t *config, struct complaint *c)
{
	const json_t *ports = json_object_get(config, "ports");
	json_t *entry;
	size_t i;

	json_array_foreach(o->filters, i, entry) {
		json_t *port = find_named(ports, string(entry, "port"));
		json_t *filter = json_object_get(entry, "filter");

		if (!port)
			return complain(c, -ENOENT,
					"--filter %s: there is no port %s",
					string(entry, "option"),
					string(entry, "port"));
		json_array_append_new(list_of(port, "filters"),
				      json_deep_copy(filter));
	}
	return 0;
}

json_t *
options_join(const struct options *o, struct complaint *c)
{
	json_t *config, *checked = NULL;

	if (*o->wrong.text) {
		*c = o->wrong;
		return NULL;
	}
	config = o->config ? conf_file_read(o->config, c) : json_object();
	if (!config)
		return NULL;
	json_object_update(config, o->settings);
	if (!join_ports(o, config, c) && !join_filters(o, config, c))
		checked = schema_check(SCHEMA_CONFIG, config, NULL, NULL, c);
	json_decref(config);
	return checked;
}
