/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/inproc.h>
#include <vnet/libvnet.h>
#include <vnet/null.h>

#include "explained.h"
#include "frames.h"
#include "run.h"

/* Switches at the same time; they meet in drivers that lead from one into the
 * other. */
#define NNETS 3

/* The most ports and clients of one; more than fit into one word of bits. */
#define MAX_PORTS   70
#define MAX_CLIENTS 100
#define MAX_GRANTS  8

/* Calls that a driver may make of its own, each inside the last. */
#define MAX_NESTING 3

#define LENGTH(a)   (sizeof(a) / sizeof((a)[0]))

struct run;
struct net;

/* A client of ours. In memory of its own: what uses it too long is seen. */
struct driver {
	struct net *net;
	uint64_t id;
	uint64_t port;
	uint64_t number; /* ports and clients are numbered as they come */
	enum { FAKE, INPROC, NOTHING } kind;
	uint64_t grant;
	bool is_closed;  /* it alone, of several: broken, set down, a loop */
	bool is_revoked; /* its grant has ended */
	bool is_observed;
	struct vnet_driver_ops ops;
	struct vnet_inproc ip;
	/* Handed in and taken: as it is heard, and counted before that. */
	struct vnet_count heard[2];
	struct vnet_count unheard[2];
};

/* What we know of a port, by its slot. */
struct port {
	uint64_t id;
	uint64_t number;
	enum vnet_role role;
	struct vnet_mac mac;
	uint32_t nclients;
	uint32_t flags;
	uint32_t mtu; /* the largest it had: longer frames may be queued */
	bool link;
	bool was_guarded;
};

/* What we know of a grant, by its slot. */
struct grant {
	uint64_t id;
	uint64_t parent;
	vnet_nsec until;
	uint32_t max_clients;
};

/* A loop probe that a driver was sent. */
struct probe {
	uint8_t octets[64];
	uint32_t len;
};

struct net {
	struct run *run;
	struct vnet_switch *sw;
	struct vnet_alloc alloc;
	bool is_flaky; /* the allocator */
	uint64_t memory;
	uint64_t used;
	unsigned long npieces;
	unsigned int entered; /* calls under way that send */
	bool is_ticking;      /* one of them, the first, is the tick */
	bool is_changed;      /* since it was checked */
	uint32_t max_ports;
	uint32_t max_clients;
	uint32_t nports;
	uint32_t nclients;
	uint64_t number; /* of the port or client that came last */
	struct port port[MAX_PORTS];
	struct driver *driver[MAX_CLIENTS]; /* by slot */
	struct grant grant[MAX_GRANTS];
	vnet_nsec now; /* the time that it was given */
	struct probe probe[4];
	unsigned long nprobes;
	uint64_t gone[32]; /* ids of ports and clients, the last ones */
	unsigned long ngone;
};

struct run {
	struct tape *t;
	vnet_nsec now;
	unsigned int nesting;
	bool is_ending;
	unsigned long ndrivers;
	struct run_summary sum;
	struct net net[NNETS];
};

/* Decide. */

static uint32_t
arg(struct run *r, uint32_t bound)
{
	return tape_argument(r->t, bound);
}

/* Say. */

static void
say(struct run *r, const char *what, uint64_t number)
{
	tape_say(r->t, what, number);
}

/* errno numbers differ from system to system. */
static const int errors[] = {
	ENOENT, EINVAL, EEXIST, ENOSPC, ENOMEM, EBUSY,
	EAGAIN, EIO,    ENXIO,  EPERM,  EUSERS,
};

/* Say a count, or a -errno; returns it. */
static int
say_result(struct run *r, int result)
{
	size_t i = 0;

	if (result >= 0) {
		say(r, "result", (uint64_t)result + LENGTH(errors));
		return result;
	}
	while (i < LENGTH(errors) && result != -errors[i])
		i++;
	TAPE_EXPECT(r->t, i < LENGTH(errors));
	say(r, "error", i);
	return result;
}

static void
say_text(struct run *r, const char *what, const char *text)
{
	tape_say_octets(r->t, what, text ? text : "", text ? strlen(text) : 0);
}

/* @sizes: numbers in it are sizes of structs, which differ. */
static void
say_why(struct run *r, int result, const struct vnet_why *why, bool sizes)
{
	if (result != -EINVAL)
		return;
	TAPE_EXPECT(r->t, why->text != NULL);
	say_text(r, "why", why->text);
	say(r, "index", why->index);
	if (sizes)
		return;
	say(r, "found", why->found);
	say(r, "bound", why->bound);
}

static void
say_count(struct run *r, const char *what, struct vnet_count c)
{
	say(r, what, c.frames);
	say(r, what, c.octets);
}

static void
say_frame(struct run *r, const struct vnet_frame *f)
{
	static uint8_t copy[1 << 17];

	say(r, "flags", f->flags);
	say(r, "gso_type", f->gso_type);
	say(r, "ntags", f->ntags);
	say(r, "csum_start", f->csum_start);
	say(r, "csum_offset", f->csum_offset);
	say(r, "gso_size", f->gso_size);
	say(r, "hdr_len", f->hdr_len);
	say(r, "nsegs", f->nsegs);
	say(r, "depth", f->depth);
	for (int i = 0; i < f->ntags && i < VNET_MAX_TAGS; i++) {
		say(r, "tpid", f->tag[i].tpid);
		say(r, "tci", f->tag[i].tci);
	}
	tape_say_octets(r->t, "frame", f->data, f->len);
	/* Every octet can be read, whether it is said or not. */
	TAPE_EXPECT(r->t, f->len <= sizeof(copy));
	if (f->len && f->len <= sizeof(copy))
		memcpy(copy, f->data, f->len);
}

static void
say_stats(struct run *r, const struct vnet_client_stats *s)
{
	say_count(r, "in", s->in);
	say_count(r, "in_dropped", s->in_dropped);
	say_count(r, "looked_up", s->looked_up);
	say_count(r, "copies", s->copies);
	say_count(r, "out", s->out);
	say_count(r, "segments", s->segments);
	say_count(r, "delivered", s->delivered);
	say_count(r, "queued", s->queued);
	say_count(r, "out_dropped", s->out_dropped);
	say_count(r, "lost_by_others", s->lost_by_others);
	say(r, "moves", s->moves);
	say(r, "moves_refused", s->moves_refused);
	say(r, "queue_memory", s->queue_memory);
}

static void
say_entry(struct run *r, const struct vnet_fdb_entry *e)
{
	tape_say_octets(r->t, "mac", e->mac.octet, 6);
	say(r, "is_static", e->is_static);
	say(r, "is_held", e->is_held);
	say(r, "port", e->port);
	say(r, "client", e->client);
	say(r, "age_s", e->age_s);
}

/*
 * Memory
 */

static void *
get(void *ctx, size_t size, size_t align)
{
	struct net *net = ctx;
	struct tape *t = net->run->t;
	void *p;

	if (net->is_flaky && tape_answer(t, 8) == 7)
		return NULL;
	TAPE_EXPECT(t, size > 0 && align > 0 && !(align & (align - 1)));
	TAPE_EXPECT(t, net->used + size <= net->memory);
	TAPE_EXPECT(t, !net->entered);
	p = aligned_alloc(align, (size + align - 1) / align * align);
	if (!p)
		abort();
	/* Rubbish, of another kind in the replay: nothing may depend on it. */
	memset(p, t->mode == TAPE_REPLAY ? 0x5a : 0xa5, size);
	net->used += size;
	net->npieces++;
	return p;
}

static void
put(void *ctx, void *p, size_t size)
{
	struct net *net = ctx;

	TAPE_EXPECT(net->run->t, p && size <= net->used && net->npieces);
	net->used -= size;
	net->npieces--;
	free(p);
}

/*
 * Ids
 */

static void
forget_id(struct net *net, uint64_t id)
{
	net->gone[net->ngone++ % LENGTH(net->gone)] = id;
}

static struct port *
find_port(struct net *net, uint64_t id)
{
	uint32_t slot = (uint32_t)id;

	if (id == VNET_NO_ID || slot >= net->max_ports ||
	    net->port[slot].id != id)
		return NULL;
	return &net->port[slot];
}

static struct driver *
find_driver(struct net *net, uint64_t client)
{
	uint32_t slot = (uint32_t)client;

	if (client == VNET_NO_ID || slot >= net->max_clients ||
	    !net->driver[slot] || net->driver[slot]->id != client)
		return NULL;
	return net->driver[slot];
}

static struct port *
port_of(const struct driver *d)
{
	return &d->net->port[(uint32_t)d->port];
}

static struct grant *
find_grant(struct net *net, uint64_t id)
{
	uint32_t slot = (uint32_t)id;

	if (id == VNET_NO_ID || slot >= MAX_GRANTS || net->grant[slot].id != id)
		return NULL;
	return &net->grant[slot];
}

/* May it be sent to, and send? */
static bool
is_up(const struct driver *d)
{
	return port_of(d)->link && !d->is_closed && !d->is_revoked;
}

/* Whose grant has ended by itself is not told so before the tick. */
static bool
has_ended(const struct driver *d)
{
	const struct grant *g = find_grant(d->net, d->grant);

	return g && g->until && d->net->now >= g->until;
}

/* The switch has been given the time. */
static void
advance(struct net *net)
{
	if (net->run->now > net->now)
		net->now = net->run->now;
}

static bool
has_owner(struct net *net, uint64_t id)
{
	return find_port(net, id) || find_driver(net, id);
}

/* An id that is nothing any more, or never was. */
static uint64_t
stale_id(struct run *r, const struct net *net)
{
	uint32_t i = arg(r, LENGTH(net->gone) + 4);

	if (i < net->ngone && i < LENGTH(net->gone))
		return net->gone[i];
	if (i % 4 == 0)
		return UINT64_MAX;
	if (i % 4 == 1)
		return UINT64_C(1) << 32 | UINT32_MAX;
	if (i % 4 == 2)
		return UINT64_C(1) << 60;
	return VNET_NO_ID;
}

static uint64_t
some_port(struct run *r, const struct net *net)
{
	uint32_t k = arg(r, net->nports + 1);

	for (uint32_t i = 0; i < net->max_ports; i++)
		if (net->port[i].id && !k--)
			return net->port[i].id;
	return stale_id(r, net);
}

static uint64_t
some_client(struct run *r, const struct net *net)
{
	uint32_t n = net->nclients;
	uint32_t k = arg(r, 8 * n + 1);

	if (!n || k == 8 * n)
		return stale_id(r, net);
	k %= n;
	for (uint32_t i = 0;; i++)
		if (net->driver[i] && !k--)
			return net->driver[i]->id;
}

