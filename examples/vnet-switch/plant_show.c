/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vnet/fdb.h>

#include "opener.h"
#include "plant_filter.h"
#include "plant_name.h"
#include "plant_port.h"
#include "schema.h"

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
	if (info.name[0]) {
		json_object_set_new(medium, "interface",
				    json_string(info.name));
		json_object_set_new(medium, "mac", mac_json(info.mac));
		json_object_set_new(medium, "mtu", number(info.mtu));
	}
	json_object_set_new(medium, "up", json_boolean(info.up));
	json_object_set_new(medium, "carries", carries_json(info.carries));
	return medium;
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

	if (sw)
		json_object_set_new(config, "switch", json_deep_copy(sw));
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

static const char *
side_name(enum vnet_side side)
{
	return side == VNET_EGRESS ? "out" : "in";
}

static const char *
find_expr(const struct plant_port *p, enum vnet_side side, const char *name)
{
	for (const struct plant_filter *f = p->filters; f; f = f->next)
		if (plant_side(schema_string(f->config, "side")) == side &&
		    !strcmp(schema_string(f->config, "name"), name))
			return schema_string(f->config, "expr");
	return "";
}

/* How many there were, at most RULES_MAX. */
static size_t
read_rules(const struct plant_port *p, enum vnet_side side, size_t first,
	   struct vnet_rule_info *rules)
{
	size_t n = 0;
	int r = 0;

	plant_lock(p->plant);
	while (n < RULES_MAX && !r) {
		rules[n].size = sizeof(rules[n]);
		r = vnet_filter_get(p->plant->sw, p->id, side, first + n,
				    &rules[n]);
		if (!r)
			n++;
	}
	plant_unlock(p->plant);
	return n;
}

static void
show_rule(const struct plant_port *p, enum vnet_side side,
	  const struct vnet_rule_info *rule, json_t *list)
{
	json_array_append_new(list,
			      json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:I}",
					"port", p->name, "side",
					side_name(side), "name", rule->name,
					"priority", (json_int_t)rule->priority,
					"verdict", verdict_name(rule->verdict),
					"expr", find_expr(p, side, rule->name),
					"hits", (json_int_t)rule->hits));
}

static void
show_chain(struct plant_port *p, enum vnet_side side, json_t *list)
{
	struct vnet_rule_info rules[RULES_MAX];
	enum vnet_verdict verdict = VNET_PASS;
	size_t first = 0, n;
	uint64_t hits = 0;

	do {
		n = read_rules(p, side, first, rules);
		for (size_t i = 0; i < n; i++)
			show_rule(p, side, &rules[i], list);
		first += n;
	} while (n == RULES_MAX);
	plant_lock(p->plant);
	vnet_filter_get_default(p->plant->sw, p->id, side, &verdict, &hits);
	plant_unlock(p->plant);
	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:b}",
					      "port", p->name, "side",
					      side_name(side), "verdict",
					      verdict_name(verdict), "hits",
					      (json_int_t)hits, "default", 1));
}

static void
show_filters(struct plant_port *p, json_t *list)
{
	show_chain(p, VNET_INGRESS, list);
	show_chain(p, VNET_EGRESS, list);
}

json_t *
plant_filter_show(struct plant *plant, const char *port, struct complaint *c)
{
	return show_ports(plant, port, show_filters, c);
}

/*
 * Counters
 */

static json_t *
medium_stats_json(const struct plant_port *p)
{
	struct vnet_medium_stats s = {.size = sizeof(s)};

	if (p->m)
		vnet_medium_get_stats(p->m, &s);
	return json_pack("{s:I, s:I, s:I}", "in_dropped",
			 (json_int_t)s.in_dropped, "out_dropped",
			 (json_int_t)s.out_dropped, "in_errors",
			 (json_int_t)s.in_errors);
}

/* Those of former clients are in it. */
static bool
stats_of(struct plant_port *p, json_t *list)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	struct figures f;
	json_t *port;
	bool balanced;

	plant_lock(p->plant);
	vnet_port_get(p->plant->sw, p->id, &info);
	figures_of_client(&f, p->plant->sw,
			  p->m ? vnet_medium_client(p->m) : VNET_NO_ID);
	plant_unlock(p->plant);
	figures_add(&f, &p->past);
	port = json_pack("{s:s, s:s, s:s}", "name", p->name, "role",
			 opener_role(p->config), "link",
			 info.link ? "up" : "down");
	balanced = figures_show(&f, port);
	json_object_set_new(port, "medium", medium_stats_json(p));
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
		const struct vnet_fdb_entry *e = &entries[i];
		const struct plant_port *at = plant_port_of(plant, e->port);

		if (!at || (p && at != p))
			continue;
		json_array_append_new(list, json_pack("{s:o, s:s, s:b, s:i}",
						      "mac", mac_json(e->mac),
						      "port", at->name,
						      "static", e->is_static,
						      "age_s", (int)e->age_s));
	}
	return list;
}
