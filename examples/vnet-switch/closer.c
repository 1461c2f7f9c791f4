/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To delete a TAP takes Linux some 30 ms, in which it mostly waits for others
 * to let go of it (RCU): a thousand, one after the other, half a minute. Those
 * waits pass side by side for threads that close one each.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "closer.h"

#define THREADS_MAX 64

/* @next counts up: who gets a number below @n closes that one. */
struct closing {
	struct vnet_medium **media;
	size_t n;
	atomic_size_t next;
};

static void *
run(void *arg)
{
	struct closing *c = arg;
	size_t i;

	while ((i = atomic_fetch_add(&c->next, 1)) < c->n)
		vnet_medium_close(c->media[i]);
	return NULL;
}

void
closer_run(struct vnet_medium **media, size_t n)
{
	struct closing c = {.media = media, .n = n};
	pthread_t threads[THREADS_MAX];
	size_t nthreads = 0;

	/* This thread is one of them, and enough if there are no others. */
	while (nthreads < THREADS_MAX && nthreads + 1 < n &&
	       pthread_create(&threads[nthreads], NULL, run, &c) == 0)
		nthreads++;
	run(&c);
	while (nthreads > 0)
		pthread_join(threads[--nthreads], NULL);
}
