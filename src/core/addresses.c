/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FDB as programs see it.
 */
#include <errno.h>

#include "switch.h"

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
	const struct vnet_port *port = vnet_switch_port(sw, id);

	if (id != VNET_NO_ID && !port)
		return -ENOENT;
	if (sw->entered)
		return -EBUSY;
	for (uint32_t i = 0; i < sw->config.max_clients; i++) {
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
	entry->is_held = vnet_fdb_is_held(&sw->fdb, i, sw->now_s);
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
