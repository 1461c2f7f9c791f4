/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "bpf.h"
#include "prove_facts.h"

void
vnet_facts_init(struct vnet_facts *f)
{
	memset(f, 0, sizeof(*f));
}

/*
 * Keeping them
 */

/* All lists, with how many are in each. */
#define FOR_EACH_LIST(DO, f)    \
	DO(f, octet, noctets)   \
	DO(f, range, nranges)   \
	DO(f, other, nothers)   \
	DO(f, equal, nequals)   \
	DO(f, order, norders)   \
	DO(f, extent, nextents) \
	DO(f, field, nfields)

#define HEAD offsetof(struct vnet_facts, octet)

size_t
vnet_facts_size(const struct vnet_facts *f)
{
	size_t size = HEAD;

#define ADD_SIZE(f, list, n) size += (f)->n * sizeof((f)->list[0]);
	FOR_EACH_LIST(ADD_SIZE, f)
	return size;
}

void
vnet_facts_save(const struct vnet_facts *f, uint8_t *to)
{
	memcpy(to, f, HEAD);
	to += HEAD;
#define SAVE(f, list, n)                                      \
	memcpy(to, (f)->list, (f)->n * sizeof((f)->list[0])); \
	to += (f)->n * sizeof((f)->list[0]);
	FOR_EACH_LIST(SAVE, f)
}

void
vnet_facts_restore(struct vnet_facts *f, const uint8_t *from)
{
	memcpy(f, from, HEAD);
	from += HEAD;
#define RESTORE(f, list, n)                                     \
	memcpy((f)->list, from, (f)->n * sizeof((f)->list[0])); \
	from += (f)->n * sizeof((f)->list[0]);
	FOR_EACH_LIST(RESTORE, f)
}

bool
vnet_facts_are_same(const struct vnet_facts *a, const struct vnet_facts *b)
{
	bool is_same = memcmp(a, b, HEAD) == 0;

#define COMPARE(f, list, n)                                           \
	if (is_same &&                                                \
	    memcmp(a->list, b->list, a->n * sizeof(a->list[0])) != 0) \
		is_same = false;
	FOR_EACH_LIST(COMPARE, a)
	return is_same;
}

/* Make room for one at @i of a list of @n, of @max. False if there is none. */
static bool
insert(void *list, uint16_t *n, uint32_t max, uint32_t i, size_t size)
{
	uint8_t *p = list;

	if (*n == max)
		return false;
	memmove(p + (i + 1) * size, p + i * size, (*n - i) * size);
	(*n)++;
	return true;
}

/* The first of @list, of @n of @size octets, that is about @about, or more: each
 * begins with what it is about. */
static uint32_t
find(const void *list, uint32_t n, size_t size, uint32_t about)
{
	const uint8_t *p = list;
	uint32_t lo = 0;

	/* Without a branch that none could foretell. */
	while (n) {
		uint32_t half = n / 2, is;
		bool is_less;

		memcpy(&is, p + (lo + half) * size, sizeof(is));
		is_less = is < about;
		lo = is_less ? lo + half + 1 : lo;
		n = is_less ? n - half - 1 : half;
	}
	return lo;
}

#define FIND(list, n, about) find(list, n, sizeof((list)[0]), about)

/*
 * Asking
 */

void
vnet_facts_octet(const struct vnet_facts *f, vnet_octet octet, uint8_t *mask,
		 uint8_t *value)
{
	uint32_t i = FIND(f->octet, f->noctets, octet);

	*mask = *value = 0;
	if (i < f->noctets && f->octet[i].octet == octet) {
		*mask = f->octet[i].mask;
		*value = f->octet[i].value;
	}
}

bool
vnet_facts_octets(const struct vnet_facts *f, const vnet_octet *octets,
		  uint32_t n, uint8_t *mask, uint8_t *value)
{
	uint32_t at = FIND(f->octet, f->noctets, octets[0]);
	bool is_one = false;

	for (uint32_t i = 0; i < n; i++) {
		/* Mostly each has the number after that of the last. */
		if (i && octets[i] < octets[i - 1])
			at = FIND(f->octet, f->noctets, octets[i]);
		while (at < f->noctets && f->octet[at].octet < octets[i])
			at++;
		mask[i] = value[i] = 0;
		if (at == f->noctets || f->octet[at].octet != octets[i])
			continue;
		mask[i] = f->octet[at].mask;
		value[i] = f->octet[at].value;
		is_one = true;
	}
	return is_one;
}

