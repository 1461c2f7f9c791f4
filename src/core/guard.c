/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard of a grant: from what is granted to BPF programs.
 *
 * A program is written from its end to its beginning. All jumps of BPF go
 * forward, so wherever one leads has been written when the jump is, and its
 * distance is known; one that is too far for a conditional jump, which reaches
 * 255 instructions, goes by an unconditional one beside it. So each function
 * below is told where to go on, writes its instructions in front of all that is
 * there, last one first, and returns where they begin. What it writes without a
 * jump at its end runs on into what was written before it.
 *
 * What is read of a frame that is the same for all frames is left to the bytes
 * that it is at: there is one body for frames without a tag and one for those
 * with one. So nearly every load has a constant offset, and is one with the
 * comparison behind it (see bpf.c).
 */
#include <errno.h>
#include <string.h>

#include "bpf.h"
#include "eth.h"
#include "guard.h"
#include "why.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_IPV6 = 0x86dd,
	TYPE_MIN = 0x0600, /* below is a length (IEEE 802.3, 3.2.6) */
	TYPE_CVLAN = 0x8100,
	LLC_SNAP = 0xaa, /* RFC 1042 */

	PROTO_ICMP = 1,
	PROTO_IGMP = 2,
	PROTO_ICMPV6 = 58,
	PROTO_PIM = 103,
	PROTO_VRRP = 112,

	EXT_HOP_BY_HOP = 0,
	EXT_ROUTING = 43,
	EXT_FRAGMENT = 44,
	EXT_AUTHENTICATION = 51,
	EXT_DSTOPTS = 60,
	MAX_EXT = 4,

	MLD_QUERY = 130,
	MLD_REPORT = 131,
	MLD_DONE = 132,
	ND_ROUTER_SOLICITATION = 133,
	ND_ROUTER_ADVERTISEMENT = 134,
	ND_SOLICITATION = 135,
	ND_ADVERTISEMENT = 136,
	ND_REDIRECT = 137,
	MLD2_REPORT = 143,
	MLD_ROUTER = 151,
	MAX_ND_OPTIONS = 8,

	DST = 0, /* where a frame has its addresses, */
	SRC = 6,
	TYPE = 12, /* and its type, or tag */
	UNTAGGED = 14,
	TAGGED = 18,
};

static const uint16_t tag_types[] = {0x8100, 0x88a8, 0x9100, 0x9200};

/* See VNET_MAY_TUNNEL. Ports ascend. */
static const uint8_t tunnel_protos[] = {4,  41,  47,  50,  51,  55,  94,  97,
					98, 108, 115, 137, 140, 142, 143, 144};
static const uint16_t tunnel_ports[] = {1701, 2152, 3544, 4341, 4754, 4789,
					4790, 5247, 6080, 6081, 6635, 8472};

/* Words of scratch memory. */
enum {
	M_NEXT,    /* the next header of IPv6 */
	M_END,     /* where its payload ends */
	M_SRC_LOW, /* P[8:4] and */
	M_SRC_TOP, /* P[6:2]: the source address */
	M_AT,      /* X, while it holds something else */
	M_TERM,    /* what X is to be compared with */
};

/* An instruction, by how many there are from it to the end. */
typedef uint32_t place;

/**
 * struct code - a program as it grows
 * @insns:	its end is at @insns + @max; NULL to count
 * @n:		instructions written; more than @max: what is beyond was not
 * @grant:	what it is for
 * @at:		where in a frame the type ends, in the body that is written
 * @refuse:	the return that was written last for each part, or 0
 */
struct code {
	struct vnet_bpf_insn *insns;
	size_t max;
	place n;
	const struct vnet_grant *grant;
	uint32_t at;
	place refuse[VNET_GRANT_NPARTS];
};

static place
put_jump(struct code *c, uint16_t code, uint32_t k, uint32_t jt, uint32_t jf)
{
	c->n++;
	if (c->insns && c->n <= c->max)
		c->insns[c->max - c->n] = (struct vnet_bpf_insn){
			.code = code,
			.jt = (uint8_t)jt,
			.jf = (uint8_t)jf,
			.k = k,
		};
	return c->n;
}

static place
put(struct code *c, uint16_t code, uint32_t k)
{
	return put_jump(c, code, k, 0, 0);
}

/* Go on at @to. */
static place
go(struct code *c, place to)
{
	return c->n == to ? to : put(c, VNET_BPF_JA, c->n - to);
}

#define JUMP_MAX 255

/* If A compares with @k, go on at @yes, else at @no. */
static place
branch(struct code *c, uint16_t code, uint32_t k, place yes, place no)
{
	/* What is put in for @no makes the way to @yes longer. */
	if (c->n - yes > JUMP_MAX - 1)
		yes = put(c, VNET_BPF_JA, c->n - yes);
	if (c->n - no > JUMP_MAX)
		no = put(c, VNET_BPF_JA, c->n - no);
	return put_jump(c, code, k, c->n - yes, c->n - no);
}

/* Where the program ends with @part. Asked for before the instructions in front
 * of it are written, for it may write one. */
static place
end(struct code *c, enum vnet_grant_part part)
{
	if (!c->refuse[part] || c->n - c->refuse[part] > JUMP_MAX / 2)
		c->refuse[part] = put(c, VNET_BPF_RET_K, part);
	return c->refuse[part];
}

static bool
may(const struct code *c, uint32_t what)
{
	return c->grant->may & what;
}

/*
 * Addresses
 */

