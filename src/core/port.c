/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "eth.h"
#include "port.h"
#include "siphash.h"
#include "why.h"

#define FLAGS_ALL                                                          \
	(VNET_PORT_PER_CLIENT | VNET_PORT_NO_SIBLINGS | VNET_PORT_STICKY | \
	 VNET_PORT_LOOP_GUARD)

static uint64_t
load_seed(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 8; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

struct vnet_mac
vnet_mac_derive(const uint8_t seed[16], const char *name)
{
	const uint64_t key[2] = {load_seed(seed), load_seed(seed + 8)};
	struct vnet_mac mac;
	size_t len = 0;

	while (name[len])
		len++;
	vnet_mac_store(mac.octet,
		       vnet_siphash(key, (const uint8_t *)name, len) >> 16);
	mac.octet[0] = (mac.octet[0] & 0xfc) | 0x02;
	return mac;
}

int
vnet_port_flags_check(uint32_t flags, struct vnet_why *why)
{
	if (flags & ~(uint32_t)FLAGS_ALL)
		return vnet_why(why, "unknown flags of a port", 6, flags,
				FLAGS_ALL);
	return 0;
}

static bool
has_mac(const struct vnet_port_config *config)
{
	static const struct vnet_mac none;

	return memcmp(&config->mac, &none, sizeof(none)) != 0;
}

int
vnet_port_config_check(const struct vnet_port_config *config,
		       struct vnet_why *why)
{
	if (config->size != sizeof(*config))
		return vnet_why(why, "size of the port's configuration", 0,
				config->size, sizeof(*config));
	if (!config->name || !config->name[0])
		return vnet_why(why, "port without a name", 1, 0, 0);
	if (vnet_name_len(config->name, VNET_PORT_NAME_SIZE) ==
	    VNET_PORT_NAME_SIZE)
		return vnet_why(why, "port name too long", 1,
				VNET_PORT_NAME_SIZE, VNET_PORT_NAME_SIZE - 1);
	if ((unsigned int)config->role > VNET_ROLE_UPLINK)
		return vnet_why(why, "unknown role", 2, config->role,
				VNET_ROLE_UPLINK);
	if (config->mac.octet[0] & 1)
		return vnet_why(why, "port address is a group", 3,
				config->mac.octet[0], 0);
	if (config->mtu && config->mtu < VNET_MTU_MIN)
		return vnet_why(why, "mtu too small", 4, config->mtu,
				VNET_MTU_MIN);
	if (config->mtu > VNET_MTU_MAX)
		return vnet_why(why, "mtu too large", 4, config->mtu,
				VNET_MTU_MAX);
	if (config->flags & VNET_PORT_PER_CLIENT &&
	    (config->role != VNET_ROLE_VIF || !has_mac(config)))
		return vnet_why(why,
				"addresses per client need a vif with an "
				"address",
				6, config->flags, 0);
	return vnet_port_flags_check(config->flags, why);
}

void
vnet_port_init(struct vnet_port *port, vnet_port_id id,
	       const struct vnet_port_config *config)
{
	*port = (struct vnet_port){
		.id = id,
		.role = config->role,
		.mtu = config->mtu ? config->mtu : VNET_MTU_DEFAULT,
		.link = !config->link_down,
		.flags = config->flags,
		.mac = config->mac,
	};
	memcpy(port->name, config->name,
	       vnet_name_len(config->name, VNET_PORT_NAME_SIZE));
	vnet_chain_init(&port->chain[VNET_INGRESS]);
	vnet_chain_init(&port->chain[VNET_EGRESS]);
}
