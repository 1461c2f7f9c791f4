/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where frames go, and where not.
 *
 *	a, b, c   virtual interfaces
 *	u, v      uplinks
 */
#include <errno.h>

#include "net.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
open_uplinks(struct net *net)
{
	assert_int_equal(fake_open(&net->u, net->sw, "u", VNET_ROLE_UPLINK, 0),
			 0);
	assert_int_equal(fake_open(&net->v, net->sw, "v", VNET_ROLE_UPLINK, 0),
			 0);
}

/* A frame between these two addresses, given octet by octet. */
static struct vnet_frame
frame_between(const char *dst, const char *src)
{
	struct vnet_frame f = test_frame(0, 0, 0);
	uint8_t *p = (uint8_t *)(uintptr_t)f.data;

	memcpy(p, dst, 6);
	memcpy(p + 6, src, 6);
	return f;
}

static void
input(const struct fake *from, struct vnet_frame f)
{
	vnet_switch_input(from->sw, from->id, &f, 1, 0);
}

static uint64_t
looked_up(const struct fake *fake)
{
	return test_stats(fake).looked_up.frames;
}

static bool
is_known(const struct net *net, unsigned int number)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	int r = vnet_fdb_lookup(net->sw, test_mac(number), &e);

	assert_true(r == 0 || r == -ENOENT);
	return r == 0;
}

/* Learning */

static void
test_unknown_address_is_flooded_to_all_but_the_sender(void **state)
{
	struct net *net = *state;

	test_send(&net->a, 0xb, 0xa, 0);
	assert_int_equal(net->a.nsent, 0);
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(net->c.nsent, 1);
}

static void
test_learned_address_gets_its_frames_alone(void **state)
{
	struct net *net = *state;

	test_send(&net->b, 0xa, 0xb, 0);
	test_send(&net->a, 0xb, 0xa, 0);
	assert_int_equal(net->a.nsent, 1);
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(net->c.nsent, 1); /* the first */
}

static void
test_address_is_forgotten_after_300_seconds(void **state)
{
	struct net *net = *state;

	test_send(&net->b, 0xa, 0xb, 0);
	test_send(&net->a, 0xb, 0xa, SECONDS(299));
	assert_int_equal(net->c.nsent, 1);
	test_send(&net->a, 0xb, 0xa, SECONDS(300));
	assert_int_equal(net->c.nsent, 2);
}

static void
test_address_that_is_seen_again_does_not_age(void **state)
{
	struct net *net = *state;

	for (unsigned int i = 0; i < 10; i++)
		test_send(&net->b, 0xa, 0xb, SECONDS(200 * i));
	test_send(&net->a, 0xb, 0xa, SECONDS(200 * 9 + 299));
	assert_int_equal(net->c.nsent, 10);
}

static void
test_ageing_time_is_what_the_configuration_says(void **state)
{
	struct net *net = *state;

	net_reopen(net, &(struct vnet_switch_config){.ageing_s = 10});
	test_send(&net->b, 0xa, 0xb, SECONDS(1000));
	test_send(&net->a, 0xb, 0xa, SECONDS(1009));
	assert_int_equal(net->c.nsent, 1);
	test_send(&net->a, 0xb, 0xa, SECONDS(1010));
	assert_int_equal(net->c.nsent, 2);
}

static void
test_address_moves_to_where_it_was_last_seen(void **state)
{
	struct net *net = *state;

	test_send(&net->b, 0xa, 0xb, 0);
	test_send(&net->c, 0xa, 0xb, 0);
	test_send(&net->a, 0xb, 0xa, 0);
	assert_int_equal(net->b.nsent, 1); /* the flood from c */
	assert_int_equal(net->c.nsent, 2); /* that from b, and its own */
	assert_int_equal(test_stats(&net->c).moves, 1);
	assert_int_equal(test_stats(&net->b).moves, 0);
}

static void
test_static_address_neither_ages_nor_moves(void **state)
{
	struct net *net = *state;

	assert_int_equal(vnet_fdb_add(net->sw, test_mac(0xb), net->b.id), 0);
	test_send(&net->c, 0xa, 0xb, 0);
	test_send(&net->a, 0xb, 0xa, SECONDS(1000000));
	assert_int_equal(net->b.nsent, 2);
	assert_int_equal(net->c.nsent, 0);
	assert_int_equal(test_stats(&net->c).moves, 0);
}