/* Up to @nwords pieces of a frame that an address consists of. */
struct piece {
	uint16_t code; /* that loads it */
	uint32_t k;
	uint32_t mask;
	uint32_t value;
};

/* Each is as it should be: @yes, else @no. */
static place
match(struct code *c, const struct piece *p, size_t n, place yes, place no)
{
	while (n--) {
		if (!p[n].mask)
			continue;
		branch(c, VNET_BPF_JEQ_K, p[n].value, yes, no);
		if (p[n].mask != UINT32_MAX)
			put(c, VNET_BPF_AND_K, p[n].mask);
		yes = put(c, p[n].code, p[n].k);
	}
	return go(c, yes);
}

/* @bits of @n, from the top. */
static uint32_t
mask(uint32_t bits)
{
	return bits == 0 ? 0 : bits < 32 ? ~(UINT32_MAX >> bits) : UINT32_MAX;
}

static uint32_t
bits_from(uint32_t bits, uint32_t first)
{
	return bits <= first ? 0 : bits - first < 32 ? bits - first : 32;
}

/* The MAC address at @k is @mac in its first @bits. */
static place
match_mac(struct code *c, uint32_t k, uint64_t mac, uint32_t bits, place yes,
	  place no)
{
	uint32_t top = mask(bits < 16 ? bits : 16) >> 16;
	/* What differs most is compared first. */
	struct piece p[] = {
		{VNET_BPF_LD_W_ABS, k + 2, mask(bits_from(bits, 16)),
		 (uint32_t)mac},
		{VNET_BPF_LD_H_ABS, k, top == 0xffff ? UINT32_MAX : top,
		 (uint32_t)(mac >> 32)},
	};

	return match(c, p, 2, yes, no);
}

static place
match_macs(struct code *c, uint32_t k, const struct vnet_mac_prefix *list,
	   size_t n, place yes, place no)
{
	while (n--)
		no = match_mac(c, k, vnet_mac_load(list[n].mac.octet),
			       list[n].bits, yes, no);
	return go(c, no);
}

/* The address at A is one of IPv4 that is granted. */
static place
match_ipv4(struct code *c, uint32_t k, place yes, place no)
{
	const struct vnet_ipv4_prefix *list = c->grant->ipv4;

	for (size_t n = c->grant->nipv4; n--;) {
		struct piece p = {VNET_BPF_LD_W_ABS, k, mask(list[n].bits),
				  vnet_be32_load(list[n].octet)};

		no = match(c, &p, 1, yes, no);
	}
	return go(c, no);
}

/* Loads of a word of IPv6: of the header, or behind X. */
static place
match_words(struct code *c, uint16_t load, uint32_t k, const uint8_t *octets,
	    uint32_t bits, place yes, place no)
{
	struct piece p[4];

	for (uint32_t i = 0; i < 4; i++)
		p[i] = (struct piece){load, k + 4 * i,
				      mask(bits_from(bits, 32 * i)),
				      vnet_be32_load(octets + (size_t)4 * i)};
	return match(c, p, 4, yes, no);
}

static place
match_ipv6(struct code *c, uint16_t load, uint32_t k, place yes, place no)
{
	const struct vnet_ipv6_prefix *list = c->grant->ipv6;

	for (size_t n = c->grant->nipv6; n--;)
		no = match_words(c, load, k, list[n].octet, list[n].bits, yes,
				 no);
	return go(c, no);
}

/* A holds the upper, or the lower half of the interface identifier that is made
 * of the frame's source address (RFC 4291, appendix A). */
static place
load_identifier(struct code *c, bool is_upper)
{
	if (is_upper) {
		put(c, VNET_BPF_XOR_K, 0x020000ff);
		put(c, VNET_BPF_AND_K, 0xffffff00);
		return put(c, VNET_BPF_LD_W_ABS, SRC);
	}
	put(c, VNET_BPF_OR_K, 0xfe000000);
	put(c, VNET_BPF_AND_K, 0x00ffffff);
	return put(c, VNET_BPF_LD_W_ABS, SRC + 2);
}

static const uint8_t link_local[16] = {0xfe, 0x80};

/* The address at @k is the link-local one of the frame's source. X is used. */
static place
match_link_local(struct code *c, uint32_t k, place yes, place no)
{
	for (int upper = 0; upper <= 1; upper++) {
		branch(c, VNET_BPF_JEQ_X, 0, yes, no);
		put(c, VNET_BPF_LD_W_ABS, upper ? k + 8 : k + 12);
		put(c, VNET_BPF_TAX, 0);
		yes = load_identifier(c, upper);
	}
	return match_words(c, VNET_BPF_LD_W_ABS, k, link_local, 64, yes, no);
}

/* The same of the address @k behind X, which is kept where it is. */
static place
match_link_local_at(struct code *c, uint32_t k, place yes, place no)
{
	go(c, yes);
	for (int upper = 0; upper <= 1; upper++) {
		put(c, VNET_BPF_LDX_MEM, M_AT);
		branch(c, VNET_BPF_JEQ_X, 0, c->n, no);
		put(c, VNET_BPF_LDX_MEM, M_TERM);
		put(c, VNET_BPF_LD_W_IND, upper ? k + 8 : k + 12);
		put(c, VNET_BPF_ST, M_TERM);
		load_identifier(c, upper);
	}
	yes = put(c, VNET_BPF_STX, M_AT);
	return match_words(c, VNET_BPF_LD_W_IND, k, link_local, 64, yes, no);
}

/*
 * Destinations
 */

struct group {
	uint64_t mac;
	uint32_t bits;
};

/* What IPv4 has for hosts that join groups (RFC 3376), and what comes to all
 * hosts. */
