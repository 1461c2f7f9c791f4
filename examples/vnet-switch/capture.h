/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One reader of what crosses a port: frames are copied to a ring of bounded
 * size by the thread that forwards, and made into pcapng by the one that
 * controls. What finds no room is counted and lost to the reader alone.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/buffer.h>
#include <vnet/frame.h>

#include "complaint.h"
#include "pcapng.h"

struct capture;

/* Octets between the two threads: 4 ms of 8 Gbit/s, 4,000 frames of 1,000
 * octets. */
#define CAPTURE_RING_OCTETS ((size_t)4 << 20)

/**
 * struct capture_config - what is asked for
 * @port:	its name
 * @expr:	a filter, or NULL
 * @snaplen:	octets of a frame at the most, up to PCAPNG_PACKET_MAX; 0 for
 *		that
 * @raw:	leave checksums as they are, also where they are not computed yet
 */
struct capture_config {
	const char *port;
	const char *expr;
	uint32_t snaplen;
	bool raw;
};

/* Return: 0; -EINVAL, -ENOMEM, ... with @c. */
int capture_create(struct capture **capture,
		   const struct capture_config *config, struct complaint *c);

/* No port knows it any more. NULL is nothing to do. */
void capture_destroy(struct capture *capture);

/* Becomes readable when there is something to read behind CAPTURE_EMPTY, and
 * when it has ended; capture_read() makes it unreadable. */
int capture_fd(const struct capture *capture);

enum capture_state {
	CAPTURE_MORE,  /* there is more, for want of room: call again */
	CAPTURE_EMPTY, /* nothing any more: see capture_fd() */
	CAPTURE_OVER,  /* nothing for ever: the statistics were the last */
};

/*
 * Append pcapng to @to: @max octets, and what a packet has beyond these.
 * Return: enum capture_state, or -ENOMEM.
 */
int capture_read(struct capture *capture, struct evbuffer *to, size_t max);

/* From the thread that forwards, the switch held: never waits. @out as in
 * struct vnet_observer. */
void capture_frames(struct capture *capture, bool out,
		    const struct vnet_frame *frames, size_t n);

/* The port has gone, or the reader wants no more; no frames come from here on.
 * What is in the ring can still be read. From any thread, also twice. */
void capture_end(struct capture *capture);

/* Links those of one port: the plant's. */
struct capture **capture_next(struct capture *capture);

#endif
