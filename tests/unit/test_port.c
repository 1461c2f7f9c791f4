/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports: what they are configured to be, how they are found, their links, and
 * what is asked of their chains and of the addresses behind them.
 */
#include <errno.h>

#include "net.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
add_port(struct vnet_switch *sw, const char *name, vnet_port_id *port)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
	};

	return vnet_port_add(sw, &config, port, NULL);
}

static void
test_wrong_configuration_is_refused_with_its_reason(void **state)
{
	static const char name31[] = "0123456789012345678901234567890";
	static const char name32[] = "01234567890123456789012345678901";
	const size_t size = sizeof(struct vnet_port_config);
	const struct {
		struct vnet_port_config config;
		const char *text;
		size_t index;
		uint64_t found;
		uint64_t bound;
	} bad[] = {
		{{.size = size + 8, .name = "x"},
		 "size of the port's configuration",
		 0,
		 size + 8,
		 size},
		{{.size = size}, "port without a name", 1, 0, 0},
		{{.size = size, .name = ""}, "port without a name", 1, 0, 0},
		{{.size = size, .name = name32},
		 "port name too long",
		 1,
		 32,
		 31},
		{{.size = size, .name = "x", .role = (enum vnet_role)2},
		 "unknown role",
		 2,
		 2,
		 1},
		{{.size = size, .name = "x", .mac = {{0x03, 0, 0, 0, 0, 1}}},
		 "port address is a group",
		 3,
		 3,
		 0},
		{{.size = size, .name = "x", .mtu = 67},
		 "mtu too small",
		 4,
		 67,
		 68},
		{{.size = size, .name = "x", .mtu = 65536},
		 "mtu too large",
		 4,
		 65536,
		 65535},
	};
	struct net *net = *state;
	vnet_port_id id = 77;

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct vnet_why why = {0};

		assert_int_equal(vnet_port_add(net->sw, &bad[i].config, &id,
					       &why),
				 -EINVAL);
		assert_string_equal(why.text, bad[i].text);
		assert_int_equal(why.index, bad[i].index);
		assert_int_equal(why.found, bad[i].found);
		assert_int_equal(why.bound, bad[i].bound);
		assert_int_equal(vnet_port_add(net->sw, &bad[i].config, &id,
					       NULL),
				 -EINVAL);
		assert_int_equal(id, 77);
	}
	assert_int_equal(add_port(net->sw, name31, &id), 0);
	assert_true(vnet_port_find(net->sw, name31) == id);
}

static void
test_port_is_what_its_configuration_says(void **state)
{
	char name[] = "uplink";
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
		.role = VNET_ROLE_UPLINK,
		.mac = {{2, 3, 4, 5, 6, 7}},
		.mtu = 9000,
		.link_down = true,
	};
	struct vnet_port_info info = {.size = sizeof(info)};
	struct net *net = *state;
	vnet_port_id id;

	assert_int_equal(vnet_port_add(net->sw, &config, &id, NULL), 0);
	name[0] = 'X'; /* it was copied */
	assert_int_equal(vnet_port_get(net->sw, id, &info), 0);
	assert_true(info.id == id);
	assert_true(info.client == VNET_NO_ID);
	assert_string_equal(info.name, "uplink");
	assert_int_equal(info.role, VNET_ROLE_UPLINK);
	assert_memory_equal(&info.mac, &config.mac, 6);
	assert_int_equal(info.mtu, 9000);
	assert_false(info.link);

	assert_int_equal(vnet_port_get(net->sw, net->a.port, &info), 0);
	assert_true(info.client == net->a.id);
	assert_int_equal(info.role, VNET_ROLE_VIF);
	assert_int_equal(info.mtu, VNET_MTU_DEFAULT);
	assert_true(info.link);
	info.size--;
	assert_int_equal(vnet_port_get(net->sw, net->a.port, &info), -EINVAL);
}

