/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Offloads against a model: every frame is also cut, summed and tagged by plain
 * code that works on the wire's octets, one at a time, from what the generator
 * knows of the frame. Whatever a driver carries, what reaches the wire in the
 * end must be what the model says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "offload.h"

enum { TCP = 6, UDP = 17 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, CWR = 128 };
enum { ALL = 32 }; /* combinations of VNET_CARRIES_* */

static uint32_t seed = 1;

/* Marsaglia's xorshift: the same run on every machine. */
static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static uint32_t
load(const uint8_t *p, int n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static void
store(uint8_t *p, int n, uint32_t v)
{
	while (n--) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static void *
allocate(size_t size)
{
	void *p = malloc(size ? size : 1);

	assert_non_null(p);
	return p;
}

/* What to generate. */
struct spec {
	bool v6;
	bool udp;
	int tags_in;
	int tags_out;
	uint32_t options; /* of IPv4, octets */
	uint32_t nexts;   /* IPv6 extension headers */
	bool routed;      /* to elsewhere than the IP header says */
	uint32_t tcp_options;
	uint32_t payload;
	uint32_t gso_size; /* 0: no GSO */
	uint32_t padding;  /* without GSO */
	uint8_t tcp_flags;
	uint16_t urgent;
	uint16_t flags;
};

/* A frame, in memory of its size, and where things are in it. */
struct sample {
	struct spec spec;
	struct vnet_frame f;
	uint8_t *o;
	uint32_t ip;
	uint32_t l4;
	uint32_t payload;
	uint32_t end;
	uint8_t dst[16]; /* of the pseudo-header */
};

static void
fill(uint8_t *p, uint32_t n)
{
	while (n--)
		*p++ = (uint8_t)rnd(256);
}

/* Write the IP header with all that follows it up to the transport header.
 * Returns its length. */
static uint32_t
build_ip(struct sample *s, uint8_t *ip)
{
	const struct spec *c = &s->spec;
	uint8_t proto = c->udp ? UDP : TCP;
	uint32_t at = 40;
	uint8_t *next = ip + 6;

	if (!c->v6) {
		ip[0] = (uint8_t)(0x45 + c->options / 4);
		ip[1] = (uint8_t)rnd(256);
		fill(ip + 4, 2);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = proto;
		fill(ip + 12, 8);
		memcpy(s->dst, ip + 16, 4);
		memset(ip + 20, 1, c->options);
		if (c->routed) {
			ip[20] = 131;
			ip[21] = (uint8_t)c->options - 1;
			ip[22] = 4;
			fill(ip + 23, c->options - 4);
			memcpy(s->dst, ip + 20 + c->options - 5, 4);
		}
		return 20 + c->options;
	}

	ip[0] = 0x60;
	fill(ip + 1, 3);
	ip[7] = 64;
	fill(ip + 8, 32);
	memcpy(s->dst, ip + 24, 16);
	for (uint32_t i = 0; i < c->nexts; i++) {
		uint8_t *h = ip + at;

		*next = i == 0 && rnd(2) ? 0 : 60;
		next = h;
		h[1] = (uint8_t)rnd(3);
		h[2] = 1;
		h[3] = (uint8_t)(4 + 8 * h[1]);
		at += 8 + 8u * h[1];
	}
	if (c->routed) {
		uint8_t *h = ip + at;
		bool segments = rnd(2);

		*next = 43;
		next = h;
		h[1] = 6;
		h[2] = segments ? 4 : 0;
		h[3] = 2;
		h[4] = segments ? 2 : 0;
		fill(h + 8, 48);
		memcpy(s->dst, h + 8 + (segments ? 0 : 32), 16);
		at += 56;
	}
	*next = proto;
	return at;
}

static void naive_ip_csum(uint8_t *ip);

static struct sample
build(const struct spec *c)
{
	uint8_t *o = calloc(1, 70000);
	struct sample s = {.spec = *c};
	uint32_t at = 12;
	uint8_t *p;

	assert_non_null(o);
	fill(o, 12);
	for (int i = 0; i < c->tags_in; i++, at += 4) {
		store(o + at, 2, rnd(2) ? 0x8100 : 0x88a8);
		fill(o + at + 2, 2);
	}
	store(o + at, 2, c->v6 ? 0x86dd : 0x0800);
	s.ip = at + 2;
	s.l4 = s.ip + build_ip(&s, o + s.ip);
	s.payload = s.l4 + (c->udp ? 8 : 20 + c->tcp_options);
	s.end = s.payload + c->payload;
	assert_true(s.end < 70000);
	fill(o + s.l4, s.end - s.l4 + c->padding);

	p = o + s.l4;
	if (c->udp) {
		store(p + 4, 2, s.end - s.l4);
	} else {
		p[12] = (uint8_t)((5 + c->tcp_options / 4) << 4);
		p[13] = c->tcp_flags;
		store(p + 18, 2, c->urgent);
	}
	if (c->v6) {
		store(o + s.ip + 4, 2, s.end - s.ip - 40);
	} else {
		store(o + s.ip + 2, 2, s.end - s.ip);
		naive_ip_csum(o + s.ip);
	}

	s.f.len = s.end + c->padding;
	s.o = allocate(s.f.len);
	memcpy(s.o, o, s.f.len);
	free(o);
	s.f.data = s.o;
	s.f.flags = c->flags;
	s.f.ntags = (uint8_t)c->tags_out;
	for (int i = 0; i < c->tags_out; i++) {
		s.f.tag[i].tpid = rnd(2) ? 0x8100 : 0x88a8;
		s.f.tag[i].tci = (uint16_t)rnd(0x10000);
	}
	s.f.csum_start = (uint16_t)s.l4;
	s.f.csum_offset = c->udp ? 6 : 16;
	if (c->gso_size) {
		s.f.gso_type = c->udp  ? VNET_GSO_UDP
			       : c->v6 ? VNET_GSO_TCP6
				       : VNET_GSO_TCP4;
		s.f.gso_size = (uint16_t)c->gso_size;
	}
	s.f.hdr_len = (uint16_t)rnd(0x10000); /* hints, not to be trusted */
	s.f.nsegs = (uint16_t)rnd(0x10000);
	s.f.depth = (uint8_t)rnd(8);
	return s;
}

static struct spec
random_spec(void)
{
	struct spec c = {
		.v6 = rnd(2),
		.udp = rnd(2),
		.tags_in = (int)rnd(3),
		.tags_out = (int)rnd(3),
		.flags = VNET_FRAME_CSUM_PARTIAL,
		.routed = rnd(4) == 0,
		.tcp_flags = (uint8_t)(rnd(256) & ~(SYN | RST)),
		.urgent = (uint16_t)rnd(3000),
	};

	if (c.v6)
		c.nexts = rnd(3) ? 0 : rnd(4);
	else if (c.routed)
		c.options = 8 + 4 * rnd(8);
	else
		c.options = rnd(3) ? 0 : 4 * rnd(11);
	c.tcp_options = rnd(2) ? 0 : 4 * rnd(11);
	if (rnd(8) == 0)
		c.flags |= VNET_FRAME_CSUM_VALID;
	if (rnd(4)) {
		c.gso_size = 1 + rnd(rnd(2) ? 1500 : 40);
		c.payload = rnd(128 * c.gso_size + 1);
		if (rnd(8) == 0)
			c.payload = c.gso_size * (1 + rnd(8));
		if (c.payload > 60000)
			c.payload = 60000;
		if (!c.udp && rnd(3) == 0)
			c.flags |= VNET_FRAME_GSO_ECN;
	} else {
		c.payload = rnd(1500);
		c.padding = rnd(2) ? 0 : rnd(30);
	}
	return c;
}

/* RFC 1071 as it is written. */
static uint32_t
naive_sum(uint32_t sum, const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum > 0xffff)
		sum = sum % 0x10000 + sum / 0x10000;
	return sum;
}

static void
naive_ip_csum(uint8_t *ip)
{
	store(ip + 10, 2, 0);
	store(ip + 10, 2, 0xffff - naive_sum(0, ip, 4u * (ip[0] & 15)));
}

/* Sum of pseudo-header and datagram, the checksum field as it is. */
static uint32_t
naive_l4_sum(const struct sample *s, const uint8_t *ip, const uint8_t *l4,
	     uint32_t len)
{
	uint32_t n = s->spec.v6 ? 16 : 4;
	uint32_t sum = s->spec.udp ? UDP : TCP;

	sum = naive_sum(sum + len, s->dst, n);
	sum = naive_sum(sum, ip + (s->spec.v6 ? 8 : 12), n);
	return naive_sum(sum, l4, len);
}

/* Frames on the wire. */
struct wire {
	uint32_t n;
	uint32_t len[VNET_MAX_SEGMENTS];
	uint8_t *o[VNET_MAX_SEGMENTS];
};

static void
wire_free(struct wire *w)
{
	while (w->n)
		free(w->o[--w->n]);
}

/* A new frame on the wire: @len octets, the tags of @f put in front of those
 * from its data that are there. */
static uint8_t *
wire_add(struct wire *w, const struct vnet_frame *f, uint32_t len)
{
	uint32_t shift = 4u * f->ntags;
	uint8_t *o = allocate(shift + len);
	uint32_t have = f->len < len ? f->len : len;

	assert_true(w->n < VNET_MAX_SEGMENTS);
	memcpy(o, f->data, 12);
	for (size_t i = 0; i < f->ntags; i++) {
		store(o + 12 + 4 * i, 2, f->tag[i].tpid);
		store(o + 14 + 4 * i, 2, f->tag[i].tci);
	}
	memcpy(o + 12 + shift, f->data + 12, have - 12);
	w->len[w->n] = shift + len;
	w->o[w->n++] = o;
	return o;
}

static void
naive_l4_csum(const struct sample *s, const uint8_t *ip, uint8_t *l4,
	      uint32_t len)
{
	uint8_t *field = l4 + (s->spec.udp ? 6 : 16);
	uint32_t sum;

	store(field, 2, 0);
	sum = 0xffff - naive_l4_sum(s, ip, l4, len);
	if (s->spec.udp && sum == 0)
		sum = 0xffff;
	store(field, 2, sum);
}

/* What a medium puts on the wire for @f: the sample's frame, or what was made
 * of it, whose headers begin @moved octets later. The model. */
static void
model(const struct sample *s, const struct vnet_frame *f, uint32_t moved,
      struct wire *w)
{
	uint32_t ip_at = s->ip + moved, l4_at = s->l4 + moved;
	uint32_t hdr_len = s->payload + moved;
	uint32_t payload = f->len - hdr_len, done = 0, nth = 0;
	uint32_t shift = 4u * f->ntags;

	if (f->gso_type == VNET_GSO_NONE) {
		uint8_t *o = wire_add(w, f, f->len) + shift;

		if (f->flags & VNET_FRAME_CSUM_PARTIAL)
			naive_l4_csum(s, o + ip_at, o + l4_at,
				      f->len - s->spec.padding - l4_at);
		return;
	}
	do {
		uint32_t n = payload - done;
		uint8_t *o, *ip, *l4;

		if (n > f->gso_size)
			n = f->gso_size;
		o = wire_add(w, f, hdr_len + n) + shift;
		memcpy(o + hdr_len, f->data + hdr_len + done, n);
		ip = o + ip_at;
		l4 = o + l4_at;
		if (s->spec.v6) {
			store(ip + 4, 2, hdr_len + n - ip_at - 40);
		} else {
			store(ip + 2, 2, hdr_len + n - ip_at);
			store(ip + 4, 2, load(ip + 4, 2) + nth);
			naive_ip_csum(ip);
		}
		if (s->spec.udp) {
			store(l4 + 4, 2, n + 8);
		} else {
			uint32_t urgent = load(l4 + 18, 2);

			store(l4 + 4, 4, load(l4 + 4, 4) + done);
			if (done + n < payload)
				l4[13] &= 255 - FIN - PSH;
			if (nth > 0)
				l4[13] &= 255 - CWR;
			if (l4[13] & URG && nth > 0) {
				store(l4 + 18, 2,
				      urgent > done ? urgent - done : 0);
				if (urgent <= done)
					l4[13] &= 255 - URG;
			}
		}
		naive_l4_csum(s, ip, l4, hdr_len + n - l4_at);
		done += n;
		nth++;
	} while (done < payload);
}

/* What is on the wire is right by itself: checksums, lengths, and the payload
 * that was there before. */
static void
assert_wire(const struct sample *s, const struct wire *w)
{
	uint32_t shift = 4u * s->f.ntags;
	uint32_t ip_at = s->ip + shift, l4_at = s->l4 + shift;
	uint32_t hdr_len = s->payload + shift;
	uint32_t done = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		const uint8_t *o = w->o[i], *ip = o + ip_at, *l4 = o + l4_at;
		uint32_t end = w->len[i] - s->spec.padding;
		uint32_t n = end - hdr_len;
		uint32_t id = load(s->o + s->ip + 4, 2) + i;

		if (s->spec.v6) {
			assert_int_equal(load(ip + 4, 2), end - ip_at - 40);
		} else {
			assert_int_equal(load(ip + 2, 2), end - ip_at);
			assert_int_equal(load(ip + 4, 2), id & 0xffff);
			assert_int_equal(naive_sum(0, ip, l4_at - ip_at),
					 0xffff);
		}
		assert_int_equal(naive_l4_sum(s, ip, l4, end - l4_at), 0xffff);
		if (s->spec.udp) {
			assert_int_equal(load(l4 + 4, 2), n + 8);
			assert_true(load(l4 + 6, 2) != 0);
		} else {
			uint32_t first = load(s->o + s->l4 + 4, 4);

			assert_true(load(l4 + 4, 4) == first + done);
		}
		assert_true(!s->spec.gso_size || n <= s->spec.gso_size);
		assert_memory_equal(o + hdr_len, s->o + s->payload + done, n);
		done += n;
	}
	assert_int_equal(done, s->spec.payload);
}

