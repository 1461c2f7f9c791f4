/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is explained of a frame is what becomes of it when it is sent, and why.
 */
#include <errno.h>

#include "net.h"

#define MAX_DESTS 8

static struct vnet_explained_dest dests[MAX_DESTS];

static struct vnet_explained
explain(const struct net *net, const struct fake *from, struct vnet_frame f,
	vnet_nsec now)
{
	struct vnet_explained e = {
		.size = sizeof(e),
		.dests = dests,
		.max_dests = MAX_DESTS,
	};

	assert_int_equal(vnet_switch_explain(net->sw, from->id, &f, now, &e),
			 0);
	assert_true(e.client == from->id);
	assert_true(e.port == from->port);
	return e;
}

static void
add_rule(const struct net *net, uint64_t owner, enum vnet_side side,
	 const char *name, enum vnet_verdict verdict)
{
	static const struct vnet_bpf_insn all[] = {{0x06, 0, 0, 1}};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = name,
		.verdict = verdict,
		.insns = all,
		.ninsns = 1,
	};

	assert_int_equal(vnet_filter_add(net->sw, owner, side, &rule, NULL), 0);
}

static void
test_nothing_is_changed(void **state)
{
	struct net *net = *state;
	struct vnet_fdb_entry entry = {.size = sizeof(entry)};

	explain(net, &net->a, test_frame(TEST_BROADCAST, 1, 0), SECONDS(3));
	assert_int_equal(net->b.nsent, 0);
	assert_int_equal(test_stats(&net->a).in.frames, 0);
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(1), &entry),
			 -ENOENT);
}

static void
test_flood_names_every_destination(void **state)
{
	struct net *net = *state;
	struct vnet_explained e = explain(
		net, &net->a, test_frame(TEST_BROADCAST, 1, 0), SECONDS(3));

	assert_int_equal(e.drop, VNET_DROP_NONE);
	assert_int_equal(e.lookup, VNET_LOOKUP_GROUP);
	assert_int_equal(e.traffic, VNET_TRAFFIC_BROADCAST);
	assert_int_equal(e.segments, 1);
	assert_true(e.is_learned);
	assert_false(e.ingress.was_asked);
	assert_int_equal(e.ndests, 2);
	assert_true(dests[0].client == net->b.id);
	assert_true(dests[1].port == net->c.port);
	assert_int_equal(dests[1].reach, VNET_REACH_FORWARDED);
	assert_memory_equal(e.src.octet, test_mac(1).octet, 6);
}

static void
test_known_address_is_where_it_was_seen(void **state)
{
	struct net *net = *state;
	struct vnet_explained e;

	test_send(&net->b, TEST_BROADCAST, 2, SECONDS(1));
	e = explain(net, &net->a, test_frame(2, 1, 0), SECONDS(5));
	assert_int_equal(e.lookup, VNET_LOOKUP_KNOWN);
	assert_true(e.lookup_client == net->b.id);
	assert_int_equal(e.lookup_age_s, 4);
	assert_int_equal(e.ndests, 1);
	e = explain(net, &net->a, test_frame(3, 1, 0), SECONDS(5));
	assert_int_equal(e.lookup, VNET_LOOKUP_UNKNOWN);
	assert_int_equal(e.traffic, VNET_TRAFFIC_UNKNOWN);
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(3), net->c.id), 0);
	e = explain(net, &net->a, test_frame(3, 1, 0), SECONDS(5));
	assert_true(e.lookup_is_static);
	e = explain(net, &net->b, test_frame(2, 1, 0), SECONDS(5));
	assert_int_equal(e.drop, VNET_DROP_SAME_PORT);
	assert_int_equal(e.ndests, 0);
}

static void
test_rules_that_decide_are_named(void **state)
{
	struct net *net = *state;
	struct vnet_explained e;

	add_rule(net, net->b.port, VNET_EGRESS, "no-b", VNET_DROP);
	add_rule(net, net->c.id, VNET_RECEIVE_IN, "no-c", VNET_DROP);
	add_rule(net, net->a.port, VNET_INGRESS, "yes-a", VNET_PASS);
	e = explain(net, &net->a, test_frame(TEST_BROADCAST, 1, 0), 0);
	assert_true(e.ingress.was_asked);
	assert_string_equal(e.ingress.name, "yes-a");
	assert_int_equal(e.ndests, 2);
	assert_int_equal(dests[0].drop, VNET_DROP_EGRESS_FILTER);
	assert_string_equal(dests[0].egress.name, "no-b");
	assert_int_equal(dests[1].drop, VNET_DROP_RECEIVE_FILTER);
	assert_string_equal(dests[1].receive.name, "no-c");
	assert_false(dests[1].egress.was_asked);
	vnet_filter_remove(net->sw, net->a.port, VNET_INGRESS, "yes-a");
	vnet_filter_set_default(net->sw, net->a.port, VNET_INGRESS, VNET_DROP);
	e = explain(net, &net->a, test_frame(TEST_BROADCAST, 1, 0), 0);
	assert_int_equal(e.drop, VNET_DROP_INGRESS_FILTER);
	assert_string_equal(e.ingress.name, "");
	assert_int_equal(e.ingress.verdict, VNET_DROP);
	assert_int_equal(e.lookup, VNET_LOOKUP_NONE);
	assert_false(e.is_learned);
}

