/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program of a test has beside <bare.h>: a verdict, and the way to the
 * other programs of the test. tests/mach/CMakeLists.txt says how they are put
 * together; each is a task of its own. The run passes when every program that is
 * listed under TESTS has called guest_pass(), and fails as soon as anything fails,
 * a task dies that nobody said may die, or raises an exception.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <bare.h>

/* This program is content. Its task ends. Not for a task that it has made with
 * bare_task_fork(), which returns instead. */
_Noreturn void guest_pass(void);

/* The run has failed; the text is printed. */
_Noreturn void guest_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#define CHECK(condition)                                               \
	do {                                                           \
		if (!(condition))                                      \
			guest_fail("%s:%d: not so: %s", __FILE_NAME__, \
				   __LINE__, #condition);              \
	} while (0)

/* That two numbers are the same. */
#define CHECK_EQ(is, expected)                                                 \
	do {                                                                   \
		unsigned long long is_ = (unsigned long long)(is);             \
		unsigned long long expected_ = (unsigned long long)(expected); \
                                                                               \
		if (is_ != expected_)                                          \
			guest_fail("%s:%d: %s is 0x%llx, not %s (0x%llx)",     \
				   __FILE_NAME__, __LINE__, #is, is_,          \
				   #expected, expected_);                      \
	} while (0)

#define CHECK_OK(kr) CHECK_EQ(kr, KERN_SUCCESS)

/* Give a send right, which this task keeps, a name that others know; take the
 * name back. */
void guest_publish(const char *name, mach_port_t right);
void guest_withdraw(const char *name);

/* The right of that name: waits until it has been published. Beside those that
 * programs publish there are "device-master", "host-priv", and, for each program,
 * "task:NAME", the kernel's port of its task. The reference is the caller's. */
mach_port_t guest_lookup(const char *name);

/* Start a program that is listed under HELD. */
void guest_start(const char *program);

/* That program may die from now on; kill it, and wait until it is dead. */
void guest_may_die(const char *program);
void guest_kill(const char *program);

/* How many names of rights a task has: the same before and after means that no
 * right was left behind. What this call needs itself is not counted. */
uint32_t guest_count_names(mach_port_t task);
/* The same, as soon as it has stayed so for a while: a server hears of what its
 * clients let go of when it gets round to it. */
uint32_t guest_settled_names(mach_port_t task);
/* Which they are, for somebody who looks for one. */
void guest_print_names(mach_port_t task);

/* Octets of a task's address space that are in use. */
uint32_t guest_memory(mach_port_t task);

#endif
