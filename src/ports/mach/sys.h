/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel, as far as the server uses it: a thin layer, so that a test can put
 * another one there that refuses what it likes. All of it is about the task that
 * runs, but where it says otherwise. What a caller passes is what the routine of
 * Mach of that name takes (<mach/mach_port.defs>, <mach/message.h>,
 * <mach/mach.defs>).
 *
 * Nothing else in src/ports/mach/ makes a system call.
 */
#ifndef VNET_MACH_SYS_H
#define VNET_MACH_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/message.h>
#include <mach/mig_errors.h>
#include <mach/notify.h>
#include <mach/port.h>
#include <mach/std_types.h>

struct vnet_mach_sys {
	/* mach_msg_trap(). A timeout of 0 with MACH_SEND_TIMEOUT or
	 * MACH_RCV_TIMEOUT does not wait. */
	mach_msg_return_t (*msg)(mach_msg_header_t *msg,
				 mach_msg_option_t options,
				 mach_msg_size_t send_size,
				 mach_msg_size_t rcv_size, mach_port_t rcv_name,
				 mach_msg_timeout_t timeout_ms,
				 mach_port_t notify);

	kern_return_t (*port_allocate)(mach_port_right_t right,
				       mach_port_t *name);
	kern_return_t (*port_deallocate)(mach_port_t name);
	kern_return_t (*port_mod_refs)(mach_port_t name,
				       mach_port_right_t right,
				       mach_port_delta_t delta);
	kern_return_t (*port_get_refs)(mach_port_t name,
				       mach_port_right_t right,
				       mach_port_urefs_t *refs);
	kern_return_t (*port_insert_right)(mach_port_t name, mach_port_t right,
					   mach_msg_type_name_t type);
	kern_return_t (*port_type)(mach_port_t name, mach_port_type_t *type);
	kern_return_t (*port_set_qlimit)(mach_port_t name,
					 mach_port_msgcount_t limit);
	kern_return_t (*port_move_member)(mach_port_t member, mach_port_t set);
	/* Makes a send-once right of @notify; what was requested before is
	 * given back in *previous. */
	kern_return_t (*port_request_notification)(mach_port_t name,
						   mach_msg_id_t id,
						   mach_port_mscount_t sync,
						   mach_port_t notify,
						   mach_port_t *previous);
	kern_return_t (*port_get_receive_status)(mach_port_t name,
						 mach_port_status_t *status);

	/* Of another task: its TASK_BOOTSTRAP_PORT (@right a send right that
	 * stays the caller's), and let it run. */
	kern_return_t (*task_set_bootstrap)(mach_port_t task,
					    mach_port_t right);
	kern_return_t (*task_resume)(mach_port_t task);

	kern_return_t (*vm_allocate)(vm_address_t *address, vm_size_t size);
	kern_return_t (*vm_deallocate)(vm_address_t address, vm_size_t size);

	/* Copy @n octets from memory that somebody else may page: false if it
	 * could not be read. Waits for its pager, but not where *@given_up is
	 * not 0 when it begins. */
	bool (*copy)(void *to, const void *from, size_t n,
		     const uint32_t *given_up);
	/* Have this thread's exceptions go to @right, a receive right of ours,
	 * so that copy() can fail; MACH_PORT_NULL undoes it. */
	kern_return_t (*catch_faults)(mach_port_t right);
	/* The kernel's right to this thread; a reference is the caller's. */
	mach_port_t (*thread_self)(void);
	/* If that thread is in copy(), let it fail, also where it waits: one
	 * that comes there only now looks at *@given_up, which was set first. */
	void (*interrupt)(mach_port_t thread);
	/* A message has arrived at that right: if it tells of a fault in
	 * copy(), let that fail. Fills the reply. */
	bool (*exception)(mach_msg_header_t *in, mach_msg_header_t *out);

	/* Let other threads of the machine run. */
	void (*yield)(void);
	/* Sleep while *@word is @value, until somebody wakes: may return early. */
	void (*wait)(const uint32_t *word, uint32_t value);
	void (*wake)(const uint32_t *word, bool all);
};

/* The kernel. */
extern const struct vnet_mach_sys vnet_mach_kernel;

/* Send without waiting, and clean up if that fails: whatever the message holds
 * is gone afterwards, whether it was sent or not. Return: as mach_msg_trap(), but
 * for MACH_MSG_MASK. A send-once right that was to be made for the reply was made
 * and destroyed, and its notification comes, after MACH_SEND_TIMED_OUT alone. */
mach_msg_return_t vnet_mach_send(const struct vnet_mach_sys *sys,
				 mach_msg_header_t *msg);

/* Destroy a message that was received, or given back by a send that failed: its
 * rights, and the memory that it brought. */
void vnet_mach_msg_destroy(const struct vnet_mach_sys *sys,
			   mach_msg_header_t *msg);

#endif
