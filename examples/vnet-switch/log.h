/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines on stderr: "vnet-switch: LEVEL: text". For the thread that controls
 * alone. */
#ifndef LOG_H
#define LOG_H

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG,
};

/* What is beyond @level is not written; "error" to "debug", LOG_INFO for NULL
 * and all else. */
void log_set_level(const char *level);

/* One line, cut if it is too long. One that comes more than five times in ten
 * seconds is counted, and no more written. That nobody reads is no error. */
void log_write(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
