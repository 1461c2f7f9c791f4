/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "filter.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An allocator that counts, and that can be out of memory. */
struct memory {
	uint64_t octets;
	uint64_t peak;
	unsigned blocks;
	unsigned gets;
	bool is_empty;
};

static void *
get(void *ctx, size_t size, size_t align)
{
	struct memory *m = ctx;
	void *p;

	m->gets++;
	if (m->is_empty)
		return NULL;
	assert_true(size > 0);
	p = aligned_alloc(align, (size + align - 1) / align * align);
	assert_non_null(p);
	memset(p, 0xa5, size); /* not zeroed */
	m->blocks++;
	m->octets += size;
	if (m->octets > m->peak)
		m->peak = m->octets;
	return p;
}

static void
put(void *ctx, void *p, size_t size)
{
	struct memory *m = ctx;

	assert_non_null(p);
	memset(p, 0x5a, size);
	free(p);
	m->blocks--;
	m->octets -= size;
}

#define MAX_RULES 20
#define MAX_INSNS 100

struct fixture {
	struct memory memory;
	struct vnet_alloc alloc;
	struct vnet_chain_budget budget;
	struct vnet_chain chain;
};

static int
set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	x->alloc = (struct vnet_alloc){get, put, &x->memory};
	x->budget = (struct vnet_chain_budget){
		.rules_left = MAX_RULES,
		.insns_left = MAX_INSNS,
		.max_program = 50,
	};
	vnet_chain_init(&x->chain);
	*state = x;
	return 0;
}

/* All that was taken is given back. */
static int
tear_down(void **state)
{
	struct fixture *x = *state;

	vnet_chain_fini(&x->chain, &x->alloc, &x->budget);
	assert_int_equal(x->chain.nrules, 0);
	assert_int_equal(x->budget.rules_left, MAX_RULES);
	assert_int_equal(x->budget.insns_left, MAX_INSNS);
	assert_int_equal(x->memory.blocks, 0);
	assert_int_equal(x->memory.octets, 0);
	free(x);
	return 0;
}

#define PROGRAM_MAX 64

/* Matches a frame whose first octet is @octet; @ninsns (at least 4) long. */
static void
make_program(struct vnet_bpf_insn insns[PROGRAM_MAX], uint8_t octet,
	     size_t ninsns)
{
	const struct vnet_bpf_insn match[] = {
		{VNET_BPF_LD_B_ABS, 0, 0, 0},
		{VNET_BPF_JEQ_K, 0, 1, octet},
		{VNET_BPF_RET_K, 0, 0, 1},
	};

	memcpy(insns, match, sizeof(match));
	for (size_t i = COUNT(match); i < ninsns; i++)
		insns[i] = (struct vnet_bpf_insn){.code = VNET_BPF_RET_K};
}

static int
add_long(struct fixture *x, struct vnet_chain *c, const char *name,
	 uint32_t priority, enum vnet_verdict verdict, uint8_t octet,
	 size_t ninsns)
{
	struct vnet_bpf_insn insns[PROGRAM_MAX];
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = name,
		.priority = priority,
		.verdict = verdict,
		.insns = insns,
		.ninsns = ninsns,
	};

	make_program(insns, octet, ninsns);
	return vnet_chain_add(c, &x->alloc, &x->budget, &rule, NULL);
}

static int
add(struct fixture *x, const char *name, uint32_t priority,
    enum vnet_verdict verdict, uint8_t octet)
{
	return add_long(x, &x->chain, name, priority, verdict, octet, 4);
}

static int
remove_rule(struct fixture *x, const char *name)
{
	return vnet_chain_remove(&x->chain, &x->alloc, &x->budget, name);
}

static enum vnet_verdict
run(const struct vnet_chain *c, uint8_t octet, uint32_t *rule)
{
	const struct vnet_frame f = {.data = &octet, .len = 1};
	struct vnet_chain before;
	enum vnet_verdict verdict;

	memcpy(&before, c, sizeof(before));
	verdict = vnet_chain_run(c, &f, rule);
	assert_memory_equal(&before, c, sizeof(before));
	return verdict;
}

static void
assert_decides(const struct vnet_chain *c, uint8_t octet, uint32_t want_rule,
	       enum vnet_verdict want)
{
	uint32_t rule = UINT32_MAX;

	assert_int_equal(run(c, octet, &rule), want);
	assert_int_equal(rule, want_rule);
}

static void
assert_rule(const struct vnet_chain *c, size_t index, const char *name,
	    uint32_t priority, enum vnet_verdict verdict, uint64_t hits)
{
	struct vnet_rule_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_chain_get(c, index, &info), 0);
	assert_string_equal(info.name, name);
	assert_int_equal(info.priority, priority);
	assert_int_equal(info.verdict, verdict);
	assert_int_equal(info.hits, hits);
}

