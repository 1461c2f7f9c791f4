/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "control_request.h"
#include "control_session.h"

/* Rows of a list in one line. */
#define ROWS_A_LINE 64

/* Octets that the first request gets, then twice as many. */
#define INPUT_SIZE 1024

/* Octets around a piece: the id, "ok", and the end of a line. */
#define LINE_SIZE (VNET_CONTROL_ID_MAX + 128)

_Static_assert(VNET_CONTROL_ANSWER_SIZE >= 2 * (VNET_CONTROL_PIECE + LINE_SIZE),
	       "a piece fits while another waits");

/*
 * Answers
 */

/* Up to the result. */
static void
begin_answer(struct vnet_json_writer *w, const char *id, size_t id_len, bool ok)
{
	vnet_json_open(w, NULL, '{');
	if (id_len)
		vnet_json_put_value(w, "id", id, id_len);
	vnet_json_put_bool(w, "ok", ok);
}

static void
end_answer(struct vnet_json_writer *w)
{
	vnet_json_close(w, '}');
	vnet_json_end_line(w);
}

static void
tell_error(struct vnet_json_writer *w, const char *id, size_t id_len,
	   const struct vnet_complaint *c)
{
	begin_answer(w, id, id_len, false);
	vnet_json_put_string(w, "error", c->text);
	end_answer(w);
}

static size_t
length_of(struct vnet_json id)
{
	return id.at ? (size_t)(id.end - id.at) : 0;
}

/* The whole answer to a request that shows nothing, or the beginning of that to
 * one that does: true. */
static bool
answer(const struct vnet_control_host *host, const char *text, size_t len,
       struct vnet_control_right *right, struct vnet_json_writer *w,
       struct vnet_control_walk *walk, struct vnet_json *id)
{
	struct vnet_complaint c;
	int r = vnet_control_request(host, text, len, right, id, walk, &c);
	size_t id_len = length_of(*id);

	if (r) {
		tell_error(w, id->at, id_len, &c);
		return false;
	}
	begin_answer(w, id->at, id_len, true);
	if (walk->next)
		return true;
	end_answer(w);
	return false;
}

/*
 * What is shown, piece by piece
 */

static bool
has_room(const struct vnet_control_session *s)
{
	return s->w.room - s->w.len >= VNET_CONTROL_PIECE + LINE_SIZE;
}

/* The result begins, behind begin_answer(). */
static void
begin_result(struct vnet_json_writer *w, const struct vnet_control_walk *k)
{
	if (k->is_list)
		vnet_json_open(w, "result", '[');
	else
		vnet_json_put_value(w, "result", "", 0);
	/* What is not a list is the value itself. */
	w->is_behind = false;
}

/* The line is long enough: the next one goes on. */
static void
break_line(struct vnet_control_session *s)
{
	vnet_json_close(&s->w, ']');
	vnet_json_put_bool(&s->w, "more", true);
	end_answer(&s->w);
	s->rows = 0;
	begin_answer(&s->w, s->id, s->id_len, true);
	begin_result(&s->w, &s->walk);
}

static void
end_telling(struct vnet_control_session *s)
{
	if (s->walk.is_list)
		vnet_json_close(&s->w, ']');
	end_answer(&s->w);
	s->is_telling = false;
}

static void
tell_piece(struct vnet_control_session *s)
{
	switch (s->walk.next(s->host, &s->walk, &s->w)) {
	case VNET_CONTROL_END:
		end_telling(s);
		break;
	case VNET_CONTROL_PUT:
		if (s->walk.is_list && ++s->rows == ROWS_A_LINE)
			break_line(s);
		break;
	case VNET_CONTROL_AGAIN:
		break;
	}
}

/*
 * Requests
 */

static void
run_line(struct vnet_control_session *s, const char *line, size_t len)
{
	struct vnet_control_right none = {.name = 0};
	struct vnet_json id;

	s->is_telling = answer(s->host, line, len, &none, &s->w, &s->walk, &id);
	if (!s->is_telling)
		return;
	s->id_len = length_of(id);
	if (s->id_len)
		memcpy(s->id, id.at, s->id_len);
	s->rows = 0;
	begin_result(&s->w, &s->walk);
}

static void
refuse_line(struct vnet_control_session *s)
{
	struct vnet_complaint c;

	vnet_complain(&c, -EMSGSIZE, "found a request of more than ",
		      vnet_text_of_number(VNET_CONTROL_REQUEST_MAX).text,
		      " octets, expected a line", NULL);
	tell_error(&s->w, NULL, 0, &c);
}

/* The octets of the first line, SIZE_MAX if its end is not there. Looks at each
 * octet once, however small the pieces are in which it comes. */
static size_t
find_line(struct vnet_control_session *s)
{
	for (; s->scanned < s->len; s->scanned++)
		if (s->input[s->scanned] == '\n')
			return s->scanned - s->first;
	return SIZE_MAX;
}

/* Of a line that is too long, what has come is forgotten, and so is the rest. */
static void
skip_line(struct vnet_control_session *s)
{
	if (!s->is_skipping)
		refuse_line(s);
	s->is_skipping = true;
	s->first = s->len;
}

