/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants by themselves: whether they are in order, and contained in others.
 */
#include <errno.h>
#include <string.h>

#include "eth.h"
#include "guard.h"
#include "limit.h"
#include "why.h"

#define MAY_ALL                                                    \
	(VNET_MAY_BROADCAST | VNET_MAY_MULTICAST | VNET_MAY_DHCP | \
	 VNET_MAY_ROUTE | VNET_MAY_VRRP | VNET_MAY_TUNNEL | VNET_MAY_LLC)

const char *
vnet_grant_part_name(enum vnet_grant_part part)
{
	static const char *const name[VNET_GRANT_NPARTS] = {
		[VNET_GRANT_UNDECIDED] = "undecided",
		[VNET_GRANT_PASS] = "pass",
		[VNET_GRANT_MACS] = "macs",
		[VNET_GRANT_VLANS] = "vlans",
		[VNET_GRANT_ETHERTYPES] = "ethertypes",
		[VNET_GRANT_ARP] = "arp",
		[VNET_GRANT_IPV4] = "ipv4",
		[VNET_GRANT_IPV6] = "ipv6",
		[VNET_GRANT_ND] = "nd",
		[VNET_GRANT_BROADCAST] = "broadcast",
		[VNET_GRANT_GROUPS] = "groups",
		[VNET_GRANT_DHCP] = "dhcp",
		[VNET_GRANT_ROUTE] = "route",
		[VNET_GRANT_VRRP] = "vrrp",
		[VNET_GRANT_TUNNEL] = "tunnel",
		[VNET_GRANT_LLC] = "llc",
		[VNET_GRANT_ADDRESSES] = "addresses",
		[VNET_GRANT_OFFLOAD] = "offload",
		[VNET_GRANT_CLIENTS] = "clients",
		[VNET_GRANT_QUEUE] = "queue",
		[VNET_GRANT_RATE] = "rate",
		[VNET_GRANT_DEPTH] = "depth",
		[VNET_GRANT_UNTIL] = "until",
	};

	return (unsigned int)part < VNET_GRANT_NPARTS ? name[part] : NULL;
}

/* The highest VLAN id there is (IEEE 802.1Q, 9.6). */
#define VLAN_MAX 4094

/*
 * Prefixes of all widths are octets, and then how many bits of them count.
 */
_Static_assert(sizeof(struct vnet_mac_prefix) == 7 &&
		       sizeof(struct vnet_ipv4_prefix) == 5 &&
		       sizeof(struct vnet_ipv6_prefix) == 17,
	       "prefixes have no padding");

#define WIDTH_MAX 16

struct prefixes {
	const uint8_t *entry; /* @n of them, each of @width octets and one */
	size_t n;
	size_t width;
};

static struct prefixes
macs_of(const struct vnet_grant *g)
{
	return (struct prefixes){(const uint8_t *)g->macs, g->nmacs, 6};
}

static struct prefixes
groups_of(const struct vnet_grant *g)
{
	return (struct prefixes){(const uint8_t *)g->groups, g->ngroups, 6};
}

static struct prefixes
ipv4_of(const struct vnet_grant *g)
{
	return (struct prefixes){(const uint8_t *)g->ipv4, g->nipv4, 4};
}

static struct prefixes
ipv6_of(const struct vnet_grant *g)
{
	return (struct prefixes){(const uint8_t *)g->ipv6, g->nipv6, 16};
}

static const uint8_t *
entry_of(const struct prefixes *list, size_t i)
{
	return list->entry + i * (list->width + 1);
}

/* Do the first @bits of two addresses agree? */
static bool
is_in(const uint8_t *prefix, unsigned int bits, const uint8_t *address)
{
	size_t whole = bits / 8;
	unsigned int rest = bits % 8;

	return memcmp(prefix, address, whole) == 0 &&
	       (!rest || (prefix[whole] ^ address[whole]) >> (8 - rest) == 0);
}

/* Go from the first address of a prefix of @bits to the one behind its last.
 * False if there is none. */
