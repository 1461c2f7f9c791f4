/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "fdb.h"

/* A well mixed number from another one, and the state for the next
 * (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
 * OOPSLA 2014). */
static uint64_t
mix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Half full at the most. */
static size_t
nhome_for(uint32_t entries)
{
	return 2 * (size_t)entries;
}

static size_t
slots_size(uint32_t entries)
{
	return (nhome_for(entries) + VNET_FDB_PROBES) *
	       sizeof(struct vnet_fdb_slot);
}

static size_t
links_size(uint32_t entries)
{
	return (nhome_for(entries) + VNET_FDB_PROBES) *
	       sizeof(struct vnet_fdb_link);
}

static size_t
owners_size(uint32_t owners)
{
	return owners * sizeof(struct vnet_fdb_owner);
}

static size_t
share_size(uint32_t owners)
{
	return owners * (sizeof(struct vnet_heap_node) + sizeof(uint32_t));
}

uint64_t
vnet_fdb_memory(uint32_t entries, uint32_t owners)
{
	return (uint64_t)slots_size(entries) + links_size(entries) +
	       owners_size(owners) + share_size(owners);
}

int
vnet_fdb_init(struct vnet_fdb *t, const struct vnet_alloc *alloc,
	      uint32_t entries, uint32_t owners, uint32_t ageing_s,
	      uint64_t seed)
{
	*t = (struct vnet_fdb){
		.nhome = (uint32_t)nhome_for(entries),
		.max = entries,
		.nowners = owners,
		.ageing_s = ageing_s,
		.sweep_first = VNET_FDB_NONE,
		.sweep_last = VNET_FDB_NONE,
		.age_due = UINT64_MAX,
	};
	/* One after the other: an initialiser has no order. */
	t->hash_key[0] = mix(&seed);
	for (int i = 1; i < 4; i++)
		t->hash_key[i] = mix(&seed) | 1;
	t->slots = alloc->get(alloc->ctx, slots_size(entries), VNET_CACHE_LINE);
	if (!t->slots)
		goto fail;
	t->links = alloc->get(alloc->ctx, links_size(entries), VNET_CACHE_LINE);
	if (!t->links)
		goto put_slots;
	t->owners =
		alloc->get(alloc->ctx, owners_size(owners), VNET_CACHE_LINE);
	if (!t->owners)
		goto put_links;
	t->share.node =
		alloc->get(alloc->ctx, share_size(owners), VNET_CACHE_LINE);
	if (!t->share.node)
		goto put_owners;
	t->share.pos = (uint32_t *)(t->share.node + owners);

	memset(t->slots, 0, slots_size(entries));
	memset(t->owners, 0, owners_size(owners));
	for (uint32_t i = 0; i < owners; i++) {
		for (int list = 0; list < 2; list++) {
			t->owners[i].head[list] = VNET_FDB_NONE;
			t->owners[i].tail[list] = VNET_FDB_NONE;
			t->owners[i].where[list] = i | (uint32_t)list << 31;
		}
	}
	return 0;

put_owners:
	alloc->put(alloc->ctx, t->owners, owners_size(owners));
put_links:
	alloc->put(alloc->ctx, t->links, links_size(entries));
put_slots:
	alloc->put(alloc->ctx, t->slots, slots_size(entries));
fail:
	return -ENOMEM;
}

void
vnet_fdb_fini(struct vnet_fdb *t, const struct vnet_alloc *alloc)
{
	alloc->put(alloc->ctx, t->share.node, share_size(t->nowners));
	alloc->put(alloc->ctx, t->owners, owners_size(t->nowners));
	alloc->put(alloc->ctx, t->links, links_size(t->max));
	alloc->put(alloc->ctx, t->slots, slots_size(t->max));
}

static struct vnet_fdb_owner *
owner_of(const struct vnet_fdb *t, uint32_t i)
{
	return &t->owners[vnet_fdb_owner_of(t->slots[i].where)];
}

static int
list_of(const struct vnet_fdb *t, uint32_t i)
{
	return vnet_fdb_list(t->slots[i].where);
}

/* Entry @i lies at another place now: its neighbours must know. */
static void
relink(struct vnet_fdb *t, uint32_t i)
{
	struct vnet_fdb_owner *o = owner_of(t, i);
	int list = list_of(t, i);

	if (t->links[i].prev == VNET_FDB_NONE)
		o->head[list] = i;
	else
		t->links[t->links[i].prev].next = i;
	if (t->links[i].next == VNET_FDB_NONE)
		o->tail[list] = i;
	else
		t->links[t->links[i].next].prev = i;
}

