/* SPDX-License-Identifier: BSD-2-Clause */
#include "heap.h"

static bool
is_above(struct vnet_heap_node a, struct vnet_heap_node b)
{
	return a.key > b.key || (a.key == b.key && a.id < b.id);
}

static void
place(struct vnet_heap *h, uint32_t i, struct vnet_heap_node node)
{
	h->node[i] = node;
	h->pos[node.id] = i;
}

/* Put @node where it belongs, given that place @i is free and all else is in
 * order. */
static void
settle(struct vnet_heap *h, uint32_t i, struct vnet_heap_node node)
{
	uint32_t child;

	while (i > 0 && is_above(node, h->node[(i - 1) / 2])) {
		place(h, i, h->node[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n &&
		    is_above(h->node[child + 1], h->node[child]))
			child++;
		if (!is_above(h->node[child], node))
			break;
		place(h, i, h->node[child]);
		i = child;
	}
	place(h, i, node);
}

void
vnet_heap_insert(struct vnet_heap *h, uint32_t id, uint32_t key)
{
	h->n++;
	settle(h, h->n - 1, (struct vnet_heap_node){key, id});
}

void
vnet_heap_update(struct vnet_heap *h, uint32_t id, uint32_t key)
{
	settle(h, h->pos[id], (struct vnet_heap_node){key, id});
}

void
vnet_heap_remove(struct vnet_heap *h, uint32_t id)
{
	uint32_t i = h->pos[id];

	h->n--;
	if (i < h->n)
		settle(h, i, h->node[h->n]);
}
