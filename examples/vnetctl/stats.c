/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of the frames, in exact figures. In each line of sums
 *
 *	in = dropped + looked up
 *	out + segments = delivered + queued + dropped
 *
 * hold, or the daemon says that they do not ("balanced").
 */
#include <inttypes.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "field.h"
#include "openmetrics.h"
#include "print_json.h"
#include "table.h"
#include "units.h"

/* Of a name, cleaned. */
#define NAME_SIZE 64

/* For those who do not know the headers of libvnet by heart. */
static const char *const reasons[][2] = {
	{"malformed", "under 14 octets, or tags that are none"},
	{"bad_offload", "offload fields belie the headers"},
	{"bad_source", "its source address is a group or zero"},
	{"reserved", "to 01:80:c2:00:00:00 to 0f"},
	{"ingress_filter", "by a rule, or the default, of side in"},
	{"same_port", "its destination is where it came from"},
	{"split_horizon", "from an uplink to an uplink"},
	{"no_destination", "nobody to send to"},
	{"reentrant", "this switch is at work on it already"},
	{"too_deep", "through 8 switches at once"},
	{"link_down", "the port's link is down"},
	{"egress_filter", "by a rule, or the default, of side out"},
	{"too_long", "for the port's MTU"},
	{"queue_full", "the port takes frames too slowly"},
	{"pool_empty", "the memory for all queues is taken"},
	{"refused", "the medium will not have it"},
	{"driver_error", "the medium is broken"},
	{"removed", "queued when the port went"},
	{"policed", "by a limit on all traffic"},
	{"storm", "by a limit on broadcast, multicast or unknown unicast"},
	{"loop_probe", "a probe of this switch that came back"},
	{"receive_filter", "by a rule, or the default, of side receive_in"},
	{"not_addressed", "for another's address"},
	{"not_granted", "outside of its client's grant"},
	{"undecided", "nobody can tell whether it is within the grant"},
	{"revoked", "its client's grant has ended"},
};

static const char *
explain(const char *reason)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i][0], reason) == 0)
			return reasons[i][1];
	return "";
}

static void
copy_name(char name[NAME_SIZE], const json_t *port, const char *otherwise)
{
	const char *text = field_text(port, "name");

	if (!*text)
		text = field_text(port, "client");
	snprintf(name, NAME_SIZE, "%s", *text ? text : otherwise);
	table_clean(name);
}

static void
add_count(struct table *t, struct field_count count)
{
	table_cell(t, "%" PRIu64, count.frames);
	table_cell(t, "%" PRIu64, count.octets);
}

/* All ports: a line each. */

static const struct column port_columns[] = {
	{"PORT", false},  {"LINK", false},   {"IN", true},
	{"OCTETS", true}, {"DROPPED", true}, {"DELIVERED", true},
	{"OCTETS", true}, {"DROPPED", true}, {"QUEUED", true},
};

static const struct column client_columns[] = {
	{"CLIENT", false}, {"LINK", false},   {"IN", true},
	{"OCTETS", true},  {"DROPPED", true}, {"DELIVERED", true},
	{"OCTETS", true},  {"DROPPED", true}, {"QUEUED", true},
};

static void
add_port_row(struct table *t, const json_t *port)
{
	const json_t *in = json_object_get(port, "in");
	const json_t *out = json_object_get(port, "out");
	char name[NAME_SIZE];

	copy_name(name, port, "(total)");
	table_cell(t, "%s", name);
	table_cell(t, "%s", field_text(port, "link"));
	table_cell(t, "%" PRIu64, field_number(in, "frames"));
	table_cell(t, "%" PRIu64, field_number(in, "octets"));
	table_cell(t, "%" PRIu64, field_count(in, "dropped").frames);
	add_count(t, field_count(out, "delivered"));
	table_cell(t, "%" PRIu64, field_count(out, "dropped").frames);
	table_cell(t, "%" PRIu64,
		   field_number(json_object_get(port, "queue"), "frames"));
}

static void
print_switch(const json_t *totals)
{
	const json_t *fdb = json_object_get(totals, "fdb");
	const json_t *pool = json_object_get(totals, "pool");
	char addresses[UNITS_SIZE];
	char used[UNITS_SIZE];
	char size[UNITS_SIZE];

	printf("\nfdb: %s, %" PRIu64 " evicted, %" PRIu64
	       " not learned; queues: %s of %s",
	       units_count(addresses, field_number(fdb, "entries"), "address",
			   "es"),
	       field_number(fdb, "evictions"), field_number(fdb, "unlearned"),
	       units_octets(used, field_number(pool, "used")),
	       units_octets(size, field_number(pool, "octets")));
	if (field_count(totals, "originated").frames)
		printf("; %s of its own",
		       units_count(used,
				   field_count(totals, "originated").frames,
				   "frame", "s"));
	if (field_number(totals, "events_lost"))
		printf("; %s lost",
		       units_count(used, field_number(totals, "events_lost"),
				   "event", "s"));
	printf("\n");
}

