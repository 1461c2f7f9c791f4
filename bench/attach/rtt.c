/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Round trips of a frame of 60 octets between sessions, each asleep until it
 * arrives.
 *
 *	rtt FROM[,FROM]... TO CPU ROUNDS
 *
 * FROM and TO are as end.h says. All who ask do so at the same time, each as
 * often. Prints what half, and what 99 of 100 of all did not exceed, in
 * microseconds.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "end.h"

#define WARM_UP     200
#define MAX_ASKERS  64
#define PATIENCE_MS 5000

/* The number of who answers; those who ask count from the next one. */
#define ANSWERER 1

struct asker {
	const char *where;
	struct end *end;
	unsigned int number;
	uint32_t rounds;
	uint64_t *took; /* each round, in ns */
	pthread_t thread;
};

static void *
answer(void *arg)
{
	struct end *e = arg;
	struct host_frame frames[END_BATCH];

	for (;;) {
		size_t n = end_receive(e, frames, -1);

		for (size_t i = 0; i < n; i++) {
			struct host_frame f = end_frame(
				frames[i].eth.ether_shost[5], ANSWERER);

			f.number = frames[i].number;
			/* What a flood sends is not asked. */
			if (f.number)
				end_send(e, &f, 1);
		}
	}
	return NULL;
}

static uint64_t
round_trip(const struct asker *a, uint64_t number)
{
	struct host_frame f = end_frame(ANSWERER, a->number);
	uint64_t start = host_now();

	f.number = number;
	end_send(a->end, &f, 1);
	for (;;) {
		struct host_frame got[END_BATCH];
		size_t n = end_receive(a->end, got, PATIENCE_MS);

		if (!n)
			host_fail("no answer to frame %" PRIu64, number);
		/* Who is new says hello to all. */
		for (size_t i = 0; i < n; i++) {
			if (got[i].number == number)
				return host_now() - start;
		}
	}
}

static void *
ask(void *arg)
{
	const struct asker *a = arg;

	for (uint32_t i = 0; i < WARM_UP; i++)
		round_trip(a, i + 1);
	for (uint32_t i = 0; i < a->rounds; i++)
		a->took[i] = round_trip(a, WARM_UP + i + 1);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct asker asker[MAX_ASKERS];
	pthread_t thread;
	uint32_t rounds;
	uint64_t *took;
	size_t n = 0;

	if (argc != 5 || atoi(argv[4]) < 100) {
		fprintf(stderr, "usage: rtt FROM[,FROM]... TO CPU ROUNDS\n");
		return 2;
	}
	rounds = (uint32_t)atoi(argv[4]);
	took = calloc((size_t)rounds * MAX_ASKERS, sizeof(*took));
	if (!took)
		host_fail("no memory");
	host_pin(argv[3]);
	for (char *w = strtok(argv[1], ","); w && n < MAX_ASKERS;
	     w = strtok(NULL, ","), n++)
		asker[n] = (struct asker){
			.where = w,
			.number = ANSWERER + 1 + (unsigned int)n,
			.rounds = rounds,
			.took = took + n * rounds,
		};
	for (size_t i = 0; i < n; i++)
		asker[i].end = end_open(asker[i].where, asker[i].number);
	host_start(&thread, answer, end_open(argv[2], ANSWERER));
	for (size_t i = 0; i < n; i++)
		host_start(&asker[i].thread, ask, &asker[i]);
	for (size_t i = 0; i < n; i++)
		pthread_join(asker[i].thread, NULL);
	host_print_times(took, n * rounds);
	return 0;
}
