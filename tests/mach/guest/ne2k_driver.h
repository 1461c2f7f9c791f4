/* SPDX-License-Identifier: BSD-2-Clause */
/* The NE2000 as a network device of GNU Mach: a driver in a task of its own. */
#ifndef VNET_TEST_NE2K_DRIVER_H
#define VNET_TEST_NE2K_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include <mach/port.h>

/**
 * struct ne2k_driver - where the card is, and how its driver behaves
 * @device_master: the kernel's, for ports and interrupts
 * @master:	receive right that the device is opened at
 * @name:	what it is opened by
 * @base:	the first of its ports
 * @no_promisc:	PROMISC does not take, as reading the flags shows
 * @rumplike:	as of rumpnet: the last to set a filter gets everything, and a
 *		client that does not drain its queue holds up all
 * @stall_at:	after that many writes, no request is received for @stall_ms
 *		(0: ever again), so that the queue of the device fills up
 * @die_after:	after that many writes the task ends
 */
struct ne2k_driver {
	mach_port_t device_master;
	mach_port_t master;
	const char *name;
	uint16_t base;
	int irq;
	bool no_promisc;
	bool rumplike;
	uint32_t stall_at;
	uint32_t stall_ms;
	uint32_t die_after;
};

/* Drives it. @driver is a struct ne2k_driver. Returns if there is no card. */
void ne2k_driver_run(void *driver);

#endif
