/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control path: what creates, changes and ends things. Frames do not come
 * through here, see forward.c; what is shown is in figures.c and addresses.c,
 * what ports and clients are held to in rules.c.
 */
#include <errno.h>
#include <string.h>

#include "switch.h"
#include "why.h"

/* Steps of ageing and sweeping in one vnet_switch_tick(). */
#define TICK_BUDGET 256

/*
 * Ids
 */

uint32_t
vnet_slot_unused(const struct vnet_slot *slots, uint32_t n, uint32_t end)
{
	uint32_t i = 0;

	while (i < n && (slots[i].object || slots[i].is_swept ||
			 slots[i].generation == end))
		i++;
	return i;
}

void
vnet_slot_release(struct vnet_slot *slots, uint32_t i)
{
	slots[i].object = NULL;
	slots[i].generation++;
}

/*
 * Time
 */

/* Whole seconds of @ns, by long division: the core has no 64-bit division, and
 * this runs once a second. */
static uint64_t
seconds(vnet_nsec ns)
{
	uint64_t s = 0;

	for (int i = 34; i >= 0; i--) {
		if (ns >> i >= VNET_NSEC_PER_SEC) {
			ns -= VNET_NSEC_PER_SEC << i;
			s |= UINT64_C(1) << i;
		}
	}
	return s;
}

void
vnet_switch_advance(struct vnet_switch *sw, vnet_nsec now)
{
	if (vnet_unlikely(now < sw->now)) {
		sw->clock_steps_back++;
		return;
	}
	sw->now = now;
	if (vnet_unlikely(now >= sw->second_ends)) {
		sw->now_s = seconds(now);
		sw->second_ends = (sw->now_s + 1) * VNET_NSEC_PER_SEC;
		/* The last second that the clock can show has no end. */
		if (sw->second_ends < now)
			sw->second_ends = UINT64_MAX;
	}
}

/* Slots of clients that have gone become free when the FDB has no entry of
 * theirs any more. */
static void
free_swept_slots(struct vnet_switch *sw, uint32_t budget)
{
	while (sw->nsweeping && budget--) {
		struct vnet_slot *slot = &sw->clients[sw->sweep_cursor];

		if (slot->is_swept &&
		    vnet_fdb_owner_is_clear(&sw->fdb, sw->sweep_cursor)) {
			slot->is_swept = false;
			sw->nsweeping--;
		}
		if (++sw->sweep_cursor == sw->config.max_clients)
			sw->sweep_cursor = 0;
	}
}

static void
send_probe(struct vnet_switch *sw, struct vnet_client *c)
{
	uint8_t data[VNET_PROBE_LEN];
	struct vnet_frame f = {
		.data = data,
		.len = sizeof(data),
		.nsegs = 1,
		.depth = 1,
	};

	vnet_probe_make(data, &sw->probe_key, c->id, sw->probe_round);
	vnet_forward_originate(sw, c, &f);
}

/* Send loop probes, client by client; a round is spread over as many calls as it
 * takes. */
static void
send_probes(struct vnet_switch *sw, uint32_t budget)
{
	if (!sw->probe_cursor) {
		vnet_nsec step = sw->config.loop_probe_s * VNET_NSEC_PER_SEC;

		if (!sw->nguarded || sw->now < sw->probe_due)
			return;
		sw->probe_round++;
		sw->probe_due = sw->now < VNET_NEVER - step ? sw->now + step
							    : VNET_NEVER;
	}
	while (budget--) {
		struct vnet_client *c =
			vnet_switch_client_at(sw, sw->probe_cursor);

		if (c && c->is_up && c->port->flags & VNET_PORT_LOOP_GUARD)
			send_probe(sw, c);
		if (++sw->probe_cursor == sw->config.max_clients) {
			sw->probe_cursor = 0;
			return;
		}
	}
}

void
vnet_switch_tick(struct vnet_switch *sw, vnet_nsec now)
{
	if (sw->entered)
		return;
	sw->entered = true;
	vnet_switch_advance(sw, now);
	vnet_grants_tick(sw);
	vnet_fdb_tick(&sw->fdb, sw->now_s, TICK_BUDGET);
	free_swept_slots(sw, TICK_BUDGET);
	send_probes(sw, TICK_BUDGET);
	sw->entered = false;
}

vnet_nsec
vnet_switch_time(const struct vnet_switch *sw)
{
	return sw->now;
}

vnet_nsec
vnet_switch_deadline(const struct vnet_switch *sw)
{
	vnet_nsec probes = sw->nguarded ? sw->probe_due : VNET_NEVER;
	vnet_nsec first = probes < sw->grants_due ? probes : sw->grants_due;
	uint64_t due = vnet_fdb_due(&sw->fdb);

	if (sw->nsweeping || sw->probe_cursor || due <= sw->now_s ||
	    first <= sw->now)
		return sw->now;
	if (due > VNET_NEVER / VNET_NSEC_PER_SEC)
		return first;
	due *= VNET_NSEC_PER_SEC;
	return due < first ? due : first;
}

/*
 * What happened
 */

void
vnet_switch_mark(struct vnet_switch *sw, struct vnet_client *c, int which,
		 uint64_t mac)
{
	struct vnet_mark *m = &c->lane[0].mark[which];

	if (!m->count)
		m->time = sw->now;
	if (m->count < UINT32_MAX)
		m->count++;
	m->mac = mac;
	sw->marked[c->slot / 64] |= UINT64_C(1) << c->slot % 64;
}

