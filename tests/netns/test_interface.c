/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every driver does, done by those of interfaces: a TAP, and an uplink
 * that is one end of a veth. The far end of the medium is a packet socket, on
 * the interface of the TAP or on the other end of the veth.
 *
 * Usage: test_interface tap|uplink, in run.sh.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include <vnet/tap.h>
#include <vnet/uplink.h>

#include "conformance.h"
#include "virtio.h"

static bool is_tap;

struct interface {
	struct vnet_media *media;
	struct vnet_medium *m;
	int far;
};

static void
set_option(int fd, int option)
{
	int on = 1;

	assert_int_equal(setsockopt(fd, SOL_PACKET, option, &on, sizeof(on)),
			 0);
}

static int
open_far(const char *name)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int buffer = 8 << 20;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0 && address.sll_ifindex > 0);
	set_option(fd, PACKET_VNET_HDR);
	set_option(fd, PACKET_AUXDATA);
	set_option(fd, PACKET_IGNORE_OUTGOING);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address,
			      sizeof(address)),
			 0);
	return fd;
}

static struct vnet_medium *
open_medium(struct vnet_media *media)
{
	const struct vnet_tap_config tap = {
		.size = sizeof(tap),
		.up = true,
	};
	const struct vnet_uplink_config uplink = {
		.size = sizeof(uplink),
		.name = "near",
	};
	struct vnet_why why = {0};
	struct vnet_medium *m;
	int r = is_tap ? vnet_tap_open(&m, media, &tap, &why)
		       : vnet_uplink_open(&m, media, &uplink, &why);

	if (r) {
		print_error("%s\n", why.text);
		fail();
	}
	return m;
}

static void
close_all(struct interface *i)
{
	vnet_medium_close(i->m);
	vnet_media_destroy(i->media);
	if (i->far >= 0)
		close(i->far);
}

static int
open_interface(void *ctx, struct vnet_switch *sw, vnet_port_id port,
	       vnet_client_id *id)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	struct interface *i = ctx;
	int r;

	i->far = -1;
	assert_int_equal(vnet_media_create(&i->media), 0);
	i->m = open_medium(i->media);
	r = vnet_medium_attach(i->m, sw, port, 0, 0, NULL);
	if (r) {
		close_all(i);
		return r;
	}
	assert_int_equal(vnet_medium_get(i->m, &info), 0);
	i->far = open_far(is_tap ? info.name : "far");
	*id = vnet_medium_client(i->m);
	return 0;
}

static bool
now_gone(void *ctx)
{
	struct interface *i = ctx;
	bool is_detached = vnet_medium_client(i->m) == VNET_NO_ID &&
			   !vnet_medium_wants(i->m);

	close_all(i);
	return is_detached;
}

/* Put back the tag that the kernel took off. */
static void
put_tag(const struct msghdr *message, uint8_t *octets, struct vnet_frame *f)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct tpacket_auxdata aux;

	assert_non_null(c);
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return;
	memmove(octets + 16, octets + 12, f->len - 12);
	octets[12] = (uint8_t)(aux.tp_vlan_tpid >> 8);
	octets[13] = (uint8_t)aux.tp_vlan_tpid;
	octets[14] = (uint8_t)(aux.tp_vlan_tci >> 8);
	octets[15] = (uint8_t)aux.tp_vlan_tci;
	f->len += 4;
	if (f->flags & VNET_FRAME_CSUM_PARTIAL)
		f->csum_start = (uint16_t)(f->csum_start + 4);
	if (f->gso_type != VNET_GSO_NONE)
		f->hdr_len = (uint16_t)(f->hdr_len + 4);
}

