/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks, names, rights, ports.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_parts.h"

/* Names begin here, and are never used twice. */
#define BASE 0x301

#define LIVE_RIGHTS                                     \
	(MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_RECEIVE | \
	 MACH_PORT_TYPE_SEND_ONCE)

struct fake_task *fake_current;

static struct fake_task *tasks;
static struct port *ports;

void
fake_mistake(const char *format, ...)
{
	va_list args;

	if (fake.watched && fake.watched != fake_current)
		return;
	if (!fake.mistakes++) {
		va_start(args, format);
		vsnprintf(fake.mistake, sizeof(fake.mistake), format, args);
		va_end(args);
	}
}

/*
 * Names
 */

struct entry *
fake_find(const struct fake_task *t, mach_port_t name)
{
	struct entry *e;

	if (name < BASE || name - BASE >= t->nnames)
		return NULL;
	e = t->names[name - BASE];
	return e && e->type ? e : NULL;
}

static void
link_entry(struct entry *e, struct port *p)
{
	e->port = p;
	e->next = p->entries;
	e->at = &p->entries;
	if (e->next)
		e->next->at = &e->next;
	p->entries = e;
}

static void
unlink_entry(struct entry *e)
{
	if (!e->port)
		return;
	*e->at = e->next;
	if (e->next)
		e->next->at = e->at;
	e->port = NULL;
}

struct entry *
fake_entry_new(struct fake_task *t, struct port *p, uint32_t type)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (t->nnames == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->names = realloc(t->names, t->room * sizeof(t->names[0]));
	}
	if (!e || !t->names)
		abort();
	e->type = type;
	e->task = t;
	e->name = BASE + t->nnames;
	t->names[t->nnames++] = e;
	if (p)
		link_entry(e, p);
	return e;
}

void
fake_entry_free(struct entry *e)
{
	struct port *told = e->dead_name;
	mach_port_t name = e->name;

	unlink_entry(e);
	e->task->names[name - BASE] = NULL;
	free(e);
	if (told)
		fake_notify(told, MACH_NOTIFY_PORT_DELETED, name);
}

/* The name by which a task has send and receive rights to a port. */
static struct entry *
entry_of(const struct fake_task *t, const struct port *p)
{
	struct entry *e = p->entries;

	while (e && (e->task != t || e->type & MACH_PORT_TYPE_SEND_ONCE))
		e = e->next;
	return e;
}

/*
 * Ports
 */

struct port *
fake_port_new(void)
{
	struct port *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->qlimit = MACH_PORT_QLIMIT_DEFAULT;
	p->end = &p->first;
	p->next = ports;
	p->at = &ports;
	if (ports)
		ports->at = &p->next;
	ports = p;
	return p;
}

void
fake_set_receiver(struct port *p, struct fake_task *t, mach_port_t name)
{
	if (p->receiver) {
		*p->at_received = p->next_received;
		if (p->next_received)
			p->next_received->at_received = p->at_received;
	}
	p->receiver = t;
	p->name = name;
	p->set = MACH_PORT_NULL;
	p->seqno = 0;
	p->goes_to = NULL;
	if (!t)
		return;
	p->next_received = t->received;
	p->at_received = &t->received;
	if (p->next_received)
		p->next_received->at_received = &p->next_received;
	t->received = p;
}

static void
free_if_unused(struct port *p)
{
	if (!p->is_dead || p->senders || p->onces)
		return;
	*p->at = p->next;
	if (p->next)
		p->next->at = p->at;
	free(p);
}

unsigned
fake_ports_left(void)
{
	unsigned n = 0;

	for (const struct port *p = ports; p; p = p->next)
		n++;
	return n;
}

/* The last sender may have gone. */
void
fake_no_senders(struct port *p)
{
	struct port *told = p->no_senders;

	if (p->senders || p->is_dead || !told)
		return;
	p->no_senders = NULL;
	fake_notify(told, MACH_NOTIFY_NO_SENDERS, p->made);
}

