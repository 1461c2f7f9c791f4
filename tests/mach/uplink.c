/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An uplink, on the kernel itself: the NIC is a task whose wire is this one.
 *
 *	this task --device RPC-- server: vif0 --- eth0 --device RPC-- NIC
 *	    |                                                          |
 *	    +-------------------------- wire --------------------------+
 */
#include <string.h>

#include <device/device.h>

#include "guest/fake_nic.h"
#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/service.h"

static const struct vif vifs[] = {{.name = "vif0"}};
static struct service service = {.vifs = vifs, .nvifs = 1};
static struct fake_nic nic = {
	.name = "eth0",
	.mac = {2, 0, 0, 0, 9, 1},
};
static mach_port_t wire;    /* what the NIC sends arrives there */
static mach_port_t client;  /* vif0 */
static mach_port_t receive; /* its frames */
static uint8_t frame[2000], got[2000];

/* What is asked of the uplink, in the server's task. */
enum value {
	STATE,
	LINK,
	IS_REFUSED,
	FLAGS,
	MTU,
	IN_FLIGHT,
	OPENS,
	LOSSES,
	TIMEOUTS,
	FLAGS_RESET,
	FILTER_RESET,
	RECEIVED,
	RECEIVED_BAD,
	WRITTEN,
	WRITE_ERRORS,
	WRITE_LOST,
	WRITE_FULL,
	STRAYS,
};

static int
value(struct server *s, uint32_t which)
{
	struct vnet_mach_uplink_info i;
	struct vnet_port_info port;

	server_uplink(s, &i, &port);
	switch ((enum value)which) {
	case STATE:
		return (int)i.state;
	case LINK:
		return port.link;
	case IS_REFUSED:
		return i.promisc_refused;
	case FLAGS:
		return (int)i.flags;
	case MTU:
		return (int)i.mtu;
	case IN_FLIGHT:
		return (int)i.in_flight;
	case OPENS:
		return (int)i.opens;
	case LOSSES:
		return (int)i.losses;
	case TIMEOUTS:
		return (int)i.timeouts;
	case FLAGS_RESET:
		return (int)i.flags_reset;
	case FILTER_RESET:
		return (int)i.filter_reset;
	case RECEIVED:
		return (int)i.received;
	case RECEIVED_BAD:
		return (int)i.received_bad;
	case WRITTEN:
		return (int)i.written;
	case WRITE_ERRORS:
		return (int)i.write_errors;
	case WRITE_LOST:
		return (int)i.write_lost;
	case WRITE_FULL:
		return (int)i.write_full;
	case STRAYS:
		return (int)i.strays;
	}
	return -1;
}

static int
get(enum value which)
{
	return service_call(&service, value, which);
}

/* Wait for it to be as much, or more. */
#define WAIT_FOR(which, least, ms) wait_for(which, #which, least, ms)

static void
wait_for(enum value which, const char *name, int least, uint32_t ms)
{
	int is = get(which);

	for (uint32_t i = 0; is < least && i < ms; i += 20) {
		bare_sleep_ms(20);
		is = get(which);
	}
	if (is < least)
		guest_fail("%s is %d, not %d, after %u ms", name, is, least,
			   ms);
}

static void
start_nic(void)
{
	CHECK_OK(fake_nic_start(&nic));
	CHECK_OK(fake_nic_listen(nic.task.control, wire));
}

static void
drain(mach_port_t right)
{
	while (client_get(right, got, sizeof(got), 10))
		;
	while (fake_nic_take(wire, got, sizeof(got), 10) >= 0)
		;
}

static void
add_uplink(uint32_t flags)
{
	service_add_uplink(&service, nic.task.master, flags);
}

/* With the NIC as it should be. */
static void
add_and_wait(uint32_t flags)
{
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_WELL, 0));
	add_uplink(flags);
	WAIT_FOR(STATE, VNET_MACH_UPLINK_UP, 2000);
	CHECK_EQ(get(LINK), 1);
	drain(receive);
}

static void
remove_uplink(void)
{
	service_remove_uplink(&service);
}

/* A frame each way, compared. */
static void
expect_frames(size_t len, uint8_t tag)
{
	client_frame(frame, len, 0xff, 1, tag);
	client_write(client, frame, len);
	CHECK_EQ(fake_nic_take(wire, got, sizeof(got), 1000), len);
	CHECK(!memcmp(got, frame, len));
	client_frame(frame, len, 0xff, 9, (uint8_t)(tag + 1));
	CHECK_OK(fake_nic_inject(nic.task.control, frame, len));
	CHECK_EQ(client_get(receive, got, sizeof(got), 1000), len);
	CHECK(!memcmp(got, frame, len));
}

static struct nic_counts
counts(int *flags)
{
	struct nic_counts c;

	CHECK_OK(fake_nic_counts(nic.task.control, &c, flags));
	return c;
}

