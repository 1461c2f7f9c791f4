/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets whose place is constant come first, then those whose place these tell,
 * and so on. What is known is set; what is free is chosen at random, from what
 * would fit. Not everything is thought of: a guess that is wrong costs little.
 */
#include <string.h>

#include "prove_frame.h"

#define TRIES 16

static uint32_t
draw(struct vnet_guess *g, uint32_t n)
{
	g->random ^= g->random << 13;
	g->random ^= g->random >> 17;
	g->random ^= g->random << 5;
	return n ? g->random % n : g->random;
}

/* Where an octet is. SIZE if it is not within the frame. */
static size_t
place_of(const struct vnet_guess *g, const struct vnet_terms *t,
	 vnet_octet octet)
{
	uint64_t at = vnet_octet_place(t, octet, g->data, sizeof(g->data));

	return at < sizeof(g->data) ? (size_t)at : sizeof(g->data);
}

/* The bits of @mask are @value from now on. */
static bool
lock(struct vnet_guess *g, const struct vnet_terms *t, vnet_octet octet,
     uint8_t mask, uint8_t value)
{
	size_t at = place_of(g, t, octet);

	if (at == sizeof(g->data) ||
	    ((g->data[at] ^ value) & mask & g->locked[at]))
		return false;
	g->data[at] = (uint8_t)((g->data[at] & ~mask) | (value & mask));
	g->locked[at] |= mask;
	return true;
}

/* The bits of a term that are locked. */
static void
locked_bits(const struct vnet_guess *g, const struct vnet_terms *t,
	    vnet_term term, uint32_t *mask, uint32_t *value)
{
	const struct vnet_term_node *n = &t->node[term];

	*mask = ~n->vary;
	for (uint32_t i = 0; i < 32; i++) {
		size_t at;

		if (!(n->vary >> i & 1))
			continue;
		at = place_of(g, t, vnet_bit_octet(n->bit[i]));
		if (at == sizeof(g->data) ||
		    g->locked[at] >> vnet_bit_shift(n->bit[i]) & 1)
			*mask |= UINT32_C(1) << i;
	}
	*value = vnet_term_value(t, term, g->data, sizeof(g->data)) & *mask;
}

/* Give a term a value, in its bits that are free. */
static void
set_term(struct vnet_guess *g, const struct vnet_terms *t, vnet_term term,
	 uint32_t value, bool is_locked)
{
	const struct vnet_term_node *n = &t->node[term];

	for (uint32_t i = 0; i < 32; i++) {
		uint32_t bit = n->bit[i];
		uint8_t m = (uint8_t)(1u << vnet_bit_shift(bit));
		size_t at;

		if (!(n->vary >> i & 1))
			continue;
		at = place_of(g, t, vnet_bit_octet(bit));
		if (at == sizeof(g->data) || (g->locked[at] & m))
			continue;
		if ((value >> i & 1) ^ vnet_bit_is_inv(bit))
			g->data[at] |= m;
		else
			g->data[at] &= (uint8_t)~m;
		if (is_locked)
			g->locked[at] |= m;
	}
}

/* A number from @lo to @hi that the locked bits of @term allow, and facts. */
static bool
choose_number(struct vnet_guess *g, struct vnet_terms *t,
	      const struct vnet_facts *f, vnet_term term, uint32_t lo,
	      uint32_t hi, uint32_t *value)
{
	uint32_t mask, bits, from, to;

	vnet_facts_range(f, t, term, &from, &to);
	if (lo < from)
		lo = from;
	if (hi > to)
		hi = to;
	if (lo > hi)
		return false;
	locked_bits(g, t, term, &mask, &bits);
	for (int i = 0; i < TRIES; i++) {
		uint32_t at = lo;

		if (i < TRIES / 2 && hi > lo)
			at += draw(g, hi - lo == UINT32_MAX ? 0 : hi - lo + 1);
		if (vnet_facts_least(at, mask, bits, value) && *value <= hi &&
		    !vnet_facts_is_other(f, term, *value))
			return true;
		if (i >= TRIES / 2 && lo < hi)
			lo++;
	}
	return false;
}

static bool
guess_number(struct vnet_guess *g, const struct vnet_law *law,
	     const struct vnet_facts *f, const struct vnet_law_field *field,
	     uint32_t classes)
{
	const struct vnet_law_segment *s = law->segment[field->kind];
	uint32_t n = law->nsegments[field->kind], value;
	uint32_t first = draw(g, n);

	for (uint32_t i = 0; i < n; i++) {
		const struct vnet_law_segment *one = &s[(first + i) % n];

		if (!(one->classes & classes) ||
		    !choose_number(g, law->terms, f, field->term, one->lo,
				   one->hi, &value))
			continue;
		set_term(g, law->terms, field->term, value, true);
		return true;
	}
	return false;
}

