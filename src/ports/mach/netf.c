/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two languages of Mach's packet filters.
 *
 * BPF is put into instructions of ours and means what it means to tcpdump:
 * offsets count from the destination address, LEN is the length of the frame,
 * and whatever a program returns but 0 is the whole frame. The kernel differs:
 * its LEN counts the payload alone, what straddles offset 14 is read from
 * elsewhere, and a frame is cut to what the program returns.
 *
 * A stack program sees the frame as the message that it is delivered in
 * (struct net_rcv_msg): 64 octets of header, of which the first 14 are the
 * frame's and the rest 0, and the packet, which is a struct packet_header (its
 * length, with these 4 octets; the EtherType as on the wire) with the payload
 * behind it. Both are read in 16-bit words, little-endian as on i386; half a
 * word at the end is out of reach.
 *
 * Its stack begins with the value 1. Each word of the program first takes an
 * operand, then does one operation:
 *
 *	nothing		the operand is pushed
 *	EQ ... SUB	the top of the stack and the operand become the result
 *	COR, CNAND	the top is taken off; equal (COR), or not (CNAND), the
 *			operand, the frame is wanted and nothing else is run
 *	CNOR, CAND	likewise, it is not wanted
 *
 * Values have 32 bits without a sign, but in RSH, which keeps it. A shift by 32
 * or more gives 0. At the end the frame is wanted if the top is not 0. Whatever
 * cannot be had on the way (a word beyond the packet, a value from an empty
 * stack) ends the program: the frame is not wanted.
 */
#include <errno.h>
#include <string.h>

#include "netf.h"

/* The first word (NETF_NBPA, NETF_TYPE_MASK, NETF_BPF). */
enum {
	HEADER_DIRECTIONS = VNET_NETF_IN | VNET_NETF_OUT,
	HEADER_TYPE = 0xfc00,
	TYPE_STACK = 0,
	TYPE_BPF = 0x0400,
	BPF_INSN_WORDS = 4,
};

/* A word of a stack program: the operand in the low 10 bits (NETF_ARG) ... */
#define ARG(word) ((word)&0x3ffu)

enum {
	ARG_POP = 0,      /* NETF_NOPUSH: the top of the stack, taken off */
	ARG_LITERAL = 1,  /* NETF_PUSHLIT: the next word */
	ARG_ZERO = 2,     /* NETF_PUSHZERO */
	ARG_IND = 14,     /* NETF_PUSHIND: packet word, its index popped */
	ARG_HDR_IND = 15, /* NETF_PUSHHDRIND: header word, likewise */
	ARG_WORD = 16,    /* NETF_PUSHWORD: packet word 0 to 943 */
	ARG_HDR = 960,    /* NETF_PUSHHDR: header word 0 to 31 */
	ARG_STACK = 992, /* NETF_PUSHSTK: value 0 to 31, counted from the top */
};

/* ... and the operation in the high 6 (NETF_OP). */
#define OP(word) ((word) >> 10)

enum {
	OP_NOP,
	OP_EQ,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_AND,
	OP_OR,
	OP_XOR,
	OP_COR,
	OP_CAND,
	OP_CNOR,
	OP_CNAND,
	OP_NEQ,
	OP_LSH,
	OP_RSH,
	OP_ADD,
	OP_SUB,
	NOPS
};

/* NET_FILTER_STACK_DEPTH, less what the kernel's check leaves unused. The 1
 * that the stack begins with is among them. */
#define MAX_VALUES   31

#define HEADER_WORDS 32 /* NET_HDW_HDR_MAX, in words */

/* struct packet_header, in octets, and where in a frame its type is. */
#define PACKET_HEADER 4
#define TYPE_WORD     6

static int
refuse(struct vnet_why *why, const char *text, size_t index, uint64_t found,
       uint64_t bound)
{
	if (why)
		*why = (struct vnet_why){
			.text = text,
			.index = index,
			.found = found,
			.bound = bound,
		};
	return -EINVAL;
}

/*
 * Check a stack program, that of @words behind the header.
 *
 * As in the kernel, what underflows the stack is not refused: @nvalues goes
 * below 0 then. It is never less than the values at run time, where COR and its
 * like push nothing, so that run() needs not look for an overflow.
 */
