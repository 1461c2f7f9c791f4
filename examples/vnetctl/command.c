/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "actions.h"
#include "options.h"

/* In the order of --help. */
static const struct command commands[] = {
	{"show", NULL, "", 0, 0, 0, true, "the switch and its ports",
	 show_daemon},
	{"port", "show", "[NAME]", 0, 1, 0, true, "all ports, or all about one",
	 show_ports},
	{"port", "add", "TYPE NAME [KEY=VALUE]...", 2, -1, OPTION_MAY_EXIST,
	 true, "open a port: tap, uplink, stream, attach", add_port},
	{"port", "set", "NAME KEY=VALUE...", 2, -1, 0, true,
	 "change a port while it runs", set_port},
	{"port", "del", "NAME", 1, 1, OPTION_IF_EXISTS, true, "close a port",
	 delete_port},
	{"client", "show", "[PORT]", 0, 1, 0, true, "who has opened the ports",
	 show_clients},
	{"client", "set", "CLIENT KEY=VALUE...", 2, -1, 0, true,
	 "change a client while it lasts", set_client},
	{"client", "del", "CLIENT", 1, 1, OPTION_IF_EXISTS, true,
	 "end a session", delete_client},
	{"filter", "show", "[OWNER]", 0, 1, 0, true,
	 "rules in the order they run, with hits", show_filters},
	{"filter", "add", "OWNER SIDE NAME PRIO pass|drop EXPR...", 6, -1,
	 OPTION_MAY_EXIST, true, "add a rule; EXPR is as for tcpdump",
	 add_filter},
	{"filter", "del", "OWNER SIDE NAME", 3, 3, OPTION_IF_EXISTS, true,
	 "remove a rule", delete_filter},
	{"limit", "show", "[OWNER]", 0, 1, 0, true,
	 "limits, and what they have dropped", show_limits},
	{"limit", "set", "OWNER in|out TRAFFIC KEY=VALUE...", 4, -1, 0, true,
	 "limit all, broadcast, multicast, unknown", set_limit},
	{"limit", "del", "OWNER in|out TRAFFIC", 3, 3, OPTION_IF_EXISTS, true,
	 "take a limit away", delete_limit},
	{"grant", "show", "[GRANT]", 0, 1, 0, true,
	 "grants, and what was outside of them", show_grants},
	{"grant", "add", "GRANT KEY=VALUE...", 2, -1, OPTION_MAY_EXIST, true,
	 "make a grant", add_grant},
	{"grant", "set", "GRANT KEY=VALUE...", 2, -1, 0, true,
	 "change a grant under traffic", set_grant},
	{"grant", "revoke", "GRANT", 1, 1, OPTION_IF_EXISTS, true,
	 "end a grant and all below it", revoke_grant},
	{"grant", "prove", "GRANT|CLIENT", 1, 1, 0, true,
	 "does the guard keep to its grant?", prove_grant},
	{"fdb", "show", "[PORT]", 0, 1, 0, true, "which address is where",
	 show_fdb},
	{"fdb", "add", "MAC PORT", 2, 2, 0, true, "pin an address to a port",
	 add_address},
	{"fdb", "del", "MAC", 1, 1, OPTION_IF_EXISTS, true, "forget an address",
	 delete_address},
	{"fdb", "flush", "[PORT]", 0, 1, 0, true,
	 "forget what was learned, all or of a port", flush_addresses},
	{"explain", NULL, "CLIENT [HEX...]", 1, -1, OPTION_READ | OPTION_COUNT,
	 true, "what would become of a frame, and why", explain_frame},
	{"stats", NULL, "[PORT]", 0, 1, OPTION_DROPS | OPTION_OPENMETRICS, true,
	 "what became of the frames, exactly", show_stats},
	{"top", NULL, "", 0, 0, OPTION_DELAY | OPTION_ROUNDS, true,
	 "rates of the busiest ports, until q", show_top},
	{"monitor", NULL, "", 0, 0, 0, true, "what happens, as it happens",
	 show_events},
	{"capture", NULL, "PORT [EXPR...]", 1, -1,
	 OPTION_WRITE | OPTION_RAW | OPTION_COUNT | OPTION_SNAPLEN, true,
	 "the frames that cross a port", show_capture},
	{"config", "show", "", 0, 0, 0, true,
	 "a file that gives what is running", show_config},
	{"config", "reload", "", 0, 0, 0, true,
	 "follow the file anew, as on SIGHUP", reload_config},
	{"port", "names", "", 0, 0, 0, false, NULL, list_port_names},
	{"port", "types", "", 0, 0, 0, false, NULL, list_port_types},
	{"port", "keys", "[TYPE]", 0, 1, 0, false, NULL, list_port_keys},
	{"client", "names", "", 0, 0, 0, false, NULL, list_client_names},
	{"client", "keys", "", 0, 0, 0, false, NULL, list_client_keys},
	{"limit", "keys", "", 0, 0, 0, false, NULL, list_limit_keys},
	{"grant", "names", "", 0, 0, 0, false, NULL, list_grant_names},
	{"grant", "keys", "", 0, 0, 0, false, NULL, list_grant_keys},
	{"filter", "names", "OWNER", 1, 1, 0, false, NULL, list_filter_names},
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

/* What else verbs are called. */
static const char *const aliases[][2] = {{"list", "show"}, {"delete", "del"}};

/* 0 if it does not, 1 if it begins so, 2 if it is the same. */
static int
matches(const char *word, const char *name)
{
	size_t len = strlen(word);

	if (!len || strncmp(word, name, len) != 0)
		return 0;
	return name[len] ? 1 : 2;
}

static int
matches_verb(const char *word, const char *verb)
{
	int best = matches(word, verb);

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		int match = matches(word, aliases[i][0]);

		if (strcmp(aliases[i][1], verb) == 0 && match > best)
			best = match;
	}
	return best;
}

