/* SPDX-License-Identifier: BSD-2-Clause */
#include <mach.h>
#include <pthread.h>
#include <semaphore.h>

#include "threads.h"

#define MAX_WORKERS 16

/* How late what is due may be, ms. */
#define LONGEST 100

static struct vnet_mach *server;
static sem_t wanted;

void
threads_want(void *ctx)
{
	(void)ctx;
	sem_post(&wanted);
}

/* The loop is glibc's. What is due is looked for behind each message. */
static boolean_t
demux(mach_msg_header_t *in, mach_msg_header_t *out)
{
	boolean_t is_ours = vnet_mach_demux(server, in, out);

	vnet_mach_tick(server);
	return is_ours;
}

static _Noreturn void *
receive(void *arg)
{
	(void)arg;
	for (;;) {
		mach_msg_server_timeout(demux, VNET_MACH_MSG_SIZE,
					vnet_mach_port_set(server),
					MACH_RCV_TIMEOUT, LONGEST);
		vnet_mach_tick(server);
	}
}

static void *
work(void *arg)
{
	(void)arg;
	vnet_mach_work(server, true);
	return NULL;
}

static int
start(void *(*fn)(void *))
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, fn, NULL);

	if (!err)
		pthread_detach(thread);
	return err;
}

/* Whoever wants a worker must not wait until it is there. */
static void *
hire(void *arg)
{
	unsigned int n = 1;

	(void)arg;
	while (n < MAX_WORKERS)
		if (!sem_wait(&wanted) && !start(work))
			n++;
	return NULL;
}

int
threads_start(struct vnet_mach *m)
{
	int err;

	server = m;
	sem_init(&wanted, 0, 0);
	err = start(work);
	if (!err)
		err = start(hire);
	if (!err)
		err = start(receive);
	return err;
}
