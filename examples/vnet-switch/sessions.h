/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions: processes that attach to ports of type attach. The sockets that they
 * come by (entrances, which ports may share), and what they ask for. For the
 * files of the plant alone.
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include <vnet/attach.h>

#include "complaint.h"
#include "plant.h"

struct plant_client;
struct session;
struct sessions;

/* Sessions that have not said yet what they want, and how long they may take. */
#define SESSIONS_PENDING_MAX 64
#define SESSIONS_SILENCE_S   5

/* Return: 0, or -ENOMEM with @c. */
int sessions_create(struct sessions **sessions, struct plant *plant,
		    struct complaint *c);

/* After all ports have left their entrances. NULL is nothing to do. */
void sessions_destroy(struct sessions *sessions);

struct entrance;

/* Listen at a path, or share who does already. Return: 0, or -errno with @c. */
int entrance_open(struct entrance **entrance, struct sessions *sessions,
		  const char *path, struct complaint *c);

/* The last one who leaves closes it. NULL is nothing to do. */
void entrance_close(struct entrance *entrance);

/* Who it is, and what vnet_session_... are to be told. */
const struct vnet_session_peer *session_peer(const struct session *s);
struct vnet_session *session_of(const struct session *s);

/* End it, and remove its client, if it has one: without the lock. What happened
 * is the caller's to tell. */
void session_end(struct session *s);

#endif
