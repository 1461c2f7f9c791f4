/* SPDX-License-Identifier: BSD-2-Clause */
#include "filters.h"

#include <string.h>

#include "bpf.h"
#include "harness.h"

/* libpcap's "ip and src net 10.0.0.0/16": 6 of the 7 are run. */
static const struct vnet_bpf_insn own_net[] = {
	{VNET_BPF_LD_H_ABS, 0, 0, 12},      {VNET_BPF_JEQ_K, 0, 4, 0x0800},
	{VNET_BPF_LD_W_ABS, 0, 0, 26}, /* source address */
	{VNET_BPF_AND_K, 0, 0, 0xffff0000}, {VNET_BPF_JEQ_K, 0, 1, 0x0a000000},
	{VNET_BPF_RET_K, 0, 0, 0xffff},     {VNET_BPF_RET_K, 0, 0, 0},
};

/* The same question, answered with 0 for yes, by a program that nobody's
 * compiler makes: all 7 are run, and there is no pair of a load and a jump. */
static const struct vnet_bpf_insn own_net_straight[] = {
	{VNET_BPF_LD_H_ABS, 0, 0, 12},
	{VNET_BPF_XOR_K, 0, 0, 0x0800},
	{VNET_BPF_TAX, 0, 0, 0},
	{VNET_BPF_LD_H_ABS, 0, 0, 26}, /* source address, upper half */
	{VNET_BPF_XOR_K, 0, 0, 0x0a00},
	{VNET_BPF_OR_X, 0, 0, 0},
	{VNET_BPF_RET_A, 0, 0, 0},
};

/* libpcap's "ip and src net 10.0.0.0/16 and (tcp or udp) and dst port (53 or
 * 80 or 443 or 4789)", the services that a station may use. A UDP datagram to
 * the last of the ports runs 16 of the 18. */
static const struct vnet_bpf_insn services[] = {
	{VNET_BPF_LD_H_ABS, 0, 0, 12},
	{VNET_BPF_JEQ_K, 0, 15, 0x0800},
	{VNET_BPF_LD_W_ABS, 0, 0, 26},
	{VNET_BPF_AND_K, 0, 0, 0xffff0000},
	{VNET_BPF_JEQ_K, 0, 12, 0x0a000000},
	{VNET_BPF_LD_B_ABS, 0, 0, 23},
	{VNET_BPF_JEQ_K, 1, 0, 6},
	{VNET_BPF_JEQ_K, 0, 9, 17},
	{VNET_BPF_LD_H_ABS, 0, 0, 20},
	{VNET_BPF_JSET_K, 7, 0, 0x1fff}, /* not the first fragment */
	{VNET_BPF_LDX_MSH, 0, 0, 14},
	{VNET_BPF_LD_H_IND, 0, 0, 16},
	{VNET_BPF_JEQ_K, 3, 0, 53},
	{VNET_BPF_JEQ_K, 2, 0, 80},
	{VNET_BPF_JEQ_K, 1, 0, 443},
	{VNET_BPF_JEQ_K, 0, 1, 4789},
	{VNET_BPF_RET_K, 0, 0, 0xffff},
	{VNET_BPF_RET_K, 0, 0, 0},
};

/* 97 destinations to which nothing may go, none of which is the frame's: 99 of
 * the 100 are run. */
#define BLOCKED(i)                                             \
	{                                                      \
		VNET_BPF_JEQ_K, 98 - (i), 0, 0xc0000200u + (i) \
	}
#define BLOCKED4(i) \
	BLOCKED(i), BLOCKED((i) + 1), BLOCKED((i) + 2), BLOCKED((i) + 3)
#define BLOCKED16(i) \
	BLOCKED4(i), BLOCKED4((i) + 4), BLOCKED4((i) + 8), BLOCKED4((i) + 12)

static const struct vnet_bpf_insn blocked[] = {
	{VNET_BPF_LD_W_ABS, 0, 0, 30},
	BLOCKED16(1),
	BLOCKED16(17),
	BLOCKED16(33),
	BLOCKED16(49),
	BLOCKED16(65),
	BLOCKED16(81),
	BLOCKED(97),
	{VNET_BPF_RET_K, 0, 0, 0},
	{VNET_BPF_RET_K, 0, 0, 1},
};

#define FILTER(label, program, run, verd)                         \
	{                                                         \
		.name = (label), .insns = (program),              \
		.ninsns = sizeof(program) / sizeof((program)[0]), \
		.nrun = (run), .verdict = (verd),                 \
	}

static const struct bench_filter filters[] = {
	FILTER("f7", own_net, 6, VNET_PASS),
	FILTER("f7_straight", own_net_straight, 7, VNET_DROP),
	FILTER("f18", services, 16, VNET_PASS),
	FILTER("f100", blocked, 99, VNET_DROP),
};

const struct bench_filter *
bench_filter_find(const char *name)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (!strcmp(filters[i].name, name))
			return &filters[i];
	bench_fail("there is no filter %s", name);
}