static void
drop_sender(struct port *p)
{
	p->senders--;
	fake_no_senders(p);
	free_if_unused(p);
}

/* What a task had is a dead name now. */
static void
bury(struct entry *e)
{
	struct port *told = e->dead_name;

	unlink_entry(e);
	if (e->type & MACH_PORT_TYPE_SEND_ONCE)
		e->refs = 1;
	e->type = MACH_PORT_TYPE_DEAD_NAME;
	e->dead_name = NULL;
	if (told) {
		e->refs++;
		fake_notify(told, MACH_NOTIFY_DEAD_NAME, e->name);
	}
}

void
fake_port_kill(struct port *p)
{
	struct message *m;
	struct entry *e;

	p->is_dead = true;
	fake_set_receiver(p, NULL, MACH_PORT_NULL);
	p->senders++; /* until we have done */
	if (p->no_senders)
		fake_notify(p->no_senders, MACH_NOTIFY_SEND_ONCE, 0);
	p->no_senders = NULL;
	while ((m = p->first)) {
		p->first = m->next;
		fake_message_destroy(m);
	}
	p->end = &p->first;
	p->nmessages = 0;
	while ((e = p->entries)) {
		p->senders -= !!(e->type & MACH_PORT_TYPE_SEND);
		p->onces -= !!(e->type & MACH_PORT_TYPE_SEND_ONCE);
		if (e->type & (MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_SEND_ONCE))
			bury(e);
		else
			fake_entry_free(e);
	}
	p->senders--;
	free_if_unused(p);
}

void
fake_right_destroy(struct port *p, uint32_t type)
{
	if (!is_port(p))
		return;
	switch (type) {
	case MACH_MSG_TYPE_PORT_RECEIVE:
		fake_port_kill(p);
		break;
	case MACH_MSG_TYPE_PORT_SEND:
		drop_sender(p);
		break;
	case MACH_MSG_TYPE_PORT_SEND_ONCE:
		fake_notify(p, MACH_NOTIFY_SEND_ONCE, 0);
		break;
	default:
		break;
	}
}

/* As <mach/notify.h> has it. Uses the right up. */
void
fake_notify(struct port *once, uint32_t id, uint32_t word)
{
	struct {
		mach_msg_header_t header;
		mach_msg_type_t type;
		uint32_t word;
	} n = {
		.header.msgh_id = (mach_msg_id_t)id,
		.header.msgh_size = id == MACH_NOTIFY_SEND_ONCE
					    ? sizeof(n.header)
					    : sizeof(n),
		.type.msgt_name = id == MACH_NOTIFY_NO_SENDERS
					  ? MACH_MSG_TYPE_INTEGER_32
					  : MACH_MSG_TYPE_PORT_NAME,
		.type.msgt_size = 32,
		.type.msgt_number = 1,
		.type.msgt_inline = TRUE,
		.word = word,
	};
	struct message *m;

	if (once->is_dead) {
		once->onces--;
		free_if_unused(once);
		return;
	}
	m = calloc(1, sizeof(*m) + sizeof(n));
	if (!m)
		abort();
	m->to = once;
	m->is_once = true;
	m->size = n.header.msgh_size;
	memcpy(m->octets, &n, sizeof(n));
	fake_messages++;
	fake_enqueue(once, m);
}

/*
 * Rights
 */

/* One reference less of a right; the right goes with the last. */
kern_return_t
fake_right_give_back(struct entry *e, uint32_t n)
{
	struct port *p = e->port;

	if (e->type & MACH_PORT_TYPE_SEND_ONCE) {
		fake_entry_free(e);
		fake_notify(p, MACH_NOTIFY_SEND_ONCE, 0);
		return KERN_SUCCESS;
	}
	if (!(e->type & (MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_DEAD_NAME)))
		return KERN_INVALID_RIGHT;
	if (e->refs < n)
		return KERN_INVALID_VALUE;
	e->refs -= n;
	if (e->refs)
		return KERN_SUCCESS;
	e->type &= ~(uint32_t)(MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_DEAD_NAME);
	if (!e->type)
		fake_entry_free(e);
	if (p)
		drop_sender(p);
	return KERN_SUCCESS;
}

