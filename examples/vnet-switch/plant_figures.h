/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of a port or of the whole, as they are shown, and whether they
 * agree. */
#ifndef PLANT_FIGURES_H
#define PLANT_FIGURES_H

#include <jansson.h>
#include <vnet/client.h>
#include <vnet/switch.h>

/**
 * struct figures - counters, taken at one time
 * @in, @out:	of @stats the drops, by reason
 */
struct figures {
	struct vnet_client_stats stats;
	struct vnet_count in[VNET_NDROPS];
	struct vnet_count out[VNET_NDROPS];
};

/* Of a client; zero if there is none. */
void figures_of_client(struct figures *f, const struct vnet_switch *sw,
		       vnet_client_id client);

/* Of the switch, whose stats are also left in @whole. */
void figures_of_switch(struct figures *f, const struct vnet_switch *sw,
		       struct vnet_switch_stats *whole);

/* The client is removed: what was queued is dropped. */
void figures_end(struct figures *f);

void figures_add(struct figures *sum, const struct figures *f);

/* {"frames","octets"} */
json_t *figures_count(const struct vnet_count *n);

/* Add "in", "out", "queue" and "drops" to @object. Returns false if the figures
 * do not agree with each other. */
bool figures_show(const struct figures *f, json_t *object);

#endif
