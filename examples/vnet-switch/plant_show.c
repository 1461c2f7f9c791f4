/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vnet/fdb.h>

#include "grant_write.h"
#include "opener.h"
#include "plant_attach.h"
#include "plant_client.h"
#include "plant_filter.h"
#include "plant_grant.h"
#include "plant_name.h"
#include "plant_port.h"
#include "schema.h"
#include "sessions.h"

/* What is read with one hold of the lock. */
#define RULES_MAX   64
#define ENTRIES_MAX 64

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

void
plant_mac_text(struct vnet_mac mac, char text[18])
{
	const uint8_t *o = mac.octet;

	(void)snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1],
		       o[2], o[3], o[4], o[5]);
}

static json_t *
mac_json(struct vnet_mac mac)
{
	char text[18];

	plant_mac_text(mac, text);
	return json_string(text);
}

/* Calls @show for the port @name, or for all. NULL with @c if there is none;
 * else @list, with what @show has added. */
static json_t *
show_ports(struct plant *plant, const char *name,
	   void (*show)(struct plant_port *p, json_t *list),
	   struct complaint *c)
{
	struct plant_port *p = plant->ports;
	json_t *list;

	if (name)
		p = plant_find(plant, name, c);
	if (name && !p)
		return NULL;
	list = json_array();
	for (; p; p = name ? NULL : p->next)
		show(p, list);
	return list;
}

/*
 * Ports
 */

static json_t *
carries_json(uint32_t carries)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{VNET_CARRIES_CSUM, "csum"}, {VNET_CARRIES_TSO4, "tso4"},
		{VNET_CARRIES_TSO6, "tso6"}, {VNET_CARRIES_USO, "uso"},
		{VNET_CARRIES_TAGS, "tags"},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (carries & names[i].bit)
			json_array_append_new(list, json_string(names[i].name));
	return list;
}

static json_t *
medium_json(const struct plant_port *p)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	json_t *medium;

	if (!p->m || vnet_medium_get(p->m, &info))
		return json_null();
	medium = json_object();
	json_object_set_new(medium, "kind", json_string(info.kind));
	if (info.name[0])
		json_object_set_new(medium, "interface",
				    json_string(info.name));
	if (info.mtu) {
		json_object_set_new(medium, "mac", mac_json(info.mac));
		json_object_set_new(medium, "mtu", number(info.mtu));
	}
	json_object_set_new(medium, "up", json_boolean(info.up));
	json_object_set_new(medium, "carries", carries_json(info.carries));
	return medium;
}

static int
count_clients(const struct plant_port *p)
{
	int n = 0;

	for (const struct plant_client *client = p->clients; client;
	     client = client->next)
		n++;
	return n;
}

/* Where somebody can attach, and what they find there. */
static void
show_entrance(const struct plant_port *p, json_t *port)
{
	char path[PLANT_ATTACH_PATH_SIZE];
	struct complaint ignored;

	if (!plant_attach_path(p->plant, p->config, path, &ignored))
		json_object_set_new(port, "path", json_string(path));
	json_object_set_new(port, "mac",
			    mac_json(plant_attach_mac(p->plant, p->config)));
	json_object_set_new(port, "clients", json_integer(count_clients(p)));
}

/* What the switch that it attaches to lets it do. */
static void
show_session(const struct plant_port *p, json_t *port)
{
	json_object_set_new(port, "sessions", number(p->nsessions));
	if (p->m && p->above.size)
		json_object_set_new(
			port, "granted",
			grant_write(&p->above, grants_ahead(p->plant->grants)));
}

static void
show_port(struct plant_port *p, json_t *list)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	json_t *port = json_deep_copy(p->config);

	plant_lock(p->plant);
	vnet_port_get(p->plant->sw, p->id, &info);
	plant_unlock(p->plant);
	json_object_set_new(port, "role", json_string(opener_role(p->config)));
	json_object_set_new(port, "link",
			    json_string(info.link ? "up" : "down"));
	json_object_set_new(port, "id", number(p->id));
	json_object_set_new(port, "medium", medium_json(p));
	if (plant_attach_is(p->config))
		show_entrance(p, port);
	if (opener_is_session(p->config))
		show_session(p, port);
	if (p->error.text[0])
		json_object_set_new(port, "error", json_string(p->error.text));
	json_array_append_new(list, port);
}

json_t *
plant_port_show(struct plant *plant, const char *port, struct complaint *c)
{
	return show_ports(plant, port, show_port, c);
}

json_t *
plant_show(struct plant *plant)
{
	struct vnet_switch_stats s = {.size = sizeof(s)};

	plant_lock(plant);
	vnet_switch_get_stats(plant->sw, &s);
	plant_unlock(plant);
	return json_pack("{s:i, s:i, s:i, s:I, s:I}", "ports", (int)s.ports,
			 "clients", (int)s.clients, "fdb_entries",
			 (int)s.fdb_entries, "pool_used",
			 (json_int_t)s.pool_used, "pool_octets",
			 (json_int_t)s.pool_octets);
}

