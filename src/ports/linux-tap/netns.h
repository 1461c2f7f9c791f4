/* SPDX-License-Identifier: BSD-2-Clause */
/* Network namespaces: find one, and do something inside it. */
#ifndef VNET_LINUX_NETNS_H
#define VNET_LINUX_NETNS_H

/* Where the calling thread is. */
#define NETNS_HERE (-1)

/*
 * Open the network namespace @where: a path if it holds a slash, else a name of
 * ip-netns(8), else a process id. NETNS_HERE for NULL.
 *
 * Returns a descriptor, or -errno: -EINVAL for what is no network namespace.
 */
int vnet_netns_open(const char *where);

/* Nothing for NETNS_HERE. */
void vnet_netns_close(int ns);

/* What @fn returns, called inside @ns; or -errno if that cannot be entered. The
 * calling thread never leaves its own. */
int vnet_netns_call(int ns, int (*fn)(void *), void *arg);

#endif
