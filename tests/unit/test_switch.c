/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switch as a whole: its configuration and its memory, its time, its events,
 * its size.
 */
#include <errno.h>

#include "net.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Configuration */

static void
test_wrong_configuration_is_refused_with_its_reason(void **state)
{
	struct test_alloc alloc;
	const size_t size = sizeof(struct vnet_switch_config);
	const struct {
		struct vnet_switch_config config;
		const char *text;
		size_t index;
		uint64_t found;
		uint64_t bound;
	} bad[] = {
		{{.size = 0}, "size of the switch's configuration", 0, 0, size},
		{{.size = size, .max_ports = 65537},
		 "max_ports out of bounds",
		 3,
		 65537,
		 65536},
		{{.size = size, .fdb_entries = 16777217},
		 "fdb_entries out of bounds",
		 5,
		 16777217,
		 16777216},
		{{.size = size, .ageing_s = 1000001},
		 "ageing_s out of bounds",
		 6,
		 1000001,
		 1000000},
		{{.size = size, .pool_octets = 64 * VNET_POOL_BLOCK - 1},
		 "pool_octets out of bounds",
		 7,
		 64 * VNET_POOL_BLOCK - 1,
		 64 * VNET_POOL_BLOCK},
		{{.size = size, .pool_octets = (1 << 30) + 1},
		 "pool_octets out of bounds",
		 7,
		 (1 << 30) + 1,
		 1 << 30},
		{{.size = size, .queue_octets = 65535},
		 "queue_octets out of bounds",
		 8,
		 65535,
		 65536},
		{{.size = size, .queue_octets = (1 << 30) + 1},
		 "queue_octets out of bounds",
		 8,
		 (1 << 30) + 1,
		 1 << 30},
		{{.size = size, .max_rules = (1 << 20) + 1},
		 "max_rules out of bounds",
		 9,
		 (1 << 20) + 1,
		 1 << 20},
		{{.size = size, .max_insns = (1 << 24) + 1},
		 "max_insns out of bounds",
		 10,
		 (1 << 24) + 1,
		 1 << 24},
		{{.size = size, .max_program = 65537},
		 "max_program out of bounds",
		 11,
		 65537,
		 65536},
		{{.size = size, .max_grants = 65537},
		 "max_grants out of bounds",
		 12,
		 65537,
		 65536},
		{{.size = size, .max_events = 65537},
		 "max_events out of bounds",
		 13,
		 65537,
		 65536},
	};
	struct vnet_switch_config good = {.size = size};
	struct vnet_switch *sw = (struct vnet_switch *)(void *)&alloc;
	struct vnet_why why = {0};

	(void)state;
	test_alloc_init(&alloc);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct vnet_switch_config c = bad[i].config;

		c.alloc = &alloc.alloc;
		assert_int_equal(vnet_switch_create(&sw, &c, &why), -EINVAL);
		assert_string_equal(why.text, bad[i].text);
		assert_int_equal(why.index, bad[i].index);
		assert_true(why.found == bad[i].found);
		assert_true(why.bound == bad[i].bound);
		assert_int_equal(vnet_switch_create(&sw, &c, NULL), -EINVAL);
		assert_true(vnet_switch_memory(&c) == 0);
	}
	assert_int_equal(vnet_switch_create(&sw, &good, &why), -EINVAL);
	assert_string_equal(why.text, "switch without an allocator");
	assert_int_equal(why.index, 1);
	/* What a configuration takes can be asked before there is one. */
	assert_true(vnet_switch_memory(&good) != 0);
	assert_true((void *)sw == &alloc);
	assert_int_equal(alloc.calls, 0);
}

/* Refuses whatever is large, as a machine does. */
static void *
get_little(void *ctx, size_t size, size_t align)
{
	const struct vnet_alloc *alloc = ctx;

	if (size > 256 << 20)
		return NULL;
	return alloc->get(alloc->ctx, size, align);
}

static void
put_little(void *ctx, void *p, size_t size)
{
	const struct vnet_alloc *alloc = ctx;

	alloc->put(alloc->ctx, p, size);
}

