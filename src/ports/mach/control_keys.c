/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "control_keys.h"
#include "grant_text.h"

static bool
is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

size_t
vnet_control_choice(const char *const *choices, const char *text)
{
	size_t i = 0;

	while (choices[i] && !is_same(choices[i], text))
		i++;
	return i;
}

struct vnet_choices
vnet_control_choices(const char *const *choices)
{
	struct vnet_choices list;
	size_t len = 0;

	for (size_t i = 0; choices[i]; i++) {
		const char *join = i == 0 ? "" : choices[i + 1] ? ", " : " or ";

		for (; *join && len < sizeof(list.text) - 1; join++)
			list.text[len++] = *join;
		for (const char *p = choices[i];
		     *p && len < sizeof(list.text) - 1; p++)
			list.text[len++] = *p;
	}
	list.text[len] = '\0';
	return list;
}

/*
 * Addresses
 */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
vnet_control_read_mac(const char *text, struct vnet_mac *mac)
{
	char separator = ':';

	for (size_t i = 0; i < sizeof(mac->octet); i++) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return false;
		mac->octet[i] = (uint8_t)(high << 4 | low);
		text += 2;
		if (i == 0 && *text == '-')
			separator = '-';
		if (i + 1 < sizeof(mac->octet) && *text++ != separator)
			return false;
	}
	return !*text;
}

static bool
is_host(struct vnet_mac mac)
{
	static const struct vnet_mac none;

	return !(mac.octet[0] & 1) && memcmp(&mac, &none, sizeof(mac)) != 0;
}

/*
 * Values
 */

static int
read_number(const struct vnet_control_key *key, struct vnet_json v,
	    const struct vnet_place *p, void *to, struct vnet_complaint *c)
{
	uint64_t n = 0;

	if (vnet_json_type(v) != VNET_JSON_NUMBER)
		return vnet_complain_at(c, p, "found ", vnet_text_of(v).text,
					", expected a number from ",
					vnet_text_of_number(key->min).text,
					" to ",
					vnet_text_of_number(key->max).text,
					NULL);
	if (!vnet_json_number(v, &n) || n < key->min || n > key->max)
		return vnet_complain_at(
			c, p, "found ", vnet_text_of(v).text, ", expected ",
			vnet_text_of_number(key->min).text, " to ",
			vnet_text_of_number(key->max).text, NULL);
	memcpy(to, &n, sizeof(n));
	return 0;
}

static int
read_bool(struct vnet_json v, const struct vnet_place *p, void *to,
	  struct vnet_complaint *c)
{
	enum vnet_json_type type = vnet_json_type(v);

	if (type != VNET_JSON_TRUE && type != VNET_JSON_FALSE)
		return vnet_complain_at(c, p, "found ", vnet_text_of(v).text,
					", expected true or false", NULL);
	*(bool *)to = type == VNET_JSON_TRUE;
	return 0;
}

static int
read_choice(const struct vnet_control_key *key, struct vnet_json v,
	    const struct vnet_place *p, void *to, struct vnet_complaint *c)
{
	for (size_t i = 0; key->choices[i]; i++)
		if (vnet_json_is(v, key->choices[i])) {
			memcpy(to, &i, sizeof(i));
			return 0;
		}
	return vnet_complain_at(c, p, "found ", vnet_text_of(v).text,
				", expected ",
				vnet_control_choices(key->choices).text, NULL);
}

static int
read_text(const struct vnet_control_key *key, struct vnet_json v,
	  const struct vnet_place *p, void *to, struct vnet_complaint *c)
{
	char *text = to;

	if (vnet_json_text(v, text, key->max + 1) && *text)
		return 0;
	return vnet_complain_at(c, p, "found ", vnet_text_of(v).text,
				", expected a text of 1 to ",
				vnet_text_of_number(key->max).text, " octets",
				NULL);
}

static bool
is_in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == ':' ||
	       c == '@' || c == '-';
}

static int
read_name(const struct vnet_control_key *key, struct vnet_json v,
	  const struct vnet_place *p, void *to, struct vnet_complaint *c)
{
	char *text = to;
	bool is_name = vnet_json_text(v, text, key->max + 1) && *text;

	for (; *text; text++)
		is_name = is_name && is_in_name(*text);
	if (is_name)
		return 0;
	return vnet_complain_at(c, p, "found ", vnet_text_of(v).text,
				", expected 1 to ",
				vnet_text_of_number(key->max).text,
				" of A-Z a-z 0-9 . _ : @ -", NULL);
}

static int
read_mac(struct vnet_json v, const struct vnet_place *p, void *to,
	 struct vnet_complaint *c)
{
	char text[VNET_MAC_TEXT_SIZE];
	struct vnet_mac mac;

	if (!vnet_json_text(v, text, sizeof(text)) ||
	    !vnet_control_read_mac(text, &mac) || !is_host(mac))
		return vnet_complain_at(
			c, p, "found ", vnet_text_of(v).text,
			", expected an address as 02:00:00:00:00:01, of a "
			"station and not zero",
			NULL);
	memcpy(to, &mac, sizeof(mac));
	return 0;
}

