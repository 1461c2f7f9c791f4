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

/* Numbers in network byte order, at any alignment. */
VNET_INLINE uint16_t
vnet_be16_load(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

VNET_INLINE void
vnet_be16_store(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

VNET_INLINE uint32_t
vnet_be32_load(const uint8_t *p)
{
	return (uint32_t)vnet_be16_load(p) << 16 | vnet_be16_load(p + 2);
}

VNET_INLINE void
vnet_be32_store(uint8_t *p, uint32_t v)
{
	vnet_be16_store(p, (uint16_t)(v >> 16));
	vnet_be16_store(p + 2, (uint16_t)v);
}

VNET_INLINE uint64_t
vnet_be64_load(const uint8_t *p)
{
	return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 |
	       (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
	       (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
	       (uint64_t)p[6] << 8 | p[7];
}

VNET_INLINE void
vnet_be64_store(uint8_t *p, uint64_t v)
{
	vnet_be32_store(p, (uint32_t)(v >> 32));
	vnet_be32_store(p + 4, (uint32_t)v);
}

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

/* Are the tags out of band such as have a place on the wire? */
bool vnet_eth_tags_are_known(const struct vnet_frame *f);

/* False if the frame has no whole header. */
VNET_INLINE bool
vnet_eth_parse(const struct vnet_frame *f, struct vnet_eth *eth)
{
	if (vnet_unlikely(f->len < VNET_ETH_HEADER_LEN))
		return false;
	if (vnet_unlikely(f->ntags) && !vnet_eth_tags_are_known(f))
		return false;
	/* Both addresses with the two octets behind them, which are there, are
	 * one load each. */
	eth->dst = vnet_be64_load(f->data) >> 16;
	eth->src = vnet_be64_load(f->data + 6) >> 16;
	return true;
}

/* Is it a probe for a duplicate address (RFC 4862, 5.4.2: a neighbour solicitation
 * from the unspecified address)? */
bool vnet_eth_is_dad_probe(const struct vnet_frame *f);

/* Offset of the EtherType behind the tags in a frame's octets; 0 if it is not
 * there, or if there are more tags, with those out of band, than anybody has a
 * use for. */
uint32_t vnet_eth_type_at(const struct vnet_frame *f);

/* vnet_l4.proto, as IP numbers them. */
enum {
	VNET_PROTO_TCP = 6,
	VNET_PROTO_UDP = 17,
};

/**
 * struct vnet_l4 - where a frame's transport header is
 * @ip:		offset of the IP header from vnet_frame.data
 * @l4:		offset of the transport header
 * @end:	offset behind the last octet of the IP datagram, as the IP
 *		header says; at most vnet_frame.len
 * @dst:	offset of the destination address that the pseudo-header has:
 *		the final one, where the datagram is routed by its source (RFC
 *		8200, 8.1; RFC 791, 3.1)
 * @version:	4 or 6
 * @proto:	VNET_PROTO_TCP, at least 20 octets before @end, or
 *		VNET_PROTO_UDP, at least 8
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
 * wholly within the frame, or if nobody could compute its checksum from what
 * it holds: a fragment, an atomic one too, or a header that replaces an address
 * in a way that we do not know.
 */
bool vnet_eth_parse_l4(const struct vnet_frame *f, struct vnet_l4 *l4);

/*
 * Octets behind the Ethernet header and the first two tags, which are what an
 * MTU bounds. It is the same whether a tag travels in the octets or out of
 * band, and never more than vnet_frame.len - VNET_ETH_HEADER_LEN.
 */
uint32_t vnet_eth_payload(const struct vnet_frame *f);

/* Write the addresses of a frame and, behind them, the tags that travel out of
 * band. Returns the octets written; what follows in the frame is at offset 12
 * of its data. @f has passed vnet_eth_parse(). */
uint32_t vnet_eth_put_tags(uint8_t *p, const struct vnet_frame *f);

/*
 * Make the IP header at @data say that the datagram ends at @l4->end. An IPv4
 * header has its identification raised by @nth and its checksum computed.
 */
void vnet_eth_set_length(uint8_t *data, const struct vnet_l4 *l4, uint16_t nth);

/*
 * Ones' complement sums (RFC 1071). They are taken in the byte order of the
 * machine: vnet_csum_fold() gives two octets to be copied to where the sum
 * belongs, not a number. Every piece but the last has an even length; a sum
 * holds 2^31 octets at least.
 */
uint64_t vnet_csum_add(uint64_t sum, const uint8_t *p, size_t len);
uint16_t vnet_csum_fold(uint64_t sum);

/* The sum over the pseudo-header of a datagram, as its IP header says it. */
uint64_t vnet_eth_sum_pseudo(const uint8_t *data, const struct vnet_l4 *l4);

#endif
