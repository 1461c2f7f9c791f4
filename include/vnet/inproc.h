/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The in-process driver: a client that the program itself is. It sends with
 * vnet_switch_input(); what is for it waits in its queue until it polls.
 */
#ifndef VNET_INPROC_H
#define VNET_INPROC_H

#include <vnet/types.h>
#include <vnet/frame.h>
#include <vnet/client.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/* Called with a frame that is lent for the call. It must not call the switch: an
 * answer that it gave would be dropped as reentrant. Keep it, and give it to
 * vnet_switch_input() after vnet_inproc_poll() has returned. */
typedef void (*vnet_inproc_fn)(void *ctx, const struct vnet_frame *f);

/**
 * struct vnet_inproc - a client of this driver, in the caller's memory
 * @sw:		the switch
 * @id:		the client: what vnet_switch_input() is given; VNET_NO_ID once
 *		it has gone
 *
 * Filled by vnet_inproc_open(); stays where it is until the client has gone.
 * The other fields are the driver's.
 */
struct vnet_inproc {
	struct vnet_switch *sw;
	vnet_client_id id;
	struct vnet_driver_ops ops;
	vnet_inproc_fn fn;
	void *fn_ctx;
};

/**
 * vnet_inproc_open() - open a port for the program itself
 * @carries:	VNET_CARRIES_*: what the program wants to see unresolved
 * @queue_octets: see struct vnet_client_config; 0 for the default
 *
 * Return: as vnet_client_add().
 */
VNET_API int vnet_inproc_open(struct vnet_inproc *ip, struct vnet_switch *sw,
			      vnet_port_id port, uint32_t carries,
			      uint32_t queue_octets);

/**
 * vnet_inproc_poll() - take what waits for a client
 * @fn:		called for each frame, in order
 * @ctx:	handed to @fn
 * @max:	the most frames to take
 * @now:	the time; see vnet_switch_input()
 *
 * Return: frames taken; -ENOENT if the client has gone, -EBUSY from inside a
 * driver's send.
 */
VNET_API int vnet_inproc_poll(struct vnet_inproc *ip, vnet_inproc_fn fn,
			      void *ctx, size_t max, vnet_nsec now);

VNET_END_DECLS

#endif
