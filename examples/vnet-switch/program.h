/* SPDX-License-Identifier: BSD-2-Clause */
/* Filter programs from text, by libpcap. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stddef.h>

#include <vnet/filter.h>

#include "complaint.h"

/* The longest expression, in octets. */
#define PROGRAM_TEXT_MAX 4095

/* The most that may be joined by "and" and "or" in one, and the instructions
 * (VNET_BPF_MAX_INSNS) that it may have before they are optimised: within these
 * it is compiled in a fifth of a second at the worst. */
#define PROGRAM_TERMS_MAX 100

struct program {
	struct vnet_bpf_insn *insns;
	size_t ninsns;
};

/*
 * Compile an expression for Ethernet; the empty one matches all. Names of hosts
 * are not looked up: a switch must not wait for the network that it is.
 *
 * Return: 0 with @p filled, for program_fini(); -EINVAL, -ENOMEM with @c.
 */
int program_compile(struct program *p, const char *text, struct complaint *c);
void program_fini(struct program *p);

#endif
