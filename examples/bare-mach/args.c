/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arguments of a program.
 */
#include <string.h>

#include <bare.h>

const char *
bare_arg(char *const *argv, const char *key)
{
	size_t n = strlen(key);

	for (; *argv; argv++)
		if (strncmp(*argv, key, n) == 0 && (*argv)[n] == '=')
			return *argv + n + 1;
	return NULL;
}

bool
bare_arg_is_set(char *const *argv, const char *key)
{
	for (; *argv; argv++)
		if (strcmp(*argv, key) == 0)
			return true;
	return false;
}

/* What a digit is worth, 16 and more if it is none. */
static unsigned int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	return 16;
}

bool
bare_parse_number(const char *s, uint32_t *number)
{
	uint32_t base = 10, n = 0;

	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned int d = digit(*s);

		if (d >= base || n > (UINT32_MAX - d) / base)
			return false;
		n = n * base + d;
	}
	*number = n;
	return true;
}

uint32_t
bare_arg_number(char *const *argv, const char *key, uint32_t otherwise)
{
	const char *s = bare_arg(argv, key);
	uint32_t n;

	return s && bare_parse_number(s, &n) ? n : otherwise;
}