static void
test_largest_configuration_does_not_overflow(void **state)
{
	struct test_alloc alloc;
	const struct vnet_alloc little = {get_little, put_little, &alloc.alloc};
	struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &little,
		.max_ports = 65536,
		.fdb_entries = 16777216,
		.ageing_s = 1000000,
		.pool_octets = 1 << 30,
		.queue_octets = 1 << 30,
		.max_rules = 1 << 20,
		.max_insns = 1 << 24,
		.max_program = 65536,
		.max_events = 65536,
	};
	struct vnet_switch *sw = NULL;
	uint64_t memory = vnet_switch_memory(&config);
	int r;

	(void)state;
	test_alloc_init(&alloc);
	r = vnet_switch_create(&sw, &config, NULL);
	assert_true(memory > UINT64_C(1) << 32);
	assert_int_equal(r, -ENOMEM);
	assert_null(sw);
	assert_int_equal(alloc.blocks, 0);
}

static void
test_defaults_are_as_documented(void **state)
{
	const struct vnet_switch_config implicit = {.size = sizeof(implicit)};
	const struct vnet_switch_config explicit = {
		.size = sizeof(explicit),
		.max_ports = 64,
		.fdb_entries = 8192,
		.ageing_s = 300,
		.pool_octets = 4 << 20,
		.queue_octets = 256 << 10,
		.max_rules = 1024,
		.max_insns = 262144,
		.max_program = VNET_BPF_MAX_INSNS,
		.max_events = 256,
	};
	struct net *net = *state;

	assert_true(vnet_switch_memory(&implicit) ==
		    vnet_switch_memory(&explicit));
	assert_true(test_switch_stats(net->sw).pool_octets == 4 << 20);
}

/* Memory */

static void
limit_all(struct vnet_switch *sw, uint64_t owner)
{
	const struct vnet_limit limit = {
		.size = sizeof(limit),
		.frames_per_s = 1,
	};

	for (int side = VNET_INGRESS; side <= VNET_EGRESS; side++)
		assert_int_equal(vnet_limit_set(sw, owner, (enum vnet_side)side,
						VNET_TRAFFIC_ALL, &limit, NULL),
				 0);
}

static void
test_memory_is_what_a_full_switch_takes(void **state)
{
	static const struct vnet_switch_config configs[] = {
		{.size = sizeof(struct vnet_switch_config), .max_grants = 1},
		{.size = sizeof(struct vnet_switch_config),
		 .max_ports = 1,
		 .max_grants = 1,
		 .fdb_entries = 1,
		 .pool_octets = 64 * VNET_POOL_BLOCK,
		 .queue_octets = 65536,
		 .max_rules = 1,
		 .max_insns = 1,
		 .max_events = 1},
		{.size = sizeof(struct vnet_switch_config),
		 .max_ports = 1000,
		 .max_grants = 1,
		 .fdb_entries = 3000,
		 .pool_octets = 3000001,
		 .queue_octets = 70001,
		 .max_rules = 100,
		 .max_insns = 777,
		 .max_events = 100},
		{.size = sizeof(struct vnet_switch_config),
		 .max_ports = 3,
		 .max_grants = 1,
		 .fdb_entries = 100,
		 .queue_octets = 1 << 30,
		 .max_rules = 200,
		 .max_insns = 262144},
	};
	struct vnet_bpf_insn *insns = calloc(4096, sizeof(*insns));

	(void)state;
	for (size_t i = 0; i < 4095; i++)
		insns[i] = (struct vnet_bpf_insn){0, 0, 0, 0};
	insns[4095] = (struct vnet_bpf_insn){0x06, 0, 0, 0};
	for (size_t i = 0; i < COUNT(configs); i++) {
		const struct vnet_switch_config c = configs[i];
		const uint32_t max_ports = c.max_ports ? c.max_ports : 64;
		const uint32_t max_rules = c.max_rules ? c.max_rules : 1024;
		uint32_t left = c.max_insns ? c.max_insns : 262144;
		const uint64_t memory = vnet_switch_memory(&c);
		vnet_port_id port = VNET_NO_ID, first = VNET_NO_ID;
		struct test_alloc alloc;
		struct vnet_switch *sw = test_switch_of(&alloc, &c);
		vnet_client_id id;

		for (uint32_t k = 0; k < max_ports; k++) {
			char name[16];

			snprintf(name, sizeof(name), "p%u", (unsigned int)k);
			port = test_port(sw, name);
			assert_int_equal(vnet_null_open(sw, port, &id), 0);
			limit_all(sw, port);
			limit_all(sw, id);
			if (!k)
				first = port;
		}
		/* All in one chain, which is when a change moves the most. */
		for (uint32_t k = 0; k < max_rules; k++) {
			uint32_t n = left - (max_rules - 1 - k);
			char name[16];
			struct vnet_rule rule = {.size = sizeof(rule),
						 .name = name};

			if (n > 4096)
				n = 4096;
			snprintf(name, sizeof(name), "r%u", (unsigned int)k);
			rule.insns = insns + 4096 - n;
			rule.ninsns = n;
			left -= n;
			assert_int_equal(vnet_filter_add(sw, first,
							 VNET_INGRESS, &rule,
							 NULL),
					 0);
		}
		assert_true(alloc.peak <= memory);
		/* Not a guess: it is used, nearly to the last octet. */
		assert_true(alloc.peak >= memory - memory / 10);
		test_switch_end(sw, &alloc);
	}
	free(insns);
}

