/* SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <unistd.h>

#include "sessions.h"

/* Longer than anything takes here. */
#define PATIENCE_MS 20000

void
sessions_open(struct sessions *s)
{
	strcpy(s->folder, "/tmp/test_attach.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof(s->path), "%s/socket", s->folder);
	assert_int_equal(vnet_attach_listen(s->path, 0600, &s->fd, NULL), 0);
}

void
sessions_close(struct sessions *s)
{
	close(s->fd);
	unlink(s->path);
	rmdir(s->folder);
}

void
sessions_wait(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

struct vnet_session *
sessions_accept(const struct sessions *s)
{
	struct vnet_session *session = NULL;

	sessions_wait(s->fd);
	assert_int_equal(vnet_attach_accept(&session, s->fd, NULL), 0);
	return session;
}

int
sessions_next(struct vnet_session *session, struct vnet_request *request)
{
	*request = (struct vnet_request){.size = sizeof(*request)};
	sessions_wait(vnet_session_fd(session));
	return vnet_session_next(session, request);
}

struct call
call_for(const struct sessions *s, const char *vif)
{
	return (struct call){
		.config =
			{
				.size = sizeof(struct vnet_attach_config),
				.path = s->path,
				.vif = vif,
				.timeout_ms = PATIENCE_MS,
			},
	};
}

static void *
run(void *ctx)
{
	struct call *c = ctx;

	c->r = vnet_attach_open(&c->a, &c->config, &c->why);
	return NULL;
}

void
call_begin(struct call *c)
{
	c->config.text = c->text;
	assert_int_equal(pthread_create(&c->thread, NULL, run, c), 0);
}

int
call_end(struct call *c)
{
	assert_int_equal(pthread_join(c->thread, NULL), 0);
	return c->r;
}

struct vnet_session *
sessions_make(const struct sessions *s, const char *vif, uint32_t carries,
	      struct vnet_media *media, struct vnet_attach **a,
	      struct vnet_medium **m)
{
	struct call c = call_for(s, vif);
	struct vnet_attach_info info = {.size = sizeof(info), .mtu = 1500};
	struct vnet_request request;
	struct vnet_session *session;

	c.config.carries = carries;
	call_begin(&c);
	session = sessions_accept(s);
	assert_int_equal(sessions_next(session, &request), 1);
	assert_int_equal(request.type, VNET_REQUEST_OPEN);
	assert_int_equal(vnet_session_open(session, m, media, 0, NULL), 0);
	strcpy(info.vif, request.vif);
	assert_int_equal(vnet_session_welcome(session, &info), 0);
	assert_int_equal(call_end(&c), 0);
	*a = c.a;
	return session;
}
