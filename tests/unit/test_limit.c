/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Token buckets: what passes, to the octet, and that no number makes them run
 * over.
 */
#include <errno.h>

#include "support.h"
#include "limit.h"

#define MINUTE SECONDS(60)

/* What the fields are set to, in their order; the size is filled in. */
static struct vnet_limit
limit_of(uint64_t frames_per_s, uint64_t octets_per_s, uint64_t burst_frames,
	 uint64_t burst_octets)
{
	return (struct vnet_limit){
		.size = sizeof(struct vnet_limit),
		.frames_per_s = frames_per_s,
		.octets_per_s = octets_per_s,
		.burst_frames = burst_frames,
		.burst_octets = burst_octets,
	};
}

static void
set(struct vnet_limits *l, enum vnet_traffic traffic,
    const struct vnet_limit *limit, vnet_nsec now)
{
	if (limit)
		assert_int_equal(vnet_limit_check(limit, NULL), 0);
	vnet_limits_set(l, traffic, limit, now);
}

/* Limits of which that on @traffic alone is set. */
static struct vnet_limits
limits_of(enum vnet_traffic traffic, struct vnet_limit limit, vnet_nsec now)
{
	struct vnet_limits l;

	memset(&l, 0xa5, sizeof(l));
	vnet_limits_init(&l);
	set(&l, traffic, &limit, now);
	return l;
}

static bool
passes(const struct vnet_limits *l, enum vnet_traffic traffic, vnet_nsec now)
{
	return vnet_limits_ask(l, traffic, now) == VNET_NTRAFFIC;
}

/* Frames of @len octets that pass at once. */
static uint64_t
send_all(struct vnet_limits *l, enum vnet_traffic traffic, uint64_t len,
	 vnet_nsec now)
{
	uint64_t n = 0;

	while (passes(l, traffic, now)) {
		vnet_limits_take(l, traffic, 1, len, now);
		n++;
	}
	return n;
}

/*
 * Names and refusals
 */

static void
test_kinds_of_traffic_have_names(void **state)
{
	static const char *const name[] = {"all", "broadcast", "multicast",
					   "unknown"};

	(void)state;
	for (int i = 0; i < VNET_NTRAFFIC; i++)
		assert_string_equal(vnet_traffic_name((enum vnet_traffic)i),
				    name[i]);
	assert_null(vnet_traffic_name(VNET_NTRAFFIC));
	assert_null(vnet_traffic_name((enum vnet_traffic) - 1));
}

static void
assert_refused(const struct vnet_limit *limit, size_t index, uint64_t found,
	       uint64_t bound)
{
	struct vnet_why why = {.text = NULL};

	assert_int_equal(vnet_limit_check(limit, &why), -EINVAL);
	assert_int_equal(vnet_limit_check(limit, NULL), -EINVAL);
	assert_non_null(why.text);
	assert_int_equal(why.index, index);
	assert_true(why.found == found);
	assert_true(why.bound == bound);
}

static void
test_limit_is_refused_that_is_out_of_bounds(void **state)
{
	const uint64_t rate = VNET_LIMIT_RATE_MAX;
	const uint64_t burst = VNET_LIMIT_BURST_MAX;
	struct vnet_limit limit = limit_of(rate, rate, burst, burst);
	struct vnet_why why = {.text = "untouched"};

	(void)state;
	assert_int_equal(vnet_limit_check(&limit, &why), 0);
	assert_string_equal(why.text, "untouched");

	limit.size--;
	assert_refused(&limit, 0, limit.size, limit.size + 1);
	limit = limit_of(rate + 1, rate, 1, 1);
	assert_refused(&limit, 1, rate + 1, rate);
	limit = limit_of(rate, UINT64_MAX, 1, 1);
	assert_refused(&limit, 2, UINT64_MAX, rate);
	limit = limit_of(1, 1, burst + 1, 1);
	assert_refused(&limit, 3, burst + 1, burst);
	limit = limit_of(1, 1, 1, UINT64_MAX);
	assert_refused(&limit, 4, UINT64_MAX, burst);
}

