/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gets a frame, on a switch of vifs with several clients, against a model
 * that says it in the words of client.h: the receive filters "out" of the
 * sender's vif, then its other clients, then other ports; each with a list of
 * addresses for an FDB, and one octet for a filter. Random frames go to both.
 *
 *	0 1 2	"shared", which have one address
 *	3 4 5	"each", with addresses of their own
 *	6 7	"plain", which do not hear each other
 *	8 9	"none", which have no address
 *	10	"alone", a vif of one client
 *	11 12	uplinks
 */
#include <errno.h>

#include "support.h"

#define NCLIENTS 13
#define NPORTS   7
#define NKNOWN   64
#define NSEEDS   16
#define NFRAMES  10000

/* Numbers of addresses: hosts from 1 to NHOSTS, then those of vifs. */
#define NHOSTS 12
#define VIFS   32

/* Octets that filters look at, and how many values they have. */
static const uint8_t fields[] = {5, 11, 20};
#define NVALUES 4

static const struct {
	const char *name;
	enum vnet_role role;
	uint32_t flags;
	uint32_t nclients;
	bool has_mac;
} ports[NPORTS] = {
	{"shared", VNET_ROLE_VIF, 0, 3, true},
	{"each", VNET_ROLE_VIF, VNET_PORT_PER_CLIENT, 3, true},
	{"plain", VNET_ROLE_VIF, VNET_PORT_NO_SIBLINGS, 2, true},
	{"none", VNET_ROLE_VIF, 0, 2, false},
	{"alone", VNET_ROLE_VIF, 0, 1, true},
	{"up", VNET_ROLE_UPLINK, 0, 1, false},
	{"upper", VNET_ROLE_UPLINK, 0, 1, false},
};

/* What passes: frames with @value at @at as @verdict says, others as
 * @otherwise does. */
struct filter {
	bool has_rule;
	uint8_t at;
	uint8_t value;
	enum vnet_verdict verdict;
	enum vnet_verdict otherwise;
};

struct client {
	uint32_t port;
	struct vnet_mac own;
	bool has_own;
	bool is_up;
	enum vnet_accept accept;
	struct filter in;
	struct filter out;
	struct fake fake;
};

struct known {
	struct vnet_mac mac;
	uint32_t client;
};

struct test {
	struct test_trial trial;
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct client client[NCLIENTS];
	struct known known[NKNOWN];
	uint32_t nknown;
	vnet_nsec now;
	uint64_t by_out, by_sibling, forwarded; /* deliveries of each kind */
};

static uint32_t
below(struct test *t, uint32_t n)
{
	return test_random_below(&t->trial.random, n);
}

