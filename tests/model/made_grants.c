/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "made_grants.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
store16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
fill(struct tape *t, uint8_t *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i += 4) {
		uint32_t v = tape_argument(t, 0);

		for (unsigned int k = i; k < n && k < i + 4; k++, v >>= 8)
			p[k] = (uint8_t)v;
	}
}

/* Clear what is behind the first @bits. */
static void
cut(uint8_t *p, unsigned int noctets, unsigned int bits)
{
	for (unsigned int i = bits; i < 8 * noctets; i++)
		p[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
}

/* Likewise, but fill it. */
static void
extend(struct tape *t, uint8_t *p, unsigned int noctets, unsigned int bits)
{
	uint8_t rest[16];

	if (bits == 8 * noctets)
		return;
	fill(t, rest, noctets);
	for (unsigned int i = bits; i < 8 * noctets; i++)
		p[i / 8] |= rest[i / 8] & (uint8_t)(0x80u >> i % 8);
}

/*
 * Grants
 */

static size_t
pick_length(struct tape *t, size_t least)
{
	static const uint8_t lengths[] = {
		0, 1, 1, 1, 2, 2, 3, 4, 8, VNET_GRANT_MAX_LIST,
	};
	size_t n = TAPE_ONE_OF(t, lengths);

	if (n == VNET_GRANT_MAX_LIST && !tape_seldom(t, 4))
		n = 1;
	return n < least ? least : n;
}

/* Mostly all of it or the usual lengths, but any. */
static uint8_t
pick_bits(struct tape *t, unsigned int least, unsigned int most)
{
	uint32_t how = tape_argument(t, 8);

	if (how < 4)
		return (uint8_t)most;
	if (how < 6)
		return (uint8_t)(most - most / 8 * tape_argument(t, 4));
	return (uint8_t)(least + tape_argument(t, most - least + 1));
}

static void
make_macs(struct tape *t, struct vnet_mac_prefix *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *p = list[i].mac.octet;

		memset(p, 0, 6);
		p[0] = 2;
		p[4] = (uint8_t)tape_argument(t, 4);
		p[5] = (uint8_t)tape_argument(t, 256);
		if (tape_seldom(t, 4)) {
			fill(t, p, 6);
			p[0] &= 0xfe;
		}
		if (tape_seldom(t, 16))
			memcpy(p, "\x00\x00\x5e\x00\x01", 5);
		list[i].bits = pick_bits(t, 0, 48);
		cut(p, 6, list[i].bits);
	}
}

static void
make_groups(struct tape *t, struct vnet_mac_prefix *list, size_t n)
{
	static const uint8_t known[][6] = {
		{0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb},
		{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12},
		{0x33, 0x33, 0x00, 0x00, 0x00, 0xfb},
		{0x33, 0x33, 0x00, 0x00, 0x00, 0x12},
		{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01},
		{0x33, 0x33, 0xff, 0x00, 0x00, 0x01},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0x00},
		{0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc},
	};

	for (size_t i = 0; i < n; i++) {
		uint8_t *p = list[i].mac.octet;

		memcpy(p, TAPE_ONE_OF(t, known), 6);
		if (tape_seldom(t, 4)) {
			fill(t, p, 6);
			p[0] |= 1;
		}
		list[i].bits = pick_bits(t, 8, 48);
		cut(p, 6, list[i].bits);
	}
}

static void
make_ipv4(struct tape *t, struct vnet_ipv4_prefix *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *p = list[i].octet;

		memcpy(p, "\x0a\x00", 2);
		p[2] = (uint8_t)tape_argument(t, 4);
		p[3] = (uint8_t)tape_argument(t, 256);
		if (tape_seldom(t, 4))
			fill(t, p, 4);
		list[i].bits = pick_bits(t, 0, 32);
		cut(p, 4, list[i].bits);
	}
}

static void
make_ipv6(struct tape *t, struct vnet_ipv6_prefix *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *p = list[i].octet;

		memset(p, 0, 16);
		memcpy(p, "\x20\x01\x0d\xb8", 4);
		p[7] = (uint8_t)tape_argument(t, 4);
		p[15] = (uint8_t)tape_argument(t, 256);
		if (tape_seldom(t, 4))
			fill(t, p, 16);
		if (tape_seldom(t, 8)) {
			memset(p, 0, 8);
			memcpy(p, "\xfe\x80", 2);
		}
		list[i].bits = tape_seldom(t, 3) ? 64 : pick_bits(t, 0, 128);
		cut(p, 16, list[i].bits);
	}
}

