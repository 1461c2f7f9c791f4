/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers, found and written. Every offset is checked against the octets that
 * are there before it is used; a length that a header states is believed only
 * within these.
 */
#include <string.h>

#include "eth.h"

#define ETHERTYPE_AT 12 /* behind the two addresses */

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_CVLAN = 0x8100, /* IEEE 802.1Q, table 9-1 */
	TYPE_IPV6 = 0x86dd,
	TYPE_SVLAN = 0x88a8,
};

/* What has two tags in its octets and gets those that travelled out of band put
 * in must still be understood by the next one. */
#define MAX_WIRE_TAGS (2 * VNET_MAX_TAGS)

/* RFC 791, 3.1. */
enum {
	IPV4_HEADER_LEN = 20,
	IPV4_FRAGMENT = 0x3fff, /* MF, and the offset */
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_LSRR = 131,
	OPT_SSRR = 137,
};

/* RFC 8200, 4. More headers than any sender has a use for. */
enum {
	IPV6_HEADER_LEN = 40,
	IPV6_MAX_EXT = 8,
	EXT_HOP_BY_HOP = 0,
	EXT_ROUTING = 43,
	EXT_DSTOPTS = 60,
	DSTOPT_PAD1 = 0,
	DSTOPT_HOME_ADDRESS = 0xc9, /* RFC 6275, 6.3 */
	ROUTING_SOURCE = 0,         /* RFC 2460, 4.4 */
	ROUTING_HOME = 2,           /* RFC 6275, 6.4 */
	ROUTING_SEGMENTS = 4,       /* RFC 8754, 2 */
	PROTO_ICMPV6 = 58,
	ND_SOLICITATION = 135, /* RFC 4861, 4.3 */
};

static bool
is_tpid(uint16_t type)
{
	return type == TYPE_CVLAN || type == TYPE_SVLAN;
}

bool
vnet_eth_tags_are_known(const struct vnet_frame *f)
{
	if (f->ntags > VNET_MAX_TAGS)
		return false;
	for (int i = 0; i < f->ntags; i++) {
		if (!is_tpid(f->tag[i].tpid))
			return false;
	}
	return true;
}

/* Walk through the options of the IPv4 header at @p. A source route that has
 * not been gone to its end holds the address the datagram is for at last. */
static bool
parse_ipv4_options(const uint8_t *p, uint32_t hlen, struct vnet_l4 *l4)
{
	uint32_t len;

	for (uint32_t i = IPV4_HEADER_LEN; i < hlen; i += len) {
		if (p[i] == OPT_END)
			break;
		len = 1;
		if (p[i] == OPT_NOP)
			continue;

		if (hlen - i < 2)
			return false;
		len = p[i + 1];
		if (len < 2 || len > hlen - i)
			return false;
		if (p[i] != OPT_LSRR && p[i] != OPT_SSRR)
			continue;

		/* Type, length, pointer (from 1), addresses. */
		if (len < 3)
			return false;
		if (p[i + 2] > len)
			continue;
		if (len < 7 || len % 4 != 3 || p[i + 2] < 4 || p[i + 2] % 4)
			return false;
		l4->dst = l4->ip + i + len - 4;
	}
	return true;
}

static bool
parse_ipv4(const struct vnet_frame *f, struct vnet_l4 *l4)
{
	const uint8_t *p = f->data + l4->ip;
	uint32_t room = f->len - l4->ip;
	uint32_t hlen, total;

	if (room < IPV4_HEADER_LEN || p[0] >> 4 != 4)
		return false;
	hlen = (p[0] & 15) * 4u;
	total = vnet_be16_load(p + 2);
	if (hlen < IPV4_HEADER_LEN || total < hlen || total > room)
		return false;
	if (vnet_be16_load(p + 6) & IPV4_FRAGMENT)
		return false;

	l4->version = 4;
	l4->proto = p[9];
	l4->l4 = l4->ip + hlen;
	l4->end = l4->ip + total;
	l4->dst = l4->ip + 16;
	return parse_ipv4_options(p, hlen, l4);
}

/* The routing header at @at, of @len octets. With segments left, the address in
 * the IPv6 header is only that of the next one. */
