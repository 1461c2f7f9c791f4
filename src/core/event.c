/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "event.h"

uint64_t
vnet_events_memory(uint32_t capacity)
{
	return (uint64_t)capacity * sizeof(struct vnet_event);
}

int
vnet_events_init(struct vnet_events *ev, const struct vnet_alloc *alloc,
		 uint32_t capacity)
{
	*ev = (struct vnet_events){
		.capacity = capacity,
		.next = 1,
		.unread = 1,
	};
	ev->ring = alloc->get(alloc->ctx, capacity * sizeof(*ev->ring),
			      VNET_CACHE_LINE);
	return ev->ring ? 0 : -ENOMEM;
}

void
vnet_events_fini(struct vnet_events *ev, const struct vnet_alloc *alloc)
{
	alloc->put(alloc->ctx, ev->ring, ev->capacity * sizeof(*ev->ring));
}

/* The capacity is a power of two, for numbers of 64 bits are not divided. */
static struct vnet_event *
place(const struct vnet_events *ev, uint64_t number)
{
	return &ev->ring[(uint32_t)number & (ev->capacity - 1)];
}

void
vnet_events_raise(struct vnet_events *ev, const struct vnet_event *event)
{
	struct vnet_event *e;

	if (ev->next - ev->unread == ev->capacity) {
		ev->lost++;
		return;
	}
	e = place(ev, ev->next++);
	*e = *event;
	e->size = sizeof(*e);
	if (!e->count)
		e->count = 1;
}

int
vnet_events_read(struct vnet_events *ev, struct vnet_event *event,
		 vnet_nsec now)
{
	uint64_t lost;

	if (ev->lost != ev->lost_before) {
		/* What is older than the loss would mislead a reader who reads
		 * everything anew. */
		ev->lost += ev->next - ev->unread;
		ev->unread = ev->next;
		lost = ev->lost - ev->lost_before;
		ev->lost_before = ev->lost;
		*event = (struct vnet_event){
			.size = sizeof(*event),
			.type = VNET_EVENT_OVERFLOW,
			.count =
				lost < UINT32_MAX ? (uint32_t)lost : UINT32_MAX,
			.time = now,
		};
		return 1;
	}
	if (ev->unread == ev->next)
		return 0;
	*event = *place(ev, ev->unread);
	ev->unread++;
	return 1;
}

const char *
vnet_event_name(enum vnet_event_type type)
{
	static const char names[VNET_NEVENTS][20] = {
		[VNET_EVENT_OVERFLOW] = "overflow",
		[VNET_EVENT_PORT_ADDED] = "port_added",
		[VNET_EVENT_PORT_REMOVED] = "port_removed",
		[VNET_EVENT_CLIENT_ADDED] = "client_added",
		[VNET_EVENT_CLIENT_REMOVED] = "client_removed",
		[VNET_EVENT_LINK_UP] = "link_up",
		[VNET_EVENT_LINK_DOWN] = "link_down",
		[VNET_EVENT_DRIVER_ERROR] = "driver_error",
		[VNET_EVENT_ADDRESS_MOVED] = "address_moved",
		[VNET_EVENT_FDB_FULL] = "fdb_full",
		[VNET_EVENT_QUEUE_FULL] = "queue_full",
		[VNET_EVENT_LOOP] = "loop",
		[VNET_EVENT_ADDRESS_HELD] = "address_held",
		[VNET_EVENT_MOVE_REFUSED] = "move_refused",
		[VNET_EVENT_LIMITED] = "limited",
		[VNET_EVENT_GRANT_ENDED] = "grant_ended",
		[VNET_EVENT_NOT_GRANTED] = "not_granted",
	};

	if ((unsigned int)type >= VNET_NEVENTS)
		return NULL;
	return names[type];
}