static void
test_limit_is_refused_that_has_no_rate(void **state)
{
	struct vnet_limit limit = limit_of(0, 0, 1, 1);

	(void)state;
	assert_refused(&limit, 1, 0, 1);
	limit.frames_per_s = 1;
	assert_int_equal(vnet_limit_check(&limit, NULL), 0);
	limit = limit_of(0, 1, 0, 0);
	assert_int_equal(vnet_limit_check(&limit, NULL), 0);
}

/*
 * Reading
 */

static void
assert_reads(const struct vnet_limits *l, struct vnet_limit expected)
{
	struct vnet_limit limit = {.size = sizeof(limit)};

	assert_int_equal(vnet_limits_get(l, VNET_TRAFFIC_ALL, &limit, NULL), 0);
	assert_memory_equal(&limit, &expected, sizeof(limit));
}

static void
test_limit_is_read_with_the_bursts_that_hold(void **state)
{
	static const struct {
		uint64_t rate, frames, octets;
	} of[] = {
		{1, 1, 65536},
		{19, 1, 65536},
		{20, 2, 65536},
		{655369, 65536, 65536},
		{655370, 65537, 65537},
		{UINT64_C(21474836479), 2147483647, 2147483647},
		{VNET_LIMIT_RATE_MAX, VNET_LIMIT_BURST_MAX,
		 VNET_LIMIT_BURST_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		uint64_t rate = of[i].rate;
		struct vnet_limits l = limits_of(VNET_TRAFFIC_ALL,
						 limit_of(rate, rate, 0, 0), 0);

		assert_reads(&l,
			     limit_of(rate, rate, of[i].frames, of[i].octets));
		l = limits_of(VNET_TRAFFIC_ALL, limit_of(rate, rate, 7, 8), 0);
		assert_reads(&l, limit_of(rate, rate, 7, 8));
		/* A burst without its rate is none. */
		l = limits_of(VNET_TRAFFIC_ALL, limit_of(rate, 0, 7, 8), 0);
		assert_reads(&l, limit_of(rate, 0, 7, 0));
		l = limits_of(VNET_TRAFFIC_ALL, limit_of(0, rate, 7, 8), 0);
		assert_reads(&l, limit_of(0, rate, 0, 8));
	}
}

static void
test_limit_that_is_not_there_is_not_read(void **state)
{
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_MULTICAST, limit_of(1, 0, 0, 0), 0);
	struct vnet_limit limit = {.size = sizeof(limit)};
	struct vnet_count dropped = {1, 2};

	(void)state;
	assert_int_equal(vnet_limits_get(&l, VNET_TRAFFIC_ALL, &limit,
					 &dropped),
			 -ENOENT);
	assert_int_equal(vnet_limits_get(&l, VNET_NTRAFFIC, &limit, &dropped),
			 -EINVAL);
	assert_int_equal(vnet_limits_get(&l, (enum vnet_traffic) - 1, &limit,
					 &dropped),
			 -EINVAL);
	limit.size++;
	assert_int_equal(vnet_limits_get(&l, VNET_TRAFFIC_MULTICAST, &limit,
					 &dropped),
			 -EINVAL);
	assert_int_equal(limit.frames_per_s, 0);
	assert_int_equal(dropped.octets, 2);
	assert_int_equal(
		vnet_limits_get(&l, VNET_TRAFFIC_MULTICAST, NULL, NULL), 0);
}

/*
 * What passes
 */

static void
test_everything_passes_where_nothing_is_limited(void **state)
{
	struct vnet_limits l;

	(void)state;
	vnet_limits_init(&l);
	for (int i = 0; i < VNET_NTRAFFIC; i++) {
		enum vnet_traffic traffic = (enum vnet_traffic)i;

		vnet_limits_take(&l, traffic, UINT32_MAX, UINT64_MAX, 0);
		assert_true(passes(&l, traffic, 0));
		vnet_limits_take(NULL, traffic, 1, 60, 0);
		assert_true(passes(NULL, traffic, 0));
	}
}

