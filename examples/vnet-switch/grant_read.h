/* SPDX-License-Identifier: BSD-2-Clause */
/* A grant of a configuration as libvnet has it. vnetctl has it too. */
#ifndef GRANT_READ_H
#define GRANT_READ_H

#include <jansson.h>
#include <vnet/grant.h>

/**
 * struct grant_read - a grant with its lists
 * @grant:	lent: the name is the caller's, the lists are these
 */
struct grant_read {
	struct vnet_grant grant;
	struct vnet_grant_lists lists;
};

/* Fill in what @config, in normal form, says; but for "until", which is
 * @until. */
void grant_read(struct grant_read *g, const char *name, const json_t *config,
		vnet_nsec until);

/* "until", in nanoseconds of CLOCK_REALTIME; 0 where there is none. */
uint64_t grant_until(const json_t *config);

/* A grant of "grants" with what it has of its parents ("queue", "rate" and
 * "until", where it says none). New reference; NULL for want of memory. */
json_t *grant_whole(const json_t *grants, const json_t *config);

/* What libvnet says of a part: "ipv4: TEXT: found N, bound N". */
#define GRANT_WHY_SIZE 256
void grant_why(enum vnet_grant_part part, const struct vnet_why *why,
	       char *text, size_t size);

/* The key that a part is written with, or NULL. */
const char *grant_key(enum vnet_grant_part part);

#endif