static void
test_data_path_takes_no_memory(void **state)
{
	struct net *net = *state;
	unsigned long calls = net->alloc.calls;

	net->b.room = 0;
	for (unsigned int i = 0; i < 5000; i++) {
		test_send(&net->a, TEST_BROADCAST, 0x1000 + i, SECONDS(i));
		if (i % 1000 == 999) {
			net->b.room = 100;
			vnet_client_output(net->sw, net->b.id, 1000,
					   SECONDS(i));
		}
		vnet_switch_tick(net->sw, SECONDS(i));
	}
	assert_int_equal(net->alloc.calls, calls);
}

static void
test_4096_ports_idle_within_32_mib(void **state)
{
	vnet_client_id client = VNET_NO_ID, last = VNET_NO_ID;
	struct vnet_client_stats s = {.size = sizeof(s)};
	struct vnet_frame f = test_frame(TEST_BROADCAST, 1, 0);
	struct test_alloc alloc;
	struct vnet_switch *sw = test_switch(&alloc, 4096);
	uint32_t n = 0;

	(void)state;
	for (unsigned int i = 0; i < 4096; i++) {
		char name[16];

		snprintf(name, sizeof(name), "port%u", i);
		assert_int_equal(
			vnet_null_open(sw, test_port(sw, name), &client), 0);
		if (i == 77)
			last = client;
	}
	vnet_switch_input(sw, client, &f, 1, 0);
	f = test_frame(1, 2, 0);
	vnet_switch_input(sw, last, &f, 1, 0);
	assert_int_equal(test_switch_stats(sw).total.copies.frames, 4095 + 1);
	assert_int_equal(vnet_client_get_stats(sw, client, &s), 0);
	assert_int_equal(s.delivered.frames, 1);
	for (vnet_port_id id = VNET_NO_ID;
	     (id = vnet_port_next(sw, id)) != VNET_NO_ID;)
		n++;
	assert_int_equal(n, 4096);
	assert_true(alloc.used <= 32 << 20);
	test_switch_end(sw, &alloc);
}

/* Time */

static void
test_idle_switch_needs_no_wake_ups(void **state)
{
	struct net *net = *state;

	assert_true(vnet_switch_deadline(net->sw) == VNET_NEVER);
	test_send(&net->a, TEST_BROADCAST, 0xa, SECONDS(50));
	/* Until what it learned has to be forgotten. */
	assert_true(vnet_switch_deadline(net->sw) > SECONDS(50 + 298));
	assert_true(vnet_switch_deadline(net->sw) <= SECONDS(50 + 300));
	vnet_switch_tick(net->sw, SECONDS(50 + 300));
	assert_int_equal(test_switch_stats(net->sw).fdb_entries, 0);
	for (int i = 0; i < 3; i++)
		vnet_switch_tick(net->sw, vnet_switch_deadline(net->sw));
	assert_true(vnet_switch_deadline(net->sw) == VNET_NEVER);
	/* Static entries are no work. */
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(1), net->a.id), 0);
	assert_true(vnet_switch_deadline(net->sw) == VNET_NEVER);
}

