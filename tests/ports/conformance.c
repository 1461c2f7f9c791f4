/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	far end ~~~ driver [ port ]--- switch ---[ peer ] fake
 *	                                      ---[ other ] fake
 */
#include <errno.h>

#include "conformance.h"
#include "packet.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The driver under test is one for the whole program. */
static const struct conformance *driver;

struct net {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	vnet_port_id port;
	vnet_client_id id;
	struct fake peer;
	struct fake other;
	bool is_open;
	void *ctx;
};

/* Addresses: of the far end, and of the peer. */
enum { FAR = 0xf, PEER = 0xe };

static int
set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	net->ctx = calloc(1, driver->size ? driver->size : 1);
	net->sw = test_switch(&net->alloc, 6);
	net->port = test_port(net->sw, "port");
	assert_int_equal(driver->open(net->ctx, net->sw, net->port, &net->id),
			 0);
	net->is_open = true;
	assert_int_equal(
		fake_open(&net->peer, net->sw, "peer", VNET_ROLE_VIF, 0), 0);
	assert_int_equal(
		fake_open(&net->other, net->sw, "other", VNET_ROLE_VIF, 0), 0);
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(FAR), net->id), 0);
	*state = net;
	return 0;
}

static void
assert_closed(struct net *net)
{
	net->is_open = false;
	if (driver->now_gone)
		assert_true(driver->now_gone(net->ctx));
}

/* Every test ends with the sums in order, and a driver that never called its
 * switch while it was called by it. */
static int
tear_down(void **state)
{
	struct net *net = *state;
	struct vnet_count in;

	assert_int_equal(
		vnet_switch_drops(net->sw, VNET_DROP_REENTRANT, &in, NULL), 0);
	assert_int_equal(in.frames, 0);
	test_switch_end(net->sw, &net->alloc);
	if (net->is_open)
		assert_closed(net);
	free(net->ctx);
	free(net);
	return 0;
}

static struct vnet_client_stats
stats(const struct net *net)
{
	struct vnet_client_stats s = {.size = sizeof(s)};

	assert_int_equal(vnet_client_get_stats(net->sw, net->id, &s), 0);
	return s;
}

static uint64_t
out_drops(const struct net *net, enum vnet_drop reason)
{
	struct vnet_count out;

	assert_int_equal(
		vnet_client_drops(net->sw, net->id, reason, NULL, &out), 0);
	return out.frames;
}

/* Frames for the far end, of @len octets and more, one each. */
static void
send_many(struct net *net, size_t n, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		struct vnet_frame f = test_frame(FAR, PEER, len + i);

		vnet_switch_input(net->sw, net->peer.id, &f, 1, 0);
	}
}

struct expected {
	size_t n;
	size_t len; /* of the next */
};

static void
expect_next(void *ctx, const struct vnet_frame *f)
{
	struct expected *e = ctx;
	struct vnet_frame sent = test_frame(FAR, PEER, e->len++);

	assert_int_equal(f->len, sent.len);
	assert_memory_equal(f->data, sent.data, sent.len);
	assert_int_equal(f->ntags, 0);
	e->n++;
}

/* What comes out is @n frames of @len octets and more. */
static void
assert_delivered(struct net *net, size_t n, size_t len)
{
	struct expected e = {.len = len};

	if (driver->read) {
		driver->read(net->ctx, expect_next, &e);
		assert_int_equal(e.n, n);
	}
	assert_conserved(net->sw);
}

static void
ignore(void *ctx, const struct vnet_frame *f)
{
	(void)f;
	++*(size_t *)ctx;
}

/* Frames that come out, whatever they are. */
static size_t
drain(struct net *net)
{
	size_t n = 0;

	if (driver->read)
		driver->read(net->ctx, ignore, &n);
	return n;
}

/* Opening and closing */

static void
test_uplink_is_opened_once(void **state)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	struct net *net = *state;
	void *ctx = calloc(1, driver->size ? driver->size : 1);
	vnet_client_id id = 77;

	assert_true(vnet_client_port(net->sw, net->id) == net->port);
	assert_int_equal(vnet_port_get(net->sw, net->port, &info), 0);
	assert_true(info.client == net->id);
	assert_true(info.link);
	assert_int_equal(driver->open(ctx, net->sw, test_taken_port(net->sw),
				      &id),
			 -EEXIST);
	assert_int_equal(driver->open(ctx, net->sw, 12345, &id), -ENOENT);
	assert_int_equal(id, 77);
	free(ctx);
}

static void
test_removal_of_the_client_closes_the_driver(void **state)
{
	struct net *net = *state;

	send_many(net, 3, 60);
	assert_int_equal(vnet_client_remove(net->sw, net->id), 0);
	assert_closed(net);
	/* Frames for it are nobody's now, and it is not asked. */
	send_many(net, 3, 60);
	assert_conserved(net->sw);
}

