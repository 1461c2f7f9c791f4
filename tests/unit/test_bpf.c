/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An instruction; a jump. */
#define I(op, k_) ((struct vnet_bpf_insn){.code = (op), .k = (k_)})
#define J(op, k_, true_, false_) \
	((struct vnet_bpf_insn){ \
		.code = (op), .jt = (true_), .jf = (false_), .k = (k_)})
#define RET_A              I(VNET_BPF_RET_A, 0)
#define PROGRAM(name, ...) const struct vnet_bpf_insn name[] = {__VA_ARGS__}

/* Run a program, which must be a valid one, over a frame of exactly @len octets
 * of the heap, so that a sanitizer sees every step beyond it. */
static uint32_t
run_tagged(const struct vnet_bpf_insn *insns, size_t n, const uint8_t *octets,
	   size_t len, const struct vnet_tag *tags, unsigned ntags)
{
	struct vnet_bpf_op *ops = calloc(n, sizeof(*ops));
	uint8_t *copy = malloc(len ? len : 1);
	struct vnet_frame f = {.data = copy, .len = (uint32_t)len};
	struct vnet_why why = {0};
	uint32_t ret;

	assert_non_null(ops);
	assert_non_null(copy);
	if (len)
		memcpy(copy, octets, len);
	f.ntags = (uint8_t)ntags;
	for (unsigned i = 0; i < ntags; i++)
		f.tag[i] = tags[i];

	if (vnet_bpf_check(insns, n, 65536, &why) != 0)
		fail_msg("instruction %zu: %s", why.index, why.text);
	vnet_bpf_translate(ops, insns, n);
	ret = vnet_bpf_run(ops, &f);
	assert_int_equal(vnet_bpf_match(insns, n, &f), ret != 0);

	free(copy);
	free(ops);
	return ret;
}

#define RUN(program, octets, len) \
	run_tagged(program, COUNT(program), octets, len, NULL, 0)

static uint64_t seed;

static uint32_t
rnd(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 32);
}

static uint32_t
below(uint32_t n)
{
	return rnd() % n;
}

/*
 * What a program means, told once more in another way: opcodes are taken apart
 * into their fields (McCanne and Jacobson, table 1) rather than listed, the
 * frame is one piece, and numbers are 64 bits wide until they are stored.
 */
enum { LD, LDX, ST, STX, ALU, JMP, RET, MISC };

struct model {
	const uint8_t *wire;
	size_t len;
	uint64_t a, x, m[16];
	bool ended;
};

static uint64_t
model_fetch(struct model *s, uint64_t at, unsigned octets)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < octets; i++) {
		if (at + i >= s->len) {
			s->ended = true;
			return 0;
		}
		sum = sum * 256 + s->wire[at + i];
	}
	return sum;
}

static uint64_t
model_load(struct model *s, unsigned code, uint64_t k)
{
	static const unsigned sizes[] = {4, 2, 1, 0};
	unsigned octets = sizes[code / 8 % 4];

	switch (code / 32) {
	case 0:
		return k;
	case 1:
		return model_fetch(s, k, octets);
	case 2:
		return model_fetch(s, k + s->x, octets);
	case 3:
		return s->m[k];
	case 4:
		return s->len;
	default:
		return model_fetch(s, k, octets) % 16 * 4;
	}
}

static uint64_t
model_arithmetic(struct model *s, unsigned op, uint64_t a, uint64_t b)
{
	uint64_t power = 1;

	if ((op == 3 || op == 9) && b == 0) {
		s->ended = true;
		return 0;
	}
	for (uint64_t i = 0; i < b && i < 40; i++)
		power *= 2;
	switch (op) {
	case 0:
		return a + b;
	case 1:
		return a + ((uint64_t)1 << 32) - b;
	case 2:
		return a * b;
	case 3:
		return a / b;
	case 4:
		return a | b;
	case 5:
		return a & b;
	case 6:
		return (a * (power % ((uint64_t)1 << 32)));
	case 7:
		return a / power;
	case 8:
		return ((uint64_t)1 << 32) - a;
	case 9:
		return a - a / b * b;
	default:
		return (a | b) - (a & b);
	}
}

static bool
model_holds(unsigned op, uint64_t a, uint64_t b)
{
	switch (op) {
	case 1:
		return a == b;
	case 2:
		return a > b;
	case 3:
		return a >= b;
	default:
		return (a & b) != 0;
	}
}

