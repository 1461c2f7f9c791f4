/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allocator fails at each of its calls in turn. Whatever then fails says
 * -ENOMEM, has changed nothing and leaks nothing, and works when it is tried
 * again.
 */
#include <errno.h>

#include "support.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct world {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	vnet_port_id port[3];
	vnet_client_id client[3];
	struct vnet_inproc inproc;
	struct fake fake;
};

static const struct vnet_bpf_insn insns[] = {
	{0x80, 0, 0, 0},
	{0x15, 0, 1, 61},
	{0x06, 0, 0, 1},
	{0x06, 0, 0, 0},
};

static int
add_rule(struct world *w, vnet_port_id port, const char *name,
	 uint32_t priority, size_t skip)
{
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = name,
		.priority = priority,
		.verdict = VNET_DROP,
		.insns = insns + skip,
		.ninsns = COUNT(insns) - skip,
	};

	return vnet_filter_add(w->sw, port, VNET_EGRESS, &rule, NULL);
}

static int
add_port(struct world *w, int i)
{
	const char name[] = {(char)('a' + i), '\0'};
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
	};

	return vnet_port_add(w->sw, &config, &w->port[i], NULL);
}

static int
create(struct world *w)
{
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &w->alloc.alloc,
		.max_ports = 3,
		.fdb_entries = 16,
		.pool_octets = 64 * VNET_POOL_BLOCK,
		.max_rules = 4,
		.max_insns = 12,
	};

	return vnet_switch_create(&w->sw, &config, NULL);
}

static int
add_port_a(struct world *w)
{
	return add_port(w, 0);
}

static int
add_port_b(struct world *w)
{
	return add_port(w, 1);
}

static int
add_port_c(struct world *w)
{
	return add_port(w, 2);
}

static int
add_null(struct world *w)
{
	return vnet_null_open(w->sw, w->port[0], &w->client[0]);
}

static int
add_inproc(struct world *w)
{
	int r = vnet_inproc_open(&w->inproc, w->sw, w->port[1], 0, 0);

	if (!r)
		w->client[1] = w->inproc.id;
	return r;
}

static int
add_fake(struct world *w)
{
	int r = fake_attach(&w->fake, w->sw, w->port[2], 0, 0);

	if (!r)
		w->client[2] = w->fake.id;
	return r;
}

static int
add_first_rule(struct world *w)
{
	return add_rule(w, w->port[2], "first", 7, 0);
}

static int
add_rule_before(struct world *w)
{
	return add_rule(w, w->port[2], "before", 5, 3);
}

static int
add_rule_elsewhere(struct world *w)
{
	return add_rule(w, w->port[0], "first", 5, 2);
}

/* All that can be seen of a switch. */
static uint64_t
look(const struct world *w)
{
	struct vnet_switch_stats all;
	uint64_t hash = TEST_HASH_INIT;

	if (!w->sw)
		return 0;
	memset(&all, 0, sizeof(all));
	all.size = sizeof(all);
	assert_int_equal(vnet_switch_get_stats(w->sw, &all), 0);
	hash = test_hash(hash, &all.total, sizeof(all.total));
	hash = test_hash(hash, &all.ports, sizeof(all.ports));
	hash = test_hash(hash, &all.clients, sizeof(all.clients));
	for (vnet_port_id id = VNET_NO_ID;
	     (id = vnet_port_next(w->sw, id)) != VNET_NO_ID;) {
		struct vnet_port_info info = {.size = sizeof(info)};
		struct vnet_rule_info rule = {.size = sizeof(rule)};
		size_t i = 0;

		assert_int_equal(vnet_port_get(w->sw, id, &info), 0);
		hash = test_hash(hash, &info.id, sizeof(info.id));
		hash = test_hash(hash, &info.client, sizeof(info.client));
		hash = test_hash(hash, info.name, sizeof(info.name));
		while (!vnet_filter_get(w->sw, id, VNET_EGRESS, i++, &rule))
			hash = test_hash(hash, rule.name, sizeof(rule.name));
	}
	return hash;
}

static int (*const steps[])(struct world *w) = {
	create,          add_port_a,         add_port_b, add_port_c,
	add_null,        add_inproc,         add_fake,   add_first_rule,
	add_rule_before, add_rule_elsewhere,
};

