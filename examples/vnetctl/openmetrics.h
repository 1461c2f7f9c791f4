/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters as OpenMetrics 1.0 text, for whoever collects such. */
#ifndef OPENMETRICS_H
#define OPENMETRICS_H

#include <stdio.h>

#include <jansson.h>

/* @stats, @limits and @filters are what the daemon says of these; what is not of
 * its type is left out. */
void openmetrics_print(FILE *f, const json_t *stats, const json_t *limits,
		       const json_t *filters);

#endif
