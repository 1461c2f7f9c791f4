/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every frame of every client passes through this file, once:
 *
 *	decide -> commit -> flush
 *
 * decide says what is to become of a frame and changes nothing; commit writes
 * it down; flush, once for a batch, hands each destination what is meant for it.
 * Frames of a batch are decided and committed one after the other, so that how
 * a stream of frames is cut into batches changes the grouping of sends and
 * nothing else. (What depends on the grouping by the driver's contract does: a
 * broken driver loses all that it was offered, and refuses frames by number.)
 *
 * Nothing here blocks, allocates, logs or calls the operating system. A frame
 * that is not forwarded is counted: up to the look-up at the client it came
 * from, after it at the client it was meant for.
 */
#include <errno.h>
#include <string.h>

#include "switch.h"

/* The number of the lowest bit that is set; there is one. */
VNET_INLINE uint32_t
lowest_bit(uint64_t x)
{
	if (sizeof(unsigned long) == sizeof(x))
		return (uint32_t)__builtin_ctzl((unsigned long)x);
	if ((uint32_t)x)
		return (uint32_t)__builtin_ctz((uint32_t)x);
	return 32 + (uint32_t)__builtin_ctz((uint32_t)(x >> 32));
}

/* Let who observes a client hear. */
static __attribute__((noinline)) void
observe(const struct vnet_client *c, bool out, const struct vnet_frame *frames,
	size_t n)
{
	struct vnet_switch *sw = c->sw;

	if (!n || sw->observing)
		return;
	sw->observing = true;
	c->observer.frames(c->observer.ctx, out, frames, n, sw->now);
	sw->observing = false;
}

/*
 * Decide
 */

/* Frames whose headers are on their way from memory at the same time: about as
 * many as a processor can wait for. */
#define AHEAD 8

/* Look at the batch once from end to end, so that what its frames and their
 * addresses have in memory is on its way before it is needed. */
static void
parse(const struct vnet_switch *sw, struct vnet_worker *w,
      const struct vnet_frame *frames, size_t n)
{
	unsigned int odd = 0;

	for (size_t i = 0; i < n && i < AHEAD; i++)
		__builtin_prefetch(frames[i].data);
	for (size_t i = 0; i < n; i++) {
		const struct vnet_frame *f = &frames[i];
		struct vnet_parsed *p = &w->parsed[i];

		if (i + AHEAD < n)
			__builtin_prefetch(frames[i + AHEAD].data);
		odd |= (unsigned int)f->flags | f->gso_type | f->ntags;
		p->is_whole = vnet_eth_parse(f, &p->eth);
		if (vnet_unlikely(!p->is_whole))
			continue;
		p->home_dst = vnet_fdb_home(&sw->fdb, p->eth.dst);
		p->home_src = vnet_fdb_home(&sw->fdb, p->eth.src);
		vnet_fdb_prefetch(&sw->fdb, p->home_dst);
		vnet_fdb_prefetch(&sw->fdb, p->home_src);
	}
	w->is_plain = !odd;
}

/* Is the longest frame that @f becomes within the MTU? */
VNET_INLINE bool
fits(const struct vnet_port *port, const struct vnet_frame *f,
     const struct vnet_offload *o)
{
	return vnet_likely(f->len <= VNET_ETH_HEADER_LEN + port->mtu) ||
	       vnet_offload_payload_max(f, o) <= port->mtu;
}

/* One destination more, which is up, and whether it gets there. */
VNET_INLINE void
add_dest(struct vnet_decision *v, struct vnet_client *out,
	 const struct vnet_frame *f, const struct vnet_offload *o)
{
	struct vnet_dest *d = &v->dest[v->ndests++];
	const struct vnet_port *port = out->port;

	d->client = out;
	d->rule = VNET_NO_RULE;
	d->drop = VNET_DROP_NONE;
	d->is_odd = false;
	if (vnet_chain_run(&port->chain[VNET_EGRESS], f, &d->rule) == VNET_DROP)
		d->drop = VNET_DROP_EGRESS_FILTER;
	else if (!fits(port, f, o))
		d->drop = VNET_DROP_TOO_LONG;
}

/* Nothing passes from one uplink to another: is @port one that what comes from
 * @in stays away from for that? */
VNET_INLINE bool
is_split(const struct vnet_switch *sw, const struct vnet_port *in,
	 const struct vnet_port *port)
{
	return in->role == VNET_ROLE_UPLINK && port->role == VNET_ROLE_UPLINK &&
	       !sw->uplink_transit;
}

/*
 * Clients that have grants. What is static is in the programs of their guards;
 * which addresses they use is asked of the FDB.
 */

/* A grant that has ended by itself is none, though nobody may have said so. */
static bool
has_ended(const struct vnet_client *c, vnet_nsec now)
{
	return c->grant && now > c->grant->last;
}

/* Is there somebody to send to? */
static bool
hears(const struct vnet_switch *sw, const struct vnet_client *c)
{
	return c->is_up && !has_ended(c, sw->now);
}

/* Is that the address that a vif's clients have together, and are these two of
 * them? */
static bool
have_both(const struct vnet_client *a, const struct vnet_client *b,
	  uint64_t mac)
{
	return a == b || (a->port == b->port && a->own == mac &&
			  vnet_port_is_shared(a->port));
}

/* Has another client that address of its own, be it in use or not? */
static bool
is_anothers(const struct vnet_switch *sw, const struct vnet_client *in,
	    uint64_t mac, uint32_t home)
{
	const struct vnet_client *c = *vnet_switch_owns(sw, home);

	while (c && (c->own != mac || have_both(in, c, mac)))
		c = c->own_next;
	return c != NULL;
}

/* May @in, whose guard lets the frame pass, use its source address? One that it
 * uses already, yes. One granted by itself comes from wherever it is; another
 * one is nobody else's, nor is it granted by itself to anybody. It is then one
 * more. */
static bool
may_use(const struct vnet_switch *sw, const struct vnet_client *in,
	const struct vnet_parsed *p)
{
	const struct vnet_grant_node *g = in->grant;
	uint64_t src = p->eth.src;
	uint32_t slot = vnet_fdb_find(&sw->fdb, src, p->home_src, sw->now_s);
	const struct vnet_client *has =
		slot == VNET_FDB_NONE ? NULL : vnet_switch_client_at(sw, slot);
	bool is_there;

	if (has == in)
		return true;
	is_there = has && have_both(in, has, src);
	if (vnet_grant_names(g, src))
		return is_there || (has && has->grant == g) ||
		       vnet_grant_has_address(sw, g);
	if (vnet_grants_name(sw, src, p->home_src))
		return false;
	if (is_there)
		return true;
	/* One that drove out another one of its own would not be one more, and
	 * there would be no end of them. */
	return !has && vnet_grant_has_address(sw, g) &&
	       vnet_fdb_has_room(&sw->fdb, in->slot, sw->now_s) &&
	       !is_anothers(sw, in, src, p->home_src);
}

