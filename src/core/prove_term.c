/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "bpf.h"
#include "prove_term.h"

/* Loads whose place is told by loads, whose place is told by loads... */
#define MAX_DEPTH 24

/* Steps to find the value of a term. */
#define MAX_COST (1u << 20)

/* Terms at the most; the others are unknown. */
#define MAX_TERMS (1u << 16)

/* Twice the room for @n things of @size. NULL if there is no memory. */
static void *
grow(struct vnet_terms *t, void *old, uint32_t *room, size_t size, size_t align)
{
	uint32_t more = *room ? *room * 2 : 512;
	void *p = t->alloc->get(t->alloc->ctx, more * size, align);

	if (!p) {
		t->failed = true;
		return NULL;
	}
	if (old) {
		memcpy(p, old, *room * size);
		t->alloc->put(t->alloc->ctx, old, *room * size);
	}
	*room = more;
	return p;
}

static uint32_t
mix(uint32_t h, uint32_t v)
{
	h = (h ^ v) * 0x9e3779b1u;
	return h ^ h >> 15;
}

static uint32_t
hash_node(const struct vnet_term_node *n)
{
	uint32_t h = mix(mix(n->kind, n->code), n->k);

	if (n->kind == VNET_TERM_BITS) {
		h = mix(mix(h, n->ones), n->vary);
		for (uint32_t vary = n->vary, i = 0; vary; vary >>= 1, i++)
			if (vary & 1)
				h = mix(h, n->bit[i]);
	} else {
		for (uint32_t i = 0; i < n->nparts; i++)
			h = mix(mix(h, n->part[i].factor), n->part[i].of);
	}
	return h % VNET_TERM_BUCKETS;
}

static bool
is_same(const struct vnet_term_node *a, const struct vnet_term_node *b)
{
	if (a->kind != b->kind || a->code != b->code || a->k != b->k ||
	    a->nparts != b->nparts)
		return false;
	if (a->kind == VNET_TERM_BITS)
		return a->ones == b->ones && a->vary == b->vary &&
		       memcmp(a->bit, b->bit, sizeof(a->bit)) == 0;
	return memcmp(a->part, b->part, a->nparts * sizeof(a->part[0])) == 0;
}

static bool
is_plain(const struct vnet_term_node *n)
{
	for (uint32_t i = 0; i < 32; i++) {
		uint32_t vary = n->vary & UINT32_C(0xff) << (i & ~7u);
		uint32_t first;

		if (!(n->vary >> i & 1))
			continue;
		first = n->bit[__builtin_ctz(vary)];
		if (n->bit[i] != vnet_bit(vnet_bit_octet(first), i % 8))
			return false;
	}
	return true;
}

/* What follows from the rest of a node. */
static void
derive(const struct vnet_terms *t, struct vnet_term_node *n)
{
	uint64_t max = n->k;
	vnet_octet last = 0;

	n->octets = 0;
	n->depth = 0;
	n->cost = 1;
	if (n->kind == VNET_TERM_BITS) {
		n->is_exact = true;
		n->is_plain = is_plain(n);
		n->max = n->ones | n->vary;
		for (uint32_t i = 0; i < 32; i++) {
			const struct vnet_octet_node *o;

			if (!(n->vary >> i & 1))
				continue;
			if (vnet_bit_octet(n->bit[i]) == last)
				continue;
			last = vnet_bit_octet(n->bit[i]);
			o = &t->octet[last];
			n->octets |= UINT64_C(1) << last % 64;
			if (o->base == VNET_TERM_ZERO)
				continue;
			n->octets |= t->node[o->base].octets;
			n->cost += 1 + t->node[o->base].cost;
			if (o->depth > n->depth)
				n->depth = o->depth;
		}
		return;
	}
	n->is_exact = n->kind == VNET_TERM_SUM;
	for (uint32_t i = 0; i < n->nparts; i++) {
		const struct vnet_term_node *p = &t->node[n->part[i].of];

		n->octets |= p->octets;
		n->cost += p->cost;
		if (p->depth >= n->depth)
			n->depth = p->depth + (n->kind == VNET_TERM_OP);
		max += (uint64_t)n->part[i].factor * p->max;
		if (max > UINT32_MAX)
			n->is_exact = false;
	}
	n->max = n->is_exact ? (uint32_t)max : UINT32_MAX;
}

