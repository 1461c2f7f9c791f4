/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unix sockets that somebody is to find: their address, and listening there.
 */
#ifndef VNET_LINUX_LISTEN_H
#define VNET_LINUX_LISTEN_H

#include <sys/types.h>
#include <sys/un.h>

#include <vnet/types.h>

/* 0, -EINVAL or -ENAMETOOLONG. */
int vnet_listen_address(struct sockaddr_un *address, const char *path,
			struct vnet_why *why);

/* Listen at @path for sockets of @type, non-blocking, with a file of @mode. One
 * that nobody listens at is replaced. Return: as vnet_stream_listen(). */
int vnet_listen(const char *path, int type, uint32_t mode, int backlog, int *fd,
		struct vnet_why *why);

#endif
