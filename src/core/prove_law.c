/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "bpf.h"
#include "eth.h"
#include "prove_judge.h"
#include "prove_law.h"

/*
 * Classes of numbers
 */

/* Numbers that have no class yet, from @lo to @hi, are of @classes. */
static void
add_segment(struct vnet_law *law, enum vnet_field_kind kind, uint32_t lo,
	    uint32_t hi, uint32_t classes)
{
	struct vnet_law_segment *list = law->segment[kind];
	uint32_t *n = &law->nsegments[kind];

	for (uint32_t i = 0; lo <= hi; i++) {
		uint32_t to = hi;

		if (i < *n && list[i].hi < lo)
			continue;
		if (i < *n && list[i].lo <= lo) {
			if (list[i].hi >= hi)
				return;
			lo = list[i].hi + 1;
			continue;
		}
		if (i < *n && list[i].lo <= hi)
			to = list[i].lo - 1;
		VNET_ASSERT(*n < VNET_LAW_SEGMENTS);
		memmove(&list[i + 1], &list[i], (*n - i) * sizeof(list[0]));
		list[i] = (struct vnet_law_segment){lo, to, classes};
		(*n)++;
		if (to == hi)
			return;
		lo = to + 1;
	}
}

static void
add_number(struct vnet_law *law, enum vnet_field_kind kind, uint32_t number,
	   uint32_t classes)
{
	add_segment(law, kind, number, number, classes);
}

/* All others, of those up to @max, are of @classes; and what can be said of
 * neighbours at once is. */
static void
end_segments(struct vnet_law *law, enum vnet_field_kind kind, uint32_t max,
	     uint32_t classes)
{
	struct vnet_law_segment *list = law->segment[kind];
	uint32_t n = 0;

	add_segment(law, kind, 0, max, classes);
	for (uint32_t i = 1; i < law->nsegments[kind]; i++) {
		if (list[i].classes == list[n].classes)
			list[n].hi = list[i].hi;
		else
			list[++n] = list[i];
	}
	law->nsegments[kind] = n + 1;
}

static bool
may(const struct vnet_law *law, uint32_t what)
{
	return law->grant->may & what;
}

static void
add_types(struct vnet_law *law)
{
	const enum vnet_field_kind kind = VNET_FIELD_TYPE;
	const struct vnet_grant *g = law->grant;

	add_number(law, kind, 0x8100, VNET_CLASS_CVLAN);
	add_number(law, kind, 0x88a8, VNET_CLASS_TAG);
	add_number(law, kind, 0x9100, VNET_CLASS_TAG);
	add_number(law, kind, 0x9200, VNET_CLASS_TAG);
	add_segment(law, kind, 0, 0x5ff, VNET_CLASS_LLC);
	add_number(law, kind, 0x0806, VNET_CLASS_ARP);
	add_number(law, kind, 0x0800, VNET_CLASS_TYPE_IPV4);
	add_number(law, kind, 0x86dd, VNET_CLASS_TYPE_IPV6);
	for (size_t i = 0; i < g->nethertypes; i++)
		add_number(law, kind, g->ethertypes[i], VNET_CLASS_IN);
	end_segments(law, kind, 0xffff, VNET_CLASS_OTHER);
}

static void
add_vids(struct vnet_law *law)
{
	const enum vnet_field_kind kind = VNET_FIELD_VID;
	const struct vnet_grant *g = law->grant;

	law->has_untagged = !g->nvlans;
	for (size_t i = 0; i < g->nvlans; i++) {
		const struct vnet_vlan_range *v = &g->vlans[i];

		if (!v->first)
			law->has_untagged = true;
		/* Behind a tag, 0 is none. */
		if (v->last)
			add_segment(law, kind, v->first ? v->first : 1, v->last,
				    VNET_CLASS_IN);
	}
	end_segments(law, kind, 0xfff, VNET_CLASS_OTHER);
}

static void
add_ipv4(struct vnet_law *law, enum vnet_field_kind kind)
{
	const struct vnet_grant *g = law->grant;

	if (kind == VNET_FIELD_IPV4)
		add_number(law, kind, 0, VNET_CLASS_ZERO);
	for (size_t i = 0; i < g->nipv4; i++) {
		uint32_t lo = vnet_be32_load(g->ipv4[i].octet);
		uint32_t bits = g->ipv4[i].bits;
		uint32_t rest = bits < 32 ? UINT32_MAX >> bits : 0;

		add_segment(law, kind, lo & ~rest, lo | rest, VNET_CLASS_IN);
	}
	end_segments(law, kind, UINT32_MAX, VNET_CLASS_OTHER);
}

/* What IPv4 and IPv6 have in common. */
static void
add_protos(struct vnet_law *law, enum vnet_field_kind kind)
{
	add_number(law, kind, 6, VNET_CLASS_TCP);
	add_number(law, kind, 17, VNET_CLASS_UDP);
	if (!may(law, VNET_MAY_ROUTE))
		add_number(law, kind, 103, VNET_CLASS_BAD_PIM);
	if (!may(law, VNET_MAY_VRRP))
		add_number(law, kind, 112, VNET_CLASS_BAD_VRRP);
	for (uint32_t i = 0; i < 256; i++)
		if (!may(law, VNET_MAY_TUNNEL) && vnet_grant_is_tunnel_proto(i))
			add_number(law, kind, i, VNET_CLASS_BAD_TUNNEL);
	add_number(law, kind, 51, VNET_CLASS_AUTH);
	end_segments(law, kind, 0xff, VNET_CLASS_IN);
}

static void
add_icmpv6(struct vnet_law *law)
{
	const enum vnet_field_kind kind = VNET_FIELD_ICMPV6;

	add_segment(law, kind, 131, 132, VNET_CLASS_MLD);
	add_number(law, kind, 143, VNET_CLASS_MLD);
	add_number(law, kind, 133, VNET_CLASS_RS);
	add_number(law, kind, 134, VNET_CLASS_RA);
	add_number(law, kind, 135, VNET_CLASS_NS);
	add_number(law, kind, 136, VNET_CLASS_NA);
	add_number(law, kind, 137, VNET_CLASS_REDIRECT);
	add_number(law, kind, 130, VNET_CLASS_ROUTER);
	add_number(law, kind, 151, VNET_CLASS_ROUTER);
	end_segments(law, kind, 0xff, VNET_CLASS_OTHER);
}

static void
add_numbers(struct vnet_law *law)
{
	add_types(law);
	add_vids(law);
	add_segment(law, VNET_FIELD_IPV4_FIRST, 0x45, 0x4f, VNET_CLASS_IN);
	end_segments(law, VNET_FIELD_IPV4_FIRST, 0xff, VNET_CLASS_OTHER);
	add_number(law, VNET_FIELD_ARP_OP, 1, VNET_CLASS_REQUEST);
	add_number(law, VNET_FIELD_ARP_OP, 2, VNET_CLASS_REPLY);
	end_segments(law, VNET_FIELD_ARP_OP, 0xffff, VNET_CLASS_OTHER);
	add_ipv4(law, VNET_FIELD_IPV4);
	add_ipv4(law, VNET_FIELD_IPV4_TARGET);
	add_number(law, VNET_FIELD_PROTO, 1, VNET_CLASS_ICMP);
	add_number(law, VNET_FIELD_PROTO, 2, VNET_CLASS_IGMP);
	add_protos(law, VNET_FIELD_PROTO);
	add_number(law, VNET_FIELD_NEXT, 0, VNET_CLASS_WALKED);
	add_number(law, VNET_FIELD_NEXT, 43, VNET_CLASS_WALKED);
	add_number(law, VNET_FIELD_NEXT, 44, VNET_CLASS_FRAGMENT);
	add_number(law, VNET_FIELD_NEXT, 58, VNET_CLASS_ICMP);
	add_number(law, VNET_FIELD_NEXT, 60, VNET_CLASS_DSTOPTS);
	add_protos(law, VNET_FIELD_NEXT);
	add_icmpv6(law);
}

