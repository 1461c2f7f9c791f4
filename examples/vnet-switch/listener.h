/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Unix stream socket at a path, for us alone: of mode 0600 from its first
 * moment on, and no two programs listen at it, whenever they start.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <sys/types.h>
#include <sys/un.h>

#include "complaint.h"

/**
 * struct listener - the socket
 * @fd:		it, non-blocking
 * @address:	where it is
 * @dev, @ino:	which file is ours
 */
struct listener {
	int fd;
	struct sockaddr_un address;
	dev_t dev;
	ino_t ino;
};

/* Return: 0; -EADDRINUSE if somebody listens there, -EEXIST if there is a file
 * that is no socket, ... with @c. */
int listener_open(struct listener *l, const char *path, struct complaint *c);

/* Remove the file, if it is still ours. */
void listener_close(struct listener *l);

#endif
