/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small host: frames and IP packets, in and out. What they are about is in
 * host_neighbour.c (ARP, neighbour discovery), host_echo.c and tcp.c.
 */
#include <string.h>

#include "host.h"
#include "host_packet.h"

#define ETHER_HEADER 14
#define IP4_HEADER   20
#define IP6_HEADER   40

struct host_addr
host_addr4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct host_addr){.octets = {a, b, c, d}, .len = 4};
}

struct host_addr
host_addr6(const uint16_t group[8])
{
	struct host_addr addr = {.len = 16};

	for (size_t i = 0; i < 8; i++)
		put16(addr.octets + 2 * i, group[i]);
	return addr;
}

struct host_addr
host_link_local(const uint8_t mac[6])
{
	return (struct host_addr){
		.octets = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1],
			   mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]},
		.len = 16,
	};
}

bool
host_addr_equal(const struct host_addr *a, const struct host_addr *b)
{
	return a->len == b->len && !memcmp(a->octets, b->octets, a->len);
}

static bool
is_link_local(const struct host_addr *addr)
{
	return addr->len == 16 && addr->octets[0] == 0xfe &&
	       (addr->octets[1] & 0xc0) == 0x80;
}

static bool
is_group(const struct host_addr *addr)
{
	return addr->len == 16 && addr->octets[0] == 0xff;
}

struct host_own *
host_own(struct host *h, const struct host_addr *addr)
{
	for (size_t i = 0; i < HOST_ADDRS; i++)
		if (h->own[i].state != HOST_NONE &&
		    host_addr_equal(&h->own[i].addr, addr))
			return &h->own[i];
	return NULL;
}

const struct host_addr *
host_source(const struct host *h, const struct host_addr *addr)
{
	const struct host_own *own = &h->own[HOST_IP4];

	if (addr->len == 16) {
		own = &h->own[HOST_IP6];
		if (is_link_local(addr) || own->state != HOST_USABLE)
			own = &h->own[HOST_IP6_LINK];
	}
	return own->state == HOST_USABLE ? &own->addr : NULL;
}

