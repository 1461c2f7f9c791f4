/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "complaint.h"

/* A terminal must not obey what somebody has sent. */
static void
make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int
complain(struct complaint *c, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(c->text, sizeof(c->text), format, args);
	va_end(args);
	make_printable(c->text);
	return error;
}

static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + len, size - len, format, args);
	va_end(args);
}

int
complain_why(struct complaint *c, int error, const char *what,
	     const struct vnet_why *why)
{
	char text[COMPLAINT_SIZE] = "";

	append(text, sizeof(text), "%s", what);
	if (why && why->text)
		append(text, sizeof(text), ": %s", why->text);
	if (why && (why->found || why->bound))
		append(text, sizeof(text), ": found %" PRIu64, why->found);
	if (why && why->bound)
		append(text, sizeof(text), ", bound %" PRIu64, why->bound);
	/* That it is wrong is said by what is wrong. */
	if (error != -EINVAL || !why || !why->text)
		append(text, sizeof(text), ": %s", strerror(-error));
	return complain(c, error, "%s", text);
}
