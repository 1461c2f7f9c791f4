/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/fdb.h>

#include "plant_client.h"
#include "plant_filter.h"
#include "plant_grant.h"
#include "plant_limit.h"
#include "plant_port.h"
#include "program.h"
#include "schema.h"

/* Octets of what somebody has sent that a complaint quotes. */
#define QUOTED 60

static uint32_t
number(const json_t *settings, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(settings, key));
}

static enum vnet_accept
accept_of(const json_t *settings)
{
	const char *accept =
		json_string_value(json_object_get(settings, "accept"));

	return accept && !strcmp(accept, "own") ? VNET_ACCEPT_OWN
						: VNET_ACCEPT_ALL;
}

json_t *
plant_client_settings(const json_t *port, const json_t *row)
{
	static const char *const shared[] = {"queue_octets", "weight",
					     "max_addresses", "grant"};
	static const char *const own[] = {"accept", "limits"};
	json_t *settings = json_object(), *value;

	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
		value = json_object_get(row, shared[i]);
		if (!value)
			value = json_object_get(port, shared[i]);
		if (value)
			json_object_set(settings, shared[i], value);
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		value = json_object_get(row, own[i]);
		if (value)
			json_object_set(settings, own[i], value);
	}
	return settings;
}

/* The grant that it had; one that is new goes anyway. */
static void
give_back(const struct plant_client *client)
{
	const struct plant *plant = client->port->plant;
	const char *grant =
		json_string_value(json_object_get(client->settings, "grant"));
	uint32_t ignored;

	if (grant)
		(void)grants_give(plant->grants, client, grant, &ignored, NULL);
	else if (client->settings)
		(void)vnet_client_set_grant(plant->sw, client->id, VNET_NO_ID,
					    NULL);
}

int
plant_client_apply(struct plant_client *client, json_t *settings,
		   struct vnet_why *why)
{
	const struct plant *plant = client->port->plant;
	const char *grant =
		json_string_value(json_object_get(settings, "grant"));
	struct vnet_switch *sw = plant->sw;
	uint32_t queue = number(settings, "queue_octets"), bound;
	int r = grants_give(plant->grants, client, grant, &bound, why);

	if (r)
		return r;
	if (bound && (!queue || queue > bound))
		queue = bound;
	r = vnet_client_set_queue(sw, client->id, queue);
	if (!r)
		r = vnet_client_set_weight(sw, client->id,
					   number(settings, "weight"));
	if (!r)
		r = vnet_client_set_max_addresses(
			sw, client->id, number(settings, "max_addresses"));
	if (!r)
		r = vnet_client_set_accept(sw, client->id, accept_of(settings));
	if (!r)
		r = plant_limits_set(sw, client->id,
				     json_object_get(client->settings,
						     "limits"),
				     json_object_get(settings, "limits"), why);
	if (r) {
		give_back(client);
		return r;
	}
	json_incref(settings);
	json_decref(client->settings);
	client->settings = settings;
	return 0;
}

/*
 * Coming and going
 */

void
plant_client_observe(struct plant_client *client, bool on)
{
	const struct vnet_observer observer = {
		.size = sizeof(observer),
		.frames = plant_port_observe,
		.ctx = client->port,
	};

	vnet_client_observe(client->port->plant->sw, client->id,
			    on ? &observer : NULL);
}

/* The addresses of a port are its first client's, and go with it. */
static void
pin(const struct plant_client *client)
{
	const struct plant_port *p = client->port;

	for (const struct plant_pin *at = p->pins; at; at = at->next)
		vnet_fdb_add(p->plant->sw, at->mac, client->id);
}

static void
set_name(struct plant_client *client)
{
	struct vnet_client_info info = {.size = sizeof(info)};

	vnet_client_get(client->port->plant->sw, client->id, &info);
	client->index = info.index;
	(void)snprintf(client->name, sizeof(client->name), "%s/%" PRIu32,
		       client->port->name, info.index);
}

static struct plant_client **
end_of(struct plant_port *port)
{
	struct plant_client **at = &port->clients;

	while (*at)
		at = &(*at)->next;
	return at;
}

int
plant_client_add(struct plant_port *port, struct vnet_medium *m,
		 json_t *settings, struct plant_client **client,
		 struct vnet_why *why)
{
	struct plant *plant = port->plant;
	struct plant_client *new = calloc(1, sizeof(*new));
	int r;