static bool
parse_routing(const struct vnet_frame *f, uint32_t at, uint32_t len,
	      struct vnet_l4 *l4)
{
	const uint8_t *h = f->data + at;
	uint32_t naddrs = (len - 8) / 16;
	uint32_t left = h[3];

	if (left == 0)
		return true;
	switch (h[2]) {
	case ROUTING_SOURCE:
	case ROUTING_HOME:
		if (len % 16 != 8 || left > naddrs)
			return false;
		l4->dst = at + 8 + 16 * (naddrs - 1);
		return true;
	case ROUTING_SEGMENTS:
		/* Last to first, and type-length-values behind them. The first
		 * may be left out, so that as many are left as are listed. */
		if (h[4] >= naddrs || left > h[4] + 1u)
			return false;
		l4->dst = at + 8;
		return true;
	default:
		return false;
	}
}

/* Does a destination options header replace the source address of the
 * pseudo-header by a home address? One that cannot be read might. */
static bool
may_have_home_address(const uint8_t *h, uint32_t len)
{
	uint32_t i = 2;

	while (i < len) {
		if (h[i] == DSTOPT_PAD1) {
			i++;
			continue;
		}
		if (h[i] == DSTOPT_HOME_ADDRESS || len - i < 2)
			return true;
		i += 2u + h[i + 1];
	}
	return i != len;
}

static bool
parse_ipv6(const struct vnet_frame *f, struct vnet_l4 *l4)
{
	const uint8_t *p = f->data + l4->ip;
	uint32_t room = f->len - l4->ip;
	uint32_t at = l4->ip + IPV6_HEADER_LEN;
	uint32_t len;
	uint8_t next;

	if (room < IPV6_HEADER_LEN || p[0] >> 4 != 6)
		return false;
	/* A jumbogram (RFC 2675) says 0, and has no room for anything. */
	len = vnet_be16_load(p + 4);
	if (len > room - IPV6_HEADER_LEN)
		return false;
	l4->version = 6;
	l4->end = at + len;
	l4->dst = l4->ip + 24;

	next = p[6];
	for (int n = 0; next != VNET_PROTO_TCP && next != VNET_PROTO_UDP; n++) {
		const uint8_t *h = f->data + at;

		if (n == IPV6_MAX_EXT || l4->end - at < 8)
			return false;
		len = 8 + 8u * h[1];
		if (len > l4->end - at)
			return false;

		switch (next) {
		case EXT_HOP_BY_HOP:
			if (n != 0)
				return false;
			break;
		case EXT_ROUTING:
			if (!parse_routing(f, at, len, l4))
				return false;
			break;
		case EXT_DSTOPTS:
			if (may_have_home_address(h, len))
				return false;
			break;
		default:
			return false;
		}
		next = h[0];
		at += len;
	}
	l4->proto = next;
	l4->l4 = at;
	return true;
}

uint32_t
vnet_eth_type_at(const struct vnet_frame *f)
{
	uint32_t at = ETHERTYPE_AT;

	for (uint32_t ntags = f->ntags; ntags <= MAX_WIRE_TAGS; ntags++) {
		if (f->len < at + 2)
			break;
		if (!is_tpid(vnet_be16_load(f->data + at)))
			return at;
		at += 4;
	}
	return 0;
}

bool
vnet_eth_is_dad_probe(const struct vnet_frame *f)
{
	static const uint8_t unspecified[16];
	uint32_t at = vnet_eth_type_at(f);
	const uint8_t *p = f->data + at + 2;
	uint8_t next;

	if (!at || vnet_be16_load(f->data + at) != TYPE_IPV6 ||
	    f->len < at + 2 + IPV6_HEADER_LEN || p[0] >> 4 != 6 ||
	    memcmp(p + 8, unspecified, sizeof(unspecified)) != 0)
		return false;
	next = p[6];
	at += 2 + IPV6_HEADER_LEN;
	for (int n = 0; n < IPV6_MAX_EXT &&
			(next == EXT_HOP_BY_HOP || next == EXT_DSTOPTS);
	     n++) {
		if (f->len < at + 8)
			return false;
		next = f->data[at];
		at += 8 + 8u * f->data[at + 1];
	}
	return next == PROTO_ICMPV6 && f->len > at &&
	       f->data[at] == ND_SOLICITATION;
}

