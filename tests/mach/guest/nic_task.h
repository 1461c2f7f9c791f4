/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver in a task of its own, forked from the test's, whose device master
 * outlives it: the receive right comes back to us when the task ends, and is
 * given to the next one. Requests wait in its queue meanwhile.
 */
#ifndef VNET_TEST_NIC_TASK_H
#define VNET_TEST_NIC_TASK_H

#include <stdbool.h>

#include <mach/kern_return.h>
#include <mach/port.h>

/**
 * struct nic_task - the task, or the place for one
 * @task:	null while there is none
 * @master:	what the device is opened on: in our task a send right, and the
 *		receive right too while there is no driver; in the driver's,
 *		under the same name, the receive right
 * @control:	another one, for orders; it ends with the task
 * @gone:	where the receive right comes back
 */
struct nic_task {
	mach_port_t task;
	mach_port_t master;
	mach_port_t control;
	mach_port_t gone;
};

kern_return_t nic_task_init(struct nic_task *t);

/* Start @run(@arg) in a task, with a right to @device_master unless that is
 * null. It never returns. */
kern_return_t nic_task_start(struct nic_task *t, mach_port_t device_master,
			     void (*run)(void *arg), void *arg);

/* Wait for it to have ended; 0 waits for ever. False if it lives on. */
bool nic_task_wait(struct nic_task *t, unsigned int timeout_ms);

/* Have it end, and wait. */
void nic_task_kill(struct nic_task *t);

/* Kill it, if there is one, and give back all rights. */
void nic_task_fini(struct nic_task *t);

#endif
