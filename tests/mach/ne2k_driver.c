/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of an NE2000 as a program. What it is opened on is published under
 * the name of the device.
 *
 *	name=eth0 base=0x300 irq=10 nopromisc rumplike full=WRITES stall-ms=MS
 *	die-after=WRITES
 */
#include "guest/guest.h"
#include "guest/ne2k_driver.h"

int
main(int argc, char **argv)
{
	const char *name = bare_arg(argv, "name");
	struct ne2k_driver driver = {
		.device_master = guest_lookup("device-master"),
		.name = name ? name : "eth0",
		.base = (uint16_t)bare_arg_number(argv, "base", 0x300),
		.irq = (int)bare_arg_number(argv, "irq", 10),
		.no_promisc = bare_arg_is_set(argv, "nopromisc"),
		.rumplike = bare_arg_is_set(argv, "rumplike"),
		.stall_at = bare_arg_number(argv, "full", 0),
		.stall_ms = bare_arg_number(argv, "stall-ms", 0),
		.die_after = bare_arg_number(argv, "die-after", 0),
	};

	(void)argc;
	driver.master = mach_reply_port();
	CHECK_OK(mach_port_insert_right(mach_task_self(), driver.master,
					driver.master,
					MACH_MSG_TYPE_MAKE_SEND));
	guest_publish(driver.name, driver.master);
	ne2k_driver_run(&driver);
	guest_fail("there is no card to drive");
}
