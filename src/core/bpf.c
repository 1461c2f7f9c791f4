/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF.
 *
 * A checked program cannot misbehave: it ends, since every jump goes forward
 * and the last instruction returns; it divides by no constant 0; it reaches
 * scratch memory by constant indices alone, which are in range. What depends
 * on the frame is checked as it runs: a load that is not wholly within the
 * frame, or a division by X = 0, ends it with 0.
 *
 * Translation keeps every instruction where it is. It numbers the opcodes
 * without gaps, for the interpreter's jump table, and where a load is followed
 * by the comparison that it is nearly always for, its op does both; likewise with
 * a mask between them. What was fused stays in its place, for whoever jumps
 * there. What a program costs is the jumps through the table: this, and the look
 * ahead behind OP_JEQ_K, leave a common filter half of them or fewer. And then it
 * is the wait for each jump's distance, without which the processor cannot read
 * the next instruction ahead: where a comparison goes on behind itself, its op
 * says so.
 */
#include "bpf.h"
#include "why.h"

enum op {
	OP_UNKNOWN, /* so that the table below says what it does not name */
	OP_LD_IMM,
	OP_LD_W_ABS,
	OP_LD_H_ABS,
	OP_LD_B_ABS,
	OP_LD_W_IND,
	OP_LD_H_IND,
	OP_LD_B_IND,
	OP_LD_MEM,
	OP_LD_LEN,
	OP_LDX_IMM,
	OP_LDX_MEM,
	OP_LDX_LEN,
	OP_LDX_MSH,
	OP_ST,
	OP_STX,
	OP_ADD_K,
	OP_ADD_X,
	OP_SUB_K,
	OP_SUB_X,
	OP_MUL_K,
	OP_MUL_X,
	OP_DIV_K,
	OP_DIV_X,
	OP_OR_K,
	OP_OR_X,
	OP_AND_K,
	OP_AND_X,
	OP_LSH_K,
	OP_LSH_X,
	OP_RSH_K,
	OP_RSH_X,
	OP_NEG,
	OP_MOD_K,
	OP_MOD_X,
	OP_XOR_K,
	OP_XOR_X,
	OP_JA,
	OP_JEQ_K,
	OP_JEQ_X,
	OP_JGT_K,
	OP_JGT_X,
	OP_JGE_K,
	OP_JGE_X,
	OP_JSET_K,
	OP_JSET_X,
	OP_RET_K,
	OP_RET_A,
	OP_TAX,
	OP_TXA,
	/* Two in one: the load, and OP_JEQ_K or OP_JSET_K in the next place.
	 * Each as it comes, where it goes on behind itself if they are equal,
	 * and where it does if they are not. */
	OP_LD_W_ABS_JEQ,
	OP_LD_W_ABS_JEQ_YES,
	OP_LD_W_ABS_JEQ_NO,
	OP_LD_H_ABS_JEQ,
	OP_LD_H_ABS_JEQ_YES,
	OP_LD_H_ABS_JEQ_NO,
	OP_LD_B_ABS_JEQ,
	OP_LD_B_ABS_JEQ_YES,
	OP_LD_B_ABS_JEQ_NO,
	OP_LD_W_IND_JEQ,
	OP_LD_W_IND_JEQ_YES,
	OP_LD_W_IND_JEQ_NO,
	OP_LD_H_IND_JEQ,
	OP_LD_H_IND_JEQ_YES,
	OP_LD_H_IND_JEQ_NO,
	OP_LD_B_IND_JEQ,
	OP_LD_B_IND_JEQ_YES,
	OP_LD_B_IND_JEQ_NO,
	OP_LD_H_ABS_JSET,
	OP_LD_H_ABS_JSET_YES,
	OP_LD_H_ABS_JSET_NO,
	OP_LD_B_ABS_JSET,
	OP_LD_B_ABS_JSET_YES,
	OP_LD_B_ABS_JSET_NO,
	OP_AND_K_JEQ,
	OP_AND_K_JEQ_YES,
	OP_AND_K_JEQ_NO,
	/* Three: what "net 10.0.0.0/8" comes to. */
	OP_LD_W_ABS_AND_JEQ,
	OP_LD_W_ABS_AND_JEQ_YES,
	OP_LD_W_ABS_AND_JEQ_NO,
};