static void
test_address_of_a_name_is_always_the_same(void **state)
{
	uint8_t seed[16] = {1, 2, 3};
	struct vnet_mac a, b;

	(void)state;
	a = vnet_mac_derive(seed, "vif0");
	b = vnet_mac_derive(seed, "vif0");
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(a.octet[0] & 3, 2);
	b = vnet_mac_derive(seed, "vif1");
	assert_memory_not_equal(&a, &b, sizeof(a));
	seed[15] = 1;
	b = vnet_mac_derive(seed, "vif0");
	assert_memory_not_equal(&a, &b, sizeof(a));
}

static void
test_name_is_unique_in_its_switch(void **state)
{
	struct net *net = *state;
	vnet_port_id id = 77;

	assert_int_equal(add_port(net->sw, "a", &id), -EEXIST);
	assert_int_equal(id, 77);
	assert_true(vnet_port_find(net->sw, "a") == net->a.port);
	assert_true(vnet_port_find(net->sw, "nobody") == VNET_NO_ID);
	assert_true(vnet_port_find(net->sw, "") == VNET_NO_ID);
	assert_int_equal(add_port(net->sw, "aa", &id), 0);
	assert_true(vnet_port_find(net->sw, "a") == net->a.port);
	assert_int_equal(vnet_port_remove(net->sw, net->a.port), 0);
	assert_true(vnet_port_find(net->sw, "a") == VNET_NO_ID);
	assert_int_equal(add_port(net->sw, "a", &id), 0);
	assert_true(id != net->a.port);
}

static void
test_no_more_ports_than_configured_are_added(void **state)
{
	struct net *net = *state;
	char name[] = "0";
	vnet_port_id id;

	for (int i = 0; i < 6; i++, name[0]++)
		assert_int_equal(add_port(net->sw, name, &id), 0);
	assert_int_equal(add_port(net->sw, "x", &id), -ENOSPC);
	assert_int_equal(vnet_port_remove(net->sw, id), 0);
	for (int i = 0; i < 3; i++)
		vnet_switch_tick(net->sw, 0);
	assert_int_equal(add_port(net->sw, "x", &id), 0);
}

/* Everything that the headers offer for an id, on one that has gone. */
static void
assert_gone(struct vnet_switch *sw, vnet_port_id id)
{
	static const struct vnet_bpf_insn insn = {0x06, 0, 0, 1};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "r",
		.insns = &insn,
		.ninsns = 1,
	};
	struct vnet_port_info info = {.size = sizeof(info)};
	struct vnet_rule_info r = {.size = sizeof(r)};
	static struct fake fake;
	enum vnet_verdict verdict;

	assert_int_equal(vnet_port_get(sw, id, &info), -ENOENT);
	assert_int_equal(vnet_port_remove(sw, id), -ENOENT);
	assert_int_equal(vnet_port_set_link(sw, id, true), -ENOENT);
	assert_int_equal(vnet_port_set_mtu(sw, id, 1500), -ENOENT);
	assert_int_equal(fake_attach(&fake, sw, id, 0, 0), -ENOENT);
	assert_int_equal(vnet_filter_add(sw, id, VNET_INGRESS, &rule, NULL),
			 -ENOENT);
	assert_int_equal(vnet_filter_remove(sw, id, VNET_INGRESS, "r"),
			 -ENOENT);
	assert_int_equal(vnet_filter_set_default(sw, id, VNET_INGRESS,
						 VNET_DROP),
			 -ENOENT);
	assert_int_equal(vnet_filter_get(sw, id, VNET_INGRESS, 0, &r), -ENOENT);
	assert_int_equal(vnet_filter_get_default(sw, id, VNET_INGRESS, &verdict,
						 NULL),
			 -ENOENT);
	if (id != VNET_NO_ID)
		assert_int_equal(vnet_fdb_flush(sw, id), -ENOENT);
}

