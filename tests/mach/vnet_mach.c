/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet-mach as a boot module: it gives its master to whoever has started it, and
 * two hosts, each a task, are on its vifs.
 *
 *	ann --- vif0 vnet-mach vif1 --- bob
 */
#include <string.h>

#include <device/device.h>
#include <device/net_status.h>

#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/netdev.h"
#include "guest/parent.h"

#define ROUNDS 20

static struct station station;

static struct host_addr
ip4(uint32_t host)
{
	return host_addr4(10, 0, 0, (uint8_t)host);
}

static struct host_addr
ip6(uint32_t host)
{
	const uint16_t groups[8] = {0xfd00, 0, 0, 0, 0, 0, 0, (uint16_t)host};

	return host_addr6(groups);
}

static void
ping(const struct host_addr *addr, size_t len)
{
	host_ping(&station.host, addr, len, netdev_now());
	CHECK(station_run(&station, station_is_answered, 10000));
}

/* Each pings the other, and goes on until both have. */
static void
run_host(mach_port_t master, uint32_t own, uint32_t other, const char *device)
{
	const struct host_addr own4 = ip4(own), own6 = ip6(own);
	const struct host_addr other4 = ip4(other), other6 = ip6(other);

	CHECK_OK(netdev_open(&station.dev, master, device, own == 1,
			     PFINET_FLAGS));
	station_start(&station, NULL, &own4, &own6);
	CHECK(station_run(&station, station_is_ready, 5000));
	for (int i = 0; i < ROUNDS; i++) {
		ping(&other4, 56);
		ping(&other6, 1400);
	}
	CHECK_EQ(station.host.ping.replies, 2 * ROUNDS);
	station_run(&station, NULL, 1000);
	CHECK(station.host.counts.echoes >= 2 * ROUNDS);
	CHECK_EQ(station.host.counts.strangers, 0);
	CHECK_EQ(station.host.counts.malformed, 0);
	CHECK_EQ(station.host.counts.conflicts, 0);
	CHECK_EQ(station.dev.refused, 0);
	CHECK_EQ(station.dev.strange, 0);
	netdev_close(&station.dev);
}

static void
check_name(mach_port_t master, const char *name, kern_return_t expected)
{
	dev_name_t padded = "";
	mach_port_t device;

	memcpy(padded, name, strlen(name));
	CHECK_EQ(device_open(master, D_READ, padded, &device), expected);
	if (expected)
		return;
	CHECK_OK(device_close(device));
	CHECK_OK(mach_port_deallocate(mach_task_self(), device));
}

static int
status(mach_port_t master, const char *name, dev_flavor_t flavor, int i)
{
	int words[7];
	mach_msg_type_number_t n = 7;
	dev_name_t padded = "";
	mach_port_t device;

	memcpy(padded, name, strlen(name));
	CHECK_OK(device_open(master, D_READ, padded, &device));
	CHECK_OK(device_get_status(device, flavor, words, &n));
	CHECK_OK(mach_port_deallocate(mach_task_self(), device));
	return words[i];
}

/* Whether the device says that it is promiscuous, when asked to be. */
static bool
may_promisc(mach_port_t master, const char *name)
{
	int flags = PFINET_FLAGS | IFF_PROMISC;
	mach_msg_type_number_t n = 1;
	struct netdev dev;

	CHECK_OK(netdev_open(&dev, master, name, true, PFINET_FLAGS));
	CHECK_OK(device_set_status(dev.device, NET_FLAGS, &flags, 1));
	CHECK_OK(device_get_status(dev.device, NET_FLAGS, &flags, &n));
	netdev_close(&dev);
	return flags & 0x100;
}