static bool
is_same(struct vnet_mac a, struct vnet_mac b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool
is_group(struct vnet_mac mac)
{
	return mac.octet[0] & 1;
}

/*
 * The model
 */

static bool
passes(const struct filter *f, const uint8_t *frame)
{
	if (f->has_rule && frame[f->at] == f->value)
		return f->verdict == VNET_PASS;
	return f->otherwise == VNET_PASS;
}

static struct known *
find(struct test *t, struct vnet_mac mac)
{
	for (uint32_t i = 0; i < t->nknown; i++)
		if (is_same(t->known[i].mac, mac))
			return &t->known[i];
	return NULL;
}

static bool
is_own(const struct client *c, struct vnet_mac mac)
{
	return c->has_own && is_same(c->own, mac);
}

static bool
is_shared(const struct client *c)
{
	return !(ports[c->port].flags & VNET_PORT_PER_CLIENT);
}

/* What it takes of what is for it. */
static bool
takes(const struct client *c, struct vnet_mac dst, const uint8_t *frame)
{
	if (c->accept == VNET_ACCEPT_OWN && !is_group(dst) && !is_own(c, dst))
		return false;
	return passes(&c->in, frame);
}

/* Of clients of the sender's vif. Returns whether the address is at home
 * there. */
static bool
give_vif(struct test *t, uint32_t from, struct vnet_mac dst,
	 const uint8_t *frame, bool got[NCLIENTS])
{
	const uint32_t port = t->client[from].port;
	const struct known *k = find(t, dst);
	bool is_home = k && t->client[k->client].port == port;

	for (uint32_t i = 0; i < NCLIENTS; i++) {
		struct client *c = &t->client[i];

		if (c->port != port)
			continue;
		is_home |= !k && is_own(c, dst);
		if (!c->is_up)
			continue;
		if (ports[port].role == VNET_ROLE_VIF &&
		    passes(&c->out, frame)) {
			got[i] = true;
			t->by_out++;
		} else if (i != from &&
			   !(ports[port].flags & VNET_PORT_NO_SIBLINGS) &&
			   (is_group(dst) || is_own(c, dst) ||
			    (k && k->client == i))) {
			got[i] = takes(c, dst, frame);
			t->by_sibling += got[i];
		}
	}
	return is_home;
}

static void
give_others(struct test *t, uint32_t from, struct vnet_mac dst,
	    const uint8_t *frame, bool got[NCLIENTS])
{
	const uint32_t port = t->client[from].port;
	const struct known *k = is_group(dst) ? NULL : find(t, dst);

	for (uint32_t i = 0; i < NCLIENTS; i++) {
		const struct client *c = &t->client[i];

		if (c->port == port || !c->is_up)
			continue;
		if (ports[port].role == VNET_ROLE_UPLINK &&
		    ports[c->port].role == VNET_ROLE_UPLINK)
			continue;
		/* One that is known is for one client, or if it is that of a
		 * whole vif, for all of them. */
		if (k && k->client != i &&
		    !(t->client[k->client].port == c->port && is_shared(c) &&
		      is_own(c, dst)))
			continue;
		got[i] = takes(c, dst, frame);
		t->forwarded += got[i];
	}
}

static void
learn(struct test *t, uint32_t from, struct vnet_mac src)
{
	const struct client *c = &t->client[from];
	struct known *k = find(t, src);

	/* The address that clients have together stays with one of them. */
	if (k && is_shared(c) && is_own(c, src) &&
	    t->client[k->client].port == c->port)
		return;
	/* One's own is for nobody beside it. */
	for (uint32_t i = 0; i < NCLIENTS && !is_shared(c); i++)
		if (i != from && t->client[i].port == c->port &&
		    is_own(&t->client[i], src))
			return;
	if (!k) {
		assert_true(t->nknown < NKNOWN);
		k = &t->known[t->nknown++];
		k->mac = src;
	}
	k->client = from;
}

static void
give(struct test *t, uint32_t from, const uint8_t *frame, bool got[NCLIENTS])
{
	static const struct vnet_mac zeroes;
	struct vnet_mac dst, src;

	memcpy(&dst, frame, sizeof(dst));
	memcpy(&src, frame + 6, sizeof(src));
	if (!t->client[from].is_up || is_group(src) || is_same(src, zeroes))
		return;
	if (!give_vif(t, from, dst, frame, got))
		give_others(t, from, dst, frame, got);
	learn(t, from, src);
}

/* What was learned on a client is forgotten, but for the address of a vif of
 * which there is another one. */
static void
forget(struct test *t, uint32_t client)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->nknown; i++) {
		struct known k = t->known[i];
		const struct client *c = &t->client[k.client];

		if (k.client == client) {
			uint32_t heir = 0;

			if (!is_shared(c) || !is_own(c, k.mac))
				continue;
			while (heir < NCLIENTS &&
			       (heir == client || !t->client[heir].is_up ||
				t->client[heir].port != c->port))
				heir++;
			if (heir == NCLIENTS)
				continue;
			k.client = heir;
		}
		t->known[n++] = k;
	}
	t->nknown = n;
}

/*
 * The switch
 */

