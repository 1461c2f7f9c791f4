/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sources get of a client that they congest: congestion.h. In virtual time,
 * so that these are no timed tests; bench/fair prints the figures of longer
 * runs.
 */
#include "support.h"

#include "congestion.h"

/* Of seven, each 0.9 of an eighth. */
#define BELOW_SHARE (CONGESTION_WHOLE * 9 / 80)
#define TEN_TIMES   (CONGESTION_WHOLE * 10)

#define FLOODER     7 /* behind the seven */

static struct congestion
seven_and_a_flooder(uint32_t flood_min, uint32_t flood_max)
{
	struct congestion c = {.warm_up_ms = 100, .measured_ms = 500};

	for (uint32_t i = 0; i < FLOODER; i++)
		c.source[i] = (struct congestion_source){
			.offered = BELOW_SHARE,
			.min_len = 60,
			.max_len = 1514,
		};
	c.source[FLOODER] = (struct congestion_source){
		.offered = TEN_TIMES,
		.min_len = flood_min,
		.max_len = flood_max,
		.burst = 32,
	};
	return c;
}

static void
assert_flooder_hurts_itself_only(const struct congestion *c)
{
	struct congestion_result r;

	congestion_run(c, &r);
	if (r.fault)
		fail_msg("%s", r.fault);
	assert_int_equal(congestion_lost(&r, FLOODER), 0);
	assert_true(congestion_jain(&r, FLOODER) >= 0.99);
	/* It did flood, and got what they left. */
	assert_true(r.share[FLOODER].lost > 1000);
	assert_true(congestion_use(c, &r) > 0.99);
}

static void
test_flooder_takes_nothing_from_who_stays_below_its_share(void **state)
{
	struct congestion c = seven_and_a_flooder(60, 1514);

	(void)state;
	assert_flooder_hurts_itself_only(&c);
}

static void
test_length_of_a_flooders_frames_makes_no_difference(void **state)
{
	struct congestion c = seven_and_a_flooder(60, 60);

	(void)state;
	assert_flooder_hurts_itself_only(&c);
	c = seven_and_a_flooder(1514, 1514);
	assert_flooder_hurts_itself_only(&c);
}

static void
test_bursts_below_a_share_lose_nothing_either(void **state)
{
	struct congestion c = seven_and_a_flooder(60, 1514);

	(void)state;
	for (uint32_t i = 0; i < FLOODER; i++)
		c.source[i].burst = 16;
	assert_flooder_hurts_itself_only(&c);
}

static void
test_clients_of_one_vif_are_sources_of_their_own(void **state)
{
	struct congestion c = seven_and_a_flooder(60, 1514);

	(void)state;
	c.on_one_vif = true;
	assert_flooder_hurts_itself_only(&c);
}

/* All eight flood. */
static struct congestion
weighted(void)
{
	static const uint32_t weight[] = {1, 1, 2, 4, 8, 8, 4, 2};
	struct congestion c = {.warm_up_ms = 100, .measured_ms = 1000};

	for (uint32_t i = 0; i < CONGESTION_SOURCES; i++)
		c.source[i] = (struct congestion_source){
			.offered = TEN_TIMES,
			.weight = weight[i],
			.min_len = 60,
			.max_len = 1514,
			.burst = 32,
		};
	return c;
}

static void
assert_weights_hold(const struct congestion *c)
{
	struct congestion_result r;

	congestion_run(c, &r);
	if (r.fault)
		fail_msg("%s", r.fault);
	assert_true(congestion_weights_off(c, &r) <= 0.01);
	assert_true(congestion_use(c, &r) > 0.99);
}

static void
test_each_gets_what_its_weight_says(void **state)
{
	struct congestion c = weighted();

	(void)state;
	assert_weights_hold(&c);
}