static void
test_port_that_has_gone_is_never_found_again(void **state)
{
	struct net *net = *state;
	vnet_port_id old[100];

	for (size_t i = 0; i < COUNT(old); i++) {
		assert_int_equal(add_port(net->sw, "x", &old[i]), 0);
		for (size_t k = 0; k < i; k++) {
			assert_true(old[k] != old[i]);
			assert_gone(net->sw, old[k]);
		}
		assert_int_equal(vnet_port_remove(net->sw, old[i]), 0);
		assert_gone(net->sw, old[i]);
		vnet_switch_tick(net->sw, 0);
	}
	assert_int_equal((uint32_t)old[0], (uint32_t)old[COUNT(old) - 1]);
	assert_gone(net->sw, VNET_NO_ID);
	assert_gone(net->sw, UINT64_MAX);
	assert_gone(net->sw, net->a.port + 8);
	/* A client's id is no port's, but where they happen to be equal. */
	assert_true(vnet_client_port(net->sw, net->a.id) == net->a.port);
}

static void
test_walk_is_not_disturbed_by_ports_that_are_removed(void **state)
{
	struct net *net = *state;
	vnet_port_id id[6];
	char name[] = "0";
	size_t seen = 0;

	for (size_t i = 0; i < COUNT(id); i++, name[0]++)
		assert_int_equal(add_port(net->sw, name, &id[i]), 0);
	assert_true(vnet_port_next(net->sw, VNET_NO_ID) == net->a.port);
	assert_true(vnet_port_next(net->sw, net->a.port) == net->b.port);
	assert_int_equal(vnet_port_remove(net->sw, id[2]), 0);
	for (vnet_port_id at = net->b.port;
	     (at = vnet_port_next(net->sw, at)) != VNET_NO_ID; seen++) {
		assert_true(at == id[seen < 2 ? seen : seen + 1]);
		/* The one it stands on. */
		assert_int_equal(vnet_port_remove(net->sw, at), 0);
	}
	assert_int_equal(seen, 5);
	assert_int_equal(vnet_port_remove(net->sw, net->a.port), 0);
	assert_int_equal(vnet_port_remove(net->sw, net->b.port), 0);
	assert_true(vnet_port_next(net->sw, VNET_NO_ID) == VNET_NO_ID);
	assert_true(vnet_port_next(net->sw, UINT64_MAX - 1) == VNET_NO_ID);
}

static void
test_port_may_be_up_without_a_client(void **state)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	struct net *net = *state;

	assert_int_equal(vnet_client_remove(net->sw, net->b.id), 0);
	assert_int_equal(vnet_port_get(net->sw, net->b.port, &info), 0);
	assert_true(info.link);
	assert_true(info.client == VNET_NO_ID);
	assert_int_equal(vnet_port_set_link(net->sw, net->b.port, false), 0);
	assert_int_equal(vnet_port_set_link(net->sw, net->b.port, true), 0);
	test_send(&net->a, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(test_in_drops(&net->a, VNET_DROP_NO_DESTINATION), 1);
	/* Rules and link are the port's, and stay for the next client. */
	assert_int_equal(vnet_filter_set_default(net->sw, net->b.port,
						 VNET_EGRESS, VNET_DROP),
			 0);
	assert_int_equal(fake_attach(&net->b, net->sw, net->b.port, 0, 0), 0);
	test_send(&net->a, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(test_out_drops(&net->b, VNET_DROP_EGRESS_FILTER), 1);
}

static void
test_port_is_added_with_its_link_down(void **state)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = "c",
		.link_down = true,
	};
	struct net *net = *state;
	vnet_port_id id;

	assert_int_equal(vnet_port_add(net->sw, &config, &id, NULL), 0);
	assert_int_equal(fake_attach(&net->c, net->sw, id, 0, 0), 0);
	test_send(&net->a, TEST_BROADCAST, 0xa, 0);
	test_send(&net->c, TEST_BROADCAST, 0xc, 0);
	assert_int_equal(net->c.nsent, 0);
	assert_int_equal(net->b.nsent, 1);
	assert_int_equal(vnet_port_set_link(net->sw, id, true), 0);
	test_send(&net->a, TEST_BROADCAST, 0xa, 0);
	assert_int_equal(net->c.nsent, 1);
}