/* An owner's number of learned entries changed. It is in the heap while that
 * is not 0. */
static void
share_changed(struct vnet_fdb *t, uint32_t owner, uint32_t before)
{
	uint32_t n = t->owners[owner].n[VNET_FDB_LEARNED];

	if (!before && n)
		vnet_heap_insert(&t->share, owner, n);
	else if (before && !n)
		vnet_heap_remove(&t->share, owner);
	else if (n)
		vnet_heap_update(&t->share, owner, n);
}

static void
append(struct vnet_fdb *t, uint32_t i)
{
	t->links[i].prev = owner_of(t, i)->tail[list_of(t, i)];
	t->links[i].next = VNET_FDB_NONE;
	relink(t, i);
}

static void
detach(struct vnet_fdb *t, uint32_t i)
{
	struct vnet_fdb_owner *o = owner_of(t, i);
	struct vnet_fdb_link l = t->links[i];
	int list = list_of(t, i);

	if (l.prev == VNET_FDB_NONE)
		o->head[list] = l.next;
	else
		t->links[l.prev].next = l.next;
	if (l.next == VNET_FDB_NONE)
		o->tail[list] = l.prev;
	else
		t->links[l.next].prev = l.prev;
}

/* Entry @i belongs to nobody any more. */
static void
disown(struct vnet_fdb *t, uint32_t i)
{
	struct vnet_fdb_owner *o = owner_of(t, i);
	int list = list_of(t, i);

	detach(t, i);
	o->n[list]--;
	if (list == VNET_FDB_LEARNED)
		share_changed(t, (uint32_t)(o - t->owners), o->n[list] + 1);
}

/*
 * Empty slot @i, and close the gap: whatever lies behind it without a break
 * moves forward where that brings it nearer to its home. Entries move only
 * towards lower numbers, on which vnet_fdb_next() relies; there is no
 * wrap-around, for a tail lies behind the last home.
 */
static void
erase(struct vnet_fdb *t, uint32_t i)
{
	uint32_t last = vnet_fdb_nslots(t);

	disown(t, i);
	for (uint32_t j = i + 1; j < last && t->slots[j].key; j++) {
		if (vnet_fdb_home(t, t->slots[j].key) > i)
			continue;
		t->slots[i] = t->slots[j];
		t->links[i] = t->links[j];
		relink(t, i);
		i = j;
	}
	t->slots[i].key = 0;
	t->n--;
}

/* The free slot nearest to @home, or VNET_FDB_NONE. */
static uint32_t
free_slot(const struct vnet_fdb *t, uint32_t home)
{
	for (uint32_t i = home; i < home + VNET_FDB_PROBES; i++) {
		if (!t->slots[i].key)
			return i;
	}
	return VNET_FDB_NONE;
}

/* Slot @i, which is nobody's, is the entry of @mac from now on. */
static void
set(struct vnet_fdb *t, uint32_t i, uint64_t mac, uint32_t owner, int list,
    uint64_t now_s)
{
	uint64_t due = now_s + t->ageing_s;

	t->slots[i] = (struct vnet_fdb_slot){
		.key = mac,
		.stamp = (uint32_t)now_s,
		.where = t->owners[owner].where[list],
	};
	append(t, i);
	t->owners[owner].n[list]++;
	if (list == VNET_FDB_STATIC)
		return;
	share_changed(t, owner, t->owners[owner].n[list] - 1);
	if (due < t->age_due)
		t->age_due = due;
	if (due < t->age_next)
		t->age_next = due;
}

static bool
is_flushed(const struct vnet_fdb *t, uint32_t i)
{
	return i != VNET_FDB_NONE &&
	       t->slots[i].where != owner_of(t, i)->where[list_of(t, i)];
}

/* Take out flushed entries of @owner, at most *@budget. True when none is
 * left. */
static bool
sweep_owner(struct vnet_fdb *t, uint32_t owner, uint32_t *budget)
{
	const struct vnet_fdb_owner *o = &t->owners[owner];

	for (int list = 0; list < 2; list++) {
		while (is_flushed(t, o->head[list])) {
			if (!*budget)
				return false;
			erase(t, o->head[list]);
			--*budget;
		}
	}
	return true;
}

static void
sweep(struct vnet_fdb *t, uint32_t *budget)
{
	while (t->sweep_first != VNET_FDB_NONE && *budget) {
		struct vnet_fdb_owner *o = &t->owners[t->sweep_first];

		if (!sweep_owner(t, t->sweep_first, budget))
			break;
		o->to_sweep = false;
		t->sweep_first = o->sweep_next;
	}
}

