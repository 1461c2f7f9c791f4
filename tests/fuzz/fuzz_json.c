/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text to the JSON reader of the Mach port. It takes what jansson takes, but
 * for bounds of its own; what it takes, it finds its way through, and what is
 * written from that means the same.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "json.h"
#include "json_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                          \
	do {                              \
		if (!(x))                 \
			__builtin_trap(); \
	} while (0)

/* Of the text: escapes make six octets of one. */
#define GROWTH 6

static void
compare_string(struct vnet_json v, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	CHECK(copy && vnet_json_text(v, copy, len + 1));
	CHECK(!strcmp(copy, text));
	CHECK(vnet_json_is(v, text));
	CHECK(len == 0 || !vnet_json_text(v, copy, len));
	free(copy);
}

static void
compare_number(struct vnet_json v, const json_t *other)
{
	json_int_t value = json_integer_value(other);
	uint64_t n = 0;

	CHECK(vnet_json_number(v, &n) == (value >= 0 && *v.at != '-'));
	CHECK(value < 0 || n == (uint64_t)value);
}

/* Is it what jansson has read, and write it anew. */
static void
compare(struct vnet_json v, const json_t *other, const char *key,
	struct vnet_json_writer *w)
{
	struct vnet_json_walk walk;
	char name[4096];
	size_t i = 0;

	vnet_json_begin(&walk, v);
	switch (vnet_json_type(v)) {
	case VNET_JSON_OBJECT:
		CHECK(vnet_json_count(v) == json_object_size(other));
		vnet_json_open(w, key, '{');
		while (vnet_json_next(&walk)) {
			CHECK(vnet_json_text(walk.key, name, sizeof(name)));
			CHECK(vnet_json_get(v, name).at == walk.value.at);
			compare(walk.value, json_object_get(other, name), name,
				w);
		}
		vnet_json_close(w, '}');
		break;
	case VNET_JSON_LIST:
		CHECK(vnet_json_count(v) == json_array_size(other));
		vnet_json_open(w, key, '[');
		while (vnet_json_next(&walk))
			compare(walk.value, json_array_get(other, i++), NULL,
				w);
		vnet_json_close(w, ']');
		break;
	case VNET_JSON_STRING:
		CHECK(json_is_string(other));
		compare_string(v, json_string_value(other),
			       json_string_length(other));
		vnet_json_put_string(w, key, json_string_value(other));
		break;
	case VNET_JSON_NUMBER:
		CHECK(json_is_integer(other));
		compare_number(v, other);
		vnet_json_put_value(w, key, v.at, (size_t)(v.end - v.at));
		break;
	case VNET_JSON_FRACTION:
		CHECK(json_is_real(other));
		vnet_json_put_value(w, key, v.at, (size_t)(v.end - v.at));
		break;
	case VNET_JSON_TRUE:
	case VNET_JSON_FALSE:
		CHECK(json_is_boolean(other));
		vnet_json_put_bool(w, key, json_is_true(other));
		break;
	default:
		CHECK(json_is_null(other));
		vnet_json_put_null(w, key);
		break;
	}
}

static json_t *
read_other(const char *text, size_t len)
{
	return json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
			  NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vnet_json v = {NULL, NULL};
	struct vnet_why why = {0};
	struct vnet_json_writer w = {0};
	json_t *other, *again;
	char *text;
	int err;

	if (size > 4000) /* so that keys fit */
		return 0;
	text = malloc(size ? size : 1);
	CHECK(text);
	memcpy(text, data, size);
	other = read_other(text, size);
	err = vnet_json_check(&v, text, size, &why);
	CHECK(err ? !v.at : v.at >= text && v.end <= text + size);
	CHECK((err == 0) == !why.text);
	CHECK(why.index <= size);
	/* Bounds of ours; and jansson takes NUL for the end. */
	CHECK(!err || !other || why.bound || memchr(text, 0, size));
	/* Bounds of jansson: numbers that it has no type for. */
	if (!err && other) {
		w.room = size * GROWTH;
		w.text = malloc(w.room);
		compare(v, other, NULL, &w);
		CHECK(!w.is_full);
		again = read_other(w.text, w.len);
		CHECK(again && json_equal(other, again));
		json_decref(again);
		free(w.text);
	}
	json_decref(other);
	free(text);
	return 0;
}