static void
test_burst_passes_at_once_and_then_the_rate(void **state)
{
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_ALL, limit_of(4, 0, 10, 0), SECONDS(5));

	(void)state;
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 60, SECONDS(5)), 10);
	/* Whatever is left will do. */
	assert_true(passes(&l, VNET_TRAFFIC_ALL, SECONDS(5) + 1));
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 60, SECONDS(6)), 4);
	assert_false(passes(&l, VNET_TRAFFIC_ALL, SECONDS(6)));
	/* However long it rests, there is one burst. */
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 60, SECONDS(500)), 10);
}

static void
test_rate_holds_to_the_octet_over_a_minute(void **state)
{
	/* Rates that no step of time divides, and frames that no burst does. */
	static const struct {
		uint64_t rate, burst, len, step;
	} of[] = {
		{1000003, 1514, 150, 99991},
		{999983, 65536, 1514, 1000003},
		{125000000, 70000, 1514, 500009},
		{7, 1, 1, 10000019},
		{1, 1, 3, 100000007},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		uint64_t len = of[i].len, total = 0;
		struct vnet_limits l =
			limits_of(VNET_TRAFFIC_ALL,
				  limit_of(0, of[i].rate, 0, of[i].burst), 1);

		for (vnet_nsec now = 0; now < MINUTE; now += of[i].step)
			total += send_all(&l, VNET_TRAFFIC_ALL, len, 1 + now);
		total += send_all(&l, VNET_TRAFFIC_ALL, len, 1 + MINUTE);
		/* As many whole frames as cover burst and rate. */
		assert_int_equal(
			total, (of[i].burst + 60 * of[i].rate + len - 1) / len);
	}
}

static void
test_rate_of_frames_holds_over_a_minute(void **state)
{
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_ALL, limit_of(997, 0, 32, 0), 0);
	uint64_t total = 0;

	(void)state;
	for (vnet_nsec now = 0; now <= MINUTE; now += 1000000)
		total += send_all(&l, VNET_TRAFFIC_ALL, 60, now);
	assert_int_equal(total, 32 + 60 * 997);
}

static void
test_both_rates_hold(void **state)
{
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_ALL, limit_of(10, 1000, 10, 1000), 0);

	(void)state;
	/* Small frames are bounded by their number, large ones by octets. */
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 60, 0), 10);
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 500, SECONDS(10)), 2);
	/* Both are taken from, whichever bounds: of frames 8 are left. */
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 1,
				  SECONDS(10) + SECONDS(1) / 10),
			 9);
}

static void
test_segments_count_one_by_one(void **state)
{
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_ALL, limit_of(100, 0, 100, 0), 0);

	(void)state;
	vnet_limits_take(&l, VNET_TRAFFIC_ALL, 99, 149886, 0);
	assert_true(passes(&l, VNET_TRAFFIC_ALL, 0));
	vnet_limits_take(&l, VNET_TRAFFIC_ALL, 45, 68130, 0);
	/* 44 are owed. */
	assert_false(passes(&l, VNET_TRAFFIC_ALL, SECONDS(44) / 100));
	assert_true(passes(&l, VNET_TRAFFIC_ALL, SECONDS(44) / 100 + 1));
}

static void
test_frame_larger_than_a_burst_passes_and_is_paid_for(void **state)
{
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_ALL, limit_of(0, 1000, 0, 100), 0);

	(void)state;
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 65100, 0), 1);
	assert_false(passes(&l, VNET_TRAFFIC_ALL, SECONDS(65)));
	assert_true(passes(&l, VNET_TRAFFIC_ALL, SECONDS(65) + 1));
	/* Asking has changed nothing. */
	assert_false(passes(&l, VNET_TRAFFIC_ALL, SECONDS(65)));
}