static const struct group ipv4_groups[] = {
	{UINT64_C(0x01005e000002), 48},
	{UINT64_C(0x01005e000016), 48},
};
static const struct group ipv4_hosts = {UINT64_C(0x01005e000001), 48};

static const struct group ipv6_groups[] = {
	{UINT64_C(0x333300000001), 48}, {UINT64_C(0x333300000002), 48},
	{UINT64_C(0x333300000016), 48}, {UINT64_C(0x333300010002), 48},
	{UINT64_C(0x3333ff000000), 24},
};

static place
match_groups(struct code *c, const struct group *list, size_t n, place yes,
	     place no)
{
	while (n--)
		no = match_mac(c, DST, list[n].mac, list[n].bits, yes, no);
	return no;
}

#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))

/* S4: @type is TYPE_IPV4 or _IPV6 where its own groups are granted with it.
 * @broadcast is where to go on without VNET_MAY_BROADCAST. */
static place
check_dst_or(struct code *c, int type, place yes, place broadcast)
{
	const struct vnet_grant *g = c->grant;
	place no = yes;

	if (may(c, VNET_MAY_BROADCAST))
		broadcast = yes;
	if (!may(c, VNET_MAY_MULTICAST)) {
		no = end(c, VNET_GRANT_GROUPS);
		if (type == TYPE_IPV6)
			no = match_groups(c, ipv6_groups, NELEMS(ipv6_groups),
					  yes, no);
		if (type == TYPE_IPV4 && g->ngroups)
			no = match_groups(c, ipv4_groups, NELEMS(ipv4_groups),
					  yes, no);
		no = match_macs(c, DST, g->groups, g->ngroups, yes, no);
	}
	if (no == yes && broadcast == yes)
		return yes;
	no = match_mac(c, DST, VNET_MAC_BROADCAST, 48, broadcast, no);
	branch(c, VNET_BPF_JSET_K, 1, no, yes);
	return put(c, VNET_BPF_LD_B_ABS, DST);
}

static place
check_dst(struct code *c, int type, place yes)
{
	return check_dst_or(c, type, yes, end(c, VNET_GRANT_BROADCAST));
}

/* R2. */
static place
check_receiver(struct code *c)
{
	const struct vnet_grant *g = c->grant;
	place pass = end(c, VNET_GRANT_PASS), is_group = pass, is_host;

	if (!may(c, VNET_MAY_MULTICAST)) {
		is_group = end(c, VNET_GRANT_GROUPS);
		if (g->nipv6)
			is_group = match_groups(c, ipv6_groups,
						NELEMS(ipv6_groups), pass,
						is_group);
		if (g->nipv4 && g->ngroups)
			is_group = match_groups(c, ipv4_groups,
						NELEMS(ipv4_groups), pass,
						is_group);
		if (g->nipv4)
			is_group =
				match_groups(c, &ipv4_hosts, 1, pass, is_group);
		is_group = match_macs(c, DST, g->groups, g->ngroups, pass,
				      is_group);
		is_group = match_mac(c, DST, VNET_MAC_BROADCAST, 48, pass,
				     is_group);
	}
	is_host = match_macs(c, DST, g->macs, g->nmacs, pass,
			     end(c, VNET_GRANT_MACS));
	branch(c, VNET_BPF_JSET_K, 1, is_group, is_host);
	return put(c, VNET_BPF_LD_B_ABS, DST);
}

/*
 * What is in IPv4 and IPv6
 */

/* A is the port that a datagram is for. */
static place
check_tunnel_port(struct code *c, place pass)
{
	place tunnel = end(c, VNET_GRANT_TUNNEL), p = pass;

	for (size_t n = NELEMS(tunnel_ports); n--;)
		p = branch(c, VNET_BPF_JEQ_K, tunnel_ports[n], tunnel, p);
	/* Most are below, or above, all of them. */
	p = branch(c, VNET_BPF_JGT_K, tunnel_ports[NELEMS(tunnel_ports) - 1],
		   pass, p);
	return branch(c, VNET_BPF_JGE_K, tunnel_ports[0], p, pass);
}

/* U: the ports are at @k, or as much behind X, as @load says. */
static place
check_udp(struct code *c, uint16_t load, uint32_t k, uint16_t client,
	  uint16_t server, place pass)
{
	place p = pass, dhcp = 0;

	if (!may(c, VNET_MAY_DHCP))
		dhcp = end(c, VNET_GRANT_DHCP);
	if (!may(c, VNET_MAY_TUNNEL))
		p = check_tunnel_port(c, pass);
	else if (!dhcp)
		return pass;
	if (dhcp)
		branch(c, VNET_BPF_JEQ_K, client, dhcp, p);
	p = put(c, load, k + 2);
	if (dhcp) {
		branch(c, VNET_BPF_JEQ_K, server, dhcp, p);
		p = put(c, load, k);
	}
	return p;
}

/* A is the number of a protocol other than those that are looked into. */
static place
check_proto(struct code *c, place pass)
{
	place p = pass, no;

	if (!may(c, VNET_MAY_TUNNEL)) {
		no = end(c, VNET_GRANT_TUNNEL);
		for (size_t n = NELEMS(tunnel_protos); n--;)
			p = branch(c, VNET_BPF_JEQ_K, tunnel_protos[n], no, p);
	}
	if (!may(c, VNET_MAY_ROUTE)) {
		no = end(c, VNET_GRANT_ROUTE);
		p = branch(c, VNET_BPF_JEQ_K, PROTO_PIM, no, p);
	}
	if (!may(c, VNET_MAY_VRRP)) {
		no = end(c, VNET_GRANT_VRRP);
		p = branch(c, VNET_BPF_JEQ_K, PROTO_VRRP, no, p);
	}
	return p;
}

