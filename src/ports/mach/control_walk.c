/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "control_name.h"
#include "control_walk.h"

bool
vnet_control_walk_port(const struct vnet_control_host *h,
		       struct vnet_control_walk *k, struct vnet_port_info *port)
{
	*port = (struct vnet_port_info){.size = sizeof(*port)};
	/* One that goes while it is walked through has nothing more to show. */
	if (k->has_begun && !vnet_port_get(h->sw, k->port, port))
		return true;
	if (k->has_begun)
		vnet_control_walk_leave(k);
	do {
		if (!k->is_one)
			k->port = vnet_port_next(h->sw, k->port);
		else if (k->is_over)
			return false;
		k->is_over = true;
		if (k->port == VNET_NO_ID)
			return false;
	} while (vnet_port_get(h->sw, k->port, port));
	k->has_begun = true;
	return true;
}

void
vnet_control_walk_leave(struct vnet_control_walk *k)
{
	k->has_begun = false;
	k->side = 0;
	k->index = 0;
}

int
vnet_control_walk_begin(struct vnet_control_call *call, const char *name)
{
	struct vnet_control_walk *k = call->walk;

	k->is_list = true;
	k->is_one = *name != '\0';
	if (!k->is_one)
		return 0;
	k->port = vnet_control_find_port(call->host->sw, name, call->c);
	return k->port == VNET_NO_ID ? -ENOENT : 0;
}