static void
test_chain_without_rules_passes_and_has_no_memory(void **state)
{
	struct fixture *x = *state;

	assert_decides(&x->chain, 1, VNET_NO_RULE, VNET_PASS);
	assert_int_equal(x->memory.gets, 0);
	assert_int_equal(remove_rule(x, "none"), -ENOENT);
}

static void
test_default_verdict_holds_where_no_rule_matches(void **state)
{
	struct fixture *x = *state;
	enum vnet_verdict verdict = VNET_PASS;

	assert_int_equal(vnet_chain_set_default(&x->chain, VNET_DROP), 0);
	assert_decides(&x->chain, 1, 0, VNET_DROP);
	assert_int_equal(add(x, "one", 0, VNET_PASS, 1), 0);
	assert_decides(&x->chain, 1, 0, VNET_PASS);
	assert_decides(&x->chain, 2, 1, VNET_DROP);

	assert_int_equal(vnet_chain_set_default(&x->chain,
						(enum vnet_verdict)2),
			 -EINVAL);
	vnet_chain_get_default(&x->chain, &verdict, NULL);
	assert_int_equal(verdict, VNET_DROP);
}

static void
test_rules_run_in_order_of_priority_and_the_first_match_decides(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(add(x, "last", UINT32_MAX, VNET_DROP, 1), 0);
	assert_decides(&x->chain, 1, 0, VNET_DROP);
	assert_int_equal(add(x, "middle", 10, VNET_PASS, 1), 0);
	assert_decides(&x->chain, 1, 0, VNET_PASS);
	assert_int_equal(add(x, "first", 0, VNET_DROP, 2), 0);
	assert_decides(&x->chain, 1, 1, VNET_PASS);
	assert_decides(&x->chain, 2, 0, VNET_DROP);

	assert_rule(&x->chain, 0, "first", 0, VNET_DROP, 0);
	assert_rule(&x->chain, 1, "middle", 10, VNET_PASS, 0);
	assert_rule(&x->chain, 2, "last", UINT32_MAX, VNET_DROP, 0);

	assert_int_equal(remove_rule(x, "middle"), 0);
	assert_decides(&x->chain, 1, 1, VNET_DROP);
}

static void
test_equal_priorities_run_in_the_order_in_which_they_were_added(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(add(x, "c", 7, VNET_PASS, 1), 0);
	assert_int_equal(add(x, "b", 7, VNET_DROP, 1), 0);
	assert_int_equal(add(x, "d", 6, VNET_PASS, 2), 0);
	assert_int_equal(add(x, "a", 7, VNET_DROP, 1), 0);
	assert_rule(&x->chain, 0, "d", 6, VNET_PASS, 0);
	assert_rule(&x->chain, 1, "c", 7, VNET_PASS, 0);
	assert_rule(&x->chain, 2, "b", 7, VNET_DROP, 0);
	assert_rule(&x->chain, 3, "a", 7, VNET_DROP, 0);
	assert_decides(&x->chain, 1, 1, VNET_PASS);

	/* Removed and added again, it is the newest. */
	assert_int_equal(remove_rule(x, "c"), 0);
	assert_int_equal(add(x, "c", 7, VNET_PASS, 1), 0);
	assert_rule(&x->chain, 3, "c", 7, VNET_PASS, 0);
	assert_decides(&x->chain, 1, 1, VNET_DROP);
}

static void
test_hits_are_counted_for_the_rule_that_decided(void **state)
{
	struct fixture *x = *state;
	uint64_t hits = 1;
	enum vnet_verdict verdict;

	assert_int_equal(add(x, "one", 1, VNET_PASS, 1), 0);
	assert_int_equal(add(x, "two", 2, VNET_DROP, 2), 0);
	for (unsigned i = 0; i < 9; i++) {
		uint32_t rule;

		(void)run(&x->chain,
			  (uint8_t)(i < 2   ? 1
				    : i < 5 ? 2
					    : 3),
			  &rule);
		vnet_chain_hit(&x->chain, rule);
	}
	assert_rule(&x->chain, 0, "one", 1, VNET_PASS, 2);
	assert_rule(&x->chain, 1, "two", 2, VNET_DROP, 3);
	vnet_chain_get_default(&x->chain, &verdict, &hits);
	assert_int_equal(verdict, VNET_PASS);
	assert_int_equal(hits, 4);

	/* They stay with their rule, whatever comes and goes around it. */
	assert_int_equal(add(x, "new", 0, VNET_DROP, 9), 0);
	assert_int_equal(remove_rule(x, "one"), 0);
	assert_rule(&x->chain, 0, "new", 0, VNET_DROP, 0);
	assert_rule(&x->chain, 1, "two", 2, VNET_DROP, 3);
	vnet_chain_get_default(&x->chain, &verdict, &hits);
	assert_int_equal(hits, 4);
}

