/* SPDX-License-Identifier: BSD-2-Clause */
/* Times, as they are printed in front of a line. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* "2026-11-22 15:04:05.123456" and NUL, also of a year that nobody sees. */
#define CLOCK_SIZE 32

/* Day and time of a time of CLOCK_MONOTONIC, which is that of events. */
void clock_monotonic(char text[CLOCK_SIZE], uint64_t ns);

/* Day and time of now, without what is less than a second. */
void clock_now(char text[CLOCK_SIZE]);

/* "15:04:05.123456" of a time since 1970. */
void clock_real(char text[CLOCK_SIZE], uint64_t ns);

/* Milliseconds of CLOCK_MONOTONIC, to measure with. */
int64_t clock_ms(void);

#endif