bool
vnet_eth_parse_l4(const struct vnet_frame *f, struct vnet_l4 *l4)
{
	uint32_t at = vnet_eth_type_at(f);
	uint32_t room;
	uint16_t type;
	bool found;

	if (!at)
		return false;
	type = vnet_be16_load(f->data + at);
	l4->ip = at + 2;
	if (type == TYPE_IPV4)
		found = parse_ipv4(f, l4);
	else if (type == TYPE_IPV6)
		found = parse_ipv6(f, l4);
	else
		found = false;
	if (!found)
		return false;

	room = l4->end - l4->l4;
	if (l4->proto == VNET_PROTO_TCP)
		return room >= 20;
	return l4->proto == VNET_PROTO_UDP && room >= 8;
}

uint32_t
vnet_eth_payload(const struct vnet_frame *f)
{
	uint32_t at = ETHERTYPE_AT;

	if (f->len < VNET_ETH_HEADER_LEN)
		return 0;
	/* A tag without a whole EtherType behind it is none. */
	for (uint32_t ntags = f->ntags; ntags < 2; ntags++, at += 4) {
		if (f->len < at + 6 || !is_tpid(vnet_be16_load(f->data + at)))
			break;
	}
	return f->len - at - 2;
}

uint32_t
vnet_eth_put_tags(uint8_t *p, const struct vnet_frame *f)
{
	uint32_t at = ETHERTYPE_AT;

	memcpy(p, f->data, at);
	for (int i = 0; i < f->ntags; i++, at += 4) {
		vnet_be16_store(p + at, f->tag[i].tpid);
		vnet_be16_store(p + at + 2, f->tag[i].tci);
	}
	return at;
}

void
vnet_eth_set_length(uint8_t *data, const struct vnet_l4 *l4, uint16_t nth)
{
	uint8_t *p = data + l4->ip;
	uint32_t len = l4->end - l4->ip;
	uint16_t sum;

	if (l4->version == 6) {
		vnet_be16_store(p + 4, (uint16_t)(len - IPV6_HEADER_LEN));
		return;
	}
	vnet_be16_store(p + 2, (uint16_t)len);
	vnet_be16_store(p + 4, (uint16_t)(vnet_be16_load(p + 4) + nth));
	memset(p + 10, 0, 2);
	sum = (uint16_t)~vnet_csum_fold(vnet_csum_add(0, p, l4->l4 - l4->ip));
	memcpy(p + 10, &sum, 2);
}

uint64_t
vnet_csum_add(uint64_t sum, const uint8_t *p, size_t len)
{
	uint64_t sum2 = 0;
	uint32_t w[4];

	/* Two chains of additions, for the processor to run side by side. */
	for (; len >= sizeof(w); p += sizeof(w), len -= sizeof(w)) {
		memcpy(w, p, sizeof(w));
		sum += (uint64_t)w[0] + w[1];
		sum2 += (uint64_t)w[2] + w[3];
	}
	/* Zeros behind the last octet add nothing, in either byte order. */
	memset(w, 0, sizeof(w));
	memcpy(w, p, len);
	return sum + sum2 + w[0] + w[1] + w[2] + w[3];
}

uint16_t
vnet_csum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t
vnet_eth_sum_pseudo(const uint8_t *data, const struct vnet_l4 *l4)
{
	uint32_t addr_len = l4->version == 4 ? 4 : 16;
	uint32_t src = l4->ip + (l4->version == 4 ? 12 : 8);
	uint8_t tail[8] = {0};
	uint64_t sum;

	/* What IPv4 and IPv6 have behind the addresses differs in size and
	 * order, not in its sum. */
	vnet_be32_store(tail, l4->end - l4->l4);
	tail[7] = l4->proto;
	sum = vnet_csum_add(0, tail, sizeof(tail));
	sum = vnet_csum_add(sum, data + src, addr_len);
	return vnet_csum_add(sum, data + l4->dst, addr_len);
}