json_t *
plant_config(const struct plant *plant)
{
	json_t *config = json_object(), *ports = json_array();
	json_t *fdb = json_array();
	json_t *sw = json_object_get(plant->running, "switch");
	json_t *grants = grants_config(plant->grants);

	if (sw)
		json_object_set_new(config, "switch", json_deep_copy(sw));
	if (json_object_size(grants))
		json_object_set(config, "grants", grants);
	json_decref(grants);
	for (const struct plant_port *p = plant->ports; p; p = p->next) {
		json_array_append_new(ports, plant_port_config(p));
		for (const struct plant_pin *pin = p->pins; pin;
		     pin = pin->next)
			json_array_append_new(fdb,
					      json_pack("{s:o, s:s}", "mac",
							mac_json(pin->mac),
							"port", p->name));
	}
	if (json_array_size(ports))
		json_object_set(config, "ports", ports);
	if (json_array_size(fdb))
		json_object_set(config, "fdb", fdb);
	json_decref(ports);
	json_decref(fdb);
	return config;
}

/*
 * Filters
 */

static const char *
verdict_name(enum vnet_verdict v)
{
	return v == VNET_DROP ? "drop" : "pass";
}

/* Whose, and of which side; @client is NULL for those of the port. */
struct chain {
	const struct plant_port *port;
	const struct plant_client *client;
	enum vnet_side side;
};

static uint64_t
owner_of(const struct chain *chain)
{
	return chain->client ? chain->client->id : chain->port->id;
}

static bool
is_called(const json_t *filter, enum vnet_side side, const char *name)
{
	return plant_side(schema_string(filter, "side")) == side &&
	       !strcmp(schema_string(filter, "name"), name);
}

/* NULL where it was never said: a session has programs alone. */
static const char *
find_expr(const struct chain *chain, const char *name)
{
	const json_t *filter;
	size_t i;

	if (chain->client)
		json_array_foreach(chain->client->filters, i, filter)
			if (is_called(filter, chain->side, name))
				return schema_string(filter, "expr");
	for (const struct plant_filter *f =
		     chain->client ? NULL : chain->port->filters;
	     f; f = f->next)
		if (is_called(f->config, chain->side, name))
			return schema_string(f->config, "expr");
	return NULL;
}

/* How many there were, at most RULES_MAX. */
static size_t
read_rules(const struct chain *chain, size_t first,
	   struct vnet_rule_info *rules)
{
	struct plant *plant = chain->port->plant;
	size_t n = 0;
	int r = 0;

	plant_lock(plant);
	while (n < RULES_MAX && !r) {
		rules[n].size = sizeof(rules[n]);
		r = vnet_filter_get(plant->sw, owner_of(chain), chain->side,
				    first + n, &rules[n]);
		if (!r)
			n++;
	}
	plant_unlock(plant);
	return n;
}

static void
add_row(const struct chain *chain, json_t *row, json_t *list)
{
	json_object_set_new(row, "port",
			    json_string(chain->client ? chain->client->name
						      : chain->port->name));
	json_object_set_new(row, "side",
			    json_string(plant_side_name(chain->side)));
	json_array_append_new(list, row);
}

static void
show_rule(const struct chain *chain, const struct vnet_rule_info *rule,
	  json_t *list)
{
	const char *expr = find_expr(chain, rule->name);
	json_t *row = json_pack("{s:s, s:I, s:s, s:I}", "name", rule->name,
				"priority", (json_int_t)rule->priority,
				"verdict", verdict_name(rule->verdict), "hits",
				(json_int_t)rule->hits);

	if (expr)
		json_object_set_new(row, "expr", json_string(expr));
	else
		json_object_set_new(row, "insns", number(rule->ninsns));
	add_row(chain, row, list);
}

static void
show_chain(const struct chain *chain, json_t *list)
{
	struct plant *plant = chain->port->plant;
	struct vnet_rule_info rules[RULES_MAX];
	enum vnet_verdict verdict = VNET_PASS;
	size_t first = 0, n;
	uint64_t hits = 0;

	do {
		n = read_rules(chain, first, rules);
		for (size_t i = 0; i < n; i++)
			show_rule(chain, &rules[i], list);
		first += n;
	} while (n == RULES_MAX);
	plant_lock(plant);
	vnet_filter_get_default(plant->sw, owner_of(chain), chain->side,
				&verdict, &hits);
	plant_unlock(plant);
	add_row(chain,
		json_pack("{s:s, s:I, s:b}", "verdict", verdict_name(verdict),
			  "hits", (json_int_t)hits, "default", 1),
		list);
}

