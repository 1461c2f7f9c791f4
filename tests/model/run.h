/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of the whole switch, through its public headers alone: calls of every
 * kind, one after the other and from inside drivers, with arguments good and
 * bad, whatever the tape decides. It keeps books of its own and expects of every
 * call what must hold whatever was done before:
 *
 *	- the sums agree (vnet_switch_check()), memory stays within what
 *	  vnet_switch_memory() said, and all of it comes back at the end
 *	- an id that has gone is not found, one that has not is
 *	- a driver is sent to only while it may be: link up, not broken, not
 *	  closed, its switch entered once; and only what it carries, within the
 *	  MTU
 *	- control from inside send is refused with -EBUSY
 */
#ifndef VNET_TEST_RUN_H
#define VNET_TEST_RUN_H

#include <vnet/client.h>
#include <vnet/event.h>

#include "tape.h"

/* What a run has met, in all its switches: a run that meets little tests
 * little. */
struct run_summary {
	uint64_t delivered;
	uint64_t segments;
	uint64_t drops[VNET_NDROPS];
	uint64_t events[VNET_NEVENTS];
};

/* Make @ncalls calls, or as many as the tape decides about, from no switch to no
 * switch. What is not as it should be is in @t. Adds to @sum, which may be
 * NULL. */
void run_calls(struct tape *t, unsigned long ncalls, struct run_summary *sum);

#endif
