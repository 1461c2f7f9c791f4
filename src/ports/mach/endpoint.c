/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "wire.h"

int
vnet_mach_ends_init(struct vnet_mach_ends *all, const struct vnet_mach_sys *sys,
		    const struct vnet_alloc *alloc, mach_port_t port_set,
		    vnet_nsec (*now)(void *ctx), void *ctx, uint32_t expected)
{
	int err;

	all->sys = sys;
	all->alloc = *alloc;
	all->now = now;
	all->ctx = ctx;
	all->port_set = port_set;
	all->made_port_set = port_set == MACH_PORT_NULL;
	all->calls = NULL;
	if (all->made_port_set &&
	    sys->port_allocate(MACH_PORT_RIGHT_PORT_SET, &all->port_set) !=
		    KERN_SUCCESS)
		return -ENOSPC;
	err = vnet_mach_names_init(&all->names, &all->alloc, expected);
	if (err && all->made_port_set)
		sys->port_mod_refs(all->port_set, MACH_PORT_RIGHT_PORT_SET, -1);
	vnet_mach_outbox_init(&all->outbox, sys, &all->alloc);
	return err;
}

void
vnet_mach_ends_fini(struct vnet_mach_ends *all)
{
	vnet_mach_names_fini(&all->names, &all->alloc);
	if (all->made_port_set)
		all->sys->port_mod_refs(all->port_set, MACH_PORT_RIGHT_PORT_SET,
					-1);
}

bool
vnet_mach_ends_demux(struct vnet_mach_ends *all, mach_msg_header_t *in)
{
	struct vnet_mach_endpoint *e;

	if (MACH_MSGH_BITS_LOCAL(in->msgh_bits) ==
	    MACH_MSG_TYPE_PROTECTED_PAYLOAD)
		return false;
	e = vnet_mach_endpoint_find(all, in->msgh_local_port);
	if (!e)
		return false;
	e->message(e, in);
	return true;
}

bool
vnet_mach_ends_handle(struct vnet_mach_ends *all, mach_msg_header_t *in,
		      mach_msg_header_t *out)
{
	mig_reply_header_t *reply = (mig_reply_header_t *)out;

	if (!vnet_mach_ends_demux(all, in))
		return false;
	memset(reply, 0, sizeof(*reply));
	reply->RetCode = MIG_NO_REPLY;
	return true;
}

int
vnet_mach_endpoint_open(struct vnet_mach_ends *all,
			struct vnet_mach_endpoint *e,
			void (*message)(struct vnet_mach_endpoint *e,
					mach_msg_header_t *in))
{
	const struct vnet_mach_sys *sys = all->sys;
	mach_port_t name;

	if (sys->port_allocate(MACH_PORT_RIGHT_RECEIVE, &name) != KERN_SUCCESS)
		return -ENOSPC;
	if (sys->port_move_member(name, all->port_set) != KERN_SUCCESS) {
		sys->port_mod_refs(name, MACH_PORT_RIGHT_RECEIVE, -1);
		return -ENOSPC;
	}
	e->all = all;
	e->message = message;
	vnet_mach_names_add(&all->names, &e->named, name);
	return 0;
}

void
vnet_mach_endpoint_close(struct vnet_mach_endpoint *e)
{
	mach_port_t name = e->named.name;

	if (name == MACH_PORT_NULL)
		return;
	vnet_mach_names_remove(&e->all->names, &e->named);
	e->all->sys->port_mod_refs(name, MACH_PORT_RIGHT_RECEIVE, -1);
}

void
vnet_mach_endpoint_watch(struct vnet_mach_endpoint *e, bool watched)
{
	e->all->sys->port_move_member(e->named.name, watched ? e->all->port_set
							     : MACH_PORT_NULL);
}

kern_return_t
vnet_mach_endpoint_make_send(struct vnet_mach_endpoint *e)
{
	return e->all->sys->port_insert_right(e->named.name, e->named.name,
					      MACH_MSG_TYPE_MAKE_SEND);
}

