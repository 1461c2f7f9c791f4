/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a switch would do with a frame, and why, without doing it: the answer of
 * the same function that decides on the frames that come.
 */
#ifndef VNET_EXPLAIN_H
#define VNET_EXPLAIN_H

#include <vnet/types.h>
#include <vnet/client.h>
#include <vnet/filter.h>
#include <vnet/grant.h>
#include <vnet/limit.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/* What the look-up says of a destination. */
enum vnet_lookup {
	VNET_LOOKUP_NONE = 0, /* it did not come to that */
	VNET_LOOKUP_GROUP,    /* a group: flooded */
	VNET_LOOKUP_UNKNOWN,  /* not in the FDB: flooded */
	VNET_LOOKUP_KNOWN,    /* in the FDB */
	VNET_LOOKUP_OWN,      /* the sender's vif has that address itself */
};

/* For what a client gets a frame, or would. */
enum vnet_reach {
	VNET_REACH_FORWARDED = 0, /* forwarded to its port */
	VNET_REACH_SIBLING,       /* another client of its vif has written it */
	VNET_REACH_OUT,           /* by its filters VNET_RECEIVE_OUT */
};

/**
 * struct vnet_explained_rule - what a chain said
 * @was_asked:	false: the frame did not come there, or the chain has no rules
 *		and passes
 * @verdict:	what it said
 * @name:	the rule that decided; empty if it was the default
 */
struct vnet_explained_rule {
	bool was_asked;
	enum vnet_verdict verdict;
	char name[VNET_RULE_NAME_SIZE];
};

/**
 * struct vnet_explained_dest - one destination
 * @client:	who
 * @port:	its port
 * @drop:	VNET_DROP_NONE, or why it would not get there
 * @reach:	why it is a destination
 * @egress:	what the port's chain said
 * @receive:	what the client's own filters said (those of VNET_RECEIVE_OUT
 *		for VNET_REACH_OUT, else those of VNET_RECEIVE_IN)
 * @limit:	for POLICED and STORM: whose limit, the client's or the port's id
 * @guard:	what the client's guard said: VNET_GRANT_PASS also where it has
 *		none
 * @is_queued:	it has a backlog, which the frame would join
 */
struct vnet_explained_dest {
	vnet_client_id client;
	vnet_port_id port;
	enum vnet_drop drop;
	enum vnet_reach reach;
	struct vnet_explained_rule egress;
	struct vnet_explained_rule receive;
	uint64_t limit;
	enum vnet_grant_part guard;
	bool is_queued;
};

/**
 * struct vnet_explained - what would become of a frame
 * @size:	sizeof(struct vnet_explained), set by the caller
 * @client:	from whom
 * @port:	its port
 * @drop:	VNET_DROP_NONE, or why it would go nowhere
 * @dst, @src:	its addresses; zero if it has no whole header
 * @segments:	frames that it stands for; 0 where that is not known
 * @ingress:	what the port's chain said
 * @lookup:	what the look-up said, and with
 * @lookup_client: VNET_LOOKUP_KNOWN: where
 * @lookup_age_s: likewise: seconds since the address was last seen, 0 if it is
 *		static
 * @lookup_is_static: likewise
 * @traffic:	which storm limits it falls under: VNET_TRAFFIC_ALL for none
 * @limit:	for POLICED and STORM: whose limit, the client's, the port's or a
 *		grant's id
 * @guard:	what the client's guard said; VNET_GRANT_PASS also where it has
 *		none, or was not asked
 * @is_learned:	its source would be learned, or is known; or be refused a move
 * @ndests:	destinations in all
 * @dests:	the first @max_dests of them, in the order of sending; the
 *		caller's, set by the caller
 * @max_dests:	room at @dests
 */
struct vnet_explained {
	size_t size;
	vnet_client_id client;
	vnet_port_id port;
	enum vnet_drop drop;
	struct vnet_mac dst;
	struct vnet_mac src;
	uint32_t segments;
	struct vnet_explained_rule ingress;
	enum vnet_lookup lookup;
	vnet_client_id lookup_client;
	uint32_t lookup_age_s;
	bool lookup_is_static;
	enum vnet_traffic traffic;
	uint64_t limit;
	enum vnet_grant_part guard;
	bool is_learned;
	uint32_t ndests;
	struct vnet_explained_dest *dests;
	uint32_t max_dests;
};

/**
 * vnet_switch_explain() - what would become of a frame?
 * @from:	the client that it would come from
 * @now:	when; a step back counts as the last time given
 *
 * Changes nothing that frames could tell.
 *
 * Return: 0; -ENOENT if there is no such client, -EINVAL for an unknown
 * explained->size, -EBUSY from inside a driver's send.
 */
VNET_API int vnet_switch_explain(struct vnet_switch *sw, vnet_client_id from,
				 const struct vnet_frame *frame, vnet_nsec now,
				 struct vnet_explained *explained);

VNET_END_DECLS

#endif
