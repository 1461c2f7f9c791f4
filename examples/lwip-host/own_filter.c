/* SPDX-License-Identifier: BSD-2-Clause */
#include <lwip/def.h>

#include "own_filter.h"

/* Opcodes of classic BPF, named as in McCanne and Jacobson's paper. */
enum {
	LDH = 0x28, /* A = the 16 bits at k */
	LDB = 0x30,
	LD = 0x20,
	JEQ = 0x15,  /* A == k? */
	JSET = 0x45, /* A & k? */
	RET = 0x06,
};

int
own_filter_set(struct vnet_attach *attach, const ip4_addr_t *own,
	       struct vnet_why *why)
{
	/* "ip and not ether multicast and not dst host OWN" */
	const struct vnet_bpf_insn insns[] = {
		{LDH, 0, 0, 12}, {JEQ, 0, 5, 0x0800},
		{LDB, 0, 0, 0},  {JSET, 3, 0, 1},
		{LD, 0, 0, 30},  {JEQ, 1, 0, lwip_ntohl(own->addr)},
		{RET, 0, 0, 1},  {RET, 0, 0, 0},
	};
	const struct vnet_rule others = {
		.size = sizeof(others),
		.name = "not-mine",
		.verdict = VNET_DROP,
		.insns = insns,
		.ninsns = sizeof(insns) / sizeof(*insns),
	};

	return vnet_attach_set_filters(attach, VNET_RECEIVE_IN, &others, 1,
				       VNET_PASS, why);
}