static bool
step_over(uint8_t *address, unsigned int bits)
{
	unsigned int sum, carry = 1u << (7 - (bits - 1) % 8);

	for (size_t i = (bits - 1) / 8 + 1; i-- > 0; carry = 1) {
		sum = address[i] + carry;
		address[i] = (uint8_t)sum;
		if (sum <= UINT8_MAX)
			return true;
	}
	return false;
}

/* The bits of the widest of these prefixes that @address is in, more than there
 * are if it is in none. */
static unsigned int
widest(const struct prefixes *list, const uint8_t *address)
{
	unsigned int bits = UINT8_MAX;

	for (size_t i = 0; i < list->n; i++) {
		const uint8_t *p = entry_of(list, i);

		if (p[list->width] < bits && is_in(p, p[list->width], address))
			bits = p[list->width];
	}
	return bits;
}

/* Is each address of @inner in one of @outer? Of two prefixes that meet one is
 * in the other: so what is behind the widest one that an address is in, is the
 * first address of whatever it is in. */
static bool
covers(const struct prefixes *outer, const uint8_t *inner)
{
	unsigned int bits, inner_bits = inner[outer->width];
	uint8_t at[WIDTH_MAX];

	memcpy(at, inner, outer->width);
	do {
		bits = widest(outer, at);
		if (bits == UINT8_MAX)
			return false;
		if (bits <= inner_bits)
			return true;
	} while (step_over(at, bits) && is_in(inner, inner_bits, at));
	return true;
}

/* The first of @inner that @outer does not cover; inner->n if it covers all. */
static size_t
first_outside(struct prefixes outer, struct prefixes inner)
{
	size_t i = 0;

	while (i < inner.n && covers(&outer, entry_of(&inner, i)))
		i++;
	return i;
}

/*
 * Whether a grant is in order
 */

/* Fill in which part it is. Returns @err. */
static int
blame(enum vnet_grant_part *to, enum vnet_grant_part part, int err)
{
	if (to)
		*to = part;
	return err;
}

/* Something is wrong with a part, or with what is none (UNDECIDED). */
static int
wrong(enum vnet_grant_part *to, enum vnet_grant_part part, struct vnet_why *why,
      const char *text, size_t index, uint64_t found, uint64_t bound)
{
	return blame(to, part, vnet_why(why, text, index, found, bound));
}

static int
check_list(const void *list, size_t n, struct vnet_why *why)
{
	if (n > VNET_GRANT_MAX_LIST)
		return vnet_why(why, "list too long", n, n,
				VNET_GRANT_MAX_LIST);
	return n && !list ? vnet_why(why, "list without entries", 0, n, 0) : 0;
}

static bool
is_zero_behind(const uint8_t *p, unsigned int bits, size_t width)
{
	for (size_t i = bits / 8; i < width; i++) {
		unsigned int kept = i == bits / 8 ? bits % 8 : 0;

		if (p[i] & 0xff >> kept)
			return false;
	}
	return true;
}

static int
check_prefixes(struct prefixes list, struct vnet_why *why)
{
	int r = check_list(list.entry, list.n, why);

	for (size_t i = 0; !r && i < list.n; i++) {
		const uint8_t *p = entry_of(&list, i);
		unsigned int bits = p[list.width];

		if (bits > 8 * list.width)
			r = vnet_why(why, "prefix longer than an address", i,
				     bits, 8 * list.width);
		else if (!is_zero_behind(p, bits, list.width))
			r = vnet_why(why, "prefix with more behind its bits", i,
				     bits, 0);
	}
	return r;
}

static int
check_macs(const struct vnet_grant *g, struct vnet_why *why)
{
	int r = check_prefixes(macs_of(g), why);

	if (!r && !g->nmacs)
		return vnet_why(why, "grant without a source address", 0, 0, 1);
	for (size_t i = 0; !r && i < g->nmacs; i++) {
		const struct vnet_mac_prefix *p = &g->macs[i];

		if (p->bits >= 8 && p->mac.octet[0] & 1)
			r = vnet_why(why, "source address that is a group", i,
				     p->mac.octet[0], 0);
	}
	return r;
}

