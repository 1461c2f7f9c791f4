/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several stacks share that have one MAC address: each gets all that comes
 * for that. A receive filter in the switch keeps away from this one what has the
 * IPv4 address of another.
 */
#ifndef OWN_FILTER_H
#define OWN_FILTER_H

#include <lwip/ip4_addr.h>

#include <vnet/attach.h>

/* Return: as vnet_attach_set_filters(). */
int own_filter_set(struct vnet_attach *attach, const ip4_addr_t *own,
		   struct vnet_why *why);

#endif
