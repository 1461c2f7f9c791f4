/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "field.h"

const char *
field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

uint64_t
field_number(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 ? (uint64_t)n : 0;
}

struct field_count
field_count(const json_t *object, const char *key)
{
	const json_t *count = json_object_get(object, key);

	return (struct field_count){
		.frames = field_number(count, "frames"),
		.octets = field_number(count, "octets"),
	};
}

/* Append, cut where there is no room. */
static void
append(char *text, size_t size, const json_t *value)
{
	size_t len = strlen(text);

	if (json_is_string(value))
		snprintf(text + len, size - len, "%s",
			 json_string_value(value));
	else if (json_is_integer(value))
		snprintf(text + len, size - len, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
	else if (json_is_boolean(value))
		snprintf(text + len, size - len, "%s",
			 json_is_true(value) ? "yes" : "no");
}

const char *
field_shown(const json_t *object, const char *key, char *text, size_t size)
{
	const json_t *value = json_object_get(object, key);
	const json_t *element;
	size_t i;

	*text = '\0';
	append(text, size, value);
	json_array_foreach(value, i, element) {
		size_t len = strlen(text);

		if (len)
			snprintf(text + len, size - len, " ");
		append(text, size, element);
	}
	return text;
}

json_t *
field_request(const char *what, const char *key, const char *value)
{
	if (!value)
		return json_pack("{s:s}", "do", what);
	return json_pack("{s:s, s:s}", "do", what, key, value);
}

enum status
field_expect(const json_t *result, json_type type, const char *what,
	     struct complaint *c)
{
	if (result && json_typeof(result) == type)
		return DONE;
	return complain(c, FAILED,
			"the daemon's answer to \"%s\" is no %s: is it of "
			"another version?",
			what, type == JSON_ARRAY ? "list" : "object");
}
