/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the switch would do with a frame, and why: one that was typed, or those
 * of a capture. Nothing is sent.
 *
 * A capture may have cut its frames. What is missing is taken as zeros, so that
 * a frame is as long as it was, and that is said: only filters look so deep.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "explain_text.h"
#include "field.h"
#include "frame_file.h"
#include "frame_hex.h"
#include "frame_line.h"
#include "print_json.h"
#include "units.h"
#include "words.h"

/* Octets of an Ethernet header: of a frame without there is nothing to say. */
#define HEADER_LEN 14

/**
 * struct reading - the frames of a file as they are explained
 * @number:	of the frame at hand, from 1
 * @nfailed:	frames that could not be explained
 */
struct reading {
	const struct command_line *line;
	struct client client;
	struct frame_file *file;
	uint64_t number;
	uint64_t nfailed;
};

/* NULL: an argument is no text, or there is no memory. */
static json_t *
make_request(const char *client, const uint8_t *data, size_t len)
{
	char *hex = frame_hex_write(data, len);
	json_t *request = hex ? json_pack("{s:s, s:s, s:s}", "do", "explain",
					  "client", client, "frame", hex)
			      : NULL;

	free(hex);
	return request;
}

static void
print_title(const uint8_t *data, uint32_t kept, uint32_t len)
{
	struct frame_line parts;

	frame_line_read(&parts, data, kept, len);
	if (*parts.source)
		printf("%s > %s, ", parts.source, parts.destination);
	printf("%s\n", parts.summary);
}

/* One that was typed. */

static enum status
explain_typed(const struct command_line *line, const uint8_t *data, size_t len,
	      struct complaint *c)
{
	json_t *request = make_request(line->args[0], data, len);
	json_t *explained = NULL;
	enum status status;

	if (line->json)
		return print_json(line, request, c);
	status = client_ask_once(line, request, &explained, c);
	if (!status)
		status = field_expect(explained, JSON_OBJECT, "explain", c);
	if (!status) {
		print_title(data, (uint32_t)len, (uint32_t)len);
		status = explain_text(stdout, explained, c);
	}
	json_decref(explained);
	return status;
}

static enum status
explain_words(const struct command_line *line, struct complaint *c)
{
	char *text = words_join(line->args + 1, line->nargs - 1);
	uint8_t *data = NULL;
	size_t len = 0;
	enum status status;

	if (!text)
		return complain(c, FAILED, "no memory for a frame");
	status = frame_hex_parse(text, &data, &len, c);
	free(text);
	if (!status)
		status = explain_typed(line, data, len, c);
	free(data);
	return status;
}

/* Those of a file. */

/* Why it cannot be explained; NULL if it can. */
static const char *
say_unfit(const struct captured *frame)
{
	if (frame->len > FRAME_OCTETS_MAX)
		return "it is too long";
	if (frame->kept < frame->len && frame->kept < HEADER_LEN)
		return "the capture has not even its header";
	return NULL;
}

static enum status
ask(struct reading *r, const struct captured *frame, json_t **explained,
    struct complaint *c)
{
	uint8_t *whole = calloc(frame->len + 1, 1);
	enum status status;

	if (!whole)
		return complain(c, FAILED, "no memory for a frame");
	if (frame->kept)
		memcpy(whole, frame->data, frame->kept);
	status = client_ask_whole(
		&r->client, make_request(r->line->args[0], whole, frame->len),
		explained, c);
	free(whole);
	if (!status)
		status = field_expect(*explained, JSON_OBJECT, "explain", c);
	return status;
}

static enum status
put_json(const struct reading *r, const struct captured *frame,
	 const char *unfit, json_t *explained, struct complaint *c)
{
	json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:s*}", "frame",
				   (json_int_t)r->number, "time_ns",
				   (json_int_t)frame->time, "length",
				   (json_int_t)frame->len, "captured",
				   (json_int_t)frame->kept, "error", unfit);

	if (!object || (explained && json_object_update(object, explained))) {
		json_decref(object);
		return complain(c, FAILED, "no memory for a frame");
	}
	print_json_line(stdout, object);
	json_decref(object);
	return DONE;
}

static enum status
put_text(const struct reading *r, const struct captured *frame,
	 const char *unfit, const json_t *explained, struct complaint *c)
{
	printf("%sframe %" PRIu64 ": ", r->number > 1 ? "\n" : "", r->number);
	print_title(frame->data, frame->kept, frame->len);
	if (unfit) {
		printf("  not explained: %s\n", unfit);
		return DONE;
	}
	if (frame->kept < frame->len)
		printf("  cut to %" PRIu32 " octets by the capture: filters "
		       "see zeros behind them\n",
		       frame->kept);
	return explain_text(stdout, explained, c);
}

static enum status
explain_captured(struct reading *r, const struct captured *frame,
		 struct complaint *c)
{
	const char *unfit = say_unfit(frame);
	json_t *explained = NULL;
	enum status status = DONE;

	r->number++;
	if (unfit)
		r->nfailed++;
	else
		status = ask(r, frame, &explained, c);
	if (!status && r->line->json)
		status = put_json(r, frame, unfit, explained, c);
	else if (!status)
		status = put_text(r, frame, unfit, explained, c);
	json_decref(explained);
	return status;
}

static enum status
explain_all(struct reading *r, struct complaint *c)
{
	const uint64_t count = r->line->count;
	const char *path = r->line->read;
	struct captured frame;
	enum status status = DONE;
	char frames[UNITS_SIZE];
	bool end = false;

	while (!status && (!count || r->number < count)) {
		status = frame_file_next(r->file, &frame, &end, c);
		if (status || end)
			break;
		status = explain_captured(r, &frame, c);
	}
	if (status)
		return status;
	if (!r->number)
		return complain(c, FAILED, "%s: there are no frames in it",
				path);
	if (r->nfailed)
		return complain(c, FAILED, "%s: %s not explained", path,
				units_count(frames, r->nfailed, "frame", "s"));
	return DONE;
}

static enum status
explain_file(const struct command_line *line, struct complaint *c)
{
	struct reading r = {.line = line};
	enum status status = frame_file_open(&r.file, line->read, c);

	if (status)
		return status;
	status = client_open(&r.client, line, c);
	if (!status)
		status = explain_all(&r, c);
	client_close(&r.client);
	frame_file_close(r.file);
	return status;
}

enum status
explain_frame(const struct command_line *line, struct complaint *c)
{
	if (line->read && line->nargs > 1)
		return complain(c, MISUSED,
				"found a frame, and --read, which is for "
				"others: take one of them");
	if (line->read)
		return explain_file(line, c);
	if (line->options & OPTION_COUNT)
		return complain(c, MISUSED, "--count goes with --read");
	if (line->nargs < 2)
		return complain(c, MISUSED,
				"explain needs a frame: HEX, or --read FILE");
	return explain_words(line, c);
}
