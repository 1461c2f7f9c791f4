/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of grants of a switch.
 *
 * Grants lie in one list, in the order in which they were made, so that each
 * comes behind the one that it hangs below: what is to reach all that hang below
 * one goes through the list once. What a grant says lies in one piece of memory
 * with its programs, which is made before anything is changed.
 */
#include <errno.h>
#include <string.h>

#include "guard.h"
#include "switch.h"
#include "why.h"

static struct vnet_grant_node *
find(const struct vnet_switch *sw, vnet_grant_id id)
{
	return vnet_slot_find(sw->grants, sw->config.max_grants, id);
}

static struct vnet_grant_node *
find_name(const struct vnet_switch *sw, const char *name)
{
	struct vnet_grant_node *g = sw->first_grant;

	while (g && !vnet_name_equals(g->body->grant.name, name))
		g = g->next;
	return g;
}

/*
 * Addresses in use
 */

/* Up to @most: who asks need not know how many more there are. */
static uint32_t
count_up_to(const struct vnet_switch *sw, const struct vnet_grant_node *g,
	    uint32_t most)
{
	const struct vnet_client *c = g->clients;
	uint32_t n = 0;

	for (; c && n < most; c = c->grant_next)
		n += vnet_fdb_count(&sw->fdb, c->slot, sw->now_s);
	return n;
}

static uint32_t
count_addresses(const struct vnet_switch *sw, const struct vnet_grant_node *g)
{
	return count_up_to(sw, g, UINT32_MAX);
}

/* What was learned later in that second does not age in it. */
void
vnet_grant_age(struct vnet_switch *sw, struct vnet_grant_node *g)
{
	for (const struct vnet_client *c = g->clients; c; c = c->grant_next)
		vnet_fdb_age(&sw->fdb, c->slot, sw->now_s);
	g->aged_s = sw->now_s;
}

bool
vnet_grant_has_address(const struct vnet_switch *sw,
		       const struct vnet_grant_node *g)
{
	uint32_t most = vnet_grant_most_addresses(g);

	if (g->nlearned < most)
		return true;
	return g->aged_s != sw->now_s && count_up_to(sw, g, most) < most;
}

bool
vnet_grant_names(const struct vnet_grant_node *g, uint64_t mac)
{
	for (uint32_t i = 0; i < g->body->nnames; i++)
		if (g->body->names[i].mac == mac)
			return true;
	return false;
}

/*
 * Addresses that are granted by themselves
 */

static struct vnet_grant_name **
names_at(const struct vnet_switch *sw, uint32_t home)
{
	return &sw->names[home % vnet_grants_nlists(sw->config.max_grants)];
}

bool
vnet_grants_name(const struct vnet_switch *sw, uint64_t mac, uint32_t home)
{
	const struct vnet_grant_name *n = *names_at(sw, home);

	while (n && n->mac != mac)
		n = n->next;
	return n != NULL;
}

static void
add_names(struct vnet_switch *sw, struct vnet_grant_body *b)
{
	for (uint32_t i = 0; i < b->nnames; i++) {
		struct vnet_grant_name *n = &b->names[i];
		struct vnet_grant_name **at =
			names_at(sw, vnet_fdb_home(&sw->fdb, n->mac));

		n->next = *at;
		*at = n;
	}
}

static void
remove_names(struct vnet_switch *sw, struct vnet_grant_body *b)
{
	for (uint32_t i = 0; i < b->nnames; i++) {
		struct vnet_grant_name *n = &b->names[i];
		struct vnet_grant_name **at =
			names_at(sw, vnet_fdb_home(&sw->fdb, n->mac));

		while (*at != n)
			at = &(*at)->next;
		*at = n->next;
	}
}

/* Whoever has one of them by a prefix has it no more. What is pinned, or of who
 * has no grant, is not touched. */
