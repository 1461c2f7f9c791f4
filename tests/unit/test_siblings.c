/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several clients on one vif.
 *
 *	x, y, z ---vif---+--------+
 *	a ---------------| switch |
 *	b ---------------+--------+
 */
#include <errno.h>

#include "net.h"
#include "packet.h"

#define VIF 0x100 /* the number of its address */

struct vif {
	struct net net; /* first: net_tear_down() */
	vnet_port_id port;
	struct fake *x, *y, *z;
};

static const struct vnet_bpf_insn all[] = {{0x06, 0, 0, 0xffff}};

static vnet_port_id
add_vif(struct vnet_switch *sw, const char *name, uint32_t flags)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
		.mac = test_mac(VIF),
		.flags = flags,
	};
	vnet_port_id id;

	assert_int_equal(vnet_port_add(sw, &config, &id, NULL), 0);
	return id;
}

static void
open_vif(struct vif *v, uint32_t flags)
{
	struct fake *const clients[] = {v->x, v->y, v->z};

	v->port = add_vif(v->net.sw, "vif", flags);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			fake_attach(clients[i], v->net.sw, v->port, 0, 0), 0);
}

static int
set_up_with(void **state, uint32_t flags)
{
	struct vif *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	net_open(&v->net, 2, &(struct vnet_switch_config){0});
	v->x = &v->net.more[0];
	v->y = &v->net.more[1];
	v->z = &v->net.more[2];
	open_vif(v, flags);
	*state = v;
	return 0;
}

static int
shared(void **state)
{
	return set_up_with(state, 0);
}

static int
per_client(void **state)
{
	return set_up_with(state, VNET_PORT_PER_CLIENT);
}

static int
plain_nic(void **state)
{
	return set_up_with(state, VNET_PORT_NO_SIBLINGS);
}

/* What each has got since the last call: x, y, z, a, b. */
static void
assert_got(struct vif *v, unsigned long x, unsigned long y, unsigned long z,
	   unsigned long a, unsigned long b)
{
	struct fake *const who[] = {v->x, v->y, v->z, &v->net.a, &v->net.b};
	const unsigned long got[] = {x, y, z, a, b};

	for (size_t i = 0; i < 5; i++) {
		if (who[i]->nsent != got[i])
			fail_msg("the %zuth got %lu, expected %lu", i,
				 who[i]->nsent, got[i]);
		who[i]->nsent = 0;
	}
}

static unsigned int
own_number(struct vif *v, const struct fake *f)
{
	struct vnet_client_info info = {.size = sizeof(info)};
	const uint8_t *o = info.mac.octet;

	assert_int_equal(vnet_client_get(v->net.sw, f->id, &info), 0);
	return (unsigned int)o[2] << 24 | (unsigned int)o[3] << 16 |
	       (unsigned int)o[4] << 8 | o[5];
}

static struct vnet_frame
to_mac(struct vnet_mac dst, unsigned int src)
{
	struct vnet_frame f = test_frame(1, src, 60);
	uint8_t *data = (uint8_t *)(uintptr_t)f.data;

	memcpy(data, dst.octet, sizeof(dst.octet));
	return f;
}

static struct vnet_mac
own_mac(struct vif *v, const struct fake *f)
{
	struct vnet_client_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_client_get(v->net.sw, f->id, &info), 0);
	return info.mac;
}

static void
add_rule(struct vif *v, uint64_t owner, enum vnet_side side,
	 enum vnet_verdict verdict, const struct vnet_bpf_insn *insns,
	 size_t ninsns)
{
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "rule",
		.verdict = verdict,
		.insns = insns,
		.ninsns = ninsns,
	};

	assert_int_equal(vnet_filter_add(v->net.sw, owner, side, &rule, NULL),
			 0);
}

static void
test_broadcast_of_a_client_reaches_its_siblings_and_all_others(void **state)
{
	struct vif *v = *state;

	test_send(v->x, TEST_BROADCAST, VIF, 0);
	assert_got(v, 0, 1, 1, 1, 1);
}

static void
test_frames_to_the_shared_address_reach_every_client(void **state)
{
	struct vif *v = *state;

	test_send(v->x, TEST_BROADCAST, VIF, 0);
	assert_got(v, 0, 1, 1, 1, 1);
	test_send(&v->net.a, VIF, 1, 0);
	assert_got(v, 1, 1, 1, 0, 0);
}

static void
test_siblings_that_share_an_address_do_not_make_it_move(void **state)
{
	struct vif *v = *state;

	for (int i = 0; i < 10; i++) {
		test_send(v->x, 1, VIF, SECONDS(i));
		test_send(v->y, 1, VIF, SECONDS(i));
	}
	assert_int_equal(test_stats(v->x).moves, 0);
	assert_int_equal(test_stats(v->y).moves, 0);
	assert_int_equal(test_stats(v->y).moves_refused, 0);
}

