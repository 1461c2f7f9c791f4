/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers: what is found, what is refused, and that nothing is read that is not
 * there. Every frame lies in memory of exactly its size, for the sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "eth.h"

enum { TCP = 6, UDP = 17, HOP = 0, ROUTING = 43, FRAGMENT = 44, DSTOPTS = 60 };

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

/* A frame under construction. */
struct pkt {
	uint8_t o[4096];
	uint32_t n;
	uint32_t ip;
	uint8_t ntags; /* out of band */
};

static void
put8(struct pkt *p, unsigned v)
{
	assert_true(p->n < sizeof(p->o));
	p->o[p->n++] = (uint8_t)v;
}

static void
put16(struct pkt *p, unsigned v)
{
	put8(p, v >> 8 & 255);
	put8(p, v & 255);
}

static void
put_n(struct pkt *p, uint32_t n)
{
	while (n--)
		put8(p, rnd(256));
}

#define PUT(p, ...)                                                     \
	do {                                                            \
		static const uint8_t octets[] = {__VA_ARGS__};          \
		for (size_t put_i = 0; put_i < sizeof(octets); put_i++) \
			put8(p, octets[put_i]);                         \
	} while (0)

/* Addresses, @ntags tags, a type; the IP header is next. */
static struct pkt
start(int ntags, unsigned type)
{
	struct pkt p = {.n = 0};

	put_n(&p, 12);
	for (int i = 0; i < ntags; i++) {
		put16(&p, i % 2 ? 0x8100 : 0x88a8);
		put_n(&p, 2);
	}
	put16(&p, type);
	p.ip = p.n;
	return p;
}

/* An IPv4 header without options; finish() sets the total length. */
static struct pkt
ipv4(int ntags, unsigned proto)
{
	struct pkt p = start(ntags, 0x0800);

	PUT(&p, 0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64);
	put8(&p, proto);
	put_n(&p, 10);
	return p;
}

static struct pkt
ipv6(int ntags, unsigned next)
{
	struct pkt p = start(ntags, 0x86dd);

	PUT(&p, 0x60, 0, 0, 0, 0, 0);
	put8(&p, next);
	put_n(&p, 33);
	return p;
}

/* Say in the IP header that the datagram ends here. */
static void
finish(struct pkt *p)
{
	uint32_t len = p->n - p->ip;
	uint8_t *at = p->o + p->ip + 2;

	if (p->o[p->ip] >> 4 == 6) {
		len -= 40;
		at += 2;
	}
	at[0] = (uint8_t)(len >> 8);
	at[1] = (uint8_t)len;
}

/* Parse the first @len octets, in memory of that size. */
static bool
parse_len(const struct pkt *p, uint32_t len, struct vnet_l4 *l4)
{
	uint8_t *o = malloc(len ? len : 1);
	struct vnet_frame f = {.data = o, .len = len, .ntags = p->ntags};
	bool found;

	assert_non_null(o);
	memcpy(o, p->o, len);
	found = vnet_eth_parse_l4(&f, l4);
	(void)vnet_eth_payload(&f);
	free(o);
	return found;
}

static bool
parse(const struct pkt *p, struct vnet_l4 *l4)
{
	return parse_len(p, p->n, l4);
}

static void
assert_found(const struct pkt *p, unsigned proto, uint32_t l4_at,
	     uint32_t dst_at)
{
	struct vnet_l4 l4;

	assert_true(parse(p, &l4));
	assert_int_equal(l4.version, p->o[p->ip] >> 4);
	assert_int_equal(l4.proto, proto);
	assert_int_equal(l4.ip, p->ip);
	assert_int_equal(l4.l4, l4_at);
	assert_int_equal(l4.end, p->n);
	assert_int_equal(l4.dst, dst_at);
}

static void
assert_not_found(const struct pkt *p)
{
	struct vnet_l4 l4;

	assert_false(parse(p, &l4));
}

static void
test_transport_is_found_behind_both_versions_of_ip(void **state)
{
	(void)state;
	for (int ntags = 0; ntags <= 2; ntags++) {
		struct pkt p = ipv4(ntags, TCP);

		put_n(&p, 33);
		finish(&p);
		assert_found(&p, TCP, p.ip + 20, p.ip + 16);

		p = ipv4(ntags, UDP);
		put_n(&p, 8);
		finish(&p);
		assert_found(&p, UDP, p.ip + 20, p.ip + 16);

		p = ipv6(ntags, TCP);
		put_n(&p, 20);
		finish(&p);
		assert_found(&p, TCP, p.ip + 40, p.ip + 24);

		p = ipv6(ntags, UDP);
		put_n(&p, 21);
		finish(&p);
		assert_found(&p, UDP, p.ip + 40, p.ip + 24);
	}
}

