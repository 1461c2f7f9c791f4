/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "conf_file.h"
#include "conf_source.h"
#include "schema.h"

/* A file, as libconfig has read it. */
struct file {
	const struct conf_source *source;
	config_t config;
	struct complaint *c;
};

/* Returns NULL. */
static json_t *
refuse(const struct file *f, const config_setting_t *at, const char *what)
{
	char where[COMPLAINT_SIZE];

	conf_source_where(f->source, config_setting_source_line(at), where,
			  sizeof(where));
	complain(f->c, -EINVAL, "%s: %s", where, what);
	return NULL;
}

static json_t *to_json(const struct file *f, const config_setting_t *from);

static json_t *
list_to_json(const struct file *f, const config_setting_t *from)
{
	const int n = config_setting_length(from);
	json_t *list = json_array();

	for (int i = 0; list && i < n; i++) {
		json_t *element = to_json(
			f, config_setting_get_elem(from, (unsigned int)i));

		/* The list is not there, or takes a reference. */
		if (!element || json_array_append_new(list, element)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
group_to_json(const struct file *f, const config_setting_t *from)
{
	const int n = config_setting_length(from);
	json_t *group = json_object();

	for (int i = 0; group && i < n; i++) {
		const config_setting_t *member =
			config_setting_get_elem(from, (unsigned int)i);
		json_t *value = to_json(f, member);

		if (!value ||
		    json_object_set_new(group, config_setting_name(member),
					value)) {
			json_decref(group);
			return NULL;
		}
	}
	return group;
}

/* One in base 16 is read as if it had a sign. */
static json_t *
int_to_json(const config_setting_t *from)
{
	const int n = config_setting_get_int(from);

	if (config_setting_get_format(from) == CONFIG_FORMAT_HEX)
		return json_integer((uint32_t)n);
	return json_integer(n);
}

/* A new reference, or NULL with a complaint. Deep at most as conf_source.c lets
 * it be. */
static json_t *
to_json(const struct file *f, const config_setting_t *from)
{
	json_t *value;

	switch (config_setting_type(from)) {
	case CONFIG_TYPE_GROUP:
		return group_to_json(f, from);
	case CONFIG_TYPE_LIST:
	case CONFIG_TYPE_ARRAY:
		return list_to_json(f, from);
	case CONFIG_TYPE_STRING:
		value = json_string(config_setting_get_string(from));
		return value ? value
			     : refuse(f, from, "text that is not UTF-8");
	case CONFIG_TYPE_INT:
		return int_to_json(from);
	case CONFIG_TYPE_INT64:
		return json_integer(config_setting_get_int64(from));
	case CONFIG_TYPE_FLOAT:
		value = json_real(config_setting_get_float(from));
		return value ? value : refuse(f, from, "a number that is none");
	case CONFIG_TYPE_BOOL:
		return json_boolean(config_setting_get_bool(from));
	default:
		return refuse(f, from, "a setting without a value");
	}
}

/* What a part of a path, "KEY" or "[INDEX]", means in @at; *@path is moved
 * behind it. NULL if it is not there. */
static const config_setting_t *
step(const config_setting_t *at, const char **path)
{
	char key[64];
	size_t len;

	if (**path == '[') {
		const unsigned long index = strtoul(*path + 1, NULL, 10);

		*path += strcspn(*path, "]");
		*path += **path == ']';
		return index <= UINT_MAX && config_setting_is_aggregate(at)
			       ? config_setting_get_elem(at,
							 (unsigned int)index)
			       : NULL;
	}
	*path += **path == '.';
	len = strcspn(*path, ".[");
	if (len >= sizeof(key) || !config_setting_is_group(at))
		return NULL;
	memcpy(key, *path, len);
	key[len] = '\0';
	*path += len;
	return config_setting_get_member(at, key);
}

/* What is not in the file is looked for where it would be. */
static void
find_line(void *ctx, const char *path, char *text, size_t size)
{
	const struct file *f = ctx;
	const config_setting_t *at = config_root_setting(&f->config);
	const config_setting_t *next = at;

	while (next && *path) {
		next = step(at, &path);
		if (next)
			at = next;
	}
	conf_source_where(f->source, config_setting_source_line(at), text,
			  size);
}

static json_t *
check(struct file *f)
{
	json_t *value, *config;

	/* For what ends without a complaint. */
	complain(f->c, -ENOMEM, "no memory");
	value = to_json(f, config_root_setting(&f->config));
	if (!value)
		return NULL;
	config = schema_check(SCHEMA_CONFIG, value, find_line, f, f->c);
	json_decref(value);
	return config;
}

/* The source is freed. */
static json_t *
parse(struct conf_source *source, struct complaint *c)
{
	struct file f = {.source = source, .c = c};
	char where[COMPLAINT_SIZE];
	json_t *config = NULL;

	if (!source)
		return NULL;
	config_init(&f.config);
	if (config_read_string(&f.config, conf_source_text(source))) {
		config = check(&f);
	} else {
		conf_source_where(source,
				  (unsigned int)config_error_line(&f.config),
				  where, sizeof(where));
		complain(c, -EINVAL, "%s: %s", where,
			 config_error_text(&f.config));
	}
	config_destroy(&f.config);
	conf_source_free(source);
	return config;
}

json_t *
conf_file_read(const char *path, struct complaint *c)
{
	return parse(conf_source_read(path, c), c);
}

json_t *
conf_file_parse(const char *text, const char *name, struct complaint *c)
{
	return parse(conf_source_take(text, name, c), c);
}

/* Scalars of one type are written without lines between them: an array. */
static bool
is_array(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *value = json_array_get(list, i);

		if (json_is_object(value) || json_is_array(value) ||
		    json_typeof(value) != json_typeof(json_array_get(list, 0)))
			return false;
	}
	return true;
}

static int
type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return CONFIG_TYPE_GROUP;
	case JSON_ARRAY:
		return is_array(value) ? CONFIG_TYPE_ARRAY : CONFIG_TYPE_LIST;
	case JSON_STRING:
		return CONFIG_TYPE_STRING;
	case JSON_INTEGER:
		return json_integer_value(value) > INT_MAX ||
				       json_integer_value(value) < INT_MIN
			       ? CONFIG_TYPE_INT64
			       : CONFIG_TYPE_INT;
	case JSON_TRUE:
	case JSON_FALSE:
		return CONFIG_TYPE_BOOL;
	default: /* not in a configuration */
		return CONFIG_TYPE_NONE;
	}
}