bool
fake_may_copyin(const struct fake_task *t, mach_port_t name,
		uint32_t disposition, bool may_be_dead)
{
	const struct entry *e = fake_find(t, name);

	if (!e)
		return false;
	switch (disposition) {
	case MACH_MSG_TYPE_MAKE_SEND:
	case MACH_MSG_TYPE_MAKE_SEND_ONCE:
	case MACH_MSG_TYPE_MOVE_RECEIVE:
		return e->type & MACH_PORT_TYPE_RECEIVE;
	case MACH_MSG_TYPE_COPY_SEND:
	case MACH_MSG_TYPE_MOVE_SEND:
		return e->type & MACH_PORT_TYPE_SEND ||
		       (may_be_dead && e->type & MACH_PORT_TYPE_DEAD_NAME);
	case MACH_MSG_TYPE_MOVE_SEND_ONCE:
		return e->type & MACH_PORT_TYPE_SEND_ONCE ||
		       (may_be_dead && e->type & MACH_PORT_TYPE_DEAD_NAME);
	default:
		return false;
	}
}

/* A right leaves its name. */
static void
move_out(struct entry *e, uint32_t type)
{
	e->type &= ~type;
	if (!e->type)
		fake_entry_free(e);
}

int
fake_copyin(struct fake_task *t, mach_port_t name, uint32_t disposition,
	    bool may_be_dead, struct port **port)
{
	struct entry *e = fake_find(t, name);
	struct port *p;

	if (!fake_may_copyin(t, name, disposition, may_be_dead))
		return -1;
	p = e->port;
	*port = p;
	if (!p) {
		*port = (struct port *)~(uintptr_t)0;
		if (disposition != MACH_MSG_TYPE_COPY_SEND)
			fake_right_give_back(e, 1);
		return 0;
	}
	switch (disposition) {
	case MACH_MSG_TYPE_MAKE_SEND:
		p->made++;
		p->senders++;
		break;
	case MACH_MSG_TYPE_MAKE_SEND_ONCE:
		p->onces++;
		break;
	case MACH_MSG_TYPE_MOVE_RECEIVE:
		fake_set_receiver(p, NULL, MACH_PORT_NULL);
		move_out(e, MACH_PORT_TYPE_RECEIVE);
		break;
	case MACH_MSG_TYPE_COPY_SEND:
		p->senders++;
		break;
	case MACH_MSG_TYPE_MOVE_SEND:
		if (--e->refs)
			p->senders++;
		else
			move_out(e, MACH_PORT_TYPE_SEND);
		break;
	default:
		move_out(e, MACH_PORT_TYPE_SEND_ONCE);
		break;
	}
	return 0;
}

static mach_port_t
copyout_send(struct fake_task *t, struct port *p)
{
	struct entry *e = entry_of(t, p);

	if (e && e->type & MACH_PORT_TYPE_SEND) {
		if (e->refs < UREFS_MAX)
			e->refs++;
		p->senders--;
		return e->name;
	}
	if (!e)
		e = fake_entry_new(t, p, 0);
	e->type |= MACH_PORT_TYPE_SEND;
	e->refs = 1;
	return e->name;
}

