/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Round trips of a small datagram between two hosts, each asleep until it
 * arrives.
 *
 *	rtt FROM[,FROM]... CPU TO CPU ADDRESS ROUNDS
 *
 * ADDRESS is that of TO. Where several ask, they do so at the same time, each as
 * often. Prints what half, and what 99 of 100 of all did not exceed, in
 * microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "host.h"

/* Before the clock starts: addresses are found, caches are warm. */
#define WARM_UP    200

#define MAX_ASKERS 64

struct answerer {
	const char *cpu;
	int fd;
};

/* @took: each round, in ns */
struct asker {
	const char *cpu;
	int fd;
	uint32_t rounds;
	uint64_t *took;
	pthread_t thread;
};

static void *
answer(void *arg)
{
	const struct answerer *a = arg;
	struct sockaddr_in from;
	uint32_t number;

	host_pin(a->cpu);
	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(a->fd, &number, sizeof(number), 0,
				     (struct sockaddr *)&from, &len);

		if (n != sizeof(number) ||
		    sendto(a->fd, &number, sizeof(number), 0,
			   (struct sockaddr *)&from, len) != n)
			host_fail("cannot answer: %s", strerror(errno));
	}
	return NULL;
}

static int
datagram_socket(const char *host)
{
	int fd;

	host_enter(host);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		host_fail("cannot open a socket: %s", strerror(errno));
	return fd;
}

static uint64_t
round_trip(int fd, uint32_t number)
{
	uint32_t got = ~number;
	uint64_t start = host_now();

	if (send(fd, &number, sizeof(number), 0) != sizeof(number) ||
	    recv(fd, &got, sizeof(got), 0) != sizeof(got))
		host_fail("no answer to datagram %u: %s", number,
			  strerror(errno));
	if (got != number)
		host_fail("the answer to %u is %u", number, got);
	return host_now() - start;
}

static void *
ask(void *arg)
{
	const struct asker *a = arg;

	host_pin(a->cpu);
	for (uint32_t i = 0; i < WARM_UP; i++)
		round_trip(a->fd, i);
	for (uint32_t i = 0; i < a->rounds; i++)
		a->took[i] = round_trip(a->fd, WARM_UP + i);
	return NULL;
}

static int
connected_socket(const char *host, const struct sockaddr_in *to)
{
	const struct timeval patience = {.tv_sec = 5};
	int fd = datagram_socket(host);

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		host_fail("cannot connect from %s: %s", host, strerror(errno));
	return fd;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(1000),
	};
	struct asker asker[MAX_ASKERS];
	struct answerer a;
	pthread_t thread;
	uint32_t rounds;
	uint64_t *took;
	size_t n = 0;

	if (argc != 7 || !inet_aton(argv[5], &addr.sin_addr) ||
	    atoi(argv[6]) < 100) {
		fprintf(stderr, "usage: rtt FROM[,FROM]... CPU TO CPU ADDRESS "
				"ROUNDS\n");
		return 2;
	}
	rounds = (uint32_t)atoi(argv[6]);
	took = calloc((size_t)rounds * MAX_ASKERS, sizeof(*took));
	if (!took)
		host_fail("no memory");
	a = (struct answerer){argv[4], datagram_socket(argv[3])};
	if (bind(a.fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		host_fail("cannot bind to %s: %s", argv[5], strerror(errno));
	for (char *host = strtok(argv[1], ","); host && n < MAX_ASKERS;
	     host = strtok(NULL, ","), n++)
		asker[n] = (struct asker){
			.cpu = argv[2],
			.fd = connected_socket(host, &addr),
			.rounds = rounds,
			.took = took + n * rounds,
		};
	host_start(&thread, answer, &a);
	for (size_t i = 0; i < n; i++)
		host_start(&asker[i].thread, ask, &asker[i]);
	for (size_t i = 0; i < n; i++)
		pthread_join(asker[i].thread, NULL);
	host_print_times(took, n * rounds);
	return 0;
}