static void
forget_names(struct vnet_switch *sw, const struct vnet_grant_body *b)
{
	for (uint32_t i = 0; i < b->nnames; i++) {
		const uint64_t mac = b->names[i].mac;
		const struct vnet_client *c;
		uint32_t slot = vnet_fdb_learner(&sw->fdb, mac, sw->now_s);

		if (slot == VNET_FDB_NONE)
			continue;
		c = vnet_switch_client_at(sw, slot);
		if (c->grant && !vnet_grant_names(c->grant, mac))
			(void)vnet_fdb_forget(&sw->fdb, mac, sw->now_s);
	}
}

/* Where all addresses are granted by themselves, and may be used at the same
 * time, there is nothing to count. */
static void
update_counted(struct vnet_grant_node *g)
{
	const struct vnet_grant *grant = &g->body->grant;

	g->is_counted =
		g->body->has_prefixes ||
		grant->max_addresses - g->given_addresses < grant->nmacs;
}

/*
 * What a grant says
 */

/* Octets of lists and name at the most. */
#define MAX_LISTS                                                      \
	(VNET_GRANT_MAX_LIST *                                         \
		 (2 * sizeof(struct vnet_mac_prefix) +                 \
		  sizeof(struct vnet_ipv4_prefix) +                    \
		  sizeof(struct vnet_ipv6_prefix) +                    \
		  sizeof(struct vnet_vlan_range) + sizeof(uint16_t)) + \
	 VNET_GRANT_MAX_LIST * sizeof(struct vnet_grant_name) +        \
	 VNET_GRANT_NAME_SIZE)

uint64_t
vnet_grants_memory(uint32_t max_grants)
{
	return (uint64_t)max_grants * sizeof(struct vnet_grant_node) +
	       ((uint64_t)max_grants + 1) *
		       (sizeof(struct vnet_grant_body) + MAX_LISTS);
}

static size_t
size_of(const struct vnet_grant *g, uint32_t ninsns)
{
	return sizeof(struct vnet_grant_body) +
	       g->nmacs * sizeof(struct vnet_grant_name) +
	       ninsns * sizeof(struct vnet_bpf_op) +
	       g->nvlans * sizeof(*g->vlans) +
	       g->nethertypes * sizeof(*g->ethertypes) +
	       (g->nmacs + g->ngroups) * sizeof(*g->macs) +
	       g->nipv4 * sizeof(*g->ipv4) + g->nipv6 * sizeof(*g->ipv6) +
	       VNET_GRANT_NAME_SIZE;
}

/* Copy a list to *@at, which is stepped. */
static void *
copy(uint8_t **at, const void *list, size_t octets)
{
	void *to = *at;

	if (octets)
		memcpy(to, list, octets);
	*at += octets;
	return to;
}

/* Compile the program of one side to *@at, which is stepped. */
static void
compile(struct vnet_grant_body *b, const struct vnet_grant *g,
	enum vnet_side side, uint8_t **at)
{
	struct vnet_bpf_op *ops = (void *)*at;
	/* An op is an instruction, and becomes one where it lies. */
	struct vnet_bpf_insn *insns = &ops->insn;
	int n = vnet_guard_compile(g, side, insns, b->ninsns[side], NULL);

	VNET_ASSERT(n == (int)b->ninsns[side]);
	VNET_ASSERT(!vnet_bpf_check(insns, (size_t)n, (size_t)n, NULL));
	vnet_bpf_translate(ops, insns, (size_t)n);
	b->guard[side] = ops;
	*at += (size_t)n * sizeof(*ops);
}