static void
make_vlans(struct tape *t, struct vnet_vlan_range *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t first = tape_argument(t, tape_seldom(t, 2) ? 4095 : 8);
		uint32_t more = tape_seldom(t, 2) ? tape_argument(t, 4095) : 0;

		if (more > 4094 - first)
			more = 4094 - first;
		list[i].first = (uint16_t)first;
		list[i].last = (uint16_t)(first + more);
	}
}

/* One that the guard does not look into, and that is no tag's. */
static uint16_t
pick_ethertype(struct tape *t)
{
	static const uint16_t known[] = {0x88b5, 0x88b6, 0x8847, 0x8863, 0x8864,
					 0x88cc, 0x8035, 0x0600, 0xffff};
	uint32_t type = TAPE_ONE_OF(t, known);

	if (tape_seldom(t, 4))
		type = 0x600 + tape_argument(t, 0x10000 - 0x600);
	switch (type) {
	case 0x0800:
	case 0x0806:
	case 0x86dd:
	case 0x8100:
	case 0x88a8:
	case 0x9100:
	case 0x9200:
		return 0x88b5;
	default:
		return (uint16_t)type;
	}
}

void
grants_make(struct tape *t, struct grants_made *made)
{
	struct vnet_grant *g = &made->grant;

	memset(made, 0, sizeof(*made));
	snprintf(made->name, sizeof(made->name), "g%u",
		 (unsigned int)tape_argument(t, 0));
	g->size = sizeof(*g);
	g->name = made->name;
	vnet_grant_use_lists(g, &made->lists);
	g->nmacs = pick_length(t, 1);
	make_macs(t, made->lists.macs, g->nmacs);
	g->ngroups = pick_length(t, 0);
	make_groups(t, made->lists.groups, g->ngroups);
	g->nipv4 = pick_length(t, 0);
	make_ipv4(t, made->lists.ipv4, g->nipv4);
	g->nipv6 = pick_length(t, 0);
	make_ipv6(t, made->lists.ipv6, g->nipv6);
	g->nvlans = tape_seldom(t, 2) ? pick_length(t, 0) : 0;
	make_vlans(t, made->lists.vlans, g->nvlans);
	g->nethertypes = pick_length(t, 0);
	for (size_t i = 0; i < g->nethertypes; i++)
		made->lists.ethertypes[i] = pick_ethertype(t);
	/* All, few or half of them. */
	g->may = tape_argument(t, 128);
	if (tape_seldom(t, 3))
		g->may &= tape_argument(t, 128);
	if (tape_seldom(t, 8))
		g->may = 127;
	if (tape_seldom(t, 2))
		g->max_addresses = 1 + tape_argument(t, 16);
	if (tape_seldom(t, 2))
		g->max_clients = 1 + tape_argument(t, 4);
	if (tape_seldom(t, 4))
		g->queue_octets = 2048 + tape_argument(t, 63488);
	g->depth = tape_argument(t, VNET_GRANT_MAX_DEPTH);
	if (tape_seldom(t, 8))
		g->until = 1 + (uint64_t)tape_argument(t, 0) * 1000;
	if (tape_seldom(t, 4)) {
		g->rate.size = sizeof(g->rate);
		g->rate.frames_per_s = 1 + tape_argument(t, 1000000);
	}
}

/* A prefix of so many @bits becomes one inside of it. */
static uint8_t
lengthen(struct tape *t, uint8_t *p, unsigned int noctets, unsigned int bits)
{
	unsigned int more = 8 * noctets - bits;

	extend(t, p, noctets, bits);
	bits += tape_seldom(t, 2) ? more : tape_argument(t, more + 1);
	cut(p, noctets, bits);
	return (uint8_t)bits;
}

static size_t
narrow_macs(struct tape *t, const struct vnet_mac_prefix *outer, size_t nouter,
	    struct vnet_mac_prefix *inner, size_t least)
{
	size_t n = nouter ? least + tape_argument(t, 4) : 0;

	for (size_t i = 0; i < n; i++) {
		inner[i] = outer[tape_argument(t, (uint32_t)nouter)];
		inner[i].bits =
			lengthen(t, inner[i].mac.octet, 6, inner[i].bits);
		if (inner[i].bits >= 8 && least)
			inner[i].mac.octet[0] &= 0xfe;
	}
	return n;
}

