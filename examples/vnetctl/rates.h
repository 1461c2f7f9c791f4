/* SPDX-License-Identifier: BSD-2-Clause */
/* What ports carry a second: the differences between two rounds of counters. */
#ifndef RATES_H
#define RATES_H

#include "client.h"
#include "field.h"

/* Of a name, with NUL. */
#define NAME_SIZE 32

/* Counters of a port at a time. */
struct sample {
	char name[NAME_SIZE];
	char link[8];
	struct field_count in;
	struct field_count out;
	uint64_t drops;
	struct field_count queue;
};

/* A round, by name; the last of @samples is the total. */
struct round {
	uint64_t time;
	struct sample *samples;
	size_t nports;
};

/* What a line is made of, a second. */
struct rates {
	const struct sample *sample;
	double in_frames;
	double in_bits;
	double out_frames;
	double out_bits;
	double drops;
};

/* Ask for the counters. round->samples is to be freed. */
enum status rates_ask(struct client *client, struct round *round,
		      struct complaint *c);

/* Nanoseconds that the rates are of. */
uint64_t rates_interval(const struct round *now, const struct round *before);

/* Of the ports of @now, the busiest first, and behind them the total; to be
 * freed. NULL: no memory. They refer to @now. */
struct rates *rates_make(const struct round *now, const struct round *before);

#endif