static void
test_mtu_is_changed_within_its_bounds(void **state)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	struct net *net = *state;

	assert_int_equal(vnet_port_set_mtu(net->sw, net->b.port, 67), -EINVAL);
	assert_int_equal(vnet_port_set_mtu(net->sw, net->b.port, 65536),
			 -EINVAL);
	assert_int_equal(vnet_port_set_mtu(net->sw, net->b.port, 0), -EINVAL);
	assert_int_equal(vnet_port_set_mtu(net->sw, net->b.port, 68), 0);
	assert_int_equal(vnet_port_set_mtu(net->sw, net->b.port, 65535), 0);
	assert_int_equal(vnet_port_get(net->sw, net->b.port, &info), 0);
	assert_int_equal(info.mtu, 65535);
}

/* Of the largest that there may be, queued and all. */
static void
test_longest_frame_goes_through(void **state)
{
	static uint8_t octets[14 + 8 + 65535];
	struct net *net = *state;
	struct vnet_frame f;

	memcpy(octets, test_frame(0xb, 0xa, 14).data, 14);
	for (size_t i = 14; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i >> 8 ^ i);
	memcpy(octets + 12, "\x81\0\0\1\x81\0\0\2\x88\xb5", 10);
	assert_int_equal(vnet_port_set_mtu(net->sw, net->b.port, 65535), 0);
	f = (struct vnet_frame){.data = octets, .len = sizeof(octets)};
	vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
	assert_int_equal(net->b.nsent, 1);
	assert_memory_equal(net->b.last.data, octets, sizeof(octets));
	net->b.room = 0;
	for (int i = 0; i < 3; i++)
		vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
	memset(net->b.data, 0, sizeof(octets));
	net->b.room = FAKE_ENDLESS;
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 9, 0), 3);
	assert_memory_equal(net->b.last.data, octets, sizeof(octets));
	/* Two tags out of band, two in the octets: those in the octets are then
	 * behind the two that the MTU leaves out. */
	f.len -= 8;
	f.ntags = 2;
	f.tag[0] = (struct vnet_tag){0x88a8, 1};
	f.tag[1] = (struct vnet_tag){0x8100, 2};
	vnet_switch_input(net->sw, net->a.id, &f, 1, 0);
	assert_int_equal(net->b.nsent, 5);
	assert_int_equal(net->b.last.len, sizeof(octets));
}

/* More of them in one batch than there is room to put their tags in at once. */
static void
test_batch_of_longest_frames_gets_its_tags(void **state)
{
	static uint8_t octets[14 + 65535];
	struct net *net = *state;
	struct vnet_frame f[9];
	uint64_t stream;

	memcpy(octets, test_frame(0xb, 0xa, 14).data, 14);
	assert_int_equal(vnet_port_set_mtu(net->sw, net->b.port, 65535), 0);
	for (size_t i = 0; i < COUNT(f); i++) {
		f[i] = (struct vnet_frame){
			.data = octets, .len = (uint32_t)(sizeof(octets) - i)};
		f[i].ntags = 2;
		f[i].tag[0] = (struct vnet_tag){0x88a8, (uint16_t)i};
		f[i].tag[1] = (struct vnet_tag){0x8100, 1};
		vnet_switch_input(net->sw, net->a.id, &f[i], 1, 0);
		assert_int_equal(net->b.last.len, f[i].len + 8);
	}
	stream = net->b.stream;
	net->b.stream = TEST_HASH_INIT;
	vnet_switch_input(net->sw, net->a.id, f, COUNT(f), 0);
	assert_int_equal(net->b.nsent, 2 * COUNT(f));
	assert_true(net->b.stream == stream);
	/* The same by way of the queue, which holds three. */
	net->b.room = 0;
	vnet_switch_input(net->sw, net->a.id, f, 3, 0);
	net->b.room = FAKE_ENDLESS;
	assert_int_equal(vnet_client_output(net->sw, net->b.id, 9, 0), 3);
	assert_int_equal(net->b.last.data[15], 2);
}

/* Chains: what is answered; what they do is in test_forward.c. */

static const struct vnet_bpf_insn return_all[] = {{0x06, 0, 0, 0xffffffff}};

static struct vnet_rule
make_rule(const char *name, uint32_t priority)
{
	return (struct vnet_rule){
		.size = sizeof(struct vnet_rule),
		.name = name,
		.priority = priority,
		.insns = return_all,
		.ninsns = 1,
	};
}