/* What is refused is refused for a reason: @is_there says whether the id was. */
static void
expect_refusal(struct net *net, int result, bool is_there)
{
	struct tape *t = net->run->t;

	if (result < 0 && result != -EINVAL && is_there)
		TAPE_EXPECT(t, result != -EBUSY || net->entered);
	if (!is_there)
		TAPE_EXPECT(t, result == -ENOENT || result == -EINVAL);
	else if (net->entered)
		TAPE_EXPECT(t, result == -EBUSY || result == -EINVAL ||
				       result == -ENOENT);
}

/*
 * Links
 */

static void
set_port_link(struct net *net, struct port *port, bool up)
{
	if (port->link == up)
		return;
	port->link = up;
	for (uint32_t i = 0; up && i < net->max_clients; i++)
		if (net->driver[i] && net->driver[i]->port == port->id)
			net->driver[i]->is_closed = false;
}

/* Its driver has broken, or there is a loop. */
static void
close_driver(struct driver *d)
{
	struct port *port = port_of(d);

	if (port->nclients == 1)
		port->link = false;
	else
		d->is_closed = true;
}

/* Does the switch say that it is up? */
static bool
is_said_to_be_up(const struct driver *d)
{
	const struct vnet_frame none = {.len = 0};
	struct vnet_explained e = {.size = sizeof(e)};

	/* It has the time already. */
	if (vnet_switch_explain(d->net->sw, d->id, &none, 0, &e))
		return false;
	return e.drop != VNET_DROP_LINK_DOWN && e.drop != VNET_DROP_REVOKED;
}

/* As port.h says: which of two that are in a loop is closed? */
static bool
is_younger(const struct driver *a, const struct driver *b)
{
	const struct port *p = port_of(a), *q = port_of(b);

	if (p->role != q->role)
		return p->role == VNET_ROLE_VIF;
	if (!a->grant != !b->grant)
		return a->grant != VNET_NO_ID;
	if (p == q)
		return a->number > b->number;
	return p->number > q->number;
}

/* Could a probe that @from was sent, given back by @in, have closed @closed? */
static bool
may_have_closed(const struct driver *from, const struct driver *in,
		const struct driver *closed)
{
	return port_of(from)->was_guarded &&
	       (!in->grant && is_younger(from, in) ? from : in) == closed;
}

/* @in has given back @n loop probes: see who was closed for it. */
static void
close_looped(struct run *r, struct net *net, const struct driver *in,
	     uint64_t n)
{
	for (uint32_t i = 0; n && i < net->max_clients; i++) {
		struct driver *d = net->driver[i];
		bool may = false;

		if (!d || !is_up(d) || is_said_to_be_up(d))
			continue;
		for (uint32_t k = 0; k < net->max_clients; k++)
			may |= net->driver[k] &&
			       may_have_closed(net->driver[k], in, d);
		TAPE_EXPECT(r->t, may);
		close_driver(d);
		n--;
	}
}

static uint64_t
count_loops(const struct net *net, uint64_t from)
{
	struct vnet_count in = {0, 0};

	vnet_client_drops(net->sw, from, VNET_DROP_LOOP_PROBE, &in, NULL);
	return in.frames;
}

static void
give(struct run *r, struct net *net, uint64_t from,
     const struct vnet_frame *frames, size_t n)
{
	uint64_t loops = count_loops(net, from);

	net->is_changed = true;
	if (!net->entered && find_driver(net, from))
		advance(net);
	net->entered++;
	vnet_switch_input(net->sw, from, frames, n, r->now);
	net->entered--;
	close_looped(r, net, find_driver(net, from),
		     count_loops(net, from) - loops);
}

/*
 * Drivers
 */

static void call(struct run *r);

static void
nest(struct run *r)
{
	if (r->nesting == MAX_NESTING || r->is_ending || tape_is_over(r->t))
		return;
	r->nesting++;
	call(r);
	r->nesting--;
}

/* What a driver may be sent, and no more. */
static void
check_sent(const struct driver *d, const struct vnet_frame *f, size_t n)
{
	const struct port *port = find_port(d->net, d->port);
	struct tape *t = d->net->run->t;

	TAPE_EXPECT(t, n > 0);
	TAPE_EXPECT(t, d->net->entered == 1);
	TAPE_EXPECT(t, port && find_driver(d->net, d->id) == d);
	if (!port)
		return;
	TAPE_EXPECT(t, is_up(d) && !has_ended(d));
	for (; n--; f++) {
		static const uint32_t gso[] = {0, VNET_CARRIES_TSO4,
					       VNET_CARRIES_TSO6,
					       VNET_CARRIES_USO};
		uint32_t wants = 0, len = f->len;

		TAPE_EXPECT(t, f->gso_type <= VNET_GSO_UDP);
		if (f->flags & VNET_FRAME_CSUM_PARTIAL)
			wants |= VNET_CARRIES_CSUM;
		if (f->gso_type)
			wants |= gso[f->gso_type & 3] | VNET_CARRIES_CSUM;
		if (f->ntags)
			wants |= VNET_CARRIES_TAGS;
		TAPE_EXPECT(t, !(wants & ~d->ops.carries));
		TAPE_EXPECT(t, f->ntags <= VNET_MAX_TAGS);
		TAPE_EXPECT(t, f->nsegs >= 1 && f->nsegs <= VNET_MAX_SEGMENTS);
		TAPE_EXPECT(t, f->depth >= 1 && f->depth <= VNET_MAX_DEPTH);
		TAPE_EXPECT(t,
			    !f->via || f->via == VNET_VIA_OUT ||
				    f->via == (VNET_VIA_OUT | VNET_VIA_BOTH));
		TAPE_EXPECT(t, !f->reserved32 && !f->reserved64[0] &&
				       !f->reserved64[1] && !f->reserved64[2]);
		if (f->nsegs > 1)
			len = (uint32_t)f->hdr_len + f->gso_size;
		TAPE_EXPECT(t, len <= 14 + 8 + port->mtu);
	}
}

/* A driver that leads into another switch. */
static void
lead(struct run *r, const struct vnet_frame *frames, size_t n)
{
	struct net *to = &r->net[tape_answer(r->t, NNETS)];
	uint64_t client;

	if (!to->sw)
		return;
	client = some_client(r, to);
	give(r, to, client, frames, n);
}

/* What is sent by the tick is a loop probe. */
static void
keep_probe(struct net *net, const struct vnet_frame *f)
{
	struct probe *p = &net->probe[net->nprobes++ % LENGTH(net->probe)];

	TAPE_EXPECT(net->run->t, f->len <= sizeof(p->octets));
	if (f->len > sizeof(p->octets))
		return;
	memcpy(p->octets, f->data, f->len);
	p->len = f->len;
}

static int
fake_send(void *ctx, const struct vnet_frame *frames, size_t n, size_t *refused)
{
	struct driver *d = ctx;
	struct run *r = d->net->run;
	uint32_t all = (uint32_t)n;

	say(r, "send to", d->id);
	say(r, "frames", n);
	for (size_t i = 0; i < n; i++) {
		say_frame(r, &frames[i]);
		if (d->net->is_ticking)
			keep_probe(d->net, &frames[i]);
	}
	check_sent(d, frames, n);
	TAPE_EXPECT(r->t, *refused == 0);

	switch (tape_answer(r->t, 20)) {
	case 12:
	case 13:
	case 14:
		return (int)tape_answer(r->t, all);
	case 15:
		*refused = tape_answer(r->t, all + 1);
		return (int)all;
	case 16:
		if (tape_answer(r->t, 2))
			return 0;
		close_driver(d);
		return tape_answer(r->t, 2) ? -EIO : -ENXIO;
	case 17:
		/* More than there are: no driver should. */
		*refused = tape_answer(r->t, 256);
		return (int)(all + tape_answer(r->t, 3));
	case 18:
		nest(r);
		break;
	case 19:
		if (r->nesting < MAX_NESTING) {
			r->nesting++;
			lead(r, frames, n);
			r->nesting--;
		}
		break;
	}
	return (int)all;
}

static void
release(struct driver *d)
{
	struct net *net = d->net;

	if (d->id)
		forget_id(net, d->id);
	net->run->ndrivers--;
	free(d);
}

static void
fake_close(void *ctx)
{
	struct driver *d = ctx;
	struct run *r = d->net->run;

	say(r, "close", d->id);
	/* What calls it has taken it out of the books before. */
	TAPE_EXPECT(r->t, !d->net->entered && !find_driver(d->net, d->id));
	release(d);
	if (!r->is_ending && tape_answer(r->t, 8) == 7)
		nest(r);
}

/* Clients that are going to go. */
struct leaving {
	struct driver *driver[MAX_CLIENTS];
	uint32_t n;
};

/* Take a client out of the books. One that has nothing to close is for gone();
 * others are freed where they are closed. */
static void
let_go(struct leaving *l, struct driver *d)
{
	d->net->driver[(uint32_t)d->id] = NULL;
	d->net->nclients--;
	port_of(d)->nclients--;
	if (d->kind != FAKE)
		l->driver[l->n++] = d;
}

/* Those of a port, or of all. */
static void
let_all_go(struct leaving *l, struct net *net, uint64_t port)
{
	for (uint32_t i = 0; i < net->max_clients; i++) {
		struct driver *d = net->driver[i];

		if (d && (port == VNET_NO_ID || d->port == port))
			let_go(l, d);
	}
}

static void
gone(struct leaving *l)
{
	while (l->n) {
		struct driver *d = l->driver[--l->n];

		if (d->kind == INPROC)
			TAPE_EXPECT(d->net->run->t, d->ip.id == VNET_NO_ID);
		release(d);
	}
}

/*
 * The calls. Each is made on a switch that is there.
 */

