/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a configuration file, with those that it includes. */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include <stddef.h>

#include "complaint.h"

struct conf_source;

/*
 * Read a file, or take text that is in memory, for which @name stands. What is
 * included is in it from then on: where a line is "@include "PATH"", PATH (of
 * which a relative one begins where the file is that includes it). What
 * libconfig would choke on is refused. NULL with @c filled: "FILE:LINE: ...".
 */
struct conf_source *conf_source_read(const char *path, struct complaint *c);
struct conf_source *conf_source_take(const char *text, const char *name,
				     struct complaint *c);
void conf_source_free(struct conf_source *s);

/* All of it. */
const char *conf_source_text(const struct conf_source *s);

/* Where a line of the text, counted from 1, was written: "FILE:LINE"; 0 for all
 * of it: "FILE". */
void conf_source_where(const struct conf_source *s, unsigned int line,
		       char *text, size_t size);

#endif
