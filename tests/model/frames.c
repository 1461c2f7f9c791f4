/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "frames.h"

void *
frames_copy(const void *p, size_t len)
{
	void *copy = malloc(len);

	if (!copy && len)
		abort();
	if (len)
		memcpy(copy, p, len);
	return copy;
}

static const uint32_t lengths[] = {
	60,  60,   60,   14,   15,   64,   90,   128,  342,
	590, 1000, 1514, 1518, 2008, 2009, 4000, 9000, 65549,
};

/* What a frame is made of. */
enum { PLAIN, TCP4, TCP6, UDP4, UDP6, RUBBISH };

static void
store16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
frames_put_mac(uint8_t *p, uint32_t number)
{
	static const uint8_t others[][6] = {
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{0x33, 0x33, 0, 0, 0, 1},
		{0x01, 0x80, 0xc2, 0, 0, 0x0e},
		{0, 0, 0, 0, 0, 0},
	};

	if (number >= 16) {
		memcpy(p, others[number % 4], 6);
		return;
	}
	memset(p, 0, 6);
	p[0] = 2;
	p[5] = (uint8_t)number;
}

/* Write IP and transport headers for a datagram of @len octets at @p, which is
 * at @off in its frame, and ask for what a medium could do with it. */
static void
fill_ip(struct tape *t, struct vnet_frame *f, uint8_t *p, uint32_t off,
	uint32_t len, unsigned int kind)
{
	bool is_tcp = kind == TCP4 || kind == TCP6;
	bool is_v4 = kind == TCP4 || kind == UDP4;
	uint32_t ip_len = is_v4 ? 20 : 40;
	uint32_t l4_len = is_tcp ? 20 : 8;
	uint32_t how;

	if (len < ip_len + l4_len || len > 65535)
		return;
	if (is_v4) {
		p[0] = 0x45;
		p[1] = 0;
		store16(p + 2, len);
		p[6] = p[7] = 0;
		p[9] = is_tcp ? 6 : 17;
	} else {
		p[0] = 0x60;
		store16(p + 4, len - ip_len);
		p[6] = is_tcp ? 6 : 17;
	}
	if (is_tcp) {
		p[ip_len + 12] = 0x50;
		p[ip_len + 13] = (uint8_t)(tape_argument(t, 64) | 0x10);
	} else {
		store16(p + ip_len + 4, len - ip_len);
	}

	how = tape_argument(t, 4);
	if (how == 0)
		return;
	f->flags = VNET_FRAME_CSUM_PARTIAL;
	f->csum_start = (uint16_t)(off + ip_len);
	f->csum_offset = is_tcp ? 16 : 6;
	if (how == 1)
		return;
	f->gso_type = !is_tcp ? VNET_GSO_UDP
		      : is_v4 ? VNET_GSO_TCP4
			      : VNET_GSO_TCP6;
	f->gso_size = (uint16_t)(1 + (len - ip_len - l4_len) /
					     (1 + tape_argument(t, 100)));
}

/* A field that no medium should say. */
static void
spoil_fields(struct tape *t, struct vnet_frame *f)
{
	uint16_t value = (uint16_t)tape_argument(t, 0x10000);

	switch (tape_argument(t, 10)) {
	case 0:
		f->flags = value;
		break;
	case 1:
		f->gso_type = (uint8_t)value;
		break;
	case 2:
		f->ntags = (uint8_t)value;
		break;
	case 3:
		f->csum_start = value;
		break;
	case 4:
		f->csum_offset = value;
		break;
	case 5:
		f->gso_size = value;
		break;
	case 6:
		f->hdr_len = value;
		break;
	case 7:
		f->depth = (uint8_t)value;
		break;
	case 8:
		f->via = (uint8_t)value;
		f->reserved32 = value;
		f->reserved64[value % 3] = value;
		break;
	case 9:
		f->nsegs = value;
		break;
	}
}

/* Tags that travel out of band. */
static void
add_tags(struct tape *t, struct vnet_frame *f)
{
	f->ntags = (uint8_t)(1 + tape_argument(t, VNET_MAX_TAGS));
	for (int i = 0; i < VNET_MAX_TAGS; i++) {
		f->tag[i].tpid = tape_argument(t, 2) ? 0x88a8 : 0x8100;
		f->tag[i].tci = (uint16_t)tape_argument(t, 0x10000);
	}
}

struct vnet_frame
frames_make(struct tape *t, uint32_t home)
{
	static const uint8_t kinds[] = {
		PLAIN, PLAIN, PLAIN, PLAIN, TCP4, TCP4,
		TCP6,  TCP6,  UDP4,  UDP6,  UDP6, RUBBISH,
	};
	static const uint16_t types[] = {
		[PLAIN] = 0x88b5, [TCP4] = 0x800,  [TCP6] = 0x86dd,
		[UDP4] = 0x800,   [UDP6] = 0x86dd, [RUBBISH] = 0,
	};
	/* Headers are written before it is known how long the frame is. */
	static uint8_t buf[FRAMES_MAX + 128];
	unsigned int kind = TAPE_ONE_OF(t, kinds);
	uint32_t dst = tape_argument(t, 24), src = tape_argument(t, 64);
	uint32_t type_at = 12;
	struct vnet_frame f = {.len = 0};

	f.len = TAPE_ONE_OF(t, lengths);
	if (kind == RUBBISH || tape_seldom(t, 8))
		f.len = tape_argument(t, 128);
	memset(buf, (int)tape_argument(t, 256), f.len);
	for (uint32_t i = 0; i < f.len; i += 61)
		buf[i] = (uint8_t)(i / 61);
	if (kind == RUBBISH)
		for (uint32_t i = 12; i < f.len; i++)
			buf[i] = (uint8_t)tape_argument(t, 256);
	frames_put_mac(buf, dst);
	/* Mostly an address that is at home here. */
	frames_put_mac(buf + 6, src < 40   ? home % 16
				: src < 62 ? src % 16
					   : src);
	if (tape_seldom(t, 8)) {
		store16(buf + type_at, 0x8100);
		type_at += 4;
	}
	if (kind != RUBBISH)
		store16(buf + type_at, types[kind]);
	if (kind != PLAIN && kind != RUBBISH && f.len > type_at + 2)
		fill_ip(t, &f, buf + type_at + 2, type_at + 2,
			f.len - type_at - 2, kind);
	if (tape_seldom(t, 8))
		add_tags(t, &f);
	if (tape_seldom(t, 16) && f.len)
		buf[tape_argument(t, 128) % f.len] ^=
			(uint8_t)tape_argument(t, 256);
	if (tape_seldom(t, 16))
		spoil_fields(t, &f);
	f.data = frames_copy(buf, f.len);
	return f;
}