/*
 * Classes of strings
 */

/* Those that begin with @bits of @value; the first that fits a string counts. */
static struct vnet_law_cube *
add_cube(struct vnet_law *law, enum vnet_field_kind kind, const uint8_t *value,
	 uint32_t bits, uint32_t classes)
{
	struct vnet_law_cube *c = &law->cube[kind][law->ncubes[kind]++];

	VNET_ASSERT(law->ncubes[kind] <= VNET_LAW_CUBES);
	memset(c, 0, sizeof(*c));
	c->classes = classes;
	for (uint32_t i = 0; i < bits; i++) {
		c->mask[i / 8] |= 0x80 >> i % 8;
		c->value[i / 8] |= value[i / 8] & 0x80 >> i % 8;
	}
	return c;
}

static void
add_macs(struct vnet_law *law, enum vnet_field_kind kind,
	 const struct vnet_mac_prefix *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_cube(law, kind, list[i].mac.octet, list[i].bits,
			 VNET_CLASS_IN);
}

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Those of which the group bit is not set. */
static void
add_unicast(struct vnet_law *law, uint32_t classes)
{
	static const uint8_t none[6];
	struct vnet_law_cube *c =
		add_cube(law, VNET_FIELD_DST, none, 0, classes);

	c->mask[0] = 1;
}

static void
add_ipv4_groups(struct vnet_law *law, uint32_t classes)
{
	static const uint8_t routers[6] = {0x01, 0x00, 0x5e, 0, 0, 0x02};
	static const uint8_t igmp[6] = {0x01, 0x00, 0x5e, 0, 0, 0x16};

	if (!law->grant->nipv4 || !law->grant->ngroups)
		return;
	add_cube(law, VNET_FIELD_DST, routers, 48, classes);
	add_cube(law, VNET_FIELD_DST, igmp, 48, classes);
}

static void
add_ipv6_groups(struct vnet_law *law, uint32_t classes)
{
	static const uint8_t groups[][6] = {
		{0x33, 0x33, 0, 0, 0, 0x01},
		{0x33, 0x33, 0, 0, 0, 0x02},
		{0x33, 0x33, 0, 0, 0, 0x16},
		{0x33, 0x33, 0, 1, 0, 0x02},
	};
	static const uint8_t solicited[6] = {0x33, 0x33, 0xff};

	if (!law->grant->nipv6)
		return;
	for (int i = 0; i < 4; i++)
		add_cube(law, VNET_FIELD_DST, groups[i], 48, classes);
	add_cube(law, VNET_FIELD_DST, solicited, 24, classes);
}

/* S4. */
static void
add_destinations(struct vnet_law *law)
{
	const struct vnet_grant *g = law->grant;

	add_unicast(law, VNET_CLASS_IN);
	add_cube(law, VNET_FIELD_DST, broadcast, 48,
		 may(law, VNET_MAY_BROADCAST) ? VNET_CLASS_IN
					      : VNET_CLASS_BROADCAST);
	if (may(law, VNET_MAY_MULTICAST))
		add_cube(law, VNET_FIELD_DST, broadcast, 0, VNET_CLASS_IN);
	add_macs(law, VNET_FIELD_DST, g->groups, g->ngroups);
	add_ipv4_groups(law, VNET_CLASS_V4_GROUP);
	add_ipv6_groups(law, VNET_CLASS_V6_GROUP);
}

/* R2. */
static void
add_receivers(struct vnet_law *law)
{
	static const uint8_t hosts[6] = {0x01, 0x00, 0x5e, 0, 0, 0x01};
	const struct vnet_grant *g = law->grant;

	add_cube(law, VNET_FIELD_DST, broadcast, 48, VNET_CLASS_IN);
	for (size_t i = 0; i < g->nmacs; i++) {
		const struct vnet_mac_prefix *p = &g->macs[i];
		struct vnet_law_cube *c;

		if (p->bits >= 8 && p->mac.octet[0] & 1)
			continue;
		c = add_cube(law, VNET_FIELD_DST, p->mac.octet, p->bits,
			     VNET_CLASS_IN);
		c->mask[0] |= 1;
	}
	add_unicast(law, VNET_CLASS_OTHER_HOST);
	if (may(law, VNET_MAY_MULTICAST))
		add_cube(law, VNET_FIELD_DST, broadcast, 0, VNET_CLASS_IN);
	add_macs(law, VNET_FIELD_DST, g->groups, g->ngroups);
	add_ipv6_groups(law, VNET_CLASS_IN);
	if (g->nipv4)
		add_cube(law, VNET_FIELD_DST, hosts, 48, VNET_CLASS_IN);
	add_ipv4_groups(law, VNET_CLASS_IN);
}

static void
add_strings(struct vnet_law *law)
{
	static const uint8_t unspecified[16];
	const struct vnet_grant *g = law->grant;

	if (law->side == VNET_INGRESS)
		add_destinations(law);
	else
		add_receivers(law);
	add_macs(law, VNET_FIELD_SRC, g->macs, g->nmacs);
	add_cube(law, VNET_FIELD_IPV6, unspecified, 128, VNET_CLASS_ZERO);
	for (size_t i = 0; i < g->nipv6; i++) {
		add_cube(law, VNET_FIELD_IPV6, g->ipv6[i].octet,
			 g->ipv6[i].bits, VNET_CLASS_IN);
		add_cube(law, VNET_FIELD_TARGET, g->ipv6[i].octet,
			 g->ipv6[i].bits, VNET_CLASS_IN);
	}
}

/*
 * Fields
 */

static const uint8_t field_octets[VNET_FIELD_KINDS] = {
	[VNET_FIELD_TYPE] = 2,       [VNET_FIELD_VID] = 2,
	[VNET_FIELD_IPV4_FIRST] = 1, [VNET_FIELD_ARP_OP] = 2,
	[VNET_FIELD_IPV4] = 4,       [VNET_FIELD_IPV4_TARGET] = 4,
	[VNET_FIELD_PROTO] = 1,      [VNET_FIELD_NEXT] = 1,
	[VNET_FIELD_ICMPV6] = 1,     [VNET_FIELD_SRC] = 6,
	[VNET_FIELD_DST] = 6,        [VNET_FIELD_IPV6] = 16,
	[VNET_FIELD_TARGET] = 16,    [VNET_FIELD_OPTION] = 8,
};

/* The field of that kind at @x + @k. */
static uint16_t
add_field(struct vnet_law *law, enum vnet_field_kind kind, vnet_term x,
	  uint32_t k)
{
	struct vnet_law_field *f = &law->field[law->nfields];
	struct vnet_terms *t = law->terms;
	uint32_t n = field_octets[kind];

	VNET_ASSERT(law->nfields < VNET_LAW_FIELDS);
	f->kind = kind;
	f->noctets = n;
	f->term = vnet_term_load(t, x, k, n <= 4 ? n : 1, &f->base, &f->off);
	if (kind == VNET_FIELD_VID)
		f->term = vnet_term_arith(t, VNET_BPF_AND_K, f->term,
					  vnet_term_const(t, 0xfff));
	for (uint32_t i = 0; i < n; i++)
		f->octet[i] = vnet_term_octet(t, f->base, f->off + i);
	return (uint16_t)law->nfields++;
}

static vnet_term
plus(struct vnet_terms *t, vnet_term a, uint32_t factor, vnet_term b)
{
	return vnet_term_arith(t, VNET_BPF_ADD_X, a,
			       vnet_term_arith(t, VNET_BPF_MUL_K, b,
					       vnet_term_const(t, factor)));
}

static vnet_term
plus_k(struct vnet_terms *t, vnet_term a, uint32_t k)
{
	return vnet_term_arith(t, VNET_BPF_ADD_K, a, vnet_term_const(t, k));
}

