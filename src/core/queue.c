/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "queue.h"
#include "eth.h"
#include "offload.h"

#define NONE UINT32_MAX

/* Octets that a source of weight 1 may send in a round, where there is no
 * heavier one. Any number serves; the smaller, the finer do sources alternate,
 * down to one full frame. */
#define QUANTUM 1514u

/* Deficits count fractions of an octet, 1 << FRACTION of them. */
#define FRACTION 10

/* The two states of the schedule. */
enum { REAL = 0, PEEK = 1 };

/*
 * A frame in the pool; its octets follow. A record is aligned to 8 octets. It
 * lies behind the one before it where there is room for the whole of it in that
 * block, else it begins a block of its own, and goes on in those linked behind
 * that one.
 */
struct record {
	uint32_t prev_block; /* its neighbours in the sub-queue, where */
	uint32_t next_block; /* there are any */
	uint16_t prev_off;
	uint16_t next_off;
	uint32_t len;
	uint16_t flags;
	uint8_t gso_type;
	uint8_t ntags;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t gso_size;
	uint16_t hdr_len;
	uint16_t nsegs;
	struct vnet_tag tag[VNET_MAX_TAGS];
	uint8_t via;
};

/* Octets of a record, in whole units of 8. */
static uint32_t
record_size(uint32_t len)
{
	return (uint32_t)((sizeof(struct record) + len + 7) & ~UINT32_C(7));
}

static uint32_t
hash_bits_for(uint32_t nblocks)
{
	uint32_t bits = 1;

	while (bits < 31 && UINT32_C(1) << bits < nblocks)
		bits++;
	return bits;
}

/* The pool is one piece of memory; its parts lie in order of alignment. */
struct layout {
	size_t data, sub, client, queue, next, hash, sub_pos, held, end;
};

static struct layout
lay_out(uint64_t octets, uint32_t queues)
{
	uint32_t n = vnet_queue_quota(octets);
	struct layout l;

	l.data = 0;
	l.sub = l.data + (size_t)n * VNET_POOL_BLOCK;
	l.client = l.sub + n * sizeof(struct vnet_sub);
	l.queue = l.client + queues * sizeof(vnet_client_id);
	l.next = l.queue + queues * sizeof(struct vnet_queue *);
	l.hash = l.next + n * sizeof(uint32_t);
	l.sub_pos = l.hash + (sizeof(uint32_t) << hash_bits_for(n));
	l.held = l.sub_pos + n * sizeof(uint32_t);
	l.end = l.held + queues * sizeof(uint32_t);
	return l;
}

uint64_t
vnet_pool_memory(uint64_t octets, uint32_t queues)
{
	return lay_out(octets, queues).end;
}

int
vnet_pool_init(struct vnet_pool *pool, const struct vnet_alloc *alloc,
	       uint64_t octets, uint32_t queues)
{
	struct layout l = lay_out(octets, queues);
	uint32_t n = vnet_queue_quota(octets);
	uint8_t *mem = alloc->get(alloc->ctx, l.end, VNET_POOL_BLOCK);

	if (!mem)
		return -ENOMEM;
	*pool = (struct vnet_pool){
		.data = mem + l.data,
		.sub = (void *)(mem + l.sub),
		.queue = (void *)(mem + l.queue),
		.next = (void *)(mem + l.next),
		.sub_hash = (void *)(mem + l.hash),
		.sub_pos = (void *)(mem + l.sub_pos),
		.held = (void *)(mem + l.held),
		.client = (void *)(mem + l.client),
		.nblocks = n,
		.nqueues = queues,
		/* A queue that is not there yet finds its block when it
		 * comes. */
		.nidle = queues,
		.hash_bits = hash_bits_for(n),
	};
	for (uint32_t i = 0; i < n; i++) {
		pool->next[i] = i + 1 < n ? i + 1 : NONE;
		pool->sub[i].hash_next = i + 1 < n ? i + 1 : NONE;
	}
	for (uint32_t i = 0; i < queues; i++) {
		pool->queue[i] = NULL;
		pool->held[i] = 0;
		pool->client[i] = VNET_NO_ID;
	}
	memset(pool->sub_hash, 0xff, sizeof(uint32_t) << pool->hash_bits);
	return 0;
}

void
vnet_pool_fini(struct vnet_pool *pool, const struct vnet_alloc *alloc)
{
	uint64_t octets = (uint64_t)pool->nblocks * VNET_POOL_BLOCK;

	alloc->put(alloc->ctx, pool->data, lay_out(octets, pool->nqueues).end);
}

