/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switch as the core holds it: shared by the control path (switch.c) and the
 * data path (forward.c).
 */
#ifndef VNET_CORE_SWITCH_H
#define VNET_CORE_SWITCH_H

#include <vnet/switch.h>

#include "client.h"
#include "core.h"
#include "event.h"
#include "fdb.h"
#include "filter.h"
#include "grants.h"
#include "offload.h"
#include "port.h"
#include "probe.h"
#include "queue.h"

#include <vnet/explain.h>

/* Frames that are decided, committed and flushed together: bits of
 * vnet_lane.pending. */
#define VNET_BATCH 64

/* Room for frames that are put together or made here: the longest, and then as
 * many again. */
#define VNET_SCRATCH_SIZE ((size_t)2 * VNET_RESOLVED_MAX)

/* Whose limit it was that kept a frame back, and on which traffic. */
struct vnet_blame {
	uint8_t traffic;
	bool is_ports;  /* or the client's, */
	uint8_t grants; /* if not 0 that of its grant, 1, or of the how manieth
			 * above */
};

/**
 * struct vnet_dest - one destination of a frame
 * @rule:	of the egress chain; VNET_NO_RULE if that did not run, or is
 *		counted with another client of the port
 * @receive:	of the client's filters, likewise
 * @drop:	enum vnet_drop: NONE, or why it does not get there
 * @is_odd:	the rest, and @receive, mean something
 * @reach:	enum vnet_reach
 * @is_ports_first: of the clients of its port, the one with which what the frame
 *		takes from the port's limits is counted
 * @blame:	for POLICED and STORM
 * @guard:	enum vnet_grant_part
 */
struct vnet_dest {
	struct vnet_client *client;
	uint32_t rule;
	uint32_t receive;
	uint8_t drop;
	bool is_odd;
	uint8_t reach;
	uint8_t via; /* VNET_VIA_* */
	uint8_t guard;
	bool is_ports_first;
	struct vnet_blame blame;
};

/**
 * struct vnet_decision - what is to become of a frame
 * @drop:	NONE, or why it goes nowhere
 * @learn:	from its source; it has then passed all limits on the way in
 * @is_odd:	the sender or one of @dest is
 * @lookup:	enum vnet_lookup
 * @blame:	for POLICED and STORM
 * @guard:	for NOT_GRANTED and UNDECIDED: enum vnet_grant_part
 * @rule:	of the ingress chain, as above
 * @known:	for VNET_LOOKUP_KNOWN
 * @looped:	for LOOP_PROBE: who was sent the probe
 * @dest:	@ndests of them; room for every client
 */
struct vnet_decision {
	enum vnet_drop drop;
	bool learn;
	bool is_odd;
	uint8_t lookup;
	uint8_t guard;
	struct vnet_blame blame;
	uint32_t rule;
	uint32_t ndests;
	struct vnet_client *known;
	struct vnet_client *looped;
	struct vnet_dest *dest;
};

/* What of a frame depends on nothing but the frame. */
struct vnet_parsed {
	struct vnet_eth eth;
	uint32_t home_dst; /* where its addresses are in the FDB, if they are */
	uint32_t home_src;
	bool is_whole; /* has a header */
};

/* What one worker needs while it forwards. */
struct vnet_worker {
	struct vnet_parsed parsed[VNET_BATCH];
	bool is_plain;    /* no frame of the batch has offloads, or tags */
	uint32_t learned; /* vnet_fdb_slot.where of what it is learned from */
	struct vnet_offload offload[VNET_BATCH];
	struct vnet_frame out[VNET_BATCH];
	uint64_t gathered; /* which frames of the batch out[] holds */
	struct vnet_count gathered_count;
	uint32_t gathered_wants; /* in VNET_CARRIES_* */
	struct vnet_dest *dest;  /* max_clients of them */
	uint64_t *touched;       /* bit per slot: clients with frames pending */
	uint32_t first_touched;  /* words of it that are not 0 lie from here */
	uint32_t end_touched;    /* up to, but without, this one */
	uint8_t *scratch;        /* VNET_SCRATCH_SIZE */
};

/* The places of a table of ports, clients or grants. */
struct vnet_slot {
	void *object;        /* NULL if it is free, or being swept */
	uint32_t generation; /* of the id that it has, or will have */
	bool is_swept;       /* what referred to the last one has gone */
};

struct vnet_switch {
	/* the data path's */
	vnet_nsec now;
	vnet_nsec second_ends; /* when now_s has to step */
	uint64_t now_s;
	bool entered;   /* it is on the call stack */
	bool observing; /* and so is an observer */
	bool uplink_transit;
	uint16_t forward_reserved;
	uint32_t nreach;
	struct vnet_client **reach; /* the first clients of ports that are up */
	struct vnet_slot *clients;  /* by slot */
	struct vnet_client **owns;  /* those with an address of their own, in
				     * max_clients lists: see below */
	struct vnet_fdb fdb;
	struct vnet_pool pool;
	struct vnet_events events;
	uint64_t *marked;     /* bit per slot: clients with a mark */
	uint32_t mark_cursor; /* whose is read next */
	struct vnet_worker worker[VNET_WORKERS];