static void
test_debt_has_a_bound(void **state)
{
	const vnet_nsec paid = SECONDS((vnet_nsec)UINT32_MAX);
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_ALL, limit_of(0, 1, 0, 1), 0);

	(void)state;
	for (int i = 0; i < 100; i++)
		vnet_limits_take(&l, VNET_TRAFFIC_ALL, 1, UINT64_MAX, 0);
	assert_false(passes(&l, VNET_TRAFFIC_ALL, paid));
	assert_true(passes(&l, VNET_TRAFFIC_ALL, paid + 1));
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 1, UINT64_MAX), 1);
}

static void
test_largest_limit_holds_its_burst_at_any_time(void **state)
{
	const uint64_t rate = VNET_LIMIT_RATE_MAX;
	const uint64_t burst = VNET_LIMIT_BURST_MAX;
	struct vnet_limits l = limits_of(VNET_TRAFFIC_ALL,
					 limit_of(rate, rate, burst, burst), 0);

	(void)state;
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, burst / 1024,
				  UINT64_MAX - 1),
			 1024);
	/* A nanosecond brings 2^40 billionths: 1099 octets and a part. */
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 1, UINT64_MAX), 1100);
}

static void
test_clock_at_its_end_and_a_step_back_do_no_harm(void **state)
{
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_ALL, limit_of(1, 0, 3, 0), UINT64_MAX);

	(void)state;
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 60, UINT64_MAX), 3);
	assert_false(passes(&l, VNET_TRAFFIC_ALL, UINT64_MAX));
	assert_false(passes(&l, VNET_TRAFFIC_ALL, 0));
	/* Time that was taken back does not come twice. */
	vnet_limits_take(&l, VNET_TRAFFIC_ALL, 1, 60, 0);
	assert_false(passes(&l, VNET_TRAFFIC_ALL, UINT64_MAX));
}

static void
test_limit_on_all_is_asked_before_that_on_a_kind(void **state)
{
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_ALL, limit_of(1, 0, 3, 0), 0);
	struct vnet_limit two = limit_of(1, 0, 2, 0);

	(void)state;
	set(&l, VNET_TRAFFIC_BROADCAST, &two, 0);
	assert_int_equal(send_all(&l, VNET_TRAFFIC_BROADCAST, 60, 0), 2);
	assert_int_equal(vnet_limits_ask(&l, VNET_TRAFFIC_BROADCAST, 0),
			 VNET_TRAFFIC_BROADCAST);
	/* Of other kinds one more passes, for broadcasts took from all. */
	assert_true(passes(&l, VNET_TRAFFIC_UNKNOWN, 0));
	assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 60, 0), 1);
	for (int i = 0; i < VNET_NTRAFFIC; i++)
		assert_int_equal(vnet_limits_ask(&l, (enum vnet_traffic)i, 0),
				 VNET_TRAFFIC_ALL);
}

/*
 * Setting
 */

static void
test_limit_that_is_set_to_what_it_is_goes_on(void **state)
{
	struct vnet_limit limit = limit_of(20, 0, 0, 0);
	struct vnet_limits l = limits_of(VNET_TRAFFIC_UNKNOWN, limit, 0);
	struct vnet_count dropped;

	(void)state;
	assert_int_equal(send_all(&l, VNET_TRAFFIC_UNKNOWN, 60, 0), 2);
	vnet_limits_dropped(&l, VNET_TRAFFIC_UNKNOWN, 1, 60);
	set(&l, VNET_TRAFFIC_UNKNOWN, &limit, 0);
	assert_false(passes(&l, VNET_TRAFFIC_UNKNOWN, 0));
	/* The default in so many words, and a burst that means nothing. */
	limit = limit_of(20, 0, 2, 9);
	set(&l, VNET_TRAFFIC_UNKNOWN, &limit, 1);
	assert_int_equal(send_all(&l, VNET_TRAFFIC_UNKNOWN, 60, 1), 1);

	assert_int_equal(
		vnet_limits_get(&l, VNET_TRAFFIC_UNKNOWN, NULL, &dropped), 0);
	assert_int_equal(dropped.frames, 1);
	assert_int_equal(dropped.octets, 60);
}

