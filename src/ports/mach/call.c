/* SPDX-License-Identifier: BSD-2-Clause */
#include "call.h"

/* The call is over: what it tells of it may begin another one, or end. */
static void
finish(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	vnet_mach_call_cancel(c);
	c->answered(c, in);
}

static void
arrived(struct vnet_mach_endpoint *e, mach_msg_header_t *in)
{
	struct vnet_mach_call *c =
		VNET_MACH_CONTAINER(e, struct vnet_mach_call, reply);

	finish(c, in);
}

static void
settled(struct vnet_mach_sender *s, mach_msg_return_t sent)
{
	struct vnet_mach_call *c =
		VNET_MACH_CONTAINER(s, struct vnet_mach_call, sender);

	if (sent != MACH_MSG_SUCCESS)
		finish(c, NULL);
}

int
vnet_mach_call_open(struct vnet_mach_ends *all, struct vnet_mach_call *c,
		    void (*answered)(struct vnet_mach_call *c,
				     mach_msg_header_t *in))
{
	int err = vnet_mach_endpoint_open(all, &c->reply, arrived);

	if (err)
		return err;
	c->sender.waits = NULL;
	c->sender.settled = settled;
	c->answered = answered;
	c->deadline = VNET_NEVER;
	c->next = all->calls;
	all->calls = c;
	return 0;
}

void
vnet_mach_call_cancel(struct vnet_mach_call *c)
{
	struct vnet_mach_ends *all = c->reply.all;
	struct vnet_mach_call **p;

	if (c->reply.named.name == MACH_PORT_NULL)
		return;
	for (p = &all->calls; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	vnet_mach_outbox_cancel(&all->outbox, &c->sender);
	vnet_mach_endpoint_close(&c->reply);
}

void
vnet_mach_call_begin(struct vnet_mach_call *c, struct vnet_wire_writer *w,
		     void *msg, size_t room, mach_msg_id_t id)
{
	/* As if received: who passes it on turns the header round. */
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND_ONCE, 0),
		.remote = (uint32_t)c->reply.named.name,
		.id = (uint32_t)id,
	};

	vnet_wire_begin(w, msg, room, VNET_WIRE_HERE, &h);
}

void
vnet_mach_call_redirect(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	in->msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND_ONCE, 0) |
			(in->msgh_bits & MACH_MSGH_BITS_COMPLEX);
	in->msgh_remote_port = c->reply.named.name;
}

void
vnet_mach_call_destroy(const struct vnet_mach_sys *sys, mach_msg_header_t *msg)
{
	if (MACH_MSGH_BITS_REMOTE(msg->msgh_bits) ==
	    MACH_MSG_TYPE_MAKE_SEND_ONCE)
		(void)vnet_mach_take_reply(msg);
	vnet_mach_msg_destroy(sys, msg);
}

void
vnet_mach_call_send(struct vnet_mach_call *c, mach_msg_header_t *msg,
		    mach_port_t to, vnet_nsec deadline)
{
	struct vnet_mach_ends *all = c->reply.all;
	mach_msg_return_t sent;

	c->deadline = deadline;
	sent = vnet_mach_outbox_send(&all->outbox, &c->sender, msg, to,
				     MACH_PORT_NULL, all->now(all->ctx));
	if (sent == MACH_MSG_SUCCESS || sent == MACH_SEND_TIMED_OUT)
		return;
	vnet_mach_call_destroy(all->sys, msg);
	finish(c, NULL);
}

bool
vnet_mach_call_open_request(struct vnet_wire_reader *r,
			    const mach_msg_header_t *in)
{
	struct vnet_wire_header h;

	vnet_wire_open(r, in, in->msgh_size, VNET_WIRE_HERE, &h);
	if (!(in->msgh_bits & MACH_MSGH_BITS_COMPLEX))
		r->is_wrong = true;
	return !r->is_wrong;
}

kern_return_t
vnet_mach_call_open_answer(struct vnet_wire_reader *r,
			   const mach_msg_header_t *in, mach_msg_id_t id)
{
	struct vnet_wire_header h;

	/* A right is one only in a message that the kernel has seen to. */
	if (!in || in->msgh_id != id + VNET_WIRE_REPLY ||
	    !vnet_wire_is_whole((const uint8_t *)in, in->msgh_size,
				VNET_WIRE_HERE))
		return MIG_SERVER_DIED;
	vnet_wire_open(r, in, in->msgh_size, VNET_WIRE_HERE, &h);
	return (kern_return_t)vnet_wire_get_int32(r);
}

void
vnet_mach_ends_tick(struct vnet_mach_ends *all)
{
	vnet_nsec now = all->now(all->ctx);
	struct vnet_mach_call *c;

	vnet_mach_outbox_tick(&all->outbox, now);
	/* From the front each time: whoever is told may end others. */
	for (c = all->calls; c;) {
		if (c->deadline > now) {
			c = c->next;
			continue;
		}
		finish(c, NULL);
		c = all->calls;
	}
}

vnet_nsec
vnet_mach_ends_deadline(const struct vnet_mach_ends *all)
{
	const struct vnet_mach_call *c;
	vnet_nsec due = all->outbox.due;

	for (c = all->calls; c; c = c->next) {
		if (c->deadline < due)
			due = c->deadline;
	}
	return due;
}
