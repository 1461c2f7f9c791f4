/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every offset is checked against the octets that are there before it is used; a
 * length that a header states is believed only within these.
 */
#include <string.h>

#include "shared_packet.h"

#define ETHERTYPE_AT 12 /* behind the two addresses */
#define MAX_TAGS     2

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_CVLAN = 0x8100, /* IEEE 802.1Q, table 9-1 */
	TYPE_IPV6 = 0x86dd,
	TYPE_SVLAN = 0x88a8,
};

/* RFC 826: offsets, and what is in front of them. */
enum {
	ARP_OP = 6,
	ARP_SHA = 8,
	ARP_SPA = 14,
	ARP_THA = 18,
	ARP_TPA = 24,
	ARP_LEN = 28,
	ARP_REQUEST = 1,
};
static const uint8_t arp_of_ipv4_over_ethernet[] = {0, 1, 8, 0, 6, 4};

/* RFC 791, 3.1. */
enum {
	IPV4_LEN = 20,
	IPV4_OFFSET = 0x1fff, /* of a fragment; the others are flags */
	IPV4_SRC = 12,
	IPV4_DST = 16,
};

/* RFC 8200, 4. More headers than any sender has a use for. */
enum {
	IPV6_LEN = 40,
	IPV6_SRC = 8,
	IPV6_DST = 24,
	IPV6_MAX_EXT = 8,
	EXT_HOP_BY_HOP = 0,
	EXT_ROUTING = 43,
	EXT_FRAGMENT = 44,
	EXT_AUTHENTICATION = 51, /* RFC 4302, 2.2: counts words of 32 bits */
	EXT_DSTOPTS = 60,
	EXT_MOBILITY = 135,
	EXT_HIP = 139,
	EXT_SHIM6 = 140,
	EXT_OFFSET = 0xfff8, /* of a fragment */
};

enum {
	PROTO_UDP = 17,
	PROTO_ICMPV6 = 58,
};

/* RFC 4861, 4: the messages, the options, and where these begin. */
enum {
	ND_HOP_LIMIT = 255, /* else it has come from another link (6.1, 7.1) */
	ND_CHECKSUM = 2,
	ND_ROUTER_SOLICITATION = 133,
	ND_ROUTER_ADVERTISEMENT = 134,
	ND_SOLICITATION = 135,
	ND_ADVERTISEMENT = 136,
	ND_REDIRECT = 137,
	ND_TARGET = 8,
	OPT_SOURCE_MAC = 1,
	OPT_TARGET_MAC = 2,
};

/* RFC 768. */
enum {
	UDP_LEN = 8,
	UDP_CHECKSUM = 6,
	PORT_SERVER = 67,
	PORT_CLIENT = 68,
};

/* RFC 2131, 2; RFC 2132. */
enum {
	BOOTP_REQUEST = 1,
	BOOTP_REPLY = 2,
	BOOTP_XID = 4,
	BOOTP_FLAGS = 10,
	BOOTP_YIADDR = 16,
	BOOTP_GIADDR = 24,
	BOOTP_CHADDR = 28,
	BOOTP_SNAME = 44, /* a client may leave out what is behind it */
	BOOTP_COOKIE = 236,
	BOOTP_OPTIONS = 240,
	BOOTP_BROADCAST = 0x8000,
	DHCP_PAD = 0,
	DHCP_TYPE = 53,
	DHCP_END = 255,
	DHCP_ACK = 5,
};
static const uint8_t dhcp_cookie[] = {99, 130, 83, 99};
static const uint8_t bootp_over_ethernet[] = {1, 6};

static uint16_t
load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
load32(const uint8_t *p)
{
	return (uint32_t)load16(p) << 16 | load16(p + 2);
}

/* Replace the @n octets at @at, both even, and correct the checksum at @sum_at
 * that covers them (RFC 1624, equation 3). */
static void
replace(uint8_t *data, uint32_t at, const uint8_t *octets, uint32_t n,
	uint32_t sum_at)
{
	uint32_t sum = (uint16_t)~load16(data + sum_at);

	for (uint32_t i = 0; i < n; i += 2) {
		sum += (uint16_t)~load16(data + at + i);
		sum += load16(octets + i);
	}
	memcpy(data + at, octets, n);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	data[sum_at] = (uint8_t)(~sum >> 8);
	data[sum_at + 1] = (uint8_t)~sum;
}

static void
parse_arp(struct vnet_packet *p, const uint8_t *data, uint32_t len, uint32_t at)
{
	if (len - at < ARP_LEN ||
	    memcmp(data + at, arp_of_ipv4_over_ethernet,
		   sizeof(arp_of_ipv4_over_ethernet)) != 0)
		return;
	p->kind = VNET_PACKET_ARP;
	p->op = load16(data + at + ARP_OP);
	p->src_mac = at + ARP_SHA;
	p->src = at + ARP_SPA;
	p->dst_mac = at + ARP_THA;
	p->dst = at + ARP_TPA;
}