/*
 * Make room for one address of @owner: what is flushed and only waits to be
 * swept, else the oldest of whoever learned the most, and that is @owner where
 * it is among them. So a flood of addresses drives out its own.
 */
static bool
evict(struct vnet_fdb *t, uint32_t owner)
{
	const struct vnet_fdb_owner *o;
	uint32_t victim, one = 1;

	sweep(t, &one);
	if (t->n < t->max)
		return true;
	if (!t->share.n)
		return false;
	victim = t->share.node[0].id;
	if (t->owners[owner].n[VNET_FDB_LEARNED] == t->share.node[0].key)
		victim = owner;
	o = &t->owners[victim];
	erase(t, o->head[VNET_FDB_LEARNED]);
	t->evictions++;
	return true;
}

/* A slot for a new entry of @owner, VNET_FDB_NONE if there is no room. */
static uint32_t
take_slot(struct vnet_fdb *t, uint32_t home, uint32_t owner)
{
	uint32_t i = free_slot(t, home);

	if (i == VNET_FDB_NONE)
		return i;
	if (t->n == t->max) {
		if (!evict(t, owner))
			return VNET_FDB_NONE;
		/* What went may have left a nearer one. */
		i = free_slot(t, home);
	}
	t->n++;
	return i;
}

/* @i is the slot of @mac, VNET_FDB_NONE where it has none. */
enum vnet_fdb_learned
vnet_fdb_learn_slowly(struct vnet_fdb *t, uint64_t mac, uint32_t home,
		      uint32_t i, uint32_t owner, uint64_t now_s)
{
	uint64_t evictions = t->evictions;
	uint32_t before;

	if (i != VNET_FDB_NONE) {
		bool live = vnet_fdb_is_live(t, &t->slots[i], now_s);

		before = vnet_fdb_owner_of(t->slots[i].where);
		if (live && list_of(t, i) == VNET_FDB_STATIC)
			return VNET_FDB_KNOWN;
		if (live && before == owner) {
			detach(t, i);
			t->slots[i].stamp = (uint32_t)now_s;
			append(t, i);
			return VNET_FDB_KNOWN;
		}
		disown(t, i);
		set(t, i, mac, owner, VNET_FDB_LEARNED, now_s);
		return live ? VNET_FDB_MOVED : VNET_FDB_NEW;
	}

	i = take_slot(t, home, owner);
	if (i == VNET_FDB_NONE) {
		t->unlearned++;
		return VNET_FDB_UNLEARNED;
	}
	set(t, i, mac, owner, VNET_FDB_LEARNED, now_s);
	return t->evictions == evictions ? VNET_FDB_NEW : VNET_FDB_EVICTED;
}

int
vnet_fdb_pin(struct vnet_fdb *t, uint64_t mac, uint32_t owner, uint64_t now_s)
{
	uint32_t home = vnet_fdb_home(t, mac);
	uint32_t i = vnet_fdb_slot(t, mac, home);

	if (i != VNET_FDB_NONE) {
		disown(t, i);
	} else {
		i = take_slot(t, home, owner);
		if (i == VNET_FDB_NONE)
			return -ENOSPC;
	}
	set(t, i, mac, owner, VNET_FDB_STATIC, now_s);
	return 0;
}

int
vnet_fdb_forget(struct vnet_fdb *t, uint64_t mac, uint64_t now_s)
{
	uint32_t i = vnet_fdb_slot(t, mac, vnet_fdb_home(t, mac));
	bool live;

	if (i == VNET_FDB_NONE)
		return -ENOENT;
	live = vnet_fdb_is_live(t, &t->slots[i], now_s);
	erase(t, i);
	return live ? 0 : -ENOENT;
}

static void
step_epoch(struct vnet_fdb *t, uint32_t owner, int list)
{
	struct vnet_fdb_owner *o = &t->owners[owner];
	uint32_t next = (vnet_fdb_epoch(o->where[list]) + 1) % VNET_FDB_EPOCHS;

	if (o->head[list] == VNET_FDB_NONE)
		return;
	o->where[list] = owner | next << 16 | (uint32_t)list << 31;
	if (o->to_sweep)
		return;
	o->to_sweep = true;
	o->sweep_next = VNET_FDB_NONE;
	if (t->sweep_first == VNET_FDB_NONE)
		t->sweep_first = owner;
	else
		t->owners[t->sweep_last].sweep_next = owner;
	t->sweep_last = owner;
}

