/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues that share a pool against a model: a list of frames for each source,
 * a plain deficit round robin over these lists, and the rule of queue.h for
 * what is lost, by plain sums over these. Random operations go to both, and all
 * that can be seen is compared. The model knows of blocks only what queue.h
 * says: small frames share one, a frame that does not fit whole begins the
 * next, and goes on in as many as it takes.
 */
#include "support.h"
#include "eth.h"
#include "queue.h"

#define QUEUES  3
#define SOURCES 9
#define SLOTS   7 /* of these sources: two share theirs with an older life */
#define NBLOCKS 64
#define LONG    65550
#define QUANTUM 1514 /* octets that a weight of 1 is worth */

struct node {
	struct node *next;
	struct node *prev;
	struct vnet_frame f;
	/* Where it lies: blocks are numbered as its source came to them. */
	uint32_t first_block;
	uint32_t last_block;
	uint32_t end; /* in the last block */
};

struct sub {
	vnet_client_id source;
	uint32_t weight;
	struct node *head;
	struct node *tail;
	uint64_t deficit; /* in octets / 1024 */
	bool served;
};

/* Sources with a backlog, in the order of their turns. */
struct queue {
	struct sub sub[SOURCES];
	uint32_t nsubs;
	uint32_t quota;
	uint32_t most; /* that, or what it held when that was set */
};

struct run {
	struct test_alloc alloc;
	struct test_random random;
	struct vnet_pool pool;
	struct vnet_queue q[QUEUES];
	struct vnet_heap_node nodes[QUEUES][NBLOCKS];
	struct queue model[QUEUES];
	uint32_t header;   /* octets that a frame takes beside its own */
	uint32_t nchanges; /* of quotas, and of weights */
	unsigned int nframes;
	unsigned int taken;
	unsigned int beyond_quota; /* frames that came into a queue that was */
	unsigned int lost[VNET_NDROPS][2]; /* waiting, arriving */
	unsigned int beyond_share;         /* of their source, arriving */
	unsigned int none_could_give;      /* enough, though some were longer */
	unsigned int from_many;            /* that one frame was let in by */
	uint8_t octets[2 * LONG];
	uint8_t scratch[3 * LONG];
};

/* The model */

static uint32_t
sub_octets(const struct sub *s)
{
	uint32_t n = 0;

	for (const struct node *node = s->head; node; node = node->next)
		n += vnet_frame_octets(&node->f);
	return n;
}

static uint32_t
sub_blocks(const struct sub *s)
{
	return s->tail->last_block - s->head->first_block + 1;
}

static uint32_t
queue_octets(const struct queue *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->nsubs; i++)
		n += sub_octets(&m->sub[i]);
	return n;
}

static uint32_t
queue_blocks(const struct queue *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->nsubs; i++)
		n += sub_blocks(&m->sub[i]);
	return n;
}

static uint32_t
queue_frames(const struct queue *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->nsubs; i++) {
		for (const struct node *node = m->sub[i].head; node;
		     node = node->next)
			n++;
	}
	return n;
}

static uint32_t
pool_blocks(const struct run *run)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < QUEUES; i++)
		n += queue_blocks(&run->model[i]);
	return n;
}

/* Blocks, in all queues, of the source that has that slot now. */
static uint32_t
slot_blocks(const struct run *run, uint32_t slot)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < QUEUES; i++) {
		const struct queue *m = &run->model[i];

		for (uint32_t k = 0; k < m->nsubs; k++) {
			if (m->sub[k].source == run->pool.client[slot])
				n += sub_blocks(&m->sub[k]);
		}
	}
	return n;
}

static struct sub *
sub_of(struct queue *m, vnet_client_id source)
{
	for (uint32_t i = 0; i < m->nsubs; i++) {
		if (m->sub[i].source == source)
			return &m->sub[i];
	}
	return NULL;
}

static void
remove_sub(struct queue *m, const struct sub *s)
{
	uint32_t i = (uint32_t)(s - m->sub);

	m->nsubs--;
	memmove(&m->sub[i], &m->sub[i + 1], (m->nsubs - i) * sizeof(m->sub[0]));
}

/* Say where @node will lie behind what @s has, which may be NULL. Returns the
 * blocks that this takes. */
