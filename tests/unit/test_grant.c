/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants by themselves: what is one, and which is contained in which. Random
 * ones, of addresses so few that all of them can be looked at, are compared
 * address by address.
 */
#include <errno.h>

#include "support.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct vnet_mac_prefix mac[] = {{{{2, 0, 0, 0, 0, 1}}, 48}};

static struct vnet_grant
make(void)
{
	return (struct vnet_grant){
		.size = sizeof(struct vnet_grant),
		.name = "g",
		.macs = mac,
		.nmacs = 1,
		.depth = 1,
	};
}

static void
assert_good(const struct vnet_grant *g)
{
	enum vnet_grant_part part = VNET_GRANT_NPARTS;
	struct vnet_why why = {.text = NULL};

	assert_int_equal(vnet_grant_check(g, &part, &why), 0);
	assert_int_equal(part, VNET_GRANT_NPARTS);
	assert_null(why.text);
}

/* It is none, because of entry @index of @part. */
static void
assert_bad(const struct vnet_grant *g, enum vnet_grant_part part, size_t index)
{
	enum vnet_grant_part is = VNET_GRANT_NPARTS;
	struct vnet_why why = {.text = NULL};

	assert_int_equal(vnet_grant_check(g, &is, &why), -EINVAL);
	assert_int_equal(is, part);
	assert_non_null(why.text);
	assert_int_equal(why.index, index);
	assert_int_equal(vnet_grant_check(g, NULL, NULL), -EINVAL);
}

static void
assert_contained(const struct vnet_grant *outer, const struct vnet_grant *inner)
{
	enum vnet_grant_part part = VNET_GRANT_NPARTS;
	struct vnet_why why = {.text = NULL};

	assert_good(outer);
	assert_good(inner);
	assert_int_equal(vnet_grant_contains(outer, inner, &part, &why), 0);
	assert_int_equal(part, VNET_GRANT_NPARTS);
	assert_null(why.text);
}

/* It is not, because of entry @index of @part. */
static void
assert_beyond(const struct vnet_grant *outer, const struct vnet_grant *inner,
	      enum vnet_grant_part part, size_t index)
{
	enum vnet_grant_part is = VNET_GRANT_NPARTS;
	struct vnet_why why = {.text = NULL};

	assert_good(outer);
	assert_good(inner);
	assert_int_equal(vnet_grant_contains(outer, inner, &is, &why), -EPERM);
	assert_int_equal(is, part);
	assert_non_null(why.text);
	assert_int_equal(why.index, index);
	assert_int_equal(vnet_grant_contains(outer, inner, NULL, NULL), -EPERM);
}

/*
 * What is one
 */

static void
test_least_and_largest_grants_are_good(void **state)
{
	static struct vnet_mac_prefix macs[64], groups[64];
	static struct vnet_ipv4_prefix ipv4[64];
	static struct vnet_ipv6_prefix ipv6[64];
	static struct vnet_vlan_range vlans[64];
	static uint16_t types[64];
	struct vnet_grant g = make();

	(void)state;
	assert_good(&g);
	for (size_t i = 0; i < 64; i++) {
		groups[i] = (struct vnet_mac_prefix){{{1, 2, 3, 4, 5, 6}}, 48};
		types[i] = 0xffff;
		ipv4[i].bits = i % 2 ? 32 : 0;
		ipv6[i].bits = i % 2 ? 128 : 0;
		macs[i].bits = i % 2 ? 7 : 0;
		vlans[i].last = 4094;
	}
	g.name = "0123456789012345678901234567890";
	g.macs = macs;
	g.groups = groups;
	g.ipv4 = ipv4;
	g.ipv6 = ipv6;
	g.vlans = vlans;
	g.ethertypes = types;
	g.nmacs = g.ngroups = g.nipv4 = g.nipv6 = 64;
	g.nvlans = g.nethertypes = 64;
	g.may = 127;
	g.max_addresses = g.max_clients = g.queue_octets = UINT32_MAX;
	g.depth = VNET_GRANT_MAX_DEPTH - 1;
	g.until = UINT64_MAX;
	g.rate = (struct vnet_limit){.size = sizeof(g.rate),
				     .frames_per_s = VNET_LIMIT_RATE_MAX,
				     .burst_frames = VNET_LIMIT_BURST_MAX};
	assert_good(&g);
}

