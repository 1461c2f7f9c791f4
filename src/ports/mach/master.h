/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Masters: rights that open devices by name.
 */
#ifndef VNET_MACH_MASTER_H
#define VNET_MACH_MASTER_H

#include "server.h"

struct vnet_mach_master_name {
	struct vnet_mach_master_name *next;
	struct vnet_mach_name name;
	uint32_t created;
	char text[VNET_MACH_NAME_SIZE];
};

struct vnet_mach_master {
	struct vnet_mach_right right; /* first */
	struct vnet_mach_master *next;
	struct vnet_mach_master_name *names, **names_end;
	mach_port_t real;
	uint32_t clients; /* facets opened on it that are there */
	uint32_t max_clients;
	char control[VNET_MACH_NAME_SIZE]; /* empty: may not */
};

/* Let a vif be opened by that name, whatever other names begin alike: until it
 * is forgotten. Under the lock; and so below. Return: 0; -EEXIST if another vif
 * is, -ENOMEM. */
int vnet_mach_master_name_vif(struct vnet_mach_master *s, const char *name,
			      vnet_port_id port);

/* No master has a name for that vif any more. */
void vnet_mach_masters_forget(struct vnet_mach *m, vnet_port_id port);

/* vnet_mach_master_remove(), under the lock. */
void vnet_mach_master_end(struct vnet_mach_master *s);

#endif
