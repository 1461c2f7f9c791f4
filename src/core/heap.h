/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A heap of numbered things by a key, the largest on top: which client holds
 * the most of something, which sub-queue is the longest.
 *
 * Equal keys: the lower number is on top, so that the top depends on what is in
 * the heap and not on how it came there.
 */
#ifndef VNET_HEAP_H
#define VNET_HEAP_H

#include "core.h"

struct vnet_heap_node {
	uint32_t key;
	uint32_t id;
};

/**
 * struct vnet_heap - in memory that its owner provides
 * @node:	room for as many as are ever in it at once
 * @pos:	by id: where it is in @node. Several heaps may share it where
 *		no id is in two of them
 * @n:		how many are in it
 */
struct vnet_heap {
	struct vnet_heap_node *node;
	uint32_t *pos;
	uint32_t n;
};

void vnet_heap_insert(struct vnet_heap *h, uint32_t id, uint32_t key);
void vnet_heap_update(struct vnet_heap *h, uint32_t id, uint32_t key);
void vnet_heap_remove(struct vnet_heap *h, uint32_t id);

#endif