static enum status
print_all(const json_t *stats, struct complaint *c)
{
	struct table t = TABLE(port_columns);
	const json_t *totals = json_object_get(stats, "totals");
	const json_t *port;
	enum status status;
	size_t i;

	json_array_foreach(json_object_get(stats, "ports"), i, port)
		add_port_row(&t, port);
	add_port_row(&t, totals);
	status = table_print(&t, "", stdout, c);
	if (!status)
		print_switch(totals);
	return status;
}

/* One port: a line for each counter. */

static const struct column count_columns[] = {
	{"", false}, {"FRAMES", true}, {"OCTETS", true}};

static void
add_count_row(struct table *t, const char *label, const json_t *object,
	      const char *key)
{
	table_cell(t, "%s", label);
	add_count(t, field_count(object, key));
}

static enum status
print_counts(const json_t *port, struct complaint *c)
{
	struct table t = TABLE(count_columns);
	const json_t *in = json_object_get(port, "in");
	const json_t *out = json_object_get(port, "out");

	add_count_row(&t, "in", port, "in");
	add_count_row(&t, "  dropped", in, "dropped");
	add_count_row(&t, "  looked up", in, "looked_up");
	add_count_row(&t, "    copies", in, "copies");
	add_count_row(&t, "out", port, "out");
	add_count_row(&t, "  + segments", out, "segments");
	add_count_row(&t, "  delivered", out, "delivered");
	add_count_row(&t, "  queued", port, "queue");
	add_count_row(&t, "  dropped", out, "dropped");
	return table_print(&t, "    ", stdout, c);
}

/* Drops. */

static const struct column drop_columns[] = {
	{"", true}, {"", false}, {"", false}};

static enum status
print_reasons(const json_t *drops, struct complaint *c)
{
	struct table t = TABLE(drop_columns);
	const char *reason;
	json_t *n;

	json_object_foreach((json_t *)drops, reason, n) {
		if (!json_is_integer(n) || !json_integer_value(n))
			continue;
		table_cell(&t, "%" JSON_INTEGER_FORMAT, json_integer_value(n));
		table_cell(&t, "%s", reason);
		table_cell(&t, "%s", explain(reason));
	}
	return table_print_plain(&t, "        ", stdout, c);
}

static void
print_sum_in(const json_t *port)
{
	const json_t *in = json_object_get(port, "in");

	printf("    in %" PRIu64 " = %" PRIu64 " dropped + %" PRIu64
	       " looked up\n",
	       field_number(in, "frames"), field_count(in, "dropped").frames,
	       field_count(in, "looked_up").frames);
}

static void
print_sum_out(const json_t *port)
{
	const json_t *out = json_object_get(port, "out");

	printf("    out %" PRIu64 " + %" PRIu64 " segments = %" PRIu64
	       " delivered + %" PRIu64 " queued + %" PRIu64 " dropped\n",
	       field_number(out, "frames"), field_count(out, "segments").frames,
	       field_count(out, "delivered").frames,
	       field_number(json_object_get(port, "queue"), "frames"),
	       field_count(out, "dropped").frames);
}

/* What was lost where the switch does not see it. */
static void
print_medium(const json_t *port)
{
	const json_t *medium = json_object_get(port, "medium");
	uint64_t in = field_number(medium, "in_dropped");
	uint64_t out = field_number(medium, "out_dropped");
	uint64_t errors = field_number(medium, "in_errors");

	if (in || out || errors)
		printf("    medium: %" PRIu64
		       " lost before the switch, %" PRIu64
		       " behind it, %" PRIu64 " read with errors\n",
		       in, out, errors);
}

static void
print_moves(const json_t *port)
{
	const json_t *in = json_object_get(port, "in");
	uint64_t moves = field_number(in, "moves");
	uint64_t refused = field_number(in, "moves_refused");
	char addresses[UNITS_SIZE];
	char frames[UNITS_SIZE];

	if (moves || refused)
		printf("    moves: %s came from elsewhere, %s from what stays "
		       "there\n",
		       units_count(addresses, moves, "address", "es"),
		       units_count(frames, refused, "frame", "s"));
}

