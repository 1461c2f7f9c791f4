/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions of local clients: good ones, and those of somebody who stalls, dies,
 * forks, or sends rubbish. No test leaves a descriptor behind.
 *
 *	client ~~~ session: medium [ vif ]--- switch ---[ peer ] fake
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach_wire.h"
#include "packet.h"
#include "sessions.h"
#include "virtio.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Addresses. */
enum { CLIENT = 0xc, PEER = 0xe };

#define CARRIES (CARRIES_ALL & ~(unsigned int)VNET_CARRIES_TAGS)

struct net {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct fake peer;
	struct vnet_media *media;
	struct sessions sessions;
	size_t nfds;

	/* of open_vif() */
	struct vnet_session *session;
	struct vnet_medium *m;
	struct vnet_attach *a;
	vnet_port_id port;
};

static size_t
count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int
set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	net->nfds = count_descriptors();
	net->sw = test_switch(&net->alloc, 6);
	assert_int_equal(
		fake_open(&net->peer, net->sw, "peer", VNET_ROLE_VIF, 0), 0);
	assert_int_equal(vnet_media_create(&net->media), 0);
	sessions_open(&net->sessions);
	*state = net;
	return 0;
}

static void
close_vif(struct net *net)
{
	vnet_medium_close(net->m);
	vnet_session_close(net->session);
	vnet_attach_close(net->a);
	net->m = NULL;
	net->session = NULL;
	net->a = NULL;
}

static int
tear_down(void **state)
{
	struct net *net = *state;

	close_vif(net);
	sessions_close(&net->sessions);
	vnet_media_destroy(net->media);
	test_switch_end(net->sw, &net->alloc);
	assert_int_equal(count_descriptors(), net->nfds);
	free(net);
	return 0;
}

/* The picture at the top. */
static void
open_vif(struct net *net)
{
	net->session = sessions_make(&net->sessions, "vif", CARRIES, net->media,
				     &net->a, &net->m);
	net->port = test_port(net->sw, "vif");
	assert_int_equal(
		vnet_medium_attach(net->m, net->sw, net->port, 0, 0, NULL), 0);
}

static struct vnet_client_stats
stats(const struct net *net)
{
	struct vnet_client_stats s = {.size = sizeof(s)};

	assert_int_equal(vnet_client_get_stats(net->sw,
					       vnet_medium_client(net->m), &s),
			 0);
	return s;
}

static uint64_t
in_errors(const struct net *net)
{
	struct vnet_medium_stats s = {.size = sizeof(s)};

	(void)vnet_medium_get_stats(net->m, &s);
	return s.in_errors;
}

/* A socket that has connected, and says what it likes. */
static int
connect_raw(struct net *net)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strcpy(address.sun_path, net->sessions.path);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	net->session = sessions_accept(&net->sessions);
	return fd;
}

static struct attach_open
good_open(void)
{
	return (struct attach_open){
		.head =
			{
				.magic = ATTACH_MAGIC,
				.version = ATTACH_VERSION,
				.type = ATTACH_OPEN,
				.id = 7,
			},
		.vif = "vif",
		.carries = CARRIES,
	};
}

/* The answer that is there. */
static struct attach_answer
read_answer(int fd)
{
	struct attach_answer a;

	assert_int_equal(recv(fd, &a, sizeof(a), MSG_DONTWAIT), sizeof(a));
	assert_int_equal(a.head.magic, ATTACH_MAGIC);
	assert_int_equal(a.head.version, ATTACH_VERSION);
	assert_int_equal(a.head.type, ATTACH_ANSWER);
	return a;
}

/* Send what is no request, and see that it is called that. */
static void
assert_refused(struct net *net, int fd, const void *message, size_t len,
	       const char *text)
{
	struct vnet_request request;
	struct attach_answer a;

	assert_int_equal(send(fd, message, len, 0), len);
	assert_int_equal(sessions_next(net->session, &request), -EPROTO);
	a = read_answer(fd);
	assert_int_equal(vnet_attach_error_from_wire(a.error), -EPROTO);
	assert_string_equal(a.text, text);
	/* And that was it. */
	assert_int_equal(vnet_session_next(net->session, &request), -EPROTO);
	vnet_session_close(net->session);
	net->session = NULL;
	close(fd);
}

/* Opening */

static void
test_client_learns_what_it_has_opened(void **state)
{
	struct net *net = *state;
	struct call c = call_for(&net->sessions, "web");
	struct vnet_attach_info info = {
		.size = sizeof(info),
		.vif = "web",
		.index = 3,
		.mac = test_mac(CLIENT),
		.mtu = 9000,
	};
	struct vnet_attach_info got = {.size = sizeof(got)};
	struct vnet_medium_info medium = {.size = sizeof(medium)};
	struct vnet_request request;

	c.config.carries = VNET_CARRIES_CSUM | VNET_CARRIES_TSO6;
	call_begin(&c);
	net->session = sessions_accept(&net->sessions);
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(request.type, VNET_REQUEST_OPEN);
	assert_string_equal(request.vif, "web");
	assert_int_equal(vnet_session_next(net->session, &request), -EBUSY);
	assert_int_equal(vnet_session_welcome(net->session, &info), -EINVAL);
	assert_int_equal(vnet_session_open(net->session, &net->m, net->media, 0,
					   NULL),
			 0);
	assert_int_equal(vnet_session_open(net->session, &net->m, net->media, 0,
					   NULL),
			 -EALREADY);
	assert_int_equal(vnet_session_answer(net->session, 0, NULL), -EINVAL);
	assert_int_equal(vnet_session_welcome(net->session, &info), 0);
	assert_int_equal(call_end(&c), 0);
	net->a = c.a;
	assert_int_equal(vnet_session_next(net->session, &request), 0);
	assert_int_equal(vnet_session_answer(net->session, 0, NULL), -EINVAL);

	assert_int_equal(vnet_attach_get(net->a, &got), 0);
	assert_string_equal(got.vif, "web");
	assert_int_equal(got.index, 3);
	assert_int_equal(got.mtu, 9000);
	assert_memory_equal(&got.mac, &info.mac, sizeof(got.mac));
	assert_int_equal(vnet_medium_get(net->m, &medium), 0);
	assert_string_equal(medium.kind, "attach");
	assert_int_equal(medium.carries, c.config.carries);
	assert_true(medium.up);
}

static void
test_switch_knows_who_has_connected(void **state)
{
	struct vnet_session_peer peer = {.size = sizeof(peer)};
	struct net *net = *state;
	gid_t groups[65536], none = 1;
	int n = getgroups(COUNT(groups), groups);

	close(connect_raw(net));
	assert_int_equal(vnet_session_peer(net->session, &peer), 0);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(peer.gid, getegid());
	assert_true(vnet_session_has_group(net->session, getegid()));
	for (int i = 0; i < n; i++) {
		assert_true(vnet_session_has_group(net->session, groups[i]));
		if (none <= groups[i])
			none = groups[i] + 1;
	}
	if (none == getegid())
		none++;
	assert_false(vnet_session_has_group(net->session, none));
}

