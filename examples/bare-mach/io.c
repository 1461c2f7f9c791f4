/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports of the machine.
 */
#include <mach/i386/mach_i386.h>

#include <bare.h>

kern_return_t
bare_io_allow(mach_port_t device_master, uint16_t first, uint16_t last)
{
	mach_port_t permission;
	kern_return_t kr =
		i386_io_perm_create(device_master, first, last, &permission);

	if (kr)
		return kr;
	kr = i386_io_perm_modify(mach_task_self(), permission, TRUE);
	mach_port_deallocate(mach_task_self(), permission);
	return kr;
}
