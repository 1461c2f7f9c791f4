/* SPDX-License-Identifier: BSD-2-Clause */
/* When to try again what has failed: soon, and then later and later. */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <event2/event.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS  10000

/* @next_ms: how long the next wait is */
struct backoff {
	struct event *event;
	unsigned int next_ms;
};

/* Calls @again behind each wait. Return: 0, or -ENOMEM. */
int backoff_init(struct backoff *b, struct event_base *base,
		 event_callback_fn again, void *ctx);

/* One that is zero is nothing to do. */
void backoff_fini(struct backoff *b);

/* Wait: twice as long as the last time, up to BACKOFF_LAST_MS. */
void backoff_wait(struct backoff *b);

/* It is done, or given up: no more waits, and the next is short. */
void backoff_end(struct backoff *b);

#endif
