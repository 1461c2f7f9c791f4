/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients: how they are opened and closed, what a driver is asked and believed,
 * and what is counted. Client a sends, b is full or broken or otherwise in the
 * way, and c is there to see that this is nothing to others.
 */
#include <errno.h>

#include "net.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* @n frames of @len octets from @from to b. */
static void
send_many(const struct fake *from, size_t n, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		struct vnet_frame f = test_frame(0xb, 0xa, len);

		vnet_switch_input(from->sw, from->id, &f, 1, 0);
	}
}

/* Pins b's address, so that what is for it is for nobody else. */
static void
pin_b(struct net *net)
{
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(0xb), net->b.id), 0);
}

static int
take_all(void *ctx, const struct vnet_frame *frames, size_t n, size_t *refused)
{
	(void)ctx;
	(void)frames;
	(void)refused;
	return (int)n;
}

/* Opening and closing */

static void
test_wrong_configuration_is_refused_with_its_reason(void **state)
{
	struct net *net = *state;
	const vnet_port_id port = test_port(net->sw, "d");
	static const struct vnet_driver_ops good_ops = {
		.size = sizeof(good_ops),
		.carries = 0x1f,
		.send = take_all,
	};
	struct vnet_driver_ops ops[3] = {good_ops, good_ops, good_ops};
	const struct vnet_client_config good = {
		.size = sizeof(good),
		.ops = &good_ops,
	};
	const struct {
		struct vnet_client_config config;
		const char *text;
		size_t index;
		uint64_t found;
		uint64_t bound;
	} bad[] = {
		{{.size = 1, .ops = &good_ops},
		 "size of the client's configuration",
		 0,
		 1,
		 sizeof(good)},
		{{.size = sizeof(good)}, "client without a driver", 1, 0, 0},
		{{.size = sizeof(good), .ops = &ops[0]},
		 "size of the driver's operations",
		 1,
		 7,
		 sizeof(good_ops)},
		{{.size = sizeof(good), .ops = &ops[1]},
		 "driver that cannot send",
		 1,
		 0,
		 0},
		{{.size = sizeof(good), .ops = &ops[2]},
		 "driver carries what is not known",
		 1,
		 0x20,
		 0x1f},
		{{.size = sizeof(good), .ops = &good_ops, .queue_octets = 2047},
		 "queue too small",
		 3,
		 2047,
		 2048},
		{{.size = sizeof(good),
		  .ops = &good_ops,
		  .queue_octets = (256 << 10) + 1},
		 "queue larger than the switch allows",
		 3,
		 (256 << 10) + 1,
		 256 << 10},
		{{.size = sizeof(good), .ops = &good_ops, .weight = 1025},
		 "weight too large",
		 4,
		 1025,
		 1024},
	};
	vnet_client_id id = 77;

	ops[0].size = 7;
	ops[1].send = NULL;
	ops[2].carries = 0x20;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct vnet_why why = {0};

		assert_int_equal(vnet_client_add(net->sw, port, &bad[i].config,
						 &id, &why),
				 -EINVAL);
		assert_string_equal(why.text, bad[i].text);
		assert_int_equal(why.index, bad[i].index);
		assert_int_equal(why.found, bad[i].found);
		assert_int_equal(why.bound, bad[i].bound);
		assert_int_equal(vnet_client_add(net->sw, port, &bad[i].config,
						 &id, NULL),
				 -EINVAL);
		assert_int_equal(id, 77);
	}
	assert_int_equal(vnet_client_add(net->sw, port, &good, &id, NULL), 0);
	assert_int_equal(vnet_client_port(net->sw, id), port);
}

static void
test_bounds_of_queue_and_weight_are_within(void **state)
{
	struct net *net = *state;
	static const struct vnet_driver_ops ops = {
		.size = sizeof(ops),
		.send = take_all, /* no close: it need not have one */
	};
	const struct vnet_client_config least = {
		.size = sizeof(least),
		.ops = &ops,
		.queue_octets = 2048,
		.weight = 1,
	};
	const struct vnet_client_config most = {
		.size = sizeof(most),
		.ops = &ops,
		.queue_octets = 256 << 10,
		.weight = 1024,
	};
	vnet_client_id id;

	assert_int_equal(vnet_client_add(net->sw, test_port(net->sw, "d"),
					 &least, &id, NULL),
			 0);
	assert_int_equal(vnet_client_remove(net->sw, id), 0);
	assert_int_equal(vnet_client_add(net->sw, test_port(net->sw, "e"),
					 &most, &id, NULL),
			 0);
}

static void
test_failed_opening_leaves_the_driver_to_the_caller(void **state)
{
	struct net *net = *state;
	struct fake *x = &net->more[0];

	assert_int_equal(fake_open(&net->u, net->sw, "u", VNET_ROLE_UPLINK, 0),
			 0);
	assert_int_equal(fake_attach(x, net->sw, 12345, 0, 0), -ENOENT);
	assert_int_equal(fake_attach(x, net->sw, net->u.port, 0, 0), -EEXIST);
	assert_int_equal(fake_attach(x, net->sw, test_port(net->sw, "d"), 0, 1),
			 -EINVAL);
	assert_int_equal(x->nclosed, 0);
}