static void
test_group_or_zero_source_is_dropped_and_never_learned(void **state)
{
	static const char *const bad[] = {
		"\0\0\0\0\0\0",
		"\1\0\0\0\0\1",
		"\377\377\377\377\377\377",
		"\63\63\0\0\0\1",
	};
	struct net *net = *state;

	for (size_t i = 0; i < COUNT(bad); i++) {
		input(&net->a, frame_between("\2\0\0\0\0\1", bad[i]));
		assert_int_equal(test_in_drops(&net->a, VNET_DROP_BAD_SOURCE),
				 i + 1);
	}
	assert_int_equal(net->b.nsent + net->c.nsent, 0);
	assert_int_equal(test_switch_stats(net->sw).fdb_entries, 0);
}

/* Flooding */

static void
test_group_addresses_are_flooded_by_ipv4_and_ipv6_alike(void **state)
{
	static const char *const groups[] = {
		"\377\377\377\377\377\377",
		"\1\0\136\0\0\1",
		"\63\63\0\0\0\1",
		"\63\63\377\0\0\1",
		"\1\200\302\0\0\20",
		"\1\0\14\314\314\314",
		"\3\0\0\0\0\1",
	};
	struct net *net = *state;

	for (size_t i = 0; i < COUNT(groups); i++) {
		input(&net->a, frame_between(groups[i], "\2\0\0\0\0\12"));
		assert_int_equal(net->a.nsent, 0);
		assert_int_equal(net->b.nsent, i + 1);
		assert_int_equal(net->c.nsent, i + 1);
		assert_memory_equal(net->b.last.data, groups[i], 6);
	}
}

/* It is nobody's, and not to be mixed up with what the table has where it has
 * nothing. */
static void
test_frame_to_the_address_of_zeroes_is_flooded(void **state)
{
	struct net *net = *state;

	test_send(&net->b, TEST_BROADCAST, 0xb, 0);
	for (int i = 0; i < 3; i++)
		input(&net->a, frame_between("\0\0\0\0\0\0", "\2\0\0\0\0\12"));
	assert_int_equal(net->b.nsent, 3);
	assert_int_equal(net->c.nsent, 1 + 3);
}

static void
test_reserved_addresses_are_dropped(void **state)
{
	char dst[6] = "\1\200\302\0\0\0";
	struct net *net = *state;

	for (int i = 0; i < 16; i++) {
		dst[5] = (char)i;
		input(&net->a, frame_between(dst, "\2\0\0\0\0\12"));
		assert_int_equal(test_in_drops(&net->a, VNET_DROP_RESERVED),
				 i + 1);
	}
	assert_int_equal(net->b.nsent, 0);
	/* IEEE 802.1Q, 8.8: not forwarded is not "not received". */
	assert_false(is_known(net, 0xa));
}

static void
test_each_reserved_address_is_forwarded_where_configured(void **state)
{
	char dst[6] = "\1\200\302\0\0\0";
	struct net *net = *state;

	for (int bit = 0; bit < 16; bit++) {
		net_reopen(net,
			   &(struct vnet_switch_config){
				   .forward_reserved = (uint16_t)(1 << bit)});
		for (int i = 0; i < 16; i++) {
			dst[5] = (char)i;
			input(&net->a, frame_between(dst, "\2\0\0\0\0\12"));
			assert_int_equal(net->b.nsent, i >= bit);
		}
		assert_int_equal(test_in_drops(&net->a, VNET_DROP_RESERVED),
				 15);
	}
}

static void
test_frame_for_nobody_is_no_destination(void **state)
{
	struct net *net = *state;

	assert_int_equal(vnet_port_remove(net->sw, net->b.port), 0);
	assert_int_equal(vnet_client_remove(net->sw, net->c.id), 0);
	test_send(&net->a, TEST_BROADCAST, 0xa, 0);
	test_send(&net->a, 0xb, 0xa, 0);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_NO_DESTINATION), 2);
	assert_int_equal(looked_up(&net->a), 0);
	/* It was learned from all the same. */
	assert_true(is_known(net, 0xa));
}

