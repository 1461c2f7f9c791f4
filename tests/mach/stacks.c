/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks that share a vif, with IPv4 and IPv6:
 *
 *	ann .1 --\
 *	          vif == server == vif far -- cat .3
 *	bob .2 --/
 *
 * with an address for each of them, or one for both; and a capture beside one.
 */
#include <string.h>

#include <device/device.h>
#include <mach/mach_port.h>

#include "guest/crowd.h"
#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/service.h"

static const struct vif vifs[] = {
	{.name = "own", .port_flags = VNET_PORT_PER_CLIENT},
	{.name = "one"},
	{.name = "quiet", .port_flags = VNET_PORT_NO_SIBLINGS},
	{.name = "far"},
};

static struct service service = {
	.vifs = vifs,
	.nvifs = sizeof(vifs) / sizeof(vifs[0]),
};

static struct member members[3];
static struct member *const ann = &members[0];
static struct member *const bob = &members[1];
static struct member *const cat = &members[2];

static struct host_addr
addr4(size_t i)
{
	return host_addr4(10, 0, 0, (uint8_t)(i + 1));
}

static struct host_addr
addr6(size_t i)
{
	const uint16_t groups[8] = {0xfd00, 0, 0, 0,
				    0,      0, 0, (uint16_t)(i + 1)};

	return host_addr6(groups);
}

static struct host_addr
link_local(size_t i)
{
	return members[i].station.host.own[HOST_IP6_LINK].addr;
}

static void
start(size_t i, const char *vif)
{
	const struct host_addr ip4 = addr4(i), ip6 = addr6(i);

	members[i].name = vif;
	member_start(&members[i], service.master, i & 1, PFINET_FLAGS, &ip4,
		     &ip6);
}

/* @delay_ms: how much later bob comes than ann. */
static void
start_all(const char *vif, uint32_t delay_ms)
{
	start(0, vif);
	if (delay_ms)
		crowd_run(members, 1, NULL, delay_ms);
	start(1, vif);
	start(2, "far");
	CHECK(crowd_run(members, 3, member_is_ready, 3000));
}

static void
leave_all(void)
{
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(members[i].station.host.counts.conflicts, 0);
		CHECK_EQ(members[i].station.host.counts.strangers, 0);
		member_leave(&members[i]);
	}
}

/*
 * Pings
 */

static struct host_addr targets[3][12]; /* of each */
static size_t ntargets[3];
static unsigned long rounds;

static void
clear_targets(void)
{
	memset(ntargets, 0, sizeof(ntargets));
	for (size_t i = 0; i < 3; i++)
		members[i].station.host.ping.replies = 0;
}

static void
add_target(size_t from, struct host_addr to)
{
	targets[from][ntargets[from]++] = to;
}

static bool
ping_targets(struct member *m)
{
	struct host_ping *ping = &m->station.host.ping;
	const size_t i = (size_t)(m - members);

	if (ping->is_waiting)
		return false;
	if (ping->replies >= rounds * ntargets[i])
		return true;
	host_ping(&m->station.host, &targets[i][ping->replies % ntargets[i]],
		  40 + 97 * (ping->sequence % 14), netdev_now());
	return false;
}

/* All of them, at the same time, and each of them a few times. */
static void
expect_replies(void)
{
	rounds = 3;
	if (crowd_run(members, 3, ping_targets, 10000))
		return;
	for (size_t i = 0; i < 3; i++) {
		const struct host_ping *ping = &members[i].station.host.ping;

		bare_printf("%u: %lu replies of %lu, waits for %x..%x\n",
			    (unsigned int)i, ping->replies,
			    rounds * ntargets[i], ping->addr.octets[0],
			    ping->addr.octets[ping->addr.len - 1]);
	}
	guest_fail("they cannot talk");
}

/*
 * What is tried
 */

