/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	host .21 -- vif a ==\
 *	host .22 -- vif b ==== server == eth0 --device RPC-- NE2000 -- 10.0.2.2
 *	host, promiscuous -- vif c ==/
 *
 * Two clients talk to QEMU's gateway at the same time, by IPv4 and IPv6, through
 * the switch and a NIC whose driver is a task. It is killed meanwhile, and comes
 * back. What they have sent is on the wire: onwire.py.
 *
 *	nopromisc	the driver does not take PROMISC
 *	share		the clients have the NIC's address outside
 */
#include <string.h>

#include "guest/crowd.h"
#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/ne2k_driver.h"
#include "guest/nic_task.h"
#include "guest/service.h"

#define RECORD_TYPE   0x88b5 /* for experiments */
#define RECORD_HEADER 24

/* What a frame of RECORD_TYPE says; onwire.py knows it. */
enum record { RECORD_PATTERN, RECORD_BEGIN, RECORD_END };

static const struct vif vifs[] = {
	{.name = "a"},
	{.name = "b"},
	{.name = "c", .vif_flags = VNET_MACH_MAY_PROMISC},
};

static struct service service = {
	.vifs = vifs,
	.nvifs = sizeof(vifs) / sizeof(vifs[0]),
};

/* Those who talk, and one who listens. */
static struct member members[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
#define TALKERS   2
#define EVERYBODY 3
static struct member *const listener = &members[TALKERS];

static struct nic_task nic;
static struct ne2k_driver driver = {
	.name = "eth0",
	.base = 0x300,
	.irq = 10,
};

/* What is asked of the uplink, in the server's task. */
enum value { IS_UP, IS_REFUSED, IS_SHARED, HAS_PROMISC, OPENS, LOSSES, BAD };

static int
value(struct server *s, uint32_t which)
{
	struct vnet_mach_uplink_info i;
	struct vnet_port_info port;

	server_uplink(s, &i, &port);
	switch ((enum value)which) {
	case IS_UP:
		CHECK_EQ(port.link, i.state == VNET_MACH_UPLINK_UP);
		return port.link;
	case IS_REFUSED:
		return i.promisc_refused;
	case IS_SHARED:
		return i.is_shared;
	case HAS_PROMISC:
		return !!(i.flags & IFF_PROMISC);
	case OPENS:
		return (int)i.opens;
	case LOSSES:
		return (int)i.losses;
	case BAD:
		return (int)(i.received_bad + i.write_errors + i.write_length +
			     i.strays);
	}
	return -1;
}

static int
get(enum value which)
{
	return service_call(&service, value, which);
}

static void
wait_for(enum value which, int least, uint32_t ms)
{
	for (uint32_t i = 0; get(which) < least && i < ms; i += 20)
		bare_sleep_ms(20);
	CHECK(get(which) >= least);
}

static void
start_nic(void)
{
	CHECK_OK(nic_task_start(&nic, driver.device_master, ne2k_driver_run,
				&driver));
}

static void
add_uplink(uint32_t flags)
{
	service_add_uplink(&service, nic.master, flags);
	wait_for(IS_UP, 1, 3000);
}

static struct host_addr
site_local(uint16_t last)
{
	const uint16_t groups[8] = {0xfec0, 0, 0, 0, 0, 0, 0, last};

	return host_addr6(groups);
}

/* Each filters in another language. */
static void
start_members(void)
{
	for (uint8_t i = 0; i < TALKERS; i++) {
		const struct host_addr ip4 = host_addr4(10, 0, 2, 21 + i);
		const struct host_addr ip6 = site_local(0x21 + i);

		member_start(&members[i], service.master, i & 1, PFINET_FLAGS,
			     &ip4, &ip6);
	}
	member_start(listener, service.master, true, PFINET_FLAGS | IFF_PROMISC,
		     NULL, NULL);
	CHECK(crowd_run(members, EVERYBODY, member_is_ready, 3000));
}

static void
leave_members(void)
{
	for (size_t i = 0; i < EVERYBODY; i++) {
		const struct host_counts *c = &members[i].station.host.counts;

		CHECK_EQ(c->from_us, 0);
		CHECK_EQ(c->conflicts, 0);
		CHECK_EQ(c->foreign, 0);
		if (i < TALKERS)
			CHECK_EQ(c->strangers, 0);
		member_leave(&members[i]);
	}
}

/*
 * Pings
 */

static unsigned long wanted; /* replies */
static bool (*is_over)(void);

static struct host_addr
gateway(unsigned long i)
{
	const uint16_t link[8] = {0xfe80, 0, 0, 0, 0, 0, 0, 2};

	if (i % 3 == 0)
		return host_addr4(10, 0, 2, 2);
	return i % 3 == 1 ? site_local(2) : host_addr6(link);
}

/* One after the other, at all three addresses of the gateway. */
static bool
ping_gateway(struct member *m)
{
	struct host *h = &m->station.host;
	const struct host_addr addr = gateway(h->ping.replies);

	if (m == listener)
		return true;
	if (h->ping.is_waiting)
		return false;
	if (h->ping.replies >= wanted)
		return true;
	host_ping(h, &addr, 56 + 40 * (h->ping.replies % 30), netdev_now());
	return false;
}

static unsigned long
replies(void)
{
	const unsigned long a = members[0].station.host.ping.replies;
	const unsigned long b = members[1].station.host.ping.replies;

	return a < b ? a : b;
}

/* That many of each, at the same time. */
static void
expect_replies(unsigned long n)
{
	wanted = replies() + n;
	CHECK(crowd_run(members, EVERYBODY, ping_gateway, 10000));
}

/* Both ping each other, by what is on the switch alone. */
static bool
ping_other(struct member *m)
{
	struct host *h = &m->station.host;
	const uint8_t other = m == &members[0] ? 1 : 0;
	const struct host_addr addrs[] = {
		host_addr4(10, 0, 2, 21 + other),
		site_local(0x21 + other),
		host_link_local(members[other].station.host.mac),
	};

	if (m == listener)
		return true;
	if (h->ping.is_waiting)
		return false;
	if (h->ping.replies >= wanted)
		return is_over();
	host_ping(h, &addrs[h->ping.replies % 3], 1000, netdev_now());
	return false;
}

static bool
at_once(void)
{
	return true;
}

/* What is not answered yet will not be. */
static void
give_up_pings(void)
{
	for (size_t i = 0; i < TALKERS; i++)
		members[i].station.host.ping.is_waiting = false;
}

static void
expect_replies_of_each_other(unsigned long n)
{
	wanted = replies() + n;
	is_over = at_once;
	CHECK(crowd_run(members, EVERYBODY, ping_other, 5000));
}

/*
 * Records: what onwire.py compares the wire with
 */

static void
put32(uint8_t *p, uint32_t value)
{
	for (int i = 3; i >= 0; i--) {
		p[i] = (uint8_t)value;
		value >>= 8;
	}
}

static void
write_record(struct member *m, enum record kind, size_t len)
{
	uint8_t frame[HOST_FRAME_MAX];

	memset(frame, 0xff, 6);
	memcpy(frame + 6, m->station.host.mac, 6);
	frame[12] = RECORD_TYPE >> 8;
	frame[13] = RECORD_TYPE & 0xff;
	frame[14] = kind;
	frame[15] = (uint8_t)(m - members);
	put32(frame + 16, m->on_wire.frames);
	put32(frame + 20, m->on_wire.digest);
	for (size_t at = RECORD_HEADER; at < len; at++)
		frame[at] = (uint8_t)(len + 7 * at);
	member_write(m, frame, len);
}

/* A mark as which the record of the frames in between begins, or ends. */
static void
write_marks(enum record kind)
{
	static const struct tally none;

	for (size_t i = 0; i < TALKERS; i++) {
		if (kind == RECORD_BEGIN)
			members[i].on_wire = none;
		write_record(&members[i], kind, RECORD_HEADER);
		if (kind == RECORD_BEGIN)
			members[i].on_wire = none;
	}
}

static void
write_patterns(void)
{
	static const size_t lens[] = {24, 25, 42, 59, 60, 61, 1000, 1513, 1514};

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (size_t j = 0; j < TALKERS; j++)
			write_record(&members[j], RECORD_PATTERN, lens[i]);
}

/*
 * What is tried
 */

/* All that both send from here to there is on the wire, in order. */
static void
test_wire(void)
{
	const struct host_counts *heard = &listener->station.host.counts;
	const unsigned long strangers = heard->strangers;

	write_marks(RECORD_BEGIN);
	expect_replies(15);
	write_patterns();
	expect_replies(15);
	write_marks(RECORD_END);
	/* What is answered was written after all of that. */
	expect_replies(1);
	/* The switch knows who is where, and tells nobody else. */
	CHECK_EQ(heard->strangers, strangers);
	CHECK(heard->groups > 0);
}

static bool
is_up(void)
{
	return get(IS_UP);
}

/* While it is away the clients still have each other. */
static void
test_driver_dies_and_comes_back(void)
{
	const int opens = get(OPENS), losses = get(LOSSES);

	for (int i = 1; i <= 2; i++) {
		const unsigned long before = replies();

		/* In the middle of it. */
		wanted = before + 1000;
		crowd_run(members, EVERYBODY, ping_gateway, 50);
		CHECK(replies() < wanted);
		nic_task_kill(&nic);
		crowd_run(members, EVERYBODY, ping_gateway, 500);
		CHECK(!get(IS_UP));
		CHECK(get(LOSSES) > losses);
		give_up_pings();
		expect_replies_of_each_other(6);
		start_nic();
		wanted = replies() + 6;
		is_over = is_up;
		CHECK(crowd_run(members, EVERYBODY, ping_other, 15000));
		CHECK_EQ(get(OPENS), opens + i);
		expect_replies(6);
	}
}

static void
talk(void)
{
	test_wire();
	expect_replies_of_each_other(6);
	test_driver_dies_and_comes_back();
	test_wire();
}

/* It says that it is not promiscuous, and so the clients hear groups alone. */
static void
test_refusal(void)
{
	unsigned long before[TALKERS];

	add_uplink(0);
	CHECK_EQ(get(IS_REFUSED), 1);
	CHECK_EQ(get(HAS_PROMISC), 0);
	CHECK_EQ(get(IS_SHARED), 0);
	start_members();
	wanted = 1;
	crowd_run(members, EVERYBODY, ping_gateway, 1000);
	for (size_t i = 0; i < TALKERS; i++) {
		before[i] = members[i].station.host.ping.replies;
		CHECK_EQ(before[i], 0);
	}
	leave_members();
	service_remove_uplink(&service);
}

int
main(int argc, char **argv)
{
	const bool is_refused = bare_arg_is_set(argv, "nopromisc");
	const bool is_shared = bare_arg_is_set(argv, "share") || is_refused;
	uint32_t flags = 0, names, mine;

	(void)argc;
	driver.device_master = guest_lookup("device-master");
	driver.no_promisc = is_refused;
	CHECK_OK(nic_task_init(&nic));
	driver.master = nic.master;
	service_start(&service);
	start_nic();
	if (is_refused) {
		test_refusal();
		flags = VNET_MACH_UPLINK_MAY_SHARE;
	} else if (is_shared) {
		flags = VNET_MACH_UPLINK_SHARED;
	}

	add_uplink(flags);
	CHECK_EQ(get(IS_REFUSED), is_refused);
	CHECK_EQ(get(IS_SHARED), is_shared);
	CHECK_EQ(get(HAS_PROMISC), !is_shared);
	/* Whatever is made at first use is there after this. */
	start_members();
	expect_replies(3);
	leave_members();
	names = service_settle(&service);
	mine = guest_count_names(mach_task_self());

	start_members();
	expect_replies(3);
	talk();
	leave_members();
	CHECK_EQ(get(BAD), 0);
	service_expect_names(&service, names);
	CHECK_EQ(guest_count_names(mach_task_self()), mine);
	service_check(&service);
	guest_pass();
}
