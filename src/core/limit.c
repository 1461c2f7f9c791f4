/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "limit.h"
#include "why.h"

/* Billionths in one, as there are nanoseconds in a second. */
#define ONE VNET_NSEC_PER_SEC

/* The most that is taken at once, and the most that is owed. */
#define MAX_TAKEN UINT64_C(0xffffffff)
#define MAX_DEBT  ((int64_t)(MAX_TAKEN * ONE))

/* What is left may fall from a full debt by what is taken at once, and a full
 * debt may rise to a full burst. */
_Static_assert(2 * MAX_TAKEN * ONE <= INT64_MAX, "debts fit");
_Static_assert((VNET_LIMIT_BURST_MAX + MAX_TAKEN) * ONE <= INT64_MAX,
	       "bursts fit");

const char *
vnet_traffic_name(enum vnet_traffic traffic)
{
	static const char names[VNET_NTRAFFIC][12] = {
		[VNET_TRAFFIC_ALL] = "all",
		[VNET_TRAFFIC_BROADCAST] = "broadcast",
		[VNET_TRAFFIC_MULTICAST] = "multicast",
		[VNET_TRAFFIC_UNKNOWN] = "unknown",
	};

	if ((unsigned int)traffic >= VNET_NTRAFFIC)
		return NULL;
	return names[traffic];
}

int
vnet_limit_check(const struct vnet_limit *limit, struct vnet_why *why)
{
	const struct {
		const char *text;
		uint64_t value;
		uint64_t most;
	} field[] = {
		{"rate of frames too large", limit->frames_per_s,
		 VNET_LIMIT_RATE_MAX},
		{"rate of octets too large", limit->octets_per_s,
		 VNET_LIMIT_RATE_MAX},
		{"burst of frames too large", limit->burst_frames,
		 VNET_LIMIT_BURST_MAX},
		{"burst of octets too large", limit->burst_octets,
		 VNET_LIMIT_BURST_MAX},
	};

	if (limit->size != sizeof(*limit))
		return vnet_why(why, "size of the limit", 0, limit->size,
				sizeof(*limit));
	if (!limit->frames_per_s && !limit->octets_per_s)
		return vnet_why(why, "limit without a rate", 1, 0, 1);
	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		if (field[i].value > field[i].most)
			return vnet_why(why, field[i].text, 1 + i,
					field[i].value, field[i].most);
	}
	return 0;
}

/*
 * One bucket
 */

/* By long division: the core has no other of 64 bits. */
static uint64_t
divide(uint64_t n, uint64_t by)
{
	uint64_t quotient = 0;

	for (int i = 63; i >= 0; i--) {
		if (n >> i >= by) {
			n -= by << i;
			quotient |= UINT64_C(1) << i;
		}
	}
	return quotient;
}

static uint64_t
default_burst(uint64_t rate, uint64_t least)
{
	uint64_t burst = divide(rate, 10);

	if (burst < least)
		return least;
	return burst < VNET_LIMIT_BURST_MAX ? burst : VNET_LIMIT_BURST_MAX;
}

void
vnet_limit_complete(struct vnet_limit *limit)
{
	if (!limit->burst_frames && limit->frames_per_s)
		limit->burst_frames = default_burst(limit->frames_per_s, 1);
	if (!limit->burst_octets && limit->octets_per_s)
		limit->burst_octets = default_burst(limit->octets_per_s, 65536);
}

/* A full bucket. */
static struct vnet_bucket
make(uint64_t rate, uint64_t burst, vnet_nsec now)
{
	if (!rate)
		return (struct vnet_bucket){.rate = 0};
	return (struct vnet_bucket){
		.rate = rate,
		.burst = burst,
		.full_ns = divide((burst + MAX_TAKEN) * ONE, rate) + 1,
		.left = (int64_t)(burst * ONE),
		.last = now,
	};
}

static bool
have_same_bounds(const struct vnet_bucket *a, const struct vnet_bucket *b)
{
	return a->rate == b->rate && a->burst == b->burst;
}

