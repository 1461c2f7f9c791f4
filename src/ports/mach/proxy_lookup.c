/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process rights that programs ask for: the request is passed on with a right of
 * ours to reply to, and the right in the answer is wrapped.
 *
 * A new wrapper begins with the ids of the process that asked: whatever comes of
 * it is what that process hands on, or could have asked for itself.
 */
#include "proxy.h"

struct vnet_proxy_lookup {
	struct vnet_mach_call call;
	struct vnet_proxy_wrapper *w;
	struct vnet_proxy_lookup *next, **link;
	struct vnet_mach_answer answer; /* to the program */
};

static void
end(struct vnet_proxy_lookup *l)
{
	struct vnet_proxy_wrapper *w = l->w;

	vnet_mach_call_cancel(&l->call);
	vnet_mach_answer_drop(w->proxy->ends.sys, &l->answer);
	*l->link = l->next;
	if (l->next)
		l->next->link = l->link;
	w->nlookups--;
	vnet_proxy_put_memory(w->proxy, l, sizeof(*l));
	vnet_proxy_wrapper_release(w, VNET_PROXY_HELD_LOOKUPS);
}

/* A right that came from the proc server goes to the program. */
static void
give(struct vnet_proxy_lookup *l, mach_port_t real)
{
	struct vnet_proxy *p = l->w->proxy;
	struct vnet_proxy_wrapper *w;
	mach_port_t right = real;

	/* What is none, or a wrapper of ours as it is, needs no other. */
	if (MACH_PORT_VALID(real) && !vnet_mach_endpoint_find(&p->ends, real)) {
		if (vnet_proxy_wrapper_get(p, real, &l->w->ids, &w) != 0) {
			p->ends.sys->port_deallocate(real);
			vnet_mach_answer(p->ends.sys, &l->answer,
					 KERN_RESOURCE_SHORTAGE, NULL, 0, 0);
			return;
		}
		right = w->right.named.name;
		p->stats.wrapped++;
	}
	vnet_mach_answer(p->ends.sys, &l->answer, KERN_SUCCESS, &right,
			 MACH_MSG_TYPE_MOVE_SEND, 1);
}

static void
answered(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	struct vnet_proxy_lookup *l =
		VNET_MACH_CONTAINER(c, struct vnet_proxy_lookup, call);
	const struct vnet_mach_sys *sys = l->w->proxy->ends.sys;
	struct vnet_wire_reader r;
	uint32_t right, disposition;
	kern_return_t code;

	code = vnet_mach_call_open_answer(&r, in, l->answer.id - 100);
	if (code == KERN_SUCCESS) {
		right = vnet_wire_get_right(&r, &disposition);
		if (vnet_wire_close(&r) &&
		    disposition == MACH_MSG_TYPE_PORT_SEND) {
			give(l, right);
			end(l);
			return;
		}
		code = MIG_TYPE_ERROR;
	}
	if (in)
		vnet_mach_msg_destroy(sys, in);
	vnet_mach_answer(sys, &l->answer, code, NULL, 0, 0);
	end(l);
}

void
vnet_proxy_lookup_begin(struct vnet_proxy_wrapper *w, mach_msg_header_t *in)
{
	struct vnet_proxy *p = w->proxy;
	struct vnet_proxy_lookup *l;

	/* Without a right to reply to nothing comes back. */
	if (!MACH_PORT_VALID(in->msgh_remote_port)) {
		vnet_proxy_wrapper_forward(w, in);
		return;
	}
	l = vnet_proxy_get_memory(p, sizeof(*l),
				  _Alignof(struct vnet_proxy_lookup));
	if (!l)
		goto refuse;
	if (vnet_mach_call_open(&p->ends, &l->call, answered) != 0)
		goto put_memory;
	l->w = w;
	l->answer = vnet_mach_take_reply(in);
	l->next = w->lookups;
	l->link = &w->lookups;
	if (l->next)
		l->next->link = &l->next;
	w->lookups = l;
	if (++w->nlookups >= VNET_PROXY_LOOKUPS)
		vnet_proxy_wrapper_hold(w, VNET_PROXY_HELD_LOOKUPS);

	vnet_mach_call_redirect(&l->call, in);
	if (!vnet_proxy_wrapper_forward(w, in))
		end(l);
	return;
put_memory:
	vnet_proxy_put_memory(p, l, sizeof(*l));
refuse:
	vnet_mach_refuse(p->ends.sys, in, KERN_RESOURCE_SHORTAGE);
}

void
vnet_proxy_lookup_cancel_all(struct vnet_proxy_wrapper *w)
{
	while (w->lookups)
		end(w->lookups);
}
