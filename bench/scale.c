/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a switch takes it when there is much of everything: addresses, ports,
 * clients. Its clients are of the null driver, so that nothing but the switch
 * is measured.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vnet/libvnet.h>

#include "harness/harness.h"

#define NPORTS     8 /* where it is not ports that there are many of */
#define NSTATIONS  1000
#define NADDRESSES 1000000
#define NFRAMES    4096 /* of a pass */
#define STRIDE     2048
#define LEN        60
#define BATCH      64
#define SEED       20080102
#define FRAME_NS   50 /* 20 million a second */

struct net {
	struct vnet_switch *sw;
	struct vnet_alloc alloc;
	struct bench_memory memory;
	vnet_client_id *client;
	vnet_nsec now;
};

static vnet_port_id
add_port(struct net *net, uint32_t number)
{
	char name[VNET_PORT_NAME_SIZE];
	struct vnet_port_config config = {.size = sizeof(config), .name = name};
	vnet_port_id port;
	int rc;

	snprintf(name, sizeof(name), "port%u", number);
	rc = vnet_port_add(net->sw, &config, &port, NULL);
	if (rc)
		bench_fail("port %u: error %d", number, rc);
	return port;
}

static void
create(struct net *net, uint32_t nports, uint32_t clients_each,
       uint32_t fdb_entries)
{
	uint32_t nclients = nports * clients_each;
	struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &net->alloc,
		.seed = 1,
		.max_ports = nports,
		.max_clients = nclients,
		.fdb_entries = fdb_entries,
	};
	int rc;

	*net = (struct net){.now = VNET_NSEC_PER_SEC};
	net->alloc = bench_alloc(&net->memory);
	rc = vnet_switch_create(&net->sw, &config, NULL);
	if (rc)
		bench_fail("vnet_switch_create: error %d", rc);
	net->client = calloc(nclients, sizeof(*net->client));
	if (!net->client)
		bench_fail("no memory");
	for (uint32_t i = 0; i < nclients;) {
		vnet_port_id port = add_port(net, i / clients_each);

		for (uint32_t k = 0; k < clients_each; k++, i++) {
			rc = vnet_null_open(net->sw, port, &net->client[i]);
			if (rc)
				bench_fail("client %u: error %d", i, rc);
		}
	}
}

static struct vnet_switch_stats
get_stats(const struct net *net)
{
	struct vnet_switch_stats stats = {.size = sizeof(stats)};

	if (vnet_switch_get_stats(net->sw, &stats))
		bench_fail("vnet_switch_get_stats failed");
	return stats;
}

static void
destroy(struct net *net)
{
	struct vnet_why why = {0};

	if (!vnet_switch_check(net->sw, &why))
		bench_fail("vnet_switch_check: %s", why.text ? why.text : "?");
	vnet_switch_destroy(net->sw);
	if (net->memory.now)
		bench_fail("the switch kept memory");
	free(net->client);
}

static void
input(struct net *net, uint32_t client, const struct vnet_frame *f, uint32_t n)
{
	net->now += (vnet_nsec)FRAME_NS * n;
	vnet_switch_input(net->sw, net->client[client], f, n, net->now);
	if (vnet_switch_deadline(net->sw) <= net->now)
		vnet_switch_tick(net->sw, net->now);
}

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Address @n is at port n % NPORTS. */
static void
write_mac(uint8_t *p, uint32_t n)
{
	const uint8_t mac[6] = {
		2,
		0,
		(uint8_t)(n >> 24),
		(uint8_t)(n >> 16),
		(uint8_t)(n >> 8),
		(uint8_t)n,
	};

	memcpy(p, mac, sizeof(mac));
}

static void
write_header(uint8_t *p, const uint8_t *dst, uint32_t src)
{
	memcpy(p, dst, 6);
	write_mac(p + 6, src);
	p[12] = 0x88;
	p[13] = 0xb5; /* for experiments (IEEE 802, 9.2.4) */
}

/*
 * Addresses
 */

/* Frames in memory, and the order in which they come, which jumps. Runs of
 * BATCH come from one port. */
