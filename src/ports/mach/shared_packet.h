/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only code of the Mach port that knows the layout of VLAN, ARP, IP, ND and
 * BOOTP headers, for shared.c.
 *
 * Offsets count from the destination address of a frame. One that is handed out
 * is within the frame, with all that it is said to point to.
 */
#ifndef VNET_MACH_SHARED_PACKET_H
#define VNET_MACH_SHARED_PACKET_H

#include <vnet/types.h>

enum vnet_packet_kind {
	VNET_PACKET_OTHER, /* or not whole: nothing below is set, but vlan */
	VNET_PACKET_ARP,   /* of IPv4 over Ethernet (RFC 826) */
	VNET_PACKET_IPV4,
	VNET_PACKET_IPV6,
};

/**
 * struct vnet_packet - where things are in a frame
 * @vlan:	of its tags, of which there are two at the most: 0 is no VLAN;
 *		two numbers of 12 bits, the outer one above
 * @src:	the IP address of the sender, 4 or 16 octets
 * @dst:	that of the receiver
 * @src_mac:	ARP: the hardware address of the sender
 * @dst_mac:	ARP: that of the receiver
 * @op:		ARP: the operation
 * @proto:	IP: what is at @l4, behind extension headers; -1 if it is not in
 *		this frame, which is then a later fragment
 * @l4:		IP: the transport header
 * @end:	IP: behind the last octet that is both the datagram's and the
 *		frame's
 */
struct vnet_packet {
	enum vnet_packet_kind kind;
	uint32_t vlan;
	uint32_t src;
	uint32_t dst;
	uint32_t src_mac;
	uint32_t dst_mac;
	uint16_t op;
	int proto;
	uint32_t l4;
	uint32_t end;
};

/* Read a frame of any length and content. */
void vnet_packet_parse(struct vnet_packet *p, const uint8_t *data,
		       uint32_t len);

/* An address that one host can have: neither unspecified, nor a group, nor
 * loopback. @p->kind is IPv6 for 16 octets, else 4. */
bool vnet_packet_is_host(const struct vnet_packet *p, const uint8_t *ip);

/* Is the ARP packet a probe (RFC 5227, 1.1): a request from no address? */
bool vnet_packet_is_probe(const struct vnet_packet *p, const uint8_t *data);

/**
 * struct vnet_packet_nd - a neighbour discovery message (RFC 4861, 4)
 * @is_redirect: a redirect; the others below tell of their sender
 * @target:	a neighbour advertisement: the address that it is about; else 0
 * @mac:	the link-layer address it tells others to use: its source
 *		link-layer option, or target link-layer option; 0 if it has none
 */
struct vnet_packet_nd {
	bool is_redirect;
	uint32_t target;
	uint32_t mac;
};

/* False if it is none that a receiver would not throw away. */
bool vnet_packet_parse_nd(struct vnet_packet_nd *nd,
			  const struct vnet_packet *p, const uint8_t *data);

/* Write another link-layer address into it, and correct its checksum. */
void vnet_packet_set_nd_mac(const struct vnet_packet_nd *nd,
			    const struct vnet_packet *p, uint8_t *data,
			    const struct vnet_mac *mac);

/**
 * struct vnet_packet_bootp - a message of BOOTP or DHCP (RFC 951, RFC 2131)
 * @xid:	the transaction
 * @mac:	whose it is: chaddr
 * @ip:		the address that is given: yiaddr
 * @is_ack:	DHCPACK
 */
struct vnet_packet_bootp {
	uint32_t xid;
	uint32_t mac;
	uint32_t ip;
	bool is_ack;
};

/* False if it is no such message, over Ethernet, of a client to servers. One that
 * a relay has passed on is none. */
bool vnet_packet_parse_request(struct vnet_packet_bootp *b,
			       const struct vnet_packet *p,
			       const uint8_t *data);

/* False if it is no such message of a server to a client. */
bool vnet_packet_parse_reply(struct vnet_packet_bootp *b,
			     const struct vnet_packet *p, const uint8_t *data);

/* Have the reply to that request broadcast, and correct the checksum of UDP. */
void vnet_packet_set_broadcast(const struct vnet_packet *p, uint8_t *data);

#endif
