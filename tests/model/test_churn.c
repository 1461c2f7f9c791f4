/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports, clients, rules, links and static addresses come and go at random under
 * traffic. After each step the sums agree, what is there is what the test
 * thinks is there, and no id that has gone is found.
 */
#include <errno.h>

#include "packet.h"

#define NPLACES 12 /* of ports; the switch has a few less */
#define NSTALE  64
#define NSEEDS  8
#define NSTEPS  2500

/* A place for a port, and for a client of it. */
struct place {
	vnet_port_id port; /* VNET_NO_ID where there is none */
	vnet_client_id client;
	bool is_fake;
	struct fake fake;
};

struct test {
	struct test_trial trial;
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct place place[NPLACES];
	vnet_port_id stale_port[NSTALE];
	vnet_client_id stale_client[NSTALE];
	unsigned int nstale_ports;
	unsigned int nstale_clients;
	unsigned int nports;
	unsigned int nclients;
	vnet_nsec now;
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
		.fdb_entries = 100,
		.ageing_s = 5,
		.pool_octets = 80 * VNET_POOL_BLOCK,
		.queue_octets = 65536,
		.max_rules = 10,
		.max_insns = 30,
		.max_events = 32,
	};

	t->sw = test_switch_of(&t->alloc, &config);
	memset(t->place, 0, sizeof(t->place));
	t->nports = 0;
	t->nclients = 0;
	t->nstale_ports = 0;
	t->nstale_clients = 0;
	t->now = 0;
}

static void
forget_client(struct test *t, struct place *p)
{
	if (p->client == VNET_NO_ID)
		return;
	t->stale_client[t->nstale_clients++ % NSTALE] = p->client;
	if (p->is_fake)
		assert_int_equal(p->fake.nclosed, 1);
	p->client = VNET_NO_ID;
	t->nclients--;
}

static void
add_or_remove_port(struct test *t, uint32_t i)
{
	const char name[] = {(char)('a' + i), '\0'};
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
		.role = i % 4 ? VNET_ROLE_VIF : VNET_ROLE_UPLINK,
		.mtu = i % 2 ? 1500 : 9000,
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
	forget_client(t, p);
}

static void
add_or_remove_client(struct test *t, uint32_t i)
{
	struct place *p = &t->place[i];
	int r;

	if (p->client != VNET_NO_ID) {
		if (below(t, 3))
			return;
		assert_int_equal(vnet_client_remove(t->sw, p->client), 0);
		forget_client(t, p);
		return;
	}
	if (p->port == VNET_NO_ID)
		return;
	p->is_fake = below(t, 4) != 0;
	if (p->is_fake) {
		r = fake_attach(&p->fake, t->sw, p->port, below(t, 32),
				below(t, 2) ? 4096 : 0);
		p->client = r ? VNET_NO_ID : p->fake.id;
		p->fake.room = below(t, 3) ? FAKE_ENDLESS : 20;
	} else {
		r = vnet_null_open(t->sw, p->port, &p->client);
		if (r)
			p->client = VNET_NO_ID;
	}
	/* Slots that are not swept yet are not free. */
	assert_true(r == 0 || r == -ENOSPC);
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
	const enum vnet_side side = below(t, 2) ? VNET_EGRESS : VNET_INGRESS;
	const vnet_port_id port = t->place[i].port;
	int r;

	if (below(t, 2))
		r = vnet_filter_add(t->sw, port, side, &rule, NULL);
	else
		r = vnet_filter_remove(t->sw, port, side, name);
	assert_true(r == 0 || r == -ENOENT || r == -EEXIST || r == -ENOSPC);
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
			.src = 1 + i * 16 + below(t, 16),
			.payload = 1 + below(t, 6000),
			.gso_size = 1400,
		};

		f[k] = below(t, 10) ? test_frame(packet.dst, packet.src,
						 14 + below(t, 1501))
				    : packet_make(t->octets[k], &packet);
	}
	vnet_switch_input(t->sw, t->place[i].client, f, n, t->now);
}

