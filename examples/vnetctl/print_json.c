/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <unistd.h>

#include "print_json.h"

/* Nothing that a terminal would obey. */
static size_t
flags(FILE *f)
{
	return JSON_ENCODE_ANY | (isatty(fileno(f)) ? JSON_ENSURE_ASCII : 0);
}

void
print_json_line(FILE *f, const json_t *value)
{
	json_dumpf(value, f, flags(f) | JSON_COMPACT);
	fputc('\n', f);
}

static void
print_elements(const json_t *list, bool *any)
{
	size_t i;
	json_t *value;

	json_array_foreach(list, i, value) {
		putchar(*any ? ',' : '[');
		if (isatty(STDOUT_FILENO))
			putchar('\n');
		*any = true;
		json_dumpf(value, stdout, flags(stdout) | JSON_COMPACT);
	}
}

/* From its first piece on, to the last. */
static enum status
print_list(struct client *client, json_t *piece, bool more, struct complaint *c)
{
	bool any = false;
	enum status status = DONE;

	for (;;) {
		if (!json_is_array(piece))
			status = complain(c, FAILED,
					  "%s: the pieces of an answer do not "
					  "fit",
					  client->path);
		else
			print_elements(piece, &any);
		json_decref(piece);
		piece = NULL;
		if (status || !more)
			break;
		status = client_next(client, &piece, &more, c);
		if (status)
			break;
	}
	/* Also on failure: what is there is JSON. */
	if (!any)
		putchar('[');
	else if (isatty(STDOUT_FILENO))
		putchar('\n');
	puts("]");
	return status;
}

static enum status
print_answer(struct client *client, json_t *request, struct complaint *c)
{
	json_t *result = NULL;
	bool more = false;
	enum status status = client_ask(client, request, &result, &more, c);

	if (status || !result)
		return status;
	if (json_is_array(result))
		return print_list(client, result, more, c);
	if (more)
		status = client_join(client, result, c);
	if (!status) {
		json_dumpf(result, stdout,
			   flags(stdout) |
				   (isatty(STDOUT_FILENO) ? JSON_INDENT(4)
							  : JSON_COMPACT));
		putchar('\n');
	}
	json_decref(result);
	return status;
}

enum status
print_json(const struct command_line *line, json_t *request,
	   struct complaint *c)
{
	struct client client;
	enum status status = client_open(&client, line, c);

	if (status)
		json_decref(request);
	else
		status = print_answer(&client, request, c);
	client_close(&client);
	return status;
}