/* @size octets at @x + @k. */
static vnet_term
load(struct vnet_terms *t, vnet_term x, uint32_t k, uint32_t size)
{
	vnet_term base;
	uint32_t off;

	return vnet_term_load(t, x, k, size, &base, &off);
}

/* Where headers and options are. */
static void
add_ipv6_fields(struct vnet_law *law, struct vnet_law_body *b)
{
	struct vnet_terms *t = law->terms;

	b->end = plus_k(t, load(t, VNET_TERM_ZERO, b->at + 4, 2), b->at + 40);
	b->ipv6 = add_field(law, VNET_FIELD_IPV6, VNET_TERM_ZERO, b->at + 8);
	b->next[0] = add_field(law, VNET_FIELD_NEXT, VNET_TERM_ZERO, b->at + 6);
	b->x[0] = vnet_term_const(t, b->at + 40);
	for (int n = 0; n < VNET_LAW_WALK; n++) {
		vnet_term x = b->x[n];

		if (n + 1 < VNET_LAW_WALK)
			b->x[n + 1] =
				plus(t, plus_k(t, x, 8), 8, load(t, x, 1, 1));
		b->next[n + 1] = add_field(law, VNET_FIELD_NEXT, x, 0);
		b->icmpv6[n] = add_field(law, VNET_FIELD_ICMPV6, x, 0);
		b->icmpv6_fragment[n] = add_field(law, VNET_FIELD_ICMPV6, x, 8);
		b->target[n] = add_field(law, VNET_FIELD_TARGET, x, 8);
		for (int s = 0; s < 3; s++) {
			vnet_term o = plus_k(t, x, 8 + 8 * (uint32_t)s);

			for (int i = 0; i < VNET_LAW_OPTIONS; i++) {
				b->o[n][s][i] = o;
				b->option[n][s][i] =
					add_field(law, VNET_FIELD_OPTION, o, 0);
				o = plus(t, o, 8, load(t, o, 1, 1));
			}
			b->o[n][s][VNET_LAW_OPTIONS] = o;
		}
	}
}

static void
add_body(struct vnet_law *law, struct vnet_law_body *b, uint32_t at)
{
	const struct vnet_grant *g = law->grant;
	const vnet_term zero = VNET_TERM_ZERO;
	struct vnet_terms *t = law->terms;

	b->at = at;
	b->type = add_field(law, VNET_FIELD_TYPE, zero, at - 2);
	if (law->side != VNET_INGRESS)
		return;
	if (g->nipv4) {
		vnet_term words =
			vnet_term_arith(t, VNET_BPF_AND_K, load(t, zero, at, 1),
					vnet_term_const(t, 15));

		b->arp_op = add_field(law, VNET_FIELD_ARP_OP, zero, at + 6);
		b->arp_sender = add_field(law, VNET_FIELD_IPV4, zero, at + 14);
		b->arp_target =
			add_field(law, VNET_FIELD_IPV4_TARGET, zero, at + 24);
		b->ipv4_first = add_field(law, VNET_FIELD_IPV4_FIRST, zero, at);
		b->ipv4 = add_field(law, VNET_FIELD_IPV4, zero, at + 12);
		b->proto = add_field(law, VNET_FIELD_PROTO, zero, at + 9);
		b->l4 = plus(t, vnet_term_const(t, at), 4, words);
	}
	if (g->nipv6)
		add_ipv6_fields(law, b);
}

static void
add_all_classes(struct vnet_law *law)
{
	for (int kind = 0; kind < VNET_FIELD_KINDS; kind++) {
		uint32_t *all = &law->all[kind];

		*all = VNET_CLASS_OTHER | VNET_CLASS_IN;
		for (uint32_t i = 0; i < law->ncubes[kind]; i++)
			*all |= law->cube[kind][i].classes;
		if (kind >= VNET_FIELD_NUMBERS)
			continue;
		*all = 0;
		for (uint32_t i = 0; i < law->nsegments[kind]; i++)
			*all |= law->segment[kind][i].classes;
	}
}

static bool
link_fields(struct vnet_law *law)
{
	const struct vnet_alloc *a = law->terms->alloc;

	law->noctets = law->terms->noctets;
	law->links = a->get(a->ctx, law->noctets * sizeof(*law->links),
			    _Alignof(uint16_t));
	if (!law->links)
		return false;
	memset(law->links, 0, law->noctets * sizeof(*law->links));
	for (uint32_t i = 0; i < law->nfields; i++) {
		const struct vnet_law_field *f = &law->field[i];

		for (uint32_t k = 0; k < f->noctets; k++) {
			uint16_t *first = &law->links[f->octet[k]];

			VNET_ASSERT(law->nlinks < VNET_LAW_LINKS);
			law->link[law->nlinks++] = (struct vnet_law_link){
				(uint16_t)i,
				*first,
			};
			*first = (uint16_t)law->nlinks;
		}
	}
	return true;
}

bool
vnet_law_init(struct vnet_law *law, const struct vnet_grant *grant,
	      enum vnet_side side, struct vnet_terms *terms)
{
	memset(law, 0, sizeof(*law));
	law->grant = grant;
	law->side = side;
	law->terms = terms;
	add_numbers(law);
	add_strings(law);
	add_all_classes(law);
	law->src_field = add_field(law, VNET_FIELD_SRC, VNET_TERM_ZERO, 6);
	law->dst_field = add_field(law, VNET_FIELD_DST, VNET_TERM_ZERO, 0);
	law->vid_field = add_field(law, VNET_FIELD_VID, VNET_TERM_ZERO, 14);
	memcpy(law->src, law->field[law->src_field].octet, sizeof(law->src));
	add_body(law, &law->body[0], 14);
	add_body(law, &law->body[1], 18);
	return !terms->failed && link_fields(law);
}

void
vnet_law_fini(struct vnet_law *law)
{
	const struct vnet_alloc *a = law->terms->alloc;

	if (law->links)
		a->put(a->ctx, law->links, law->noctets * sizeof(*law->links));
}

/*
 * Of which classes a field can be
 */

/* Can @term be from @lo to @hi? What is excluded is excluded number by number:
 * not more than these are looked at. */
#define MAX_EXCLUDED 64

static bool
can_be_in(const struct vnet_facts *f, vnet_term term, uint32_t lo, uint32_t hi,
	  uint32_t mask, uint32_t value)
{
	uint32_t v;

	for (int i = 0; i < MAX_EXCLUDED; i++) {
		if (!vnet_facts_least(lo, mask, value, &v) || v > hi)
			return false;
		if (!vnet_facts_is_other(f, term, v))
			return true;
		if (v == hi)
			return false;
		lo = v + 1;
	}
	return true;
}

static uint32_t
number_classes(const struct vnet_law *law, const struct vnet_facts *f,
	       const struct vnet_law_field *field)
{
	const struct vnet_law_segment *s = law->segment[field->kind];
	uint32_t lo, hi, mask, value, classes = 0;

	vnet_facts_atom(f, law->terms, field->term, &lo, &hi, &mask, &value);
	for (uint32_t i = 0; i < law->nsegments[field->kind]; i++) {
		if (s[i].hi < lo || (classes & s[i].classes))
			continue;
		if (s[i].lo > hi)
			break;
		if (can_be_in(f, field->term, s[i].lo < lo ? lo : s[i].lo,
			      s[i].hi > hi ? hi : s[i].hi, mask, value))
			classes |= s[i].classes;
	}
	return classes;
}

/* The octets of a field, as far as they are known. */
struct known {
	uint8_t mask[16];
	uint8_t value[16];
};

static bool
get_known(const struct vnet_facts *f, const struct vnet_law_field *field,
	  struct known *k)
{
	return vnet_facts_octets(f, field->octet, field->noctets, k->mask,
				 k->value);
}

/* The number that a term is if a field is @c, which says every bit. False if it
 * is not of that field alone. */