static void
test_what_is_wrong_is_said(void **state)
{
	struct vnet_mac_prefix macs[2] = {mac[0], mac[0]};
	struct vnet_mac_prefix groups[2] = {{{{0x33, 0x33}}, 16},
					    {{{0x33, 0x33}}, 16}};
	struct vnet_ipv4_prefix ipv4[2] = {{{10}, 8}, {{10}, 8}};
	struct vnet_ipv6_prefix ipv6[2] = {{{0x20, 1}, 16}, {{0x20, 1}, 16}};
	struct vnet_vlan_range vlans[2] = {{1, 4094}, {0, 0}};
	static const uint16_t known[] = {0x5ff,  0,      0x800,  0x806, 0x86dd,
					 0x8100, 0x88a8, 0x9100, 0x9200};
	uint16_t types[2] = {0x600, 0x88b5};
	struct vnet_grant g = make(), good;

	(void)state;
	g.macs = macs;
	g.groups = groups;
	g.ipv4 = ipv4;
	g.ipv6 = ipv6;
	g.vlans = vlans;
	g.ethertypes = types;
	g.nmacs = g.ngroups = g.nipv4 = g.nipv6 = 2;
	g.nvlans = g.nethertypes = 2;
	assert_good(&g);
	good = g;

	g.size--;
	assert_bad(&g, VNET_GRANT_UNDECIDED, 0);
	g = good;
	g.name = NULL;
	assert_bad(&g, VNET_GRANT_UNDECIDED, 0);
	g.name = "";
	assert_bad(&g, VNET_GRANT_UNDECIDED, 0);
	g.name = "01234567890123456789012345678901";
	assert_bad(&g, VNET_GRANT_UNDECIDED, 0);
	g = good;
	g.may = 128;
	assert_bad(&g, VNET_GRANT_UNDECIDED, 0);
	g = good;

	g.nmacs = 0;
	assert_bad(&g, VNET_GRANT_MACS, 0);
	g.nmacs = 65;
	assert_bad(&g, VNET_GRANT_MACS, 65);
	g = good;
	g.ipv4 = NULL;
	assert_bad(&g, VNET_GRANT_IPV4, 0);
	g = good;
	macs[1].bits = 49;
	assert_bad(&g, VNET_GRANT_MACS, 1);
	macs[1].bits = 47;
	assert_bad(&g, VNET_GRANT_MACS, 1);
	macs[1].bits = 48;
	macs[1].mac.octet[0] = 3;
	assert_bad(&g, VNET_GRANT_MACS, 1);
	macs[1].mac.octet[0] = 2;

	groups[1].bits = 7;
	assert_bad(&g, VNET_GRANT_GROUPS, 1);
	groups[1].bits = 17;
	groups[1].mac.octet[0] = 0x32;
	assert_bad(&g, VNET_GRANT_GROUPS, 1);
	groups[1].mac.octet[0] = 0x33;
	groups[1].mac.octet[2] = 0x40;
	assert_bad(&g, VNET_GRANT_GROUPS, 1);
	groups[1].mac.octet[2] = 0x80;
	assert_good(&g);

	ipv4[1].bits = 33;
	assert_bad(&g, VNET_GRANT_IPV4, 1);
	ipv4[1].bits = 6;
	assert_bad(&g, VNET_GRANT_IPV4, 1);
	ipv4[1].bits = 7;
	ipv6[1].bits = 129;
	assert_bad(&g, VNET_GRANT_IPV6, 1);
	ipv6[1].bits = 15;
	assert_bad(&g, VNET_GRANT_IPV6, 1);
	ipv6[1].bits = 16;
	ipv6[1].octet[15] = 1;
	assert_bad(&g, VNET_GRANT_IPV6, 1);
	ipv6[1].bits = 128;

	vlans[1].last = 4095;
	assert_bad(&g, VNET_GRANT_VLANS, 1);
	vlans[1] = (struct vnet_vlan_range){5, 4};
	assert_bad(&g, VNET_GRANT_VLANS, 1);
	vlans[1].first = 4;
	for (size_t i = 0; i < COUNT(known); i++) {
		types[1] = known[i];
		assert_bad(&g, VNET_GRANT_ETHERTYPES, 1);
	}
	types[1] = 0x601;

	g.queue_octets = VNET_POOL_BLOCK - 1;
	assert_bad(&g, VNET_GRANT_QUEUE, 0);
	g.queue_octets = VNET_POOL_BLOCK;
	g.rate.size = sizeof(g.rate);
	assert_bad(&g, VNET_GRANT_RATE, 1);
	g.rate.size = 0;
	g.depth = VNET_GRANT_MAX_DEPTH;
	assert_bad(&g, VNET_GRANT_DEPTH, 0);
	g.depth--;
	assert_good(&g);
}