static void
assert_same_wire(const struct wire *a, const struct wire *b)
{
	assert_int_equal(a->n, b->n);
	for (uint32_t i = 0; i < a->n; i++) {
		assert_int_equal(a->len[i], b->len[i]);
		assert_memory_equal(a->o[i], b->o[i], a->len[i]);
	}
}

/* A view asks for nothing that is not carried, and has nothing in fields that
 * mean nothing. */
static void
assert_view(const struct sample *s, const struct vnet_frame *out,
	    uint32_t carries, bool cut)
{
	const struct vnet_frame *f = &s->f;
	uint32_t shift = carries & VNET_CARRIES_TAGS ? 0 : 4u * f->ntags;
	struct vnet_frame expected;
	struct vnet_offload o;

	assert_int_equal(vnet_offload_wants(out) & ~carries, 0);
	memset(&expected, 0, sizeof(expected));
	expected.data = out->data;
	expected.len = cut ? out->len : f->len + shift;
	expected.depth = f->depth;
	expected.nsegs = 1;
	if (carries & VNET_CARRIES_TAGS) {
		expected.ntags = f->ntags;
		memcpy(expected.tag, f->tag, (size_t)4 * f->ntags);
	}
	if (!(f->flags & VNET_FRAME_CSUM_PARTIAL)) {
		expected.flags = f->flags;
	} else if (carries & VNET_CARRIES_CSUM) {
		expected.flags = cut ? VNET_FRAME_CSUM_PARTIAL : f->flags;
		expected.csum_start = (uint16_t)(s->l4 + shift);
		expected.csum_offset = s->spec.udp ? 6 : 16;
		if (!cut && f->gso_type) {
			uint32_t n = (s->spec.payload + f->gso_size - 1) /
				     f->gso_size;

			expected.gso_type = f->gso_type;
			expected.gso_size = f->gso_size;
			expected.hdr_len = (uint16_t)(s->payload + shift);
			expected.nsegs = (uint16_t)(n ? n : 1);
		}
	}
	assert_memory_equal(out, &expected, sizeof(expected));
	/* What we make, we accept. */
	assert_true(vnet_offload_check(out, &o));
	assert_int_equal(o.nsegs, out->nsegs);
}

