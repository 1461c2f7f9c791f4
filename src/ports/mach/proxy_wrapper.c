/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wrapper: a right that a program has in the place of its real one.
 *
 * Messages stay in order because a wrapper whose last message waits for room is
 * not received from: its right leaves the port set, and what comes to it stays
 * in its queue, where it holds up those who send to it and nobody else. There is
 * room again when the kernel says that the message, which was forced into the
 * full queue, has been taken (MACH_SEND_NOTIFY). It grants that to a task once
 * for each right at a time; what is refused waits here and is tried by the clock.
 */
#include <errno.h>

#include "hurd_ids.h"
#include "proxy.h"

static void
getprivports(struct vnet_proxy_wrapper *w, mach_msg_header_t *in)
{
	struct vnet_proxy *p = w->proxy;
	const mach_port_t rights[2] = {
		vnet_proxy_is_root(&w->ids) ? p->config.host_priv
					    : MACH_PORT_NULL,
		p->config.device_master,
	};
	struct vnet_mach_answer a;

	if (in->msgh_size != sizeof(*in)) {
		vnet_mach_refuse(p->ends.sys, in, MIG_BAD_ARGUMENTS);
		return;
	}
	p->stats.diverted++;
	a = vnet_mach_take_reply(in);
	if (a.type != 0)
		vnet_mach_answer(p->ends.sys, &a, KERN_SUCCESS, rights,
				 MACH_MSG_TYPE_COPY_SEND, 2);
	vnet_mach_msg_destroy(p->ends.sys, in);
}

static void
message(struct vnet_mach_endpoint *e, mach_msg_header_t *in)
{
	struct vnet_proxy_wrapper *w =
		VNET_MACH_CONTAINER(e, struct vnet_proxy_wrapper, right);

	if (vnet_mach_is_no_senders(in)) {
		if (vnet_mach_endpoint_is_deserted(e))
			vnet_proxy_wrapper_end(w);
		return;
	}
	switch (in->msgh_id) {
	case HURD_PROC_GETPRIVPORTS:
		getprivports(w, in);
		return;
	case HURD_PROC_TASK2PROC:
	case HURD_PROC_PID2PROC:
		vnet_proxy_lookup_begin(w, in);
		return;
	case HURD_PROC_REAUTHENTICATE:
	case HURD_PROC_REAUTHENTICATE_REASSIGN:
		vnet_proxy_reauth_begin(w, in);
		return;
	case HURD_PROC_REAUTHENTICATE_COMPLETE:
		/* Of nothing that has begun: it would go to a new right. */
		vnet_mach_msg_destroy(w->proxy->ends.sys, in);
		return;
	default:
		vnet_proxy_wrapper_forward(w, in);
	}
}

void
vnet_proxy_wrapper_hold(struct vnet_proxy_wrapper *w, uint32_t why)
{
	if (w->held == 0) {
		vnet_mach_endpoint_watch(&w->right, false);
		w->proxy->stats.held++;
	}
	w->held |= why;
}

void
vnet_proxy_wrapper_release(struct vnet_proxy_wrapper *w, uint32_t why)
{
	if ((w->held & why) == 0)
		return;
	w->held &= ~why;
	if (w->held == 0) {
		vnet_mach_endpoint_watch(&w->right, true);
		w->proxy->stats.held--;
	}
}

bool
vnet_proxy_wrapper_forward(struct vnet_proxy_wrapper *w, mach_msg_header_t *in)
{
	struct vnet_proxy *p = w->proxy;
	mach_msg_return_t sent;

	sent = vnet_mach_outbox_send(&p->ends.outbox, &w->sender, in,
				     w->real.name, p->notify.named.name,
				     p->ends.now(p->ends.ctx));
	switch (sent) {
	case MACH_MSG_SUCCESS:
		p->stats.forwarded++;
		return true;
	case MACH_SEND_WILL_NOTIFY:
		p->stats.forwarded++;
		p->stats.waited++;
		vnet_proxy_wrapper_hold(w, VNET_PROXY_HELD_FULL);
		return true;
	case MACH_SEND_TIMED_OUT:
		p->stats.waited++;
		vnet_proxy_wrapper_hold(w, VNET_PROXY_HELD_FULL);
		return true;
	default:
		p->stats.undelivered++;
		vnet_mach_call_destroy(p->ends.sys, in);
		return false;
	}
}

/* What waited has been sent, or cannot be. */
static void
settled(struct vnet_mach_sender *s, mach_msg_return_t sent)
{
	struct vnet_proxy_wrapper *w =
		VNET_MACH_CONTAINER(s, struct vnet_proxy_wrapper, sender);

	if (sent == MACH_MSG_SUCCESS)
		w->proxy->stats.forwarded++;
	else
		w->proxy->stats.undelivered++;
	vnet_proxy_wrapper_release(w, VNET_PROXY_HELD_FULL);
}

static struct vnet_proxy_wrapper *
find(struct vnet_proxy *p, mach_port_t real)
{
	struct vnet_mach_named *n = vnet_mach_names_find(&p->reals, real);

	return n ? VNET_MACH_CONTAINER(n, struct vnet_proxy_wrapper, real)
		 : NULL;
}

