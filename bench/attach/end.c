/* SPDX-License-Identifier: BSD-2-Clause */
#include "end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vnet/attach.h>

/* Through pipes vde_plug says and hears frames behind their length, in two
 * octets. */
#define PREFIX 2
#define PIPED  (PREFIX + sizeof(struct host_frame))

/* Octets of a pipe that are read at once. */
#define READ_MAX 65536

struct end {
	struct vnet_attach *session; /* NULL: it is a vde_plug's pipes */
	int in;
	int out;
	uint8_t *piped;  /* READ_MAX of them */
	size_t from, to; /* of these, what is yet to be looked at */
};

static void
open_session(struct end *e, const char *path, const char *vif)
{
	const struct vnet_attach_config config = {
		.size = sizeof(config),
		.path = path,
		.vif = vif,
	};
	struct vnet_why why = {0};
	int r = vnet_attach_open(&e->session, &config, &why);

	if (r)
		host_fail("cannot attach to %s at %s: %s: %s", vif, path,
			  why.text ? why.text : "?", strerror(-r));
	e->in = e->out = vnet_attach_fd(e->session);
}

static void
open_plug(struct end *e, const char *path, const char *cpu)
{
	int to[2], from[2];
	pid_t pid;

	if (pipe(to) < 0 || pipe(from) < 0)
		host_fail("no pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		host_fail("cannot fork: %s", strerror(errno));
	if (!pid) {
		host_pin(cpu);
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[0]);
		close(to[1]);
		close(from[0]);
		close(from[1]);
		execlp("vde_plug", "vde_plug", path, NULL);
		host_fail("cannot run vde_plug: %s", strerror(errno));
	}
	close(to[0]);
	close(from[1]);
	e->out = to[1];
	e->in = from[0];
	e->piped = malloc(READ_MAX);
	if (!e->piped)
		host_fail("no memory");
}

struct end *
end_open(const char *where, unsigned int number)
{
	struct end *e = calloc(1, sizeof(*e));
	char *words = strdup(where);
	const char *kind, *path, *rest;
	struct host_frame hello;

	if (!e || !words)
		host_fail("no memory");
	kind = strtok(words, ":");
	path = strtok(NULL, ":");
	rest = strtok(NULL, ":");
	if (!rest)
		host_fail("%s is no end", where);
	if (!strcmp(kind, "attach"))
		open_session(e, path, rest);
	else if (!strcmp(kind, "vde"))
		open_plug(e, path, rest);
	else
		host_fail("%s is no end", where);
	free(words);
	/* So that the switch knows where it is. */
	hello = end_frame(number, number);
	end_send(e, &hello, 1);
	return e;
}

struct host_frame
end_frame(unsigned int to, unsigned int from)
{
	return (struct host_frame){
		.eth.ether_dhost = {2, 0, 0, 0, 2, (uint8_t)to},
		.eth.ether_shost = {2, 0, 0, 0, 2, (uint8_t)from},
		.eth.ether_type = htons(HOST_ETHERTYPE),
	};
}

static void
send_by_session(struct end *e, const struct host_frame *frames, size_t n)
{
	struct pollfd p = {.fd = e->out, .events = POLLOUT};
	struct vnet_frame f[END_BATCH];
	size_t done = 0;

	for (size_t i = 0; i < n; i++)
		f[i] = (struct vnet_frame){
			.data = (const uint8_t *)&frames[i],
			.len = sizeof(frames[i]),
		};
	while (done < n) {
		int r = vnet_attach_send(e->session, f + done, n - done);

		if (r < 0)
			host_fail("cannot send: %s", strerror(-r));
		done += (size_t)r;
		if (done < n && poll(&p, 1, -1) < 0)
			host_fail("poll: %s", strerror(errno));
	}
}

static void
send_by_pipe(struct end *e, const struct host_frame *frames, size_t n)
{
	uint8_t octets[END_BATCH * PIPED];
	size_t len = n * PIPED, done = 0;

	for (size_t i = 0; i < n; i++) {
		octets[i * PIPED] = 0;
		octets[i * PIPED + 1] = sizeof(*frames);
		memcpy(&octets[i * PIPED + PREFIX], &frames[i],
		       sizeof(*frames));
	}
	while (done < len) {
		ssize_t r = write(e->out, octets + done, len - done);

		if (r < 0)
			host_fail("cannot write to vde_plug: %s",
				  strerror(errno));
		done += (size_t)r;
	}
}

void
end_send(struct end *e, const struct host_frame *frames, size_t n)
{
	if (e->session)
		send_by_session(e, frames, n);
	else
		send_by_pipe(e, frames, n);
}

static size_t
receive_by_session(struct end *e, struct host_frame *frames)
{
	struct vnet_frame f[END_BATCH];
	int n = vnet_attach_receive(e->session, f, END_BATCH);

	if (n < 0)
		host_fail("cannot receive: %s", strerror(-n));
	for (int i = 0; i < n; i++) {
		if (f[i].len != sizeof(*frames))
			host_fail("a frame of %u octets arrived", f[i].len);
		memcpy(&frames[i], f[i].data, sizeof(*frames));
	}
	return (size_t)n;
}

/* What is there of a frame begins at piped[0] before more is read. */
static void
fill(struct end *e)
{
	ssize_t r;

	memmove(e->piped, e->piped + e->from, e->to - e->from);
	e->to -= e->from;
	e->from = 0;
	r = read(e->in, e->piped + e->to, READ_MAX - e->to);
	if (r <= 0)
		host_fail("vde_plug has ended");
	e->to += (size_t)r;
}

static size_t
receive_by_pipe(struct end *e, struct host_frame *frames)
{
	size_t n = 0;

	if (e->to - e->from < PIPED)
		fill(e);
	for (; n < END_BATCH && e->to - e->from >= PIPED; n++) {
		const uint8_t *p = e->piped + e->from;

		if (p[0] || p[1] != sizeof(*frames))
			host_fail("a frame of %u octets arrived",
				  p[0] << 8 | p[1]);
		memcpy(&frames[n], p + PREFIX, sizeof(*frames));
		e->from += PIPED;
	}
	return n;
}

size_t
end_receive(struct end *e, struct host_frame *frames, int timeout_ms)
{
	struct pollfd p = {.fd = e->in, .events = POLLIN};
	size_t n = 0;

	if (e->session)
		n = receive_by_session(e, frames);
	else if (e->to - e->from >= PIPED)
		n = receive_by_pipe(e, frames);
	while (!n && poll(&p, 1, timeout_ms) > 0)
		n = e->session ? receive_by_session(e, frames)
			       : receive_by_pipe(e, frames);
	return n;
}
