/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch's end of what is asked and answered. A session is in one of these
 * states:
 *
 *	new	nothing was asked
 *	asked	what was asked is not answered yet
 *	ready	it has its vif: the next request is read
 *	over	it was refused, or asked for what is none; it is for the program
 *		to end
 *
 * What a client can make us hold is a message of ATTACH_MESSAGE_MAX, until that
 * is answered, and what the kernel keeps in SNDBUF octets of answers that it
 * does not read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach_medium.h"
#include "attach_wire.h"
#include "listen.h"

#define BACKLOG 1024

/* Of answers: one takes some 1,000. */
#define SNDBUF 8192

/* Of frames, each way. Linux takes twice that, and of it 768 octets for a short
 * frame that comes alone, 16,640 for a message that is full of them, and 70,000
 * for a frame of 64 KiB: 555, 26 of these, or 7. It is also what it lets everybody
 * have. */
#define FRAMES_SNDBUF 212992

/* The least: half of the longest message, and what the kernel keeps for itself. */
#define FRAMES_SNDBUF_LEAST 36864

_Static_assert((size_t)2 * FRAMES_SNDBUF_LEAST > MEDIUM_FRAME_MAX + 4096,
	       "each can be sent, if alone");

enum state {
	NEW = 0,
	ASKED,
	READY,
	OVER,
};

/**
 * struct vnet_session
 * @is_delegated: @peer is that of the session which asked for it, and @groups are
 *		theirs, @ngroups of them
 * @asked:	what was asked
 * @id:		of what was asked
 * @carries:	what the client said
 * @has_medium:	vnet_session_open() has made it
 * @theirs:	the client's end of the socket for frames, until it is welcome;
 *		or -1
 * @message, @rules: of filters that were asked for; or NULL
 */
struct vnet_session {
	int fd;
	struct ucred peer;
	bool is_delegated;
	gid_t *groups;
	size_t ngroups;
	enum state state;
	enum vnet_request_type asked;
	uint32_t id;
	uint32_t carries;
	bool has_medium;
	int theirs;
	void *message;
	struct vnet_rule *rules;
};

int
vnet_attach_listen(const char *path, uint32_t mode, int *fd,
		   struct vnet_why *why)
{
	int r;

	if (mode & ~(uint32_t)0777)
		return vnet_medium_why(why, "mode not from 0 to 0777", -EINVAL);
	r = vnet_listen(path, SOCK_SEQPACKET, mode, BACKLOG, fd, why);
	/* Those who connect have it from there. */
	if (!r)
		vnet_attach_refuse_descriptors(*fd);
	return r;
}

static int
accept_socket(int listen_fd)
{
	int fd;

	do
		fd = accept4(listen_fd, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int
vnet_session_adopt(struct vnet_session **session, int fd, struct vnet_why *why)
{
	const int sndbuf = SNDBUF;
	struct vnet_session *s = calloc(1, sizeof(*s));
	socklen_t len = sizeof(s->peer);
	int r;

	if (!s)
		return vnet_medium_why(why, "no memory", -ENOMEM);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &s->peer, &len) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf)) <
		    0) {
		r = vnet_medium_why(why, "cannot tell who it is", -errno);
		free(s);
		return r;
	}
	s->fd = fd;
	s->theirs = -1;
	*session = s;
	return 0;
}

int
vnet_attach_accept(struct vnet_session **session, int listen_fd,
		   struct vnet_why *why)
{
	int fd = accept_socket(listen_fd), r;

	if (fd < 0)
		return vnet_medium_why(why, "cannot accept a client", fd);
	r = vnet_session_adopt(session, fd, why);
	if (r)
		close(fd);
	return r;
}

int
vnet_session_fd(const struct vnet_session *session)
{
	return session->fd;
}

