/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded table of addresses with ageing and a fair share for each client, in
 * which none moves to and fro for long.
 */
#ifndef VNET_CORE_FDB_H
#define VNET_CORE_FDB_H

#include <vnet/fdb.h>

#include "core.h"
#include "heap.h"

/*
 * Open addressing, linear probing, at most half full, keyed hash. An entry is
 * 16 octets, so that a look-up touches one cache line, seldom two; what only
 * learning and ageing need lies in a second array.
 *
 * The entries of an owner (a client, by its slot) form two lists: what was
 * learned, by the time it was last seen, and what is static. So the oldest of
 * an owner is at hand, and all of an owner's entries are found without a walk
 * through the table.
 *
 * Flushing a list steps its epoch: entries of an earlier epoch are not found any
 * more, lie in front in their list, and are swept piece by piece.
 */
struct vnet_fdb_slot {
	uint64_t key;   /* the address; 0 is an empty slot */
	uint32_t stamp; /* seconds: last seen */
	uint32_t
		where; /* the owner's vnet_fdb_owner.where[list] at that time */
};

struct vnet_fdb_link {
	uint32_t prev;
	uint32_t next;
	uint32_t moves; /* how often it has moved lately; see fdb.c */
};

/* The two lists of an owner. */
enum { VNET_FDB_LEARNED = 0, VNET_FDB_STATIC = 1 };

struct vnet_fdb_owner {
	uint32_t head[2];
	uint32_t tail[2];
	uint32_t n[2];
	uint32_t where[2];   /* owner (16 bits), epoch (15), list (1) */
	uint32_t sweep_next; /* in the list of owners to sweep */
	uint32_t fair;       /* learned entries that are its own share */
	uint32_t max;        /* learned entries that it may have; 0: any */
	uint32_t unflushed;  /* learned entries of this epoch */
	uint32_t *sum;       /* of these, of it and others; NULL for none */
	bool to_sweep;
	bool in_share; /* in the heap of that name */
	bool sticky;   /* what is learned on it does not move */
};

struct vnet_fdb {
	struct vnet_fdb_slot *slots;
	struct vnet_fdb_owner *owners;
	uint64_t hash_key[4]; /* the last three odd */
	uint32_t nhome; /* slots that a hash may name; a tail lies behind */
	uint32_t ageing_s;

	struct vnet_fdb_link *links;
	uint32_t n;
	uint32_t max;
	uint32_t nowners;
	uint32_t flap_moves;
	uint32_t sweep_first; /* owners that have entries of an old epoch */
	uint32_t sweep_last;
	uint32_t age_cursor;    /* next owner to look at */
	uint64_t age_due;       /* seconds: nothing can age before */
	uint64_t age_next;      /* the same for the round under way */
	struct vnet_heap share; /* owners by how far they go beyond theirs */
	uint64_t evictions;
	uint64_t unlearned;
};

/**
 * struct vnet_fdb_config - a table to make
 * @entries:	the most addresses, 1 to 2^24
 * @owners:	1 to 65536
 * @ageing_s:	1 to 1000000
 * @flap_moves:	the moves that an address may make within ten seconds, 1 to 255
 * @seed:	keys the hash
 */
struct vnet_fdb_config {
	uint32_t entries;
	uint32_t owners;
	uint32_t ageing_s;
	uint32_t flap_moves;
	uint64_t seed;
};

/* What learning an address came to. */
enum vnet_fdb_learned {
	VNET_FDB_KNOWN, /* it was there already */
	VNET_FDB_NEW,
	VNET_FDB_MOVED,     /* from another owner */
	VNET_FDB_EVICTED,   /* new, and another address went for it */
	VNET_FDB_UNLEARNED, /* there is no room for it */
	VNET_FDB_REFUSED,   /* another owner has it, and it does not move */
	VNET_FDB_HELD, /* likewise from now on: it would have been a move too
			  many */
};

#define VNET_FDB_NONE   UINT32_MAX
#define VNET_FDB_PROBES 128u
#define VNET_FDB_EPOCHS (UINT32_C(1) << 15)

uint64_t vnet_fdb_memory(uint32_t entries, uint32_t owners);
int vnet_fdb_init(struct vnet_fdb *t, const struct vnet_alloc *alloc,
		  const struct vnet_fdb_config *config);
