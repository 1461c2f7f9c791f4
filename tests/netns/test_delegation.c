/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sessions say of grants: a client learns its own, and has parts of it
 * given to others. The switch, which is the test, says what it likes of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach_wire.h"
#include "sessions.h"

struct net {
	struct sessions sessions;
	struct vnet_media *media;
	struct vnet_session *session;
	struct vnet_medium *m;
	struct vnet_attach *a;
};

static int
set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	assert_int_equal(vnet_media_create(&net->media), 0);
	sessions_open(&net->sessions);
	net->session = sessions_make(&net->sessions, "vif", 0, net->media,
				     &net->a, &net->m);
	*state = net;
	return 0;
}

static int
tear_down(void **state)
{
	struct net *net = *state;

	vnet_medium_close(net->m);
	vnet_session_close(net->session);
	vnet_attach_close(net->a);
	sessions_close(&net->sessions);
	vnet_media_destroy(net->media);
	free(net);
	return 0;
}

/* A call that waits for the switch, in a thread. */
struct asking {
	struct vnet_attach *a;
	const struct vnet_grant *part_of; /* NULL to ask for the grant */
	struct vnet_grant grant;
	enum vnet_grant_part part;
	struct vnet_why why;
	int fd;
	int r;
	pthread_t thread;
};

static void *
ask(void *ctx)
{
	struct asking *q = ctx;

	q->grant.size = sizeof(q->grant);
	q->fd = -1;
	q->part = VNET_GRANT_PASS;
	if (q->part_of)
		q->r = vnet_attach_delegate(q->a, q->part_of, &q->fd, &q->part,
					    &q->why);
	else
		q->r = vnet_attach_grant(q->a, &q->grant, &q->why);
	return NULL;
}

/* What the switch is then asked. */
static struct vnet_request
begin(struct net *net, struct asking *q)
{
	struct vnet_request request;

	q->a = net->a;
	assert_int_equal(pthread_create(&q->thread, NULL, ask, q), 0);
	assert_int_equal(sessions_next(net->session, &request), 1);
	assert_int_equal(request.type, q->part_of ? VNET_REQUEST_DELEGATE
						  : VNET_REQUEST_GRANT);
	return request;
}

static int
end(struct asking *q)
{
	assert_int_equal(pthread_join(q->thread, NULL), 0);
	return q->r;
}

/* With all lists as long as they can be. */
static struct vnet_grant
full_grant(void)
{
	static struct vnet_grant_lists lists;
	struct vnet_grant grant;

	for (uint8_t i = 0; i < VNET_GRANT_MAX_LIST; i++) {
		lists.macs[i] = (struct vnet_mac_prefix){{{2, i}}, 16 + i / 2};
		lists.groups[i] =
			(struct vnet_mac_prefix){{{1, i}}, 16 + i / 2};
		lists.ipv4[i] = (struct vnet_ipv4_prefix){{10, i}, 16 + i / 4};
		lists.ipv6[i] = (struct vnet_ipv6_prefix){{0x20, i}, 16 + i};
		lists.vlans[i] = (struct vnet_vlan_range){i, (uint16_t)(i + 1)};
		lists.ethertypes[i] = (uint16_t)(0x8900 + i);
	}
	grant = (struct vnet_grant){
		.size = sizeof(grant),
		.name = "a name of thirty-one characters",
		.nmacs = VNET_GRANT_MAX_LIST,
		.ngroups = VNET_GRANT_MAX_LIST,
		.nipv4 = VNET_GRANT_MAX_LIST,
		.nipv6 = VNET_GRANT_MAX_LIST,
		.nvlans = VNET_GRANT_MAX_LIST,
		.nethertypes = VNET_GRANT_MAX_LIST,
		.may = VNET_MAY_DHCP,
		.max_addresses = 1,
		.max_clients = 2,
		.queue_octets = 1 << 16,
		.depth = 4,
		.until = UINT64_C(5) << 32,
		.rate =
			{
				.size = sizeof(struct vnet_limit),
				.frames_per_s = UINT64_C(6) << 32,
				.octets_per_s = 7,
				.burst_frames = 8,
				.burst_octets = 9,
			},
	};
	vnet_grant_use_lists(&grant, &lists);
	return grant;
}