static void
plain_bits(const struct vnet_facts *f, const struct vnet_term_node *n,
	   uint32_t *mask, uint32_t *value)
{
	uint32_t eight;

	for (uint32_t vary = n->vary; vary; vary &= ~eight) {
		uint32_t i = (uint32_t)__builtin_ctz(vary), at = i & ~7u;
		uint8_t m, v;

		eight = UINT32_C(0xff) << at;
		vnet_facts_octet(f, vnet_bit_octet(n->bit[i]), &m, &v);
		*mask |= (uint32_t)m << at & vary;
		*value |= (uint32_t)v << at & vary & eight;
	}
}

void
vnet_facts_bits(const struct vnet_facts *f, const struct vnet_terms *t,
		vnet_term term, uint32_t *mask, uint32_t *value)
{
	const struct vnet_term_node *n = &t->node[term];
	vnet_octet last = 0;
	uint8_t m = 0, v = 0;

	*mask = *value = 0;
	if (n->kind != VNET_TERM_BITS || term == VNET_TERM_UNKNOWN)
		return;
	*mask = ~n->vary;
	*value = n->ones;
	if (n->is_plain) {
		plain_bits(f, n, mask, value);
		return;
	}
	for (uint32_t vary = n->vary; vary; vary &= vary - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(vary);
		uint32_t bit = n->bit[i];

		if (vnet_bit_octet(bit) != last) {
			last = vnet_bit_octet(bit);
			vnet_facts_octet(f, last, &m, &v);
		}
		if (!(m >> vnet_bit_shift(bit) & 1))
			continue;
		*mask |= UINT32_C(1) << i;
		*value |= ((uint32_t)(v >> vnet_bit_shift(bit) & 1) ^
			   vnet_bit_is_inv(bit))
			  << i;
	}
}

static const struct vnet_fact_range *
find_range(const struct vnet_facts *f, vnet_term atom)
{
	uint32_t i = FIND(f->range, f->nranges, atom);

	return i < f->nranges && f->range[i].atom == atom ? &f->range[i] : NULL;
}

void
vnet_facts_atom(const struct vnet_facts *f, const struct vnet_terms *t,
		vnet_term atom, uint32_t *lo, uint32_t *hi, uint32_t *mask,
		uint32_t *value)
{
	const struct vnet_term_node *n = &t->node[atom];
	const struct vnet_fact_range *r = find_range(f, atom);

	*lo = 0;
	*hi = n->max;
	*mask = *value = 0;
	if (n->kind == VNET_TERM_BITS && atom != VNET_TERM_UNKNOWN) {
		vnet_facts_bits(f, t, atom, mask, value);
		*lo = *value;
		*hi = *value | ~*mask;
	}
	if (r && r->lo > *lo)
		*lo = r->lo;
	if (r && r->hi < *hi)
		*hi = r->hi;
}

static void
atom_range(const struct vnet_facts *f, const struct vnet_terms *t,
	   vnet_term atom, uint32_t *lo, uint32_t *hi)
{
	uint32_t mask, value;

	vnet_facts_atom(f, t, atom, lo, hi, &mask, &value);
}

void
vnet_facts_range(const struct vnet_facts *f, struct vnet_terms *t,
		 vnet_term term, uint32_t *lo, uint32_t *hi)
{
	const struct vnet_term_node *n = &t->node[term];
	uint64_t from = n->k, to = n->k;
	uint32_t factor, k;
	vnet_term atom;

	if (term == VNET_TERM_UNKNOWN) {
		*lo = 0;
		*hi = UINT32_MAX;
		return;
	}
	if (n->kind != VNET_TERM_SUM) {
		if (vnet_term_is_const(t, term, lo)) {
			*hi = *lo;
		} else if (vnet_term_atom(t, term, &atom, &factor, &k)) {
			atom_range(f, t, atom, lo, hi);
			*lo = *lo * factor + k;
			*hi = *hi * factor + k;
		} else {
			*lo = 0;
			*hi = UINT32_MAX;
		}
		return;
	}
	atom_range(f, t, term, lo, hi);
	if (!n->is_exact)
		return;
	for (uint32_t i = 0; i < n->nparts; i++) {
		uint32_t l, h;

		atom_range(f, t, n->part[i].of, &l, &h);
		from += (uint64_t)n->part[i].factor * l;
		to += (uint64_t)n->part[i].factor * h;
	}
	if (from > *lo)
		*lo = (uint32_t)from;
	if (to < *hi)
		*hi = (uint32_t)to;
}