void
vnet_queue_init(struct vnet_queue *q, struct vnet_pool *pool,
		vnet_client_id client, uint32_t quota,
		struct vnet_heap_node *nodes)
{
	uint32_t slot = (uint32_t)client;

	*q = (struct vnet_queue){
		.slot = slot,
		.quota = quota,
		.most = quota,
		.turn = {NONE, NONE},
		.longest = {.node = nodes, .pos = pool->sub_pos},
	};
	pool->queue[slot] = q;
	pool->client[slot] = client;
	pool->held[slot] = 0;
}

void
vnet_queue_set_quota(struct vnet_queue *q, uint32_t quota)
{
	q->quota = quota;
	q->most = q->blocks > quota ? q->blocks : quota;
}

void
vnet_queue_fini(struct vnet_pool *pool, struct vnet_queue *q)
{
	VNET_ASSERT(!q->blocks);
	pool->queue[q->slot] = NULL;
	/* What the client has sent may still wait at others. It is nobody's,
	 * least of all that of whoever has the slot next. */
	pool->client[q->slot] = VNET_NO_ID;
	pool->held[q->slot] = 0;
}

/* Blocks: taken and given back one by one, and counted wherever they count. */

/* Is the source of @s still there? */
static bool
is_counted(const struct vnet_pool *pool, const struct vnet_sub *s)
{
	return pool->client[(uint32_t)s->source] == s->source;
}

static uint32_t
get_block(struct vnet_pool *pool, struct vnet_queue *q, struct vnet_sub *s)
{
	uint32_t b = pool->free_block;

	pool->free_block = pool->next[b];
	pool->next[b] = NONE;
	pool->nused++;
	pool->nidle -= !q->blocks;
	pool->held[(uint32_t)s->source] += is_counted(pool, s);
	q->blocks++;
	s->blocks++;
	return b;
}

static void
put_block(struct vnet_pool *pool, struct vnet_queue *q, struct vnet_sub *s,
	  uint32_t b)
{
	pool->next[b] = pool->free_block;
	pool->free_block = b;
	pool->nused--;
	pool->held[(uint32_t)s->source] -= is_counted(pool, s);
	q->blocks--;
	pool->nidle += !q->blocks;
	s->blocks--;
}

static struct record *
record_at(const struct vnet_pool *pool, uint32_t block, uint32_t off)
{
	return (struct record *)(void *)(pool->data +
					 (size_t)block * VNET_POOL_BLOCK + off);
}

/* Sub-queues */

static uint32_t
sub_home(const struct vnet_pool *pool, uint32_t slot, vnet_client_id source)
{
	uint32_t h = (uint32_t)source * UINT32_C(0x9e3779b1);

	h = (h ^ slot) * UINT32_C(0x85ebca6b);
	return h >> (32 - pool->hash_bits);
}

static uint32_t
find_sub(const struct vnet_pool *pool, const struct vnet_queue *q,
	 vnet_client_id source)
{
	uint32_t i = pool->sub_hash[sub_home(pool, q->slot, source)];

	while (i != NONE &&
	       (pool->sub[i].queue != q->slot || pool->sub[i].source != source))
		i = pool->sub[i].hash_next;
	return i;
}

/* A new sub-queue is served after all that are waiting. */
static void
join_ring(struct vnet_pool *pool, struct vnet_queue *q, uint32_t i)
{
	struct vnet_sub *s = &pool->sub[i];

	if (q->turn[REAL] == NONE) {
		s->ring_next = i;
		s->ring_prev = i;
		q->turn[REAL] = i;
		return;
	}
	s->ring_next = q->turn[REAL];
	s->ring_prev = pool->sub[s->ring_next].ring_prev;
	pool->sub[s->ring_next].ring_prev = i;
	pool->sub[s->ring_prev].ring_next = i;
}

static void
leave_ring(struct vnet_pool *pool, struct vnet_queue *q, uint32_t i)
{
	const struct vnet_sub *s = &pool->sub[i];

	if (q->turn[REAL] == i)
		q->turn[REAL] = s->ring_next == i ? NONE : s->ring_next;
	pool->sub[s->ring_prev].ring_next = s->ring_next;
	pool->sub[s->ring_next].ring_prev = s->ring_prev;
}

/* The logarithm of a weight: what queues count sub-queues by. */
static uint32_t
rank_of(uint32_t weight)
{
	uint32_t rank = 0;

	while (weight >>= 1)
		rank++;
	return rank;
}