static void
test_shared_address_stays_known_while_a_client_is_left(void **state)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	struct vif *v = *state;

	test_send(v->x, 1, VIF, 0);
	assert_int_equal(vnet_client_remove(v->net.sw, v->x->id), 0);
	assert_int_equal(vnet_fdb_lookup(v->net.sw, test_mac(VIF), &e), 0);
	assert_true(e.client == v->y->id);
	assert_int_equal(vnet_client_remove(v->net.sw, v->y->id), 0);
	assert_int_equal(vnet_client_remove(v->net.sw, v->z->id), 0);
	assert_int_equal(vnet_fdb_lookup(v->net.sw, test_mac(VIF), &e),
			 -ENOENT);
}

static void
test_unicast_between_siblings_stays_in_the_vif(void **state)
{
	struct vif *v = *state;

	/* Nobody has sent from it yet: it is known all the same. */
	test_send(v->x, VIF, VIF, 0);
	assert_got(v, 0, 1, 1, 0, 0);
}

static void
test_unicast_to_elsewhere_is_never_shown_to_siblings(void **state)
{
	struct vif *v = *state;

	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 1, 1, 1, 0, 1);
	test_send(v->x, 1, VIF, 0);
	assert_got(v, 0, 0, 0, 1, 0);
	/* Nor where nobody knows where it is. */
	test_send(v->x, 77, VIF, 0);
	assert_got(v, 0, 0, 0, 1, 1);
}

static void
test_address_learned_behind_a_client_is_for_it_alone(void **state)
{
	struct vif *v = *state;

	test_send(v->y, TEST_BROADCAST, 5, 0);
	assert_got(v, 1, 0, 1, 1, 1);
	test_send(&v->net.a, 5, 1, 0);
	assert_got(v, 0, 1, 0, 0, 0);
	test_send(v->x, 5, VIF, 0);
	assert_got(v, 0, 1, 0, 0, 0);
}

static void
test_address_learned_behind_a_client_moves_to_its_sibling(void **state)
{
	struct vif *v = *state;

	test_send(v->y, TEST_BROADCAST, 5, 0);
	test_send(v->z, TEST_BROADCAST, 5, 0);
	assert_int_equal(test_stats(v->z).moves, 1);
	assert_got(v, 2, 1, 1, 2, 2);
	test_send(&v->net.a, 5, 1, 0);
	assert_got(v, 0, 0, 1, 0, 0);
}

static void
test_plain_nic_has_no_siblings(void **state)
{
	struct vif *v = *state;

	test_send(v->x, TEST_BROADCAST, VIF, 0);
	assert_got(v, 0, 0, 0, 1, 1);
	test_send(v->x, VIF, VIF, 0);
	assert_got(v, 0, 0, 0, 0, 0);
	assert_int_equal(test_in_drops(v->x, VNET_DROP_SAME_PORT), 1);
	test_send(v->y, TEST_BROADCAST, 5, 0);
	assert_got(v, 0, 0, 0, 1, 1);
	test_send(v->x, 5, VIF, 0);
	assert_got(v, 0, 0, 0, 0, 0);
	/* It can be changed while it runs. */
	assert_int_equal(vnet_port_set_flags(v->net.sw, v->port, 0), 0);
	test_send(v->x, 5, VIF, 0);
	assert_got(v, 0, 1, 0, 0, 0);
}

static void
test_clients_have_stable_addresses_of_their_own(void **state)
{
	struct vif *v = *state;
	struct vnet_mac y = own_mac(v, v->y);

	assert_int_not_equal(own_number(v, v->x), own_number(v, v->y));
	assert_int_not_equal(own_number(v, v->y), own_number(v, v->z));
	assert_int_equal(y.octet[0] & 3, 2);
	assert_int_equal(vnet_client_remove(v->net.sw, v->y->id), 0);
	vnet_switch_tick(v->net.sw, 0);
	v->y->nclosed = 0;
	assert_int_equal(fake_attach(v->y, v->net.sw, v->port, 0, 0), 0);
	assert_memory_equal(own_mac(v, v->y).octet, y.octet, 6);
}

