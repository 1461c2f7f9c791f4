/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A medium goes through three states, in this order, and never back:
 *
 *	works		error is 0
 *	has gone	found out by send, by reading, or by sending what was
 *			kept. Its client takes nothing more
 *	is told		the switch has set the port's link down, since send said
 *			so or vnet_medium_ready() asked for it; the descriptor
 *			is not to be watched
 *
 * Beside that it is attached, or it is not. Its interface is watched while it
 * is. That it no longer is may have to be said in the list of changes, where it
 * stays until it was read or vnet_medium_detach() takes it off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "medium.h"
#include "watch.h"

/* The most interfaces that are looked at in a call: each takes a hundred
 * microseconds, in which nothing is forwarded. */
#define LOOKS_MAX 8

int
vnet_media_create(struct vnet_media **media)
{
	struct vnet_media *set = malloc(sizeof(*set));
	int r;

	if (!set)
		return -ENOMEM;
	set->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (set->epoll_fd < 0) {
		r = -errno;
		goto free_set;
	}
	r = vnet_watch_init(set);
	if (r)
		goto close_epoll;
	set->changed = NULL;
	*media = set;
	return 0;

close_epoll:
	close(set->epoll_fd);
free_set:
	free(set);
	return r;
}

void
vnet_media_destroy(struct vnet_media *media)
{
	if (!media)
		return;
	vnet_watch_fini(media);
	close(media->epoll_fd);
	free(media);
}

int
vnet_media_fd(const struct vnet_media *media)
{
	return media->epoll_fd;
}

static void
set_changed(struct vnet_medium *m)
{
	if (m->is_listed)
		return;
	m->is_listed = true;
	m->next = m->media->changed;
	m->media->changed = m;
}

struct vnet_medium *
vnet_media_next_changed(struct vnet_media *media)
{
	struct vnet_medium *m = media->changed;

	if (m) {
		media->changed = m->next;
		m->is_listed = false;
	}
	return m;
}

static void
unlist(struct vnet_medium *m)
{
	struct vnet_medium **at = &m->media->changed;

	if (!m->is_listed)
		return;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	m->is_listed = false;
}

static void
set_gone(struct vnet_medium *m, int error)
{
	m->error = error;
	set_changed(m);
}

/* Frames that come before the one that finds out have been taken. */
static int
send_frames(void *ctx, const struct vnet_frame *frames, size_t n,
	    size_t *refused)
{
	struct vnet_medium *m = ctx;
	int r;

	/* The switch closes a client whose driver says that it is broken, and
	 * with the only one of a port the port. */
	if (m->error && m->ops->comes_and_goes) {
		*refused = n;
		return (int)n;
	}
	if (m->error)
		return m->error;
	r = m->ops->send(m, frames, n, refused);
	if (r < 0) {
		set_gone(m, r);
		/* By what we return. */
		m->is_told = true;
	}
	return r;
}

/* The switch has removed its client. */
static void
leave_switch(void *ctx)
{
	struct vnet_medium *m = ctx;

	m->sw = NULL;
	m->port = VNET_NO_ID;
	m->client = VNET_NO_ID;
	m->is_full = false;
	vnet_watch_end(m);
	set_changed(m);
}

struct vnet_medium *
vnet_medium_new(size_t size, const struct medium_ops *ops,
		struct vnet_media *media, int fd, uint32_t carries)
{
	struct vnet_medium *m = calloc(1, size);

	if (!m)
		return NULL;
	m->ops = ops;
	m->driver = (struct vnet_driver_ops){
		.size = sizeof(m->driver),
		.carries = carries,
		.send = send_frames,
		.close = leave_switch,
	};
	m->media = media;
	m->fd = fd;
	m->is_up = true;
	return m;
}

int
vnet_medium_fd(const struct vnet_medium *m)
{
	return m->fd;
}

int
vnet_medium_error(const struct vnet_medium *m)
{
	return m->error;
}

vnet_client_id
vnet_medium_client(const struct vnet_medium *m)
{
	return m->client;
}

unsigned int
vnet_medium_wants(const struct vnet_medium *m)
{
	if (m->client == VNET_NO_ID || m->is_told)
		return 0;
	return VNET_MEDIUM_READ | (m->is_full ? VNET_MEDIUM_WRITE : 0u);
}

void
vnet_medium_full(struct vnet_medium *m)
{
	if (!m->is_full) {
		m->is_full = true;
		set_changed(m);
	}
}

void
vnet_medium_input(struct vnet_medium *m, size_t n, vnet_nsec now)
{
	if (n)
		vnet_switch_input(m->sw, m->client, m->media->frames, n, now);
}

