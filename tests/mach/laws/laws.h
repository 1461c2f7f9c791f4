/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel does with rights, messages and memory, as far as the server, and
 * the fake kernel of its tests, rely on it. The same code is run on both: what
 * holds on one alone is found.
 *
 * Each law leaves its task as it was: whoever runs it compares the names and the
 * memory.
 */
#ifndef VNET_TEST_LAWS_H
#define VNET_TEST_LAWS_H

#include "sys.h"

struct law {
	const char *what;
	void (*run)(const struct vnet_mach_sys *sys);
};

extern const struct law laws[];
extern const size_t nlaws;

/* Of whoever runs them: it does not hold. Does not return. */
void law_is_broken(const char *file, int line, const char *what, long is,
		   long expected);

#define LAW_EQ(is, expected)                                         \
	do {                                                         \
		long is_ = (long)(is), expected_ = (long)(expected); \
                                                                     \
		if (is_ != expected_)                                \
			law_is_broken(__FILE__, __LINE__, #is, is_,  \
				      expected_);                    \
	} while (0)

#endif
