/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small host of the guest tests, on Linux: hosts on a wire that loses,
 * holds back, repeats and damages frames, the same way every time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "host_packet.h"
#include "tcp.h"

#define HOSTS      3
#define IN_TRANSIT 64
#define MEBI       (1u << 20)

/**
 * struct flaws - what the wire does wrong, in percent of the frames
 * @slots:	frames that wait for one host, at most; 0 for any number. What
 *		comes later is lost, as from the queue of a Mach port.
 * @late_ms:	how long those are held back that are
 */
struct flaws {
	unsigned int lost;
	unsigned int repeated;
	unsigned int late;
	unsigned int late_ms;
	unsigned int damaged;
	unsigned int slots;
};

struct transit {
	host_msec due;
	unsigned int to;
	unsigned long order;
	size_t len;
	uint8_t frame[HOST_FRAME_MAX];
};

struct net {
	struct host hosts[HOSTS];
	struct tcp tcps[HOSTS];
	struct end {
		struct net *net;
		unsigned int number;
	} ends[HOSTS];
	unsigned int nhosts;
	struct flaws flaws;
	bool is_hub;      /* all hear all */
	bool is_mirrored; /* even what they say themselves */
	struct transit transits[IN_TRANSIT];
	unsigned int waiting;
	unsigned long order;
	unsigned long lost;
	unsigned long damaged;
	uint32_t random;
	host_msec now;
	uint8_t last[HOST_FRAME_MAX];
	size_t last_len;
};

static const uint8_t macs[HOSTS][6] = {
	{0x52, 0x54, 0, 0, 0, 1},
	{0x52, 0x54, 0, 0, 0, 2},
	{0x52, 0x54, 0, 0, 0, 3},
};

static unsigned int
below(struct net *net, unsigned int n)
{
	net->random = host_mix(net->random + 0x9e3779b9);
	return net->random % n;
}

static void
put(struct net *net, unsigned int to, const uint8_t *frame, size_t len)
{
	unsigned int for_it = 0;
	struct transit *t;

	for (unsigned int i = 0; i < net->waiting; i++)
		for_it += net->transits[i].to == to;
	if (net->waiting == IN_TRANSIT ||
	    (net->flaws.slots && for_it >= net->flaws.slots) ||
	    below(net, 100) < net->flaws.lost) {
		net->lost++;
		return;
	}
	t = &net->transits[net->waiting++];
	t->to = to;
	t->order = net->order++;
	t->due = net->now;
	if (below(net, 100) < net->flaws.late)
		t->due += net->flaws.late_ms;
	t->len = len;
	memcpy(t->frame, frame, len);
	/* Not in the Ethernet header: nothing protects that here. */
	if (below(net, 100) < net->flaws.damaged) {
		t->frame[14 + below(net, (unsigned int)len - 14)] ^=
			(uint8_t)(1 << below(net, 8));
		net->damaged++;
	}
}

static void
send_frame(void *ctx, const uint8_t *frame, size_t len)
{
	const struct end *end = ctx;
	struct net *net = end->net;

	assert_true(len >= 14 && len <= HOST_FRAME_MAX);
	memcpy(net->last, frame, len);
	net->last_len = len;
	for (unsigned int i = 0; i < net->nhosts; i++) {
		if (i == end->number && !net->is_mirrored)
			continue;
		if (!net->is_hub && !(frame[0] & 1) &&
		    memcmp(frame, net->hosts[i].mac, 6) != 0)
			continue;
		put(net, i, frame, len);
		if (below(net, 100) < net->flaws.repeated)
			put(net, i, frame, len);
	}
}

/* The oldest of those that are due. */
static struct transit *
due(struct net *net)
{
	struct transit *oldest = NULL;

	for (unsigned int i = 0; i < net->waiting; i++) {
		struct transit *t = &net->transits[i];

		if (t->due <= net->now && (!oldest || t->order < oldest->order))
			oldest = t;
	}
	return oldest;
}

/* In memory of exactly their size, so that no octet behind them is read. */
static void
input_exact(struct net *net, unsigned int to, const uint8_t *frame, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	assert_non_null(p);
	memcpy(p, frame, len);
	host_input(&net->hosts[to], p, len, net->now);
	free(p);
}

/* One step of the clock; what they say in it is heard in it, up to a number
 * that no good conversation comes to. */
