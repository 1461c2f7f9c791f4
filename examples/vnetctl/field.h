/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of what the daemon says. One of another type is as if not there. */
#ifndef FIELD_H
#define FIELD_H

#include <stdint.h>

#include <jansson.h>

#include "status.h"

/* "" where there is none. */
const char *field_text(const json_t *object, const char *key);

/* A number as digits, a text as it is, true as "yes", false as "no", a list of
 * such with spaces between; "" for others. */
const char *field_shown(const json_t *object, const char *key, char *text,
			size_t size);

/* 0 where there is none. */
uint64_t field_number(const json_t *object, const char *key);

/* {"frames","octets"} */
struct field_count {
	uint64_t frames;
	uint64_t octets;
};

struct field_count field_count(const json_t *object, const char *key);

/* A request of one key or two: {"do":@what,@key:@value}, without those that are
 * NULL. NULL if it is not UTF-8. */
json_t *field_request(const char *what, const char *key, const char *value);

/* Is an answer to @what of this type? */
enum status field_expect(const json_t *result, json_type type, const char *what,
			 struct complaint *c);

#endif
