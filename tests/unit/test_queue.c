/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "support.h"
#include "eth.h"
#include "queue.h"

/* What a source of weight 1 may send a round: one full frame at the least. */
#define QUANTUM 1514

/* A pool and its queues, those of the first slots. Any slot may be a source. */
#define QUEUES 4
#define SLOTS  64
#define LONG   65550 /* a frame of the longest datagram */

/* Blocks that the pool keeps for the slots that have no queue here. */
#define KEPT (SLOTS - QUEUES)

struct bench {
	struct test_alloc alloc;
	struct vnet_pool pool;
	struct vnet_queue queue[QUEUES];
	struct vnet_heap_node *nodes[QUEUES];
};

/* A pool of @nblocks, besides those that it keeps. */
static void
bench_init(struct bench *b, uint32_t nblocks, uint32_t quota)
{
	uint64_t octets = (uint64_t)(nblocks + KEPT) * VNET_POOL_BLOCK;

	test_alloc_init(&b->alloc);
	assert_int_equal(
		vnet_pool_init(&b->pool, &b->alloc.alloc, octets, SLOTS), 0);
	for (uint32_t i = 0; i < QUEUES; i++) {
		/* Exactly as many: a sanitizer sees one too few. */
		b->nodes[i] = malloc(quota * sizeof(*b->nodes[i]));
		assert_non_null(b->nodes[i]);
		vnet_queue_init(&b->queue[i], &b->pool, i, quota, b->nodes[i]);
	}
	/* Clients without a queue here, that are sources. */
	for (uint32_t i = QUEUES; i < SLOTS; i++)
		b->pool.client[i] = i;
}

static void
bench_fini(struct bench *b)
{
	assert_true(vnet_pool_check(&b->pool));
	for (uint32_t i = 0; i < QUEUES; i++) {
		vnet_queue_purge(&b->pool, &b->queue[i]);
		assert_int_equal(b->queue[i].blocks, 0);
		assert_int_equal(b->queue[i].frames, 0);
		assert_int_equal(b->queue[i].octets, 0);
		free(b->nodes[i]);
	}
	assert_true(vnet_pool_check(&b->pool));
	assert_int_equal(b->pool.nused, 0);
	for (uint32_t i = 0; i < SLOTS; i++)
		assert_int_equal(b->pool.held[i], 0);
	vnet_pool_fini(&b->pool, &b->alloc.alloc);
	assert_int_equal(b->alloc.blocks, 0);
	assert_int_equal(b->alloc.used, 0);
}

/* 1,024 blocks, and queues of half of these. */
static int
setup(void **state)
{
	struct bench *b = malloc(sizeof(*b));

	assert_non_null(b);
	bench_init(b, 1024, 512);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	bench_fini(*state);
	free(*state);
	return 0;
}

/* Frame number @n: its octets follow from that. */
static struct vnet_frame
frame(unsigned int n, uint32_t len)
{
	static uint8_t octets[2 * LONG];
	static bool is_filled;

	if (!is_filled) {
		struct test_random random = {5};

		for (size_t i = 0; i < sizeof(octets); i++)
			octets[i] = (uint8_t)test_random(&random);
		is_filled = true;
	}
	assert_true(len <= LONG);
	return (struct vnet_frame){
		.data = octets + n * 37 % LONG,
		.len = len,
		.nsegs = 1,
	};
}

/* Push to queue @slot. When the frame is done, @loss is ready for the next. */
static bool
push_to(struct bench *b, uint32_t slot, vnet_client_id source,
	const struct vnet_frame *f, struct vnet_loss *loss)
{
	uint32_t freed = loss->freed;
	bool ok;

	memset(loss, 0xa5, sizeof(*loss));
	loss->freed = freed;
	ok = vnet_queue_push(&b->pool, &b->queue[slot], source, 1, f, loss);
	if (ok || loss->is_arriving)
		loss->freed = 0;
	assert_true(vnet_pool_check(&b->pool));
	return ok;
}

static bool
push(struct bench *b, vnet_client_id source, const struct vnet_frame *f,
     struct vnet_loss *loss)
{
	return push_to(b, 0, source, f, loss);
}

static void
must_push_to(struct bench *b, uint32_t queue, vnet_client_id source,
	     uint32_t weight, unsigned int n, uint32_t len)
{
	struct vnet_frame f = frame(n, len);
	struct vnet_loss loss = {.freed = 0};

	assert_true(vnet_queue_push(&b->pool, &b->queue[queue], source, weight,
				    &f, &loss));
}

static void
must_push(struct bench *b, vnet_client_id source, unsigned int n, uint32_t len)
{
	must_push_to(b, 0, source, 1, n, len);
}

static void
assert_same_frame(const struct vnet_frame *a, const struct vnet_frame *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, a->len);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->gso_type, b->gso_type);
	assert_int_equal(a->ntags, b->ntags);
	assert_int_equal(a->csum_start, b->csum_start);
	assert_int_equal(a->csum_offset, b->csum_offset);
	assert_int_equal(a->gso_size, b->gso_size);
	assert_int_equal(a->hdr_len, b->hdr_len);
	assert_int_equal(a->nsegs, b->nsegs);
	for (int i = 0; i < a->ntags; i++) {
		assert_int_equal(a->tag[i].tpid, b->tag[i].tpid);
		assert_int_equal(a->tag[i].tci, b->tag[i].tci);
	}
	assert_int_equal(a->via, 0);
	assert_int_equal(a->reserved32, 0);
	for (int i = 0; i < 3; i++)
		assert_true(!a->reserved64[i]);
}

/* The next frame of queue 0 is @want: see it, and take it. */
static void
assert_next(struct bench *b, const struct vnet_frame *want)
{
	/* No room to spare, so that a sanitizer sees an octet too many. */
	uint8_t *scratch = malloc(want->len), *p = scratch;
	size_t room = want->len;
	struct vnet_frame f;

	assert_non_null(scratch);
	memset(&f, 0xa5, sizeof(f));
	vnet_queue_peek_begin(&b->queue[0]);
	assert_true(vnet_queue_peek(&b->pool, &b->queue[0], &f, &p, &room));
	assert_same_frame(&f, want);
	assert_true(p == scratch ? room == want->len
				 : p == scratch + want->len && !room);
	free(scratch);
	assert_int_equal(vnet_queue_pop(&b->pool, &b->queue[0]),
			 vnet_frame_octets(want));
	assert_true(vnet_pool_check(&b->pool));
}

static void
assert_next_is(struct bench *b, unsigned int n, uint32_t len)
{
	struct vnet_frame want = frame(n, len);

	assert_next(b, &want);
}

