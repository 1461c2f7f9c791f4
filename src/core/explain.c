/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path's decision on a frame, told.
 */
#include <errno.h>
#include <string.h>

#include "switch.h"

static struct vnet_explained_rule
rule_of(const struct vnet_chain *chain, uint32_t rule)
{
	struct vnet_explained_rule r = {.was_asked = rule != VNET_NO_RULE};

	if (!r.was_asked)
		return r;
	r.verdict = chain->default_verdict;
	if (rule < chain->nrules) {
		r.verdict = (enum vnet_verdict)chain->rules[rule].verdict;
		memcpy(r.name, chain->labels[rule].name, sizeof(r.name));
	}
	return r;
}

static uint64_t
whose_limit(const struct vnet_client *c, enum vnet_drop drop,
	    struct vnet_blame blame)
{
	const struct vnet_grant_node *g = c->grant;

	if (drop != VNET_DROP_POLICED && drop != VNET_DROP_STORM)
		return VNET_NO_ID;
	if (blame.grants) {
		while (--blame.grants)
			g = g->parent;
		return g->id;
	}
	return blame.is_ports ? c->port->id : c->id;
}

static enum vnet_grant_part
part_of(enum vnet_drop drop, uint8_t guard)
{
	return drop == VNET_DROP_NOT_GRANTED || drop == VNET_DROP_UNDECIDED
		       ? (enum vnet_grant_part)guard
		       : VNET_GRANT_PASS;
}

/* Clients of one port lie side by side, and the first of them alone has the rule
 * of their chain. */
static void
explain_dest(const struct vnet_dest *d, const struct vnet_dest *before,
	     struct vnet_explained_dest *e)
{
	const struct vnet_client *c = d->client;
	enum vnet_reach reach =
		d->is_odd ? (enum vnet_reach)d->reach : VNET_REACH_FORWARDED;

	*e = (struct vnet_explained_dest){
		.client = c->id,
		.port = c->port->id,
		.drop = (enum vnet_drop)d->drop,
		.reach = reach,
		.guard = part_of((enum vnet_drop)d->drop, d->guard),
		.is_queued = c->lane[0].queue.frames != 0,
	};
	if (reach != VNET_REACH_OUT) {
		uint32_t rule = d->rule;

		if (before && rule == VNET_NO_RULE)
			rule = before->rule;
		e->egress = rule_of(&c->port->chain[VNET_EGRESS], rule);
	}
	if (!d->is_odd)
		return;
	e->receive = rule_of(vnet_client_filters(c, reach == VNET_REACH_OUT
							    ? VNET_RECEIVE_OUT
							    : VNET_RECEIVE_IN),
			     d->receive);
	e->limit = whose_limit(c, e->drop, d->blame);
}

static void
explain_dests(const struct vnet_decision *v, struct vnet_explained *e)
{
	const struct vnet_dest *first = NULL;

	for (uint32_t i = 0; i < v->ndests; i++) {
		const struct vnet_dest *d = &v->dest[i];

		if (first && first->client->port != d->client->port)
			first = NULL;
		if (i < e->max_dests)
			explain_dest(d, first, &e->dests[i]);
		if (d->rule != VNET_NO_RULE)
			first = d;
	}
	e->ndests = v->ndests;
}

static void
explain_lookup(const struct vnet_switch *sw, const struct vnet_parsed *p,
	       const struct vnet_decision *v, struct vnet_explained *e)
{
	uint32_t i;

	e->lookup = (enum vnet_lookup)v->lookup;
	if (p->eth.dst == VNET_MAC_BROADCAST)
		e->traffic = VNET_TRAFFIC_BROADCAST;
	else if (vnet_mac_is_group(p->eth.dst))
		e->traffic = VNET_TRAFFIC_MULTICAST;
	else if (e->lookup == VNET_LOOKUP_UNKNOWN)
		e->traffic = VNET_TRAFFIC_UNKNOWN;
	if (e->lookup != VNET_LOOKUP_KNOWN)
		return;
	e->lookup_client = v->known->id;
	i = vnet_fdb_slot(&sw->fdb, p->eth.dst, p->home_dst);
	e->lookup_is_static =
		vnet_fdb_list(sw->fdb.slots[i].where) == VNET_FDB_STATIC;
	if (!e->lookup_is_static)
		e->lookup_age_s = (uint32_t)sw->now_s - sw->fdb.slots[i].stamp;
}

int
vnet_switch_explain(struct vnet_switch *sw, vnet_client_id from,
		    const struct vnet_frame *frame, vnet_nsec now,
		    struct vnet_explained *explained)
{
	const struct vnet_client *in = vnet_switch_client(sw, from);
	struct vnet_explained_dest *dests = explained->dests;
	uint32_t max_dests = explained->max_dests;
	struct vnet_worker *w = &sw->worker[0];
	struct vnet_decision v;

	if (explained->size != sizeof(*explained))
		return -EINVAL;
	if (!in)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	vnet_switch_advance(sw, now);
	vnet_forward_decide(sw, w, in, frame, &v);
	*explained = (struct vnet_explained){
		.size = sizeof(*explained),
		.client = from,
		.port = in->port->id,
		.drop = v.drop,
		.ingress = rule_of(&in->port->chain[VNET_INGRESS], v.rule),
		.limit = whose_limit(in, v.drop, v.blame),
		.guard = part_of(v.drop, v.guard),
		.is_learned = v.learn,
		.dests = dests,
		.max_dests = max_dests,
	};
	if (w->parsed[0].is_whole) {
		vnet_mac_store(explained->dst.octet, w->parsed[0].eth.dst);
		vnet_mac_store(explained->src.octet, w->parsed[0].eth.src);
	}
	if (v.lookup == VNET_LOOKUP_NONE)
		return 0;
	explained->segments = vnet_offload_frames(frame, &w->offload[0], 0);
	explain_lookup(sw, &w->parsed[0], &v, explained);
	if (!v.drop)
		explain_dests(&v, explained);
	return 0;
}
