/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hosts on devices (netdev.h) that live in one task at the same time, and a
 * record of what each of them has sent and received.
 */
#ifndef VNET_TEST_CROWD_H
#define VNET_TEST_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netdev.h"

/**
 * struct tally - frames, in their order
 * @frames:	how many
 * @digest:	of their octets and lengths; of two tallies that are the same
 *		frames were, and in the same order
 */
struct tally {
	uint32_t frames;
	uint32_t digest;
};

/* Count a frame in. Frames shorter than @least are taken as filled up with
 * zeros, as they are on a wire. */
void tally_add(struct tally *t, const uint8_t *frame, size_t len, size_t least);

/**
 * struct member - one of them
 * @name:	of its device
 * @sent:	as it was handed to the device, @received as the device gave it
 * @on_wire:	@sent, each frame of 60 octets at the least
 */
struct member {
	const char *name;
	struct station station;
	struct tally sent;
	struct tally received;
	struct tally on_wire;
};

/* Put it on its device, with a filter in one of both languages, and with that
 * device's address; fails the test where that fails. Its IP addresses may be
 * NULL. It has sent its first frames when this returns. */
void member_start(struct member *m, mach_port_t master, bool is_bpf, int flags,
		  const struct host_addr *ip4, const struct host_addr *ip6);

/* It leaves; fails the test if its device has refused a frame of it or given it
 * one that was none. */
void member_leave(struct member *m);

/* Write a frame as itself, beside what its host sends. */
void member_write(struct member *m, const uint8_t *frame, size_t len);

/* Has its host all its addresses? */
bool member_is_ready(struct member *m);

/*
 * Let all of them do their work until @is_done is true of each, or @limit_ms are
 * over: false. It is asked of each in every round, and may give the host more to
 * do. NULL: until the time is over.
 */
bool crowd_run(struct member *members, size_t n,
	       bool (*is_done)(struct member *m), host_msec limit_ms);

#endif
