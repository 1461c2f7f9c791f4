/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program authenticates anew: it changes its ids, or an exec server moves a
 * process to another task with other ids.
 *
 * Between a program and its proc server that goes as follows. The program hands
 * the server a rendezvous right (proc_reauthenticate), and gives the auth server
 * the same with its new auth handle (auth_user_authenticate). The server gives
 * the auth server the rendezvous and a new process right
 * (auth_server_authenticate). From the auth server the program then has the new
 * right, and the server the ids. They hold when proc_reauthenticate_complete
 * arrives at the new right: only then has the one who authenticated meant this
 * process. Somebody else's rendezvous, who meant another server, ends here.
 *
 * Passed on, this would give the program the real right. So the proxy is the
 * server to the program, with a fresh right that becomes the wrapper's, and then
 * the program to the real server:
 *
 *	program		proxy					auth, proc
 *	reauthenticate ->
 *			server_authenticate (fresh right)	-> auth
 *			ids					<- auth
 *	complete ->	(on the fresh right)
 *			makeauth (ids)				-> auth
 *			reauthenticate				-> proc
 *			user_authenticate			-> auth
 *			new real right				<- auth
 *			complete (on the new real right)	-> proc
 *
 * The last part keeps the real server's opinion of the process equal to ours. If
 * our own ids do not suffice for it, or a server does not know it, the wrapper
 * keeps the ids, and with a new task the whole has failed. Nothing of the program
 * is passed on between its complete and the end.
 */
#include <string.h>

#include "hurd_ids.h"
#include "proxy.h"

struct vnet_proxy_reauth {
	struct vnet_proxy_wrapper *w;
	struct vnet_mach_call call;      /* of the auth server */
	struct vnet_mach_endpoint fresh; /* the wrapper's right to be */
	struct vnet_proxy_ids ids;
	bool is_known;          /* the ids have come */
	bool is_complete;       /* and the program means it */
	mach_port_t task;       /* that the process moves to, or null */
	mach_port_t handle;     /* with these ids, at the auth server */
	mach_port_t rendezvous; /* with the real server, a receive right */
	vnet_nsec deadline;
};

bool
vnet_proxy_is_root(const struct vnet_proxy_ids *ids)
{
	uint32_t i, k;

	/* In effect or available: that is how the proc server sees it. */
	for (k = 0; k < 2; k++) {
		for (i = 0; i < ids->n[k]; i++) {
			if (ids->id[k][i] == 0)
				return true;
		}
	}
	return false;
}

static void
drop(const struct vnet_mach_sys *sys, mach_port_t *right)
{
	if (MACH_PORT_VALID(*right))
		sys->port_deallocate(*right);
	*right = MACH_PORT_NULL;
}

/* What the part with the real server holds. */
static void
drop_real(struct vnet_proxy_reauth *r)
{
	const struct vnet_mach_sys *sys = r->w->proxy->ends.sys;

	vnet_mach_call_cancel(&r->call);
	drop(sys, &r->handle);
	if (r->rendezvous != MACH_PORT_NULL)
		sys->port_mod_refs(r->rendezvous, MACH_PORT_RIGHT_RECEIVE, -1);
	r->rendezvous = MACH_PORT_NULL;
}

static void
end(struct vnet_proxy_reauth *r)
{
	struct vnet_proxy_wrapper *w = r->w;

	drop_real(r);
	drop(w->proxy->ends.sys, &r->task);
	vnet_mach_endpoint_close(&r->fresh);
	w->reauth = NULL;
	vnet_proxy_put_memory(w->proxy, r, sizeof(*r));
	vnet_proxy_wrapper_release(w, VNET_PROXY_HELD_REAUTH);
}

static void
fail(struct vnet_proxy_reauth *r)
{
	r->w->proxy->stats.reauths_lost++;
	end(r);
}

void
vnet_proxy_reauth_cancel(struct vnet_proxy_wrapper *w)
{
	if (w->reauth)
		fail(w->reauth);
}

