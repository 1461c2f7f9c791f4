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
