/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filter chains.
 *
 * A chain has one block of memory: its rules, its programs one behind the
 * other, and what is known of the rules besides, so that a frame meets them in
 * the order in which they lie. The block is exactly as large as the chain
 * needs, and every change moves it. Since a rule can be removed within the
 * block, removal cannot fail; if there is then no memory for a smaller block,
 * the larger one stays, and stays paid for. So what all chains hold never
 * exceeds the budget, whatever the allocator does.
 */
#include <errno.h>
#include <string.h>

#include "filter.h"
#include "why.h"

static uint64_t
block_size(uint32_t max_rules, uint32_t max_insns)
{
	return (uint64_t)max_rules * (sizeof(struct vnet_chain_rule) +
				      sizeof(struct vnet_chain_label)) +
	       (uint64_t)max_insns * sizeof(struct vnet_bpf_op);
}

uint64_t
vnet_chain_memory(uint32_t max_rules, uint32_t max_insns)
{
	/* The block that a chain leaves and the one it moves to. */
	return 2 * block_size(max_rules, max_insns);
}

void
vnet_chain_init(struct vnet_chain *c)
{
	*c = (struct vnet_chain){.default_verdict = VNET_PASS};
}

static void
free_block(struct vnet_chain *c, const struct vnet_alloc *alloc,
	   struct vnet_chain_budget *budget)
{
	if (c->max_rules)
		alloc->put(alloc->ctx, c->rules,
			   (size_t)block_size(c->max_rules, c->max_insns));
	budget->rules_left += c->max_rules;
	budget->insns_left += c->max_insns;
}

/* Give a chain a block, whatever it had before. False if there is no memory. */
static bool
get_block(struct vnet_chain *c, const struct vnet_alloc *alloc,
	  uint32_t max_rules, uint32_t max_insns)
{
	c->rules = NULL;
	c->ops = NULL;
	c->labels = NULL;
	c->max_rules = max_rules;
	c->max_insns = max_insns;
	if (!max_rules)
		return true;
	/* In falling order of alignment: none needs padding. */
	c->rules =
		alloc->get(alloc->ctx, (size_t)block_size(max_rules, max_insns),
			   VNET_CACHE_LINE);
	if (!c->rules)
		return false;
	c->ops = (struct vnet_bpf_op *)(c->rules + max_rules);
	c->labels = (struct vnet_chain_label *)(c->ops + max_insns);
	return true;
}

/* Be @to, whose block the budget has room for, and which took no part of it. */
static void
become(struct vnet_chain *c, const struct vnet_chain *to,
       const struct vnet_alloc *alloc, struct vnet_chain_budget *budget)
{
	free_block(c, alloc, budget);
	budget->rules_left -= to->max_rules;
	budget->insns_left -= to->max_insns;
	*c = *to;
}

/* Move to a block of another size, into which the chain fits; the budget has
 * that much. False if there is no memory. */
static bool
resize(struct vnet_chain *c, const struct vnet_alloc *alloc,
       struct vnet_chain_budget *budget, uint32_t max_rules, uint32_t max_insns)
{
	struct vnet_chain to = *c;

	if (!get_block(&to, alloc, max_rules, max_insns))
		return false;
	if (to.rules && c->rules) {
		memcpy(to.rules, c->rules, c->nrules * sizeof(*c->rules));
		memcpy(to.ops, c->ops, c->ninsns * sizeof(*c->ops));
		memcpy(to.labels, c->labels, c->nrules * sizeof(*c->labels));
	}
	become(c, &to, alloc, budget);
	return true;
}

void
vnet_chain_fini(struct vnet_chain *c, const struct vnet_alloc *alloc,
		struct vnet_chain_budget *budget)
{
	free_block(c, alloc, budget);
	vnet_chain_init(c);
}

/* Copy a rule's name, zeros behind it: names are then compared whole. False if
 * it is not one. */
static bool
pad_name(char to[VNET_RULE_NAME_SIZE], const char *name)
{
	size_t len = name ? vnet_name_len(name, VNET_RULE_NAME_SIZE) : 0;

	if (len == 0 || len == VNET_RULE_NAME_SIZE)
		return false;
	memset(to, 0, VNET_RULE_NAME_SIZE);
	memcpy(to, name, len);
	return true;
}

/* Index of the rule of a name, padded; nrules if there is none. */
static uint32_t
find_rule(const struct vnet_chain *c, const char name[VNET_RULE_NAME_SIZE])
{
	uint32_t i = 0;

	while (i < c->nrules &&
	       memcmp(c->labels[i].name, name, VNET_RULE_NAME_SIZE) != 0)
		i++;
	return i;
}

static bool
is_verdict(enum vnet_verdict verdict)
{
	return verdict == VNET_PASS || verdict == VNET_DROP;
}

