/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenMetrics 1.0 (https://openmetrics.io): a family of samples after the other,
 * "# EOF" behind the last. A family is of the switch, of ports, of clients, or of
 * grants, and is called after them; its name ends in its unit.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "field.h"
#include "openmetrics.h"
#include "table.h"

/* Of the name of a label, and of its value before that is escaped. */
#define LABEL_SIZE 16
#define VALUE_SIZE 96

/* Of all labels of a sample: four at the most. */
#define LABELS_SIZE (4 * (LABEL_SIZE + 2 * VALUE_SIZE))

/* Of a path. */
#define PATH_SIZE 64

/* Whose a family may be. Grants have others than the rest. */
enum {
	SWITCH = 1 << 0,
	PORT = 1 << 1,
	CLIENT = 1 << 2,
	GRANT = 1 << 3,
	ANY = SWITCH | PORT | CLIENT,
};

static const struct {
	unsigned int bit;
	const char *name;
} scopes[] = {
	{SWITCH, "switch"},
	{PORT, "port"},
	{CLIENT, "client"},
	{GRANT, "grant"},
};

enum kind {
	COUNTER,
	REASONS, /* counters, by the label "reason" */
	PARTS,   /* likewise "part", of frames and octets each */
	GAUGE,   /* may fall */
};

/**
 * struct family - samples of one name
 * @name:	behind "vnet_SCOPE_", the unit included
 * @unit:	NULL for none
 * @scopes:	who has it
 * @in:		where it is in what the daemon says; if there is an @out, with
 *		the label "direction"
 */
struct family {
	const char *name;
	const char *unit;
	unsigned int scopes;
	enum kind kind;
	const char *in;
	const char *out;
	const char *help;
};

static const struct family families[] = {
	{"frames", "frames", ANY, COUNTER, "in.frames", "out.frames",
	 "Frames that came in, and that were meant to go out."},
	{"octets", "octets", ANY, COUNTER, "in.octets", "out.octets",
	 "Octets that came in, and that were meant to go out."},
	{"dropped_frames", "frames", ANY, REASONS, "drops.in", "drops.out",
	 "Frames that were dropped, by reason."},
	{"dropped_octets", "octets", ANY, COUNTER, "in.dropped.octets",
	 "out.dropped.octets", "Octets of dropped frames."},
	{"looked_up_frames", "frames", ANY, COUNTER, "in.looked_up.frames",
	 NULL, "Frames that came in and were sent on."},
	{"looked_up_octets", "octets", ANY, COUNTER, "in.looked_up.octets",
	 NULL, "Octets that came in and were sent on."},
	{"copies_frames", "frames", ANY, COUNTER, "in.copies.frames", NULL,
	 "Destinations of the frames that were sent on, added up."},
	{"copies_octets", "octets", ANY, COUNTER, "in.copies.octets", NULL,
	 "Octets of frames that were sent on, for each destination."},
	{"lost_by_others_frames", "frames", ANY, COUNTER,
	 "in.lost_by_others.frames", NULL,
	 "Frames from here that others had no room for."},
	{"lost_by_others_octets", "octets", ANY, COUNTER,
	 "in.lost_by_others.octets", NULL,
	 "Octets from here that others had no room for."},
	{"moves", NULL, ANY, COUNTER, "in.moves", NULL,
	 "Addresses that moved here from elsewhere."},
	{"moves_refused", NULL, ANY, COUNTER, "in.moves_refused", NULL,
	 "Frames from addresses that stay elsewhere."},
	{"segments_frames", "frames", ANY, COUNTER, "out.segments.frames", NULL,
	 "Frames that cutting into segments has added."},
	{"segments_octets", "octets", ANY, COUNTER, "out.segments.octets", NULL,
	 "Octets that cutting into segments, and tags, have added."},
	{"delivered_frames", "frames", ANY, COUNTER, "out.delivered.frames",
	 NULL, "Frames that the medium has taken."},
	{"delivered_octets", "octets", ANY, COUNTER, "out.delivered.octets",
	 NULL, "Octets that the medium has taken."},
	{"queued_frames", "frames", ANY, GAUGE, "queue.frames", NULL,
	 "Frames that wait for the medium."},
	{"queued_octets", "octets", ANY, GAUGE, "queue.octets", NULL,
	 "Octets that wait for the medium."},
	{"queue_memory_octets", "octets", ANY, GAUGE, "queue.memory", NULL,
	 "Memory of the pool that waiting frames take."},
	{"link_up", NULL, PORT, GAUGE, "link", NULL,
	 "Is the link up? 1 if it is, else 0."},
	{"medium_dropped_frames", "frames", PORT, COUNTER, "medium.in_dropped",
	 "medium.out_dropped",
	 "Frames that the kernel lost before the switch, and behind it."},
	{"medium_error_frames", "frames", PORT, COUNTER, "medium.in_errors",
	 NULL, "Frames that were read with an error."},
	{"originated_frames", "frames", SWITCH, COUNTER, "originated.frames",
	 NULL, "Frames that the switch itself has made."},
	{"originated_octets", "octets", SWITCH, COUNTER, "originated.octets",
	 NULL, "Octets of frames that the switch itself has made."},
	{"unknown_source_frames", "frames", SWITCH, COUNTER, "unknown_source",
	 NULL, "Frames in the name of a client that was not there."},
	{"fdb_entries", NULL, SWITCH, GAUGE, "fdb.entries", NULL,
	 "Addresses in the table."},
	{"fdb_evictions", NULL, SWITCH, COUNTER, "fdb.evictions", NULL,
	 "Addresses that made room for others."},
	{"fdb_unlearned", NULL, SWITCH, COUNTER, "fdb.unlearned", NULL,
	 "Addresses that found no room."},
	{"pool_used_octets", "octets", SWITCH, GAUGE, "pool.used", NULL,
	 "Memory for queues that is in use."},
	{"pool_octets", "octets", SWITCH, GAUGE, "pool.octets", NULL,
	 "Memory for queues."},
	{"events_lost", NULL, SWITCH, COUNTER, "events_lost", NULL,
	 "Events that nobody has read in time."},
	{"clock_steps_back", NULL, SWITCH, COUNTER, "clock_steps_back", NULL,
	 "Times that were before the last one."},
	{"active", NULL, GRANT, GAUGE, "state", NULL,
	 "Does it last? 1 if it does, 0 if it has ended."},
	{"clients", NULL, GRANT, GAUGE, "clients", NULL,
	 "Clients that have it."},
	{"addresses", NULL, GRANT, GAUGE, "addresses", NULL,
	 "Source addresses in use."},
	{"refused_frames", "frames", GRANT, PARTS, "refused.in", "refused.out",
	 "Frames that were outside of it, by part."},
	{"refused_octets", "octets", GRANT, PARTS, "refused.in", "refused.out",
	 "Octets of frames that were outside of it, by part."},
	{"balanced", NULL, SWITCH, GAUGE, "balanced", NULL,
	 "Do all sums agree? 1 if they do, else 0."},
};

#define NFAMILIES (sizeof(families) / sizeof(families[0]))

/* What is not in the counters of a port or client, but a list of its own. */
static const struct family limit_frames = {"limit_dropped_frames",
					   "frames",
					   PORT | CLIENT,
					   COUNTER,
					   NULL,
					   NULL,
					   "Frames that a limit has dropped."};
static const struct family limit_octets = {"limit_dropped_octets",
					   "octets",
					   PORT | CLIENT,
					   COUNTER,
					   NULL,
					   NULL,
					   "Octets that a limit has dropped."};
static const struct family filter_hits = {
	"filter_hits",
	NULL,
	PORT | CLIENT,
	COUNTER,
	NULL,
	NULL,
	"Frames that a rule, or the default, has decided."};

/**
 * struct writer - where we are
 * @scope:	index in scopes[]
 * @has_begun:	the family at hand has samples
 */
struct writer {
	FILE *f;
	size_t scope;
	const struct family *family;
	bool has_begun;
};

/*
 * Samples
 */

struct labels {
	char text[LABELS_SIZE];
	size_t len;
};

/* What is in quotes there; what does not print does not get there. */
static void
add_label(struct labels *l, const char *name, const char *value)
{
	char clean[VALUE_SIZE];

	(void)snprintf(clean, sizeof(clean), "%s", value);
	table_clean(clean);
	l->len += (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len,
				   "%s%s=\"", l->len ? "," : "", name);
	for (const char *p = clean; *p; p++) {
		if (*p == '"' || *p == '\\')
			l->text[l->len++] = '\\';
		l->text[l->len++] = *p;
	}
	l->text[l->len++] = '"';
	l->text[l->len] = '\0';
}

static void
begin_family(struct writer *w, const struct family *family)
{
	w->family = family;
	w->has_begun = false;
}

static void
print_name(const struct writer *w)
{
	fprintf(w->f, "vnet_%s_%s", scopes[w->scope].name, w->family->name);
}

/* A family that nobody has a sample of is left out. */
static void
print_heading(struct writer *w)
{
	const struct family *family = w->family;

	if (w->has_begun)
		return;
	w->has_begun = true;
	fprintf(w->f, "# TYPE ");
	print_name(w);
	fprintf(w->f, " %s\n", family->kind == GAUGE ? "gauge" : "counter");
	if (family->unit) {
		fprintf(w->f, "# UNIT ");
		print_name(w);
		fprintf(w->f, " %s\n", family->unit);
	}
	fprintf(w->f, "# HELP ");
	print_name(w);
	fprintf(w->f, " %s\n", family->help);
}

static void
print_sample(struct writer *w, const struct labels *l, uint64_t value)
{
	print_heading(w);
	print_name(w);
	fprintf(w->f, "%s", w->family->kind == GAUGE ? "" : "_total");
	if (l->len)
		fprintf(w->f, "{%s}", l->text);
	fprintf(w->f, " %" PRIu64 "\n", value);
}

/*
 * Whose they are
 */

/* A client's name begins with its port's. */
static struct labels
labels_of(size_t scope, const char *name)
{
	struct labels l = {.len = 0};
	char port[VALUE_SIZE];

	(void)snprintf(port, sizeof(port), "%.*s", (int)strcspn(name, "/"),
		       name);
	if (scopes[scope].bit == GRANT)
		add_label(&l, "grant", name);
	if (scopes[scope].bit & (PORT | CLIENT))
		add_label(&l, "port", port);
	if (scopes[scope].bit == CLIENT)
		add_label(&l, "client", name);
	return l;
}

/* What is at "in.looked_up.frames"; NULL if it is not there. */
static const json_t *
find(const json_t *object, const char *path)
{
	char key[PATH_SIZE];

	while (object && *path) {
		const size_t len = strcspn(path, ".");

		(void)snprintf(key, sizeof(key), "%.*s", (int)len, path);
		object = json_object_get(object, key);
		path += len + (path[len] == '.');
	}
	return object;
}

/* A number, "up" or "down", "active" or "ended", true or false. Nothing is below
 * zero. */
static bool
read_value(const json_t *value, uint64_t *n)
{
	if (json_is_boolean(value))
		*n = json_is_true(value);
	else if (json_is_string(value))
		*n = !strcmp(json_string_value(value), "up") ||
		     !strcmp(json_string_value(value), "active");
	else if (json_is_integer(value) && json_integer_value(value) >= 0)
		*n = (uint64_t)json_integer_value(value);
	else
		return false;
	return true;
}

static void
print_reasons(struct writer *w, const struct labels *l, const json_t *drops)
{
	const char *reason;
	json_t *value;
	uint64_t n;

	json_object_foreach((json_t *)drops, reason, value) {
		struct labels one = *l;

		add_label(&one, "reason", reason);
		if (read_value(value, &n))
			print_sample(w, &one, n);
	}
}

static void
print_parts(struct writer *w, const struct labels *l, const json_t *refused)
{
	const char *part;
	json_t *count;
	uint64_t n;

	json_object_foreach((json_t *)refused, part, count) {
		struct labels one = *l;

		add_label(&one, "part", part);
		if (read_value(json_object_get(count, w->family->unit), &n))
			print_sample(w, &one, n);
	}
}

static void
print_at(struct writer *w, const struct labels *l, const char *direction,
	 const json_t *value)
{
	struct labels one = *l;
	uint64_t n;

	if (w->family->out)
		add_label(&one, "direction", direction);
	if (w->family->kind == REASONS)
		print_reasons(w, &one, value);
	else if (w->family->kind == PARTS)
		print_parts(w, &one, value);
	else if (read_value(value, &n))
		print_sample(w, &one, n);
}

/* What one of them has of a family. */
static void
print_owner(struct writer *w, const json_t *figures)
{
	const char *key = scopes[w->scope].bit == CLIENT ? "client" : "name";
	const struct labels l = labels_of(w->scope, field_text(figures, key));

	print_at(w, &l, "in", find(figures, w->family->in));
	if (w->family->out)
		print_at(w, &l, "out", find(figures, w->family->out));
}

/* Of the clients of all ports. */
static void
print_clients(struct writer *w, const json_t *ports)
{
	const json_t *port, *client;
	size_t i, j;

	json_array_foreach(ports, i, port)
		json_array_foreach(json_object_get(port, "clients"), j, client)
			print_owner(w, client);
}

static void
print_family(struct writer *w, const json_t *stats)
{
	const json_t *ports = json_object_get(stats, "ports"), *port, *grant;
	size_t i;

	switch (scopes[w->scope].bit) {
	case SWITCH:
		/* "balanced" is beside the totals. */
		print_owner(w, json_object_get(stats, w->family->in)
				       ? stats
				       : json_object_get(stats, "totals"));
		break;
	case PORT:
		json_array_foreach(ports, i, port)
			print_owner(w, port);
		break;
	case GRANT:
		json_array_foreach(json_object_get(stats, "grants"), i, grant)
			print_owner(w, grant);
		break;
	default:
		print_clients(w, ports);
		break;
	}
}

/*
 * Lists
 */

/* Who a row is of. */
static const char *
owner_of(const json_t *row)
{
	static const char *const keys[] = {"owner", "client", "port"};
	const char *name = "";

	for (size_t i = 0; !*name && i < sizeof(keys) / sizeof(keys[0]); i++)
		name = field_text(row, keys[i]);
	return name;
}

/* Of those rows that are of this scope: @labels[i] with what is at @keys[i]. */
static void
print_rows(struct writer *w, const struct family *family, const json_t *rows,
	   const char *const labels[2][2], const char *path)
{
	const json_t *row;
	size_t i;
	uint64_t n;

	begin_family(w, family);
	json_array_foreach(rows, i, row) {
		const char *owner = owner_of(row);
		const bool is_client = strchr(owner, '/');
		struct labels l = labels_of(w->scope, owner);

		if (is_client != (scopes[w->scope].bit == CLIENT))
			continue;
		for (size_t j = 0; j < 2; j++) {
			const char *text = field_text(row, labels[j][1]);

			add_label(&l, labels[j][0], *text ? text : "(default)");
		}
		if (read_value(find(row, path), &n))
			print_sample(w, &l, n);
	}
}

static void
print_lists(struct writer *w, const json_t *limits, const json_t *filters)
{
	static const char *const of_limits[2][2] = {{"direction", "side"},
						    {"traffic", "traffic"}};
	static const char *const of_filters[2][2] = {{"direction", "side"},
						     {"rule", "name"}};

	if (!(scopes[w->scope].bit & (PORT | CLIENT)))
		return;
	print_rows(w, &limit_frames, limits, of_limits, "dropped.frames");
	print_rows(w, &limit_octets, limits, of_limits, "dropped.octets");
	print_rows(w, &filter_hits, filters, of_filters, "hits");
}

void
openmetrics_print(FILE *f, const json_t *stats, const json_t *limits,
		  const json_t *filters)
{
	struct writer w = {.f = f};

	for (; w.scope < sizeof(scopes) / sizeof(scopes[0]); w.scope++) {
		for (size_t i = 0; i < NFAMILIES; i++) {
			if (!(families[i].scopes & scopes[w.scope].bit))
				continue;
			begin_family(&w, &families[i]);
			print_family(&w, stats);
		}
		print_lists(&w, limits, filters);
	}
	fprintf(f, "# EOF\n");
}
