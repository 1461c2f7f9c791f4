/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "support.h"
#include "fdb.h"

#define AGEING     300
#define FLAP_MOVES 5
#define HOLD       60
#define NONE       VNET_FDB_NONE

/* A table of 64 entries for 8 owners. */
#define ENTRIES 64
#define OWNERS  8

struct table {
	struct test_alloc alloc;
	struct vnet_fdb fdb;
};

static struct vnet_fdb_config
config_of(uint32_t entries, uint32_t owners, uint64_t seed)
{
	return (struct vnet_fdb_config){
		.entries = entries,
		.owners = owners,
		.ageing_s = AGEING,
		.flap_moves = FLAP_MOVES,
		.seed = seed,
	};
}

static void
table_init(struct table *table, uint32_t entries, uint32_t owners)
{
	struct vnet_fdb_config config = config_of(entries, owners, 1);

	test_alloc_init(&table->alloc);
	assert_int_equal(
		vnet_fdb_init(&table->fdb, &table->alloc.alloc, &config), 0);
}

static void
table_fini(struct table *table)
{
	assert_true(vnet_fdb_check(&table->fdb));
	vnet_fdb_fini(&table->fdb, &table->alloc.alloc);
	assert_int_equal(table->alloc.blocks, 0);
	assert_int_equal(table->alloc.used, 0);
}

static int
setup(void **state)
{
	struct table *table = malloc(sizeof(*table));

	assert_non_null(table);
	table_init(table, ENTRIES, OWNERS);
	*state = table;
	return 0;
}

static int
teardown(void **state)
{
	table_fini(*state);
	free(*state);
	return 0;
}

static enum vnet_fdb_learned
learn(struct table *table, uint64_t mac, uint32_t owner, uint64_t now_s)
{
	return vnet_fdb_learn(&table->fdb, mac, vnet_fdb_home(&table->fdb, mac),
			      vnet_fdb_where(&table->fdb, owner), now_s);
}

static uint32_t
find(const struct table *table, uint64_t mac, uint64_t now_s)
{
	return vnet_fdb_find(&table->fdb, mac, vnet_fdb_home(&table->fdb, mac),
			     now_s);
}

/* Learn @n new addresses from @first on, in this order. */
static void
learn_all(struct table *table, uint64_t first, uint32_t n, uint32_t owner,
	  uint64_t now_s)
{
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(learn(table, first + i, owner, now_s),
				 VNET_FDB_NEW);
}

/* Addresses from @first on that are found on @owner. */
static uint32_t
count_found(const struct table *table, uint64_t first, uint32_t n,
	    uint32_t owner, uint64_t now_s)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < n; i++)
		found += find(table, first + i, now_s) == owner;
	return found;
}

static void
pin(struct table *table, uint64_t mac, uint32_t owner)
{
	assert_int_equal(vnet_fdb_pin(&table->fdb, mac, owner, 0), 0);
}

static void
test_address_is_found_where_it_was_learned(void **state)
{
	struct table *table = *state;

	assert_int_equal(find(table, 0xa, 0), NONE);
	assert_int_equal(learn(table, 0xa, 3, 0), VNET_FDB_NEW);
	assert_int_equal(learn(table, 0xffffffffffff, 7, 0), VNET_FDB_NEW);
	assert_int_equal(find(table, 0xa, 0), 3);
	assert_int_equal(find(table, 0xffffffffffff, 0), 7);
	assert_int_equal(find(table, 0xb, 0), NONE);
	assert_int_equal(learn(table, 0xa, 3, 0), VNET_FDB_KNOWN);
	assert_int_equal(learn(table, 0xa, 3, 1), VNET_FDB_KNOWN);
	assert_int_equal(table->fdb.n, 2);
}

static void
test_address_moves(void **state)
{
	struct table *table = *state;

	learn_all(table, 0xa, 2, 3, 0);
	assert_int_equal(learn(table, 0xa, 4, 0), VNET_FDB_MOVED);
	assert_int_equal(find(table, 0xa, 0), 4);
	assert_int_equal(find(table, 0xb, 0), 3);
	assert_int_equal(learn(table, 0xa, 4, 0), VNET_FDB_KNOWN);
	assert_int_equal(learn(table, 0xa, 3, 0), VNET_FDB_MOVED);
	assert_int_equal(find(table, 0xa, 0), 3);
	assert_int_equal(table->fdb.n, 2);
	assert_true(vnet_fdb_owner_is_clear(&table->fdb, 4));
}

static void
test_owner_0_and_the_last_one_serve(void **state)
{
	struct table table;

	(void)state;
	table_init(&table, 4, 65536);
	assert_int_equal(learn(&table, 1, 0, 0), VNET_FDB_NEW);
	assert_int_equal(learn(&table, 2, 65535, 0), VNET_FDB_NEW);
	pin(&table, 3, 65535);
	assert_int_equal(find(&table, 1, 0), 0);
	assert_int_equal(find(&table, 2, 0), 65535);
	assert_int_equal(find(&table, 3, 0), 65535);
	table_fini(&table);
}

static void
test_address_is_forgotten_to_the_second(void **state)
{
	struct table *table = *state;

	learn_all(table, 0xa, 1, 3, 1000);
	assert_int_equal(find(table, 0xa, 1000 + AGEING - 1), 3);
	assert_int_equal(find(table, 0xa, 1000 + AGEING), NONE);
	assert_int_equal(find(table, 0xa, 1000 + 1000 * AGEING), NONE);
	/* The same with a tick a second too early, and one in time. */
	vnet_fdb_tick(&table->fdb, 1000 + AGEING - 1, 1000);
	assert_int_equal(table->fdb.n, 1);
	vnet_fdb_tick(&table->fdb, 1000 + AGEING, 1000);
	assert_int_equal(table->fdb.n, 0);
	assert_int_equal(find(table, 0xa, 1000 + AGEING), NONE);
}

static void
test_aged_address_is_learned_anew_and_does_not_move(void **state)
{
	struct table *table = *state;

	learn_all(table, 0xa, 2, 3, 0);
	assert_int_equal(learn(table, 0xa, 4, AGEING), VNET_FDB_NEW);
	assert_int_equal(learn(table, 0xb, 3, AGEING), VNET_FDB_NEW);
	assert_int_equal(find(table, 0xa, AGEING), 4);
	assert_int_equal(find(table, 0xb, AGEING), 3);
	assert_int_equal(table->fdb.n, 2);
	vnet_fdb_tick(&table->fdb, AGEING, 1000);
	assert_int_equal(table->fdb.n, 2);
}

static void
test_address_that_is_heard_stays(void **state)
{
	struct table *table = *state;
	uint64_t now = 0;

	learn_all(table, 0xa, 2, 3, 0);
	for (int i = 0; i < 5; i++) {
		now += AGEING - 1;
		assert_int_equal(learn(table, 0xa, 3, now), VNET_FDB_KNOWN);
		vnet_fdb_tick(&table->fdb, now, 1000);
	}
	assert_int_equal(find(table, 0xa, now + AGEING - 1), 3);
	assert_int_equal(find(table, 0xa, now + AGEING), NONE);
	assert_int_equal(table->fdb.n, 1);
}

/* Stamps are of 32 bits; 2^32 seconds are 136 years, but a clock may begin
 * anywhere. */
static void
test_ageing_does_not_care_where_the_clock_stands(void **state)
{
	struct table *table = *state;
	uint64_t now = (UINT64_C(1) << 32) - AGEING / 2;

	learn_all(table, 0xa, 2, 3, now);
	assert_int_equal(find(table, 0xa, now + AGEING - 1), 3);
	assert_int_equal(find(table, 0xa, now + AGEING), NONE);
	assert_int_equal(vnet_fdb_due(&table->fdb), now + AGEING);
	assert_int_equal(learn(table, 0xa, 3, now + AGEING - 1),
			 VNET_FDB_KNOWN);
	vnet_fdb_tick(&table->fdb, now + AGEING, 1000);
	assert_int_equal(table->fdb.n, 1);
	assert_int_equal(find(table, 0xa, now + 2 * AGEING - 2), 3);
	assert_int_equal(find(table, 0xa, now + 2 * AGEING - 1), NONE);
	assert_int_equal(vnet_fdb_due(&table->fdb), now + 2 * AGEING - 1);
}

