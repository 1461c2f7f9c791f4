/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that were compiled before. A configuration that is read anew mostly
 * has the expressions that it had, and to compile one may take a fifth of a
 * second. Any thread may call.
 */
#ifndef PROGRAM_MEMORY_H
#define PROGRAM_MEMORY_H

#include "program.h"

/* Copy the program of an expression. False if it is not remembered, or if there
 * is no memory. */
bool program_recall(struct program *p, const char *text);

/* Remember a copy, if there is memory for it. */
void program_remember(const struct program *p, const char *text);

#endif
