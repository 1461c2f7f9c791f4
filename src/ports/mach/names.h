/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Things by the name of a right. The kernel gives a right one name in a task, so
 * that equal rights are found under equal names.
 */
#ifndef VNET_MACH_NAMES_H
#define VNET_MACH_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include <mach/port.h>

struct vnet_alloc;

/* Part of what is to be found. */
struct vnet_mach_named {
	struct vnet_mach_named *next; /* of the same place */
	mach_port_t name;             /* MACH_PORT_NULL: not in a table */
};

/* What that is a part of. */
#define VNET_MACH_CONTAINER(p, type, member) \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

struct vnet_mach_names {
	struct vnet_mach_named **places;
	uint32_t nplaces; /* a power of two */
};

/* Make a table for about @expected. Return: 0, -ENOMEM. */
int vnet_mach_names_init(struct vnet_mach_names *t,
			 const struct vnet_alloc *alloc, uint32_t expected);
void vnet_mach_names_fini(struct vnet_mach_names *t,
			  const struct vnet_alloc *alloc);

void vnet_mach_names_add(struct vnet_mach_names *t, struct vnet_mach_named *n,
			 mach_port_t name);
/* Nothing to do if it is in none. */
void vnet_mach_names_remove(struct vnet_mach_names *t,
			    struct vnet_mach_named *n);
struct vnet_mach_named *vnet_mach_names_find(const struct vnet_mach_names *t,
					     mach_port_t name);

#endif