/* The program has its new right, and what it sent to it begins to count. */
static void
settle(struct vnet_proxy_reauth *r)
{
	struct vnet_proxy_wrapper *w = r->w;

	w->ids = r->ids;
	vnet_proxy_wrapper_move(w, &r->fresh);
	w->proxy->stats.reauths++;
	end(r);
}

/* The real server will not hear of it. */
static void
settle_alone(struct vnet_proxy_reauth *r)
{
	if (r->task != MACH_PORT_NULL)
		fail(r);
	else
		settle(r);
}

/* The new real right: it counts from the message on that says so. */
static bool
take_real(struct vnet_proxy_reauth *r, mach_port_t real)
{
	const struct vnet_wire_header h = {
		.id = HURD_PROC_REAUTHENTICATE_COMPLETE,
	};
	struct vnet_wire_writer w;
	uint64_t msg[8];

	if (vnet_proxy_wrapper_replace(r->w, real) != 0)
		return false;
	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_HERE, &h);
	vnet_wire_end(&w);
	return vnet_proxy_wrapper_forward(r->w, (mach_msg_header_t *)msg);
}

static void
entered(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	struct vnet_proxy_reauth *r =
		VNET_MACH_CONTAINER(c, struct vnet_proxy_reauth, call);
	const struct vnet_mach_sys *sys = r->w->proxy->ends.sys;
	struct vnet_wire_reader rd;
	mach_port_t real;
	uint32_t disposition;

	if (vnet_mach_call_open_answer(&rd, in, HURD_AUTH_USER_AUTHENTICATE) !=
	    KERN_SUCCESS)
		goto alone;
	real = vnet_wire_get_right(&rd, &disposition);
	if (!vnet_wire_close(&rd))
		goto alone;
	/* Servers of before 2022 give none: the right stays as it is. */
	if (MACH_PORT_VALID(real) && !take_real(r, real))
		drop(sys, &real);
	settle(r);
	return;
alone:
	if (in)
		vnet_mach_msg_destroy(sys, in);
	settle_alone(r);
}

/* Hand the real server our rendezvous. */
static bool
meet_real(struct vnet_proxy_reauth *r)
{
	const struct vnet_wire_header h = {
		.id = r->task != MACH_PORT_NULL
			      ? HURD_PROC_REAUTHENTICATE_REASSIGN
			      : HURD_PROC_REAUTHENTICATE,
	};
	const struct vnet_mach_sys *sys = r->w->proxy->ends.sys;
	struct vnet_wire_writer w;
	uint64_t msg[16];

	if (sys->port_allocate(MACH_PORT_RIGHT_RECEIVE, &r->rendezvous) !=
	    KERN_SUCCESS) {
		r->rendezvous = MACH_PORT_NULL;
		return false;
	}
	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_HERE, &h);
	vnet_wire_put_right(&w, (uint32_t)r->rendezvous, VNET_WIRE_MAKE_SEND);
	if (r->task != MACH_PORT_NULL)
		vnet_wire_put_right(&w, (uint32_t)r->task, VNET_WIRE_COPY_SEND);
	vnet_wire_end(&w);
	return vnet_proxy_wrapper_forward(r->w, (mach_msg_header_t *)msg);
}

static void
made(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	struct vnet_proxy_reauth *r =
		VNET_MACH_CONTAINER(c, struct vnet_proxy_reauth, call);
	struct vnet_proxy *p = r->w->proxy;
	struct vnet_wire_writer w;
	struct vnet_wire_reader rd;
	uint64_t msg[16];
	uint32_t disposition;

	if (vnet_mach_call_open_answer(&rd, in, HURD_AUTH_MAKEAUTH) !=
	    KERN_SUCCESS)
		goto alone;
	r->handle = vnet_wire_get_right(&rd, &disposition);
	if (!vnet_wire_close(&rd) || !MACH_PORT_VALID(r->handle)) {
		r->handle = MACH_PORT_NULL;
		goto alone;
	}
	if (!meet_real(r) ||
	    vnet_mach_call_open(&p->ends, &r->call, entered) != 0) {
		settle_alone(r);
		return;
	}
	vnet_mach_call_begin(&r->call, &w, msg, sizeof(msg),
			     HURD_AUTH_USER_AUTHENTICATE);
	vnet_wire_put_right(&w, (uint32_t)r->rendezvous, VNET_WIRE_MAKE_SEND);
	vnet_wire_end(&w);
	vnet_mach_call_send(&r->call, (mach_msg_header_t *)msg, r->handle,
			    VNET_NEVER);
	return;
alone:
	if (in)
		vnet_mach_msg_destroy(p->ends.sys, in);
	settle_alone(r);
}

