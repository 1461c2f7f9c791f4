/* SPDX-License-Identifier: BSD-2-Clause */
#include "support.h"
#include "siphash.h"

/* The key of the paper's appendix A: octets 00 to 0f. */
static const uint64_t key[] = {UINT64_C(0x0706050403020100),
			       UINT64_C(0x0f0e0d0c0b0a0908)};

/* Of the octets 00, 01, 02, ..., @len of them, in memory of exactly that
 * size. */
static uint64_t
hash_of(size_t len)
{
	uint8_t *p = malloc(len ? len : 1);
	uint64_t hash;

	assert_non_null(p);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)i;
	hash = vnet_siphash(key, p, len);
	free(p);
	return hash;
}

static void
test_hash_is_that_of_the_paper(void **state)
{
	(void)state;
	assert_true(hash_of(15) == UINT64_C(0xa129ca6149be45e5));
}

/* The numbers are what another implementation, OpenSSL's, gives. */
static void
test_hash_of_any_length_is_that_of_another_implementation(void **state)
{
	static const uint64_t hash[] = {
		UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd),
		UINT64_C(0x0d6c8009d9a94f5a), UINT64_C(0x85676696d7fb7e2d),
		UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
		UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137),
		UINT64_C(0x93f5f5799a932462), UINT64_C(0x9e0082df0ba9e4b0),
	};

	(void)state;
	for (size_t len = 0; len < sizeof(hash) / sizeof(hash[0]); len++)
		assert_true(hash_of(len) == hash[len]);
	assert_true(hash_of(16) == UINT64_C(0x3f2acc7f57c29bdb));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_that_of_the_paper),
		cmocka_unit_test(
			test_hash_of_any_length_is_that_of_another_implementation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
