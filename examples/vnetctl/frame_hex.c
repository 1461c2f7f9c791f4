/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "frame_hex.h"

#define BLANKS " \t\r\n:"

static uint8_t
digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0'
				  : tolower((unsigned char)c) - 'a' + 10);
}

/* How many digits there are; whatever is none is complained of. */
static enum status
count_digits(const char *text, size_t *n, struct complaint *c)
{
	*n = 0;
	for (const char *p = text; *p; p++) {
		if (strchr(BLANKS, *p))
			continue;
		if (!isxdigit((unsigned char)*p))
			return complain(c, MISUSED,
					"the frame: found \"%.8s\" at octet "
					"%zu, expected digits of base 16",
					p, *n / 2);
		++*n;
	}
	if (!*n)
		return complain(c, MISUSED, "the frame: found no digits");
	if (*n % 2)
		return complain(c, MISUSED,
				"the frame: found %zu digits, expected two for "
				"each octet",
				*n);
	if (*n / 2 > FRAME_OCTETS_MAX)
		return complain(c, MISUSED,
				"the frame: found %zu octets, expected at most "
				"%d",
				*n / 2, FRAME_OCTETS_MAX);
	return DONE;
}

enum status
frame_hex_parse(const char *text, uint8_t **data, size_t *len,
		struct complaint *c)
{
	size_t n, at = 0;
	enum status status = count_digits(text, &n, c);
	uint8_t *octets;

	if (status)
		return status;
	octets = calloc(n / 2 + 1, 1);
	if (!octets)
		return complain(c, FAILED, "no memory for a frame");
	for (; *text; text++) {
		if (strchr(BLANKS, *text))
			continue;
		octets[at / 2] = (uint8_t)(octets[at / 2] << 4 | digit(*text));
		at++;
	}
	*data = octets;
	*len = n / 2;
	return DONE;
}

char *
frame_hex_write(const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * len + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 0xf];
	}
	text[2 * len] = '\0';
	return text;
}
