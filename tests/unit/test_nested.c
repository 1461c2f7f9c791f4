/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches that call one another through their drivers, and what is refused
 * from inside one.
 *
 *	 in          up = in          up = in
 *	  |     0     |  |     1      |  |     2     ...
 *	  +-----------+  +------------+  +-----------
 */
#include <errno.h>

#include "support.h"

#define CHAIN 10

struct stage {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct fake in;
	struct fake up;
};

static void
hand_on(struct fake *fake, const struct vnet_frame *frames, size_t n)
{
	const struct fake *next = fake->ctx;

	vnet_switch_input(next->sw, next->id, frames, n, 0);
}

static int
set_up(void **state)
{
	struct stage *s = calloc(CHAIN, sizeof(*s));

	for (int i = 0; i < CHAIN; i++) {
		s[i].sw = test_switch(&s[i].alloc, 4);
		assert_int_equal(fake_open(&s[i].in, s[i].sw, "in",
					   VNET_ROLE_VIF, 0),
				 0);
		assert_int_equal(fake_open(&s[i].up, s[i].sw, "up",
					   VNET_ROLE_UPLINK, 0),
				 0);
	}
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *s = *state;

	for (int i = 0; i < CHAIN; i++)
		test_switch_end(s[i].sw, &s[i].alloc);
	free(s);
	return 0;
}

/* What leaves @a by its uplink comes into @b. */
static void
connect(struct stage *a, struct stage *b)
{
	a->up.on_send = hand_on;
	a->up.ctx = &b->in;
}

static void
test_frames_pass_through_three_switches_in_one_process(void **state)
{
	struct stage *s = *state;
	struct vnet_frame f[100];

	connect(&s[0], &s[1]);
	connect(&s[1], &s[2]);
	for (size_t i = 0; i < 100; i++)
		f[i] = test_frame(0xb, 0xa, 60 + i);
	vnet_switch_input(s[0].sw, s[0].in.id, f, 100, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(s[i].up.nsent, 100);
		assert_int_equal(s[i].up.last.depth, i + 1);
		assert_true(s[i].up.stream == s[0].up.stream);
		assert_conserved(s[i].sw);
	}
	assert_memory_equal(s[2].up.last.data, f[99].data, 159);
}

static void
test_ninth_switch_on_the_call_stack_is_too_deep(void **state)
{
	struct stage *s = *state;

	for (int i = 0; i + 1 < CHAIN; i++)
		connect(&s[i], &s[i + 1]);
	test_send(&s[0].in, TEST_BROADCAST, 0xa, 0);
	for (int i = 0; i < CHAIN; i++) {
		assert_int_equal(s[i].up.nsent, i < VNET_MAX_DEPTH);
		assert_int_equal(test_in_drops(&s[i].in, VNET_DROP_TOO_DEEP),
				 i == VNET_MAX_DEPTH);
	}
	/* One that comes from a queue begins anew. */
	s[0].up.room = 0;
	s[0].up.on_send = NULL;
	test_send(&s[0].in, TEST_BROADCAST, 0xa, 0);
	connect(&s[0], &s[1]);
	s[0].up.room = FAKE_ENDLESS;
	assert_int_equal(vnet_client_output(s[0].sw, s[0].up.id, 1, 0), 1);
	assert_int_equal(s[0].up.last.depth, 1);
	assert_int_equal(s[7].up.nsent, 2);
}

