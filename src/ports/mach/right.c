/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a server's receive rights come and go.
 */
#include <errno.h>

#include "server.h"

struct vnet_mach_right *
vnet_mach_right_find(const struct vnet_mach *m, mach_port_t name)
{
	return (struct vnet_mach_right *)vnet_mach_names_find(&m->rights, name);
}

/* No send right is there yet, or ever was: the first that is made is the one to
 * wait for the end of. */
static kern_return_t
ask_no_senders(struct vnet_mach *m, mach_port_t name)
{
	mach_port_t previous = MACH_PORT_NULL;
	mach_port_status_t status;
	kern_return_t k = m->sys->port_get_receive_status(name, &status);

	if (!k)
		k = m->sys->port_request_notification(
			name, MACH_NOTIFY_NO_SENDERS,
			status.mps_srights ? status.mps_mscount
					   : status.mps_mscount + 1,
			name, &previous);
	if (!k && previous != MACH_PORT_NULL)
		m->sys->port_deallocate(previous);
	return k;
}

int
vnet_mach_right_open(struct vnet_mach *m, struct vnet_mach_right *r,
		     const struct vnet_mach_right_ops *ops, mach_port_t receive,
		     mach_port_msgcount_t qlimit, bool no_senders)
{
	mach_port_t name = receive;
	mach_port_status_t status;

	if (receive == MACH_PORT_NULL &&
	    m->sys->port_allocate(MACH_PORT_RIGHT_RECEIVE, &name))
		return -ENOSPC;
	if (m->sys->port_set_qlimit(name, qlimit) ||
	    (no_senders && ask_no_senders(m, name)) ||
	    m->sys->port_get_receive_status(name, &status) ||
	    m->sys->port_move_member(name, m->port_set)) {
		if (receive == MACH_PORT_NULL)
			m->sys->port_mod_refs(name, MACH_PORT_RIGHT_RECEIVE,
					      -1);
		return -ENOSPC;
	}
	*r = (struct vnet_mach_right){
		.ops = ops,
		.m = m,
		.seqno = status.mps_seqno,
	};
	vnet_mach_names_add(&m->rights, &r->named, name);
	return 0;
}

void
vnet_mach_right_close(struct vnet_mach_right *r)
{
	mach_port_t name = r->named.name;

	if (name == MACH_PORT_NULL)
		return;
	vnet_mach_names_remove(&r->m->rights, &r->named);
	r->m->sys->port_mod_refs(name, MACH_PORT_RIGHT_RECEIVE, -1);
}

/* Anybody who holds a right may have sent it: have its senders gone? */
void
vnet_mach_right_no_senders(struct vnet_mach_right *r)
{
	struct vnet_mach *m = r->m;
	mach_port_status_t status;

	if (!r->ops->no_senders ||
	    m->sys->port_get_receive_status(r->named.name, &status)) {
		m->stats.forged++;
		return;
	}
	/* What was asked for is still to come, or is asked for anew where this
	 * was it, and a send right was made meanwhile. */
	if (status.mps_srights || !status.mps_mscount) {
		m->stats.forged++;
		ask_no_senders(m, r->named.name);
		return;
	}
	r->ops->no_senders(r);
}
