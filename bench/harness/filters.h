/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter programs that are measured. The frames of traffic.h run the
 * longest way through each, and pass.
 */
#ifndef BENCH_FILTERS_H
#define BENCH_FILTERS_H

#include <vnet/filter.h>

struct bench_filter {
	const char *name;
	const struct vnet_bpf_insn *insns;
	uint32_t ninsns;
	uint32_t nrun;             /* instructions that a frame runs */
	enum vnet_verdict verdict; /* where the program matches */
};

/* "f7", "f18", "f100" are named for their instructions; "f7_straight" has no
 * jump in it. Ends the program if there is no such filter. */
const struct bench_filter *bench_filter_find(const char *name);

#endif
