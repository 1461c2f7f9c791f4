/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "clock.h"

/* What is read at once, and the least that the buffer has room for. */
#define READ_SIZE ((size_t)64 << 10)

static enum status
complain_of_connect(const struct client *client, int error, struct complaint *c)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		return complain(c, FAILED,
				"%s: nobody listens there: is vnet-switch "
				"running?",
				client->path);
	case EACCES:
	case EPERM:
		return complain(c, FAILED,
				"%s: permission denied: it is for the user "
				"that runs vnet-switch, and root",
				client->path);
	case EAGAIN:
		return complain(c, FAILED,
				"%s: vnet-switch takes no connection within "
				"%g s",
				client->path, client->timeout_ms / 1000.0);
	default:
		return complain(c, FAILED, "%s: %s", client->path,
				strerror(error));
	}
}

enum status
client_open(struct client *client, const struct command_line *line,
	    struct complaint *c)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {
		.tv_sec = line->timeout_ms / 1000,
		.tv_usec = (suseconds_t)(line->timeout_ms % 1000) * 1000,
	};

	*client = (struct client){
		.fd = -1,
		.path = line->socket,
		.timeout_ms = line->timeout_ms,
	};
	if (!*client->path || strlen(client->path) >= sizeof(address.sun_path))
		return complain(c, MISUSED,
				"--socket: found a path of %zu octets, "
				"expected 1 to %zu",
				strlen(client->path),
				sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, client->path, strlen(client->path));
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* The time to send also bounds connect(), when the backlog is full. */
	if (client->fd < 0 || setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO,
					 &timeout, sizeof(timeout)))
		return complain(c, FAILED, "socket: %s", strerror(errno));
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)))
		return complain_of_connect(client, errno, c);
	return DONE;
}

void
client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->buf);
}

/* Room for READ_SIZE octets behind those that are there. */
static enum status
make_room(struct client *client, struct complaint *c)
{
	size_t len = client->end - client->start;
	size_t size = client->size ? client->size : READ_SIZE;
	char *buf;

	if (client->size - client->end >= READ_SIZE)
		return DONE;
	if (len)
		memmove(client->buf, client->buf + client->start, len);
	client->start = 0;
	client->end = len;
	while (size - len < READ_SIZE)
		size *= 2;
	if (size <= client->size)
		return DONE;
	buf = realloc(client->buf, size);
	if (!buf)
		return complain(c, FAILED, "no memory for an answer");
	client->buf = buf;
	client->size = size;
	return DONE;
}