static int
check_groups(const struct vnet_grant *g, struct vnet_why *why)
{
	int r = check_prefixes(groups_of(g), why);

	for (size_t i = 0; !r && i < g->ngroups; i++) {
		const struct vnet_mac_prefix *p = &g->groups[i];

		if (p->bits < 8)
			r = vnet_why(why, "prefix of groups too short", i,
				     p->bits, 8);
		else if (!(p->mac.octet[0] & 1))
			r = vnet_why(why, "group address that is none", i,
				     p->mac.octet[0], 0);
	}
	return r;
}

static int
check_vlans(const struct vnet_grant *g, struct vnet_why *why)
{
	int r = check_list(g->vlans, g->nvlans, why);

	for (size_t i = 0; !r && i < g->nvlans; i++) {
		const struct vnet_vlan_range *v = &g->vlans[i];

		if (v->last > VLAN_MAX)
			r = vnet_why(why, "VLAN id too large", i, v->last,
				     VLAN_MAX);
		else if (v->first > v->last)
			r = vnet_why(why, "range that ends before it begins", i,
				     v->first, v->last);
	}
	return r;
}

/* Is it one that grants have another part for, or none? */
static bool
is_known(uint16_t ethertype)
{
	static const uint16_t known[] = {0x0800, 0x0806, 0x86dd, 0x8100,
					 0x88a8, 0x9100, 0x9200};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (ethertype == known[i])
			return true;
	return false;
}

static int
check_ethertypes(const struct vnet_grant *g, struct vnet_why *why)
{
	int r = check_list(g->ethertypes, g->nethertypes, why);

	for (size_t i = 0; !r && i < g->nethertypes; i++) {
		if (g->ethertypes[i] < 0x0600)
			r = vnet_why(why, "EtherType that is a length", i,
				     g->ethertypes[i], 0x0600);
		else if (is_known(g->ethertypes[i]))
			r = vnet_why(why, "EtherType of another part", i,
				     g->ethertypes[i], 0);
	}
	return r;
}

int
vnet_grant_check(const struct vnet_grant *g, enum vnet_grant_part *part,
		 struct vnet_why *why)
{
	if (g->size != sizeof(*g))
		return wrong(part, VNET_GRANT_UNDECIDED, why,
			     "size of the grant", 0, g->size, sizeof(*g));
	if (!g->name || !g->name[0])
		return wrong(part, VNET_GRANT_UNDECIDED, why,
			     "grant without a name", 0, 0, 1);
	if (vnet_name_len(g->name, VNET_GRANT_NAME_SIZE) ==
	    VNET_GRANT_NAME_SIZE)
		return wrong(part, VNET_GRANT_UNDECIDED, why,
			     "grant's name too long", 0, VNET_GRANT_NAME_SIZE,
			     VNET_GRANT_NAME_SIZE - 1);
	if (g->may & ~(uint32_t)MAY_ALL)
		return wrong(part, VNET_GRANT_UNDECIDED, why,
			     "unknown bits of may", 0, g->may, MAY_ALL);
	if (check_macs(g, why))
		return blame(part, VNET_GRANT_MACS, -EINVAL);
	if (check_vlans(g, why))
		return blame(part, VNET_GRANT_VLANS, -EINVAL);
	if (check_ethertypes(g, why))
		return blame(part, VNET_GRANT_ETHERTYPES, -EINVAL);
	if (check_prefixes(ipv4_of(g), why))
		return blame(part, VNET_GRANT_IPV4, -EINVAL);
	if (check_prefixes(ipv6_of(g), why))
		return blame(part, VNET_GRANT_IPV6, -EINVAL);
	if (check_groups(g, why))
		return blame(part, VNET_GRANT_GROUPS, -EINVAL);
	if (g->queue_octets && g->queue_octets < VNET_POOL_BLOCK)
		return wrong(part, VNET_GRANT_QUEUE, why, "queue too small", 0,
			     g->queue_octets, VNET_POOL_BLOCK);
	if (g->rate.size && vnet_limit_check(&g->rate, why))
		return blame(part, VNET_GRANT_RATE, -EINVAL);
	if (g->depth > VNET_GRANT_MAX_DEPTH - 1)
		return wrong(part, VNET_GRANT_DEPTH, why, "too many levels", 0,
			     g->depth, VNET_GRANT_MAX_DEPTH - 1);
	return 0;
}

