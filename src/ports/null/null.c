/* SPDX-License-Identifier: BSD-2-Clause */
#include <vnet/null.h>

static int
take(void *ctx, const struct vnet_frame *frames, size_t n, size_t *refused)
{
	(void)ctx;
	(void)frames;
	(void)refused;
	return (int)n;
}

int
vnet_null_open(struct vnet_switch *sw, vnet_port_id port, vnet_client_id *id)
{
	static const struct vnet_driver_ops ops = {
		.size = sizeof(ops),
		.carries = VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 |
			   VNET_CARRIES_TSO6 | VNET_CARRIES_USO |
			   VNET_CARRIES_TAGS,
		.send = take,
	};
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &ops,
	};

	return vnet_client_add(sw, port, &config, id, NULL);
}
