/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading memory that cannot be relied upon: a pager may refuse to give it, and
 * the kernel then raises an exception in the thread that touches it.
 */
#ifndef VNET_MACH_FAULT_H
#define VNET_MACH_FAULT_H

#include "sys.h"

/* fault_i386.S: look at *@given_up and copy @n octets, from @begin to @end in the
 * code; what is made to go on at @failed returns false. */
bool vnet_mach_fault_copy(void *to, const void *from, size_t n,
			  const uint32_t *given_up);
extern const char vnet_mach_fault_begin[], vnet_mach_fault_end[],
	vnet_mach_fault_failed[];

kern_return_t vnet_mach_fault_catch(mach_port_t right);
void vnet_mach_fault_interrupt(mach_port_t thread);
bool vnet_mach_fault_exception(mach_msg_header_t *in, mach_msg_header_t *out);

#endif