	if (!new)
		return -ENOMEM;
	r = vnet_medium_attach(m, plant->sw, port->id,
			       number(settings, "queue_octets"),
			       number(settings, "weight"), why);
	if (r)
		goto free_new;
	new->port = port;
	new->m = m;
	new->id = vnet_medium_client(m);
	r = plant_client_apply(new, settings, why);
	if (!r)
		r = forward_watch(plant->forward, m);
	if (r)
		goto detach;
	set_name(new);
	if (port->captures)
		plant_client_observe(new, true);
	if (!port->clients)
		pin(new);
	*end_of(port) = new;
	*client = new;
	return 0;

detach:
	vnet_medium_detach(m);
	json_decref(new->settings);
free_new:
	free(new);
	return r;
}

void
plant_client_lost(const struct plant_client *client,
		  struct vnet_medium_stats *sum)
{
	struct vnet_medium_stats s = {.size = sizeof(s)};

	vnet_medium_get_stats(client->m, &s);
	sum->in_dropped += s.in_dropped;
	sum->out_dropped += s.out_dropped;
	sum->in_errors += s.in_errors;
}

void
plant_client_remove(struct plant_client *client)
{
	struct plant_port *port = client->port;
	struct plant *plant = port->plant;
	struct plant_client **at = &port->clients;
	const bool is_first = port->clients == client;
	struct figures f;

	figures_of_client(&f, plant->sw, client->id);
	figures_end(&f);
	figures_add(&port->past, &f);
	/* The kernel is not asked for that of a session. */
	if (client->session)
		plant_client_lost(client, &port->lost);
	plant->session_rules -= client->nrules[0] + client->nrules[1];
	plant->session_insns -= client->ninsns[0] + client->ninsns[1];
	forward_unwatch(plant->forward, client->m);
	vnet_medium_detach(client->m);
	client->m = NULL;
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	if (is_first && port->clients)
		pin(port->clients);
	/* A loop that the only session was part of has closed the port, and has
	 * gone with it: who comes next finds it open. */
	if (client->session && !port->clients)
		vnet_port_set_link(plant->sw, port->id, true);
	client->next = plant->gone;
	plant->gone = client;
}

void
plant_clients_free(struct plant_client *gone)
{
	struct plant_client *next;

	for (; gone; gone = next) {
		next = gone->next;
		json_decref(gone->settings);
		json_decref(gone->filters);
		free(gone);
	}
}

/*
 * Names
 */

static struct plant_client *
only_client(const struct plant_port *p, struct complaint *c)
{
	if (p->clients && !p->clients->next)
		return p->clients;
	if (p->clients)
		complain(c, -ENOENT,
			 "port %s has several clients: which one? %s is one",
			 p->name, p->clients->name);
	else
		complain(c, -ENOENT, "port %s has no client", p->name);
	return NULL;
}

struct plant_client *
plant_client_find(const struct plant *plant, const char *name,
		  struct complaint *c)
{
	const struct plant_port *p;

	if (!strchr(name, '/')) {
		p = plant_find(plant, name, c);
		return p ? only_client(p, c) : NULL;
	}
	for (p = plant->ports; p; p = p->next)
		for (struct plant_client *client = p->clients; client;
		     client = client->next)
			if (!strcmp(client->name, name))
				return client;
	complain(c, -ENOENT, "there is no client %.*s", QUOTED, name);
	return NULL;
}

const struct plant_client *
plant_client_by_id(const struct plant_port *port, vnet_client_id id)
{
	const struct plant_client *client = port->clients;

	while (client && client->id != id)
		client = client->next;
	if (client)
		return client;
	client = port->plant->gone;
	while (client && client->id != id)
		client = client->next;
	return client;
}

/*
 * Filters
 */

static int
refuse(struct vnet_why *why, const char *text, uint64_t found, uint64_t bound)
{
	*why = (struct vnet_why){
		.text = text,
		.found = found,
		.bound = bound,
	};
	return -ENOSPC;
}

/* Is it a name that may be shown? One of a session is bytes from outside. */
static bool
is_printable(const char *name)
{
	while (*name > ' ' && *name <= '~')
		name++;
	return !*name;
}

/* Forget what was added to a side by others than the session. */
static void
forget(struct plant_client *client, enum vnet_side side)
{
	size_t i = json_array_size(client->filters);

	while (i-- > 0)
		if (plant_side(schema_string(json_array_get(client->filters, i),
					     "side")) == side)
			json_array_remove(client->filters, i);
}

/* May a session have so many for a side, in the place of what that has? The
 * switch's room for filters is everybody's: of it sessions get half. */
