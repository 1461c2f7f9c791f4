/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "client.h"
#include "grants.h"
#include "why.h"

#define MAX_WEIGHT 1024
#define CARRIES_ALL                                                  \
	(VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TSO6 | \
	 VNET_CARRIES_USO | VNET_CARRIES_TAGS)

int
vnet_client_queue_check(uint32_t queue_octets, uint32_t max_queue_octets,
			struct vnet_why *why)
{
	if (queue_octets && queue_octets < VNET_POOL_BLOCK)
		return vnet_why(why, "queue too small", 3, queue_octets,
				VNET_POOL_BLOCK);
	if (queue_octets > max_queue_octets)
		return vnet_why(why, "queue larger than the switch allows", 3,
				queue_octets, max_queue_octets);
	return 0;
}

int
vnet_client_weight_check(uint32_t weight, struct vnet_why *why)
{
	if (weight > MAX_WEIGHT)
		return vnet_why(why, "weight too large", 4, weight, MAX_WEIGHT);
	return 0;
}

int
vnet_client_accept_check(enum vnet_accept accept, struct vnet_why *why)
{
	if ((unsigned int)accept > VNET_ACCEPT_OWN)
		return vnet_why(why, "unknown value of accept", 6, accept,
				VNET_ACCEPT_OWN);
	return 0;
}

int
vnet_client_config_check(const struct vnet_client_config *config,
			 uint32_t max_queue_octets, struct vnet_why *why)
{
	const struct vnet_driver_ops *ops = config->ops;
	int r;

	if (config->size != sizeof(*config))
		return vnet_why(why, "size of the client's configuration", 0,
				config->size, sizeof(*config));
	if (!ops)
		return vnet_why(why, "client without a driver", 1, 0, 0);
	if (ops->size != sizeof(*ops))
		return vnet_why(why, "size of the driver's operations", 1,
				ops->size, sizeof(*ops));
	if (!ops->send)
		return vnet_why(why, "driver that cannot send", 1, 0, 0);
	if (ops->carries & ~(uint32_t)CARRIES_ALL)
		return vnet_why(why, "driver carries what is not known", 1,
				ops->carries, CARRIES_ALL);
	r = vnet_client_queue_check(config->queue_octets, max_queue_octets,
				    why);
	if (!r)
		r = vnet_client_weight_check(config->weight, why);
	if (!r)
		r = vnet_client_accept_check(config->accept, why);
	if (!r && config->mac.octet[0] & 1)
		r = vnet_why(why, "client's address is a group", 7,
			     config->mac.octet[0], 0);
	return r;
}

/* Has it a say in what @c receives? */
static bool
is_asked(const struct vnet_chain *chain, enum vnet_verdict otherwise)
{
	return chain->nrules || chain->default_verdict != otherwise;
}

static bool
is_limited(const struct vnet_client *c, enum vnet_side side)
{
	return c->limits[side] || c->port->limits[side];
}

void
vnet_port_mark_odd(struct vnet_port *port)
{
	for (struct vnet_client *c = port->clients; c; c = c->next) {
		c->is_odd_in = port->nclients > 1 ||
			       (c->grant && vnet_grant_has_rate(c->grant)) ||
			       is_limited(c, VNET_INGRESS) ||
			       is_asked(vnet_client_chain(c, VNET_RECEIVE_OUT),
					VNET_DROP);
		c->is_odd_out = port->nclients > 1 || !c->is_up || c->grant ||
				is_limited(c, VNET_EGRESS) ||
				c->accept != VNET_ACCEPT_ALL ||
				is_asked(vnet_client_chain(c, VNET_RECEIVE_IN),
					 VNET_PASS);
	}
}

static void
add(struct vnet_count *to, struct vnet_count from)
{
	vnet_count_add(to, from.frames, from.octets);
}

