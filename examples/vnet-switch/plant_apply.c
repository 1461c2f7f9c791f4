/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

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
		if (!config && p->origin == PLANT_START)
			plant_port_destroy(p);
		else if (config && plant_port_reopens(p, config))
			plant_port_close(p);
	}
}

static void
apply_ports(struct applying *a, const json_t *ports)
{
	struct complaint ignored, c;
	const json_t *config;
	size_t i;

	json_array_foreach(ports, i, config) {
		struct plant_port *p = plant_find(
			a->plant, schema_string(config, "name"), &ignored);
		int r;

		if (p) {
			p->origin = PLANT_START;
			r = plant_port_become(p, config, PLANT_START, &c);
		} else {
			r = plant_port_create(a->plant, config, PLANT_START,
					      &c);
		}
		if (r)
			say(a, &c);
	}
}

static bool
has_pin(const json_t *fdb, const struct plant_port *p,
	const struct plant_pin *pin)
{
	char text[18];
	const json_t *entry;
	size_t i;

	plant_mac_text(pin->mac, text);
	json_array_foreach(fdb, i, entry)
		if (!strcmp(schema_string(entry, "mac"), text) &&
		    !strcmp(schema_string(entry, "port"), p->name))
			return true;
	return false;
}

static void
apply_pins(struct applying *a, const json_t *fdb)
{
	struct plant_pin *pin, *next;
	struct complaint c;
	const json_t *entry;
	size_t i;

	for (struct plant_port *p = a->plant->ports; p; p = p->next)
		for (pin = p->pins; pin; pin = next) {
			next = pin->next;
			if (pin->origin == PLANT_START && !has_pin(fdb, p, pin))
				plant_unpin(a->plant, pin->mac);
		}
	json_array_foreach(fdb, i, entry)
		if (plant_pin(a->plant, entry, PLANT_START, &c))
			say(a, &c);
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