static void
test_removal_of_the_port_closes_the_driver(void **state)
{
	struct net *net = *state;

	send_many(net, 3, 60);
	assert_int_equal(vnet_port_remove(net->sw, net->port), 0);
	assert_closed(net);
}

static void
test_port_is_opened_again_after_it_was_closed(void **state)
{
	struct net *net = *state;

	assert_int_equal(vnet_client_remove(net->sw, net->id), 0);
	assert_closed(net);
	memset(net->ctx, 0, driver->size);
	while (vnet_switch_deadline(net->sw) == 0)
		vnet_switch_tick(net->sw, 0);
	assert_int_equal(driver->open(net->ctx, net->sw, net->port, &net->id),
			 0);
	net->is_open = true;
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(FAR), net->id), 0);
	send_many(net, 5, 60);
	assert_delivered(net, 5, 60);
}

/* Frames that go out */

static void
test_frames_of_every_length_come_out_as_they_went_in(void **state)
{
	struct net *net = *state;

	for (size_t len = 14; len <= 1514; len += 20) {
		size_t n = len + 20 > 1515 ? 1515 - len : 20;

		send_many(net, n, len);
		assert_delivered(net, n, len);
	}
	assert_int_equal(stats(net).delivered.frames, 1501);
	assert_int_equal(stats(net).out_dropped.frames, 0);
}

static void
test_batch_comes_out_in_order(void **state)
{
	struct vnet_frame f[200];
	struct net *net = *state;

	for (size_t n = 1; n <= COUNT(f); n += 33) {
		for (size_t i = 0; i < n; i++)
			f[i] = test_frame(FAR, PEER, 60 + i);
		vnet_switch_input(net->sw, net->peer.id, f, n, 0);
		assert_delivered(net, n, 60);
	}
	assert_int_equal(stats(net).queued.frames, 0);
}

static void
test_octets_are_not_looked_at_after_they_were_lent(void **state)
{
	struct net *net = *state;
	uint8_t *octets = malloc(300);

	for (size_t i = 0; i < 10; i++) {
		struct vnet_frame f = test_frame(FAR, PEER, 200 + i);

		memcpy(octets, f.data, f.len);
		f.data = octets;
		vnet_switch_input(net->sw, net->peer.id, &f, 1, 0);
		assert_memory_equal(octets, test_frame(FAR, PEER, f.len).data,
				    f.len);
		memset(octets, 0xee, 300);
	}
	free(octets);
	assert_delivered(net, 10, 200);
}

static void
read_packet(void *ctx, const struct vnet_frame *f)
{
	packet_read(ctx, f);
}

static void
test_driver_gets_what_it_carries_and_no_more(void **state)
{
	struct net *net = *state;
	static uint8_t octets[PACKET_MAX];

	for (unsigned int i = 0; i < 2 * PACKET_KINDS; i++) {
		const struct packet p = {
			.kind = (enum packet_kind)(i / 2),
			.dst = FAR,
			.src = PEER,
			.payload = 5001,
			.gso_size = 1000,
			.ntags = i % 2 ? 2 : 0,
		};
		struct packet_reader r = {
			.kind = p.kind,
			.carries = driver->carries,
			.ntags = p.ntags,
		};
		struct vnet_frame f = packet_make(octets, &p);

		vnet_switch_input(net->sw, net->peer.id, &f, 1, 0);
		if (!driver->read)
			continue;
		driver->read(net->ctx, read_packet, &r);
		assert_int_equal(r.next, 5001);
		assert_int_equal(r.segments, 6);
	}
	assert_int_equal(stats(net).out_dropped.frames, 0);
}

static void
test_output_without_a_queue_is_nothing(void **state)
{
	struct net *net = *state;

	assert_int_equal(vnet_client_output(net->sw, net->id, 100, 0), 0);
	send_many(net, 4, 60);
	drain(net);
	assert_int_equal(vnet_client_output(net->sw, net->id, 100, 0), 0);
	assert_int_equal(drain(net), 0);
}

static void
test_link_that_is_down_gets_nothing(void **state)
{
	struct net *net = *state;

	assert_int_equal(vnet_port_set_link(net->sw, net->port, false), 0);
	send_many(net, 4, 60);
	assert_int_equal(drain(net), 0);
	assert_int_equal(out_drops(net, VNET_DROP_LINK_DOWN), 4);
	assert_int_equal(vnet_port_set_link(net->sw, net->port, true), 0);
	send_many(net, 4, 60);
	assert_delivered(net, 4, 60);
}

/* Frames that come in */