static bool
value_in(const struct vnet_law *law, const struct vnet_law_field *field,
	 const struct vnet_law_cube *c, vnet_term term, uint32_t *value)
{
	const struct vnet_term_node *n = &law->terms->node[term];

	if (n->kind != VNET_TERM_BITS)
		return false;
	*value = n->ones;
	for (uint32_t vary = n->vary; vary; vary &= vary - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(vary), bit = n->bit[i];
		uint32_t k = 0, b;

		while (k < field->noctets &&
		       field->octet[k] != vnet_bit_octet(bit))
			k++;
		if (k == field->noctets)
			return false;
		b = c->value[k] >> vnet_bit_shift(bit) & 1;
		*value |= (b ^ vnet_bit_is_inv(bit)) << i;
	}
	return true;
}

/* Is what is known of numbers against its being @c? */
static bool
is_excluded(const struct vnet_law *law, const struct vnet_facts *f,
	    const struct vnet_law_field *field, const struct vnet_law_cube *c)
{
	uint32_t v;

	for (uint32_t i = 0; i < f->nranges; i++)
		if (value_in(law, field, c, f->range[i].atom, &v) &&
		    (v < f->range[i].lo || v > f->range[i].hi))
			return true;
	for (uint32_t i = 0; i < f->nothers; i++)
		if (value_in(law, field, c, f->other[i].atom, &v) &&
		    v == f->other[i].k)
			return true;
	return false;
}

/* The link-local address of the frame's source: which octets of it are what. */
static bool
is_link_local(const struct vnet_law *law, const struct vnet_facts *f,
	      const struct vnet_law_field *field, const struct known *k)
{
	static const uint8_t fixed[16] = {0xfe, 0x80, 0, 0,    0,    0, 0, 0,
					  0,    0,    0, 0xff, 0xfe, 0, 0, 0};
	static const uint8_t place[6] = {8, 9, 10, 13, 14, 15};

	for (uint32_t i = 0; i < 13; i++) {
		if (i >= 8 && i <= 10)
			continue;
		if (k->mask[i] != 0xff || k->value[i] != fixed[i])
			return false;
	}
	for (uint32_t i = 0; i < 6; i++)
		if (!vnet_facts_is_equal(f, field->octet[place[i]], law->src[i],
					 i == 0 ? 0x02 : 0))
			return false;
	return true;
}

static uint32_t
string_classes(const struct vnet_law *law, const struct vnet_facts *f,
	       const struct vnet_law_field *field)
{
	const struct vnet_law_cube *c = law->cube[field->kind];
	const uint32_t n = law->ncubes[field->kind];
	uint32_t classes = 0;
	struct known k;

	get_known(f, field, &k);
	if ((field->kind == VNET_FIELD_IPV6 ||
	     field->kind == VNET_FIELD_TARGET) &&
	    is_link_local(law, f, field, &k))
		return VNET_CLASS_IN;
	for (uint32_t i = 0; i < n; i++, c++) {
		bool can_be = true, is = true, is_one = true;

		for (uint32_t o = 0; can_be && o < field->noctets; o++) {
			if ((k.value[o] ^ c->value[o]) & k.mask[o] & c->mask[o])
				can_be = false;
			if (c->mask[o] & ~k.mask[o])
				is = false;
			if (c->mask[o] != 0xff)
				is_one = false;
		}
		if (!can_be || (!is && is_one && is_excluded(law, f, field, c)))
			continue;
		classes |= c->classes;
		if (is)
			return classes;
	}
	return classes | VNET_CLASS_OTHER;
}

/* An option is IN where it is not one of a link-layer address, or one of the
 * frame's source address, that is all there. */
static uint32_t
option_classes(const struct vnet_law *law, const struct vnet_facts *f,
	       const struct vnet_law_field *field)
{
	/* Nothing was loaded of it. */
	if (!vnet_facts_has(f, field->base, field->off + 1))
		return VNET_CLASS_IN | VNET_CLASS_OTHER;
	if (vnet_facts_is(f, law->terms, field->term, 1) == 0 &&
	    vnet_facts_is(f, law->terms, field->term, 2) == 0)
		return VNET_CLASS_IN;
	if (!vnet_facts_has(f, field->base, field->off + 8))
		return VNET_CLASS_IN | VNET_CLASS_OTHER;
	for (uint32_t i = 0; i < 6; i++)
		if (!vnet_facts_is_equal(f, field->octet[2 + i], law->src[i],
					 0))
			return VNET_CLASS_IN | VNET_CLASS_OTHER;
	return VNET_CLASS_IN;
}

uint32_t
vnet_law_classes(const struct vnet_law *law, const struct vnet_facts *f,
		 uint32_t field)
{
	const struct vnet_law_field *l = &law->field[field];
	uint32_t classes = vnet_facts_field(f, field);

	if (l->term == VNET_TERM_UNKNOWN)
		return classes;
	if (l->kind < VNET_FIELD_NUMBERS)
		return classes & number_classes(law, f, l);
	if (l->kind == VNET_FIELD_OPTION)
		/* Facts never tell that it is not IN. */
		return classes == VNET_CLASS_IN
			       ? classes
			       : classes & option_classes(law, f, l);
	return classes & string_classes(law, f, l);
}

/*
 * Joining
 */

static void
add_asked(struct vnet_law_fields *a, uint32_t field)
{
	a->set[field / 32] |= UINT32_C(1) << field % 32;
}

static bool
is_asked(const struct vnet_law_fields *a, uint32_t field)
{
	return a->set[field / 32] >> field % 32 & 1;
}

/* The first that is asked for, from @field on; VNET_LAW_FIELDS if none is. */
static uint32_t
next_asked(const struct vnet_law_fields *a, uint32_t field)
{
	uint32_t rest;

	while (field < VNET_LAW_FIELDS) {
		rest = a->set[field / 32] >> field % 32;
		if (rest)
			return field + (uint32_t)__builtin_ctz(rest);
		field = (field | 31) + 1;
	}
	return VNET_LAW_FIELDS;
}

#define FOR_EACH_ASKED(i, a)                                          \
	for (uint32_t(i) = next_asked((a), 0); (i) < VNET_LAW_FIELDS; \
	     (i) = next_asked((a), (i) + 1))

/* Of ICMPv6, behind header @n. */
static void
ask_icmpv6(const struct vnet_law *law, const struct vnet_facts *f,
	   const struct vnet_law_body *b, int n, struct vnet_law_fields *a)
{
	static const uint32_t options[3] = {
		VNET_CLASS_RS,
		VNET_CLASS_RA,
		VNET_CLASS_NS | VNET_CLASS_NA,
	};
	uint32_t classes = vnet_law_classes(law, f, b->icmpv6[n]);

	add_asked(a, b->icmpv6[n]);
	if (classes & options[2])
		add_asked(a, b->target[n]);
	for (int s = 0; s < 3; s++)
		for (int i = 0; i < VNET_LAW_OPTIONS; i++)
			if (classes & options[s])
				add_asked(a, b->option[n][s][i]);
}

static void
ask_ipv6(const struct vnet_law *law, const struct vnet_facts *f,
	 const struct vnet_law_body *b, struct vnet_law_fields *a)
{
	add_asked(a, b->ipv6);
	for (int n = 0; n < VNET_LAW_WALK; n++) {
		uint32_t classes = vnet_law_classes(law, f, b->next[n]);

		add_asked(a, b->next[n]);
		if (classes & VNET_CLASS_ICMP)
			ask_icmpv6(law, f, b, n, a);
		if (classes & VNET_CLASS_FRAGMENT) {
			add_asked(a, b->next[n + 1]);
			add_asked(a, b->icmpv6_fragment[n]);
		}
		if (!(classes & VNET_CLASS_WALKED))
			break;
	}
}