static uint32_t
lay_down(const struct run *run, const struct sub *s, struct node *node)
{
	uint32_t size = (run->header + node->f.len + 7) / 8 * 8;
	uint32_t n = (size + VNET_POOL_BLOCK - 1) / VNET_POOL_BLOCK;

	if (s && s->tail->end + size <= VNET_POOL_BLOCK) {
		node->first_block = s->tail->last_block;
		node->last_block = node->first_block;
		node->end = s->tail->end + size;
		return 0;
	}
	node->first_block = s ? s->tail->last_block + 1 : 0;
	node->last_block = node->first_block + n - 1;
	node->end = size - (n - 1) * VNET_POOL_BLOCK;
	return n;
}

/* What a weight of 1 is worth in a round, in octets / 1024: so much that the
 * heaviest may send two to four times QUANTUM, or its weight times that. */
static uint64_t
worth(const struct queue *m)
{
	uint64_t n = (uint64_t)QUANTUM * 1024;
	uint32_t heaviest = 0;

	for (uint32_t i = 0; i < m->nsubs; i++) {
		if (heaviest < m->sub[i].weight)
			heaviest = m->sub[i].weight;
	}
	for (; heaviest >= 4; heaviest /= 2)
		n /= 2;
	return n;
}

/* Whose turn it is, in the queue or in a copy of it. Steps the schedule, and
 * takes the frame out of the list of its sub-queue. */
static struct node *
serve(struct queue *m)
{
	for (;;) {
		struct sub *s = &m->sub[0], first;
		struct node *node = s->head;

		if (!s->served)
			s->deficit += s->weight * worth(m);
		s->served = true;
		if (UINT64_C(1024) * vnet_frame_octets(&node->f) <=
		    s->deficit) {
			s->deficit -=
				UINT64_C(1024) * vnet_frame_octets(&node->f);
			s->head = node->next;
			if (!s->head)
				remove_sub(m, s);
			return node;
		}
		s->served = false;
		first = *s;
		remove_sub(m, s);
		m->sub[m->nsubs++] = first;
	}
}

/* Does the frame of that node lie in one piece? */
static bool
is_whole(const struct node *node)
{
	return node->first_block == node->last_block;
}

/* What the rule says of a frame that comes, before anything is done. */
struct verdict {
	bool may_take; /* the place of others, where it is needed */
	bool is_beyond_share;
	bool has_longer; /* than its own would be */
	uint32_t lacking;
	enum vnet_drop reason;
};

static uint32_t
excess(uint32_t n, uint32_t bound)
{
	return n > bound ? n - bound : 0;
}

static uint32_t
smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t
larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* No number of blocks given will do. */
#define NEVER UINT32_MAX

/* Blocks that others in queue @m must give, of which they have given @freed,
 * before a frame of @need may come. */
static uint32_t
lacking(const struct run *run, const struct queue *m, vnet_client_id source,
	uint32_t need, uint32_t freed)
{
	uint32_t held = slot_blocks(run, source & UINT32_MAX);
	uint32_t blocks = queue_blocks(m), longest = 0, kept = 0, left, lack;

	if (need > m->quota)
		return NEVER;
	if (!need || freed >= need || (need == 1 && !blocks))
		return 0;
	for (uint32_t i = 0; i < m->nsubs; i++)
		longest = larger(longest, sub_blocks(&m->sub[i]));
	/* A block is kept for every other queue that has none. */
	for (uint32_t i = 0; i < QUEUES; i++)
		kept += &run->model[i] != m && !queue_blocks(&run->model[i]);
	left = NBLOCKS - pool_blocks(run) - kept;
	if (held + need > left) {
		lack = need - freed;
		if (held + need + lack > longest)
			return NEVER;
	} else {
		lack = smaller(need - freed,
			       (excess(blocks + need, left) + 1) / 2);
	}
	/* Where it was lowered, what is beyond is for nobody to make good. */
	return larger(lack,
		      smaller(need - freed, excess(blocks + need, m->quota)));
}

static struct verdict
judge(const struct run *run, uint32_t slot, vnet_client_id source,
      const struct sub *own, uint32_t need)
{
	const struct queue *m = &run->model[slot];
	uint32_t would_be = need + (own ? sub_blocks(own) : 0), spare = 0;
	struct verdict v = {.reason = VNET_DROP_POOL_EMPTY};

	v.lacking = lacking(run, m, source, need, 0);
	v.is_beyond_share = v.lacking == NEVER;
	if (need > m->quota ||
	    (v.lacking != NEVER && queue_blocks(m) + need > m->quota))
		v.reason = VNET_DROP_QUEUE_FULL;
	for (uint32_t i = 0; i < m->nsubs; i++)
		spare += excess(sub_blocks(&m->sub[i]), would_be);
	v.has_longer = spare > 0;
	v.may_take = v.lacking != NEVER && spare >= v.lacking;
	return v;
}

