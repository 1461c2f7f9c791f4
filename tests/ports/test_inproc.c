/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The in-process driver: what every driver does, and what its header says
 * besides.
 */
#include <errno.h>

#include "conformance.h"

struct program {
	struct vnet_inproc ip;
	bool is_full; /* it does not poll */
};

static int
open_inproc(void *ctx, struct vnet_switch *sw, vnet_port_id port,
	    vnet_client_id *id)
{
	struct program *p = ctx;
	int r = vnet_inproc_open(&p->ip, sw, port, VNET_CARRIES_CSUM, 0);

	if (!r)
		*id = p->ip.id;
	return r;
}

static bool
now_gone(void *ctx)
{
	const struct program *p = ctx;

	return p->ip.id == VNET_NO_ID;
}

static void
poll_all(void *ctx, conformance_fn fn, void *fn_ctx)
{
	struct program *p = ctx;

	if (!p->is_full)
		vnet_inproc_poll(&p->ip, fn, fn_ctx, SIZE_MAX, 0);
}

static void
inject(void *ctx, const struct vnet_frame *f)
{
	const struct program *p = ctx;

	vnet_switch_input(p->ip.sw, p->ip.id, f, 1, 0);
}

static void
set_full(void *ctx, bool full)
{
	struct program *p = ctx;

	p->is_full = full;
}

/* Its own header */

struct net {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	vnet_port_id port;
	struct vnet_inproc ip;
	struct fake peer;
	unsigned int nframes;
	uint64_t stream;
};

static int
set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	net->sw = test_switch(&net->alloc, 4);
	net->port = test_port(net->sw, "program");
	assert_int_equal(
		vnet_inproc_open(&net->ip, net->sw, net->port, 0, 4096), 0);
	assert_int_equal(
		fake_open(&net->peer, net->sw, "peer", VNET_ROLE_VIF, 0), 0);
	*state = net;
	return 0;
}

static int
tear_down(void **state)
{
	struct net *net = *state;

	test_switch_end(net->sw, &net->alloc);
	assert_true(net->ip.id == VNET_NO_ID);
	free(net);
	return 0;
}

static void
count(void *ctx, const struct vnet_frame *f)
{
	struct net *net = ctx;

	net->nframes++;
	net->stream = test_hash(net->stream, f->data, f->len);
}

static void
test_poll_takes_no_more_than_asked_for(void **state)
{
	struct net *net = *state;

	for (int i = 0; i < 10; i++)
		test_send(&net->peer, TEST_BROADCAST, 1, 0);
	assert_int_equal(net->nframes, 0);
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 0, 0), 0);
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 3, 0), 3);
	assert_int_equal(net->nframes, 3);
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 100, 0), 7);
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 100, 0), 0);
	assert_int_equal(net->nframes, 10);
}

static void
test_queue_is_as_long_as_asked_for(void **state)
{
	struct net *net = *state;

	for (int i = 0; i < 100; i++)
		test_send(&net->peer, TEST_BROADCAST, 1, 0);
	/* Two blocks, each with as many records of 40 octets and a frame, in
	 * units of 8, as it has room for. */
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 100, 0),
			 2 * (VNET_POOL_BLOCK / 104));
	assert_int_equal(net->nframes, 38);
}

static void
poll_again(void *ctx, const struct vnet_frame *f)
{
	struct net *net = ctx;
	struct vnet_frame answer = test_frame(1, 2, 0);

	count(ctx, f);
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 1, 0), -EBUSY);
	vnet_switch_input(net->sw, net->ip.id, &answer, 1, 0);
}

static void
test_switch_is_not_called_from_inside_a_poll(void **state)
{
	struct net *net = *state;
	struct vnet_count in;

	for (int i = 0; i < 5; i++)
		test_send(&net->peer, TEST_BROADCAST, 1, 0);
	assert_int_equal(vnet_inproc_poll(&net->ip, poll_again, net, 9, 0), 5);
	assert_int_equal(net->nframes, 5);
	assert_int_equal(vnet_client_drops(net->sw, net->ip.id,
					   VNET_DROP_REENTRANT, &in, NULL),
			 0);
	assert_int_equal(in.frames, 5);
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 9, 0), 0);
}

static void
poll_from_send(struct fake *fake, const struct vnet_frame *frames, size_t n)
{
	struct net *net = fake->ctx;

	(void)frames;
	(void)n;
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 9, 0), -EBUSY);
}

static void
test_poll_from_inside_a_send_is_busy(void **state)
{
	struct vnet_frame f = test_frame(TEST_BROADCAST, 2, 0);
	struct net *net = *state;

	test_send(&net->peer, TEST_BROADCAST, 1, 0);
	net->peer.on_send = poll_from_send;
	net->peer.ctx = net;
	vnet_switch_input(net->sw, net->ip.id, &f, 1, 0);
	assert_int_equal(net->peer.nsent, 1);
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 9, 0), 1);
}

static void
test_client_that_has_gone_is_not_polled(void **state)
{
	struct net *net = *state;

	test_send(&net->peer, TEST_BROADCAST, 1, 0);
	assert_int_equal(vnet_client_remove(net->sw, net->ip.id), 0);
	assert_true(net->ip.id == VNET_NO_ID);
	assert_int_equal(vnet_inproc_poll(&net->ip, count, net, 9, 0), -ENOENT);
	assert_int_equal(net->nframes, 0);
}

static void
test_client_of_a_switch_that_has_gone_is_not_polled(void **state)
{
	struct test_alloc alloc;
	struct vnet_switch *sw = test_switch(&alloc, 2);
	const vnet_port_id port = test_port(sw, "ip");
	struct vnet_inproc ip;

	(void)state;
	assert_int_equal(vnet_inproc_open(&ip, sw, port, 0, 0), 0);
	test_switch_end(sw, &alloc);
	assert_true(ip.id == VNET_NO_ID);
	assert_int_equal(vnet_inproc_poll(&ip, count, NULL, 9, 0), -ENOENT);
}

static void
test_wrong_queue_is_refused(void **state)
{
	struct net *net = *state;
	struct vnet_inproc other;

	assert_int_equal(vnet_client_remove(net->sw, net->ip.id), 0);
	assert_int_equal(vnet_inproc_open(&other, net->sw, net->port, 0, 1),
			 -EINVAL);
	assert_int_equal(vnet_inproc_open(&other, net->sw, net->port, 1u << 31,
					  0),
			 -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	static const struct conformance inproc = {
		.name = "inproc",
		.carries = VNET_CARRIES_CSUM,
		.size = sizeof(struct program),
		.open = open_inproc,
		.now_gone = now_gone,
		.read = poll_all,
		.inject = inject,
		.set_full = set_full,
	};
	const struct CMUnitTest tests[] = {
		TEST(test_poll_takes_no_more_than_asked_for),
		TEST(test_queue_is_as_long_as_asked_for),
		TEST(test_switch_is_not_called_from_inside_a_poll),
		TEST(test_poll_from_inside_a_send_is_busy),
		TEST(test_client_that_has_gone_is_not_polled),
		cmocka_unit_test(
			test_client_of_a_switch_that_has_gone_is_not_polled),
		TEST(test_wrong_queue_is_refused),
	};
	int failed = conformance_run(&inproc);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
