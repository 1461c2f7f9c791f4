/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session whose client sends requests and frames of any kind, descriptors
 * among them, reads what it likes when it likes, and leaves when it likes.
 *
 * What the program is told of a request can be read from end to end. Every
 * message on the socket for frames is frames that the switch is given, and what
 * is none is counted; what the client reads are whole frames, in order, which it can tell
 * since they hold their number. What is delegated is a session as this one, as
 * long as somebody has its other end. In the end there is no descriptor that was
 * not there in the beginning.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vnet/libvnet.h>

#include "attach_wire.h"
#include "medium.h"
#include "must.h"
#include "sender.h"
#include "tape.h"

/* As attach_frames.h has it. */
#define HEADER_LEN 16
#define FRAMES_MAX 32

/**
 * @control, @frames: the client's ends, or -1
 * @given:	what it has delegated last, or NULL
 * @m:		NULL until the session has one
 * @is_over:	the session has ended
 * @is_vague:	an empty message was among them, which looks like the end of them
 *		all once the client has left
 */
struct run {
	struct tape t;
	struct vnet_switch *sw;
	struct sender program;
	struct vnet_media *media;
	vnet_port_id vif;
	int control;
	int frames;
	struct vnet_session *session;
	struct vnet_session *given;
	struct vnet_medium *m;
	bool is_over;
	bool is_vague;

	uint64_t written; /* by the client, as count_frames() has it */
};

/* The number that the next descriptor has. */
static int
lowest_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	MUST(fd >= 0);
	close(fd);
	return fd;
}

static void
put(void *to, size_t *len, const void *p, size_t n)
{
	memcpy((uint8_t *)to + *len, p, n);
	*len += n;
}

/* A request to open, as it should be. */
static size_t
make_open(struct run *r, void *to)
{
	struct attach_open m = {
		.head = {.type = ATTACH_OPEN},
		.vif = "vif",
		.carries = tape_argument(&r->t, 16),
	};
	size_t len = 0;

	put(to, &len, &m, sizeof(m));
	return len;
}

/* And one for filters. */
static size_t
make_filters(struct run *r, void *to)
{
	uint32_t nrules = tape_argument(&r->t, 4);
	struct attach_rule rules[4] = {0};
	struct attach_filters m = {
		.head = {.type = ATTACH_FILTERS},
		.side = VNET_RECEIVE_IN + tape_argument(&r->t, 2),
		.default_verdict = tape_argument(&r->t, 2),
		.nrules = nrules,
	};
	struct vnet_bpf_insn insns[64];
	size_t len = 0;

	memset(insns, (int)tape_argument(&r->t, 256), sizeof(insns));
	for (uint32_t i = 0; i < nrules; i++) {
		rules[i].name[0] = (char)('a' + i);
		rules[i].verdict = tape_argument(&r->t, 2);
		rules[i].ninsns = tape_argument(&r->t, 16);
		m.ninsns += rules[i].ninsns;
	}
	put(to, &len, &m, sizeof(m));
	put(to, &len, rules, nrules * sizeof(rules[0]));
	put(to, &len, insns, m.ninsns * sizeof(insns[0]));
	return len;
}

/* What it may, or one for what somebody else is to have. */
static size_t
make_grant(struct run *r, void *to)
{
	struct attach_grant m = {
		.head = {.type = ATTACH_DELEGATE},
		.nmacs = tape_argument(&r->t, VNET_GRANT_MAX_LIST + 2),
		.nipv6 = tape_argument(&r->t, VNET_GRANT_MAX_LIST + 2),
		.has_rate = tape_argument(&r->t, 2),
		.until = tape_argument(&r->t, 256),
	};
	size_t len = 0;

	memset(m.lists.macs, (int)tape_argument(&r->t, 256),
	       sizeof(m.lists.macs));
	if (tape_seldom(&r->t, 3)) {
		m.head.type = ATTACH_GRANT;
		put(to, &len, &m.head, sizeof(m.head));
	} else {
		put(to, &len, &m, sizeof(m));
	}
	return len;
}

/* Some octets are others, and some of the end is missing, or too much. */
static size_t
spoil(struct run *r, uint8_t *octets, size_t len)
{
	for (uint32_t n = tape_argument(&r->t, 4); n && len; n--)
		octets[tape_argument(&r->t, (uint32_t)len)] =
			(uint8_t)tape_argument(&r->t, 256);
	if (tape_seldom(&r->t, 4))
		len = tape_argument(&r->t, (uint32_t)len + 16);
	return len;
}