/* Make an event of the first mark of @c. False if it has none. */
static bool
take_mark(struct vnet_switch *sw, struct vnet_client *c,
	  struct vnet_event *event)
{
	static const enum vnet_event_type type[VNET_NMARKS] = {
		[VNET_MARK_MOVED] = VNET_EVENT_ADDRESS_MOVED,
		[VNET_MARK_FDB_FULL] = VNET_EVENT_FDB_FULL,
		[VNET_MARK_QUEUE_FULL] = VNET_EVENT_QUEUE_FULL,
		[VNET_MARK_HELD] = VNET_EVENT_ADDRESS_HELD,
		[VNET_MARK_MOVE_REFUSED] = VNET_EVENT_MOVE_REFUSED,
		[VNET_MARK_LIMITED] = VNET_EVENT_LIMITED,
		[VNET_MARK_NOT_GRANTED] = VNET_EVENT_NOT_GRANTED,
	};

	for (int i = 0; i < VNET_NMARKS; i++) {
		struct vnet_mark *m = &c->lane[0].mark[i];

		if (!m->count)
			continue;
		*event = (struct vnet_event){
			.size = sizeof(*event),
			.type = type[i],
			.count = m->count,
			.time = m->time,
			.port = c->port->id,
			.client = c->id,
		};
		vnet_mac_store(event->mac.octet, m->mac);
		m->count = 0;
		return true;
	}
	sw->marked[c->slot / 64] &= ~(UINT64_C(1) << c->slot % 64);
	return false;
}

/* Raise an event of a port, or of @client, one of its. */
static void
raise_event(struct vnet_switch *sw, enum vnet_event_type type,
	    const struct vnet_port *port, const struct vnet_client *client,
	    int error)
{
	struct vnet_event event = {
		.type = type,
		.time = sw->now,
		.port = port->id,
		.client = client ? client->id : VNET_NO_ID,
		.error = error,
	};

	vnet_events_raise(&sw->events, &event);
}

/* The same, of its client where it has one alone. */
static void
raise_port_event(struct vnet_switch *sw, enum vnet_event_type type,
		 const struct vnet_port *port)
{
	raise_event(sw, type, port, port->nclients == 1 ? port->clients : NULL,
		    0);
}

/*
 * Links
 */

static void
update(struct vnet_switch *sw, struct vnet_port *port)
{
	for (struct vnet_client *c = port->clients; c; c = c->next)
		c->is_up = port->link && !c->is_broken && !c->is_revoked;
	vnet_port_mark_odd(port);
	sw->nreach = 0;
	for (uint32_t i = 0; i < sw->config.max_clients; i++) {
		struct vnet_client *c = vnet_switch_client_at(sw, i);

		/* The first of its port, which stands for all. */
		if (c && c->port->link && c->port->clients == c)
			sw->reach[sw->nreach++] = c;
	}
}

/* Give each client its share of the FDB: as much as all others of its port, and
 * as all other ports. */
static void
share_addresses(struct vnet_switch *sw)
{
	uint32_t nports = 0;

	for (uint32_t i = 0; i < sw->config.max_ports; i++) {
		const struct vnet_port *port = sw->ports[i].object;

		nports += port && port->nclients;
	}
	for (uint32_t i = 0; i < sw->config.max_clients; i++) {
		const struct vnet_client *c = vnet_switch_client_at(sw, i);
		uint32_t fair;

		if (!c)
			continue;
		VNET_ASSERT(nports && c->port->nclients);
		fair = sw->config.fdb_entries / nports / c->port->nclients;
		vnet_fdb_set_fair(&sw->fdb, i, fair ? fair : 1);
	}
}

/* Drop what is queued for @c. */
static void
purge(struct vnet_switch *sw, struct vnet_client *c, enum vnet_drop reason)
{
	struct vnet_lane *lane = &c->lane[0];

	vnet_count_add(&lane->count.out_drops[reason], lane->queue.frames,
		       lane->queue.octets);
	vnet_queue_purge(&sw->pool, &lane->queue);
}

/* The link of a port is down: nothing is sent to its clients until it is up
 * again. */
static void
lose_link(struct vnet_switch *sw, struct vnet_port *port)
{
	port->link = false;
	for (struct vnet_client *c = port->clients; c; c = c->next) {
		purge(sw, c, VNET_DROP_LINK_DOWN);
		vnet_fdb_flush_owner(&sw->fdb, c->slot, false);
	}
	update(sw, port);
}

/* The address that the clients of @port have together was learned on @c, which
 * goes: another one of them has it now. One with a grant has what it sends from
 * itself. */
static void
pass_address_on(struct vnet_switch *sw, const struct vnet_client *c,
		bool was_learned)
{
	struct vnet_client *heir = c->port->clients;

	while (heir && (heir == c || !heir->is_up || heir->grant))
		heir = heir->next;
	if (was_learned && heir)
		vnet_fdb_learn(&sw->fdb, c->own,
			       vnet_fdb_home(&sw->fdb, c->own),
			       vnet_fdb_where(&sw->fdb, heir->slot), sw->now_s);
}

/* Forget what was learned on @c, and with @fixed what is pinned to it. */
static void
forget_addresses(struct vnet_switch *sw, const struct vnet_client *c,
		 bool fixed)
{
	bool was_learned =
		c->own && vnet_port_is_shared(c->port) &&
		vnet_fdb_find(&sw->fdb, c->own, vnet_fdb_home(&sw->fdb, c->own),
			      sw->now_s) == c->slot;

	vnet_fdb_flush_owner(&sw->fdb, c->slot, fixed);
	pass_address_on(sw, c, was_learned);
}

/* Nothing more for @c: for a port that has only this one, its link is down. */
static void
close_client(struct vnet_switch *sw, struct vnet_client *c)
{
	if (c->port->nclients == 1) {
		lose_link(sw, c->port);
		return;
	}
	c->is_broken = true;
	purge(sw, c, VNET_DROP_LINK_DOWN);
	update(sw, c->port);
	forget_addresses(sw, c, false);
}

