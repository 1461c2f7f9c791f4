/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface of lwIP whose medium is a client of a vif of a switch. What lwIP
 * sends goes there as it is, and what is read there goes to lwIP.
 *
 * All of it is used with lwIP's core lock held, as lwIP itself is: so one thread
 * at a time uses the client.
 */
#ifndef ATTACHIF_H
#define ATTACHIF_H

#include <lwip/netif.h>

#include <vnet/attach.h>

/**
 * struct attachif - the state of a netif, to be zeroed
 * @attach:	set by the caller, and closed by it
 * @room:	where a packet in several pieces is put together
 */
struct attachif {
	struct netif netif;
	struct vnet_attach *attach;
	uint8_t room[UINT16_MAX];
};

/* For netif_add(), with a struct attachif as its state. */
err_t attachif_init(struct netif *netif);

/* Give lwIP what the switch has for it, as long as that fits in one call.
 * Return: 0; -EPIPE if the switch has ended the session, -ENOMEM. */
int attachif_read(struct attachif *nic);

#endif
