/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "nic_filter.h"

#define ETHER_HEADER 14

#define DIRECTIONS   (NIC_FILTER_IN | NIC_FILTER_OUT)
#define TYPE_MASK    0xfc00

/* An instruction of BPF, in four words. */
struct insn {
	uint16_t code;
	uint8_t jt;
	uint8_t jf;
	uint32_t k;
};

static struct insn
insn_at(const uint16_t *words)
{
	return (struct insn){
		.code = words[0],
		.jt = (uint8_t)words[1],
		.jf = (uint8_t)(words[1] >> 8),
		.k = words[2] | (uint32_t)words[3] << 16,
	};
}

/* Classes, and what is beside them in the code. */
enum { LD, LDX, ST, STX, ALU, JMP, RET, MISC };

static bool
is_known(const struct insn *i)
{
	const unsigned int code = i->code;

	switch (code & 7) {
	case LD: /* W, H, B: absolute and indirect; immediate; memory; length */
		return code == 0x20 || code == 0x28 || code == 0x30 ||
		       code == 0x40 || code == 0x48 || code == 0x50 ||
		       code == 0x00 || code == 0x60 || code == 0x80;
	case LDX:
		return code == 0x01 || code == 0x61 || code == 0x81 ||
		       code == 0xb1;
	case ST:
	case STX:
		return (code == 0x02 || code == 0x03) && i->k < 16;
	case ALU:
		return (code & ~0xf8u) == 4 && code >> 4 <= 8;
	case JMP:
		return (code & ~0xf8u) == 5 && code >> 4 <= 4;
	case RET:
		return code == 0x06 || code == 0x16;
	default:
		return code == 0x07 || code == 0x87;
	}
}

/* @n instructions, which all jump forward, to one of them. */
static bool
is_good_bpf(const uint16_t *words, size_t n)
{
	for (size_t at = 0; at < n; at++) {
		const struct insn i = insn_at(words + 4 * at);
		const size_t left = n - at - 1;

		if (!is_known(&i))
			return false;
		if ((i.code & 7) == JMP &&
		    (i.code == 0x05 ? i.k >= left
				    : i.jt >= left || i.jf >= left))
			return false;
	}
	return (insn_at(words + 4 * (n - 1)).code & 7) == RET;
}

/* Arguments of the stack machine: the low ten bits of a word. */
enum {
	NO_PUSH,
	PUSH_LITERAL,
	PUSH_ZERO,
	PUSH_INDIRECT = 14,
	PUSH_HEADER_INDIRECT,
	PUSH_WORD,
	PUSH_HEADER = 960,
	PUSH_STACK = 992,
};

/* What it does then: the high six. */
enum {
	NOP,
	EQ,
	LT,
	LE,
	GT,
	GE,
	AND,
	OR,
	XOR,
	OR_END,
	AND_END,
	NOR_END,
	NAND_END,
	NE,
	LSH,
	RSH,
	ADD,
	SUB,
};

static bool
is_good_stack(const uint16_t *words, size_t n)
{
	for (size_t at = 0; at < n; at++) {
		const unsigned int arg = words[at] & 0x3ff;

		if (words[at] >> 10 > SUB)
			return false;
		if (arg > PUSH_ZERO && arg < PUSH_INDIRECT)
			return false;
		if (arg == PUSH_LITERAL && ++at == n)
			return false;
	}
	return true;
}

bool
nic_filter_is_good(const uint16_t *words, size_t n)
{
	if (!n || !(words[0] & DIRECTIONS))
		return false;
	switch (words[0] & TYPE_MASK) {
	case 0:
		return is_good_stack(words + 1, n - 1);
	case NIC_FILTER_BPF:
		return n > 4 && n % 4 == 0 && is_good_bpf(words + 4, n / 4 - 1);
	default:
		return false;
	}
}

struct machine {
	const uint8_t *frame;
	size_t len;
	uint32_t a, x;
	uint32_t mem[16];
};

static bool
load(const struct machine *m, uint32_t at, size_t size, uint32_t *value)
{
	if (at > m->len || m->len - at < size)
		return false;
	*value = 0;
	for (size_t i = 0; i < size; i++)
		*value = *value << 8 | m->frame[at + i];
	return true;
}

static bool
run_load(struct machine *m, const struct insn *i)
{
	const size_t size = (i->code & 0x18) == 0x10 ? 1 : i->code & 8 ? 2 : 4;
	const uint32_t payload = (uint32_t)m->len - ETHER_HEADER;
	uint32_t *to = (i->code & 7) == LD ? &m->a : &m->x;

	switch (i->code & 0xe0) {
	case 0x00:
		*to = i->k;
		return true;
	case 0x20:
		return load(m, i->k, size, to);
	case 0x40:
		return load(m, i->k + m->x, size, to);
	case 0x60:
		*to = m->mem[i->k & 15];
		return true;
	case 0x80:
		*to = payload;
		return true;
	default: /* the length of an IPv4 header */
		if (!load(m, i->k, 1, to))
			return false;
		*to = (*to & 0xf) * 4;
		return true;
	}
}

static bool
run_alu(struct machine *m, const struct insn *i)
{
	const uint32_t v = i->code & 8 ? m->x : i->k;

	switch (i->code >> 4) {
	case 0:
		m->a += v;
		return true;
	case 1:
		m->a -= v;
		return true;
	case 2:
		m->a *= v;
		return true;
	case 3:
		if (!v)
			return false;
		m->a /= v;
		return true;
	case 4:
		m->a |= v;
		return true;
	case 5:
		m->a &= v;
		return true;
	case 6:
		m->a = v < 32 ? m->a << v : 0;
		return true;
	case 7:
		m->a = v < 32 ? m->a >> v : 0;
		return true;
	default:
		m->a = 0 - m->a;
		return true;
	}
}