static void
test_at_most_four_tags_are_read_wherever_they_travel(void **state)
{
	(void)state;
	for (uint8_t out = 0; out <= VNET_MAX_TAGS; out++) {
		for (int in = 0; in <= 5; in++) {
			struct pkt p = ipv6(in, UDP);

			put_n(&p, 8);
			finish(&p);
			p.ntags = out;
			if (in + out <= 4)
				assert_found(&p, UDP, p.ip + 40, p.ip + 24);
			else
				assert_not_found(&p);
		}
	}
}

static void
test_other_types_and_protocols_are_not_found(void **state)
{
	static const unsigned types[] = {0x0806, 0x88cc, 0x0026, 0x9100, 0};
	static const unsigned protos[] = {0,  1,  2,  4,  41,  44,  50,
					  51, 58, 59, 89, 132, 135, 255};
	struct pkt p;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		p = ipv4(0, TCP);
		put_n(&p, 64);
		finish(&p);
		p.o[12] = (uint8_t)(types[i] >> 8);
		p.o[13] = (uint8_t)types[i];
		assert_not_found(&p);
	}
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		p = ipv4(1, protos[i]);
		put_n(&p, 64);
		finish(&p);
		assert_not_found(&p);

		p = ipv6(1, protos[i]);
		put8(&p, TCP);
		put8(&p, protos[i] == HOP ? 200 : 0);
		put_n(&p, 62);
		finish(&p);
		assert_not_found(&p);
	}
}

static void
test_type_and_version_must_agree(void **state)
{
	struct pkt p = ipv4(0, TCP);

	(void)state;
	put_n(&p, 60);
	finish(&p);
	p.o[p.ip] = 0x65;
	assert_not_found(&p);

	p = ipv6(0, TCP);
	put_n(&p, 60);
	finish(&p);
	p.o[p.ip] = 0x45;
	assert_not_found(&p);
}

static void
test_octets_behind_the_datagram_are_not_part_of_it(void **state)
{
	struct vnet_l4 l4;
	struct pkt p = ipv4(0, UDP);

	(void)state;
	put_n(&p, 9);
	finish(&p);
	put_n(&p, 17);
	assert_true(parse(&p, &l4));
	assert_int_equal(l4.end, p.n - 17);

	p = ipv6(0, UDP);
	put_n(&p, 9);
	finish(&p);
	put_n(&p, 1);
	assert_true(parse(&p, &l4));
	assert_int_equal(l4.end, p.n - 1);
}

static void
test_ipv4_lengths_that_lie_are_refused(void **state)
{
	struct pkt p;

	(void)state;
	/* A header of less than 20 octets, or longer than the datagram. */
	for (unsigned words = 0; words < 16; words++) {
		p = ipv4(0, TCP);
		put_n(&p, 4 + 20);
		finish(&p);
		memset(p.o + p.ip + 20, 1, 4);
		p.o[p.ip] = (uint8_t)(0x40 | words);
		if (words == 5 || words == 6)
			assert_found(&p, TCP, p.ip + 4 * words, p.ip + 16);
		else
			assert_not_found(&p);
	}
	/* A datagram longer than the frame, shorter than its headers, or of no
	 * stated length. */
	for (unsigned total = 0; total < 80; total++) {
		p = ipv4(0, TCP);
		put_n(&p, 40);
		p.o[p.ip + 3] = (uint8_t)total;
		p.n = p.ip + 60;
		if (total < 40 || total > 60)
			assert_not_found(&p);
	}
}

