/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs and frames from anywhere. What vnet_bpf_check() accepts never
 * misbehaves, whatever the frame, and returns what libpcap's bpf_filter()
 * returns over the octets as they are on the wire.
 *
 * Built apart from the project:
 *
 *	clang -g -O1 -std=c11 -fsanitize=fuzzer,address,undefined \
 *		-fno-sanitize-recover=all -Iinclude -Isrc/core \
 *		tests/fuzz/fuzz_bpf.c src/core/bpf.c -lpcap
 *
 * Where libpcap 1.10 leaves undefined what is defined here, its copy of the
 * program says it in words that it defines, so that every program is compared:
 *
 *  - it does not clear scratch memory: its copy begins with a store of A, which
 *    is 0, to each word;
 *  - it shifts by a constant of 32 or more as C does: its copy loads 0.
 *
 * bpf_validate() accepts all that vnet_bpf_check() does, and more:
 *
 *  - codes that bpf_filter() does not know and calls abort() at: it looks at
 *    the class and the mode or operation, not at the size, the source of NEG
 *    and JA, nor the upper octet; and at nothing in RET and MISC, RET X among
 *    them;
 *  - a JA whose target is inside when computed in 32 bits: that is a jump
 *    backward, for which libpcap's own "ip6 protochain" needs it.
 *
 * Input: octet 0 is flags, octet 1 the number of instructions less 1 (of 64),
 * then 8 octets an instruction, 8 octets of tags, and the frame.
 */
/* For u_int, which libpcap's header needs. */
#define _DEFAULT_SOURCE 1 /* NOLINT(bugprone-reserved-identifier) */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "bpf.h"

#define MAX_INSNS 64

