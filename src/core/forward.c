/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every frame of every client passes through this file, once:
 *
 *	decide -> commit -> flush
 *
 * decide says what is to become of a frame and changes nothing; commit writes
 * it down; flush, once for a batch, hands each destination what is meant for it.
 * Frames of a batch are decided and committed one after the other, so that how
 * a stream of frames is cut into batches changes the grouping of sends and
 * nothing else. (What depends on the grouping by the driver's contract does: a
 * broken driver loses all that it was offered, and refuses frames by number.)
 *
 * Nothing here blocks, allocates, logs or calls the operating system. A frame
 * that is not forwarded is counted: up to the look-up at the client it came
 * from, after it at the client it was meant for.
 */
#include <errno.h>
#include <string.h>

#include "switch.h"

/* The number of the lowest bit that is set; there is one. */
VNET_INLINE uint32_t
lowest_bit(uint64_t x)
{
	if (sizeof(unsigned long) == sizeof(x))
		return (uint32_t)__builtin_ctzl((unsigned long)x);
	if ((uint32_t)x)
		return (uint32_t)__builtin_ctz((uint32_t)x);
	return 32 + (uint32_t)__builtin_ctz((uint32_t)(x >> 32));
}

/* Let who observes a client hear. */
static __attribute__((noinline)) void
observe(const struct vnet_client *c, bool out, const struct vnet_frame *frames,
	size_t n)
{
	struct vnet_switch *sw = c->sw;

	if (!n || sw->observing)
		return;
	sw->observing = true;
	c->observer.frames(c->observer.ctx, out, frames, n, sw->now);
	sw->observing = false;
}

/*
 * Decide
 */

/* Frames whose headers are on their way from memory at the same time: about as
 * many as a processor can wait for. */
#define AHEAD 8

/* Look at the batch once from end to end, so that what its frames and their
 * addresses have in memory is on its way before it is needed. */
static void
parse(const struct vnet_switch *sw, struct vnet_worker *w,
      const struct vnet_frame *frames, size_t n)
{
	unsigned int odd = 0;

	for (size_t i = 0; i < n && i < AHEAD; i++)
		__builtin_prefetch(frames[i].data);
	for (size_t i = 0; i < n; i++) {
		const struct vnet_frame *f = &frames[i];
		struct vnet_parsed *p = &w->parsed[i];

		if (i + AHEAD < n)
			__builtin_prefetch(frames[i + AHEAD].data);
		odd |= (unsigned int)f->flags | f->gso_type | f->ntags;
		p->is_whole = vnet_eth_parse(f, &p->eth);
		if (vnet_unlikely(!p->is_whole))
			continue;
		p->home_dst = vnet_fdb_home(&sw->fdb, p->eth.dst);
		p->home_src = vnet_fdb_home(&sw->fdb, p->eth.src);
		vnet_fdb_prefetch(&sw->fdb, p->home_dst);
		vnet_fdb_prefetch(&sw->fdb, p->home_src);
	}
	w->is_plain = !odd;
}

/* Is the longest frame that @f becomes within the MTU? */
VNET_INLINE bool
fits(const struct vnet_port *port, const struct vnet_frame *f,
     const struct vnet_offload *o)
{
	return vnet_likely(f->len <= VNET_ETH_HEADER_LEN + port->mtu) ||
	       vnet_offload_payload_max(f, o) <= port->mtu;
}

/* One destination more, and whether it gets there. */
VNET_INLINE void
add_dest(struct vnet_decision *v, struct vnet_client *out,
	 const struct vnet_frame *f, const struct vnet_offload *o)
{
	struct vnet_dest *d = &v->dest[v->ndests++];
	const struct vnet_port *port = out->port;

	d->client = out;
	d->rule = VNET_NO_RULE;
	if (vnet_unlikely(!port->link))
		d->drop = VNET_DROP_LINK_DOWN;
	else if (vnet_chain_run(&port->chain[VNET_EGRESS], f, &d->rule) ==
		 VNET_DROP)
		d->drop = VNET_DROP_EGRESS_FILTER;
	else if (!fits(port, f, o))
		d->drop = VNET_DROP_TOO_LONG;
	else
		d->drop = VNET_DROP_NONE;
}

/* Nothing passes from one uplink to another. */
VNET_INLINE bool
is_split(const struct vnet_switch *sw, const struct vnet_client *in,
	 const struct vnet_client *out)
{
	return in->port->role == VNET_ROLE_UPLINK &&
	       out->port->role == VNET_ROLE_UPLINK && !sw->uplink_transit;
}