/* X is what is in front of the transport header less c->at; a fragment other
 * than the first passes. */
static place
find_ipv4_l4(struct code *c, place first, place pass)
{
	place p;

	if (first == pass)
		return pass;
	go(c, first);
	p = put(c, VNET_BPF_LDX_MSH, c->at);
	branch(c, VNET_BPF_JSET_K, 0x1fff, pass, p);
	return put(c, VNET_BPF_LD_H_ABS, c->at + 6);
}

/* The messages of a protocol that only a router sends: redirects and
 * advertisements of ICMP; queries, and what routers of multicast say to each
 * other, of IGMP. */
static const uint8_t icmp_router[] = {5, 9};
static const uint8_t igmp_router[] = {0x11, 0x13, 0x14, 0x30};

/* C and G. */
static place
check_router(struct code *c, const uint8_t *types, size_t n, place pass)
{
	place route, p = pass;

	if (may(c, VNET_MAY_ROUTE))
		return pass;
	route = end(c, VNET_GRANT_ROUTE);
	while (n--)
		p = branch(c, VNET_BPF_JEQ_K, types[n], route, p);
	return find_ipv4_l4(c, put(c, VNET_BPF_LD_B_IND, c->at), pass);
}

/* Is it what a DHCP client sends to a server? The protocol is UDP. */
static place
match_dhcp_client(struct code *c, place yes, place no, place fragment)
{
	place p;

	branch(c, VNET_BPF_JEQ_K, (uint32_t)68 << 16 | 67, yes, no);
	put(c, VNET_BPF_LD_W_IND, c->at);
	p = put(c, VNET_BPF_LDX_MSH, c->at);
	branch(c, VNET_BPF_JSET_K, 0x3fff, fragment, p);
	return put(c, VNET_BPF_LD_H_ABS, c->at + 6);
}

struct ipv4 {
	place pass;
	place igmp;
};

/* F3. */
static place
check_ipv4_payload(struct code *c, const struct ipv4 *v4)
{
	place pass = v4->pass, icmp, udp, p;

	icmp = check_router(c, icmp_router, NELEMS(icmp_router), pass);
	p = check_proto(c, pass);
	/* Of UDP a fragment other than the first. */
	p = branch(c, VNET_BPF_JEQ_K, VNET_PROTO_UDP, pass, p);
	p = branch(c, VNET_BPF_JEQ_K, PROTO_IGMP, v4->igmp, p);
	branch(c, VNET_BPF_JEQ_K, PROTO_ICMP, icmp, p);
	p = put(c, VNET_BPF_LD_B_ABS, c->at + 9);

	/* TCP and UDP are not kept waiting: fragment offset, and protocol, of
	 * one word. */
	udp = check_udp(c, VNET_BPF_LD_H_IND, c->at, 68, 67, pass);
	if (udp != pass)
		udp = put(c, VNET_BPF_LDX_MSH, c->at);
	branch(c, VNET_BPF_JEQ_K, VNET_PROTO_UDP, udp, p);
	put(c, VNET_BPF_AND_K, 0x1fff00ff);
	p = put(c, VNET_BPF_LD_W_ABS, c->at + 6);
	branch(c, VNET_BPF_JEQ_K, VNET_PROTO_TCP, pass, p);
	return put(c, VNET_BPF_LD_B_ABS, c->at + 9);
}

/* F1. */
static place
check_ipv4_unspecified(struct code *c, const struct ipv4 *v4)
{
	place igmp = check_dst(c, TYPE_IPV4, v4->igmp);
	place dhcp = check_dst_or(c, TYPE_IPV4, v4->pass, v4->pass);
	place undecided = end(c, VNET_GRANT_UNDECIDED);
	place no = end(c, VNET_GRANT_IPV4), p;

	p = match_dhcp_client(c, dhcp, no, undecided);
	p = branch(c, VNET_BPF_JEQ_K, VNET_PROTO_UDP, p, no);
	branch(c, VNET_BPF_JEQ_K, PROTO_IGMP, igmp, p);
	return put(c, VNET_BPF_LD_B_ABS, c->at + 9);
}

/* F2, of one that is from where it may be. */
static place
check_ipv4_dst(struct code *c, place yes)
{
	place no = end(c, VNET_GRANT_BROADCAST), p = no;

	if (!may(c, VNET_MAY_BROADCAST)) {
		p = match_dhcp_client(c, yes, no, no);
		branch(c, VNET_BPF_JEQ_K, VNET_PROTO_UDP, p, no);
		p = put(c, VNET_BPF_LD_B_ABS, c->at + 9);
	}
	return check_dst_or(c, TYPE_IPV4, yes, p);
}

static bool
has_ipv4_zero(const struct vnet_grant *g)
{
	for (size_t i = 0; i < g->nipv4; i++) {
		if (!vnet_be32_load(g->ipv4[i].octet))
			return true;
	}
	return false;
}

