/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An uplink between a switch and a NIC that is part of the test, on a kernel that
 * is, too. Every test ends by taking everything away: then the task holds what it
 * held before.
 *
 *	a ---+--------+
 *	     | switch |--- u ~~~ messages ~~~ nic
 *	b ---+--------+
 */
#include <errno.h>

#include "fake_nic.h"
#include "net.h"
#include "net_flags.h"
#include "uplink.h"

struct plant {
	struct net net; /* first */
	struct vnet_mach *m;
	struct nic nic;
	vnet_port_id port;
	vnet_nsec now;
	struct fake_holdings before;
	mach_port_t right;
	unsigned int asked; /* calls of want_right */
};

static vnet_nsec
now(void *ctx)
{
	return ((struct plant *)ctx)->now;
}

static int
set_up(void **state)
{
	struct plant *p = calloc(1, sizeof(*p));
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = "u",
		.role = VNET_ROLE_UPLINK,
	};
	struct vnet_mach_config config = {
		.size = sizeof(config),
		.sys = &fake_mach,
		.now = now,
		.ctx = p,
	};

	if (!p)
		return -1;
	fake_reset();
	net_open(&p->net, 2, &(struct vnet_switch_config){0});
	config.sw = p->net.sw;
	config.alloc = &p->net.alloc.alloc;
	p->now = SECONDS(1000);
	assert_int_equal(vnet_port_add(p->net.sw, &port, &p->port, NULL), 0);
	assert_int_equal(vnet_mach_create(&p->m, &config, NULL), 0);
	nic_init(&p->nic);
	p->before = fake_holdings();
	*state = p;
	return 0;
}

/* The server's messages, and then what is due. */
static void
serve(struct plant *p)
{
	static union {
		mach_msg_header_t h;
		uint64_t room[VNET_MACH_MSG_SIZE / 8];
	} in, out;

	while (fake_mach.msg(&in.h, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			     sizeof(in), vnet_mach_port_set(p->m), 0,
			     MACH_PORT_NULL) == MACH_MSG_SUCCESS) {
		const mig_reply_header_t *reply = (const void *)&out;

		if (!vnet_mach_demux(p->m, &in.h, &out.h))
			fail_msg("message %d to a right that is not known",
				 in.h.msgh_id);
		if (reply->RetCode == MIG_NO_REPLY)
			continue;
		if (out.h.msgh_remote_port != MACH_PORT_NULL)
			vnet_mach_send(&fake_mach, &out.h);
		in.h.msgh_remote_port = MACH_PORT_NULL;
		in.h.msgh_bits &= ~(mach_msg_bits_t)MACH_MSGH_BITS_REMOTE_MASK;
		if (reply->RetCode != KERN_SUCCESS)
			vnet_mach_msg_destroy(&fake_mach, &in.h);
	}
	vnet_mach_tick(p->m);
}

/* Both sides, until neither has anything to do. */
static void
run(struct plant *p)
{
	do {
		serve(p);
	} while (nic_run(&p->nic));
	serve(p);
}

/* Time passes, a tick of it at a time. */
static void
pass(struct plant *p, vnet_nsec time)
{
	const vnet_nsec until = p->now + time;

	while (p->now < until) {
		p->now += SECONDS(1) / 20;
		run(p);
	}
}

static struct vnet_mach_uplink_info
info(const struct plant *p)
{
	struct vnet_mach_uplink_info i = {.size = sizeof(i)};

	assert_int_equal(vnet_mach_uplink_get(p->m, p->port, &i), 0);
	return i;
}

static struct vnet_mach_uplink_config
config_of(struct plant *p)
{
	return (struct vnet_mach_uplink_config){
		.size = sizeof(struct vnet_mach_uplink_config),
		.port = p->port,
		.name = "eth0",
		.master = fake_give_send(p->nic.master),
	};
}

static void
add(struct plant *p, uint32_t flags)
{
	struct vnet_mach_uplink_config c = config_of(p);

	c.flags = flags;
	assert_int_equal(vnet_mach_uplink_add(p->m, &c, NULL), 0);
}

/* Add it and let it come up. */
static void
add_and_run(struct plant *p, uint32_t flags)
{
	add(p, flags);
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	p->nic.nlog = 0;
}

/* A frame of a's, of @len octets. */
static void
send_out(struct plant *p, size_t len)
{
	const struct vnet_frame f = test_frame(TEST_BROADCAST, 0xa, len);

	vnet_switch_input(p->net.sw, p->net.a.id, &f, 1, p->now);
}

static struct vnet_client_stats
uplink_stats(const struct plant *p)
{
	struct vnet_client_stats s = {.size = sizeof(s)};

	assert_int_equal(vnet_client_get_stats(p->net.sw, info(p).client, &s),
			 0);
	return s;
}

static uint64_t
refused(const struct plant *p)
{
	struct vnet_count out;

	assert_int_equal(vnet_client_drops(p->net.sw, info(p).client,
					   VNET_DROP_REFUSED, NULL, &out),
			 0);
	return out.frames;
}

/* Names and references are as they were, but for @names and @refs more. */
static void
assert_holds(const struct plant *p, uint32_t more_names, uint32_t more_refs)
{
	struct fake_holdings h = fake_holdings();

	assert_int_equal(h.names, p->before.names + more_names);
	assert_int_equal(h.refs, p->before.refs + more_refs);
}

static int
tear_down(void **state)
{
	struct plant *p = *state;
	struct fake_holdings h;

	nic_die(&p->nic);
	run(p);
	if (vnet_mach_uplink_remove(p->m, p->port) == 0)
		run(p);
	assert_holds(p, 0, 0);
	h = fake_holdings();
	assert_int_equal(h.memory, p->before.memory);
	assert_int_equal(fake_mistakes, 0);
	vnet_mach_destroy(p->m);
	h = fake_holdings();
	assert_int_equal(h.names, 0);
	net_tear_down(state);
	fake_reset();
	return 0;
}

/* What a session holds: three receive rights of its own, and the device. */
#define SESSION_NAMES 4

/*
 * Opening
 */

