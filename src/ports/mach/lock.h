/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock between the threads of a task, fair to nobody: held for the time that a
 * frame takes.
 */
#ifndef VNET_MACH_LOCK_H
#define VNET_MACH_LOCK_H

#include "sys.h"

struct vnet_mach_mutex {
	uint32_t word; /* 0 free, 1 held, 2 held and somebody may sleep */
};

static inline void
vnet_mach_mutex_take(struct vnet_mach_mutex *l, const struct vnet_mach_sys *sys)
{
	uint32_t seen = 0;

	/* Pairs with the release below: what was done under the lock is seen. */
	if (__atomic_compare_exchange_n(&l->word, &seen, 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&l->word, 2, __ATOMIC_ACQUIRE) != 0)
		sys->wait(&l->word, 2);
}

static inline void
vnet_mach_mutex_give(struct vnet_mach_mutex *l, const struct vnet_mach_sys *sys)
{
	/* Pairs with the acquire above. */
	if (__atomic_exchange_n(&l->word, 0, __ATOMIC_RELEASE) == 2)
		sys->wake(&l->word, false);
}

#endif
