/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame on one line, after tcpdump -e. */
#ifndef FRAME_LINE_H
#define FRAME_LINE_H

#include <stddef.h>
#include <stdint.h>

/* Octets that a line needs at the most, with its end and NUL. */
#define FRAME_LINE_SIZE 512

/*
 * "02:00:00:00:00:01 > 02:00:00:00:00:02, vlan 5, IPv4, 60: 10.0.0.1.80 >
 * 10.0.0.2.4711: TCP [S.]", without an end. Of @len octets @kept are there, of
 * any content.
 */
void frame_line(char text[FRAME_LINE_SIZE], const uint8_t *data, uint32_t kept,
		uint32_t len);

#endif
