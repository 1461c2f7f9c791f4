/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FDB against a model that could not be simpler: for each address of a
 * small universe, what is known of it, in an array that is searched from end to
 * end. Random operations go to both, and all that can be seen is compared.
 *
 * An entry that has aged or was flushed is dead: nobody finds it, but it takes
 * room until it is swept, and when that is is the table's own business. So the
 * model asks it which of the dead are still there (bury()), and otherwise knows
 * everything itself.
 */
#include <errno.h>

#include "support.h"
#include "fdb.h"

#define MACS       96
#define ENTRIES    48
#define OWNERS     6
#define AGEING     70
#define FLAP_MOVES 3
#define STEPS      30000

struct entry {
	bool present;
	bool fixed;
	bool flushed;
	uint32_t owner;
	uint64_t seen;
	uint64_t touched;    /* number of the step that put it last in order */
	uint64_t live_since; /* number of the step */
	uint32_t moves;      /* that count together */
	uint64_t first_move; /* the second of the first of them */
	uint64_t held_until; /* the second */
};

struct owner {
	uint32_t fair;
	uint32_t max;
	bool sticky;
};

struct model {
	struct entry entry[MACS];
	struct owner owner[OWNERS];
	uint64_t step;
	uint64_t now;
	uint64_t evictions;
	uint64_t unlearned;
	uint32_t results[VNET_FDB_HELD + 1]; /* of learning, how often each */
	uint32_t released;                   /* moves of what had been held */
	uint32_t trimmed; /* addresses that went for the bound of their owner */
};

struct walk {
	uint32_t i; /* 0 where none is under way */
	uint64_t began;
	bool seen[MACS];
};

struct run {
	struct test_alloc alloc;
	struct test_random random;
	struct vnet_fdb fdb;
	struct model model;
	struct walk walk;
};

static uint64_t
mac_of(uint32_t k)
{
	return (UINT64_C(0x020000000000) | (uint64_t)k * 0x10001) + 1;
}

static uint32_t
slot_of(const struct vnet_fdb *t, uint32_t k)
{
	return vnet_fdb_slot(t, mac_of(k), vnet_fdb_home(t, mac_of(k)));
}

static bool
is_live(const struct model *m, uint32_t k)
{
	const struct entry *e = &m->entry[k];

	return e->present && !e->flushed &&
	       (e->fixed || m->now - e->seen < AGEING);
}

static uint32_t
expected_owner(const struct model *m, uint32_t k)
{
	return is_live(m, k) ? m->entry[k].owner : VNET_FDB_NONE;
}

/* Entries, dead ones included; those that @owner has learned. */
static uint32_t
count(const struct model *m)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < MACS; k++)
		n += m->entry[k].present;
	return n;
}

static uint32_t
count_learned(const struct model *m, uint32_t owner)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < MACS; k++)
		n += m->entry[k].present && !m->entry[k].fixed &&
		     m->entry[k].owner == owner;
	return n;
}

static bool
has_flushed(const struct model *m)
{
	for (uint32_t k = 0; k < MACS; k++) {
		if (m->entry[k].present && m->entry[k].flushed)
			return true;
	}
	return false;
}

/* Forget the dead that the table has swept. Returns how many. */
static uint32_t
bury(struct run *run)
{
	struct model *m = &run->model;
	uint32_t n = 0;

	for (uint32_t k = 0; k < MACS; k++) {
		if (!m->entry[k].present || is_live(m, k) ||
		    slot_of(&run->fdb, k) != VNET_FDB_NONE)
			continue;
		m->entry[k].present = false;
		n++;
	}
	return n;
}

static void
put(struct model *m, uint32_t k, uint32_t owner, bool fixed)
{
	uint64_t since = is_live(m, k) ? m->entry[k].live_since : m->step;

	m->entry[k] = (struct entry){
		.present = true,
		.fixed = fixed,
		.owner = owner,
		.seen = m->now,
		.touched = m->step,
		.live_since = since,
	};
}

/* What @owner has learned the longest ago, MACS where it has nothing. */
static uint32_t
oldest_of(const struct model *m, uint32_t owner)
{
	uint32_t oldest = MACS;

	for (uint32_t k = 0; k < MACS; k++) {
		const struct entry *e = &m->entry[k];

		if (!e->present || e->fixed || e->owner != owner)
			continue;
		if (oldest == MACS || e->touched < m->entry[oldest].touched)
			oldest = k;
	}
	return oldest;
}

/* How many learned entries an owner has beyond its share, or less than that. */
static int64_t
excess(const struct model *m, uint32_t owner)
{
	return (int64_t)count_learned(m, owner) - m->owner[owner].fair;
}

/* The address that goes so that @owner gets room in a full table, MACS where
 * there is none: its own oldest if it has its share, else the oldest of whoever
 * goes furthest beyond theirs. */
