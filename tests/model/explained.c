/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/libvnet.h>

#include "explained.h"

/* The most clients of a switch. */
#define MAX_CLIENTS 128

/* What counts for one frame: an ingress chain, and for each destination an
 * egress chain and receive filters. */
#define MAX_COUNTS (2 + 3 * MAX_CLIENTS)

/* A client's counters. */
struct figures {
	vnet_client_id id;
	struct vnet_client_stats stats;
	struct vnet_count in[VNET_NDROPS];
	struct vnet_count out[VNET_NDROPS];
};

/* A rule, limit or part of a grant that is to count the frame, and what it had
 * counted before. */
struct counted {
	uint64_t owner;
	enum vnet_side side;
	enum vnet_traffic traffic; /* of a limit */
	bool is_limit;
	enum vnet_grant_part part;      /* of a grant: not PASS */
	char rule[VNET_RULE_NAME_SIZE]; /* empty: the default */
	uint64_t before;
	uint64_t more;
};

struct explained {
	struct tape *t;
	struct vnet_switch *sw;
	struct vnet_explained e;
	struct vnet_explained_dest dest[MAX_CLIENTS];
	struct figures figures[MAX_CLIENTS];
	uint32_t nclients;
	struct counted counted[MAX_COUNTS];
	uint32_t ncounted;
	struct vnet_switch_stats all;
	struct vnet_count broken; /* dropped by drivers that are */
	struct vnet_fdb_entry src;
	bool has_src;
};

/*
 * Say
 */

static void
say_rule(struct tape *t, const char *what, const struct vnet_explained_rule *r)
{
	tape_say(t, what, r->was_asked);
	tape_say(t, what, (uint64_t)r->verdict);
	tape_say_octets(t, what, r->name, strlen(r->name));
}

static void
say_dest(struct tape *t, const struct vnet_explained_dest *d)
{
	tape_say(t, "dest", d->client);
	tape_say(t, "dest's port", d->port);
	tape_say(t, "dest's drop", (uint64_t)d->drop);
	tape_say(t, "reach", (uint64_t)d->reach);
	say_rule(t, "egress", &d->egress);
	say_rule(t, "receive", &d->receive);
	tape_say(t, "dest's limit", d->limit);
	tape_say(t, "dest's guard", d->guard);
	tape_say(t, "is_queued", d->is_queued);
}

void
explained_say(struct tape *t, const struct vnet_explained *e)
{
	tape_say(t, "from", e->client);
	tape_say(t, "from port", e->port);
	tape_say(t, "drop", (uint64_t)e->drop);
	tape_say_octets(t, "dst", e->dst.octet, 6);
	tape_say_octets(t, "src", e->src.octet, 6);
	tape_say(t, "segments", e->segments);
	say_rule(t, "ingress", &e->ingress);
	tape_say(t, "lookup", (uint64_t)e->lookup);
	tape_say(t, "lookup_client", e->lookup_client);
	tape_say(t, "lookup_age_s", e->lookup_age_s);
	tape_say(t, "lookup_is_static", e->lookup_is_static);
	tape_say(t, "traffic", (uint64_t)e->traffic);
	tape_say(t, "limit", e->limit);
	tape_say(t, "guard", e->guard);
	tape_say(t, "is_learned", e->is_learned);
	tape_say(t, "ndests", e->ndests);
	for (uint32_t i = 0; i < e->ndests && i < e->max_dests; i++)
		say_dest(t, &e->dests[i]);
}

/*
 * Ask
 */

static void
read_figures(struct vnet_switch *sw, struct figures *f)
{
	f->stats = (struct vnet_client_stats){.size = sizeof(f->stats)};
	vnet_client_get_stats(sw, f->id, &f->stats);
	for (int i = 0; i < VNET_NDROPS; i++)
		vnet_client_drops(sw, f->id, (enum vnet_drop)i, &f->in[i],
				  &f->out[i]);
}

static void
read_all_figures(struct explained *x)
{
	vnet_port_id port = VNET_NO_ID;

	while ((port = vnet_port_next(x->sw, port)) != VNET_NO_ID) {
		vnet_client_id id = VNET_NO_ID;

		while ((id = vnet_client_next(x->sw, port, id)) != VNET_NO_ID) {
			if (x->nclients == MAX_CLIENTS)
				abort();
			x->figures[x->nclients].id = id;
			read_figures(x->sw, &x->figures[x->nclients++]);
		}
	}
	x->all = (struct vnet_switch_stats){.size = sizeof(x->all)};
	vnet_switch_get_stats(x->sw, &x->all);
	vnet_switch_drops(x->sw, VNET_DROP_DRIVER_ERROR, NULL, &x->broken);
}