/* The seed in a segment's checksum field is that of its pseudo-header: who adds
 * the datagram to it, and knows nothing else, gets the sum. */
static void
assert_seed(const struct sample *s, const struct vnet_frame *out,
	    uint32_t moved)
{
	uint8_t *o = allocate(out->len);
	uint32_t n = out->len - out->csum_start;
	uint8_t *l4 = o + out->csum_start;
	uint32_t sum;

	memcpy(o, out->data, out->len);
	sum = naive_sum(0, l4, n);
	store(l4 + out->csum_offset, 2, 0);
	assert_int_equal(sum, naive_l4_sum(s, o + s->ip + moved, l4, n));
	free(o);
}

/* Resolve what @first made of a frame once more, and put it on the wire. */
static void
resolve_again(const struct sample *s, const struct vnet_frame *first,
	      uint32_t moved, uint32_t carries, struct wire *w)
{
	uint8_t *buf = allocate(VNET_RESOLVED_MAX);
	struct vnet_offload o = {.nsegs = 1};
	struct vnet_resolver r;
	struct vnet_frame out;

	if (!(carries & VNET_CARRIES_TAGS))
		moved += 4u * first->ntags;
	assert_true(vnet_offload_check(first, &o));
	vnet_resolver_begin(&r, first, &o, carries);
	while (vnet_resolver_next(&r, buf, &out) > 0)
		model(s, &out, moved, w);
	free(buf);
}

