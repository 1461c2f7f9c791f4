/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants in a switch: their tree, and what the data path makes of them.
 *
 *	a (granted) ---+--------+
 *	b -------------| switch |
 *	c -------------+--------+
 */
#include <errno.h>

#include "net.h"
#include "packet.h"

#include "switch.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Addresses 0x100 to 0x1ff are granted by a prefix, 7 and 8 by themselves. */
#define RANGE 0x100

static const struct vnet_mac_prefix range[] = {
	{{{2, 0, 0, 0, 1, 0}}, 40},
};

static const struct vnet_mac_prefix seven[] = {
	{{{2, 0, 0, 0, 0, 7}}, 48},
};

static const struct vnet_mac_prefix many[] = {
	{{{2, 0, 0, 0, 1, 0}}, 40},
	{{{2, 0, 0, 0, 0, 7}}, 48},
	{{{2, 0, 0, 0, 0, 8}}, 48},
};

static const uint16_t test_type[] = {0x88b5};

/* What grants of these tests have in common: of the test frames all but where
 * they come from. */
static struct vnet_grant
make(const char *name, const struct vnet_mac_prefix *macs, size_t nmacs)
{
	return (struct vnet_grant){
		.size = sizeof(struct vnet_grant),
		.name = name,
		.macs = macs,
		.nmacs = nmacs,
		.ethertypes = test_type,
		.nethertypes = 1,
		.may = VNET_MAY_BROADCAST,
	};
}

static vnet_grant_id
add_below(struct vnet_switch *sw, vnet_grant_id parent,
	  const struct vnet_grant *g)
{
	enum vnet_grant_part part = VNET_GRANT_PASS;
	vnet_grant_id id = VNET_NO_ID;
	struct vnet_why why = {.text = "nothing"};

	if (vnet_grant_add(sw, parent, g, &id, &part, &why))
		fail_msg("%s: %s: %s", g->name, vnet_grant_part_name(part),
			 why.text);
	return id;
}

static vnet_grant_id
add(struct vnet_switch *sw, const struct vnet_grant *g)
{
	return add_below(sw, VNET_NO_ID, g);
}

static void
grant_to(const struct fake *c, vnet_grant_id id)
{
	assert_int_equal(vnet_client_set_grant(c->sw, c->id, id, NULL), 0);
}

static struct vnet_grant_info
look_at(const struct vnet_switch *sw, vnet_grant_id id)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_grant_get(sw, id, &info), 0);
	return info;
}

static uint64_t
refused(const struct vnet_switch *sw, vnet_grant_id id, enum vnet_side side,
	enum vnet_grant_part part)
{
	struct vnet_count n;

	assert_int_equal(vnet_grant_refused(sw, id, side, part, &n), 0);
	return n.frames;
}

/* A grant is not made below @parent: because of @part. */
static void
assert_does_not_fit(struct vnet_switch *sw, vnet_grant_id parent,
		    const struct vnet_grant *g, enum vnet_grant_part part)
{
	enum vnet_grant_part is = VNET_GRANT_PASS;
	struct vnet_why why = {.text = NULL};
	vnet_grant_id id = 4711;

	assert_int_equal(vnet_grant_add(sw, parent, g, &id, &is, &why), -EPERM);
	assert_int_equal(is, part);
	assert_non_null(why.text);
	assert_int_equal(id, 4711);
}

/* The part that @from is told of a frame, VNET_GRANT_PASS if it passes. */
static enum vnet_grant_part
ask(const struct fake *from, unsigned int dst, unsigned int src, vnet_nsec now)
{
	struct vnet_explained e = {.size = sizeof(e)};
	struct vnet_frame f = test_frame(dst, src, 0);

	assert_int_equal(vnet_switch_explain(from->sw, from->id, &f, now, &e),
			 0);
	assert_int_equal(e.drop == VNET_DROP_NOT_GRANTED ||
				 e.drop == VNET_DROP_UNDECIDED,
			 e.guard != VNET_GRANT_PASS);
	return e.guard;
}

/* Send a frame, and say whether it was let pass by the guard: as explained. */
static bool
passes(const struct fake *from, unsigned int dst, unsigned int src,
       vnet_nsec now)
{
	uint64_t before = test_in_drops(from, VNET_DROP_NOT_GRANTED);
	enum vnet_grant_part part = ask(from, dst, src, now);
	bool passed;

	test_send(from, dst, src, now);
	passed = test_in_drops(from, VNET_DROP_NOT_GRANTED) == before;
	assert_int_equal(passed, part == VNET_GRANT_PASS);
	return passed;
}

static unsigned int
count_events(struct vnet_switch *sw, enum vnet_event_type type,
	     vnet_client_id client)
{
	struct vnet_event e = {.size = sizeof(e)};
	unsigned int n = 0;

	while (vnet_switch_event(sw, &e) > 0)
		n += e.type == type &&
		     (client == VNET_NO_ID || e.client == client);
	return n;
}

/*
 * The tree
 */

static void
test_grant_is_copied_and_read_back(void **state)
{
	struct net *net = *state;
	struct vnet_mac_prefix macs[2] = {many[1], many[0]};
	struct vnet_ipv4_prefix ipv4[] = {{{10, 9, 0, 0}, 24}};
	struct vnet_ipv6_prefix ipv6[] = {{{0x20, 1, 0xd, 0xb8}, 64}};
	struct vnet_mac_prefix groups[] = {{{{1, 0, 0x5e, 0, 0, 0}}, 24}};
	struct vnet_vlan_range vlans[] = {{0, 0}, {100, 200}};
	uint16_t types[] = {0x88b5, 0x9000};
	char name[] = "lab";
	struct vnet_grant g = {
		.size = sizeof(g),
		.name = name,
		.macs = macs,
		.nmacs = 2,
		.groups = groups,
		.ngroups = 1,
		.ipv4 = ipv4,
		.nipv4 = 1,
		.ipv6 = ipv6,
		.nipv6 = 1,
		.vlans = vlans,
		.nvlans = 2,
		.ethertypes = types,
		.nethertypes = 2,
		.may = VNET_MAY_DHCP,
		.queue_octets = 70000,
		.depth = 2,
		.until = SECONDS(5),
		.rate = {.size = sizeof(g.rate), .octets_per_s = 1000000},
	};
	vnet_grant_id id = add(net->sw, &g);
	struct vnet_grant_info info;

	memset(macs, 0xff, sizeof(macs));
	memset(groups, 0xff, sizeof(groups));
	memset(ipv4, 0xff, sizeof(ipv4));
	memset(ipv6, 0xff, sizeof(ipv6));
	memset(vlans, 0xff, sizeof(vlans));
	memset(types, 0xff, sizeof(types));
	memset(name, 'x', 3);
	info = look_at(net->sw, id);
	assert_true(info.id == id);
	assert_true(info.parent == VNET_NO_ID);
	assert_string_equal(info.grant.name, "lab");
	assert_int_equal(info.grant.nmacs, 2);
	assert_memory_equal(info.grant.macs[0].mac.octet, "\2\0\0\0\0\7", 6);
	assert_int_equal(info.grant.macs[1].bits, 40);
	assert_int_equal(info.grant.groups[0].bits, 24);
	assert_int_equal(info.grant.ipv4[0].octet[1], 9);
	assert_int_equal(info.grant.ipv6[0].octet[2], 0xd);
	assert_int_equal(info.grant.ipv6[0].bits, 64);
	assert_int_equal(info.grant.vlans[1].last, 200);
	assert_int_equal(info.grant.ethertypes[1], 0x9000);
	assert_int_equal(info.grant.may, VNET_MAY_DHCP);
	assert_int_equal(info.grant.max_addresses, 2);
	assert_int_equal(info.grant.max_clients, 1);
	assert_int_equal(info.grant.depth, 2);
	assert_true(info.grant.until == SECONDS(5));
	assert_true(info.grant.rate.burst_octets == 100000);
	assert_true(info.ninsns[0] > 10 && info.ninsns[1] > 5);
	assert_true(vnet_grant_find(net->sw, "lab") == id);
	assert_true(vnet_grant_find(net->sw, "xxx") == VNET_NO_ID);
	info.size--;
	assert_int_equal(vnet_grant_get(net->sw, id, &info), -EINVAL);
}

