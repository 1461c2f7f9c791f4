/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The laws (../laws/), on the fake kernel: that it is like the other.
 */
#include "fake_kernel.h"
#include "laws.h"
#include "support.h"

void
law_is_broken(const char *file, int line, const char *what, long is,
	      long expected)
{
	(void)file;
	fail_msg("laws.c:%d: %s is %#lx, not %#lx", line, what, is, expected);
}

static void
run(void **state)
{
	const struct law *law = *state;
	struct fake_holdings before, after;
	struct fake_task *t;

	fake_begin();
	t = fake_task_new();
	fake_enter(t);
	fake_kernel.catch_faults(MACH_PORT_NULL);
	before = fake_holdings(t);
	law->run(&fake_kernel);
	after = fake_holdings(t);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(fake_end(), 0);
}

int
main(void)
{
	struct CMUnitTest tests[64];

	assert_true(nlaws <= 64);
	for (size_t i = 0; i < nlaws; i++)
		tests[i] = (struct CMUnitTest){
			.name = laws[i].what,
			.test_func = run,
			.initial_state = (void *)(uintptr_t)&laws[i],
		};
	return _cmocka_run_group_tests("laws", tests, nlaws, NULL, NULL);
}
