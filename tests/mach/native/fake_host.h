/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server to be controlled, without Mach: a real switch, and in the place of
 * facets and uplinks what remembers how it was made. It counts rights that it
 * has taken.
 */
#ifndef VNET_TEST_FAKE_HOST_H
#define VNET_TEST_FAKE_HOST_H

#include "control_session.h"

#define FAKE_HOST_VIFS    8
#define FAKE_HOST_UPLINKS 4
#define FAKE_HOST_CLIENTS 32

struct fake_host_vif {
	vnet_port_id port;
	struct vnet_control_vif vif;
	struct vnet_figures past;
};

struct fake_host_uplink {
	vnet_port_id port;
	vnet_client_id client;
	struct vnet_control_uplink uplink;
	struct vnet_control_right right;
};

/* An open of a vif: takes all frames. */
struct fake_host_facet {
	struct fake_host *host;
	vnet_client_id client;
	uint64_t frames;
};

struct fake_host {
	struct vnet_control_host host;
	vnet_nsec now;
	unsigned int ntaken; /* rights */
	int refuse;          /* what the next uplink or vif fails with */
	struct fake_host_vif vifs[FAKE_HOST_VIFS];
	struct fake_host_uplink uplinks[FAKE_HOST_UPLINKS];
	struct fake_host_facet facets[FAKE_HOST_CLIENTS];
};

void fake_host_init(struct fake_host *f, struct vnet_switch *sw,
		    const struct vnet_alloc *alloc);

/* Open the vif that is called so, as device_open does. VNET_NO_ID if it cannot
 * be. */
vnet_client_id fake_host_open(struct fake_host *f, const char *vif);

/* The next octets of answers, up to @room: 0 if there are none. */
size_t fake_host_read(struct vnet_control_session *s, char *to, size_t room);

#endif
