/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who controls: requests in, octet by octet if need be, and answers out, in the
 * protocol of vnetctl(8): an object on a line each way.
 *
 * A request is done as soon as its line is there and what was asked before it
 * has been told: an answer is held until it is read, and what shows a list or
 * counters is made as it is read. Requests that wait take room.
 */
#ifndef VNET_CONTROL_SESSION_H
#define VNET_CONTROL_SESSION_H

#include "control_request.h"

/* Octets of a request, without the end of its line. */
#define VNET_CONTROL_REQUEST_MAX 65535

/* Octets that are written at a time. */
#define VNET_CONTROL_WRITE_MAX 65536

/* Octets of requests that wait: behind the longest that is not whole there is
 * room for as much as can be written. */
#define VNET_CONTROL_INPUT_MAX 131072

/* Octets of answers that wait to be read. */
#define VNET_CONTROL_ANSWER_SIZE 32768

/**
 * struct vnet_control_session
 * @input:	what has come, up to @len, with room for @room; what is before
 *		@first was done, and up to @scanned there is no end of a line
 * @is_skipping: a request was too long, and goes on
 * @output:	what was not read yet: VNET_CONTROL_ANSWER_SIZE octets, of which
 *		those up to @taken were read; NULL while there is nothing
 * @w:		which goes there
 * @walk:	the answer that is being told, if @is_telling
 * @id:		of that request, @id_len octets; none if 0
 * @rows:	of the line that is being told
 */
struct vnet_control_session {
	const struct vnet_control_host *host;
	char *input;
	size_t room;
	size_t first;
	size_t len;
	size_t scanned;
	bool is_skipping;
	char *output;
	size_t taken;
	struct vnet_json_writer w;
	struct vnet_control_walk walk;
	bool is_telling;
	char id[VNET_CONTROL_ID_MAX];
	size_t id_len;
	unsigned int rows;
};

void vnet_control_init(struct vnet_control_session *s,
		       const struct vnet_control_host *host);
/* What waits is forgotten, and the memory given back; it may be used anew. */
void vnet_control_fini(struct vnet_control_session *s);

/* Take octets of requests: all, or none. Return: 0; -EMSGSIZE if they are more
 * than VNET_CONTROL_WRITE_MAX, -ENOSPC if there is no room behind requests whose
 * answers wait for others to be read, -ENOMEM. */
int vnet_control_write(struct vnet_control_session *s, const char *text,
		       size_t len);

/* The next octets of answers, some of them: returns how many, 0 if there are
 * none. They are there until more is written, or they are taken. */
size_t vnet_control_peek(struct vnet_control_session *s, const char **text);

/* @n of these were read. */
void vnet_control_take(struct vnet_control_session *s, size_t n);

/**
 * vnet_control_run() - do one request, and tell all of a short answer
 * @text:	one line, without its end
 * @right:	what came with it; its name is 0 afterwards if it was taken
 * @answer:	one line, with its end; of a long one an error in its place
 *
 * Return: octets of the answer.
 */
size_t vnet_control_run(const struct vnet_control_host *host, const char *text,
			size_t len, struct vnet_control_right *right,
			char *answer, size_t room);

#endif
