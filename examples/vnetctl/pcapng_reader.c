/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "pcapng_reader.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
};

enum {
	OPT_END = 0,
	IF_TSRESOL = 9,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	ISB_IFDROP = 5,
};

#define BYTE_ORDER_MAGIC  0x1a2b3c4du
#define LINKTYPE_ETHERNET 1
#define NS_PER_S          UINT64_C(1000000000)

/* The type and both lengths. */
#define FRAMING_LEN 12u

static uint16_t
get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The value of an option of @want octets; NULL if there is none. */
static const uint8_t *
find_option(const uint8_t *p, size_t len, uint16_t code, uint16_t want)
{
	while (len >= 4) {
		uint16_t this = get16(p);
		uint16_t option_len = get16(p + 2);
		size_t padded = ((size_t)option_len + 3) & ~(size_t)3;

		if (this == OPT_END || padded > len - 4)
			return NULL;
		if (this == code && option_len == want)
			return p + 4;
		p += 4 + padded;
		len -= 4 + padded;
	}
	return NULL;
}

static enum status
read_section(struct pcapng_reader *r, const uint8_t *body, size_t len,
	     struct complaint *c)
{
	if (len < 16 || get32(body) != BYTE_ORDER_MAGIC || get16(body + 4) != 1)
		return complain(c, FAILED,
				"the capture is not pcapng 1 of this machine");
	if (r->has_section)
		return complain(c, FAILED, "the capture has a second section");
	r->has_section = true;
	return DONE;
}

static enum status
read_interface(struct pcapng_reader *r, const uint8_t *body, size_t len,
	       struct complaint *c)
{
	const uint8_t *resolution;

	if (len < 8 || get16(body) != LINKTYPE_ETHERNET || r->has_interface)
		return complain(c, FAILED,
				"the capture is not of one Ethernet");
	r->has_interface = true;
	r->ticks_per_s = 1000000;
	resolution = find_option(body + 8, len - 8, IF_TSRESOL, 1);
	if (!resolution)
		return DONE;
	if (*resolution > 9)
		return complain(c, FAILED,
				"the capture has times of 10^-%u s, expected "
				"at most 9",
				*resolution);
	r->ticks_per_s = 1;
	for (unsigned int i = 0; i < *resolution; i++)
		r->ticks_per_s *= 10;
	return DONE;
}

static enum status
read_packet(const struct pcapng_reader *r, const uint8_t *body, size_t len,
	    struct pcapng_block *b, struct complaint *c)
{
	const uint8_t *flags;
	const uint8_t *lost;
	uint64_t ticks;
	size_t padded;

	if (!r->has_interface || len < 20 || get32(body) != 0)
		return complain(c, FAILED,
				"the capture has a frame of no interface");
	b->kept = get32(body + 12);
	b->frame_len = get32(body + 16);
	padded = ((size_t)b->kept + 3) & ~(size_t)3;
	if (padded > len - 20)
		return complain(c, FAILED,
				"the capture has a frame of %" PRIu32
				" octets in a block with room for %zu",
				b->kept, len - 20);
	b->kind = PCAPNG_FRAME;
	b->data = body + 20;
	ticks = (uint64_t)get32(body + 4) << 32 | get32(body + 8);
	b->time = ticks / r->ticks_per_s * NS_PER_S +
		  ticks % r->ticks_per_s * (NS_PER_S / r->ticks_per_s);
	body += 20 + padded;
	len -= 20 + padded;
	flags = find_option(body, len, EPB_FLAGS, 4);
	b->direction = '?';
	if (flags && (get32(flags) & 3) == 1)
		b->direction = 'i';
	if (flags && (get32(flags) & 3) == 2)
		b->direction = 'o';
	lost = find_option(body, len, EPB_DROPCOUNT, 8);
	b->lost = lost ? get64(lost) : 0;
	return DONE;
}

static enum status
read_statistics(const uint8_t *body, size_t len, struct pcapng_block *b)
{
	const uint8_t *lost =
		len < 12 ? NULL
			 : find_option(body + 12, len - 12, ISB_IFDROP, 8);

	if (lost) {
		b->kind = PCAPNG_STATISTICS;
		b->lost = get64(lost);
	}
	return DONE;
}

static enum status
check_framing(const uint8_t *data, size_t len, struct complaint *c)
{
	uint32_t block_len = get32(data + 4);

	if (block_len < FRAMING_LEN || block_len > PCAPNG_BLOCK_MAX ||
	    block_len % 4)
		return complain(c, FAILED,
				"the capture has a block of %" PRIu32
				" octets, expected 12 to %zu, in fours",
				block_len, PCAPNG_BLOCK_MAX);
	if (len >= block_len && get32(data + block_len - 4) != block_len)
		return complain(c, FAILED,
				"the capture has a block that begins with "
				"%" PRIu32 " octets and ends with %" PRIu32,
				block_len, get32(data + block_len - 4));
	return DONE;
}

enum status
pcapng_read(struct pcapng_reader *reader, const uint8_t *data, size_t len,
	    struct pcapng_block *block, struct complaint *c)
{
	const uint8_t *body = data + 8;
	size_t body_len;
	uint32_t type;
	enum status status;

	*block = (struct pcapng_block){.kind = PCAPNG_NOTHING};
	if (len < 8)
		return DONE;
	type = get32(data);
	/* Of another byte order, its length would be as well. */
	if (!reader->has_section && type != BLOCK_SECTION)
		return complain(c, FAILED, "the capture is not pcapng");
	if (type == BLOCK_SECTION && len < 12)
		return DONE;
	if (type == BLOCK_SECTION && get32(data + 8) != BYTE_ORDER_MAGIC)
		return complain(c, FAILED,
				"the capture is not pcapng 1 of this machine");
	status = check_framing(data, len, c);
	if (status || len < get32(data + 4))
		return status;

	block->kind = PCAPNG_OTHER;
	block->len = get32(data + 4);
	body_len = block->len - FRAMING_LEN;
	switch (type) {
	case BLOCK_SECTION:
		return read_section(reader, body, body_len, c);
	case BLOCK_INTERFACE:
		return read_interface(reader, body, body_len, c);
	case BLOCK_PACKET:
		return read_packet(reader, body, body_len, block, c);
	case BLOCK_STATISTICS:
		return read_statistics(body, body_len, block);
	default:
		return DONE;
	}
}
