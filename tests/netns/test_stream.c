/* SPDX-License-Identifier: BSD-2-Clause */
/* What every driver does, done by that of streams; the far end of the medium is
 * the other one of a pair of sockets. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <vnet/stream.h>

#include "conformance.h"

/**
 * @filling:	octets that fill the socket, and are no frames
 */
struct stream_end {
	struct vnet_media *media;
	struct vnet_medium *m;
	int far;
	bool is_full;
	size_t filling;
};

static void
close_all(struct stream_end *s)
{
	vnet_medium_close(s->m);
	vnet_media_destroy(s->media);
	close(s->far);
}

static int
open_stream(void *ctx, struct vnet_switch *sw, vnet_port_id port,
	    vnet_client_id *id)
{
	struct stream_end *s = ctx;
	int fds[2], big = 4 << 20, r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	s->far = fds[1];
	assert_int_equal(vnet_media_create(&s->media), 0);
	assert_int_equal(vnet_stream_adopt(&s->m, s->media, fds[0], NULL), 0);
	r = vnet_medium_attach(s->m, sw, port, 0, 0, NULL);
	if (r)
		close_all(s);
	else
		*id = vnet_medium_client(s->m);
	return r;
}

static bool
now_gone(void *ctx)
{
	struct stream_end *s = ctx;
	bool is_detached = vnet_medium_client(s->m) == VNET_NO_ID &&
			   !vnet_medium_wants(s->m);

	close_all(s);
	return is_detached;
}

static bool
read_whole(const struct stream_end *s, uint8_t *p, size_t len)
{
	ssize_t n = len ? recv(s->far, p, len, MSG_DONTWAIT) : 0;

	assert_true(n == (ssize_t)len || (n < 0 && errno == EAGAIN));
	return n >= 0;
}

static void
read_far(void *ctx, conformance_fn fn, void *fn_ctx)
{
	static uint8_t octets[70000];
	struct stream_end *s = ctx;
	uint8_t prefix[4];

	while (!s->is_full && read_whole(s, prefix, 4)) {
		struct vnet_frame f = {.data = octets, .nsegs = 1};

		f.len = (uint32_t)prefix[2] << 8 | prefix[3];
		assert_int_equal(prefix[0] | prefix[1], 0);
		assert_true(read_whole(s, octets, f.len));
		fn(fn_ctx, &f);
		/* There may be more where that was. */
		vnet_medium_ready(s->m, false, true, 0);
	}
}

static void
inject(void *ctx, const struct vnet_frame *f)
{
	struct stream_end *s = ctx;
	uint8_t prefix[4] = {0, 0, (uint8_t)(f->len >> 8), (uint8_t)f->len};
	const struct iovec iov[2] = {
		{.iov_base = prefix, .iov_len = 4},
		{.iov_base = (void *)f->data, .iov_len = f->len},
	};

	assert_int_equal(writev(s->far, iov, 2), 4 + f->len);
	assert_int_equal(vnet_medium_ready(s->m, true, false, 0), 1);
}

static void
set_full(void *ctx, bool full)
{
	struct stream_end *s = ctx;
	static uint8_t octets[65536];
	int fd = vnet_medium_fd(s->m);
	size_t at_once = sizeof(octets);

	s->is_full = full;
	if (full) {
		while (at_once) {
			ssize_t n = send(fd, octets, at_once, MSG_DONTWAIT);

			if (n > 0)
				s->filling += (size_t)n;
			else
				at_once /= 2;
		}
		return;
	}
	while (s->filling) {
		size_t n = s->filling < at_once ? s->filling : at_once;

		assert_true(read_whole(s, octets, n));
		s->filling -= n;
	}
	assert_true(vnet_medium_wants(s->m) & VNET_MEDIUM_WRITE);
	vnet_medium_ready(s->m, false, true, 0);
	vnet_medium_ready(s->m, false, true, 0);
}

int
main(void)
{
	static const struct conformance stream = {
		.name = "stream",
		.carries = 0,
		.size = sizeof(struct stream_end),
		.open = open_stream,
		.now_gone = now_gone,
		.read = read_far,
		.inject = inject,
		.set_full = set_full,
	};

	return conformance_run(&stream);
}