static void
test_program_in_use_is_the_one_that_is_compiled(void **state)
{
	struct vnet_bpf_insn insns[512], compiled[512];
	struct net *net = *state;
	struct vnet_grant g = make("a", many, COUNT(many));
	vnet_grant_id id = add(net->sw, &g);

	for (int side = 0; side < 2; side++) {
		int n = vnet_grant_compile(&g, (enum vnet_side)side, compiled,
					   COUNT(compiled), NULL);

		assert_int_equal(vnet_grant_program(net->sw, id,
						    (enum vnet_side)side, insns,
						    (size_t)n),
				 n);
		assert_memory_equal(insns, compiled,
				    (size_t)n * sizeof(*insns));
		assert_int_equal(vnet_grant_program(net->sw, id,
						    (enum vnet_side)side, insns,
						    (size_t)n - 1),
				 -ENOSPC);
	}
	assert_int_equal(vnet_grant_program(net->sw, id, VNET_RECEIVE_IN, insns,
					    COUNT(insns)),
			 -EINVAL);
	assert_int_equal(vnet_grant_program(net->sw, id + 1, VNET_INGRESS,
					    insns, COUNT(insns)),
			 -ENOENT);
}

static void
test_ids_are_those_of_grants_alone(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1);
	vnet_grant_id id = add(net->sw, &g), again;
	struct vnet_client_info client = {.size = sizeof(client)};
	struct vnet_port_info port = {.size = sizeof(port)};
	struct vnet_grant_info info = {.size = sizeof(info)};

	assert_true(id != net->a.id && id != net->a.port);
	assert_int_equal((uint32_t)id, 0);
	assert_int_equal(vnet_client_get(net->sw, id, &client), -ENOENT);
	assert_int_equal(vnet_port_get(net->sw, id, &port), -ENOENT);
	assert_int_equal(vnet_grant_get(net->sw, net->a.id, &info), -ENOENT);
	assert_int_equal(vnet_grant_get(net->sw, net->a.port, &info), -ENOENT);
	assert_int_equal(vnet_grant_revoke(net->sw, id), 0);
	assert_int_equal(vnet_grant_revoke(net->sw, id), -ENOENT);
	again = add(net->sw, &g);
	assert_int_equal((uint32_t)again, 0);
	assert_true(again != id);
	assert_int_equal(vnet_grant_get(net->sw, id, &info), -ENOENT);
	assert_int_equal(vnet_grant_set(net->sw, id, &g, NULL, NULL), -ENOENT);
	assert_int_equal(vnet_grant_add(net->sw, id, &g, &id, NULL, NULL),
			 -ENOENT);
	assert_int_equal(vnet_client_set_grant(net->sw, net->a.id, id, NULL),
			 -ENOENT);
	assert_int_equal(vnet_client_set_grant(net->sw, id, again, NULL),
			 -ENOENT);
}

static void
test_names_are_unique(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1), h = make("h", seven, 1);
	vnet_grant_id id = add(net->sw, &g), other;

	assert_int_equal(vnet_grant_add(net->sw, VNET_NO_ID, &g, &other, NULL,
					NULL),
			 -EEXIST);
	other = add(net->sw, &h);
	h.name = "g";
	assert_int_equal(vnet_grant_set(net->sw, other, &h, NULL, NULL),
			 -EEXIST);
	h.name = "i";
	assert_int_equal(vnet_grant_set(net->sw, other, &h, NULL, NULL), 0);
	assert_true(vnet_grant_find(net->sw, "i") == other);
	assert_true(vnet_grant_find(net->sw, "h") == VNET_NO_ID);
	assert_int_equal(vnet_grant_set(net->sw, id, &g, NULL, NULL), 0);
}

static void
test_grants_are_listed_as_they_were_made(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("0", seven, 1);
	char name[2] = "0";
	vnet_grant_id id[4], at = VNET_NO_ID;

	g.name = name;
	for (int i = 0; i < 4; i++) {
		name[0] = (char)('0' + i);
		id[i] = add(net->sw, &g);
	}
	assert_int_equal(vnet_grant_revoke(net->sw, id[1]), 0);
	/* In the slot that has become free. */
	name[0] = '9';
	id[1] = id[2];
	id[2] = id[3];
	id[3] = add(net->sw, &g);
	assert_true((uint32_t)id[3] == 1);
	for (int i = 0; i < 4; i++) {
		at = vnet_grant_next(net->sw, at);
		if (i != 0)
			assert_true(at == id[i]);
	}
	assert_true(vnet_grant_next(net->sw, at) == VNET_NO_ID);
	assert_true(vnet_grant_next(net->sw, 4711) == VNET_NO_ID);
}

static void
test_grants_are_bounded(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("0", seven, 1);
	struct vnet_why why = {.text = NULL};
	vnet_grant_id id;

	net_reopen(net, &(struct vnet_switch_config){.max_grants = 2});
	add(net->sw, &g);
	g.name = "1";
	add(net->sw, &g);
	g.name = "2";
	assert_int_equal(vnet_grant_add(net->sw, VNET_NO_ID, &g, &id, NULL,
					&why),
			 -ENOSPC);
	assert_int_equal(why.bound, 2);
}

/* Programs are taken from what chains are taken from. */
static void
test_instructions_are_bounded(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("0", seven, 1), h;
	int ninsns = vnet_grant_compile(&g, VNET_INGRESS, NULL, 0, NULL) +
		     vnet_grant_compile(&g, VNET_EGRESS, NULL, 0, NULL);
	struct vnet_why why = {.text = NULL};
	vnet_grant_id id, other;

	net_reopen(net, &(struct vnet_switch_config){
				.max_insns = 2 * (uint32_t)ninsns,
			});
	id = add(net->sw, &g);
	g.name = "1";
	other = add(net->sw, &g);
	g.name = "2";
	assert_int_equal(vnet_grant_add(net->sw, VNET_NO_ID, &g, &id, NULL,
					&why),
			 -ENOSPC);
	assert_int_equal(why.found, ninsns);
	assert_int_equal(why.bound, 0);
	/* What was there before counts for what comes in its place. */
	g.name = "1";
	assert_int_equal(vnet_grant_set(net->sw, other, &g, NULL, NULL), 0);
	h = make("1", many, 3);
	assert_int_equal(vnet_grant_set(net->sw, other, &h, NULL, &why),
			 -ENOSPC);
	assert_int_equal(why.bound, ninsns);
	assert_int_equal(vnet_grant_revoke(net->sw, id), 0);
	assert_int_equal(vnet_grant_set(net->sw, other, &h, NULL, NULL), 0);
}

static void
test_grant_below_is_contained_and_takes_its_share(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", many, 3), h = make("h", range, 1);
	vnet_grant_id parent, child;

	g.max_addresses = 5;
	g.max_clients = 3;
	g.depth = 2;
	parent = add(net->sw, &g);
	h.may |= VNET_MAY_DHCP;
	assert_does_not_fit(net->sw, parent, &h, VNET_GRANT_DHCP);
	h.may = VNET_MAY_BROADCAST;
	h.max_addresses = 6;
	assert_does_not_fit(net->sw, parent, &h, VNET_GRANT_ADDRESSES);
	h.max_addresses = 3;
	h.max_clients = 2;
	h.depth = 1;
	child = add_below(net->sw, parent, &h);
	assert_true(look_at(net->sw, child).parent == parent);
	assert_int_equal(look_at(net->sw, parent).given_addresses, 3);
	assert_int_equal(look_at(net->sw, parent).given_clients, 2);
	/* Two addresses and a client are left. */
	h.name = "i";
	assert_does_not_fit(net->sw, parent, &h, VNET_GRANT_ADDRESSES);
	h.max_addresses = 2;
	assert_does_not_fit(net->sw, parent, &h, VNET_GRANT_CLIENTS);
	h.max_clients = 1;
	grant_to(&net->a, parent);
	assert_does_not_fit(net->sw, parent, &h, VNET_GRANT_CLIENTS);
	assert_int_equal(vnet_client_set_grant(net->sw, net->b.id, parent,
					       NULL),
			 -EUSERS);
	grant_to(&net->a, VNET_NO_ID);
	add_below(net->sw, parent, &h);
	assert_int_equal(vnet_client_set_grant(net->sw, net->b.id, parent,
					       NULL),
			 -EUSERS);
	/* What is revoked gives back what it took. */
	assert_int_equal(vnet_grant_revoke(net->sw, child), 0);
	assert_int_equal(look_at(net->sw, parent).given_addresses, 2);
	assert_int_equal(look_at(net->sw, parent).given_clients, 1);
	grant_to(&net->b, parent);
}

static void
test_addresses_in_use_are_not_given(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1), h = make("h", range, 1);
	vnet_grant_id parent;

	g.max_addresses = 3;
	g.max_clients = 2;
	g.depth = 1;
	h.max_addresses = 2;
	parent = add(net->sw, &g);
	grant_to(&net->a, parent);
	assert_true(passes(&net->a, 2, RANGE + 1, 0));
	assert_true(passes(&net->a, 2, RANGE + 2, 0));
	assert_int_equal(look_at(net->sw, parent).naddresses, 2);
	assert_does_not_fit(net->sw, parent, &h, VNET_GRANT_ADDRESSES);
	assert_int_equal(vnet_fdb_flush(net->sw, net->a.port), 0);
	assert_true(passes(&net->a, 2, RANGE + 1, 0));
	add_below(net->sw, parent, &h);
	/* And what was given is not used. */
	assert_false(passes(&net->a, 2, RANGE + 2, 0));
	assert_true(passes(&net->a, 2, RANGE + 1, 0));
}