static void
step(struct net *net)
{
	struct transit *t, taken;

	for (int i = 0; i < 1000 && (t = due(net)); i++) {
		taken = *t;
		*t = net->transits[--net->waiting];
		input_exact(net, taken.to, taken.frame, taken.len);
	}
	net->now += 10;
	for (unsigned int i = 0; i < net->nhosts; i++) {
		host_tick(&net->hosts[i], net->now);
		tcp_tick(&net->tcps[i], net->now);
	}
}

static void
run(struct net *net, host_msec ms)
{
	for (host_msec end = net->now + ms; net->now < end;)
		step(net);
}

static struct host_addr
ip4_of(unsigned int i)
{
	return host_addr4(10, 0, 2, (uint8_t)(100 + i));
}

static struct host_addr
ip6_of(unsigned int i)
{
	return host_addr6(
		(uint16_t[]){0xfec0, 0, 0, 0, 0, 0, 0, (uint16_t)(0x100 + i)});
}

/* Number @i comes to the wire with the MAC address of number @like. */
static void
join(struct net *net, unsigned int i, unsigned int like)
{
	struct host_config config = {
		.ip4 = ip4_of(i),
		.ip6 = ip6_of(i),
		.send = send_frame,
		.ctx = &net->ends[i],
		.seed = i,
	};

	memcpy(config.mac, macs[like], 6);
	net->ends[i] = (struct end){.net = net, .number = i};
	host_init(&net->hosts[i], &config, net->now);
}

static void
tear_up(struct net *net, unsigned int nhosts)
{
	memset(net, 0, sizeof(*net));
	net->nhosts = nhosts;
	net->random = 1;
	for (unsigned int i = 0; i < nhosts; i++)
		join(net, i, i);
}

static int
set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	if (!net)
		return -1;
	tear_up(net, 2);
	run(net, 1100);
	*state = net;
	return 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static void
assert_no_complaint(const struct host *h)
{
	assert_int_equal(h->counts.malformed, 0);
	assert_int_equal(h->counts.checksums, 0);
	assert_int_equal(h->counts.conflicts, 0);
	assert_int_equal(h->counts.unknown, 0);
	assert_int_equal(h->counts.foreign, 0);
}

static void
test_host_tells_its_address_when_it_comes(void **state)
{
	struct net *net = *state;
	static const uint8_t expected[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0,   0,   0,
		1,    0x08, 0x06, 0,    1,    0x08, 0,    6,    4,   0,   1,
		0x52, 0x54, 0,    0,    0,    1,    10,   0,    2,   100, 0,
		0,    0,    0,    0,    0,    10,   0,    2,    100,
	};

	host_announce(&net->hosts[0]);
	assert_int_equal(net->last_len, sizeof(expected));
	assert_memory_equal(net->last, expected, sizeof(expected));
}

static void
test_probe_is_that_of_the_rfc(void **state)
{
	struct net *net = *state;
	/* Made by another's hand: from :: to ff02::1:ff00:1. */
	static const uint8_t expected[] = {
		0x33, 0x33, 0xff, 0, 0, 1, 0x52, 0x54, 0,  0,   0, 1,
		0x86, 0xdd, 0x60, 0, 0, 0, 0,    32,   58, 255, 0, 0,
		0,    0,    0,    0, 0, 0, 0,    0,    0,  0,   0, 0,
		0,    0,    0xff, 2, 0, 0, 0,    0,    0,  0,   0, 0,
		0,    1,    0xff, 0, 0, 1, 135,  0,
	};

	tear_up(net, 0);
	net->nhosts = 1;
	net->ends[0] = (struct end){.net = net};
	host_init(&net->hosts[0],
		  &(struct host_config){
			  .mac = {0x52, 0x54, 0, 0, 0, 1},
			  .send = send_frame,
			  .ctx = &net->ends[0],
		  },
		  0);
	assert_int_equal(net->last_len, 86);
	assert_memory_equal(net->last, expected, sizeof(expected));
	/* fe80::5054:ff:fe00:1, and the nonce behind it */
	assert_memory_equal(net->last + 62,
			    "\xfe\x80\0\0\0\0\0\0\x50\x54\0\xff\xfe\0\0\1"
			    "\x0e\1",
			    18);
	assert_int_equal(net->hosts[0].own[HOST_IP4].state, HOST_NONE);
}