void
vnet_switch_driver_broke(struct vnet_switch *sw, struct vnet_client *c,
			 int error)
{
	close_client(sw, c);
	raise_event(sw, VNET_EVENT_DRIVER_ERROR, c->port, c, error);
}

/* Is @a younger than @b? Nobody behind a vif shall be able to close an uplink,
 * so that these are older than all; then come those who are not guarded. */
static bool
is_younger(const struct vnet_client *a, const struct vnet_client *b)
{
	const struct vnet_port *p = a->port, *q = b->port;

	if (p->role != q->role)
		return q->role == VNET_ROLE_UPLINK;
	if (!a->grant != !b->grant)
		return a->grant != NULL;
	return p == q ? a->number > b->number : p->number > q->number;
}

void
vnet_switch_looped(struct vnet_switch *sw, struct vnet_client *from,
		   struct vnet_client *in)
{
	struct vnet_client *c = in;

	/* Who is guarded closes nobody else, whatever comes back from it. */
	if (!in->grant && is_younger(from, in))
		c = from;
	if (!c->is_up)
		return;
	close_client(sw, c);
	raise_event(sw, VNET_EVENT_LOOP, c->port, c, 0);
}

/*
 * Removal
 */

/* Blocks that a queue of so many octets, 0 for the most, may hold: no more than
 * there are. */
static uint32_t
quota(const struct vnet_switch_config *config, uint32_t queue_octets)
{
	uint64_t octets = queue_octets ? queue_octets : config->queue_octets;

	if (octets > config->pool_octets)
		octets = config->pool_octets;
	return vnet_queue_quota(octets);
}

/* A client's queue may be bounded anew, so there is room for the largest. */
static size_t
client_size(const struct vnet_switch_config *config)
{
	return sizeof(struct vnet_client) +
	       quota(config, config->queue_octets) *
		       sizeof(struct vnet_heap_node);
}

/* The most that the queue of a client with that grant may be bounded to. */
static uint32_t
most_queued(const struct vnet_switch *sw, const struct vnet_grant_node *g)
{
	uint32_t most = sw->config.queue_octets;

	if (g && g->body->grant.queue_octets &&
	    g->body->grant.queue_octets < most)
		most = g->body->grant.queue_octets;
	return most;
}

/* Bound a client's queue: 0 for the most, and no more than that. */
static void
bound_queue(struct vnet_switch *sw, struct vnet_client *c,
	    uint32_t queue_octets)
{
	uint32_t most = most_queued(sw, c->grant);

	c->queue_octets =
		queue_octets && queue_octets < most ? queue_octets : most;
	vnet_queue_set_quota(&c->lane[0].queue,
			     quota(&sw->config, c->queue_octets));
}

void
vnet_switch_granted(struct vnet_switch *sw, struct vnet_client *c)
{
	forget_addresses(sw, c, false);
	bound_queue(sw, c, c->queue_octets);
	update(sw, c->port);
}

void
vnet_switch_revoked(struct vnet_switch *sw, struct vnet_client *c)
{
	vnet_grant_leave(sw, c);
	c->is_revoked = true;
	purge(sw, c, VNET_DROP_REMOVED);
	update(sw, c->port);
	forget_addresses(sw, c, false);
	raise_event(sw, VNET_EVENT_GRANT_ENDED, c->port, c, 0);
}

/* Give a client an address of its own, or with 0 none. */
static void
set_own(struct vnet_switch *sw, struct vnet_client *c, uint64_t own)
{
	struct vnet_client **at;

	if (c->own) {
		at = vnet_switch_owns(sw, vnet_fdb_home(&sw->fdb, c->own));
		while (*at != c)
			at = &(*at)->own_next;
		*at = c->own_next;
	}
	c->own = own;
	if (own) {
		at = vnet_switch_owns(sw, vnet_fdb_home(&sw->fdb, own));
		c->own_next = *at;
		*at = c;
	}
}

/* Take a client out of everything. What is left to do is bury()'s. */
static struct vnet_client *
remove_client(struct vnet_switch *sw, struct vnet_client *c)
{
	struct vnet_client **at = &c->port->clients;

	vnet_slot_release(sw->clients, c->slot);
	sw->nclients--;
	sw->clients[c->slot].is_swept = true;
	sw->nsweeping++;
	vnet_grant_leave(sw, c);
	purge(sw, c, VNET_DROP_REMOVED);
	vnet_queue_fini(&sw->pool, &c->lane[0].queue);
	forget_addresses(sw, c, true);
	set_own(sw, c, 0);
	vnet_counters_sum(&sw->gone, &c->lane[0].count);
	sw->marked[c->slot / 64] &= ~(UINT64_C(1) << c->slot % 64);
	raise_event(sw, VNET_EVENT_CLIENT_REMOVED, c->port, c, 0);
	for (int i = 0; i < 2; i++) {
		vnet_chain_fini(&c->receive[i], &sw->alloc, &sw->budget);
		vnet_limits_free(sw, &c->limits[i]);
	}
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->next = NULL;
	c->port->nclients--;
	update(sw, c->port);
	share_addresses(sw);
	return c;
}

/* Free clients that were removed and tell their drivers. That comes last, for a
 * driver may do as it likes then. */
static void
bury(struct vnet_switch *sw, struct vnet_client *list)
{
	struct vnet_client *next;

	for (; list; list = next) {
		const struct vnet_driver_ops *ops = list->ops;
		void *ctx = list->ctx;

		next = list->next;
		sw->alloc.put(sw->alloc.ctx, list, client_size(&sw->config));
		if (ops->close)
			ops->close(ctx);
	}
}