static void
test_unicast_reaches_the_one_client_whose_address_it_is(void **state)
{
	struct vif *v = *state;
	struct vnet_frame f = to_mac(own_mac(v, v->y), 9);

	/* From a sibling though it has not sent yet, */
	vnet_switch_input(v->net.sw, v->x->id, &f, 1, 0);
	assert_got(v, 0, 1, 0, 0, 0);
	/* from elsewhere when it has. */
	f = to_mac(test_mac(1), 0);
	memcpy((uint8_t *)(uintptr_t)f.data + 6, own_mac(v, v->y).octet, 6);
	vnet_switch_input(v->net.sw, v->y->id, &f, 1, 0);
	assert_got(v, 0, 0, 0, 1, 1);
	f = to_mac(own_mac(v, v->y), 1);
	vnet_switch_input(v->net.sw, v->net.a.id, &f, 1, 0);
	assert_got(v, 0, 1, 0, 0, 0);
}

static void
test_address_of_a_client_is_not_for_its_siblings_to_take(void **state)
{
	struct vif *v = *state;
	struct vnet_frame f = to_mac(test_mac(1), 0);
	uint8_t *src = (uint8_t *)(uintptr_t)f.data + 6;

	memcpy(src, own_mac(v, v->y).octet, 6);
	vnet_switch_input(v->net.sw, v->y->id, &f, 1, 0);
	vnet_switch_input(v->net.sw, v->x->id, &f, 1, 0);
	assert_int_equal(test_stats(v->x).moves, 0);
	assert_int_equal(test_stats(v->x).moves_refused, 1);
	assert_got(v, 0, 0, 0, 2, 2);
	f = to_mac(own_mac(v, v->y), 1);
	vnet_switch_input(v->net.sw, v->net.a.id, &f, 1, 0);
	assert_got(v, 0, 1, 0, 0, 0);
}

static void
test_address_of_a_client_may_be_given_but_not_twice(void **state)
{
	struct vif *v = *state;
	struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &v->x->ops,
		.mac = test_mac(0x200),
	};
	vnet_client_id id, other;
	struct vnet_why why = {0};

	assert_int_equal(
		vnet_client_add(v->net.sw, v->port, &config, &id, &why), 0);
	assert_int_equal(vnet_client_add(v->net.sw, v->port, &config, &other,
					 &why),
			 -EEXIST);
	assert_non_null(strstr(why.text, "has that address"));
	config.mac.octet[0] = 1;
	assert_int_equal(vnet_client_add(v->net.sw, v->port, &config, &other,
					 &why),
			 -EINVAL);
	config.mac = test_mac(3);
	assert_int_equal(vnet_client_add(v->net.sw, v->net.a.port, &config,
					 &other, &why),
			 -EINVAL);
	/* The fake's close would count for x. */
	v->x->ops.close = NULL;
	assert_int_equal(vnet_client_remove(v->net.sw, id), 0);
}

static void
test_addresses_per_client_need_a_vif_with_an_address(void **state)
{
	struct vif *v = *state;
	struct vnet_port_config config = {
		.size = sizeof(config),
		.name = "other",
		.flags = VNET_PORT_PER_CLIENT,
	};
	vnet_port_id id;

	assert_int_equal(vnet_port_add(v->net.sw, &config, &id, NULL), -EINVAL);
	config.mac = test_mac(7);
	config.role = VNET_ROLE_UPLINK;
	assert_int_equal(vnet_port_add(v->net.sw, &config, &id, NULL), -EINVAL);
	config.role = VNET_ROLE_VIF;
	config.flags = 1 << 20;
	assert_int_equal(vnet_port_add(v->net.sw, &config, &id, NULL), -EINVAL);
	assert_int_equal(vnet_port_set_flags(v->net.sw, v->port, 1 << 20),
			 -EINVAL);
	assert_int_equal(vnet_port_set_flags(v->net.sw, v->port,
					     VNET_PORT_PER_CLIENT),
			 -EINVAL);
	assert_int_equal(vnet_port_set_flags(v->net.sw, 99, 0), -ENOENT);
}

static void
test_client_takes_only_what_its_filters_pass(void **state)
{
	/* To any IPv4 address but not to others' frames: EtherType. */
	static const struct vnet_bpf_insn ip[] = {{0x28, 0, 0, 12},
						  {0x15, 0, 1, 0x0800},
						  {0x06, 0, 0, 1},
						  {0x06, 0, 0, 0}};
	struct vif *v = *state;

	add_rule(v, v->x->id, VNET_RECEIVE_IN, VNET_PASS, ip, 4);
	assert_int_equal(vnet_filter_set_default(v->net.sw, v->x->id,
						 VNET_RECEIVE_IN, VNET_DROP),
			 0);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 0, 1, 1, 0, 1);
	assert_int_equal(test_out_drops(v->x, VNET_DROP_RECEIVE_FILTER), 1);
	assert_int_equal(vnet_filter_remove(v->net.sw, v->x->id,
					    VNET_RECEIVE_IN, "rule"),
			 0);
	add_rule(v, v->x->id, VNET_RECEIVE_IN, VNET_PASS, all, 1);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 1, 1, 1, 0, 1);
}

