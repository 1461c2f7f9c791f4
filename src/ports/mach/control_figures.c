/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "control_figures.h"

static void
add(struct vnet_count *sum, const struct vnet_count *n)
{
	sum->frames += n->frames;
	sum->octets += n->octets;
}

void
vnet_figures_add(struct vnet_figures *sum, const struct vnet_figures *f)
{
	struct vnet_client_stats *s = &sum->stats;

	add(&s->in, &f->stats.in);
	add(&s->in_dropped, &f->stats.in_dropped);
	add(&s->looked_up, &f->stats.looked_up);
	add(&s->copies, &f->stats.copies);
	add(&s->out, &f->stats.out);
	add(&s->segments, &f->stats.segments);
	add(&s->delivered, &f->stats.delivered);
	add(&s->queued, &f->stats.queued);
	add(&s->out_dropped, &f->stats.out_dropped);
	add(&s->lost_by_others, &f->stats.lost_by_others);
	s->moves += f->stats.moves;
	s->moves_refused += f->stats.moves_refused;
	s->queue_memory += f->stats.queue_memory;
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++) {
		add(&sum->in[i], &f->in[i]);
		add(&sum->out[i], &f->out[i]);
	}
}

void
vnet_figures_add_client(struct vnet_figures *f, const struct vnet_switch *sw,
			vnet_client_id client)
{
	struct vnet_figures own;

	memset(&own, 0, sizeof(own));
	own.stats.size = sizeof(own.stats);
	if (vnet_client_get_stats(sw, client, &own.stats))
		return;
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++)
		vnet_client_drops(sw, client, (enum vnet_drop)i, &own.in[i],
				  &own.out[i]);
	vnet_figures_add(f, &own);
}

void
vnet_figures_end(struct vnet_figures *f)
{
	struct vnet_client_stats *s = &f->stats;

	add(&s->out_dropped, &s->queued);
	add(&f->out[VNET_DROP_REMOVED], &s->queued);
	s->queued = (struct vnet_count){0};
	s->queue_memory = 0;
}

void
vnet_figures_of_switch(struct vnet_figures *f, const struct vnet_switch *sw,
		       struct vnet_switch_stats *whole)
{
	memset(f, 0, sizeof(*f));
	*whole = (struct vnet_switch_stats){.size = sizeof(*whole)};
	vnet_switch_get_stats(sw, whole);
	f->stats = whole->total;
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++)
		vnet_switch_drops(sw, (enum vnet_drop)i, &f->in[i], &f->out[i]);
}

/*
 * What is shown
 */

/* The rest of a count, behind its frames and octets, may follow. */
static void
begin_count(struct vnet_json_writer *w, const char *key,
	    const struct vnet_count *n)
{
	vnet_json_open(w, key, '{');
	vnet_json_put_number(w, "frames", n->frames);
	vnet_json_put_number(w, "octets", n->octets);
}

void
vnet_figures_put(struct vnet_json_writer *w, const char *key,
		 const struct vnet_count *n)
{
	begin_count(w, key, n);
	vnet_json_close(w, '}');
}

static void
show_in(const struct vnet_client_stats *s, struct vnet_json_writer *w)
{
	begin_count(w, "in", &s->in);
	vnet_figures_put(w, "dropped", &s->in_dropped);
	vnet_figures_put(w, "looked_up", &s->looked_up);
	vnet_figures_put(w, "copies", &s->copies);
	vnet_figures_put(w, "lost_by_others", &s->lost_by_others);
	vnet_json_put_number(w, "moves", s->moves);
	vnet_json_put_number(w, "moves_refused", s->moves_refused);
	vnet_json_close(w, '}');
}

static void
show_out(const struct vnet_client_stats *s, struct vnet_json_writer *w)
{
	begin_count(w, "out", &s->out);
	vnet_figures_put(w, "segments", &s->segments);
	vnet_figures_put(w, "delivered", &s->delivered);
	vnet_figures_put(w, "dropped", &s->out_dropped);
	vnet_json_close(w, '}');
}

static void
show_queue(const struct vnet_client_stats *s, struct vnet_json_writer *w)
{
	begin_count(w, "queue", &s->queued);
	vnet_json_put_number(w, "memory", s->queue_memory);
	vnet_json_close(w, '}');
}

/* Of those reasons that there are on a side, all; adds them up in @sum. */
static void
show_drops(const struct vnet_count *drops, bool out, struct vnet_count *sum,
	   struct vnet_json_writer *w)
{
	vnet_json_open(w, out ? "out" : "in", '{');
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++) {
		if (!vnet_drop_is_on((enum vnet_drop)i, out))
			continue;
		add(sum, &drops[i]);
		vnet_json_put_number(w, vnet_drop_name((enum vnet_drop)i),
				     drops[i].frames);
	}
	vnet_json_close(w, '}');
}

static bool
is_sum(const struct vnet_count *sum, const struct vnet_count *a,
       const struct vnet_count *b, const struct vnet_count *c)
{
	return sum->frames == a->frames + b->frames + c->frames &&
	       sum->octets == a->octets + b->octets + c->octets;
}

/* See struct vnet_client_stats. */
static bool
agree(const struct vnet_client_stats *s)
{
	static const struct vnet_count none;
	struct vnet_count out = s->out;

	add(&out, &s->segments);
	return is_sum(&s->in, &s->in_dropped, &s->looked_up, &none) &&
	       is_sum(&out, &s->delivered, &s->queued, &s->out_dropped);
}

bool
vnet_figures_show(const struct vnet_figures *f, struct vnet_json_writer *w)
{
	static const struct vnet_count none;
	struct vnet_count in = {0}, out = {0};

	show_in(&f->stats, w);
	show_out(&f->stats, w);
	show_queue(&f->stats, w);
	vnet_json_open(w, "drops", '{');
	show_drops(f->in, false, &in, w);
	show_drops(f->out, true, &out, w);
	vnet_json_close(w, '}');
	return agree(&f->stats) &&
	       is_sum(&in, &f->stats.in_dropped, &none, &none) &&
	       is_sum(&out, &f->stats.out_dropped, &none, &none);
}
