/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes pcapng (draft-ietf-opsawg-pcapng): one section, one interface of
 * Ethernet, times in nanoseconds. In the byte order of the machine, as the
 * format allows.
 */
#ifndef PCAPNG_H
#define PCAPNG_H

#include <stdint.h>

#include <event2/buffer.h>

/* Octets of a packet at the most: readers take no longer ones. */
#define PCAPNG_PACKET_MAX 262144

/* Bits 0 and 1 of epb_flags. */
enum pcapng_direction {
	PCAPNG_INBOUND = 1,
	PCAPNG_OUTBOUND = 2,
};

/**
 * struct pcapng_packet - a packet
 * @time:	nanoseconds since 1970
 * @data:	its octets, from the destination address on
 * @kept:	how many are here
 * @len:	how many were on the wire, without FCS
 * @direction:	as seen from the interface
 * @lost:	packets lost since the one before
 */
struct pcapng_packet {
	uint64_t time;
	const uint8_t *data;
	uint32_t kept;
	uint32_t len;
	enum pcapng_direction direction;
	uint64_t lost;
};

/**
 * struct pcapng_statistics - what became of an interface's packets
 * @begin, @end: nanoseconds since 1970
 * @received:	packets that were seen
 * @accepted:	of these, by the filter
 * @dropped:	of these, lost for want of room
 */
struct pcapng_statistics {
	uint64_t begin;
	uint64_t end;
	uint64_t received;
	uint64_t accepted;
	uint64_t dropped;
};

/*
 * Append to @to: the section and its interface, which come first; @filter may
 * be NULL, text of any length is cut to what fits. Then packets, then the
 * statistics. Each returns 0, or -ENOMEM with nothing appended.
 */
int pcapng_begin(struct evbuffer *to, const char *application,
		 const char *interface, const char *filter, uint32_t snaplen);
int pcapng_put_packet(struct evbuffer *to, const struct pcapng_packet *p);
int pcapng_put_statistics(struct evbuffer *to,
			  const struct pcapng_statistics *s);

#endif
