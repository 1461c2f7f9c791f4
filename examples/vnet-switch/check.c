/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "program.h"

static size_t
write_place(const struct place *p, char *text, size_t size)
{
	size_t len = 0;
	int n;

	text[0] = '\0';
	if (!p)
		return 0;
	len = write_place(p->up, text, size);
	if (p->key)
		n = snprintf(text + len, size - len, "%s%.*s", len ? "." : "",
			     QUOTED, p->key);
	else
		n = snprintf(text + len, size - len, "[%zu]", p->index);
	return n < 0 || (size_t)n >= size - len ? size - 1 : len + (size_t)n;
}

json_t *
check_refuse(const struct check *k, const struct place *p, const char *format,
	     ...)
{
	char where[COMPLAINT_SIZE] = "", path[256], text[COMPLAINT_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	write_place(p, path, sizeof(path));
	if (k->where)
		k->where(k->ctx, path, where, sizeof(where));
	complain(k->c, -EINVAL, "%s%s%s%s%s", where, *where ? ": " : "", path,
		 *path ? ": " : "", text);
	return NULL;
}

json_t *
check_refuse_memory(const struct check *k)
{
	complain(k->c, -ENOMEM, "no memory");
	return NULL;
}

struct description {
	char text[QUOTED + 8];
};

static struct description
describe(const json_t *value)
{
	struct description d = {"nothing"};
	const char *s = json_string_value(value);
	char *text;

	if (s) {
		(void)snprintf(d.text, sizeof(d.text), "\"%.*s%s\"", QUOTED, s,
			       strlen(s) > QUOTED ? "..." : "");
	} else if (json_is_object(value)) {
		(void)snprintf(d.text, sizeof(d.text), "a group");
	} else if (json_is_array(value)) {
		(void)snprintf(d.text, sizeof(d.text), "a list");
	} else {
		text = json_dumps(value, JSON_ENCODE_ANY);
		if (text)
			(void)snprintf(d.text, sizeof(d.text), "%s", text);
		free(text);
	}
	return d;
}

/* "a, b or c" */
static void
list_choices(const char *const *choices, char *text, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; choices[i] && len < size; i++) {
		const char *join = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
		const int n = snprintf(text + len, size - len, "%s%s", join,
				       choices[i]);

		len += n > 0 ? (size_t)n : 0;
	}
}

static json_t *
check_number(const struct check *k, const struct place *p,
	     const struct key *key, const json_t *value)
{
	const json_int_t n = json_integer_value(value);
	json_t *normal;

	if (!json_is_integer(value))
		return check_refuse(k, p,
				    "found %s, expected a number from %" PRIu64
				    " to %" PRIu64,
				    describe(value).text, key->min, key->max);
	/* Below 0 it is beyond every bound. */
	if ((uint64_t)n < key->min || (uint64_t)n > key->max)
		return check_refuse(k, p,
				    "found %" JSON_INTEGER_FORMAT ", expected "
				    "%" PRIu64 " to %" PRIu64,
				    n, key->min, key->max);
	normal = json_integer(n);
	return normal ? normal : check_refuse_memory(k);
}

static json_t *
check_bool(const struct check *k, const struct place *p, const json_t *value)
{
	if (!json_is_boolean(value))
		return check_refuse(k, p, "found %s, expected true or false",
				    describe(value).text);
	return json_boolean(json_is_true(value));
}

/* Its text, if it is one that C can hold. */
static const char *
check_text(const struct check *k, const struct place *p, const json_t *value,
	   const char *expected)
{
	const char *text = json_string_value(value);

	if (!text)
		check_refuse(k, p, "found %s, expected %s",
			     describe(value).text, expected);
	else if (strlen(text) != json_string_length(value))
		check_refuse(k, p, "found a NUL in a text");
	else
		return text;
	return NULL;
}

/* jansson takes nothing but UTF-8. */
static json_t *
new_text(const struct check *k, const struct place *p, const char *text)
{
	json_t *normal = json_string(text);

	return normal ? normal
		      : check_refuse(k, p, "found text that is not UTF-8");
}

static json_t *
check_choice(const struct check *k, const struct place *p,
	     const struct key *key, const json_t *value)
{
	char expected[128];
	const char *text;
	size_t i;

	list_choices(key->choices, expected, sizeof(expected));
	text = check_text(k, p, value, expected);
	if (!text)
		return NULL;
	i = key_choice(key->choices, text);
	if (!key->choices[i])
		return check_refuse(k, p, "found %s, expected %s",
				    describe(value).text, expected);
	return new_text(k, p, key->choices[i]);
}

