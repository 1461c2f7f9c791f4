/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames in a byte stream. Both ways, what is less than a frame waits:
 *
 *	read	the octets of a frame that has begun. They are copied to the
 *		shared room and read on to there, so that whole frames are never
 *		copied
 *	sent	the rest of a frame of which the socket took a part. That frame
 *		counts as taken; nothing else is sent before it
 *
 * How much is read at a time depends on how many frames are still allowed in
 * this turn, taking each for one of 60 octets, the least Ethernet has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vnet/stream.h>

#include "listen.h"
#include "medium.h"

/* The length before each frame. */
#define PREFIX_LEN 4

#define LEAST_LEN  (PREFIX_LEN + 60)

#define WHOLE_MAX  ((size_t)PREFIX_LEN + VNET_STREAM_FRAME_MAX)

_Static_assert(WHOLE_MAX <= MEDIUM_FRAME_MAX, "a frame fits");

/**
 * struct stream
 * @nread:	octets at @read: a frame that has begun
 * @nunsent:	octets at the end of @unsent: the rest of a frame
 *
 * The memory is used, and so becomes resident, only by those who need it.
 */
struct stream {
	struct vnet_medium m;
	size_t nread;
	size_t nunsent;
	uint8_t read[WHOLE_MAX];
	uint8_t unsent[WHOLE_MAX];
};