/*
 * Whether one is contained in another
 */

/* Something is not within a part. */
static int
beyond(enum vnet_grant_part *to, enum vnet_grant_part part,
       struct vnet_why *why, const char *text, size_t index, uint64_t found,
       uint64_t bound)
{
	(void)vnet_why(why, text, index, found, bound);
	return blame(to, part, -EPERM);
}

/* Is each id of @inner in one of the ranges of @g? As covers(). */
static bool
has_vlans(const struct vnet_grant *g, struct vnet_vlan_range inner)
{
	uint16_t vid = inner.first;

	while (vid <= inner.last) {
		size_t i = 0;

		if (!g->nvlans)
			return inner.last == 0;
		while (i < g->nvlans &&
		       (vid < g->vlans[i].first || vid > g->vlans[i].last))
			i++;
		if (i == g->nvlans)
			return false;
		vid = g->vlans[i].last + 1;
	}
	return true;
}

/* The first range of @inner that is not within, inner->nvlans if there is
 * none. Without ranges it has frames without a tag. */
static bool
has_all_vlans(const struct vnet_grant *outer, const struct vnet_grant *inner,
	      size_t *i)
{
	*i = 0;
	if (!inner->nvlans)
		return has_vlans(outer, (struct vnet_vlan_range){0, 0});
	while (*i < inner->nvlans && has_vlans(outer, inner->vlans[*i]))
		++*i;
	return *i == inner->nvlans;
}

static bool
has_all_ethertypes(const struct vnet_grant *outer,
		   const struct vnet_grant *inner, size_t *i)
{
	for (*i = 0; *i < inner->nethertypes; ++*i) {
		size_t k = 0;

		while (k < outer->nethertypes &&
		       outer->ethertypes[k] != inner->ethertypes[*i])
			k++;
		if (k == outer->nethertypes)
			return false;
	}
	return true;
}

/* Counts of which 0 is the most, or the least, are compared as what they
 * mean. */

static uint32_t
addresses_of(const struct vnet_grant *g)
{
	return g->max_addresses ? g->max_addresses : (uint32_t)g->nmacs;
}

static uint32_t
clients_of(const struct vnet_grant *g)
{
	return g->max_clients ? g->max_clients : 1;
}

static bool
is_within(uint64_t inner, uint64_t outer)
{
	return !outer || (inner && inner <= outer);
}

/* A burst that is not said is cut to what it is below. */
static bool
is_slower(const struct vnet_limit *inner, const struct vnet_limit *outer,
	  struct vnet_why *why)
{
	const struct {
		const char *text;
		uint64_t inner, outer;
		bool is_rate;
	} field[] = {
		{"rate of frames beyond", inner->frames_per_s,
		 outer->frames_per_s, true},
		{"rate of octets beyond", inner->octets_per_s,
		 outer->octets_per_s, true},
		{"burst of frames beyond", inner->burst_frames,
		 outer->frames_per_s ? outer->burst_frames : 0, false},
		{"burst of octets beyond", inner->burst_octets,
		 outer->octets_per_s ? outer->burst_octets : 0, false},
	};

	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		if (!field[i].is_rate && !field[i].inner)
			continue;
		if (!is_within(field[i].inner, field[i].outer)) {
			(void)vnet_why(why, field[i].text, 0, field[i].inner,
				       field[i].outer);
			return false;
		}
	}
	return true;
}

static int
compare_rates(const struct vnet_grant *outer, const struct vnet_grant *inner,
	      struct vnet_why *why)
{
	static const struct vnet_limit unbounded;
	struct vnet_limit bound = outer->rate;

	if (!bound.size)
		return 0;
	vnet_limit_complete(&bound);
	return is_slower(inner->rate.size ? &inner->rate : &unbounded, &bound,
			 why)
		       ? 0
		       : -EPERM;
}