static void
fill(struct vnet_grant_body *b, const struct vnet_grant *g)
{
	uint8_t *at = (uint8_t *)(b + 1);

	/* In falling order of alignment: none needs padding. */
	b->names = (void *)at;
	b->nnames = 0;
	for (size_t i = 0; i < g->nmacs; i++)
		if (g->macs[i].bits == 48)
			b->names[b->nnames++].mac =
				vnet_mac_load(g->macs[i].mac.octet);
	b->has_prefixes = b->nnames < g->nmacs;
	at += g->nmacs * sizeof(*b->names);
	compile(b, g, VNET_INGRESS, &at);
	compile(b, g, VNET_EGRESS, &at);
	b->grant = *g;
	b->grant.vlans = copy(&at, g->vlans, g->nvlans * sizeof(*g->vlans));
	b->grant.ethertypes = copy(&at, g->ethertypes,
				   g->nethertypes * sizeof(*g->ethertypes));
	b->grant.macs = copy(&at, g->macs, g->nmacs * sizeof(*g->macs));
	b->grant.groups = copy(&at, g->groups, g->ngroups * sizeof(*g->groups));
	b->grant.ipv4 = copy(&at, g->ipv4, g->nipv4 * sizeof(*g->ipv4));
	b->grant.ipv6 = copy(&at, g->ipv6, g->nipv6 * sizeof(*g->ipv6));
	memset(at, 0, VNET_GRANT_NAME_SIZE);
	b->grant.name = copy(&at, g->name,
			     vnet_name_len(g->name, VNET_GRANT_NAME_SIZE));
	if (!g->max_addresses)
		b->grant.max_addresses = (uint32_t)g->nmacs;
	if (!g->max_clients)
		b->grant.max_clients = 1;
}

static void
put_body(struct vnet_switch *sw, struct vnet_grant_body *b)
{
	remove_names(sw, b);
	sw->budget.insns_left += b->ninsns[0] + b->ninsns[1];
	sw->alloc.put(sw->alloc.ctx, b, b->size);
}

/* Make the body of a grant that has passed the check; @before, if not NULL, is
 * about to go. 0; -EINVAL, -ENOSPC, -ENOMEM. */
static int
make_body(struct vnet_switch *sw, const struct vnet_grant *g,
	  const struct vnet_grant_body *before, struct vnet_grant_body **out,
	  struct vnet_why *why)
{
	uint64_t left = sw->budget.insns_left;
	struct vnet_grant_body *b;
	uint32_t n[2];
	size_t size;

	for (int side = 0; side < 2; side++) {
		int r = vnet_guard_compile(g, (enum vnet_side)side, NULL, 0,
					   why);

		if (r < 0)
			return r;
		n[side] = (uint32_t)r;
		left += before ? before->ninsns[side] : 0;
	}
	if (n[0] + n[1] > left)
		return vnet_why_not(why, -ENOSPC,
				    "no more instructions in this switch",
				    n[0] + n[1], left);
	size = size_of(g, n[0] + n[1]);
	b = sw->alloc.get(sw->alloc.ctx, size, VNET_CACHE_LINE);
	if (!b)
		return vnet_why_errno(why, -ENOMEM);
	b->size = size;
	b->ninsns[0] = n[0];
	b->ninsns[1] = n[1];
	fill(b, g);
	*out = b;
	return 0;
}

/* A grant has a body, whose instructions are now taken. */
static void
take_body(struct vnet_switch *sw, struct vnet_grant_node *g,
	  struct vnet_grant_body *b)
{
	g->body = b;
	add_names(sw, b);
	forget_names(sw, b);
	sw->budget.insns_left -= b->ninsns[0] + b->ninsns[1];
	/* That of one that never ends is the last there is. */
	g->last = b->grant.until - 1;
	vnet_limits_set(&g->limits, VNET_TRAFFIC_ALL,
			b->grant.rate.size ? &b->grant.rate : NULL, sw->now);
}

/*
 * The tree
 */

static int
refuse(enum vnet_grant_part *to, enum vnet_grant_part part,
       struct vnet_why *why, const char *text, uint64_t found, uint64_t bound)
{
	if (to)
		*to = part;
	return vnet_why_not(why, -EPERM, text, found, bound);
}

/* What a grant below takes. */
struct share {
	uint32_t clients;
	uint32_t addresses;
};

static struct share
share_of(const struct vnet_grant *g)
{
	return (struct share){
		.clients = g->max_clients ? g->max_clients : 1,
		.addresses = g->max_addresses ? g->max_addresses
					      : (uint32_t)g->nmacs,
	};
}