static size_t
narrow_vlans(struct tape *t, const struct vnet_grant *outer,
	     struct vnet_vlan_range *inner)
{
	size_t n = outer->nvlans ? 1 + tape_argument(t, 3) : 0;

	for (size_t i = 0; i < n; i++) {
		const uint32_t k = tape_argument(t, (uint32_t)outer->nvlans);
		uint32_t length;

		inner[i] = outer->vlans[k];
		length = inner[i].last - inner[i].first + 1u;
		inner[i].first += (uint16_t)tape_argument(t, length);
	}
	return n;
}

void
grants_narrow(struct tape *t, const struct vnet_grant *outer,
	      struct grants_made *made)
{
	struct vnet_grant *g = &made->grant;

	/* For its name, and all that is not narrowed below. */
	grants_make(t, made);
	if (tape_seldom(t, 8))
		return;
	g->nmacs =
		narrow_macs(t, outer->macs, outer->nmacs, made->lists.macs, 1);
	g->ngroups = narrow_macs(t, outer->groups, outer->ngroups,
				 made->lists.groups, 0);
	g->nipv4 = outer->nipv4 ? tape_argument(t, 4) : 0;
	for (size_t i = 0; i < g->nipv4; i++) {
		struct vnet_ipv4_prefix *p = &made->lists.ipv4[i];

		*p = outer->ipv4[tape_argument(t, (uint32_t)outer->nipv4)];
		p->bits = lengthen(t, p->octet, 4, p->bits);
	}
	g->nipv6 = outer->nipv6 ? tape_argument(t, 4) : 0;
	for (size_t i = 0; i < g->nipv6; i++) {
		struct vnet_ipv6_prefix *p = &made->lists.ipv6[i];

		*p = outer->ipv6[tape_argument(t, (uint32_t)outer->nipv6)];
		p->bits = lengthen(t, p->octet, 16, p->bits);
	}
	g->nvlans = narrow_vlans(t, outer, made->lists.vlans);
	g->nethertypes = outer->nethertypes ? tape_argument(t, 4) : 0;
	for (size_t i = 0; i < g->nethertypes; i++)
		made->lists.ethertypes[i] = outer->ethertypes[tape_argument(
			t, (uint32_t)outer->nethertypes)];
	g->may &= outer->may;
	g->max_addresses = 1 + tape_argument(t, 2);
	g->max_clients = 0;
	if (outer->queue_octets)
		g->queue_octets = outer->queue_octets;
	g->depth = outer->depth ? tape_argument(t, outer->depth) : 0;
	if (outer->until)
		g->until = outer->until;
	g->rate = outer->rate;
}

/*
 * Frames
 */

struct maker {
	struct tape *t;
	const struct vnet_grant *g;
	uint8_t *p; /* octets, from the destination on */
	uint32_t len;
	uint32_t at; /* of what is behind the type */
};

static uint32_t
arg(const struct maker *m, uint32_t bound)
{
	return tape_argument(m->t, bound);
}

static bool
is_seldom(const struct maker *m, uint32_t bound)
{
	return tape_seldom(m->t, bound);
}

