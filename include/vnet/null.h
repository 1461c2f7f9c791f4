/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The null driver: takes everything, keeps nothing. What it was given, the
 * client's counters say.
 */
#ifndef VNET_NULL_H
#define VNET_NULL_H

#include <vnet/types.h>
#include <vnet/client.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/**
 * vnet_null_open() - open a port with the null driver, which carries everything
 * @id:		set on success
 *
 * Return: as vnet_client_add().
 */
VNET_API int vnet_null_open(struct vnet_switch *sw, vnet_port_id port,
			    vnet_client_id *id);

VNET_END_DECLS

#endif
