/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server without vifs and masters, whose device.c is made of what MIG gives:
 * what server.c and demux.c call of these is not called here.
 */
#include <stdlib.h>

#include "control.h"
#include "facet.h"
#include "master.h"

const struct vnet_mach_sys vnet_mach_kernel;

void
vnet_mach_facet_end(struct vnet_mach_facet *f)
{
	(void)f;
	abort();
}

void
vnet_mach_master_end(struct vnet_mach_master *s)
{
	(void)s;
	abort();
}

void
vnet_mach_facets_revoke(struct vnet_mach *m, struct vnet_mach_vif *vif)
{
	(void)m;
	(void)vif;
	abort();
}

void
vnet_mach_facets_died(struct vnet_mach *m, mach_port_t name)
{
	(void)m;
	(void)name;
}

bool
vnet_mach_do_work(struct vnet_mach *m, bool wait, mach_port_t thread)
{
	(void)m;
	(void)wait;
	(void)thread;
	return false;
}

mach_port_t
vnet_mach_enter(struct vnet_mach *m)
{
	(void)m;
	return MACH_PORT_NULL;
}

void
vnet_mach_leave(struct vnet_mach *m, mach_port_t thread)
{
	(void)m;
	(void)thread;
}

void
vnet_mach_jobs_end(struct vnet_mach *m)
{
	(void)m;
}

void
vnet_mach_control_end(struct vnet_mach_control *c)
{
	(void)c;
	abort();
}