static json_t *
check_form(const struct check *k, const struct place *p, const struct key *key,
	   const json_t *value)
{
	const char *expected = NULL, *text;
	char digits[32];
	json_t *normal;

	if (key->is_number && json_is_integer(value)) {
		(void)snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
			       json_integer_value(value));
		text = digits;
	} else if (json_is_string(value)) {
		text = check_text(k, p, value, "");
	} else {
		text = ""; /* has no form */
	}
	if (!text)
		return NULL;
	normal = key->form(text, &expected);
	if (normal)
		return normal;
	if (!expected)
		return new_text(k, p, text);
	return check_refuse(k, p, "found %s, expected %s", describe(value).text,
			    expected);
}

static json_t *
check_expression(struct check *k, const struct place *p, const json_t *value)
{
	const char *text = check_text(k, p, value, "an expression");
	struct complaint reason;
	struct program program;

	if (!text)
		return NULL;
	if (program_compile(&program, text, &reason))
		return check_refuse(k, p, "%s", reason.text);
	k->ninsns += program.ninsns;
	program_fini(&program);
	return new_text(k, p, text);
}

/* Where @element comes in the order of a set. */
static size_t
rank(const struct key *of, const json_t *element)
{
	if (of->type == CHOICE)
		return key_choice(of->choices, json_string_value(element));
	return (size_t)json_integer_value(element);
}

/* Add an element, which becomes the list's. */
static int
add_scalar(const struct check *k, const struct place *p, const struct key *key,
	   json_t *list, json_t *element)
{
	size_t at = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *other = json_array_get(list, i);

		if (json_equal(other, element)) {
			check_refuse(k, p, "found %s, which is there already",
				     describe(element).text);
			json_decref(element);
			return -EINVAL;
		}
		if (!key->is_set ||
		    rank(key->of, other) < rank(key->of, element))
			at = i + 1;
	}
	if (json_array_insert_new(list, at, element)) {
		check_refuse_memory(k);
		return -ENOMEM;
	}
	return 0;
}

static int
add_element(struct check *k, const struct place *p, const struct key *key,
	    json_t *list, const json_t *value)
{
	json_t *element = key->type == GROUPS
				  ? k->element(k, key->kind, p, value)
				  : check_value(k, p, key->of, value);

	if (!element)
		return -EINVAL;
	if (key->type == SCALARS)
		return add_scalar(k, p, key, list, element);
	if (json_array_append_new(list, element)) {
		check_refuse_memory(k);
		return -ENOMEM;
	}
	return 0;
}