static void
test_tick_is_due_when_the_oldest_address_ages(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	assert_true(vnet_fdb_due(t) == UINT64_MAX);
	learn_all(table, 0xa, 1, 3, 100);
	learn_all(table, 0xb, 1, 5, 110);
	learn_all(table, 0xc, 1, 3, 120);
	assert_int_equal(vnet_fdb_due(t), 100 + AGEING);

	/* A refresh does not move it, but the round then takes it right. */
	assert_int_equal(learn(table, 0xa, 3, 130), VNET_FDB_KNOWN);
	vnet_fdb_tick(t, 100 + AGEING, 1000);
	assert_int_equal(t->n, 3);
	assert_int_equal(vnet_fdb_due(t), 110 + AGEING);

	vnet_fdb_tick(t, 110 + AGEING, 1000);
	assert_int_equal(t->n, 2);
	assert_int_equal(vnet_fdb_due(t), 120 + AGEING);
	vnet_fdb_tick(t, 120 + AGEING, 1000);
	assert_int_equal(t->n, 1);
	assert_int_equal(vnet_fdb_due(t), 130 + AGEING);
	vnet_fdb_tick(t, 130 + AGEING, 1000);
	assert_int_equal(t->n, 0);
	assert_true(vnet_fdb_due(t) == UINT64_MAX);
}

static void
test_ageing_is_spread_over_ticks(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;
	int ticks = 0;

	learn_all(table, 0x100, 20, 1, 0);
	learn_all(table, 0x200, 20, 6, 0);
	learn_all(table, 0x300, 1, 7, 50);
	while (vnet_fdb_due(t) <= AGEING) {
		uint32_t n = t->n;

		vnet_fdb_tick(t, AGEING, 3);
		assert_true(n - t->n <= 3);
		assert_true(++ticks < 100);
		assert_true(vnet_fdb_check(t));
	}
	assert_true(ticks > 10);
	assert_int_equal(t->n, 1);
	assert_int_equal(vnet_fdb_due(t), 50 + AGEING);
}

static void
test_what_is_learned_during_a_round_is_not_missed(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	learn_all(table, 0x100, 1, 0, 0);
	vnet_fdb_tick(t, AGEING, 3); /* is at owner 2 now */
	assert_int_equal(vnet_fdb_due(t), 0);
	learn_all(table, 0x200, 1, 0, AGEING);
	while (!vnet_fdb_due(t))
		vnet_fdb_tick(t, AGEING + 7, 1);
	assert_int_equal(vnet_fdb_due(t), 2 * AGEING);
}

static void
test_idle_table_wakes_nobody(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	pin(table, 0xa, 1);
	pin(table, 0xb, 2);
	assert_true(vnet_fdb_due(t) == UINT64_MAX);

	/* Nothing is left of what was learned but one due time at the most. */
	learn_all(table, 0x100, 20, 1, 0);
	vnet_fdb_flush_owner(t, 1, false);
	for (int i = 0; i < 100 && !vnet_fdb_due(t); i++)
		vnet_fdb_tick(t, 1, 4);
	learn_all(table, 0x100, 1, 1, 2);
	assert_int_equal(vnet_fdb_forget(t, 0x100, 2), 0);
	assert_int_equal(t->n, 2);
	if (vnet_fdb_due(t) != UINT64_MAX) {
		assert_int_equal(vnet_fdb_due(t), AGEING);
		vnet_fdb_tick(t, AGEING, 1000);
	}
	assert_true(vnet_fdb_due(t) == UINT64_MAX);
	assert_int_equal(find(table, 0xa, 100 * AGEING), 1);
}

static void
test_flush_takes_effect_at_once(void **state)
{
	struct table *table = *state;

	learn_all(table, 0x100, 20, 1, 0);
	learn_all(table, 0x200, 20, 2, 0);
	vnet_fdb_flush_owner(&table->fdb, 1, false);
	assert_int_equal(count_found(table, 0x100, 20, NONE, 0), 20);
	assert_int_equal(count_found(table, 0x200, 20, 2, 0), 20);

	/* A flushed address is new, wherever it comes back. */
	assert_int_equal(learn(table, 0x100, 1, 0), VNET_FDB_NEW);
	assert_int_equal(learn(table, 0x101, 3, 0), VNET_FDB_NEW);
	assert_int_equal(find(table, 0x100, 0), 1);
	assert_int_equal(find(table, 0x101, 0), 3);
	assert_int_equal(count_found(table, 0x102, 18, NONE, 0), 18);
}

static void
test_flushed_addresses_are_swept_in_bounded_steps(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;
	uint32_t n;

	learn_all(table, 0x100, 20, 1, 0);
	learn_all(table, 0x200, 20, 2, 0);
	learn_all(table, 0x300, 5, 3, 0);
	vnet_fdb_flush_owner(t, 2, false);
	vnet_fdb_flush_owner(t, 1, false);
	learn_all(table, 0x110, 3, 1, 0); /* of these, flushed before: kept */
	assert_int_equal(vnet_fdb_due(t), 0);
	assert_false(vnet_fdb_owner_is_clear(t, 2));

	n = t->n;
	while (!vnet_fdb_due(t)) {
		uint32_t before = t->n;

		vnet_fdb_tick(t, 0, 4);
		assert_true(before - t->n <= 4);
		assert_true(vnet_fdb_check(t));
		assert_int_equal(count_found(table, 0x110, 3, 1, 0), 3);
		assert_int_equal(count_found(table, 0x300, 5, 3, 0), 5);
		assert_true(n-- > 0);
	}
	assert_int_equal(t->n, 8);
	assert_true(vnet_fdb_owner_is_clear(t, 2));
	assert_int_equal(vnet_fdb_due(t), AGEING);
}

static void
test_flushes_without_ticks_give_memory_back(void **state)
{
	struct table *table = *state;
	int flushes = 0;

	learn_all(table, 0x100, ENTRIES, 1, 0);
	for (uint64_t mac = 0x200; table->fdb.n > 2; mac++) {
		vnet_fdb_flush_owner(&table->fdb, 1, false);
		assert_int_equal(learn(table, mac, 1, 0), VNET_FDB_NEW);
		assert_true(++flushes < 2 * ENTRIES);
	}
	assert_int_equal(table->fdb.evictions, 0);
}

static void
test_flush_of_nothing_leaves_nothing_to_do(void **state)
{
	struct table *table = *state;

	vnet_fdb_flush_owner(&table->fdb, 1, true);
	assert_true(vnet_fdb_due(&table->fdb) == UINT64_MAX);
	learn_all(table, 0xa, 1, 1, 0);
	assert_int_equal(find(table, 0xa, 0), 1);
}

/* An epoch has 15 bits, and no tick comes in between. */
static void
test_no_flush_revives_an_address(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	for (uint32_t i = 0; i < 40000; i++) {
		/* One that stays away, and one that comes back each time. */
		if (i % VNET_FDB_EPOCHS < 50)
			(void)learn(table, 0x100 + i % VNET_FDB_EPOCHS, 1, 0);
		assert_int_equal(learn(table, 0xa, 1, 0), VNET_FDB_NEW);
		assert_int_equal(find(table, 0xa, 0), 1);
		vnet_fdb_flush_owner(t, 1, i % 2);
		assert_int_equal(find(table, 0xa, 0), NONE);
		if (i % 64 == 0 || i % VNET_FDB_EPOCHS < 100)
			assert_int_equal(count_found(table, 0x100, 50, 1, 0),
					 0);
	}
}

/*
 * A flush sweeps some of what earlier ones left. Where those left more than
 * that, for so long that the epoch comes round, all must be swept.
 */
