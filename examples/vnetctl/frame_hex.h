/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame as digits of base 16, two an octet. */
#ifndef FRAME_HEX_H
#define FRAME_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* Octets of a frame at the most: as many as the daemon takes. */
#define FRAME_OCTETS_MAX (256 << 10)

/**
 * frame_hex_parse() - read the octets of a frame
 * @text:	digits, where blanks and colons are skipped
 * @data:	set on success, to be freed: at most FRAME_OCTETS_MAX of them,
 *		one at the least
 */
enum status frame_hex_parse(const char *text, uint8_t **data, size_t *len,
			    struct complaint *c);

/* Digits without anything between, to be freed; NULL if there is no memory. */
char *frame_hex_write(const uint8_t *data, size_t len);

#endif