static void
test_device_is_asked_in_this_order(void **state)
{
	static const uint32_t order[] = {
		NIC_OPEN,       NIC_GET_STATUS, NET_STATUS,     NIC_GET_STATUS,
		NET_ADDRESS,    NIC_SET_FILTER, NIC_GET_STATUS, NET_FLAGS,
		NIC_SET_STATUS, NET_FLAGS,      NIC_GET_STATUS, NET_FLAGS,
	};
	static const uint16_t filter[] = {0x401, 0, 0, 0, 6, 0, 0, 4};
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
	struct plant *p = *state;

	add(p, 0);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_OPENING);
	assert_false(test_has_link(p->net.sw, p->port));
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_true(test_has_link(p->net.sw, p->port));
	assert_int_equal(p->nic.nlog, sizeof(order) / sizeof(order[0]));
	assert_memory_equal(p->nic.log, order, sizeof(order));
	assert_string_equal(p->nic.name, "eth0");
	assert_int_equal(p->nic.mode, D_READ | D_WRITE);
	assert_int_equal(p->nic.filter_words, 8);
	assert_memory_equal(p->nic.filter, filter, sizeof(filter));
	/* The kernel looks at it when the filter is set. */
	assert_int_equal(p->nic.listener_qlimit, MACH_PORT_QLIMIT_MAX);
	assert_int_equal(p->nic.flags, 0x41 | 0x1343);
	assert_memory_equal(info(p).mac.octet, mac, 6);
	assert_int_equal(info(p).mtu, 1500);
	assert_int_equal(info(p).flags, 0x1343);
	assert_false(info(p).promisc_refused);
	assert_int_equal(info(p).opens, 1);
	assert_holds(p, SESSION_NAMES + 1, 2);
}

static void
test_device_that_was_given_is_not_opened(void **state)
{
	struct plant *p = *state;
	struct vnet_mach_uplink_config c = config_of(p);

	fake_mach.port_deallocate(c.master);
	c.master = MACH_PORT_NULL;
	c.device = fake_give_send(p->nic.device);
	assert_int_equal(vnet_mach_uplink_add(p->m, &c, NULL), 0);
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_int_equal(p->nic.log[0], NIC_GET_STATUS);
	assert_holds(p, SESSION_NAMES, 1);
}

static void
test_device_that_comes_later_is_found(void **state)
{
	struct plant *p = *state;

	p->nic.refused[0] = D_NO_SUCH_DEVICE;
	add(p, 0);
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_WAITING);
	assert_int_equal(info(p).error, D_NO_SUCH_DEVICE);
	pass(p, SECONDS(3));
	/* At 0, 0.1, 0.3, 0.7, 1.5, (3.1) */
	assert_int_equal(p->nic.nlog, 5);
	assert_int_equal(info(p).losses, 5);
	p->nic.refused[0] = 0;
	pass(p, SECONDS(5));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_int_equal(info(p).error, KERN_SUCCESS);
}

static void
test_attempts_are_five_seconds_apart_in_the_end(void **state)
{
	struct plant *p = *state;

	p->nic.refused[0] = D_NO_SUCH_DEVICE;
	add(p, 0);
	pass(p, SECONDS(30));
	p->nic.nlog = 0;
	pass(p, SECONDS(100));
	assert_in_range(p->nic.nlog, 19, 21);
	assert_holds(p, 1, 1);
}

static void
test_configuration_is_checked(void **state)
{
	struct plant *p = *state;
	struct vnet_mach_uplink_config good = config_of(p), c;
	mach_port_t set = vnet_mach_port_set(p->m), own, own_too;
	char name[VNET_MACH_NAME_SIZE + 1];
	struct vnet_why why;

#define REFUSED(field, value, error)                                           \
	do {                                                                   \
		c = good;                                                      \
		c.field = value;                                               \
		assert_int_equal(vnet_mach_uplink_add(p->m, &c, &why), error); \
	} while (0)
	memset(name, 'n', sizeof(name));
	name[VNET_MACH_NAME_SIZE] = 0;
	fake_mach.port_allocate(MACH_PORT_RIGHT_RECEIVE, &own);
	REFUSED(size, 1, -EINVAL);
	REFUSED(port, 77, -ENOENT);
	REFUSED(port, p->net.a.port, -EINVAL);
	REFUSED(name, "", -EINVAL);
	REFUSED(name, NULL, -EINVAL);
	REFUSED(name, name, -EINVAL);
	REFUSED(flags, 1 << 9, -EINVAL);
	REFUSED(max_shared, 1025, -EINVAL);
	REFUSED(master, MACH_PORT_NULL, -EINVAL);
	REFUSED(master, set, -EINVAL);
	REFUSED(master, own, -EINVAL);
	own_too = p->m->notify.named.name;
	fake_mach.port_insert_right(own_too, own_too, MACH_MSG_TYPE_MAKE_SEND);
	REFUSED(master, own_too, -EINVAL);
	fake_mach.port_deallocate(own_too);
	REFUSED(master, 999, -EINVAL);
	REFUSED(device, good.master, -EINVAL);
	fake_mach.port_mod_refs(own, MACH_PORT_RIGHT_RECEIVE, -1);
	p->net.alloc.fail_at = p->net.alloc.calls + 1;
	REFUSED(size, sizeof(c), -ENOMEM);
	p->net.alloc.fail_at = 0;
	/* What was refused was not taken. */
	assert_holds(p, 1, 1);
	assert_int_equal(vnet_mach_uplink_add(p->m, &good, &why), 0);
	c = good;
	fake_give_send(p->nic.master);
	assert_int_equal(vnet_mach_uplink_add(p->m, &c, &why), -EEXIST);
	fake_mach.port_deallocate(good.master);
	assert_true(vnet_mach_is_uplink(p->m, "eth0"));
	assert_false(vnet_mach_is_uplink(p->m, "eth"));
	assert_false(vnet_mach_is_uplink(p->m, "eth01"));
	assert_int_equal(vnet_mach_uplink_remove(p->m, p->net.a.port), -ENOENT);
}

/* A right of our own is a circle. */
static void
test_own_right_is_no_device(void **state)
{
	struct plant *p = *state;

	add_and_run(p, 0);
	p->nic.opens_itself = p->nic.listener;
	nic_die(&p->nic);
	nic_revive(&p->nic);
	/* As long as that is a right of ours, and alive. */
	p->nic.opens_itself = fake_port_named(p->m->notify.named.name);
	pass(p, SECONDS(1));
	assert_int_equal(info(p).error, KERN_INVALID_CAPABILITY);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_WAITING);
	assert_holds(p, 1, 1);
}