static void
test_limits_that_keep_a_frame_back_are_named(void **state)
{
	const struct vnet_limit limit = {
		.size = sizeof(limit),
		.frames_per_s = 1,
	};
	struct net *net = *state;
	struct vnet_explained e;

	assert_int_equal(vnet_limit_set(net->sw, net->a.port, VNET_INGRESS,
					VNET_TRAFFIC_BROADCAST, &limit, NULL),
			 0);
	assert_int_equal(vnet_limit_set(net->sw, net->b.id, VNET_EGRESS,
					VNET_TRAFFIC_ALL, &limit, NULL),
			 0);
	/* However often one asks, nothing is taken. */
	for (int i = 0; i < 3; i++) {
		e = explain(net, &net->a, test_frame(TEST_BROADCAST, 1, 0), 0);
		assert_int_equal(e.drop, VNET_DROP_NONE);
	}
	test_send(&net->a, TEST_BROADCAST, 1, 0);
	e = explain(net, &net->a, test_frame(TEST_BROADCAST, 1, 0), 0);
	assert_int_equal(e.drop, VNET_DROP_STORM);
	assert_true(e.limit == net->a.port);
	e = explain(net, &net->a, test_frame(9, 1, 0), 0);
	assert_int_equal(e.drop, VNET_DROP_NONE);
	assert_int_equal(dests[0].drop, VNET_DROP_POLICED);
	assert_true(dests[0].limit == net->b.id);
	assert_int_equal(dests[1].drop, VNET_DROP_NONE);
}

static void
test_clients_of_a_vif_are_told_apart(void **state)
{
	struct net *net = *state;
	struct fake *x = &net->more[0];
	struct vnet_explained e;

	assert_int_equal(fake_attach(x, net->sw, net->a.port, 0, 0), 0);
	add_rule(net, net->a.id, VNET_RECEIVE_OUT, "tap", VNET_PASS);
	add_rule(net, net->a.port, VNET_EGRESS, "out", VNET_PASS);
	x->room = 0;
	test_send(&net->b, TEST_BROADCAST, 2, 0);
	e = explain(net, &net->a, test_frame(TEST_BROADCAST, 1, 0), 0);
	assert_int_equal(e.ndests, 4);
	assert_int_equal(dests[0].reach, VNET_REACH_OUT);
	assert_string_equal(dests[0].receive.name, "tap");
	assert_int_equal(dests[1].reach, VNET_REACH_SIBLING);
	assert_true(dests[1].client == x->id);
	assert_true(dests[1].is_queued);
	/* The second client of a port has the rule that its first one has. */
	e = explain(net, &net->b, test_frame(TEST_BROADCAST, 2, 0), 0);
	assert_int_equal(e.ndests, 3);
	assert_string_equal(dests[0].egress.name, "out");
	assert_string_equal(dests[1].egress.name, "out");
	assert_false(dests[2].egress.was_asked);
}

static void
test_frames_that_are_none_are_explained_too(void **state)
{
	struct net *net = *state;
	struct vnet_frame f = test_frame(2, 1, 13);
	struct vnet_explained e = explain(net, &net->a, f, 0);

	assert_int_equal(e.drop, VNET_DROP_MALFORMED);
	assert_int_equal(e.segments, 0);
	f = test_frame(2, 1, 60);
	f.gso_type = VNET_GSO_TCP4;
	e = explain(net, &net->a, f, 0);
	assert_int_equal(e.drop, VNET_DROP_BAD_OFFLOAD);
	vnet_port_set_link(net->sw, net->a.port, false);
	e = explain(net, &net->a, test_frame(2, 1, 60), 0);
	assert_int_equal(e.drop, VNET_DROP_LINK_DOWN);
}

static void
test_more_destinations_than_there_is_room_for_are_counted(void **state)
{
	struct net *net = *state;
	struct vnet_frame f = test_frame(TEST_BROADCAST, 1, 0);
	struct vnet_explained e = {
		.size = sizeof(e), .dests = dests, .max_dests = 1};

	dests[1].client = 12345;
	assert_int_equal(vnet_switch_explain(net->sw, net->a.id, &f, 0, &e), 0);
	assert_int_equal(e.ndests, 2);
	assert_int_equal(dests[1].client, 12345);
	assert_int_equal(vnet_switch_explain(net->sw, 99, &f, 0, &e), -ENOENT);
	e.size = 3;
	assert_int_equal(vnet_switch_explain(net->sw, net->a.id, &f, 0, &e),
			 -EINVAL);
}

#define TEST(name)                                                 \
	cmocka_unit_test_setup_teardown(test_##name, net_of_three, \
					net_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_changed),
		TEST(flood_names_every_destination),
		TEST(known_address_is_where_it_was_seen),
		TEST(rules_that_decide_are_named),
		TEST(limits_that_keep_a_frame_back_are_named),
		TEST(clients_of_a_vif_are_told_apart),
		TEST(frames_that_are_none_are_explained_too),
		TEST(more_destinations_than_there_is_room_for_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