static void
call_port_add(struct run *r, struct net *net)
{
	static const uint32_t mtus[] = {0,   0,    0,     1500, 68,   100,
					576, 9000, 65535, 67,   65536};
	static const uint32_t flags[] = {0, 0, 0, 0, 1, 1, 1,  2,
					 4, 8, 8, 8, 8, 9, 12, 15};
	char text[40] = "p";
	struct vnet_port_config config = {.size = sizeof(config)};
	struct vnet_why why = {.text = NULL};
	vnet_port_id id = VNET_NO_ID;
	bool sizes = false;
	int result;

	snprintf(text + 1, sizeof(text) - 1, "%u", arg(r, MAX_PORTS + 2));
	config.role = arg(r, 3) ? VNET_ROLE_VIF : VNET_ROLE_UPLINK;
	if (arg(r, 4))
		frames_put_mac(config.mac.octet, arg(r, 16));
	config.flags = TAPE_ONE_OF(r->t, flags);
	config.mtu = TAPE_ONE_OF(r->t, mtus);
	config.link_down = tape_seldom(r->t, 16);
	if (tape_seldom(r->t, 16)) {
		switch (arg(r, 6)) {
		case 0:
			config.size -= arg(r, 4);
			sizes = true;
			break;
		case 1:
			config.role = (enum vnet_role)(2 + arg(r, 3));
			break;
		case 2:
			frames_put_mac(config.mac.octet, 16 + arg(r, 4));
			break;
		case 3:
			memset(text, 'x', 31 + arg(r, 2));
			break;
		case 4:
			text[0] = 0;
			break;
		case 5:
			config.flags |= 16u << arg(r, 28);
			break;
		}
	}
	config.name = frames_copy(text, strlen(text) + 1);
	result = say_result(r, vnet_port_add(net->sw, &config, &id, &why));
	say_why(r, result, &why, sizes);
	if (result == 0) {
		struct port *port = &net->port[(uint32_t)id];

		say(r, "id", id);
		TAPE_EXPECT(r->t, !net->entered);
		TAPE_EXPECT(r->t, (uint32_t)id < net->max_ports && !port->id);
		if ((uint32_t)id < net->max_ports) {
			*port = (struct port){
				.id = id,
				.number = ++net->number,
				.role = config.role,
				.mac = config.mac,
				.flags = config.flags,
				.mtu = config.mtu ? config.mtu
						  : VNET_MTU_DEFAULT,
				.link = !config.link_down,
				.was_guarded =
					config.flags & VNET_PORT_LOOP_GUARD,
			};
			net->nports++;
		}
		TAPE_EXPECT(r->t, vnet_port_find(net->sw, config.name) == id);
	} else {
		TAPE_EXPECT(r->t,
			    result != -ENOSPC || net->nports == net->max_ports);
		TAPE_EXPECT(r->t, result != -ENOMEM || net->is_flaky);
		expect_refusal(net, result, true);
	}
	free((void *)(uintptr_t)config.name);
}

static void
call_port_remove(struct run *r, struct net *net)
{
	uint64_t id = some_port(r, net);
	struct port *port = find_port(net, id);
	struct leaving leaving = {.n = 0};
	int result;

	if (port && !net->entered) {
		let_all_go(&leaving, net, id);
		*port = (struct port){.id = 0};
		net->nports--;
		forget_id(net, id);
	}
	result = say_result(r, vnet_port_remove(net->sw, id));
	gone(&leaving);
	expect_refusal(net, result, port != NULL);
	if (port && !net->entered)
		TAPE_EXPECT(r->t, result == 0);
}

/* One that nobody has opened. */
static uint64_t
bare_port(struct run *r, const struct net *net)
{
	for (uint32_t i = 0; i < net->max_ports; i++)
		if (net->port[i].id && !net->port[i].nclients)
			return net->port[i].id;
	return some_port(r, net);
}

/* An address for a client: where its port has one for all, mostly none. */
static void
client_mac(struct run *r, const struct port *port, uint8_t *octets)
{
	if (port && port->flags & VNET_PORT_PER_CLIENT ? arg(r, 2)
						       : tape_seldom(r->t, 32))
		frames_put_mac(octets, arg(r, 17));
}

/* What a new client is to be, good or bad: *@sizes if a size is wrong. */
static void
draw_client(struct run *r, const struct port *port, struct driver *d,
	    struct vnet_client_config *config, bool *sizes)
{
	static const uint32_t queues[] = {0,    0,     0,    0,       2048,
					  8192, 65536, 2047, 1u << 30};
	static const uint32_t weights[] = {0, 0, 0, 0, 1, 2, 16, 1024, 1025};
	static const uint32_t bounds[] = {0, 0, 0, 1, 2, UINT32_MAX};

	config->queue_octets = TAPE_ONE_OF(r->t, queues);
	config->weight = TAPE_ONE_OF(r->t, weights);
	config->max_addresses = TAPE_ONE_OF(r->t, bounds);
	config->accept = arg(r, 4) ? VNET_ACCEPT_ALL : VNET_ACCEPT_OWN;
	client_mac(r, port, config->mac.octet);
	switch (arg(r, 16)) {
	case 12:
		switch (arg(r, 5)) {
		case 0:
			config->size += 1 + arg(r, 2);
			*sizes = true;
			break;
		case 1:
			d->ops.size -= arg(r, 3);
			*sizes = true;
			break;
		case 2:
			d->ops.carries |= 32u << arg(r, 8);
			break;
		case 3:
			config->ops = NULL;
			break;
		case 4:
			config->accept = (enum vnet_accept)(2 + arg(r, 2));
			break;
		}
		break;
	case 13:
	case 14:
		d->kind = INPROC;
		break;
	case 15:
		d->kind = NOTHING;
		d->ops.carries = 31;
		break;
	}
}

static uint64_t some_grant(struct run *r, const struct net *net);

static int
open_client(struct run *r, struct driver *d,
	    const struct vnet_client_config *config, bool sizes)
{
	struct vnet_switch *sw = d->net->sw;
	struct vnet_why why = {.text = NULL};
	int result;

	switch (d->kind) {
	case INPROC:
		result = vnet_inproc_open(&d->ip, sw, d->port, d->ops.carries,
					  config->queue_octets);
		d->id = d->ip.id;
		return say_result(r, result);
	case NOTHING:
		return say_result(r, vnet_null_open(sw, d->port, &d->id));
	default:
		result = vnet_client_add(sw, d->port, config, &d->id, &why);
		say_result(r, result);
		say_why(r, result, &why, sizes);
		return result;
	}
}

static void
call_client_add(struct run *r, struct net *net)
{
	uint64_t id = arg(r, 2) ? bare_port(r, net) : some_port(r, net);
	struct port *port = find_port(net, id);
	struct vnet_client_config config = {.size = sizeof(config)};
	struct driver *d = malloc(sizeof(*d));
	bool sizes = false, has_slot;
	int result;

	if (!d)
		abort();
	r->ndrivers++;
	*d = (struct driver){.net = net, .port = id};
	d->ops = (struct vnet_driver_ops){
		.size = sizeof(d->ops),
		.carries = arg(r, 2) ? arg(r, 32) : 0,
		.send = fake_send,
		.close = fake_close,
	};
	config.ops = &d->ops;
	config.ctx = d;
	draw_client(r, port, d, &config, &sizes);
	if (d->kind == FAKE && !arg(r, 3))
		d->grant = config.grant = some_grant(r, net);
	result = open_client(r, d, &config, sizes);
	if (result) {
		TAPE_EXPECT(r->t, result != -ENOMEM || net->is_flaky);
		TAPE_EXPECT(r->t,
			    result != -EEXIST ||
				    (port && port->nclients &&
				     (port->role == VNET_ROLE_UPLINK ||
				      port->flags & VNET_PORT_PER_CLIENT)));
		if (!config.grant || (result != -ENOENT && result != -EUSERS))
			expect_refusal(net, result, port != NULL);
		release(d);
		return;
	}
	say(r, "id", d->id);
	TAPE_EXPECT(r->t, port && !net->entered);
	TAPE_EXPECT(r->t, !d->grant || find_grant(net, d->grant));
	TAPE_EXPECT(r->t,
		    port && (port->role == VNET_ROLE_VIF || !port->nclients));
	has_slot = (uint32_t)d->id < net->max_clients &&
		   !net->driver[(uint32_t)d->id];
	TAPE_EXPECT(r->t, has_slot);
	if (!port || !has_slot)
		return;
	d->number = ++net->number;
	net->driver[(uint32_t)d->id] = d;
	net->nclients++;
	port->nclients++;
}

static void
hear(void *ctx, bool out, const struct vnet_frame *frames, size_t n,
     vnet_nsec now)
{
	struct driver *d = ctx;

	TAPE_EXPECT(d->net->run->t, n > 0 && d->is_observed);
	(void)now;
	d->heard[out].frames += n;
	for (size_t i = 0; i < n; i++)
		d->heard[out].octets += frames[i].len + 4u * frames[i].ntags;
}

/* What a client has handed in, and what its driver has taken: whatever became
 * of that. */
static void
count_crossed(const struct driver *d, struct vnet_count crossed[2])
{
	struct vnet_client_stats s = {.size = sizeof(s)};
	struct vnet_count refused;

	vnet_client_get_stats(d->net->sw, d->id, &s);
	vnet_client_drops(d->net->sw, d->id, VNET_DROP_REFUSED, NULL, &refused);
	crossed[0] = s.in;
	crossed[1].frames = s.delivered.frames + refused.frames;
	crossed[1].octets = s.delivered.octets + refused.octets;
}

static void
check_heard(struct run *r, const struct driver *d)
{
	struct vnet_count crossed[2];

	if (!d->is_observed)
		return;
	count_crossed(d, crossed);
	for (int i = 0; i < 2; i++) {
		TAPE_EXPECT(r->t, d->unheard[i].frames + d->heard[i].frames ==
					  crossed[i].frames);
		TAPE_EXPECT(r->t, d->unheard[i].octets + d->heard[i].octets ==
					  crossed[i].octets);
	}
}

/* All that can be changed of a client. */
static void
call_client_change(struct run *r, struct net *net)
{
	static const uint32_t queues[] = {0, 2048, 4096, 65536, 2047, 1u << 30};
	static const uint32_t weights[] = {0, 1, 2, 1024, 1025};
	static const uint32_t bounds[] = {0, 1, 3, UINT32_MAX};
	uint64_t id = some_client(r, net);
	struct driver *d = find_driver(net, id);
	struct vnet_observer observer = {
		.size = sizeof(observer),
		.frames = hear,
		.ctx = d,
	};
	bool ends = false;
	int result;

	switch (arg(r, 6)) {
	case 0:
		result = vnet_client_set_queue(net->sw, id,
					       TAPE_ONE_OF(r->t, queues));
		break;
	case 1:
		result = vnet_client_set_weight(net->sw, id,
						TAPE_ONE_OF(r->t, weights));
		break;
	case 2:
		result = vnet_client_set_accept(
			net->sw, id, (enum vnet_accept)(arg(r, 16) % 5 % 3));
		break;
	case 3:
		result = vnet_client_set_max_addresses(
			net->sw, id, TAPE_ONE_OF(r->t, bounds));
		break;
	default:
		ends = arg(r, 4) == 3;
		result = vnet_client_observe(net->sw, id,
					     ends ? NULL : &observer);
		if (result || !d)
			break;
		d->is_observed = !ends;
		memset(d->heard, 0, sizeof(d->heard));
		count_crossed(d, d->unheard);
	}
	say_result(r, result);
	expect_refusal(net, result, d != NULL);
}

