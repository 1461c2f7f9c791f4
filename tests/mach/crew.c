/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet-mach has as many threads as it needs: while clients hold them up with memory
 * that nobody gives, others come, and when that is over they go.
 *
 *	hostile clients --- vif0 vnet-mach vif1 --- two that go on
 */
#include <string.h>

#include <device/device.h>

#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/netdev.h"
#include "guest/pager.h"
#include "guest/parent.h"

#define HOSTILE 20

static mach_port_t master, program;
static struct netdev hostile[HOSTILE], ann, bob;
static struct pager pagers[HOSTILE];

static uint32_t
count_threads(void)
{
	thread_array_t threads;
	mach_msg_type_number_t n;

	CHECK_OK(task_threads(program, &threads, &n));
	for (mach_msg_type_number_t i = 0; i < n; i++)
		mach_port_deallocate(mach_task_self(), threads[i]);
	vm_deallocate(mach_task_self(), (vm_address_t)threads,
		      n * sizeof(*threads));
	return n;
}

static void
wait_threads(uint32_t least, uint32_t most)
{
	uint32_t n = 0;

	for (int i = 0; i < 300; i++) {
		n = count_threads();
		if (n >= least && n <= most)
			return;
		bare_sleep_ms(10);
	}
	guest_fail("%u threads, not %u to %u", n, least, most);
}

/* Frames go on. */
static void
expect_service(void)
{
	uint8_t frame[100] = {0}, got[HOST_FRAME_MAX];

	memcpy(frame, bob.mac, 6);
	memcpy(frame + 6, ann.mac, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	for (uint8_t i = 0; i < 50; i++) {
		frame[14] = i;
		CHECK_OK(netdev_write(&ann, frame, sizeof(frame)));
		CHECK_EQ(netdev_read(&bob, got, 2000), sizeof(frame));
		CHECK_EQ(got[14], i);
	}
}

static void
attack(void)
{
	for (int i = 0; i < HOSTILE; i++) {
		CHECK_OK(netdev_open(&hostile[i], master, "vif0", true,
				     PFINET_FLAGS));
		pager_start(&pagers[i], PAGER_IS_SILENT, 4096);
		netdev_write(&hostile[i], (void *)pagers[i].address, 100);
		expect_service();
	}
	/* The one that makes others, one for each, and two; and one that is on its
	 * way. */
	wait_threads(3 + HOSTILE, 3 + HOSTILE + 1);
	expect_service();
	for (int i = 0; i < HOSTILE; i++) {
		pager_stop(&pagers[i]);
		netdev_close(&hostile[i]);
	}
	expect_service();
	wait_threads(3, 3);
}

int
main(int argc, char **argv)
{
	uint32_t names, memory;

	(void)argc;
	(void)argv;
	program = guest_lookup("task:vnet-mach");
	master = parent_start("vnet-mach");
	CHECK_OK(netdev_open(&ann, master, "vif0", true, PFINET_FLAGS));
	CHECK_OK(netdev_open(&bob, master, "vif1", true, PFINET_FLAGS));
	expect_service();
	wait_threads(3, 3);
	attack();
	names = guest_count_names(program);
	memory = guest_memory(program);
	attack();
	attack();
	CHECK_EQ(guest_count_names(program), names);
	CHECK(guest_memory(program) <= memory + 2 * 4096);
	guest_pass();
}
