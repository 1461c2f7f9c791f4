/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a frame that leaves work to its medium becomes on its way through whole
 * switches: the same stream for every driver, whatever room it has.
 */
#include <errno.h>

#include "packet.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One switch, a sender, and a receiver that carries a given set. */
struct net {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct fake in;
	struct fake out;
	uint8_t octets[8][PACKET_MAX];
};

/* A small one: they are made by the thousand. */
static void
net_open(struct net *net, uint32_t carries)
{
	const struct vnet_switch_config config = {
		.max_ports = 2,
		.fdb_entries = 16,
		.pool_octets = 1 << 20,
		.max_events = 16,
	};

	net->sw = test_switch_of(&net->alloc, &config);
	assert_int_equal(fake_open(&net->in, net->sw, "in", VNET_ROLE_VIF, 0),
			 0);
	assert_int_equal(fake_open(&net->out, net->sw, "out", VNET_ROLE_VIF,
				   carries),
			 0);
}

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct net));
	return *state ? 0 : -1;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static void
read_packet(struct fake *fake, const struct vnet_frame *f)
{
	packet_read(fake->ctx, f);
}

static void
hand_on(struct fake *fake, const struct vnet_frame *frames, size_t n)
{
	const struct fake *next = fake->ctx;

	vnet_switch_input(next->sw, next->id, frames, n, 0);
}

/* Two switches, one behind the other: what leaves the first, for a driver that
 * carries @first, is what comes into the second, where the driver carries
 * @second. */
static struct packet_reader
pass_through_two(struct net *a, struct net *b, const struct packet *p,
		 uint32_t first, uint32_t second)
{
	struct packet_reader r = {
		.kind = p->kind,
		.carries = second,
		.ntags = p->ntags + (unsigned int)p->ninner,
	};
	struct vnet_frame f;

	net_open(a, first);
	net_open(b, second);
	a->out.on_send = hand_on;
	a->out.ctx = &b->in;
	b->out.on_take = read_packet;
	b->out.ctx = &r;
	f = packet_make(a->octets[0], p);
	vnet_switch_input(a->sw, a->in.id, &f, 1, 0);
	test_switch_end(a->sw, &a->alloc);
	test_switch_end(b->sw, &b->alloc);
	return r;
}

static void
check_every_pair(struct net *a, enum packet_kind kind)
{
	const struct packet p = {
		.kind = kind,
		.dst = 2,
		.src = 1,
		.payload = 5001,
		.gso_size = 1000,
		.ntags = 2,
		.ninner = 1,
	};
	struct net *b = calloc(1, sizeof(*b));
	struct packet_reader first = {0};

	for (uint32_t i = 0; i < 32 * 32; i++) {
		struct packet_reader r =
			pass_through_two(a, b, &p, i / 32, i % 32);

		assert_int_equal(r.next, p.payload);
		assert_int_equal(r.segments, 6);
		if (!i)
			first = r;
		assert_true(r.datagrams == first.datagrams);
		assert_int_equal(r.fin, kind <= PACKET_TCP6);
	}
	free(b);
}

static void
test_every_pair_of_capabilities_gives_the_same_tcp4_stream(void **state)
{
	check_every_pair(*state, PACKET_TCP4);
}

static void
test_every_pair_of_capabilities_gives_the_same_tcp6_stream(void **state)
{
	check_every_pair(*state, PACKET_TCP6);
}

static void
test_every_pair_of_capabilities_gives_the_same_udp4_stream(void **state)
{
	check_every_pair(*state, PACKET_UDP4);
}

static void
test_every_pair_of_capabilities_gives_the_same_udp6_stream(void **state)
{
	check_every_pair(*state, PACKET_UDP6);
}

/*
 * Frames of every sort in one batch; when they are cut, more of them than a
 * driver is given in one send.
 */