static void
test_set_keeps_what_hangs_below(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", many, 3), h = make("h", range, 1);
	enum vnet_grant_part part;
	vnet_grant_id parent, child;

	g.max_addresses = 5;
	g.max_clients = 3;
	g.depth = 1;
	h.max_addresses = 3;
	parent = add(net->sw, &g);
	child = add_below(net->sw, parent, &h);
	grant_to(&net->a, parent);
	g.max_clients = 1;
	assert_int_equal(vnet_grant_set(net->sw, parent, &g, &part, NULL),
			 -EPERM);
	assert_int_equal(part, VNET_GRANT_CLIENTS);
	g.max_clients = 2;
	g.max_addresses = 2;
	assert_int_equal(vnet_grant_set(net->sw, parent, &g, &part, NULL),
			 -EPERM);
	assert_int_equal(part, VNET_GRANT_ADDRESSES);
	g.max_addresses = 3;
	g.nmacs = 0;
	assert_int_equal(vnet_grant_set(net->sw, parent, &g, &part, NULL),
			 -EINVAL);
	g.macs = seven;
	g.nmacs = 1;
	assert_int_equal(vnet_grant_set(net->sw, parent, &g, &part, NULL),
			 -EPERM);
	assert_int_equal(part, VNET_GRANT_MACS);
	g.macs = range;
	assert_int_equal(vnet_grant_set(net->sw, parent, &g, &part, NULL), 0);
	/* And the one below may take what is left, and no more. */
	h.max_addresses = 4;
	assert_int_equal(vnet_grant_set(net->sw, child, &h, &part, NULL),
			 -EPERM);
	assert_int_equal(part, VNET_GRANT_ADDRESSES);
	h.max_addresses = 1;
	h.max_clients = 2;
	assert_int_equal(vnet_grant_set(net->sw, child, &h, &part, NULL),
			 -EPERM);
	assert_int_equal(part, VNET_GRANT_CLIENTS);
	h.max_clients = 1;
	assert_int_equal(vnet_grant_set(net->sw, child, &h, &part, NULL), 0);
	assert_int_equal(look_at(net->sw, parent).given_addresses, 1);
}

static void
test_addresses_of_two_grants_below_add_up(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1), h = make("h", range, 1),
			  i = make("i", range, 1);
	enum vnet_grant_part part;
	vnet_grant_id id;

	g.max_addresses = 4;
	g.max_clients = 4;
	g.depth = 1;
	h.max_addresses = i.max_addresses = 2;
	id = add(net->sw, &g);
	add_below(net->sw, id, &h);
	add_below(net->sw, id, &i);
	g.max_addresses = 3;
	assert_int_equal(vnet_grant_set(net->sw, id, &g, &part, NULL), -EPERM);
	assert_int_equal(part, VNET_GRANT_ADDRESSES);
}

static void
test_burst_is_that_of_all_above(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1), h = make("h", seven, 1);
	vnet_grant_id id;

	g.depth = 1;
	g.rate = (struct vnet_limit){.size = sizeof(g.rate),
				     .frames_per_s = 1000,
				     .burst_frames = 20,
				     .octets_per_s = 1000000,
				     .burst_octets = 2000};
	h.rate = (struct vnet_limit){.size = sizeof(h.rate),
				     .frames_per_s = 500,
				     .octets_per_s = 500000};
	id = add_below(net->sw, add(net->sw, &g), &h);
	assert_int_equal(look_at(net->sw, id).grant.rate.burst_frames, 20);
	assert_int_equal(look_at(net->sw, id).grant.rate.burst_octets, 2000);
}

static void
test_client_gives_its_place_back(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1);
	vnet_grant_id id = add(net->sw, &g);
	struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &net->a.ops,
		.ctx = &net->c,
		.grant = id,
	};
	vnet_client_id client;

	grant_to(&net->a, id);
	assert_true(vnet_client_grant(net->sw, net->a.id) == id);
	grant_to(&net->a, id); /* which is no second place */
	assert_int_equal(look_at(net->sw, id).nclients, 1);
	assert_int_equal(vnet_client_add(net->sw, net->b.port, &config, &client,
					 NULL),
			 -EUSERS);
	assert_int_equal(vnet_port_remove(net->sw, net->a.port), 0);
	assert_int_equal(look_at(net->sw, id).nclients, 0);
	assert_int_equal(vnet_client_add(net->sw, net->b.port, &config, &client,
					 NULL),
			 0);
	assert_true(vnet_client_grant(net->sw, client) == id);
	assert_int_equal(vnet_client_remove(net->sw, client), 0);
	config.grant = 4711;
	assert_int_equal(vnet_client_add(net->sw, net->b.port, &config, &client,
					 NULL),
			 -ENOENT);
	assert_int_equal(look_at(net->sw, id).nclients, 0);
}

static void
test_queue_is_bounded_by_grant(void **state)
{
	struct net *net = *state;
	struct vnet_client_info info = {.size = sizeof(info)};
	struct vnet_grant g = make("g", seven, 1);
	vnet_grant_id id;

	g.queue_octets = 8192;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	assert_int_equal(vnet_client_get(net->sw, net->a.id, &info), 0);
	assert_int_equal(info.queue_octets, 8192);
	assert_int_equal(vnet_client_set_queue(net->sw, net->a.id, 8193),
			 -EINVAL);
	assert_int_equal(vnet_client_set_queue(net->sw, net->a.id, 4096), 0);
	assert_int_equal(vnet_client_set_queue(net->sw, net->a.id, 0), 0);
	assert_int_equal(vnet_client_get(net->sw, net->a.id, &info), 0);
	assert_int_equal(info.queue_octets, 8192);
	net->a.room = 0;
	for (int i = 0; i < 1000; i++)
		test_send(&net->b, TEST_BROADCAST, 2, 0);
	assert_in_range(test_stats(&net->a).queue_memory, 4096, 8192);
	g.queue_octets = 4096;
	assert_int_equal(vnet_grant_set(net->sw, id, &g, NULL, NULL), 0);
	assert_int_equal(vnet_client_get(net->sw, net->a.id, &info), 0);
	assert_int_equal(info.queue_octets, 4096);
	assert_int_equal(vnet_client_set_queue(net->sw, net->b.id, 8193), 0);
}

/*
 * The guard
 */

static void
test_what_is_not_granted_is_dropped_and_counted(void **state)
{
	struct net *net = *state;
	static const struct vnet_vlan_range vlans = {0, 7};
	struct vnet_grant g = make("g", seven, 1);
	struct vnet_frame f;
	struct vnet_count n;
	vnet_grant_id id;

	g.vlans = &vlans;
	g.nvlans = 1;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	assert_true(passes(&net->a, TEST_BROADCAST, 7, 0));
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(ask(&net->a, TEST_BROADCAST, 8, 0), VNET_GRANT_MACS);
	assert_false(passes(&net->a, TEST_BROADCAST, 8, 0));
	assert_false(passes(&net->a, TEST_BROADCAST, 9, 0));
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(refused(net->sw, id, VNET_INGRESS, VNET_GRANT_MACS),
			 2);
	/* It is not learned from. */
	test_send(&net->c, 8, 3, 0);
	assert_int_equal(net->b.nsent, 2);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_NOT_GRANTED), 2);
	/* Its addresses and no whole type: nobody knows what it is. */
	f = test_frame(TEST_BROADCAST, 7, 60);
	memcpy((uint8_t *)(uintptr_t)f.data + 12, "\x81\0", 2);
	f.len = 15;
	vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_UNDECIDED), 1);
	assert_int_equal(vnet_grant_refused(net->sw, id, VNET_INGRESS,
					    VNET_GRANT_UNDECIDED, &n),
			 0);
	assert_int_equal(n.frames, 1);
	assert_int_equal(n.octets, 15);
	assert_int_equal(vnet_grant_refused(net->sw, id, VNET_RECEIVE_IN,
					    VNET_GRANT_MACS, &n),
			 -EINVAL);
	assert_int_equal(vnet_grant_refused(net->sw, id, VNET_INGRESS,
					    VNET_GRANT_NPARTS, &n),
			 -EINVAL);
	assert_int_equal(vnet_grant_refused(net->sw, 1, VNET_INGRESS,
					    VNET_GRANT_MACS, &n),
			 -ENOENT);
}