/* How many instructions it passes over. */
static uint32_t
run_jump(const struct machine *m, const struct insn *i)
{
	const uint32_t v = i->code & 8 ? m->x : i->k;
	bool is_so;

	switch (i->code >> 4) {
	case 0:
		return i->k;
	case 1:
		is_so = m->a == v;
		break;
	case 2:
		is_so = m->a > v;
		break;
	case 3:
		is_so = m->a >= v;
		break;
	default:
		is_so = m->a & v;
		break;
	}
	return is_so ? i->jt : i->jf;
}

static uint32_t
run_bpf(const uint16_t *words, size_t n, const uint8_t *frame, size_t len)
{
	struct machine m = {.frame = frame, .len = len};

	for (size_t at = 0; at < n; at++) {
		const struct insn i = insn_at(words + 4 * at);

		switch (i.code & 7) {
		case LD:
		case LDX:
			if (!run_load(&m, &i))
				return 0;
			break;
		case ST:
			m.mem[i.k] = m.a;
			break;
		case STX:
			m.mem[i.k] = m.x;
			break;
		case ALU:
			if (!run_alu(&m, &i))
				return 0;
			break;
		case JMP:
			at += run_jump(&m, &i);
			break;
		case RET:
			return i.code == 0x16 ? m.a : i.k;
		default:
			if (i.code == 0x07)
				m.x = m.a;
			else
				m.a = m.x;
			break;
		}
	}
	return 0;
}

#define STACK 32

struct stack {
	uint32_t values[STACK];
	size_t depth;
};

/* Words of the packet, which begins with its length and its type; an odd last
 * octet is out of reach. Of the header there are 32, zero behind the 14 octets.
 * In the order of the octets of a PC. */
static bool
packet_word(const uint8_t *frame, size_t len, uint32_t at, uint32_t *value)
{
	const size_t payload = len - ETHER_HEADER;

	if (at == 0) {
		*value = (uint32_t)payload + 4;
		return true;
	}
	/* Word 1 is the type, which the frame has in the same place. */
	if (at >= (payload + 4) / 2)
		return false;
	*value = frame[10 + 2 * at] | (uint32_t)frame[11 + 2 * at] << 8;
	return true;
}

static bool
header_word(const uint8_t *frame, uint32_t at, uint32_t *value)
{
	if (at >= 32)
		return false;
	*value = at < 7 ? frame[2 * at] | (uint32_t)frame[2 * at + 1] << 8 : 0;
	return true;
}

static bool
argument(const struct stack *s, unsigned int arg, const uint8_t *frame,
	 size_t len, uint32_t *value)
{
	if (arg >= PUSH_STACK) {
		if (arg - PUSH_STACK >= s->depth)
			return false;
		*value = s->values[s->depth - 1 - (arg - PUSH_STACK)];
		return true;
	}
	if (arg >= PUSH_HEADER)
		return header_word(frame, arg - PUSH_HEADER, value);
	return packet_word(frame, len, arg - PUSH_WORD, value);
}

static uint32_t
operate(unsigned int op, uint32_t a, uint32_t b)
{
	switch (op) {
	case EQ:
		return a == b;
	case LT:
		return a < b;
	case LE:
		return a <= b;
	case GT:
		return a > b;
	case GE:
		return a >= b;
	case AND:
		return a & b;
	case OR:
		return a | b;
	case XOR:
		return a ^ b;
	case NE:
		return a != b;
	case LSH:
		return b < 32 ? a << b : 0;
	case RSH:
		return b < 32 ? a >> b : 0;
	case ADD:
		return a + b;
	default:
		return a - b;
	}
}

static bool
run_stack(const uint16_t *words, size_t n, const uint8_t *frame, size_t len)
{
	struct stack s = {.values = {1}, .depth = 1};

	for (size_t at = 0; at < n; at++) {
		const unsigned int arg = words[at] & 0x3ff;
		const unsigned int op = words[at] >> 10;
		uint32_t value = 0, under;

		if (arg == PUSH_LITERAL)
			value = words[++at];
		if (arg == PUSH_INDIRECT || arg == PUSH_HEADER_INDIRECT) {
			if (!s.depth)
				return false;
			value = s.values[--s.depth];
			if (arg == PUSH_INDIRECT
				    ? !packet_word(frame, len, value, &value)
				    : !header_word(frame, value, &value))
				return false;
		} else if (arg >= PUSH_WORD &&
			   !argument(&s, arg, frame, len, &value)) {
			return false;
		}
		if (arg != NO_PUSH) {
			if (s.depth == STACK)
				return false;
			s.values[s.depth++] = value;
		}
		if (op == NOP)
			continue;
		if (s.depth < 2)
			return false;
		value = s.values[--s.depth];
		under = s.values[--s.depth];
		if (op >= OR_END && op <= NAND_END) {
			const bool is_equal = value == under;

			if (is_equal == (op == OR_END || op == NOR_END))
				return op == OR_END || op == NAND_END;
			continue;
		}
		s.values[s.depth++] = operate(op, under, value);
	}
	return s.depth && s.values[s.depth - 1];
}

long
nic_filter_run(const uint16_t *words, size_t n, const uint8_t *frame,
	       size_t len)
{
	const size_t payload = len - ETHER_HEADER;
	uint32_t k;

	if ((words[0] & TYPE_MASK) != NIC_FILTER_BPF)
		return run_stack(words + 1, n - 1, frame, len) ? (long)payload
							       : -1;
	k = run_bpf(words + 4, n / 4 - 1, frame, len);
	if (!k)
		return -1;
	return k < payload ? (long)k : (long)payload;
}