static void
test_filters_out_hear_what_the_vif_writes_and_its_writer_too(void **state)
{
	struct vif *v = *state;

	add_rule(v, v->x->id, VNET_RECEIVE_OUT, VNET_PASS, all, 1);
	add_rule(v, v->y->id, VNET_RECEIVE_OUT, VNET_PASS, all, 1);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 1, 1, 1, 0, 1);
	/* Unicast to elsewhere, which no sibling's filters in are shown. */
	test_send(v->x, 1, VIF, 0);
	assert_got(v, 1, 1, 0, 1, 0);
	/* Nobody gets a frame twice. */
	test_send(v->x, TEST_BROADCAST, VIF, 0);
	assert_got(v, 1, 1, 1, 1, 1);
}

static void
test_frame_says_whether_it_came_by_the_filters_out(void **state)
{
	struct vif *v = *state;

	add_rule(v, v->x->id, VNET_RECEIVE_OUT, VNET_PASS, all, 1);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_int_equal(v->x->last.via, 0);
	test_send(v->y, TEST_BROADCAST, VIF, 0);
	assert_int_equal(v->x->last.via, VNET_VIA_OUT | VNET_VIA_BOTH);
	assert_int_equal(v->z->last.via, 0);
	assert_int_equal(v->net.a.last.via, 0);
	test_send(v->y, 1, VIF, 0);
	assert_int_equal(v->x->last.via, VNET_VIA_OUT);
	test_send(v->x, TEST_BROADCAST, VIF, 0);
	assert_int_equal(v->x->last.via, VNET_VIA_OUT);
	assert_int_equal(v->y->last.via, 0);
	assert_int_equal(vnet_filter_set_default(v->net.sw, v->x->id,
						 VNET_RECEIVE_IN, VNET_DROP),
			 0);
	test_send(v->y, TEST_BROADCAST, VIF, 0);
	assert_int_equal(v->x->last.via, VNET_VIA_OUT);
}

static void
test_frame_that_waits_keeps_how_it_came(void **state)
{
	struct vif *v = *state;

	add_rule(v, v->x->id, VNET_RECEIVE_OUT, VNET_PASS, all, 1);
	v->x->room = 0;
	test_send(v->y, TEST_BROADCAST, VIF, 0);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	v->x->room = FAKE_ENDLESS;
	assert_int_equal(vnet_client_output(v->net.sw, v->x->id, 1, 0), 1);
	assert_int_equal(v->x->last.via, VNET_VIA_OUT | VNET_VIA_BOTH);
	assert_int_equal(vnet_client_output(v->net.sw, v->x->id, 1, 0), 1);
	assert_int_equal(v->x->last.via, 0);
}

static void
test_client_of_its_own_address_may_take_another(void **state)
{
	struct vif *v = *state;
	struct vnet_client_info info = {.size = sizeof(info)};
	const struct vnet_mac mac = test_mac(0x77);
	struct vnet_why why;

	assert_int_equal(vnet_client_set_mac(v->net.sw, v->x->id, mac, NULL),
			 0);
	assert_int_equal(vnet_client_get(v->net.sw, v->x->id, &info), 0);
	assert_memory_equal(info.mac.octet, mac.octet, sizeof(mac));
	test_send(v->y, 0x77, VIF, 0);
	assert_got(v, 1, 0, 0, 0, 0);
	assert_int_equal(vnet_client_set_mac(v->net.sw, v->y->id,
					     test_mac(0x77), &why),
			 -EEXIST);
	assert_int_equal(vnet_client_set_mac(v->net.sw, v->x->id,
					     test_mac(0x77), &why),
			 0);
	assert_int_equal(vnet_client_set_mac(v->net.sw, v->x->id,
					     (struct vnet_mac){{1}}, &why),
			 -EINVAL);
	assert_int_equal(vnet_client_set_mac(v->net.sw, v->x->id,
					     (struct vnet_mac){{0}}, &why),
			 -EINVAL);
	assert_int_equal(vnet_client_set_mac(v->net.sw, v->net.a.id,
					     test_mac(0x78), &why),
			 -EINVAL);
	assert_int_equal(vnet_client_set_mac(v->net.sw, 99, test_mac(0x78),
					     &why),
			 -ENOENT);
}

