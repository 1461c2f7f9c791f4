/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has which IP address: ARP (RFC 826, 5227), neighbour discovery (RFC 4861)
 * and the probe for duplicates (RFC 4862, with the nonce of RFC 7527 that tells
 * our own probe, come back, from that of another).
 */
#include <string.h>

#include "host.h"
#include "host_packet.h"

#define ASK_AGAIN_MS              200
#define PROBE_MS                  1000

#define ARP_LEN                   42
#define ARP_REQUEST               1
#define ARP_REPLY                 2

#define ND_REDIRECT               137
#define ND_NEIGHBOUR_SOLICITATION 135
#define ND_NEIGHBOUR_ADVERT       136

#define ND_SOLICITED              0x40
#define ND_OVERRIDE               0x20

#define OPTION_SOURCE             1
#define OPTION_TARGET             2
#define OPTION_NONCE              14

/* The options of a message that we know; NULL where it has none. */
struct options {
	const uint8_t *source;
	const uint8_t *target;
	const uint8_t *nonce;
};

static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static const struct host_addr all_nodes = {
	.octets = {0xff, 2, [15] = 1},
	.len = 16,
};

static const struct host_addr unspecified = {.len = 16};

static struct host_addr
solicited_node(const struct host_addr *addr)
{
	struct host_addr group = {
		.octets = {0xff, 2, [11] = 1, [12] = 0xff},
		.len = 16,
	};

	memcpy(group.octets + 13, addr->octets + 13, 3);
	return group;
}

static struct host_neighbour *
find(struct host *h, const struct host_addr *addr)
{
	for (size_t i = 0; i < HOST_NEIGHBOURS; i++)
		if (host_addr_equal(&h->neighbours[i].addr, addr))
			return &h->neighbours[i];
	return NULL;
}

/* Takes the place of the one that was asked for the longest time ago. */
static struct host_neighbour *
find_or_add(struct host *h, const struct host_addr *addr)
{
	struct host_neighbour *n = find(h, addr);

	if (n)
		return n;
	n = &h->neighbours[0];
	for (size_t i = 1; i < HOST_NEIGHBOURS; i++)
		if (h->neighbours[i].asked < n->asked)
			n = &h->neighbours[i];
	memset(n, 0, sizeof(*n));
	n->addr = *addr;
	return n;
}

static void
learn(struct host_neighbour *n, const uint8_t mac[6])
{
	memcpy(n->mac, mac, 6);
	n->is_known = true;
}

static void
give_up(struct host *h, struct host_own *own)
{
	h->counts.conflicts++;
	own->state = HOST_DUPLICATE;
}

static void
send_arp(struct host *h, uint16_t operation, const uint8_t dst[6],
	 const uint8_t target_mac[6], const struct host_addr *target)
{
	uint8_t *p = h->frame + 14;

	put16(p, 1);
	put16(p + 2, ETHERTYPE_IP4);
	p[4] = 6;
	p[5] = 4;
	put16(p + 6, operation);
	memcpy(p + 8, h->mac, 6);
	memcpy(p + 14, h->own[HOST_IP4].addr.octets, 4);
	memcpy(p + 18, target_mac, 6);
	memcpy(p + 24, target->octets, 4);
	host_transmit_frame(h, dst, ETHERTYPE_ARP, ARP_LEN);
}

static void
ask_arp(struct host *h, const struct host_addr *addr)
{
	static const uint8_t unknown[6];

	send_arp(h, ARP_REQUEST, everyone, unknown, addr);
}

void
host_announce(struct host *h)
{
	ask_arp(h, &h->own[HOST_IP4].addr);
}

void
host_arp_input(struct host *h, const uint8_t *frame, size_t len, host_msec now)
{
	const uint8_t *p = frame + 14;
	struct host_own *own = &h->own[HOST_IP4];
	struct host_addr sender = {.len = 4};
	struct host_neighbour *n;
	bool is_to_us;

	(void)now;
	if (len < ARP_LEN || get16(p) != 1 || get16(p + 2) != ETHERTYPE_IP4 ||
	    p[4] != 6 || p[5] != 4 || (p[8] & 1)) {
		h->counts.malformed++;
		return;
	}
	if (own->state != HOST_USABLE)
		return;
	memcpy(sender.octets, p + 14, 4);
	is_to_us = !memcmp(p + 24, own->addr.octets, 4);
	if (host_addr_equal(&sender, &own->addr)) {
		if (memcmp(p + 8, h->mac, 6) != 0)
			give_up(h, own);
		return;
	}
	/* A probe is from nobody. */
	if (get32(sender.octets)) {
		n = is_to_us ? find_or_add(h, &sender) : find(h, &sender);
		if (n)
			learn(n, p + 8);
	}
	if (is_to_us && get16(p + 6) == ARP_REQUEST)
		send_arp(h, ARP_REPLY, p + 8, p + 8, &sender);
}

/* Behind the address of a message at @p: an option with our MAC address. */
static size_t
put_mac(const struct host *h, uint8_t *p, uint8_t option)
{
	p[0] = option;
	p[1] = 1;
	memcpy(p + 2, h->mac, 6);
	return 8;
}

static void
send_nd(struct host *h, const struct host_addr *src,
	const struct host_addr *dst, size_t len, host_msec now)
{
	host_transmit(h,
		      &(struct host_out){
			      .src = *src,
			      .dst = *dst,
			      .protocol = PROTOCOL_ICMPV6,
			      .hop_limit = 255,
			      .len = len,
			      .checksum_at = 2,
		      },
		      now);
}