static void
test_driver_is_closed_once_after_its_queue_was_counted(void **state)
{
	struct vnet_count out;
	struct net *net = *state;

	pin_b(net);
	net->b.room = 0;
	send_many(&net->a, 3, 100);
	assert_int_equal(vnet_client_remove(net->sw, net->b.id), 0);
	assert_int_equal(net->b.nclosed, 1);
	assert_int_equal(
		vnet_switch_drops(net->sw, VNET_DROP_REMOVED, NULL, &out), 0);
	assert_int_equal(out.frames, 3);
	assert_int_equal(out.octets, 300);
	assert_int_equal(test_switch_stats(net->sw).pool_used, 0);
	assert_int_equal(vnet_client_remove(net->sw, net->b.id), -ENOENT);
	assert_int_equal(vnet_port_remove(net->sw, net->b.port), 0);
	assert_int_equal(net->b.nclosed, 1);
	assert_int_equal(vnet_port_remove(net->sw, net->c.port), 0);
	assert_int_equal(net->c.nclosed, 1);
}

static void
test_driver_is_closed_when_the_switch_is_destroyed(void **state)
{
	struct net *net = *state;
	struct test_alloc alloc;
	struct vnet_switch *sw = test_switch(&alloc, 2);

	assert_int_equal(fake_open(&net->more[0], sw, "x", VNET_ROLE_VIF, 0),
			 0);
	test_switch_end(sw, &alloc);
	assert_int_equal(net->more[0].nclosed, 1);
	vnet_switch_destroy(NULL);
}

/* Everything that the header offers for an id, on one that has gone. */
static void
assert_gone(const struct net *net, vnet_client_id id)
{
	struct vnet_client_stats s = {.size = sizeof(s)};
	struct vnet_count n;

	assert_int_equal(vnet_client_remove(net->sw, id), -ENOENT);
	assert_int_equal(vnet_client_output(net->sw, id, 1, 0), -ENOENT);
	assert_int_equal(vnet_client_set_queue(net->sw, id, 0), -ENOENT);
	assert_int_equal(vnet_client_set_weight(net->sw, id, 0), -ENOENT);
	assert_int_equal(vnet_client_get_stats(net->sw, id, &s), -ENOENT);
	assert_int_equal(vnet_client_drops(net->sw, id, VNET_DROP_REFUSED, &n,
					   &n),
			 -ENOENT);
	assert_int_equal(vnet_client_port(net->sw, id), VNET_NO_ID);
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(1), id), -ENOENT);
}

static void
test_client_that_has_gone_is_never_found_again(void **state)
{
	struct net *net = *state;
	vnet_client_id old[100];
	struct fake *x = &net->more[0];
	vnet_port_id port = test_port(net->sw, "d");

	for (size_t i = 0; i < COUNT(old); i++) {
		assert_int_equal(fake_attach(x, net->sw, port, 0, 0), 0);
		old[i] = x->id;
		for (size_t k = 0; k < i; k++)
			assert_true(old[k] != old[i]);
		assert_int_equal(vnet_client_remove(net->sw, old[i]), 0);
		for (int k = 0; k < 3; k++)
			vnet_switch_tick(net->sw, 0);
		assert_gone(net, old[i]);
	}
	/* All from one slot. */
	assert_int_equal((uint32_t)old[0], (uint32_t)old[COUNT(old) - 1]);
	for (size_t i = 0; i < COUNT(old); i++)
		assert_gone(net, old[i]);
	assert_gone(net, VNET_NO_ID);
	assert_gone(net, UINT64_MAX);
	assert_gone(net, old[0] + 8);
}

static void
test_addresses_of_a_client_that_has_gone_are_not_those_of_the_next(void **state)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	struct net *net = *state;

	pin_b(net);
	test_send(&net->b, TEST_BROADCAST, 0xbb, 0);
	assert_int_equal(vnet_client_remove(net->sw, net->b.id), 0);
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(0xb), &e), -ENOENT);
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(0xbb), &e), -ENOENT);
	while (vnet_switch_deadline(net->sw) == 0)
		vnet_switch_tick(net->sw, 0);
	assert_int_equal(fake_attach(&net->b, net->sw, net->b.port, 0, 0), 0);
	test_send(&net->a, 0xb, 0xa, 0);
	test_send(&net->a, 0xbb, 0xa, 0);
	assert_int_equal(net->b.nsent, 2);
	assert_int_equal(net->c.nsent, 3);
}

static void
test_slot_is_not_used_again_before_it_is_swept(void **state)
{
	struct net *net = *state;
	struct fake *x = net->more;
	char name[] = "0";

	for (size_t i = 0; i < 5; i++, name[0]++)
		assert_int_equal(
			fake_open(&x[i], net->sw, name, VNET_ROLE_VIF, 0), 0);
	/* More addresses than one tick sweeps. */
	for (unsigned int i = 0; i < 1000; i++)
		test_send(&net->b, 0xa, 0x1000 + i, 0);
	assert_int_equal(vnet_client_remove(net->sw, net->b.id), 0);
	assert_int_equal(fake_attach(&net->b, net->sw, net->b.port, 0, 0),
			 -ENOSPC);
	assert_true(vnet_switch_deadline(net->sw) == 0);
	vnet_switch_tick(net->sw, 0);
	assert_int_equal(fake_attach(&net->b, net->sw, net->b.port, 0, 0),
			 -ENOSPC);
	for (int i = 0; i < 10; i++)
		vnet_switch_tick(net->sw, 0);
	assert_int_equal(fake_attach(&net->b, net->sw, net->b.port, 0, 0), 0);
	assert_true(vnet_switch_deadline(net->sw) != 0);
}