/* What is in a field, and what of that is locked. */
static bool
get_field(const struct vnet_guess *g, const struct vnet_law *law,
	  const struct vnet_law_field *field, uint8_t *value, uint8_t *locked)
{
	for (uint32_t i = 0; i < field->noctets; i++) {
		size_t at = place_of(g, law->terms, field->octet[i]);

		if (at == sizeof(g->data))
			return false;
		value[i] = g->data[at];
		locked[i] = g->locked[at];
	}
	return true;
}

static void
make_link_local(const struct vnet_guess *g, uint8_t *addr)
{
	const uint8_t *mac = g->data + 6;
	const uint8_t own[16] = {
		0xfe,   0x80,          0,      0,      0,    0,    0,
		0,      mac[0] ^ 0x02, mac[1], mac[2], 0xff, 0xfe, mac[3],
		mac[4], mac[5],
	};

	memcpy(addr, own, 16);
}

/* The classes of a string. */
static uint32_t
classes_of(const struct vnet_guess *g, const struct vnet_law *law,
	   const struct vnet_law_field *field, const uint8_t *value)
{
	const struct vnet_law_cube *c = law->cube[field->kind];
	uint8_t own[16];

	make_link_local(g, own);
	if (field->noctets == 16 && memcmp(own, value, 16) == 0)
		return VNET_CLASS_IN;
	for (uint32_t i = 0; i < law->ncubes[field->kind]; i++, c++) {
		uint32_t o = 0;

		while (o < field->noctets &&
		       !((value[o] ^ c->value[o]) & c->mask[o]))
			o++;
		if (o == field->noctets)
			return c->classes;
	}
	return VNET_CLASS_OTHER;
}

/* Something that is like what is in a list, or not. */
static void
make_string(struct vnet_guess *g, const struct vnet_law *law,
	    const struct vnet_law_field *field, uint8_t *value)
{
	uint32_t n = law->ncubes[field->kind], how = draw(g, 8);
	const struct vnet_law_cube *c = NULL;

	if (n)
		c = &law->cube[field->kind][draw(g, n)];
	for (uint32_t i = 0; i < field->noctets; i++)
		value[i] = (uint8_t)draw(g, 256);
	if (how == 0 && field->noctets == 16)
		make_link_local(g, value);
	if (how > 1 && c)
		for (uint32_t i = 0; i < field->noctets; i++)
			value[i] = (uint8_t)((value[i] & ~c->mask[i]) |
					     c->value[i]);
	if (how > 4)
		value[draw(g, field->noctets)] ^= (uint8_t)(1u << draw(g, 8));
}

static bool
guess_string(struct vnet_guess *g, const struct vnet_law *law,
	     const struct vnet_law_field *field, uint32_t classes)
{
	uint8_t is[16], locked[16], value[16];

	if (!get_field(g, law, field, is, locked))
		return false;
	for (int i = 0; i < 8 * TRIES; i++) {
		make_string(g, law, field, value);
		for (uint32_t o = 0; o < field->noctets; o++)
			value[o] = (uint8_t)((value[o] & ~locked[o]) |
					     (is[o] & locked[o]));
		if (!(classes_of(g, law, field, value) & classes))
			continue;
		for (uint32_t o = 0; o < field->noctets; o++)
			(void)lock(g, law->terms, field->octet[o], 0xff,
				   value[o]);
		return true;
	}
	return false;
}

static bool
guess_option(struct vnet_guess *g, const struct vnet_law *law,
	     const struct vnet_law_field *field, uint32_t classes)
{
	const bool is_in = classes & VNET_CLASS_IN;
	uint8_t value[16], locked[16] = {0};

	if (!get_field(g, law, field, value, locked))
		return false;
	if (is_in)
		return locked[0] == 0xff ||
		       lock(g, law->terms, field->octet[0], 0xff, 14);
	if (locked[0] != 0xff && !lock(g, law->terms, field->octet[0], 0xff,
				       (uint8_t)(1 + draw(g, 2))))
		return false;
	for (uint32_t i = 0; i < 6; i++)
		if (locked[2 + i] != 0xff)
			return lock(g, law->terms, field->octet[2 + i],
				    (uint8_t)~locked[2 + i],
				    (uint8_t)~g->data[6 + i]);
	return true;
}

