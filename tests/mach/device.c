/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of a network device, call by call, as clients rely on it: in the
 * order of pfinet, by path and by name, in that of libpcap, and out of any order.
 *
 *	this task --device RPC-- server (a task of its own): vif0, vif1 ...
 */
#include <string.h>

#include <mach/mach_port.h>

#include <device/device.h>

#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/service.h"

#define IN  1
#define OUT 2

static const struct vif vifs[] = {
	{.name = "vif0"},
	{.name = "vif1"},
	{.name = "jumbo", .mtu = VNET_MACH_MTU_MAX},
	{.name = "open", .vif_flags = VNET_MACH_MAY_PROMISC},
	{.name = "many",
	 .port_flags = VNET_PORT_PER_CLIENT,
	 .vif_flags = VNET_MACH_MAY_SET_ADDRESS},
	{.name = "few", .max_clients = 2},
};

static struct service service = {
	.vifs = vifs,
	.nvifs = sizeof(vifs) / sizeof(vifs[0]),
};
static uint8_t frame[5000], got[5000];

/* The filter of pfinet by path: type at 12 is ARP, IPv4 or IPv6, RET 1500. */
static const filter_t pfinet_bpf[28] = {
	0x0401, 0,      0,      0, /* NETF_IN | NETF_BPF */
	0x28,   0,      12,     0, /* LDH 12 */
	0x15,   0x0002, 0x0806, 0, /* JEQ ARP */
	0x15,   0x0001, 0x0800, 0, /* JEQ IPv4 */
	0x15,   0x0100, 0x86dd, 0, /* JEQ IPv6, else to the end */
	0x06,   0,      1500,   0, /* RET 1500 */
	0x06,   0,      0,      0, /* RET 0 */
};
static const filter_t pfinet_stack[3] = {1, 1, 1};

static void
set_filter(mach_port_t device, mach_port_t right, const filter_t *words,
	   uint32_t n, kern_return_t expected)
{
	filter_t copy[128];

	memcpy(copy, words, n * sizeof(*words));
	CHECK_EQ(device_set_filter(device, right, MACH_MSG_TYPE_MAKE_SEND, 0,
				   copy, n),
		 expected);
}

static void
pfinet_begins(mach_port_t device, mach_port_t receive, const filter_t *words,
	      uint32_t n, uint8_t number)
{
	int status[NET_STATUS_COUNT], address[2], flags = PFINET_FLAGS;
	mach_msg_type_number_t count = NET_STATUS_COUNT;

	set_filter(device, receive, words, n, KERN_SUCCESS);
	CHECK_EQ(device_get_status(device, NET_STATUS, status, &count),
		 KERN_SUCCESS);
	CHECK(count == NET_STATUS_COUNT);
	CHECK(status[0] == 14 && status[1] == 1514);
	CHECK(status[2] == HDR_ETHERNET && status[3] == 14 && status[4] == 6);
	CHECK(status[5] == PFINET_FLAGS && status[6] == 0);
	count = 2;
	CHECK_EQ(device_get_status(device, NET_ADDRESS, address, &count),
		 KERN_SUCCESS);
	CHECK(count == 2);
	CHECK((uint32_t)address[0] == 0x02000000);
	CHECK((uint32_t)address[1] == (uint32_t)number << 16);
	CHECK_EQ(device_set_status(device, NET_FLAGS, &flags, 1), KERN_SUCCESS);
}

static void
two_pfinets(const filter_t *words, uint32_t n)
{
	mach_port_t ra = client_receiver(MACH_PORT_QLIMIT_MAX);
	mach_port_t rb = client_receiver(MACH_PORT_QLIMIT_MAX);
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	size_t len;

	pfinet_begins(a, ra, words, n, 1);
	pfinet_begins(b, rb, words, n, 2);
	/* Of 42 octets, as pfinet sends ARP. */
	len = client_frame(frame, 42, 0xff, 1, 7);
	frame[13] = 0x06;
	client_write(a, frame, len);
	CHECK(client_get(rb, got, sizeof(got), 1000) == len);
	CHECK(!memcmp(frame, got, len));
	CHECK(!client_get(ra, got, sizeof(got), 20));
	len = client_frame(frame, 1514, 1, 2, 9);
	client_write(b, frame, len);
	CHECK(client_get(ra, got, sizeof(got), 1000) == len);
	CHECK(!memcmp(frame, got, len));
	client_drop_receiver(ra);
	client_drop_receiver(rb);
	CHECK_EQ(device_close(a), KERN_SUCCESS);
	CHECK_EQ(device_close(b), KERN_SUCCESS);
	client_drop(a);
	client_drop(b);
}

