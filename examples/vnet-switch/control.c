/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection is moved on by serve() alone, in steps: tell a piece of an
 * answer, move octets of a capture, or run a request. It stops where there is
 * nothing to do, where as much waits to be read as may, and after a few steps,
 * so that others have their turn; whatever happens next (octets have come, or
 * were read; the capture has some) calls it again.
 *
 * The end of a connection has three parts. Its peer says that it sends no more:
 * what it has asked for is still done, a capture and a monitor end. Then
 * nothing is left to do (is_over): what waits is flushed. Then it is freed.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "control.h"
#include "listener.h"
#include "request.h"

/* What waits to be read when we go on. */
#define OUTPUT_LOW (64 << 10)

/* Octets written at a time. */
#define WRITE_MAX    ((size_t)256 << 10)

#define STEPS_A_TURN 4

/* Octets from which an answer is a large one. */
#define LARGE ((size_t)256 << 10)

static const struct timeval at_once = {0};

/* For whoever does not read the end of what was told. */
static const struct timeval flush_time = {.tv_sec = 10};

/* Where descriptors have run out. */
static const struct timeval accept_pause = {.tv_usec = 200000};

/**
 * struct control
 * @begun:	request_now() then
 * @resume:	accept connections again
 */
struct control {
	struct event_base *base;
	struct control_config config;
	struct listener listener;
	struct evconnlistener *accepting;
	struct event *resume;
	struct connection *connections;
	unsigned int nconnections;
	unsigned int ncaptures;
	uint64_t begun;
};

/**
 * struct connection
 * @at:		what points to it
 * @turn:	serve it in the next turn of the loop
 * @scanned:	octets of its input known to hold no end of line
 * @answer:	being told in pieces, if @answering
 * @id:		of that request, or NULL
 * @has_eof:	its peer sends no more
 * @is_over:	nothing more is done for it; all that waits is flushed
 * @is_broken:	neither is that
 * @monitors:	it is told events
 * @lost:	events that it had no room for, since it was told
 * @capture:	what it reads, or NULL
 * @readable:	there is some of that
 */
struct connection {
	struct connection *next;
	struct connection **at;
	struct control *control;
	struct bufferevent *bev;
	struct event *turn;
	size_t scanned;
	struct answer answer;
	json_t *id;
	bool answering;
	bool has_eof;
	bool is_over;
	bool is_broken;
	bool monitors;
	uint64_t lost;
	struct capture *capture;
	struct event *readable;
};

static size_t
waiting(const struct connection *n)
{
	return evbuffer_get_length(bufferevent_get_output(n->bev));
}

/*
 * What is told
 */

/* What made up a large answer goes back to the kernel: with a thousand ports
 * that is as much as all else. */
static void
free_text(const void *data, size_t len, void *text)
{
	(void)data;
	free(text);
	if (len >= LARGE)
		malloc_trim(0);
}

/* Takes @line, which may be NULL for want of memory. */
static void
tell(struct connection *n, json_t *line)
{
	struct evbuffer *output = bufferevent_get_output(n->bev);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	json_decref(line);
	/* Without its answer a peer could not tell what is whose. */
	if (!text || evbuffer_add_reference(output, text, strlen(text),
					    free_text, text) < 0) {
		n->is_broken = true;
		free(text);
		return;
	}
	if (evbuffer_add(output, "\n", 1) < 0)
		n->is_broken = true;
}

/* An answer without its result. */
static json_t *
begin_answer(const json_t *id, bool ok)
{
	json_t *line = json_object();

	if (line && id)
		/* A reference is taken; nothing is changed. */
		json_object_set(line, "id", (json_t *)id);
	if (line)
		json_object_set_new(line, "ok", json_boolean(ok));
	return line;
}

static void
tell_error(struct connection *n, const json_t *id, const struct complaint *c,
	   json_t *complaints)
{
	json_t *line = begin_answer(id, false);

	if (line)
		json_object_set_new(line, "error", json_string(c->text));
	if (line && complaints)
		json_object_set(line, "complaints", complaints);
	tell(n, line);
}

static void
tell_result(struct connection *n, const json_t *id, json_t *result, bool more)
{
	json_t *line = begin_answer(id, true);

	if (line && result)
		json_object_set(line, "result", result);
	if (line && more)
		json_object_set_new(line, "more", json_true());
	tell(n, line);
}

static void
end_answer(struct connection *n)
{
	answer_fini(&n->answer);
	json_decref(n->id);
	n->id = NULL;
	n->answering = false;
}