static void
call_client_remove(struct run *r, struct net *net)
{
	uint64_t id = some_client(r, net);
	struct driver *d = find_driver(net, id);
	struct leaving leaving = {.n = 0};
	bool is_there = d != NULL;
	int result;

	if (d && !net->entered)
		let_go(&leaving, d);
	result = say_result(r, vnet_client_remove(net->sw, id));
	gone(&leaving);
	expect_refusal(net, result, is_there);
	if (is_there && !net->entered)
		TAPE_EXPECT(r->t, result == 0);
}

/* Mostly none passes; it may run backwards, and to its end. */
static void
pass_time(struct run *r)
{
	switch (arg(r, 16)) {
	case 10:
		r->now += 1;
		break;
	case 11:
		r->now += 1000 * (vnet_nsec)arg(r, 0x10000);
		break;
	case 12:
		r->now += VNET_NSEC_PER_SEC;
		break;
	case 13:
		r->now += arg(r, 512) * VNET_NSEC_PER_SEC;
		break;
	case 14:
		r->now -= arg(r, 512) * VNET_NSEC_PER_SEC / 64;
		break;
	case 15:
		if (tape_seldom(r->t, 64))
			r->now = UINT64_MAX - arg(r, 2);
		break;
	}
}

/* A loop probe that this switch has sent, or another one: as it was, with a tag,
 * or with an octet changed. */
static struct vnet_frame
probe_again(struct run *r, const struct net *net)
{
	const struct net *of = arg(r, 8) ? net : &r->net[arg(r, NNETS)];
	uint32_t how = arg(r, 8);
	const struct probe *p = &of->probe[arg(r, LENGTH(of->probe))];
	struct vnet_frame f = {.len = p->len};
	uint8_t *octets = frames_copy(p->octets, p->len);

	if (how == 7 && p->len)
		octets[arg(r, 64) % p->len] ^= 1;
	if (how == 6) {
		f.ntags = 1;
		f.tag[0] = (struct vnet_tag){0x8100, 5};
	}
	f.data = octets;
	return f;
}

/* Write the address of a client, its own or that of its port, where there is
 * room. */
static void
put_address(const struct net *net, uint64_t id, const struct vnet_frame *f,
	    uint32_t at)
{
	struct vnet_client_info info = {.size = sizeof(info)};

	if (f->len >= at + 6 && !vnet_client_get(net->sw, id, &info))
		memcpy((uint8_t *)(uintptr_t)f->data + at, info.mac.octet, 6);
}

/* A frame for @from to give. */
static struct vnet_frame
make_input(struct run *r, struct net *net, uint64_t from)
{
	const struct driver *d = find_driver(net, from);
	struct vnet_frame f;

	if (tape_seldom(r->t, 16)) {
		f = probe_again(r, net);
	} else {
		f = frames_make(r->t, d ? (uint32_t)d->port : 0);
		if (!arg(r, 3))
			put_address(net, some_client(r, net), &f, 0);
		if (!arg(r, 4))
			put_address(net, from, &f, 6);
	}
	say_frame(r, &f);
	return f;
}

static void
call_input(struct run *r, struct net *net)
{
	uint64_t from = some_client(r, net);
	uint32_t made = 1 + arg(r, 4), n = made;
	struct explained *explained = NULL;
	struct vnet_frame *frames;

	if (tape_seldom(r->t, 8))
		n *= 1 + arg(r, 24);
	frames = malloc(n * sizeof(*frames));
	if (!frames)
		abort();
	for (uint32_t i = 0; i < made; i++)
		frames[i] = make_input(r, net, from);
	for (uint32_t i = made; i < n; i++)
		frames[i] = frames[i % made];
	pass_time(r);
	if (n == 1 && find_driver(net, from) && !r->nesting)
		explained = explained_ask(r->t, net->sw, from, frames, r->now);
	give(r, net, from, frames, n);
	explained_check(explained);
	for (uint32_t i = 0; i < made; i++)
		free((void *)(uintptr_t)frames[i].data);
	free(frames);
}

static void
take(void *ctx, const struct vnet_frame *f)
{
	struct run *r = ctx;

	say_frame(r, f);
	/* Must not call the switch, but we may look what comes of it. */
	if (tape_answer(r->t, 32) == 31)
		nest(r);
}

/* Send what is queued, asked by the driver, or by a program that polls. */
static void
call_output(struct run *r, struct net *net)
{
	uint64_t id = some_client(r, net);
	struct driver *d = find_driver(net, id);
	size_t max = arg(r, 4) ? arg(r, 80) : SIZE_MAX;
	bool was_entered = net->entered;
	int result;

	pass_time(r);
	if (!net->entered && d)
		advance(net);
	net->entered++;
	if (d && d->kind == INPROC)
		result = vnet_inproc_poll(&d->ip, take, r, max, r->now);
	else
		result = vnet_client_output(net->sw, id, max, r->now);
	net->entered--;
	say_result(r, result);
	if (was_entered || !d)
		expect_refusal(net, result, d != NULL);
	else
		TAPE_EXPECT(r->t, result >= 0 && (size_t)result <= max);
}

/* A grant ends, what hangs below it, and what its clients did. */
static void
end_grant(struct net *net, struct grant *g)
{
	uint64_t id = g->id;

	*g = (struct grant){.id = 0};
	forget_id(net, id);
	for (uint32_t i = 0; i < net->max_clients; i++) {
		struct driver *d = net->driver[i];

		if (d && d->grant == id) {
			d->grant = VNET_NO_ID;
			d->is_revoked = true;
		}
	}
	for (uint32_t i = 0; i < MAX_GRANTS; i++)
		if (net->grant[i].id && net->grant[i].parent == id)
			end_grant(net, &net->grant[i]);
}

static void
end_due_grants(struct net *net)
{
	for (uint32_t i = 0; i < MAX_GRANTS; i++) {
		struct grant *g = &net->grant[i];

		if (g->id && g->until && net->now >= g->until)
			end_grant(net, g);
	}
}

static void
call_tick(struct run *r, struct net *net)
{
	vnet_nsec due = vnet_switch_deadline(net->sw);

	say(r, "deadline", due);
	if (arg(r, 2))
		pass_time(r);
	else if (due != VNET_NEVER && due > r->now)
		r->now = due;
	net->is_ticking = !net->entered;
	if (net->is_ticking) {
		advance(net);
		end_due_grants(net);
	}
	net->entered++;
	vnet_switch_tick(net->sw, r->now);
	net->entered--;
	net->is_ticking = false;
}

/* One whose link is down. */
static uint64_t
dead_port(struct run *r, const struct net *net)
{
	for (uint32_t i = 0; i < net->max_ports; i++)
		if (net->port[i].id && !net->port[i].link)
			return net->port[i].id;
	return some_port(r, net);
}

static void
call_link(struct run *r, struct net *net)
{
	uint64_t id = arg(r, 2) ? dead_port(r, net) : some_port(r, net);
	struct port *port = find_port(net, id);
	bool up = arg(r, 8);
	int result = say_result(r, vnet_port_set_link(net->sw, id, up));

	expect_refusal(net, result, port != NULL);
	if (!port || net->entered)
		return;
	TAPE_EXPECT(r->t, result == 0);
	set_port_link(net, port, up);
}

static void
call_client_link(struct run *r, struct net *net)
{
	uint64_t id = some_client(r, net);
	struct driver *d = find_driver(net, id);
	bool up = arg(r, 2);
	int result = say_result(r, vnet_client_set_link(net->sw, id, up));

	expect_refusal(net, result, d != NULL);
	if (!d || net->entered)
		return;
	TAPE_EXPECT(r->t, result == 0);
	if (port_of(d)->nclients == 1)
		set_port_link(net, port_of(d), up);
	else
		d->is_closed = !up;
	if (up)
		d->is_closed = false;
}

static void
call_flags(struct run *r, struct net *net)
{
	static const uint32_t wanted[] = {0, 0, 2, 4, 8, 8, 14, 16};
	uint64_t id = some_port(r, net);
	struct port *port = find_port(net, id);
	uint32_t flags = TAPE_ONE_OF(r->t, wanted);
	int result;

	if (port && !tape_seldom(r->t, 16))
		flags |= port->flags & VNET_PORT_PER_CLIENT;
	result = say_result(r, vnet_port_set_flags(net->sw, id, flags));
	expect_refusal(net, result, port != NULL);
	if (!port || result)
		return;
	TAPE_EXPECT(r->t, !((flags ^ port->flags) & VNET_PORT_PER_CLIENT));
	port->flags = flags;
	port->was_guarded |= (flags & VNET_PORT_LOOP_GUARD) != 0;
}

static void
call_mtu(struct run *r, struct net *net)
{
	static const uint32_t mtus[] = {1500,  68, 100,   576, 9000,
					65535, 67, 65536, 0};
	uint64_t id = some_port(r, net);
	struct port *port = find_port(net, id);
	uint32_t mtu = TAPE_ONE_OF(r->t, mtus);
	int result = say_result(r, vnet_port_set_mtu(net->sw, id, mtu));

	expect_refusal(net, result, port != NULL);
	if (result == 0 && port && mtu > port->mtu)
		port->mtu = mtu;
}

/* A program, good or bad: its instructions. */
static size_t
make_program(struct run *r, struct vnet_bpf_insn insns[8])
{
	static const uint16_t codes[] = {
		0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01,
		0x61, 0x81, 0xb1, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24,
		0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74,
		0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac, 0x05, 0x15, 0x1d, 0x25,
		0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16, 0x07, 0x87, 0xffff,
	};
	static const struct vnet_bpf_insn field[4] = {
		{.code = 0x30},                   /* ldb [k] */
		{.code = 0x15, .jt = 0, .jf = 1}, /* jeq k */
		{.code = 0x06, .k = 1},           /* ret 1 */
		{.code = 0x06},                   /* ret 0 */
	};
	size_t n;

	switch (arg(r, 4)) {
	case 0:
		insns[0] = field[3 - arg(r, 2)];
		return 1;
	case 1:
		memcpy(insns, field, sizeof(field));
		insns[0].k = arg(r, 40);
		insns[1].k = arg(r, 16);
		return 4;
	case 2:
		memcpy(insns, field, sizeof(field));
		insns[0].code = 0x80; /* ld len */
		insns[1].code = 0x25; /* jgt k */
		insns[1].k = arg(r, 0x800);
		return 4;
	}
	n = arg(r, 8);
	for (size_t i = 0; i < n; i++)
		insns[i] = (struct vnet_bpf_insn){
			.code = TAPE_ONE_OF(r->t, codes),
			.jt = (uint8_t)arg(r, 4),
			.jf = (uint8_t)arg(r, 4),
			.k = tape_seldom(r->t, 8) ? arg(r, 0) : arg(r, 20),
		};
	if (n && !tape_seldom(r->t, 8))
		insns[n - 1] = (struct vnet_bpf_insn){.code = 0x16};
	return n;
}

