/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface that is there (a NIC, one end of a veth) as a port: all that it
 * receives comes in, what goes out it sends.
 *
 * The host's own stack keeps using the interface, beside us: what it sends
 * there does not come in, and it hears what we hear.
 */
#ifndef VNET_UPLINK_H
#define VNET_UPLINK_H

#include <vnet/types.h>
#include <vnet/medium.h>

VNET_BEGIN_DECLS

/**
 * struct vnet_uplink_config - an interface to open
 * @size:	sizeof(struct vnet_uplink_config)
 * @name:	of the interface
 * @netns:	where it is; see struct vnet_tap_config
 * @own_only:	only frames to its own address, and to groups, come in; it is
 *		not made promiscuous
 * @without:	VNET_CARRIES_*: what not to use
 */
struct vnet_uplink_config {
	size_t size;
	const char *name;
	const char *netns;
	bool own_only;
	uint32_t without;
};

/**
 * vnet_uplink_open() - open an interface
 * @m:		set on success
 * @media:	outlives it
 * @why:	filled when it fails, with the step that did; may be NULL
 *
 * Return: 0; -EINVAL if the configuration is wrong or the interface is none of
 * Ethernet, -ENODEV if there is none of that name, -ENOMEM, or what the kernel
 * says: -EPERM, ...
 */
VNET_API int vnet_uplink_open(struct vnet_medium **m, struct vnet_media *media,
			      const struct vnet_uplink_config *config,
			      struct vnet_why *why);

VNET_END_DECLS

#endif
