/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control path: what creates, changes, shows and ends things. Frames do not
 * come through here, see forward.c.
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

/* Ports have the lower half of all generations, clients the upper one: the id
 * of one is never that of the other. */
#define FIRST_PORT   UINT32_C(1)
#define END_PORT     (UINT32_C(1) << 31)
#define FIRST_CLIENT (END_PORT + 1)
#define END_CLIENT   UINT32_MAX

/* A slot that may be used, or @n. One whose generations are used up, @end being
 * next, stays empty for ever: an id never comes back. */
static uint32_t
free_slot(const struct vnet_slot *slots, uint32_t n, uint32_t end)
{
	uint32_t i = 0;

	while (i < n && (slots[i].object || slots[i].is_swept ||
			 slots[i].generation == end))
		i++;
	return i;
}

static uint64_t
slot_id(const struct vnet_slot *slots, uint32_t i)
{
	return (uint64_t)slots[i].generation << 32 | i;
}

static void
free_id(struct vnet_slot *slots, uint32_t i)
{
	slots[i].object = NULL;
	slots[i].generation++;
}

static struct vnet_port *
find_port(const struct vnet_switch *sw, vnet_port_id id)
{
	return vnet_slot_find(sw->ports, sw->config.max_ports, id);
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
		if (++sw->sweep_cursor == sw->config.max_ports)
			sw->sweep_cursor = 0;
	}
}

void
vnet_switch_tick(struct vnet_switch *sw, vnet_nsec now)
{
	if (sw->entered)
		return;
	vnet_switch_advance(sw, now);
	vnet_fdb_tick(&sw->fdb, sw->now_s, TICK_BUDGET);
	free_swept_slots(sw, TICK_BUDGET);
}