static void
rule_name(struct run *r, char name[VNET_RULE_NAME_SIZE + 1])
{
	uint32_t k = arg(r, 34);

	memset(name, 0, VNET_RULE_NAME_SIZE + 1);
	if (k < 32)
		name[0] = (char)('a' + k % 8);
	else if (k == 33)
		memset(name, 'y', 31 + arg(r, 2));
}

/* A port or a client, and mostly a side that it has. */
static uint64_t
some_owner(struct run *r, const struct net *net, enum vnet_side *side)
{
	bool is_client = arg(r, 2);

	*side = (enum vnet_side)(arg(r, 2) +
				 (is_client ? VNET_RECEIVE_IN : VNET_INGRESS));
	if (tape_seldom(r->t, 32))
		*side = (enum vnet_side)arg(r, VNET_NSIDES + 2);
	return is_client ? some_client(r, net) : some_port(r, net);
}

static enum vnet_verdict
some_verdict(struct run *r)
{
	if (tape_seldom(r->t, 32))
		return (enum vnet_verdict)(2 + arg(r, 2));
	return arg(r, 2) ? VNET_DROP : VNET_PASS;
}

/* A rule, good or bad; free_rule() it. *@sizes if its size is wrong. */
static struct vnet_rule
make_rule(struct run *r, bool *sizes)
{
	char name[VNET_RULE_NAME_SIZE + 1];
	struct vnet_bpf_insn insns[8];
	struct vnet_rule rule = {.size = sizeof(rule)};

	*sizes = tape_seldom(r->t, 32);
	if (*sizes)
		rule.size += 1 + arg(r, 2);
	rule_name(r, name);
	rule.priority = arg(r, 4) ? arg(r, 4) : arg(r, 0);
	rule.verdict = some_verdict(r);
	rule.ninsns = make_program(r, insns);
	rule.name = frames_copy(name, strlen(name) + 1);
	rule.insns = frames_copy(insns, rule.ninsns * sizeof(*insns));
	return rule;
}

static void
free_rule(const struct vnet_rule *rule)
{
	free((void *)(uintptr_t)rule->insns);
	free((void *)(uintptr_t)rule->name);
}

static bool
is_program(const struct vnet_rule *rule)
{
	return vnet_bpf_check(rule->insns, rule->ninsns, 0, NULL) == 0;
}

static void
call_filter_add(struct run *r, struct net *net)
{
	enum vnet_side side;
	uint64_t id = some_owner(r, net, &side);
	struct vnet_why why = {.text = NULL};
	bool sizes;
	struct vnet_rule rule = make_rule(r, &sizes);
	int result = vnet_filter_add(net->sw, id, side, &rule, &why);

	say_result(r, result);
	say_why(r, result, &why, sizes);
	if (result == 0) {
		TAPE_EXPECT(r->t, is_program(&rule));
		TAPE_EXPECT(r->t, has_owner(net, id) && !net->entered);
	} else {
		TAPE_EXPECT(r->t, result != -ENOMEM || net->is_flaky);
		expect_refusal(net, result, has_owner(net, id));
	}
	free_rule(&rule);
}

static void
call_filter_set(struct run *r, struct net *net)
{
	enum vnet_side side;
	uint64_t id = some_owner(r, net, &side);
	enum vnet_verdict verdict = some_verdict(r);
	struct vnet_why why = {.text = NULL};
	struct vnet_rule rules[4];
	uint32_t n = arg(r, LENGTH(rules) + 1);
	bool is_good = true, sizes = false;
	int result;

	for (uint32_t i = 0; i < n; i++) {
		bool is_other_size;

		rules[i] = make_rule(r, &is_other_size);
		sizes |= is_other_size;
		is_good &= is_program(&rules[i]);
	}
	result = vnet_filter_set(net->sw, id, side, rules, n, verdict, &why);
	say_result(r, result);
	say_why(r, result, &why, sizes);
	if (result == 0)
		TAPE_EXPECT(r->t,
			    is_good && has_owner(net, id) && !net->entered);
	else
		TAPE_EXPECT(r->t, result != -ENOMEM || net->is_flaky);
	expect_refusal(net, result, has_owner(net, id));
	while (n--)
		free_rule(&rules[n]);
}

static void
call_filter_remove(struct run *r, struct net *net)
{
	enum vnet_side side;
	uint64_t id = some_owner(r, net, &side);
	char name[VNET_RULE_NAME_SIZE + 1];
	int result;

	rule_name(r, name);
	result = say_result(r, vnet_filter_remove(net->sw, id, side, name));
	expect_refusal(net, result, has_owner(net, id));
}

static void
call_filter_default(struct run *r, struct net *net)
{
	enum vnet_side side;
	uint64_t id = some_owner(r, net, &side);
	enum vnet_verdict verdict = arg(r, 4) ? VNET_PASS : some_verdict(r);
	int result = say_result(r, vnet_filter_set_default(net->sw, id, side,
							   verdict));

	expect_refusal(net, result, has_owner(net, id));
}

static void
say_chain(struct run *r, struct net *net, uint64_t id, enum vnet_side side)
{
	struct vnet_rule_info info = {.size = sizeof(info)};
	enum vnet_verdict verdict = VNET_PASS;
	uint64_t hits = 0;
	size_t i = 0;

	while (say_result(r, vnet_filter_get(net->sw, id, side, i++, &info)) ==
	       0) {
		say_text(r, "rule", info.name);
		say(r, "priority", info.priority);
		say(r, "verdict", (uint64_t)info.verdict);
		say(r, "ninsns", info.ninsns);
		say(r, "hits", info.hits);
	}
	say_result(r,
		   vnet_filter_get_default(net->sw, id, side, &verdict, &hits));
	say(r, "default", (uint64_t)verdict);
	say(r, "hits", hits);
}

static void
call_filter_get(struct run *r, struct net *net)
{
	enum vnet_side side;
	uint64_t id = some_owner(r, net, &side);

	say_chain(r, net, id, side);
}

/*
 * Limits
 */

/* Either side of a port or a client, and seldom one that limits do not have. */
static uint64_t
some_limited(struct run *r, const struct net *net, enum vnet_side *side)
{
	*side = arg(r, 2) ? VNET_EGRESS : VNET_INGRESS;
	if (tape_seldom(r->t, 32))
		*side = (enum vnet_side)arg(r, VNET_NSIDES + 2);
	return arg(r, 2) ? some_client(r, net) : some_port(r, net);
}

static enum vnet_traffic
some_traffic(struct run *r)
{
	return (enum vnet_traffic)(tape_seldom(r->t, 32)
					   ? VNET_NTRAFFIC + arg(r, 2)
					   : arg(r, VNET_NTRAFFIC));
}

static void
call_limit_set(struct run *r, struct net *net)
{
	static const uint64_t frames[] = {
		0,
		1,
		10,
		1000,
		1000,
		1000000,
		VNET_LIMIT_RATE_MAX,
		VNET_LIMIT_RATE_MAX + 1,
	};
	static const uint64_t octets[] = {
		0, 0, 0, 100, 10000, 1000000, VNET_LIMIT_RATE_MAX, UINT64_MAX,
	};
	static const uint64_t bursts[] = {
		0,
		0,
		1,
		2,
		10,
		5000,
		VNET_LIMIT_BURST_MAX,
		VNET_LIMIT_BURST_MAX + 1,
	};
	enum vnet_side side;
	uint64_t id = some_limited(r, net, &side);
	enum vnet_traffic traffic = some_traffic(r);
	struct vnet_limit limit = {.size = sizeof(limit)};
	struct vnet_why why = {.text = NULL};
	bool is_none = !arg(r, 3), sizes = tape_seldom(r->t, 32);
	int result;

	if (sizes)
		limit.size += 1 + arg(r, 2);
	limit.frames_per_s = TAPE_ONE_OF(r->t, frames);
	limit.octets_per_s = TAPE_ONE_OF(r->t, octets);
	limit.burst_frames = TAPE_ONE_OF(r->t, bursts);
	limit.burst_octets = TAPE_ONE_OF(r->t, bursts);
	result = vnet_limit_set(net->sw, id, side, traffic,
				is_none ? NULL : &limit, &why);
	say_result(r, result);
	say_why(r, result, &why, sizes);
	TAPE_EXPECT(r->t, result != -ENOMEM || net->is_flaky);
	TAPE_EXPECT(r->t, result || (has_owner(net, id) && !net->entered));
	expect_refusal(net, result, has_owner(net, id));
}

static void
say_limit(struct run *r, struct net *net, uint64_t id, enum vnet_side side,
	  enum vnet_traffic traffic)
{
	struct vnet_limit limit = {.size = sizeof(limit)};
	struct vnet_count dropped;
	int result =
		vnet_limit_get(net->sw, id, side, traffic, &limit, &dropped);

	if (say_result(r, result))
		return;
	say(r, "frames_per_s", limit.frames_per_s);
	say(r, "octets_per_s", limit.octets_per_s);
	say(r, "burst_frames", limit.burst_frames);
	say(r, "burst_octets", limit.burst_octets);
	say_count(r, "dropped", dropped);
	TAPE_EXPECT(r->t, has_owner(net, id));
}

static void
call_limit_get(struct run *r, struct net *net)
{
	enum vnet_side side;
	uint64_t id = some_limited(r, net, &side);

	say_limit(r, net, id, side, some_traffic(r));
}

/* All that is set of a port, or of a client. */
static void
say_owner(struct run *r, struct net *net, uint64_t id, enum vnet_side first)
{
	say_chain(r, net, id, first);
	say_chain(r, net, id, (enum vnet_side)(first + 1));
	for (int i = 0; i < 2 * VNET_NTRAFFIC; i++)
		say_limit(r, net, id, i % 2 ? VNET_EGRESS : VNET_INGRESS,
			  (enum vnet_traffic)(i / 2));
}

/*
 * Grants
 */

static uint64_t
some_grant(struct run *r, const struct net *net)
{
	uint32_t n = 0, k;

	for (uint32_t i = 0; i < MAX_GRANTS; i++)
		n += net->grant[i].id != VNET_NO_ID;
	k = arg(r, 8 * n + 1);
	if (!n || k == 8 * n)
		return stale_id(r, net);
	k %= n;
	for (uint32_t i = 0;; i++)
		if (net->grant[i].id && !k--)
			return net->grant[i].id;
}

/* Where the lists of a grant are, and its name. */
struct lists {
	char name[4];
	struct vnet_mac_prefix macs[4];
	struct vnet_mac_prefix groups[2];
	struct vnet_ipv4_prefix ipv4[2];
	struct vnet_ipv6_prefix ipv6[2];
	struct vnet_vlan_range vlans[2];
	uint16_t types[2];
};

