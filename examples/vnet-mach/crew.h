/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The threads that serve: two, and further ones while all are held up by memory
 * of clients whose pagers do not answer.
 */
#ifndef CREW_H
#define CREW_H

#include <stdint.h>

#include <vnet/mach.h>

#define CREW_ALWAYS 2

/**
 * struct crew - the threads of a server
 * @m:		set before crew_run()
 * @max:	the most of them
 * @n:		those that there are
 * @wanted:	grows when another one is
 */
struct crew {
	struct vnet_mach *m;
	uint32_t max;
	uint32_t n;
	uint32_t wanted;
};

/* The server wants another thread: want_worker of struct vnet_mach_config. */
void crew_want(void *crew);

/* Serve for ever, with the calling thread as the one that makes others. */
_Noreturn void crew_run(struct crew *c);

#endif
