/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the switch would do with a frame, as steps in the order of the data
 * path. The switch itself says what it would come to; the steps that lead there
 * follow from that: all up to the one at which the frame is dropped.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/explain.h>
#include <vnet/fdb.h>
#include <vnet/grant.h>

#include "pcapng.h"
#include "plant_grant.h"
#include "plant_name.h"

/* Octets of a frame at the most, as of one that is captured. */
#define FRAME_MAX PCAPNG_PACKET_MAX

/* Destinations that are listed at the most, and how many are named with one
 * hold of the lock. */
#define DESTS_MAX  4096
#define DESTS_HOLD 64

#define TEXT_SIZE  256

/**
 * struct explanation - what is told of a frame
 * @e:		what the switch says
 * @source:	where its source address was learned; its size is 0 if it was
 *		not
 * @source_name: who that is
 * @is_shared:	it is the address that the clients of a vif have together
 * @lookup_name: of e.lookup_client
 * @limit_name:	of e.limit
 * @grant:	that of the client; empty if it has none
 */
struct explanation {
	struct plant *plant;
	const struct plant_client *from;
	struct vnet_frame frame;
	struct vnet_explained e;
	struct vnet_fdb_entry source;
	bool is_shared;
	char source_name[PLANT_CLIENT_NAME_SIZE];
	char lookup_name[PLANT_CLIENT_NAME_SIZE];
	char limit_name[PLANT_CLIENT_NAME_SIZE];
	char grant[VNET_GRANT_NAME_SIZE];
};

/* A destination by its names; empty if it has gone since. */
struct dest_names {
	char client[PLANT_CLIENT_NAME_SIZE];
	char limit[PLANT_CLIENT_NAME_SIZE];
	char port[VNET_PORT_NAME_SIZE];
	char grant[VNET_GRANT_NAME_SIZE];
	uint32_t mtu;
};

/* "passed", "dropped", or what else there is to say in a word. */
static void __attribute__((format(printf, 4, 5)))
add_step(json_t *steps, const char *step, const char *result,
	 const char *format, ...)
{
	char detail[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	json_array_append_new(steps,
			      json_pack("{s:s, s:s, s:s}", "step", step,
					"result", result, "detail", detail));
}

/* Empty if there is none. With the lock. */
static void
name_grant(const struct plant *plant, vnet_grant_id id,
	   char name[VNET_GRANT_NAME_SIZE])
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	name[0] = '\0';
	if (!vnet_grant_get(plant->sw, id, &info))
		(void)snprintf(name, VNET_GRANT_NAME_SIZE, "%s",
			       info.grant.name);
}

/* A client, a port or a grant. With the lock. */
static void
name_owner(const struct plant *plant, uint64_t id,
	   char name[PLANT_CLIENT_NAME_SIZE])
{
	const struct plant_port *p = plant_port_of(plant, id);
	char grant[VNET_GRANT_NAME_SIZE];

	plant_client_name(plant, id, name);
	name_grant(plant, id, grant);
	if (!*name && p)
		(void)snprintf(name, PLANT_CLIENT_NAME_SIZE, "port %s",
			       p->name);
	else if (*grant)
		(void)snprintf(name, PLANT_CLIENT_NAME_SIZE, "grant %s", grant);
}

/*
 * Steps that there are on both ways
 */

/* What a chain has said: "PREFIX, by rule web". */
static void
add_chain(json_t *steps, const char *step, const char *whose,
	  const struct vnet_explained_rule *rule, bool is_dropped)
{
	const char *result = is_dropped ? "dropped" : "passed";

	if (!rule->was_asked)
		add_step(steps, step, result, "%s has no rules", whose);
	else if (rule->name[0])
		add_step(steps, step, result, "by rule %s of %s", rule->name,
			 whose);
	else
		add_step(steps, step, result, "by the default of %s", whose);
}

