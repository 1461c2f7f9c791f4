/* SPDX-License-Identifier: BSD-2-Clause */
/* --json: one line an answer, laid out for the eye on a terminal. */
#ifndef PRINT_JSON_H
#define PRINT_JSON_H

#include <stdio.h>

#include "client.h"

/* Ask, and print the result; pieces of a list as they come, as one list. */
enum status print_json(const struct command_line *line, json_t *request,
		       struct complaint *c);

/* Print one value on one line. */
void print_json_line(FILE *f, const json_t *value);

#endif
