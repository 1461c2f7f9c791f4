/* SPDX-License-Identifier: BSD-2-Clause */
/* What top shows of a round, for programs. */
#ifndef TOP_JSON_H
#define TOP_JSON_H

#include "rates.h"

/* A new reference; NULL: no memory. @rates are those of the two rounds. */
json_t *top_json(const struct round *now, const struct round *before,
		 const struct rates *rates);

#endif
