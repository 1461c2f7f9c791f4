/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends frames of 60 octets from a host as fast as its kernel takes them, until
 * it is ended.
 *
 *	flood FROM INTERFACE CPU ADDRESS
 *
 * ADDRESS is the MAC address that they go to. It runs when nothing else wants
 * the processor: what it takes from others is to be what the switch does for it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ether.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "host.h"

#define BATCH 64

int
main(int argc, char **argv)
{
	const struct sched_param param = {0};
	struct host_frame f = {.eth.ether_type = htons(HOST_ETHERTYPE)};
	struct iovec iov = {&f, sizeof(f)};
	struct mmsghdr msgs[BATCH] = {0};
	const struct ether_addr *to;
	int fd;

	to = argc == 5 ? ether_aton(argv[4]) : NULL;
	if (!to) {
		fprintf(stderr, "usage: flood FROM INTERFACE CPU ADDRESS\n");
		return 2;
	}
	memcpy(f.eth.ether_dhost, to, ETH_ALEN);
	host_enter(argv[1]);
	host_pin(argv[3]);
	if (sched_setscheduler(0, SCHED_IDLE, &param) < 0)
		host_fail("cannot stand back: %s", strerror(errno));
	fd = host_socket(argv[2], 0);
	host_mac(fd, argv[2], f.eth.ether_shost);
	for (int i = 0; i < BATCH; i++) {
		msgs[i].msg_hdr.msg_iov = &iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	for (;;) {
		if (sendmmsg(fd, msgs, BATCH, 0) < 0 && errno != ENOBUFS)
			host_fail("cannot send: %s", strerror(errno));
	}
}
