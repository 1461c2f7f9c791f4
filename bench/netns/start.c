/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts a switch, and sends broadcasts from an interface that it makes in one
 * host until one has arrived in another.
 *
 *	start FROM INTERFACE TO COMMAND [ARGUMENT]...
 *
 * Prints the milliseconds from the start of the program to the frame, and to
 * the switch's end on SIGTERM, at which it must say that all was well.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define PATIENCE_NS 10000000000

/* Between two frames. */
static const struct timespec pause_ns = {.tv_nsec = 100000};

/* There may be no such interface yet, or it may be down. */
static void
try_to_send(int fd, const char *interface)
{
	struct host_frame f = {.eth.ether_type = htons(HOST_ETHERTYPE)};
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	struct ifreq ifr = {0};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", interface);
	if (ioctl(fd, SIOCGIFINDEX, &ifr) < 0)
		return;
	to.sll_ifindex = ifr.ifr_ifindex;
	memset(f.eth.ether_dhost, 0xff, ETH_ALEN);
	f.eth.ether_shost[0] = 2;
	sendto(fd, &f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to));
}

static bool
has_arrived(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	return ppoll(&pollfd, 1, &pause_ns, NULL) > 0;
}

int
main(int argc, char **argv, char **envp)
{
	uint64_t start, arrived, end;
	int here, sender, receiver, status, r;
	pid_t pid;

	if (argc < 5) {
		fprintf(stderr, "usage: start FROM INTERFACE TO COMMAND "
				"[ARGUMENT]...\n");
		return 2;
	}
	here = host_here();
	host_enter(argv[1]);
	sender = host_socket(NULL, false);
	host_enter(argv[3]);
	receiver = host_socket(NULL, true);
	/* The switch itself runs in neither. */
	host_return(here);

	start = host_now();
	r = posix_spawn(&pid, argv[4], NULL, NULL, &argv[4], envp);
	if (r)
		host_fail("cannot start %s: %s", argv[4], strerror(r));
	do {
		try_to_send(sender, argv[2]);
		arrived = host_now();
		if (arrived - start > PATIENCE_NS ||
		    waitpid(pid, &status, WNOHANG))
			host_fail("%s does not pass a frame on", argv[4]);
	} while (!has_arrived(receiver));
	arrived = host_now();
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	end = host_now();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		host_fail("%s ended with status %#x", argv[4], status);
	printf("start %.3f\nend %.3f\n", (double)(arrived - start) / 1e6,
	       (double)(end - arrived) / 1e6);
	return 0;
}