/* Whoever ticks at each deadline comes to an end, and in few ticks. */
static void
test_ticks_at_the_deadline_do_all_there_is_to_do(void **state)
{
	struct net *net = *state;
	unsigned int ticks = 0;
	vnet_nsec at;

	for (unsigned int i = 0; i < 5000; i++)
		test_send(i % 2 ? &net->a : &net->b, TEST_BROADCAST, 1 + i,
			  SECONDS(i / 100));
	assert_int_equal(vnet_client_remove(net->sw, net->a.id), 0);
	while ((at = vnet_switch_deadline(net->sw)) != VNET_NEVER) {
		uint32_t before = test_switch_stats(net->sw).fdb_entries;

		vnet_switch_tick(net->sw, at);
		assert_true(before - test_switch_stats(net->sw).fdb_entries <=
			    512);
		assert_true(++ticks < 1000);
	}
	assert_int_equal(test_switch_stats(net->sw).fdb_entries, 0);
	assert_int_equal(test_switch_stats(net->sw).clock_steps_back, 0);
}

static void
test_step_back_of_the_clock_counts_as_the_last_time(void **state)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	struct net *net = *state;

	test_send(&net->a, TEST_BROADCAST, 0xa, SECONDS(1000));
	test_send(&net->b, TEST_BROADCAST, 0xb, SECONDS(10));
	assert_int_equal(test_switch_stats(net->sw).clock_steps_back, 1);
	vnet_switch_tick(net->sw, SECONDS(999));
	vnet_client_output(net->sw, net->a.id, 1, 0);
	assert_int_equal(test_switch_stats(net->sw).clock_steps_back, 3);
	vnet_switch_tick(net->sw, SECONDS(1000));
	assert_int_equal(test_switch_stats(net->sw).clock_steps_back, 3);
	/* b was seen at 1000. */
	vnet_switch_tick(net->sw, SECONDS(1299));
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(0xb), &e), 0);
	assert_int_equal(e.age_s, 299);
}

static void
test_clock_may_have_any_origin(void **state)
{
	static const vnet_nsec origins[] = {
		0,
		1,
		VNET_NSEC_PER_SEC - 1,
		(UINT64_C(1) << 32) * VNET_NSEC_PER_SEC - 5,
		(UINT64_C(1) << 63) - 3,
		UINT64_MAX - SECONDS(700),
	};
	struct net *net = *state;

	for (size_t i = 0; i < COUNT(origins); i++) {
		const vnet_nsec t = origins[i];
		unsigned long floods;

		net_reopen(net, &(struct vnet_switch_config){.max_ports = 3});
		/* A third, so that a flood can be told from unicast. */
		test_send(&net->b, TEST_BROADCAST, 0xb, t);
		floods = net->b.nsent;
		test_send(&net->b, 0xb, 0xbb, t + SECONDS(298));
		assert_int_equal(test_in_drops(&net->b, VNET_DROP_SAME_PORT),
				 1);
		test_send(&net->b, 0xb, 0xbb, t + SECONDS(301));
		assert_int_equal(test_in_drops(&net->b, VNET_DROP_SAME_PORT),
				 1);
		assert_int_equal(net->b.nsent, floods);
		vnet_switch_tick(net->sw, t + SECONDS(650));
		assert_int_equal(test_switch_stats(net->sw).clock_steps_back,
				 0);
		if (t > UINT64_MAX - SECONDS(1000))
			vnet_switch_tick(net->sw, UINT64_MAX);
		assert_conserved(net->sw);
	}
}

/* Events */

static struct vnet_event
next_event(struct net *net)
{
	struct vnet_event e = {.size = sizeof(e)};

	assert_int_equal(vnet_switch_event(net->sw, &e), 1);
	assert_int_equal(e.size, sizeof(e));
	return e;
}

static void
assert_no_event(struct net *net)
{
	struct vnet_event e = {.size = sizeof(e)};

	assert_int_equal(vnet_switch_event(net->sw, &e), 0);
}

