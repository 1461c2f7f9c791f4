/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues that share a pool against a model: a list of frames for each source,
 * a plain deficit round robin over these lists, and the rule of queue.h for
 * what is lost. Random operations go to both, and all that can be seen is
 * compared. The model knows of blocks only what queue.h says: small frames
 * share one, a frame that does not fit whole begins the next, and goes on in as
 * many as it takes.
 */
#include "support.h"
#include "eth.h"
#include "queue.h"

#define QUEUES  3
#define SOURCES 7
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
	uint32_t deficit;
	bool served;
};

/* Sources with a backlog, in the order of their turns. */
struct queue {
	struct sub sub[SOURCES];
	uint32_t nsubs;
	uint32_t limit;
	uint32_t quota;
};

struct run {
	struct test_alloc alloc;
	struct test_random random;
	struct vnet_pool pool;
	struct vnet_queue q[QUEUES];
	struct vnet_heap_node nodes[QUEUES][NBLOCKS];
	struct queue model[QUEUES];
	uint32_t header; /* octets that a frame takes beside its own */
	unsigned int nframes;
	unsigned int taken;
	unsigned int lost[VNET_NDROPS][2]; /* waiting, arriving */
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

/* Whose turn it is, in the queue or in a copy of it. Steps the schedule, and
 * takes the frame out of the list of its sub-queue. */
static struct node *
serve(struct queue *m)
{
	for (;;) {
		struct sub *s = &m->sub[0], first;
		struct node *node = s->head;

		if (!s->served)
			s->deficit += s->weight * QUANTUM;
		s->served = true;
		if (vnet_frame_octets(&node->f) <= s->deficit) {
			s->deficit -= vnet_frame_octets(&node->f);
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

/* Is what was said to be lost what the rule says? Then the model loses it,
 * too. */
static void
lose(struct run *run, uint32_t slot, vnet_client_id source,
     const struct node *arriving, uint32_t need, const struct vnet_loss *loss)
{
	struct queue *m = &run->model[slot];
	struct sub *own = sub_of(m, source), *s;
	uint32_t octets = vnet_frame_octets(&arriving->f);
	uint32_t own_octets = octets + (own ? sub_octets(own) : 0);
	bool fits = octets <= m->limit && need <= m->quota;
	enum vnet_drop reason = VNET_DROP_QUEUE_FULL;
	uint32_t loser = slot, longest = 0, most;
	struct node *newest;

	if (queue_octets(m) + octets <= m->limit &&
	    queue_blocks(m) + need <= m->quota) {
		/* The queue that holds most, the arriving frame counted in; the
		 * first of several, and that which is pushed to before all. */
		reason = VNET_DROP_POOL_EMPTY;
		most = queue_blocks(m) + need;
		for (uint32_t i = 0; i < QUEUES; i++) {
			if (queue_blocks(&run->model[i]) > most) {
				most = queue_blocks(&run->model[i]);
				loser = i;
			}
		}
	}
	assert_int_equal(loss->reason, reason);
	assert_int_equal(loss->queue, loser);
	run->lost[reason][loss->is_arriving]++;

	m = &run->model[loser];
	for (uint32_t i = 0; i < m->nsubs; i++) {
		if (sub_octets(&m->sub[i]) > longest)
			longest = sub_octets(&m->sub[i]);
	}
	if (!fits || (loser == slot && own_octets >= longest)) {
		assert_true(loss->is_arriving);
		assert_int_equal(loss->source, source);
		assert_int_equal(loss->octets, octets);
		return;
	}
	/* Of several that are longest, it says which. */
	assert_false(loss->is_arriving);
	s = sub_of(m, loss->source);
	assert_non_null(s);
	assert_int_equal(sub_octets(s), longest);
	newest = s->tail;
	assert_int_equal(loss->octets, vnet_frame_octets(&newest->f));
	s->tail = newest->prev;
	if (s->tail)
		s->tail->next = NULL;
	else
		remove_sub(m, s);
	free(newest);
}

/* Both */

static uint32_t
random_len(struct run *run)
{
	static const uint32_t len[] = {60, 60, 508, 1514, 1514, 9014};
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
push(struct run *run, uint32_t slot, vnet_client_id source)
{
	struct queue *m = &run->model[slot];
	struct node *node = random_frame(run);
	uint32_t weight = (uint32_t)source % 3 + 1;

	for (;;) {
		struct sub *s = sub_of(m, source);
		uint32_t need = lay_down(run, s, node);
		struct vnet_loss loss;

		memset(&loss, 0xa5, sizeof(loss));
		if (vnet_queue_push(&run->pool, &run->q[slot], source, weight,
				    &node->f, &loss)) {
			assert_true(queue_octets(m) +
					    vnet_frame_octets(&node->f) <=
				    m->limit);
			assert_true(queue_blocks(m) + need <= m->quota);
			assert_true(pool_blocks(run) + need <= NBLOCKS);
			if (!s) {
				s = &m->sub[m->nsubs++];
				*s = (struct sub){.source = source,
						  .weight = weight,
						  .head = node};
			} else {
				s->tail->next = node;
			}
			node->prev = s->tail;
			s->tail = node;
			return;
		}
		lose(run, slot, source, node, need, &loss);
		if (loss.is_arriving) {
			free(node);
			return;
		}
	}
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
compare(const struct run *run)
{
	for (uint32_t i = 0; i < QUEUES; i++) {
		const struct vnet_queue *q = &run->q[i];

		assert_int_equal(q->octets, queue_octets(&run->model[i]));
		assert_int_equal(q->blocks, queue_blocks(&run->model[i]));
		assert_int_equal(q->frames, queue_frames(&run->model[i]));
		assert_int_equal(q->nsubs, run->model[i].nsubs);
	}
	assert_int_equal(run->pool.nused, pool_blocks(run));
}

/* The longest frame that takes one block and no more says how much a frame
 * takes beside its own octets. */
static uint32_t
measure_header(struct run *run)
{
	struct vnet_loss loss;

	for (uint32_t len = VNET_POOL_BLOCK; len; len--) {
		struct vnet_frame f = {.data = run->octets, .len = len};
		uint32_t blocks;

		assert_true(vnet_queue_push(&run->pool, &run->q[0], 1, 1, &f,
					    &loss));
		blocks = run->q[0].blocks;
		vnet_queue_purge(&run->pool, &run->q[0]);
		if (blocks == 1)
			return VNET_POOL_BLOCK - len;
	}
	fail();
	return 0;
}

static void
run_init(struct run *run, uint64_t seed, const uint32_t *limit)
{
	memset(run, 0, sizeof(*run));
	run->random.state = seed;
	test_alloc_init(&run->alloc);
	assert_int_equal(vnet_pool_init(&run->pool, &run->alloc.alloc,
					NBLOCKS * VNET_POOL_BLOCK, QUEUES),
			 0);
	for (size_t i = 0; i < sizeof(run->octets); i++)
		run->octets[i] = (uint8_t)test_random(&run->random);
	for (uint32_t i = 0; i < QUEUES; i++) {
		assert_true(vnet_queue_nodes(&run->pool, limit[i]) <= NBLOCKS);
		vnet_queue_init(&run->q[i], &run->pool, i, limit[i],
				run->nodes[i]);
		run->model[i].limit = limit[i];
		run->model[i].quota = run->q[i].quota;
	}
	run->header = measure_header(run);
}

static void
step(struct run *run, int i)
{
	uint32_t r = test_random_below(&run->random, 1000);
	uint32_t slot = test_random_below(&run->random, QUEUES);
	/* Times of more and of less traffic take turns. */
	uint32_t busy = i / 500 % 2 ? 900 : 700;

	if (r < busy)
		push(run, slot, 1 + test_random_below(&run->random, SOURCES));
	else if (r < 998)
		output(run, slot);
	else
		purge(run, slot);
}

static void
run_steps(uint64_t seed, const uint32_t *limit, int steps)
{
	static struct run run;

	run_init(&run, seed, limit);
	for (int i = 0; i < steps; i++) {
		step(&run, i);
		compare(&run);
		if (i % 8 == 0)
			assert_true(vnet_pool_check(&run.pool));
	}
	/* The run has come everywhere. */
	assert_true(run.taken > (unsigned int)steps / 20);
	for (int arriving = 0; arriving < 2; arriving++)
		assert_true(run.lost[VNET_DROP_QUEUE_FULL][arriving] > 100);
	if (limit[1] > NBLOCKS * VNET_POOL_BLOCK / 2) {
		for (int arriving = 0; arriving < 2; arriving++)
			assert_true(run.lost[VNET_DROP_POOL_EMPTY][arriving] >
				    100);
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
	static const uint32_t limit[] = {2048, 12000, 30000};

	(void)state;
	run_steps(1, limit, 30000);
}

static void
test_queues_agree_where_the_pool_runs_out(void **state)
{
	static const uint32_t limit[] = {9000, 70000, 120000};

	(void)state;
	run_steps(2, limit, 30000);
	run_steps(3, limit, 30000);
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
