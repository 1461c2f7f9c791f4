/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "fdb.h"

/*
 * vnet_fdb_link.moves: the moves of an entry (9 bits) since a second (23), that
 * of the first of them; 0 where there is none to remember. The moves of ten
 * seconds count together, then the next one begins anew. Where they were too
 * many it is the second of the move that was refused, and for a minute the
 * others are.
 *
 * What is over is forgotten when the entry is renewed or moves. A live one was
 * within ageing_s, so its 23 bits have not come round.
 */
#define COUNT_BITS 9
#define WINDOW_S   10u
#define HOLD_S     60u

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
	      const struct vnet_fdb_config *config)
{
	uint32_t entries = config->entries, owners = config->owners;
	uint64_t seed = config->seed;

	*t = (struct vnet_fdb){
		.nhome = (uint32_t)nhome_for(entries),
		.max = entries,
		.nowners = owners,
		.ageing_s = config->ageing_s,
		.flap_moves = config->flap_moves,
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
		t->owners[i].fair = entries;
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

static bool
is_flushed(const struct vnet_fdb *t, uint32_t i)
{
	return i != VNET_FDB_NONE &&
	       t->slots[i].where != owner_of(t, i)->where[list_of(t, i)];
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

/* How far an owner goes beyond its share, and the size of the table more. */
static uint32_t
excess(const struct vnet_fdb *t, const struct vnet_fdb_owner *o)
{
	return t->max - o->fair + o->n[VNET_FDB_LEARNED];
}

/* An owner's number of learned entries, or its share, may have changed. It is in
 * the heap while it has any. */
static void
share_changed(struct vnet_fdb *t, uint32_t owner)
{
	struct vnet_fdb_owner *o = &t->owners[owner];
	bool has_any = o->n[VNET_FDB_LEARNED] != 0;
	uint32_t key = excess(t, o);

	if (o->in_share && has_any) {
		if (t->share.node[t->share.pos[owner]].key != key)
			vnet_heap_update(&t->share, owner, key);
	} else if (has_any) {
		vnet_heap_insert(&t->share, owner, key);
	} else if (o->in_share) {
		vnet_heap_remove(&t->share, owner);
	}
	o->in_share = has_any;
}

void
vnet_fdb_set_fair(struct vnet_fdb *t, uint32_t owner, uint32_t entries)
{
	VNET_ASSERT(entries > 0 && entries <= t->max);
	t->owners[owner].fair = entries;
	share_changed(t, owner);
}

void
vnet_fdb_set_max(struct vnet_fdb *t, uint32_t owner, uint32_t max)
{
	t->owners[owner].max = max;
}

void
vnet_fdb_set_sticky(struct vnet_fdb *t, uint32_t owner, bool sticky)
{
	t->owners[owner].sticky = sticky;
}

/* The learned entries of @o that are not flushed are @n from now on. */
static void
set_unflushed(struct vnet_fdb_owner *o, uint32_t n)
{
	if (o->sum)
		*o->sum += n - o->unflushed;
	o->unflushed = n;
}

void
vnet_fdb_set_sum(struct vnet_fdb *t, uint32_t owner, uint32_t *sum)
{
	struct vnet_fdb_owner *o = &t->owners[owner];

	if (o->sum)
		*o->sum -= o->unflushed;
	o->sum = sum;
	if (sum)
		*sum += o->unflushed;
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

	detach(t, i);
	o->n[list_of(t, i)]--;
	if (list_of(t, i) == VNET_FDB_LEARNED && !is_flushed(t, i))
		set_unflushed(o, o->unflushed - 1);
}

/*
 * Empty slot @i, and close the gap: whatever lies behind it without a break
 * moves forward where that brings it nearer to its home. Entries move only
 * towards lower numbers, on which vnet_fdb_next() relies; there is no
 * wrap-around, for a tail lies behind the last home.
 *
 * That the share of its owner has changed, is left to the caller.
 */
static void
take_out(struct vnet_fdb *t, uint32_t i)
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

static void
erase(struct vnet_fdb *t, uint32_t i)
{
	uint32_t owner = vnet_fdb_owner_of(t->slots[i].where);

	take_out(t, i);
	share_changed(t, owner);
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

/* Slot @i, which is nobody's, is the entry of @mac from now on, and has not
 * moved. */
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
	t->links[i].moves = 0;
	append(t, i);
	t->owners[owner].n[list]++;
	share_changed(t, owner);
	if (list == VNET_FDB_STATIC)
		return;
	set_unflushed(&t->owners[owner], t->owners[owner].unflushed + 1);
	if (due < t->age_due)
		t->age_due = due;
	if (due < t->age_next)
		t->age_next = due;
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
 * The oldest that @owner has learned goes; that its share has changed, is left
 * to the caller. It lies anywhere in memory, and so do those that go next: the
 * one after the next, and what may move into its gap, is fetched already.
 */
static void
drop_oldest(struct vnet_fdb *t, uint32_t owner, uint64_t now_s)
{
	const uint32_t *head = &t->owners[owner].head[VNET_FDB_LEARNED];
	uint32_t i = *head;

	t->evictions += vnet_fdb_is_live(t, &t->slots[i], now_s);
	take_out(t, i);
	if (*head == VNET_FDB_NONE)
		return;
	i = t->links[*head].next;
	if (i == VNET_FDB_NONE)
		return;
	__builtin_prefetch(&t->slots[i], 1);
	__builtin_prefetch(&t->slots[i + 1], 1);
	__builtin_prefetch(&t->links[i], 1);
}

/* A table that is full has one learned entry at least: for a new one of @o, does
 * one of @o go? */
static bool
drives_out_own(const struct vnet_fdb *t, const struct vnet_fdb_owner *o)
{
	uint32_t n = o->n[VNET_FDB_LEARNED];

	return n >= o->fair || (n && excess(t, o) == t->share.node[0].key);
}

/*
 * Make room in a table that is full for one address of @owner: what is flushed
 * and only waits to be swept; else, where the owner has its share, its own
 * oldest; else the oldest of whoever goes furthest beyond theirs, and that is
 * @owner where it is among them. So a flood of addresses drives out its own.
 */
static bool
evict(struct vnet_fdb *t, uint32_t owner, uint64_t now_s)
{
	const struct vnet_fdb_owner *o = &t->owners[owner];
	uint32_t victim, one = 1;

	sweep(t, &one);
	if (t->n < t->max)
		return true;
	if (!t->share.n)
		return false;
	victim = t->share.node[0].id;
	if (drives_out_own(t, o))
		victim = owner;
	drop_oldest(t, victim, now_s);
	if (victim != owner)
		share_changed(t, victim);
	return true;
}

static bool
is_at_max(const struct vnet_fdb_owner *o)
{
	return o->max && o->n[VNET_FDB_LEARNED] >= o->max;
}

/* Make room below the bound of @owner. Where that was lowered, two go for each
 * that comes, until it is met. */
static void
trim(struct vnet_fdb *t, uint32_t owner, uint64_t now_s)
{
	for (int k = 0; k < 2 && is_at_max(&t->owners[owner]); k++)
		drop_oldest(t, owner, now_s);
}

bool
vnet_fdb_has_room(const struct vnet_fdb *t, uint32_t owner, uint64_t now_s)
{
	const struct vnet_fdb_owner *o = &t->owners[owner];
	uint32_t n = vnet_fdb_count(t, owner, now_s);

	if (o->max && n >= o->max)
		return false;
	/* What goes first of its own is one of which nothing is left. */
	if (t->n < t->max || n < o->n[VNET_FDB_LEARNED])
		return true;
	return t->share.n && !drives_out_own(t, o);
}

/* A slot for a new entry in @list of @owner, VNET_FDB_NONE if there is no
 * room. */
static uint32_t
take_slot(struct vnet_fdb *t, uint32_t home, uint32_t owner, int list,
	  uint64_t now_s)
{
	uint32_t i = free_slot(t, home);
	uint32_t n = t->n;

	if (i == VNET_FDB_NONE)
		return i;
	if (list == VNET_FDB_LEARNED)
		trim(t, owner, now_s);
	if (t->n == t->max && !evict(t, owner, now_s))
		return VNET_FDB_NONE;
	/* What went may have left a nearer one. */
	if (t->n != n)
		i = free_slot(t, home);
	t->n++;
	return i;
}

static uint32_t
count_of(uint32_t moves)
{
	return moves & ((1u << COUNT_BITS) - 1);
}

/* Has what is to be remembered of moves had its time? */
static bool
is_over(const struct vnet_fdb *t, uint32_t moves, uint64_t now_s)
{
	uint32_t count = count_of(moves);
	uint32_t age = (((uint32_t)now_s << COUNT_BITS) - (moves - count)) >>
		       COUNT_BITS;

	return !count || age >= (count > t->flap_moves ? HOLD_S : WINDOW_S);
}

bool
vnet_fdb_is_held(const struct vnet_fdb *t, uint32_t i, uint64_t now_s)
{
	uint32_t moves = t->links[i].moves;

	return list_of(t, i) == VNET_FDB_LEARNED &&
	       (owner_of(t, i)->sticky ||
		(count_of(moves) > t->flap_moves && !is_over(t, moves, now_s)));
}

/* May entry @i, which is live, move? VNET_FDB_MOVED if so, and that is counted,
 * else what learning it comes to. */
static enum vnet_fdb_learned
judge_move(struct vnet_fdb *t, uint32_t i, uint64_t now_s)
{
	uint32_t moves = t->links[i].moves;
	uint32_t now = (uint32_t)now_s << COUNT_BITS;

	if (list_of(t, i) == VNET_FDB_STATIC || vnet_fdb_is_held(t, i, now_s))
		return VNET_FDB_REFUSED;
	moves = is_over(t, moves, now_s) ? now | 1 : moves + 1;
	if (count_of(moves) <= t->flap_moves) {
		t->links[i].moves = moves;
		return VNET_FDB_MOVED;
	}
	t->links[i].moves = now | count_of(moves);
	return VNET_FDB_HELD;
}

/* Entry @i was seen where it is known to be. */
static void
renew(struct vnet_fdb *t, uint32_t i, uint64_t now_s)
{
	struct vnet_fdb_link *l = &t->links[i];

	detach(t, i);
	t->slots[i].stamp = (uint32_t)now_s;
	append(t, i);
	if (vnet_unlikely(l->moves) && is_over(t, l->moves, now_s))
		l->moves = 0;
}

/* Entry @i is one of another owner from now on. */
static void
move(struct vnet_fdb *t, uint32_t i, uint32_t owner, uint64_t now_s)
{
	uint64_t mac = t->slots[i].key;
	uint32_t moves = t->links[i].moves;
	uint32_t before = vnet_fdb_owner_of(t->slots[i].where);

	if (is_at_max(&t->owners[owner])) {
		trim(t, owner, now_s);
		/* What went may have let it nearer to its home. */
		i = vnet_fdb_slot(t, mac, vnet_fdb_home(t, mac));
	}
	disown(t, i);
	share_changed(t, before);
	set(t, i, mac, owner, VNET_FDB_LEARNED, now_s);
	t->links[i].moves = moves;
}

/* @i is the slot of @mac, VNET_FDB_NONE where it has none. */
enum vnet_fdb_learned
vnet_fdb_learn_slowly(struct vnet_fdb *t, uint64_t mac, uint32_t home,
		      uint32_t i, uint32_t owner, uint64_t now_s)
{
	uint64_t evictions = t->evictions;

	if (i != VNET_FDB_NONE && vnet_fdb_is_live(t, &t->slots[i], now_s)) {
		enum vnet_fdb_learned r = VNET_FDB_KNOWN;

		if (owner_of(t, i) != &t->owners[owner]) {
			r = judge_move(t, i, now_s);
			if (r == VNET_FDB_MOVED)
				move(t, i, owner, now_s);
		} else if (list_of(t, i) == VNET_FDB_LEARNED) {
			renew(t, i, now_s);
		}
		return r;
	}

	/* Of one that is dead, nothing is left. */
	if (i != VNET_FDB_NONE)
		erase(t, i);
	i = take_slot(t, home, owner, VNET_FDB_LEARNED, now_s);
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
		share_changed(t, vnet_fdb_owner_of(t->slots[i].where));
	} else {
		i = take_slot(t, home, owner, VNET_FDB_STATIC, now_s);
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
	if (list == VNET_FDB_LEARNED)
		set_unflushed(o, 0);
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

static bool
is_aged(const struct vnet_fdb *t, uint32_t i, uint64_t now_s)
{
	return (uint32_t)now_s - t->slots[i].stamp >= t->ageing_s;
}

void
vnet_fdb_age(struct vnet_fdb *t, uint32_t owner, uint64_t now_s)
{
	const uint32_t *head = &t->owners[owner].head[VNET_FDB_LEARNED];

	while (*head != VNET_FDB_NONE &&
	       (is_flushed(t, *head) || is_aged(t, *head, now_s)))
		erase(t, *head);
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
	uint32_t prev = VNET_FDB_NONE, n = 0, flushed = 0;

	for (uint32_t i = o->head[list]; i != VNET_FDB_NONE;
	     prev = i, i = t->links[i].next) {
		uint64_t key = t->slots[i].key;

		if (t->links[i].prev != prev || owner_of(t, i) != o ||
		    list_of(t, i) != list || ++n > o->n[list] ||
		    vnet_fdb_slot(t, key, vnet_fdb_home(t, key)) != i)
			return false;
		if (count_of(t->links[i].moves) > t->flap_moves + 1 ||
		    (t->links[i].moves && list == VNET_FDB_STATIC))
			return false;
		flushed += is_flushed(t, i);
		/* What was flushed lies in front. */
		if (prev != VNET_FDB_NONE && is_flushed(t, i) &&
		    !is_flushed(t, prev))
			return false;
	}
	*seen += n;
	if (list == VNET_FDB_LEARNED && o->unflushed != n - flushed)
		return false;
	return n == o->n[list] && o->tail[list] == prev;
}

/* Is an owner in the heap, as what it is, below who goes further? */
static bool
share_is_sound(const struct vnet_fdb *t, uint32_t owner)
{
	const struct vnet_heap *h = &t->share;
	uint32_t i = h->pos[owner];

	return i < h->n && h->node[i].id == owner &&
	       h->node[i].key == excess(t, &t->owners[owner]) &&
	       (!i || h->node[(i - 1) / 2].key >= h->node[i].key);
}

bool
vnet_fdb_check(const struct vnet_fdb *t)
{
	uint32_t seen = 0, used = 0, sharing = 0;

	for (uint32_t i = 0; i < t->nowners; i++) {
		const struct vnet_fdb_owner *o = &t->owners[i];

		if (!list_is_sound(t, o, VNET_FDB_LEARNED, &seen) ||
		    !list_is_sound(t, o, VNET_FDB_STATIC, &seen))
			return false;
		if (!o->fair || o->fair > t->max ||
		    o->in_share != (o->n[VNET_FDB_LEARNED] != 0) ||
		    (o->in_share && !share_is_sound(t, i)))
			return false;
		sharing += o->in_share;
	}
	if (sharing != t->share.n)
		return false;
	for (uint32_t i = 0; i < vnet_fdb_nslots(t); i++)
		used += t->slots[i].key != 0;
	return seen == t->n && used == t->n && t->n <= t->max;
}
