/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <unistd.h>

#include "complaint.h"
#include "socket_path.h"
#include "support.h"

static struct complaint c;

static void
test_a_complaint_returns_its_error(void **state)
{
	(void)state;
	assert_int_equal(complain(&c, -ENOENT, "no port \"%s\"", "web"),
			 -ENOENT);
	assert_string_equal(c.text, "no port \"web\"");
}

static void
test_what_does_not_print_is_replaced(void **state)
{
	(void)state;
	complain(&c, -EINVAL, "%s", "a\nb\033[2J\x7f\xc3\xbc~ ");
	assert_string_equal(c.text, "a?b?[2J???~ ");
}

static void
test_a_long_complaint_is_cut(void **state)
{
	char text[2 * COMPLAINT_SIZE];
	const struct vnet_why why = {.text = text, .found = 1};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	complain(&c, -EINVAL, "%s", text);
	assert_int_equal(strlen(c.text), COMPLAINT_SIZE - 1);
	complain_why(&c, -EPERM, text, &why);
	assert_int_equal(strlen(c.text), COMPLAINT_SIZE - 1);
	complain_why(&c, -EPERM, "tap", &why);
	assert_int_equal(strlen(c.text), COMPLAINT_SIZE - 1);
}

static void
test_what_libvnet_said_is_said(void **state)
{
	struct vnet_why why = {.text = "MTU too small", .found = 20};

	(void)state;
	assert_int_equal(complain_why(&c, -EINVAL, "web", &why), -EINVAL);
	assert_string_equal(c.text, "web: MTU too small: found 20");
	why.bound = 68;
	complain_why(&c, -EINVAL, "web", &why);
	assert_string_equal(c.text, "web: MTU too small: found 20, bound 68");
	why = (struct vnet_why){.text = "open /dev/net/tun"};
	complain_why(&c, -EPERM, "web", &why);
	assert_string_equal(c.text,
			    "web: open /dev/net/tun: Operation not permitted");
	complain_why(&c, -ENOENT, "web", NULL);
	assert_string_equal(c.text, "web: No such file or directory");
	why = (struct vnet_why){0};
	complain_why(&c, -EINVAL, "web", &why);
	assert_string_equal(c.text, "web: Invalid argument");
}

/* Root has one place, others their own. */
static void
test_the_socket_has_a_place(void **state)
{
	char path[108], expected[108];
	const bool is_root = geteuid() == 0;

	(void)state;
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	if (is_root) {
		socket_path(path, sizeof(path));
		assert_string_equal(path, "/run/vnet-switch.sock");
		assert_int_equal(seteuid(65534), 0);
	}
	socket_path(path, sizeof(path));
	assert_string_equal(path, "/run/user/7/vnet-switch.sock");

	(void)snprintf(expected, sizeof(expected),
		       "/tmp/vnet-switch-%u/vnet-switch.sock",
		       (unsigned int)geteuid());
	/* Not in a part of what it should be in. */
	socket_path(path, strlen(path));
	assert_memory_equal(path, expected, strlen(path));
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	socket_path(path, sizeof(path));
	assert_string_equal(path, expected);
	unsetenv("XDG_RUNTIME_DIR");
	socket_path(path, sizeof(path));
	assert_string_equal(path, expected);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_complaint_returns_its_error),
		cmocka_unit_test(test_what_does_not_print_is_replaced),
		cmocka_unit_test(test_a_long_complaint_is_cut),
		cmocka_unit_test(test_what_libvnet_said_is_said),
		cmocka_unit_test(test_the_socket_has_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
