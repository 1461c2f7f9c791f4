/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every file of the core may use. The core is C11 with <string.h>,
 * <errno.h> and the freestanding headers: no operating system, no clock, no
 * thread, no log, no global that changes.
 */
#ifndef VNET_CORE_H
#define VNET_CORE_H

#include <vnet/types.h>

/* What only we could break. A trap, for there is nobody to print to. */
#define VNET_ASSERT(x)                    \
	do {                              \
		if (vnet_unlikely(!(x)))  \
			__builtin_trap(); \
	} while (0)

#define vnet_likely(x)   __builtin_expect(!!(x), 1)
#define vnet_unlikely(x) __builtin_expect(!!(x), 0)

/* For the few functions that the data path cannot afford to call. */
#define VNET_INLINE static inline __attribute__((always_inline))

/* For what the data path seldom does: not to be in the way of what it does. */
#define VNET_COLD       __attribute__((noinline, cold))

#define VNET_CACHE_LINE 64

#endif
