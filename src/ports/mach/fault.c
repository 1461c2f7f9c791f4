/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exception that tells of a fault in the copy has the thread go on where the
 * copy fails (<mach/exc.defs>, exception_raise). Others are not for us.
 */
#include <mach/thread_status.h>

#include <mach/mach_port.h>
#include <mach/mach_traps.h>
#include <mach/mach_interface.h>

#include "fault.h"
#include "wire.h"

#define EXCEPTION_RAISE 2400

/* <mach/thread_special_ports.h> */
#define EXCEPTION_PORT 3

/* A thread's registers, and of these the one that says where it goes on. That of
 * x86_64 is as GNU Mach of 2023 and later has it, and was never run. */
#define STATE       i386_REGS_SEGS_STATE
#define STATE_COUNT i386_THREAD_STATE_COUNT
typedef struct i386_thread_state state;

static uintptr_t *
pc_of(state *s)
{
#if defined(__i386__)
	return (uintptr_t *)&s->eip;
#elif defined(__x86_64__)
	return (uintptr_t *)&s->rip;
#else
#error "where a thread of this machine goes on is not known here"
#endif
}

kern_return_t
vnet_mach_fault_catch(mach_port_t right)
{
	mach_port_t self = mach_thread_self(), send = MACH_PORT_NULL;
	kern_return_t k = KERN_SUCCESS;

	if (MACH_PORT_VALID(right)) {
		k = mach_port_insert_right(mach_task_self(), right, right,
					   MACH_MSG_TYPE_MAKE_SEND);
		send = right;
	}
	if (!k)
		k = thread_set_special_port(self, EXCEPTION_PORT, send);
	if (send != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), send);
	mach_port_deallocate(mach_task_self(), self);
	return k;
}

/* Have it go on where the copy fails, if that is where it is. */
static bool
recover(mach_port_t thread)
{
	state s;
	mach_msg_type_number_t n = STATE_COUNT;
	uintptr_t pc;

	if (thread_get_state(thread, STATE, (thread_state_t)&s, &n))
		return false;
	pc = *pc_of(&s);
	/* Somebody else was quicker. */
	if (pc == (uintptr_t)vnet_mach_fault_failed)
		return true;
	if (pc < (uintptr_t)vnet_mach_fault_begin ||
	    pc >= (uintptr_t)vnet_mach_fault_end)
		return false;
	*pc_of(&s) = (uintptr_t)vnet_mach_fault_failed;
	return !thread_set_state(thread, STATE, (thread_state_t)&s, n);
}

/* A thread that waits for a page is woken by the abort, and would only touch it
 * again. */
void
vnet_mach_fault_interrupt(mach_port_t thread)
{
	if (thread_suspend(thread))
		return;
	thread_abort(thread);
	recover(thread);
	thread_resume(thread);
}

bool
vnet_mach_fault_exception(mach_msg_header_t *in, mach_msg_header_t *out)
{
	mig_reply_header_t *reply = (mig_reply_header_t *)out;
	struct vnet_wire_header h;
	struct vnet_wire_reader r;
	uint32_t thread, task, type;

	if (in->msgh_id != EXCEPTION_RAISE)
		return false;
	vnet_wire_open(&r, in, in->msgh_size, VNET_WIRE_HERE, &h);
	thread = vnet_wire_get_right(&r, &type);
	task = vnet_wire_get_right(&r, &type);
	for (int i = 0; i < 3; i++)
		vnet_wire_get_int32(&r);
	reply->RetCode = KERN_FAILURE;
	if (!vnet_wire_close(&r) || task != mach_task_self() ||
	    !recover(thread))
		return true;
	mach_port_deallocate(mach_task_self(), thread);
	mach_port_deallocate(mach_task_self(), task);
	reply->RetCode = KERN_SUCCESS;
	return true;
}
