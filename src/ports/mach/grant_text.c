/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "grant_text.h"
#include "json_writer.h"

const char *const vnet_grant_mays[] = {
	"broadcast", "multicast", "dhcp", "route",
	"vrrp",      "tunnel",    "llc",  NULL,
};

/* A text that is read from its beginning on. */
struct reader {
	const char *at;
	const char *end;
};

static bool
is_end(const struct reader *r)
{
	return r->at == r->end;
}

static bool
skip(struct reader *r, char c)
{
	if (is_end(r) || *r->at != c)
		return false;
	r->at++;
	return true;
}

static unsigned int
digit(const struct reader *r)
{
	char c = '\0';

	if (!is_end(r))
		c = *r->at;
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

/* One digit at the least, @max_digits at the most. */
static bool
read_digits(struct reader *r, unsigned int base, unsigned int max_digits,
	    uint64_t *number)
{
	unsigned int n = 0;

	*number = 0;
	for (; n < max_digits && digit(r) < base; n++) {
		*number = *number * base + digit(r);
		r->at++;
	}
	return n > 0 && digit(r) >= base;
}

static bool
read_number(struct reader *r, uint64_t max, uint64_t *number)
{
	bool is_hex = r->end - r->at > 2 && r->at[0] == '0' && r->at[1] == 'x';

	if (is_hex)
		r->at += 2;
	return read_digits(r, is_hex ? 16 : 10, is_hex ? 15 : 18, number) &&
	       *number <= max;
}

/*
 * Addresses
 */

static bool
read_mac(struct reader *r, uint8_t octet[6])
{
	uint64_t n;

	for (int i = 0; i < 6; i++) {
		if (i && !skip(r, ':'))
			return false;
		if (r->end - r->at < 2 || !read_digits(r, 16, 2, &n))
			return false;
		octet[i] = (uint8_t)n;
	}
	return true;
}

static bool
read_ipv4(struct reader *r, uint8_t octet[4])
{
	uint64_t n;

	for (int i = 0; i < 4; i++) {
		if (i && !skip(r, '.'))
			return false;
		if (!read_digits(r, 10, 3, &n) || n > 255)
			return false;
		octet[i] = (uint8_t)n;
	}
	return true;
}

/* What is behind "::" belongs to the end. */
static void
spread(uint8_t octet[16], int gap, int n)
{
	const size_t tail = (size_t)(n - gap) * 2;

	memmove(octet + 16 - tail, octet + gap * 2, tail);
	memset(octet + gap * 2, 0, (size_t)(8 - n) * 2);
}

/* Of eight groups, or less with one "::"; none of them in the form of IPv4. */
static bool
read_ipv6(struct reader *r, uint8_t octet[16])
{
	int gap = -1, n = 0;
	uint64_t group;

	if (skip(r, ':')) {
		if (!skip(r, ':'))
			return false;
		gap = 0;
	}
	while (n < 8 && digit(r) < 16) {
		if (!read_digits(r, 16, 4, &group))
			return false;
		octet[2 * n] = (uint8_t)(group >> 8);
		octet[2 * n + 1] = (uint8_t)group;
		n++;
		if (n == 8 || !skip(r, ':'))
			break;
		if (skip(r, ':')) {
			if (gap >= 0)
				return false;
			gap = n;
		} else if (digit(r) == 16) {
			return false;
		}
	}
	if (gap < 0)
		return n == 8;
	spread(octet, gap, n);
	return n < 8;
}

/* The end, or a slash and a number up to that. */
static bool
read_bits(struct reader *r, uint8_t all, uint8_t *bits)
{
	uint64_t n = all;

	if (!is_end(r) && (!skip(r, '/') || !read_digits(r, 10, 3, &n)))
		return false;
	*bits = (uint8_t)n;
	return is_end(r) && n <= all;
}

static bool
read_mac_prefix(struct reader r, struct vnet_mac_prefix *p)
{
	return read_mac(&r, p->mac.octet) && read_bits(&r, 48, &p->bits);
}

static bool
read_ipv4_prefix(struct reader r, struct vnet_ipv4_prefix *p)
{
	return read_ipv4(&r, p->octet) && read_bits(&r, 32, &p->bits);
}

static bool
read_ipv6_prefix(struct reader r, struct vnet_ipv6_prefix *p)
{
	return read_ipv6(&r, p->octet) && read_bits(&r, 128, &p->bits);
}

/* A group of IP has the MAC address that the last 23 (RFC 1112) or 32 (RFC 2464)
 * of its bits make. */
static bool
read_group(struct reader r, struct vnet_mac_prefix *p)
{
	static const uint8_t base4[6] = {0x01, 0x00, 0x5e};
	static const uint8_t base6[6] = {0x33, 0x33};
	struct vnet_ipv4_prefix v4;
	struct vnet_ipv6_prefix v6;

	if (read_mac_prefix(r, p))
		return true;
	if (read_ipv4_prefix(r, &v4)) {
		if (v4.octet[0] >> 4 != 0xe || v4.bits < 4)
			return false;
		memcpy(p->mac.octet, base4, 6);
		memcpy(p->mac.octet + 3, v4.octet + 1, 3);
		p->mac.octet[3] &= 0x7f;
		p->bits = (uint8_t)(v4.bits > 9 ? v4.bits + 16 : 25);
		return true;
	}
	if (!read_ipv6_prefix(r, &v6) || v6.octet[0] != 0xff || v6.bits < 8)
		return false;
	memcpy(p->mac.octet, base6, 6);
	memcpy(p->mac.octet + 2, v6.octet + 12, 4);
	p->bits = (uint8_t)(v6.bits > 96 ? v6.bits - 80 : 16);
	return true;
}

static bool
read_vlans(struct reader r, struct vnet_vlan_range *range)
{
	uint64_t first, last;

	if (!read_number(&r, 4094, &first))
		return false;
	last = first;
	if (skip(&r, '-') && !read_number(&r, 4094, &last))
		return false;
	range->first = (uint16_t)first;
	range->last = (uint16_t)last;
	return is_end(&r) && first <= last;
}

static bool
read_ethertype(struct reader r, uint16_t *type)
{
	uint64_t n;

	if (!read_number(&r, UINT16_MAX, &n))
		return false;
	*type = (uint16_t)n;
	return is_end(&r);
}

/*
 * Keys
 */

enum form { MAC, IPV4, IPV6, GROUP, VLAN, ETHERTYPE, MAY, NUMBER, RATE, FOR_S };

/* @offset: of a number in struct vnet_grant, of 32 bits, or 64 of a rate. */
struct key {
	const char *name;
	enum form form;
	size_t offset;
	uint64_t max;
};

#define OF(member) offsetof(struct vnet_grant, member)

static const struct key keys[] = {
	{"mac", MAC, 0, 0},
	{"ipv4", IPV4, 0, 0},
	{"ipv6", IPV6, 0, 0},
	{"group", GROUP, 0, 0},
	{"vlan", VLAN, 0, 0},
	{"ethertype", ETHERTYPE, 0, 0},
	{"may", MAY, 0, 0},
	{"max_addresses", NUMBER, OF(max_addresses), UINT32_MAX},
	{"max_clients", NUMBER, OF(max_clients), UINT32_MAX},
	{"queue", NUMBER, OF(queue_octets), UINT32_MAX},
	{"depth", NUMBER, OF(depth), VNET_GRANT_MAX_DEPTH},
	{"for_s", FOR_S, OF(until), 1000000000},
	{"frames_per_s", RATE, OF(rate.frames_per_s), VNET_LIMIT_RATE_MAX},
	{"octets_per_s", RATE, OF(rate.octets_per_s), VNET_LIMIT_RATE_MAX},
	{"burst_frames", RATE, OF(rate.burst_frames), VNET_LIMIT_BURST_MAX},
	{"burst_octets", RATE, OF(rate.burst_octets), VNET_LIMIT_BURST_MAX},
};

static const char *const expected[] = {
	[MAC] = "expected an address as 02:00:00:00:00:01, and perhaps "
		"behind a slash 0 to 48",
	[IPV4] = "expected an address as 10.0.0.1, and perhaps behind a "
		 "slash 0 to 32",
	[IPV6] = "expected an address as fd00::1, and perhaps behind a "
		 "slash 0 to 128",
	[GROUP] = "expected one as 224.0.0.251, ff02::fb or "
		  "01:00:5e:00:00:fb, and perhaps behind a slash how many bits",
	[VLAN] = "expected 0 to 4094, or two of them as 100-200",
	[ETHERTYPE] = "expected a number as 0x88b5",
	[MAY] = "expected broadcast, multicast, dhcp, route, vrrp, tunnel "
		"or llc",
	[NUMBER] = "expected a number of 32 bits; of depth, at most 8",
	[RATE] = "expected 1 to 1099511627776; of a burst, at most 2147483648",
	[FOR_S] = "expected 1 to 1000000000 seconds of for_s",
};

static bool
is_word(const char *text, size_t len, const char *word)
{
	size_t i = 0;

	while (i < len && word[i] && text[i] == word[i])
		i++;
	return i == len && !word[i];
}

static const struct key *
find_key(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (is_word(name, len, keys[i].name))
			return &keys[i];
	return NULL;
}

static bool
add_may(struct vnet_grant *g, const struct reader *r)
{
	for (uint32_t i = 0; vnet_grant_mays[i]; i++) {
		if (is_word(r->at, (size_t)(r->end - r->at),
			    vnet_grant_mays[i])) {
			g->may |= UINT32_C(1) << i;
			return true;
		}
	}
	return false;
}

static bool
add_number(struct vnet_grant *g, const struct key *key, struct reader r)
{
	char *to = (char *)g + key->offset;
	uint64_t n;
	uint32_t n32;

	if (!read_number(&r, key->max, &n) || !is_end(&r))
		return false;
	if (key->form == NUMBER) {
		n32 = (uint32_t)n;
		memcpy(to, &n32, sizeof(n32));
		return true;
	}
	if (key->form == FOR_S)
		n *= VNET_NSEC_PER_SEC;
	else
		g->rate.size = sizeof(g->rate);
	memcpy(to, &n, sizeof(n));
	return n > 0;
}

/* There is room in it. */
static bool
add_to_list(struct vnet_grant_form *f, enum form form, struct reader r)
{
	struct vnet_grant *g = &f->grant;

	switch (form) {
	case MAC:
		return read_mac_prefix(r, &f->lists.macs[g->nmacs++]);
	case IPV4:
		return read_ipv4_prefix(r, &f->lists.ipv4[g->nipv4++]);
	case IPV6:
		return read_ipv6_prefix(r, &f->lists.ipv6[g->nipv6++]);
	case GROUP:
		return read_group(r, &f->lists.groups[g->ngroups++]);
	case VLAN:
		return read_vlans(r, &f->lists.vlans[g->nvlans++]);
	default:
		return read_ethertype(r,
				      &f->lists.ethertypes[g->nethertypes++]);
	}
}

static bool
is_full(const struct vnet_grant *g, enum form form)
{
	const size_t n[] = {
		[MAC] = g->nmacs,   [IPV4] = g->nipv4,
		[IPV6] = g->nipv6,  [GROUP] = g->ngroups,
		[VLAN] = g->nvlans, [ETHERTYPE] = g->nethertypes,
	};

	return form <= ETHERTYPE && n[form] == VNET_GRANT_MAX_LIST;
}

const char *
vnet_grant_form_add(struct vnet_grant_form *f, const char *key, size_t key_len,
		    const char *value, size_t len)
{
	const struct reader r = {value, value + len};
	const struct key *k = find_key(key, key_len);
	bool ok;

	if (!k)
		return "unknown key of a grant";
	if (is_full(&f->grant, k->form))
		return "too many of one key";
	if (k->form == MAY)
		ok = add_may(&f->grant, &r);
	else if (k->form < MAY)
		ok = add_to_list(f, k->form, r);
	else
		ok = add_number(&f->grant, k, r);
	return ok ? NULL : expected[k->form];
}

struct vnet_grant
vnet_grant_form_get(const struct vnet_grant_form *f, vnet_nsec now)
{
	struct vnet_grant g = f->grant;

	g.size = sizeof(g);
	g.name = f->name;
	vnet_grant_use_lists(&g, &f->lists);
	if (g.until)
		g.until += now;
	return g;
}

int
vnet_grant_form_make(const struct vnet_grant_form *f, struct vnet_switch *sw,
		     vnet_grant_id parent, vnet_nsec now, vnet_grant_id *id,
		     enum vnet_grant_part *part, struct vnet_why *why)
{
	struct vnet_grant_info above = {.size = sizeof(above)};
	struct vnet_grant g = vnet_grant_form_get(f, now);

	if (parent != VNET_NO_ID && !vnet_grant_get(sw, parent, &above)) {
		if (!g.queue_octets)
			g.queue_octets = above.grant.queue_octets;
		if (!g.until)
			g.until = above.grant.until;
		if (!g.rate.size)
			g.rate = above.grant.rate;
	}
	return vnet_grant_add(sw, parent, &g, id, part, why);
}

/*
 * Addresses of a grant
 */

/* Of octet @i of an address, the bits that a prefix of @bits has. */
static uint8_t
mask_of(unsigned int bits, unsigned int i)
{
	if (bits >= 8 * (i + 1))
		return 0xff;
	return bits <= 8 * i ? 0 : (uint8_t)(0xff << (8 * (i + 1) - bits));
}

static bool
begins(const struct vnet_mac_prefix *p, struct vnet_mac mac)
{
	unsigned int i = 0;

	while (i < 6 &&
	       !((mac.octet[i] ^ p->mac.octet[i]) & mask_of(p->bits, i)))
		i++;
	return i == 6;
}

struct vnet_mac
vnet_mac_below(const struct vnet_mac_prefix *p, struct vnet_mac mac)
{
	for (unsigned int i = 0; i < 6; i++) {
		const uint8_t mask = mask_of(p->bits, i);

		mac.octet[i] = (uint8_t)((p->mac.octet[i] & mask) |
					 (mac.octet[i] & ~mask));
	}
	return mac;
}

bool
vnet_grant_has_mac(const struct vnet_switch *sw, vnet_grant_id grant,
		   struct vnet_mac mac)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	if (grant == VNET_NO_ID)
		return true;
	if (vnet_grant_get(sw, grant, &info))
		return false;
	for (size_t i = 0; i < info.grant.nmacs; i++)
		if (begins(&info.grant.macs[i], mac))
			return true;
	return false;
}

