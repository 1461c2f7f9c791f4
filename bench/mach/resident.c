/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of vnet-mach is in memory: after its start, and with clients that have
 * done what a stack does first, and nothing since. Prints a line
 *
 *	bench resident CLIENTS OCTETS
 *
 * for each. The switch is a task of its own, and has the vifs vif0 to vif15.
 */
#include <mach/task_info.h>

#include <device/device.h>

#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/parent.h"
#include "guest/service.h"

#define VIFS    16
#define CLIENTS 32

static uint8_t frame[60];

static void
print_resident(uint32_t clients)
{
	mach_port_t task = guest_lookup("task:vnet-mach");
	struct task_basic_info info;
	mach_msg_type_number_t n = TASK_BASIC_INFO_COUNT;

	CHECK_OK(task_info(task, TASK_BASIC_INFO, (task_info_t)&info, &n));
	bare_printf("bench resident %u %u\n", clients, info.resident_size);
}

/* It opens its device, listens, sets its flags, and sends a frame to all. */
static void
add_client(mach_port_t master, uint32_t i)
{
	mach_port_t device, receive = client_receiver(MACH_PORT_QLIMIT_MAX);
	char name[8];
	int flags = PFINET_FLAGS;

	bare_snprintf(name, sizeof(name), "vif%u", i % VIFS);
	device = client_open(master, name);
	client_listen(device, receive, 0, 1);
	CHECK_OK(device_set_status(device, NET_FLAGS, &flags, 1));
	client_write(device, frame,
		     client_frame(frame, sizeof(frame), 0xff, (uint8_t)(i + 1),
				  0));
}

int
main(int argc, char **argv)
{
	mach_port_t master = parent_start("vnet-mach");

	(void)argc;
	(void)argv;
	CHECK(master != MACH_PORT_NULL);
	print_resident(0);
	for (uint32_t i = 0; i < CLIENTS; i++)
		add_client(master, i);
	bare_sleep_ms(1000);
	print_resident(CLIENTS);
	guest_pass();
}