mach_port_t
fake_copyout(struct fake_task *t, struct port *p, uint32_t type)
{
	struct entry *e;

	if (!is_port(p))
		return (mach_port_t)(uintptr_t)p;
	if (p->is_dead) {
		fake_right_destroy(p, type);
		return MACH_PORT_DEAD;
	}
	switch (type) {
	case MACH_MSG_TYPE_PORT_SEND:
		return copyout_send(t, p);
	case MACH_MSG_TYPE_PORT_SEND_ONCE:
		return fake_entry_new(t, p, MACH_PORT_TYPE_SEND_ONCE)->name;
	default:
		e = entry_of(t, p);
		if (!e)
			e = fake_entry_new(t, p, 0);
		e->type |= MACH_PORT_TYPE_RECEIVE;
		fake_set_receiver(p, t, e->name);
		return e->name;
	}
}

/*
 * Tasks
 */

struct fake_task *
fake_task_new(void)
{
	struct fake_task *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->next = tasks;
	t->at = &tasks;
	if (tasks)
		tasks->at = &t->next;
	tasks = t;
	return t;
}

/* Whoever is told of the death of its names is told no more. */
static void
end_entry(struct entry *e)
{
	struct port *p = e->port;
	uint32_t type = e->type;

	if (type & MACH_PORT_TYPE_PORT_SET) {
		fake_entry_free(e);
		return;
	}
	if (type & MACH_PORT_TYPE_RECEIVE) {
		if (type & MACH_PORT_TYPE_SEND)
			p->senders--;
		e->type = MACH_PORT_TYPE_RECEIVE;
		fake_port_kill(p);
		return;
	}
	fake_entry_free(e);
	if (type & MACH_PORT_TYPE_SEND)
		drop_sender(p);
	if (type & MACH_PORT_TYPE_SEND_ONCE)
		fake_notify(p, MACH_NOTIFY_SEND_ONCE, 0);
}

void
fake_task_kill(struct fake_task *t)
{
	for (unsigned i = 0; i < t->nnames; i++)
		if (t->names[i])
			end_entry(t->names[i]);
	if (t->thread)
		fake_port_kill(t->thread);
	fake_memory_end(t);
	*t->at = t->next;
	if (t->next)
		t->next->at = t->at;
	if (fake_current == t)
		fake_current = NULL;
	if (fake.watched == t)
		fake.watched = NULL;
	free(t->names);
	free(t);
}

void
fake_begin(void)
{
	memset(&fake, 0, sizeof(fake));
}

unsigned
fake_end(void)
{
	while (tasks)
		fake_task_kill(tasks);
	return fake_ports_left() + fake_messages;
}

struct fake_task *
fake_enter(struct fake_task *t)
{
	struct fake_task *before = fake_current;

	fake_current = t;
	return before;
}

mach_port_t
fake_give(struct fake_task *from, mach_port_t name, struct fake_task *to)
{
	struct entry *e = fake_find(from, name);
	struct port *p;

	if (!e || fake_copyin(from, name,
			      e->type & MACH_PORT_TYPE_RECEIVE
				      ? MACH_MSG_TYPE_MAKE_SEND
				      : MACH_MSG_TYPE_COPY_SEND,
			      false, &p))
		abort();
	return fake_copyout(to, p, MACH_MSG_TYPE_PORT_SEND);
}

struct fake_holdings
fake_holdings(const struct fake_task *t)
{
	struct fake_holdings h = {0};

	for (unsigned i = 0; i < t->nnames; i++) {
		if (!t->names[i])
			continue;
		h.names++;
		h.refs += t->names[i]->refs;
	}
	h.pieces = fake_pieces(t, &h.octets);
	return h;
}

mach_port_t
fake_name(const struct fake_task *t, unsigned n)
{
	for (unsigned i = 0; i < t->nnames; i++)
		if (t->names[i] && !n--)
			return t->names[i]->name;
	return MACH_PORT_NULL;
}

unsigned
fake_queued(const struct fake_task *t, mach_port_t name)
{
	const struct entry *e = fake_find(t, name);

	return e && e->port ? e->port->nmessages : 0;
}

unsigned
fake_senders(const struct fake_task *t, mach_port_t name)
{
	const struct entry *e = fake_find(t, name);

	return e && e->port ? e->port->senders : 0;
}
