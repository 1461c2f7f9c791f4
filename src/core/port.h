/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port as the core holds it.
 */
#ifndef VNET_CORE_PORT_H
#define VNET_CORE_PORT_H

#include <vnet/port.h>

#include "core.h"
#include "filter.h"
#include "limit.h"

struct vnet_client;

struct vnet_port {
	vnet_port_id id;
	struct vnet_client *clients; /* linked by next, in order of index */
	struct vnet_chain chain[2];  /* by enum vnet_side */
	enum vnet_role role;
	uint32_t mtu;
	bool link;
	uint32_t flags;
	uint32_t nclients;
	uint64_t number;               /* ports are numbered as they come */
	struct vnet_limits *limits[2]; /* by enum vnet_side; NULL for none */
	struct vnet_mac mac;
	char name[VNET_PORT_NAME_SIZE];
};

/* Have its clients one address together? */
VNET_INLINE bool
vnet_port_is_shared(const struct vnet_port *port)
{
	return !(port->flags & VNET_PORT_PER_CLIENT);
}

/* Everything that can be wrong with flags. 0 or -EINVAL. */
int vnet_port_flags_check(uint32_t flags, struct vnet_why *why);

/* Everything that can be wrong with a configuration. 0 or -EINVAL. */
int vnet_port_config_check(const struct vnet_port_config *config,
			   struct vnet_why *why);
void vnet_port_init(struct vnet_port *port, vnet_port_id id,
		    const struct vnet_port_config *config);

#endif
