/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a TAP can be beyond a driver: changed while it is open, adopted from
 * somebody who has opened it, opened again by its owner. In run.sh; "other" is
 * another network namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>

#include <vnet/stream.h>
#include <vnet/tap.h>

#include "support.h"
#include "virtio.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct net {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct fake peer;
	vnet_port_id port;
	struct vnet_media *media;
};

static int
set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	net->sw = test_switch(&net->alloc, 4);
	assert_int_equal(
		fake_open(&net->peer, net->sw, "peer", VNET_ROLE_VIF, 0), 0);
	net->port = test_port(net->sw, "port");
	assert_int_equal(vnet_media_create(&net->media), 0);
	*state = net;
	return 0;
}

static int
tear_down(void **state)
{
	struct net *net = *state;

	vnet_media_destroy(net->media);
	test_switch_end(net->sw, &net->alloc);
	free(net);
	return 0;
}

static void
shell(const char *format, const char *name)
{
	char command[200];

	snprintf(command, sizeof(command), format, name);
	/* Of the test's own making. */
	assert_int_equal(system(command), 0);
}

/* By default, what @config leaves out is not there. */
static struct vnet_medium *
open_tap(struct vnet_media *media, const struct vnet_tap_config *config)
{
	struct vnet_tap_config c = *config;
	struct vnet_why why = {0};
	struct vnet_medium *m = NULL;
	int r;

	c.size = sizeof(c);
	r = vnet_tap_open(&m, media, &c, &why);
	if (r)
		fail_msg("%s: %s", why.text, strerror(-r));
	return m;
}

static void
attach(struct net *net, struct vnet_medium *m)
{
	assert_int_equal(vnet_medium_attach(m, net->sw, net->port, 0, 0, NULL),
			 0);
}

static struct vnet_medium_info
get(const struct vnet_medium *m)
{
	struct vnet_medium_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_medium_get(m, &info), 0);
	return info;
}

static void
hear(const struct net *net)
{
	for (int i = 0; i < 20; i++)
		vnet_media_ready(net->media);
}

/* Frames that reach the interface of @m, and that it sends, cross the switch. */
static void
assert_works(struct net *net, struct vnet_medium *m)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(get(m).name),
	};
	int far = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), on = 1;
	struct vnet_frame f = test_frame(TEST_BROADCAST, 7, 100);
	unsigned long before = net->peer.nsent;
	uint8_t octets[2000];

	assert_true(address.sll_ifindex > 0);
	setsockopt(far, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	assert_int_equal(bind(far, (const struct sockaddr *)&address,
			      sizeof(address)),
			 0);
	test_send(&net->peer, TEST_BROADCAST, 1, 0);
	assert_int_equal(read(far, octets, sizeof(octets)), 60);
	assert_int_equal(write(far, f.data, f.len), f.len);
	assert_int_equal(vnet_medium_ready(m, true, false, 0), 1);
	assert_int_equal(net->peer.nsent, before + 1);
	assert_int_equal(net->peer.last.len, f.len);
	close(far);
}

/* Has the interface of that name the address? */
static bool
has_address(const char *name, const char *text)
{
	struct ifaddrs *all, *a;
	bool found = false;

	assert_int_equal(getifaddrs(&all), 0);
	for (a = all; a && !found; a = a->ifa_next) {
		char buf[INET6_ADDRSTRLEN] = "";

		if (!a->ifa_addr || strcmp(a->ifa_name, name) != 0)
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			inet_ntop(AF_INET,
				  &((struct sockaddr_in *)(void *)a->ifa_addr)
					   ->sin_addr,
				  buf, sizeof(buf));
		if (a->ifa_addr->sa_family == AF_INET6)
			inet_ntop(AF_INET6,
				  &((struct sockaddr_in6 *)(void *)a->ifa_addr)
					   ->sin6_addr,
				  buf, sizeof(buf));
		found = !strcmp(buf, text);
	}
	freeifaddrs(all);
	return found;
}

/* Attached, detached */