static bool
guess_field(struct vnet_guess *g, const struct vnet_law *law,
	    const struct vnet_facts *f, const struct vnet_fact_field *fact)
{
	const struct vnet_law_field *field = &law->field[fact->field];
	uint32_t classes = fact->classes & law->all[field->kind];

	if (classes == law->all[field->kind] ||
	    field->term == VNET_TERM_UNKNOWN)
		return true;
	if (field->kind < VNET_FIELD_NUMBERS)
		return guess_number(g, law, f, field, classes);
	if (field->kind == VNET_FIELD_OPTION)
		return guess_option(g, law, field, classes);
	return guess_string(g, law, field, classes);
}

static uint32_t
depth_of_octet(const struct vnet_terms *t, vnet_octet octet)
{
	return t->octet[octet].depth;
}

/* Octets that tell where others are, mostly as a length: short ones. */
static void
guess_lengths(struct vnet_guess *g, struct vnet_terms *t,
	      const struct vnet_facts *f, vnet_term base)
{
	const struct vnet_term_node n = t->node[base];
	uint32_t parts = n.kind == VNET_TERM_SUM ? n.nparts : 1;

	for (uint32_t i = 0; i < parts; i++) {
		vnet_term of = n.kind == VNET_TERM_SUM ? n.part[i].of : base;
		uint32_t factor, k, value;
		vnet_term atom;

		if (t->node[of].kind != VNET_TERM_BITS ||
		    !vnet_term_atom(t, of, &atom, &factor, &k))
			continue;
		if (choose_number(g, t, f, atom, 0, draw(g, 4), &value) ||
		    choose_number(g, t, f, atom, 0, 15, &value))
			set_term(g, t, atom, value, true);
	}
}

/* Numbers that facts are about, but that are not so yet. */
static bool
guess_atom(struct vnet_guess *g, struct vnet_terms *t,
	   const struct vnet_facts *f, vnet_term atom)
{
	uint32_t value, lo, hi;

	if (t->node[atom].kind != VNET_TERM_BITS)
		return true;
	value = vnet_term_value(t, atom, g->data, sizeof(g->data));
	vnet_facts_range(f, t, atom, &lo, &hi);
	if (lo <= value && value <= hi && !vnet_facts_is_other(f, atom, value))
		return true;
	if (!choose_number(g, t, f, atom, lo, hi, &value))
		return false;
	set_term(g, t, atom, value, false);
	return true;
}

/* One octet is as another one. */
static bool
guess_equal(struct vnet_guess *g, const struct vnet_terms *t,
	    const struct vnet_fact_equal *e)
{
	size_t a = place_of(g, t, e->a), b = place_of(g, t, e->b);
	uint8_t from_a, from_b;

	if (a == sizeof(g->data) || b == sizeof(g->data))
		return false;
	from_b = (uint8_t)(e->mask & g->locked[b] & ~g->locked[a]);
	from_a = (uint8_t)(e->mask & ~from_b);
	return lock(g, t, e->a, from_b, g->data[b] ^ e->inv) &&
	       lock(g, t, e->b, from_a, g->data[a] ^ e->inv) &&
	       lock(g, t, e->a, e->mask, g->data[a]);
}

/* All that facts say of octets of one depth. */
static bool
guess_depth(struct vnet_guess *g, const struct vnet_law *law,
	    const struct vnet_facts *f, uint32_t depth)
{
	struct vnet_terms *t = law->terms;

	for (uint32_t i = 0; i < f->noctets; i++) {
		const struct vnet_fact_octet *o = &f->octet[i];

		if (depth_of_octet(t, o->octet) == depth &&
		    !lock(g, t, o->octet, o->mask, o->value))
			return false;
	}
	/* Where what is deeper will be. */
	for (uint32_t i = 0; i < f->noctets; i++)
		if (depth_of_octet(t, f->octet[i].octet) == depth + 1)
			guess_lengths(g, t, f,
				      t->octet[f->octet[i].octet].base);
	for (uint32_t i = 0; i < f->nextents; i++)
		if (f->extent[i].base != VNET_TERM_ZERO &&
		    t->node[f->extent[i].base].depth == depth)
			guess_lengths(g, t, f, f->extent[i].base);
	for (uint32_t i = 0; i < f->nfields; i++) {
		vnet_octet octet = law->field[f->field[i].field].octet[0];

		if (depth_of_octet(t, octet) == depth &&
		    !guess_field(g, law, f, &f->field[i]))
			return false;
	}
	for (uint32_t i = 0; i < f->nequals; i++) {
		const struct vnet_fact_equal *e = &f->equal[i];
		uint32_t a = depth_of_octet(t, e->a);
		uint32_t b = depth_of_octet(t, e->b);

		if ((a > b ? a : b) == depth && !guess_equal(g, t, e))
			return false;
	}
	for (uint32_t i = 0; i < f->nranges; i++)
		if (t->node[f->range[i].atom].depth == depth &&
		    !guess_atom(g, t, f, f->range[i].atom))
			return false;
	for (uint32_t i = 0; i < f->nothers; i++)
		if (t->node[f->other[i].atom].depth == depth &&
		    !guess_atom(g, t, f, f->other[i].atom))
			return false;
	return true;
}