static void
test_what_is_not_granted_is_told_once_until_read(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1);
	struct vnet_event e = {.size = sizeof(e)};

	grant_to(&net->a, add(net->sw, &g));
	for (unsigned int i = 0; i < 10; i++)
		test_send(&net->a, TEST_BROADCAST, 20 + i, SECONDS(i));
	while (vnet_switch_event(net->sw, &e) > 0 &&
	       e.type != VNET_EVENT_NOT_GRANTED)
		;
	assert_int_equal(e.type, VNET_EVENT_NOT_GRANTED);
	assert_true(e.client == net->a.id);
	assert_int_equal(e.count, 10);
	assert_int_equal(e.time, 0);
	assert_memory_equal(e.mac.octet, test_mac(29).octet, 6);
	assert_int_equal(vnet_switch_event(net->sw, &e), 0);
}

static void
test_what_is_for_others_does_not_come(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1);
	vnet_grant_id id = add(net->sw, &g);
	struct vnet_explained_dest dests[4];
	struct vnet_explained e = {
		.size = sizeof(e), .dests = dests, .max_dests = 4};
	struct vnet_frame f = test_frame(9, 3, 0);

	grant_to(&net->a, id);
	test_send(&net->b, 9, 3, 0); /* nobody knows where that is */
	assert_int_equal(net->a.nsent, 0);
	assert_int_equal(net->c.nsent, 1);
	assert_int_equal(test_out_drops(&net->a, VNET_DROP_NOT_GRANTED), 1);
	assert_int_equal(refused(net->sw, id, VNET_EGRESS, VNET_GRANT_MACS), 1);
	assert_int_equal(vnet_switch_explain(net->sw, net->b.id, &f, 0, &e), 0);
	assert_int_equal(e.guard, VNET_GRANT_PASS);
	assert_int_equal(e.ndests, 2);
	assert_true(dests[0].client == net->a.id);
	assert_int_equal(dests[0].guard, VNET_GRANT_MACS);
	assert_int_equal(dests[0].drop, VNET_DROP_NOT_GRANTED);
	assert_int_equal(dests[1].guard, VNET_GRANT_PASS);
	/* An address that is granted by itself need not be known. */
	test_send(&net->b, 7, 3, 0);
	assert_int_equal(net->a.nsent, 1);
	test_send(&net->b, TEST_BROADCAST, 3, 0);
	assert_int_equal(net->a.nsent, 2);
	/* Nobody can make it look as if @a had done anything. */
	assert_int_equal(
		count_events(net->sw, VNET_EVENT_NOT_GRANTED, VNET_NO_ID), 0);
}

/* Of a prefix, what it does use. */
static void
test_flooded_unicast_within_a_prefix_does_not_come(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", many, 3);
	vnet_grant_id id;

	g.max_addresses = 10;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	test_send(&net->b, RANGE + 5, 3, 0);
	assert_int_equal(net->a.nsent, 0);
	assert_int_equal(refused(net->sw, id, VNET_EGRESS, VNET_GRANT_MACS), 1);
	assert_true(passes(&net->a, 3, RANGE + 5, 0));
	test_send(&net->b, RANGE + 5, 3, 0);
	assert_int_equal(net->a.nsent, 1);
	test_send(&net->b, 8, 3, 0);
	assert_int_equal(net->a.nsent, 2);
	/* As long as that. */
	test_send(&net->b, RANGE + 5, 3, SECONDS(301));
	assert_int_equal(net->a.nsent, 2);
}

static void
test_short_segments_are_refused(void **state)
{
	static uint8_t buf[PACKET_MAX];
	static const struct vnet_ipv4_prefix ipv4[] = {{{0}, 0}};
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1);
	struct vnet_frame f;
	vnet_grant_id id;

	g.ipv4 = ipv4;
	g.nipv4 = 1;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	for (uint16_t size = 35; size <= 36; size++) {
		f = packet_make(buf, &(struct packet){.kind = PACKET_TCP4,
						      .dst = 3,
						      .src = 7,
						      .payload = 200,
						      .gso_size = size});
		vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
		vnet_switch_input(net->sw, net->b.id, &f, 1, 0);
	}
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_NOT_GRANTED), 1);
	assert_int_equal(refused(net->sw, id, VNET_INGRESS, VNET_GRANT_OFFLOAD),
			 1);
	assert_int_equal(test_in_drops(&net->b, VNET_DROP_NOT_GRANTED), 0);
}

/*
 * Addresses in use
 */

static void
test_addresses_are_counted(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1);
	struct vnet_frame f[64];
	vnet_grant_id id;

	g.max_addresses = 3;
	g.max_clients = 2;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	grant_to(&net->b, id);
	/* In one batch. */
	for (unsigned int i = 0; i < 64; i++)
		f[i] = test_frame(9, RANGE + i % 7, 0);
	vnet_switch_input(net->sw, net->a.id, f, 64, 0);
	assert_int_equal(look_at(net->sw, id).naddresses, 3);
	assert_int_equal(net->c.nsent, 28);
	assert_int_equal(
		refused(net->sw, id, VNET_INGRESS, VNET_GRANT_ADDRESSES), 36);
	/* Of all its clients. */
	assert_false(passes(&net->b, 9, RANGE + 20, 0));
	/* Whoever is silent leaves its place, though nobody may have swept. */
	assert_true(passes(&net->a, 9, RANGE, SECONDS(200)));
	assert_false(passes(&net->b, 9, RANGE + 20, SECONDS(299)));
	assert_true(passes(&net->b, 9, RANGE + 20, SECONDS(301)));
	assert_true(passes(&net->a, 9, RANGE + 1, SECONDS(301)));
	assert_false(passes(&net->a, 9, RANGE + 2, SECONDS(301)));
	assert_int_equal(look_at(net->sw, id).naddresses, 3);
	vnet_switch_tick(net->sw, SECONDS(301));
	assert_int_equal(look_at(net->sw, id).naddresses, 3);
}

/* To refuse one costs the same however many clients have the grant. */
static void
test_clients_are_not_asked_for_each_address(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1);
	struct vnet_grant_node *node;
	struct vnet_client *clients;
	vnet_grant_id id;

	net_reopen(net, &(struct vnet_switch_config){.ageing_s = 10});
	g.max_addresses = 3;
	g.max_clients = 2;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	grant_to(&net->b, id);
	node = vnet_switch_client(net->sw, net->a.id)->grant;
	assert_true(passes(&net->a, 9, RANGE + 1, SECONDS(1)));
	assert_true(passes(&net->b, 9, RANGE + 2, SECONDS(5)));
	assert_true(passes(&net->b, 9, RANGE + 3, SECONDS(6)));
	/* Once in a second they are. */
	assert_false(passes(&net->a, 9, RANGE + 4, SECONDS(6)));
	clients = node->clients;
	node->clients = NULL;
	assert_false(passes(&net->a, 9, RANGE + 4, SECONDS(6)));
	node->clients = clients;
	/* One has aged: that is found out for all by who asks first, though it
	 * may be refused for another reason. */
	assert_int_equal(vnet_client_set_max_addresses(net->sw, net->b.id, 1),
			 0);
	assert_false(passes(&net->b, 9, RANGE + 4, SECONDS(11)));
	node->clients = NULL;
	assert_true(passes(&net->a, 9, RANGE + 4, SECONDS(11)));
	assert_false(passes(&net->a, 9, RANGE + 5, SECONDS(11)));
	node->clients = clients;
	assert_int_equal(look_at(net->sw, id).naddresses, 3);
	/* Nor when one is forgotten, or all of a client are. */
	assert_int_equal(vnet_fdb_remove(net->sw, test_mac(RANGE + 4)), 0);
	node->clients = NULL;
	assert_true(passes(&net->a, 9, RANGE + 5, SECONDS(11)));
	assert_false(passes(&net->a, 9, RANGE + 6, SECONDS(11)));
	node->clients = clients;
	assert_int_equal(vnet_fdb_flush(net->sw, net->a.port), 0);
	assert_int_equal(vnet_client_set_max_addresses(net->sw, net->b.id, 0),
			 0);
	node->clients = NULL;
	assert_true(passes(&net->b, 9, RANGE + 6, SECONDS(11)));
	assert_false(passes(&net->b, 9, RANGE + 7, SECONDS(11)));
	node->clients = clients;
}