/* A child with groups of its own, for which it takes privileges. */
static void
test_switch_knows_all_groups(void **state)
{
	struct net *net = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const gid_t groups[] = {70001, 70002, 70003};
	int fds[2], status;
	pid_t child;
	char c = 0;

	if (geteuid() != 0)
		skip();
	strcpy(address.sun_path, net->sessions.path);
	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

		close(fds[1]);
		if (setgroups(COUNT(groups), groups) ||
		    connect(fd, (struct sockaddr *)&address, sizeof(address)))
			_exit(1);
		_exit(read(fds[0], &c, 1) != 0);
	}
	close(fds[0]);
	net->session = sessions_accept(&net->sessions);
	for (size_t i = 0; i < COUNT(groups); i++)
		assert_true(vnet_session_has_group(net->session, groups[i]));
	assert_false(vnet_session_has_group(net->session, 70004));
	close(fds[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
test_refused_client_is_told_why(void **state)
{
	static const int errors[] = {-ENOENT, -EACCES, -EUSERS, -ENOMEM};
	const struct vnet_why why = {
		.text = "no\tvif of that name",
		.index = 1,
		.found = UINT64_C(1) << 40,
		.bound = 3,
	};
	struct net *net = *state;

	for (size_t i = 0; i < COUNT(errors); i++) {
		struct call c = call_for(&net->sessions, i ? NULL : "lost");
		struct vnet_request request;

		call_begin(&c);
		net->session = sessions_accept(&net->sessions);
		assert_int_equal(sessions_next(net->session, &request), 1);
		assert_string_equal(request.vif, i ? "" : "lost");
		if (i == 3)
			assert_int_equal(vnet_session_open(net->session,
							   &net->m, net->media,
							   0, NULL),
					 0);
		assert_int_equal(
			vnet_session_answer(net->session, errors[i], &why), 0);
		assert_int_equal(call_end(&c), errors[i]);
		assert_ptr_equal(c.why.text, c.text);
		assert_string_equal(c.text, "no?vif of that name");
		assert_int_equal(c.why.index, 1);
		assert_true(c.why.found == why.found);
		assert_int_equal(c.why.bound, 3);
		assert_int_equal(vnet_session_next(net->session, &request),
				 -EPROTO);
		vnet_session_close(net->session);
		net->session = NULL;
	}
}

static void
assert_no_open(const struct vnet_attach_config *config, int error)
{
	struct vnet_why why = {0};
	struct vnet_attach *a = NULL;

	assert_int_equal(vnet_attach_open(&a, config, &why), error);
	assert_non_null(why.text);
	assert_null(a);
}

static void
test_client_says_what_is_wrong_before_it_is_a_session(void **state)
{
	struct net *net = *state;
	struct call c = call_for(&net->sessions, "vif");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	c.config.timeout_ms = 20;
	assert_no_open(&c.config, -ETIMEDOUT);
	close(net->sessions.fd);
	assert_no_open(&c.config, -ECONNREFUSED);
	unlink(net->sessions.path);
	assert_no_open(&c.config, -ENOENT);

	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(address.sun_path, net->sessions.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_no_open(&c.config, -EPROTO);
	close(fd);
	assert_int_equal(vnet_attach_listen(net->sessions.path, 0600,
					    &net->sessions.fd, NULL),
			 0);

	c.config.vif = "";
	assert_no_open(&c.config, -EINVAL);
	c.config.vif = "0123456789012345678901234567890123456789";
	assert_no_open(&c.config, -EINVAL);
	c.config.vif = NULL;
	c.config.carries = VNET_CARRIES_TAGS;
	assert_no_open(&c.config, -EINVAL);
	c.config.carries = 0;
	c.config.path = NULL;
	assert_no_open(&c.config, -EINVAL);
	c.config.path = "";
	assert_no_open(&c.config, -EINVAL);
	c.config.size--;
	assert_no_open(&c.config, -EINVAL);
}

/* What a program answers that is none of ours. */
struct reply {
	const void *message;
	size_t len;
	bool has_pipe;
};

static void
assert_no_switch(struct net *net, const struct reply *reply)
{
	struct call c = call_for(&net->sessions, "vif");
	struct attach_open open;
	int fds[2] = {-1, -1}, fd;

	call_begin(&c);
	sessions_wait(net->sessions.fd);
	fd = accept(net->sessions.fd, NULL, NULL);
	assert_int_equal(recv(fd, &open, sizeof(open), 0), sizeof(open));
	if (reply->has_pipe)
		assert_int_equal(pipe(fds), 0);
	if (reply->len)
		assert_int_equal(vnet_attach_send_message(fd, reply->message,
							  reply->len, fds[0],
							  0),
				 0);
	close(fd);
	if (reply->has_pipe) {
		close(fds[0]);
		close(fds[1]);
	}
	assert_int_equal(call_end(&c), -EPROTO);
	assert_non_null(c.why.text);
}

static void
test_client_tells_a_switch_from_something_else(void **state)
{
	const struct attach_welcome welcome = {
		.head = {.magic = ATTACH_MAGIC,
			 .version = ATTACH_VERSION,
			 .type = ATTACH_WELCOME},
		.vif = "vif",
	};
	struct attach_welcome other = welcome;
	struct attach_welcome endless = welcome;
	struct attach_answer answer = {
		.head = {.magic = ATTACH_MAGIC,
			 .version = ATTACH_VERSION,
			 .type = ATTACH_ANSWER},
	};
	static const uint8_t large[4096];
	const struct reply replies[] = {
		{NULL, 0, false},
		{"HTTP/1.1 400 Bad Request", 24, false},
		{large, sizeof(large), false},
		{large, sizeof(large), true},
		{&welcome, sizeof(welcome), false},
		{&welcome, sizeof(welcome), true},
		{&welcome, sizeof(welcome) - 1, true},
		{&other, sizeof(other), true},
		{&endless, sizeof(endless), true},
		{&answer, sizeof(answer), false},
		{&answer, sizeof(answer), true},
	};
	struct net *net = *state;

	other.head.version++;
	memset(endless.vif, 'x', sizeof(endless.vif));
	for (size_t i = 0; i < COUNT(replies); i++)
		assert_no_switch(net, &replies[i]);
}

/* It takes the one that it is meant to have, and no other. */
static void
test_client_takes_one_descriptor_at_the_most(void **state)
{
	union {
		struct cmsghdr header;
		uint8_t octets[CMSG_SPACE(2 * sizeof(int))];
	} control = {.octets = {0}};
	struct attach_welcome welcome = {
		.head = {.magic = ATTACH_MAGIC,
			 .version = ATTACH_VERSION,
			 .type = ATTACH_WELCOME},
		.vif = "vif",
	};
	struct iovec iov = {&welcome, sizeof(welcome)};
	const struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct net *net = *state;
	struct call c = call_for(&net->sessions, "vif");
	int fds[2], fd;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	call_begin(&c);
	sessions_wait(net->sessions.fd);
	fd = accept(net->sessions.fd, NULL, NULL);
	sessions_wait(fd);
	assert_int_equal(sendmsg(fd, &message, 0), sizeof(welcome));
	assert_int_equal(call_end(&c), -EPROTO);
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

/* Requests that are none */

static void
test_rubbish_in_place_of_a_request_ends_the_session(void **state)
{
	struct net *net = *state;
	struct attach_open open = good_open();
	static uint8_t large[160 << 10];

	assert_refused(net, connect_raw(net), "x", 1,
		       "not a request of libvnet");
	open.head.magic++;
	assert_refused(net, connect_raw(net), &open, sizeof(open),
		       "not a request of libvnet");
	open = good_open();
	open.head.type = ATTACH_WELCOME;
	assert_refused(net, connect_raw(net), &open, sizeof(open),
		       "unknown request");
	open = good_open();
	assert_refused(net, connect_raw(net), &open, sizeof(open) - 1,
		       "length of a request to open");
	memcpy(large, &open, sizeof(open));
	assert_refused(net, connect_raw(net), large, sizeof(open) + 1,
		       "length of a request to open");
	assert_refused(net, connect_raw(net), large, sizeof(large),
		       "message too long");
	memset(open.vif, 'v', sizeof(open.vif));
	assert_refused(net, connect_raw(net), &open, sizeof(open),
		       "name of the vif without an end");
	open = good_open();
	open.carries = VNET_CARRIES_TAGS;
	assert_refused(net, connect_raw(net), &open, sizeof(open),
		       "unknown bits in what is carried");
}

static void
test_client_of_another_version_is_told_which_there_is(void **state)
{
	struct net *net = *state;
	struct attach_open open = good_open();
	struct vnet_request request;
	struct attach_answer a;
	int fd = connect_raw(net);

	open.head.version = 9;
	assert_int_equal(send(fd, &open, sizeof(open), 0), sizeof(open));
	assert_int_equal(sessions_next(net->session, &request), -EPROTO);
	a = read_answer(fd);
	assert_int_equal(a.head.id, 7);
	assert_string_equal(a.text, "unknown version");
	assert_int_equal(a.found, 9);
	assert_int_equal(a.bound, ATTACH_VERSION);
	close(fd);
}

/* Does the kernel let a descriptor pass to the switch? From Linux 6.16 on it does
 * not. */
static bool
passes_descriptor(int socket, const void *message, size_t len, int fd)
{
	int r = vnet_attach_send_message(socket, message, len, fd, 0);

	assert_true(r == 0 || r == -EPERM);
	return r == 0;
}

static void
test_descriptors_with_a_request_are_closed_and_refused(void **state)
{
	struct net *net = *state;
	struct attach_open open = good_open();
	struct vnet_request request;
	int fd = connect_raw(net), fds[2];
	char c;

	assert_int_equal(pipe(fds), 0);
	if (!passes_descriptor(fd, &open, sizeof(open), fds[1])) {
		close(fds[0]);
		close(fds[1]);
		close(fd);
		return;
	}
	close(fds[1]);
	assert_int_equal(sessions_next(net->session, &request), -EPROTO);
	assert_string_equal(read_answer(fd).text, "descriptors with a request");
	/* Nobody can write any more. */
	assert_int_equal(read(fds[0], &c, 1), 0);
	close(fds[0]);
	close(fd);
}

static void
test_requests_come_in_order_and_one_at_a_time(void **state)
{
	struct net *net = *state;
	const struct attach_open open = good_open();
	struct vnet_attach_info info = {.size = sizeof(info)};
	struct vnet_request request;
	struct attach_filters filters = {
		.head = open.head,
		.side = VNET_RECEIVE_IN,
	};
	int fd = connect_raw(net);

	filters.head.type = ATTACH_FILTERS;
	assert_refused(net, fd, &filters, sizeof(filters), "no vif is open");

	fd = connect_raw(net);
	assert_int_equal(send(fd, &open, sizeof(open), 0), sizeof(open));
	assert_int_equal(send(fd, &filters, sizeof(filters), 0),
			 sizeof(filters));
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(request.type, VNET_REQUEST_OPEN);
	assert_int_equal(vnet_session_next(net->session, &request), -EBUSY);
	assert_int_equal(vnet_session_open(net->session, &net->m, net->media, 0,
					   NULL),
			 0);
	assert_int_equal(vnet_session_welcome(net->session, &info), 0);
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(request.type, VNET_REQUEST_FILTERS);
	assert_int_equal(request.nrules, 0);
	assert_int_equal(vnet_session_answer(net->session, 0, NULL), 0);
	recv(fd, &info, sizeof(info), 0); /* the welcome */
	assert_int_equal(read_answer(fd).error, 0);
	assert_refused(net, fd, &open, sizeof(open),
		       "a vif was asked for already");
}

/* A request for filters with one rule of two instructions. */
struct one_rule {
	struct attach_filters m;
	struct attach_rule rule;
	struct vnet_bpf_insn insns[2];
};

static struct one_rule
good_filters(void)
{
	return (struct one_rule){
		.m =
			{
				.head = good_open().head,
				.side = VNET_RECEIVE_OUT,
				.nrules = 1,
				.ninsns = 2,
			},
		.rule = {.name = "all", .ninsns = 2},
		.insns = {{.code = 0x06, .k = 1}, {.code = 0x06}},
	};
}

/* @where counts 32-bit words of the request. */
static void
assert_no_filters(struct net *net, size_t where, uint32_t word, size_t len,
		  const char *text)
{
	const struct attach_open open = good_open();
	struct vnet_attach_info info = {.size = sizeof(info)};
	struct vnet_request request;
	struct one_rule r = good_filters();
	int fd = connect_raw(net);

	assert_int_equal(send(fd, &open, sizeof(open), 0), sizeof(open));
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(vnet_session_open(net->session, &net->m, net->media, 0,
					   NULL),
			 0);
	assert_int_equal(vnet_session_welcome(net->session, &info), 0);
	recv(fd, &info, sizeof(info), 0);
	r.m.head.type = ATTACH_FILTERS;
	memcpy((uint8_t *)&r + 4 * where, &word, sizeof(word));
	assert_refused(net, fd, &r, len, text);
	vnet_medium_close(net->m);
	net->m = NULL;
}

static void
test_filters_whose_numbers_belie_each_other_end_the_session(void **state)
{
	struct net *net = *state;
	const size_t len = sizeof(struct one_rule);
	const char *const wrong_len = "length of a request for filters";

	assert_no_filters(net, 4, VNET_INGRESS, len, "not a side of a client");
	assert_no_filters(net, 4, 99, len, "not a side of a client");
	assert_no_filters(net, 5, 2, len, "unknown verdict");
	assert_no_filters(net, 6, 2, len, wrong_len);
	assert_no_filters(net, 6, UINT32_MAX, len, wrong_len);
	assert_no_filters(net, 7, UINT32_MAX, len, wrong_len);
	assert_no_filters(net, 7, 1, len, wrong_len);
	assert_no_filters(net, 4, VNET_RECEIVE_IN, len - 8, wrong_len);
	assert_no_filters(net, 4, VNET_RECEIVE_IN, 20, wrong_len);
	assert_no_filters(net, 17, 2, len, "unknown verdict");
	assert_no_filters(net, 18, 3, len, "more instructions than there are");
	assert_no_filters(net, 18, UINT32_MAX, len,
			  "more instructions than there are");
	assert_no_filters(net, 18, 1, len,
			  "instructions that belong to no rule");
}

/* Filters */

struct asking {
	struct vnet_attach *a;
	const struct vnet_rule *rules;
	size_t nrules;
	int r;
	struct vnet_why why;
	pthread_t thread;
};

static void *
ask(void *ctx)
{
	struct asking *q = ctx;

	q->r = vnet_attach_set_filters(q->a, VNET_RECEIVE_IN, q->rules,
				       q->nrules, VNET_DROP, &q->why);
	return NULL;
}

static void
begin_asking(struct asking *q)
{
	assert_int_equal(pthread_create(&q->thread, NULL, ask, q), 0);
}

static void
assert_same_rules(const struct vnet_request *request,
		  const struct vnet_rule *rules, size_t nrules)
{
	assert_int_equal(request->type, VNET_REQUEST_FILTERS);
	assert_int_equal(request->side, VNET_RECEIVE_IN);
	assert_int_equal(request->default_verdict, VNET_DROP);
	assert_int_equal(request->nrules, nrules);
	for (size_t i = 0; i < nrules; i++) {
		const struct vnet_rule *r = &request->rules[i];

		assert_int_equal(r->size, sizeof(*r));
		assert_string_equal(r->name, rules[i].name);
		assert_int_equal(r->priority, rules[i].priority);
		assert_int_equal(r->verdict, rules[i].verdict);
		assert_int_equal(r->ninsns, rules[i].ninsns);
		if (r->ninsns)
			assert_memory_equal(r->insns, rules[i].insns,
					    r->ninsns * sizeof(*r->insns));
	}
}

static void
test_filters_arrive_as_they_were_and_so_does_the_answer(void **state)
{
	static struct vnet_bpf_insn insns[15000];
	const struct vnet_rule rules[] = {
		{sizeof(rules[0]), "first", 10, VNET_DROP, insns, 3},
		{sizeof(rules[0]), "a name of thirty-one characters", 0,
		 VNET_PASS, insns + 3, COUNT(insns) - 3},
		{sizeof(rules[0]), "none", UINT32_MAX, VNET_PASS, NULL, 0},
	};
	const struct vnet_why why = {
		.text = "unknown instruction",
		.index = 2,
		.found = 77,
	};
	struct asking q = {.rules = rules, .nrules = COUNT(rules)};
	struct net *net = *state;
	struct vnet_request request;

	for (size_t i = 0; i < COUNT(insns); i++)
		insns[i] = (struct vnet_bpf_insn){
			.code = (uint16_t)i,
			.jf = 3,
			.k = (uint32_t)(i * 77777),
		};
	open_vif(net);
	q.a = net->a;
	for (int i = 0; i < 3; i++) {
		begin_asking(&q);
		assert_int_equal(sessions_next(net->session, &request), 1);
		assert_same_rules(&request, rules, COUNT(rules));
		assert_int_equal(vnet_session_answer(net->session,
						     i % 2 ? -EINVAL : 0, &why),
				 0);
		assert_int_equal(pthread_join(q.thread, NULL), 0);
		assert_int_equal(q.r, i % 2 ? -EINVAL : 0);
	}
	assert_string_equal(q.why.text, "unknown instruction");
	assert_int_equal(q.why.index, 2);
	assert_int_equal(q.why.found, 77);
	q.nrules = 0;
	begin_asking(&q);
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_same_rules(&request, NULL, 0);
	vnet_session_close(net->session);
	net->session = NULL;
	assert_int_equal(pthread_join(q.thread, NULL), 0);
	assert_int_equal(q.r, -EPIPE);
}

static void
test_filters_that_are_none_are_not_asked_for(void **state)
{
	static const struct vnet_bpf_insn insn;
	struct vnet_rule rules[] = {
		{sizeof(rules[0]), "good", 0, VNET_PASS, &insn, 1},
		{sizeof(rules[0]), "bad", 0, VNET_PASS, &insn, 1},
	};
	struct vnet_why why = {0};
	struct net *net = *state;
	struct vnet_request request = {.size = sizeof(request)};

	open_vif(net);
	rules[1].name = "a name of thirty-two characters!";
	assert_int_equal(vnet_attach_set_filters(net->a, VNET_RECEIVE_IN, rules,
						 2, VNET_PASS, &why),
			 -EINVAL);
	assert_int_equal(why.index, 1);
	rules[1].name = "bad";
	for (int i = 0; i < 2; i++) {
		rules[1].ninsns = i ? SIZE_MAX : 20000;
		assert_int_equal(vnet_attach_set_filters(net->a,
							 VNET_RECEIVE_IN, rules,
							 2, VNET_PASS, &why),
				 -ENOSPC);
	}
	assert_int_equal(vnet_attach_set_filters(net->a, VNET_EGRESS, rules, 1,
						 VNET_PASS, &why),
			 -EINVAL);
	assert_int_equal(vnet_session_next(net->session, &request), 0);
}

static void
test_answer_that_comes_too_late_is_not_that_of_the_next(void **state)
{
	struct net *net = *state;
	struct call c = call_for(&net->sessions, "vif");
	struct vnet_attach_info info = {.size = sizeof(info)};
	struct vnet_request request;
	struct asking q = {0};

	c.config.timeout_ms = 300;
	call_begin(&c);
	net->session = sessions_accept(&net->sessions);
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(vnet_session_open(net->session, &net->m, net->media, 0,
					   NULL),
			 0);
	assert_int_equal(vnet_session_welcome(net->session, &info), 0);
	assert_int_equal(call_end(&c), 0);
	net->a = q.a = c.a;
	ask(&q);
	assert_int_equal(q.r, -ETIMEDOUT);
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(vnet_session_answer(net->session, -ENOSPC, NULL), 0);
	begin_asking(&q);
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(vnet_session_answer(net->session, -EINVAL, NULL), 0);
	assert_int_equal(pthread_join(q.thread, NULL), 0);
	assert_int_equal(q.r, -EINVAL);
}

static void
test_client_that_does_not_read_its_answers_is_ended(void **state)
{
	struct net *net = *state;
	const struct attach_open open = good_open();
	struct vnet_attach_info info = {.size = sizeof(info)};
	struct one_rule filters = good_filters();
	struct vnet_request request;
	int fd = connect_raw(net), r = 0, n;

	filters.m.head.type = ATTACH_FILTERS;
	assert_int_equal(send(fd, &open, sizeof(open), 0), sizeof(open));
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(vnet_session_open(net->session, &net->m, net->media, 0,
					   NULL),
			 0);
	assert_int_equal(vnet_session_welcome(net->session, &info), 0);
	for (n = 0; n < 1000 && !r; n++) {
		assert_int_equal(send(fd, &filters, sizeof(filters), 0),
				 sizeof(filters));
		assert_int_equal(sessions_next(net->session, &request), 1);
		r = vnet_session_answer(net->session, 0, NULL);
	}
	assert_int_equal(r, -EPIPE);
	assert_true(n > 2 && n < 100);
	assert_int_equal(vnet_session_next(net->session, &request), -EPROTO);
	close(fd);
}

static void
test_client_that_leaves_while_it_is_answered_is_gone(void **state)
{
	struct net *net = *state;
	const struct attach_open open = good_open();
	struct vnet_attach_info info = {.size = sizeof(info)};
	struct vnet_request request;
	int fd = connect_raw(net);

	assert_int_equal(send(fd, &open, sizeof(open), 0), sizeof(open));
	close(fd);
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(vnet_session_open(net->session, &net->m, net->media, 0,
					   NULL),
			 0);
	assert_int_equal(vnet_session_welcome(net->session, &info), -EPIPE);
	assert_int_equal(vnet_medium_attach(net->m, net->sw,
					    test_port(net->sw, "vif"), 0, 0,
					    NULL),
			 0);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), -EPIPE);

	vnet_session_close(net->session);
	close(connect_raw(net));
	assert_int_equal(sessions_next(net->session, &request), -EPIPE);
}

/* Frames */

static void
test_frames_go_both_ways_with_their_offload_fields(void **state)
{
	static uint8_t octets[PACKET_MAX];
	struct packet p = {
		.dst = PEER,
		.src = CLIENT,
		.payload = 30001,
		.gso_size = 1000,
	};
	struct net *net = *state;

	open_vif(net);
	for (unsigned int kind = 0; kind < PACKET_KINDS; kind++) {
		struct packet_reader r = {
			.kind = (enum packet_kind)kind,
			.carries = CARRIES,
		};
		struct vnet_frame f, got[VNET_ATTACH_BATCH];

		p.kind = r.kind;
		f = packet_make(octets, &p);
		assert_int_equal(vnet_attach_send(net->a, &f, 1), 1);
		assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 1);
		assert_int_equal(stats(net).in_dropped.frames, 0);

		vnet_switch_input(net->sw, net->peer.id, &f, 1, 0);
		assert_int_equal(vnet_attach_receive(net->a, got, 64), 1);
		assert_int_equal(got[0].len, f.len);
		assert_int_equal(got[0].gso_size, 1000);
		got[0].nsegs = 31;
		packet_read(&r, &got[0]);
		assert_int_equal(r.next, 30001);
	}
	/* Resolved for who carries nothing. */
	assert_true(net->peer.nsent >= 4 * 31);
}

static void
test_tags_out_of_band_are_put_in(void **state)
{
	static uint8_t octets[PACKET_MAX];
	struct net *net = *state;

	open_vif(net);
	for (unsigned int i = 0; i < 2 * PACKET_KINDS; i++) {
		struct packet p = {
			.kind = (enum packet_kind)(i / 2),
			.dst = PEER,
			.src = CLIENT,
			.payload = 700,
			.ntags = (uint8_t)(1 + i % 2),
		};
		struct vnet_frame f = packet_make(octets, &p);
		unsigned long before = net->peer.nsent;

		p.gso_size = 300;
		assert_int_equal(vnet_attach_send(net->a, &f, 1), 1);
		f = packet_make(octets, &p);
		assert_int_equal(vnet_attach_send(net->a, &f, 1), 1);
		while (vnet_medium_ready(net->m, true, false, 0) > 0)
			;
		assert_int_equal(stats(net).in_dropped.frames, 0);
		assert_int_equal(net->peer.nsent - before, 4);
		assert_int_equal(net->peer.last.data[12], f.tag[0].tpid >> 8);
		assert_int_equal(net->peer.last.data[15], f.tag[0].tci & 0xff);
	}
}

static void
test_what_is_no_frame_is_not_sent(void **state)
{
	struct net *net = *state;
	static uint8_t octets[65600];
	struct vnet_frame f[3] = {
		test_frame(PEER, CLIENT, 60),
		{.data = octets, .len = sizeof(octets)},
		test_frame(PEER, CLIENT, 60),
	};

	open_vif(net);
	assert_int_equal(vnet_attach_send(net->a, f, 3), 1);
	assert_int_equal(vnet_attach_send(net->a, f + 1, 2), -EMSGSIZE);
	f[1] = f[0];
	f[1].ntags = 3;
	assert_int_equal(vnet_attach_send(net->a, f + 1, 2), -EINVAL);
	f[1].ntags = 1;
	assert_int_equal(vnet_attach_send(net->a, f + 1, 2), -EINVAL);
	f[1].tag[0].tpid = 0x8100;
	f[1].len = 11;
	assert_int_equal(vnet_attach_send(net->a, f + 1, 2), -EINVAL);
	f[1] = f[0];
	f[1].gso_type = 4;
	assert_int_equal(vnet_attach_send(net->a, f + 1, 2), -EINVAL);
	f[1] = f[0];
	f[1].flags = 8;
	assert_int_equal(vnet_attach_send(net->a, f + 1, 2), -EINVAL);
	assert_int_equal(vnet_attach_send(net->a, f + 2, 1), 1);
	assert_int_equal(vnet_attach_send(net->a, f, 0), 0);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 2);
	assert_int_equal(in_errors(net), 0);
}