/* The flags of a port are new. */
static void
guard(struct vnet_switch *sw, bool before, bool after)
{
	sw->nguarded += after;
	sw->nguarded -= before;
	/* The first probes go out at once. */
	if (after && !before)
		sw->probe_due = sw->now;
}

/* Take a port out, and its clients, which are for bury(). */
static struct vnet_client *
remove_port(struct vnet_switch *sw, uint32_t slot)
{
	struct vnet_port *port = sw->ports[slot].object;
	struct vnet_client *list = NULL, **end = &list;

	while (port->clients) {
		*end = remove_client(sw, port->clients);
		end = &(*end)->next;
	}
	guard(sw, port->flags & VNET_PORT_LOOP_GUARD, false);
	vnet_slot_release(sw->ports, slot);
	sw->nports--;
	raise_event(sw, VNET_EVENT_PORT_REMOVED, port, NULL, 0);
	for (int i = 0; i < 2; i++) {
		vnet_chain_fini(&port->chain[i], &sw->alloc, &sw->budget);
		vnet_limits_free(sw, &port->limits[i]);
	}
	sw->alloc.put(sw->alloc.ctx, port, sizeof(*port));
	return list;
}

/*
 * Create and destroy
 */

/* The numbers of struct vnet_switch_config, in the order of its fields. */
enum number {
	MAX_PORTS,
	MAX_CLIENTS,
	FDB_ENTRIES,
	AGEING,
	POOL,
	QUEUE,
	MAX_RULES,
	MAX_INSNS,
	MAX_PROGRAM,
	MAX_GRANTS,
	MAX_EVENTS,
	FLAP_MOVES,
	LOOP_PROBE,
	NNUMBERS
};

/* The first of them among the fields. */
#define FIRST_NUMBER 3

/* What its comment says of each. */
static const struct bounds {
	const char *text;
	uint64_t least;
	uint64_t most;
	uint64_t fallback;
} bounds[NNUMBERS] = {
	[MAX_PORTS] = {"max_ports out of bounds", 1, 65536, 64},
	[MAX_CLIENTS] = {"max_clients out of bounds", 1, 65536, 0},
	[FDB_ENTRIES] = {"fdb_entries out of bounds", 1, 16777216, 8192},
	[AGEING] = {"ageing_s out of bounds", 1, 1000000, 300},
	[POOL] = {"pool_octets out of bounds", UINT64_C(64) * VNET_POOL_BLOCK,
		  1 << 30, 4 << 20},
	[QUEUE] = {"queue_octets out of bounds", 65536, 1 << 30, 256 << 10},
	[MAX_RULES] = {"max_rules out of bounds", 1, 1 << 20, 1024},
	[MAX_INSNS] = {"max_insns out of bounds", 1, 1 << 24, 262144},
	[MAX_PROGRAM] = {"max_program out of bounds", 1, 65536,
			 VNET_BPF_MAX_INSNS},
	[MAX_GRANTS] = {"max_grants out of bounds", 1, 65536, 0},
	[MAX_EVENTS] = {"max_events out of bounds", 1, 65536, 256},
	[FLAP_MOVES] = {"flap_moves out of bounds", 2, 255, 16},
	[LOOP_PROBE] = {"loop_probe_s out of bounds", 1, 3600, 2},
};

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Copy @in with what is 0 replaced by what that means. 0 or -EINVAL. */
static int
complete(struct vnet_switch_config *out, const struct vnet_switch_config *in,
	 struct vnet_why *why)
{
	uint64_t value[NNUMBERS] = {
		[MAX_PORTS] = in->max_ports,
		[MAX_CLIENTS] = in->max_clients,
		[FDB_ENTRIES] = in->fdb_entries,
		[AGEING] = in->ageing_s,
		[POOL] = in->pool_octets,
		[QUEUE] = in->queue_octets,
		[MAX_RULES] = in->max_rules,
		[MAX_INSNS] = in->max_insns,
		[MAX_PROGRAM] = in->max_program,
		[MAX_GRANTS] = in->max_grants,
		[MAX_EVENTS] = in->max_events,
		[FLAP_MOVES] = in->flap_moves,
		[LOOP_PROBE] = in->loop_probe_s,
	};

	if (in->size != sizeof(*in))
		return vnet_why(why, "size of the switch's configuration", 0,
				in->size, sizeof(*in));
	for (size_t i = 0; i < NNUMBERS; i++) {
		struct bounds b = bounds[i];

		if (i == MAX_CLIENTS)
			b.fallback = value[MAX_PORTS];
		if (i == MAX_GRANTS)
			b.fallback = value[MAX_CLIENTS];
		if (i == POOL) {
			uint64_t blocks = value[MAX_CLIENTS] * VNET_POOL_BLOCK;

			b.least = larger(b.least, blocks);
			b.fallback = larger(b.fallback, 2 * blocks);
		}
		if (!value[i])
			value[i] = b.fallback;
		if (value[i] < b.least || value[i] > b.most)
			return vnet_why(why, b.text, FIRST_NUMBER + i, value[i],
					value[i] < b.least ? b.least : b.most);
	}
	*out = *in;
	out->max_ports = (uint32_t)value[MAX_PORTS];
	out->max_clients = (uint32_t)value[MAX_CLIENTS];
	out->flap_moves = (uint32_t)value[FLAP_MOVES];
	out->loop_probe_s = (uint32_t)value[LOOP_PROBE];
	out->fdb_entries = (uint32_t)value[FDB_ENTRIES];
	out->ageing_s = (uint32_t)value[AGEING];
	out->pool_octets = value[POOL];
	out->queue_octets = (uint32_t)value[QUEUE];
	out->max_rules = (uint32_t)value[MAX_RULES];
	out->max_insns = (uint32_t)value[MAX_INSNS];
	out->max_program = (uint32_t)value[MAX_PROGRAM];
	out->max_grants = (uint32_t)value[MAX_GRANTS];
	out->max_events = 1;
	while (out->max_events < value[MAX_EVENTS])
		out->max_events *= 2;
	return 0;
}

