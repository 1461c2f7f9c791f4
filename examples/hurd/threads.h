/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The threads of the device server, beside those of libports, which serve the files.
 *
 * The rights of devices are in a set of their own: what comes to a right that it has
 * not made, libports refuses.
 */
#ifndef THREADS_H
#define THREADS_H

#include <vnet/mach.h>

/* The server wants another worker: want_worker of struct vnet_mach_config. */
void threads_want(void *ctx);

/* Begin to serve. Return: 0, or an error. */
int threads_start(struct vnet_mach *m);

#endif
