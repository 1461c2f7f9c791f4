/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a frame where a program has come to.
 *
 * Facts only ever say less than what is so: one for which there is no room, or
 * no form, is left out, and then more frames are thought possible than are.
 */
#ifndef VNET_PROVE_FACTS_H
#define VNET_PROVE_FACTS_H

#include "prove_term.h"

/* Bits of an octet. */
struct vnet_fact_octet {
	vnet_octet octet;
	uint8_t mask;
	uint8_t value; /* of the bits of @mask, others are 0 */
};

/* @atom is from @lo to @hi. */
struct vnet_fact_range {
	vnet_term atom;
	uint32_t lo;
	uint32_t hi;
};

/* @atom is not @k. */
struct vnet_fact_other {
	vnet_term atom;
	uint32_t k;
};

/* @a ^ @b is @inv, in the bits of @mask; @a < @b. */
struct vnet_fact_equal {
	vnet_octet a;
	vnet_octet b;
	uint8_t mask;
	uint8_t inv;
};

/* @a >= @b, or @a > @b, or both are equal, or are not. */
struct vnet_fact_order {
	vnet_term a;
	vnet_term b;
	uint32_t how;
};

enum {
	VNET_ORDER_GE,
	VNET_ORDER_GT,
	VNET_ORDER_EQ,
	VNET_ORDER_NE,
};

/* The frame has @len octets from @base on, or, where it is_cut, has fewer. */
struct vnet_fact_extent {
	vnet_term base;
	uint32_t len;
};

/* Of a field of the law, which classes it can be of. */
struct vnet_fact_field {
	uint32_t field;
	uint32_t classes;
};

#define VNET_FACT_OCTETS  288
#define VNET_FACT_RANGES  64
#define VNET_FACT_OTHERS  256
#define VNET_FACT_EQUALS  96
#define VNET_FACT_ORDERS  40
#define VNET_FACT_EXTENTS 40
#define VNET_FACT_FIELDS  64

/**
 * struct vnet_facts - what is known
 * @is_none:	there is no such frame
 * @is_exact:	inequalities of two terms are kept, too
 * @cut:	if @cut.base is one, the frame has fewer octets
 *
 * Lists are in ascending order of what they are about, but for orders.
 */
struct vnet_facts {
	bool is_none;
	bool is_exact;
	uint16_t noctets;
	uint16_t nranges;
	uint16_t nothers;
	uint16_t nequals;
	uint16_t norders;
	uint16_t nextents;
	uint16_t nfields;
	struct vnet_fact_extent cut;
	struct vnet_fact_octet octet[VNET_FACT_OCTETS];
	struct vnet_fact_range range[VNET_FACT_RANGES];
	struct vnet_fact_other other[VNET_FACT_OTHERS];
	struct vnet_fact_equal equal[VNET_FACT_EQUALS];
	struct vnet_fact_order order[VNET_FACT_ORDERS];
	struct vnet_fact_extent extent[VNET_FACT_EXTENTS];
	struct vnet_fact_field field[VNET_FACT_FIELDS];
};

void vnet_facts_init(struct vnet_facts *f);

/* Octets to keep them; and to and from there. */
size_t vnet_facts_size(const struct vnet_facts *f);
void vnet_facts_save(const struct vnet_facts *f, uint8_t *to);
void vnet_facts_restore(struct vnet_facts *f, const uint8_t *from);

/* Are they alike? */
bool vnet_facts_are_same(const struct vnet_facts *a,
			 const struct vnet_facts *b);

/* Is the comparison @code of bpf.h (its form with X) of @a with @b, so or not;
 * is_none is set where it cannot be. */
void vnet_facts_assume(struct vnet_facts *f, struct vnet_terms *t,
		       uint16_t code, vnet_term a, vnet_term b, bool is_so);

/* The frame has @len octets from @base on. */
void vnet_facts_have(struct vnet_facts *f, vnet_term base, uint32_t len);

/* Has it? */
bool vnet_facts_has(const struct vnet_facts *f, vnet_term base, uint32_t len);

/* What is known of an octet. */
void vnet_facts_octet(const struct vnet_facts *f, vnet_octet octet,
		      uint8_t *mask, uint8_t *value);

/* Likewise, of @n octets. Is anything? */
bool vnet_facts_octets(const struct vnet_facts *f, const vnet_octet *octets,
		       uint32_t n, uint8_t *mask, uint8_t *value);

/* Octet @a is octet @b, but for the bits @inv, which are inverted. */
bool vnet_facts_is_equal(const struct vnet_facts *f, vnet_octet a, vnet_octet b,
			 uint8_t inv);

/* What is known of the bits of a term, and from where to where it is. */
void vnet_facts_bits(const struct vnet_facts *f, const struct vnet_terms *t,
		     vnet_term term, uint32_t *mask, uint32_t *value);
void vnet_facts_range(const struct vnet_facts *f, struct vnet_terms *t,
		      vnet_term term, uint32_t *lo, uint32_t *hi);

/* Both, of an atom. */
void vnet_facts_atom(const struct vnet_facts *f, const struct vnet_terms *t,
		     vnet_term atom, uint32_t *lo, uint32_t *hi, uint32_t *mask,
		     uint32_t *value);

/* Is @atom known not to be @k? */
bool vnet_facts_is_other(const struct vnet_facts *f, vnet_term atom,
			 uint32_t k);

/* Is @term @k, as far as is known: 1, 0, or -1 if it is not. */
int vnet_facts_is(const struct vnet_facts *f, struct vnet_terms *t,
		  vnet_term term, uint32_t k);

/* Is @a >= @b, likewise? */
int vnet_facts_compare(const struct vnet_facts *f, struct vnet_terms *t,
		       vnet_term a, vnet_term b);

/* Classes that were found earlier, of all that there are. */
uint32_t vnet_facts_field(const struct vnet_facts *f, uint32_t field);
void vnet_facts_set_field(struct vnet_facts *f, uint32_t field,
			  uint32_t classes);

/* What is so in both. */
void vnet_facts_join(struct vnet_facts *f, const struct vnet_terms *t,
		     const struct vnet_facts *other);

/* The least number from @from on that has @value in the bits of @mask. False if
 * there is none. */
bool vnet_facts_least(uint32_t from, uint32_t mask, uint32_t value,
		      uint32_t *least);

#endif
