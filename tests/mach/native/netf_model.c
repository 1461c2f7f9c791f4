/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "netf_model.h"

/* struct net_rcv_msg, without what Mach puts around it. */
struct message {
	uint8_t header[64];
	size_t header_octets;
	uint8_t *packet;
	size_t packet_octets;
};

static uint8_t *
make_packet(const uint8_t *frame, size_t len)
{
	uint8_t *p = malloc(4 + len);

	if (!p)
		abort();
	p[0] = (uint8_t)((len - 14 + 4) % 256);
	p[1] = (uint8_t)((len - 14 + 4) / 256);
	p[2] = frame[12];
	p[3] = frame[13];
	memcpy(p + 4, frame + 14, len - 14);
	return p;
}

/* Word @i, as a little-endian machine reads it; -1 if it is not all there. */
static int64_t
word_at(const uint8_t *octets, size_t n, int64_t i)
{
	if (2 * i + 1 >= (int64_t)n)
		return -1;
	return octets[2 * i] + 256 * octets[2 * i + 1];
}

/* The result of a binary operator, all of which give a number of 32 bits. */
static int64_t
compute(unsigned op, int64_t a, int64_t b)
{
	int64_t r = 0;

	if (op == 1)
		r = a == b;
	else if (op == 2)
		r = a < b;
	else if (op == 3)
		r = a <= b;
	else if (op == 4)
		r = a > b;
	else if (op == 5)
		r = a >= b;
	else if (op == 6)
		r = a & b;
	else if (op == 7)
		r = a | b;
	else if (op == 8)
		r = a ^ b;
	else if (op == 13)
		r = a != b;
	else if (op == 14)
		for (r = a; b > 0 && r; b--)
			r = r * 2 % 0x100000000;
	else if (op == 15 && b < 32)
		/* The sign comes down with it. */
		for (r = a; b > 0; b--)
			r = r / 2 + (r >= 0x80000000 ? 0x80000000 : 0);
	else if (op == 16)
		r = (a + b) % 0x100000000;
	else if (op == 17)
		r = (a - b + 0x100000000) % 0x100000000;
	return r;
}

static bool
run(const uint16_t *words, size_t nwords, const struct message *m)
{
	int64_t stack[256] = {1};
	int n = 1;

	for (size_t i = 1; i < nwords; i++) {
		unsigned arg = words[i] % 1024;
		unsigned op = words[i] / 1024;
		int64_t v;

		/* What takes a value off the stack. */
		if (arg == 0 || arg == 14 || arg == 15) {
			if (n == 0)
				return false;
			v = stack[--n];
		} else {
			v = 0;
		}

		if (arg == 1)
			v = words[++i];
		else if (arg == 14)
			v = word_at(m->packet, m->packet_octets, v);
		else if (arg == 15)
			v = word_at(m->header, m->header_octets, v);
		else if (arg >= 16 && arg < 960)
			v = word_at(m->packet, m->packet_octets, arg - 16);
		else if (arg >= 960 && arg < 992)
			v = word_at(m->header, m->header_octets, arg - 960);
		else if (arg >= 992)
			v = (int)arg - 992 < n ? stack[n - 1 - ((int)arg - 992)]
					       : -1;
		if (v < 0)
			return false;

		if (op == 0) {
			stack[n++] = v;
			continue;
		}
		if (n == 0)
			return false;
		if (op >= 9 && op <= 12) {
			bool equal = stack[--n] == v;
			bool wants_equal = op == 9 || op == 11;

			if (equal == wants_equal)
				return op == 9 || op == 12;
			continue;
		}
		stack[n - 1] = compute(op, stack[n - 1], v);
	}
	return n > 0 && stack[n - 1] != 0;
}

bool
netf_model_match(const uint16_t *words, size_t nwords, const uint8_t *frame,
		 size_t len)
{
	struct message m = {.header_octets = sizeof(m.header)};
	bool wanted;

	memcpy(m.header, frame, 14);
	m.packet = make_packet(frame, len);
	m.packet_octets = len - 14 + 4;
	wanted = run(words, nwords, &m);
	free(m.packet);
	return wanted;
}