static void
give(struct vnet_grant_node *parent, struct share s)
{
	parent->given_clients += s.clients;
	parent->given_addresses += s.addresses;
	update_counted(parent);
}

static void
take_back(struct vnet_grant_node *parent, struct share s)
{
	parent->given_clients -= s.clients;
	parent->given_addresses -= s.addresses;
	update_counted(parent);
}

/* Has @parent, which may be NULL, room for a grant below it? @before is what
 * that one has taken already. */
static int
check_parent(const struct vnet_switch *sw, const struct vnet_grant_node *parent,
	     struct share before, const struct vnet_grant *g,
	     enum vnet_grant_part *part, struct vnet_why *why)
{
	struct share s = share_of(g);
	uint32_t left;
	int r;

	if (!parent)
		return 0;
	r = vnet_grant_contains(&parent->body->grant, g, part, why);
	if (r)
		return r;
	/* A pinned address, or one of a client that has come with addresses, may
	 * be more than there may be. */
	left = parent->body->grant.max_addresses - parent->given_addresses +
	       before.addresses;
	if (s.addresses > left ||
	    count_addresses(sw, parent) > left - s.addresses)
		return refuse(part, VNET_GRANT_ADDRESSES, why,
			      "addresses are given or in use", s.addresses,
			      left);
	left = parent->body->grant.max_clients - parent->given_clients -
	       parent->nclients + before.clients;
	if (s.clients > left)
		return refuse(part, VNET_GRANT_CLIENTS, why,
			      "clients are given or in use", s.clients, left);
	return 0;
}

/* Does what hangs below @g, and who has it, fit into @to? */
static int
check_below(const struct vnet_grant_node *g, const struct vnet_grant *to,
	    enum vnet_grant_part *part, struct vnet_why *why)
{
	struct share s = share_of(to);

	for (const struct vnet_grant_node *below = g->next; below;
	     below = below->next) {
		int r = below->parent == g
				? vnet_grant_contains(to, &below->body->grant,
						      part, why)
				: 0;

		if (r)
			return r;
	}
	if (g->given_addresses > s.addresses)
		return refuse(part, VNET_GRANT_ADDRESSES, why,
			      "addresses are given", s.addresses,
			      g->given_addresses);
	if (g->given_clients + g->nclients > s.clients)
		return refuse(part, VNET_GRANT_CLIENTS, why,
			      "clients are given or there", s.clients,
			      (uint64_t)g->given_clients + g->nclients);
	return 0;
}

/* When the next one ends. */
static void
update_due(struct vnet_switch *sw)
{
	sw->grants_due = VNET_NEVER;
	for (struct vnet_grant_node *g = sw->first_grant; g; g = g->next)
		if (g->last < sw->grants_due)
			sw->grants_due = g->last + 1;
}

static void
link_last(struct vnet_switch *sw, struct vnet_grant_node *g)
{
	g->prev = sw->last_grant;
	*(g->prev ? &g->prev->next : &sw->first_grant) = g;
	sw->last_grant = g;
	sw->ngrants++;
}

static void
unlink(struct vnet_switch *sw, struct vnet_grant_node *g)
{
	*(g->prev ? &g->prev->next : &sw->first_grant) = g->next;
	*(g->next ? &g->next->prev : &sw->last_grant) = g->prev;
	sw->ngrants--;
}

static int
name_is_taken(struct vnet_why *why)
{
	return vnet_why_not(why, -EEXIST, "a grant of that name exists", 0, 0);
}

static int
no_such_grant(struct vnet_why *why)
{
	return vnet_why_not(why, -ENOENT, "no such grant", 0, 0);
}

int
vnet_grant_add(struct vnet_switch *sw, vnet_grant_id parent_id,
	       const struct vnet_grant *grant, vnet_grant_id *id,
	       enum vnet_grant_part *part, struct vnet_why *why)
{
	struct vnet_grant_node *g, *parent = find(sw, parent_id);
	struct vnet_grant_body *body;
	uint32_t i;
	int r = vnet_grant_check(grant, part, why);

