/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile principal: a task that holds its own right and tries everything with
 * it. Nothing gets out of it but what was granted, and nothing in.
 *
 *	eve ---- vif eve (one address) ---- root ---- vif bob ---- this task
 *	                                     | | `--- vif ann
 *	                                     | `----- eth0, the kernel's
 */
#include <string.h>

#include <device/device.h>
#include <device/net_status.h>
#include <mach/mig_errors.h>

#include "guest/controller.h"
#include "guest/guest.h"
#include "guest/host_packet.h"
#include "guest/if_flags.h"
#include "guest/netdev.h"
#include "guest/parent.h"

/* As the arguments of the test have them. */
static const uint8_t eve_mac[6] = {2, 0, 0, 0, 0x0e, 1};
static const uint8_t bob_mac[6] = {2, 0, 0, 0, 0x0b, 1};
static const uint8_t all_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t eve4[4] = {10, 0, 0, 1}, bob4[4] = {10, 0, 0, 2};
static const uint8_t eve6[16] = {0xfd, [15] = 1}, bob6[16] = {0xfd, [15] = 2};

/* How many addresses she floods the switch with. */
#define ADDRESSES 40

/*
 * Frames
 */

static uint8_t frame[HOST_FRAME_MAX];

static size_t
ethernet(const uint8_t *dst, const uint8_t *src, uint16_t type)
{
	memset(frame, 0, sizeof(frame));
	memcpy(frame, dst, 6);
	memcpy(frame + 6, src, 6);
	put16(frame + 12, type);
	return 60;
}

static size_t
arp(const uint8_t *dst, uint16_t op, const uint8_t *mac, const uint8_t *ip)
{
	ethernet(dst, eve_mac, ETHERTYPE_ARP);
	put32(frame + 14, 0x00010800);
	put16(frame + 18, 0x0604);
	put16(frame + 20, op);
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 28, ip, 4);
	memcpy(frame + 38, bob4, 4);
	return 60;
}

static size_t
ip4(const uint8_t *dst, const uint8_t *src, uint8_t protocol)
{
	ethernet(dst, eve_mac, ETHERTYPE_IP4);
	frame[14] = 0x45;
	put16(frame + 16, 46);
	frame[22] = 64;
	frame[23] = protocol;
	memcpy(frame + 26, src, 4);
	memcpy(frame + 30, bob4, 4);
	return 60;
}

static size_t
udp4(const uint8_t *dst, uint16_t from, uint16_t to)
{
	ip4(dst, eve4, 17);
	put16(frame + 34, from);
	put16(frame + 36, to);
	put16(frame + 38, 26);
	return 60;
}

static size_t
ip6(const uint8_t *src, uint8_t next)
{
	ethernet(bob_mac, eve_mac, ETHERTYPE_IP6);
	frame[14] = 0x60;
	put16(frame + 18, 32);
	frame[20] = next;
	frame[21] = 255;
	memcpy(frame + 22, src, 16);
	memcpy(frame + 38, bob6, 16);
	return 86;
}

/* A message of neighbour discovery about @target, and an option of that type with
 * a link-layer address. */
static size_t
nd(uint8_t type, const uint8_t *target, uint8_t option, const uint8_t *mac)
{
	ip6(eve6, 58);
	frame[54] = type;
	memcpy(frame + 62, target, 16);
	frame[78] = option;
	frame[79] = 1;
	memcpy(frame + 80, mac, 6);
	return 86;
}

static size_t
tagged(uint16_t outer, uint16_t inner)
{
	ip4(bob_mac, eve4, 17);
	memmove(frame + 18, frame + 12, 46);
	put16(frame + 12, 0x8100);
	put16(frame + 14, outer);
	if (!inner)
		return 64;
	memmove(frame + 22, frame + 18, 46);
	put16(frame + 16, 0x8100);
	put16(frame + 18, inner);
	return 68;
}

static size_t
cut(size_t len)
{
	ip4(bob_mac, eve4, 17);
	return len;
}

enum lie {
	MAC_OF_BOB,
	MACS_AT_RANDOM,
	IP4_OF_BOB,
	IP4_OF_NOBODY,
	ARP_REPLY_OF_BOB,
	ARP_GRATUITOUS,
	ARP_MAC_OF_BOB,
	IP6_OF_BOB,
	NA_OF_BOB,
	NS_MAC_OF_BOB,
	ROUTER,
	REDIRECT,
	DHCP_SERVER,
	TAG,
	TWO_TAGS,
	TYPE,
	LLC,
	BROADCAST,
	GROUP,
	TUNNEL,
	VRRP,
	CUT,
	DESTINATION_OPTIONS,
	NLIES
};