static vnet_term
intern(struct vnet_terms *t, struct vnet_term_node *n)
{
	uint32_t h = hash_node(n);

	for (uint32_t i = t->term_bucket[h]; i; i = t->node[i].next)
		if (is_same(&t->node[i], n))
			return i;
	derive(t, n);
	if (n->depth > MAX_DEPTH || n->cost > MAX_COST || t->n >= MAX_TERMS)
		return VNET_TERM_UNKNOWN;
	if (t->n == t->room) {
		void *p = grow(t, t->node, &t->room, sizeof(*t->node),
			       _Alignof(struct vnet_term_node));

		if (!p)
			return VNET_TERM_UNKNOWN;
		t->node = p;
	}
	n->next = t->term_bucket[h];
	t->term_bucket[h] = t->n;
	t->node[t->n] = *n;
	return t->n++;
}

void
vnet_terms_init(struct vnet_terms *t, const struct vnet_alloc *alloc)
{
	static const struct vnet_term_node none = {.max = UINT32_MAX,
						   .vary = UINT32_MAX};

	memset(t, 0, sizeof(*t));
	t->alloc = alloc;
	t->node = grow(t, NULL, &t->room, sizeof(*t->node),
		       _Alignof(struct vnet_term_node));
	t->octet = grow(t, NULL, &t->octet_room, sizeof(*t->octet),
			_Alignof(struct vnet_octet_node));
	if (t->failed)
		return;
	t->node[t->n++] = none;
	t->octet[t->noctets++] = (struct vnet_octet_node){0};
	VNET_ASSERT(vnet_term_const(t, 0) == VNET_TERM_ZERO);
}

void
vnet_terms_fini(struct vnet_terms *t)
{
	if (t->node)
		t->alloc->put(t->alloc->ctx, t->node,
			      t->room * sizeof(*t->node));
	if (t->octet)
		t->alloc->put(t->alloc->ctx, t->octet,
			      t->octet_room * sizeof(*t->octet));
}

/* A node of no bits. */
static struct vnet_term_node
no_bits(void)
{
	struct vnet_term_node n;

	memset(&n, 0, sizeof(n));
	n.kind = VNET_TERM_BITS;
	return n;
}

/* Set bit @i of a node. */
static void
set_bit(struct vnet_term_node *n, uint32_t i, uint32_t bit)
{
	n->bit[i] = bit;
	n->ones &= ~(UINT32_C(1) << i);
	n->vary &= ~(UINT32_C(1) << i);
	if (bit == VNET_BIT_1)
		n->ones |= UINT32_C(1) << i;
	else if (bit != VNET_BIT_0)
		n->vary |= UINT32_C(1) << i;
}

vnet_term
vnet_term_const(struct vnet_terms *t, uint32_t k)
{
	struct vnet_term_node n = no_bits();

	for (uint32_t i = 0; i < 32; i++)
		set_bit(&n, i, k >> i & 1 ? VNET_BIT_1 : VNET_BIT_0);
	return intern(t, &n);
}

vnet_octet
vnet_term_octet(struct vnet_terms *t, vnet_term base, uint32_t off)
{
	uint32_t h = mix(mix(1, base), off) % VNET_TERM_BUCKETS;
	uint32_t i;

	for (i = t->octet_bucket[h]; i; i = t->octet[i].next)
		if (t->octet[i].base == base && t->octet[i].off == off)
			return i;
	if (t->noctets == t->octet_room) {
		void *p = grow(t, t->octet, &t->octet_room, sizeof(*t->octet),
			       _Alignof(struct vnet_octet_node));

		if (!p)
			return 0;
		t->octet = p;
	}
	t->octet[t->noctets] = (struct vnet_octet_node){
		.base = base,
		.off = off,
		.next = t->octet_bucket[h],
		.depth = base == VNET_TERM_ZERO
				 ? 0
				 : (uint8_t)(t->node[base].depth + 1),
	};
	t->octet_bucket[h] = t->noctets;
	return t->noctets++;
}

