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

static inline void *
vnet_malloc_get(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	/* C11, 7.22.3.1: the size is a multiple of the alignment. */
	return aligned_alloc(align, (size + align - 1) & ~(align - 1));
}

static inline void
vnet_malloc_put(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

/* An allocator over aligned_alloc() and free(). */
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