static kern_return_t
want_no_senders(struct vnet_mach_endpoint *e, mach_port_mscount_t sync)
{
	mach_port_t previous = MACH_PORT_NULL;
	kern_return_t kr;

	kr = e->all->sys->port_request_notification(e->named.name,
						    MACH_NOTIFY_NO_SENDERS,
						    sync, e->named.name,
						    &previous);
	if (kr == KERN_SUCCESS && MACH_PORT_VALID(previous))
		e->all->sys->port_deallocate(previous);
	return kr;
}

kern_return_t
vnet_mach_endpoint_want_no_senders(struct vnet_mach_endpoint *e)
{
	return want_no_senders(e, 0);
}

bool
vnet_mach_is_no_senders(const mach_msg_header_t *in)
{
	return in->msgh_id == MACH_NOTIFY_NO_SENDERS &&
	       MACH_MSGH_BITS_LOCAL(in->msgh_bits) ==
		       MACH_MSG_TYPE_PORT_SEND_ONCE;
}

bool
vnet_mach_endpoint_is_deserted(struct vnet_mach_endpoint *e)
{
	mach_port_status_t status;

	if (e->all->sys->port_get_receive_status(e->named.name, &status) !=
	    KERN_SUCCESS)
		return true;
	if (!status.mps_srights)
		return true;
	/* Without senders since, it would be told at once. */
	return want_no_senders(e, status.mps_mscount) != KERN_SUCCESS;
}

struct vnet_mach_endpoint *
vnet_mach_endpoint_find(struct vnet_mach_ends *all, mach_port_t name)
{
	return (struct vnet_mach_endpoint *)vnet_mach_names_find(&all->names,
								 name);
}

struct vnet_mach_answer
vnet_mach_take_reply(mach_msg_header_t *in)
{
	struct vnet_mach_answer a = {
		.right = in->msgh_remote_port,
		.type = MACH_MSGH_BITS_REMOTE(in->msgh_bits),
		.id = in->msgh_id + VNET_WIRE_REPLY,
	};

	if (!MACH_PORT_VALID(a.right)) {
		a.right = MACH_PORT_NULL;
		a.type = 0;
	}
	in->msgh_remote_port = MACH_PORT_NULL;
	in->msgh_bits &= ~(mach_msg_bits_t)MACH_MSGH_BITS_REMOTE_MASK;
	return a;
}

void
vnet_mach_answer(const struct vnet_mach_sys *sys, struct vnet_mach_answer *a,
		 kern_return_t code, const mach_port_t *rights,
		 mach_msg_type_name_t disposition, uint32_t nrights)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(a->type, 0),
		.remote = (uint32_t)a->right,
		.id = (uint32_t)a->id,
	};
	struct vnet_wire_writer w;
	uint64_t msg[16];
	uint32_t i;

	/* Laid out without a right to reply to as well: what is in it is moved
	 * and has to be destroyed. */
	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_HERE, &h);
	vnet_wire_put_return(&w, code);
	for (i = 0; i < nrights; i++)
		vnet_wire_put_right(&w, (uint32_t)rights[i], disposition);
	vnet_wire_end(&w);
	if (a->type == 0)
		vnet_mach_msg_destroy(sys, (mach_msg_header_t *)msg);
	else
		vnet_mach_send(sys, (mach_msg_header_t *)msg);
	a->right = MACH_PORT_NULL;
	a->type = 0;
}

void
vnet_mach_answer_drop(const struct vnet_mach_sys *sys,
		      struct vnet_mach_answer *a)
{
	if (a->type != 0)
		sys->port_deallocate(a->right);
	a->right = MACH_PORT_NULL;
	a->type = 0;
}

void
vnet_mach_refuse(const struct vnet_mach_sys *sys, mach_msg_header_t *in,
		 kern_return_t code)
{
	struct vnet_mach_answer a = vnet_mach_take_reply(in);

	if (a.type != 0)
		vnet_mach_answer(sys, &a, code, NULL, 0, 0);
	vnet_mach_msg_destroy(sys, in);
}
