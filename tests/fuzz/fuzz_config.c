/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text as a configuration file, as JSON and as settings of a command line,
 * one a line.
 *
 * What is accepted is in normal form: it is accepted again as it is, and the
 * file that is written of it says the same. What is refused is refused with a
 * complaint of one line that prints.
 */
#include <stdlib.h>
#include <string.h>

#include "conf_file.h"
#include "must.h"
#include "schema.h"

static void
check_complaint(const struct complaint *c)
{
	const size_t len = strnlen(c->text, sizeof(c->text));

	MUST(len > 0 && len < sizeof(c->text));
	for (size_t i = 0; i < len; i++)
		MUST(c->text[i] >= ' ' && c->text[i] <= '~');
}

static void
check_normal(enum schema_kind kind, const json_t *config)
{
	struct complaint c;
	json_t *again = schema_check(kind, config, NULL, NULL, &c);
	char *text;

	MUST(again && json_equal(config, again));
	json_decref(again);
	/* They may have a null, for a default, which no file has. */
	if (kind == SCHEMA_PORT_CHANGES || kind == SCHEMA_GRANT_CHANGES)
		return;
	text = conf_file_text(config);
	MUST(text);
	if (kind == SCHEMA_CONFIG) {
		again = conf_file_parse(text, "again", &c);
		MUST(again && json_equal(config, again));
		json_decref(again);
	}
	free(text);
}

static void
take(enum schema_kind kind, json_t *config, const struct complaint *c)
{
	if (config)
		check_normal(kind, config);
	else
		check_complaint(c);
	json_decref(config);
}

static void
try_file(const char *text)
{
	struct complaint c = {""};

	take(SCHEMA_CONFIG, conf_file_parse(text, "file", &c), &c);
}

static void
try_json(const char *text, size_t size)
{
	json_t *value =
		json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	for (enum schema_kind kind = 0; value && kind <= SCHEMA_GRANT_CHANGES;
	     kind++) {
		struct complaint c = {""};

		take(kind, schema_check(kind, value, NULL, NULL, &c), &c);
	}
	json_decref(value);
}

static void
try_settings(char *text, enum schema_kind kind)
{
	json_t *object = json_object();
	char *save, *line = strtok_r(text, "\n", &save);
	struct complaint c = {""};

	MUST(object);
	for (; line; line = strtok_r(NULL, "\n", &save))
		if (schema_set(kind, object, line, &c))
			check_complaint(&c);
	c.text[0] = '\0';
	take(kind, schema_check(kind, object, NULL, NULL, &c), &c);
	json_decref(object);
}

/* libconfig 1.5 loses a text that is before an error of syntax. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
const char *__lsan_default_suppressions(void);

/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
const char *
__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text);
	memcpy(text, in, size);
	text[size] = '\0';
	try_file(text);
	try_json(text, size);
	for (enum schema_kind kind = 0; kind <= SCHEMA_GRANT_CHANGES; kind++) {
		memcpy(text, in, size);
		try_settings(text, kind);
	}
	free(text);
	return 0;
}
