/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which client has which IP address, for shared.c.
 *
 * Clients are known by their MAC address. Each has places for a number of
 * addresses of its own, so that none can crowd out another's. An address is one
 * client's at a time; who it goes to when two of them claim it is said at
 * vnet_shared_table_claim().
 */
#ifndef VNET_MACH_SHARED_TABLE_H
#define VNET_MACH_SHARED_TABLE_H

#include <vnet/types.h>

/* An IP address in its VLAN. Every octet counts: zeros behind the 4 of IPv4. */
struct vnet_shared_ip {
	uint32_t vlan;
	uint32_t len; /* 4 or 16; 0 is no address */
	uint8_t octet[16];
};

/* How sure is it that the client has the address? */
enum vnet_shared_claim {
	VNET_SHARED_USED,      /* it was the source of a packet */
	VNET_SHARED_ANNOUNCED, /* the client said so, by ARP, ND or DHCP */
};

#define VNET_SHARED_NONE UINT16_MAX /* of indices */

struct vnet_shared_addr {
	struct vnet_shared_ip ip;
	enum vnet_shared_claim claim;
	vnet_nsec seen; /* when the client last claimed it */
	uint16_t next;  /* in its chain */
};

struct vnet_shared_client {
	struct vnet_mac mac;
	bool is_used;
	vnet_nsec seen;
	uint16_t next; /* in its chain */

	/* What it asks: may it have this address (IPv4), and since when. */
	struct vnet_shared_ip probe;
	vnet_nsec probed;
	/* Its last request for one, by DHCP. */
	bool has_xid;
	uint32_t xid;
	vnet_nsec asked;
};

/**
 * struct vnet_shared_table - the clients, and their addresses
 * @clients:	@nclients of them
 * @addrs:	those of client i are @naddrs of them from i * @naddrs on
 * @heads:	first addresses of the chains, then first clients: 2 * (@mask + 1)
 * @mask:	chains of each kind, less 1: a power of two
 * @ageing:	what was not claimed for longer is forgotten
 * @quiet:	what was not claimed for as long may be announced by another
 */
struct vnet_shared_table {
	struct vnet_shared_client *clients;
	struct vnet_shared_addr *addrs;
	uint16_t *heads;
	uint32_t nclients;
	uint32_t naddrs;
	uint32_t mask;
	vnet_nsec ageing;
	vnet_nsec quiet;
};

/* Make it empty. The numbers and the memory are set. */
void vnet_shared_table_clear(struct vnet_shared_table *t);

/* The client of that address; NULL if there is none. */
struct vnet_shared_client *vnet_shared_table_client(
	const struct vnet_shared_table *t, const struct vnet_mac *mac);

/* The same; if there is none, one that is new, in a place that was free or whose
 * client was not seen for longer than the ageing time. NULL if there is no such
 * place. It counts as seen @now. */
struct vnet_shared_client *vnet_shared_table_meet(struct vnet_shared_table *t,
						  const struct vnet_mac *mac,
						  vnet_nsec now);

/**
 * vnet_shared_table_claim() - a client claims an address
 *
 * An address that nobody has, or whose client did not claim it for longer than
 * the ageing time, goes to the client. One that another has goes to it only if it
 * announces it, and that other was quiet about it.
 *
 * If the client has all the addresses that it may have, it loses the one that it
 * claimed least recently, of those that it has only used as long as there is
 * one.
 *
 * Return: false if it stays another's, or there is no place for the client.
 */
bool vnet_shared_table_claim(struct vnet_shared_table *t,
			     const struct vnet_mac *mac,
			     const struct vnet_shared_ip *ip,
			     enum vnet_shared_claim claim, vnet_nsec now);

/* The client that has an address; NULL if none has. */
const struct vnet_shared_client *vnet_shared_table_find(
	const struct vnet_shared_table *t, const struct vnet_shared_ip *ip,
	vnet_nsec now);

/* The client that has asked for an address, at @since or later, the last one to
 * do so; NULL if none has. */
const struct vnet_shared_client *vnet_shared_table_find_probe(
	const struct vnet_shared_table *t, const struct vnet_shared_ip *ip,
	vnet_nsec since);

/* Forget a client, and its addresses. */
void vnet_shared_table_remove(struct vnet_shared_table *t,
			      struct vnet_shared_client *c);

bool vnet_shared_ip_equals(const struct vnet_shared_ip *a,
			   const struct vnet_shared_ip *b);

/* For tests: does everything agree? */
bool vnet_shared_table_check(const struct vnet_shared_table *t);

#endif