/* What each is refused as. */
static const char *const refused_as[NLIES] = {
	[MAC_OF_BOB] = "macs",
	[MACS_AT_RANDOM] = "macs",
	[IP4_OF_BOB] = "ipv4",
	[IP4_OF_NOBODY] = "ipv4",
	[ARP_REPLY_OF_BOB] = "arp",
	[ARP_GRATUITOUS] = "arp",
	[ARP_MAC_OF_BOB] = "arp",
	[IP6_OF_BOB] = "ipv6",
	[NA_OF_BOB] = "nd",
	[NS_MAC_OF_BOB] = "nd",
	[ROUTER] = "route",
	[REDIRECT] = "route",
	[DHCP_SERVER] = "dhcp",
	[TAG] = "vlans",
	[TWO_TAGS] = "vlans",
	[TYPE] = "ethertypes",
	[LLC] = "llc",
	[BROADCAST] = "broadcast",
	[GROUP] = "groups",
	[TUNNEL] = "tunnel",
	[VRRP] = "vrrp",
	[CUT] = "undecided",
	[DESTINATION_OPTIONS] = "undecided",
};

static size_t
make_lie(enum lie lie, uint8_t i)
{
	static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 0xfb};
	static const uint8_t nobody[4] = {192, 168, 1, 1};
	const uint8_t random[6] = {2, 0xee, i, 7, 7, i};

	switch (lie) {
	case MAC_OF_BOB:
		ip4(bob_mac, eve4, 17);
		memcpy(frame + 6, bob_mac, 6);
		return 60;
	case MACS_AT_RANDOM:
		ip4(bob_mac, eve4, 17);
		memcpy(frame + 6, random, 6);
		return 60;
	case IP4_OF_BOB:
		return ip4(bob_mac, bob4, 17);
	case IP4_OF_NOBODY:
		return ip4(bob_mac, nobody, 6);
	case ARP_REPLY_OF_BOB:
		return arp(bob_mac, 2, eve_mac, bob4);
	case ARP_GRATUITOUS:
		return arp(all_mac, 1, eve_mac, bob4);
	case ARP_MAC_OF_BOB:
		return arp(bob_mac, 2, bob_mac, eve4);
	case IP6_OF_BOB:
		return ip6(bob6, 17);
	case NA_OF_BOB:
		return nd(136, bob6, 2, eve_mac);
	case NS_MAC_OF_BOB:
		return nd(135, bob6, 1, bob_mac);
	case ROUTER:
		return nd(134, bob6, 1, eve_mac);
	case REDIRECT:
		return nd(137, bob6, 2, eve_mac);
	case DHCP_SERVER:
		return udp4(bob_mac, 67, 68);
	case TAG:
		return tagged(5, 0);
	case TWO_TAGS:
		return tagged(0x2000, 5);
	case TYPE:
		return ethernet(bob_mac, eve_mac, 0x88b5);
	case LLC:
		return ethernet(bob_mac, eve_mac, 46);
	case BROADCAST:
		return udp4(all_mac, 1000, 1000);
	case GROUP:
		return udp4(group, 5353, 5353);
	case TUNNEL:
		return ip4(bob_mac, eve4, 41);
	case VRRP:
		return ip4(bob_mac, eve4, 112);
	case CUT:
		return cut(20);
	default:
		return ip6(eve6, 60);
	}
}

static uint32_t
times(enum lie lie)
{
	return lie == MACS_AT_RANDOM ? ADDRESSES : 1;
}

/* What she may send, with @tag in it. */
static size_t
make_truth(uint8_t tag)
{
	size_t len = tag & 1 ? ip6(eve6, 17) : ip4(bob_mac, eve4, 17);

	frame[len - 1] = tag;
	return len;
}

#define TRUTHS 5

/*
 * Eve
 */

static mach_port_t master;

static kern_return_t
open_device(const char *name, mach_port_t *device)
{
	dev_name_t padded = "";

	memcpy(padded, name, strlen(name));
	return device_open(master, D_READ | D_WRITE, padded, device);
}

