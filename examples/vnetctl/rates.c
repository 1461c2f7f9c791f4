/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rates.h"
#include "table.h"

#define NS_PER_S 1000000000

static void
read_sample(struct sample *s, const json_t *port, const char *otherwise)
{
	const json_t *in = json_object_get(port, "in");
	const json_t *out = json_object_get(port, "out");
	const char *name = field_text(port, "name");
	const char *link = field_text(port, "link");

	snprintf(s->name, sizeof(s->name), "%s", *name ? name : otherwise);
	table_clean(s->name);
	snprintf(s->link, sizeof(s->link), "%s", *link ? link : "-");
	table_clean(s->link);
	s->in = field_count(port, "in");
	s->out = field_count(out, "delivered");
	s->drops = field_count(in, "dropped").frames +
		   field_count(out, "dropped").frames;
	s->queue = field_count(port, "queue");
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct sample *)a)->name,
		      ((const struct sample *)b)->name);
}

static enum status
read_round(struct round *r, const json_t *stats, struct complaint *c)
{
	const json_t *ports = json_object_get(stats, "ports");
	const json_t *port;
	size_t i;

	r->nports = json_array_size(ports);
	r->time = field_number(stats, "time_ns");
	r->samples = calloc(r->nports + 1, sizeof(*r->samples));
	if (!r->samples)
		return complain(c, FAILED, "no memory for %zu ports",
				r->nports);
	json_array_foreach(ports, i, port)
		read_sample(&r->samples[i], port, "?");
	qsort(r->samples, r->nports, sizeof(*r->samples), by_name);
	read_sample(&r->samples[r->nports], json_object_get(stats, "totals"),
		    "(total)");
	return DONE;
}

enum status
rates_ask(struct client *client, struct round *round, struct complaint *c)
{
	json_t *stats = NULL;
	enum status status = client_ask_whole(
		client, field_request("stats", NULL, NULL), &stats, c);

	if (!status)
		status = field_expect(stats, JSON_OBJECT, "stats", c);
	if (!status)
		status = read_round(round, stats, c);
	json_decref(stats);
	return status;
}

/* A port that came anew begins at 0 again. */
static double
rate(uint64_t now, uint64_t before, double s)
{
	return (double)(now < before ? now : now - before) / s;
}

static struct rates
compare(const struct sample *now, const struct sample *before, double s)
{
	static const struct sample none;

	if (!before)
		before = &none;
	return (struct rates){
		.sample = now,
		.in_frames = rate(now->in.frames, before->in.frames, s),
		.in_bits = rate(now->in.octets, before->in.octets, s) * 8,
		.out_frames = rate(now->out.frames, before->out.frames, s),
		.out_bits = rate(now->out.octets, before->out.octets, s) * 8,
		.drops = rate(now->drops, before->drops, s),
	};
}

/* The busiest first; among those that rest, those that drop; then by name. */
static int
by_rate(const void *a, const void *b)
{
	const struct rates *x = a;
	const struct rates *y = b;
	double more = y->in_bits + y->out_bits - x->in_bits - x->out_bits;

	if (more == 0)
		more = y->drops - x->drops;
	if (more != 0)
		return more > 0 ? 1 : -1;
	return strcmp(x->sample->name, y->sample->name);
}

/* Where the clock stood still, a second. */
uint64_t
rates_interval(const struct round *now, const struct round *before)
{
	return now->time > before->time ? now->time - before->time : NS_PER_S;
}

struct rates *
rates_make(const struct round *now, const struct round *before)
{
	struct rates *rates = calloc(now->nports + 1, sizeof(*rates));
	double s = (double)rates_interval(now, before) / NS_PER_S;

	if (!rates)
		return NULL;
	for (size_t i = 0; i < now->nports; i++)
		rates[i] = compare(&now->samples[i],
				   bsearch(&now->samples[i], before->samples,
					   before->nports,
					   sizeof(*before->samples), by_name),
				   s);
	qsort(rates, now->nports, sizeof(*rates), by_rate);
	rates[now->nports] = compare(&now->samples[now->nports],
				     &before->samples[before->nports], s);
	return rates;
}