/* What does the guard of @in say? */
static enum vnet_grant_part
guard_in(const struct vnet_switch *sw, const struct vnet_client *in,
	 const struct vnet_frame *f, const struct vnet_parsed *p)
{
	const struct vnet_grant_node *g = in->grant;
	uint32_t part;

	if (f->gso_type && f->gso_size < VNET_GRANT_MIN_SEGMENT)
		return VNET_GRANT_OFFLOAD;
	part = vnet_bpf_run(g->body->guard[VNET_INGRESS], f);
	if (part == VNET_GRANT_PASS && g->is_counted && !may_use(sw, in, p))
		return VNET_GRANT_ADDRESSES;
	return (enum vnet_grant_part)part;
}

/* What does that of @c say to what @c is to be sent? An address of which it may
 * have many is its own where it is known to be. */
static enum vnet_grant_part
guard_out(const struct vnet_client *c, const struct vnet_frame *f,
	  const struct vnet_eth *eth, const struct vnet_decision *v)
{
	const struct vnet_grant_node *g = c->grant;
	uint32_t part = vnet_bpf_run(g->body->guard[VNET_EGRESS], f);

	if (part == VNET_GRANT_PASS && g->body->has_prefixes &&
	    !vnet_mac_is_group(eth->dst) &&
	    !(v->lookup == VNET_LOOKUP_KNOWN &&
	      have_both(c, v->known, eth->dst)) &&
	    !vnet_grant_names(g, eth->dst))
		return VNET_GRANT_MACS;
	return (enum vnet_grant_part)part;
}

static enum vnet_drop
drop_of(enum vnet_grant_part part)
{
	return part == VNET_GRANT_PASS        ? VNET_DROP_NONE
	       : part == VNET_GRANT_UNDECIDED ? VNET_DROP_UNDECIDED
					      : VNET_DROP_NOT_GRANTED;
}

/* May @in, which has a grant, send that at all? */
static __attribute__((noinline)) enum vnet_drop
admit(const struct vnet_switch *sw, const struct vnet_client *in,
      const struct vnet_frame *f, const struct vnet_parsed *p,
      struct vnet_decision *v)
{
	enum vnet_grant_part part;

	if (has_ended(in, sw->now))
		return VNET_DROP_REVOKED;
	part = guard_in(sw, in, f, p);
	v->guard = (uint8_t)part;
	v->is_odd = part != VNET_GRANT_PASS ||
		    vnet_grant_is_to_age(in->grant, sw->now_s);
	return drop_of(part);
}

/* May @c be sent that? */
static enum vnet_drop
admit_out(const struct vnet_client *c, const struct vnet_frame *f,
	  const struct vnet_eth *eth, const struct vnet_decision *v,
	  struct vnet_dest *d)
{
	enum vnet_grant_part part;

	if (!c->grant)
		return VNET_DROP_NONE;
	part = guard_out(c, f, eth, v);
	d->guard = (uint8_t)part;
	return drop_of(part);
}

/*
 * Ports and clients that have what most have not: limits, receive filters,
 * clients beside each other.
 */

static enum vnet_traffic
traffic_of(const struct vnet_decision *v, const struct vnet_eth *eth)
{
	if (eth->dst == VNET_MAC_BROADCAST)
		return VNET_TRAFFIC_BROADCAST;
	if (vnet_mac_is_group(eth->dst))
		return VNET_TRAFFIC_MULTICAST;
	return v->lookup == VNET_LOOKUP_UNKNOWN ? VNET_TRAFFIC_UNKNOWN
						: VNET_TRAFFIC_ALL;
}

/* Does one of these limits keep the frame back? */
static enum vnet_drop
ask(const struct vnet_limits *l, enum vnet_traffic traffic, vnet_nsec now,
    struct vnet_blame *blame)
{
	enum vnet_traffic which = vnet_limits_ask(l, traffic, now);

	blame->traffic = (uint8_t)which;
	return which == VNET_NTRAFFIC      ? VNET_DROP_NONE
	       : which == VNET_TRAFFIC_ALL ? VNET_DROP_POLICED
					   : VNET_DROP_STORM;
}

/* One of those of @c, or of its port? */
static enum vnet_drop
police(const struct vnet_client *c, enum vnet_side side,
       enum vnet_traffic traffic, vnet_nsec now, struct vnet_blame *blame)
{
	enum vnet_drop drop = ask(c->limits[side], traffic, now, blame);

	blame->is_ports = !drop;
	blame->grants = 0;
	return drop ? drop : ask(c->port->limits[side], traffic, now, blame);
}

/* Or the rate of a grant, the sender's or one above? */
static enum vnet_drop
police_grants(const struct vnet_client *in, enum vnet_traffic traffic,
	      vnet_nsec now, struct vnet_blame *blame)
{
	blame->is_ports = false;
	for (const struct vnet_grant_node *g = in->grant; g; g = g->parent) {
		enum vnet_drop drop = ask(&g->limits, traffic, now, blame);

		blame->grants++;
		if (drop)
			return drop;
	}
	return VNET_DROP_NONE;
}

static struct vnet_dest *
add_odd(struct vnet_decision *v, struct vnet_client *out, enum vnet_reach reach)
{
	struct vnet_dest *d = &v->dest[v->ndests++];

	v->is_odd = true;
	*d = (struct vnet_dest){
		.client = out,
		.rule = VNET_NO_RULE,
		.receive = VNET_NO_RULE,
		.is_odd = true,
		.reach = (uint8_t)reach,
	};
	return d;
}

/* What the egress side of a port says of a frame: the same to all its
 * clients. */
struct egress {
	enum vnet_drop drop;
	uint32_t rule;
	bool was_first; /* a client has what is counted once for the port */
};

static struct egress
leave_port(const struct vnet_port *port, const struct vnet_frame *f,
	   const struct vnet_offload *o)
{
	struct egress e = {VNET_DROP_NONE, VNET_NO_RULE, false};

	if (vnet_chain_run(&port->chain[VNET_EGRESS], f, &e.rule) == VNET_DROP)
		e.drop = VNET_DROP_EGRESS_FILTER;
	else if (!fits(port, f, o))
		e.drop = VNET_DROP_TOO_LONG;
	return e;
}

/* Is it the address of @c? That of zeroes is nobody's, and stands for none. */
static bool
is_own_of(const struct vnet_client *c, uint64_t dst)
{
	return dst && dst == c->own;
}

/* Is a frame to that address one that @c takes? */
static bool
takes(const struct vnet_client *c, const struct vnet_eth *eth)
{
	return c->accept == VNET_ACCEPT_ALL || vnet_mac_is_group(eth->dst) ||
	       is_own_of(c, eth->dst);
}

/* Does @c take what is sent to its port? */
static enum vnet_drop
receive(const struct vnet_switch *sw, const struct vnet_client *c,
	const struct vnet_frame *f, const struct vnet_eth *eth,
	const struct vnet_decision *v, struct vnet_dest *d)
{
	enum vnet_drop drop = admit_out(c, f, eth, v, d);

	if (drop)
		return drop;
	if (!takes(c, eth))
		return VNET_DROP_NOT_ADDRESSED;
	if (vnet_chain_run(vnet_client_filters(c, VNET_RECEIVE_IN), f,
			   &d->receive) == VNET_DROP)
		return VNET_DROP_RECEIVE_FILTER;
	return police(c, VNET_EGRESS, traffic_of(v, eth), sw->now, &d->blame);
}

