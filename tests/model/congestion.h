/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A congested client, in virtual time and through the public headers alone.
 *
 *	source 0 ---+--------+
 *	   ...      | switch |--- wire, CONGESTION_RATE octets a second
 *	source 7 ---+--------+--- clients that never read
 *
 * Sources send at a steady rate, each its own. What the wire takes of whom, and
 * what is lost, is the switch's doing. The same run comes out the same on every
 * machine.
 */
#ifndef VNET_TEST_CONGESTION_H
#define VNET_TEST_CONGESTION_H

#include <vnet/types.h>

#define CONGESTION_SOURCES 8
#define CONGESTION_RATE    12500000 /* octets a second: 100 Mb/s */
#define CONGESTION_WHOLE   10000    /* of that rate, in parts */
#define CONGESTION_QUEUE   262144   /* octets of the pool, of every client */
#define CONGESTION_BURST   64

/**
 * struct congestion_source - how one source sends
 * @offered:	octets, in ten-thousandths of what the wire takes
 * @weight:	see struct vnet_client_config; 0 for 1
 * @min_len, @max_len: lengths of its frames, all of them equally likely; 60 to
 *		1514
 * @burst:	frames that it hands in at once, up to CONGESTION_BURST; 0 for 1.
 *		Its rate stays the same
 */
struct congestion_source {
	uint32_t offered;
	uint32_t weight;
	uint32_t min_len;
	uint32_t max_len;
	uint32_t burst;
};

/**
 * struct congestion - a run
 * @on_one_vif:	the sources are clients of one vif, else each has its own
 * @ndeaf:	clients that never read: every frame is sent to each of them too
 * @pool_octets: see struct vnet_switch_config
 * @warm_up_ms: time before anything is measured
 * @measured_ms: time that is. Then the sources are silent, and the wire takes
 *		what waits
 */
struct congestion {
	struct congestion_source source[CONGESTION_SOURCES];
	bool on_one_vif;
	uint32_t ndeaf;
	uint64_t pool_octets;
	uint32_t warm_up_ms;
	uint32_t measured_ms;
};

/**
 * struct congestion_share - what became of the frames of one source
 * @offered:	octets handed in while it was measured
 * @got:	octets that the wire took meanwhile
 * @lost:	frames that were handed in at any time, and that the wire never
 *		took
 * @delay:	the most that a frame waited, until the wire had taken all of it
 */
struct congestion_share {
	uint64_t offered;
	uint64_t got;
	uint64_t lost;
	vnet_nsec delay;
};

/**
 * struct congestion_result - what came of a run
 * @deaf_memory: the most octets of the pool that one which never reads held
 * @fault:	NULL; or what the switch did wrong, and nothing else is filled
 */
struct congestion_result {
	struct congestion_share share[CONGESTION_SOURCES];
	uint64_t deaf_memory;
	const char *fault;
};

void congestion_run(const struct congestion *c, struct congestion_result *r);

/* Jain's index of fairness (DEC-TR-301, 1984) over the first @n sources, of x =
 * got / offered: (sum of x)^2 / (n * sum of x^2). 1 where all are treated
 * alike, 1/n where one gets everything. */
double congestion_jain(const struct congestion_result *r, unsigned int n);

/* Frames that the first @n sources have lost. */
uint64_t congestion_lost(const struct congestion_result *r, unsigned int n);

/* The most by which the part of a source in all that the wire took differs from
 * its weight's part in all weights, relative to that. */
double congestion_weights_off(const struct congestion *c,
			      const struct congestion_result *r);

/* The part of its time that the wire was in use, while it was measured. */
double congestion_use(const struct congestion *c,
		      const struct congestion_result *r);

#endif
