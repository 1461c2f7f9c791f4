/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The patch driver: a cable between two switches of one program. What one of
 * them has for its end comes into the other one before vnet_switch_input()
 * returns, without a copy.
 *
 * Switches that are connected are used by one thread at a time together.
 */
#ifndef VNET_PATCH_H
#define VNET_PATCH_H

#include <vnet/types.h>
#include <vnet/client.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/**
 * struct vnet_patch_end - where a cable is plugged in
 * @sw:		the switch
 * @id:		the client there; VNET_NO_ID once it has gone
 *
 * The other field is the driver's.
 */
struct vnet_patch_end {
	struct vnet_switch *sw;
	vnet_client_id id;
	struct vnet_patch_end *far_end;
};

/* A cable, in the caller's memory. Filled by vnet_patch_open(); stays where it is
 * until both its clients have gone. */
struct vnet_patch {
	struct vnet_patch_end end[2];
};

/**
 * vnet_patch_open() - connect two switches
 * @port:	for each end, the port that it opens there
 * @sw:		the two switches, which are not the same
 * @why:	filled on failure; may be NULL
 *
 * Its ends are clients as any other: limits, filters and grants may be set of
 * them. When one is removed the other one's link goes down, and that one is left
 * to the caller to remove.
 *
 * A frame that comes back into a switch which is already on the call stack is
 * dropped there as reentrant, one that has passed VNET_MAX_DEPTH of them as
 * too_deep: such switches form a chain or a tree, and no ring.
 *
 * Return: 0; -EINVAL if it is one switch, or as vnet_client_add(), and then
 * nothing is connected.
 */
VNET_API int vnet_patch_open(struct vnet_patch *patch,
			     struct vnet_switch *const sw[2],
			     const vnet_port_id port[2], struct vnet_why *why);

VNET_END_DECLS

#endif