static int64_t
left_at(const struct vnet_bucket *b, vnet_nsec now)
{
	int64_t full = (int64_t)(b->burst * ONE);
	vnet_nsec passed = now > b->last ? now - b->last : 0;
	int64_t gained;

	if (passed >= b->full_ns)
		return full;
	gained = (int64_t)(passed * b->rate);
	return gained < full - b->left ? b->left + gained : full;
}

static bool
has_left(const struct vnet_bucket *b, vnet_nsec now)
{
	return !b->rate || left_at(b, now) > 0;
}

static void
take(struct vnet_bucket *b, uint64_t n, vnet_nsec now)
{
	if (!b->rate)
		return;
	if (n > MAX_TAKEN)
		n = MAX_TAKEN;
	b->left = left_at(b, now) - (int64_t)(n * ONE);
	if (b->left < -MAX_DEBT)
		b->left = -MAX_DEBT;
	if (now > b->last)
		b->last = now;
}

/*
 * All limits of a side
 */

void
vnet_limits_init(struct vnet_limits *l)
{
	memset(l, 0, sizeof(*l));
}

static bool
is_set(const struct vnet_limits *l, enum vnet_traffic traffic)
{
	return l->set >> traffic & 1;
}

void
vnet_limits_set(struct vnet_limits *l, enum vnet_traffic traffic,
		const struct vnet_limit *limit, vnet_nsec now)
{
	struct vnet_bucket frames, octets;
	struct vnet_limit whole;

	if (!limit) {
		l->set &= ~(UINT32_C(1) << traffic);
		memset(&l->of[traffic], 0, sizeof(l->of[traffic]));
		return;
	}
	whole = *limit;
	vnet_limit_complete(&whole);
	frames = make(whole.frames_per_s, whole.burst_frames, now);
	octets = make(whole.octets_per_s, whole.burst_octets, now);
	if (have_same_bounds(&l->of[traffic].frames, &frames) &&
	    have_same_bounds(&l->of[traffic].octets, &octets))
		return;
	l->set |= UINT32_C(1) << traffic;
	l->of[traffic].frames = frames;
	l->of[traffic].octets = octets;
}

int
vnet_limits_get(const struct vnet_limits *l, enum vnet_traffic traffic,
		struct vnet_limit *limit, struct vnet_count *dropped)
{
	if ((unsigned int)traffic >= VNET_NTRAFFIC)
		return -EINVAL;
	if (limit && limit->size != sizeof(*limit))
		return -EINVAL;
	if (!is_set(l, traffic))
		return -ENOENT;
	if (limit)
		*limit = (struct vnet_limit){
			.size = sizeof(*limit),
			.frames_per_s = l->of[traffic].frames.rate,
			.octets_per_s = l->of[traffic].octets.rate,
			.burst_frames = l->of[traffic].frames.burst,
			.burst_octets = l->of[traffic].octets.burst,
		};
	if (dropped)
		*dropped = l->of[traffic].dropped;
	return 0;
}

static bool
lets_pass(const struct vnet_limits *l, enum vnet_traffic which, vnet_nsec now)
{
	return !is_set(l, which) || (has_left(&l->of[which].frames, now) &&
				     has_left(&l->of[which].octets, now));
}

enum vnet_traffic
vnet_limits_ask(const struct vnet_limits *l, enum vnet_traffic traffic,
		vnet_nsec now)
{
	if (!l)
		return VNET_NTRAFFIC;
	if (!lets_pass(l, VNET_TRAFFIC_ALL, now))
		return VNET_TRAFFIC_ALL;
	if (!lets_pass(l, traffic, now))
		return traffic;
	return VNET_NTRAFFIC;
}

static void
take_from(struct vnet_limits *l, enum vnet_traffic which, uint32_t frames,
	  uint64_t octets, vnet_nsec now)
{
	if (!is_set(l, which))
		return;
	take(&l->of[which].frames, frames, now);
	take(&l->of[which].octets, octets, now);
}

void
vnet_limits_take(struct vnet_limits *l, enum vnet_traffic traffic,
		 uint32_t frames, uint64_t octets, vnet_nsec now)
{
	if (!l)
		return;
	take_from(l, VNET_TRAFFIC_ALL, frames, octets, now);
	if (traffic != VNET_TRAFFIC_ALL)
		take_from(l, traffic, frames, octets, now);
}
