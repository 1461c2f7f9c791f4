/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two hash tables with chains, of addresses and of clients, over arrays that do
 * not move. What is too old stays in its chain until its place is wanted, and
 * is looked past.
 *
 * The hash has no secret: whoever chooses addresses that fall into one chain
 * makes it as long as the table of addresses is large, which is bounded by what
 * each client may have.
 */
#include <string.h>

#include "shared_table.h"

/* Of 4 octets at a time, each mixed in by a multiplication (Knuth's constant,
 * 2^32 / phi). */
static uint32_t
mix(uint32_t hash, const uint8_t *p)
{
	uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		     (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;

	hash = (hash ^ v) * 2654435769u;
	return hash ^ hash >> 15;
}

static uint16_t *
chain_of_ip(const struct vnet_shared_table *t, const struct vnet_shared_ip *ip)
{
	uint32_t hash = ip->vlan;

	for (uint32_t i = 0; i < ip->len; i += 4)
		hash = mix(hash, ip->octet + i);
	return &t->heads[hash & t->mask];
}

static uint16_t *
chain_of_mac(const struct vnet_shared_table *t, const struct vnet_mac *mac)
{
	uint32_t hash = mix(mix(0, mac->octet), mac->octet + 2);

	return &t->heads[t->mask + 1 + (hash & t->mask)];
}

bool
vnet_shared_ip_equals(const struct vnet_shared_ip *a,
		      const struct vnet_shared_ip *b)
{
	return a->len == b->len && a->vlan == b->vlan &&
	       memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

static bool
is_same_mac(const struct vnet_mac *a, const struct vnet_mac *b)
{
	return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

static uint16_t
index_of(const struct vnet_shared_table *t, const struct vnet_shared_client *c)
{
	return (uint16_t)(c - t->clients);
}

/* Its addresses, in use or not. */
static struct vnet_shared_addr *
addrs_of(const struct vnet_shared_table *t, const struct vnet_shared_client *c)
{
	return t->addrs + (size_t)index_of(t, c) * t->naddrs;
}

static struct vnet_shared_client *
client_of(const struct vnet_shared_table *t, const struct vnet_shared_addr *a)
{
	return &t->clients[(uint32_t)(a - t->addrs) / t->naddrs];
}

void
vnet_shared_table_clear(struct vnet_shared_table *t)
{
	memset(t->clients, 0, t->nclients * sizeof(*t->clients));
	memset(t->addrs, 0,
	       (size_t)t->nclients * t->naddrs * sizeof(*t->addrs));
	for (uint32_t i = 0; i < 2 * (t->mask + 1); i++)
		t->heads[i] = VNET_SHARED_NONE;
}

static struct vnet_shared_addr *
find_addr(const struct vnet_shared_table *t, const struct vnet_shared_ip *ip)
{
	uint16_t i = *chain_of_ip(t, ip);

	while (i != VNET_SHARED_NONE) {
		if (vnet_shared_ip_equals(&t->addrs[i].ip, ip))
			return &t->addrs[i];
		i = t->addrs[i].next;
	}
	return NULL;
}

static void
remove_addr(struct vnet_shared_table *t, struct vnet_shared_addr *a)
{
	const uint16_t self = (uint16_t)(a - t->addrs);
	uint16_t *link = chain_of_ip(t, &a->ip);

	while (*link != self)
		link = &t->addrs[*link].next;
	*link = a->next;
	a->ip.len = 0;
}

void
vnet_shared_table_remove(struct vnet_shared_table *t,
			 struct vnet_shared_client *c)
{
	struct vnet_shared_addr *a = addrs_of(t, c);
	uint16_t *link = chain_of_mac(t, &c->mac);

	for (uint32_t i = 0; i < t->naddrs; i++) {
		if (a[i].ip.len)
			remove_addr(t, &a[i]);
	}
	while (*link != index_of(t, c))
		link = &t->clients[*link].next;
	*link = c->next;
	memset(c, 0, sizeof(*c));
}

struct vnet_shared_client *
vnet_shared_table_client(const struct vnet_shared_table *t,
			 const struct vnet_mac *mac)
{
	uint16_t i = *chain_of_mac(t, mac);

	while (i != VNET_SHARED_NONE) {
		if (is_same_mac(&t->clients[i].mac, mac))
			return &t->clients[i];
		i = t->clients[i].next;
	}
	return NULL;
}

struct vnet_shared_client *
vnet_shared_table_meet(struct vnet_shared_table *t, const struct vnet_mac *mac,
		       vnet_nsec now)
{
	struct vnet_shared_client *c = vnet_shared_table_client(t, mac);
	uint16_t *head;

	for (uint32_t i = 0; !c && i < t->nclients; i++) {
		if (t->clients[i].is_used) {
			if (now - t->clients[i].seen <= t->ageing)
				continue;
			vnet_shared_table_remove(t, &t->clients[i]);
		}
		c = &t->clients[i];
		head = chain_of_mac(t, mac);
		c->is_used = true;
		c->mac = *mac;
		c->next = *head;
		*head = (uint16_t)i;
	}
	if (c)
		c->seen = now;
	return c;
}

/* What a place is worth to its client: what is worth least is lost first. */
static int
worth(const struct vnet_shared_table *t, const struct vnet_shared_addr *a,
      vnet_nsec now)
{
	if (!a->ip.len || now - a->seen > t->ageing)
		return 0;
	return a->claim == VNET_SHARED_USED ? 1 : 2;
}

/* A place for an address of a client: one that is free, or else is freed. */
static struct vnet_shared_addr *
take_place(struct vnet_shared_table *t, const struct vnet_shared_client *c,
	   vnet_nsec now)
{
	struct vnet_shared_addr *a = addrs_of(t, c);
	struct vnet_shared_addr *least = a;

	for (uint32_t i = 1; i < t->naddrs; i++) {
		int more = worth(t, &a[i], now) - worth(t, least, now);

		if (more < 0 || (more == 0 && a[i].seen < least->seen))
			least = &a[i];
	}
	if (least->ip.len)
		remove_addr(t, least);
	return least;
}

bool
vnet_shared_table_claim(struct vnet_shared_table *t, const struct vnet_mac *mac,
			const struct vnet_shared_ip *ip,
			enum vnet_shared_claim claim, vnet_nsec now)
{
	struct vnet_shared_addr *a = find_addr(t, ip);
	struct vnet_shared_client *c;
	uint16_t *head;

	if (a && is_same_mac(&client_of(t, a)->mac, mac)) {
		/* Once it is too old, it is as if it were new. */
		if (now - a->seen > t->ageing || claim > a->claim)
			a->claim = claim;
		a->seen = now;
		client_of(t, a)->seen = now;
		return true;
	}
	if (a && now - a->seen <= t->ageing &&
	    (claim != VNET_SHARED_ANNOUNCED || now - a->seen < t->quiet))
		return false;

	c = vnet_shared_table_meet(t, mac, now);
	if (!c)
		return false;
	/* To meet one may have freed it. */
	a = find_addr(t, ip);
	if (a)
		remove_addr(t, a);
	a = take_place(t, c, now);
	head = chain_of_ip(t, ip);
	a->ip = *ip;
	a->claim = claim;
	a->seen = now;
	a->next = *head;
	*head = (uint16_t)(a - t->addrs);
	return true;
}

const struct vnet_shared_client *
vnet_shared_table_find(const struct vnet_shared_table *t,
		       const struct vnet_shared_ip *ip, vnet_nsec now)
{
	const struct vnet_shared_addr *a = find_addr(t, ip);

	return a && now - a->seen <= t->ageing ? client_of(t, a) : NULL;
}

const struct vnet_shared_client *
vnet_shared_table_find_probe(const struct vnet_shared_table *t,
			     const struct vnet_shared_ip *ip, vnet_nsec since)
{
	const struct vnet_shared_client *found = NULL;

	for (uint32_t i = 0; i < t->nclients; i++) {
		const struct vnet_shared_client *c = &t->clients[i];

		if (c->is_used && c->probed >= since &&
		    vnet_shared_ip_equals(&c->probe, ip) &&
		    (!found || c->probed > found->probed))
			found = c;
	}
	return found;
}

/* Does a chain of addresses hold each of its own once? Counts them. */
static bool
check_addrs(const struct vnet_shared_table *t, uint32_t chain, uint32_t *n)
{
	const uint32_t max = t->nclients * t->naddrs;

	for (uint16_t i = t->heads[chain]; i != VNET_SHARED_NONE;
	     i = t->addrs[i].next) {
		const struct vnet_shared_addr *a = &t->addrs[i];

		if (i >= max || ++*n > max || !a->ip.len ||
		    chain_of_ip(t, &a->ip) != &t->heads[chain] ||
		    find_addr(t, &a->ip) != a || !client_of(t, a)->is_used)
			return false;
	}
	return true;
}

static bool
check_clients(const struct vnet_shared_table *t, uint32_t chain, uint32_t *n)
{
	for (uint16_t i = t->heads[chain]; i != VNET_SHARED_NONE;
	     i = t->clients[i].next) {
		const struct vnet_shared_client *c = &t->clients[i];

		if (i >= t->nclients || ++*n > t->nclients || !c->is_used ||
		    chain_of_mac(t, &c->mac) != &t->heads[chain] ||
		    vnet_shared_table_client(t, &c->mac) != c)
			return false;
	}
	return true;
}

bool
vnet_shared_table_check(const struct vnet_shared_table *t)
{
	uint32_t naddrs = 0, nclients = 0;

	for (uint32_t i = 0; i <= t->mask; i++) {
		if (!check_addrs(t, i, &naddrs) ||
		    !check_clients(t, t->mask + 1 + i, &nclients))
			return false;
	}
	for (uint32_t i = 0; i < t->nclients * t->naddrs; i++)
		naddrs -= t->addrs[i].ip.len != 0;
	for (uint32_t i = 0; i < t->nclients; i++)
		nclients -= t->clients[i].is_used;
	return naddrs == 0 && nclients == 0;
}