static int
check_rule(const struct vnet_rule *rule, uint32_t max_program,
	   struct vnet_why *why)
{
	char name[VNET_RULE_NAME_SIZE];

	if (rule->size != sizeof(*rule))
		return vnet_why(why, "unknown size of struct vnet_rule", 0,
				rule->size, sizeof(*rule));
	if (!rule->name || !rule->name[0])
		return vnet_why(why, "rule without a name", 0, 0, 1);
	if (!pad_name(name, rule->name))
		return vnet_why(why, "rule's name too long", 0,
				vnet_name_len(rule->name, VNET_RULE_NAME_SIZE),
				VNET_RULE_NAME_SIZE - 1);
	if (!is_verdict(rule->verdict))
		return vnet_why(why, "unknown verdict", 0,
				(uint64_t)rule->verdict, VNET_DROP);
	return vnet_bpf_check(rule->insns, rule->ninsns, max_program, why);
}

/* The first op of rule @i, or where the next program would begin. */
static uint32_t
first_op(const struct vnet_chain *c, uint32_t i)
{
	return i < c->nrules ? c->rules[i].first : c->ninsns;
}

/* Put a rule in at @i, for which the block has room. */
static void
insert(struct vnet_chain *c, uint32_t i, const struct vnet_rule *rule,
       const char name[VNET_RULE_NAME_SIZE])
{
	const uint32_t ninsns = (uint32_t)rule->ninsns;
	const uint32_t first = first_op(c, i);
	const uint32_t behind = c->nrules - i;

	memmove(&c->ops[first + ninsns], &c->ops[first],
		(c->ninsns - first) * sizeof(*c->ops));
	memmove(&c->rules[i + 1], &c->rules[i], behind * sizeof(*c->rules));
	memmove(&c->labels[i + 1], &c->labels[i], behind * sizeof(*c->labels));
	c->nrules++;
	c->ninsns += ninsns;
	for (uint32_t j = i + 1; j < c->nrules; j++)
		c->rules[j].first += ninsns;

	vnet_bpf_translate(&c->ops[first], rule->insns, ninsns);
	c->rules[i] = (struct vnet_chain_rule){
		.first = first,
		.verdict = (uint8_t)rule->verdict,
	};
	c->labels[i].priority = rule->priority;
	c->labels[i].ninsns = ninsns;
	memcpy(c->labels[i].name, name, VNET_RULE_NAME_SIZE);
}

/* Where a rule of that priority comes: behind those that have it. */
static uint32_t
find_place(const struct vnet_chain *c, uint32_t priority)
{
	uint32_t i = c->nrules;

	while (i > 0 && c->labels[i - 1].priority > priority)
		i--;
	return i;
}

/* Does the budget have what a chain, with its own share, comes to? 0 or
 * -ENOSPC. */
static int
check_budget(const struct vnet_chain *c, const struct vnet_chain_budget *budget,
	     uint64_t rules, uint64_t insns, struct vnet_why *why)
{
	uint64_t most_rules = (uint64_t)c->max_rules + budget->rules_left;
	uint64_t most_insns = (uint64_t)c->max_insns + budget->insns_left;

	if (rules > most_rules)
		return vnet_why_not(why, -ENOSPC,
				    "no more rules in this switch", rules,
				    most_rules);
	if (insns > most_insns)
		return vnet_why_not(why, -ENOSPC,
				    "no more instructions in this switch",
				    insns, most_insns);
	return 0;
}

int
vnet_chain_add(struct vnet_chain *c, const struct vnet_alloc *alloc,
	       struct vnet_chain_budget *budget, const struct vnet_rule *rule,
	       struct vnet_why *why)
{
	char name[VNET_RULE_NAME_SIZE];
	uint64_t insns;
	int err;

	err = check_rule(rule, budget->max_program, why);
	if (err)
		return err;
	pad_name(name, rule->name);
	if (find_rule(c, name) < c->nrules)
		return vnet_why_not(why, -EEXIST, "a rule of that name exists",
				    0, 0);

	insns = (uint64_t)c->ninsns + rule->ninsns;
	if (c->nrules == c->max_rules || insns > c->max_insns) {
		err = check_budget(c, budget, (uint64_t)c->nrules + 1, insns,
				   why);
		if (err)
			return err;
		if (!resize(c, alloc, budget, c->nrules + 1, (uint32_t)insns))
			return vnet_why_errno(why, -ENOMEM);
	}

	insert(c, find_place(c, rule->priority), rule, name);
	return 0;
}

/* Are these rules of two chains one and the same? */
static bool
is_same_rule(const struct vnet_chain *a, uint32_t i, const struct vnet_chain *b,
	     uint32_t j)
{
	const struct vnet_chain_rule *x = &a->rules[i], *y = &b->rules[j];

	return memcmp(&a->labels[i], &b->labels[j], sizeof(a->labels[i])) ==
		       0 &&
	       x->verdict == y->verdict &&
	       memcmp(&a->ops[x->first], &b->ops[y->first],
		      a->labels[i].ninsns * sizeof(*a->ops)) == 0;
}

