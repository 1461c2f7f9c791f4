/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a stream of frames is cut into batches changes the grouping of sends, and
 * nothing else.
 *
 * Two switches of one configuration are given the same stream: one of them
 * frame by frame, the other in batches cut at random. In between, the same is
 * done to both: rules, limits, flags, links, addresses and MTUs change, time goes
 * on, and drivers that were full take some frames more. Their pool is small, so
 * that queues lose frames for every reason that there is; bursts are, so that
 * they end within a batch; and loop probes come back in the middle of one. After
 * each step every counter, every frame delivered, every event and every address
 * is the same.
 *
 * A driver that breaks is the exception, and not in here: it breaks over a
 * batch, and loses all of that.
 */
#include <errno.h>

#include "packet.h"

#define NCLIENTS  11
#define NPORTS    8
#define MAX_BATCH 150

/* The address of the vif whose clients share one: among those of frames. */
#define VIF    30
#define NSEEDS 200
#define NSTEPS 50

struct world {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	vnet_port_id port[NPORTS];
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
	uint8_t probe[64]; /* the last loop probe that was sent */
	uint32_t probe_len;
	uint64_t drops[VNET_NDROPS]; /* of all seeds */
	uint64_t moves;
	uint64_t moves_refused;
	uint64_t evictions;
	uint64_t segments;
};

static uint32_t
below(struct test *t, uint32_t n)
{
	return test_random_below(&t->trial.random, n);
}

/* Keep the loop probes of one world: those of the other are the same. */
static void
keep_probe(struct fake *fake, const struct vnet_frame *f)
{
	struct test *t = fake->ctx;

	if (f->len > sizeof(t->probe) || memcmp(f->data, "\3vnet\1", 6) != 0)
		return;
	memcpy(t->probe, f->data, f->len);
	t->probe_len = f->len;
}

static void
add_ports(struct world *w)
{
	static const uint32_t flags[NPORTS] = {
		VNET_PORT_LOOP_GUARD, 0, VNET_PORT_PER_CLIENT, 0, 0, 0,
		VNET_PORT_LOOP_GUARD, 0,
	};

	for (uint32_t i = 0; i < NPORTS; i++) {
		const char name[] = {(char)('a' + i), '\0'};
		const struct vnet_port_config port = {
			.size = sizeof(port),
			.name = name,
			.role = i < 6 ? VNET_ROLE_VIF : VNET_ROLE_UPLINK,
			.mac = test_mac(VIF + i),
			.mtu = i % 3 == 2 ? 9000 : 1500,
			.flags = flags[i],
		};

		assert_int_equal(vnet_port_add(w->sw, &port, &w->port[i], NULL),
				 0);
	}
}

static void
open_world(struct test *t, struct world *w)
{
	static const struct {
		uint32_t port;
		uint32_t carries;
	} clients[NCLIENTS] = {
		{0, 0},
		{1, CARRIES_ALL},
		{2, VNET_CARRIES_CSUM},
		{3, VNET_CARRIES_TAGS},
		{4, VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TAGS},
		{5, VNET_CARRIES_CSUM | VNET_CARRIES_USO | VNET_CARRIES_TSO6},
		{6, 0},
		{7, CARRIES_ALL},
		{0, CARRIES_ALL},
		{0, 0},
		{2, 0},
	};
	const uint64_t seed = t->trial.seed;
	const struct vnet_switch_config config = {
		.seed = seed,
		.max_ports = NPORTS + 1,
		.max_clients = NCLIENTS,
		.fdb_entries = 24,
		.ageing_s = 20,
		.pool_octets = 64 * VNET_POOL_BLOCK,
		.queue_octets = 65536,
		.max_events = 16,
		.flap_moves = 2,
		.forward_reserved = 1 << 14,
		.uplink_transit = seed % 5 == 0,
	};

	w->sw = test_switch_of(&w->alloc, &config);
	add_ports(w);
	for (uint32_t i = 0; i < NCLIENTS; i++) {
		struct fake *c = &w->client[i];

		assert_int_equal(fake_attach(c, w->sw, w->port[clients[i].port],
					     clients[i].carries,
					     i == 3 ? 8192 : 0),
				 0);
		if (i != 0 && i != 7 && i != 9)
			c->room = 10;
		if (w == &t->one) {
			c->on_take = keep_probe;
			c->ctx = t;
		}
	}
}

/* The address of a client, its own or that of its port, in place of the
 * destination. */