/* What lies behind struct vnet_switch, in the same piece of memory. */
struct layout {
	size_t ports, clients, grants, names, owns, reach, touched, marked,
		dest, scratch, end;
};

static size_t
words(uint32_t bits)
{
	return (bits + 63) / 64;
}

static struct layout
lay_out(const struct vnet_switch_config *config)
{
	size_t n = config->max_clients;
	struct layout l;

	l.ports = (sizeof(struct vnet_switch) + 63) & ~(size_t)63;
	l.clients = l.ports + config->max_ports * sizeof(struct vnet_slot);
	l.grants = l.clients + n * sizeof(struct vnet_slot);
	l.names = l.grants + config->max_grants * sizeof(struct vnet_slot);
	l.owns = l.names + vnet_grants_nlists(config->max_grants) *
				   sizeof(struct vnet_grant_name *);
	l.reach = l.owns + n * sizeof(struct vnet_client *);
	l.touched =
		(l.reach + n * sizeof(struct vnet_client *) + 63) & ~(size_t)63;
	l.marked = l.touched + words(config->max_clients) * sizeof(uint64_t);
	l.dest = l.marked + words(config->max_clients) * sizeof(uint64_t);
	l.scratch = l.dest + n * sizeof(struct vnet_dest);
	l.end = l.scratch + VNET_SCRATCH_SIZE;
	return l;
}

uint64_t
vnet_switch_memory(const struct vnet_switch_config *config)
{
	struct vnet_switch_config c;

	if (complete(&c, config, NULL))
		return 0;
	return (uint64_t)lay_out(&c).end +
	       vnet_fdb_memory(c.fdb_entries, c.max_clients) +
	       vnet_pool_memory(c.pool_octets, c.max_clients) +
	       vnet_events_memory(c.max_events) +
	       vnet_chain_memory(c.max_rules, c.max_insns) +
	       vnet_grants_memory(c.max_grants) +
	       (uint64_t)c.max_ports * (sizeof(struct vnet_port) +
					2 * sizeof(struct vnet_limits)) +
	       (uint64_t)c.max_clients *
		       (client_size(&c) + 2 * sizeof(struct vnet_limits));
}

int
vnet_switch_create(struct vnet_switch **out,
		   const struct vnet_switch_config *config,
		   struct vnet_why *why)
{
	const struct vnet_alloc *alloc = config->alloc;
	struct vnet_switch_config c;
	struct vnet_switch *sw;
	struct layout l;
	uint8_t *mem;
	int r = complete(&c, config, why);

	if (r)
		return r;
	if (!alloc || !alloc->get || !alloc->put)
		return vnet_why(why, "switch without an allocator", 1, 0, 0);
	l = lay_out(&c);
	mem = alloc->get(alloc->ctx, l.end, VNET_CACHE_LINE);
	if (!mem)
		return vnet_why_errno(why, -ENOMEM);
	memset(mem, 0, l.scratch);
	sw = (struct vnet_switch *)(void *)mem;
	sw->alloc = *alloc;
	sw->config = c;
	sw->config.alloc = &sw->alloc;
	sw->second_ends = VNET_NSEC_PER_SEC;
	sw->uplink_transit = c.uplink_transit;
	sw->forward_reserved = c.forward_reserved;
	sw->ports = (void *)(mem + l.ports);
	sw->clients = (void *)(mem + l.clients);
	sw->grants = (void *)(mem + l.grants);
	sw->names = (void *)(mem + l.names);
	sw->grants_due = VNET_NEVER;
	sw->owns = (void *)(mem + l.owns);
	sw->reach = (void *)(mem + l.reach);
	sw->marked = (void *)(mem + l.marked);
	sw->worker[0].dest = (void *)(mem + l.dest);
	sw->worker[0].touched = (void *)(mem + l.touched);
	sw->worker[0].first_touched = UINT32_MAX;
	sw->worker[0].scratch = mem + l.scratch;
	sw->budget = (struct vnet_chain_budget){
		.rules_left = c.max_rules,
		.insns_left = c.max_insns,
		.max_program = c.max_program,
	};
	vnet_probe_key_init(&sw->probe_key, c.seed);
	for (uint32_t i = 0; i < c.max_ports; i++)
		sw->ports[i] =
			(struct vnet_slot){.generation = VNET_FIRST_PORT};
	for (uint32_t i = 0; i < c.max_clients; i++)
		sw->clients[i] =
			(struct vnet_slot){.generation = VNET_FIRST_CLIENT};
	for (uint32_t i = 0; i < c.max_grants; i++)
		sw->grants[i] =
			(struct vnet_slot){.generation = VNET_FIRST_GRANT};

	r = vnet_fdb_init(&sw->fdb, alloc,
			  &(struct vnet_fdb_config){
				  .entries = c.fdb_entries,
				  .owners = c.max_clients,
				  .ageing_s = c.ageing_s,
				  .flap_moves = c.flap_moves,
				  .seed = c.seed,
			  });
	if (r)
		goto put_switch;
	r = vnet_pool_init(&sw->pool, alloc, c.pool_octets, c.max_clients);
	if (r)
		goto fini_fdb;
	r = vnet_events_init(&sw->events, alloc, c.max_events);
	if (r)
		goto fini_pool;
	*out = sw;
	return 0;

fini_pool:
	vnet_pool_fini(&sw->pool, alloc);
fini_fdb:
	vnet_fdb_fini(&sw->fdb, alloc);
put_switch:
	alloc->put(alloc->ctx, mem, l.end);
	return vnet_why_errno(why, r);
}

