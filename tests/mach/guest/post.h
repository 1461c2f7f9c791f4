/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of a test that plays both ends: those it sends as a client, and those
 * it receives as the server. Its rights have one name in it, however they travel,
 * so that a right that arrives is known.
 */
#ifndef POST_H
#define POST_H

#include <mach/mig_errors.h>

#include "guest.h"
#include "wire.h"

#define POST_ROOM 4096

/* One to be sent. Items are put by vnet_wire_put_*(&p->w, ...). */
struct post {
	struct vnet_wire_writer w;
	uint64_t msg[POST_ROOM / 8];
};

/* To @to with @disposition, which may be none. */
void post_begin(struct post *p, mach_port_t to,
		mach_msg_type_name_t disposition, mach_port_t reply,
		mach_msg_type_name_t reply_disposition, mach_msg_id_t id);
/* The usual: a request, to be answered at @reply if that is not null. */
void post_request(struct post *p, mach_port_t to, mach_port_t reply,
		  mach_msg_id_t id);
void post_right(struct post *p, mach_port_t right,
		mach_msg_type_name_t disposition);
void post_int(struct post *p, uint32_t n);
/* Send it, if it goes within @ms. */
mach_msg_return_t post_within(struct post *p, uint32_t ms);
/* It must. A macro, so that a failure is where it is used. */
#define post_send(p) CHECK_OK(post_within(p, 1000))

/* One that has arrived. */
struct got {
	struct vnet_wire_reader r;
	mach_msg_header_t *head;
	uint64_t msg[POST_ROOM / 8];
};

/* Receive it, if it arrives within @ms. */
mach_msg_return_t got_within(struct got *g, mach_port_t at, uint32_t ms);
/* It must, and be that. */
#define got_at(g, at, id)                          \
	do {                                       \
		CHECK_OK(got_within(g, at, 1000)); \
		CHECK_EQ((g)->head->msgh_id, id);  \
	} while (0)
mach_port_t got_right(struct got *g);
uint32_t got_int(struct got *g);
/* There is nothing more in it. */
void got_all(const struct got *g);
/* Nothing arrives, for so long. */
void got_nothing(mach_port_t at, uint32_t ms);

/* An answer to what has been received, with a code. */
void post_answer(struct post *p, const struct got *g, kern_return_t code);

/* A receive right, with a send right of the same name. */
mach_port_t port_new(void);
/* Destroy the receive right, and what else is left under that name. */
void port_end(mach_port_t name);
/* Give back @n references to a send right, or a dead name. */
kern_return_t port_give_back(mach_port_t name, uint32_t n);
#define port_drop(name, n) CHECK_OK(port_give_back(name, n))
/* How many there are of it. */
uint32_t port_sends(mach_port_t name);
/* It has no senders but for this task's @own, which are given back: waits. */
mach_msg_return_t port_deserted_within(mach_port_t name, uint32_t own,
				       uint32_t ms);
#define port_wait_deserted(name, own) \
	CHECK_OK(port_deserted_within(name, own, 1000))

#endif