static void
test_frames_pass_both_ways(void)
{
	static const size_t lengths[] = {14, 15, 16, 17, 60, 1513, 1514};
	int flags;

	add_and_wait(0);
	CHECK_EQ(get(MTU), 1500);
	for (uint8_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		expect_frames(lengths[i], i);
	/* What it has written does not come back. */
	CHECK_EQ(get(RECEIVED), 7);
	CHECK_EQ(get(WRITTEN), 7);
	CHECK_EQ(get(RECEIVED_BAD), 0);
	CHECK_EQ(counts(&flags).deadly, 0);
	remove_uplink();
}

static void
test_flags_are_kept_up(void)
{
	const int wanted = PFINET_FLAGS | IFF_PROMISC;
	int flags;

	add_and_wait(0);
	CHECK_EQ(get(IS_REFUSED), 0);
	counts(&flags);
	CHECK_EQ(flags & wanted, wanted);
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_CLEAR_FLAGS, 0));
	counts(&flags);
	CHECK_EQ(flags & IFF_PROMISC, 0);
	WAIT_FOR(FLAGS_RESET, 1, 6000);
	bare_sleep_ms(50);
	counts(&flags);
	CHECK_EQ(flags & wanted, wanted);
	bare_sleep_ms(6000);
	CHECK_EQ(get(FLAGS_RESET), 1);
	CHECK_EQ(get(OPENS), 1);
	remove_uplink();
}

static void
test_promisc_that_does_not_take_is_told(void)
{
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_WELL, 0));
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_CLEAR_FLAGS, 0));
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_NO_PROMISC, 0));
	add_uplink(0);
	WAIT_FOR(STATE, VNET_MACH_UPLINK_UP, 2000);
	CHECK_EQ(get(IS_REFUSED), 1);
	CHECK_EQ(get(FLAGS) & IFF_PROMISC, 0);
	drain(receive);
	expect_frames(60, 1);
	remove_uplink();
}

static void
test_driver_dies_and_comes_back(void)
{
	add_and_wait(0);
	for (int i = 1; i <= 3; i++) {
		expect_frames(60, (uint8_t)i);
		nic_task_kill(&nic.task);
		WAIT_FOR(LOSSES, i, 1000);
		CHECK_EQ(get(LINK), 0);
		start_nic();
		WAIT_FOR(OPENS, i + 1, 10000);
		CHECK_EQ(get(LINK), 1);
		drain(receive);
	}
	expect_frames(1514, 9);
	CHECK_EQ(get(TIMEOUTS), 0);
	remove_uplink();
}

static void
test_driver_dies_with_writes_in_its_hands(void)
{
	add_and_wait(0);
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_DIE_AFTER, 7));
	for (uint8_t i = 0; i < 60; i++) {
		client_write(client, frame,
			     client_frame(frame, 60, 0xff, 1, i));
		fake_nic_take(wire, got, sizeof(got), 0);
	}
	CHECK(nic_task_wait(&nic.task, 5000));
	WAIT_FOR(LOSSES, 1, 1000);
	CHECK_EQ(get(IN_FLIGHT), 0);
	start_nic();
	WAIT_FOR(OPENS, 2, 10000);
	drain(receive);
	expect_frames(60, 3);
	remove_uplink();
}

/* It does not receive: five messages wait at it, the others at our port; then it
 * is given up. */
static void
test_driver_that_stops_to_receive(void)
{
	add_and_wait(0);
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_STALL, 0));
	for (uint8_t i = 0; i < 60; i++)
		client_write(client, frame,
			     client_frame(frame, 60, 0xff, 1, i));
	WAIT_FOR(WRITE_FULL, 1, 1000);
	CHECK(get(IN_FLIGHT) >= 1 && get(IN_FLIGHT) <= 6);
	/* A client is not stopped by it. */
	CHECK_EQ(get(LINK), 1);
	WAIT_FOR(TIMEOUTS, 1, 20000);
	CHECK_EQ(get(LINK), 0);
	CHECK(get(WRITE_LOST) >= 1);
	nic_task_kill(&nic.task);
	start_nic();
	WAIT_FOR(STATE, VNET_MACH_UPLINK_UP, 20000);
	drain(receive);
	expect_frames(60, 3);
	remove_uplink();
}

static void
test_driver_that_never_answers(void)
{
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_WELL, 0));
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_MUTE, 0));
	add_uplink(0);
	WAIT_FOR(TIMEOUTS, 2, 10000);
	CHECK_EQ(get(OPENS), 0);
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_WELL, 0));
	WAIT_FOR(STATE, VNET_MACH_UPLINK_UP, 20000);
	drain(receive);
	expect_frames(60, 3);
	/* And when all was set up. */
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_MUTE, 0));
	WAIT_FOR(TIMEOUTS, 3, 10000);
	CHECK_EQ(get(LINK), 0);
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_WELL, 0));
	WAIT_FOR(OPENS, 2, 20000);
	remove_uplink();
}

