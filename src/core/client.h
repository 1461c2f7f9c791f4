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
enum { VNET_MARK_MOVED, VNET_MARK_FDB_FULL, VNET_MARK_QUEUE_FULL, VNET_NMARKS };

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
	struct vnet_count in_drops[VNET_NDROPS];
	struct vnet_count out_drops[VNET_NDROPS];
};

/* What one worker changes of a client; nobody else does. */
struct vnet_lane {
	uint64_t pending; /* bit i: frame i of the batch is meant for it */
	uint16_t skip;    /* of the first of them, frames already sent */
	struct vnet_counters count;
	struct vnet_queue queue;
	struct vnet_mark mark[VNET_NMARKS];
};

struct vnet_switch;

struct vnet_client {
	vnet_client_id id;
	struct vnet_port *port;
	const struct vnet_driver_ops *ops;
	void *ctx;
	uint32_t slot;
	uint16_t weight;
	bool is_observed;
	uint32_t carries;
	struct vnet_lane lane[VNET_WORKERS];
	struct vnet_observer observer;
	struct vnet_switch *sw; /* for that: all others know it */
				/* The nodes of the queue's heap lie behind. */
};

/* A client that frames may be sent to: there, and its port's link up. */
VNET_INLINE bool
vnet_client_is_up(const struct vnet_client *c)
{
	return c->port->link;
}

VNET_INLINE void
vnet_count_add(struct vnet_count *c, uint64_t frames, uint64_t octets)
{
	c->frames += frames;
	c->octets += octets;
}

/* Everything that can be wrong with a queue's bound, and with a weight. 0 or
 * -EINVAL. */
int vnet_client_queue_check(uint32_t queue_octets, uint32_t max_queue_octets,
			    struct vnet_why *why);
int vnet_client_weight_check(uint32_t weight, struct vnet_why *why);

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