static size_t
make_batch(struct net *net, struct vnet_frame *frames)
{
	static const struct packet packets[] = {
		{PACKET_TCP4, 2, 1, 7300, 730, 0, 0},
		{PACKET_UDP4, 2, 1, 100, 0, 0, 0},
		{PACKET_UDP6, 2, 1, 9000, 300, 1, 0},
		{PACKET_TCP6, 2, 1, 1200, 0, 2, 0},
		{PACKET_TCP6, 2, 1, 4001, 1000, 0, 1},
		{PACKET_TCP4, 2, 1, 700, 1000, 0, 0},
		{PACKET_UDP4, 2, 1, 20000, 1001, 0, 0},
	};

	for (size_t i = 0; i < COUNT(packets); i++)
		frames[i] = packet_make(net->octets[i], &packets[i]);
	return COUNT(packets);
}

struct outcome {
	unsigned long nsent;
	uint64_t octets;
	uint64_t stream;
	struct vnet_count out;
	struct vnet_count segments;
};

/* Send that batch to a driver that takes @room frames at first, and @step at a
 * time then. */
static struct outcome
send_in_pieces(struct net *net, uint32_t carries, long room, size_t step)
{
	struct vnet_client_stats s;
	struct vnet_frame frames[8];
	size_t n = make_batch(net, frames);

	net_open(net, carries);
	net->out.room = room;
	vnet_switch_input(net->sw, net->in.id, frames, n, 0);
	assert_conserved(net->sw);
	if (room != FAKE_ENDLESS)
		assert_int_equal(net->out.room, 0);
	for (;;) {
		int left;

		s = test_stats(&net->out);
		if (!s.queued.frames)
			break;
		net->out.room = (long)step;
		left = vnet_client_output(net->sw, net->out.id, 1000, 0);
		assert_true(left > 0 && (size_t)left <= step);
		assert_conserved(net->sw);
	}
	assert_int_equal(s.out_dropped.frames, 0);
	assert_int_equal(s.delivered.frames, net->out.nsent);
	assert_int_equal(s.delivered.octets, net->out.octets);
	test_switch_end(net->sw, &net->alloc);
	return (struct outcome){net->out.nsent, net->out.octets,
				net->out.stream, s.out, s.segments};
}

static void
check_partial_sends(struct net *net, uint32_t carries)
{
	const struct outcome whole =
		send_in_pieces(net, carries, FAKE_ENDLESS, 1);

	assert_int_equal(whole.out.frames, 7);
	assert_int_equal(whole.out.frames + whole.segments.frames, whole.nsent);
	assert_int_equal(whole.out.octets + whole.segments.octets,
			 whole.octets);
	for (long k = 0; k < (long)whole.nsent; k++) {
		struct outcome o = send_in_pieces(net, carries, k, 1 + k % 5);

		assert_memory_equal(&o, &whole, sizeof(o));
	}
}

static void
test_driver_that_takes_some_segments_gets_the_rest_later(void **state)
{
	struct net *net = *state;

	for (uint32_t carries = 0; carries <= CARRIES_ALL; carries += 3)
		check_partial_sends(net, carries);
	check_partial_sends(net, CARRIES_ALL);
}

/* More than one send can hold, by number and by octets. */
static void
test_long_batch_of_frames_to_be_cut_keeps_its_order(void **state)
{
	const struct packet p = {PACKET_TCP4, 2, 1, 30000, 240, 0, 0};
	struct vnet_frame frames[160];
	struct net *net = *state;
	uint64_t once;

	for (size_t i = 0; i < COUNT(frames); i++)
		frames[i] = packet_make(net->octets[0], &p);
	net_open(net, 0);
	vnet_switch_input(net->sw, net->in.id, frames, 1, 0);
	assert_int_equal(net->out.nsent, 125);
	for (size_t i = 1; i < COUNT(frames); i++)
		vnet_switch_input(net->sw, net->in.id, &frames[i], 1, 0);
	once = net->out.stream;
	test_switch_end(net->sw, &net->alloc);

	net_open(net, 0);
	vnet_switch_input(net->sw, net->in.id, frames, COUNT(frames), 0);
	assert_int_equal(net->out.nsent, 125 * COUNT(frames));
	assert_true(net->out.stream == once);
	test_switch_end(net->sw, &net->alloc);
}

