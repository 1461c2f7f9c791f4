/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the counters, and whether they agree.
 */
#include <errno.h>

#include "switch.h"
#include "why.h"

static void
client_stats(const struct vnet_client *c, struct vnet_client_stats *stats)
{
	const struct vnet_lane *lane = &c->lane[0];

	vnet_counters_stats(&lane->count, stats);
	vnet_count_add(&stats->queued, lane->queue.frames, lane->queue.octets);
	stats->queue_memory = (uint64_t)lane->queue.blocks * VNET_POOL_BLOCK;
}

int
vnet_client_get_stats(const struct vnet_switch *sw, vnet_client_id id,
		      struct vnet_client_stats *stats)
{
	const struct vnet_client *c = vnet_switch_client(sw, id);

	if (stats->size != sizeof(*stats))
		return -EINVAL;
	if (!c)
		return -ENOENT;
	client_stats(c, stats);
	return 0;
}

static void
get_drops(const struct vnet_counters *count, enum vnet_drop reason,
	  struct vnet_count *in, struct vnet_count *out)
{
	if (in)
		*in = count->in_drops[reason];
	if (out)
		*out = count->out_drops[reason];
}

int
vnet_client_drops(const struct vnet_switch *sw, vnet_client_id id,
		  enum vnet_drop reason, struct vnet_count *in,
		  struct vnet_count *out)
{
	const struct vnet_client *c = vnet_switch_client(sw, id);

	if ((unsigned int)reason >= VNET_NDROPS)
		return -EINVAL;
	if (!c)
		return -ENOENT;
	get_drops(&c->lane[0].count, reason, in, out);
	return 0;
}

static void
total_counters(const struct vnet_switch *sw, struct vnet_counters *sum)
{
	*sum = sw->gone;
	for (uint32_t i = 0; i < sw->config.max_clients; i++) {
		const struct vnet_client *c = vnet_switch_client_at(sw, i);

		if (c)
			vnet_counters_sum(sum, &c->lane[0].count);
	}
}

int
vnet_switch_get_stats(const struct vnet_switch *sw,
		      struct vnet_switch_stats *stats)
{
	struct vnet_counters sum;

	if (stats->size != sizeof(*stats))
		return -EINVAL;
	total_counters(sw, &sum);
	*stats = (struct vnet_switch_stats){
		.size = sizeof(*stats),
		.originated = sw->originated,
		.unknown_source = sw->unknown_source,
		.ports = sw->nports,
		.clients = sw->nclients,
		.fdb_entries = sw->fdb.n,
		.fdb_evictions = sw->fdb.evictions,
		.fdb_unlearned = sw->fdb.unlearned,
		.pool_used = (uint64_t)sw->pool.nused * VNET_POOL_BLOCK,
		.pool_octets = (uint64_t)sw->pool.nblocks * VNET_POOL_BLOCK,
		.clock_steps_back = sw->clock_steps_back,
		.events_lost = sw->events.lost,
	};
	vnet_counters_stats(&sum, &stats->total);
	stats->total.queue_memory = stats->pool_used;
	for (uint32_t i = 0; i < sw->config.max_clients; i++) {
		const struct vnet_client *c = vnet_switch_client_at(sw, i);

		if (c)
			vnet_count_add(&stats->total.queued,
				       c->lane[0].queue.frames,
				       c->lane[0].queue.octets);
	}
	return 0;
}

int
vnet_switch_drops(const struct vnet_switch *sw, enum vnet_drop reason,
		  struct vnet_count *in, struct vnet_count *out)
{
	struct vnet_count sum[2], one[2];

	if ((unsigned int)reason >= VNET_NDROPS)
		return -EINVAL;
	/* Not all counters of all clients for each reason: there are many. */
	get_drops(&sw->gone, reason, &sum[0], &sum[1]);
	for (uint32_t i = 0; i < sw->config.max_clients; i++) {
		const struct vnet_client *c = vnet_switch_client_at(sw, i);

		if (!c)
			continue;
		get_drops(&c->lane[0].count, reason, &one[0], &one[1]);
		for (int k = 0; k < 2; k++)
			vnet_count_add(&sum[k], one[k].frames, one[k].octets);
	}
	if (in)
		*in = sum[0];
	if (out)
		*out = sum[1];
	return 0;
}

static bool
are_equal(uint64_t a, uint64_t b, const char *text, size_t index,
	  struct vnet_why *why)
{
	if (a != b)
		vnet_why(why, text, index, a, b);
	return a == b;
}

static bool
is_conserved(const struct vnet_client_stats *s, size_t index,
	     struct vnet_why *why)
{
	return are_equal(s->in.frames,
			 s->in_dropped.frames + s->looked_up.frames,
			 "frames in", index, why) &&
	       are_equal(s->in.octets,
			 s->in_dropped.octets + s->looked_up.octets,
			 "octets in", index, why) &&
	       are_equal(s->out.frames + s->segments.frames,
			 s->delivered.frames + s->queued.frames +
				 s->out_dropped.frames,
			 "frames out", index, why) &&
	       are_equal(s->out.octets + s->segments.octets,
			 s->delivered.octets + s->queued.octets +
				 s->out_dropped.octets,
			 "octets out", index, why);
}

bool
vnet_switch_check(const struct vnet_switch *sw, struct vnet_why *why)
{
	struct vnet_switch_stats all = {.size = sizeof(all)};
	struct vnet_client_stats s;

	for (uint32_t i = 0; i < sw->config.max_clients; i++) {
		const struct vnet_client *c = vnet_switch_client_at(sw, i);

		if (!c)
			continue;
		client_stats(c, &s);
		if (!is_conserved(&s, i, why))
			return false;
	}
	vnet_switch_get_stats(sw, &all);
	return is_conserved(&all.total, sw->config.max_clients, why) &&
	       are_equal(all.total.copies.frames + all.originated.frames,
			 all.total.out.frames, "frames copied",
			 sw->config.max_clients, why) &&
	       are_equal(all.total.copies.octets + all.originated.octets,
			 all.total.out.octets, "octets copied",
			 sw->config.max_clients, why) &&
	       are_equal(vnet_pool_check(&sw->pool), true,
			 "queues, or the pool, out of order", 0, why) &&
	       are_equal(vnet_fdb_check(&sw->fdb), true, "FDB out of order", 0,
			 why) &&
	       are_equal(vnet_grants_check(sw), true, "grants out of order", 0,
			 why);
}
