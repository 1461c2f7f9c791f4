/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "control_request.h"

struct command {
	const char *name;
	vnet_control_command *run;
};

static const struct command commands[] = {
	{"show", vnet_control_show},
	{"port show", vnet_control_port_show},
	{"port add", vnet_control_port_add},
	{"port del", vnet_control_port_del},
	{"port set", vnet_control_port_set},
	{"uplink give", vnet_control_uplink_give},
	{"client show", vnet_control_client_show},
	{"client set", vnet_control_client_set},
	{"client del", vnet_control_client_del},
	{"fdb show", vnet_control_fdb_show},
	{"fdb add", vnet_control_fdb_add},
	{"fdb del", vnet_control_fdb_del},
	{"fdb flush", vnet_control_fdb_flush},
	{"filter show", vnet_control_filter_show},
	{"filter add", vnet_control_filter_add},
	{"filter set", vnet_control_filter_set},
	{"filter del", vnet_control_filter_del},
	{"grant show", vnet_control_grant_show},
	{"grant add", vnet_control_grant_add},
	{"grant revoke", vnet_control_grant_revoke},
	{"limit show", vnet_control_limit_show},
	{"limit set", vnet_control_limit_set},
	{"limit del", vnet_control_limit_del},
	{"stats", vnet_control_stats},
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static int
refuse_command(struct vnet_json name, struct vnet_complaint *c)
{
	const char *names[NCOMMANDS + 1];
	char list[512];
	size_t len = 0;

	for (size_t i = 0; i < NCOMMANDS; i++)
		names[i] = commands[i].name;
	names[NCOMMANDS] = NULL;
	for (size_t i = 0; names[i]; i++) {
		for (const char *p = i ? ", " : "";
		     *p && len < sizeof(list) - 1; p++)
			list[len++] = *p;
		for (const char *p = names[i]; *p && len < sizeof(list) - 1;
		     p++)
			list[len++] = *p;
	}
	list[len] = '\0';
	return vnet_complain(c, -EINVAL, "\"do\": found ",
			     vnet_text_of(name).text, ", expected one of ",
			     list, NULL);
}

static const struct command *
find_command(struct vnet_json request, struct vnet_complaint *c)
{
	struct vnet_json name = vnet_json_get(request, "do");

	if (vnet_json_type(request) != VNET_JSON_OBJECT) {
		vnet_complain(c, -EINVAL,
			      "found no object, expected {\"do\": ...}", NULL);
		return NULL;
	}
	if (vnet_json_type(name) != VNET_JSON_STRING) {
		vnet_complain(c, -EINVAL, "\"do\": found ",
			      vnet_json_type_name(name), ", expected a string",
			      NULL);
		return NULL;
	}
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (vnet_json_is(name, commands[i].name))
			return &commands[i];
	refuse_command(name, c);
	return NULL;
}

static int
refuse_text(const struct vnet_why *why, struct vnet_complaint *c)
{
	vnet_complain(c, -EINVAL, "octet ",
		      vnet_text_of_number(why->index).text, ": ", why->text,
		      ", expected a JSON object on one line", NULL);
	return -EINVAL;
}

static int
refuse_id(struct vnet_json *id, struct vnet_complaint *c)
{
	const struct vnet_text found =
		vnet_text_of_number((uint64_t)(id->end - id->at));

	*id = (struct vnet_json){NULL, NULL};
	return vnet_complain(c, -EINVAL, "id: found ", found.text,
			     " octets, expected at most ",
			     vnet_text_of_number(VNET_CONTROL_ID_MAX).text,
			     NULL);
}

int
vnet_control_request(const struct vnet_control_host *host, const char *text,
		     size_t len, struct vnet_control_right *right,
		     struct vnet_json *id, struct vnet_control_walk *walk,
		     struct vnet_complaint *c)
{
	const struct command *command;
	struct vnet_control_call call = {
		.host = host,
		.right = right,
		.walk = walk,
		.c = c,
	};
	struct vnet_why why = {0};

	*id = (struct vnet_json){NULL, NULL};
	*walk = (struct vnet_control_walk){.next = NULL};
	if (vnet_json_check(&call.request, text, len, &why))
		return refuse_text(&why, c);
	*id = vnet_json_get(call.request, "id");
	if (id->at && id->end - id->at > VNET_CONTROL_ID_MAX)
		return refuse_id(id, c);
	command = find_command(call.request, c);
	if (!command)
		return -EINVAL;
	call.name.key = command->name;
	return command->run(&call);
}
