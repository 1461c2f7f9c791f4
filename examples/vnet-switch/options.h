/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line, as far as it is a configuration, joined with the file. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

#include <jansson.h>

#include "complaint.h"

/**
 * struct options - what the command line said
 * @config:	path of the file, or NULL
 * @settings:	"socket", "cpu", "log"
 * @ports:	{"option", "port"} for each port
 * @filters:	{"option", "port", "filter"} for each filter
 * @ready_fd:	where readiness is told, or -1
 * @check:	look whether all is right, and no more
 * @wrong:	what is wrong with a value; empty if nothing is
 */
struct options {
	const char *config;
	json_t *settings;
	json_t *ports;
	json_t *filters;
	int ready_fd;
	bool check;
	struct complaint wrong;
};

/* Exits, with 2, if there is something wrong with the options by themselves
 * (with their values: unless they are only to be checked), and with 0 for
 * --help and --version. */
void options_parse(struct options *o, int argc, char **argv);
void options_fini(struct options *o);

/* Read the file, and add what the options say. Returns the configuration in
 * normal form, a new reference; or NULL with @c. */
json_t *options_join(const struct options *o, struct complaint *c);

#endif