static void
test_limit_that_changes_begins_with_its_burst(void **state)
{
	const struct vnet_limit change[] = {
		limit_of(2, 9, 5, 100),
		limit_of(2, 8, 5, 100),
		limit_of(2, 8, 6, 100),
		limit_of(2, 8, 6, 90),
	};
	struct vnet_limits l =
		limits_of(VNET_TRAFFIC_ALL, limit_of(1, 9, 5, 100), 0);
	struct vnet_count dropped;

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		send_all(&l, VNET_TRAFFIC_ALL, 60, 0);
		vnet_limits_dropped(&l, VNET_TRAFFIC_ALL, 1, 60);
		set(&l, VNET_TRAFFIC_ALL, &change[i], 0);
		assert_int_equal(send_all(&l, VNET_TRAFFIC_ALL, 1, 0),
				 change[i].burst_frames);
		assert_int_equal(vnet_limits_get(&l, VNET_TRAFFIC_ALL, NULL,
						 &dropped),
				 0);
		assert_int_equal(dropped.frames, i + 1);
		assert_int_equal(dropped.octets, 60 * (i + 1));
	}
}

static void
test_limit_that_is_taken_away_is_forgotten(void **state)
{
	struct vnet_limit limit = limit_of(1, 0, 1, 0);
	struct vnet_limits l = limits_of(VNET_TRAFFIC_ALL, limit, 0);
	struct vnet_count dropped;

	(void)state;
	set(&l, VNET_TRAFFIC_MULTICAST, &limit, 0);
	vnet_limits_take(&l, VNET_TRAFFIC_MULTICAST, 1, 60, 0);
	vnet_limits_dropped(&l, VNET_TRAFFIC_ALL, 1, 60);
	set(&l, VNET_TRAFFIC_ALL, NULL, 0);
	assert_int_equal(l.set, 1 << VNET_TRAFFIC_MULTICAST);
	assert_int_equal(vnet_limits_get(&l, VNET_TRAFFIC_ALL, NULL, NULL),
			 -ENOENT);
	assert_true(passes(&l, VNET_TRAFFIC_ALL, 0));
	assert_int_equal(vnet_limits_ask(&l, VNET_TRAFFIC_MULTICAST, 0),
			 VNET_TRAFFIC_MULTICAST);

	set(&l, VNET_TRAFFIC_ALL, &limit, 0);
	assert_true(passes(&l, VNET_TRAFFIC_ALL, 0));
	assert_int_equal(vnet_limits_get(&l, VNET_TRAFFIC_ALL, NULL, &dropped),
			 0);
	assert_int_equal(dropped.frames, 0);
	set(&l, VNET_TRAFFIC_MULTICAST, NULL, 0);
	set(&l, VNET_TRAFFIC_MULTICAST, NULL, 0);
	assert_int_equal(l.set, 1 << VNET_TRAFFIC_ALL);
}

/*
 * The same by a model with numbers of 128 bits, which not every compiler has
 */

struct wide {
	uint64_t high, low;
};

static struct wide
product(uint64_t a, uint64_t b)
{
	struct wide sum = {0, 0};

	for (int i = 63; i >= 0; i--) {
		sum.high = sum.high << 1 | sum.low >> 63;
		sum.low <<= 1;
		if (a >> i & 1) {
			sum.low += b;
			sum.high += sum.low < b;
		}
	}
	return sum;
}

static bool
is_less(struct wide a, struct wide b)
{
	return a.high < b.high || (a.high == b.high && a.low < b.low);
}

static struct wide
sum_of(struct wide a, struct wide b)
{
	struct wide sum = {a.high + b.high, a.low + b.low};

	sum.high += sum.low < a.low;
	return sum;
}

