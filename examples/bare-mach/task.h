/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of the rights that a task has from the beginning.
 */
#ifndef BARE_TASK_H
#define BARE_TASK_H

#include <mach/port.h>

/* The traps (trap.S), each of which adds a reference. */
mach_port_t bare_trap_thread_self(void);
mach_port_t bare_trap_task_self(void);
mach_port_t bare_trap_host_self(void);

/* The program begins (start.S). */
_Noreturn void bare_start(char **sp);

#endif
