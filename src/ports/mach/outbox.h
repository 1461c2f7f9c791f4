/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that wait for room in somebody else's queue. Of each sender there is
 * one at the most: what keeps its messages in order is that it is not asked for
 * the next one meanwhile.
 */
#ifndef VNET_MACH_OUTBOX_H
#define VNET_MACH_OUTBOX_H

#include <vnet/types.h>

#include "sys.h"

/* How long until a message is sent again. The clock of GNU Mach has ticks of
 * 10 ms. */
#define VNET_MACH_RETRY_NSEC (10 * (VNET_NSEC_PER_SEC / 1000))

/**
 * struct vnet_mach_sender - one who sends, part of what it is for
 * @to:		a send right, the sender's, which it keeps
 * @waits:	the message, NULL if none waits
 * @settled:	what waited has been sent (MACH_MSG_SUCCESS), or never will be
 *		and is destroyed
 */
struct vnet_mach_sender {
	struct vnet_mach_sender *next;
	mach_port_t to;
	mach_msg_header_t *waits;
	mach_msg_size_t size;
	void (*settled)(struct vnet_mach_sender *s, mach_msg_return_t sent);
};

struct vnet_mach_outbox {
	const struct vnet_mach_sys *sys;
	const struct vnet_alloc *alloc;
	struct vnet_mach_sender *first, **last;
	vnet_nsec due; /* VNET_NEVER if there is none */
};

void vnet_mach_outbox_init(struct vnet_mach_outbox *box,
			   const struct vnet_mach_sys *sys,
			   const struct vnet_alloc *alloc);

/**
 * vnet_mach_outbox_send() - pass on a message, as vnet_mach_forward()
 * @notify:	as of vnet_mach_forward_always(); MACH_PORT_NULL not to force it
 *
 * Return: MACH_MSG_SUCCESS; MACH_SEND_WILL_NOTIFY; MACH_SEND_TIMED_OUT if it
 * waits now; others: it will never be sent, @in is the caller's.
 */
mach_msg_return_t vnet_mach_outbox_send(struct vnet_mach_outbox *box,
					struct vnet_mach_sender *s,
					mach_msg_header_t *in, mach_port_t to,
					mach_port_t notify, vnet_nsec now);

/* Destroy what waits of @s, without a word to it. */
void vnet_mach_outbox_cancel(struct vnet_mach_outbox *box,
			     struct vnet_mach_sender *s);

/* Send what waits, if it is time. */
void vnet_mach_outbox_tick(struct vnet_mach_outbox *box, vnet_nsec now);

#endif
