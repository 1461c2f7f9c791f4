/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a test says to the task fake_nic, by its control right: a NIC without a
 * card, whose wire is the test.
 */
#ifndef VNET_TEST_FAKE_NIC_H
#define VNET_TEST_FAKE_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/message.h>
#include <mach/port.h>

#include "nic.h"
#include "nic_task.h"

/**
 * struct fake_nic - the NIC
 * @task:	where it is; see nic_task_init(), nic_task_fini()
 * @name:	what it is opened by, at task.master
 */
struct fake_nic {
	struct nic_task task;
	const char *name;
	uint8_t mac[6];
};

/* Start its task, or another in the place of one that has ended. task.control is
 * what all the following is said to. */
kern_return_t fake_nic_start(struct fake_nic *fake);

/* What that task does. */
_Noreturn void fake_nic_run(void *fake);

/* How it is to misbehave from now on. */
enum fake_nic_fault {
	FAKE_NIC_WELL,       /* not at all, any more; the rest of them add up */
	FAKE_NIC_DIE,        /* its task ends */
	FAKE_NIC_DIE_AFTER,  /* after that many writes */
	FAKE_NIC_STALL,      /* receives no requests: its queue fills up */
	FAKE_NIC_MUTE,       /* receives them, and never answers */
	FAKE_NIC_NO_PROMISC, /* forgets PROMISC */
	FAKE_NIC_CLEAR_FLAGS, /* as when another opener sets flags: now, once */
	FAKE_NIC_WRITE_ERROR, /* writes are answered with that code */
	FAKE_NIC_SHORT_WRITE, /* half of it is written */
	FAKE_NIC_SHORT_STATUS, /* a word of the status is missing */
	FAKE_NIC_LAST_FILTER,  /* the last to set a filter gets everything */
	FAKE_NIC_BLOCKS,       /* waits for room in the queues of its clients */
};

/* A frame comes from the wire. It is delivered before the next of these
 * messages is looked at. */
kern_return_t fake_nic_inject(mach_port_t control, const uint8_t *frame,
			      size_t len);

/* From now on, what goes out comes to @wire, a receive right, as messages for
 * fake_nic_take(). It waits for room there. */
kern_return_t fake_nic_listen(mach_port_t control, mach_port_t wire);

/* Wait for a frame from the wire, of which @room octets at most are written.
 * Its length; -1 if none came. */
long fake_nic_take(mach_port_t wire, uint8_t *frame, size_t room,
		   mach_msg_timeout_t timeout_ms);

/* All that was said before has been done when these return. */
kern_return_t fake_nic_fault(mach_port_t control, enum fake_nic_fault fault,
			     int arg);
kern_return_t fake_nic_counts(mach_port_t control, struct nic_counts *counts,
			      int *flags);

/* The messages of all this, for fake_nic.c and fake_nic_control.c alone. */
#define FAKE_NIC_INJECT 5000
#define FAKE_NIC_LISTEN 5001
#define FAKE_NIC_FAULT  5002
#define FAKE_NIC_COUNTS 5003
#define FAKE_NIC_REPLY  100 /* is added */
#define FAKE_NIC_FRAME  5200

#define FAKE_NIC_WORDS  16

struct fake_nic_msg {
	mach_msg_header_t header;
	mach_msg_type_t words_type;
	int words[FAKE_NIC_WORDS];
	mach_msg_type_t octets_type;
	uint8_t octets[1516];
	uint32_t room[16]; /* for the trailer of who receives it */
};

/* Fill it in: the size, the id, the octets. */
void fake_nic_make(struct fake_nic_msg *msg, int id, const void *octets,
		   size_t len);

#endif
