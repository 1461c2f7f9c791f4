/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of all keys that a configuration may have. */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "forms.h"
#include "schema.h"

/* Which ports have a key. */
enum {
	TAP = 1 << 0,
	UPLINK = 1 << 1,
	STREAM = 1 << 2,
	ATTACH = 1 << 3,
	UNKNOWN = 1 << 4, /* changes to a port do not say */
	ANY = TAP | UPLINK | STREAM | ATTACH | UNKNOWN,
	NTYPES = 4,
};

/* What the value of a key is. */
enum type {
	NUMBER,
	BOOL,
	CHOICE,
	TEXT,       /* key.form */
	EXPRESSION, /* for program_compile() */
	SCALARS,    /* a list of key.of, none of them twice */
	GROUP,      /* its keys are key.of */
	GROUPS,     /* a list of what key.kind says */
	NAMED,      /* likewise, a group of these by names of key.form */
};

/**
 * struct key - what a group may hold
 * @ports:	which ports have it. One that is not the same for all of them is
 *		in the table more than once
 * @min:	of a NUMBER
 * @max:	of a NUMBER; of a list or NAMED, how many
 * @choices:	of a CHOICE, ended by NULL
 * @form:	of a TEXT; of the names of NAMED
 * @is_number:	of a TEXT: it may be written as a number
 * @is_set:	of SCALARS: their order says nothing
 * @is_required: it must be there
 * @is_optional: it has a default: @number (1 of a BOOL for true), @text, or
 *		empty
 */
struct key {
	const char *name;
	enum type type;
	unsigned int ports;
	uint64_t min;
	uint64_t max;
	const char *const *choices;
	form *form;
	const struct key *of;
	enum schema_kind kind;
	bool is_number;
	bool is_set;
	bool is_required;
	bool is_optional;
	uint64_t number;
	const char *text;
};

/* Each ends with a key without a name. */
extern const struct key config_keys[], switch_keys[], port_keys[],
	filter_keys[], fdb_keys[], limit_keys[], allow_keys[],
	client_filter_keys[], client_keys[], grant_keys[];

/* In the order of their bits above, ended by NULL. */
extern const char *const port_types[NTYPES + 1];

/* The first of that name that ports of these types have; else NULL. */
const struct key *key_find(const struct key *keys, const char *name,
			   unsigned int ports);

/* The key that was meant by a name that is none, or NULL. */
const struct key *key_guess(const struct key *keys, const char *name);

/* Is this, in normal form, what holds where the key is not there? */
bool key_is_default(const struct key *key, const json_t *value);

/* The index of a choice; that of the NULL at the end where it is none. */
size_t key_choice(const char *const *choices, const char *text);

#endif