static enum vnet_drop
flood(const struct vnet_switch *sw, const struct vnet_client *in,
      const struct vnet_frame *f, const struct vnet_offload *o,
      struct vnet_decision *v)
{
	for (uint32_t i = 0; i < sw->nreach; i++) {
		struct vnet_client *out = sw->reach[i];

		if (out != in && !is_split(sw, in, out))
			add_dest(v, out, f, o);
	}
	return v->ndests ? VNET_DROP_NONE : VNET_DROP_NO_DESTINATION;
}

/* Where to, and if nowhere, why not. Changes nothing. @o is where the offload
 * fields are left, if the frame has any. */
static enum vnet_drop
decide(const struct vnet_switch *sw, const struct vnet_client *in,
       const struct vnet_frame *f, const struct vnet_parsed *p,
       struct vnet_offload *o, struct vnet_decision *v)
{
	const struct vnet_eth *eth = &p->eth;
	struct vnet_client *out;
	uint32_t slot;

	v->learn = false;
	v->rule = VNET_NO_RULE;
	v->ndests = 0;

	if (vnet_unlikely(!in->port->link))
		return VNET_DROP_LINK_DOWN;
	if (vnet_unlikely(f->depth >= VNET_MAX_DEPTH))
		return VNET_DROP_TOO_DEEP;
	if (vnet_unlikely(!p->is_whole))
		return VNET_DROP_MALFORMED;
	if (vnet_unlikely(vnet_mac_is_group(eth->src) || !eth->src))
		return VNET_DROP_BAD_SOURCE;
	if (vnet_unlikely(vnet_mac_is_reserved(eth->dst)) &&
	    !(sw->forward_reserved >> (eth->dst & 0xf) & 1))
		return VNET_DROP_RESERVED;
	if (vnet_unlikely(f->flags | f->gso_type) && !vnet_offload_check(f, o))
		return VNET_DROP_BAD_OFFLOAD;
	if (vnet_chain_run(&in->port->chain[VNET_INGRESS], f, &v->rule) ==
	    VNET_DROP)
		return VNET_DROP_INGRESS_FILTER;

	v->learn = true;
	/* The address of zeroes, which nobody has, is the FDB's mark of a slot
	 * that is empty. */
	if (vnet_mac_is_group(eth->dst) || vnet_unlikely(!eth->dst))
		return flood(sw, in, f, o, v);
	slot = vnet_fdb_find(&sw->fdb, eth->dst, p->home_dst, sw->now_s);
	if (vnet_unlikely(slot == VNET_FDB_NONE))
		return flood(sw, in, f, o, v);
	out = vnet_switch_client_at(sw, slot);
	if (vnet_unlikely(out == in))
		return VNET_DROP_SAME_PORT;
	if (vnet_unlikely(is_split(sw, in, out)))
		return VNET_DROP_SPLIT_HORIZON;
	add_dest(v, out, f, o);
	return VNET_DROP_NONE;
}

/*
 * Commit
 */

/* Counts of a batch, before they are added to those of its client. */
struct sums {
	struct vnet_count in;
	struct vnet_count dropped;
	struct vnet_count copies;
};

static void
learn(struct vnet_switch *sw, struct vnet_client *in, uint32_t where,
      const struct vnet_parsed *p)
{
	switch (vnet_fdb_learn(&sw->fdb, p->eth.src, p->home_src, where,
			       sw->now_s)) {
	case VNET_FDB_KNOWN:
	case VNET_FDB_NEW:
		break;
	case VNET_FDB_MOVED:
		in->lane[0].count.moves++;
		vnet_switch_mark(sw, in, VNET_MARK_MOVED, p->eth.src);
		break;
	case VNET_FDB_EVICTED:
	case VNET_FDB_UNLEARNED:
		vnet_switch_mark(sw, in, VNET_MARK_FDB_FULL, p->eth.src);
		break;
	}
}

/* Word @k of the clients that are touched will not be empty. */
static void
touch(struct vnet_worker *w, uint32_t k)
{
	if (k < w->first_touched)
		w->first_touched = k;
	if (k >= w->end_touched)
		w->end_touched = k + 1;
}

