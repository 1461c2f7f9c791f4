/* SPDX-License-Identifier: BSD-2-Clause */
#include "packet.h"

enum {
	TCP = 6,
	UDP = 17,
	FIN = 0x01,
	PSH = 0x08,
	ACK = 0x10,
};

/* So that both wrap in a packet of some segments. */
#define FIRST_SEQ UINT32_C(0xfffff800)
#define FIRST_ID  UINT32_C(0xfffe)

static bool
is_v6(enum packet_kind kind)
{
	return kind == PACKET_TCP6 || kind == PACKET_UDP6;
}

static bool
is_udp(enum packet_kind kind)
{
	return kind == PACKET_UDP4 || kind == PACKET_UDP6;
}

uint8_t
packet_octet(size_t i)
{
	return (uint8_t)(i * 167 + (i >> 8) * 13 + 5);
}

static void
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* RFC 1071, octet by octet. */
static uint32_t
sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static uint32_t
sum_pseudo(const uint8_t *ip, bool v6, uint8_t proto, size_t len)
{
	const uint8_t tail[4] = {(uint8_t)(len >> 8), (uint8_t)len, 0, proto};

	return sum(v6 ? sum(0, ip + 8, 32) : sum(0, ip + 12, 8), tail, 4);
}

static size_t
ip_len(const struct packet *p)
{
	return is_v6(p->kind) ? 40 : 20;
}

/* TCP with a timestamp option. */
static size_t
l4_len(const struct packet *p)
{
	return is_udp(p->kind) ? 8 : 32;
}

size_t
packet_header_len(const struct packet *p)
{
	return 14 + 4 * (size_t)p->ninner + ip_len(p) + l4_len(p);
}

static void
make_ip(uint8_t *ip, const struct packet *p, size_t len)
{
	const uint8_t proto = is_udp(p->kind) ? UDP : TCP;
	uint32_t s;

	memset(ip, 0, ip_len(p));
	if (is_v6(p->kind)) {
		ip[0] = 0x60;
		put16(ip + 4, len);
		ip[6] = proto;
		ip[7] = 64;
		for (unsigned int i = 0; i < 32; i++)
			ip[8 + i] = (uint8_t)(0x20 + 3 * i);
		return;
	}
	ip[0] = 0x45;
	put16(ip + 2, 20 + len);
	put16(ip + 4, FIRST_ID);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, "\x0a\x01\x02\x03\x0a\x04\x05\x06", 8);
	s = sum(0, ip, 20);
	put16(ip + 10, ~s & 0xffff);
}

static void
make_l4(uint8_t *l4, const struct packet *p)
{
	memset(l4, 0, l4_len(p));
	put16(l4, 4096);
	put16(l4 + 2, 53);
	if (is_udp(p->kind)) {
		put16(l4 + 4, 8 + p->payload);
		return;
	}
	put16(l4 + 4, FIRST_SEQ >> 16);
	put16(l4 + 6, FIRST_SEQ & 0xffff);
	l4[12] = 8 << 4;
	l4[13] = FIN | PSH | ACK;
	put16(l4 + 14, 512);
	memcpy(l4 + 20, "\x01\x01\x08\x0a\1\2\3\4\5\6\7\10", 12);
}

struct vnet_frame
packet_make(uint8_t *buf, const struct packet *p)
{
	const uint8_t proto = is_udp(p->kind) ? UDP : TCP;
	const size_t csum_at = is_udp(p->kind) ? 6 : 16;
	const size_t len = l4_len(p) + p->payload;
	struct vnet_mac mac = test_mac(p->dst);
	struct vnet_frame f = {.data = buf};
	uint8_t *ip = buf + 14 + 4 * p->ninner;
	uint8_t *l4 = ip + ip_len(p);
	uint32_t s;

	assert_true(packet_header_len(p) + p->payload <= PACKET_MAX);
	f.len = (uint32_t)(packet_header_len(p) + p->payload);
	memcpy(buf, mac.octet, 6);
	mac = test_mac(p->src);
	memcpy(buf + 6, mac.octet, 6);
	for (unsigned int i = 0; i < p->ninner; i++) {
		put16(buf + 12 + 4 * i, 0x8100);
		put16(buf + 14 + 4 * i, 0x2000 + i);
	}
	put16(ip - 2, is_v6(p->kind) ? 0x86dd : 0x0800);
	make_ip(ip, p, len);
	make_l4(l4, p);
	for (size_t i = 0; i < p->payload; i++)
		l4[l4_len(p) + i] = packet_octet(i);

	s = sum_pseudo(ip, is_v6(p->kind), proto, len);
	if (p->gso_size) {
		f.flags = VNET_FRAME_CSUM_PARTIAL;
		f.csum_start = (uint16_t)(l4 - buf);
		f.csum_offset = (uint16_t)csum_at;
		f.gso_type = is_udp(p->kind)  ? VNET_GSO_UDP
			     : is_v6(p->kind) ? VNET_GSO_TCP6
					      : VNET_GSO_TCP4;
		f.gso_size = p->gso_size;
		f.hdr_len = (uint16_t)packet_header_len(p);
	} else {
		s = ~sum(s, l4, len) & 0xffff;
		if (!s)
			s = 0xffff;
	}
	put16(l4 + csum_at, s);
	f.ntags = p->ntags;
	for (unsigned int i = 0; i < p->ntags; i++)
		f.tag[i] = (struct vnet_tag){i ? 0x8100 : 0x88a8,
					     (uint16_t)(0x1000 + i)};
	return f;
}