/* What stays as it was, goes on counting. It mostly stays near its place. */
static void
keep_hits(struct vnet_chain *to, const struct vnet_chain *from)
{
	uint32_t j = 0;

	for (uint32_t i = 0; i < to->nrules; i++) {
		if (j >= from->nrules || !is_same_rule(to, i, from, j))
			j = find_rule(from, to->labels[i].name);
		if (j < from->nrules && is_same_rule(to, i, from, j))
			to->rules[i].hits = from->rules[j++].hits;
	}
}

/* Put in all of @rules. 0; -EEXIST with the index of the one whose name
 * another has. */
static int
insert_all(struct vnet_chain *c, const struct vnet_rule *rules, size_t n,
	   struct vnet_why *why)
{
	char name[VNET_RULE_NAME_SIZE];

	for (size_t i = 0; i < n; i++) {
		pad_name(name, rules[i].name);
		if (find_rule(c, name) < c->nrules) {
			vnet_why(why, "two rules of one name", i, 0, 0);
			return -EEXIST;
		}
		insert(c, find_place(c, rules[i].priority), &rules[i], name);
	}
	return 0;
}

int
vnet_chain_set(struct vnet_chain *c, const struct vnet_alloc *alloc,
	       struct vnet_chain_budget *budget, const struct vnet_rule *rules,
	       size_t n, enum vnet_verdict default_verdict,
	       struct vnet_why *why)
{
	struct vnet_chain to = {.default_verdict = default_verdict};
	uint64_t insns = 0;
	int err;

	if (!is_verdict(default_verdict))
		return vnet_why(why, "unknown verdict", n,
				(uint64_t)default_verdict, VNET_DROP);
	for (size_t i = 0; i < n; i++) {
		err = check_rule(&rules[i], budget->max_program, why);
		if (err) {
			if (why)
				why->index = i;
			return err;
		}
		insns += rules[i].ninsns;
	}
	err = check_budget(c, budget, n, insns, why);
	if (err)
		return err;
	if (!get_block(&to, alloc, (uint32_t)n, (uint32_t)insns))
		return vnet_why_errno(why, -ENOMEM);
	err = insert_all(&to, rules, n, why);
	if (err) {
		alloc->put(alloc->ctx, to.rules,
			   (size_t)block_size(to.max_rules, to.max_insns));
		return err;
	}
	keep_hits(&to, c);
	to.default_hits = c->default_hits;
	become(c, &to, alloc, budget);
	return 0;
}

int
vnet_chain_remove(struct vnet_chain *c, const struct vnet_alloc *alloc,
		  struct vnet_chain_budget *budget, const char *name)
{
	char padded[VNET_RULE_NAME_SIZE];
	uint32_t i, first, ninsns, behind;

	if (!pad_name(padded, name))
		return -ENOENT;
	i = find_rule(c, padded);
	if (i == c->nrules)
		return -ENOENT;

	first = c->rules[i].first;
	ninsns = c->labels[i].ninsns;
	behind = c->nrules - i - 1;
	memmove(&c->ops[first], &c->ops[first + ninsns],
		(c->ninsns - first - ninsns) * sizeof(*c->ops));
	memmove(&c->rules[i], &c->rules[i + 1], behind * sizeof(*c->rules));
	memmove(&c->labels[i], &c->labels[i + 1], behind * sizeof(*c->labels));
	c->nrules--;
	c->ninsns -= ninsns;
	for (uint32_t j = i; j < c->nrules; j++)
		c->rules[j].first -= ninsns;

	/* It need not succeed: see the top of this file. */
	(void)resize(c, alloc, budget, c->nrules, c->ninsns);
	return 0;
}

int
vnet_chain_get(const struct vnet_chain *c, size_t index,
	       struct vnet_rule_info *info)
{
	if (info->size != sizeof(*info))
		return -EINVAL;
	if (index >= c->nrules)
		return -ENOENT;
	memcpy(info->name, c->labels[index].name, sizeof(info->name));
	info->priority = c->labels[index].priority;
	info->verdict = (enum vnet_verdict)c->rules[index].verdict;
	info->ninsns = c->labels[index].ninsns;
	info->hits = c->rules[index].hits;
	return 0;
}

int
vnet_chain_set_default(struct vnet_chain *c, enum vnet_verdict verdict)
{
	if (!is_verdict(verdict))
		return -EINVAL;
	c->default_verdict = verdict;
	return 0;
}

void
vnet_chain_get_default(const struct vnet_chain *c, enum vnet_verdict *verdict,
		       uint64_t *hits)
{
	*verdict = c->default_verdict;
	if (hits)
		*hits = c->default_hits;
}