static void
test_rules_are_read_in_the_order_in_which_they_run(void **state)
{
	static const char *const order[] = {"first", "second", "third"};
	struct vnet_rule_info info = {.size = sizeof(info)};
	struct net *net = *state;
	struct vnet_rule rule = make_rule("third", 9);

	assert_int_equal(vnet_filter_add(net->sw, net->a.port, VNET_EGRESS,
					 &rule, NULL),
			 0);
	rule = make_rule("first", 5);
	rule.verdict = VNET_DROP;
	assert_int_equal(vnet_filter_add(net->sw, net->a.port, VNET_EGRESS,
					 &rule, NULL),
			 0);
	rule = make_rule("second", 5);
	assert_int_equal(vnet_filter_add(net->sw, net->a.port, VNET_EGRESS,
					 &rule, NULL),
			 0);
	assert_int_equal(vnet_filter_add(net->sw, net->a.port, VNET_EGRESS,
					 &rule, NULL),
			 -EEXIST);
	/* Unique in its chain alone. */
	assert_int_equal(vnet_filter_add(net->sw, net->a.port, VNET_INGRESS,
					 &rule, NULL),
			 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(vnet_filter_get(net->sw, net->a.port,
						 VNET_EGRESS, i, &info),
				 0);
		assert_string_equal(info.name, order[i]);
		assert_int_equal(info.priority, i < 2 ? 5 : 9);
		assert_int_equal(info.verdict, i ? VNET_PASS : VNET_DROP);
		assert_int_equal(info.ninsns, 1);
		assert_int_equal(info.hits, 0);
	}
	assert_int_equal(vnet_filter_get(net->sw, net->a.port, VNET_EGRESS, 3,
					 &info),
			 -ENOENT);
	info.size = 3;
	assert_int_equal(vnet_filter_get(net->sw, net->a.port, VNET_EGRESS, 0,
					 &info),
			 -EINVAL);
	assert_int_equal(vnet_filter_remove(net->sw, net->a.port, VNET_EGRESS,
					    "nobody"),
			 -ENOENT);
	assert_int_equal(vnet_filter_remove(net->sw, net->a.port, VNET_EGRESS,
					    "first"),
			 0);
	assert_int_equal(vnet_filter_remove(net->sw, net->a.port, VNET_EGRESS,
					    "first"),
			 -ENOENT);
}

static void
test_wrong_rule_is_refused_with_its_reason(void **state)
{
	static const struct vnet_bpf_insn bad[] = {
		{0x06, 0, 0, 1}, {0xff, 0, 0, 1}, {0x06, 0, 0, 1}};
	struct net *net = *state;
	struct vnet_rule rule = make_rule("x", 0);
	struct vnet_why why = {0};

	rule.insns = bad;
	rule.ninsns = COUNT(bad);
	assert_int_equal(vnet_filter_add(net->sw, net->a.port, VNET_INGRESS,
					 &rule, &why),
			 -EINVAL);
	assert_non_null(why.text);
	assert_int_equal(why.index, 1);
	assert_int_equal(why.found, 0xff);
	rule = make_rule("x", 0);
	assert_int_equal(vnet_filter_add(net->sw, net->a.port, VNET_NSIDES,
					 &rule, &why),
			 -EINVAL);
	assert_string_equal(why.text, "side that the owner lacks");
	assert_int_equal(vnet_filter_set_default(net->sw, net->a.port,
						 VNET_INGRESS,
						 (enum vnet_verdict)2),
			 -EINVAL);
}