static void
test_two_pfinets_by_path_talk(void)
{
	two_pfinets(pfinet_bpf, 28);
}

static void
test_two_pfinets_by_name_talk(void)
{
	two_pfinets(pfinet_stack, 3);
}

static void
test_pfinet_does_not_hear_what_its_filter_refuses(void)
{
	mach_port_t ra = client_receiver(16);
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	size_t len = client_frame(frame, 60, 0xff, 2, 1);

	set_filter(a, ra, pfinet_bpf, 28, KERN_SUCCESS);
	frame[12] = 0x12;
	client_write(b, frame, len);
	CHECK(!client_get(ra, got, sizeof(got), 30));
	frame[12] = 0x86;
	frame[13] = 0xdd;
	client_write(b, frame, len);
	CHECK(client_get(ra, got, sizeof(got), 1000) == len);
	client_drop_receiver(ra);
	client_drop(a);
	client_drop(b);
}

/* As a capture does: both directions, beside a stack on the same vif. */
static void
test_capture_sees_both_directions_once(void)
{
	mach_port_t rs = client_receiver(16), rc = client_receiver(5);
	mach_port_t rb = client_receiver(16);
	mach_port_t stack = client_open(service.master, "vif0");
	mach_port_t capture = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	size_t len;

	client_listen(stack, rs, 0, IN);
	client_listen(capture, rc, 0, IN | OUT);
	client_listen(b, rb, 0, IN);
	/* Both addresses become known. */
	client_write(stack, frame, client_frame(frame, 60, 0xff, 1, 1));
	CHECK(client_get(rb, got, sizeof(got), 1000));
	CHECK(client_get(rc, got, sizeof(got), 1000));
	CHECK(!client_get(rc, got, sizeof(got), 30));
	len = client_frame(frame, 100, 1, 2, 2);
	client_write(b, frame, len);
	CHECK(client_get(rs, got, sizeof(got), 1000) == len);
	CHECK(client_get(rc, got, sizeof(got), 1000) == len);
	/* Unicast of the stack: only the capture hears it beside its receiver. */
	len = client_frame(frame, 100, 2, 1, 3);
	client_write(stack, frame, len);
	CHECK(client_get(rb, got, sizeof(got), 1000) == len);
	CHECK(client_get(rc, got, sizeof(got), 1000) == len);
	CHECK(!client_get(rs, got, sizeof(got), 30));
	/* What the capture itself sends it hears, too. */
	client_write(capture, frame, client_frame(frame, 60, 2, 1, 4));
	CHECK(client_get(rb, got, sizeof(got), 1000));
	CHECK(client_get(rc, got, sizeof(got), 1000));
	CHECK(!client_get(rc, got, sizeof(got), 30));
	client_drop_receiver(rs);
	client_drop_receiver(rc);
	client_drop_receiver(rb);
	client_drop(stack);
	client_drop(capture);
	client_drop(b);
}

static void
test_write_is_answered_with_its_count_whatever_it_is(void)
{
	static const size_t lens[] = {0, 1, 13, 14, 59, 1514, 1518, 1519, 4999};
	mach_port_t a = client_open(service.master, "vif0");

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		client_write(a, frame, lens[i]);
	CHECK_EQ(device_close(a), KERN_SUCCESS);
	client_write(a, frame, 60);
	client_drop(a);
}

static void
test_write_inband_arrives(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t rb = client_receiver(16);
	size_t len = client_frame(frame, 128, 0xff, 1, 5);
	int written = 0;

	client_listen(b, rb, 0, IN);
	CHECK_EQ(device_write_inband(a, 0, 0, (char *)frame, len, &written),
		 KERN_SUCCESS);
	CHECK(written == (int)len);
	CHECK(client_get(rb, got, sizeof(got), 1000) == len);
	CHECK(!memcmp(got, frame, len));
	/* Order is kept where the two kinds are mixed. */
	for (uint8_t i = 0; i < 8; i++) {
		len = client_frame(frame, 100, 0xff, 1, i);
		if (i & 1)
			CHECK_EQ(device_write_inband(a, 0, 0, (char *)frame,
						     len, &written),
				 KERN_SUCCESS);
		else
			client_write(a, frame, len);
	}
	for (uint8_t i = 0; i < 8; i++) {
		CHECK(client_get(rb, got, sizeof(got), 1000) == 100);
		CHECK(got[14] == i + 14);
	}
	client_drop_receiver(rb);
	client_drop(a);
	client_drop(b);
}

