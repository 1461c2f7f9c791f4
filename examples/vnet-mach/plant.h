/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch and its server, as the arguments want them. What is wrong is said on
 * the console.
 */
#ifndef PLANT_H
#define PLANT_H

#include <vnet/mach.h>

#include "options.h"

/**
 * struct plant - all that there is
 * @port:	that of each port of the options; VNET_NO_ID of OPTIONS_PREFIX
 * @master:	NULL until plant_open()
 * @grant:	that of each of the options
 * @principal:	the master of each of them, likewise
 * @max_clients: of the switch
 */
struct plant {
	const struct options *o;
	struct vnet_switch *sw;
	struct vnet_mach *m;
	struct vnet_mach_master *master;
	vnet_grant_id grant[OPTIONS_MAX_GRANTS];
	struct vnet_mach_master *principal[OPTIONS_MAX_PRINCIPALS];
	vnet_port_id port[OPTIONS_MAX_PORTS];
	uint32_t max_clients;
};

/* Make the switch, its ports, and a server that calls @want_worker: struct
 * vnet_mach_config. @o stays. */
bool plant_create(struct plant *p, const struct options *o,
		  void (*want_worker)(void *ctx), void *ctx);

/**
 * plant_open() - begin to serve: each principal's task gets the right to its
 * master, and runs
 * @receive:	the receive right of the master, which is taken; MACH_PORT_NULL to
 *		have one made
 * @real:	the device master that there is, which uplinks are opened with;
 *		lent, may be null
 * @forwards:	what is not ours is passed on to @real
 */
bool plant_open(struct plant *p, mach_port_t receive, mach_port_t real,
		bool forwards);

#endif
