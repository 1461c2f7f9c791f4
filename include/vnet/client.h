/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients, the openers of a port: what a port driver is bound to, and what
 * frames, queues, limits and counters belong to.
 *
 * An uplink has one client at the most, a vif any number. Whoever opens a vif
 * opens it as one of several stacks on one network interface; a frame that a
 * client of a vif writes is
 *
 *	offered to the receive filters VNET_RECEIVE_OUT of all clients of the
 *	vif, its own included (what a capture asks for)
 *	given to those other clients of the vif that it is addressed to: it is
 *	broadcast, multicast, or to the client's own address; unless the vif
 *	has VNET_PORT_NO_SIBLINGS
 *	forwarded to other ports by the rules of the switch
 *
 * and a client gets a frame once at the most. What comes from elsewhere and is
 * addressed to the vif's address, to a group, or to nobody known, is for every
 * client of it; what is addressed to an address that was learned on one
 * client is for that one. What a client takes of what is for it, its own
 * rules say: enum vnet_accept, and the filters VNET_RECEIVE_IN. No client's
 * filters have a say in what another one gets.
 */
#ifndef VNET_CLIENT_H
#define VNET_CLIENT_H

#include <vnet/types.h>
#include <vnet/frame.h>
#include <vnet/port.h>

VNET_BEGIN_DECLS

/*
 * Why a frame was not forwarded. Grows at the end; vnet_drop_name() gives the
 * stable name of each. Drops on the way in are counted at the client that the
 * frame came from, those on the way out at the client that it was meant for.
 */
enum vnet_drop {
	VNET_DROP_NONE = 0,
	/* in */
	VNET_DROP_MALFORMED,      /* under 14 octets, or tags that are none */
	VNET_DROP_BAD_OFFLOAD,    /* offload fields belie the headers */
	VNET_DROP_BAD_SOURCE,     /* source address is a group or zero */
	VNET_DROP_RESERVED,       /* to 01-80-C2-00-00-00 to -0F */
	VNET_DROP_INGRESS_FILTER, /* by the port's ingress chain */
	VNET_DROP_SAME_PORT,      /* the destination is where it came from */
	VNET_DROP_SPLIT_HORIZON,  /* from an uplink to an uplink */
	VNET_DROP_NO_DESTINATION, /* nobody to send to */
	VNET_DROP_REENTRANT,      /* this switch is on the call stack already */
	VNET_DROP_TOO_DEEP,       /* 8 switches on the call stack */
	/* in and out */
	VNET_DROP_LINK_DOWN,
	/* out */
	VNET_DROP_EGRESS_FILTER, /* by the port's egress chain */
	VNET_DROP_TOO_LONG,      /* for the port's MTU, when segmented */
	VNET_DROP_QUEUE_FULL,    /* the client's queue */
	VNET_DROP_POOL_EMPTY,    /* the pool has no more for this queue, or for
				  * this source: see pool_octets */
	VNET_DROP_REFUSED,      /* by the driver: its medium will not have it */
	VNET_DROP_DRIVER_ERROR, /* the driver is broken */
	VNET_DROP_REMOVED,      /* queued when the client was removed */
	/* in and out */
	VNET_DROP_POLICED, /* a limit on all traffic: see vnet_limit_set() */
	VNET_DROP_STORM,   /* one on broadcast, multicast or unknown unicast */
	/* in */
	VNET_DROP_LOOP_PROBE, /* a loop probe of this switch that came back */
	/* out */
	VNET_DROP_RECEIVE_FILTER, /* by the client's filters VNET_RECEIVE_IN */
	VNET_DROP_NOT_ADDRESSED,  /* to another's address: VNET_ACCEPT_OWN */
	/* in and out: see grant.h */
	VNET_DROP_NOT_GRANTED, /* outside of the client's grant */
	VNET_DROP_UNDECIDED,   /* nobody can tell whether it is within that */
	/* in */
	VNET_DROP_REVOKED, /* the client's grant has ended */
	VNET_NDROPS
};

