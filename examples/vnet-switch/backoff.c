/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "backoff.h"

int
backoff_init(struct backoff *b, struct event_base *base,
	     event_callback_fn again, void *ctx)
{
	b->next_ms = BACKOFF_FIRST_MS;
	b->event = evtimer_new(base, again, ctx);
	return b->event ? 0 : -ENOMEM;
}

void
backoff_fini(struct backoff *b)
{
	if (b->event)
		event_free(b->event);
	b->event = NULL;
}

void
backoff_wait(struct backoff *b)
{
	const struct timeval wait = {
		.tv_sec = b->next_ms / 1000,
		.tv_usec = (suseconds_t)(b->next_ms % 1000) * 1000,
	};

	event_add(b->event, &wait);
	b->next_ms *= 2;
	if (b->next_ms > BACKOFF_LAST_MS)
		b->next_ms = BACKOFF_LAST_MS;
}

void
backoff_end(struct backoff *b)
{
	if (!b->event)
		return;
	event_del(b->event);
	b->next_ms = BACKOFF_FIRST_MS;
}
