/* SPDX-License-Identifier: BSD-2-Clause */
/* The version that headers and library say is that of the project, PROJECT_VERSION. */
#include "support.h"

static void
test_version_is_that_of_the_project(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(VNET_VERSION_STRING, PROJECT_VERSION);
	snprintf(text, sizeof(text), "%d.%d.%d", VNET_VERSION_MAJOR,
		 VNET_VERSION_MINOR, VNET_VERSION_PATCH);
	assert_string_equal(text, PROJECT_VERSION);
	assert_string_equal(vnet_version(), PROJECT_VERSION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_is_that_of_the_project),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
