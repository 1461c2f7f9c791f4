/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sources get of a client that they congest, in virtual time:
 * tests/model/congestion.h. Nothing here depends on the machine, so that the
 * figures of all runs are the same.
 */
#include "congestion.h"

#include "harness/harness.h"

/* Of seven, each 0.9 of an eighth. */
#define BELOW_SHARE (CONGESTION_WHOLE * 9 / 80)
#define TEN_TIMES   (CONGESTION_WHOLE * 10)

#define FLOODER     7 /* behind the seven */

struct scenario {
	uint32_t flood_min; /* octets of the flooder's frames */
	uint32_t flood_max;
	uint32_t burst; /* of the seven */
	bool on_one_vif;
};

static void
run(const struct congestion *c, struct congestion_result *r)
{
	congestion_run(c, r);
	if (r->fault)
		bench_fail("%s", r->fault);
	bench_report("use of the wire", congestion_use(c, r));
}

/* Seven that stay below their share, and one that floods. */
static void
run_flood(struct bench_run *b, const void *arg)
{
	const struct scenario *s = arg;
	struct congestion c = {
		.on_one_vif = s->on_one_vif,
		.warm_up_ms = 1000,
		.measured_ms = 5000,
	};
	struct congestion_result r;
	vnet_nsec delay = 0;

	(void)b;
	for (uint32_t i = 0; i < FLOODER; i++)
		c.source[i] = (struct congestion_source){
			.offered = BELOW_SHARE,
			.min_len = 60,
			.max_len = 1514,
			.burst = s->burst,
		};
	c.source[FLOODER] = (struct congestion_source){
		.offered = TEN_TIMES,
		.min_len = s->flood_min,
		.max_len = s->flood_max,
		.burst = 32,
	};
	run(&c, &r);
	bench_report("jain7", congestion_jain(&r, FLOODER));
	bench_report("loss7", (double)congestion_lost(&r, FLOODER));
	for (uint32_t i = 0; i < FLOODER; i++) {
		if (delay < r.share[i].delay)
			delay = r.share[i].delay;
	}
	bench_report("ms, the most that one of theirs waited",
		     (double)delay / 1e6);
}

/* All eight flood, and have weights. */
static void
run_weights(struct bench_run *b, const void *arg)
{
	static const uint32_t weight[] = {1, 1, 2, 4, 8, 16, 32, 64};
	const struct scenario *s = arg;
	struct congestion c = {
		.on_one_vif = s->on_one_vif,
		.warm_up_ms = 1000,
		.measured_ms = 5000,
	};
	struct congestion_result r;

	(void)b;
	for (uint32_t i = 0; i < CONGESTION_SOURCES; i++)
		c.source[i] = (struct congestion_source){
			.offered = TEN_TIMES,
			.weight = weight[i],
			.min_len = 60,
			.max_len = 1514,
		};
	run(&c, &r);
	bench_report("weights_off", congestion_weights_off(&c, &r));
}

#define CASE(name, run, ...)                                    \
	{                                                       \
		name, "core", true, NULL, run,                  \
			(&(const struct scenario){__VA_ARGS__}) \
	}

static const struct bench_case cases[] = {
	CASE("flood_mixed", run_flood, .flood_min = 60, .flood_max = 1514),
	CASE("flood_60", run_flood, .flood_min = 60, .flood_max = 60),
	CASE("flood_1514", run_flood, .flood_min = 1514, .flood_max = 1514),
	CASE("flood_bursts", run_flood, .flood_min = 60, .flood_max = 1514,
	     .burst = 16),
	CASE("flood_one_vif", run_flood, .flood_min = 60, .flood_max = 1514,
	     .on_one_vif = true),
	CASE("weights", run_weights, .on_one_vif = false),
	CASE("weights_one_vif", run_weights, .on_one_vif = true),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