struct traffic {
	uint8_t *octets[NFRAMES];
	struct vnet_frame frame[NFRAMES];
};

static void
init_traffic(struct traffic *t)
{
	static uint32_t slot[NFRAMES];
	uint8_t *octets = bench_pages((size_t)NFRAMES * STRIDE);
	uint64_t rng = SEED;

	bench_permute(&rng, slot, NFRAMES);
	for (uint32_t i = 0; i < NFRAMES; i++) {
		t->octets[i] = octets + (size_t)slot[i] * STRIDE;
		t->frame[i] = (struct vnet_frame){
			.data = t->octets[i],
			.len = LEN,
		};
	}
}

/* One of those of the NSTATIONS that are at @port, spread over all addresses
 * that are known. */
static uint32_t
station_at(uint64_t *rng, uint32_t port, uint32_t naddresses)
{
	uint32_t apart = naddresses / NSTATIONS * NPORTS;

	return bench_random_below(rng, NSTATIONS / NPORTS) * apart + port;
}

static void
write_unicast(struct traffic *t, uint32_t naddresses)
{
	uint64_t rng = SEED;

	for (uint32_t i = 0; i < NFRAMES; i++) {
		uint32_t in = i / BATCH % NPORTS;
		uint32_t out = (in + 1 + bench_random_below(&rng, NPORTS - 1)) %
			       NPORTS;
		uint8_t dst[6];

		write_mac(dst, station_at(&rng, out, naddresses));
		write_header(t->octets[i], dst,
			     station_at(&rng, in, naddresses));
	}
}

/* Have all addresses say hello, the ports in turn. */
static void
learn_all(struct net *net, struct traffic *t, uint32_t naddresses)
{
	for (uint32_t n = 0; n < naddresses; n += NPORTS * BATCH) {
		for (uint32_t port = 0; port < NPORTS; port++) {
			uint32_t k = 0;

			for (uint32_t a = n + port; a < naddresses && k < BATCH;
			     a += NPORTS)
				write_header(t->octets[k++], broadcast, a);
			if (k)
				input(net, port, t->frame, k);
		}
	}
	if (get_stats(net).fdb_entries != naddresses)
		bench_fail("%u addresses are known",
			   get_stats(net).fdb_entries);
}

static void
unicast_pass(struct net *net, const struct traffic *t)
{
	for (uint32_t i = 0; i < NFRAMES; i += BATCH)
		input(net, i / BATCH % NPORTS, &t->frame[i], BATCH);
}

static void
run_unicast(struct bench_run *r, const void *arg)
{
	static struct traffic t;
	uint32_t naddresses = *(const uint32_t *)arg;
	struct vnet_switch_stats before, after;
	struct net net;

	init_traffic(&t);
	create(&net, NPORTS, 1, naddresses > NSTATIONS ? naddresses : 0);
	learn_all(&net, &t, naddresses);
	write_unicast(&t, naddresses);
	unicast_pass(&net, &t);
	before = get_stats(&net);
	while (bench_more(r)) {
		unicast_pass(&net, &t);
		r->done += NFRAMES;
	}
	after = get_stats(&net);
	if (after.total.looked_up.frames - before.total.looked_up.frames !=
		    r->done ||
	    after.total.delivered.frames - before.total.delivered.frames !=
		    r->done ||
	    after.total.moves)
		bench_fail("not every frame went to one port");
	bench_report("ns/frame", r->seconds * 1e9 / (double)r->done);
	destroy(&net);
}

