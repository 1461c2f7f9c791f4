/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a frame costs that passes several switches of one program.
 *
 * up1, up4: from a client by so many switches, each the uplink of the one
 * before, to the wire.
 *
 *	client --- switch 1 --- switch 2 --- ... --- wire
 *
 * one_N, chain_N: frames of N hosts to each other, all pairs equally, on one
 * switch with N interfaces, and on N switches of one interface, chained: on each
 * interface are a host and the switch below.
 *
 *	host 1  host 2 ... host N         host 1     host 2         host N
 *	  |       |          |              |          |              |
 *	[      one switch      ]          [vif] up---[vif] up---...-[vif]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/libvnet.h>

#include "harness/harness.h"

#define MAX_LEVELS 8
#define BATCH      64
#define LEN        60
#define NFRAMES    4096
#define QUEUE      (UINT32_C(1) << 20)

struct level {
	struct vnet_switch *sw;
	vnet_port_id vif;
	vnet_client_id client;   /* on it; by the null driver */
	struct vnet_inproc host; /* or this one */
	struct vnet_patch cable; /* to the next level */
};

static struct level levels[MAX_LEVELS];
static struct vnet_alloc alloc;
static struct bench_memory memory;
static uint8_t octets[NFRAMES][LEN];
static struct vnet_frame frames[NFRAMES];

static void
create(struct level *l)
{
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.seed = 1,
		.max_ports = MAX_LEVELS,
		.max_clients = MAX_LEVELS + 1,
		.pool_octets = 64 * (uint64_t)QUEUE,
		.queue_octets = QUEUE,
	};

	if (!alloc.get)
		alloc = bench_alloc(&memory);
	if (vnet_switch_create(&l->sw, &config, NULL))
		bench_fail("vnet_switch_create");
}

static vnet_port_id
add_port(struct vnet_switch *sw, const char *name, enum vnet_role role)
{
	const struct vnet_port_config config = {
		.size = sizeof(config), .name = name, .role = role};
	vnet_port_id port;

	if (vnet_port_add(sw, &config, &port, NULL))
		bench_fail("port %s", name);
	return port;
}

/* The uplink of level @i leads to the next one. */
static void
connect_level(uint32_t i)
{
	struct vnet_switch *const sw[2] = {levels[i].sw, levels[i + 1].sw};
	const vnet_port_id port[2] = {add_port(sw[0], "up", VNET_ROLE_UPLINK),
				      levels[i + 1].vif};

	if (vnet_patch_open(&levels[i].cable, sw, port, NULL))
		bench_fail("vnet_patch_open");
}

static void
destroy(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!vnet_switch_check(levels[i].sw, NULL))
			bench_fail("the sums of switch %u do not agree", i);
	}
	for (uint32_t i = 0; i < n; i++)
		vnet_switch_destroy(levels[i].sw);
}

static void
make_frame(uint32_t i, uint8_t dst, uint8_t src)
{
	memcpy(octets[i], (const uint8_t[]){2, 0, 0, 0, 0, dst}, 6);
	memcpy(octets[i] + 6, (const uint8_t[]){2, 0, 0, 0, 0, src}, 6);
	memcpy(octets[i] + 12, "\x88\xb5", 2);
	frames[i] = (struct vnet_frame){.data = octets[i], .len = LEN};
}

/* @arg: how many levels. */
static void
run_up(struct bench_run *r, const void *arg)
{
	uint32_t n = *(const uint32_t *)arg;
	struct vnet_client_stats stats = {.size = sizeof(stats)};
	struct vnet_switch *top;
	vnet_client_id wire;
	vnet_nsec now = 0;

	for (uint32_t i = 0; i < n; i++) {
		create(&levels[i]);
		levels[i].vif = add_port(levels[i].sw, "vif", VNET_ROLE_VIF);
	}
	for (uint32_t i = 0; i + 1 < n; i++)
		connect_level(i);
	top = levels[n - 1].sw;
	if (vnet_null_open(levels[0].sw, levels[0].vif, &levels[0].client) ||
	    vnet_null_open(top, add_port(top, "wire", VNET_ROLE_UPLINK), &wire))
		bench_fail("vnet_null_open");
	for (uint32_t i = 0; i < NFRAMES; i++)
		make_frame(i, 0xff, 1);
	while (bench_more(r)) {
		for (uint32_t i = 0; i < NFRAMES; i += BATCH)
			vnet_switch_input(levels[0].sw, levels[0].client,
					  frames + i, BATCH, ++now);
		r->done += NFRAMES;
	}
	vnet_client_get_stats(top, wire, &stats);
	if (stats.delivered.frames != r->done)
		bench_fail("%llu of %llu frames came to the wire",
			   (unsigned long long)stats.delivered.frames,
			   (unsigned long long)r->done);
	bench_report("ns/frame", r->seconds * 1e9 / (double)r->done);
	destroy(n);
}

