/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates of the busiest ports, on a terminal in place, as far as the window
 * reaches; else a table a round, or with --json a line.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "clock.h"
#include "print_json.h"
#include "rates.h"
#include "screen.h"
#include "top_json.h"
#include "units.h"

/* A column is there where the window has room for it and for those that matter
 * more: the smaller @rank. */
struct top_column {
	const char *title;
	int width;
	int rank;
	void (*print)(char text[UNITS_SIZE], const struct rates *rates);
};

static void
print_link(char text[UNITS_SIZE], const struct rates *r)
{
	snprintf(text, UNITS_SIZE, "%s", r->sample->link);
}

static void
print_in_frames(char text[UNITS_SIZE], const struct rates *r)
{
	units_short(text, r->in_frames);
}

static void
print_in_bits(char text[UNITS_SIZE], const struct rates *r)
{
	units_short(text, r->in_bits);
}

static void
print_out_frames(char text[UNITS_SIZE], const struct rates *r)
{
	units_short(text, r->out_frames);
}

static void
print_out_bits(char text[UNITS_SIZE], const struct rates *r)
{
	units_short(text, r->out_bits);
}

static void
print_drops(char text[UNITS_SIZE], const struct rates *r)
{
	units_short(text, r->drops);
}

static void
print_queued(char text[UNITS_SIZE], const struct rates *r)
{
	units_short(text, (double)r->sample->queue.frames);
}

static const struct top_column columns[] = {
	{"LINK", 4, 5, print_link},
	{"IN f/s", 8, 3, print_in_frames},
	{"IN bit/s", 8, 0, print_in_bits},
	{"OUT f/s", 8, 4, print_out_frames},
	{"OUT bit/s", 9, 1, print_out_bits},
	{"DROP/s", 6, 2, print_drops},
	{"QUEUED", 6, 6, print_queued},
};

#define NCOLUMNS (sizeof(columns) / sizeof(columns[0]))

/* What the name has, at the least. */
#define NAME_WIDTH_MIN 8

/* How many ranks there is room for. */
static int
count_ranks(int width)
{
	int left = width - NAME_WIDTH_MIN;
	int rank;

	for (rank = 0; rank < (int)NCOLUMNS; rank++)
		for (size_t i = 0; i < NCOLUMNS; i++) {
			if (columns[i].rank != rank)
				continue;
			left -= columns[i].width + 2;
			if (left < 0)
				return rank;
		}
	return rank;
}

/* What the columns leave, but no more than the longest name takes. */
static int
name_width(int width, int nranks, const struct rates *rates, size_t nports)
{
	int longest = NAME_WIDTH_MIN;

	for (size_t i = 0; i < NCOLUMNS; i++)
		if (columns[i].rank < nranks)
			width -= columns[i].width + 2;
	for (size_t i = 0; i <= nports && longest < width; i++) {
		int len = (int)strlen(rates[i].sample->name);

		longest = len > longest ? len : longest;
	}
	return width < longest ? width : longest;
}

static void
draw_titles(int name, int nranks)
{
	printf("%-*.*s", name, name, "PORT");
	for (size_t i = 0; i < NCOLUMNS; i++)
		if (columns[i].rank < nranks)
			printf("  %*s", columns[i].width, columns[i].title);
}

/* One that is too long has a mark in its middle: what ports have in common is
 * often how they begin. */
static void
draw_name(const char *name, int width)
{
	int len = (int)strlen(name);
	int tail = width / 2;

	if (len <= width)
		printf("%-*s", width, name);
	else if (width < 3)
		printf("%.*s", width, name);
	else
		printf("%.*s~%s", width - tail - 1, name, name + len - tail);
}

static void
draw_rates(const struct rates *rates, int name, int nranks)
{
	char text[UNITS_SIZE];

	draw_name(rates->sample->name, name);
	for (size_t i = 0; i < NCOLUMNS; i++) {
		if (columns[i].rank >= nranks)
			continue;
		columns[i].print(text, rates);
		printf("  %*s", columns[i].width, text);
	}
}