static void
break_at_second_send(struct fake *fake, const struct vnet_frame *frames,
		     size_t n)
{
	(void)frames;
	(void)n;
	fake->error = fake->nsends == 2 ? -EIO : 0;
}

static void
test_driver_that_breaks_between_segments_gets_no_more_of_them(void **state)
{
	const struct packet p = {PACKET_TCP4, 2, 1, 30000, 240, 0, 0};
	struct vnet_client_stats s;
	struct net *net = *state;
	struct vnet_frame frames[3];

	net_open(net, 0);
	net->out.on_send = break_at_second_send;
	for (size_t i = 0; i < 3; i++)
		frames[i] = packet_make(net->octets[0], &p);
	vnet_switch_input(net->sw, net->in.id, frames, 3, 0);
	assert_int_equal(net->out.nsends, 2);
	assert_conserved(net->sw);
	s = test_stats(&net->out);
	assert_int_equal(s.delivered.frames, net->out.nsent);
	assert_int_equal(s.queued.frames, 0);
	assert_true(test_out_drops(&net->out, VNET_DROP_DRIVER_ERROR) > 0);
	assert_int_equal(net->out.nsent +
				 test_out_drops(&net->out,
						VNET_DROP_DRIVER_ERROR) +
				 test_out_drops(&net->out, VNET_DROP_LINK_DOWN),
			 3 * 125);
	test_switch_end(net->sw, &net->alloc);
}

static void
test_only_segments_that_were_not_taken_are_queued_behind_others(void **state)
{
	const struct packet p = {PACKET_UDP6, 2, 1, 5000, 1000, 0, 0};
	struct packet_reader r = {.kind = PACKET_UDP6, .carries = 0};
	struct net *net = *state;
	struct vnet_frame f;

	net_open(net, 0);
	net->out.on_take = read_packet;
	net->out.ctx = &r;
	f = packet_make(net->octets[0], &p);
	net->out.room = 2;
	vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
	assert_int_equal(r.segments, 2);
	/* It is full until it says that it has room. */
	net->out.room = 100;
	net->out.on_take = NULL;
	vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
	assert_int_equal(net->out.nsent, 2);
	net->out.on_take = read_packet;
	assert_int_equal(vnet_client_output(net->sw, net->out.id, 3, 0), 3);
	assert_int_equal(r.next, 5000);
	r = (struct packet_reader){.kind = PACKET_UDP6, .carries = 0};
	assert_int_equal(vnet_client_output(net->sw, net->out.id, 100, 0), 5);
	assert_int_equal(r.next, 5000);
	test_switch_end(net->sw, &net->alloc);
}

static void
test_frame_is_queued_whole_for_a_driver_that_carries_it(void **state)
{
	const struct packet p = {PACKET_TCP4, 2, 1, 20000, 1000, 1, 0};
	struct vnet_client_stats s;
	struct net *net = *state;
	struct vnet_frame f;

	net_open(net, CARRIES_ALL);
	net->out.room = 0;
	f = packet_make(net->octets[0], &p);
	vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
	s = test_stats(&net->out);
	assert_int_equal(s.queued.frames, 1);
	assert_int_equal(s.queued.octets, f.len + 4);
	assert_int_equal(s.segments.frames, 0);
	net->out.room = 1;
	assert_int_equal(vnet_client_output(net->sw, net->out.id, 1, 0), 1);
	assert_int_equal(net->out.last.gso_type, VNET_GSO_TCP4);
	assert_int_equal(net->out.last.nsegs, 20);
	assert_memory_equal(net->out.last.data, f.data, f.len);
	test_switch_end(net->sw, &net->alloc);
}

static void
test_mtu_is_that_of_each_segment(void **state)
{
	struct net *net = *state;

	for (uint32_t carries = 0; carries <= CARRIES_ALL;
	     carries += CARRIES_ALL) {
		for (unsigned int more = 0; more < 2; more++) {
			struct packet p = {PACKET_TCP4,
					   2,
					   1,
					   10000,
					   (uint16_t)(1448 + more),
					   2,
					   0};
			struct vnet_frame f = packet_make(net->octets[0], &p);

			net_open(net, carries);
			vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
			assert_int_equal(test_out_drops(&net->out,
							VNET_DROP_TOO_LONG),
					 more);
			assert_int_equal(net->out.nsent, more      ? 0
							 : carries ? 1
								   : 7);
			test_switch_end(net->sw, &net->alloc);
		}
	}
}