/* @a - @b, or 0 where that is less. */
static struct wide
rest_of(struct wide a, struct wide b)
{
	if (is_less(a, b))
		return (struct wide){0, 0};
	return (struct wide){a.high - b.high - (a.low < b.low), a.low - b.low};
}

/* What it lacks to be full, in billionths, at the time @last. */
struct model_bucket {
	uint64_t rate, burst;
	struct wide lacks;
	vnet_nsec last;
};

static struct wide
lacks_at(const struct model_bucket *b, vnet_nsec now)
{
	if (now < b->last)
		return b->lacks;
	return rest_of(b->lacks, product(b->rate, now - b->last));
}

static bool
model_has_left(const struct model_bucket *b, vnet_nsec now)
{
	return !b->rate ||
	       is_less(lacks_at(b, now), product(b->burst, SECONDS(1)));
}

static void
model_take(struct model_bucket *b, uint64_t n, vnet_nsec now)
{
	struct wide most = product(b->burst + UINT32_MAX, SECONDS(1));

	if (n > UINT32_MAX)
		n = UINT32_MAX;
	b->lacks = sum_of(lacks_at(b, now), product(n, SECONDS(1)));
	if (is_less(most, b->lacks))
		b->lacks = most;
	if (now > b->last)
		b->last = now;
}

static bool
has_bounds(const struct model_bucket *b, uint64_t rate, uint64_t burst)
{
	return b->rate == rate && (!rate || b->burst == burst);
}

struct trial {
	struct test_trial t; /* first, for test_trial_tear_down() */
	struct vnet_limits l;
	struct model_bucket of[VNET_NTRAFFIC][2];
	vnet_nsec now;
};

/* Of any size up to @most, and often at an end. */
static uint64_t
number(struct test_random *r, uint64_t most)
{
	uint64_t n = (uint64_t)test_random(r) << 32 | test_random(r);

	switch (test_random_below(r, 8)) {
	case 0:
		return 1;
	case 1:
		return most;
	default:
		n >>= test_random_below(r, 64);
		return n < most ? n : most;
	}
}

static void
step_set(struct trial *x, enum vnet_traffic traffic)
{
	struct test_random *r = &x->t.random;
	struct model_bucket *of = x->of[traffic];
	struct vnet_limit limit;

	if (test_random_below(r, 4) == 0) {
		set(&x->l, traffic, NULL, x->now);
		memset(of, 0, sizeof(x->of[traffic]));
		return;
	}
	limit = limit_of(number(r, VNET_LIMIT_RATE_MAX),
			 number(r, VNET_LIMIT_RATE_MAX),
			 number(r, VNET_LIMIT_BURST_MAX),
			 number(r, VNET_LIMIT_BURST_MAX));
	if (test_random_below(r, 4) == 0)
		limit.frames_per_s = 0;
	else if (test_random_below(r, 4) == 0)
		limit.octets_per_s = 0;
	if (!limit.burst_frames)
		limit.burst_frames = 1;
	if (!limit.burst_octets)
		limit.burst_octets = 1;
	/* What it is, where there is one. */
	if (of[0].rate + of[1].rate && test_random_below(r, 2))
		limit = limit_of(of[0].rate, of[1].rate, of[0].burst,
				 of[1].burst);
	if (!limit.frames_per_s && !limit.octets_per_s)
		return;

	set(&x->l, traffic, &limit, x->now);
	if (has_bounds(&of[0], limit.frames_per_s, limit.burst_frames) &&
	    has_bounds(&of[1], limit.octets_per_s, limit.burst_octets))
		return;
	of[0] = (struct model_bucket){.rate = limit.frames_per_s,
				      .burst = limit.burst_frames,
				      .last = x->now};
	of[1] = (struct model_bucket){.rate = limit.octets_per_s,
				      .burst = limit.burst_octets,
				      .last = x->now};
}

static void
step_time(struct trial *x)
{
	uint64_t by = number(&x->t.random, UINT64_MAX);

	/* It wraps once in a while: a step back. */
	if (test_random_below(&x->t.random, 4))
		by >>= 20;
	x->now += by;
}

