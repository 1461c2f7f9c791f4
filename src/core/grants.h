/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of grants of a switch.
 */
#ifndef VNET_GRANTS_H
#define VNET_GRANTS_H

#include <vnet/grant.h>
#include <vnet/switch.h>

#include "bpf.h"
#include "client.h"
#include "core.h"
#include "limit.h"

/* A source address that a grant has by itself, one of a list in
 * vnet_switch.names. */
struct vnet_grant_name {
	uint64_t mac;
	struct vnet_grant_name *next;
};

/**
 * struct vnet_grant_body - what a grant says, and what enforces it
 * @size:	octets of all of it: programs, lists and name lie behind
 * @grant:	without zeroes that mean defaults, but for bursts
 * @guard:	the programs, by enum vnet_side
 * @ninsns:	of each
 * @names:	@nnames of them
 * @has_prefixes: of source addresses, some are not granted by themselves
 */
struct vnet_grant_body {
	size_t size;
	struct vnet_grant grant;
	struct vnet_bpf_op *guard[2];
	uint32_t ninsns[2];
	struct vnet_grant_name *names;
	uint32_t nnames;
	bool has_prefixes;
};

/**
 * struct vnet_grant_node - a grant in the tree
 * @body:	a change replaces it as a whole
 * @last:	the last nanosecond in which it holds
 * @is_counted:	its clients may have other addresses than they have begun to
 *		use: they are to be counted
 * @next, @prev: in the order in which they were made: a parent is before what
 *		hangs below it
 * @clients:	@nclients of them, linked by grant_next
 * @given_clients: taken by grants right below it
 * @given_addresses: likewise
 * @nlearned:	entries of its clients in the FDB that are learned and not
 *		flushed
 * @aged_s:	the second in which those among them were taken out that had
 *		aged
 * @limits:	its rate, as that of VNET_TRAFFIC_ALL
 * @refused:	what was outside of it, by side and part
 */
struct vnet_grant_node {
	struct vnet_grant_body *body;
	vnet_nsec last;
	bool is_counted;
	bool is_ending;
	vnet_grant_id id;
	struct vnet_grant_node *parent;
	struct vnet_grant_node *next;
	struct vnet_grant_node *prev;
	struct vnet_client *clients;
	uint32_t nclients;
	uint32_t given_clients;
	uint32_t given_addresses;
	uint32_t nlearned;
	uint64_t aged_s;
	struct vnet_limits limits;
	struct vnet_count refused[VNET_WORKERS][2][VNET_GRANT_NPARTS];
};

/* Lists in vnet_switch.names. There may be eight times as many names, of which
 * nobody can say which ones share a list. */
VNET_INLINE size_t
vnet_grants_nlists(uint32_t max_grants)
{
	return (size_t)max_grants * (VNET_GRANT_MAX_LIST / 8);
}

/* Octets that grants have from their allocator at the most, while one is being
 * changed too, but for their programs: these are counted with all others. */
uint64_t vnet_grants_memory(uint32_t max_grants);

/* Give back all of it. No client has a grant any more. */
void vnet_grants_fini(struct vnet_switch *sw);

/* End what was to end by now. */
void vnet_grants_tick(struct vnet_switch *sw);

/* The grant of that id. 0; -ENOENT, -EUSERS if it has no room for a client. */
int vnet_grant_find_room(const struct vnet_switch *sw, vnet_grant_id id,
			 struct vnet_grant_node **g, struct vnet_why *why);

/* A client gets a grant, which has room for it and may be NULL, or has it no
 * more. */
void vnet_grant_enter(struct vnet_switch *sw, struct vnet_grant_node *g,
		      struct vnet_client *c);
void vnet_grant_leave(struct vnet_switch *sw, struct vnet_client *c);

/* Has it a rate? Where one above has, it has. */
VNET_INLINE bool
vnet_grant_has_rate(const struct vnet_grant_node *g)
{
	return g->limits.set != 0;
}

/* Is that source address granted by itself? */
bool vnet_grant_names(const struct vnet_grant_node *g, uint64_t mac);

/* Is it in any grant of the switch? @home is its in the FDB. */
bool vnet_grants_name(const struct vnet_switch *sw, uint64_t mac,
		      uint32_t home);

/* May one more source address be used? */
bool vnet_grant_has_address(const struct vnet_switch *sw,
			    const struct vnet_grant_node *g);

/* The most that its clients may use: what was given is not its own. */
VNET_INLINE uint32_t
vnet_grant_most_addresses(const struct vnet_grant_node *g)
{
	return g->body->grant.max_addresses - g->given_addresses;
}

/* Does it take a walk over all clients to say so? Not in this second again, once
 * vnet_grant_age() was called. */
VNET_INLINE bool
vnet_grant_is_to_age(const struct vnet_grant_node *g, uint64_t now_s)
{
	return g->is_counted && g->nlearned >= vnet_grant_most_addresses(g) &&
	       g->aged_s != now_s;
}

void vnet_grant_age(struct vnet_switch *sw, struct vnet_grant_node *g);

/* Is the tree in order? For tests. */
bool vnet_grants_check(const struct vnet_switch *sw);

#endif