/* What a client's guard has said; false if it has dropped the frame. */
static bool
add_guard(json_t *steps, enum vnet_drop drop, enum vnet_grant_part part,
	  const char *grant)
{
	const char *name = vnet_grant_part_name(part);

	if (drop == VNET_DROP_NOT_GRANTED)
		add_step(steps, "guard", "dropped", "not granted: %s of %s",
			 name, grant);
	else if (drop == VNET_DROP_UNDECIDED)
		add_step(steps, "guard", "dropped",
			 "undecided: nobody can tell whether grant %s has it",
			 grant);
	else if (*grant)
		add_step(steps, "guard", "passed", "within grant %s", grant);
	return drop != VNET_DROP_NOT_GRANTED && drop != VNET_DROP_UNDECIDED;
}

static void
add_limits(json_t *steps, enum vnet_drop drop, const char *whose,
	   enum vnet_traffic traffic)
{
	if (drop == VNET_DROP_POLICED)
		add_step(steps, "limits", "dropped",
			 "policed: the limit of %s on all traffic is used up",
			 whose);
	else if (drop == VNET_DROP_STORM)
		add_step(steps, "limits", "dropped",
			 "storm: the limit of %s on %s traffic is used up",
			 whose, vnet_traffic_name(traffic));
	else
		add_step(steps, "limits", "passed", "none is used up");
}

/*
 * On the way in
 */

/* Why the switch will not have it, whatever is configured. */
static const char *
say_unfit(enum vnet_drop drop)
{
	switch (drop) {
	case VNET_DROP_MALFORMED:
		return "malformed: no whole header, or tags that are none";
	case VNET_DROP_BAD_OFFLOAD:
		return "bad_offload: offload fields belie the headers";
	case VNET_DROP_BAD_SOURCE:
		return "bad_source: its source address is a group, or zero";
	case VNET_DROP_RESERVED:
		return "reserved: to 01:80:c2:00:00:00 to 0f, see "
		       "forward_reserved";
	case VNET_DROP_LOOP_PROBE:
		return "loop_probe: one of this switch that came back";
	case VNET_DROP_TOO_DEEP:
		return "too_deep: through 8 switches at once";
	case VNET_DROP_REENTRANT:
		return "reentrant: this switch is at work on it already";
	default:
		return NULL;
	}
}

static bool
add_link(json_t *steps, const struct explanation *x)
{
	const char *port = x->from->port->name;

	if (x->e.drop == VNET_DROP_REVOKED) {
		add_step(steps, "link", "dropped",
			 "revoked: the grant of %s has ended", x->from->name);
		return false;
	}
	if (x->e.drop == VNET_DROP_LINK_DOWN)
		add_step(steps, "link", "dropped", "link_down: that of port %s",
			 port);
	else
		add_step(steps, "link", "passed", "port %s is up", port);
	return x->e.drop != VNET_DROP_LINK_DOWN;
}

static void
add_frame(json_t *steps, const struct explanation *x)
{
	const char *unfit = say_unfit(x->e.drop);

	if (unfit)
		add_step(steps, "frame", "dropped", "%s", unfit);
	else
		add_step(steps, "frame", "passed",
			 "well formed, %" PRIu32 " octets", x->frame.len);
}

static void
add_lookup(json_t *steps, const struct explanation *x)
{
	switch (x->e.lookup) {
	case VNET_LOOKUP_NONE:
		break;
	case VNET_LOOKUP_GROUP:
		add_step(steps, "lookup", "group", "%s: for everybody",
			 x->e.traffic == VNET_TRAFFIC_BROADCAST ? "broadcast"
								: "multicast");
		break;
	case VNET_LOOKUP_UNKNOWN:
		add_step(steps, "lookup", "unknown",
			 "nobody is known to have this address: for "
			 "everybody");
		break;
	case VNET_LOOKUP_KNOWN:
		if (x->e.lookup_is_static)
			add_step(steps, "lookup", "known", "pinned to %s",
				 x->lookup_name);
		else
			add_step(steps, "lookup", "known",
				 "it is at %s, last seen %" PRIu32 " s ago",
				 x->lookup_name, x->e.lookup_age_s);
		break;
	case VNET_LOOKUP_OWN:
		add_step(steps, "lookup", "own",
			 "port %s has this address itself",
			 x->from->port->name);
		break;
	}
}

