/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop guard: a medium that gives back on one port what went out by another.
 */
#include <errno.h>

#include "net.h"

struct wire {
	struct net net; /* first: net_tear_down() */
	struct vnet_frame probe;
	uint8_t data[64];
	unsigned int nprobes;
};

static int
set_up(void **state)
{
	struct wire *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	net_open(&w->net, 3, &(struct vnet_switch_config){.seed = 7});
	*state = w;
	return 0;
}

/* Keep what was sent: a driver may not call the switch. */
static void
keep(struct fake *fake, const struct vnet_frame *f)
{
	struct wire *w = fake->ctx;

	assert_true(f->len <= sizeof(w->data));
	memcpy(w->data, f->data, f->len);
	w->probe = *f;
	w->probe.data = w->data;
	w->probe.depth = 0;
	w->nprobes++;
}

static void
guard(struct wire *w, struct fake *f)
{
	f->on_take = keep;
	f->ctx = w;
	assert_int_equal(vnet_port_set_flags(w->net.sw, f->port,
					     VNET_PORT_LOOP_GUARD),
			 0);
}

/* Give what went out last to @to. */
static void
give_back(struct wire *w, const struct fake *to, vnet_nsec now)
{
	vnet_switch_input(w->net.sw, to->id, &w->probe, 1, now);
}

static unsigned int
count_events(struct wire *w, enum vnet_event_type type, vnet_port_id port)
{
	struct vnet_event e = {.size = sizeof(e)};
	unsigned int n = 0;

	while (vnet_switch_event(w->net.sw, &e) == 1)
		n += e.type == type && e.port == port;
	return n;
}

static void
test_probes_go_out_at_once_and_then_in_their_time(void **state)
{
	struct wire *w = *state;

	assert_true(vnet_switch_deadline(w->net.sw) == VNET_NEVER);
	vnet_switch_tick(w->net.sw, SECONDS(5));
	guard(w, &w->net.a);
	assert_true(vnet_switch_deadline(w->net.sw) <= SECONDS(5));
	vnet_switch_tick(w->net.sw, SECONDS(5));
	assert_int_equal(w->nprobes, 1);
	assert_int_equal(w->probe.len, 60);
	assert_true(vnet_switch_deadline(w->net.sw) == SECONDS(7));
	vnet_switch_tick(w->net.sw, SECONDS(7) - 1);
	assert_int_equal(w->nprobes, 1);
	vnet_switch_tick(w->net.sw, SECONDS(7));
	assert_int_equal(w->nprobes, 2);
	/* Others are not sent any, */
	assert_int_equal(w->net.b.nsent, 0);
	assert_int_equal(test_switch_stats(w->net.sw).originated.frames, 2);
	/* nor is a port that is down, or no more guarded. */
	vnet_port_set_link(w->net.sw, w->net.a.port, false);
	vnet_switch_tick(w->net.sw, SECONDS(9));
	vnet_port_set_link(w->net.sw, w->net.a.port, true);
	vnet_port_set_flags(w->net.sw, w->net.a.port, 0);
	vnet_switch_tick(w->net.sw, SECONDS(11));
	assert_int_equal(w->nprobes, 2);
	assert_true(vnet_switch_deadline(w->net.sw) == VNET_NEVER);
}

static void
test_younger_of_two_ports_in_a_loop_is_closed(void **state)
{
	struct wire *w = *state;

	guard(w, &w->net.a);
	vnet_switch_tick(w->net.sw, 0);
	give_back(w, &w->net.b, 1);
	assert_true(test_has_link(w->net.sw, w->net.a.port));
	assert_false(test_has_link(w->net.sw, w->net.b.port));
	assert_int_equal(count_events(w, VNET_EVENT_LOOP, w->net.b.port), 1);
	assert_int_equal(test_in_drops(&w->net.b, VNET_DROP_LOOP_PROBE), 1);
	/* It went nowhere. */
	assert_int_equal(w->net.c.nsent, 0);
	/* Until somebody sets it up. */
	vnet_port_set_link(w->net.sw, w->net.b.port, true);
	test_send(&w->net.a, TEST_BROADCAST, 1, 2);
	assert_int_equal(w->net.b.nsent, 1);
}