/* It counts as one of that weight from now on. */
static void
set_weight(struct vnet_queue *q, struct vnet_sub *s, uint32_t weight)
{
	if (s->weight == weight)
		return;
	if (s->weight)
		q->nranked[REAL][rank_of(s->weight)]--;
	if (weight)
		q->nranked[REAL][rank_of(weight)]++;
	s->weight = weight;
}

static uint32_t
open_sub(struct vnet_pool *pool, struct vnet_queue *q, vnet_client_id source)
{
	uint32_t i = pool->free_sub;
	struct vnet_sub *s = &pool->sub[i];
	uint32_t *chain = &pool->sub_hash[sub_home(pool, q->slot, source)];

	pool->free_sub = s->hash_next;
	*s = (struct vnet_sub){
		.source = source,
		.queue = q->slot,
		.hash_next = *chain,
	};
	*chain = i;
	join_ring(pool, q, i);
	q->nsubs++;
	vnet_heap_insert(&q->longest, i, 0);
	return i;
}

static void
close_sub(struct vnet_pool *pool, struct vnet_queue *q, uint32_t i)
{
	struct vnet_sub *s = &pool->sub[i];
	uint32_t *p = &pool->sub_hash[sub_home(pool, q->slot, s->source)];

	while (*p != i)
		p = &pool->sub[*p].hash_next;
	*p = s->hash_next;
	leave_ring(pool, q, i);
	set_weight(q, s, 0);
	vnet_heap_remove(&q->longest, i);
	q->nsubs--;
	s->hash_next = pool->free_sub;
	pool->free_sub = i;
}

/* What is counted when a frame comes (+) or goes (-). */
static void
count(struct vnet_queue *q, struct vnet_sub *s, int frames, uint32_t octets)
{
	s->turn[REAL].frames += (uint32_t)frames;
	s->octets += (uint32_t)frames * octets;
	q->frames += (uint32_t)frames;
	q->octets += (uint32_t)frames * octets;
}

/* Pushing */

/* Blocks that a record needs behind what sub-queue @s has, which may be NULL. */
static uint32_t
blocks_needed(const struct vnet_sub *s, uint32_t size)
{
	if (s && size <= VNET_POOL_BLOCK - s->end_off)
		return 0;
	return (size + VNET_POOL_BLOCK - 1) / VNET_POOL_BLOCK;
}

static uint32_t
octets_of(const struct record *r)
{
	return r->len + 4u * r->ntags;
}

/* Free the blocks from @b on, up to but without @last; NONE frees all. */
static void
free_blocks(struct vnet_pool *pool, struct vnet_queue *q, struct vnet_sub *s,
	    uint32_t b, uint32_t last)
{
	while (b != last) {
		uint32_t next = pool->next[b];

		put_block(pool, q, s, b);
		b = next;
	}
}

/* Where the newest record of @s ends. */
static void
find_end(const struct vnet_pool *pool, struct vnet_sub *s)
{
	uint32_t size =
		record_size(record_at(pool, s->tail_block, s->tail_off)->len);

	s->end_block = s->tail_block;
	s->end_off = s->tail_off;
	while (size > VNET_POOL_BLOCK - s->end_off) {
		size -= VNET_POOL_BLOCK - s->end_off;
		s->end_block = pool->next[s->end_block];
		s->end_off = 0;
	}
	s->end_off += size;
}

/* Sub-queue @i of @q loses its newest frame. */
static void
lose_newest(struct vnet_pool *pool, struct vnet_queue *q, uint32_t i,
	    struct vnet_loss *loss)
{
	struct vnet_sub *s = &pool->sub[i];
	const struct record *r = record_at(pool, s->tail_block, s->tail_off);
	uint32_t held = s->blocks;

	loss->is_arriving = false;
	loss->queue = q->slot;
	loss->source = s->source;
	loss->octets = octets_of(r);
	count(q, s, -1, loss->octets);
	if (!s->turn[REAL].frames) {
		free_blocks(pool, q, s, s->tail_block, NONE);
		loss->freed += held;
		close_sub(pool, q, i);
		return;
	}
	s->tail_block = r->prev_block;
	s->tail_off = r->prev_off;
	find_end(pool, s);
	free_blocks(pool, q, s, pool->next[s->end_block], NONE);
	pool->next[s->end_block] = NONE;
	loss->freed += held - s->blocks;
	vnet_heap_update(&q->longest, i, s->blocks);
}

