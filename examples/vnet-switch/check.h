/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks a value by its key, and says where it is wrong. */
#ifndef CHECK_H
#define CHECK_H

#include "keys.h"

/* Octets of a value, or a key, that a complaint quotes. */
#define QUOTED 40

/* A member of what is at @up, or an element where it has no key. */
struct place {
	const struct place *up;
	const char *key;
	size_t index;
};

/**
 * struct check - what is being checked
 * @where:	may be NULL
 * @element:	checks an element of a list of groups
 * @ports:	of which type the port at hand is; ANY where there is none
 * @ninsns:	counts the instructions of all expressions
 */
struct check {
	enum schema_kind kind;
	schema_where *where;
	void *ctx;
	struct complaint *c;
	json_t *(*element)(struct check *k, enum schema_kind kind,
			   const struct place *p, const json_t *value);
	unsigned int ports;
	size_t ninsns;
};

/* Complain of what is at a place; @p is NULL for all of it. Both return NULL. */
json_t *check_refuse(const struct check *k, const struct place *p,
		     const char *format, ...)
	__attribute__((format(printf, 3, 4)));
json_t *check_refuse_memory(const struct check *k);

/* Complain of a key, p->key, that is not in the table. */
void check_refuse_unknown(const struct check *k, const struct place *p,
			  const struct key *keys);

/* Its normal form, a new reference; NULL with a complaint. */
json_t *check_value(struct check *k, const struct place *p,
		    const struct key *key, const json_t *value);
json_t *check_group(struct check *k, const struct place *p,
		    const struct key *keys, const json_t *value);

#endif