static int
check_asked(const struct plant_client *client, size_t i, size_t nrules,
	    size_t ninsns, struct vnet_why *why)
{
	const struct plant *plant = client->port->plant;
	const json_t *sw = json_object_get(plant->running, "switch");
	const uint64_t rules = schema_number(sw, "max_rules") / 2;
	const uint64_t insns = schema_number(sw, "max_insns") / 2;
	const size_t all_rules =
		plant->session_rules - client->nrules[i] + nrules;
	const size_t all_insns =
		plant->session_insns - client->ninsns[i] + ninsns;

	if (nrules + client->nrules[!i] > PLANT_CLIENT_RULES_MAX)
		return refuse(why, "more rules than a client may have",
			      nrules + client->nrules[!i],
			      PLANT_CLIENT_RULES_MAX);
	if (ninsns + client->ninsns[!i] > PLANT_CLIENT_INSNS_MAX)
		return refuse(why, "more instructions than a client may have",
			      ninsns + client->ninsns[!i],
			      PLANT_CLIENT_INSNS_MAX);
	if (all_rules > rules)
		return refuse(why, "more rules than all sessions may have",
			      all_rules, rules);
	if (all_insns > insns)
		return refuse(why,
			      "more instructions than all sessions may have",
			      all_insns, insns);
	return 0;
}

/* What a session has for a side is counted. */
static void
count_asked(struct plant_client *client, size_t i, size_t nrules, size_t ninsns)
{
	struct plant *plant = client->port->plant;

	plant->session_rules += nrules - client->nrules[i];
	plant->session_insns += ninsns - client->ninsns[i];
	client->nrules[i] = nrules;
	client->ninsns[i] = ninsns;
}

/* May a session hear what others write? Those of one's own user may, without
 * "allow". */
static bool
may_hear(const struct plant_client *client)
{
	const json_t *rows = json_object_get(client->port->config, "allow");

	return !rows ||
	       json_is_true(json_object_get(json_array_get(rows, client->row),
					    "receive_out"));
}

int
plant_client_ask(struct plant_client *client,
		 const struct vnet_request *request, struct vnet_why *why)
{
	struct plant *plant = client->port->plant;
	const size_t i = request->side == VNET_RECEIVE_OUT;
	size_t ninsns = 0;
	int r;

	if (i && !may_hear(client)) {
		*why = (struct vnet_why){
			.text = "allow does not say that it may receive_out",
		};
		return -EACCES;
	}
	for (size_t k = 0; k < request->nrules; k++) {
		ninsns += request->rules[k].ninsns;
		if (is_printable(request->rules[k].name))
			continue;
		*why = (struct vnet_why){
			.text = "name of a rule that does not print",
			.index = k,
		};
		return -EINVAL;
	}
	r = check_asked(client, i, request->nrules, ninsns, why);
	if (r)
		return r;
	plant_hold(plant);
	r = vnet_filter_set(plant->sw, client->id, request->side,
			    request->rules, request->nrules,
			    request->default_verdict, why);
	plant_unlock(plant);
	if (r)
		return r;
	count_asked(client, i, request->nrules, ninsns);
	forget(client, request->side);
	return 0;
}

int
plant_client_add_filter(struct plant_client *client, const json_t *filter,
			struct complaint *c)
{
	struct plant *plant = client->port->plant;
	struct vnet_rule rule = plant_rule(filter);
	struct vnet_why why = {0};
	struct program program;
	char what[128];
	int r = program_compile(&program, schema_string(filter, "expr"), c);

	if (r)
		return -EINVAL;
	if (!client->filters)
		client->filters = json_array();
	rule.insns = program.insns;
	rule.ninsns = program.ninsns;
	plant_hold(plant);
	r = vnet_filter_add(plant->sw, client->id,
			    plant_side(schema_string(filter, "side")), &rule,
			    &why);
	plant_unlock(plant);
	program_fini(&program);
	if (!r) {
		json_array_append_new(client->filters, json_deep_copy(filter));
		return 0;
	}
	(void)snprintf(what, sizeof(what), "client %s: filter %s", client->name,
		       rule.name);
	return complain_why(c, r, what, &why);
}

static bool
is_called(const json_t *filter, const char *side, const char *name)
{
	return !strcmp(schema_string(filter, "side"), side) &&
	       !strcmp(schema_string(filter, "name"), name);
}

int
plant_client_del_filter(struct plant_client *client, const char *side,
			const char *name, struct complaint *c)
{
	struct plant *plant = client->port->plant;
	int r;

	plant_hold(plant);
	r = vnet_filter_remove(plant->sw, client->id, plant_side(side), name);
	plant_unlock(plant);
	if (r)
		return complain(c, r, "client %s has no filter %s on side %s",
				client->name, name, side);
	for (size_t i = 0; i < json_array_size(client->filters); i++)
		if (is_called(json_array_get(client->filters, i), side, name))
			json_array_remove(client->filters, i--);
	return 0;
}
