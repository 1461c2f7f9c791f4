/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of addresses by itself: nanoseconds for a look-up in batches, as
 * the data path does them, and for learning.
 */
#include <stdlib.h>

#include "fdb.h"
#include "harness/harness.h"

#define NOWNERS  8
#define AGEING_S 300
#define BATCH    64u
#define SEED     20080102
#define NLOOKUPS (1u << 20) /* the order, before it repeats */
#define NOW_S    1

static struct bench_memory memory;
static struct vnet_alloc alloc;

static uint64_t *
random_addresses(uint32_t n)
{
	uint64_t *mac = calloc(n, sizeof(*mac));
	uint64_t rng = SEED;

	if (!mac)
		bench_fail("no memory");
	/* Odd numbers times 0 to n - 1 never meet; the upper half is random. */
	for (uint32_t i = 0; i < n; i++)
		mac[i] = UINT64_C(0x020000000000) |
			 (bench_random(&rng) & 0xffff) << 24 |
			 (i * UINT32_C(0x9e3779b1) & 0xffffff);
	return mac;
}

static void
learn(struct vnet_fdb *t, const uint64_t *mac, uint32_t n, uint64_t now_s)
{
	uint32_t home[BATCH];

	for (uint32_t i = 0; i < n; i++) {
		home[i] = vnet_fdb_home(t, mac[i]);
		vnet_fdb_prefetch(t, home[i]);
	}
	for (uint32_t i = 0; i < n; i++)
		vnet_fdb_learn(t, mac[i], home[i], mac[i] % NOWNERS, now_s);
}

static void
learn_all(struct vnet_fdb *t, const uint64_t *mac, uint32_t n, uint64_t now_s)
{
	for (uint32_t i = 0; i < n; i += BATCH)
		learn(t, mac + i, n - i < BATCH ? n - i : BATCH, now_s);
}

static void
init(struct vnet_fdb *t, uint32_t n)
{
	const struct vnet_fdb_config config = {
		.entries = n,
		.owners = NOWNERS,
		.ageing_s = AGEING_S,
		.flap_moves = 16,
		.seed = SEED,
	};

	alloc = bench_alloc(&memory);
	if (vnet_fdb_init(t, &alloc, &config))
		bench_fail("no memory");
	for (uint32_t i = 0; i < NOWNERS; i++)
		vnet_fdb_set_fair(t, i, n / NOWNERS);
}

static void
verify(const struct vnet_fdb *t, uint32_t n)
{
	if (t->n + t->evictions + t->unlearned != n || !vnet_fdb_check(t))
		bench_fail("the table is not in order");
}

static void
run_lookup(struct bench_run *r, const void *arg)
{
	uint32_t n = *(const uint32_t *)arg;
	uint64_t *mac = random_addresses(n);
	uint64_t *order = calloc(NLOOKUPS, sizeof(*order));
	uint64_t rng = SEED;
	struct vnet_fdb t;
	uint64_t found = 0;
	uint32_t next = 0;

	if (!order)
		bench_fail("no memory");
	for (uint32_t i = 0; i < NLOOKUPS; i++)
		order[i] = mac[bench_random_below(&rng, n)];
	init(&t, n);
	learn_all(&t, mac, n, NOW_S);
	verify(&t, n);
	while (bench_more(r)) {
		for (uint32_t k = 0; k < 64; k++) {
			const uint64_t *m = order + next;
			uint32_t home[BATCH];

			for (uint32_t i = 0; i < BATCH; i++) {
				home[i] = vnet_fdb_home(&t, m[i]);
				vnet_fdb_prefetch(&t, home[i]);
			}
			for (uint32_t i = 0; i < BATCH; i++)
				found += vnet_fdb_find(&t, m[i], home[i],
						       NOW_S) == m[i] % NOWNERS;
			next = (next + BATCH) % NLOOKUPS;
		}
		r->done += UINT64_C(64) * BATCH;
	}
	if (found != r->done && !t.evictions && !t.unlearned)
		bench_fail("found %llu of %llu", (unsigned long long)found,
			   (unsigned long long)r->done);
	bench_report("ns/look-up", r->seconds * 1e9 / (double)r->done);
	vnet_fdb_fini(&t, &alloc);
	free(order);
	free(mac);
}

/* Into an empty table, until it is full. */
static void
run_learn(struct bench_run *r, const void *arg)
{
	uint32_t n = *(const uint32_t *)arg;
	uint64_t *mac = random_addresses(n);
	struct vnet_fdb t;

	init(&t, n);
	bench_start(r);
	learn_all(&t, mac, n, NOW_S);
	bench_stop(r);
	verify(&t, n);
	bench_report("ns/address", r->seconds * 1e9 / n);
	bench_report("Maddresses/s", n / r->seconds / 1e6);
	vnet_fdb_fini(&t, &alloc);
	free(mac);
}

/* The table is full, and whoever learns has its share: for each address, the
 * oldest of the same owner goes. */
static void
run_learn_full(struct bench_run *r, const void *arg)
{
	uint32_t n = *(const uint32_t *)arg;
	uint64_t *mac = random_addresses(2 * n);
	struct vnet_fdb t;

	init(&t, n);
	learn_all(&t, mac, n, NOW_S);
	bench_start(r);
	learn_all(&t, mac + n, n, NOW_S);
	bench_stop(r);
	verify(&t, 2 * n);
	if (t.evictions + t.unlearned != n)
		bench_fail("%llu addresses went for %u",
			   (unsigned long long)t.evictions, n);
	bench_report("ns/address", r->seconds * 1e9 / n);
	bench_report("Maddresses/s", n / r->seconds / 1e6);
	vnet_fdb_fini(&t, &alloc);
	free(mac);
}

/* Known addresses in another second: each is renewed. */
static void
run_renew(struct bench_run *r, const void *arg)
{
	uint32_t n = *(const uint32_t *)arg;
	uint64_t *mac = random_addresses(n);
	struct vnet_fdb t;
	uint64_t now_s = NOW_S;

	init(&t, n);
	learn_all(&t, mac, n, now_s);
	while (bench_more(r)) {
		learn_all(&t, mac, n, ++now_s);
		r->done += n;
	}
	verify(&t, n);
	bench_report("ns/address", r->seconds * 1e9 / (double)r->done);
	vnet_fdb_fini(&t, &alloc);
	free(mac);
}

static const uint32_t n1k = 1000;
static const uint32_t n100k = 100000;
static const uint32_t n1m = 1000000;

static const struct bench_case cases[] = {
	{"lookup_1k", "core", true, NULL, run_lookup, &n1k},
	{"lookup_100k", "core", true, NULL, run_lookup, &n100k},
	{"lookup_1m", "core", true, NULL, run_lookup, &n1m},
	{"learn_1k", "core", true, NULL, run_learn, &n1k},
	{"learn_100k", "core", true, NULL, run_learn, &n100k},
	{"learn_1m", "core", true, NULL, run_learn, &n1m},
	{"learn_full_1k", "core", true, NULL, run_learn_full, &n1k},
	{"learn_full_1m", "core", true, NULL, run_learn_full, &n1m},
	{"renew_1k", "core", true, NULL, run_renew, &n1k},
	{"renew_1m", "core", true, NULL, run_renew, &n1m},
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
