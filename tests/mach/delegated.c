/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches of users, each a vnet-mach that holds nothing but its principal's right
 * to one vif of the one above it:
 *
 *	gate, near ---- root: --principal=alice --vif=lab (a range)
 *	                 | lab
 *	ann, fox ------ alice: --principal=carol --vif=desk (a part of it)
 *	                 | desk
 *	cat ----------- carol
 *
 * All of them talk, by IPv4 and IPv6, within what was granted to all above them,
 * but fox, whom alice lets do what she may not herself: he gets as far as she does.
 * Then root revokes what alice has, under traffic.
 */
#include <string.h>

#include <device/device.h>
#include <device/net_status.h>

#include "guest/controller.h"
#include "guest/crowd.h"
#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/parent.h"

enum { GATE, NEAR, ANN, CAT, NMEMBERS, FOX = NMEMBERS };

static struct member members[NMEMBERS + 1];
static mach_port_t root, alice, carol, control;
static unsigned long rounds;

/* 10.9.L.N and fd00:9:L::N, where ann's L is 1 and cat's is 2. */
static const uint8_t places[][2] = {{0, 1}, {0, 2}, {1, 1}, {2, 1}, {9, 9}};
static const char *const devices[] = {"gate", "near", "ann", "cat", "fox"};

static struct host_addr
addr4(size_t i)
{
	return host_addr4(10, 9, places[i][0], places[i][1]);
}

static struct host_addr
addr6(size_t i)
{
	const uint16_t groups[8] = {0xfd00, 9, places[i][0], 0, 0,
				    0,      0, places[i][1]};

	return host_addr6(groups);
}

static mach_port_t
open_control(void)
{
	dev_name_t name = "control";
	mach_port_t right;

	CHECK_OK(device_open(root, D_READ | D_WRITE, name, &right));
	return right;
}

/* Each starts the next one. */
static void
start(void)
{
	struct parent parents[2];

	parent_adopt(&parents[0], "alice");
	parent_adopt(&parents[1], "carol");
	root = parent_start("root");
	CHECK(root);
	alice = parent_wait(&parents[0]);
	carol = parent_wait(&parents[1]);
	CHECK(alice && carol);
	control = open_control();
}

static void
join(size_t i, mach_port_t master)
{
	const struct host_addr ip4 = addr4(i), ip6 = addr6(i);

	members[i].name = devices[i];
	member_start(&members[i], master, i & 1, PFINET_FLAGS, &ip4, &ip6);
}

static void
join_all(void)
{
	join(GATE, root);
	join(NEAR, root);
	join(ANN, alice);
	join(CAT, carol);
	/* Uplinks are opened behind the start. */
	CHECK(crowd_run(members, NMEMBERS, member_is_ready, 10000));
}

static void
leave_all(void)
{
	for (size_t i = 0; i < NMEMBERS; i++) {
		CHECK_EQ(members[i].station.host.counts.conflicts, 0);
		member_leave(&members[i]);
	}
}

/* Each pings all others, by both protocols, and answers them. */
static bool
ping_others(struct member *m)
{
	const size_t i = (size_t)(m - members);
	struct host_ping *ping = &m->station.host.ping;
	const size_t n = ping->replies;
	size_t other = n / 2 % (NMEMBERS - 1);
	struct host_addr to;

	if (ping->is_waiting)
		return false;
	if (n >= rounds * 2 * (NMEMBERS - 1))
		return true;
	other += other >= i;
	to = n & 1 ? addr6(other) : addr4(other);
	host_ping(&m->station.host, &to, n & 2 ? 1000 : 56, netdev_now());
	return false;
}

static void
test_all_of_them_talk(void)
{
	static const uint8_t ann_mac[6] = {2, 0, 0, 9, 1, 1};
	static const uint8_t cat_mac[6] = {2, 0, 0, 9, 2, 1};

	join_all();
	CHECK(memcmp(members[ANN].station.dev.mac, ann_mac, 6) == 0);
	CHECK(memcmp(members[CAT].station.dev.mac, cat_mac, 6) == 0);
	rounds = 3;
	CHECK(crowd_run(members, NMEMBERS, ping_others, 60000));
	leave_all();
}

/* Alice's one open of lab is her uplink. */
static void
test_what_is_granted_is_counted(void)
{
	const char *shown = controller_ask(
		control, "{\"do\":\"grant show\",\"name\":\"lab\"}");

	CHECK_EQ(controller_number(shown, "\"name\":\"lab\"", "\"clients\":"),
		 1);
	CHECK_EQ(controller_number(shown, "\"name\":\"lab\"", "\"addresses\":"),
		 2);
	shown = controller_ask(control, "{\"do\":\"client show\"}");
	CHECK(controller_number(shown, "\"client\":\"lab/", "\"index\":") == 0);
}

