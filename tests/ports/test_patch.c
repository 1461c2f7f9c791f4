/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The patch driver: what every driver does, with a second switch as its medium,
 * and what its header says besides.
 *
 *	       port  patch  cable       far
 *	  sw ----------------- switch ------ the test
 */
#include <errno.h>

#include "conformance.h"
#include "packet.h"

#define QUEUE (UINT32_C(1) << 26)

struct medium {
	struct test_alloc alloc;
	struct vnet_switch *far_switch;
	struct vnet_inproc far;
	struct vnet_patch patch;
};

static int
open_patch(void *ctx, struct vnet_switch *sw, vnet_port_id port,
	   vnet_client_id *id)
{
	const struct vnet_switch_config config = {
		.pool_octets = 2 * QUEUE,
		.queue_octets = QUEUE,
	};
	struct medium *m = ctx;
	struct vnet_switch *both[2];
	vnet_port_id ports[2];
	int r;

	m->far_switch = test_switch_of(&m->alloc, &config);
	both[0] = sw;
	both[1] = m->far_switch;
	ports[0] = port;
	ports[1] = test_port(m->far_switch, "cable");
	r = vnet_inproc_open(&m->far, m->far_switch,
			     test_port(m->far_switch, "far"), CARRIES_ALL, 0);
	assert_int_equal(r, 0);
	r = vnet_patch_open(&m->patch, both, ports, NULL);
	if (r)
		test_switch_end(m->far_switch, &m->alloc);
	else
		*id = m->patch.end[0].id;
	return r;
}

static bool
now_gone(void *ctx)
{
	struct medium *m = ctx;
	bool is_gone = m->patch.end[0].id == VNET_NO_ID &&
		       !test_has_link(m->far_switch,
				      vnet_client_port(m->far_switch,
						       m->patch.end[1].id));

	test_switch_end(m->far_switch, &m->alloc);
	return is_gone;
}

static void
read_far(void *ctx, conformance_fn fn, void *fn_ctx)
{
	struct medium *m = ctx;

	vnet_inproc_poll(&m->far, fn, fn_ctx, SIZE_MAX, 0);
}

static void
inject(void *ctx, const struct vnet_frame *f)
{
	const struct medium *m = ctx;

	vnet_switch_input(m->far_switch, m->far.id, f, 1, 0);
}

/* Its own header */

struct pair {
	struct test_alloc alloc[2];
	struct vnet_switch *sw[2];
	vnet_port_id port[2];
	struct fake host[2];
	struct vnet_patch patch;
	struct vnet_patch other;
};

static int
set_up(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	for (int i = 0; i < 2; i++) {
		p->sw[i] = test_switch(&p->alloc[i], 4);
		p->port[i] = test_port(p->sw[i], "cable");
		assert_int_equal(fake_open(&p->host[i], p->sw[i], "host",
					   VNET_ROLE_VIF, 0),
				 0);
	}
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < 2; i++)
		test_switch_end(p->sw[i], &p->alloc[i]);
	free(p);
	return 0;
}

static void
connect(struct pair *p)
{
	assert_int_equal(vnet_patch_open(&p->patch, p->sw, p->port, NULL), 0);
}

static void
test_frame_comes_out_of_the_other_switch_at_its_time(void **state)
{
	struct pair *p = *state;

	connect(p);
	test_send(&p->host[0], 0xb, 0xa, SECONDS(7));
	assert_int_equal(p->host[1].nsent, 1);
	assert_int_equal(p->host[1].last.depth, 2);
	assert_true(vnet_switch_time(p->sw[1]) == SECONDS(7));
	test_send(&p->host[1], 0xa, 0xb, SECONDS(8));
	assert_int_equal(p->host[0].nsent, 1);
}

static void
test_end_that_is_left_alone_has_no_link(void **state)
{
	struct pair *p = *state;

	for (int gone = 0; gone < 2; gone++) {
		int left = !gone;

		connect(p);
		assert_int_equal(vnet_client_remove(p->sw[gone],
						    p->patch.end[gone].id),
				 0);
		assert_true(p->patch.end[gone].id == VNET_NO_ID);
		assert_false(test_has_link(p->sw[left], p->port[left]));
		assert_int_equal(vnet_client_remove(p->sw[left],
						    p->patch.end[left].id),
				 0);
		for (int i = 0; i < 2; i++)
			vnet_port_set_link(p->sw[i], p->port[i], true);
	}
}

static void
test_frame_for_an_end_that_has_gone_is_refused(void **state)
{
	struct pair *p = *state;
	struct fake end = {.sw = p->sw[0]};

	connect(p);
	vnet_client_remove(p->sw[1], p->patch.end[1].id);
	vnet_port_set_link(p->sw[0], p->port[0], true);
	test_send(&p->host[0], 0xb, 0xa, 0);
	end.id = p->patch.end[0].id;
	assert_int_equal(test_out_drops(&end, VNET_DROP_REFUSED), 1);
}

static void
test_what_cannot_be_connected_is_left_as_it_was(void **state)
{
	struct pair *p = *state;
	struct vnet_switch *same[2] = {p->sw[0], p->sw[0]};
	vnet_port_id taken[2] = {p->port[0], test_taken_port(p->sw[1])};
	struct vnet_why why = {0};

	assert_int_equal(vnet_patch_open(&p->patch, same, p->port, &why),
			 -EINVAL);
	assert_string_equal(why.text, "a patch connects two switches");
	assert_int_equal(vnet_patch_open(&p->patch, p->sw, taken, &why),
			 -EEXIST);
	assert_true(vnet_client_next(p->sw[0], p->port[0], VNET_NO_ID) ==
		    VNET_NO_ID);
	taken[0] = VNET_NO_ID;
	assert_int_equal(vnet_patch_open(&p->patch, p->sw, taken, &why),
			 -ENOENT);
}

static void
test_ring_of_two_cables_ends(void **state)
{
	struct pair *p = *state;
	const vnet_port_id ports[2] = {test_port(p->sw[0], "other"),
				       test_port(p->sw[1], "other")};
	uint64_t reentrant = 0;

	connect(p);
	assert_int_equal(vnet_patch_open(&p->other, p->sw, ports, NULL), 0);
	test_send(&p->host[0], TEST_BROADCAST, 0xa, 0);
	assert_int_equal(p->host[1].nsent, 2);
	for (int i = 0; i < 2; i++) {
		struct vnet_count in;

		vnet_switch_drops(p->sw[i], VNET_DROP_REENTRANT, &in, NULL);
		reentrant += in.frames;
	}
	assert_true(reentrant > 0);
}

int
main(void)
{
	static const struct conformance patch = {
		.name = "patch",
		.carries = CARRIES_ALL,
		.size = sizeof(struct medium),
		.open = open_patch,
		.now_gone = now_gone,
		.read = read_far,
		.inject = inject,
	};
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_frame_comes_out_of_the_other_switch_at_its_time),
		TEST(test_end_that_is_left_alone_has_no_link),
		TEST(test_frame_for_an_end_that_has_gone_is_refused),
		TEST(test_what_cannot_be_connected_is_left_as_it_was),
		TEST(test_ring_of_two_cables_ends),
#undef TEST
	};

	return conformance_run(&patch) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
