/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a thread has of its own: %gs points at it.
 */
#ifndef BARE_THREAD_H
#define BARE_THREAD_H

#include <bare.h>

struct bare_thread {
	struct bare_thread *self; /* %gs:0 */
	mach_port_t port;
	mach_port_t reply_port;
	vm_address_t stack; /* with the guard page and this; 0 of the first */
	vm_size_t size;
	uint32_t canary; /* %gs:0x14, where -fstack-protector looks for it */
	void (*fn)(void *);
	void *arg;
	uint32_t is_done;
	bool is_detached;
};

/* The one that runs. */
struct bare_thread *bare_thread_current(void);

/* The first thread of a task: give it what it has of its own. */
void bare_thread_init(void);

/* The same in a task that was made by bare_task_fork(). */
void bare_thread_init_forked(void);

/* A stack, and on it a struct bare_thread; and free it. */
struct bare_thread *bare_thread_alloc(size_t stack, void (*fn)(void *),
				      void *arg);
void bare_thread_free(struct bare_thread *t);

/* Make a thread of @task, which is not started, that begins with @entry on @t's
 * stack. */
kern_return_t bare_thread_make(mach_port_t task, struct bare_thread *t,
			       void (*entry)(void), mach_port_t *port);

#endif