static void
take(struct test *t, uint32_t i)
{
	struct place *p = &t->place[i];
	int r;

	if (p->client == VNET_NO_ID || !p->is_fake)
		return;
	p->fake.room = below(t, 3) ? 30 : FAKE_ENDLESS;
	/* Now and then it breaks. */
	p->fake.error = below(t, 20) ? 0 : -EIO;
	r = vnet_client_output(t->sw, p->client, 1 + below(t, 100), t->now);
	assert_true(r >= 0);
}

static void
change_something_else(struct test *t, uint32_t i)
{
	const struct vnet_mac mac = test_mac(1 + below(t, 200));
	struct place *p = &t->place[i];
	struct vnet_event e = {.size = sizeof(e)};

	switch (below(t, 6)) {
	case 0:
		vnet_port_set_link(t->sw, p->port, below(t, 3) != 0);
		break;
	case 1:
		vnet_fdb_add(t->sw, mac, p->client);
		break;
	case 2:
		vnet_fdb_remove(t->sw, mac);
		break;
	case 3:
		vnet_fdb_flush(t->sw, p->port);
		break;
	case 4:
		while (vnet_switch_event(t->sw, &e) == 1)
			;
		break;
	default:
		t->now += below(t, 4) * SECONDS(1) / 2;
		vnet_switch_tick(t->sw, t->now);
		break;
	}
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
	for (int i = 0; i < NPLACES; i++) {
		const struct place *p = &t->place[i];
		const char name[] = {(char)('a' + i), '\0'};

		assert_true(vnet_port_find(t->sw, name) == p->port);
		if (p->client != VNET_NO_ID)
			assert_true(vnet_client_port(t->sw, p->client) ==
				    p->port);
	}
	while ((r = vnet_fdb_next(t->sw, &at, &e)) != 0)
		if (r == 1)
			assert_true(vnet_client_port(t->sw, e.client) ==
				    e.port);
	for (unsigned int i = 0; i < NSTALE && i < t->nstale_clients; i++)
		assert_true(vnet_client_port(t->sw, t->stale_client[i]) ==
			    VNET_NO_ID);
	for (unsigned int i = 0; i < NSTALE && i < t->nstale_ports; i++) {
		struct vnet_port_info info = {.size = sizeof(info)};

		assert_int_equal(vnet_port_get(t->sw, t->stale_port[i], &info),
				 -ENOENT);
	}
}

static void
take_step(struct test *t)
{
	const uint32_t what = below(t, 20), i = below(t, NPLACES);

	if (what < 1)
		add_or_remove_port(t, i);
	else if (what < 3)
		add_or_remove_client(t, i);
	else if (what < 5)
		add_or_remove_rule(t, i);
	else if (what < 12)
		send(t, i);
	else if (what < 15)
		take(t, i);
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
	uint64_t frames = 0, removed = 0;

	for (t->trial.seed = 1; t->trial.seed <= NSEEDS; t->trial.seed++) {
		struct vnet_switch_stats s = {.size = sizeof(s)};
		struct vnet_count out;

		t->trial.random.state = t->trial.seed;
		open_switch(t);
		for (uint32_t i = 0; i < NPLACES; i++) {
			add_or_remove_port(t, i);
			add_or_remove_client(t, i);
		}
		for (t->trial.step = 0; t->trial.step < NSTEPS; t->trial.step++)
			take_step(t);
		assert_int_equal(vnet_switch_get_stats(t->sw, &s), 0);
		frames += s.total.delivered.frames;
		vnet_switch_drops(t->sw, VNET_DROP_REMOVED, NULL, &out);
		removed += out.frames;
		test_switch_end(t->sw, &t->alloc);
	}
	assert_true(frames > 100000);
	assert_true(removed > 0);
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