/* One client more, which is up, of a port that the frame leaves by. */
static void
add_client(const struct vnet_switch *sw, struct vnet_decision *v,
	   struct vnet_client *out, enum vnet_reach reach,
	   const struct vnet_frame *f, const struct vnet_eth *eth,
	   struct egress *e)
{
	struct vnet_dest *d = add_odd(v, out, reach);
	enum vnet_drop drop = e->drop;

	d->rule = e->rule;
	e->rule = VNET_NO_RULE;
	if (!drop)
		drop = receive(sw, out, f, eth, v, d);
	d->drop = (uint8_t)drop;
	if (!e->was_first &&
	    (drop == VNET_DROP_NONE ||
	     (d->blame.is_ports &&
	      (drop == VNET_DROP_POLICED || drop == VNET_DROP_STORM))))
		d->is_ports_first = e->was_first = true;
}

/* The frame goes to a port: to @only, or all its clients. */
static __attribute__((noinline)) void
add_port(const struct vnet_switch *sw, struct vnet_decision *v,
	 const struct vnet_port *port, struct vnet_client *only,
	 const struct vnet_frame *f, const struct vnet_eth *eth,
	 const struct vnet_offload *o)
{
	struct vnet_client *c = only ? only : port->clients;
	struct egress e;

	if (only && !hears(sw, only)) {
		add_odd(v, only, VNET_REACH_FORWARDED)->drop =
			VNET_DROP_LINK_DOWN;
		return;
	}
	e = leave_port(port, f, o);
	for (; c; c = only ? NULL : c->next)
		if (hears(sw, c))
			add_client(sw, v, c, VNET_REACH_FORWARDED, f, eth, &e);
}

/* Is what one client of a vif has written also for another one of it, @c? */
static bool
is_for_sibling(const struct vnet_switch *sw, const struct vnet_client *in,
	       const struct vnet_client *c, const struct vnet_frame *f,
	       const struct vnet_eth *eth, const struct vnet_decision *v)
{
	if (c == in || !hears(sw, c) || in->port->flags & VNET_PORT_NO_SIBLINGS)
		return false;
	if (!vnet_mac_is_group(eth->dst))
		return is_own_of(c, eth->dst) ||
		       (v->lookup == VNET_LOOKUP_KNOWN && v->known == c);
	/* Stacks with one address between them have the same link-local address,
	 * and would each find that the other one has it. */
	return !vnet_port_is_shared(in->port) || !vnet_eth_is_dad_probe(f);
}

/* Does @c ask for what the clients of its vif write? */
static bool
hears_out(const struct vnet_switch *sw, const struct vnet_client *c,
	  const struct vnet_frame *f, uint32_t *rule)
{
	const struct vnet_chain *chain =
		vnet_client_filters(c, VNET_RECEIVE_OUT);

	return hears(sw, c) &&
	       (chain->nrules || chain->default_verdict == VNET_PASS) &&
	       vnet_chain_run(chain, f, rule) == VNET_PASS;
}

/* How a frame comes to @c that hears what its vif writes: if it @is_sibling of
 * the writer, perhaps also as all others. */
static uint8_t
via_of(const struct vnet_client *c, bool is_sibling, const struct vnet_frame *f,
       const struct vnet_eth *eth, const struct egress *e)
{
	uint32_t rule;

	if (!is_sibling || e->drop || !takes(c, eth) ||
	    vnet_chain_run(vnet_client_filters(c, VNET_RECEIVE_IN), f, &rule) ==
		    VNET_DROP)
		return VNET_VIA_OUT;
	return VNET_VIA_OUT | VNET_VIA_BOTH;
}

/* @c gets what its vif writes, and has not left it: only its own limits hold,
 * and its guard. */
static struct vnet_dest *
add_out(const struct vnet_switch *sw, struct vnet_decision *v,
	struct vnet_client *c, uint32_t rule, const struct vnet_frame *f,
	const struct vnet_eth *eth, const struct vnet_offload *o)
{
	struct vnet_dest *d = add_odd(v, c, VNET_REACH_OUT);
	enum vnet_drop drop = admit_out(c, f, eth, v, d);

	d->receive = rule;
	if (!drop && !fits(c->port, f, o))
		drop = VNET_DROP_TOO_LONG;
	if (!drop)
		drop = ask(c->limits[VNET_EGRESS], traffic_of(v, eth), sw->now,
			   &d->blame);
	d->drop = (uint8_t)drop;
	return d;
}

/* Those clients of the sender's own vif, itself included, that get the frame. */
static void
add_siblings(const struct vnet_switch *sw, const struct vnet_client *in,
	     const struct vnet_frame *f, const struct vnet_eth *eth,
	     const struct vnet_offload *o, struct vnet_decision *v)
{
	struct egress e = {.was_first = false};
	bool has_left = false;

	for (struct vnet_client *c = in->port->clients; c; c = c->next) {
		uint32_t rule = VNET_NO_RULE;

		bool is_out = hears_out(sw, c, f, &rule);
		bool is_sibling = is_for_sibling(sw, in, c, f, eth, v);

		if (is_sibling && !has_left) {
			e = leave_port(in->port, f, o);
			has_left = true;
		}
		if (is_out)
			add_out(sw, v, c, rule, f, eth, o)->via =
				via_of(c, is_sibling, f, eth, &e);
		else if (is_sibling)
			add_client(sw, v, c, VNET_REACH_SIBLING, f, eth, &e);
	}
}

/* What a sender with limits or siblings is asked before its frame is forwarded:
 * may it, and who beside it gets the frame? */
static __attribute__((noinline)) enum vnet_drop
pass_odd(const struct vnet_switch *sw, const struct vnet_client *in,
	 const struct vnet_frame *f, const struct vnet_eth *eth,
	 const struct vnet_offload *o, struct vnet_decision *v)
{
	enum vnet_drop drop = police(in, VNET_INGRESS, traffic_of(v, eth),
				     sw->now, &v->blame);

	v->is_odd = true;
	if (!drop)
		drop = police_grants(in, traffic_of(v, eth), sw->now,
				     &v->blame);
	if (!drop)
		add_siblings(sw, in, f, eth, o, v);
	return drop;
}

/* Has a client of the sender's own vif that address? Then it is not outside,
 * though nobody may have sent from it yet. */
static VNET_COLD bool
is_own(const struct vnet_client *in, uint64_t dst)
{
	const struct vnet_client *c = in->port->clients;

	while (c && c->own != dst)
		c = vnet_port_is_shared(in->port) ? NULL : c->next;
	return c != NULL;
}

/*
 * All others
 */