static void
test_opening_asking_and_closing_touch_no_media(void **state)
{
	/* Memory that nobody may touch. */
	struct vnet_media *none = mmap(NULL, 1 << 20, PROT_NONE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vnet_tap_change change = {.size = sizeof(change), .mtu = 1400};
	struct vnet_medium_stats stats = {.size = sizeof(stats)};
	struct vnet_medium *m;
	int fds[2];

	(void)state;
	assert_true(none != MAP_FAILED);
	m = open_tap(none, &(struct vnet_tap_config){.up = true});
	assert_int_equal(vnet_tap_change(m, &change, NULL), 0);
	assert_int_equal(get(m).mtu, 1400);
	assert_int_equal(vnet_medium_get_stats(m, &stats), 0);
	assert_int_equal(vnet_medium_error(m), 0);
	vnet_medium_close(m);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(vnet_stream_adopt(&m, none, fds[0], NULL), 0);
	assert_true(get(m).up);
	vnet_medium_close(m);
	close(fds[1]);
	munmap(none, 1 << 20);
}

static void
test_medium_that_was_detached_touches_no_media(void **state)
{
	struct net *net = *state;
	struct vnet_medium *m =
		open_tap(net->media, &(struct vnet_tap_config){.up = true});

	attach(net, m);
	assert_ptr_equal(vnet_media_next_changed(net->media), m);
	vnet_medium_detach(m);
	assert_null(vnet_media_next_changed(net->media));
	assert_int_equal(vnet_medium_client(m), VNET_NO_ID);
	assert_int_equal(vnet_medium_wants(m), 0);
	/* To detach it again does no harm. */
	vnet_medium_detach(m);
	vnet_media_destroy(net->media);
	net->media = NULL;
	assert_true(get(m).up);
	vnet_medium_close(m);
}

static void
test_medium_may_be_attached_anew(void **state)
{
	struct net *net = *state;
	struct vnet_medium *m =
		open_tap(net->media, &(struct vnet_tap_config){.up = true});
	char name[IFNAMSIZ];

	memcpy(name, get(m).name, sizeof(name));
	for (int i = 0; i < 3; i++) {
		attach(net, m);
		assert_true(test_has_link(net->sw, net->port));
		assert_works(net, m);
		/* It is not heard what becomes of it in between. */
		if (i == 1)
			assert_int_equal(
				vnet_client_remove(net->sw,
						   vnet_medium_client(m)),
				0);
		else
			vnet_medium_detach(m);
		shell("ip link set %s down", name);
		hear(net);
		assert_true(test_has_link(net->sw, net->port));
		attach(net, m);
		assert_false(test_has_link(net->sw, net->port));
		shell("ip link set %s up", name);
		hear(net);
		assert_true(test_has_link(net->sw, net->port));
		vnet_medium_detach(m);
		while (vnet_switch_deadline(net->sw) == 0)
			vnet_switch_tick(net->sw, 0);
	}
	vnet_medium_close(m);
}

static void
test_medium_that_has_gone_is_not_attached(void **state)
{
	struct net *net = *state;
	struct vnet_medium *m =
		open_tap(net->media, &(struct vnet_tap_config){.name = "gone"});
	struct vnet_why why = {0};

	shell("ip link del %s", "gone");
	assert_int_equal(vnet_medium_attach(m, net->sw, net->port, 0, 0, &why),
			 -EBADFD);
	assert_string_equal(why.text, "cannot watch the interface");
	assert_int_equal(vnet_medium_client(m), VNET_NO_ID);
	assert_null(vnet_media_next_changed(net->media));
	vnet_medium_close(m);
}

static void
test_port_that_is_taken_leaves_the_medium_as_it_was(void **state)
{
	struct net *net = *state;
	struct vnet_medium *m =
		open_tap(net->media, &(struct vnet_tap_config){.up = true});
	struct vnet_why why = {0};

	assert_int_equal(vnet_medium_attach(m, net->sw,
					    test_taken_port(net->sw), 0, 0,
					    &why),
			 -EEXIST);
	assert_int_equal(vnet_medium_attach(m, net->sw, net->port, 1, 0, &why),
			 -EINVAL);
	assert_string_equal(why.text, "queue too small");
	assert_int_equal(vnet_medium_attach(m, net->sw, 12345, 0, 0, NULL),
			 -ENOENT);
	/* Nothing refers to it. */
	assert_null(vnet_media_next_changed(net->media));
	attach(net, m);
	assert_int_equal(vnet_medium_attach(m, net->sw, net->port, 0, 0, &why),
			 -EISCONN);
	assert_string_equal(why.text, "it is attached");
	assert_works(net, m);
	vnet_medium_close(m);
}

/* Changed */

static void
test_tap_is_changed_while_it_is_open(void **state)
{
	static const char *const addresses[] = {"10.1.0.1/24", "fd01::1/64"};
	const bool up = true, down = false;
	const struct vnet_mac mac = {{2, 0, 0, 0, 0, 9}};
	struct vnet_tap_change change = {
		.size = sizeof(change),
		.mac = mac,
		.mtu = 1300,
		.up = &up,
		.add = addresses,
		.nadd = COUNT(addresses),
	};
	struct net *net = *state;
	struct vnet_medium *m =
		open_tap(net->media, &(struct vnet_tap_config){.name = "ta"});
	struct vnet_medium_info info;

	shell("echo 0 >/proc/sys/net/ipv6/conf/%s/disable_ipv6", "ta");
	attach(net, m);
	assert_false(test_has_link(net->sw, net->port));
	assert_int_equal(vnet_tap_change(m, &change, NULL), 0);
	info = get(m);
	assert_memory_equal(&info.mac, &mac, sizeof(mac));
	assert_int_equal(info.mtu, 1300);
	assert_true(info.up);
	assert_true(has_address("ta", "10.1.0.1"));
	assert_true(has_address("ta", "fd01::1"));
	hear(net);
	assert_true(test_has_link(net->sw, net->port));

	/* What is there, and what is not, is no error. */
	assert_int_equal(vnet_tap_change(m, &change, NULL), 0);
	change = (struct vnet_tap_change){
		.size = sizeof(change),
		.remove = addresses,
		.nremove = COUNT(addresses),
	};
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vnet_tap_change(m, &change, NULL), 0);
		assert_false(has_address("ta", "10.1.0.1"));
		assert_false(has_address("ta", "fd01::1"));
	}
	/* What was not named stays. */
	info = get(m);
	assert_memory_equal(&info.mac, &mac, sizeof(mac));
	assert_int_equal(info.mtu, 1300);
	assert_true(info.up);

	/* Addresses that come with "down" are there behind it. */
	change = (struct vnet_tap_change){
		.size = sizeof(change),
		.up = &down,
		.add = addresses,
		.nadd = COUNT(addresses),
	};
	assert_int_equal(vnet_tap_change(m, &change, NULL), 0);
	assert_false(get(m).up);
	assert_true(has_address("ta", "10.1.0.1"));
	assert_true(has_address("ta", "fd01::1"));
	hear(net);
	assert_false(test_has_link(net->sw, net->port));
	vnet_medium_close(m);
}

