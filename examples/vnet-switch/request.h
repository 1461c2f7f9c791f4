/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be asked on the control socket, and what is done about it. */
#ifndef REQUEST_H
#define REQUEST_H

#include <jansson.h>

#include "capture.h"
#include "complaint.h"
#include "control.h"

enum answer_kind {
	ANSWER_WHOLE = 0,
	ANSWER_LIST,    /* @result, in pieces: answer_piece() */
	ANSWER_FDB,     /* likewise, made as they are asked for */
	ANSWER_MONITOR, /* events, from now on */
	ANSWER_CAPTURE, /* pcapng, from now on */
};

/**
 * struct answer - what a request leads to
 * @result:	of WHOLE (NULL if there is none) and LIST
 * @complaints:	strings, beside an error; NULL if there are none
 * @at:		rows of a LIST that were given out
 * @port:	of FDB: whose, or NULL
 * @cursor:	of FDB: where we are
 * @capture:	of CAPTURE: on its port by now; for capture_destroy()
 */
struct answer {
	enum answer_kind kind;
	json_t *result;
	json_t *complaints;
	size_t at;
	char *port;
	uint64_t cursor;
	struct capture *capture;
};

/*
 * Do what a request says. @request is any JSON value, @begun what request_now()
 * was when the program began to serve.
 *
 * Return: 0 with @a filled, or -errno with @c, and perhaps @a->complaints; for
 * answer_fini() either way.
 */
int request_run(const struct control_config *config, uint64_t begun,
		const json_t *request, struct answer *a, struct complaint *c);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t request_now(void);

/* The next piece of a list: a new reference, NULL with @c on failure. @last is
 * set if nothing follows. */
json_t *answer_piece(struct answer *a, struct plant *plant, bool *last,
		     struct complaint *c);

void answer_fini(struct answer *a);

#endif