static void
client_asks(struct run *r)
{
	static uint8_t octets[ATTACH_MESSAGE_MAX + 4096];
	struct attach_head head = {
		.magic = ATTACH_MAGIC,
		.version = ATTACH_VERSION,
		.id = 5,
	};
	size_t len;

	if (r->control < 0)
		return;
	if (tape_seldom(&r->t, 32))
		len = sizeof(octets) - tape_argument(&r->t, 8192);
	else
		switch (tape_argument(&r->t, 3)) {
		case 0:
			len = make_filters(r, octets);
			break;
		case 1:
			len = make_open(r, octets);
			break;
		default:
			len = make_grant(r, octets);
		}
	head.type = ((struct attach_head *)(void *)octets)->type;
	memcpy(octets, &head, sizeof(head));
	if (tape_seldom(&r->t, 2))
		len = spoil(r, octets, len);
	(void)vnet_attach_send_message(r->control, octets, len,
				       tape_seldom(&r->t, 8) ? r->control : -1,
				       MSG_DONTWAIT);
}

/* A frame as it is in a message: its length, fields that are all zero, and its
 * octets: from another than the program, for all. */
static size_t
add_frame(uint8_t *to, uint32_t len)
{
	memset(to, 0, HEADER_LEN + len);
	memcpy(to, &len, sizeof(len));
	if (len >= 14) {
		memset(to + HEADER_LEN, 0xff, 6);
		to[HEADER_LEN + 6] = 4;
	}
	return HEADER_LEN + len;
}

/* What a message counts for: its frames, good or bad, and one for a rest, or a
 * whole, that is none. */
static uint64_t
count_frames(const uint8_t *octets, size_t len)
{
	uint64_t n = 0;
	size_t at = 0;

	if (!len || len > MEDIUM_FRAME_MAX)
		return 1;
	while (at < len) {
		uint32_t frame;

		if (len - at < HEADER_LEN || n == FRAMES_MAX)
			return n + 1;
		memcpy(&frame, octets + at, sizeof(frame));
		at += HEADER_LEN;
		if (frame > len - at)
			return n + 1;
		at += frame;
		n++;
	}
	return n;
}

/* A message, many times; a descriptor spoils one. */
static void
client_sends(struct run *r)
{
	static uint8_t octets[MEDIUM_FRAME_MAX + 4096];
	uint32_t n = 1 + tape_argument(&r->t, 40);
	uint32_t max = tape_seldom(&r->t, 4) ? 68000 : 100;
	size_t len = 0;

	if (r->frames < 0)
		return;
	for (uint32_t i = tape_argument(&r->t, FRAMES_MAX + 3); i; i--) {
		uint32_t frame = tape_argument(&r->t, max);

		if (len + HEADER_LEN + frame > sizeof(octets) - 16)
			break;
		len += add_frame(octets + len, frame);
	}
	if (tape_seldom(&r->t, 2))
		len = spoil(r, octets, len);
	for (; n; n--) {
		bool has_descriptor = tape_seldom(&r->t, 8);

		if (vnet_attach_send_message(r->frames, octets, len,
					     has_descriptor ? r->frames : -1,
					     MSG_DONTWAIT) != 0)
			continue;
		r->written += has_descriptor ? 1 : count_frames(octets, len);
		r->is_vague |= !len;
	}
}

/* Answers, and with one of them the socket for frames; with others one to hand on,
 * by which somebody may ask for a vif before they leave. */