/* What stands before each frame of a message: attach_frames.h. */
struct wire_header {
	uint32_t len;
	struct virtio_net_hdr virtio;
	uint16_t zero;
};

/* A message of @n frames of 60 octets, and @more octets behind them that are
 * @fill. */
static void
send_packed(const struct net *net, size_t n, size_t more, int fill)
{
	static uint8_t message[100 * 76 + 256];
	const struct vnet_frame f = test_frame(PEER, CLIENT, 60);
	const struct wire_header h = {.len = 60};
	uint8_t *at = message;

	for (size_t i = 0; i < n; i++) {
		memcpy(at, &h, sizeof(h));
		memcpy(at + sizeof(h), f.data, f.len);
		at += sizeof(h) + f.len;
	}
	memset(at, fill, more);
	at += more;
	assert_int_equal(send(vnet_attach_fd(net->a), message,
			      (size_t)(at - message), 0),
			 at - message);
}

static void
test_frames_of_a_message_are_taken_up_to_what_is_none(void **state)
{
	struct net *net = *state;

	open_vif(net);
	send_packed(net, 32, 0, 0);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 32);
	assert_int_equal(in_errors(net), 0);
	/* Less than a header, one that promises more than there is, one with
	 * what must be zero, and more frames than there may be. */
	send_packed(net, 3, 15, 0);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 3);
	assert_int_equal(in_errors(net), 1);
	send_packed(net, 3, 200, 0xff);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 3);
	assert_int_equal(in_errors(net), 2);
	send_packed(net, 33, 0, 0);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 32);
	assert_int_equal(in_errors(net), 3);
	/* No more a turn than a turn may have. */
	for (int i = 0; i < 4; i++)
		send_packed(net, 32, 0, 0);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 64);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 64);
	for (int i = 0; i < 3; i++)
		send_packed(net, 31, 0, 0);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 62);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 31);
	assert_int_equal(stats(net).in.frames, 32 + 3 + 3 + 32 + 128 + 93);
}

