/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client. What it asks waits for its answer, by a deadline; one that comes too
 * late is told by its number, and passed over when the next is waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "attach_frames.h"
#include "attach_medium.h"
#include "attach_wire.h"
#include "listen.h"

#define TIMEOUT_MS 5000

_Static_assert(VNET_ATTACH_BATCH == VNET_MEDIUM_BATCH, "one call, one batch");

/**
 * struct vnet_attach
 * @fd:		for frames; -1 if it is a medium's
 * @control:	for what is asked and answered
 * @id:		of the last request
 * @text:	what the switch said last
 * @granted:	what its lists are lent from
 * @room:	where frames are read to; NULL before the first
 */
struct vnet_attach {
	int fd;
	int control;
	uint32_t id;
	uint32_t timeout_ms;
	struct vnet_attach_info info;
	char text[VNET_ATTACH_TEXT_SIZE];
	struct attach_grant granted;
	struct attach_reader reader;
	uint8_t *room;
};

union message {
	struct attach_head head;
	struct attach_answer answer;
	struct attach_welcome welcome;
	struct attach_grant grant;
};

/* Milliseconds of the monotonic clock. */
static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What blocks on a socket ends at @deadline. 0 or -ETIMEDOUT. */
static int
set_time_left(int socket, int64_t deadline)
{
	int64_t left = deadline - now_ms();
	const struct timeval t = {
		.tv_sec = left / 1000,
		.tv_usec = left % 1000 * 1000,
	};

	/* 0 is for ever. */
	if (left <= 0)
		return -ETIMEDOUT;
	if (setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0 ||
	    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0)
		return -errno;
	return 0;
}

/* Should what failed be tried again, in the time that is left? */
static bool
is_interrupted(int r)
{
	return r == -EINTR || r == -EAGAIN;
}

static int
connect_to(int socket, const char *path, int64_t deadline, struct vnet_why *why)
{
	struct sockaddr_un address;
	int r = vnet_listen_address(&address, path, why);

	if (r)
		return r;
	do {
		r = set_time_left(socket, deadline);
		if (!r && connect(socket, (const struct sockaddr *)&address,
				  sizeof(address)) < 0)
			r = -errno;
	} while (is_interrupted(r));
	if (r == -EPROTOTYPE)
		return vnet_medium_why(why, "what listens there is no switch",
				       -EPROTO);
	return r ? vnet_medium_why(why, "cannot connect", r) : 0;
}

static int
send_request(int socket, const void *message, size_t len, int64_t deadline)
{
	int r;

	do {
		r = set_time_left(socket, deadline);
		if (!r)
			r = vnet_attach_send_message(socket, message, len, -1,
						     0);
	} while (is_interrupted(r));
	return r;
}

static bool
is_answer(const union message *m, size_t len)
{
	if (len < sizeof(m->head) || m->head.magic != ATTACH_MAGIC)
		return false;
	/* Refused for its version, one is told so in that of the switch. */
	if (m->head.type == ATTACH_ANSWER)
		return len == sizeof(m->answer) &&
		       vnet_attach_is_text(m->answer.text,
					   sizeof(m->answer.text));
	if (m->head.version != ATTACH_VERSION)
		return false;
	switch (m->head.type) {
	case ATTACH_WELCOME:
		return len == sizeof(m->welcome) &&
		       vnet_attach_is_text(m->welcome.vif,
					   sizeof(m->welcome.vif));
	case ATTACH_GRANTED:
		return len == sizeof(m->grant);
	case ATTACH_DELEGATED:
		return len == sizeof(m->head);
	default:
		return false;
	}
}

/* The answer to the request of that number. Return: 0; -EPROTO, -EPIPE,
 * -ETIMEDOUT, ... */
static int
wait_for_answer(int socket, uint32_t id, union message *m, int *fd,
		int64_t deadline)
{
	for (;;) {
		ssize_t n;
		int r = set_time_left(socket, deadline);

		*fd = -1;
		if (r)
			return r;
		n = vnet_attach_receive_message(socket, m, sizeof(*m), fd, 0);
		if (is_interrupted((int)n))
			continue;
		if (n == 0 || n == -ECONNRESET)
			return -EPIPE;
		if (n == -EBADMSG || n == -EMSGSIZE)
			return -EPROTO;
		if (n < 0)
			return (int)n;
		r = is_answer(m, (size_t)n) ? 0 : -EPROTO;
		if (!r && m->head.id == id)
			return 0;
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		if (r)
			return r;
	}
}

