/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To find out that nobody listens, remove what is there, and take its place,
 * are three steps. Two programs that start at once must not mix theirs, and the
 * one that ends must not remove what the other has just made: the folder is
 * locked meanwhile (flock(2)), which leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "listener.h"
#include "log.h"

#define BACKLOG 64

/* How often, and at which distance, the lock is tried for. */
#define LOCK_TRIES   1000
#define LOCK_WAIT_NS 1000000

static int
set_address(struct sockaddr_un *address, const char *path, struct complaint *c)
{
	size_t len = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!len || len >= sizeof(address->sun_path))
		return complain(c, len ? -ENAMETOOLONG : -EINVAL,
				"socket %s: found a path of %zu octets, "
				"expected 1 to %zu",
				path, len, sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, len);
	return 0;
}

/* Whoever holds the lock needs no longer than we do. */
static int
wait_for_lock(int fd)
{
	const struct timespec wait = {.tv_nsec = LOCK_WAIT_NS};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		nanosleep(&wait, NULL);
	}
	return -EBUSY;
}

/* The folder of a socket, locked, if that can be had, until it is closed; or
 * -errno. */
static int
lock_folder(const char *path, struct complaint *c)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	int fd, r;

	memcpy(folder, path, len);
	if (!len)
		folder[len++] = slash ? '/' : '.';
	folder[len] = '\0';

	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		return complain(c, r, "socket %s: cannot open %s: %s", path,
				folder, strerror(-r));
	}
	r = wait_for_lock(fd);
	/* Whoever may read the folder may lock it: that must not keep us from
	 * starting. */
	if (r == -EBUSY) {
		log_write(LOG_WARNING,
			  "socket %s: somebody has locked %s: going on without",
			  path, folder);
	} else if (r) {
		close(fd);
		return complain(c, r,
				"socket %s: cannot lock the folder %s: %s",
				path, folder, strerror(-r));
	}
	return fd;
}

static int
open_socket(const char *path, struct complaint *c)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? complain(c, -errno,
				 "socket %s: cannot open a socket: %s", path,
				 strerror(errno))
		      : fd;
}

/* Remove a socket that nobody listens at. */
static int
remove_stale(const struct sockaddr_un *address, struct complaint *c)
{
	const char *path = address->sun_path;
	struct stat st;
	int fd, r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT
			       ? 0
			       : complain(c, -errno,
					  "socket %s: cannot look at it: %s",
					  path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return complain(c, -EEXIST,
				"socket %s: found a file that is no socket, "
				"expected a socket or nothing",
				path);
	fd = open_socket(path, c);
	if (fd < 0)
		return fd;
	r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0
		    ? -errno
		    : 0;
	close(fd);
	/* With a full backlog it is -EAGAIN. */
	if (r == 0 || r == -EAGAIN)
		return complain(c, -EADDRINUSE,
				"socket %s: somebody listens there: is another "
				"vnet-switch running?",
				path);
	if (r == -ENOENT)
		return 0;
	if (r != -ECONNREFUSED)
		return complain(c, r,
				"socket %s: cannot tell whether somebody "
				"listens there: %s",
				path, strerror(-r));
	if (unlink(path) < 0 && errno != ENOENT)
		return complain(c, -errno,
				"socket %s: cannot remove a stale socket: %s",
				path, strerror(errno));
	return 0;
}

static int
bind_socket(struct listener *l, struct complaint *c)
{
	const char *path = l->address.sun_path;
	struct stat st;
	int r;

	/* The mode of the file is that of the socket, less the umask: nobody
	 * can connect before it is set. */
	if (fchmod(l->fd, 0600) < 0 ||
	    bind(l->fd, (const struct sockaddr *)&l->address,
		 sizeof(l->address)) < 0) {
		r = -errno;
		return complain(c, r, "socket %s: cannot make it: %s", path,
				strerror(-r));
	}
	if (listen(l->fd, BACKLOG) < 0 || lstat(path, &st) < 0) {
		r = -errno;
		(void)unlink(path);
		return complain(c, r, "socket %s: cannot listen: %s", path,
				strerror(-r));
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

int
listener_open(struct listener *l, const char *path, struct complaint *c)
{
	int folder, r;

	r = set_address(&l->address, path, c);
	if (r)
		return r;
	folder = lock_folder(path, c);
	if (folder < 0)
		return folder;
	r = remove_stale(&l->address, c);
	if (r)
		goto unlock;
	l->fd = open_socket(path, c);
	if (l->fd < 0) {
		r = l->fd;
		goto unlock;
	}
	r = bind_socket(l, c);
	if (r)
		close(l->fd);
unlock:
	close(folder);
	return r;
}

void
listener_close(struct listener *l)
{
	const char *path = l->address.sun_path;
	struct complaint ignored;
	int folder = lock_folder(path, &ignored);
	struct stat st;

	if (lstat(path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlink(path);
	close(l->fd);
	if (folder >= 0)
		close(folder);
}