static void
test_status_refuses_what_the_kernel_refuses(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	int status[64] = {0};
	mach_msg_type_number_t count = 6;

	CHECK_EQ(device_get_status(a, NET_STATUS, status, &count),
		 D_INVALID_OPERATION);
	count = 1;
	CHECK_EQ(device_get_status(a, NET_ADDRESS, status, &count),
		 D_INVALID_OPERATION);
	count = 2;
	CHECK_EQ(device_get_status(a, NET_FLAGS, status, &count),
		 D_INVALID_SIZE);
	count = 0;
	CHECK_EQ(device_get_status(a, NET_FLAGS, status, &count),
		 D_INVALID_SIZE);
	count = 1;
	CHECK_EQ(device_get_status(a, NET_FLAGS, status, &count), KERN_SUCCESS);
	CHECK(status[0] == PFINET_FLAGS);
	count = 64;
	CHECK_EQ(device_get_status(a, NET_DSTADDR, status, &count),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_set_status(a, NET_FLAGS, status, 2), D_INVALID_SIZE);
	CHECK_EQ(device_set_status(a, NET_ADDRESS, status, 2),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_set_status(a, 12345, status, 1), D_INVALID_OPERATION);
	client_drop(a);
}

static void
test_map_and_interrupts_are_refused(void)
{
	mach_port_t a = client_open(service.master, "vif0"), pager;
	mach_port_t r = client_receiver(5);

	CHECK_EQ(device_map(a, VM_PROT_READ, 0, 4096, &pager, 0),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_intr_register(a, 1, 0, r, MACH_MSG_TYPE_MAKE_SEND),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_intr_ack(a, r, MACH_MSG_TYPE_MAKE_SEND),
		 D_INVALID_OPERATION);
	client_drop_receiver(r);
	client_drop(a);
}

static int
flags_of(mach_port_t device)
{
	mach_msg_type_number_t count = 1;
	int flags;

	CHECK_EQ(device_get_status(device, NET_FLAGS, &flags, &count),
		 KERN_SUCCESS);
	return flags;
}

static void
set_flags(mach_port_t device, int flags)
{
	CHECK_EQ(device_set_status(device, NET_FLAGS, &flags, 1), KERN_SUCCESS);
}

static void
test_flags_are_the_clients_own(void)
{
	mach_port_t a = client_open(service.master, "open");
	mach_port_t b = client_open(service.master, "open");
	mach_port_t plain = client_open(service.master, "vif0");

	set_flags(a, PFINET_FLAGS | IFF_PROMISC);
	CHECK(flags_of(a) == (PFINET_FLAGS | IFF_PROMISC));
	CHECK(flags_of(b) == PFINET_FLAGS);
	set_flags(plain, PFINET_FLAGS | IFF_PROMISC);
	CHECK(flags_of(plain) == PFINET_FLAGS);
	client_drop(a);
	client_drop(b);
	client_drop(plain);
}

static void
test_client_that_is_not_up_hears_nothing_and_may_write(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t sibling = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t ra = client_receiver(16), rs = client_receiver(16);

	client_listen(a, ra, 0, IN);
	client_listen(sibling, rs, 0, IN);
	set_flags(a, PFINET_FLAGS & ~IFF_UP);
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(client_get(rs, got, sizeof(got), 1000));
	CHECK(!client_get(ra, got, sizeof(got), 30));
	client_write(a, frame, client_frame(frame, 60, 0xff, 1, 1));
	CHECK(!client_get(rs, got, sizeof(got), 30));
	set_flags(a, PFINET_FLAGS);
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	client_drop_receiver(ra);
	client_drop_receiver(rs);
	client_drop(a);
	client_drop(sibling);
	client_drop(b);
}

static void
test_promiscuous_client_hears_what_is_flooded(void)
{
	mach_port_t a = client_open(service.master, "open");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t c = client_open(service.master, "vif0");
	mach_port_t ra = client_receiver(16), rc = client_receiver(16);

	client_listen(a, ra, 0, IN);
	client_listen(c, rc, 0, IN);
	/* To nobody that is known. */
	client_write(b, frame, client_frame(frame, 60, 99, 2, 1));
	CHECK(!client_get(ra, got, sizeof(got), 30));
	set_flags(a, PFINET_FLAGS | IFF_PROMISC);
	client_write(b, frame, client_frame(frame, 60, 99, 2, 1));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	/* To somebody known, who is not here. */
	client_write(c, frame, client_frame(frame, 60, 0xff, 1, 1));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	client_write(b, frame, client_frame(frame, 60, 1, 2, 1));
	CHECK(client_get(rc, got, sizeof(got), 1000));
	CHECK(!client_get(ra, got, sizeof(got), 30));
	client_drop_receiver(ra);
	client_drop_receiver(rc);
	client_drop(a);
	client_drop(b);
	client_drop(c);
}

