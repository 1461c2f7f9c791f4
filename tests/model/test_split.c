/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a stream of frames is cut into batches changes the grouping of sends, and
 * nothing else.
 *
 * Two switches of one configuration are given the same stream: one of them
 * frame by frame, the other in batches cut at random. In between, the same is
 * done to both: rules, links, addresses and MTUs change, time goes on, and
 * drivers that were full take some frames more. Their pool is small, so that
 * queues lose frames for every reason that there is. After each step every
 * counter, every frame delivered, every event and every address is the same.
 *
 * A driver that breaks is the exception, and not in here: it breaks over a
 * batch, and loses all of that.
 */
#include <errno.h>

#include "packet.h"

#define NCLIENTS  8
#define MAX_BATCH 150
#define NSEEDS    200
#define NSTEPS    50

struct world {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct fake client[NCLIENTS];
};

/* Frames of one step, and where their octets are. */
struct stream {
	struct vnet_frame frame[MAX_BATCH];
	uint8_t octets[MAX_BATCH][PACKET_MAX];
	size_t n;
};

struct test {
	struct test_trial trial;
	struct world one; /* frame by frame */
	struct world cut; /* in batches */
	struct stream stream;
	vnet_nsec now;
	uint64_t drops[VNET_NDROPS]; /* of all seeds */
	uint64_t moves;
	uint64_t evictions;
	uint64_t segments;
};

static uint32_t
below(struct test *t, uint32_t n)
{
	return test_random_below(&t->trial.random, n);
}

static void
open_world(struct world *w, uint64_t seed)
{
	static const uint32_t carries[NCLIENTS] = {
		0,
		CARRIES_ALL,
		VNET_CARRIES_CSUM,
		VNET_CARRIES_TAGS,
		VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TAGS,
		VNET_CARRIES_CSUM | VNET_CARRIES_USO | VNET_CARRIES_TSO6,
		0,
		CARRIES_ALL,
	};
	const struct vnet_switch_config config = {
		.seed = seed,
		.max_ports = NCLIENTS + 1,
		.fdb_entries = 24,
		.ageing_s = 20,
		.pool_octets = 64 * VNET_POOL_BLOCK,
		.queue_octets = 65536,
		.max_events = 16,
		.forward_reserved = 1 << 14,
		.uplink_transit = seed % 5 == 0,
	};

	w->sw = test_switch_of(&w->alloc, &config);
	for (uint32_t i = 0; i < NCLIENTS; i++) {
		const char name[] = {(char)('a' + i), '\0'};
		const struct vnet_port_config port = {
			.size = sizeof(port),
			.name = name,
			.role = i < 6 ? VNET_ROLE_VIF : VNET_ROLE_UPLINK,
			.mtu = i % 3 == 2 ? 9000 : 1500,
		};
		vnet_port_id id;

		assert_int_equal(vnet_port_add(w->sw, &port, &id, NULL), 0);
		assert_int_equal(fake_attach(&w->client[i], w->sw, id,
					     carries[i], i == 3 ? 8192 : 0),
				 0);
		if (i != 0 && i != 7)
			w->client[i].room = 10;
	}
}