static void
output(struct vnet_medium *m, vnet_nsec now)
{
	int r = 0;

	m->is_full = false;
	if (m->ops->flush)
		r = m->ops->flush(m);
	if (r < 0)
		set_gone(m, r);
	else if (!m->is_full &&
		 vnet_client_output(m->sw, m->client, VNET_MEDIUM_BATCH, now) ==
			 VNET_MEDIUM_BATCH)
		m->is_full = true; /* there may be more */
	if (!m->is_full)
		set_changed(m);
}

/* The switch, that a medium has gone. */
static void
tell(struct vnet_medium *m)
{
	if (m->client == VNET_NO_ID || m->is_told)
		return;
	m->is_told = true;
	set_changed(m);
	if (!m->ops->comes_and_goes)
		vnet_client_set_link(m->sw, m->client, false);
}

int
vnet_medium_ready(struct vnet_medium *m, bool readable, bool writable,
		  vnet_nsec now)
{
	int n = 0;

	if (m->client == VNET_NO_ID)
		return m->error;
	if (writable && m->is_full && !m->error)
		output(m, now);
	if (readable && !m->error) {
		n = m->ops->receive(m, now);
		if (n < 0)
			set_gone(m, n);
	}
	if (!m->error)
		return n;
	tell(m);
	return m->error;
}

void
vnet_medium_set_up(struct vnet_medium *m, bool up)
{
	if (m->is_up == up)
		return;
	m->is_up = up;
	if (m->client != VNET_NO_ID && !m->error)
		vnet_client_set_link(m->sw, m->client, up);
}

void
vnet_media_ready(struct vnet_media *media)
{
	vnet_watch_read(media);
	for (int i = 0; i < LOOKS_MAX; i++) {
		struct vnet_medium *m = vnet_watch_next(media);
		int r;

		if (!m)
			break;
		if (m->error)
			continue;
		r = m->ops->look(m);
		if (r < 0) {
			set_gone(m, r);
			tell(m);
		}
	}
}

int
vnet_medium_attach(struct vnet_medium *m, struct vnet_switch *sw,
		   vnet_port_id port, uint32_t queue_octets, uint32_t weight,
		   struct vnet_why *why)
{
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &m->driver,
		.ctx = m,
		.queue_octets = queue_octets,
		.weight = weight,
	};
	int r;

	if (m->error)
		return vnet_medium_why(why, "it has gone", m->error);
	if (m->client != VNET_NO_ID)
		return vnet_medium_why(why, "it is attached", -EISCONN);
	r = m->ops->look ? m->ops->look(m) : 0;
	if (r) {
		vnet_medium_why(why, "cannot watch the interface", r);
		goto end_watch;
	}
	r = vnet_client_add(sw, port, &config, &m->client, why);
	if (r)
		goto end_watch;
	m->sw = sw;
	m->port = port;
	set_changed(m);
	if (!m->is_up)
		vnet_client_set_link(sw, m->client, false);
	return 0;

end_watch:
	vnet_watch_end(m);
	return r;
}

void
vnet_medium_detach(struct vnet_medium *m)
{
	if (m->client != VNET_NO_ID)
		vnet_client_remove(m->sw, m->client);
	unlist(m);
}

void
vnet_medium_close(struct vnet_medium *m)
{
	if (!m)
		return;
	vnet_medium_detach(m);
	if (m->ops->release)
		m->ops->release(m);
	close(m->fd);
	free(m);
}

int
vnet_medium_get(const struct vnet_medium *m, struct vnet_medium_info *info)
{
	if (info->size != sizeof(*info))
		return -EINVAL;
	if (m->error)
		return m->error;
	*info = (struct vnet_medium_info){
		.size = sizeof(*info),
		.kind = m->ops->kind,
		.carries = m->driver.carries,
	};
	return m->ops->get(m, info);
}

int
vnet_medium_get_stats(struct vnet_medium *m, struct vnet_medium_stats *stats)
{
	if (stats->size != sizeof(*stats))
		return -EINVAL;
	*stats = (struct vnet_medium_stats){
		.size = sizeof(*stats),
		.in_errors = m->in_errors,
	};
	if (m->error)
		return m->error;
	return m->ops->get_stats ? m->ops->get_stats(m, stats) : 0;
}

int
vnet_medium_why(struct vnet_why *why, const char *text, int error)
{
	if (why)
		*why = (struct vnet_why){.text = text};
	return error;
}

int
vnet_medium_set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}
