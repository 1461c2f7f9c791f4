/* SPDX-License-Identifier: BSD-2-Clause */
/* The filters of the fake NIC, as the kernel's own device answers to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nic_filter.h"

#define BPF      0x401
#define N(words) (sizeof(words) / sizeof((words)[0]))
#define RET(k)   0x06, 0, (k), 0

static uint8_t frame[100];

static int
make_frame(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i + 1);
	frame[12] = 0x08;
	frame[13] = 0x00;
	return 0;
}

static long
run(const uint16_t *words, size_t n)
{
	assert_true(nic_filter_is_good(words, n));
	return nic_filter_run(words, n, frame, sizeof(frame));
}

static void
test_what_the_kernel_refuses_is_refused(void **state)
{
	static const struct {
		uint16_t words[12];
		size_t n;
	} bad[] = {
		{{0}, 0},
		{{0}, 1},    /* no direction */
		{{1, 1}, 2}, /* PUSHLIT at the end */
		{{BPF}, 1},  /* the header is four words */
		{{BPF}, 4},  /* and nothing behind it */
		{{BPF, 0, 0, 0, RET(1)}, 7},
		{{BPF, 0, 0, 0, 0xff, 0, 0, 0}, 8},
		{{BPF, 0, 0, 0, 0x00, 0, 1, 0}, 8}, /* no RET */
		{{BPF, 0, 0, 0, 0x05, 0, 1, 0, RET(1)}, 12},
		{{BPF, 0, 0, 0, 0x15, 0x0001, 0, 0, RET(1)}, 12},
		{{BPF, 0, 0, 0, 0x15, 0x0100, 0, 0, RET(1)}, 12},
		{{0x801, 0, 0, 0, RET(1)}, 8},
	};

	(void)state;
	for (size_t i = 0; i < N(bad); i++)
		assert_false(nic_filter_is_good(bad[i].words, bad[i].n));
}

static void
test_one_word_takes_all(void **state)
{
	static const uint16_t all[] = {1};
	static const uint16_t literal[] = {1, 1, 1};
	static const uint16_t none[] = {1, 2};

	(void)state;
	assert_int_equal(run(all, N(all)), 86);
	assert_int_equal(run(literal, N(literal)), 86);
	assert_int_equal(run(none, N(none)), -1);
}

static void
test_ret_counts_octets_behind_the_header(void **state)
{
	static const uint16_t ret20[] = {BPF, 0, 0, 0, RET(20)};
	static const uint16_t ret0[] = {BPF, 0, 0, 0, RET(0)};
	static const uint16_t ret1500[] = {BPF, 0, 0, 0, RET(1500)};
	/* ld len; ret a */
	static const uint16_t len[] = {BPF, 0, 0,    0, 0x80, 0,
				       0,   0, 0x16, 0, 0,    0};

	(void)state;
	assert_int_equal(run(ret20, N(ret20)), 20);
	assert_int_equal(run(ret0, N(ret0)), -1);
	assert_int_equal(run(ret1500, N(ret1500)), 86);
	assert_int_equal(run(len, N(len)), 86);
}

/* ldh [12]; jeq #0x800, ret 7, ret 0 */
static void
test_type_is_looked_at_in_both_languages(void **state)
{
	static const uint16_t bpf[] = {BPF,   0,  0,      0,     0x28,
				       0,     12, 0,      0x15,  0x0100,
				       0x800, 0,  RET(7), RET(0)};
	/* PUSHWORD+1; PUSHLIT EQ, as a PC reads it */
	static const uint16_t stack[] = {1, 16 + 1, 1 | 1 << 10, 0x0008};

	(void)state;
	assert_int_equal(run(bpf, N(bpf)), 7);
	assert_int_equal(run(stack, N(stack)), 86);
	frame[12] = 0x86;
	assert_int_equal(run(bpf, N(bpf)), -1);
	assert_int_equal(run(stack, N(stack)), -1);
}

static void
test_loads_are_of_the_frame(void **state)
{
	/* ld [k]; ret a, with what is there as the verdict: of one octet. */
	uint16_t octet[] = {BPF, 0, 0, 0, 0x30, 0, 0, 0, 0x16, 0, 0, 0};

	(void)state;
	for (uint16_t k = 0; k < 110; k++) {
		octet[6] = k;
		if (k >= sizeof(frame))
			assert_int_equal(run(octet, N(octet)), -1);
		else if (frame[k])
			assert_int_equal(run(octet, N(octet)),
					 frame[k] < 86 ? frame[k] : 86);
	}
}

static void
test_stack_that_underflows_takes_nothing(void **state)
{
	static const uint16_t underflow[] = {1, 1 << 10, 1 << 10};

	(void)state;
	assert_int_equal(run(underflow, N(underflow)), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_kernel_refuses_is_refused),
		cmocka_unit_test_setup(test_one_word_takes_all, make_frame),
		cmocka_unit_test_setup(test_ret_counts_octets_behind_the_header,
				       make_frame),
		cmocka_unit_test_setup(test_type_is_looked_at_in_both_languages,
				       make_frame),
		cmocka_unit_test_setup(test_loads_are_of_the_frame, make_frame),
		cmocka_unit_test_setup(test_stack_that_underflows_takes_nothing,
				       make_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