static void
test_address_of_its_own_may_be_set(void)
{
	mach_port_t a = client_open(service.master, "many");
	mach_port_t b = client_open(service.master, "many");
	int first[2], second[2], to[2] = {0x02aabbcc, 0x01020000};
	mach_msg_type_number_t n = 2;

	CHECK_EQ(device_get_status(a, NET_ADDRESS, first, &n), KERN_SUCCESS);
	n = 2;
	CHECK_EQ(device_get_status(b, NET_ADDRESS, second, &n), KERN_SUCCESS);
	CHECK(first[0] != second[0] || first[1] != second[1]);
	CHECK_EQ(device_set_status(a, NET_ADDRESS, to, 2), KERN_SUCCESS);
	n = 2;
	CHECK_EQ(device_get_status(a, NET_ADDRESS, first, &n), KERN_SUCCESS);
	CHECK(first[0] == to[0] && first[1] == to[1]);
	/* A sibling's, a group's, that of zeroes. */
	CHECK_EQ(device_set_status(b, NET_ADDRESS, to, 2), D_INVALID_OPERATION);
	to[0] |= 0x01000000;
	CHECK_EQ(device_set_status(b, NET_ADDRESS, to, 2), D_INVALID_OPERATION);
	to[0] = to[1] = 0;
	CHECK_EQ(device_set_status(b, NET_ADDRESS, to, 2), D_INVALID_OPERATION);
	/* That of another vif, vif0. */
	to[0] = 0x02000000;
	to[1] = 0x00010000;
	CHECK_EQ(device_set_status(b, NET_ADDRESS, to, 2), D_INVALID_OPERATION);
	client_drop(a);
	client_drop(b);
}

static void
test_longest_frame_of_the_largest_mtu_passes(void)
{
	mach_port_t a = client_open(service.master, "jumbo");
	mach_port_t b = client_open(service.master, "jumbo");
	mach_port_t rb = client_receiver(16);
	size_t len = client_frame(frame, 14 + VNET_MACH_MTU_MAX, 0xff, 1, 1);

	client_listen(b, rb, 0, IN);
	client_write(a, frame, len);
	CHECK(client_get(rb, got, sizeof(got), 1000) == len);
	CHECK(!memcmp(got, frame, len));
	/* With a tag, which is no part of the MTU. */
	frame[12] = 0x81;
	client_frame(frame + 4, 0, 0, 0, 0);
	len = client_frame(frame, 18 + VNET_MACH_MTU_MAX, 0xff, 1, 1);
	frame[12] = 0x81;
	frame[13] = 0x00;
	frame[14] = 0;
	frame[15] = 5;
	frame[16] = 0x08;
	frame[17] = 0x00;
	client_write(a, frame, len);
	CHECK(client_get(rb, got, sizeof(got), 1000) == len);
	CHECK(!memcmp(got, frame, len));
	client_drop_receiver(rb);
	client_drop(a);
	client_drop(b);
}

static void
test_message_leaks_nothing(void)
{
	struct {
		struct net_rcv_msg msg;
		uint32_t trailer[8];
	} m;
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t rb = client_receiver(16);
	const uint8_t *p = (const uint8_t *)&m;

	memset(&m, 0xee, sizeof(m));
	client_listen(b, rb, 0, IN);
	client_write(a, frame, client_frame(frame, 61, 0xff, 1, 1));
	CHECK(!mach_msg(&m.msg.msg_hdr, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			sizeof(m), rb, 1000, MACH_PORT_NULL));
	CHECK(m.msg.msg_hdr.msgh_size == 100 + 48);
	CHECK(m.msg.msg_hdr.msgh_remote_port == MACH_PORT_NULL);
	CHECK(!(m.msg.msg_hdr.msgh_bits & MACH_MSGH_BITS_COMPLEX));
	for (int i = 14; i < NET_HDW_HDR_MAX; i++)
		CHECK(m.msg.header[i] == 0);
	CHECK(*(const uint16_t *)(const void *)m.msg.packet == 51);
	CHECK(p[98] == 0x08 && p[99] == 0x00);
	CHECK(p[100 + 47] == 0);
	client_drop_receiver(rb);
	client_drop(a);
	client_drop(b);
}

