/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of day, as they are printed in front of a line. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* "15:04:05.123456" and NUL. */
#define CLOCK_SIZE 20

/* Of a time of CLOCK_MONOTONIC, which is that of events. */
void clock_monotonic(char text[CLOCK_SIZE], uint64_t ns);

/* Of a time since 1970. */
void clock_real(char text[CLOCK_SIZE], uint64_t ns);

/* Milliseconds of CLOCK_MONOTONIC, to measure with. */
int64_t clock_ms(void);

#endif