/* What drives out another one is not another one fewer. */
static void
test_no_address_makes_room_for_another_one(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1);
	vnet_grant_id id;

	net_reopen(net, &(struct vnet_switch_config){.fdb_entries = 16,
						     .ageing_s = 10});
	g.max_addresses = 12;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	assert_int_equal(vnet_client_set_max_addresses(net->sw, net->a.id, 2),
			 0);
	assert_true(passes(&net->a, 2, RANGE + 1, 0));
	assert_true(passes(&net->a, 2, RANGE + 2, SECONDS(5)));
	assert_false(passes(&net->a, 2, RANGE + 3, SECONDS(5)));
	/* The first one is forgotten, though it may not be swept. */
	assert_true(passes(&net->a, 2, RANGE + 3, SECONDS(12)));
	assert_false(passes(&net->a, 2, RANGE + 4, SECONDS(12)));
	assert_int_equal(vnet_client_set_max_addresses(net->sw, net->a.id, 0),
			 0);

	/* A table that is full: its share is 5. */
	for (unsigned int i = 0; i < 16; i++)
		test_send(&net->b, TEST_BROADCAST, 20 + i, SECONDS(12));
	for (unsigned int i = 4; i < 7; i++)
		assert_true(passes(&net->a, 2, RANGE + i, SECONDS(12)));
	assert_int_equal(look_at(net->sw, id).naddresses, 5);
	assert_false(passes(&net->a, 2, RANGE + 7, SECONDS(12)));

	/* One in which nothing can be learned. */
	assert_int_equal(vnet_fdb_flush(net->sw, net->a.port), 0);
	assert_int_equal(vnet_fdb_flush(net->sw, net->b.port), 0);
	vnet_switch_tick(net->sw, SECONDS(12));
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(
			vnet_fdb_add(net->sw, test_mac(40 + i), net->b.id), 0);
	assert_false(passes(&net->a, 2, RANGE + 1, SECONDS(12)));
}

static void
test_address_of_a_prefix_is_not_stolen(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1);
	vnet_grant_id id;

	g.max_addresses = 10;
	g.max_clients = 2;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	grant_to(&net->b, id);
	test_send(&net->c, 9, RANGE + 1, 0); /* who may whatever there is */
	assert_int_equal(ask(&net->a, 9, RANGE + 1, 0), VNET_GRANT_ADDRESSES);
	assert_false(passes(&net->a, 9, RANGE + 1, 0));
	assert_true(passes(&net->a, 9, RANGE + 2, 0));
	assert_false(passes(&net->b, 9, RANGE + 2, 0));
	assert_int_equal(test_stats(&net->a).moves, 0);
	/* Nobody has it any more. */
	assert_true(passes(&net->b, 9, RANGE + 2, SECONDS(300)));
}

/* Not even if it was never used. */
static void
test_anothers_own_address_is_not_used(void **state)
{
	struct net *net = *state;
	struct vnet_port_config config = {
		.size = sizeof(config),
		.name = "vif",
		.mac = test_mac(RANGE + 3),
	};
	struct vnet_grant g = make("g", range, 1);
	vnet_port_id port;
	vnet_grant_id id;
	struct fake *x = &net->more[0], *y = &net->more[1];

	g.max_addresses = 10;
	g.max_clients = 3;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	assert_int_equal(vnet_port_add(net->sw, &config, &port, NULL), 0);
	assert_true(passes(&net->a, 9, RANGE + 3, 0));
	assert_int_equal(vnet_fdb_flush(net->sw, net->a.port), 0);
	assert_int_equal(fake_attach(x, net->sw, port, 0, 0), 0);
	assert_false(passes(&net->a, 9, RANGE + 3, 0));
	/* The clients of the vif have it together. */
	assert_int_equal(fake_attach(y, net->sw, port, 0, 0), 0);
	grant_to(x, id);
	grant_to(y, id);
	assert_true(passes(x, 9, RANGE + 3, 0));
	assert_true(passes(y, 9, RANGE + 3, 0));
	assert_int_equal(look_at(net->sw, id).naddresses, 1);
	net->b.nsent = x->nsent = y->nsent = 0;
	test_send(&net->b, RANGE + 3, 3, 0);
	assert_int_equal(x->nsent, 1);
	assert_int_equal(y->nsent, 1);
}

static void
test_address_of_another_grant_is_not_used(void **state)
{
	static const struct vnet_mac_prefix five[] = {
		{{{2, 0, 0, 0, 1, 5}}, 48},
	};
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1), h = make("h", five, 1);
	vnet_grant_id id, below;

	g.max_addresses = 10;
	g.max_clients = 2;
	g.depth = 1;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	assert_true(passes(&net->a, 9, RANGE + 5, 0));
	assert_true(passes(&net->a, 9, RANGE + 6, 0));
	/* No client has it, and none has been heard. */
	below = add_below(net->sw, id, &h);
	assert_int_equal(look_at(net->sw, id).naddresses, 1);
	assert_int_equal(ask(&net->a, 9, RANGE + 5, 0), VNET_GRANT_ADDRESSES);
	assert_false(passes(&net->a, 9, RANGE + 5, 0));
	assert_true(passes(&net->a, 9, RANGE + 6, 0));
	grant_to(&net->b, below);
	assert_true(passes(&net->b, 9, RANGE + 5, 1));
	assert_int_equal(vnet_fdb_flush(net->sw, net->b.port), 0);
	assert_false(passes(&net->a, 9, RANGE + 5, 1));
	/* Who has it by itself too may. */
	h.name = "i";
	grant_to(&net->c, add(net->sw, &h));
	assert_true(passes(&net->c, 9, RANGE + 5, 1));
	assert_true(passes(&net->b, 9, RANGE + 5, 2));
	assert_int_equal(
		vnet_grant_revoke(net->sw,
				  vnet_client_grant(net->sw, net->c.id)),
		0);
	/* Until nobody has. */
	h.macs = range;
	h.name = "h";
	assert_int_equal(vnet_grant_set(net->sw, below, &h, NULL, NULL), 0);
	assert_true(passes(&net->a, 9, RANGE + 5, 2));
	h.macs = five;
	assert_int_equal(vnet_grant_set(net->sw, below, &h, NULL, NULL), 0);
	assert_false(passes(&net->a, 9, RANGE + 5, 2));
	assert_int_equal(vnet_grant_revoke(net->sw, below), 0);
	assert_true(passes(&net->a, 9, RANGE + 5, 2));
}

/* What is pinned stays, and who has no grant may what they like. */
static void
test_named_address_stays_where_no_grant_has_put_it(void **state)
{
	static const struct vnet_mac_prefix two[] = {
		{{{2, 0, 0, 0, 1, 5}}, 48},
		{{{2, 0, 0, 0, 1, 6}}, 48},
	};
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1), h = make("h", two, 2);

	g.max_addresses = 10;
	grant_to(&net->a, add(net->sw, &g));
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(RANGE + 5), net->a.id),
			 0);
	test_send(&net->b, 9, RANGE + 6, 0);
	add(net->sw, &h);
	assert_true(passes(&net->a, 9, RANGE + 5, 0));
	net->a.nsent = net->b.nsent = 0;
	test_send(&net->c, RANGE + 5, 3, 0);
	assert_int_equal(net->a.nsent, 1);
	test_send(&net->c, RANGE + 6, 3, 0);
	assert_int_equal(net->b.nsent, 1);
}

static void
test_exact_address_moves(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", many, 3), h = make("h", seven, 1);
	vnet_grant_id id;

	g.max_addresses = 2;
	g.max_clients = 2;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	grant_to(&net->b, id);
	grant_to(&net->c, add(net->sw, &h));
	assert_true(passes(&net->a, 9, 7, 0));
	assert_true(passes(&net->a, 9, RANGE, 0));
	/* To another client with the grant: that is none more. */
	assert_true(passes(&net->b, 9, 7, SECONDS(1)));
	assert_int_equal(test_stats(&net->b).moves, 1);
	assert_int_equal(look_at(net->sw, id).naddresses, 2);
	assert_false(passes(&net->b, 9, 8, SECONDS(1)));
	/* To one with another grant. */
	assert_true(passes(&net->c, 9, 7, SECONDS(2)));
	assert_int_equal(test_stats(&net->c).moves, 1);
	assert_int_equal(look_at(net->sw, id).naddresses, 1);
	assert_true(passes(&net->b, 9, 8, SECONDS(2)));
	/* There is no room for it back. */
	assert_false(passes(&net->a, 9, 7, SECONDS(3)));
}

/* Fewer at a time than there are. */
static void
test_exact_addresses_are_counted_where_that_bounds(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", many + 1, 2), h = make("h", seven, 1);
	vnet_grant_id id;

	g.max_addresses = 1;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	assert_true(passes(&net->a, 9, 7, 0));
	assert_false(passes(&net->a, 9, 8, 0));
	g.max_addresses = 2;
	g.max_clients = 2;
	g.depth = 1;
	assert_int_equal(vnet_grant_set(net->sw, id, &g, NULL, NULL), 0);
	assert_true(passes(&net->a, 9, 8, 0));
	add_below(net->sw, id, &h);
	assert_false(passes(&net->a, 9, 7, 0));
}

/*
 * The end
 */

static void
assert_ended(const struct fake *c, unsigned long nsent)
{
	uint64_t revoked = test_in_drops(c, VNET_DROP_REVOKED);

	test_send(c, 9, 7, 0);
	assert_int_equal(test_in_drops(c, VNET_DROP_REVOKED), revoked + 1);
	assert_true(vnet_client_grant(c->sw, c->id) == VNET_NO_ID);
	assert_int_equal(c->nsent, nsent);
	assert_int_equal(test_stats(c).queued.frames, 0);
	assert_false(test_has_link(c->sw, c->port));
}