/* Addresses of hosts, one by one or many at once. */
static size_t
draw_macs(struct run *r, struct vnet_mac_prefix macs[4])
{
	static const uint8_t bits[] = {48, 48, 48, 46, 44, 40, 0};
	size_t n = 1 + arg(r, 3);

	for (size_t i = 0; i < n; i++) {
		uint32_t host = arg(r, 16);
		uint8_t b = TAPE_ONE_OF(r->t, bits);

		macs[i].bits = b;
		if (b < 48)
			host &= 0xffu << (b < 40 ? 8 : 48 - b);
		if (b)
			frames_put_mac(macs[i].mac.octet, host);
	}
	return n;
}

/* What of it is wrong, seldom. */
static void
spoil_grant(struct run *r, struct vnet_grant *g, struct lists *l)
{
	switch (arg(r, 8)) {
	case 0:
		g->size += 1 + arg(r, 2);
		break;
	case 1:
		l->macs[0].bits = 49;
		break;
	case 2:
		l->macs[0].mac.octet[0] |= 1;
		break;
	case 3:
		g->nmacs = 0;
		break;
	case 4:
		g->may |= 128u << arg(r, 8);
		break;
	case 5:
		l->vlans[0].last = 4095;
		g->nvlans = 1;
		break;
	case 6:
		g->depth = 8;
		break;
	case 7:
		l->types[0] = 0x800;
		g->nethertypes = 1;
		break;
	}
}

/* A grant, good or bad, that mostly lets something pass. */
static struct vnet_grant
make_grant(struct run *r, struct lists *l, bool *sizes)
{
	static const uint32_t addresses[] = {0, 0, 1, 2, 5, 100};
	static const uint32_t clients[] = {0, 1, 2, 4, 50};
	static const uint32_t queues[] = {0, 0, 0, 2048, 16384, 65536, 2047};
	static const uint64_t rates[] = {0, 0, 0, 1, 100, 100000};
	static const uint16_t types[] = {0x88b5, 0x0600, 0x9000, 0xffff};
	struct vnet_grant g = {.size = sizeof(g), .name = l->name};

	*l = (struct lists){.name = {(char)('a' + arg(r, 8))}};
	g.macs = l->macs;
	g.nmacs = draw_macs(r, l->macs);
	g.groups = l->groups;
	g.ngroups = arg(r, 2);
	l->groups[0] = (struct vnet_mac_prefix){{{0x33, 0x33}}, 16};
	g.ipv4 = l->ipv4;
	g.nipv4 = arg(r, 4) != 0;
	g.ipv6 = l->ipv6;
	g.nipv6 = arg(r, 4) != 0;
	g.vlans = l->vlans;
	g.nvlans = arg(r, 3) != 0;
	l->vlans[0].last = (uint16_t)(arg(r, 2) ? 4094 : arg(r, 4));
	g.ethertypes = l->types;
	g.nethertypes = arg(r, 3);
	for (size_t i = 0; i < g.nethertypes; i++)
		l->types[i] = TAPE_ONE_OF(r->t, types);
	g.may = arg(r, 2) ? 127 : arg(r, 128);
	g.max_addresses = TAPE_ONE_OF(r->t, addresses);
	g.max_clients = TAPE_ONE_OF(r->t, clients);
	g.queue_octets = TAPE_ONE_OF(r->t, queues);
	g.depth = arg(r, 4);
	if (!arg(r, 4))
		g.until = r->now + arg(r, 64) * VNET_NSEC_PER_SEC / 16;
	g.rate.frames_per_s = TAPE_ONE_OF(r->t, rates);
	g.rate.octets_per_s = TAPE_ONE_OF(r->t, rates);
	if (g.rate.frames_per_s || g.rate.octets_per_s)
		g.rate.size = sizeof(g.rate);
	*sizes = false;
	if (tape_seldom(r->t, 16)) {
		spoil_grant(r, &g, l);
		*sizes = g.size != sizeof(g);
	}
	return g;
}

/* What was said of a grant that was refused, or not. */
static void
expect_granted(struct run *r, struct net *net, int result,
	       const struct vnet_grant *g, enum vnet_grant_part part,
	       bool is_there)
{
	TAPE_EXPECT(r->t, (result == -EINVAL) ==
				  (vnet_grant_check(g, NULL, NULL) != 0));
	if (result == -EINVAL || result == -EPERM)
		say(r, "part", part);
	TAPE_EXPECT(r->t, result != -EPERM || part > VNET_GRANT_PASS);
	TAPE_EXPECT(r->t, result != -ENOMEM || net->is_flaky);
	TAPE_EXPECT(r->t, result || !net->entered);
	if (result != -EPERM)
		expect_refusal(net, result, is_there);
}

static void
call_grant_add(struct run *r, struct net *net)
{
	uint64_t parent = arg(r, 2) ? some_grant(r, net) : VNET_NO_ID;
	enum vnet_grant_part part = VNET_GRANT_PASS;
	struct vnet_why why = {.text = NULL};
	uint64_t id = VNET_NO_ID;
	struct lists lists;
	bool sizes;
	struct vnet_grant g = make_grant(r, &lists, &sizes);
	int result = vnet_grant_add(net->sw, parent, &g, &id, &part, &why);

	say_result(r, result);
	say_why(r, result, &why, sizes);
	expect_granted(r, net, result, &g, part,
		       !parent || find_grant(net, parent));
	if (result)
		return;
	say(r, "id", id);
	TAPE_EXPECT(r->t,
		    (uint32_t)id < MAX_GRANTS && !net->grant[(uint32_t)id].id);
	if ((uint32_t)id < MAX_GRANTS)
		net->grant[(uint32_t)id] = (struct grant){
			.id = id,
			.parent = parent,
			.until = g.until,
			.max_clients = g.max_clients ? g.max_clients : 1,
		};
	TAPE_EXPECT(r->t, vnet_grant_find(net->sw, g.name) == id);
}

static void
call_grant_set(struct run *r, struct net *net)
{
	uint64_t id = some_grant(r, net);
	enum vnet_grant_part part = VNET_GRANT_PASS;
	struct grant *is = find_grant(net, id);
	struct vnet_why why = {.text = NULL};
	struct lists lists;
	bool sizes;
	struct vnet_grant g = make_grant(r, &lists, &sizes);
	int result = vnet_grant_set(net->sw, id, &g, &part, &why);

	say_result(r, result);
	say_why(r, result, &why, sizes);
	expect_granted(r, net, result, &g, part, is != NULL);
	if (result || !is)
		return;
	is->until = g.until;
	is->max_clients = g.max_clients ? g.max_clients : 1;
}

static void
call_grant_revoke(struct run *r, struct net *net)
{
	uint64_t id = some_grant(r, net);
	struct grant *g = find_grant(net, id);
	int result = say_result(r, vnet_grant_revoke(net->sw, id));

	expect_refusal(net, result, g != NULL);
	TAPE_EXPECT(r->t, !g || net->entered || !result);
	if (!result && g)
		end_grant(net, g);
}

static void
call_client_set_grant(struct run *r, struct net *net)
{
	uint64_t id = some_client(r, net);
	uint64_t grant = arg(r, 6) ? some_grant(r, net) : VNET_NO_ID;
	struct driver *d = find_driver(net, id);
	int result = vnet_client_set_grant(net->sw, id, grant, NULL);

	say_result(r, result);
	if (result) {
		if (result != -EUSERS)
			expect_refusal(net, result,
				       d && (!grant || find_grant(net, grant)));
		return;
	}
	TAPE_EXPECT(r->t, d && !net->entered);
	TAPE_EXPECT(r->t, !grant || find_grant(net, grant));
	if (!d)
		return;
	d->grant = grant;
	if (grant)
		d->is_revoked = false;
}

static void
say_grants(struct run *r, struct net *net)
{
	struct vnet_grant_info info = {.size = sizeof(info)};
	uint64_t id = VNET_NO_ID;
	struct vnet_count n;

	while ((id = vnet_grant_next(net->sw, id)) != VNET_NO_ID) {
		const struct grant *g = find_grant(net, id);
		uint32_t nclients = 0;

		TAPE_EXPECT(r->t, g && !vnet_grant_get(net->sw, id, &info));
		if (!g)
			return;
		for (uint32_t i = 0; i < net->max_clients; i++)
			nclients +=
				net->driver[i] && net->driver[i]->grant == id;
		TAPE_EXPECT(r->t, info.parent == g->parent);
		TAPE_EXPECT(r->t, info.nclients == nclients);
		TAPE_EXPECT(r->t, info.grant.max_clients == g->max_clients);
		TAPE_EXPECT(r->t, info.grant.until == g->until);
		TAPE_EXPECT(r->t, info.naddresses + info.given_addresses <=
					  info.grant.max_addresses);
		say(r, "grant", id);
		say_text(r, "name", info.grant.name);
		say(r, "naddresses", info.naddresses);
		say(r, "given_addresses", info.given_addresses);
		say(r, "given_clients", info.given_clients);
		for (int i = 0; i < 2 * VNET_GRANT_NPARTS; i++) {
			say_result(r,
				   vnet_grant_refused(
					   net->sw, id, (enum vnet_side)(i % 2),
					   (enum vnet_grant_part)(i / 2), &n));
			say_count(r, "refused", n);
		}
		if (r->t->has_failed)
			return;
	}
}

static void
call_grants(struct run *r, struct net *net)
{
	say_grants(r, net);
}

/*
 * Addresses
 */

static struct vnet_mac
some_mac(struct run *r)
{
	struct vnet_mac mac;

	frames_put_mac(mac.octet, arg(r, 20));
	return mac;
}

static void
call_fdb_add(struct run *r, struct net *net)
{
	uint64_t id = some_client(r, net);
	struct vnet_client_info info = {.size = sizeof(info)};
	struct vnet_mac mac = some_mac(r);
	int result;

	if (!arg(r, 4) && !vnet_client_get(net->sw, id, &info))
		mac = info.mac;
	result = say_result(r, vnet_fdb_add(net->sw, mac, id));

	expect_refusal(net, result, find_driver(net, id) != NULL);
}

static void
call_fdb_remove(struct run *r, struct net *net)
{
	int result = say_result(r, vnet_fdb_remove(net->sw, some_mac(r)));

	expect_refusal(net, result, true);
}

static void
call_fdb_flush(struct run *r, struct net *net)
{
	uint64_t id = arg(r, 2) ? VNET_NO_ID : some_port(r, net);
	int result = say_result(r, vnet_fdb_flush(net->sw, id));

	expect_refusal(net, result,
		       id == VNET_NO_ID || find_port(net, id) != NULL);
}

