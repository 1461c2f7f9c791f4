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

static void
print_text(const char *before, const char *text, const char *behind)
{
	char clean[TEXT_SIZE];

	snprintf(clean, sizeof(clean), "%s", text);
	table_clean(clean);
	if (*clean)
		printf("%s%s%s", before, clean, behind);
}

/* "15:04:05.123456  address_moved  web  02:00:00:00:00:01  3 times: ERROR" */
static void
print_event(const json_t *event)
{
	char time[CLOCK_SIZE];
	char error[TEXT_SIZE];
	uint64_t count = field_number(event, "count");

	clock_monotonic(time, field_number(event, "time_ns"));
	printf("%s", time);
	print_text("  ", field_text(event, "event"), "");
	print_text("  ", field_text(event, "port"), "");
	print_text("  ", field_text(event, "mac"), "");
	if (count > 1)
		printf("  %" PRIu64 " times", count);
	print_text(": ", field_shown(event, "error", error, sizeof(error)), "");
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
		print_json_line(event);
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