bool
vnet_facts_is_other(const struct vnet_facts *f, vnet_term atom, uint32_t k)
{
	uint32_t i = FIND(f->other, f->nothers, atom);

	for (; i < f->nothers && f->other[i].atom == atom; i++)
		if (f->other[i].k == k)
			return true;
	return false;
}

static bool
excludes(const struct vnet_facts *f, const struct vnet_terms *t, vnet_term atom,
	 uint32_t k)
{
	uint32_t lo, hi, mask, value;

	if (vnet_facts_is_other(f, atom, k))
		return true;
	atom_range(f, t, atom, &lo, &hi);
	if (k < lo || k > hi)
		return true;
	vnet_facts_bits(f, t, atom, &mask, &value);
	return t->node[atom].kind == VNET_TERM_BITS &&
	       ((value ^ k) & mask) != 0;
}

int
vnet_facts_is(const struct vnet_facts *f, struct vnet_terms *t, vnet_term term,
	      uint32_t k)
{
	uint32_t lo, hi, factor, rest;
	vnet_term atom;

	if (term == VNET_TERM_UNKNOWN)
		return -1;
	vnet_facts_range(f, t, term, &lo, &hi);
	if (lo == hi)
		return lo == k;
	if (k < lo || k > hi)
		return 0;
	if (!vnet_term_atom(t, term, &atom, &factor, &rest))
		return -1;
	if (k < rest || (k - rest) % factor ||
	    excludes(f, t, atom, (k - rest) / factor))
		return 0;
	return -1;
}

bool
vnet_facts_is_equal(const struct vnet_facts *f, vnet_octet a, vnet_octet b,
		    uint8_t inv)
{
	uint8_t ma, mb, va, vb, known;

	vnet_facts_octet(f, a, &ma, &va);
	vnet_facts_octet(f, b, &mb, &vb);
	known = ma & mb;
	if (((va ^ vb ^ inv) & known) != 0)
		return false;
	if (a == b)
		return inv == 0;
	if (a > b) {
		vnet_octet c = a;

		a = b;
		b = c;
	}
	for (uint32_t i = FIND(f->equal, f->nequals, a);
	     i < f->nequals && f->equal[i].a == a; i++) {
		const struct vnet_fact_equal *e = &f->equal[i];

		if (e->b == b && ((e->inv ^ inv) & e->mask) == 0)
			known |= e->mask;
	}
	return known == 0xff;
}

int
vnet_facts_compare(const struct vnet_facts *f, struct vnet_terms *t,
		   vnet_term a, vnet_term b)
{
	uint32_t alo, ahi, blo, bhi;

	if (a == VNET_TERM_UNKNOWN || b == VNET_TERM_UNKNOWN)
		return -1;
	if (a == b)
		return 1;
	vnet_facts_range(f, t, a, &alo, &ahi);
	vnet_facts_range(f, t, b, &blo, &bhi);
	if (alo >= bhi)
		return 1;
	if (ahi < blo)
		return 0;
	for (uint32_t i = 0; i < f->norders; i++) {
		const struct vnet_fact_order *o = &f->order[i];

		if (o->how == VNET_ORDER_NE)
			continue;
		if (o->a == a && o->b == b)
			return 1;
		if (o->a == b && o->b == a) {
			if (o->how == VNET_ORDER_GT)
				return 0;
			if (o->how == VNET_ORDER_EQ)
				return 1;
		}
	}
	return -1;
}

bool
vnet_facts_has(const struct vnet_facts *f, vnet_term base, uint32_t len)
{
	uint32_t i = FIND(f->extent, f->nextents, base);

	return i < f->nextents && f->extent[i].base == base &&
	       f->extent[i].len >= len;
}