static void
drain_events(struct net *net)
{
	struct vnet_event e = {.size = sizeof(e)};

	while (vnet_switch_event(net->sw, &e) == 1)
		;
}

static void
assert_event(struct net *net, enum vnet_event_type type, vnet_port_id port,
	     vnet_client_id client, vnet_nsec time)
{
	struct vnet_event e = next_event(net);

	assert_int_equal(e.type, type);
	assert_int_equal(e.count, 1);
	assert_true(e.port == port);
	assert_true(e.client == client);
	assert_true(e.time == time);
}

static void
test_ports_clients_and_links_raise_events(void **state)
{
	struct net *net = *state;
	const struct fake *a = &net->a, *b = &net->b;

	assert_event(net, VNET_EVENT_PORT_ADDED, a->port, VNET_NO_ID, 0);
	assert_event(net, VNET_EVENT_CLIENT_ADDED, a->port, a->id, 0);
	assert_event(net, VNET_EVENT_PORT_ADDED, b->port, VNET_NO_ID, 0);
	assert_event(net, VNET_EVENT_CLIENT_ADDED, b->port, b->id, 0);
	assert_no_event(net);

	vnet_switch_tick(net->sw, 42);
	assert_int_equal(vnet_port_set_link(net->sw, a->port, true), 0);
	assert_no_event(net); /* it was */
	assert_int_equal(vnet_port_set_link(net->sw, a->port, false), 0);
	assert_int_equal(vnet_port_set_link(net->sw, a->port, true), 0);
	assert_event(net, VNET_EVENT_LINK_DOWN, a->port, a->id, 42);
	assert_event(net, VNET_EVENT_LINK_UP, a->port, a->id, 42);
	assert_int_equal(vnet_client_remove(net->sw, a->id), 0);
	assert_event(net, VNET_EVENT_CLIENT_REMOVED, a->port, a->id, 42);
	assert_int_equal(vnet_port_remove(net->sw, a->port), 0);
	assert_event(net, VNET_EVENT_PORT_REMOVED, a->port, VNET_NO_ID, 42);
	assert_int_equal(vnet_port_remove(net->sw, b->port), 0);
	assert_event(net, VNET_EVENT_CLIENT_REMOVED, b->port, b->id, 42);
	assert_event(net, VNET_EVENT_PORT_REMOVED, b->port, VNET_NO_ID, 42);
	assert_no_event(net);
}

static void
test_moves_are_one_event_until_it_is_read(void **state)
{
	struct net *net = *state;
	struct vnet_event e;

	drain_events(net);
	for (unsigned int i = 1; i <= 5; i++)
		test_send(&net->a, TEST_BROADCAST, i, SECONDS(1));
	for (unsigned int i = 1; i <= 5; i++)
		test_send(&net->b, TEST_BROADCAST, i, SECONDS(1 + i));
	test_send(&net->a, TEST_BROADCAST, 3, SECONDS(10));
	e = next_event(net);
	assert_int_equal(e.type, VNET_EVENT_ADDRESS_MOVED);
	assert_true(e.client == net->a.id);
	assert_int_equal(e.count, 1);
	assert_memory_equal(&e.mac, &test_frame(0, 3, 0).data[6], 6);
	e = next_event(net);
	assert_int_equal(e.type, VNET_EVENT_ADDRESS_MOVED);
	assert_true(e.client == net->b.id);
	assert_true(e.port == net->b.port);
	assert_int_equal(e.count, 5);
	assert_true(e.time == SECONDS(2));
	assert_memory_equal(&e.mac, &test_frame(0, 5, 0).data[6], 6);
	assert_no_event(net);
	/* What was read begins anew. */
	test_send(&net->a, TEST_BROADCAST, 1, SECONDS(11));
	assert_event(net, VNET_EVENT_ADDRESS_MOVED, net->a.port, net->a.id,
		     SECONDS(11));
	assert_no_event(net);
}