/* Take one of the bits that a prefix of @bits fixes, and turn it. */
static void
turn_bit(const struct maker *m, uint8_t *p, unsigned int bits)
{
	uint32_t bit;

	if (!bits)
		return;
	bit = arg(m, 2) ? bits - 1 : arg(m, bits);
	p[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
}

static void
put_mac(const struct maker *m, uint8_t *p)
{
	const struct vnet_mac_prefix *of = &m->g->macs[arg(m, m->g->nmacs)];

	memcpy(p, of->mac.octet, 6);
	extend(m->t, p, 6, of->bits);
	if (is_seldom(m, 24))
		turn_bit(m, p, of->bits);
	if (!is_seldom(m, 64))
		p[0] &= 0xfe;
}

static void
put_ipv4(const struct maker *m, uint8_t *p)
{
	const struct vnet_ipv4_prefix *of;

	fill(m->t, p, 4);
	if (!m->g->nipv4 || is_seldom(m, 32))
		return;
	of = &m->g->ipv4[arg(m, m->g->nipv4)];
	memcpy(p, of->octet, 4);
	extend(m->t, p, 4, of->bits);
	if (is_seldom(m, 16))
		turn_bit(m, p, of->bits);
	if (is_seldom(m, 32))
		memset(p, 0, 4);
}

static void
put_link_local(const struct maker *m, uint8_t *p)
{
	const uint8_t *mac = m->p + 6;

	memset(p, 0, 8);
	p[0] = 0xfe;
	p[1] = 0x80;
	memcpy(p + 8, mac, 3);
	p[8] ^= 2;
	p[11] = 0xff;
	p[12] = 0xfe;
	memcpy(p + 13, mac + 3, 3);
	if (is_seldom(m, 16))
		turn_bit(m, p, 128);
}

static void
put_ipv6(const struct maker *m, uint8_t *p)
{
	const struct vnet_ipv6_prefix *of;

	if (!m->g->nipv6 || is_seldom(m, 5)) {
		put_link_local(m, p);
		return;
	}
	of = &m->g->ipv6[arg(m, m->g->nipv6)];
	memcpy(p, of->octet, 16);
	extend(m->t, p, 16, of->bits);
	if (is_seldom(m, 16))
		turn_bit(m, p, of->bits);
	if (is_seldom(m, 64))
		fill(m->t, p, 16);
}

/* One of @g's groups, of those that everybody needs, or any. */
static void
put_group(const struct maker *m, uint8_t *p)
{
	static const uint8_t needed[][6] = {
		{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01},
		{0x01, 0x00, 0x5e, 0x00, 0x00, 0x02},
		{0x01, 0x00, 0x5e, 0x00, 0x00, 0x16},
		{0x33, 0x33, 0x00, 0x00, 0x00, 0x01},
		{0x33, 0x33, 0x00, 0x00, 0x00, 0x02},
		{0x33, 0x33, 0x00, 0x00, 0x00, 0x16},
		{0x33, 0x33, 0x00, 0x01, 0x00, 0x02},
		{0x33, 0x33, 0xff, 0x12, 0x34, 0x56},
	};
	const struct vnet_mac_prefix *of;

	if (m->g->ngroups && arg(m, 2)) {
		of = &m->g->groups[arg(m, m->g->ngroups)];
		memcpy(p, of->mac.octet, 6);
		extend(m->t, p, 6, of->bits);
		if (is_seldom(m, 8))
			turn_bit(m, p, of->bits);
		return;
	}
	memcpy(p, TAPE_ONE_OF(m->t, needed), 6);
	if (is_seldom(m, 8))
		turn_bit(m, p, 48);
	if (is_seldom(m, 8)) {
		fill(m->t, p, 6);
		p[0] |= 1;
	}
}

static void
put_destination(const struct maker *m, enum vnet_side side)
{
	uint32_t how = arg(m, 16);

	if (how < 9 && side == VNET_EGRESS) {
		put_mac(m, m->p);
	} else if (how < 9) {
		fill(m->t, m->p, 6);
		m->p[0] &= 0xfe;
	} else if (how < 11) {
		memset(m->p, 0xff, 6);
		if (is_seldom(m, 8))
			turn_bit(m, m->p, 48);
	} else {
		put_group(m, m->p);
	}
}

/* Append @n octets, whatever they are. Returns where. */
static uint8_t *
append(struct maker *m, uint32_t n)
{
	uint8_t *p = m->p + m->len;

	m->len += n;
	memset(p, 0, n);
	return p;
}

static void
append_payload(struct maker *m)
{
	uint32_t n = arg(m, 24);

	fill(m->t, append(m, n), n);
}

static void
add_arp(struct maker *m)
{
	uint8_t *p = append(m, 28);
	uint32_t how = arg(m, 8);

	memcpy(p, "\x00\x01\x08\x00\x06\x04", 6);
	p[7] = (uint8_t)(1 + arg(m, 2));
	memcpy(p + 8, m->p + 6, 6);
	put_ipv4(m, p + 14);
	fill(m->t, p + 18, 10);
	if (how < 2) { /* gratuitous */
		memcpy(p + 24, p + 14, 4);
		memset(p + 18, how ? 0xff : 0, 6);
	} else if (how < 4) { /* a probe */
		if (!is_seldom(m, 8))
			p[7] = 1;
		memset(p + 14, 0, 4);
		put_ipv4(m, p + 24);
	}
	if (is_seldom(m, 16))
		p[arg(m, 8)] = (uint8_t)arg(m, 10);
	if (is_seldom(m, 16))
		turn_bit(m, p + 8, 48);
	if (!is_seldom(m, 2))
		append(m, 18);
}

static const uint8_t protocols[] = {
	1,  1,  2,  2,  6,  6,  6,  17, 17, 17,  17,  58,  58,
	58, 58, 58, 58, 58, 58, 58, 58, 58, 103, 112, 112,
};

/* Of which one in some is taken. */
static const uint8_t other_protocols[] = {
	4,   41,  47,  50,  51,  55, 94, 97, 98, 108, 115, 132,
	137, 140, 142, 143, 144, 0,  43, 44, 60, 59,  255,
};

static uint8_t
pick_protocol(const struct maker *m)
{
	if (is_seldom(m, 6))
		return TAPE_ONE_OF(m->t, other_protocols);
	return TAPE_ONE_OF(m->t, protocols);
}

static uint16_t
pick_port(const struct maker *m)
{
	static const uint16_t ports[] = {
		53,   67,   67,   68,   68,   546,  546,  547,
		547,  1701, 2152, 3544, 4341, 5247, 6080, 4754,
		4789, 4790, 6081, 6635, 8472, 5353, 80,
	};
	uint16_t port = TAPE_ONE_OF(m->t, ports);

	if (is_seldom(m, 4))
		port = (uint16_t)arg(m, 0x10000);
	return is_seldom(m, 16) ? (uint16_t)(port + 1) : port;
}

static void
add_udp(struct maker *m, bool is_dhcp)
{
	uint8_t *p = append(m, 8);

	store16(p, pick_port(m));
	store16(p + 2, pick_port(m));
	if (is_dhcp) {
		store16(p, 68);
		store16(p + 2, 67);
		if (is_seldom(m, 16))
			turn_bit(m, p, 32);
	}
	append_payload(m);
	store16(p + 4, (uint32_t)(m->p + m->len - p));
}

static void
add_tcp(struct maker *m)
{
	uint8_t *p = append(m, 20);

	store16(p, pick_port(m));
	store16(p + 2, pick_port(m));
	p[12] = 0x50;
	p[13] = 0x10;
	append_payload(m);
	append_payload(m);
}

static void
add_ipv4(struct maker *m)
{
	static const uint8_t icmp[] = {0, 3, 5, 5, 8, 9, 9, 10, 11, 13};
	static const uint8_t igmp[] = {0x11, 0x12, 0x13, 0x14, 0x16,
				       0x17, 0x22, 0x30, 0x31};
	static const uint16_t fragments[] = {0x4000, 0x2000, 0x2001, 0x0001,
					     0x0100, 0x1fff, 0x8000, 0xe000};
	const uint32_t words = is_seldom(m, 4) ? 5 + arg(m, 11) : 5;
	uint8_t *p = append(m, 4 * words);
	bool is_unspecified = is_seldom(m, 6);
	uint8_t protocol = pick_protocol(m);

	p[0] = (uint8_t)(0x40 | words);
	if (is_seldom(m, 32))
		p[0] = (uint8_t)arg(m, 256);
	if (is_seldom(m, 4))
		store16(p + 6, TAPE_ONE_OF(m->t, fragments));
	p[8] = 64;
	if (is_unspecified && !is_seldom(m, 8))
		protocol = arg(m, 3) ? 17 : 2;
	p[9] = protocol;
	put_ipv4(m, p + 12);
	if (is_unspecified)
		memset(p + 12, 0, 4);
	fill(m->t, p + 16, 4);
	if (words > 5)
		fill(m->t, p + 20, 4 * words - 20);
	switch (protocol) {
	case 1:
		append(m, 8)[0] = TAPE_ONE_OF(m->t, icmp);
		append_payload(m);
		break;
	case 2:
		append(m, 8)[0] = TAPE_ONE_OF(m->t, igmp);
		break;
	case 6:
		add_tcp(m);
		break;
	case 17:
		add_udp(m, is_unspecified || is_seldom(m, 4));
		break;
	default:
		append(m, 8);
		append_payload(m);
	}
	store16(p + 2, (uint32_t)(m->p + m->len - p));
	if (is_seldom(m, 32))
		store16(p + 2, arg(m, 256));
}

static void
add_nd_options(struct maker *m)
{
	static const uint8_t counts[] = {0, 1, 1, 1, 2, 2, 3, 4, 5, 6};
	static const uint8_t kinds[] = {1, 1, 2, 2, 3, 5, 14, 24, 25, 31};
	uint32_t n = TAPE_ONE_OF(m->t, counts);

	while (n--) {
		uint32_t units = is_seldom(m, 4) ? 1 + arg(m, 4) : 1;
		uint8_t *p = append(m, 8 * units);

		p[0] = TAPE_ONE_OF(m->t, kinds);
		p[1] = (uint8_t)units;
		memcpy(p + 2, m->p + 6, 6);
		if (is_seldom(m, 16))
			turn_bit(m, p + 2, 48);
		if (is_seldom(m, 32))
			p[1] = (uint8_t)arg(m, 4);
		if (is_seldom(m, 32))
			p[0] = (uint8_t)arg(m, 256);
	}
}

static void
add_icmpv6(struct maker *m, bool is_unspecified)
{
	static const uint8_t types[] = {
		133, 134, 135, 135, 135, 136, 136, 136, 137, 130,
		131, 132, 143, 151, 128, 129, 1,   2,   141, 152,
	};
	static const uint8_t from_unspecified[] = {131, 132, 133, 135, 143};
	uint8_t *p = append(m, 4);

	p[0] = TAPE_ONE_OF(m->t, types);
	if (is_unspecified && !is_seldom(m, 4))
		p[0] = TAPE_ONE_OF(m->t, from_unspecified);
	if (is_seldom(m, 32))
		p[0] = (uint8_t)arg(m, 256);
	append(m, 4);
	if (p[0] == 135 || p[0] == 136 || p[0] == 137)
		put_ipv6(m, append(m, 16));
	else if (p[0] == 134)
		append(m, 8);
	if (p[0] == 137)
		append(m, 16);
	if (p[0] >= 133 && p[0] <= 137)
		add_nd_options(m);
	else
		append_payload(m);
}

/* Extension headers; @next is where the type of the next one goes. */
static uint8_t *
add_extension(struct maker *m, uint8_t *next)
{
	static const uint8_t kinds[] = {0,  0,  0,  0,  0,  0, 43,
					43, 43, 44, 44, 60, 51};
	static const uint16_t offsets[] = {0, 0, 1, 1, 2, 8, 9, 0xfff8};
	const uint8_t kind = TAPE_ONE_OF(m->t, kinds);
	const uint32_t units =
		kind == 44 || !is_seldom(m, 4) ? 1 : 1 + arg(m, 4);
	uint8_t *p = append(m, 8 * units);

	*next = kind;
	p[1] = (uint8_t)(units - 1);
	if (kind == 44) {
		store16(p + 2, TAPE_ONE_OF(m->t, offsets));
		p[1] = (uint8_t)(is_seldom(m, 8) ? arg(m, 256) : 0);
	} else if (is_seldom(m, 16)) {
		p[1] = (uint8_t)arg(m, 256);
	}
	return p;
}

static void
add_ipv6(struct maker *m)
{
	static const uint8_t counts[] = {0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6};
	uint8_t *p = append(m, 40), *next = p + 6;
	uint32_t n = TAPE_ONE_OF(m->t, counts);
	bool is_unspecified = is_seldom(m, 8);
	uint8_t protocol = pick_protocol(m);

	p[0] = 0x60;
	if (is_seldom(m, 32))
		p[0] = (uint8_t)arg(m, 256);
	p[7] = 255;
	put_ipv6(m, p + 8);
	if (is_unspecified)
		memset(p + 8, 0, 16);
	if (is_seldom(m, 64)) /* one of :: but for some octet */
		p[8 + arg(m, 16)] ^= 1;
	fill(m->t, p + 24, 16);
	while (n--)
		next = add_extension(m, next);
	if (is_unspecified && !is_seldom(m, 8))
		protocol = 58;
	*next = protocol;
	if (protocol == 58) {
		add_icmpv6(m, is_unspecified);
	} else if (protocol == 6) {
		add_tcp(m);
	} else if (protocol == 17) {
		add_udp(m, false);
	} else {
		append(m, 8);
		append_payload(m);
	}
	store16(p + 4, (uint32_t)(m->p + m->len - p) - 40);
	if (is_seldom(m, 16))
		store16(p + 4, arg(m, 2) ? arg(m, 128) : 0);
}

/* Tags: mostly one that is granted, or none if that is. */
static uint32_t
add_tags(struct maker *m)
{
	static const uint16_t tpids[] = {0x8100, 0x8100, 0x88a8, 0x9100,
					 0x9200};
	const struct vnet_grant *g = m->g;
	uint32_t vid = 0, ntags = 0;
	uint8_t *p;

	if (g->nvlans) {
		const struct vnet_vlan_range *of = &g->vlans[arg(m, g->nvlans)];

		vid = of->first + arg(m, of->last - of->first + 1u);
	}
	if (is_seldom(m, 16))
		vid = (vid + 4095 + 2 * arg(m, 2)) % 4096;
	if (is_seldom(m, 64))
		vid = arg(m, 4096);
	if (vid || is_seldom(m, 16)) {
		p = append(m, 4);
		store16(p, 0x8100);
		store16(p + 2, arg(m, 16) << 12 | vid);
		ntags++;
	}
	while (ntags < 3 && is_seldom(m, 32)) {
		p = append(m, 4);
		store16(p, TAPE_ONE_OF(m->t, tpids));
		store16(p + 2, arg(m, 0x10000));
		ntags++;
	}
	return ntags;
}

static void
add_content(struct maker *m)
{
	static const uint16_t types[] = {
		0x0806, 0x0806, 0x0806, 0x0800, 0x0800, 0x0800, 0x0800, 0x0800,
		0x86dd, 0x86dd, 0x86dd, 0x86dd, 0x86dd, 0x86dd, 0x88b5, 0x0026,
	};
	uint32_t type = TAPE_ONE_OF(m->t, types);

	if (type == 0x88b5 && m->g->nethertypes && !is_seldom(m, 4))
		type = m->g->ethertypes[arg(m, m->g->nethertypes)];
	else if (type == 0x88b5)
		type = pick_ethertype(m->t);
	if (type == 0x0026 && arg(m, 2))
		type = arg(m, 0x602);
	if (is_seldom(m, 64))
		type = arg(m, 0x10000);
	store16(append(m, 2), type);
	m->at = m->len;
	switch (type) {
	case 0x0806:
		add_arp(m);
		break;
	case 0x0800:
		add_ipv4(m);
		break;
	case 0x86dd:
		add_ipv6(m);
		break;
	default:
		append_payload(m);
		append_payload(m);
		if (type < 0x600 && m->len - m->at >= 2 && !is_seldom(m, 3)) {
			static const uint16_t saps[] = {0xaaaa, 0x4242, 0xaaab,
							0xe0e0};

			store16(m->p + m->at, TAPE_ONE_OF(m->t, saps));
		}
	}
}

/* Somewhere it is not what it says. */
static void
deviate(struct maker *m)
{
	uint32_t at;

	switch (arg(m, 6)) {
	case 0:
		turn_bit(m, m->p, 8 * m->len);
		break;
	case 1:
		m->p[arg(m, m->len)] = (uint8_t)arg(m, 256);
		break;
	case 2:
		at = arg(m, m->len - 1);
		store16(m->p + at, arg(m, 0x10000));
		break;
	case 3: /* in the header behind the type */
		at = m->at + arg(m, 40);
		if (at < m->len)
			m->p[at] = (uint8_t)arg(m, 256);
		break;
	default:
		m->len = arg(m, m->len + 1);
		break;
	}
}

struct vnet_frame
grants_frame(struct tape *t, const struct vnet_grant *g, enum vnet_side side,
	     uint8_t *buf)
{
	struct maker m = {.t = t, .g = g, .p = buf, .len = 12};
	struct vnet_frame f = {.data = buf};
	uint32_t ntags, n;

	if (side == VNET_INGRESS)
		put_mac(&m, buf + 6);
	else
		fill(t, buf + 6, 6);
	put_destination(&m, side);
	ntags = add_tags(&m);
	add_content(&m);
	for (n = tape_seldom(t, 3) ? 1 + tape_argument(t, 2) : 0; n; n--)
		if (m.len > 1)
			deviate(&m);

	/* Tags go out of band as they are. */
	n = tape_argument(t, 2) ? ntags : 0;
	if (n > VNET_MAX_TAGS)
		n = VNET_MAX_TAGS;
	while (n && m.len < VNET_ETH_HEADER_LEN + 4 * n)
		n--;
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *p = buf + 12 + 4 * i;

		f.tag[i].tpid = (uint16_t)(p[0] << 8 | p[1]);
		f.tag[i].tci = (uint16_t)(p[2] << 8 | p[3]);
	}
	if (n)
		memmove(buf + 12, buf + 12 + 4 * n, m.len - 12 - 4 * n);
	f.ntags = (uint8_t)n;
	f.len = m.len - 4 * n;
	return f;
}