static void
test_no_rights_to_be_had_is_tried_again(void **state)
{
	struct plant *p = *state;

	for (uint32_t i = 1; i <= 3; i++) {
		fake_fail_allocate = i;
		add(p, 0);
		if (i == 1) {
			run(p);
			pass(p, SECONDS(1));
		}
		pass(p, SECONDS(1));
		assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
		assert_true(info(p).losses >= 1);
		assert_int_equal(vnet_mach_uplink_remove(p->m, p->port), 0);
		run(p);
	}
}

static void
test_each_answer_may_be_none(void **state)
{
	static const enum nic_manner manners[] = {
		NIC_DROPS, NIC_WRONG_ID, NIC_GARBAGE, NIC_ASKS, NIC_SILENT};
	static const uint32_t ids[] = {NIC_OPEN, NIC_GET_STATUS, NIC_SET_FILTER,
				       NIC_SET_STATUS};
	struct plant *p = *state;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (size_t k = 0; k < sizeof(manners) / sizeof(manners[0]);
		     k++) {
			p->nic.manner[ids[i] - 2800] = manners[k];
			add(p, 0);
			pass(p, SECONDS(3));
			assert_int_not_equal(info(p).state,
					     VNET_MACH_UPLINK_UP);
			assert_true(info(p).losses >= 1);
			assert_int_equal(info(p).timeouts > 0,
					 manners[k] == NIC_SILENT);
			/* Once it has learned better: */
			p->nic.manner[ids[i] - 2800] = NIC_ANSWERS;
			pass(p, SECONDS(6));
			assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
			assert_int_equal(vnet_mach_uplink_remove(p->m, p->port),
					 0);
			run(p);
			p->nic.nlog = 0;
			if (p->nic.kept)
				fake_msg_done(p->nic.kept);
			p->nic.kept = NULL;
			run(p);
			assert_holds(p, 0, 0);
		}
}

static void
test_late_answer_is_for_nobody(void **state)
{
	struct plant *p = *state;

	p->nic.manner[NIC_OPEN - 2800] = NIC_SILENT;
	add(p, 0);
	run(p);
	pass(p, SECONDS(2) + SECONDS(1) / 20);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_WAITING);
	assert_int_equal(info(p).error, MACH_RCV_TIMED_OUT);
	nic_answer_kept(&p->nic);
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_WAITING);
	assert_holds(p, 1, 1);
	pass(p, SECONDS(1));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
}

static void
test_what_is_no_ethernet_is_refused(void **state)
{
	static const struct {
		int at, value;
	} wrong[] = {{1, 13}, {1, 80}, {1, -1}, {2, 2}, {3, 15}, {4, 8}};
	struct plant *p = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int was = p->nic.status[wrong[i].at];

		p->nic.status[wrong[i].at] = wrong[i].value;
		add(p, 0);
		run(p);
		assert_int_equal(info(p).state, VNET_MACH_UPLINK_WAITING);
		assert_int_equal(info(p).error, D_INVALID_OPERATION);
		assert_int_equal(vnet_mach_uplink_remove(p->m, p->port), 0);
		run(p);
		p->nic.status[wrong[i].at] = was;
	}
}

static void
test_device_without_an_address_is_used(void **state)
{
	static const struct vnet_mac none;
	struct plant *p = *state;
	struct vnet_mac mac;

	p->nic.status[1] = 14 + 9000;
	add_and_run(p, 0);
	nic_die(&p->nic);
	run(p);
	nic_revive(&p->nic);
	p->nic.has_no_address = true;
	pass(p, SECONDS(1));
	assert_int_equal(info(p).opens, 2);
	mac = info(p).mac;
	assert_memory_equal(&mac, &none, sizeof(none));
	assert_int_equal(info(p).mtu, 4091);
	assert_int_equal(vnet_mach_uplink_remove(p->m, p->port), 0);
	/* Who is to share it needs it. */
	add(p, VNET_MACH_UPLINK_SHARED);
	run(p);
	assert_int_equal(info(p).error, D_INVALID_OPERATION);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_WAITING);
}

/*
 * Flags
 */

static void
test_refused_promisc_is_seen(void **state)
{
	struct plant *p = *state;

	p->nic.fixed_flags = NET_FLAG_PROMISC;
	add_and_run(p, VNET_MACH_UPLINK_NO_PROMISC);
	assert_false(info(p).promisc_refused);
	assert_int_equal(vnet_mach_uplink_remove(p->m, p->port), 0);
	add_and_run(p, 0);
	assert_true(info(p).promisc_refused);
	assert_false(info(p).is_shared);
	assert_true(test_has_link(p->net.sw, p->port));
	/* It is not asked for again and again. */
	p->nic.nlog = 0;
	pass(p, SECONDS(6));
	assert_int_equal(p->nic.nlog, 2);
	assert_int_equal(info(p).flags_reset, 0);
}

static void
test_flags_that_cannot_be_set_or_read(void **state)
{
	struct plant *p = *state;

	p->nic.refused[NIC_SET_STATUS - 2800] = D_INVALID_OPERATION;
	add_and_run(p, 0);
	assert_true(info(p).promisc_refused);
	assert_int_equal(vnet_mach_uplink_remove(p->m, p->port), 0);
	/* They cannot be read, but set: that they took is believed. */
	p->nic.refused[NIC_SET_STATUS - 2800] = 0;
	p->nic.has_no_flags = true;
	add_and_run(p, 0);
	assert_false(info(p).promisc_refused);
	assert_int_equal(p->nic.flags & 0x1343, 0x1343);
	/* And later it is left alone. */
	p->nic.flags = 0x41;
	pass(p, SECONDS(6));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_int_equal(p->nic.flags, 0x41);
}