static void
test_epoch_does_not_meet_addresses_of_its_last_time(void **state)
{
	static const uint32_t n = 500;
	struct table table;
	struct vnet_fdb *t = &table.fdb;

	(void)state;
	table_init(&table, 1024, OWNERS);
	learn_all(&table, 0x1000, n, 1, 0);
	for (uint32_t i = 0; i < n; i++)
		pin(&table, 0x2000 + i, 1);
	vnet_fdb_flush_owner(t, 1, true);
	/* As if 32,766 more had found others to sweep. */
	for (int list = 0; list < 2; list++) {
		assert_int_equal(vnet_fdb_epoch(t->owners[1].where[list]), 1);
		t->owners[1].where[list] += (VNET_FDB_EPOCHS - 2) << 16;
	}
	assert_true(vnet_fdb_check(t));

	for (int i = 0; i < 3; i++) {
		vnet_fdb_flush_owner(t, 1, true);
		assert_int_equal(count_found(&table, 0x1000, n, NONE, 0), n);
		assert_int_equal(count_found(&table, 0x2000, n, NONE, 0), n);
	}
	table_fini(&table);
}

static void
test_static_address_stays(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	pin(table, 0xa, 1);
	learn_all(table, 0xb, 1, 1, 0);
	/* It does not move, */
	assert_int_equal(learn(table, 0xa, 2, 5), VNET_FDB_REFUSED);
	assert_int_equal(learn(table, 0xa, 1, 5), VNET_FDB_KNOWN);
	assert_int_equal(find(table, 0xa, 5), 1);
	/* nor age, */
	assert_int_equal(find(table, 0xa, UINT64_C(1) << 33), 1);
	vnet_fdb_tick(t, 1000 * AGEING, 1000);
	assert_int_equal(t->n, 1);
	/* nor go with what was learned, */
	vnet_fdb_flush_owner(t, 1, false);
	vnet_fdb_tick(t, 1000 * AGEING, 1000);
	assert_int_equal(find(table, 0xa, 1000 * AGEING), 1);
	/* but with its owner. */
	vnet_fdb_flush_owner(t, 1, true);
	assert_int_equal(find(table, 0xa, 1000 * AGEING), NONE);
	vnet_fdb_tick(t, 1000 * AGEING, 1000);
	assert_true(vnet_fdb_owner_is_clear(t, 1));
	assert_int_equal(t->n, 0);
}

/* Is the live address held where it is? */
static bool
is_held(const struct table *table, uint64_t mac, uint64_t now_s)
{
	uint32_t i = vnet_fdb_slot(&table->fdb, mac,
				   vnet_fdb_home(&table->fdb, mac));

	assert_true(i != NONE);
	return vnet_fdb_is_held(&table->fdb, i, now_s);
}

static void
test_static_address_is_refused_elsewhere(void **state)
{
	struct table *table = *state;

	pin(table, 0xa, 1);
	for (uint64_t s = 0; s < 3 * FLAP_MOVES; s++)
		assert_int_equal(learn(table, 0xa, 2, s / 2), VNET_FDB_REFUSED);
	assert_int_equal(learn(table, 0xa, 1, 9), VNET_FDB_KNOWN);
	assert_int_equal(find(table, 0xa, 9), 1);
	assert_false(is_held(table, 0xa, 9));
	assert_int_equal(vnet_fdb_forget(&table->fdb, 0xa, 9), 0);
	assert_int_equal(learn(table, 0xa, 2, 9), VNET_FDB_NEW);
}

static void
test_sticky_address_stays_until_it_has_aged(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	vnet_fdb_set_sticky(t, 1, true);
	learn_all(table, 0xa, 2, 1, 0);
	assert_true(is_held(table, 0xa, 0));
	assert_int_equal(learn(table, 0xa, 1, 10), VNET_FDB_KNOWN);
	/* Who is refused does not keep it alive either. */
	assert_int_equal(learn(table, 0xa, 2, 20), VNET_FDB_REFUSED);
	assert_int_equal(learn(table, 0xa, 2, 10 + AGEING - 1),
			 VNET_FDB_REFUSED);
	assert_int_equal(find(table, 0xa, 10 + AGEING - 1), 1);
	assert_int_equal(learn(table, 0xa, 2, 10 + AGEING), VNET_FDB_NEW);
	assert_int_equal(find(table, 0xa, 10 + AGEING), 2);
	assert_false(is_held(table, 0xa, 10 + AGEING));
	/* It is where an address is that counts, not where it goes. */
	assert_int_equal(learn(table, 0xa, 1, 10 + AGEING), VNET_FDB_MOVED);
	assert_int_equal(learn(table, 0xa, 2, 10 + AGEING), VNET_FDB_REFUSED);
}

static void
test_sticky_address_goes_with_a_flush(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	vnet_fdb_set_sticky(t, 1, true);
	learn_all(table, 0xa, 2, 1, 0);
	vnet_fdb_flush_owner(t, 1, false);
	assert_int_equal(learn(table, 0xa, 2, 0), VNET_FDB_NEW);
	assert_int_equal(learn(table, 0xb, 1, 0), VNET_FDB_NEW);
	assert_int_equal(learn(table, 0xb, 2, 0), VNET_FDB_REFUSED);
	vnet_fdb_set_sticky(t, 1, false);
	assert_int_equal(learn(table, 0xb, 2, 0), VNET_FDB_MOVED);
}

/* Let an address go to and fro between 1 and 2 until one move is too many;
 * it is then on the owner returned. */
static uint32_t
flap(struct table *table, uint64_t mac, uint64_t now_s)
{
	uint32_t owner = find(table, mac, now_s);

	for (int i = 0; i < FLAP_MOVES; i++) {
		assert_false(is_held(table, mac, now_s));
		owner = 3 - owner;
		assert_int_equal(learn(table, mac, owner, now_s),
				 VNET_FDB_MOVED);
	}
	assert_false(is_held(table, mac, now_s));
	assert_int_equal(learn(table, mac, 3 - owner, now_s), VNET_FDB_HELD);
	assert_true(is_held(table, mac, now_s));
	assert_int_equal(find(table, mac, now_s), owner);
	return owner;
}

static void
test_flapping_address_is_held_for_a_minute(void **state)
{
	struct table *table = *state;
	uint32_t at;

	learn_all(table, 0xa, 2, 1, 0);
	at = flap(table, 0xa, 100);
	/* That was said once. */
	for (uint64_t s = 100; s < 100 + HOLD; s++) {
		assert_int_equal(learn(table, 0xa, 3 - at, s),
				 VNET_FDB_REFUSED);
		assert_int_equal(learn(table, 0xa, 3, s), VNET_FDB_REFUSED);
		assert_int_equal(learn(table, 0xa, at, s), VNET_FDB_KNOWN);
		assert_true(is_held(table, 0xa, s));
	}
	/* It is as free as any other then, and no freer. */
	assert_false(is_held(table, 0xa, 100 + HOLD));
	at = flap(table, 0xa, 100 + HOLD);
	assert_int_equal(learn(table, 0xa, 3 - at, 100 + HOLD),
			 VNET_FDB_REFUSED);
	/* Others were never concerned. */
	assert_int_equal(learn(table, 0xb, 2, 100 + HOLD), VNET_FDB_MOVED);
}

static void
test_refused_moves_do_not_keep_an_address_alive_or_held(void **state)
{
	struct table *table = *state;
	uint32_t at;

	learn_all(table, 0xa, 2, 1, 0);
	at = flap(table, 0xa, 0);
	for (uint64_t s = 1; s < HOLD; s++)
		assert_int_equal(learn(table, 0xa, 3 - at, s),
				 VNET_FDB_REFUSED);
	assert_int_equal(learn(table, 0xa, 3 - at, HOLD), VNET_FDB_MOVED);

	at = flap(table, 0xb, 0);
	assert_int_equal(learn(table, 0xb, at, HOLD - 1), VNET_FDB_KNOWN);
	assert_int_equal(find(table, 0xb, HOLD - 1 + AGEING - 1), at);
	assert_int_equal(find(table, 0xb, HOLD - 1 + AGEING), NONE);
}