static uint32_t
load_length(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
store_length(uint8_t *p, uint32_t len)
{
	p[0] = (uint8_t)(len >> 24);
	p[1] = (uint8_t)(len >> 16);
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
}

/* Octets sent, 0 if there is no room, -errno. */
static ssize_t
send_some(const struct stream *s, struct iovec *iov, size_t niov)
{
	const struct msghdr message = {.msg_iov = iov, .msg_iovlen = niov};
	ssize_t r;

	do
		r = sendmsg(s->m.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0 && (errno == EAGAIN || errno == ENOBUFS))
		return 0;
	return r < 0 ? -errno : r;
}

static int
send_rest(struct stream *s)
{
	struct iovec iov = {
		.iov_base = s->unsent + WHOLE_MAX - s->nunsent,
		.iov_len = s->nunsent,
	};
	ssize_t r;

	if (!s->nunsent)
		return 0;
	r = send_some(s, &iov, 1);
	if (r < 0)
		return (int)r;
	s->nunsent -= (size_t)r;
	return 0;
}

static int
stream_flush(struct vnet_medium *m)
{
	struct stream *s = (struct stream *)m;
	int r = send_rest(s);

	if (s->nunsent)
		vnet_medium_full(m);
	return r;
}

/* Keep what is behind the first @sent octets of a frame. */
static void
keep_rest(struct stream *s, const uint8_t *prefix, const struct vnet_frame *f,
	  size_t sent)
{
	size_t from_prefix = sent < PREFIX_LEN ? PREFIX_LEN - sent : 0;
	size_t skip = sent < PREFIX_LEN ? 0 : sent - PREFIX_LEN;
	uint8_t *at;

	s->nunsent = from_prefix + f->len - skip;
	at = s->unsent + WHOLE_MAX - s->nunsent;
	memcpy(at, prefix + PREFIX_LEN - from_prefix, from_prefix);
	memcpy(at + from_prefix, f->data + skip, f->len - skip);
}

static int
stream_send(struct vnet_medium *m, const struct vnet_frame *frames, size_t n,
	    size_t *refused)
{
	struct stream *s = (struct stream *)m;
	uint8_t prefixes[VNET_MEDIUM_BATCH][PREFIX_LEN];
	struct iovec iov[2 * VNET_MEDIUM_BATCH];
	size_t taken = 0;
	ssize_t r;

	r = send_rest(s);
	if (r < 0)
		return (int)r;
	while (taken < n && !s->nunsent) {
		size_t batch = n - taken, left;

		if (batch > VNET_MEDIUM_BATCH)
			batch = VNET_MEDIUM_BATCH;
		for (size_t i = 0; i < batch; i++) {
			const struct vnet_frame *f = &frames[taken + i];

			store_length(prefixes[i], f->len);
			iov[2 * i].iov_base = prefixes[i];
			iov[2 * i].iov_len = PREFIX_LEN;
			iov[2 * i + 1].iov_base = (void *)f->data;
			iov[2 * i + 1].iov_len = f->len;
		}
		r = send_some(s, iov, 2 * batch);
		if (r < 0 && taken == 0)
			return (int)r;
		if (r < 0) {
			/* Some are out; the next call says that it is broken. */
			*refused += n - taken;
			return (int)n;
		}
		left = (size_t)r;
		for (size_t i = 0; i < batch && left; i++) {
			const struct vnet_frame *f = &frames[taken];
			size_t whole = PREFIX_LEN + f->len;

			taken++;
			if (left < whole) {
				keep_rest(s, prefixes[i], f, left);
				break;
			}
			left -= whole;
		}
		if (r == 0)
			break;
	}
	/* A frame of which a part was sent is taken, but nobody would come to
	 * send the rest. */
	if (taken < n || s->nunsent)
		vnet_medium_full(m);
	return (int)taken;
}

/**
 * struct turn - what is read in a call of stream_receive()
 * @end:	octets in the room
 * @used:	of these, parsed
 * @nframes:	in media->frames
 * @total:	frames, those that the switch has been given included
 */
struct turn {
	size_t end;
	size_t used;
	size_t nframes;
	int total;
};

/* Take the whole frames in the room. 0, or -EPROTO for a length that is none. */
static int
parse(struct stream *s, struct turn *t, vnet_nsec now)
{
	const uint8_t *room = s->m.media->room;

	while (t->end - t->used >= PREFIX_LEN) {
		uint32_t len = load_length(room + t->used);

		if (len > VNET_STREAM_FRAME_MAX) {
			s->m.in_errors++;
			return -EPROTO;
		}
		if (t->end - t->used < PREFIX_LEN + len)
			break;
		s->m.media->frames[t->nframes++] = (struct vnet_frame){
			.data = room + t->used + PREFIX_LEN,
			.len = len,
		};
		t->used += PREFIX_LEN + len;
		t->total++;
		/* Shorter ones than Ethernet has may be more. */
		if (t->nframes == VNET_MEDIUM_BATCH) {
			vnet_medium_input(&s->m, t->nframes, now);
			t->nframes = 0;
		}
	}
	return 0;
}

/* Octets to read next: at least what ends the frame that has begun. */
static size_t
wanted(const struct stream *s, const struct turn *t)
{
	size_t have = t->end - t->used, whole = PREFIX_LEN;
	size_t max = (size_t)(VNET_MEDIUM_BATCH - t->total) * LEAST_LEN;

	if (have >= PREFIX_LEN)
		whole += load_length(s->m.media->room + t->used);
	return whole - have > max ? whole - have : max;
}

/* 0 with more in the room, 1 if there is none now, -errno. */
static int
read_more(struct stream *s, struct turn *t)
{
	ssize_t r = recv(s->m.fd, s->m.media->room + t->end, wanted(s, t),
			 MSG_DONTWAIT);

	if (r > 0) {
		t->end += (size_t)r;
		return 0;
	}
	if (r == 0)
		return -ECONNRESET;
	if (errno == EINTR)
		return 0;
	return errno == EAGAIN ? 1 : -errno;
}

static int
stream_receive(struct vnet_medium *m, vnet_nsec now)
{
	struct stream *s = (struct stream *)m;
	struct turn t = {.end = s->nread};
	int r = 0;

	memcpy(m->media->room, s->read, s->nread);
	/* Room for a whole frame behind the one that has begun. */
	while (!r && t.total < VNET_MEDIUM_BATCH &&
	       t.used + 2 * MEDIUM_FRAME_MAX <= MEDIUM_ROOM) {
		r = read_more(s, &t);
		if (!r)
			r = parse(s, &t, now);
	}
	vnet_medium_input(m, t.nframes, now);
	if (r < 0)
		return r;
	s->nread = t.end - t.used;
	memcpy(s->read, m->media->room + t.used, s->nread);
	return t.total;
}

static int
stream_get(const struct vnet_medium *m, struct vnet_medium_info *info)
{
	(void)m;
	info->up = true;
	return 0;
}

static const struct medium_ops stream_ops = {
	.kind = "stream",
	.send = stream_send,
	.flush = stream_flush,
	.receive = stream_receive,
	.get = stream_get,
};

int
vnet_stream_listen(const char *path, int *fd, struct vnet_why *why)
{
	return vnet_listen(path, SOCK_STREAM, 0600, 16, fd, why);
}

int
vnet_stream_adopt(struct vnet_medium **m, struct vnet_media *media, int fd,
		  struct vnet_why *why)
{
	struct vnet_medium *new;
	int r = vnet_medium_set_flags(fd);

	if (r)
		return vnet_medium_why(why, "cannot make it non-blocking", r);
	new = vnet_medium_new(sizeof(struct stream), &stream_ops, media, fd, 0);
	if (!new)
		return vnet_medium_why(why, "no memory", -ENOMEM);
	*m = new;
	return 0;
}

int
vnet_stream_accept(struct vnet_medium **m, struct vnet_media *media,
		   int listen_fd, struct vnet_why *why)
{
	int fd, r;

	do
		fd = accept4(listen_fd, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return vnet_medium_why(why, "cannot accept a peer", -errno);
	r = vnet_stream_adopt(m, media, fd, why);
	if (r)
		close(fd);
	return r;
}

int
vnet_stream_connect(struct vnet_medium **m, struct vnet_media *media,
		    const char *path, struct vnet_why *why)
{
	struct sockaddr_un address;
	int fd, r;

	r = vnet_listen_address(&address, path, why);
	if (r)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return vnet_medium_why(why, "cannot open a socket", -errno);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		r = vnet_medium_why(why, "cannot connect", -errno);
	else
		r = vnet_stream_adopt(m, media, fd, why);
	if (r)
		close(fd);
	return r;
}
