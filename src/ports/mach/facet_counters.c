/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted of a vif, and of each open of it: kept for a vif when its
 * clients go, and told to whoever holds a right of it.
 */
#include <string.h>

#include <vnet/mach_control.h>

#include "facet.h"

/* All that there are; counters[] has them in pairs of words. */
#define NCOUNTERS (VNET_MACH_COUNTER_DROPS + 4 * VNET_NDROPS)

/*
 * The vif's
 */

void
vnet_mach_facet_leave(struct vnet_mach_facet *f)
{
	struct vnet_switch *sw = f->device.right.m->sw;
	struct vnet_figures last;

	if (f->client == VNET_NO_ID)
		return;
	if (f->vif) {
		memset(&last, 0, sizeof(last));
		vnet_figures_add_client(&last, sw, f->client);
		vnet_figures_end(&last);
		vnet_figures_add(&f->vif->past, &last);
	}
	vnet_client_remove(sw, f->client);
}

void
vnet_mach_facet_info_add(struct vnet_mach_facet_info *sum,
			 const struct vnet_mach_facet_info *f)
{
	sum->writes += f->writes;
	sum->write_length += f->write_length;
	sum->write_down += f->write_down;
	sum->write_denied += f->write_denied;
	sum->write_full += f->write_full;
	sum->write_fault += f->write_fault;
	sum->sent += f->sent;
	sum->sent_full += f->sent_full;
	sum->sent_dead += f->sent_dead;
	sum->read += f->read;
	sum->read_cut += f->read_cut;
	sum->read_full += f->read_full;
}

void
vnet_mach_vif_sum(const struct vnet_mach *m, const struct vnet_mach_vif *vif,
		  struct vnet_mach_facet_info *sum)
{
	*sum = vif->past_facets;
	for (const struct vnet_mach_facet *f = m->facets; f; f = f->next)
		if (f->vif == vif)
			vnet_mach_facet_info_add(sum, &f->count);
}

/* All of its clients, those that have gone included. */
static void
sum_vif(const struct vnet_mach *m, const struct vnet_mach_vif *vif,
	struct vnet_figures *sum)
{
	*sum = vif->past;
	for (const struct vnet_mach_facet *f = m->facets; f; f = f->next)
		if (f->vif == vif && f->client != VNET_NO_ID)
			vnet_figures_add_client(sum, m->sw, f->client);
}

/*
 * Telling
 */

/* Where counters go, as far as there is room. */
struct table {
	int *words;
	uint32_t room; /* counters */
};

static void
put(const struct table *t, uint32_t counter, uint64_t value)
{
	if (counter >= t->room)
		return;
	t->words[2 * counter] = (int)(uint32_t)value;
	t->words[2 * counter + 1] = (int)(uint32_t)(value >> 32);
}

static void
put_count(const struct table *t, uint32_t counter, const struct vnet_count *n)
{
	put(t, counter, n->frames);
	put(t, counter + 1, n->octets);
}

static void
put_figures(const struct table *t, const struct vnet_figures *f)
{
	const struct vnet_client_stats *s = &f->stats;

	put_count(t, VNET_MACH_COUNTER_IN_FRAMES, &s->in);
	put_count(t, VNET_MACH_COUNTER_IN_DROPPED_FRAMES, &s->in_dropped);
	put_count(t, VNET_MACH_COUNTER_LOOKED_UP_FRAMES, &s->looked_up);
	put_count(t, VNET_MACH_COUNTER_COPIES_FRAMES, &s->copies);
	put_count(t, VNET_MACH_COUNTER_OUT_FRAMES, &s->out);
	put_count(t, VNET_MACH_COUNTER_SEGMENTS_FRAMES, &s->segments);
	put_count(t, VNET_MACH_COUNTER_DELIVERED_FRAMES, &s->delivered);
	put_count(t, VNET_MACH_COUNTER_QUEUED_FRAMES, &s->queued);
	put_count(t, VNET_MACH_COUNTER_OUT_DROPPED_FRAMES, &s->out_dropped);
	put_count(t, VNET_MACH_COUNTER_LOST_BY_OTHERS_FRAMES,
		  &s->lost_by_others);
	put(t, VNET_MACH_COUNTER_MOVES, s->moves);
	put(t, VNET_MACH_COUNTER_MOVES_REFUSED, s->moves_refused);
	put(t, VNET_MACH_COUNTER_QUEUE_MEMORY, s->queue_memory);
	for (uint32_t i = 0; i < VNET_NDROPS; i++) {
		put_count(t, VNET_MACH_COUNTER_DROPS + 4 * i, &f->in[i]);
		put_count(t, VNET_MACH_COUNTER_DROPS + 4 * i + 2, &f->out[i]);
	}
}

static void
put_facet(const struct table *t, const struct vnet_mach_facet_info *f)
{
	put(t, VNET_MACH_COUNTER_WRITES, f->writes);
	put(t, VNET_MACH_COUNTER_WRITE_LENGTH, f->write_length);
	put(t, VNET_MACH_COUNTER_WRITE_DOWN, f->write_down);
	put(t, VNET_MACH_COUNTER_WRITE_DENIED, f->write_denied);
	put(t, VNET_MACH_COUNTER_WRITE_FULL, f->write_full);
	put(t, VNET_MACH_COUNTER_WRITE_FAULT, f->write_fault);
	put(t, VNET_MACH_COUNTER_SENT, f->sent);
	put(t, VNET_MACH_COUNTER_SENT_FULL, f->sent_full);
	put(t, VNET_MACH_COUNTER_SENT_DEAD, f->sent_dead);
	put(t, VNET_MACH_COUNTER_READ, f->read);
	put(t, VNET_MACH_COUNTER_READ_CUT, f->read_cut);
	put(t, VNET_MACH_COUNTER_READ_FULL, f->read_full);
}

/* Those of the client begin anew where one that was closed is opened again;
 * what the facet itself counts goes on. */
kern_return_t
vnet_mach_facet_get_counters(const struct vnet_mach_facet *f, bool is_client,
			     int *status, uint32_t *count)
{
	const struct vnet_mach *m = f->device.right.m;
	struct vnet_mach_facet_info info = f->count;
	struct vnet_figures figures;
	uint32_t room = *count;
	struct table t;

	*count = 1 + 2 * NCOUNTERS;
	if (room < 1 || (!is_client && !f->vif))
		return D_INVALID_OPERATION;
	t = (struct table){.words = status + 1, .room = (room - 1) / 2};
	if (t.room > NCOUNTERS)
		t.room = NCOUNTERS;
	memset(t.words, 0, 2 * t.room * sizeof(*t.words));
	memset(&figures, 0, sizeof(figures));
	if (!is_client) {
		vnet_mach_vif_sum(m, f->vif, &info);
		sum_vif(m, f->vif, &figures);
	} else if (f->client != VNET_NO_ID) {
		vnet_figures_add_client(&figures, m->sw, f->client);
	}
	put_figures(&t, &figures);
	put_facet(&t, &info);
	status[0] = (int)t.room;
	*count = 1 + 2 * t.room;
	return KERN_SUCCESS;
}