/* Ten seconds, counted from a first move. */
static void
test_moves_of_ten_seconds_count_together(void **state)
{
	struct table *table = *state;
	uint32_t at = 1;

	learn_all(table, 0xa, 2, 1, 0);
	for (int i = 0; i < FLAP_MOVES; i++) {
		at = 3 - at;
		assert_int_equal(learn(table, 0xa, at, 20 + (i ? 9 : 0)),
				 VNET_FDB_MOVED);
	}
	assert_int_equal(learn(table, 0xa, 3 - at, 29), VNET_FDB_HELD);
	/* The minute is one from there. */
	assert_true(is_held(table, 0xa, 29 + HOLD - 1));
	assert_false(is_held(table, 0xa, 29 + HOLD));

	/* The same, but the last one is a second later. */
	at = 1;
	for (int i = 0; i < FLAP_MOVES; i++) {
		at = 3 - at;
		assert_int_equal(learn(table, 0xb, at, 20 + (i ? 9 : 0)),
				 VNET_FDB_MOVED);
	}
	assert_int_equal(learn(table, 0xb, 3 - at, 30), VNET_FDB_MOVED);
}

static void
test_address_that_moves_now_and_then_is_not_held(void **state)
{
	struct table *table = *state;
	uint32_t at = 1;

	learn_all(table, 0xa, 1, 1, 0);
	for (uint64_t s = 0; s < 100 * 2; s += 2) {
		at = 3 - at;
		assert_int_equal(learn(table, 0xa, at, s), VNET_FDB_MOVED);
		assert_false(is_held(table, 0xa, s));
	}
}

static void
test_what_is_learned_anew_has_not_moved(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;
	uint32_t at;

	learn_all(table, 0xa, 4, 1, 0);
	for (uint64_t mac = 0xa; mac < 0xe; mac++)
		at = flap(table, mac, 0);

	/* Forgotten, */
	assert_int_equal(vnet_fdb_forget(t, 0xa, 0), 0);
	learn_all(table, 0xa, 1, at, 0);
	(void)flap(table, 0xa, 0);

	/* pinned, */
	pin(table, 0xb, 1);
	assert_false(is_held(table, 0xb, 0));
	assert_int_equal(vnet_fdb_forget(t, 0xb, 0), 0);
	learn_all(table, 0xb, 1, 1, 0);
	(void)flap(table, 0xb, 0);

	/* driven out, */
	vnet_fdb_set_max(t, at, 1);
	for (uint64_t mac = 0x100; find(table, 0xc, 0) == at; mac++)
		assert_int_equal(learn(table, mac, at, 0), VNET_FDB_EVICTED);
	vnet_fdb_set_max(t, at, 0);
	learn_all(table, 0xc, 1, at, 0);
	at = flap(table, 0xc, 0);

	/* flushed. */
	vnet_fdb_flush_owner(t, at, false);
	learn_all(table, 0xc, 1, 3 - at, 0);
	(void)flap(table, 0xc, 0);
}

static void
test_aged_address_is_not_held(void **state)
{
	struct table *table = *state;
	uint32_t at;

	table->fdb.ageing_s = HOLD / 2; /* less than it would be held */
	learn_all(table, 0xa, 1, 1, 0);
	at = flap(table, 0xa, 0);
	assert_int_equal(learn(table, 0xa, 3 - at, HOLD / 2), VNET_FDB_NEW);
	(void)flap(table, 0xa, HOLD / 2);
}

static void
test_holding_does_not_care_where_the_clock_stands(void **state)
{
	/* The seconds of moves have 23 bits, stamps have 32. */
	static const uint64_t turn[] = {UINT64_C(1) << 23, UINT64_C(1) << 32};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (uint64_t before = 0; before <= HOLD; before += 5) {
			uint64_t now = turn[k] - before;
			struct table table;
			uint32_t at;

			table_init(&table, ENTRIES, OWNERS);
			learn_all(&table, 0xa, 2, 1, now);
			assert_int_equal(learn(&table, 0xb, 2, now),
					 VNET_FDB_MOVED);
			at = flap(&table, 0xa, now);
			assert_true(is_held(&table, 0xa, now + HOLD - 1));
			assert_int_equal(learn(&table, 0xa, 3 - at,
					       now + HOLD - 1),
					 VNET_FDB_REFUSED);
			assert_int_equal(learn(&table, 0xa, 3 - at, now + HOLD),
					 VNET_FDB_MOVED);
			assert_int_equal(flap(&table, 0xb, now + 10),
					 FLAP_MOVES % 2 ? 1 : 2);
			table_fini(&table);
		}
	}
}

/* An address that is heard for 97 days, and more. */
static void
test_hold_does_not_come_back_with_the_clock(void **state)
{
	static const uint64_t turn = UINT64_C(1) << 23;
	struct table *table = *state;
	uint64_t now = 0;
	uint32_t at;

	learn_all(table, 0xa, 2, 1, now);
	at = flap(table, 0xa, now);
	assert_int_equal(learn(table, 0xb, 2, now), VNET_FDB_MOVED);
	while (now < turn) {
		now += AGEING - 1;
		now = now < turn ? now : turn;
		assert_int_equal(learn(table, 0xa, at, now), VNET_FDB_KNOWN);
		assert_int_equal(learn(table, 0xb, 2, now), VNET_FDB_KNOWN);
	}
	assert_false(is_held(table, 0xa, now));
	(void)flap(table, 0xa, now);
	(void)flap(table, 0xb, now);
}

static void
test_flushed_static_address_can_be_learned(void **state)
{
	struct table *table = *state;

	pin(table, 0xa, 1);
	vnet_fdb_flush_owner(&table->fdb, 1, true);
	assert_int_equal(learn(table, 0xa, 1, 0), VNET_FDB_NEW);
	assert_int_equal(find(table, 0xa, 0), 1);
	assert_int_equal(learn(table, 0xa, 2, 0), VNET_FDB_MOVED);
	assert_int_equal(find(table, 0xa, AGEING), NONE);
}

static void
test_pin_replaces_what_is_there(void **state)
{
	struct table *table = *state;

	learn_all(table, 0xa, 1, 1, 0);
	pin(table, 0xa, 2);
	assert_int_equal(find(table, 0xa, 2 * AGEING), 2);
	assert_true(vnet_fdb_owner_is_clear(&table->fdb, 1));
	pin(table, 0xa, 3);
	assert_int_equal(find(table, 0xa, 2 * AGEING), 3);
	pin(table, 0xa, 3);
	assert_int_equal(find(table, 0xa, 2 * AGEING), 3);
	assert_int_equal(table->fdb.n, 1);
	assert_true(vnet_fdb_owner_is_clear(&table->fdb, 2));

	/* Also where that is dead and only waits to be swept. */
	learn_all(table, 0xb, 1, 4, 0);
	vnet_fdb_flush_owner(&table->fdb, 4, false);
	pin(table, 0xb, 4);
	vnet_fdb_tick(&table->fdb, 2 * AGEING, 1000);
	assert_int_equal(find(table, 0xb, 2 * AGEING), 4);
}

static void
test_forgotten_address_is_gone(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	assert_int_equal(vnet_fdb_forget(t, 0xa, 0), -ENOENT);
	learn_all(table, 0xa, 2, 1, 0);
	pin(table, 0xc, 1);
	assert_int_equal(vnet_fdb_forget(t, 0xa, 0), 0);
	assert_int_equal(vnet_fdb_forget(t, 0xa, 0), -ENOENT);
	assert_int_equal(vnet_fdb_forget(t, 0xc, 10 * AGEING), 0);
	assert_int_equal(find(table, 0xa, 0), NONE);
	assert_int_equal(find(table, 0xb, 0), 1);
	assert_int_equal(find(table, 0xc, 0), NONE);

	/* What nobody can find is not there to be forgotten. */
	assert_int_equal(vnet_fdb_forget(t, 0xb, AGEING), -ENOENT);
	learn_all(table, 0xd, 1, 1, AGEING);
	vnet_fdb_flush_owner(t, 1, false);
	assert_int_equal(vnet_fdb_forget(t, 0xd, AGEING), -ENOENT);
	assert_int_equal(find(table, 0xd, AGEING), NONE);
}