/* F. */
static place
check_ipv4(struct code *c)
{
	static const uint8_t unspecified[4];
	uint32_t src = c->at + 12;
	struct piece zero = {VNET_BPF_LD_W_ABS, src, UINT32_MAX,
			     vnet_be32_load(unspecified)};
	struct ipv4 v4 = {.pass = end(c, VNET_GRANT_PASS)};
	place yes, none, no, undecided, p, q;

	v4.igmp = check_router(c, igmp_router, NELEMS(igmp_router), v4.pass);
	yes = check_ipv4_dst(c, check_ipv4_payload(c, &v4));
	none = check_ipv4_unspecified(c, &v4);
	no = end(c, VNET_GRANT_IPV4);
	undecided = end(c, VNET_GRANT_UNDECIDED);
	/* The address of zeroes is asked for first only where it may be taken
	 * for one that is granted. */
	if (has_ipv4_zero(c->grant)) {
		p = match_ipv4(c, src, yes, no);
		p = match(c, &zero, 1, none, p);
	} else {
		p = match(c, &zero, 1, none, no);
		p = match_ipv4(c, src, yes, p);
	}
	/* Nearly all have no options. */
	q = branch(c, VNET_BPF_JGT_K, 0x4f, undecided, p);
	q = branch(c, VNET_BPF_JGE_K, 0x45, q, undecided);
	branch(c, VNET_BPF_JEQ_K, 0x45, p, q);
	return put(c, VNET_BPF_LD_B_ABS, c->at);
}

/* O, from X on, up to M_END. */
static place
check_nd_options(struct code *c, place pass)
{
	place undecided = end(c, VNET_GRANT_UNDECIDED), p;

	branch(c, VNET_BPF_JGT_X, 0, undecided, pass);
	p = put(c, VNET_BPF_LD_MEM, M_END);
	for (int n = 0; n < MAX_ND_OPTIONS; n++) {
		place no = end(c, VNET_GRANT_ND), next;

		go(c, p);
		put(c, VNET_BPF_TAX, 0);
		put(c, VNET_BPF_ADD_X, 0);
		put(c, VNET_BPF_LSH_K, 3);
		next = put(c, VNET_BPF_LD_B_IND, 1);

		put(c, VNET_BPF_LDX_MEM, M_AT);
		branch(c, VNET_BPF_JEQ_X, 0, c->n, no);
		put(c, VNET_BPF_LDX_MEM, M_SRC_TOP);
		put(c, VNET_BPF_LD_H_IND, 2);
		put(c, VNET_BPF_LDX_MEM, M_AT);
		branch(c, VNET_BPF_JEQ_X, 0, c->n, no);
		put(c, VNET_BPF_LDX_MEM, M_SRC_LOW);
		put(c, VNET_BPF_LD_W_IND, 4);
		p = put(c, VNET_BPF_STX, M_AT);

		next = branch(c, VNET_BPF_JEQ_K, 2, p, next);
		branch(c, VNET_BPF_JEQ_K, 1, p, next);
		p = put(c, VNET_BPF_LD_B_IND, 0);
		branch(c, VNET_BPF_JEQ_K, 0, no, p);
		p = put(c, VNET_BPF_LD_B_IND, 1);
		branch(c, VNET_BPF_JGT_X, 0, p, pass);
		p = put(c, VNET_BPF_LD_MEM, M_END);
	}
	put(c, VNET_BPF_ST, M_SRC_TOP);
	put(c, VNET_BPF_LD_H_ABS, SRC);
	put(c, VNET_BPF_ST, M_SRC_LOW);
	return put(c, VNET_BPF_LD_W_ABS, SRC + 2);
}

/* M_END is where the payload ends. One of no octets has none, or is longer than
 * can be said there. */
static place
load_end(struct code *c, place to)
{
	place undecided = end(c, VNET_GRANT_UNDECIDED), p;

	go(c, to);
	put(c, VNET_BPF_ST, M_END);
	p = put(c, VNET_BPF_ADD_K, c->at + 40);
	branch(c, VNET_BPF_JEQ_K, 0, undecided, p);
	return put(c, VNET_BPF_LD_H_ABS, c->at + 4);
}

/* What of X is written once: whatever does not name an offset in the frame. */
struct ipv6 {
	place pass;
	place icmpv6;      /* of a host that has an address, */
	place unspecified; /* or none yet */
	place in_fragment;
	place udp;
	place proto;
	place fragment;
};

/* X goes on by @k. */
static place
skip(struct code *c, uint32_t k, place to)
{
	go(c, to);
	put(c, VNET_BPF_TAX, 0);
	put(c, VNET_BPF_ADD_K, k);
	return put(c, VNET_BPF_TXA, 0);
}

