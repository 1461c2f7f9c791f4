/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnetctl looks at a running vnet-switch, and changes it:
 *
 *	vnetctl [OPTION]... OBJECT [VERB] [ARGUMENT]...
 *
 * One table (command.c) says what can be asked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "command.h"
#include "options.h"
#include "socket_path.h"

static enum status
run(struct command_line *line, struct complaint *c)
{
	enum status status;
	int nused;

	status = command_find(line->args, line->nargs, &line->command, &nused,
			      c);
	if (!status)
		status = options_check(line, c);
	if (status)
		return status;
	line->args += nused;
	line->nargs -= nused;
	if (line->nargs < line->command->nargs_min)
		return complain(c, MISUSED, "%s%s%s needs %s",
				line->command->object,
				line->command->verb ? " " : "",
				line->command->verb ? line->command->verb : "",
				line->command->args);
	if (line->command->nargs_max >= 0 &&
	    line->nargs > line->command->nargs_max)
		return complain(c, MISUSED, "what does \"%s\" mean here?",
				line->args[line->command->nargs_max]);
	return line->command->run(line, c);
}

int
main(int argc, char **argv)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct complaint c = {""};
	struct command_line line;
	enum options_wish wish = WISH_RUN;
	enum status status = options_parse(argc, argv, &line, &wish, &c);

	/* "help port add" is "port add --help". */
	if (!status && wish == WISH_RUN && line.nargs &&
	    strcmp(line.args[0], "help") == 0) {
		wish = WISH_HELP;
		line.args++;
		line.nargs--;
	}
	if (!line.socket) {
		socket_path(path, sizeof(path));
		line.socket = path;
	}
	if (!status && wish == WISH_HELP)
		status = command_help(line.args, line.nargs, &c);
	else if (!status && wish == WISH_VERSION)
		printf("vnetctl %s\n", VNET_SWITCH_VERSION);
	else if (!status && wish == WISH_LIST_COMMANDS)
		command_list();
	else if (!status && line.socket == path &&
		 socket_path_check(path, false, &c))
		status = FAILED;
	else if (!status)
		status = run(&line, &c);

	if (!status && (fflush(stdout) || ferror(stdout)))
		status = complain(&c, FAILED, "standard output: %s",
				  strerror(errno));
	if (status)
		fprintf(stderr, "vnetctl: %s%s\n", c.text,
			status == MISUSED ? " (see vnetctl --help)" : "");
	return status;
}
