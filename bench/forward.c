/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames a second through a switch in memory, beside a yardstick: a loop that
 * does for each frame one look-up and one copy, and no more. Traffic and
 * destinations are harness/traffic.h's for both.
 *
 * The switch is used as a program uses it: batches of one port's frames are
 * handed to vnet_switch_input(), the time goes on, the tick is called when it
 * is due, and every port has a driver that copies each frame into its ring.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/libvnet.h>

#include "harness/filters.h"
#include "harness/harness.h"
#include "harness/traffic.h"

/* Time that passes from one frame to the next: 20 million a second. */
#define FRAME_NS 50

#define NLEARNED 1000000

/* Zero means the default. */
struct scenario {
	uint32_t len;       /* 60 */
	uint32_t nports;    /* 8 */
	uint32_t batch;     /* frames of a call, divides BENCH_BATCH: so many */
	const char *filter; /* at ingress of every port: none */
	bool floods;
};

struct net {
	struct vnet_switch *sw;
	struct vnet_alloc alloc;
	struct bench_memory memory;
	vnet_client_id *client;
	vnet_nsec now;
	uint64_t passes;
};

static struct scenario
with_defaults(const struct scenario *given)
{
	struct scenario s = *given;

	s.len = s.len ? s.len : 60;
	s.nports = s.nports ? s.nports : 8;
	s.batch = s.batch ? s.batch : BENCH_BATCH;
	return s;
}

static void
report(const struct bench_run *r, const struct bench_traffic *t)
{
	double copies = (double)t->copies / BENCH_NFRAMES;

	bench_report("Mframes/s", (double)r->done / r->seconds / 1e6);
	bench_report("ns/frame", r->seconds * 1e9 / (double)r->done);
	if (t->floods)
		bench_report("ns/copy",
			     r->seconds * 1e9 / (double)r->done / copies);
}

/*
 * The yardstick's table: open addressing, linear probing, slots of 8 octets
 * (address in the upper 48 bits, port in the lower 16). It is half full; a
 * quarter and an eighth full are no faster.
 */
#define TABLE_BITS 11
#define TABLE_SIZE (1u << TABLE_BITS)

static uint64_t
address(const uint8_t *p)
{
	uint32_t hi;
	uint16_t lo;

	memcpy(&hi, p, 4);
	memcpy(&lo, p + 4, 2);
	return (uint64_t)hi << 32 | (uint64_t)lo << 16;
}

static uint32_t
table_slot(uint64_t addr)
{
	return (uint32_t)(addr * UINT64_C(0x9e3779b97f4a7c15) >>
			  (64 - TABLE_BITS));
}

static void
table_add(uint64_t *table, uint64_t addr, uint32_t port)
{
	uint32_t i = table_slot(addr);

	while (table[i])
		i = (i + 1) & (TABLE_SIZE - 1);
	table[i] = addr | port;
}

/* The port of an address, UINT32_MAX if it has none. */
static inline uint32_t
table_find(const uint64_t *table, uint64_t addr)
{
	for (uint32_t i = table_slot(addr);; i = (i + 1) & (TABLE_SIZE - 1)) {
		if (table[i] >> 16 == addr >> 16)
			return table[i] & 0xffff;
		if (!table[i])
			return UINT32_MAX;
	}
}

/* To all ports but the one it came from. */
static void
flood(struct bench_traffic *t, uint32_t in, const struct bench_view *f)
{
	for (uint32_t i = 0; i < t->nports; i++)
		if (i != in)
			bench_ring_put(&t->ring[i], f->data, f->len);
}

static void
yardstick_pass(struct bench_traffic *t, const uint64_t *table)
{
	for (uint32_t i = 0; i < BENCH_NFRAMES; i++) {
		const struct bench_view *f = &t->order[i];
		uint32_t port = table_find(table, address(f->data));

		if (port == UINT32_MAX)
			flood(t, t->in[i / BENCH_BATCH], f);
		else
			bench_ring_put(&t->ring[port], f->data, f->len);
	}
}

static void
run_yardstick(struct bench_run *r, const void *arg)
{
	static struct bench_traffic t;
	static uint64_t table[TABLE_SIZE];
	const struct scenario s = with_defaults(arg);
	uint64_t passes = 2;

	bench_traffic_init(&t, s.nports, s.len, s.floods);
	for (uint32_t i = 0; i < BENCH_NADDRS; i++)
		table_add(table, address(t.addr[i].octet), i % s.nports);
	yardstick_pass(&t, table);
	yardstick_pass(&t, table);
	while (bench_more(r)) {
		yardstick_pass(&t, table);
		r->done += BENCH_NFRAMES;
		passes++;
	}
	bench_traffic_verify(&t, passes);
	report(r, &t);
}

static int
copy_send(void *ctx, const struct vnet_frame *frames, size_t n, size_t *refused)
{
	struct bench_ring *ring = ctx;

	(void)refused;
	for (size_t i = 0; i < n; i++)
		bench_ring_put(ring, frames[i].data, frames[i].len);
	return (int)n;
}