/* flags */
enum {
	NTAGS = 0x03,  /* 3 counts as 0 */
	IS_RAW = 0x04, /* instructions are as they come; else made likely */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                          \
	do {                              \
		if (!(x))                 \
			__builtin_trap(); \
	} while (0)

/* The codes of libpcap's bpf_filter(), in its own words. */
static const uint16_t codes[] = {
	BPF_LD | BPF_IMM,
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_H | BPF_ABS,
	BPF_LD | BPF_B | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND,
	BPF_LD | BPF_H | BPF_IND,
	BPF_LD | BPF_B | BPF_IND,
	BPF_LD | BPF_MEM,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LDX | BPF_IMM,
	BPF_LDX | BPF_MEM,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LDX | BPF_MSH | BPF_B,
	BPF_ST,
	BPF_STX,
	BPF_ALU | BPF_ADD | BPF_K,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_K,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_OR | BPF_K,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_ALU | BPF_NEG,
	BPF_ALU | BPF_MOD | BPF_K,
	BPF_ALU | BPF_MOD | BPF_X,
	BPF_ALU | BPF_XOR | BPF_K,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JEQ | BPF_X,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
};

#define NCODES (sizeof(codes) / sizeof(codes[0]))

static bool
is_known(uint16_t code)
{
	for (size_t i = 0; i < NCODES; i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* Most octets make no program. Bend one instruction so that it mostly is one,
 * @left before the end. */
static void
make_likely(struct vnet_bpf_insn *p, uint32_t left)
{
	uint16_t form = p->code >> 8;

	p->code = codes[(p->code & 0xff) % NCODES];
	if (!left)
		p->code = form & 1 ? BPF_RET | BPF_K : BPF_RET | BPF_A;
	else if (BPF_CLASS(p->code) == BPF_RET && form & 6)
		p->code = BPF_LD | BPF_H | BPF_ABS;

	if (BPF_CLASS(p->code) == BPF_JMP && left) {
		p->jt = (uint8_t)(p->jt % left);
		p->jf = (uint8_t)(p->jf % left);
		if (p->code == (BPF_JMP | BPF_JA))
			p->k %= left;
	}
	if (BPF_CLASS(p->code) == BPF_ST || BPF_CLASS(p->code) == BPF_STX ||
	    p->code == (BPF_LD | BPF_MEM) || p->code == (BPF_LDX | BPF_MEM))
		p->k %= BPF_MEMWORDS;
	else if (form & 8)
		p->k &= 0x3f;
}

/* The differences that the top of this file explains, and no others. */
static void
compare_checks(const struct vnet_bpf_insn *insns, const struct bpf_insn *pcap,
	       size_t n, bool accepted)
{
	bool has_unknown = false, has_backward = false;

	for (size_t i = 0; i < n; i++) {
		has_unknown |= !is_known(insns[i].code);
		has_backward |=
			insns[i].code == (BPF_JMP | BPF_JA) && insns[i].k >= n;
	}
	if (accepted)
		CHECK(!has_unknown && !has_backward);
	if (!has_unknown && !has_backward)
		CHECK(accepted == (bpf_validate(pcap, (int)n) != 0));
}

/* The frame as it is on the wire, in memory of exactly that size. */
static uint8_t *
put_on_wire(const struct vnet_frame *f, size_t *len)
{
	size_t head = f->ntags ? 12 : f->len;
	uint8_t *wire, *p;

	*len = f->len + 4u * f->ntags;
	p = wire = malloc(*len ? *len : 1);
	CHECK(wire);
	if (head)
		memcpy(p, f->data, head);
	p += head;
	for (unsigned i = 0; i < f->ntags; i++) {
		*p++ = (uint8_t)(f->tag[i].tpid >> 8);
		*p++ = (uint8_t)f->tag[i].tpid;
		*p++ = (uint8_t)(f->tag[i].tci >> 8);
		*p++ = (uint8_t)f->tag[i].tci;
	}
	if (f->len > head)
		memcpy(p, f->data + head, f->len - head);
	return wire;
}

static uint32_t
run_pcap(const struct bpf_insn *insns, size_t n, const struct vnet_frame *f)
{
	struct bpf_insn copy[BPF_MEMWORDS + MAX_INSNS];
	uint32_t ret;
	uint8_t *wire;
	size_t len;

	for (unsigned i = 0; i < BPF_MEMWORDS; i++)
		copy[i] = (struct bpf_insn)BPF_STMT(BPF_ST, i);
	memcpy(copy + BPF_MEMWORDS, insns, n * sizeof(*insns));
	for (size_t i = 0; i < BPF_MEMWORDS + n; i++) {
		bool is_shift = copy[i].code == (BPF_ALU | BPF_LSH | BPF_K) ||
				copy[i].code == (BPF_ALU | BPF_RSH | BPF_K);

		if (is_shift && copy[i].k >= 32)
			copy[i] =
				(struct bpf_insn)BPF_STMT(BPF_LD | BPF_IMM, 0);
	}

	wire = put_on_wire(f, &len);
	ret = bpf_filter(copy, wire, (u_int)len, (u_int)len);
	free(wire);
	return ret;
}

static uint32_t
run_ours(const struct vnet_bpf_insn *insns, size_t n,
	 const struct vnet_frame *f)
{
	struct vnet_bpf_op *ops = malloc(n * sizeof(*ops));
	uint32_t ret;

	CHECK(ops);
	vnet_bpf_translate(ops, insns, n);
	ret = vnet_bpf_run(ops, f);
	free(ops);
	return ret;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vnet_bpf_insn insns[MAX_INSNS];
	struct bpf_insn pcap[MAX_INSNS];
	struct vnet_frame f = {.data = NULL};
	struct vnet_why why = {0};
	bool accepted;
	uint8_t flags, *octets;
	size_t n;

	if (size < 2)
		return 0;
	flags = data[0];
	n = 1 + data[1] % MAX_INSNS;
	data += 2;
	size -= 2;
	if (size < 8 * n + sizeof(f.tag))
		return 0;
	memcpy(insns, data, 8 * n);
	data += 8 * n;
	size -= 8 * n;
	memcpy(f.tag, data, sizeof(f.tag));
	data += sizeof(f.tag);
	size -= sizeof(f.tag);

	if (!(flags & IS_RAW))
		for (size_t i = 0; i < n; i++)
			make_likely(&insns[i], (uint32_t)(n - 1 - i));
	_Static_assert(sizeof(insns) == sizeof(pcap), "one layout");
	memcpy(pcap, insns, sizeof(pcap[0]) * n);

	accepted = vnet_bpf_check(insns, n, 0, &why) == 0;
	CHECK(accepted == !why.text);
	CHECK(why.index < n);
	compare_checks(insns, pcap, n, accepted);
	if (!accepted)
		return 0;

	octets = malloc(size ? size : 1);
	CHECK(octets);
	if (size)
		memcpy(octets, data, size);
	f.data = octets;
	f.len = (uint32_t)size;
	/* Tags only where vnet_eth_parse() lets a frame through. */
	if (size >= VNET_ETH_HEADER_LEN)
		f.ntags = (uint8_t)((flags & NTAGS) % 3);
	CHECK(run_ours(insns, n, &f) == run_pcap(pcap, n, &f));
	free(octets);
	return 0;
}
