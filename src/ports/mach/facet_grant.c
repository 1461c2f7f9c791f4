/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facets of a vif that has a grant: which addresses they have, and what is left of
 * them when it ends.
 */
#include <errno.h>

#include "facet.h"
#include "grant_text.h"

bool
vnet_mach_facet_is_revoked(const struct vnet_mach_facet *f)
{
	return f->vif && f->vif->grant != VNET_NO_ID &&
	       f->client != VNET_NO_ID &&
	       vnet_client_grant(f->device.right.m->sw, f->client) ==
		       VNET_NO_ID;
}

/* Where each client has an address of its own it has the first that is granted
 * and that no other one has. */
static int
add_with_address(struct vnet_mach_facet *f, const struct vnet_port_info *port,
		 struct vnet_client_config *config)
{
	struct vnet_switch *sw = f->device.right.m->sw;
	struct vnet_grant_info info = {.size = sizeof(info)};
	int r = -ENOENT;

	if (vnet_grant_get(sw, f->vif->grant, &info))
		return r;
	r = -EEXIST;
	for (size_t k = 0; r == -EEXIST && k < info.grant.nmacs; k++) {
		const struct vnet_mac_prefix *p = &info.grant.macs[k];
		uint32_t n = p->bits == 48 ? 1 : f->vif->max_clients;

		for (uint32_t i = 0; r == -EEXIST && i < n; i++) {
			config->mac = port->mac;
			config->mac.octet[5] =
				(uint8_t)(port->mac.octet[5] + i);
			config->mac = vnet_mac_below(p, config->mac);
			r = vnet_client_add(sw, f->port, config, &f->client,
					    NULL);
		}
	}
	return r == -EEXIST ? -EUSERS : r;
}

int
vnet_mach_facet_add_client(struct vnet_mach_facet *f,
			   const struct vnet_port_info *port,
			   struct vnet_client_config *config)
{
	config->grant = f->vif->grant;
	if (config->grant != VNET_NO_ID && port->flags & VNET_PORT_PER_CLIENT)
		return add_with_address(f, port, config);
	return vnet_client_add(f->device.right.m->sw, f->port, config,
			       &f->client, NULL);
}

void
vnet_mach_facets_set_grant(struct vnet_mach *m, struct vnet_mach_vif *vif,
			   vnet_grant_id grant)
{
	vif->grant = grant;
	for (struct vnet_mach_facet *f = m->facets; f; f = f->next)
		if (f->vif == vif && f->client != VNET_NO_ID &&
		    vnet_client_set_grant(m->sw, f->client, grant, NULL))
			vnet_mach_facet_close(f);
}