/*
 * Which of the commands a word means: of all for its object, of one object's
 * for its verb. Returns the first of them; NULL with *@clash, two that it may
 * mean or nothing.
 */
static const struct command *
choose(const char *word, const char *object, const char *clash[2])
{
	const struct command *found = NULL;
	int best = 0;

	clash[0] = clash[1] = NULL;
	for (size_t i = 0; i < NCOMMANDS; i++) {
		const struct command *command = &commands[i];
		const char *name = object ? command->verb : command->object;
		const char *other;
		int match;

		if (object && strcmp(command->object, object) != 0)
			continue;
		match = object ? matches_verb(word, name) : matches(word, name);
		/* What is hidden is not found by chance. */
		if (object && !command->help && match < 2)
			continue;
		if (!match || match < best)
			continue;
		other = found ? (object ? found->verb : found->object) : name;
		if (match > best) {
			clash[0] = clash[1] = NULL;
			found = command;
		} else if (strcmp(other, name) != 0 &&
			   strcmp(other, "show") != 0) {
			clash[0] = other;
			clash[1] = name;
		}
		best = match;
	}
	return clash[0] ? NULL : found;
}

/* The first command of an object; NULL with @c. */
static const struct command *
find_object(const char *word, struct complaint *c)
{
	const char *clash[2];
	const struct command *found = choose(word, NULL, clash);

	if (!found && clash[0])
		complain(c, MISUSED, "\"%s\" may be %s or %s", word, clash[0],
			 clash[1]);
	else if (!found)
		complain(c, MISUSED, "there is no object \"%s\"", word);
	return found;
}

static const struct command *
find_verb(const char *object, const char *word, struct complaint *c)
{
	const char *clash[2];
	const struct command *found = choose(word, object, clash);

	if (!found && clash[0])
		complain(c, MISUSED, "\"%s %s\" may be %s or %s", object, word,
			 clash[0], clash[1]);
	else if (!found)
		complain(c, MISUSED, "%s has no verb \"%s\"", object, word);
	return found;
}