/* I, with M_END loaded, in the three ways in which it begins at X. */
static void
write_icmpv6(struct code *c, struct ipv6 *v6)
{
	place options = check_nd_options(c, v6->pass);
	place at8 = skip(c, 8, options);
	place at24 = skip(c, 24, options);
	place pass = v6->pass, route = 0, at16, own, no, p, q;

	at16 = may(c, VNET_MAY_ROUTE) ? skip(c, 16, options) : 0;
	no = end(c, VNET_GRANT_ND);
	own = match_link_local_at(c, 8, at24, no);
	go(c, match_ipv6(c, VNET_BPF_LD_W_IND, 8, at24, own));
	own = put(c, VNET_BPF_LD_W_IND, 20); /* all of it is there */

	if (!at16)
		at16 = route = end(c, VNET_GRANT_ROUTE);
	p = route ? route : pass;
	p = branch(c, VNET_BPF_JEQ_K, ND_ADVERTISEMENT, own, p);
	p = branch(c, VNET_BPF_JEQ_K, ND_SOLICITATION, at24, p);
	p = branch(c, VNET_BPF_JEQ_K, ND_ROUTER_ADVERTISEMENT, at16, p);
	p = branch(c, VNET_BPF_JEQ_K, ND_ROUTER_SOLICITATION, at8, p);
	q = pass;
	if (route) {
		q = branch(c, VNET_BPF_JEQ_K, MLD_ROUTER, route, q);
		q = branch(c, VNET_BPF_JEQ_K, MLD_QUERY, route, q);
	}
	p = branch(c, VNET_BPF_JGT_K, ND_REDIRECT, q, p);
	branch(c, VNET_BPF_JGE_K, ND_ROUTER_SOLICITATION, p, q);
	v6->icmpv6 = put(c, VNET_BPF_LD_B_IND, 0);

	no = end(c, VNET_GRANT_IPV6);
	p = branch(c, VNET_BPF_JEQ_K, ND_ROUTER_SOLICITATION, at8, no);
	p = branch(c, VNET_BPF_JEQ_K, MLD_DONE, pass, p);
	p = branch(c, VNET_BPF_JEQ_K, MLD_REPORT, pass, p);
	p = branch(c, VNET_BPF_JEQ_K, MLD2_REPORT, pass, p);
	branch(c, VNET_BPF_JEQ_K, ND_SOLICITATION, own, p);
	v6->unspecified = put(c, VNET_BPF_LD_B_IND, 0);

	no = end(c, VNET_GRANT_UNDECIDED);
	p = branch(c, VNET_BPF_JGT_K, ND_REDIRECT, q, no);
	branch(c, VNET_BPF_JGE_K, ND_ROUTER_SOLICITATION, p, q);
	v6->in_fragment = put(c, VNET_BPF_LD_B_IND, 0);
}

/* X3, with A the next header, which is at X, and none that is walked through. */
static place
check_next(struct code *c, const struct ipv6 *v6, place icmpv6)
{
	place p = branch(c, VNET_BPF_JEQ_K, PROTO_ICMPV6, icmpv6, v6->proto);

	p = branch(c, VNET_BPF_JEQ_K, VNET_PROTO_UDP, v6->udp, p);
	return branch(c, VNET_BPF_JEQ_K, VNET_PROTO_TCP, v6->pass, p);
}

/* A fragment header at X. */
static void
write_fragment(struct code *c, struct ipv6 *v6)
{
	place p = check_next(c, v6, v6->in_fragment);
	place undecided = end(c, VNET_GRANT_UNDECIDED);

	p = branch(c, VNET_BPF_JEQ_K, EXT_DSTOPTS, undecided, p);
	p = branch(c, VNET_BPF_JEQ_K, EXT_AUTHENTICATION, undecided, p);
	p = branch(c, VNET_BPF_JEQ_K, EXT_FRAGMENT, undecided, p);
	p = branch(c, VNET_BPF_JEQ_K, EXT_ROUTING, undecided, p);
	branch(c, VNET_BPF_JEQ_K, EXT_HOP_BY_HOP, undecided, p);
	p = put(c, VNET_BPF_LD_MEM, M_NEXT);
	skip(c, 8, p);
	put(c, VNET_BPF_ST, M_NEXT);
	p = put(c, VNET_BPF_LD_B_IND, 0);
	branch(c, VNET_BPF_JSET_K, 0xfff8, v6->pass, p);
	v6->fragment = put(c, VNET_BPF_LD_H_IND, 2);
}

static void
write_ipv6(struct code *c, struct ipv6 *v6)
{
	v6->pass = end(c, VNET_GRANT_PASS);
	write_icmpv6(c, v6);
	v6->udp = check_udp(c, VNET_BPF_LD_H_IND, 0, 546, 547, v6->pass);
	v6->proto = check_proto(c, v6->pass);
	write_fragment(c, v6);
}

/* X2, with A the next header, at X: @last is what to do with one that is not
 * walked through, @fragment with a fragment header. */
static place
walk(struct code *c, place last, place fragment)
{
	place step = 0;

	for (int n = MAX_EXT; n >= 0; n--) {
		place undecided = end(c, VNET_GRANT_UNDECIDED);
		place ext = undecided;

		if (n < MAX_EXT) {
			go(c, step);
			put(c, VNET_BPF_LD_MEM, M_NEXT);
			put(c, VNET_BPF_TAX, 0);
			put(c, VNET_BPF_ADD_X, 0);
			put(c, VNET_BPF_ADD_K, 8);
			put(c, VNET_BPF_LSH_K, 3);
			put(c, VNET_BPF_LD_B_IND, 1);
			put(c, VNET_BPF_ST, M_NEXT);
			ext = put(c, VNET_BPF_LD_B_IND, 0);
		}
		step = branch(c, VNET_BPF_JEQ_K, EXT_DSTOPTS, undecided, last);
		step = branch(c, VNET_BPF_JEQ_K, EXT_FRAGMENT, fragment, step);
		step = branch(c, VNET_BPF_JEQ_K, EXT_ROUTING, ext, step);
		step = branch(c, VNET_BPF_JEQ_K, EXT_HOP_BY_HOP, ext, step);
	}
	return step;
}

/* X2 and X3 of a host that has an address: TCP and UDP are not kept waiting. */
static place
check_ipv6_payload(struct code *c, const struct ipv6 *v6)
{
	place pass = end(c, VNET_GRANT_PASS), udp;
	place p = check_next(c, v6, load_end(c, v6->icmpv6));

	walk(c, p, v6->fragment);
	p = put(c, VNET_BPF_LDX_IMM, c->at + 40);
	udp = check_udp(c, VNET_BPF_LD_H_ABS, c->at + 40, 546, 547, pass);
	p = branch(c, VNET_BPF_JEQ_K, VNET_PROTO_UDP, udp, p);
	branch(c, VNET_BPF_JEQ_K, VNET_PROTO_TCP, pass, p);
	return put(c, VNET_BPF_LD_B_ABS, c->at + 6);
}

