/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of the command line; those of a command may stand anywhere. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdio.h>

#include "command.h"

enum options_wish {
	WISH_RUN,
	WISH_HELP,
	WISH_VERSION,
	WISH_LIST_COMMANDS, /* hidden: for completion */
};

/* Parse. The words that are no options are left in line->args. */
enum status options_parse(int argc, char **argv, struct command_line *line,
			  enum options_wish *wish, struct complaint *c);

/* Does the command take all options that were given? */
enum status options_check(const struct command_line *line, struct complaint *c);

/* What --help says of those of @options, or of those that all commands take,
 * --json included or not. */
void options_help(FILE *f, unsigned int options);
void options_help_common(FILE *f, bool has_json);

/* The names of those that not all commands take, with a space before each. */
void options_names(FILE *f, const struct command *command);

#endif
