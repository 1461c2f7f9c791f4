/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames that cross a port, until a signal, the daemon, or who reads ends
 * it. To a file or pipe goes what the daemon sends, in whole blocks and at
 * once, so that others can read it live; to all others a line a frame, which
 * may be JSON.
 *
 * At the end the sending side is shut down, not the connection: the daemon may
 * still say how many frames were lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actions.h"
#include "client.h"
#include "clock.h"
#include "frame_line.h"
#include "pcapng_reader.h"
#include "print_json.h"
#include "units.h"
#include "words.h"

/* How long the daemon has for its last words. */
#define LAST_WORDS_MS 1000

/**
 * struct tap - a capture as it runs
 * @is_pcapng:	what is written; else text
 * @is_ending:	no more frames are wanted: last words
 * @is_over:	nobody speaks or listens any more
 * @deadline:	of the last words, by clock_ms()
 * @lost:	as told with each frame; @lost_in_all: in the end, if it came to
 *		that: @has_sums
 */
struct tap {
	const struct command_line *line;
	struct client client;
	struct pcapng_reader reader;
	FILE *out;
	int signals;
	bool is_pcapng;
	bool is_ending;
	bool is_over;
	bool ended_by_daemon;
	bool has_sums;
	int64_t deadline;
	uint64_t frames;
	uint64_t lost;
	uint64_t lost_in_all;
};

static json_t *
make_request(const struct command_line *line)
{
	json_t *request =
		json_pack("{s:s, s:s}", "do", "capture", "port", line->args[0]);
	char *expr = words_join(line->args + 1, line->nargs - 1);
	int r = request && expr ? 0 : -1;

	if (!r && *expr)
		r = json_object_set_new(request, "expr", json_string(expr));
	if (!r && line->snaplen)
		r = json_object_set_new(request, "snaplen",
					json_integer(line->snaplen));
	if (!r && line->options & OPTION_RAW)
		r = json_object_set_new(request, "raw", json_true());
	free(expr);
	if (!r)
		return request;
	json_decref(request);
	return NULL;
}

