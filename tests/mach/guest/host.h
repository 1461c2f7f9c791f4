/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small host for tests: ARP, IPv6 neighbour discovery and echo, above a
 * medium that takes and gives whole Ethernet frames. tcp.h puts a connection on
 * top. Freestanding, in the caller's memory, with the caller's clock.
 *
 * Nothing is queued: a packet for a neighbour whose address is not known asks
 * for it and is lost. What wants an answer (a ping, TCP) asks again.
 *
 * Everything is on-link: there are no routers, and no fragments.
 */
#ifndef VNET_TEST_HOST_H
#define VNET_TEST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_FRAME_MAX  1514
#define HOST_NEIGHBOURS 8

typedef uint64_t host_msec;

/**
 * struct host_addr - an IP address
 * @octets:	it, in network order; what is behind @len is 0
 * @len:	4 or 16; 0 for none
 */
struct host_addr {
	uint8_t octets[16];
	uint8_t len;
};

struct host_addr host_addr4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

/* Of eight groups. */
struct host_addr host_addr6(const uint16_t group[8]);

/* fe80::, made of the MAC address. */
struct host_addr host_link_local(const uint8_t mac[6]);

bool host_addr_equal(const struct host_addr *a, const struct host_addr *b);

/* What an own address is good for. One that somebody else was found to have is
 * given up. */
enum host_state { HOST_NONE, HOST_TENTATIVE, HOST_USABLE, HOST_DUPLICATE };

/* Which own address. */
enum host_which { HOST_IP4, HOST_IP6_LINK, HOST_IP6 };
#define HOST_ADDRS 3

/**
 * struct host_own - an address of ours
 * @addr:	it
 * @state:	of an IPv6 address, see RFC 4862; an IPv4 address is used at once
 * @since:	when it was probed or announced
 */
struct host_own {
	struct host_addr addr;
	enum host_state state;
	host_msec since;
};

/**
 * struct host_neighbour - whose MAC address is known, or has been asked for
 * @asked:	when, last
 */
struct host_neighbour {
	struct host_addr addr;
	uint8_t mac[6];
	bool is_known;
	host_msec asked;
};

/**
 * struct host_ping - an echo that is asked for until it is answered
 * @sent:	when, last
 * @len:	octets of its content
 * @requests:	requests sent, those not resolved included
 * @replies:	answers with the right number and content
 */
struct host_ping {
	struct host_addr addr;
	host_msec sent;
	uint16_t sequence;
	uint16_t len;
	bool is_waiting;
	unsigned long requests;
	unsigned long replies;
};

/**
 * struct host_counts - what came in, and what went out
 * @in:		frames
 * @ours:	to our MAC address
 * @groups:	to a group or to all
 * @strangers:	to the MAC address of somebody else: in a host that asked for
 *		nothing else, there are none
 * @from_us:	with our MAC address as their source
 * @foreign:	to our MAC address, but not to our IP address
 * @malformed:	a length, version or field is wrong, or it was cut short
 * @checksums:	wrong
 * @unknown:	protocols that nobody here speaks
 * @conflicts:	signs that somebody else has an address of ours
 * @echoes:	requests answered
 * @out:	frames sent
 * @unresolved:	packets lost for want of a MAC address
 */
struct host_counts {
	unsigned long in;
	unsigned long ours;
	unsigned long groups;
	unsigned long strangers;
	unsigned long from_us;
	unsigned long foreign;
	unsigned long malformed;
	unsigned long checksums;
	unsigned long unknown;
	unsigned long conflicts;
	unsigned long echoes;
	unsigned long out;
	unsigned long unresolved;
};

/**
 * struct host_packet - an IP packet to one of our addresses
 * @data:	what is behind the IP header, @len octets
 * @hop_limit:	or time to live
 */
struct host_packet {
	struct host_addr src;
	struct host_addr dst;
	const uint8_t *mac; /* of the frame's source */
	const uint8_t *data;
	size_t len;
	uint8_t protocol;
	uint8_t hop_limit;
};

/**
 * struct host_config - how it is to be
 * @ip4:	none if it is empty
 * @ip6:	beside the link-local address; none if it is empty
 * @no_ip6:	not even a link-local address
 * @send:	takes a frame, or loses it. Must not call the host.
 * @seed:	of what tells our own probes from those of others; differs from
 *		host to host
 */
struct host_config {
	uint8_t mac[6];
	struct host_addr ip4;
	struct host_addr ip6;
	bool no_ip6;
	void (*send)(void *ctx, const uint8_t *frame, size_t len);
	void *ctx;
	uint32_t seed;
};

/**
 * struct host - all of it
 * @input:	takes the TCP segments, if not NULL
 * @frame:	the frame being made
 */
struct host {
	uint8_t mac[6];
	struct host_own own[HOST_ADDRS];
	struct host_neighbour neighbours[HOST_NEIGHBOURS];
	struct host_ping ping;
	struct host_counts counts;
	void (*send)(void *ctx, const uint8_t *frame, size_t len);
	void *ctx;
	void (*input)(void *ctx, const struct host_packet *p, host_msec now);
	void *input_ctx;
	uint8_t nonce[6];
	uint8_t frame[HOST_FRAME_MAX];
};

/* Begins to probe for, and to announce, its addresses. */
void host_init(struct host *h, const struct host_config *config, host_msec now);

/* A frame that the medium gives it: any octets. */
void host_input(struct host *h, const uint8_t *frame, size_t len,
		host_msec now);

/* To be called every 10 ms or so. */
void host_tick(struct host *h, host_msec now);

/* Are all its addresses usable? Duplicates are not. */
bool host_is_ready(const struct host *h);

/* The MAC address of a neighbour; NULL if it is not known yet, then it has been
 * asked for (but not more often than all 200 ms). */
const uint8_t *host_resolve(struct host *h, const struct host_addr *addr,
			    host_msec now);

/* Ask for one echo of @len octets (at most 1400), every 200 ms, until it comes
 * or another is asked for: see host_ping. */
void host_ping(struct host *h, const struct host_addr *addr, size_t len,
	       host_msec now);

/* Tell all what our IPv4 address is. */
void host_announce(struct host *h);

#endif
