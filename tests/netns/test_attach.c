/* SPDX-License-Identifier: BSD-2-Clause */
/* What every driver does, done by a session of a local client; the far end of
 * the medium is that client. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "conformance.h"
#include "sessions.h"

#define CARRIES                                                      \
	(VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TSO6 | \
	 VNET_CARRIES_USO)

/**
 * @far:	the client
 */
struct attach_end {
	struct sessions sessions;
	struct vnet_media *media;
	struct vnet_session *session;
	struct vnet_medium *m;
	struct vnet_attach *far;
	bool is_full;
};

static void
close_all(struct attach_end *e)
{
	vnet_medium_close(e->m);
	vnet_session_close(e->session);
	vnet_attach_close(e->far);
	vnet_media_destroy(e->media);
	sessions_close(&e->sessions);
}

static int
open_session(void *ctx, struct vnet_switch *sw, vnet_port_id port,
	     vnet_client_id *id)
{
	struct attach_end *e = ctx;
	int r;

	sessions_open(&e->sessions);
	assert_int_equal(vnet_media_create(&e->media), 0);
	e->session = sessions_make(&e->sessions, "port", CARRIES, e->media,
				   &e->far, &e->m);
	r = vnet_medium_attach(e->m, sw, port, 0, 0, NULL);
	if (r)
		close_all(e);
	else
		*id = vnet_medium_client(e->m);
	return r;
}

static bool
now_gone(void *ctx)
{
	struct attach_end *e = ctx;
	bool is_detached = vnet_medium_client(e->m) == VNET_NO_ID &&
			   !vnet_medium_wants(e->m);

	close_all(e);
	return is_detached;
}

static bool
is_readable(const struct attach_end *e)
{
	struct pollfd p = {.fd = vnet_attach_fd(e->far), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* Frames that are there; what fills a socket is none. */
static void
read_frames(struct attach_end *e, conformance_fn fn, void *fn_ctx)
{
	struct vnet_frame f[VNET_ATTACH_BATCH];

	while (is_readable(e)) {
		int n = vnet_attach_receive(e->far, f, VNET_ATTACH_BATCH);

		assert_true(n >= 0);
		for (int i = 0; i < n; i++) {
			/* What the header does not tell. */
			f[i].nsegs = 1;
			if (f[i].gso_type != VNET_GSO_NONE)
				f[i].nsegs =
					(uint16_t)((f[i].len - f[i].hdr_len +
						    f[i].gso_size - 1) /
						   f[i].gso_size);
			fn(fn_ctx, &f[i]);
		}
		/* There may be more where that was. */
		if (!e->is_full)
			vnet_medium_ready(e->m, false, true, 0);
	}
}

static void
read_far(void *ctx, conformance_fn fn, void *fn_ctx)
{
	struct attach_end *e = ctx;

	if (!e->is_full)
		read_frames(e, fn, fn_ctx);
}

static void
inject(void *ctx, const struct vnet_frame *f)
{
	struct attach_end *e = ctx;

	assert_int_equal(vnet_attach_send(e->far, f, 1), 1);
	assert_int_equal(vnet_medium_ready(e->m, true, false, 0), 1);
}

static void
expect_none(void *ctx, const struct vnet_frame *f)
{
	(void)ctx;
	(void)f;
	fail();
}

static void
set_full(void *ctx, bool full)
{
	struct attach_end *e = ctx;
	int fd = vnet_medium_fd(e->m);

	if (full) {
		e->is_full = true;
		while (send(fd, "", 1, MSG_DONTWAIT) == 1)
			;
		assert_int_equal(errno, EAGAIN);
		return;
	}
	read_frames(e, expect_none, NULL);
	e->is_full = false;
	assert_true(vnet_medium_wants(e->m) & VNET_MEDIUM_WRITE);
	vnet_medium_ready(e->m, false, true, 0);
	vnet_medium_ready(e->m, false, true, 0);
}

int
main(void)
{
	static const struct conformance attach = {
		.name = "attach",
		.carries = CARRIES,
		.size = sizeof(struct attach_end),
		.open = open_session,
		.now_gone = now_gone,
		.read = read_far,
		.inject = inject,
		.set_full = set_full,
	};

	return conformance_run(&attach);
}
