/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each function is the step of guard.h that it is named for, in its words; what
 * guard.c makes of them is not looked at.
 */
#include <string.h>

#include "prove_judge.h"

/**
 * struct judged - a frame, and what has been found out about it
 * @is_short:	something was looked at that it does not have
 */
struct judged {
	const struct vnet_grant *g;
	const uint8_t *data;
	size_t len;
	size_t at;
	bool is_short;
};

#define PASS VNET_GRANT_PASS

/* P[k:n], of at most 4 octets. */
static uint32_t
octets(struct judged *j, size_t k, size_t n)
{
	uint32_t v = 0;

	if (k + n > j->len) {
		j->is_short = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | j->data[k + i];
	return v;
}

/* P[k:n] as they are, or zeroes. */
static const uint8_t *
field(struct judged *j, size_t k, size_t n)
{
	static const uint8_t none[16];

	if (k + n > j->len) {
		j->is_short = true;
		return none;
	}
	return j->data + k;
}

static bool
may(const struct judged *j, uint32_t what)
{
	return j->g->may & what;
}

/* Does an address begin with @bits of @prefix? */
static bool
begins(const uint8_t *addr, const uint8_t *prefix, uint32_t bits)
{
	for (uint32_t i = 0; i < bits; i++)
		if ((addr[i / 8] ^ prefix[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

bool
vnet_grant_is_tunnel_proto(uint32_t proto)
{
	static const uint8_t tunnels[] = {
		4,  41,  47,  50,  51,  55,  94,  97,
		98, 108, 115, 137, 140, 142, 143, 144,
	};

	for (size_t i = 0; i < sizeof(tunnels); i++)
		if (tunnels[i] == proto)
			return true;
	return false;
}

static bool
is_tunnel_port(uint32_t port)
{
	static const uint16_t ports[] = {1701, 2152, 3544, 4341, 4754, 4789,
					 4790, 5247, 6080, 6081, 6635, 8472};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (port == ports[i])
			return true;
	return false;
}

static bool
is_of(const uint8_t *mac, const struct vnet_mac_prefix *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (begins(mac, list[i].mac.octet, list[i].bits))
			return true;
	return false;
}

static bool
is_ipv4(const struct vnet_grant *g, const uint8_t *addr)
{
	for (size_t i = 0; i < g->nipv4; i++)
		if (begins(addr, g->ipv4[i].octet, g->ipv4[i].bits))
			return true;
	return false;
}

static bool
is_ipv6(const struct vnet_grant *g, const uint8_t *addr)
{
	for (size_t i = 0; i < g->nipv6; i++)
		if (begins(addr, g->ipv6[i].octet, g->ipv6[i].bits))
			return true;
	return false;
}

/* The link-local address of P[6:6]. */
static bool
is_link_local(struct judged *j, const uint8_t *addr)
{
	const uint8_t *mac = field(j, 6, 6);
	const uint8_t own[16] = {
		0xfe,   0x80,          0,      0,      0,    0,    0,
		0,      mac[0] ^ 0x02, mac[1], mac[2], 0xff, 0xfe, mac[3],
		mac[4], mac[5],
	};

	return memcmp(addr, own, 16) == 0;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	while (n && p[n - 1] == 0)
		n--;
	return n == 0;
}

static bool
is_broadcast(const uint8_t *mac)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff,
					     0xff, 0xff, 0xff};

	return memcmp(mac, broadcast, 6) == 0;
}

/* 01-00-5E-00-00-@last. */
static bool
is_ipv4_group(const uint8_t *mac, uint8_t last)
{
	const uint8_t group[6] = {0x01, 0x00, 0x5e, 0, 0, last};

	return memcmp(mac, group, 6) == 0;
}

static bool
is_ipv6_group(const uint8_t *mac)
{
	static const uint8_t groups[][6] = {
		{0x33, 0x33, 0, 0, 0, 0x01},
		{0x33, 0x33, 0, 0, 0, 0x02},
		{0x33, 0x33, 0, 0, 0, 0x16},
		{0x33, 0x33, 0, 1, 0, 0x02},
	};

	for (size_t i = 0; i < 4; i++)
		if (memcmp(mac, groups[i], 6) == 0)
			return true;
	return mac[0] == 0x33 && mac[1] == 0x33 && mac[2] == 0xff;
}

/* What @type is, in S4. */
static enum vnet_grant_part
judge_s4(struct judged *j, uint32_t type)
{
	const uint8_t *dst = field(j, 0, 6);

	if (!(dst[0] & 1))
		return PASS;
	if (is_broadcast(dst))
		return may(j, VNET_MAY_BROADCAST) ? PASS : VNET_GRANT_BROADCAST;
	if (may(j, VNET_MAY_MULTICAST))
		return PASS;
	if (is_of(dst, j->g->groups, j->g->ngroups))
		return PASS;
	if (type == 0x0800 && j->g->ngroups &&
	    (is_ipv4_group(dst, 0x02) || is_ipv4_group(dst, 0x16)))
		return PASS;
	if (type == 0x86dd && is_ipv6_group(dst))
		return PASS;
	return VNET_GRANT_GROUPS;
}

/* S4 for a group other than broadcast; else it is fine. */
static enum vnet_grant_part
judge_s4_but_broadcast(struct judged *j, uint32_t type)
{
	return is_broadcast(field(j, 0, 6)) ? PASS : judge_s4(j, type);
}

static enum vnet_grant_part
judge_a(struct judged *j)
{
	size_t at = j->at;
	enum vnet_grant_part part = judge_s4_but_broadcast(j, 0x0806);
	uint32_t op;

	if (part != PASS)
		return part;
	op = octets(j, at + 6, 2);
	if (octets(j, at, 4) != 0x00010800 || octets(j, at + 4, 2) != 0x0604 ||
	    (op != 1 && op != 2))
		return VNET_GRANT_ARP;
	if (memcmp(field(j, at + 8, 6), field(j, 6, 6), 6) != 0)
		return VNET_GRANT_ARP;
	if (octets(j, at + 14, 4) != 0)
		return is_ipv4(j->g, field(j, at + 14, 4)) ? PASS
							   : VNET_GRANT_ARP;
	if (op == 1 && is_ipv4(j->g, field(j, at + 24, 4)))
		return PASS;
	return VNET_GRANT_ARP;
}

/* U. */
static enum vnet_grant_part
judge_u(struct judged *j, size_t l4, uint32_t client, uint32_t server)
{
	if (!may(j, VNET_MAY_DHCP) &&
	    (octets(j, l4, 2) == server || octets(j, l4 + 2, 2) == client))
		return VNET_GRANT_DHCP;
	if (!may(j, VNET_MAY_TUNNEL) && is_tunnel_port(octets(j, l4 + 2, 2)))
		return VNET_GRANT_TUNNEL;
	return PASS;
}

/* C, and G: what only a router sends. */
static enum vnet_grant_part
judge_c(struct judged *j, size_t l4, bool is_igmp)
{
	uint32_t type;

	if (may(j, VNET_MAY_ROUTE))
		return PASS;
	if (octets(j, j->at + 6, 2) & 0x1fff)
		return PASS;
	type = octets(j, l4, 1);
	if (is_igmp ? type == 0x11 || type == 0x13 || type == 0x14 ||
			      type == 0x30
		    : type == 5 || type == 9)
		return VNET_GRANT_ROUTE;
	return PASS;
}

/* The protocols that F3 and X3 have in common. */
static enum vnet_grant_part
judge_proto(const struct judged *j, uint32_t proto)
{
	if (proto == 103)
		return may(j, VNET_MAY_ROUTE) ? PASS : VNET_GRANT_ROUTE;
	if (proto == 112)
		return may(j, VNET_MAY_VRRP) ? PASS : VNET_GRANT_VRRP;
	if (vnet_grant_is_tunnel_proto(proto))
		return may(j, VNET_MAY_TUNNEL) ? PASS : VNET_GRANT_TUNNEL;
	return PASS;
}

static enum vnet_grant_part
judge_f1(struct judged *j, size_t l4, uint32_t proto)
{
	enum vnet_grant_part part;

	if (proto == 2) {
		part = judge_s4(j, 0x0800);
		return part != PASS ? part : judge_c(j, l4, true);
	}
	if (proto != 17)
		return VNET_GRANT_IPV4;
	if (octets(j, j->at + 6, 2) & 0x3fff)
		return VNET_GRANT_UNDECIDED;
	if (octets(j, l4, 4) != (68 << 16 | 67))
		return VNET_GRANT_IPV4;
	return judge_s4_but_broadcast(j, 0x0800);
}

static enum vnet_grant_part
judge_f3(struct judged *j, size_t l4, uint32_t proto)
{
	switch (proto) {
	case 6:
		return PASS;
	case 1:
		return judge_c(j, l4, false);
	case 2:
		return judge_c(j, l4, true);
	case 17:
		if (!may(j, VNET_MAY_DHCP) || !may(j, VNET_MAY_TUNNEL)) {
			if (octets(j, j->at + 6, 2) & 0x1fff)
				return PASS;
			return judge_u(j, l4, 68, 67);
		}
		return PASS;
	default:
		return judge_proto(j, proto);
	}
}

static enum vnet_grant_part
judge_f(struct judged *j)
{
	size_t at = j->at, l4;
	uint32_t first = octets(j, at, 1), proto;
	enum vnet_grant_part part;

	if (first < 0x45 || first > 0x4f)
		return VNET_GRANT_UNDECIDED;
	l4 = at + (size_t)4 * (first & 15);
	if (octets(j, at + 12, 4) == 0)
		return judge_f1(j, l4, octets(j, at + 9, 1));
	if (!is_ipv4(j->g, field(j, at + 12, 4)))
		return VNET_GRANT_IPV4;
	proto = octets(j, at + 9, 1);
	part = judge_s4(j, 0x0800);
	if (part == VNET_GRANT_BROADCAST && proto == 17 &&
	    !(octets(j, at + 6, 2) & 0x3fff) &&
	    octets(j, l4, 4) == (68 << 16 | 67))
		part = PASS;
	return part != PASS ? part : judge_f3(j, l4, proto);
}

static enum vnet_grant_part
judge_o(struct judged *j, size_t o)
{
	size_t end = j->at + 40 + octets(j, j->at + 4, 2);

	for (int i = 0; i < 8; i++) {
		uint32_t len, kind;

		if (o >= end)
			return PASS;
		len = octets(j, o + 1, 1);
		if (len == 0)
			return VNET_GRANT_ND;
		kind = octets(j, o, 1);
		if ((kind == 1 || kind == 2) &&
		    memcmp(field(j, o + 2, 6), field(j, 6, 6), 6) != 0)
			return VNET_GRANT_ND;
		o += 8 * (size_t)len;
	}
	return o >= end ? PASS : VNET_GRANT_UNDECIDED;
}

static enum vnet_grant_part
judge_i(struct judged *j, size_t x, bool is_unspecified, bool is_fragment)
{
	const uint8_t *target;
	uint32_t t;

	if (!is_fragment && octets(j, j->at + 4, 2) == 0)
		return VNET_GRANT_UNDECIDED;
	t = octets(j, x, 1);
	if (is_unspecified && t != 131 && t != 132 && t != 133 && t != 135 &&
	    t != 143)
		return VNET_GRANT_IPV6;
	if (t >= 133 && t <= 137 && is_fragment)
		return VNET_GRANT_UNDECIDED;
	if ((t == 130 || t == 134 || t == 137 || t == 151) &&
	    !may(j, VNET_MAY_ROUTE))
		return VNET_GRANT_ROUTE;
	if (t == 136 || (t == 135 && is_unspecified)) {
		target = field(j, x + 8, 16);
		if (!is_ipv6(j->g, target) && !is_link_local(j, target))
			return VNET_GRANT_ND;
	}
	switch (t) {
	case 133:
		return judge_o(j, x + 8);
	case 134:
		return judge_o(j, x + 16);
	case 135:
	case 136:
		return judge_o(j, x + 24);
	default:
		return PASS;
	}
}

static enum vnet_grant_part
judge_x(struct judged *j)
{
	size_t at = j->at, x = at + 40;
	const uint8_t *src;
	bool is_unspecified, is_fragment = false;
	enum vnet_grant_part part;
	uint32_t next;
	int n = 0;

	if (octets(j, at, 1) >> 4 != 6)
		return VNET_GRANT_UNDECIDED;
	src = field(j, at + 8, 16);
	is_unspecified = is_zero(src, 16);
	if (!is_unspecified && !is_ipv6(j->g, src) && !is_link_local(j, src))
		return VNET_GRANT_IPV6;
	part = judge_s4(j, 0x86dd);
	if (part != PASS)
		return part;

	for (next = octets(j, at + 6, 1); next == 0 || next == 43; n++) {
		if (n == 4)
			return VNET_GRANT_UNDECIDED;
		next = octets(j, x, 1);
		x += 8 + 8 * (size_t)octets(j, x + 1, 1);
	}
	if (next == 60)
		return VNET_GRANT_UNDECIDED;
	if (next == 44) {
		if (is_unspecified)
			return VNET_GRANT_UNDECIDED;
		if (octets(j, x + 2, 2) & 0xfff8)
			return PASS;
		next = octets(j, x, 1);
		x += 8;
		is_fragment = true;
		if (next == 0 || next == 43 || next == 44 || next == 51 ||
		    next == 60)
			return VNET_GRANT_UNDECIDED;
	}
	if (is_unspecified && next != 58)
		return VNET_GRANT_IPV6;
	switch (next) {
	case 6:
		return PASS;
	case 58:
		return judge_i(j, x, is_unspecified, is_fragment);
	case 17:
		return judge_u(j, x, 546, 547);
	default:
		return judge_proto(j, next);
	}
}

/* S2: the type behind a tag, 0x8100 if it is none of ours. */
static enum vnet_grant_part
judge_s2(struct judged *j, uint32_t *type)
{
	const struct vnet_grant *g = j->g;
	uint32_t vid = 0;
	bool is_in = false;

	*type = octets(j, 12, 2);
	j->at = 14;
	if (*type == 0x8100) {
		vid = octets(j, 14, 2) & 0xfff;
		if (vid == 0)
			return VNET_GRANT_VLANS;
	}
	if (g->nvlans == 0)
		is_in = vid == 0;
	for (size_t i = 0; i < g->nvlans; i++)
		if (g->vlans[i].first <= vid && vid <= g->vlans[i].last)
			is_in = true;
	if (!is_in)
		return VNET_GRANT_VLANS;
	if (*type == 0x8100) {
		*type = octets(j, 16, 2);
		j->at = 18;
	}
	if (*type == 0x8100 || *type == 0x88a8 || *type == 0x9100 ||
	    *type == 0x9200)
		return VNET_GRANT_VLANS;
	return PASS;
}

/* S3, without what it leads to. */
static enum vnet_grant_part
judge_s3(struct judged *j, uint32_t type)
{
	const struct vnet_grant *g = j->g;

	if (type < 0x600)
		return may(j, VNET_MAY_LLC) ? PASS : VNET_GRANT_LLC;
	if (type == 0x0806 || type == 0x0800)
		return g->nipv4 ? PASS : VNET_GRANT_ETHERTYPES;
	if (type == 0x86dd)
		return g->nipv6 ? PASS : VNET_GRANT_ETHERTYPES;
	for (size_t i = 0; i < g->nethertypes; i++)
		if (g->ethertypes[i] == type)
			return PASS;
	return VNET_GRANT_ETHERTYPES;
}

static enum vnet_grant_part
judge_ingress(struct judged *j)
{
	enum vnet_grant_part part;
	uint32_t type;

	if (!is_of(field(j, 6, 6), j->g->macs, j->g->nmacs))
		return VNET_GRANT_MACS;
	part = judge_s2(j, &type);
	if (part == PASS)
		part = judge_s3(j, type);
	if (part != PASS)
		return part;
	switch (type) {
	case 0x0806:
		return judge_a(j);
	case 0x0800:
		return judge_f(j);
	case 0x86dd:
		return judge_x(j);
	default:
		if (type < 0x600 && octets(j, j->at, 1) == 0xaa)
			return VNET_GRANT_LLC;
		return judge_s4(j, type);
	}
}

/* R2. */
static enum vnet_grant_part
judge_r2(struct judged *j)
{
	const struct vnet_grant *g = j->g;
	const uint8_t *dst = field(j, 0, 6);

	if (!(dst[0] & 1))
		return is_of(dst, g->macs, g->nmacs) ? PASS : VNET_GRANT_MACS;
	if (is_broadcast(dst) || may(j, VNET_MAY_MULTICAST) ||
	    is_of(dst, g->groups, g->ngroups))
		return PASS;
	if (g->nipv6 && is_ipv6_group(dst))
		return PASS;
	if (g->nipv4 && is_ipv4_group(dst, 0x01))
		return PASS;
	if (g->nipv4 && g->ngroups &&
	    (is_ipv4_group(dst, 0x02) || is_ipv4_group(dst, 0x16)))
		return PASS;
	return VNET_GRANT_GROUPS;
}

static enum vnet_grant_part
judge_egress(struct judged *j)
{
	enum vnet_grant_part part;
	uint32_t type;

	part = judge_s2(j, &type);
	if (part == PASS)
		part = judge_s3(j, type);
	return part != PASS ? part : judge_r2(j);
}

enum vnet_grant_part
vnet_grant_judge(const struct vnet_grant *g, enum vnet_side side,
		 const uint8_t *data, size_t len)
{
	struct judged j = {.g = g, .data = data, .len = len};
	enum vnet_grant_part part =
		side == VNET_INGRESS ? judge_ingress(&j) : judge_egress(&j);

	return j.is_short ? VNET_GRANT_UNDECIDED : part;
}