uint32_t
vnet_facts_field(const struct vnet_facts *f, uint32_t field)
{
	uint32_t i = FIND(f->field, f->nfields, field);

	return i < f->nfields && f->field[i].field == field
		       ? f->field[i].classes
		       : UINT32_MAX;
}

/*
 * Learning
 */

void
vnet_facts_set_field(struct vnet_facts *f, uint32_t field, uint32_t classes)
{
	uint32_t i = FIND(f->field, f->nfields, field);

	if ((vnet_facts_field(f, field) & classes) == 0)
		f->is_none = true;
	if (i < f->nfields && f->field[i].field == field)
		f->field[i].classes &= classes;
	else if (insert(f->field, &f->nfields, VNET_FACT_FIELDS, i,
			sizeof(f->field[0])))
		f->field[i] = (struct vnet_fact_field){field, classes};
}

void
vnet_facts_have(struct vnet_facts *f, vnet_term base, uint32_t len)
{
	uint32_t i = FIND(f->extent, f->nextents, base);

	if (base == VNET_TERM_UNKNOWN)
		return;
	if (f->cut.base == base && f->cut.len <= len)
		f->is_none = true;
	if (i < f->nextents && f->extent[i].base == base) {
		if (f->extent[i].len < len)
			f->extent[i].len = len;
	} else if (insert(f->extent, &f->nextents, VNET_FACT_EXTENTS, i,
			  sizeof(f->extent[0]))) {
		f->extent[i] = (struct vnet_fact_extent){base, len};
	}
}

/* Bits of an octet, and of those that equal it. */
static void
set_octet(struct vnet_facts *f, vnet_octet octet, uint8_t mask, uint8_t value,
	  uint64_t *changed)
{
	uint32_t i = FIND(f->octet, f->noctets, octet);

	value &= mask;
	if (i < f->noctets && f->octet[i].octet == octet) {
		struct vnet_fact_octet *o = &f->octet[i];

		if (((o->value ^ value) & o->mask & mask) != 0) {
			f->is_none = true;
			return;
		}
		if ((mask & ~o->mask) == 0)
			return;
		o->mask |= mask;
		o->value |= value;
	} else if (mask && insert(f->octet, &f->noctets, VNET_FACT_OCTETS, i,
				  sizeof(f->octet[0]))) {
		f->octet[i] = (struct vnet_fact_octet){octet, mask, value};
	} else {
		return;
	}
	*changed |= UINT64_C(1) << octet % 64;
}

/* Hand on what is known of one octet to one that equals it, once. */
static void
follow_equals(struct vnet_facts *f, uint64_t *changed)
{
	for (uint32_t i = 0; i < f->nequals && !f->is_none; i++) {
		const struct vnet_fact_equal e = f->equal[i];
		uint8_t ma, mb, va, vb;

		vnet_facts_octet(f, e.a, &ma, &va);
		vnet_facts_octet(f, e.b, &mb, &vb);
		if (ma & e.mask)
			set_octet(f, e.b, ma & e.mask, va ^ e.inv, changed);
		if (mb & e.mask)
			set_octet(f, e.a, mb & e.mask, vb ^ e.inv, changed);
	}
}

/* Bits of a term, as numbers of a mask. */
static void
set_bits(struct vnet_facts *f, const struct vnet_terms *t, vnet_term term,
	 uint32_t mask, uint32_t value, uint64_t *changed)
{
	const struct vnet_term_node *n = &t->node[term];

	if (n->kind != VNET_TERM_BITS || term == VNET_TERM_UNKNOWN)
		return;
	if (((value ^ n->ones) & mask & ~n->vary) != 0) {
		f->is_none = true;
		return;
	}
	for (uint32_t vary = n->vary & mask; vary && !f->is_none;) {
		uint32_t i = (uint32_t)__builtin_ctz(vary);
		vnet_octet octet = vnet_bit_octet(n->bit[i]);
		uint8_t m = 0, v = 0;

		/* All that are of one octet, at once. */
		for (; i < 32; i++) {
			uint32_t bit = n->bit[i];

			if (!(vary >> i & 1))
				continue;
			if (vnet_bit_octet(bit) != octet)
				break;
			vary &= ~(UINT32_C(1) << i);
			m |= (uint8_t)(1u << vnet_bit_shift(bit));
			if ((value >> i & 1) ^ vnet_bit_is_inv(bit))
				v |= (uint8_t)(1u << vnet_bit_shift(bit));
		}
		set_octet(f, octet, m, v, changed);
	}
}