static void
test_frame_for_where_it_came_from_is_dropped(void **state)
{
	struct net *net = *state;

	test_send(&net->a, TEST_BROADCAST, 0x1, 0);
	test_send(&net->a, 0x1, 0x2, 0);
	test_send(&net->a, 0x1, 0x1, 0);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_SAME_PORT), 2);
	assert_int_equal(net->b.nsent, 1);
	assert_true(is_known(net, 0x2));
}

/* Malformed, and intact */

static void
test_frame_under_14_octets_is_malformed(void **state)
{
	struct net *net = *state;

	for (uint32_t len = 0; len < 14; len++) {
		/* Of exactly that size, for a sanitizer to see. */
		uint8_t *p = malloc(len ? len : 1);

		memset(p, 2, len ? len : 1);
		input(&net->a, (struct vnet_frame){.data = p, .len = len});
		free(p);
		assert_int_equal(test_in_drops(&net->a, VNET_DROP_MALFORMED),
				 len + 1);
	}
	input(&net->a, (struct vnet_frame){.data = NULL});
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_MALFORMED), 15);
	assert_int_equal(net->b.nsent, 0);
}

static void
test_more_than_two_tags_out_of_band_are_malformed(void **state)
{
	struct net *net = *state;

	for (unsigned int ntags = 0; ntags <= 255; ntags++) {
		struct vnet_frame f = test_frame(0xb, 0xa, 0);

		f.ntags = (uint8_t)ntags;
		f.tag[0] = (struct vnet_tag){0x88a8, 1};
		f.tag[1] = (struct vnet_tag){0x8100, 2};
		input(&net->a, f);
	}
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_MALFORMED), 253);
	assert_int_equal(net->b.nsent, 3);
}

/* Put into the octets, it would hide what is behind it from whoever is next. */
static void
test_tag_that_is_none_is_malformed(void **state)
{
	static const uint16_t tpids[] = {0, 0x0800, 0x9100, 0x8101, 0x0081};
	struct net *net = *state;

	for (size_t i = 0; i < COUNT(tpids); i++) {
		struct vnet_frame f = test_frame(0xb, 0xa, 0);

		f.ntags = 2;
		f.tag[0] = (struct vnet_tag){0x88a8, 1};
		f.tag[1] = (struct vnet_tag){tpids[i], 2};
		input(&net->a, f);
		f.tag[1] = f.tag[0];
		f.tag[0] = (struct vnet_tag){tpids[i], 2};
		input(&net->a, f);
	}
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_MALFORMED), 10);
	assert_int_equal(net->b.nsent, 0);
}

static void
test_frames_are_neither_padded_nor_trimmed(void **state)
{
	struct net *net = *state;
	uint64_t octets = 0;

	for (uint32_t len = 14; len <= 1514; len++) {
		struct vnet_frame f = test_frame(0xb, 0xa, len);

		input(&net->a, f);
		octets += len;
		assert_int_equal(net->b.last.len, len);
		assert_memory_equal(net->b.last.data, f.data, len);
		assert_int_equal(net->b.octets, octets);
	}
	assert_int_equal(net->b.nsent, 1501);
}

static void
test_same_frames_come_out_of_a_queue(void **state)
{
	struct net *net = *state;
	uint64_t stream;

	for (uint32_t len = 14; len <= 1514; len++) {
		struct vnet_frame f = test_frame(0xb, 0xa, len);

		if (len % 64 == 0)
			net->b.room = 0;
		input(&net->a, f);
		if (len % 64 == 63) {
			net->b.room = FAKE_ENDLESS;
			vnet_client_output(net->sw, net->b.id, 1000, 0);
		}
	}
	net->b.room = FAKE_ENDLESS;
	vnet_client_output(net->sw, net->b.id, 1000, 0);
	stream = net->c.stream; /* took them all at once */
	assert_int_equal(net->b.nsent, 1501);
	assert_true(net->b.stream == stream);
}