/* Returns false if there is no whole line. */
static bool
run_next(struct vnet_control_session *s)
{
	size_t n = find_line(s);

	if (n == SIZE_MAX) {
		if (s->is_skipping ||
		    s->len - s->first > VNET_CONTROL_REQUEST_MAX)
			skip_line(s);
		return false;
	}
	/* What a line too long ends with; and an empty one asks for nothing. */
	if (!s->is_skipping && n > VNET_CONTROL_REQUEST_MAX)
		refuse_line(s);
	else if (!s->is_skipping && n)
		run_line(s, s->input + s->first, n);
	s->is_skipping = false;
	s->first += n + 1;
	s->scanned = s->first;
	return true;
}

/* What was done makes room. */
static void
close_up(struct vnet_control_session *s)
{
	if (!s->first)
		return;
	s->len -= s->first;
	s->scanned -= s->first;
	memmove(s->input, s->input + s->first, s->len);
	s->first = 0;
}

/* As much as can be done now. */
static void
work(struct vnet_control_session *s)
{
	bool is_going = true;

	while (is_going && has_room(s)) {
		if (s->is_telling)
			tell_piece(s);
		else
			is_going = run_next(s);
	}
	close_up(s);
}

/*
 * The session
 */

static void *
get(const struct vnet_control_session *s, size_t size)
{
	const struct vnet_alloc *alloc = s->host->alloc;

	return alloc->get(alloc->ctx, size, 16);
}

static void
put(const struct vnet_control_session *s, void *p, size_t size)
{
	const struct vnet_alloc *alloc = s->host->alloc;

	if (p)
		alloc->put(alloc->ctx, p, size);
}

void
vnet_control_init(struct vnet_control_session *s,
		  const struct vnet_control_host *host)
{
	memset(s, 0, sizeof(*s));
	s->host = host;
}

void
vnet_control_fini(struct vnet_control_session *s)
{
	put(s, s->input, s->room);
	put(s, s->output, VNET_CONTROL_ANSWER_SIZE);
	vnet_control_init(s, s->host);
}

/* Nothing waits: nothing is held. */
static void
rest(struct vnet_control_session *s)
{
	bool is_skipping = s->is_skipping;

	if (s->len || s->w.len || s->is_telling)
		return;
	vnet_control_fini(s);
	s->is_skipping = is_skipping;
}

static int
make_output(struct vnet_control_session *s)
{
	if (s->output)
		return 0;
	s->output = get(s, VNET_CONTROL_ANSWER_SIZE);
	if (!s->output)
		return -ENOMEM;
	s->w = (struct vnet_json_writer){
		.text = s->output,
		.room = VNET_CONTROL_ANSWER_SIZE,
	};
	return 0;
}

static int
make_room(struct vnet_control_session *s, size_t len)
{
	size_t room = s->room ? s->room : INPUT_SIZE;
	char *input;

	if (len > VNET_CONTROL_WRITE_MAX)
		return -EMSGSIZE;
	if (len > VNET_CONTROL_INPUT_MAX - s->len)
		return -ENOSPC;
	while (room < s->len + len)
		room *= 2;
	if (room == s->room)
		return 0;
	input = get(s, room);
	if (!input)
		return -ENOMEM;
	if (s->len)
		memcpy(input, s->input, s->len);
	put(s, s->input, s->room);
	s->input = input;
	s->room = room;
	return 0;
}

int
vnet_control_write(struct vnet_control_session *s, const char *text, size_t len)
{
	int r = make_output(s);

	if (!r)
		r = make_room(s, len);
	if (!r) {
		memcpy(s->input + s->len, text, len);
		s->len += len;
		work(s);
	}
	rest(s);
	return r;
}

size_t
vnet_control_peek(struct vnet_control_session *s, const char **text)
{
	if (!s->output)
		return 0;
	if (s->taken == s->w.len) {
		s->taken = s->w.len = 0;
		work(s);
	}
	*text = s->output + s->taken;
	return s->w.len - s->taken;
}

void
vnet_control_take(struct vnet_control_session *s, size_t n)
{
	s->taken += n;
	if (s->taken < s->w.len)
		return;
	s->taken = s->w.len = 0;
	work(s);
	rest(s);
}

/*
 * One request
 */

/* All pieces, as far as there is room. */
static void
tell_all(const struct vnet_control_host *host, struct vnet_control_walk *walk,
	 struct vnet_json_writer *w)
{
	begin_result(w, walk);
	while (!w->is_full && walk->next(host, walk, w) != VNET_CONTROL_END)
		;
	if (walk->is_list)
		vnet_json_close(w, ']');
	end_answer(w);
}

size_t
vnet_control_run(const struct vnet_control_host *host, const char *text,
		 size_t len, struct vnet_control_right *right, char *to,
		 size_t room)
{
	struct vnet_json_writer w = {.text = to, .room = room};
	struct vnet_control_walk walk;
	struct vnet_complaint c;
	struct vnet_json id;

	if (answer(host, text, len, right, &w, &walk, &id))
		tell_all(host, &walk, &w);
	if (!w.is_full)
		return w.len;
	w = (struct vnet_json_writer){.text = to, .room = room};
	vnet_complain(&c, -EMSGSIZE, "the answer is too long for a message",
		      NULL);
	tell_error(&w, id.at, length_of(id), &c);
	return w.is_full ? 0 : w.len;
}