void
vnet_switch_destroy(struct vnet_switch *sw)
{
	struct vnet_alloc alloc;

	if (!sw)
		return;
	VNET_ASSERT(!sw->entered);
	/* A driver that calls from close is refused. */
	sw->entered = true;
	for (uint32_t i = 0; i < sw->config.max_ports; i++) {
		if (sw->ports[i].object)
			bury(sw, remove_port(sw, i));
	}
	vnet_grants_fini(sw);
	alloc = sw->alloc;
	vnet_events_fini(&sw->events, &alloc);
	vnet_pool_fini(&sw->pool, &alloc);
	vnet_fdb_fini(&sw->fdb, &alloc);
	alloc.put(alloc.ctx, sw, lay_out(&sw->config).end);
}

/*
 * Ports
 */

int
vnet_port_add(struct vnet_switch *sw, const struct vnet_port_config *config,
	      vnet_port_id *id, struct vnet_why *why)
{
	struct vnet_port *port;
	uint32_t i;
	int r = vnet_port_config_check(config, why);

	if (r)
		return r;
	if (sw->entered)
		return vnet_why_errno(why, -EBUSY);
	if (vnet_port_find(sw, config->name) != VNET_NO_ID)
		return vnet_why_not(why, -EEXIST, "a port of that name exists",
				    0, 0);
	i = vnet_slot_unused(sw->ports, sw->config.max_ports, VNET_END_PORT);
	if (i == sw->config.max_ports)
		return vnet_why_not(why, -ENOSPC, "every port is in use",
				    sw->nports, sw->config.max_ports);
	port = sw->alloc.get(sw->alloc.ctx, sizeof(*port), VNET_CACHE_LINE);
	if (!port)
		return vnet_why_errno(why, -ENOMEM);
	vnet_port_init(port, vnet_slot_id(sw->ports, i), config);
	port->number = ++sw->number;
	sw->ports[i].object = port;
	sw->nports++;
	guard(sw, false, port->flags & VNET_PORT_LOOP_GUARD);
	raise_event(sw, VNET_EVENT_PORT_ADDED, port, NULL, 0);
	*id = port->id;
	return 0;
}

int
vnet_port_remove(struct vnet_switch *sw, vnet_port_id id)
{
	if (!vnet_switch_port(sw, id))
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	bury(sw, remove_port(sw, (uint32_t)id));
	return 0;
}

int
vnet_port_set_link(struct vnet_switch *sw, vnet_port_id id, bool up)
{
	struct vnet_port *port = vnet_switch_port(sw, id);

	if (!port)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	if (port->link == up)
		return 0;
	if (!up) {
		lose_link(sw, port);
	} else {
		port->link = true;
		for (struct vnet_client *c = port->clients; c; c = c->next)
			c->is_broken = false;
		update(sw, port);
	}
	raise_port_event(sw, up ? VNET_EVENT_LINK_UP : VNET_EVENT_LINK_DOWN,
			 port);
	return 0;
}

int
vnet_client_set_link(struct vnet_switch *sw, vnet_client_id id, bool up)
{
	struct vnet_client *c = vnet_switch_client(sw, id);

	if (!c)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	/* It may be alone since it was closed as one of several. */
	if (up && c->is_broken) {
		c->is_broken = false;
		update(sw, c->port);
	}
	if (c->port->nclients == 1)
		return vnet_port_set_link(sw, c->port->id, up);
	if (!up && !c->is_broken)
		close_client(sw, c);
	return 0;
}

int
vnet_port_set_mtu(struct vnet_switch *sw, vnet_port_id id, uint32_t mtu)
{
	struct vnet_port *port = vnet_switch_port(sw, id);

	if (!port)
		return -ENOENT;
	if (mtu < VNET_MTU_MIN || mtu > VNET_MTU_MAX)
		return -EINVAL;
	if (sw->entered)
		return -EBUSY;
	port->mtu = mtu;
	return 0;
}

int
vnet_port_set_flags(struct vnet_switch *sw, vnet_port_id id, uint32_t flags)
{
	struct vnet_port *port = vnet_switch_port(sw, id);

	if (!port)
		return -ENOENT;
	if (vnet_port_flags_check(flags, NULL) ||
	    (flags ^ port->flags) & VNET_PORT_PER_CLIENT)
		return -EINVAL;
	if (sw->entered)
		return -EBUSY;
	guard(sw, port->flags & VNET_PORT_LOOP_GUARD,
	      flags & VNET_PORT_LOOP_GUARD);
	port->flags = flags;
	for (struct vnet_client *c = port->clients; c; c = c->next)
		vnet_fdb_set_sticky(&sw->fdb, c->slot,
				    flags & VNET_PORT_STICKY);
	return 0;
}

/* The link of a port whose only client's grant has ended is down, whatever its
 * medium says. */
static bool
has_link(const struct vnet_port *port)
{
	const struct vnet_client *c = port->clients;

	return port->link && !(c && !c->next && c->is_revoked);
}

int
vnet_port_get(const struct vnet_switch *sw, vnet_port_id id,
	      struct vnet_port_info *info)
{
	const struct vnet_port *port = vnet_switch_port(sw, id);

	if (info->size != sizeof(*info))
		return -EINVAL;
	if (!port)
		return -ENOENT;
	*info = (struct vnet_port_info){
		.size = sizeof(*info),
		.id = id,
		.client = port->clients ? port->clients->id : VNET_NO_ID,
		.clients = port->nclients,
		.role = port->role,
		.mac = port->mac,
		.mtu = port->mtu,
		.link = has_link(port),
		.flags = port->flags,
	};
	memcpy(info->name, port->name, sizeof(info->name));
	return 0;
}