static void
read_far(void *ctx, conformance_fn fn, void *fn_ctx)
{
	static uint8_t octets[70000];
	struct interface *i = ctx;
	struct virtio_net_hdr hdr;
	union {
		struct cmsghdr header;
		uint8_t octets[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec iov[2] = {
		{.iov_base = &hdr, .iov_len = sizeof(hdr)},
		{.iov_base = octets, .iov_len = sizeof(octets) - 4},
	};

	for (;;) {
		struct vnet_frame f = {.data = octets, .nsegs = 1};
		struct msghdr message = {
			.msg_iov = iov,
			.msg_iovlen = 2,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(i->far, &message, 0);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			return;
		}
		assert_false(message.msg_flags & MSG_TRUNC);
		f.len = (uint32_t)((size_t)n - sizeof(hdr));
		assert_true(vnet_virtio_read(&hdr, &f));
		put_tag(&message, octets, &f);
		/* What the driver has no way to say, the kernel finds out. */
		if (f.gso_type != VNET_GSO_NONE && f.gso_size)
			f.nsegs = (uint16_t)((f.len - f.hdr_len + f.gso_size -
					      1) /
					     f.gso_size);
		fn(fn_ctx, &f);
	}
}

static void
inject(void *ctx, const struct vnet_frame *f)
{
	struct interface *i = ctx;
	struct virtio_net_hdr hdr;
	const struct iovec iov[2] = {
		{.iov_base = &hdr, .iov_len = sizeof(hdr)},
		{.iov_base = (void *)f->data, .iov_len = f->len},
	};

	vnet_virtio_write(f, &hdr);
	assert_int_equal(writev(i->far, iov, 2), sizeof(hdr) + f->len);
	assert_int_equal(vnet_medium_ready(i->m, true, false, 0), 1);
}

/* Beyond the contract */

/* Interfaces that change at once, and how many of them a call looks at. */
#define CROWD     40
#define LOOKS_MAX 8

struct net {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct fake peer;
	vnet_port_id port;
	vnet_client_id id;
	struct interface i;
};

static int
set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	net->sw = test_switch(&net->alloc, 4 + CROWD);
	assert_int_equal(
		fake_open(&net->peer, net->sw, "peer", VNET_ROLE_VIF, 0), 0);
	net->port = test_port(net->sw, "port");
	assert_int_equal(open_interface(&net->i, net->sw, net->port, &net->id),
			 0);
	*state = net;
	return 0;
}

static int
tear_down(void **state)
{
	struct net *net = *state;

	close_all(&net->i);
	test_switch_end(net->sw, &net->alloc);
	free(net);
	return 0;
}

/* Of the interface that the medium is. */
static void
set_interface(const struct vnet_medium *m, bool up)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	struct ifreq ifr = {.ifr_flags = (short)(up ? IFF_UP : 0)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(vnet_medium_get(m, &info), 0);
	memcpy(ifr.ifr_name, info.name, sizeof(ifr.ifr_name));
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
}

static uint64_t
refused(const struct net *net)
{
	struct vnet_count out;

	assert_int_equal(vnet_client_drops(net->sw, net->id, VNET_DROP_REFUSED,
					   NULL, &out),
			 0);
	return out.frames;
}

/* The kernel may say later than it is done that a carrier was found. */
static void
wait_for_link(const struct net *net, bool up)
{
	struct pollfd fd = {
		.fd = vnet_media_fd(net->i.media),
		.events = POLLIN,
	};

	for (int i = 0; i < 100 && test_has_link(net->sw, net->port) != up;
	     i++) {
		poll(&fd, 1, 50);
		vnet_media_ready(net->i.media);
	}
	assert_true(test_has_link(net->sw, net->port) == up);
}

static void
test_interface_that_is_down_refuses(void **state)
{
	struct net *net = *state;

	set_interface(net->i.m, false);
	for (int i = 0; i < 10; i++)
		test_send(&net->peer, TEST_BROADCAST, 1, 0);
	assert_int_equal(refused(net), 10);
	assert_int_equal(vnet_medium_ready(net->i.m, true, true, 0), 0);
	assert_true(test_has_link(net->sw, net->port));
	assert_int_equal(vnet_medium_error(net->i.m), 0);

	set_interface(net->i.m, true);
	test_send(&net->peer, TEST_BROADCAST, 1, 0);
	assert_int_equal(refused(net), 10);
}

static void
test_link_follows_the_interface(void **state)
{
	struct net *net = *state;

	wait_for_link(net, true);
	for (int i = 0; i < 3; i++) {
		set_interface(net->i.m, false);
		wait_for_link(net, false);
		set_interface(net->i.m, true);
		wait_for_link(net, true);
	}
}

static void
test_interface_that_is_down_takes_the_link_down_at_once(void **state)
{
	struct net *net = *state;

	set_interface(net->i.m, false);
	wait_for_link(net, false);
	assert_int_equal(vnet_client_remove(net->sw, net->id), 0);
	assert_int_equal(vnet_port_set_link(net->sw, net->port, true), 0);
	while (vnet_switch_deadline(net->sw) == 0)
		vnet_switch_tick(net->sw, 0);
	assert_int_equal(vnet_medium_attach(net->i.m, net->sw, net->port, 0, 0,
					    NULL),
			 0);
	assert_false(test_has_link(net->sw, net->port));
	set_interface(net->i.m, true);
	wait_for_link(net, true);
}

/* What is to be looked at when netlink has lost messages, or one is about many:
 * all of them, but not in one call. */
struct crowd {
	struct net *net;
	struct vnet_medium *m[CROWD];
	vnet_port_id port[CROWD];
};

static void
open_crowd(struct crowd *c)
{
	char name[VNET_PORT_NAME_SIZE];

	for (int i = 0; i < CROWD; i++) {
		snprintf(name, sizeof(name), "member%d", i);
		c->m[i] = open_medium(c->net->i.media);
		c->port[i] = test_port(c->net->sw, name);
		assert_int_equal(vnet_medium_attach(c->m[i], c->net->sw,
						    c->port[i], 0, 0, NULL),
				 0);
	}
}

static int
links(const struct crowd *c)
{
	int n = 0;

	for (int i = 0; i < CROWD; i++)
		n += test_has_link(c->net->sw, c->port[i]);
	return n;
}

static bool
is_due(const struct net *net)
{
	struct pollfd fd = {
		.fd = vnet_media_fd(net->i.media),
		.events = POLLIN,
	};

	return poll(&fd, 1, 0) == 1;
}

static void
set_crowd(const struct crowd *c, bool up)
{
	for (int i = 0; i < CROWD; i++)
		set_interface(c->m[i], up);
}

/* Returns in how many calls the links have followed. */
static int
hear_crowd(const struct crowd *c)
{
	int calls = 0;

	for (int n = links(c); is_due(c->net); calls++) {
		int before = n;

		vnet_media_ready(c->net->i.media);
		n = links(c);
		assert_in_range(abs(n - before), 0, LOOKS_MAX);
	}
	return calls;
}

static void
test_a_call_looks_at_a_few_interfaces(void **state)
{
	struct crowd c = {.net = *state};

	open_crowd(&c);
	for (int i = 0; i < 20; i++) {
		set_crowd(&c, i % 2);
		set_crowd(&c, !(i % 2));
	}
	set_crowd(&c, false);
	assert_in_range(hear_crowd(&c), CROWD / LOOKS_MAX, 1000);
	assert_int_equal(links(&c), 0);
	set_crowd(&c, true);
	hear_crowd(&c);
	assert_int_equal(links(&c), CROWD);

	/* One that waits in line may be closed. */
	set_crowd(&c, false);
	vnet_media_ready(c.net->i.media);
	for (int i = 0; i < CROWD; i++)
		vnet_medium_close(c.m[i]);
	hear_crowd(&c);
}

static void
test_wishes_are_told_once(void **state)
{
	struct net *net = *state;

	assert_ptr_equal(vnet_media_next_changed(net->i.media), net->i.m);
	assert_null(vnet_media_next_changed(net->i.media));
	assert_int_equal(vnet_medium_wants(net->i.m), VNET_MEDIUM_READ);
	assert_int_equal(vnet_client_remove(net->sw, net->id), 0);
	assert_ptr_equal(vnet_media_next_changed(net->i.media), net->i.m);
	assert_int_equal(vnet_medium_wants(net->i.m), 0);
	assert_int_equal(vnet_medium_ready(net->i.m, true, true, 0), 0);
}

/* Of an uplink alone */

/* Frames that come in, of those to its own address, to that of somebody else,
 * and to all. */
static int
count_in(const struct net *net, struct vnet_medium *m)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	const struct virtio_net_hdr hdr = {0};
	unsigned long before = net->peer.nsent;

	assert_int_equal(vnet_medium_get(m, &info), 0);
	for (int i = 0; i < 3; i++) {
		struct vnet_frame f = test_frame(TEST_BROADCAST, 9, 0);
		uint8_t octets[sizeof(hdr) + 60];

		memcpy(octets, &hdr, sizeof(hdr));
		memcpy(octets + sizeof(hdr), f.data, f.len);
		if (i < 2)
			memcpy(octets + sizeof(hdr), info.mac.octet, 6);
		octets[sizeof(hdr) + 5] ^= (uint8_t)(i == 1);
		assert_int_equal(write(net->i.far, octets, sizeof(octets)),
				 sizeof(octets));
	}
	assert_true(vnet_medium_ready(m, true, false, 0) >= 0);
	return (int)(net->peer.nsent - before);
}