static void
test_revoking_ends_all_below_under_traffic(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", many, 3), h = make("h", range, 1),
			  i = make("i", range, 1), j = make("j", seven, 1);
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	vnet_grant_id top, below, last, beside;
	unsigned long nsent;

	g.max_addresses = 9;
	g.max_clients = 9;
	g.depth = 2;
	h.max_addresses = 4;
	h.max_clients = 2;
	h.depth = 1;
	top = add(net->sw, &g);
	below = add_below(net->sw, top, &h);
	last = add_below(net->sw, below, &i);
	beside = add_below(net->sw, top, &j);
	grant_to(&net->a, below);
	grant_to(&net->b, last);
	assert_true(passes(&net->a, 9, RANGE + 1, 0));
	assert_true(passes(&net->b, 9, RANGE + 2, 0));
	net->a.room = net->b.room = 0;
	nsent = net->a.nsent;
	for (int k = 0; k < 20; k++) {
		test_send(&net->c, RANGE + 1, 3, 0);
		test_send(&net->c, RANGE + 2, 3, 0);
	}
	assert_int_equal(test_stats(&net->a).queued.frames, 20);
	(void)count_events(net->sw, VNET_NEVENTS, VNET_NO_ID);

	assert_int_equal(vnet_grant_revoke(net->sw, below), 0);
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(RANGE + 1), &e),
			 -ENOENT);
	assert_int_equal(test_out_drops(&net->a, VNET_DROP_REMOVED), 20);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_REMOVED), 20);
	assert_int_equal(vnet_grant_revoke(net->sw, last), -ENOENT);
	assert_true(vnet_grant_find(net->sw, "j") == beside);
	assert_int_equal(look_at(net->sw, top).given_clients, 1);
	assert_int_equal(
		count_events(net->sw, VNET_EVENT_GRANT_ENDED, VNET_NO_ID), 2);
	net->a.room = net->b.room = FAKE_ENDLESS;
	test_send(&net->c, RANGE + 1, 3, 0);
	test_send(&net->c, TEST_BROADCAST, 3, 0);
	assert_int_equal(vnet_client_output(net->sw, net->a.id, 99, 0), 0);
	assert_ended(&net->a, nsent);
	assert_ended(&net->b, net->b.nsent);
	assert_conserved(net->sw);
	/* Its medium says that it is there, and that does not help. */
	assert_int_equal(vnet_client_set_link(net->sw, net->a.id, true), 0);
	assert_int_equal(vnet_port_set_link(net->sw, net->a.port, false), 0);
	assert_int_equal(vnet_port_set_link(net->sw, net->a.port, true), 0);
	assert_ended(&net->a, nsent);
	grant_to(&net->a, VNET_NO_ID);
	assert_ended(&net->a, nsent);
	/* Another grant does. */
	grant_to(&net->a, beside);
	assert_true(test_has_link(net->sw, net->a.port));
	assert_true(passes(&net->a, 9, 7, 0));
	test_send(&net->c, TEST_BROADCAST, 3, 0);
	assert_int_equal(net->a.nsent, nsent + 1);
}

/* A revoked one among several of a vif is alone in that. */
static void
test_revoking_one_of_several_clients_leaves_the_others(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1);
	vnet_grant_id id = add(net->sw, &g);
	struct fake *x = &net->more[0];

	assert_int_equal(fake_attach(x, net->sw, net->a.port, 0, 0), 0);
	grant_to(&net->a, id);
	test_send(&net->b, TEST_BROADCAST, 3, 0);
	assert_int_equal(vnet_grant_revoke(net->sw, id), 0);
	assert_true(test_has_link(net->sw, net->a.port));
	test_send(&net->b, TEST_BROADCAST, 3, 0);
	assert_int_equal(net->a.nsent, 1);
	assert_int_equal(x->nsent, 2);
	test_send(x, TEST_BROADCAST, 4, 0);
	assert_int_equal(net->a.nsent, 1);
	assert_int_equal(net->b.nsent, 1);
}

static void
test_grant_ends_by_itself_without_tick(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1), h = make("h", range, 1);
	vnet_grant_id id, below;

	g.until = SECONDS(10);
	g.depth = 1;
	g.max_addresses = 3;
	g.max_clients = 2;
	h.until = SECONDS(9);
	id = add(net->sw, &g);
	below = add_below(net->sw, id, &h);
	grant_to(&net->a, id);
	grant_to(&net->b, below);
	assert_true(vnet_switch_deadline(net->sw) <= SECONDS(9));
	assert_true(passes(&net->a, 9, RANGE + 1, SECONDS(1)));
	net->a.room = 0;
	test_send(&net->c, RANGE + 1, 3, SECONDS(1));
	test_send(&net->c, TEST_BROADCAST, 3, SECONDS(1));
	assert_int_equal(test_stats(&net->a).queued.frames, 2);
	net->a.room = 1;
	assert_int_equal(
		vnet_client_output(net->sw, net->a.id, 9, SECONDS(10) - 1), 1);
	net->a.room = FAKE_ENDLESS;
	test_send(&net->a, TEST_BROADCAST, RANGE + 1, SECONDS(10));
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_REVOKED), 1);
	assert_int_equal(vnet_client_output(net->sw, net->a.id, 9, SECONDS(10)),
			 0);
	test_send(&net->c, RANGE + 1, 3, SECONDS(10));
	test_send(&net->c, TEST_BROADCAST, 3, SECONDS(10));
	assert_int_equal(test_out_drops(&net->a, VNET_DROP_LINK_DOWN), 1);
	assert_int_equal(net->a.nsent, 1);
	assert_int_equal(test_stats(&net->a).queued.frames, 1);
	assert_true(vnet_switch_deadline(net->sw) <= SECONDS(10));
	/* The rest is done. */
	vnet_switch_tick(net->sw, SECONDS(10));
	assert_int_equal(test_out_drops(&net->a, VNET_DROP_REMOVED), 1);
	assert_true(vnet_grant_next(net->sw, VNET_NO_ID) == VNET_NO_ID);
	assert_int_equal(
		count_events(net->sw, VNET_EVENT_GRANT_ENDED, VNET_NO_ID), 2);
	assert_ended(&net->a, 1);
}

static void
test_time_is_given_and_taken_by_set(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1);
	vnet_grant_id id;

	vnet_switch_tick(net->sw, SECONDS(100));
	g.until = SECONDS(110);
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	g.until = SECONDS(120);
	assert_int_equal(vnet_grant_set(net->sw, id, &g, NULL, NULL), 0);
	vnet_switch_tick(net->sw, SECONDS(119));
	assert_true(passes(&net->a, 9, 7, SECONDS(119)));
	g.until = 0;
	assert_int_equal(vnet_grant_set(net->sw, id, &g, NULL, NULL), 0);
	vnet_switch_tick(net->sw, SECONDS(1000));
	assert_true(passes(&net->a, 9, 7, SECONDS(1000)));
	g.until = SECONDS(1);
	assert_int_equal(vnet_grant_set(net->sw, id, &g, NULL, NULL), 0);
	assert_true(vnet_switch_deadline(net->sw) <= SECONDS(1000));
	test_send(&net->a, 9, 7, SECONDS(1000));
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_REVOKED), 1);
}

/*
 * Rates
 */

