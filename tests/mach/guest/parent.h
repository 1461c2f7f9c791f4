/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Being what starts a switch, and gets its master.
 */
#ifndef VNET_TEST_PARENT_H
#define VNET_TEST_PARENT_H

#include <mach/port.h>

/* Start a program that is listed under HELD, vnet-mach or its supervisor, and
 * wait for a send right to its master. MACH_PORT_NULL if it has ended instead;
 * guest_may_die() was called then. */
mach_port_t parent_start(const char *program);

/* The same where another one starts it: before that, and behind it. */
struct parent {
	const char *program;
	mach_port_t task;
	mach_port_t requests;
};

void parent_adopt(struct parent *p, const char *program);
mach_port_t parent_wait(struct parent *p);

#endif