static void
test_full_queue_is_one_event_until_it_is_read(void **state)
{
	struct net *net = *state;
	struct vnet_event e;

	net_reopen(net, &(struct vnet_switch_config){.queue_octets = 65536});
	drain_events(net);
	net->b.room = 0;
	for (int i = 0; i < 1100; i++)
		test_send(&net->a, TEST_BROADCAST, 0xa, SECONDS(i));
	e = next_event(net);
	assert_int_equal(e.type, VNET_EVENT_QUEUE_FULL);
	assert_true(e.client == net->b.id);
	assert_int_equal(e.count,
			 test_out_drops(&net->b, VNET_DROP_QUEUE_FULL));
	assert_true(e.count > 1);
	assert_no_event(net);
}

static void
test_full_table_is_an_event(void **state)
{
	struct net *net = *state;
	struct vnet_event e;

	net_reopen(net, &(struct vnet_switch_config){.fdb_entries = 10});
	drain_events(net);
	for (unsigned int i = 1; i <= 10; i++)
		test_send(&net->a, TEST_BROADCAST, i, 0);
	assert_no_event(net);
	test_send(&net->a, TEST_BROADCAST, 11, 0);
	test_send(&net->a, TEST_BROADCAST, 12, 0);
	e = next_event(net);
	assert_int_equal(e.type, VNET_EVENT_FDB_FULL);
	assert_int_equal(e.count, 2);
	assert_true(e.client == net->a.id);
	assert_memory_equal(&e.mac, &test_frame(0, 12, 0).data[6], 6);
}

static void
test_events_that_find_no_room_set_a_flag(void **state)
{
	struct net *net = *state;
	struct vnet_event e;

	net_reopen(net, &(struct vnet_switch_config){.max_events = 8});
	drain_events(net);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(
			vnet_port_set_link(net->sw, net->a.port, i % 2), 0);
		assert_int_equal(
			vnet_port_set_link(net->sw, net->b.port, i % 2), 0);
	}
	/* The first change of each was none, or not: it was up. */
	assert_int_equal(test_switch_stats(net->sw).events_lost, 20 - 8);
	e = next_event(net);
	assert_int_equal(e.type, VNET_EVENT_OVERFLOW);
	/* It stands for all of them: what the ring still had is old. */
	assert_int_equal(e.count, 20);
	assert_true(e.port == VNET_NO_ID);
	assert_true(e.client == VNET_NO_ID);
	assert_no_event(net);
	/* Told once. */
	assert_int_equal(vnet_port_set_link(net->sw, net->a.port, false), 0);
	e = next_event(net);
	assert_int_equal(e.type, VNET_EVENT_LINK_DOWN);
	assert_no_event(net);
	assert_int_equal(test_switch_stats(net->sw).events_lost, 20);
}

static void
test_traffic_pushes_no_event_out(void **state)
{
	struct net *net = *state;
	vnet_port_id c;

	/* An address that may move as often as it likes, or nearly. */
	net_reopen(net, &(struct vnet_switch_config){.max_events = 4,
						     .flap_moves = 255});
	drain_events(net);
	c = test_port(net->sw, "c");
	drain_events(net);
	for (int i = 0; i < 4; i++)
		assert_int_equal(vnet_port_set_link(net->sw, c, i % 2), 0);
	for (unsigned int i = 0; i < 100; i++)
		test_send(i % 2 ? &net->b : &net->a, TEST_BROADCAST, 1, 0);
	assert_int_equal(test_switch_stats(net->sw).events_lost, 0);
	/* What was done to the switch is read first. */
	for (int i = 0; i < 4; i++)
		assert_event(net,
			     i % 2 ? VNET_EVENT_LINK_UP : VNET_EVENT_LINK_DOWN,
			     c, VNET_NO_ID, 0);
	assert_int_equal(next_event(net).count, 49);
	assert_int_equal(next_event(net).count, 50);
	assert_no_event(net);
}

/* Somebody who reads one event a turn, beside an address that never rests. */
static void
test_no_client_hides_what_happens_to_another(void **state)
{
	struct net *net = *state;
	unsigned int seen = 0;

	drain_events(net);
	for (unsigned int i = 0; i < 8; i++) {
		test_send(i % 2 ? &net->b : &net->a, TEST_BROADCAST, 1, 0);
		if (!i)
			continue;
		seen |= 1u << (next_event(net).client == net->b.id);
	}
	assert_int_equal(seen, 3);
}