static void
test_filters_that_are_none_are_refused(void)
{
	static const filter_t none_in[] = {0};
	static const filter_t header_only[] = {0x401};
	static const filter_t not_whole[] = {0x401, 0, 0, 0, 6, 0};
	static const filter_t bad_opcode[] = {0x401, 0, 0, 0, 0xff, 0, 1, 0};
	static const filter_t no_ret[] = {0x401, 0, 0, 0, 0x28, 0, 12, 0};
	static const filter_t outside[] = {0x401, 0, 0, 0, 5, 0,
					   9,     0, 6, 0, 1, 0};
	static const filter_t pushlit_last[] = {1, 1};
	static const filter_t match_imm[] = {0x401, 0, 0, 0, 0x26, 0, 1, 0};
	static const filter_t unknown[] = {0x801, 1, 1};
	static const struct {
		const filter_t *words;
		uint32_t n;
	} bad[] = {
		{none_in, 0},   {none_in, 1},      {header_only, 1},
		{not_whole, 6}, {bad_opcode, 8},   {no_ret, 8},
		{outside, 12},  {pushlit_last, 2}, {match_imm, 8},
		{unknown, 3},
	};
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t ra = client_receiver(16);

	client_listen(a, ra, 0, IN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		set_filter(a, ra, bad[i].words, bad[i].n, D_INVALID_OPERATION);
	/* The one before is still there. */
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	client_drop_receiver(ra);
	client_drop(a);
	client_drop(b);
}

static void
test_receive_rights_that_are_none_are_refused(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	filter_t all[] = {0x401, 0, 0, 0, 6, 0, 0xffff, 0xffff};

	CHECK_EQ(device_set_filter(a, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND,
				   0, all, 8),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_set_filter(a, MACH_PORT_DEAD, MACH_MSG_TYPE_COPY_SEND,
				   0, all, 8),
		 D_INVALID_OPERATION);
	/* The server's own. */
	CHECK_EQ(device_set_filter(a, a, MACH_MSG_TYPE_COPY_SEND, 0, all, 8),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_set_filter(a, b, MACH_MSG_TYPE_COPY_SEND, 0, all, 8),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_set_filter(a, service.master, MACH_MSG_TYPE_COPY_SEND,
				   0, all, 8),
		 D_INVALID_OPERATION);
	client_drop(a);
	client_drop(b);
}

static void
test_same_right_takes_the_place_of_its_filter(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t ra = client_receiver(16);
	static const filter_t none[] = {0x401, 0, 0, 0, 6, 0, 0, 0};

	for (int i = 0; i < 70; i++)
		client_listen(a, ra, 0, IN);
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	CHECK(!client_get(ra, got, sizeof(got), 30));
	set_filter(a, ra, none, 8, KERN_SUCCESS);
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(!client_get(ra, got, sizeof(got), 30));
	/* OUT is another list. */
	client_listen(a, ra, 0, OUT);
	client_write(a, frame, client_frame(frame, 60, 0xff, 1, 1));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	client_listen(a, ra, 0, IN);
	client_write(a, frame, client_frame(frame, 60, 0xff, 1, 1));
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	CHECK(!client_get(ra, got, sizeof(got), 30));
	client_drop_receiver(ra);
	client_drop(a);
	client_drop(b);
}

static void
test_high_priority_ends_delivery_to_later_filters_of_one_client(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t sibling = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t first = client_receiver(16), last = client_receiver(16);
	mach_port_t rs = client_receiver(16);

	client_listen(a, last, 101, IN);
	client_listen(a, first, 100, IN);
	client_listen(sibling, rs, 200, IN);
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(client_get(first, got, sizeof(got), 1000));
	CHECK(client_get(rs, got, sizeof(got), 1000));
	CHECK(!client_get(last, got, sizeof(got), 30));
	client_listen(a, first, 99, IN);
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(client_get(first, got, sizeof(got), 1000));
	CHECK(client_get(last, got, sizeof(got), 1000));
	client_drop_receiver(first);
	client_drop_receiver(last);
	client_drop_receiver(rs);
	client_drop(a);
	client_drop(sibling);
	client_drop(b);
}

static void
test_client_that_does_not_drain_loses_its_own(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t slow = client_receiver(16), quick = client_receiver(16);
	int n = 0;

	client_listen(a, slow, 0, IN);
	client_listen(a, quick, 0, IN);
	for (int i = 0; i < 40; i++) {
		client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
		CHECK(client_get(quick, got, sizeof(got), 1000));
	}
	while (client_get(slow, got, sizeof(got), 10))
		n++;
	CHECK(n == 16);
	client_drop_receiver(slow);
	client_drop_receiver(quick);
	client_drop(a);
	client_drop(b);
}

static void
test_names_that_are_not_there_are_refused(void)
{
	char name[128] = "nosuch";
	mach_port_t device = MACH_PORT_NULL;

	CHECK_EQ(device_open(service.master, 3, name, &device),
		 D_NO_SUCH_DEVICE);
	memset(name, 'x', sizeof(name));
	CHECK_EQ(device_open(service.master, 3, name, &device),
		 D_NO_SUCH_DEVICE);
	name[0] = 0;
	CHECK_EQ(device_open(service.master, 3, name, &device),
		 D_NO_SUCH_DEVICE);
}

static void
test_opens_are_bounded(void)
{
	mach_port_t a = client_open(service.master, "few");
	mach_port_t b = client_open(service.master, "few"), c;
	char name[128] = "few";

	CHECK_EQ(device_open(service.master, 0, name, &c), D_NO_MEMORY);
	client_drop(a);
	for (int i = 0; i < 100; i++) {
		if (!device_open(service.master, 0, name, &c))
			break;
		bare_sleep_ms(10);
	}
	client_drop(b);
	client_drop(c);
}

static void
test_reads_get_frames_in_order(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_msg_type_number_t n;
	io_buf_ptr_t data;
	io_buf_ptr_inband_t inband;

	/* The first one opens the queue. */
	CHECK_EQ(device_read(a, D_NOWAIT, 0, 2000, &data, &n), D_WOULD_BLOCK);
	for (uint8_t i = 0; i < 4; i++)
		client_write(b, frame,
			     client_frame(frame, 100, i < 3 ? 0xff : 77, 2, i));
	for (uint8_t i = 0; i < 2; i++) {
		CHECK_EQ(device_read(a, 0, 0, 2000, &data, &n), KERN_SUCCESS);
		CHECK(n == 100 && (uint8_t)data[14] == i + 14);
		CHECK(!vm_deallocate(mach_task_self(), (vm_address_t)data, n));
	}
	n = sizeof(inband);
	CHECK_EQ(device_read_inband(a, 0, 0, 50, inband, &n), KERN_SUCCESS);
	CHECK(n == 50 && (uint8_t)inband[14] == 2 + 14);
	CHECK_EQ(device_read(a, D_NOWAIT, 0, 2000, &data, &n), D_WOULD_BLOCK);
	client_drop(a);
	client_drop(b);
}

#define RUN(test)                                                   \
	do {                                                        \
		bare_printf("%s\n", #test);                         \
		test_##test();                                      \
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
	service_start(&service);
	/* Whatever is made at first use is there. */
	client_drop(client_open(service.master, "vif0"));
	test_write_is_answered_with_its_count_whatever_it_is();
	names = service_settle(&service);
	mine = guest_count_names(mach_task_self());

	RUN(two_pfinets_by_path_talk);
	RUN(two_pfinets_by_name_talk);
	RUN(pfinet_does_not_hear_what_its_filter_refuses);
	RUN(capture_sees_both_directions_once);
	RUN(write_is_answered_with_its_count_whatever_it_is);
	RUN(write_inband_arrives);
	RUN(status_refuses_what_the_kernel_refuses);
	RUN(map_and_interrupts_are_refused);
	RUN(flags_are_the_clients_own);
	RUN(client_that_is_not_up_hears_nothing_and_may_write);
	RUN(promiscuous_client_hears_what_is_flooded);
	RUN(address_of_its_own_may_be_set);
	RUN(longest_frame_of_the_largest_mtu_passes);
	RUN(message_leaks_nothing);
	RUN(filters_that_are_none_are_refused);
	RUN(receive_rights_that_are_none_are_refused);
	RUN(same_right_takes_the_place_of_its_filter);
	RUN(high_priority_ends_delivery_to_later_filters_of_one_client);
	RUN(client_that_does_not_drain_loses_its_own);
	RUN(names_that_are_not_there_are_refused);
	RUN(opens_are_bounded);
	RUN(reads_get_frames_in_order);
	guest_pass();
}