static __attribute__((noinline)) enum vnet_drop
flood(const struct vnet_switch *sw, const struct vnet_client *in,
      const struct vnet_frame *f, const struct vnet_eth *eth,
      const struct vnet_offload *o, struct vnet_decision *v)
{
	const struct vnet_port *from = in->port;

	for (uint32_t i = 0; i < sw->nreach; i++) {
		struct vnet_client *out = sw->reach[i];

		if (vnet_unlikely(out->port == from) ||
		    is_split(sw, from, out->port))
			continue;
		if (vnet_unlikely(out->is_odd_out))
			add_port(sw, v, out->port, NULL, f, eth, o);
		else
			add_dest(v, out, f, o);
	}
	return v->ndests ? VNET_DROP_NONE : VNET_DROP_NO_DESTINATION;
}

VNET_INLINE enum vnet_drop
unicast(const struct vnet_switch *sw, const struct vnet_client *in,
	const struct vnet_frame *f, const struct vnet_eth *eth,
	const struct vnet_offload *o, struct vnet_decision *v)
{
	struct vnet_client *out = v->known;

	if (vnet_unlikely(out->port == in->port))
		return VNET_DROP_SAME_PORT;
	if (vnet_unlikely(is_split(sw, in->port, out->port)))
		return VNET_DROP_SPLIT_HORIZON;
	if (vnet_unlikely(out->is_odd_out)) {
		uint32_t ndests = v->ndests;

		if (eth->dst == out->own && vnet_port_is_shared(out->port))
			add_port(sw, v, out->port, NULL, f, eth, o);
		/* For this one alone, or none of them is up. */
		if (v->ndests == ndests)
			add_port(sw, v, out->port, out, f, eth, o);
		return VNET_DROP_NONE;
	}
	add_dest(v, out, f, o);
	return VNET_DROP_NONE;
}

VNET_INLINE enum vnet_lookup
look_up(const struct vnet_switch *sw, const struct vnet_client *in,
	const struct vnet_parsed *p, struct vnet_decision *v)
{
	uint32_t slot;

	/* The address of zeroes, which nobody has, is the FDB's mark of a slot
	 * that is empty. */
	if (vnet_mac_is_group(p->eth.dst))
		return VNET_LOOKUP_GROUP;
	if (vnet_unlikely(!p->eth.dst))
		return VNET_LOOKUP_UNKNOWN;
	slot = vnet_fdb_find(&sw->fdb, p->eth.dst, p->home_dst, sw->now_s);
	if (vnet_likely(slot != VNET_FDB_NONE)) {
		v->known = vnet_switch_client_at(sw, slot);
		return VNET_LOOKUP_KNOWN;
	}
	return vnet_unlikely(in->own == p->eth.dst) ||
			       (vnet_unlikely(in->is_odd_in) &&
				is_own(in, p->eth.dst))
		       ? VNET_LOOKUP_OWN
		       : VNET_LOOKUP_UNKNOWN;
}

/* A loop probe of ours, of this round or the last? Then to whom it was sent. One
 * from elsewhere is a frame as any other. */
static VNET_COLD struct vnet_client *
looped(const struct vnet_switch *sw, const struct vnet_frame *f)
{
	uint64_t number;
	vnet_client_id id;

	if (!vnet_probe_read(f, &sw->probe_key, &id, &number) ||
	    sw->probe_round - number > 1)
		return NULL;
	return vnet_switch_client(sw, id);
}

/* Where to, and if nowhere, why not. Changes nothing. @o is where the offload
 * fields are left, if the frame has any. */
VNET_INLINE enum vnet_drop
decide(const struct vnet_switch *sw, const struct vnet_client *in,
       const struct vnet_frame *f, const struct vnet_parsed *p,
       struct vnet_offload *o, struct vnet_decision *v)
{
	const struct vnet_eth *eth = &p->eth;
	enum vnet_drop drop;

	v->learn = false;
	v->is_odd = false;
	v->lookup = VNET_LOOKUP_NONE;
	v->rule = VNET_NO_RULE;
	v->ndests = 0;

	if (vnet_unlikely(!in->is_up))
		return in->is_revoked ? VNET_DROP_REVOKED : VNET_DROP_LINK_DOWN;
	if (vnet_unlikely(f->depth >= VNET_MAX_DEPTH))
		return VNET_DROP_TOO_DEEP;
	if (vnet_unlikely(!p->is_whole))
		return VNET_DROP_MALFORMED;
	if (vnet_unlikely(vnet_mac_is_group(eth->src) || !eth->src))
		return VNET_DROP_BAD_SOURCE;
	if (vnet_mac_is_group(eth->dst)) {
		if (vnet_unlikely(vnet_mac_is_reserved(eth->dst)) &&
		    !(sw->forward_reserved >> (eth->dst & 0xf) & 1))
			return VNET_DROP_RESERVED;
		if (vnet_unlikely(eth->dst == VNET_PROBE_DST)) {
			v->looped = looped(sw, f);
			if (v->looped)
				return VNET_DROP_LOOP_PROBE;
		}
	}
	if (vnet_unlikely(f->flags | f->gso_type) && !vnet_offload_check(f, o))
		return VNET_DROP_BAD_OFFLOAD;
	if (vnet_unlikely(in->grant)) {
		drop = admit(sw, in, f, p, v);
		if (drop)
			return drop;
	}
	if (vnet_chain_run(&in->port->chain[VNET_INGRESS], f, &v->rule) ==
	    VNET_DROP)
		return VNET_DROP_INGRESS_FILTER;
	v->lookup = (uint8_t)look_up(sw, in, p, v);
	if (vnet_unlikely(in->is_odd_in)) {
		drop = pass_odd(sw, in, f, eth, o, v);
		if (drop)
			return drop;
	}
	v->learn = true;
	if (v->lookup == VNET_LOOKUP_KNOWN)
		drop = unicast(sw, in, f, eth, o, v);
	else if (vnet_likely(v->lookup != VNET_LOOKUP_OWN))
		drop = flood(sw, in, f, eth, o, v);
	else
		drop = VNET_DROP_SAME_PORT;
	return vnet_unlikely(drop) && v->ndests ? VNET_DROP_NONE : drop;
}

void
vnet_forward_decide(const struct vnet_switch *sw, struct vnet_worker *w,
		    const struct vnet_client *in, const struct vnet_frame *f,
		    struct vnet_decision *v)
{
	v->dest = w->dest;
	parse(sw, w, f, 1);
	v->drop = decide(sw, in, f, &w->parsed[0], &w->offload[0], v);
}

/*
 * Commit
 */

/* Counts of a batch, before they are added to those of its client. */
struct sums {
	struct vnet_count in;
	struct vnet_count dropped;
	struct vnet_count copies;
};

/* The address that the clients of a vif have together stays with the one it was
 * first seen on: vnet_fdb_slot.where to learn it with, @where if it is new. */
static VNET_COLD uint32_t
where_shared(const struct vnet_switch *sw, const struct vnet_client *in,
	     uint32_t where, const struct vnet_parsed *p)
{
	uint32_t i = vnet_fdb_slot(&sw->fdb, p->eth.src, p->home_src);
	uint32_t found;

	if (i == VNET_FDB_NONE ||
	    !vnet_fdb_is_live(&sw->fdb, &sw->fdb.slots[i], sw->now_s))
		return where;
	found = vnet_fdb_owner_of(sw->fdb.slots[i].where);
	if (vnet_switch_client_at(sw, found)->port != in->port)
		return where;
	return vnet_fdb_where(&sw->fdb, found);
}

