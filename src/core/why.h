/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saying why something was refused, and the names that are refused most.
 */
#ifndef VNET_WHY_H
#define VNET_WHY_H

#include <errno.h>

#include "core.h"

/* Fill @why, which may be NULL. Returns -EINVAL. */
VNET_INLINE int
vnet_why(struct vnet_why *why, const char *text, size_t index, uint64_t found,
	 uint64_t bound)
{
	if (why)
		*why = (struct vnet_why){
			.text = text,
			.index = index,
			.found = found,
			.bound = bound,
		};
	return -EINVAL;
}

/* The same for another error. Returns @err. */
VNET_INLINE int
vnet_why_not(struct vnet_why *why, int err, const char *text, uint64_t found,
	     uint64_t bound)
{
	(void)vnet_why(why, text, 0, found, bound);
	return err;
}

/* Errors of which there is no more to be said. Returns @err. */
VNET_INLINE int
vnet_why_errno(struct vnet_why *why, int err)
{
	return vnet_why_not(why, err,
			    err == -ENOMEM   ? "no memory"
			    : err == -EBUSY  ? "called from inside a driver"
			    : err == -ENOENT ? "no such port"
					     : "failed",
			    0, 0);
}

/* Octets of @name without its NUL; @size if it has none within @size. */
VNET_INLINE size_t
vnet_name_len(const char *name, size_t size)
{
	size_t n = 0;

	while (n < size && name[n])
		n++;
	return n;
}

VNET_INLINE bool
vnet_name_equals(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

#endif
