/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends frames of 60 octets to host 1 as fast as the switch takes them, until it
 * is ended.
 *
 *	flood FROM CPU
 *
 * FROM is as end.h says. It runs when nothing else wants the processor: what it
 * takes from others is to be what the switch does for it.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "end.h"

#define NUMBER 0xfe

int
main(int argc, char **argv)
{
	const struct sched_param param = {0};
	struct host_frame frames[END_BATCH];
	struct end *e;

	if (argc != 3) {
		fprintf(stderr, "usage: flood FROM CPU\n");
		return 2;
	}
	host_pin(argv[2]);
	if (sched_setscheduler(0, SCHED_IDLE, &param) < 0)
		host_fail("cannot stand back: %s", strerror(errno));
	e = end_open(argv[1], NUMBER);
	for (size_t i = 0; i < END_BATCH; i++)
		frames[i] = end_frame(1, NUMBER);
	for (;;)
		end_send(e, frames, END_BATCH);
}