int
vnet_session_peer(const struct vnet_session *session,
		  struct vnet_session_peer *peer)
{
	if (peer->size != sizeof(*peer))
		return -EINVAL;
	*peer = (struct vnet_session_peer){
		.size = sizeof(*peer),
		.pid = session->peer.pid,
		.uid = session->peer.uid,
		.gid = session->peer.gid,
	};
	return 0;
}

/* The groups of who has connected, *@n of them, to be freed; NULL if there are
 * none, or no memory. They do not change. */
static gid_t *
read_groups(int fd, size_t *n)
{
	gid_t *groups;
	socklen_t len = 0;

	*n = 0;
	/* Without room it says how much it takes. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 ||
	    errno != ERANGE)
		return NULL;
	groups = malloc(len);
	if (groups &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0)
		*n = len / sizeof(*groups);
	return groups;
}

static gid_t *
copy_groups(const struct vnet_session *from, size_t *n)
{
	gid_t *groups = malloc((from->ngroups + 1) * sizeof(*groups));

	*n = groups ? from->ngroups : 0;
	if (*n)
		memcpy(groups, from->groups, *n * sizeof(*groups));
	return groups;
}

bool
vnet_session_has_group(const struct vnet_session *session, uint32_t gid)
{
	gid_t *groups = NULL;
	const gid_t *list = session->groups;
	size_t n = session->ngroups;
	bool is_there = session->peer.gid == gid;

	if (!session->is_delegated)
		list = groups = read_groups(session->fd, &n);
	for (size_t i = 0; i < n; i++)
		is_there |= list[i] == gid;
	free(groups);
	return is_there;
}

static void
free_message(struct vnet_session *s)
{
	free(s->message);
	free(s->rules);
	s->message = NULL;
	s->rules = NULL;
}

static int
send_answer(struct vnet_session *s, const void *message, size_t len, int fd)
{
	int r = vnet_attach_send_message(s->fd, message, len, fd, MSG_DONTWAIT);

	/* Not all of its answers are read. */
	return r == -EAGAIN ? -EPIPE : r;
}

static struct attach_head
head(const struct vnet_session *s, enum attach_type type)
{
	return (struct attach_head){
		.magic = ATTACH_MAGIC,
		.version = ATTACH_VERSION,
		.type = type,
		.id = s->id,
	};
}

static int
answer(struct vnet_session *s, int error, enum vnet_grant_part part,
       const struct vnet_why *why)
{
	struct attach_answer a = {
		.head = head(s, ATTACH_ANSWER),
		.error = vnet_attach_error_to_wire(error),
		.part = part,
	};

	if (why && error) {
		a.index = why->index;
		a.found = why->found;
		a.bound = why->bound;
		if (why->text)
			vnet_attach_copy_text(a.text, sizeof(a.text),
					      why->text);
	}
	return send_answer(s, &a, sizeof(a), -1);
}

/* What came is no request. Whether the client can read why, or wants to, is not
 * our concern. */
static int
refuse(struct vnet_session *s, const char *text, uint64_t found, uint64_t bound)
{
	const struct vnet_why why = {
		.text = text,
		.found = found,
		.bound = bound,
	};

	free_message(s);
	s->state = OVER;
	(void)answer(s, -EPROTO, VNET_GRANT_UNDECIDED, &why);
	return -EPROTO;
}

static int
parse_open(struct vnet_session *s, const void *message, size_t len,
	   struct vnet_request *request)
{
	const struct attach_open *m = message;

	if (len != sizeof(*m))
		return refuse(s, "length of a request to open", len,
			      sizeof(*m));
	if (s->state != NEW)
		return refuse(s, "a vif was asked for already", 0, 0);
	if (!vnet_attach_is_text(m->vif, sizeof(m->vif)))
		return refuse(s, "name of the vif without an end", 0, 0);
	if (m->carries & ~ATTACH_CARRIES)
		return refuse(s, "unknown bits in what is carried", m->carries,
			      ATTACH_CARRIES);
	s->carries = m->carries;
	request->type = VNET_REQUEST_OPEN;
	vnet_attach_copy_text(request->vif, sizeof(request->vif), m->vif);
	return 1;
}

