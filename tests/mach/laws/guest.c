/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The laws, on the kernel.
 */
#include <mach/mach_port.h>

#include "guest/guest.h"
#include "laws.h"

void
law_is_broken(const char *file, int line, const char *what, long is,
	      long expected)
{
	(void)file;
	guest_fail("laws.c:%d: %s is %#lx, not %#lx", line, what,
		   (unsigned long)is, (unsigned long)expected);
}

int
main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < nlaws; i++) {
		uint32_t names = guest_count_names(mach_task_self());
		uint32_t memory = guest_memory(mach_task_self());

		bare_printf("%s\n", laws[i].what);
		laws[i].run(&vnet_mach_kernel);
		CHECK_EQ(guest_count_names(mach_task_self()), names);
		CHECK_EQ(guest_memory(mach_task_self()), memory);
	}
	guest_pass();
}