static void
test_ipv4_fragments_are_refused(void **state)
{
	static const struct {
		unsigned field;
		bool found;
	} cases[] = {
		{0x0000, true},  {0x4000, true},  {0x8000, true},
		{0x2000, false}, {0x6000, false}, {0x0001, false},
		{0x1fff, false}, {0x4001, false}, {0x0100, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pkt p = ipv4(0, UDP);

		put_n(&p, 30);
		finish(&p);
		p.o[p.ip + 6] = (uint8_t)(cases[i].field >> 8);
		p.o[p.ip + 7] = (uint8_t)cases[i].field;
		if (cases[i].found)
			assert_found(&p, UDP, p.ip + 20, p.ip + 16);
		else
			assert_not_found(&p);
	}
}

/* TCP over IPv4 with these options, whose number is a multiple of 4. */
static struct pkt
with_options(const uint8_t *options, uint32_t len)
{
	struct pkt p = ipv4(0, TCP);

	for (uint32_t i = 0; i < len; i++)
		put8(&p, options[i]);
	put_n(&p, 20);
	finish(&p);
	p.o[p.ip] = (uint8_t)(0x40 | (5 + len / 4));
	return p;
}

static void
test_source_route_of_ipv4_gives_the_final_destination(void **state)
{
	/* Type, length, pointer; two addresses behind. */
	uint8_t options[12] = {131, 11, 4};
	struct pkt p;

	(void)state;
	for (int strict = 0; strict < 2; strict++) {
		options[0] = strict ? 137 : 131;
		options[2] = 4;
		p = with_options(options, 12);
		assert_found(&p, TCP, p.ip + 32, p.ip + 20 + 7);
		options[2] = 8;
		p = with_options(options, 12);
		assert_found(&p, TCP, p.ip + 32, p.ip + 20 + 7);
		/* Gone to its end. */
		options[2] = 12;
		p = with_options(options, 12);
		assert_found(&p, TCP, p.ip + 32, p.ip + 16);

		for (uint8_t bad = 0; bad < 12; bad++) {
			if (bad == 4 || bad == 8)
				continue;
			options[2] = bad;
			p = with_options(options, 12);
			assert_not_found(&p);
		}
	}
}

static void
test_options_of_ipv4_are_skipped_or_refused(void **state)
{
	static const uint8_t good[][8] = {
		{1, 1, 1, 1},
		{0, 2, 0, 1, 131, 1, 1, 1}, /* what is behind the end is not */
		{7, 8, 4},                  /* record route: no source route */
		{148, 4, 0, 0, 0},
		{131, 3, 4}, /* a source route to nowhere else */
		{1, 1, 1, 1, 1, 1, 68, 2},
	};
	static const uint8_t bad[][8] = {
		{7, 0},
		{7, 1},
		{7, 9},
		{1, 1, 1, 1, 1, 1, 1, 7},   /* no length */
		{1, 1, 1, 1, 1, 1, 131, 2}, /* no pointer */
		{131, 3, 3},
		{131, 6, 4},
		{131, 8, 4},
		{1, 137, 8, 4},
	};
	struct pkt p;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		p = with_options(good[i], 8);
		assert_found(&p, TCP, p.ip + 28, p.ip + 16);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = with_options(bad[i], 8);
		assert_not_found(&p);
	}
}

static void
test_ipv6_payload_length_that_lies_is_refused(void **state)
{
	(void)state;
	for (unsigned len = 0; len < 80; len++) {
		struct pkt p = ipv6(0, TCP);

		put_n(&p, 40);
		p.o[p.ip + 5] = (uint8_t)len;
		if (len < 20 || len > 40)
			assert_not_found(&p);
	}
}

/* An extension header of @units * 8 octets that says nothing. */
static void
put_ext(struct pkt *p, unsigned next, unsigned units)
{
	put8(p, next);
	put8(p, units - 1);
	for (unsigned left = units * 8 - 2; left;) {
		unsigned pad = left < 200 ? left : 200;

		if (pad == 1) {
			put8(p, 0);
			break;
		}
		put8(p, 1); /* PadN */
		put8(p, pad - 2);
		for (unsigned i = 2; i < pad; i++)
			put8(p, 0);
		left -= pad;
	}
}

static void
test_extension_headers_are_skipped(void **state)
{
	struct pkt p = ipv6(1, HOP);

	(void)state;
	put_ext(&p, DSTOPTS, 2);
	put_ext(&p, ROUTING, 1);
	put8(&p, DSTOPTS);
	put8(&p, 2);
	put8(&p, 77); /* an unknown routing type, gone to its end */
	put8(&p, 0);
	put_n(&p, 20);
	put_ext(&p, UDP, 32);
	put_n(&p, 11);
	finish(&p);
	assert_found(&p, UDP, p.n - 11, p.ip + 24);
}

static void
test_extension_headers_that_lie_are_refused(void **state)
{
	struct pkt p;

	(void)state;
	/* One that is longer than what is left of the datagram, though not of
	 * the frame. */
	for (unsigned units = 1; units <= 256; units++) {
		p = ipv6(0, HOP);
		put8(&p, UDP);
		put8(&p, units - 1);
		for (int i = 0; i < 14 + 8; i++)
			put8(&p, 0);
		finish(&p);
		put_n(&p, 2048);
		if (units <= 2) {
			struct vnet_l4 l4;

			assert_true(parse(&p, &l4));
			assert_int_equal(l4.l4, p.ip + 40 + 8 * units);
		} else {
			assert_not_found(&p);
		}
	}
	/* Hop-by-hop options that are not first. */
	p = ipv6(0, DSTOPTS);
	put_ext(&p, HOP, 1);
	put_ext(&p, UDP, 1);
	put_n(&p, 8);
	finish(&p);
	assert_not_found(&p);
	/* Fewer octets than a header has. */
	for (uint32_t n = 0; n < 8; n++) {
		p = ipv6(0, DSTOPTS);
		put_ext(&p, UDP, 1);
		p.n -= 8 - n;
		finish(&p);
		assert_not_found(&p);
	}
}

