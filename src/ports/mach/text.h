/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings, where there is no libc.
 */
#ifndef VNET_MACH_TEXT_H
#define VNET_MACH_TEXT_H

#include <stddef.h>

/* Octets of a string without its NUL, @max at the most. */
static inline size_t
length(const char *text, size_t max)
{
	size_t n = 0;

	while (n < max && text[n])
		n++;
	return n;
}

#endif