/* Where octets have become known: is what was known of numbers still so? What now
 * goes without saying is left out, so that like facts look alike. */
static void
check_ranges(struct vnet_facts *f, const struct vnet_terms *t, uint64_t changed)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nranges; i++) {
		const struct vnet_fact_range r = f->range[i];
		uint32_t mask, value, most, least;

		if (t->node[r.atom].octets & changed) {
			vnet_facts_bits(f, t, r.atom, &mask, &value);
			most = value | ~mask;
			if (most > t->node[r.atom].max)
				most = t->node[r.atom].max;
			if (!vnet_facts_least(r.lo, mask, value, &least) ||
			    least > r.hi) {
				f->is_none = true;
				return;
			}
			if (r.lo <= value && most <= r.hi)
				continue;
		}
		f->range[n++] = r;
	}
	f->nranges = (uint16_t)n;
}

static void
check_others(struct vnet_facts *f, const struct vnet_terms *t, uint64_t changed)
{
	uint32_t n = 0, lo = 0, hi = 0, mask = 0, value = 0;
	vnet_term last = VNET_TERM_UNKNOWN;

	for (uint32_t i = 0; i < f->nothers; i++) {
		const struct vnet_fact_other o = f->other[i];

		if (t->node[o.atom].octets & changed) {
			if (o.atom != last)
				vnet_facts_atom(f, t, o.atom, &lo, &hi, &mask,
						&value);
			last = o.atom;
			if (lo == hi && lo == o.k) {
				f->is_none = true;
				return;
			}
			if (o.k < lo || o.k > hi || ((o.k ^ value) & mask))
				continue;
		}
		f->other[n++] = o;
	}
	f->nothers = (uint16_t)n;
}

/* What follows from what was learned of octets. */
static void
settle(struct vnet_facts *f, struct vnet_terms *t, uint64_t changed)
{
	if (changed && !f->is_none)
		follow_equals(f, &changed);
	if (changed && !f->is_none)
		check_ranges(f, t, changed);
	if (changed && !f->is_none)
		check_others(f, t, changed);
}

static void
set_range(struct vnet_facts *f, struct vnet_terms *t, vnet_term atom,
	  uint32_t lo, uint32_t hi)
{
	uint32_t i = FIND(f->range, f->nranges, atom);
	uint32_t mask, value, same, least;
	uint64_t changed = 0;

	if (i < f->nranges && f->range[i].atom == atom) {
		if (f->range[i].lo > lo)
			lo = f->range[i].lo;
		if (f->range[i].hi < hi)
			hi = f->range[i].hi;
	}
	if (hi > t->node[atom].max)
		hi = t->node[atom].max;
	while (lo < hi && vnet_facts_is_other(f, atom, lo))
		lo++;
	while (lo < hi && vnet_facts_is_other(f, atom, hi))
		hi--;
	vnet_facts_bits(f, t, atom, &mask, &value);
	if (lo > hi || !vnet_facts_least(lo, mask, value, &least) ||
	    least > hi || (lo == hi && vnet_facts_is_other(f, atom, lo))) {
		f->is_none = true;
		return;
	}
	if (i < f->nranges && f->range[i].atom == atom) {
		f->range[i].lo = lo;
		f->range[i].hi = hi;
	} else if (insert(f->range, &f->nranges, VNET_FACT_RANGES, i,
			  sizeof(f->range[0]))) {
		f->range[i] = (struct vnet_fact_range){atom, lo, hi};
	}
	/* The bits in front of the first that differs. */
	same = lo == hi ? UINT32_MAX : ~(UINT32_MAX >> __builtin_clz(lo ^ hi));
	set_bits(f, t, atom, same, lo, &changed);
	settle(f, t, changed | t->node[atom].octets);
}

/* Where it is in its list, or is to be. */
static uint32_t
find_other(const struct vnet_facts *f, vnet_term atom, uint32_t k)
{
	uint32_t i = FIND(f->other, f->nothers, atom);

	while (i < f->nothers && f->other[i].atom == atom && f->other[i].k < k)
		i++;
	return i;
}