static enum status
wait_until(const struct client *client, int64_t deadline, struct complaint *c)
{
	struct pollfd p = {.fd = client->fd, .events = POLLIN};
	int64_t left;
	int n;

	do {
		left = deadline < 0 ? -1 : deadline - clock_ms();
		if (deadline >= 0 && left < 0)
			left = 0;
		n = poll(&p, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return complain(c, FAILED, "poll: %s", strerror(errno));
	if (!n)
		return complain(c, FAILED,
				"%s: vnet-switch does not answer within %g s",
				client->path, client->timeout_ms / 1000.0);
	return DONE;
}

enum status
client_fill(struct client *client, bool *end, struct complaint *c)
{
	enum status status = make_room(client, c);
	ssize_t n;

	*end = false;
	if (status)
		return status;
	do
		n = recv(client->fd, client->buf + client->end,
			 client->size - client->end, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return complain(c, FAILED, "%s: %s", client->path,
				strerror(errno));
	*end = n == 0;
	client->end += (size_t)n;
	client->received += (size_t)n;
	return DONE;
}

static enum status
receive(struct client *client, int64_t deadline, struct complaint *c)
{
	bool end = false;
	enum status status = wait_until(client, deadline, c);

	if (!status)
		status = client_fill(client, &end, c);
	if (!status && end)
		status = complain(c, FAILED, "%s: vnet-switch hung up",
				  client->path);
	return status;
}

enum status
client_line(struct client *client, int timeout_ms, const char **text,
	    size_t *len, struct complaint *c)
{
	int64_t deadline = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	size_t searched = 0;

	for (;;) {
		size_t there = client->end - client->start;
		enum status status;

		if (there > searched) {
			char *from = client->buf + client->start;
			char *end =
				memchr(from + searched, '\n', there - searched);

			if (end) {
				*text = from;
				*len = (size_t)(end - from);
				client->start += *len + 1;
				return DONE;
			}
		}
		searched = there;
		if (there > CLIENT_LINE_MAX)
			return complain(c, FAILED,
					"%s: a line of over %zu octets: that "
					"is no vnet-switch",
					client->path, CLIENT_LINE_MAX);
		status = receive(client, deadline, c);
		if (status)
			return status;
	}
}

static enum status
send_line(struct client *client, const char *text, size_t len,
	  struct complaint *c)
{
	while (len) {
		ssize_t n = send(client->fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* It may have said why before it hung up. */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return DONE;
		if (n < 0 && errno == EAGAIN)
			return complain(c, FAILED,
					"%s: vnet-switch does not read within "
					"%g s",
					client->path,
					client->timeout_ms / 1000.0);
		if (n < 0)
			return complain(c, FAILED, "%s: %s", client->path,
					strerror(errno));
		text += n;
		len -= (size_t)n;
	}
	return DONE;
}

static enum status
send_request(struct client *client, const json_t *request, struct complaint *c)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len;
	enum status status;

	if (!text)
		return complain(c, FAILED, "the request is no text in UTF-8");
	len = strlen(text);
	text[len] = '\n'; /* in place of the NUL */
	status = send_line(client, text, len + 1, c);
	free(text);
	return status;
}

static enum status
check_answer(const struct client *client, const json_t *answer,
	     struct complaint *c)
{
	const json_t *ok = json_object_get(answer, "ok");
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(ok))
		return DONE;
	if (json_is_false(ok) && error && *error)
		return complain(c, FAILED, "%s", error);
	if (json_is_false(ok))
		return complain(c, FAILED,
				"%s: vnet-switch refuses, and does not say why",
				client->path);
	return complain(c, FAILED, "%s: an answer without \"ok\"",
			client->path);
}

enum status
client_next(struct client *client, json_t **result, bool *more,
	    struct complaint *c)
{
	const char *text;
	size_t len;
	json_error_t error;
	json_t *answer;
	enum status status =
		client_line(client, client->timeout_ms, &text, &len, c);

	if (status)
		return status;
	answer = json_loadb(text, len, 0, &error);
	if (!answer)
		return complain(c, FAILED,
				"%s: an answer that is no JSON, at octet %d: "
				"%s",
				client->path, error.position, error.text);
	status = check_answer(client, answer, c);
	if (!status && result)
		*result = json_incref(json_object_get(answer, "result"));
	if (!status && more)
		*more = json_is_true(json_object_get(answer, "more"));
	json_decref(answer);
	return status;
}

enum status
client_ask(struct client *client, json_t *request, json_t **result, bool *more,
	   struct complaint *c)
{
	enum status status = DONE;

	if (!request)
		return complain(c, FAILED, "an argument is no text in UTF-8");
	status = send_request(client, request, c);
	json_decref(request);
	if (status)
		return status;
	return client_next(client, result, more, c);
}

static bool
join(json_t *whole, json_t *piece)
{
	const char *key;
	json_t *value;

	if (json_is_array(whole) && json_is_array(piece))
		return json_array_extend(whole, piece) == 0;
	if (!json_is_object(whole) || !json_is_object(piece))
		return false;
	json_object_foreach(piece, key, value) {
		json_t *old = json_object_get(whole, key);

		if (json_is_array(old) && json_is_array(value)) {
			if (json_array_extend(old, value))
				return false;
		} else if (json_object_set(whole, key, value)) {
			return false;
		}
	}
	return true;
}

enum status
client_join(struct client *client, json_t *first, struct complaint *c)
{
	uint64_t before = client->received;
	bool more = true;

	while (more) {
		json_t *piece = NULL;
		enum status status = client_next(client, &piece, &more, c);

		if (!status && client->received - before > CLIENT_WHOLE_MAX)
			status =
				complain(c, FAILED, "%s: the answer has no end",
					 client->path);
		else if (!status && !join(first, piece))
			status = complain(c, FAILED,
					  "%s: the pieces of an answer do not "
					  "fit",
					  client->path);
		json_decref(piece);
		if (status)
			return status;
	}
	return DONE;
}

enum status
client_ask_whole(struct client *client, json_t *request, json_t **result,
		 struct complaint *c)
{
	json_t *whole = NULL;
	bool more = false;
	enum status status = client_ask(client, request, &whole, &more, c);

	if (!status && more)
		status = client_join(client, whole, c);
	if (status)
		json_decref(whole);
	else
		*result = whole;
	return status;
}

enum status
client_ask_once(const struct command_line *line, json_t *request,
		json_t **result, struct complaint *c)
{
	struct client client;
	enum status status = client_open(&client, line, c);

	if (status)
		json_decref(request);
	else
		status = client_ask_whole(&client, request, result, c);
	client_close(&client);
	return status;
}