/* The rules point into the message. */
static int
parse_rules(struct vnet_session *s, const struct attach_filters *m)
{
	const struct attach_rule *r = (const void *)(m + 1);
	const struct vnet_bpf_insn *insns = (const void *)(r + m->nrules);
	uint64_t left = m->ninsns;

	for (uint32_t i = 0; i < m->nrules; i++) {
		if (!vnet_attach_is_text(r[i].name, sizeof(r[i].name)))
			return refuse(s, "name of a rule without an end", 0, 0);
		if (r[i].verdict > VNET_DROP)
			return refuse(s, "unknown verdict", r[i].verdict,
				      VNET_DROP);
		if (r[i].ninsns > left)
			return refuse(s, "more instructions than there are",
				      r[i].ninsns, left);
		s->rules[i] = (struct vnet_rule){
			.size = sizeof(s->rules[i]),
			.name = r[i].name,
			.priority = r[i].priority,
			.verdict = (enum vnet_verdict)r[i].verdict,
			.insns = insns,
			.ninsns = r[i].ninsns,
		};
		insns += r[i].ninsns;
		left -= r[i].ninsns;
	}
	return left ? refuse(s, "instructions that belong to no rule", left, 0)
		    : 0;
}

static int
parse_filters(struct vnet_session *s, size_t len, struct vnet_request *request)
{
	const struct attach_filters *m = s->message;
	int r;

	if (s->state != READY)
		return refuse(s, "no vif is open", 0, 0);
	if (len < sizeof(*m) ||
	    len != sizeof(*m) +
			    m->nrules * (uint64_t)sizeof(struct attach_rule) +
			    m->ninsns * (uint64_t)sizeof(struct vnet_bpf_insn))
		return refuse(s, "length of a request for filters", len, 0);
	if (m->side != VNET_RECEIVE_IN && m->side != VNET_RECEIVE_OUT)
		return refuse(s, "not a side of a client", m->side, 0);
	if (m->default_verdict > VNET_DROP)
		return refuse(s, "unknown verdict", m->default_verdict,
			      VNET_DROP);
	s->rules = calloc(m->nrules ? m->nrules : 1, sizeof(*s->rules));
	if (!s->rules)
		return refuse(s, "no memory", 0, 0);
	r = parse_rules(s, m);
	if (r)
		return r;
	request->type = VNET_REQUEST_FILTERS;
	request->side = (enum vnet_side)m->side;
	request->rules = s->rules;
	request->nrules = m->nrules;
	request->default_verdict = (enum vnet_verdict)m->default_verdict;
	return 1;
}

static int
parse_grant(struct vnet_session *s, size_t len, struct vnet_request *request)
{
	if (s->state != READY)
		return refuse(s, "no vif is open", 0, 0);
	if (len != sizeof(struct attach_head))
		return refuse(s, "length of a request for the grant", len,
			      sizeof(struct attach_head));
	request->type = VNET_REQUEST_GRANT;
	return 1;
}

/* The lists are in the message. */
static int
parse_delegate(struct vnet_session *s, size_t len, struct vnet_request *request)
{
	if (s->state != READY)
		return refuse(s, "no vif is open", 0, 0);
	if (len != sizeof(struct attach_grant))
		return refuse(s, "length of a grant", len,
			      sizeof(struct attach_grant));
	if (vnet_attach_grant_from_wire(s->message, &request->grant))
		return refuse(s, "what can be no grant", 0, 0);
	request->type = VNET_REQUEST_DELEGATE;
	return 1;
}