static void
set_other(struct vnet_facts *f, struct vnet_terms *t, vnet_term atom,
	  uint32_t k)
{
	uint32_t i, lo, hi;

	atom_range(f, t, atom, &lo, &hi);
	if (k < lo || k > hi || vnet_facts_is_other(f, atom, k))
		return;
	if (lo == hi) {
		f->is_none = true;
		return;
	}
	i = find_other(f, atom, k);
	if (insert(f->other, &f->nothers, VNET_FACT_OTHERS, i,
		   sizeof(f->other[0])))
		f->other[i] = (struct vnet_fact_other){atom, k};
	/* A single bit that is not 0 is 1. */
	if (hi - lo == 1)
		set_range(f, t, atom, lo, hi);
	else if (k == lo || k == hi)
		set_range(f, t, atom, lo + (k == lo), hi - (k == hi));
}

static void
set_equal(struct vnet_facts *f, vnet_octet a, vnet_octet b, uint8_t mask,
	  uint8_t inv)
{
	uint32_t i;

	if (a > b) {
		vnet_octet c = a;

		a = b;
		b = c;
	}
	i = FIND(f->equal, f->nequals, a);
	for (; i < f->nequals && f->equal[i].a == a && f->equal[i].b <= b;
	     i++) {
		struct vnet_fact_equal *e = &f->equal[i];

		if (e->b != b)
			continue;
		if ((e->inv ^ inv) & e->mask & mask)
			f->is_none = true;
		e->mask |= mask;
		e->inv |= inv & mask;
		return;
	}
	if (insert(f->equal, &f->nequals, VNET_FACT_EQUALS, i,
		   sizeof(f->equal[0])))
		f->equal[i] = (struct vnet_fact_equal){a, b, mask, inv & mask};
}

static void
set_order(struct vnet_facts *f, vnet_term a, vnet_term b, uint32_t how)
{
	for (uint32_t i = 0; i < f->norders; i++)
		if (f->order[i].a == a && f->order[i].b == b &&
		    f->order[i].how == how)
			return;
	if (f->norders < VNET_FACT_ORDERS)
		f->order[f->norders++] = (struct vnet_fact_order){a, b, how};
}

/* @a and @b have the same bits. */
static void
equate_bits(struct vnet_facts *f, struct vnet_terms *t, vnet_term a,
	    vnet_term b)
{
	uint64_t changed = 0;
	uint32_t mask, value;

	vnet_facts_bits(f, t, a, &mask, &value);
	set_bits(f, t, b, mask, value, &changed);
	vnet_facts_bits(f, t, b, &mask, &value);
	set_bits(f, t, a, mask, value, &changed);
	for (uint32_t i = 0; i < 32 && !f->is_none; i++) {
		const struct vnet_term_node *na = &t->node[a];
		const struct vnet_term_node *nb = &t->node[b];
		uint32_t x = na->bit[i], y = nb->bit[i];
		uint8_t bit;

		if (!(na->vary & nb->vary & UINT32_C(1) << i))
			continue;
		if (vnet_bit_shift(x) != vnet_bit_shift(y) ||
		    vnet_bit_octet(x) == vnet_bit_octet(y))
			continue;
		bit = (uint8_t)(1u << vnet_bit_shift(x));
		set_equal(f, vnet_bit_octet(x), vnet_bit_octet(y), bit,
			  vnet_bit_is_inv(x) != vnet_bit_is_inv(y) ? bit : 0);
	}
	changed |= t->node[a].octets | t->node[b].octets;
	settle(f, t, changed);
}

/* @term is from @lo to @hi. */
static void
assume_range(struct vnet_facts *f, struct vnet_terms *t, vnet_term term,
	     uint32_t lo, uint32_t hi)
{
	uint32_t factor, k, from, to;
	vnet_term atom;

	vnet_facts_range(f, t, term, &from, &to);
	if (lo > to || hi < from || lo > hi) {
		f->is_none = true;
		return;
	}
	if (!vnet_term_atom(t, term, &atom, &factor, &k))
		return;
	if (hi < k) {
		f->is_none = true;
		return;
	}
	lo = lo <= k ? 0 : (lo - k) / factor + ((lo - k) % factor != 0);
	hi = (hi - k) / factor;
	set_range(f, t, atom, lo, hi);
	if (t->node[term].kind == VNET_TERM_OP &&
	    t->node[term].code == VNET_BPF_LD_LEN)
		vnet_facts_have(f, VNET_TERM_ZERO, lo);
}