static void
test_answers_that_are_errors_or_none(void)
{
	add_and_wait(0);
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_WRITE_ERROR,
				D_IO_ERROR));
	for (uint8_t i = 0; i < 3; i++)
		client_write(client, frame,
			     client_frame(frame, 60, 0xff, 1, i));
	WAIT_FOR(WRITE_ERRORS, 3, 1000);
	CHECK_EQ(get(WRITTEN), 3);
	CHECK_EQ(get(STATE), VNET_MACH_UPLINK_UP);
	remove_uplink();
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_SHORT_STATUS, 0));
	add_uplink(0);
	WAIT_FOR(LOSSES, 2, 2000);
	CHECK_EQ(get(OPENS), 0);
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_WELL, 0));
	WAIT_FOR(STATE, VNET_MACH_UPLINK_UP, 10000);
	CHECK_EQ(get(STRAYS), 0);
	remove_uplink();
}

/* As rumpnet does: whoever sets a filter has the frames of all others. */
static void
test_filter_that_was_taken_is_taken_back(void)
{
	mach_port_t device, other = client_receiver(16);
	int before;

	add_and_wait(0);
	/* Those of sessions that are over go with the next frame. */
	expect_frames(60, 0);
	CHECK_OK(fake_nic_fault(nic.task.control, FAKE_NIC_LAST_FILTER, 0));
	device = client_open(nic.task.master, "eth0");
	client_listen(device, other, 0, NETF_IN);
	before = get(RECEIVED);
	CHECK_OK(fake_nic_inject(nic.task.control, frame,
				 client_frame(frame, 60, 0xff, 9, 1)));
	CHECK_EQ(client_get(other, got, sizeof(got), 1000), 60);
	CHECK_EQ(get(RECEIVED), before);
	WAIT_FOR(FILTER_RESET, 1, 20000);
	bare_sleep_ms(50);
	client_frame(frame, 60, 0xff, 9, 1);
	CHECK_OK(fake_nic_inject(nic.task.control, frame, 60));
	CHECK_EQ(client_get(receive, got, sizeof(got), 1000), 60);
	CHECK_EQ(get(RECEIVED), before + 1);
	client_drop_receiver(other);
	client_drop(device);
	remove_uplink();
}

/* Requests of sessions that are over wait for it, and their answers are for
 * nobody. */
static void
test_driver_that_starts_late(void)
{
	nic_task_kill(&nic.task);
	add_uplink(0);
	WAIT_FOR(TIMEOUTS, 3, 20000);
	start_nic();
	WAIT_FOR(STATE, VNET_MACH_UPLINK_UP, 20000);
	CHECK_EQ(get(STRAYS), 0);
	drain(receive);
	expect_frames(60, 7);
	remove_uplink();
}

/* Many in a row, more than the driver's queue holds. */
static void
test_bursts_are_not_lost(void)
{
	int flags;
	unsigned int before;

	add_and_wait(0);
	before = counts(&flags).out;
	for (uint8_t i = 0; i < 200; i++) {
		client_write(client, frame,
			     client_frame(frame, 1000, 0xff, 1, i));
		if (i % 10 == 9)
			while (fake_nic_take(wire, got, sizeof(got), 20) >= 0)
				;
	}
	drain(receive);
	WAIT_FOR(WRITTEN, 200, 1000);
	CHECK_EQ(counts(&flags).out - before, 200);
	remove_uplink();
}

#define RUN(test)                                                   \
	do {                                                        \
		bare_printf("%s\n", #test);                         \
		test_##test();                                      \
		drain(receive);                                     \
		service_expect_names(&service, names);              \
		service_check(&service);                            \
		CHECK(guest_count_names(mach_task_self()) == mine); \
	} while (0)

int
main(int argc, char **argv)
{
	uint32_t names, mine;

	(void)argc;
	(void)argv;
	CHECK_OK(nic_task_init(&nic.task));
	wire = client_receiver(16);
	service_start(&service);
	start_nic();
	client = client_open(service.master, "vif0");
	receive = client_receiver(16);
	client_listen(client, receive, 0, NETF_IN);
	/* Whatever is made at first use is there. */
	add_and_wait(0);
	expect_frames(60, 0);
	remove_uplink();
	names = service_settle(&service);
	mine = guest_count_names(mach_task_self());

	RUN(frames_pass_both_ways);
	RUN(flags_are_kept_up);
	RUN(promisc_that_does_not_take_is_told);
	RUN(driver_dies_and_comes_back);
	RUN(driver_dies_with_writes_in_its_hands);
	RUN(driver_that_stops_to_receive);
	RUN(driver_that_never_answers);
	RUN(answers_that_are_errors_or_none);
	RUN(filter_that_was_taken_is_taken_back);
	RUN(driver_that_starts_late);
	RUN(bursts_are_not_lost);
	guest_pass();
}
