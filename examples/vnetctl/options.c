/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* Where there is no short option. */
enum {
	LONG_TIMEOUT = 256,
	LONG_IF_EXISTS,
	LONG_MAY_EXIST,
	LONG_DROPS,
	LONG_RAW,
	LONG_SNAPLEN,
	LONG_OPENMETRICS,
	LONG_LIST_COMMANDS,
};

/* @bit is 0 for those that all commands take; without @help it is hidden. */
static const struct {
	int key;
	unsigned int bit;
	const char *name;
	const char *arg;
	const char *help;
} options[] = {
	{'s', 0, "socket", "PATH", "where the daemon listens"},
	{'j', 0, "json", NULL, "print JSON"},
	{LONG_TIMEOUT, 0, "timeout", "SECONDS", "wait for an answer (10)"},
	{'h', 0, "help", NULL, "also of an object or a command"},
	{'V', 0, "version", NULL, "print the version"},
	{LONG_LIST_COMMANDS, 0, "list-commands", NULL, NULL},
	{LONG_IF_EXISTS, OPTION_IF_EXISTS, "if-exists", NULL,
	 "it may be gone already"},
	{LONG_MAY_EXIST, OPTION_MAY_EXIST, "may-exist", NULL,
	 "it may be there already"},
	{LONG_DROPS, OPTION_DROPS, "drops", NULL, "what was dropped, and why"},
	{LONG_OPENMETRICS, OPTION_OPENMETRICS, "openmetrics", NULL,
	 "all counters, as OpenMetrics text"},
	{'d', OPTION_DELAY, "delay", "SECONDS", "between two rounds (1)"},
	{'n', OPTION_ROUNDS, "rounds", "COUNT", "end after so many rounds"},
	{'w', OPTION_WRITE, "write", "FILE", "write pcapng; - is for a pipe"},
	{'r', OPTION_READ, "read", "FILE",
	 "frames of pcap or pcapng; - is stdin"},
	{LONG_RAW, OPTION_RAW, "raw", NULL,
	 "leave checksums that are still to be computed"},
	{'c', OPTION_COUNT, "count", "COUNT", "end after so many frames"},
	{LONG_SNAPLEN, OPTION_SNAPLEN, "snaplen", "OCTETS",
	 "of a frame at the most"},
};

#define NOPTIONS           (sizeof(options) / sizeof(options[0]))

#define DEFAULT_TIMEOUT_MS 10000
#define DEFAULT_DELAY_MS   1000
#define SNAPLEN_MAX        262144

static const char *
name_of(int key)
{
	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].key == key)
			return options[i].name;
	return "?";
}

/* A millisecond to a day. */
static enum status
parse_seconds(int key, const char *text, int *ms, struct complaint *c)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !isfinite(s) || s < 0.001 || s > 86400)
		return complain(
			c, MISUSED,
			"--%s: found \"%s\", expected seconds: 0.001 to "
			"86400",
			name_of(key), text);
	*ms = (int)(s * 1000 + 0.5);
	return DONE;
}

static enum status
parse_number(int key, const char *text, uint64_t max, uint64_t *number,
	     struct complaint *c)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || !n || n > max)
		return complain(c, MISUSED,
				"--%s: found \"%s\", expected a number: 1 to "
				"%llu",
				name_of(key), text, (unsigned long long)max);
	*number = n;
	return DONE;
}

