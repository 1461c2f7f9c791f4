/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters in requests: rules whose programs are lists of instructions, each one
 * [code, jt, jf, k] as in struct vnet_bpf_insn. Text is compiled outside.
 */
#ifndef VNET_CONTROL_FILTER_H
#define VNET_CONTROL_FILTER_H

#include "control_call.h"

/* "pass" and "drop", in the order of enum vnet_verdict. */
extern const char *const vnet_control_verdicts[];

/* The names of sides, in the order of enum vnet_side. */
extern const char *const vnet_control_sides[];

/* Add those of a list, "filters" of a new port. What is added stays where one
 * cannot be. */
int vnet_control_filters_add(struct vnet_control_call *call, vnet_port_id port,
			     struct vnet_json list);

#endif