vnet_port_id
vnet_port_find(const struct vnet_switch *sw, const char *name)
{
	for (uint32_t i = 0; i < sw->config.max_ports; i++) {
		const struct vnet_port *port = sw->ports[i].object;

		if (port && vnet_name_equals(port->name, name))
			return port->id;
	}
	return VNET_NO_ID;
}

vnet_port_id
vnet_port_next(const struct vnet_switch *sw, vnet_port_id id)
{
	uint32_t i = id == VNET_NO_ID ? 0 : (uint32_t)id + 1;

	for (; i < sw->config.max_ports; i++) {
		const struct vnet_port *port = sw->ports[i].object;

		if (port)
			return port->id;
	}
	return VNET_NO_ID;
}

/*
 * Clients
 */

static uint16_t
weight_of(uint32_t weight)
{
	return (uint16_t)(weight ? weight : 1);
}

/* Where the next client of a port is linked, and its index: the lowest that is
 * free. */
static struct vnet_client **
free_index(struct vnet_port *port, uint32_t *index)
{
	struct vnet_client **at = &port->clients;

	for (*index = 0; *at && (*at)->index == *index; ++*index)
		at = &(*at)->next;
	return at;
}

/* An address that follows from that of the port and the index, so that who opens
 * a port in the same order anew has the same ones: a locally administered one
 * (IEEE 802, 8.4). */
static uint64_t
derive_address(uint64_t mac, uint32_t index)
{
	uint64_t h = mac ^ (uint64_t)(index + 1) << 48;

	/* The finaliser of MurmurHash3 (Appleby): every bit depends on all. */
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return (h & UINT64_C(0xfcffffffffff)) | UINT64_C(0x020000000000);
}

static const struct vnet_client *
find_own(const struct vnet_port *port, uint64_t mac)
{
	const struct vnet_client *c = port->clients;

	while (c && c->own != mac)
		c = c->next;
	return c;
}

static int
has_that_address(struct vnet_why *why, uint64_t mac)
{
	return vnet_why_not(why, -EEXIST,
			    "another client of the port has that address", mac,
			    0);
}

static int
address_of(const struct vnet_port *port,
	   const struct vnet_client_config *config, uint32_t index,
	   uint64_t *own, struct vnet_why *why)
{
	uint64_t mac = vnet_mac_load(port->mac.octet);
	uint64_t wanted = vnet_mac_load(config->mac.octet);

	if (vnet_port_is_shared(port)) {
		*own = mac;
		return wanted ? vnet_why(why,
					 "address of a client whose port has "
					 "one for all",
					 7, wanted, 0)
			      : 0;
	}
	*own = wanted ? wanted : derive_address(mac, index);
	return find_own(port, *own) ? has_that_address(why, *own) : 0;
}

int
vnet_client_add(struct vnet_switch *sw, vnet_port_id port_id,
		const struct vnet_client_config *config, vnet_client_id *id,
		struct vnet_why *why)
{
	struct vnet_port *port = vnet_switch_port(sw, port_id);
	struct vnet_grant_node *grant;
	struct vnet_client *c, **at;
	uint32_t i, index;
	uint64_t own;
	int r = vnet_client_config_check(config, sw->config.queue_octets, why);

	if (r)
		return r;
	if (!port)
		return vnet_why_errno(why, -ENOENT);
	if (sw->entered)
		return vnet_why_errno(why, -EBUSY);
	if (port->role == VNET_ROLE_UPLINK && port->clients)
		return vnet_why_not(why, -EEXIST, "the uplink has a client", 1,
				    1);
	at = free_index(port, &index);
	r = address_of(port, config, index, &own, why);
	if (!r)
		r = vnet_grant_find_room(sw, config->grant, &grant, why);
	if (r)
		return r;
	i = vnet_slot_unused(sw->clients, sw->config.max_clients,
			     VNET_END_CLIENT);
	if (i == sw->config.max_clients)
		return vnet_why_not(why, -ENOSPC,
				    "every client is in use, or being swept",
				    sw->nclients + sw->nsweeping,
				    sw->config.max_clients);
	c = sw->alloc.get(sw->alloc.ctx, client_size(&sw->config),
			  VNET_CACHE_LINE);
	if (!c)
		return vnet_why_errno(why, -ENOMEM);
	*c = (struct vnet_client){
		.id = vnet_slot_id(sw->clients, i),
		.port = port,
		.ops = config->ops,
		.ctx = config->ctx,
		.slot = i,
		.weight = weight_of(config->weight),
		.carries = config->ops->carries,
		.next = *at,
		.number = ++sw->number,
		.index = index,
		.max_addresses = config->max_addresses,
		.accept = config->accept,
		.sw = sw,
	};
	vnet_chain_init(vnet_client_chain(c, VNET_RECEIVE_IN));
	vnet_chain_init(vnet_client_chain(c, VNET_RECEIVE_OUT));
	vnet_chain_set_default(vnet_client_chain(c, VNET_RECEIVE_OUT),
			       VNET_DROP);
	vnet_queue_init(&c->lane[0].queue, &sw->pool, c->id,
			quota(&sw->config, config->queue_octets),
			(struct vnet_heap_node *)(void *)(c + 1));
	set_own(sw, c, own);
	vnet_grant_enter(sw, grant, c);
	bound_queue(sw, c, config->queue_octets);
	vnet_fdb_set_max(&sw->fdb, i, config->max_addresses);
	vnet_fdb_set_sticky(&sw->fdb, i, port->flags & VNET_PORT_STICKY);
	*at = c;
	port->nclients++;
	sw->clients[i].object = c;
	sw->nclients++;
	update(sw, port);
	share_addresses(sw);
	raise_event(sw, VNET_EVENT_CLIENT_ADDED, port, c, 0);
	*id = c->id;
	return 0;
}

