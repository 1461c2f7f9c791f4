/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receive rights of a server: what a message that arrives at each means.
 */
#ifndef VNET_MACH_RIGHT_H
#define VNET_MACH_RIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/message.h>
#include <mach/port.h>

#include "names.h"

struct vnet_mach;
struct vnet_mach_right;

/**
 * struct vnet_mach_right_ops - what is done with messages to a right
 * @message:	handle one. Returns true if *@out is a reply (vnet_mach_demux()
 *		says what that means), false if nobody here knows such a
 *		message: it is then answered with MIG_BAD_ID and destroyed.
 *		@in begins with a header that was checked as far as its sizes
 *		and descriptors agree; bits LOCAL and the local right are as the
 *		kernel gave them
 * @no_senders:	nobody has a send right any more (checked). NULL where none was
 *		asked for
 *
 * Called under the lock.
 */
struct vnet_mach_right_ops {
	bool (*message)(struct vnet_mach_right *r, mach_msg_header_t *in,
			mach_msg_header_t *out);
	void (*no_senders)(struct vnet_mach_right *r);
};

/* One of them: part of what it stands for. */
struct vnet_mach_right {
	struct vnet_mach_named named; /* first; its name is MACH_PORT_NULL once
				       * it is closed */
	const struct vnet_mach_right_ops *ops;
	struct vnet_mach *m;
	mach_port_seqno_t seqno; /* of the message that is next */
};

/* For MIG, which wants a name of one word. */
typedef struct vnet_mach_right *vnet_mach_right_t;

/* How MIG's server gets at it: the demultiplexer has put it into the message. */
static inline vnet_mach_right_t
vnet_mach_right_of_payload(unsigned long payload)
{
	return (vnet_mach_right_t)payload;
}

static inline vnet_mach_right_t
vnet_mach_right_of_port(mach_port_t port)
{
	(void)port;
	return NULL;
}

/* Make a receive right (or take @receive, if it is not null), set its queue to
 * @qlimit, put it into the server's set and table. With @no_senders the
 * notification is asked for. Return: 0, -ENOSPC; @receive is then the caller's. */
int vnet_mach_right_open(struct vnet_mach *m, struct vnet_mach_right *r,
			 const struct vnet_mach_right_ops *ops,
			 mach_port_t receive, mach_port_msgcount_t qlimit,
			 bool no_senders);

/* Destroy it. What it is part of may be freed afterwards. */
void vnet_mach_right_close(struct vnet_mach_right *r);

/* A message says that its senders are gone. */
void vnet_mach_right_no_senders(struct vnet_mach_right *r);

/* That name, as one of ours; NULL if it is none. */
struct vnet_mach_right *vnet_mach_right_find(const struct vnet_mach *m,
					     mach_port_t name);

#endif