/* That of all clients of the vif does not move among them. */
static bool
is_shared_address(const struct explanation *x)
{
	return x->source.port == x->e.port && x->is_shared;
}

/* What becomes of its source address. */
static void
add_learning(json_t *steps, const struct explanation *x)
{
	const struct vnet_fdb_entry *s = &x->source;
	char mac[18];

	plant_mac_text(x->e.src, mac);
	if (!s->size)
		add_step(steps, "learn", "new", "%s is at %s from then on", mac,
			 x->from->name);
	else if (s->client == x->e.client || is_shared_address(x))
		add_step(steps, "learn", "known", "%s is at %s", mac,
			 x->source_name);
	else if (s->is_static || s->is_held)
		add_step(steps, "learn", "refused", "%s stays at %s: it is %s",
			 mac, x->source_name, s->is_static ? "pinned" : "held");
	else
		add_step(steps, "learn", "moved", "%s moves here from %s", mac,
			 x->source_name);
}

/* Whom it goes to, @n clients of those that it is for. */
static void
add_end(json_t *steps, const struct explanation *x, uint32_t n)
{
	const uint32_t all = x->e.ndests;

	if (x->e.drop == VNET_DROP_SAME_PORT)
		add_step(steps, "destinations", "dropped",
			 "same_port: its destination is where it comes from");
	else if (x->e.drop == VNET_DROP_SPLIT_HORIZON)
		add_step(steps, "destinations", "dropped",
			 "split_horizon: from an uplink to an uplink");
	else if (x->e.drop)
		add_step(steps, "destinations", "dropped",
			 "no_destination: there is nobody to send it to");
	else if (!n)
		add_step(steps, "destinations", "dropped",
			 "%" PRIu32 " %s, which %s not get it", all,
			 all == 1 ? "client" : "clients",
			 all == 1 ? "does" : "do");
	else if (n == all)
		add_step(steps, "destinations", "sent", "to %" PRIu32 " %s", n,
			 n == 1 ? "client" : "clients");
	else
		add_step(steps, "destinations", "sent",
			 "to %" PRIu32 " of %" PRIu32 " clients", n, all);
}

/* @n: destinations that it gets to. */
static json_t *
show_steps(const struct explanation *x, uint32_t n)
{
	const enum vnet_drop drop = x->e.drop;
	json_t *steps = json_array();
	char whose[TEXT_SIZE];

	if (!add_link(steps, x))
		return steps;
	add_frame(steps, x);
	if (say_unfit(drop) || !add_guard(steps, drop, x->e.guard, x->grant))
		return steps;
	(void)snprintf(whose, sizeof(whose), "chain in of port %s",
		       x->from->port->name);
	add_chain(steps, "ingress", whose, &x->e.ingress,
		  drop == VNET_DROP_INGRESS_FILTER);
	if (drop == VNET_DROP_INGRESS_FILTER)
		return steps;
	add_lookup(steps, x);
	add_limits(steps, drop, x->limit_name, x->e.traffic);
	if (drop == VNET_DROP_POLICED || drop == VNET_DROP_STORM)
		return steps;
	add_learning(steps, x);
	add_end(steps, x, n);
	return steps;
}

/*
 * On the way out
 */

static const char *
reach_name(enum vnet_reach reach)
{
	switch (reach) {
	case VNET_REACH_SIBLING:
		return "sibling";
	case VNET_REACH_OUT:
		return "out";
	default:
		return "forwarded";
	}
}

