/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the small host (host.h) and TCP share: reading and making
 * packets.
 */
#ifndef VNET_TEST_HOST_PACKET_H
#define VNET_TEST_HOST_PACKET_H

#include "host.h"

#define ETHERTYPE_IP4   0x0800
#define ETHERTYPE_ARP   0x0806
#define ETHERTYPE_IP6   0x86dd

#define PROTOCOL_ICMP   1
#define PROTOCOL_TCP    6
#define PROTOCOL_ICMPV6 58

static inline uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline void
put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void
put32(uint8_t *p, uint32_t value)
{
	put16(p, (uint16_t)(value >> 16));
	put16(p + 2, (uint16_t)value);
}

/* Numbers without a pattern: the finalizer of MurmurHash3, which maps no two
 * numbers to one. */
static inline uint32_t
host_mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x85ebca6b;
	x ^= x >> 13;
	x *= 0xc2b2ae35;
	return x ^ x >> 16;
}

/* A packet that is to go out. */
struct host_out {
	struct host_addr src;
	struct host_addr dst;
	uint8_t protocol;
	uint8_t hop_limit;
	size_t len;         /* of what is behind the IP header */
	size_t checksum_at; /* where in that the checksum belongs */
};

/* Where what follows the IP header of a packet to @addr is to be written, in
 * the host's own memory. Good until the host sends something. */
uint8_t *host_payload(struct host *h, const struct host_addr *addr);

/* Put headers and checksums around it, and send it. */
void host_transmit(struct host *h, const struct host_out *out, host_msec now);

/* Send the host's frame, of which what is behind the Ethernet header is
 * written: @len octets in all. */
void host_transmit_frame(struct host *h, const uint8_t dst[6], uint16_t type,
			 size_t len);

/* The own address to send to @addr from; NULL if there is none. */
const struct host_addr *host_source(const struct host *h,
				    const struct host_addr *addr);

/* The address of ours that is @addr, in any state. */
struct host_own *host_own(struct host *h, const struct host_addr *addr);

/* The octets that a ping is made of. */
uint8_t host_ping_octet(uint16_t sequence, size_t i);

/* host_neighbour.c */
void host_arp_input(struct host *h, const uint8_t *frame, size_t len,
		    host_msec now);
void host_nd_input(struct host *h, const struct host_packet *p, host_msec now);
void host_probe(struct host *h, struct host_own *own, host_msec now);
void host_neighbours_tick(struct host *h, host_msec now);

/* host_echo.c */
void host_echo_input(struct host *h, const struct host_packet *p,
		     host_msec now);
void host_echo_tick(struct host *h, host_msec now);

#endif