static void
test_flood_of_addresses_drives_out_its_own(void **state)
{
	struct table *table = *state;

	learn_all(table, 0x100, 4, 1, 0);
	learn_all(table, 0x200, ENTRIES - 4, 2, 0);
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t mac = 0x200 + ENTRIES - 4 + i;

		assert_int_equal(learn(table, mac, 2, 1), VNET_FDB_EVICTED);
		assert_int_equal(find(table, mac, 1), 2);
		/* The oldest of its own has gone for it. */
		assert_int_equal(find(table, 0x200 + i, 1), NONE);
		assert_int_equal(find(table, 0x200 + i + 1, 1), 2);
	}
	assert_int_equal(count_found(table, 0x100, 4, 1, 1), 4);
	assert_int_equal(table->fdb.n, ENTRIES);
	assert_int_equal(table->fdb.evictions, 1000);
}

static void
test_others_learn_at_the_cost_of_the_flooder(void **state)
{
	struct table *table = *state;
	uint32_t share = ENTRIES / 2;

	learn_all(table, 0x200, ENTRIES, 1, 0);
	/* 0x200 was heard last, so 0x201 is the oldest. */
	assert_int_equal(learn(table, 0x200, 1, 1), VNET_FDB_KNOWN);
	for (uint32_t i = 0; i < share; i++) {
		assert_int_equal(learn(table, 0x100 + i, 2, 1),
				 VNET_FDB_EVICTED);
		assert_int_equal(find(table, 0x201 + i, 1), NONE);
		assert_int_equal(find(table, 0x200, 1), 1);
	}
	/* Both have the same now: one more is at its own cost. */
	assert_int_equal(learn(table, 0x100 + share, 2, 1), VNET_FDB_EVICTED);
	assert_int_equal(find(table, 0x100, 1), NONE);
	assert_int_equal(count_found(table, 0x101, share, 2, 1), share);
	assert_int_equal(count_found(table, 0x200, ENTRIES, 1, 1), share);
}

static void
test_shares_come_out_even_under_many_floods(void **state)
{
	struct table *table = *state;
	struct test_random random = {1};

	for (uint64_t i = 1; i <= 20000; i++)
		(void)learn(table, i, test_random_below(&random, OWNERS), 0);
	for (uint32_t i = 0; i < OWNERS; i++) {
		uint32_t n = table->fdb.owners[i].n[VNET_FDB_LEARNED];

		assert_in_range(n, ENTRIES / OWNERS - 1, ENTRIES / OWNERS + 1);
	}
}

static void
test_owner_that_has_its_share_drives_out_its_own(void **state)
{
	struct table *table = *state;

	vnet_fdb_set_fair(&table->fdb, 1, 8);
	learn_all(table, 0x100, 14, 1, 0); /* there is room */
	learn_all(table, 0x200, ENTRIES - 14, 2, 0);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(learn(table, 0x100 + 14 + i, 1, 1),
				 VNET_FDB_EVICTED);
		assert_int_equal(find(table, 0x100 + i, 1), NONE);
		assert_int_equal(find(table, 0x100 + i + 1, 1), 1);
	}
	/* Though others have more than it. */
	assert_int_equal(count_found(table, 0x200, ENTRIES - 14, 2, 1),
			 ENTRIES - 14);
}

static void
test_owner_below_its_share_takes_from_who_goes_furthest(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	vnet_fdb_set_fair(t, 1, 32);
	vnet_fdb_set_fair(t, 2, 8);
	vnet_fdb_set_fair(t, 3, 8);
	learn_all(table, 0x100, 32, 1, 0);
	learn_all(table, 0x200, 32, 2, 0);
	/* 1 and 2 have the same, but that is 1's own. */
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(learn(table, 0x300 + i, 3, 1),
				 VNET_FDB_EVICTED);
		assert_int_equal(find(table, 0x200 + i, 1), NONE);
		assert_int_equal(find(table, 0x201 + i, 1), 2);
	}
	assert_int_equal(learn(table, 0x308, 3, 1), VNET_FDB_EVICTED);
	assert_int_equal(find(table, 0x300, 1), NONE);
	assert_int_equal(count_found(table, 0x100, 32, 1, 1), 32);
	assert_int_equal(count_found(table, 0x208, 24, 2, 1), 24);
}

static void
test_no_flood_takes_from_an_owner_within_its_share(void **state)
{
	static const uint32_t fair[OWNERS] = {1, 20, 3, 5, 8, 7, 12, 8};
	struct table *table = *state;
	struct test_random random = {3};

	for (uint32_t i = 0; i < OWNERS; i++)
		vnet_fdb_set_fair(&table->fdb, i, fair[i]);
	learn_all(table, 0x100, fair[1], 1, 0);
	for (uint64_t i = 1; i <= 5000; i++) {
		uint32_t owner = test_random_below(&random, OWNERS - 1);

		(void)learn(table, 0x1000 + i, owner + (owner > 0), 0);
		assert_int_equal(count_found(table, 0x100, fair[1], 1, 0),
				 fair[1]);
	}
	/* Nobody is left with more, once all have learned enough. */
	for (uint32_t i = 1; i < OWNERS; i++)
		assert_in_range(table->fdb.owners[i].n[VNET_FDB_LEARNED],
				fair[i], fair[i] + 1);
}

static void
test_changed_shares_hold_at_once(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	learn_all(table, 0x200, 40, 2, 0);
	learn_all(table, 0x300, 24, 3, 0);
	vnet_fdb_set_fair(t, 2, 39);
	vnet_fdb_set_fair(t, 3, 4);
	assert_true(vnet_fdb_check(t));
	assert_int_equal(learn(table, 0x100, 1, 1), VNET_FDB_EVICTED);
	assert_int_equal(find(table, 0x300, 1), NONE);
	vnet_fdb_set_fair(t, 3, ENTRIES);
	assert_int_equal(learn(table, 0x101, 1, 1), VNET_FDB_EVICTED);
	assert_int_equal(find(table, 0x200, 1), NONE);
	assert_int_equal(count_found(table, 0x201, 39, 2, 1), 39);
	assert_int_equal(count_found(table, 0x301, 23, 3, 1), 23);
}

/* Pinned addresses may leave less than the shares are together. */
static void
test_where_all_are_below_their_shares_the_nearest_gives(void **state)
{
	struct table *table = *state;

	for (uint32_t i = 0; i < ENTRIES - 10; i++)
		pin(table, 0x1000 + i, 0);
	vnet_fdb_set_fair(&table->fdb, 1, 32);
	vnet_fdb_set_fair(&table->fdb, 2, 8);
	learn_all(table, 0x100, 6, 1, 0);
	learn_all(table, 0x200, 4, 2, 0);
	assert_int_equal(learn(table, 0x106, 1, 1), VNET_FDB_EVICTED);
	assert_int_equal(find(table, 0x200, 1), NONE);
	assert_int_equal(count_found(table, 0x100, 7, 1, 1), 7);
}