struct vnet_mac
vnet_grant_mac(const struct vnet_switch *sw, vnet_grant_id grant,
	       struct vnet_mac mac)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	if (vnet_grant_has_mac(sw, grant, mac) ||
	    vnet_grant_get(sw, grant, &info))
		return mac;
	return vnet_mac_below(&info.grant.macs[0], mac);
}

/*
 * As text
 */

struct writer {
	char *text;
	size_t len;
};

static void
put(struct writer *w, char c)
{
	w->text[w->len++] = c;
	w->text[w->len] = '\0';
}

static void
put_decimal(struct writer *w, uint64_t n)
{
	char digits[VNET_NUMBER_SIZE];

	for (const char *p = vnet_number_text(n, digits); *p; p++)
		put(w, *p);
}

static void
put_hex(struct writer *w, uint32_t n, unsigned int least)
{
	unsigned int digits = least;

	while (digits < 4 && n >> 4 * digits)
		digits++;
	while (digits--)
		put(w, "0123456789abcdef"[n >> 4 * digits & 15]);
}

static void
put_bits(struct writer *w, uint8_t bits, uint8_t all)
{
	if (bits == all)
		return;
	put(w, '/');
	put_decimal(w, bits);
}

struct vnet_prefix_text
vnet_mac_prefix_text(const struct vnet_mac_prefix *p)
{
	struct vnet_prefix_text t;
	struct writer w = {t.text, 0};

	for (int i = 0; i < 6; i++) {
		if (i)
			put(&w, ':');
		put_hex(&w, p->mac.octet[i], 2);
	}
	put_bits(&w, p->bits, 48);
	return t;
}

