/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte stream as a port, in the framing of QEMU's "-netdev stream": each
 * frame behind its length, 32 bits, big-endian. For virtual machines, and
 * whatever else runs without privileges.
 */
#ifndef VNET_STREAM_H
#define VNET_STREAM_H

#include <vnet/types.h>
#include <vnet/medium.h>

VNET_BEGIN_DECLS

/* The longest frame that may be announced: an MTU of 65535 and two tags. A peer
 * that announces more is hung up on (-EPROTO). */
#define VNET_STREAM_FRAME_MAX 65557

/**
 * vnet_stream_listen() - wait for peers at a Unix socket
 * @path:	of the socket. One that nobody listens at is replaced, any
 *		other file is not
 * @fd:		set on success: watch it for reading, hand it to
 *		vnet_stream_accept(), close it; the file at @path is then the
 *		caller's to remove
 * @why:	filled when it fails, with the step that did; may be NULL
 *
 * The socket is its owner's alone (mode 0600).
 *
 * Return: 0; -EADDRINUSE if somebody listens there, -EEXIST if what is there is
 * no socket, -ENAMETOOLONG, or what the kernel says.
 */
VNET_API int vnet_stream_listen(const char *path, int *fd,
				struct vnet_why *why);

/**
 * vnet_stream_accept() - take a peer that has connected
 * @m:		set on success
 * @media:	outlives it
 *
 * Return: 0; -EAGAIN if there is none, -ENOMEM, or what the kernel says.
 */
VNET_API int vnet_stream_accept(struct vnet_medium **m,
				struct vnet_media *media, int listen_fd,
				struct vnet_why *why);

/* Connect to a peer that listens at a Unix socket. Return: 0; -ECONNREFUSED and
 * -ENOENT if nobody does, -EAGAIN if it has no room now, ... */
VNET_API int vnet_stream_connect(struct vnet_medium **m,
				 struct vnet_media *media, const char *path,
				 struct vnet_why *why);

/* Take a connected stream socket, which is the medium's on success and
 * non-blocking from then on. Return: 0; -ENOMEM, or what the kernel says. */
VNET_API int vnet_stream_adopt(struct vnet_medium **m, struct vnet_media *media,
			       int fd, struct vnet_why *why);

VNET_END_DECLS

#endif