static void
test_neighbours_are_resolved_over_both_protocols(void **state)
{
	struct net *net = *state;
	struct host *a = &net->hosts[0];
	const struct host_addr others[] = {ip4_of(1), ip6_of(1),
					   host_link_local(macs[1])};

	for (size_t i = 0; i < 3; i++) {
		assert_null(host_resolve(a, &others[i], net->now));
		run(net, 10);
		assert_non_null(host_resolve(a, &others[i], net->now));
		assert_memory_equal(host_resolve(a, &others[i], net->now),
				    macs[1], 6);
	}
	assert_no_complaint(a);
	assert_no_complaint(&net->hosts[1]);
}

static void
test_asking_is_not_done_too_often(void **state)
{
	struct net *net = *state;
	struct host *a = &net->hosts[0];
	const struct host_addr nobody = ip4_of(99);
	const unsigned long out = a->counts.out;

	for (int i = 0; i < 100; i++, net->now += 10)
		assert_null(host_resolve(a, &nobody, net->now));
	assert_int_equal(a->counts.out - out, 5);
}

static void
test_echo_comes_back_over_all_protocols(void **state)
{
	struct net *net = *state;
	struct host *a = &net->hosts[0];
	const struct host_addr others[] = {ip4_of(1), ip6_of(1),
					   host_link_local(macs[1])};
	static const size_t lens[] = {0, 1, 56, 1399, 1400, 5000};

	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < sizeof(lens) / sizeof(lens[0]); j++) {
			host_ping(a, &others[i], lens[j], net->now);
			run(net, 300);
			assert_false(a->ping.is_waiting);
		}
	assert_int_equal(a->ping.replies, 18);
	assert_int_equal(net->hosts[1].counts.echoes, 18);
	assert_no_complaint(a);
	assert_no_complaint(&net->hosts[1]);
}

static void
test_echo_is_asked_for_until_it_comes(void **state)
{
	struct net *net = *state;
	struct host *a = &net->hosts[0];
	const struct host_addr other = ip4_of(1);

	net->flaws.lost = 100;
	host_ping(a, &other, 56, net->now);
	run(net, 1000);
	assert_true(a->ping.is_waiting);
	net->flaws.lost = 0;
	run(net, 500);
	assert_int_equal(a->ping.replies, 1);
	assert_true(a->ping.requests > 5);
}

static void
test_wrong_answer_is_no_answer(void **state)
{
	struct net *net = *state;
	struct host *a = &net->hosts[0];
	const struct host_addr other = ip4_of(1);

	host_ping(a, &other, 56, net->now);
	run(net, 300);
	host_ping(a, &other, 57, net->now);
	run(net, 300);
	assert_int_equal(a->ping.replies, 2);
	/* The last answer again, when it has come, and for another number. */
	input_exact(net, 0, net->last, net->last_len);
	assert_int_equal(a->ping.replies, 2);
	a->ping.is_waiting = true;
	a->ping.sequence++;
	input_exact(net, 0, net->last, net->last_len);
	assert_true(a->ping.is_waiting);
	a->ping.sequence--;
	input_exact(net, 0, net->last, net->last_len);
	assert_false(a->ping.is_waiting);
}

static void
test_frames_of_others_are_counted_and_ignored(void **state)
{
	struct net *net = *state;
	const struct host_addr b = ip4_of(1);

	tear_up(net, 3);
	run(net, 1100);
	host_ping(&net->hosts[0], &b, 10, net->now);
	run(net, 300);
	assert_int_equal(net->hosts[2].counts.strangers, 0);
	net->is_hub = true;
	host_ping(&net->hosts[0], &b, 10, net->now);
	run(net, 300);
	assert_int_equal(net->hosts[0].ping.replies, 2);
	/* The question and the answer. */
	assert_int_equal(net->hosts[2].counts.strangers, 2);
	assert_int_equal(net->hosts[2].counts.from_us, 0);
	assert_no_complaint(&net->hosts[2]);
}