/* What may be done and is in no list: each has its part. */
static int
compare_may(const struct vnet_grant *outer, const struct vnet_grant *inner,
	    uint32_t which, enum vnet_grant_part *part, struct vnet_why *why)
{
	static const struct {
		uint32_t bit;
		enum vnet_grant_part part;
	} of[] = {
		{VNET_MAY_BROADCAST, VNET_GRANT_BROADCAST},
		{VNET_MAY_MULTICAST, VNET_GRANT_GROUPS},
		{VNET_MAY_DHCP, VNET_GRANT_DHCP},
		{VNET_MAY_ROUTE, VNET_GRANT_ROUTE},
		{VNET_MAY_VRRP, VNET_GRANT_VRRP},
		{VNET_MAY_TUNNEL, VNET_GRANT_TUNNEL},
		{VNET_MAY_LLC, VNET_GRANT_LLC},
	};
	uint32_t lacking = inner->may & ~outer->may & which;

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (lacking & of[i].bit)
			return beyond(part, of[i].part, why,
				      "may do what is not granted", 0,
				      inner->may, outer->may);
	return 0;
}

static int
compare_content(const struct vnet_grant *outer, const struct vnet_grant *inner,
		enum vnet_grant_part *part, struct vnet_why *why)
{
	const uint32_t groups = VNET_MAY_BROADCAST | VNET_MAY_MULTICAST;
	size_t i = first_outside(macs_of(outer), macs_of(inner));
	int r;

	if (i < inner->nmacs)
		return beyond(part, VNET_GRANT_MACS, why,
			      "source address beyond", i, 0, 0);
	if (!has_all_vlans(outer, inner, &i))
		return beyond(part, VNET_GRANT_VLANS, why, "VLAN beyond", i, 0,
			      0);
	if (!has_all_ethertypes(outer, inner, &i))
		return beyond(part, VNET_GRANT_ETHERTYPES, why,
			      "EtherType beyond", i, inner->ethertypes[i], 0);
	i = first_outside(ipv4_of(outer), ipv4_of(inner));
	if (i < inner->nipv4)
		return beyond(part, VNET_GRANT_IPV4, why,
			      "address of IPv4 beyond", i, 0, 0);
	i = first_outside(ipv6_of(outer), ipv6_of(inner));
	if (i < inner->nipv6)
		return beyond(part, VNET_GRANT_IPV6, why,
			      "address of IPv6 beyond", i, 0, 0);
	r = compare_may(outer, inner, groups, part, why);
	if (r)
		return r;
	i = first_outside(groups_of(outer), groups_of(inner));
	if (i < inner->ngroups && !(outer->may & VNET_MAY_MULTICAST))
		return beyond(part, VNET_GRANT_GROUPS, why, "group beyond", i,
			      0, 0);
	return compare_may(outer, inner, ~groups, part, why);
}

int
vnet_grant_contains(const struct vnet_grant *outer,
		    const struct vnet_grant *inner, enum vnet_grant_part *part,
		    struct vnet_why *why)
{
	int r = compare_content(outer, inner, part, why);

	if (r)
		return r;
	if (addresses_of(inner) > addresses_of(outer))
		return beyond(part, VNET_GRANT_ADDRESSES, why, "more addresses",
			      0, addresses_of(inner), addresses_of(outer));
	if (clients_of(inner) > clients_of(outer))
		return beyond(part, VNET_GRANT_CLIENTS, why, "more clients", 0,
			      clients_of(inner), clients_of(outer));
	if (!is_within(inner->queue_octets, outer->queue_octets))
		return beyond(part, VNET_GRANT_QUEUE, why, "longer queue", 0,
			      inner->queue_octets, outer->queue_octets);
	if (compare_rates(outer, inner, why))
		return blame(part, VNET_GRANT_RATE, -EPERM);
	if (inner->depth >= outer->depth)
		return beyond(part, VNET_GRANT_DEPTH, why, "more levels", 0,
			      (uint64_t)inner->depth + 1, outer->depth);
	if (!is_within(inner->until, outer->until))
		return beyond(part, VNET_GRANT_UNTIL, why, "ends later", 0,
			      inner->until, outer->until);
	return 0;
}
