/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forwarding database: on which client an address was last seen, or is
 * said to be (IEEE 802.1Q, 8.8).
 */
#ifndef VNET_FDB_H
#define VNET_FDB_H

#include <vnet/types.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/*
 * The share of a client: what is learned on it may always fill as much of the
 * table as is its own if all ports, and all clients of its port, have the same,
 * and more as long as there is room. Where the table is full, or its
 * max_addresses are, a client that has its share makes room for its newest
 * address by its own oldest; one that has less does by the oldest of the client
 * that goes furthest beyond its share. So whoever floods source addresses drives
 * out its own.
 *
 * An address that moves from client to client more than flap_moves (of the
 * switch) times within ten seconds stays where it then is for a minute, with an
 * event. (One that the clients of a vif share does not move among them.)
 * "Oldest" goes by whole seconds.
 */

/**
 * struct vnet_fdb_entry - an entry as it is
 * @size:	sizeof(struct vnet_fdb_entry), set by the caller
 * @mac:	the address
 * @is_static:	put in by vnet_fdb_add(): never ages, never moves
 * @is_held:	learned, and does not move: its port is sticky, or it has
 *		flapped
 * @port:	where frames to it go
 * @client:	the client of that port it was seen on
 * @age_s:	seconds since it was last seen; 0 if static
 */
struct vnet_fdb_entry {
	size_t size;
	struct vnet_mac mac;
	bool is_static;
	bool is_held;
	vnet_port_id port;
	vnet_client_id client;
	uint32_t age_s;
};

/**
 * vnet_fdb_add() - pin an address to a client
 *
 * Replaces what was learned or pinned of it.
 *
 * Return: 0; -ENOENT if there is no such client, -EINVAL if the address is a
 * group or zero, -ENOSPC if the table holds nothing but static entries, -EBUSY
 * from inside a driver's send.
 */
VNET_API int vnet_fdb_add(struct vnet_switch *sw, struct vnet_mac mac,
			  vnet_client_id client);

/* Forget an address, learned or pinned. Return: 0; -ENOENT, -EBUSY. */
VNET_API int vnet_fdb_remove(struct vnet_switch *sw, struct vnet_mac mac);

/**
 * vnet_fdb_flush() - forget all that was learned on a port
 * @port:	VNET_NO_ID for every port
 *
 * Takes effect at once; the memory comes back in bounded steps, by
 * vnet_switch_tick(). Static entries stay.
 *
 * Return: 0; -ENOENT, -EBUSY from inside a driver's send.
 */
VNET_API int vnet_fdb_flush(struct vnet_switch *sw, vnet_port_id port);

/* Read the entry of an address. Return: 0; -ENOENT, -EINVAL for an unknown
 * entry->size. */
VNET_API int vnet_fdb_lookup(const struct vnet_switch *sw, struct vnet_mac mac,
			     struct vnet_fdb_entry *entry);

/**
 * vnet_fdb_next() - walk through the table
 * @cursor:	where the walk is; 0 to begin, otherwise untouched by the caller
 *
 * An entry that is there all the while is seen, even where others come and go
 * between the calls; it may then be seen twice. The order means nothing. One
 * call looks at a bounded number of slots.
 *
 *	uint64_t cursor = 0;
 *	int r;
 *
 *	while ((r = vnet_fdb_next(sw, &cursor, &entry)))
 *		if (r == 1)
 *			show(&entry);
 *		else if (r != -EAGAIN)
 *			break;
 *
 * Return: 1 with @entry filled, 0 at the end, -EAGAIN if it has found nothing
 * yet (call again), -EINVAL for an unknown entry->size.
 */
VNET_API int vnet_fdb_next(const struct vnet_switch *sw, uint64_t *cursor,
			   struct vnet_fdb_entry *entry);

VNET_END_DECLS

#endif
