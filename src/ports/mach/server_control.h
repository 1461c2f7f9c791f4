/* SPDX-License-Identifier: BSD-2-Clause */
/* What control sees, and changes, of a server. */
#ifndef VNET_MACH_SERVER_CONTROL_H
#define VNET_MACH_SERVER_CONTROL_H

#include "control_host.h"
#include "master.h"

/**
 * struct vnet_mach_controller - somebody who controls a server
 * @host:	what is seen and changed, under the lock
 * @master:	on which vifs that are made can be opened; NULL once it has gone
 */
struct vnet_mach_controller {
	struct vnet_control_host host;
	struct vnet_mach *m;
	struct vnet_mach_master *master;
};

void vnet_mach_controller_init(struct vnet_mach_controller *c,
			       struct vnet_mach_master *master);

#endif
