/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance.h"
#include "packet.h"

static int
open_null(void *ctx, struct vnet_switch *sw, vnet_port_id port,
	  vnet_client_id *id)
{
	(void)ctx;
	return vnet_null_open(sw, port, id);
}

int
main(void)
{
	static const struct conformance null = {
		.name = "null",
		.carries = CARRIES_ALL,
		.open = open_null,
	};

	return conformance_run(&null);
}