static const uint8_t known[256] = {
	[VNET_BPF_LD_IMM] = OP_LD_IMM,
	[VNET_BPF_LD_W_ABS] = OP_LD_W_ABS,
	[VNET_BPF_LD_H_ABS] = OP_LD_H_ABS,
	[VNET_BPF_LD_B_ABS] = OP_LD_B_ABS,
	[VNET_BPF_LD_W_IND] = OP_LD_W_IND,
	[VNET_BPF_LD_H_IND] = OP_LD_H_IND,
	[VNET_BPF_LD_B_IND] = OP_LD_B_IND,
	[VNET_BPF_LD_MEM] = OP_LD_MEM,
	[VNET_BPF_LD_LEN] = OP_LD_LEN,
	[VNET_BPF_LDX_IMM] = OP_LDX_IMM,
	[VNET_BPF_LDX_MEM] = OP_LDX_MEM,
	[VNET_BPF_LDX_LEN] = OP_LDX_LEN,
	[VNET_BPF_LDX_MSH] = OP_LDX_MSH,
	[VNET_BPF_ST] = OP_ST,
	[VNET_BPF_STX] = OP_STX,
	[VNET_BPF_ADD_K] = OP_ADD_K,
	[VNET_BPF_ADD_X] = OP_ADD_X,
	[VNET_BPF_SUB_K] = OP_SUB_K,
	[VNET_BPF_SUB_X] = OP_SUB_X,
	[VNET_BPF_MUL_K] = OP_MUL_K,
	[VNET_BPF_MUL_X] = OP_MUL_X,
	[VNET_BPF_DIV_K] = OP_DIV_K,
	[VNET_BPF_DIV_X] = OP_DIV_X,
	[VNET_BPF_OR_K] = OP_OR_K,
	[VNET_BPF_OR_X] = OP_OR_X,
	[VNET_BPF_AND_K] = OP_AND_K,
	[VNET_BPF_AND_X] = OP_AND_X,
	[VNET_BPF_LSH_K] = OP_LSH_K,
	[VNET_BPF_LSH_X] = OP_LSH_X,
	[VNET_BPF_RSH_K] = OP_RSH_K,
	[VNET_BPF_RSH_X] = OP_RSH_X,
	[VNET_BPF_NEG] = OP_NEG,
	[VNET_BPF_MOD_K] = OP_MOD_K,
	[VNET_BPF_MOD_X] = OP_MOD_X,
	[VNET_BPF_XOR_K] = OP_XOR_K,
	[VNET_BPF_XOR_X] = OP_XOR_X,
	[VNET_BPF_JA] = OP_JA,
	[VNET_BPF_JEQ_K] = OP_JEQ_K,
	[VNET_BPF_JEQ_X] = OP_JEQ_X,
	[VNET_BPF_JGT_K] = OP_JGT_K,
	[VNET_BPF_JGT_X] = OP_JGT_X,
	[VNET_BPF_JGE_K] = OP_JGE_K,
	[VNET_BPF_JGE_X] = OP_JGE_X,
	[VNET_BPF_JSET_K] = OP_JSET_K,
	[VNET_BPF_JSET_X] = OP_JSET_X,
	[VNET_BPF_RET_K] = OP_RET_K,
	[VNET_BPF_RET_A] = OP_RET_A,
	[VNET_BPF_TAX] = OP_TAX,
	[VNET_BPF_TXA] = OP_TXA,
};

static enum op
find_op(const struct vnet_bpf_insn *insn)
{
	return insn->code < 256 ? (enum op)known[insn->code] : OP_UNKNOWN;
}

/* Does a jump over @skip instructions, from instruction @i, stay inside? */
static int
check_jump(size_t i, uint32_t skip, size_t ninsns, struct vnet_why *why)
{
	uint64_t target = (uint64_t)i + 1 + skip;

	if (target < ninsns)
		return 0;
	return vnet_why(why, "jump beyond the end of the program", i, target,
			ninsns);
}

