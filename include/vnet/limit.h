/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits: token buckets that bound what a port or a client may send into the
 * switch, or be sent from it. (Policers in the sense of RFC 2475; storm control
 * where they are for broadcast, multicast or unknown unicast alone.)
 *
 * A frame passes where every limit that concerns it, of its client and of its
 * port, has something left, and then takes from all of them; what it takes
 * beyond that is owed, so that a frame larger than a burst passes too and the
 * rate holds all the same. One that does not pass takes nothing, is counted as
 * VNET_DROP_POLICED or VNET_DROP_STORM at its client, and is not learned from.
 * On the way in limits come behind the ingress chain, on the way out behind the
 * egress chain. A frame to be segmented counts as its segments, with their
 * octets on the wire; one that goes to several clients of a port counts once
 * for the port.
 */
#ifndef VNET_LIMIT_H
#define VNET_LIMIT_H

#include <vnet/types.h>
#include <vnet/filter.h>

VNET_BEGIN_DECLS

struct vnet_switch;
struct vnet_count;

/* Which frames a limit is for. */
enum vnet_traffic {
	VNET_TRAFFIC_ALL = 0,
	VNET_TRAFFIC_BROADCAST = 1, /* to FF-FF-FF-FF-FF-FF */
	VNET_TRAFFIC_MULTICAST = 2, /* to any other group */
	VNET_TRAFFIC_UNKNOWN = 3, /* unicast to an address that is not known */
	VNET_NTRAFFIC
};

/* Bounds of struct vnet_limit. */
#define VNET_LIMIT_RATE_MAX  (UINT64_C(1) << 40)
#define VNET_LIMIT_BURST_MAX (UINT64_C(1) << 31)

/**
 * struct vnet_limit - a limit to set
 * @size:	sizeof(struct vnet_limit)
 * @frames_per_s: 1 to VNET_LIMIT_RATE_MAX; 0 for no bound of frames
 * @octets_per_s: likewise, of octets on the wire without FCS
 * @burst_frames: what may come at once, 1 to VNET_LIMIT_BURST_MAX; 0 for what
 *		the rate gives in a tenth of a second, within these bounds
 * @burst_octets: likewise; 0 for 65536 at least
 *
 * At least one of the two rates is set. A burst means nothing without its rate.
 */
struct vnet_limit {
	size_t size;
	uint64_t frames_per_s;
	uint64_t octets_per_s;
	uint64_t burst_frames;
	uint64_t burst_octets;
};

/**
 * vnet_limit_set() - set a limit, or take it away
 * @owner:	a port or a client
 * @side:	VNET_INGRESS for what it sends into the switch, VNET_EGRESS for
 *		what it is sent from it
 * @limit:	takes the place of the one before; NULL for none
 * @why:	filled on failure, the index counting the fields of @limit from
 *		0; may be NULL
 *
 * A new limit begins with its burst, and so does one that changes, whose drops
 * count on. One that is set to what it is goes on as it was.
 *
 * Return: 0; -ENOENT if there is no such owner, -EINVAL if something is wrong,
 * -ENOMEM, -EBUSY from inside a driver's send. The limits are then as they were.
 */
VNET_API int vnet_limit_set(struct vnet_switch *sw, uint64_t owner,
			    enum vnet_side side, enum vnet_traffic traffic,
			    const struct vnet_limit *limit,
			    struct vnet_why *why);

/**
 * vnet_limit_get() - read a limit
 * @limit:	filled with the rates and bursts that hold, if not NULL
 * @dropped:	what it has dropped, if not NULL; a frame that breaks several
 *		limits counts for the first of them: client before port, all
 *		before a kind
 *
 * Return: 0; -ENOENT if there is no such owner or limit, -EINVAL for an unknown
 * side, traffic or limit->size.
 */
VNET_API int vnet_limit_get(const struct vnet_switch *sw, uint64_t owner,
			    enum vnet_side side, enum vnet_traffic traffic,
			    struct vnet_limit *limit,
			    struct vnet_count *dropped);

/* Stable name ("broadcast"), NULL for a number that is none. */
VNET_API const char *vnet_traffic_name(enum vnet_traffic traffic);

VNET_END_DECLS

#endif
