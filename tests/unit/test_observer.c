/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Observers of clients: a sends, b and c are sent to. What is heard is compared
 * with what was handed in, and with what the drivers took.
 */
#include <errno.h>

#include "net.h"
#include "packet.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct heard {
	unsigned long ncalls;
	unsigned long nframes;
	uint64_t octets;
	uint64_t stream; /* as struct fake has it */
	vnet_nsec now;
};

struct ear {
	struct heard in, out;
	void (*on_hear)(struct ear *ear, bool out);
	void *ctx; /* of that */
};

/* A net, and who listens at it. */
struct heard_net {
	struct net net;
	struct ear at_a, at_b, at_c;
};

static void
hear(void *ctx, bool out, const struct vnet_frame *frames, size_t n,
     vnet_nsec now)
{
	struct ear *ear = ctx;
	struct heard *heard = out ? &ear->out : &ear->in;

	assert_true(n > 0);
	if (!heard->ncalls)
		heard->stream = TEST_HASH_INIT;
	heard->ncalls++;
	heard->now = now;
	for (size_t i = 0; i < n; i++) {
		heard->nframes++;
		heard->octets += frames[i].len + 4u * frames[i].ntags;
		heard->stream = test_hash_frame(heard->stream, &frames[i]);
	}
	if (ear->on_hear)
		ear->on_hear(ear, out);
}

static int
observe(const struct fake *fake, struct ear *ear)
{
	const struct vnet_observer observer = {
		.size = sizeof(observer),
		.frames = hear,
		.ctx = ear,
	};

	return vnet_client_observe(fake->sw, fake->id, &observer);
}

static int
set_up(void **state)
{
	struct heard_net *h = calloc(1, sizeof(*h));
	struct net *net = &h->net;

	net_open(net, 2, &(struct vnet_switch_config){0});
	assert_int_equal(fake_open(&net->c, net->sw, "c", VNET_ROLE_VIF,
				   CARRIES_ALL),
			 0);
	assert_int_equal(observe(&net->a, &h->at_a), 0);
	assert_int_equal(observe(&net->b, &h->at_b), 0);
	assert_int_equal(observe(&net->c, &h->at_c), 0);
	*state = h;
	return 0;
}

static void
assert_nothing(const struct heard *heard)
{
	assert_int_equal(heard->ncalls, 0);
}

/* What was heard at @fake is what its driver took. */
static void
assert_heard_what_was_taken(const struct fake *fake, const struct ear *ear)
{
	assert_int_equal(ear->out.nframes, fake->nsent);
	assert_int_equal(ear->out.octets, fake->octets);
	if (fake->nsent)
		assert_true(ear->out.stream == fake->stream);
}

/* @n frames to everybody in one batch. */
static void
flood(const struct heard_net *h, size_t n)
{
	struct vnet_frame f[200];

	assert_true(n <= COUNT(f));
	for (size_t i = 0; i < n; i++)
		f[i] = test_frame(TEST_BROADCAST, 0xa, 60 + i);
	vnet_switch_input(h->net.sw, h->net.a.id, f, n, SECONDS(3));
}

/* What is heard */

static void
nobody_has_anything(struct ear *ear, bool out)
{
	const struct heard_net *h = ear->ctx;

	assert_false(out);
	assert_int_equal(h->net.b.nsends, 0);
	assert_int_equal(h->net.c.nsends, 0);
}

static void
test_batch_in_is_heard_as_it_comes_before_it_is_decided(void **state)
{
	struct vnet_client_stats s;
	struct heard_net *h = *state;
	struct vnet_frame f[150];
	uint64_t stream = TEST_HASH_INIT;

	for (size_t i = 0; i < COUNT(f); i++)
		f[i] = test_frame(TEST_BROADCAST, 0xa, 60 + i);
	/* Of no use to anybody but who wants to know why. */
	f[3].len = 7;
	f[10].gso_type = 99;
	f[70] = test_frame(0xb, TEST_BROADCAST, 0);
	f[100].nsegs = 17;
	for (size_t i = 0; i < COUNT(f); i++)
		stream = test_hash_frame(stream, &f[i]);
	h->at_a.on_hear = nobody_has_anything;
	h->at_a.ctx = h;
	vnet_switch_input(h->net.sw, h->net.a.id, f, COUNT(f), SECONDS(5));
	assert_int_equal(h->at_a.in.ncalls, 1);
	assert_int_equal(h->at_a.in.nframes, COUNT(f));
	assert_true(h->at_a.in.stream == stream);
	assert_true(h->at_a.in.now == SECONDS(5));
	assert_nothing(&h->at_a.out);
	s = test_stats(&h->net.a);
	assert_int_equal(s.in.frames, h->at_a.in.nframes);
	assert_int_equal(s.in.octets, h->at_a.in.octets);
	assert_int_equal(h->net.b.nsent, COUNT(f) - 3);
}