static enum vnet_traffic
model_ask(const struct trial *x, enum vnet_traffic traffic)
{
	const enum vnet_traffic order[] = {VNET_TRAFFIC_ALL, traffic};

	for (int i = 0; i < 2; i++) {
		const struct model_bucket *of = x->of[order[i]];

		if (!model_has_left(&of[0], x->now) ||
		    !model_has_left(&of[1], x->now))
			return order[i];
	}
	return VNET_NTRAFFIC;
}

static void
step_frame(struct trial *x, enum vnet_traffic traffic)
{
	struct test_random *r = &x->t.random;
	enum vnet_traffic answer = vnet_limits_ask(&x->l, traffic, x->now);
	uint64_t octets;
	uint32_t frames;

	assert_int_equal(answer, model_ask(x, traffic));
	/* Hardly ever one that should not have passed. */
	if (answer != VNET_NTRAFFIC && test_random_below(r, 64))
		return;
	octets = number(r, test_random_below(r, 16) ? 65550 : UINT64_MAX);
	frames = (uint32_t)number(r,
				  test_random_below(r, 16) ? 128 : UINT32_MAX);
	vnet_limits_take(&x->l, traffic, frames, octets, x->now);
	for (int i = 0; i < VNET_NTRAFFIC; i++) {
		if (i != VNET_TRAFFIC_ALL && i != (int)traffic)
			continue;
		model_take(&x->of[i][0], frames, x->now);
		model_take(&x->of[i][1], octets, x->now);
	}
}

static void
step(struct trial *x)
{
	enum vnet_traffic traffic = (enum vnet_traffic)test_random_below(
		&x->t.random, VNET_NTRAFFIC);
	uint32_t what = test_random_below(&x->t.random, 16);

	if (what == 0)
		step_set(x, traffic);
	else if (what < 5)
		step_time(x);
	else
		step_frame(x, traffic);
}

static void
test_random_operations_agree_with_a_model(void **state)
{
	struct trial *x = malloc(sizeof(*x));

	*state = x;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		memset(x, 0, sizeof(*x));
		x->t.random.state = seed;
		x->t.seed = seed;
		vnet_limits_init(&x->l);
		for (x->t.step = 0; x->t.step < 2000; x->t.step++)
			step(x);
	}
	x->t.is_done = true;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_of_traffic_have_names),
		cmocka_unit_test(test_limit_is_refused_that_is_out_of_bounds),
		cmocka_unit_test(test_limit_is_refused_that_has_no_rate),
		cmocka_unit_test(test_limit_is_read_with_the_bursts_that_hold),
		cmocka_unit_test(test_limit_that_is_not_there_is_not_read),
		cmocka_unit_test(
			test_everything_passes_where_nothing_is_limited),
		cmocka_unit_test(test_burst_passes_at_once_and_then_the_rate),
		cmocka_unit_test(test_rate_holds_to_the_octet_over_a_minute),
		cmocka_unit_test(test_rate_of_frames_holds_over_a_minute),
		cmocka_unit_test(test_both_rates_hold),
		cmocka_unit_test(test_segments_count_one_by_one),
		cmocka_unit_test(
			test_frame_larger_than_a_burst_passes_and_is_paid_for),
		cmocka_unit_test(test_debt_has_a_bound),
		cmocka_unit_test(
			test_largest_limit_holds_its_burst_at_any_time),
		cmocka_unit_test(
			test_clock_at_its_end_and_a_step_back_do_no_harm),
		cmocka_unit_test(
			test_limit_on_all_is_asked_before_that_on_a_kind),
		cmocka_unit_test(test_limit_that_is_set_to_what_it_is_goes_on),
		cmocka_unit_test(test_limit_that_changes_begins_with_its_burst),
		cmocka_unit_test(test_limit_that_is_taken_away_is_forgotten),
		cmocka_unit_test_teardown(
			test_random_operations_agree_with_a_model,
			test_trial_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
