/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ports and clients are held to: filters and limits.
 */
#include <errno.h>

#include "switch.h"
#include "why.h"

/* A client that has filters or limits, or whose port has, is odd. */
static void
update_owner(struct vnet_switch *sw, uint64_t owner)
{
	struct vnet_port *port = vnet_switch_port(sw, owner);
	const struct vnet_client *c = vnet_switch_client(sw, owner);

	if (c)
		port = c->port;
	if (port)
		vnet_port_mark_odd(port);
}

/*
 * Filters
 */

/* The chain of a port or a client. 0; -EINVAL for a side that it does not have,
 * -ENOENT. */
static int
find_chain(const struct vnet_switch *sw, uint64_t owner, enum vnet_side side,
	   struct vnet_chain **chain)
{
	struct vnet_port *port = vnet_switch_port(sw, owner);
	struct vnet_client *c = vnet_switch_client(sw, owner);

	if ((unsigned int)side >= VNET_NSIDES)
		return -EINVAL;
	if (side < VNET_RECEIVE_IN) {
		if (!port)
			return c ? -EINVAL : -ENOENT;
		*chain = &port->chain[side];
		return 0;
	}
	if (!c)
		return port ? -EINVAL : -ENOENT;
	/* What comes from an uplink is not written by a stack of ours. */
	if (side == VNET_RECEIVE_OUT && c->port->role == VNET_ROLE_UPLINK)
		return -EINVAL;
	*chain = vnet_client_chain(c, side);
	return 0;
}

/* The same, to change it. */
static int
change_chain(const struct vnet_switch *sw, uint64_t owner, enum vnet_side side,
	     struct vnet_chain **chain, struct vnet_why *why)
{
	int r = find_chain(sw, owner, side, chain);

	if (r)
		return r == -EINVAL ? vnet_why(why, "side that the owner lacks",
					       0, side, VNET_NSIDES - 1)
				    : vnet_why_errno(why, r);
	return sw->entered ? vnet_why_errno(why, -EBUSY) : 0;
}

int
vnet_filter_add(struct vnet_switch *sw, uint64_t owner, enum vnet_side side,
		const struct vnet_rule *rule, struct vnet_why *why)
{
	struct vnet_chain *chain;
	int r = change_chain(sw, owner, side, &chain, why);

	if (!r)
		r = vnet_chain_add(chain, &sw->alloc, &sw->budget, rule, why);
	update_owner(sw, owner);
	return r;
}

int
vnet_filter_set(struct vnet_switch *sw, uint64_t owner, enum vnet_side side,
		const struct vnet_rule *rules, size_t nrules,
		enum vnet_verdict default_verdict, struct vnet_why *why)
{
	struct vnet_chain *chain;
	int r = change_chain(sw, owner, side, &chain, why);

	if (!r)
		r = vnet_chain_set(chain, &sw->alloc, &sw->budget, rules,
				   nrules, default_verdict, why);
	update_owner(sw, owner);
	return r;
}

int
vnet_filter_remove(struct vnet_switch *sw, uint64_t owner, enum vnet_side side,
		   const char *name)
{
	struct vnet_chain *chain;
	int r = change_chain(sw, owner, side, &chain, NULL);

	if (!r)
		r = vnet_chain_remove(chain, &sw->alloc, &sw->budget, name);
	update_owner(sw, owner);
	return r;
}

int
vnet_filter_set_default(struct vnet_switch *sw, uint64_t owner,
			enum vnet_side side, enum vnet_verdict verdict)
{
	struct vnet_chain *chain;
	int r = change_chain(sw, owner, side, &chain, NULL);

	if (!r)
		r = vnet_chain_set_default(chain, verdict);
	update_owner(sw, owner);
	return r;
}

int
vnet_filter_get(const struct vnet_switch *sw, uint64_t owner,
		enum vnet_side side, size_t index, struct vnet_rule_info *info)
{
	struct vnet_chain *chain;
	int r = find_chain(sw, owner, side, &chain);

	return r ? r : vnet_chain_get(chain, index, info);
}

int
vnet_filter_get_default(const struct vnet_switch *sw, uint64_t owner,
			enum vnet_side side, enum vnet_verdict *verdict,
			uint64_t *hits)
{
	struct vnet_chain *chain;
	int r = find_chain(sw, owner, side, &chain);

	if (!r)
		vnet_chain_get_default(chain, verdict, hits);
	return r;
}

/*
 * Limits
 */

/* Where the limits of a port or client are. 0; -EINVAL for a side that it does
 * not have, -ENOENT. */
static int
find_limits(const struct vnet_switch *sw, uint64_t owner, enum vnet_side side,
	    struct vnet_limits ***limits)
{
	struct vnet_port *port = vnet_switch_port(sw, owner);
	struct vnet_client *c = vnet_switch_client(sw, owner);

	if ((unsigned int)side > VNET_EGRESS)
		return -EINVAL;
	if (!port && !c)
		return -ENOENT;
	*limits = port ? &port->limits[side] : &c->limits[side];
	return 0;
}

int
vnet_limit_set(struct vnet_switch *sw, uint64_t owner, enum vnet_side side,
	       enum vnet_traffic traffic, const struct vnet_limit *limit,
	       struct vnet_why *why)
{
	struct vnet_limits **l;
	int r = find_limits(sw, owner, side, &l);

	if (r == -EINVAL)
		return vnet_why(why, "side that limits do not have", 0, side,
				VNET_EGRESS);
	if (r)
		return vnet_why_errno(why, r);
	if ((unsigned int)traffic >= VNET_NTRAFFIC)
		return vnet_why(why, "unknown kind of traffic", 0, traffic,
				VNET_NTRAFFIC - 1);
	if (limit) {
		r = vnet_limit_check(limit, why);
		if (r)
			return r;
	}
	if (sw->entered)
		return vnet_why_errno(why, -EBUSY);
	if (!*l) {
		if (!limit)
			return 0;
		*l = sw->alloc.get(sw->alloc.ctx, sizeof(**l), VNET_CACHE_LINE);
		if (!*l)
			return vnet_why_errno(why, -ENOMEM);
		vnet_limits_init(*l);
	}
	vnet_limits_set(*l, traffic, limit, sw->now);
	if (!(*l)->set)
		vnet_limits_free(sw, l);
	update_owner(sw, owner);
	return 0;
}

void
vnet_limits_free(struct vnet_switch *sw, struct vnet_limits **limits)
{
	if (*limits)
		sw->alloc.put(sw->alloc.ctx, *limits, sizeof(**limits));
	*limits = NULL;
}

int
vnet_limit_get(const struct vnet_switch *sw, uint64_t owner,
	       enum vnet_side side, enum vnet_traffic traffic,
	       struct vnet_limit *limit, struct vnet_count *dropped)
{
	struct vnet_limits **l;
	int r = find_limits(sw, owner, side, &l);

	if (!r && ((unsigned int)traffic >= VNET_NTRAFFIC ||
		   (limit && limit->size != sizeof(*limit))))
		r = -EINVAL;
	if (!r && !*l)
		r = -ENOENT;
	return r ? r : vnet_limits_get(*l, traffic, limit, dropped);
}
