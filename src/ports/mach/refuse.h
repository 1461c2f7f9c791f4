/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saying why something is refused.
 */
#ifndef VNET_MACH_REFUSE_H
#define VNET_MACH_REFUSE_H

#include <vnet/types.h>

/* Fill @why, which may be NULL. Returns @error. */
static inline int
refuse(struct vnet_why *why, int error, const char *text, size_t index,
       uint64_t found, uint64_t bound)
{
	if (why)
		*why = (struct vnet_why){text, index, found, bound};
	return error;
}

#endif
