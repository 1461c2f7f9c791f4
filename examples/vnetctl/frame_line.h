/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame on one line, after tcpdump -e. */
#ifndef FRAME_LINE_H
#define FRAME_LINE_H

#include <stdint.h>

/* Octets that these need at the most, with NUL. */
#define FRAME_MAC_SIZE     18
#define FRAME_SUMMARY_SIZE 512

/**
 * struct frame_line - the line, in parts
 * @source:	"02:00:00:00:00:01"; both are empty if less is there of the
 *		frame than an Ethernet header
 * @ethertype:	behind the tags that are there; 0 if it has none (IEEE 802.3)
 * @summary:	"vlan 5, IPv4, 60: 10.0.0.1.80 > 10.0.0.2.4711: TCP [S.]",
 *		all that is printable
 */
struct frame_line {
	char source[FRAME_MAC_SIZE];
	char destination[FRAME_MAC_SIZE];
	uint16_t ethertype;
	char summary[FRAME_SUMMARY_SIZE];
};

/* Of @len octets @kept are there, of any content. */
void frame_line_read(struct frame_line *parts, const uint8_t *data,
		     uint32_t kept, uint32_t len);

#endif
