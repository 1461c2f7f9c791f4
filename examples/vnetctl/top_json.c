/* SPDX-License-Identifier: BSD-2-Clause */
#include "top_json.h"

#define SCHEMA 1

static json_t *
pack_side(double frames, double bits)
{
	return json_pack("{s:f, s:f}", "frames_per_s", frames, "bits_per_s",
			 bits);
}

static json_t *
pack_count(struct field_count count)
{
	return json_pack("{s:I, s:I}", "frames", (json_int_t)count.frames,
			 "octets", (json_int_t)count.octets);
}

/* The total has neither name nor link: NULL. */
static json_t *
pack_rates(const struct rates *r, const char *name, const char *link)
{
	return json_pack("{s:s*, s:s*, s:o, s:o, s:f, s:o}", "name", name,
			 "link", link, "in",
			 pack_side(r->in_frames, r->in_bits), "out",
			 pack_side(r->out_frames, r->out_bits), "drops_per_s",
			 r->drops, "queue", pack_count(r->sample->queue));
}

static json_t *
pack_port(const struct rates *r)
{
	return pack_rates(r, r->sample->name, r->sample->link);
}

json_t *
top_json(const struct round *now, const struct round *before,
	 const struct rates *rates)
{
	json_t *ports = json_array();
	json_t *totals = pack_rates(&rates[now->nports], NULL, NULL);
	int r = ports && totals ? 0 : -1;

	for (size_t i = 0; !r && i < now->nports; i++)
		r = json_array_append_new(ports, pack_port(&rates[i]));
	if (!r)
		return json_pack("{s:i, s:I, s:I, s:o, s:o}", "schema", SCHEMA,
				 "time_ns", (json_int_t)now->time,
				 "interval_ns",
				 (json_int_t)rates_interval(now, before),
				 "ports", ports, "totals", totals);
	json_decref(ports);
	json_decref(totals);
	return NULL;
}