/* Resolve a frame, whose octets must not change, and put what comes out on the
 * wire; what comes out of a second resolver behind the first at @again. */
static void
resolve(const struct sample *s, uint32_t carries, struct wire *w,
	struct wire *again)
{
	const struct vnet_frame *f = &s->f;
	uint32_t moved = carries & VNET_CARRIES_TAGS ? 0 : 4u * f->ntags;
	uint32_t then = rnd(ALL);
	uint8_t *buf = allocate(VNET_RESOLVED_MAX);
	uint8_t *before = allocate(f->len);
	uint32_t frames = 0, octets = 0, longest = 0;
	struct vnet_offload o, made;
	struct vnet_resolver r;
	struct vnet_frame out;
	size_t used = f->len + moved + 1;

	memcpy(before, f->data, f->len);
	assert_true(vnet_offload_check(f, &o));
	vnet_resolver_begin(&r, f, &o, carries);
	for (;;) {
		memset(buf, 0xee, used + 64);
		memset(&out, 0xee, sizeof(out));
		used = vnet_resolver_next(&r, buf, &out);
		if (used == 0)
			break;
		assert_int_equal(used, out.len);
		for (size_t i = used; i < used + 64; i++)
			assert_int_equal(buf[i], 0xee);
		assert_ptr_equal(out.data, buf);
		assert_view(s, &out, carries, r.cut);
		if (r.cut && out.flags & VNET_FRAME_CSUM_PARTIAL)
			assert_seed(s, &out, moved);

		frames++;
		octets += vnet_frame_octets(&out);
		assert_true(vnet_offload_check(&out, &made));
		if (vnet_offload_payload_max(&out, &made) > longest)
			longest = vnet_offload_payload_max(&out, &made);
		model(s, &out, moved, w);
		resolve_again(s, &out, moved, then, again);
	}
	/* It stays at its end. */
	assert_int_equal(vnet_resolver_next(&r, buf, &out), 0);
	assert_memory_equal(before, f->data, f->len);

	assert_int_equal(vnet_offload_frames(f, &o, carries), frames);
	assert_int_equal(vnet_offload_octets(f, &o, carries), octets);
	assert_int_equal(vnet_offload_payload_max(f, &o), longest);
	free(before);
	free(buf);
}

static void
check_every_driver(const struct spec *c)
{
	struct sample s = build(c);
	struct wire expected = {.n = 0};
	struct vnet_offload o;

	assert_true(vnet_offload_check(&s.f, &o));
	model(&s, &s.f, 0, &expected);
	assert_int_equal(expected.n, o.nsegs);
	if (s.f.flags & VNET_FRAME_CSUM_PARTIAL) {
		assert_int_equal(o.l4.ip, s.ip);
		assert_int_equal(o.l4.l4, s.l4);
		assert_int_equal(o.l4.end, s.end);
		assert_int_equal(o.hdr_len, s.payload);
		assert_wire(&s, &expected);
	}

	for (uint32_t carries = 0; carries < ALL; carries++) {
		struct wire w = {.n = 0}, again = {.n = 0};

		resolve(&s, carries, &w, &again);
		assert_same_wire(&expected, &w);
		assert_same_wire(&expected, &again);
		wire_free(&w);
		wire_free(&again);
	}
	wire_free(&expected);
	free(s.o);
}