/* "2026-11-22 15:04:05  12 ports, each 1 s, q quits" */
static void
draw_head(const struct screen *screen, int width, size_t nports, int delay_ms)
{
	char now[CLOCK_SIZE];
	char ports[UNITS_SIZE];
	char text[128];

	clock_now(now);
	snprintf(text, sizeof(text), "%s  %s, each %g s%s", now,
		 units_count(ports, nports, "port", "s"), delay_ms / 1000.0,
		 screen->has_keys ? ", q quits" : "");
	printf("%.*s", width, text);
	screen_newline(screen);
}

/* Where a line says what is seen, there is room for some ports, too. */
#define HEAD_ROWS_MIN 6

/* Titles and total, and between them as many ports as there is room for. */
static void
draw(const struct screen *screen, const struct rates *rates, size_t nports,
     int delay_ms)
{
	int width;
	int rows;
	int nranks;
	int name;
	size_t shown;
	bool has_head;

	/* The last column stays free: some terminals clear it with the rest of
	 * the line. */
	screen_size(screen, &width, &rows);
	width--;
	nranks = count_ranks(width);
	name = name_width(width, nranks, rates, nports);
	has_head = screen->is_terminal && rows >= HEAD_ROWS_MIN;
	rows -= has_head;
	shown = rows > 2 ? (size_t)rows - 2 : 0;
	if (shown < nports)
		shown -= shown > 0; /* for what says so */
	else
		shown = nports;
	screen_begin(screen);
	if (has_head)
		draw_head(screen, width, nports, delay_ms);
	draw_titles(name, nranks);
	screen_newline(screen);
	for (size_t i = 0; i < shown; i++) {
		draw_rates(&rates[i], name, nranks);
		screen_newline(screen);
	}
	if (shown < nports && rows > 2) {
		char text[UNITS_SIZE];

		snprintf(text, sizeof(text), "... %zu more", nports - shown);
		printf("%.*s", width, text);
		screen_newline(screen);
	}
	draw_rates(&rates[nports], name, nranks);
	if (!screen->is_terminal)
		printf("\n\n");
	screen_end(screen);
}

/* Wait for the next round, and draw the last one again where that helps. */
static enum screen_event
rest(struct screen *screen, const struct rates *rates, size_t nports,
     int delay_ms, int64_t until)
{
	for (;;) {
		int64_t left = until - clock_ms();
		enum screen_event event =
			screen_wait(screen, left > 0 ? (int)left : 0);

		if (event != SCREEN_DRAW)
			return event;
		if (rates)
			draw(screen, rates, nports, delay_ms);
	}
}

static enum status
print_round(const struct round *now, const struct round *before,
	    const struct rates *rates, struct complaint *c)
{
	json_t *value = top_json(now, before, rates);

	if (!value)
		return complain(c, FAILED, "no memory for rates");
	print_json_line(stdout, value);
	json_decref(value);
	fflush(stdout);
	return DONE;
}

static enum status
run(struct client *client, const struct command_line *line,
    struct screen *screen, struct complaint *c)
{
	struct round before = {0};
	struct round now = {0};
	struct rates *rates = NULL;
	int64_t due = clock_ms();
	enum status status = rates_ask(client, &before, c);

	for (uint64_t i = 0; !status && (!line->count || i < line->count);
	     i++) {
		due += line->delay_ms;
		if (rest(screen, rates, before.nports, line->delay_ms, due) ==
		    SCREEN_QUIT)
			break;
		status = rates_ask(client, &now, c);
		if (status)
			break;
		free(rates);
		rates = rates_make(&now, &before);
		if (!rates) {
			status = complain(c, FAILED, "no memory for rates");
			break;
		}
		if (line->json)
			status = print_round(&now, &before, rates, c);
		else
			draw(screen, rates, now.nports, line->delay_ms);
		if (status || ferror(stdout))
			break;
		free(before.samples);
		before = now;
		now.samples = NULL;
	}
	free(rates);
	free(now.samples);
	free(before.samples);
	return status;
}

enum status
show_top(const struct command_line *line, struct complaint *c)
{
	struct client client;
	/* A terminal that is not drawn on, as it is for lines of JSON. */
	struct screen screen = {.signals = -1};
	enum status status = client_open(&client, line, c);

	if (!status && !line->json)
		status = screen_open(&screen, c);
	if (!status) {
		status = run(&client, line, &screen, c);
		screen_close(&screen);
	}
	client_close(&client);
	return status;
}