static void
test_name_has_1_to_31_octets(void **state)
{
	static const char longest[] = "0123456789012345678901234567890";
	static const char too_long[] = "01234567890123456789012345678901";
	struct fixture *x = *state;
	const struct vnet_bpf_insn insn = {VNET_BPF_RET_K, 0, 0, 1};
	struct vnet_rule rule = {
		.size = sizeof(rule), .insns = &insn, .ninsns = 1};
	struct vnet_why why = {0};

	assert_int_equal(vnet_chain_add(&x->chain, &x->alloc, &x->budget, &rule,
					&why),
			 -EINVAL);
	assert_string_equal(why.text, "rule without a name");
	rule.name = "";
	assert_int_equal(vnet_chain_add(&x->chain, &x->alloc, &x->budget, &rule,
					NULL),
			 -EINVAL);
	rule.name = too_long;
	assert_int_equal(vnet_chain_add(&x->chain, &x->alloc, &x->budget, &rule,
					&why),
			 -EINVAL);
	assert_string_equal(why.text, "rule's name too long");
	assert_int_equal(why.found, 32);
	assert_int_equal(why.bound, 31);

	assert_int_equal(sizeof(longest), VNET_RULE_NAME_SIZE);
	assert_int_equal(add(x, longest, 0, VNET_PASS, 1), 0);
	assert_int_equal(add(x, longest + 1, 0, VNET_PASS, 1), 0);
	assert_rule(&x->chain, 0, longest, 0, VNET_PASS, 0);
	assert_int_equal(remove_rule(x, NULL), -ENOENT);
	assert_int_equal(remove_rule(x, ""), -ENOENT);
	assert_int_equal(remove_rule(x, too_long), -ENOENT);
	assert_int_equal(remove_rule(x, longest), 0);
	assert_int_equal(remove_rule(x, longest), -ENOENT);
}

static void
test_name_is_unique_in_its_chain_alone(void **state)
{
	struct fixture *x = *state;
	struct vnet_chain other;

	vnet_chain_init(&other);
	assert_int_equal(add(x, "name", 1, VNET_PASS, 1), 0);
	assert_int_equal(add(x, "name", 2, VNET_DROP, 2), -EEXIST);
	assert_int_equal(add(x, "nam", 2, VNET_DROP, 2), 0);
	assert_int_equal(add(x, "names", 2, VNET_DROP, 2), 0);
	assert_int_equal(add_long(x, &other, "name", 1, VNET_PASS, 1, 4), 0);
	assert_int_equal(x->chain.nrules, 3);
	vnet_chain_fini(&other, &x->alloc, &x->budget);
}

static void
test_wrong_rule_is_refused_with_its_reason(void **state)
{
	struct fixture *x = *state;
	const struct vnet_bpf_insn insns[] = {{VNET_BPF_RET_K, 0, 0, 1},
					      {VNET_BPF_ST, 0, 0, 16},
					      {VNET_BPF_RET_K, 0, 0, 0}};
	const struct vnet_rule good = {.size = sizeof(good),
				       .name = "name",
				       .insns = insns,
				       .ninsns = 1};
	struct vnet_rule rule = good;
	struct vnet_why why = {0};

#define ADD vnet_chain_add(&x->chain, &x->alloc, &x->budget, &rule, &why)
	rule.size = sizeof(rule) - 1;
	assert_int_equal(ADD, -EINVAL);
	assert_string_equal(why.text, "unknown size of struct vnet_rule");
	assert_int_equal(why.found, sizeof(rule) - 1);
	assert_int_equal(why.bound, sizeof(rule));
	rule = good;
	rule.verdict = (enum vnet_verdict)2;
	assert_int_equal(ADD, -EINVAL);
	assert_string_equal(why.text, "unknown verdict");
	assert_int_equal(why.found, 2);
	rule = good;
	rule.ninsns = 3;
	assert_int_equal(ADD, -EINVAL);
	assert_string_equal(why.text, "no such word of scratch memory");
	assert_int_equal(why.index, 1);
	rule = good;
	x->budget.max_program = 2;
	rule.ninsns = 3;
	assert_int_equal(ADD, -EINVAL);
	assert_string_equal(why.text, "program too long");
	assert_int_equal(why.bound, 2);

	assert_int_equal(x->chain.nrules, 0);
	assert_int_equal(x->memory.gets, 0);
	rule = good;
	assert_int_equal(ADD, 0);
#undef ADD
}