/* A frame of any sort at @p. Most come from addresses of their client's own. */
static struct vnet_frame
make_frame(struct test *t, uint8_t *p, uint32_t from)
{
	static const uint16_t sizes[] = {100, 536, 1000, 1448, 4000};
	uint32_t src =
		below(t, 10) ? 1 + from * 4 + below(t, 4) : 1 + below(t, 40);
	uint32_t dst = below(t, 6) ? 1 + below(t, 40) : TEST_BROADCAST;
	uint32_t kind = below(t, 24);
	struct packet packet = {
		.kind = (enum packet_kind)below(t, PACKET_KINDS),
		.dst = dst,
		.src = src,
		.payload = 1 + below(t, 9000),
		.gso_size = sizes[below(t, 5)],
		.ntags = (uint8_t)below(t, 3),
		.ninner = (uint8_t)below(t, 2),
	};
	struct vnet_frame f;

	if (kind < 3) {
		f = packet_make(p, &packet);
		if (f.len < 600u + packet.gso_size && below(t, 2))
			f.flags |= VNET_FRAME_CSUM_VALID;
		if (kind == 2 && !below(t, 3))
			f.csum_start++;
		return f;
	}
	f = test_frame(dst, src, below(t, 3) ? 60 + below(t, 1455) : 60);
	memcpy(p, f.data, f.len);
	f.data = p;
	switch (kind) {
	case 3:
		f.len = below(t, 14);
		break;
	case 4:
		f.ntags = (uint8_t)below(t, 5);
		f.tag[0] = (struct vnet_tag){0x88a8, (uint16_t)below(t, 4096)};
		f.tag[1] = (struct vnet_tag){0x8100, (uint16_t)below(t, 4096)};
		break;
	case 5:
		memcpy(p, "\1\200\302\0\0", 5);
		p[5] = (uint8_t)below(t, 17);
		break;
	case 6:
		p[6] |= below(t, 2);
		break;
	case 7:
		memset(p + 12, 0, 2000);
		f.len = 1500 + below(t, 500);
		break;
	case 8:
		f.flags = (uint16_t)(1u << below(t, 5));
		break;
	default:
		break;
	}
	return f;
}

static void
input(struct test *t)
{
	struct stream *s = &t->stream;
	uint32_t from = below(t, NCLIENTS);
	const struct fake *one = &t->one.client[from];
	const struct fake *cut = &t->cut.client[from];

	s->n = 1 + below(t, below(t, 3) ? 20 : MAX_BATCH);
	for (size_t i = 0; i < s->n; i++)
		s->frame[i] = make_frame(t, s->octets[i], from);
	for (size_t i = 0; i < s->n; i++)
		vnet_switch_input(one->sw, one->id, &s->frame[i], 1, t->now);
	for (size_t i = 0; i < s->n;) {
		size_t n = 1 + below(t, (uint32_t)(s->n - i));

		vnet_switch_input(cut->sw, cut->id, &s->frame[i], n, t->now);
		i += n;
	}
}

static void
output(struct test *t)
{
	uint32_t i = below(t, NCLIENTS);
	long room = below(t, 60);

	if (t->one.client[i].room == FAKE_ENDLESS)
		return;
	t->one.client[i].room = room;
	t->cut.client[i].room = room;
	assert_int_equal(vnet_client_output(t->one.sw, t->one.client[i].id,
					    SIZE_MAX, t->now),
			 vnet_client_output(t->cut.sw, t->cut.client[i].id,
					    SIZE_MAX, t->now));
}

/* The same to both: change something, or let time go by. */
static void
change(const struct test *t, struct world *w, uint32_t what, uint32_t who,
       uint32_t number)
{
	const struct vnet_bpf_insn insns[] = {
		{0x28, 0, 0, 10}, /* the last octets of the source */
		{0x54, 0, 0, 3},  {0x15, 0, 1, number % 4},
		{0x06, 0, 0, 1},  {0x06, 0, 0, 0},
	};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = number % 2 ? "odd" : "even",
		.priority = number,
		.verdict = number % 3 ? VNET_DROP : VNET_PASS,
		.insns = insns,
		.ninsns = sizeof(insns) / sizeof(insns[0]),
	};
	const enum vnet_side side = number & 4 ? VNET_EGRESS : VNET_INGRESS;
	const struct fake *c = &w->client[who];

	switch (what) {
	case 0:
		vnet_filter_add(w->sw, c->port, side, &rule, NULL);
		break;
	case 1:
		vnet_filter_remove(w->sw, c->port, side, rule.name);
		break;
	case 2:
		vnet_port_set_link(w->sw, c->port, number % 4 != 0);
		break;
	case 3:
		vnet_fdb_add(w->sw, test_mac(1 + number % 40), c->id);
		break;
	case 4:
		vnet_fdb_remove(w->sw, test_mac(1 + number % 40));
		break;
	case 5:
		vnet_fdb_flush(w->sw, c->port);
		break;
	case 6:
		vnet_port_set_mtu(w->sw, c->port, 576 + number % 2000);
		break;
	default:
		vnet_switch_tick(w->sw, t->now);
		break;
	}
}