/* The program has authenticated, and means this process. */
static void
proceed(struct vnet_proxy_reauth *r)
{
	struct vnet_proxy *p = r->w->proxy;
	struct vnet_wire_writer w;
	uint64_t msg[VNET_MACH_CALL_SIZE / 8];
	uint32_t k;

	if (!r->is_known || !r->is_complete)
		return;
	vnet_proxy_wrapper_hold(r->w, VNET_PROXY_HELD_REAUTH);
	r->deadline = p->ends.now(p->ends.ctx) + p->config.auth_timeout;
	if (vnet_mach_call_open(&p->ends, &r->call, made) != 0) {
		settle_alone(r);
		return;
	}
	vnet_mach_call_begin(&r->call, &w, msg, sizeof(msg),
			     HURD_AUTH_MAKEAUTH);
	/* Arrays without a bound have the long form, however short they are:
	 * no handles beside ours, and the ids. */
	vnet_wire_put_octets(&w, VNET_WIRE_COPY_SEND, NULL, 0, true);
	for (k = 0; k < 4; k++)
		vnet_wire_put_octets(&w, VNET_WIRE_INT32, r->ids.id[k],
				     r->ids.n[k], true);
	vnet_wire_end(&w);
	vnet_mach_call_send(&r->call, (mach_msg_header_t *)msg, p->config.auth,
			    VNET_NEVER);
}

static void
fresh_message(struct vnet_mach_endpoint *e, mach_msg_header_t *in)
{
	struct vnet_proxy_reauth *r =
		VNET_MACH_CONTAINER(e, struct vnet_proxy_reauth, fresh);

	if (vnet_mach_is_no_senders(in)) {
		if (vnet_mach_endpoint_is_deserted(e))
			fail(r);
		return;
	}
	vnet_mach_msg_destroy(r->w->proxy->ends.sys, in);
	if (in->msgh_id != HURD_PROC_REAUTHENTICATE_COMPLETE) {
		fail(r);
		return;
	}
	r->is_complete = true;
	/* What comes next is for the wrapper. */
	vnet_mach_endpoint_watch(e, false);
	proceed(r);
}

/* Ids of one kind. Return: how many. */
static uint32_t
get_ids(struct vnet_wire_reader *rd, uint32_t *ids)
{
	uint32_t octets, n;
	const uint8_t *p;

	p = vnet_wire_get_octets(rd, VNET_WIRE_INT32, &octets);
	n = octets / sizeof(*ids);
	if (n > VNET_PROXY_IDS)
		n = VNET_PROXY_IDS;
	if (n > 0)
		memcpy(ids, p, n * sizeof(*ids));
	return n;
}

static void
identified(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	struct vnet_proxy_reauth *r =
		VNET_MACH_CONTAINER(c, struct vnet_proxy_reauth, call);
	struct vnet_wire_reader rd;
	kern_return_t code;
	uint32_t k;

	code = vnet_mach_call_open_answer(&rd, in,
					  HURD_AUTH_SERVER_AUTHENTICATE);
	if (code == KERN_SUCCESS) {
		for (k = 0; k < 4; k++)
			r->ids.n[k] = get_ids(&rd, r->ids.id[k]);
		r->is_known = vnet_wire_close(&rd);
	}
	if (in)
		vnet_mach_msg_destroy(r->w->proxy->ends.sys, in);
	if (r->is_known)
		proceed(r);
	else
		fail(r);
}