static void
test_filters_out_hear_nothing_that_is_too_long(void **state)
{
	struct vif *v = *state;
	struct vnet_frame f = test_frame(1, VIF, 1515);

	add_rule(v, v->x->id, VNET_RECEIVE_OUT, VNET_PASS, all, 1);
	vnet_switch_input(v->net.sw, v->y->id, &f, 1, 0);
	assert_got(v, 0, 0, 0, 0, 0);
	assert_int_equal(test_out_drops(v->x, VNET_DROP_TOO_LONG), 1);
}

static void
test_what_is_heard_of_the_vif_takes_nothing_from_its_limits(void **state)
{
	const struct vnet_limit limit = {
		.size = sizeof(limit),
		.frames_per_s = 1,
	};
	struct vif *v = *state;

	add_rule(v, v->x->id, VNET_RECEIVE_OUT, VNET_PASS, all, 1);
	assert_int_equal(vnet_limit_set(v->net.sw, v->port, VNET_EGRESS,
					VNET_TRAFFIC_ALL, &limit, NULL),
			 0);
	for (int i = 0; i < 3; i++)
		test_send(v->y, 1, VIF, 0);
	assert_got(v, 3, 0, 0, 3, 3);
	assert_int_equal(vnet_limit_set(v->net.sw, v->x->id, VNET_EGRESS,
					VNET_TRAFFIC_ALL, &limit, NULL),
			 0);
	for (int i = 0; i < 3; i++)
		test_send(v->y, 1, VIF, 0);
	assert_got(v, 1, 0, 0, 3, 3);
}

static void
test_limit_of_the_vif_takes_a_frame_for_all_its_clients_once(void **state)
{
	const struct vnet_limit limit = {
		.size = sizeof(limit),
		.frames_per_s = 1,
		.burst_frames = 2,
	};
	struct vnet_count dropped;
	struct vif *v = *state;

	assert_int_equal(vnet_limit_set(v->net.sw, v->port, VNET_EGRESS,
					VNET_TRAFFIC_BROADCAST, &limit, NULL),
			 0);
	for (int i = 0; i < 5; i++)
		test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 2, 2, 2, 0, 5);
	assert_int_equal(test_out_drops(v->z, VNET_DROP_STORM), 3);
	assert_int_equal(vnet_limit_get(v->net.sw, v->port, VNET_EGRESS,
					VNET_TRAFFIC_BROADCAST, NULL, &dropped),
			 0);
	assert_int_equal(dropped.frames, 3);
	assert_int_equal(dropped.octets, 180);
}

static void
test_limit_of_a_client_is_its_own(void **state)
{
	const struct vnet_limit limit = {
		.size = sizeof(limit),
		.octets_per_s = 60,
		.burst_octets = 120,
	};
	struct vnet_fdb_entry entry = {.size = sizeof(entry)};
	struct vif *v = *state;

	assert_int_equal(vnet_limit_set(v->net.sw, v->x->id, VNET_INGRESS,
					VNET_TRAFFIC_ALL, &limit, NULL),
			 0);
	for (unsigned int i = 0; i < 5; i++)
		test_send(v->x, TEST_BROADCAST, 10 + i, 0);
	assert_got(v, 0, 2, 2, 2, 2);
	assert_int_equal(test_in_drops(v->x, VNET_DROP_POLICED), 3);
	/* What was kept back is not learned from. */
	assert_int_equal(vnet_fdb_lookup(v->net.sw, test_mac(11), &entry), 0);
	assert_int_equal(vnet_fdb_lookup(v->net.sw, test_mac(12), &entry),
			 -ENOENT);
	test_send(v->y, TEST_BROADCAST, VIF, 0);
	assert_got(v, 1, 0, 1, 1, 1);
	test_send(v->x, TEST_BROADCAST, VIF, SECONDS(1));
	assert_got(v, 0, 1, 1, 1, 1);
}

static void
test_zeroes_are_nobodys_address(void **state)
{
	const struct vnet_port_config config = {.size = sizeof(config),
						.name = "none"};
	struct vif *v = *state;
	struct fake *const p = &v->net.more[3], *const q = &v->net.more[4];
	struct vnet_frame f = to_mac((struct vnet_mac){{0}}, 9);
	vnet_port_id port;

	assert_int_equal(vnet_port_add(v->net.sw, &config, &port, NULL), 0);
	assert_int_equal(fake_attach(p, v->net.sw, port, 0, 0), 0);
	assert_int_equal(fake_attach(q, v->net.sw, port, 0, 0), 0);
	vnet_switch_input(v->net.sw, p->id, &f, 1, 0);
	assert_int_equal(q->nsent, 0);
	assert_int_equal(
		vnet_client_set_accept(v->net.sw, q->id, VNET_ACCEPT_OWN), 0);
	vnet_switch_input(v->net.sw, v->net.a.id, &f, 1, 0);
	assert_int_equal(q->nsent, 0);
	assert_int_equal(p->nsent, 1);
}

