/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switch that is killed under load is started again by its supervisor, and a
 * client that opened by name lives on: as pfinet does, it opens the device again
 * by the master right that it has, and goes on.
 *
 *	sender --- vif0 vnet-mach vif1 --- receiver
 *	               (killed, again and again)
 */
#include <string.h>

#include <device/device.h>
#include <device/net_status.h>
#include <mach/mig_errors.h>

#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/netdev.h"
#include "guest/parent.h"

#define KILLS 9

/* Frames that are written between two deaths, at the least. */
#define BURST 200

static mach_port_t master, supervisor, template;
static struct netdev sender, receiver;
static uint8_t frame[HOST_FRAME_MAX];
static uint32_t received;

static bool
is_dead(kern_return_t kr)
{
	return kr == MACH_SEND_INVALID_DEST || kr == MIG_SERVER_DIED;
}

/* Is that right of the supervisor's one to the task of a switch? What else it
 * has is not asked, which might be ours. */
static bool
is_switch(mach_port_t right)
{
	struct task_basic_info info;
	mach_msg_type_number_t n = TASK_BASIC_INFO_COUNT;

	return right != supervisor && right != template &&
	       !task_info(right, TASK_BASIC_INFO, (task_info_t)&info, &n);
}

/* The switch that runs now: whatever of the supervisor's rights we have not given
 * it. */
static mach_port_t
find_switch(void)
{
	mach_port_array_t names;
	mach_port_type_array_t types;
	mach_msg_type_number_t n, ntypes;
	mach_msg_type_name_t type;
	mach_port_t right, found = MACH_PORT_NULL;
	mach_port_type_t own;

	CHECK_OK(mach_port_names(supervisor, &names, &n, &types, &ntypes));
	for (mach_msg_type_number_t i = 0; i < n && !found; i++) {
		if ((types[i] & MACH_PORT_TYPE_SEND_RECEIVE) !=
		    MACH_PORT_TYPE_SEND)
			continue;
		if (mach_port_extract_right(supervisor, names[i],
					    MACH_MSG_TYPE_COPY_SEND, &right,
					    &type))
			continue;
		CHECK_OK(mach_port_type(mach_task_self(), right, &own));
		if (right != master && !(own & MACH_PORT_TYPE_RECEIVE) &&
		    is_switch(right))
			found = right;
		else
			mach_port_deallocate(mach_task_self(), right);
	}
	vm_deallocate(mach_task_self(), (vm_address_t)names,
		      n * sizeof(*names));
	vm_deallocate(mach_task_self(), (vm_address_t)types,
		      ntypes * sizeof(*types));
	return found;
}

/* A copy has the rights of the template, under the same names. */
static void
check_rights(mach_port_t task)
{
	mach_port_array_t names;
	mach_port_type_array_t types;
	mach_msg_type_number_t n, ntypes;
	mach_msg_type_name_t type;
	mach_port_t a, b;
	uint32_t nrights = 0;

	CHECK_OK(mach_port_names(template, &names, &n, &types, &ntypes));
	for (mach_msg_type_number_t i = 0; i < n; i++) {
		if (!(types[i] & MACH_PORT_TYPE_SEND))
			continue;
		CHECK_OK(mach_port_extract_right(template, names[i],
						 MACH_MSG_TYPE_COPY_SEND, &a,
						 &type));
		CHECK_OK(mach_port_extract_right(
			task, names[i], MACH_MSG_TYPE_COPY_SEND, &b, &type));
		CHECK_EQ(a, b);
		mach_port_deallocate(mach_task_self(), a);
		mach_port_deallocate(mach_task_self(), b);
		nrights++;
	}
	CHECK(nrights > 0);
	vm_deallocate(mach_task_self(), (vm_address_t)names,
		      n * sizeof(*names));
	vm_deallocate(mach_task_self(), (vm_address_t)types,
		      ntypes * sizeof(*types));
}

/* The one that is to be killed has been there for a while; another one may take a
 * moment. */
static void
kill(void)
{
	mach_port_t task = MACH_PORT_NULL;

	while (task == MACH_PORT_NULL) {
		task = find_switch();
		if (task == MACH_PORT_NULL)
			bare_sleep_ms(10);
	}
	CHECK_OK(task_terminate(task));
	mach_port_deallocate(mach_task_self(), task);
}

static void
kill_later(void *arg)
{
	bare_sleep_ms(*(uint32_t *)arg);
	kill();
}

static void
open_both(void)
{
	CHECK_OK(netdev_open(&sender, master, "vif0", true, PFINET_FLAGS));
	CHECK_OK(netdev_open(&receiver, master, "vif1", false, PFINET_FLAGS));
	memset(frame, 0, sizeof(frame));
	memcpy(frame, receiver.mac, 6);
	memcpy(frame + 6, sender.mac, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
}

static void
close_both(void)
{
	netdev_close(&sender);
	netdev_close(&receiver);
}

static void
receive_all(mach_msg_timeout_t ms)
{
	uint8_t in[HOST_FRAME_MAX];

	while (netdev_read(&receiver, in, ms) >= 0)
		received++;
}

/* Write until the switch is dead. Everything else than success and its death is
 * an end of pfinet. */
static void
write_until_death(void)
{
	uint32_t n = 0;
	kern_return_t kr;

	received = 0;
	do {
		kr = netdev_write(&sender, frame, 60 + n % 1000);
		receive_all(0);
		n++;
	} while (!kr);
	CHECK(is_dead(kr));
	CHECK(n > BURST);
	CHECK(received > BURST / 2);
}

static void
run(void)
{
	uint8_t mac[6];

	open_both();
	memcpy(mac, sender.mac, 6);
	for (uint32_t i = 0; i < KILLS; i++) {
		uint32_t delay = 100 + 10 * i;
		struct bare_thread *killer;

		CHECK_OK(bare_thread_create(&killer, 0, kill_later, &delay));
		write_until_death();
		bare_thread_join(killer);
		/* Others that have hardly begun. */
		for (uint32_t k = 0; k < i % 3; k++)
			kill();
		close_both();
		/* Waits in the master's queue until there is a switch. */
		open_both();
		CHECK(memcmp(mac, sender.mac, 6) == 0);
		received = 0;
		CHECK_OK(netdev_write(&sender, frame, 60));
		receive_all(100);
		CHECK_EQ(received, 1);
	}
	close_both();
}

int
main(int argc, char **argv)
{
	uint32_t names, memory;
	mach_port_t task;

	(void)argc;
	(void)argv;
	supervisor = guest_lookup("task:vnet-mach-supervisor");
	template = guest_lookup("task:vnet-mach");
	master = parent_start("vnet-mach-supervisor");
	CHECK(master != MACH_PORT_NULL);
	/* One death, after which all is as it will be. */
	open_both();
	task = find_switch();
	check_rights(task);
	mach_port_deallocate(mach_task_self(), task);
	kill();
	close_both();
	open_both();
	close_both();
	names = guest_count_names(supervisor);
	memory = guest_memory(supervisor);
	run();
	CHECK_EQ(guest_count_names(supervisor), names);
	CHECK_EQ(guest_memory(supervisor), memory);
	/* The template has not moved. */
	CHECK(guest_count_names(template) <= 3);
	guest_pass();
}
