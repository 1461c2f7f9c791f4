/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames on the socket of a session: what its two ends do in the same way.
 *
 * A message holds a frame, or several that were sent together, one behind the
 * other, each behind
 *
 *	0	its octets, 32 bits in the order of the machine
 *	4	its virtio_net_hdr, 10 octets
 *	14	zeros, 2 octets
 *
 * A message costs the kernel as much as a dozen short frames cost us.
 */
#ifndef VNET_LINUX_ATTACH_FRAMES_H
#define VNET_LINUX_ATTACH_FRAMES_H

#include "medium.h"

/* The most frames in a message: half of what is read in a turn, so that it may
 * be read whatever it holds as long as the first half is free. */
#define ATTACH_FRAMES     (VNET_MEDIUM_BATCH / 2)

#define ATTACH_HEADER_LEN 16

/**
 * struct attach_reader - what was read, and has not been asked for yet
 * @at:		the rest of a message, in the room
 * @left:	octets of it, 0 at first
 * @nframes:	that it has had so far
 * @errors:	messages, or rests of them, that were no frames
 */
struct attach_reader {
	const uint8_t *at;
	size_t left;
	unsigned int nframes;
	unsigned long errors;
};

/* Send of @n frames as many as one call may; the first that cannot be sent ends
 * the batch. How many it was, 0 if there is no room now; -EPIPE if nobody is
 * there any more; or why the first of them cannot be sent. */
int vnet_attach_write(int fd, const struct vnet_frame *frames, size_t n);

/* Read @max frames at the most to @room, of MEDIUM_ROOM octets; where these are
 * VNET_MEDIUM_BATCH nothing is left in @reader. How many it was, 0 if there are
 * none now, or none that are any good; -EPIPE if nobody is there any more. */
int vnet_attach_read(int fd, struct attach_reader *reader, uint8_t *room,
		     struct vnet_frame *frames, size_t max);

#endif