/* Frame @i goes to one destination. */
VNET_INLINE void
commit_dest(struct vnet_worker *w, const struct vnet_dest *d, uint32_t i,
	    uint32_t octets)
{
	struct vnet_lane *lane = &d->client->lane[0];
	uint32_t slot = d->client->slot;

	if (d->rule != VNET_NO_RULE)
		vnet_chain_hit(&d->client->port->chain[VNET_EGRESS], d->rule);
	if (vnet_unlikely(d->drop != VNET_DROP_NONE)) {
		vnet_count_add(&lane->count.out, 1, octets);
		vnet_count_add(&lane->count.out_drops[d->drop], 1, octets);
		return;
	}
	lane->pending |= UINT64_C(1) << i;
	if (vnet_unlikely(!w->touched[slot / 64]))
		touch(w, slot / 64);
	w->touched[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* Write down what decide said of frame @i. What is counted for all frames is
 * added up in @sum. */
VNET_INLINE void
commit(struct vnet_switch *sw, struct vnet_worker *w, struct vnet_client *in,
       const struct vnet_frame *f, uint32_t i, const struct vnet_decision *v,
       struct sums *sum)
{
	uint32_t octets = vnet_frame_octets(f);

	if (vnet_likely(v->learn))
		learn(sw, in, w->learned, &w->parsed[i]);
	if (vnet_likely(v->rule != VNET_NO_RULE))
		vnet_chain_hit(&in->port->chain[VNET_INGRESS], v->rule);
	vnet_count_add(&sum->in, 1, octets);
	if (vnet_unlikely(v->drop != VNET_DROP_NONE)) {
		vnet_count_add(&sum->dropped, 1, octets);
		vnet_count_add(&in->lane[0].count.in_drops[v->drop], 1, octets);
		return;
	}
	vnet_count_add(&sum->copies, v->ndests, (uint64_t)octets * v->ndests);
	for (uint32_t k = 0; k < v->ndests; k++)
		commit_dest(w, &v->dest[k], i, octets);
}

/*
 * Flush
 */

/* The view of a frame that a destination is lent. */
VNET_INLINE void
set_view(struct vnet_frame *out, const struct vnet_frame *f,
	 const struct vnet_offload *o)
{
	*out = *f;
	out->depth++;
	out->hdr_len = 0;
	out->nsegs = 1;
	out->reserved8 = 0;
	out->reserved32 = 0;
	for (size_t i = 0; i < 3; i++)
		out->reserved64[i] = 0;
	if (vnet_unlikely(f->gso_type)) {
		out->hdr_len = o->hdr_len;
		out->nsegs = o->nsegs;
	}
}

/* Lay the frames of @mask side by side. Destinations of a flood have the same
 * ones, so what was gathered last is kept. */
static void
gather(struct vnet_worker *w, const struct vnet_frame *frames, uint64_t mask)
{
	struct vnet_count count = {0, 0};
	uint32_t wants = 0;

	if (mask == w->gathered)
		return;
	for (uint64_t m = mask; m; m &= m - 1) {
		uint32_t i = lowest_bit(m);

		set_view(&w->out[count.frames++], &frames[i], &w->offload[i]);
		count.octets += vnet_frame_octets(&frames[i]);
		if (!w->is_plain)
			wants |= vnet_offload_wants(&frames[i]);
	}
	w->gathered = mask;
	w->gathered_count = count;
	w->gathered_wants = wants;
}

/* Offer frames, of @octets together, to a driver, and count what became of those
 * that it dealt with. Returns how many these are. Where the driver turns out to
 * be broken, these are all, and *@error is set: the caller then reports it. */
static size_t
offer(struct vnet_client *c, const struct vnet_frame *frames, size_t n,
      uint64_t octets, int *error)
{
	struct vnet_counters *count = &c->lane[0].count;
	size_t refused = 0, done, i;
	int r = c->ops->send(c->ctx, frames, n, &refused);

	*error = 0;
	if (vnet_unlikely(r < 0)) {
		*error = r;
		vnet_count_add(&count->out_drops[VNET_DROP_DRIVER_ERROR], n,
			       octets);
		return n;
	}
	if (vnet_likely((size_t)r == n && !refused && !c->is_observed)) {
		vnet_count_add(&count->delivered, n, octets);
		return n;
	}
	/* A driver that claims more than it was offered is believed no more
	 * than that. */
	done = (size_t)r < n ? (size_t)r : n;
	if (c->is_observed)
		observe(c, true, frames, done);
	if (refused > done)
		refused = done;
	for (i = 0; i < done - refused; i++)
		vnet_count_add(&count->delivered, 1,
			       vnet_frame_octets(&frames[i]));
	for (; i < done; i++)
		vnet_count_add(&count->out_drops[VNET_DROP_REFUSED], 1,
			       vnet_frame_octets(&frames[i]));
	return done;
}

/*
 * What a frame becomes for a driver: itself, or the frames that the resolver
 * makes of it, one after the other.
 */
struct outputs {
	const struct vnet_frame *f; /* NULL when it is done */
	struct vnet_resolver resolver;
	bool is_resolved;
};

static void
outputs_begin(struct outputs *it, const struct vnet_frame *f,
	      const struct vnet_offload *o, uint32_t carries)
{
	it->f = f;
	it->is_resolved = (vnet_offload_wants(f) & ~carries) != 0;
	if (it->is_resolved)
		vnet_resolver_begin(&it->resolver, f, o, carries);
}

/* The next one in @out, its octets at *@buf where they had to be made; false
 * when there is none. */
static bool
outputs_next(struct outputs *it, struct vnet_frame *out, uint8_t **buf)
{
	size_t used;

	if (it->is_resolved) {
		used = vnet_resolver_next(&it->resolver, *buf, out);
		*buf += used;
		return used != 0;
	}
	if (!it->f)
		return false;
	*out = *it->f;
	it->f = NULL;
	return true;
}

/* Our own segmentation makes more frames, and more octets, than were meant for
 * the client. */
static void
count_segments(struct vnet_client *c, const struct vnet_frame *f,
	       const struct vnet_offload *o)
{
	vnet_count_add(&c->lane[0].count.segments,
		       vnet_offload_frames(f, o, c->carries) - 1,
		       vnet_offload_octets(f, o, c->carries) -
			       vnet_frame_octets(f));
}

/* Send frames of which some must be resolved first, group by group, as room
 * for them goes. Returns those that are left; lane->skip says how much of the
 * first of them was sent. */
static uint64_t
send_resolved(struct vnet_switch *sw, struct vnet_worker *w,
	      struct vnet_client *c, const struct vnet_frame *frames,
	      uint64_t mask)
{
	struct vnet_lane *lane = &c->lane[0];
	struct vnet_frame view;
	struct outputs it = {0};
	uint32_t of[VNET_BATCH];  /* which frame each one was made of, */
	uint16_t nth[VNET_BATCH]; /* as its how manieth */
	uint64_t left = mask;
	uint16_t made = 0;
	uint32_t i = 0;
	int error;

	w->gathered = 0;
	for (;;) {
		uint8_t *buf = w->scratch;
		const uint8_t *end = w->scratch + VNET_SCRATCH_SIZE;
		uint64_t octets = 0;
		size_t n = 0, done;

		while (n < VNET_BATCH &&
		       (size_t)(end - buf) >= VNET_RESOLVED_MAX) {
			if (made && outputs_next(&it, &w->out[n], &buf)) {
				octets += vnet_frame_octets(&w->out[n]);
				of[n] = i;
				nth[n++] = made++;
				continue;
			}
			if (!left)
				break;
			i = lowest_bit(left);
			left &= left - 1;
			set_view(&view, &frames[i], &w->offload[i]);
			outputs_begin(&it, &view, &w->offload[i], c->carries);
			made = 1;
		}
		if (!n)
			return 0;
		done = offer(c, w->out, n, octets, &error);
		if (done < n) {
			lane->skip = (uint16_t)(nth[done] - 1);
			return mask & (UINT64_MAX << of[done]);
		}
		if (error) {
			/* What is left will be counted as link_down. */
			vnet_switch_driver_broke(sw, c, error);
			lane->skip = nth[n - 1];
			return mask & (UINT64_MAX << of[n - 1]);
		}
	}
}

/* Send a client what is pending. Returns those frames that its driver did not
 * take, or that come behind others in its queue. */
static uint64_t
send_pending(struct vnet_switch *sw, struct vnet_worker *w,
	     struct vnet_client *c, const struct vnet_frame *frames)
{
	struct vnet_lane *lane = &c->lane[0];
	uint64_t mask = lane->pending;
	size_t done;
	int error;

	gather(w, frames, mask);
	vnet_count_add(&lane->count.out, w->gathered_count.frames,
		       w->gathered_count.octets);
	lane->skip = 0;
	if (vnet_unlikely(w->gathered_wants & ~c->carries)) {
		for (uint64_t m = mask; m; m &= m - 1)
			count_segments(c, &frames[lowest_bit(m)],
				       &w->offload[lowest_bit(m)]);
		if (lane->queue.frames)
			return mask;
		return send_resolved(sw, w, c, frames, mask);
	}
	if (vnet_unlikely(lane->queue.frames))
		return mask;
	done = offer(c, w->out, (size_t)w->gathered_count.frames,
		     w->gathered_count.octets, &error);
	if (vnet_unlikely(error))
		vnet_switch_driver_broke(sw, c, error);
	if (vnet_likely(done == w->gathered_count.frames))
		return 0;
	while (done--)
		mask &= mask - 1;
	return mask;
}

/* A queue, or the pool, has dropped a frame. */
static void
count_loss(struct vnet_switch *sw, const struct vnet_loss *loss)
{
	struct vnet_client *c = vnet_switch_client_at(sw, loss->queue);
	struct vnet_client *source = vnet_switch_client(sw, loss->source);

	vnet_count_add(&c->lane[0].count.out_drops[loss->reason], 1,
		       loss->octets);
	if (source)
		vnet_count_add(&source->lane[0].count.lost_by_others, 1,
			       loss->octets);
	vnet_switch_mark(sw, c, VNET_MARK_QUEUE_FULL, 0);
}

static void
enqueue(struct vnet_switch *sw, const struct vnet_client *in,
	struct vnet_client *c, const struct vnet_frame *f)
{
	struct vnet_lane *lane = &c->lane[0];
	struct vnet_loss loss = {.freed = 0};

	if (vnet_unlikely(!c->port->link)) {
		vnet_count_add(&lane->count.out_drops[VNET_DROP_LINK_DOWN], 1,
			       vnet_frame_octets(f));
		return;
	}
	while (!vnet_queue_push(&sw->pool, &lane->queue, in->id, in->weight, f,
				&loss)) {
		count_loss(sw, &loss);
		if (loss.is_arriving)
			break;
	}
}

/* Put what is left of frame @i into the queue of @c. */
static void
enqueue_frame(struct vnet_switch *sw, struct vnet_worker *w,
	      const struct vnet_client *in, struct vnet_client *c,
	      const struct vnet_frame *frames, uint32_t i)
{
	struct vnet_lane *lane = &c->lane[0];
	struct vnet_frame view, out;
	struct outputs it;
	uint8_t *buf = w->scratch;

	set_view(&view, &frames[i], &w->offload[i]);
	outputs_begin(&it, &view, &w->offload[i], c->carries);
	while (outputs_next(&it, &out, &buf)) {
		buf = w->scratch;
		if (lane->skip)
			lane->skip--;
		else
			enqueue(sw, in, c, &out);
	}
}

/* Queue what is left, frame by frame: who gets the last of the pool shall not
 * depend on how the frames came in batches. */
static void
enqueue_left(struct vnet_switch *sw, struct vnet_worker *w,
	     const struct vnet_client *in, const struct vnet_frame *frames,
	     uint64_t left)
{
	for (; left; left &= left - 1) {
		uint32_t i = lowest_bit(left);

		for (uint32_t k = w->first_touched; k < w->end_touched; k++) {
			for (uint64_t m = w->touched[k]; m; m &= m - 1) {
				struct vnet_client *c = vnet_switch_client_at(
					sw, 64 * k + lowest_bit(m));

				if (c->lane[0].pending >> i & 1)
					enqueue_frame(sw, w, in, c, frames, i);
			}
		}
	}
}

static void
flush(struct vnet_switch *sw, struct vnet_worker *w,
      const struct vnet_client *in, const struct vnet_frame *frames)
{
	uint64_t left = 0;

	w->gathered = 0;
	for (uint32_t k = w->first_touched; k < w->end_touched; k++) {
		for (uint64_t m = w->touched[k]; m; m &= m - 1) {
			struct vnet_client *c = vnet_switch_client_at(
				sw, 64 * k + lowest_bit(m));
			struct vnet_lane *lane = &c->lane[0];

			lane->pending = send_pending(sw, w, c, frames);
			left |= lane->pending;
		}
	}
	if (vnet_unlikely(left))
		enqueue_left(sw, w, in, frames, left);
	for (uint32_t k = w->first_touched; k < w->end_touched; k++) {
		for (uint64_t m = w->touched[k]; m && left; m &= m - 1)
			vnet_switch_client_at(sw, 64 * k + lowest_bit(m))
				->lane[0]
				.pending = 0;
		w->touched[k] = 0;
	}
	w->first_touched = UINT32_MAX;
	w->end_touched = 0;
}

/*
 * The three together
 */

static void
forward(struct vnet_switch *sw, struct vnet_worker *w, struct vnet_client *in,
	const struct vnet_frame *frames, size_t n)
{
	struct vnet_counters *count = &in->lane[0].count;
	struct vnet_decision v = {.dest = w->dest};
	struct sums sum = {0};

	w->learned = vnet_fdb_where(&sw->fdb, in->slot);
	parse(sw, w, frames, n);
	for (uint32_t i = 0; i < n; i++) {
		v.drop = decide(sw, in, &frames[i], &w->parsed[i],
				&w->offload[i], &v);
		commit(sw, w, in, &frames[i], i, &v, &sum);
	}
	vnet_count_add(&count->in, sum.in.frames, sum.in.octets);
	vnet_count_add(&count->looked_up, sum.in.frames - sum.dropped.frames,
		       sum.in.octets - sum.dropped.octets);
	vnet_count_add(&count->copies, sum.copies.frames, sum.copies.octets);
	flush(sw, w, in, frames);
}

static struct vnet_count
count_all(const struct vnet_frame *frames, size_t n)
{
	struct vnet_count c = {n, 0};

	for (size_t i = 0; i < n; i++)
		c.octets += vnet_frame_octets(&frames[i]);
	return c;
}

void
vnet_switch_input(struct vnet_switch *sw, vnet_client_id from,
		  const struct vnet_frame *frames, size_t n, vnet_nsec now)
{
	struct vnet_client *in = vnet_switch_client(sw, from);

	if (vnet_unlikely(!in)) {
		struct vnet_count c = count_all(frames, n);

		vnet_count_add(&sw->unknown_source, c.frames, c.octets);
		return;
	}
	if (vnet_unlikely(sw->entered)) {
		struct vnet_count c = count_all(frames, n);
		struct vnet_counters *count = &in->lane[0].count;

		if (in->is_observed)
			observe(in, false, frames, n);
		vnet_count_add(&count->in, c.frames, c.octets);
		vnet_count_add(&count->in_drops[VNET_DROP_REENTRANT], c.frames,
			       c.octets);
		return;
	}
	sw->entered = true;
	vnet_switch_advance(sw, now);
	if (vnet_unlikely(in->is_observed))
		observe(in, false, frames, n);
	while (n) {
		size_t k = n < VNET_BATCH ? n : VNET_BATCH;

		forward(sw, &sw->worker[0], in, frames, k);
		frames += k;
		n -= k;
	}
	sw->entered = false;
}

/* Offer a client what is first in its queue, @max frames at the most. Returns
 * how many left it; *@is_full says whether its driver took fewer than offered. */
static size_t
drain(struct vnet_switch *sw, struct vnet_worker *w, struct vnet_client *c,
      size_t max, bool *is_full)
{
	struct vnet_queue *q = &c->lane[0].queue;
	uint8_t *scratch = w->scratch;
	size_t room = VNET_SCRATCH_SIZE, n = 0, done;
	uint64_t octets = 0;
	int error;

	if (max > VNET_BATCH)
		max = VNET_BATCH;
	vnet_queue_peek_begin(q);
	while (n < max &&
	       vnet_queue_peek(&sw->pool, q, &w->out[n], &scratch, &room)) {
		octets += vnet_frame_octets(&w->out[n]);
		w->out[n++].depth = 1;
	}
	done = offer(c, w->out, n, octets, &error);
	for (size_t i = 0; i < done; i++)
		vnet_queue_pop(&sw->pool, q);
	if (error)
		vnet_switch_driver_broke(sw, c, error);
	*is_full = done < n;
	return done;
}

int
vnet_client_output(struct vnet_switch *sw, vnet_client_id id, size_t max_frames,
		   vnet_nsec now)
{
	struct vnet_client *c = vnet_switch_client(sw, id);
	bool is_full = false;
	size_t total = 0;

	if (!c)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	if (max_frames > INT32_MAX)
		max_frames = INT32_MAX;
	sw->entered = true;
	vnet_switch_advance(sw, now);
	while (total < max_frames && c->lane[0].queue.frames && !is_full)
		total += drain(sw, &sw->worker[0], c, max_frames - total,
			       &is_full);
	sw->entered = false;
	return (int)total;
}
