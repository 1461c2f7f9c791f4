/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proxy of the proc server, in a task of its own. The test is everything
 * around it.
 */
#include "proxied.h"

int
main(int argc, char **argv)
{
	uint32_t own;

	(void)argc;
	(void)argv;
	proxied_start();
	own = guest_count_names(mach_task_self());
	check_forwarding();
	proxied_check();
	check_order();
	proxied_check();
	check_lookups();
	proxied_check();
	check_reauthentication();
	proxied_check();
	check_endings();
	proxied_check();
	check_faults();
	CHECK_EQ(guest_count_names(mach_task_self()), own);
	proxied_end();
	guest_pass();
}
