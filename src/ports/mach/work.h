/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that the memory of others is touched in, and that may be held up by them:
 * one job of a client at a time.
 */
#ifndef VNET_MACH_WORK_H
#define VNET_MACH_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include <mach/port.h>
#include <mach/std_types.h>

struct vnet_mach;

/**
 * struct vnet_mach_job - a part of whose work it is
 * @run:	do some of it; @thread is this thread's right
 * @is_waiting:	it is in the list of those that wait for a thread
 * @toucher:	the thread that touches memory now; MACH_PORT_NULL if none does
 */
struct vnet_mach_job {
	struct vnet_mach_job *next;
	void (*run)(struct vnet_mach_job *j, mach_port_t thread);
	bool is_waiting;
	mach_port_t toucher;
	uint32_t given_up; /* it is not to wait for that */
	struct vnet_mach_job *next_touching;
};

/* Have it run, unless it waits for that already. Under the lock; and so below. */
void vnet_mach_job_add(struct vnet_mach *m, struct vnet_mach_job *j);

/* From inside run: copy memory that a client has sent, and give it back. Lets go
 * of the lock meanwhile. False if it could not be read. */
bool vnet_mach_job_touch(struct vnet_mach *m, struct vnet_mach_job *j,
			 mach_port_t thread, void *to, vm_address_t from,
			 uint32_t len);

/* Nobody will do what waits. */
void vnet_mach_jobs_end(struct vnet_mach *m);

/* Whoever touches memory for it is to give up. */
void vnet_mach_job_interrupt(struct vnet_mach *m, struct vnet_mach_job *j);

#endif