struct vnet_law_fields
vnet_law_asked(const struct vnet_law *law, const struct vnet_facts *f)
{
	struct vnet_law_fields a = {{0}};
	uint32_t classes = VNET_CLASS_CVLAN;

	add_asked(&a, law->src_field);
	add_asked(&a, law->dst_field);
	for (int i = 0; i < 2 && (classes & VNET_CLASS_CVLAN); i++) {
		const struct vnet_law_body *b = &law->body[i];

		classes = vnet_law_classes(law, f, b->type);
		add_asked(&a, b->type);
		if (i == 0 && (classes & VNET_CLASS_CVLAN))
			add_asked(&a, law->vid_field);
		if (law->side != VNET_INGRESS)
			continue;
		if (law->grant->nipv4 && (classes & VNET_CLASS_ARP)) {
			add_asked(&a, b->arp_op);
			add_asked(&a, b->arp_sender);
			add_asked(&a, b->arp_target);
		}
		if (law->grant->nipv4 && (classes & VNET_CLASS_TYPE_IPV4)) {
			add_asked(&a, b->ipv4_first);
			add_asked(&a, b->ipv4);
			add_asked(&a, b->proto);
		}
		if (law->grant->nipv6 && (classes & VNET_CLASS_TYPE_IPV6))
			ask_ipv6(law, f, b, &a);
	}
	return a;
}

/* Is it a destination that no more need be known of, but for what the frame is?
 * States that differ in that alone have one key. */
static bool
is_fine_dst(const struct vnet_law *law, uint32_t field, uint32_t classes)
{
	return field == law->dst_field &&
	       !(classes & (VNET_CLASS_OTHER | VNET_CLASS_BROADCAST |
			    VNET_CLASS_OTHER_HOST));
}

uint32_t
vnet_law_key(const struct vnet_law *law, const struct vnet_facts *f,
	     const struct vnet_law_fields *asked)
{
	uint32_t key = 0;

	FOR_EACH_ASKED(i, asked)
	{
		uint32_t classes = vnet_law_classes(law, f, i);

		if (is_fine_dst(law, i, classes))
			continue;
		key = (key ^ i ^ classes << 8) * 0x9e3779b1u;
		key ^= key >> 15;
	}
	return key;
}

/* Fields of which something differs, of those that are asked for. */
struct touched {
	const struct vnet_law *law;
	const struct vnet_law_fields *asked;
	struct vnet_law_fields fields;
};

/* The fields that have an octet. False if there are none. */
static bool
touch(struct touched *t, vnet_octet octet)
{
	uint32_t i = octet < t->law->noctets ? t->law->links[octet] : 0;
	bool is_one = false;

	for (; i; i = t->law->link[i - 1].next) {
		uint32_t field = t->law->link[i - 1].field;

		if (is_asked(t->asked, field)) {
			add_asked(&t->fields, field);
			is_one = true;
		}
	}
	return is_one;
}

static bool
touch_atom(struct touched *t, vnet_term atom)
{
	const struct vnet_term_node *n = &t->law->terms->node[atom];
	vnet_octet last = 0;

	if (n->kind != VNET_TERM_BITS)
		return false;
	for (uint32_t i = 0; i < 32; i++) {
		if (!(n->vary >> i & 1) || vnet_bit_octet(n->bit[i]) == last)
			continue;
		last = vnet_bit_octet(n->bit[i]);
		if (!touch(t, last))
			return false;
	}
	return true;
}

static bool
is_src(const struct vnet_law *law, vnet_octet octet)
{
	return octet - law->src[0] < 6;
}

/* What follows goes through two lists that are in order, and touches what is not
 * in both. */
static bool
touch_octets(struct touched *t, const struct vnet_facts *a,
	     const struct vnet_facts *b)
{
	uint32_t i = 0, k = 0;

	while (i < a->noctets || k < b->noctets) {
		vnet_octet x = i < a->noctets ? a->octet[i].octet : UINT32_MAX;
		vnet_octet y = k < b->noctets ? b->octet[k].octet : UINT32_MAX;

		if (x == y && a->octet[i].mask == b->octet[k].mask &&
		    a->octet[i].value == b->octet[k].value) {
			i++;
			k++;
			continue;
		}
		if (!touch(t, x < y ? x : y))
			return false;
		i += x <= y;
		k += y <= x;
	}
	return true;
}

static bool
touch_ranges(struct touched *t, const struct vnet_facts *a,
	     const struct vnet_facts *b)
{
	uint32_t i = 0, k = 0;

	while (i < a->nranges || k < b->nranges) {
		vnet_term x = i < a->nranges ? a->range[i].atom : UINT32_MAX;
		vnet_term y = k < b->nranges ? b->range[k].atom : UINT32_MAX;

		if (x == y && a->range[i].lo == b->range[k].lo &&
		    a->range[i].hi == b->range[k].hi) {
			i++;
			k++;
			continue;
		}
		if (!touch_atom(t, x < y ? x : y))
			return false;
		i += x <= y;
		k += y <= x;
	}
	return true;
}

static uint64_t
other_at(const struct vnet_facts *f, uint32_t i)
{
	return i < f->nothers ? (uint64_t)f->other[i].atom << 32 | f->other[i].k
			      : UINT64_MAX;
}

static bool
touch_others(struct touched *t, const struct vnet_facts *a,
	     const struct vnet_facts *b)
{
	uint32_t i = 0, k = 0;
	vnet_term last = 0;

	while (i < a->nothers || k < b->nothers) {
		uint64_t x = other_at(a, i), y = other_at(b, k);
		vnet_term atom = (vnet_term)((x < y ? x : y) >> 32);

		if (x != y && atom != last && !touch_atom(t, atom))
			return false;
		if (x != y)
			last = atom;
		i += x <= y;
		k += y <= x;
	}
	return true;
}

static bool
touch_equal(struct touched *t, const struct vnet_fact_equal *e)
{
	return (is_src(t->law, e->a) || touch(t, e->a)) &&
	       (is_src(t->law, e->b) || touch(t, e->b));
}

static bool
is_same_equal(const struct vnet_fact_equal *e, const struct vnet_fact_equal *f)
{
	return e->a == f->a && e->b == f->b && e->mask == f->mask &&
	       e->inv == f->inv;
}

static bool
touch_equals(struct touched *t, const struct vnet_facts *a,
	     const struct vnet_facts *b)
{
	for (uint32_t i = 0; i < a->nequals; i++) {
		uint32_t k = 0;

		while (k < b->nequals &&
		       !is_same_equal(&b->equal[k], &a->equal[i]))
			k++;
		if (k == b->nequals && !touch_equal(t, &a->equal[i]))
			return false;
	}
	return true;
}

static bool
touch_fields(struct touched *t, const struct vnet_facts *a,
	     const struct vnet_facts *b)
{
	for (uint32_t i = 0; i < a->nfields; i++) {
		uint32_t field = a->field[i].field;

		if (is_asked(t->asked, field) &&
		    vnet_facts_field(b, field) != a->field[i].classes)
			add_asked(&t->fields, field);
	}
	return true;
}

static bool
has_same_orders(const struct vnet_facts *a, const struct vnet_facts *b)
{
	return a->norders == b->norders &&
	       memcmp(a->order, b->order, a->norders * sizeof(a->order[0])) ==
		       0;
}

/* Is anything known of a field? */
static bool
is_known(const struct vnet_law *law, const struct vnet_facts *f, uint32_t field)
{
	struct known k;

	return vnet_facts_field(f, field) != UINT32_MAX ||
	       get_known(f, &law->field[field], &k);
}

/* What is said of fields by the frame's source address depends on that. */
static void
touch_by_src(struct touched *t, const struct vnet_facts *a,
	     const struct vnet_facts *b)
{
	const struct vnet_law *law = t->law;

	if (!is_asked(&t->fields, law->src_field))
		return;
	FOR_EACH_ASKED(i, t->asked)
	{
		if (law->field[i].kind >= VNET_FIELD_IPV6 &&
		    (is_known(law, a, i) || is_known(law, b, i)))
			add_asked(&t->fields, i);
	}
}