static void
test_octets_that_were_lent_are_not_written_to(void **state)
{
	struct vnet_frame f = test_frame(0xb, 0xa, 1514), before = f;
	uint8_t copy[1514];
	struct net *net = *state;

	f.ntags = 2; /* b does not carry them */
	f.tag[0] = (struct vnet_tag){0x88a8, 1};
	f.tag[1] = (struct vnet_tag){0x8100, 2};
	before = f;
	memcpy(copy, f.data, sizeof(copy));
	vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
	assert_int_equal(net->b.last.len, 1522);
	assert_memory_equal(f.data, copy, sizeof(copy));
	assert_memory_equal(&f, &before, sizeof(f));
}

static void
test_long_batch_goes_through_in_order(void **state)
{
	struct vnet_frame f[200];
	struct net *net = *state;
	uint64_t stream;

	for (size_t i = 0; i < COUNT(f); i++)
		f[i] = test_frame(0xb, 0xa, 60 + i);
	for (size_t i = 0; i < COUNT(f); i++)
		input(&net->a, f[i]);
	stream = net->b.stream;
	net->b.stream = TEST_HASH_INIT;
	vnet_switch_input(net->sw, net->a.id, f, COUNT(f), 0);
	assert_int_equal(net->b.nsent, 2 * COUNT(f));
	assert_true(net->b.stream == stream);
	vnet_switch_input(net->sw, net->a.id, NULL, 0, 0);
	assert_int_equal(net->b.nsent, 2 * COUNT(f));
}

static void
test_batch_learns_from_its_own_frames(void **state)
{
	struct net *net = *state;
	struct vnet_frame f[2] = {test_frame(0x2, 0x1, 0),
				  test_frame(0x1, 0x2, 0)};

	/* The second is for where the first was just seen. */
	vnet_switch_input(net->sw, net->a.id, f, 2, 0);
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_SAME_PORT), 1);
}

static void
test_destinations_of_a_flood_are_sent_to_once_for_a_batch(void **state)
{
	struct net *net = *state;
	struct vnet_frame f[64];

	for (size_t i = 0; i < COUNT(f); i++)
		f[i] = test_frame(i % 2 ? 0xb : TEST_BROADCAST, 0xa, 0);
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(0xb), net->b.id), 0);
	vnet_switch_input(net->sw, net->a.id, f, COUNT(f), 0);
	assert_int_equal(net->b.nsends, 1);
	assert_int_equal(net->b.nsent, 64);
	assert_int_equal(net->c.nsends, 1);
	assert_int_equal(net->c.nsent, 32);
}

static void
test_frames_of_a_client_that_has_gone_are_counted_apart(void **state)
{
	struct vnet_switch_stats s;
	struct net *net = *state;
	vnet_client_id gone = net->a.id;
	struct vnet_frame f[2] = {test_frame(0xb, 0xa, 100),
				  test_frame(0xb, 0xa, 60)};

	assert_int_equal(vnet_client_remove(net->sw, gone), 0);
	vnet_switch_input(net->sw, gone, f, 2, 0);
	vnet_switch_input(net->sw, VNET_NO_ID, f, 1, 0);
	vnet_switch_input(net->sw, UINT64_MAX, f, 1, 0);
	assert_int_equal(net->b.nsent, 0);
	s = test_switch_stats(net->sw);
	assert_int_equal(s.unknown_source.frames, 4);
	assert_int_equal(s.unknown_source.octets, 360);
	assert_int_equal(s.total.in.frames, 0);
	assert_false(is_known(net, 0xa));
}

/* Uplinks */

static void
test_nothing_passes_from_one_uplink_to_another(void **state)
{
	struct net *net = *state;

	open_uplinks(net);
	test_send(&net->v, TEST_BROADCAST, 0x11, 0);
	assert_int_equal(net->u.nsent, 0);
	assert_int_equal(net->a.nsent, 1);
	test_send(&net->u, 0x11, 0x10, 0);
	assert_int_equal(test_in_drops(&net->u, VNET_DROP_SPLIT_HORIZON), 1);
	test_send(&net->u, 0x99, 0x10, 0);
	assert_int_equal(net->v.nsent, 0);
	assert_int_equal(net->a.nsent, 2);
	/* Between a virtual interface and an uplink all does. */
	test_send(&net->a, 0x10, 0xa, 0);
	test_send(&net->u, 0xa, 0x10, 0);
	assert_int_equal(net->u.nsent, 1);
	assert_int_equal(net->a.nsent, 3);
}