static int
read_json(struct vnet_json v, enum vnet_json_type type, const char *expected,
	  const struct vnet_place *p, void *to, struct vnet_complaint *c)
{
	if (vnet_json_type(v) != type)
		return vnet_complain_at(c, p, "found ", vnet_text_of(v).text,
					", expected ", expected, NULL);
	memcpy(to, &v, sizeof(v));
	return 0;
}

static size_t
length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* A string, or a number as it is written. */
static int
add_to_grant(const struct vnet_control_key *key, struct vnet_json v,
	     const struct vnet_place *p, struct vnet_grant_form *f,
	     struct vnet_complaint *c)
{
	const char *wrong = "expected a string or a number", *from = v.at;
	char text[VNET_PREFIX_TEXT_SIZE];
	size_t len = (size_t)(v.end - v.at);
	bool is_one = vnet_json_type(v) == VNET_JSON_NUMBER;

	if (vnet_json_type(v) == VNET_JSON_STRING) {
		is_one = vnet_json_text(v, text, sizeof(text));
		from = text;
		len = length(text);
	}
	if (is_one)
		wrong = vnet_grant_form_add(f, key->name, length(key->name),
					    from, len);
	if (!wrong)
		return 0;
	return vnet_complain_at(c, p, "found ", vnet_text_of(v).text, ", ",
				wrong, NULL);
}

static int
read_grant(const struct vnet_control_key *key, struct vnet_json v,
	   const struct vnet_place *p, void *to, struct vnet_complaint *c)
{
	struct vnet_json_walk w;
	size_t n = 0;
	int r = 0;

	if (vnet_json_type(v) != VNET_JSON_LIST)
		return add_to_grant(key, v, p, to, c);
	vnet_json_begin(&w, v);
	while (!r && vnet_json_next(&w)) {
		const struct vnet_place at = {.up = p, .index = n++};

		r = add_to_grant(key, w.value, &at, to, c);
	}
	return r;
}

static int
read_value(const struct vnet_control_key *key, struct vnet_json v,
	   const struct vnet_place *p, void *to, struct vnet_complaint *c)
{
	switch (key->form) {
	case VNET_FORM_NUMBER:
		return read_number(key, v, p, to, c);
	case VNET_FORM_BOOL:
		return read_bool(v, p, to, c);
	case VNET_FORM_CHOICE:
		return read_choice(key, v, p, to, c);
	case VNET_FORM_TEXT:
		return read_text(key, v, p, to, c);
	case VNET_FORM_NAME:
		return read_name(key, v, p, to, c);
	case VNET_FORM_MAC:
		return read_mac(v, p, to, c);
	case VNET_FORM_OBJECT:
		return read_json(v, VNET_JSON_OBJECT, "an object", p, to, c);
	case VNET_FORM_LIST:
		return read_json(v, VNET_JSON_LIST, "a list", p, to, c);
	case VNET_FORM_GRANT:
		return read_grant(key, v, p, to, c);
	case VNET_FORM_ANY:
		break;
	}
	return 0;
}

/*
 * Objects
 */

/* Its index, that of the end if there is none. */
static size_t
find_key(const struct vnet_control_key *keys, struct vnet_json name)
{
	size_t i = 0;

	while (keys[i].name && !vnet_json_is(name, keys[i].name))
		i++;
	return i;
}

static int
refuse_unknown(const struct vnet_control_key *keys, struct vnet_json name,
	       const struct vnet_place *p, struct vnet_complaint *c)
{
	char list[256];
	size_t len = 0;

	for (; keys->name; keys++) {
		if (keys->form == VNET_FORM_ANY) /* "do" and "id" */
			continue;
		for (const char *q = len ? ", " : "";
		     *q && len < sizeof(list) - 1; q++)
			list[len++] = *q;
		for (const char *q = keys->name; *q && len < sizeof(list) - 1;
		     q++)
			list[len++] = *q;
	}
	list[len] = '\0';
	return vnet_complain_at(c, p, "found the key ", vnet_text_of(name).text,
				", expected ",
				len ? list : "none but \"do\" and \"id\"",
				NULL);
}

int
vnet_control_read(struct vnet_json object, const struct vnet_control_key *keys,
		  const struct vnet_place *p, void *to, uint32_t *given,
		  struct vnet_complaint *c)
{
	struct vnet_json_walk w;
	uint32_t found = 0;

	if (vnet_json_type(object) != VNET_JSON_OBJECT)
		return vnet_complain_at(c, p, "found ",
					vnet_text_of(object).text,
					", expected an object", NULL);
	vnet_json_begin(&w, object);
	while (vnet_json_next(&w)) {
		size_t i = find_key(keys, w.key);
		const struct vnet_place at = {.up = p, .key = keys[i].name};
		int r;

		if (!keys[i].name)
			return refuse_unknown(keys, w.key, p, c);
		r = read_value(&keys[i], w.value, &at,
			       (char *)to + keys[i].offset, c);
		if (r)
			return r;
		found |= UINT32_C(1) << i;
	}
	for (size_t i = 0; keys[i].name; i++)
		if (keys[i].is_required && !(found & UINT32_C(1) << i))
			return vnet_complain_at(c, p, "there is no \"",
						keys[i].name, "\"", NULL);
	if (given)
		*given = found;
	return 0;
}