/* @term is not @value. */
static void
assume_other(struct vnet_facts *f, struct vnet_terms *t, vnet_term term,
	     uint32_t value)
{
	uint32_t factor, k;
	vnet_term atom;

	if (vnet_term_is_const(t, term, &k)) {
		if (k == value)
			f->is_none = true;
		return;
	}
	if (!vnet_term_atom(t, term, &atom, &factor, &k) || value < k ||
	    (value - k) % factor)
		return;
	set_other(f, t, atom, (value - k) / factor);
}

static void
assume_equal(struct vnet_facts *f, struct vnet_terms *t, vnet_term a,
	     vnet_term b, bool is_so)
{
	uint32_t k;

	if (vnet_term_is_const(t, a, &k)) {
		vnet_term c = a;

		a = b;
		b = c;
	}
	if (vnet_term_is_const(t, b, &k)) {
		if (is_so)
			assume_range(f, t, a, k, k);
		else
			assume_other(f, t, a, k);
	} else if (!is_so) {
		if (a == b)
			f->is_none = true;
		if (f->is_exact)
			set_order(f, a, b, VNET_ORDER_NE);
	} else if (t->node[a].kind == VNET_TERM_BITS &&
		   t->node[b].kind == VNET_TERM_BITS) {
		equate_bits(f, t, a, b);
	} else if (a != b) {
		set_order(f, a, b, VNET_ORDER_EQ);
	}
}

/* @a >= @b, or not: @b > @a. */
static void
assume_order(struct vnet_facts *f, struct vnet_terms *t, vnet_term a,
	     vnet_term b, bool is_so)
{
	int known = vnet_facts_compare(f, t, a, b);
	uint32_t lo, hi;

	if (known == !is_so) {
		f->is_none = true;
		return;
	}
	if (known >= 0)
		return;
	vnet_facts_range(f, t, b, &lo, &hi);
	if (is_so) {
		assume_range(f, t, a, lo, UINT32_MAX);
		vnet_facts_range(f, t, a, &lo, &hi);
		if (!f->is_none)
			assume_range(f, t, b, 0, hi);
	} else {
		/* That @b is more than something, hi is not 0. */
		assume_range(f, t, a, 0, hi - 1);
		vnet_facts_range(f, t, a, &lo, &hi);
		if (!f->is_none)
			assume_range(f, t, b, lo + 1, UINT32_MAX);
	}
	if (vnet_term_is_const(t, a, &lo) || vnet_term_is_const(t, b, &lo))
		return;
	if (is_so)
		set_order(f, a, b, VNET_ORDER_GE);
	else
		set_order(f, b, a, VNET_ORDER_GT);
}

void
vnet_facts_assume(struct vnet_facts *f, struct vnet_terms *t, uint16_t code,
		  vnet_term a, vnet_term b, bool is_so)
{
	vnet_term both;

	if (a == VNET_TERM_UNKNOWN || b == VNET_TERM_UNKNOWN || t->failed)
		return;
	switch (code) {
	case VNET_BPF_JEQ_X:
		assume_equal(f, t, a, b, is_so);
		break;
	case VNET_BPF_JGE_X:
		assume_order(f, t, a, b, is_so);
		break;
	case VNET_BPF_JGT_X:
		assume_order(f, t, b, a, !is_so);
		break;
	case VNET_BPF_JSET_X:
		both = vnet_term_arith(t, VNET_BPF_AND_X, a, b);
		if (both != VNET_TERM_UNKNOWN)
			assume_equal(f, t, both, VNET_TERM_ZERO, !is_so);
		break;
	}
}

/*
 * Joining
 */

/* Of an atom that one side has a range for, what both have. */
static void
join_ranges(struct vnet_facts *f, const struct vnet_terms *t,
	    const struct vnet_facts *other)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nranges; i++) {
		struct vnet_fact_range r = f->range[i];
		uint32_t lo, hi;

		atom_range(other, t, r.atom, &lo, &hi);
		if (lo < r.lo)
			r.lo = lo;
		if (hi > r.hi)
			r.hi = hi;
		if (r.lo > 0 || r.hi < t->node[r.atom].max)
			f->range[n++] = r;
	}
	f->nranges = (uint16_t)n;
}

