/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <bare.h>

#include "crowd.h"
#include "guest.h"

/* The clock's step. */
#define IDLE_MS    10
#define WIRE_LEAST 60

/* FNV-1a. */
static uint32_t
digest(uint32_t h, uint8_t octet)
{
	return (h ^ octet) * 16777619;
}

void
tally_add(struct tally *t, const uint8_t *frame, size_t len, size_t least)
{
	uint32_t h = t->frames ? t->digest : 2166136261;
	const size_t total = len > least ? len : least;

	h = digest(h, (uint8_t)(total >> 8));
	h = digest(h, (uint8_t)total);
	for (size_t i = 0; i < total; i++)
		h = digest(h, i < len ? frame[i] : 0);
	t->frames++;
	t->digest = h;
}

void
member_write(struct member *m, const uint8_t *frame, size_t len)
{
	tally_add(&m->sent, frame, len, 0);
	tally_add(&m->on_wire, frame, len, WIRE_LEAST);
	netdev_write(&m->station.dev, frame, len);
}

static void
send_frame(void *ctx, const uint8_t *frame, size_t len)
{
	member_write(ctx, frame, len);
}

void
member_start(struct member *m, mach_port_t master, bool is_bpf, int flags,
	     const struct host_addr *ip4, const struct host_addr *ip6)
{
	struct netdev *dev = &m->station.dev;
	struct host_config config = {
		.send = send_frame,
		.ctx = m,
	};

	memset(&m->sent, 0, sizeof(m->sent));
	m->received = m->on_wire = m->sent;
	CHECK_OK(netdev_open(dev, master, m->name, is_bpf, flags));
	memcpy(config.mac, dev->mac, sizeof(config.mac));
	/* Names of rights differ, where the time and the address do not. */
	config.seed = (uint32_t)netdev_now() ^ dev->receive << 16;
	if (ip4)
		config.ip4 = *ip4;
	if (ip6)
		config.ip6 = *ip6;
	memset(&m->station.tcp, 0, sizeof(m->station.tcp));
	host_init(&m->station.host, &config, netdev_now());
}

void
member_leave(struct member *m)
{
	const struct host_counts *c = &m->station.host.counts;

	CHECK_EQ(c->malformed, 0);
	CHECK_EQ(c->checksums, 0);
	CHECK_EQ(m->station.dev.refused, 0);
	CHECK_EQ(m->station.dev.strange, 0);
	netdev_close(&m->station.dev);
}

bool
member_is_ready(struct member *m)
{
	return host_is_ready(&m->station.host);
}

/* Take one frame. False if there was none. */
static bool
take(struct member *m, uint32_t wait_ms)
{
	uint8_t frame[HOST_FRAME_MAX];
	const long len = netdev_read(&m->station.dev, frame, wait_ms);

	if (len < 0)
		return false;
	tally_add(&m->received, frame, (size_t)len, 0);
	host_input(&m->station.host, frame, (size_t)len, netdev_now());
	return true;
}

static bool
are_done(struct member *members, size_t n, bool (*is_done)(struct member *m))
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++)
		done += is_done(&members[i]);
	return done == n;
}

bool
crowd_run(struct member *members, size_t n, bool (*is_done)(struct member *m),
	  host_msec limit_ms)
{
	const host_msec limit = netdev_now() + limit_ms;

	while (netdev_now() < limit) {
		bool is_idle = true;

		if (is_done && are_done(members, n, is_done))
			return true;
		for (size_t i = 0; i < n; i++) {
			while (take(&members[i], 0))
				is_idle = false;
			host_tick(&members[i].station.host, netdev_now());
		}
		if (is_idle)
			take(&members[0], IDLE_MS);
	}
	return false;
}
