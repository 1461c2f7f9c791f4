/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "plant_figures.h"

void
figures_of_client(struct figures *f, const struct vnet_switch *sw,
		  vnet_client_id client)
{
	memset(f, 0, sizeof(*f));
	f->stats.size = sizeof(f->stats);
	if (client == VNET_NO_ID)
		return;
	vnet_client_get_stats(sw, client, &f->stats);
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++)
		vnet_client_drops(sw, client, (enum vnet_drop)i, &f->in[i],
				  &f->out[i]);
}

void
figures_of_switch(struct figures *f, const struct vnet_switch *sw,
		  struct vnet_switch_stats *whole)
{
	memset(f, 0, sizeof(*f));
	*whole = (struct vnet_switch_stats){.size = sizeof(*whole)};
	vnet_switch_get_stats(sw, whole);
	f->stats = whole->total;
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++)
		vnet_switch_drops(sw, (enum vnet_drop)i, &f->in[i], &f->out[i]);
}

static void
add(struct vnet_count *sum, const struct vnet_count *n)
{
	sum->frames += n->frames;
	sum->octets += n->octets;
}

void
figures_end(struct figures *f)
{
	struct vnet_client_stats *s = &f->stats;

	add(&s->out_dropped, &s->queued);
	add(&f->out[VNET_DROP_REMOVED], &s->queued);
	s->queued = (struct vnet_count){0};
	s->queue_memory = 0;
}

void
figures_add(struct figures *sum, const struct figures *f)
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

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *
figures_count(const struct vnet_count *n)
{
	json_t *object = json_object();

	json_object_set_new(object, "frames", number(n->frames));
	json_object_set_new(object, "octets", number(n->octets));
	return object;
}

static json_t *
show_in(const struct vnet_client_stats *s)
{
	json_t *in = figures_count(&s->in);

	json_object_set_new(in, "dropped", figures_count(&s->in_dropped));
	json_object_set_new(in, "looked_up", figures_count(&s->looked_up));
	json_object_set_new(in, "copies", figures_count(&s->copies));
	json_object_set_new(in, "lost_by_others",
			    figures_count(&s->lost_by_others));
	json_object_set_new(in, "moves", number(s->moves));
	json_object_set_new(in, "moves_refused", number(s->moves_refused));
	return in;
}

static json_t *
show_out(const struct vnet_client_stats *s)
{
	json_t *out = figures_count(&s->out);

	json_object_set_new(out, "segments", figures_count(&s->segments));
	json_object_set_new(out, "delivered", figures_count(&s->delivered));
	json_object_set_new(out, "dropped", figures_count(&s->out_dropped));
	return out;
}

/* Of those reasons that there are on a side, all; adds them up in @sum. */
static json_t *
show_drops(const struct vnet_count *drops, bool out, struct vnet_count *sum)
{
	json_t *object = json_object();

	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++) {
		if (!vnet_drop_is_on((enum vnet_drop)i, out))
			continue;
		add(sum, &drops[i]);
		json_object_set_new(object, vnet_drop_name((enum vnet_drop)i),
				    number(drops[i].frames));
	}
	return object;
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
figures_show(const struct figures *f, json_t *object)
{
	static const struct vnet_count none;
	struct vnet_count in = {0}, out = {0};
	json_t *queue = figures_count(&f->stats.queued), *drops = json_object();

	json_object_set_new(object, "in", show_in(&f->stats));
	json_object_set_new(object, "out", show_out(&f->stats));
	json_object_set_new(queue, "memory", number(f->stats.queue_memory));
	json_object_set_new(object, "queue", queue);
	json_object_set_new(drops, "in", show_drops(f->in, false, &in));
	json_object_set_new(drops, "out", show_drops(f->out, true, &out));
	json_object_set_new(object, "drops", drops);
	return agree(&f->stats) &&
	       is_sum(&in, &f->stats.in_dropped, &none, &none) &&
	       is_sum(&out, &f->stats.out_dropped, &none, &none);
}
