/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of the NE2000 works: before anything is said of a switch above it,
 * a host alone uses it, and talks to QEMU's gateway. What goes over the wire is
 * compared by ne2k.py.
 */
#include <string.h>

#include <device/device.h>
#include <device/net_status.h>

#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/ne2k_driver.h"
#include "guest/netdev.h"
#include "guest/nic.h"
#include "guest/nic_task.h"

#define PATTERN_TYPE 0x88b5 /* for experiments */

static struct station station;

static const uint8_t card_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
static const uint8_t other_mac[6] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x99};

static struct host_addr
site_local(uint16_t last)
{
	const uint16_t groups[8] = {0xfec0, 0, 0, 0, 0, 0, 0, last};

	return host_addr6(groups);
}

static void
open_station(mach_port_t master, bool is_bpf, int flags, const uint8_t *mac)
{
	const struct host_addr ip4 = host_addr4(10, 0, 2, mac ? 99 : 15);
	const struct host_addr ip6 = site_local(mac ? 0x99 : 0x15);

	CHECK_OK(netdev_open(&station.dev, master, "eth0", is_bpf, flags));
	station_start(&station, mac, &ip4, &ip6);
	CHECK(station_run(&station, station_is_ready, 3000));
}

static void
close_station(void)
{
	netdev_close(&station.dev);
}

static void
ping(const struct host_addr *addr, size_t len)
{
	host_ping(&station.host, addr, len, netdev_now());
	CHECK(station_run(&station, station_is_answered, 5000));
}

/* QEMU's gateway, at its three addresses. */
static void
ping_gateway(unsigned int rounds, size_t len)
{
	const uint16_t link[8] = {0xfe80, 0, 0, 0, 0, 0, 0, 2};
	const struct host_addr gateways[] = {host_addr4(10, 0, 2, 2),
					     site_local(2), host_addr6(link)};
	const unsigned long replies = station.host.ping.replies;

	for (unsigned int i = 0; i < 3 * rounds; i++)
		ping(&gateways[i % 3], len);
	CHECK_EQ(station.host.ping.replies - replies, 3 * rounds);
	CHECK_EQ(station.host.counts.malformed, 0);
	CHECK_EQ(station.host.counts.checksums, 0);
	CHECK_EQ(station.dev.refused, 0);
	CHECK_EQ(station.dev.strange, 0);
}

/* To be found on the wire as they are, but filled up to 60 octets. */
static void
write_patterns(void)
{
	static const size_t lens[] = {14, 15, 42, 59, 60, 61, 1000, 1513, 1514};
	uint8_t frame[HOST_FRAME_MAX];

	memset(frame, 0xff, 6);
	memcpy(frame + 6, station.dev.mac, 6);
	frame[12] = PATTERN_TYPE >> 8;
	frame[13] = PATTERN_TYPE & 0xff;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		for (size_t at = 14; at < lens[i]; at++)
			frame[at] = (uint8_t)(lens[i] + 7 * at);
		CHECK_OK(netdev_write(&station.dev, frame, lens[i]));
	}
	CHECK_EQ(netdev_write(&station.dev, frame, 0), D_INVALID_SIZE);
	CHECK_EQ(netdev_write(&station.dev, frame, 1515), D_INVALID_SIZE);
	station.dev.refused = 0;
}

/* What a card that is not promiscuous does not take, a host with another
 * address does not get. */
static void
check_promisc(mach_port_t master)
{
	const struct host_addr gateway = host_addr4(10, 0, 2, 2);
	const mach_port_t device = station.dev.device;
	int flags = PFINET_FLAGS | IFF_PROMISC;

	open_station(master, true, PFINET_FLAGS, other_mac);
	CHECK_EQ(station.dev.device, device); /* the same right */
	host_ping(&station.host, &gateway, 56, netdev_now());
	CHECK(!station_run(&station, station_is_answered, 600));
	CHECK_OK(device_set_status(station.dev.device, NET_FLAGS, &flags, 1));
	CHECK(station_run(&station, station_is_answered, 3000));
	ping_gateway(3, 100);
	close_station();
}

