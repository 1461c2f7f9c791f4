/* SPDX-License-Identifier: BSD-2-Clause */
#include "shared_table.h"
#include "support.h"

enum { CLIENTS = 6, ADDRS = 4, MASK = 7, AGEING = 100, QUIET = 10 };

struct table {
	struct vnet_shared_table t;
	struct vnet_shared_client clients[CLIENTS];
	struct vnet_shared_addr addrs[CLIENTS * ADDRS];
	uint16_t heads[2 * (MASK + 1)];
};

static int
set_up(void **state)
{
	struct table *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	x->t = (struct vnet_shared_table){
		.clients = x->clients,
		.addrs = x->addrs,
		.heads = x->heads,
		.nclients = CLIENTS,
		.naddrs = ADDRS,
		.mask = MASK,
		.ageing = AGEING,
		.quiet = QUIET,
	};
	/* It need not be zeroed. */
	memset(x->addrs, 0xa5, sizeof(x->addrs));
	memset(x->clients, 0xa5, sizeof(x->clients));
	vnet_shared_table_clear(&x->t);
	assert_true(vnet_shared_table_check(&x->t));
	*state = x;
	return 0;
}

static int
tear_down(void **state)
{
	struct table *x = *state;

	assert_true(vnet_shared_table_check(&x->t));
	free(x);
	return 0;
}