static void
test_at_most_eight_extension_headers_are_read(void **state)
{
	(void)state;
	for (int n = 1; n <= 10; n++) {
		struct pkt p = ipv6(0, DSTOPTS);

		for (int i = 1; i < n; i++)
			put_ext(&p, DSTOPTS, 1);
		put_ext(&p, TCP, 1);
		put_n(&p, 20);
		finish(&p);
		if (n <= 8)
			assert_found(&p, TCP, p.n - 20, p.ip + 24);
		else
			assert_not_found(&p);
	}
}

static void
test_ipv6_fragments_are_refused_even_atomic_ones(void **state)
{
	(void)state;
	for (unsigned field = 0; field < 16; field++) {
		struct pkt p = ipv6(0, FRAGMENT);

		put8(&p, UDP);
		put8(&p, 0);
		put16(&p, field);
		put_n(&p, 4);
		put_n(&p, 8);
		finish(&p);
		assert_not_found(&p);
	}
}

/* UDP behind a routing header with room for @naddrs addresses. */
static struct pkt
routed(unsigned type, unsigned left, unsigned last_entry, unsigned naddrs)
{
	struct pkt p = ipv6(0, ROUTING);

	put8(&p, UDP);
	put8(&p, 2 * naddrs);
	put8(&p, type);
	put8(&p, left);
	put8(&p, last_entry);
	put_n(&p, 3);
	put_n(&p, 16 * naddrs);
	put_n(&p, 8);
	finish(&p);
	return p;
}

static void
test_routing_header_gives_the_final_destination(void **state)
{
	struct pkt p;
	uint32_t list;

	(void)state;
	for (unsigned n = 1; n <= 5; n++) {
		for (unsigned left = 0; left <= n; left++) {
			p = routed(0, left, 0, n);
			list = p.ip + 40 + 8;
			assert_found(&p, UDP, p.n - 8,
				     left ? list + 16 * (n - 1) : p.ip + 24);
			/* Segment routing lists the last one first. */
			p = routed(4, left, n - 1, n);
			assert_found(&p, UDP, p.n - 8, left ? list : p.ip + 24);
		}
	}
	p = routed(2, 1, 0, 1);
	assert_found(&p, UDP, p.n - 8, p.ip + 48);
	/* Segment routing with fewer segments than there is room for. */
	p = routed(4, 2, 1, 4);
	assert_found(&p, UDP, p.n - 8, p.ip + 48);
}

static void
test_last_of_two_routing_headers_decides(void **state)
{
	struct pkt p = ipv6(0, ROUTING);

	(void)state;
	PUT(&p, ROUTING, 2, 0, 1, 0, 0, 0, 0);
	put_n(&p, 16);
	PUT(&p, TCP, 4, 4, 1, 1, 0, 0, 0);
	put_n(&p, 32);
	put_n(&p, 20);
	finish(&p);
	assert_found(&p, TCP, p.n - 20, p.ip + 40 + 24 + 8);
}

static void
test_routing_headers_that_lie_or_are_unknown_are_refused(void **state)
{
	struct pkt p;

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		p = routed(type, 1, 0, 1);
		if (type != 0 && type != 2 && type != 4)
			assert_not_found(&p);
		p = routed(type, 0, 0, 1);
		assert_found(&p, UDP, p.n - 8, p.ip + 24);
		/* Segments left, none listed. */
		p = routed(type, 1, 0, 0);
		assert_not_found(&p);
	}
	p = routed(0, 3, 0, 2);
	assert_not_found(&p);
	p = routed(4, 3, 1, 4);
	assert_not_found(&p);
	p = routed(4, 1, 2, 2);
	assert_not_found(&p);
	/* Half an address. */
	p = routed(0, 1, 0, 2);
	p.o[p.ip + 41] = 3;
	assert_not_found(&p);
}