static void
test_every_driver_gives_the_octets_of_the_model(void **state)
{
	(void)state;
	for (int round = 0; round < 150; round++) {
		struct spec c = random_spec();

		check_every_driver(&c);
	}
}

static void
test_frames_that_ask_for_nothing_only_get_their_tags(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		struct spec c = random_spec();

		c.gso_size = 0;
		c.payload = rnd(1500);
		c.flags = rnd(2) ? VNET_FRAME_CSUM_VALID : 0;
		check_every_driver(&c);
	}
}

/* TCP that stands for @nsegs segments, the last of them one octet long. */
static struct spec
tso(bool v6, uint32_t gso_size, uint32_t nsegs)
{
	return (struct spec){
		.v6 = v6,
		.payload = gso_size * (nsegs - 1) + 1,
		.gso_size = gso_size,
		.flags = VNET_FRAME_CSUM_PARTIAL,
		.tcp_flags = ACK,
	};
}

static void
test_longest_and_shortest_segments_are_cut(void **state)
{
	struct spec c;

	(void)state;
	for (int i = 0; i < 4; i++) {
		c = tso(i & 1, 1, VNET_MAX_SEGMENTS);
		c.udp = i & 2;
		check_every_driver(&c);
		/* One segment, as long as a datagram can be. */
		c = tso(i & 1, 65535, 1);
		c.udp = i & 2;
		c.payload = 65535 - (c.v6 ? 0 : 20) - (c.udp ? 8 : 20);
		c.tags_in = 2;
		check_every_driver(&c);
		/* Two: all but one octet, and one. */
		c.gso_size = c.payload - 1;
		check_every_driver(&c);
		/* None to cut: no payload. */
		c = tso(i & 1, 1000, 1);
		c.udp = i & 2;
		c.payload = 0;
		check_every_driver(&c);
	}
}

/* Take the segments of a frame for a driver that carries nothing. */
static struct wire
cut(const struct sample *s)
{
	uint8_t *buf = allocate(VNET_RESOLVED_MAX);
	struct wire w = {.n = 0};
	struct vnet_offload o;
	struct vnet_resolver r;
	struct vnet_frame out;

	assert_true(vnet_offload_check(&s->f, &o));
	vnet_resolver_begin(&r, &s->f, &o, 0);
	while (vnet_resolver_next(&r, buf, &out) > 0)
		wire_add(&w, &out, out.len);
	free(buf);
	return w;
}

static void
test_fin_and_psh_go_last_and_cwr_goes_first(void **state)
{
	(void)state;
	for (int ecn = 0; ecn < 2; ecn++) {
		struct spec c = tso(ecn, 100, 3);
		struct sample s;
		struct wire w;

		c.tcp_flags = FIN | PSH | ACK | CWR | 64;
		if (ecn)
			c.flags |= VNET_FRAME_GSO_ECN;
		s = build(&c);
		w = cut(&s);
		assert_int_equal(w.n, 3);
		assert_int_equal(w.o[0][s.l4 + 13], ACK | CWR | 64);
		assert_int_equal(w.o[1][s.l4 + 13], ACK | 64);
		assert_int_equal(w.o[2][s.l4 + 13], FIN | PSH | ACK | 64);
		wire_free(&w);
		free(s.o);
	}
}

static void
test_urgent_pointer_points_to_the_same_octet_in_each_segment(void **state)
{
	static const uint32_t pointer[] = {150, 50, 0, 0};
	struct spec c = tso(false, 100, 4);
	struct sample s;
	struct wire w;

	(void)state;
	c.tcp_flags = ACK | URG;
	c.urgent = 150;
	s = build(&c);
	w = cut(&s);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(load(w.o[i] + s.l4 + 18, 2), pointer[i]);
		assert_int_equal(w.o[i][s.l4 + 13] & URG, i < 2 ? URG : 0);
	}
	wire_free(&w);
	free(s.o);

	/* Without the flag the field means nothing and is left alone. */
	c.tcp_flags = ACK;
	s = build(&c);
	w = cut(&s);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(load(w.o[i] + s.l4 + 18, 2), 150);
	wire_free(&w);
	free(s.o);
}

static void
test_sequence_number_and_identification_wrap(void **state)
{
	struct spec c = tso(false, 100, 3);
	struct sample s = build(&c);
	struct wire w;

	(void)state;
	store(s.o + s.l4 + 4, 4, 0xffffff9c);
	store(s.o + s.ip + 4, 2, 0xfffe);
	w = cut(&s);
	assert_true(load(w.o[1] + s.l4 + 4, 4) == 0);
	assert_true(load(w.o[2] + s.l4 + 4, 4) == 100);
	assert_int_equal(load(w.o[1] + s.ip + 4, 2), 0xffff);
	assert_int_equal(load(w.o[2] + s.ip + 4, 2), 0);
	wire_free(&w);
	free(s.o);
}

