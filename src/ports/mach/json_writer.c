/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "json.h"
#include "json_writer.h"
#include "text.h"

static void
put(struct vnet_json_writer *w, const char *text, size_t len)
{
	if (w->is_full || len > w->room - w->len) {
		w->is_full = true;
		return;
	}
	memcpy(w->text + w->len, text, len);
	w->len += len;
}

static void
put_character(struct vnet_json_writer *w, char c)
{
	put(w, &c, 1);
}

/*
 * Strings
 */

static void
put_escaped(struct vnet_json_writer *w, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char text[] = {
		'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15],
	};

	put(w, text, sizeof(text));
}

/* One character that is, or is not, one. Returns its octets. */
static size_t
put_text_character(struct vnet_json_writer *w, const char *p, size_t len)
{
	size_t n;

	if (*p == '"' || *p == '\\') {
		put_character(w, '\\');
		put_character(w, *p);
		return 1;
	}
	if ((unsigned char)*p < 0x20 || *p == 0x7f) {
		put_escaped(w, (unsigned char)*p);
		return 1;
	}
	n = vnet_json_utf8(p, len);
	if (n)
		put(w, p, n);
	else
		put(w, "\\ufffd", 6);
	return n ? n : 1;
}

static void
put_quoted(struct vnet_json_writer *w, const char *text)
{
	size_t len = length(text, SIZE_MAX);

	put_character(w, '"');
	while (len) {
		size_t n = put_text_character(w, text, len);

		text += n;
		len -= n;
	}
	put_character(w, '"');
}

/*
 * Values
 */

/* What stands before a value. */
static void
begin(struct vnet_json_writer *w, const char *key)
{
	if (w->is_behind)
		put_character(w, ',');
	if (key) {
		put_quoted(w, key);
		put_character(w, ':');
	}
	w->is_behind = true;
}

void
vnet_json_open(struct vnet_json_writer *w, const char *key, char open)
{
	begin(w, key);
	put_character(w, open);
	w->is_behind = false;
}

void
vnet_json_close(struct vnet_json_writer *w, char close)
{
	put_character(w, close);
	w->is_behind = true;
}

void
vnet_json_end_line(struct vnet_json_writer *w)
{
	put_character(w, '\n');
	w->is_behind = false;
}

void
vnet_json_put_value(struct vnet_json_writer *w, const char *key,
		    const char *value, size_t len)
{
	begin(w, key);
	put(w, value, len);
}

void
vnet_json_put_string(struct vnet_json_writer *w, const char *key,
		     const char *text)
{
	begin(w, key);
	put_quoted(w, text);
}

void
vnet_json_put_number(struct vnet_json_writer *w, const char *key, uint64_t n)
{
	char text[VNET_NUMBER_SIZE];

	vnet_number_text(n, text);
	vnet_json_put_value(w, key, text, length(text, SIZE_MAX));
}

void
vnet_json_put_bool(struct vnet_json_writer *w, const char *key, bool b)
{
	vnet_json_put_value(w, key, b ? "true" : "false", b ? 4 : 5);
}

void
vnet_json_put_null(struct vnet_json_writer *w, const char *key)
{
	vnet_json_put_value(w, key, "null", 4);
}

void
vnet_json_put_mac(struct vnet_json_writer *w, const char *key,
		  struct vnet_mac mac)
{
	char text[VNET_MAC_TEXT_SIZE];

	vnet_json_put_string(w, key, vnet_mac_text(mac, text));
}

/*
 * Text
 */

/* Without a division of 64 bits, for which 32-bit machines want a library. */
const char *
vnet_number_text(uint64_t n, char text[VNET_NUMBER_SIZE])
{
	static const uint64_t powers[] = {
		10000000000000000000ull,
		1000000000000000000ull,
		100000000000000000ull,
		10000000000000000ull,
		1000000000000000ull,
		100000000000000ull,
		10000000000000ull,
		1000000000000ull,
		100000000000ull,
		10000000000ull,
		1000000000ull,
		100000000ull,
		10000000ull,
		1000000ull,
		100000ull,
		10000ull,
		1000ull,
		100ull,
		10ull,
	};
	size_t len = 0;

	for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
		char digit = '0';

		while (n >= powers[i]) {
			n -= powers[i];
			digit++;
		}
		if (len || digit != '0')
			text[len++] = digit;
	}
	text[len++] = (char)('0' + n);
	text[len] = '\0';
	return text;
}

const char *
vnet_mac_text(struct vnet_mac mac, char text[VNET_MAC_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(mac.octet); i++) {
		text[3 * i] = digits[mac.octet[i] >> 4];
		text[3 * i + 1] = digits[mac.octet[i] & 15];
		text[3 * i + 2] = i + 1 < sizeof(mac.octet) ? ':' : '\0';
	}
	return text;
}