static void
test_rules_and_instructions_of_all_ports_are_bounded_together(void **state)
{
	struct test_alloc alloc;
	const struct vnet_switch_config config = {
		.max_rules = 3,
		.max_insns = 10,
		.max_program = 8,
	};
	const struct vnet_bpf_insn insns[9] = {
		{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0},
		{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0},
		{0, 0, 0, 0}, {0, 0, 0, 0}, {0x06, 0, 0, 0},
	};
	struct vnet_rule rule = make_rule("1", 0);
	struct vnet_switch *sw = test_switch_of(&alloc, &config);
	const vnet_port_id a = test_port(sw, "a"), b = test_port(sw, "b");
	struct vnet_why why;

	(void)state;
	rule.insns = insns;
	rule.ninsns = 9;
	assert_int_equal(vnet_filter_add(sw, a, VNET_INGRESS, &rule, &why),
			 -EINVAL);
	assert_int_equal(why.found, 9);
	assert_int_equal(why.bound, 8);
	rule.insns = insns + 1;
	rule.ninsns = 8;
	assert_int_equal(vnet_filter_add(sw, a, VNET_INGRESS, &rule, NULL), 0);
	rule.insns = insns + 6;
	rule.ninsns = 3;
	assert_int_equal(vnet_filter_add(sw, b, VNET_INGRESS, &rule, NULL),
			 -ENOSPC);
	rule = make_rule("1", 0);
	assert_int_equal(vnet_filter_add(sw, b, VNET_INGRESS, &rule, NULL), 0);
	assert_int_equal(vnet_filter_add(sw, b, VNET_EGRESS, &rule, NULL), 0);
	rule = make_rule("2", 0);
	assert_int_equal(vnet_filter_add(sw, b, VNET_EGRESS, &rule, NULL),
			 -ENOSPC);
	/* What a port had comes back with it. */
	assert_int_equal(vnet_port_remove(sw, a), 0);
	assert_int_equal(vnet_filter_add(sw, b, VNET_EGRESS, &rule, NULL), 0);
	test_switch_end(sw, &alloc);
}

/* Addresses */

static int
lookup(const struct net *net, unsigned int number, struct vnet_fdb_entry *e)
{
	e->size = sizeof(*e);
	return vnet_fdb_lookup(net->sw, test_mac(number), e);
}

static void
test_entry_says_where_and_how_old(void **state)
{
	struct net *net = *state;
	struct vnet_fdb_entry e;

	test_send(&net->b, TEST_BROADCAST, 0xb, SECONDS(100));
	vnet_switch_tick(net->sw, SECONDS(142));
	assert_int_equal(lookup(net, 0xb, &e), 0);
	assert_memory_equal(&e.mac, &test_frame(0, 0xb, 0).data[6], 6);
	assert_true(e.port == net->b.port);
	assert_true(e.client == net->b.id);
	assert_false(e.is_static);
	assert_int_equal(e.age_s, 42);
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(0xb), net->a.id), 0);
	vnet_switch_tick(net->sw, SECONDS(200));
	assert_int_equal(lookup(net, 0xb, &e), 0);
	assert_true(e.port == net->a.port);
	assert_true(e.is_static);
	assert_int_equal(e.age_s, 0);
	e.size++;
	assert_int_equal(vnet_fdb_lookup(net->sw, test_mac(0xb), &e), -EINVAL);
}

static void
test_only_addresses_of_stations_are_pinned(void **state)
{
	static const struct vnet_mac zero;
	static const struct vnet_mac group = {{0x01, 0, 0x5e, 0, 0, 1}};
	struct net *net = *state;
	struct vnet_fdb_entry e = {.size = sizeof(e)};

	assert_int_equal(vnet_fdb_add(net->sw, zero, net->a.id), -EINVAL);
	assert_int_equal(vnet_fdb_add(net->sw, group, net->a.id), -EINVAL);
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(TEST_BROADCAST),
				      net->a.id),
			 -EINVAL);
	assert_int_equal(vnet_fdb_remove(net->sw, zero), -ENOENT);
	assert_int_equal(vnet_fdb_remove(net->sw, group), -ENOENT);
	assert_int_equal(vnet_fdb_lookup(net->sw, zero, &e), -ENOENT);
	assert_int_equal(vnet_fdb_lookup(net->sw, group, &e), -ENOENT);
}

