/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that a switch takes: what it asks its allocator for, what of that
 * becomes resident, and whether vnet_switch_memory() said so beforehand.
 */
#include <stdio.h>
#include <string.h>

#include <vnet/libvnet.h>

#include "harness/harness.h"

#define NPORTS     4096
#define NADDRESSES 1000000
#define BATCH      64

struct measured {
	uint64_t taken;    /* octets asked for, at the most */
	uint64_t declared; /* what vnet_switch_memory() said */
	uint64_t resident;
	uint64_t kept; /* addresses in the table */
};

static struct bench_memory memory;
static struct vnet_alloc alloc;

static struct vnet_switch *
create(const struct vnet_switch_config *config)
{
	struct vnet_switch *sw;
	struct vnet_why why = {0};
	int rc = vnet_switch_create(&sw, config, &why);

	if (rc)
		bench_fail("vnet_switch_create: error %d %s", rc,
			   why.text ? why.text : "");
	return sw;
}

static vnet_client_id
add_port(struct vnet_switch *sw, uint32_t number)
{
	char name[VNET_PORT_NAME_SIZE];
	struct vnet_port_config config = {.size = sizeof(config)};
	vnet_port_id port;
	vnet_client_id client;
	int rc;

	snprintf(name, sizeof(name), "port%u", number);
	config.name = name;
	rc = vnet_port_add(sw, &config, &port, NULL);
	if (!rc)
		rc = vnet_null_open(sw, port, &client);
	if (rc)
		bench_fail("port %u: error %d", number, rc);
	return client;
}

/* A broadcast from station @n, of the least length. */
static void
write_hello(uint8_t octets[14], uint32_t n)
{
	memset(octets, 0xff, 6);
	octets[6] = 2;
	octets[7] = 0;
	octets[8] = (uint8_t)(n >> 24);
	octets[9] = (uint8_t)(n >> 16);
	octets[10] = (uint8_t)(n >> 8);
	octets[11] = (uint8_t)n;
	octets[12] = 0x88;
	octets[13] = 0xb5; /* for experiments (IEEE 802, 9.2.4) */
}

static void
finish(struct vnet_switch *sw, struct measured *m, uint64_t rss_before,
       const struct vnet_switch_config *config)
{
	struct vnet_switch_stats stats = {.size = sizeof(stats)};

	m->resident = bench_rss() - rss_before;
	m->taken = memory.most;
	m->declared = vnet_switch_memory(config);
	if (vnet_switch_get_stats(sw, &stats) || !vnet_switch_check(sw, NULL))
		bench_fail("the switch is not in order");
	m->kept = stats.fdb_entries;
	if (m->declared < m->taken)
		bench_fail("took %llu octets, said %llu",
			   (unsigned long long)m->taken,
			   (unsigned long long)m->declared);
	vnet_switch_destroy(sw);
	if (memory.now)
		bench_fail("the switch kept memory");
}

/* Every port with a client that has said hello once, and is idle since. */
static void
measure_ports(struct measured *m)
{
	struct vnet_switch_config config = {
		.size = sizeof(config),
		.max_ports = NPORTS,
	};
	static vnet_client_id client[NPORTS];
	uint64_t rss;
	struct vnet_switch *sw;

	/* Touched before, so as not to be counted. */
	memset(client, 1, sizeof(client));
	alloc = bench_alloc(&memory);
	config.alloc = &alloc;
	rss = bench_rss();
	sw = create(&config);
	for (uint32_t i = 0; i < NPORTS; i++)
		client[i] = add_port(sw, i);
	for (uint32_t i = 0; i < NPORTS; i++) {
		uint8_t octets[14];
		struct vnet_frame f = {.data = octets, .len = 14};

		write_hello(octets, i);
		vnet_switch_input(sw, client[i], &f, 1, VNET_NSEC_PER_SEC);
	}
	finish(sw, m, rss, &config);
	if (m->kept != NPORTS)
		bench_fail("%llu ports are known instead of %d",
			   (unsigned long long)m->kept, NPORTS);
}

/* A switch of 8 ports and so many addresses, all of them learned. */
static void
measure_addresses(struct measured *m, uint32_t n)
{
	struct vnet_switch_config config = {
		.size = sizeof(config),
		.max_ports = 8,
		.fdb_entries = n,
	};
	static uint8_t octets[BATCH][14];
	static struct vnet_frame f[BATCH];
	vnet_client_id client[8];
	uint64_t rss;
	struct vnet_switch *sw;

	alloc = bench_alloc(&memory);
	config.alloc = &alloc;
	rss = bench_rss();
	sw = create(&config);
	for (uint32_t i = 0; i < 8; i++)
		client[i] = add_port(sw, i);
	for (uint32_t i = 0; i < n; i += BATCH) {
		uint32_t batch = n - i < BATCH ? n - i : BATCH;

		for (uint32_t j = 0; j < batch; j++) {
			write_hello(octets[j], i + j);
			f[j].data = octets[j];
			f[j].len = sizeof(octets[j]);
		}
		vnet_switch_input(sw, client[i / BATCH % 8], f, batch,
				  VNET_NSEC_PER_SEC);
	}
	finish(sw, m, rss, &config);
}

enum field { TAKEN, DECLARED, RESIDENT };

static uint64_t
field(const struct measured *m, enum field which)
{
	return which == TAKEN      ? m->taken
	       : which == DECLARED ? m->declared
				   : m->resident;
}

static void
run_ports(struct bench_run *r, const void *arg)
{
	struct measured m;

	(void)r;
	measure_ports(&m);
	bench_report("octets", (double)field(&m, *(const enum field *)arg));
}

/* Beyond a switch of the same kind with a table for one address. */
static void
run_addresses(struct bench_run *r, const void *arg)
{
	const enum field *which = arg;
	struct measured small, large;

	(void)r;
	measure_addresses(&small, 1);
	measure_addresses(&large, NADDRESSES);
	bench_report("octets", (double)field(&large, *which) -
				       (double)field(&small, *which));
}

static void
run_kept(struct bench_run *r, const void *arg)
{
	struct measured m;

	(void)r;
	(void)arg;
	measure_addresses(&m, NADDRESSES);
	bench_report("addresses", (double)m.kept);
}

static const enum field taken = TAKEN;
static const enum field declared = DECLARED;
static const enum field resident = RESIDENT;

static const struct bench_case cases[] = {
	{"ports4096_idle_octets", "core", true, NULL, run_ports, &taken},
	{"ports4096_idle_declared", "core", true, NULL, run_ports, &declared},
	{"ports4096_idle_resident", "core", true, NULL, run_ports, &resident},
	{"fdb1m_octets", "core", true, NULL, run_addresses, &taken},
	{"fdb1m_declared", "core", true, NULL, run_addresses, &declared},
	{"fdb1m_resident", "core", true, NULL, run_addresses, &resident},
	{"fdb1m_kept", "core", true, NULL, run_kept, NULL},
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