/* An address stays where it is: tell who has it that it flaps. */
static void
mark_held(struct vnet_switch *sw, const struct vnet_parsed *p)
{
	uint32_t slot =
		vnet_fdb_find(&sw->fdb, p->eth.src, p->home_src, sw->now_s);

	if (slot != VNET_FDB_NONE)
		vnet_switch_mark(sw, vnet_switch_client_at(sw, slot),
				 VNET_MARK_HELD, p->eth.src);
}

/* Learning has changed more than when an address was last seen. */
static VNET_COLD void
tell_learned(struct vnet_switch *sw, struct vnet_client *in,
	     const struct vnet_parsed *p, enum vnet_fdb_learned learned)
{
	struct vnet_counters *count = &in->lane[0].count;

	switch (learned) {
	case VNET_FDB_KNOWN:
	case VNET_FDB_NEW:
		break;
	case VNET_FDB_MOVED:
		count->moves++;
		vnet_switch_mark(sw, in, VNET_MARK_MOVED, p->eth.src);
		break;
	case VNET_FDB_EVICTED:
	case VNET_FDB_UNLEARNED:
		vnet_switch_mark(sw, in, VNET_MARK_FDB_FULL, p->eth.src);
		break;
	case VNET_FDB_HELD:
		count->moves_refused++;
		mark_held(sw, p);
		break;
	case VNET_FDB_REFUSED:
		count->moves_refused++;
		vnet_switch_mark(sw, in, VNET_MARK_MOVE_REFUSED, p->eth.src);
		break;
	}
}

/* Is it the address that a sibling has of its own? That is not for others to
 * have. */
static VNET_COLD bool
is_siblings(const struct vnet_client *in, uint64_t src)
{
	const struct vnet_client *c = in->port->clients;

	while (c && (c == in || c->own != src))
		c = c->next;
	return c != NULL;
}

VNET_INLINE void
learn(struct vnet_switch *sw, struct vnet_client *in, uint32_t where,
      const struct vnet_parsed *p)
{
	enum vnet_fdb_learned learned;

	if (vnet_unlikely(in->is_odd_in)) {
		if (vnet_port_is_shared(in->port)) {
			if (p->eth.src == in->own)
				where = where_shared(sw, in, where, p);
		} else if (is_siblings(in, p->eth.src)) {
			tell_learned(sw, in, p, VNET_FDB_REFUSED);
			return;
		}
	}
	learned = vnet_fdb_learn(&sw->fdb, p->eth.src, p->home_src, where,
				 sw->now_s);
	if (vnet_unlikely(learned != VNET_FDB_KNOWN))
		tell_learned(sw, in, p, learned);
}

/* What a frame takes from limits: the segments that it stands for. */
struct cost {
	enum vnet_traffic traffic;
	uint32_t frames;
	uint32_t octets;
};

static struct cost
cost_of(const struct vnet_frame *f, const struct vnet_parsed *p,
	const struct vnet_offload *o, const struct vnet_decision *v)
{
	return (struct cost){
		.traffic = traffic_of(v, &p->eth),
		.frames = vnet_offload_frames(f, o, 0),
		.octets = vnet_offload_octets(f, o, 0),
	};
}

static void
take(struct vnet_limits *l, const struct cost *cost, vnet_nsec now)
{
	vnet_limits_take(l, cost->traffic, cost->frames, cost->octets, now);
}

/* Whose rate it was: that of the grant of @c, or of one above. */
static struct vnet_grant_node *
grant_of(const struct vnet_client *c, struct vnet_blame blame)
{
	struct vnet_grant_node *g = c->grant;

	while (--blame.grants)
		g = g->parent;
	return g;
}

static struct vnet_limits *
limits_of(const struct vnet_client *c, enum vnet_side side,
	  struct vnet_blame blame)
{
	if (blame.grants)
		return &grant_of(c, blame)->limits;
	return blame.is_ports ? c->port->limits[side] : c->limits[side];
}

/* A limit has kept a frame from @c, or for it, back. */
static void
count_limited(struct vnet_switch *sw, struct vnet_client *c,
	      enum vnet_side side, struct vnet_blame blame,
	      const struct cost *cost)
{
	struct vnet_limits *l = limits_of(c, side, blame);

	if (blame.grants)
		vnet_count_add(
			&grant_of(c, blame)->refused[0][side][VNET_GRANT_RATE],
			cost->frames, cost->octets);
	vnet_limits_dropped(l, (enum vnet_traffic)blame.traffic, cost->frames,
			    cost->octets);
	vnet_switch_mark(sw, c, VNET_MARK_LIMITED, 0);
}

static bool
is_limited(enum vnet_drop drop)
{
	return drop == VNET_DROP_POLICED || drop == VNET_DROP_STORM;
}

/* The guard of @c has. */
static void
count_refused(struct vnet_client *c, enum vnet_side side, uint8_t part,
	      const struct vnet_frame *f)
{
	VNET_ASSERT(c->grant);
	vnet_count_add(&c->grant->refused[0][side][part], 1,
		       vnet_frame_octets(f));
}

static bool
is_refused(enum vnet_drop drop)
{
	return drop == VNET_DROP_NOT_GRANTED || drop == VNET_DROP_UNDECIDED;
}

static void
commit_odd_in(struct vnet_switch *sw, struct vnet_client *in,
	      const struct vnet_decision *v, const struct cost *cost)
{
	if (is_limited(v->drop)) {
		count_limited(sw, in, VNET_INGRESS, v->blame, cost);
	} else {
		take(in->limits[VNET_INGRESS], cost, sw->now);
		take(in->port->limits[VNET_INGRESS], cost, sw->now);
		for (struct vnet_grant_node *g = in->grant; g; g = g->parent)
			take(&g->limits, cost, sw->now);
	}
}

static void
commit_odd_dest(struct vnet_switch *sw, const struct vnet_dest *d, uint32_t i,
		const struct vnet_frame *f, const struct cost *cost)
{
	struct vnet_client *c = d->client;
	struct vnet_lane *lane = &c->lane[0];

	vnet_chain_hit(vnet_client_chain(c, d->reach == VNET_REACH_OUT
						    ? VNET_RECEIVE_OUT
						    : VNET_RECEIVE_IN),
		       d->receive);
	if (is_limited((enum vnet_drop)d->drop)) {
		if (!d->blame.is_ports || d->is_ports_first)
			count_limited(sw, c, VNET_EGRESS, d->blame, cost);
	} else if (is_refused((enum vnet_drop)d->drop)) {
		/* Whoever floods is not to raise events of everybody. */
		count_refused(c, VNET_EGRESS, d->guard, f);
	} else if (!d->drop) {
		if (d->via & VNET_VIA_OUT)
			lane->via_out |= UINT64_C(1) << i;
		if (d->via & VNET_VIA_BOTH)
			lane->via_both |= UINT64_C(1) << i;
		take(c->limits[VNET_EGRESS], cost, sw->now);
		if (d->is_ports_first)
			take(c->port->limits[VNET_EGRESS], cost, sw->now);
	}
}