/* Copy the octets of the record that begins at (@block, @off), and that go on in
 * the blocks linked behind, to @to; or, where that is NULL, from @from. */
static void
copy_octets(const struct vnet_pool *pool, uint32_t block, uint32_t off,
	    uint8_t *to, const uint8_t *from, uint32_t len)
{
	off += (uint32_t)sizeof(struct record);
	while (len) {
		uint8_t *p = pool->data + (size_t)block * VNET_POOL_BLOCK + off;
		uint32_t n = VNET_POOL_BLOCK - off;

		if (n > len)
			n = len;
		if (to) {
			memcpy(to, p, n);
			to += n;
		} else {
			VNET_ASSERT(from);
			memcpy(p, from, n);
			from += n;
		}
		len -= n;
		block = pool->next[block];
		off = 0;
	}
}

/* Link @n blocks behind what @s has. Returns the first. */
static uint32_t
add_blocks(struct vnet_pool *pool, struct vnet_queue *q, struct vnet_sub *s,
	   uint32_t n)
{
	uint32_t first = pool->free_block, last = s->end_block;

	for (uint32_t k = 0; k < n; k++) {
		uint32_t b = get_block(pool, q, s);

		if (k || s->blocks > 1)
			pool->next[last] = b;
		last = b;
	}
	return first;
}

static void
append(struct vnet_pool *pool, struct vnet_queue *q, uint32_t i,
       const struct vnet_frame *f, uint32_t need)
{
	struct vnet_sub *s = &pool->sub[i];
	uint32_t block = s->end_block, off = s->end_off;

	if (need) {
		block = add_blocks(pool, q, s, need);
		off = 0;
		vnet_heap_update(&q->longest, i, s->blocks);
	}
	if (s->turn[REAL].frames) {
		struct record *tail =
			record_at(pool, s->tail_block, s->tail_off);

		tail->next_block = block;
		tail->next_off = (uint16_t)off;
	} else {
		s->turn[REAL].block = block;
		s->turn[REAL].off = off;
	}
	*record_at(pool, block, off) = (struct record){
		.prev_block = s->tail_block,
		.prev_off = (uint16_t)s->tail_off,
		.len = f->len,
		.flags = f->flags,
		.gso_type = f->gso_type,
		.ntags = f->ntags,
		.csum_start = f->csum_start,
		.csum_offset = f->csum_offset,
		.gso_size = f->gso_size,
		.hdr_len = f->hdr_len,
		.nsegs = f->nsegs,
		.tag = {f->tag[0], f->tag[1]},
		.via = f->via,
	};
	copy_octets(pool, block, off, NULL, f->data, f->len);
	s->tail_block = block;
	s->tail_off = off;
	find_end(pool, s);
	count(q, s, 1, vnet_frame_octets(f));
}

/* Do sub-queues of @q that are longer than @own have @blocks more than that,
 * together? */
static bool
can_give(const struct vnet_queue *q, uint32_t own, uint32_t blocks)
{
	const struct vnet_heap_node *node = q->longest.node;
	uint32_t given = 0, i = 0;

	/* In a heap, what is longer than @own lies below another that is, or
	 * on top; and each gives one block at least, so that few are seen. */
	for (;;) {
		if (i < q->longest.n && node[i].key > own) {
			given += node[i].key - own;
			if (given >= blocks)
				return true;
			i = 2 * i + 1;
			continue;
		}
		while (i && !(i & 1))
			i = (i - 1) / 2;
		if (!i)
			return false;
		i++;
	}
}

/* Blocks that others in @q must give before one of @need may come, or NONE if
 * it may not; @reason says for which bound. */
static uint32_t
lacking(const struct vnet_pool *pool, const struct vnet_queue *q,
	vnet_client_id source, uint32_t need, uint32_t freed,
	enum vnet_drop *reason)
{
	uint32_t held = pool->held[(uint32_t)source];
	/* What is free, less what is kept for queues that hold nothing. */
	uint32_t nfree = pool->nblocks - pool->nused - pool->nidle;
	uint32_t lack = 0;