static const struct vnet_driver_ops copy_ops = {
	.size = sizeof(copy_ops),
	.send = copy_send,
};

static void
add_filter(struct net *net, vnet_port_id port, const char *name)
{
	const struct bench_filter *f = bench_filter_find(name);
	struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = name,
		.verdict = f->verdict,
		.insns = f->insns,
		.ninsns = f->ninsns,
	};
	struct vnet_why why = {0};
	int rc;

	rc = vnet_filter_add(net->sw, port, VNET_INGRESS, &rule, &why);
	/* What passes by a match passes by nothing else. */
	if (!rc && f->verdict == VNET_PASS)
		rc = vnet_filter_set_default(net->sw, port, VNET_INGRESS,
					     VNET_DROP);
	if (rc)
		bench_fail("filter: error %d %s", rc, why.text ? why.text : "");
}

static vnet_client_id
add_port(struct net *net, uint32_t number, const struct scenario *s,
	 struct bench_ring *ring)
{
	char name[VNET_PORT_NAME_SIZE];
	struct vnet_port_config port = {.size = sizeof(port), .name = name};
	struct vnet_client_config client = {
		.size = sizeof(client),
		.ops = &copy_ops,
		.ctx = ring,
	};
	vnet_port_id id;
	vnet_client_id client_id;
	int rc;

	snprintf(name, sizeof(name), "port%u", number);
	rc = vnet_port_add(net->sw, &port, &id, NULL);
	if (!rc)
		rc = vnet_client_add(net->sw, id, &client, &client_id, NULL);
	if (rc)
		bench_fail("port %u: error %d", number, rc);
	if (s->filter)
		add_filter(net, id, s->filter);
	return client_id;
}

static void
input(struct net *net, uint32_t port, const struct vnet_frame *f, uint32_t n)
{
	net->now += (vnet_nsec)FRAME_NS * n;
	vnet_switch_input(net->sw, net->client[port], f, n, net->now);
}

static void
create(struct net *net, const struct scenario *s, struct bench_ring *rings,
       uint32_t fdb_entries)
{
	struct vnet_switch_config config = {
		.size = sizeof(config),
		.seed = 1,
		.max_ports = s->nports,
		.fdb_entries = fdb_entries,
		.max_rules = s->nports,
		.max_insns = s->nports * 100,
	};
	int rc;

	net->alloc = bench_alloc(&net->memory);
	config.alloc = &net->alloc;
	rc = vnet_switch_create(&net->sw, &config, NULL);
	if (rc)
		bench_fail("vnet_switch_create: error %d", rc);
	net->client = calloc(s->nports, sizeof(*net->client));
	if (!net->client)
		bench_fail("no memory");
	for (uint32_t i = 0; i < s->nports; i++)
		net->client[i] = add_port(net, i, s, &rings[i]);
	net->now = VNET_NSEC_PER_SEC;
}

static void
learn_stations(struct net *net, struct bench_traffic *t)
{
	uint8_t octets[BENCH_STRIDE];

	for (uint32_t i = 0; i < BENCH_NADDRS; i++) {
		struct vnet_frame f = {.data = octets, .len = t->len};

		bench_traffic_hello(t, i, octets);
		input(net, i % t->nports, &f, 1);
	}
	for (uint32_t i = 0; i < t->nports; i++)
		t->ring[i].head = 0;
}

static void
core_pass(struct net *net, const struct scenario *s,
	  const struct bench_traffic *t)
{
	/* As a driver's: only what differs from frame to frame is written. */
	static struct vnet_frame f[BENCH_BATCH];

	for (uint32_t i = 0; i < BENCH_NFRAMES; i += s->batch) {
		for (uint32_t j = 0; j < s->batch; j++) {
			f[j].data = t->order[i + j].data;
			f[j].len = t->order[i + j].len;
		}
		input(net, t->in[i / BENCH_BATCH], f, s->batch);
	}
	if (vnet_switch_deadline(net->sw) <= net->now)
		vnet_switch_tick(net->sw, net->now);
	net->passes++;
}

static void
get_stats(const struct net *net, struct vnet_switch_stats *stats)
{
	stats->size = sizeof(*stats);
	if (vnet_switch_get_stats(net->sw, stats))
		bench_fail("vnet_switch_get_stats failed");
}

static void
verify(const struct net *net, const struct bench_traffic *t,
       const struct vnet_client_stats *before)
{
	struct vnet_switch_stats stats;
	struct vnet_why why = {0};

	bench_traffic_verify(t, net->passes);
	get_stats(net, &stats);
	if (stats.total.in.frames - before->in.frames !=
		    net->passes * BENCH_NFRAMES ||
	    stats.total.looked_up.frames - before->looked_up.frames !=
		    net->passes * BENCH_NFRAMES ||
	    stats.total.delivered.frames - before->delivered.frames !=
		    net->passes * t->copies)
		bench_fail("the counters do not say what was sent");
	if (!vnet_switch_check(net->sw, &why))
		bench_fail("vnet_switch_check: %s", why.text ? why.text : "?");
}