static void
open_switch(struct test *t)
{
	const struct vnet_switch_config config = {
		.seed = t->trial.seed,
		.max_ports = NPORTS,
		.max_clients = NCLIENTS,
		.flap_moves = 255,
		.ageing_s = 1000000,
	};
	uint32_t n = 0;

	t->sw = test_switch_of(&t->alloc, &config);
	t->nknown = 0;
	for (uint32_t i = 0; i < NPORTS; i++) {
		struct vnet_port_config port = {
			.size = sizeof(port),
			.name = ports[i].name,
			.role = ports[i].role,
			.flags = ports[i].flags,
		};
		vnet_port_id id;

		if (ports[i].has_mac)
			port.mac = test_mac(VIFS + i);
		assert_int_equal(vnet_port_add(t->sw, &port, &id, NULL), 0);
		for (uint32_t k = 0; k < ports[i].nclients; k++, n++) {
			struct vnet_client_info info = {.size = sizeof(info)};
			struct client *c = &t->client[n];

			assert_int_equal(fake_attach(&c->fake, t->sw, id,
						     VNET_CARRIES_TAGS, 0),
					 0);
			assert_int_equal(
				vnet_client_get(t->sw, c->fake.id, &info), 0);
			c->port = i;
			c->own = info.mac;
			c->has_own = ports[i].has_mac;
			c->is_up = true;
			c->accept = VNET_ACCEPT_ALL;
			c->in = (struct filter){.otherwise = VNET_PASS};
			c->out = (struct filter){.otherwise = VNET_DROP};
		}
	}
	assert_int_equal(n, NCLIENTS);
}

static void
set_filter(struct test *t, uint32_t client, bool out)
{
	struct client *c = &t->client[client];
	const struct filter f = {
		.has_rule = below(t, 4) != 0,
		.at = fields[below(t, sizeof(fields))],
		.value = (uint8_t)below(t, NVALUES),
		.verdict = below(t, 2) ? VNET_DROP : VNET_PASS,
		/* Mostly what it is where nobody says. */
		.otherwise = below(t, 4) == 0 ? out ? VNET_PASS : VNET_DROP
			     : out            ? VNET_DROP
					      : VNET_PASS,
	};
	const struct vnet_bpf_insn insns[] = {
		{0x30, 0, 0, f.at},
		{0x15, 0, 1, f.value},
		{0x06, 0, 0, 1},
		{0x06, 0, 0, 0},
	};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "rule",
		.verdict = f.verdict,
		.insns = insns,
		.ninsns = sizeof(insns) / sizeof(insns[0]),
	};

	if (out && ports[c->port].role == VNET_ROLE_UPLINK)
		return;
	assert_int_equal(vnet_filter_set(t->sw, c->fake.id,
					 out ? VNET_RECEIVE_OUT
					     : VNET_RECEIVE_IN,
					 &rule, f.has_rule, f.otherwise, NULL),
			 0);
	*(out ? &c->out : &c->in) = f;
}

static void
set_link(struct test *t, uint32_t client, bool up)
{
	struct client *c = &t->client[client];

	assert_int_equal(vnet_client_set_link(t->sw, c->fake.id, up), 0);
	if (c->is_up && !up) {
		c->is_up = false;
		forget(t, client);
	}
	c->is_up = up;
}

static void
change(struct test *t)
{
	const uint32_t i = below(t, NCLIENTS);
	struct client *c = &t->client[i];

	switch (below(t, 6)) {
	case 0:
	case 1:
		set_filter(t, i, below(t, 2));
		break;
	case 2:
		c->accept = below(t, 2) ? VNET_ACCEPT_OWN : VNET_ACCEPT_ALL;
		assert_int_equal(vnet_client_set_accept(t->sw, c->fake.id,
							c->accept),
				 0);
		break;
	case 3:
		set_link(t, i, below(t, 4) != 0);
		break;
	case 4:
		/* All that is down comes back. */
		for (uint32_t k = 0; k < NCLIENTS; k++)
			set_link(t, k, true);
		break;
	default:
		if (below(t, 4))
			break;
		assert_int_equal(vnet_fdb_flush(t->sw, VNET_NO_ID), 0);
		t->nknown = 0;
		break;
	}
}