static void
test_udp_checksum_of_zero_is_sent_as_ffff(void **state)
{
	struct spec c = {
		.udp = true,
		.payload = 2,
		.flags = VNET_FRAME_CSUM_PARTIAL,
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct sample s;
		struct wire w;

		c.v6 = i & 1;
		c.gso_size = i & 2 ? 100 : 0;
		s = build(&c);
		/* Make the payload what the rest lacks for a sum of ffff. */
		store(s.o + s.l4 + 6, 4, 0);
		store(s.o + s.payload, 2,
		      0xffff - naive_l4_sum(&s, s.o + s.ip, s.o + s.l4, 10));
		w = cut(&s);
		assert_int_equal(load(w.o[0] + s.l4 + 6, 2), 0xffff);
		wire_free(&w);
		free(s.o);
		check_every_driver(&c);
	}
}

static void
test_padding_is_kept_and_not_summed(void **state)
{
	struct spec c = {
		.udp = true,
		.payload = 5,
		.padding = 13,
		.flags = VNET_FRAME_CSUM_PARTIAL,
	};
	struct sample s = build(&c);
	struct wire w = cut(&s);

	(void)state;
	assert_int_equal(w.len[0], s.f.len);
	assert_memory_equal(w.o[0] + s.end, s.o + s.end, 13);
	assert_int_equal(naive_l4_sum(&s, s.o + s.ip, w.o[0] + s.l4,
				      s.end - s.l4),
			 0xffff);
	wire_free(&w);
	free(s.o);
}

static void
test_segmentation_is_carried_only_with_checksums(void **state)
{
	struct spec c = tso(true, 100, 2);
	struct sample s = build(&c);

	(void)state;
	assert_false(vnet_offload_is_cut(&s.f, VNET_CARRIES_CSUM |
						       VNET_CARRIES_TSO6));
	assert_true(vnet_offload_is_cut(&s.f, VNET_CARRIES_TSO6));
	assert_true(vnet_offload_is_cut(&s.f, VNET_CARRIES_CSUM));
	assert_true(vnet_offload_is_cut(
		&s.f, VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_USO |
			      VNET_CARRIES_TAGS));
	s.f.ntags = 2;
	assert_false(vnet_offload_is_cut(&s.f, VNET_CARRIES_CSUM |
						       VNET_CARRIES_TSO6));
	free(s.o);
}

static void
test_longest_payload_is_that_of_a_full_segment(void **state)
{
	struct spec c = tso(false, 1448, 40);
	struct vnet_offload o;
	struct sample s;

	(void)state;
	c.tcp_options = 12;
	c.tags_in = 1;
	c.tags_out = 1;
	s = build(&c);
	assert_true(vnet_offload_check(&s.f, &o));
	assert_int_equal(vnet_offload_payload_max(&s.f, &o), 1500);
	/* A third tag belongs to the payload. */
	s.f.ntags = 2;
	assert_int_equal(vnet_offload_payload_max(&s.f, &o), 1504);
	free(s.o);

	/* Less than a segment. */
	c.payload = 10;
	s = build(&c);
	assert_true(vnet_offload_check(&s.f, &o));
	assert_int_equal(vnet_offload_payload_max(&s.f, &o), 62);
	free(s.o);
}

/* Is a frame refused when @change has been made to it? */
#define REFUSED(c, change)                                         \
	do {                                                       \
		struct sample s = build(c);                        \
		struct vnet_offload o;                             \
		assert_true(vnet_offload_check(&s.f, &o));         \
		change;                                            \
		if (vnet_offload_check(&s.f, &o))                  \
			fail_msg("accepted in spite of " #change); \
		free(s.o);                                         \
	} while (0)

static void
test_fields_that_belie_the_headers_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct spec c = tso(i & 1, 100, 3);

		c.udp = i & 2;
		if (i & 4)
			c.gso_size = 0;
		REFUSED(&c, s.f.flags |= 8);
		REFUSED(&c, s.f.flags |= 0x8000);
		REFUSED(&c, s.f.gso_type = 4);
		REFUSED(&c, s.f.gso_type = 0x80 | s.f.gso_type);
		REFUSED(&c, s.f.csum_start--);
		REFUSED(&c, s.f.csum_start++);
		REFUSED(&c, s.f.csum_start = 0);
		REFUSED(&c, s.f.csum_start = 65535);
		REFUSED(&c, s.f.csum_offset ^= 16 ^ 6);
		REFUSED(&c, s.f.csum_offset = 0);
		/* The IP header belies them. */
		REFUSED(&c, s.o[s.ip + (s.spec.v6 ? 6 : 9)] ^= TCP ^ UDP);
		REFUSED(&c, s.o[s.ip + (s.spec.v6 ? 6 : 9)] = 1);
		REFUSED(&c, s.o[12] = 0x12);
		REFUSED(&c, s.o[s.ip] ^= 0x20);
		REFUSED(&c, s.f.len--);
		REFUSED(&c, s.f.len = s.l4);
		if (c.v6)
			continue;
		REFUSED(&c, s.o[s.ip] = 0x46);
		REFUSED(&c, s.o[s.ip + 6] = 0x20);
		REFUSED(&c, s.o[s.ip + 7] = 1);
	}
}

