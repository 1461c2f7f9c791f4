/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel says when all is not well (net/unix/af_unix.c):
 *
 *	EAGAIN		send: the socket holds as much as it may
 *	ENOBUFS, ENOMEM	send: there is no memory now
 *	EMSGSIZE	send: longer than all that it may hold
 *	EPIPE		send: the peer has left, or reads no more
 *	ECONNRESET	either, once: the peer has left, and had not read all. What
 *			it has sent can still be read
 *	0 octets	read: the peer has left; or it has sent nothing at all
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "attach_frames.h"
#include "virtio.h"

/* A message is not made longer than that by one frame more: it then lies in one
 * piece of the kernel's memory. */
#define MESSAGE_LEN 15360

/* Addresses: tags stand behind them. */
#define ADDRESSES_LEN 12

#define TAG_LEN       4

/* The longest frame, with tags put in and its header, is read in one piece. */
#define LONGEST \
	(MEDIUM_FRAME_MAX - ATTACH_HEADER_LEN - (size_t)VNET_MAX_TAGS * TAG_LEN)

/* Octets in a segment at the least: Linux sends no less (tcp_min_snd_mss, 48 with
 * timestamps), and a frame of one-octet segments would cost us a hundred times what
 * it cost its sender. */
#define LEAST_SEGMENT 36

struct header {
	uint32_t len;
	struct virtio_net_hdr virtio;
	uint16_t zero;
};

_Static_assert(sizeof(struct header) == ATTACH_HEADER_LEN, "no holes");

/**
 * struct batch - messages to send
 * @nframes:	in each of them
 * @niov:	pieces of all of them: header and frame, or header, addresses,
 *		tags and the rest
 */
struct batch {
	struct mmsghdr messages[VNET_MEDIUM_BATCH];
	unsigned int nframes[VNET_MEDIUM_BATCH];
	struct iovec iov[4 * VNET_MEDIUM_BATCH];
	struct header headers[VNET_MEDIUM_BATCH];
	uint8_t tags[VNET_MEDIUM_BATCH][VNET_MAX_TAGS * TAG_LEN];
	size_t nmessages;
	size_t niov;
	size_t octets; /* of the last message */
};

/* 0, or why a frame is none. */
static int
check(const struct vnet_frame *f)
{
	const unsigned int flags = VNET_FRAME_CSUM_PARTIAL |
				   VNET_FRAME_CSUM_VALID | VNET_FRAME_GSO_ECN;

	if (f->len > LONGEST)
		return -EMSGSIZE;
	if ((f->flags & ~flags) || f->gso_type > VNET_GSO_UDP ||
	    f->ntags > VNET_MAX_TAGS || (f->ntags && f->len < ADDRESSES_LEN))
		return -EINVAL;
	for (unsigned int i = 0; i < f->ntags; i++)
		if (f->tag[i].tpid != 0x8100 && f->tag[i].tpid != 0x88a8)
			return -EINVAL;
	return 0;
}

static void
add_piece(struct batch *b, const void *p, size_t len)
{
	b->iov[b->niov++] = (struct iovec){
		.iov_base = (void *)p,
		.iov_len = len,
	};
}

/* With tags, what the header counts from the frame's beginning is further on. */
static void
add_tagged(struct batch *b, size_t i, const struct vnet_frame *f)
{
	struct vnet_frame shifted = *f;
	uint8_t *at = b->tags[i];

	for (unsigned int t = 0; t < f->ntags; t++, at += TAG_LEN) {
		at[0] = (uint8_t)(f->tag[t].tpid >> 8);
		at[1] = (uint8_t)f->tag[t].tpid;
		at[2] = (uint8_t)(f->tag[t].tci >> 8);
		at[3] = (uint8_t)f->tag[t].tci;
	}
	shifted.csum_start += (uint16_t)(TAG_LEN * f->ntags);
	shifted.hdr_len += (uint16_t)(TAG_LEN * f->ntags);
	vnet_virtio_write(&shifted, &b->headers[i].virtio);
	add_piece(b, f->data, ADDRESSES_LEN);
	add_piece(b, b->tags[i], (size_t)(at - b->tags[i]));
	add_piece(b, f->data + ADDRESSES_LEN, f->len - ADDRESSES_LEN);
}