static void
assert_empty(struct bench *b)
{
	struct vnet_queue *q = &b->queue[0];
	struct vnet_frame f;
	uint8_t *scratch = NULL;
	size_t room = 0;

	vnet_queue_peek_begin(q);
	assert_false(vnet_queue_peek(&b->pool, q, &f, &scratch, &room));
	assert_int_equal(q->frames, 0);
	assert_int_equal(q->octets, 0);
	assert_int_equal(q->blocks, 0);
	assert_int_equal(q->nsubs, 0);
}

/* Octets of a queue's frames. */
static uint32_t
backlog(const struct bench *b, uint32_t queue)
{
	return b->queue[queue].octets;
}

/* The longest frame of which one takes a block and no more. */
static uint32_t
longest_in_a_block(struct bench *b)
{
	uint32_t len = VNET_POOL_BLOCK;

	for (uint32_t blocks = 2; blocks > 1; len--) {
		must_push(b, 1, 0, len);
		blocks = b->queue[0].blocks;
		(void)vnet_queue_pop(&b->pool, &b->queue[0]);
	}
	return len + 1;
}

static void
test_new_queue_is_empty_and_holds_nothing(void **state)
{
	struct bench *b = *state;

	assert_empty(b);
	assert_int_equal(b->pool.nused, 0);
	assert_true(vnet_pool_check(&b->pool));
	vnet_queue_purge(&b->pool, &b->queue[0]);
	assert_empty(b);
}

static void
test_frames_of_a_source_keep_their_order(void **state)
{
	struct bench *b = *state;

	for (unsigned int n = 0; n < 200; n++)
		must_push(b, 1, n, 14 + n * 97 % 3000);
	for (unsigned int n = 0; n < 200; n++)
		assert_next_is(b, n, 14 + n * 97 % 3000);
	assert_empty(b);
}

static void
test_order_is_kept_while_frames_come_and_go(void **state)
{
	struct bench *b = *state;
	struct test_random random = {9};
	unsigned int in = 0, out = 0;

	while (out < 3000) {
		if (in - out < 30 && test_random_below(&random, 2)) {
			must_push(b, 1, in, 14 + in * 97 % 3000);
			in++;
		} else if (out < in) {
			assert_next_is(b, out, 14 + out * 97 % 3000);
			out++;
		}
	}
}

/* Every length about the end of a block, some others. */
static uint32_t
len_after(uint32_t len)
{
	uint32_t rest = len % VNET_POOL_BLOCK;

	return rest < 64 || rest > 1980 ? len + 1 : len + 61;
}

static void
test_frames_of_every_length_come_out_whole(void **state)
{
	static const uint32_t first[] = {14, 60, 508, 1004, 1514, 1900, 1968};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		for (uint32_t len = 1; len <= 4100; len = len_after(len)) {
			must_push(b, 1, 1, first[i]);
			must_push(b, 1, len, len);
			must_push(b, 1, 2, first[i]);
			assert_true(vnet_pool_check(&b->pool));
			assert_next_is(b, 1, first[i]);
			assert_next_is(b, len, len);
			assert_next_is(b, 2, first[i]);
			assert_empty(b);
		}
	}
}

static void
test_long_frames_span_blocks(void **state)
{
	static const uint32_t len[] = {1514, 2034, 4096, 9014, LONG, 60, LONG};
	struct bench *b = *state;

	for (unsigned int n = 0; n < 7; n++)
		must_push(b, 1, n, len[n]);
	assert_true(b->queue[0].blocks <= 1 + 2 + 3 + 5 + 33 + 1 + 33);
	for (unsigned int n = 0; n < 7; n++)
		assert_next_is(b, n, len[n]);
	assert_empty(b);
}

static void
test_small_frames_share_a_block(void **state)
{
	struct bench *b = *state;
	uint32_t header = VNET_POOL_BLOCK - longest_in_a_block(b);
	uint32_t n = VNET_POOL_BLOCK / (64 + header);

	assert_true(header > 0 && header <= 48);
	for (uint32_t i = 0; i < 3 * n; i++) {
		must_push(b, 1, i, 60);
		assert_int_equal(b->queue[0].blocks, 1 + i / n);
	}
	/* A block is given back with its last frame. */
	for (uint32_t i = 0; i < 3 * n; i++) {
		assert_next_is(b, i, 60);
		assert_int_equal(b->queue[0].blocks, 3 - (i + 1) / n);
	}
}

static void
test_fields_and_tags_travel_along(void **state)
{
	struct bench *b = *state;
	struct vnet_frame f[4] = {frame(1, 60), frame(2, 1514), frame(3, 9014),
				  frame(4, 60)};

	f[0].flags = VNET_FRAME_CSUM_PARTIAL | VNET_FRAME_GSO_ECN;
	f[0].gso_type = VNET_GSO_TCP6;
	f[0].csum_start = 0x1234;
	f[0].csum_offset = 0x5678;
	f[0].gso_size = 0x9abc;
	f[0].hdr_len = 0xdef0;
	f[0].nsegs = 128;
	f[1].ntags = 1;
	f[1].tag[0] = (struct vnet_tag){0x8100, 0x2fff};
	f[2].flags = VNET_FRAME_CSUM_VALID;
	f[2].ntags = 2;
	f[2].tag[0] = (struct vnet_tag){0x88a8, 0x0123};
	f[2].tag[1] = (struct vnet_tag){0x8100, 0x4567};
	/* What one switch notes of a frame does not come out of the queue. */
	f[3].depth = 5;
	for (int i = 0; i < 4; i++) {
		struct vnet_loss loss = {.freed = 0};

		assert_true(push(b, 1, &f[i], &loss));
	}
	assert_int_equal(backlog(b, 0), 60 + 1518 + 9022 + 60);
	for (int i = 0; i < 4; i++)
		assert_next(b, &f[i]);
}

static void
test_frame_is_a_copy(void **state)
{
	struct bench *b = *state;
	uint8_t octets[60];
	struct vnet_frame f = {.data = octets, .len = sizeof(octets)};
	struct vnet_frame want = frame(1, sizeof(octets));
	struct vnet_loss loss = {.freed = 0};

	memcpy(octets, want.data, sizeof(octets));
	assert_true(push(b, 1, &f, &loss));
	memset(octets, 0xff, sizeof(octets));
	want.nsegs = 0;
	assert_next(b, &want);
}

static void
test_whoever_comes_later_is_served_after_those_that_wait(void **state)
{
	struct bench *b = *state;

	for (unsigned int source = 1; source <= 5; source++)
		must_push(b, source, source, 60);
	assert_next_is(b, 1, 60);
	must_push(b, 1, 6, 60); /* it was done: back of the line */
	for (unsigned int n = 2; n <= 6; n++)
		assert_next_is(b, n, 60);
	assert_empty(b);
}

/*
 * Source @i of @n sends frames of @len[i] octets, no two the same, with
 * @weight[i], and always has a backlog. What two sources got by their weights
 * never differs by more than a round can leave: a quantum, and a frame.
 */