/* Each frame comes from an address that was never seen before. */
static void
run_learn(struct bench_run *r, const void *arg)
{
	static struct traffic t;
	struct net net;
	uint8_t dst[6];

	(void)arg;
	init_traffic(&t);
	create(&net, NPORTS, 1, NADDRESSES);
	learn_all(&net, &t, NPORTS);
	write_mac(dst, 0);
	for (uint32_t i = 0; i < BATCH; i++)
		write_header(t.octets[i], dst, 0);
	bench_start(r);
	while (r->done + NPORTS < NADDRESSES) {
		/* The address that all is for is at port 0. */
		uint32_t port = 1 + (uint32_t)r->done / BATCH % (NPORTS - 1);
		uint32_t n = NADDRESSES - NPORTS - (uint32_t)r->done;

		n = n < BATCH ? n : BATCH;
		for (uint32_t i = 0; i < n; i++)
			write_mac(t.octets[i] + 6,
				  NPORTS + (uint32_t)r->done + i);
		input(&net, port, t.frame, n);
		r->done += n;
	}
	bench_stop(r);
	if (get_stats(&net).fdb_entries != NADDRESSES)
		bench_fail("%u addresses are known",
			   get_stats(&net).fdb_entries);
	bench_report("Maddresses/s", (double)r->done / r->seconds / 1e6);
	bench_report("ns/address", r->seconds * 1e9 / (double)r->done);
	destroy(&net);
}

/*
 * Ports, and their clients
 */

#define MANY_PORTS   1000
#define CLIENTS_EACH 4
#define FLOOD_BATCH  32

/* Broadcast to MANY_PORTS, from one beside them. */
static void
run_flood(struct bench_run *r, const void *arg)
{
	static uint8_t octets[FLOOD_BATCH][LEN];
	struct vnet_frame f[FLOOD_BATCH] = {0};
	uint64_t delivered;
	struct net net;

	(void)arg;
	create(&net, MANY_PORTS + 1, 1, 0);
	for (uint32_t i = 0; i < FLOOD_BATCH; i++) {
		write_header(octets[i], broadcast, 0);
		f[i].data = octets[i];
		f[i].len = LEN;
	}
	input(&net, MANY_PORTS, f, FLOOD_BATCH);
	delivered = get_stats(&net).total.delivered.frames;
	while (bench_more(r)) {
		input(&net, MANY_PORTS, f, FLOOD_BATCH);
		r->done += FLOOD_BATCH;
	}
	delivered = get_stats(&net).total.delivered.frames - delivered;
	if (delivered != r->done * MANY_PORTS)
		bench_fail("delivered %" PRIu64 " frames", delivered);
	bench_report("ns/frame and port",
		     r->seconds * 1e9 / (double)r->done / MANY_PORTS);
	destroy(&net);
}

/* Octets of this process that are in memory, exactly: the counters that
 * bench_rss() reads lag behind. */
static uint64_t
resident(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	uint64_t kib;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Rss: %" SCNu64 " kB", &kib) == 1) {
			fclose(f);
			return kib << 10;
		}
	}
	bench_fail("cannot read /proc/self/smaps_rollup");
}

static void
hold_clients(int fd, uint32_t nports)
{
	struct net net;
	uint64_t octets;

	if (nports)
		create(&net, nports, CLIENTS_EACH, 0);
	octets = resident();
	if (write(fd, &octets, sizeof(octets)) != sizeof(octets))
		_exit(1);
	_exit(0);
}

/* What a process has in memory with a switch of so many ports, each with
 * CLIENTS_EACH clients; with 0, without a switch. */
static uint64_t
resident_with(uint32_t nports)
{
	uint64_t octets;
	int fd[2], status;
	pid_t pid;

	if (pipe(fd))
		bench_fail("no pipe");
	pid = fork();
	if (!pid)
		hold_clients(fd[1], nports);
	close(fd[1]);
	if (pid < 0 || read(fd[0], &octets, sizeof(octets)) != sizeof(octets))
		bench_fail("no answer from a process");
	close(fd[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		bench_fail("a process ended with %d", status);
	return octets;
}

static void
run_resident(struct bench_run *r, const void *arg)
{
	(void)r;
	(void)arg;
	bench_report("octets", (double)resident_with(MANY_PORTS) -
				       (double)resident_with(0));
}

static const uint32_t n1k = NSTATIONS;
static const uint32_t n1m = NADDRESSES;

static const struct bench_case cases[] = {
	{"fdb_1k", "core", true, NULL, run_unicast, &n1k},
	{"fdb_1m", "core", true, NULL, run_unicast, &n1m},
	{"fdb_learn", "core", true, NULL, run_learn, NULL},
	{"flood1000", "core", true, NULL, run_flood, NULL},
	{"rss_1000x4", "core", true, NULL, run_resident, NULL},
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