/* UDP behind destination options of 16 octets, of which these are the first. */
static struct pkt
with_dstopts(const uint8_t *options, uint32_t len)
{
	struct pkt p = ipv6(0, DSTOPTS);

	put8(&p, UDP);
	put8(&p, 1);
	for (uint32_t i = 0; i < 14; i++)
		put8(&p, i < len ? options[i] : 0);
	put_n(&p, 8);
	finish(&p);
	return p;
}

static void
test_home_address_option_is_refused(void **state)
{
	static const uint8_t good[][14] = {
		{0},
		{1, 12, 0xc9}, /* what is in a pad is no option */
		{4, 1, 0, 1, 0, 0x1e, 2, 9},
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0},
	};
	static const uint8_t bad[][14] = {
		{0xc9, 12},
		{1, 2, 0, 0, 0xc9, 0},
		{1, 0, 0, 0, 0xc9},
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc9},
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, /* no length */
		{1, 13},                                    /* too long */
		{1, 255},
	};
	struct pkt p;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		p = with_dstopts(good[i], 14);
		assert_found(&p, UDP, p.n - 8, p.ip + 24);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = with_dstopts(bad[i], 14);
		assert_not_found(&p);
	}
}

static void
test_transport_header_lies_wholly_within_the_datagram(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 24; n++) {
		for (int i = 0; i < 4; i++) {
			unsigned proto = i & 1 ? TCP : UDP;
			struct pkt p = i & 2 ? ipv4(0, proto) : ipv6(0, proto);
			uint32_t at = p.n;

			put_n(&p, n);
			finish(&p);
			if (n >= (proto == TCP ? 20u : 8u))
				assert_found(&p, proto, at,
					     p.ip + (i & 2 ? 16 : 24));
			else
				assert_not_found(&p);
		}
	}
}

/* Frames of every sort that the parser knows. */
static struct pkt
sample(int i)
{
	static const uint8_t route[] = {1, 131, 11, 4, 10, 0,
					0, 1,   10, 0, 0,  2};
	struct pkt p;

	switch (i) {
	case 0:
		p = ipv4(0, TCP);
		put_n(&p, 20 + 7);
		break;
	case 1:
		p = ipv4(2, UDP);
		put_n(&p, 8 + 1);
		break;
	case 2:
		return with_options(route, sizeof(route));
	case 3:
		p = ipv6(1, UDP);
		put_n(&p, 8);
		break;
	case 4:
		p = ipv6(0, HOP);
		put_ext(&p, DSTOPTS, 1);
		put_ext(&p, ROUTING, 2);
		PUT(&p, TCP, 4, 4, 1, 1, 0, 0, 0);
		put_n(&p, 32);
		put_n(&p, 20);
		break;
	default:
		return routed(0, 1, 0, 2);
	}
	finish(&p);
	return p;
}

enum { NSAMPLES = 6 };

static void
test_frame_cut_off_anywhere_is_refused(void **state)
{
	struct vnet_l4 l4;

	(void)state;
	for (int i = 0; i < NSAMPLES; i++) {
		struct pkt p = sample(i);

		assert_true(parse(&p, &l4));
		for (uint32_t len = 0; len < p.n; len++)
			assert_false(parse_len(&p, len, &l4));
	}
}

static void
test_option_that_is_cut_off_is_not_read_behind_the_frame(void **state)
{
	struct pkt p = ipv4(0, TCP);

	(void)state;
	PUT(&p, 1, 1, 1, 7);
	finish(&p);
	p.o[p.ip] = 0x46;
	assert_not_found(&p);

	p = ipv6(0, DSTOPTS);
	PUT(&p, UDP, 0, 0, 0, 0, 0, 0, 7);
	finish(&p);
	assert_not_found(&p);
}

static void
test_whatever_the_octets_hold_what_is_found_lies_within(void **state)
{
	struct vnet_l4 l4;
	uint32_t nfound = 0;

	(void)state;
	for (int round = 0; round < 60000; round++) {
		struct pkt p = sample(round % NSAMPLES);
		uint32_t len = p.n - (rnd(4) ? 0 : rnd(p.n));

		for (uint32_t n = 1 + rnd(3); n--;)
			p.o[12 + rnd(p.n - 12)] =
				(uint8_t)(rnd(2) ? rnd(256) : rnd(64));
		p.ntags = (uint8_t)rnd(3);
		if (!parse_len(&p, len, &l4))
			continue;
		nfound++;
		assert_true(l4.version == 4 || l4.version == 6);
		assert_true(l4.proto == TCP || l4.proto == UDP);
		assert_true(l4.ip >= 14 && l4.ip < l4.l4 && l4.l4 < l4.end);
		assert_true(l4.end <= len);
		assert_true(l4.end - l4.l4 >= (l4.proto == TCP ? 20u : 8u));
		assert_true(l4.dst >= l4.ip + 16);
		assert_true(l4.dst + (l4.version == 4 ? 4 : 16) <= l4.l4);
	}
	assert_true(nfound > 1000);
}

