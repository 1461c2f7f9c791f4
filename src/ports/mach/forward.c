/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Passing a message on to another right.
 *
 * A message can be sent on as it was received. The kernel tells of each right in
 * it what the receiver has, PORT_SEND, PORT_SEND_ONCE or PORT_RECEIVE, and these
 * are MOVE_SEND, MOVE_SEND_ONCE and MOVE_RECEIVE to a sender; memory out of line
 * is marked to be deallocated, and so moves. Only the header is turned round:
 * the receiver finds the right to reply to as the remote one, a sender gives it
 * as the local one.
 *
 * A send that fails for a full queue gives the message back as if it had been
 * received ("pseudo-receive"): with it a reference to the destination, which was
 * copied, and everything under names that may be new. Other failures come in two
 * kinds: those found before anything was taken, and those found in the body
 * behind the first right, upon which the kernel has destroyed all of it.
 */
#include "forward.h"
#include "wire.h"

/* The most rights of a message. To move more references to a name than it counts
 * takes those along that somebody here holds (give_back(), msg.c). */
#define MAX_RIGHTS 4096

static void
count(void *ctx, uint32_t name, uint32_t disposition)
{
	uint32_t *n = ctx;

	(void)name;
	(void)disposition;
	++*n;
}

static void
ignore(void *ctx, uintptr_t address, size_t octets)
{
	(void)ctx;
	(void)address;
	(void)octets;
}

static uint32_t
rights_of(const mach_msg_header_t *in)
{
	uint32_t n = 0;
	const struct vnet_wire_visitor v = {
		.right = count,
		.memory = ignore,
		.ctx = &n,
	};

	vnet_wire_visit((const uint8_t *)in, in->msgh_size, VNET_WIRE_HERE, &v);
	return n;
}

/* As received: the right to reply to is the remote one. */
static void
set_reply(mach_msg_header_t *in, mach_port_t reply, mach_msg_type_name_t type)
{
	in->msgh_bits = MACH_MSGH_BITS(type, 0) |
			(in->msgh_bits & MACH_MSGH_BITS_COMPLEX);
	in->msgh_remote_port = reply;
	in->msgh_local_port = MACH_PORT_NULL;
}

static mach_msg_return_t
forward(const struct vnet_mach_sys *sys, mach_msg_header_t *in, mach_port_t to,
	mach_msg_option_t options, mach_port_t notify)
{
	mach_port_t reply = in->msgh_remote_port;
	mach_msg_type_name_t type = MACH_MSGH_BITS_REMOTE(in->msgh_bits);
	mach_msg_return_t sent;

	if (rights_of(in) > MAX_RIGHTS) {
		set_reply(in, reply, type);
		return MACH_SEND_NO_BUFFER;
	}
	in->msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, type) |
			(in->msgh_bits & MACH_MSGH_BITS_COMPLEX);
	in->msgh_remote_port = to;
	in->msgh_local_port = reply;
	sent = sys->msg(in, MACH_SEND_MSG | MACH_SEND_TIMEOUT | options,
			in->msgh_size, 0, MACH_PORT_NULL, 0, notify);

	/* What did not fit in our address space or our names has been left out
	 * of what was given back. */
	switch (sent & ~MACH_MSG_MASK) {
	case MACH_MSG_SUCCESS:
	case MACH_SEND_WILL_NOTIFY:
		return sent;
	case MACH_SEND_TIMED_OUT:
	case MACH_SEND_INTERRUPTED:
	case MACH_SEND_NOTIFY_IN_PROGRESS:
	case MACH_SEND_INVALID_NOTIFY:
	case MACH_SEND_NO_NOTIFY:
		if (MACH_PORT_VALID(in->msgh_remote_port))
			sys->port_deallocate(in->msgh_remote_port);
		set_reply(in, in->msgh_local_port,
			  MACH_MSGH_BITS_LOCAL(in->msgh_bits));
		return MACH_SEND_TIMED_OUT;
	case MACH_SEND_INVALID_MEMORY:
	case MACH_SEND_INVALID_RIGHT:
	case MACH_SEND_INVALID_TYPE:
	case MACH_SEND_MSG_TOO_SMALL:
		in->msgh_bits = 0;
		set_reply(in, MACH_PORT_NULL, 0);
		return sent;
	default:
		set_reply(in, reply, type);
		return sent;
	}
}

mach_msg_return_t
vnet_mach_forward(const struct vnet_mach_sys *sys, mach_msg_header_t *in,
		  mach_port_t to)
{
	return forward(sys, in, to, 0, MACH_PORT_NULL);
}

mach_msg_return_t
vnet_mach_forward_always(const struct vnet_mach_sys *sys, mach_msg_header_t *in,
			 mach_port_t to, mach_port_t notify)
{
	return forward(sys, in, to, MACH_SEND_NOTIFY, notify);
}
