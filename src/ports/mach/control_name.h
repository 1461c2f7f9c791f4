/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How ports and clients are called: a port by its name, a client of a vif by the
 * port and its index ("web/0"), that of an uplink as its port; and any client by
 * its port alone, where that has no other.
 */
#ifndef VNET_CONTROL_NAME_H
#define VNET_CONTROL_NAME_H

#include "complaint.h"
#include "control_host.h"

/* Octets of a client's name, with the terminating NUL. */
#define VNET_CLIENT_NAME_SIZE (VNET_PORT_NAME_SIZE + 12)

/* Empty, if it has gone. */
void vnet_control_client_name(const struct vnet_switch *sw, vnet_client_id id,
			      char name[VNET_CLIENT_NAME_SIZE]);
void vnet_control_port_name(const struct vnet_switch *sw, vnet_port_id id,
			    char name[VNET_PORT_NAME_SIZE]);

/* VNET_NO_ID with @c if there is none. */
vnet_port_id vnet_control_find_port(const struct vnet_switch *sw,
				    const char *name, struct vnet_complaint *c);
vnet_client_id vnet_control_find_client(const struct vnet_switch *sw,
					const char *name,
					struct vnet_complaint *c);

/* Does that name a client, and no port? */
bool vnet_control_is_client(const struct vnet_switch *sw, const char *name);

/* The client of a port with that index or the next above it, VNET_NO_ID if there
 * is none. */
vnet_client_id vnet_control_client_from(const struct vnet_switch *sw,
					vnet_port_id port, uint32_t *index);

#endif