static void
run_core(struct bench_run *r, const void *arg)
{
	static struct bench_traffic t;
	const struct scenario s = with_defaults(arg);
	struct vnet_switch_stats before;
	struct net net = {0};

	bench_traffic_init(&t, s.nports, s.len, s.floods);
	create(&net, &s, t.ring, 0);
	learn_stations(&net, &t);
	get_stats(&net, &before);
	core_pass(&net, &s, &t);
	core_pass(&net, &s, &t);
	while (bench_more(r)) {
		core_pass(&net, &s, &t);
		r->done += BENCH_NFRAMES;
	}
	verify(&net, &t, &before.total);
	report(r, &t);
	vnet_switch_destroy(net.sw);
	if (net.memory.now)
		bench_fail("the switch kept memory");
}

/* Each frame comes from an address that was never seen before. */
static void
run_learn(struct bench_run *r, const void *arg)
{
	static struct bench_traffic t;
	static uint8_t octets[BENCH_BATCH][64];
	const struct scenario s = with_defaults(arg);
	struct vnet_switch_stats stats;
	struct net net = {0};
	struct vnet_frame f[BENCH_BATCH] = {0};

	bench_traffic_init(&t, s.nports, s.len, s.floods);
	create(&net, &s, t.ring, NLEARNED + BENCH_NADDRS);
	learn_stations(&net, &t);
	for (uint32_t i = 0; i < BENCH_BATCH; i++) {
		memcpy(octets[i], t.order[i].data, t.len);
		f[i].data = octets[i];
		f[i].len = t.len;
	}
	bench_start(r);
	while (r->done < NLEARNED) {
		for (uint32_t i = 0; i < BENCH_BATCH; i++) {
			uint32_t n = (uint32_t)r->done + i;

			memcpy(&octets[i][8], &n, 4);
			octets[i][7] = 0xfe;
		}
		input(&net, t.in[0], f, BENCH_BATCH);
		r->done += BENCH_BATCH;
	}
	bench_stop(r);
	get_stats(&net, &stats);
	if (stats.fdb_entries + stats.fdb_evictions + stats.fdb_unlearned <
	    r->done)
		bench_fail("of %llu addresses %u were learned",
			   (unsigned long long)r->done, stats.fdb_entries);
	if (!vnet_switch_check(net.sw, NULL))
		bench_fail("vnet_switch_check fails");
	bench_report("Maddresses/s", (double)r->done / r->seconds / 1e6);
	bench_report("ns/address", r->seconds * 1e9 / (double)r->done);
	bench_report("addresses kept", stats.fdb_entries);
	vnet_switch_destroy(net.sw);
}

/* Which case it is of whom, and how it differs from the defaults. */
#define CORE(name, ...)                                                   \
	{                                                                 \
		name, "core", true, NULL, run_core, SCENARIO(__VA_ARGS__) \
	}
#define YARDSTICK(name, ...)                                   \
	{                                                      \
		name, "yardstick", false, NULL, run_yardstick, \
			SCENARIO(__VA_ARGS__)                  \
	}
#define SCENARIO(...) (&(const struct scenario){__VA_ARGS__})

static const struct bench_case cases[] = {
	{"unicast60_p8_f7", "core", true, "frame", run_core,
	 SCENARIO(.filter = "f7")},
	{"unicast60_p8_f7", "yardstick", false, "frame", run_yardstick,
	 SCENARIO(.filter = NULL)},
	CORE("unicast508_p8_f7", .len = 508, .filter = "f7"),
	YARDSTICK("unicast508_p8_f7", .len = 508),
	CORE("unicast1514_p8_f7", .len = 1514, .filter = "f7"),
	YARDSTICK("unicast1514_p8_f7", .len = 1514),
	CORE("unicast60_p2_f7", .nports = 2, .filter = "f7"),
	YARDSTICK("unicast60_p2_f7", .nports = 2),
	CORE("unicast60_p1000_f7", .nports = 1000, .filter = "f7"),
	YARDSTICK("unicast60_p1000_f7", .nports = 1000),
	CORE("flood60_p8", .floods = true),
	YARDSTICK("flood60_p8", .floods = true),
	{"flood60_p1000", "core", true, "frame", run_core,
	 SCENARIO(.nports = 1000, .floods = true)},
	YARDSTICK("flood60_p1000", .nports = 1000, .floods = true),
	CORE("unicast60_p8_f0", .filter = NULL),
	CORE("unicast60_p8_f18", .filter = "f18"),
	CORE("unicast60_p8_f100", .filter = "f100"),
	CORE("unicast60_p8_f7_b1", .filter = "f7", .batch = 1),
	CORE("unicast60_p8_f7_b8", .filter = "f7", .batch = 8),
	{"fdb_learn", "core", true, NULL, run_learn, SCENARIO(.len = 60)},
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
