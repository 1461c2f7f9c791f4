/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for people. */
#ifndef UNITS_H
#define UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Octets that any of these needs. */
#define UNITS_SIZE 32

/* Three digits and k, M, G, T: "0", "999", "1.23k", "12.3M". */
const char *units_short(char text[UNITS_SIZE], double number);

/* "3 s", "5 min 3 s", "2 h 5 min", "10 d 2 h". */
const char *units_duration(char text[UNITS_SIZE], uint64_t ns);

/* "1 port", "2 ports": @more is added to @name for all numbers but 1. */
const char *units_count(char text[UNITS_SIZE], uint64_t number,
			const char *name, const char *more);

/* "512 B", "64.0 KiB", "16.0 MiB". */
const char *units_octets(char text[UNITS_SIZE], uint64_t octets);

#endif
