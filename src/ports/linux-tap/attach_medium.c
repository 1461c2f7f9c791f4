/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An end of a session as a medium: that of the switch, or that of a client which
 * is itself a switch.
 *
 * Whether the peer has left is found out by reading alone, behind all that it
 * has sent. What is sent to one that has left, or that reads no more, is
 * refused.
 */
#include <errno.h>

#include "attach_frames.h"
#include "attach_medium.h"

/**
 * struct attach
 * @client:	whose end it is; NULL for that of the switch
 */
struct attach {
	struct vnet_medium m;
	struct vnet_attach *client;
	struct attach_reader reader;
};

static int
attach_send(struct vnet_medium *m, const struct vnet_frame *frames, size_t n,
	    size_t *refused)
{
	size_t taken = 0;

	while (taken < n) {
		int r = vnet_attach_write(m->fd, frames + taken, n - taken);

		if (r == 0) {
			vnet_medium_full(m);
			break;
		}
		if (r < 0) {
			size_t lost = r == -EPIPE ? n - taken : 1;

			*refused += lost;
			taken += lost;
		} else {
			taken += (size_t)r;
		}
	}
	return (int)taken;
}

static int
attach_receive(struct vnet_medium *m, vnet_nsec now)
{
	struct attach *a = (struct attach *)m;
	int n;

	a->reader.errors = 0;
	n = vnet_attach_read(m->fd, &a->reader, m->media->room,
			     m->media->frames, VNET_MEDIUM_BATCH);
	if (a->reader.errors)
		m->in_errors += a->reader.errors;
	if (n > 0)
		vnet_medium_input(m, (size_t)n, now);
	return n;
}

static int
attach_get(const struct vnet_medium *m, struct vnet_medium_info *info)
{
	const struct attach *a = (const struct attach *)m;
	struct vnet_attach_info at = {.size = sizeof(at)};

	info->up = true;
	if (a->client && vnet_attach_get(a->client, &at) == 0) {
		info->mac = at.mac;
		info->mtu = at.mtu;
	}
	return 0;
}

static void
attach_release(struct vnet_medium *m)
{
	vnet_attach_close(((struct attach *)m)->client);
}

static const struct medium_ops attach_ops = {
	.kind = "attach",
	.send = attach_send,
	.receive = attach_receive,
	.get = attach_get,
	.release = attach_release,
};

/* One of many who come and go. */
static const struct medium_ops session_ops = {
	.kind = "attach",
	.send = attach_send,
	.receive = attach_receive,
	.get = attach_get,
	.comes_and_goes = true,
};

struct vnet_medium *
vnet_attach_medium_new(struct vnet_media *media, int fd, uint32_t carries,
		       struct vnet_attach *client)
{
	struct vnet_medium *m =
		vnet_medium_new(sizeof(struct attach),
				client ? &attach_ops : &session_ops, media, fd,
				carries);

	if (m)
		((struct attach *)m)->client = client;
	return m;
}
