/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "link.h"
#include "netns.h"
#include "watch.h"

/* The most messages that are read at a time. */
#define MESSAGES_MAX 4

/* Octets of a message; what it says behind its header is not looked at. */
#define MESSAGE_SIZE 4096

/**
 * struct vnet_watch - a namespace
 * @dev, @ino:	which
 * @media:	those that are watched here, linked by next_watched
 */
struct vnet_watch {
	struct vnet_watch *next;
	struct mnl_socket *nl;
	dev_t dev;
	ino_t ino;
	struct vnet_medium *media;
};

int
vnet_watch_init(struct vnet_media *media)
{
	/* Whatever else is in there is a struct vnet_watch. */
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
	int r;

	media->watches = NULL;
	media->stale = NULL;
	media->stale_end = &media->stale;
	media->stale_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (media->stale_fd < 0)
		return -errno;
	if (epoll_ctl(media->epoll_fd, EPOLL_CTL_ADD, media->stale_fd, &e) <
	    0) {
		r = -errno;
		close(media->stale_fd);
		return r;
	}
	return 0;
}

void
vnet_watch_fini(struct vnet_media *media)
{
	close(media->stale_fd);
}

void
vnet_watch_again(struct vnet_medium *m)
{
	struct vnet_media *media = m->media;

	if (m->is_stale)
		return;
	if (!media->stale)
		eventfd_write(media->stale_fd, 1);
	m->is_stale = true;
	m->next_stale = NULL;
	*media->stale_end = m;
	media->stale_end = &m->next_stale;
}

static void
take(struct vnet_media *media, struct vnet_medium **at)
{
	struct vnet_medium *m = *at;
	eventfd_t count;

	m->is_stale = false;
	*at = m->next_stale;
	if (!*at)
		media->stale_end = at;
	if (!media->stale)
		eventfd_read(media->stale_fd, &count);
}

static void
leave_line(struct vnet_medium *m)
{
	struct vnet_medium **at = &m->media->stale;

	if (!m->is_stale)
		return;
	while (*at != m)
		at = &(*at)->next_stale;
	take(m->media, at);
}

struct vnet_medium *
vnet_watch_next(struct vnet_media *media)
{
	struct vnet_medium *m = media->stale;

	if (m)
		take(media, &media->stale);
	return m;
}

static int
identify(int ns, struct stat *st)
{
	int r = ns < 0 ? stat("/proc/thread-self/ns/net", st) : fstat(ns, st);

	return r < 0 ? -errno : 0;
}

static bool
is_of(const struct vnet_watch *w, const struct stat *st)
{
	return w->dev == st->st_dev && w->ino == st->st_ino;
}

/* NULL with @error set if there is none to be had. */
static struct vnet_watch *
open_watch(struct vnet_media *media, int ns, const struct stat *st, int *error)
{
	struct epoll_event e = {.events = EPOLLIN};
	struct vnet_watch *w = calloc(1, sizeof(*w));

	if (!w) {
		*error = -ENOMEM;
		return NULL;
	}
	*error = vnet_link_open(ns, RTMGRP_LINK, &w->nl);
	if (*error)
		goto free_watch;
	e.data.ptr = w;
	if (epoll_ctl(media->epoll_fd, EPOLL_CTL_ADD, mnl_socket_get_fd(w->nl),
		      &e) < 0) {
		*error = -errno;
		goto close_socket;
	}
	w->dev = st->st_dev;
	w->ino = st->st_ino;
	w->next = media->watches;
	media->watches = w;
	return w;

close_socket:
	mnl_socket_close(w->nl);
free_watch:
	free(w);
	return NULL;
}

int
vnet_watch_set(struct vnet_medium *m, int ns)
{
	struct vnet_watch *w;
	struct stat st;
	int r = identify(ns, &st);

	if (r)
		return r;
	if (m->watch && is_of(m->watch, &st))
		return 0;
	vnet_watch_end(m);
	for (w = m->media->watches; w && !is_of(w, &st);)
		w = w->next;
	if (!w)
		w = open_watch(m->media, ns, &st, &r);
	if (!w)
		return r;
	m->watch = w;
	m->next_watched = w->media;
	w->media = m;
	return 0;
}

int
vnet_watch_flags(const struct vnet_medium *m, unsigned int *flags)
{
	struct ifreq ifr = {.ifr_ifindex = (int)m->index};
	int fd = mnl_socket_get_fd(m->watch->nl);

	/* Renamed in between, it is another, or none; that is heard, too. */
	if (ioctl(fd, SIOCGIFNAME, &ifr) < 0 ||
	    ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		return -errno;
	*flags = (unsigned short)ifr.ifr_flags;
	return 0;
}

void
vnet_watch_end(struct vnet_medium *m)
{
	struct vnet_watch **at = &m->media->watches, *w = m->watch;
	struct vnet_medium **member;

	leave_line(m);
	if (!w)
		return;
	m->watch = NULL;
	for (member = &w->media; *member != m;)
		member = &(*member)->next_watched;
	*member = m->next_watched;
	if (w->media)
		return;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	/* Which takes it out of epoll, too. */
	mnl_socket_close(w->nl);
	free(w);
}

static int
hear(const struct nlmsghdr *h, void *ctx)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	const struct vnet_watch *w = ctx;

	if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(*i))
		return MNL_CB_OK;
	for (struct vnet_medium *m = w->media; m; m = m->next_watched)
		if (m->index == (uint32_t)i->ifi_index)
			vnet_watch_again(m);
	return MNL_CB_OK;
}

/* Of a message that is too long the beginning is read, which is enough. */
static void
read_watch(struct vnet_watch *w)
{
	_Alignas(struct nlmsghdr) char buf[MESSAGE_SIZE];
	int fd = mnl_socket_get_fd(w->nl);

	for (int i = 0; i < MESSAGES_MAX; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS) {
			/* Some were lost. */
			for (struct vnet_medium *m = w->media; m;
			     m = m->next_watched)
				vnet_watch_again(m);
		}
		if (n <= 0)
			return;
		if ((size_t)n == sizeof(buf))
			((struct nlmsghdr *)buf)->nlmsg_len = sizeof(buf);
		mnl_cb_run(buf, (size_t)n, 0, 0, hear, w);
	}
}

void
vnet_watch_read(struct vnet_media *media)
{
	struct epoll_event e;

	if (epoll_wait(media->epoll_fd, &e, 1, 0) == 1 && e.data.ptr)
		read_watch(e.data.ptr);
}