static void
test_two_uplinks_alone_have_no_destination_for_a_flood(void **state)
{
	struct net *net = *state;

	open_uplinks(net);
	assert_int_equal(vnet_port_remove(net->sw, net->a.port), 0);
	assert_int_equal(vnet_port_remove(net->sw, net->b.port), 0);
	assert_int_equal(vnet_port_remove(net->sw, net->c.port), 0);
	test_send(&net->u, TEST_BROADCAST, 0x10, 0);
	assert_int_equal(test_in_drops(&net->u, VNET_DROP_NO_DESTINATION), 1);
}

static void
test_frames_pass_between_uplinks_where_transit_is_on(void **state)
{
	struct net *net = *state;

	net_reopen(net, &(struct vnet_switch_config){.uplink_transit = true});
	open_uplinks(net);
	test_send(&net->v, TEST_BROADCAST, 0x11, 0);
	assert_int_equal(net->u.nsent, 1);
	test_send(&net->u, 0x11, 0x10, 0);
	assert_int_equal(net->v.nsent, 1);
	assert_int_equal(net->a.nsent, 1);
}

/* MTU */

static void
test_frame_beyond_the_mtu_is_too_long(void **state)
{
	struct net *net = *state;

	assert_int_equal(vnet_port_set_mtu(net->sw, net->b.port, 576), 0);
	input(&net->a, test_frame(TEST_BROADCAST, 0xa, 14 + 576));
	assert_int_equal(net->b.nsent, 1);
	input(&net->a, test_frame(TEST_BROADCAST, 0xa, 14 + 577));
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_TOO_LONG), 1);
	/* Each destination has its own. */
	assert_int_equal(net->c.nsent, 2);
	assert_int_equal(looked_up(&net->a), 2);
}

static void
test_up_to_two_tags_do_not_count_for_the_mtu(void **state)
{
	struct net *net = *state;

	for (unsigned int inner = 0; inner <= 3; inner++) {
		for (unsigned int outer = 0; outer <= 2; outer++) {
			unsigned int ntags = inner + outer;
			size_t len = 14 + 4u * inner + 1500;
			unsigned long before = net->b.nsent;
			struct vnet_frame f;

			/* Those beyond two do. */
			if (ntags > 2)
				len -= 4u * (ntags - 2);
			for (size_t more = 0; more < 2; more++) {
				uint8_t *p;

				f = test_frame(0xb, 0xa, len + more);
				p = (uint8_t *)(uintptr_t)f.data;
				for (unsigned int i = 0; i < inner; i++)
					memcpy(p + 12 + 4 * i, "\x81\0\0\1", 4);
				memcpy(p + 12 + 4 * inner, "\x88\xb5", 2);
				f.ntags = (uint8_t)outer;
				f.tag[0] = (struct vnet_tag){0x88a8, 1};
				f.tag[1] = (struct vnet_tag){0x8100, 2};
				input(&net->a, f);
			}
			assert_int_equal(net->b.nsent, before + 1);
		}
	}
}

/* Links */

static void
test_port_whose_link_is_down_sends_and_gets_nothing(void **state)
{
	struct net *net = *state;

	test_send(&net->b, TEST_BROADCAST, 0xb, 0);
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(0xbb), net->b.id), 0);
	assert_int_equal(vnet_port_set_link(net->sw, net->b.port, false), 0);
	/* What it had learned is forgotten, so this is flooded, but not to it. */
	assert_false(is_known(net, 0xb));
	test_send(&net->a, 0xb, 0xa, 0);
	assert_int_equal(net->b.nsent, 0);
	assert_int_equal(net->c.nsent, 2);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_LINK_DOWN), 0);
	/* What is pinned to it is not, so this is for it, and lost. */
	test_send(&net->a, 0xbb, 0xa, 0);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_LINK_DOWN), 1);
	assert_int_equal(net->c.nsent, 2);
	test_send(&net->b, TEST_BROADCAST, 0xb, 0);
	assert_int_equal(test_in_drops(&net->b, VNET_DROP_LINK_DOWN), 1);
	assert_false(is_known(net, 0xb));

	assert_int_equal(vnet_port_set_link(net->sw, net->b.port, true), 0);
	test_send(&net->a, 0xbb, 0xa, 0);
	test_send(&net->a, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(net->b.nsent, 2);
}