static void
parse_ipv4(struct vnet_packet *p, const uint8_t *data, uint32_t len,
	   uint32_t at)
{
	const uint8_t *h = data + at;
	uint32_t hlen, total;

	if (len - at < IPV4_LEN || h[0] >> 4 != 4)
		return;
	hlen = (h[0] & 15) * 4u;
	total = load16(h + 2);
	if (hlen < IPV4_LEN || hlen > len - at || total < hlen)
		return;

	p->kind = VNET_PACKET_IPV4;
	p->src = at + IPV4_SRC;
	p->dst = at + IPV4_DST;
	p->proto = load16(h + 6) & IPV4_OFFSET ? -1 : h[9];
	p->l4 = at + hlen;
	p->end = at + (total < len - at ? total : len - at);
}

/* Octets of the extension header at @h, of which 8 are there. 0: it is none. */
static uint32_t
extension_len(uint8_t type, const uint8_t *h)
{
	switch (type) {
	case EXT_HOP_BY_HOP:
	case EXT_ROUTING:
	case EXT_DSTOPTS:
	case EXT_MOBILITY:
	case EXT_HIP:
	case EXT_SHIM6:
		return 8 + 8u * h[1];
	case EXT_AUTHENTICATION:
		return 8 + 4u * h[1];
	case EXT_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

/* Go to the transport header, if it is here. */
static void
walk_extensions(struct vnet_packet *p, const uint8_t *data, uint8_t next)
{
	for (int n = 0; p->end - p->l4 >= 8; n++) {
		const uint8_t *h = data + p->l4;
		uint32_t len = extension_len(next, h);

		if (len == 0) {
			p->proto = next;
			return;
		}
		if (n == IPV6_MAX_EXT || len > p->end - p->l4 ||
		    (next == EXT_FRAGMENT && load16(h + 2) & EXT_OFFSET))
			return;
		next = h[0];
		p->l4 += len;
	}
}

static void
parse_ipv6(struct vnet_packet *p, const uint8_t *data, uint32_t len,
	   uint32_t at)
{
	const uint8_t *h = data + at;
	uint32_t room, payload;

	if (len - at < IPV6_LEN || h[0] >> 4 != 6)
		return;
	room = len - at - IPV6_LEN;
	payload = load16(h + 4);

	p->kind = VNET_PACKET_IPV6;
	p->src = at + IPV6_SRC;
	p->dst = at + IPV6_DST;
	p->proto = -1;
	p->l4 = at + IPV6_LEN;
	p->end = p->l4 + (payload < room ? payload : room);
	walk_extensions(p, data, h[6]);
}

void
vnet_packet_parse(struct vnet_packet *p, const uint8_t *data, uint32_t len)
{
	uint32_t at = ETHERTYPE_AT;
	uint16_t type;

	*p = (struct vnet_packet){.kind = VNET_PACKET_OTHER};
	for (int ntags = 0;; ntags++, at += 4) {
		if (len < at + 2)
			return;
		type = load16(data + at);
		if (type != TYPE_CVLAN && type != TYPE_SVLAN)
			break;
		if (ntags == MAX_TAGS || len < at + 4)
			return;
		p->vlan = p->vlan << 12 | (load16(data + at + 2) & 0xfff);
	}

	at += 2;
	if (type == TYPE_ARP)
		parse_arp(p, data, len, at);
	else if (type == TYPE_IPV4)
		parse_ipv4(p, data, len, at);
	else if (type == TYPE_IPV6)
		parse_ipv6(p, data, len, at);
}

bool
vnet_packet_is_host(const struct vnet_packet *p, const uint8_t *ip)
{
	static const uint8_t zeros[15];

	if (p->kind == VNET_PACKET_IPV6)
		return ip[0] != 0xff &&
		       (ip[15] > 1 || memcmp(ip, zeros, 15) != 0);
	/* 0.0.0.0/8 is "this network" (RFC 1122, 3.2.1.3); 224.0.0.0 and above
	 * are groups, what was never given out, and the broadcast address. */
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

bool
vnet_packet_is_probe(const struct vnet_packet *p, const uint8_t *data)
{
	return p->op == ARP_REQUEST && load32(data + p->src) == 0;
}

/* The first option of that type behind @at, long enough for a link-layer address:
 * where that is. 0 if there is none. */
static uint32_t
find_mac_option(const struct vnet_packet *p, const uint8_t *data, uint32_t at,
		uint8_t type)
{
	while (at < p->end && p->end - at >= 8) {
		uint32_t len = 8u * data[at + 1];

		if (len == 0 || len > p->end - at)
			return 0;
		if (data[at] == type)
			return at + 2;
		at += len;
	}
	return 0;
}

bool
vnet_packet_parse_nd(struct vnet_packet_nd *nd, const struct vnet_packet *p,
		     const uint8_t *data)
{
	const uint8_t *h = data + p->l4;
	uint8_t option = OPT_SOURCE_MAC;
	uint32_t fixed;

	/* The hop limit is in front of the addresses; the code is to be 0. */
	if (p->kind != VNET_PACKET_IPV6 || p->proto != PROTO_ICMPV6 ||
	    data[p->src - 1] != ND_HOP_LIMIT || h[1] != 0)
		return false;

	*nd = (struct vnet_packet_nd){0};
	switch (h[0]) {
	case ND_ROUTER_SOLICITATION:
		fixed = 8;
		break;
	case ND_ROUTER_ADVERTISEMENT:
		fixed = 16;
		break;
	case ND_SOLICITATION:
		fixed = 24;
		break;
	case ND_ADVERTISEMENT:
		fixed = 24;
		nd->target = p->l4 + ND_TARGET;
		option = OPT_TARGET_MAC;
		break;
	case ND_REDIRECT:
		fixed = 40;
		nd->is_redirect = true;
		option = OPT_TARGET_MAC;
		break;
	default:
		return false;
	}
	if (p->end - p->l4 < fixed)
		return false;
	nd->mac = find_mac_option(p, data, p->l4 + fixed, option);
	return true;
}

void
vnet_packet_set_nd_mac(const struct vnet_packet_nd *nd,
		       const struct vnet_packet *p, uint8_t *data,
		       const struct vnet_mac *mac)
{
	replace(data, nd->mac, mac->octet, sizeof(mac->octet),
		p->l4 + ND_CHECKSUM);
}

/* The BOOTP message from one port to another; 0 if it is none, else where it
 * begins, with all up to its field sname. Its end is in *@end. */
static uint32_t
find_bootp(const struct vnet_packet *p, const uint8_t *data, uint8_t op,
	   uint16_t from, uint16_t to, uint32_t *end)
{
	const uint8_t *udp = data + p->l4;
	uint32_t room = p->end - p->l4;
	uint32_t len;

	if (p->kind != VNET_PACKET_IPV4 || p->proto != PROTO_UDP ||
	    room < UDP_LEN + BOOTP_SNAME)
		return 0;
	len = load16(udp + 4);
	if (load16(udp) != from || load16(udp + 2) != to ||
	    len < UDP_LEN + BOOTP_SNAME)
		return 0;
	if (udp[UDP_LEN] != op || memcmp(udp + UDP_LEN + 1, bootp_over_ethernet,
					 sizeof(bootp_over_ethernet)) != 0)
		return 0;
	*end = p->l4 + (len < room ? len : room);
	return p->l4 + UDP_LEN;
}

static void
fill_bootp(struct vnet_packet_bootp *b, const uint8_t *data, uint32_t at)
{
	*b = (struct vnet_packet_bootp){
		.xid = load32(data + at + BOOTP_XID),
		.mac = at + BOOTP_CHADDR,
		.ip = at + BOOTP_YIADDR,
	};
}

/* What DHCP message is it, the options of which end at @end? 0: none. */
static uint8_t
find_dhcp_type(const uint8_t *data, uint32_t at, uint32_t end)
{
	if (end - at < BOOTP_OPTIONS ||
	    memcmp(data + at + BOOTP_COOKIE, dhcp_cookie,
		   sizeof(dhcp_cookie)) != 0)
		return 0;
	at += BOOTP_OPTIONS;
	while (at < end && data[at] != DHCP_END) {
		if (data[at] == DHCP_PAD) {
			at++;
			continue;
		}
		if (end - at < 2 || data[at + 1] > end - at - 2)
			return 0;
		if (data[at] == DHCP_TYPE)
			return data[at + 1] == 1 ? data[at + 2] : 0;
		at += 2u + data[at + 1];
	}
	return 0;
}

bool
vnet_packet_parse_request(struct vnet_packet_bootp *b,
			  const struct vnet_packet *p, const uint8_t *data)
{
	uint32_t end, at;

	at = find_bootp(p, data, BOOTP_REQUEST, PORT_CLIENT, PORT_SERVER, &end);
	if (!at || load32(data + at + BOOTP_GIADDR) != 0)
		return false;
	fill_bootp(b, data, at);
	return true;
}

bool
vnet_packet_parse_reply(struct vnet_packet_bootp *b,
			const struct vnet_packet *p, const uint8_t *data)
{
	uint32_t end, at;

	at = find_bootp(p, data, BOOTP_REPLY, PORT_SERVER, PORT_CLIENT, &end);
	if (!at)
		return false;
	fill_bootp(b, data, at);
	b->is_ack = find_dhcp_type(data, at, end) == DHCP_ACK;
	return true;
}

void
vnet_packet_set_broadcast(const struct vnet_packet *p, uint8_t *data)
{
	const uint32_t sum_at = p->l4 + UDP_CHECKSUM;
	const uint32_t at = p->l4 + UDP_LEN + BOOTP_FLAGS;
	const uint16_t flags = load16(data + at) | BOOTP_BROADCAST;
	const uint8_t octets[] = {(uint8_t)(flags >> 8), (uint8_t)flags};
	const bool has_sum = load16(data + sum_at) != 0;

	replace(data, at, octets, sizeof(octets), sum_at);
	/* 0 says that there is no checksum; one that is 0 is sent as its other
	 * form. */
	if (!has_sum)
		memset(data + sum_at, 0, 2);
	else if (load16(data + sum_at) == 0)
		memset(data + sum_at, 0xff, 2);
}