/* Up to the client; false if it is dropped there. */
static bool
add_port_steps(json_t *steps, const struct vnet_explained_dest *d,
	       const struct dest_names *names, uint32_t len)
{
	char whose[TEXT_SIZE];

	if (d->drop == VNET_DROP_LINK_DOWN) {
		add_step(steps, "link", "dropped", "link_down: that of port %s",
			 names->port);
		return false;
	}
	if (d->reach == VNET_REACH_OUT)
		return true;
	(void)snprintf(whose, sizeof(whose), "chain out of port %s",
		       names->port);
	add_chain(steps, "egress", whose, &d->egress,
		  d->drop == VNET_DROP_EGRESS_FILTER);
	if (d->drop == VNET_DROP_EGRESS_FILTER)
		return false;
	add_step(steps, "mtu",
		 d->drop == VNET_DROP_TOO_LONG ? "dropped" : "passed",
		 "%s%" PRIu32 " octets, for an MTU of %" PRIu32,
		 d->drop == VNET_DROP_TOO_LONG ? "too_long: " : "", len,
		 names->mtu);
	return d->drop != VNET_DROP_TOO_LONG;
}

static void
add_client_steps(json_t *steps, const struct vnet_explained_dest *d,
		 const struct dest_names *names, enum vnet_traffic traffic)
{
	char whose[TEXT_SIZE];

	if (!add_guard(steps, d->drop, d->guard, names->grant))
		return;
	if (d->drop == VNET_DROP_NOT_ADDRESSED) {
		add_step(steps, "accept", "dropped",
			 "not_addressed: %s takes only what is for its own "
			 "address, and groups",
			 names->client);
		return;
	}
	/* The compiler is told how long a name can be. */
	(void)snprintf(whose, sizeof(whose), "receive_%s of %.*s",
		       d->reach == VNET_REACH_OUT ? "out" : "in",
		       (int)sizeof(names->client) - 1, names->client);
	add_chain(steps, "receive", whose, &d->receive,
		  d->drop == VNET_DROP_RECEIVE_FILTER);
	if (d->drop == VNET_DROP_RECEIVE_FILTER)
		return;
	add_limits(steps, d->drop, names->limit, traffic);
	if (d->drop)
		return;
	if (d->is_queued)
		add_step(steps, "send", "queued", "behind what waits for %s",
			 names->client);
	else
		add_step(steps, "send", "sent", "to the medium of %s",
			 names->client);
}

static json_t *
show_dest(const struct explanation *x, const struct vnet_explained_dest *d,
	  const struct dest_names *names)
{
	json_t *steps = json_array();

	if (add_port_steps(steps, d, names, x->frame.len))
		add_client_steps(steps, d, names, x->e.traffic);
	return json_pack("{s:s, s:s, s:s?, s:s, s:o}", "client", names->client,
			 "port", names->port, "drop",
			 d->drop ? vnet_drop_name(d->drop) : NULL, "reach",
			 reach_name(d->reach), "steps", steps);
}

static void
name_dests(struct plant *plant, const struct vnet_explained_dest *dests,
	   size_t n, struct dest_names *names)
{
	plant_lock(plant);
	for (size_t i = 0; i < n; i++) {
		struct vnet_port_info info = {.size = sizeof(info)};

		names[i] = (struct dest_names){.mtu = 0};
		if (!vnet_port_get(plant->sw, dests[i].port, &info)) {
			memcpy(names[i].port, info.name, sizeof(info.name));
			names[i].mtu = info.mtu;
		}
		plant_client_name(plant, dests[i].client, names[i].client);
		name_owner(plant, dests[i].limit, names[i].limit);
		name_grant(plant, vnet_client_grant(plant->sw, dests[i].client),
			   names[i].grant);
	}
	plant_unlock(plant);
}

static json_t *
show_dests(const struct explanation *x)
{
	struct dest_names names[DESTS_HOLD];
	json_t *list = json_array();
	size_t all = x->e.ndests, n;

	if (all > x->e.max_dests)
		all = x->e.max_dests;
	for (size_t at = 0; at < all; at += n) {
		n = all - at < DESTS_HOLD ? all - at : DESTS_HOLD;
		name_dests(x->plant, x->e.dests + at, n, names);
		for (size_t i = 0; i < n; i++)
			json_array_append_new(list,
					      show_dest(x, &x->e.dests[at + i],
							&names[i]));
	}
	return list;
}

