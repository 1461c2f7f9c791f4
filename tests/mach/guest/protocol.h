/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs of a test say to init, at their bootstrap port.
 */
#ifndef GUEST_PROTOCOL_H
#define GUEST_PROTOCOL_H

#include <mach/message.h>

#define GUEST_NAME_SIZE 32

/* msgh_id */
enum {
	GUEST_PASS = 7000, /* of who asks; no reply */
	GUEST_FAIL,        /* the run; no reply */
	GUEST_PUBLISH,     /* @right as @name */
	GUEST_WITHDRAW,    /* @name */
	GUEST_LOOKUP,      /* @name; the reply has @right, and may take long */
	GUEST_START,       /* the task @name */
	GUEST_MAY_DIE,     /* the task @name */
};

/* Requests and replies alike. */
struct guest_message {
	mach_msg_header_t header;
	mach_msg_type_t name_type;
	char name[GUEST_NAME_SIZE];
	mach_msg_type_t right_type;
	mach_port_t right;
};

/* One with @right, of which the sender keeps its own; @bits are of the header's
 * rights. The rest of it is empty. */
static inline struct guest_message
guest_message(mach_msg_bits_t bits, mach_port_t right)
{
	return (struct guest_message){
		.header =
			{
				.msgh_bits = bits | MACH_MSGH_BITS_COMPLEX,
				.msgh_size = sizeof(struct guest_message),
			},
		.name_type =
			{
				.msgt_name = MACH_MSG_TYPE_STRING,
				.msgt_size = 8,
				.msgt_number = GUEST_NAME_SIZE,
				.msgt_inline = TRUE,
			},
		.right_type =
			{
				.msgt_name = MACH_MSG_TYPE_COPY_SEND,
				.msgt_size = 32,
				.msgt_number = 1,
				.msgt_inline = TRUE,
			},
		.right = right,
	};
}

/* What the run ends with: QEMU makes 2 * n + 1 of it. */
enum {
	GUEST_EXIT_PASS = 0x10,
	GUEST_EXIT_FAIL,
	GUEST_EXIT_EXCEPTION,
	GUEST_EXIT_DIED,
	GUEST_EXIT_TIMEOUT,
	GUEST_EXIT_BROKEN, /* init itself */
};

#endif