void
vnet_proxy_accepted(struct vnet_proxy *p, mach_port_t real)
{
	struct vnet_proxy_wrapper *w = find(p, real);

	if (w && !w->sender.waits)
		vnet_proxy_wrapper_release(w, VNET_PROXY_HELD_FULL);
}

void
vnet_proxy_died(struct vnet_proxy *p, mach_port_t real)
{
	struct vnet_proxy_wrapper *w = find(p, real);

	if (w)
		vnet_proxy_wrapper_end(w);
}

/* Hear of the death of a real right. */
static int
watch_death(struct vnet_proxy *p, mach_port_t real)
{
	const struct vnet_mach_sys *sys = p->ends.sys;
	mach_port_t previous = MACH_PORT_NULL;

	/* With sync 1 one that is dead already is told of, too. */
	if (sys->port_request_notification(real, MACH_NOTIFY_DEAD_NAME, 1,
					   p->notify.named.name,
					   &previous) != KERN_SUCCESS)
		return -EINVAL;
	if (MACH_PORT_VALID(previous))
		sys->port_deallocate(previous);
	return 0;
}

static int
open_wrapper(struct vnet_proxy_wrapper *w, mach_port_t real)
{
	struct vnet_proxy *p = w->proxy;
	int err;

	err = vnet_mach_endpoint_open(&p->ends, &w->right, message);
	if (err)
		return err;
	err = -ENOSPC;
	if (vnet_mach_endpoint_make_send(&w->right) != KERN_SUCCESS)
		goto close;
	if (vnet_mach_endpoint_want_no_senders(&w->right) != KERN_SUCCESS)
		goto drop_sender;
	err = watch_death(p, real);
	if (!err)
		return 0;
drop_sender:
	/* First: it would be left as a dead name. */
	p->ends.sys->port_deallocate(w->right.named.name);
close:
	vnet_mach_endpoint_close(&w->right);
	return err;
}

static int
make(struct vnet_proxy *p, mach_port_t real, const struct vnet_proxy_ids *ids,
     struct vnet_proxy_wrapper **made)
{
	struct vnet_proxy_wrapper *w;
	int err;

	if (p->stats.wrappers >= p->config.max_wrappers)
		return -EUSERS;
	w = vnet_proxy_get_memory(p, sizeof(*w),
				  _Alignof(struct vnet_proxy_wrapper));
	if (!w)
		return -ENOMEM;
	w->proxy = p;
	w->sender.settled = settled;
	if (ids)
		w->ids = *ids;
	err = open_wrapper(w, real);
	if (err) {
		vnet_proxy_put_memory(p, w, sizeof(*w));
		return err;
	}
	vnet_mach_names_add(&p->reals, &w->real, real);
	w->next = p->wrappers;
	w->link = &p->wrappers;
	if (w->next)
		w->next->link = &w->next;
	p->wrappers = w;
	p->stats.wrappers++;
	*made = w;
	return 0;
}

int
vnet_proxy_wrapper_get(struct vnet_proxy *p, mach_port_t real,
		       const struct vnet_proxy_ids *ids,
		       struct vnet_proxy_wrapper **w)
{
	struct vnet_proxy_wrapper *found = find(p, real);

	if (!found)
		return make(p, real, ids, w);
	if (vnet_mach_endpoint_make_send(&found->right) != KERN_SUCCESS)
		return -ENOSPC;
	p->ends.sys->port_deallocate(real);
	*w = found;
	return 0;
}

void
vnet_proxy_wrapper_end(struct vnet_proxy_wrapper *w)
{
	struct vnet_proxy *p = w->proxy;
	mach_port_t real = w->real.name;

	vnet_proxy_lookup_cancel_all(w);
	vnet_proxy_reauth_cancel(w);
	vnet_mach_outbox_cancel(&p->ends.outbox, &w->sender);
	vnet_mach_names_remove(&p->reals, &w->real);
	vnet_mach_endpoint_close(&w->right);
	p->ends.sys->port_deallocate(real);
	if (w->held)
		p->stats.held--;
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	p->stats.wrappers--;
	vnet_proxy_put_memory(p, w, sizeof(*w));
}

int
vnet_proxy_wrapper_replace(struct vnet_proxy_wrapper *w, mach_port_t real)
{
	struct vnet_proxy *p = w->proxy;
	mach_port_t old = w->real.name;
	int err;

	if (find(p, real))
		return -EEXIST;
	err = watch_death(p, real);
	if (err)
		return err;
	/* What waits for the old one would be lost there, too. */
	vnet_mach_outbox_cancel(&p->ends.outbox, &w->sender);
	vnet_mach_names_remove(&p->reals, &w->real);
	vnet_mach_names_add(&p->reals, &w->real, real);
	p->ends.sys->port_deallocate(old);
	vnet_proxy_wrapper_release(w, VNET_PROXY_HELD_FULL);
	return 0;
}

void
vnet_proxy_wrapper_move(struct vnet_proxy_wrapper *w,
			struct vnet_mach_endpoint *fresh)
{
	struct vnet_mach_names *names = &w->proxy->ends.names;
	mach_port_t name = fresh->named.name;

	vnet_mach_endpoint_close(&w->right);
	vnet_mach_names_remove(names, &fresh->named);
	vnet_mach_names_add(names, &w->right.named, name);
}