static void
test_owner_at_its_bound_makes_room_by_its_own_oldest(void **state)
{
	struct table *table = *state;

	vnet_fdb_set_max(&table->fdb, 1, 4);
	learn_all(table, 0x200, 30, 2, 0);
	learn_all(table, 0x100, 4, 1, 0);
	assert_int_equal(learn(table, 0x100, 1, 1), VNET_FDB_KNOWN);
	assert_int_equal(learn(table, 0x104, 1, 1), VNET_FDB_EVICTED);
	assert_int_equal(find(table, 0x101, 1), NONE);
	assert_int_equal(find(table, 0x100, 1), 1);
	assert_int_equal(count_found(table, 0x100, 5, 1, 1), 4);
	assert_int_equal(count_found(table, 0x200, 30, 2, 1), 30);
	/* In a full table, too. */
	learn_all(table, 0x300, ENTRIES - 34, 3, 1);
	assert_int_equal(learn(table, 0x105, 1, 1), VNET_FDB_EVICTED);
	assert_int_equal(find(table, 0x102, 1), NONE);
	assert_int_equal(table->fdb.n, ENTRIES);
	assert_int_equal(table->fdb.evictions, 2);
	/* And no more than that once there is none. */
	assert_int_equal(vnet_fdb_forget(&table->fdb, 0x300, 1), 0);
	vnet_fdb_set_max(&table->fdb, 1, 0);
	assert_int_equal(learn(table, 0x106, 1, 1), VNET_FDB_NEW);
}

static void
test_static_addresses_do_not_count_for_the_bound(void **state)
{
	struct table *table = *state;

	vnet_fdb_set_max(&table->fdb, 1, 1);
	for (uint32_t i = 0; i < 5; i++)
		pin(table, 0x100 + i, 1);
	assert_int_equal(learn(table, 0x200, 1, 0), VNET_FDB_NEW);
	pin(table, 0x105, 1);
	assert_int_equal(find(table, 0x200, 0), 1);
	assert_int_equal(learn(table, 0x201, 1, 0), VNET_FDB_EVICTED);
	assert_int_equal(count_found(table, 0x100, 6, 1, 0), 6);
}

static void
test_lowered_bound_is_met_by_two_for_each_new_address(void **state)
{
	struct table *table = *state;
	const struct vnet_fdb_owner *o = &table->fdb.owners[1];

	learn_all(table, 0x100, 20, 1, 0);
	vnet_fdb_set_max(&table->fdb, 1, 10);
	assert_int_equal(o->n[VNET_FDB_LEARNED], 20);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(learn(table, 0x200 + i, 1, 0),
				 VNET_FDB_EVICTED);
		assert_int_equal(o->n[VNET_FDB_LEARNED], 19 - i);
	}
	assert_int_equal(count_found(table, 0x200, 10, 1, 0), 10);
	assert_int_equal(learn(table, 0x20a, 1, 0), VNET_FDB_EVICTED);
	assert_int_equal(o->n[VNET_FDB_LEARNED], 10);
	assert_int_equal(table->fdb.evictions, 21);
}

static void
test_bound_holds_for_what_moves(void **state)
{
	struct table table;

	(void)state;
	table_init(&table, 512, OWNERS);
	vnet_fdb_set_max(&table.fdb, 1, 100);
	learn_all(&table, 0x1000, 100, 1, 0);
	learn_all(&table, 0x2000, 400, 2, 0);
	for (uint32_t i = 0; i < 400; i++) {
		assert_int_equal(learn(&table, 0x2000 + i, 1, 1),
				 VNET_FDB_MOVED);
		assert_int_equal(find(&table, 0x2000 + i, 1), 1);
		assert_int_equal(table.fdb.owners[1].n[VNET_FDB_LEARNED], 100);
		assert_true(vnet_fdb_check(&table.fdb));
	}
	assert_int_equal(count_found(&table, 0x2000 + 300, 100, 1, 1), 100);
	table_fini(&table);
}

static void
test_dead_addresses_give_room_and_are_no_evictions(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	vnet_fdb_set_max(t, 1, 4);
	learn_all(table, 0x100, 4, 1, 0);
	vnet_fdb_flush_owner(t, 1, false);
	learn_all(table, 0x200, 4, 1, 0);
	assert_int_equal(learn(table, 0x204, 1, 0), VNET_FDB_EVICTED);
	assert_int_equal(learn(table, 0x205, 1, AGEING), VNET_FDB_NEW);
	/* One of these comes back itself. */
	assert_int_equal(learn(table, 0x204, 1, AGEING), VNET_FDB_NEW);
	assert_int_equal(t->evictions, 1);
	assert_int_equal(find(table, 0x205, AGEING), 1);

	/* The same where the table is full of what has aged. */
	vnet_fdb_set_max(t, 1, 0);
	learn_all(table, 0x300, ENTRIES - t->n, 1, AGEING);
	learn_all(table, 0x400, ENTRIES / 2, 2, 2 * AGEING);
	assert_int_equal(t->evictions, 1);
}

static void
test_what_holds_for_an_owner_outlives_a_flush(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	vnet_fdb_set_max(t, 1, 4);
	vnet_fdb_set_sticky(t, 1, true);
	learn_all(table, 0x100, 4, 1, 0);
	vnet_fdb_flush_owner(t, 1, true);
	vnet_fdb_tick(t, 0, 1000);
	assert_int_equal(t->n, 0);
	learn_all(table, 0x100, 4, 1, 0);
	assert_int_equal(learn(table, 0x100, 2, 0), VNET_FDB_REFUSED);
	assert_int_equal(learn(table, 0x104, 1, 0), VNET_FDB_EVICTED);
}

static void
test_what_was_flushed_goes_before_what_lives(void **state)
{
	struct table *table = *state;

	learn_all(table, 0x100, 3, 1, 0);
	learn_all(table, 0x200, ENTRIES - 3, 2, 0);
	vnet_fdb_flush_owner(&table->fdb, 1, false);
	learn_all(table, 0x300, 3, 3, 0); /* VNET_FDB_NEW, all of them */
	assert_int_equal(count_found(table, 0x200, ENTRIES - 3, 2, 0),
			 ENTRIES - 3);
	assert_int_equal(table->fdb.evictions, 0);
	assert_int_equal(learn(table, 0x303, 3, 0), VNET_FDB_EVICTED);
	assert_int_equal(find(table, 0x200, 0), NONE);
}

static void
test_static_addresses_are_not_driven_out(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;

	for (uint32_t i = 0; i < ENTRIES - 1; i++)
		pin(table, 0x100 + i, 1);
	assert_int_equal(learn(table, 0xa, 2, 0), VNET_FDB_NEW);
	for (uint64_t mac = 0xb; mac < 0x20; mac++) {
		assert_int_equal(learn(table, mac, 3, 0), VNET_FDB_EVICTED);
		assert_int_equal(find(table, mac - 1, 0), NONE);
	}
	/* One more takes the place of what was learned; then there is none. */
	pin(table, 0x100 + ENTRIES - 1, 1);
	assert_int_equal(find(table, 0x1f, 0), NONE);
	assert_int_equal(vnet_fdb_pin(t, 0x1f, 1, 0), -ENOSPC);
	assert_int_equal(learn(table, 0x1f, 2, 0), VNET_FDB_UNLEARNED);
	assert_int_equal(t->unlearned, 1);
	assert_int_equal(count_found(table, 0x100, ENTRIES, 1, 0), ENTRIES);

	/* To pin again what is pinned needs no room. */
	pin(table, 0x100, 2);
	assert_int_equal(vnet_fdb_forget(t, 0x101, 0), 0);
	assert_int_equal(learn(table, 0x1f, 2, 0), VNET_FDB_NEW);
}

/* No hash puts this many together by chance; a test can choose them. */
static void
test_too_many_addresses_of_one_home_are_not_learned(void **state)
{
	uint64_t macs[VNET_FDB_PROBES + 1];
	struct table table;
	struct vnet_fdb *t = &table.fdb;
	uint64_t mac = 0;

	(void)state;
	table_init(&table, 200, OWNERS);
	for (uint32_t i = 0; i <= VNET_FDB_PROBES;) {
		if (vnet_fdb_home(t, ++mac) == t->nhome - 1)
			macs[i++] = mac;
	}
	for (uint32_t i = 0; i < VNET_FDB_PROBES; i++)
		assert_int_equal(learn(&table, macs[i], 1, 0), VNET_FDB_NEW);
	mac = macs[VNET_FDB_PROBES];
	assert_int_equal(find(&table, mac, 0), NONE);
	assert_int_equal(learn(&table, mac, 1, 0), VNET_FDB_UNLEARNED);
	assert_int_equal(vnet_fdb_pin(t, mac, 1, 0), -ENOSPC);
	assert_int_equal(vnet_fdb_forget(t, mac, 0), -ENOENT);
	assert_int_equal(t->unlearned, 1);
	assert_int_equal(t->n, VNET_FDB_PROBES);
	assert_true(vnet_fdb_check(t));

	/* Where one goes, the others close up, and there is room. */
	assert_int_equal(vnet_fdb_forget(t, macs[5], 0), 0);
	for (uint32_t i = 0; i < VNET_FDB_PROBES; i++)
		assert_int_equal(find(&table, macs[i], 0), i == 5 ? NONE : 1);
	assert_int_equal(learn(&table, mac, 2, 0), VNET_FDB_NEW);
	assert_int_equal(find(&table, mac, 0), 2);
	table_fini(&table);
}

