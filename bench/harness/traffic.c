/* SPDX-License-Identifier: BSD-2-Clause */
#include "traffic.h"

#include <stdlib.h>

#include "harness.h"

#define SEED       20080101
#define IP         14
#define UDP        34
#define SEQUENCE   42 /* offset of a frame's number, 4 octets */
#define RING_SLOTS 512
#define PORT_NONE  UINT32_MAX

/* Slots of all rings together, where there are so many that 512 each would
 * measure the memory of the machine and nothing else. */
#define ALL_SLOTS 4096

static const struct vnet_mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static void
store16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
store32(uint8_t *p, uint32_t v)
{
	store16(p, v >> 16);
	store16(p + 2, v & 0xffff);
}

static uint32_t
load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
write_frame(uint8_t *p, uint32_t len, struct vnet_mac dst, struct vnet_mac src,
	    uint32_t src_host, uint32_t dst_host, uint32_t sequence)
{
	memset(p, (int)(sequence & 0xff), len);
	memcpy(p, dst.octet, 6);
	memcpy(p + 6, src.octet, 6);
	store16(p + 12, 0x0800);
	p[IP] = 0x45;
	p[IP + 1] = 0;
	store16(p + IP + 2, len - IP);
	store32(p + IP + 4, 0); /* id, fragment */
	p[IP + 8] = 64;
	p[IP + 9] = 17;
	store16(p + IP + 10, 0);
	store32(p + IP + 12, 0x0a000000 + src_host);
	store32(p + IP + 16, 0x0a000000 + dst_host);
	store16(p + UDP, 49152 + (src_host & 0xfff));
	store16(p + UDP + 2, 4789);
	store16(p + UDP + 4, len - UDP);
	store16(p + UDP + 6, 0); /* no checksum */
	store32(p + SEQUENCE, sequence);
}

/* A random station at a port. */
static uint32_t
station_at(uint64_t *rng, uint32_t port, uint32_t nports)
{
	uint32_t n = (BENCH_NADDRS - port + nports - 1) / nports;

	return port + nports * bench_random_below(rng, n);
}

static void
init_stations(struct bench_traffic *t, uint64_t *rng)
{
	for (uint32_t i = 0; i < BENCH_NADDRS; i++) {
		uint64_t r = bench_random(rng);

		t->addr[i].octet[0] = 2; /* locally administered */
		memcpy(&t->addr[i].octet[1],
		       (uint8_t[3]){(uint8_t)r, (uint8_t)(r >> 8),
				    (uint8_t)(r >> 16)},
		       3);
		store16(&t->addr[i].octet[4], i);
	}
}

static void
init_rings(struct bench_traffic *t)
{
	uint32_t nslots = RING_SLOTS;
	uint8_t *slots;

	while (t->nports > 8 && nslots * t->nports > ALL_SLOTS)
		nslots /= 2;
	slots = bench_pages((size_t)t->nports * nslots * BENCH_STRIDE);
	t->ring = calloc(t->nports, sizeof(*t->ring));
	t->expected = calloc(t->nports, sizeof(*t->expected));
	if (!t->ring || !t->expected)
		bench_fail("no memory");
	for (uint32_t i = 0; i < t->nports; i++) {
		t->ring[i].slots = slots + (size_t)i * nslots * BENCH_STRIDE;
		t->ring[i].mask = nslots - 1;
		t->ring[i].nslots = nslots;
	}
}

void
bench_traffic_init(struct bench_traffic *t, uint32_t nports, uint32_t len,
		   bool floods)
{
	static uint32_t slot[BENCH_NFRAMES];
	uint32_t turn[BENCH_NFRAMES / BENCH_BATCH];
	uint32_t nbatches = BENCH_NFRAMES / BENCH_BATCH;
	uint8_t *mem = bench_pages((size_t)BENCH_NFRAMES * BENCH_STRIDE);
	uint64_t rng = SEED;

	*t = (struct bench_traffic){
		.nports = nports,
		.len = len,
		.floods = floods,
	};
	init_stations(t, &rng);
	init_rings(t);
	bench_permute(&rng, slot, BENCH_NFRAMES);
	bench_permute(&rng, turn, nbatches);
	for (uint32_t i = 0; i < BENCH_NFRAMES; i++) {
		uint8_t *p = mem + (size_t)slot[i] * BENCH_STRIDE;
		uint32_t in = turn[i / BENCH_BATCH] % nports;
		uint32_t out = bench_random_below(&rng, nports - 1);
		uint32_t src = station_at(&rng, in, nports);
		uint32_t dst;

		out += out >= in;
		dst = station_at(&rng, out, nports);
		write_frame(p, len, floods ? broadcast : t->addr[dst],
			    t->addr[src], src, dst, i);
		t->in[i / BENCH_BATCH] = in;
		t->order[i] = (struct bench_view){.data = p, .len = len};
		t->out[i] = floods ? PORT_NONE : out;
		for (uint32_t j = 0; j < nports; j++)
			t->expected[j] += floods ? j != in : j == out;
	}
	for (uint32_t j = 0; j < nports; j++)
		t->copies += t->expected[j];
}

void
bench_traffic_hello(const struct bench_traffic *t, uint32_t a, uint8_t *octets)
{
	write_frame(octets, t->len, broadcast, t->addr[a], a, 0, BENCH_NFRAMES);
}

static void
verify_slot(const struct bench_traffic *t, uint32_t port, uint32_t slot)
{
	const uint8_t *p = t->ring[port].slots + (size_t)slot * BENCH_STRIDE;
	uint32_t i = load32(p + SEQUENCE);

	if (i >= BENCH_NFRAMES || memcmp(p, t->order[i].data, t->len))
		bench_fail("port %u, slot %u: the octets are not those of a "
			   "frame that was sent",
			   port, slot);
	if (t->floods ? t->in[i / BENCH_BATCH] == port : t->out[i] != port)
		bench_fail("port %u, slot %u: frame %u does not belong here",
			   port, slot, i);
}

void
bench_traffic_verify(const struct bench_traffic *t, uint64_t passes)
{
	for (uint32_t i = 0; i < t->nports; i++) {
		const struct bench_ring *r = &t->ring[i];

		if (r->head != passes * t->expected[i])
			bench_fail("port %u got %llu frames instead of %llu", i,
				   (unsigned long long)r->head,
				   (unsigned long long)passes * t->expected[i]);
		for (uint32_t j = 0; j < r->nslots && j < r->head; j++)
			verify_slot(t, i, j);
	}
}
