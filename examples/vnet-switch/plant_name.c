/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vnet/client.h>

#include "plant_name.h"

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