/* Put a frame behind those of the last message, or into the next one. */
static void
add(struct batch *b, size_t i, const struct vnet_frame *f)
{
	const size_t octets =
		ATTACH_HEADER_LEN + f->len + (size_t)TAG_LEN * f->ntags;
	const size_t first = b->niov;
	size_t m = b->nmessages - 1;

	if (!b->nmessages || b->octets + octets > MESSAGE_LEN ||
	    b->nframes[m] == ATTACH_FRAMES) {
		m = b->nmessages++;
		b->messages[m].msg_hdr =
			(struct msghdr){.msg_iov = &b->iov[first]};
		b->nframes[m] = 0;
		b->octets = 0;
	}
	b->octets += octets;
	b->nframes[m]++;
	b->headers[i].len = f->len + (uint32_t)TAG_LEN * f->ntags;
	b->headers[i].zero = 0;
	add_piece(b, &b->headers[i], ATTACH_HEADER_LEN);
	if (f->ntags) {
		add_tagged(b, i, f);
	} else {
		vnet_virtio_write(f, &b->headers[i].virtio);
		add_piece(b, f->data, f->len);
	}
	b->messages[m].msg_hdr.msg_iovlen += b->niov - first;
}

static int
send_batch(int fd, struct batch *b)
{
	int r, sent = 0;

	do
		r = sendmmsg(fd, b->messages, (unsigned int)b->nmessages,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
	while (r < 0 && (errno == EINTR || errno == ECONNRESET));
	for (int m = 0; m < r; m++)
		sent += (int)b->nframes[m];
	if (r >= 0)
		return sent;
	switch (errno) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return 0;
	case EMSGSIZE:
		return -EMSGSIZE;
	default:
		return -EPIPE;
	}
}

int
vnet_attach_write(int fd, const struct vnet_frame *frames, size_t n)
{
	struct batch b;
	size_t i;

	b.nmessages = 0;
	b.niov = 0;
	if (n > VNET_MEDIUM_BATCH)
		n = VNET_MEDIUM_BATCH;
	for (i = 0; i < n; i++) {
		int r = check(&frames[i]);

		if (r && i == 0)
			return r;
		if (r)
			break;
		add(&b, i, &frames[i]);
	}
	return i ? send_batch(fd, &b) : 0;
}

/* Has the peer left? */
static bool
is_hung_up(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP));
}

/* Read a message to @room. 1; 0 if there is none now; -EPIPE. One that is none is
 * counted, and empty. */
static int
receive(int fd, struct attach_reader *reader, uint8_t *room)
{
	struct iovec iov = {.iov_base = room, .iov_len = MEDIUM_FRAME_MAX};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t r;

	do
		r = recvmsg(fd, &message, MSG_DONTWAIT);
	while (r < 0 && (errno == EINTR || errno == ECONNRESET));
	if (r < 0)
		return errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS
			       ? 0
			       : -EPIPE;
	if (r == 0 && is_hung_up(fd))
		return -EPIPE;
	reader->at = room;
	reader->left = (size_t)r;
	reader->nframes = 0;
	/* Descriptors that came with it the kernel has closed. */
	if (r == 0 || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		reader->errors++;
		reader->left = 0;
	}
	return 1;
}

/* The next frame of the message. False for what is none: the rest is thrown away
 * where nobody could tell what it is. */
static bool
parse(struct attach_reader *reader, struct vnet_frame *f)
{
	struct header h;

	if (reader->left < ATTACH_HEADER_LEN ||
	    reader->nframes == ATTACH_FRAMES)
		goto throw_away;
	memcpy(&h, reader->at, ATTACH_HEADER_LEN);
	reader->at += ATTACH_HEADER_LEN;
	reader->left -= ATTACH_HEADER_LEN;
	if (h.len > reader->left)
		goto throw_away;
	*f = (struct vnet_frame){.data = reader->at, .len = h.len};
	reader->at += h.len;
	reader->left -= h.len;
	reader->nframes++;
	if (!h.zero && vnet_virtio_read(&h.virtio, f) &&
	    (!f->gso_type || f->gso_size >= LEAST_SEGMENT))
		return true;
	reader->errors++;
	return false;

throw_away:
	reader->left = 0;
	reader->errors++;
	return false;
}

int
vnet_attach_read(int fd, struct attach_reader *reader, uint8_t *room,
		 struct vnet_frame *frames, size_t max)
{
	bool is_rest = reader->left != 0;
	size_t n = 0, used = 0;
	int r = 1;

	/* Messages in which there is no frame are not read for ever. */
	for (int i = 0; i < VNET_MEDIUM_BATCH && n < max; i++) {
		if (!is_rest) {
			r = receive(fd, reader, room + used);
			if (r <= 0)
				break;
			used = MEDIUM_NEXT(used + reader->left);
		}
		while (reader->left && n < max)
			if (parse(reader, &frames[n]))
				n++;
		/* What is lent stays where it is: what is left of a message is
		 * all that the next call reads. */
		if (is_rest || reader->left || n + ATTACH_FRAMES > max ||
		    !MEDIUM_FITS(used))
			break;
	}
	return n || r > 0 ? (int)n : r;
}