static void
test_flags_that_another_has_cleared_are_set_again(void **state)
{
	struct plant *p = *state;

	add_and_run(p, 0);
	pass(p, SECONDS(6));
	assert_int_equal(info(p).flags_reset, 0);
	/* As pfinet does, and with a flag of its own. */
	p->nic.flags = 0x1243 | 0x8000;
	pass(p, SECONDS(6));
	assert_int_equal(p->nic.flags, 0x1343 | 0x8000);
	assert_int_equal(info(p).flags_reset, 1);
	assert_false(info(p).promisc_refused);
	p->nic.flags = 0;
	p->nic.fixed_flags = NET_FLAG_PROMISC;
	pass(p, SECONDS(6));
	assert_true(info(p).promisc_refused);
	assert_int_equal(info(p).flags_reset, 2);
	p->nic.fixed_flags = 0;
	pass(p, SECONDS(6));
	assert_false(info(p).promisc_refused);
	assert_int_equal(p->nic.flags & 0x1343, 0x1343);
	assert_int_equal(info(p).opens, 1);
}

static void
test_silence_sets_the_filter_again(void **state)
{
	struct plant *p = *state;
	struct vnet_frame f;
	uint64_t was;

	add_and_run(p, 0);
	p->nic.listener = NULL;
	pass(p, SECONDS(9));
	assert_null(p->nic.listener);
	pass(p, SECONDS(2));
	assert_non_null(p->nic.listener);
	assert_int_equal(info(p).filter_reset, 1);
	/* Less and less often. */
	for (int i = 0; i < 40; i++) {
		p->nic.nlog = 0;
		pass(p, SECONDS(50));
	}
	assert_in_range(info(p).filter_reset, 7, 10);
	/* A frame begins it anew. */
	was = info(p).filter_reset;
	f = test_frame(TEST_BROADCAST, 0xe, 60);
	assert_true(nic_frame(&p->nic, f.data, 60));
	pass(p, SECONDS(4));
	assert_true(nic_frame(&p->nic, f.data, 60));
	pass(p, SECONDS(17));
	assert_int_equal(info(p).filter_reset, was + 1);
	assert_int_equal(info(p).opens, 1);
}

/*
 * Frames
 */

static void
test_frames_come_in(void **state)
{
	static uint8_t frame[4105];
	struct plant *p = *state;
	struct vnet_frame f;

	add_and_run(p, 0);
	f = test_frame(TEST_BROADCAST, 0xe, 60);
	assert_true(nic_frame(&p->nic, f.data, 60));
	run(p);
	assert_int_equal(p->net.a.nsent, 1);
	assert_int_equal(p->net.a.last.len, 60);
	assert_memory_equal(p->net.a.data, f.data, 60);
	assert_int_equal(info(p).received, 1);
	/* With rubbish behind it. */
	f = test_frame(TEST_BROADCAST, 0xe, 1514);
	assert_true(nic_frame(&p->nic, f.data, 1514));
	run(p);
	assert_int_equal(p->net.a.last.len, 1514);
	assert_memory_equal(p->net.a.data, f.data, 1514);
	f = test_frame(TEST_BROADCAST, 0xe, 14);
	assert_true(nic_frame(&p->nic, f.data, 14));
	memset(frame, 0xff, 6);
	frame[11] = 1;
	assert_true(nic_frame(&p->nic, frame, sizeof(frame)));
	run(p);
	assert_int_equal(info(p).received, 4);
	assert_int_equal(uplink_stats(p).in.octets, 60 + 1514 + 14 + 4105);
}

/* A net_rcv_msg as it should be, to be damaged. */
static mach_msg_header_t *
packet_message(uint8_t *msg)
{
	struct vnet_frame f = test_frame(TEST_BROADCAST, 0xe, 60);

	vnet_wire_net_rcv(msg, VNET_WIRE_HERE, &f);
	return (mach_msg_header_t *)(void *)msg;
}

static void
test_forged_frames_are_dropped(void **state)
{
	struct plant *p = *state;
	union {
		uint64_t align;
		uint8_t octets[VNET_WIRE_NET_RCV_MAX];
	} msg;
	const struct vnet_wire_header id = {.id = NET_RCV_MSG_ID};
	static const uint8_t zeros[64];
	struct vnet_wire_writer w;
	struct vnet_count malformed;
	mach_msg_header_t *h;
	size_t header = sizeof(mach_msg_header_t);

	add_and_run(p, 0);
	/* Every octet of what is behind the header, in turn. */
	for (size_t i = header; i < header + 80; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			packet_message(msg.octets);
			msg.octets[i] ^= (uint8_t)(1 << bit);
			fake_send(p->nic.listener, false, msg.octets, NULL,
				  NULL);
			run(p);
		}
	/* Every length. */
	for (uint32_t n = (uint32_t)header; n < 150; n += 4) {
		h = packet_message(msg.octets);
		if (n < h->msgh_size)
			h->msgh_size = n;
		fake_send(p->nic.listener, false, msg.octets, NULL, NULL);
		run(p);
	}
	/* Another id, and a right to reply to, which is answered. */
	h = packet_message(msg.octets);
	h->msgh_id = 2998;
	fake_send(p->nic.listener, false, msg.octets, NULL, NULL);
	packet_message(msg.octets);
	fake_send(p->nic.listener, false, msg.octets, NULL, p->nic.master);
	/* With a right in it. */
	vnet_wire_begin(&w, msg.octets, sizeof(msg), VNET_WIRE_HERE, &id);
	vnet_wire_put_octets(&w, VNET_WIRE_BYTE, zeros, 64, false);
	vnet_wire_put_octets(&w, VNET_WIRE_BYTE, zeros, 64, false);
	vnet_wire_put_right(&w, 0, VNET_WIRE_MOVE_SEND);
	vnet_wire_end(&w);
	fake_send(p->nic.listener, false, msg.octets, p->nic.master, NULL);
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_true(info(p).received_bad >= 3);
	assert_int_equal(info(p).received, uplink_stats(p).in.frames);
	assert_int_equal(vnet_client_drops(p->net.sw, info(p).client,
					   VNET_DROP_MALFORMED, &malformed,
					   NULL),
			 0);
	assert_int_equal(malformed.frames, 0);
	assert_holds(p, SESSION_NAMES + 1, 2);
}

