/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF: a program is checked once, by vnet_bpf_check() of
 * <vnet/filter.h>, translated once, and run for each frame.
 */
#ifndef VNET_BPF_H
#define VNET_BPF_H

#include <vnet/filter.h>
#include <vnet/frame.h>

#include "core.h"

/* Words of scratch memory that a program has. */
#define VNET_BPF_SCRATCH 16

/*
 * Every opcode there is (libpcap's pcap/bpf.h; all that its bpf_filter() runs).
 * A is the accumulator, X the index, M the scratch memory, P the frame. Of a
 * word that a program does not use (k, jt, jf) any value is accepted.
 */
enum {
	VNET_BPF_LD_IMM = 0x00,   /* A = k */
	VNET_BPF_LD_W_ABS = 0x20, /* A = P[k:4] */
	VNET_BPF_LD_H_ABS = 0x28, /* A = P[k:2] */
	VNET_BPF_LD_B_ABS = 0x30, /* A = P[k:1] */
	VNET_BPF_LD_W_IND = 0x40, /* A = P[X + k:4] */
	VNET_BPF_LD_H_IND = 0x48, /* A = P[X + k:2] */
	VNET_BPF_LD_B_IND = 0x50, /* A = P[X + k:1] */
	VNET_BPF_LD_MEM = 0x60,   /* A = M[k] */
	VNET_BPF_LD_LEN = 0x80,   /* A = octets of P */

	VNET_BPF_LDX_IMM = 0x01, /* X = k */
	VNET_BPF_LDX_MEM = 0x61, /* X = M[k] */
	VNET_BPF_LDX_LEN = 0x81, /* X = octets of P */
	VNET_BPF_LDX_MSH = 0xb1, /* X = 4 * (P[k:1] & 0xf) */

	VNET_BPF_ST = 0x02,  /* M[k] = A */
	VNET_BPF_STX = 0x03, /* M[k] = X */

	/* A = A op k, A = A op X. A shift by 32 or more gives 0; a division
	 * by X = 0 ends the program with 0. */
	VNET_BPF_ADD_K = 0x04,
	VNET_BPF_ADD_X = 0x0c,
	VNET_BPF_SUB_K = 0x14,
	VNET_BPF_SUB_X = 0x1c,
	VNET_BPF_MUL_K = 0x24,
	VNET_BPF_MUL_X = 0x2c,
	VNET_BPF_DIV_K = 0x34,
	VNET_BPF_DIV_X = 0x3c,
	VNET_BPF_OR_K = 0x44,
	VNET_BPF_OR_X = 0x4c,
	VNET_BPF_AND_K = 0x54,
	VNET_BPF_AND_X = 0x5c,
	VNET_BPF_LSH_K = 0x64,
	VNET_BPF_LSH_X = 0x6c,
	VNET_BPF_RSH_K = 0x74,
	VNET_BPF_RSH_X = 0x7c,
	VNET_BPF_NEG = 0x84, /* A = -A */
	VNET_BPF_MOD_K = 0x94,
	VNET_BPF_MOD_X = 0x9c,
	VNET_BPF_XOR_K = 0xa4,
	VNET_BPF_XOR_X = 0xac,

	/* Skip k instructions; skip jt if it holds, else jf. */
	VNET_BPF_JA = 0x05,
	VNET_BPF_JEQ_K = 0x15,  /* A == k */
	VNET_BPF_JEQ_X = 0x1d,  /* A == X */
	VNET_BPF_JGT_K = 0x25,  /* A > k */
	VNET_BPF_JGT_X = 0x2d,  /* A > X */
	VNET_BPF_JGE_K = 0x35,  /* A >= k */
	VNET_BPF_JGE_X = 0x3d,  /* A >= X */
	VNET_BPF_JSET_K = 0x45, /* A & k */
	VNET_BPF_JSET_X = 0x4d, /* A & X */

	VNET_BPF_RET_K = 0x06, /* end with k */
	VNET_BPF_RET_A = 0x16, /* end with A */

	VNET_BPF_TAX = 0x07, /* X = A */
	VNET_BPF_TXA = 0x87, /* A = X */
};

/**
 * struct vnet_bpf_op - an instruction, translated
 * @insn:	its code is a number of our own, without gaps
 *
 * Instruction i of a program becomes op i: jumps need no translation.
 */
struct vnet_bpf_op {
	struct vnet_bpf_insn insn;
};

/* Translate a program of @n instructions, which vnet_bpf_check() accepts, into
 * @n ops, which may lie where these lie. */
void vnet_bpf_translate(struct vnet_bpf_op *ops,
			const struct vnet_bpf_insn *insns, size_t n);

/* The instructions that @n ops do, which may be others than they were made of. */
void vnet_bpf_read(struct vnet_bpf_insn *insns, const struct vnet_bpf_op *ops,
		   size_t n);

/*
 * Run a translated program over a frame as it is on the wire, tags included; a
 * frame with tags has passed vnet_eth_parse(). A, X and M are 0 at the start.
 * Returns what the program returns: 0 where it does not match.
 */
uint32_t vnet_bpf_run(const struct vnet_bpf_op *ops,
		      const struct vnet_frame *f);

#endif
