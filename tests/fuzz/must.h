/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a fuzzer is to find: something that is not so.
 */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#define MUST(x)                           \
	do {                              \
		if (!(x))                 \
			__builtin_trap(); \
	} while (0)

#endif
