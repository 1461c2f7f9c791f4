/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/client.h>

#include "plant_name.h"

/* Octets of what somebody has sent that a complaint quotes. */
#define QUOTED 60

bool
plant_name_is_client(const char *name)
{
	return strchr(name, '/');
}

struct plant_port *
plant_port_of(const struct plant *plant, vnet_port_id id)
{
	struct plant_port *p = NULL;

	if (id != VNET_NO_ID && (uint32_t)id < plant->max_ports)
		p = plant->by_slot[(uint32_t)id];
	return p && p->id == id ? p : NULL;
}

void
plant_client_name(const struct plant *plant, vnet_client_id id,
		  char name[PLANT_CLIENT_NAME_SIZE])
{
	struct vnet_client_info info = {.size = sizeof(info)};
	const struct plant_port *p = NULL;

	if (!vnet_client_get(plant->sw, id, &info))
		p = plant_port_of(plant, info.port);
	name[0] = '\0';
	if (p)
		(void)snprintf(name, PLANT_CLIENT_NAME_SIZE, "%s/%" PRIu32,
			       p->name, info.index);
}

/* "0", "17": false for what else strtoul() would take. */
static bool
parse_index(const char *text, uint32_t *index)
{
	char *end;
	unsigned long n;

	if (text[0] < '0' || text[0] > '9' || (text[0] == '0' && text[1]))
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	*index = (uint32_t)n;
	return !*end && !errno && n <= UINT32_MAX;
}

/* With the lock; VNET_NO_ID if there is none. */
static vnet_client_id
find_index(const struct plant_port *p, uint32_t index)
{
	const struct vnet_switch *sw = p->plant->sw;
	vnet_client_id id = VNET_NO_ID;

	while ((id = vnet_client_next(sw, p->id, id)) != VNET_NO_ID) {
		struct vnet_client_info info = {.size = sizeof(info)};

		if (!vnet_client_get(sw, id, &info) && info.index == index)
			break;
	}
	return id;
}

/* With the lock; -ENOENT with @c where it has none, or more than one. */
static int
find_sole(const struct plant_port *p, vnet_client_id *id, struct complaint *c)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	char first[PLANT_CLIENT_NAME_SIZE];

	if (vnet_port_get(p->plant->sw, p->id, &info) || !info.clients)
		return complain(c, -ENOENT, "port %s has no client", p->name);
	*id = info.client;
	if (info.clients == 1)
		return 0;
	plant_client_name(p->plant, info.client, first);
	return complain(c, -ENOENT,
			"port %s has %" PRIu32 " clients: which one? %s is one",
			p->name, info.clients, first);
}

int
plant_find_client(struct plant *plant, const char *name,
		  struct plant_client *client, struct complaint *c)
{
	const size_t len = strcspn(name, "/");
	const char *slash = strchr(name, '/');
	char port[VNET_PORT_NAME_SIZE];
	uint32_t index = 0;
	int r = 0;

	if (len >= sizeof(port) || (slash && !parse_index(slash + 1, &index)))
		return complain(c, -ENOENT, "there is no client %.*s", QUOTED,
				name);
	memcpy(port, name, len);
	port[len] = '\0';
	client->port = plant_find(plant, port, c);
	if (!client->port)
		return -ENOENT;
	plant_lock(plant);
	if (slash)
		client->id = find_index(client->port, index);
	else
		r = find_sole(client->port, &client->id, c);
	if (!r && client->id == VNET_NO_ID)
		r = complain(c, -ENOENT, "there is no client %.*s", QUOTED,
			     name);
	if (!r)
		plant_client_name(plant, client->id, client->name);
	plant_unlock(plant);
	return r;
}
