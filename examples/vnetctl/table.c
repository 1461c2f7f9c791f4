/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

void
table_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static bool
make_room(struct table *table)
{
	size_t room = table->room ? 2 * table->room : 64;
	char **cells;

	if (table->ncells < table->room)
		return true;
	cells = reallocarray(table->cells, room, sizeof(*cells));
	if (!cells)
		return false;
	table->cells = cells;
	table->room = room;
	return true;
}

void
table_cell(struct table *table, const char *format, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		table->no_memory = true;
		return;
	}
	if (!make_room(table)) {
		table->no_memory = true;
		free(text);
		return;
	}
	table_clean(text);
	table->cells[table->ncells++] = text;
}

void
table_free(struct table *table)
{
	for (size_t i = 0; i < table->ncells; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->ncells = table->room = 0;
}

static size_t
width_of(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->ncells; i += table->ncolumns) {
		size_t len = strlen(table->cells[i]);

		width = len > width ? len : width;
	}
	return width;
}

/* Two spaces between columns, none at the end of a line. */
static void
print_row(const struct table *table, const size_t *widths, char **cells,
	  const char *empty, const char *indent, FILE *f)
{
	size_t owed = 0;

	fputs(indent, f);
	for (size_t i = 0; i < table->ncolumns; i++) {
		const char *text = cells ? cells[i] : table->columns[i].title;
		size_t pad;

		if (!widths[i])
			continue;
		if (!*text)
			text = empty;
		pad = widths[i] - strlen(text);
		if (table->columns[i].right) {
			owed += pad;
			pad = 0;
		}
		if (*text)
			fprintf(f, "%*s%s", (int)owed, "", text);
		else
			pad += owed;
		owed = pad + 2;
	}
	fputc('\n', f);
}

static enum status
print_rows(struct table *table, bool titles, const char *indent, FILE *f,
	   struct complaint *c)
{
	size_t widths[TABLE_COLUMNS_MAX];

	if (table->no_memory) {
		table_free(table);
		return complain(c, FAILED, "no memory for what is to be shown");
	}
	for (size_t i = 0; i < table->ncolumns; i++) {
		size_t title = titles ? strlen(table->columns[i].title) : 0;

		widths[i] = width_of(table, i);
		if ((widths[i] || !table->ncells) && widths[i] < title)
			widths[i] = title;
	}
	if (titles)
		print_row(table, widths, NULL, "", indent, f);
	for (size_t i = 0; i < table->ncells; i += table->ncolumns)
		print_row(table, widths, table->cells + i, titles ? "-" : "",
			  indent, f);
	table_free(table);
	return DONE;
}

enum status
table_print(struct table *table, const char *indent, FILE *f,
	    struct complaint *c)
{
	return print_rows(table, true, indent, f, c);
}

enum status
table_print_plain(struct table *table, const char *indent, FILE *f,
		  struct complaint *c)
{
	return print_rows(table, false, indent, f, c);
}