/* The checksum fields, and the flags about them. */
static void
read_csum(const struct packet_reader *r, const struct vnet_frame *f,
	  const uint8_t *ip, const uint8_t *l4)
{
	const bool udp = is_udp(r->kind);
	const size_t at = udp ? 6 : 16;
	const size_t len = (size_t)(f->data + f->len - l4);
	uint32_t s = sum_pseudo(ip, is_v6(r->kind), udp ? UDP : TCP, len);

	if (!is_v6(r->kind))
		assert_int_equal(sum(0, ip, 20), 0xffff);
	if (f->flags & VNET_FRAME_CSUM_PARTIAL) {
		assert_true(r->carries & VNET_CARRIES_CSUM);
		assert_int_equal(f->csum_start, l4 - f->data);
		assert_int_equal(f->csum_offset, at);
		assert_int_equal(get16(l4 + at), s);
		return;
	}
	assert_int_equal(f->gso_type, VNET_GSO_NONE);
	assert_int_equal(sum(s, l4, len), 0xffff);
}

/* Its lengths; returns octets of the transport header. */
static size_t
read_lengths(const struct packet_reader *r, const struct vnet_frame *f,
	     const uint8_t *ip, const uint8_t *l4)
{
	const size_t len = (size_t)(f->data + f->len - l4);

	if (is_v6(r->kind))
		assert_int_equal(get16(ip + 4), len);
	else
		assert_int_equal(get16(ip + 2), 20 + len);
	if (!is_udp(r->kind))
		return (l4[12] >> 4) * 4u;
	assert_int_equal(get16(l4 + 4), len);
	return 8;
}

static void
read_gso(const struct packet_reader *r, const struct vnet_frame *f, size_t hdr,
	 size_t payload)
{
	static const uint32_t needs[] = {
		[VNET_GSO_TCP4] = VNET_CARRIES_TSO4,
		[VNET_GSO_TCP6] = VNET_CARRIES_TSO6,
		[VNET_GSO_UDP] = VNET_CARRIES_USO,
	};

	assert_true(f->gso_type <= VNET_GSO_UDP);
	assert_true(r->carries & needs[f->gso_type]);
	assert_true(f->flags & VNET_FRAME_CSUM_PARTIAL);
	assert_int_equal(f->hdr_len, hdr);
	assert_int_equal(f->nsegs, (payload + f->gso_size - 1) / f->gso_size);
}

void
packet_read(struct packet_reader *r, const struct vnet_frame *f)
{
	const uint8_t *ip = f->data + 14, *l4;
	unsigned int ntags = f->ntags;
	size_t hdr, payload, size;

	assert_true(!f->ntags || r->carries & VNET_CARRIES_TAGS);
	for (; get16(ip - 2) == 0x8100 || get16(ip - 2) == 0x88a8; ntags++)
		ip += 4;
	assert_int_equal(ntags, r->ntags);
	assert_int_equal(get16(ip - 2), is_v6(r->kind) ? 0x86dd : 0x0800);
	l4 = ip + (is_v6(r->kind) ? 40 : 20);

	hdr = (size_t)(l4 - f->data) + read_lengths(r, f, ip, l4);
	read_csum(r, f, ip, l4);
	assert_true(hdr <= f->len);
	payload = f->len - hdr;
	size = payload;
	if (f->gso_type) {
		read_gso(r, f, hdr, payload);
		size = f->gso_size;
	} else {
		assert_int_equal(f->nsegs, 1);
	}

	if (!is_udp(r->kind)) {
		assert_int_equal(get16(l4 + 4) << 16 | get16(l4 + 6),
				 (uint32_t)(FIRST_SEQ + r->next));
		r->fin += l4[13] & FIN;
		assert_int_equal(!(l4[13] & FIN), !(l4[13] & PSH));
	}
	if (!is_v6(r->kind))
		assert_int_equal(get16(ip + 4),
				 (FIRST_ID + r->segments) & 0xffff);
	for (size_t i = 0; i < payload; i++) {
		assert_int_equal(f->data[hdr + i], packet_octet(r->next++));
		if ((i + 1) % size == 0 || i + 1 == payload) {
			const uint8_t limit[2] = {(uint8_t)(r->next >> 8),
						  (uint8_t)r->next};

			r->datagrams = test_hash(r->datagrams, limit, 2);
			r->segments++;
		}
	}
}