#define ASSERT_SAME(a, b, list)                                         \
	do {                                                            \
		assert_int_equal((a)->n##list, (b)->n##list);           \
		assert_memory_equal((a)->list, (b)->list,               \
				    (a)->n##list * sizeof(*(a)->list)); \
	} while (0)

static void
assert_same(const struct vnet_grant *a, const struct vnet_grant *b)
{
	assert_int_equal(a->size, b->size);
	assert_string_equal(a->name, b->name);
	ASSERT_SAME(a, b, macs);
	ASSERT_SAME(a, b, groups);
	ASSERT_SAME(a, b, ipv4);
	ASSERT_SAME(a, b, ipv6);
	ASSERT_SAME(a, b, vlans);
	ASSERT_SAME(a, b, ethertypes);
	assert_int_equal(a->may, b->may);
	assert_int_equal(a->max_addresses, b->max_addresses);
	assert_int_equal(a->max_clients, b->max_clients);
	assert_int_equal(a->queue_octets, b->queue_octets);
	assert_int_equal(a->depth, b->depth);
	assert_int_equal(a->until, b->until);
	assert_memory_equal(&a->rate, &b->rate, sizeof(a->rate));
}

static void
test_grant_arrives_as_it_is(void **state)
{
	static const struct vnet_mac_prefix mac = {{{2}}, 48};
	const struct vnet_grant full = full_grant();
	const struct vnet_grant least = {
		.size = sizeof(least),
		.name = "least",
		.macs = &mac,
		.nmacs = 1,
	};
	struct net *net = *state;
	struct asking q = {0};

	begin(net, &q);
	assert_int_equal(vnet_session_grant(net->session, &full), 0);
	assert_int_equal(end(&q), 0);
	assert_same(&q.grant, &full);
	begin(net, &q);
	assert_int_equal(vnet_session_grant(net->session, &least), 0);
	assert_int_equal(end(&q), 0);
	assert_int_equal(q.grant.nmacs, 1);
	assert_int_equal(q.grant.nipv6, 0);
	assert_int_equal(q.grant.rate.size, 0);
}

static void
test_client_without_a_grant_is_told_so(void **state)
{
	const struct vnet_why why = {.text = "none"};
	struct net *net = *state;
	struct asking q = {0};

	begin(net, &q);
	/* It is no filter, and not done by saying so. */
	assert_int_equal(vnet_session_answer(net->session, 0, NULL), -EINVAL);
	assert_int_equal(vnet_session_refuse(net->session, -EPERM,
					     VNET_GRANT_MACS, NULL),
			 -EINVAL);
	assert_int_equal(vnet_session_answer(net->session, -ENOENT, &why), 0);
	assert_int_equal(end(&q), -ENOENT);
	assert_string_equal(q.why.text, "none");
	q.grant.size = 0;
	assert_int_equal(vnet_attach_grant(net->a, &q.grant, NULL), -EINVAL);
}

static void
test_part_that_does_not_fit_is_named(void **state)
{
	const struct vnet_why why = {.text = "not yours", .index = 3};
	const struct vnet_grant full = full_grant();
	struct net *net = *state;
	struct asking q = {.part_of = &full};
	struct vnet_request request = begin(net, &q);

	assert_same(&request.grant, &full);
	assert_int_equal(vnet_session_grant(net->session, &full), -EINVAL);
	assert_int_equal(vnet_session_refuse(net->session, -EPERM,
					     VNET_GRANT_IPV6, &why),
			 0);
	assert_int_equal(end(&q), -EPERM);
	assert_int_equal(q.part, VNET_GRANT_IPV6);
	assert_string_equal(q.why.text, "not yours");
	assert_int_equal(q.why.index, 3);
	assert_int_equal(q.fd, -1);
	/* The session goes on. */
	begin(net, &q);
	assert_int_equal(vnet_session_answer(net->session, -EOPNOTSUPP, NULL),
			 0);
	assert_int_equal(end(&q), -EOPNOTSUPP);
}

static void
test_grant_that_is_too_long_is_not_asked_for(void **state)
{
	struct vnet_grant g = full_grant();
	enum vnet_grant_part part;
	struct net *net = *state;
	int fd;

	g.nvlans++;
	assert_int_equal(vnet_attach_delegate(net->a, &g, &fd, &part, NULL),
			 -EINVAL);
	g = full_grant();
	g.rate.size--;
	assert_int_equal(vnet_attach_delegate(net->a, &g, &fd, NULL, NULL),
			 -EINVAL);
}

/* vnet_attach_adopt(), in a thread. */
struct adopting {
	int fd;
	struct vnet_attach *a;
	int r;
	pthread_t thread;
};

static void *
adopt(void *ctx)
{
	struct adopting *q = ctx;
	const struct vnet_attach_config config = {
		.size = sizeof(config),
		.timeout_ms = 5000,
	};

	q->r = vnet_attach_adopt(&q->a, q->fd, &config, NULL);
	return NULL;
}

static void
test_session_for_somebody_else_is_one_of_the_same_peer(void **state)
{
	const struct vnet_grant full = full_grant();
	struct vnet_attach_info info = {.size = sizeof(info), .vif = "vif"};
	struct vnet_session_peer peer = {.size = sizeof(peer)};
	struct vnet_session_peer whose = {.size = sizeof(whose)};
	struct net *net = *state;
	struct asking q = {.part_of = &full};
	struct adopting other = {0};
	struct vnet_session *made;
	struct vnet_request request;
	struct vnet_medium *m;
	gid_t groups[64];
	int n = getgroups(64, groups);

	begin(net, &q);
	assert_int_equal(vnet_session_delegate(net->session, &made, NULL), 0);
	assert_int_equal(end(&q), 0);
	assert_int_equal(vnet_session_peer(net->session, &peer), 0);
	assert_int_equal(vnet_session_peer(made, &whose), 0);
	assert_memory_equal(&peer, &whose, sizeof(peer));
	assert_true(vnet_session_has_group(made, getegid()));
	for (int i = 0; i < n; i++)
		assert_true(vnet_session_has_group(made, groups[i]));
	/* Whoever had it in hand may have set this. */
	assert_int_equal(fcntl(q.fd, F_SETFL, O_NONBLOCK), 0);
	other.fd = q.fd;
	assert_int_equal(pthread_create(&other.thread, NULL, adopt, &other), 0);
	assert_int_equal(sessions_next(made, &request), 1);
	assert_int_equal(request.type, VNET_REQUEST_OPEN);
	assert_int_equal(vnet_session_open(made, &m, net->media, 0, NULL), 0);
	assert_int_equal(vnet_session_welcome(made, &info), 0);
	assert_int_equal(pthread_join(other.thread, NULL), 0);
	assert_int_equal(other.r, 0);
	vnet_attach_close(other.a);
	assert_int_equal(sessions_next(made, &request), -EPIPE);
	vnet_session_close(made);
	vnet_medium_close(m);
}

static void
test_descriptor_that_is_of_no_session_is_not_taken(void **state)
{
	struct vnet_attach_config config = {.size = sizeof(config)};
	struct net *net = *state;
	struct vnet_attach *a;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(vnet_attach_adopt(&a, fds[0], &config, NULL), -EINVAL);
	assert_int_equal(vnet_attach_adopt(&a, -1, &config, NULL), -EINVAL);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	close(fds[1]);
	assert_int_equal(vnet_attach_adopt(&a, fds[0], &config, NULL), -EPROTO);
	config.path = net->sessions.path;
	assert_int_equal(vnet_attach_adopt(&a, fds[0], &config, NULL), -EINVAL);
	close(fds[0]);
	config.path = NULL;
	assert_int_equal(vnet_attach_open(&a, &config, NULL), -EINVAL);
}

/* Before there is a vif, what can be no grant, and what is too long. */
static void
test_what_is_no_request_ends_the_session(void **state)
{
	const struct vnet_grant full = full_grant();
	struct vnet_session *made = NULL;
	struct net *net = *state;
	struct attach_grant m = {
		.head = {.magic = ATTACH_MAGIC,
			 .version = ATTACH_VERSION,
			 .type = ATTACH_DELEGATE},
	};
	struct vnet_request request;
	int fds[2];

	assert_int_equal(vnet_attach_grant_to_wire(&m, &full), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	vnet_session_close(net->session);
	assert_int_equal(vnet_session_adopt(&net->session, fds[0], NULL), 0);
	assert_int_equal(send(fds[1], &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(sessions_next(net->session, &request), -EPROTO);
	assert_int_equal(vnet_session_delegate(net->session, &made, NULL),
			 -EINVAL);
	assert_null(made);
	close(fds[1]);
	for (uint32_t *field = &m.nmacs; field <= &m.nethertypes; field++) {
		const uint32_t before = *field;
		struct vnet_grant g;

		assert_int_equal(vnet_attach_grant_from_wire(&m, &g), 0);
		*field = VNET_GRANT_MAX_LIST + 1;
		assert_int_equal(vnet_attach_grant_from_wire(&m, &g), -EINVAL);
		*field = before;
	}
	m.has_rate = 2;
	assert_int_equal(vnet_attach_grant_from_wire(&m,
						     &(struct vnet_grant){0}),
			 -EINVAL);
	m.has_rate = 1;
	memset(m.name, 'x', sizeof(m.name));
	assert_int_equal(vnet_attach_grant_from_wire(&m,
						     &(struct vnet_grant){0}),
			 -EINVAL);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_grant_arrives_as_it_is),
		TEST(test_client_without_a_grant_is_told_so),
		TEST(test_part_that_does_not_fit_is_named),
		TEST(test_grant_that_is_too_long_is_not_asked_for),
		TEST(test_session_for_somebody_else_is_one_of_the_same_peer),
		TEST(test_descriptor_that_is_of_no_session_is_not_taken),
		TEST(test_what_is_no_request_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