static int
check_insn(const struct vnet_bpf_insn *insn, size_t i, size_t ninsns,
	   struct vnet_why *why)
{
	int err;

	switch (find_op(insn)) {
	case OP_UNKNOWN:
		return vnet_why(why, "unknown opcode", i, insn->code, 0);
	case OP_LD_MEM:
	case OP_LDX_MEM:
	case OP_ST:
	case OP_STX:
		if (insn->k >= VNET_BPF_SCRATCH)
			return vnet_why(why, "no such word of scratch memory",
					i, insn->k, VNET_BPF_SCRATCH);
		return 0;
	case OP_DIV_K:
	case OP_MOD_K:
		if (insn->k == 0)
			return vnet_why(why, "division by 0", i, 0, 1);
		return 0;
	case OP_JA:
		return check_jump(i, insn->k, ninsns, why);
	case OP_JEQ_K:
	case OP_JEQ_X:
	case OP_JGT_K:
	case OP_JGT_X:
	case OP_JGE_K:
	case OP_JGE_X:
	case OP_JSET_K:
	case OP_JSET_X:
		err = check_jump(i, insn->jt, ninsns, why);
		if (err)
			return err;
		return check_jump(i, insn->jf, ninsns, why);
	default:
		return 0;
	}
}

int
vnet_bpf_check(const struct vnet_bpf_insn *insns, size_t ninsns, size_t max,
	       struct vnet_why *why)
{
	enum op last;
	int err;

	if (max == 0)
		max = VNET_BPF_MAX_INSNS;
	if (!insns || ninsns == 0)
		return vnet_why(why, "program without instructions", 0, 0, 1);
	if (ninsns > max)
		return vnet_why(why, "program too long", 0, ninsns, max);

	for (size_t i = 0; i < ninsns; i++) {
		err = check_insn(&insns[i], i, ninsns, why);
		if (err)
			return err;
	}

	last = find_op(&insns[ninsns - 1]);
	if (last != OP_RET_K && last != OP_RET_A)
		return vnet_why(why, "program does not end in a return",
				ninsns - 1, insns[ninsns - 1].code, 0);
	return 0;
}

/* The op that does @op and then @next, and @third, or @op where there is
 * none. */
static enum op
fuse(enum op op, enum op next, enum op third)
{
	switch (op) {
	case OP_LD_W_ABS:
		return next == OP_JEQ_K ? OP_LD_W_ABS_JEQ
		       : next == OP_AND_K && third == OP_JEQ_K
			       ? OP_LD_W_ABS_AND_JEQ
			       : op;
	case OP_LD_H_ABS:
		return next == OP_JEQ_K    ? OP_LD_H_ABS_JEQ
		       : next == OP_JSET_K ? OP_LD_H_ABS_JSET
					   : op;
	case OP_LD_B_ABS:
		return next == OP_JEQ_K    ? OP_LD_B_ABS_JEQ
		       : next == OP_JSET_K ? OP_LD_B_ABS_JSET
					   : op;
	case OP_LD_W_IND:
		return next == OP_JEQ_K ? OP_LD_W_IND_JEQ : op;
	case OP_LD_H_IND:
		return next == OP_JEQ_K ? OP_LD_H_IND_JEQ : op;
	case OP_LD_B_IND:
		return next == OP_JEQ_K ? OP_LD_B_IND_JEQ : op;
	case OP_AND_K:
		return next == OP_JEQ_K ? OP_AND_K_JEQ : op;
	default:
		return op;
	}
}

/* The one of three that @op is the first of, for a jump like that. */
static enum op
choose(enum op op, const struct vnet_bpf_insn *jump)
{
	return jump->jt == 0 ? op + 1 : jump->jf == 0 ? op + 2 : op;
}

/* The op of instruction @i, OP_UNKNOWN behind the last. */
static enum op
op_at(const struct vnet_bpf_insn *insns, size_t i, size_t n)
{
	return i < n ? find_op(&insns[i]) : OP_UNKNOWN;
}

