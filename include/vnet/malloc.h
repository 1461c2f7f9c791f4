/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for a switch from the C library, for programs that have one. In this
 * header alone, so that libvnet itself needs none; <vnet/libvnet.h> leaves it
 * out.
 */
#ifndef VNET_MALLOC_H
#define VNET_MALLOC_H

#include <stdlib.h>

#include <vnet/types.h>

/*
 * Aligned by hand, with what malloc() returned in front: before glibc 2.38
 * aligned_alloc() leaves pieces behind that it does not use again (bug 14581),
 * so that a switch whose ports come and go would grow.
 */
static inline void *
vnet_malloc_get(void *ctx, size_t size, size_t align)
{
	const size_t front = sizeof(void *) + align - 1;
	char *p;
	void *aligned;

	(void)ctx;
	if (size > SIZE_MAX - front)
		return NULL;
	p = (char *)malloc(size + front);
	if (!p)
		return NULL;
	aligned = p + front - ((uintptr_t)p + front) % align;
	((void **)aligned)[-1] = p;
	return aligned;
}

static inline void
vnet_malloc_put(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(((void **)p)[-1]);
}

/* An allocator over malloc() and free(). */
static inline struct vnet_alloc
vnet_malloc(void)
{
	struct vnet_alloc alloc;

	alloc.get = vnet_malloc_get;
	alloc.put = vnet_malloc_put;
	alloc.ctx = NULL;
	return alloc;
}

#endif
