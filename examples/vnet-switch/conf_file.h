/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files, in the format of libconfig. */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include <jansson.h>

#include "complaint.h"

/* Read and check a file. Returns the configuration in normal form (schema.h), a
 * new reference; or NULL with @c filled: "FILE:LINE: ...". */
json_t *conf_file_read(const char *path, struct complaint *c);

/* The same of text that is in memory; @name stands for FILE. */
json_t *conf_file_parse(const char *text, const char *name,
			struct complaint *c);

/* The text of a file that says the same, in memory to be freed; NULL if there
 * is none. */
char *conf_file_text(const json_t *config);

#endif