vnet_term
vnet_term_at(struct vnet_terms *t, vnet_term base, uint32_t off, uint32_t size)
{
	struct vnet_term_node n = no_bits();

	for (uint32_t i = 0; i < size; i++) {
		vnet_octet o = vnet_term_octet(t, base, off + i);

		if (t->failed)
			return VNET_TERM_UNKNOWN;
		for (uint32_t b = 0; b < 8; b++)
			set_bit(&n, 8 * (size - 1 - i) + b, vnet_bit(o, b));
	}
	return intern(t, &n);
}

vnet_term
vnet_term_load(struct vnet_terms *t, vnet_term x, uint32_t k, uint32_t size,
	       vnet_term *base, uint32_t *off)
{
	uint64_t at;

	if (!vnet_term_place(t, x, base, off)) {
		*base = VNET_TERM_UNKNOWN;
		*off = 0;
		return VNET_TERM_UNKNOWN;
	}
	at = (uint64_t)*off + k;
	if (at + size > UINT32_MAX)
		return VNET_TERM_NONE;
	*off = (uint32_t)at;
	return vnet_term_at(t, *base, *off, size);
}

/*
 * Sums
 */

struct sum {
	uint32_t k;
	uint32_t nparts;
	struct vnet_term_part part[2 * VNET_TERM_PARTS];
};

/* Its parts are in order, and each of another term. */
static bool
add_part(struct sum *s, uint32_t factor, vnet_term of)
{
	uint32_t i = 0;

	while (i < s->nparts && s->part[i].of < of)
		i++;
	if (i < s->nparts && s->part[i].of == of) {
		s->part[i].factor += factor;
		if (s->part[i].factor == 0) {
			s->nparts--;
			memmove(&s->part[i], &s->part[i + 1],
				(s->nparts - i) * sizeof(s->part[0]));
		}
		return true;
	}
	if (s->nparts == VNET_TERM_PARTS)
		return false;
	memmove(&s->part[i + 1], &s->part[i],
		(s->nparts - i) * sizeof(s->part[0]));
	s->part[i] = (struct vnet_term_part){factor, of};
	s->nparts++;
	return true;
}

/* The bits of a term that vary, moved down as far as they go: by @shift. */
static vnet_term
atom_of_bits(struct vnet_terms *t, vnet_term term, uint32_t *shift)
{
	const struct vnet_term_node *old = &t->node[term];
	struct vnet_term_node n = no_bits();
	uint32_t down = (uint32_t)__builtin_ctz(old->vary);

	*shift = down;
	if (down == 0 && !old->ones)
		return term;
	for (uint32_t i = down; i < 32; i++)
		if (old->vary >> i & 1)
			set_bit(&n, i - down, old->bit[i]);
	return intern(t, &n);
}

/* Add @factor times @term. */
static bool
add_term(struct vnet_terms *t, struct sum *s, uint32_t factor, vnet_term term)
{
	const struct vnet_term_node n = t->node[term];
	uint32_t shift;
	vnet_term atom;

	if (term == VNET_TERM_UNKNOWN)
		return false;
	switch (n.kind) {
	case VNET_TERM_BITS:
		s->k += factor * n.ones;
		if (!n.vary)
			return true;
		atom = atom_of_bits(t, term, &shift);
		if (atom == VNET_TERM_UNKNOWN)
			return false;
		return factor << shift == 0 ||
		       add_part(s, factor << shift, atom);
	case VNET_TERM_SUM:
		s->k += factor * n.k;
		for (uint32_t i = 0; i < n.nparts; i++)
			if (factor * n.part[i].factor != 0 &&
			    !add_part(s, factor * n.part[i].factor,
				      n.part[i].of))
				return false;
		return true;
	default:
		return factor == 0 || add_part(s, factor, term);
	}
}

/* A sum of which no two parts have a bit in the same place is BITS again. */
static bool
join_bits(const struct vnet_terms *t, const struct sum *s,
	  struct vnet_term_node *n)
{
	*n = no_bits();
	for (uint32_t i = 0; i < 32; i++)
		if (s->k >> i & 1)
			set_bit(n, i, VNET_BIT_1);
	for (uint32_t i = 0; i < s->nparts; i++) {
		const struct vnet_term_node *p = &t->node[s->part[i].of];
		uint32_t factor = s->part[i].factor, shift;

		if (p->kind != VNET_TERM_BITS || (factor & (factor - 1)))
			return false;
		shift = (uint32_t)__builtin_ctz(factor);
		if ((n->ones | n->vary) & p->vary << shift)
			return false;
		for (uint32_t b = 0; b + shift < 32; b++)
			if (p->vary >> b & 1)
				set_bit(n, b + shift, p->bit[b]);
	}
	return true;
}

