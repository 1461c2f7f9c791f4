/* SPDX-License-Identifier: BSD-2-Clause */
/* What ports and clients may send, and be sent, at the most. */
#include <inttypes.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "field.h"
#include "order.h"
#include "print_json.h"
#include "schema.h"
#include "table.h"

#define TEXT_SIZE 32

static const struct column columns[] = {
	{"OWNER", false},   {"SIDE", false},   {"TRAFFIC", false},
	{"FRAMES/S", true}, {"BURST", true},   {"OCTETS/S", true},
	{"BURST", true},    {"DROPPED", true}, {"OCTETS", true},
};

static void
add_row(struct table *t, const json_t *limit)
{
	static const char *const rates[] = {"frames_per_s", "burst_frames",
					    "octets_per_s", "burst_octets"};
	const struct field_count dropped = field_count(limit, "dropped");
	char text[TEXT_SIZE];

	table_cell(t, "%s", field_text(limit, "owner"));
	table_cell(t, "%s", field_text(limit, "side"));
	table_cell(t, "%s", field_text(limit, "traffic"));
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		table_cell(t, "%s",
			   field_shown(limit, rates[i], text, sizeof(text)));
	table_cell(t, "%" PRIu64, dropped.frames);
	table_cell(t, "%" PRIu64, dropped.octets);
}

enum status
show_limits(const struct command_line *line, struct complaint *c)
{
	json_t *request = field_request("limit show", "owner",
					line->nargs ? line->args[0] : NULL);
	struct table t = TABLE(columns);
	json_t *limits = NULL;
	const json_t *limit;
	enum status status;
	size_t i;

	if (line->json)
		return print_json(line, request, c);
	status = client_ask_once(line, request, &limits, c);
	if (!status)
		status = field_expect(limits, JSON_ARRAY, "limit show", c);
	if (!status) {
		json_array_foreach(limits, i, limit)
			add_row(&t, limit);
		status = table_print(&t, "", stdout, c);
	}
	json_decref(limits);
	return status;
}

static enum status
check_side(const char *side, struct complaint *c)
{
	if (strcmp(side, "in") == 0 || strcmp(side, "out") == 0)
		return DONE;
	return complain(c, MISUSED,
			"found \"%s\", expected in (into the switch) or out",
			side);
}

/* Side and traffic have places of their own. */
static enum status
set_keys(json_t *limit, const struct command_line *line, struct complaint *c)
{
	for (int i = 3; i < line->nargs; i++) {
		const char *arg = line->args[i];

		if (strncmp(arg, "side=", 5) == 0 ||
		    strncmp(arg, "traffic=", 8) == 0)
			return complain(c, MISUSED,
					"found \"%s\", but the limit is for %s "
					"%s",
					arg, line->args[1], line->args[2]);
		if (schema_set(SCHEMA_LIMIT, limit, arg, c))
			return FAILED;
	}
	return DONE;
}

enum status
set_limit(const struct command_line *line, struct complaint *c)
{
	enum status status = check_side(line->args[1], c);
	json_t *limit, *checked = NULL;

	if (status)
		return status;
	limit = json_pack("{s:s, s:s}", "side", line->args[1], "traffic",
			  line->args[2]);
	if (!limit)
		return complain(c, FAILED, "%s: no text in UTF-8",
				line->args[2]);
	status = set_keys(limit, line, c);
	/* The daemon does so as well: this is the sooner. */
	if (!status) {
		checked = schema_check(SCHEMA_LIMIT, limit, NULL, NULL, c);
		status = checked ? DONE : FAILED;
	}
	json_decref(checked);
	if (status) {
		json_decref(limit);
		return status;
	}
	return order(line,
		     json_pack("{s:s, s:s, s:o}", "do", "limit set", "owner",
			       line->args[0], "limit", limit),
		     c);
}

enum status
delete_limit(const struct command_line *line, struct complaint *c)
{
	enum status status = check_side(line->args[1], c);

	if (status)
		return status;
	return order(line,
		     json_pack("{s:s, s:s, s:s, s:s}", "do", "limit del",
			       "owner", line->args[0], "side", line->args[1],
			       "traffic", line->args[2]),
		     c);
}