/* Each has another address, found free, and talks to each, by any of them. */
static void
addresses_for_each(uint32_t delay_ms)
{
	struct host_addr of_ann, of_bob;

	start_all("own", delay_ms);
	CHECK(memcmp(ann->station.dev.mac, bob->station.dev.mac, 6) != 0);
	of_ann = link_local(0);
	of_bob = link_local(1);
	CHECK(!host_addr_equal(&of_ann, &of_bob));
	clear_targets();
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++) {
			if (i == j)
				continue;
			add_target(i, addr4(j));
			add_target(i, addr6(j));
			add_target(i, link_local(j));
		}
	expect_replies();
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(members[i].station.host.counts.from_us, 0);
		CHECK_EQ(members[i].station.host.counts.foreign, 0);
	}
	leave_all();
}

static void
test_two_with_an_address_each_begin_together(void)
{
	addresses_for_each(0);
}

static void
test_two_with_an_address_each_begin_in_turn(void)
{
	addresses_for_each(1500);
}

/* Otherwise the two above would say nothing. */
static void
test_duplicate_is_found(void)
{
	const struct host_addr ip4 = addr4(1), ip6 = addr6(0);

	start(0, "own");
	crowd_run(members, 1, NULL, 1500);
	CHECK(host_is_ready(&ann->station.host));
	bob->name = "own";
	member_start(bob, service.master, true, PFINET_FLAGS, &ip4, &ip6);
	crowd_run(members, 2, NULL, 1500);
	CHECK_EQ(bob->station.host.own[HOST_IP6].state, HOST_DUPLICATE);
	CHECK_EQ(bob->station.host.own[HOST_IP6_LINK].state, HOST_USABLE);
	CHECK_EQ(bob->station.host.counts.conflicts, 1);
	CHECK_EQ(ann->station.host.counts.conflicts, 0);
	CHECK(host_is_ready(&ann->station.host));
	member_leave(ann);
	member_leave(bob);
}

/* They have the same link-local address and do not know: their probes do not
 * meet. What is for both of them each takes its own of, by its IP address. */
static void
one_address(const char *vif, bool are_siblings, uint32_t delay_ms)
{
	start_all(vif, delay_ms);
	CHECK_EQ(memcmp(ann->station.dev.mac, bob->station.dev.mac, 6), 0);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < HOST_ADDRS; j++)
			CHECK_EQ(members[i].station.host.own[j].state,
				 HOST_USABLE);
	clear_targets();
	for (size_t i = 0; i < 2; i++) {
		add_target(i, addr4(2));
		add_target(i, addr6(2));
		add_target(2, addr4(i));
		add_target(2, addr6(i));
		if (are_siblings) {
			add_target(i, addr4(1 - i));
			add_target(i, addr6(1 - i));
		}
	}
	expect_replies();
	for (size_t i = 0; i < 2; i++) {
		const struct host_counts *c = &members[i].station.host.counts;

		CHECK(c->foreign > 0);
		CHECK(are_siblings ? c->from_us > 0 : c->from_us == 0);
	}
	CHECK_EQ(cat->station.host.counts.foreign, 0);
	leave_all();
}

static void
test_two_with_one_address_begin_together(void)
{
	one_address("one", true, 0);
}

static void
test_two_with_one_address_begin_in_turn(void)
{
	one_address("one", true, 1500);
}

static void
test_two_on_a_plain_interface(void)
{
	one_address("quiet", false, 0);
	one_address("quiet", false, 1500);
}

/*
 * A capture
 */

struct capture {
	mach_port_t device;
	mach_port_t receive;
	struct tally sent;     /* by the stack beside it */
	struct tally received; /* by it */
};

static void
capture_start(struct capture *c, const char *vif, bool is_bpf)
{
	filter_t stack[] = {NETF_IN | NETF_OUT, NETF_PUSHLIT | NETF_NOP, 1};

	memset(c, 0, sizeof(*c));
	c->device = client_open(service.master, vif);
	c->receive = client_receiver(MACH_PORT_QLIMIT_MAX);
	if (is_bpf)
		client_listen(c->device, c->receive, 0, NETF_IN | NETF_OUT);
	else
		CHECK_OK(device_set_filter(c->device, c->receive,
					   MACH_MSG_TYPE_MAKE_SEND, 0, stack,
					   3));
}