/* Stable name ("queue_full"), NULL for a number that is no reason. */
VNET_API const char *vnet_drop_name(enum vnet_drop reason);

/* Is it a reason on the way into the switch, or out of it (@out)? Some are
 * both. */
VNET_API bool vnet_drop_is_on(enum vnet_drop reason, bool out);

/* Switches that may call each other through their drivers. What counts is how
 * deep vnet_switch_input() is nested; a frame that has waited in a queue begins
 * anew. */
#define VNET_MAX_DEPTH 8

/* The unit in which backlogs take memory. A source's backlog for a client holds
 * whole blocks; small frames share one. */
#define VNET_POOL_BLOCK 2048

/* What a client takes of what its port is sent. */
enum vnet_accept {
	/* All: of unicast also what is flooded, and what is addressed to an
	 * address that was learned on it. */
	VNET_ACCEPT_ALL = 0,
	/* Groups, and its own address: what a network interface takes that is
	 * not promiscuous. */
	VNET_ACCEPT_OWN = 1,
};

/**
 * struct vnet_client_config - a client to add to a port
 * @size:	sizeof(struct vnet_client_config)
 * @ops:	its driver; outlives the client
 * @ctx:	handed to @ops
 * @queue_octets: bound of its queue, in octets of the pool, VNET_POOL_BLOCK at
 *		the least; 0 for the switch's queue_octets, which is the most.
 *		A frame takes its octets and 40, in blocks of VNET_POOL_BLOCK
 *		that it shares with others of its source; one that takes more
 *		than the bound is never queued
 * @weight:	its share, as a source, of a congested client's output, 1 to
 *		1024; 0 for 1
 * @max_addresses: the most addresses that may be learned on it; 0 for no bound
 *		of its own. Beyond, its oldest goes for its newest
 * @accept:	what it takes
 * @mac:	its own address on a port of VNET_PORT_PER_CLIENT: not a group;
 *		zero for one that is made of the port's address and the client's
 *		index. Zero on others: there it is the port's
 * @grant:	what it may send and receive: a vnet_grant_id of grant.h;
 *		VNET_NO_ID for whatever there is
 *
 * The rest, limits and receive filters, is set of a client that is there: one
 * that is to have them before its first frame is added to a port whose link is
 * down.
 */
struct vnet_client_config {
	size_t size;
	const struct vnet_driver_ops *ops;
	void *ctx;
	uint32_t queue_octets;
	uint32_t weight;
	uint32_t max_addresses;
	enum vnet_accept accept;
	struct vnet_mac mac;
	uint64_t grant;
};

/**
 * vnet_client_add() - open a port
 * @id:		set on success
 * @why:	filled on failure; may be NULL
 *
 * On success the switch owns @config->ctx until it calls close; on failure the
 * caller still does.
 *
 * Return: 0; -ENOENT if there is no such port, -EINVAL if the configuration is
 * wrong, -EEXIST if the port is an uplink and has a client, or if another client
 * of the port has that address, -ENOENT also if there is no such grant, -EUSERS
 * if the grant has as many clients as it may, -ENOSPC if every slot is in use (those of removed
 * clients become free by vnet_switch_tick()), -ENOMEM, -EBUSY from inside a
 * driver's send.
 */
VNET_API int vnet_client_add(struct vnet_switch *sw, vnet_port_id port,
			     const struct vnet_client_config *config,
			     vnet_client_id *id, struct vnet_why *why);

/*
 * Close: as vnet_port_remove(), the port stays. What the client has sent stays
 * queued at others; one that opens the port anew is another source, and the
 * order between its frames and those is not kept. Return: 0; -ENOENT, -EBUSY.
 */
VNET_API int vnet_client_remove(struct vnet_switch *sw, vnet_client_id id);

/* Bound its queue anew; @queue_octets as in struct vnet_client_config. What is
 * queued beyond a smaller bound stays until it is sent. Return: 0; -ENOENT,
 * -EINVAL if out of bounds, -EBUSY from inside a driver's send. */