/* What a rule has decided, or a limit dropped. */
static uint64_t
read_count(const struct explained *x, const struct counted *c)
{
	struct vnet_rule_info info = {.size = sizeof(info)};
	struct vnet_count dropped = {0, 0};
	enum vnet_verdict verdict;
	uint64_t hits = 0;
	size_t i = 0;

	if (c->part != VNET_GRANT_PASS) {
		TAPE_EXPECT(x->t, !vnet_grant_refused(x->sw, c->owner, c->side,
						      c->part, &dropped));
		return dropped.frames;
	}
	if (c->is_limit) {
		TAPE_EXPECT(x->t, !vnet_limit_get(x->sw, c->owner, c->side,
						  c->traffic, NULL, &dropped));
		return dropped.frames;
	}
	if (!c->rule[0]) {
		TAPE_EXPECT(x->t,
			    !vnet_filter_get_default(x->sw, c->owner, c->side,
						     &verdict, &hits));
		return hits;
	}
	while (!vnet_filter_get(x->sw, c->owner, c->side, i++, &info))
		if (!strcmp(info.name, c->rule))
			return info.hits;
	TAPE_EXPECT(x->t, !"a rule that is not there");
	return 0;
}

/* That is to count the frame: once, however often it is named. */
static void
expect_count(struct explained *x, struct counted c)
{
	for (uint32_t i = 0; i < x->ncounted; i++) {
		const struct counted *o = &x->counted[i];

		if (o->owner != c.owner || o->side != c.side ||
		    o->is_limit != c.is_limit || o->part != c.part)
			continue;
		if (c.part != VNET_GRANT_PASS) {
			x->counted[i].more++;
			return;
		}
		TAPE_EXPECT(x->t, !strcmp(o->rule, c.rule));
		TAPE_EXPECT(x->t, o->traffic == c.traffic);
		return;
	}
	if (x->ncounted == MAX_COUNTS)
		abort();
	c.before = read_count(x, &c);
	x->counted[x->ncounted++] = c;
}

static void
expect_hit(struct explained *x, uint64_t owner, enum vnet_side side,
	   const struct vnet_explained_rule *rule)
{
	struct counted c = {
		.owner = owner,
		.side = side,
		.part = VNET_GRANT_PASS,
		.more = 1,
	};

	if (!rule->was_asked)
		return;
	memcpy(c.rule, rule->name, sizeof(c.rule));
	expect_count(x, c);
}

static void
expect_limited(struct explained *x, uint64_t owner, enum vnet_side side,
	       enum vnet_drop drop)
{
	struct counted c = {
		.owner = owner,
		.side = side,
		.is_limit = true,
		.part = VNET_GRANT_PASS,
		.more = x->e.segments,
	};
	struct vnet_grant_info info = {.size = sizeof(info)};

	if (drop != VNET_DROP_POLICED && drop != VNET_DROP_STORM) {
		TAPE_EXPECT(x->t, owner == VNET_NO_ID);
		return;
	}
	TAPE_EXPECT(x->t, drop == VNET_DROP_POLICED ||
				  x->e.traffic != VNET_TRAFFIC_ALL);
	if (drop == VNET_DROP_STORM)
		c.traffic = x->e.traffic;
	/* It may be a grant's, which has this one. */
	if (!vnet_grant_get(x->sw, owner, &info)) {
		TAPE_EXPECT(x->t, drop == VNET_DROP_POLICED);
		c.is_limit = false;
		c.part = VNET_GRANT_RATE;
	}
	expect_count(x, c);
}

/* What a guard keeps back, the grant of its client counts. */
static void
expect_refused(struct explained *x, vnet_client_id client, enum vnet_side side,
	       enum vnet_drop drop, enum vnet_grant_part part)
{
	bool is_refused =
		drop == VNET_DROP_NOT_GRANTED || drop == VNET_DROP_UNDECIDED;
	struct counted c = {
		.owner = vnet_client_grant(x->sw, client),
		.side = side,
		.part = part,
		.more = 1,
	};