/* X2 and X3 of one that has none yet. */
static place
check_ipv6_unspecified(struct code *c, const struct ipv6 *v6)
{
	place icmpv6 = load_end(c, v6->unspecified);
	place no = end(c, VNET_GRANT_IPV6);
	place undecided = end(c, VNET_GRANT_UNDECIDED), p;

	p = branch(c, VNET_BPF_JEQ_K, PROTO_ICMPV6, icmpv6, no);
	walk(c, p, undecided);
	put(c, VNET_BPF_LDX_IMM, c->at + 40);
	return put(c, VNET_BPF_LD_B_ABS, c->at + 6);
}

static bool
has_ipv6_unspecified(const struct vnet_grant *g)
{
	static const uint8_t unspecified[16];

	for (size_t i = 0; i < g->nipv6; i++) {
		if (memcmp(g->ipv6[i].octet, unspecified, 16) == 0)
			return true;
	}
	return false;
}

/* X. */
static place
check_ipv6(struct code *c, const struct ipv6 *v6)
{
	static const uint8_t unspecified[16];
	uint32_t src = c->at + 8;
	place some, none, no, undecided, p;

	some = check_ipv6_payload(c, v6);
	some = check_dst(c, TYPE_IPV6, some);
	none = check_ipv6_unspecified(c, v6);
	none = check_dst(c, TYPE_IPV6, none);

	no = end(c, VNET_GRANT_IPV6);
	if (has_ipv6_unspecified(c->grant)) {
		p = match_link_local(c, src, some, no);
		p = match_ipv6(c, VNET_BPF_LD_W_ABS, src, some, p);
		p = match_words(c, VNET_BPF_LD_W_ABS, src, unspecified, 128,
				none, p);
	} else {
		p = match_words(c, VNET_BPF_LD_W_ABS, src, unspecified, 128,
				none, no);
		p = match_link_local(c, src, some, p);
		p = match_ipv6(c, VNET_BPF_LD_W_ABS, src, some, p);
	}
	undecided = end(c, VNET_GRANT_UNDECIDED);
	go(c, p);
	p = put(c, VNET_BPF_LD_W_ABS, src + 12); /* all of it is there */
	branch(c, VNET_BPF_JEQ_K, UINT32_C(6) << 28, p, undecided);
	put(c, VNET_BPF_AND_K, UINT32_C(15) << 28);
	return put(c, VNET_BPF_LD_W_ABS, c->at);
}

/* A. */
static place
check_arp(struct code *c)
{
	uint32_t at = c->at;
	place pass = end(c, VNET_GRANT_PASS), no = end(c, VNET_GRANT_ARP);
	struct piece zero = {VNET_BPF_LD_W_ABS, at + 14, UINT32_MAX, 0};
	struct piece request = {VNET_BPF_LD_H_ABS, at + 6, UINT32_MAX, 1};
	struct piece fixed[] = {
		{VNET_BPF_LD_W_ABS, at, UINT32_MAX, 0x00010800},
		{VNET_BPF_LD_H_ABS, at + 4, UINT32_MAX, 0x0604},
	};
	place probe = match_ipv4(c, at + 24, pass, no), p;

	go(c, probe);
	probe = put(c, VNET_BPF_LD_W_ABS, at + 24); /* all of it is there */
	probe = match(c, &request, 1, probe, no);
	p = match_ipv4(c, at + 14, pass, no);
	p = match(c, &zero, 1, probe, p);

	branch(c, VNET_BPF_JEQ_X, 0, p, no);
	put(c, VNET_BPF_LD_H_ABS, SRC);
	put(c, VNET_BPF_TAX, 0);
	p = put(c, VNET_BPF_LD_H_ABS, at + 8);
	branch(c, VNET_BPF_JEQ_X, 0, p, no);
	put(c, VNET_BPF_LD_W_ABS, SRC + 2);
	put(c, VNET_BPF_TAX, 0);
	p = put(c, VNET_BPF_LD_W_ABS, at + 10);

	no = branch(c, VNET_BPF_JEQ_K, 2, p, no);
	branch(c, VNET_BPF_JEQ_K, 1, p, no);
	p = put(c, VNET_BPF_LD_H_ABS, at + 6);
	p = match(c, fixed, 2, p, end(c, VNET_GRANT_ARP));
	return check_dst_or(c, TYPE_ARP, p, p);
}

/*
 * Types and tags
 */

/* S3, with A the type: where each leads that is granted, or 0. And where a tag
 * does. */
struct types {
	place tag;
	place arp;
	place ipv4;
	place ipv6;
	place llc;
	place other;
};

static place
check_type(struct code *c, const struct types *t)
{
	const struct vnet_grant *g = c->grant;
	place vlan = end(c, VNET_GRANT_VLANS);
	place llc = may(c, VNET_MAY_LLC) ? t->llc : end(c, VNET_GRANT_LLC);
	place no = end(c, VNET_GRANT_ETHERTYPES), p = no;

	for (size_t n = NELEMS(tag_types); n--;)
		p = branch(c, VNET_BPF_JEQ_K, tag_types[n],
			   t->tag && tag_types[n] == TYPE_CVLAN ? t->tag : vlan,
			   p);
	for (size_t n = g->nethertypes; n--;)
		p = branch(c, VNET_BPF_JEQ_K, g->ethertypes[n], t->other, p);
	p = branch(c, VNET_BPF_JGE_K, TYPE_MIN, p, llc);
	p = branch(c, VNET_BPF_JEQ_K, TYPE_ARP, g->nipv4 ? t->arp : no, p);
	p = branch(c, VNET_BPF_JEQ_K, TYPE_IPV6, g->nipv6 ? t->ipv6 : no, p);
	return branch(c, VNET_BPF_JEQ_K, TYPE_IPV4, g->nipv4 ? t->ipv4 : no, p);
}