static void
test_time_that_steps_back_is_that_of_the_switch(void **state)
{
	struct heard_net *h = *state;

	test_send(&h->net.a, TEST_BROADCAST, 0xa, SECONDS(5));
	test_send(&h->net.a, TEST_BROADCAST, 0xa, SECONDS(4));
	assert_true(h->at_a.in.now == SECONDS(5));
	assert_true(h->at_b.out.now == SECONDS(5));
}

static void
test_no_frames_are_no_news(void **state)
{
	struct heard_net *h = *state;

	vnet_switch_input(h->net.sw, h->net.a.id, NULL, 0, 0);
	h->net.b.room = 0;
	flood(h, 5);
	assert_nothing(&h->at_b.out);
	assert_int_equal(vnet_client_output(h->net.sw, h->net.b.id, 10, 0), 0);
	assert_nothing(&h->at_b.out);
	assert_int_equal(h->at_a.in.ncalls, 1);
}

static void
test_every_destination_is_heard(void **state)
{
	struct heard_net *h = *state;

	flood(h, 150);
	/* 64 are flushed at a time. */
	assert_int_equal(h->at_b.out.ncalls, 3);
	assert_int_equal(h->at_b.out.nframes, 150);
	assert_int_equal(h->at_c.out.nframes, 150);
	assert_heard_what_was_taken(&h->net.b, &h->at_b);
	assert_heard_what_was_taken(&h->net.c, &h->at_c);
	assert_true(h->at_b.out.now == SECONDS(3));
	assert_nothing(&h->at_a.out);
	assert_nothing(&h->at_b.in);

	test_send(&h->net.b, 0xa, 0xb, SECONDS(4));
	assert_int_equal(h->at_a.out.nframes, 1);
	assert_int_equal(h->at_b.in.nframes, 1);
	assert_int_equal(h->at_c.out.nframes, 150);
}

static void
test_only_what_was_taken_is_heard_and_the_rest_when_it_is(void **state)
{
	struct heard_net *h = *state;

	h->net.b.room = 4;
	flood(h, 10);
	assert_int_equal(h->at_b.out.nframes, 4);
	assert_heard_what_was_taken(&h->net.b, &h->at_b);
	h->net.b.room = 3;
	assert_int_equal(
		vnet_client_output(h->net.sw, h->net.b.id, 10, SECONDS(9)), 3);
	assert_int_equal(h->at_b.out.nframes, 7);
	assert_true(h->at_b.out.now == SECONDS(9));
	h->net.b.room = FAKE_ENDLESS;
	assert_int_equal(
		vnet_client_output(h->net.sw, h->net.b.id, 10, SECONDS(9)), 3);
	assert_int_equal(h->at_b.out.nframes, 10);
	assert_heard_what_was_taken(&h->net.b, &h->at_b);
	assert_true(h->at_b.out.stream == h->at_c.out.stream);
}

/* b carries nothing: it is handed segments with tags in their octets. */
static void
test_frames_are_heard_as_resolved_for_the_driver(void **state)
{
	static uint8_t octets[PACKET_MAX];
	const struct packet p = {
		.kind = PACKET_TCP4,
		.dst = 2,
		.src = 1,
		.payload = 5001,
		.gso_size = 1000,
		.ntags = 2,
	};
	struct heard_net *h = *state;
	struct vnet_frame f = packet_make(octets, &p);

	for (long room = 0; room < 8; room++) {
		h->net.b.room = room;
		vnet_switch_input(h->net.sw, h->net.a.id, &f, 1, 0);
		h->net.b.room = FAKE_ENDLESS;
		vnet_client_output(h->net.sw, h->net.b.id, 100, 0);
	}
	assert_int_equal(h->at_a.in.nframes, 8);
	assert_int_equal(h->at_b.out.nframes, 8 * 6);
	assert_int_equal(h->at_c.out.nframes, 8);
	assert_heard_what_was_taken(&h->net.b, &h->at_b);
	assert_heard_what_was_taken(&h->net.c, &h->at_c);
	assert_int_equal(h->net.b.last.ntags, 0);
	assert_int_equal(h->net.c.last.ntags, 2);
}

