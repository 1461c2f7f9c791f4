/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a configuration may say: one table of keys for the file, the options of
 * the command line and the control socket. vnetctl has it too.
 *
 * A configuration is a JSON value in all of the program; one that has passed
 * schema_check() is in normal form: every key known, every value of its type
 * and within its bounds, numbers as numbers, addresses as they are usually
 * written, defaults left out (so that two that mean the same are equal).
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <jansson.h>

#include "complaint.h"

enum schema_kind {
	SCHEMA_CONFIG, /* all of it: socket, log, cpu, switch, grants, ports,
			* fdb */
	SCHEMA_PORT,   /* one of "ports" */
	SCHEMA_PORT_CHANGES,   /* keys of a port, none of them required */
	SCHEMA_FILTER,         /* one of a port's "filters" */
	SCHEMA_FDB,            /* one of "fdb" */
	SCHEMA_LIMIT,          /* one of the "limits" of a port or a client */
	SCHEMA_ALLOW,          /* one of a port's "allow" */
	SCHEMA_CLIENT_FILTER,  /* one of a client */
	SCHEMA_CLIENT_CHANGES, /* keys of a client, none of them required */
	SCHEMA_GRANT,          /* one of "grants" */
	SCHEMA_GRANT_CHANGES,  /* keys of a grant, none of them required */
};

/* Where the element at a path ("ports[2].mtu") was written: fills @text with
 * "FILE:LINE", or leaves it empty. */
typedef void schema_where(void *ctx, const char *path, char *text, size_t size);

/**
 * schema_check() - is this a configuration?
 * @value:	whose; not changed
 * @where:	may be NULL
 * @c:		filled on failure: "FILE:LINE: ports[2].mtu: found 20, expected
 *		68 to 65535"
 *
 * Names, interfaces and sockets that occur twice are found, and expressions are
 * compiled. Changes to a port (SCHEMA_PORT_CHANGES), or to a grant, keep what is a
 * default, and null for a key that is to have its default again; those to a port
 * with "type" are bound as that type is.
 *
 * Return: the normal form, a new reference; NULL on failure.
 */
json_t *schema_check(enum schema_kind kind, const json_t *value,
		     schema_where *where, void *ctx, struct complaint *c);

/**
 * schema_set() - set a key from text, as in "mtu=9000"
 * @object:	changed on success; lists ("addresses") are appended to
 * @text:	"KEY=VALUE"; "KEY" alone for one that is true or false;
 *		"GROUP.KEY=VALUE"
 *
 * Only the form of the value is looked at: schema_check() does the rest. Lists
 * are texts between commas ("" is the empty one); "address" is one of
 * "addresses". Of changes to a port or a grant "KEY=" is null.
 *
 * Return: 0; -EINVAL, -ENOMEM with @c filled.
 */
int schema_set(enum schema_kind kind, json_t *object, const char *text,
	       struct complaint *c);

/*
 * The value of a key of a checked object, or its default: of a port's interface
 * its name, of its "role" and "mode" what its type says. NULL, or 0, where
 * there is none. Changes to a port have no defaults. @object may be NULL, for a
 * "switch" that is left out.
 */
const char *schema_string(const json_t *object, const char *key);
uint64_t schema_number(const json_t *object, const char *key);
bool schema_bool(const json_t *object, const char *key, bool otherwise);

#endif