/* The arriving frame is lost, by the rule, and nothing was lost for it. */
static void
lose_arriving(struct run *run, uint32_t slot, vnet_client_id source,
	      const struct vnet_frame *f, const struct verdict *v,
	      const struct vnet_loss *loss)
{
	assert_false(v->may_take);
	assert_int_equal(loss->reason, v->reason);
	assert_int_equal(loss->queue, slot);
	assert_int_equal(loss->source, source);
	assert_int_equal(loss->octets, vnet_frame_octets(f));
	assert_int_equal(loss->freed, 0);
	run->lost[v->reason][1]++;
	run->beyond_share += v->is_beyond_share;
	run->none_could_give += v->has_longer;
}

/* The newest of the longest is lost, and it is of that queue: the model loses
 * it, too. Returns the blocks that this gave. */
static uint32_t
lose_waiting(struct run *run, uint32_t slot, vnet_client_id source,
	     const struct vnet_loss *loss)
{
	struct queue *m = &run->model[slot];
	struct sub *s = sub_of(m, loss->source);
	uint32_t longest = 0, had;
	struct node *newest;

	assert_int_equal(loss->queue, slot);
	run->lost[loss->reason][0]++;
	for (uint32_t i = 0; i < m->nsubs; i++)
		longest = larger(longest, sub_blocks(&m->sub[i]));
	/* Of several that are longest, it says which. */
	assert_true(loss->source != source);
	assert_non_null(s);
	had = sub_blocks(s);
	assert_int_equal(had, longest);
	newest = s->tail;
	assert_int_equal(loss->octets, vnet_frame_octets(&newest->f));
	s->tail = newest->prev;
	if (s->tail) {
		s->tail->next = NULL;
		had -= sub_blocks(s);
	} else {
		remove_sub(m, s);
	}
	free(newest);
	return had;
}

/* Both */

static uint32_t
random_len(struct run *run)
{
	static const uint32_t len[] = {60, 508, 1514, 1514, 4000, 9014};
	uint32_t r = test_random_below(&run->random, 100);

	if (r < 60)
		return len[r % 6];
	if (r < 80)
		return 1 + test_random_below(&run->random, 1600);
	if (r < 98) /* about the end of a block */
		return VNET_POOL_BLOCK * (1 + r % 2) - run->header - 12 +
		       test_random_below(&run->random, 24);
	return r == 98 ? LONG : test_random_below(&run->random, 20000);
}

static struct node *
random_frame(struct run *run)
{
	struct node *node = calloc(1, sizeof(*node));
	struct vnet_frame *f;

	assert_non_null(node);
	f = &node->f;
	*f = (struct vnet_frame){
		.data = run->octets + run->nframes++ * 31 % LONG,
		.len = random_len(run),
		.flags = (uint16_t)test_random_below(&run->random, 8),
		.gso_type = (uint8_t)test_random_below(&run->random, 4),
		.ntags = (uint8_t)test_random_below(&run->random,
						    VNET_MAX_TAGS + 1),
		.csum_start = (uint16_t)test_random(&run->random),
		.csum_offset = (uint16_t)test_random(&run->random),
		.gso_size = (uint16_t)test_random(&run->random),
		.hdr_len = (uint16_t)test_random(&run->random),
		.nsegs = (uint16_t)test_random_below(&run->random, 129),
	};
	for (int i = 0; i < f->ntags; i++)
		f->tag[i] = (struct vnet_tag){
			.tpid = 0x8100,
			.tci = (uint16_t)test_random(&run->random),
		};
	return node;
}

static void
assert_same_frame(const struct vnet_frame *a, const struct vnet_frame *b)
{
	struct vnet_frame x = *a;

	/* All but where the octets are. */
	x.reserved_data = b->reserved_data;
	x.data = b->data;
	assert_memory_equal(&x, b, sizeof(x));
	assert_memory_equal(a->data, b->data, b->len);
}

static void
append(struct queue *m, struct sub *s, vnet_client_id source, uint32_t weight,
       struct node *node)
{
	if (!s) {
		s = &m->sub[m->nsubs++];
		*s = (struct sub){.source = source, .head = node};
	} else {
		s->tail->next = node;
	}
	s->weight = weight;
	node->prev = s->tail;
	s->tail = node;
}

static vnet_client_id
source_number(uint32_t n)
{
	return (uint64_t)(1 + n / SLOTS) << 32 | n % SLOTS;
}

