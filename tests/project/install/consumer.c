/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user of the installed library, in what C and C++ have in common: a frame
 * from one of three ports is flooded to the two others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/libvnet.h>
#include <vnet/malloc.h>

static vnet_client_id
add_port(struct vnet_switch *sw, const char *name)
{
	struct vnet_port_config config;
	vnet_port_id port;
	vnet_client_id client;

	memset(&config, 0, sizeof(config));
	config.size = sizeof(config);
	config.name = name;
	if (vnet_port_add(sw, &config, &port, NULL) != 0 ||
	    vnet_null_open(sw, port, &client) != 0)
		exit(1);
	return client;
}

int
main(void)
{
	static const uint8_t octets[60] = {0xff, 0xff, 0xff, 0xff,
					   0xff, 0xff, 2};
	const struct vnet_alloc alloc = vnet_malloc();
	struct vnet_switch_config config;
	struct vnet_switch_stats stats;
	struct vnet_frame frame;
	struct vnet_switch *sw;
	vnet_client_id a;

	memset(&config, 0, sizeof(config));
	config.size = sizeof(config);
	config.alloc = &alloc;
	if (vnet_switch_create(&sw, &config, NULL) != 0)
		return 1;
	a = add_port(sw, "a");
	add_port(sw, "b");
	add_port(sw, "c");

	memset(&frame, 0, sizeof(frame));
	frame.data = octets;
	frame.len = sizeof(octets);
	vnet_switch_input(sw, a, &frame, 1, 0);

	stats.size = sizeof(stats);
	if (vnet_switch_get_stats(sw, &stats) != 0 ||
	    !vnet_switch_check(sw, NULL))
		return 1;
	printf("%u frames\n", (unsigned)stats.total.delivered.frames);
	vnet_switch_destroy(sw);
	return 0;
}