static void
test_rule_and_its_strings_are_copied(void **state)
{
	struct fixture *x = *state;
	char name[] = "name";

	assert_int_equal(add(x, name, 0, VNET_DROP, 1), 0);
	memset(name, 'x', sizeof(name) - 1);
	/* The program was on the stack of add_long(). */
	assert_rule(&x->chain, 0, "name", 0, VNET_DROP, 0);
	assert_decides(&x->chain, 1, 0, VNET_DROP);
}

static void
test_size_and_index_of_a_question_are_checked(void **state)
{
	struct fixture *x = *state;
	struct vnet_rule_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_chain_get(&x->chain, 0, &info), -ENOENT);
	assert_int_equal(add_long(x, &x->chain, "one", 3, VNET_PASS, 1, 9), 0);
	assert_int_equal(vnet_chain_get(&x->chain, 0, &info), 0);
	assert_int_equal(info.ninsns, 9);
	assert_int_equal(vnet_chain_get(&x->chain, 1, &info), -ENOENT);
	assert_int_equal(vnet_chain_get(&x->chain, SIZE_MAX, &info), -ENOENT);
	info.size = sizeof(info) + 1;
	assert_int_equal(vnet_chain_get(&x->chain, 0, &info), -EINVAL);
	info.size = 0;
	assert_int_equal(vnet_chain_get(&x->chain, 0, &info), -EINVAL);
}

static void
test_budget_of_rules_is_shared_and_given_back(void **state)
{
	struct fixture *x = *state;
	struct vnet_chain other;
	char name[] = "a";

	vnet_chain_init(&other);
	for (unsigned i = 0; i < MAX_RULES; i++, name[0]++)
		assert_int_equal(add_long(x, i % 2 ? &other : &x->chain, name,
					  0, VNET_PASS, 1, 4),
				 0);
	assert_int_equal(add(x, "more", 0, VNET_PASS, 1), -ENOSPC);
	assert_int_equal(add_long(x, &other, "more", 0, VNET_PASS, 1, 4),
			 -ENOSPC);
	assert_int_equal(remove_rule(x, "a"), 0);
	assert_int_equal(add_long(x, &other, "more", 0, VNET_PASS, 1, 4), 0);
	assert_int_equal(add(x, "more", 0, VNET_PASS, 1), -ENOSPC);
	vnet_chain_fini(&other, &x->alloc, &x->budget);
	assert_int_equal(add(x, "more", 0, VNET_PASS, 1), 0);
}

static void
test_budget_of_instructions_is_shared_and_given_back(void **state)
{
	struct fixture *x = *state;
	struct vnet_chain other;

	vnet_chain_init(&other);
	assert_int_equal(add_long(x, &x->chain, "a", 0, VNET_PASS, 1, 50), 0);
	assert_int_equal(add_long(x, &other, "a", 0, VNET_PASS, 1, 46), 0);
	assert_int_equal(add_long(x, &other, "b", 0, VNET_PASS, 1, 5), -ENOSPC);
	assert_int_equal(add_long(x, &other, "b", 0, VNET_PASS, 1, 4), 0);
	assert_int_equal(x->budget.insns_left, 0);
	assert_int_equal(remove_rule(x, "a"), 0);
	assert_int_equal(x->budget.insns_left, 50);
	vnet_chain_fini(&other, &x->alloc, &x->budget);
	assert_int_equal(x->budget.insns_left, MAX_INSNS);
}

static void
test_addition_without_memory_leaves_all_as_it_was(void **state)
{
	struct fixture *x = *state;
	struct vnet_chain_budget budget;

	x->memory.is_empty = true;
	assert_int_equal(add(x, "one", 0, VNET_DROP, 1), -ENOMEM);
	assert_decides(&x->chain, 1, VNET_NO_RULE, VNET_PASS);
	x->memory.is_empty = false;
	assert_int_equal(add(x, "one", 0, VNET_DROP, 1), 0);

	x->memory.is_empty = true;
	budget = x->budget;
	assert_int_equal(add(x, "two", 0, VNET_PASS, 2), -ENOMEM);
	assert_memory_equal(&budget, &x->budget, sizeof(budget));
	assert_int_equal(x->chain.nrules, 1);
	assert_rule(&x->chain, 0, "one", 0, VNET_DROP, 0);
	assert_decides(&x->chain, 1, 0, VNET_DROP);
	assert_decides(&x->chain, 2, 1, VNET_PASS);
}