/* Ask the auth server who it is, and have it give the program the fresh right. */
static void
identify(struct vnet_proxy_reauth *r, mach_port_t rendezvous)
{
	struct vnet_proxy *p = r->w->proxy;
	struct vnet_wire_writer w;
	uint64_t msg[16];

	vnet_mach_call_begin(&r->call, &w, msg, sizeof(msg),
			     HURD_AUTH_SERVER_AUTHENTICATE);
	vnet_wire_put_right(&w, (uint32_t)rendezvous, VNET_WIRE_MOVE_SEND);
	vnet_wire_put_right(&w, (uint32_t)r->fresh.named.name,
			    VNET_WIRE_MOVE_SEND);
	vnet_wire_end(&w);
	vnet_mach_call_send(&r->call, (mach_msg_header_t *)msg, p->config.auth,
			    VNET_NEVER);
}

/* The rights of the call that the fresh right and its answer need. */
static bool
open_rights(struct vnet_proxy_reauth *r)
{
	struct vnet_proxy *p = r->w->proxy;

	if (vnet_mach_endpoint_open(&p->ends, &r->fresh, fresh_message) != 0)
		return false;
	if (vnet_mach_call_open(&p->ends, &r->call, identified) != 0)
		return false;
	if (vnet_mach_endpoint_make_send(&r->fresh) != KERN_SUCCESS)
		return false;
	if (vnet_mach_endpoint_want_no_senders(&r->fresh) == KERN_SUCCESS)
		return true;
	p->ends.sys->port_deallocate(r->fresh.named.name);
	return false;
}

static bool
begin(struct vnet_proxy_wrapper *w, mach_port_t rendezvous, mach_port_t task)
{
	struct vnet_proxy *p = w->proxy;
	struct vnet_proxy_reauth *r;

	if (w->reauth || !MACH_PORT_VALID(p->config.auth) ||
	    !MACH_PORT_VALID(rendezvous))
		return false;
	r = vnet_proxy_get_memory(p, sizeof(*r),
				  _Alignof(struct vnet_proxy_reauth));
	if (!r)
		return false;
	r->w = w;
	r->deadline = p->ends.now(p->ends.ctx) + p->config.auth_timeout;
	w->reauth = r;
	if (!open_rights(r)) {
		end(r);
		return false;
	}
	r->task = task;
	identify(r, rendezvous);
	return true;
}

void
vnet_proxy_reauth_begin(struct vnet_proxy_wrapper *w, mach_msg_header_t *in)
{
	const struct vnet_mach_sys *sys = w->proxy->ends.sys;
	mach_port_t rendezvous, task = MACH_PORT_NULL;
	uint32_t disposition, also = VNET_WIRE_MOVE_SEND;
	struct vnet_mach_answer a;
	struct vnet_wire_reader rd;

	vnet_mach_call_open_request(&rd, in);
	rendezvous = vnet_wire_get_right(&rd, &disposition);
	if (in->msgh_id == HURD_PROC_REAUTHENTICATE_REASSIGN)
		task = vnet_wire_get_right(&rd, &also);
	if (!vnet_wire_close(&rd) || disposition != VNET_WIRE_MOVE_SEND ||
	    also != VNET_WIRE_MOVE_SEND) {
		vnet_mach_refuse(sys, in, MIG_BAD_ARGUMENTS);
		return;
	}
	/* None is meant to be sent. */
	a = vnet_mach_take_reply(in);
	vnet_mach_answer_drop(sys, &a);
	if (begin(w, rendezvous, task))
		return;
	w->proxy->stats.reauths_lost++;
	drop(sys, &rendezvous);
	drop(sys, &task);
}

void
vnet_proxy_reauth_tick(struct vnet_proxy_wrapper *w, vnet_nsec now)
{
	struct vnet_proxy_reauth *r = w->reauth;

	if (!r || r->deadline > now)
		return;
	if (!r->is_known || !r->is_complete) {
		fail(r);
		return;
	}
	drop_real(r);
	settle_alone(r);
}

vnet_nsec
vnet_proxy_reauth_deadline(const struct vnet_proxy_wrapper *w)
{
	return w->reauth ? w->reauth->deadline : VNET_NEVER;
}
