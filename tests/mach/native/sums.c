/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <string.h>

#include "sums.h"

/* Where they are in a frame. */
struct place {
	bool is_ipv6;
	size_t addrs; /* both addresses, one behind the other */
	size_t l4;
	size_t l4_len;
	size_t sum;
	unsigned proto;
};

static unsigned
be16(const uint8_t *p)
{
	return 256u * p[0] + p[1];
}

static bool
find_ipv4(struct place *at, const uint8_t *p, size_t ip, size_t len)
{
	size_t hlen, total;

	if (len < ip + 20)
		return false;
	hlen = 4u * (p[ip] % 16);
	total = be16(p + ip + 2);
	/* UDP, all of it in this frame. */
	if (p[ip] / 16 != 4 || hlen < 20 || total < hlen + 8 ||
	    total > len - ip || p[ip + 9] != 17 ||
	    be16(p + ip + 6) % 0x4000 != 0)
		return false;
	at->addrs = ip + 12;
	at->l4 = ip + hlen;
	at->l4_len = be16(p + at->l4 + 4);
	if (at->l4_len < 8 || at->l4_len > total - hlen)
		return false;
	at->sum = at->l4 + 6;
	at->proto = 17;
	return true;
}

static bool
find_ipv6(struct place *at, const uint8_t *p, size_t ip, size_t len)
{
	size_t l4 = ip + 40, end;
	unsigned next;

	if (len < l4 || p[ip] / 16 != 6)
		return false;
	end = l4 + be16(p + ip + 4);
	if (end > len)
		return false;
	for (next = p[ip + 6]; next != 58; next = p[l4], l4 = at->l4) {
		if (l4 + 8 > end || (next != 0 && next != 60))
			return false;
		at->l4 = l4 + 8 + 8u * p[l4 + 1];
	}
	if (l4 + 8 > end)
		return false;
	at->addrs = ip + 8;
	at->l4 = l4;
	at->l4_len = end - l4;
	at->sum = l4 + 2;
	at->proto = 58;
	at->is_ipv6 = true;
	return true;
}

static bool
find(struct place *at, const uint8_t *p, size_t len)
{
	size_t type = 12;

	memset(at, 0, sizeof(*at));
	while (len >= type + 2 &&
	       (be16(p + type) == 0x8100 || be16(p + type) == 0x88a8))
		type += 4;
	if (len < type + 2)
		return false;
	if (be16(p + type) == 0x0800)
		return find_ipv4(at, p, type + 2, len);
	return be16(p + type) == 0x86dd && find_ipv6(at, p, type + 2, len);
}

static unsigned
sum_octets(const uint8_t *p, size_t n)
{
	unsigned long long sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : 256ull * p[i];
	while (sum >= 0x10000)
		sum = sum % 0x10000 + sum / 0x10000;
	return (unsigned)sum;
}

/* The sum over everything, the checksum among it. */
static unsigned
sum_all(const struct place *at, const uint8_t *p)
{
	unsigned sum = at->proto + (unsigned)at->l4_len;

	sum += sum_octets(p + at->addrs, at->is_ipv6 ? 32 : 8);
	sum += sum_octets(p + at->l4, at->l4_len);
	while (sum >= 0x10000)
		sum = sum % 0x10000 + sum / 0x10000;
	return sum;
}

enum sums_state
sums_check(const uint8_t *frame, size_t len)
{
	struct place at;

	if (!find(&at, frame, len) ||
	    (!at.is_ipv6 && be16(frame + at.sum) == 0))
		return SUMS_NONE;
	return sum_all(&at, frame) == 0xffff ? SUMS_RIGHT : SUMS_WRONG;
}

void
sums_set(uint8_t *frame, size_t len)
{
	struct place at;
	unsigned sum;

	if (!find(&at, frame, len))
		return;
	memset(frame + at.sum, 0, 2);
	sum = 0xffff - sum_all(&at, frame);
	if (sum == 0 && !at.is_ipv6)
		sum = 0xffff;
	frame[at.sum] = (uint8_t)(sum / 256);
	frame[at.sum + 1] = (uint8_t)(sum % 256);
}
