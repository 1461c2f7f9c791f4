/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports, clients, rules and limits of both, flags, links and static addresses
 * come and go at random under traffic, and loop probes come back. After each
 * step the sums agree, what is there is what the test thinks is there, and no id
 * that has gone is found, whatever it is asked for.
 */
#include <errno.h>

#include "packet.h"

#define NPLACES 12 /* of ports; the switch has a few less */
#define NSEATS  36 /* of clients, three at a port; likewise */
#define NSTALE  64
#define NSEEDS  8
#define NSTEPS  2500

/* A place for a port. */
struct place {
	vnet_port_id port; /* VNET_NO_ID where there is none */
	uint32_t nclients;
};

/* A seat of a client: that of seat i is at port i % NPLACES. */
struct seat {
	vnet_client_id client;
	bool is_fake;
	struct fake fake;
};

struct test {
	struct test_trial trial;
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct place place[NPLACES];
	struct seat seat[NSEATS];
	vnet_port_id stale_port[NSTALE];
	vnet_client_id stale_client[NSTALE];
	unsigned int nstale_ports;
	unsigned int nstale_clients;
	unsigned int nports;
	unsigned int nclients;
	vnet_nsec now;
	uint8_t probe[64]; /* the loop probe that was sent last */
	uint32_t probe_len;
	uint8_t octets[64][PACKET_MAX];
};

static uint32_t
below(struct test *t, uint32_t n)
{
	return test_random_below(&t->trial.random, n);
}

static void
open_switch(struct test *t)
{
	const struct vnet_switch_config config = {
		.seed = t->trial.seed,
		.max_ports = NPLACES - 2,
		.max_clients = NSEATS - 10,
		.fdb_entries = 100,
		.ageing_s = 5,
		.pool_octets = 80 * VNET_POOL_BLOCK,
		.queue_octets = 65536,
		.max_rules = 16,
		.max_insns = 60,
		.max_events = 32,
		.flap_moves = 3,
	};

	t->sw = test_switch_of(&t->alloc, &config);
	memset(t->place, 0, sizeof(t->place));
	memset(t->seat, 0, sizeof(t->seat));
	t->probe_len = 0;
	t->nports = 0;
	t->nclients = 0;
	t->nstale_ports = 0;
	t->nstale_clients = 0;
	t->now = 0;
}

static struct place *
place_of(struct test *t, uint32_t seat)
{
	return &t->place[seat % NPLACES];
}

static void
forget_client(struct test *t, uint32_t i)
{
	struct seat *s = &t->seat[i];

	if (s->client == VNET_NO_ID)
		return;
	t->stale_client[t->nstale_clients++ % NSTALE] = s->client;
	if (s->is_fake)
		assert_int_equal(s->fake.nclosed, 1);
	s->client = VNET_NO_ID;
	place_of(t, i)->nclients--;
	t->nclients--;
}

static uint32_t
some_flags(struct test *t)
{
	return below(t, 2) ? 0 : below(t, 8) << 1;
}

static bool
is_uplink(uint32_t place)
{
	return place % 4 == 0;
}

static void
add_or_remove_port(struct test *t, uint32_t i)
{
	const char name[] = {(char)('a' + i), '\0'};
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
		.role = is_uplink(i) ? VNET_ROLE_UPLINK : VNET_ROLE_VIF,
		.mac = test_mac(1 + i * 16),
		.mtu = i % 2 ? 1500 : 9000,
		.flags =
			some_flags(t) | (i % 4 == 1 ? VNET_PORT_PER_CLIENT : 0),
	};
	struct place *p = &t->place[i];
	int r;

	if (p->port == VNET_NO_ID) {
		r = vnet_port_add(t->sw, &config, &p->port, NULL);
		assert_true(r == 0 || r == -ENOSPC);
		t->nports += r == 0;
		return;
	}
	/* Most are there most of the time. */
	if (below(t, 3))
		return;
	assert_int_equal(vnet_port_remove(t->sw, p->port), 0);
	t->stale_port[t->nstale_ports++ % NSTALE] = p->port;
	t->nports--;
	p->port = VNET_NO_ID;
	for (uint32_t k = i; k < NSEATS; k += NPLACES)
		forget_client(t, k);
	assert_int_equal(p->nclients, 0);
}

