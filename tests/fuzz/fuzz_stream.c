/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream port whose peer writes octets of any kind in pieces of any size, and
 * reads what it likes when it likes.
 *
 * What the switch is given is what a reader that sees all of the octets at once
 * finds in them; what the peer reads are whole frames, in order, which it can
 * tell since they hold their number.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vnet/libvnet.h>
#include <vnet/stream.h>

#include "must.h"
#include "sender.h"
#include "tape.h"

struct run {
	struct tape t;
	struct vnet_switch *sw;
	struct sender program;
	struct vnet_media *media;
	struct vnet_medium *m;
	int peer;

	uint8_t *written; /* by the peer */
	size_t nwritten;
	uint8_t *read; /* by the peer */
	size_t nread;
};

static uint32_t
load(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
append(uint8_t **to, size_t *len, const void *p, size_t n)
{
	*to = realloc(*to, *len + n + 1);
	MUST(*to);
	memcpy(*to + *len, p, n);
	*len += n;
}

/* A frame, whole or not, or a length that is none. */
static void
peer_writes(struct run *r)
{
	uint32_t len = tape_argument(&r->t, tape_seldom(&r->t, 4) ? 70000 : 90);
	uint8_t prefix[4] = {0, (uint8_t)(len >> 16), (uint8_t)(len >> 8),
			     (uint8_t)len};
	uint8_t *octets = calloc(1, 4 + len);
	size_t n = 4 + len;
	ssize_t sent;

	MUST(octets);
	if (tape_seldom(&r->t, 16))
		prefix[0] = (uint8_t)tape_argument(&r->t, 256);
	memcpy(octets, prefix, 4);
	memset(octets + 4, 2, len);
	if (tape_seldom(&r->t, 4))
		n = tape_argument(&r->t, (uint32_t)n);
	sent = send(r->peer, octets, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0)
		append(&r->written, &r->nwritten, octets, (size_t)sent);
	free(octets);
}

/* Returns false if there is nothing. */
static bool
peer_reads(struct run *r, size_t max)
{
	static uint8_t buf[65536];
	ssize_t n = recv(r->peer, buf, max < sizeof(buf) ? max : sizeof(buf),
			 MSG_DONTWAIT);

	if (n <= 0)
		return false;
	append(&r->read, &r->nread, buf, (size_t)n);
	return true;
}

static int
ready(struct run *r)
{
	int n = vnet_medium_ready(r->m, true, true, 0);

	/* Of 14 octets, a turn can hold more. */
	MUST(n <= VNET_MEDIUM_BATCH * 16);
	MUST(n >= 0 || n == vnet_medium_error(r->m));
	MUST(n >= 0 || !vnet_medium_wants(r->m));
	return n;
}

/* What is in the octets that the peer has written. */
static uint64_t
frames_written(const struct run *r, bool *is_wrong)
{
	uint64_t n = 0;

	*is_wrong = false;
	for (size_t at = 0; r->nwritten - at >= 4; n++) {
		uint32_t len = load(r->written + at);

		if (len > VNET_STREAM_FRAME_MAX) {
			*is_wrong = true;
			break;
		}
		if (r->nwritten - at - 4 < len)
			break;
		at += 4 + len;
	}
	return n;
}

/* Whole frames, of which some are missing where queues were full. */
static uint64_t
check_read(struct run *r)
{
	uint64_t n = 0;
	size_t at = 0;

	while (r->nread - at >= 4 && r->nread - at - 4 >= load(r->read + at)) {
		sender_heard(&r->program, r->read + at + 4, load(r->read + at));
		at += 4 + load(r->read + at);
		n++;
	}
	return n;
}

static void
begin(struct run *r)
{
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = "peer",
	};
	int fds[2], small = 4096;
	vnet_port_id id;

	r->sw = sender_begin(&r->program);
	MUST(vnet_media_create(&r->media) == 0);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	MUST(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) ==
	     0);
	MUST(vnet_stream_adopt(&r->m, r->media, fds[0], NULL) == 0);
	r->peer = fds[1];
	MUST(vnet_port_add(r->sw, &port, &id, NULL) == 0);
	MUST(vnet_medium_attach(r->m, r->sw, id, 0, 0, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct run r = {.peer = -1};
	struct vnet_client_stats s = {.size = sizeof(s)};
	struct vnet_medium_stats ms = {.size = sizeof(ms)};
	bool is_wrong;
	uint64_t n;

	tape_fuzz(&r.t, in, size);
	begin(&r);
	while (!tape_is_over(&r.t)) {
		switch (tape_argument(&r.t, 8)) {
		case 0:
		case 1:
		case 2:
			peer_writes(&r);
			break;
		case 3:
			sender_sends(&r.program, &r.t);
			break;
		case 4:
			peer_reads(&r, 1 + tape_argument(&r.t, 65536));
			break;
		default:
			ready(&r);
			break;
		}
	}
	while (ready(&r) > 0 || peer_reads(&r, SIZE_MAX))
		; /* until neither has anything to say */

	MUST(vnet_switch_check(r.sw, NULL));
	MUST(vnet_client_get_stats(r.sw, vnet_medium_client(r.m), &s) == 0);
	n = frames_written(&r, &is_wrong);
	MUST(s.in.frames == n);
	vnet_medium_get_stats(r.m, &ms);
	MUST(ms.in_errors == is_wrong);
	MUST(vnet_medium_error(r.m) == (is_wrong ? -EPROTO : 0));
	n = check_read(&r);
	MUST(is_wrong ? n <= s.delivered.frames : n == s.delivered.frames);

	vnet_medium_close(r.m);
	vnet_switch_destroy(r.sw);
	vnet_media_destroy(r.media);
	close(r.peer);
	free(r.written);
	free(r.read);
	return 0;
}