static enum status
take(int key, char *arg, struct command_line *line, enum options_wish *wish,
     struct complaint *c)
{
	enum status status = DONE;
	uint64_t n = 0;

	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].key == key)
			line->options |= options[i].bit;
	switch (key) {
	case 's':
		line->socket = arg;
		break;
	case 'j':
		line->json = true;
		break;
	case 'h':
		*wish = WISH_HELP;
		break;
	case 'V':
		*wish = WISH_VERSION;
		break;
	case LONG_LIST_COMMANDS:
		*wish = WISH_LIST_COMMANDS;
		break;
	case LONG_TIMEOUT:
		status = parse_seconds(key, arg, &line->timeout_ms, c);
		break;
	case 'd':
		status = parse_seconds(key, arg, &line->delay_ms, c);
		break;
	case 'n':
	case 'c':
		status = parse_number(key, arg, INT64_MAX, &line->count, c);
		break;
	case LONG_SNAPLEN:
		status = parse_number(key, arg, SNAPLEN_MAX, &n, c);
		line->snaplen = (uint32_t)n;
		break;
	case 'w':
		line->write = arg;
		break;
	case 'r':
		line->read = arg;
		break;
	default:
		break;
	}
	return status;
}

/* What getopt() needs, from the table. */
static void
fill_getopt(struct option *longs, char *shorts)
{
	/* A missing argument is told apart from an unknown option. */
	*shorts++ = ':';
	for (size_t i = 0; i < NOPTIONS; i++) {
		longs[i] = (struct option){
			.name = options[i].name,
			.has_arg = options[i].arg ? required_argument
						  : no_argument,
			.val = options[i].key,
		};
		if (options[i].key >= LONG_TIMEOUT)
			continue;
		*shorts++ = (char)options[i].key;
		if (options[i].arg)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

enum status
options_parse(int argc, char **argv, struct command_line *line,
	      enum options_wish *wish, struct complaint *c)
{
	struct option longs[NOPTIONS + 1] = {{0}};
	char shorts[2 * NOPTIONS + 2];
	enum status status;
	int key;

	*line = (struct command_line){
		.timeout_ms = DEFAULT_TIMEOUT_MS,
		.delay_ms = DEFAULT_DELAY_MS,
	};
	*wish = WISH_RUN;
	fill_getopt(longs, shorts);
	opterr = 0;
	while ((key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (key == ':')
			return complain(c, MISUSED, "--%s needs a value",
					name_of(optopt));
		if (key == '?' && optopt && optopt < LONG_TIMEOUT)
			return complain(c, MISUSED, "unknown option -%c",
					optopt);
		if (key == '?')
			return complain(c, MISUSED, "unknown option %s",
					argv[optind - 1]);
		status = take(key, optarg, line, wish, c);
		if (status)
			return status;
	}
	line->args = argv + optind;
	line->nargs = argc - optind;
	return DONE;
}

enum status
options_check(const struct command_line *line, struct complaint *c)
{
	const struct command *command = line->command;
	unsigned int wrong = line->options & ~command->options;

	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].bit & wrong)
			return complain(c, MISUSED, "%s%s%s takes no --%s",
					command->object,
					command->verb ? " " : "",
					command->verb ? command->verb : "",
					options[i].name);
	if (line->json && !command->has_json)
		return complain(c, MISUSED, "%s prints no JSON",
				command->object);
	return DONE;
}

static void
print_option(FILE *f, size_t i)
{
	char text[40];

	snprintf(text, sizeof(text), "--%s%s%s", options[i].name,
		 options[i].arg ? " " : "",
		 options[i].arg ? options[i].arg : "");
	if (options[i].key < LONG_TIMEOUT)
		fprintf(f, "  -%c, ", options[i].key);
	else
		fprintf(f, "      ");
	fprintf(f, "%-21s %s\n", text, options[i].help);
}

void
options_help(FILE *f, unsigned int bits)
{
	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].bit & bits)
			print_option(f, i);
}

void
options_help_common(FILE *f, bool has_json)
{
	for (size_t i = 0; i < NOPTIONS; i++)
		if (!options[i].bit && options[i].help &&
		    (has_json || options[i].key != 'j'))
			print_option(f, i);
}

void
options_names(FILE *f, const struct command *command)
{
	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].bit & command->options ||
		    (command->has_json && options[i].key == 'j'))
			fprintf(f, " --%s", options[i].name);
}
