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

/* The name of the grant that it was delegated with, and whose session has done so;
 * NULL of one that has connected by itself. */
const char *session_grant(const struct session *s);
const struct session *session_from(const struct session *s);

/* End those that it has delegated, as below. */
void session_end_given(struct session *s);

/* End those of them that wait for a client, and whose grants have ended: what
 * bounds how many there are is what is granted. */
void session_end_over(struct session *s);

/* End it, and those that it has delegated, and remove the clients that they have:
 * without the lock. What happened is the caller's to tell. */
void session_end(struct session *s);

#endif