void
vnet_bpf_translate(struct vnet_bpf_op *ops, const struct vnet_bpf_insn *insns,
		   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum op op = find_op(&insns[i]);
		uint32_t k = insns[i].k;

		VNET_ASSERT(op != OP_UNKNOWN);

		/* Every bit is shifted out, which C leaves undefined. */
		if ((op == OP_LSH_K || op == OP_RSH_K) && k >= 32) {
			op = OP_LD_IMM;
			k = 0;
		}
		op = fuse(op, op_at(insns, i + 1, n), op_at(insns, i + 2, n));
		if (op == OP_LD_W_ABS_AND_JEQ)
			op = choose(op, &insns[i + 2]);
		else if (op >= OP_LD_W_ABS_JEQ)
			op = choose(op, &insns[i + 1]);

		ops[i].insn = (struct vnet_bpf_insn){
			.code = (uint16_t)op,
			.jt = insns[i].jt,
			.jf = insns[i].jf,
			.k = k,
		};
	}
}

/* What an op does before what it does with the next. Those that do so come in
 * threes: see choose(). */
static enum op
first_of(enum op op)
{
	if (op >= OP_LD_W_ABS_JEQ)
		op -= (op - OP_LD_W_ABS_JEQ) % 3;
	switch (op) {
	case OP_LD_W_ABS_JEQ:
	case OP_LD_W_ABS_AND_JEQ:
		return OP_LD_W_ABS;
	case OP_LD_H_ABS_JEQ:
	case OP_LD_H_ABS_JSET:
		return OP_LD_H_ABS;
	case OP_LD_B_ABS_JEQ:
	case OP_LD_B_ABS_JSET:
		return OP_LD_B_ABS;
	case OP_LD_W_IND_JEQ:
		return OP_LD_W_IND;
	case OP_LD_H_IND_JEQ:
		return OP_LD_H_IND;
	case OP_LD_B_IND_JEQ:
		return OP_LD_B_IND;
	case OP_AND_K_JEQ:
		return OP_AND_K;
	default:
		return op;
	}
}

void
vnet_bpf_read(struct vnet_bpf_insn *insns, const struct vnet_bpf_op *ops,
	      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const enum op op = first_of((enum op)ops[i].insn.code);
		uint16_t code = 0;

		while (known[code] != op)
			code++;
		insns[i] = ops[i].insn;
		insns[i].code = code;
	}
}

/* Where tags lie on the wire: behind the addresses. */
#define TAGS_AT 12

/* Load @size octets at @at, in network byte order. False if the frame does not
 * have them. @at is a sum of 32-bit numbers and does not wrap. */
VNET_INLINE bool
load_untagged(const struct vnet_frame *f, uint64_t at, uint32_t size,
	      uint32_t *v)
{
	const uint8_t *p;

	if (vnet_unlikely(at + size > f->len))
		return false;
	p = f->data + at;
	if (size == 4)
		*v = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		     (uint32_t)p[2] << 8 | p[3];
	else if (size == 2)
		*v = (uint32_t)p[0] << 8 | p[1];
	else
		*v = p[0];
	return true;
}

/* The octet at @at of a frame with tags, on the wire; the frame has it. */
static uint8_t
wire_octet(const struct vnet_frame *f, uint64_t at)
{
	const uint32_t tags = 4u * f->ntags;
	const struct vnet_tag *tag;
	uint16_t half;

	if (at < TAGS_AT)
		return f->data[at];
	if (at >= TAGS_AT + tags)
		return f->data[at - tags];
	tag = &f->tag[(at - TAGS_AT) / 4];
	half = at & 2 ? tag->tci : tag->tpid;
	return (uint8_t)(at & 1 ? half : half >> 8);
}

/* As load_untagged(), of a frame with tags. */
static bool
load_tagged(const struct vnet_frame *f, uint64_t at, uint32_t size, uint32_t *v)
{
	const uint32_t tags = 4u * f->ntags;
	uint32_t sum = 0;

	if (at >= TAGS_AT + tags)
		return load_untagged(f, at - tags, size, v);
	if (at + size > (uint64_t)f->len + tags)
		return false;
	for (uint32_t i = 0; i < size; i++)
		sum = sum << 8 | wire_octet(f, at + i);
	*v = sum;
	return true;
}