static struct vnet_mac
some_mac(struct test *t)
{
	static const struct vnet_mac zeroes, group = {{0x33, 0x33, 0, 0, 0, 1}};
	uint32_t i = below(t, NCLIENTS);

	switch (below(t, 16)) {
	case 0:
		return zeroes;
	case 1:
	case 2:
		return test_mac(TEST_BROADCAST);
	case 3:
		return group;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		return t->client[i].has_own ? t->client[i].own : test_mac(1);
	default:
		return test_mac(1 + below(t, NHOSTS));
	}
}

static void
send(struct test *t)
{
	const uint32_t from = below(t, NCLIENTS);
	const struct client *sender = &t->client[from];
	uint8_t frame[60] = {0};
	const struct vnet_frame f = {.data = frame, .len = sizeof(frame)};
	struct vnet_mac dst = some_mac(t), src = some_mac(t);
	bool got[NCLIENTS] = {false};
	unsigned long before[NCLIENTS];

	if (sender->has_own && below(t, 2))
		src = sender->own;
	/* To itself: what becomes of that is nobody's business. */
	if (ports[sender->port].nclients == 1 && is_own(sender, dst))
		dst = test_mac(TEST_BROADCAST);
	memcpy(frame, dst.octet, 6);
	memcpy(frame + 6, src.octet, 6);
	memcpy(frame + 12, "\x88\xb5", 2);
	frame[20] = (uint8_t)below(t, NVALUES);
	for (uint32_t i = 0; i < NCLIENTS; i++)
		before[i] = t->client[i].fake.nsent;
	give(t, from, frame, got);
	vnet_switch_input(t->sw, sender->fake.id, &f, 1, t->now);
	for (uint32_t i = 0; i < NCLIENTS; i++)
		if (t->client[i].fake.nsent - before[i] != got[i])
			fail_msg("client %u got %lu of what %u has sent", i,
				 t->client[i].fake.nsent - before[i], from);
}

static void
assert_same_addresses(struct test *t)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	uint64_t cursor = 0;
	uint32_t n = 0;
	int r;

	while ((r = vnet_fdb_next(t->sw, &cursor, &e)) != 0) {
		const struct known *k = r == 1 ? find(t, e.mac) : NULL;

		if (r != 1)
			continue;
		n++;
		assert_non_null(k);
		assert_true(e.client == t->client[k->client].fake.id);
	}
	assert_int_equal(n, t->nknown);
}

static void
run(struct test *t)
{
	t->trial.random.state = t->trial.seed;
	t->now = 0;
	open_switch(t);
	for (t->trial.step = 0; t->trial.step < NFRAMES; t->trial.step++) {
		if (!below(t, 20))
			change(t);
		send(t);
		/* So that no address moves too often. */
		if (t->trial.step % 100)
			continue;
		t->now += SECONDS(11);
		vnet_switch_tick(t->sw, t->now);
		assert_same_addresses(t);
		assert_conserved(t->sw);
	}
	test_switch_end(t->sw, &t->alloc);
}

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct test));
	return *state ? 0 : -1;
}

static void
test_everyone_gets_what_is_for_them_once(void **state)
{
	struct test *t = *state;

	for (t->trial.seed = 1; t->trial.seed <= NSEEDS; t->trial.seed++)
		run(t);
	assert_true(t->by_out > 10000);
	assert_true(t->by_sibling > 10000);
	assert_true(t->forwarded > 100000);
	t->trial.is_done = true;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_everyone_gets_what_is_for_them_once, set_up,
			test_trial_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