/* What decide has asked of limits, receive filters and guards. */
static __attribute__((noinline)) void
commit_odd(struct vnet_switch *sw, struct vnet_client *in,
	   const struct vnet_frame *f, uint32_t i, const struct vnet_parsed *p,
	   const struct vnet_offload *o, const struct vnet_decision *v)
{
	struct cost cost;

	if (in->grant && vnet_grant_is_to_age(in->grant, sw->now_s))
		vnet_grant_age(sw, in->grant);
	if (is_refused(v->drop)) {
		count_refused(in, VNET_INGRESS, v->guard, f);
		vnet_switch_mark(sw, in, VNET_MARK_NOT_GRANTED, p->eth.src);
	}
	if (in->grant && vnet_grant_is_to_age(in->grant, sw->now_s))
		vnet_grant_age(sw, in->grant);
	/* One that did not come to the limits may not even be parsed. */
	if (!v->learn && !is_limited(v->drop))
		return;
	cost = cost_of(f, p, o, v);
	commit_odd_in(sw, in, v, &cost);
	for (uint32_t k = 0; k < v->ndests; k++)
		if (v->dest[k].is_odd)
			commit_odd_dest(sw, &v->dest[k], i, f, &cost);
}

/* Word @k of the clients that are touched will not be empty. */
static void
touch(struct vnet_worker *w, uint32_t k)
{
	if (k < w->first_touched)
		w->first_touched = k;
	if (k >= w->end_touched)
		w->end_touched = k + 1;
}

