/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Columns that are aligned. Those with nothing in any row are left out. Octets
 * that do not print become '?', as names from the daemon go to a terminal.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "status.h"

/* Of a table. */
#define TABLE_COLUMNS_MAX 12

/* Numbers are @right. */
struct column {
	const char *title;
	bool right;
};

struct table {
	const struct column *columns;
	size_t ncolumns;
	char **cells;
	size_t ncells;
	size_t room;
	bool no_memory;
};

#define TABLE(c)                                                       \
	{                                                              \
		.columns = (c), .ncolumns = sizeof(c) / sizeof((c)[0]) \
	}

/* The next cell, row by row. Memory that runs out is told by table_print(). */
void table_cell(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Print, each line with @indent in front, and free. An empty cell is "-", and of
 * no rows there are the titles. */
enum status table_print(struct table *table, const char *indent, FILE *f,
			struct complaint *c);

/* The same without titles, and with empty cells as they are. */
enum status table_print_plain(struct table *table, const char *indent, FILE *f,
			      struct complaint *c);

/* Free without printing. */
void table_free(struct table *table);

/* Make text fit for a terminal, in place. */
void table_clean(char *text);

#endif