struct vnet_prefix_text
vnet_ipv4_prefix_text(const struct vnet_ipv4_prefix *p)
{
	struct vnet_prefix_text t;
	struct writer w = {t.text, 0};

	for (int i = 0; i < 4; i++) {
		if (i)
			put(&w, '.');
		put_decimal(&w, p->octet[i]);
	}
	put_bits(&w, p->bits, 32);
	return t;
}

static uint32_t
group_of(const struct vnet_ipv6_prefix *p, int i)
{
	return (uint32_t)p->octet[2 * i] << 8 | p->octet[2 * i + 1];
}

/* The longest run of zeros, of two or more groups, the first of several. */
static int
find_zeros(const struct vnet_ipv6_prefix *p, int *first)
{
	int longest = 1, n = 0;

	*first = 8;
	for (int i = 0; i < 8; i++) {
		n = group_of(p, i) ? 0 : n + 1;
		if (n > longest) {
			longest = n;
			*first = i - n + 1;
		}
	}
	return longest;
}

struct vnet_prefix_text
vnet_ipv6_prefix_text(const struct vnet_ipv6_prefix *p)
{
	struct vnet_prefix_text t;
	struct writer w = {t.text, 0};
	int first, n = find_zeros(p, &first);

	for (int i = 0; i < 8; i++) {
		if (i == first) {
			put(&w, ':');
			i += n - 1;
			if (i == 7)
				put(&w, ':');
			continue;
		}
		if (i)
			put(&w, ':');
		put_hex(&w, group_of(p, i), 1);
	}
	put_bits(&w, p->bits, 128);
	return t;
}

struct vnet_prefix_text
vnet_vlan_range_text(const struct vnet_vlan_range *r)
{
	struct vnet_prefix_text t;
	struct writer w = {t.text, 0};

	put_decimal(&w, r->first);
	if (r->last != r->first) {
		put(&w, '-');
		put_decimal(&w, r->last);
	}
	return t;
}
