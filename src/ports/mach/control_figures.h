/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters of a client, of several together, or of the switch, as they are
 * shown: in the form of "stats" of vnetctl(8).
 */
#ifndef VNET_CONTROL_FIGURES_H
#define VNET_CONTROL_FIGURES_H

#include <vnet/switch.h>

#include "json_writer.h"

/* @in, @out: drops by their reasons. */
struct vnet_figures {
	struct vnet_client_stats stats;
	struct vnet_count in[VNET_NDROPS];
	struct vnet_count out[VNET_NDROPS];
};

/* Add those of a client; of one that has gone, nothing. */
void vnet_figures_add_client(struct vnet_figures *f,
			     const struct vnet_switch *sw,
			     vnet_client_id client);

void vnet_figures_add(struct vnet_figures *sum, const struct vnet_figures *f);

/* Those of a client that is removed now: what is queued will be dropped. */
void vnet_figures_end(struct vnet_figures *f);

/* Those of the switch, and the rest that it counts. */
void vnet_figures_of_switch(struct vnet_figures *f,
			    const struct vnet_switch *sw,
			    struct vnet_switch_stats *whole);

/* Into an object that is open: in, out, queue, drops. Returns whether the sums
 * agree. */
bool vnet_figures_show(const struct vnet_figures *f,
		       struct vnet_json_writer *w);

/* {"frames": n, "octets": n} */
void vnet_figures_put(struct vnet_json_writer *w, const char *key,
		      const struct vnet_count *n);

#endif
