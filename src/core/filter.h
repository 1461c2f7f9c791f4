/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ordered chain of programs at one side of a port.
 */
#ifndef VNET_CHAIN_H
#define VNET_CHAIN_H

#include <vnet/filter.h>

#include "bpf.h"
#include "core.h"

/* What all chains of a switch may still take. */
struct vnet_chain_budget {
	uint32_t rules_left;
	uint32_t insns_left;
	uint32_t max_program; /* instructions of one program */
};

/* What running and counting touch of a rule. */
struct vnet_chain_rule {
	uint64_t hits;
	uint32_t first; /* op of its program, in vnet_chain.ops */
	uint8_t verdict;
};

/* What only its owner asks for. */
struct vnet_chain_label {
	char name[VNET_RULE_NAME_SIZE]; /* zeros behind it */
	uint32_t priority;
	uint32_t ninsns;
};

/**
 * struct vnet_chain - rules in the order in which they run
 * @rules:	@nrules of them, in one block with @ops and @labels; NULL if
 *		@max_rules is 0
 * @ops:	@ninsns of them: the programs, one behind the other in the order
 *		of the rules
 * @labels:	@nrules of them
 * @max_rules:	rules, and
 * @max_insns:	instructions that the block has room for, and that are taken
 *		from the budget
 * @default_verdict: where no rule matches
 * @default_hits: frames that it has decided
 */
struct vnet_chain {
	struct vnet_chain_rule *rules;
	struct vnet_bpf_op *ops;
	struct vnet_chain_label *labels;
	uint32_t nrules;
	uint32_t ninsns;
	uint32_t max_rules;
	uint32_t max_insns;
	enum vnet_verdict default_verdict;
	uint64_t default_hits;
};

/* Without rules, without memory; passes. */
void vnet_chain_init(struct vnet_chain *c);

/* Back to what vnet_chain_init() makes, its share of @budget given back. */
void vnet_chain_fini(struct vnet_chain *c, const struct vnet_alloc *alloc,
		     struct vnet_chain_budget *budget);

/* As vnet_filter_add(), and so below. On failure chain and budget are as they
 * were. */
int vnet_chain_add(struct vnet_chain *c, const struct vnet_alloc *alloc,
		   struct vnet_chain_budget *budget,
		   const struct vnet_rule *rule, struct vnet_why *why);

int vnet_chain_set(struct vnet_chain *c, const struct vnet_alloc *alloc,
		   struct vnet_chain_budget *budget,
		   const struct vnet_rule *rules, size_t n,
		   enum vnet_verdict default_verdict, struct vnet_why *why);

/*
 * Needs no memory. It asks for a smaller block; where there is none, the chain
 * keeps the one it has, and the share of the budget that goes with it, until
 * the next change. Return: 0, -ENOENT.
 */
int vnet_chain_remove(struct vnet_chain *c, const struct vnet_alloc *alloc,
		      struct vnet_chain_budget *budget, const char *name);

/* Return: 0, -EINVAL for an unknown info->size, -ENOENT. */
int vnet_chain_get(const struct vnet_chain *c, size_t index,
		   struct vnet_rule_info *info);

/* Return: 0, -EINVAL for an unknown verdict. */
int vnet_chain_set_default(struct vnet_chain *c, enum vnet_verdict verdict);

/* @hits may be NULL. */
void vnet_chain_get_default(const struct vnet_chain *c,
			    enum vnet_verdict *verdict, uint64_t *hits);

/* Octets that all chains under one budget have from their allocator at the
 * most, while one is being changed too. */
uint64_t vnet_chain_memory(uint32_t max_rules, uint32_t max_insns);

/* What vnet_chain_run() sets where no rule was asked. */
#define VNET_NO_RULE UINT32_MAX

/* The verdict for a frame, and which rule decided: its index, or
 * vnet_chain.nrules for the default. A chain that has nothing to say, without
 * rules and passing, is not asked: VNET_NO_RULE. Changes nothing. */
VNET_INLINE enum vnet_verdict
vnet_chain_run(const struct vnet_chain *c, const struct vnet_frame *f,
	       uint32_t *rule)
{
	uint32_t i;

	*rule = VNET_NO_RULE;
	if (!c->nrules && vnet_likely(c->default_verdict == VNET_PASS))
		return VNET_PASS;
	for (i = 0; i < c->nrules; i++) {
		const struct vnet_chain_rule *r = &c->rules[i];

		if (vnet_bpf_run(c->ops + r->first, f)) {
			*rule = i;
			return (enum vnet_verdict)r->verdict;
		}
	}
	*rule = i;
	return c->default_verdict;
}

/* Count the frame for which vnet_chain_run() has set @rule; the chain has not
 * changed since. */
VNET_INLINE void
vnet_chain_hit(struct vnet_chain *c, uint32_t rule)
{
	if (rule < c->nrules)
		c->rules[rule].hits++;
	else if (rule != VNET_NO_RULE)
		c->default_hits++;
}

#endif
