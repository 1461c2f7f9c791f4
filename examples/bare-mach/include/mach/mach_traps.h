/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls that are traps into the kernel (<mach/syscall_sw.h>), and the names
 * that a task has from the beginning.
 */
#ifndef BARE_MACH_MACH_TRAPS_H
#define BARE_MACH_MACH_TRAPS_H

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/port.h>

/* Each call makes a new receive right. */
mach_port_t mach_reply_port(void);

/* These were asked for once: no call adds a reference. */
mach_port_t mach_task_self(void);
mach_port_t mach_host_self(void);
/* Adds a reference, which is the caller's. */
mach_port_t mach_thread_self(void);

/* Print to the kernel's console. */
void mach_print(const char *s);

/* Let another thread run. Returns true if there was one. */
boolean_t swtch(void);
boolean_t swtch_pri(int priority);

#endif