static void
test_change_that_is_wrong_is_refused(void **state)
{
	static const char *const addresses[] = {"10.1.0.1/24", "10.1.0.1"};
	struct net *net = *state;
	struct vnet_medium *m =
		open_tap(net->media, &(struct vnet_tap_config){.name = "ta"});
	struct vnet_tap_change change = {.size = 1, .mtu = 1300};
	struct vnet_medium *stream;
	struct vnet_why why = {0};
	int fds[2];

	assert_int_equal(vnet_tap_change(m, &change, &why), -EINVAL);
	assert_string_equal(why.text, "unknown size of the change");
	change.size = sizeof(change);
	change.mtu = 67;
	assert_int_equal(vnet_tap_change(m, &change, &why), -EINVAL);
	assert_string_equal(why.text, "MTU not from 68 to 65521");
	change.mtu = VNET_TAP_MTU_MAX + 1;
	assert_int_equal(vnet_tap_change(m, &change, NULL), -EINVAL);
	change.mtu = 0;
	assert_int_equal(vnet_tap_change(m, &change, NULL), 0);
	assert_int_equal(get(m).mtu, 1500);

	change.add = addresses;
	change.nadd = 2;
	assert_int_equal(vnet_tap_change(m, &change, &why), -EINVAL);
	assert_string_equal(why.text, "cannot add an IP address");
	assert_int_equal(why.index, 1);
	/* What came before it stays. */
	assert_true(has_address("ta", "10.1.0.1"));
	change.nadd = 0;
	change.remove = addresses + 1;
	change.nremove = 1;
	assert_int_equal(vnet_tap_change(m, &change, &why), -EINVAL);
	assert_string_equal(why.text, "cannot remove an IP address");
	assert_int_equal(why.index, 0);
	change.nremove = 0;
	change.mac = (struct vnet_mac){{1, 0, 0, 0, 0, 1}};
	assert_int_equal(vnet_tap_change(m, &change, &why), -EADDRNOTAVAIL);
	assert_string_equal(why.text, "cannot set MAC address and MTU");
	vnet_medium_close(m);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(vnet_stream_adopt(&stream, net->media, fds[0], NULL),
			 0);
	assert_int_equal(vnet_tap_change(stream, &change, &why), -EINVAL);
	assert_string_equal(why.text, "not a TAP");
	vnet_medium_close(stream);
	close(fds[1]);
}

