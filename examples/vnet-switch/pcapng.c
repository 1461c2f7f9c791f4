/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block is a type, its length, a body, options, and its length again. All of
 * it is made in one piece of the buffer; its length is known beforehand.
 */
#include <errno.h>
#include <string.h>

#include "pcapng.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
};

#define BYTE_ORDER_MAGIC  0x1a2b3c4du
#define LINKTYPE_ETHERNET 1

enum {
	OPT_END = 0,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
	ISB_FILTERACCEPT = 6,
};

/* Octets of the text of an option: its length has 16 bits. */
#define TEXT_MAX 65000u

/* The type and both lengths. */
#define FRAMING_LEN 12u

/* Codes and lengths. */
#define OPTION_LEN 4u

struct block {
	struct evbuffer_iovec room;
	uint8_t *at;
};

static uint32_t
pad(uint32_t len)
{
	return (len + 3) & ~3u;
}

static void
put(struct block *b, const void *p, uint32_t len)
{
	if (len)
		memcpy(b->at, p, len);
	memset(b->at + len, 0, pad(len) - len);
	b->at += pad(len);
}

static void
put16(struct block *b, uint16_t first, uint16_t second)
{
	const uint16_t pair[] = {first, second};

	put(b, pair, sizeof(pair));
}

static void
put32(struct block *b, uint32_t v)
{
	put(b, &v, sizeof(v));
}

/* A time has its upper half first, whatever the byte order. */
static void
put_time(struct block *b, uint64_t t)
{
	put32(b, (uint32_t)(t >> 32));
	put32(b, (uint32_t)t);
}

static void
put_option(struct block *b, uint16_t code, const void *p, uint32_t len)
{
	put16(b, code, (uint16_t)len);
	put(b, p, len);
}

static void
put_count(struct block *b, uint16_t code, uint64_t n)
{
	put_option(b, code, &n, sizeof(n));
}

/* @len: of the body and its options. */
static int
begin_block(struct evbuffer *to, struct block *b, uint32_t type, uint32_t len)
{
	uint32_t whole = len + FRAMING_LEN;

	if (evbuffer_reserve_space(to, whole, &b->room, 1) != 1)
		return -ENOMEM;
	b->at = b->room.iov_base;
	b->room.iov_len = whole;
	put32(b, type);
	put32(b, whole);
	return 0;
}

static int
end_block(struct evbuffer *to, struct block *b)
{
	put32(b, (uint32_t)b->room.iov_len);
	return evbuffer_commit_space(to, &b->room, 1) < 0 ? -ENOMEM : 0;
}

static uint32_t
text_len(const char *text)
{
	size_t len = strlen(text);

	return len < TEXT_MAX ? (uint32_t)len : TEXT_MAX;
}

static int
put_section(struct evbuffer *to, const char *application)
{
	const uint64_t unknown_len = UINT64_MAX;
	uint32_t len = text_len(application);
	struct block b;
	int r = begin_block(to, &b, BLOCK_SECTION,
			    16 + OPTION_LEN + pad(len) + OPTION_LEN);

	if (r)
		return r;
	put32(&b, BYTE_ORDER_MAGIC);
	put16(&b, 1, 0);
	put(&b, &unknown_len, sizeof(unknown_len));
	put_option(&b, SHB_USERAPPL, application, len);
	put_option(&b, OPT_END, NULL, 0);
	return end_block(to, &b);
}

/* A filter's option begins with an octet that says its kind: 0 is text of
 * libpcap. */
static void
put_filter(struct block *b, const char *filter, uint32_t len)
{
	put16(b, IF_FILTER, (uint16_t)(1 + len));
	*b->at++ = 0;
	memcpy(b->at, filter, len);
	memset(b->at + len, 0, pad(1 + len) - 1 - len);
	b->at += pad(1 + len) - 1;
}

static int
put_interface(struct evbuffer *to, const char *name, const char *filter,
	      uint32_t snaplen)
{
	const uint8_t nanoseconds = 9;
	uint32_t name_len = text_len(name);
	uint32_t filter_len = filter ? text_len(filter) : 0;
	struct block b;
	int r = begin_block(to, &b, BLOCK_INTERFACE,
			    8 + OPTION_LEN + pad(name_len) + OPTION_LEN + 4 +
				    (filter ? OPTION_LEN + pad(1 + filter_len)
					    : 0) +
				    OPTION_LEN);

	if (r)
		return r;
	put16(&b, LINKTYPE_ETHERNET, 0);
	put32(&b, snaplen);
	put_option(&b, IF_NAME, name, name_len);
	put_option(&b, IF_TSRESOL, &nanoseconds, sizeof(nanoseconds));
	if (filter)
		put_filter(&b, filter, filter_len);
	put_option(&b, OPT_END, NULL, 0);
	return end_block(to, &b);
}

int
pcapng_begin(struct evbuffer *to, const char *application,
	     const char *interface, const char *filter, uint32_t snaplen)
{
	struct evbuffer *both = evbuffer_new();
	int r;

	if (!both)
		return -ENOMEM;
	r = put_section(both, application);
	if (!r)
		r = put_interface(both, interface, filter, snaplen);
	if (!r && evbuffer_add_buffer(to, both) < 0)
		r = -ENOMEM;
	evbuffer_free(both);
	return r;
}

int
pcapng_put_packet(struct evbuffer *to, const struct pcapng_packet *p)
{
	const uint32_t flags = p->direction;
	struct block b;
	int r = begin_block(to, &b, BLOCK_PACKET,
			    20 + pad(p->kept) + OPTION_LEN + 4 +
				    (p->lost ? OPTION_LEN + 8 : 0) +
				    OPTION_LEN);

	if (r)
		return r;
	put32(&b, 0); /* the interface */
	put_time(&b, p->time);
	put32(&b, p->kept);
	put32(&b, p->len);
	put(&b, p->data, p->kept);
	put_option(&b, EPB_FLAGS, &flags, sizeof(flags));
	if (p->lost)
		put_count(&b, EPB_DROPCOUNT, p->lost);
	put_option(&b, OPT_END, NULL, 0);
	return end_block(to, &b);
}

int
pcapng_put_statistics(struct evbuffer *to, const struct pcapng_statistics *s)
{
	struct block b;
	int r = begin_block(to, &b, BLOCK_STATISTICS,
			    12 + 5 * (OPTION_LEN + 8) + OPTION_LEN);

	if (r)
		return r;
	put32(&b, 0); /* the interface */
	put_time(&b, s->end);
	put16(&b, ISB_STARTTIME, 8);
	put_time(&b, s->begin);
	put16(&b, ISB_ENDTIME, 8);
	put_time(&b, s->end);
	put_count(&b, ISB_IFRECV, s->received);
	put_count(&b, ISB_IFDROP, s->dropped);
	put_count(&b, ISB_FILTERACCEPT, s->accepted);
	put_option(&b, OPT_END, NULL, 0);
	return end_block(to, &b);
}