struct hosts {
	uint32_t n;
	bool is_chain;
};

static void
open_hosts(const struct hosts *h)
{
	for (uint32_t i = 0; i < h->n; i++) {
		char name[8];

		if (h->is_chain || !i)
			create(&levels[i]);
		else
			levels[i].sw = levels[0].sw;
		snprintf(name, sizeof(name), "vif%u", i);
		levels[i].vif = add_port(levels[i].sw, name, VNET_ROLE_VIF);
		if (vnet_inproc_open(&levels[i].host, levels[i].sw,
				     levels[i].vif, 0, 0))
			bench_fail("vnet_inproc_open");
	}
	for (uint32_t i = 0; h->is_chain && i + 1 < h->n; i++)
		connect_level(i);
}

static void
ignore(void *ctx, const struct vnet_frame *f)
{
	(void)ctx;
	(void)f;
}

static uint64_t
poll_hosts(const struct hosts *h, vnet_nsec now)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < h->n; i++)
		n += (uint64_t)vnet_inproc_poll(&levels[i].host, ignore, NULL,
						NFRAMES, now);
	return n;
}

/* Frames that all switches together have forwarded, each in each of them. */
static uint64_t
forwarded(const struct hosts *h)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < (h->is_chain ? h->n : 1); i++) {
		struct vnet_switch_stats stats = {.size = sizeof(stats)};

		vnet_switch_get_stats(levels[i].sw, &stats);
		n += stats.total.looked_up.frames;
	}
	return n;
}

static void
run_hosts(struct bench_run *r, const void *arg)
{
	const struct hosts *h = arg;
	const uint32_t nothers = h->n > 1 ? h->n - 1 : 1;
	uint64_t got = 0, before;
	vnet_nsec now = 0;

	open_hosts(h);
	/* Everybody is known everywhere. */
	for (uint32_t i = 0; i < h->n; i++) {
		make_frame(0, 0xff, (uint8_t)(i + 1));
		memset(octets[0], 0xff, 6);
		vnet_switch_input(levels[i].sw, levels[i].host.id, frames, 1,
				  now);
	}
	poll_hosts(h, now);
	before = forwarded(h);
	/* Batch k is from host k, to the others in turn. */
	for (uint32_t i = 0; i < NFRAMES; i++) {
		uint32_t src = i / BATCH % h->n;
		uint32_t dst = (src + 1 + i % nothers) % h->n;

		make_frame(i, (uint8_t)(dst + 1), (uint8_t)(src + 1));
	}
	while (bench_more(r)) {
		for (uint32_t i = 0; i < NFRAMES; i += BATCH) {
			const struct level *l = &levels[i / BATCH % h->n];

			vnet_switch_input(l->sw, l->host.id, frames + i, BATCH,
					  ++now);
			got += poll_hosts(h, now);
		}
		r->done += NFRAMES;
	}
	if (got != r->done)
		bench_fail("%llu of %llu frames were received",
			   (unsigned long long)got,
			   (unsigned long long)r->done);
	bench_report("ns/frame", r->seconds * 1e9 / (double)r->done);
	bench_report("switches passed/frame",
		     (double)(forwarded(h) - before) / (double)r->done);
	/* Only for who receives it is a frame copied: the others lend. */
	bench_report("copies/frame", (double)got / (double)r->done);
	destroy(h->is_chain ? h->n : 1);
}

#define UP(n)                                                             \
	{                                                                 \
		"up" #n, "core", true, "frame", run_up, &(const uint32_t) \
		{                                                         \
			n                                                 \
		}                                                         \
	}
#define HOSTS(name, n, is_chain)                                              \
	{                                                                     \
		name, "core", true, "frame", run_hosts, &(const struct hosts) \
		{                                                             \
			n, is_chain                                           \
		}                                                             \
	}

static const struct bench_case cases[] = {
	UP(1),
	UP(2),
	UP(4),
	UP(8),
	HOSTS("one_2", 2, false),
	HOSTS("chain_2", 2, true),
	HOSTS("one_4", 4, false),
	HOSTS("chain_4", 4, true),
	HOSTS("one_8", 8, false),
	HOSTS("chain_8", 8, true),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