static void
test_client_may_ask_for_fewer_frames_than_a_message_has(void **state)
{
	struct vnet_frame batch[30], got[64];
	struct net *net = *state;

	open_vif(net);
	for (size_t i = 0; i < 30; i++)
		batch[i] = test_frame(CLIENT, PEER, 60 + i);
	vnet_switch_input(net->sw, net->peer.id, batch, 30, 0);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(vnet_attach_receive(net->a, got, 1), 1);
		assert_int_equal(got[0].len, 60 + i);
	}
	assert_int_equal(vnet_attach_receive(net->a, got, 64), 20);
	assert_int_equal(got[19].len, 89);
	assert_memory_equal(got[19].data, batch[29].data, 89);
	assert_int_equal(vnet_attach_receive(net->a, got, 64), 0);
}

static void
test_rubbish_among_frames_is_counted_and_goes_by(void **state)
{
	struct net *net = *state;
	static uint8_t large[66000];
	const struct wire_header none = {0};
	const struct wire_header unknown = {.virtio.gso_type = 99};
	const struct vnet_frame f = test_frame(PEER, CLIENT, 60);
	unsigned int nerrors = 4;
	size_t nfds;
	int fd;

	open_vif(net);
	fd = vnet_attach_fd(net->a);
	nfds = count_descriptors();
	assert_int_equal(vnet_attach_send(net->a, &f, 1), 1);
	assert_int_equal(send(fd, "", 0, 0), 0);
	assert_int_equal(send(fd, large, 9, 0), 9);
	assert_int_equal(send(fd, large, sizeof(large), 0), sizeof(large));
	assert_int_equal(send(fd, &unknown, sizeof(unknown), 0),
			 sizeof(unknown));
	/* What has descriptors with it, where the kernel lets that pass. */
	nerrors += passes_descriptor(fd, large, 70, fd);
	assert_int_equal(vnet_attach_send(net->a, &f, 1), 1);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 2);
	assert_int_equal(in_errors(net), nerrors);
	/* A header alone is a frame, and one that the switch has no use for. */
	assert_int_equal(send(fd, &none, sizeof(none), 0), sizeof(none));
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 1);
	assert_int_equal(stats(net).in_dropped.frames, 1);
	assert_int_equal(in_errors(net), nerrors);
	assert_int_equal(net->peer.nsent, 2);
	assert_int_equal(count_descriptors(), nfds);
}