static void
check_entry(struct run *r, struct net *net, const struct vnet_fdb_entry *e)
{
	const struct driver *d = find_driver(net, e->client);

	TAPE_EXPECT(r->t, d && d->port == e->port);
	TAPE_EXPECT(r->t, !d || e->is_static || is_up(d));
	TAPE_EXPECT(r->t, !e->is_static || !e->is_held);
	say_entry(r, e);
}

static void
call_fdb_lookup(struct run *r, struct net *net)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};

	if (say_result(r, vnet_fdb_lookup(net->sw, some_mac(r), &e)) == 0)
		check_entry(r, net, &e);
}

static void
say_fdb(struct run *r, struct net *net)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	uint64_t cursor = 0;
	uint32_t n = 0;
	int result;

	do {
		result = vnet_fdb_next(net->sw, &cursor, &e);
		say_result(r, result);
		if (result == 1)
			check_entry(r, net, &e);
		TAPE_EXPECT(r->t, ++n < 10000);
	} while ((result == 1 || result == -EAGAIN) && !r->t->has_failed);
	TAPE_EXPECT(r->t, result == 0);
}

static void
call_fdb_walk(struct run *r, struct net *net)
{
	say_fdb(r, net);
}

static void
say_events(struct run *r, struct net *net, uint32_t max)
{
	struct vnet_event e = {.size = sizeof(e)};

	while (max-- && say_result(r, vnet_switch_event(net->sw, &e)) == 1) {
		say_text(r, "event", vnet_event_name(e.type));
		say(r, "count", e.count);
		say(r, "time", e.time);
		say(r, "port", e.port);
		say(r, "client", e.client);
		tape_say_octets(r->t, "mac", e.mac.octet, 6);
		if (e.error)
			say_result(r, e.error);
		TAPE_EXPECT(r->t, (unsigned int)e.type < VNET_NEVENTS);
		if ((unsigned int)e.type < VNET_NEVENTS)
			r->sum.events[e.type] += e.count;
	}
}

static void
call_events(struct run *r, struct net *net)
{
	say_events(r, net, arg(r, 16));
}

static void
say_client(struct run *r, struct net *net, uint64_t id)
{
	struct vnet_client_stats stats = {.size = sizeof(stats)};
	struct vnet_count in, out;

	if (say_result(r, vnet_client_get_stats(net->sw, id, &stats)))
		return;
	say_stats(r, &stats);
	for (int i = 0; i < VNET_NDROPS; i++) {
		vnet_client_drops(net->sw, id, (enum vnet_drop)i, &in, &out);
		say_count(r, vnet_drop_name((enum vnet_drop)i), in);
		say_count(r, vnet_drop_name((enum vnet_drop)i), out);
	}
}

/* A frame that is then not sent. */
static void
call_explain(struct run *r, struct net *net)
{
	uint64_t id = some_client(r, net);
	const struct driver *d = find_driver(net, id);
	struct vnet_explained_dest dests[3];
	struct vnet_explained e = {
		.size = sizeof(e) - tape_seldom(r->t, 32),
		.dests = dests,
		.max_dests = arg(r, LENGTH(dests) + 1),
	};
	struct vnet_frame f = frames_make(r->t, d ? (uint32_t)d->port : 0);
	int result;

	say_frame(r, &f);
	pass_time(r);
	result =
		say_result(r, vnet_switch_explain(net->sw, id, &f, r->now, &e));
	if (!net->entered && d)
		advance(net);
	expect_refusal(net, result, d != NULL);
	if (!result)
		explained_say(r->t, &e);
	free((void *)(uintptr_t)f.data);
}

static void
call_client_stats(struct run *r, struct net *net)
{
	uint64_t id = some_client(r, net);
	int result = vnet_client_drops(net->sw, id,
				       (enum vnet_drop)arg(r, VNET_NDROPS + 2),
				       NULL, NULL);

	say_result(r, result);
	say_client(r, net, id);
}

static void
say_switch(struct run *r, struct net *net)
{
	struct vnet_switch_stats s = {.size = sizeof(s)};
	struct vnet_count in, out;

	vnet_switch_get_stats(net->sw, &s);
	say_stats(r, &s.total);
	say_count(r, "originated", s.originated);
	say_count(r, "unknown_source", s.unknown_source);
	say(r, "ports", s.ports);
	say(r, "clients", s.clients);
	say(r, "fdb_entries", s.fdb_entries);
	say(r, "fdb_evictions", s.fdb_evictions);
	say(r, "fdb_unlearned", s.fdb_unlearned);
	say(r, "pool_used", s.pool_used);
	say(r, "pool_octets", s.pool_octets);
	say(r, "clock_steps_back", s.clock_steps_back);
	say(r, "events_lost", s.events_lost);
	for (int i = 0; i < VNET_NDROPS; i++) {
		vnet_switch_drops(net->sw, (enum vnet_drop)i, &in, &out);
		say_count(r, vnet_drop_name((enum vnet_drop)i), in);
		say_count(r, vnet_drop_name((enum vnet_drop)i), out);
	}
	TAPE_EXPECT(r->t, s.ports == net->nports);
	TAPE_EXPECT(r->t, s.clients == net->nclients);
}

static void
call_switch_stats(struct run *r, struct net *net)
{
	say_switch(r, net);
}

/* All clients of a port, with what can be read of them. */
static void
say_clients(struct run *r, struct net *net, const struct port *port)
{
	struct vnet_client_info info = {.size = sizeof(info)};
	uint64_t id = VNET_NO_ID;
	uint32_t n = 0, next = 0;

	while ((id = vnet_client_next(net->sw, port->id, id)) != VNET_NO_ID) {
		const struct driver *d = find_driver(net, id);

		n++;
		TAPE_EXPECT(r->t, d && d->port == port->id);
		say_result(r, vnet_client_get(net->sw, id, &info));
		say(r, "id", info.id);
		say(r, "index", info.index);
		tape_say_octets(r->t, "mac", info.mac.octet, 6);
		say(r, "queue_octets", info.queue_octets);
		say(r, "weight", info.weight);
		say(r, "max_addresses", info.max_addresses);
		say(r, "accept", info.accept);
		TAPE_EXPECT(r->t, info.id == id && info.port == port->id);
		TAPE_EXPECT(r->t, info.index >= next);
		next = info.index + 1;
		TAPE_EXPECT(r->t,
			    d && vnet_client_grant(net->sw, id) == d->grant);
		if (!(port->flags & VNET_PORT_PER_CLIENT))
			TAPE_EXPECT(r->t, !memcmp(&info.mac, &port->mac, 6));
		if (r->t->has_failed)
			return;
	}
	TAPE_EXPECT(r->t, n == port->nclients);
}

/* The link of whose only client's grant has ended is down. */
static bool
has_link(const struct net *net, const struct port *port)
{
	for (uint32_t i = 0; port->nclients == 1 && i < net->max_clients; i++)
		if (net->driver[i] && net->driver[i]->port == port->id)
			return port->link && !net->driver[i]->is_revoked;
	return port->link;
}

/* All ports, with what can be read of them. */
static void
say_ports(struct run *r, struct net *net)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	uint64_t id = VNET_NO_ID;
	uint32_t n = 0;

	while ((id = vnet_port_next(net->sw, id)) != VNET_NO_ID) {
		const struct port *port = find_port(net, id);

		n++;
		say_result(r, vnet_port_get(net->sw, id, &info));
		say(r, "id", info.id);
		say(r, "client", info.client);
		say_text(r, "name", info.name);
		say(r, "role", (uint64_t)info.role);
		tape_say_octets(r->t, "mac", info.mac.octet, 6);
		say(r, "mtu", info.mtu);
		say(r, "link", info.link);
		say(r, "flags", info.flags);
		TAPE_EXPECT(r->t, port && info.id == id);
		if (!port)
			return;
		/* A loop may have closed it in the call that is under way. */
		TAPE_EXPECT(r->t, info.link == has_link(net, port) ||
					  (net->entered && port->link));
		TAPE_EXPECT(r->t, info.mtu <= port->mtu);
		TAPE_EXPECT(r->t, info.flags == port->flags);
		TAPE_EXPECT(r->t, info.clients == port->nclients);
		TAPE_EXPECT(r->t, info.client == vnet_client_next(net->sw, id,
								  VNET_NO_ID));
		TAPE_EXPECT(r->t, vnet_port_find(net->sw, info.name) == id);
		say_clients(r, net, port);
	}
	TAPE_EXPECT(r->t, n == net->nports);
}

static void
call_ports(struct run *r, struct net *net)
{
	say_ports(r, net);
}

/*
 * Switches
 */

