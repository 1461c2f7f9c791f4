/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel by MIG's stubs, which the C library has where there is one.
 */
#include <mach/gnumach.h>
#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <mach/mach_traps.h>
#include <mach/task_special_ports.h>

#include "fault.h"
#include "sys.h"

static mach_msg_return_t
msg(mach_msg_header_t *m, mach_msg_option_t options, mach_msg_size_t send_size,
    mach_msg_size_t rcv_size, mach_port_t rcv_name,
    mach_msg_timeout_t timeout_ms, mach_port_t notify)
{
	return mach_msg(m, options, send_size, rcv_size, rcv_name, timeout_ms,
			notify);
}

static kern_return_t
port_allocate(mach_port_right_t right, mach_port_t *name)
{
	return mach_port_allocate(mach_task_self(), right, name);
}

static kern_return_t
port_deallocate(mach_port_t name)
{
	return mach_port_deallocate(mach_task_self(), name);
}

static kern_return_t
port_mod_refs(mach_port_t name, mach_port_right_t right,
	      mach_port_delta_t delta)
{
	return mach_port_mod_refs(mach_task_self(), name, right, delta);
}

static kern_return_t
port_get_refs(mach_port_t name, mach_port_right_t right,
	      mach_port_urefs_t *refs)
{
	return mach_port_get_refs(mach_task_self(), name, right, refs);
}

static kern_return_t
port_insert_right(mach_port_t name, mach_port_t right,
		  mach_msg_type_name_t type)
{
	return mach_port_insert_right(mach_task_self(), name, right, type);
}

static kern_return_t
port_type(mach_port_t name, mach_port_type_t *type)
{
	return mach_port_type(mach_task_self(), name, type);
}

static kern_return_t
port_set_qlimit(mach_port_t name, mach_port_msgcount_t limit)
{
	return mach_port_set_qlimit(mach_task_self(), name, limit);
}

static kern_return_t
port_move_member(mach_port_t member, mach_port_t set)
{
	return mach_port_move_member(mach_task_self(), member, set);
}

static kern_return_t
port_request_notification(mach_port_t name, mach_msg_id_t id,
			  mach_port_mscount_t sync, mach_port_t notify,
			  mach_port_t *previous)
{
	return mach_port_request_notification(mach_task_self(), name, id, sync,
					      notify,
					      MACH_MSG_TYPE_MAKE_SEND_ONCE,
					      previous);
}

static kern_return_t
port_get_receive_status(mach_port_t name, mach_port_status_t *status)
{
	return mach_port_get_receive_status(mach_task_self(), name, status);
}

static kern_return_t
set_bootstrap(mach_port_t task, mach_port_t right)
{
	return task_set_special_port(task, TASK_BOOTSTRAP_PORT, right);
}

static kern_return_t
resume(mach_port_t task)
{
	return task_resume(task);
}

static kern_return_t
allocate(vm_address_t *address, vm_size_t size)
{
	return vm_allocate(mach_task_self(), address, size, TRUE);
}

static kern_return_t
deallocate(vm_address_t address, vm_size_t size)
{
	return vm_deallocate(mach_task_self(), address, size);
}

static void
yield(void)
{
	swtch_pri(0);
}

static void
wait(const uint32_t *word, uint32_t value)
{
	gsync_wait(mach_task_self(), (vm_address_t)word, value, 0, 0, 0);
}

/* GSYNC_BROADCAST of kern/gsync.h, which is in no package. */
#define BROADCAST 8

static void
wake(const uint32_t *word, bool all)
{
	gsync_wake(mach_task_self(), (vm_address_t)word, 0,
		   all ? BROADCAST : 0);
}

const struct vnet_mach_sys vnet_mach_kernel = {
	.msg = msg,
	.port_allocate = port_allocate,
	.port_deallocate = port_deallocate,
	.port_mod_refs = port_mod_refs,
	.port_get_refs = port_get_refs,
	.port_insert_right = port_insert_right,
	.port_type = port_type,
	.port_set_qlimit = port_set_qlimit,
	.port_move_member = port_move_member,
	.port_request_notification = port_request_notification,
	.port_get_receive_status = port_get_receive_status,
	.task_set_bootstrap = set_bootstrap,
	.task_resume = resume,
	.vm_allocate = allocate,
	.vm_deallocate = deallocate,
	.copy = vnet_mach_fault_copy,
	.catch_faults = vnet_mach_fault_catch,
	.thread_self = mach_thread_self,
	.interrupt = vnet_mach_fault_interrupt,
	.exception = vnet_mach_fault_exception,
	.yield = yield,
	.wait = wait,
	.wake = wake,
};