static void
test_descriptors_among_frames_are_gone_at_once(void **state)
{
	struct net *net = *state;
	struct virtio_net_hdr header = {0};
	unsigned int npassed = 0;
	int fds[2];
	char c;

	open_vif(net);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(pipe(fds), 0);
		npassed += passes_descriptor(vnet_attach_fd(net->a), &header,
					     sizeof(header), fds[1]);
		close(fds[1]);
		assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 0);
		assert_int_equal(read(fds[0], &c, 1), 0);
		close(fds[0]);
	}
	assert_true(npassed == 0 || npassed == 300);
	assert_int_equal(in_errors(net), npassed);
}

static void
test_long_frames_pass_several_at_a_time(void **state)
{
	static uint8_t octets[65535];
	struct vnet_frame f = {.data = octets, .len = sizeof(octets)};
	struct vnet_frame batch[8], got[64];
	struct net *net = *state;
	int n;

	memcpy(octets, test_frame(CLIENT, PEER, 60).data, 60);
	open_vif(net);
	assert_int_equal(vnet_port_set_mtu(net->sw, net->port, VNET_MTU_MAX),
			 0);
	for (int i = 0; i < 8; i++)
		batch[i] = f;
	n = vnet_attach_send(net->a, batch, 8);
	assert_true(n >= 4);
	for (int i = 0; i < n;) {
		int r = vnet_medium_ready(net->m, true, false, 0);

		assert_true(r > 0);
		i += r;
	}
	for (int i = 0; i < 100; i++) {
		vnet_switch_input(net->sw, net->peer.id, &f, 1, 0);
		assert_int_equal(vnet_attach_receive(net->a, got, 64), 1);
		assert_int_equal(got[0].len, f.len);
	}
	assert_int_equal(stats(net).out_dropped.frames, 0);
}