static vnet_term
make_sum(struct vnet_terms *t, const struct sum *s)
{
	struct vnet_term_node n;

	if (s->k == 0 && s->nparts == 1 && s->part[0].factor == 1)
		return s->part[0].of;
	if (join_bits(t, s, &n))
		return intern(t, &n);
	memset(&n, 0, sizeof(n));
	n.kind = VNET_TERM_SUM;
	n.vary = UINT32_MAX;
	n.k = s->k;
	n.nparts = (uint8_t)s->nparts;
	memcpy(n.part, s->part, s->nparts * sizeof(n.part[0]));
	return intern(t, &n);
}

static vnet_term
add(struct vnet_terms *t, uint32_t fa, vnet_term a, uint32_t fb, vnet_term b)
{
	struct sum s = {.nparts = 0};

	if (!add_term(t, &s, fa, a) || !add_term(t, &s, fb, b))
		return VNET_TERM_UNKNOWN;
	return make_sum(t, &s);
}

static bool
find_place(struct vnet_terms *t, vnet_term x, vnet_term *base, uint32_t *off)
{
	struct sum s = {.nparts = 0};

	if (t->node[x].kind == VNET_TERM_OP || !t->node[x].is_exact) {
		*base = x;
		*off = 0;
		return true;
	}
	if (!add_term(t, &s, 1, x))
		return false;
	*off = s.k;
	s.k = 0;
	*base = make_sum(t, &s);
	return *base != VNET_TERM_UNKNOWN;
}

bool
vnet_term_place(struct vnet_terms *t, vnet_term x, vnet_term *base,
		uint32_t *off)
{
	if (x == VNET_TERM_UNKNOWN)
		return false;
	if (!t->node[x].base) {
		if (!find_place(t, x, base, off))
			return false;
		t->node[x].base = *base;
		t->node[x].off = *off;
	}
	*base = t->node[x].base;
	*off = t->node[x].off;
	return true;
}

bool
vnet_term_atom(struct vnet_terms *t, vnet_term term, vnet_term *atom,
	       uint32_t *factor, uint32_t *k)
{
	const struct vnet_term_node *n = &t->node[term];
	uint32_t shift;

	if (term == VNET_TERM_UNKNOWN)
		return false;
	if (n->kind == VNET_TERM_BITS && n->vary) {
		*factor = n->vary & (0 - n->vary);
		*k = n->ones;
		*atom = n->atom;
		if (!*atom) {
			*atom = atom_of_bits(t, term, &shift);
			t->node[term].atom = *atom;
		}
		return *atom != VNET_TERM_UNKNOWN;
	}
	if (n->kind == VNET_TERM_SUM && n->is_exact && n->nparts == 1) {
		*atom = n->part[0].of;
		*factor = n->part[0].factor;
		*k = n->k;
		return true;
	}
	*atom = term;
	*factor = 1;
	*k = 0;
	return n->kind != VNET_TERM_BITS;
}

/*
 * Operations
 */

static vnet_term
make_op(struct vnet_terms *t, uint16_t code, vnet_term a, vnet_term x)
{
	struct vnet_term_node n;

	if (a == VNET_TERM_UNKNOWN || x == VNET_TERM_UNKNOWN)
		return VNET_TERM_UNKNOWN;
	memset(&n, 0, sizeof(n));
	n.kind = VNET_TERM_OP;
	n.vary = UINT32_MAX;
	n.code = code;
	n.nparts = 2;
	n.part[0] = (struct vnet_term_part){1, a};
	n.part[1] = (struct vnet_term_part){1, x};
	return intern(t, &n);
}

vnet_term
vnet_term_len(struct vnet_terms *t)
{
	return make_op(t, VNET_BPF_LD_LEN, VNET_TERM_ZERO, VNET_TERM_ZERO);
}