static void
test_frames_elsewhere_are_none(void **state)
{
	struct plant *p = *state;
	const struct vnet_mach_uplink *u;
	union {
		uint64_t align;
		uint8_t octets[VNET_WIRE_NET_RCV_MAX];
	} msg;

	add_and_run(p, 0);
	u = p->m->uplinks;
	packet_message(msg.octets);
	fake_send(fake_port_named(u->answers.right.named.name), true,
		  msg.octets, NULL, NULL);
	fake_send(fake_port_named(u->writes.right.named.name), true, msg.octets,
		  NULL, NULL);
	fake_send(fake_port_named(u->writes.right.named.name), true, msg.octets,
		  NULL, p->nic.master);
	run(p);
	assert_int_equal(p->net.a.nsent, 0);
	assert_int_equal(info(p).received, 0);
	assert_int_equal(info(p).strays, 3);
	assert_int_equal(info(p).in_flight, 0);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
}

static void
test_frames_go_out(void **state)
{
	struct plant *p = *state;
	struct vnet_frame f;

	add_and_run(p, 0);
	send_out(p, 60);
	run(p);
	f = test_frame(TEST_BROADCAST, 0xa, 60);
	assert_int_equal(p->nic.nframes, 1);
	assert_int_equal(p->nic.frame_len, 60);
	assert_memory_equal(p->nic.frame, f.data, 60);
	assert_int_equal(p->nic.write_mode, D_NOWAIT);
	assert_int_equal(info(p).written, 1);
	assert_int_equal(info(p).in_flight, 0);
	assert_holds(p, SESSION_NAMES + 1, 2);
}

static void
test_lengths_that_the_device_does_not_take(void **state)
{
	struct plant *p = *state;

	p->nic.status[0] = 60;
	p->nic.status[1] = 14 + 1000;
	add_and_run(p, 0);
	send_out(p, 14);
	run(p);
	/* With zeros behind it. */
	assert_int_equal(p->nic.frame_len, 60);
	assert_int_equal(p->nic.frame[59], 0);
	send_out(p, 1014);
	run(p);
	assert_int_equal(p->nic.frame_len, 1014);
	send_out(p, 1015);
	send_out(p, 13);
	run(p);
	assert_int_equal(p->nic.nframes, 2);
	assert_int_equal(info(p).write_length, 1);
	assert_int_equal(refused(p), 1);
}

static void
test_writes_that_fail_are_counted(void **state)
{
	struct plant *p = *state;

	add_and_run(p, 0);
	p->nic.refused[NIC_WRITE - 2800] = D_INVALID_SIZE;
	send_out(p, 60);
	run(p);
	p->nic.refused[NIC_WRITE - 2800] = 0;
	p->nic.manner[NIC_WRITE - 2800] = NIC_DROPS;
	send_out(p, 60);
	run(p);
	p->nic.manner[NIC_WRITE - 2800] = NIC_WRONG_ID;
	send_out(p, 60);
	run(p);
	p->nic.manner[NIC_WRITE - 2800] = NIC_GARBAGE;
	send_out(p, 60);
	run(p);
	/* This one says that all is well, and brings rights. */
	p->nic.manner[NIC_WRITE - 2800] = NIC_ASKS;
	send_out(p, 60);
	run(p);
	assert_int_equal(info(p).written, 5);
	assert_int_equal(info(p).write_errors, 3);
	assert_int_equal(info(p).write_lost, 1);
	assert_int_equal(info(p).in_flight, 0);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_holds(p, SESSION_NAMES + 1, 2);
}

/* Of one that takes its time, sixteen frames are out and the others wait; each
 * answer brings one. */
static void
test_slow_driver_bounds_what_is_out(void **state)
{
	struct plant *p = *state;

	add_and_run(p, 0);
	p->nic.keeps_writes = true;
	for (int i = 0; i < 40; i++) {
		send_out(p, 60);
		run(p);
	}
	assert_int_equal(p->nic.nwrites, UPLINK_SLOTS);
	/* Each from memory that nothing else is in. */
	for (uint32_t i = 0; i < UPLINK_SLOTS; i++)
		for (uint32_t k = 0; k < i; k++)
			assert_int_not_equal(p->nic.writes[i]->memory_from,
					     p->nic.writes[k]->memory_from);
	assert_int_equal(info(p).in_flight, UPLINK_SLOTS);
	assert_int_equal(uplink_stats(p).queued.frames, 40 - UPLINK_SLOTS);
	nic_answer_writes(&p->nic, 3, 0);
	run(p);
	assert_int_equal(p->nic.nwrites, UPLINK_SLOTS);
	assert_int_equal(uplink_stats(p).queued.frames, 40 - UPLINK_SLOTS - 3);
	while (p->nic.nwrites) {
		nic_answer_writes(&p->nic, 1, 0);
		run(p);
	}
	assert_int_equal(info(p).written, 40);
	assert_int_equal(uplink_stats(p).queued.frames, 0);
	assert_int_equal(info(p).write_full, 0);
}

/* A queue of five, as a port has it. Nothing is lost while something of ours is
 * in it; and what came back was freed. */
static void
test_full_queue_of_the_driver(void **state)
{
	struct plant *p = *state;
	uint64_t full;

	add_and_run(p, 0);
	for (int i = 0; i < 40; i++)
		send_out(p, 60);
	serve(p);
	assert_int_equal(info(p).in_flight, 5);
	assert_int_equal(uplink_stats(p).queued.frames, 35);
	full = info(p).write_full;
	assert_true(full >= 1);
	assert_holds(p, SESSION_NAMES + 1, 2);
	assert_int_equal(fake_holdings().memory, p->before.memory + 1);
	run(p);
	assert_int_equal(p->nic.nframes, 40);
	assert_int_equal(uplink_stats(p).queued.frames, 0);
	/* It is not tried again for each answer. */
	assert_true(info(p).write_full < full + 10);
	assert_int_equal(refused(p), 0);
	assert_holds(p, SESSION_NAMES + 1, 2);
	assert_int_equal(fake_holdings().memory, p->before.memory + 1);
}

