/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened to a switch: a bounded ring of what was done to it, and behind
 * that, for each client, what its traffic did.
 *
 * When the ring is full, what comes is lost. VNET_EVENT_OVERFLOW is then read
 * next, in place of all that the ring held: the reader reads everything anew.
 * What traffic does (an address
 * moved, a limit was reached) pushes nothing out: a client has one event
 * of each of these types at the most that waits to be read, and repeats only
 * count it up. They are read when the ring is empty, in order of clients. Those
 * of a client that is removed go with it; the counters keep what they counted.
 */
#ifndef VNET_EVENT_H
#define VNET_EVENT_H

#include <vnet/types.h>

VNET_BEGIN_DECLS

struct vnet_switch;

enum vnet_event_type {
	VNET_EVENT_OVERFLOW = 0, /* events were lost: read everything anew */
	VNET_EVENT_PORT_ADDED,
	VNET_EVENT_PORT_REMOVED,
	VNET_EVENT_CLIENT_ADDED,
	VNET_EVENT_CLIENT_REMOVED,
	VNET_EVENT_LINK_UP,
	VNET_EVENT_LINK_DOWN,
	VNET_EVENT_DRIVER_ERROR,  /* send said that it is broken: @error */
	VNET_EVENT_ADDRESS_MOVED, /* @mac, to @client; repeats: the last one */
	VNET_EVENT_FDB_FULL,      /* @mac found no room, or took another's */
	VNET_EVENT_QUEUE_FULL,    /* frames for @client were dropped */
	VNET_EVENT_LOOP, /* a loop probe came back: @client is closed, and with
			  * it the link of @port if it has no other */
	VNET_EVENT_ADDRESS_HELD, /* @mac flaps: it stays at @client, a minute */
	VNET_EVENT_MOVE_REFUSED, /* @client sends from @mac, which is held or
				   * sticky elsewhere */
	VNET_EVENT_LIMITED,      /* frames from or for @client were dropped by a
				   * limit, its own, its port's or a grant's */
	VNET_EVENT_GRANT_ENDED,  /* the grant of @client: it is closed */
	VNET_EVENT_NOT_GRANTED,  /* frames from @client were outside of its
				   * grant, or undecided; @mac: the last one's
				   * source */
	VNET_NEVENTS
};

/**
 * struct vnet_event - something that happened
 * @size:	sizeof(struct vnet_event), set by the caller
 * @type:	what
 * @count:	how often, since the event was raised
 * @time:	when, the first time: the switch's time then
 * @port:	whose port, or VNET_NO_ID; may have gone since
 * @client:	whose client, or VNET_NO_ID; may have gone since
 * @mac:	the address, where the type says so
 * @error:	the -errno, where the type says so
 */
struct vnet_event {
	size_t size;
	enum vnet_event_type type;
	uint32_t count;
	vnet_nsec time;
	vnet_port_id port;
	vnet_client_id client;
	struct vnet_mac mac;
	int error;
};

/* Stable name ("address_moved"), NULL for a number that is no type. */
VNET_API const char *vnet_event_name(enum vnet_event_type type);

/* Read the next event. Return: 1 with @event filled, 0 if there is none,
 * -EINVAL for an unknown event->size. */
VNET_API int vnet_switch_event(struct vnet_switch *sw,
			       struct vnet_event *event);

VNET_END_DECLS

#endif