static void
test_queue_is_lost_with_the_link(void **state)
{
	struct net *net = *state;

	net->b.room = 0;
	for (int i = 0; i < 5; i++)
		test_send(&net->a, 0xb, 0xa, 0);
	assert_int_equal(vnet_port_set_link(net->sw, net->b.port, false), 0);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_LINK_DOWN), 5);
	assert_int_equal(test_stats(&net->b).queued.frames, 0);
	assert_int_equal(test_stats(&net->b).queue_memory, 0);
	net->b.room = FAKE_ENDLESS;
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 9, 0), 0);
	assert_int_equal(vnet_port_set_link(net->sw, net->b.port, true), 0);
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 9, 0), 0);
	assert_int_equal(net->b.nsent, 0);
}

/* Chains */

#define RET(k)                  \
	{                       \
		0x06, 0, 0, (k) \
	}
#define LDH(at)                  \
	{                        \
		0x28, 0, 0, (at) \
	}
#define LEN                   \
	{                     \
		0x80, 0, 0, 0 \
	}
#define JEQ(k, jt, jf)                \
	{                             \
		0x15, (jt), (jf), (k) \
	}

static void
add_rule(const struct fake *at, enum vnet_side side, const char *name,
	 uint32_t priority, enum vnet_verdict verdict, uint32_t len)
{
	/* Matches frames of that length; of any for 0. */
	const struct vnet_bpf_insn insns[] = {LEN, JEQ(len, 0, 1), RET(1),
					      RET(0)};
	const struct vnet_bpf_insn any[] = {RET(1)};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = name,
		.priority = priority,
		.verdict = verdict,
		.insns = len ? insns : any,
		.ninsns = len ? COUNT(insns) : 1,
	};

	assert_int_equal(vnet_filter_add(at->sw, at->port, side, &rule, NULL),
			 0);
}

static uint64_t
hits(const struct fake *at, enum vnet_side side, size_t index)
{
	struct vnet_rule_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_filter_get(at->sw, at->port, side, index, &info),
			 0);
	return info.hits;
}

static uint64_t
default_hits(const struct fake *at, enum vnet_side side)
{
	enum vnet_verdict verdict;
	uint64_t n;

	assert_int_equal(vnet_filter_get_default(at->sw, at->port, side,
						 &verdict, &n),
			 0);
	return n;
}

static void
test_first_rule_that_matches_decides(void **state)
{
	struct net *net = *state;

	add_rule(&net->a, VNET_INGRESS, "any", 30, VNET_DROP, 0);
	add_rule(&net->a, VNET_INGRESS, "60", 10, VNET_PASS, 60);
	add_rule(&net->a, VNET_INGRESS, "61", 20, VNET_DROP, 61);
	add_rule(&net->a, VNET_INGRESS, "61 again", 20, VNET_PASS, 61);
	input(&net->a, test_frame(0xb, 0xa, 60));
	input(&net->a, test_frame(0xb, 0xa, 61));
	input(&net->a, test_frame(0xb, 0xa, 62));
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(net->b.last.len, 60);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_INGRESS_FILTER), 2);
	assert_int_equal(hits(&net->a, VNET_INGRESS, 0), 1);
	assert_int_equal(hits(&net->a, VNET_INGRESS, 1), 1);
	assert_int_equal(hits(&net->a, VNET_INGRESS, 2), 0);
	assert_int_equal(hits(&net->a, VNET_INGRESS, 3), 1);
	assert_int_equal(default_hits(&net->a, VNET_INGRESS), 0);
	/* The chain of one port is nothing to another. */
	input(&net->b, test_frame(0xa, 0xb, 62));
	assert_int_equal(net->a.nsent, 1);
}