/*
 * All of it
 */

/* With the lock. */
static int
explain(struct explanation *x, vnet_nsec now)
{
	struct vnet_port_info port = {.size = sizeof(port)};
	struct plant *plant = x->plant;
	int r = vnet_switch_explain(plant->sw, x->from->id, &x->frame, now,
				    &x->e);

	if (r)
		return r;
	plant_client_name(plant, x->e.lookup_client, x->lookup_name);
	name_owner(plant, x->e.limit, x->limit_name);
	name_grant(plant, vnet_client_grant(plant->sw, x->from->id), x->grant);
	x->is_shared = !vnet_port_get(plant->sw, x->e.port, &port) &&
		       !(port.flags & VNET_PORT_PER_CLIENT) &&
		       !memcmp(&port.mac, &x->e.src, sizeof(port.mac));
	x->source.size = sizeof(x->source);
	if (vnet_fdb_lookup(plant->sw, x->e.src, &x->source))
		x->source.size = 0;
	else
		plant_client_name(plant, x->source.client, x->source_name);
	return 0;
}

static json_t *
show(const struct explanation *x)
{
	uint32_t n = 0;
	json_t *result;

	/* Of those that are not listed nothing is known: they count as reached. */
	for (uint32_t i = 0; i < x->e.ndests; i++)
		n += i >= x->e.max_dests || !x->e.dests[i].drop;
	result = json_pack("{s:s, s:s?, s:o, s:o}", "client", x->from->name,
			   "drop", x->e.drop ? vnet_drop_name(x->e.drop) : NULL,
			   "steps", show_steps(x, n), "dests", show_dests(x));
	if (x->e.ndests > x->e.max_dests)
		json_object_set_new(result, "more_dests",
				    json_integer(x->e.ndests - x->e.max_dests));
	return result;
}

static int
digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Its octets, to be freed; NULL with @c. */
static uint8_t *
parse_frame(const char *hex, uint32_t *len, struct complaint *c)
{
	const size_t n = strlen(hex);
	uint8_t *data;

	if (n % 2 || n / 2 > FRAME_MAX) {
		complain(
			c, -EINVAL,
			"frame: found %zu digits, expected two for each octet, "
			"of at most %d octets",
			n, FRAME_MAX);
		return NULL;
	}
	data = malloc(n / 2 + 1);
	if (!data) {
		complain(c, -ENOMEM, "no memory");
		return NULL;
	}
	for (size_t i = 0; i < n / 2; i++) {
		const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0) {
			complain(c, -EINVAL,
				 "frame: found \"%.2s\" at octet %zu, expected "
				 "two digits of base 16",
				 hex + 2 * i, i);
			free(data);
			return NULL;
		}
		data[i] = (uint8_t)(high << 4 | low);
	}
	*len = (uint32_t)(n / 2);
	return data;
}

json_t *
plant_explain(struct plant *plant, const char *client, const char *hex,
	      struct complaint *c)
{
	struct explanation x = {
		.plant = plant,
		.from = plant_client_find(plant, client, c),
	};
	json_t *result = NULL;
	uint8_t *data;
	int r;

	if (!x.from)
		return NULL;
	data = parse_frame(hex, &x.frame.len, c);
	if (!data)
		return NULL;
	x.frame.data = data;
	x.e.size = sizeof(x.e);
	x.e.max_dests = DESTS_MAX;
	x.e.dests = calloc(DESTS_MAX, sizeof(*x.e.dests));
	if (!x.e.dests) {
		complain(c, -ENOMEM, "no memory");
		goto free_data;
	}
	r = explain(&x, plant_hold(plant));
	plant_unlock(plant);
	if (r)
		complain(c, r, "%s: %s", x.from->name, strerror(-r));
	else
		result = show(&x);
	free(x.e.dests);
free_data:
	free(data);
	return result;
}