/* The fields of @f are wrong: it is dropped, and not learned from. */
static void
assert_bad_offload(struct net *net, struct vnet_frame f)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	uint64_t before = test_in_drops(&net->in, VNET_DROP_BAD_OFFLOAD);

	vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
	assert_int_equal(test_in_drops(&net->in, VNET_DROP_BAD_OFFLOAD),
			 before + 1);
	assert_int_equal(net->out.nsent, 0);
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(1), &e), -ENOENT);
	assert_conserved(net->sw);
}

static void
test_fields_that_belie_the_headers_are_bad_offload(void **state)
{
	const struct packet p = {PACKET_TCP4, 2, 1, 5000, 1000, 0, 0};
	struct net *net = *state;
	struct vnet_frame good, f;

	net_open(net, CARRIES_ALL);
	good = packet_make(net->octets[0], &p);
	f = good;
	f.flags = 1 << 3;
	assert_bad_offload(net, f);
	f = good;
	f.flags = 0;
	assert_bad_offload(net, f);
	f = good;
	f.gso_type = 4;
	assert_bad_offload(net, f);
	f = good;
	f.gso_type = VNET_GSO_TCP6;
	assert_bad_offload(net, f);
	f = good;
	f.csum_start++;
	assert_bad_offload(net, f);
	f = good;
	f.csum_offset = 6;
	assert_bad_offload(net, f);
	f = good;
	f.gso_size = 0;
	assert_bad_offload(net, f);
	f = good;
	f.gso_size = 5000 / 129;
	assert_bad_offload(net, f);
	f = good;
	f.len--;
	assert_bad_offload(net, f);
	f = good;
	f.gso_type = 0;
	f.flags = VNET_FRAME_GSO_ECN;
	assert_bad_offload(net, f);
	vnet_switch_input(net->sw, net->in.id, &good, 1, 0);
	assert_int_equal(net->out.nsent, 1);
	test_switch_end(net->sw, &net->alloc);
}

static void
test_hint_and_number_of_segments_on_the_way_in_are_not_believed(void **state)
{
	const struct packet p = {PACKET_TCP4, 2, 1, 5000, 1000, 0, 0};
	struct net *net = *state;
	struct vnet_frame f;

	net_open(net, CARRIES_ALL);
	f = packet_make(net->octets[0], &p);
	f.hdr_len = 9999;
	f.nsegs = 77;
	vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
	assert_int_equal(net->out.last.hdr_len, packet_header_len(&p));
	assert_int_equal(net->out.last.nsegs, 5);
	f = test_frame(2, 1, 0);
	f.hdr_len = 9999;
	f.nsegs = 77;
	vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
	assert_int_equal(net->out.last.hdr_len, 0);
	assert_int_equal(net->out.last.nsegs, 1);
	test_switch_end(net->sw, &net->alloc);
}

static void
test_checksum_that_the_medium_verified_is_still_said_to_be(void **state)
{
	struct net *net = *state;
	struct vnet_frame f = test_frame(2, 1, 0);

	net_open(net, 0);
	f.flags = VNET_FRAME_CSUM_VALID;
	vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
	assert_int_equal(net->out.last.flags, VNET_FRAME_CSUM_VALID);
	test_switch_end(net->sw, &net->alloc);
}

/* In octets too: what a flood sends is counted for each destination as it gets
 * it. */