static void
test_address_is_forgotten_when_asked(void **state)
{
	struct net *net = *state;
	struct vnet_fdb_entry e;

	test_send(&net->b, TEST_BROADCAST, 0xb, 0);
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(0xbb), net->b.id), 0);
	assert_int_equal(vnet_fdb_remove(net->sw, test_mac(0xb)), 0);
	assert_int_equal(vnet_fdb_remove(net->sw, test_mac(0xbb)), 0);
	assert_int_equal(vnet_fdb_remove(net->sw, test_mac(0xbb)), -ENOENT);
	assert_int_equal(lookup(net, 0xb, &e), -ENOENT);
	assert_int_equal(lookup(net, 0xbb, &e), -ENOENT);
	/* What has aged is not there, swept or not. */
	test_send(&net->b, TEST_BROADCAST, 0xb, 0);
	test_send(&net->b, TEST_BROADCAST, 0xc, SECONDS(300));
	assert_int_equal(lookup(net, 0xb, &e), -ENOENT);
	assert_int_equal(vnet_fdb_remove(net->sw, test_mac(0xb)), -ENOENT);
}

static void
test_flush_takes_what_was_learned_on_a_port(void **state)
{
	struct net *net = *state;
	struct vnet_fdb_entry e;

	for (unsigned int i = 0; i < 1000; i++) {
		test_send(&net->a, TEST_BROADCAST, 0xa000 + i, 0);
		test_send(&net->b, TEST_BROADCAST, 0xb000 + i, 0);
	}
	assert_int_equal(vnet_fdb_add(net->sw, test_mac(0xbb), net->b.id), 0);
	assert_int_equal(vnet_fdb_flush(net->sw, net->b.port), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		assert_int_equal(lookup(net, 0xa000 + i, &e), 0);
		assert_int_equal(lookup(net, 0xb000 + i, &e), -ENOENT);
	}
	assert_int_equal(lookup(net, 0xbb, &e), 0);
	assert_int_equal(vnet_fdb_flush(net->sw, VNET_NO_ID), 0);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(lookup(net, 0xa000 + i, &e), -ENOENT);
	assert_int_equal(lookup(net, 0xbb, &e), 0);
	/* A port without a client has nothing to flush. */
	assert_int_equal(vnet_client_remove(net->sw, net->b.id), 0);
	assert_int_equal(vnet_fdb_flush(net->sw, net->b.port), 0);
}

static void
test_memory_of_what_was_flushed_comes_back_by_the_tick(void **state)
{
	struct net *net = *state;
	unsigned int ticks = 0;

	for (unsigned int i = 0; i < 3000; i++)
		test_send(&net->b, TEST_BROADCAST, 0xb000 + i, 0);
	assert_int_equal(vnet_fdb_flush(net->sw, VNET_NO_ID), 0);
	while (vnet_switch_deadline(net->sw) == 0) {
		uint32_t before = test_switch_stats(net->sw).fdb_entries;

		vnet_switch_tick(net->sw, 0);
		assert_true(before - test_switch_stats(net->sw).fdb_entries <=
			    256);
		ticks++;
	}
	assert_int_equal(test_switch_stats(net->sw).fdb_entries, 0);
	assert_in_range(ticks, 10, 30);
}

static void
test_walk_sees_what_is_there_all_the_while(void **state)
{
	struct net *net = *state;
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	bool seen[2000] = {false};
	uint64_t cursor = 0;
	unsigned int step = 0;
	int r;

	for (unsigned int i = 0; i < 2000; i++)
		assert_int_equal(vnet_fdb_add(net->sw, test_mac(0xb000 + i),
					      net->b.id),
				 0);
	while ((r = vnet_fdb_next(net->sw, &cursor, &e)) != 0) {
		assert_true(r == 1 || r == -EAGAIN);
		/* Others come and go. */
		test_send(&net->a, TEST_BROADCAST, 0x100000 + step, 0);
		vnet_fdb_remove(net->sw, test_mac(0x100000 + step / 2));
		step++;
		if (r == 1 && e.is_static)
			seen[(e.mac.octet[4] << 8 | e.mac.octet[5]) - 0xb000] =
				true;
	}
	for (unsigned int i = 0; i < 2000; i++)
		assert_true(seen[i]);
	e.size = 1;
	assert_int_equal(vnet_fdb_next(net->sw, &cursor, &e), -EINVAL);
}