enum status
command_find(char **words, int nwords, const struct command **command,
	     int *nused, struct complaint *c)
{
	const struct command *found;

	*nused = 0;
	if (!nwords)
		return complain(c, MISUSED, "what is to be done?");
	found = find_object(words[0], c);
	if (!found)
		return MISUSED;
	*nused = 1;
	/* That of showing comes first of an object's. */
	if (found->verb && nwords > 1) {
		found = find_verb(found->object, words[1], c);
		*nused = 2;
	}
	*command = found;
	return found ? DONE : MISUSED;
}

static void
print_words(FILE *f, const struct command *command, const char *separator)
{
	fprintf(f, "%s", command->object);
	if (command->verb)
		fprintf(f, " %s", command->verb);
	fprintf(f, "%s%s", *command->args ? separator : "", command->args);
}

/* The width of what stands before the explanation. */
#define HELP_COLUMN 36

static void
print_command(FILE *f, const struct command *command)
{
	size_t len = strlen(command->object) + strlen(command->args) +
		     (command->verb ? strlen(command->verb) + 1 : 0) +
		     (*command->args ? 1 : 0);

	fprintf(f, "  ");
	print_words(f, command, " ");
	if (len >= HELP_COLUMN) {
		fprintf(f, "\n  ");
		len = 0;
	}
	fprintf(f, "%*s%s\n", (int)(HELP_COLUMN - len), "", command->help);
}

static bool
has_names(const char *args)
{
	return strstr(args, "OWNER") || strstr(args, "CLIENT");
}

/* What stands for names in the arguments. */
static void
print_names(const char *args)
{
	if (has_names(args))
		printf("\nCLIENT is one of a port, PORT/INDEX, or a port that "
		       "has "
		       "only one; OWNER is a\nport or a client; SIDE is in or "
		       "out, and of a client receive_in or receive_out.\n");
}

static void
help_all(const char *object)
{
	const char *args = "";
	unsigned int bits = 0;

	printf("Usage: vnetctl [OPTION]... %s\n",
	       object ? object : "OBJECT [VERB] [ARGUMENT]...");
	if (!object)
		printf("Look at a running vnet-switch, and change it.\n");
	printf("\n");
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (!commands[i].help ||
		    (object && strcmp(object, commands[i].object) != 0))
			continue;
		print_command(stdout, &commands[i]);
		bits |= commands[i].options;
		if (has_names(commands[i].args))
			args = commands[i].args;
	}
	printf("\n");
	options_help_common(stdout, true);
	if (object)
		options_help(stdout, bits);
	print_names(args);
	if (!object)
		printf("\nObjects and verbs may be cut short; an object alone "
		       "shows it. What else a\ncommand takes: vnetctl help "
		       "OBJECT VERB. Keys: vnet-switch.conf(5).\n");
}

static void
help_one(const struct command *command)
{
	printf("Usage: vnetctl [OPTION]... ");
	print_words(stdout, command, " ");
	printf("\n%s\n\n", command->help ? command->help : "for completion");
	options_help_common(stdout, command->has_json);
	options_help(stdout, command->options);
	print_names(command->args);
}

enum status
command_help(char **words, int nwords, struct complaint *c)
{
	const struct command *command;
	int nused;
	enum status status;

	if (!nwords) {
		help_all(NULL);
		return DONE;
	}
	status = command_find(words, nwords, &command, &nused, c);
	if (status)
		return status;
	if (command->verb && nused == 1)
		help_all(command->object);
	else
		help_one(command);
	return DONE;
}

void
command_list(void)
{
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (!commands[i].help)
			continue;
		print_words(stdout, &commands[i], "\t");
		printf("%s\t", *commands[i].args ? "" : "\t");
		options_names(stdout, &commands[i]);
		printf("\n");
	}
}