static uint32_t
victim(const struct model *m, uint32_t owner)
{
	uint32_t from = owner;

	if (count_learned(m, owner) && excess(m, owner) >= 0)
		return oldest_of(m, owner);
	for (uint32_t o = 0; o < OWNERS; o++) {
		if (count_learned(m, o) &&
		    (!count_learned(m, from) || excess(m, o) > excess(m, from)))
			from = o;
	}
	return oldest_of(m, from);
}

static void
drop(struct model *m, uint32_t k)
{
	m->evictions += is_live(m, k);
	m->entry[k].present = false;
}

/* Room below the bound of @owner for one more. */
static void
trim(struct model *m, uint32_t owner)
{
	uint32_t max = m->owner[owner].max;

	for (int i = 0; i < 2 && max && count_learned(m, owner) >= max; i++) {
		drop(m, oldest_of(m, owner));
		m->trimmed++;
	}
}

/* Room in the table for a new address of @owner? */
static bool
make_room(struct model *m, uint32_t owner)
{
	uint32_t k;

	if (count(m) < ENTRIES || has_flushed(m))
		return true;
	k = victim(m, owner);
	if (k == MACS)
		return false;
	drop(m, k);
	return true;
}

static bool
is_held(const struct model *m, const struct entry *e)
{
	return !e->fixed &&
	       (m->owner[e->owner].sticky || m->now < e->held_until);
}

static enum vnet_fdb_learned
expected_move(struct model *m, uint32_t k, uint32_t owner)
{
	struct entry *e = &m->entry[k], moved;

	if (e->fixed || is_held(m, e))
		return VNET_FDB_REFUSED;
	m->released += e->held_until != 0;
	if (!e->moves || e->held_until || m->now - e->first_move >= 10) {
		e->moves = 0;
		e->first_move = m->now;
		e->held_until = 0;
	}
	if (++e->moves > FLAP_MOVES) {
		e->held_until = m->now + 60;
		return VNET_FDB_HELD;
	}
	trim(m, owner);
	moved = *e;
	put(m, k, owner, false);
	e->moves = moved.moves;
	e->first_move = moved.first_move;
	return VNET_FDB_MOVED;
}

static enum vnet_fdb_learned
expected_learn(struct model *m, uint32_t k, uint32_t owner)
{
	struct entry *e = &m->entry[k];
	uint64_t evictions = m->evictions;

	if (is_live(m, k)) {
		if (e->owner != owner)
			return expected_move(m, k, owner);
		/* Whoever is heard twice in a second keeps its place. */
		if (!e->fixed && e->seen != m->now) {
			e->seen = m->now;
			e->touched = m->step;
		}
		return VNET_FDB_KNOWN;
	}
	e->present = false;
	trim(m, owner);
	if (!make_room(m, owner)) {
		m->unlearned++;
		return VNET_FDB_UNLEARNED;
	}
	put(m, k, owner, false);
	return m->evictions == evictions ? VNET_FDB_NEW : VNET_FDB_EVICTED;
}

static void
learn(struct run *run, uint32_t k, uint32_t owner)
{
	struct vnet_fdb *t = &run->fdb;
	enum vnet_fdb_learned want = expected_learn(&run->model, k, owner);

	assert_int_equal(
		vnet_fdb_learn(t, mac_of(k), vnet_fdb_home(t, mac_of(k)),
			       vnet_fdb_where(t, owner), run->model.now),
		want);
	run->model.results[want]++;
}

/* An address goes to and fro. */
static void
flap(struct run *run, uint32_t k)
{
	uint32_t owner = test_random_below(&run->random, OWNERS);
	uint32_t other = test_random_below(&run->random, OWNERS);

	for (int i = 0; i < 2 * FLAP_MOVES; i++) {
		run->model.step++;
		if (!test_random_below(&run->random, 4))
			run->model.now += test_random_below(&run->random, 8);
		learn(run, k, i % 2 ? owner : other);
		(void)bury(run);
	}
}

/* The same before and after a minute has passed, or nearly. */
static void
flap_again(struct run *run, uint32_t k)
{
	flap(run, k);
	run->model.now += 58 + test_random_below(&run->random, 4);
	flap(run, k);
}

/* All that is alive is heard again. */
static void
hear_all(struct run *run)
{
	for (uint32_t k = 0; k < MACS; k++) {
		run->model.step++;
		if (is_live(&run->model, k))
			learn(run, k, run->model.entry[k].owner);
	}
}

static void
pin(struct run *run, uint32_t k, uint32_t owner)
{
	struct model *m = &run->model;
	int want = 0;

	if (!m->entry[k].present && !make_room(m, owner))
		want = -ENOSPC;
	else
		put(m, k, owner, true);
	assert_int_equal(vnet_fdb_pin(&run->fdb, mac_of(k), owner, m->now),
			 want);
}

