/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "words.h"

char *
words_join(char **words, int nwords)
{
	size_t size = 1;
	char *text;
	char *p;

	for (int i = 0; i < nwords; i++)
		size += strlen(words[i]) + 1;
	text = malloc(size);
	if (!text)
		return NULL;
	p = text;
	*p = '\0';
	for (int i = 0; i < nwords; i++) {
		if (i)
			*p++ = ' ';
		p = stpcpy(p, words[i]);
	}
	return text;
}