static void
keep_probe(struct fake *fake, const struct vnet_frame *f)
{
	struct test *t = fake->ctx;

	if (f->len > sizeof(t->probe) || memcmp(f->data, "\3vnet\1", 6) != 0)
		return;
	memcpy(t->probe, f->data, f->len);
	t->probe_len = f->len;
}

static int
open_fake(struct test *t, struct seat *s, vnet_port_id port)
{
	int r = fake_attach(&s->fake, t->sw, port, below(t, 32),
			    below(t, 2) ? 4096 : 0);

	s->fake.room = below(t, 3) ? FAKE_ENDLESS : 20;
	s->fake.on_take = keep_probe;
	s->fake.ctx = t;
	s->client = r ? VNET_NO_ID : s->fake.id;
	return r;
}

static void
add_or_remove_client(struct test *t, uint32_t i)
{
	struct place *p = place_of(t, i);
	struct seat *s = &t->seat[i];
	int r;

	if (s->client != VNET_NO_ID) {
		if (below(t, 3))
			return;
		assert_int_equal(vnet_client_remove(t->sw, s->client), 0);
		forget_client(t, i);
		return;
	}
	if (p->port == VNET_NO_ID)
		return;
	s->is_fake = below(t, 4) != 0;
	if (s->is_fake) {
		r = open_fake(t, s, p->port);
	} else {
		r = vnet_null_open(t->sw, p->port, &s->client);
		if (r)
			s->client = VNET_NO_ID;
	}
	if (is_uplink(i % NPLACES) && p->nclients) {
		assert_int_equal(r, -EEXIST);
		return;
	}
	/* Slots that are not swept yet are not free. */
	assert_true(r == 0 || r == -ENOSPC);
	p->nclients += r == 0;
	t->nclients += r == 0;
}

static void
add_or_remove_rule(struct test *t, uint32_t i)
{
	static const struct vnet_bpf_insn insns[] = {
		{0x80, 0, 0, 0}, /* by length */
		{0x54, 0, 0, 7}, {0x15, 0, 1, 3},
		{0x06, 0, 0, 1}, {0x06, 0, 0, 0},
	};
	const char name[] = {(char)('p' + below(t, 4)), '\0'};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = name,
		.priority = below(t, 4),
		.verdict = below(t, 2) ? VNET_DROP : VNET_PASS,
		.insns = insns,
		.ninsns = 5,
	};
	const enum vnet_side side = (enum vnet_side)below(t, VNET_NSIDES);
	const uint64_t owner = side < VNET_RECEIVE_IN ? place_of(t, i)->port
						      : t->seat[i].client;
	int r;

	if (below(t, 2))
		r = vnet_filter_add(t->sw, owner, side, &rule, NULL);
	else
		r = vnet_filter_remove(t->sw, owner, side, name);
	if (side == VNET_RECEIVE_OUT && is_uplink(i % NPLACES) &&
	    owner != VNET_NO_ID)
		assert_int_equal(r, -EINVAL);
	else
		assert_true(r == 0 || r == -ENOENT || r == -EEXIST ||
			    r == -ENOSPC);
}

static void
set_or_end_limit(struct test *t, uint32_t i)
{
	const struct vnet_limit limit = {
		.size = sizeof(limit),
		.frames_per_s = 1 + below(t, 1000),
		.octets_per_s = below(t, 2) ? 0 : 1 + below(t, 100000),
	};
	const uint64_t owner =
		below(t, 2) ? place_of(t, i)->port : t->seat[i].client;
	int r = vnet_limit_set(t->sw, owner,
			       below(t, 2) ? VNET_EGRESS : VNET_INGRESS,
			       (enum vnet_traffic)below(t, VNET_NTRAFFIC),
			       below(t, 2) ? &limit : NULL, NULL);

	assert_int_equal(r, owner == VNET_NO_ID ? -ENOENT : 0);
}