/* Frame @i goes to one destination. */
VNET_INLINE void
commit_dest(struct vnet_worker *w, const struct vnet_dest *d, uint32_t i,
	    uint32_t octets)
{
	struct vnet_lane *lane = &d->client->lane[0];
	uint32_t slot = d->client->slot;

	if (d->rule != VNET_NO_RULE)
		vnet_chain_hit(&d->client->port->chain[VNET_EGRESS], d->rule);
	if (vnet_unlikely(d->drop != VNET_DROP_NONE)) {
		vnet_count_add(&lane->count.out, 1, octets);
		vnet_count_add(&lane->count.out_drops[d->drop], 1, octets);
		return;
	}
	lane->pending |= UINT64_C(1) << i;
	if (vnet_unlikely(!w->touched[slot / 64]))
		touch(w, slot / 64);
	w->touched[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* Write down what decide said of frame @i. What is counted for all frames is
 * added up in @sum. */
VNET_INLINE void
commit(struct vnet_switch *sw, struct vnet_worker *w, struct vnet_client *in,
       const struct vnet_frame *f, uint32_t i, const struct vnet_decision *v,
       struct sums *sum)
{
	uint32_t octets = vnet_frame_octets(f);

	if (vnet_likely(v->learn))
		learn(sw, in, w->learned, &w->parsed[i]);
	if (vnet_likely(v->rule != VNET_NO_RULE))
		vnet_chain_hit(&in->port->chain[VNET_INGRESS], v->rule);
	vnet_count_add(&sum->in, 1, octets);
	if (vnet_unlikely(v->is_odd))
		commit_odd(sw, in, f, i, &w->parsed[i], &w->offload[i], v);
	if (vnet_unlikely(v->drop != VNET_DROP_NONE)) {
		vnet_count_add(&sum->dropped, 1, octets);
		vnet_count_add(&in->lane[0].count.in_drops[v->drop], 1, octets);
		return;
	}
	vnet_count_add(&sum->copies, v->ndests, (uint64_t)octets * v->ndests);
	for (uint32_t k = 0; k < v->ndests; k++)
		commit_dest(w, &v->dest[k], i, octets);
}

/*
 * Flush
 */

/* The view of a frame that a destination is lent. */
VNET_INLINE void
set_view(struct vnet_frame *out, const struct vnet_frame *f,
	 const struct vnet_offload *o)
{
	*out = *f;
	out->depth++;
	out->hdr_len = 0;
	out->nsegs = 1;
	out->via = 0;
	out->reserved32 = 0;
	for (size_t i = 0; i < 3; i++)
		out->reserved64[i] = 0;
	if (vnet_unlikely(f->gso_type)) {
		out->hdr_len = o->hdr_len;
		out->nsegs = o->nsegs;
	}
}

/* How frame @i comes to a client. */
static uint8_t
via(const struct vnet_lane *lane, uint32_t i)
{
	return (uint8_t)((lane->via_out >> i & 1 ? VNET_VIA_OUT : 0) |
			 (lane->via_both >> i & 1 ? VNET_VIA_BOTH : 0));
}

/* What is gathered is this client's alone: each frame says how it comes. */
static VNET_COLD void
mark_via(struct vnet_worker *w, const struct vnet_lane *lane, uint64_t mask)
{
	for (uint32_t k = 0; mask; mask &= mask - 1)
		w->out[k++].via = via(lane, lowest_bit(mask));
	w->gathered = 0;
}

/* Lay the frames of @mask side by side. Destinations of a flood have the same
 * ones, so what was gathered last is kept. */
static void
gather(struct vnet_worker *w, const struct vnet_frame *frames, uint64_t mask)
{
	struct vnet_count count = {0, 0};
	uint32_t wants = 0;

	if (mask == w->gathered)
		return;
	for (uint64_t m = mask; m; m &= m - 1) {
		uint32_t i = lowest_bit(m);

		set_view(&w->out[count.frames++], &frames[i], &w->offload[i]);
		count.octets += vnet_frame_octets(&frames[i]);
		if (!w->is_plain)
			wants |= vnet_offload_wants(&frames[i]);
	}
	w->gathered = mask;
	w->gathered_count = count;
	w->gathered_wants = wants;
}

/* Offer frames, of @octets together, to a driver, and count what became of those
 * that it dealt with. Returns how many these are. Where the driver turns out to
 * be broken, these are all, and *@error is set: the caller then reports it. */
static size_t
offer(struct vnet_client *c, const struct vnet_frame *frames, size_t n,
      uint64_t octets, int *error)
{
	struct vnet_counters *count = &c->lane[0].count;
	size_t refused = 0, done, i;
	int r = c->ops->send(c->ctx, frames, n, &refused);

	*error = 0;
	if (vnet_unlikely(r < 0)) {
		*error = r;
		vnet_count_add(&count->out_drops[VNET_DROP_DRIVER_ERROR], n,
			       octets);
		return n;
	}
	if (vnet_likely((size_t)r == n && !refused && !c->is_observed)) {
		vnet_count_add(&count->delivered, n, octets);
		return n;
	}
	/* A driver that claims more than it was offered is believed no more
	 * than that. */
	done = (size_t)r < n ? (size_t)r : n;
	if (c->is_observed)
		observe(c, true, frames, done);
	if (refused > done)
		refused = done;
	for (i = 0; i < done - refused; i++)
		vnet_count_add(&count->delivered, 1,
			       vnet_frame_octets(&frames[i]));
	for (; i < done; i++)
		vnet_count_add(&count->out_drops[VNET_DROP_REFUSED], 1,
			       vnet_frame_octets(&frames[i]));
	return done;
}

/*
 * What a frame becomes for a driver: itself, or the frames that the resolver
 * makes of it, one after the other.
 */
struct outputs {
	const struct vnet_frame *f; /* NULL when it is done */
	struct vnet_resolver resolver;
	bool is_resolved;
};

static void
outputs_begin(struct outputs *it, const struct vnet_frame *f,
	      const struct vnet_offload *o, uint32_t carries)
{
	it->f = f;
	it->is_resolved = (vnet_offload_wants(f) & ~carries) != 0;
	if (it->is_resolved)
		vnet_resolver_begin(&it->resolver, f, o, carries);
}

/* The next one in @out, its octets at *@buf where they had to be made; false
 * when there is none. */
static bool
outputs_next(struct outputs *it, struct vnet_frame *out, uint8_t **buf)
{
	size_t used;

	if (it->is_resolved) {
		used = vnet_resolver_next(&it->resolver, *buf, out);
		*buf += used;
		out->via = it->resolver.f->via;
		return used != 0;
	}
	if (!it->f)
		return false;
	*out = *it->f;
	it->f = NULL;
	return true;
}

/* Our own segmentation makes more frames, and more octets, than were meant for
 * the client. */
static void
count_segments(struct vnet_client *c, const struct vnet_frame *f,
	       const struct vnet_offload *o)
{
	vnet_count_add(&c->lane[0].count.segments,
		       vnet_offload_frames(f, o, c->carries) - 1,
		       vnet_offload_octets(f, o, c->carries) -
			       vnet_frame_octets(f));
}

/* Send frames of which some must be resolved first, group by group, as room
 * for them goes. Returns those that are left; lane->skip says how much of the
 * first of them was sent. */
static uint64_t
send_resolved(struct vnet_switch *sw, struct vnet_worker *w,
	      struct vnet_client *c, const struct vnet_frame *frames,
	      uint64_t mask)
{
	struct vnet_lane *lane = &c->lane[0];
	struct vnet_frame view;
	struct outputs it = {0};
	uint32_t of[VNET_BATCH];  /* which frame each one was made of, */
	uint16_t nth[VNET_BATCH]; /* as its how manieth */
	uint64_t left = mask;
	uint16_t made = 0;
	uint32_t i = 0;
	int error;

	w->gathered = 0;
	for (;;) {
		uint8_t *buf = w->scratch;
		const uint8_t *end = w->scratch + VNET_SCRATCH_SIZE;
		uint64_t octets = 0;
		size_t n = 0, done;

		while (n < VNET_BATCH &&
		       (size_t)(end - buf) >= VNET_RESOLVED_MAX) {
			if (made && outputs_next(&it, &w->out[n], &buf)) {
				octets += vnet_frame_octets(&w->out[n]);
				of[n] = i;
				nth[n++] = made++;
				continue;
			}
			if (!left)
				break;
			i = lowest_bit(left);
			left &= left - 1;
			set_view(&view, &frames[i], &w->offload[i]);
			view.via = via(lane, i);
			outputs_begin(&it, &view, &w->offload[i], c->carries);
			made = 1;
		}
		if (!n)
			return 0;
		done = offer(c, w->out, n, octets, &error);
		if (done < n) {
			lane->skip = (uint16_t)(nth[done] - 1);
			return mask & (UINT64_MAX << of[done]);
		}
		if (error) {
			/* What is left will be counted as link_down. */
			vnet_switch_driver_broke(sw, c, error);
			lane->skip = nth[n - 1];
			return mask & (UINT64_MAX << of[n - 1]);
		}
	}
}

/* Send a client what is pending. Returns those frames that its driver did not
 * take, or that come behind others in its queue. */
static uint64_t
send_pending(struct vnet_switch *sw, struct vnet_worker *w,
	     struct vnet_client *c, const struct vnet_frame *frames)
{
	struct vnet_lane *lane = &c->lane[0];
	uint64_t mask = lane->pending;
	size_t done;
	int error;

	gather(w, frames, mask);
	if (vnet_unlikely(lane->via_out))
		mark_via(w, lane, mask);
	vnet_count_add(&lane->count.out, w->gathered_count.frames,
		       w->gathered_count.octets);
	lane->skip = 0;
	if (vnet_unlikely(w->gathered_wants & ~c->carries)) {
		for (uint64_t m = mask; m; m &= m - 1)
			count_segments(c, &frames[lowest_bit(m)],
				       &w->offload[lowest_bit(m)]);
		if (lane->queue.frames)
			return mask;
		return send_resolved(sw, w, c, frames, mask);
	}
	if (vnet_unlikely(lane->queue.frames))
		return mask;
	done = offer(c, w->out, (size_t)w->gathered_count.frames,
		     w->gathered_count.octets, &error);
	if (vnet_unlikely(error))
		vnet_switch_driver_broke(sw, c, error);
	if (vnet_likely(done == w->gathered_count.frames))
		return 0;
	while (done--)
		mask &= mask - 1;
	return mask;
}

/* A queue, or the pool, has dropped a frame. */
static void
count_loss(struct vnet_switch *sw, const struct vnet_loss *loss)
{
	struct vnet_client *c = vnet_switch_client_at(sw, loss->queue);
	struct vnet_client *source = vnet_switch_client(sw, loss->source);

	vnet_count_add(&c->lane[0].count.out_drops[loss->reason], 1,
		       loss->octets);
	if (source)
		vnet_count_add(&source->lane[0].count.lost_by_others, 1,
			       loss->octets);
	vnet_switch_mark(sw, c, VNET_MARK_QUEUE_FULL, 0);
}

static void
enqueue(struct vnet_switch *sw, const struct vnet_client *in,
	struct vnet_client *c, const struct vnet_frame *f)
{
	struct vnet_lane *lane = &c->lane[0];
	struct vnet_loss loss = {.freed = 0};

	if (vnet_unlikely(!c->is_up)) {
		vnet_count_add(&lane->count.out_drops[VNET_DROP_LINK_DOWN], 1,
			       vnet_frame_octets(f));
		return;
	}
	while (!vnet_queue_push(&sw->pool, &lane->queue, in->id, in->weight, f,
				&loss)) {
		count_loss(sw, &loss);
		if (loss.is_arriving)
			break;
	}
}

/* Put what is left of frame @i into the queue of @c. */
static void
enqueue_frame(struct vnet_switch *sw, struct vnet_worker *w,
	      const struct vnet_client *in, struct vnet_client *c,
	      const struct vnet_frame *frames, uint32_t i)
{
	struct vnet_lane *lane = &c->lane[0];
	struct vnet_frame view, out;
	struct outputs it;
	uint8_t *buf = w->scratch;

	set_view(&view, &frames[i], &w->offload[i]);
	view.via = via(lane, i);
	outputs_begin(&it, &view, &w->offload[i], c->carries);
	while (outputs_next(&it, &out, &buf)) {
		buf = w->scratch;
		if (lane->skip)
			lane->skip--;
		else
			enqueue(sw, in, c, &out);
	}
}

/* Queue what is left, frame by frame: who gets the last of the pool shall not
 * depend on how the frames came in batches. */
static void
enqueue_left(struct vnet_switch *sw, struct vnet_worker *w,
	     const struct vnet_client *in, const struct vnet_frame *frames,
	     uint64_t left)
{
	for (; left; left &= left - 1) {
		uint32_t i = lowest_bit(left);

		for (uint32_t k = w->first_touched; k < w->end_touched; k++) {
			for (uint64_t m = w->touched[k]; m; m &= m - 1) {
				struct vnet_client *c = vnet_switch_client_at(
					sw, 64 * k + lowest_bit(m));

				if (c->lane[0].pending >> i & 1)
					enqueue_frame(sw, w, in, c, frames, i);
			}
		}
	}
}

static void
flush(struct vnet_switch *sw, struct vnet_worker *w,
      const struct vnet_client *in, const struct vnet_frame *frames)
{
	uint64_t left = 0;

	w->gathered = 0;
	for (uint32_t k = w->first_touched; k < w->end_touched; k++) {
		for (uint64_t m = w->touched[k]; m; m &= m - 1) {
			struct vnet_client *c = vnet_switch_client_at(
				sw, 64 * k + lowest_bit(m));
			struct vnet_lane *lane = &c->lane[0];

			lane->pending = send_pending(sw, w, c, frames);
			left |= lane->pending;
			if (vnet_likely(!lane->pending))
				lane->via_out = lane->via_both = 0;
		}
	}
	if (vnet_unlikely(left))
		enqueue_left(sw, w, in, frames, left);
	for (uint32_t k = w->first_touched; k < w->end_touched; k++) {
		for (uint64_t m = w->touched[k]; m && left; m &= m - 1) {
			struct vnet_lane *lane =
				&vnet_switch_client_at(sw,
						       64 * k + lowest_bit(m))
					 ->lane[0];

			lane->pending = lane->via_out = lane->via_both = 0;
		}
		w->touched[k] = 0;
	}
	w->first_touched = UINT32_MAX;
	w->end_touched = 0;
}

/*
 * The three together
 */

static void
forward(struct vnet_switch *sw, struct vnet_worker *w, struct vnet_client *in,
	const struct vnet_frame *frames, size_t n)
{
	struct vnet_counters *count = &in->lane[0].count;
	struct vnet_decision v = {.dest = w->dest};
	struct sums sum = {0};

	w->learned = vnet_fdb_where(&sw->fdb, in->slot);
	parse(sw, w, frames, n);
	for (uint32_t i = 0; i < n; i++) {
		v.drop = decide(sw, in, &frames[i], &w->parsed[i],
				&w->offload[i], &v);
		commit(sw, w, in, &frames[i], i, &v, &sum);
		if (vnet_unlikely(v.drop == VNET_DROP_LOOP_PROBE)) {
			/* Who is closed still gets what came before. */
			flush(sw, w, in, frames);
			vnet_switch_looped(sw, v.looped, in);
		}
	}
	vnet_count_add(&count->in, sum.in.frames, sum.in.octets);
	vnet_count_add(&count->looked_up, sum.in.frames - sum.dropped.frames,
		       sum.in.octets - sum.dropped.octets);
	vnet_count_add(&count->copies, sum.copies.frames, sum.copies.octets);
	flush(sw, w, in, frames);
}

static struct vnet_count
count_all(const struct vnet_frame *frames, size_t n)
{
	struct vnet_count c = {n, 0};

	for (size_t i = 0; i < n; i++)
		c.octets += vnet_frame_octets(&frames[i]);
	return c;
}

void
vnet_switch_input(struct vnet_switch *sw, vnet_client_id from,
		  const struct vnet_frame *frames, size_t n, vnet_nsec now)
{
	struct vnet_client *in = vnet_switch_client(sw, from);

	if (vnet_unlikely(!in)) {
		struct vnet_count c = count_all(frames, n);

		vnet_count_add(&sw->unknown_source, c.frames, c.octets);
		return;
	}
	if (vnet_unlikely(sw->entered)) {
		struct vnet_count c = count_all(frames, n);
		struct vnet_counters *count = &in->lane[0].count;

		if (in->is_observed)
			observe(in, false, frames, n);
		vnet_count_add(&count->in, c.frames, c.octets);
		vnet_count_add(&count->in_drops[VNET_DROP_REENTRANT], c.frames,
			       c.octets);
		return;
	}
	sw->entered = true;
	vnet_switch_advance(sw, now);
	if (vnet_unlikely(in->is_observed))
		observe(in, false, frames, n);
	while (n) {
		size_t k = n < VNET_BATCH ? n : VNET_BATCH;

		forward(sw, &sw->worker[0], in, frames, k);
		frames += k;
		n -= k;
	}
	sw->entered = false;
}

/* Offer a client what is first in its queue, @max frames at the most. Returns
 * how many left it; *@is_full says whether its driver took fewer than offered. */
static size_t
drain(struct vnet_switch *sw, struct vnet_worker *w, struct vnet_client *c,
      size_t max, bool *is_full)
{
	struct vnet_queue *q = &c->lane[0].queue;
	uint8_t *scratch = w->scratch;
	size_t room = VNET_SCRATCH_SIZE, n = 0, done;
	uint64_t octets = 0;
	int error;

	if (max > VNET_BATCH)
		max = VNET_BATCH;
	vnet_queue_peek_begin(q);
	while (n < max &&
	       vnet_queue_peek(&sw->pool, q, &w->out[n], &scratch, &room)) {
		octets += vnet_frame_octets(&w->out[n]);
		w->out[n++].depth = 1;
	}
	done = offer(c, w->out, n, octets, &error);
	for (size_t i = 0; i < done; i++)
		vnet_queue_pop(&sw->pool, q);
	if (error)
		vnet_switch_driver_broke(sw, c, error);
	*is_full = done < n;
	return done;
}

int
vnet_client_output(struct vnet_switch *sw, vnet_client_id id, size_t max_frames,
		   vnet_nsec now)
{
	struct vnet_client *c = vnet_switch_client(sw, id);
	bool is_full = false;
	size_t total = 0;

	if (!c)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	if (max_frames > INT32_MAX)
		max_frames = INT32_MAX;
	sw->entered = true;
	vnet_switch_advance(sw, now);
	while (total < max_frames && c->lane[0].queue.frames && !is_full &&
	       !has_ended(c, sw->now))
		total += drain(sw, &sw->worker[0], c, max_frames - total,
			       &is_full);
	sw->entered = false;
	return (int)total;
}

/* As one destination of a batch of one, past all chains and limits: it is not
 * traffic. */
void
vnet_forward_originate(struct vnet_switch *sw, struct vnet_client *c,
		       const struct vnet_frame *f)
{
	struct vnet_lane *lane = &c->lane[0];
	uint32_t octets = vnet_frame_octets(f);
	size_t done = 0;
	int error = 0;

	vnet_count_add(&sw->originated, 1, octets);
	vnet_count_add(&lane->count.out, 1, octets);
	if (!lane->queue.frames)
		done = offer(c, f, 1, octets, &error);
	if (error)
		vnet_switch_driver_broke(sw, c, error);
	if (!done)
		enqueue(sw, c, c, f);
}