static void
test_default_verdict_decides_where_no_rule_does(void **state)
{
	struct net *net = *state;

	/* A chain that has nothing to say is not asked. */
	input(&net->a, test_frame(0xb, 0xa, 60));
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(default_hits(&net->a, VNET_INGRESS), 0);
	assert_int_equal(vnet_filter_set_default(net->sw, net->a.port,
						 VNET_INGRESS, VNET_DROP),
			 0);
	add_rule(&net->a, VNET_INGRESS, "61", 1, VNET_PASS, 61);
	input(&net->a, test_frame(0xb, 0xa, 60));
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_INGRESS_FILTER), 1);
	assert_int_equal(default_hits(&net->a, VNET_INGRESS), 1);
	input(&net->a, test_frame(0xb, 0xa, 61));
	assert_int_equal(net->b.nsent, 2);
	assert_int_equal(default_hits(&net->a, VNET_INGRESS), 1);
}

static void
test_refused_frame_is_never_learned_from(void **state)
{
	struct net *net = *state;

	test_send(&net->b, TEST_BROADCAST, 0xa, 0);
	add_rule(&net->a, VNET_INGRESS, "any", 1, VNET_DROP, 0);
	test_send(&net->a, TEST_BROADCAST, 0xa, 0);
	test_send(&net->a, TEST_BROADCAST, 0x99, 0);
	assert_false(is_known(net, 0x99));
	test_send(&net->c, 0xa, 0xc, 0);
	assert_int_equal(net->b.nsent, 1); /* it has not moved */
	assert_int_equal(vnet_filter_remove(net->sw, net->a.port, VNET_INGRESS,
					    "any"),
			 0);
	test_send(&net->a, TEST_BROADCAST, 0x99, 0);
	assert_true(is_known(net, 0x99));
}

static void
test_egress_chain_holds_for_its_port_alone(void **state)
{
	struct net *net = *state;

	add_rule(&net->b, VNET_EGRESS, "60", 1, VNET_DROP, 60);
	input(&net->a, test_frame(TEST_BROADCAST, 0xa, 60));
	input(&net->a, test_frame(TEST_BROADCAST, 0xa, 61));
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(net->c.nsent, 2);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_EGRESS_FILTER), 1);
	assert_int_equal(hits(&net->b, VNET_EGRESS, 0), 1);
	assert_int_equal(default_hits(&net->b, VNET_EGRESS), 1);
	/* What b sends does not pass through its egress chain. */
	input(&net->b, test_frame(0xa, 0xb, 60));
	assert_int_equal(net->a.nsent, 1);
	/* The frame was looked up, and learned from. */
	assert_int_equal(looked_up(&net->a), 2);
	assert_true(is_known(net, 0xa));
}

static void
test_frame_that_all_egress_chains_refuse_has_been_looked_up(void **state)
{
	struct net *net = *state;

	add_rule(&net->b, VNET_EGRESS, "any", 1, VNET_DROP, 0);
	add_rule(&net->c, VNET_EGRESS, "any", 1, VNET_DROP, 0);
	test_send(&net->a, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(looked_up(&net->a), 1);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_NO_DESTINATION), 0);
	assert_int_equal(test_out_drops(&net->c, VNET_DROP_EGRESS_FILTER), 1);
}

static void
test_chain_sees_a_tag_out_of_band_where_it_is_on_the_wire(void **state)
{
	const struct vnet_bpf_insn insns[] = {LDH(12), JEQ(0x8100, 0, 3),
					      LDH(14), JEQ(0x2005, 0, 1),
					      RET(1),  RET(0)};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "vlan 5",
		.verdict = VNET_DROP,
		.insns = insns,
		.ninsns = COUNT(insns),
	};
	struct vnet_frame f = test_frame(0xb, 0xa, 0);
	struct net *net = *state;

	assert_int_equal(vnet_filter_add(net->sw, net->a.port, VNET_INGRESS,
					 &rule, NULL),
			 0);
	f.ntags = 1;
	f.tag[0] = (struct vnet_tag){0x8100, 0x2005};
	input(&net->a, f);
	assert_int_equal(net->b.nsent, 0);
	f.tag[0].tci = 0x2006;
	input(&net->a, f);
	assert_int_equal(net->b.nsent, 1);
	f.ntags = 0;
	input(&net->a, f);
	assert_int_equal(net->b.nsent, 2);
}