static void
assert_same_events(struct test *t)
{
	struct vnet_event a = {.size = sizeof(a)}, b = {.size = sizeof(b)};
	int r;

	do {
		r = vnet_switch_event(t->one.sw, &a);
		assert_int_equal(vnet_switch_event(t->cut.sw, &b), r);
		assert_int_equal(a.type, b.type);
		assert_int_equal(a.count, b.count);
		assert_true(a.time == b.time);
		assert_true(a.port == b.port);
		assert_true(a.client == b.client);
		assert_memory_equal(&a.mac, &b.mac, sizeof(a.mac));
	} while (r == 1);
}

static void
assert_same_addresses(struct test *t)
{
	struct vnet_fdb_entry a = {.size = sizeof(a)}, b = {.size = sizeof(b)};
	uint64_t at_a = 0, at_b = 0;
	int r;

	do {
		r = vnet_fdb_next(t->one.sw, &at_a, &a);
		assert_int_equal(vnet_fdb_next(t->cut.sw, &at_b, &b), r);
		assert_memory_equal(&a.mac, &b.mac, sizeof(a.mac));
		assert_int_equal(a.is_static, b.is_static);
		assert_true(a.client == b.client);
		assert_int_equal(a.age_s, b.age_s);
	} while (r);
}

static void
assert_same_rules(const struct fake *a, const struct fake *b,
		  enum vnet_side side)
{
	struct vnet_rule_info x = {.size = sizeof(x)}, y = {.size = sizeof(y)};
	enum vnet_verdict verdict;
	uint64_t m, n;

	for (size_t i = 0; !vnet_filter_get(a->sw, a->port, side, i, &x); i++) {
		assert_int_equal(vnet_filter_get(b->sw, b->port, side, i, &y),
				 0);
		assert_true(x.hits == y.hits);
	}
	assert_int_equal(
		vnet_filter_get_default(a->sw, a->port, side, &verdict, &m), 0);
	assert_int_equal(
		vnet_filter_get_default(b->sw, b->port, side, &verdict, &n), 0);
	assert_true(m == n);
}

static void
assert_same_client(const struct fake *a, const struct fake *b)
{
	struct vnet_client_stats x, y;

	memset(&x, 0, sizeof(x));
	x.size = sizeof(x);
	y = x;
	assert_int_equal(vnet_client_get_stats(a->sw, a->id, &x), 0);
	assert_int_equal(vnet_client_get_stats(b->sw, b->id, &y), 0);
	assert_memory_equal(&x, &y, sizeof(x));
	for (int i = 0; i < VNET_NDROPS; i++) {
		struct vnet_count in[2], out[2];

		vnet_client_drops(a->sw, a->id, (enum vnet_drop)i, &in[0],
				  &out[0]);
		vnet_client_drops(b->sw, b->id, (enum vnet_drop)i, &in[1],
				  &out[1]);
		assert_memory_equal(&in[0], &in[1], sizeof(in[0]));
		assert_memory_equal(&out[0], &out[1], sizeof(out[0]));
	}
	assert_int_equal(a->nsent, b->nsent);
	assert_true(a->octets == b->octets);
	assert_true(a->stream == b->stream);
	assert_int_equal(a->room, b->room);
	assert_same_rules(a, b, VNET_INGRESS);
	assert_same_rules(a, b, VNET_EGRESS);
}

