/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "guard_model.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* A frame as it is on the wire, and whether somebody read beyond its end. What
 * is there reads as zero; the verdict does not depend on it any more. */
struct wire {
	const struct vnet_frame *f;
	bool is_overrun;
};

static uint8_t
octet(struct wire *w, uint32_t at)
{
	const struct vnet_frame *f = w->f;
	const uint32_t ntags = f->len < 12 ? 0 : f->ntags;

	if (at >= 12 && at < 12 + 4 * ntags) {
		const struct vnet_tag *tag = &f->tag[(at - 12) / 4];
		const uint16_t half = at & 2 ? tag->tci : tag->tpid;

		return (uint8_t)(at & 1 ? half : half >> 8);
	}
	if (at >= 12)
		at -= 4 * ntags;
	if (at >= f->len) {
		w->is_overrun = true;
		return 0;
	}
	return f->data[at];
}

static void
octets(struct wire *w, uint32_t at, uint32_t n, uint8_t *out)
{
	for (uint32_t i = 0; i < n; i++)
		out[i] = octet(w, at + i);
}

/* Most significant first. */
static uint32_t
number(struct wire *w, uint32_t at, uint32_t n)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < n; i++)
		value = value << 8 | octet(w, at + i);
	return value;
}

static bool
begins_with(const uint8_t *address, const uint8_t *prefix, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((address[i / 8] ^ prefix[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

static bool
is_in_macs(const struct vnet_mac_prefix *list, size_t n, const uint8_t *mac)
{
	for (size_t i = 0; i < n; i++)
		if (begins_with(mac, list[i].mac.octet, list[i].bits))
			return true;
	return false;
}

static bool
is_in_ipv4(const struct vnet_grant *g, const uint8_t *address)
{
	for (size_t i = 0; i < g->nipv4; i++)
		if (begins_with(address, g->ipv4[i].octet, g->ipv4[i].bits))
			return true;
	return false;
}

static bool
is_in_ipv6(const struct vnet_grant *g, const uint8_t *address)
{
	for (size_t i = 0; i < g->nipv6; i++)
		if (begins_with(address, g->ipv6[i].octet, g->ipv6[i].bits))
			return true;
	return false;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static bool
may(const struct vnet_grant *g, uint32_t what)
{
	return (g->may & what) != 0;
}

static bool
is_broadcast(const uint8_t *mac)
{
	return !memcmp(mac, "\xff\xff\xff\xff\xff\xff", 6);
}

/* A group other than broadcast. */
static bool
is_multicast(const uint8_t *mac)
{
	return (mac[0] & 1) && !is_broadcast(mac);
}

/* The link-local address that is made of that MAC. */
static bool
is_link_local_of(const uint8_t *address, const uint8_t *mac)
{
	const uint8_t made[16] = {
		0xfe,   0x80,   0,
		0,      0,      0,
		0,      0,      (uint8_t)(mac[0] ^ 2),
		mac[1], mac[2], 0xff,
		0xfe,   mac[3], mac[4],
		mac[5],
	};

	return !memcmp(address, made, 16);
}

static bool
is_ipv6_group(const uint8_t *mac)
{
	return !memcmp(mac, "\x33\x33\x00\x00\x00\x01", 6) ||
	       !memcmp(mac, "\x33\x33\x00\x00\x00\x02", 6) ||
	       !memcmp(mac, "\x33\x33\x00\x00\x00\x16", 6) ||
	       !memcmp(mac, "\x33\x33\x00\x01\x00\x02", 6) ||
	       !memcmp(mac, "\x33\x33\xff", 3);
}

static bool
is_igmp_group(const uint8_t *mac)
{
	return !memcmp(mac, "\x01\x00\x5e\x00\x00\x02", 6) ||
	       !memcmp(mac, "\x01\x00\x5e\x00\x00\x16", 6);
}

static bool
is_tunnel(uint32_t protocol)
{
	static const uint8_t protocols[] = {
		4,  41,  47,  50,  51,  55,  94,  97,
		98, 108, 115, 137, 140, 142, 143, 144,
	};

	for (size_t i = 0; i < LENGTH(protocols); i++)
		if (protocols[i] == protocol)
			return true;
	return false;
}

static bool
is_tunnel_port(uint32_t port)
{
	static const uint16_t ports[] = {
		1701, 2152, 3544, 4341, 4754, 4789,
		4790, 5247, 6080, 6081, 6635, 8472,
	};

	for (size_t i = 0; i < LENGTH(ports); i++)
		if (ports[i] == port)
			return true;
	return false;
}

static bool
is_tag(uint32_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 ||
	       type == 0x9200;
}

static bool
is_vlan_granted(const struct vnet_grant *g, uint32_t vid)
{
	if (!g->nvlans)
		return vid == 0;
	for (size_t i = 0; i < g->nvlans; i++)
		if (g->vlans[i].first <= vid && vid <= g->vlans[i].last)
			return true;
	return false;
}

static bool
is_ethertype_granted(const struct vnet_grant *g, uint32_t type)
{
	for (size_t i = 0; i < g->nethertypes; i++)
		if (g->ethertypes[i] == type)
			return true;
	return false;
}

/* SNAP has a type again. */
static bool
is_llc_granted(const struct vnet_grant *g, struct wire *w, uint32_t at)
{
	return may(g, VNET_MAY_LLC) && number(w, at, 1) != 0xaa;
}

/* What S2 finds. */
struct inner {
	uint32_t type;
	uint32_t at;
};

/* S2 */
static enum vnet_grant_part
judge_tags(const struct vnet_grant *g, struct wire *w, struct inner *inner)
{
	uint32_t vid = 0;

	inner->type = number(w, 12, 2);
	inner->at = 14;
	if (inner->type == 0x8100) {
		vid = number(w, 14, 2) & 0xfff;
		if (vid == 0)
			return VNET_GRANT_VLANS;
	}
	if (!is_vlan_granted(g, vid))
		return VNET_GRANT_VLANS;
	if (inner->type == 0x8100) {
		inner->type = number(w, 16, 2);
		inner->at = 18;
	}
	return is_tag(inner->type) ? VNET_GRANT_VLANS : VNET_GRANT_PASS;
}

/* S4; what is in the frame has groups that it cannot do without. */
enum within { IN_OTHER, IN_IPV4, IN_IPV6 };

static enum vnet_grant_part
judge_destination(const struct vnet_grant *g, struct wire *w,
		  enum within within)
{
	uint8_t dst[6];

	octets(w, 0, 6, dst);
	if (!(dst[0] & 1))
		return VNET_GRANT_PASS;
	if (is_broadcast(dst))
		return may(g, VNET_MAY_BROADCAST) ? VNET_GRANT_PASS
						  : VNET_GRANT_BROADCAST;
	if (may(g, VNET_MAY_MULTICAST) ||
	    is_in_macs(g->groups, g->ngroups, dst))
		return VNET_GRANT_PASS;
	if (within == IN_IPV4 && g->ngroups && is_igmp_group(dst))
		return VNET_GRANT_PASS;
	if (within == IN_IPV6 && is_ipv6_group(dst))
		return VNET_GRANT_PASS;
	return VNET_GRANT_GROUPS;
}

/* A */
static enum vnet_grant_part
judge_arp(const struct vnet_grant *g, struct wire *w, uint32_t at)
{
	uint8_t dst[6], src[6], hardware[6], sender[4], target[4];
	enum vnet_grant_part part;
	uint32_t operation;

	octets(w, 0, 6, dst);
	octets(w, 6, 6, src);
	if (is_multicast(dst)) {
		part = judge_destination(g, w, IN_OTHER);
		if (part != VNET_GRANT_PASS)
			return part;
	}
	if (number(w, at, 4) != 0x00010800 || number(w, at + 4, 2) != 0x0604)
		return VNET_GRANT_ARP;
	operation = number(w, at + 6, 2);
	if (operation != 1 && operation != 2)
		return VNET_GRANT_ARP;
	octets(w, at + 8, 6, hardware);
	if (memcmp(hardware, src, 6) != 0)
		return VNET_GRANT_ARP;
	octets(w, at + 14, 4, sender);
	if (!is_zero(sender, 4))
		return is_in_ipv4(g, sender) ? VNET_GRANT_PASS : VNET_GRANT_ARP;
	if (operation != 1)
		return VNET_GRANT_ARP;
	octets(w, at + 24, 4, target);
	return is_in_ipv4(g, target) ? VNET_GRANT_PASS : VNET_GRANT_ARP;
}

/* U */
static enum vnet_grant_part
judge_udp(const struct vnet_grant *g, struct wire *w, uint32_t l4,
	  uint32_t client, uint32_t server)
{
	if (!may(g, VNET_MAY_DHCP) &&
	    (number(w, l4, 2) == server || number(w, l4 + 2, 2) == client))
		return VNET_GRANT_DHCP;
	if (!may(g, VNET_MAY_TUNNEL) && is_tunnel_port(number(w, l4 + 2, 2)))
		return VNET_GRANT_TUNNEL;
	return VNET_GRANT_PASS;
}

/* What is known by its protocol alone, over IPv4 and IPv6. */
static enum vnet_grant_part
judge_protocol(const struct vnet_grant *g, uint32_t protocol)
{
	if (protocol == 103 && !may(g, VNET_MAY_ROUTE))
		return VNET_GRANT_ROUTE;
	if (protocol == 112 && !may(g, VNET_MAY_VRRP))
		return VNET_GRANT_VRRP;
	if (is_tunnel(protocol) && !may(g, VNET_MAY_TUNNEL))
		return VNET_GRANT_TUNNEL;
	return VNET_GRANT_PASS;
}

/* Where the header of IPv4 ends. */
static uint32_t
end_of_ipv4(struct wire *w, uint32_t at)
{
	return at + 4 * (number(w, at, 1) & 15);
}

static bool
is_ipv4_fragment(struct wire *w, uint32_t at)
{
	return (number(w, at + 6, 2) & 0x3fff) != 0;
}

/* UDP that is no fragment, from a DHCP client's port to a server's? */
static bool
is_to_dhcp_server(struct wire *w, uint32_t at)
{
	return number(w, at + 9, 1) == 17 && !is_ipv4_fragment(w, at) &&
	       number(w, end_of_ipv4(w, at), 4) == (68u << 16 | 67u);
}

/* C and G: nothing of these two types, which routers send. */
static enum vnet_grant_part
judge_router_types(const struct vnet_grant *g, struct wire *w, uint32_t at,
		   const char *types)
{
	uint32_t type;

	if (may(g, VNET_MAY_ROUTE) || (number(w, at + 6, 2) & 0x1fff))
		return VNET_GRANT_PASS;
	type = number(w, end_of_ipv4(w, at), 1);
	return type && type < 128 && strchr(types, (int)type) ? VNET_GRANT_ROUTE
							      : VNET_GRANT_PASS;
}

/* F1 */
static enum vnet_grant_part
judge_ipv4_unspecified(const struct vnet_grant *g, struct wire *w, uint32_t at)
{
	const uint32_t protocol = number(w, at + 9, 1);
	enum vnet_grant_part part;
	uint8_t dst[6];

	if (protocol == 2) {
		part = judge_destination(g, w, IN_IPV4);
		if (part != VNET_GRANT_PASS)
			return part;
		return judge_router_types(g, w, at, "\x11\x13\x14\x30");
	}
	if (protocol != 17)
		return VNET_GRANT_IPV4;
	if (is_ipv4_fragment(w, at))
		return VNET_GRANT_UNDECIDED;
	if (!is_to_dhcp_server(w, at))
		return VNET_GRANT_IPV4;
	octets(w, 0, 6, dst);
	if (is_multicast(dst))
		return judge_destination(g, w, IN_IPV4);
	return VNET_GRANT_PASS;
}

/* F */
static enum vnet_grant_part
judge_ipv4(const struct vnet_grant *g, struct wire *w, uint32_t at)
{
	const uint32_t first = number(w, at, 1);
	enum vnet_grant_part part;
	uint32_t protocol;
	uint8_t src[4];

	if (first < 0x45 || first > 0x4f)
		return VNET_GRANT_UNDECIDED;
	octets(w, at + 12, 4, src);
	if (is_zero(src, 4))
		return judge_ipv4_unspecified(g, w, at);
	if (!is_in_ipv4(g, src))
		return VNET_GRANT_IPV4;
	part = judge_destination(g, w, IN_IPV4);
	if (part == VNET_GRANT_BROADCAST && is_to_dhcp_server(w, at))
		part = VNET_GRANT_PASS;
	if (part != VNET_GRANT_PASS)
		return part;

	protocol = number(w, at + 9, 1);
	switch (protocol) {
	case 1:
		return judge_router_types(g, w, at, "\x05\x09");
	case 2:
		return judge_router_types(g, w, at, "\x11\x13\x14\x30");
	case 17:
		if (number(w, at + 6, 2) & 0x1fff)
			return VNET_GRANT_PASS;
		return judge_udp(g, w, end_of_ipv4(w, at), 68, 67);
	default:
		return judge_protocol(g, protocol);
	}
}

/* May it send from there, and advertise it? */
static bool
is_own_ipv6(const struct vnet_grant *g, struct wire *w, const uint8_t *address)
{
	uint8_t mac[6];

	octets(w, 6, 6, mac);
	return is_in_ipv6(g, address) || is_link_local_of(address, mac);
}

/* O */
static enum vnet_grant_part
judge_nd_options(struct wire *w, uint32_t at, uint32_t o)
{
	const uint32_t end = at + 40 + number(w, at + 4, 2);
	uint8_t src[6], link[6];

	octets(w, 6, 6, src);
	for (int n = 0; n < 8; n++) {
		uint32_t kind, len;

		if (o >= end)
			return VNET_GRANT_PASS;
		len = number(w, o + 1, 1);
		if (len == 0)
			return VNET_GRANT_ND;
		kind = number(w, o, 1);
		if (kind == 1 || kind == 2) {
			octets(w, o + 2, 6, link);
			if (memcmp(link, src, 6) != 0)
				return VNET_GRANT_ND;
		}
		o += 8 * len;
	}
	return o >= end ? VNET_GRANT_PASS : VNET_GRANT_UNDECIDED;
}

/* I */
static enum vnet_grant_part
judge_icmpv6(const struct vnet_grant *g, struct wire *w, uint32_t at,
	     uint32_t x, bool is_fragment, bool is_unspecified)
{
	uint8_t target[16];
	uint32_t type;

	if (!is_fragment && number(w, at + 4, 2) == 0)
		return VNET_GRANT_UNDECIDED;
	type = number(w, x, 1);
	if (is_unspecified && type != 131 && type != 132 && type != 133 &&
	    type != 135 && type != 143)
		return VNET_GRANT_IPV6;
	if (type >= 133 && type <= 137 && is_fragment)
		return VNET_GRANT_UNDECIDED;
	if ((type == 130 || type == 134 || type == 137 || type == 151) &&
	    !may(g, VNET_MAY_ROUTE))
		return VNET_GRANT_ROUTE;
	if (type < 133 || type > 136)
		return VNET_GRANT_PASS;
	if (type == 136 || (type == 135 && is_unspecified)) {
		octets(w, x + 8, 16, target);
		if (!is_own_ipv6(g, w, target))
			return VNET_GRANT_ND;
	}
	if (type == 133)
		return judge_nd_options(w, at, x + 8);
	if (type == 134)
		return judge_nd_options(w, at, x + 16);
	return judge_nd_options(w, at, x + 24);
}

/* X */
static enum vnet_grant_part
judge_ipv6(const struct vnet_grant *g, struct wire *w, uint32_t at)
{
	bool is_fragment = false, is_unspecified;
	uint32_t next, x = at + 40;
	enum vnet_grant_part part;
	uint8_t src[16];

	if (number(w, at, 1) >> 4 != 6)
		return VNET_GRANT_UNDECIDED;
	octets(w, at + 8, 16, src);
	is_unspecified = is_zero(src, 16);
	if (!is_unspecified && !is_own_ipv6(g, w, src))
		return VNET_GRANT_IPV6;
	part = judge_destination(g, w, IN_IPV6);
	if (part != VNET_GRANT_PASS)
		return part;

	next = number(w, at + 6, 1);
	for (int n = 0; next == 0 || next == 43; n++) {
		if (n == 4 || w->is_overrun)
			return VNET_GRANT_UNDECIDED;
		next = number(w, x, 1);
		x += 8 + 8 * number(w, x + 1, 1);
	}
	if (next == 60)
		return VNET_GRANT_UNDECIDED;
	if (next == 44) {
		if (is_unspecified)
			return VNET_GRANT_UNDECIDED;
		if (number(w, x + 2, 2) & 0xfff8)
			return VNET_GRANT_PASS;
		next = number(w, x, 1);
		x += 8;
		is_fragment = true;
		if (next == 0 || next == 43 || next == 44 || next == 51 ||
		    next == 60)
			return VNET_GRANT_UNDECIDED;
	}
	if (next == 58)
		return judge_icmpv6(g, w, at, x, is_fragment, is_unspecified);
	if (is_unspecified)
		return VNET_GRANT_IPV6;
	if (next == 17)
		return judge_udp(g, w, x, 546, 547);
	return judge_protocol(g, next);
}

/* S */
static enum vnet_grant_part
judge_sent(const struct vnet_grant *g, struct wire *w)
{
	enum vnet_grant_part part;
	struct inner inner;
	uint8_t src[6];

	octets(w, 6, 6, src);
	if (!is_in_macs(g->macs, g->nmacs, src))
		return VNET_GRANT_MACS;
	part = judge_tags(g, w, &inner);
	if (part != VNET_GRANT_PASS)
		return part;
	if (inner.type < 0x600 && !is_llc_granted(g, w, inner.at))
		return VNET_GRANT_LLC;
	if (inner.type == 0x0806 && g->nipv4)
		return judge_arp(g, w, inner.at);
	if (inner.type == 0x0800 && g->nipv4)
		return judge_ipv4(g, w, inner.at);
	if (inner.type == 0x86dd && g->nipv6)
		return judge_ipv6(g, w, inner.at);
	if (inner.type >= 0x600 && !is_ethertype_granted(g, inner.type))
		return VNET_GRANT_ETHERTYPES;
	return judge_destination(g, w, IN_OTHER);
}

/* R */
static enum vnet_grant_part
judge_received(const struct vnet_grant *g, struct wire *w)
{
	enum vnet_grant_part part;
	struct inner inner;
	uint8_t dst[6];
	bool is_known;

	part = judge_tags(g, w, &inner);
	if (part != VNET_GRANT_PASS)
		return part;
	if (inner.type < 0x600 && !may(g, VNET_MAY_LLC))
		return VNET_GRANT_LLC;
	is_known = inner.type < 0x600 || (inner.type == 0x0806 && g->nipv4) ||
		   (inner.type == 0x0800 && g->nipv4) ||
		   (inner.type == 0x86dd && g->nipv6) ||
		   is_ethertype_granted(g, inner.type);
	if (!is_known)
		return VNET_GRANT_ETHERTYPES;

	octets(w, 0, 6, dst);
	if (!(dst[0] & 1))
		return is_in_macs(g->macs, g->nmacs, dst) ? VNET_GRANT_PASS
							  : VNET_GRANT_MACS;
	if (is_broadcast(dst) || may(g, VNET_MAY_MULTICAST) ||
	    is_in_macs(g->groups, g->ngroups, dst))
		return VNET_GRANT_PASS;
	if (g->nipv6 && is_ipv6_group(dst))
		return VNET_GRANT_PASS;
	if (g->nipv4 && !memcmp(dst, "\x01\x00\x5e\x00\x00\x01", 6))
		return VNET_GRANT_PASS;
	if (g->nipv4 && g->ngroups && is_igmp_group(dst))
		return VNET_GRANT_PASS;
	return VNET_GRANT_GROUPS;
}

static enum vnet_grant_part
judge(const struct vnet_grant *g, enum vnet_side side, struct wire *w)
{
	enum vnet_grant_part part =
		side == VNET_INGRESS ? judge_sent(g, w) : judge_received(g, w);

	return w->is_overrun ? VNET_GRANT_UNDECIDED : part;
}

enum vnet_grant_part
model_guard(const struct vnet_grant *g, enum vnet_side side,
	    const struct vnet_frame *f)
{
	struct wire w = {.f = f};

	return judge(g, side, &w);
}

bool
model_guard_accepts(const struct vnet_grant *g, enum vnet_side side,
		    const struct vnet_frame *f, enum vnet_grant_part part)
{
	struct wire w = {.f = f};

	if (judge(g, side, &w) == part)
		return true;
	return w.is_overrun && part != VNET_GRANT_PASS;
}