static void
tell_piece(struct connection *n)
{
	struct complaint c;
	bool last = true;
	json_t *piece =
		answer_piece(&n->answer, n->control->config.plant, &last, &c);

	if (!piece)
		tell_error(n, n->id, &c, NULL);
	else if (last || json_array_size(piece))
		tell_result(n, n->id, piece, !last);
	json_decref(piece);
	if (last || !piece)
		end_answer(n);
}

/*
 * Captures
 */

static void poke(struct connection *n);

static void
on_capture(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	poke(ctx);
}

/* The port is told; what is in the ring can still be read. */
static void
stop_capture(struct connection *n)
{
	plant_capture_del(n->control->config.plant, n->capture);
	capture_end(n->capture);
}

static void
close_capture(struct connection *n)
{
	if (!n->capture)
		return;
	plant_capture_del(n->control->config.plant, n->capture);
	event_free(n->readable);
	capture_destroy(n->capture);
	n->capture = NULL;
	n->control->ncaptures--;
}

/* Takes @capture, which is on its port. */
static void
begin_capture(struct connection *n, struct capture *capture, const json_t *id)
{
	struct control *control = n->control;
	struct complaint c;

	n->readable = event_new(control->base, capture_fd(capture), EV_READ,
				on_capture, n);
	if (!n->readable || control->ncaptures == CONTROL_CAPTURES_MAX) {
		if (n->readable)
			event_free(n->readable);
		plant_capture_del(control->config.plant, capture);
		capture_destroy(capture);
		complain(&c, -ENOSPC,
			 "capture: there are %u already, expected %d at the "
			 "most",
			 control->ncaptures, CONTROL_CAPTURES_MAX);
		tell_error(n, id, &c, NULL);
		return;
	}
	n->capture = capture;
	control->ncaptures++;
	tell_result(n, id, NULL, false);
	if (n->has_eof)
		stop_capture(n);
}

/* Returns false if nothing is left to do at present. */
static bool
move_capture(struct connection *n)
{
	struct evbuffer *output = bufferevent_get_output(n->bev);
	int r = capture_read(n->capture, output,
			     CONTROL_OUTPUT_MAX - waiting(n));

	if (r == CAPTURE_EMPTY && event_add(n->readable, NULL) == 0)
		return false;
	if (r == CAPTURE_MORE)
		return true;
	n->is_over = true;
	n->is_broken = r != CAPTURE_OVER;
	close_capture(n);
	return false;
}

/*
 * Requests
 */

/* Give a request's answer, or begin to. */
static void
begin_telling(struct connection *n, struct answer *a, json_t *id)
{
	switch (a->kind) {
	case ANSWER_LIST:
	case ANSWER_FDB:
		n->answering = true;
		n->answer = *a;
		n->id = json_incref(id);
		return;
	case ANSWER_MONITOR:
		n->monitors = true;
		tell_result(n, id, NULL, false);
		break;
	case ANSWER_CAPTURE:
		begin_capture(n, a->capture, id);
		break;
	default:
		tell_result(n, id, a->result, false);
		break;
	}
	answer_fini(a);
}

static void
run_line(struct connection *n, const char *line, size_t len)
{
	struct control *control = n->control;
	struct complaint c;
	struct answer a;
	json_error_t e;
	json_t *request, *id;

	request = json_loadb(line, len,
			     JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!request) {
		complain(&c, -EINVAL,
			 "octet %d: %s, expected a JSON object on one line",
			 e.position, e.text);
		tell_error(n, NULL, &c, NULL);
		return;
	}
	id = json_object_get(request, "id");
	if (request_run(&control->config, control->begun, request, &a, &c)) {
		tell_error(n, id, &c, a.complaints);
		answer_fini(&a);
	} else {
		begin_telling(n, &a, id);
	}
	json_decref(request);
}

static void
refuse_line(struct connection *n)
{
	struct complaint c;

	complain(&c, -EMSGSIZE,
		 "found a request of more than %d octets, expected a line",
		 CONTROL_REQUEST_MAX);
	tell_error(n, NULL, &c, NULL);
	n->is_over = true;
}

/*
 * The length of the next line, without its end; -1 if there is none. Looks at
 * each octet once, however small the pieces are in which it comes. What stands
 * before the end of all is a line, too.
 */
