/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include <vnet/types.h>

#include "names.h"

/* However many things are expected. */
#define MAX_PLACES (UINT32_C(1) << 20)

/* Names of i386 are small numbers in order, those of other systems have a
 * generation in their low bits: both spread. */
static struct vnet_mach_named **
place(const struct vnet_mach_names *t, mach_port_t name)
{
	uint32_t n = (uint32_t)name;

	return &t->places[(n ^ n >> 8) & (t->nplaces - 1)];
}

int
vnet_mach_names_init(struct vnet_mach_names *t, const struct vnet_alloc *alloc,
		     uint32_t expected)
{
	uint32_t i;

	t->nplaces = 16;
	while (t->nplaces < expected && t->nplaces < MAX_PLACES)
		t->nplaces *= 2;
	t->places = alloc->get(alloc->ctx,
			       t->nplaces * sizeof(struct vnet_mach_named *),
			       _Alignof(struct vnet_mach_named *));
	if (!t->places)
		return -ENOMEM;
	for (i = 0; i < t->nplaces; i++)
		t->places[i] = NULL;
	return 0;
}

void
vnet_mach_names_fini(struct vnet_mach_names *t, const struct vnet_alloc *alloc)
{
	alloc->put(alloc->ctx, t->places,
		   t->nplaces * sizeof(struct vnet_mach_named *));
}

void
vnet_mach_names_add(struct vnet_mach_names *t, struct vnet_mach_named *n,
		    mach_port_t name)
{
	struct vnet_mach_named **p = place(t, name);

	n->name = name;
	n->next = *p;
	*p = n;
}

void
vnet_mach_names_remove(struct vnet_mach_names *t, struct vnet_mach_named *n)
{
	struct vnet_mach_named **p;

	if (n->name == MACH_PORT_NULL)
		return;
	p = place(t, n->name);
	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
	n->name = MACH_PORT_NULL;
}

struct vnet_mach_named *
vnet_mach_names_find(const struct vnet_mach_names *t, mach_port_t name)
{
	struct vnet_mach_named *n = *place(t, name);

	while (n && n->name != name)
		n = n->next;
	return n;
}