static void
assert_fair(struct bench *b, uint32_t n, const uint32_t *len,
	    const uint32_t *weight, int pops)
{
	uint64_t served[8] = {0};
	uint32_t longest = 0;

	for (uint32_t i = 0; i < n; i++) {
		for (int k = 0; k < 3; k++)
			must_push_to(b, 0, i + 1, weight[i], i, len[i]);
		if (len[i] > longest)
			longest = len[i];
	}
	for (int k = 0; k < pops; k++) {
		uint32_t octets = vnet_queue_pop(&b->pool, &b->queue[0]);
		uint32_t i = 0;

		while (len[i] != octets)
			assert_true(++i < n);
		served[i] += octets;
		must_push_to(b, 0, i + 1, weight[i], i, len[i]);
		for (uint32_t x = 0; x < n; x++) {
			uint64_t bound = (served[x] + longest) / weight[x] +
					 QUANTUM + longest / weight[i];

			assert_true(served[i] / weight[i] <= bound);
		}
	}
	for (uint32_t i = 0; i < n; i++)
		assert_true(served[i] > 10 * (uint64_t)len[i]);
	assert_true(vnet_pool_check(&b->pool));
}

static void
test_sources_share_in_octets_whatever_their_frames(void **state)
{
	static const uint32_t len[] = {60, 1514, 508, 9014, 1000};
	static const uint32_t weight[] = {1, 1, 1, 1, 1};

	assert_fair(*state, 5, len, weight, 20000);
}

static void
test_weights_divide_what_is_served(void **state)
{
	static const uint32_t len[] = {1514, 60, 1513, 1512};
	static const uint32_t weight[] = {1, 2, 4, 1};

	assert_fair(*state, 4, len, weight, 20000);
}

static void
test_longest_frames_do_not_starve_small_ones(void **state)
{
	static const uint32_t len[] = {60, LONG};
	static const uint32_t weight[] = {1, 1};

	assert_fair(*state, 2, len, weight, 30000);
}

static void
test_greatest_weight_leaves_the_least_its_share(void **state)
{
	static const uint32_t len[] = {60, 1514};
	static const uint32_t weight[] = {1, 1024};

	assert_fair(*state, 2, len, weight, 30000);
}

/* Two queues that get the same, sources and lengths mixed. */
static void
fill_both(struct bench *b, struct test_random *random, unsigned int *n)
{
	static const uint32_t len[] = {14, 60, 700, 1514, 1514, 2500, 9014};

	for (int i = 0; i < 60; i++) {
		uint32_t source = 1 + test_random_below(random, 6);
		uint32_t l = len[test_random_below(random, 7)];

		must_push_to(b, 0, source, source, *n, l);
		must_push_to(b, 1, source, source, *n, l);
		++*n;
	}
}

/*
 * A driver takes fewer than it was offered: what was offered, and what comes
 * next, is as if only those had been looked at.
 */
static void
test_peek_leaves_the_schedule_alone(void **state)
{
	enum { BATCH = 64 };
	static uint8_t space[2][BATCH * 9014];
	struct bench *b = *state;
	struct test_random random = {3};
	unsigned int n = 0;

	for (int round = 0; round < 40; round++) {
		struct vnet_frame f[BATCH];
		uint8_t *scratch = space[0];
		size_t room = sizeof(space[0]);
		uint32_t seen = 0, want, take;

		if (b->queue[0].frames < 100)
			fill_both(b, &random, &n);
		want = 1 + test_random_below(&random, BATCH);
		vnet_queue_peek_begin(&b->queue[0]);
		while (seen < want &&
		       vnet_queue_peek(&b->pool, &b->queue[0], &f[seen],
				       &scratch, &room))
			seen++;
		assert_int_equal(seen, want);

		/* The other queue is served one by one. */
		take = test_random_below(&random, seen + 1);
		for (uint32_t i = 0; i < seen; i++) {
			struct vnet_frame g;
			uint8_t *p = space[1];
			size_t left = sizeof(space[1]);

			if (i >= take)
				break;
			vnet_queue_peek_begin(&b->queue[1]);
			assert_true(vnet_queue_peek(&b->pool, &b->queue[1], &g,
						    &p, &left));
			assert_same_frame(&f[i], &g);
			assert_int_equal(vnet_queue_pop(&b->pool, &b->queue[1]),
					 g.len);
		}
		for (uint32_t i = 0; i < take; i++)
			assert_int_equal(vnet_queue_pop(&b->pool, &b->queue[0]),
					 f[i].len);
		assert_true(vnet_pool_check(&b->pool));
		assert_int_equal(backlog(b, 0), backlog(b, 1));
	}
}

static void
test_peek_ends_where_there_is_no_room(void **state)
{
	struct bench *b = *state;
	struct vnet_queue *q = &b->queue[0];
	uint8_t space[9014], *scratch = space;
	size_t room = sizeof(space);
	struct vnet_frame f;

	must_push(b, 1, 1, 60);
	must_push(b, 1, 2, 9014);
	must_push(b, 1, 3, 60);
	must_push(b, 1, 4, 3000);
	vnet_queue_peek_begin(q);
	assert_true(vnet_queue_peek(&b->pool, q, &f, &scratch, &room));
	assert_true(scratch == space); /* lent from where it lies */
	assert_true(vnet_queue_peek(&b->pool, q, &f, &scratch, &room));
	assert_true(scratch == space + 9014 && room == 0);
	assert_true(vnet_queue_peek(&b->pool, q, &f, &scratch, &room));
	assert_false(vnet_queue_peek(&b->pool, q, &f, &scratch, &room));

	/* One octet too few. */
	scratch = space;
	room = 2999;
	assert_next_is(b, 1, 60);
	assert_next_is(b, 2, 9014);
	assert_next_is(b, 3, 60);
	vnet_queue_peek_begin(q);
	assert_false(vnet_queue_peek(&b->pool, q, &f, &scratch, &room));
	assert_true(scratch == space && room == 2999);
	assert_next_is(b, 4, 3000);
}

static void
assert_loss(const struct vnet_loss *loss, enum vnet_drop reason, uint32_t queue,
	    vnet_client_id source, uint32_t octets, bool is_arriving)
{
	assert_int_equal(loss->reason, reason);
	assert_int_equal(loss->queue, queue);
	assert_int_equal(loss->source, source);
	assert_int_equal(loss->octets, octets);
	assert_int_equal(loss->is_arriving, is_arriving);
}

/* Push to queue 0 until that frame is in (true), or lost. *@lost counts the
 * frames of others that this cost. */
static bool
offer(struct bench *b, vnet_client_id source, unsigned int n, uint32_t len,
      uint32_t *lost)
{
	struct vnet_frame f = frame(n, len);
	struct vnet_loss loss = {.freed = 0};

	*lost = 0;
	while (!push(b, source, &f, &loss)) {
		if (loss.is_arriving)
			return false;
		assert_true(loss.source != source);
		++*lost;
	}
	return true;
}