static void
test_load_beyond_the_frame_does_not_match(void **state)
{
	const struct vnet_bpf_insn insns[] = {LDH(59), RET(1)};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "long",
		.verdict = VNET_DROP,
		.insns = insns,
		.ninsns = COUNT(insns),
	};
	struct net *net = *state;

	assert_int_equal(vnet_filter_add(net->sw, net->a.port, VNET_INGRESS,
					 &rule, NULL),
			 0);
	input(&net->a, test_frame(0xb, 0xa, 60));
	assert_int_equal(net->b.nsent, 1);
	input(&net->a, test_frame(0xb, 0xa, 61));
	assert_int_equal(net->b.nsent, 1);
}

/* What is checked comes in the order of design.md: the first that is wrong is
 * the reason. */
static void
test_reason_is_the_first_that_holds(void **state)
{
	struct net *net = *state;
	struct vnet_frame f = frame_between("\1\200\302\0\0\0", "\1\0\0\0\0\0");

	add_rule(&net->a, VNET_INGRESS, "any", 1, VNET_DROP, 0);
	f.flags = 1 << 15;
	input(&net->a, f);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_BAD_SOURCE), 1);
	f = frame_between("\1\200\302\0\0\0", "\2\0\0\0\0\0");
	f.flags = 1 << 15;
	input(&net->a, f);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_RESERVED), 1);
	f = frame_between("\2\0\0\0\0\1", "\2\0\0\0\0\0");
	f.flags = 1 << 15;
	input(&net->a, f);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_BAD_OFFLOAD), 1);
	f.flags = 0;
	input(&net->a, f);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_INGRESS_FILTER), 1);
	assert_int_equal(vnet_port_set_link(net->sw, net->a.port, false), 0);
	f.len = 3;
	input(&net->a, f);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_LINK_DOWN), 1);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, net_of_three, net_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unknown_address_is_flooded_to_all_but_the_sender),
		TEST(test_learned_address_gets_its_frames_alone),
		TEST(test_address_is_forgotten_after_300_seconds),
		TEST(test_address_that_is_seen_again_does_not_age),
		TEST(test_ageing_time_is_what_the_configuration_says),
		TEST(test_address_moves_to_where_it_was_last_seen),
		TEST(test_static_address_neither_ages_nor_moves),
		TEST(test_group_or_zero_source_is_dropped_and_never_learned),
		TEST(test_group_addresses_are_flooded_by_ipv4_and_ipv6_alike),
		TEST(test_frame_to_the_address_of_zeroes_is_flooded),
		TEST(test_reserved_addresses_are_dropped),
		TEST(test_each_reserved_address_is_forwarded_where_configured),
		TEST(test_frame_for_nobody_is_no_destination),
		TEST(test_frame_for_where_it_came_from_is_dropped),
		TEST(test_frame_under_14_octets_is_malformed),
		TEST(test_more_than_two_tags_out_of_band_are_malformed),
		TEST(test_tag_that_is_none_is_malformed),
		TEST(test_frames_are_neither_padded_nor_trimmed),
		TEST(test_same_frames_come_out_of_a_queue),
		TEST(test_octets_that_were_lent_are_not_written_to),
		TEST(test_long_batch_goes_through_in_order),
		TEST(test_batch_learns_from_its_own_frames),
		TEST(test_destinations_of_a_flood_are_sent_to_once_for_a_batch),
		TEST(test_frames_of_a_client_that_has_gone_are_counted_apart),
		TEST(test_nothing_passes_from_one_uplink_to_another),
		TEST(test_two_uplinks_alone_have_no_destination_for_a_flood),
		TEST(test_frames_pass_between_uplinks_where_transit_is_on),
		TEST(test_frame_beyond_the_mtu_is_too_long),
		TEST(test_up_to_two_tags_do_not_count_for_the_mtu),
		TEST(test_port_whose_link_is_down_sends_and_gets_nothing),
		TEST(test_queue_is_lost_with_the_link),
		TEST(test_first_rule_that_matches_decides),
		TEST(test_default_verdict_decides_where_no_rule_does),
		TEST(test_refused_frame_is_never_learned_from),
		TEST(test_egress_chain_holds_for_its_port_alone),
		TEST(test_frame_that_all_egress_chains_refuse_has_been_looked_up),
		TEST(test_chain_sees_a_tag_out_of_band_where_it_is_on_the_wire),
		TEST(test_load_beyond_the_frame_does_not_match),
		TEST(test_reason_is_the_first_that_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