/* The sum of 16-bit words, folded; an odd last octet is the high one. */
static uint32_t
sum(uint32_t total, const uint8_t *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		total += get16(p);
	if (len)
		total += (uint32_t)p[0] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

/* Of a packet's payload; ICMP alone has no pseudo-header. 0xffff is right where
 * the checksum is in it. */
static uint16_t
sum_payload(const struct host_addr *src, const struct host_addr *dst,
	    uint8_t protocol, const uint8_t *p, size_t len)
{
	uint32_t total = 0;

	if (protocol != PROTOCOL_ICMP) {
		total = sum(total, src->octets, src->len);
		total = sum(total, dst->octets, dst->len);
		total += protocol;
		total += (uint32_t)len;
	}
	return (uint16_t)sum(total, p, len);
}

void
host_transmit_frame(struct host *h, const uint8_t dst[6], uint16_t type,
		    size_t len)
{
	memcpy(h->frame, dst, 6);
	memcpy(h->frame + 6, h->mac, 6);
	put16(h->frame + 12, type);
	h->counts.out++;
	h->send(h->ctx, h->frame, len);
}

uint8_t *
host_payload(struct host *h, const struct host_addr *addr)
{
	return h->frame + ETHER_HEADER +
	       (addr->len == 4 ? IP4_HEADER : IP6_HEADER);
}

static void
make_ip4(uint8_t *p, const struct host_out *out)
{
	memset(p, 0, IP4_HEADER);
	p[0] = 0x45;
	put16(p + 2, (uint16_t)(IP4_HEADER + out->len));
	p[6] = 0x40; /* not to be fragmented */
	p[8] = out->hop_limit;
	p[9] = out->protocol;
	memcpy(p + 12, out->src.octets, 4);
	memcpy(p + 16, out->dst.octets, 4);
	put16(p + 10, (uint16_t)~sum(0, p, IP4_HEADER));
}

static void
make_ip6(uint8_t *p, const struct host_out *out)
{
	put32(p, 0x60000000);
	put16(p + 4, (uint16_t)out->len);
	p[6] = out->protocol;
	p[7] = out->hop_limit;
	memcpy(p + 8, out->src.octets, 16);
	memcpy(p + 24, out->dst.octets, 16);
}

void
host_transmit(struct host *h, const struct host_out *out, host_msec now)
{
	uint8_t *payload = host_payload(h, &out->dst);
	size_t len = (size_t)(payload - h->frame) + out->len;
	uint8_t group[6] = {0x33, 0x33};
	const uint8_t *mac = group;
	uint16_t checksum;

	put16(payload + out->checksum_at, 0);
	checksum = (uint16_t)~sum_payload(&out->src, &out->dst, out->protocol,
					  payload, out->len);
	put16(payload + out->checksum_at, checksum);
	if (is_group(&out->dst)) {
		memcpy(group + 2, out->dst.octets + 12, 4);
	} else {
		/* This may send a question, from the same memory. */
		uint8_t kept[HOST_FRAME_MAX];

		memcpy(kept, h->frame, len);
		mac = host_resolve(h, &out->dst, now);
		if (!mac) {
			h->counts.unresolved++;
			return;
		}
		memcpy(h->frame, kept, len);
	}
	if (out->dst.len == 4)
		make_ip4(h->frame + ETHER_HEADER, out);
	else
		make_ip6(h->frame + ETHER_HEADER, out);
	host_transmit_frame(
		h, mac, out->dst.len == 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6, len);
}

/* Give it to what speaks its protocol. */
static void
dispatch(struct host *h, const struct host_packet *p, host_msec now)
{
	const struct host_own *own = host_own(h, &p->dst);

	/* A group that we are not in cannot be told from others here: whoever
	 * knows its protocol can. */
	if (!own && !is_group(&p->dst)) {
		h->counts.foreign++;
		return;
	}
	if (sum_payload(&p->src, &p->dst, p->protocol, p->data, p->len) !=
	    0xffff) {
		h->counts.checksums++;
		return;
	}
	if (p->protocol ==
	    (p->dst.len == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6)) {
		if (p->len < 8)
			h->counts.malformed++;
		else if (p->dst.len == 16 && p->data[0] >= 133)
			host_nd_input(h, p, now);
		else if (own && own->state == HOST_USABLE)
			host_echo_input(h, p, now);
	} else if (h->input && own && own->state == HOST_USABLE) {
		h->input(h->input_ctx, p, now);
	}
}

/* Only these have a checksum that dispatch() knows. */
static bool
is_spoken(const struct host *h, const struct host_packet *p)
{
	if (p->protocol == PROTOCOL_TCP)
		return h->input;
	return p->protocol ==
	       (p->dst.len == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
}

static void
input_ip4(struct host *h, const uint8_t *frame, size_t len, host_msec now)
{
	const uint8_t *ip = frame + ETHER_HEADER;
	struct host_packet p = {.src.len = 4, .dst.len = 4, .mac = frame + 6};
	size_t header, total;

	len -= ETHER_HEADER;
	if (len < IP4_HEADER)
		goto malformed;
	header = (size_t)(ip[0] & 0xf) * 4;
	total = get16(ip + 2);
	/* Neither more nor later fragments. */
	if (ip[0] >> 4 != 4 || header < IP4_HEADER || total < header ||
	    total > len || (get16(ip + 6) & 0x3fff))
		goto malformed;
	if (sum(0, ip, header) != 0xffff) {
		h->counts.checksums++;
		return;
	}
	memcpy(p.src.octets, ip + 12, 4);
	memcpy(p.dst.octets, ip + 16, 4);
	p.hop_limit = ip[8];
	p.protocol = ip[9];
	p.data = ip + header;
	p.len = total - header;
	if (!is_spoken(h, &p))
		h->counts.unknown++;
	else
		dispatch(h, &p, now);
	return;

malformed:
	h->counts.malformed++;
}

static void
input_ip6(struct host *h, const uint8_t *frame, size_t len, host_msec now)
{
	const uint8_t *ip = frame + ETHER_HEADER;
	struct host_packet p = {.src.len = 16, .dst.len = 16, .mac = frame + 6};

	len -= ETHER_HEADER;
	if (len < IP6_HEADER || ip[0] >> 4 != 6 ||
	    get16(ip + 4) > len - IP6_HEADER) {
		h->counts.malformed++;
		return;
	}
	memcpy(p.src.octets, ip + 8, 16);
	memcpy(p.dst.octets, ip + 24, 16);
	p.protocol = ip[6];
	p.hop_limit = ip[7];
	p.data = ip + IP6_HEADER;
	p.len = get16(ip + 4);
	if (!is_spoken(h, &p))
		h->counts.unknown++;
	else
		dispatch(h, &p, now);
}

void
host_input(struct host *h, const uint8_t *frame, size_t len, host_msec now)
{
	h->counts.in++;
	if (len < ETHER_HEADER) {
		h->counts.malformed++;
		return;
	}
	if (!memcmp(frame + 6, h->mac, 6))
		h->counts.from_us++;
	if (frame[0] & 1) {
		h->counts.groups++;
	} else if (memcmp(frame, h->mac, 6) != 0) {
		h->counts.strangers++;
		return;
	} else {
		h->counts.ours++;
	}
	switch (get16(frame + 12)) {
	case ETHERTYPE_ARP:
		host_arp_input(h, frame, len, now);
		break;
	case ETHERTYPE_IP4:
		input_ip4(h, frame, len, now);
		break;
	case ETHERTYPE_IP6:
		input_ip6(h, frame, len, now);
		break;
	default:
		h->counts.unknown++;
		break;
	}
}

void
host_init(struct host *h, const struct host_config *config, host_msec now)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->mac, config->mac, 6);
	h->send = config->send;
	h->ctx = config->ctx;
	put32(h->nonce, host_mix(config->seed + 1));
	put16(h->nonce + 4, get16(h->mac + 4));
	if (config->ip4.len) {
		h->own[HOST_IP4].addr = config->ip4;
		h->own[HOST_IP4].state = HOST_USABLE;
		h->own[HOST_IP4].since = now;
		host_announce(h);
	}
	if (config->no_ip6)
		return;
	h->own[HOST_IP6_LINK].addr = host_link_local(h->mac);
	host_probe(h, &h->own[HOST_IP6_LINK], now);
	if (config->ip6.len) {
		h->own[HOST_IP6].addr = config->ip6;
		host_probe(h, &h->own[HOST_IP6], now);
	}
}

bool
host_is_ready(const struct host *h)
{
	for (size_t i = 0; i < HOST_ADDRS; i++)
		if (h->own[i].state == HOST_TENTATIVE ||
		    h->own[i].state == HOST_DUPLICATE)
			return false;
	return true;
}

void
host_tick(struct host *h, host_msec now)
{
	host_neighbours_tick(h, now);
	host_echo_tick(h, now);
}