static json_t *
check_list(struct check *k, const struct place *p, const struct key *key,
	   const json_t *value)
{
	const size_t n = json_array_size(value);
	json_t *list;

	if (!json_is_array(value))
		return check_refuse(k, p, "found %s, expected a list",
				    describe(value).text);
	if (n > key->max)
		return check_refuse(
			k, p, "found %zu elements, expected at most %" PRIu64,
			n, key->max);
	list = json_array();
	if (!list)
		return check_refuse_memory(k);
	for (size_t i = 0; i < n; i++) {
		const struct place element = {.up = p, .index = i};

		if (add_element(k, &element, key, list,
				json_array_get(value, i))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* One of a group by names; 0, or a negative error with a complaint. */
static int
add_named(struct check *k, const struct place *p, const struct key *key,
	  json_t *group, const char *name, const json_t *value)
{
	const struct place at = {.up = p, .key = name};
	const char *expected = NULL;
	json_t *normal = key->form(name, &expected), *member;

	if (!normal) {
		check_refuse(k, p, "found the name \"%.*s\", expected %s",
			     QUOTED, name, expected ? expected : "memory");
		return -EINVAL;
	}
	json_decref(normal);
	member = k->element(k, key->kind, &at, value);
	if (!member)
		return -EINVAL;
	if (json_object_set_new(group, name, member)) {
		check_refuse_memory(k);
		return -ENOMEM;
	}
	return 0;
}

static json_t *
check_named(struct check *k, const struct place *p, const struct key *key,
	    const json_t *value)
{
	json_t *from = (json_t *)value, *group;

	if (!json_is_object(value))
		return check_refuse(k, p, "found %s, expected a group",
				    describe(value).text);
	if (json_object_size(value) > key->max)
		return check_refuse(
			k, p, "found %zu elements, expected at most %" PRIu64,
			json_object_size(value), key->max);
	group = json_object();
	if (!group)
		return check_refuse_memory(k);
	for (void *i = json_object_iter(from); i;
	     i = json_object_iter_next(from, i))
		if (add_named(k, p, key, group, json_object_iter_key(i),
			      json_object_iter_value(i))) {
			json_decref(group);
			return NULL;
		}
	return group;
}

json_t *
check_value(struct check *k, const struct place *p, const struct key *key,
	    const json_t *value)
{
	switch (key->type) {
	case NUMBER:
		return check_number(k, p, key, value);
	case BOOL:
		return check_bool(k, p, value);
	case CHOICE:
		return check_choice(k, p, key, value);
	case TEXT:
		return check_form(k, p, key, value);
	case EXPRESSION:
		return check_expression(k, p, value);
	case SCALARS:
	case GROUPS:
		return check_list(k, p, key, value);
	case GROUP:
		return check_group(k, p, key->of, value);
	case NAMED:
		return check_named(k, p, key, value);
	}
	return NULL;
}

void
check_refuse_unknown(const struct check *k, const struct place *p,
		     const struct key *keys)
{
	const struct key *meant = key_guess(keys, p->key);

	if (meant)
		check_refuse(k, p, "no such key; did you mean \"%s\"?",
			     meant->name);
	else
		check_refuse(k, p, "no such key");
}

/* Say which ports have it. */
static void
refuse_here(const struct check *k, const struct place *p,
	    const struct key *keys)
{
	const char *have[NTYPES + 1];
	unsigned int ports = 0;
	char text[64];
	size_t n = 0;

	for (; keys->name; keys++)
		if (!strcmp(keys->name, p->key))
			ports |= keys->ports;
	for (size_t i = 0; port_types[i]; i++)
		if (ports & 1U << i)
			have[n++] = port_types[i];
	have[n] = NULL;
	list_choices(have, text, sizeof(text));
	check_refuse(k, p, "only a port of type %s has this", text);
}

/* The keys are known, and those that this port has. */
static bool
check_keys(const struct check *k, const struct place *p, const struct key *keys,
	   const json_t *value)
{
	json_t *group = (json_t *)value;

	for (void *i = json_object_iter(group); i;
	     i = json_object_iter_next(group, i)) {
		const struct place at = {.up = p,
					 .key = json_object_iter_key(i)};

		if (key_find(keys, at.key, k->ports))
			continue;
		if (key_find(keys, at.key, ANY))
			refuse_here(k, &at, keys);
		else
			check_refuse_unknown(k, &at, keys);
		return false;
	}
	return true;
}

static bool
is_change(const struct check *k)
{
	return k->kind == SCHEMA_PORT_CHANGES ||
	       k->kind == SCHEMA_GRANT_CHANGES;
}

static int
add_member(struct check *k, const struct place *p, const struct key *key,
	   json_t *group, const json_t *value)
{
	const struct place at = {.up = p, .key = key->name};
	const json_t *member = json_object_get(value, key->name);
	json_t *normal;

	if (!member) {
		if (!key->is_required || is_change(k))
			return 0;
		check_refuse(k, p, "there is no \"%s\"", key->name);
		return -EINVAL;
	}
	normal = json_is_null(member) && is_change(k)
			 ? json_null()
			 : check_value(k, &at, key, member);
	if (!normal)
		return -EINVAL;
	/* A change may be one to the default. */
	if (!is_change(k) && key_is_default(key, normal)) {
		json_decref(normal);
		return 0;
	}
	if (json_object_set_new(group, key->name, normal)) {
		check_refuse_memory(k);
		return -ENOMEM;
	}
	return 0;
}

json_t *
check_group(struct check *k, const struct place *p, const struct key *keys,
	    const json_t *value)
{
	json_t *group;

	if (!json_is_object(value))
		return check_refuse(k, p, "found %s, expected a group",
				    describe(value).text);
	if (!check_keys(k, p, keys, value))
		return NULL;
	group = json_object();
	if (!group)
		return check_refuse_memory(k);
	for (const struct key *key = keys; key->name; key++)
		if (key->ports & k->ports &&
		    add_member(k, p, key, group, value)) {
			json_decref(group);
			return NULL;
		}
	return group;
}
