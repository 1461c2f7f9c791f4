/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads pcapng (draft-ietf-opsawg-pcapng) as vnet-switch writes it: one section
 * in the byte order of the machine, one interface of Ethernet. What is not
 * known is skipped, what cannot be is refused.
 */
#ifndef PCAPNG_READER_H
#define PCAPNG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* Octets of a block at the most: a packet of 256 KiB, and options. */
#define PCAPNG_BLOCK_MAX (((size_t)256 << 10) + 4096)

/* Begins as all zero. */
struct pcapng_reader {
	bool has_section;
	bool has_interface;
	uint64_t ticks_per_s;
};

enum pcapng_kind {
	PCAPNG_NOTHING, /* not all of a block is there yet */
	PCAPNG_FRAME,
	PCAPNG_STATISTICS,
	PCAPNG_OTHER,
};

/**
 * struct pcapng_block - what has been read
 * @len:	of all of the block
 * @data:	PCAPNG_FRAME: its octets, @kept of @frame_len
 * @time:	PCAPNG_FRAME: nanoseconds since 1970
 * @direction:	PCAPNG_FRAME: 'i', 'o', or '?'
 * @lost:	PCAPNG_FRAME: frames lost since the one before;
 *		PCAPNG_STATISTICS: all of them
 */
struct pcapng_block {
	enum pcapng_kind kind;
	size_t len;
	const uint8_t *data;
	uint32_t kept;
	uint32_t frame_len;
	uint64_t time;
	char direction;
	uint64_t lost;
};

/* The block that begins at @data. */
enum status pcapng_read(struct pcapng_reader *reader, const uint8_t *data,
			size_t len, struct pcapng_block *block,
			struct complaint *c);

#endif