/* Once it was full fewer are out, and more again as it answers. */
static void
test_driver_is_found_to_be_quicker(void **state)
{
	struct plant *p = *state;

	add_and_run(p, 0);
	for (int i = 0; i < 20; i++)
		send_out(p, 60);
	run(p);
	assert_int_equal(p->nic.nframes, 20);
	p->nic.keeps_writes = true;
	for (int i = 0; i < 20; i++) {
		send_out(p, 60);
		run(p);
	}
	assert_in_range(info(p).in_flight, 5, 8);
	while (p->nic.nframes < 1000) {
		send_out(p, 60);
		nic_answer_writes(&p->nic, 1, 0);
		run(p);
	}
	assert_int_equal(info(p).in_flight, UPLINK_SLOTS);
}

/* Somebody else's messages fill it: no answer of ours is due. */
static void
test_full_queue_without_ours_drops(void **state)
{
	const struct vnet_wire_header h = {.id = 4242};
	struct plant *p = *state;
	uint64_t room[16];
	struct vnet_wire_writer w;

	add_and_run(p, 0);
	vnet_wire_begin(&w, room, sizeof(room), VNET_WIRE_HERE, &h);
	vnet_wire_end(&w);
	for (int i = 0; i < 5; i++)
		fake_send(p->nic.device, false, room, NULL, NULL);
	send_out(p, 60);
	send_out(p, 60);
	serve(p);
	assert_int_equal(info(p).write_full, 2);
	assert_int_equal(refused(p), 2);
	assert_int_equal(info(p).in_flight, 0);
	/* A look at that time is put off, and is no failure. */
	for (int i = 0; i < 200; i++) {
		p->now += SECONDS(1) / 20;
		serve(p);
	}
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	run(p);
	send_out(p, 60);
	run(p);
	assert_int_equal(p->nic.nframes, 1);
	pass(p, SECONDS(20));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_int_equal(info(p).losses, 0);
	assert_int_equal(info(p).strays, 0);
	assert_holds(p, SESSION_NAMES + 1, 2);
}

/*
 * Death
 */

static void
test_driver_that_dies_and_comes_back(void **state)
{
	struct plant *p = *state;

	add_and_run(p, 0);
	p->nic.keeps_writes = true;
	for (int i = 0; i < 20; i++) {
		send_out(p, 60);
		run(p);
	}
	nic_die(&p->nic);
	serve(p);
	assert_false(test_has_link(p->net.sw, p->port));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_WAITING);
	assert_int_equal(info(p).error, MACH_SEND_INVALID_DEST);
	assert_int_equal(info(p).write_lost, UPLINK_SLOTS);
	assert_int_equal(info(p).in_flight, 0);
	assert_int_equal(uplink_stats(p).queued.frames, 0);
	assert_holds(p, 1, 1);
	nic_revive(&p->nic);
	p->nic.keeps_writes = false;
	pass(p, SECONDS(1));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_true(test_has_link(p->net.sw, p->port));
	assert_int_equal(info(p).opens, 2);
	assert_int_equal(info(p).losses, 1);
	assert_int_equal(p->nic.flags, 0x1343);
	send_out(p, 60);
	run(p);
	assert_int_equal(info(p).written, UPLINK_SLOTS + 1);
}

/* The message that says so has not been read yet. */
static void
test_death_is_seen_by_a_write(void **state)
{
	struct plant *p = *state;
	struct vnet_frame frames[3];

	add_and_run(p, 0);
	nic_die(&p->nic);
	for (unsigned int i = 0; i < 3; i++)
		frames[i] = test_frame(TEST_BROADCAST, 0xa, 60);
	vnet_switch_input(p->net.sw, p->net.a.id, frames, 3, p->now);
	send_out(p, 60);
	assert_int_equal(info(p).written, 0);
	assert_int_equal(uplink_stats(p).delivered.frames, 0);
	assert_int_equal(refused(p), 3);
	/* The switch has heard it from the driver. */
	assert_false(test_has_link(p->net.sw, p->port));
	vnet_mach_tick(p->m);
	assert_false(test_has_link(p->net.sw, p->port));
	run(p);
	assert_holds(p, 1, 1);
	nic_revive(&p->nic);
	pass(p, SECONDS(1));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
}

static void
test_link_that_is_set_up_without_a_device(void **state)
{
	struct plant *p = *state;

	add(p, 0);
	vnet_port_set_link(p->net.sw, p->port, true);
	send_out(p, 60);
	assert_false(test_has_link(p->net.sw, p->port));
	assert_int_equal(uplink_stats(p).delivered.frames, 0);
	run(p);
	assert_true(test_has_link(p->net.sw, p->port));
}

static void
test_new_trouble_is_tried_soon(void **state)
{
	struct plant *p = *state;

	p->nic.refused[0] = D_NO_SUCH_DEVICE;
	add(p, 0);
	pass(p, SECONDS(30));
	p->nic.refused[0] = 0;
	pass(p, SECONDS(12));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	nic_die(&p->nic);
	run(p);
	nic_revive(&p->nic);
	pass(p, SECONDS(1) / 5);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
}

static void
want_right(void *ctx, vnet_port_id port)
{
	struct plant *p = ctx;

	assert_int_equal(port, p->port);
	p->asked++;
}

static void
test_dead_right_is_asked_for(void **state)
{
	struct plant *p = *state;
	struct vnet_mach_uplink_config c = config_of(p);

	c.want_right = want_right;
	c.ctx = p;
	assert_int_equal(vnet_mach_uplink_add(p->m, &c, NULL), 0);
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	nic_die(&p->nic);
	fake_port_kill(p->nic.master);
	pass(p, SECONDS(3));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_NO_RIGHT);
	assert_in_range(p->asked, 2, 5);
	assert_holds(p, 0, 0);
	nic_init(&p->nic);
	assert_int_equal(vnet_mach_uplink_give(p->m, p->port, MACH_PORT_NULL,
					       MACH_PORT_NULL),
			 -EINVAL);
	assert_int_equal(vnet_mach_uplink_give(p->m, p->port,
					       fake_give_send(p->nic.master),
					       MACH_PORT_NULL),
			 0);
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_holds(p, SESSION_NAMES + 1, 2);
	/* Another one while all is well, of a device. */
	assert_int_equal(vnet_mach_uplink_give(p->m, p->port, MACH_PORT_NULL,
					       fake_give_send(p->nic.device)),
			 0);
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_holds(p, SESSION_NAMES, 1);
	/* And that one dies. */
	p->asked = 0;
	nic_die(&p->nic);
	pass(p, SECONDS(1));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_NO_RIGHT);
	assert_true(p->asked >= 1);
	assert_holds(p, 0, 0);
}

