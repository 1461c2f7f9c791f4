/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates of the busiest ports: the differences between two rounds of counters.
 * On a terminal in place, as far as the window reaches; else a table a round.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "clock.h"
#include "field.h"
#include "screen.h"
#include "table.h"
#include "units.h"

/* Of a name, with NUL. */
#define NAME_SIZE 32

/* Counters of a port at a time. */
struct sample {
	char name[NAME_SIZE];
	char link[8];
	struct field_count in;
	struct field_count out;
	uint64_t drops;
	uint64_t queued;
};

/* A round, by name; the last of @samples is the total. */
struct round {
	uint64_t time;
	struct sample *samples;
	size_t nports;
};

/* What a line is made of, a second. */
struct rates {
	const struct sample *sample;
	double in_frames;
	double in_bits;
	double out_frames;
	double out_bits;
	double drops;
};

/* A column is there where the window has room for it and for those that matter
 * more: the smaller @rank. */
struct top_column {
	const char *title;
	int width;
	int rank;
	void (*print)(char text[UNITS_SIZE], const struct rates *rates);
};

static void
read_sample(struct sample *s, const json_t *port, const char *otherwise)
{
	const json_t *in = json_object_get(port, "in");
	const json_t *out = json_object_get(port, "out");
	const char *name = field_text(port, "name");
	const char *link = field_text(port, "link");

	snprintf(s->name, sizeof(s->name), "%s", *name ? name : otherwise);
	table_clean(s->name);
	snprintf(s->link, sizeof(s->link), "%s", *link ? link : "-");
	table_clean(s->link);
	s->in = field_count(port, "in");
	s->out = field_count(out, "delivered");
	s->drops = field_count(in, "dropped").frames +
		   field_count(out, "dropped").frames;
	s->queued = field_number(json_object_get(port, "queue"), "frames");
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct sample *)a)->name,
		      ((const struct sample *)b)->name);
}

static enum status
read_round(struct round *r, const json_t *stats, struct complaint *c)
{
	const json_t *ports = json_object_get(stats, "ports");
	const json_t *port;
	size_t i;

	r->nports = json_array_size(ports);
	r->time = field_number(stats, "time_ns");
	r->samples = calloc(r->nports + 1, sizeof(*r->samples));
	if (!r->samples)
		return complain(c, FAILED, "no memory for %zu ports",
				r->nports);
	json_array_foreach(ports, i, port)
		read_sample(&r->samples[i], port, "?");
	qsort(r->samples, r->nports, sizeof(*r->samples), by_name);
	read_sample(&r->samples[r->nports], json_object_get(stats, "totals"),
		    "(total)");
	return DONE;
}

static enum status
ask_round(struct client *client, struct round *r, struct complaint *c)
{
	json_t *stats = NULL;
	enum status status = client_ask_whole(
		client, field_request("stats", NULL, NULL), &stats, c);

	if (!status)
		status = field_expect(stats, JSON_OBJECT, "stats", c);
	if (!status)
		status = read_round(r, stats, c);
	json_decref(stats);
	return status;
}

/* A port that came anew begins at 0 again. */
static double
rate(uint64_t now, uint64_t before, double s)
{
	return (double)(now < before ? now : now - before) / s;
}

static struct rates
compare(const struct sample *now, const struct sample *before, double s)
{
	static const struct sample none;

	if (!before)
		before = &none;
	return (struct rates){
		.sample = now,
		.in_frames = rate(now->in.frames, before->in.frames, s),
		.in_bits = rate(now->in.octets, before->in.octets, s) * 8,
		.out_frames = rate(now->out.frames, before->out.frames, s),
		.out_bits = rate(now->out.octets, before->out.octets, s) * 8,
		.drops = rate(now->drops, before->drops, s),
	};
}

/* The busiest first; among those that rest, those that drop; then by name. */
static int
by_rate(const void *a, const void *b)
{
	const struct rates *x = a;
	const struct rates *y = b;
	double more = y->in_bits + y->out_bits - x->in_bits - x->out_bits;

	if (more == 0)
		more = y->drops - x->drops;
	if (more != 0)
		return more > 0 ? 1 : -1;
	return strcmp(x->sample->name, y->sample->name);
}

/* The last is the total. */
static struct rates *
make_rates(const struct round *now, const struct round *before)
{
	struct rates *rates = calloc(now->nports + 1, sizeof(*rates));
	double s = now->time > before->time
			   ? (double)(now->time - before->time) / 1e9
			   : 1;

	if (!rates)
		return NULL;
	for (size_t i = 0; i < now->nports; i++)
		rates[i] = compare(&now->samples[i],
				   bsearch(&now->samples[i], before->samples,
					   before->nports,
					   sizeof(*before->samples), by_name),
				   s);
	qsort(rates, now->nports, sizeof(*rates), by_rate);
	rates[now->nports] = compare(&now->samples[now->nports],
				     &before->samples[before->nports], s);
	return rates;
}

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
	units_short(text, (double)r->sample->queued);
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
run(struct client *client, const struct command_line *line,
    struct screen *screen, struct complaint *c)
{
	struct round before = {0};
	struct round now = {0};
	struct rates *rates = NULL;
	int64_t due = clock_ms();
	enum status status = ask_round(client, &before, c);

	for (uint64_t i = 0; !status && (!line->count || i < line->count);
	     i++) {
		due += line->delay_ms;
		if (rest(screen, rates, before.nports, line->delay_ms, due) ==
		    SCREEN_QUIT)
			break;
		status = ask_round(client, &now, c);
		if (status)
			break;
		free(rates);
		rates = make_rates(&now, &before);
		if (!rates) {
			status = complain(c, FAILED, "no memory for rates");
			break;
		}
		draw(screen, rates, now.nports, line->delay_ms);
		if (ferror(stdout))
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
	struct screen screen;
	enum status status = client_open(&client, line, c);

	if (!status)
		status = screen_open(&screen, c);
	if (!status) {
		status = run(&client, line, &screen, c);
		screen_close(&screen);
	}
	client_close(&client);
	return status;
}
