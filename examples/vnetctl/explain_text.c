/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "explain_text.h"
#include "field.h"
#include "table.h"

static const struct column step_columns[] = {
	{"", true}, {"", false}, {"", false}, {"", false}};

static const struct column dest_columns[] = {
	{"CLIENT", false}, {"FOR", false}, {"BECOMES", false}, {"WHY", false}};

static enum status
print_steps(FILE *f, const json_t *steps, struct complaint *c)
{
	struct table t = TABLE(step_columns);
	const json_t *step;
	size_t i;

	json_array_foreach(steps, i, step) {
		table_cell(&t, "%zu.", i + 1);
		table_cell(&t, "%s", field_text(step, "step"));
		table_cell(&t, "%s", field_text(step, "result"));
		table_cell(&t, "%s", field_text(step, "detail"));
	}
	return table_print_plain(&t, "  ", f, c);
}

/* The last step says what it comes to. */
static void
add_dest(struct table *t, const json_t *dest)
{
	const json_t *steps = json_object_get(dest, "steps");
	const size_t n = json_array_size(steps);
	const json_t *last = json_array_get(steps, n ? n - 1 : 0);
	const char *drop = field_text(dest, "drop");

	table_cell(t, "%s", field_text(dest, "client"));
	table_cell(t, "%s", field_text(dest, "reach"));
	table_cell(t, "%s", *drop ? drop : field_text(last, "result"));
	table_cell(t, "%s", field_text(last, "detail"));
}

enum status
explain_text(FILE *f, const json_t *explained, struct complaint *c)
{
	const json_t *dests = json_object_get(explained, "dests");
	const uint64_t more = field_number(explained, "more_dests");
	struct table t = TABLE(dest_columns);
	enum status status =
		print_steps(f, json_object_get(explained, "steps"), c);
	const json_t *dest;
	size_t i;

	if (status || !json_array_size(dests))
		return status;
	json_array_foreach(dests, i, dest)
		add_dest(&t, dest);
	status = table_print(&t, "      ", f, c);
	if (!status && more)
		fprintf(f, "      and %" PRIu64 " more\n", more);
	return status;
}