static void
test_payload_is_what_is_behind_header_and_two_tags(void **state)
{
	(void)state;
	for (int in = 0; in <= 4; in++) {
		for (uint8_t out = 0; out <= VNET_MAX_TAGS; out++) {
			struct pkt p = start(in, 0x0806);
			struct vnet_frame f = {.data = p.o, .ntags = out};
			uint32_t over = in + out > 2 ? in + out - 2u : 0;

			/* Tags in excess of two belong to the payload, not
			 * however those that travel out of band. */
			if (over > (uint32_t)in)
				over = (uint32_t)in;
			put_n(&p, 46);
			f.len = p.n;
			assert_int_equal(vnet_eth_payload(&f), 46 + 4 * over);
			assert_true(vnet_eth_payload(&f) <= f.len - 14);
		}
	}
}

static void
test_payload_of_short_frames_is_what_there_is(void **state)
{
	static const uint32_t expected[] = {
		/* 14 */ 0, 1,          2, 3, /* 18 */ 0, 1, 2,
		3,          /* 22 */ 0, 1, 2, 3,          4,
	};
	struct pkt p = start(3, 0x0800);

	(void)state;
	for (uint32_t len = 0; len <= 26; len++) {
		uint8_t *o = malloc(len ? len : 1);
		struct vnet_frame f = {.data = o, .len = len};

		assert_non_null(o);
		memcpy(o, p.o, len);
		assert_int_equal(vnet_eth_payload(&f),
				 len < 14 ? 0 : expected[len - 14]);
		free(o);
	}
}

static void
test_payload_does_not_depend_on_how_tags_travel(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct pkt p = start((int)rnd(4), rnd(2) ? 0x8100 : 0x0800);
		struct vnet_frame f = {
			.data = p.o,
			.ntags = (uint8_t)rnd(3),
			.tag = {{0x88a8, 1}, {0x8100, 2}},
		};
		uint8_t wire[4096];
		struct vnet_frame w = {.data = wire};
		uint32_t at;

		put_n(&p, rnd(60));
		f.len = p.n;
		at = vnet_eth_put_tags(wire, &f);
		assert_int_equal(at, 12 + 4 * f.ntags);
		memcpy(wire + at, p.o + 12, p.n - 12);
		w.len = at + p.n - 12;
		assert_int_equal(w.len, vnet_frame_octets(&f));
		assert_int_equal(vnet_eth_payload(&w), vnet_eth_payload(&f));
	}
}

static void
test_tags_are_written_outermost_first_in_network_order(void **state)
{
	static const uint8_t expected[] = {
		1,  2,  3,    4,    5,    6,    7,    8,    9,    10,
		11, 12, 0x88, 0xa8, 0xe1, 0x23, 0x81, 0x00, 0x0f, 0xff,
	};
	uint8_t octets[14] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0};
	uint8_t out[21] = {0};
	struct vnet_frame f = {
		.data = octets,
		.len = sizeof(octets),
		.ntags = 2,
		.tag = {{0x88a8, 0xe123}, {0x8100, 0x0fff}},
	};

	(void)state;
	out[20] = 0x55;
	assert_int_equal(vnet_eth_put_tags(out, &f), 20);
	assert_memory_equal(out, expected, 20);
	assert_int_equal(out[20], 0x55);
}

/* RFC 1071 as it is written: a number of 16 bits in network order. */
static uint32_t
naive_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum > 0xffff)
		sum = sum % 0x10000 + sum / 0x10000;
	return sum;
}

static uint32_t
folded(uint64_t sum)
{
	uint16_t native = vnet_csum_fold(sum);
	uint8_t o[2];

	memcpy(o, &native, 2);
	return (uint32_t)o[0] << 8 | o[1];
}