static void
test_segmentation_that_belies_the_headers_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct spec c = tso(i & 1, 100, 2);

		c.udp = i & 2;
		for (int type = VNET_GSO_TCP4; type <= VNET_GSO_UDP; type++) {
			struct sample whole = build(&c);
			uint8_t right = whole.f.gso_type;

			free(whole.o);
			if (type != right)
				REFUSED(&c, s.f.gso_type = (uint8_t)type);
		}
		REFUSED(&c, s.f.flags = 0);
		REFUSED(&c, s.f.flags = VNET_FRAME_CSUM_VALID);
		REFUSED(&c, s.f.gso_size = 0);
		/* The frame ends before or behind its datagram. */
		REFUSED(&c, s.o[s.ip + (s.spec.v6 ? 5 : 3)]--);
		REFUSED(&c, s.f.len--);
		if (c.udp) {
			REFUSED(&c, s.f.flags |= VNET_FRAME_GSO_ECN);
		} else {
			REFUSED(&c, s.o[s.l4 + 13] |= SYN);
			REFUSED(&c, s.o[s.l4 + 13] |= RST);
		}
	}
}

static void
test_padding_behind_a_frame_to_be_cut_is_refused(void **state)
{
	struct spec c = tso(false, 100, 3);
	struct vnet_offload o;
	struct sample s;

	(void)state;
	c.padding = 1;
	s = build(&c);
	assert_false(vnet_offload_check(&s.f, &o));
	s.f.len--;
	assert_true(vnet_offload_check(&s.f, &o));
	free(s.o);
}

static void
test_ecn_without_segmentation_is_refused(void **state)
{
	struct spec c = tso(false, 100, 1);

	(void)state;
	c.gso_size = 0;
	REFUSED(&c, s.f.flags |= VNET_FRAME_GSO_ECN);
	REFUSED(&c, s.f.flags = VNET_FRAME_GSO_ECN);
}

/* A frame of a kilobyte of extension header and a few octets to be sent one by
 * one would become a megabyte at every port. */
static void
test_segments_whose_headers_are_most_of_them_are_refused(void **state)
{
	enum { EXT = 1024, HEADERS = 14 + 40 + EXT + 20 };
	uint8_t octets[HEADERS + 61];
	struct vnet_offload o;

	(void)state;
	for (uint32_t payload = 58; payload <= 61; payload++) {
		struct vnet_frame f = {
			.data = octets,
			.len = HEADERS + payload,
			.flags = VNET_FRAME_CSUM_PARTIAL,
			.gso_type = VNET_GSO_TCP6,
			.gso_size = 1,
			.csum_start = HEADERS - 20,
			.csum_offset = 16,
		};

		memset(octets, 0, sizeof(octets));
		store(octets + 12, 2, 0x86dd);
		octets[14] = 0x60;
		store(octets + 18, 2, EXT + 20 + payload);
		octets[20] = 60;                    /* destination options, */
		octets[54] = 6;                     /* then TCP */
		octets[55] = (EXT - 8) / 8;         /* all of it Pad1 */
		octets[HEADERS - 20 + 12] = 5 << 4; /* data offset */
		assert_int_equal(vnet_offload_check(&f, &o),
				 (payload - 1) * HEADERS <= 65536);
	}
}

static void
test_more_than_128_segments_are_refused(void **state)
{
	(void)state;
	for (int udp = 0; udp < 2; udp++) {
		for (uint32_t n = 126; n <= 131; n++) {
			struct spec c = tso(udp, 300, n);
			struct vnet_offload o;
			struct sample s;

			c.udp = udp;
			s = build(&c);
			assert_int_equal(vnet_offload_check(&s.f, &o),
					 n <= 128);
			if (n <= 128)
				assert_int_equal(o.nsegs, n);
			free(s.o);
		}
	}
	REFUSED(&((struct spec){
			.payload = 129,
			.gso_size = 2,
			.flags = VNET_FRAME_CSUM_PARTIAL,
		}),
		s.f.gso_size = 1);
}

static void
test_syn_and_rst_may_stand_for_one_segment(void **state)
{
	struct spec c = tso(false, 100, 1);

	(void)state;
	c.tcp_flags = SYN;
	check_every_driver(&c);
	c.tcp_flags = RST | ACK;
	check_every_driver(&c);
	c.gso_size = 0;
	c.payload = 500;
	check_every_driver(&c);
}

static void
test_transport_lengths_that_lie_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct spec c = tso(i & 1, 20, 2);

		if (i & 2)
			c.gso_size = 0;
		/* 41 octets of TCP, so an offset of 5 to 10 words. */
		for (uint8_t words = 0; words < 16; words++) {
			struct sample s = build(&c);
			struct vnet_offload o;

			s.o[s.l4 + 12] = (uint8_t)(words << 4 | 15);
			assert_int_equal(vnet_offload_check(&s.f, &o),
					 words >= 5 && words <= 10);
			if (words >= 5 && words <= 10)
				assert_int_equal(o.hdr_len, s.l4 + 4 * words);
			free(s.o);
		}

		c.udp = true;
		REFUSED(&c, s.o[s.l4 + 5]--);
		REFUSED(&c, s.o[s.l4 + 5]++);
		REFUSED(&c, store(s.o + s.l4 + 4, 2, 0));
		REFUSED(&c, store(s.o + s.l4 + 4, 2, 8));
		REFUSED(&c, store(s.o + s.l4 + 4, 2, 28));
	}
}