static void
test_sides_are_those_of_ports_or_of_clients(void **state)
{
	const struct vnet_rule rule = {
		.size = sizeof(rule), .name = "r", .insns = all, .ninsns = 1};
	struct vif *v = *state;
	struct fake *u = &v->net.u;

	assert_int_equal(fake_open(u, v->net.sw, "u", VNET_ROLE_UPLINK, 0), 0);
	assert_int_equal(vnet_filter_add(v->net.sw, v->port, VNET_RECEIVE_IN,
					 &rule, NULL),
			 -EINVAL);
	assert_int_equal(vnet_filter_add(v->net.sw, v->x->id, VNET_INGRESS,
					 &rule, NULL),
			 -EINVAL);
	assert_int_equal(vnet_filter_add(v->net.sw, u->id, VNET_RECEIVE_OUT,
					 &rule, NULL),
			 -EINVAL);
	assert_int_equal(vnet_filter_add(v->net.sw, u->id, VNET_RECEIVE_IN,
					 &rule, NULL),
			 0);
	assert_int_equal(vnet_filter_add(v->net.sw, 12345, VNET_RECEIVE_IN,
					 &rule, NULL),
			 -ENOENT);
	assert_int_equal(fake_attach(&v->net.more[3], v->net.sw, u->port, 0, 0),
			 -EEXIST);
}

static void
test_client_that_accepts_its_own_gets_no_other_unicast(void **state)
{
	struct vif *v = *state;

	assert_int_equal(vnet_client_set_accept(v->net.sw, v->x->id,
						VNET_ACCEPT_OWN),
			 0);
	test_send(&v->net.a, 99, 1, 0);
	assert_got(v, 0, 1, 1, 0, 1);
	assert_int_equal(test_out_drops(v->x, VNET_DROP_NOT_ADDRESSED), 1);
	test_send(&v->net.a, VIF, 1, 0);
	assert_got(v, 1, 1, 1, 0, 1);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 1, 1, 1, 0, 1);
	assert_int_equal(vnet_client_set_accept(v->net.sw, v->x->id,
						(enum vnet_accept)2),
			 -EINVAL);
}

/* A neighbour solicitation from the unspecified address. */
static struct vnet_frame
dad_probe(bool tagged, bool hop_by_hop)
{
	static uint8_t data[4][128];
	static unsigned int turn;
	uint8_t *p = data[turn++ % 4], *at = p;

	memset(p, 0, sizeof(data[0]));
	memcpy(at, "\x33\x33\xff\x00\x00\x01", 6);
	memcpy(at + 6, test_mac(VIF).octet, 6);
	at += 12;
	if (tagged) {
		memcpy(at, "\x81\x00\x00\x05", 4);
		at += 4;
	}
	memcpy(at, "\x86\xdd\x60\x00\x00\x00\x00\x18", 8);
	at[8] = hop_by_hop ? 0 : 58;
	at[9] = 255;
	at += 2 + 40;
	if (hop_by_hop) {
		at[0] = 58;
		at += 8;
	}
	at[0] = 135;
	return (struct vnet_frame){.data = p, .len = (uint32_t)(at + 24 - p)};
}

static void
test_probes_for_duplicate_addresses_pass_siblings_by(void **state)
{
	struct vif *v = *state;

	for (int i = 0; i < 4; i++) {
		struct vnet_frame f = dad_probe(i & 1, i & 2);
		uint8_t *src =
			(uint8_t *)(uintptr_t)f.data + 14 + (i & 1 ? 4 : 0) + 8;

		vnet_switch_input(v->net.sw, v->x->id, &f, 1, 0);
		assert_got(v, 0, 0, 0, 1, 1);
		/* A solicitation that is no probe reaches them. */
		src[15] = 1;
		vnet_switch_input(v->net.sw, v->x->id, &f, 1, 0);
		assert_got(v, 0, 1, 1, 1, 1);
	}
}

static void
test_probes_for_duplicate_addresses_reach_who_has_one_of_its_own(void **state)
{
	struct vif *v = *state;
	struct vnet_frame f = dad_probe(false, false);

	vnet_switch_input(v->net.sw, v->x->id, &f, 1, 0);
	assert_got(v, 0, 1, 1, 1, 1);
}