/* Octets that a frame takes beside its own, and frames of 60 to a block. */
static uint32_t
header(struct bench *b)
{
	return VNET_POOL_BLOCK - longest_in_a_block(b);
}

static uint32_t
small_to_a_block(struct bench *b)
{
	return VNET_POOL_BLOCK / ((60 + header(b) + 7) / 8 * 8);
}

/* @source takes @nblocks blocks of queue @slot, by a frame each. */
static void
fill(struct bench *b, uint32_t slot, vnet_client_id source, uint32_t nblocks)
{
	uint32_t before = b->queue[slot].blocks;

	for (unsigned int n = 0; n < nblocks; n++)
		must_push_to(b, slot, source, 1, n, 1900);
	assert_int_equal(b->queue[slot].blocks, before + nblocks);
}

/* The backlog of @source in queue @slot, NULL for none. */
static const struct vnet_sub *
sub_of(const struct bench *b, uint32_t slot, vnet_client_id source)
{
	uint32_t i = b->queue[slot].turn[0];

	for (uint32_t n = b->queue[slot].nsubs; n; n--) {
		if (b->pool.sub[i].source == source)
			return &b->pool.sub[i];
		i = b->pool.sub[i].ring_next;
	}
	return NULL;
}

static uint32_t
blocks_of(const struct bench *b, uint32_t slot, vnet_client_id source)
{
	const struct vnet_sub *s = sub_of(b, slot, source);

	return s ? s->blocks : 0;
}

/* In queue 0, @source has @n frames of @len octets. */
static void
assert_backlog(const struct bench *b, vnet_client_id source, uint32_t n,
	       uint32_t len)
{
	const struct vnet_sub *s = sub_of(b, 0, source);

	assert_non_null(s);
	assert_int_equal(s->turn[0].frames, n);
	assert_int_equal(s->octets, n * len);
}

static void
test_weight_holds_from_the_next_frame_on(void **state)
{
	struct bench *b = *state;
	uint32_t served[2] = {0};

	for (unsigned int n = 0; n < 20; n++) {
		must_push_to(b, 0, 1, 1, n, 1514);
		must_push_to(b, 0, 2, 1, n, 1000);
	}
	must_push_to(b, 0, 2, 4, 20, 1000);
	for (int n = 0; n < 18; n++)
		served[vnet_queue_pop(&b->pool, &b->queue[0]) == 1000]++;
	/* 6056 octets a round, of the second. */
	assert_in_range(served[0], 2, 4);
	assert_in_range(served[1], 14, 16);
}

