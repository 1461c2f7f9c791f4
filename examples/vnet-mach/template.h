/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that can be started again and again where there is no file to load
 * it from: the boot script makes a task of it that nobody ever resumes, the
 * template. A copy of it is a task with the same memory (a page is copied when it
 * is written to) and the same send rights under the same names, so that its
 * arguments are right, too.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <mach/message.h>

/* Make a task of @template, with @bootstrap, a send right, as its bootstrap port,
 * and let it run. */
kern_return_t template_start(mach_port_t template, mach_port_t bootstrap,
			     mach_port_t *task);

#endif