VNET_API int vnet_client_set_queue(struct vnet_switch *sw, vnet_client_id id,
				   uint32_t queue_octets);

/* Change its share as a source; @weight as in struct vnet_client_config. Where
 * frames of it are queued, it holds from the next one on that joins them.
 * Return: as vnet_client_set_queue(). */
VNET_API int vnet_client_set_weight(struct vnet_switch *sw, vnet_client_id id,
				    uint32_t weight);

/**
 * vnet_client_set_link() - tell the switch that a client's medium is up, or down
 *
 * Where its port has no other client this is vnet_port_set_link(). Of a vif with
 * several it concerns this one alone, which has then no event; the link of the
 * port being set up sets up all of them.
 *
 * Return: 0; -ENOENT, -EBUSY from inside a driver's send.
 */
VNET_API int vnet_client_set_link(struct vnet_switch *sw, vnet_client_id id,
				  bool up);

/* Change what it takes, for frames from now on. Return: as
 * vnet_client_set_queue(). */
VNET_API int vnet_client_set_accept(struct vnet_switch *sw, vnet_client_id id,
				    enum vnet_accept accept);

/**
 * vnet_client_set_mac() - change its address, of a port of VNET_PORT_PER_CLIENT
 * @mac:	neither a group nor zero
 * @why:	filled on failure; may be NULL
 *
 * What was learned on it is forgotten.
 *
 * Return: 0; -ENOENT, -EINVAL if the address is none, or the port's clients have
 * one together, -EEXIST if another client of the port has it, -EBUSY from inside
 * a driver's send.
 */
VNET_API int vnet_client_set_mac(struct vnet_switch *sw, vnet_client_id id,
				 struct vnet_mac mac, struct vnet_why *why);

/* Bound the addresses that may be learned on it; @max_addresses as in struct
 * vnet_client_config. What is there beyond goes as new ones come. Return: as
 * vnet_client_set_queue(). */
VNET_API int vnet_client_set_max_addresses(struct vnet_switch *sw,
					   vnet_client_id id,
					   uint32_t max_addresses);

/**
 * struct vnet_client_info - a client as it is
 * @size:	sizeof(struct vnet_client_info), set by the caller
 * @port:	the port that it has opened
 * @index:	its number among the clients of that port: the lowest that was
 *		free when it came, from 0
 * @mac:	its own address: that of its port, or with VNET_PORT_PER_CLIENT
 *		one of its own
 * The rest is as in struct vnet_client_config, with the defaults filled in.
 */
struct vnet_client_info {
	size_t size;
	vnet_client_id id;
	vnet_port_id port;
	uint32_t index;
	struct vnet_mac mac;
	uint32_t queue_octets;
	uint32_t weight;
	uint32_t max_addresses;
	enum vnet_accept accept;
};

/* Read a client. Return: 0; -ENOENT, -EINVAL for an unknown info->size. */
VNET_API int vnet_client_get(const struct vnet_switch *sw, vnet_client_id id,
			     struct vnet_client_info *info);

/* The client of a port behind @id in order of indices, the first for
 * VNET_NO_ID, VNET_NO_ID behind the last, or where @id is not one of its
 * clients. */
VNET_API vnet_client_id vnet_client_next(const struct vnet_switch *sw,
					 vnet_port_id port, vnet_client_id id);

/**
 * struct vnet_observer - who hears what a client sends and receives
 * @size:	sizeof(struct vnet_observer)
 * @frames:	called with frames, @n of them, lent for the call, at the time
 *		@now. Must not call the switch, and where it does is refused as
 *		inside of a driver's send
 * @ctx:	handed to it
 *
 * With @out false: all that the client hands to vnet_switch_input(), as it
 * comes, before any of it is decided: it may be malformed in every way. (Not
 * what is handed in from inside the observer.) With @out true: all that its
 * driver has taken, as it was handed to it: resolved as far as that does not
 * carry it, and those that it refuses among them, for it does not say which
 * these are.
 */