	TAPE_EXPECT(x->t, is_refused == (part != VNET_GRANT_PASS));
	TAPE_EXPECT(x->t, (drop == VNET_DROP_UNDECIDED) ==
				  (part == VNET_GRANT_UNDECIDED));
	if (is_refused)
		expect_count(x, c);
}

/* What was said of the destination is what the FDB says. */
static void
check_lookup(struct explained *x)
{
	const struct vnet_explained *e = &x->e;
	struct vnet_fdb_entry entry = {.size = sizeof(entry)};
	bool is_there = !vnet_fdb_lookup(x->sw, e->dst, &entry);

	switch (e->lookup) {
	case VNET_LOOKUP_NONE:
		TAPE_EXPECT(x->t, e->drop != VNET_DROP_NONE && !e->segments);
		break;
	case VNET_LOOKUP_GROUP:
		TAPE_EXPECT(x->t, e->dst.octet[0] & 1);
		break;
	case VNET_LOOKUP_KNOWN:
		TAPE_EXPECT(x->t, is_there && entry.client == e->lookup_client);
		TAPE_EXPECT(x->t, entry.age_s == e->lookup_age_s);
		TAPE_EXPECT(x->t, entry.is_static == e->lookup_is_static);
		break;
	default:
		TAPE_EXPECT(x->t, !is_there && !(e->dst.octet[0] & 1));
		break;
	}
	TAPE_EXPECT(x->t, (e->traffic == VNET_TRAFFIC_UNKNOWN) ==
				  (e->lookup == VNET_LOOKUP_UNKNOWN));
}

struct explained *
explained_ask(struct tape *t, struct vnet_switch *sw, vnet_client_id from,
	      const struct vnet_frame *f, vnet_nsec now)
{
	struct explained *x = calloc(1, sizeof(*x));
	struct vnet_explained *e;

	if (!x)
		abort();
	x->t = t;
	x->sw = sw;
	e = &x->e;
	*e = (struct vnet_explained){
		.size = sizeof(*e),
		.dests = x->dest,
		.max_dests = MAX_CLIENTS,
	};
	read_all_figures(x);
	TAPE_EXPECT(t, vnet_switch_explain(sw, from, f, now, e) == 0);
	explained_say(t, e);
	TAPE_EXPECT(t, e->client == from && e->ndests <= MAX_CLIENTS);
	TAPE_EXPECT(t, (e->drop == VNET_DROP_NONE) == (e->ndests > 0));
	check_lookup(x);
	x->src.size = sizeof(x->src);
	x->has_src = !vnet_fdb_lookup(sw, e->src, &x->src);
	expect_hit(x, e->port, VNET_INGRESS, &e->ingress);
	expect_limited(x, e->limit, VNET_INGRESS, e->drop);
	expect_refused(x, from, VNET_INGRESS, e->drop, e->guard);
	for (uint32_t i = 0; i < e->ndests && !t->has_failed; i++) {
		const struct vnet_explained_dest *d = &x->dest[i];

		expect_hit(x, d->port, VNET_EGRESS, &d->egress);
		expect_hit(x, d->client,
			   d->reach == VNET_REACH_OUT ? VNET_RECEIVE_OUT
						      : VNET_RECEIVE_IN,
			   &d->receive);
		expect_limited(x, d->limit, VNET_EGRESS, d->drop);
		expect_refused(x, d->client, VNET_EGRESS, d->drop, d->guard);
	}
	return x;
}

/*
 * Check
 */

static uint64_t
more(struct vnet_count after, struct vnet_count before)
{
	return after.frames - before.frames;
}

/* What @now says went in, more than @was: the frame, of who has sent it. What a
 * driver has called from inside of its send was refused. */
static void
check_in(const struct explained *x, const struct figures *was,
	 const struct figures *now)
{
	const struct vnet_explained *e = &x->e;
	bool is_from = was->id == e->client;
	bool passes = is_from && e->drop == VNET_DROP_NONE;

	TAPE_EXPECT(x->t, more(now->stats.in, was->stats.in) ==
				  is_from + more(now->in[VNET_DROP_REENTRANT],
						 was->in[VNET_DROP_REENTRANT]));
	TAPE_EXPECT(x->t,
		    more(now->stats.looked_up, was->stats.looked_up) == passes);
	TAPE_EXPECT(x->t, more(now->stats.copies, was->stats.copies) ==
				  (passes ? e->ndests : 0));
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++) {
		bool drops = is_from && e->drop == (enum vnet_drop)i;

		if (i != VNET_DROP_REENTRANT)
			TAPE_EXPECT(x->t,
				    more(now->in[i], was->in[i]) == drops);
	}
}

