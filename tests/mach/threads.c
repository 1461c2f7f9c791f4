/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads begin, end and leave nothing behind; a thread that waits sleeps until
 * it is woken; a lock keeps others out.
 */
#include "guest/guest.h"

#define NTHREADS 8
#define ROUNDS   2000

static struct bare_mutex lock;
static uint32_t counter;
static uint32_t word;
static volatile uint32_t spins, woken;

static void
count(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t n;

		bare_mutex_take(&lock);
		n = counter;
		/* Let others try: without the lock they would read the same. */
		if (i % 16 == 0)
			swtch();
		counter = n + 1;
		bare_mutex_give(&lock);
	}
}

static void
check_lock(void)
{
	struct bare_thread *threads[NTHREADS];

	for (int i = 0; i < NTHREADS; i++)
		CHECK_OK(bare_thread_create(&threads[i], 0, count, NULL));
	for (int i = 0; i < NTHREADS; i++)
		bare_thread_join(threads[i]);
	CHECK_EQ(counter, NTHREADS * ROUNDS);
}

static void
sleeper(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0) {
		spins++;
		bare_wait(&word, 0, 0);
	}
	__atomic_fetch_add(&woken, 1, __ATOMIC_RELEASE);
}

static void
check_wait(void)
{
	struct bare_thread *threads[3];
	vnet_nsec begin;

	for (int i = 0; i < 3; i++)
		CHECK_OK(bare_thread_create(&threads[i], 0, sleeper, NULL));
	bare_sleep_ms(100);
	/* Each looked once, and has slept since. */
	CHECK_EQ(spins, 3);
	/* One is woken, looks, and sleeps again. */
	bare_wake(&word, false);
	bare_sleep_ms(50);
	CHECK_EQ(spins, 4);
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	bare_wake(&word, false);
	bare_sleep_ms(50);
	CHECK_EQ(woken, 1);
	bare_wake(&word, true);
	for (int i = 0; i < 3; i++)
		bare_thread_join(threads[i]);
	CHECK_EQ(woken, 3);
	CHECK_EQ(spins, 4);

	/* Another value: nobody would wake us. */
	CHECK(bare_wait(&word, 0, 0));
	begin = bare_now();
	CHECK(!bare_wait(&word, 1, 100));
	CHECK(bare_now() - begin >= 80 * 1000000);
}

static void
sleep_forever(void *arg)
{
	(void)arg;
	for (;;)
		bare_wait(&counter, counter, 0);
}

static void
vanish(void *arg)
{
	bare_sleep_ms(1); /* which takes a right to reply to */
	__atomic_fetch_add((uint32_t *)arg, 1, __ATOMIC_RELEASE);
}

int
main(int argc, char **argv)
{
	uint32_t names, memory, vanished = 0;
	struct bare_thread *t;

	(void)argc;
	(void)argv;
	bare_sleep_ms(1);
	names = guest_count_names(mach_task_self());
	memory = guest_memory(mach_task_self());
	check_lock();
	check_wait();

	CHECK_OK(bare_thread_create(&t, 0, sleep_forever, NULL));
	bare_sleep_ms(20);
	CHECK_OK(bare_thread_kill(t));
	bare_thread_join(t);

	for (int i = 0; i < 20; i++)
		CHECK_OK(bare_thread_create(NULL, 0, vanish, &vanished));
	bare_sleep_ms(100);
	CHECK_EQ(vanished, 20);

	if (guest_count_names(mach_task_self()) != names)
		guest_print_names(mach_task_self());
	CHECK_EQ(guest_count_names(mach_task_self()), names);
	CHECK_EQ(guest_memory(mach_task_self()), memory);
	guest_pass();
}
