/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program computes, as a term of the frame's octets.
 *
 * Equal terms have equal numbers, so that what is known of one is known
 * wherever it comes up again: by which instructions it was come by does not
 * matter, as long as they do no more than loads, masks, shifts, sums, and
 * products with constants.
 *
 * An octet is named by where it is: a term, and how far behind. Two names may
 * mean one octet; then what is known of one is not known of the other, and that
 * is all.
 */
#ifndef VNET_PROVE_TERM_H
#define VNET_PROVE_TERM_H

#include "core.h"

typedef uint32_t vnet_term;
typedef uint32_t vnet_octet;

/* Of which nothing is known: not even that it equals itself. And 0. */
#define VNET_TERM_UNKNOWN 0
#define VNET_TERM_ZERO    1

/* No term: a load that is beyond every frame. */
#define VNET_TERM_NONE UINT32_MAX

/*
 * A bit: VNET_BIT_0, VNET_BIT_1, or a bit of an octet, inverted or not.
 */
#define VNET_BIT_0           0u
#define VNET_BIT_1           1u
#define vnet_bit(octet, bit) (((octet) + 1) << 4 | (bit) << 1)
#define vnet_bit_octet(b)    (((b) >> 4) - 1)
#define vnet_bit_shift(b)    ((b) >> 1 & 7)
#define vnet_bit_is_inv(b)   ((b)&1)

enum vnet_term_kind {
	VNET_TERM_BITS, /* 32 bits, each of the frame's or constant */
	VNET_TERM_SUM,  /* a constant, and products of factors with terms */
	VNET_TERM_OP,   /* all else: an operation on two terms */
};

#define VNET_TERM_PARTS 16

struct vnet_term_part {
	uint32_t factor;
	vnet_term of;
};

/**
 * struct vnet_term_node - a term
 * @nparts:	of a sum
 * @is_exact:	it does not go beyond 32 bits: it is the sum of whole numbers
 * @depth:	of loads whose place is told by loads, whose place...
 * @cost:	steps to find its value
 * @code:	VNET_TERM_OP: of the instruction
 * @ones:	bits that are constant 1
 * @vary:	bits that are not constant. Of BITS, all others are 0
 * @max:	the greatest value it can have
 * @k:		of a sum: the constant
 * @octets:	octets that it depends on, by their numbers modulo 64
 * @is_plain:	BITS of which each eight are of one octet, as they are there
 * @atom:	of BITS, once it was asked for; 0 before
 * @base:	where it points to, likewise, and @off behind
 */
struct vnet_term_node {
	uint8_t kind;
	uint8_t nparts;
	bool is_exact;
	bool is_plain;
	uint8_t depth;
	uint16_t code;
	uint32_t next;
	uint32_t cost;
	uint32_t ones;
	uint32_t vary;
	uint32_t max;
	uint32_t k;
	uint64_t octets;
	vnet_term atom;
	vnet_term base;
	uint32_t off;
	union {
		uint32_t bit[32];
		struct vnet_term_part part[VNET_TERM_PARTS];
	};
};

struct vnet_octet_node {
	vnet_term base;
	uint32_t off;
	uint32_t next;
	uint8_t depth;
};

#define VNET_TERM_BUCKETS 4096

/**
 * struct vnet_terms - all that there are
 * @failed:	there was no memory for one
 */
struct vnet_terms {
	const struct vnet_alloc *alloc;
	struct vnet_term_node *node;
	uint32_t n;
	uint32_t room;
	struct vnet_octet_node *octet;
	uint32_t noctets;
	uint32_t octet_room;
	uint32_t term_bucket[VNET_TERM_BUCKETS];
	uint32_t octet_bucket[VNET_TERM_BUCKETS];
	bool failed;
};

void vnet_terms_init(struct vnet_terms *t, const struct vnet_alloc *alloc);
void vnet_terms_fini(struct vnet_terms *t);

vnet_term vnet_term_const(struct vnet_terms *t, uint32_t k);

/* @size octets at @x + @k, in network byte order; VNET_TERM_NONE where that is
 * beyond every frame. @base and @off are where they begin. */
vnet_term vnet_term_load(struct vnet_terms *t, vnet_term x, uint32_t k,
			 uint32_t size, vnet_term *base, uint32_t *off);

/* Likewise, from where the octet is. */
vnet_term vnet_term_at(struct vnet_terms *t, vnet_term base, uint32_t off,
		       uint32_t size);

/* What an arithmetic instruction (of bpf.h) makes of @a and @x. */
vnet_term vnet_term_arith(struct vnet_terms *t, uint16_t code, vnet_term a,
			  vnet_term x);

vnet_term vnet_term_len(struct vnet_terms *t);

/* @term as @factor * @atom + @k of whole numbers. False if it is not of that
 * kind. What is known of terms is said of atoms. */
bool vnet_term_atom(struct vnet_terms *t, vnet_term term, vnet_term *atom,
		    uint32_t *factor, uint32_t *k);

/* Where @x points to, as a base and how far behind. */
bool vnet_term_place(struct vnet_terms *t, vnet_term x, vnet_term *base,
		     uint32_t *off);

vnet_octet vnet_term_octet(struct vnet_terms *t, vnet_term base, uint32_t off);

/* The value in a frame; where it depends on an octet that the frame does not
 * have, that is 0. */
uint32_t vnet_term_value(const struct vnet_terms *t, vnet_term term,
			 const uint8_t *data, size_t len);

/* Where the octet is in a frame. */
uint64_t vnet_octet_place(const struct vnet_terms *t, vnet_octet octet,
			  const uint8_t *data, size_t len);

VNET_INLINE const struct vnet_term_node *
vnet_term_get(const struct vnet_terms *t, vnet_term term)
{
	return &t->node[term];
}

VNET_INLINE bool
vnet_term_is_const(const struct vnet_terms *t, vnet_term term, uint32_t *k)
{
	const struct vnet_term_node *n = &t->node[term];

	if (term == VNET_TERM_UNKNOWN || n->kind != VNET_TERM_BITS || n->vary)
		return false;
	*k = n->ones;
	return true;
}

#endif