static void
test_slot_of_a_client_without_addresses_is_swept_too(void **state)
{
	struct net *net = *state;

	assert_true(vnet_switch_deadline(net->sw) == VNET_NEVER);
	assert_int_equal(vnet_client_remove(net->sw, net->b.id), 0);
	for (int i = 0; vnet_switch_deadline(net->sw) != VNET_NEVER; i++) {
		assert_true(i < 10);
		vnet_switch_tick(net->sw, vnet_switch_deadline(net->sw));
	}
	assert_int_equal(fake_attach(&net->more[0], net->sw, net->b.port, 0, 0),
			 0);
	assert_int_equal((uint32_t)net->more[0].id, (uint32_t)net->b.id);
}

/* What a driver may answer */

static void
test_full_driver_gets_the_rest_in_order_when_it_has_room(void **state)
{
	struct net *net = *state;
	uint64_t stream;

	for (size_t i = 0; i < 20; i++) {
		struct vnet_frame f = test_frame(TEST_BROADCAST, 0xa, 60 + i);

		if (i == 5)
			net->b.room = 2;
		if (i == 15)
			net->b.room = FAKE_ENDLESS;
		vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
	}
	/* Level-triggered: what comes later joins the queue. */
	assert_int_equal(net->b.nsent, 7);
	assert_int_equal(test_stats(&net->b).queued.frames, 13);
	assert_int_equal(net->b.nsends, 8);
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 0, 0), 0);
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 4, 0), 4);
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 100, 0), 9);
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 100, 0), 0);
	stream = net->c.stream;
	assert_int_equal(net->c.nsent, 20);
	assert_true(net->b.stream == stream);
	/* And then it is sent to at once again. */
	send_many(&net->a, 1, 60);
	assert_int_equal(net->b.nsent, 21);
}

static void
test_order_is_kept_within_a_batch_that_is_taken_in_part(void **state)
{
	struct vnet_frame f[64];
	struct net *net = *state;

	for (long room = 0; room <= 64; room++) {
		for (size_t i = 0; i < COUNT(f); i++)
			f[i] = test_frame(TEST_BROADCAST, 0xa, 60 + i);
		net->b.room = room;
		vnet_switch_input(net->sw, net->a.id, f, COUNT(f), 0);
		assert_int_equal(test_stats(&net->b).queued.frames, 64 - room);
		assert_conserved(net->sw);
		net->b.room = FAKE_ENDLESS;
		assert_int_equal(vnet_client_output(net->sw, net->b.id, 64, 0),
				 64 - room);
		assert_true(net->b.stream == net->c.stream);
	}
}

static void
test_output_stops_where_the_driver_is_full_again(void **state)
{
	struct net *net = *state;

	net->b.room = 0;
	send_many(&net->a, 200, 60);
	net->b.room = 130;
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 1000, 0), 130);
	assert_int_equal(test_stats(&net->b).queued.frames, 70);
	/* One send for 64, one more, one of which it took two. */
	assert_int_equal(net->b.nsends, 1 + 3);
}

static void
test_refused_frames_are_drops_of_their_own(void **state)
{
	struct net *net = *state;
	struct vnet_frame f[10];

	for (size_t i = 0; i < COUNT(f); i++)
		f[i] = test_frame(TEST_BROADCAST, 0xa, 60);
	net->b.refuse = 3;
	vnet_switch_input(net->sw, net->a.id, f, COUNT(f), 0);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_REFUSED), 3);
	assert_int_equal(test_stats(&net->b).delivered.frames, 7);
	/* Out of the queue as well, and with a part not taken. */
	net->b.room = 0;
	net->b.refuse = 0;
	vnet_switch_input(net->sw, net->a.id, f, COUNT(f), 0);
	net->b.room = 6;
	net->b.refuse = 2;
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 10, 0), 6);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_REFUSED), 5);
	assert_int_equal(test_stats(&net->b).delivered.frames, 11);
	assert_int_equal(test_stats(&net->b).queued.frames, 4);
	assert_int_equal(net->c.nsent, 20);
}

static int
take_too_many(void *ctx, const struct vnet_frame *frames, size_t n,
	      size_t *refused)
{
	(void)frames;
	assert_int_equal(*refused, 0);
	*refused = *(size_t *)ctx;
	return (int)n + 5;
}

static void
test_driver_that_claims_more_than_it_got_is_not_believed(void **state)
{
	struct net *net = *state;
	static size_t refuse;
	static const struct vnet_driver_ops ops = {
		.size = sizeof(ops),
		.send = take_too_many,
	};
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &ops,
		.ctx = &refuse,
	};
	struct vnet_client_stats s = {.size = sizeof(s)};
	vnet_client_id id;

	assert_int_equal(vnet_client_add(net->sw, test_port(net->sw, "d"),
					 &config, &id, NULL),
			 0);
	send_many(&net->a, 2, 60);
	refuse = 99;
	send_many(&net->a, 1, 60);
	assert_int_equal(vnet_client_get_stats(net->sw, id, &s), 0);
	assert_int_equal(s.delivered.frames, 2);
	assert_int_equal(s.out_dropped.frames, 1);
}

static unsigned int
count_events(struct vnet_switch *sw, enum vnet_event_type type,
	     struct vnet_event *last)
{
	struct vnet_event e = {.size = sizeof(e)};
	unsigned int n = 0;

	while (vnet_switch_event(sw, &e) == 1) {
		if (e.type == type) {
			*last = e;
			n++;
		}
	}
	return n;
}