int
vnet_client_remove(struct vnet_switch *sw, vnet_client_id id)
{
	struct vnet_client *c = vnet_switch_client(sw, id);

	if (!c)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	bury(sw, remove_client(sw, c));
	return 0;
}

int
vnet_client_set_mac(struct vnet_switch *sw, vnet_client_id id,
		    struct vnet_mac mac, struct vnet_why *why)
{
	struct vnet_client *c = vnet_switch_client(sw, id);
	uint64_t own = vnet_mac_load(mac.octet);
	const struct vnet_client *has;

	if (!c)
		return vnet_why_errno(why, -ENOENT);
	if (vnet_port_is_shared(c->port))
		return vnet_why(why, "the clients of the port have one address",
				0, own, 0);
	if (!own || vnet_mac_is_group(own))
		return vnet_why(why, "address that no client can have", 0, own,
				0);
	has = find_own(c->port, own);
	if (has && has != c)
		return has_that_address(why, own);
	if (sw->entered)
		return vnet_why_errno(why, -EBUSY);
	if (own == c->own)
		return 0;
	forget_addresses(sw, c, false);
	set_own(sw, c, own);
	return 0;
}

int
vnet_client_set_queue(struct vnet_switch *sw, vnet_client_id id,
		      uint32_t queue_octets)
{
	struct vnet_client *c = vnet_switch_client(sw, id);

	if (!c)
		return -ENOENT;
	if (vnet_client_queue_check(queue_octets, most_queued(sw, c->grant),
				    NULL))
		return -EINVAL;
	if (sw->entered)
		return -EBUSY;
	bound_queue(sw, c, queue_octets);
	return 0;
}

int
vnet_client_set_weight(struct vnet_switch *sw, vnet_client_id id,
		       uint32_t weight)
{
	struct vnet_client *c = vnet_switch_client(sw, id);

	if (!c)
		return -ENOENT;
	if (vnet_client_weight_check(weight, NULL))
		return -EINVAL;
	if (sw->entered)
		return -EBUSY;
	c->weight = weight_of(weight);
	return 0;
}

int
vnet_client_set_accept(struct vnet_switch *sw, vnet_client_id id,
		       enum vnet_accept accept)
{
	struct vnet_client *c = vnet_switch_client(sw, id);

	if (!c)
		return -ENOENT;
	if (vnet_client_accept_check(accept, NULL))
		return -EINVAL;
	if (sw->entered)
		return -EBUSY;
	c->accept = accept;
	vnet_port_mark_odd(c->port);
	return 0;
}

int
vnet_client_set_max_addresses(struct vnet_switch *sw, vnet_client_id id,
			      uint32_t max_addresses)
{
	struct vnet_client *c = vnet_switch_client(sw, id);

	if (!c)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	c->max_addresses = max_addresses;
	vnet_fdb_set_max(&sw->fdb, c->slot, max_addresses);
	return 0;
}

int
vnet_client_get(const struct vnet_switch *sw, vnet_client_id id,
		struct vnet_client_info *info)
{
	const struct vnet_client *c = vnet_switch_client(sw, id);

	if (info->size != sizeof(*info))
		return -EINVAL;
	if (!c)
		return -ENOENT;
	*info = (struct vnet_client_info){
		.size = sizeof(*info),
		.id = id,
		.port = c->port->id,
		.index = c->index,
		.queue_octets = c->queue_octets,
		.weight = c->weight,
		.max_addresses = c->max_addresses,
		.accept = c->accept,
	};
	vnet_mac_store(info->mac.octet, c->own);
	return 0;
}

vnet_client_id
vnet_client_next(const struct vnet_switch *sw, vnet_port_id port,
		 vnet_client_id id)
{
	const struct vnet_port *p = vnet_switch_port(sw, port);
	const struct vnet_client *c = vnet_switch_client(sw, id);

	if (!p || (id != VNET_NO_ID && (!c || c->port != p)))
		return VNET_NO_ID;
	c = c ? c->next : p->clients;
	return c ? c->id : VNET_NO_ID;
}

int
vnet_client_observe(struct vnet_switch *sw, vnet_client_id id,
		    const struct vnet_observer *observer)
{
	struct vnet_client *c = vnet_switch_client(sw, id);

	if (!c)
		return -ENOENT;
	if (observer &&
	    (observer->size != sizeof(*observer) || !observer->frames))
		return -EINVAL;
	if (sw->entered)
		return -EBUSY;
	c->is_observed = observer != NULL;
	if (observer)
		c->observer = *observer;
	return 0;
}

vnet_port_id
vnet_client_port(const struct vnet_switch *sw, vnet_client_id id)
{
	const struct vnet_client *c = vnet_switch_client(sw, id);

	return c ? c->port->id : VNET_NO_ID;
}

/*
 * Events
 */

int
vnet_switch_event(struct vnet_switch *sw, struct vnet_event *event)
{
	if (event->size != sizeof(*event))
		return -EINVAL;
	if (vnet_events_read(&sw->events, event, sw->now))
		return 1;
	/* Go on behind the last one: whoever reads a few at a time shall see
	 * all clients. */
	for (uint32_t seen = 0; seen < sw->config.max_clients + 64;) {
		uint32_t i = sw->mark_cursor;
		bool has_none = !sw->marked[i / 64];
		uint32_t step = has_none ? 64 - i % 64 : 1;

		seen += step;
		sw->mark_cursor += step;
		if (sw->mark_cursor >= sw->config.max_clients)
			sw->mark_cursor = 0;
		if (!has_none && sw->marked[i / 64] >> i % 64 & 1 &&
		    take_mark(sw, vnet_switch_client_at(sw, i), event))
			return 1;
	}
	return 0;
}