/* What there is, to others: at the kernel, and on this switch. */
static void
test_nothing_else_is_opened(void)
{
	static const char *const names[] = {
		"eth0",    "hd0",     "wd0",  "rd0",     "time", "mem",
		"kmsg",    "console", "irq",  "com0",    "kbd",  "mouse",
		"control", "ann",     "bob",  "uplink0", "",     "eve2",
		"ev",      "./eve",   "/eve", "root",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		mach_port_t device = MACH_PORT_NULL;

		CHECK_EQ(open_device(names[i], &device), D_NO_SUCH_DEVICE);
	}
}

union reply {
	mig_reply_header_t reply;
	char room[2048];
};

/* A message with that id and @len octets of words behind the header; its answer
 * brings nothing. */
static void
forge(mach_port_t to, mach_msg_id_t id, const mach_port_t *words, size_t n)
{
	struct {
		mach_msg_header_t header;
		uint32_t words[8];
	} m = {
		.header =
			{
				.msgh_bits = MACH_MSGH_BITS(
					MACH_MSG_TYPE_COPY_SEND,
					MACH_MSG_TYPE_MAKE_SEND_ONCE),
				.msgh_remote_port = to,
				.msgh_local_port = mach_reply_port(),
				.msgh_id = id,
			},
	};
	const mach_port_t reply = m.header.msgh_local_port;
	mach_msg_return_t mr;
	union reply r;

	memcpy(m.words, words, n * sizeof(*words));
	CHECK_OK(mach_msg(
		&m.header, MACH_SEND_MSG,
		(mach_msg_size_t)(sizeof(m.header) + n * sizeof(*words)), 0,
		MACH_PORT_NULL, 0, MACH_PORT_NULL));
	mr = mach_msg(&r.reply.Head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
		      sizeof(r), reply, 100, MACH_PORT_NULL);
	if (!mr) {
		CHECK(!(r.reply.Head.msgh_bits & MACH_MSGH_BITS_COMPLEX));
		if (r.reply.Head.msgh_id == id + 100)
			CHECK(r.reply.RetCode != KERN_SUCCESS);
	}
	mach_port_mod_refs(mach_task_self(), reply, MACH_PORT_RIGHT_RECEIVE,
			   -1);
}

/* Of the boot chain, of the device master, of those who hand masters over, of the
 * kernel to their receivers, and frames. */
static void
test_forged_messages_bring_nothing(mach_port_t device)
{
	static const mach_msg_id_t ids[] = {
		22000, 22006, 22007, 24004, 3800, 3805, 2810,
		2812,  2813,  2814,  2802,  2804, 2806, 2809,
		76000, 76001, 76100, 2999,  65,   66,   69,
		70,    71,    72,    100,   2400, 0,    -1,
	};
	static const uint32_t words[8] = {0x10012002, 0, 0x10012002, 1};
	const mach_port_t to[] = {master, device};

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
			for (size_t n = 0; n <= 8; n += 2)
				forge(to[k], ids[i], words, n);
}

static void
send(struct netdev *dev, size_t len)
{
	static uint32_t n;

	CHECK_OK(netdev_write(dev, frame, len));
	/* No more than a facet keeps. */
	if (++n % 4 == 0)
		bare_sleep_ms(20);
}

static void
send_all(struct netdev *dev)
{
	for (uint8_t i = 0; i < TRUTHS; i++) {
		for (unsigned int k = 0; k < NLIES; k++)
			for (uint8_t t = 0; t < times((enum lie)k); t++)
				send(dev, make_lie((enum lie)k, t));
		send(dev, make_truth(i));
	}
}

/* She asks for all there is, and gets what is for her. */
static void
receive_all(struct netdev *dev)
{
	uint8_t in[HOST_FRAME_MAX];
	long len;

	do {
		len = netdev_read(dev, in, 5000);
		CHECK(len >= 60);
		CHECK(memcmp(in, eve_mac, 6) == 0);
		CHECK_EQ(get16(in + 12), ETHERTYPE_IP4);
	} while (in[59] != 0xff);
}

static _Noreturn void
eve(mach_port_t right)
{
	struct netdev dev, second;

	master = right;
	mach_port_deallocate(mach_task_self(), guest_lookup("go"));
	test_nothing_else_is_opened();
	CHECK_OK(netdev_open(&dev, master, "eve", true,
			     PFINET_FLAGS | IFF_PROMISC));
	CHECK(memcmp(dev.mac, eve_mac, 6) == 0);
	CHECK_EQ(netdev_open(&second, master, "eve", true, PFINET_FLAGS),
		 D_NO_MEMORY);
	test_forged_messages_bring_nothing(dev.device);
	send_all(&dev);
	guest_publish("sent", mach_task_self());
	receive_all(&dev);
	netdev_close(&dev);
	/* What was forged has not ended her own, either. */
	CHECK_OK(netdev_open(&dev, master, "eve", false, PFINET_FLAGS));
	netdev_close(&dev);
	guest_publish("done", mach_task_self());
	for (;;)
		bare_sleep_ms(1000);
}