static void
client_reads_answer(struct run *r)
{
	static uint8_t octets[sizeof(struct attach_grant)];
	struct attach_head head;
	int fd = -1;

	if (r->control < 0 ||
	    vnet_attach_receive_message(r->control, octets, sizeof(octets), &fd,
					MSG_DONTWAIT) <= 0)
		return;
	memcpy(&head, octets, sizeof(head));
	MUST((fd >= 0) ==
	     (head.type == ATTACH_WELCOME || head.type == ATTACH_DELEGATED));
	if (head.type == ATTACH_WELCOME) {
		MUST(r->frames < 0);
		r->frames = fd;
	} else if (fd >= 0) {
		size_t len = make_open(r, octets);

		head.type = ATTACH_OPEN;
		memcpy(octets, &head, sizeof(head));
		(void)send(fd, octets, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
	}
}

/* Returns false if there is none. */
static bool
client_reads(struct run *r)
{
	static uint8_t octets[MEDIUM_FRAME_MAX];
	uint32_t len;
	ssize_t n, at = 0;

	if (r->frames < 0)
		return false;
	n = recv(r->frames, octets, sizeof(octets), MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && errno == ECONNRESET;
	for (; at < n; at += HEADER_LEN + (ssize_t)len) {
		MUST(n - at >= HEADER_LEN);
		memcpy(&len, octets + at, sizeof(len));
		MUST(HEADER_LEN + (ssize_t)len <= n - at);
		sender_heard(&r->program, octets + at + HEADER_LEN, len);
	}
	return true;
}

static int
answer_open(struct run *r, const struct vnet_request *request)
{
	struct vnet_attach_info info = {.size = sizeof(info), .mtu = 1500};

	MUST(memchr(request->vif, '\0', sizeof(request->vif)));
	if (strcmp(request->vif, "vif") != 0)
		return vnet_session_answer(r->session, -ENOENT, NULL);
	MUST(!r->m);
	MUST(vnet_session_open(r->session, &r->m, r->media,
			       tape_argument(&r->t, 8192), NULL) == 0);
	MUST(vnet_medium_attach(r->m, r->sw, r->vif, 0, 0, NULL) == 0);
	return vnet_session_welcome(r->session, &info);
}

static int
answer_filters(struct run *r, const struct vnet_request *request)
{
	struct vnet_why why = {0};
	int error = 0;

	MUST(request->side == VNET_RECEIVE_IN ||
	     request->side == VNET_RECEIVE_OUT);
	for (size_t i = 0; i < request->nrules; i++) {
		const struct vnet_rule *rule = &request->rules[i];

		MUST(strlen(rule->name) < VNET_RULE_NAME_SIZE);
		if (!error)
			error = vnet_bpf_check(rule->insns, rule->ninsns, 0,
					       &why);
	}
	return vnet_session_answer(r->session, error, &why);
}

/* What the program is told of a grant is as long as it says. */
static void
must_be_readable(const struct vnet_grant *g)
{
	uint64_t sum = 0;

	MUST(g->size == sizeof(*g) && strlen(g->name) < VNET_GRANT_NAME_SIZE);
	MUST(g->nmacs <= VNET_GRANT_MAX_LIST);
	MUST(g->nipv6 <= VNET_GRANT_MAX_LIST);
	for (size_t i = 0; i < g->nmacs; i++)
		sum += g->macs[i].bits;
	for (size_t i = 0; i < g->nipv6; i++)
		sum += g->ipv6[i].bits;
	MUST(sum <= 255 * (g->nmacs + g->nipv6));
	MUST(!g->rate.size || g->rate.size == sizeof(g->rate));
}

/* The last one of several goes. */
static int
answer_delegate(struct run *r, const struct vnet_request *request)
{
	struct vnet_session *made = NULL;
	int n;

	must_be_readable(&request->grant);
	if (tape_argument(&r->t, 2))
		return vnet_session_refuse(r->session, -EPERM, VNET_GRANT_MACS,
					   NULL);
	n = vnet_session_delegate(r->session, &made, NULL);
	MUST((n == 0) == (made != NULL));
	if (n == 0) {
		vnet_session_close(r->given);
		r->given = made;
	}
	return n;
}

static int
answer_grant(struct run *r)
{
	static const struct vnet_mac_prefix mac = {{{2}}, 48};
	const struct vnet_grant grant = {
		.size = sizeof(grant),
		.name = "grant",
		.macs = &mac,
		.nmacs = 1,
	};

	return tape_argument(&r->t, 2)
		       ? vnet_session_grant(r->session, &grant)
		       : vnet_session_answer(r->session, -ENOENT, NULL);
}

static int
answer(struct run *r, const struct vnet_request *request)
{
	switch (request->type) {
	case VNET_REQUEST_OPEN:
		return answer_open(r, request);
	case VNET_REQUEST_FILTERS:
		return answer_filters(r, request);
	case VNET_REQUEST_GRANT:
		return answer_grant(r);
	case VNET_REQUEST_DELEGATE:
		return answer_delegate(r, request);
	}
	MUST(false);
	return 0;
}

/* Of whoever has what was delegated: it is refused. */
static void
given_next(struct run *r)
{
	struct vnet_request request = {.size = sizeof(request)};
	int n = r->given ? vnet_session_next(r->given, &request) : 0;

	MUST(n == 0 || n == 1 || n == -EPIPE || n == -EPROTO);
	if (n == 1) {
		MUST(request.type == VNET_REQUEST_OPEN);
		(void)vnet_session_answer(r->given, -EPERM, NULL);
	}
	if (n) {
		vnet_session_close(r->given);
		r->given = NULL;
	}
}

/* Returns false if it asks for nothing more. */
static bool
session_next(struct run *r)
{
	struct vnet_request request = {.size = sizeof(request)};
	int n;

	if (r->is_over)
		return false;
	n = vnet_session_next(r->session, &request);
	MUST(n == 0 || n == 1 || n == -EPIPE || n == -EPROTO);
	if (n == 0)
		return false;
	if (n == 1)
		n = answer(r, &request);
	MUST(n == 0 || n == -EPIPE || n == -EPROTO);
	r->is_over = n < 0;
	return !r->is_over;
}

static int
ready(struct run *r)
{
	int n = r->m ? vnet_medium_ready(r->m, true, true, 0) : 0;

	MUST(n <= VNET_MEDIUM_BATCH);
	MUST(n >= 0 || n == -EPIPE);
	MUST(n >= 0 || !vnet_medium_wants(r->m));
	return n;
}

static void
client_leaves(struct run *r)
{
	int *fd = tape_argument(&r->t, 2) ? &r->control : &r->frames;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
begin(struct run *r)
{
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = "vif",
	};
	int fds[2];

	r->sw = sender_begin(&r->program);
	MUST(vnet_media_create(&r->media) == 0);
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	MUST(vnet_session_adopt(&r->session, fds[0], NULL) == 0);
	r->control = fds[1];
	MUST(vnet_port_add(r->sw, &port, &r->vif, NULL) == 0);
}

static void
step(struct run *r)
{
	switch (tape_argument(&r->t, 12)) {
	case 0:
	case 1:
		client_asks(r);
		break;
	case 2:
	case 3:
		client_sends(r);
		break;
	case 4:
		client_reads_answer(r);
		break;
	case 5:
		client_reads(r);
		break;
	case 6:
		sender_sends(&r->program, &r->t);
		break;
	case 7:
		if (tape_seldom(&r->t, 4))
			client_leaves(r);
		break;
	case 8:
	case 9:
		session_next(r);
		given_next(r);
		break;
	default:
		ready(r);
		break;
	}
}

/* What has come in, frames or not. */
static uint64_t
count_in(const struct run *r)
{
	struct vnet_client_stats s = {.size = sizeof(s)};
	struct vnet_medium_stats ms = {.size = sizeof(ms)};

	if (!r->m)
		return 0;
	MUST(vnet_client_get_stats(r->sw, vnet_medium_client(r->m), &s) == 0);
	(void)vnet_medium_get_stats(r->m, &ms);
	return s.in.frames + ms.in_errors;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct run r = {.control = -1, .frames = -1};
	uint64_t before;
	int lowest = lowest_descriptor();

	tape_fuzz(&r.t, in, size);
	begin(&r);
	while (!tape_is_over(&r.t))
		step(&r);
	/* Until nobody has anything to say. */
	while (session_next(&r))
		;
	do {
		before = count_in(&r);
		ready(&r);
		while (client_reads(&r))
			;
	} while (count_in(&r) != before);
	MUST(vnet_switch_check(r.sw, NULL));
	MUST(count_in(&r) == r.written || (r.is_vague && r.frames < 0));
	MUST(count_in(&r) <= r.written);

	if (r.control >= 0)
		close(r.control);
	if (r.frames >= 0)
		close(r.frames);
	vnet_session_close(r.session);
	vnet_session_close(r.given);
	vnet_medium_close(r.m);
	vnet_switch_destroy(r.sw);
	vnet_media_destroy(r.media);
	MUST(lowest_descriptor() == lowest);
	return 0;
}
