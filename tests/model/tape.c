/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tape.h"

/* Octets that are said as they are; of what is behind, a hash. */
#define SAID_MAX 256

/* FNV-1a, 64 bits. */
static uint64_t
hash(const uint8_t *p, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

void
tape_record(struct tape *t, uint64_t seed)
{
	*t = (struct tape){.mode = TAPE_RECORD};
	t->random = hash((const uint8_t *)"tape", 4) ^
		    seed * UINT64_C(0x9e3779b97f4a7c15);
}

void
tape_draw(struct tape *t, uint64_t seed)
{
	tape_record(t, seed);
	t->mode = TAPE_DRAW;
}

void
tape_replay(struct tape *t, const uint8_t *log, size_t len)
{
	*t = (struct tape){.mode = TAPE_REPLAY, .in = log, .len = len};
}

void
tape_fuzz(struct tape *t, const uint8_t *octets, size_t len)
{
	*t = (struct tape){.mode = TAPE_FUZZ, .in = octets, .len = len};
}

bool
tape_is_over(const struct tape *t)
{
	return t->has_failed || (t->mode == TAPE_FUZZ && t->pos == t->len);
}

void
tape_fail(struct tape *t, const char *format, ...)
{
	va_list args;
	int n;

	if (t->has_failed)
		return;
	t->has_failed = true;
	n = snprintf(t->why, sizeof(t->why), "call %lu, %s: ", t->ncalls,
		     t->call);
	va_start(args, format);
	vsnprintf(t->why + n, sizeof(t->why) - (size_t)n, format, args);
	va_end(args);
	if (t->mode == TAPE_FUZZ) {
		fprintf(stderr, "%s\n", t->why);
		abort();
	}
}

static void
append(struct tape *t, const void *p, size_t len)
{
	if (t->size - t->len < len) {
		t->size = 2 * (t->len + len);
		t->log = realloc(t->log, t->size);
		if (!t->log)
			abort();
	}
	if (len)
		memcpy(t->log + t->len, p, len);
	t->len += len;
}

static void
append_number(struct tape *t, enum tape_kind kind, uint64_t number,
	      unsigned int noctets)
{
	uint8_t item[9];

	item[0] = (uint8_t)((unsigned int)kind << 4 | noctets);
	for (unsigned int i = 0; i < noctets; i++)
		item[1 + i] = (uint8_t)(number >> 8 * (noctets - 1 - i));
	append(t, item, 1 + noctets);
}

bool
tape_next(const uint8_t *log, size_t len, size_t *pos, struct tape_item *item)
{
	size_t at = *pos;

	if (at == len)
		return false;
	item->kind = (enum tape_kind)(log[at] >> 4);
	item->noctets = log[at] & 0xf;
	item->octets = log + ++at;
	item->number = 0;
	if (item->noctets > 8 || item->noctets > len - at)
		return false;
	for (unsigned int i = 0; i < item->noctets; i++)
		item->number = item->number << 8 | log[at++];
	if (item->kind == TAPE_CALL || item->kind == TAPE_OCTETS) {
		if (item->number > len - at)
			return false;
		at += (size_t)item->number;
	}
	*pos = at;
	return true;
}

/* The next item of the log that is replayed, which must be of that kind. */
static bool
expect(struct tape *t, enum tape_kind kind, const char *what,
       struct tape_item *item)
{
	if (t->has_failed)
		return false;
	if (!tape_next(t->in, t->len, &t->pos, item)) {
		tape_fail(t, "%s: the log ends here", what);
		return false;
	}
	if (item->kind != kind) {
		tape_fail(t, "%s: the log has kind %d here, not %d", what,
			  item->kind, kind);
		return false;
	}
	return true;
}

void
tape_end(struct tape *t)
{
	if (t->mode == TAPE_REPLAY && t->pos < t->len)
		tape_fail(t, "the log goes on behind the end of the run");
}

/* Octets that hold any number below @bound. */
static unsigned int
width(uint32_t bound)
{
	return bound && bound <= 0x100 ? 1 : bound && bound <= 0x10000 ? 2 : 4;
}

/* xorshift64* (Vigna, 2016). */
static uint32_t
draw(struct tape *t)
{
	uint64_t x = t->random ? t->random : 1;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	t->random = x;
	return (uint32_t)((x * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

static uint32_t
decide(struct tape *t, enum tape_kind kind, uint32_t bound)
{
	struct tape_item item;
	uint32_t number = 0;

	switch (t->mode) {
	case TAPE_RECORD:
	case TAPE_DRAW:
		number = draw(t);
		if (bound)
			number = (uint32_t)((uint64_t)number * bound >> 32);
		if (t->mode == TAPE_RECORD)
			append_number(t, kind, number, width(bound));
		break;
	case TAPE_REPLAY:
		if (!expect(t, kind, "decision", &item))
			return 0;
		if (item.noctets != width(bound) ||
		    (bound && item.number >= bound)) {
			tape_fail(t, "decision: %" PRIu64 " is out of bounds",
				  item.number);
			return 0;
		}
		number = (uint32_t)item.number;
		break;
	case TAPE_FUZZ:
		for (unsigned int i = width(bound); i && t->pos < t->len; i--)
			number = number << 8 | t->in[t->pos++];
		if (bound)
			number %= bound;
		break;
	}
	return number;
}

uint32_t
tape_argument(struct tape *t, uint32_t bound)
{
	return decide(t, TAPE_ARGUMENT, bound);
}

uint32_t
tape_answer(struct tape *t, uint32_t bound)
{
	return decide(t, TAPE_ANSWER, bound);
}

bool
tape_seldom(struct tape *t, uint32_t bound)
{
	return tape_argument(t, bound) == bound - 1;
}

void
tape_say(struct tape *t, const char *what, uint64_t number)
{
	struct tape_item item;
	unsigned int n = 0;

	switch (t->mode) {
	case TAPE_RECORD:
		while (n < 8 && number >> 8 * n)
			n++;
		append_number(t, TAPE_NUMBER, number, n);
		break;
	case TAPE_REPLAY:
		if (expect(t, TAPE_NUMBER, what, &item) &&
		    item.number != number)
			tape_fail(t,
				  "%s: %" PRIu64 ", but %" PRIu64 " in the log",
				  what, number, item.number);
		break;
	case TAPE_FUZZ:
	case TAPE_DRAW:
		break;
	}
}

static void
say_few(struct tape *t, enum tape_kind kind, const char *what, const uint8_t *p,
	size_t len)
{
	struct tape_item item;
	const uint8_t *was;
	size_t i = 0;

	switch (t->mode) {
	case TAPE_RECORD:
		append_number(t, kind, len, 2);
		append(t, p, len);
		break;
	case TAPE_REPLAY:
		if (!expect(t, kind, what, &item))
			break;
		if (item.number != len) {
			tape_fail(t,
				  "%s: %zu octets, but %" PRIu64 " in the log",
				  what, len, item.number);
			break;
		}
		was = item.octets + item.noctets;
		while (i < len && p[i] == was[i])
			i++;
		if (i < len)
			tape_fail(t,
				  "%s: octet %zu is 0x%02x, but 0x%02x in "
				  "the log",
				  what, i, p[i], was[i]);
		break;
	case TAPE_FUZZ:
	case TAPE_DRAW:
		break;
	}
}

void
tape_say_octets(struct tape *t, const char *what, const void *p, size_t len)
{
	if (t->mode == TAPE_FUZZ || t->mode == TAPE_DRAW)
		return;
	say_few(t, TAPE_OCTETS, what, p, len < SAID_MAX ? len : SAID_MAX);
	if (len > SAID_MAX)
		tape_say(t, what, hash(p, len));
}

void
tape_call(struct tape *t, const char *name)
{
	if (t->has_failed)
		return;
	t->ncalls++;
	snprintf(t->call, sizeof(t->call), "%s", name);
	say_few(t, TAPE_CALL, "call", (const uint8_t *)name, strlen(name));
}