static int
parse(struct vnet_session *s, size_t len, struct vnet_request *request)
{
	const struct attach_head *h = s->message;

	if (len < sizeof(*h) || h->magic != ATTACH_MAGIC)
		return refuse(s, "not a request of libvnet", 0, 0);
	s->id = h->id;
	if (h->version != ATTACH_VERSION)
		return refuse(s, "unknown version", h->version, ATTACH_VERSION);
	switch (h->type) {
	case ATTACH_OPEN:
		return parse_open(s, s->message, len, request);
	case ATTACH_FILTERS:
		return parse_filters(s, len, request);
	case ATTACH_GRANT:
		return parse_grant(s, len, request);
	case ATTACH_DELEGATE:
		return parse_delegate(s, len, request);
	default:
		return refuse(s, "unknown request", h->type, 0);
	}
}

/* Octets of the next message, which is in s->message then; 0 if there is none.
 * Memory is taken for one that is there, and not too long. */
static ssize_t
receive(struct vnet_session *s)
{
	uint8_t octet;
	ssize_t n, r;

	do
		n = recv(s->fd, &octet, 1, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -EPIPE;
	if (n > (ssize_t)ATTACH_MESSAGE_MAX)
		return refuse(s, "message too long", (uint64_t)n,
			      ATTACH_MESSAGE_MAX);
	s->message = malloc((size_t)n);
	if (!s->message)
		return refuse(s, "no memory", 0, 0);
	r = vnet_attach_receive_message(s->fd, s->message, (size_t)n, NULL,
					MSG_DONTWAIT);
	if (r == -EBADMSG)
		return refuse(s, "descriptors with a request", 0, 0);
	return r < 0 ? -EPIPE : n;
}

int
vnet_session_next(struct vnet_session *session, struct vnet_request *request)
{
	ssize_t n;
	int r;

	if (request->size != sizeof(*request))
		return -EINVAL;
	if (session->state == ASKED)
		return -EBUSY;
	if (session->state == OVER)
		return -EPROTO;
	n = receive(session);
	if (n <= 0) {
		free_message(session);
		return (int)n;
	}
	*request = (struct vnet_request){.size = sizeof(*request)};
	r = parse(session, (size_t)n, request);
	if (r == 1) {
		session->state = ASKED;
		session->asked = request->type;
	}
	return r;
}

static bool
has_asked(const struct vnet_session *s, enum vnet_request_type type)
{
	return s->state == ASKED && s->asked == type;
}

/* A pair of sockets for frames, and how much each holds. Root may have more than
 * others. */
static int
make_pair(int fds[2], int sndbuf)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0, fds) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf,
			       sizeof(sndbuf)) < 0)
			(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &sndbuf,
					 sizeof(sndbuf));
	vnet_attach_refuse_descriptors(fds[0]);
	return 0;
}

int
vnet_session_open(struct vnet_session *session, struct vnet_medium **m,
		  struct vnet_media *media, uint32_t sndbuf,
		  struct vnet_why *why)
{
	struct vnet_medium *new;
	int fds[2], r;

	if (session->has_medium)
		return vnet_medium_why(why, "it has a medium", -EALREADY);
	if (!has_asked(session, VNET_REQUEST_OPEN))
		return vnet_medium_why(why, "it has not asked for one",
				       -EINVAL);
	if (sndbuf > VNET_ATTACH_SNDBUF_MAX)
		return vnet_medium_why(why, "sndbuf not from 0 to 2^30",
				       -EINVAL);
	if (!sndbuf)
		sndbuf = FRAMES_SNDBUF;
	else if (sndbuf < FRAMES_SNDBUF_LEAST)
		sndbuf = FRAMES_SNDBUF_LEAST;
	r = make_pair(fds, (int)sndbuf);
	if (r)
		return vnet_medium_why(why, "cannot open a pair of sockets", r);
	new = vnet_attach_medium_new(media, fds[0], session->carries, NULL);
	if (!new) {
		close(fds[0]);
		close(fds[1]);
		return vnet_medium_why(why, "no memory", -ENOMEM);
	}
	session->has_medium = true;
	session->theirs = fds[1];
	*m = new;
	return 0;
}

static void
close_theirs(struct vnet_session *s)
{
	if (s->theirs >= 0)
		close(s->theirs);
	s->theirs = -1;
}