static void
test_broken_driver_loses_all_and_is_left_alone(void **state)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	struct vnet_event event;
	struct vnet_frame f[10];
	struct net *net = *state;

	test_send(&net->b, TEST_BROADCAST, 0xb, 0);
	for (size_t i = 0; i < COUNT(f); i++)
		f[i] = test_frame(i % 2 ? 0xb : TEST_BROADCAST, 0xa, 60);
	net->b.error = -EIO;
	vnet_switch_input(net->sw, net->a.id, f, COUNT(f), SECONDS(7));
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_DRIVER_ERROR), 10);
	assert_int_equal(net->b.nsends, 1);
	assert_int_equal(vnet_port_get(net->sw, net->b.port, &info), 0);
	assert_false(info.link);
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(0xb), &e), -ENOENT);
	net->b.error = 0;
	vnet_switch_input(net->sw, net->a.id, f, COUNT(f), SECONDS(8));
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 10, 0), 0);
	assert_int_equal(net->b.nsends, 1);
	assert_int_equal(count_events(net->sw, VNET_EVENT_DRIVER_ERROR, &event),
			 1);
	assert_int_equal(event.error, -EIO);
	assert_int_equal(event.count, 1);
	assert_true(event.client == net->b.id);
	assert_true(event.port == net->b.port);
	assert_true(event.time == SECONDS(7));
	/* Others had theirs: 5 floods at first, then 10, for b is unknown. */
	assert_int_equal(net->c.nsent, 1 + 5 + 10);

	assert_int_equal(vnet_port_set_link(net->sw, net->b.port, true), 0);
	vnet_switch_input(net->sw, net->a.id, f, COUNT(f), SECONDS(9));
	assert_int_equal(net->b.nsent, 10);
}

static void
test_driver_that_breaks_over_its_queue_loses_that_too(void **state)
{
	struct net *net = *state;

	net->b.room = 0;
	send_many(&net->a, 100, 60);
	net->b.error = -EPIPE;
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 30, 0), 30);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_DRIVER_ERROR), 30);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_LINK_DOWN), 70);
	assert_int_equal(test_stats(&net->b).queued.frames, 0);
	assert_int_equal(test_stats(&net->b).queue_memory, 0);
}

/* Queues */

static void
test_queue_is_bounded_in_octets_of_the_pool(void **state)
{
	struct net *net = *state;
	struct fake *x = &net->more[0];

	assert_int_equal(
		fake_attach(x, net->sw, test_port(net->sw, "d"), 0, 10000), 0);
	x->room = 0;
	/* Two of these do not share a block. */
	send_many(&net->a, 12, 1000);
	assert_int_equal(test_stats(x).queued.frames, 4);
	assert_int_equal(test_stats(x).queued.octets, 4000);
	assert_int_equal(test_stats(x).queue_memory, 4 * VNET_POOL_BLOCK);
	assert_int_equal(test_out_drops(x, VNET_DROP_QUEUE_FULL), 8);
	assert_int_equal(test_stats(&net->a).lost_by_others.frames, 8);
	assert_int_equal(test_stats(&net->a).lost_by_others.octets, 8000);
	x->room = FAKE_ENDLESS;
	vnet_client_output(net->sw, x->id, 100, 0);
	assert_int_equal(x->nsent, 4);
	assert_int_equal(test_stats(x).queue_memory, 0);
}

static void
test_frame_that_takes_more_than_the_queue_is_lost_alone(void **state)
{
	struct net *net = *state;
	struct fake *x = &net->more[0];
	struct vnet_frame f = test_frame(TEST_BROADCAST, 0xc, 2048);

	assert_int_equal(fake_attach(x, net->sw, test_port(net->sw, "d"), 0,
				     VNET_POOL_BLOCK),
			 0);
	assert_int_equal(vnet_port_set_mtu(net->sw, x->port, 65535), 0);
	x->room = 0;
	send_many(&net->a, 5, 60);
	vnet_switch_input(net->sw, net->c.id, &f, 1, 0);
	assert_int_equal(test_stats(x).queued.frames, 5);
	assert_int_equal(test_out_drops(x, VNET_DROP_QUEUE_FULL), 1);
	assert_int_equal(test_stats(&net->c).lost_by_others.frames, 1);
	assert_int_equal(test_stats(&net->a).lost_by_others.frames, 0);
}

static void
test_queue_has_the_switchs_bound_where_it_says_none(void **state)
{
	struct net *net = *state;

	net_reopen(net, &(struct vnet_switch_config){.queue_octets = 65536});
	net->b.room = 0;
	send_many(&net->a, 70, 1024);
	assert_int_equal(test_stats(&net->b).queue_memory, 65536);
	assert_int_equal(test_stats(&net->b).queued.frames, 32);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_QUEUE_FULL), 38);
}

static void
test_small_frames_share_blocks(void **state)
{
	struct net *net = *state;

	net_reopen(net, &(struct vnet_switch_config){.queue_octets = 65536});
	net->b.room = 0;
	send_many(&net->a, 700, 60);
	assert_int_equal(test_stats(&net->b).queued.frames,
			 32 * (VNET_POOL_BLOCK / 104));
	assert_int_equal(test_stats(&net->b).queue_memory, 65536);
}

static void
test_longest_source_loses_its_newest_frame(void **state)
{
	struct net *net = *state;
	struct vnet_frame f;

	net_reopen(net, &(struct vnet_switch_config){.queue_octets = 65536});
	pin_b(net);
	net->b.room = 0;
	send_many(&net->a, 100, 1000); /* fills it */
	assert_int_equal(test_stats(&net->b).queued.frames, 32);
	assert_int_equal(test_stats(&net->a).lost_by_others.frames, 68);
	for (unsigned int i = 0; i < 10; i++) {
		f = test_frame(0xb, 0xc, 1000);
		vnet_switch_input(net->sw, net->c.id, &f, 1, 0);
	}
	assert_int_equal(test_stats(&net->b).queued.frames, 32);
	assert_int_equal(test_stats(&net->a).lost_by_others.frames, 78);
	assert_int_equal(test_stats(&net->c).lost_by_others.frames, 0);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_QUEUE_FULL), 78);
}

