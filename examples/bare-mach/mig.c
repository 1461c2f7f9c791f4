/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the stubs that MIG makes need.
 */
#include <mach/mig_support.h>

#include <bare.h>

#include "thread.h"

mach_port_t
mig_get_reply_port(void)
{
	struct bare_thread *t = bare_thread_current();

	if (!t->reply_port)
		t->reply_port = mach_reply_port();
	return t->reply_port;
}

void
mig_put_reply_port(mach_port_t port)
{
	(void)port;
}

void
mig_dealloc_reply_port(mach_port_t port)
{
	struct bare_thread *t = bare_thread_current();

	/* The call below has a reply port, too: another one, which stays. */
	t->reply_port = MACH_PORT_NULL;
	mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1);
}

vm_size_t
mig_strncpy(char *to, const char *from, vm_size_t size)
{
	vm_size_t n;

	if (size == 0)
		return 0;
	n = strnlen(from, size - 1);
	memcpy(to, from, n);
	memset(to + n, 0, size - n);
	return n + 1;
}

void
mig_allocate(vm_address_t *address, vm_size_t size)
{
	if (vm_allocate(mach_task_self(), address, size, TRUE))
		*address = 0;
}

void
mig_deallocate(vm_address_t address, vm_size_t size)
{
	vm_deallocate(mach_task_self(), address, size);
}
