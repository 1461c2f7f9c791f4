/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process as a host: it sends frames to a switch, and takes frames from it,
 * as a client of libvnet or through a vde_plug.
 */
#ifndef BENCH_ATTACH_END_H
#define BENCH_ATTACH_END_H

#include <stdbool.h>
#include <stddef.h>

#include "host.h"

/* Frames that one call moves, at the most. */
#define END_BATCH 64

struct end;

/*
 * Open one at the switch @where, as host @number, which has an address of that:
 *
 *	attach:SOCKET:VIF	by vnet_attach_open()
 *	vde:SOCKET:CPU		by a vde_plug that runs on that processor, and ends
 *				with the last of its input
 *
 * It, and all below, ends the program if it fails.
 */
struct end *end_open(const char *where, unsigned int number);

/* A frame from host @from to host @to. */
struct host_frame end_frame(unsigned int to, unsigned int from);

/* Send @n frames, waiting for room as long as it takes. */
void end_send(struct end *e, const struct host_frame *frames, size_t n);

/* Take up to END_BATCH of those that have come, waiting for the first of them.
 * 0 after that time. */
size_t end_receive(struct end *e, struct host_frame *frames, int timeout_ms);

#endif
