/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NET_FLAGS, as clients and drivers know them: those of <net/if.h>.
 */
#ifndef GUEST_IF_FLAGS_H
#define GUEST_IF_FLAGS_H

#define IFF_UP      0x1
#define IFF_RUNNING 0x40
#define IFF_PROMISC 0x100

/* What pfinet sets: UP BROADCAST RUNNING ALLMULTI MULTICAST. */
#define PFINET_FLAGS 0x1243

#endif