static void
test_what_traffic_did_goes_with_its_client(void **state)
{
	struct net *net = *state;
	vnet_client_id b = net->b.id;

	test_send(&net->a, TEST_BROADCAST, 1, 0);
	test_send(&net->b, TEST_BROADCAST, 1, 0);
	drain_events(net);
	test_send(&net->a, TEST_BROADCAST, 1, 0);
	test_send(&net->b, TEST_BROADCAST, 1, 0);
	assert_int_equal(vnet_client_remove(net->sw, b), 0);
	assert_event(net, VNET_EVENT_CLIENT_REMOVED, net->b.port, b, 0);
	assert_event(net, VNET_EVENT_ADDRESS_MOVED, net->a.port, net->a.id, 0);
	assert_no_event(net);
}

static void
test_events_have_names_and_a_size(void **state)
{
	static const char *const names[] = {
		"overflow",     "port_added",     "port_removed",
		"client_added", "client_removed", "link_up",
		"link_down",    "driver_error",   "address_moved",
		"fdb_full",     "queue_full",     "loop",
		"address_held", "move_refused",   "limited",
		"grant_ended",  "not_granted",
	};
	struct vnet_event e = {.size = 4};
	struct net *net = *state;

	assert_int_equal(COUNT(names), VNET_NEVENTS);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(vnet_event_name((enum vnet_event_type)i),
				    names[i]);
	assert_null(vnet_event_name(VNET_NEVENTS));
	assert_null(vnet_event_name((enum vnet_event_type) - 1));
	assert_int_equal(vnet_switch_event(net->sw, &e), -EINVAL);
	assert_int_equal(next_event(net).type, VNET_EVENT_PORT_ADDED);
}

/* Two switches have nothing in common */

static void
test_ids_of_one_switch_mean_nothing_to_another(void **state)
{
	struct test_alloc alloc;
	struct vnet_switch *other = test_switch(&alloc, 8);
	struct net *net = *state;

	test_send(&net->a, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(vnet_client_port(other, net->a.id), VNET_NO_ID);
	assert_true(vnet_port_find(other, "a") == VNET_NO_ID);
	assert_int_equal(test_switch_stats(other).total.in.frames, 0);
	test_switch_end(other, &alloc);
}

static void
test_same_calls_give_the_same_run(void **state)
{
	struct net *net = *state;
	uint64_t stream = 0;

	for (int run = 0; run < 2; run++) {
		net_reopen(net, &(struct vnet_switch_config){
					.seed = 99, .fdb_entries = 20});
		for (unsigned int i = 0; i < 500; i++)
			test_send(i % 3 ? &net->a : &net->b, 1 + i * 7 % 50,
				  1 + i * 13 % 50, SECONDS(i));
		if (run)
			assert_true(net->b.stream == stream);
		stream = net->b.stream;
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, net_of_two, net_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wrong_configuration_is_refused_with_its_reason),
		TEST(test_largest_configuration_does_not_overflow),
		TEST(test_defaults_are_as_documented),
		TEST(test_memory_is_what_a_full_switch_takes),
		TEST(test_data_path_takes_no_memory),
		TEST(test_4096_ports_idle_within_32_mib),
		TEST(test_idle_switch_needs_no_wake_ups),
		TEST(test_ticks_at_the_deadline_do_all_there_is_to_do),
		TEST(test_step_back_of_the_clock_counts_as_the_last_time),
		TEST(test_clock_may_have_any_origin),
		TEST(test_ports_clients_and_links_raise_events),
		TEST(test_moves_are_one_event_until_it_is_read),
		TEST(test_full_queue_is_one_event_until_it_is_read),
		TEST(test_full_table_is_an_event),
		TEST(test_events_that_find_no_room_set_a_flag),
		TEST(test_traffic_pushes_no_event_out),
		TEST(test_no_client_hides_what_happens_to_another),
		TEST(test_what_traffic_did_goes_with_its_client),
		TEST(test_events_have_names_and_a_size),
		TEST(test_ids_of_one_switch_mean_nothing_to_another),
		TEST(test_same_calls_give_the_same_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