static void
test_own_only_does_not_hear_what_is_for_others(void **state)
{
	const struct vnet_uplink_config config = {
		.size = sizeof(config),
		.name = "near",
		.own_only = true,
	};
	struct net *net = *state;
	struct vnet_medium *m;

	set_interface(net->i.m, true);
	wait_for_link(net, true);
	assert_int_equal(count_in(net, net->i.m), 3);
	/* Which has made it promiscuous, and stays. */
	vnet_medium_detach(net->i.m);
	while (vnet_switch_deadline(net->sw) == 0)
		vnet_switch_tick(net->sw, 0);
	assert_int_equal(vnet_uplink_open(&m, net->i.media, &config, NULL), 0);
	assert_int_equal(vnet_medium_attach(m, net->sw, net->port, 0, 0, NULL),
			 0);
	assert_int_equal(count_in(net, m), 2);
	vnet_medium_close(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	struct conformance interface = {
		.size = sizeof(struct interface),
		.open = open_interface,
		.now_gone = now_gone,
		.read = read_far,
		.inject = inject,
	};
	const struct CMUnitTest tests[] = {
		TEST(test_interface_that_is_down_refuses),
		TEST(test_link_follows_the_interface),
		TEST(test_interface_that_is_down_takes_the_link_down_at_once),
		TEST(test_a_call_looks_at_a_few_interfaces),
		TEST(test_wishes_are_told_once),
	};
	const struct CMUnitTest uplink_tests[] = {
		TEST(test_own_only_does_not_hear_what_is_for_others),
	};
	struct vnet_media *media;
	struct vnet_medium *m;
	int failed;

	if (argc != 2)
		return 2;
	is_tap = !strcmp(argv[1], "tap");
	interface.name = argv[1];
	/* What a TAP carries is for the kernel to say. */
	if (vnet_media_create(&media))
		return 1;
	m = open_medium(media);
	if (vnet_medium_get(m, &info))
		return 1;
	interface.carries = info.carries;
	vnet_medium_close(m);
	vnet_media_destroy(media);
	failed = conformance_run(&interface);
	failed += cmocka_run_group_tests(tests, NULL, NULL);
	if (!is_tap)
		failed += cmocka_run_group_tests(uplink_tests, NULL, NULL);
	return failed;
}