static ev_ssize_t
find_line(struct connection *n)
{
	struct evbuffer *input = bufferevent_get_input(n->bev);
	size_t len = evbuffer_get_length(input);
	struct evbuffer_ptr p;

	if (n->scanned < len) {
		if (evbuffer_ptr_set(input, &p, n->scanned, EVBUFFER_PTR_SET) <
		    0)
			return -1;
		p = evbuffer_search(input, "\n", 1, &p);
		if (p.pos >= 0)
			return p.pos;
	}
	n->scanned = len;
	return n->has_eof && len ? (ev_ssize_t)len : -1;
}

/* Returns false if nothing is left to do at present. */
static bool
run_next_line(struct connection *n)
{
	struct evbuffer *input = bufferevent_get_input(n->bev);
	ev_ssize_t len = find_line(n);
	char *line;

	if (len > CONTROL_REQUEST_MAX ||
	    (len < 0 && evbuffer_get_length(input) > CONTROL_REQUEST_MAX)) {
		refuse_line(n);
		return false;
	}
	if (len < 0) {
		n->is_over = n->has_eof;
		return false;
	}
	n->scanned = 0;
	line = (char *)evbuffer_pullup(input, len);
	/* An empty line asks for nothing. */
	if (len && line)
		run_line(n, line, (size_t)len);
	n->is_broken |= len && !line;
	/* Behind a capture there is nothing to be asked. */
	evbuffer_drain(input, n->capture ? SIZE_MAX : (size_t)len + 1);
	return true;
}

/*
 * Connections
 */

static void
free_connection(struct connection *n)
{
	*n->at = n->next;
	if (n->next)
		n->next->at = n->at;
	n->control->nconnections--;
	close_capture(n);
	end_answer(n);
	if (n->turn)
		event_free(n->turn);
	bufferevent_free(n->bev);
	free(n);
}

/* One step. Returns false if nothing is left to do at present. */
static bool
step(struct connection *n)
{
	if (n->is_over || n->is_broken)
		return false;
	if (n->answering) {
		tell_piece(n);
		return true;
	}
	if (n->capture)
		return move_capture(n);
	return run_next_line(n);
}

/* What it asks for next could be done at once. */
static bool
may_ask(const struct connection *n)
{
	return !n->answering && waiting(n) < CONTROL_OUTPUT_MAX;
}

/* Frees it when it is done with. */
static void
serve(struct connection *n)
{
	int steps = 0;

	while (waiting(n) < CONTROL_OUTPUT_MAX && step(n))
		if (++steps == STEPS_A_TURN) {
			event_add(n->turn, &at_once);
			break;
		}
	if (n->is_broken || (n->is_over && !waiting(n))) {
		free_connection(n);
		return;
	}
	if (n->is_over) {
		bufferevent_disable(n->bev, EV_READ);
		bufferevent_setwatermark(n->bev, EV_WRITE, 0, 0);
		bufferevent_set_timeouts(n->bev, NULL, &flush_time);
	} else if (n->has_eof || (!n->capture && !may_ask(n))) {
		bufferevent_disable(n->bev, EV_READ);
	} else {
		bufferevent_enable(n->bev, EV_READ);
	}
}

/* Something has happened. Not before its next turn, where one is due. */
static void
poke(struct connection *n)
{
	if (!evtimer_pending(n->turn, NULL))
		serve(n);
}

static void
on_turn(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	serve(ctx);
}

static void
on_read(struct bufferevent *bev, void *ctx)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	struct connection *n = ctx;

	/* To hear of its end we read on, behind a capture, too. */
	if (n->capture)
		evbuffer_drain(input, evbuffer_get_length(input));
	else
		poke(n);
}

static void
on_written(struct bufferevent *bev, void *ctx)
{
	(void)bev;
	poke(ctx);
}

static void
on_end(struct bufferevent *bev, short what, void *ctx)
{
	struct connection *n = ctx;

	(void)bev;
	if (what & BEV_EVENT_EOF)
		n->has_eof = true;
	else
		n->is_broken = true;
	if (n->capture)
		stop_capture(n);
	poke(n);
}

/* Takes @fd. Returns false for want of memory. */
static bool
add_connection(struct control *control, evutil_socket_t fd)
{
	struct connection *n = calloc(1, sizeof(*n));

	if (!n)
		goto close_fd;
	n->bev = bufferevent_socket_new(control->base, fd,
					BEV_OPT_CLOSE_ON_FREE);
	if (!n->bev)
		goto free_n;
	n->control = control;
	n->at = &control->connections;
	n->next = control->connections;
	if (n->next)
		n->next->at = &n->next;
	control->connections = n;
	control->nconnections++;

	n->turn = evtimer_new(control->base, on_turn, n);
	bufferevent_setcb(n->bev, on_read, on_written, on_end, n);
	bufferevent_set_max_single_write(n->bev, WRITE_MAX);
	bufferevent_setwatermark(n->bev, EV_READ, 0, CONTROL_REQUEST_MAX + 1);
	bufferevent_setwatermark(n->bev, EV_WRITE, OUTPUT_LOW, 0);
	if (n->turn && bufferevent_enable(n->bev, EV_READ) == 0)
		return true;
	free_connection(n);
	return false;

free_n:
	free(n);
close_fd:
	close(fd);
	return false;
}

