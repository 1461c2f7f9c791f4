/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of a local attachment in one program: what waits for the switch is
 * called in a thread, and the test is the switch.
 */
#ifndef VNET_TEST_SESSIONS_H
#define VNET_TEST_SESSIONS_H

#include <pthread.h>

#include <vnet/attach.h>

#include "support.h"

/**
 * struct sessions - where a switch listens
 * @folder:	of @path, made for it
 */
struct sessions {
	char folder[32];
	char path[48];
	int fd;
};

void sessions_open(struct sessions *s);
void sessions_close(struct sessions *s);

/* Wait until a descriptor can be read. Fails the test if that takes long. */
void sessions_wait(int fd);

/* The next client, whoever it is. */
struct vnet_session *sessions_accept(const struct sessions *s);

/* What a session asks for next; or what vnet_session_next() returns. */
int sessions_next(struct vnet_session *session, struct vnet_request *request);

/**
 * struct call - vnet_attach_open(), in a thread
 * @config:	of @path and @text, the rest is the caller's to set
 * @a, @r, @why: what came of it, once it is over
 */
struct call {
	struct vnet_attach_config config;
	struct vnet_attach *a;
	int r;
	struct vnet_why why;
	char text[VNET_ATTACH_TEXT_SIZE];
	pthread_t thread;
};

struct call call_for(const struct sessions *s, const char *vif);
void call_begin(struct call *c);
int call_end(struct call *c);

/* All of it: a client of @vif which carries @carries, its session, and its
 * medium, which is not attached. */
struct vnet_session *sessions_make(const struct sessions *s, const char *vif,
				   uint32_t carries, struct vnet_media *media,
				   struct vnet_attach **a,
				   struct vnet_medium **m);

#endif