static void
test_sum_of_the_example_in_rfc_1071(void **state)
{
	static const uint8_t octets[] = {0x00, 0x01, 0xf2, 0x03,
					 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(folded(vnet_csum_add(0, octets, 8)), 0xddf2);
	assert_int_equal(folded(vnet_csum_add(0, octets, 0)), 0);
}

static void
test_sum_agrees_with_a_naive_one_at_every_length_and_alignment(void **state)
{
	(void)state;
	for (uint32_t len = 0; len < 150; len++) {
		for (uint32_t at = 0; at < 8; at++) {
			uint8_t *o = malloc(at + len + 1);

			assert_non_null(o);
			o = realloc(o, at + len ? at + len : 1);
			assert_non_null(o);
			for (uint32_t i = 0; i < at + len; i++)
				o[i] = (uint8_t)(rnd(3) ? rnd(256) : 255);
			assert_int_equal(folded(vnet_csum_add(0, o + at, len)),
					 naive_sum(0, o + at, len));
			free(o);
		}
	}
}

static void
test_sum_carries_over_every_octet_of_the_longest_datagram(void **state)
{
	static uint8_t octets[65535];
	uint64_t sum = 0;

	(void)state;
	memset(octets, 0xff, sizeof(octets));
	assert_int_equal(folded(vnet_csum_add(0, octets, sizeof(octets))),
			 naive_sum(0, octets, sizeof(octets)));
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)rnd(256);
	/* In pieces, of which all but the last are even. */
	for (uint32_t at = 0, n; at < sizeof(octets); at += n) {
		n = 2 * rnd(600);
		if (n > sizeof(octets) - at)
			n = (uint32_t)sizeof(octets) - at;
		sum = vnet_csum_add(sum, octets + at, n);
	}
	assert_int_equal(folded(sum), naive_sum(0, octets, sizeof(octets)));
}

static void
test_sum_of_the_pseudo_header_is_that_of_the_rfcs(void **state)
{
	(void)state;
	for (int i = 0; i < NSAMPLES; i++) {
		struct pkt p = sample(i);
		const uint8_t *ip = p.o + p.ip;
		uint8_t pseudo[40] = {0};
		struct vnet_l4 l4;
		uint32_t len;

		assert_true(parse(&p, &l4));
		len = l4.end - l4.l4;
		if (l4.version == 4) {
			/* RFC 9293, 3.1: source, destination, 0, protocol,
			 * length (16). */
			memcpy(pseudo, ip + 12, 4);
			memcpy(pseudo + 4, p.o + l4.dst, 4);
			pseudo[9] = l4.proto;
			pseudo[10] = (uint8_t)(len >> 8);
			pseudo[11] = (uint8_t)len;
		} else {
			/* RFC 8200, 8.1: length (32), 0, next header. */
			memcpy(pseudo, ip + 8, 16);
			memcpy(pseudo + 16, p.o + l4.dst, 16);
			pseudo[34] = (uint8_t)(len >> 8);
			pseudo[35] = (uint8_t)len;
			pseudo[39] = l4.proto;
		}
		assert_int_equal(folded(vnet_eth_sum_pseudo(p.o, &l4)),
				 naive_sum(0, pseudo, sizeof(pseudo)));
	}
}

static void
test_length_of_ipv4_is_set_with_identification_and_checksum(void **state)
{
	static const uint8_t route[] = {1, 131, 11, 4, 10, 0,
					0, 1,   10, 0, 0,  2};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct pkt p = i ? with_options(route, 12) : sample(0);
		uint8_t *ip = p.o + p.ip;
		struct pkt before;
		struct vnet_l4 l4;

		ip[4] = 0xff;
		ip[5] = 0xfe;
		before = p;
		assert_true(parse(&p, &l4));
		l4.end -= 3;
		vnet_eth_set_length(p.o, &l4, 5);
		assert_int_equal(ip[2] << 8 | ip[3], l4.end - l4.ip);
		assert_int_equal(ip[4] << 8 | ip[5], 3); /* it wraps */
		assert_int_equal(naive_sum(0, ip, l4.l4 - l4.ip), 0xffff);
		/* Nothing else changes. */
		memcpy(ip + 2, before.o + p.ip + 2, 4);
		memcpy(ip + 10, before.o + p.ip + 10, 2);
		assert_memory_equal(p.o, before.o, p.n);
	}
}

static void
test_length_of_ipv6_counts_extension_headers(void **state)
{
	struct pkt p = sample(4), before = p;
	struct vnet_l4 l4;

	(void)state;
	assert_true(parse(&p, &l4));
	l4.end += 300;
	vnet_eth_set_length(p.o, &l4, 5);
	assert_int_equal(p.o[p.ip + 4] << 8 | p.o[p.ip + 5],
			 p.n + 300 - p.ip - 40);
	memcpy(p.o + p.ip + 4, before.o + p.ip + 4, 2);
	assert_memory_equal(p.o, before.o, p.n);
}

