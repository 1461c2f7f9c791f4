/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens, a line each, until one of the three ends. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "clock.h"
#include "field.h"
#include "print_json.h"
#include "table.h"

/* Of what is printed of a text. */
#define TEXT_SIZE 256

/* Of the columns; a longer port, which is seldom, moves what follows. */
#define EVENT_WIDTH 14
#define PORT_WIDTH  15
#define MAC_WIDTH   17

/* Blanks that are owed go before the next text, so that none end a line. */
static int
print_text(int owed, int width, const char *text)
{
	char clean[TEXT_SIZE];
	int len = snprintf(clean, sizeof(clean), "%s", text);

	table_clean(clean);
	if (!*clean)
		return owed + 2 + width;
	printf("%*s%s", owed + 2, "", clean);
	return len < width ? width - len : 0;
}

/* TIME  address_moved   web              02:00:00:00:00:01  3 times  ERROR */
static void
print_event(const json_t *event)
{
	char time[CLOCK_SIZE];
	char times[TEXT_SIZE] = "";
	char error[TEXT_SIZE];
	char grant[TEXT_SIZE] = "";
	uint64_t count = field_number(event, "count");
	const char *mac = field_text(event, "mac");
	const char *client = field_text(event, "client");
	int owed;

	clock_monotonic(time, field_number(event, "time_ns"));
	if (count > 1)
		snprintf(times, sizeof(times), "%" PRIu64 " times", count);
	if (*field_text(event, "grant"))
		snprintf(grant, sizeof(grant), "grant %s",
			 field_text(event, "grant"));
	printf("%s", time);
	owed = print_text(0, EVENT_WIDTH, field_text(event, "event"));
	owed = print_text(owed, PORT_WIDTH,
			  *client ? client : field_text(event, "port"));
	if (*mac || *times)
		owed = print_text(owed, MAC_WIDTH, mac);
	if (*times)
		owed = print_text(owed, 0, times);
	if (*grant)
		owed = print_text(owed, 0, grant);
	print_text(owed, 0, field_shown(event, "error", error, sizeof(error)));
	putchar('\n');
}

static enum status
next_event(struct client *client, bool json, struct complaint *c)
{
	const char *text;
	size_t len;
	json_error_t error;
	json_t *event;
	enum status status =
		client_line(client, CLIENT_FOREVER, &text, &len, c);

	if (status)
		return status;
	event = json_loadb(text, len, 0, &error);
	if (!json_is_object(event)) {
		json_decref(event);
		return complain(c, FAILED, "%s: an event that is no object",
				client->path);
	}
	if (json)
		print_json_line(stdout, event);
	else
		print_event(event);
	json_decref(event);
	if (fflush(stdout))
		return complain(c, FAILED,
				"standard output: cannot be written");
	return DONE;
}

enum status
show_events(const struct command_line *line, struct complaint *c)
{
	struct client client;
	enum status status = client_open(&client, line, c);

	if (!status)
		status = client_ask(&client,
				    field_request("monitor", NULL, NULL), NULL,
				    NULL, c);
	while (!status)
		status = next_event(&client, line->json, c);
	client_close(&client);
	return status;
}
