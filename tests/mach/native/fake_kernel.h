/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A GNU Mach in one process, behind struct vnet_mach_sys: any number of tasks with
 * names, references, queues, notifications and memory, all of which does what
 * <mach/mach_port.defs> and <mach/message.h> say, and what the kernel's sources do
 * where these are silent. Every call may be made to fail.
 *
 * It is harder to please than the kernel: a name is not used again, so that a
 * stale one is noticed; whatever a task asks for that can only be a mistake (a
 * name or right that it has not, a reference too few, memory that is not its own)
 * is counted; memory that came out of line cannot be touched but by copy(), not
 * even read.
 *
 * There is one thread a task, all of them the same one, and one task at a time is the one that calls. Messages are
 * those of i386: nothing of this works where an address has more octets.
 */
#ifndef VNET_FAKE_KERNEL_H
#define VNET_FAKE_KERNEL_H

#include "sys.h"

/* The calls that can be made to fail, in the order of struct vnet_mach_sys. */
enum fake_call {
	FAKE_SEND,
	FAKE_RECEIVE,
	FAKE_PORT_ALLOCATE,
	FAKE_PORT_DEALLOCATE,
	FAKE_PORT_MOD_REFS,
	FAKE_PORT_GET_REFS,
	FAKE_PORT_INSERT_RIGHT,
	FAKE_PORT_TYPE,
	FAKE_PORT_SET_QLIMIT,
	FAKE_PORT_MOVE_MEMBER,
	FAKE_PORT_REQUEST_NOTIFICATION,
	FAKE_PORT_GET_RECEIVE_STATUS,
	FAKE_VM_ALLOCATE,
	FAKE_VM_DEALLOCATE,
	FAKE_COPY,
	FAKE_CATCH_FAULTS,
	FAKE_NCALLS
};

extern const struct vnet_mach_sys fake_kernel;

/**
 * struct fake_state - what a test says, and looks at
 * @watched:	the task whose calls are counted, and fail, and that alone makes
 *		mistakes; NULL: no call fails, all make mistakes
 * @calls:	how often it made each
 * @fail_call, @fail_at, @fail_code: the call that fails, which one of these
 *		(counted from 1; 0: none), and what it returns. A send that fails
 *		leaves what the kernel leaves: with MACH_SEND_TIMED_OUT or
 *		_INTERRUPTED the message, as if received; with
 *		MACH_SEND_INVALID_MEMORY, _RIGHT, or _TYPE nothing; else
 *		all as it was. A copy that fails is one of memory that cannot be
 *		read, whatever the code
 * @has_failed:	it came to that
 * @torn:	messages with memory out of line that are received next have no
 *		room for it, so many
 * @mistakes:	so many
 * @mistake:	the first of them, in words
 * @on_idle:	called where a task would wait for a message: it may send one.
 *		NULL: a mistake
 * @on_copy:	called before memory is touched, by whoever touches it. That is
 *		where interrupt() reaches it
 * @on_wait:	called where a thread would sleep
 * @ctx:	handed to these
 * @wakes, @yields: calls of these
 */
struct fake_state {
	struct fake_task *watched;
	unsigned long calls[FAKE_NCALLS];
	enum fake_call fail_call;
	unsigned long fail_at;
	int fail_code;
	bool has_failed;
	unsigned torn;
	unsigned mistakes;
	char mistake[120];
	void (*on_idle)(void *ctx);
	void (*on_copy)(void *ctx);
	void (*on_wait)(void *ctx, const uint32_t *word, uint32_t value);
	void *ctx;
	unsigned long wakes, yields;
};

extern struct fake_state fake;

/* Begin, with no task. */
void fake_begin(void);

/* End: every task dies. Returns how many ports, messages and pieces of memory are
 * left, which is a mistake of these files. */
unsigned fake_end(void);

struct fake_task *fake_task_new(void);
void fake_task_kill(struct fake_task *t);

/* Be that task from now on; returns which one it was. */
struct fake_task *fake_enter(struct fake_task *t);

/* Let @to have a send right to what @from knows as @name, for which it has a
 * receive or a send right. Returns its name there. */
mach_port_t fake_give(struct fake_task *from, mach_port_t name,
		      struct fake_task *to);

/* What a task has. */
struct fake_holdings {
	unsigned names;
	unsigned refs; /* of send rights and dead names */
	unsigned pieces;
	unsigned long octets;
};
struct fake_holdings fake_holdings(const struct fake_task *t);

/* The name of the @n-th right of that task, 0 if there are not so many. */
mach_port_t fake_name(const struct fake_task *t, unsigned n);

/* Messages in the queue of a receive right of that task. */
unsigned fake_queued(const struct fake_task *t, mach_port_t name);

/* Send rights to it that anybody has, in messages, too. */
unsigned fake_senders(const struct fake_task *t, mach_port_t name);

/* The memory at that address cannot be read, as if its pager had said so; also by
 * those that it is sent to. */
void fake_spoil(vm_address_t address);

/* Write to memory of one's own, read it: also such that came out of line. */
void fake_poke(vm_address_t address, const void *p, size_t n);
void fake_peek(vm_address_t address, void *p, size_t n);

#endif
