/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receive rights of a small server that is no switch: the proxy, the boot chain.
 * Each is part of what it stands for.
 */
#ifndef VNET_MACH_ENDPOINT_H
#define VNET_MACH_ENDPOINT_H

#include <vnet/types.h>

#include "names.h"
#include "outbox.h"
#include "sys.h"

struct vnet_mach_call;

/* What the endpoints of one server have in common. */
struct vnet_mach_ends {
	const struct vnet_mach_sys *sys;
	struct vnet_alloc alloc;
	vnet_nsec (*now)(void *ctx);
	void *ctx;
	mach_port_t port_set;
	bool made_port_set;
	struct vnet_mach_names names; /* of all that are open */
	struct vnet_mach_outbox outbox;
	struct vnet_mach_call *calls; /* that wait for an answer */
};

/**
 * struct vnet_mach_endpoint - a receive right
 * @named:	its name; MACH_PORT_NULL once it is closed
 * @message:	a message has arrived, which is the function's: to be passed on
 *		or destroyed
 */
struct vnet_mach_endpoint {
	struct vnet_mach_named named;
	struct vnet_mach_ends *all;
	void (*message)(struct vnet_mach_endpoint *e, mach_msg_header_t *in);
};

/* Begin: @port_set is the caller's; MACH_PORT_NULL to have one made. Return: 0,
 * -ENOMEM, -ENOSPC. */
int vnet_mach_ends_init(struct vnet_mach_ends *all,
			const struct vnet_mach_sys *sys,
			const struct vnet_alloc *alloc, mach_port_t port_set,
			vnet_nsec (*now)(void *ctx), void *ctx,
			uint32_t expected);
/* All endpoints are closed. */
void vnet_mach_ends_fini(struct vnet_mach_ends *all);

/* A message: hand it to the endpoint that it arrived at. Return: false if it is
 * none of these. */
bool vnet_mach_ends_demux(struct vnet_mach_ends *all, mach_msg_header_t *in);
/* Likewise, for a loop of MIG's kind: @out says that there is nothing to reply. */
bool vnet_mach_ends_handle(struct vnet_mach_ends *all, mach_msg_header_t *in,
			   mach_msg_header_t *out);

/* Make a receive right and watch it. Return: 0; -ENOSPC. */
int vnet_mach_endpoint_open(struct vnet_mach_ends *all,
			    struct vnet_mach_endpoint *e,
			    void (*message)(struct vnet_mach_endpoint *e,
					    mach_msg_header_t *in));
/* Destroy it, and the messages in it. Nothing to do if it is closed. */
void vnet_mach_endpoint_close(struct vnet_mach_endpoint *e);

/* Receive from it, or leave what arrives in its queue. */
void vnet_mach_endpoint_watch(struct vnet_mach_endpoint *e, bool watched);

/* Make a send right of it, under the same name. */
kern_return_t vnet_mach_endpoint_make_send(struct vnet_mach_endpoint *e);

/* Ask for MACH_NOTIFY_NO_SENDERS at the endpoint itself: only while there is a
 * sender. */
kern_return_t vnet_mach_endpoint_want_no_senders(struct vnet_mach_endpoint *e);

/* Is this message of the endpoint that notification? No client can forge it: it
 * comes by a send-once right, and only we make those. */
bool vnet_mach_is_no_senders(const mach_msg_header_t *in);

/* Has it still no senders? If it has some again, the notification is asked for
 * once more. */
bool vnet_mach_endpoint_is_deserted(struct vnet_mach_endpoint *e);

/* That name, as an endpoint; NULL if it is none. */
struct vnet_mach_endpoint *vnet_mach_endpoint_find(struct vnet_mach_ends *all,
						   mach_port_t name);

/* Reply to @in with a code alone, and destroy it. Does not wait. */
void vnet_mach_refuse(const struct vnet_mach_sys *sys, mach_msg_header_t *in,
		      kern_return_t code);

/* The right to reply to is taken out of @in. */
struct vnet_mach_answer {
	mach_port_t right;
	mach_msg_type_name_t type; /* 0 if there is none */
	mach_msg_id_t id;          /* of the reply */
};
struct vnet_mach_answer vnet_mach_take_reply(mach_msg_header_t *in);

/* Reply with @code, and behind it @nrights, which are moved. */
void vnet_mach_answer(const struct vnet_mach_sys *sys,
		      struct vnet_mach_answer *a, kern_return_t code,
		      const mach_port_t *rights,
		      mach_msg_type_name_t disposition, uint32_t nrights);
/* Nobody will reply: the kernel tells who waits. */
void vnet_mach_answer_drop(const struct vnet_mach_sys *sys,
			   struct vnet_mach_answer *a);

#endif