static void
test_what_does_not_reach_the_driver_is_not_heard(void **state)
{
	struct heard_net *h = *state;

	assert_int_equal(vnet_port_set_link(h->net.sw, h->net.b.port, false),
			 0);
	flood(h, 3);
	assert_nothing(&h->at_b.out);
	assert_int_equal(vnet_port_set_link(h->net.sw, h->net.b.port, true), 0);
	assert_int_equal(vnet_filter_set_default(h->net.sw, h->net.b.port,
						 VNET_EGRESS, VNET_DROP),
			 0);
	flood(h, 3);
	assert_nothing(&h->at_b.out);
}

static void
test_refused_frames_are_heard_and_those_of_a_broken_driver_are_not(void **state)
{
	struct heard_net *h = *state;

	h->net.b.refuse = 2;
	flood(h, 5);
	assert_int_equal(h->at_b.out.nframes, 5);
	h->net.b.error = -EPIPE;
	flood(h, 5);
	assert_int_equal(h->at_b.out.nframes, 5);
}

static int
claim_more(void *ctx, const struct vnet_frame *frames, size_t n,
	   size_t *refused)
{
	(void)ctx;
	(void)frames;
	(void)refused;
	return (int)n + 10;
}

static void
test_driver_that_claims_more_than_it_got_is_not_believed(void **state)
{
	struct heard_net *h = *state;
	static const struct vnet_driver_ops ops = {
		.size = sizeof(ops),
		.send = claim_more,
	};
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &ops,
	};

	assert_int_equal(vnet_client_remove(h->net.sw, h->net.b.id), 0);
	assert_int_equal(vnet_client_add(h->net.sw, h->net.b.port, &config,
					 &h->net.b.id, NULL),
			 0);
	assert_int_equal(observe(&h->net.b, &h->at_b), 0);
	flood(h, 5);
	assert_int_equal(h->at_b.out.nframes, 5);
}

/* How long */

static void
test_another_takes_the_place_of_the_first_and_none_ends_it(void **state)
{
	struct heard_net *h = *state;
	struct ear other = {.ctx = NULL};

	flood(h, 1);
	assert_int_equal(observe(&h->net.b, &other), 0);
	flood(h, 2);
	assert_int_equal(h->at_b.out.nframes, 1);
	assert_int_equal(other.out.nframes, 2);
	assert_int_equal(vnet_client_observe(h->net.sw, h->net.b.id, NULL), 0);
	assert_int_equal(vnet_client_observe(h->net.sw, h->net.b.id, NULL), 0);
	assert_int_equal(vnet_client_observe(h->net.sw, h->net.a.id, NULL), 0);
	flood(h, 4);
	assert_int_equal(h->at_b.out.nframes, 1);
	assert_int_equal(other.out.nframes, 2);
	assert_int_equal(h->at_a.in.nframes, 3);
	assert_int_equal(h->net.b.nsent, 7);
}

static void
test_observer_goes_with_its_client(void **state)
{
	struct heard_net *h = *state;

	h->net.b.room = 0;
	flood(h, 3);
	assert_int_equal(vnet_client_remove(h->net.sw, h->net.b.id), 0);
	assert_int_equal(observe(&h->net.b, &h->at_b), -ENOENT);
	assert_int_equal(vnet_client_observe(h->net.sw, h->net.b.id, NULL),
			 -ENOENT);
	while (vnet_switch_deadline(h->net.sw) == 0)
		vnet_switch_tick(h->net.sw, 0);
	/* The one that has its place is not heard. */
	assert_int_equal(fake_attach(&h->net.b, h->net.sw, h->net.b.port, 0, 0),
			 0);
	flood(h, 3);
	test_send(&h->net.b, 0xa, 0xb, 0);
	assert_int_equal(h->net.b.nsent, 3);
	assert_nothing(&h->at_b.out);
	assert_nothing(&h->at_b.in);
}

