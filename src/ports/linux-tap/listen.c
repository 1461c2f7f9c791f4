/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listen.h"
#include "medium.h"

int
vnet_listen_address(struct sockaddr_un *address, const char *path,
		    struct vnet_why *why)
{
	size_t len = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!len || len >= sizeof(address->sun_path))
		return vnet_medium_why(why, "path not of 1 to 107 octets",
				       len ? -ENAMETOOLONG : -EINVAL);
	memcpy(address->sun_path, path, len);
	return 0;
}

static int
open_socket(int type, int *fd, struct vnet_why *why)
{
	*fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return *fd < 0 ? vnet_medium_why(why, "cannot open a socket", -errno)
		       : 0;
}

/* Remove a socket that nobody listens at. */
static int
remove_stale(const struct sockaddr_un *address, int type, struct vnet_why *why)
{
	struct stat st;
	int fd, r;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT
			       ? 0
			       : vnet_medium_why(why, "cannot look at the path",
						 -errno);
	if (!S_ISSOCK(st.st_mode))
		return vnet_medium_why(why, "what is there is no socket",
				       -EEXIST);
	r = open_socket(type, &fd, why);
	if (r)
		return r;
	r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0
		    ? -errno
		    : 0;
	close(fd);
	if (r != -ECONNREFUSED && r != -ENOENT)
		return vnet_medium_why(why, "somebody listens there",
				       -EADDRINUSE);
	if (r == -ECONNREFUSED && unlink(address->sun_path) < 0 &&
	    errno != ENOENT)
		return vnet_medium_why(why, "cannot remove a stale socket",
				       -errno);
	return 0;
}

/* Give the socket that was just made its mode. Whoever may write to its folder can
 * have put something else there by now, for us to change. */
static int
set_mode(const char *path, uint32_t mode)
{
	char self[64];
	struct stat st;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) ||
	    st.st_uid != geteuid())
		r = -EEXIST;
	else if (chmod(self, mode) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* The mode of a socket is that of its file, less the umask: nobody else may
 * connect before it is what it is to be. */
static int
bind_and_listen(int fd, const struct sockaddr_un *address, uint32_t mode,
		int backlog, struct vnet_why *why)
{
	int r = 0;

	if (fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return vnet_medium_why(why, "cannot bind to the path", -errno);
	if (mode != 0600)
		r = set_mode(address->sun_path, mode);
	if (r)
		vnet_medium_why(why, "cannot set the mode", r);
	else if (listen(fd, backlog) < 0)
		r = vnet_medium_why(why, "cannot listen", -errno);
	else
		return 0;
	unlink(address->sun_path);
	return r;
}

int
vnet_listen(const char *path, int type, uint32_t mode, int backlog, int *fd,
	    struct vnet_why *why)
{
	struct sockaddr_un address;
	int s, r;

	r = vnet_listen_address(&address, path, why);
	if (r)
		return r;
	r = remove_stale(&address, type, why);
	if (r)
		return r;
	r = open_socket(type, &s, why);
	if (r)
		return r;
	r = bind_and_listen(s, &address, mode, backlog, why);
	if (r) {
		close(s);
		return r;
	}
	*fd = s;
	return 0;
}