	if (r)
		return r;
	if (!parent && parent_id != VNET_NO_ID)
		return no_such_grant(why);
	if (sw->entered)
		return vnet_why_errno(why, -EBUSY);
	if (find_name(sw, grant->name))
		return name_is_taken(why);
	r = check_parent(sw, parent, (struct share){0, 0}, grant, part, why);
	if (r)
		return r;
	i = vnet_slot_unused(sw->grants, sw->config.max_grants, VNET_END_GRANT);
	if (i == sw->config.max_grants)
		return vnet_why_not(why, -ENOSPC, "every grant is in use",
				    sw->ngrants, sw->config.max_grants);
	g = sw->alloc.get(sw->alloc.ctx, sizeof(*g), VNET_CACHE_LINE);
	if (!g)
		return vnet_why_errno(why, -ENOMEM);
	r = make_body(sw, grant, NULL, &body, why);
	if (r)
		goto put_node;
	memset(g, 0, sizeof(*g));
	g->id = vnet_slot_id(sw->grants, i);
	g->parent = parent;
	take_body(sw, g, body);
	update_counted(g);
	if (parent)
		give(parent, share_of(grant));
	link_last(sw, g);
	sw->grants[i].object = g;
	update_due(sw);
	*id = g->id;
	return 0;

put_node:
	sw->alloc.put(sw->alloc.ctx, g, sizeof(*g));
	return r;
}

int
vnet_grant_set(struct vnet_switch *sw, vnet_grant_id id,
	       const struct vnet_grant *grant, enum vnet_grant_part *part,
	       struct vnet_why *why)
{
	struct vnet_grant_node *g = find(sw, id), *other;
	struct vnet_grant_body *body;
	struct share before;
	int r = vnet_grant_check(grant, part, why);

	if (r)
		return r;
	if (!g)
		return no_such_grant(why);
	if (sw->entered)
		return vnet_why_errno(why, -EBUSY);
	other = find_name(sw, grant->name);
	if (other && other != g)
		return name_is_taken(why);
	before = share_of(&g->body->grant);
	r = check_parent(sw, g->parent, before, grant, part, why);
	if (!r)
		r = check_below(g, grant, part, why);
	if (!r)
		r = make_body(sw, grant, g->body, &body, why);
	if (r)
		return r;
	if (g->parent) {
		take_back(g->parent, before);
		give(g->parent, share_of(grant));
	}
	put_body(sw, g->body);
	take_body(sw, g, body);
	update_counted(g);
	update_due(sw);
	for (struct vnet_client *c = g->clients; c; c = c->grant_next)
		vnet_switch_granted(sw, c);
	return 0;
}

/*
 * The end of grants
 */

static void
put_node(struct vnet_switch *sw, struct vnet_grant_node *g)
{
	unlink(sw, g);
	vnet_slot_release(sw->grants, (uint32_t)g->id);
	put_body(sw, g->body);
	sw->alloc.put(sw->alloc.ctx, g, sizeof(*g));
}

/* End all that are marked for it, and what hangs below them. */
static void
end_marked(struct vnet_switch *sw)
{
	struct vnet_grant_node *g, *next;

	for (g = sw->first_grant; g; g = g->next) {
		if (g->parent && g->parent->is_ending)
			g->is_ending = true;
		else if (g->parent && g->is_ending)
			take_back(g->parent, share_of(&g->body->grant));
	}
	for (g = sw->first_grant; g; g = next) {
		next = g->next;
		if (!g->is_ending)
			continue;
		while (g->clients)
			vnet_switch_revoked(sw, g->clients);
		put_node(sw, g);
	}
	update_due(sw);
}