/* Octets of frames from each of two sources, as they leave. */
static void
count_sources(struct fake *fake, const struct vnet_frame *f)
{
	uint64_t *octets = fake->ctx;

	octets[f->data[11] == 0xc] += f->len;
}

static void
check_shares(struct net *net, size_t len_a, size_t len_c)
{
	uint64_t octets[2] = {0, 0};

	net->b.room = 0;
	net->b.ctx = octets;
	net->b.on_take = count_sources;
	for (int i = 0; i < 400; i++) {
		struct vnet_frame f = test_frame(0xb, 0xa, len_a);

		vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
		f = test_frame(0xb, 0xc, len_c);
		vnet_switch_input(net->sw, net->c.id, &f, 1, 0);
	}
	net->b.room = FAKE_ENDLESS;
	while (octets[0] + octets[1] < 60000)
		assert_int_equal(vnet_client_output(net->sw, net->b.id, 1, 0),
				 1);
	assert_in_range(octets[0], 28000, 32000);
	assert_in_range(octets[1], 28000, 32000);
	vnet_client_output(net->sw, net->b.id, 1000, 0);
}

static void
test_sources_share_a_queue_by_octets(void **state)
{
	struct net *net = *state;

	pin_b(net);
	check_shares(net, 1000, 1000);
	check_shares(net, 1514, 160);
	check_shares(net, 200, 1400);
}

static void
test_share_of_a_source_is_its_weight(void **state)
{
	uint64_t octets[2] = {0, 0};
	struct net *net = *state;
	struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &net->c.ops,
		.ctx = &net->c,
		.weight = 3,
	};

	pin_b(net);
	assert_int_equal(vnet_client_remove(net->sw, net->c.id), 0);
	assert_int_equal(vnet_client_add(net->sw, net->c.port, &config,
					 &net->c.id, NULL),
			 0);
	net->b.room = 0;
	net->b.ctx = octets;
	net->b.on_take = count_sources;
	for (int i = 0; i < 120; i++) {
		struct vnet_frame f = test_frame(0xb, 0xa, 1000);

		vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
		f = test_frame(0xb, 0xc, 1000);
		vnet_switch_input(net->sw, net->c.id, &f, 1, 0);
	}
	net->b.room = FAKE_ENDLESS;
	vnet_client_output(net->sw, net->b.id, 80, 0);
	assert_in_range(octets[0], 17000, 23000);
	assert_in_range(octets[1], 57000, 63000);
}

static void
test_bound_of_a_queue_may_change(void **state)
{
	struct net *net = *state;
	const vnet_client_id b = net->b.id;

	assert_int_equal(vnet_client_set_queue(net->sw, b, 2047), -EINVAL);
	assert_int_equal(vnet_client_set_queue(net->sw, b, (256 << 10) + 1),
			 -EINVAL);
	assert_int_equal(vnet_client_set_queue(net->sw, b, 10000), 0);
	net->b.room = 0;
	send_many(&net->a, 12, 1500);
	assert_int_equal(test_stats(&net->b).queued.frames, 4);

	assert_int_equal(vnet_client_set_queue(net->sw, b, 256 << 10), 0);
	send_many(&net->a, 12, 1500);
	assert_int_equal(test_stats(&net->b).queued.frames, 16);

	/* What is beyond a smaller one stays until it is sent. */
	assert_int_equal(vnet_client_set_queue(net->sw, b, 2048), 0);
	assert_int_equal(test_stats(&net->b).queued.frames, 16);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_QUEUE_FULL), 8);
	send_many(&net->a, 3, 1500);
	assert_int_equal(test_stats(&net->b).queued.frames, 16);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_QUEUE_FULL), 11);
	assert_conserved(net->sw);
	net->b.room = 16;
	assert_int_equal(vnet_client_output(net->sw, b, 100, 0), 16);
	send_many(&net->a, 3, 1500);
	assert_int_equal(test_stats(&net->b).queued.frames, 1);

	/* 0 is the switch's. */
	assert_int_equal(vnet_client_set_queue(net->sw, b, 0), 0);
	send_many(&net->a, 300, 1500);
	assert_int_equal(test_stats(&net->b).queue_memory, 256 << 10);
}

/* Under a congestion that does not end. */
static void
test_weight_of_a_source_may_change(void **state)
{
	uint64_t octets[2] = {0, 0};
	struct net *net = *state;

	assert_int_equal(vnet_client_set_weight(net->sw, net->c.id, 1025),
			 -EINVAL);
	pin_b(net);
	net->b.room = 0;
	net->b.ctx = octets;
	net->b.on_take = count_sources;
	for (int i = 0; i < 400; i++) {
		if (i == 200 || i == 300) {
			/* First 3, then that of all. */
			assert_int_equal(
				vnet_client_set_weight(net->sw, net->c.id,
						       i == 200 ? 3 : 0),
				0);
			if (i == 300)
				assert_in_range(octets[1], 145000, 155000);
			octets[0] = 0;
			octets[1] = 0;
		}
		for (int k = 0; k < 4; k++) {
			struct vnet_frame f = test_frame(0xb, 0xc, 1000);

			vnet_switch_input(net->sw, net->c.id, &f, 1, 0);
			send_many(&net->a, 1, 1000);
		}
		if (i >= 100) {
			net->b.room = 2;
			vnet_client_output(net->sw, net->b.id, 2, 0);
		}
	}
	assert_in_range(octets[1], 95000, 105000);
	assert_int_equal(octets[0] + octets[1], 200000);
}

