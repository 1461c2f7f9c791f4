/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach_wire.h"

/* At the end grow those that are new: the place is the number. */
static const int errors[] = {
	0,      EIO,    EPROTO,   EACCES,     EPERM,   ENOENT,   EEXIST,
	EINVAL, EUSERS, ENOSPC,   ENOMEM,     EBUSY,   EALREADY, ENODEV,
	EMFILE, ENFILE, ENETDOWN, EOPNOTSUPP, ENOBUFS, E2BIG,    EISCONN,
};

#define NERRORS (sizeof(errors) / sizeof(errors[0]))

/* Of EIO. */
#define OTHER 1

uint32_t
vnet_attach_error_to_wire(int error)
{
	for (uint32_t i = 0; i < NERRORS; i++)
		if (errors[i] == -error)
			return i;
	return OTHER;
}

int
vnet_attach_error_from_wire(uint32_t number)
{
	return -errors[number < NERRORS ? number : OTHER];
}

/* The descriptor that came with a message; there is room for one. */
static int
take_descriptor(struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

ssize_t
vnet_attach_receive_message(int socket, void *to, size_t size, int *fd,
			    int flags)
{
	union {
		struct cmsghdr header; /* for the alignment */
		uint8_t octets[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = to, .iov_len = size};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = fd ? &control : NULL,
		/* CMSG_SPACE() would be enough for two. */
		.msg_controllen = fd ? CMSG_LEN(sizeof(int)) : 0,
	};
	ssize_t n = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
	int r = 0;

	if (n < 0)
		return -errno;
	if (fd)
		*fd = take_descriptor(&message);
	/* The kernel has closed what there was no room for. */
	if (message.msg_flags & MSG_CTRUNC)
		r = -EBADMSG;
	else if (message.msg_flags & MSG_TRUNC)
		r = -EMSGSIZE;
	if (r && fd && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return r ? r : n;
}

int
vnet_attach_send_message(int socket, const void *message, size_t len, int fd,
			 int flags)
{
	union {
		struct cmsghdr header; /* for the alignment */
		uint8_t octets[CMSG_SPACE(sizeof(int))];
	} control = {.octets = {0}};
	struct iovec iov = {.iov_base = (void *)message, .iov_len = len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
	}
	if (sendmsg(socket, &m, flags | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == ECONNRESET ? -EPIPE : -errno;
}

bool
vnet_attach_is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

void
vnet_attach_copy_text(char *to, size_t size, const char *text)
{
	size_t len = strlen(text);

	memset(to, 0, size);
	memcpy(to, text, len < size ? len : size - 1);
}

/* Newer than the headers of Debian 12. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

void
vnet_attach_refuse_descriptors(int socket)
{
	const int no = 0;

	(void)setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
}