static void
test_device_that_was_given_is_kept(void **state)
{
	struct plant *p = *state;
	struct vnet_mach_uplink_config c = config_of(p);

	fake_mach.port_deallocate(c.master);
	c.master = MACH_PORT_NULL;
	c.device = fake_give_send(p->nic.device);
	c.want_right = want_right;
	c.ctx = p;
	p->nic.manner[NIC_GET_STATUS - 2800] = NIC_DROPS;
	assert_int_equal(vnet_mach_uplink_add(p->m, &c, NULL), 0);
	run(p);
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_WAITING);
	p->nic.manner[NIC_GET_STATUS - 2800] = NIC_ANSWERS;
	pass(p, SECONDS(1));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_int_equal(p->asked, 0);
	/* It is not ours to close. */
	for (uint32_t i = 0; i < p->nic.nlog; i++)
		assert_int_not_equal(p->nic.log[i], NIC_CLOSE);
	nic_die(&p->nic);
	serve(p);
	assert_false(test_has_link(p->net.sw, p->port));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_NO_RIGHT);
}

/* As long as it answers at all, and a write that went out just now is none that
 * it has not answered. */
static void
test_driver_that_is_slow_to_send(void **state)
{
	struct plant *p = *state;

	add_and_run(p, 0);
	p->nic.keeps_writes = true;
	pass(p, SECONDS(49) / 10);
	send_out(p, 60);
	send_out(p, 60);
	pass(p, SECONDS(3));
	assert_int_equal(info(p).losses, 0);
	for (int i = 0; i < 20; i++) {
		nic_answer_writes(&p->nic, 1, 0);
		send_out(p, 60);
		pass(p, SECONDS(3));
		assert_true(info(p).in_flight > 0);
	}
	assert_int_equal(info(p).losses, 0);
	pass(p, SECONDS(11));
	assert_int_equal(info(p).losses, 1);
}

/* It answers everything but writes. */
static void
test_driver_that_stops_to_send(void **state)
{
	struct plant *p = *state;

	add_and_run(p, 0);
	p->nic.keeps_writes = true;
	send_out(p, 60);
	pass(p, SECONDS(4));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	pass(p, SECONDS(6) + SECONDS(1) / 20);
	assert_int_equal(info(p).losses, 1);
	assert_int_equal(info(p).timeouts, 1);
	assert_int_equal(info(p).write_lost, 1);
	/* An answer after all. */
	nic_answer_writes(&p->nic, 1, 0);
	pass(p, SECONDS(1));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
	assert_int_equal(info(p).strays, 0);
	/* The old session was closed, by device_close. */
	assert_true(p->nic.nlog > 0);
	assert_holds(p, SESSION_NAMES + 1, 2);
}

static void
test_driver_that_hangs(void **state)
{
	struct plant *p = *state;

	add_and_run(p, 0);
	for (int i = 0; i < 160; i++) {
		p->now += SECONDS(1) / 20;
		serve(p);
	}
	assert_int_equal(info(p).losses, 1);
	assert_int_equal(info(p).error, MACH_RCV_TIMED_OUT);
	assert_false(test_has_link(p->net.sw, p->port));
	pass(p, SECONDS(1));
	assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
}

/* At every step, whatever is under way. */
static void
test_death_at_every_step(void **state)
{
	struct plant *p = *state;

	for (int steps = 0; steps < 9; steps++) {
		add(p, 0);
		for (int i = 0; i < steps; i++) {
			serve(p);
			nic_run(&p->nic);
		}
		nic_die(&p->nic);
		run(p);
		assert_false(test_has_link(p->net.sw, p->port));
		nic_revive(&p->nic);
		pass(p, SECONDS(3));
		assert_int_equal(info(p).state, VNET_MACH_UPLINK_UP);
		assert_int_equal(vnet_mach_uplink_remove(p->m, p->port), 0);
		run(p);
		assert_holds(p, 0, 0);
		p->nic.nlog = 0;
	}
}

static void
test_removal_at_every_step(void **state)
{
	struct plant *p = *state;

	for (int steps = 0; steps < 9; steps++) {
		add(p, 0);
		for (int i = 0; i < steps; i++) {
			serve(p);
			nic_run(&p->nic);
		}
		send_out(p, 60);
		assert_int_equal(vnet_mach_uplink_remove(p->m, p->port), 0);
		/* Answers under way are for nobody. */
		run(p);
		assert_false(test_has_link(p->net.sw, p->port));
		assert_holds(p, 0, 0);
		p->nic.nlog = 0;
	}
}

static void
test_port_takes_its_uplink_with_it(void **state)
{
	struct vnet_mach_uplink_info i = {.size = sizeof(i)};
	struct plant *p = *state;

	add_and_run(p, 0);
	vnet_mach_lock(p->m);
	assert_int_equal(vnet_port_remove(p->net.sw, p->port), 0);
	vnet_mach_unlock(p->m);
	run(p);
	assert_int_equal(vnet_mach_uplink_get(p->m, p->port, &i), -ENOENT);
	assert_int_equal(vnet_mach_uplink_remove(p->m, p->port), -ENOENT);
	assert_int_equal(p->nic.log[p->nic.nlog - 1], NIC_CLOSE);
	assert_holds(p, 0, 0);
}

static void
test_server_takes_its_uplinks_with_it(void **state)
{
	struct plant *p = *state;
	struct vnet_mach_config config = {
		.size = sizeof(config),
		.sw = p->net.sw,
		.alloc = &p->net.alloc.alloc,
		.sys = &fake_mach,
		.now = now,
		.ctx = p,
	};
	struct vnet_port_info port = {.size = sizeof(port)};

	add_and_run(p, VNET_MACH_UPLINK_SHARED);
	p->nic.keeps_writes = true;
	send_out(p, 60);
	run(p);
	vnet_mach_destroy(p->m);
	assert_int_equal(fake_holdings().names, 0);
	assert_int_equal(fake_holdings().memory, 0);
	assert_int_equal(vnet_port_get(p->net.sw, p->port, &port), 0);
	assert_int_equal(port.clients, 0);
	assert_int_equal(vnet_mach_create(&p->m, &config, NULL), 0);
}