static uint32_t
model_run(const struct vnet_bpf_insn *insns, const uint8_t *wire, size_t len)
{
	struct model s = {.wire = wire, .len = len};
	size_t pc = 0;

	for (;;) {
		const struct vnet_bpf_insn *i = &insns[pc++];
		unsigned class = i->code % 8, op = i->code / 16;
		uint64_t b = i->code & 8 ? s.x : i->k;

		if (class == LD)
			s.a = model_load(&s, i->code, i->k);
		else if (class == LDX)
			s.x = model_load(&s, i->code, i->k);
		else if (class == ST)
			s.m[i->k] = s.a;
		else if (class == STX)
			s.m[i->k] = s.x;
		else if (class == ALU)
			s.a = (uint32_t)model_arithmetic(&s, op, s.a, b);
		else if (class == JMP && op == 0)
			pc += i->k;
		else if (class == JMP)
			pc += model_holds(op, s.a, b) ? i->jt : i->jf;
		else if (class == RET)
			return op == 1 ? (uint32_t)s.a : i->k;
		else if (op == 0)
			s.x = s.a;
		else
			s.a = s.x;
		if (s.ended)
			return 0;
	}
}

/* Is it one that libpcap's bpf_filter() runs? By its fields again. */
static bool
is_opcode(unsigned code)
{
	unsigned mode = code / 32, size = code / 8 % 4, op = code / 16;

	if (code > 255)
		return false;
	switch (code % 8) {
	case LD:
		if (mode == 1 || mode == 2)
			return size < 3;
		return (mode == 0 || mode == 3 || mode == 4) && size == 0;
	case LDX:
		if (mode == 5)
			return size == 2;
		return (mode == 0 || mode == 3 || mode == 4) && size == 0;
	case ST:
	case STX:
		return code < 8;
	case ALU:
		return op <= 10 && !(op == 8 && code & 8);
	case JMP:
		return op <= 4 && !(op == 0 && code & 8);
	case RET:
		return code == 0x06 || code == 0x16;
	default:
		return code == 0x07 || code == 0x87;
	}
}

static const uint8_t frame[] = {
	0x02, 0x00, 0x5e, 0x10, 0x00, 0x01, 0x06, 0x80, 0xff,
	0x00, 0x00, 0x02, 0x08, 0x00, 0x47, 0x99, 0xfe, 0xdc,
};

static void
test_each_instruction_does_what_it_says(void **state)
{
	static const struct {
		uint32_t want;
		struct vnet_bpf_insn insns[5];
	} cases[] = {
#define CASE(want_, ...)            \
	{                           \
		want_,              \
		{                   \
			__VA_ARGS__ \
		}                   \
	}
#define OP(op_, k_)                               \
	{                                         \
		.code = VNET_BPF_##op_, .k = (k_) \
	}
#define A OP(RET_A, 0)
#define X OP(TXA, 0), A
		CASE(7, OP(RET_K, 7)),
		CASE(UINT32_MAX, OP(RET_K, UINT32_MAX)),
		CASE(0, A), /* A is 0 at the start */
		CASE(0, X), /* and so is X */
		CASE(0, OP(LD_IMM, 1), OP(LD_MEM, 15), A), /* and M */
		CASE(0, OP(LDX_IMM, 1), OP(LDX_MEM, 0), X),

		CASE(0xdeadbeef, OP(LD_IMM, 0xdeadbeef), A),
		CASE(0x02005e10, OP(LD_W_ABS, 0), A),
		CASE(0x4799fedc, OP(LD_W_ABS, 14), A),
		CASE(0xfedc, OP(LD_H_ABS, 16), A),
		CASE(0x80, OP(LD_B_ABS, 7), A),
		CASE(0x80ff0000, OP(LDX_IMM, 3), OP(LD_W_IND, 4), A),
		CASE(0x0680, OP(LDX_IMM, 6), OP(LD_H_IND, 0), A),
		CASE(0xff, OP(LDX_IMM, 1), OP(LD_B_IND, 7), A),
		CASE(18, OP(LD_LEN, 0), A),
		CASE(5, OP(LDX_IMM, 5), X),
		CASE(18, OP(LDX_LEN, 0), X),
		CASE(28, OP(LDX_MSH, 14), X), /* 4 * (0x47 & 0xf) */
		CASE(36, OP(LDX_MSH, 15), X),

		CASE(9, OP(LD_IMM, 9), OP(ST, 15), OP(LD_IMM, 1),
		     OP(LD_MEM, 15), A),
		CASE(9, OP(LDX_IMM, 9), OP(STX, 0), OP(LD_MEM, 0), A),
		CASE(9, OP(LD_IMM, 9), OP(ST, 3), OP(LDX_MEM, 3), X),
		CASE(0, OP(LD_IMM, 9), OP(ST, 3), OP(LDX_MEM, 2), X),
		CASE(4, OP(LD_IMM, 4), OP(TAX, 0), OP(LD_IMM, 0), X),

#define K(op_, a_, k_)  OP(LD_IMM, a_), OP(op_##_K, k_), A
#define AX(op_, a_, x_) OP(LD_IMM, a_), OP(LDX_IMM, x_), OP(op_##_X, 0), A
		CASE(1, K(ADD, 0xffffffff, 2)),
		CASE(1, AX(ADD, 0xffffffff, 2)),
		CASE(0xffffffff, K(SUB, 1, 2)),
		CASE(0xffffffff, AX(SUB, 1, 2)),
		CASE(0xfffe0001, K(MUL, 0xffff, 0xffff)),
		CASE(1, AX(MUL, 0xffffffff, 0xffffffff)),
		CASE(0x7fffffff, K(DIV, 0xffffffff, 2)),
		CASE(3, AX(DIV, 10, 3)),
		CASE(0, AX(DIV, 10, 0)),
		CASE(1, K(MOD, 10, 3)),
		CASE(1, AX(MOD, 0xffffffff, 2)),
		CASE(0, AX(MOD, 10, 0)),
		CASE(0x5a, K(OR, 0x50, 0x0a)),
		CASE(0x5a, AX(OR, 0x50, 0x0a)),
		CASE(0x40, K(AND, 0x50, 0xc0)),
		CASE(0x40, AX(AND, 0x50, 0xc0)),
		CASE(0x90, K(XOR, 0x50, 0xc0)),
		CASE(0x90, AX(XOR, 0x50, 0xc0)),
		CASE(0x80000000, K(LSH, 3, 31)),
		CASE(0x80000000, AX(LSH, 3, 31)),
		CASE(1, K(RSH, 0xffffffff, 31)),
		CASE(1, AX(RSH, 0xffffffff, 31)),
		CASE(0xffffffff, OP(LD_IMM, 1), OP(NEG, 0), A),
		CASE(0x80000000, OP(LD_IMM, 0x80000000), OP(NEG, 0), A),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t ret;
		size_t n = COUNT(cases[i].insns);

		/* What follows the return is zero: ld #0, never reached. */
		while (cases[i].insns[n - 1].code % 8 != RET)
			n--;
		ret = run_tagged(cases[i].insns, n, frame, sizeof(frame), NULL,
				 0);
		if (ret != cases[i].want)
			fail_msg("case %zu: %#x, not %#x", i, ret,
				 cases[i].want);
	}
}