static void
test_observer_that_is_wrong_is_refused(void **state)
{
	struct heard_net *h = *state;
	struct vnet_observer observer = {
		.size = sizeof(observer) - 1,
		.frames = hear,
	};

	assert_int_equal(vnet_client_observe(h->net.sw, h->net.b.id, &observer),
			 -EINVAL);
	observer.size = sizeof(observer);
	observer.frames = NULL;
	assert_int_equal(vnet_client_observe(h->net.sw, h->net.b.id, &observer),
			 -EINVAL);
	/* The one before is still there. */
	flood(h, 1);
	assert_int_equal(h->at_b.out.nframes, 1);
}

/* The switch, from inside */

static void
observe_from_send(struct fake *fake, const struct vnet_frame *frames, size_t n)
{
	(void)frames;
	(void)n;
	assert_int_equal(observe(fake, fake->ctx), -EBUSY);
	assert_int_equal(vnet_client_observe(fake->sw, fake->id, NULL), -EBUSY);
}

static void
test_observer_is_not_changed_from_inside_send(void **state)
{
	struct heard_net *h = *state;
	struct ear other = {.ctx = NULL};

	h->net.b.on_send = observe_from_send;
	h->net.b.ctx = &other;
	flood(h, 2);
	assert_int_equal(h->at_b.out.nframes, 2);
	assert_nothing(&other.out);
}

static void
answer(struct fake *fake, const struct vnet_frame *frames, size_t n)
{
	(void)frames;
	(void)n;
	test_send(fake, 0xa, 0xb, 0);
}

static void
test_frames_from_inside_send_are_heard_too(void **state)
{
	struct heard_net *h = *state;

	h->net.b.on_send = answer;
	flood(h, 2);
	assert_int_equal(h->at_b.in.nframes, 1);
	assert_int_equal(test_in_drops(&h->net.b, VNET_DROP_REENTRANT), 1);
	assert_nothing(&h->at_a.out);
}

static void
call_the_switch(struct ear *ear, bool out)
{
	struct heard_net *h = ear->ctx;

	(void)out;
	test_send(&h->net.a, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(observe(&h->net.a, ear), -EBUSY);
	assert_int_equal(vnet_client_remove(h->net.sw, h->net.a.id), -EBUSY);
	assert_int_equal(vnet_client_output(h->net.sw, h->net.a.id, 1, 0),
			 -EBUSY);
}

static void
test_observer_that_calls_the_switch_is_refused(void **state)
{
	struct heard_net *h = *state;

	h->at_a.on_hear = call_the_switch;
	h->at_a.ctx = h;
	h->at_b.on_hear = call_the_switch;
	h->at_b.ctx = h;
	flood(h, 2);
	assert_int_equal(h->at_a.in.nframes, 2);
	assert_int_equal(h->at_b.out.nframes, 2);
	assert_int_equal(h->net.b.nsent, 2);
	assert_int_equal(test_in_drops(&h->net.a, VNET_DROP_REENTRANT), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, net_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_batch_in_is_heard_as_it_comes_before_it_is_decided),
		TEST(test_time_that_steps_back_is_that_of_the_switch),
		TEST(test_no_frames_are_no_news),
		TEST(test_every_destination_is_heard),
		TEST(test_only_what_was_taken_is_heard_and_the_rest_when_it_is),
		TEST(test_frames_are_heard_as_resolved_for_the_driver),
		TEST(test_what_does_not_reach_the_driver_is_not_heard),
		TEST(test_refused_frames_are_heard_and_those_of_a_broken_driver_are_not),
		TEST(test_driver_that_claims_more_than_it_got_is_not_believed),
		TEST(test_another_takes_the_place_of_the_first_and_none_ends_it),
		TEST(test_observer_goes_with_its_client),
		TEST(test_observer_that_is_wrong_is_refused),
		TEST(test_observer_is_not_changed_from_inside_send),
		TEST(test_frames_from_inside_send_are_heard_too),
		TEST(test_observer_that_calls_the_switch_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
