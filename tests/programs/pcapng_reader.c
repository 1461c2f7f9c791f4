/* SPDX-License-Identifier: BSD-2-Clause */
#include "pcapng_reader.h"

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
get_time(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

static void
read_packet(struct pcapng_block *b)
{
	assert_true(b->end - b->body >= 20);
	assert_int_equal(get32(b->body), 0);
	b->time = get_time(b->body + 4);
	b->kept = get32(b->body + 12);
	b->len = get32(b->body + 16);
	b->data = b->body + 20;
	assert_true(b->kept <= b->len);
	assert_true(((b->kept + 3) & ~3u) <= (size_t)(b->end - b->data));
	b->options = b->data + ((b->kept + 3) & ~3u);
}

static void
read_body(struct pcapng_block *b)
{
	switch (b->type) {
	case PCAPNG_SECTION:
		assert_int_equal(get32(b->body), 0x1a2b3c4d);
		b->options = b->body + 16;
		break;
	case PCAPNG_INTERFACE:
		assert_int_equal(get32(b->body) & 0xffff, 1);
		b->len = get32(b->body + 4);
		b->options = b->body + 8;
		break;
	case PCAPNG_STATISTICS:
		b->time = get_time(b->body + 4);
		b->options = b->body + 12;
		break;
	default:
		assert_int_equal(b->type, PCAPNG_PACKET);
		read_packet(b);
		break;
	}
	assert_true(b->options <= b->end);
}

bool
pcapng_next(const uint8_t **at, const uint8_t *end, struct pcapng_block *b)
{
	uint32_t len;

	if (end - *at < 12)
		return false;
	len = get32(*at + 4);
	assert_true(len >= 12 && len % 4 == 0);
	if (len > (size_t)(end - *at))
		return false;
	*b = (struct pcapng_block){
		.type = get32(*at),
		.body = *at + 8,
		.end = *at + len - 4,
	};
	assert_int_equal(get32(b->end), len);
	read_body(b);
	*at += len;
	return true;
}

const uint8_t *
pcapng_option(const struct pcapng_block *b, uint16_t code, uint16_t *len)
{
	const uint8_t *p = b->options;

	while (b->end - p >= 4) {
		uint16_t head[2];

		memcpy(head, p, sizeof(head));
		p += 4;
		assert_true(((head[1] + 3u) & ~3u) <= (size_t)(b->end - p));
		if (head[0] == 0) {
			assert_int_equal(head[1], 0);
			assert_ptr_equal(p, b->end);
			return NULL;
		}
		if (head[0] == code) {
			*len = head[1];
			return p;
		}
		p += (head[1] + 3u) & ~3u;
	}
	fail_msg("options without an end");
	return NULL;
}

uint64_t
pcapng_number(const struct pcapng_block *b, uint16_t code)
{
	uint16_t len;
	const uint8_t *p = pcapng_option(b, code, &len);
	uint64_t v;

	if (!p)
		return 0;
	if (len == 4)
		return get32(p);
	assert_int_equal(len, 8);
	memcpy(&v, p, sizeof(v));
	return v;
}
