/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loop probes: which frames are read as such, and what they say. Every frame
 * lies in memory of exactly its size, for the sanitizer.
 */
#include "support.h"
#include "probe.h"

#define CLIENT UINT64_C(0xaabbccdd00000001)
#define NUMBER UINT64_C(0xfe)
#define TAGS   (2 * VNET_MAX_TAGS)

/* The key of SipHash's paper. */
static const struct vnet_probe_key key = {
	.k = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)},
	.src = UINT64_C(0x02123456789a),
};

/* A probe under key, and the octets of it that mean something. */
#define MEANT 44
static const uint8_t probe[VNET_PROBE_LEN] = {
	0x03, 0x76, 0x6e, 0x65, 0x74, 0x01,             /* destination */
	0x02, 0x12, 0x34, 0x56, 0x78, 0x9a,             /* source */
	0x88, 0xb5,                                     /* EtherType */
	'v',  'n',  'e',  't',  1,    0,                /* version 1 */
	0xaa, 0xbb, 0xcc, 0xdd, 0x00, 0x00, 0x00, 0x01, /* client */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xfe, /* number */
	0x00, 0x3e, 0x87, 0xec, 0x04, 0xd9, 0xb4, 0x55, /* OpenSSL's SipHash */
};

/* Is this a probe under @k? Then it says CLIENT and NUMBER, else nothing. */
static bool
is_probe_under(const struct vnet_probe_key *k, const uint8_t *data,
	       uint32_t len, int ntags)
{
	uint8_t *copy = malloc(len);
	struct vnet_frame f = {
		.data = copy,
		.len = len,
		.ntags = (uint8_t)ntags,
		.tag = {{0x88a8, 5}, {0x8100, 6}},
	};
	vnet_client_id client = 1;
	uint64_t number = 2;
	bool found;

	assert_non_null(copy);
	memcpy(copy, data, len);
	found = vnet_probe_read(&f, k, &client, &number);
	free(copy);
	assert_true(client == (found ? CLIENT : UINT64_C(1)));
	assert_true(number == (found ? NUMBER : 2));
	return found;
}

static bool
is_probe(const uint8_t *data, uint32_t len, int ntags)
{
	return is_probe_under(&key, data, len, ntags);
}

/* The probe with @ntags tags in its octets, at @data. Returns its length. */
static uint32_t
put_tagged(uint8_t *data, int ntags)
{
	memcpy(data, probe, 12);
	data += 12;
	for (int i = 0; i < ntags; i++, data += 4)
		memcpy(data, i % 2 ? "\x81\x00\x20\x07" : "\x88\xa8\x00\x08",
		       4);
	memcpy(data, probe + 12, sizeof(probe) - 12);
	return (uint32_t)sizeof(probe) + 4 * (uint32_t)ntags;
}

static void
test_probe_is_made_to_the_octet(void **state)
{
	uint8_t data[VNET_PROBE_LEN];

	(void)state;
	memset(data, 0xa5, sizeof(data));
	vnet_probe_make(data, &key, CLIENT, NUMBER);
	assert_memory_equal(data, probe, sizeof(data));
}

static void
test_probe_says_what_was_put_in(void **state)
{
	(void)state;
	assert_true(is_probe(probe, sizeof(probe), 0));
	/* Its padding is not needed. */
	assert_true(is_probe(probe, MEANT, 0));
}

static void
test_probe_is_read_behind_tags_wherever_they_travel(void **state)
{
	uint8_t data[VNET_PROBE_LEN + 4 * (TAGS + 1)];

	(void)state;
	for (int inside = 0; inside <= TAGS + 1; inside++) {
		uint32_t len = put_tagged(data, inside);

		for (int outside = 0; outside <= VNET_MAX_TAGS; outside++)
			assert_int_equal(is_probe(data, len, outside),
					 inside + outside <= TAGS);
	}
}

static void
test_probe_that_is_cut_off_is_none(void **state)
{
	uint8_t data[VNET_PROBE_LEN + 4 * TAGS];

	(void)state;
	for (int ntags = 0; ntags <= TAGS; ntags++) {
		uint32_t least = MEANT + 4 * (uint32_t)ntags;

		(void)put_tagged(data, ntags);
		for (uint32_t len = VNET_ETH_HEADER_LEN; len < least; len++)
			assert_false(is_probe(data, len, 0));
		assert_true(is_probe(data, least, 0));
	}
}

static void
test_probe_that_was_changed_is_none(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 8 * sizeof(probe); bit++) {
		uint32_t at = bit / 8;
		uint8_t data[VNET_PROBE_LEN];

		memcpy(data, probe, sizeof(data));
		data[at] ^= (uint8_t)(1 << bit % 8);
		/* But for its source and padding. */
		assert_int_equal(is_probe(data, sizeof(data), 0),
				 (at >= 6 && at < 12) || at >= MEANT);
	}
}

static void
test_probe_of_another_switch_is_none(void **state)
{
	struct vnet_probe_key other = key;

	(void)state;
	other.k[1] ^= UINT64_C(1) << 63;
	assert_false(is_probe_under(&other, probe, sizeof(probe), 0));
	other.k[1] = key.k[1];
	other.k[0] ^= 1;
	assert_false(is_probe_under(&other, probe, sizeof(probe), 0));
}

static void
test_any_port_and_number_come_back(void **state)
{
	struct test_random r = {20261122};
	struct vnet_probe_key k;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t client = (uint64_t)test_random(&r) << 32 | (unsigned)i;
		uint64_t number =
			(uint64_t)test_random(&r) << 32 | ~client >> 32;
		uint8_t data[VNET_PROBE_LEN];
		struct vnet_frame f = {.data = data, .len = sizeof(data)};
		vnet_client_id client_read;
		uint64_t number_read;

		vnet_probe_key_init(&k, number);
		vnet_probe_make(data, &k, client, number);
		assert_true(
			vnet_probe_read(&f, &k, &client_read, &number_read));
		assert_true(client_read == client);
		assert_true(number_read == number);
	}
}

static void
test_keys_follow_from_the_seed(void **state)
{
	struct vnet_probe_key a, b;

	(void)state;
	memset(&a, 0xa5, sizeof(a));
	vnet_probe_key_init(&a, 1);
	vnet_probe_key_init(&b, 1);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(a.k[0] != a.k[1]);

	for (int bit = 0; bit < 64; bit++) {
		vnet_probe_key_init(&b, 1 ^ UINT64_C(1) << bit);
		assert_true(a.k[0] != b.k[0] && a.k[1] != b.k[1]);
		assert_true(a.src != b.src);
		/* An individual address, of local administration. */
		assert_true(b.src >> 40 == 0x02);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe_is_made_to_the_octet),
		cmocka_unit_test(test_probe_says_what_was_put_in),
		cmocka_unit_test(
			test_probe_is_read_behind_tags_wherever_they_travel),
		cmocka_unit_test(test_probe_that_is_cut_off_is_none),
		cmocka_unit_test(test_probe_that_was_changed_is_none),
		cmocka_unit_test(test_probe_of_another_switch_is_none),
		cmocka_unit_test(test_any_port_and_number_come_back),
		cmocka_unit_test(test_keys_follow_from_the_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