static void
test_driver_that_calls_its_own_switch_loses_the_frames(void **state)
{
	struct stage *s = *state;
	struct vnet_client_stats stats;

	s->up.on_send = hand_on;
	s->up.ctx = &s->up;
	test_send(&s->in, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(test_in_drops(&s->up, VNET_DROP_REENTRANT), 1);
	assert_int_equal(s->up.nsent, 1);
	stats = test_stats(&s->up);
	assert_int_equal(stats.in.frames, 1);
	assert_int_equal(stats.in.octets, 60);
	/* Nothing was learned, and it goes on as if nothing had been. */
	test_send(&s->in, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(s->up.nsent, 2);
	assert_int_equal(test_in_drops(&s->up, VNET_DROP_REENTRANT), 2);
}

static void
test_ring_of_switches_ends_where_it_began(void **state)
{
	struct stage *s = *state;

	connect(&s[0], &s[1]);
	connect(&s[1], &s[2]);
	connect(&s[2], &s[0]);
	test_send(&s[0].in, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(test_in_drops(&s[0].in, VNET_DROP_REENTRANT), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(s[i].up.nsent, 1);
		assert_conserved(s[i].sw);
	}
}

static void
test_ring_is_closed_by_output_too(void **state)
{
	struct stage *s = *state;

	s[0].up.room = 0;
	test_send(&s[0].in, TEST_BROADCAST, 0xa, 0);
	s[0].up.room = FAKE_ENDLESS;
	connect(&s[0], &s[1]);
	connect(&s[1], &s[0]);
	assert_int_equal(vnet_client_output(s[0].sw, s[0].up.id, 9, 0), 1);
	assert_int_equal(test_in_drops(&s[0].in, VNET_DROP_REENTRANT), 1);
	assert_int_equal(s[1].up.nsent, 1);
}

/* Everything that changes a switch. */
static void
try_all(struct fake *fake, const struct vnet_frame *frames, size_t n)
{
	static const struct vnet_bpf_insn insn = {0x06, 0, 0, 1};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "r",
		.insns = &insn,
		.ninsns = 1,
	};
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = "x",
	};
	const struct vnet_client_config client = {
		.size = sizeof(client),
		.ops = &fake->ops,
	};
	struct vnet_port_info info = {.size = sizeof(info)};
	struct vnet_switch *sw = fake->sw;
	struct vnet_inproc ip;
	uint64_t id = 77;

	(void)frames;
	(void)n;
	assert_int_equal(vnet_port_add(sw, &port, &id, NULL), -EBUSY);
	assert_int_equal(vnet_port_remove(sw, fake->port), -EBUSY);
	assert_int_equal(vnet_port_set_link(sw, fake->port, false), -EBUSY);
	assert_int_equal(vnet_port_set_mtu(sw, fake->port, 100), -EBUSY);
	assert_int_equal(vnet_client_add(sw, *(vnet_port_id *)fake->ctx,
					 &client, &id, NULL),
			 -EBUSY);
	assert_int_equal(vnet_null_open(sw, *(vnet_port_id *)fake->ctx, &id),
			 -EBUSY);
	assert_int_equal(vnet_inproc_open(&ip, sw, *(vnet_port_id *)fake->ctx,
					  0, 0),
			 -EBUSY);
	assert_int_equal(vnet_client_remove(sw, fake->id), -EBUSY);
	assert_int_equal(vnet_client_output(sw, fake->id, 1, 0), -EBUSY);
	assert_int_equal(vnet_client_set_queue(sw, fake->id, 0), -EBUSY);
	assert_int_equal(vnet_client_set_weight(sw, fake->id, 2), -EBUSY);
	assert_int_equal(vnet_client_observe(sw, fake->id, NULL), -EBUSY);
	assert_int_equal(vnet_filter_add(sw, fake->port, VNET_EGRESS, &rule,
					 NULL),
			 -EBUSY);
	assert_int_equal(vnet_filter_remove(sw, fake->port, VNET_EGRESS, "old"),
			 -EBUSY);
	assert_int_equal(vnet_filter_set_default(sw, fake->port, VNET_EGRESS,
						 VNET_DROP),
			 -EBUSY);
	assert_int_equal(vnet_fdb_add(sw, test_mac(1), fake->id), -EBUSY);
	assert_int_equal(vnet_fdb_remove(sw, test_mac(0xa)), -EBUSY);
	assert_int_equal(vnet_fdb_flush(sw, VNET_NO_ID), -EBUSY);
	assert_int_equal(id, 77);
	/* A tick does nothing, neither at another time. */
	vnet_switch_tick(sw, SECONDS(100000));
	/* Asking is allowed. */
	assert_int_equal(vnet_port_get(sw, fake->port, &info), 0);
	assert_true(vnet_port_find(sw, "up") == fake->port);
}

static void
test_nothing_is_changed_from_inside_a_send(void **state)
{
	static const struct vnet_bpf_insn insn = {0x06, 0, 0, 1};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "old",
		.insns = &insn,
		.ninsns = 1,
	};
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	struct stage *s = *state;
	vnet_port_id free_port = test_port(s->sw, "free");

	assert_int_equal(vnet_filter_add(s->sw, s->up.port, VNET_EGRESS, &rule,
					 NULL),
			 0);
	s->up.on_send = try_all;
	s->up.ctx = &free_port;
	test_send(&s->in, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(s->up.nsends, 1);
	assert_int_equal(vnet_fdb_lookup(s->sw, test_mac(0xa), &e), 0);
	/* The same from inside the send of an output. */
	s->up.on_send = NULL;
	s->up.room = 0;
	test_send(&s->in, TEST_BROADCAST, 0xa, 0);
	s->up.on_send = try_all;
	s->up.room = FAKE_ENDLESS;
	assert_int_equal(vnet_client_output(s->sw, s->up.id, 1, 0), 1);
	assert_int_equal(s->up.nsends, 3);
	/* And afterwards all is allowed again. */
	assert_int_equal(vnet_port_remove(s->sw, free_port), 0);
}

/* Another switch than the one that called may be changed as one likes. */
static void
remove_other(struct fake *fake, const struct vnet_frame *frames, size_t n)
{
	const struct stage *other = fake->ctx;

	(void)frames;
	(void)n;
	if (vnet_client_port(other->sw, other->in.id) != VNET_NO_ID)
		assert_int_equal(vnet_port_remove(other->sw, other->in.port),
				 0);
	vnet_switch_tick(other->sw, 0);
}

static void
test_another_switch_may_be_changed_from_inside_a_send(void **state)
{
	struct stage *s = *state;

	s[0].up.on_send = remove_other;
	s[0].up.ctx = &s[1];
	test_send(&s[0].in, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(s[1].in.nclosed, 1);
	test_send(&s[0].in, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(s[0].up.nsent, 2);
}

static void
test_driver_is_never_closed_from_inside_a_send(void **state)
{
	struct stage *s = *state;

	s->up.on_send = hand_on;
	s->up.ctx = &s->up;
	s->up.error = -EIO;
	test_send(&s->in, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(s->up.nclosed, 0);
	assert_int_equal(test_out_drops(&s->up, VNET_DROP_DRIVER_ERROR), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_frames_pass_through_three_switches_in_one_process),
		TEST(test_ninth_switch_on_the_call_stack_is_too_deep),
		TEST(test_driver_that_calls_its_own_switch_loses_the_frames),
		TEST(test_ring_of_switches_ends_where_it_began),
		TEST(test_ring_is_closed_by_output_too),
		TEST(test_nothing_is_changed_from_inside_a_send),
		TEST(test_another_switch_may_be_changed_from_inside_a_send),
		TEST(test_driver_is_never_closed_from_inside_a_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