static void
test_fields_that_mean_nothing_are_not_looked_at(void **state)
{
	uint8_t octets[14] = {0};
	struct vnet_frame f = {
		.data = octets,
		.len = sizeof(octets),
		.csum_start = 9999,
		.csum_offset = 9999,
		.gso_size = 9999,
		.hdr_len = 9999,
		.nsegs = 9999,
	};
	struct vnet_offload o;

	(void)state;
	assert_true(vnet_offload_check(&f, &o));
	assert_int_equal(o.nsegs, 1);
	assert_int_equal(vnet_offload_wants(&f), 0);
	/* Of a frame that is no IP, too, a medium may know that it is whole. */
	f.flags = VNET_FRAME_CSUM_VALID;
	f.ntags = 1;
	assert_true(vnet_offload_check(&f, &o));
	assert_int_equal(o.nsegs, 1);
	assert_int_equal(vnet_offload_wants(&f), VNET_CARRIES_TAGS);
	assert_int_equal(vnet_offload_payload_max(&f, &o), 0);
	f.flags = VNET_FRAME_CSUM_PARTIAL;
	assert_false(vnet_offload_check(&f, &o));
}

static void
test_offload_frame_cut_off_anywhere_is_refused(void **state)
{
	(void)state;
	for (int round = 0; round < 40; round++) {
		struct spec c = random_spec();
		struct sample s;

		c.payload %= 40;
		c.padding = 0;
		s = build(&c);
		for (uint32_t len = 0; len < s.end; len++) {
			struct vnet_frame f = s.f;
			uint8_t *o = allocate(len);
			struct vnet_offload off;

			memcpy(o, s.o, len);
			f.data = o;
			f.len = len;
			assert_false(vnet_offload_check(&f, &off));
			free(o);
		}
		free(s.o);
	}
}

/* The sanitizer watches. */
static void
test_no_mutation_reads_or_writes_outside(void **state)
{
	uint8_t *buf = allocate(VNET_RESOLVED_MAX);
	uint32_t naccepted = 0;

	(void)state;
	for (int round = 0; round < 8000; round++) {
		struct spec c = random_spec();
		struct vnet_offload o;
		struct vnet_resolver r;
		struct vnet_frame out;
		struct sample s;
		uint32_t n = 0;

		c.payload %= 200;
		c.gso_size %= 200;
		if (!c.gso_size)
			c.flags &= (uint16_t)~VNET_FRAME_GSO_ECN;
		s = build(&c);
		for (uint32_t i = 1 + rnd(3); i > 0; i--) {
			uint32_t at = 12 + rnd(s.payload - 12);

			s.o[at] ^= (uint8_t)(1u << rnd(8));
		}
		if (rnd(8) == 0)
			s.f.gso_type = (uint8_t)rnd(5);
		if (rnd(8) == 0)
			s.f.gso_size = (uint16_t)rnd(8);
		if (rnd(8) == 0)
			s.f.flags = (uint16_t)rnd(16);
		if (rnd(8) == 0)
			s.f.csum_start = (uint16_t)rnd(128);
		if (vnet_offload_check(&s.f, &o)) {
			naccepted++;
			vnet_resolver_begin(&r, &s.f, &o, rnd(ALL));
			while (vnet_resolver_next(&r, buf, &out) > 0)
				n++;
			assert_true(n == 1 || n == o.nsegs);
		}
		free(s.o);
	}
	assert_true(naccepted > 1000);
	free(buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_every_driver_gives_the_octets_of_the_model),
		cmocka_unit_test(
			test_frames_that_ask_for_nothing_only_get_their_tags),
		cmocka_unit_test(test_longest_and_shortest_segments_are_cut),
		cmocka_unit_test(test_fin_and_psh_go_last_and_cwr_goes_first),
		cmocka_unit_test(
			test_urgent_pointer_points_to_the_same_octet_in_each_segment),
		cmocka_unit_test(test_sequence_number_and_identification_wrap),
		cmocka_unit_test(test_udp_checksum_of_zero_is_sent_as_ffff),
		cmocka_unit_test(test_padding_is_kept_and_not_summed),
		cmocka_unit_test(
			test_segmentation_is_carried_only_with_checksums),
		cmocka_unit_test(
			test_longest_payload_is_that_of_a_full_segment),
		cmocka_unit_test(
			test_fields_that_belie_the_headers_are_refused),
		cmocka_unit_test(
			test_segmentation_that_belies_the_headers_is_refused),
		cmocka_unit_test(
			test_padding_behind_a_frame_to_be_cut_is_refused),
		cmocka_unit_test(test_ecn_without_segmentation_is_refused),
		cmocka_unit_test(
			test_segments_whose_headers_are_most_of_them_are_refused),
		cmocka_unit_test(test_more_than_128_segments_are_refused),
		cmocka_unit_test(test_syn_and_rst_may_stand_for_one_segment),
		cmocka_unit_test(test_transport_lengths_that_lie_are_refused),
		cmocka_unit_test(
			test_fields_that_mean_nothing_are_not_looked_at),
		cmocka_unit_test(
			test_offload_frame_cut_off_anywhere_is_refused),
		cmocka_unit_test(test_no_mutation_reads_or_writes_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