static void
push(struct run *run, uint32_t slot, vnet_client_id source)
{
	static const uint32_t weights[] = {1, 2, 3, 1, 40, 2, 1024};
	struct queue *m = &run->model[slot];
	struct node *node = random_frame(run);
	uint32_t weight = weights[(source + run->nchanges) % 7];
	uint32_t had = queue_blocks(m);
	uint32_t need = lay_down(run, sub_of(m, source), node);
	struct verdict v = judge(run, slot, source, sub_of(m, source), need);
	vnet_client_id last = VNET_NO_ID;
	uint32_t freed = 0, nlosers = 0;
	struct vnet_loss loss;

	memset(&loss, 0xa5, sizeof(loss));
	loss.freed = 0;
	while (!vnet_queue_push(&run->pool, &run->q[slot], source, weight,
				&node->f, &loss)) {
		if (loss.is_arriving) {
			assert_true(!nlosers);
			lose_arriving(run, slot, source, &node->f, &v, &loss);
			free(node);
			return;
		}
		/* Not one more than it needs. */
		assert_true(v.may_take);
		assert_true(freed < need &&
			    lacking(run, m, source, need, freed) > 0);
		assert_int_equal(loss.reason, queue_blocks(m) + need > m->quota
						      ? VNET_DROP_QUEUE_FULL
						      : VNET_DROP_POOL_EMPTY);
		freed += lose_waiting(run, slot, source, &loss);
		assert_int_equal(loss.freed, freed);
		nlosers += loss.source != last;
		last = loss.source;
	}
	/* Not one less. */
	assert_true(v.may_take);
	assert_int_equal(lacking(run, m, source, need, freed), 0);
	assert_true(queue_blocks(m) + need <= larger(m->quota, had));
	run->beyond_quota += queue_blocks(m) + need > m->quota;
	assert_true(pool_blocks(run) + need <= NBLOCKS);
	run->from_many += nlosers > 1;
	append(m, sub_of(m, source), source, weight, node);
}

/* See some, take fewer of them. */
static void
output(struct run *run, uint32_t slot)
{
	struct vnet_queue *q = &run->q[slot];
	struct queue *m = &run->model[slot], copy = *m;
	uint32_t want = 1 + test_random_below(&run->random, 20), seen = 0, take;
	size_t room = test_random_below(&run->random, 4)
			      ? sizeof(run->scratch)
			      : test_random_below(&run->random, 10000);
	uint8_t *scratch = run->scratch;
	struct vnet_frame f;

	vnet_queue_peek_begin(q);
	while (seen < want &&
	       vnet_queue_peek(&run->pool, q, &f, &scratch, &room)) {
		assert_true(copy.nsubs > 0);
		assert_same_frame(&f, &serve(&copy)->f);
		seen++;
	}
	if (seen < want && copy.nsubs) {
		const struct node *node = serve(&copy);

		assert_false(is_whole(node));
		assert_true(node->f.len > room);
	}

	take = test_random_below(&run->random, seen + 1);
	for (uint32_t i = 0; i < take; i++) {
		struct node *node = serve(m);

		if (node->next)
			node->next->prev = NULL;
		assert_int_equal(vnet_queue_pop(&run->pool, q),
				 vnet_frame_octets(&node->f));
		free(node);
		run->taken++;
	}
}

static void
purge(struct run *run, uint32_t slot)
{
	struct queue *m = &run->model[slot];

	while (m->nsubs)
		free(serve(m));
	vnet_queue_purge(&run->pool, &run->q[slot]);
}

static void
set_quota(struct run *run, uint32_t slot, uint32_t quota)
{
	struct queue *m = &run->model[slot];

	vnet_queue_set_quota(&run->q[slot], quota);
	m->quota = quota;
	m->most = larger(quota, queue_blocks(m));
}