void vnet_fdb_fini(struct vnet_fdb *t, const struct vnet_alloc *alloc);

/*
 * What holds for an owner, until it is set anew; a flush changes none of it. At
 * first its share is the whole table, it has no bound, and is not sticky.
 */

/* The learned entries that are its own share, 1 to all. As long as the shares
 * of all owners, and what is static, have room together, nobody else drives
 * these out. */
void vnet_fdb_set_fair(struct vnet_fdb *t, uint32_t owner, uint32_t entries);

/* The learned entries that it may have; 0 for any number. */
void vnet_fdb_set_max(struct vnet_fdb *t, uint32_t owner, uint32_t max);

/* Does what is learned on it stay there while it is known? */
void vnet_fdb_set_sticky(struct vnet_fdb *t, uint32_t owner, bool sticky);

/* Where the learned entries of @owner and others that are not flushed are added
 * up, those that have aged and were not taken out among them; NULL for
 * nowhere. Before, it was in none. */
void vnet_fdb_set_sum(struct vnet_fdb *t, uint32_t owner, uint32_t *sum);

/* Where the search for an address begins. Rounds of multiplication by secret odd
 * numbers: whoever does not know them cannot choose addresses that meet. Three,
 * since after two those that differ in few of the high bits still do for some
 * keys. */
VNET_INLINE uint32_t
vnet_fdb_home(const struct vnet_fdb *t, uint64_t mac)
{
	uint64_t h = (mac ^ t->hash_key[0]) * t->hash_key[1];

	h = (h ^ h >> 32) * t->hash_key[2];
	h = (h ^ h >> 29) * t->hash_key[3];
	return (uint32_t)((h >> 32) * t->nhome >> 32);
}

VNET_INLINE void
vnet_fdb_prefetch(const struct vnet_fdb *t, uint32_t home)
{
	__builtin_prefetch(&t->slots[home]);
}

/* The slot of an address, or VNET_FDB_NONE. */
VNET_INLINE uint32_t
vnet_fdb_slot(const struct vnet_fdb *t, uint64_t mac, uint32_t home)
{
	for (uint32_t i = home; i < home + VNET_FDB_PROBES; i++) {
		if (vnet_likely(t->slots[i].key == mac))
			return i;
		if (!t->slots[i].key)
			break;
	}
	return VNET_FDB_NONE;
}

/* The parts of vnet_fdb_slot.where. */

VNET_INLINE uint32_t
vnet_fdb_owner_of(uint32_t where)
{
	return where & 0xffff;
}

VNET_INLINE uint32_t
vnet_fdb_epoch(uint32_t where)
{
	return where >> 16 & (VNET_FDB_EPOCHS - 1);
}

VNET_INLINE int
vnet_fdb_list(uint32_t where)
{
	return (int)(where >> 31);
}

/* Has an entry been neither flushed nor forgotten? */
VNET_INLINE bool
vnet_fdb_is_live(const struct vnet_fdb *t, const struct vnet_fdb_slot *s,
		 uint64_t now_s)
{
	int list = vnet_fdb_list(s->where);

	if (vnet_unlikely(t->owners[vnet_fdb_owner_of(s->where)].where[list] !=
			  s->where))
		return false;
	return vnet_likely((uint32_t)now_s - s->stamp < t->ageing_s) ||
	       list == VNET_FDB_STATIC;
}

/* The owner of an address, or VNET_FDB_NONE. */
VNET_INLINE uint32_t
vnet_fdb_find(const struct vnet_fdb *t, uint64_t mac, uint32_t home,
	      uint64_t now_s)
{
	uint32_t i = vnet_fdb_slot(t, mac, home);

	if (i == VNET_FDB_NONE || !vnet_fdb_is_live(t, &t->slots[i], now_s))
		return VNET_FDB_NONE;
	return vnet_fdb_owner_of(t->slots[i].where);
}

/* Likewise, of one that was learned. */
VNET_INLINE uint32_t
vnet_fdb_learner(const struct vnet_fdb *t, uint64_t mac, uint64_t now_s)
{
	uint32_t i = vnet_fdb_slot(t, mac, vnet_fdb_home(t, mac));

	if (i == VNET_FDB_NONE || !vnet_fdb_is_live(t, &t->slots[i], now_s) ||
	    vnet_fdb_list(t->slots[i].where) != VNET_FDB_LEARNED)
		return VNET_FDB_NONE;
	return vnet_fdb_owner_of(t->slots[i].where);
}