static void
send(struct test *t, uint32_t i)
{
	struct vnet_frame f[64];
	size_t n = 1 + below(t, 64);

	for (size_t k = 0; k < n; k++) {
		const struct packet packet = {
			.kind = (enum packet_kind)below(t, PACKET_KINDS),
			.dst = below(t, 4) ? 1 + below(t, 200) : TEST_BROADCAST,
			.src = 1 + i % NPLACES * 16 + below(t, 20),
			.payload = 1 + below(t, 6000),
			.gso_size = 1400,
		};

		f[k] = below(t, 10) ? test_frame(packet.dst, packet.src,
						 14 + below(t, 1501))
				    : packet_make(t->octets[k], &packet);
	}
	if (t->probe_len && !below(t, 8))
		f[below(t, (uint32_t)n)] = (struct vnet_frame){
			.data = t->probe, .len = t->probe_len};
	vnet_switch_input(t->sw, t->seat[i].client, f, n, t->now);
}

static void
take(struct test *t, uint32_t i)
{
	struct seat *s = &t->seat[i];
	int r;

	if (s->client == VNET_NO_ID || !s->is_fake)
		return;
	s->fake.room = below(t, 3) ? 30 : FAKE_ENDLESS;
	/* Now and then it breaks. */
	s->fake.error = below(t, 20) ? 0 : -EIO;
	r = vnet_client_output(t->sw, s->client, 1 + below(t, 100), t->now);
	assert_true(r >= 0);
}

/* Of a client, or its port: flags of a port that is there. */
static void
change_behaviour(struct test *t, uint32_t i)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	struct place *p = place_of(t, i);
	vnet_client_id client = t->seat[i].client;

	switch (below(t, 5)) {
	case 0:
		if (vnet_port_get(t->sw, p->port, &info))
			break;
		info.flags &= VNET_PORT_PER_CLIENT;
		assert_int_equal(vnet_port_set_flags(t->sw, p->port,
						     info.flags |
							     some_flags(t)),
				 0);
		break;
	case 1:
		vnet_client_set_accept(t->sw, client,
				       below(t, 2) ? VNET_ACCEPT_ALL
						   : VNET_ACCEPT_OWN);
		break;
	case 2:
		vnet_client_set_max_addresses(t->sw, client, below(t, 8));
		break;
	case 3:
		vnet_client_set_link(t->sw, client, below(t, 3) != 0);
		break;
	default:
		vnet_client_set_queue(t->sw, client,
				      VNET_POOL_BLOCK * (1 + below(t, 32)));
		break;
	}
}

static void
change_something_else(struct test *t, uint32_t i)
{
	const struct vnet_mac mac = test_mac(1 + below(t, 200));
	vnet_port_id port = place_of(t, i)->port;
	struct vnet_event e = {.size = sizeof(e)};

	switch (below(t, 7)) {
	case 0:
		vnet_port_set_link(t->sw, port, below(t, 3) != 0);
		break;
	case 1:
		vnet_fdb_add(t->sw, mac, t->seat[i].client);
		break;
	case 2:
		vnet_fdb_remove(t->sw, mac);
		break;
	case 3:
		vnet_fdb_flush(t->sw, port);
		break;
	case 4:
		while (vnet_switch_event(t->sw, &e) == 1)
			;
		break;
	case 5:
		change_behaviour(t, i);
		break;
	default:
		t->now += below(t, 4) * SECONDS(1) / 2;
		vnet_switch_tick(t->sw, t->now);
		break;
	}
}

/* An id that has gone is nobody's, and owns nothing. */
static void
assert_gone(const struct vnet_switch *sw, uint64_t id)
{
	struct vnet_port_info port = {.size = sizeof(port)};
	struct vnet_client_info client = {.size = sizeof(client)};
	enum vnet_verdict verdict;

	assert_int_equal(vnet_port_get(sw, id, &port), -ENOENT);
	assert_int_equal(vnet_client_get(sw, id, &client), -ENOENT);
	assert_true(vnet_client_port(sw, id) == VNET_NO_ID);
	assert_true(vnet_client_next(sw, id, VNET_NO_ID) == VNET_NO_ID);
	for (int i = 0; i < VNET_NSIDES; i++)
		assert_int_equal(vnet_filter_get_default(sw, id,
							 (enum vnet_side)i,
							 &verdict, NULL),
				 -ENOENT);
	for (int i = 0; i < 2 * VNET_NTRAFFIC; i++)
		assert_int_equal(vnet_limit_get(sw, id, (enum vnet_side)(i % 2),
						(enum vnet_traffic)(i / 2),
						NULL, NULL),
				 -ENOENT);
}