/*
 * Those whom she is after
 */

static void
expect_truths(struct netdev *bob)
{
	uint8_t in[HOST_FRAME_MAX];

	for (uint8_t i = 0; i < TRUTHS; i++) {
		const size_t expected = make_truth(i);
		const long len = netdev_read(bob, in, 5000);

		CHECK_EQ(len, expected);
		CHECK(memcmp(in, frame, expected) == 0);
	}
	CHECK_EQ(netdev_read(bob, in, 500), -1);
}

static void
check_counts(mach_port_t control)
{
	const char *shown = controller_ask(
		control, "{\"do\":\"grant show\",\"name\":\"eve\"}");
	char key[32];

	for (unsigned int i = 0; i < NLIES; i++) {
		uint32_t n = 0;

		for (unsigned int k = 0; k < NLIES; k++)
			if (!strcmp(refused_as[i], refused_as[k]))
				n += TRUTHS * times((enum lie)k);
		bare_snprintf(key, sizeof(key),
			      "\"%s\":{\"frames\":", refused_as[i]);
		if (controller_number(shown, "\"in\":", key) != n)
			guest_fail("%s %s: not %u", refused_as[i], shown, n);
	}
}

/* To her, to others, to nobody, and to all; of these the first and those that she
 * was granted. */
static void
send_to_eve(struct netdev *bob)
{
	static const uint8_t nobody[6] = {2, 0, 0, 0, 9, 9};
	static const uint8_t ann[6] = {2, 0, 0, 0, 0x0a, 1};
	static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 0xfb};
	const uint8_t *const to[] = {eve_mac, nobody, ann, group, eve_mac};

	for (size_t i = 0; i < 5; i++) {
		ip4(to[i], bob4, 17);
		memcpy(frame + 6, bob_mac, 6);
		frame[59] = i == 4 ? 0xff : (uint8_t)i;
		CHECK_OK(netdev_write(bob, frame, 60));
	}
	/* Of a type that is not hers. */
	ethernet(eve_mac, bob_mac, 0x88b5);
	CHECK_OK(netdev_write(bob, frame, 60));
}

static void
check_neighbours(struct netdev *bob, struct netdev *ann)
{
	uint8_t in[HOST_FRAME_MAX];

	/* What was sent to nobody, and to groups. */
	while (netdev_read(ann, in, 100) >= 0)
		;
	ethernet(ann->mac, bob_mac, 0x88b5);
	CHECK_OK(netdev_write(bob, frame, 60));
	CHECK_EQ(netdev_read(ann, in, 1000), 60);
	CHECK(memcmp(in, frame, 60) == 0);
}

static _Noreturn void
watch(void)
{
	mach_port_t task = guest_lookup("task:root"), control;
	struct netdev bob, ann;
	uint32_t names;

	master = parent_start("root");
	CHECK(master != MACH_PORT_NULL);
	CHECK_OK(open_device("control", &control));
	CHECK_OK(netdev_open(&bob, master, "bob", true,
			     PFINET_FLAGS | IFF_PROMISC));
	CHECK_OK(netdev_open(&ann, master, "ann", true, PFINET_FLAGS));
	check_neighbours(&bob, &ann);
	names = guest_settled_names(task);
	guest_publish("go", mach_task_self());
	expect_truths(&bob);
	mach_port_deallocate(mach_task_self(), guest_lookup("sent"));
	check_counts(control);
	/* None of the addresses that she has made up. */
	CHECK(!controller_number(controller_ask(control, "{\"do\":\"show\"}"),
				 "", "\"fdb_entries\":1"));
	send_to_eve(&bob);
	check_neighbours(&bob, &ann);
	mach_port_deallocate(mach_task_self(), guest_lookup("done"));
	CHECK_EQ(guest_settled_names(task), names);
	guest_pass();
}

int
main(int argc, char **argv)
{
	(void)argc;
	if (bare_arg_is_set(argv, "eve"))
		eve(bare_arg_number(argv, "right", MACH_PORT_NULL));
	watch();
}
