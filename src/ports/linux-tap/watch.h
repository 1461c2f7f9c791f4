/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The links of ports follow the interfaces behind them. There is one netlink
 * socket for each network namespace in which a vnet_media has interfaces, all
 * of them behind its epoll descriptor. What they say is only that an interface
 * is to be looked at again: so nothing depends on what was missed, or on how
 * old it is.
 */
#ifndef VNET_LINUX_WATCH_H
#define VNET_LINUX_WATCH_H

#include "medium.h"

/* Watch m->index in namespace @ns from now on, instead of where it was. Its
 * state is to be read behind this. 0 or -errno. */
int vnet_watch_set(struct vnet_medium *m, int ns);

/* Nothing if it is not watched. */
void vnet_watch_end(struct vnet_medium *m);

/* Read some of what there is. Returns media to be looked at, linked by
 * next_stale. */
struct vnet_medium *vnet_watch_read(struct vnet_media *media);

#endif