static void
test_duplicate_address_is_found_by_the_one_that_comes_later(void **state)
{
	struct net *net = *state;

	tear_up(net, 2);
	run(net, 1100);
	assert_true(host_is_ready(&net->hosts[0]));
	net->nhosts = 3;
	net->is_hub = true;
	join(net, 2, 0);
	run(net, 1100);
	assert_false(host_is_ready(&net->hosts[2]));
	assert_int_equal(net->hosts[2].own[HOST_IP6_LINK].state,
			 HOST_DUPLICATE);
	/* Its other addresses are its own. */
	assert_int_equal(net->hosts[2].own[HOST_IP6].state, HOST_USABLE);
	assert_int_equal(net->hosts[2].own[HOST_IP4].state, HOST_USABLE);
	assert_int_equal(net->hosts[0].own[HOST_IP6_LINK].state, HOST_USABLE);
	assert_int_equal(net->hosts[2].counts.conflicts, 1);
}

static void
test_duplicate_address_is_found_by_both_that_come_at_once(void **state)
{
	struct net *net = *state;

	tear_up(net, 1);
	net->nhosts = 2;
	join(net, 1, 0);
	run(net, 1100);
	/* The first was not there to hear, or was: one of them at least. */
	assert_int_equal(net->hosts[0].own[HOST_IP6_LINK].state,
			 HOST_DUPLICATE);
}

static void
test_own_probe_come_back_is_no_duplicate(void **state)
{
	struct net *net = *state;

	tear_up(net, 0);
	net->is_mirrored = true;
	net->nhosts = 1;
	join(net, 0, 0);
	run(net, 1100);
	assert_true(host_is_ready(&net->hosts[0]));
	assert_int_equal(net->hosts[0].counts.from_us, 3);
	assert_int_equal(net->hosts[0].counts.conflicts, 0);
}

static void
test_ip4_address_of_another_is_a_conflict(void **state)
{
	struct net *net = *state;

	net->nhosts = 3;
	join(net, 2, 2);
	net->hosts[2].own[HOST_IP4].addr = ip4_of(0);
	host_announce(&net->hosts[2]);
	run(net, 10);
	assert_int_equal(net->hosts[0].own[HOST_IP4].state, HOST_DUPLICATE);
	assert_int_equal(net->hosts[1].own[HOST_IP4].state, HOST_USABLE);
	assert_false(host_is_ready(&net->hosts[0]));
}

/* All octets of good frames, one after another, each bit: nothing that is
 * protected by a checksum gets through. */
static void
test_damaged_packets_are_dropped(void **state)
{
	struct net *net = *state;
	struct host *a = &net->hosts[0];
	struct host *b = &net->hosts[1];
	const struct host_addr others[] = {ip4_of(1), ip6_of(1)};
	uint8_t frame[HOST_FRAME_MAX];
	size_t len;

	for (size_t i = 0; i < 2; i++) {
		host_ping(a, &others[i], 33, net->now);
		run(net, 300);
		net->flaws.lost = 100;
		host_ping(a, &others[i], 33, net->now);
		net->flaws.lost = 0;
		len = net->last_len;
		memcpy(frame, net->last, len);
		b->counts.echoes = 0;
		/* The header of IPv6 has no checksum of its own: of it, only
		 * addresses, length and protocol are protected. */
		for (size_t at = i ? 22 : 14; at < len; at++)
			for (unsigned int bit = 0; bit < 8; bit++) {
				frame[at] ^= (uint8_t)(1u << bit);
				input_exact(net, 1, frame, len);
				frame[at] ^= (uint8_t)(1u << bit);
			}
		assert_int_equal(b->counts.echoes, 0);
		input_exact(net, 1, frame, len);
		assert_int_equal(b->counts.echoes, 1);
	}
	assert_true(b->counts.checksums > 500);
}

/* Also a look at all they say to each other, by the address sanitizer. */
static void
test_frames_cut_anywhere_are_dropped(void **state)
{
	struct net *net = *state;
	struct host *a = &net->hosts[0];
	struct host *b = &net->hosts[1];
	const struct host_addr others[] = {ip4_of(1), ip6_of(1)};
	uint8_t frame[HOST_FRAME_MAX];
	size_t len;

	for (size_t i = 0; i < 2; i++) {
		for (size_t content = 0; content < 40; content += 3) {
			/* Asks for the address at first, then for the echo. */
			host_ping(a, &others[i], content, net->now);
			len = net->last_len;
			memcpy(frame, net->last, len);
			b->counts.echoes = 0;
			for (size_t cut = 0; cut < len; cut++)
				input_exact(net, 1, frame, cut);
			assert_int_equal(b->counts.echoes, 0);
			run(net, 300);
		}
	}
}