static void
assert_port_as_expected(struct test *t, uint32_t i)
{
	const char name[] = {(char)('a' + i), '\0'};
	const struct place *p = &t->place[i];
	struct vnet_port_info info = {.size = sizeof(info)};
	vnet_client_id id = VNET_NO_ID;
	uint32_t n = 0;

	assert_true(vnet_port_find(t->sw, name) == p->port);
	if (p->port == VNET_NO_ID)
		return;
	while ((id = vnet_client_next(t->sw, p->port, id)) != VNET_NO_ID)
		n++;
	assert_int_equal(n, p->nclients);
	assert_int_equal(vnet_port_get(t->sw, p->port, &info), 0);
	assert_int_equal(info.clients, n);
}

static void
assert_all_as_expected(struct test *t)
{
	struct vnet_switch_stats s = {.size = sizeof(s)};
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	uint64_t at = 0;
	int r;

	assert_conserved(t->sw);
	assert_int_equal(vnet_switch_get_stats(t->sw, &s), 0);
	assert_int_equal(s.ports, t->nports);
	assert_int_equal(s.clients, t->nclients);
	for (uint32_t i = 0; i < NPLACES; i++)
		assert_port_as_expected(t, i);
	for (uint32_t i = 0; i < NSEATS; i++)
		if (t->seat[i].client != VNET_NO_ID)
			assert_true(
				vnet_client_port(t->sw, t->seat[i].client) ==
				place_of(t, i)->port);
	while ((r = vnet_fdb_next(t->sw, &at, &e)) != 0)
		if (r == 1)
			assert_true(vnet_client_port(t->sw, e.client) ==
				    e.port);
	for (unsigned int i = 0; i < NSTALE && i < t->nstale_clients; i++)
		assert_gone(t->sw, t->stale_client[i]);
	for (unsigned int i = 0; i < NSTALE && i < t->nstale_ports; i++)
		assert_gone(t->sw, t->stale_port[i]);
}

static void
take_step(struct test *t)
{
	const uint32_t what = below(t, 21), i = below(t, NSEATS);

	if (what < 1)
		add_or_remove_port(t, i % NPLACES);
	else if (what < 3)
		add_or_remove_client(t, i);
	else if (what < 5)
		add_or_remove_rule(t, i);
	else if (what < 12)
		send(t, i);
	else if (what < 15)
		take(t, i);
	else if (what < 16)
		set_or_end_limit(t, i);
	else
		change_something_else(t, i);
	assert_all_as_expected(t);
}

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct test));
	return *state ? 0 : -1;
}

static void
test_sums_agree_whatever_comes_and_goes(void **state)
{
	struct test *t = *state;
	uint64_t frames = 0, drops[VNET_NDROPS] = {0};

	for (t->trial.seed = 1; t->trial.seed <= NSEEDS; t->trial.seed++) {
		struct vnet_switch_stats s = {.size = sizeof(s)};
		struct vnet_count in, out;

		t->trial.random.state = t->trial.seed;
		open_switch(t);
		for (uint32_t i = 0; i < NPLACES; i++)
			add_or_remove_port(t, i);
		for (uint32_t i = 0; i < NSEATS; i++)
			add_or_remove_client(t, i);
		for (t->trial.step = 0; t->trial.step < NSTEPS; t->trial.step++)
			take_step(t);
		assert_int_equal(vnet_switch_get_stats(t->sw, &s), 0);
		frames += s.total.delivered.frames;
		for (int i = 0; i < VNET_NDROPS; i++) {
			vnet_switch_drops(t->sw, (enum vnet_drop)i, &in, &out);
			drops[i] += in.frames + out.frames;
		}
		test_switch_end(t->sw, &t->alloc);
	}
	assert_true(frames > 100000);
	assert_true(drops[VNET_DROP_REMOVED] > 0);
	assert_true(drops[VNET_DROP_POLICED] > 0);
	assert_true(drops[VNET_DROP_STORM] > 0);
	assert_true(drops[VNET_DROP_LOOP_PROBE] > 0);
	assert_true(drops[VNET_DROP_RECEIVE_FILTER] > 0);
	assert_true(drops[VNET_DROP_NOT_ADDRESSED] > 0);
	t->trial.is_done = true;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_sums_agree_whatever_comes_and_goes, set_up,
			test_trial_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