/* As many as the stack has sent, and received if that @is_for both; no more. */
static void
capture_take(struct capture *c, const struct member *m, bool is_for_both)
{
	static uint8_t frame[HOST_FRAME_MAX];
	size_t len;

	while (c->sent.frames < m->sent.frames ||
	       (is_for_both && c->received.frames < m->received.frames)) {
		len = client_get(c->receive, frame, sizeof(frame), 2000);
		CHECK(len);
		if (!memcmp(frame + 6, m->station.host.mac, 6))
			tally_add(&c->sent, frame, len, 0);
		else
			tally_add(&c->received, frame, len, 0);
	}
	while (!is_for_both && client_get(c->receive, frame, sizeof(frame), 30))
		CHECK(frame[0] & 1);
	CHECK_EQ(client_get(c->receive, frame, sizeof(frame), 30), 0);
	CHECK(!memcmp(&c->sent, &m->sent, sizeof(c->sent)));
	if (is_for_both)
		CHECK(!memcmp(&c->received, &m->received, sizeof(c->received)));
}

static void
capture_end(struct capture *c)
{
	CHECK_OK(mach_port_mod_refs(mach_task_self(), c->receive,
				    MACH_PORT_RIGHT_RECEIVE, -1));
	CHECK_OK(device_close(c->device));
	CHECK_OK(mach_port_deallocate(mach_task_self(), c->device));
}

/* A few frames at a time, for which the queue of a capture has room. */
static void
ping(size_t from, struct host_addr to)
{
	clear_targets();
	rounds = 1;
	add_target(from, to);
	if (!crowd_run(members, 2, ping_targets, 5000))
		guest_fail("they cannot talk beside a capture");
}

/* Beside ann there are two, by filters of either language; bob is far. What is
 * to ann's address they hear where it is theirs, too. */
static void
captures(const char *vif, bool is_for_both)
{
	struct capture c[2];

	for (size_t i = 0; i < 2; i++)
		capture_start(&c[i], vif, i);
	start(0, vif);
	start(1, "far");
	CHECK(crowd_run(members, 2, member_is_ready, 3000));
	for (size_t n = 0; n < 20; n++) {
		for (size_t i = 0; i < 2; i++)
			capture_take(&c[i], ann, is_for_both);
		ping(n % 2, n / 2 % 2 ? addr4(1 - n % 2) : addr6(1 - n % 2));
	}
	for (size_t i = 0; i < 2; i++)
		capture_take(&c[i], ann, is_for_both);
	for (size_t i = 0; i < 2; i++) {
		const struct host_counts *counts =
			&members[i].station.host.counts;

		CHECK_EQ(counts->from_us, 0);
		CHECK_EQ(counts->foreign, 0);
		CHECK_EQ(counts->conflicts, 0);
		CHECK_EQ(counts->strangers, 0);
		member_leave(&members[i]);
		capture_end(&c[i]);
	}
}

static void
test_capture_hears_each_frame_once(void)
{
	captures("one", true);
	captures("quiet", true);
}

static void
test_capture_with_another_address_hears_what_is_sent(void)
{
	captures("own", false);
}

#define RUN(test)                                                    \
	do {                                                         \
		bare_printf("%s\n", #test);                          \
		test_##test();                                       \
		service_expect_names(&service, names);               \
		service_check(&service);                             \
		CHECK_EQ(guest_count_names(mach_task_self()), mine); \
	} while (0)

int
main(int argc, char **argv)
{
	uint32_t names, mine;

	(void)argc;
	(void)argv;
	service_start(&service);
	/* Whatever is made at first use is there after this. */
	captures("own", false);
	names = service_settle(&service);
	mine = guest_count_names(mach_task_self());

	RUN(two_with_an_address_each_begin_together);
	RUN(two_with_an_address_each_begin_in_turn);
	RUN(duplicate_is_found);
	RUN(two_with_one_address_begin_together);
	RUN(two_with_one_address_begin_in_turn);
	RUN(two_on_a_plain_interface);
	RUN(capture_hears_each_frame_once);
	RUN(capture_with_another_address_hears_what_is_sent);
	guest_pass();
}
