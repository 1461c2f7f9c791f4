/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads. What a thread has of its own lies at the top of its stack, where %gs
 * points, by a descriptor that the kernel keeps for each thread.
 */
#include <mach/thread_status.h>

#include <mach/gnumach.h>
#include <mach/i386/mach_i386.h>

#include <bare.h>

#include "task.h"
#include "thread.h"

#define PAGE          4096
#define DEFAULT_STACK (64 * 1024)

static struct bare_thread first;
static bool has_gs;

struct bare_thread *
bare_thread_current(void)
{
	struct bare_thread *t;

	/* The first calls to the kernel are made to set it. */
	if (!has_gs)
		return &first;
	__asm__ volatile("movl %%gs:0, %0" : "=r"(t));
	return t;
}

mach_port_t
mach_thread_self(void)
{
	return bare_trap_thread_self();
}

/* A descriptor of the data segment that begins at @t, and its selector. */
static kern_return_t
make_segment(mach_port_t thread, const struct bare_thread *t, int *selector)
{
	uintptr_t base = (uintptr_t)t;
	descriptor_t descriptor = {
		.low_word = 0xffff | base << 16,
		/* present, for user mode, writable, of 4 GiB in pages */
		.high_word = (base & 0xff000000) | 0x00cff200 |
			     ((base >> 16) & 0xff),
	};

	*selector = -1;
	return i386_set_gdt(thread, selector, descriptor);
}

void
bare_thread_init(void)
{
	int selector;

	first.self = &first;
	first.port = bare_trap_thread_self();
	if (make_segment(first.port, &first, &selector) != KERN_SUCCESS) {
		mach_print("bare: no segment for the first thread\n");
		bare_exit();
	}
	__asm__ volatile("movw %w0, %%gs" : : "r"(selector));
	has_gs = true;
}

void
bare_thread_init_forked(void)
{
	struct bare_thread *t = bare_thread_current();

	t->port = bare_trap_thread_self();
	t->reply_port = MACH_PORT_NULL;
}

struct bare_thread *
bare_thread_alloc(size_t stack, void (*fn)(void *), void *arg)
{
	struct bare_thread *t;
	vm_address_t at = 0;
	vm_size_t size = stack ? stack : DEFAULT_STACK;

	size = ((size + PAGE - 1) & ~(vm_size_t)(PAGE - 1)) + PAGE;
	if (vm_allocate(mach_task_self(), &at, size, TRUE))
		return NULL;
	vm_protect(mach_task_self(), at, PAGE, FALSE, VM_PROT_NONE);
	t = (struct bare_thread *)((at + size - sizeof(*t)) & ~(uintptr_t)15);
	*t = (struct bare_thread){
		.self = t,
		.stack = at,
		.size = size,
		.fn = fn,
		.arg = arg,
	};
	return t;
}

void
bare_thread_free(struct bare_thread *t)
{
	vm_deallocate(mach_task_self(), t->stack, t->size);
}

kern_return_t
bare_thread_make(mach_port_t task, struct bare_thread *t, void (*entry)(void),
		 mach_port_t *port)
{
	struct i386_thread_state state;
	natural_t count = i386_THREAD_STATE_COUNT;
	thread_state_t words = (thread_state_t)&state;
	int selector;
	kern_return_t kr = thread_create(task, port);

	if (kr)
		return kr;
	kr = thread_get_state(*port, i386_REGS_SEGS_STATE, words, &count);
	if (!kr)
		kr = make_segment(*port, t, &selector);
	if (!kr) {
		uint32_t *sp = (uint32_t *)t - 1; /* aligned as by a call */

		*sp = 0;
		state.gs = (unsigned int)selector;
		state.eip = (uintptr_t)entry;
		state.uesp = (uintptr_t)sp;
		state.ebp = 0;
		kr = thread_set_state(*port, i386_REGS_SEGS_STATE, words,
				      i386_THREAD_STATE_COUNT);
	}
	if (kr) {
		thread_terminate(*port);
		mach_port_deallocate(mach_task_self(), *port);
	}
	return kr;
}

static void
run(void)
{
	struct bare_thread *t = bare_thread_current();

	t->fn(t->arg);
	/* The kernel frees what the thread stands on. */
	if (t->is_detached)
		thread_terminate_release(t->port, mach_task_self(), t->port,
					 t->reply_port, t->stack, t->size);
	/* Pairs with the load of bare_thread_join(): what was done is seen. */
	__atomic_store_n(&t->is_done, 1, __ATOMIC_RELEASE);
	bare_wake(&t->is_done, true);
	for (;;)
		thread_suspend(t->port);
}

kern_return_t
bare_thread_create(struct bare_thread **thread, size_t stack,
		   void (*fn)(void *), void *arg)
{
	struct bare_thread *t = bare_thread_alloc(stack, fn, arg);
	kern_return_t kr;

	if (!t)
		return KERN_RESOURCE_SHORTAGE;
	t->is_detached = !thread;
	kr = bare_thread_make(mach_task_self(), t, run, &t->port);
	if (kr) {
		bare_thread_free(t);
		return kr;
	}
	if (thread)
		*thread = t;
	return thread_resume(t->port);
}

void
bare_thread_join(struct bare_thread *t)
{
	while (!__atomic_load_n(&t->is_done, __ATOMIC_ACQUIRE))
		bare_wait(&t->is_done, 0, 0);
	thread_terminate(t->port);
	mach_port_deallocate(mach_task_self(), t->port);
	if (t->reply_port)
		mach_port_mod_refs(mach_task_self(), t->reply_port,
				   MACH_PORT_RIGHT_RECEIVE, -1);
	bare_thread_free(t);
}

kern_return_t
bare_thread_kill(struct bare_thread *t)
{
	kern_return_t kr = thread_terminate(t->port);

	__atomic_store_n(&t->is_done, 1, __ATOMIC_RELEASE);
	bare_wake(&t->is_done, true);
	return kr;
}

mach_port_t
bare_thread_port(const struct bare_thread *t)
{
	return t->port;
}
