/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened, until it is read: a bounded ring.
 */
#ifndef VNET_CORE_EVENT_H
#define VNET_CORE_EVENT_H

#include <vnet/event.h>

#include "core.h"

/* Events are numbered from 1; number k lies at place k modulo the capacity. */
struct vnet_events {
	struct vnet_event *ring;
	uint32_t capacity;
	uint64_t next;        /* number of the next to be raised */
	uint64_t unread;      /* number of the oldest not yet read */
	uint64_t lost;        /* ever */
	uint64_t lost_before; /* when the reader was last told */
};

uint64_t vnet_events_memory(uint32_t capacity);
int vnet_events_init(struct vnet_events *ev, const struct vnet_alloc *alloc,
		     uint32_t capacity);
void vnet_events_fini(struct vnet_events *ev, const struct vnet_alloc *alloc);

void vnet_events_raise(struct vnet_events *ev, const struct vnet_event *event);

/* Read the next one: 1, or 0 if there is none. @now is when an overflow is said
 * to have been. */
int vnet_events_read(struct vnet_events *ev, struct vnet_event *event,
		     vnet_nsec now);

#endif