static void
test_the_port_that_sent_the_probe_is_closed_where_it_is_younger(void **state)
{
	struct wire *w = *state;

	guard(w, &w->net.c);
	vnet_switch_tick(w->net.sw, 0);
	give_back(w, &w->net.a, 1);
	assert_true(test_has_link(w->net.sw, w->net.a.port));
	assert_false(test_has_link(w->net.sw, w->net.c.port));
}

static vnet_grant_id
add_grant(struct wire *w)
{
	static const struct vnet_mac_prefix mac = {{{2, 0, 0, 0, 0, 1}}, 48};
	const struct vnet_grant g = {
		.size = sizeof(g),
		.name = "g",
		.macs = &mac,
		.nmacs = 1,
		.max_clients = 2,
	};
	vnet_grant_id id;

	assert_int_equal(
		vnet_grant_add(w->net.sw, VNET_NO_ID, &g, &id, NULL, NULL), 0);
	return id;
}

/* Whatever the age: a probe is looked at before a guard is asked. */
static void
test_guarded_client_closes_nobody_else(void **state)
{
	struct wire *w = *state;
	vnet_grant_id id = add_grant(w);

	assert_int_equal(
		vnet_client_set_grant(w->net.sw, w->net.a.id, id, NULL), 0);
	guard(w, &w->net.c);
	vnet_switch_tick(w->net.sw, 0);
	give_back(w, &w->net.a, 1);
	assert_false(test_has_link(w->net.sw, w->net.a.port));
	assert_true(test_has_link(w->net.sw, w->net.c.port));
	/* Nor one who is. */
	vnet_port_set_link(w->net.sw, w->net.a.port, true);
	assert_int_equal(
		vnet_client_set_grant(w->net.sw, w->net.c.id, id, NULL), 0);
	vnet_switch_tick(w->net.sw, SECONDS(10));
	give_back(w, &w->net.a, 1);
	assert_false(test_has_link(w->net.sw, w->net.a.port));
	assert_true(test_has_link(w->net.sw, w->net.c.port));
}

static void
test_port_that_loops_to_itself_is_closed(void **state)
{
	struct wire *w = *state;

	guard(w, &w->net.a);
	vnet_switch_tick(w->net.sw, 0);
	give_back(w, &w->net.a, 1);
	assert_false(test_has_link(w->net.sw, w->net.a.port));
}

static void
test_nobody_behind_a_vif_closes_an_uplink(void **state)
{
	struct wire *w = *state;
	struct fake *u = &w->net.u;

	assert_int_equal(fake_open(u, w->net.sw, "u", VNET_ROLE_UPLINK, 0), 0);
	guard(w, u);
	vnet_switch_tick(w->net.sw, 0);
	give_back(w, &w->net.a, 1);
	assert_true(test_has_link(w->net.sw, u->port));
	assert_false(test_has_link(w->net.sw, w->net.a.port));
	/* Though it may be guarded, and the other one not. */
	assert_int_equal(
		vnet_client_set_grant(w->net.sw, u->id, add_grant(w), NULL), 0);
	give_back(w, &w->net.b, 1);
	assert_true(test_has_link(w->net.sw, u->port));
	assert_false(test_has_link(w->net.sw, w->net.b.port));
}

static void
test_old_foreign_and_forged_probes_close_nothing(void **state)
{
	struct wire *w = *state;
	struct vnet_switch *other;
	struct test_alloc alloc;
	struct fake *x = &w->net.more[0];

	guard(w, &w->net.a);
	vnet_switch_tick(w->net.sw, 0);
	/* Forged: one octet differs. */
	for (uint32_t i = 14; i < 44; i++) {
		w->data[i] ^= 1;
		give_back(w, &w->net.b, 1);
		w->data[i] ^= 1;
	}
	assert_true(test_has_link(w->net.sw, w->net.b.port));
	/* They are frames as any other. */
	assert_int_equal(w->net.c.nsent, 30);
	/* Old: two rounds later. */
	w->net.a.on_take = NULL;
	vnet_switch_tick(w->net.sw, SECONDS(2));
	vnet_switch_tick(w->net.sw, SECONDS(4));
	give_back(w, &w->net.b, SECONDS(4));
	assert_true(test_has_link(w->net.sw, w->net.b.port));
	/* Foreign: of a switch with another seed. */
	other = test_switch_of(&alloc, &(struct vnet_switch_config){.seed = 8});
	assert_int_equal(fake_open(x, other, "x", VNET_ROLE_VIF, 0), 0);
	x->on_take = keep;
	x->ctx = w;
	vnet_port_set_flags(other, x->port, VNET_PORT_LOOP_GUARD);
	vnet_switch_tick(other, 0);
	give_back(w, &w->net.b, SECONDS(5));
	assert_true(test_has_link(w->net.sw, w->net.b.port));
	test_switch_end(other, &alloc);
}