static void
test_addresses_are_loaded_stored_and_classified(void **state)
{
	uint8_t o[14] = {0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 1, 8, 0};
	struct vnet_frame f = {.data = o, .len = 14};
	struct vnet_eth eth;
	uint8_t back[6];

	(void)state;
	assert_true(vnet_eth_parse(&f, &eth));
	assert_true(eth.dst == UINT64_C(0x0180c200000e));
	assert_true(eth.src == UINT64_C(0x020000000001));
	assert_true(vnet_mac_is_group(eth.dst));
	assert_false(vnet_mac_is_group(eth.src));
	assert_true(vnet_mac_is_reserved(eth.dst));
	assert_false(vnet_mac_is_reserved(UINT64_C(0x0180c2000010)));
	assert_false(vnet_mac_is_reserved(VNET_MAC_BROADCAST));
	vnet_mac_store(back, eth.dst);
	assert_memory_equal(back, o, 6);

	f.len = 13;
	assert_false(vnet_eth_parse(&f, &eth));
	f.len = 14;
	f.ntags = VNET_MAX_TAGS + 1;
	assert_false(vnet_eth_parse(&f, &eth));
}

static void
test_numbers_are_in_network_order(void **state)
{
	uint8_t o[5] = {0xff, 0x81, 0x02, 0x83, 0x04};

	(void)state;
	assert_int_equal(vnet_be16_load(o + 1), 0x8102);
	assert_true(vnet_be32_load(o + 1) == UINT32_C(0x81028304));
	vnet_be16_store(o + 1, 0xa5b6);
	assert_int_equal(o[1], 0xa5);
	assert_int_equal(o[2], 0xb6);
	vnet_be32_store(o + 1, UINT32_C(0xf1e2d3c4));
	assert_true(vnet_be32_load(o + 1) == UINT32_C(0xf1e2d3c4));
	assert_int_equal(o[1], 0xf1);
	assert_int_equal(o[4], 0xc4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_transport_is_found_behind_both_versions_of_ip),
		cmocka_unit_test(
			test_at_most_four_tags_are_read_wherever_they_travel),
		cmocka_unit_test(test_other_types_and_protocols_are_not_found),
		cmocka_unit_test(test_type_and_version_must_agree),
		cmocka_unit_test(
			test_octets_behind_the_datagram_are_not_part_of_it),
		cmocka_unit_test(test_ipv4_lengths_that_lie_are_refused),
		cmocka_unit_test(test_ipv4_fragments_are_refused),
		cmocka_unit_test(
			test_source_route_of_ipv4_gives_the_final_destination),
		cmocka_unit_test(test_options_of_ipv4_are_skipped_or_refused),
		cmocka_unit_test(test_ipv6_payload_length_that_lies_is_refused),
		cmocka_unit_test(test_extension_headers_are_skipped),
		cmocka_unit_test(test_extension_headers_that_lie_are_refused),
		cmocka_unit_test(test_at_most_eight_extension_headers_are_read),
		cmocka_unit_test(
			test_ipv6_fragments_are_refused_even_atomic_ones),
		cmocka_unit_test(
			test_routing_header_gives_the_final_destination),
		cmocka_unit_test(test_last_of_two_routing_headers_decides),
		cmocka_unit_test(
			test_routing_headers_that_lie_or_are_unknown_are_refused),
		cmocka_unit_test(test_home_address_option_is_refused),
		cmocka_unit_test(
			test_transport_header_lies_wholly_within_the_datagram),
		cmocka_unit_test(test_frame_cut_off_anywhere_is_refused),
		cmocka_unit_test(
			test_option_that_is_cut_off_is_not_read_behind_the_frame),
		cmocka_unit_test(
			test_whatever_the_octets_hold_what_is_found_lies_within),
		cmocka_unit_test(
			test_payload_is_what_is_behind_header_and_two_tags),
		cmocka_unit_test(test_payload_of_short_frames_is_what_there_is),
		cmocka_unit_test(
			test_payload_does_not_depend_on_how_tags_travel),
		cmocka_unit_test(
			test_tags_are_written_outermost_first_in_network_order),
		cmocka_unit_test(test_sum_of_the_example_in_rfc_1071),
		cmocka_unit_test(
			test_sum_agrees_with_a_naive_one_at_every_length_and_alignment),
		cmocka_unit_test(
			test_sum_carries_over_every_octet_of_the_longest_datagram),
		cmocka_unit_test(
			test_sum_of_the_pseudo_header_is_that_of_the_rfcs),
		cmocka_unit_test(
			test_length_of_ipv4_is_set_with_identification_and_checksum),
		cmocka_unit_test(test_length_of_ipv6_counts_extension_headers),
		cmocka_unit_test(
			test_addresses_are_loaded_stored_and_classified),
		cmocka_unit_test(test_numbers_are_in_network_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