static void
forget(struct run *run, uint32_t k)
{
	int want = is_live(&run->model, k) ? 0 : -ENOENT;

	run->model.entry[k].present = false;
	assert_int_equal(vnet_fdb_forget(&run->fdb, mac_of(k), run->model.now),
			 want);
}

static void
flush(struct run *run, uint32_t owner, bool fixed)
{
	struct model *m = &run->model;

	for (uint32_t k = 0; k < MACS; k++) {
		struct entry *e = &m->entry[k];

		if (e->present && e->owner == owner && (fixed || !e->fixed))
			e->flushed = true;
	}
	vnet_fdb_flush_owner(&run->fdb, owner, fixed);
	(void)bury(run);
}

/* Another share, another bound, sticky or not. */
static void
change_owner(struct run *run, uint32_t owner)
{
	struct owner *o = &run->model.owner[owner];

	o->fair = 1 + test_random_below(&run->random,
					test_random_below(&run->random, 4)
						? ENTRIES / OWNERS
						: ENTRIES);
	o->max = test_random_below(&run->random, 3)
			 ? 0
			 : 1 + test_random_below(&run->random, 15);
	o->sticky = !test_random_below(&run->random, 5);
	vnet_fdb_set_fair(&run->fdb, owner, o->fair);
	vnet_fdb_set_max(&run->fdb, owner, o->max);
	vnet_fdb_set_sticky(&run->fdb, owner, o->sticky);
}

static void
tick(struct run *run, uint32_t budget)
{
	vnet_fdb_tick(&run->fdb, run->model.now, budget);
	assert_true(bury(run) <= budget);
}

/* Tick for as long as that is wanted: then all that is dead is gone. */
static void
catch_up(struct run *run)
{
	struct model *m = &run->model;
	uint32_t budget = 1 + test_random_below(&run->random, 20);
	int ticks = 0;

	while (vnet_fdb_due(&run->fdb) <= m->now) {
		tick(run, budget);
		assert_true(++ticks < 1000);
	}
	for (uint32_t k = 0; k < MACS; k++)
		assert_true(!m->entry[k].present || is_live(m, k));
}

/* When something next dies, or 0 where something flushed is to be swept. */
static uint64_t
latest_due(const struct model *m)
{
	uint64_t due = UINT64_MAX;

	if (has_flushed(m))
		return 0;
	for (uint32_t k = 0; k < MACS; k++) {
		const struct entry *e = &m->entry[k];

		if (e->present && !e->fixed && e->seen + AGEING < due)
			due = e->seen + AGEING;
	}
	return due;
}

static void
walk_on(struct run *run)
{
	struct walk *w = &run->walk;
	const struct vnet_fdb *t = &run->fdb;
	bool found;

	if (!w->i) {
		*w = (struct walk){.i = vnet_fdb_nslots(t),
				   .began = run->model.step};
	}
	found = vnet_fdb_walk(t, &w->i, 1 + test_random_below(&run->random, 20),
			      run->model.now);
	for (uint32_t k = 0; found && k < MACS; k++) {
		if (t->slots[w->i].key != mac_of(k))
			continue;
		assert_true(is_live(&run->model, k));
		w->seen[k] = true;
		found = false;
	}
	assert_false(found); /* what it finds is an address of ours */
	for (uint32_t k = 0; !w->i && k < MACS; k++) {
		if (is_live(&run->model, k) &&
		    run->model.entry[k].live_since < w->began)
			assert_true(w->seen[k]);
	}
}

static void
compare(struct run *run)
{
	const struct vnet_fdb *t = &run->fdb;
	const struct model *m = &run->model;

	for (uint32_t k = 0; k < MACS; k++) {
		uint32_t i = slot_of(t, k);

		assert_int_equal(vnet_fdb_find(t, mac_of(k),
					       vnet_fdb_home(t, mac_of(k)),
					       m->now),
				 expected_owner(m, k));
		if (!is_live(m, k))
			continue;
		assert_int_equal(t->slots[i].stamp, (uint32_t)m->entry[k].seen);
		assert_int_equal(vnet_fdb_list(t->slots[i].where),
				 m->entry[k].fixed);
		assert_int_equal(vnet_fdb_is_held(t, i, m->now),
				 is_held(m, &m->entry[k]));
	}
	assert_int_equal(t->n, count(m));
	assert_true(t->evictions == m->evictions);
	assert_true(t->unlearned == m->unlearned);
	assert_true(vnet_fdb_due(t) <= latest_due(m));
	for (uint32_t o = 0; o < OWNERS; o++) {
		bool clear = true;

		for (uint32_t k = 0; k < MACS; k++)
			clear &= !m->entry[k].present || m->entry[k].owner != o;
		assert_int_equal(vnet_fdb_owner_is_clear(t, o), clear);
		assert_int_equal(t->owners[o].n[VNET_FDB_LEARNED],
				 count_learned(m, o));
	}
}

