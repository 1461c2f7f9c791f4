/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time.
 */
#include <device/device.h>
#include <mach/time_value.h>

#include <bare.h>

#include "clock.h"

static const volatile mapped_time_value_t *mapped;

/* The clock may be set back; ours goes on then from where it was. */
static struct bare_mutex lock;
static vnet_nsec latest; /* of the kernel's clock */
static vnet_nsec behind; /* how much it is behind ours */

void
bare_clock_lock(void)
{
	bare_mutex_take(&lock);
}

void
bare_clock_unlock(void)
{
	bare_mutex_give(&lock);
}

/* The kernel writes check_seconds first and seconds last. */
static time_value_t
read_mapped(void)
{
	time_value_t t;

	do {
		t.seconds = mapped->seconds;
		t.microseconds = mapped->microseconds;
	} while (t.seconds != mapped->check_seconds);
	return t;
}

vnet_nsec
bare_now(void)
{
	time_value_t t = {0, 0};
	vnet_nsec now;

	bare_clock_lock();
	if (mapped)
		t = read_mapped();
	else
		host_get_time(mach_host_self(), &t);
	now = (vnet_nsec)t.seconds * VNET_NSEC_PER_SEC +
	      (vnet_nsec)t.microseconds * 1000;
	if (now < latest)
		behind += latest - now;
	latest = now;
	now += behind;
	bare_clock_unlock();
	return now;
}

kern_return_t
bare_clock_map(mach_port_t device_master)
{
	mach_port_t device, pager;
	vm_address_t at = 0;
	kern_return_t kr = device_open(device_master, D_READ, "time", &device);

	if (kr)
		return kr;
	kr = device_map(device, VM_PROT_READ, 0, sizeof(*mapped), &pager, 0);
	mach_port_deallocate(mach_task_self(), device);
	if (kr)
		return kr;
	kr = vm_map(mach_task_self(), &at, sizeof(*mapped), 0, TRUE, pager, 0,
		    FALSE, VM_PROT_READ, VM_PROT_READ, VM_INHERIT_SHARE);
	mach_port_deallocate(mach_task_self(), pager);
	if (!kr)
		mapped = (const volatile mapped_time_value_t *)at;
	return kr;
}