/*
 * One address for all
 */

/* An ARP packet between the stations of two numbers, whose addresses are
 * 10.0.0.number. To 0 it is a request, by broadcast. */
static struct vnet_frame
arp(uint8_t *octets, const struct vnet_mac *from, uint8_t ip,
    const struct vnet_mac *to, uint8_t to_ip)
{
	static const uint8_t head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0};

	memset(octets, 0, 60);
	memset(octets, 0xff, 6);
	if (to)
		memcpy(octets, to, 6);
	memcpy(octets + 6, from, 6);
	memcpy(octets + 12, head, sizeof(head));
	octets[21] = to ? 2 : 1;
	memcpy(octets + 22, from, 6);
	memcpy(octets + 28, (uint8_t[]){10, 0, 0, ip}, 4);
	if (to)
		memcpy(octets + 32, to, 6);
	memcpy(octets + 38, (uint8_t[]){10, 0, 0, to_ip}, 4);
	return (struct vnet_frame){.data = octets, .len = 60};
}

/* Both clients resolve a third station, and each gets its own answer. */
static void
assert_is_shared(struct plant *p)
{
	const struct vnet_mac nic = {{0x52, 0x54, 0, 0x12, 0x34, 0x56}};
	const struct vnet_mac outside = test_mac(0xe);
	struct fake *const clients[] = {&p->net.a, &p->net.b};
	uint8_t octets[60];
	struct vnet_frame f;

	assert_true(info(p).is_shared);
	for (unsigned int i = 0; i < 2; i++) {
		const struct vnet_mac mac = test_mac(0xa + i);

		f = arp(octets, &mac, (uint8_t)(1 + i), NULL, 9);
		vnet_switch_input(p->net.sw, clients[i]->id, &f, 1, p->now);
		run(p);
		assert_memory_equal(p->nic.frame + 6, &nic, 6);
		assert_memory_equal(p->nic.frame + 22, &nic, 6);
	}
	for (unsigned int i = 0; i < 2; i++) {
		const struct vnet_mac mac = test_mac(0xa + i);
		unsigned long other = clients[!i]->nsent;

		f = arp(octets, &outside, 9, &nic, (uint8_t)(1 + i));
		assert_true(nic_frame(&p->nic, f.data, 60));
		run(p);
		assert_memory_equal(clients[i]->data, &mac, 6);
		assert_memory_equal(clients[i]->data + 32, &mac, 6);
		assert_int_equal(clients[!i]->nsent, other);
	}
	/* That nobody has. */
	f = arp(octets, &outside, 9, &nic, 77);
	assert_true(nic_frame(&p->nic, f.data, 60));
	run(p);
	assert_int_equal(info(p).shared_unknown, 1);
	assert_int_equal(info(p).shared_conflicts, 0);
}

static void
test_address_is_shared(void **state)
{
	struct plant *p = *state;

	add_and_run(p, VNET_MACH_UPLINK_SHARED);
	/* It does not ask for what it does not need. */
	assert_int_equal(p->nic.flags & NET_FLAG_PROMISC, 0);
	assert_false(info(p).promisc_refused);
	assert_is_shared(p);
}

static void
test_address_is_shared_where_promisc_is_refused(void **state)
{
	struct plant *p = *state;

	add_and_run(p, VNET_MACH_UPLINK_MAY_SHARE);
	assert_false(info(p).is_shared);
	send_out(p, 60);
	run(p);
	assert_memory_equal(p->nic.frame + 6, test_mac(0xa).octet, 6);
	nic_die(&p->nic);
	run(p);
	nic_revive(&p->nic);
	p->nic.fixed_flags = NET_FLAG_PROMISC;
	pass(p, SECONDS(1));
	assert_true(info(p).promisc_refused);
	assert_is_shared(p);
	/* It is what this driver has never had. */
	pass(p, SECONDS(12));
	assert_int_equal(info(p).flags_reset, 0);
	nic_die(&p->nic);
	run(p);
	assert_false(info(p).is_shared);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_device_is_asked_in_this_order),
		TEST(test_device_that_was_given_is_not_opened),
		TEST(test_device_that_comes_later_is_found),
		TEST(test_attempts_are_five_seconds_apart_in_the_end),
		TEST(test_configuration_is_checked),
		TEST(test_own_right_is_no_device),
		TEST(test_no_rights_to_be_had_is_tried_again),
		TEST(test_each_answer_may_be_none),
		TEST(test_late_answer_is_for_nobody),
		TEST(test_what_is_no_ethernet_is_refused),
		TEST(test_device_without_an_address_is_used),
		TEST(test_refused_promisc_is_seen),
		TEST(test_flags_that_cannot_be_set_or_read),
		TEST(test_flags_that_another_has_cleared_are_set_again),
		TEST(test_silence_sets_the_filter_again),
		TEST(test_frames_come_in),
		TEST(test_forged_frames_are_dropped),
		TEST(test_frames_elsewhere_are_none),
		TEST(test_frames_go_out),
		TEST(test_lengths_that_the_device_does_not_take),
		TEST(test_writes_that_fail_are_counted),
		TEST(test_slow_driver_bounds_what_is_out),
		TEST(test_full_queue_of_the_driver),
		TEST(test_driver_is_found_to_be_quicker),
		TEST(test_full_queue_without_ours_drops),
		TEST(test_driver_that_dies_and_comes_back),
		TEST(test_death_is_seen_by_a_write),
		TEST(test_link_that_is_set_up_without_a_device),
		TEST(test_new_trouble_is_tried_soon),
		TEST(test_dead_right_is_asked_for),
		TEST(test_device_that_was_given_is_kept),
		TEST(test_driver_that_is_slow_to_send),
		TEST(test_driver_that_stops_to_send),
		TEST(test_driver_that_hangs),
		TEST(test_death_at_every_step),
		TEST(test_removal_at_every_step),
		TEST(test_port_takes_its_uplink_with_it),
		TEST(test_server_takes_its_uplinks_with_it),
		TEST(test_address_is_shared),
		TEST(test_address_is_shared_where_promisc_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