void
vnet_fdb_flush_owner(struct vnet_fdb *t, uint32_t owner, bool fixed)
{
	uint32_t few = 64;

	/* An epoch comes round again after 32,768 flushes without a tick, and
	 * must not find entries of its last time: so every flush sweeps some,
	 * and the one that would meet old entries sweeps them all. */
	if (t->owners[owner].to_sweep) {
		for (int list = 0; list < 2; list++) {
			uint32_t i = t->owners[owner].head[list];
			uint32_t age;

			if (i == VNET_FDB_NONE)
				continue;
			age = (vnet_fdb_epoch(t->owners[owner].where[list]) -
			       vnet_fdb_epoch(t->slots[i].where)) %
			      VNET_FDB_EPOCHS;
			if (age == VNET_FDB_EPOCHS - 1)
				few = UINT32_MAX;
		}
		(void)sweep_owner(t, owner, &few);
	}
	step_epoch(t, owner, VNET_FDB_LEARNED);
	if (fixed)
		step_epoch(t, owner, VNET_FDB_STATIC);
}

/* Take out what is too old, owner by owner; a round is spread over as many
 * calls as it takes. */
static void
age(struct vnet_fdb *t, uint64_t now_s, uint32_t budget)
{
	if (!t->age_cursor)
		t->age_next = UINT64_MAX;
	while (budget--) {
		const struct vnet_fdb_owner *o = &t->owners[t->age_cursor];
		uint32_t i = o->head[VNET_FDB_LEARNED];

		if (i != VNET_FDB_NONE) {
			uint32_t old = (uint32_t)now_s - t->slots[i].stamp;

			if (old >= t->ageing_s) {
				erase(t, i);
				continue;
			}
			if (now_s + t->ageing_s - old < t->age_next)
				t->age_next = now_s + t->ageing_s - old;
		}
		if (++t->age_cursor == t->nowners) {
			t->age_cursor = 0;
			t->age_due = t->age_next;
			return;
		}
	}
}

void
vnet_fdb_tick(struct vnet_fdb *t, uint64_t now_s, uint32_t budget)
{
	sweep(t, &budget);
	if (now_s >= t->age_due || t->age_cursor)
		age(t, now_s, budget);
}

uint64_t
vnet_fdb_due(const struct vnet_fdb *t)
{
	if (t->sweep_first != VNET_FDB_NONE || t->age_cursor)
		return 0;
	return t->age_due;
}

bool
vnet_fdb_walk(const struct vnet_fdb *t, uint32_t *i, uint32_t budget,
	      uint64_t now_s)
{
	while (*i && budget--) {
		const struct vnet_fdb_slot *s = &t->slots[--*i];

		if (s->key && vnet_fdb_is_live(t, s, now_s))
			return true;
	}
	return false;
}

/* Are the entries of a list linked both ways, in order, and as many as
 * counted? */
static bool
list_is_sound(const struct vnet_fdb *t, const struct vnet_fdb_owner *o,
	      int list, uint32_t *seen)
{
	uint32_t prev = VNET_FDB_NONE, n = 0;

	for (uint32_t i = o->head[list]; i != VNET_FDB_NONE;
	     prev = i, i = t->links[i].next) {
		uint64_t key = t->slots[i].key;

		if (t->links[i].prev != prev || owner_of(t, i) != o ||
		    list_of(t, i) != list || ++n > o->n[list] ||
		    vnet_fdb_slot(t, key, vnet_fdb_home(t, key)) != i)
			return false;
		/* What was flushed lies in front. */
		if (prev != VNET_FDB_NONE && is_flushed(t, i) &&
		    !is_flushed(t, prev))
			return false;
	}
	*seen += n;
	return n == o->n[list] && o->tail[list] == prev;
}

bool
vnet_fdb_check(const struct vnet_fdb *t)
{
	uint32_t seen = 0, used = 0;

	for (uint32_t i = 0; i < t->nowners; i++) {
		const struct vnet_fdb_owner *o = &t->owners[i];

		if (!list_is_sound(t, o, VNET_FDB_LEARNED, &seen) ||
		    !list_is_sound(t, o, VNET_FDB_STATIC, &seen))
			return false;
		if (o->n[0] && (t->share.pos[i] >= t->share.n ||
				t->share.node[t->share.pos[i]].id != i ||
				t->share.node[t->share.pos[i]].key != o->n[0]))
			return false;
	}
	for (uint32_t i = 0; i < vnet_fdb_nslots(t); i++)
		used += t->slots[i].key != 0;
	return seen == t->n && used == t->n && t->n <= t->max;
}