static void
address_to(struct test *t, uint8_t *p)
{
	struct vnet_client_info info = {.size = sizeof(info)};
	const struct fake *to = &t->one.client[below(t, NCLIENTS)];

	assert_int_equal(vnet_client_get(to->sw, to->id, &info), 0);
	memcpy(p, info.mac.octet, sizeof(info.mac.octet));
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
	case 9:
	case 10:
	case 11:
		address_to(t, p);
		break;
	case 12:
		if (t->probe_len && !below(t, 3)) {
			memcpy(p, t->probe, t->probe_len);
			f.len = t->probe_len;
		}
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

/* Where there are rules: of its port, or its own. */
static void
change_rules(struct world *w, const struct fake *c, uint32_t what,
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
	const enum vnet_side side = (enum vnet_side)(number / 4 % VNET_NSIDES);
	const uint64_t owner = side < VNET_RECEIVE_IN ? c->port : c->id;

	if (what)
		vnet_filter_remove(w->sw, owner, side, rule.name);
	else
		vnet_filter_add(w->sw, owner, side, &rule, NULL);
}

/* A limit that ends within a batch, or none. */
static void
change_limit(struct world *w, const struct fake *c, uint32_t number)
{
	const struct vnet_limit limit = {
		.size = sizeof(limit),
		.frames_per_s = number % 5 ? 20 : 0,
		.octets_per_s = number % 5 > 2 ? 0 : 30000,
		.burst_frames = 1 + number % 30,
		.burst_octets = 1 + number * 20,
	};

	assert_int_equal(
		vnet_limit_set(w->sw, number & 8 ? c->port : c->id,
			       number & 16 ? VNET_EGRESS : VNET_INGRESS,
			       (enum vnet_traffic)(number / 32 % VNET_NTRAFFIC),
			       number % 3 ? NULL : &limit, NULL),
		0);
}

static void
change_flags(struct world *w, const struct fake *c, uint32_t number)
{
	static const uint32_t flags[] = {
		VNET_PORT_LOOP_GUARD, 0,
		VNET_PORT_LOOP_GUARD, VNET_PORT_NO_SIBLINGS,
		VNET_PORT_STICKY,
	};
	struct vnet_port_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_port_get(w->sw, c->port, &info), 0);
	info.flags &= VNET_PORT_PER_CLIENT;
	assert_int_equal(vnet_port_set_flags(w->sw, c->port,
					     info.flags | flags[number % 5]),
			 0);
}

/* The same to both: change something, or let time go by. */
static void
change(const struct test *t, struct world *w, uint32_t what, uint32_t who,
       uint32_t number)
{
	const struct fake *c = &w->client[who];

	switch (what) {
	case 0:
	case 1:
		change_rules(w, c, what, number);
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
	case 7:
		change_limit(w, c, number);
		break;
	case 8:
		change_flags(w, c, number);
		break;
	case 9:
		vnet_client_set_accept(w->sw, c->id,
				       number % 3 ? VNET_ACCEPT_ALL
						  : VNET_ACCEPT_OWN);
		break;
	case 10:
		vnet_client_set_link(w->sw, c->id, number % 4 != 0);
		break;
	case 11:
		vnet_client_set_max_addresses(w->sw, c->id, number % 4);
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
		assert_int_equal(a.is_held, b.is_held);
		assert_true(a.client == b.client);
		assert_int_equal(a.age_s, b.age_s);
	} while (r);
}

static void
assert_same_rules(const struct fake *a, const struct fake *b,
		  enum vnet_side side)
{
	const bool is_ports = side < VNET_RECEIVE_IN;
	const uint64_t one = is_ports ? a->port : a->id;
	const uint64_t cut = is_ports ? b->port : b->id;
	struct vnet_rule_info x = {.size = sizeof(x)}, y = {.size = sizeof(y)};
	enum vnet_verdict verdict;
	uint64_t m = 0, n = 0;

	for (size_t i = 0; !vnet_filter_get(a->sw, one, side, i, &x); i++) {
		assert_int_equal(vnet_filter_get(b->sw, cut, side, i, &y), 0);
		assert_true(x.hits == y.hits);
	}
	assert_int_equal(
		vnet_filter_get_default(a->sw, one, side, &verdict, &m),
		vnet_filter_get_default(b->sw, cut, side, &verdict, &n));
	assert_true(m == n);
}

static void
assert_same_limits(const struct fake *a, const struct fake *b)
{
	for (int i = 0; i < 4 * VNET_NTRAFFIC; i++) {
		const enum vnet_side side = i & 1 ? VNET_EGRESS : VNET_INGRESS;
		const enum vnet_traffic traffic = (enum vnet_traffic)(i / 4);
		struct vnet_count x = {0, 0}, y = {0, 0};

		assert_int_equal(vnet_limit_get(a->sw, i & 2 ? a->id : a->port,
						side, traffic, NULL, &x),
				 vnet_limit_get(b->sw, i & 2 ? b->id : b->port,
						side, traffic, NULL, &y));
		assert_memory_equal(&x, &y, sizeof(x));
	}
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
	assert_int_equal(test_has_link(a->sw, a->port),
			 test_has_link(b->sw, b->port));
	for (int i = 0; i < VNET_NSIDES; i++)
		assert_same_rules(a, b, (enum vnet_side)i);
	assert_same_limits(a, b);
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
	t->moves_refused += s.total.moves_refused;
	t->evictions += s.fdb_evictions;
	t->segments += s.total.segments.frames;
}

static void
run(struct test *t)
{
	t->trial.random.state = t->trial.seed;
	t->now = SECONDS(t->trial.seed);
	t->probe_len = 0;
	open_world(t, &t->one);
	open_world(t, &t->cut);
	for (t->trial.step = 0; t->trial.step < NSTEPS; t->trial.step++) {
		uint32_t what = below(t, 26);

		if (what < 9) {
			input(t);
		} else if (what < 14) {
			output(t);
		} else if (what < 25) {
			uint32_t kind = below(t, 16), who = below(t, NCLIENTS);
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
		VNET_DROP_POLICED,        VNET_DROP_STORM,
		VNET_DROP_LOOP_PROBE,     VNET_DROP_RECEIVE_FILTER,
		VNET_DROP_NOT_ADDRESSED,
	};
	struct test *t = *state;

	for (t->trial.seed = 1; t->trial.seed <= NSEEDS; t->trial.seed++)
		run(t);
	/* All that was to happen did. */
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		assert_true(t->drops[reasons[i]] > 0);
	assert_true(t->moves > 0);
	assert_true(t->moves_refused > 0);
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
