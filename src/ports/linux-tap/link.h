/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interfaces, as rtnetlink(7) shows and changes them, through libmnl. Each call
 * asks the kernel and waits for its answer.
 */
#ifndef VNET_LINUX_LINK_H
#define VNET_LINUX_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vnet/types.h>
#include <vnet/medium.h>

struct mnl_socket;

/**
 * struct link_info - an interface as it is
 * @type:	ARPHRD_*
 * @running:	it is up, and so is what it is connected to
 * @has_pi:	it is a TAP, and has a struct tun_pi before each frame
 * @rx_dropped, @tx_dropped: frames that it dropped, of those that came to it
 *		and of those that it was to send
 */
struct link_info {
	uint32_t index;
	char name[VNET_MEDIUM_NAME_SIZE];
	struct vnet_mac mac;
	uint32_t mtu;
	uint16_t type;
	bool up;
	bool running;
	bool has_pi;
	uint64_t rx_dropped;
	uint64_t tx_dropped;
};

/* What to change of an interface; what is zero stays. */
struct link_change {
	struct vnet_mac mac;
	uint32_t mtu;
	uint32_t gso_max_segs;
	bool up;
	bool down;
};

/* A way to the interfaces of a namespace, NETNS_HERE or a descriptor, which
 * hears of what is told to @groups (RTMGRP_*). 0 with *@nl set, or -errno;
 * mnl_socket_close() ends it. */
int vnet_link_open(int ns, unsigned int groups, struct mnl_socket **nl);

/* The interface of that name, or, if it is NULL, of that index. 0 or -errno,
 * -ENODEV if there is none. */
int vnet_link_get(struct mnl_socket *nl, const char *name, uint32_t index,
		  struct link_info *info);

/* 0 or -errno. */
int vnet_link_set(struct mnl_socket *nl, uint32_t index,
		  const struct link_change *change);

/* Add "ADDRESS/PREFIX", IPv4 or IPv6; one that is there is no error. 0 or
 * -errno, -EINVAL if it is no such text. */
int vnet_link_add_address(struct mnl_socket *nl, uint32_t index,
			  const char *text);

/* Likewise; one that is not there is no error. */
int vnet_link_remove_address(struct mnl_socket *nl, uint32_t index,
			     const char *text);

#endif