/* Bit by bit. False if it takes an operation on two bits that vary. */
static bool
join_bit(uint16_t code, uint32_t a, uint32_t x, uint32_t *bit)
{
	uint32_t other = a;

	if (a == x) {
		*bit = code == VNET_BPF_XOR_X ? VNET_BIT_0 : a;
		return true;
	}
	if (a <= VNET_BIT_1) {
		other = x;
		x = a;
	}
	if (x > VNET_BIT_1)
		return false;
	if (code == VNET_BPF_AND_X)
		*bit = x ? other : VNET_BIT_0;
	else if (code == VNET_BPF_OR_X)
		*bit = x ? VNET_BIT_1 : other;
	else
		*bit = other ^ x;
	return true;
}

static vnet_term
bitwise(struct vnet_terms *t, uint16_t code, vnet_term a, vnet_term x)
{
	struct vnet_term_node n = no_bits();
	uint32_t bit, k;

	if (t->node[a].kind == VNET_TERM_BITS &&
	    t->node[x].kind == VNET_TERM_BITS && a != VNET_TERM_UNKNOWN &&
	    x != VNET_TERM_UNKNOWN) {
		for (uint32_t i = 0; i < 32; i++) {
			if (!join_bit(code, t->node[a].bit[i],
				      t->node[x].bit[i], &bit))
				return make_op(t, code, a, x);
			set_bit(&n, i, bit);
		}
		return intern(t, &n);
	}
	if (vnet_term_is_const(t, x, &k)) {
		if (code == VNET_BPF_AND_X && k == 0)
			return VNET_TERM_ZERO;
		/* A mask that takes nothing away. */
		if (code == VNET_BPF_AND_X && (k & (k + 1)) == 0 &&
		    t->node[a].max <= k)
			return a;
		if (code != VNET_BPF_AND_X && k == 0)
			return a;
	}
	return make_op(t, code, a, x);
}

static vnet_term
shift(struct vnet_terms *t, uint16_t code, vnet_term a, vnet_term x)
{
	struct vnet_term_node n = no_bits();
	uint32_t k;

	if (!vnet_term_is_const(t, x, &k))
		return make_op(t, code, a, x);
	if (k >= 32)
		return VNET_TERM_ZERO;
	if (k == 0)
		return a;
	if (code == VNET_BPF_LSH_X)
		return add(t, UINT32_C(1) << k, a, 0, VNET_TERM_ZERO);
	if (t->node[a].kind != VNET_TERM_BITS || a == VNET_TERM_UNKNOWN)
		return make_op(t, code, a, x);
	for (uint32_t i = 0; i + k < 32; i++)
		set_bit(&n, i, t->node[a].bit[i + k]);
	return intern(t, &n);
}

static vnet_term
multiply(struct vnet_terms *t, vnet_term a, vnet_term x)
{
	uint32_t k;

	if (vnet_term_is_const(t, x, &k))
		return add(t, k, a, 0, VNET_TERM_ZERO);
	if (vnet_term_is_const(t, a, &k))
		return add(t, k, x, 0, VNET_TERM_ZERO);
	return make_op(t, VNET_BPF_MUL_X, a, x);
}

/* @x is not 0. */
static vnet_term
divide(struct vnet_terms *t, uint16_t code, vnet_term a, vnet_term x)
{
	uint32_t k, ka;

	if (!vnet_term_is_const(t, x, &k) || k == 0)
		return make_op(t, code, a, x);
	if (vnet_term_is_const(t, a, &ka))
		return vnet_term_const(t, code == VNET_BPF_DIV_X ? ka / k
								 : ka % k);
	if (k & (k - 1))
		return make_op(t, code, a, x);
	if (code == VNET_BPF_MOD_X)
		return bitwise(t, VNET_BPF_AND_X, a, vnet_term_const(t, k - 1));
	return shift(t, VNET_BPF_RSH_X, a,
		     vnet_term_const(t, (uint32_t)__builtin_ctz(k)));
}

