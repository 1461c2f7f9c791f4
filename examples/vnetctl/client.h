/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to the daemon: requests and answers are JSON, one object a line.
 * What the daemon says is not trusted: lines are bounded, time is, and whoever
 * reads a result checks the types in it.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <jansson.h>

#include "command.h"

/* Octets of an answer at the most, and of all pieces that are put together. */
#define CLIENT_LINE_MAX  ((size_t)16 << 20)
#define CLIENT_WHOLE_MAX ((size_t)64 << 20)

struct client {
	int fd;
	const char *path;
	int timeout_ms;
	/* Received, not yet read: [start, end). */
	char *buf;
	size_t size;
	size_t start;
	size_t end;
	uint64_t received; /* octets in all */
};

/* Connect. In any case client_close() may follow. */
enum status client_open(struct client *client, const struct command_line *line,
			struct complaint *c);
void client_close(struct client *client);

/* For client_line(). */
#define CLIENT_FOREVER (-1)

/* The next line, without its end; valid until the next call. */
enum status client_line(struct client *client, int timeout_ms,
			const char **text, size_t *len, struct complaint *c);

/* Receive what is there, or wait for something, behind what is not read yet. For
 * octets that are no lines. */
enum status client_fill(struct client *client, bool *end, struct complaint *c);

/* Ask, and have an answer that is "ok". @request is consumed and may be NULL:
 * no memory. @result (may be NULL): a new reference, or NULL if there was no
 * result. @more may be NULL where it is not wanted: then the answer is one. */
enum status client_ask(struct client *client, json_t *request, json_t **result,
		       bool *more, struct complaint *c);

/* The next piece, after one with *@more. */
enum status client_next(struct client *client, json_t **result, bool *more,
			struct complaint *c);

/* All pieces behind the first, put into it: lists become one; of objects their
 * lists do, and of the rest the last counts. */
enum status client_join(struct client *client, json_t *first,
			struct complaint *c);

/* Connect, ask, put all pieces together, and hang up. */
enum status client_ask_once(const struct command_line *line, json_t *request,
			    json_t **result, struct complaint *c);

/* The same on a connection that is there. */
enum status client_ask_whole(struct client *client, json_t *request,
			     json_t **result, struct complaint *c);

#endif