static void
compare(const struct run *run)
{
	for (uint32_t i = 0; i < QUEUES; i++) {
		const struct vnet_queue *q = &run->q[i];

		assert_true(q->blocks <= run->model[i].most);
		assert_int_equal(q->octets, queue_octets(&run->model[i]));
		assert_int_equal(q->blocks, queue_blocks(&run->model[i]));
		assert_int_equal(q->frames, queue_frames(&run->model[i]));
		assert_int_equal(q->nsubs, run->model[i].nsubs);
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		assert_int_equal(run->pool.held[i], slot_blocks(run, i));
	assert_int_equal(run->pool.nused, pool_blocks(run));
}

/* The longest frame that takes one block and no more says how much a frame
 * takes beside its own octets. */
static uint32_t
measure_header(struct run *run)
{
	struct vnet_loss loss = {.freed = 0};

	for (uint32_t len = VNET_POOL_BLOCK; len; len--) {
		struct vnet_frame f = {.data = run->octets, .len = len};
		uint32_t blocks;

		/* The last queue has room for two. */
		assert_true(vnet_queue_push(&run->pool, &run->q[QUEUES - 1], 1,
					    1, &f, &loss));
		blocks = run->q[QUEUES - 1].blocks;
		vnet_queue_purge(&run->pool, &run->q[QUEUES - 1]);
		if (blocks == 1)
			return VNET_POOL_BLOCK - len;
	}
	fail();
	return 0;
}

static void
run_init(struct run *run, uint64_t seed, const uint32_t *quota)
{
	memset(run, 0, sizeof(*run));
	run->random.state = seed;
	test_alloc_init(&run->alloc);
	/* Beside NBLOCKS the pool has those that it keeps for slots that have
	 * no queue here. */
	assert_int_equal(
		vnet_pool_init(&run->pool, &run->alloc.alloc,
			       (NBLOCKS + SLOTS - QUEUES) * VNET_POOL_BLOCK,
			       SLOTS),
		0);
	for (size_t i = 0; i < sizeof(run->octets); i++)
		run->octets[i] = (uint8_t)test_random(&run->random);
	for (uint32_t i = 0; i < QUEUES; i++) {
		assert_true(quota[i] <= NBLOCKS);
		vnet_queue_init(&run->q[i], &run->pool, i, quota[i],
				run->nodes[i]);
		run->model[i].quota = quota[i];
		run->model[i].most = quota[i];
	}
	/* Of two sources in a slot the second is the one that is there. */
	for (uint32_t i = 0; i < SOURCES; i++)
		run->pool.client[source_number(i) & UINT32_MAX] =
			source_number(i);
	run->header = measure_header(run);
}

/* Now and then a queue has another quota for some time. */
static void
change(struct run *run, uint32_t slot, const uint32_t *quota)
{
	if (run->nchanges++ % 2)
		set_quota(run, slot, quota[slot]);
	else
		set_quota(run, slot,
			  1 + test_random_below(&run->random, quota[slot]));
}

static void
step(struct run *run, const uint32_t *quota, int i)
{
	uint32_t r = test_random_below(&run->random, 1000);
	uint32_t slot = test_random_below(&run->random, QUEUES);
	/* Times of more and of less traffic take turns. */
	uint32_t busy = i / 500 % 2 ? 900 : 700;

	if (r < busy)
		push(run, slot,
		     source_number(test_random_below(&run->random, SOURCES)));
	else if (r < 997)
		output(run, slot);
	else if (r < 998)
		change(run, slot, quota);
	else
		purge(run, slot);
}

static void
run_steps(uint64_t seed, const uint32_t *quota, int steps)
{
	static struct run run;

	run_init(&run, seed, quota);
	for (int i = 0; i < steps; i++) {
		step(&run, quota, i);
		compare(&run);
		if (i % 8 == 0)
			assert_true(vnet_pool_check(&run.pool));
	}
	/* The run has come everywhere. */
	assert_true(run.taken > (unsigned int)steps / 20);
	for (int arriving = 0; arriving < 2; arriving++)
		assert_true(run.lost[VNET_DROP_QUEUE_FULL][arriving] > 100);
	assert_true(run.none_could_give > 20);
	assert_true(run.from_many > 20);
	assert_true(run.nchanges > 10 && run.beyond_quota > 10);
	if (quota[2] == NBLOCKS) {
		for (int arriving = 0; arriving < 2; arriving++)
			assert_true(run.lost[VNET_DROP_POOL_EMPTY][arriving] >
				    100);
		assert_true(run.beyond_share > 100);
	}

	for (uint32_t i = 0; i < QUEUES; i++) {
		while (run.model[i].nsubs)
			output(&run, i);
	}
	compare(&run);
	assert_true(vnet_pool_check(&run.pool));
	assert_int_equal(run.pool.nused, 0);
	vnet_pool_fini(&run.pool, &run.alloc.alloc);
	assert_int_equal(run.alloc.blocks, 0);
}

static void
test_queues_agree_with_the_model(void **state)
{
	static const uint32_t quota[] = {1, 12, 24};

	(void)state;
	run_steps(1, quota, 30000);
}

static void
test_queues_agree_where_the_pool_runs_out(void **state)
{
	static const uint32_t quota[] = {16, 40, NBLOCKS};

	(void)state;
	run_steps(2, quota, 30000);
	run_steps(3, quota, 30000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queues_agree_with_the_model),
		cmocka_unit_test(test_queues_agree_where_the_pool_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