	*reason = VNET_DROP_POOL_EMPTY;
	if (!q->blocks) {
		nfree++;
		if (need == 1)
			return 0;
	}
	if (held + need > nfree) {
		lack = need - freed;
		if (!q->nsubs || held + need + lack > q->longest.node[0].key)
			return NONE;
	} else if (q->blocks + need > nfree) {
		/* Each block that is given counts on both sides. */
		lack = (q->blocks + need - nfree + 1) / 2;
		if (lack > need - freed)
			lack = need - freed;
	}
	if (q->blocks + need > q->quota) {
		uint32_t beyond = q->blocks + need - q->quota;

		/* More than the frame needs where the quota was lowered: that
		 * is not for it to make good. */
		if (beyond > need - freed)
			beyond = need - freed;
		*reason = VNET_DROP_QUEUE_FULL;
		if (lack < beyond)
			lack = beyond;
	}
	return lack;
}

bool
vnet_queue_push(struct vnet_pool *pool, struct vnet_queue *q,
		vnet_client_id source, uint32_t weight,
		const struct vnet_frame *f, struct vnet_loss *loss)
{
	uint32_t i = find_sub(pool, q, source);
	uint32_t need = blocks_needed(i == NONE ? NULL : &pool->sub[i],
				      record_size(f->len));
	uint32_t own = need + (i == NONE ? 0 : pool->sub[i].blocks);
	uint32_t lack = 0;

	if (need > q->quota) {
		loss->reason = VNET_DROP_QUEUE_FULL;
		goto lose_arriving;
	}
	if (need && loss->freed < need)
		lack = lacking(pool, q, source, need, loss->freed,
			       &loss->reason);
	if (lack) {
		if (lack == NONE || !can_give(q, own, lack))
			goto lose_arriving;
		lose_newest(pool, q, q->longest.node[0].id, loss);
		return false;
	}
	if (i == NONE)
		i = open_sub(pool, q, source);
	set_weight(q, &pool->sub[i], weight);
	append(pool, q, i, f, need);
	return true;

lose_arriving:
	loss->is_arriving = true;
	loss->queue = q->slot;
	loss->source = source;
	loss->octets = vnet_frame_octets(f);
	return false;
}

/* Serving */

/* What @s may send in a round: for the heaviest that is there two full frames to
 * four, or what its weight is worth where that is less. */
static uint32_t
quantum(const struct vnet_queue *q, const struct vnet_sub *s, int which)
{
	uint32_t rank = VNET_QUEUE_RANKS - 1;

	while (rank > 1 && !q->nranked[which][rank])
		rank--;
	return s->weight * QUANTUM << (FRACTION - (rank - 1));
}

/* Whose turn is it, in the real schedule or in the peek? */
static uint32_t
schedule(struct vnet_pool *pool, struct vnet_queue *q, int which)
{
	for (;;) {
		uint32_t i = q->turn[which];
		struct vnet_sub *s = &pool->sub[i];
		struct vnet_turn *t = &s->turn[which];

		/* A peek begins at what is real, with each sub-queue when it
		 * comes there first: it may not come to many. */
		if (which == PEEK && s->peek != q->peek) {
			s->turn[PEEK] = s->turn[REAL];
			s->peek = q->peek;
		}
		if (t->frames) {
			uint32_t cost =
				octets_of(record_at(pool, t->block, t->off))
				<< FRACTION;

			if (!t->served) {
				t->deficit += quantum(q, s, which);
				t->served = true;
			}
			if (cost <= t->deficit) {
				t->deficit -= cost;
				return i;
			}
		}
		t->served = false;
		q->turn[which] = s->ring_next;
	}
}

void
vnet_queue_peek_begin(struct vnet_queue *q)
{
	q->turn[PEEK] = q->turn[REAL];
	memcpy(q->nranked[PEEK], q->nranked[REAL], sizeof(q->nranked[PEEK]));
	q->peek_left = q->frames;
	q->peek++;
}

bool
vnet_queue_peek(struct vnet_pool *pool, struct vnet_queue *q,
		struct vnet_frame *f, uint8_t **scratch, size_t *room)
{
	const struct record *r;
	const struct vnet_sub *s;
	struct vnet_turn *t;
	uint32_t i;

	if (!q->peek_left)
		return false;
	i = schedule(pool, q, PEEK);
	s = &pool->sub[i];
	t = &pool->sub[i].turn[PEEK];
	r = record_at(pool, t->block, t->off);
	*f = (struct vnet_frame){
		.len = r->len,
		.flags = r->flags,
		.gso_type = r->gso_type,
		.ntags = r->ntags,
		.csum_start = r->csum_start,
		.csum_offset = r->csum_offset,
		.gso_size = r->gso_size,
		.hdr_len = r->hdr_len,
		.nsegs = r->nsegs,
		.via = r->via,
		.tag = {r->tag[0], r->tag[1]},
	};
	if (record_size(r->len) <= VNET_POOL_BLOCK - t->off) {
		f->data = (const uint8_t *)(r + 1);
	} else {
		if (r->len > *room)
			return false;
		copy_octets(pool, t->block, t->off, *scratch, NULL, r->len);
		f->data = *scratch;
		*scratch += r->len;
		*room -= r->len;
	}
	q->peek_left--;
	if (!--t->frames)
		q->nranked[PEEK][rank_of(s->weight)]--;
	t->block = r->next_block;
	t->off = r->next_off;
	return true;
}