/* However little a switch lets it hold. */
static void
test_socket_that_holds_little_holds_every_frame(void **state)
{
	static uint8_t octets[65535];
	struct vnet_frame f[VNET_ATTACH_BATCH] = {
		{.data = octets, .len = sizeof(octets)},
	};
	struct net *net = *state;
	struct call c = call_for(&net->sessions, "vif");
	struct vnet_attach_info info = {.size = sizeof(info)};
	struct vnet_request request;
	int n, r;

	call_begin(&c);
	net->session = sessions_accept(&net->sessions);
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(vnet_session_open(net->session, &net->m, net->media, 1,
					   NULL),
			 0);
	assert_int_equal(vnet_session_welcome(net->session, &info), 0);
	assert_int_equal(call_end(&c), 0);
	net->a = c.a;
	net->port = test_port(net->sw, "vif");
	assert_int_equal(
		vnet_medium_attach(net->m, net->sw, net->port, 0, 0, NULL), 0);

	memcpy(octets, test_frame(PEER, CLIENT, 60).data, 60);
	assert_int_equal(vnet_attach_send(net->a, f, 1), 1);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 1);
	for (size_t i = 0; i < COUNT(f); i++)
		f[i] = test_frame(PEER, CLIENT, 1514);
	n = vnet_attach_send(net->a, f, COUNT(f));
	assert_true(n > 1);
	while ((r = vnet_medium_ready(net->m, true, false, 0)) > 0)
		n -= r;
	assert_int_equal(n, 0);
}

/* Those who leave */