/* What one side says by other facts is kept, too. */
static void
join_others(struct vnet_facts *f, const struct vnet_terms *t,
	    const struct vnet_facts *other)
{
	uint16_t n = 0;

	for (uint32_t i = 0; i < other->nothers; i++) {
		const struct vnet_fact_other o = other->other[i];
		uint32_t at;

		if (vnet_facts_is_other(f, o.atom, o.k) ||
		    !excludes(f, t, o.atom, o.k))
			continue;
		at = find_other(f, o.atom, o.k);
		if (insert(f->other, &f->nothers, VNET_FACT_OTHERS, at,
			   sizeof(f->other[0])))
			f->other[at] = o;
	}
	for (uint32_t i = 0; i < f->nothers; i++)
		if (excludes(other, t, f->other[i].atom, f->other[i].k))
			f->other[n++] = f->other[i];
	f->nothers = n;
}

static void
join_octets(struct vnet_facts *f, const struct vnet_facts *other)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->noctets; i++) {
		struct vnet_fact_octet o = f->octet[i];
		uint8_t mask, value;

		vnet_facts_octet(other, o.octet, &mask, &value);
		o.mask &= mask & (uint8_t) ~(o.value ^ value);
		o.value &= o.mask;
		if (o.mask)
			f->octet[n++] = o;
	}
	f->noctets = (uint16_t)n;
}

static void
join_equals(struct vnet_facts *f, const struct vnet_facts *other)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nequals; i++) {
		const struct vnet_fact_equal e = f->equal[i];

		for (uint32_t k = FIND(other->equal, other->nequals, e.a);
		     k < other->nequals && other->equal[k].a == e.a; k++)
			if (other->equal[k].b == e.b &&
			    other->equal[k].mask == e.mask &&
			    other->equal[k].inv == e.inv)
				f->equal[n++] = e;
	}
	f->nequals = (uint16_t)n;
}

static void
join_orders(struct vnet_facts *f, const struct vnet_facts *other)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->norders; i++) {
		const struct vnet_fact_order o = f->order[i];

		for (uint32_t k = 0; k < other->norders; k++)
			if (memcmp(&other->order[k], &o, sizeof(o)) == 0)
				f->order[n++] = o;
	}
	f->norders = (uint16_t)n;
}

static void
join_extents(struct vnet_facts *f, const struct vnet_facts *other)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nextents; i++) {
		struct vnet_fact_extent e = f->extent[i];
		uint32_t k = FIND(other->extent, other->nextents, e.base);

		if (k == other->nextents || other->extent[k].base != e.base)
			continue;
		if (other->extent[k].len < e.len)
			e.len = other->extent[k].len;
		f->extent[n++] = e;
	}
	f->nextents = (uint16_t)n;
}

static void
join_fields(struct vnet_facts *f, const struct vnet_facts *other)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nfields; i++) {
		struct vnet_fact_field e = f->field[i];

		e.classes |= vnet_facts_field(other, e.field);
		if (e.classes != UINT32_MAX)
			f->field[n++] = e;
	}
	f->nfields = (uint16_t)n;
}

void
vnet_facts_join(struct vnet_facts *f, const struct vnet_terms *t,
		const struct vnet_facts *other)
{
	/* Those of terms ask for bits, which are joined last. */
	join_others(f, t, other);
	join_ranges(f, t, other);
	join_equals(f, other);
	join_orders(f, other);
	join_extents(f, other);
	join_fields(f, other);
	join_octets(f, other);
}

bool
vnet_facts_least(uint32_t from, uint32_t mask, uint32_t value, uint32_t *least)
{
	uint32_t wrong = (from ^ value) & mask, top, above;

	*least = from;
	if (!wrong)
		return true;
	top = UINT32_C(1) << (31 - __builtin_clz(wrong));
	if (!(value & top)) {
		/* It is to be less there, and so more above: in the least
		 * place that is free, and has no 1. */
		above = ~(top | (top - 1)) & ~mask & ~from;
		if (!above)
			return false;
		top = above & (0 - above);
	}
	*least = (from & ~(top | (top - 1))) | top | (value & (top - 1));
	return true;
}