/* It is told why, if that can be done at once. */
static void
refuse_connection(evutil_socket_t fd)
{
	char text[128];
	int len = snprintf(text, sizeof(text),
			   "{\"ok\":false,\"error\":\"there are %d connections "
			   "already, expected fewer\"}\n",
			   CONTROL_CONNECTIONS_MAX);

	(void)!send(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void
on_connection(struct evconnlistener *l, evutil_socket_t fd,
	      struct sockaddr *address, int len, void *ctx)
{
	struct control *control = ctx;

	(void)l;
	(void)address;
	(void)len;
	if (control->nconnections >= CONTROL_CONNECTIONS_MAX)
		refuse_connection(fd);
	else
		(void)add_connection(control, fd);
}

/* There are no descriptors: to try again at once would only keep us busy. */
static void
on_accept_error(struct evconnlistener *l, void *ctx)
{
	struct control *control = ctx;

	evconnlistener_disable(l);
	event_add(control->resume, &accept_pause);
}

static void
on_resume(evutil_socket_t fd, short what, void *ctx)
{
	struct control *control = ctx;

	(void)fd;
	(void)what;
	evconnlistener_enable(control->accepting);
}

/*
 * Events
 */

static void
tell_event(struct connection *n, json_t *event)
{
	json_t *line;

	if (waiting(n) >= CONTROL_OUTPUT_MAX) {
		n->lost++;
		return;
	}
	line = json_copy(event);
	if (line && n->lost)
		json_object_set_new(line, "lost",
				    json_integer((json_int_t)n->lost));
	n->lost = 0;
	tell(n, line);
	if (n->is_broken)
		event_add(n->turn, &at_once);
}

static void
on_event(void *ctx, json_t *event)
{
	struct control *control = ctx;

	for (struct connection *n = control->connections; n; n = n->next)
		if (n->monitors && !n->capture && !n->is_over && !n->is_broken)
			tell_event(n, event);
}

/*
 * The whole
 */

int
control_create(struct control **control, struct event_base *base,
	       const struct control_config *config, struct complaint *c)
{
	struct control *new = calloc(1, sizeof(*new));
	int r;

	if (!new)
		return complain(c, -ENOMEM, "control: no memory");
	new->base = base;
	new->config = *config;
	new->begun = request_now();
	r = listener_open(&new->listener, config->path, c);
	if (r)
		goto free_new;

	/* It listens already. */
	new->accepting =
		evconnlistener_new(base, on_connection, new,
				   LEV_OPT_CLOSE_ON_EXEC, 0, new->listener.fd);
	new->resume = evtimer_new(base, on_resume, new);
	if (!new->accepting || !new->resume) {
		r = complain(c, -ENOMEM, "control: no memory");
		goto destroy;
	}
	evconnlistener_set_error_cb(new->accepting, on_accept_error);
	/* Peers hang up when they like. */
	signal(SIGPIPE, SIG_IGN);
	plant_listen(config->plant, on_event, new);
	*control = new;
	return 0;

destroy:
	control_destroy(new);
	return r;
free_new:
	free(new);
	return r;
}

/* The end of what a capture has, as far as it goes without waiting. */
static void
flush_capture(struct connection *n)
{
	struct evbuffer *output = bufferevent_get_output(n->bev);

	stop_capture(n);
	(void)capture_read(n->capture, output, CONTROL_OUTPUT_MAX);
	/* Only a bufferevent may take from its output, but it will not. */
	evbuffer_unfreeze(output, 1);
	(void)evbuffer_write(output, bufferevent_getfd(n->bev));
}

void
control_destroy(struct control *control)
{
	struct connection *next;

	if (!control)
		return;
	plant_listen(control->config.plant, NULL, NULL);
	if (control->accepting)
		evconnlistener_free(control->accepting);
	if (control->resume)
		event_free(control->resume);
	listener_close(&control->listener);
	for (struct connection *n = control->connections; n; n = next) {
		next = n->next;
		if (n->capture)
			flush_capture(n);
		free_connection(n);
	}
	free(control);
}
