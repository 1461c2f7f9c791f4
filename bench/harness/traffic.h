/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames that are forwarded, the order in which they come, and the memory
 * that they are copied to: the same for the switch and for its yardstick.
 *
 * 4,096 frames lie at a stride of 2 KiB and are sent in an order that jumps at
 * random. They are UDP datagrams between BENCH_NADDRS stations, which are
 * spread over all ports. Frames come in runs of BENCH_BATCH from one port, as
 * a driver reads them; ports take turns, in random order. A destination is a
 * random station at another port.
 *
 * A port receives into a ring of slots of 2 KiB, which wraps over what was
 * there.
 */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <vnet/types.h>

#define BENCH_NFRAMES 4096
#define BENCH_STRIDE  2048
#define BENCH_BATCH   64
#define BENCH_NADDRS  1000

struct bench_view {
	const uint8_t *data;
	uint32_t len;
};

struct bench_ring {
	uint8_t *slots;
	uint64_t head; /* frames ever put */
	uint32_t mask;
	uint32_t nslots;
};

/**
 * struct bench_traffic - what is sent in one pass
 * @order:	the frames in order of arrival
 * @in:		for each run of BENCH_BATCH of them, the port it comes from
 * @out:	for each frame, the port that it is meant for
 * @addr:	the stations; number i is at port i % nports
 * @expected:	for each port, the frames it gets in one pass
 * @copies:	frames that all ports together get in one pass
 */
struct bench_traffic {
	uint32_t nports;
	uint32_t len;
	bool floods;
	struct bench_view order[BENCH_NFRAMES];
	uint32_t in[BENCH_NFRAMES / BENCH_BATCH];
	uint32_t out[BENCH_NFRAMES];
	struct vnet_mac addr[BENCH_NADDRS];
	struct bench_ring *ring;
	uint32_t *expected;
	uint64_t copies;
};

/* @floods: every frame is a broadcast. */
void bench_traffic_init(struct bench_traffic *t, uint32_t nports, uint32_t len,
			bool floods);

/* Write a broadcast frame of the same length from station @a. */
void bench_traffic_hello(const struct bench_traffic *t, uint32_t a,
			 uint8_t *octets);

/* Does every ring hold, after so many passes since its head was 0, what it
 * should? Ends the program if not. */
void bench_traffic_verify(const struct bench_traffic *t, uint64_t passes);

/* What a frame costs in the end: one copy. */
static inline void
bench_ring_put(struct bench_ring *r, const uint8_t *data, uint32_t len)
{
	size_t slot = r->head & r->mask;

	memcpy(r->slots + slot * BENCH_STRIDE, data, len);
	r->head++;
}

#endif
