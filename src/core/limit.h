/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The limits of one side of a port or client: token buckets.
 *
 * A bucket is counted in billionths of what it bounds, so that nanoseconds
 * times the rate is what has come in: exact, without a division. What it lacks
 * is filled in when it is looked at. Nothing takes more than 2^32 - 1 at once,
 * for no frame has more octets, and no bucket owes more.
 */
#ifndef VNET_CORE_LIMIT_H
#define VNET_CORE_LIMIT_H

#include <vnet/client.h>
#include <vnet/limit.h>

#include "core.h"

/**
 * struct vnet_bucket - what is left of one rate
 * @rate:	per second; 0: there is no bound
 * @burst:	the most that it holds
 * @full_ns:	nanoseconds that fill it whatever it owes. Fewer of them, times
 *		the rate, fit 63 bits
 * @left:	at the time @last, in billionths; below 0 is owed
 */
struct vnet_bucket {
	uint64_t rate;
	uint64_t burst;
	uint64_t full_ns;
	int64_t left;
	vnet_nsec last;
};

struct vnet_limits {
	uint32_t set; /* bit by enum vnet_traffic */
	struct {
		struct vnet_bucket frames;
		struct vnet_bucket octets;
		struct vnet_count dropped;
	} of[VNET_NTRAFFIC];
};

/* Everything that can be wrong with a limit. 0 or -EINVAL. */
int vnet_limit_check(const struct vnet_limit *limit, struct vnet_why *why);

/* Fill in the bursts that it does not say. It has passed the check. */
void vnet_limit_complete(struct vnet_limit *limit);

/* Nothing is limited. */
void vnet_limits_init(struct vnet_limits *l);

/* @limit has passed the check, or is NULL for none. One that changes keeps the
 * count of what it has dropped. */
void vnet_limits_set(struct vnet_limits *l, enum vnet_traffic traffic,
		     const struct vnet_limit *limit, vnet_nsec now);

/* As vnet_limit_get(); -ENOENT where there is none. */
int vnet_limits_get(const struct vnet_limits *l, enum vnet_traffic traffic,
		    struct vnet_limit *limit, struct vnet_count *dropped);

/* What of these limits has nothing left for a frame of @traffic: ALL before
 * @traffic, VNET_NTRAFFIC if all let it pass. Changes nothing. @l may be
 * NULL. */
enum vnet_traffic vnet_limits_ask(const struct vnet_limits *l,
				  enum vnet_traffic traffic, vnet_nsec now);

/* A frame of @traffic passes, which counts as @frames: take it from ALL and from
 * @traffic. @l may be NULL. */
void vnet_limits_take(struct vnet_limits *l, enum vnet_traffic traffic,
		      uint32_t frames, uint64_t octets, vnet_nsec now);

/* The limit on @which has dropped a frame. */
VNET_INLINE void
vnet_limits_dropped(struct vnet_limits *l, enum vnet_traffic which,
		    uint32_t frames, uint64_t octets)
{
	l->of[which].dropped.frames += frames;
	l->of[which].dropped.octets += octets;
}

#endif