static int
check_stack(const uint16_t *words, size_t nwords, struct vnet_why *why)
{
	int nvalues = 1;

	for (size_t i = 1; i < nwords; i++) {
		uint32_t arg = ARG(words[i]);
		uint32_t op = OP(words[i]);
		size_t at = i;

		if (op >= NOPS)
			return refuse(why, "unknown operation", at, op,
				      NOPS - 1);
		if (arg == ARG_LITERAL && ++i == nwords)
			return refuse(why, "no literal behind its push", at,
				      nwords, nwords + 1);
		if (arg > ARG_ZERO && arg < ARG_IND)
			return refuse(why, "unknown operand", at, arg, 0);
		if (arg >= ARG_STACK && nvalues <= (int)(arg - ARG_STACK))
			return refuse(why, "push of a value below the stack",
				      at, arg - ARG_STACK,
				      nvalues > 0 ? (uint64_t)nvalues : 0);

		if (arg != ARG_POP && arg != ARG_IND && arg != ARG_HDR_IND)
			nvalues++;
		if (nvalues > MAX_VALUES)
			return refuse(why, "too many values on the stack", at,
				      (uint64_t)nvalues, MAX_VALUES);
		if (op != OP_NOP)
			nvalues--;
	}
	return 0;
}

/* Check a BPF program, that of @words behind the header, and put it into
 * @insns. */
static int
check_bpf(struct vnet_bpf_insn *insns, const uint16_t *words, size_t nwords,
	  struct vnet_why *why)
{
	size_t n = nwords / BPF_INSN_WORDS - 1;
	struct vnet_why wrong = {0};

	for (size_t i = 0; i < n; i++) {
		const uint16_t *w = words + (i + 1) * BPF_INSN_WORDS;

		insns[i] = (struct vnet_bpf_insn){
			.code = w[0],
			.jt = (uint8_t)w[1],
			.jf = (uint8_t)(w[1] >> 8),
			.k = (uint32_t)w[3] << 16 | w[2],
		};
	}
	if (vnet_bpf_check(insns, n, VNET_NETF_MAX_INSNS, &wrong) == 0)
		return 0;
	return refuse(why, wrong.text, (wrong.index + 1) * BPF_INSN_WORDS,
		      wrong.found, wrong.bound);
}

int
vnet_netf_check(struct vnet_netf *netf, const uint16_t *words, size_t nwords,
		struct vnet_why *why)
{
	struct vnet_netf made;
	int err;

	if (nwords == 0)
		return refuse(why, "filter without words", 0, 0, 1);
	if (nwords > VNET_NETF_MAX_WORDS)
		return refuse(why, "filter too long", 0, nwords,
			      VNET_NETF_MAX_WORDS);

	/* Zeroed: it is kept, and compared, by others. */
	memset(&made, 0, sizeof(made));
	made.directions = (uint8_t)(words[0] & HEADER_DIRECTIONS);
	if (!made.directions)
		return refuse(why, "filter for no direction", 0, words[0],
			      HEADER_DIRECTIONS);

	switch (words[0] & HEADER_TYPE) {
	case TYPE_STACK:
		err = check_stack(words, nwords, why);
		if (err)
			return err;
		made.n = (uint16_t)(nwords - 1);
		memcpy(made.word, words + 1, made.n * sizeof(made.word[0]));
		break;
	case TYPE_BPF:
		if (nwords % BPF_INSN_WORDS || nwords == BPF_INSN_WORDS)
			return refuse(why, "BPF is not whole instructions", 0,
				      nwords, BPF_INSN_WORDS);
		err = check_bpf(made.insn, words, nwords, why);
		if (err)
			return err;
		made.is_bpf = true;
		made.n = (uint16_t)(nwords / BPF_INSN_WORDS - 1);
		break;
	default:
		return refuse(why, "filter in an unknown language", 0,
			      words[0] & HEADER_TYPE, TYPE_BPF);
	}
	*netf = made;
	return 0;
}

/* Word @i of those that begin at @p. */
static uint32_t
load_word(const uint8_t *p, size_t i)
{
	return (uint32_t)p[2 * i] | (uint32_t)p[2 * i + 1] << 8;
}