static void
test_full_client_costs_the_others_nothing(void **state)
{
	struct net *net = *state;

	net->b.room = 0;
	send_many(&net->a, 2000, 1000);
	assert_int_equal(net->c.nsent, 2000);
	assert_int_equal(net->c.nsends, 2000);
	assert_true(test_out_drops(&net->b, VNET_DROP_QUEUE_FULL) > 0);
	assert_int_equal(test_stats(&net->c).out_dropped.frames, 0);
}

static void
test_source_takes_no_more_of_the_pool_than_it_leaves(void **state)
{
	struct vnet_switch_stats s = {.size = sizeof(s)};
	struct net *net = *state;

	/* Of which seven are the other clients' own, with those to come. */
	net_reopen(net, &(struct vnet_switch_config){
				.max_clients = 8,
				.pool_octets = 71 * VNET_POOL_BLOCK,
				.queue_octets = 1 << 20,
			});
	pin_b(net);
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(0xc), net->c.id), 0);
	net->b.room = 0;
	net->c.room = 0;
	send_many(&net->a, 70, 1500);
	assert_int_equal(test_stats(&net->b).queued.frames, 32);
	assert_int_equal(test_switch_stats(net->sw).pool_used,
			 32 * VNET_POOL_BLOCK);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_POOL_EMPTY), 38);
	/* Nor in another queue, beyond what is that one's own. */
	for (int i = 0; i < 40; i++) {
		struct vnet_frame f = test_frame(0xc, 0xa, 1500);

		vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
	}
	assert_int_equal(test_stats(&net->c).queued.frames, 1);
	assert_int_equal(test_out_drops(&net->c, VNET_DROP_POOL_EMPTY), 39);
	assert_int_equal(test_stats(&net->a).lost_by_others.frames, 77);
	/* Another source shares the queue, which may not grow either. */
	for (int i = 0; i < 10; i++) {
		struct vnet_frame f = test_frame(0xb, 0xc, 1500);

		vnet_switch_input(net->sw, net->c.id, &f, 1, 0);
	}
	assert_int_equal(test_stats(&net->b).queued.frames, 32);
	assert_int_equal(test_stats(&net->a).lost_by_others.frames, 87);
	assert_int_equal(test_stats(&net->c).lost_by_others.frames, 0);
}

static void
test_idle_client_holds_no_memory_of_the_pool(void **state)
{
	struct vnet_switch_stats s;
	struct net *net = *state;

	assert_int_equal(test_switch_stats(net->sw).pool_used, 0);
	net->b.room = 0;
	send_many(&net->a, 1, 60);
	assert_int_equal(test_stats(&net->b).queue_memory, VNET_POOL_BLOCK);
	s = test_switch_stats(net->sw);
	assert_int_equal(s.pool_used, VNET_POOL_BLOCK);
	assert_int_equal(s.total.queue_memory, VNET_POOL_BLOCK);
	net->b.room = 1;
	vnet_client_output(net->sw, net->b.id, 1, 0);
	assert_int_equal(test_switch_stats(net->sw).pool_used, 0);
}

static void
test_frames_of_a_source_that_has_gone_still_leave_the_queue(void **state)
{
	struct net *net = *state;

	net->b.room = 0;
	send_many(&net->a, 5, 60);
	assert_int_equal(vnet_port_remove(net->sw, net->a.port), 0);
	net->b.room = FAKE_ENDLESS;
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 10, 0), 5);
	assert_int_equal(net->b.nsent, 5);
}

/* Counters */

static void
test_counters_are_in_frames_and_octets_of_the_wire(void **state)
{
	struct net *net = *state;
	struct vnet_frame f = test_frame(TEST_BROADCAST, 0xa, 100);
	struct vnet_count in = {1, 1}, out = {1, 1};
	struct vnet_client_stats s;

	f.ntags = 2;
	f.tag[0] = (struct vnet_tag){0x8100, 1};
	f.tag[1] = (struct vnet_tag){0x8100, 1};
	vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
	f.len = 13;
	vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
	s = test_stats(&net->a);
	assert_int_equal(s.in.frames, 2);
	assert_int_equal(s.in.octets, 108 + 21);
	assert_int_equal(s.in_dropped.frames, 1);
	assert_int_equal(s.in_dropped.octets, 21);
	assert_int_equal(s.looked_up.frames, 1);
	assert_int_equal(s.looked_up.octets, 108);
	assert_int_equal(s.copies.frames, 2);
	assert_int_equal(s.copies.octets, 216);
	assert_int_equal(s.out.frames, 0);
	s = test_stats(&net->b);
	assert_int_equal(s.out.frames, 1);
	assert_int_equal(s.out.octets, 108);
	assert_int_equal(s.delivered.frames, 1);
	assert_int_equal(s.delivered.octets, 108);
	/* Tags that we put in are not octets more. */
	assert_int_equal(s.segments.octets, 0);
	assert_int_equal(net->b.last.len, 108);
	assert_int_equal(vnet_client_drops(net->sw, net->a.id,
					   VNET_DROP_MALFORMED, &in, &out),
			 0);
	assert_int_equal(in.octets, 21);
	assert_int_equal(out.frames, 0);
	assert_int_equal(vnet_client_drops(net->sw, net->a.id,
					   VNET_DROP_MALFORMED, NULL, NULL),
			 0);
}

