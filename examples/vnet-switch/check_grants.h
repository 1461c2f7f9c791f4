/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds between grants, and between these and ports. */
#ifndef CHECK_GRANTS_H
#define CHECK_GRANTS_H

#include "check.h"

/* Of a configuration whose parts are in normal form: false with a complaint,
 * which names the grant, and of it the first part that does not fit. */
bool check_grants(const struct check *k, const json_t *config);

#endif