/* Word @i of the header of 64 octets; the frame has 14 of them. */
static bool
load_header(const struct vnet_frame *f, uint32_t i, uint32_t *v)
{
	if (i >= HEADER_WORDS)
		return false;
	*v = i < VNET_ETH_HEADER_LEN / 2 ? load_word(f->data, i) : 0;
	return true;
}

/* Word @i of the packet. */
static bool
load_packet(const struct vnet_frame *f, uint32_t i, uint32_t *v)
{
	uint32_t octets = f->len - VNET_ETH_HEADER_LEN + PACKET_HEADER;

	if (i >= octets / 2)
		return false;
	if (i == 0)
		*v = octets & 0xffff;
	else if (i == 1)
		*v = load_word(f->data, TYPE_WORD);
	else
		*v = load_word(f->data + VNET_ETH_HEADER_LEN - PACKET_HEADER,
			       i);
	return true;
}

/* A number whose sign is bit 31, shifted to the right. */
static uint32_t
shift_right(uint32_t v, uint32_t by)
{
	if (by >= 32)
		return 0;
	return v >> 31 ? ~(~v >> by) : v >> by;
}

/* What @op, which leaves a value, makes of two. */
static uint32_t
operate(uint32_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case OP_EQ:
		return a == b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	case OP_AND:
		return a & b;
	case OP_OR:
		return a | b;
	case OP_XOR:
		return a ^ b;
	case OP_NEQ:
		return a != b;
	case OP_LSH:
		return b < 32 ? a << b : 0;
	case OP_RSH:
		return shift_right(a, b);
	case OP_ADD:
		return a + b;
	default: /* OP_SUB: the check lets no other through */
		return a - b;
	}
}

/* The values of a program that runs, the last one on top. */
struct stack {
	uint32_t value[MAX_VALUES];
	uint32_t n;
};

static bool
pop(struct stack *s, uint32_t *v)
{
	if (s->n == 0)
		return false;
	*v = s->value[--s->n];
	return true;
}

/* The operand of the word at *@i; if that is a literal, goes on to it. */
static bool
take_operand(const struct vnet_netf *netf, const struct vnet_frame *f,
	     uint32_t *i, struct stack *s, uint32_t *v)
{
	uint32_t arg = ARG(netf->word[*i]);

	switch (arg) {
	case ARG_POP:
		return pop(s, v);
	case ARG_LITERAL:
		*v = netf->word[++*i];
		return true;
	case ARG_ZERO:
		*v = 0;
		return true;
	case ARG_IND:
		return pop(s, v) && load_packet(f, *v, v);
	case ARG_HDR_IND:
		return pop(s, v) && load_header(f, *v, v);
	default:
		break;
	}
	if (arg < ARG_HDR)
		return load_packet(f, arg - ARG_WORD, v);
	if (arg < ARG_STACK)
		return load_header(f, arg - ARG_HDR, v);
	arg -= ARG_STACK;
	if (arg >= s->n)
		return false;
	*v = s->value[s->n - 1 - arg];
	return true;
}

static bool
run(const struct vnet_netf *netf, const struct vnet_frame *f)
{
	struct stack s = {.value = {1}, .n = 1};
	uint32_t a, b;

	for (uint32_t i = 0; i < netf->n; i++) {
		uint32_t op = OP(netf->word[i]);

		if (!take_operand(netf, f, &i, &s, &b))
			return false;
		if (op == OP_NOP) {
			s.value[s.n++] = b;
			continue;
		}
		if (!pop(&s, &a))
			return false;
		switch (op) {
		case OP_COR:
			if (a == b)
				return true;
			break;
		case OP_CNAND:
			if (a != b)
				return true;
			break;
		case OP_CNOR:
			if (a == b)
				return false;
			break;
		case OP_CAND:
			if (a != b)
				return false;
			break;
		default:
			s.value[s.n++] = operate(op, a, b);
			break;
		}
	}
	return pop(&s, &a) && a != 0;
}

bool
vnet_netf_match(const struct vnet_netf *netf, const struct vnet_frame *f)
{
	if (f->len < VNET_ETH_HEADER_LEN || f->ntags)
		return false;
	return netf->is_bpf ? vnet_bpf_match(netf->insn, netf->n, f)
			    : run(netf, f);
}