int
vnet_grant_revoke(struct vnet_switch *sw, vnet_grant_id id)
{
	struct vnet_grant_node *g = find(sw, id);

	if (!g)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	g->is_ending = true;
	end_marked(sw);
	return 0;
}

void
vnet_grants_tick(struct vnet_switch *sw)
{
	if (sw->now < sw->grants_due)
		return;
	for (struct vnet_grant_node *g = sw->first_grant; g; g = g->next)
		g->is_ending = sw->now > g->last;
	end_marked(sw);
}

void
vnet_grants_fini(struct vnet_switch *sw)
{
	while (sw->first_grant) {
		VNET_ASSERT(!sw->first_grant->clients);
		put_node(sw, sw->first_grant);
	}
}

/*
 * Clients
 */

int
vnet_grant_find_room(const struct vnet_switch *sw, vnet_grant_id id,
		     struct vnet_grant_node **out, struct vnet_why *why)
{
	struct vnet_grant_node *g = find(sw, id);
	uint32_t most;

	*out = g;
	if (id == VNET_NO_ID)
		return 0;
	if (!g)
		return no_such_grant(why);
	most = g->body->grant.max_clients - g->given_clients;
	if (g->nclients >= most)
		return vnet_why_not(why, -EUSERS,
				    "grant has as many clients as it may",
				    g->nclients, most);
	return 0;
}

void
vnet_grant_enter(struct vnet_switch *sw, struct vnet_grant_node *g,
		 struct vnet_client *c)
{
	c->grant = g;
	if (!g)
		return;
	c->grant_next = g->clients;
	g->clients = c;
	g->nclients++;
	vnet_fdb_set_sum(&sw->fdb, c->slot, &g->nlearned);
}

void
vnet_grant_leave(struct vnet_switch *sw, struct vnet_client *c)
{
	struct vnet_grant_node *g = c->grant;
	struct vnet_client **at;

	if (!g)
		return;
	for (at = &g->clients; *at != c; at = &(*at)->grant_next)
		;
	*at = c->grant_next;
	c->grant_next = NULL;
	c->grant = NULL;
	g->nclients--;
	vnet_fdb_set_sum(&sw->fdb, c->slot, NULL);
}

int
vnet_client_set_grant(struct vnet_switch *sw, uint64_t client,
		      vnet_grant_id grant, struct vnet_why *why)
{
	struct vnet_client *c = vnet_switch_client(sw, client);
	struct vnet_grant_node *g = find(sw, grant);
	int r = 0;

	if (!c)
		return vnet_why_not(why, -ENOENT, "no such client", 0, 0);
	/* It has its place in the one that it has. */
	if (!g || c->grant != g)
		r = vnet_grant_find_room(sw, grant, &g, why);
	if (r)
		return r;
	if (sw->entered)
		return vnet_why_errno(why, -EBUSY);
	vnet_grant_leave(sw, c);
	vnet_grant_enter(sw, g, c);
	if (g)
		c->is_revoked = false;
	vnet_switch_granted(sw, c);
	return 0;
}

/*
 * Reading
 */

/* The bursts that hold: none is more than those above. */
static void
complete_rate(const struct vnet_grant_node *g, struct vnet_limit *rate)
{
	vnet_limit_complete(rate);
	while ((g = g->parent)) {
		struct vnet_limit above = g->body->grant.rate;

		vnet_limit_complete(&above);
		if (above.frames_per_s &&
		    above.burst_frames < rate->burst_frames)
			rate->burst_frames = above.burst_frames;
		if (above.octets_per_s &&
		    above.burst_octets < rate->burst_octets)
			rate->burst_octets = above.burst_octets;
	}
}

int
vnet_grant_get(const struct vnet_switch *sw, vnet_grant_id id,
	       struct vnet_grant_info *info)
{
	const struct vnet_grant_node *g = find(sw, id);