static kern_return_t
open_device(mach_port_t master, const char *name)
{
	dev_name_t padded = "";
	mach_port_t device;
	kern_return_t kr;

	memcpy(padded, name, strlen(name));
	kr = device_open(master, D_READ | D_WRITE, padded, &device);
	if (!kr)
		mach_port_deallocate(mach_task_self(), device);
	return kr;
}

static bool
is_over(struct member *m)
{
	/* It goes on asking, answered or not. */
	if (!m->station.host.ping.is_waiting) {
		const struct host_addr to = addr4(GATE);

		host_ping(&m->station.host, &to, 56, netdev_now());
	}
	return false;
}

static unsigned long
replies(size_t i)
{
	return members[i].station.host.ping.replies;
}

/* One ping that is answered, or not. */
static bool
reaches(size_t from, size_t to)
{
	const struct host_addr addr = addr4(to);
	const unsigned long before = replies(from);

	host_ping(&members[from].station.host, &addr, 56, netdev_now());
	crowd_run(members, NMEMBERS + (members[FOX].name != NULL), NULL, 1000);
	return replies(from) > before;
}

static uint32_t
refused(const char *as)
{
	char key[32];

	bare_snprintf(key, sizeof(key), "\"%s\":{\"frames\":", as);
	return controller_number(
		controller_ask(control,
			       "{\"do\":\"grant show\",\"name\":\"lab\"}"),
		"\"in\":", key);
}

/* His MAC address root has granted to alice, his others it has not. */
static void
test_nobody_grants_what_was_not_granted_to_them(void)
{
	join_all();
	join(FOX, alice);
	CHECK(crowd_run(members, NMEMBERS + 1, member_is_ready, 10000));
	CHECK(reaches(FOX, ANN));
	CHECK(reaches(ANN, FOX));
	CHECK(!reaches(FOX, GATE));
	CHECK(!reaches(GATE, FOX));
	CHECK(refused("arp") > 0);
	CHECK(refused("nd") > 0);
	CHECK(reaches(ANN, GATE));
	member_leave(&members[FOX]);
	members[FOX].name = NULL;
	leave_all();
}

static void
test_what_is_revoked_ends_at_once(void)
{
	unsigned long before[NMEMBERS];
	uint32_t heard;
	int status = 0;
	mach_msg_type_number_t n = 1;

	join_all();
	crowd_run(members, NMEMBERS, is_over, 1000);
	CHECK(replies(ANN) > 3 && replies(CAT) > 3);
	controller_do(control, "{\"do\":\"grant revoke\",\"name\":\"lab\"}");
	for (size_t i = 0; i < NMEMBERS; i++) {
		/* What was sent before is in the queues of its receivers. */
		uint8_t frame[HOST_FRAME_MAX];

		while (netdev_read(&members[i].station.dev, frame, 0) >= 0)
			;
		before[i] = replies(i);
	}
	heard = members[GATE].received.frames;
	crowd_run(members, NMEMBERS, is_over, 2000);
	CHECK_EQ(replies(ANN), before[ANN]);
	CHECK_EQ(replies(CAT), before[CAT]);
	CHECK(replies(NEAR) > before[NEAR]);
	CHECK(members[GATE].received.frames > heard);
	/* What is below root's switch is not its own to end. */
	CHECK(reaches(ANN, CAT));
	CHECK(reaches(CAT, ANN));
	CHECK(!reaches(GATE, ANN));
	CHECK(reaches(GATE, NEAR));
	/* Nobody is told but by flags and counters: no stack ends for it. */
	CHECK_OK(device_get_status(members[ANN].station.dev.device, NET_FLAGS,
				   &status, &n));
	CHECK(status & IFF_RUNNING);
	leave_all();
	CHECK_EQ(controller_number(controller_ask(control,
						  "{\"do\":\"grant show\"}"),
				   "\"name\":\"lab\"", "\"clients\":"),
		 0);
}

int
main(int argc, char **argv)
{
	mach_port_t task = guest_lookup("task:root");
	mach_port_t alices = guest_lookup("task:alice");
	uint32_t names, alices_names;

	(void)argc;
	(void)argv;
	start();
	/* A first round brings what a switch keeps: threads, say. */
	test_all_of_them_talk();
	names = guest_settled_names(task);
	alices_names = guest_settled_names(alices);
	test_all_of_them_talk();
	test_what_is_granted_is_counted();
	CHECK_EQ(guest_settled_names(task), names);
	CHECK_EQ(guest_settled_names(alices), alices_names);
	test_nobody_grants_what_was_not_granted_to_them();
	test_what_is_revoked_ends_at_once();
	CHECK_EQ(guest_settled_names(task), names);
	CHECK_EQ(guest_settled_names(alices), alices_names);
	/* And nobody opens it again: alice holds what she held. */
	CHECK_EQ(open_device(root, "lab"), D_NO_SUCH_DEVICE);
	guest_pass();
}