static void
test_removal_needs_no_memory(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(add(x, "one", 1, VNET_DROP, 1), 0);
	assert_int_equal(add(x, "two", 2, VNET_DROP, 2), 0);
	assert_int_equal(add(x, "three", 3, VNET_DROP, 3), 0);

	x->memory.is_empty = true;
	assert_int_equal(remove_rule(x, "two"), 0);
	assert_decides(&x->chain, 1, 0, VNET_DROP);
	assert_decides(&x->chain, 2, 2, VNET_PASS);
	assert_decides(&x->chain, 3, 1, VNET_DROP);
	/* What it keeps it pays for. */
	assert_int_equal(x->budget.rules_left, MAX_RULES - 3);
	assert_int_equal(x->budget.insns_left, MAX_INSNS - 12);

	/* There is room for another one then, without memory. */
	assert_int_equal(add_long(x, &x->chain, "long", 0, VNET_DROP, 2, 5),
			 -ENOMEM);
	assert_int_equal(add(x, "two", 2, VNET_DROP, 2), 0);
	assert_decides(&x->chain, 2, 1, VNET_DROP);
	assert_int_equal(remove_rule(x, "one"), 0);

	x->memory.is_empty = false;
	assert_int_equal(remove_rule(x, "two"), 0);
	assert_int_equal(x->budget.rules_left, MAX_RULES - 1);
	assert_int_equal(x->budget.insns_left, MAX_INSNS - 4);
	assert_decides(&x->chain, 3, 0, VNET_DROP);

	/* The last rule's memory goes, for that takes none. */
	x->memory.is_empty = true;
	assert_int_equal(remove_rule(x, "three"), 0);
	assert_int_equal(x->memory.blocks, 0);
	assert_int_equal(x->budget.rules_left, MAX_RULES);
}

/* Rules for a chain to be set to. */
struct set {
	struct vnet_rule rules[MAX_RULES + 1];
	struct vnet_bpf_insn insns[MAX_RULES + 1][PROGRAM_MAX];
	size_t n;
};

static void
put_in(struct set *set, const char *name, uint32_t priority,
       enum vnet_verdict verdict, uint8_t octet, size_t ninsns)
{
	make_program(set->insns[set->n], octet, ninsns);
	set->rules[set->n] = (struct vnet_rule){
		.size = sizeof(struct vnet_rule),
		.name = name,
		.priority = priority,
		.verdict = verdict,
		.insns = set->insns[set->n],
		.ninsns = ninsns,
	};
	set->n++;
}

static int
set_chain(struct fixture *x, struct vnet_chain *c, const struct set *set,
	  enum vnet_verdict default_verdict, struct vnet_why *why)
{
	return vnet_chain_set(c, &x->alloc, &x->budget, set->rules, set->n,
			      default_verdict, why);
}

static void
test_a_chain_is_replaced_as_a_whole(void **state)
{
	struct fixture *x = *state;
	struct set set = {0};

	assert_int_equal(add(x, "old", 0, VNET_DROP, 1), 0);
	put_in(&set, "late", 9, VNET_PASS, 1, 4);
	put_in(&set, "b", 5, VNET_DROP, 1, 4);
	put_in(&set, "a", 5, VNET_PASS, 1, 5);
	put_in(&set, "early", 1, VNET_PASS, 2, 6);
	assert_int_equal(set_chain(x, &x->chain, &set, VNET_DROP, NULL), 0);
	assert_int_equal(x->chain.nrules, 4);
	assert_rule(&x->chain, 0, "early", 1, VNET_PASS, 0);
	assert_rule(&x->chain, 1, "b", 5, VNET_DROP, 0);
	assert_rule(&x->chain, 2, "a", 5, VNET_PASS, 0);
	assert_rule(&x->chain, 3, "late", 9, VNET_PASS, 0);
	assert_decides(&x->chain, 1, 1, VNET_DROP);
	assert_decides(&x->chain, 2, 0, VNET_PASS);
	assert_decides(&x->chain, 3, 4, VNET_DROP);
	assert_int_equal(x->budget.rules_left, MAX_RULES - 4);
	assert_int_equal(x->budget.insns_left, MAX_INSNS - 19);

	set.n = 0;
	assert_int_equal(set_chain(x, &x->chain, &set, VNET_PASS, NULL), 0);
	assert_decides(&x->chain, 1, VNET_NO_RULE, VNET_PASS);
	assert_int_equal(x->memory.blocks, 0);
}