static void
assert_last_frames_come_in(struct net *net, bool send_to_it)
{
	const struct vnet_frame f = test_frame(PEER, CLIENT, 60);
	const struct vnet_frame to = test_frame(CLIENT, PEER, 60);
	unsigned long before = net->peer.nsent;
	struct vnet_count refused;
	int n = 0, r;

	open_vif(net);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(vnet_attach_send(net->a, &f, 1), 1);
		vnet_switch_input(net->sw, net->peer.id, &to, 1, 0);
	}
	vnet_attach_close(net->a);
	net->a = NULL;
	/* Nobody is there to take it: that alone is not the end. */
	if (send_to_it) {
		vnet_switch_input(net->sw, net->peer.id, &to, 1, 0);
		assert_int_equal(stats(net).out_dropped.frames, 1);
	}
	assert_true(test_has_link(net->sw, net->port));
	while ((r = vnet_medium_ready(net->m, true, true, 0)) > 0)
		n += r;
	assert_int_equal(n, 100);
	assert_int_equal(r, -EPIPE);
	assert_int_equal(net->peer.nsent - before, 100);
	assert_int_equal(vnet_medium_error(net->m), -EPIPE);
	assert_int_equal(vnet_medium_wants(net->m), 0);
	/* Others may attach, whatever is sent to it until it is removed. */
	test_send(&net->peer, TEST_BROADCAST, PEER, 0);
	assert_true(test_has_link(net->sw, net->port));
	assert_int_equal(vnet_client_drops(net->sw, vnet_medium_client(net->m),
					   VNET_DROP_REFUSED, NULL, &refused),
			 0);
	assert_true(refused.frames > 0);
	close_vif(net);
	assert_int_equal(vnet_port_remove(net->sw, net->port), 0);
}

static void
test_frames_of_a_client_that_has_left_come_in_before_it_is_gone(void **state)
{
	assert_last_frames_come_in(*state, true);
	assert_last_frames_come_in(*state, false);
}

static void
test_frames_of_a_switch_that_has_gone_are_read_before_it_is(void **state)
{
	struct net *net = *state;
	const struct vnet_frame to = test_frame(CLIENT, PEER, 60);
	struct vnet_frame got[VNET_ATTACH_BATCH];
	int n = 0, r;

	open_vif(net);
	assert_int_equal(vnet_attach_send(net->a, &to, 1), 1);
	for (int i = 0; i < 100; i++)
		vnet_switch_input(net->sw, net->peer.id, &to, 1, 0);
	vnet_medium_close(net->m);
	vnet_session_close(net->session);
	net->m = NULL;
	net->session = NULL;
	assert_int_equal(vnet_attach_send(net->a, &to, 1), -EPIPE);
	while ((r = vnet_attach_receive(net->a, got, COUNT(got))) > 0)
		n += r;
	assert_int_equal(n, 100);
	assert_int_equal(r, -EPIPE);
	assert_int_equal(vnet_attach_receive(net->a, got, COUNT(got)), -EPIPE);
}

static void
test_client_that_stops_reading_or_writing_hurts_nobody(void **state)
{
	struct net *net = *state;
	const struct vnet_frame to = test_frame(CLIENT, PEER, 60);
	const struct vnet_frame f = test_frame(PEER, CLIENT, 60);

	open_vif(net);
	assert_int_equal(shutdown(vnet_attach_fd(net->a), SHUT_RD), 0);
	for (int i = 0; i < 100; i++)
		vnet_switch_input(net->sw, net->peer.id, &to, 1, 0);
	assert_int_equal(stats(net).out_dropped.frames, 100);
	assert_int_equal(stats(net).queued.frames, 0);
	assert_int_equal(vnet_attach_send(net->a, &f, 1), 1);
	assert_int_equal(vnet_medium_ready(net->m, true, true, 0), 1);
	assert_int_equal(shutdown(vnet_attach_fd(net->a), SHUT_WR), 0);
	assert_int_equal(vnet_medium_ready(net->m, true, true, 0), -EPIPE);
}

static void
test_client_that_never_reads_costs_what_its_socket_and_queue_hold(void **state)
{
	struct net *net = *state;
	struct vnet_frame to = test_frame(TEST_BROADCAST, PEER, 1514);
	struct vnet_attach *reader;
	struct vnet_session *session;
	struct vnet_medium *m;
	unsigned long n = 0;

	open_vif(net);
	session = sessions_make(&net->sessions, "reader", 0, net->media,
				&reader, &m);
	assert_int_equal(vnet_medium_attach(m, net->sw,
					    test_port(net->sw, "reader"), 0, 0,
					    NULL),
			 0);
	for (int i = 0; i < 5000; i++) {
		struct vnet_frame got[VNET_ATTACH_BATCH];
		int r;

		vnet_switch_input(net->sw, net->peer.id, &to, 1, 0);
		r = vnet_attach_receive(reader, got, COUNT(got));
		assert_true(r >= 0);
		n += (unsigned long)r;
	}
	assert_int_equal(n, 5000);
	assert_true(stats(net).queued.octets <= 256 << 10);
	/* Of 2304 octets each. */
	assert_true(stats(net).delivered.frames <= 425984 / 2304 + 1);
	assert_true(vnet_medium_wants(net->m) & VNET_MEDIUM_WRITE);
	vnet_medium_close(m);
	vnet_session_close(session);
	vnet_attach_close(reader);
}

static void
test_session_lasts_until_all_that_forked_have_left(void **state)
{
	struct net *net = *state;
	const struct vnet_frame f = test_frame(PEER, CLIENT, 60);
	int fds[2], status;
	pid_t child;
	char c;

	open_vif(net);
	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		/* Of a switch, it has nothing. */
		close(vnet_medium_fd(net->m));
		close(vnet_session_fd(net->session));
		close(fds[1]);
		status = read(fds[0], &c, 1) != 1;
		status |= vnet_attach_send(net->a, &f, 1) != 1;
		vnet_attach_close(net->a);
		_exit(status);
	}
	close(fds[0]);
	assert_int_equal(vnet_attach_send(net->a, &f, 1), 1);
	vnet_attach_close(net->a);
	net->a = NULL;
	assert_int_equal(vnet_medium_ready(net->m, true, true, 0), 1);
	assert_int_equal(vnet_medium_ready(net->m, true, true, 0), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(vnet_medium_ready(net->m, true, true, 0), 1);
	assert_int_equal(vnet_medium_ready(net->m, true, true, 0), -EPIPE);
	close(fds[1]);
}

static void
test_medium_outlives_its_session(void **state)
{
	struct net *net = *state;
	const struct vnet_frame f = test_frame(PEER, CLIENT, 60);

	open_vif(net);
	vnet_session_close(net->session);
	net->session = NULL;
	assert_int_equal(vnet_attach_send(net->a, &f, 1), 1);
	assert_int_equal(vnet_medium_ready(net->m, true, true, 0), 1);
	vnet_attach_close(net->a);
	net->a = NULL;
	assert_int_equal(vnet_medium_ready(net->m, true, true, 0), -EPIPE);
}

static void
test_thousand_sessions_leave_nothing_behind(void **state)
{
	struct net *net = *state;
	size_t nfds = count_descriptors();
	struct test_random random = {.state = 4};

	for (int i = 0; i < 1000; i++) {
		const struct vnet_frame f = test_frame(PEER, CLIENT, 60);

		open_vif(net);
		vnet_attach_send(net->a, &f, 1);
		if (test_random_below(&random, 2))
			vnet_medium_ready(net->m, true, true, 0);
		switch (test_random_below(&random, 3)) {
		case 0:
			vnet_attach_close(net->a);
			net->a = NULL;
			break;
		case 1:
			vnet_medium_close(net->m);
			net->m = NULL;
			break;
		default:
			vnet_session_close(net->session);
			net->session = NULL;
		}
		close_vif(net);
		assert_int_equal(vnet_port_remove(net->sw, net->port), 0);
		while (vnet_switch_deadline(net->sw) == 0)
			vnet_switch_tick(net->sw, 0);
	}
	assert_int_equal(count_descriptors(), nfds);
}

