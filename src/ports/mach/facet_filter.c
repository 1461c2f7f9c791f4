/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filters of a facet, and the rights that they feed: net_rcv_msg
 * (<device/net_status.h>).
 */
#include <string.h>

#include "facet.h"
#include "wire.h"

/* A filter of this priority or more that takes a frame is the last that does
 * (NET_HI_PRI, <device/net_status.h>). */
#define LAST_PRIORITY 100

bool
vnet_mach_facet_has_filters(const struct vnet_mach_facet *f,
			    uint32_t directions)
{
	for (uint32_t i = 0; i < f->nfilters; i++)
		if (f->filters[i]->program.directions & directions)
			return true;
	return false;
}

/* Give back the one reference that each filter has. The last one takes what was
 * asked of the kernel for the name with it. */
static void
remove(struct vnet_mach_facet *f, uint32_t i)
{
	struct vnet_mach *m = f->device.right.m;
	struct vnet_mach_filter *filter = f->filters[i];

	f->nfilters--;
	memmove(&f->filters[i], &f->filters[i + 1],
		(f->nfilters - i) * sizeof(struct vnet_mach_filter *));
	m->sys->port_deallocate(filter->right);
	vnet_mach_put_memory(m, filter, sizeof(*filter));
}

void
vnet_mach_facet_clear_filters(struct vnet_mach_facet *f)
{
	while (f->nfilters)
		remove(f, f->nfilters - 1);
	vnet_mach_facet_listen(f);
}

/* Whose right died no longer listens. */
void
vnet_mach_facets_died(struct vnet_mach *m, mach_port_t name)
{
	for (struct vnet_mach_facet *f = m->facets; f; f = f->next) {
		uint32_t before = f->nfilters;

		for (uint32_t i = f->nfilters; i-- > 0;)
			if (f->filters[i]->right == name)
				remove(f, i);
		if (f->nfilters != before)
			vnet_mach_facet_listen(f);
	}
}

/* A send right that we could send to for ever, and that is not a way back into
 * ourselves. */
static bool
may_receive(const struct vnet_mach *m, mach_port_t right)
{
	mach_port_type_t type;

	return MACH_PORT_VALID(right) && !m->sys->port_type(right, &type) &&
	       type & MACH_PORT_TYPE_SEND && !(type & MACH_PORT_TYPE_RECEIVE);
}

/* What the same right has heard in the same directions it hears no more. */
static void
replace(struct vnet_mach_facet *f, mach_port_t right, uint32_t directions)
{
	for (uint32_t i = f->nfilters; i-- > 0;) {
		struct vnet_mach_filter *old = f->filters[i];

		if (old->right != right)
			continue;
		old->program.directions &= ~directions;
		if (!old->program.directions)
			remove(f, i);
	}
}

static uint32_t
count_left(const struct vnet_mach_facet *f, mach_port_t right,
	   uint32_t directions)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nfilters; i++)
		n += f->filters[i]->right != right ||
		     f->filters[i]->program.directions & ~directions;
	return n;
}

kern_return_t
vnet_mach_facet_set_filter(struct vnet_mach_device *d, mach_port_t right,
			   int priority, const uint16_t *words, uint32_t nwords)
{
	struct vnet_mach_facet *f = (struct vnet_mach_facet *)(void *)d;
	struct vnet_mach *m = f->device.right.m;
	struct vnet_mach_filter *filter;
	uint32_t at;

	if (!may_receive(m, right))
		return D_INVALID_OPERATION;
	filter = vnet_mach_get_memory(m, sizeof(*filter));
	if (!filter)
		return D_NO_MEMORY;
	if (vnet_netf_check(&filter->program, words, nwords, NULL)) {
		vnet_mach_put_memory(m, filter, sizeof(*filter));
		return D_INVALID_OPERATION;
	}
	if (count_left(f, right, filter->program.directions) >=
		    m->config.max_filters ||
	    vnet_mach_watch_death(m, right)) {
		vnet_mach_put_memory(m, filter, sizeof(*filter));
		return D_NO_MEMORY;
	}
	filter->right = right;
	filter->priority = priority;
	replace(f, right, filter->program.directions);
	for (at = 0; at < f->nfilters; at++)
		if (f->filters[at]->priority > priority)
			break;
	memmove(&f->filters[at + 1], &f->filters[at],
		(f->nfilters - at) * sizeof(struct vnet_mach_filter *));
	f->filters[at] = filter;
	f->nfilters++;
	vnet_mach_facet_listen(f);
	return KERN_SUCCESS;
}

/* One copy. A send that fails gives back the right that it was to go to, with a
 * reference more, if it is still alive: vnet_mach_send() sees to that. */
static bool
send_copy(struct vnet_mach_facet *f, mach_port_t right)
{
	struct vnet_mach *m = f->device.right.m;

	f->count.sent++;
	vnet_wire_set_remote((uint8_t *)m->message, VNET_WIRE_HERE, right,
			     VNET_WIRE_COPY_SEND);
	switch (vnet_mach_send(m->sys, (mach_msg_header_t *)m->message)) {
	case MACH_MSG_SUCCESS:
		return true;
	case MACH_SEND_TIMED_OUT:
		f->count.sent_full++;
		return false;
	default:
		f->count.sent_dead++;
		return false;
	}
}

static bool
has_got(const struct vnet_mach_facet *f, uint32_t before, mach_port_t right)
{
	for (uint32_t i = 0; i < before; i++)
		if (f->filters[i]->was_sent && f->filters[i]->right == right)
			return true;
	return false;
}

bool
vnet_mach_facet_send(struct vnet_mach_facet *f, const struct vnet_frame *frame,
		     uint32_t directions)
{
	struct vnet_mach *m = f->device.right.m;
	bool was_sent = false, is_laid_out = false;

	for (uint32_t i = 0; i < f->nfilters; i++) {
		struct vnet_mach_filter *filter = f->filters[i];

		filter->was_sent = false;
		if (!(filter->program.directions & directions) ||
		    has_got(f, i, filter->right) ||
		    !vnet_netf_match(&filter->program, frame))
			continue;
		if (!is_laid_out)
			vnet_wire_net_rcv((uint8_t *)m->message, VNET_WIRE_HERE,
					  frame);
		is_laid_out = true;
		filter->was_sent = true;
		was_sent |= send_copy(f, filter->right);
		if (filter->priority >= LAST_PRIORITY)
			break;
	}
	return was_sent;
}