static void
test_probe_passes_an_ingress_chain_that_drops_all(void **state)
{
	struct wire *w = *state;

	guard(w, &w->net.a);
	vnet_filter_set_default(w->net.sw, w->net.b.port, VNET_INGRESS,
				VNET_DROP);
	vnet_switch_tick(w->net.sw, 0);
	give_back(w, &w->net.b, 1);
	assert_false(test_has_link(w->net.sw, w->net.b.port));
}

static void
test_of_several_clients_only_the_one_in_the_loop_is_closed(void **state)
{
	struct wire *w = *state;
	struct fake *second = &w->net.more[0];

	assert_int_equal(fake_attach(second, w->net.sw, w->net.b.port, 0, 0),
			 0);
	guard(w, &w->net.a);
	vnet_switch_tick(w->net.sw, 0);
	give_back(w, second, 1);
	assert_true(test_has_link(w->net.sw, w->net.b.port));
	test_send(&w->net.c, TEST_BROADCAST, 1, 1);
	assert_int_equal(w->net.b.nsent, 1);
	assert_int_equal(second->nsent, 0);
	assert_int_equal(count_events(w, VNET_EVENT_LOOP, w->net.b.port), 1);
}

static void
expect_link(struct fake *fake, const struct vnet_frame *frames, size_t n)
{
	(void)frames;
	assert_int_equal(n, 1);
	assert_true(test_has_link(fake->sw, fake->port));
}

static void
test_port_is_closed_at_its_place_in_a_batch(void **state)
{
	struct wire *w = *state;
	struct vnet_frame frames[3];

	guard(w, &w->net.c);
	vnet_switch_tick(w->net.sw, 0);
	w->net.c.on_take = NULL;
	w->net.c.on_send = expect_link;
	frames[0] = test_frame(TEST_BROADCAST, 1, 60);
	frames[1] = w->probe;
	frames[2] = frames[0];
	vnet_switch_input(w->net.sw, w->net.a.id, frames, 3, 1);
	assert_false(test_has_link(w->net.sw, w->net.c.port));
	assert_int_equal(w->net.c.nsent, 2); /* the probe, and the first */
	assert_int_equal(w->net.b.nsent, 2);
}

static void
test_probe_that_finds_no_room_waits_in_the_queue(void **state)
{
	struct wire *w = *state;

	guard(w, &w->net.a);
	w->net.a.room = 0;
	vnet_switch_tick(w->net.sw, 0);
	assert_int_equal(test_stats(&w->net.a).queued.frames, 1);
	w->net.a.room = FAKE_ENDLESS;
	assert_int_equal(vnet_client_output(w->net.sw, w->net.a.id, 9, 0), 1);
	assert_int_equal(w->nprobes, 1);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_##name, set_up, net_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(probes_go_out_at_once_and_then_in_their_time),
		TEST(younger_of_two_ports_in_a_loop_is_closed),
		TEST(the_port_that_sent_the_probe_is_closed_where_it_is_younger),
		TEST(guarded_client_closes_nobody_else),
		TEST(port_that_loops_to_itself_is_closed),
		TEST(nobody_behind_a_vif_closes_an_uplink),
		TEST(old_foreign_and_forged_probes_close_nothing),
		TEST(probe_passes_an_ingress_chain_that_drops_all),
		TEST(of_several_clients_only_the_one_in_the_loop_is_closed),
		TEST(port_is_closed_at_its_place_in_a_batch),
		TEST(probe_that_finds_no_room_waits_in_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