static void
test_broken_client_does_not_take_its_siblings_with_it(void **state)
{
	struct vif *v = *state;

	v->y->error = -EIO;
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 1, 0, 1, 0, 1);
	assert_true(test_has_link(v->net.sw, v->port));
	v->y->error = 0;
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 1, 0, 1, 0, 1);
	test_send(v->y, TEST_BROADCAST, VIF, 0);
	assert_int_equal(test_in_drops(v->y, VNET_DROP_LINK_DOWN), 1);
	assert_got(v, 0, 0, 0, 0, 0);
	assert_int_equal(vnet_port_set_link(v->net.sw, v->port, false), 0);
	assert_int_equal(vnet_port_set_link(v->net.sw, v->port, true), 0);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 1, 1, 1, 0, 1);
}

static void
test_broken_client_that_is_left_alone_is_sent_nothing(void **state)
{
	struct vif *v = *state;

	v->y->error = -EIO;
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	v->y->error = 0;
	assert_int_equal(vnet_client_remove(v->net.sw, v->x->id), 0);
	assert_int_equal(vnet_client_remove(v->net.sw, v->z->id), 0);
	v->x->nsent = v->y->nsent = v->z->nsent = v->net.b.nsent = 0;
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 0, 0, 0, 0, 1);
}

static void
test_client_that_is_left_alone_is_set_up_again(void **state)
{
	struct vif *v = *state;

	assert_int_equal(vnet_client_set_link(v->net.sw, v->y->id, false), 0);
	assert_int_equal(vnet_client_remove(v->net.sw, v->x->id), 0);
	assert_int_equal(vnet_client_remove(v->net.sw, v->z->id), 0);
	assert_int_equal(vnet_client_set_link(v->net.sw, v->y->id, true), 0);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 0, 1, 0, 0, 1);
}

static void
test_vif_that_is_down_gets_nothing_for_its_address(void **state)
{
	struct vif *v = *state;

	assert_int_equal(vnet_fdb_add(v->net.sw, test_mac(VIF), v->y->id), 0);
	assert_int_equal(vnet_port_set_link(v->net.sw, v->port, false), 0);
	test_send(&v->net.a, VIF, 1, 0);
	assert_got(v, 0, 0, 0, 0, 0);
	assert_int_equal(test_out_drops(v->y, VNET_DROP_LINK_DOWN), 1);
	assert_int_equal(test_stats(&v->net.a).copies.frames, 1);
}

static void
test_client_that_never_reads_costs_its_siblings_nothing(void **state)
{
	struct vif *v = *state;

	v->y->room = 0;
	for (int i = 0; i < 5000; i++)
		test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_got(v, 5000, 0, 5000, 0, 5000);
	assert_true(test_stats(v->y).queue_memory <= 256 << 10);
	assert_int_equal(test_stats(v->x).out_dropped.frames, 0);
}

static void
test_egress_chain_of_the_vif_counts_a_frame_once(void **state)
{
	struct vnet_rule_info info = {.size = sizeof(info)};
	struct vif *v = *state;

	add_rule(v, v->port, VNET_EGRESS, VNET_PASS, all, 1);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_int_equal(
		vnet_filter_get(v->net.sw, v->port, VNET_EGRESS, 0, &info), 0);
	assert_int_equal(info.hits, 1);
	assert_int_equal(vnet_filter_set_default(v->net.sw, v->port,
						 VNET_EGRESS, VNET_DROP),
			 0);
	assert_int_equal(
		vnet_filter_remove(v->net.sw, v->port, VNET_EGRESS, "rule"), 0);
	assert_got(v, 1, 1, 1, 0, 1);
	/* It holds between siblings, too. */
	test_send(v->x, TEST_BROADCAST, VIF, 0);
	assert_got(v, 0, 0, 0, 1, 1);
	assert_int_equal(test_out_drops(v->y, VNET_DROP_EGRESS_FILTER), 1);
}

static void
test_clients_are_walked_by_index(void **state)
{
	struct vif *v = *state;
	struct vnet_client_info info = {.size = sizeof(info)};
	struct vnet_port_info port = {.size = sizeof(port)};
	vnet_client_id id = VNET_NO_ID;
	uint32_t n = 0;

	assert_int_equal(vnet_client_remove(v->net.sw, v->y->id), 0);
	assert_int_equal(fake_attach(&v->net.more[3], v->net.sw, v->port, 0, 0),
			 0);
	while ((id = vnet_client_next(v->net.sw, v->port, id)) != VNET_NO_ID) {
		assert_int_equal(vnet_client_get(v->net.sw, id, &info), 0);
		assert_int_equal(info.index, n++);
		assert_true(info.port == v->port);
		assert_int_equal(info.weight, 1);
		assert_int_equal(info.queue_octets, 256 << 10);
	}
	assert_int_equal(n, 3);
	assert_int_equal(vnet_port_get(v->net.sw, v->port, &port), 0);
	assert_int_equal(port.clients, 3);
	assert_true(port.client == v->x->id);
	assert_true(vnet_client_next(v->net.sw, v->port, v->net.a.id) ==
		    VNET_NO_ID);
	assert_true(vnet_client_next(v->net.sw, 99, VNET_NO_ID) == VNET_NO_ID);
	assert_int_equal(vnet_client_get(v->net.sw, v->y->id, &info), -ENOENT);
	info.size = 1;
	assert_int_equal(vnet_client_get(v->net.sw, v->x->id, &info), -EINVAL);
}