static void
test_totals_outlive_their_clients(void **state)
{
	struct vnet_switch_stats before, after;
	struct vnet_count in;
	struct net *net = *state;

	net->b.room = 2;
	send_many(&net->a, 5, 60);
	test_send(&net->a, 0xa, 0xa, 0);
	test_send(&net->c, TEST_BROADCAST, 0xa, 0);
	before = test_switch_stats(net->sw);
	assert_int_equal(before.total.in.frames, 7);
	assert_int_equal(before.total.moves, 1);
	assert_int_equal(vnet_port_remove(net->sw, net->a.port), 0);
	assert_conserved(net->sw);
	assert_int_equal(vnet_client_remove(net->sw, net->b.id), 0);
	assert_conserved(net->sw);
	assert_int_equal(vnet_port_remove(net->sw, net->c.port), 0);
	after = test_switch_stats(net->sw);
	assert_int_equal(after.clients, 0);
	assert_int_equal(after.ports, 1);
	assert_int_equal(after.total.in.frames, before.total.in.frames);
	assert_int_equal(after.total.in.octets, before.total.in.octets);
	assert_int_equal(after.total.copies.frames, before.total.copies.frames);
	assert_int_equal(after.total.moves, 1);
	assert_int_equal(after.total.delivered.frames,
			 before.total.delivered.frames);
	assert_int_equal(after.total.queued.frames, 0);
	assert_int_equal(after.total.out_dropped.frames,
			 before.total.out_dropped.frames +
				 before.total.queued.frames);
	assert_int_equal(
		vnet_switch_drops(net->sw, VNET_DROP_SAME_PORT, &in, NULL), 0);
	assert_int_equal(in.frames, 1);
}

static void
test_total_of_what_queues_lost_outlives_both_clients(void **state)
{
	struct net *net = *state;

	net_reopen(net, &(struct vnet_switch_config){.queue_octets = 65536});
	net->b.room = 0;
	send_many(&net->a, 70, 1000);
	for (int i = 0; i < 3; i++) {
		const struct vnet_switch_stats s = test_switch_stats(net->sw);

		assert_int_equal(s.total.lost_by_others.frames, 38);
		assert_int_equal(s.total.lost_by_others.octets, 38000);
		assert_conserved(net->sw);
		vnet_client_remove(net->sw, i ? net->b.id : net->a.id);
	}
}

static void
test_questions_of_unknown_size_or_reason_are_refused(void **state)
{
	struct net *net = *state;
	struct vnet_client_stats s = {.size = sizeof(s) - 1};
	struct vnet_switch_stats all = {.size = 0};
	struct vnet_count n;

	assert_int_equal(vnet_client_get_stats(net->sw, net->a.id, &s),
			 -EINVAL);
	assert_int_equal(vnet_switch_get_stats(net->sw, &all), -EINVAL);
	assert_int_equal(vnet_client_drops(net->sw, net->a.id, VNET_NDROPS, &n,
					   &n),
			 -EINVAL);
	assert_int_equal(vnet_switch_drops(net->sw, VNET_NDROPS, &n, &n),
			 -EINVAL);
	assert_int_equal(vnet_switch_drops(net->sw, (enum vnet_drop) - 1, &n,
					   &n),
			 -EINVAL);
}

static void
test_each_reason_has_a_name_of_its_own(void **state)
{
	static const char *const names[] = {
		"none",          "malformed",      "bad_offload",
		"bad_source",    "reserved",       "ingress_filter",
		"same_port",     "split_horizon",  "no_destination",
		"reentrant",     "too_deep",       "link_down",
		"egress_filter", "too_long",       "queue_full",
		"pool_empty",    "refused",        "driver_error",
		"removed",       "policed",        "storm",
		"loop_probe",    "receive_filter", "not_addressed",
		"not_granted",   "undecided",      "revoked",
	};

	(void)state;
	/* Stable: programs and their users rely on them. */
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(vnet_drop_name((enum vnet_drop)i),
				    names[i]);
	assert_null(vnet_drop_name((enum vnet_drop)COUNT(names)));
	assert_null(vnet_drop_name((enum vnet_drop) - 1));
}

static void
test_each_reason_is_on_one_side_at_least(void **state)
{
	(void)state;
	for (int i = VNET_DROP_NONE; i <= VNET_NDROPS; i++) {
		bool is_one = i != VNET_DROP_NONE && i != VNET_NDROPS;
		bool in = vnet_drop_is_on((enum vnet_drop)i, false);
		bool out = vnet_drop_is_on((enum vnet_drop)i, true);

		assert_int_equal(in || out, is_one);
	}
	assert_true(vnet_drop_is_on(VNET_DROP_LINK_DOWN, false));
	assert_true(vnet_drop_is_on(VNET_DROP_LINK_DOWN, true));
	assert_false(vnet_drop_is_on(VNET_DROP_RESERVED, true));
	assert_false(vnet_drop_is_on(VNET_DROP_QUEUE_FULL, false));
	assert_false(vnet_drop_is_on(VNET_DROP_RECEIVE_FILTER, false));
	assert_true(vnet_drop_is_on(VNET_DROP_NOT_GRANTED, false));
	assert_true(vnet_drop_is_on(VNET_DROP_NOT_GRANTED, true));
	assert_false(vnet_drop_is_on(VNET_DROP_REVOKED, true));
	assert_false(vnet_drop_is_on((enum vnet_drop) - 1, false));
}

/* A driver that takes its port with it. */
struct suicidal {
	struct vnet_switch *sw;
	vnet_port_id port;
	vnet_client_id id;
	vnet_port_id other;
};

static void
remove_own_port(void *ctx)
{
	struct suicidal *s = ctx;

	assert_int_equal(vnet_client_remove(s->sw, s->id), -ENOENT);
	vnet_port_remove(s->sw, s->port);
	vnet_port_remove(s->sw, s->other);
}

