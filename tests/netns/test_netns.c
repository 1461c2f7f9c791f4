/* SPDX-License-Identifier: BSD-2-Clause */
/* Run by netns.sh in namespaces, with one that is named "other" and is not the
 * one it runs in. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "netns.h"

static ino_t
inode(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static ino_t
here(void)
{
	return inode("/proc/thread-self/ns/net");
}

static int
note_where(void *arg)
{
	*(ino_t *)arg = here();
	return -1234;
}

static void
test_step_is_done_inside_and_the_caller_stays(void **state)
{
	ino_t before = here(), inside = 0;
	int ns = vnet_netns_open("other");

	(void)state;
	assert_true(ns >= 0);
	assert_int_equal(vnet_netns_call(ns, note_where, &inside), -1234);
	assert_true(inside == inode("/run/netns/other"));
	assert_true(inside != before);
	assert_true(here() == before);
	vnet_netns_close(ns);
}

static void
test_no_namespace_is_the_one_we_are_in(void **state)
{
	ino_t inside = 0;

	(void)state;
	assert_int_equal(vnet_netns_open(NULL), NETNS_HERE);
	assert_int_equal(vnet_netns_call(NETNS_HERE, note_where, &inside),
			 -1234);
	assert_true(inside == here());
}

static void
test_namespace_is_found_by_name_path_and_process(void **state)
{
	ino_t where = inode("/run/netns/other");
	const char *names[] = {"other", "/run/netns/other", "netns/other"};
	char pid[16];
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(chdir("/run"), 0);
	for (int i = 0; i < 3; i++) {
		fd = vnet_netns_open(names[i]);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(st.st_ino == where);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		vnet_netns_close(fd);
	}
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	fd = vnet_netns_open(pid);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_ino == here());
	vnet_netns_close(fd);
}

static void
test_what_is_none_is_refused(void **state)
{
	(void)state;
	assert_int_equal(vnet_netns_open("missing"), -ENOENT);
	assert_int_equal(vnet_netns_open("999999999"), -ENOENT);
	assert_int_equal(vnet_netns_open("/run/missing"), -ENOENT);
	assert_int_equal(vnet_netns_open(""), -EINVAL);
	assert_int_equal(vnet_netns_open(".."), -EINVAL);
	assert_int_equal(vnet_netns_open("/dev/null"), -EINVAL);
	assert_int_equal(vnet_netns_open("/proc/self/ns/mnt"), -EINVAL);
	/* Neither of these may hold us up. */
	assert_int_equal(mkfifo("/run/fifo", 0600), 0);
	assert_int_equal(vnet_netns_open("/run/fifo"), -EINVAL);
}

static void
test_namespace_that_cannot_be_entered_is_an_error(void **state)
{
	ino_t before = here(), inside = 0;
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(vnet_netns_call(fd, note_where, &inside), -EINVAL);
	assert_true(inside == 0);
	assert_true(here() == before);
	close(fd);
}

static volatile sig_atomic_t nsignals;

static void
count_signal(int signal)
{
	(void)signal;
	nsignals++;
}

static int
signal_process(void *arg)
{
	sigset_t blocked;

	(void)arg;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	return sigismember(&blocked, SIGUSR1) && sigismember(&blocked, SIGTERM);
}

static void
test_signals_stay_with_the_program(void **state)
{
	int ns = vnet_netns_open("other");
	sigset_t blocked;

	(void)state;
	signal(SIGUSR1, count_signal);
	assert_int_equal(vnet_netns_call(ns, signal_process, NULL), 1);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	assert_false(sigismember(&blocked, SIGUSR1));
	raise(SIGUSR1);
	assert_int_equal(nsignals, 1);
	vnet_netns_close(ns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step_is_done_inside_and_the_caller_stays),
		cmocka_unit_test(test_no_namespace_is_the_one_we_are_in),
		cmocka_unit_test(
			test_namespace_is_found_by_name_path_and_process),
		cmocka_unit_test(test_what_is_none_is_refused),
		cmocka_unit_test(
			test_namespace_that_cannot_be_entered_is_an_error),
		cmocka_unit_test(test_signals_stay_with_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