static void
test_rubbish_does_no_harm(void **state)
{
	struct net *net = *state;
	struct host *a = &net->hosts[0];
	const struct host_addr others[] = {ip4_of(1), ip6_of(1)};
	uint8_t frame[HOST_FRAME_MAX];

	tcp_init(&net->tcps[1], &net->hosts[1], &(struct tcp_config){0});
	tcp_listen(&net->tcps[1], 80);
	for (unsigned int i = 0; i < 20000; i++) {
		size_t len;

		net->waiting = 0;
		net->now += 1000;
		if (below(net, 2)) {
			host_ping(a, &others[below(net, 2)], below(net, 200),
				  net->now);
		} else {
			tcp_init(&net->tcps[0], a, &(struct tcp_config){0});
			tcp_connect(&net->tcps[0], &others[below(net, 2)], 80,
				    1024, net->now);
		}
		len = net->last_len;
		memcpy(frame, net->last, len);
		for (unsigned int n = below(net, 6); n; n--)
			frame[12 + below(net, (unsigned int)len - 12)] =
				(uint8_t)below(net, 256);
		if (below(net, 4) == 0)
			len = below(net, (unsigned int)len);
		input_exact(net, 1, frame, len);
		step(net);
	}
	assert_true(net->hosts[1].counts.malformed > 100);
	assert_true(net->hosts[1].counts.checksums > 100);
}

struct transfer {
	struct host_addr to;
	struct tcp_config client;
	struct tcp_config server;
	struct flaws flaws;
	host_msec limit_ms;
};

static void
transfer(struct net *net, const struct transfer *x)
{
	struct tcp *client = &net->tcps[0];
	struct tcp *server = &net->tcps[1];
	const host_msec limit = net->now + (x->limit_ms ? x->limit_ms : 900000);

	net->flaws = x->flaws;
	tcp_init(client, &net->hosts[0], &x->client);
	tcp_init(server, &net->hosts[1], &x->server);
	tcp_listen(server, 7);
	tcp_connect(client, &x->to, 7, 1024, net->now);
	while (net->now < limit && !tcp_may_leave(client, net->now))
		step(net);
	while (net->now < limit && !tcp_may_leave(server, net->now))
		step(net);
}

static void
assert_came_through(const struct net *net, const struct transfer *x)
{
	const struct tcp *client = &net->tcps[0];
	const struct tcp *server = &net->tcps[1];

	assert_int_equal(client->state, TCP_DONE);
	assert_int_equal(server->state, TCP_DONE);
	assert_int_equal(client->received, x->server.send_octets);
	assert_int_equal(server->received, x->client.send_octets);
	assert_int_equal(client->wrong, 0);
	assert_int_equal(server->wrong, 0);
	assert_int_equal(client->counts.malformed, 0);
	assert_int_equal(server->counts.malformed, 0);
}

/* A MiB to the other host. */
static struct transfer
mebibyte(const struct host_addr *to)
{
	return (struct transfer){
		.to = *to,
		.client = {.send_seed = 5,
			   .send_octets = MEBI,
			   .receive_seed = 6,
			   .iss = 1000},
		.server = {.send_seed = 6, .receive_seed = 5, .iss = 77},
	};
}

static void
test_stream_comes_through(void **state)
{
	struct net *net = *state;
	const struct host_addr to[] = {ip4_of(1), ip6_of(1),
				       host_link_local(macs[1])};

	for (size_t i = 0; i < 3; i++) {
		struct transfer x = mebibyte(&to[i]);

		transfer(net, &x);
		assert_came_through(net, &x);
		assert_int_equal(net->tcps[0].mss, i ? 1440 : 1460);
		/* Nothing was lost but the first SYN of each, which there was
		 * no address for. */
		assert_true(net->tcps[0].counts.again == 0);
		assert_true(net->tcps[0].counts.timeouts <= 1);
		assert_int_equal(net->tcps[1].counts.disordered, 0);
		assert_int_equal(net->lost, 0);
		assert_no_complaint(&net->hosts[0]);
		assert_no_complaint(&net->hosts[1]);
	}
}