int
vnet_session_welcome(struct vnet_session *session,
		     const struct vnet_attach_info *info)
{
	struct attach_welcome w = {
		.head = head(session, ATTACH_WELCOME),
		.index = info->index,
		.mtu = info->mtu,
	};
	int r;

	if (info->size != sizeof(*info) ||
	    !has_asked(session, VNET_REQUEST_OPEN) || session->theirs < 0)
		return -EINVAL;
	vnet_attach_copy_text(w.vif, sizeof(w.vif), info->vif);
	memcpy(w.mac, info->mac.octet, sizeof(w.mac));
	r = send_answer(session, &w, sizeof(w), session->theirs);
	free_message(session);
	close_theirs(session);
	session->state = r ? OVER : READY;
	return r;
}

/* It is answered: the next request is read, if there may be one. */
static int
settle(struct vnet_session *s, int r)
{
	free_message(s);
	close_theirs(s);
	s->state = r || s->asked == VNET_REQUEST_OPEN ? OVER : READY;
	return r;
}

int
vnet_session_answer(struct vnet_session *session, int error,
		    const struct vnet_why *why)
{
	if (session->state != ASKED ||
	    (!error && session->asked != VNET_REQUEST_FILTERS))
		return -EINVAL;
	return settle(session,
		      answer(session, error, VNET_GRANT_UNDECIDED, why));
}

int
vnet_session_refuse(struct vnet_session *session, int error,
		    enum vnet_grant_part part, const struct vnet_why *why)
{
	if (!has_asked(session, VNET_REQUEST_DELEGATE) || !error)
		return -EINVAL;
	return settle(session, answer(session, error, part, why));
}

int
vnet_session_grant(struct vnet_session *session, const struct vnet_grant *grant)
{
	struct attach_grant m = {.head = head(session, ATTACH_GRANTED)};

	if (!has_asked(session, VNET_REQUEST_GRANT) ||
	    vnet_attach_grant_to_wire(&m, grant))
		return -EINVAL;
	return settle(session, send_answer(session, &m, sizeof(m), -1));
}

/* A session for whoever gets *@theirs, in the name of the one that asks. */
static int
make_delegated(const struct vnet_session *session, struct vnet_session **made,
	       int *theirs, struct vnet_why *why)
{
	struct vnet_session *new = NULL;
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return vnet_medium_why(why, "cannot open a pair of sockets",
				       -errno);
	vnet_attach_refuse_descriptors(fds[0]);
	/* Theirs blocks, as one that has connected does. */
	r = vnet_medium_set_flags(fds[0]);
	if (r)
		vnet_medium_why(why, "cannot set flags of a socket", r);
	else
		r = vnet_session_adopt(&new, fds[0], why);
	if (r || !new) {
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	new->is_delegated = true;
	new->peer = session->peer;
	if (!session->is_delegated)
		new->groups = read_groups(session->fd, &new->ngroups);
	else
		new->groups = copy_groups(session, &new->ngroups);
	*made = new;
	*theirs = fds[1];
	return 0;
}

int
vnet_session_delegate(struct vnet_session *session, struct vnet_session **made,
		      struct vnet_why *why)
{
	const struct attach_head m = head(session, ATTACH_DELEGATED);
	struct vnet_session *new = NULL;
	int theirs = -1, r;

	if (!has_asked(session, VNET_REQUEST_DELEGATE))
		return vnet_medium_why(why, "it has not asked for one",
				       -EINVAL);
	r = make_delegated(session, &new, &theirs, why);
	if (r)
		return r;
	r = settle(session, send_answer(session, &m, sizeof(m), theirs));
	close(theirs);
	if (r) {
		vnet_session_close(new);
		return vnet_medium_why(why, "its client has left", r);
	}
	*made = new;
	return 0;
}

void
vnet_session_close(struct vnet_session *session)
{
	if (!session)
		return;
	free_message(session);
	close_theirs(session);
	close(session->fd);
	free(session->groups);
	free(session);
}
