/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape: what a random run decides, and what comes of it.
 *
 * A run asks its tape for every argument of a call and every answer of a driver
 * or allocator, and says what it sees. One and the same run can so be
 *
 *	recorded	what it decides is drawn at random; all goes into a log
 *	replayed	what it decides is read from a log; what it says must be
 *			what the log has
 *	fuzzed		what it decides are octets from outside; it says nothing
 *	drawn		as recorded, but nobody wants the log
 *
 * The log is the same on every machine. It is made of items:
 *
 *	kind (4 bits), n (4 bits), a number of n octets, most significant first
 *
 * and behind the number of a TAPE_CALL or TAPE_OCTETS as many octets as it
 * says.
 */
#ifndef VNET_TEST_TAPE_H
#define VNET_TEST_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tape_kind {
	TAPE_CALL = 1,     /* of the API: its name */
	TAPE_ARGUMENT = 2, /* of that call */
	TAPE_ANSWER = 3,   /* of a driver, or of an allocator */
	TAPE_NUMBER = 4,   /* said */
	TAPE_OCTETS = 5,   /* said */
};

struct tape_item {
	enum tape_kind kind;
	uint64_t number;
	const uint8_t *octets; /* of the number; those of a name lie behind */
	unsigned int noctets;
};

/* Read the item at *@pos of a log and step behind it: false if there is no
 * whole one. */
bool tape_next(const uint8_t *log, size_t len, size_t *pos,
	       struct tape_item *item);

/**
 * struct tape - where a run is
 * @log:	what was recorded, or is replayed
 * @len:	octets of it
 * @ncalls:	calls so far
 * @has_failed:	something was not as it should be; a run then ends soon
 * @why:	what
 * The rest is the tape's.
 */
struct tape {
	uint8_t *log;
	size_t len;
	unsigned long ncalls;
	bool has_failed;
	char why[256];

	enum { TAPE_RECORD, TAPE_REPLAY, TAPE_FUZZ, TAPE_DRAW } mode;
	const uint8_t *in;
	size_t pos;
	size_t size;
	uint64_t random;
	char call[24];
};

void tape_record(struct tape *t, uint64_t seed); /* then free(t->log) */
void tape_draw(struct tape *t, uint64_t seed);
void tape_replay(struct tape *t, const uint8_t *log, size_t len);
void tape_fuzz(struct tape *t, const uint8_t *octets, size_t len);

/* Nothing is left to decide, or it has failed. */
bool tape_is_over(const struct tape *t);

/* The run has ended: see that the log has too. */
void tape_end(struct tape *t);

/* A call begins; @name is at most 23 octets long. */
void tape_call(struct tape *t, const char *name);

/* Decide: a number below @bound, or of 32 bits where that is 0. Where there is
 * nothing left to decide, it is 0. */
uint32_t tape_argument(struct tape *t, uint32_t bound);
uint32_t tape_answer(struct tape *t, uint32_t bound);

/* An argument that is true one time in @bound, and one that is an element of an
 * array. */
bool tape_seldom(struct tape *t, uint32_t bound);
#define TAPE_ONE_OF(t, a) \
	((a)[tape_argument(t, (uint32_t)(sizeof(a) / sizeof((a)[0])))])

/* Say; @what is for messages. Of many octets, the first and a hash are said. */
void tape_say(struct tape *t, const char *what, uint64_t number);
void tape_say_octets(struct tape *t, const char *what, const void *p,
		     size_t len);

/* Something is not as it should be. The first such thing is kept; where the
 * tape is fuzzed, the program ends here. */
void tape_fail(struct tape *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define TAPE_EXPECT(t, x)                                                  \
	do {                                                               \
		if (!(x))                                                  \
			tape_fail(t, "%s:%d: %s", __FILE__, __LINE__, #x); \
	} while (0)

#endif
