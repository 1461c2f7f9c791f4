/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of a port driver (struct vnet_driver_ops, and design.md), as one
 * set of checks that every driver has to pass. A driver's test provides an
 * adaptor and calls conformance_run().
 */
#ifndef VNET_TEST_CONFORMANCE_H
#define VNET_TEST_CONFORMANCE_H

#include "support.h"

/* Called with each frame that has come out of a medium. */
typedef void (*conformance_fn)(void *ctx, const struct vnet_frame *f);

/**
 * struct conformance - a driver, and the far end of its medium
 * @name:	of the driver; for messages
 * @carries:	VNET_CARRIES_* that it states
 * @size:	octets of the state that all the functions get as @ctx; zeroed
 * @open:	open @port with the driver: 0 with *@id set, or -errno of
 *		vnet_client_add(), and then nothing is left behind
 * @now_gone:	the client has gone from the switch: was close called, once?
 *		Free what the far end holds. NULL if the driver has no close
 * @read:	call @fn for each frame that has come out of the medium since
 *		the last time, in order. NULL if it keeps nothing
 * @inject:	the far end sends @f: it comes into the switch. NULL if nothing
 *		comes from there
 * @set_full:	the medium takes nothing more (true), or has room again, of
 *		which the driver then tells the switch. NULL if it is never full
 * @set_broken:	the medium is broken, or not any more. NULL if it cannot be
 *
 * A medium need not be the whole time at hand: where a driver is pulled, @read
 * pulls.
 */
struct conformance {
	const char *name;
	uint32_t carries;
	size_t size;
	int (*open)(void *ctx, struct vnet_switch *sw, vnet_port_id port,
		    vnet_client_id *id);
	bool (*now_gone)(void *ctx);
	void (*read)(void *ctx, conformance_fn fn, void *fn_ctx);
	void (*inject)(void *ctx, const struct vnet_frame *f);
	void (*set_full)(void *ctx, bool full);
	void (*set_broken)(void *ctx, bool broken);
};

/* Run all checks that the driver can be put to; what main() returns. */
int conformance_run(const struct conformance *driver);

#endif