static void
test_each_jump_goes_where_it_says(void **state)
{
	static const struct {
		uint16_t op;
		uint32_t a, b;
		bool holds;
	} cases[] = {
		{VNET_BPF_JEQ_K, 5, 5, true},
		{VNET_BPF_JEQ_K, 5, 6, false},
		{VNET_BPF_JGT_K, 6, 5, true},
		{VNET_BPF_JGT_K, 5, 5, false},
		{VNET_BPF_JGT_K, 0xffffffff, 1, true}, /* unsigned */
		{VNET_BPF_JGE_K, 5, 5, true},
		{VNET_BPF_JGE_K, 4, 5, false},
		{VNET_BPF_JGE_K, 0x80000000, 1, true},
		{VNET_BPF_JSET_K, 6, 2, true},
		{VNET_BPF_JSET_K, 6, 9, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		PROGRAM(constant, I(VNET_BPF_LD_IMM, cases[i].a),
			I(VNET_BPF_LDX_IMM, ~cases[i].b),
			J(cases[i].op, cases[i].b, 1, 2), I(VNET_BPF_RET_K, 1),
			I(VNET_BPF_RET_K, 2), I(VNET_BPF_RET_K, 3));
		PROGRAM(index, I(VNET_BPF_LD_IMM, cases[i].a),
			I(VNET_BPF_LDX_IMM, cases[i].b),
			J(cases[i].op | 8, ~cases[i].b, 1, 2),
			I(VNET_BPF_RET_K, 1), I(VNET_BPF_RET_K, 2),
			I(VNET_BPF_RET_K, 3));

		assert_int_equal(RUN(constant, frame, sizeof(frame)),
				 cases[i].holds ? 2 : 3);
		assert_int_equal(RUN(index, frame, sizeof(frame)),
				 cases[i].holds ? 2 : 3);
	}
}

static void
test_longest_jumps_are_taken(void **state)
{
	enum { N = 65536 };
	struct vnet_bpf_insn *insns = calloc(N, sizeof(*insns));

	(void)state;
	assert_non_null(insns);
	for (size_t i = 0; i < N; i++)
		insns[i] = I(VNET_BPF_RET_K, (uint32_t)i);
	insns[0] = I(VNET_BPF_JA, N - 2);
	assert_int_equal(run_tagged(insns, N, frame, sizeof(frame), NULL, 0),
			 N - 1);
	insns[0] = J(VNET_BPF_JEQ_K, 0, 255, 254);
	assert_int_equal(run_tagged(insns, N, frame, sizeof(frame), NULL, 0),
			 256);
	insns[0] = J(VNET_BPF_JEQ_K, 1, 254, 255);
	assert_int_equal(run_tagged(insns, N, frame, sizeof(frame), NULL, 0),
			 256);
	free(insns);
}

static void
test_shift_by_32_or_more_gives_0(void **state)
{
	static const uint16_t ops[] = {VNET_BPF_LSH_K, VNET_BPF_RSH_K};
	static const uint32_t by[] = {32,  33,         63,        64,
				      255, 0x80000000, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < COUNT(ops); i++) {
		for (size_t j = 0; j < COUNT(by); j++) {
			PROGRAM(constant, I(VNET_BPF_LD_IMM, UINT32_MAX),
				I(ops[i], by[j]), I(VNET_BPF_OR_K, 4), RET_A);
			PROGRAM(index, I(VNET_BPF_LD_IMM, UINT32_MAX),
				I(VNET_BPF_LDX_IMM, by[j]), I(ops[i] | 8, 0),
				I(VNET_BPF_OR_K, 4), RET_A);

			assert_int_equal(RUN(constant, frame, sizeof(frame)),
					 4);
			assert_int_equal(RUN(index, frame, sizeof(frame)), 4);
		}
	}
}

static void
test_load_beyond_the_frame_ends_the_program_with_0(void **state)
{
	static const struct {
		uint16_t code;
		uint32_t octets;
		bool is_ind;
	} loads[] = {
		{VNET_BPF_LD_W_ABS, 4, false}, {VNET_BPF_LD_H_ABS, 2, false},
		{VNET_BPF_LD_B_ABS, 1, false}, {VNET_BPF_LDX_MSH, 1, false},
		{VNET_BPF_LD_W_IND, 4, true},  {VNET_BPF_LD_H_IND, 2, true},
		{VNET_BPF_LD_B_IND, 1, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(loads); i++) {
		for (uint32_t len = 0; len <= sizeof(frame); len++) {
			uint32_t k = len - loads[i].octets; /* may wrap */
			PROGRAM(last, I(loads[i].code, k),
				I(VNET_BPF_RET_K, 1));
			PROGRAM(beyond, I(loads[i].code, k + 1),
				I(VNET_BPF_RET_K, 1));

			assert_int_equal(RUN(last, frame, len),
					 len >= loads[i].octets);
			if (len + 1 != loads[i].octets)
				assert_int_equal(RUN(beyond, frame, len), 0);
		}
		for (uint32_t k = UINT32_MAX - 4; k != 0; k++) {
			PROGRAM(far, I(loads[i].code, k), I(VNET_BPF_RET_K, 1));

			assert_int_equal(RUN(far, frame, sizeof(frame)), 0);
		}
	}
}

static void
test_index_and_offset_do_not_wrap(void **state)
{
	static const uint16_t ops[] = {VNET_BPF_LD_W_IND, VNET_BPF_LD_H_IND,
				       VNET_BPF_LD_B_IND};

	(void)state;
	for (size_t i = 0; i < COUNT(ops); i++) {
		PROGRAM(to_0, I(VNET_BPF_LDX_IMM, UINT32_MAX), I(ops[i], 1),
			I(VNET_BPF_RET_K, 1));
		PROGRAM(to_4, I(VNET_BPF_LDX_IMM, 8), I(ops[i], UINT32_MAX - 3),
			I(VNET_BPF_RET_K, 1));
		PROGRAM(to_end, I(VNET_BPF_LDX_IMM, UINT32_MAX),
			I(ops[i], UINT32_MAX), I(VNET_BPF_RET_K, 1));

		assert_int_equal(RUN(to_0, frame, sizeof(frame)), 0);
		assert_int_equal(RUN(to_4, frame, sizeof(frame)), 0);
		assert_int_equal(RUN(to_end, frame, sizeof(frame)), 0);
	}
}

static void
test_frame_without_octets_is_not_read(void **state)
{
	const struct vnet_frame f = {.data = NULL};
	PROGRAM(len, I(VNET_BPF_LD_LEN, 0), I(VNET_BPF_ADD_K, 1), RET_A);
	PROGRAM(load, I(VNET_BPF_LD_B_ABS, 0), I(VNET_BPF_RET_K, 1));
	struct vnet_bpf_op ops[3];

	(void)state;
	vnet_bpf_translate(ops, len, COUNT(len));
	assert_int_equal(vnet_bpf_run(ops, &f), 1);
	vnet_bpf_translate(ops, load, COUNT(load));
	assert_int_equal(vnet_bpf_run(ops, &f), 0);
}

static void
test_any_frame_can_be_matched(void **state)
{
	struct vnet_frame f = {.data = NULL};
	uint8_t octets[20] = {1};
	PROGRAM(all, I(VNET_BPF_RET_K, 1));
	PROGRAM(none, I(VNET_BPF_RET_K, 0));
	PROGRAM(first, I(VNET_BPF_LD_B_ABS, 0), RET_A);
	PROGRAM(shifted, I(VNET_BPF_LD_IMM, 1), I(VNET_BPF_LSH_K, 32), RET_A);

	(void)state;
	assert_true(vnet_bpf_match(NULL, 0, &f));
	assert_true(vnet_bpf_match(all, 1, &f));
	assert_false(vnet_bpf_match(none, 1, &f));
	assert_false(vnet_bpf_match(first, COUNT(first), &f));
	assert_false(vnet_bpf_match(shifted, COUNT(shifted), &f));
	f.data = octets;
	f.len = sizeof(octets);
	assert_true(vnet_bpf_match(first, COUNT(first), &f));
	/* Tags as no driver should have them. */
	f.ntags = VNET_MAX_TAGS;
	assert_true(vnet_bpf_match(first, COUNT(first), &f));
	f.ntags = VNET_MAX_TAGS + 1;
	assert_false(vnet_bpf_match(all, 1, &f));
	assert_true(vnet_bpf_match(NULL, 0, &f));
	f.ntags = 1;
	f.len = 11;
	assert_false(vnet_bpf_match(all, 1, &f));
}

/* The frame as it is on the wire. */
static size_t
put_on_wire(uint8_t *wire, const uint8_t *octets, size_t len,
	    const struct vnet_tag *tags, unsigned ntags)
{
	uint8_t *p = wire;
	size_t head = ntags ? 12 : len;

	for (size_t i = 0; i < head; i++)
		*p++ = octets[i];
	for (unsigned i = 0; i < ntags; i++) {
		*p++ = (uint8_t)(tags[i].tpid / 256);
		*p++ = (uint8_t)(tags[i].tpid % 256);
		*p++ = (uint8_t)(tags[i].tci / 256);
		*p++ = (uint8_t)(tags[i].tci % 256);
	}
	for (size_t i = head; i < len; i++)
		*p++ = octets[i];
	return (size_t)(p - wire);
}

static void
test_tags_out_of_band_are_seen_where_they_are_on_the_wire(void **state)
{
	static const struct vnet_tag tags[] = {{0x88a8, 0x1234},
					       {0x8100, 0xe00f}};
	static const uint16_t ops[][2] = {
		{VNET_BPF_LD_W_ABS, VNET_BPF_LD_W_IND},
		{VNET_BPF_LD_H_ABS, VNET_BPF_LD_H_IND},
		{VNET_BPF_LD_B_ABS, VNET_BPF_LD_B_IND},
		{VNET_BPF_LDX_MSH, VNET_BPF_LD_B_IND},
	};
	uint8_t wire[64];
	unsigned n;
	size_t len;

	(void)state;
	for (n = 0; n <= 2; n++) {
		PROGRAM(octets, I(VNET_BPF_LD_LEN, 0), RET_A);

		len = put_on_wire(wire, frame, sizeof(frame), tags, n);
		assert_int_equal(len, sizeof(frame) + (size_t)4 * n);
		assert_int_equal(run_tagged(octets, COUNT(octets), frame,
					    sizeof(frame), tags, n),
				 len);
		for (size_t i = 0; i < 2 * COUNT(ops); i++) {
			for (uint32_t at = 0; at < len + 6; at++) {
				PROGRAM(p, I(VNET_BPF_LDX_IMM, at / 2),
					I(ops[i / 2][i % 2],
					  i % 2 ? at - at / 2 : at),
					I(VNET_BPF_ADD_X, 0),
					I(VNET_BPF_OR_K, 1), RET_A);

				assert_int_equal(run_tagged(p, COUNT(p), frame,
							    sizeof(frame), tags,
							    n),
						 model_run(p, wire, len));
			}
		}
	}
}

static void
test_load_from_a_tagged_frame_does_not_wrap(void **state)
{
	static const struct vnet_tag tags[] = {{0x88a8, 1}, {0x8100, 2}};
	static const uint16_t ops[] = {VNET_BPF_LD_W_ABS, VNET_BPF_LD_H_ABS,
				       VNET_BPF_LD_B_ABS, VNET_BPF_LDX_MSH,
				       VNET_BPF_LD_W_IND, VNET_BPF_LD_H_IND,
				       VNET_BPF_LD_B_IND};

	(void)state;
	for (size_t i = 0; i < COUNT(ops); i++) {
		for (uint32_t k = UINT32_MAX - 16; k != 0; k++) {
			PROGRAM(p, I(VNET_BPF_LDX_IMM, i < 4 ? 0 : 20),
				I(ops[i], k), I(VNET_BPF_RET_K, 1));

			assert_int_equal(run_tagged(p, COUNT(p), frame,
						    sizeof(frame), tags, 2),
					 0);
		}
	}
}

/* A load and the comparison behind it run as one; here somebody jumps between
 * them. */
static void
test_jump_between_a_load_and_its_comparison(void **state)
{
	static const uint16_t loads[] = {VNET_BPF_LD_W_ABS, VNET_BPF_LD_H_ABS,
					 VNET_BPF_LD_B_ABS, VNET_BPF_LD_W_IND,
					 VNET_BPF_LD_H_IND, VNET_BPF_LD_B_IND};
	static const uint16_t jumps[] = {VNET_BPF_JEQ_K, VNET_BPF_JSET_K};

	(void)state;
	for (size_t i = 0; i < COUNT(loads); i++) {
		for (size_t j = 0; j < COUNT(jumps); j++) {
			PROGRAM(p, I(VNET_BPF_LD_IMM, 0x55), I(VNET_BPF_JA, 1),
				I(loads[i], 0), J(jumps[j], 0x55, 0, 1),
				I(VNET_BPF_RET_K, 1), I(VNET_BPF_RET_K, 2));
			PROGRAM(q, I(VNET_BPF_LD_IMM, 0x55),
				J(VNET_BPF_JGT_K, 0, 0, 1), I(loads[i], 0),
				J(jumps[j], 0x55, 0, 1), I(VNET_BPF_RET_K, 1),
				I(VNET_BPF_RET_K, 2));

			assert_int_equal(RUN(p, frame, sizeof(frame)), 1);
			assert_int_equal(RUN(q, frame, sizeof(frame)),
					 model_run(q, frame, sizeof(frame)));
		}
	}
}

/* Hurd's pfinet: ARP, IPv4, IPv6. */
static void
test_filter_of_pfinet(void **state)
{
	PROGRAM(pfinet, I(VNET_BPF_LD_H_ABS, 12),
		J(VNET_BPF_JEQ_K, 0x0806, 2, 0),
		J(VNET_BPF_JEQ_K, 0x0800, 1, 0),
		J(VNET_BPF_JEQ_K, 0x86dd, 0, 1), I(VNET_BPF_RET_K, 1500),
		I(VNET_BPF_RET_K, 0));
	uint8_t f[14] = {0};
	unsigned passed = 0;

	(void)state;
	for (unsigned type = 0; type < 65536; type++) {
		f[12] = (uint8_t)(type >> 8);
		f[13] = (uint8_t)type;
		passed += RUN(pfinet, f, sizeof(f)) == 1500;
		if (type == 0x0800 || type == 0x0806 || type == 0x86dd)
			assert_int_equal(RUN(pfinet, f, sizeof(f)), 1500);
	}
	assert_int_equal(passed, 3);
	assert_int_equal(RUN(pfinet, f, 13), 0);
}

static void
assert_refused(const struct vnet_bpf_insn *insns, size_t n, size_t max,
	       const char *text, size_t index, uint64_t found, uint64_t bound)
{
	struct vnet_why why = {0};

	assert_int_equal(vnet_bpf_check(insns, n, max, &why), -EINVAL);
	assert_string_equal(why.text, text);
	assert_int_equal(why.index, index);
	assert_int_equal(why.found, found);
	assert_int_equal(why.bound, bound);
	assert_int_equal(vnet_bpf_check(insns, n, max, NULL), -EINVAL);
}

static void
test_program_of_wrong_length_is_refused(void **state)
{
	struct vnet_bpf_insn *insns = calloc(4097, sizeof(*insns));
	struct vnet_why why = {.text = "untouched"};

	(void)state;
	assert_non_null(insns);
	for (size_t i = 0; i < 4097; i++)
		insns[i] = RET_A;
	assert_refused(insns, 0, 0, "program without instructions", 0, 0, 1);
	assert_refused(NULL, 1, 0, "program without instructions", 0, 0, 1);
	assert_refused(insns, 4097, 0, "program too long", 0, 4097, 4096);
	assert_refused(insns, 3, 2, "program too long", 0, 3, 2);
	assert_int_equal(vnet_bpf_check(insns, 4096, 0, &why), 0);
	assert_int_equal(vnet_bpf_check(insns, 4097, 4097, &why), 0);
	assert_int_equal(vnet_bpf_check(insns, 1, 1, &why), 0);
	assert_string_equal(why.text, "untouched");
	free(insns);
}

static void
test_exactly_the_known_opcodes_are_accepted(void **state)
{
	unsigned accepted = 0;

	(void)state;
	for (unsigned code = 0; code < 65536; code++) {
		PROGRAM(p, J((uint16_t)code, 1, 0, 0), RET_A, RET_A);

		if (is_opcode(code)) {
			assert_int_equal(vnet_bpf_check(p, 3, 0, NULL), 0);
			accepted++;
		} else {
			assert_refused(p, 3, 0, "unknown opcode", 0, code, 0);
		}
	}
	assert_int_equal(accepted, 49);
}

static void
test_jump_beyond_the_program_is_refused(void **state)
{
	static const char text[] = "jump beyond the end of the program";

	(void)state;
	for (uint16_t op = 0x15; op <= 0x4d; op = (uint16_t)(op + 8)) {
		PROGRAM(inside, RET_A, J(op, 0, 1, 1), RET_A, RET_A);
		PROGRAM(t, RET_A, J(op, 0, 2, 0), RET_A, RET_A);
		PROGRAM(f, RET_A, J(op, 0, 0, 255), RET_A, RET_A);
		PROGRAM(last, RET_A, J(op, 0, 0, 0));

		assert_int_equal(vnet_bpf_check(inside, 4, 0, NULL), 0);
		assert_refused(t, 4, 0, text, 1, 4, 4);
		assert_refused(f, 4, 0, text, 1, 257, 4);
		assert_refused(last, 2, 0, text, 1, 2, 2);
	}
	for (uint32_t k = 0; k < 8; k++) {
		PROGRAM(near, RET_A, I(VNET_BPF_JA, k), RET_A, RET_A);
		PROGRAM(back, RET_A, I(VNET_BPF_JA, UINT32_MAX - k), RET_A,
			RET_A);

		if (k < 2)
			assert_int_equal(vnet_bpf_check(near, 4, 0, NULL), 0);
		else
			assert_refused(near, 4, 0, text, 1, 2 + k, 4);
		assert_refused(back, 4, 0, text, 1,
			       (uint64_t)2 + UINT32_MAX - k, 4);
	}
}

static void
test_scratch_index_out_of_range_is_refused(void **state)
{
	static const uint16_t ops[] = {VNET_BPF_LD_MEM, VNET_BPF_LDX_MEM,
				       VNET_BPF_ST, VNET_BPF_STX};
	static const uint32_t wrong[] = {16, 17, 0x80000000, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < COUNT(ops); i++) {
		PROGRAM(good, I(ops[i], 15), RET_A);

		assert_int_equal(vnet_bpf_check(good, 2, 0, NULL), 0);
		for (size_t j = 0; j < COUNT(wrong); j++) {
			PROGRAM(bad, I(ops[i], wrong[j]), RET_A);

			assert_refused(bad, 2, 0,
				       "no such word of scratch memory", 0,
				       wrong[j], 16);
		}
	}
}

static void
test_division_by_constant_0_is_refused(void **state)
{
	PROGRAM(div, RET_A, RET_A, I(VNET_BPF_DIV_K, 0), RET_A);
	PROGRAM(mod, RET_A, I(VNET_BPF_MOD_K, 0), RET_A);
	PROGRAM(by_x, I(VNET_BPF_DIV_X, 0), I(VNET_BPF_MOD_X, 0), RET_A);

	(void)state;
	assert_refused(div, COUNT(div), 0, "division by 0", 2, 0, 1);
	assert_refused(mod, COUNT(mod), 0, "division by 0", 1, 0, 1);
	assert_int_equal(vnet_bpf_check(by_x, COUNT(by_x), 0, NULL), 0);
}

static void
test_program_must_end_in_a_return(void **state)
{
	PROGRAM(falls, RET_A, I(VNET_BPF_LD_IMM, 0));

	(void)state;
	assert_refused(falls, COUNT(falls), 0,
		       "program does not end in a return", 1, 0, 0);
}

static void
test_first_error_is_the_one_that_is_told(void **state)
{
	PROGRAM(p, RET_A, I(VNET_BPF_ST, 99), I(0xff, 0), I(VNET_BPF_NEG, 0));

	(void)state;
	assert_refused(p, COUNT(p), 0, "no such word of scratch memory", 1, 99,
		       16);
}

/* Make a program that the validator must accept. */
static size_t
make_program(struct vnet_bpf_insn *insns, size_t max)
{
	static const uint16_t frequent[] = {
		VNET_BPF_LD_H_ABS, VNET_BPF_LD_B_ABS, VNET_BPF_LD_H_IND,
		VNET_BPF_LDX_MSH,  VNET_BPF_JEQ_K,    VNET_BPF_JSET_K,
		VNET_BPF_JEQ_K,    VNET_BPF_ST,       VNET_BPF_LD_MEM,
	};
	size_t n = 1 + below((uint32_t)max);

	for (size_t i = 0; i < n; i++) {
		uint32_t left = (uint32_t)(n - 1 - i);
		struct vnet_bpf_insn *p = &insns[i];

		do {
			p->code = below(2) ? frequent[below(COUNT(frequent))]
					   : (uint16_t)below(256);
			/* Returns in the middle make short programs. */
		} while (!is_opcode(p->code) ||
			 (p->code % 8 == RET && left && below(4)) ||
			 (p->code % 8 == JMP && !left));
		if (!left)
			p->code = below(4) ? VNET_BPF_RET_A : VNET_BPF_RET_K;

		p->k = below(10)  ? below(20)
		       : below(2) ? rnd()
				  : UINT32_MAX - below(40);
		if (p->code % 8 == ST || p->code % 8 == STX ||
		    (p->code % 8 <= LDX && p->code / 32 == 3))
			p->k %= 16;
		if (p->code == VNET_BPF_DIV_K || p->code == VNET_BPF_MOD_K)
			p->k |= 1;
		/* What frames hold, so that comparisons do come true. */
		if (p->code == VNET_BPF_JEQ_K && below(2))
			p->k = below(2) ? below(4) : 0x0800;
		p->jt = left ? (uint8_t)below(left < 6 ? left : 6) : 0;
		p->jf = left ? (uint8_t)below(left < 6 ? left : 6) : 0;
		if (p->code == VNET_BPF_JA)
			p->k = below(left);
	}
	return n;
}

static void
test_random_programs_do_what_the_model_does(void **state)
{
	unsigned matched = 0;

	(void)state;
	seed = 20;
	for (unsigned round = 0; round < 40000; round++) {
		struct vnet_bpf_insn insns[32];
		uint8_t octets[64], wire[80];
		struct vnet_tag tags[2];
		size_t n = make_program(insns, COUNT(insns));
		size_t len = below(4) ? 14 + below(51) : below(20);
		unsigned ntags = len >= 14 ? below(3) : 0;
		uint32_t want;

		for (size_t i = 0; i < len; i++)
			octets[i] = (uint8_t)(below(2) ? below(4) : rnd());
		if (len >= 14 && below(2)) {
			octets[12] = 8;
			octets[13] = 0;
		}
		for (unsigned i = 0; i < 2; i++) {
			tags[i].tpid = below(2) ? 0x8100 : 0x88a8;
			tags[i].tci = (uint16_t)rnd();
		}

		want = model_run(insns, wire,
				 put_on_wire(wire, octets, len, tags, ntags));
		matched += want != 0;
		if (run_tagged(insns, n, octets, len, tags, ntags) != want)
			fail_msg("round %u: not %#x", round, want);
	}
	/* Programs that all end at once would show nothing. */
	assert_in_range(matched, 8000, 32000);
}

static bool
is_shift(const struct vnet_bpf_insn *insn)
{
	return insn->code == VNET_BPF_LSH_K || insn->code == VNET_BPF_RSH_K;
}

static void
test_programs_are_read_as_they_were_made(void **state)
{
	(void)state;
	seed = 21;
	for (unsigned round = 0; round < 4000; round++) {
		struct vnet_bpf_insn insns[32], read[32];
		struct vnet_bpf_op ops[32];
		size_t n = make_program(insns, COUNT(insns));

		vnet_bpf_translate(ops, insns, n);
		vnet_bpf_read(read, ops, n);
		/* Every bit is shifted out: it is read as what that gives. */
		for (size_t i = 0; i < n; i++)
			if (is_shift(&insns[i]) && insns[i].k >= 32) {
				insns[i].code = VNET_BPF_LD_IMM;
				insns[i].k = 0;
			}
		assert_memory_equal(read, insns, n * sizeof(*insns));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_instruction_does_what_it_says),
		cmocka_unit_test(test_each_jump_goes_where_it_says),
		cmocka_unit_test(test_longest_jumps_are_taken),
		cmocka_unit_test(test_shift_by_32_or_more_gives_0),
		cmocka_unit_test(
			test_load_beyond_the_frame_ends_the_program_with_0),
		cmocka_unit_test(test_index_and_offset_do_not_wrap),
		cmocka_unit_test(test_frame_without_octets_is_not_read),
		cmocka_unit_test(
			test_tags_out_of_band_are_seen_where_they_are_on_the_wire),
		cmocka_unit_test(test_load_from_a_tagged_frame_does_not_wrap),
		cmocka_unit_test(test_jump_between_a_load_and_its_comparison),
		cmocka_unit_test(test_filter_of_pfinet),
		cmocka_unit_test(test_program_of_wrong_length_is_refused),
		cmocka_unit_test(test_exactly_the_known_opcodes_are_accepted),
		cmocka_unit_test(test_jump_beyond_the_program_is_refused),
		cmocka_unit_test(test_scratch_index_out_of_range_is_refused),
		cmocka_unit_test(test_division_by_constant_0_is_refused),
		cmocka_unit_test(test_program_must_end_in_a_return),
		cmocka_unit_test(test_first_error_is_the_one_that_is_told),
		cmocka_unit_test(test_any_frame_can_be_matched),
		cmocka_unit_test(test_random_programs_do_what_the_model_does),
		cmocka_unit_test(test_programs_are_read_as_they_were_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