static void
test_flood_gives_each_driver_what_it_carries(void **state)
{
	const struct packet p = {
		PACKET_UDP4, TEST_BROADCAST, 1, 5000, 500, 1, 1};
	struct net *net = *state;
	struct fake *more = calloc(30, sizeof(*more));
	struct packet_reader r[30];
	struct vnet_frame f = packet_make(net->octets[0], &p);
	char name[8];

	net->sw = test_switch(&net->alloc, 32);
	assert_int_equal(fake_open(&net->in, net->sw, "in", VNET_ROLE_VIF, 0),
			 0);
	for (uint32_t i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "p%u", (unsigned int)i);
		r[i] = (struct packet_reader){
			.kind = PACKET_UDP4, .carries = i + 2, .ntags = 2};
		assert_int_equal(fake_open(&more[i], net->sw, name,
					   VNET_ROLE_VIF, i + 2),
				 0);
		more[i].on_take = read_packet;
		more[i].ctx = &r[i];
		if (i % 3 == 0)
			more[i].room = 3;
	}
	vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
	for (uint32_t i = 0; i < 30; i++) {
		assert_conserved(net->sw);
		more[i].room = FAKE_ENDLESS;
		vnet_client_output(net->sw, more[i].id, 100, 0);
		assert_int_equal(r[i].next, 5000);
		assert_int_equal(r[i].segments, 10);
	}
	test_switch_end(net->sw, &net->alloc);
	free(more);
}

/* What a guest that shares the octets with its driver could do: write to them
 * while the switch has them. It harms its own frame, and nothing else. */
static void
scribble(struct fake *fake, const struct vnet_frame *frames, size_t n)
{
	uint8_t *octets = fake->ctx;

	(void)n;
	for (uint32_t i = 12; i < frames[0].len; i++)
		octets[i] = (uint8_t)(octets[i] ^ (0x55 + i));
}

static void
test_octets_that_change_during_the_call_break_no_sum(void **state)
{
	static const struct packet packets[] = {
		{PACKET_TCP4, TEST_BROADCAST, 1, 7300, 730, 0, 0},
		{PACKET_TCP6, TEST_BROADCAST, 1, 7300, 730, 1, 1},
		{PACKET_UDP4, TEST_BROADCAST, 1, 900, 0, 0, 0},
	};
	struct net *net = *state;
	struct fake *other = calloc(1, sizeof(*other));
	struct vnet_client_stats s;

	for (size_t i = 0; i < COUNT(packets); i++) {
		struct vnet_frame f = packet_make(net->octets[0], &packets[i]);

		net->sw = test_switch(&net->alloc, 3);
		assert_int_equal(fake_open(&net->in, net->sw, "in",
					   VNET_ROLE_VIF, 0),
				 0);
		assert_int_equal(fake_open(other, net->sw, "guest",
					   VNET_ROLE_VIF, 31),
				 0);
		assert_int_equal(fake_open(&net->out, net->sw, "out",
					   VNET_ROLE_VIF, 0),
				 0);
		other->on_send = scribble;
		other->ctx = net->octets[0];
		net->out.room = 3;
		vnet_switch_input(net->sw, net->in.id, &f, 1, 0);
		assert_conserved(net->sw);
		s = test_stats(&net->out);
		assert_int_equal(s.out.frames + s.segments.frames,
				 packets[i].gso_size ? 10 : 1);
		test_switch_end(net->sw, &net->alloc);
	}
	free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_pair_of_capabilities_gives_the_same_tcp4_stream),
		TEST(test_every_pair_of_capabilities_gives_the_same_tcp6_stream),
		TEST(test_every_pair_of_capabilities_gives_the_same_udp4_stream),
		TEST(test_every_pair_of_capabilities_gives_the_same_udp6_stream),
		TEST(test_driver_that_takes_some_segments_gets_the_rest_later),
		TEST(test_long_batch_of_frames_to_be_cut_keeps_its_order),
		TEST(test_driver_that_breaks_between_segments_gets_no_more_of_them),
		TEST(test_only_segments_that_were_not_taken_are_queued_behind_others),
		TEST(test_frame_is_queued_whole_for_a_driver_that_carries_it),
		TEST(test_mtu_is_that_of_each_segment),
		TEST(test_fields_that_belie_the_headers_are_bad_offload),
		TEST(test_hint_and_number_of_segments_on_the_way_in_are_not_believed),
		TEST(test_checksum_that_the_medium_verified_is_still_said_to_be),
		TEST(test_flood_gives_each_driver_what_it_carries),
		TEST(test_octets_that_change_during_the_call_break_no_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