/* Keep the classes of what is touched, before facts are joined. Where those of
 * the destination differ, and of nothing else, all that both say is still said:
 * that it is of either. False if others do. */
static bool
keep_classes(const struct touched *t, struct vnet_facts *a,
	     struct vnet_facts *b)
{
	const struct vnet_law *law = t->law;
	uint32_t classes[VNET_LAW_FIELDS];

	FOR_EACH_ASKED(i, &t->fields)
	{
		uint32_t other = vnet_law_classes(law, b, i);

		classes[i] = vnet_law_classes(law, a, i);
		if (classes[i] != other && (!is_fine_dst(law, i, classes[i]) ||
					    !is_fine_dst(law, i, other)))
			return false;
		classes[i] |= other;
	}
	FOR_EACH_ASKED(i, &t->fields)
	{
		if (classes[i] == law->all[law->field[i].kind])
			continue;
		vnet_facts_set_field(a, i, classes[i]);
		vnet_facts_set_field(b, i, classes[i]);
	}
	return true;
}

bool
vnet_law_can_join(const struct vnet_law *law, struct vnet_facts *a,
		  struct vnet_facts *b, const struct vnet_law_fields *asked)
{
	struct touched t = {.law = law, .asked = asked};

	if (!has_same_orders(a, b) || a->cut.base != b->cut.base ||
	    !touch_octets(&t, a, b) || !touch_ranges(&t, a, b) ||
	    !touch_others(&t, a, b) || !touch_equals(&t, a, b) ||
	    !touch_equals(&t, b, a) || !touch_fields(&t, a, b) ||
	    !touch_fields(&t, b, a))
		return false;
	touch_by_src(&t, a, b);
	return keep_classes(&t, a, b);
}

/*
 * Reading
 */

/**
 * struct reader - one way through the law
 * @nasked:	questions to which there was no answer
 */
struct reader {
	const struct vnet_law *law;
	struct vnet_terms *t;
	struct vnet_facts *f;
	struct vnet_law_walk *w;
	const struct vnet_law_body *body;
	uint32_t nasked;
};

/* The answer to what facts do not tell. */
static bool
choose(struct reader *r)
{
	if (r->nasked == VNET_LAW_ANSWERS) {
		r->w->is_lost = true;
		return false;
	}
	if (r->nasked == r->w->nanswers)
		r->w->answer[r->w->nanswers++] = false;
	return r->w->answer[r->nasked++];
}

/* Numbers of these classes, from the least to the greatest. */
static void
narrow(struct reader *r, const struct vnet_law_field *field, uint32_t classes)
{
	const struct vnet_law_segment *s = r->law->segment[field->kind];
	uint32_t n = r->law->nsegments[field->kind], first = n, last = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (!(s[i].classes & classes))
			continue;
		if (first == n)
			first = i;
		last = i;
	}
	if (first == n)
		return;
	vnet_facts_assume(r->f, r->t, VNET_BPF_JGE_X, field->term,
			  vnet_term_const(r->t, s[first].lo), true);
	vnet_facts_assume(r->f, r->t, VNET_BPF_JGT_X, field->term,
			  vnet_term_const(r->t, s[last].hi), false);
}

/* Is a field of one of @classes? */
static bool
is(struct reader *r, uint32_t field, uint32_t classes)
{
	uint32_t can = vnet_law_classes(r->law, r->f, field);
	bool answer;

	if (!can)
		r->f->is_none = true;
	if (!(can & ~classes))
		return true;
	if (!(can & classes))
		return false;
	answer = choose(r);
	if (!answer)
		classes = ~classes;
	vnet_facts_set_field(r->f, field, can & classes);
	if (r->law->field[field].kind < VNET_FIELD_NUMBERS)
		narrow(r, &r->law->field[field], can & classes);
	return answer;
}

/* Does the frame have @size octets at @x + @k? */
static bool
has(struct reader *r, vnet_term x, uint32_t k, uint32_t size)
{
	vnet_term base = VNET_TERM_UNKNOWN;
	uint32_t off;

	if (vnet_term_place(r->t, x, &base, &off) &&
	    vnet_facts_has(r->f, base, off + k + size))
		return true;
	if (choose(r)) {
		if (base != VNET_TERM_UNKNOWN)
			vnet_facts_have(r->f, base, off + k + size);
		return true;
	}
	if (base != VNET_TERM_UNKNOWN)
		r->f->cut = (struct vnet_fact_extent){base, off + k + size};
	return false;
}

static bool
has_at(struct reader *r, uint32_t at, uint32_t size)
{
	return has(r, VNET_TERM_ZERO, at, size);
}

/* Is @term, in the bits of @mask, @k? */
static bool
equals(struct reader *r, vnet_term term, uint32_t mask, uint32_t k)
{
	bool answer;
	int known;

	term = vnet_term_arith(r->t, VNET_BPF_AND_K, term,
			       vnet_term_const(r->t, mask));
	known = vnet_facts_is(r->f, r->t, term, k);
	if (known >= 0)
		return known;
	answer = choose(r);
	vnet_facts_assume(r->f, r->t, VNET_BPF_JEQ_X, term,
			  vnet_term_const(r->t, k), answer);
	return answer;
}

/* Is P[x+k:size]? */
static bool
equals_at(struct reader *r, vnet_term x, uint32_t k, uint32_t size,
	  uint32_t mask, uint32_t value)
{
	return equals(r, load(r->t, x, k, size), mask, value);
}

static bool
is_at_least(struct reader *r, vnet_term a, vnet_term b)
{
	int known = vnet_facts_compare(r->f, r->t, a, b);
	bool answer;

	if (known >= 0)
		return known;
	answer = choose(r);
	vnet_facts_assume(r->f, r->t, VNET_BPF_JGE_X, a, b, answer);
	return answer;
}

/* Octets of the source address at @at. */
static bool
is_src_at(struct reader *r, uint32_t at)
{
	vnet_octet octet[6];
	bool answer;
	uint32_t n;

	for (n = 0; n < 6; n++) {
		octet[n] = vnet_term_octet(r->t, VNET_TERM_ZERO, at + n);
		if (!vnet_facts_is_equal(r->f, octet[n], r->law->src[n], 0))
			break;
	}
	if (n == 6)
		return true;
	answer = choose(r);
	if (answer)
		vnet_facts_assume(r->f, r->t, VNET_BPF_JEQ_X,
				  vnet_term_at(r->t, VNET_TERM_ZERO, at, 4),
				  vnet_term_at(r->t, VNET_TERM_ZERO, 6, 4),
				  true);
	else
		vnet_facts_assume(r->f, r->t, VNET_BPF_JEQ_X,
				  vnet_term_at(r->t, VNET_TERM_ZERO, at + n, 1),
				  vnet_term_at(r->t, VNET_TERM_ZERO, 6 + n, 1),
				  false);
	return answer;
}

static bool
reader_may(const struct reader *r, uint32_t what)
{
	return r->law->grant->may & what;
}

#define PASS VNET_GRANT_PASS

/* S4, where @classes are fine, too. */
static enum vnet_grant_part
read_s4(struct reader *r, uint32_t classes)
{
	if (!reader_may(r, VNET_MAY_BROADCAST) ||
	    !reader_may(r, VNET_MAY_MULTICAST)) {
		if (!has_at(r, 0, 6))
			return VNET_GRANT_UNDECIDED;
	}
	if (is(r, r->law->dst_field, VNET_CLASS_IN | classes))
		return PASS;
	return is(r, r->law->dst_field, VNET_CLASS_BROADCAST)
		       ? VNET_GRANT_BROADCAST
		       : VNET_GRANT_GROUPS;
}

