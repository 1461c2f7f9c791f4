/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that forwards, and the lock by which the switch passes between it
 * and the one that controls.
 *
 * It sleeps in epoll_wait() without the lock, works off what that returned with
 * it, and so holds the switch for one turn at a time, or for one medium where
 * the other thread waits. What the other thread is
 * to see (events, media that have gone) makes a descriptor readable.
 */
#ifndef FORWARD_H
#define FORWARD_H

#include <stdbool.h>

#include <vnet/event.h>
#include <vnet/medium.h>

#include "complaint.h"

struct forward;

/* @cpu: the one to run on, or -1. @sw and @media outlive it. Return: 0, or
 * -errno with @c. */
int forward_create(struct forward **forward, struct vnet_switch *sw,
		   struct vnet_media *media, int cpu, struct complaint *c);

/* End the thread; from then on the switch is the caller's alone. NULL is
 * nothing to do. */
void forward_destroy(struct forward *f);

/* Hold the switch. Whoever waits comes next, whatever the load. */
void forward_lock(struct forward *f);

/* Tell the kernel what media want by now, and let go. */
void forward_unlock(struct forward *f);

/* All below: with the lock. */

/* Watch a medium that is attached. Return: 0; -ENOMEM, -ENOSPC. */
int forward_watch(struct forward *f, struct vnet_medium *m);

/* Before it is detached, or closed; one that is not watched is no error. */
void forward_unwatch(struct forward *f, struct vnet_medium *m);

/* Readable when there is an event to take, or a medium has gone. */
int forward_notice_fd(const struct forward *f);

/* Begin to look: returns whether media have gone since the last time. */
bool forward_notice(struct forward *f);

/* The next event: 1, or 0 if there is none. */
int forward_event(struct forward *f, struct vnet_event *event);

/* Say nothing of events (true) until they are wanted again (false): what a load
 * does must not keep the other thread busy. */
void forward_set_quiet(struct forward *f, bool quiet);

#endif
