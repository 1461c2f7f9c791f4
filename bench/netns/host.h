/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs of bench/netns.py have in common: hosts, which are network
 * namespaces that `ip netns` has named, and raw frames between them.
 */
#ifndef BENCH_NETNS_HOST_H
#define BENCH_NETNS_HOST_H

#include <net/ethernet.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* IEEE 802, 9.2.3: for experiments. No stack takes it. */
#define HOST_ETHERTYPE 0x88b5

/* Octets of a frame, without FCS: the least. */
#define HOST_FRAME 60

struct host_frame {
	struct ether_header eth;
	uint64_t number;
	uint8_t rest[HOST_FRAME - sizeof(struct ether_header) -
		     sizeof(uint64_t)];
} __attribute__((packed));

/* All of these end the program if they fail. */
_Noreturn __attribute__((format(printf, 1, 2))) void host_fail(const char *fmt,
							       ...);

/* This thread makes its sockets in that host from now on. */
void host_enter(const char *name);

/* Where this thread makes them now, and back there. */
int host_here(void);
void host_return(int here);

/* This thread, and those that it starts, run there. */
void host_pin(const char *cpu);

/* Another thread. */
void host_start(pthread_t *thread, void *(*fn)(void *), void *arg);

uint64_t host_now(void);

/* Print what half, and what 99 of 100 of @n times in ns did not exceed, in us.
 * Sorts them. */
void host_print_times(uint64_t *took, size_t n);

/* A raw socket in this thread's host, bound to @interface (none if NULL), that
 * receives the frames of HOST_ETHERTYPE if @receives. */
int host_socket(const char *interface, int receives);

void host_mac(int fd, const char *interface, uint8_t *mac);

#endif
