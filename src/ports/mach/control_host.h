/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the requests of control are made of beyond the switch: the server's parts,
 * as far as they are shown and changed. It knows no header of Mach, so that
 * requests can be tested on every machine; control.c has the real one.
 */
#ifndef VNET_CONTROL_HOST_H
#define VNET_CONTROL_HOST_H

#include <vnet/grant.h>
#include <vnet/switch.h>

#include "control_figures.h"

/* Octets of the name of a device, with the terminating NUL. */
#define VNET_CONTROL_NAME_SIZE 128

/* A port that is opened by device_open, see struct vnet_mach_vif_config. @device:
 * by which name one is to be opened that is made. @grant: VNET_NO_ID for none. */
struct vnet_control_vif {
	const char *device;
	bool may_promisc;
	bool may_set_address;
	uint32_t max_clients;
	vnet_grant_id grant;
};

/* The largest MTU of one. */
#define VNET_CONTROL_VIF_MTU_MAX 4087

/* A right that a request has brought: who @is_device is the device itself, else
 * one that opens it by its name. 0: none. */
struct vnet_control_right {
	unsigned long name;
	bool is_device;
};

/**
 * struct vnet_control_uplink - see vnet/mach_uplink.h
 * @name, @no_promisc, @is_shared, @may_share: as it was, or is to be, made
 * @state:	the rest as it is: in a word
 * @error:	the number of what the last attempt failed of, or 0
 * @mac:	zero while it is not known; @mtu likewise
 */
struct vnet_control_uplink {
	char name[VNET_CONTROL_NAME_SIZE];
	bool no_promisc;
	bool is_shared;
	bool may_share;
	const char *state;
	uint32_t error;
	struct vnet_mac mac;
	uint32_t mtu;
	uint32_t flags;
	bool promisc_refused;
};

/* An open of a vif, see struct vnet_mach_facet_info. */
struct vnet_control_facet {
	uint32_t filters;
	uint32_t reads;
	uint32_t flags;
};

/* Counters by their names. */
#define VNET_CONTROL_NUMBERS 24

struct vnet_control_numbers {
	size_t n;
	struct {
		const char *name;
		uint64_t value;
	} of[VNET_CONTROL_NUMBERS];
};

/**
 * struct vnet_control_host - a server, to whoever controls it
 * @sw:		its switch
 * @alloc:	its memory
 * @now:	the time
 * @version:	of the program or the library
 * @vif_get:	-ENOENT if the port is no vif
 * @vif_add, @vif_remove: make a port a vif, and take that back
 * @vif_changed: it is to be like this; and the port's MTU may be another
 * @uplink_get:	-ENOENT if the port is no uplink of ours
 * @uplink_add:	takes the right on success; and so does
 * @uplink_give: another right for the same
 * @facet_get:	-ENOENT if the client is no facet
 * @facet_close: its client goes, its right answers on
 * @past:	adds what clients of a port have counted that have gone
 * @medium:	what is counted outside the switch: of a client, or with
 *		VNET_NO_ID of the port as a whole. False if there is nothing
 * @server:	what the server counts
 * @ctx:	handed to all of them
 *
 * Everything is called under the server's lock. What fails returns -errno, with
 * why, if it takes one.
 */
struct vnet_control_host {
	struct vnet_switch *sw;
	const struct vnet_alloc *alloc;
	const char *version;
	vnet_nsec (*now)(void *ctx);
	int (*vif_get)(void *ctx, vnet_port_id port,
		       struct vnet_control_vif *vif);
	int (*vif_add)(void *ctx, vnet_port_id port,
		       const struct vnet_control_vif *vif,
		       struct vnet_why *why);
	void (*vif_remove)(void *ctx, vnet_port_id port);
	void (*vif_changed)(void *ctx, vnet_port_id port,
			    const struct vnet_control_vif *vif);
	int (*uplink_get)(void *ctx, vnet_port_id port,
			  struct vnet_control_uplink *uplink);
	int (*uplink_add)(void *ctx, vnet_port_id port,
			  const struct vnet_control_uplink *uplink,
			  const struct vnet_control_right *right,
			  struct vnet_why *why);
	int (*uplink_give)(void *ctx, vnet_port_id port,
			   const struct vnet_control_right *right);
	int (*facet_get)(void *ctx, vnet_client_id client,
			 struct vnet_control_facet *facet);
	void (*facet_close)(void *ctx, vnet_client_id client);
	void (*past)(void *ctx, vnet_port_id port, struct vnet_figures *sum);
	bool (*medium)(void *ctx, vnet_port_id port, vnet_client_id client,
		       struct vnet_control_numbers *numbers);
	void (*server)(void *ctx, struct vnet_control_numbers *numbers);
	void *ctx;
};

#endif
