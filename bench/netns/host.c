/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

_Static_assert(sizeof(struct host_frame) == HOST_FRAME, "as on the wire");

void
host_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static int
open_namespace(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		host_fail("cannot open %s: %s", path, strerror(errno));
	return fd;
}

void
host_enter(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	host_return(open_namespace(path));
}

int
host_here(void)
{
	return open_namespace("/proc/self/ns/net");
}

void
host_return(int here)
{
	if (setns(here, CLONE_NEWNET) < 0)
		host_fail("cannot enter a network namespace: %s",
			  strerror(errno));
	close(here);
}

void
host_pin(const char *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(atoi(cpu), &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		host_fail("cannot run on processor %s: %s", cpu,
			  strerror(errno));
}

void
host_start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	int r = pthread_create(thread, NULL, fn, arg);

	if (r)
		host_fail("cannot start a thread: %s", strerror(r));
}

uint64_t
host_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void
host_print_times(uint64_t *took, size_t n)
{
	qsort(took, n, sizeof(*took), compare);
	printf("p50 %.3f\np99 %.3f\n", (double)took[n / 2] / 1e3,
	       (double)took[n * 99 / 100] / 1e3);
}

int
host_socket(const char *interface, int receives)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = receives ? htons(HOST_ETHERTYPE) : 0,
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		host_fail("cannot open a packet socket: %s", strerror(errno));
	if (interface) {
		addr.sll_ifindex = (int)if_nametoindex(interface);
		if (!addr.sll_ifindex)
			host_fail("no interface %s", interface);
	}
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		host_fail("cannot bind a packet socket: %s", strerror(errno));
	return fd;
}

void
host_mac(int fd, const char *interface, uint8_t *mac)
{
	struct ifreq ifr = {0};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", interface);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		host_fail("no MAC address of %s: %s", interface,
			  strerror(errno));
	memcpy(mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
}
