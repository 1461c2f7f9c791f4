/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to a device that wait until a thread sees to them, in the order they
 * came. Under the server's lock.
 */
#ifndef VNET_MACH_WRITES_H
#define VNET_MACH_WRITES_H

#include <device/device_types.h>

#include "work.h"

/* Those of a device, at the most. */
#define VNET_MACH_MAX_WRITES 16

/* One of them: memory of ours that the kernel has made of the client's, at
 * whatever address it found room, or the octets themselves. */
struct vnet_mach_write {
	bool is_inband;
	vm_address_t address;
	uint32_t len;
	uint8_t inband[IO_INBAND_MAX];
};

/**
 * struct vnet_mach_writes - those of a device
 * @job:	sees to them: its run is the device's
 * @is_busy:	that runs
 */
struct vnet_mach_writes {
	struct vnet_mach_job job;
	bool is_busy;
	uint32_t first, n;
	struct vnet_mach_write write[VNET_MACH_MAX_WRITES];
};

/* Has what comes now to wait behind others? */
static inline bool
vnet_mach_writes_wait(const struct vnet_mach_writes *q)
{
	return q->n || q->is_busy;
}

/* One more, for which there is room: memory at @address, or octets @inband, which
 * is NULL otherwise. */
void vnet_mach_writes_add(struct vnet_mach *m, struct vnet_mach_writes *q,
			  vm_address_t address, const void *inband,
			  uint32_t len);

/* The first of them waits no more; its memory is the caller's. */
struct vnet_mach_write vnet_mach_writes_take(struct vnet_mach_writes *q);

/* None waits any more; their memory is given back. */
void vnet_mach_writes_clear(const struct vnet_mach *m,
			    struct vnet_mach_writes *q);

#endif