vnet_term
vnet_term_arith(struct vnet_terms *t, uint16_t code, vnet_term a, vnet_term x)
{
	if (t->failed)
		return VNET_TERM_UNKNOWN;
	switch (code) {
	case VNET_BPF_ADD_K:
	case VNET_BPF_ADD_X:
		return add(t, 1, a, 1, x);
	case VNET_BPF_SUB_K:
	case VNET_BPF_SUB_X:
		return add(t, 1, a, UINT32_MAX, x);
	case VNET_BPF_NEG:
		return add(t, UINT32_MAX, a, 0, VNET_TERM_ZERO);
	case VNET_BPF_MUL_K:
	case VNET_BPF_MUL_X:
		return multiply(t, a, x);
	case VNET_BPF_DIV_K:
	case VNET_BPF_DIV_X:
		return divide(t, VNET_BPF_DIV_X, a, x);
	case VNET_BPF_MOD_K:
	case VNET_BPF_MOD_X:
		return divide(t, VNET_BPF_MOD_X, a, x);
	case VNET_BPF_OR_K:
	case VNET_BPF_OR_X:
		return bitwise(t, VNET_BPF_OR_X, a, x);
	case VNET_BPF_AND_K:
	case VNET_BPF_AND_X:
		return bitwise(t, VNET_BPF_AND_X, a, x);
	case VNET_BPF_XOR_K:
	case VNET_BPF_XOR_X:
		return bitwise(t, VNET_BPF_XOR_X, a, x);
	case VNET_BPF_LSH_K:
	case VNET_BPF_LSH_X:
		return shift(t, VNET_BPF_LSH_X, a, x);
	case VNET_BPF_RSH_K:
	case VNET_BPF_RSH_X:
		return shift(t, VNET_BPF_RSH_X, a, x);
	default:
		return VNET_TERM_UNKNOWN;
	}
}

/*
 * Values
 */

static uint32_t
arith(uint16_t code, uint32_t a, uint32_t x, size_t len)
{
	switch (code) {
	case VNET_BPF_LD_LEN:
		return (uint32_t)len;
	case VNET_BPF_MUL_X:
		return a * x;
	case VNET_BPF_DIV_X:
		return x ? a / x : 0;
	case VNET_BPF_MOD_X:
		return x ? a % x : 0;
	case VNET_BPF_OR_X:
		return a | x;
	case VNET_BPF_AND_X:
		return a & x;
	case VNET_BPF_XOR_X:
		return a ^ x;
	case VNET_BPF_LSH_X:
		return x < 32 ? a << x : 0;
	default:
		return x < 32 ? a >> x : 0;
	}
}

/* Calls itself no deeper than MAX_DEPTH, and no more often than MAX_COST. */
uint32_t
vnet_term_value(const struct vnet_terms *t, vnet_term term, const uint8_t *data,
		size_t len)
{
	const struct vnet_term_node *n = &t->node[term];
	vnet_term base = VNET_TERM_ZERO;
	vnet_octet last = 0;
	uint32_t v, octet = 0, from = 0;

	switch (n->kind) {
	case VNET_TERM_BITS:
		v = n->ones;
		for (uint32_t i = 0; i < 32; i++) {
			uint32_t bit = n->bit[i];

			if (!(n->vary >> i & 1) || !term)
				continue;
			if (vnet_bit_octet(bit) != last) {
				const struct vnet_octet_node *o;
				uint64_t at;

				last = vnet_bit_octet(bit);
				o = &t->octet[last];
				/* Neighbours mostly have one base. */
				if (o->base != base)
					from = vnet_term_value(t, o->base, data,
							       len);
				base = o->base;
				at = (uint64_t)from + o->off;
				octet = at < len ? data[at] : 0;
			}
			v |= ((octet >> vnet_bit_shift(bit) & 1) ^
			      vnet_bit_is_inv(bit))
			     << i;
		}
		return v;
	case VNET_TERM_SUM:
		v = n->k;
		for (uint32_t i = 0; i < n->nparts; i++)
			v += n->part[i].factor *
			     vnet_term_value(t, n->part[i].of, data, len);
		return v;
	default:
		return arith(n->code,
			     vnet_term_value(t, n->part[0].of, data, len),
			     vnet_term_value(t, n->part[1].of, data, len), len);
	}
}

uint64_t
vnet_octet_place(const struct vnet_terms *t, vnet_octet octet,
		 const uint8_t *data, size_t len)
{
	const struct vnet_octet_node *o = &t->octet[octet];

	return (uint64_t)(o->base == VNET_TERM_ZERO
				  ? 0
				  : vnet_term_value(t, o->base, data, len)) +
	       o->off;
}