uint32_t
vnet_queue_pop(struct vnet_pool *pool, struct vnet_queue *q)
{
	uint32_t i = schedule(pool, q, REAL);
	struct vnet_sub *s = &pool->sub[i];
	struct vnet_turn *t = &s->turn[REAL];
	const struct record *r = record_at(pool, t->block, t->off);
	uint32_t octets = octets_of(r), held = s->blocks;
	uint32_t block = t->block;

	t->block = t->frames > 1 ? r->next_block : NONE;
	t->off = r->next_off;
	count(q, s, -1, octets);
	free_blocks(pool, q, s, block, t->block);
	if (!t->frames)
		close_sub(pool, q, i);
	else if (s->blocks != held)
		vnet_heap_update(&q->longest, i, s->blocks);
	return octets;
}

void
vnet_queue_purge(struct vnet_pool *pool, struct vnet_queue *q)
{
	while (q->nsubs) {
		uint32_t i = q->turn[REAL];
		struct vnet_sub *s = &pool->sub[i];

		free_blocks(pool, q, s, s->turn[REAL].block, NONE);
		close_sub(pool, q, i);
	}
	q->frames = 0;
	q->octets = 0;
}

static bool
sub_is_sound(const struct vnet_pool *pool, const struct vnet_sub *s)
{
	uint32_t block = s->turn[REAL].block, off = s->turn[REAL].off;
	uint32_t octets = 0, blocks = 0;

	for (uint32_t n = s->turn[REAL].frames; n; n--) {
		const struct record *r = record_at(pool, block, off);

		octets += octets_of(r);
		if (n == 1)
			break;
		block = r->next_block;
		off = r->next_off;
	}
	for (uint32_t b = s->turn[REAL].block; b != NONE; b = pool->next[b])
		blocks++;
	return s->turn[REAL].frames && block == s->tail_block &&
	       off == s->tail_off && octets == s->octets && blocks == s->blocks;
}

static bool
queue_is_sound(const struct vnet_pool *pool, const struct vnet_queue *q)
{
	uint32_t octets = 0, blocks = 0, frames = 0, i = q->turn[REAL];

	for (uint32_t n = 0; n < q->nsubs; n++) {
		const struct vnet_sub *s = &pool->sub[i];

		if (s->queue != q->slot || !sub_is_sound(pool, s) ||
		    pool->sub[s->ring_next].ring_prev != i ||
		    find_sub(pool, q, s->source) != i)
			return false;
		octets += s->octets;
		blocks += s->blocks;
		frames += s->turn[REAL].frames;
		i = s->ring_next;
	}
	return i == q->turn[REAL] && octets == q->octets &&
	       blocks == q->blocks && frames == q->frames &&
	       blocks <= q->most && q->longest.n == q->nsubs;
}

bool
vnet_pool_check(const struct vnet_pool *pool)
{
	uint32_t used = 0, nfree = 0, held = 0, counted = 0;
	uint32_t idle = pool->nqueues;

	for (uint32_t i = 0; i < pool->nqueues; i++) {
		const struct vnet_queue *q = pool->queue[i];

		held += pool->held[i];
		if (!q)
			continue;
		if (!queue_is_sound(pool, q))
			return false;
		used += q->blocks;
		idle -= q->blocks != 0;
		for (uint32_t k = 0; k < q->longest.n; k++) {
			const struct vnet_heap_node *node = &q->longest.node[k];
			const struct vnet_sub *s = &pool->sub[node->id];

			if (node->key != s->blocks)
				return false;
			if (is_counted(pool, s))
				counted += s->blocks;
		}
	}
	for (uint32_t b = pool->free_block; b != NONE && nfree <= pool->nblocks;
	     b = pool->next[b])
		nfree++;
	return used == pool->nused && used + nfree == pool->nblocks &&
	       idle == pool->nidle && used + idle <= pool->nblocks &&
	       held == counted;
}