static void
test_tap_is_changed_wherever_it_is_now(void **state)
{
	const bool up = true;
	const struct vnet_tap_change change = {
		.size = sizeof(change),
		.mtu = 1300,
		.up = &up,
	};
	struct net *net = *state;
	struct vnet_medium *m =
		open_tap(net->media, &(struct vnet_tap_config){.name = "ta"});
	struct vnet_medium *namesake;

	shell("ip link set %s netns other", "ta");
	namesake =
		open_tap(net->media, &(struct vnet_tap_config){.name = "ta"});
	assert_int_equal(vnet_tap_change(m, &change, NULL), 0);
	assert_int_equal(get(m).mtu, 1300);
	assert_true(get(m).up);
	assert_int_equal(get(namesake).mtu, 1500);
	assert_false(get(namesake).up);
	vnet_medium_close(namesake);

	shell("ip -n other link del %s", "ta");
	assert_int_equal(vnet_tap_change(m, &change, NULL), -EBADFD);
	vnet_medium_close(m);
}

/* Adopted */

static int
open_tun(short flags)
{
	struct ifreq ifr = {.ifr_flags = flags};
	int fd = open("/dev/net/tun", O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	return fd;
}

static void
adopt_and_use(struct net *net, int fd, uint32_t without, uint32_t carries)
{
	const bool up = true;
	const struct vnet_tap_change change = {.size = sizeof(change),
					       .up = &up};
	struct vnet_why why = {0};
	struct vnet_medium *m;
	struct vnet_medium_info info;

	if (vnet_tap_adopt(&m, net->media, fd, without, &why))
		fail_msg("%s", why.text);
	assert_int_equal(vnet_medium_fd(m), fd);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(vnet_tap_change(m, &change, NULL), 0);
	info = get(m);
	assert_string_equal(info.kind, "tap");
	assert_int_equal(info.carries, carries);
	assert_true(info.up);
	attach(net, m);
	assert_true(test_has_link(net->sw, net->port));
	assert_works(net, m);
	vnet_medium_detach(m);
	/* It was the medium's, and is closed with it. */
	vnet_medium_close(m);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	while (vnet_switch_deadline(net->sw) == 0)
		vnet_switch_tick(net->sw, 0);
}

static void
test_tap_of_somebody_else_is_adopted(void **state)
{
	struct net *net = *state;
	struct vnet_medium *m =
		open_tap(net->media, &(struct vnet_tap_config){.up = true});
	uint32_t carries = get(m).carries;
	int fd, size = 12, on = 1;

	vnet_medium_close(m);
	assert_true(carries & VNET_CARRIES_CSUM);
	adopt_and_use(net, open_tun(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR), 0,
		      carries);
	adopt_and_use(net, open_tun(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR),
		      VNET_CARRIES_TSO4 | VNET_CARRIES_USO,
		      carries & ~(uint32_t)(VNET_CARRIES_TSO4 |
					    VNET_CARRIES_USO));
	adopt_and_use(net, open_tun(IFF_TAP | IFF_NO_PI), 0, 0);
	/* Whatever has been done to it. */
	fd = open_tun(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	assert_int_equal(ioctl(fd, TUNSETVNETHDRSZ, &size), 0);
	assert_int_equal(ioctl(fd, TUNSETVNETLE, &on), 0);
	adopt_and_use(net, fd, 0, carries);
}

static void
refuse(struct net *net, int fd, int error, const char *text)
{
	struct vnet_medium *m = NULL;
	struct vnet_why why = {0};

	assert_true(fd >= 0);
	assert_int_equal(vnet_tap_adopt(&m, net->media, fd, 0, &why), error);
	assert_string_equal(why.text, text);
	assert_null(m);
	/* It is still the caller's. */
	assert_int_equal(close(fd), 0);
}

static void
test_what_is_no_tap_is_not_adopted(void **state)
{
	static const char no_tap[] = "not a descriptor of a TAP";
	static const char no_pi[] = "not IFF_TAP with IFF_NO_PI";
	struct net *net = *state;

	refuse(net, open("/dev/null", O_RDWR), -ENOTTY, no_tap);
	refuse(net, socket(AF_UNIX, SOCK_STREAM, 0), -ENOTTY, no_tap);
	/* One that is bound to no interface. */
	refuse(net, open("/dev/net/tun", O_RDWR), -EBADFD, no_tap);
	refuse(net, open_tun(IFF_TUN | IFF_NO_PI), -EINVAL, no_pi);
	refuse(net, open_tun(IFF_TAP), -EINVAL, no_pi);
}

/* Owned */

#define OWNER    1234
#define STRANGER 1235

/* The device may be for root alone: for this process it no longer is. */
static bool
open_the_device_to_all(void)
{
	umask(0);
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/run", "tmpfs", 0, NULL) == 0 &&
	       mknod("/run/tun", S_IFCHR | 0666, makedev(10, 200)) == 0 &&
	       mount("/run/tun", "/dev/net/tun", NULL, MS_BIND, NULL) == 0;
}

/* Does that user get the TAP, and what else may they do? In a child. */
static void
open_as(struct vnet_media *media, uid_t uid)
{
	const struct vnet_tap_config config = {
		.size = sizeof(config),
		.name = "owned",
		.mode = VNET_TAP_ATTACH,
	};
	const struct vnet_tap_change change = {.size = sizeof(change),
					       .mtu = 1300};
	struct vnet_medium *m;
	int r;

	if (!open_the_device_to_all())
		_exit(78);
	if (setgid(uid) < 0 || setuid(uid) < 0)
		_exit(77);
	r = vnet_tap_open(&m, media, &config, NULL);
	if (uid == STRANGER)
		_exit(r == -EPERM ? 0 : 1);
	if (r)
		_exit(2);
	/* To open it is all that an owner may. */
	_exit(vnet_tap_change(m, &change, NULL) == -EPERM ? 0 : 3);
}

static int
child_as(struct vnet_media *media, uid_t uid)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		open_as(media, uid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_owner_opens_a_persistent_tap_and_a_stranger_does_not(void **state)
{
	const uint32_t owner = OWNER;
	const struct vnet_tap_config config = {
		.size = sizeof(config),
		.name = "owned",
		.owner = &owner,
		.persist = true,
	};
	struct net *net = *state;
	struct vnet_why why = {0};
	struct vnet_medium *m;
	int r = vnet_tap_open(&m, net->media, &config, &why);

	if (r == -EINVAL) {
		/* Only one user is there. */
		assert_string_equal(why.text, "cannot set the owner");
		print_message("skipped: an owner needs root\n");
		skip();
	}
	assert_int_equal(r, 0);
	/* Both are refused while it is open. */
	vnet_medium_close(m);
	assert_true(if_nametoindex("owned") > 0);
	r = child_as(net->media, OWNER);
	if (r != 77 && r != 78) {
		assert_int_equal(r, 0);
		assert_int_equal(child_as(net->media, STRANGER), 0);
	}
	shell("ip link del %s", "owned");
	if (r == 77 || r == 78) {
		print_message("skipped: %s\n",
			      r == 77 ? "cannot become another user"
				      : "cannot open /dev/net/tun to all");
		skip();
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_opening_asking_and_closing_touch_no_media),
		TEST(test_medium_that_was_detached_touches_no_media),
		TEST(test_medium_may_be_attached_anew),
		TEST(test_medium_that_has_gone_is_not_attached),
		TEST(test_port_that_is_taken_leaves_the_medium_as_it_was),
		TEST(test_tap_is_changed_while_it_is_open),
		TEST(test_change_that_is_wrong_is_refused),
		TEST(test_tap_is_changed_wherever_it_is_now),
		TEST(test_tap_of_somebody_else_is_adopted),
		TEST(test_what_is_no_tap_is_not_adopted),
		TEST(test_owner_opens_a_persistent_tap_and_a_stranger_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