static void
test_streams_come_through_both_ways_over_any_wire(void **state)
{
	struct net *net = *state;
	static const struct flaws flaws[] = {
		{.slots = 5},
		{.slots = 2},
		{.lost = 5},
		{.lost = 30},
		{.repeated = 40},
		{.late = 20, .late_ms = 30},
		{.late = 50, .late_ms = 250},
		{.damaged = 10},
		{.lost = 5,
		 .repeated = 5,
		 .late = 5,
		 .late_ms = 50,
		 .damaged = 5,
		 .slots = 8},
	};

	for (size_t i = 0; i < 2 * sizeof(flaws) / sizeof(flaws[0]); i++) {
		const struct host_addr to = i & 1 ? ip6_of(1) : ip4_of(1);
		struct transfer x = mebibyte(&to);

		x.client.send_octets = 200000;
		x.server.send_octets = 150001;
		/* Sequence numbers that pass 2^32. */
		x.client.iss = 0xffff0000;
		x.server.iss = 0xfffffffe;
		x.flaws = flaws[i / 2];
		transfer(net, &x);
		assert_came_through(net, &x);
		net->flaws = (struct flaws){0};
		run(net, 1000);
	}
	assert_true(net->lost > 100);
	assert_true(net->damaged > 100);
}

/* As many as a Mach port holds by default. */
static void
test_mebibyte_comes_through_a_queue_of_five(void **state)
{
	struct net *net = *state;
	const struct host_addr to[] = {ip4_of(1), ip6_of(1)};

	for (size_t i = 0; i < 2; i++) {
		struct transfer x = mebibyte(&to[i]);

		x.flaws.slots = 5;
		x.client.flight = 64;
		x.server.window = 65535;
		transfer(net, &x);
		assert_came_through(net, &x);
		assert_true(net->lost > 10);
		assert_true(net->tcps[0].counts.again > 0);
	}
}

static void
test_empty_streams_are_opened_and_closed(void **state)
{
	struct net *net = *state;
	const struct host_addr to = ip6_of(1);
	struct transfer x = mebibyte(&to);

	x.client.send_octets = 0;
	transfer(net, &x);
	assert_came_through(net, &x);
}

static void
test_wrong_octet_is_found(void **state)
{
	struct net *net = *state;
	const struct host_addr to = ip4_of(1);
	struct transfer x = mebibyte(&to);

	x.client.send_octets = 100000;
	x.server.receive_seed++;
	transfer(net, &x);
	assert_int_equal(net->tcps[1].state, TCP_DONE);
	assert_int_equal(net->tcps[1].received, 100000);
	assert_true(net->tcps[1].wrong > 99000);
	/* The seed is added to the number of the word: of the other stream, it
	 * is the next word that comes. */
	assert_true(net->tcps[1].wrong_at < 4);
}

static void
test_nobody_listens(void **state)
{
	struct net *net = *state;
	const struct host_addr to = ip4_of(1);

	tcp_init(&net->tcps[0], &net->hosts[0], &(struct tcp_config){0});
	tcp_init(&net->tcps[1], &net->hosts[1], &(struct tcp_config){0});
	tcp_listen(&net->tcps[1], 8);
	tcp_connect(&net->tcps[0], &to, 7, 1024, net->now);
	run(net, 1000);
	assert_int_equal(net->tcps[0].state, TCP_FAILED);
	assert_int_equal(net->tcps[0].error, TCP_REFUSED);
	assert_int_equal(net->tcps[1].state, TCP_LISTEN);
	assert_int_equal(net->tcps[1].counts.strays, 1);
}

static void
test_silence_is_given_up_on(void **state)
{
	struct net *net = *state;
	const struct host_addr to = ip4_of(1);
	struct transfer x = mebibyte(&to);

	x.client.patience_ms = 5000;
	x.flaws = (struct flaws){.late = 100, .late_ms = 10};
	x.limit_ms = 400;
	transfer(net, &x);
	net->flaws.lost = 100;
	run(net, 4000);
	assert_int_equal(net->tcps[0].state, TCP_OPEN);
	run(net, 4000);
	assert_int_equal(net->tcps[0].state, TCP_FAILED);
	assert_int_equal(net->tcps[0].error, TCP_NO_ANSWER);
	assert_true(net->tcps[0].counts.timeouts > 4);
}

