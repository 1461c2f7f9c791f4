/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "forward.h"
#include "outbox.h"

void
vnet_mach_outbox_init(struct vnet_mach_outbox *box,
		      const struct vnet_mach_sys *sys,
		      const struct vnet_alloc *alloc)
{
	box->sys = sys;
	box->alloc = alloc;
	box->first = NULL;
	box->last = &box->first;
	box->due = VNET_NEVER;
}

static void
append(struct vnet_mach_outbox *box, struct vnet_mach_sender *s, vnet_nsec now)
{
	s->next = NULL;
	*box->last = s;
	box->last = &s->next;
	if (box->due == VNET_NEVER)
		box->due = now + VNET_MACH_RETRY_NSEC;
}

static struct vnet_mach_sender *
take_first(struct vnet_mach_outbox *box)
{
	struct vnet_mach_sender *s = box->first;

	box->first = s->next;
	if (!box->first) {
		box->last = &box->first;
		box->due = VNET_NEVER;
	}
	return s;
}

static void
free_message(struct vnet_mach_outbox *box, struct vnet_mach_sender *s)
{
	box->alloc->put(box->alloc->ctx, s->waits, s->size);
	s->waits = NULL;
}

mach_msg_return_t
vnet_mach_outbox_send(struct vnet_mach_outbox *box, struct vnet_mach_sender *s,
		      mach_msg_header_t *in, mach_port_t to, mach_port_t notify,
		      vnet_nsec now)
{
	mach_msg_return_t sent;

	if (notify != MACH_PORT_NULL)
		sent = vnet_mach_forward_always(box->sys, in, to, notify);
	else
		sent = vnet_mach_forward(box->sys, in, to);
	if (sent != MACH_SEND_TIMED_OUT)
		return sent;

	s->waits = box->alloc->get(box->alloc->ctx, in->msgh_size,
				   _Alignof(mach_msg_header_t));
	if (!s->waits)
		return MACH_SEND_NO_BUFFER;
	s->size = in->msgh_size;
	s->to = to;
	memcpy(s->waits, in, s->size);
	append(box, s, now);
	return MACH_SEND_TIMED_OUT;
}

void
vnet_mach_outbox_cancel(struct vnet_mach_outbox *box,
			struct vnet_mach_sender *s)
{
	struct vnet_mach_sender **p;

	if (!s->waits)
		return;
	for (p = &box->first; *p != s; p = &(*p)->next)
		;
	*p = s->next;
	if (!s->next)
		box->last = p;
	if (!box->first)
		box->due = VNET_NEVER;
	vnet_mach_msg_destroy(box->sys, s->waits);
	free_message(box, s);
}

void
vnet_mach_outbox_tick(struct vnet_mach_outbox *box, vnet_nsec now)
{
	struct vnet_mach_sender *s;
	mach_msg_return_t sent;
	uint32_t n = 0;

	if (now < box->due)
		return;
	box->due = VNET_NEVER;
	/* Each once; what waits on, or anew, goes behind them. */
	for (s = box->first; s; s = s->next)
		n++;
	for (; n > 0 && box->first; n--) {
		s = take_first(box);
		sent = vnet_mach_forward(box->sys, s->waits, s->to);
		if (sent == MACH_SEND_TIMED_OUT) {
			append(box, s, now);
			continue;
		}
		if (sent != MACH_MSG_SUCCESS)
			vnet_mach_msg_destroy(box->sys, s->waits);
		free_message(box, s);
		s->settled(s, sent);
	}
	if (box->first && box->due == VNET_NEVER)
		box->due = now + VNET_MACH_RETRY_NSEC;
}
