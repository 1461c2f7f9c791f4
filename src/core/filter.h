/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ordered chain of programs at one side of a port.
 */
#ifndef VNET_CHAIN_H
#define VNET_CHAIN_H

#include <vnet/filter.h>

#include "bpf.h"
#include "core.h"

/* What all chains of a switch may hold together. */
struct vnet_chain_budget {
	uint32_t rules_left;
	uint32_t insns_left;
	uint32_t max_program; /* instructions of one program */
};

#endif