/* Nothing in it does anything to a terminal. */
static void
make_plain(char *text)
{
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* What the switch says why, with the text where it stays. */
static int
refused(const struct attach_answer *a, char *text, struct vnet_why *why)
{
	int r = vnet_attach_error_from_wire(a->error);

	if (text) {
		memcpy(text, a->text, VNET_ATTACH_TEXT_SIZE);
		make_plain(text);
	}
	if (why)
		*why = (struct vnet_why){
			.text = text && *text ? text : "the switch refuses",
			.index = (size_t)a->index,
			.found = a->found,
			.bound = a->bound,
		};
	return r;
}

/* Is it a socket of a session? */
static bool
is_of_session(int fd)
{
	socklen_t len = sizeof(int);
	int type, domain;

	return fd >= 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       type == SOCK_SEQPACKET && domain == AF_UNIX;
}

/* Ask for the vif, and take what comes for an answer. */
static int
ask_for_vif(struct vnet_attach *a, const struct vnet_attach_config *config,
	    int64_t deadline, struct vnet_why *why)
{
	struct attach_open open = {
		.head =
			{
				.magic = ATTACH_MAGIC,
				.version = ATTACH_VERSION,
				.type = ATTACH_OPEN,
				.id = a->id,
			},
		.carries = config->carries,
	};
	union message m;
	int fd, r;

	vnet_attach_copy_text(open.vif, sizeof(open.vif),
			      config->vif ? config->vif : "");
	r = send_request(a->control, &open, sizeof(open), deadline);
	/* It may have said why before it hung up. */
	if (!r || r == -EPIPE)
		r = wait_for_answer(a->control, a->id, &m, &fd, deadline);
	if (r == -EPIPE)
		return vnet_medium_why(why, "the switch has hung up", -EPROTO);
	if (r == -EPROTO)
		return vnet_medium_why(why, "what answers is no switch", r);
	if (r)
		return vnet_medium_why(why, "no answer of the switch", r);
	if (m.head.type == ATTACH_ANSWER && m.answer.error && fd < 0)
		return refused(&m.answer, config->text, why);
	if (m.head.type != ATTACH_WELCOME || !is_of_session(fd)) {
		if (fd >= 0)
			close(fd);
		return vnet_medium_why(why, "what answers is no switch",
				       -EPROTO);
	}
	a->fd = fd;
	a->info = (struct vnet_attach_info){
		.size = sizeof(a->info),
		.index = m.welcome.index,
		.mtu = m.welcome.mtu,
	};
	memcpy(a->info.vif, m.welcome.vif, sizeof(a->info.vif));
	memcpy(a->info.mac.octet, m.welcome.mac, sizeof(m.welcome.mac));
	return 0;
}

static int
check(const struct vnet_attach_config *config, struct vnet_why *why)
{
	if (config->size != sizeof(*config))
		return vnet_medium_why(why, "unknown size of the configuration",
				       -EINVAL);
	if (config->vif &&
	    (!*config->vif || strlen(config->vif) >= VNET_PORT_NAME_SIZE))
		return vnet_medium_why(why, "vif not of 1 to 31 octets",
				       -EINVAL);
	if (config->carries & ~ATTACH_CARRIES)
		return vnet_medium_why(why, "unknown bits in carries", -EINVAL);
	return 0;
}

/* By a socket that is connected, or to be, with @config's path. */
static int
open_by(int control, struct vnet_attach **a,
	const struct vnet_attach_config *config, struct vnet_why *why)
{
	struct vnet_attach *new = calloc(1, sizeof(*new));
	int64_t deadline;
	int r = 0;

	if (!new)
		return vnet_medium_why(why, "no memory", -ENOMEM);
	new->fd = -1;
	new->control = control;
	new->timeout_ms = config->timeout_ms ? config->timeout_ms : TIMEOUT_MS;
	deadline = now_ms() + new->timeout_ms;
	if (config->path)
		r = connect_to(control, config->path, deadline, why);
	if (!r)
		r = ask_for_vif(new, config, deadline, why);
	if (r)
		free(new);
	else
		*a = new;
	return r;
}

int
vnet_attach_open(struct vnet_attach **a,
		 const struct vnet_attach_config *config, struct vnet_why *why)
{
	int r = check(config, why);
	int control;

	if (r)
		return r;
	if (!config->path)
		return vnet_medium_why(why, "no path", -EINVAL);
	control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (control < 0)
		return vnet_medium_why(why, "cannot open a socket", -errno);
	r = open_by(control, a, config, why);
	if (r)
		close(control);
	return r;
}

/* Whoever had it before may have set it otherwise. */
static int
make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

int
vnet_attach_adopt(struct vnet_attach **a, int fd,
		  const struct vnet_attach_config *config, struct vnet_why *why)
{
	int r = check(config, why);

	if (r)
		return r;
	if (config->path)
		return vnet_medium_why(why, "a path beside a descriptor",
				       -EINVAL);
	if (!is_of_session(fd))
		return vnet_medium_why(why, "it is no socket of a session",
				       -EINVAL);
	r = make_blocking(fd);
	if (r)
		return vnet_medium_why(why, "cannot set its flags", r);
	return open_by(fd, a, config, why);
}

int
vnet_attach_get(const struct vnet_attach *a, struct vnet_attach_info *info)
{
	if (info->size != sizeof(*info))
		return -EINVAL;
	*info = a->info;
	return 0;
}

int
vnet_attach_fd(const struct vnet_attach *a)
{
	return a->fd;
}

int
vnet_attach_send(struct vnet_attach *a, const struct vnet_frame *frames,
		 size_t n)
{
	return vnet_attach_write(a->fd, frames, n);
}

int
vnet_attach_receive(struct vnet_attach *a, struct vnet_frame *frames,
		    size_t max)
{
	if (!a->room) {
		a->room = malloc(MEDIUM_ROOM);
		if (!a->room)
			return -ENOMEM;
	}
	return vnet_attach_read(a->fd, &a->reader, a->room, frames, max);
}

/* Octets of a message with these rules, SIZE_MAX if it would be too long;
 * *@wrong is the first that is none, or @nrules. */
static size_t
measure(const struct vnet_rule *rules, size_t nrules, size_t *wrong)
{
	size_t len = sizeof(struct attach_filters);

	for (*wrong = 0; *wrong < nrules; ++*wrong) {
		const struct vnet_rule *r = &rules[*wrong];

		if (r->size != sizeof(*r) || !r->name ||
		    strlen(r->name) >= VNET_RULE_NAME_SIZE)
			break;
		if (r->ninsns > ATTACH_MESSAGE_MAX / sizeof(*r->insns))
			return SIZE_MAX;
		len += sizeof(struct attach_rule) +
		       r->ninsns * sizeof(*r->insns);
		if (len > ATTACH_MESSAGE_MAX)
			return SIZE_MAX;
	}
	return len;
}

/* Rules, and behind them all instructions. */
static void
fill(struct attach_filters *m, const struct vnet_rule *rules, size_t nrules)
{
	struct attach_rule *to = (void *)(m + 1);
	struct vnet_bpf_insn *insns = (void *)(to + nrules);

	m->nrules = (uint32_t)nrules;
	for (size_t i = 0; i < nrules; i++, to++) {
		const struct vnet_rule *r = &rules[i];

		vnet_attach_copy_text(to->name, sizeof(to->name), r->name);
		to->priority = r->priority;
		to->verdict = r->verdict;
		to->ninsns = (uint32_t)r->ninsns;
		if (r->ninsns)
			memcpy(insns, r->insns, r->ninsns * sizeof(*insns));
		insns += r->ninsns;
		m->ninsns += (uint32_t)r->ninsns;
	}
}

static struct attach_head
next_head(struct vnet_attach *a, enum attach_type type)
{
	return (struct attach_head){
		.magic = ATTACH_MAGIC,
		.version = ATTACH_VERSION,
		.type = type,
		.id = ++a->id,
	};
}

/* Send a request, and see what the switch says: what is expected, or why not. The
 * answer may bring a socket, where @fd is not NULL. */
static int
ask(struct vnet_attach *a, const void *request, size_t len,
    enum attach_type expected, union message *m, int *fd, struct vnet_why *why)
{
	int64_t deadline = now_ms() + a->timeout_ms;
	int came = -1;
	int r = send_request(a->control, request, len, deadline);

	if (!r || r == -EPIPE)
		r = wait_for_answer(a->control, a->id, m, &came, deadline);
	if (r == -EPIPE)
		return vnet_medium_why(why, "the switch has ended the session",
				       r);
	if (!r && m->head.type == ATTACH_ANSWER && m->answer.error && came < 0)
		return refused(&m->answer, a->text, why);
	if (!r && m->head.type == expected &&
	    (fd ? is_of_session(came) : came < 0)) {
		if (fd)
			*fd = came;
		return 0;
	}
	if (came >= 0)
		close(came);
	return vnet_medium_why(why, "no answer of the switch", r ? r : -EPROTO);
}

int
vnet_attach_set_filters(struct vnet_attach *a, enum vnet_side side,
			const struct vnet_rule *rules, size_t nrules,
			enum vnet_verdict default_verdict, struct vnet_why *why)
{
	struct attach_filters *m;
	union message answer;
	size_t wrong, len = measure(rules, nrules, &wrong);
	int r;

	if (len == SIZE_MAX)
		return vnet_medium_why(why, "more rules than fit in a message",
				       -ENOSPC);
	if (wrong < nrules) {
		vnet_medium_why(why, "size of a rule, or its name", 0);
		if (why)
			why->index = wrong;
		return -EINVAL;
	}
	if (side != VNET_RECEIVE_IN && side != VNET_RECEIVE_OUT)
		return vnet_medium_why(why, "not a side of a client", -EINVAL);
	if (default_verdict != VNET_PASS && default_verdict != VNET_DROP)
		return vnet_medium_why(why, "unknown verdict", -EINVAL);
	m = calloc(1, len);
	if (!m)
		return vnet_medium_why(why, "no memory", -ENOMEM);
	m->head = next_head(a, ATTACH_FILTERS);
	m->side = side;
	m->default_verdict = default_verdict;
	fill(m, rules, nrules);
	r = ask(a, m, len, ATTACH_ANSWER, &answer, NULL, why);
	free(m);
	return r;
}

int
vnet_attach_grant(struct vnet_attach *a, struct vnet_grant *grant,
		  struct vnet_why *why)
{
	const struct attach_head request = next_head(a, ATTACH_GRANT);
	struct vnet_grant found;
	union message m;
	int r;

	if (grant->size != sizeof(*grant))
		return vnet_medium_why(why, "unknown size of the grant",
				       -EINVAL);
	r = ask(a, &request, sizeof(request), ATTACH_GRANTED, &m, NULL, why);
	if (r)
		return r;
	a->granted = m.grant;
	r = vnet_attach_grant_from_wire(&a->granted, &found);
	/* It is compared with others, which counts on it being in order. */
	if (!r)
		r = vnet_grant_check(&found, NULL, NULL);
	if (r)
		return vnet_medium_why(why, "what the switch says is no grant",
				       -EPROTO);
	make_plain(a->granted.name);
	*grant = found;
	return 0;
}

/* Which part the switch names, as far as it is one. */
static enum vnet_grant_part
part_of(const struct attach_answer *answer)
{
	return answer->part < VNET_GRANT_NPARTS
		       ? (enum vnet_grant_part)answer->part
		       : VNET_GRANT_UNDECIDED;
}

int
vnet_attach_delegate(struct vnet_attach *a, const struct vnet_grant *grant,
		     int *fd, enum vnet_grant_part *part, struct vnet_why *why)
{
	struct attach_grant request = {0};
	union message m;
	int r = vnet_attach_grant_to_wire(&request, grant);

	m.answer.part = VNET_GRANT_UNDECIDED;
	if (r)
		r = vnet_medium_why(why, "size of the grant, or of a list", r);
	else {
		request.head = next_head(a, ATTACH_DELEGATE);
		r = ask(a, &request, sizeof(request), ATTACH_DELEGATED, &m, fd,
			why);
	}
	if (part && (r == -EINVAL || r == -EPERM))
		*part = part_of(&m.answer);
	return r;
}

int
vnet_attach_medium(struct vnet_medium **m, struct vnet_media *media,
		   struct vnet_attach *a, struct vnet_why *why)
{
	struct vnet_medium *new;

	if (a->fd < 0)
		return vnet_medium_why(why, "it is a medium", -EALREADY);
	new = vnet_attach_medium_new(media, a->fd, ATTACH_CARRIES, a);
	if (!new)
		return vnet_medium_why(why, "no memory", -ENOMEM);
	a->fd = -1;
	*m = new;
	return 0;
}

void
vnet_attach_close(struct vnet_attach *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	close(a->control);
	free(a->room);
	free(a);
}