static void
test_hits_stay_with_a_rule_that_is_alike_in_everything(void **state)
{
	struct fixture *x = *state;
	enum vnet_verdict verdict;
	struct set set = {0};
	uint64_t hits;

	assert_int_equal(add(x, "same", 0, VNET_DROP, 1), 0);
	assert_int_equal(add(x, "verdict", 0, VNET_DROP, 2), 0);
	assert_int_equal(add(x, "priority", 0, VNET_DROP, 3), 0);
	assert_int_equal(add(x, "program", 0, VNET_DROP, 4), 0);
	assert_int_equal(add(x, "length", 0, VNET_DROP, 5), 0);
	for (uint8_t octet = 1; octet < 9; octet++) {
		uint32_t rule;

		(void)run(&x->chain, octet, &rule);
		vnet_chain_hit(&x->chain, rule);
	}
	put_in(&set, "length", 0, VNET_DROP, 5, 5);
	put_in(&set, "program", 0, VNET_DROP, 40, 4);
	put_in(&set, "priority", 1, VNET_DROP, 3, 4);
	put_in(&set, "verdict", 0, VNET_PASS, 2, 4);
	put_in(&set, "same", 0, VNET_DROP, 1, 4);
	assert_int_equal(set_chain(x, &x->chain, &set, VNET_PASS, NULL), 0);
	assert_rule(&x->chain, 0, "length", 0, VNET_DROP, 0);
	assert_rule(&x->chain, 1, "program", 0, VNET_DROP, 0);
	assert_rule(&x->chain, 2, "verdict", 0, VNET_PASS, 0);
	assert_rule(&x->chain, 3, "same", 0, VNET_DROP, 1);
	assert_rule(&x->chain, 4, "priority", 1, VNET_DROP, 0);
	vnet_chain_get_default(&x->chain, &verdict, &hits);
	assert_int_equal(hits, 3);
}

static void
test_a_set_that_is_refused_leaves_all_as_it_was(void **state)
{
	struct fixture *x = *state;
	struct vnet_chain_budget budget;
	struct vnet_chain chain;
	struct vnet_why why;
	struct set set = {0};

	assert_int_equal(add(x, "one", 0, VNET_DROP, 1), 0);
	budget = x->budget;
	chain = x->chain;

	put_in(&set, "a", 0, VNET_PASS, 1, 4);
	put_in(&set, "b", 0, VNET_PASS, 1, 4);
	put_in(&set, "a", 0, VNET_PASS, 2, 4);
	assert_int_equal(set_chain(x, &x->chain, &set, VNET_PASS, &why),
			 -EEXIST);
	assert_string_equal(why.text, "two rules of one name");
	assert_int_equal(why.index, 2);
	set.rules[2].name = "";
	assert_int_equal(set_chain(x, &x->chain, &set, VNET_PASS, &why),
			 -EINVAL);
	assert_int_equal(why.index, 2);
	set.rules[2].name = "c";
	assert_int_equal(set_chain(x, &x->chain, &set, (enum vnet_verdict)2,
				   &why),
			 -EINVAL);
	x->memory.is_empty = true;
	assert_int_equal(set_chain(x, &x->chain, &set, VNET_PASS, &why),
			 -ENOMEM);
	x->memory.is_empty = false;
	set.n = 2;
	put_in(&set, "c", 0, VNET_PASS, 2, 50);
	put_in(&set, "d", 0, VNET_PASS, 2, 43);
	assert_int_equal(set_chain(x, &x->chain, &set, VNET_PASS, &why),
			 -ENOSPC);
	assert_int_equal(why.found, 101);
	assert_int_equal(why.bound, 100);

	assert_memory_equal(&budget, &x->budget, sizeof(budget));
	assert_memory_equal(&chain, &x->chain, sizeof(chain));
	assert_rule(&x->chain, 0, "one", 0, VNET_DROP, 0);
	/* Its own share counts: all of it for all of it. */
	set.n = 3;
	put_in(&set, "d", 0, VNET_PASS, 2, 42);
	assert_int_equal(set_chain(x, &x->chain, &set, VNET_PASS, NULL), 0);
	assert_int_equal(set_chain(x, &x->chain, &set, VNET_PASS, NULL), 0);
	assert_int_equal(x->budget.insns_left, 0);
	assert_true(x->memory.peak <= vnet_chain_memory(MAX_RULES, MAX_INSNS));
}

/* Chains once more, as plain lists. */
struct model_rule {
	char name[VNET_RULE_NAME_SIZE];
	uint32_t priority;
	uint64_t age;
	enum vnet_verdict verdict;
	uint8_t octet;
	size_t ninsns;
	uint64_t hits;
};

struct model {
	struct model_rule rules[MAX_RULES];
	size_t nrules;
	enum vnet_verdict default_verdict;
	uint64_t default_hits;
};

static uint64_t seed;

static uint32_t
below(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 32) % n;
}

static bool
runs_before(const struct model_rule *a, const struct model_rule *b)
{
	return a->priority != b->priority ? a->priority < b->priority
					  : a->age < b->age;
}