	if (info->size != sizeof(*info))
		return -EINVAL;
	if (!g)
		return -ENOENT;
	*info = (struct vnet_grant_info){
		.size = sizeof(*info),
		.id = id,
		.parent = g->parent ? g->parent->id : VNET_NO_ID,
		.grant = g->body->grant,
		.nclients = g->nclients,
		.naddresses = count_addresses(sw, g),
		.given_clients = g->given_clients,
		.given_addresses = g->given_addresses,
		.ninsns = {g->body->ninsns[0], g->body->ninsns[1]},
	};
	if (info->grant.rate.size)
		complete_rate(g, &info->grant.rate);
	return 0;
}

int
vnet_grant_program(const struct vnet_switch *sw, vnet_grant_id id,
		   enum vnet_side side, struct vnet_bpf_insn *insns, size_t max)
{
	const struct vnet_grant_node *g = find(sw, id);

	if ((unsigned int)side > VNET_EGRESS)
		return -EINVAL;
	if (!g)
		return -ENOENT;
	if (g->body->ninsns[side] > max)
		return -ENOSPC;
	vnet_bpf_read(insns, g->body->guard[side], g->body->ninsns[side]);
	return (int)g->body->ninsns[side];
}

int
vnet_grant_refused(const struct vnet_switch *sw, vnet_grant_id id,
		   enum vnet_side side, enum vnet_grant_part part,
		   struct vnet_count *refused)
{
	const struct vnet_grant_node *g = find(sw, id);

	if ((unsigned int)side > VNET_EGRESS ||
	    (unsigned int)part >= VNET_GRANT_NPARTS)
		return -EINVAL;
	if (!g)
		return -ENOENT;
	*refused = g->refused[0][side][part];
	return 0;
}

vnet_grant_id
vnet_grant_next(const struct vnet_switch *sw, vnet_grant_id id)
{
	const struct vnet_grant_node *g = find(sw, id);

	if (!g && id != VNET_NO_ID)
		return VNET_NO_ID;
	g = g ? g->next : sw->first_grant;
	return g ? g->id : VNET_NO_ID;
}

vnet_grant_id
vnet_grant_find(const struct vnet_switch *sw, const char *name)
{
	const struct vnet_grant_node *g = find_name(sw, name);

	return g ? g->id : VNET_NO_ID;
}

vnet_grant_id
vnet_client_grant(const struct vnet_switch *sw, uint64_t client)
{
	const struct vnet_client *c = vnet_switch_client(sw, client);

	return c && c->grant ? c->grant->id : VNET_NO_ID;
}

/* Are its sums those of its clients and of what hangs right below it? */
static bool
is_in_order(const struct vnet_switch *sw, const struct vnet_grant_node *g)
{
	const struct vnet_grant *grant = &g->body->grant;
	struct share sum = {0, 0};
	uint32_t n = 0, nlearned = 0;

	for (const struct vnet_client *c = g->clients; c; c = c->grant_next) {
		n += c->grant == g && !c->is_revoked;
		nlearned += sw->fdb.owners[c->slot].unflushed;
	}
	for (const struct vnet_grant_node *b = g->next; b; b = b->next) {
		if (b->parent == g) {
			sum.clients += b->body->grant.max_clients;
			sum.addresses += b->body->grant.max_addresses;
		}
	}
	return n == g->nclients && nlearned == g->nlearned &&
	       sum.clients == g->given_clients &&
	       sum.addresses == g->given_addresses &&
	       (uint64_t)sum.addresses + count_addresses(sw, g) <=
		       grant->max_addresses &&
	       (uint64_t)sum.clients + n <= grant->max_clients;
}

bool
vnet_grants_check(const struct vnet_switch *sw)
{
	size_t n = 0, names = 0;

	for (const struct vnet_grant_node *g = sw->first_grant; g;
	     g = g->next) {
		if (g->is_ending || !is_in_order(sw, g))
			return false;
		names += g->body->nnames;
	}
	for (size_t i = 0; i < vnet_grants_nlists(sw->config.max_grants); i++)
		for (const struct vnet_grant_name *name = sw->names[i]; name;
		     name = name->next)
			n++;
	return n == names;
}