static void
show_client_filters(const struct plant_client *client, json_t *list)
{
	struct chain chain = {.port = client->port, .client = client};

	for (int side = VNET_RECEIVE_IN; side <= VNET_RECEIVE_OUT; side++) {
		chain.side = (enum vnet_side)side;
		show_chain(&chain, list);
	}
}

/* Those of clients only of whom they are asked for: there may be many. */
static void
show_filters(struct plant_port *p, json_t *list)
{
	struct chain chain = {.port = p};

	for (int side = VNET_INGRESS; side <= VNET_EGRESS; side++) {
		chain.side = (enum vnet_side)side;
		show_chain(&chain, list);
	}
}

json_t *
plant_filter_show(struct plant *plant, const char *port, struct complaint *c)
{
	const struct plant_client *client;
	json_t *list;

	if (!port || !plant_name_is_client(port))
		return show_ports(plant, port, show_filters, c);
	client = plant_client_find(plant, port, c);
	if (!client)
		return NULL;
	list = json_array();
	show_client_filters(client, list);
	return list;
}

/*
 * Clients
 */

static void
show_client(const struct plant_client *client, json_t *list)
{
	struct vnet_client_info info = {.size = sizeof(info)};
	const struct plant_port *p = client->port;
	const struct vnet_session_peer *peer =
		client->session ? session_peer(client->session) : NULL;
	json_t *row;

	plant_lock(p->plant);
	vnet_client_get(p->plant->sw, client->id, &info);
	plant_unlock(p->plant);
	row = json_pack("{s:s, s:s, s:I, s:o}", "client", client->name, "port",
			p->name, "index", (json_int_t)info.index, "mac",
			mac_json(info.mac));
	if (peer) {
		json_object_set_new(row, "uid", number(peer->uid));
		json_object_set_new(row, "gid", number(peer->gid));
		json_object_set_new(row, "pid",
				    json_integer((json_int_t)peer->pid));
	}
	json_object_set_new(row, "queue_octets", number(info.queue_octets));
	json_object_set_new(row, "weight", number(info.weight));
	json_object_set_new(row, "max_addresses", number(info.max_addresses));
	json_object_set_new(
		row, "accept",
		json_string(info.accept == VNET_ACCEPT_OWN ? "own" : "all"));
	if (json_object_get(client->settings, "grant"))
		json_object_set(row, "grant",
				json_object_get(client->settings, "grant"));
	json_array_append_new(list, row);
}

static void
show_clients(struct plant_port *p, json_t *list)
{
	for (const struct plant_client *client = p->clients; client;
	     client = client->next)
		show_client(client, list);
}

json_t *
plant_client_show(struct plant *plant, const char *port, struct complaint *c)
{
	const struct plant_client *client;
	json_t *list;

	if (!port || !plant_name_is_client(port))
		return show_ports(plant, port, show_clients, c);
	client = plant_client_find(plant, port, c);
	if (!client)
		return NULL;
	list = json_array();
	show_client(client, list);
	return list;
}

/*
 * Counters
 */

static json_t *
lost_json(const struct vnet_medium_stats *s)
{
	return json_pack("{s:I, s:I, s:I}", "in_dropped",
			 (json_int_t)s->in_dropped, "out_dropped",
			 (json_int_t)s->out_dropped, "in_errors",
			 (json_int_t)s->in_errors);
}

/* Adds what it has to @sum and @lost, and a row to @list, if there is one. */
static bool
stats_of_client(const struct plant_client *client, struct figures *sum,
		struct vnet_medium_stats *lost, json_t *list)
{
	struct vnet_client_info info = {.size = sizeof(info)};
	struct vnet_medium_stats own = {.size = sizeof(own)};
	struct plant *plant = client->port->plant;
	struct figures f;
	bool balanced;
	json_t *row;

	plant_lock(plant);
	vnet_client_get(plant->sw, client->id, &info);
	figures_of_client(&f, plant->sw, client->id);
	plant_unlock(plant);
	plant_client_lost(client, &own);
	plant_client_lost(client, lost);
	figures_add(sum, &f);
	if (!list)
		return true;
	row = json_pack("{s:s, s:o}", "client", client->name, "mac",
			mac_json(info.mac));
	balanced = figures_show(&f, row);
	json_object_set_new(row, "medium", lost_json(&own));
	json_array_append_new(list, row);
	return balanced;
}

