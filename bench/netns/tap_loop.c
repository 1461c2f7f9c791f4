/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The yardstick of bench/netns.py: what arrives at one TAP is written to the
 * other, virtio-net header and all, and that is all that is done. A switch of
 * one thread cannot do with less, but it may do the same in another order.
 *
 *	tap_loop INTERFACE INTERFACE
 *
 * Nothing here is libvnet's. Runs until it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define TSO (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
#define USO (TUN_F_USO4 | TUN_F_USO6)

/* The other direction is not kept waiting for longer. */
#define BATCH 64

static void
fail(const char *what, const char *which)
{
	fprintf(stderr, "tap_loop: %s %s: %s\n", what, which, strerror(errno));
	exit(1);
}

static int
open_tap(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		fail("cannot open", "/dev/net/tun");
	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		fail("cannot create", name);
	if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)(TSO | USO)) < 0 &&
	    ioctl(fd, TUNSETOFFLOAD, (unsigned long)TSO) < 0)
		fail("cannot set the offloads of", name);
	return fd;
}

static void
pass(int from, int to)
{
	static char frame[65536 + 64];

	for (int i = 0; i < BATCH; i++) {
		ssize_t len = read(from, frame, sizeof(frame));

		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0)
			fail("cannot read", "a frame");
		/* What is refused is lost, and the interfaces' counters
		 * tell. */
		if (write(to, frame, (size_t)len) < 0 && errno == EBADFD)
			fail("cannot write", "a frame");
	}
}

int
main(int argc, char **argv)
{
	struct pollfd fds[2];

	if (argc != 3) {
		fprintf(stderr, "usage: tap_loop INTERFACE INTERFACE\n");
		return 2;
	}
	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){
			.fd = open_tap(argv[1 + i]),
			.events = POLLIN,
		};
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			fail("cannot wait", "for frames");
		for (int i = 0; i < 2; i++)
			if (fds[i].revents)
				pass(fds[i].fd, fds[!i].fd);
	}
}
