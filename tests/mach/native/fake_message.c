/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages: what the kernel takes out of a task, and puts into another one.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_parts.h"

#define HEADER sizeof(mach_msg_header_t)

unsigned fake_messages;
static unsigned long order;

/*
 * Items of a body, as <mach/message.h> has them on i386
 */

struct body_item {
	uint32_t name, size, number;
	bool is_inline, is_long, deallocate, is_bad;
	bool is_cut;   /* not all of it is there */
	size_t head;   /* where its descriptor is */
	size_t at;     /* its data, or the address */
	size_t octets; /* of data */
};

static uint32_t
word_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void
set_word(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* Steps *@pos behind the item. False if not even its descriptor is there. */
static bool
next(const uint8_t *msg, size_t size, size_t *pos, struct body_item *i)
{
	mach_msg_type_long_t t = {0};
	uint64_t octets;
	size_t there;

	if (size - *pos < sizeof(mach_msg_type_t))
		return false;
	memcpy(&t, msg + *pos, sizeof(mach_msg_type_t));
	*i = (struct body_item){
		.head = *pos,
		.is_inline = t.msgtl_header.msgt_inline,
		.is_long = t.msgtl_header.msgt_longform,
		.deallocate = t.msgtl_header.msgt_deallocate,
		.name = t.msgtl_header.msgt_name,
		.size = t.msgtl_header.msgt_size,
		.number = t.msgtl_header.msgt_number,
		.is_bad = t.msgtl_header.msgt_unused,
	};
	i->at = *pos + sizeof(mach_msg_type_t);
	if (i->is_long) {
		if (size - *pos < sizeof(t))
			return false;
		memcpy(&t, msg + *pos, sizeof(t));
		i->is_bad |= i->name || i->size || i->number;
		i->name = t.msgtl_name;
		i->size = t.msgtl_size;
		i->number = t.msgtl_number;
		i->at = *pos + sizeof(t);
	}
	octets = ((uint64_t)i->size * i->number + 7) / 8;
	there = i->is_inline ? (octets < size ? (size_t)octets : size + 1) : 4;
	i->is_cut = there > size - i->at;
	if (i->is_cut)
		there = size - i->at;
	i->octets = octets > UINT32_MAX ? UINT32_MAX : (size_t)octets;
	*pos = (i->at + there + 3) & ~(size_t)3;
	return true;
}

static bool
is_right(const struct body_item *i)
{
	return MACH_MSG_TYPE_PORT_ANY(i->name);
}

static uint32_t
received_type(uint32_t disposition)
{
	switch (disposition) {
	case MACH_MSG_TYPE_COPY_SEND:
	case MACH_MSG_TYPE_MAKE_SEND:
		return MACH_MSG_TYPE_PORT_SEND;
	case MACH_MSG_TYPE_MAKE_SEND_ONCE:
		return MACH_MSG_TYPE_PORT_SEND_ONCE;
	default:
		return disposition;
	}
}

static void
set_name(uint8_t *msg, const struct body_item *i, uint32_t name)
{
	if (i->is_long)
		msg[i->head + 4] = (uint8_t)name;
	else
		msg[i->head] = (uint8_t)name;
}

static struct port *
port_at(const uint8_t *p)
{
	return (struct port *)(uintptr_t)word_at(p);
}

static struct sent *
sent_at(const struct message *m, const struct body_item *i)
{
	return (struct sent *)(uintptr_t)word_at(m->octets + i->at);
}

/* Where the rights of an item lie. */
static uint8_t *
rights_of(struct message *m, const struct body_item *i)
{
	if (i->is_inline)
		return m->octets + i->at;
	return i->octets ? sent_at(m, i)->octets : NULL;
}

/*
 * The end of a message
 */

/* What the first @size octets of its body hold. */
static void
destroy_body(struct message *m, size_t size)
{
	size_t pos = HEADER;
	struct body_item i;

	while (pos < size && next(m->octets, m->size, &pos, &i)) {
		if (is_right(&i))
			for (uint32_t k = 0; k < i.number; k++)
				fake_right_destroy(
					port_at(rights_of(m, &i) + 4 * k),
					i.name);
		if (!i.is_inline && i.octets)
			free(sent_at(m, &i));
	}
}

static bool
is_complex(const struct message *m)
{
	return word_at(m->octets) & MACH_MSGH_BITS_COMPLEX;
}

static void
free_message(struct message *m)
{
	fake_messages--;
	free(m);
}

/* All of it but the right that it goes to. */
static void
destroy_rest(struct message *m, size_t size)
{
	fake_right_destroy(m->reply, m->reply_type);
	if (is_complex(m))
		destroy_body(m, size);
}

void
fake_message_destroy(struct message *m)
{
	struct port *to = m->to;
	bool is_once = m->is_once;

	destroy_rest(m, m->size);
	/* A notification that cannot be delivered makes no other. */
	if (is_once && to->is_dead)
		fake_notify(to, 0, 0);
	else
		fake_right_destroy(to, is_once ? MACH_MSG_TYPE_PORT_SEND_ONCE
					       : MACH_MSG_TYPE_PORT_SEND);
	free_message(m);
}

void
fake_enqueue(struct port *p, struct message *m)
{
	m->next = NULL;
	m->order = order++;
	*p->end = m;
	p->end = &m->next;
	p->nmessages++;
}

/*
 * Sending
 */

static mach_msg_return_t
copyin_header(const mach_msg_header_t *h, struct message *m)
{
	uint32_t to = MACH_MSGH_BITS_REMOTE(h->msgh_bits);
	uint32_t reply = MACH_MSGH_BITS_LOCAL(h->msgh_bits);
	struct fake_task *t = fake_current;
	mach_port_t back = h->msgh_local_port;

	if (!MACH_MSG_TYPE_PORT_ANY_SEND(to) ||
	    (reply ? !MACH_MSG_TYPE_PORT_ANY_SEND(reply)
		   : back != MACH_PORT_NULL))
		return MACH_SEND_INVALID_HEADER;
	if (!fake_find(t, h->msgh_remote_port))
		return MACH_SEND_INVALID_DEST;
	if (MACH_PORT_VALID(back) && !fake_may_copyin(t, back, reply, true))
		return MACH_SEND_INVALID_REPLY;
	if (back == h->msgh_remote_port &&
	    (to == MACH_MSG_TYPE_MOVE_SEND_ONCE ||
	     reply == MACH_MSG_TYPE_MOVE_SEND_ONCE))
		return MACH_SEND_INVALID_DEST;
	if (fake_copyin(t, h->msgh_remote_port, to, false, &m->to))
		return MACH_SEND_INVALID_DEST;
	m->is_once = received_type(to) == MACH_MSG_TYPE_PORT_SEND_ONCE;
	m->reply_type = received_type(reply);
	m->reply = (struct port *)(uintptr_t)back;
	/* The one reference there was may have gone with the first. */
	if (MACH_PORT_VALID(back) &&
	    fake_copyin(t, back, reply, true, &m->reply)) {
		m->to->senders++;
		m->reply = m->to;
	}
	return MACH_MSG_SUCCESS;
}

/* Names to ports. Returns which of them was none, @number if there was none. */
static uint32_t
copyin_rights(uint8_t *names, uint32_t number, uint32_t disposition)
{
	for (uint32_t k = 0; k < number; k++) {
		mach_port_t name = word_at(names + 4 * k);
		struct port *p;

		if (!MACH_PORT_VALID(name))
			continue;
		if (fake_copyin(fake_current, name, disposition, true, &p))
			return k;
		set_word(names + 4 * k, (uint32_t)(uintptr_t)p);
	}
	return number;
}

/* One item. Where it fails, nothing of it is left. */
static mach_msg_return_t
copyin_item(struct message *m, const struct body_item *i)
{
	struct sent *s = NULL;
	uint8_t *names;
	uint32_t n;

	if (i->is_bad || (is_right(i) && i->size != 32) ||
	    (i->is_inline && i->deallocate))
		return MACH_SEND_INVALID_TYPE;
	if (i->is_cut)
		return MACH_SEND_MSG_TOO_SMALL;
	if (!i->is_inline && i->octets) {
		s = fake_memory_take(fake_current, word_at(m->octets + i->at),
				     i->octets, i->deallocate);
		if (!s)
			return MACH_SEND_INVALID_MEMORY;
	}
	if (!i->is_inline)
		set_word(m->octets + i->at, (uint32_t)(uintptr_t)s);
	if (!is_right(i))
		return MACH_MSG_SUCCESS;
	names = rights_of(m, i);
	n = copyin_rights(names, i->number, i->name);
	set_name(m->octets, i, received_type(i->name));
	if (n == i->number)
		return MACH_MSG_SUCCESS;
	for (uint32_t k = 0; k < n; k++)
		fake_right_destroy(port_at(names + 4 * k),
				   received_type(i->name));
	free(s);
	return MACH_SEND_INVALID_RIGHT;
}

/* *@end says how much of it was taken. */
static mach_msg_return_t
copyin_body(struct message *m, size_t *end)
{
	bool has_any = false;
	size_t pos = HEADER;
	struct body_item i;
	mach_msg_return_t r;

	while (pos < m->size) {
		*end = pos;
		if (!next(m->octets, m->size, &pos, &i))
			return MACH_SEND_MSG_TOO_SMALL;
		r = copyin_item(m, &i);
		if (r)
			return r;
		has_any |= !i.is_inline || is_right(&i);
	}
	*end = m->size;
	if (!has_any)
		set_word(m->octets, word_at(m->octets) &
					    ~(uint32_t)MACH_MSGH_BITS_COMPLEX);
	return MACH_MSG_SUCCESS;
}

/* Receive rights in it, which are under way now. Would one of them be in its own
 * queue, or in that of one that is in its own? */
static bool
is_circular(struct message *m)
{
	size_t pos = HEADER;
	struct body_item i;

	while (is_complex(m) && pos < m->size &&
	       next(m->octets, m->size, &pos, &i)) {
		if (i.name != MACH_MSG_TYPE_PORT_RECEIVE)
			continue;
		for (uint32_t k = 0; k < i.number; k++) {
			struct port *p = port_at(rights_of(m, &i) + 4 * k);

			for (struct port *q = m->to; is_port(p) && q;
			     q = q->goes_to)
				if (q == p)
					return true;
			if (is_port(p))
				p->goes_to = m->to;
		}
	}
	return false;
}

static mach_msg_return_t copyout_body(struct message *m, uint8_t *to);

/* As if it had been received, but that the header is not turned round. */
static mach_msg_return_t
give_back(struct message *m, mach_msg_header_t *h)
{
	mach_msg_return_t r = MACH_MSG_SUCCESS;
	uint32_t to_type = m->is_once ? MACH_MSG_TYPE_PORT_SEND_ONCE
				      : MACH_MSG_TYPE_PORT_SEND;

	memcpy(h, m->octets, m->size);
	h->msgh_size = m->size;
	h->msgh_remote_port = fake_copyout(fake_current, m->to, to_type);
	h->msgh_local_port =
		fake_copyout(fake_current, m->reply, m->reply_type);
	h->msgh_bits = MACH_MSGH_BITS(to_type, m->reply_type) |
		       (h->msgh_bits & MACH_MSGH_BITS_COMPLEX);
	if (is_complex(m))
		r = copyout_body(m, (uint8_t *)h);
	free_message(m);
	return r;
}

static bool
is_early(int fail)
{
	return fail != MACH_MSG_SUCCESS && fail != MACH_SEND_TIMED_OUT &&
	       fail != MACH_SEND_INTERRUPTED &&
	       fail != MACH_SEND_INVALID_MEMORY &&
	       fail != MACH_SEND_INVALID_RIGHT &&
	       fail != MACH_SEND_INVALID_TYPE;
}

/* All that a message held is gone. */
static mach_msg_return_t
lose(struct message *m, size_t end, mach_msg_return_t r)
{
	struct port *to = m->to;

	destroy_rest(m, end);
	fake_right_destroy(to, m->is_once ? MACH_MSG_TYPE_PORT_SEND_ONCE
					  : MACH_MSG_TYPE_PORT_SEND);
	free_message(m);
	return r;
}

static void
note_mistake(mach_msg_return_t r, const mach_msg_header_t *h)
{
	const struct entry *e = fake_find(fake_current, h->msgh_remote_port);

	/* Who was to receive it may have died. */
	bool has_died = h->msgh_remote_port == MACH_PORT_DEAD ||
			(e && e->type & MACH_PORT_TYPE_DEAD_NAME);

	if (r != MACH_SEND_INVALID_DEST || !has_died)
		fake_mistake("send of %d to %#x: error %#x", (int)h->msgh_id,
			     (unsigned)h->msgh_remote_port, (unsigned)r);
}

mach_msg_return_t
fake_send(mach_msg_header_t *h, mach_msg_option_t options, uint32_t size,
	  int fail)
{
	struct message *m;
	mach_msg_return_t r;
	size_t end;

	if (is_early(fail))
		return fail;
	if (size < HEADER || size % 4) {
		fake_mistake("send of %u octets", size);
		return MACH_SEND_MSG_TOO_SMALL;
	}
	m = calloc(1, sizeof(*m) + size);
	if (!m)
		abort();
	fake_messages++;
	m->size = size;
	memcpy(m->octets, h, size);
	r = copyin_header(h, m);
	if (r) {
		note_mistake(r, h);
		free_message(m);
		return r;
	}
	if (is_complex(m)) {
		r = copyin_body(m, &end);
		if (r) {
			note_mistake(r, h);
			return lose(m, end, r);
		}
	}
	if (fail == MACH_SEND_INVALID_MEMORY ||
	    fail == MACH_SEND_INVALID_RIGHT || fail == MACH_SEND_INVALID_TYPE)
		return lose(m, m->size, fail);
	if (fail)
		return fail | give_back(m, h);
	if (m->to->nmessages >= m->to->qlimit && !m->is_once) {
		if (!(options & MACH_SEND_TIMEOUT))
			fake_mistake("waits for a full queue: message %d",
				     (int)h->msgh_id);
		return MACH_SEND_TIMED_OUT | give_back(m, h);
	}
	if (is_circular(m))
		return lose(m, m->size, MACH_MSG_SUCCESS);
	fake_enqueue(m->to, m);
	return MACH_MSG_SUCCESS;
}

/*
 * Receiving
 */

/* Into the current task. What is at @to is a copy of its octets. */
static mach_msg_return_t
copyout_body(struct message *m, uint8_t *to)
{
	mach_msg_return_t r = MACH_MSG_SUCCESS;
	size_t pos = HEADER;
	struct body_item i;

	while (pos < m->size && next(m->octets, m->size, &pos, &i)) {
		struct sent *s =
			i.is_inline || !i.octets ? NULL : sent_at(m, &i);
		uint8_t *names = s ? s->octets : to + i.at;
		vm_address_t address = 0;

		for (uint32_t k = 0; is_right(&i) && k < i.number; k++)
			set_word(names + 4 * k,
				 fake_copyout(fake_current,
					      port_at(names + 4 * k), i.name));
		if (i.is_inline)
			continue;
		if (s && fake.torn && !is_right(&i)) {
			set_word(to + i.head + (i.is_long ? 4 : 0),
				 word_at(to + i.head + (i.is_long ? 4 : 0)) &
					 (i.is_long ? 0xffffu : 0xffff00ffu));
			r = MACH_MSG_VM_SPACE;
		} else if (s) {
			address =
				fake_memory_give(fake_current, s, is_right(&i));
		}
		free(s);
		set_word(to + i.at, (uint32_t)address);
		to[i.head + 3] |= 0x40; /* deallocate */
	}
	fake.torn -= !!r;
	return r;
}

/* The message that has waited longest. */
static struct port *
first_of(mach_port_t name)
{
	struct port *best = NULL;

	for (struct port *p = fake_current->received; p; p = p->next_received)
		if (p->first && (p->name == name || p->set == name) &&
		    (!best || p->first->order < best->first->order))
			best = p;
	return best;
}

static struct message *
dequeue(struct port *p)
{
	struct message *m = p->first;

	p->first = m->next;
	if (!p->first)
		p->end = &p->first;
	p->nmessages--;
	return m;
}

static void
use_up(struct port *p, bool is_once)
{
	if (is_once) {
		p->onces--;
		return;
	}
	p->senders--;
	fake_no_senders(p);
}

static mach_msg_return_t
copyout(struct message *m, mach_msg_header_t *h, struct port *p)
{
	mach_msg_return_t r = MACH_MSG_SUCCESS;
	uint32_t bits = MACH_MSGH_BITS(m->reply_type,
				       m->is_once ? MACH_MSG_TYPE_PORT_SEND_ONCE
						  : MACH_MSG_TYPE_PORT_SEND);

	memcpy(h, m->octets, m->size);
	h->msgh_bits = bits | (h->msgh_bits & MACH_MSGH_BITS_COMPLEX);
	h->msgh_size = m->size;
	h->msgh_local_port = p->name;
	h->msgh_seqno = p->seqno++;
	h->msgh_remote_port =
		fake_copyout(fake_current, m->reply, m->reply_type);
	use_up(p, m->is_once);
	if (is_complex(m))
		r = copyout_body(m, (uint8_t *)h);
	free_message(m);
	return r ? MACH_RCV_BODY_ERROR | r : r;
}

mach_msg_return_t
fake_receive(mach_msg_header_t *h, mach_msg_option_t options, uint32_t room,
	     mach_port_t name)
{
	const struct entry *e = fake_find(fake_current, name);
	struct message *m;
	struct port *p;

	if (!e ||
	    !(e->type & (MACH_PORT_TYPE_RECEIVE | MACH_PORT_TYPE_PORT_SET))) {
		fake_mistake("receives from %#x", (unsigned)name);
		return MACH_RCV_INVALID_NAME;
	}
	if (e->port && e->port->set != MACH_PORT_NULL)
		return MACH_RCV_IN_SET;
	p = first_of(name);
	if (!p && !(options & MACH_RCV_TIMEOUT)) {
		if (fake.on_idle)
			fake.on_idle(fake.ctx);
		p = first_of(name);
		if (!p)
			fake_mistake("waits for a message for ever");
	}
	if (!p)
		return options & MACH_RCV_TIMEOUT ? MACH_RCV_TIMED_OUT
						  : MACH_RCV_INTERRUPTED;
	if (p->first->size > room && options & MACH_RCV_LARGE) {
		h->msgh_size = p->first->size;
		return MACH_RCV_TOO_LARGE;
	}
	m = dequeue(p);
	if (m->size > room) {
		destroy_rest(m, m->size);
		use_up(p, m->is_once);
		free_message(m);
		p->seqno++;
		return MACH_RCV_TOO_LARGE;
	}
	return copyout(m, h, p);
}
