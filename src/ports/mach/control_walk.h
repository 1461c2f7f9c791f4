/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an answer goes on: from port to port, and from client to client, though
 * others come and go between two pieces.
 */
#ifndef VNET_CONTROL_WALK_H
#define VNET_CONTROL_WALK_H

#include "control_call.h"

/* Of ports: go to the first, or behind the one that was walked through, unless
 * one is under way (has_begun). False behind the last. */
bool vnet_control_walk_port(const struct vnet_control_host *h,
			    struct vnet_control_walk *k,
			    struct vnet_port_info *port);

/* The port is done. */
void vnet_control_walk_leave(struct vnet_control_walk *k);

/* Begin a list of a port's things, or with "" of all ports'. */
int vnet_control_walk_begin(struct vnet_control_call *call, const char *name);

#endif
