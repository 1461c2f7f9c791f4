/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a message holds, and what of it is left when it was not sent.
 */
#include "sys.h"
#include "wire.h"

/* The kernel counts references to a name no further than 65534, and forgets those
 * beyond: of a name that has so many nobody knows how many are whose. It keeps
 * these, so that those that are held elsewhere stay, and the name does not become
 * that of another right. What is held never comes near. */
#define MANY_REFS 32768

static void
give_back(const struct vnet_mach_sys *sys, mach_port_t name)
{
	static const mach_port_right_t rights[] = {
		MACH_PORT_RIGHT_SEND,
		MACH_PORT_RIGHT_DEAD_NAME,
	};
	mach_port_urefs_t refs;

	for (size_t i = 0; i < 2; i++)
		if (!sys->port_get_refs(name, rights[i], &refs) &&
		    refs > MANY_REFS)
			return;
	sys->port_deallocate(name);
}

/* A right of a message that nobody will receive. One that was only to be made is
 * made, so that whoever waits for the end of its senders sees that. */
static void
destroy_right(const struct vnet_mach_sys *sys, mach_port_t name,
	      mach_msg_type_name_t type)
{
	if (!MACH_PORT_VALID(name))
		return;
	switch (type) {
	case MACH_MSG_TYPE_MOVE_RECEIVE:
		sys->port_mod_refs(name, MACH_PORT_RIGHT_RECEIVE, -1);
		break;
	case MACH_MSG_TYPE_MAKE_SEND:
		if (sys->port_insert_right(name, name, MACH_MSG_TYPE_MAKE_SEND))
			break;
		sys->port_deallocate(name);
		break;
	case MACH_MSG_TYPE_MOVE_SEND:
		give_back(sys, name);
		break;
	case MACH_MSG_TYPE_MOVE_SEND_ONCE:
		sys->port_deallocate(name);
		break;
	default:
		break;
	}
}

static void
right(void *ctx, uint32_t name, uint32_t disposition)
{
	destroy_right(ctx, name, disposition);
}

static void
memory(void *ctx, uintptr_t address, size_t octets)
{
	const struct vnet_mach_sys *sys = ctx;

	sys->vm_deallocate(address, octets);
}

static void
destroy(const struct vnet_mach_sys *sys, mach_msg_header_t *msg)
{
	const struct vnet_wire_visitor v = {
		.right = right,
		.memory = memory,
		.ctx = (void *)(uintptr_t)sys,
	};

	destroy_right(sys, msg->msgh_remote_port,
		      MACH_MSGH_BITS_REMOTE(msg->msgh_bits));
	vnet_wire_visit((const uint8_t *)msg, msg->msgh_size, VNET_WIRE_HERE,
			&v);
}

/* The local right is the one that it came to, and no part of it. */
void
vnet_mach_msg_destroy(const struct vnet_mach_sys *sys, mach_msg_header_t *msg)
{
	destroy(sys, msg);
}

/*
 * Where the queue is full the kernel has taken the message apart, and gives it
 * back as if it had been received here; but its header is not turned round, and
 * the local right is the one to reply to. What did not fit here any more, it says
 * in further bits. Where it found fault with the header, or had no memory to copy
 * the message into, it has touched nothing. Either way all of it is ours.
 *
 * With other errors, which are mistakes of who made the message, the kernel has
 * destroyed what it had read of it.
 */
mach_msg_return_t
vnet_mach_send(const struct vnet_mach_sys *sys, mach_msg_header_t *msg)
{
	mach_msg_return_t r =
		sys->msg(msg, MACH_SEND_MSG | MACH_SEND_TIMEOUT, msg->msgh_size,
			 0, MACH_PORT_NULL, 0, MACH_PORT_NULL) &
		~MACH_MSG_MASK;

	switch (r) {
	case MACH_SEND_TIMED_OUT:
	case MACH_SEND_INTERRUPTED:
	case MACH_SEND_NO_BUFFER:
	case MACH_SEND_INVALID_HEADER:
	case MACH_SEND_INVALID_DEST:
	case MACH_SEND_INVALID_REPLY:
		destroy_right(sys, msg->msgh_local_port,
			      MACH_MSGH_BITS_LOCAL(msg->msgh_bits));
		destroy(sys, msg);
		break;
	default:
		break;
	}
	return r;
}
