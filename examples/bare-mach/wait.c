/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting: for a word to change, for a lock, for a time.
 */
#include <mach/gnumach.h>

#include <bare.h>

/* GNU Mach's kern/gsync.h, which is in no package. */
#define GSYNC_TIMED     4
#define GSYNC_BROADCAST 8

bool
bare_wait(const uint32_t *word, uint32_t value, uint32_t timeout_ms)
{
	kern_return_t kr =
		gsync_wait(mach_task_self(), (vm_address_t)word, value, 0,
			   timeout_ms, timeout_ms ? GSYNC_TIMED : 0);

	return kr != KERN_TIMEDOUT;
}

void
bare_wake(const uint32_t *word, bool all)
{
	gsync_wake(mach_task_self(), (vm_address_t)word, 0,
		   all ? GSYNC_BROADCAST : 0);
}

void
bare_mutex_take(struct bare_mutex *l)
{
	uint32_t seen = 0;

	/* Pairs with bare_mutex_give(): what was done under the lock is seen. */
	if (__atomic_compare_exchange_n(&l->word, &seen, 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&l->word, 2, __ATOMIC_ACQUIRE) != 0)
		bare_wait(&l->word, 2, 0);
}

void
bare_mutex_give(struct bare_mutex *l)
{
	/* Pairs with bare_mutex_take(). */
	if (__atomic_exchange_n(&l->word, 0, __ATOMIC_RELEASE) == 2)
		bare_wake(&l->word, false);
}

void
bare_sleep_ms(uint32_t ms)
{
	const uint32_t word = 0;

	if (ms)
		bare_wait(&word, 0, ms);
}
