/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only code that knows the layout of Ethernet, VLAN, ARP, IP and ND
 * headers.
 */
#ifndef VNET_ETH_H
#define VNET_ETH_H

#include <vnet/frame.h>

#include "core.h"

/* The addresses of a frame, each a number of 48 bits whose most significant
 * octet is the first on the wire. */
struct vnet_eth {
	uint64_t dst;
	uint64_t src;
};

#define VNET_MAC_BROADCAST UINT64_C(0xffffffffffff)

VNET_INLINE uint64_t
vnet_mac_load(const uint8_t *p)
{
	return (uint64_t)p[0] << 40 | (uint64_t)p[1] << 32 |
	       (uint64_t)p[2] << 24 | (uint64_t)p[3] << 16 |
	       (uint64_t)p[4] << 8 | p[5];
}

VNET_INLINE void
vnet_mac_store(uint8_t *p, uint64_t mac)
{
	for (int i = 0; i < 6; i++)
		p[i] = (uint8_t)(mac >> (40 - 8 * i));
}

/* The group bit (IEEE 802, 8.2): broadcast and multicast have it. */
VNET_INLINE bool
vnet_mac_is_group(uint64_t mac)
{
	return mac >> 40 & 1;
}

/* 01-80-C2-00-00-00 to -0F (IEEE 802.1Q, table 8-1): not to be forwarded. */
VNET_INLINE bool
vnet_mac_is_reserved(uint64_t mac)
{
	return mac >> 4 == UINT64_C(0x0180c2000000) >> 4;
}

/* Octets of a frame on the wire, without FCS: its tags count. */
VNET_INLINE uint32_t
vnet_frame_octets(const struct vnet_frame *f)
{
	return f->len + 4u * f->ntags;
}

/* False if the frame has no whole header. */
VNET_INLINE bool
vnet_eth_parse(const struct vnet_frame *f, struct vnet_eth *eth)
{
	if (vnet_unlikely(f->len < VNET_ETH_HEADER_LEN ||
			  f->ntags > VNET_MAX_TAGS))
		return false;
	eth->dst = vnet_mac_load(f->data);
	eth->src = vnet_mac_load(f->data + 6);
	return true;
}

/**
 * struct vnet_l4 - where a frame's transport header is
 * @ip:		offset of the IP header from vnet_frame.data
 * @l4:		offset of the transport header
 * @end:	offset behind the last octet of the IP datagram, as the IP
 *		header says; at most vnet_frame.len
 * @dst:	offset of the destination address that the pseudo-header has
 *		(RFC 8200, 8.1: the final one where there is a routing header)
 * @version:	4 or 6
 * @proto:	IPPROTO_TCP (6) or IPPROTO_UDP (17)
 */
struct vnet_l4 {
	uint32_t ip;
	uint32_t l4;
	uint32_t end;
	uint32_t dst;
	uint8_t version;
	uint8_t proto;
};

/*
 * Find the TCP or UDP header of a frame, behind VLAN tags in its octets and
 * IPv6 extension headers. False if it is not one, if its headers do not lie
 * wholly within the frame, or if it is a fragment (whose checksum nobody can
 * compute from it).
 */
bool vnet_eth_parse_l4(const struct vnet_frame *f, struct vnet_l4 *l4);

/* Octets behind the Ethernet header and the tags, which are what an MTU
 * bounds: those in the octets count as tags too, two at the most. */
uint32_t vnet_eth_payload(const struct vnet_frame *f);

#endif
