/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon explains of a frame, for people. */
#ifndef EXPLAIN_TEXT_H
#define EXPLAIN_TEXT_H

#include <stdio.h>

#include <jansson.h>

#include "status.h"

/* Its steps, a numbered line each, and a table of its destinations. */
enum status explain_text(FILE *f, const json_t *explained, struct complaint *c);

#endif
