/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel behind struct vnet_mach_sys, of which a test is the outside: one task
 * with names, rights and references, whose messages go to ports that the test
 * receives from. What is sent, received, destroyed or given back does what GNU
 * Mach does to names; what a task holds can be counted.
 *
 * One at a time, one thread.
 */
#ifndef VNET_FAKE_MACH_H
#define VNET_FAKE_MACH_H

#include "sys.h"

#define FAKE_MSG_SIZE 8192

/* A port. Those that the task does not receive from are the test's. */
struct fake_port;

/* A message on its way: names are 0 in it. */
struct fake_msg {
	struct fake_msg *next;
	uint32_t size;
	uint32_t id;
	struct fake_port *reply; /* NULL: none */
	bool reply_is_once;
	bool to_once;            /* it came by a send-once right */
	struct fake_port *right; /* the one in its body */
	uint32_t right_type;
	size_t right_at;
	uint8_t *memory; /* out of line */
	uintptr_t memory_from;
	size_t memory_len;
	size_t memory_at;
	uint8_t octets[FAKE_MSG_SIZE];
};

extern const struct vnet_mach_sys fake_mach;

/* Begin anew; all that was is freed. */
void fake_reset(void);

/* A port of the test's. */
struct fake_port *fake_port_new(uint32_t qlimit);

/* It dies: whoever holds a right to it has a dead name. */
void fake_port_kill(struct fake_port *p);

/* Let the task have a send right to it. */
mach_port_t fake_give_send(struct fake_port *p);

/* The port that the task knows by that name. */
struct fake_port *fake_port_named(mach_port_t name);

/* Has it died? Also what the task does to its receive rights. */
bool fake_is_dead(const struct fake_port *p);

uint32_t fake_qlimit(const struct fake_port *p);

/* Receive from a port of the test's; NULL if there is nothing. Free it by
 * fake_msg_done(), which destroys its right to reply to, if that is still
 * there. */
struct fake_msg *fake_receive(struct fake_port *p);
void fake_msg_done(struct fake_msg *m);

/* Send to the task: octets as of a message of the ABI here, with @right, if it
 * is not NULL, in the place of the right in its body. @reply may be NULL. */
void fake_send(struct fake_port *to, bool by_once, const void *octets,
	       const struct fake_port *right, struct fake_port *reply);

/* A send-once right that the test holds is destroyed. */
void fake_drop_once(struct fake_port *p);

/* What the task holds: names, references to rights, pieces of memory. */
struct fake_holdings {
	uint32_t names;
	uint32_t refs;
	uint32_t memory;
};
struct fake_holdings fake_holdings(void);

/* How often the task has named what it does not have. */
extern uint32_t fake_mistakes;

/* The next allocations of rights, so many of them, fail. */
extern uint32_t fake_fail_allocate;

#endif