static enum vnet_grant_part
read_a(struct reader *r)
{
	const struct vnet_law_body *b = r->body;
	const vnet_term zero = VNET_TERM_ZERO;
	enum vnet_grant_part part = read_s4(r, VNET_CLASS_BROADCAST);

	if (part != PASS)
		return part;
	if (!has_at(r, b->at, 18))
		return VNET_GRANT_UNDECIDED;
	if (!equals_at(r, zero, b->at, 4, UINT32_MAX, 0x00010800) ||
	    !equals_at(r, zero, b->at + 4, 2, 0xffff, 0x0604) ||
	    !is(r, b->arp_op, VNET_CLASS_REQUEST | VNET_CLASS_REPLY) ||
	    !is_src_at(r, b->at + 8))
		return VNET_GRANT_ARP;
	if (is(r, b->arp_sender, VNET_CLASS_IN))
		return PASS;
	if (!is(r, b->arp_sender, VNET_CLASS_ZERO) ||
	    !is(r, b->arp_op, VNET_CLASS_REQUEST))
		return VNET_GRANT_ARP;
	if (!has_at(r, b->at + 24, 4))
		return VNET_GRANT_UNDECIDED;
	return is(r, b->arp_target, VNET_CLASS_IN) ? PASS : VNET_GRANT_ARP;
}

static enum vnet_grant_part
read_u(struct reader *r, vnet_term l4, uint32_t client, uint32_t server)
{
	static const uint16_t tunnels[] = {1701, 2152, 3544, 4341, 4754, 4789,
					   4790, 5247, 6080, 6081, 6635, 8472};
	bool may_dhcp = reader_may(r, VNET_MAY_DHCP);
	bool may_tunnel = reader_may(r, VNET_MAY_TUNNEL);

	if (may_dhcp && may_tunnel)
		return PASS;
	if (!has(r, l4, 2, 2))
		return VNET_GRANT_UNDECIDED;
	if (!may_dhcp && (equals_at(r, l4, 0, 2, 0xffff, server) ||
			  equals_at(r, l4, 2, 2, 0xffff, client)))
		return VNET_GRANT_DHCP;
	if (may_tunnel)
		return PASS;
	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++)
		if (equals_at(r, l4, 2, 2, 0xffff, tunnels[i]))
			return VNET_GRANT_TUNNEL;
	return PASS;
}

/* Is it another fragment than the first; for whom there are more, too, where
 * @mask says so? */
static bool
is_fragment(struct reader *r, uint32_t mask)
{
	return !equals_at(r, VNET_TERM_ZERO, r->body->at + 6, 2, mask, 0);
}

static const uint8_t icmp_router[] = {5, 9};
static const uint8_t igmp_router[] = {0x11, 0x13, 0x14, 0x30};

static enum vnet_grant_part
read_c(struct reader *r, const uint8_t *types, size_t n)
{
	vnet_term l4 = r->body->l4;

	if (reader_may(r, VNET_MAY_ROUTE) || is_fragment(r, 0x1fff))
		return PASS;
	if (!has(r, l4, 0, 1))
		return VNET_GRANT_UNDECIDED;
	for (size_t i = 0; i < n; i++)
		if (equals_at(r, l4, 0, 1, 0xff, types[i]))
			return VNET_GRANT_ROUTE;
	return PASS;
}

/* What is not granted of protocols. */
static enum vnet_grant_part
read_proto(struct reader *r, uint32_t field)
{
	if (is(r, field, VNET_CLASS_BAD_PIM))
		return VNET_GRANT_ROUTE;
	if (is(r, field, VNET_CLASS_BAD_VRRP))
		return VNET_GRANT_VRRP;
	if (is(r, field, VNET_CLASS_BAD_TUNNEL))
		return VNET_GRANT_TUNNEL;
	return PASS;
}

#define DHCP_CLIENT (68 << 16 | 67)

static enum vnet_grant_part
read_f1(struct reader *r)
{
	const struct vnet_law_body *b = r->body;
	enum vnet_grant_part part;

	if (is(r, b->proto, VNET_CLASS_IGMP)) {
		part = read_s4(r, VNET_CLASS_V4_GROUP);
		return part != PASS
			       ? part
			       : read_c(r, igmp_router, sizeof(igmp_router));
	}
	if (!is(r, b->proto, VNET_CLASS_UDP))
		return VNET_GRANT_IPV4;
	if (is_fragment(r, 0x3fff) || !has(r, b->l4, 0, 4))
		return VNET_GRANT_UNDECIDED;
	if (!equals_at(r, b->l4, 0, 4, UINT32_MAX, DHCP_CLIENT))
		return VNET_GRANT_IPV4;
	return read_s4(r, VNET_CLASS_V4_GROUP | VNET_CLASS_BROADCAST);
}

static enum vnet_grant_part
read_f3(struct reader *r)
{
	const struct vnet_law_body *b = r->body;

	if (is(r, b->proto, VNET_CLASS_TCP))
		return PASS;
	if (is(r, b->proto, VNET_CLASS_ICMP))
		return read_c(r, icmp_router, sizeof(icmp_router));
	if (is(r, b->proto, VNET_CLASS_IGMP))
		return read_c(r, igmp_router, sizeof(igmp_router));
	if (!is(r, b->proto, VNET_CLASS_UDP))
		return read_proto(r, b->proto);
	if (reader_may(r, VNET_MAY_DHCP) && reader_may(r, VNET_MAY_TUNNEL))
		return PASS;
	return is_fragment(r, 0x1fff) ? PASS : read_u(r, b->l4, 68, 67);
}

static enum vnet_grant_part
read_f(struct reader *r)
{
	const struct vnet_law_body *b = r->body;
	enum vnet_grant_part part;

	if (!has_at(r, b->at, 16) || !is(r, b->ipv4_first, VNET_CLASS_IN))
		return VNET_GRANT_UNDECIDED;
	if (is(r, b->ipv4, VNET_CLASS_ZERO))
		return read_f1(r);
	if (!is(r, b->ipv4, VNET_CLASS_IN))
		return VNET_GRANT_IPV4;
	part = read_s4(r, VNET_CLASS_V4_GROUP);
	if (part == VNET_GRANT_BROADCAST && is(r, b->proto, VNET_CLASS_UDP) &&
	    !is_fragment(r, 0x3fff)) {
		if (!has(r, b->l4, 0, 4))
			return VNET_GRANT_UNDECIDED;
		if (equals_at(r, b->l4, 0, 4, UINT32_MAX, DHCP_CLIENT))
			part = PASS;
	}
	return part != PASS ? part : read_f3(r);
}

/* The options of kind @s from header @n on. */
static enum vnet_grant_part
read_o(struct reader *r, int n, int s)
{
	const struct vnet_law_body *b = r->body;

	for (int i = 0; i < VNET_LAW_OPTIONS; i++) {
		vnet_term o = b->o[n][s][i];

		if (is_at_least(r, o, b->end))
			return PASS;
		if (!has(r, o, 0, 2))
			return VNET_GRANT_UNDECIDED;
		if (equals_at(r, o, 1, 1, 0xff, 0) ||
		    !is(r, b->option[n][s][i], VNET_CLASS_IN))
			return VNET_GRANT_ND;
	}
	return is_at_least(r, b->o[n][s][VNET_LAW_OPTIONS], b->end)
		       ? PASS
		       : VNET_GRANT_UNDECIDED;
}