static int
flags_of(mach_port_t device)
{
	mach_msg_type_number_t n = 1;
	int flags = 0;

	CHECK_OK(device_get_status(device, NET_FLAGS, &flags, &n));
	return flags;
}

/* The program, as a boot module. */
static void
check_module(void)
{
	const mach_port_t master = guest_lookup("eth0");

	open_station(master, true, PFINET_FLAGS, NULL);
	CHECK(memcmp(station.dev.mac, card_mac, 6) == 0);
	CHECK_EQ(station.dev.status[0], 14);
	CHECK_EQ(station.dev.status[1], 1514);
	CHECK_EQ(flags_of(station.dev.device), PFINET_FLAGS);
	write_patterns();
	ping_gateway(20, 1400);
	check_promisc(master);
	guest_withdraw("eth0");
	guest_kill("ne2k_driver");
	mach_port_deallocate(mach_task_self(), master);
}

/* It comes back, and is what it was. */
static void
check_again(struct nic_task *task, struct ne2k_driver *driver)
{
	for (unsigned int i = 0; i < 3; i++) {
		CHECK_OK(nic_task_start(task, driver->device_master,
					ne2k_driver_run, driver));
		open_station(task->master, i & 1, PFINET_FLAGS, NULL);
		ping_gateway(2, 56);
		nic_task_kill(task);
		/* Its queue may have been full of frames when it died. */
		close_station();
	}
}

static void
check_misbehaviour(struct nic_task *task, struct ne2k_driver *driver)
{
	static const uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	host_msec begin;

	driver->no_promisc = true;
	driver->stall_at = 3;
	driver->stall_ms = 500;
	driver->die_after = 5;
	CHECK_OK(nic_task_start(task, driver->device_master, ne2k_driver_run,
				driver));
	CHECK_OK(netdev_open(&station.dev, task->master, "eth0", true,
			     PFINET_FLAGS | IFF_PROMISC));
	CHECK_EQ(flags_of(station.dev.device), PFINET_FLAGS);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_OK(netdev_write(&station.dev, frame, sizeof(frame)));
	begin = netdev_now();
	CHECK_OK(netdev_write(&station.dev, frame, sizeof(frame)));
	CHECK(netdev_now() - begin >= 400);
	CHECK_OK(netdev_write(&station.dev, frame, sizeof(frame)));
	CHECK(nic_task_wait(task, 5000));
	CHECK_EQ(netdev_write(&station.dev, frame, sizeof(frame)),
		 MACH_SEND_INVALID_DEST);
	close_station();
}

/* The last to set a filter gets everything. */
static void
check_rumplike(struct nic_task *task, struct ne2k_driver *driver)
{
	static struct netdev robbed;
	uint8_t frame[HOST_FRAME_MAX];

	driver->rumplike = true;
	CHECK_OK(nic_task_start(task, driver->device_master, ne2k_driver_run,
				driver));
	CHECK_OK(
		netdev_open(&robbed, task->master, "eth0", true, PFINET_FLAGS));
	open_station(task->master, true, PFINET_FLAGS, NULL);
	ping_gateway(3, 56);
	CHECK_EQ(netdev_read(&robbed, frame, 0), -1);
	CHECK_EQ(robbed.strange, 0);
	close_station();
	netdev_close(&robbed);
	nic_task_kill(task);
	driver->rumplike = false;
}

int
main(int argc, char **argv)
{
	struct ne2k_driver driver = {
		.device_master = guest_lookup("device-master"),
		.name = "eth0",
		.base = 0x300,
		.irq = 10,
	};
	struct nic_task task;
	uint32_t names;

	(void)argc;
	(void)argv;
	check_module();
	names = guest_count_names(mach_task_self());
	CHECK_OK(nic_task_init(&task));
	driver.master = task.master;
	check_again(&task, &driver);
	check_rumplike(&task, &driver);
	check_misbehaviour(&task, &driver);
	nic_task_fini(&task);
	CHECK_EQ(guest_count_names(mach_task_self()), names);
	guest_pass();
}
