/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "server.h"
#include "writes.h"

void
vnet_mach_writes_add(struct vnet_mach *m, struct vnet_mach_writes *q,
		     vm_address_t address, const void *inband, uint32_t len)
{
	struct vnet_mach_write *w =
		&q->write[(q->first + q->n++) % VNET_MACH_MAX_WRITES];

	w->is_inband = inband != NULL;
	w->address = address;
	w->len = len;
	if (inband)
		memcpy(w->inband, inband, len);
	if (!q->is_busy)
		vnet_mach_job_add(m, &q->job);
}

struct vnet_mach_write
vnet_mach_writes_take(struct vnet_mach_writes *q)
{
	const struct vnet_mach_write *w = &q->write[q->first];

	q->first = (q->first + 1) % VNET_MACH_MAX_WRITES;
	q->n--;
	return *w;
}

void
vnet_mach_writes_clear(const struct vnet_mach *m, struct vnet_mach_writes *q)
{
	while (q->n) {
		const struct vnet_mach_write w = vnet_mach_writes_take(q);

		if (!w.is_inband)
			m->sys->vm_deallocate(w.address, w.len);
	}
}