static void
test_removal_of_the_vif_closes_every_driver(void **state)
{
	struct vif *v = *state;

	assert_int_equal(vnet_port_remove(v->net.sw, v->port), 0);
	assert_int_equal(v->x->nclosed, 1);
	assert_int_equal(v->y->nclosed, 1);
	assert_int_equal(v->z->nclosed, 1);
	assert_true(vnet_client_port(v->net.sw, v->z->id) == VNET_NO_ID);
}

static void
test_more_clients_than_ports_may_be(void **state)
{
	struct vif *v = *state;
	vnet_client_id id;

	net_reopen(&v->net, &(struct vnet_switch_config){.max_ports = 4,
							 .max_clients = 100});
	v->port = add_vif(v->net.sw, "vif", 0);
	for (int i = 0; i < 98; i++)
		assert_int_equal(vnet_null_open(v->net.sw, v->port, &id), 0);
	assert_int_equal(vnet_null_open(v->net.sw, v->port, &id), -ENOSPC);
	test_send(&v->net.a, TEST_BROADCAST, 1, 0);
	assert_int_equal(test_stats(&v->net.a).copies.frames, 99);
}

#define TEST(name, setup) \
	cmocka_unit_test_setup_teardown(test_##name, setup, net_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(broadcast_of_a_client_reaches_its_siblings_and_all_others,
		     shared),
		TEST(frames_to_the_shared_address_reach_every_client, shared),
		TEST(siblings_that_share_an_address_do_not_make_it_move,
		     shared),
		TEST(shared_address_stays_known_while_a_client_is_left, shared),
		TEST(unicast_between_siblings_stays_in_the_vif, shared),
		TEST(unicast_to_elsewhere_is_never_shown_to_siblings, shared),
		TEST(address_learned_behind_a_client_is_for_it_alone, shared),
		TEST(address_learned_behind_a_client_moves_to_its_sibling,
		     shared),
		TEST(plain_nic_has_no_siblings, plain_nic),
		TEST(clients_have_stable_addresses_of_their_own, per_client),
		TEST(unicast_reaches_the_one_client_whose_address_it_is,
		     per_client),
		TEST(address_of_a_client_is_not_for_its_siblings_to_take,
		     per_client),
		TEST(address_of_a_client_may_be_given_but_not_twice,
		     per_client),
		TEST(addresses_per_client_need_a_vif_with_an_address, shared),
		TEST(client_takes_only_what_its_filters_pass, shared),
		TEST(filters_out_hear_what_the_vif_writes_and_its_writer_too,
		     shared),
		TEST(frame_says_whether_it_came_by_the_filters_out, shared),
		TEST(frame_that_waits_keeps_how_it_came, shared),
		TEST(client_of_its_own_address_may_take_another, per_client),
		TEST(filters_out_hear_nothing_that_is_too_long, shared),
		TEST(what_is_heard_of_the_vif_takes_nothing_from_its_limits,
		     shared),
		TEST(limit_of_the_vif_takes_a_frame_for_all_its_clients_once,
		     shared),
		TEST(limit_of_a_client_is_its_own, shared),
		TEST(zeroes_are_nobodys_address, shared),
		TEST(sides_are_those_of_ports_or_of_clients, shared),
		TEST(client_that_accepts_its_own_gets_no_other_unicast, shared),
		TEST(probes_for_duplicate_addresses_pass_siblings_by, shared),
		TEST(probes_for_duplicate_addresses_reach_who_has_one_of_its_own,
		     per_client),
		TEST(broken_client_does_not_take_its_siblings_with_it, shared),
		TEST(broken_client_that_is_left_alone_is_sent_nothing, shared),
		TEST(client_that_is_left_alone_is_set_up_again, shared),
		TEST(vif_that_is_down_gets_nothing_for_its_address, shared),
		TEST(client_that_never_reads_costs_its_siblings_nothing,
		     shared),
		TEST(egress_chain_of_the_vif_counts_a_frame_once, shared),
		TEST(clients_are_walked_by_index, shared),
		TEST(removal_of_the_vif_closes_every_driver, shared),
		TEST(more_clients_than_ports_may_be, shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
