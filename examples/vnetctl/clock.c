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

static struct tm
local(uint64_t ns)
{
	time_t s = (time_t)(ns / NS_PER_S);
	struct tm tm;

	if (!localtime_r(&s, &tm))
		memset(&tm, 0, sizeof(tm));
	return tm;
}

/* strftime() counts 0 where there is no room. */
static void
put(char text[CLOCK_SIZE], const char *day, uint64_t ns)
{
	struct tm tm = local(ns);
	size_t len = strftime(text, CLOCK_SIZE, day, &tm);

	snprintf(text + len, CLOCK_SIZE - len, "%02u:%02u:%02u.%06u",
		 (unsigned int)tm.tm_hour % 24, (unsigned int)tm.tm_min % 60,
		 (unsigned int)tm.tm_sec % 61,
		 (unsigned int)(ns % NS_PER_S / 1000));
}

void
clock_real(char text[CLOCK_SIZE], uint64_t ns)
{
	put(text, "", ns);
}

void
clock_monotonic(char text[CLOCK_SIZE], uint64_t ns)
{
	put(text, "%F ",
	    ns + read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC));
}

void
clock_now(char text[CLOCK_SIZE])
{
	struct tm tm = local(read_clock(CLOCK_REALTIME));

	if (!strftime(text, CLOCK_SIZE, "%F %T", &tm))
		*text = '\0';
}

int64_t
clock_ms(void)
{
	return (int64_t)(read_clock(CLOCK_MONOTONIC) / 1000000);
}
