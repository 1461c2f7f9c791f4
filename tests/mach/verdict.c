/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever can go wrong in a test is seen, and told from all else.
 */
#include <string.h>

#include "guest/guest.h"

/* Written through these, for the compiler knows better than to do what this
 * program wants to do. */
static volatile uint32_t nowhere = 16;
static volatile uint32_t depth = 20;

static uint32_t
recurse(uint32_t n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n ? recurse(n - 1) + (uint32_t)room[0] : 0;
}

/* More than the stack of a thread, less than two of them, which lie side by
 * side. */
static void
overflow(void *arg)
{
	(void)arg;
	depth = recurse(depth);
}

static void
idle(void *arg)
{
	(void)arg;
	for (;;)
		bare_sleep_ms(1000);
}

int
main(int argc, char **argv)
{
	struct bare_thread *t;

	CHECK(argc > 1);
	if (strcmp(argv[1], "null") == 0)
		*(volatile int *)(uintptr_t)nowhere = 1;
	if (strcmp(argv[1], "stack") == 0) {
		bare_thread_create(NULL, 0, idle, NULL);
		bare_thread_create(&t, 0, overflow, NULL);
		bare_thread_join(t);
	}
	if (strcmp(argv[1], "hang") == 0)
		idle(NULL);
	CHECK(strcmp(argv[1], "check") != 0);
	return 0; /* without a verdict */
}