static void
test_rates_of_all_levels_hold(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1), h = make("h", range, 1),
			  i = make("i", range, 1);
	struct vnet_explained e = {.size = sizeof(e)};
	struct vnet_frame f = test_frame(9, RANGE, 0);
	vnet_grant_id top, below, last;

	g.max_addresses = g.max_clients = 9;
	h.max_addresses = h.max_clients = 4;
	g.depth = 2;
	h.depth = 1;
	g.rate = (struct vnet_limit){
		.size = sizeof(g.rate), .frames_per_s = 10, .burst_frames = 10};
	h.rate = g.rate;
	h.rate.burst_frames = 8;
	top = add(net->sw, &g);
	assert_does_not_fit(net->sw, top, &i, VNET_GRANT_RATE);
	below = add_below(net->sw, top, &h);
	i.rate = h.rate;
	i.rate.burst_frames = 5;
	i.rate.frames_per_s = 1;
	last = add_below(net->sw, below, &i);
	grant_to(&net->a, last);
	grant_to(&net->b, below);
	grant_to(&net->c, top);
	for (int k = 0; k < 20; k++)
		test_send(&net->a, 9, RANGE + 1, 0);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_POLICED), 15);
	assert_int_equal(vnet_switch_explain(net->sw, net->a.id, &f, 0, &e), 0);
	f = test_frame(9, RANGE + 1, 0);
	assert_int_equal(vnet_switch_explain(net->sw, net->a.id, &f, 0, &e), 0);
	assert_int_equal(e.drop, VNET_DROP_POLICED);
	assert_true(e.limit == last);
	for (int k = 0; k < 20; k++)
		test_send(&net->b, 9, RANGE + 2, 0);
	assert_int_equal(test_in_drops(&net->b, VNET_DROP_POLICED), 17);
	f = test_frame(9, RANGE + 2, 0);
	assert_int_equal(vnet_switch_explain(net->sw, net->b.id, &f, 0, &e), 0);
	assert_true(e.limit == below);
	for (int k = 0; k < 20; k++)
		test_send(&net->c, 9, RANGE + 3, 0);
	assert_int_equal(test_in_drops(&net->c, VNET_DROP_POLICED), 18);
	/* After a second the lowest has one, and the one above it no more than
	 * is left. */
	for (int k = 0; k < 20; k++)
		test_send(&net->c, 9, RANGE + 3, SECONDS(1));
	assert_int_equal(test_in_drops(&net->c, VNET_DROP_POLICED), 28);
	test_send(&net->a, 9, RANGE + 1, SECONDS(1));
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_POLICED), 16);
	f = test_frame(9, RANGE + 1, 0);
	assert_int_equal(
		vnet_switch_explain(net->sw, net->a.id, &f, SECONDS(1), &e), 0);
	assert_true(e.limit == top);
	assert_true(count_events(net->sw, VNET_EVENT_LIMITED, net->a.id) > 0);
	assert_int_equal(refused(net->sw, last, VNET_INGRESS, VNET_GRANT_RATE),
			 15);
	assert_int_equal(refused(net->sw, below, VNET_INGRESS, VNET_GRANT_RATE),
			 17);
	assert_int_equal(refused(net->sw, top, VNET_INGRESS, VNET_GRANT_RATE),
			 29);
	assert_int_equal(test_stats(&net->a).looked_up.frames, 5);
}

/*
 * Clients beside each other
 */

static const struct vnet_bpf_insn all[] = {{0x06, 0, 0, 1}};

static void
test_siblings_and_captures_are_guarded(void **state)
{
	struct net *net = *state;
	struct vnet_port_config config = {
		.size = sizeof(config),
		.name = "vif",
		.flags = VNET_PORT_PER_CLIENT,
		.mac = test_mac(RANGE),
	};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "all",
		.insns = all,
		.ninsns = 1,
	};
	struct vnet_grant g = make("g", seven, 1), h = make("h", many + 2, 1);
	struct fake *x = &net->more[0], *y = &net->more[1];
	vnet_port_id port;
	vnet_grant_id id;

	assert_int_equal(vnet_port_add(net->sw, &config, &port, NULL), 0);
	assert_int_equal(fake_attach(x, net->sw, port, 0, 0), 0);
	assert_int_equal(fake_attach(y, net->sw, port, 0, 0), 0);
	assert_int_equal(vnet_client_set_mac(net->sw, x->id, test_mac(7), NULL),
			 0);
	assert_int_equal(vnet_client_set_mac(net->sw, y->id, test_mac(8), NULL),
			 0);
	id = add(net->sw, &g);
	grant_to(x, id);
	grant_to(y, add(net->sw, &h));
	assert_true(passes(x, 8, 7, 0));
	assert_int_equal(y->nsent, 1);
	assert_false(passes(x, 7, 8, 0));
	assert_true(passes(x, TEST_BROADCAST, 7, 0));
	assert_int_equal(y->nsent, 2);
	/* What the vif writes to others is not for y. */
	assert_int_equal(vnet_filter_add(net->sw, y->id, VNET_RECEIVE_OUT,
					 &rule, NULL),
			 0);
	assert_true(passes(x, 3, 7, 0));
	assert_int_equal(y->nsent, 2);
	assert_int_equal(test_out_drops(y, VNET_DROP_NOT_GRANTED), 1);
	assert_true(passes(x, 8, 7, 0));
	assert_true(passes(x, TEST_BROADCAST, 7, 0));
	assert_int_equal(y->nsent, 4);
	/* And nothing is, once that has ended. */
	assert_int_equal(vnet_grant_revoke(net->sw, id), 0);
	test_send(x, TEST_BROADCAST, 7, 0);
	assert_int_equal(test_in_drops(x, VNET_DROP_REVOKED), 1);
	test_send(y, TEST_BROADCAST, 8, 0);
	assert_int_equal(x->nsent, 0);
}

/* A vif with two clients of address RANGE, and who is at it. */
static void
open_shared(struct net *net, struct fake *x, struct fake *y)
{
	struct vnet_port_config config = {
		.size = sizeof(config),
		.name = "vif",
		.mac = test_mac(RANGE),
	};
	vnet_port_id port;

	assert_int_equal(vnet_port_add(net->sw, &config, &port, NULL), 0);
	assert_int_equal(fake_attach(x, net->sw, port, 0, 0), 0);
	assert_int_equal(fake_attach(y, net->sw, port, 0, 0), 0);
}

static void
test_siblings_do_not_hear_after_the_end(void **state)
{
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "all",
		.insns = all,
		.ninsns = 1,
	};
	struct net *net = *state;
	struct vnet_grant g = make("g", range, 1);
	struct fake *x = &net->more[0], *y = &net->more[1];

	open_shared(net, x, y);
	g.until = SECONDS(5);
	g.max_addresses = 5;
	grant_to(y, add(net->sw, &g));
	test_send(x, TEST_BROADCAST, RANGE, SECONDS(5) - 1);
	assert_int_equal(y->nsent, 1);
	test_send(x, TEST_BROADCAST, RANGE, SECONDS(5));
	assert_int_equal(y->nsent, 1);
	assert_int_equal(vnet_filter_add(net->sw, y->id, VNET_RECEIVE_OUT,
					 &rule, NULL),
			 0);
	test_send(x, TEST_BROADCAST, RANGE, SECONDS(5));
	assert_int_equal(y->nsent, 1);
}

/* What a client that goes leaves to another one of its vif is not what that one
 * may use. */
static void
test_address_is_not_left_to_a_guarded_sibling(void **state)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1), h = make("h", range, 1);
	struct fake *x = &net->more[0], *y = &net->more[1];

	open_shared(net, x, y);
	grant_to(y, add(net->sw, &g));
	h.max_addresses = 2;
	grant_to(&net->a, add(net->sw, &h));
	test_send(x, TEST_BROADCAST, RANGE, 0);
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(RANGE), &e), 0);
	assert_int_equal(vnet_client_remove(net->sw, x->id), 0);
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(RANGE), &e),
			 -ENOENT);
	assert_false(passes(&net->a, 9, RANGE, 0));
	assert_int_equal(vnet_client_remove(net->sw, y->id), 0);
	assert_true(passes(&net->a, 9, RANGE, 0));
}

/*
 * Changes
 */

static void
test_set_forgets_and_holds_from_the_next_frame_on(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", many, 3);
	vnet_grant_id id;

	g.max_addresses = 9;
	id = add(net->sw, &g);
	grant_to(&net->a, id);
	assert_true(passes(&net->a, 9, RANGE + 1, 0));
	assert_true(passes(&net->a, 9, 7, 0));
	test_send(&net->b, RANGE + 1, 3, 0);
	assert_int_equal(net->a.nsent, 1);
	g.macs = seven;
	g.nmacs = 1;
	g.max_addresses = 0;
	assert_int_equal(vnet_grant_set(net->sw, id, &g, NULL, NULL), 0);
	assert_int_equal(look_at(net->sw, id).naddresses, 0);
	assert_false(passes(&net->a, 9, RANGE + 1, 0));
	assert_true(passes(&net->a, 9, 7, 0));
	test_send(&net->b, RANGE + 1, 3, 0);
	assert_int_equal(net->a.nsent, 1);
	grant_to(&net->a, VNET_NO_ID);
	assert_true(passes(&net->a, 9, RANGE + 1, 0));
	assert_int_equal(look_at(net->sw, id).nclients, 0);
}

/* What need not be counted before is counted when it is wider. */
static void
test_wider_grant_is_counted(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1);
	vnet_grant_id id = add(net->sw, &g);

	grant_to(&net->a, id);
	assert_true(passes(&net->a, 9, 7, 0));
	g.macs = many;
	g.nmacs = 3;
	g.max_addresses = 1;
	assert_int_equal(vnet_grant_set(net->sw, id, &g, NULL, NULL), 0);
	assert_true(passes(&net->a, 9, RANGE + 1, 0));
	assert_false(passes(&net->a, 9, RANGE + 2, 0));
	assert_false(passes(&net->a, 9, 7, 0));
}

static struct vnet_grant_info *called;

