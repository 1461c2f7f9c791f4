/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake kernel from inside. Rights are counted as the kernel does it: one send
 * right for a task that has any references, and one in each message that holds
 * one.
 */
#ifndef VNET_FAKE_PARTS_H
#define VNET_FAKE_PARTS_H

#include "fake_kernel.h"

/* References beyond these are not counted. */
#define UREFS_MAX 65534

struct message;

struct port {
	struct port *next, **at;    /* of all */
	struct fake_task *receiver; /* NULL: dead, or in a message */
	struct port *next_received, **at_received; /* of it */
	mach_port_t name;                          /* there */
	bool is_dead;
	unsigned senders, onces; /* rights */
	unsigned made;           /* mscount */
	unsigned qlimit;
	unsigned seqno;
	struct message *first, **end;
	unsigned nmessages;
	struct port *no_senders; /* a send-once right */
	struct port *goes_to;    /* the one in whose queue its right is */
	struct entry *entries;   /* its names, send and receive and once */
	mach_port_t set;         /* the receiver's */
};

/* A name of a task. */
struct entry {
	uint32_t type;            /* MACH_PORT_TYPE_*, 0 for none */
	struct port *port;        /* NULL: dead name, set */
	uint32_t refs;            /* of a send right, a dead name */
	struct port *dead_name;   /* a send-once right */
	struct entry *next, **at; /* of the same port */
	struct fake_task *task;
	mach_port_t name;
};

struct fake_task {
	struct fake_task *next, **at;
	struct entry **names; /* from BASE on */
	unsigned nnames, room;
	struct port *received;
	struct piece *pieces;
	mach_port_t faults;  /* the right that hears of them */
	struct port *thread; /* the kernel's */
	bool is_interrupted;
};

/* A message in a queue: names in it are struct port *, addresses of memory are
 * struct sent *. */
struct message {
	struct message *next;
	unsigned long order;
	struct port *to;
	bool is_once;
	struct port *reply; /* or a name that is none */
	uint32_t reply_type;
	uint32_t size;
	uint8_t octets[];
};

/* Memory on its way. */
struct sent {
	size_t len;
	bool is_spoilt;
	uint8_t octets[];
};

/* fake_port.c */

extern struct fake_task *fake_current;

/* Names that are none, as such pointers. */
static inline bool
is_port(const struct port *p)
{
	return p && p != (struct port *)~(uintptr_t)0;
}

void fake_mistake(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
struct entry *fake_find(const struct fake_task *t, mach_port_t name);
struct port *fake_port_new(void);
/* Whose receive right it is, and by what name; nobody's where @t is NULL. */
void fake_set_receiver(struct port *p, struct fake_task *t, mach_port_t name);
struct entry *fake_entry_new(struct fake_task *t, struct port *p,
			     uint32_t type);
/* Take an entry's name away: who wanted to hear of its death hears that. */
void fake_entry_free(struct entry *e);
void fake_port_kill(struct port *p);
/* A right that nobody will use: of type PORT_RECEIVE, _SEND, or _SEND_ONCE. */
void fake_right_destroy(struct port *p, uint32_t type);
/* A task loses one reference. */
kern_return_t fake_right_give_back(struct entry *e, uint32_t n);
/* A right of a task, as a disposition says. -1: it has none. */
int fake_copyin(struct fake_task *t, mach_port_t name, uint32_t disposition,
		bool may_be_dead, struct port **p);
bool fake_may_copyin(const struct fake_task *t, mach_port_t name,
		     uint32_t disposition, bool may_be_dead);
mach_port_t fake_copyout(struct fake_task *t, struct port *p, uint32_t type);
void fake_notify(struct port *once, uint32_t id, uint32_t word);
unsigned fake_ports_left(void);
void fake_no_senders(struct port *p);

/* fake_message.c */

mach_msg_return_t fake_send(mach_msg_header_t *h, mach_msg_option_t options,
			    uint32_t size, int fail);
mach_msg_return_t fake_receive(mach_msg_header_t *h, mach_msg_option_t options,
			       uint32_t room, mach_port_t name);
void fake_enqueue(struct port *p, struct message *m);
void fake_message_destroy(struct message *m);
extern unsigned fake_messages;

/* fake_memory.c */

kern_return_t fake_allocate(struct fake_task *t, vm_address_t *at, size_t n);
kern_return_t fake_deallocate(struct fake_task *t, vm_address_t at, size_t n);
/* NULL if it is not the task's. */
struct sent *fake_memory_take(struct fake_task *t, vm_address_t at, size_t n,
			      bool deallocate);
vm_address_t fake_memory_give(struct fake_task *t, const struct sent *s,
			      bool may_touch);
bool fake_memory_read(struct fake_task *t, void *to, vm_address_t at, size_t n);
void fake_memory_end(struct fake_task *t);
unsigned fake_pieces(const struct fake_task *t, unsigned long *octets);

#endif
