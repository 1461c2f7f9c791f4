/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A task: its beginning, its end, and further ones.
 */
#include <bare.h>

#include "clock.h"
#include "memory.h"
#include "task.h"
#include "thread.h"

static mach_port_t task_self, host_self;

mach_port_t
mach_task_self(void)
{
	return task_self;
}

mach_port_t
mach_host_self(void)
{
	return host_self;
}

static void
learn_names(void)
{
	task_self = bare_trap_task_self();
	host_self = bare_trap_host_self();
}

_Noreturn void
bare_start(char **sp)
{
	learn_names();
	bare_thread_init();
	main((int)(uintptr_t)sp[0], sp + 1);
	bare_exit();
}

_Noreturn void
bare_exit(void)
{
	for (;;)
		task_terminate(task_self);
}

/* Nobody is in the allocator, so that a copy of it is whole; likewise. */
static void
lock_all(void)
{
	bare_clock_lock();
	bare_memory_lock();
}

static void
unlock_all(void)
{
	bare_memory_unlock();
	bare_clock_unlock();
}

static void
forked(void)
{
	struct bare_thread *t = bare_thread_current();

	learn_names();
	bare_thread_init_forked();
	unlock_all();
	t->fn(t->arg);
	bare_exit();
}

kern_return_t
bare_task_fork(mach_port_t *task, void (*fn)(void *), void *arg)
{
	struct bare_thread *t = bare_thread_alloc(0, fn, arg);
	mach_port_t child, thread;
	kern_return_t kr;

	if (!t)
		return KERN_RESOURCE_SHORTAGE;
	lock_all();
	kr = task_create(task_self, TRUE, &child);
	unlock_all();
	if (kr)
		goto free_stack;
	kr = bare_thread_make(child, t, forked, &thread);
	if (kr)
		goto kill_child;
	/* It runs as soon as the task does. */
	kr = task_suspend(child);
	if (!kr)
		kr = thread_resume(thread);
	mach_port_deallocate(task_self, thread);
	if (kr)
		goto kill_child;
	bare_thread_free(t);
	*task = child;
	return KERN_SUCCESS;

kill_child:
	task_terminate(child);
	mach_port_deallocate(task_self, child);
free_stack:
	bare_thread_free(t);
	return kr;
}

kern_return_t
bare_task_give(mach_port_t task, mach_port_t right)
{
	return mach_port_insert_right(task, right, right,
				      MACH_MSG_TYPE_COPY_SEND);
}

kern_return_t
bare_task_start(mach_port_t task)
{
	return task_resume(task);
}

void
bare_task_join(mach_port_t task)
{
	mach_dead_name_notification_t note;
	mach_port_t notify = mach_reply_port(), previous;
	kern_return_t kr;

	kr = mach_port_request_notification(task_self, task,
					    MACH_NOTIFY_DEAD_NAME, 1, notify,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE,
					    &previous);
	if (!kr) {
		mach_msg(&note.not_header, MACH_RCV_MSG, 0, sizeof(note),
			 notify, MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
		/* The notification brought one more reference. */
		mach_port_mod_refs(task_self, task, MACH_PORT_RIGHT_DEAD_NAME,
				   -1);
	}
	mach_port_deallocate(task_self, task);
	mach_port_mod_refs(task_self, notify, MACH_PORT_RIGHT_RECEIVE, -1);
}
