/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "plant_port.h"
#include "schema.h"

/* A configuration that is being applied, and who hears what cannot be. */
struct applying {
	struct plant *plant;
	json_t *by_name; /* the ports that it has */
	void (*complaint)(void *ctx, const struct complaint *c);
	void *ctx;
	unsigned int n;
};

static void
say(struct applying *a, const struct complaint *c)
{
	a->n++;
	if (a->complaint)
		a->complaint(a->ctx, c);
}

static bool
is_same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return (!x && !y) || (x && y && json_equal(x, y));
}

static void
compare_start(struct applying *a, const json_t *config)
{
	static const char *const keys[] = {"switch", "cpu"};
	struct complaint c;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (is_same(a->plant->running, config, keys[i]))
			continue;
		complain(&c, 0, "%s: a change takes a restart", keys[i]);
		say(a, &c);
	}
}

static json_t *
wanted(const struct applying *a, const struct plant_port *p)
{
	return json_object_get(a->by_name, p->name);
}

static bool
loses_medium(const struct plant_port *p, void *ctx)
{
	const struct applying *a = ctx;
	const json_t *config = wanted(a, p);

	return config ? plant_port_reopens(p, config)
		      : p->origin == PLANT_START;
}

/* All that others may need goes before anything comes: names, interfaces,
 * room. */
static void
make_room(struct applying *a)
{
	struct plant_port *p, *next;

	plant_close_media(a->plant, loses_medium, a);
	for (p = a->plant->ports; p; p = next) {
		const json_t *config = wanted(a, p);

		next = p->next;
		if (!config && p->origin == PLANT_START) {
			log_write(LOG_INFO, "reload: port %s removed", p->name);
			plant_port_destroy(p);
		} else if (config && plant_port_reopens(p, config)) {
			plant_port_close(p);
		}
	}
}

static void
append_key(char *list, size_t size, const char *key)
{
	const size_t len = strlen(list);

	(void)snprintf(list + len, size - len, "%s%s", len ? ", " : "", key);
}

static void
log_change(const struct plant_port *p, json_t *before)
{
	json_t *after = plant_port_config(p), *value;
	char list[256] = "";
	const char *key;

	json_object_foreach(before, key, value)
		if (!is_same(before, after, key))
			append_key(list, sizeof(list), key);
	json_object_foreach(after, key, value)
		if (!json_object_get(before, key))
			append_key(list, sizeof(list), key);
	json_decref(after);
	if (*list)
		log_write(LOG_INFO, "reload: port %s: %s changed", p->name,
			  list);
}

static int
apply_port(struct applying *a, const json_t *config, struct complaint *c)
{
	const char *name = schema_string(config, "name");
	struct complaint ignored;
	struct plant_port *p = plant_find(a->plant, name, &ignored);
	json_t *before;
	int r;

	if (!p) {
		r = plant_port_create(a->plant, config, PLANT_START, c);
		if (!r)
			log_write(LOG_INFO, "reload: port %s added", name);
		return r;
	}
	before = plant_port_config(p);
	p->origin = PLANT_START;
	r = plant_port_become(p, config, PLANT_START, c);
	log_change(p, before);
	json_decref(before);
	return r;
}

static void
apply_ports(struct applying *a, const json_t *ports)
{
	const json_t *config;
	struct complaint c;
	size_t i;

	json_array_foreach(ports, i, config)
		if (apply_port(a, config, &c))
			say(a, &c);
}

/* @port is the name of one, by address. */
static bool
is_on(const json_t *port, const struct plant_port *p)
{
	return port && !strcmp(json_string_value(port), p->name);
}

/* Unpin those of the start that are not in @wanted, port by address. Those that
 * stay are put in @kept, likewise. Returns how many went. */
static unsigned int
remove_pins(struct plant *plant, const json_t *wanted, json_t *kept)
{
	struct plant_pin *pin, *next;
	unsigned int n = 0;
	char mac[18];

	for (struct plant_port *p = plant->ports; p; p = p->next)
		for (pin = p->pins; pin; pin = next) {
			json_t *port;

			next = pin->next;
			plant_mac_text(pin->mac, mac);
			port = json_object_get(wanted, mac);
			if (is_on(port, p)) {
				json_object_set(kept, mac, port);
			} else if (pin->origin == PLANT_START) {
				plant_unpin(plant, pin->mac);
				n++;
			}
		}
	return n;
}

static void
apply_pins(struct applying *a, const json_t *fdb)
{
	json_t *wanted = json_object(), *kept = json_object();
	unsigned int removed, added = 0;
	struct complaint c;
	const json_t *entry;
	size_t i;

	json_array_foreach(fdb, i, entry)
		json_object_set(wanted, schema_string(entry, "mac"),
				json_object_get(entry, "port"));
	removed = remove_pins(a->plant, wanted, kept);
	json_array_foreach(fdb, i, entry) {
		if (plant_pin(a->plant, entry, PLANT_START, &c))
			say(a, &c);
		else if (!json_object_get(kept, schema_string(entry, "mac")))
			added++;
	}
	if (removed || added)
		log_write(LOG_INFO,
			  "reload: pinned addresses: %u removed, %u added",
			  removed, added);
	json_decref(kept);
	json_decref(wanted);
}

unsigned int
plant_apply(struct plant *plant, const json_t *config,
	    void (*complaint)(void *ctx, const struct complaint *c), void *ctx)
{
	const json_t *ports = json_object_get(config, "ports");
	struct applying a = {
		.plant = plant,
		.by_name = json_object(),
		.complaint = complaint,
		.ctx = ctx,
	};
	json_t *port;
	size_t i;

	compare_start(&a, config);
	json_array_foreach(ports, i, port)
		json_object_set(a.by_name, schema_string(port, "name"), port);
	make_room(&a);
	apply_ports(&a, ports);
	apply_pins(&a, json_object_get(config, "fdb"));
	json_decref(a.by_name);
	return a.n;
}