/* How many of @n frames come from one device to another. */
static uint32_t
count(mach_port_t master, const char *from, const char *to, uint32_t n)
{
	uint8_t frame[60] = {0}, got[HOST_FRAME_MAX];
	struct netdev a, b;
	uint32_t received = 0;

	CHECK_OK(netdev_open(&a, master, from, true, PFINET_FLAGS));
	CHECK_OK(netdev_open(&b, master, to, true, PFINET_FLAGS));
	memcpy(frame, b.mac, 6);
	memcpy(frame + 6, a.mac, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	while (n--)
		CHECK_OK(netdev_write(&a, frame, sizeof(frame)));
	while (netdev_read(&b, got, 100) > 0)
		received++;
	netdev_close(&a);
	netdev_close(&b);
	return received;
}

/* It is open twice at the most. */
static void
check_max_opens(mach_port_t master, const char *name)
{
	dev_name_t padded = "";
	mach_port_t devices[2], third;

	memcpy(padded, name, strlen(name));
	for (int i = 0; i < 2; i++)
		CHECK_OK(device_open(master, D_READ, padded, &devices[i]));
	CHECK(device_open(master, D_READ, padded, &third) != KERN_SUCCESS);
	for (int i = 0; i < 2; i++)
		mach_port_deallocate(mach_task_self(), devices[i]);
}

/* The arguments of the test say: vif0 with an address and an MTU, vif1 that is
 * called eth0 and sends nothing but IP, "slow" that gets two frames and then one a
 * second, two vifs that begin with "guest". */
static void
start(void)
{
	mach_port_t master = parent_start("vnet-mach");

	CHECK(master != MACH_PORT_NULL);
	/* Words of network order. */
	CHECK_EQ((uint32_t)status(master, "vif0", NET_ADDRESS, 0), 0x02000000);
	CHECK_EQ((uint32_t)status(master, "vif0", NET_ADDRESS, 1), 0x00070000);
	CHECK_EQ(status(master, "vif0", NET_STATUS, 1), 14 + 4000);
	CHECK_EQ(status(master, "eth0", NET_STATUS, 1), 14 + 1500);
	check_name(master, "vif1", D_NO_SUCH_DEVICE);
	check_name(master, "time", D_NO_SUCH_DEVICE);
	check_name(master, "guest-ann", KERN_SUCCESS);
	check_name(master, "guest-bob", KERN_SUCCESS);
	check_name(master, "guest-eve", D_NO_SUCH_DEVICE);
	CHECK(may_promisc(master, "vif0"));
	CHECK(!may_promisc(master, "eth0"));
	CHECK_EQ(count(master, "vif0", "eth0", 5), 5);
	CHECK_EQ(count(master, "eth0", "vif0", 5), 0);
	CHECK_EQ(count(master, "vif0", "slow", 5), 2);
	check_max_opens(master, "slow");
	guest_publish("master", master);
}

/* Both hosts are principals, each with a right of its own to a vif with one
 * address, and are started by the switch. */
static void
start_principals(void)
{
	mach_port_t master = parent_start("vnet-mach");

	CHECK(master != MACH_PORT_NULL);
	check_name(master, "vif0", D_NO_SUCH_DEVICE);
	check_name(master, "eth0", D_NO_SUCH_DEVICE);
	mach_port_deallocate(mach_task_self(), guest_lookup("ann is done"));
	mach_port_deallocate(mach_task_self(), guest_lookup("bob is done"));
}

static void
run_principal(mach_port_t master, uint32_t own, uint32_t other,
	      const char *device, const char *done)
{
	check_name(master, own == 1 ? "eth0" : "vif0", D_NO_SUCH_DEVICE);
	check_name(master, "time", D_NO_SUCH_DEVICE);
	run_host(master, own, other, device);
	guest_publish(done, mach_task_self());
}

/* What is wrong with the arguments is on the console, and nobody is there. */
static void
refuse(void)
{
	static const char *const programs[] = {"vnet-mach",
					       "vnet-mach.2",
					       "vnet-mach.3",
					       "vnet-mach.4",
					       "vnet-mach.5",
					       "vnet-mach.6",
					       "vnet-mach.7",
					       "vnet-mach.8",
					       "vnet-mach-supervisor",
					       "vnet-mach-supervisor.2"};

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		CHECK_EQ(parent_start(programs[i]), MACH_PORT_NULL);
}

int
main(int argc, char **argv)
{
	const mach_port_t right = bare_arg_number(argv, "right", 0);

	CHECK(argc > 1);
	if (strcmp(argv[1], "ann") == 0)
		run_host(guest_lookup("master"), 1, 2, "vif0");
	else if (strcmp(argv[1], "bob") == 0)
		run_host(guest_lookup("master"), 2, 1, "eth0");
	else if (strcmp(argv[1], "principals") == 0)
		start_principals();
	else if (strcmp(argv[1], "principal1") == 0)
		run_principal(right, 1, 2, "vif0", "ann is done");
	else if (strcmp(argv[1], "principal2") == 0)
		run_principal(right, 2, 1, "eth0", "bob is done");
	else if (strcmp(argv[1], "refuse") == 0)
		refuse();
	else
		start();
	guest_pass();
}