/* As when a driver dies, and comes back. */
static void
test_stream_outlives_a_gap(void **state)
{
	struct net *net = *state;
	const struct host_addr to = ip4_of(1);
	struct transfer x = mebibyte(&to);

	x.flaws = (struct flaws){.lost = 1, .late = 100, .late_ms = 10};
	x.limit_ms = 500;
	transfer(net, &x);
	assert_int_equal(net->tcps[0].state, TCP_OPEN);
	net->flaws.lost = 100;
	run(net, 10000);
	net->flaws.lost = 1;
	run(net, 60000);
	assert_came_through(net, &x);
}

static void
test_closed_window_is_respected_and_probed(void **state)
{
	struct net *net = *state;
	const struct host_addr to = ip4_of(1);
	struct transfer x = mebibyte(&to);
	uint32_t received;

	x.client.send_octets = 300000;
	x.flaws = (struct flaws){.late = 100, .late_ms = 10};
	x.limit_ms = 300;
	transfer(net, &x);
	assert_int_equal(net->tcps[1].state, TCP_OPEN);
	tcp_set_window(&net->tcps[1], 0, net->now);
	run(net, 100);
	received = net->tcps[1].received;
	run(net, 40000);
	assert_int_equal(net->tcps[1].received, received);
	assert_int_equal(net->tcps[0].state, TCP_OPEN);
	/* What says that it opens is lost. */
	net->flaws.lost = 100;
	tcp_set_window(&net->tcps[1], 8192, net->now);
	net->flaws.lost = 0;
	run(net, 60000);
	assert_came_through(net, &x);
}

static void
test_window_bounds_what_is_sent_ahead(void **state)
{
	struct net *net = *state;
	const struct host_addr to = ip4_of(1);
	struct transfer x = mebibyte(&to);

	x.client.flight = 40;
	x.server.window = 4096;
	x.limit_ms = 1000;
	tcp_init(&net->tcps[0], &net->hosts[0], &x.client);
	tcp_init(&net->tcps[1], &net->hosts[1], &x.server);
	tcp_listen(&net->tcps[1], 7);
	tcp_connect(&net->tcps[0], &to, 7, 1024, net->now);
	for (int i = 0; i < 1000; i++) {
		step(net);
		if (net->tcps[0].state == TCP_OPEN)
			assert_true(net->tcps[0].nxt - net->tcps[0].una <=
				    4096);
	}
}

/* The neighbours are bounded, and the ones that are used stay. */
static void
test_many_neighbours_do_not_drive_out_one_in_use(void **state)
{
	struct net *net = *state;
	struct host *a = &net->hosts[0];
	const struct host_addr b = ip4_of(1);

	host_ping(a, &b, 1, net->now);
	run(net, 300);
	for (unsigned int i = 0; i < 100; i++) {
		const struct host_addr other = ip4_of(3 + i);

		net->now += 10;
		host_resolve(a, &other, net->now);
		assert_non_null(host_resolve(a, &b, net->now));
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_host_tells_its_address_when_it_comes),
		TEST(test_probe_is_that_of_the_rfc),
		TEST(test_neighbours_are_resolved_over_both_protocols),
		TEST(test_asking_is_not_done_too_often),
		TEST(test_echo_comes_back_over_all_protocols),
		TEST(test_echo_is_asked_for_until_it_comes),
		TEST(test_wrong_answer_is_no_answer),
		TEST(test_frames_of_others_are_counted_and_ignored),
		TEST(test_duplicate_address_is_found_by_the_one_that_comes_later),
		TEST(test_duplicate_address_is_found_by_both_that_come_at_once),
		TEST(test_own_probe_come_back_is_no_duplicate),
		TEST(test_ip4_address_of_another_is_a_conflict),
		TEST(test_damaged_packets_are_dropped),
		TEST(test_frames_cut_anywhere_are_dropped),
		TEST(test_rubbish_does_no_harm),
		TEST(test_stream_comes_through),
		TEST(test_streams_come_through_both_ways_over_any_wire),
		TEST(test_mebibyte_comes_through_a_queue_of_five),
		TEST(test_empty_streams_are_opened_and_closed),
		TEST(test_wrong_octet_is_found),
		TEST(test_nobody_listens),
		TEST(test_silence_is_given_up_on),
		TEST(test_stream_outlives_a_gap),
		TEST(test_closed_window_is_respected_and_probed),
		TEST(test_window_bounds_what_is_sent_ahead),
		TEST(test_many_neighbours_do_not_drive_out_one_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