static void
assert_same(struct test *t)
{
	struct vnet_switch_stats x, y;

	for (int i = 0; i < NCLIENTS; i++)
		assert_same_client(&t->one.client[i], &t->cut.client[i]);
	memset(&x, 0, sizeof(x));
	x.size = sizeof(x);
	y = x;
	assert_int_equal(vnet_switch_get_stats(t->one.sw, &x), 0);
	assert_int_equal(vnet_switch_get_stats(t->cut.sw, &y), 0);
	assert_memory_equal(&x.total, &y.total, sizeof(x.total));
	assert_int_equal(x.fdb_entries, y.fdb_entries);
	assert_int_equal(x.fdb_evictions, y.fdb_evictions);
	assert_int_equal(x.fdb_unlearned, y.fdb_unlearned);
	assert_int_equal(x.pool_used, y.pool_used);
	assert_int_equal(x.events_lost, y.events_lost);
	assert_true(vnet_switch_deadline(t->one.sw) ==
		    vnet_switch_deadline(t->cut.sw));
	assert_same_addresses(t);
	assert_conserved(t->one.sw);
	assert_conserved(t->cut.sw);
}

static void
add_up(struct test *t)
{
	struct vnet_switch_stats s = {.size = sizeof(s)};

	for (int i = 0; i < VNET_NDROPS; i++) {
		struct vnet_count in, out;

		vnet_switch_drops(t->one.sw, (enum vnet_drop)i, &in, &out);
		t->drops[i] += in.frames + out.frames;
	}
	assert_int_equal(vnet_switch_get_stats(t->one.sw, &s), 0);
	t->moves += s.total.moves;
	t->evictions += s.fdb_evictions;
	t->segments += s.total.segments.frames;
}

static void
run(struct test *t)
{
	t->trial.random.state = t->trial.seed;
	t->now = SECONDS(t->trial.seed);
	open_world(&t->one, t->trial.seed);
	open_world(&t->cut, t->trial.seed);
	for (t->trial.step = 0; t->trial.step < NSTEPS; t->trial.step++) {
		uint32_t what = below(t, 24);

		if (what < 9) {
			input(t);
		} else if (what < 14) {
			output(t);
		} else if (what < 23) {
			uint32_t kind = below(t, 9), who = below(t, NCLIENTS);
			uint32_t number = below(t, 1000);

			t->now += below(t, 2) ? below(t, 3) * SECONDS(1)
					      : below(t, 1000000);
			change(t, &t->one, kind, who, number);
			change(t, &t->cut, kind, who, number);
		} else {
			assert_same_events(t);
		}
		assert_same(t);
	}
	assert_same_events(t);
	add_up(t);
	test_switch_end(t->one.sw, &t->one.alloc);
	test_switch_end(t->cut.sw, &t->cut.alloc);
}

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct test));
	return *state ? 0 : -1;
}

static void
test_split_of_a_batch_changes_nothing(void **state)
{
	static const enum vnet_drop reasons[] = {
		VNET_DROP_MALFORMED,      VNET_DROP_BAD_OFFLOAD,
		VNET_DROP_BAD_SOURCE,     VNET_DROP_RESERVED,
		VNET_DROP_INGRESS_FILTER, VNET_DROP_SAME_PORT,
		VNET_DROP_SPLIT_HORIZON,  VNET_DROP_LINK_DOWN,
		VNET_DROP_EGRESS_FILTER,  VNET_DROP_TOO_LONG,
		VNET_DROP_QUEUE_FULL,     VNET_DROP_POOL_EMPTY,
	};
	struct test *t = *state;

	for (t->trial.seed = 1; t->trial.seed <= NSEEDS; t->trial.seed++)
		run(t);
	/* All that was to happen did. */
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		assert_true(t->drops[reasons[i]] > 0);
	assert_true(t->moves > 0);
	assert_true(t->evictions > 0);
	assert_true(t->segments > 0);
	t->trial.is_done = true;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_split_of_a_batch_changes_nothing, set_up,
			test_trial_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
