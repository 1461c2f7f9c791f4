/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads pcapng block by block, by what its specification says alone. */
#ifndef PCAPNG_READER_H
#define PCAPNG_READER_H

#include "support.h"

enum {
	PCAPNG_SECTION = 0x0a0d0d0a,
	PCAPNG_INTERFACE = 1,
	PCAPNG_STATISTICS = 5,
	PCAPNG_PACKET = 6,
};

/**
 * struct pcapng_block - a block
 * @type:	PCAPNG_*
 * @body:	behind type and length
 * @options:	behind what each block of its type has
 * @end:	of these
 * @data:	of a packet, @kept octets; @len were on the wire
 * @time:	of a packet, or of statistics
 */
struct pcapng_block {
	uint32_t type;
	const uint8_t *body;
	const uint8_t *options;
	const uint8_t *end;
	const uint8_t *data;
	uint32_t kept;
	uint32_t len;
	uint64_t time;
};

/* Read the block at @*at. Returns false if it is not whole by @end. Fails the
 * test if it is wrong. */
bool pcapng_next(const uint8_t **at, const uint8_t *end,
		 struct pcapng_block *b);

/* An option of it, @len octets; NULL if there is none. */
const uint8_t *pcapng_option(const struct pcapng_block *b, uint16_t code,
			     uint16_t *len);

/* One that is a number of 4 or 8 octets; 0 if there is none. */
uint64_t pcapng_number(const struct pcapng_block *b, uint16_t code);

#endif
