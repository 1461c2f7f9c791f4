/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads and their media, as medium.h allows it: one forwards, under a
 * lock; the other opens, asks, changes and closes without it, and takes it to
 * attach and to detach. A sanitizer looks for races. In run.sh.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vnet/stream.h>
#include <vnet/tap.h>
#include <vnet/uplink.h>

#include "support.h"

#define ROUNDS 60

struct net {
	struct test_alloc alloc;
	struct vnet_media *media;
	struct fake peer;
	pthread_mutex_t lock; /* of all that follows */
	struct vnet_switch *sw;
	struct vnet_medium *attached[2]; /* one stays, one comes and goes */
	unsigned long nturns;
	unsigned long nread;
	atomic_bool is_over;
};

/* One turn of a loop of a program: frames for all, and from all. */
static void
turn(struct net *net)
{
	struct vnet_medium *m;

	vnet_media_ready(net->media);
	test_send(&net->peer, TEST_BROADCAST, 1, 0);
	for (int i = 0; i < 2; i++) {
		int r = 0;

		m = net->attached[i];
		if (m && vnet_medium_wants(m))
			r = vnet_medium_ready(m, true, true, 0);
		if (r > 0)
			net->nread += (unsigned long)r;
	}
	while ((m = vnet_media_next_changed(net->media)))
		assert_true(m == net->attached[0] || m == net->attached[1]);
	vnet_switch_tick(net->sw, 0);
	net->nturns++;
}

static void *
forward(void *ctx)
{
	struct net *net = ctx;

	while (!net->is_over) {
		pthread_mutex_lock(&net->lock);
		turn(net);
		pthread_mutex_unlock(&net->lock);
		sched_yield();
	}
	return NULL;
}

/* A TAP, here or in another namespace, an uplink, a stream. */
static struct vnet_medium *
open_one(struct net *net, int round, int *far)
{
	static const char *const addresses[] = {"10.2.0.1/24"};
	const struct vnet_tap_config tap = {
		.size = sizeof(tap),
		.netns = round % 4 == 1 ? "other" : NULL,
		.addresses = addresses,
		.naddresses = 1,
		.up = true,
	};
	const struct vnet_uplink_config uplink = {
		.size = sizeof(uplink),
		.name = "near",
	};
	struct vnet_medium *m = NULL;
	int fds[2];

	*far = -1;
	switch (round % 4) {
	case 2:
		assert_int_equal(
			vnet_uplink_open(&m, net->media, &uplink, NULL), 0);
		break;
	case 3:
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		assert_int_equal(
			vnet_stream_adopt(&m, net->media, fds[0], NULL), 0);
		*far = fds[1];
		break;
	default:
		assert_int_equal(vnet_tap_open(&m, net->media, &tap, NULL), 0);
	}
	return m;
}

static void
attach(struct net *net, int which, struct vnet_medium *m, const char *name)
{
	vnet_port_id port;

	pthread_mutex_lock(&net->lock);
	port = test_port(net->sw, name);
	assert_int_equal(vnet_medium_attach(m, net->sw, port, 0, 0, NULL), 0);
	net->attached[which] = m;
	pthread_mutex_unlock(&net->lock);
}

static void
detach(struct net *net, int which, const char *name)
{
	pthread_mutex_lock(&net->lock);
	vnet_medium_detach(net->attached[which]);
	assert_int_equal(
		vnet_port_remove(net->sw, vnet_port_find(net->sw, name)), 0);
	net->attached[which] = NULL;
	pthread_mutex_unlock(&net->lock);
}

/* What any thread may ask, and change. */
static void
ask(struct vnet_medium *m, uint32_t mtu)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	struct vnet_medium_stats stats = {.size = sizeof(stats)};
	const bool up = mtu % 2;
	const struct vnet_tap_change change = {
		.size = sizeof(change),
		.mtu = mtu,
		.up = &up,
	};

	assert_int_equal(vnet_medium_get(m, &info), 0);
	assert_int_equal(vnet_medium_get_stats(m, &stats), 0);
	assert_int_equal(vnet_medium_error(m), 0);
	assert_true(vnet_medium_fd(m) >= 0);
	if (strcmp(info.kind, "tap") != 0)
		return;
	assert_int_equal(vnet_tap_change(m, &change, NULL), 0);
	assert_int_equal(vnet_medium_get(m, &info), 0);
	assert_int_equal(info.mtu, mtu);
	assert_int_equal(info.up, up);
}

static void
wait_for_turns(struct net *net, unsigned long n)
{
	unsigned long now, end = 0;

	do {
		pthread_mutex_lock(&net->lock);
		now = net->nturns;
		pthread_mutex_unlock(&net->lock);
		if (!end)
			end = now + n;
		sched_yield();
	} while (now < end);
}

static void
test_media_come_and_go_while_another_thread_forwards(void **state)
{
	struct net net = {.is_over = false};
	struct vnet_medium *m;
	pthread_t thread;
	int far, far0;

	(void)state;
	net.sw = test_switch(&net.alloc, 8);
	assert_int_equal(fake_open(&net.peer, net.sw, "peer", VNET_ROLE_VIF, 0),
			 0);
	assert_int_equal(vnet_media_create(&net.media), 0);
	assert_int_equal(pthread_mutex_init(&net.lock, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, forward, &net), 0);

	m = open_one(&net, 0, &far0);
	attach(&net, 0, m, "stays");
	for (int round = 0; round < ROUNDS; round++) {
		m = open_one(&net, round, &far);
		ask(m, 1401);
		attach(&net, 1, m, "goes");
		ask(m, 1403);
		/* Down, while frames are sent to it. */
		ask(m, 1404);
		ask(net.attached[0], 1405);
		wait_for_turns(&net, 3);
		detach(&net, 1, "goes");
		ask(m, 1407);
		vnet_medium_close(m);
		if (far >= 0)
			close(far);
	}
	m = net.attached[0];
	detach(&net, 0, "stays");
	net.is_over = true;
	pthread_join(thread, NULL);
	vnet_medium_close(m);
	vnet_media_destroy(net.media);
	pthread_mutex_destroy(&net.lock);
	assert_true(net.nturns > 3 * ROUNDS);
	test_switch_end(net.sw, &net.alloc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_media_come_and_go_while_another_thread_forwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
