/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the benchmark programs have in common: the protocol that scripts/bench
 * speaks with them (bench/README.md), the clock, random numbers from a fixed
 * seed, and an allocator that counts.
 *
 * A program is a table of cases. One call of it runs one case once and prints
 * what it measured; repeating, interleaving and medians are scripts/bench's.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vnet/types.h>

struct bench_run;

/**
 * struct bench_case - something to measure
 * @name:	what is done
 * @system:	who does it
 * @is_ours:	it measures libvnet, so that --against REV runs it too;
 *		otherwise a peer or a yardstick
 * @counted:	scripts/bench also has valgrind count its instructions by this
 *		unit of work ("frame"); NULL: it does not
 * @run:	measures once, and verifies that the work was done
 * @arg:	for @run
 */
struct bench_case {
	const char *name;
	const char *system;
	bool is_ours;
	const char *counted;
	void (*run)(struct bench_run *r, const void *arg);
	const void *arg;
};

/**
 * struct bench_run - one run under way
 * @done:	units of work done: frames, look-ups
 * @seconds:	processor time that they took, once bench_more() has said no
 *
 * The rest is the harness's own.
 */
struct bench_run {
	uint64_t done;
	double seconds;
	uint64_t wanted;
	uint64_t start_ns;
	bool is_started;
};

int bench_main(int argc, char **argv, const struct bench_case *cases,
	       size_t ncases);

/*
 * Is there more to do? The clock starts at the first call; the caller adds to
 * @r->done in steps that take some 10 to 1000 microseconds each. The answer is
 * no after a fifth of a second, or after the units that the command line asks
 * for.
 *
 * The clock is the thread's processor time: nothing measured here waits, and
 * others on the machine then disturb less.
 */
bool bench_more(struct bench_run *r);

/* For work that can be done only once: start, and later stop. */
void bench_start(struct bench_run *r);
void bench_stop(struct bench_run *r);

/* Print a figure of this run. */
void bench_report(const char *unit, double value);

/* The measurement failed: say why, and end the program. */
_Noreturn __attribute__((format(printf, 1, 2))) void bench_fail(const char *fmt,
								...);

/* Splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
uint64_t bench_random(uint64_t *state);

/* A number below @n, which is below 2^32. */
uint32_t bench_random_below(uint64_t *state, uint32_t n);

/* Shuffle 0 to n - 1. */
void bench_permute(uint64_t *state, uint32_t *p, uint32_t n);

/* @size octets of zeroed pages, all of them touched. Never fails, never
 * freed. */
void *bench_pages(size_t size);

/* Octets taken and not given back, and the most that it ever was. */
struct bench_memory {
	uint64_t now;
	uint64_t most;
};

/* An allocator for a switch that counts in @m. */
struct vnet_alloc bench_alloc(struct bench_memory *m);

/* Octets of this process that are in memory. */
uint64_t bench_rss(void);

#endif