static void
test_frames_of_the_far_end_come_in_as_they_are(void **state)
{
	struct net *net = *state;
	struct vnet_frame f;

	if (!driver->inject)
		skip();
	for (size_t len = 60; len <= 1514; len += 101) {
		f = test_frame(PEER, FAR, len);
		driver->inject(net->ctx, &f);
		assert_int_equal(net->peer.last.len, len);
		assert_memory_equal(net->peer.last.data, f.data, len);
	}
	assert_int_equal(stats(net).in.frames, 15);
	assert_int_equal(stats(net).in_dropped.frames, 0);
	assert_int_equal(drain(net), 0); /* not to itself */
}

/* A medium that is full */

static void
test_full_medium_gets_all_in_order_when_it_has_room(void **state)
{
	struct net *net = *state;

	if (!driver->set_full)
		skip();
	for (int i = 0; i < 3; i++) {
		driver->set_full(net->ctx, true);
		send_many(net, 100, 60);
		assert_int_equal(stats(net).queued.frames, 100);
		assert_int_equal(stats(net).out_dropped.frames, 0);
		driver->set_full(net->ctx, false);
		assert_delivered(net, 100, 60);
		assert_int_equal(stats(net).queued.frames, 0);
	}
}

static void
test_full_medium_costs_nobody_else_anything(void **state)
{
	struct net *net = *state;

	if (!driver->set_full)
		skip();
	driver->set_full(net->ctx, true);
	for (int i = 0; i < 1000; i++) {
		struct vnet_frame f = test_frame(TEST_BROADCAST, PEER, 1000);

		vnet_switch_input(net->sw, net->peer.id, &f, 1, 0);
	}
	assert_int_equal(net->other.nsent, 1000);
	assert_true(stats(net).queued.octets <= 256 << 10);
	assert_true(out_drops(net, VNET_DROP_QUEUE_FULL) > 0);
	assert_int_equal(out_drops(net, VNET_DROP_DRIVER_ERROR), 0);
	driver->set_full(net->ctx, false);
	drain(net);
	send_many(net, 5, 60);
	assert_delivered(net, 5, 60);
}

static void
test_driver_is_closed_while_its_medium_is_full(void **state)
{
	struct vnet_count out;
	struct net *net = *state;

	if (!driver->set_full)
		skip();
	driver->set_full(net->ctx, true);
	send_many(net, 7, 60);
	assert_int_equal(vnet_client_remove(net->sw, net->id), 0);
	assert_closed(net);
	assert_int_equal(
		vnet_switch_drops(net->sw, VNET_DROP_REMOVED, NULL, &out), 0);
	assert_int_equal(out.frames, 7);
}

/* A medium that is broken */

static void
test_broken_medium_takes_its_link_down(void **state)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	struct vnet_event e = {.size = sizeof(e)};
	struct net *net = *state;
	unsigned int nerrors = 0;

	if (!driver->set_broken)
		skip();
	driver->set_broken(net->ctx, true);
	send_many(net, 5, 60);
	drain(net);
	assert_int_equal(vnet_port_get(net->sw, net->port, &info), 0);
	assert_false(info.link);
	assert_true(out_drops(net, VNET_DROP_DRIVER_ERROR) > 0);
	assert_int_equal(stats(net).delivered.frames, 0);
	while (vnet_switch_event(net->sw, &e) == 1) {
		if (e.type != VNET_EVENT_DRIVER_ERROR)
			continue;
		assert_true(e.client == net->id);
		assert_true(e.error < 0);
		nerrors++;
	}
	assert_int_equal(nerrors, 1);

	driver->set_broken(net->ctx, false);
	assert_int_equal(vnet_port_set_link(net->sw, net->port, true), 0);
	send_many(net, 5, 60);
	assert_delivered(net, 5, 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
conformance_run(const struct conformance *d)
{
	const struct CMUnitTest tests[] = {
		TEST(test_uplink_is_opened_once),
		TEST(test_removal_of_the_client_closes_the_driver),
		TEST(test_removal_of_the_port_closes_the_driver),
		TEST(test_port_is_opened_again_after_it_was_closed),
		TEST(test_frames_of_every_length_come_out_as_they_went_in),
		TEST(test_batch_comes_out_in_order),
		TEST(test_octets_are_not_looked_at_after_they_were_lent),
		TEST(test_driver_gets_what_it_carries_and_no_more),
		TEST(test_output_without_a_queue_is_nothing),
		TEST(test_link_that_is_down_gets_nothing),
		TEST(test_frames_of_the_far_end_come_in_as_they_are),
		TEST(test_full_medium_gets_all_in_order_when_it_has_room),
		TEST(test_full_medium_costs_nobody_else_anything),
		TEST(test_driver_is_closed_while_its_medium_is_full),
		TEST(test_broken_medium_takes_its_link_down),
	};

	driver = d;
	print_message("driver: %s\n", d->name);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