static bool
is_so(const struct vnet_guess *g, const struct vnet_terms *t,
      const struct vnet_fact_order *o)
{
	uint32_t a = vnet_term_value(t, o->a, g->data, sizeof(g->data));
	uint32_t b = vnet_term_value(t, o->b, g->data, sizeof(g->data));

	switch (o->how) {
	case VNET_ORDER_GE:
		return a >= b;
	case VNET_ORDER_GT:
		return a > b;
	case VNET_ORDER_EQ:
		return a == b;
	default:
		return a != b;
	}
}

/* Change something that a comparison depends on. */
static void
guess_order(struct vnet_guess *g, struct vnet_terms *t,
	    const struct vnet_facts *f, const struct vnet_fact_order *o)
{
	static const uint16_t some[] = {0, 1, 8, 16, 24, 32, 48, 64, 0xffff};
	vnet_term term = draw(g, 2) ? o->a : o->b;
	const struct vnet_term_node *n = &t->node[term];
	uint32_t value;

	if (n->kind == VNET_TERM_SUM)
		term = n->part[draw(g, n->nparts)].of;
	if (t->node[term].kind != VNET_TERM_BITS)
		return;
	value = draw(g, 2) ? some[draw(g, 9)] : draw(g, 0);
	if (choose_number(g, t, f, term, value, UINT32_MAX, &value))
		set_term(g, t, term, value, false);
}

static bool
guess_orders(struct vnet_guess *g, struct vnet_terms *t,
	     const struct vnet_facts *f)
{
	for (int tries = 0; tries < 8 * TRIES; tries++) {
		bool is_done = true;

		for (uint32_t i = 0; i < f->norders; i++) {
			if (is_so(g, t, &f->order[i]))
				continue;
			is_done = false;
			guess_order(g, t, f, &f->order[i]);
		}
		if (is_done)
			return true;
	}
	return false;
}

static bool
guess_len(struct vnet_guess *g, struct vnet_terms *t,
	  const struct vnet_facts *f)
{
	uint64_t least = 0, most = sizeof(g->data);
	uint32_t lo, hi;

	for (uint32_t i = 0; i < f->nextents; i++) {
		uint64_t to =
			(uint64_t)vnet_term_value(t, f->extent[i].base, g->data,
						  sizeof(g->data)) +
			f->extent[i].len;

		if (to > least)
			least = to;
	}
	if (f->cut.base) {
		uint64_t to = (uint64_t)vnet_term_value(t, f->cut.base, g->data,
							sizeof(g->data)) +
			      f->cut.len;

		if (to <= most)
			most = to - 1;
	}
	vnet_facts_range(f, t, vnet_term_len(t), &lo, &hi);
	if (lo > least)
		least = lo;
	if (hi < most)
		most = hi;
	if (least > most)
		return false;
	g->len = (size_t)least;
	if (most > least && draw(g, 2))
		g->len = (size_t)most;
	return true;
}

bool
vnet_guess_frame(struct vnet_guess *g, const struct vnet_law *law,
		 const struct vnet_facts *f)
{
	uint32_t how = draw(g, 4), max = 0;

	memset(g->locked, 0, sizeof(g->locked));
	for (size_t i = 0; i < sizeof(g->data); i++)
		g->data[i] = how == 0   ? 0
			     : how == 1 ? 0xff
					: (uint8_t)draw(g, 256);
	for (uint32_t i = 0; i < f->noctets; i++)
		if (depth_of_octet(law->terms, f->octet[i].octet) > max)
			max = depth_of_octet(law->terms, f->octet[i].octet);
	for (uint32_t i = 0; i < f->nfields; i++) {
		vnet_octet octet = law->field[f->field[i].field].octet[0];

		if (depth_of_octet(law->terms, octet) > max)
			max = depth_of_octet(law->terms, octet);
	}
	for (uint32_t depth = 0; depth <= max + 1; depth++)
		if (!guess_depth(g, law, f, depth))
			return false;
	return guess_orders(g, law->terms, f) && guess_len(g, law->terms, f);
}
