/* SPDX-License-Identifier: BSD-2-Clause */
/* An expression that came as several arguments. */
#ifndef WORDS_H
#define WORDS_H

/* With a space between, in memory to be freed; NULL if there is none. */
char *words_join(char **words, int nwords);

#endif