	/* the control path's */
	struct vnet_alloc alloc;
	struct vnet_switch_config
		config; /* no zeroes left that mean defaults */
	struct vnet_slot *ports;
	struct vnet_slot *grants;
	struct vnet_grant_name **names; /* vnet_grants_nlists() lists, by their
					 * homes in the FDB */
	struct vnet_grant_node *first_grant; /* in the order they were made */
	struct vnet_grant_node *last_grant;
	uint32_t ngrants;
	vnet_nsec grants_due; /* when the next one ends by itself */
	struct vnet_chain_budget budget;
	uint32_t nports;
	uint32_t nclients;
	uint32_t nsweeping; /* slots of clients that are being swept */
	uint32_t sweep_cursor;
	struct vnet_counters gone; /* of clients that are no more */
	struct vnet_count originated;
	struct vnet_count unknown_source;
	uint64_t number; /* of the port or client that came last */
	struct vnet_probe_key probe_key;
	uint32_t nguarded;     /* ports with VNET_PORT_LOOP_GUARD */
	uint32_t probe_cursor; /* slot of the next client to be sent one */
	uint64_t probe_round;  /* the number of the probes of this round */
	vnet_nsec probe_due;   /* when the next round begins */
	uint64_t clock_steps_back;
};

/*
 * Ports have the lower half of all generations, clients and grants a quarter
 * each: the id of one is never that of another.
 */
#define VNET_FIRST_PORT   UINT32_C(1)
#define VNET_END_PORT     (UINT32_C(1) << 31)
#define VNET_FIRST_CLIENT (VNET_END_PORT + 1)
#define VNET_END_CLIENT   (UINT32_C(3) << 30)
#define VNET_FIRST_GRANT  (VNET_END_CLIENT + 1)
#define VNET_END_GRANT    UINT32_MAX

/* A slot that may be used, or @n. One whose generations are used up, @end being
 * next, stays empty for ever: an id never comes back. */
uint32_t vnet_slot_unused(const struct vnet_slot *slots, uint32_t n,
			  uint32_t end);

/* The id of what is, or will be, in slot @i. */
VNET_INLINE uint64_t
vnet_slot_id(const struct vnet_slot *slots, uint32_t i)
{
	return (uint64_t)slots[i].generation << 32 | i;
}

/* What is in slot @i goes. */
void vnet_slot_release(struct vnet_slot *slots, uint32_t i);

/* What has an id, or NULL. */
VNET_INLINE void *
vnet_slot_find(const struct vnet_slot *slots, uint32_t n, uint64_t id)
{
	uint32_t i = (uint32_t)id;

	if (i >= n || slots[i].generation != id >> 32)
		return NULL;
	return slots[i].object;
}

VNET_INLINE struct vnet_client *
vnet_switch_client(const struct vnet_switch *sw, vnet_client_id id)
{
	return vnet_slot_find(sw->clients, sw->config.max_clients, id);
}

VNET_INLINE struct vnet_port *
vnet_switch_port(const struct vnet_switch *sw, vnet_port_id id)
{
	return vnet_slot_find(sw->ports, sw->config.max_ports, id);
}

VNET_INLINE struct vnet_client *
vnet_switch_client_at(const struct vnet_switch *sw, uint32_t slot)
{
	return sw->clients[slot].object;
}

/* Clients whose own address has that home in the FDB, and others; linked by
 * own_next. */
VNET_INLINE struct vnet_client **
vnet_switch_owns(const struct vnet_switch *sw, uint32_t home)
{
	return &sw->owns[home % sw->config.max_clients];
}

/* Take the time from the caller. */
void vnet_switch_advance(struct vnet_switch *sw, vnet_nsec now);

/* The driver of @c says that it is broken: its link goes down, or where its port
 * has other clients, it alone. */
void vnet_switch_driver_broke(struct vnet_switch *sw, struct vnet_client *c,
			      int error);

/* A client has another grant than before, or its grant is another one, or it has
 * none: what was learned on it is forgotten. */
void vnet_switch_granted(struct vnet_switch *sw, struct vnet_client *c);

/* The grant of @c has ended, and it leaves it: nothing more from it, or for
 * it. */
void vnet_switch_revoked(struct vnet_switch *sw, struct vnet_client *c);

/* Give back the memory of limits, if there are any. */
void vnet_limits_free(struct vnet_switch *sw, struct vnet_limits **limits);

/* A probe that @from was sent has come back from @in: close the younger. */
void vnet_switch_looped(struct vnet_switch *sw, struct vnet_client *from,
			struct vnet_client *in);

/* In forward.c: what is to become of a frame, with its offload fields in
 * w->offload[0]. Changes nothing that a frame could tell. */
void vnet_forward_decide(const struct vnet_switch *sw, struct vnet_worker *w,
			 const struct vnet_client *in,
			 const struct vnet_frame *f, struct vnet_decision *v);

/* Send a client a frame of the switch's own, a view as drivers are lent. */
void vnet_forward_originate(struct vnet_switch *sw, struct vnet_client *c,
			    const struct vnet_frame *f);

/* Something happened to a client while frames were forwarded: VNET_MARK_*. */
void vnet_switch_mark(struct vnet_switch *sw, struct vnet_client *c, int which,
		      uint64_t mac);

#endif