/* Take step @i, the allocator failing at its first call, then at its second,
 * and so on until it does not come to that. Returns how often it failed. */
static unsigned int
take_step(struct world *w, size_t i)
{
	unsigned int failures = 0;

	for (;;) {
		const size_t blocks = w->alloc.blocks, used = w->alloc.used;
		const uint64_t before = look(w);
		const struct world saved = *w;
		int r;

		w->alloc.fail_at = w->alloc.calls + 1 + failures;
		r = steps[i](w);
		w->alloc.fail_at = 0;
		if (!r)
			return failures;
		failures++;
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(w->alloc.blocks, blocks);
		assert_int_equal(w->alloc.used, used);
		assert_true(w->sw == saved.sw);
		assert_memory_equal(w->port, saved.port, sizeof(w->port));
		assert_memory_equal(w->client, saved.client, sizeof(w->client));
		assert_true(look(w) == before);
		if (w->sw)
			assert_conserved(w->sw);
		assert_int_equal(w->fake.nclosed, 0);
	}
}

static void
send_some(struct world *w)
{
	for (unsigned int i = 0; i < 10; i++) {
		struct vnet_frame f = test_frame(TEST_BROADCAST, i + 1, 60 + i);

		vnet_switch_input(w->sw, w->client[i % 3], &f, 1, 0);
	}
	assert_conserved(w->sw);
}

static void
test_failed_allocation_changes_nothing(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	test_alloc_init(&w->alloc);
	for (size_t i = 0; i < COUNT(steps); i++) {
		unsigned int failures = take_step(w, i);

		/* Each takes memory, and creation in several pieces. */
		assert_in_range(failures, i ? 1 : 3, i ? 1 : 20);
	}
	send_some(w);
	assert_true(w->fake.nsent > 0);
	test_switch_end(w->sw, &w->alloc);
	assert_int_equal(w->fake.nclosed, 1);
	free(w);
}

/* What was done before a failure stays, and is destroyed with the rest. */
static void
test_switch_is_destroyed_after_any_failure(void **state)
{
	(void)state;
	for (unsigned long fail_at = 1;; fail_at++) {
		struct world *w = calloc(1, sizeof(*w));
		bool failed = false;

		test_alloc_init(&w->alloc);
		w->alloc.fail_at = fail_at;
		for (size_t i = 0; i < COUNT(steps) && !failed; i++)
			failed = steps[i](w) != 0;
		if (w->sw)
			test_switch_end(w->sw, &w->alloc);
		assert_int_equal(w->alloc.blocks, 0);
		free(w);
		if (!failed)
			return;
		assert_true(fail_at < 100);
	}
}

static void
test_removal_needs_no_memory(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct vnet_rule_info rule = {.size = sizeof(rule)};
	const unsigned long never = (unsigned long)-1;

	(void)state;
	test_alloc_init(&w->alloc);
	for (size_t i = 0; i < COUNT(steps); i++)
		assert_int_equal(steps[i](w), 0);
	send_some(w);
	/* Removing a rule asks for a smaller block, and does without. */
	w->alloc.fail_at = w->alloc.calls + 1;
	assert_int_equal(
		vnet_filter_remove(w->sw, w->port[2], VNET_EGRESS, "first"), 0);
	assert_int_equal(
		vnet_filter_get(w->sw, w->port[2], VNET_EGRESS, 0, &rule), 0);
	assert_string_equal(rule.name, "before");
	send_some(w);
	w->alloc.fail_at = w->alloc.calls + 1;
	assert_int_equal(vnet_filter_remove(w->sw, w->port[2], VNET_EGRESS,
					    "before"),
			 0);
	/* Its room is still there, or was given back: as much as before fits. */
	w->alloc.fail_at = never;
	assert_int_equal(add_first_rule(w), 0);
	assert_int_equal(add_rule_before(w), 0);
	w->alloc.fail_at = w->alloc.calls + 1;
	assert_int_equal(vnet_client_remove(w->sw, w->client[0]), 0);
	assert_int_equal(vnet_port_remove(w->sw, w->port[1]), 0);
	assert_int_equal(w->alloc.calls + 1, w->alloc.fail_at);
	test_switch_end(w->sw, &w->alloc);
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failed_allocation_changes_nothing),
		cmocka_unit_test(test_switch_is_destroyed_after_any_failure),
		cmocka_unit_test(test_removal_needs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