/* The time stands still, goes on, or leaps. */
static void
step_time(struct run *run)
{
	uint32_t r = test_random_below(&run->random, 1000);

	if (r < 100)
		run->model.now += 1 + r % 3;
	else if (r < 104)
		run->model.now += AGEING - 1 + r % 2;
	else if (r == 104)
		run->model.now += 1000;
}

/* Owner 0 floods. */
static uint32_t
random_owner(struct run *run)
{
	return test_random_below(&run->random, 3)
		       ? 0
		       : test_random_below(&run->random, OWNERS);
}

static void
step(struct run *run)
{
	uint32_t r = test_random_below(&run->random, 1000);
	uint32_t k = test_random_below(&run->random, MACS);
	uint32_t owner = random_owner(run);

	run->model.step++;
	step_time(run);
	if (r < 670)
		learn(run, k, owner);
	else if (r < 680)
		flap(run, k);
	else if (r < 685)
		flap_again(run, k);
	else if (r < 690)
		hear_all(run);
	else if (r < 700)
		change_owner(run, test_random_below(&run->random, OWNERS));
	else if (r < 740)
		pin(run, k, test_random_below(&run->random, OWNERS));
	else if (r < 800)
		forget(run, k);
	else if (r < 820)
		flush(run, owner, r % 4 == 0);
	else if (r < 860)
		tick(run, test_random_below(&run->random, 10));
	else if (r < 880)
		catch_up(run);
	else
		walk_on(run);
	(void)bury(run);
}

/* Now and then everything is pinned, and there is no room. */
static void
pin_everything(struct run *run)
{
	for (uint32_t k = 0; k < MACS; k++) {
		run->model.step++;
		pin(run, k, k % OWNERS);
		(void)bury(run);
	}
	compare(run);
	for (uint32_t k = 0; k < MACS; k++) {
		run->model.step++;
		learn(run, k, (k + 1) % OWNERS);
	}
	compare(run);
	for (uint32_t o = 0; o < OWNERS; o++)
		flush(run, o, o != 2);
	compare(run);
}

static void
begin(struct run *run, uint64_t seed, uint64_t start)
{
	const struct vnet_fdb_config config = {
		.entries = ENTRIES,
		.owners = OWNERS,
		.ageing_s = AGEING,
		.flap_moves = FLAP_MOVES,
		.seed = seed,
	};

	memset(run, 0, sizeof(*run));
	run->random.state = seed;
	run->model.now = start;
	test_alloc_init(&run->alloc);
	assert_int_equal(vnet_fdb_init(&run->fdb, &run->alloc.alloc, &config),
			 0);
	for (uint32_t o = 0; o < OWNERS; o++) {
		run->model.owner[o].fair = ENTRIES;
		/* Epochs come round in the middle of the run. */
		for (int list = 0; list < 2; list++)
			run->fdb.owners[o].where[list] |= (VNET_FDB_EPOCHS - 10)
							  << 16;
	}
}

static void
run_steps(uint64_t seed, uint64_t start)
{
	static struct run run;

	begin(&run, seed, start);
	for (int i = 0; i < STEPS; i++) {
		step(&run);
		if (i % 8 == 0)
			compare(&run);
		if (i % 64 == 0)
			assert_true(vnet_fdb_check(&run.fdb));
		if (i % 5000 == 4999)
			pin_everything(&run);
	}
	/* The run has come everywhere. */
	assert_true(run.model.evictions > 100);
	assert_true(run.model.unlearned > 10);
	assert_true(run.model.released > 10);
	assert_true(run.model.trimmed > 100);
	for (int i = 0; i <= VNET_FDB_HELD; i++)
		assert_true(run.model.results[i] > 10);

	run.model.now += AGEING;
	for (uint32_t o = 0; o < OWNERS; o++)
		flush(&run, o, true);
	catch_up(&run);
	compare(&run);
	assert_int_equal(run.fdb.n, 0);
	assert_true(vnet_fdb_due(&run.fdb) == UINT64_MAX);
	vnet_fdb_fini(&run.fdb, &run.alloc.alloc);
	assert_int_equal(run.alloc.blocks, 0);
}

static void
test_fdb_agrees_with_the_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		run_steps(seed, 0);
}

static void
test_fdb_agrees_where_stamps_come_round(void **state)
{
	(void)state;
	run_steps(4, (UINT64_C(1) << 32) - 1000);
	run_steps(5, (UINT64_C(1) << 23) - 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fdb_agrees_with_the_model),
		cmocka_unit_test(test_fdb_agrees_where_stamps_come_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