static enum vnet_grant_part
read_i(struct reader *r, int n, bool is_unspecified, bool is_frag)
{
	const struct vnet_law_body *b = r->body;
	uint32_t t = is_frag ? b->icmpv6_fragment[n] : b->icmpv6[n];
	vnet_term x = b->x[n];

	if (!is_frag && equals_at(r, VNET_TERM_ZERO, b->at + 4, 2, 0xffff, 0))
		return VNET_GRANT_UNDECIDED;
	if (!has(r, x, is_frag ? 8 : 0, 1))
		return VNET_GRANT_UNDECIDED;
	if (is_unspecified &&
	    !is(r, t, VNET_CLASS_MLD | VNET_CLASS_RS | VNET_CLASS_NS))
		return VNET_GRANT_IPV6;
	if (is_frag && is(r, t,
			  VNET_CLASS_RS | VNET_CLASS_RA | VNET_CLASS_NS |
				  VNET_CLASS_NA | VNET_CLASS_REDIRECT))
		return VNET_GRANT_UNDECIDED;
	if (!reader_may(r, VNET_MAY_ROUTE) &&
	    is(r, t, VNET_CLASS_RA | VNET_CLASS_REDIRECT | VNET_CLASS_ROUTER))
		return VNET_GRANT_ROUTE;
	if (is(r, t, VNET_CLASS_NA) ||
	    (is_unspecified && is(r, t, VNET_CLASS_NS))) {
		if (!has(r, x, 8, 16))
			return VNET_GRANT_UNDECIDED;
		if (!is(r, b->target[n], VNET_CLASS_IN))
			return VNET_GRANT_ND;
	}
	if (is(r, t, VNET_CLASS_RS))
		return read_o(r, n, 0);
	if (is(r, t, VNET_CLASS_RA))
		return read_o(r, n, 1);
	if (is(r, t, VNET_CLASS_NS | VNET_CLASS_NA))
		return read_o(r, n, 2);
	return PASS;
}

/* X3, with a next header that is in @next, and header @n. */
static enum vnet_grant_part
read_x3(struct reader *r, int n, uint32_t next, bool is_unspecified,
	bool is_frag)
{
	vnet_term x = r->body->x[n];

	if (is_unspecified && !is(r, next, VNET_CLASS_ICMP))
		return VNET_GRANT_IPV6;
	if (is(r, next, VNET_CLASS_TCP))
		return PASS;
	if (is(r, next, VNET_CLASS_ICMP))
		return read_i(r, n, is_unspecified, is_frag);
	if (is(r, next, VNET_CLASS_UDP))
		return read_u(r, is_frag ? plus_k(r->t, x, 8) : x, 546, 547);
	return read_proto(r, next);
}

static enum vnet_grant_part
read_x(struct reader *r)
{
	const struct vnet_law_body *b = r->body;
	enum vnet_grant_part part;
	bool is_unspecified;
	uint32_t next;
	int n = 0;

	if (!has_at(r, b->at + 8, 16) ||
	    !equals_at(r, VNET_TERM_ZERO, b->at, 1, 0xf0, 0x60))
		return VNET_GRANT_UNDECIDED;
	is_unspecified = is(r, b->ipv6, VNET_CLASS_ZERO);
	if (!is_unspecified && !is(r, b->ipv6, VNET_CLASS_IN))
		return VNET_GRANT_IPV6;
	part = read_s4(r, VNET_CLASS_V6_GROUP);
	if (part != PASS)
		return part;

	for (; is(r, b->next[n], VNET_CLASS_WALKED); n++)
		if (n == VNET_LAW_WALK - 1 || !has(r, b->x[n], 0, 2))
			return VNET_GRANT_UNDECIDED;
	next = b->next[n];
	if (is(r, next, VNET_CLASS_DSTOPTS))
		return VNET_GRANT_UNDECIDED;
	if (!is(r, next, VNET_CLASS_FRAGMENT))
		return read_x3(r, n, next, is_unspecified, false);
	if (is_unspecified || !has(r, b->x[n], 0, 4))
		return VNET_GRANT_UNDECIDED;
	if (!equals_at(r, b->x[n], 2, 2, 0xfff8, 0))
		return PASS;
	next = b->next[n + 1];
	if (is(r, next,
	       VNET_CLASS_WALKED | VNET_CLASS_FRAGMENT | VNET_CLASS_DSTOPTS |
		       VNET_CLASS_AUTH))
		return VNET_GRANT_UNDECIDED;
	return read_x3(r, n, next, is_unspecified, true);
}

/* S2. */
static enum vnet_grant_part
read_s2(struct reader *r)
{
	const struct vnet_law *law = r->law;
	const struct vnet_law_body *b = &law->body[0];

	if (!has_at(r, 12, 2))
		return VNET_GRANT_UNDECIDED;
	if (is(r, b->type, VNET_CLASS_CVLAN)) {
		if (!has_at(r, 14, 4))
			return VNET_GRANT_UNDECIDED;
		if (!is(r, law->vid_field, VNET_CLASS_IN))
			return VNET_GRANT_VLANS;
		b = &law->body[1];
	} else if (!law->has_untagged) {
		return VNET_GRANT_VLANS;
	}
	r->body = b;
	return is(r, b->type, VNET_CLASS_CVLAN | VNET_CLASS_TAG)
		       ? VNET_GRANT_VLANS
		       : PASS;
}

/* S3, without what it leads to. */
static enum vnet_grant_part
read_s3(struct reader *r)
{
	const struct vnet_grant *g = r->law->grant;
	const struct vnet_law_body *b = r->body;

	if (is(r, b->type, VNET_CLASS_LLC))
		return reader_may(r, VNET_MAY_LLC) ? PASS : VNET_GRANT_LLC;
	if (is(r, b->type, VNET_CLASS_OTHER))
		return VNET_GRANT_ETHERTYPES;
	if (!g->nipv4 && is(r, b->type, VNET_CLASS_ARP | VNET_CLASS_TYPE_IPV4))
		return VNET_GRANT_ETHERTYPES;
	if (!g->nipv6 && is(r, b->type, VNET_CLASS_TYPE_IPV6))
		return VNET_GRANT_ETHERTYPES;
	return PASS;
}

static enum vnet_grant_part
read_ingress(struct reader *r)
{
	enum vnet_grant_part part;
	uint32_t type;

	if (!has_at(r, 6, 6))
		return VNET_GRANT_UNDECIDED;
	if (!is(r, r->law->src_field, VNET_CLASS_IN))
		return VNET_GRANT_MACS;
	part = read_s2(r);
	if (part == PASS)
		part = read_s3(r);
	if (part != PASS)
		return part;
	type = r->body->type;
	if (is(r, type, VNET_CLASS_ARP))
		return read_a(r);
	if (is(r, type, VNET_CLASS_TYPE_IPV4))
		return read_f(r);
	if (is(r, type, VNET_CLASS_TYPE_IPV6))
		return read_x(r);
	if (is(r, type, VNET_CLASS_LLC)) {
		if (!has_at(r, r->body->at, 1))
			return VNET_GRANT_UNDECIDED;
		if (equals_at(r, VNET_TERM_ZERO, r->body->at, 1, 0xff, 0xaa))
			return VNET_GRANT_LLC;
	}
	return read_s4(r, 0);
}

static enum vnet_grant_part
read_egress(struct reader *r)
{
	enum vnet_grant_part part = read_s2(r);

	if (part == PASS)
		part = read_s3(r);
	if (part != PASS)
		return part;
	if (!has_at(r, 0, 6))
		return VNET_GRANT_UNDECIDED;
	if (is(r, r->law->dst_field, VNET_CLASS_IN))
		return PASS;
	return is(r, r->law->dst_field, VNET_CLASS_OTHER_HOST)
		       ? VNET_GRANT_MACS
		       : VNET_GRANT_GROUPS;
}

enum vnet_grant_part
vnet_law_read(const struct vnet_law *law, struct vnet_facts *f,
	      struct vnet_law_walk *w)
{
	struct reader r = {.law = law, .t = law->terms, .f = f, .w = w};
	enum vnet_grant_part part;

	part = law->side == VNET_INGRESS ? read_ingress(&r) : read_egress(&r);
	return w->is_lost ? VNET_GRANT_UNDECIDED : part;
}

bool
vnet_law_next(struct vnet_law_walk *w)
{
	while (w->nanswers && w->answer[w->nanswers - 1])
		w->nanswers--;
	if (!w->nanswers)
		return false;
	w->answer[w->nanswers - 1] = true;
	return true;
}