static void
test_each_part_has_a_name_of_its_own(void **state)
{
	static const char *const names[] = {
		"undecided", "pass",      "macs",    "vlans",   "ethertypes",
		"arp",       "ipv4",      "ipv6",    "nd",      "broadcast",
		"groups",    "dhcp",      "route",   "vrrp",    "tunnel",
		"llc",       "addresses", "offload", "clients", "queue",
		"rate",      "depth",     "until",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(
			vnet_grant_part_name((enum vnet_grant_part)i),
			names[i]);
	assert_int_equal(COUNT(names), VNET_GRANT_NPARTS);
	assert_null(vnet_grant_part_name(VNET_GRANT_NPARTS));
	assert_null(vnet_grant_part_name((enum vnet_grant_part) - 1));
}

/*
 * Which is contained
 */

static void
test_prefix_is_covered_by_several(void **state)
{
	static const struct vnet_ipv4_prefix whole[] = {{{10, 9}, 16}};
	struct vnet_ipv4_prefix halves[] = {
		{{10, 9, 128}, 18}, {{10, 9, 0}, 17}, {{10, 9, 192}, 18}};
	struct vnet_ipv6_prefix all[] = {{{0x80}, 1}, {{0}, 1}};
	static const struct vnet_ipv6_prefix every[] = {{{0}, 0}};
	struct vnet_grant outer = make(), inner = make();

	(void)state;
	inner.depth = 0;
	outer.ipv4 = halves;
	outer.nipv4 = 3;
	inner.ipv4 = whole;
	inner.nipv4 = 1;
	assert_contained(&outer, &inner);
	halves[2].octet[2] = 0x40;
	assert_beyond(&outer, &inner, VNET_GRANT_IPV4, 0);
	outer.nipv4 = 0;
	assert_beyond(&outer, &inner, VNET_GRANT_IPV4, 0);
	inner.nipv4 = 0;
	assert_contained(&outer, &inner);
	/* Up to the last address there is. */
	outer.ipv6 = all;
	outer.nipv6 = 2;
	inner.ipv6 = every;
	inner.nipv6 = 1;
	assert_contained(&outer, &inner);
	all[0].bits = 2;
	assert_beyond(&outer, &inner, VNET_GRANT_IPV6, 0);
}

static void
test_counts_compare_as_what_they_mean(void **state)
{
	static const struct vnet_mac_prefix macs[] = {
		{{{2, 0, 0, 0, 0, 0}}, 40}, {{{2, 0, 0, 0, 1, 0}}, 40}};
	struct vnet_grant outer = make(), inner = make();

	(void)state;
	outer.macs = inner.macs = macs;
	outer.nmacs = inner.nmacs = 2;
	inner.depth = 0;
	inner.max_addresses = 2;
	assert_contained(&outer, &inner);
	inner.max_addresses = 3;
	assert_beyond(&outer, &inner, VNET_GRANT_ADDRESSES, 0);
	outer.max_addresses = 3;
	assert_contained(&outer, &inner);
	outer.max_addresses = 1;
	inner.max_addresses = 0;
	assert_beyond(&outer, &inner, VNET_GRANT_ADDRESSES, 0);
	outer.max_addresses = 2;
	inner.max_clients = 1;
	assert_contained(&outer, &inner);
	inner.max_clients = 2;
	assert_beyond(&outer, &inner, VNET_GRANT_CLIENTS, 0);
	outer.max_clients = 2;
	/* No bound is the most. */
	inner.queue_octets = 10000;
	assert_contained(&outer, &inner);
	outer.queue_octets = 9999;
	assert_beyond(&outer, &inner, VNET_GRANT_QUEUE, 0);
	inner.queue_octets = 0;
	assert_beyond(&outer, &inner, VNET_GRANT_QUEUE, 0);
	inner.queue_octets = 9999;
	inner.until = 5;
	assert_contained(&outer, &inner);
	outer.until = 4;
	assert_beyond(&outer, &inner, VNET_GRANT_UNTIL, 0);
	inner.until = 0;
	assert_beyond(&outer, &inner, VNET_GRANT_UNTIL, 0);
	inner.until = 4;
	inner.depth = 1;
	assert_beyond(&outer, &inner, VNET_GRANT_DEPTH, 0);
	outer.depth = 2;
	assert_contained(&outer, &inner);
	inner.depth = outer.depth = 0;
	assert_beyond(&outer, &inner, VNET_GRANT_DEPTH, 0);
}

static void
test_rates_below_a_bound_are_bounded(void **state)
{
	struct vnet_grant outer = make(), inner = make();

	(void)state;
	inner.depth = 0;
	inner.rate = (struct vnet_limit){.size = sizeof(inner.rate),
					 .octets_per_s = 1000};
	assert_contained(&outer, &inner);
	outer.rate = (struct vnet_limit){.size = sizeof(outer.rate),
					 .frames_per_s = 100};
	assert_beyond(&outer, &inner, VNET_GRANT_RATE, 0);
	inner.rate.frames_per_s = 101;
	assert_beyond(&outer, &inner, VNET_GRANT_RATE, 0);
	inner.rate.frames_per_s = 100;
	assert_contained(&outer, &inner);
	outer.rate.octets_per_s = 999;
	assert_beyond(&outer, &inner, VNET_GRANT_RATE, 0);
	outer.rate.octets_per_s = 1000;
	assert_contained(&outer, &inner);
	/* A burst that is not said, is what it may be. */
	outer.rate.burst_frames = 5;
	assert_contained(&outer, &inner);
	inner.rate.burst_frames = 6;
	assert_beyond(&outer, &inner, VNET_GRANT_RATE, 0);
	outer.rate.burst_frames = 0; /* 10 */
	assert_contained(&outer, &inner);
	inner.rate.burst_frames = 11;
	assert_beyond(&outer, &inner, VNET_GRANT_RATE, 0);
	inner.rate.burst_frames = 10;
	inner.rate.burst_octets = 65537;
	assert_beyond(&outer, &inner, VNET_GRANT_RATE, 0);
	inner.rate = (struct vnet_limit){.size = 0};
	assert_beyond(&outer, &inner, VNET_GRANT_RATE, 0);
}

static void
test_what_may_be_done_has_its_part(void **state)
{
	static const struct {
		uint32_t may;
		enum vnet_grant_part part;
	} parts[] = {
		{VNET_MAY_BROADCAST, VNET_GRANT_BROADCAST},
		{VNET_MAY_MULTICAST, VNET_GRANT_GROUPS},
		{VNET_MAY_DHCP, VNET_GRANT_DHCP},
		{VNET_MAY_ROUTE, VNET_GRANT_ROUTE},
		{VNET_MAY_VRRP, VNET_GRANT_VRRP},
		{VNET_MAY_TUNNEL, VNET_GRANT_TUNNEL},
		{VNET_MAY_LLC, VNET_GRANT_LLC},
	};
	static const struct vnet_mac_prefix groups[] = {{{{0x33, 0x33}}, 16},
							{{{1, 0, 0x5e}}, 24}};
	struct vnet_grant outer = make(), inner = make();

	(void)state;
	inner.depth = 0;
	for (size_t i = 0; i < COUNT(parts); i++) {
		inner.may = parts[i].may;
		outer.may = 127 & ~parts[i].may;
		assert_beyond(&outer, &inner, parts[i].part, 0);
		outer.may = parts[i].may;
		assert_contained(&outer, &inner);
	}
	inner.may = outer.may = 0;
	inner.groups = groups;
	inner.ngroups = 2;
	assert_beyond(&outer, &inner, VNET_GRANT_GROUPS, 0);
	outer.groups = groups;
	outer.ngroups = 1;
	assert_beyond(&outer, &inner, VNET_GRANT_GROUPS, 1);
	outer.may = VNET_MAY_MULTICAST;
	assert_contained(&outer, &inner);
}

/* Every part is compared in its turn: the first that does not fit is said. */
static void
test_first_part_that_does_not_fit_is_said(void **state)
{
	static const struct vnet_mac_prefix two[] = {{{{2, 0, 0, 0, 0, 1}}, 48},
						     {{{2}}, 8}};
	static const struct vnet_vlan_range vlans[] = {{0, 0}, {7, 7}};
	static const uint16_t types[] = {0x88b5};
	struct vnet_grant outer = make(), inner = make();

	(void)state;
	inner.macs = two;
	inner.nmacs = 2;
	inner.vlans = vlans;
	inner.nvlans = 2;
	inner.ethertypes = types;
	inner.nethertypes = 1;
	inner.max_clients = 2;
	assert_beyond(&outer, &inner, VNET_GRANT_MACS, 1);
	inner.nmacs = 1;
	assert_beyond(&outer, &inner, VNET_GRANT_VLANS, 1);
	inner.nvlans = 1;
	assert_beyond(&outer, &inner, VNET_GRANT_ETHERTYPES, 0);
	inner.nethertypes = 0;
	assert_beyond(&outer, &inner, VNET_GRANT_CLIENTS, 0);
	inner.max_clients = 0;
	assert_beyond(&outer, &inner, VNET_GRANT_DEPTH, 0);
	/* Frames without a tag are one of the VLANs. */
	inner.depth = 0;
	outer.vlans = vlans + 1;
	outer.nvlans = 1;
	inner.nvlans = 0;
	assert_beyond(&outer, &inner, VNET_GRANT_VLANS, 0);
}

/*
 * Against every address, one by one
 */

#define BITS 5 /* that differ, behind the first 24 of an address */

/* A random prefix of @width octets in which these alone are set. */
static uint8_t
draw(struct test_random *r, uint8_t *octet, size_t width, size_t at)
{
	uint8_t bits = (uint8_t)(8 * at + test_random_below(r, BITS + 1));
	uint32_t v = test_random_below(r, 1 << BITS) << (8 - BITS);

	memset(octet, 0, width);
	octet[0] = 0x22;
	octet[at] = (uint8_t)(v & 0xff00 >> (bits - 8 * at));
	return bits;
}

static bool
is_among(uint32_t v, uint8_t octet, unsigned int bits)
{
	return !((v ^ octet) & 0xff00 >> bits & 0xff);
}

static void
test_coverage_is_that_of_every_address(void **state)
{
	struct test_random random = {.state = 5};
	unsigned int ncovered = 0, nbeyond = 0;

	(void)state;
	for (int trial = 0; trial < 20000; trial++) {
		struct vnet_ipv6_prefix ipv6[8], inner6[1];
		struct vnet_ipv4_prefix ipv4[8], inner4[1];
		struct vnet_vlan_range vlans[8], inner_vlan[1];
		struct vnet_mac_prefix macs[8], inner_mac[1];
		struct vnet_grant outer = make(), inner = make();
		bool fits[4] = {true, true, true, true};
		enum vnet_grant_part part = VNET_GRANT_PASS, want;
		size_t n = 1 + test_random_below(&random, 8);
		int r;

		for (size_t i = 0; i <= n; i++) {
			struct vnet_vlan_range *v =
				i == n ? inner_vlan : &vlans[i];
			struct vnet_mac_prefix *m =
				i == n ? inner_mac : &macs[i];
			struct vnet_ipv4_prefix *p4 =
				i == n ? inner4 : &ipv4[i];
			struct vnet_ipv6_prefix *p6 =
				i == n ? inner6 : &ipv6[i];

			m->bits = draw(&random, m->mac.octet, 6, 3);
			p4->bits = draw(&random, p4->octet, 4, 3);
			p6->bits = draw(&random, p6->octet, 16, 9);
			v->first = (uint16_t)test_random_below(&random, 32);
			v->last = (uint16_t)(v->first +
					     test_random_below(&random, 16));
			if (i == n)
				break;
		}
		for (uint32_t a = 0; a < 256; a++) {
			bool has[4] = {false, false, false, false};

			for (size_t i = 0; i < n; i++) {
				has[0] |= is_among(a, macs[i].mac.octet[3],
						   macs[i].bits - 24u);
				has[1] |= a >= vlans[i].first &&
					  a <= vlans[i].last;
				has[2] |= is_among(a, ipv4[i].octet[3],
						   ipv4[i].bits - 24u);
				has[3] |= is_among(a, ipv6[i].octet[9],
						   ipv6[i].bits - 72u);
			}
			fits[0] &=
				has[0] || !is_among(a, inner_mac->mac.octet[3],
						    inner_mac->bits - 24u);
			fits[1] &= has[1] || a < inner_vlan->first ||
				   a > inner_vlan->last;
			fits[2] &= has[2] || !is_among(a, inner4->octet[3],
						       inner4->bits - 24u);
			fits[3] &= has[3] || !is_among(a, inner6->octet[9],
						       inner6->bits - 72u);
		}
		outer.macs = macs;
		outer.vlans = vlans;
		outer.ipv4 = ipv4;
		outer.ipv6 = ipv6;
		outer.nmacs = outer.nvlans = outer.nipv4 = outer.nipv6 = n;
		inner.macs = inner_mac;
		inner.vlans = inner_vlan;
		inner.ipv4 = inner4;
		inner.ipv6 = inner6;
		inner.nvlans = inner.nipv4 = inner.nipv6 = 1;
		inner.depth = 0;
		assert_good(&outer);
		assert_good(&inner);
		/* Each by itself, lest one hides the others. */
		for (int k = 0; k < 4; k++) {
			struct vnet_grant o = outer, in = inner;

			if (k != 0)
				o.macs = in.macs = mac, o.nmacs = 1;
			if (k != 1)
				o.nvlans = in.nvlans = 0;
			if (k != 2)
				in.nipv4 = 0;
			if (k != 3)
				in.nipv6 = 0;
			r = vnet_grant_contains(&o, &in, &part, NULL);
			want = k == 0   ? VNET_GRANT_MACS
			       : k == 1 ? VNET_GRANT_VLANS
			       : k == 2 ? VNET_GRANT_IPV4
					: VNET_GRANT_IPV6;
			assert_int_equal(r, fits[k] ? 0 : -EPERM);
			if (r)
				assert_int_equal(part, want);
			*(r ? &nbeyond : &ncovered) += 1;
		}
	}
	assert_true(ncovered > 5000);
	assert_true(nbeyond > 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_least_and_largest_grants_are_good),
		cmocka_unit_test(test_what_is_wrong_is_said),
		cmocka_unit_test(test_each_part_has_a_name_of_its_own),
		cmocka_unit_test(test_prefix_is_covered_by_several),
		cmocka_unit_test(test_counts_compare_as_what_they_mean),
		cmocka_unit_test(test_rates_below_a_bound_are_bounded),
		cmocka_unit_test(test_what_may_be_done_has_its_part),
		cmocka_unit_test(test_first_part_that_does_not_fit_is_said),
		cmocka_unit_test(test_coverage_is_that_of_every_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
