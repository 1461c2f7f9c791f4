/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The links of ports follow the interfaces behind them. There is one netlink
 * socket for each network namespace in which a vnet_media has interfaces, all
 * of them behind its epoll descriptor. What they say is only that an interface
 * is to be looked at again: so nothing depends on what was missed, or on how
 * old it is.
 *
 * Media that are to be looked at wait in line. While there are any the epoll
 * descriptor is readable, so that each call has to look at a few only.
 */
#ifndef VNET_LINUX_WATCH_H
#define VNET_LINUX_WATCH_H

#include "medium.h"

/* Watch m->index in namespace @ns from now on, instead of where it was. Its
 * state is to be read behind this. 0 or -errno. */
int vnet_watch_set(struct vnet_medium *m, int ns);

/* The flags (IFF_*) of m->index where it is watched. Quick: it does not wait for
 * the lock under which the kernel makes and deletes interfaces. 0 or -errno,
 * -ENODEV if there is no such interface any more. */
int vnet_watch_flags(const struct vnet_medium *m, unsigned int *flags);

/* It is not watched, and not in line. */
void vnet_watch_end(struct vnet_medium *m);

/* For vnet_media_create(), after its epoll_fd. 0 or -errno. */
int vnet_watch_init(struct vnet_media *media);
void vnet_watch_fini(struct vnet_media *media);

/* Read some of what there is: whom it concerns goes in line. */
void vnet_watch_read(struct vnet_media *media);

/* What was seen of it may be false by now: it goes in line. */
void vnet_watch_again(struct vnet_medium *m);

/* Take the first out of the line; NULL if there is none. */
struct vnet_medium *vnet_watch_next(struct vnet_media *media);

#endif
