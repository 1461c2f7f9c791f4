/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"

#define NS_PER_S 1000000000

static uint64_t
read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void
clock_real(char text[CLOCK_SIZE], uint64_t ns)
{
	time_t s = (time_t)(ns / NS_PER_S);
	struct tm tm;

	if (!localtime_r(&s, &tm))
		memset(&tm, 0, sizeof(tm));
	snprintf(text, CLOCK_SIZE, "%02u:%02u:%02u.%06u",
		 (unsigned int)tm.tm_hour % 24, (unsigned int)tm.tm_min % 60,
		 (unsigned int)tm.tm_sec % 61,
		 (unsigned int)(ns % NS_PER_S / 1000));
}

void
clock_monotonic(char text[CLOCK_SIZE], uint64_t ns)
{
	clock_real(text, ns + read_clock(CLOCK_REALTIME) -
				 read_clock(CLOCK_MONOTONIC));
}

int64_t
clock_ms(void)
{
	return (int64_t)(read_clock(CLOCK_MONOTONIC) / 1000000);
}