static void
test_table_of_one_entry_serves(void **state)
{
	struct table table;

	(void)state;
	table_init(&table, 1, 1);
	assert_int_equal(learn(&table, 0xa, 0, 0), VNET_FDB_NEW);
	for (uint64_t mac = 0xb; mac < 0x100; mac++) {
		assert_int_equal(learn(&table, mac, 0, 0), VNET_FDB_EVICTED);
		assert_int_equal(find(&table, mac, 0), 0);
		assert_int_equal(find(&table, mac - 1, 0), NONE);
	}
	vnet_fdb_tick(&table.fdb, AGEING, 10);
	assert_int_equal(table.fdb.n, 0);
	assert_true(vnet_fdb_due(&table.fdb) == UINT64_MAX);
	table_fini(&table);
}

static void
test_walk_sees_each_live_entry_once(void **state)
{
	struct table *table = *state;
	uint32_t i = vnet_fdb_nslots(&table->fdb), seen = 0, calls = 0;

	learn_all(table, 0x100, 10, 1, 0);
	learn_all(table, 0x200, 10, 2, 0);
	learn_all(table, 0x300, 10, 3, 100);
	pin(table, 0x400, 1);
	vnet_fdb_flush_owner(&table->fdb, 2, false);

	while (i) {
		uint32_t before = i;
		bool found = vnet_fdb_walk(&table->fdb, &i, 5, AGEING);

		assert_true(before - i <= 5);
		assert_true(found || before - i == 5 || !i);
		calls++;
		if (!found)
			continue;
		assert_true(table->fdb.slots[i].key == 0x400 ||
			    table->fdb.slots[i].key >> 8 == 3);
		seen++;
	}
	assert_int_equal(seen, 11);
	assert_true(calls >= vnet_fdb_nslots(&table->fdb) / 5);
	assert_false(vnet_fdb_walk(&table->fdb, &i, 5, AGEING));
}

static void
test_walk_misses_no_entry_that_stays(void **state)
{
	struct test_random random = {77};
	struct table table;
	struct vnet_fdb *t = &table.fdb;

	(void)state;
	table_init(&table, 512, OWNERS);
	/* What stays lies among what comes and goes, in long runs. */
	for (uint64_t k = 0; k < 200; k++) {
		learn_all(&table, 0x1000 + k, 1, 1, 0);
		learn_all(&table, 0x2000 + k, 1, 2, 0);
	}
	for (int round = 0; round < 30; round++) {
		uint32_t i = vnet_fdb_nslots(t);
		uint8_t seen[200] = {0};
		bool found;

		do {
			found = vnet_fdb_walk(t, &i, 16, 0);
			if (found && t->slots[i].key < 0x2000)
				seen[t->slots[i].key - 0x1000]++;
			for (int k = 0; k < 8; k++) {
				uint64_t mac = 0x2000 +
					       test_random_below(&random, 300);

				if (vnet_fdb_forget(t, mac, 0))
					(void)learn(&table, mac, 2, 0);
			}
		} while (found || i);
		for (uint32_t k = 0; k < 200; k++)
			assert_true(seen[k] > 0);
	}
	table_fini(&table);
}

static void
test_seed_decides_where_addresses_lie(void **state)
{
	static const uint64_t seed[] = {1, 2, UINT64_C(1) << 63};
	struct test_alloc a;
	struct vnet_fdb t[3];
	uint32_t same[3] = {0};

	(void)state;
	test_alloc_init(&a);
	for (int i = 0; i < 3; i++) {
		struct vnet_fdb_config config =
			config_of(8192, OWNERS, seed[i]);

		assert_int_equal(vnet_fdb_init(&t[i], &a.alloc, &config), 0);
	}
	for (uint64_t mac = 1; mac <= 10000; mac++) {
		uint32_t home[3];

		for (int i = 0; i < 3; i++) {
			home[i] = vnet_fdb_home(&t[i], mac);
			assert_true(home[i] < t[i].nhome);
		}
		for (int i = 0; i < 3; i++)
			same[i] += home[i] == home[(i + 1) % 3];
	}
	for (int i = 0; i < 3; i++) {
		assert_true(same[i] < 100); /* 0.6 by chance */
		vnet_fdb_fini(&t[i], &a.alloc);
	}
	assert_int_equal(a.blocks, 0);
}

/* The same seed means the same places, whatever the machine and compiler. The
 * numbers were computed apart from this code, from the definitions of its hash
 * and of SplitMix64. */
static void
test_places_are_the_same_everywhere(void **state)
{
	static const struct {
		uint64_t mac;
		uint32_t home;
	} known[] = {
		{UINT64_C(0x000000000001), 1849},
		{UINT64_C(0x020000000001), 4944},
		{UINT64_C(0x0200000000ff), 14086},
		{UINT64_C(0x00163e123456), 4064},
		{UINT64_C(0xfeffffffffff), 3693},
		{UINT64_C(0xffffffffffff), 3972},
	};
	struct table table;

	(void)state;
	table_init(&table, 8192, OWNERS);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(vnet_fdb_home(&table.fdb, known[i].mac),
				 known[i].home);
	table_fini(&table);
}

static void
test_addresses_in_a_row_are_spread(void **state)
{
	/* What the addresses of a lab differ in: the last octet, or the first
	 * of the last three, or one of the manufacturer's. */
	static const unsigned int shift[] = {0, 16, 24, 40};
	struct table table;

	(void)state;
	table_init(&table, 4096, OWNERS);
	for (size_t k = 0; k < 4; k++) {
		static uint8_t used[8192];
		uint32_t hit = 0;

		memset(used, 0, sizeof(used));
		for (uint64_t i = 0; i < 256; i++) {
			uint64_t mac = UINT64_C(0x020000000001) ^ i << shift[k];
			uint32_t home = vnet_fdb_home(&table.fdb, mac);

			hit += !used[home];
			used[home] = 1;
		}
		assert_true(hit > 240); /* 252 by chance */
	}
	table_fini(&table);
}

/* Sets that differ in the high bits alone, or go in even steps, met for some
 * seeds in one part of the table when the hash had a round less. */
static void
test_no_addresses_meet_for_some_seeds(void **state)
{
	static const unsigned int shift[] = {24, 28, 32};

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct vnet_fdb_config config = config_of(2048, 1, seed);
		struct test_alloc a;
		struct vnet_fdb t;

		test_alloc_init(&a);
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(vnet_fdb_init(&t, &a.alloc, &config),
					 0);
			for (uint64_t i = 1; i <= 2048; i++) {
				/* The group bit, 40, stays clear. */
				uint64_t mac =
					(i & 0xff) << shift[k] | (i >> 8) << 41;

				mac &= ~(UINT64_C(1) << 40);
				vnet_fdb_learn(&t, mac, vnet_fdb_home(&t, mac),
					       vnet_fdb_where(&t, 0), 0);
			}
			assert_int_equal(t.unlearned, 0);
			vnet_fdb_fini(&t, &a.alloc);
		}
	}
}

