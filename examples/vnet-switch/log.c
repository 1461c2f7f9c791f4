/* SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define LINE_SIZE 1024

/* Lines that are remembered, and how often one is written in so long a time. */
#define MEMORY   16
#define WRITES   5
#define WINDOW_S 10

/* A line, and how often it has come since @at. */
struct line {
	uint64_t hash;
	time_t at;
	unsigned int n;
};

static const char *const names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

/* @unread: lines since one was written for which there was no room. */
static struct {
	enum log_level level;
	unsigned int unread;
	struct line lines[MEMORY];
} state = {.level = LOG_INFO};

void
log_set_level(const char *level)
{
	state.level = LOG_INFO;
	for (int i = LOG_ERROR; level && i <= LOG_DEBUG; i++)
		if (!strcmp(level, names[i]))
			state.level = (enum log_level)i;
}

static uint64_t
hash(const char *text)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	return h;
}

/* Where the line is remembered, or else the oldest. */
static struct line *
find_line(uint64_t h)
{
	struct line *oldest = &state.lines[0];

	for (struct line *l = state.lines; l < state.lines + MEMORY; l++) {
		if (l->hash == h)
			return l;
		if (l->at < oldest->at)
			oldest = l;
	}
	return oldest;
}

/* In one piece, so that lines of others do not mix with it. Whoever should read
 * it must not hold us up: what says that it has room has it for a line. */
static bool
write_line(const char *text, size_t len)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && p.revents & POLLOUT &&
	       write(STDERR_FILENO, text, len) >= 0;
}

/* "level: text", and behind it how many more @what there are, if any. */
static bool
put_line(enum log_level level, const char *text, unsigned int more,
	 const char *what)
{
	char line[LINE_SIZE + 64];
	int n;

	if (more)
		n = snprintf(line, sizeof(line),
			     "vnet-switch: %s: %s (and %u %s%s more)\n",
			     names[level], text, more, what,
			     more == 1 ? "" : "s");
	else
		n = snprintf(line, sizeof(line), "vnet-switch: %s: %s\n",
			     names[level], text);
	return write_line(line, (size_t)n);
}

static void
put(enum log_level level, const char *text, unsigned int missed)
{
	if (state.unread &&
	    put_line(LOG_WARNING, "the log was not read", state.unread, "line"))
		state.unread = 0;
	if (state.unread || !put_line(level, text, missed, "time"))
		state.unread++;
}

void
log_write(enum log_level level, const char *format, ...)
{
	char text[LINE_SIZE];
	unsigned int missed;
	struct timespec now;
	struct line *l;
	va_list args;
	uint64_t h;

	if (level > state.level)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';

	clock_gettime(CLOCK_MONOTONIC, &now);
	h = hash(text);
	l = find_line(h);
	if (l->hash == h && now.tv_sec - l->at < WINDOW_S) {
		if (l->n++ < WRITES)
			put(level, text, 0);
		return;
	}
	missed = l->hash == h && l->n > WRITES ? l->n - WRITES : 0;
	*l = (struct line){.hash = h, .at = now.tv_sec, .n = 1};
	put(level, text, missed);
}