static bool add(config_setting_t *to, const char *name, const json_t *value);

static bool
fill_list(config_setting_t *to, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!add(to, NULL, json_array_get(list, i)))
			return false;
	return true;
}

static bool
fill_group(config_setting_t *to, const json_t *value)
{
	json_t *group = (json_t *)value;

	for (void *i = json_object_iter(group); i;
	     i = json_object_iter_next(group, i))
		if (!add(to, json_object_iter_key(i),
			 json_object_iter_value(i)))
			return false;
	return true;
}

static bool
fill(config_setting_t *to, const json_t *value)
{
	switch (config_setting_type(to)) {
	case CONFIG_TYPE_GROUP:
		return fill_group(to, value);
	case CONFIG_TYPE_LIST:
	case CONFIG_TYPE_ARRAY:
		return fill_list(to, value);
	case CONFIG_TYPE_STRING:
		return config_setting_set_string(to, json_string_value(value));
	case CONFIG_TYPE_INT:
		return config_setting_set_int(to,
					      (int)json_integer_value(value));
	case CONFIG_TYPE_INT64:
		return config_setting_set_int64(to, json_integer_value(value));
	case CONFIG_TYPE_BOOL:
		return config_setting_set_bool(to, json_is_true(value));
	default:
		return false;
	}
}

static bool
add(config_setting_t *to, const char *name, const json_t *value)
{
	config_setting_t *setting =
		config_setting_add(to, name, type_of(value));

	return setting && fill(setting, value);
}

/* libconfig leaves blanks at the ends of lines; in texts there are none. */
static void
strip(char *text)
{
	const char *from = text;
	char *to = text;

	while (*from) {
		const size_t n = strspn(from, " ");

		if (from[n] == '\n')
			from += n;
		*to++ = *from++;
	}
	*to = '\0';
}

char *
conf_file_text(const json_t *config)
{
	char *text = NULL;
	size_t size;
	config_t file;
	FILE *f;

	config_init(&file);
	if (json_is_object(config) &&
	    fill(config_root_setting(&file), config)) {
		f = open_memstream(&text, &size);
		if (f) {
			config_write(&file, f);
			if (fclose(f)) {
				free(text);
				text = NULL;
			} else {
				strip(text);
			}
		}
	}
	config_destroy(&file);
	return text;
}
