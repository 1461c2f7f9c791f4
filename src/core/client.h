/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client as the core holds it.
 */
#ifndef VNET_CORE_CLIENT_H
#define VNET_CORE_CLIENT_H

#include <vnet/client.h>
#include <vnet/event.h>

#include "core.h"
#include "port.h"
#include "queue.h"

/* Threads that may forward at the same time. Every count below is made for any
 * number of them. */
#define VNET_WORKERS 1

/* Events of the data path. A client has one of each type at the most that waits
 * to be read, and counts what comes meanwhile: so that no traffic pushes other
 * events out of the ring. */
enum {
	VNET_MARK_MOVED,
	VNET_MARK_FDB_FULL,
	VNET_MARK_QUEUE_FULL,
	VNET_MARK_HELD,
	VNET_MARK_MOVE_REFUSED,
	VNET_MARK_LIMITED,
	VNET_MARK_NOT_GRANTED,
	VNET_NMARKS
};

struct vnet_mark {
	uint64_t mac;
	vnet_nsec time; /* of the first one */
	uint32_t count; /* 0: there is none */
};

/**
 * struct vnet_counters - one worker's share of a client's counters
 *
 * What a frame does before and at the look-up is counted at the client that it
 * came from, by the worker that took it in; what it does behind, at the client
 * that it is meant for, by the worker of that one.
 */
struct vnet_counters {
	struct vnet_count in;
	struct vnet_count looked_up;
	struct vnet_count copies;
	struct vnet_count out;
	struct vnet_count segments;
	struct vnet_count delivered;
	struct vnet_count lost_by_others;
	uint64_t moves;
	uint64_t moves_refused;
	struct vnet_count in_drops[VNET_NDROPS];
	struct vnet_count out_drops[VNET_NDROPS];
};

/* What one worker changes of a client; nobody else does. */
struct vnet_lane {
	uint64_t pending;  /* bit i: frame i of the batch is meant for it, */
	uint64_t via_out;  /* with VNET_VIA_OUT, */
	uint64_t via_both; /* and VNET_VIA_BOTH beside it */
	uint16_t skip;     /* of the first of them, frames already sent */
	struct vnet_counters count;
	struct vnet_queue queue;
	struct vnet_mark mark[VNET_NMARKS];
};

struct vnet_grant_node;
struct vnet_switch;

struct vnet_client {
	vnet_client_id id;
	struct vnet_port *port;
	const struct vnet_driver_ops *ops;
	void *ctx;
	uint32_t slot;
	uint16_t weight;
	bool is_up; /* its port's link is, its driver not broken, and its grant
		     * has not ended */
	bool is_observed;
	/* Does it, or its port, have what most do not: limits, siblings,
	 * receive filters, a grant with a rate, no link? Those that matter for
	 * frames from it, and, of any grant, for it. */
	bool is_odd_in;
	bool is_odd_out;
	uint32_t carries;
	struct vnet_grant_node *grant; /* NULL: it may whatever there is */
	struct vnet_lane lane[VNET_WORKERS];

	struct vnet_client *next;      /* of its port */
	struct vnet_limits *limits[2]; /* by enum vnet_side; NULL for none */
	struct vnet_chain receive[2];  /* VNET_RECEIVE_IN, VNET_RECEIVE_OUT */
	uint64_t own;                  /* its address, 0 if it has none */
	uint64_t number;               /* clients are numbered as they come */
	uint32_t index;
	uint32_t queue_octets;
	uint32_t max_addresses;
	enum vnet_accept accept;
	bool is_broken;  /* its driver is, or it is part of a loop */
	bool is_revoked; /* its grant has ended, and it has no other */
	struct vnet_client *grant_next; /* of its grant */
	struct vnet_client *own_next;   /* in vnet_switch.owns */
	struct vnet_observer observer;
	struct vnet_switch *sw; /* for that: all others know it */
				/* The nodes of the queue's heap lie behind. */
};

/* The chain of a client that @side names: one of the last two. */
VNET_INLINE struct vnet_chain *
vnet_client_chain(struct vnet_client *c, enum vnet_side side)
{
	return &c->receive[side - VNET_RECEIVE_IN];
}

VNET_INLINE const struct vnet_chain *
vnet_client_filters(const struct vnet_client *c, enum vnet_side side)
{
	return &c->receive[side - VNET_RECEIVE_IN];
}

VNET_INLINE void
vnet_count_add(struct vnet_count *c, uint64_t frames, uint64_t octets)
{
	c->frames += frames;
	c->octets += octets;
}

/* Find out anew which clients of a port are odd. */
void vnet_port_mark_odd(struct vnet_port *port);

/* Everything that can be wrong with a queue's bound, with a weight, and with what
 * it takes. 0 or -EINVAL. */
int vnet_client_queue_check(uint32_t queue_octets, uint32_t max_queue_octets,
			    struct vnet_why *why);
int vnet_client_weight_check(uint32_t weight, struct vnet_why *why);
int vnet_client_accept_check(enum vnet_accept accept, struct vnet_why *why);

/* Everything that can be wrong with a configuration. 0 or -EINVAL. */
int vnet_client_config_check(const struct vnet_client_config *config,
			     uint32_t max_queue_octets, struct vnet_why *why);

/* Add @from to @to, every counter. */
void vnet_counters_sum(struct vnet_counters *to,
		       const struct vnet_counters *from);

/* Fill what the counters say into @stats; the queue is not among them. */
void vnet_counters_stats(const struct vnet_counters *c,
			 struct vnet_client_stats *stats);

#endif