static void
test_walk_through_an_empty_table_ends(void **state)
{
	struct test_alloc alloc;
	const struct vnet_switch_config config = {
		.fdb_entries = 10000,
	};
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	struct vnet_switch *sw = test_switch_of(&alloc, &config);
	uint64_t cursor = 0;
	int r, n = 0;

	(void)state;
	while ((r = vnet_fdb_next(sw, &cursor, &e)) == -EAGAIN)
		n++;
	assert_int_equal(r, 0);
	assert_in_range(n, 1, 100); /* bounded, and few */
	assert_int_equal(vnet_fdb_next(sw, &cursor, &e), 0);
	test_switch_end(sw, &alloc);
}

static void
test_full_table_evicts_whoever_learned_most(void **state)
{
	struct test_alloc alloc;
	const struct vnet_switch_config config = {
		.max_ports = 4,
		.fdb_entries = 64,
	};
	struct vnet_switch_stats s;
	struct fake *x = calloc(2, sizeof(*x));
	struct vnet_fdb_entry e = {.size = sizeof(e)};
	struct vnet_switch *sw = test_switch_of(&alloc, &config);

	(void)state;
	assert_int_equal(fake_open(&x[0], sw, "0", VNET_ROLE_VIF, 0), 0);
	assert_int_equal(fake_open(&x[1], sw, "1", VNET_ROLE_VIF, 0), 0);
	for (unsigned int i = 0; i < 10; i++)
		test_send(&x[0], TEST_BROADCAST, 1 + i, 0);
	for (unsigned int i = 0; i < 1000; i++)
		test_send(&x[1], TEST_BROADCAST, 1000 + i, 0);
	s = test_switch_stats(sw);
	assert_int_equal(s.fdb_entries, 64);
	assert_int_equal(s.fdb_evictions, 1000 - 54);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(vnet_fdb_lookup(sw, test_mac(1 + i), &e), 0);
	/* The oldest went. */
	assert_int_equal(vnet_fdb_lookup(sw, test_mac(1000 + 999), &e), 0);
	assert_int_equal(vnet_fdb_lookup(sw, test_mac(1000 + 900), &e),
			 -ENOENT);
	/* Static entries never go. */
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(vnet_fdb_add(sw, test_mac(5000 + i), x[0].id),
				 0);
	assert_int_equal(vnet_fdb_add(sw, test_mac(9999), x[0].id), -ENOSPC);
	test_send(&x[1], TEST_BROADCAST, 7777, 0);
	s = test_switch_stats(sw);
	assert_int_equal(s.fdb_unlearned, 1);
	assert_int_equal(vnet_fdb_lookup(sw, test_mac(7777), &e), -ENOENT);
	test_switch_end(sw, &alloc);
	free(x);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, net_of_two, net_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wrong_configuration_is_refused_with_its_reason),
		TEST(test_port_is_what_its_configuration_says),
		TEST(test_address_of_a_name_is_always_the_same),
		TEST(test_name_is_unique_in_its_switch),
		TEST(test_no_more_ports_than_configured_are_added),
		TEST(test_port_that_has_gone_is_never_found_again),
		TEST(test_walk_is_not_disturbed_by_ports_that_are_removed),
		TEST(test_port_may_be_up_without_a_client),
		TEST(test_port_is_added_with_its_link_down),
		TEST(test_mtu_is_changed_within_its_bounds),
		TEST(test_longest_frame_goes_through),
		TEST(test_batch_of_longest_frames_gets_its_tags),
		TEST(test_rules_are_read_in_the_order_in_which_they_run),
		TEST(test_wrong_rule_is_refused_with_its_reason),
		TEST(test_rules_and_instructions_of_all_ports_are_bounded_together),
		TEST(test_entry_says_where_and_how_old),
		TEST(test_only_addresses_of_stations_are_pinned),
		TEST(test_address_is_forgotten_when_asked),
		TEST(test_flush_takes_what_was_learned_on_a_port),
		TEST(test_memory_of_what_was_flushed_comes_back_by_the_tick),
		TEST(test_walk_sees_what_is_there_all_the_while),
		TEST(test_walk_through_an_empty_table_ends),
		TEST(test_full_table_evicts_whoever_learned_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