enum vnet_fdb_learned vnet_fdb_learn_slowly(struct vnet_fdb *t, uint64_t mac,
					    uint32_t home, uint32_t i,
					    uint32_t owner, uint64_t now_s);

/* vnet_fdb_slot.where of what @owner is seen to have. */
VNET_INLINE uint32_t
vnet_fdb_where(const struct vnet_fdb *t, uint32_t owner)
{
	return t->owners[owner].where[VNET_FDB_LEARNED];
}

/* An address was seen; @where is vnet_fdb_where() of its owner. Nearly always
 * that is known. */
VNET_INLINE enum vnet_fdb_learned
vnet_fdb_learn(struct vnet_fdb *t, uint64_t mac, uint32_t home, uint32_t where,
	       uint64_t now_s)
{
	uint32_t i = vnet_fdb_slot(t, mac, home);

	if (vnet_likely(i != VNET_FDB_NONE &&
			t->slots[i].stamp == (uint32_t)now_s &&
			t->slots[i].where == where))
		return VNET_FDB_KNOWN;
	return vnet_fdb_learn_slowly(t, mac, home, i, vnet_fdb_owner_of(where),
				     now_s);
}

/* Pin an address. 0, or -ENOSPC where nothing but static entries is left. */
int vnet_fdb_pin(struct vnet_fdb *t, uint64_t mac, uint32_t owner,
		 uint64_t now_s);

/* Forget an address. 0, or -ENOENT. */
int vnet_fdb_forget(struct vnet_fdb *t, uint64_t mac, uint64_t now_s);

/* Forget all that was learned on @owner, and with @fixed the rest too. */
void vnet_fdb_flush_owner(struct vnet_fdb *t, uint32_t owner, bool fixed);

/* Has @owner no entry left, be it one to be swept? */
VNET_INLINE bool
vnet_fdb_owner_is_clear(const struct vnet_fdb *t, uint32_t owner)
{
	return !t->owners[owner].n[0] && !t->owners[owner].n[1];
}

/* The addresses that are learned on @owner: what has aged, or was flushed, lies
 * in front in its list until it is swept. */
VNET_INLINE uint32_t
vnet_fdb_count(const struct vnet_fdb *t, uint32_t owner, uint64_t now_s)
{
	const struct vnet_fdb_owner *o = &t->owners[owner];
	uint32_t n = o->n[VNET_FDB_LEARNED];

	for (uint32_t i = o->head[VNET_FDB_LEARNED];
	     n && !vnet_fdb_is_live(t, &t->slots[i], now_s);
	     i = t->links[i].next)
		n--;
	return n;
}

/* Could @owner have one address more, and lose none that it has for it? */
bool vnet_fdb_has_room(const struct vnet_fdb *t, uint32_t owner,
		       uint64_t now_s);

/* Take out all of @owner that has aged. */
void vnet_fdb_age(struct vnet_fdb *t, uint32_t owner, uint64_t now_s);

/* Age and sweep, about @budget steps. */
void vnet_fdb_tick(struct vnet_fdb *t, uint64_t now_s, uint32_t budget);

/* When vnet_fdb_tick() is wanted: in seconds, 0 for at once, UINT64_MAX for
 * never. */
uint64_t vnet_fdb_due(const struct vnet_fdb *t);

/* Would live entry @i, which was learned, not move now: is it held, or its owner
 * sticky? False for one that is static. */
bool vnet_fdb_is_held(const struct vnet_fdb *t, uint32_t i, uint64_t now_s);

/* Look at slots below *@i until one is live: false at the end, or when @budget
 * slots were looked at. */
bool vnet_fdb_walk(const struct vnet_fdb *t, uint32_t *i, uint32_t budget,
		   uint64_t now_s);

/* Slots in all: where a walk begins. */
VNET_INLINE uint32_t
vnet_fdb_nslots(const struct vnet_fdb *t)
{
	return t->nhome + VNET_FDB_PROBES;
}

/* Is the table in order? For tests. */
bool vnet_fdb_check(const struct vnet_fdb *t);

#endif