static void
test_quota_holds_to_the_block(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(9, 1000);
	uint32_t rest;

	(void)state;
	bench_init(&b, 1024, 5);
	rest = VNET_POOL_BLOCK - (1000 + header(&b) + 7) / 8 * 8 - header(&b);
	for (unsigned int n = 0; n < 4; n++)
		must_push(&b, 1, n, 1900);
	must_push(&b, 1, 4, 1000);
	assert_int_equal(b.queue[0].blocks, 5);

	/* One octet more than there is room for; tags take none. */
	f = frame(5, rest + 1);
	f.ntags = 1;
	assert_false(push(&b, 1, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 1, rest + 5, true);
	f.len = rest;
	assert_true(push(&b, 1, &f, &loss));
	assert_int_equal(b.queue[0].blocks, 5);
	assert_int_equal(backlog(&b, 0), 4 * 1900 + 1000 + rest + 4);
	f = frame(10, 14);
	assert_false(push(&b, 1, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 1, 14, true);
	for (unsigned int n = 0; n < 4; n++)
		assert_next_is(&b, n, 1900);
	assert_next_is(&b, 4, 1000);
	bench_fini(&b);
}

static void
test_smaller_quota_takes_nothing_away(void **state)
{
	struct bench *b = *state;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(9, 1900);

	fill(b, 0, 1, 10);
	vnet_queue_set_quota(&b->queue[0], 4);
	assert_true(vnet_pool_check(&b->pool));
	assert_int_equal(b->queue[0].blocks, 10);
	assert_false(push(b, 1, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 1, 1900, true);
	for (unsigned int n = 0; n < 6; n++) {
		assert_next_is(b, n, 1900);
		assert_false(push(b, 1, &f, &loss));
	}
	/* From here on it is as any. */
	assert_next_is(b, 6, 1900);
	must_push(b, 1, 9, 1900);
	assert_false(push(b, 1, &f, &loss));
	assert_int_equal(b->queue[0].blocks, 4);
	for (unsigned int n = 7; n < 10; n++)
		assert_next_is(b, n, 1900);
	assert_next_is(b, 9, 1900);
}

static void
test_queue_beyond_its_quota_only_swaps(void **state)
{
	struct bench *b = *state;
	uint32_t lost;

	fill(b, 0, 1, 10);
	vnet_queue_set_quota(&b->queue[0], 2);
	/* Block by block, as long as the other has more. */
	for (unsigned int n = 0; n < 5; n++) {
		assert_true(offer(b, 2, n, 1900, &lost));
		assert_int_equal(lost, 1);
		assert_int_equal(b->queue[0].blocks, 10);
	}
	assert_false(offer(b, 2, 5, 1900, &lost));
	/* More than the whole queue may have. */
	assert_false(offer(b, 3, 5, 3 * VNET_POOL_BLOCK, &lost));
	assert_int_equal(lost, 0);
	assert_backlog(b, 1, 5, 1900);
	assert_backlog(b, 2, 5, 1900);
}

static void
test_larger_quota_holds_at_once(void **state)
{
	struct bench *b = *state;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(9, 1900);

	vnet_queue_set_quota(&b->queue[0], 1);
	fill(b, 0, 1, 1);
	assert_false(push(b, 1, &f, &loss));
	vnet_queue_set_quota(&b->queue[0], 3);
	fill(b, 0, 1, 2);
	assert_false(push(b, 1, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 1, 1900, true);
}

static void
test_frame_beyond_the_quota_hurts_nobody_else(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(9, 10240);

	(void)state;
	bench_init(&b, 1024, 5);
	fill(&b, 0, 1, 5);
	assert_false(push(&b, 2, &f, &loss)); /* six blocks */
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 2, 10240, true);
	assert_int_equal(backlog(&b, 0), 5 * 1900);
	bench_fini(&b);

	/* Nor where there is nobody else. */
	bench_init(&b, 1024, 5);
	assert_false(push(&b, 2, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 2, 10240, true);
	assert_int_equal(b.pool.nused, 0);
	bench_fini(&b);
}

static void
test_frame_beyond_the_pool_hurts_nobody_else(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(9, LONG);

	(void)state;
	bench_init(&b, 32, 64); /* such a frame takes 33 */
	must_push(&b, 1, 1, 5000);
	assert_false(push(&b, 2, &f, &loss));
	assert_loss(&loss, VNET_DROP_POOL_EMPTY, 0, 2, LONG, true);
	assert_int_equal(backlog(&b, 0), 5000);
	bench_fini(&b);
}

static void
test_longest_loses_its_newest(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(100, 1514);

	(void)state;
	bench_init(&b, 1024, 10);
	for (unsigned int n = 0; n < 6; n++)
		must_push(&b, 1, n, 1514);
	for (unsigned int n = 10; n < 14; n++)
		must_push(&b, 2, n, 1514);

	/* Five would be fewer than six; six are not fewer than five. */
	assert_false(push(&b, 2, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 1, 1514, false);
	assert_int_equal(loss.freed, 1);
	assert_true(push(&b, 2, &f, &loss));
	assert_false(push(&b, 2, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 2, 1514, true);
	assert_int_equal(b.queue[0].frames, 10);

	for (unsigned int k = 0; k < 5; k++) {
		assert_next_is(&b, k, 1514);
		assert_next_is(&b, k < 4 ? 10 + k : 100, 1514);
	}
	assert_empty(&b);
	bench_fini(&b);
}

/* The longest is who takes the most memory, whatever its octets are. */
static void
test_longest_is_by_blocks(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(100, 60);

	(void)state;
	bench_init(&b, 1024, 9);
	for (unsigned int n = 0; n < 5; n++)
		must_push(&b, 1, n, 1040); /* a block each */
	for (unsigned int n = 0; n < 4; n++)
		must_push(&b, 2, n, 1900);
	assert_int_equal(b.queue[0].blocks, 9);
	assert_false(push(&b, 3, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 1, 1040, false);
	assert_true(push(&b, 3, &f, &loss));
	bench_fini(&b);
}

/* All that lie in the blocks that it needs, and none beside. */
static void
test_many_small_frames_make_room_for_a_large_one(void **state)
{
	struct bench b;
	uint32_t per_block, lost;

	(void)state;
	bench_init(&b, 1024, 6);
	per_block = small_to_a_block(&b);
	for (unsigned int n = 0; n < 5 * per_block + 5; n++)
		must_push(&b, 1, n, 60);
	assert_int_equal(b.queue[0].blocks, 6);
	assert_true(offer(&b, 2, 100, 1500, &lost));
	assert_int_equal(lost, 5);
	assert_int_equal(b.queue[0].blocks, 6);
	assert_true(offer(&b, 3, 101, 4000, &lost));
	assert_int_equal(lost, 2 * per_block);
	assert_int_equal(b.queue[0].blocks, 6);
	assert_backlog(&b, 1, 3 * per_block, 60);
	assert_backlog(&b, 2, 1, 1500);
	bench_fini(&b);
}

static void
test_source_that_loses_all_is_no_more(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(100, 4000);

	(void)state;
	bench_init(&b, 1024, 5);
	must_push(&b, 1, 1, 9000);
	assert_false(push(&b, 2, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 1, 9000, false);
	assert_int_equal(loss.freed, 5);
	assert_int_equal(b.queue[0].nsubs, 0);
	assert_int_equal(b.pool.nused, 0);
	assert_int_equal(b.pool.held[1], 0);
	assert_true(push(&b, 2, &f, &loss));
	assert_next_is(&b, 100, 4000);
	bench_fini(&b);
}

/* Many sources with a small frame each hold a block each. */
static void
test_quota_bounds_the_sources(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(100, 60);

	(void)state;
	bench_init(&b, 1024, 32);
	fill(&b, 0, 0, 3);
	for (uint32_t i = 1; i < 30; i++)
		must_push(&b, i, i, 60);
	assert_int_equal(b.queue[0].blocks, 32);

	/* One that has a block has room in it. */
	assert_true(push(&b, 1, &f, &loss));
	/* Two that come newly are shorter than the third, which has three. */
	for (vnet_client_id source = 40; source < 42; source++) {
		assert_false(push(&b, source, &f, &loss));
		assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 0, 1900, false);
		assert_true(push(&b, source, &f, &loss));
	}
	assert_int_equal(b.queue[0].nsubs, 32);
	/* Now nobody is longer than a third would be. */
	assert_false(push(&b, 42, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 42, 60, true);
	assert_int_equal(b.queue[0].frames, 33);
	bench_fini(&b);
}

/* A block was once made free by taking a frame of each source in turn. */
static void
test_small_frame_never_empties_the_blocks_of_many(void **state)
{
	struct bench b;
	uint32_t lost;

	(void)state;
	bench_init(&b, 1024, 18);
	for (unsigned int n = 0; n < 15; n++) {
		for (vnet_client_id source = 1; source <= 18; source++)
			must_push(&b, source, n, 60);
	}
	assert_int_equal(b.queue[0].blocks, 18);
	for (unsigned int n = 0; n < 20; n++) {
		assert_false(offer(&b, 30, n, 60, &lost));
		assert_int_equal(lost, 0);
	}
	assert_int_equal(b.queue[0].frames, 18 * 15);
	bench_fini(&b);
}

static void
test_small_frame_costs_one_block_of_one_source(void **state)
{
	struct bench b;
	uint32_t per_block, lost;

	(void)state;
	bench_init(&b, 1024, 36);
	per_block = small_to_a_block(&b);
	for (unsigned int n = 0; n < 2 * per_block; n++) {
		for (vnet_client_id source = 1; source <= 18; source++)
			must_push(&b, source, n, 60);
	}
	assert_int_equal(b.queue[0].blocks, 36);
	assert_true(offer(&b, 30, 1, 60, &lost));
	assert_int_equal(lost, per_block);
	assert_int_equal(b.queue[0].blocks, 36);
	/* As many more as the block has room for cost nothing. */
	for (unsigned int n = 1; n < per_block; n++) {
		assert_true(offer(&b, 30, n, 60, &lost));
		assert_int_equal(lost, 0);
	}
	/* Its own second block would be as long as any. */
	assert_false(offer(&b, 30, 1, 60, &lost));
	assert_int_equal(lost, 0);

	lost = 0;
	for (vnet_client_id source = 1; source <= 18; source++) {
		uint32_t has = blocks_of(&b, 0, source);

		lost += 2 - has;
		assert_backlog(&b, source, has * per_block, 60);
	}
	assert_int_equal(lost, 1);
	bench_fini(&b);
}

static void
test_large_frame_takes_from_the_longest(void **state)
{
	struct bench b;
	uint32_t lost;

	(void)state;
	bench_init(&b, 1024, 32);
	fill(&b, 0, 1, 20);
	fill(&b, 0, 2, 12);
	assert_true(offer(&b, 3, 100, 9014, &lost)); /* five blocks */
	assert_int_equal(lost, 5);
	assert_int_equal(blocks_of(&b, 0, 1), 15);
	assert_int_equal(blocks_of(&b, 0, 2), 12);
	assert_int_equal(b.queue[0].blocks, 32);
	bench_fini(&b);

	/* From all that are: none is taken twice before another once. */
	bench_init(&b, 1024, 35);
	for (vnet_client_id source = 1; source <= 5; source++)
		fill(&b, 0, source, 7);
	assert_true(offer(&b, 9, 100, 9014, &lost));
	assert_int_equal(lost, 5);
	for (vnet_client_id source = 1; source <= 5; source++)
		assert_int_equal(blocks_of(&b, 0, source), 6);
	bench_fini(&b);
}

/* What is free is taken first. */
static void
test_large_frame_takes_only_what_is_lacking(void **state)
{
	struct bench b;
	uint32_t lost;

	(void)state;
	bench_init(&b, 1024, 32);
	fill(&b, 0, 1, 29);
	assert_true(offer(&b, 3, 100, 9014, &lost));
	assert_int_equal(lost, 2);
	assert_int_equal(b.queue[0].blocks, 32);
	bench_fini(&b);
}

static void
test_large_frame_that_cannot_fit_hurts_nobody_else(void **state)
{
	struct bench b;
	uint32_t lost;

	(void)state;
	bench_init(&b, 1024, 40);
	/* Three of six blocks could give three, and it needs five. */
	for (vnet_client_id source = 1; source <= 3; source++)
		fill(&b, 0, source, 6);
	for (vnet_client_id source = 4; source <= 25; source++)
		fill(&b, 0, source, 1);
	assert_false(offer(&b, 30, 100, 9014, &lost));
	assert_int_equal(lost, 0);
	assert_int_equal(b.queue[0].blocks, 40);
	/* The longest of datagrams finds nobody longer. */
	assert_false(offer(&b, 30, 100, LONG, &lost));
	assert_int_equal(lost, 0);
	for (vnet_client_id source = 1; source <= 25; source++)
		assert_backlog(&b, source, source <= 3 ? 6 : 1, 1900);
	/* Four blocks find two that each of them can spare. */
	assert_true(offer(&b, 30, 100, 8000, &lost));
	assert_int_equal(lost, 4);
	bench_fini(&b);
}

/* A source with a backlog gets no more by frames that are large. */
static void
test_large_frame_counts_in_what_its_source_has(void **state)
{
	struct bench b;
	uint32_t lost;

	(void)state;
	bench_init(&b, 1024, 20);
	fill(&b, 0, 1, 12);
	fill(&b, 0, 2, 8);
	/* Eight and five are more than twelve; eight and two can have them. */
	assert_false(offer(&b, 2, 100, 9014, &lost));
	assert_int_equal(lost, 0);
	assert_true(offer(&b, 2, 100, 4000, &lost));
	assert_int_equal(lost, 2);
	assert_int_equal(blocks_of(&b, 0, 1), 10);
	assert_int_equal(blocks_of(&b, 0, 2), 10);
	bench_fini(&b);
}

static void
test_queue_beyond_its_share_of_the_pool_only_swaps(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(100, 1900);
	uint32_t lost;

	(void)state;
	bench_init(&b, 67, 64); /* of which 3 are the other queues' */
	for (vnet_client_id source = 1; source <= 8; source++)
		fill(&b, 0, source, 4);
	/* It has 32 now, and 32 are left. Nobody is longer than the first. */
	assert_false(push(&b, 1, &f, &loss));
	assert_loss(&loss, VNET_DROP_POOL_EMPTY, 0, 1, 1900, true);
	assert_false(push(&b, 9, &f, &loss));
	assert_int_equal(loss.reason, VNET_DROP_POOL_EMPTY);
	assert_int_equal(loss.queue, 0);
	assert_false(loss.is_arriving);
	assert_true(push(&b, 9, &f, &loss));
	assert_int_equal(b.queue[0].blocks, 32);

	/* Others take, so it is far beyond; yet it keeps what it has. */
	fill(&b, 1, 20, 16);
	for (int i = 0; i < 50; i++) {
		bool is_in = offer(&b, 10, 1, 3900, &lost);

		assert_int_equal(lost, is_in ? 2 : 0);
		assert_int_equal(b.queue[0].blocks, 32);
		assert_int_equal(b.queue[1].blocks, 16);
	}
	assert_int_equal(blocks_of(&b, 0, 10), 2);

	/* What it gives back it does not get again until enough is free. */
	for (int i = 0; i < 5; i++)
		(void)vnet_queue_pop(&b.pool, &b.queue[0]);
	lost = b.queue[0].blocks;
	assert_true(lost < 32);
	assert_false(push(&b, 11, &f, &loss));
	assert_false(loss.is_arriving);
	assert_true(push(&b, 11, &f, &loss));
	assert_int_equal(b.queue[0].blocks, lost);
	vnet_queue_purge(&b.pool, &b.queue[1]);
	assert_true(offer(&b, 11, 1, 1900, &lost));
	assert_int_equal(lost, 0);
	bench_fini(&b);
}

/* What that frees beyond what is needed goes back to the pool. The queue, which
 * is far beyond its share still, is not taken down to it. */
static void
test_swap_ends_when_enough_is_free(void **state)
{
	struct bench b;
	uint32_t lost;

	(void)state;
	bench_init(&b, 64, 64);
	fill(&b, 0, 1, 10);
	must_push(&b, 1, 1, 9014); /* five blocks */
	fill(&b, 0, 2, 14);
	fill(&b, 1, 20, 16);
	fill(&b, 2, 21, 8);
	assert_int_equal(b.queue[0].blocks, 29);
	assert_int_equal(b.pool.nblocks - b.pool.nused, 11 + KEPT);
	assert_true(offer(&b, 3, 1, 60, &lost));
	assert_int_equal(lost, 1);
	assert_int_equal(b.queue[0].blocks, 29 - 5 + 1);
	bench_fini(&b);
}

static void
test_source_takes_no_more_of_the_pool_than_it_leaves(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(100, 1900), small = frame(101, 60);
	uint32_t taken = 0;

	(void)state;
	bench_init(&b, 64, 64);
	fill(&b, 0, 6, 2); /* a modest one */
	fill(&b, 1, 6, 2);
	for (int i = 0; i < 200; i++) {
		uint32_t slot = (uint32_t)i % QUEUES;

		if (push_to(&b, slot, 5, &f, &loss))
			taken++;
		else
			assert_loss(&loss, VNET_DROP_POOL_EMPTY, slot, 5, 1900,
				    true);
	}
	assert_int_equal(taken, 30);
	assert_int_equal(b.pool.held[5], 30);
	assert_int_equal(b.pool.nblocks - b.pool.nused, 30 + KEPT);
	assert_int_equal(blocks_of(&b, 0, 6), 2);
	assert_int_equal(blocks_of(&b, 1, 6), 2);

	/* Where it has room in a block, it takes nothing. */
	assert_true(push_to(&b, 2, 5, &small, &loss));
	assert_int_equal(b.pool.held[5], 30);
	/* The modest one goes on. */
	fill(&b, 1, 6, 3);
	assert_int_equal(b.pool.held[6], 7);
	/* Whoever has that slot next begins anew. */
	b.pool.client[5] = UINT64_C(0x700000005);
	b.pool.held[5] = 0;
	assert_true(push_to(&b, 3, UINT64_C(0x700000005), &f, &loss));
	assert_int_equal(b.pool.held[5], 1);
	vnet_queue_purge(&b.pool, &b.queue[2]);
	assert_int_equal(b.pool.held[5], 1);
	vnet_queue_purge(&b.pool, &b.queue[3]);
	assert_int_equal(b.pool.held[5], 0);
	bench_fini(&b);
}

/* It takes from nobody, though there are some that are longer. */
static void
test_source_beyond_its_share_loses_its_own_arrivals(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(100, 1900);

	(void)state;
	bench_init(&b, 64, 20);
	fill(&b, 1, 5, 17);
	fill(&b, 0, 6, 18);
	fill(&b, 0, 7, 2);
	fill(&b, 2, 8, 12); /* 15 are left, of which one is a queue's */
	assert_false(push(&b, 5, &f, &loss));
	assert_loss(&loss, VNET_DROP_POOL_EMPTY, 0, 5, 1900, true);
	assert_int_equal(blocks_of(&b, 0, 6), 18);
	/* Another does. */
	assert_false(push(&b, 9, &f, &loss));
	assert_loss(&loss, VNET_DROP_QUEUE_FULL, 0, 6, 1900, false);
	assert_true(push(&b, 9, &f, &loss));
	bench_fini(&b);
}

/* Whoever fills a queue does not reach into another. */
static void
test_full_queue_takes_nothing_from_another(void **state)
{
	struct bench b;
	struct vnet_loss loss = {.freed = 0};
	struct vnet_frame f = frame(100, 1900);

	(void)state;
	bench_init(&b, 66, 64);
	fill(&b, 1, 1, 32);
	fill(&b, 2, 2, 16);
	fill(&b, 0, 3, 2);
	for (int i = 0; i < 300; i++) {
		vnet_client_id source = 3 + (unsigned int)i % 9;

		if (!push(&b, source, &f, &loss)) {
			assert_int_equal(loss.reason, VNET_DROP_POOL_EMPTY);
			assert_int_equal(loss.queue, 0);
		}
	}
	assert_int_equal(b.queue[0].blocks, 9);
	assert_int_equal(b.queue[1].blocks, 32);
	assert_int_equal(b.queue[2].blocks, 16);
	bench_fini(&b);
}

/* Losing the newest leaves the end where it was before that came. */
static void
test_frames_follow_behind_one_that_was_lost(void **state)
{
	static const uint32_t len[] = {14, 600, 1100, 2048, 2100, 9014};

	(void)state;
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		struct bench b;
		uint32_t blocks, lost;

		bench_init(&b, 1024, 512);
		must_push(&b, 1, 0, 1514);
		must_push(&b, 1, 1, 500);
		must_push(&b, 1, 2, 386);
		blocks = b.queue[0].blocks;
		assert_int_equal(blocks, 2);
		must_push(&b, 1, 3, len[i]);
		b.queue[0].quota = b.queue[0].blocks;

		/* Those that share its block go with it. */
		assert_true(offer(&b, 2, 4, 14, &lost));
		assert_int_equal(lost, b.queue[0].quota == blocks ? 3 : 1);
		blocks = lost == 3 ? 2 : 3;
		assert_int_equal(b.queue[0].blocks, blocks);

		must_push(&b, 1, 5, 13);
		assert_int_equal(b.queue[0].blocks, blocks);
		assert_next_is(&b, 0, 1514);
		assert_next_is(&b, 4, 14);
		if (lost == 1) {
			assert_next_is(&b, 1, 500);
			assert_next_is(&b, 2, 386);
		}
		assert_next_is(&b, 5, 13);
		assert_empty(&b);
		bench_fini(&b);
	}
}

static void
test_purge_throws_away_all_of_one_queue(void **state)
{
	struct bench *b = *state;

	for (unsigned int n = 0; n < 100; n++) {
		must_push_to(b, 0, n % 7, 1, n, 14 + n * 50);
		must_push_to(b, 1, n % 7, 1, n, 14 + n * 50);
	}
	vnet_queue_purge(&b->pool, &b->queue[1]);
	assert_true(vnet_pool_check(&b->pool));
	assert_int_equal(b->queue[1].frames, 0);
	assert_int_equal(b->queue[1].octets, 0);
	assert_int_equal(b->queue[1].blocks, 0);
	assert_int_equal(b->queue[0].frames, 100);
	assert_int_equal(b->pool.nused, b->queue[0].blocks);

	/* Both go on. */
	must_push_to(b, 1, 1, 1, 1, 60);
	assert_int_equal(vnet_queue_pop(&b->pool, &b->queue[1]), 60);
	for (unsigned int n = 0; n < 100; n++)
		(void)vnet_queue_pop(&b->pool, &b->queue[0]);
	assert_empty(b);
	assert_int_equal(b->pool.nused, 0);
}

static void
test_idle_queue_holds_no_block(void **state)
{
	struct bench *b = *state;

	for (int round = 0; round < 100; round++) {
		for (unsigned int n = 0; n < 20; n++)
			must_push(b, 1 + n % 6, n, 14 + n * 450);
		for (unsigned int n = 0; n < 20; n++)
			(void)vnet_queue_pop(&b->pool, &b->queue[0]);
		assert_empty(b);
		assert_int_equal(b->pool.nused, 0);
		assert_true(vnet_pool_check(&b->pool));
	}
}

/* Ids differ in their generation alone: they are two sources. */
static void
test_queue_that_comes_late_finds_its_block(void **state)
{
	const struct vnet_frame f = frame(0, 1514);
	struct vnet_loss loss = {.freed = 0};
	struct vnet_heap_node nodes[KEPT];
	struct vnet_queue late[KEPT];
	struct bench b;

	(void)state;
	/* All that is to be had is taken, by queues that are alone, of sources
	 * that have gone since. */
	bench_init(&b, 64, 64);
	for (uint32_t i = 0; i < 400; i++)
		push_to(&b, i % QUEUES, UINT64_C(1) << 32 | i / QUEUES % SLOTS,
			&f, &loss);
	for (uint32_t i = 0; i < KEPT; i++) {
		vnet_queue_init(&late[i], &b.pool, QUEUES + i, 1, &nodes[i]);
		loss.freed = 0;
		assert_true(vnet_queue_push(&b.pool, &late[i], QUEUES + i, 1,
					    &f, &loss));
		assert_true(vnet_pool_check(&b.pool));
	}
	for (uint32_t i = 0; i < KEPT; i++) {
		vnet_queue_purge(&b.pool, &late[i]);
		vnet_queue_fini(&b.pool, &late[i]);
	}
	bench_fini(&b);
}

static void
test_sources_are_told_apart_by_the_whole_id(void **state)
{
	struct bench *b = *state;
	vnet_client_id old = UINT64_C(0x100000003), new = UINT64_C(0x200000003);

	must_push(b, old, 1, 1514);
	must_push(b, old, 2, 1514);
	must_push(b, new, 3, 1514);
	must_push_to(b, 1, old, 1, 4, 1514);
	assert_int_equal(b->queue[0].nsubs, 2);
	assert_next_is(b, 1, 1514);
	assert_next_is(b, 3, 1514);
	assert_next_is(b, 2, 1514);
	assert_int_equal(b->queue[1].frames, 1);
}

/* All in the two chains that a hash of one bit has. */
static void
test_source_may_have_a_backlog_in_every_queue(void **state)
{
	enum { MANY = 500 };
	static struct vnet_queue queue[MANY];
	static struct vnet_heap_node nodes[MANY];
	struct test_alloc a;
	struct vnet_pool pool;

	(void)state;
	test_alloc_init(&a);
	assert_int_equal(vnet_pool_init(&pool, &a.alloc,
					2 * MANY * VNET_POOL_BLOCK, MANY),
			 0);
	pool.hash_bits = 1; /* nothing has been put into it */
	for (uint32_t i = 0; i < MANY; i++)
		vnet_queue_init(&queue[i], &pool, i, 1, &nodes[i]);
	for (uint32_t i = 0; i < MANY; i++) {
		struct vnet_frame f = frame(i, 60 + i);
		struct vnet_loss loss = {.freed = 0};

		assert_true(vnet_queue_push(&pool, &queue[i], 7, 1, &f, &loss));
		assert_int_equal(queue[i].octets, 60 + i);
	}
	assert_true(vnet_pool_check(&pool));
	assert_int_equal(pool.held[7], MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t k = i * 7 % MANY;

		assert_int_equal(queue[k].frames, 1);
		assert_int_equal(vnet_queue_pop(&pool, &queue[k]), 60 + k);
	}
	assert_int_equal(pool.nused, 0);
	assert_true(vnet_pool_check(&pool));
	vnet_pool_fini(&pool, &a.alloc);
	assert_int_equal(a.used, 0);
}

static void
test_memory_is_what_was_said(void **state)
{
	static const uint64_t octets[] = {64 * VNET_POOL_BLOCK,
					  100 * VNET_POOL_BLOCK + 1, 4 << 20};
	struct test_alloc a;
	struct vnet_pool pool;

	(void)state;
	for (int i = 0; i < 3; i++) {
		test_alloc_init(&a);
		assert_int_equal(vnet_pool_init(&pool, &a.alloc, octets[i], 33),
				 0);
		assert_int_equal(a.used, vnet_pool_memory(octets[i], 33));
		assert_int_equal(pool.nblocks, octets[i] / VNET_POOL_BLOCK);
		assert_true(vnet_pool_check(&pool));
		vnet_pool_fini(&pool, &a.alloc);
		assert_int_equal(a.used, 0);
		assert_int_equal(a.blocks, 0);
	}
	test_alloc_init(&a);
	a.fail_at = 1;
	assert_int_equal(vnet_pool_init(&pool, &a.alloc, 4 << 20, 33), -ENOMEM);
	assert_int_equal(a.calls, 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_new_queue_is_empty_and_holds_nothing),
		TEST(test_frames_of_a_source_keep_their_order),
		TEST(test_order_is_kept_while_frames_come_and_go),
		TEST(test_frames_of_every_length_come_out_whole),
		TEST(test_long_frames_span_blocks),
		TEST(test_small_frames_share_a_block),
		TEST(test_fields_and_tags_travel_along),
		TEST(test_frame_is_a_copy),
		TEST(test_whoever_comes_later_is_served_after_those_that_wait),
		TEST(test_sources_share_in_octets_whatever_their_frames),
		TEST(test_weights_divide_what_is_served),
		TEST(test_longest_frames_do_not_starve_small_ones),
		TEST(test_greatest_weight_leaves_the_least_its_share),
		TEST(test_peek_leaves_the_schedule_alone),
		TEST(test_peek_ends_where_there_is_no_room),
		TEST(test_weight_holds_from_the_next_frame_on),
		cmocka_unit_test(test_quota_holds_to_the_block),
		TEST(test_smaller_quota_takes_nothing_away),
		TEST(test_queue_beyond_its_quota_only_swaps),
		TEST(test_larger_quota_holds_at_once),
		cmocka_unit_test(test_frame_beyond_the_quota_hurts_nobody_else),
		cmocka_unit_test(test_frame_beyond_the_pool_hurts_nobody_else),
		cmocka_unit_test(test_longest_loses_its_newest),
		cmocka_unit_test(test_longest_is_by_blocks),
		cmocka_unit_test(
			test_many_small_frames_make_room_for_a_large_one),
		cmocka_unit_test(test_source_that_loses_all_is_no_more),
		cmocka_unit_test(test_quota_bounds_the_sources),
		cmocka_unit_test(
			test_small_frame_never_empties_the_blocks_of_many),
		cmocka_unit_test(
			test_small_frame_costs_one_block_of_one_source),
		cmocka_unit_test(test_large_frame_takes_from_the_longest),
		cmocka_unit_test(test_large_frame_takes_only_what_is_lacking),
		cmocka_unit_test(
			test_large_frame_that_cannot_fit_hurts_nobody_else),
		cmocka_unit_test(
			test_large_frame_counts_in_what_its_source_has),
		cmocka_unit_test(
			test_queue_beyond_its_share_of_the_pool_only_swaps),
		cmocka_unit_test(test_swap_ends_when_enough_is_free),
		cmocka_unit_test(
			test_source_takes_no_more_of_the_pool_than_it_leaves),
		cmocka_unit_test(
			test_source_beyond_its_share_loses_its_own_arrivals),
		cmocka_unit_test(test_full_queue_takes_nothing_from_another),
		cmocka_unit_test(test_frames_follow_behind_one_that_was_lost),
		TEST(test_purge_throws_away_all_of_one_queue),
		TEST(test_idle_queue_holds_no_block),
		cmocka_unit_test(test_queue_that_comes_late_finds_its_block),
		TEST(test_sources_are_told_apart_by_the_whole_id),
		cmocka_unit_test(test_source_may_have_a_backlog_in_every_queue),
		cmocka_unit_test(test_memory_is_what_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
