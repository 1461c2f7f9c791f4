/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends frames of 60 octets from a process to another as fast as the switch
 * between them takes them, and counts what arrives.
 *
 *	frames FROM CPU TO CPU SECONDS
 *
 * FROM and TO are as end.h says. Prints lines of a name and a number: sent,
 * received, and the seconds in which the sender was sending. What arrives must
 * be newer than what came before.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "end.h"

/* Of silence, after which nothing more is on its way. */
#define SILENCE_MS  300

#define PATIENCE_MS 100
#define HELLOS      50

enum { SENDER = 1, RECEIVER = 2 };

/* Those of them that count; *@last is the newest before, and then the newest of
 * them. */
static uint64_t
count(const struct host_frame *frames, size_t n, uint64_t *last)
{
	uint64_t counted = 0;

	for (size_t i = 0; i < n; i++) {
		/* What it says when it is opened. */
		if (!frames[i].number)
			continue;
		if (frames[i].number <= *last)
			host_fail("frame %" PRIu64 " arrived after %" PRIu64,
				  frames[i].number, *last);
		*last = frames[i].number;
		counted++;
	}
	return counted;
}

/* Tell the sender that it is there until that begins, count, and say how many
 * came. */
static void
receive(const char *where, const char *cpu, int answer)
{
	const struct host_frame hello = end_frame(SENDER, RECEIVER);
	struct host_frame frames[END_BATCH];
	uint64_t received = 0, last = 0;
	struct end *e;
	size_t n;

	host_pin(cpu);
	e = end_open(where, RECEIVER);
	for (int i = 0; !received && i < HELLOS; i++) {
		end_send(e, &hello, 1);
		n = end_receive(e, frames, PATIENCE_MS);
		received = count(frames, n, &last);
	}
	while ((n = end_receive(e, frames, SILENCE_MS)))
		received += count(frames, n, &last);
	if (write(answer, &received, sizeof(received)) != sizeof(received))
		host_fail("cannot answer: %s", strerror(errno));
}

/* Returns how many were sent. */
static uint64_t
send_for(const char *where, const char *cpu, uint64_t ns, uint64_t *took)
{
	struct host_frame frames[END_BATCH];
	uint64_t sent = 0, start, now;
	struct end *e;

	host_pin(cpu);
	e = end_open(where, SENDER);
	if (!end_receive(e, frames, HELLOS * PATIENCE_MS))
		host_fail("no frame arrives");
	for (size_t i = 0; i < END_BATCH; i++)
		frames[i] = end_frame(RECEIVER, SENDER);
	start = now = host_now();
	while (now - start < ns) {
		for (size_t i = 0; i < END_BATCH; i++)
			frames[i].number = ++sent;
		end_send(e, frames, END_BATCH);
		now = host_now();
	}
	*took = now - start;
	return sent;
}

int
main(int argc, char **argv)
{
	uint64_t sent, took, received;
	int answer[2], status;
	pid_t pid;

	if (argc != 6) {
		fprintf(stderr, "usage: frames FROM CPU TO CPU SECONDS\n");
		return 2;
	}
	if (pipe(answer) < 0)
		host_fail("no pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		host_fail("cannot fork: %s", strerror(errno));
	if (!pid) {
		receive(argv[3], argv[4], answer[1]);
		return 0;
	}
	close(answer[1]);
	sent = send_for(argv[1], argv[2],
			strtoull(argv[5], NULL, 10) * 1000000000, &took);
	if (read(answer[0], &received, sizeof(received)) != sizeof(received) ||
	    waitpid(pid, &status, 0) != pid || status)
		host_fail("the receiver has failed");
	printf("sent %" PRIu64 "\nreceived %" PRIu64 "\nseconds %.6f\n", sent,
	       received, (double)took / 1e9);
	return 0;
}