struct vnet_observer {
	size_t size;
	void (*frames)(void *ctx, bool out, const struct vnet_frame *frames,
		       size_t n, vnet_nsec now);
	void *ctx;
};

/**
 * vnet_client_observe() - hear what a client sends and receives
 * @observer:	takes the place of the one before it; copied. NULL for none
 *
 * It hears until another takes its place, or the client is removed; neither is
 * told to it.
 *
 * Return: 0; -ENOENT if there is no such client, -EINVAL if the observer is
 * wrong, -EBUSY from inside a driver's send.
 */
VNET_API int vnet_client_observe(struct vnet_switch *sw, vnet_client_id id,
				 const struct vnet_observer *observer);

/**
 * vnet_client_output() - a client's medium has room: send what is queued
 * @max_frames:	the most to offer it
 * @now:	the time; see vnet_switch_input()
 *
 * What a driver owes after it took fewer frames than it was offered, and how
 * a driver that is pulled is asked. Until this returns less than @max_frames
 * there may be more, and nothing is sent otherwise: a driver that asks for part
 * of a backlog still owes the call for the rest.
 *
 * Return: frames that left the queue; -ENOENT, -EBUSY from inside a driver's
 * send.
 */
VNET_API int vnet_client_output(struct vnet_switch *sw, vnet_client_id id,
				size_t max_frames, vnet_nsec now);

/* Frames, and their octets on the wire without FCS. */
struct vnet_count {
	uint64_t frames;
	uint64_t octets;
};

/**
 * struct vnet_client_stats - what has become of a client's frames
 * @size:	sizeof(struct vnet_client_stats), set by the caller
 * @in:		all that it handed to vnet_switch_input()
 * @in_dropped:	of these, dropped before or at the look-up
 * @looked_up:	of these, sent on to one client or more
 * @copies:	the destinations of those, added up (copies.frames <= N *
 *		looked_up.frames; copies.octets likewise)
 * @out:	copies meant for this client
 * @segments:	what our own segmentation and tags added to @out: frames
 *		(segments less the frames they were cut from) and octets
 * @delivered:	taken by its driver
 * @queued:	waiting in its queue
 * @out_dropped: dropped behind the look-up, for every reason together
 * @lost_by_others: frames from this client that other clients' queues had no
 *		room for (each also counted there, as queue_full or pool_empty)
 * @moves:	addresses that moved to this client from another
 * @moves_refused: frames from this client with a source address that stays
 *		elsewhere: a static or a sticky one, or one that has flapped
 * @queue_memory: octets of the pool that its queue holds
 *
 * In frames and in octets, when no call is under way:
 *	in = in_dropped + looked_up
 *	out + segments = delivered + queued + out_dropped
 * A frame for segmentation counts as one, with the octets that it has.
 */
struct vnet_client_stats {
	size_t size;
	struct vnet_count in;
	struct vnet_count in_dropped;
	struct vnet_count looked_up;
	struct vnet_count copies;
	struct vnet_count out;
	struct vnet_count segments;
	struct vnet_count delivered;
	struct vnet_count queued;
	struct vnet_count out_dropped;
	struct vnet_count lost_by_others;
	uint64_t moves;
	uint64_t moves_refused;
	uint64_t queue_memory;
};

/* Read a client's counters. Return: 0; -ENOENT, -EINVAL for an unknown
 * stats->size. */
VNET_API int vnet_client_get_stats(const struct vnet_switch *sw,
				   vnet_client_id id,
				   struct vnet_client_stats *stats);

/* Frames and octets dropped for one reason on the way in and on the way out;
 * either may be NULL. Return: 0; -ENOENT, -EINVAL for an unknown reason. */
VNET_API int vnet_client_drops(const struct vnet_switch *sw, vnet_client_id id,
			       enum vnet_drop reason, struct vnet_count *in,
			       struct vnet_count *out);

/* The port that a client has opened, or VNET_NO_ID. */
VNET_API vnet_port_id vnet_client_port(const struct vnet_switch *sw,
				       vnet_client_id id);

VNET_END_DECLS

#endif
