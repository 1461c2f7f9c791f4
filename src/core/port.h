/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port as the core holds it.
 */
#ifndef VNET_CORE_PORT_H
#define VNET_CORE_PORT_H

#include <vnet/port.h>

#include "core.h"
#include "filter.h"

struct vnet_client;

struct vnet_port {
	vnet_port_id id;
	struct vnet_client *client; /* NULL where nobody has opened it */
	struct vnet_chain chain[2]; /* by enum vnet_side */
	enum vnet_role role;
	uint32_t mtu;
	bool link;
	struct vnet_mac mac;
	char name[VNET_PORT_NAME_SIZE];
};

/* Everything that can be wrong with a configuration. 0 or -EINVAL. */
int vnet_port_config_check(const struct vnet_port_config *config,
			   struct vnet_why *why);
void vnet_port_init(struct vnet_port *port, vnet_port_id id,
		    const struct vnet_port_config *config);

#endif