/* The rule that runs in place @place. */
static struct model_rule *
model_at(struct model *m, size_t place)
{
	for (size_t i = 0; i < m->nrules; i++) {
		size_t before = 0;

		for (size_t j = 0; j < m->nrules; j++)
			before += runs_before(&m->rules[j], &m->rules[i]);
		if (before == place)
			return &m->rules[i];
	}
	return NULL;
}

static struct model_rule *
model_find(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nrules; i++)
		if (strcmp(m->rules[i].name, name) == 0)
			return &m->rules[i];
	return NULL;
}

/* Is @r in a model, as it is? */
static bool
is_alike(const struct model_rule *a, const struct model_rule *b)
{
	return a->priority == b->priority && a->verdict == b->verdict &&
	       a->octet == b->octet && a->ninsns == b->ninsns;
}

/* Set a chain to some of its rules, in another order, and @r. */
static int
set_alike(struct fixture *x, struct vnet_chain *c, struct model *m,
	  const struct model_rule *r)
{
	struct model to = {
		.default_verdict = r->verdict,
		.default_hits = m->default_hits,
	};
	struct set set = {0};
	int err;

	for (size_t i = m->nrules; i-- > 0;)
		if (strcmp(m->rules[i].name, r->name) != 0 && below(4))
			to.rules[to.nrules++] = m->rules[i];
	if (to.nrules < MAX_RULES) {
		const struct model_rule *there = model_find(m, r->name);

		to.rules[to.nrules] = *r;
		if (there && is_alike(there, r))
			to.rules[to.nrules].hits = there->hits;
		to.nrules++;
	}
	for (size_t i = 0; i < to.nrules; i++) {
		struct model_rule *rule = &to.rules[i];

		rule->age = i;
		put_in(&set, rule->name, rule->priority, rule->verdict,
		       rule->octet, rule->ninsns);
	}
	err = set_chain(x, c, &set, to.default_verdict, NULL);
	if (!err)
		*m = to;
	return err;
}

static void
assert_decides_alike(struct model *m, struct vnet_chain *c, uint8_t octet)
{
	uint32_t rule;
	enum vnet_verdict verdict = run(c, octet, &rule);
	size_t place = 0;

	while (place < m->nrules && model_at(m, place)->octet != octet)
		place++;
	if (!m->nrules && m->default_verdict == VNET_PASS) {
		assert_int_equal(verdict, VNET_PASS);
		assert_int_equal(rule, VNET_NO_RULE);
		vnet_chain_hit(c, rule);
		return;
	}
	assert_int_equal(rule, place);
	if (place < m->nrules) {
		assert_int_equal(verdict, model_at(m, place)->verdict);
		model_at(m, place)->hits++;
	} else {
		assert_int_equal(verdict, m->default_verdict);
		m->default_hits++;
	}
	vnet_chain_hit(c, rule);
}

static void
assert_same(struct model *m, const struct vnet_chain *c)
{
	enum vnet_verdict verdict;
	uint64_t hits;

	assert_int_equal(c->nrules, m->nrules);
	for (size_t i = 0; i < m->nrules; i++) {
		const struct model_rule *r = model_at(m, i);

		assert_rule(c, i, r->name, r->priority, r->verdict, r->hits);
	}
	vnet_chain_get_default(c, &verdict, &hits);
	assert_int_equal(verdict, m->default_verdict);
	assert_int_equal(hits, m->default_hits);
}