static enum status
print_sums(const json_t *port, struct complaint *c)
{
	const json_t *drops = json_object_get(port, "drops");
	enum status status;

	print_sum_in(port);
	status = print_reasons(json_object_get(drops, "in"), c);
	if (status)
		return status;
	print_sum_out(port);
	status = print_reasons(json_object_get(drops, "out"), c);
	if (status)
		return status;
	print_medium(port);
	print_moves(port);
	return DONE;
}

static void
print_title(const json_t *port)
{
	char name[NAME_SIZE];
	char role[NAME_SIZE];
	char link[NAME_SIZE];

	copy_name(name, port, "(total)");
	snprintf(role, sizeof(role), "%s", field_text(port, "role"));
	snprintf(link, sizeof(link), "%s", field_text(port, "link"));
	table_clean(role);
	table_clean(link);
	if (*role)
		printf("%s: %s, %s\n", name, role, link);
	else
		printf("%s\n", name);
}

static bool
has_dropped(const json_t *port)
{
	return field_count(json_object_get(port, "in"), "dropped").frames ||
	       field_count(json_object_get(port, "out"), "dropped").frames;
}

/* Of ports that dropped something, and of the whole. */
static enum status
print_drops(const json_t *stats, bool one, struct complaint *c)
{
	const json_t *port;
	enum status status = DONE;
	size_t i;

	json_array_foreach(json_object_get(stats, "ports"), i, port) {
		if (!one && !has_dropped(port))
			continue;
		print_title(port);
		status = print_sums(port, c);
		if (status)
			return status;
	}
	if (one)
		return DONE;
	print_title(json_object_get(stats, "totals"));
	return print_sums(json_object_get(stats, "totals"), c);
}

/* Where there are several, or might be. */
static enum status
print_clients(const json_t *clients, struct complaint *c)
{
	struct table t = TABLE(client_columns);
	const json_t *client;
	size_t i;

	if (!json_array_size(clients))
		return DONE;
	json_array_foreach(clients, i, client)
		add_port_row(&t, client);
	return table_print(&t, "    ", stdout, c);
}

static enum status
print_one(const json_t *stats, struct complaint *c)
{
	const json_t *port = json_array_get(json_object_get(stats, "ports"), 0);
	enum status status;

	print_title(port);
	status = print_counts(port, c);
	if (!status)
		status = print_sums(port, c);
	if (!status)
		status = print_clients(json_object_get(port, "clients"), c);
	return status;
}

/* Of one port or all, with what is counted elsewhere. */
static enum status
print_openmetrics(struct client *client, const char *port, const json_t *stats,
		  struct complaint *c)
{
	json_t *limits = NULL, *filters = NULL;
	enum status status = client_ask_whole(
		client, field_request("limit show", "owner", port), &limits, c);

	if (!status)
		status = client_ask_whole(
			client, field_request("filter show", "port", port),
			&filters, c);
	if (!status)
		openmetrics_print(stdout, stats, limits, filters);
	json_decref(limits);
	json_decref(filters);
	return status;
}

static enum status
print_stats(const struct command_line *line, struct client *client,
	    const json_t *stats, struct complaint *c)
{
	const char *name = line->nargs ? line->args[0] : NULL;

	if (line->options & OPTION_OPENMETRICS)
		return print_openmetrics(client, name, stats, c);
	if (line->options & OPTION_DROPS)
		return print_drops(stats, name, c);
	return name ? print_one(stats, c) : print_all(stats, c);
}

enum status
show_stats(const struct command_line *line, struct complaint *c)
{
	json_t *request = field_request("stats", "port",
					line->nargs ? line->args[0] : NULL);
	json_t *stats = NULL;
	struct client client;
	enum status status;

	if (line->options & OPTION_OPENMETRICS &&
	    (line->json || line->options & OPTION_DROPS)) {
		json_decref(request);
		return complain(c, MISUSED,
				"--openmetrics is a form by itself: neither "
				"--json nor --drops goes with it");
	}
	if (line->json)
		return print_json(line, request, c);
	status = client_open(&client, line, c);
	if (status)
		json_decref(request);
	else
		status = client_ask_whole(&client, request, &stats, c);
	if (!status)
		status = field_expect(stats, JSON_OBJECT, "stats", c);
	if (!status)
		status = print_stats(line, &client, stats, c);
	/* Figures that cannot be are shown, and said to be. */
	if (!status && json_is_false(json_object_get(stats, "balanced")))
		status = complain(c, FAILED,
				  "these sums do not agree: a fault of "
				  "vnet-switch");
	json_decref(stats);
	client_close(&client);
	return status;
}
