/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of commands: what is called, what is accepted, what --help says,
 * and what completion offers.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

/* Options that belong to some commands only. */
enum option_bit {
	OPTION_IF_EXISTS = 1 << 0,
	OPTION_MAY_EXIST = 1 << 1,
	OPTION_DROPS = 1 << 2,
	OPTION_DELAY = 1 << 3,
	OPTION_ROUNDS = 1 << 4,
	OPTION_WRITE = 1 << 5,
	OPTION_RAW = 1 << 6,
	OPTION_COUNT = 1 << 7,
	OPTION_SNAPLEN = 1 << 8,
	OPTION_READ = 1 << 9,
	OPTION_OPENMETRICS = 1 << 10,
};

/**
 * struct command_line - what was typed
 * @options:	OPTION_* that were given
 * @timeout_ms:	how long to wait for an answer
 * @delay_ms:	between two rounds
 * @count:	of rounds or of frames; 0 for no end
 * @args:	behind object and verb
 */
struct command_line {
	const struct command *command;
	unsigned int options;
	const char *socket;
	bool json;
	int timeout_ms;
	int delay_ms;
	uint64_t count;
	uint32_t snaplen;
	const char *write;
	const char *read;
	char **args;
	int nargs;
};

/**
 * struct command - something that can be asked for
 * @verb:	NULL where the object is all
 * @args:	as --help shows them
 * @nargs_max:	-1 for any number
 * @options:	OPTION_* that it takes
 * @has_json:	--json makes a difference
 * @help:	NULL hides it: it is for completion
 */
struct command {
	const char *object;
	const char *verb;
	const char *args;
	int nargs_min;
	int nargs_max;
	unsigned int options;
	bool has_json;
	const char *help;
	enum status (*run)(const struct command_line *line,
			   struct complaint *c);
};

/*
 * Find what @words mean, where each may be cut short as long as it is clear;
 * where it is not, "show" wins, which changes nothing. An object alone shows
 * it. *@nused is how many words were understood.
 */
enum status command_find(char **words, int nwords,
			 const struct command **command, int *nused,
			 struct complaint *c);

/* --help of what @words begin to say; of everything for none. */
enum status command_help(char **words, int nwords, struct complaint *c);

/* For completion: a line each, OBJECT VERB<tab>ARGS<tab>OPTIONS. */
void command_list(void);

#endif
