/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check knows the whole grammar. What looks at values later knows only as
 * much as it takes to find its way through a text that has passed.
 */
#include <errno.h>
#include <string.h>

#include "json.h"

/**
 * struct check - a check under way
 * @begin:	the text
 * @at:		the next octet
 * @keys:	where the keys of the objects that are open begin, the outermost
 *		first
 * @what:	is wrong, or NULL
 * @found, @bound: see struct vnet_why
 */
struct check {
	const char *begin;
	const char *at;
	const char *end;
	unsigned int depth;
	size_t nkeys;
	const char *keys[VNET_JSON_MAX_KEYS];
	const char *what;
	uint64_t found;
	uint64_t bound;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Characters
 */

/* The value of a digit of base 16, 16 if it is none. */
static unsigned int
hex_digit(char c)
{
	if (is_digit(c))
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

/* Four digits of base 16; UINT32_MAX if these are none. */
static uint32_t
hex4(const char *p)
{
	uint32_t n = 0;

	for (int i = 0; i < 4; i++) {
		unsigned int digit = hex_digit(p[i]);

		if (digit == 16)
			return UINT32_MAX;
		n = n << 4 | digit;
	}
	return n;
}

/* What stands behind a backslash, 0 if nothing may: "u" is not among these. */
static char
escaped(char c)
{
	static const char names[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";

	for (size_t i = 0; i < sizeof(names) - 1; i++)
		if (names[i] == c)
			return meant[i];
	return 0;
}

static size_t
utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0; /* no first octet, or one of a form too long */
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t
vnet_json_utf8(const char *p, size_t len)
{
	const unsigned char *o = (const unsigned char *)p;
	size_t n = utf8_length(o[0]);

	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((o[i] & 0xc0) != 0x80)
			return 0;
	/* What has a shorter form, surrogates, and what is beyond 10FFFF. */
	if ((o[0] == 0xe0 && o[1] < 0xa0) || (o[0] == 0xed && o[1] > 0x9f) ||
	    (o[0] == 0xf0 && o[1] < 0x90) || (o[0] == 0xf4 && o[1] > 0x8f))
		return 0;
	return n;
}

/* A character in UTF-8. Returns its octets. */
static size_t
put_utf8(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The next character of a string that was checked, as its octets in UTF-8;
 * returns how many. @p goes on behind it. */
static size_t
next_character(const char **p, char out[4])
{
	const char *at = *p;
	uint32_t c;
	size_t n;

	if (*at != '\\') {
		n = utf8_length((unsigned char)*at);
		memcpy(out, at, n);
		*p = at + n;
		return n;
	}
	if (at[1] != 'u') {
		out[0] = escaped(at[1]);
		*p = at + 2;
		return 1;
	}
	c = hex4(at + 2);
	at += 6;
	if (c >= 0xd800 && c < 0xdc00) { /* and its other half */
		c = 0x10000 + ((c - 0xd800) << 10) + (hex4(at + 2) - 0xdc00);
		at += 6;
	}
	*p = at;
	return put_utf8(c, out);
}

/* Two strings that were checked, behind their first quotes. */
static bool
is_same_string(const char *a, const char *b)
{
	char ca[4], cb[4];

	while (*a != '"' && *b != '"') {
		size_t na = next_character(&a, ca);

		if (na != next_character(&b, cb) || memcmp(ca, cb, na) != 0)
			return false;
	}
	return *a == *b;
}

/*
 * The check
 */

static bool check_value(struct check *k);

static bool
refuse(struct check *k, const char *what)
{
	k->what = what;
	k->found = k->bound = 0;
	return false;
}

static bool
refuse_bound(struct check *k, const char *what, uint64_t found, uint64_t bound)
{
	k->what = what;
	k->found = found;
	k->bound = bound;
	return false;
}

static void
skip_spaces(struct check *k)
{
	while (k->at < k->end && is_space(*k->at))
		k->at++;
}

/* The next octet that is no space, 0 at the end. */
static char
peek(struct check *k)
{
	skip_spaces(k);
	if (k->at < k->end)
		return *k->at;
	return 0;
}

/* Behind a backslash and its "u". */
static bool
check_unicode(struct check *k)
{
	uint32_t c = k->end - k->at < 4 ? UINT32_MAX : hex4(k->at);

	if (c == UINT32_MAX)
		return refuse(k, "found \\u without four digits of base 16");
	if (c == 0)
		return refuse(k, "found the character NUL in a string");
	if (c < 0xd800 || c >= 0xe000) {
		k->at += 4;
		return true;
	}
	if (c >= 0xdc00 || k->end - k->at < 10 || k->at[4] != '\\' ||
	    k->at[5] != 'u')
		return refuse(k, "found half of a pair of surrogates");
	c = hex4(k->at + 6);
	if (c < 0xdc00 || c >= 0xe000)
		return refuse(k, "found half of a pair of surrogates");
	k->at += 10;
	return true;
}

static bool
check_character(struct check *k)
{
	size_t n;

	if (*k->at == '\\') {
		if (k->end - k->at < 2)
			return refuse(k, "found the end within a string");
		if (k->at[1] == 'u') {
			k->at += 2;
			return check_unicode(k);
		}
		if (!escaped(k->at[1]))
			return refuse(k, "found an unknown escape");
		k->at += 2;
		return true;
	}
	if ((unsigned char)*k->at < 0x20)
		return refuse(k, "found a control character in a string");
	n = vnet_json_utf8(k->at, (size_t)(k->end - k->at));
	if (!n)
		return refuse(k, "found text that is not UTF-8");
	k->at += n;
	return true;
}

/* At its first quote. */
static bool
check_string(struct check *k)
{
	k->at++;
	while (k->at < k->end && *k->at != '"')
		if (!check_character(k))
			return false;
	if (k->at == k->end)
		return refuse(k, "found the end within a string");
	k->at++;
	return true;
}

/* One digit or more. */
static bool
check_digits(struct check *k)
{
	if (k->at == k->end || !is_digit(*k->at))
		return refuse(k, "found a number without a digit");
	while (k->at < k->end && is_digit(*k->at))
		k->at++;
	return true;
}

static bool
check_number(struct check *k)
{
	if (*k->at == '-')
		k->at++;
	if (k->end - k->at >= 2 && k->at[0] == '0' && is_digit(k->at[1]))
		return refuse(k, "found a number that begins with 0");
	if (!check_digits(k))
		return false;
	if (k->at < k->end && *k->at == '.') {
		k->at++;
		if (!check_digits(k))
			return false;
	}
	if (k->at < k->end && (*k->at == 'e' || *k->at == 'E')) {
		k->at++;
		if (k->at < k->end && (*k->at == '+' || *k->at == '-'))
			k->at++;
		return check_digits(k);
	}
	return true;
}

static bool
check_word(struct check *k, const char *word)
{
	const char *at = k->at;

	while (*word && at < k->end && *at == *word) {
		at++;
		word++;
	}
	if (*word)
		return refuse(k, "found no value");
	k->at = at;
	return true;
}

/* The keys from @first on are those of the same object. */
static bool
check_key(struct check *k, size_t first)
{
	const char *key;

	if (peek(k) != '"')
		return refuse(k, "found no key, expected one in quotes");
	key = k->at + 1;
	if (!check_string(k))
		return false;
	for (size_t i = first; i < k->nkeys; i++)
		if (is_same_string(k->keys[i], key)) {
			k->at = key;
			return refuse(k, "found a key that is there already");
		}
	if (k->nkeys == VNET_JSON_MAX_KEYS)
		return refuse_bound(k, "found too many keys", k->nkeys + 1,
				    VNET_JSON_MAX_KEYS);
	k->keys[k->nkeys++] = key;
	if (peek(k) != ':')
		return refuse(k, "found no colon behind a key");
	k->at++;
	return true;
}

/* The rest, behind its first octet, up to @close. */
static bool
check_items(struct check *k, char close)
{
	const size_t first = k->nkeys;
	char c;

	if (peek(k) == close) {
		k->at++;
		return true;
	}
	for (;;) {
		if (close == '}' && !check_key(k, first))
			return false;
		if (!check_value(k))
			return false;
		c = peek(k);
		if (c != ',' && c != close)
			return refuse(k, k->at == k->end
						 ? "found the end too early"
						 : "found no comma");
		k->at++;
		if (c == close)
			break;
	}
	k->nkeys = first;
	return true;
}

static bool
check_container(struct check *k, char close)
{
	bool is_right;

	if (k->depth == VNET_JSON_MAX_DEPTH)
		return refuse_bound(k, "found values too deep in others",
				    k->depth + 1, VNET_JSON_MAX_DEPTH);
	k->depth++;
	k->at++;
	is_right = check_items(k, close);
	k->depth--;
	return is_right;
}

static bool
check_value(struct check *k)
{
	switch (peek(k)) {
	case '{':
		return check_container(k, '}');
	case '[':
		return check_container(k, ']');
	case '"':
		return check_string(k);
	case 't':
		return check_word(k, "true");
	case 'f':
		return check_word(k, "false");
	case 'n':
		return check_word(k, "null");
	default:
		if (k->at == k->end)
			return refuse(k, "found the end too early");
		if (*k->at != '-' && !is_digit(*k->at))
			return refuse(k, "found no value");
		return check_number(k);
	}
}

int
vnet_json_check(struct vnet_json *v, const char *text, size_t len,
		struct vnet_why *why)
{
	struct check k = {.begin = text, .at = text, .end = text + len};
	struct vnet_json found;

	skip_spaces(&k);
	found.at = k.at;
	if (check_value(&k)) {
		found.end = k.at;
		skip_spaces(&k);
		if (k.at == k.end) {
			*v = found;
			return 0;
		}
		refuse(&k, "found more behind the value");
	}
	if (why)
		*why = (struct vnet_why){k.what, (size_t)(k.at - text), k.found,
					 k.bound};
	return -EINVAL;
}

/*
 * What has passed
 */

/* Behind the string whose first quote is at @p. */
static const char *
skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

/* Behind the number or the word at @p. */
static const char *
skip_scalar(const char *p, const char *end)
{
	while (p < end && *p != ',' && *p != ']' && *p != '}' && !is_space(*p))
		p++;
	return p;
}

/* Behind the value at @p, which ends before @end. */
static const char *
skip_value(const char *p, const char *end)
{
	unsigned int depth = 0;

	if (*p != '{' && *p != '[' && *p != '"')
		return skip_scalar(p, end);
	do {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	} while (depth);
	return p;
}

enum vnet_json_type
vnet_json_type(struct vnet_json v)
{
	if (!v.at)
		return VNET_JSON_NONE;
	switch (*v.at) {
	case '{':
		return VNET_JSON_OBJECT;
	case '[':
		return VNET_JSON_LIST;
	case '"':
		return VNET_JSON_STRING;
	case 't':
		return VNET_JSON_TRUE;
	case 'f':
		return VNET_JSON_FALSE;
	case 'n':
		return VNET_JSON_NULL;
	default:
		break;
	}
	for (const char *p = v.at; p < v.end; p++)
		if (*p == '.' || *p == 'e' || *p == 'E')
			return VNET_JSON_FRACTION;
	return VNET_JSON_NUMBER;
}

const char *
vnet_json_type_name(struct vnet_json v)
{
	static const char *const names[] = {
		[VNET_JSON_NONE] = "nothing",
		[VNET_JSON_OBJECT] = "an object",
		[VNET_JSON_LIST] = "a list",
		[VNET_JSON_STRING] = "a string",
		[VNET_JSON_NUMBER] = "a number",
		[VNET_JSON_FRACTION] = "a fraction",
		[VNET_JSON_TRUE] = "true",
		[VNET_JSON_FALSE] = "false",
		[VNET_JSON_NULL] = "null",
	};

	return names[vnet_json_type(v)];
}

void
vnet_json_begin(struct vnet_json_walk *w, struct vnet_json v)
{
	enum vnet_json_type type = vnet_json_type(v);

	*w = (struct vnet_json_walk){
		.end = v.end,
		.is_object = type == VNET_JSON_OBJECT,
	};
	if (type == VNET_JSON_OBJECT || type == VNET_JSON_LIST)
		w->at = v.at + 1;
}

static const char *
skip_to_value(const char *p)
{
	while (is_space(*p) || *p == ',' || *p == ':')
		p++;
	return p;
}

bool
vnet_json_next(struct vnet_json_walk *w)
{
	const char *p = w->at;

	if (!p)
		return false;
	p = skip_to_value(p);
	if (*p == '}' || *p == ']') {
		w->at = NULL;
		return false;
	}
	if (w->is_object) {
		w->key.at = p;
		p = w->key.end = skip_string(p);
		p = skip_to_value(p);
	}
	w->value.at = p;
	w->value.end = skip_value(p, w->end);
	w->at = w->value.end;
	return true;
}

struct vnet_json
vnet_json_get(struct vnet_json object, const char *key)
{
	struct vnet_json_walk w;

	vnet_json_begin(&w, object);
	if (w.is_object)
		while (vnet_json_next(&w))
			if (vnet_json_is(w.key, key))
				return w.value;
	return (struct vnet_json){NULL, NULL};
}

size_t
vnet_json_count(struct vnet_json v)
{
	struct vnet_json_walk w;
	size_t n = 0;

	vnet_json_begin(&w, v);
	while (vnet_json_next(&w))
		n++;
	return n;
}

bool
vnet_json_is(struct vnet_json string, const char *text)
{
	const char *p;
	char c[4];

	if (vnet_json_type(string) != VNET_JSON_STRING)
		return false;
	for (p = string.at + 1; *p != '"';) {
		size_t n = next_character(&p, c);

		for (size_t i = 0; i < n; i++)
			if (*text++ != c[i])
				return false;
	}
	return !*text;
}

bool
vnet_json_text(struct vnet_json string, char *text, size_t size)
{
	const char *p;
	size_t len = 0;
	char c[4];

	text[0] = '\0';
	if (vnet_json_type(string) != VNET_JSON_STRING)
		return false;
	for (p = string.at + 1; *p != '"';) {
		size_t n = next_character(&p, c);

		if (n >= size - len)
			return false;
		memcpy(text + len, c, n);
		len += n;
		text[len] = '\0';
	}
	return true;
}

bool
vnet_json_number(struct vnet_json v, uint64_t *n)
{
	uint64_t sum = 0;

	if (vnet_json_type(v) != VNET_JSON_NUMBER || *v.at == '-')
		return false;
	for (const char *p = v.at; p < v.end; p++) {
		unsigned int digit = (unsigned int)(*p - '0');

		/* 18446744073709551615 */
		if (sum > UINT64_C(1844674407370955161) ||
		    (sum == UINT64_C(1844674407370955161) && digit > 5))
			return false;
		sum = sum * 10 + digit;
	}
	*n = sum;
	return true;
}
