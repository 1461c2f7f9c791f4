/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NET_FLAGS of a device: IFF_* of the Hurd's <net/if.h>, which are those of Linux.
 */
#ifndef VNET_MACH_NET_FLAGS_H
#define VNET_MACH_NET_FLAGS_H

enum {
	NET_FLAG_UP = 0x1,
	NET_FLAG_BROADCAST = 0x2,
	NET_FLAG_RUNNING = 0x40,
	NET_FLAG_PROMISC = 0x100,
	NET_FLAG_ALLMULTI = 0x200,
	NET_FLAG_MULTICAST = 0x1000,
};

#endif