static void
call_create(struct run *r, struct net *net)
{
	static const uint32_t max_ports[] = {4, 1, 2, 6, 8, 8, 12, 70};
	static const uint32_t max_clients[] = {0, 0, 0, 6, 12, 24, 100};
	static const uint32_t fdb[] = {64, 1, 2, 8, 16, 32};
	static const uint32_t ageing[] = {0, 1, 2, 5, 1000000};
	static const uint32_t pool[] = {64 * 2048, 64 * 2048, 65 * 2048 + 1,
					100 * 2048};
	static const uint32_t queue[] = {65536, 65536, 70000, 200000};
	static const uint32_t rules[] = {1, 3, 8, 16};
	static const uint32_t insns[] = {1, 16, 64, 4096, 4096, 4096};
	static const uint32_t grants[] = {1, 3, MAX_GRANTS, MAX_GRANTS};
	static const uint32_t program[] = {0, 0, 1, 4};
	static const uint32_t events[] = {1, 2, 5, 64};
	static const uint32_t flaps[] = {0, 2, 2, 2, 3};
	static const uint32_t probes[] = {0, 1, 1, 1, 3600};
	struct vnet_switch_config config = {.size = sizeof(config)};
	struct vnet_why why = {.text = NULL};
	bool sizes = false;
	int result;

	*net = (struct net){.run = r};
	net->alloc = (struct vnet_alloc){.get = get, .put = put, .ctx = net};
	net->is_flaky = tape_seldom(r->t, 6);
	config.alloc = &net->alloc;
	config.seed = (uint64_t)arg(r, 0) << 32 | arg(r, 0);
	config.max_ports = TAPE_ONE_OF(r->t, max_ports);
	config.max_clients = TAPE_ONE_OF(r->t, max_clients);
	config.fdb_entries = TAPE_ONE_OF(r->t, fdb);
	config.ageing_s = TAPE_ONE_OF(r->t, ageing);
	config.pool_octets = TAPE_ONE_OF(r->t, pool);
	config.queue_octets = TAPE_ONE_OF(r->t, queue);
	config.max_rules = TAPE_ONE_OF(r->t, rules);
	config.max_insns = TAPE_ONE_OF(r->t, insns);
	config.max_program = TAPE_ONE_OF(r->t, program);
	config.max_grants = TAPE_ONE_OF(r->t, grants);
	config.max_events = TAPE_ONE_OF(r->t, events);
	config.flap_moves = TAPE_ONE_OF(r->t, flaps);
	config.loop_probe_s = TAPE_ONE_OF(r->t, probes);
	config.forward_reserved = (uint16_t)(arg(r, 2) ? 0 : 0xffff);
	config.uplink_transit = arg(r, 2);
	if (tape_seldom(r->t, 16)) {
		switch (arg(r, 11)) {
		case 0:
			config.size -= 1 + arg(r, 4);
			sizes = true;
			break;
		case 1:
			config.alloc = NULL;
			break;
		case 2:
			config.max_ports = 65537;
			break;
		case 3:
			config.fdb_entries = UINT32_MAX;
			break;
		case 4:
			config.pool_octets = (uint64_t)arg(r, 0) << 41 | 1;
			break;
		case 5:
			config.queue_octets = 65535;
			break;
		case 6:
			config.max_program = 65537;
			break;
		case 7:
			config.max_events = UINT32_MAX;
			break;
		case 8:
			config.max_clients = 65537;
			break;
		case 9:
			config.flap_moves = arg(r, 2) ? 1 : 256;
			break;
		case 10:
			config.loop_probe_s = 3601;
			break;
		}
	}
	net->max_ports = config.max_ports;
	net->max_clients =
		config.max_clients ? config.max_clients : config.max_ports;
	net->memory = vnet_switch_memory(&config);
	result = vnet_switch_create(&net->sw, &config, &why);
	say_result(r, result);
	say_why(r, result, &why, sizes);
	if (result) {
		TAPE_EXPECT(r->t, result == -EINVAL ||
					  (result == -ENOMEM && net->is_flaky));
		TAPE_EXPECT(r->t, !net->sw && !net->npieces && !net->used);
		/* What has no memory is wrong; so is what has no allocator. */
		TAPE_EXPECT(r->t, net->memory
					  ? result != -EINVAL || !config.alloc
					  : result == -EINVAL);
		return;
	}
	TAPE_EXPECT(r->t, net->memory > 0 && net->used <= net->memory);
}

/* Ports to begin with. */
static void
populate(struct run *r, struct net *net)
{
	uint32_t n = arg(r, 10);

	for (uint32_t k = arg(r, 4); k--;) {
		tape_call(r->t, "grant_add");
		call_grant_add(r, net);
	}
	while (n-- && !r->t->has_failed) {
		tape_call(r->t, "port_add");
		call_port_add(r, net);
		for (uint32_t k = 1 + arg(r, 3); k--;) {
			tape_call(r->t, "client_add");
			call_client_add(r, net);
		}
	}
}

static void
sum_up(struct run *r, const struct net *net)
{
	struct vnet_switch_stats s = {.size = sizeof(s)};
	struct vnet_count in, out;

	vnet_switch_get_stats(net->sw, &s);
	r->sum.delivered += s.total.delivered.frames;
	r->sum.segments += s.total.segments.frames;
	for (int i = 0; i < VNET_NDROPS; i++) {
		vnet_switch_drops(net->sw, (enum vnet_drop)i, &in, &out);
		r->sum.drops[i] += in.frames + out.frames;
	}
}

static void
destroy(struct run *r, struct net *net)
{
	struct leaving leaving = {.n = 0};

	say_ports(r, net);
	say_grants(r, net);
	for (uint32_t i = 0; i < net->max_ports; i++) {
		const struct port *port = &net->port[i];

		if (port->id)
			say_owner(r, net, port->id, VNET_INGRESS);
	}
	for (uint32_t i = 0; i < net->max_clients; i++) {
		if (!net->driver[i])
			continue;
		say_owner(r, net, net->driver[i]->id, VNET_RECEIVE_IN);
		say_client(r, net, net->driver[i]->id);
	}
	sum_up(r, net);
	say_switch(r, net);
	say_fdb(r, net);
	say_events(r, net, UINT32_MAX);

	let_all_go(&leaving, net, VNET_NO_ID);
	r->is_ending = true;
	vnet_switch_destroy(net->sw);
	r->is_ending = false;
	gone(&leaving);
	TAPE_EXPECT(r->t, !net->used && !net->npieces);
	net->sw = NULL;
}

/*
 * One call after the other
 */

struct call {
	char name[24];
	uint8_t share; /* of all calls */
	void (*make)(struct run *r, struct net *net);
};

static const struct call calls[] = {
	{"switch_input", 40, call_input},
	{"client_output", 14, call_output},
	{"switch_tick", 8, call_tick},
	{"port_add", 7, call_port_add},
	{"client_add", 9, call_client_add},
	{"port_remove", 2, call_port_remove},
	{"client_remove", 2, call_client_remove},
	{"port_set_link", 8, call_link},
	{"client_set_link", 2, call_client_link},
	{"port_set_mtu", 2, call_mtu},
	{"port_set_flags", 3, call_flags},
	{"filter_add", 8, call_filter_add},
	{"filter_set", 2, call_filter_set},
	{"filter_remove", 3, call_filter_remove},
	{"filter_set_default", 2, call_filter_default},
	{"filter_get", 2, call_filter_get},
	{"limit_set", 6, call_limit_set},
	{"limit_get", 1, call_limit_get},
	{"fdb_add", 3, call_fdb_add},
	{"fdb_remove", 2, call_fdb_remove},
	{"fdb_flush", 2, call_fdb_flush},
	{"fdb_lookup", 2, call_fdb_lookup},
	{"fdb_next", 1, call_fdb_walk},
	{"switch_event", 4, call_events},
	{"switch_explain", 3, call_explain},
	{"client_get_stats", 3, call_client_stats},
	{"switch_get_stats", 1, call_switch_stats},
	{"port_next", 1, call_ports},
	{"client_change", 4, call_client_change},
	{"grant_add", 4, call_grant_add},
	{"grant_set", 3, call_grant_set},
	{"grant_revoke", 1, call_grant_revoke},
	{"client_set_grant", 5, call_client_set_grant},
	{"grant_next", 1, call_grants},
};

static void
call(struct run *r)
{
	struct net *net = &r->net[arg(r, 8) % 5 % NNETS];
	uint32_t total = 0, k;
	size_t i = 0;

	if (!net->sw) {
		tape_call(r->t, "switch_create");
		call_create(r, net);
		net->is_changed = true;
		if (net->sw)
			populate(r, net);
		return;
	}
	for (size_t j = 0; j < LENGTH(calls); j++)
		total += calls[j].share;
	k = arg(r, total + 1);
	/* Seldom, and never from inside a driver. */
	if (k == total) {
		if (!r->nesting && tape_seldom(r->t, 4)) {
			tape_call(r->t, "switch_destroy");
			destroy(r, net);
		}
		return;
	}
	while (k >= calls[i].share)
		k -= calls[i++].share;
	tape_call(r->t, calls[i].name);
	net->is_changed = true;
	calls[i].make(r, net);
}

/* An id that has gone is not found, whatever it is asked for. */
static void
check_gone(struct run *r, const struct net *net, uint64_t id)
{
	struct vnet_port_info port = {.size = sizeof(port)};
	struct vnet_client_info client = {.size = sizeof(client)};
	struct vnet_client_stats stats = {.size = sizeof(stats)};
	struct vnet_grant_info grant = {.size = sizeof(grant)};
	struct vnet_explained e = {.size = sizeof(e)};
	const struct vnet_frame none = {.len = 0};
	enum vnet_verdict verdict;

	TAPE_EXPECT(r->t, vnet_port_get(net->sw, id, &port) == -ENOENT);
	TAPE_EXPECT(r->t, vnet_client_get(net->sw, id, &client) == -ENOENT);
	TAPE_EXPECT(r->t, vnet_client_port(net->sw, id) == VNET_NO_ID);
	TAPE_EXPECT(r->t, vnet_grant_get(net->sw, id, &grant) == -ENOENT);
	TAPE_EXPECT(r->t, vnet_client_grant(net->sw, id) == VNET_NO_ID);
	TAPE_EXPECT(r->t,
		    vnet_client_get_stats(net->sw, id, &stats) == -ENOENT);
	TAPE_EXPECT(r->t,
		    vnet_client_next(net->sw, id, VNET_NO_ID) == VNET_NO_ID);
	TAPE_EXPECT(r->t,
		    vnet_switch_explain(net->sw, id, &none, 0, &e) == -ENOENT);
	for (int i = 0; i < VNET_NSIDES; i++)
		TAPE_EXPECT(r->t, vnet_filter_get_default(
					  net->sw, id, (enum vnet_side)i,
					  &verdict, NULL) == -ENOENT);
	for (int i = 0; i < 2; i++)
		TAPE_EXPECT(r->t, vnet_limit_get(net->sw, id, (enum vnet_side)i,
						 VNET_TRAFFIC_ALL, NULL,
						 NULL) == -ENOENT);
}

/* What holds between any two calls. */
static void
check(struct run *r, struct net *net)
{
	struct vnet_why why = {.text = NULL};

	if (!net->sw || !net->is_changed || r->t->has_failed)
		return;
	net->is_changed = false;
	if (!vnet_switch_check(net->sw, &why))
		tape_fail(r->t, "%s at slot %zu: %" PRIu64 ", %" PRIu64,
			  why.text, why.index, why.found, why.bound);
	TAPE_EXPECT(r->t, net->used <= net->memory);
	say(r, "deadline", vnet_switch_deadline(net->sw));
	for (uint32_t i = 0; i < net->max_clients; i++) {
		const struct driver *d = net->driver[i];

		if (!d)
			continue;
		check_heard(r, d);
		TAPE_EXPECT(r->t, is_said_to_be_up(d) == is_up(d));
	}
	for (size_t i = 0; i < LENGTH(net->gone) && i < net->ngone; i++)
		if (!find_grant(net, net->gone[i]) &&
		    !has_owner(net, net->gone[i]))
			check_gone(r, net, net->gone[i]);
}

void
run_calls(struct tape *t, unsigned long ncalls, struct run_summary *sum)
{
	struct run *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->t = t;
	if (sum)
		r->sum = *sum;
	while (t->ncalls < ncalls && !tape_is_over(t)) {
		call(r);
		for (int i = 0; i < NNETS; i++)
			check(r, &r->net[i]);
	}
	for (int i = 0; i < NNETS; i++) {
		if (!r->net[i].sw)
			continue;
		tape_call(t, "switch_destroy");
		destroy(r, &r->net[i]);
	}
	TAPE_EXPECT(t, r->ndrivers == 0);
	tape_end(t);
	if (sum)
		*sum = r->sum;
	free(r);
}
