/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP and UDP packets, made and read without the help of the core: what a
 * stream is must not be decided by the code under test.
 */
#ifndef VNET_TEST_PACKET_H
#define VNET_TEST_PACKET_H

#include "support.h"

/* Octets of the longest packet. */
#define PACKET_MAX 32768

/* What travels, and over what. */
enum packet_kind { PACKET_TCP4, PACKET_TCP6, PACKET_UDP4, PACKET_UDP6 };
#define PACKET_KINDS 4

/* All that a driver may carry. */
#define CARRIES_ALL                                                  \
	(VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TSO6 | \
	 VNET_CARRIES_USO | VNET_CARRIES_TAGS)

/**
 * struct packet - a packet to make
 * @kind:	TCP or UDP, over IPv4 or IPv6
 * @dst:	to test_mac(@dst)
 * @src:	from test_mac(@src)
 * @payload:	octets of payload: octet i is packet_octet(i)
 * @gso_size:	octets of it in a segment; 0 leaves the whole to one packet,
 *		its checksum computed
 * @ntags:	tags that travel out of band
 * @ninner:	tags in the octets
 */
struct packet {
	enum packet_kind kind;
	unsigned int dst;
	unsigned int src;
	size_t payload;
	uint16_t gso_size;
	uint8_t ntags;
	uint8_t ninner;
};

uint8_t packet_octet(size_t i);

/* Make it at @buf, which has room for PACKET_MAX octets. */
struct vnet_frame packet_make(uint8_t *buf, const struct packet *p);

/* Octets before the payload, out-of-band tags not among them. */
size_t packet_header_len(const struct packet *p);

/**
 * struct packet_reader - reads the packets of one kind that are delivered
 * @kind:	what they are to be
 * @carries:	what the one that they are delivered to carries
 * @ntags:	tags that each is to have, in all, in the octets or out of band
 * @next:	octets of payload read: of TCP, what comes next
 * @segments:	packets read, where one to be cut counts as what it is cut into
 * @datagrams:	hash of the limits of these
 * @fin:	FINs read
 */
struct packet_reader {
	enum packet_kind kind;
	uint32_t carries;
	unsigned int ntags;
	size_t next;
	unsigned long segments;
	uint64_t datagrams;
	unsigned long fin;
};

/* Read one. Fails the test if it asks for what is not carried, if its headers,
 * checksums or fields are wrong, or if it is not what comes next. */
void packet_read(struct packet_reader *r, const struct vnet_frame *f);

#endif