static struct vnet_mac
mac(unsigned i)
{
	return (struct vnet_mac){{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
}

/* Address @i: of IPv4 if it is even. */
static struct vnet_shared_ip
ip(unsigned i)
{
	if (i % 2)
		return (struct vnet_shared_ip){
			.len = 16,
			.octet = {0xfe, 0x80, [14] = (uint8_t)(i >> 8),
				  (uint8_t)i},
		};
	return (struct vnet_shared_ip){
		.len = 4,
		.octet = {10, 0, (uint8_t)(i >> 8), (uint8_t)i},
	};
}

static bool
claim(struct table *x, unsigned m, unsigned i, enum vnet_shared_claim how,
      vnet_nsec now)
{
	struct vnet_mac client = mac(m);
	struct vnet_shared_ip addr = ip(i);

	return vnet_shared_table_claim(&x->t, &client, &addr, how, now);
}

/* The client that has address @i, 0 for nobody. */
static unsigned
holder(struct table *x, unsigned i, vnet_nsec now)
{
	struct vnet_shared_ip addr = ip(i);
	const struct vnet_shared_client *c;

	c = vnet_shared_table_find(&x->t, &addr, now);
	return c ? c->mac.octet[4] * 256u + c->mac.octet[5] : 0;
}

static void
test_address_is_its_first_claimants(void **state)
{
	struct table *x = *state;

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(holder(x, i, 0), 0);
		assert_true(claim(x, 1, i, VNET_SHARED_USED, 0));
		assert_int_equal(holder(x, i, 0), 1);
		assert_false(claim(x, 2, i, VNET_SHARED_USED, 1));
		assert_false(claim(x, 2, i, VNET_SHARED_ANNOUNCED, 1));
		assert_int_equal(holder(x, i, 1), 1);
	}
}

static void
test_quiet_clients_address_may_be_announced(void **state)
{
	struct table *x = *state;

	assert_true(claim(x, 1, 0, VNET_SHARED_ANNOUNCED, 0));
	assert_false(claim(x, 2, 0, VNET_SHARED_ANNOUNCED, QUIET - 1));
	assert_false(claim(x, 2, 0, VNET_SHARED_USED, AGEING));
	assert_true(claim(x, 2, 0, VNET_SHARED_ANNOUNCED, QUIET));
	assert_int_equal(holder(x, 0, QUIET), 2);
	/* What it was used for keeps it. */
	assert_true(claim(x, 2, 0, VNET_SHARED_USED, QUIET + 5));
	assert_false(claim(x, 1, 0, VNET_SHARED_ANNOUNCED, 2 * QUIET + 4));
	assert_true(claim(x, 1, 0, VNET_SHARED_ANNOUNCED, 2 * QUIET + 5));
}

static void
test_address_is_forgotten_after_the_ageing_time(void **state)
{
	struct table *x = *state;

	assert_true(claim(x, 1, 0, VNET_SHARED_ANNOUNCED, 5));
	assert_int_equal(holder(x, 0, 5 + AGEING), 1);
	assert_int_equal(holder(x, 0, 6 + AGEING), 0);
	assert_true(claim(x, 2, 0, VNET_SHARED_USED, 6 + AGEING));
	assert_int_equal(holder(x, 0, 6 + AGEING), 2);
}

static void
test_client_loses_what_it_has_only_used(void **state)
{
	struct table *x = *state;

	/* Another's is none of its business. */
	assert_true(claim(x, 9, 90, VNET_SHARED_USED, 0));
	assert_true(claim(x, 1, 0, VNET_SHARED_ANNOUNCED, 0));
	for (unsigned i = 1; i < 50; i++) {
		assert_true(claim(x, 1, i, VNET_SHARED_USED, i));
		assert_int_equal(holder(x, 0, i), 1);
		for (unsigned j = 1; j <= i; j++)
			assert_int_equal(holder(x, j, i), i - j < 3);
	}
	assert_int_equal(holder(x, 90, 50), 9);
	/* All announced: the oldest. */
	for (unsigned i = 60; i < 64; i++)
		assert_true(claim(x, 1, i, VNET_SHARED_ANNOUNCED, i));
	assert_int_equal(holder(x, 0, 64), 0);
	assert_true(claim(x, 1, 64, VNET_SHARED_USED, 64));
	assert_int_equal(holder(x, 60, 64), 0);
	assert_int_equal(holder(x, 61, 64), 1);
	assert_int_equal(holder(x, 64, 64), 1);
}

static void
test_what_is_too_old_is_lost_before_what_is_used(void **state)
{
	struct table *x = *state;
	const vnet_nsec now = AGEING + 5;

	assert_true(claim(x, 1, 0, VNET_SHARED_ANNOUNCED, 0));
	for (unsigned i = 1; i < 5; i++)
		assert_true(claim(x, 1, i, VNET_SHARED_USED, now));
	for (unsigned i = 1; i < 5; i++)
		assert_int_equal(holder(x, i, now), 1);
}

static void
test_silent_client_makes_room(void **state)
{
	struct table *x = *state;

	for (unsigned m = 1; m <= CLIENTS; m++)
		assert_true(claim(x, m, m, VNET_SHARED_USED, m));
	assert_false(claim(x, 10, 10, VNET_SHARED_USED, AGEING + 1));
	assert_int_equal(holder(x, 1, AGEING + 1), 1);
	/* An address of its own is no use to one who is not known. */
	assert_false(claim(x, 10, 2, VNET_SHARED_ANNOUNCED, AGEING + 1));
	assert_int_equal(holder(x, 2, AGEING + 1), 2);
	assert_true(claim(x, 10, 10, VNET_SHARED_USED, AGEING + 2));
	assert_int_equal(holder(x, 10, AGEING + 2), 10);
	/* The first one's are gone with it. */
	assert_int_equal(holder(x, 1, AGEING + 2), 0);
	/* Nor does one lose its addresses that has met again. */
	assert_true(claim(x, 2, 2, VNET_SHARED_USED, AGEING + 2));
	assert_true(claim(x, 11, 11, VNET_SHARED_USED, AGEING + 4));
	assert_int_equal(holder(x, 2, AGEING + 4), 2);
}

/* The place that a client gets may be that of the one whose address it takes. */
static void
test_client_takes_address_and_place(void **state)
{
	struct table *x = *state;

	for (unsigned m = 1; m <= CLIENTS; m++)
		assert_true(claim(x, m, m, VNET_SHARED_USED, m == 1 ? 0 : 50));
	assert_true(claim(x, 10, 1, VNET_SHARED_USED, AGEING + 1));
	assert_int_equal(holder(x, 1, AGEING + 1), 10);
}

static void
test_addresses_of_two_vlans_are_two(void **state)
{
	struct table *x = *state;
	struct vnet_mac one = mac(1), two = mac(2);
	struct vnet_shared_ip a = ip(0), b = ip(0);

	b.vlan = 7;
	assert_true(
		vnet_shared_table_claim(&x->t, &one, &a, VNET_SHARED_USED, 0));
	assert_null(vnet_shared_table_find(&x->t, &b, 0));
	assert_true(
		vnet_shared_table_claim(&x->t, &two, &b, VNET_SHARED_USED, 0));
	assert_ptr_equal(vnet_shared_table_find(&x->t, &a, 0),
			 vnet_shared_table_client(&x->t, &one));
	assert_ptr_equal(vnet_shared_table_find(&x->t, &b, 0),
			 vnet_shared_table_client(&x->t, &two));
}

static void
test_client_is_removed_with_its_addresses(void **state)
{
	struct table *x = *state;
	struct vnet_mac one = mac(1);

	for (unsigned i = 0; i < 3; i++)
		assert_true(claim(x, 1, i, VNET_SHARED_USED, 0));
	assert_true(claim(x, 2, 3, VNET_SHARED_USED, 0));
	vnet_shared_table_remove(&x->t, vnet_shared_table_client(&x->t, &one));
	assert_null(vnet_shared_table_client(&x->t, &one));
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(holder(x, i, 0), i == 3 ? 2 : 0);
}

static void
test_last_to_probe_for_an_address_is_found(void **state)
{
	struct table *x = *state;
	struct vnet_mac one = mac(1), two = mac(2);
	struct vnet_shared_ip addr = ip(0), other = ip(2);
	struct vnet_shared_client *c, *d;

	assert_null(vnet_shared_table_find_probe(&x->t, &addr, 0));
	c = vnet_shared_table_meet(&x->t, &one, 5);
	c->probe = addr;
	c->probed = 5;
	assert_ptr_equal(vnet_shared_table_find_probe(&x->t, &addr, 5), c);
	assert_null(vnet_shared_table_find_probe(&x->t, &addr, 6));
	assert_null(vnet_shared_table_find_probe(&x->t, &other, 0));
	d = vnet_shared_table_meet(&x->t, &two, 6);
	d->probe = addr;
	d->probed = 6;
	assert_ptr_equal(vnet_shared_table_find_probe(&x->t, &addr, 0), d);
	c->probed = 7;
	assert_ptr_equal(vnet_shared_table_find_probe(&x->t, &addr, 0), c);
}

/* What is claimed, in a list. */
struct fact {
	unsigned client;
	unsigned ip;
	enum vnet_shared_claim how;
	vnet_nsec seen;
};

struct model {
	struct fact facts[CLIENTS * ADDRS];
	unsigned n;
	struct {
		unsigned client;
		vnet_nsec seen;
	} clients[CLIENTS];
	unsigned nclients;
};

static void
model_drop(struct model *m, unsigned i)
{
	m->facts[i] = m->facts[--m->n];
}

static bool
model_meet(struct model *m, unsigned client, vnet_nsec now)
{
	for (unsigned i = 0; i < m->nclients; i++) {
		if (m->clients[i].client == client) {
			m->clients[i].seen = now;
			return true;
		}
	}
	if (m->nclients == CLIENTS)
		return false;
	m->clients[m->nclients].client = client;
	m->clients[m->nclients++].seen = now;
	return true;
}

static bool
model_claim(struct model *m, const struct fact *f)
{
	unsigned mine = 0, least = 0;

	for (unsigned i = 0; i < m->n; i++) {
		struct fact *g = &m->facts[i];
		vnet_nsec age = f->seen - g->seen;

		if (g->ip != f->ip)
			continue;
		if (g->client == f->client) {
			if (age > AGEING || f->how > g->how)
				g->how = f->how;
			g->seen = f->seen;
			return model_meet(m, f->client, f->seen);
		}
		if (age <= AGEING &&
		    (f->how == VNET_SHARED_USED || age < QUIET))
			return false;
	}
	if (!model_meet(m, f->client, f->seen))
		return false;
	for (unsigned i = 0; i < m->n; i++) {
		if (m->facts[i].ip == f->ip) {
			model_drop(m, i);
			break;
		}
	}
	for (unsigned i = 0; i < m->n; i++) {
		const struct fact *g = &m->facts[i], *l = &m->facts[least];

		if (g->client != f->client)
			continue;
		if (mine++ == 0 || g->how < l->how ||
		    (g->how == l->how && g->seen < l->seen))
			least = i;
	}
	if (mine == ADDRS)
		model_drop(m, least);
	m->facts[m->n++] = *f;
	return true;
}

static unsigned
model_holder(const struct model *m, unsigned addr, vnet_nsec now)
{
	for (unsigned i = 0; i < m->n; i++) {
		if (m->facts[i].ip == addr)
			return now - m->facts[i].seen <= AGEING
				       ? m->facts[i].client
				       : 0;
	}
	return 0;
}

/* What is too old the model forgets at once, the table when it likes. */
static void
model_age(struct model *m, vnet_nsec now)
{
	for (unsigned i = 0; i < m->n;) {
		if (now - m->facts[i].seen > AGEING)
			model_drop(m, i);
		else
			i++;
	}
	for (unsigned i = 0; i < m->nclients;) {
		if (now - m->clients[i].seen > AGEING)
			m->clients[i] = m->clients[--m->nclients];
		else
			i++;
	}
}

static void
test_random_claims_do_what_the_model_does(void **state)
{
	struct table *x = *state;
	struct test_random r = {.state = 11};
	struct model m = {.n = 0};
	unsigned taken = 0, refused = 0;
	vnet_nsec now = 0;

	for (unsigned round = 0; round < 100000; round++) {
		struct fact f = {
			.client = 1 + test_random_below(&r, CLIENTS + 3),
			.ip = test_random_below(&r, 30),
			.how = test_random_below(&r, 3) ? VNET_SHARED_USED
							: VNET_SHARED_ANNOUNCED,
		};
		bool want;

		now += 1 + test_random_below(&r, 3);
		if (test_random_below(&r, 200) == 0)
			now += test_random_below(&r, 2 * AGEING);
		f.seen = now;
		model_age(&m, now);
		want = model_claim(&m, &f);
		taken += want;
		refused += !want;
		if (claim(x, f.client, f.ip, f.how, now) != want)
			fail_msg("round %u: not %d", round, want);
		for (unsigned i = 0; i < 30; i++) {
			if (holder(x, i, now) != model_holder(&m, i, now))
				fail_msg("round %u: address %u", round, i);
		}
		if (!vnet_shared_table_check(&x->t))
			fail_msg("round %u: check", round);
	}
	assert_true(taken > 20000 && refused > 20000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_address_is_its_first_claimants),
		TEST(test_quiet_clients_address_may_be_announced),
		TEST(test_address_is_forgotten_after_the_ageing_time),
		TEST(test_client_loses_what_it_has_only_used),
		TEST(test_what_is_too_old_is_lost_before_what_is_used),
		TEST(test_silent_client_makes_room),
		TEST(test_client_takes_address_and_place),
		TEST(test_addresses_of_two_vlans_are_two),
		TEST(test_client_is_removed_with_its_addresses),
		TEST(test_last_to_probe_for_an_address_is_found),
		TEST(test_random_claims_do_what_the_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
