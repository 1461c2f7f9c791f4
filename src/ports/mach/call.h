/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of other servers whose answer is not waited for: it comes to a right of
 * its own.
 */
#ifndef VNET_MACH_CALL_H
#define VNET_MACH_CALL_H

#include "endpoint.h"
#include "wire.h"

/* Octets of the longest message that is made here. */
#define VNET_MACH_CALL_SIZE 2048

/**
 * struct vnet_mach_call - a call, part of what it is for
 * @answered:	the answer, which is the function's to destroy; or NULL: there
 *		will be none. The call has ended, and another may begin
 */
struct vnet_mach_call {
	struct vnet_mach_endpoint reply;
	struct vnet_mach_sender sender;
	struct vnet_mach_call *next;
	vnet_nsec deadline;
	void (*answered)(struct vnet_mach_call *c, mach_msg_header_t *in);
};

/* A right for the answer. Return: 0, -ENOSPC. */
int vnet_mach_call_open(struct vnet_mach_ends *all, struct vnet_mach_call *c,
			void (*answered)(struct vnet_mach_call *c,
					 mach_msg_header_t *in));

/* Begin a message that asks for an answer to that right. */
void vnet_mach_call_begin(struct vnet_mach_call *c, struct vnet_wire_writer *w,
			  void *msg, size_t room, mach_msg_id_t id);

/* Let @in, as received, ask for its answer there; its own right to reply to has
 * been taken out. */
void vnet_mach_call_redirect(struct vnet_mach_call *c, mach_msg_header_t *in);

/* Send it to @to, which stays the caller's, and wait until @deadline for the
 * answer. Where it fails, @answered is called before it returns. What is in the
 * message is gone. */
void vnet_mach_call_send(struct vnet_mach_call *c, mach_msg_header_t *msg,
			 mach_port_t to, vnet_nsec deadline);

/* End it without an answer, nor a call of @answered. Nothing to do if it is
 * not under way. */
void vnet_mach_call_cancel(struct vnet_mach_call *c);

/* Destroy a message that was not sent, whose right to reply to may not have been
 * made yet. */
void vnet_mach_call_destroy(const struct vnet_mach_sys *sys,
			    mach_msg_header_t *msg);

/* A message with rights in it, as a request of somebody: *@r is behind the header.
 * Return: false, and @r->is_wrong, if the kernel has not seen to its body: a name
 * in it would be the sender's. */
bool vnet_mach_call_open_request(struct vnet_wire_reader *r,
				 const mach_msg_header_t *in);

/* The code of an answer: MIG_SERVER_DIED if it is none to @id. *@r is behind
 * it. */
kern_return_t vnet_mach_call_open_answer(struct vnet_wire_reader *r,
					 const mach_msg_header_t *in,
					 mach_msg_id_t id);

/* What is due: calls that have waited too long, messages that are sent again. */
void vnet_mach_ends_tick(struct vnet_mach_ends *all);
vnet_nsec vnet_mach_ends_deadline(const struct vnet_mach_ends *all);

#endif