static void
test_random_operations_do_what_the_model_does(void **state)
{
	enum { NCHAINS = 3 };
	struct fixture *x = *state;
	struct vnet_chain chains[NCHAINS];
	struct model models[NCHAINS] = {0};
	unsigned count[4] = {0}; /* 0, -EEXIST, -ENOSPC, -ENOMEM */
	unsigned nset = 0;

	seed = 2;
	for (unsigned i = 0; i < NCHAINS; i++)
		vnet_chain_init(&chains[i]);

	for (unsigned round = 0; round < 20000; round++) {
		unsigned which = below(NCHAINS);
		struct vnet_chain *c = &chains[which];
		struct model *m = &models[which];
		struct model_rule r = {0}, *there;
		uint64_t rules = 0, insns = 0;
		int err;

		x->memory.is_empty = below(8) == 0;
		(void)snprintf(r.name, sizeof(r.name), "rule %u", below(16));
		r.priority = below(3);
		r.age = MAX_RULES + round;
		r.verdict = below(2) ? VNET_PASS : VNET_DROP;
		r.octet = (uint8_t)below(6);
		r.ninsns = 4 + below(9);
		there = model_find(m, r.name);

		switch (below(8)) {
		case 0:
		case 1:
		case 2:
			err = add_long(x, c, r.name, r.priority, r.verdict,
				       r.octet, r.ninsns);
			count[0] += err == 0;
			count[1] += err == -EEXIST;
			count[2] += err == -ENOSPC;
			count[3] += err == -ENOMEM;
			if (err == 0) {
				assert_null(there);
				m->rules[m->nrules++] = r;
			} else if (there) {
				assert_int_equal(err, -EEXIST);
			} else if (err == -ENOMEM) {
				assert_true(x->memory.is_empty);
			} else {
				assert_int_equal(err, -ENOSPC);
				assert_true(x->budget.rules_left == 0 ||
					    x->budget.insns_left < r.ninsns);
			}
			break;
		case 3:
		case 4:
			err = vnet_chain_remove(c, &x->alloc, &x->budget,
						r.name);
			assert_int_equal(err, there ? 0 : -ENOENT);
			if (there)
				*there = m->rules[--m->nrules];
			break;
		case 5:
			assert_int_equal(vnet_chain_set_default(c, r.verdict),
					 0);
			m->default_verdict = r.verdict;
			break;
		case 6:
			if (below(30) == 0) {
				vnet_chain_fini(c, &x->alloc, &x->budget);
				*m = (struct model){0};
			}
			break;
		default:
			err = set_alike(x, c, m, &r);
			nset += err == 0;
			if (err == -ENOMEM)
				assert_true(x->memory.is_empty);
			else if (err)
				assert_int_equal(err, -ENOSPC);
			break;
		}
		assert_decides_alike(m, c, (uint8_t)below(7));
		assert_same(m, c);

		for (unsigned i = 0; i < NCHAINS; i++) {
			rules += chains[i].max_rules;
			insns += chains[i].max_insns;
		}
		assert_int_equal(rules + x->budget.rules_left, MAX_RULES);
		assert_int_equal(insns + x->budget.insns_left, MAX_INSNS);
	}

	for (unsigned i = 0; i < COUNT(count); i++)
		assert_in_range(count[i], 100, 20000);
	assert_in_range(nset, 1000, 20000);
	assert_in_range(x->memory.peak,
			vnet_chain_memory(MAX_RULES, MAX_INSNS) / 2,
			vnet_chain_memory(MAX_RULES, MAX_INSNS));
	for (unsigned i = 0; i < NCHAINS; i++)
		vnet_chain_fini(&chains[i], &x->alloc, &x->budget);
}

static void
test_memory_of_the_largest_budget_is_told(void **state)
{
	struct fixture *x = *state;
	char name[] = "a";

	/* All in one chain, whose block is nearly doubled by each change. */
	for (unsigned i = 0; i < MAX_RULES; i++, name[0]++)
		assert_int_equal(add_long(x, &x->chain, name, 0, VNET_PASS, 1,
					  MAX_INSNS / MAX_RULES),
				 0);
	assert_int_equal(x->memory.octets,
			 vnet_chain_memory(MAX_RULES, MAX_INSNS) / 2);
	assert_true(x->memory.peak <= vnet_chain_memory(MAX_RULES, MAX_INSNS));
	assert_int_equal(vnet_chain_memory(0, 0), 0);
	/* No overflow at the limits of a configuration. */
	assert_true(vnet_chain_memory(1u << 20, 1u << 24) > (uint64_t)8 << 24);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_chain_without_rules_passes_and_has_no_memory),
		TEST(test_default_verdict_holds_where_no_rule_matches),
		TEST(test_rules_run_in_order_of_priority_and_the_first_match_decides),
		TEST(test_equal_priorities_run_in_the_order_in_which_they_were_added),
		TEST(test_hits_are_counted_for_the_rule_that_decided),
		TEST(test_name_has_1_to_31_octets),
		TEST(test_name_is_unique_in_its_chain_alone),
		TEST(test_wrong_rule_is_refused_with_its_reason),
		TEST(test_rule_and_its_strings_are_copied),
		TEST(test_size_and_index_of_a_question_are_checked),
		TEST(test_budget_of_rules_is_shared_and_given_back),
		TEST(test_budget_of_instructions_is_shared_and_given_back),
		TEST(test_addition_without_memory_leaves_all_as_it_was),
		TEST(test_removal_needs_no_memory),
		TEST(test_a_chain_is_replaced_as_a_whole),
		TEST(test_hits_stay_with_a_rule_that_is_alike_in_everything),
		TEST(test_a_set_that_is_refused_leaves_all_as_it_was),
		TEST(test_random_operations_do_what_the_model_does),
		TEST(test_memory_of_the_largest_budget_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
