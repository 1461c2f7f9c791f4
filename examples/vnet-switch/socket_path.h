/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the control socket is, when nobody says. */
#ifndef SOCKET_PATH_H
#define SOCKET_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "complaint.h"

/* /run/vnet-switch.sock for root, else vnet-switch.sock in $XDG_RUNTIME_DIR,
 * else in /tmp/vnet-switch-UID. Root of a user namespace that /run is not of is
 * not root here. */
void socket_path(char *path, size_t size);

/*
 * To be called before @path from socket_path() is used. A folder in /tmp can be
 * anybody's: it must be the caller's own, and closed to others. @make: make it,
 * if it is not there.
 * Return: 0 or -errno with @c; 0 for all other folders, and where there is none.
 */
int socket_path_check(const char *path, bool make, struct complaint *c);

#endif