/* From nobody, and with a nonce, if it is the probe for an own address. */
static void
solicit(struct host *h, const struct host_addr *target, bool is_probe,
	host_msec now)
{
	struct host_addr group = solicited_node(target);
	const struct host_addr *src =
		is_probe ? &unspecified : host_source(h, target);
	uint8_t *p = host_payload(h, &group);

	if (!src)
		return;
	memset(p, 0, 8);
	p[0] = ND_NEIGHBOUR_SOLICITATION;
	memcpy(p + 8, target->octets, 16);
	if (is_probe) {
		p[24] = OPTION_NONCE;
		p[25] = 1;
		memcpy(p + 26, h->nonce, 6);
	} else {
		put_mac(h, p + 24, OPTION_SOURCE);
	}
	send_nd(h, src, &group, 32, now);
}

static void
advertise(struct host *h, const struct host_own *own,
	  const struct host_addr *asker, host_msec now)
{
	const bool is_probe = host_addr_equal(asker, &unspecified);
	const struct host_addr *dst = is_probe ? &all_nodes : asker;
	uint8_t *p = host_payload(h, dst);

	memset(p, 0, 8);
	p[0] = ND_NEIGHBOUR_ADVERT;
	p[4] = is_probe ? ND_OVERRIDE : ND_SOLICITED | ND_OVERRIDE;
	memcpy(p + 8, own->addr.octets, 16);
	put_mac(h, p + 24, OPTION_TARGET);
	send_nd(h, &own->addr, dst, 32, now);
}

static bool
parse_options(const uint8_t *p, size_t len, struct options *found)
{
	memset(found, 0, sizeof(*found));
	while (len) {
		size_t n = len < 8 ? 0 : (size_t)p[1] * 8;

		if (!n || n > len)
			return false;
		if (p[0] == OPTION_SOURCE)
			found->source = p + 2;
		else if (p[0] == OPTION_TARGET)
			found->target = p + 2;
		else if (p[0] == OPTION_NONCE)
			found->nonce = p + 2;
		p += n;
		len -= n;
	}
	return true;
}

static void
solicited(struct host *h, const struct host_packet *p, struct host_own *own,
	  const struct options *options, host_msec now)
{
	const bool is_probe = host_addr_equal(&p->src, &unspecified);

	if (!own)
		return;
	if (own->state == HOST_TENTATIVE) {
		/* Somebody who merely looks for us is not answered yet. */
		if (is_probe &&
		    !(options->nonce && !memcmp(options->nonce, h->nonce, 6)))
			give_up(h, own);
		return;
	}
	if (own->state != HOST_USABLE)
		return;
	if (is_probe && options->nonce && !memcmp(options->nonce, h->nonce, 6))
		return; /* ours, and very late */
	if (!is_probe && options->source)
		learn(find_or_add(h, &p->src), options->source);
	advertise(h, own, &p->src, now);
}

static void
advertised(struct host *h, const struct host_addr *target, struct host_own *own,
	   const struct options *options)
{
	struct host_neighbour *n;

	if (own) {
		/* Ours would carry our MAC address. */
		if (own->state == HOST_TENTATIVE ||
		    (own->state == HOST_USABLE && options->target &&
		     memcmp(options->target, h->mac, 6) != 0))
			give_up(h, own);
		return;
	}
	n = find(h, target);
	if (n && options->target)
		learn(n, options->target);
}

void
host_nd_input(struct host *h, const struct host_packet *p, host_msec now)
{
	const uint8_t type = p->data[0];
	struct host_addr target = {.len = 16};
	struct options options;

	if (type > ND_REDIRECT)
		return; /* MLD and others that are no business of ours */
	if (type != ND_NEIGHBOUR_SOLICITATION && type != ND_NEIGHBOUR_ADVERT)
		return; /* of routers */
	if (p->hop_limit != 255 || p->data[1] != 0 || p->len < 24 ||
	    p->data[8] == 0xff ||
	    !parse_options(p->data + 24, p->len - 24, &options)) {
		h->counts.malformed++;
		return;
	}
	memcpy(target.octets, p->data + 8, 16);
	if (type == ND_NEIGHBOUR_SOLICITATION)
		solicited(h, p, host_own(h, &target), &options, now);
	else
		advertised(h, &target, host_own(h, &target), &options);
}

void
host_probe(struct host *h, struct host_own *own, host_msec now)
{
	own->state = HOST_TENTATIVE;
	own->since = now;
	solicit(h, &own->addr, true, now);
}

const uint8_t *
host_resolve(struct host *h, const struct host_addr *addr, host_msec now)
{
	struct host_neighbour *n = find_or_add(h, addr);

	if (n->is_known) {
		n->asked = now;
		return n->mac;
	}
	if (n->asked && now - n->asked < ASK_AGAIN_MS)
		return NULL;
	n->asked = now ? now : 1;
	if (addr->len == 16)
		solicit(h, addr, false, now);
	else if (h->own[HOST_IP4].state == HOST_USABLE)
		ask_arp(h, addr);
	return NULL;
}

void
host_neighbours_tick(struct host *h, host_msec now)
{
	for (size_t i = 0; i < HOST_ADDRS; i++) {
		struct host_own *own = &h->own[i];

		if (own->state == HOST_TENTATIVE &&
		    now - own->since >= PROBE_MS)
			own->state = HOST_USABLE;
	}
}