static void
test_driver_may_call_the_switch_while_it_is_closed(void **state)
{
	struct net *net = *state;
	struct suicidal s = {.sw = net->sw, .other = net->c.port};
	static const struct vnet_driver_ops ops = {
		.size = sizeof(ops),
		.send = take_all,
		.close = remove_own_port,
	};
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &ops,
		.ctx = &s,
	};
	struct vnet_switch_stats all;

	for (int by_port = 0; by_port < 2; by_port++) {
		s.port = test_port(net->sw, "d");
		assert_int_equal(vnet_client_add(net->sw, s.port, &config,
						 &s.id, NULL),
				 0);
		if (by_port)
			assert_int_equal(vnet_port_remove(net->sw, s.port), 0);
		else
			assert_int_equal(vnet_client_remove(net->sw, s.id), 0);
		assert_conserved(net->sw);
	}
	assert_int_equal(net->c.nclosed, 1);
	all = test_switch_stats(net->sw);
	assert_int_equal(all.ports, 2);
	assert_int_equal(all.clients, 2);
}

/* What is refused from inside of a send is refused while all goes down. */
struct meddler {
	struct vnet_switch *sw;
	vnet_port_id port;
	vnet_port_id other;
	vnet_client_id other_id;
	unsigned int nclosed;
};

static void
meddle(void *ctx)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = "new",
	};
	struct meddler *m = ctx;
	struct vnet_frame f = test_frame(TEST_BROADCAST, 1, 0);
	vnet_port_id id;

	assert_int_equal(vnet_port_add(m->sw, &config, &id, NULL), -EBUSY);
	assert_int_equal(vnet_port_remove(m->sw, m->other), -EBUSY);
	assert_int_equal(vnet_client_output(m->sw, m->other_id, 1, 0), -EBUSY);
	vnet_switch_input(m->sw, m->other_id, &f, 1, 0);
	vnet_switch_tick(m->sw, 1);
	m->nclosed++;
}

static void
test_driver_is_refused_while_the_switch_is_destroyed(void **state)
{
	static const struct vnet_driver_ops ops = {
		.size = sizeof(ops),
		.send = take_all,
		.close = meddle,
	};
	struct net *net = *state;
	struct test_alloc alloc;
	struct meddler m = {.sw = test_switch(&alloc, 4)};
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &ops,
		.ctx = &m,
	};
	vnet_client_id id;

	m.port = test_port(m.sw, "m");
	assert_int_equal(vnet_client_add(m.sw, m.port, &config, &id, NULL), 0);
	assert_int_equal(fake_open(&net->more[0], m.sw, "x", VNET_ROLE_VIF, 0),
			 0);
	m.other = net->more[0].port;
	m.other_id = net->more[0].id;
	vnet_switch_destroy(m.sw);
	assert_int_equal(m.nclosed, 1);
	assert_int_equal(net->more[0].nclosed, 1);
	assert_int_equal(net->more[0].nsent, 0);
	assert_int_equal(alloc.blocks, 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, net_of_three, net_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wrong_configuration_is_refused_with_its_reason),
		TEST(test_bounds_of_queue_and_weight_are_within),
		TEST(test_failed_opening_leaves_the_driver_to_the_caller),
		TEST(test_driver_is_closed_once_after_its_queue_was_counted),
		TEST(test_driver_is_closed_when_the_switch_is_destroyed),
		TEST(test_client_that_has_gone_is_never_found_again),
		TEST(test_addresses_of_a_client_that_has_gone_are_not_those_of_the_next),
		TEST(test_slot_is_not_used_again_before_it_is_swept),
		TEST(test_slot_of_a_client_without_addresses_is_swept_too),
		TEST(test_driver_may_call_the_switch_while_it_is_closed),
		TEST(test_driver_is_refused_while_the_switch_is_destroyed),
		TEST(test_full_driver_gets_the_rest_in_order_when_it_has_room),
		TEST(test_order_is_kept_within_a_batch_that_is_taken_in_part),
		TEST(test_output_stops_where_the_driver_is_full_again),
		TEST(test_refused_frames_are_drops_of_their_own),
		TEST(test_driver_that_claims_more_than_it_got_is_not_believed),
		TEST(test_broken_driver_loses_all_and_is_left_alone),
		TEST(test_driver_that_breaks_over_its_queue_loses_that_too),
		TEST(test_queue_is_bounded_in_octets_of_the_pool),
		TEST(test_frame_that_takes_more_than_the_queue_is_lost_alone),
		TEST(test_queue_has_the_switchs_bound_where_it_says_none),
		TEST(test_small_frames_share_blocks),
		TEST(test_longest_source_loses_its_newest_frame),
		TEST(test_sources_share_a_queue_by_octets),
		TEST(test_share_of_a_source_is_its_weight),
		TEST(test_bound_of_a_queue_may_change),
		TEST(test_weight_of_a_source_may_change),
		TEST(test_full_client_costs_the_others_nothing),
		TEST(test_source_takes_no_more_of_the_pool_than_it_leaves),
		TEST(test_idle_client_holds_no_memory_of_the_pool),
		TEST(test_frames_of_a_source_that_has_gone_still_leave_the_queue),
		TEST(test_counters_are_in_frames_and_octets_of_the_wire),
		TEST(test_totals_outlive_their_clients),
		TEST(test_total_of_what_queues_lost_outlives_both_clients),
		TEST(test_questions_of_unknown_size_or_reason_are_refused),
		TEST(test_each_reason_has_a_name_of_its_own),
		TEST(test_each_reason_is_on_one_side_at_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