/* Reasons that are decided before a driver is asked, and nowhere else. */
static bool
is_decided(enum vnet_drop drop)
{
	return drop == VNET_DROP_EGRESS_FILTER || drop == VNET_DROP_TOO_LONG ||
	       drop == VNET_DROP_RECEIVE_FILTER ||
	       drop == VNET_DROP_NOT_ADDRESSED || drop == VNET_DROP_POLICED ||
	       drop == VNET_DROP_STORM || drop == VNET_DROP_NOT_GRANTED ||
	       drop == VNET_DROP_UNDECIDED;
}

static const struct vnet_explained_dest *
find_dest(const struct explained *x, vnet_client_id id)
{
	const struct vnet_explained_dest *found = NULL;

	for (uint32_t i = 0; i < x->e.ndests; i++) {
		if (x->dest[i].client != id)
			continue;
		/* Once at the most. */
		TAPE_EXPECT(x->t, !found);
		found = &x->dest[i];
	}
	return found;
}

static void
check_out(const struct explained *x, const struct figures *was,
	  const struct figures *now)
{
	const struct vnet_explained_dest *d = find_dest(x, was->id);

	TAPE_EXPECT(x->t, more(now->stats.out, was->stats.out) == (d != NULL));
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++) {
		uint64_t n = more(now->out[i], was->out[i]);
		bool drops = d && d->drop == (enum vnet_drop)i;

		if (is_decided((enum vnet_drop)i))
			TAPE_EXPECT(x->t, n == drops);
		else
			TAPE_EXPECT(x->t, n >= drops);
	}
	if (!d)
		return;
	TAPE_EXPECT(x->t, d->port == vnet_client_port(x->sw, d->client));
	TAPE_EXPECT(x->t, d->is_queued == (was->stats.queued.frames > 0));
	/* Where it is one of those that are sent, it is behind what waits. */
	if (d->is_queued || d->drop)
		TAPE_EXPECT(x->t, now->stats.delivered.frames ==
					  was->stats.delivered.frames);
}

/* Was its source learned, and only where that was said? */
static void
check_learned(const struct explained *x)
{
	struct vnet_switch_stats all = {.size = sizeof(all)};
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	bool is_there = !vnet_fdb_lookup(x->sw, x->e.src, &e);
	bool is_unlearned, is_refused;
	struct vnet_count broken;

	vnet_switch_get_stats(x->sw, &all);
	vnet_switch_drops(x->sw, VNET_DROP_DRIVER_ERROR, NULL, &broken);
	/* A driver that breaks, or a loop, takes addresses with it. */
	if (broken.frames != x->broken.frames ||
	    x->e.drop == VNET_DROP_LOOP_PROBE)
		return;
	if (!x->e.is_learned) {
		TAPE_EXPECT(x->t, is_there == x->has_src);
		TAPE_EXPECT(x->t, !is_there || e.client == x->src.client);
		return;
	}
	is_unlearned = all.fdb_unlearned != x->all.fdb_unlearned;
	/* A sibling's own address may be known nowhere, and is refused. */
	is_refused = all.total.moves_refused != x->all.total.moves_refused;
	TAPE_EXPECT(x->t,
		    is_there ? !is_unlearned : is_unlearned || is_refused);
	if (is_there && e.port != x->e.port)
		TAPE_EXPECT(x->t,
			    x->has_src && e.client == x->src.client &&
				    (e.is_static || e.is_held || is_refused));
}

void
explained_check(struct explained *x)
{
	if (!x)
		return;
	for (uint32_t i = 0; i < x->nclients && !x->t->has_failed; i++) {
		struct figures now = {.id = x->figures[i].id};

		read_figures(x->sw, &now);
		check_in(x, &x->figures[i], &now);
		check_out(x, &x->figures[i], &now);
	}
	for (uint32_t i = 0; i < x->ncounted && !x->t->has_failed; i++) {
		const struct counted *c = &x->counted[i];

		TAPE_EXPECT(x->t, read_count(x, c) == c->before + c->more);
	}
	check_learned(x);
	free(x);
}