vnet_nsec
vnet_switch_deadline(const struct vnet_switch *sw)
{
	uint64_t due = sw->nsweeping ? 0 : vnet_fdb_due(&sw->fdb);

	if (due <= sw->now_s)
		return sw->now;
	if (due > VNET_NEVER / VNET_NSEC_PER_SEC)
		return VNET_NEVER;
	return due * VNET_NSEC_PER_SEC;
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

/* Raise an event of a port, and of its client if it has one. */
static void
raise_event(struct vnet_switch *sw, enum vnet_event_type type,
	    const struct vnet_port *port, int error)
{
	struct vnet_event event = {
		.type = type,
		.time = sw->now,
		.port = port->id,
		.client = port->client ? port->client->id : VNET_NO_ID,
		.error = error,
	};

	vnet_events_raise(&sw->events, &event);
}

/*
 * Links
 */

void
vnet_switch_update_reach(struct vnet_switch *sw)
{
	sw->nreach = 0;
	for (uint32_t i = 0; i < sw->config.max_ports; i++) {
		struct vnet_client *c = vnet_switch_client_at(sw, i);

		if (c && c->port->link)
			sw->reach[sw->nreach++] = c;
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

/* The link of @c is down: nothing is sent to it until it is up again. */
static void
lose_link(struct vnet_switch *sw, struct vnet_client *c)
{
	c->port->link = false;
	purge(sw, c, VNET_DROP_LINK_DOWN);
	vnet_fdb_flush_owner(&sw->fdb, c->slot, false);
	vnet_switch_update_reach(sw);
}

void
vnet_switch_driver_broke(struct vnet_switch *sw, struct vnet_client *c,
			 int error)
{
	lose_link(sw, c);
	raise_event(sw, VNET_EVENT_DRIVER_ERROR, c->port, error);
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

/* What is left to do when a client has gone: tell its driver. That comes last,
 * for a driver may do as it likes then. */
struct farewell {
	const struct vnet_driver_ops *ops;
	void *ctx;
};

static void
say_farewell(struct farewell f)
{
	if (f.ops && f.ops->close)
		f.ops->close(f.ctx);
}

/* Take a client out of everything. */
static struct farewell
remove_client(struct vnet_switch *sw, struct vnet_client *c)
{
	struct farewell f = {c->ops, c->ctx};

	free_id(sw->clients, c->slot);
	sw->nclients--;
	sw->clients[c->slot].is_swept = true;
	sw->nsweeping++;
	purge(sw, c, VNET_DROP_REMOVED);
	vnet_queue_fini(&sw->pool, &c->lane[0].queue);
	vnet_fdb_flush_owner(&sw->fdb, c->slot, true);
	vnet_counters_sum(&sw->gone, &c->lane[0].count);
	sw->marked[c->slot / 64] &= ~(UINT64_C(1) << c->slot % 64);
	raise_event(sw, VNET_EVENT_CLIENT_REMOVED, c->port, 0);
	c->port->client = NULL;
	vnet_switch_update_reach(sw);
	sw->alloc.put(sw->alloc.ctx, c, client_size(&sw->config));
	return f;
}

/* Take a port out, and its client. */
static struct farewell
remove_port(struct vnet_switch *sw, uint32_t slot)
{
	struct vnet_port *port = sw->ports[slot].object;
	struct farewell f = {NULL, NULL};

	if (port->client)
		f = remove_client(sw, port->client);
	free_id(sw->ports, slot);
	sw->nports--;
	raise_event(sw, VNET_EVENT_PORT_REMOVED, port, 0);
	vnet_chain_fini(&port->chain[VNET_INGRESS], &sw->alloc, &sw->budget);
	vnet_chain_fini(&port->chain[VNET_EGRESS], &sw->alloc, &sw->budget);
	sw->alloc.put(sw->alloc.ctx, port, sizeof(*port));
	return f;
}

/*
 * Create and destroy
 */

/* The numbers of struct vnet_switch_config, in the order of its fields. */
enum number {
	MAX_PORTS,
	FDB_ENTRIES,
	AGEING,
	POOL,
	QUEUE,
	MAX_RULES,
	MAX_INSNS,
	MAX_PROGRAM,
	MAX_EVENTS,
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
	[FDB_ENTRIES] = {"fdb_entries out of bounds", 1, 16777216, 8192},
	[AGEING] = {"ageing_s out of bounds", 1, 1000000, 300},
	[POOL] = {"pool_octets out of bounds", UINT64_C(64) * VNET_POOL_BLOCK,
		  1 << 30, 4 << 20},
	[QUEUE] = {"queue_octets out of bounds", 65536, 1 << 30, 256 << 10},
	[MAX_RULES] = {"max_rules out of bounds", 1, 1 << 20, 1024},
	[MAX_INSNS] = {"max_insns out of bounds", 1, 1 << 24, 65536},
	[MAX_PROGRAM] = {"max_program out of bounds", 1, 65536,
			 VNET_BPF_MAX_INSNS},
	[MAX_EVENTS] = {"max_events out of bounds", 1, 65536, 256},
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
		[MAX_PORTS] = in->max_ports,   [FDB_ENTRIES] = in->fdb_entries,
		[AGEING] = in->ageing_s,       [POOL] = in->pool_octets,
		[QUEUE] = in->queue_octets,    [MAX_RULES] = in->max_rules,
		[MAX_INSNS] = in->max_insns,   [MAX_PROGRAM] = in->max_program,
		[MAX_EVENTS] = in->max_events,
	};

	if (in->size != sizeof(*in))
		return vnet_why(why, "size of the switch's configuration", 0,
				in->size, sizeof(*in));
	for (size_t i = 0; i < NNUMBERS; i++) {
		struct bounds b = bounds[i];

		if (i == POOL) {
			uint64_t blocks = value[MAX_PORTS] * VNET_POOL_BLOCK;

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
	out->fdb_entries = (uint32_t)value[FDB_ENTRIES];
	out->ageing_s = (uint32_t)value[AGEING];
	out->pool_octets = value[POOL];
	out->queue_octets = (uint32_t)value[QUEUE];
	out->max_rules = (uint32_t)value[MAX_RULES];
	out->max_insns = (uint32_t)value[MAX_INSNS];
	out->max_program = (uint32_t)value[MAX_PROGRAM];
	out->max_events = 1;
	while (out->max_events < value[MAX_EVENTS])
		out->max_events *= 2;
	return 0;
}

/* What lies behind struct vnet_switch, in the same piece of memory. */
struct layout {
	size_t ports, clients, reach, touched, marked, dest, scratch, end;
};

static size_t
words(uint32_t bits)
{
	return (bits + 63) / 64;
}

static struct layout
lay_out(const struct vnet_switch_config *config)
{
	size_t n = config->max_ports;
	struct layout l;

	l.ports = (sizeof(struct vnet_switch) + 63) & ~(size_t)63;
	l.clients = l.ports + n * sizeof(struct vnet_slot);
	l.reach = l.clients + n * sizeof(struct vnet_slot);
	l.touched =
		(l.reach + n * sizeof(struct vnet_client *) + 63) & ~(size_t)63;
	l.marked = l.touched + words(config->max_ports) * sizeof(uint64_t);
	l.dest = l.marked + words(config->max_ports) * sizeof(uint64_t);
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
	       vnet_fdb_memory(c.fdb_entries, c.max_ports) +
	       vnet_pool_memory(c.pool_octets, c.max_ports) +
	       vnet_events_memory(c.max_events) +
	       vnet_chain_memory(c.max_rules, c.max_insns) +
	       (uint64_t)c.max_ports *
		       (sizeof(struct vnet_port) + client_size(&c));
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
	for (uint32_t i = 0; i < c.max_ports; i++) {
		sw->ports[i] = (struct vnet_slot){.generation = FIRST_PORT};
		sw->clients[i] = (struct vnet_slot){.generation = FIRST_CLIENT};
	}

	r = vnet_fdb_init(&sw->fdb, alloc, c.fdb_entries, c.max_ports,
			  c.ageing_s, c.seed);
	if (r)
		goto put_switch;
	r = vnet_pool_init(&sw->pool, alloc, c.pool_octets, c.max_ports);
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
			say_farewell(remove_port(sw, i));
	}
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
	i = free_slot(sw->ports, sw->config.max_ports, END_PORT);
	if (i == sw->config.max_ports)
		return vnet_why_not(why, -ENOSPC, "every port is in use",
				    sw->nports, sw->config.max_ports);
	port = sw->alloc.get(sw->alloc.ctx, sizeof(*port), VNET_CACHE_LINE);
	if (!port)
		return vnet_why_errno(why, -ENOMEM);
	vnet_port_init(port, slot_id(sw->ports, i), config);
	sw->ports[i].object = port;
	sw->nports++;
	raise_event(sw, VNET_EVENT_PORT_ADDED, port, 0);
	*id = port->id;
	return 0;
}

int
vnet_port_remove(struct vnet_switch *sw, vnet_port_id id)
{
	if (!find_port(sw, id))
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	say_farewell(remove_port(sw, (uint32_t)id));
	return 0;
}

int
vnet_port_set_link(struct vnet_switch *sw, vnet_port_id id, bool up)
{
	struct vnet_port *port = find_port(sw, id);

	if (!port)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	if (port->link == up)
		return 0;
	port->link = up;
	if (port->client && !up)
		lose_link(sw, port->client);
	vnet_switch_update_reach(sw);
	raise_event(sw, up ? VNET_EVENT_LINK_UP : VNET_EVENT_LINK_DOWN, port,
		    0);
	return 0;
}

int
vnet_port_set_mtu(struct vnet_switch *sw, vnet_port_id id, uint32_t mtu)
{
	struct vnet_port *port = find_port(sw, id);

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
vnet_port_get(const struct vnet_switch *sw, vnet_port_id id,
	      struct vnet_port_info *info)
{
	const struct vnet_port *port = find_port(sw, id);

	if (info->size != sizeof(*info))
		return -EINVAL;
	if (!port)
		return -ENOENT;
	*info = (struct vnet_port_info){
		.size = sizeof(*info),
		.id = id,
		.client = port->client ? port->client->id : VNET_NO_ID,
		.role = port->role,
		.mac = port->mac,
		.mtu = port->mtu,
		.link = port->link,
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

int
vnet_client_add(struct vnet_switch *sw, vnet_port_id port_id,
		const struct vnet_client_config *config, vnet_client_id *id,
		struct vnet_why *why)
{
	struct vnet_port *port = find_port(sw, port_id);
	struct vnet_client *c;
	uint32_t i;
	int r = vnet_client_config_check(config, sw->config.queue_octets, why);

	if (r)
		return r;
	if (!port)
		return vnet_why_errno(why, -ENOENT);
	if (sw->entered)
		return vnet_why_errno(why, -EBUSY);
	if (port->client)
		return vnet_why_not(why, -EEXIST, "the port has a client", 1,
				    1);
	i = free_slot(sw->clients, sw->config.max_ports, END_CLIENT);
	if (i == sw->config.max_ports)
		return vnet_why_not(why, -ENOSPC,
				    "every client is in use, or being swept",
				    sw->nclients + sw->nsweeping,
				    sw->config.max_ports);
	c = sw->alloc.get(sw->alloc.ctx, client_size(&sw->config),
			  VNET_CACHE_LINE);
	if (!c)
		return vnet_why_errno(why, -ENOMEM);
	*c = (struct vnet_client){
		.id = slot_id(sw->clients, i),
		.port = port,
		.ops = config->ops,
		.ctx = config->ctx,
		.slot = i,
		.weight = weight_of(config->weight),
		.carries = config->ops->carries,
		.sw = sw,
	};
	vnet_queue_init(&c->lane[0].queue, &sw->pool, c->id,
			quota(&sw->config, config->queue_octets),
			(struct vnet_heap_node *)(void *)(c + 1));
	port->client = c;
	sw->clients[i].object = c;
	sw->nclients++;
	vnet_switch_update_reach(sw);
	raise_event(sw, VNET_EVENT_CLIENT_ADDED, port, 0);
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
	say_farewell(remove_client(sw, c));
	return 0;
}

int
vnet_client_set_queue(struct vnet_switch *sw, vnet_client_id id,
		      uint32_t queue_octets)
{
	struct vnet_client *c = vnet_switch_client(sw, id);

	if (!c)
		return -ENOENT;
	if (vnet_client_queue_check(queue_octets, sw->config.queue_octets,
				    NULL))
		return -EINVAL;
	if (sw->entered)
		return -EBUSY;
	vnet_queue_set_quota(&c->lane[0].queue,
			     quota(&sw->config, queue_octets));
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

static void
client_stats(const struct vnet_client *c, struct vnet_client_stats *stats)
{
	const struct vnet_lane *lane = &c->lane[0];

	vnet_counters_stats(&lane->count, stats);
	vnet_count_add(&stats->queued, lane->queue.frames, lane->queue.octets);
	stats->queue_memory = (uint64_t)lane->queue.blocks * VNET_POOL_BLOCK;
}

int
vnet_client_get_stats(const struct vnet_switch *sw, vnet_client_id id,
		      struct vnet_client_stats *stats)
{
	const struct vnet_client *c = vnet_switch_client(sw, id);

	if (stats->size != sizeof(*stats))
		return -EINVAL;
	if (!c)
		return -ENOENT;
	client_stats(c, stats);
	return 0;
}

static void
get_drops(const struct vnet_counters *count, enum vnet_drop reason,
	  struct vnet_count *in, struct vnet_count *out)
{
	if (in)
		*in = count->in_drops[reason];
	if (out)
		*out = count->out_drops[reason];
}

int
vnet_client_drops(const struct vnet_switch *sw, vnet_client_id id,
		  enum vnet_drop reason, struct vnet_count *in,
		  struct vnet_count *out)
{
	const struct vnet_client *c = vnet_switch_client(sw, id);

	if ((unsigned int)reason >= VNET_NDROPS)
		return -EINVAL;
	if (!c)
		return -ENOENT;
	get_drops(&c->lane[0].count, reason, in, out);
	return 0;
}

/*
 * Filters
 */

static int
find_chain(const struct vnet_switch *sw, vnet_port_id id, enum vnet_side side,
	   struct vnet_chain **chain)
{
	struct vnet_port *port = find_port(sw, id);

	if ((unsigned int)side > VNET_EGRESS)
		return -EINVAL;
	if (!port)
		return -ENOENT;
	*chain = &port->chain[side];
	return 0;
}

/* The same, to change it. */
static int
change_chain(const struct vnet_switch *sw, vnet_port_id id, enum vnet_side side,
	     struct vnet_chain **chain, struct vnet_why *why)
{
	int r = find_chain(sw, id, side, chain);

	if (r)
		return r == -EINVAL ? vnet_why(why, "unknown side", 0, side,
					       VNET_EGRESS)
				    : vnet_why_errno(why, r);
	return sw->entered ? vnet_why_errno(why, -EBUSY) : 0;
}

int
vnet_filter_add(struct vnet_switch *sw, vnet_port_id port, enum vnet_side side,
		const struct vnet_rule *rule, struct vnet_why *why)
{
	struct vnet_chain *chain;
	int r = change_chain(sw, port, side, &chain, why);

	return r ? r
		 : vnet_chain_add(chain, &sw->alloc, &sw->budget, rule, why);
}

int
vnet_filter_set(struct vnet_switch *sw, vnet_port_id port, enum vnet_side side,
		const struct vnet_rule *rules, size_t nrules,
		enum vnet_verdict default_verdict, struct vnet_why *why)
{
	struct vnet_chain *chain;
	int r = change_chain(sw, port, side, &chain, why);

	return r ? r
		 : vnet_chain_set(chain, &sw->alloc, &sw->budget, rules, nrules,
				  default_verdict, why);
}

int
vnet_filter_remove(struct vnet_switch *sw, vnet_port_id port,
		   enum vnet_side side, const char *name)
{
	struct vnet_chain *chain;
	int r = change_chain(sw, port, side, &chain, NULL);

	return r ? r : vnet_chain_remove(chain, &sw->alloc, &sw->budget, name);
}

int
vnet_filter_set_default(struct vnet_switch *sw, vnet_port_id port,
			enum vnet_side side, enum vnet_verdict verdict)
{
	struct vnet_chain *chain;
	int r = change_chain(sw, port, side, &chain, NULL);

	return r ? r : vnet_chain_set_default(chain, verdict);
}

int
vnet_filter_get(const struct vnet_switch *sw, vnet_port_id port,
		enum vnet_side side, size_t index, struct vnet_rule_info *info)
{
	struct vnet_chain *chain;
	int r = find_chain(sw, port, side, &chain);

	return r ? r : vnet_chain_get(chain, index, info);
}

int
vnet_filter_get_default(const struct vnet_switch *sw, vnet_port_id port,
			enum vnet_side side, enum vnet_verdict *verdict,
			uint64_t *hits)
{
	struct vnet_chain *chain;
	int r = find_chain(sw, port, side, &chain);

	if (!r)
		vnet_chain_get_default(chain, verdict, hits);
	return r;
}

/*
 * The FDB
 */

int
vnet_fdb_add(struct vnet_switch *sw, struct vnet_mac mac, vnet_client_id client)
{
	const struct vnet_client *c = vnet_switch_client(sw, client);
	uint64_t key = vnet_mac_load(mac.octet);

	if (!key || vnet_mac_is_group(key))
		return -EINVAL;
	if (!c)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	return vnet_fdb_pin(&sw->fdb, key, c->slot, sw->now_s);
}

int
vnet_fdb_remove(struct vnet_switch *sw, struct vnet_mac mac)
{
	uint64_t key = vnet_mac_load(mac.octet);

	if (!key)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	return vnet_fdb_forget(&sw->fdb, key, sw->now_s);
}

int
vnet_fdb_flush(struct vnet_switch *sw, vnet_port_id id)
{
	const struct vnet_port *port = find_port(sw, id);

	if (id != VNET_NO_ID && !port)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	for (uint32_t i = 0; i < sw->config.max_ports; i++) {
		const struct vnet_client *c = vnet_switch_client_at(sw, i);

		if (c && (!port || c->port == port))
			vnet_fdb_flush_owner(&sw->fdb, i, false);
	}
	return 0;
}

static void
show_entry(const struct vnet_switch *sw, uint32_t i,
	   struct vnet_fdb_entry *entry)
{
	const struct vnet_fdb_slot *s = &sw->fdb.slots[i];
	const struct vnet_client *c =
		vnet_switch_client_at(sw, vnet_fdb_owner_of(s->where));

	*entry = (struct vnet_fdb_entry){
		.size = sizeof(*entry),
		.is_static = vnet_fdb_list(s->where) == VNET_FDB_STATIC,
		.port = c->port->id,
		.client = c->id,
	};
	vnet_mac_store(entry->mac.octet, s->key);
	if (!entry->is_static)
		entry->age_s = (uint32_t)sw->now_s - s->stamp;
}

int
vnet_fdb_lookup(const struct vnet_switch *sw, struct vnet_mac mac,
		struct vnet_fdb_entry *entry)
{
	uint64_t key = vnet_mac_load(mac.octet);
	uint32_t i;

	if (entry->size != sizeof(*entry))
		return -EINVAL;
	if (!key)
		return -ENOENT;
	i = vnet_fdb_slot(&sw->fdb, key, vnet_fdb_home(&sw->fdb, key));
	if (i == VNET_FDB_NONE ||
	    !vnet_fdb_is_live(&sw->fdb, &sw->fdb.slots[i], sw->now_s))
		return -ENOENT;
	show_entry(sw, i, entry);
	return 0;
}

/* The cursor is 0 at first, then the number of the last slot looked at, with a
 * bit above it. */
#define CURSOR_SET (UINT64_C(1) << 32)

int
vnet_fdb_next(const struct vnet_switch *sw, uint64_t *cursor,
	      struct vnet_fdb_entry *entry)
{
	uint32_t i = *cursor ? (uint32_t)*cursor : vnet_fdb_nslots(&sw->fdb);
	bool found;

	if (entry->size != sizeof(*entry))
		return -EINVAL;
	if (i > vnet_fdb_nslots(&sw->fdb))
		i = vnet_fdb_nslots(&sw->fdb);
	found = vnet_fdb_walk(&sw->fdb, &i, 4096, sw->now_s);
	*cursor = CURSOR_SET | i;
	if (found)
		show_entry(sw, i, entry);
	return found ? 1 : i ? -EAGAIN : 0;
}

/*
 * Events and counters
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
	for (uint32_t seen = 0; seen < sw->config.max_ports + 64;) {
		uint32_t i = sw->mark_cursor;
		bool has_none = !sw->marked[i / 64];
		uint32_t step = has_none ? 64 - i % 64 : 1;

		seen += step;
		sw->mark_cursor += step;
		if (sw->mark_cursor >= sw->config.max_ports)
			sw->mark_cursor = 0;
		if (!has_none && sw->marked[i / 64] >> i % 64 & 1 &&
		    take_mark(sw, vnet_switch_client_at(sw, i), event))
			return 1;
	}
	return 0;
}

static void
total_counters(const struct vnet_switch *sw, struct vnet_counters *sum)
{
	*sum = sw->gone;
	for (uint32_t i = 0; i < sw->config.max_ports; i++) {
		const struct vnet_client *c = vnet_switch_client_at(sw, i);

		if (c)
			vnet_counters_sum(sum, &c->lane[0].count);
	}
}

int
vnet_switch_get_stats(const struct vnet_switch *sw,
		      struct vnet_switch_stats *stats)
{
	struct vnet_counters sum;

	if (stats->size != sizeof(*stats))
		return -EINVAL;
	total_counters(sw, &sum);
	*stats = (struct vnet_switch_stats){
		.size = sizeof(*stats),
		.unknown_source = sw->unknown_source,
		.ports = sw->nports,
		.clients = sw->nclients,
		.fdb_entries = sw->fdb.n,
		.fdb_evictions = sw->fdb.evictions,
		.fdb_unlearned = sw->fdb.unlearned,
		.pool_used = (uint64_t)sw->pool.nused * VNET_POOL_BLOCK,
		.pool_octets = (uint64_t)sw->pool.nblocks * VNET_POOL_BLOCK,
		.clock_steps_back = sw->clock_steps_back,
		.events_lost = sw->events.lost,
	};
	vnet_counters_stats(&sum, &stats->total);
	stats->total.queue_memory = stats->pool_used;
	for (uint32_t i = 0; i < sw->config.max_ports; i++) {
		const struct vnet_client *c = vnet_switch_client_at(sw, i);

		if (c)
			vnet_count_add(&stats->total.queued,
				       c->lane[0].queue.frames,
				       c->lane[0].queue.octets);
	}
	return 0;
}

int
vnet_switch_drops(const struct vnet_switch *sw, enum vnet_drop reason,
		  struct vnet_count *in, struct vnet_count *out)
{
	struct vnet_counters sum;

	if ((unsigned int)reason >= VNET_NDROPS)
		return -EINVAL;
	total_counters(sw, &sum);
	get_drops(&sum, reason, in, out);
	return 0;
}

static bool
are_equal(uint64_t a, uint64_t b, const char *text, size_t index,
	  struct vnet_why *why)
{
	if (a != b)
		vnet_why(why, text, index, a, b);
	return a == b;
}

static bool
is_conserved(const struct vnet_client_stats *s, size_t index,
	     struct vnet_why *why)
{
	return are_equal(s->in.frames,
			 s->in_dropped.frames + s->looked_up.frames,
			 "frames in", index, why) &&
	       are_equal(s->in.octets,
			 s->in_dropped.octets + s->looked_up.octets,
			 "octets in", index, why) &&
	       are_equal(s->out.frames + s->segments.frames,
			 s->delivered.frames + s->queued.frames +
				 s->out_dropped.frames,
			 "frames out", index, why) &&
	       are_equal(s->out.octets + s->segments.octets,
			 s->delivered.octets + s->queued.octets +
				 s->out_dropped.octets,
			 "octets out", index, why);
}

bool
vnet_switch_check(const struct vnet_switch *sw, struct vnet_why *why)
{
	struct vnet_switch_stats all = {.size = sizeof(all)};
	struct vnet_client_stats s;

	for (uint32_t i = 0; i < sw->config.max_ports; i++) {
		const struct vnet_client *c = vnet_switch_client_at(sw, i);

		if (!c)
			continue;
		client_stats(c, &s);
		if (!is_conserved(&s, i, why))
			return false;
	}
	vnet_switch_get_stats(sw, &all);
	return is_conserved(&all.total, sw->config.max_ports, why) &&
	       are_equal(all.total.copies.frames, all.total.out.frames,
			 "frames copied", sw->config.max_ports, why) &&
	       are_equal(all.total.copies.octets, all.total.out.octets,
			 "octets copied", sw->config.max_ports, why) &&
	       are_equal(vnet_pool_check(&sw->pool), true,
			 "queues, or the pool, out of order", 0, why) &&
	       are_equal(vnet_fdb_check(&sw->fdb), true, "FDB out of order", 0,
			 why);
}