static void
test_three_hundred_sessions_at_once_are_told_apart(void **state)
{
	enum { N = 300 };
	static struct {
		struct vnet_session *session;
		struct vnet_attach *a;
		struct vnet_medium *m;
	} all[N];
	struct net *net = *state;

	for (size_t i = 0; i < N; i++)
		all[i].session =
			sessions_make(&net->sessions, "vif", 0, net->media,
				      &all[i].a, &all[i].m);
	for (size_t i = 0; i < N; i++) {
		struct vnet_frame f = test_frame(PEER, CLIENT, 60 + i);

		assert_int_equal(vnet_attach_send(all[i].a, &f, 1), 1);
	}
	net->port = test_port(net->sw, "vif");
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(vnet_medium_attach(all[i].m, net->sw,
						    net->port, 0, 0, NULL),
				 0);
		assert_int_equal(vnet_medium_ready(all[i].m, true, false, 0),
				 1);
		assert_int_equal(net->peer.last.len, 60 + i);
		vnet_medium_detach(all[i].m);
		while (vnet_switch_deadline(net->sw) == 0)
			vnet_switch_tick(net->sw, 0);
	}
	for (size_t i = 0; i < N; i++) {
		vnet_attach_close(all[i].a);
		vnet_medium_close(all[i].m);
		vnet_session_close(all[i].session);
	}
}

/* A client that is a switch */

static void
test_client_is_a_medium_of_a_switch_of_its_own(void **state)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	struct vnet_attach_info at = {.size = sizeof(at)};
	const struct vnet_frame f = test_frame(TEST_BROADCAST, PEER, 60);
	const struct vnet_frame back = test_frame(PEER, CLIENT, 99);
	struct net *net = *state;
	struct vnet_medium *m, *again;
	struct test_alloc alloc;
	struct vnet_switch *sw = test_switch(&alloc, 2);
	struct fake host;

	open_vif(net);
	assert_int_equal(vnet_attach_medium(&m, net->media, net->a, NULL), 0);
	assert_int_equal(vnet_attach_medium(&again, net->media, net->a, NULL),
			 -EALREADY);
	assert_int_equal(vnet_attach_fd(net->a), -1);
	assert_int_equal(vnet_attach_get(net->a, &at), 0);
	assert_int_equal(vnet_medium_get(m, &info), 0);
	assert_string_equal(info.kind, "attach");
	assert_int_equal(info.mtu, 1500);
	assert_int_equal(info.carries, CARRIES);
	assert_int_equal(fake_open(&host, sw, "host", VNET_ROLE_VIF, 0), 0);
	assert_int_equal(
		vnet_medium_attach(m, sw, test_port(sw, "up"), 0, 0, NULL), 0);

	vnet_switch_input(net->sw, net->peer.id, &f, 1, 0);
	assert_int_equal(vnet_medium_ready(m, true, false, 0), 1);
	assert_int_equal(host.nsent, 1);
	assert_memory_equal(host.last.data, f.data, f.len);
	vnet_switch_input(sw, host.id, &back, 1, 0);
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), 1);
	assert_int_equal(net->peer.last.len, 99);

	/* The client is closed with it. */
	vnet_medium_close(m);
	net->a = NULL;
	assert_int_equal(vnet_medium_ready(net->m, true, false, 0), -EPIPE);
	test_switch_end(sw, &alloc);
}

/* Listening */

static void
test_listening_takes_the_place_of_nobody(void **state)
{
	struct net *net = *state;
	const char *path = net->sessions.path;
	struct vnet_why why = {0};
	struct stat st;
	mode_t mask;
	int fd = -1;

	assert_int_equal(vnet_attach_listen(path, 0600, &fd, &why),
			 -EADDRINUSE);
	assert_non_null(why.text);
	close(net->sessions.fd);
	assert_int_equal(vnet_attach_listen(path, 01600, &fd, &why), -EINVAL);
	mask = umask(077);
	assert_int_equal(
		vnet_attach_listen(path, 0666, &net->sessions.fd, &why), 0);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_int_equal(vnet_attach_accept(&net->session, net->sessions.fd,
					    &why),
			 -EAGAIN);
	assert_int_equal(unlink(path), 0);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(vnet_attach_listen(path, 0600, &fd, &why), -EEXIST);
	assert_int_equal(fd, -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_client_learns_what_it_has_opened),
		TEST(test_switch_knows_who_has_connected),
		TEST(test_switch_knows_all_groups),
		TEST(test_refused_client_is_told_why),
		TEST(test_client_says_what_is_wrong_before_it_is_a_session),
		TEST(test_client_tells_a_switch_from_something_else),
		TEST(test_client_takes_one_descriptor_at_the_most),
		TEST(test_rubbish_in_place_of_a_request_ends_the_session),
		TEST(test_client_of_another_version_is_told_which_there_is),
		TEST(test_descriptors_with_a_request_are_closed_and_refused),
		TEST(test_requests_come_in_order_and_one_at_a_time),
		TEST(test_filters_whose_numbers_belie_each_other_end_the_session),
		TEST(test_filters_arrive_as_they_were_and_so_does_the_answer),
		TEST(test_filters_that_are_none_are_not_asked_for),
		TEST(test_answer_that_comes_too_late_is_not_that_of_the_next),
		TEST(test_client_that_does_not_read_its_answers_is_ended),
		TEST(test_client_that_leaves_while_it_is_answered_is_gone),
		TEST(test_frames_go_both_ways_with_their_offload_fields),
		TEST(test_tags_out_of_band_are_put_in),
		TEST(test_what_is_no_frame_is_not_sent),
		TEST(test_frames_of_a_message_are_taken_up_to_what_is_none),
		TEST(test_client_may_ask_for_fewer_frames_than_a_message_has),
		TEST(test_rubbish_among_frames_is_counted_and_goes_by),
		TEST(test_descriptors_among_frames_are_gone_at_once),
		TEST(test_long_frames_pass_several_at_a_time),
		TEST(test_socket_that_holds_little_holds_every_frame),
		TEST(test_frames_of_a_client_that_has_left_come_in_before_it_is_gone),
		TEST(test_frames_of_a_switch_that_has_gone_are_read_before_it_is),
		TEST(test_client_that_stops_reading_or_writing_hurts_nobody),
		TEST(test_client_that_never_reads_costs_what_its_socket_and_queue_hold),
		TEST(test_session_lasts_until_all_that_forked_have_left),
		TEST(test_medium_outlives_its_session),
		TEST(test_thousand_sessions_leave_nothing_behind),
		TEST(test_three_hundred_sessions_at_once_are_told_apart),
		TEST(test_client_is_a_medium_of_a_switch_of_its_own),
		TEST(test_listening_takes_the_place_of_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