/* What is behind a type that ends at @at; @tag is where one with a tag goes. */
static place
check_body(struct code *c, const struct ipv6 *v6, uint32_t at, place tag)
{
	struct types t = {.tag = tag};

	c->at = at;
	t.other = check_dst(c, 0, end(c, VNET_GRANT_PASS));
	if (may(c, VNET_MAY_LLC)) {
		branch(c, VNET_BPF_JEQ_K, LLC_SNAP, end(c, VNET_GRANT_LLC),
		       t.other);
		t.llc = put(c, VNET_BPF_LD_B_ABS, at);
	}
	if (c->grant->nipv6)
		t.ipv6 = check_ipv6(c, v6);
	if (c->grant->nipv4) {
		t.arp = check_arp(c);
		t.ipv4 = check_ipv4(c);
	}
	return check_type(c, &t);
}

/* A is the id of a VLAN. */
static place
check_vid(struct code *c, place yes)
{
	const struct vnet_vlan_range *list = c->grant->vlans;
	place p = end(c, VNET_GRANT_VLANS);

	for (size_t n = c->grant->nvlans; n--;) {
		/* 0 is no VLAN, but frames without a tag. */
		uint32_t first = list[n].first ? list[n].first : 1;
		place in;

		if (!list[n].last)
			continue;
		if (first == list[n].last) {
			p = branch(c, VNET_BPF_JEQ_K, first, yes, p);
			continue;
		}
		in = branch(c, VNET_BPF_JGT_K, list[n].last, p, yes);
		p = branch(c, VNET_BPF_JGE_K, first, in, p);
	}
	return go(c, p);
}

static bool
has_untagged(const struct vnet_grant *g)
{
	for (size_t i = 0; i < g->nvlans; i++) {
		if (g->vlans[i].first == 0)
			return true;
	}
	return !g->nvlans;
}

static bool
has_tagged(const struct vnet_grant *g)
{
	for (size_t i = 0; i < g->nvlans; i++) {
		if (g->vlans[i].last)
			return true;
	}
	return false;
}

/* S2 of a frame with a tag: @body is where to go with A the type. */
static place
check_tag(struct code *c, place body)
{
	place p;

	go(c, body);
	p = check_vid(c, put(c, VNET_BPF_LD_H_ABS, TYPE + 4));
	go(c, p);
	put(c, VNET_BPF_AND_K, 0xfff);
	return put(c, VNET_BPF_LD_H_ABS, TYPE + 2);
}

/* S2: @body is where to go with A the type of a frame without a tag; it knows
 * where those with a tag go. */
static place
load_type(struct code *c, place tag, place body)
{
	if (!has_untagged(c->grant))
		body = branch(c, VNET_BPF_JEQ_K, TYPE_CVLAN, tag,
			      end(c, VNET_GRANT_VLANS));
	go(c, body);
	return put(c, VNET_BPF_LD_H_ABS, TYPE);
}

static void
write_ingress(struct code *c)
{
	const struct vnet_grant *g = c->grant;
	struct ipv6 v6 = {0};
	place tag = 0, p;

	if (g->nipv6)
		write_ipv6(c, &v6);
	if (has_tagged(g))
		tag = check_tag(c, check_body(c, &v6, TAGGED, 0));
	p = has_untagged(g) ? check_body(c, &v6, UNTAGGED, tag) : tag;
	p = load_type(c, tag, p);
	p = match_macs(c, SRC, g->macs, g->nmacs, p, end(c, VNET_GRANT_MACS));
	go(c, p);
}

static void
write_egress(struct code *c)
{
	place p = check_receiver(c);
	struct types t = {0, p, p, p, p, p};

	if (has_tagged(c->grant))
		t.tag = check_tag(c, check_type(c, &t));
	load_type(c, t.tag, check_type(c, &t));
}

int
vnet_guard_compile(const struct vnet_grant *grant, enum vnet_side side,
		   struct vnet_bpf_insn *insns, size_t max,
		   struct vnet_why *why)
{
	struct code c = {
		.insns = insns,
		.max = insns ? max : VNET_GRANT_MAX_INSNS,
		.grant = grant,
	};

	if (side != VNET_INGRESS && side != VNET_EGRESS)
		return vnet_why_not(why, -EINVAL, "a guard has no such side",
				    side, 0);
	if (side == VNET_INGRESS)
		write_ingress(&c);
	else
		write_egress(&c);
	if (c.n > c.max || c.n > VNET_GRANT_MAX_INSNS)
		return vnet_why_not(why, -ENOSPC,
				    "the guard has too many instructions", c.n,
				    c.max);
	if (insns)
		memmove(insns, insns + (c.max - c.n), c.n * sizeof(*insns));
	return (int)c.n;
}

int
vnet_grant_compile(const struct vnet_grant *grant, enum vnet_side side,
		   struct vnet_bpf_insn *insns, size_t max,
		   struct vnet_why *why)
{
	int err = vnet_grant_check(grant, NULL, why);

	return err ? err : vnet_guard_compile(grant, side, insns, max, why);
}