/* Those of former clients are in it. */
static bool
stats_of(struct plant_port *p, json_t *list)
{
	json_t *clients = plant_attach_is(p->config) ? json_array() : NULL;
	struct vnet_port_info info = {.size = sizeof(info)};
	struct vnet_medium_stats lost = p->lost;
	struct figures sum = p->past;
	bool balanced = true;
	json_t *port;

	plant_lock(p->plant);
	vnet_port_get(p->plant->sw, p->id, &info);
	plant_unlock(p->plant);
	for (const struct plant_client *client = p->clients; client;
	     client = client->next)
		balanced = stats_of_client(client, &sum, &lost, clients) &&
			   balanced;
	port = json_pack("{s:s, s:s, s:s}", "name", p->name, "role",
			 opener_role(p->config), "link",
			 info.link ? "up" : "down");
	balanced = figures_show(&sum, port) && balanced;
	json_object_set_new(port, "medium", lost_json(&lost));
	if (clients)
		json_object_set_new(port, "clients", clients);
	json_array_append_new(list, port);
	return balanced;
}

static bool
totals_of(struct plant *plant, json_t *stats)
{
	struct vnet_switch_stats whole;
	json_t *totals = json_object();
	struct figures f;
	bool balanced;

	plant_lock(plant);
	figures_of_switch(&f, plant->sw, &whole);
	plant_unlock(plant);
	balanced = figures_show(&f, totals);
	json_object_set_new(totals, "originated",
			    figures_count(&whole.originated));
	json_object_set_new(totals, "unknown_source",
			    number(whole.unknown_source.frames));
	json_object_set_new(
		totals, "fdb",
		json_pack("{s:i, s:I, s:I}", "entries", (int)whole.fdb_entries,
			  "evictions", (json_int_t)whole.fdb_evictions,
			  "unlearned", (json_int_t)whole.fdb_unlearned));
	json_object_set_new(totals, "pool",
			    json_pack("{s:I, s:I}", "used",
				      (json_int_t)whole.pool_used, "octets",
				      (json_int_t)whole.pool_octets));
	json_object_set_new(totals, "events_lost", number(whole.events_lost));
	json_object_set_new(totals, "clock_steps_back",
			    number(whole.clock_steps_back));
	json_object_set_new(stats, "totals", totals);
	return balanced;
}

json_t *
plant_stats(struct plant *plant, const char *port, struct complaint *c)
{
	struct plant_port *p = plant->ports;
	bool balanced = true;
	json_t *stats, *list;

	if (port)
		p = plant_find(plant, port, c);
	if (port && !p)
		return NULL;
	list = json_array();
	stats = json_pack("{s:i, s:I}", "schema", 1, "time_ns",
			  (json_int_t)plant_now());
	for (; p; p = port ? NULL : p->next)
		balanced = stats_of(p, list) && balanced;
	json_object_set_new(stats, "ports", list);
	if (!port)
		json_object_set_new(stats, "grants",
				    grants_stats(plant->grants));
	balanced = totals_of(plant, stats) && balanced;
	json_object_set_new(stats, "balanced", json_boolean(balanced));
	return stats;
}

/*
 * Addresses
 */

/* How many were found, at most ENTRIES_MAX; -EAGAIN passes for one without an
 * address, since it takes as long. */
static size_t
read_entries(struct plant *plant, uint64_t *cursor, bool *end,
	     struct vnet_fdb_entry *entries)
{
	size_t n = 0;

	plant_lock(plant);
	for (int i = 0; i < ENTRIES_MAX && !*end; i++) {
		int r;

		entries[n].size = sizeof(entries[n]);
		r = vnet_fdb_next(plant->sw, cursor, &entries[n]);
		if (r == 1)
			n++;
		else if (r != -EAGAIN)
			*end = true;
	}
	plant_unlock(plant);
	return n;
}

/* With the client, where the port can have several. */
static void
show_entry(const struct plant_port *p, const struct vnet_fdb_entry *e,
	   json_t *list)
{
	const struct plant_client *client =
		plant_attach_is(p->config) ? plant_client_by_id(p, e->client)
					   : NULL;
	json_t *row = json_pack("{s:o, s:s, s:b, s:i}", "mac", mac_json(e->mac),
				"port", p->name, "static", e->is_static,
				"age_s", (int)e->age_s);

	if (client)
		json_object_set_new(row, "client", json_string(client->name));
	json_array_append_new(list, row);
}

json_t *
plant_fdb_show(struct plant *plant, const char *port, uint64_t *cursor,
	       bool *end, struct complaint *c)
{
	struct vnet_fdb_entry entries[ENTRIES_MAX];
	const struct plant_port *p = NULL;
	json_t *list;
	size_t n;

	if (port) {
		p = plant_find(plant, port, c);
		if (!p)
			return NULL;
	}
	*end = false;
	n = read_entries(plant, cursor, end, entries);
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct plant_port *at =
			plant_port_of(plant, entries[i].port);

		if (at && (!p || at == p))
			show_entry(at, &entries[i], list);
	}
	return list;
}