static void
test_each_gets_what_its_weight_says_whatever_it_sends(void **state)
{
	struct congestion c = weighted();

	(void)state;
	/* One of each pair of the same weight. */
	for (uint32_t i = 0; i < CONGESTION_SOURCES / 2; i++) {
		c.source[i].min_len = 1514;
		c.source[i + CONGESTION_SOURCES / 2].max_len = 100;
	}
	assert_weights_hold(&c);
}

static void
test_weights_hold_among_clients_of_one_vif(void **state)
{
	struct congestion c = weighted();

	(void)state;
	c.on_one_vif = true;
	assert_weights_hold(&c);
}

/* Seven flood; the one of them with the most weight gets all that it asks for,
 * which is less than its share, and waits no longer for it than one of equal
 * weights would. */
static void
test_heavy_source_below_its_share_loses_nothing(void **state)
{
	static const uint32_t weight[] = {1, 1, 1, 1, 1, 500, 500, 1000};
	struct congestion c = weighted();
	struct congestion_source *heavy = &c.source[7];
	struct congestion_result r;

	(void)state;
	for (uint32_t i = 0; i < CONGESTION_SOURCES; i++)
		c.source[i].weight = weight[i];
	heavy->offered = CONGESTION_WHOLE * 45 / 100;
	heavy->burst = 1;
	congestion_run(&c, &r);
	if (r.fault)
		fail_msg("%s", r.fault);
	assert_int_equal(r.share[7].lost, 0);
	assert_true(r.share[7].delay < SECONDS(1) / 500);
}

/* All that eight send goes to the wire, and to three that read nothing of it. */
static struct congestion
with_deaf(uint64_t pool_octets)
{
	struct congestion c = {
		.ndeaf = 3,
		.pool_octets = pool_octets,
		.warm_up_ms = 100,
		.measured_ms = 500,
	};

	for (uint32_t i = 0; i < CONGESTION_SOURCES; i++)
		c.source[i] = (struct congestion_source){
			.offered = BELOW_SHARE,
			.min_len = 60,
			.max_len = 1514,
			.burst = 8,
		};
	return c;
}

static void
test_clients_that_never_read_hold_their_quota_and_cost_others_nothing(
	void **state)
{
	struct congestion c = with_deaf(0);
	struct congestion_result r;

	(void)state;
	congestion_run(&c, &r);
	if (r.fault)
		fail_msg("%s", r.fault);
	assert_int_equal(congestion_lost(&r, CONGESTION_SOURCES), 0);
	assert_int_equal(r.deaf_memory, CONGESTION_QUEUE);
}

static void
test_clients_that_never_read_leave_others_their_part_of_a_small_pool(
	void **state)
{
	/* Three quotas and a little more. */
	struct congestion c = with_deaf(UINT64_C(3) * CONGESTION_QUEUE + 65536);
	struct congestion_result r;

	(void)state;
	congestion_run(&c, &r);
	if (r.fault)
		fail_msg("%s", r.fault);
	assert_int_equal(congestion_lost(&r, CONGESTION_SOURCES), 0);
	assert_true(r.deaf_memory < CONGESTION_QUEUE);
	assert_true(r.deaf_memory > CONGESTION_QUEUE / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_flooder_takes_nothing_from_who_stays_below_its_share),
		cmocka_unit_test(
			test_length_of_a_flooders_frames_makes_no_difference),
		cmocka_unit_test(test_bursts_below_a_share_lose_nothing_either),
		cmocka_unit_test(
			test_clients_of_one_vif_are_sources_of_their_own),
		cmocka_unit_test(test_each_gets_what_its_weight_says),
		cmocka_unit_test(
			test_each_gets_what_its_weight_says_whatever_it_sends),
		cmocka_unit_test(
			test_heavy_source_below_its_share_loses_nothing),
		cmocka_unit_test(test_weights_hold_among_clients_of_one_vif),
		cmocka_unit_test(
			test_clients_that_never_read_hold_their_quota_and_cost_others_nothing),
		cmocka_unit_test(
			test_clients_that_never_read_leave_others_their_part_of_a_small_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