static void
test_million_addresses_are_found(void **state)
{
	static const uint32_t million = 1u << 20;
	struct table table;
	struct vnet_fdb *t = &table.fdb;

	(void)state;
	table_init(&table, million, OWNERS);
	assert_true(table.alloc.peak <= 64u << 20);
	for (uint32_t i = 0; i < million; i++) {
		if (learn(&table, UINT64_C(0x020000000000) + i, i % OWNERS,
			  i / 10500) != VNET_FDB_NEW)
			fail_msg("address %u is not new", i);
	}
	for (uint32_t i = 0; i < million; i++) {
		if (find(&table, UINT64_C(0x020000000000) + i, 100) !=
		    i % OWNERS)
			fail_msg("address %u is not found", i);
	}
	assert_int_equal(t->n, million);
	assert_int_equal(t->unlearned + t->evictions, 0);
	assert_int_equal(learn(&table, 1, 0, 100), VNET_FDB_EVICTED);
	table_fini(&table);
}

/* All that brings or takes an entry is in the sum; age is when it is told. */
static void
test_learned_entries_are_added_up(void **state)
{
	struct table *table = *state;
	struct vnet_fdb *t = &table->fdb;
	uint32_t sum = 0, other = 0;

	learn(table, 1, 0, 0);
	vnet_fdb_set_sum(t, 0, &sum);
	vnet_fdb_set_sum(t, 1, &sum);
	assert_int_equal(sum, 1);
	learn(table, 2, 0, 1);
	learn(table, 3, 1, 1);
	learn(table, 3, 0, 1);
	learn(table, 4, 2, 1);
	assert_int_equal(sum, 3);
	learn(table, 3, 2, 2);
	assert_int_equal(sum, 2);
	assert_int_equal(vnet_fdb_pin(t, 2, 0, 2), 0);
	assert_int_equal(sum, 1);
	vnet_fdb_set_max(t, 1, 1);
	learn(table, 5, 1, 3);
	learn(table, 6, 1, 3);
	assert_int_equal(sum, 2);
	vnet_fdb_set_sum(t, 1, NULL);
	assert_int_equal(sum, 1);
	vnet_fdb_set_sum(t, 1, &other);
	assert_int_equal(other, 1);
	vnet_fdb_flush_owner(t, 1, false);
	assert_int_equal(other, 0);
	learn(table, 6, 1, 4);
	vnet_fdb_tick(t, 4, 100);
	assert_int_equal(other, 1);
	assert_int_equal(vnet_fdb_forget(t, 6, 4), 0);
	assert_int_equal(other, 0);
	learn(table, 7, 0, 1 + AGEING);
	assert_int_equal(sum, 2);
	vnet_fdb_age(t, 0, 1 + AGEING);
	assert_int_equal(sum, 1);
	assert_int_equal(find(table, 7, 1 + AGEING), 0);
	assert_int_equal(find(table, 2, 1 + AGEING), 0);
}

static void
test_memory_is_what_was_said(void **state)
{
	static const uint32_t sizes[][2] = {
		{1, 1}, {8192, 64}, {100, 4096}, {65536, 65536}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct table table;

		table_init(&table, sizes[i][0], sizes[i][1]);
		assert_int_equal(table.alloc.used,
				 vnet_fdb_memory(sizes[i][0], sizes[i][1]));
		table_fini(&table);
	}
	assert_true(vnet_fdb_memory(1u << 20, 65536) <= 64u << 20);
}

static void
test_failing_allocation_leaves_nothing_behind(void **state)
{
	(void)state;
	for (unsigned long fail_at = 1;; fail_at++) {
		struct vnet_fdb_config config = config_of(ENTRIES, OWNERS, 1);
		struct test_alloc a;
		struct vnet_fdb t;
		int r;

		test_alloc_init(&a);
		a.fail_at = fail_at;
		r = vnet_fdb_init(&t, &a.alloc, &config);
		if (!r) {
			assert_true(fail_at > 1);
			assert_int_equal(a.calls, fail_at - 1);
			vnet_fdb_fini(&t, &a.alloc);
			assert_int_equal(a.blocks, 0);
			return;
		}
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(a.calls, fail_at);
		assert_int_equal(a.blocks, 0);
		assert_int_equal(a.used, 0);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_address_is_found_where_it_was_learned),
		TEST(test_address_moves),
		cmocka_unit_test(test_owner_0_and_the_last_one_serve),
		TEST(test_address_is_forgotten_to_the_second),
		TEST(test_aged_address_is_learned_anew_and_does_not_move),
		TEST(test_address_that_is_heard_stays),
		TEST(test_ageing_does_not_care_where_the_clock_stands),
		TEST(test_tick_is_due_when_the_oldest_address_ages),
		TEST(test_ageing_is_spread_over_ticks),
		TEST(test_what_is_learned_during_a_round_is_not_missed),
		TEST(test_idle_table_wakes_nobody),
		TEST(test_flush_takes_effect_at_once),
		TEST(test_flushed_addresses_are_swept_in_bounded_steps),
		TEST(test_flushes_without_ticks_give_memory_back),
		TEST(test_flush_of_nothing_leaves_nothing_to_do),
		TEST(test_no_flush_revives_an_address),
		cmocka_unit_test(
			test_epoch_does_not_meet_addresses_of_its_last_time),
		TEST(test_static_address_stays),
		TEST(test_static_address_is_refused_elsewhere),
		TEST(test_sticky_address_stays_until_it_has_aged),
		TEST(test_sticky_address_goes_with_a_flush),
		TEST(test_flapping_address_is_held_for_a_minute),
		TEST(test_refused_moves_do_not_keep_an_address_alive_or_held),
		TEST(test_moves_of_ten_seconds_count_together),
		TEST(test_address_that_moves_now_and_then_is_not_held),
		TEST(test_what_is_learned_anew_has_not_moved),
		TEST(test_aged_address_is_not_held),
		cmocka_unit_test(
			test_holding_does_not_care_where_the_clock_stands),
		TEST(test_hold_does_not_come_back_with_the_clock),
		TEST(test_flushed_static_address_can_be_learned),
		TEST(test_pin_replaces_what_is_there),
		TEST(test_forgotten_address_is_gone),
		TEST(test_flood_of_addresses_drives_out_its_own),
		TEST(test_others_learn_at_the_cost_of_the_flooder),
		TEST(test_shares_come_out_even_under_many_floods),
		TEST(test_owner_that_has_its_share_drives_out_its_own),
		TEST(test_owner_below_its_share_takes_from_who_goes_furthest),
		TEST(test_no_flood_takes_from_an_owner_within_its_share),
		TEST(test_changed_shares_hold_at_once),
		TEST(test_where_all_are_below_their_shares_the_nearest_gives),
		TEST(test_owner_at_its_bound_makes_room_by_its_own_oldest),
		TEST(test_static_addresses_do_not_count_for_the_bound),
		TEST(test_lowered_bound_is_met_by_two_for_each_new_address),
		cmocka_unit_test(test_bound_holds_for_what_moves),
		TEST(test_dead_addresses_give_room_and_are_no_evictions),
		TEST(test_what_holds_for_an_owner_outlives_a_flush),
		TEST(test_what_was_flushed_goes_before_what_lives),
		TEST(test_static_addresses_are_not_driven_out),
		cmocka_unit_test(
			test_too_many_addresses_of_one_home_are_not_learned),
		cmocka_unit_test(test_table_of_one_entry_serves),
		TEST(test_walk_sees_each_live_entry_once),
		cmocka_unit_test(test_walk_misses_no_entry_that_stays),
		cmocka_unit_test(test_seed_decides_where_addresses_lie),
		cmocka_unit_test(test_places_are_the_same_everywhere),
		cmocka_unit_test(test_addresses_in_a_row_are_spread),
		cmocka_unit_test(test_no_addresses_meet_for_some_seeds),
		cmocka_unit_test(test_million_addresses_are_found),
		TEST(test_learned_entries_are_added_up),
		cmocka_unit_test(test_memory_is_what_was_said),
		cmocka_unit_test(test_failing_allocation_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
