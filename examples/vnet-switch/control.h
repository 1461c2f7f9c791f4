/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: requests and answers are JSON, one object a line; see
 * vnetctl(8) for what can be asked.
 *
 * Whoever connects can make us keep a bounded amount of memory, whatever they
 * send or do not read, and nobody waits for them: while answers are not read no
 * more requests are, lists are made as they are read, and of events and
 * captures that are not read the rest is counted and lost.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <event2/event.h>

#include "complaint.h"
#include "plant.h"

struct control;

/* Octets of a request at the most. */
#define CONTROL_REQUEST_MAX (1 << 20)

/* Connections at the most, and of these captures, which take memory. */
#define CONTROL_CONNECTIONS_MAX 64
#define CONTROL_CAPTURES_MAX    16

/* Octets of answers that wait to be read, behind which nothing is done for a
 * connection. One answer comes on top. */
#define CONTROL_OUTPUT_MAX (256 << 10)

/**
 * struct control_config - what the socket serves
 * @path:	of the socket. One that nobody listens at is replaced, one that
 *		somebody listens at is refused (-EADDRINUSE)
 * @plant:	outlives it; its listener is the control socket's
 * @version:	for "show"
 * @file:	of the configuration, likewise; NULL if there is none
 * @settings:	keys of the configuration that are the program's ("log",
 *		"cpu"), for "config show"; may be NULL. Not copied: what is set
 *		later is shown
 * @reload:	what SIGHUP does; appends what could not be done to @complaints,
 *		as strings. Returns 0, or -errno. NULL if there is no file
 * @ctx:	handed to it
 *
 * What is pointed to outlives the control.
 */
struct control_config {
	const char *path;
	struct plant *plant;
	const char *version;
	const char *file;
	json_t *settings;
	int (*reload)(void *ctx, json_t *complaints);
	void *ctx;
};

/* Listen, with mode 0600. SIGPIPE is ignored from then on. Returns 0, or -errno
 * with @c. */
int control_create(struct control **control, struct event_base *base,
		   const struct control_config *config, struct complaint *c);

/* End all connections, remove the socket. NULL is nothing to do. */
void control_destroy(struct control *control);

#endif