void
vnet_counters_sum(struct vnet_counters *to, const struct vnet_counters *from)
{
	add(&to->in, from->in);
	add(&to->looked_up, from->looked_up);
	add(&to->copies, from->copies);
	add(&to->out, from->out);
	add(&to->segments, from->segments);
	add(&to->delivered, from->delivered);
	add(&to->lost_by_others, from->lost_by_others);
	to->moves += from->moves;
	to->moves_refused += from->moves_refused;
	for (int i = 0; i < VNET_NDROPS; i++) {
		add(&to->in_drops[i], from->in_drops[i]);
		add(&to->out_drops[i], from->out_drops[i]);
	}
}

void
vnet_counters_stats(const struct vnet_counters *c,
		    struct vnet_client_stats *stats)
{
	*stats = (struct vnet_client_stats){
		.size = sizeof(*stats),
		.in = c->in,
		.looked_up = c->looked_up,
		.copies = c->copies,
		.out = c->out,
		.segments = c->segments,
		.delivered = c->delivered,
		.lost_by_others = c->lost_by_others,
		.moves = c->moves,
		.moves_refused = c->moves_refused,
	};
	for (int i = 0; i < VNET_NDROPS; i++) {
		add(&stats->in_dropped, c->in_drops[i]);
		add(&stats->out_dropped, c->out_drops[i]);
	}
}

const char *
vnet_drop_name(enum vnet_drop reason)
{
	static const char names[VNET_NDROPS][20] = {
		[VNET_DROP_NONE] = "none",
		[VNET_DROP_MALFORMED] = "malformed",
		[VNET_DROP_BAD_OFFLOAD] = "bad_offload",
		[VNET_DROP_BAD_SOURCE] = "bad_source",
		[VNET_DROP_RESERVED] = "reserved",
		[VNET_DROP_INGRESS_FILTER] = "ingress_filter",
		[VNET_DROP_SAME_PORT] = "same_port",
		[VNET_DROP_SPLIT_HORIZON] = "split_horizon",
		[VNET_DROP_NO_DESTINATION] = "no_destination",
		[VNET_DROP_REENTRANT] = "reentrant",
		[VNET_DROP_TOO_DEEP] = "too_deep",
		[VNET_DROP_LINK_DOWN] = "link_down",
		[VNET_DROP_EGRESS_FILTER] = "egress_filter",
		[VNET_DROP_TOO_LONG] = "too_long",
		[VNET_DROP_QUEUE_FULL] = "queue_full",
		[VNET_DROP_POOL_EMPTY] = "pool_empty",
		[VNET_DROP_REFUSED] = "refused",
		[VNET_DROP_DRIVER_ERROR] = "driver_error",
		[VNET_DROP_REMOVED] = "removed",
		[VNET_DROP_POLICED] = "policed",
		[VNET_DROP_STORM] = "storm",
		[VNET_DROP_LOOP_PROBE] = "loop_probe",
		[VNET_DROP_RECEIVE_FILTER] = "receive_filter",
		[VNET_DROP_NOT_ADDRESSED] = "not_addressed",
		[VNET_DROP_NOT_GRANTED] = "not_granted",
		[VNET_DROP_UNDECIDED] = "undecided",
		[VNET_DROP_REVOKED] = "revoked",
	};

	if ((unsigned int)reason >= VNET_NDROPS)
		return NULL;
	return names[reason];
}

bool
vnet_drop_is_on(enum vnet_drop reason, bool out)
{
	if (reason == VNET_DROP_LINK_DOWN || reason == VNET_DROP_POLICED ||
	    reason == VNET_DROP_STORM || reason == VNET_DROP_NOT_GRANTED ||
	    reason == VNET_DROP_UNDECIDED)
		return true;
	if (reason <= VNET_DROP_NONE || reason >= VNET_NDROPS)
		return false;
	return out ==
	       ((reason > VNET_DROP_LINK_DOWN && reason <= VNET_DROP_REMOVED) ||
		reason == VNET_DROP_RECEIVE_FILTER ||
		reason == VNET_DROP_NOT_ADDRESSED);
}