/* Frames are others' letters: a new file is for its owner. */
static enum status
open_output(struct tap *tap, struct complaint *c)
{
	const char *path = tap->line->write;
	int fd;

	if (!path || strcmp(path, "-") == 0) {
		path = "standard output";
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return complain(c, FAILED, "%s: %s", path, strerror(errno));
	tap->out = fdopen(fd, "w");
	if (!tap->out) {
		close(fd);
		return complain(c, FAILED, "%s: %s", path, strerror(errno));
	}
	return DONE;
}

static enum status
catch_signals(struct tap *tap, struct complaint *c)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	tap->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (tap->signals < 0)
		return complain(c, FAILED, "signalfd: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	return DONE;
}

static void
begin_end(struct tap *tap)
{
	tap->is_ending = true;
	tap->deadline = clock_ms() + LAST_WORDS_MS;
	shutdown(tap->client.fd, SHUT_WR);
}

/* NULL where the daemon did not say. */
static const char *
direction_of(const struct pcapng_block *b)
{
	if (b->direction == 'i')
		return "in";
	return b->direction == 'o' ? "out" : NULL;
}

static void
put_text(FILE *f, const struct pcapng_block *b, const struct frame_line *parts)
{
	const char *direction = direction_of(b);
	char time[CLOCK_SIZE];

	clock_real(time, b->time);
	fprintf(f, "%s %-3s ", time, direction ? direction : "?");
	if (*parts->source)
		fprintf(f, "%s > %s, ", parts->source, parts->destination);
	fprintf(f, "%s\n", parts->summary);
}

/* What a frame does not have is left out. */
static json_t *
pack_frame(const struct pcapng_block *b, const struct frame_line *parts)
{
	bool has_addresses = *parts->source;

	return json_pack(
		"{s:I, s:s*, s:I, s:I, s:s*, s:s*, s:o*, s:s, s:o*}", "time_ns",
		(json_int_t)b->time, "direction", direction_of(b), "length",
		(json_int_t)b->frame_len, "captured", (json_int_t)b->kept,
		"source", has_addresses ? parts->source : NULL, "destination",
		has_addresses ? parts->destination : NULL, "ethertype",
		parts->ethertype ? json_integer(parts->ethertype) : NULL,
		"summary", parts->summary, "lost",
		b->lost ? json_integer((json_int_t)b->lost) : NULL);
}

static enum status
put_frame(struct tap *tap, const struct pcapng_block *b, struct complaint *c)
{
	struct frame_line parts;
	json_t *value;

	frame_line_read(&parts, b->data, b->kept, b->frame_len);
	if (!tap->line->json) {
		put_text(tap->out, b, &parts);
		return DONE;
	}
	value = pack_frame(b, &parts);
	if (!value)
		return complain(c, FAILED, "no memory for a frame");
	print_json_line(tap->out, value);
	json_decref(value);
	return DONE;
}

static enum status
put_block(struct tap *tap, const uint8_t *data, const struct pcapng_block *b,
	  struct complaint *c)
{
	/* Behind the last that is wanted only the sums are. */
	if (b->kind == PCAPNG_FRAME && tap->is_ending)
		return DONE;
	if (b->kind == PCAPNG_FRAME) {
		tap->frames++;
		tap->lost += b->lost;
		if (tap->frames == tap->line->count)
			begin_end(tap);
	}
	if (b->kind == PCAPNG_STATISTICS) {
		tap->lost_in_all = b->lost;
		tap->has_sums = true;
	}
	if (tap->is_pcapng)
		fwrite(data, 1, b->len, tap->out);
	else if (b->kind == PCAPNG_FRAME)
		return put_frame(tap, b, c);
	return DONE;
}

/* All whole blocks that are there. */
static enum status
put_blocks(struct tap *tap, struct complaint *c)
{
	struct client *client = &tap->client;

	while (client->end > client->start) {
		const uint8_t *data =
			(const uint8_t *)client->buf + client->start;
		struct pcapng_block b;
		enum status status = pcapng_read(
			&tap->reader, data, client->end - client->start, &b, c);

		if (status)
			return status;
		if (b.kind == PCAPNG_NOTHING)
			break;
		status = put_block(tap, data, &b, c);
		if (status)
			return status;
		client->start += b.len;
	}
	if (!fflush(tap->out))
		return DONE;
	if (errno != EPIPE)
		return complain(c, FAILED, "%s: %s",
				tap->line->write ? tap->line->write
						 : "standard output",
				strerror(errno));
	tap->is_over = true;
	return DONE;
}

static enum status
hear(struct tap *tap, struct complaint *c)
{
	bool end;
	enum status status = client_fill(&tap->client, &end, c);

	if (status || !end)
		return status;
	tap->is_over = true;
	tap->ended_by_daemon = !tap->is_ending;
	if (tap->ended_by_daemon && tap->client.end > tap->client.start)
		return complain(c, FAILED,
				"%s: vnet-switch hung up within a frame",
				tap->client.path);
	return DONE;
}

static enum status
run(struct tap *tap, struct complaint *c)
{
	/* The last has POLLERR when a pipe has lost its reader. */
	struct pollfd p[] = {
		{.fd = tap->client.fd, .events = POLLIN},
		{.fd = tap->signals, .events = POLLIN},
		{.fd = fileno(tap->out)},
	};
	enum status status = put_blocks(tap, c);

	while (!status && !tap->is_over) {
		int64_t left = tap->is_ending ? tap->deadline - clock_ms() : -1;
		int n;

		if (tap->is_ending && left <= 0)
			break;
		n = poll(p, sizeof(p) / sizeof(p[0]), (int)left);
		if (n < 0)
			return complain(c, FAILED, "poll: %s", strerror(errno));
		if (!n || p[2].revents & (POLLERR | POLLHUP))
			break;
		if (p[1].revents) {
			struct signalfd_siginfo info;

			/* Who asks twice, waits for nobody. */
			if (tap->is_ending ||
			    read(tap->signals, &info, sizeof(info)) < 0)
				break;
			begin_end(tap);
		}
		if (p[0].revents) {
			status = hear(tap, c);
			if (!status)
				status = put_blocks(tap, c);
		}
	}
	return status;
}

static enum status
open_tap(struct tap *tap, struct complaint *c)
{
	json_t *request = make_request(tap->line);
	enum status status = client_open(&tap->client, tap->line, c);

	if (status)
		json_decref(request);
	else
		status = client_ask(&tap->client, request, NULL, NULL, c);
	/* Not before it is clear that there will be frames. */
	if (!status)
		status = open_output(tap, c);
	if (!status)
		status = catch_signals(tap, c);
	return status;
}

enum status
show_capture(const struct command_line *line, struct complaint *c)
{
	struct tap tap = {
		.line = line,
		.signals = -1,
		.is_pcapng = line->write,
	};
	char frames[UNITS_SIZE];
	enum status status;

	if (line->write && line->json)
		return complain(c, MISUSED,
				"--write is for pcapng, and --json for lines: "
				"take one of them");
	if (line->write && strcmp(line->write, "-") == 0 &&
	    isatty(STDOUT_FILENO))
		return complain(c, MISUSED,
				"pcapng is not for a terminal: send it "
				"through a pipe");
	status = open_tap(&tap, c);
	if (!status)
		status = run(&tap, c);
	if (!status)
		fprintf(stderr, "%s captured, %s%" PRIu64 " lost%s\n",
			units_count(frames, tap.frames, "frame", "s"),
			tap.has_sums ? "" : "at least ",
			tap.lost_in_all > tap.lost ? tap.lost_in_all : tap.lost,
			tap.ended_by_daemon ? "; ended by vnet-switch" : "");
	if (tap.signals >= 0)
		close(tap.signals);
	if (tap.out)
		fclose(tap.out);
	client_close(&tap.client);
	return status;
}