VNET_INLINE bool
load(const struct vnet_frame *f, bool tagged, uint64_t at, uint32_t size,
     uint32_t *v)
{
	return tagged ? load_tagged(f, at, size, v)
		      : load_untagged(f, at, size, v);
}

/* The op of an instruction; of one that is @raw, that it would be translated
 * to, alone. */
VNET_INLINE enum op
op_of(const struct vnet_bpf_insn *insn, bool raw)
{
	return raw ? find_op(insn) : (enum op)insn->code;
}

/* Written once, compiled three times: for translated programs, over frames with
 * tags out of band and, faster, over those without; and for a program as it came,
 * which is @raw. */
VNET_INLINE uint32_t
run(const struct vnet_bpf_insn *pc, const struct vnet_frame *f, bool tagged,
    bool raw)
{
	const uint32_t len = f->len + (tagged ? 4u * f->ntags : 0);
	uint32_t m[VNET_BPF_SCRATCH];
	uint32_t stored = 0; /* bit i: m[i] has a value, else it is 0 */
	uint32_t a = 0;
	uint32_t x = 0;

	for (;; pc++) {
		switch (op_of(pc, raw)) {
		case OP_LD_IMM:
			a = pc->k;
			break;
		case OP_LD_W_ABS:
			if (!load(f, tagged, pc->k, 4, &a))
				return 0;
			break;
		case OP_LD_H_ABS:
			if (!load(f, tagged, pc->k, 2, &a))
				return 0;
			break;
		case OP_LD_B_ABS:
			if (!load(f, tagged, pc->k, 1, &a))
				return 0;
			break;
		case OP_LD_W_IND:
			if (!load(f, tagged, (uint64_t)x + pc->k, 4, &a))
				return 0;
			break;
		case OP_LD_H_IND:
			if (!load(f, tagged, (uint64_t)x + pc->k, 2, &a))
				return 0;
			break;
		case OP_LD_B_IND:
			if (!load(f, tagged, (uint64_t)x + pc->k, 1, &a))
				return 0;
			break;
		case OP_LD_MEM:
			a = stored >> pc->k & 1 ? m[pc->k] : 0;
			break;
		case OP_LD_LEN:
			a = len;
			break;
		case OP_LDX_IMM:
			x = pc->k;
			break;
		case OP_LDX_MEM:
			x = stored >> pc->k & 1 ? m[pc->k] : 0;
			break;
		case OP_LDX_LEN:
			x = len;
			break;
		case OP_LDX_MSH:
			if (!load(f, tagged, pc->k, 1, &x))
				return 0;
			x = (x & 0xf) << 2;
			break;
		case OP_ST:
			m[pc->k] = a;
			stored |= 1u << pc->k;
			break;
		case OP_STX:
			m[pc->k] = x;
			stored |= 1u << pc->k;
			break;
		case OP_ADD_K:
			a += pc->k;
			break;
		case OP_ADD_X:
			a += x;
			break;
		case OP_SUB_K:
			a -= pc->k;
			break;
		case OP_SUB_X:
			a -= x;
			break;
		case OP_MUL_K:
			a *= pc->k;
			break;
		case OP_MUL_X:
			a *= x;
			break;
		case OP_DIV_K:
			a /= pc->k;
			break;
		case OP_DIV_X:
			if (x == 0)
				return 0;
			a /= x;
			break;
		case OP_OR_K:
			a |= pc->k;
			break;
		case OP_OR_X:
			a |= x;
			break;
		case OP_AND_K:
			a &= pc->k;
			break;
		case OP_AND_X:
			a &= x;
			break;
		case OP_LSH_K:
			if (raw && pc->k >= 32)
				a = 0;
			else
				a <<= pc->k;
			break;
		case OP_LSH_X:
			a = x < 32 ? a << x : 0;
			break;
		case OP_RSH_K:
			if (raw && pc->k >= 32)
				a = 0;
			else
				a >>= pc->k;
			break;
		case OP_RSH_X:
			a = x < 32 ? a >> x : 0;
			break;
		case OP_NEG:
			a = 0 - a;
			break;
		case OP_MOD_K:
			a %= pc->k;
			break;
		case OP_MOD_X:
			if (x == 0)
				return 0;
			a %= x;
			break;
		case OP_XOR_K:
			a ^= pc->k;
			break;
		case OP_XOR_X:
			a ^= x;
			break;
		case OP_JA:
			pc += pc->k;
			break;
		case OP_LD_W_ABS_JEQ:
			if (!load(f, tagged, pc->k, 4, &a))
				return 0;
			pc++;
			goto jeq;
		case OP_LD_W_ABS_JEQ_YES:
			if (!load(f, tagged, pc->k, 4, &a))
				return 0;
			pc++;
			goto jeq_yes;
		case OP_LD_W_ABS_JEQ_NO:
			if (!load(f, tagged, pc->k, 4, &a))
				return 0;
			pc++;
			goto jeq_no;
		case OP_LD_W_ABS_AND_JEQ:
			if (!load(f, tagged, pc->k, 4, &a))
				return 0;
			pc++;
			a &= pc->k;
			pc++;
			goto jeq;
		case OP_LD_W_ABS_AND_JEQ_YES:
			if (!load(f, tagged, pc->k, 4, &a))
				return 0;
			pc++;
			a &= pc->k;
			pc++;
			goto jeq_yes;
		case OP_LD_W_ABS_AND_JEQ_NO:
			if (!load(f, tagged, pc->k, 4, &a))
				return 0;
			pc++;
			a &= pc->k;
			pc++;
			goto jeq_no;
		case OP_AND_K_JEQ:
			a &= pc->k;
			pc++;
			goto jeq;
		case OP_AND_K_JEQ_YES:
			a &= pc->k;
			pc++;
			goto jeq_yes;
		case OP_AND_K_JEQ_NO:
			a &= pc->k;
			pc++;
			goto jeq_no;
		case OP_LD_H_ABS_JEQ:
			if (!load(f, tagged, pc->k, 2, &a))
				return 0;
			pc++;
			goto jeq;
		case OP_LD_H_ABS_JEQ_YES:
			if (!load(f, tagged, pc->k, 2, &a))
				return 0;
			pc++;
			goto jeq_yes;
		case OP_LD_H_ABS_JEQ_NO:
			if (!load(f, tagged, pc->k, 2, &a))
				return 0;
			pc++;
			goto jeq_no;
		case OP_LD_B_ABS_JEQ:
			if (!load(f, tagged, pc->k, 1, &a))
				return 0;
			pc++;
			goto jeq;
		case OP_LD_B_ABS_JEQ_YES:
			if (!load(f, tagged, pc->k, 1, &a))
				return 0;
			pc++;
			goto jeq_yes;
		case OP_LD_B_ABS_JEQ_NO:
			if (!load(f, tagged, pc->k, 1, &a))
				return 0;
			pc++;
			goto jeq_no;
		case OP_LD_W_IND_JEQ:
			if (!load(f, tagged, (uint64_t)x + pc->k, 4, &a))
				return 0;
			pc++;
			goto jeq;
		case OP_LD_W_IND_JEQ_YES:
			if (!load(f, tagged, (uint64_t)x + pc->k, 4, &a))
				return 0;
			pc++;
			goto jeq_yes;
		case OP_LD_W_IND_JEQ_NO:
			if (!load(f, tagged, (uint64_t)x + pc->k, 4, &a))
				return 0;
			pc++;
			goto jeq_no;
		case OP_LD_H_IND_JEQ:
			if (!load(f, tagged, (uint64_t)x + pc->k, 2, &a))
				return 0;
			pc++;
			goto jeq;
		case OP_LD_H_IND_JEQ_YES:
			if (!load(f, tagged, (uint64_t)x + pc->k, 2, &a))
				return 0;
			pc++;
			goto jeq_yes;
		case OP_LD_H_IND_JEQ_NO:
			if (!load(f, tagged, (uint64_t)x + pc->k, 2, &a))
				return 0;
			pc++;
			goto jeq_no;
		case OP_LD_B_IND_JEQ:
			if (!load(f, tagged, (uint64_t)x + pc->k, 1, &a))
				return 0;
			pc++;
			goto jeq;
		case OP_LD_B_IND_JEQ_YES:
			if (!load(f, tagged, (uint64_t)x + pc->k, 1, &a))
				return 0;
			pc++;
			goto jeq_yes;
		case OP_LD_B_IND_JEQ_NO:
			if (!load(f, tagged, (uint64_t)x + pc->k, 1, &a))
				return 0;
			pc++;
			goto jeq_no;
		case OP_JEQ_K:
		jeq:
			pc += a == pc->k ? pc->jt : pc->jf;
		landed:
			/* It mostly leads to a return or to the next of its
			 * kind. A look is cheaper than the table. */
			if (op_of(&pc[1], raw) == OP_RET_K)
				return pc[1].k;
			if (op_of(&pc[1], raw) == OP_JEQ_K) {
				pc++;
				goto jeq;
			}
			break;
		jeq_yes:
			if (vnet_likely(a == pc->k))
				break;
			pc += pc->jf;
			goto landed;
		jeq_no:
			if (vnet_unlikely(a == pc->k))
				pc += pc->jt;
			goto landed;
		case OP_JEQ_X:
			pc += a == x ? pc->jt : pc->jf;
			break;
		case OP_JGT_K:
			pc += a > pc->k ? pc->jt : pc->jf;
			goto landed;
		case OP_JGT_X:
			pc += a > x ? pc->jt : pc->jf;
			break;
		case OP_JGE_K:
			pc += a >= pc->k ? pc->jt : pc->jf;
			goto landed;
		case OP_JGE_X:
			pc += a >= x ? pc->jt : pc->jf;
			break;
		case OP_LD_H_ABS_JSET:
			if (!load(f, tagged, pc->k, 2, &a))
				return 0;
			pc++;
			goto jset;
		case OP_LD_H_ABS_JSET_YES:
			if (!load(f, tagged, pc->k, 2, &a))
				return 0;
			pc++;
			goto jset_yes;
		case OP_LD_H_ABS_JSET_NO:
			if (!load(f, tagged, pc->k, 2, &a))
				return 0;
			pc++;
			goto jset_no;
		case OP_LD_B_ABS_JSET:
			if (!load(f, tagged, pc->k, 1, &a))
				return 0;
			pc++;
			goto jset;
		case OP_LD_B_ABS_JSET_YES:
			if (!load(f, tagged, pc->k, 1, &a))
				return 0;
			pc++;
			goto jset_yes;
		case OP_LD_B_ABS_JSET_NO:
			if (!load(f, tagged, pc->k, 1, &a))
				return 0;
			pc++;
			goto jset_no;
		case OP_JSET_K:
		jset:
			pc += a & pc->k ? pc->jt : pc->jf;
			break;
		jset_yes:
			if (!(a & pc->k))
				pc += pc->jf;
			break;
		jset_no:
			if (a & pc->k)
				pc += pc->jt;
			break;
		case OP_JSET_X:
			pc += a & x ? pc->jt : pc->jf;
			break;
		case OP_RET_K:
			return pc->k;
		case OP_RET_A:
			return a;
		case OP_TAX:
			x = a;
			break;
		case OP_TXA:
			a = x;
			break;
		default:
			/* Translation makes no other; not to look saves a
			 * tenth of the time. */
			__builtin_unreachable();
		}
	}
}

/* Apart, so that the frames without tags do not pay for its registers. */
static __attribute__((noinline)) uint32_t
run_tagged(const struct vnet_bpf_op *ops, const struct vnet_frame *f)
{
	VNET_ASSERT(f->ntags <= VNET_MAX_TAGS && f->len >= TAGS_AT);
	return run(&ops->insn, f, true, false);
}

uint32_t
vnet_bpf_run(const struct vnet_bpf_op *ops, const struct vnet_frame *f)
{
	if (vnet_unlikely(f->ntags))
		return run_tagged(ops, f);
	return run(&ops->insn, f, false, false);
}

bool
vnet_bpf_match(const struct vnet_bpf_insn *insns, size_t ninsns,
	       const struct vnet_frame *f)
{
	if (!ninsns)
		return true;
	if (f->ntags && (f->ntags > VNET_MAX_TAGS || f->len < TAGS_AT))
		return false;
	return run(insns, f, f->ntags != 0, true) != 0;
}