static void
call_from_send(struct fake *c, const struct vnet_frame *frames, size_t n)
{
	struct vnet_grant g = make("z", seven, 1);
	vnet_grant_id id;

	(void)frames, (void)n;
	assert_int_equal(vnet_grant_add(c->sw, VNET_NO_ID, &g, &id, NULL, NULL),
			 -EBUSY);
	assert_int_equal(vnet_grant_set(c->sw, called->id, &g, NULL, NULL),
			 -EBUSY);
	assert_int_equal(vnet_grant_revoke(c->sw, called->id), -EBUSY);
	assert_int_equal(vnet_client_set_grant(c->sw, c->id, called->id, NULL),
			 -EBUSY);
	called->nclients++;
}

static void
test_nothing_changes_from_inside_send(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1);
	struct vnet_grant_info info = {.id = add(net->sw, &g)};

	called = &info;
	net->b.on_send = call_from_send;
	test_send(&net->a, TEST_BROADCAST, 7, 0);
	assert_int_equal(info.nclients, 1);
	net->b.on_send = NULL;
}

/* What memory there is for, no more and little less. */
static void
test_memory_is_what_full_grants_take(void **state)
{
	static struct vnet_mac_prefix macs[64], groups[64];
	static struct vnet_ipv4_prefix ipv4[64];
	static struct vnet_ipv6_prefix ipv6[64];
	static struct vnet_vlan_range vlans[64];
	static uint16_t types[64];
	struct vnet_switch_config c = {
		.size = sizeof(c),
		.max_ports = 1,
		.max_grants = 40,
		.fdb_entries = 1,
		.pool_octets = 64 * VNET_POOL_BLOCK,
		.max_rules = 1,
		.max_insns = 1 << 16,
		.max_events = 1,
	};
	struct vnet_grant g = {
		.size = sizeof(g),
		.macs = macs,
		.nmacs = 64,
		.groups = groups,
		.ngroups = 64,
		.ipv4 = ipv4,
		.nipv4 = 64,
		.ipv6 = ipv6,
		.nipv6 = 64,
		.vlans = vlans,
		.nvlans = 64,
		.ethertypes = types,
		.nethertypes = 64,
	};
	uint64_t most, programs;
	struct test_alloc alloc;
	struct vnet_switch *sw;
	vnet_grant_id id;
	int n;

	(void)state;
	for (unsigned int i = 0; i < 64; i++) {
		macs[i] = (struct vnet_mac_prefix){test_mac(i), 48};
		groups[i] = macs[i];
		groups[i].mac.octet[0] = 3;
		ipv4[i] = (struct vnet_ipv4_prefix){{10, (uint8_t)i}, 16};
		ipv6[i] = (struct vnet_ipv6_prefix){{0x20, (uint8_t)i}, 16};
		vlans[i] = (struct vnet_vlan_range){(uint16_t)(2 * i),
						    (uint16_t)(2 * i)};
		types[i] = (uint16_t)(0x6000 + i);
	}
	g.name = "x";
	n = vnet_grant_compile(&g, VNET_INGRESS, NULL, 0, NULL) +
	    vnet_grant_compile(&g, VNET_EGRESS, NULL, 0, NULL);
	assert_true(n > 0);
	c.max_insns = 40 * (uint32_t)n;
	programs = 2 * UINT64_C(8) * c.max_insns;
	most = vnet_switch_memory(&c);
	sw = test_switch_of(&alloc, &c);
	for (int i = 0; i < 40; i++) {
		char name[8];

		snprintf(name, sizeof(name), "g%d", i);
		g.name = name;
		id = add(sw, &g);
	}
	g.name = "g39";
	assert_int_equal(vnet_grant_set(sw, id, &g, NULL, NULL), 0);
	assert_true(alloc.peak <= most);
	assert_true(alloc.peak >= most - programs / 2 - most / 10);
	test_switch_end(sw, &alloc);
}

static void
test_failed_allocation_changes_nothing(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", seven, 1), h = make("h", many, 3);
	enum vnet_grant_part part;
	vnet_grant_id id = VNET_NO_ID;
	unsigned int failures = 0;
	size_t used = net->alloc.used;
	int r;

	g.depth = 1;
	h.depth = 2;
	do {
		net->alloc.fail_at = net->alloc.calls + 1 + failures;
		r = vnet_grant_add(net->sw, VNET_NO_ID, &g, &id, &part, NULL);
		net->alloc.fail_at = 0;
		if (!r)
			break;
		failures++;
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(net->alloc.used, used);
		assert_true(id == VNET_NO_ID);
		assert_true(vnet_grant_next(net->sw, VNET_NO_ID) == VNET_NO_ID);
		assert_conserved(net->sw);
	} while (failures < 9);
	assert_int_equal(failures, 2);
	grant_to(&net->a, id);
	assert_true(passes(&net->a, 9, 7, 0));
	used = net->alloc.used;
	net->alloc.fail_at = net->alloc.calls + 1;
	assert_int_equal(vnet_grant_set(net->sw, id, &h, &part, NULL), -ENOMEM);
	assert_int_equal(net->alloc.used, used);
	assert_true(passes(&net->a, 9, 7, 0));
	assert_int_equal(look_at(net->sw, id).naddresses, 1);
	assert_string_equal(look_at(net->sw, id).grant.name, "g");
	net->alloc.fail_at = 0;
	assert_int_equal(vnet_grant_set(net->sw, id, &h, &part, NULL), 0);
	/* Ending one needs none. */
	net->alloc.fail_at = net->alloc.calls + 1;
	assert_int_equal(vnet_grant_revoke(net->sw, id), 0);
	net->alloc.fail_at = 0;
}

static void
test_guards_take_no_memory(void **state)
{
	struct net *net = *state;
	struct vnet_grant g = make("g", many, 3);
	unsigned long calls;

	g.max_addresses = 50;
	g.until = SECONDS(400);
	g.rate = (struct vnet_limit){.size = sizeof(g.rate),
				     .frames_per_s = 100};
	grant_to(&net->a, add(net->sw, &g));
	calls = net->alloc.calls;
	for (unsigned int i = 0; i < 3000; i++) {
		test_send(&net->a, i % 3 ? TEST_BROADCAST : 9, RANGE + i % 999,
			  SECONDS(i) / 5);
		test_send(&net->b, i % 3 ? TEST_BROADCAST : RANGE + i % 999, 9,
			  SECONDS(i) / 5);
		if (i % 100 == 0)
			assert_conserved(net->sw);
	}
	assert_int_equal(net->alloc.calls, calls);
	assert_true(test_in_drops(&net->a, VNET_DROP_REVOKED) > 0);
	assert_true(test_in_drops(&net->a, VNET_DROP_NOT_GRANTED) > 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, net_of_three, net_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_grant_is_copied_and_read_back),
		TEST(test_program_in_use_is_the_one_that_is_compiled),
		TEST(test_ids_are_those_of_grants_alone),
		TEST(test_names_are_unique),
		TEST(test_grants_are_listed_as_they_were_made),
		TEST(test_grants_are_bounded),
		TEST(test_instructions_are_bounded),
		TEST(test_grant_below_is_contained_and_takes_its_share),
		TEST(test_addresses_in_use_are_not_given),
		TEST(test_set_keeps_what_hangs_below),
		TEST(test_client_gives_its_place_back),
		TEST(test_queue_is_bounded_by_grant),
		TEST(test_what_is_not_granted_is_dropped_and_counted),
		TEST(test_what_is_not_granted_is_told_once_until_read),
		TEST(test_what_is_for_others_does_not_come),
		TEST(test_flooded_unicast_within_a_prefix_does_not_come),
		TEST(test_short_segments_are_refused),
		TEST(test_addresses_are_counted),
		TEST(test_clients_are_not_asked_for_each_address),
		TEST(test_no_address_makes_room_for_another_one),
		TEST(test_address_of_a_prefix_is_not_stolen),
		TEST(test_anothers_own_address_is_not_used),
		TEST(test_address_of_another_grant_is_not_used),
		TEST(test_named_address_stays_where_no_grant_has_put_it),
		TEST(test_exact_address_moves),
		TEST(test_exact_addresses_are_counted_where_that_bounds),
		TEST(test_revoking_ends_all_below_under_traffic),
		TEST(test_revoking_one_of_several_clients_leaves_the_others),
		TEST(test_grant_ends_by_itself_without_tick),
		TEST(test_time_is_given_and_taken_by_set),
		TEST(test_rates_of_all_levels_hold),
		TEST(test_siblings_and_captures_are_guarded),
		TEST(test_set_forgets_and_holds_from_the_next_frame_on),
		TEST(test_wider_grant_is_counted),
		TEST(test_nothing_changes_from_inside_send),
		TEST(test_addresses_of_two_grants_below_add_up),
		TEST(test_burst_is_that_of_all_above),
		TEST(test_siblings_do_not_hear_after_the_end),
		TEST(test_address_is_not_left_to_a_guarded_sibling),
		TEST(test_failed_allocation_changes_nothing),
		TEST(test_guards_take_no_memory),
		cmocka_unit_test(test_memory_is_what_full_grants_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
