/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "fake_mach.h"
#include "wire.h"

#define MAX_NAMES 1024
#define PAGE      4096

struct fake_port {
	struct fake_port *next;
	bool is_dead;
	mach_port_t receive; /* name of the task's receive right, or 0 */
	struct fake_port *set;
	uint32_t qlimit;
	uint32_t n;
	mach_port_seqno_t seqno;
	struct fake_msg *first, **end;
};

/* What the task has by a name. */
struct name {
	struct fake_port *port; /* NULL: free */
	bool is_set;
	uint32_t send; /* references; those of a dead name, if port is dead */
	uint32_t once;
	struct fake_port *watch; /* told when it dies */
};

static struct name names[MAX_NAMES];
static struct fake_port *ports;
static uint32_t memory_held;
uint32_t fake_fail_allocate;
uint32_t fake_mistakes;

static void enqueue(struct fake_port *p, struct fake_msg *m);

/*
 * Names
 */

static struct name *
name_of(mach_port_t name)
{
	if (name == 0 || name >= MAX_NAMES || !names[name].port)
		return NULL;
	return &names[name];
}

static bool
is_receive(const struct name *n)
{
	return !n->is_set && n->port->receive == (mach_port_t)(n - names);
}

static mach_port_t
new_name(struct fake_port *p)
{
	for (mach_port_t i = 1; i < MAX_NAMES; i++)
		if (!names[i].port) {
			names[i] = (struct name){.port = p};
			return i;
		}
	abort();
}

/* Send and receive rights to a port have one name, each send-once right its
 * own. */
static mach_port_t
add_send(struct fake_port *p)
{
	for (mach_port_t i = 1; i < MAX_NAMES; i++)
		if (names[i].port == p && !names[i].once &&
		    (names[i].send || is_receive(&names[i]))) {
			names[i].send++;
			return i;
		}
	mach_port_t i = new_name(p);

	names[i].send = 1;
	return i;
}

static void
free_if_empty(struct name *n)
{
	if (n->send || n->once || n->is_set || (n->port && is_receive(n)))
		return;
	*n = (struct name){0};
}

struct fake_holdings
fake_holdings(void)
{
	struct fake_holdings h = {.memory = memory_held};

	for (mach_port_t i = 1; i < MAX_NAMES; i++)
		if (names[i].port) {
			h.names++;
			h.refs += names[i].send + names[i].once;
		}
	return h;
}

/*
 * Ports
 */

static struct fake_port *
port_new(uint32_t qlimit)
{
	struct fake_port *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->qlimit = qlimit;
	p->end = &p->first;
	p->next = ports;
	ports = p;
	return p;
}

struct fake_port *
fake_port_new(uint32_t qlimit)
{
	return port_new(qlimit);
}

static void
notify(struct fake_port *to, uint32_t id, mach_port_t about)
{
	const struct vnet_wire_header h = {.id = id};
	struct fake_msg *m = calloc(1, sizeof(*m));
	struct vnet_wire_writer w;

	if (!m)
		abort();
	vnet_wire_begin(&w, m->octets, sizeof(m->octets), VNET_WIRE_HERE, &h);
	if (id == MACH_NOTIFY_DEAD_NAME) {
		/* As <mach/notify.h> has it, whose descriptor is as long as on
		 * i386 also where this is not: there it says "nothing". */
		mach_dead_name_notification_t *n = (void *)m->octets;
		const uint32_t type = sizeof(void *) == 8
					      ? UINT32_C(1) << 29
					      : UINT32_C(0x10012000);

		memcpy(&n->not_type, &type, sizeof(type));
		n->not_port = about;
		w.len = sizeof(*n);
	}
	m->size = (uint32_t)vnet_wire_end(&w);
	m->id = id;
	m->to_once = true;
	enqueue(to, m);
}

void
fake_drop_once(struct fake_port *p)
{
	notify(p, MACH_NOTIFY_SEND_ONCE, 0);
}

static void
msg_free(struct fake_msg *m)
{
	free(m->memory);
	free(m);
}

void
fake_msg_done(struct fake_msg *m)
{
	if (m->reply && m->reply_is_once)
		fake_drop_once(m->reply);
	msg_free(m);
}

void
fake_port_kill(struct fake_port *p)
{
	struct fake_msg *m;

	p->is_dead = true;
	p->receive = 0;
	while ((m = p->first)) {
		p->first = m->next;
		fake_msg_done(m);
	}
	p->end = &p->first;
	p->n = 0;
	for (mach_port_t i = 1; i < MAX_NAMES; i++) {
		struct name *n = &names[i];

		if (n->port != p)
			continue;
		/* A right to send once becomes a dead name, too. */
		n->send += n->once;
		n->once = 0;
		if (n->watch) {
			struct fake_port *watch = n->watch;

			n->watch = NULL;
			n->send++;
			notify(watch, MACH_NOTIFY_DEAD_NAME, i);
		}
		free_if_empty(n);
	}
}

bool
fake_is_dead(const struct fake_port *p)
{
	return p->is_dead;
}

uint32_t
fake_qlimit(const struct fake_port *p)
{
	return p->qlimit;
}

mach_port_t
fake_give_send(struct fake_port *p)
{
	return add_send(p);
}

struct fake_port *
fake_port_named(mach_port_t name)
{
	struct name *n = name_of(name);

	return n ? n->port : NULL;
}

static void
enqueue(struct fake_port *p, struct fake_msg *m)
{
	if (p->is_dead) {
		fake_msg_done(m);
		return;
	}
	m->next = NULL;
	*p->end = m;
	p->end = &m->next;
	p->n++;
}

static struct fake_msg *
dequeue(struct fake_port *p)
{
	struct fake_msg *m = p->first;

	if (!m)
		return NULL;
	p->first = m->next;
	if (!p->first)
		p->end = &p->first;
	p->n--;
	return m;
}

struct fake_msg *
fake_receive(struct fake_port *p)
{
	return dequeue(p);
}

void
fake_reset(void)
{
	while (ports) {
		struct fake_port *p = ports;
		struct fake_msg *m;

		while ((m = dequeue(p)))
			msg_free(m);
		ports = p->next;
		free(p);
	}
	memset(names, 0, sizeof(names));
	memory_held = 0;
	fake_fail_allocate = 0;
	fake_mistakes = 0;
}

/*
 * Bodies: at the most one right and one piece of memory
 */

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

struct place {
	size_t type_at;
	size_t at;
	uint32_t type;
	size_t octets; /* out of line, or 0 */
};

/* The next right or piece of memory from *@pos on. */
static bool
next_place(const uint8_t *msg, size_t size, size_t *pos, struct place *place)
{
	const bool is_64 = sizeof(void *) == 8;
	const size_t word = sizeof(void *);

	while (*pos + 4 <= size) {
		uint32_t t = get32(msg + *pos), bits = t >> (is_64 ? 29 : 28);
		uint32_t type = t & 0xff, width, number;
		size_t at = *pos + word, octets, there;

		width = t >> 8 & (is_64 ? 0xffff : 0xff);
		number = is_64 ? get32(msg + *pos + 4) : t >> 16 & 0xfff;
		if (!is_64 && (bits & 2)) {
			type = get32(msg + *pos + 4) & 0xffff;
			width = get32(msg + *pos + 4) >> 16;
			number = get32(msg + *pos + 8);
			at = *pos + 12;
		}
		octets = (size_t)width * number / 8;
		there = bits & 1 ? octets : word;
		*place = (struct place){*pos, at, type, bits & 1 ? 0 : octets};
		*pos = (at + there + word - 1) & ~(word - 1);
		if (!(bits & 1) || (type >= 16 && type <= 21))
			return true;
	}
	return false;
}

/* The kernel says of what arrives that it is to be deallocated. */
static void
mark_deallocate(uint8_t *type)
{
	const unsigned shift = sizeof(void *) == 8 ? 31 : 30;

	put32(type, get32(type) | UINT32_C(1) << shift);
}

/* That type of right, in a descriptor of short form. */
static void
mark_right(uint8_t *type, uint32_t name)
{
	put32(type, (get32(type) & ~UINT32_C(0xff)) | name);
}

/*
 * Messages
 */

static size_t
header_size(void)
{
	return sizeof(mach_msg_header_t);
}

/* Take a right out of a name, as a disposition says. */
static struct fake_port *
copyin(mach_port_t name, uint32_t type, bool *is_dead)
{
	struct name *n = name_of(name);
	struct fake_port *p;

	*is_dead = false;
	if (!n)
		return NULL;
	p = n->port;
	switch (type) {
	case MACH_MSG_TYPE_MAKE_SEND:
	case MACH_MSG_TYPE_MAKE_SEND_ONCE:
		return is_receive(n) ? p : NULL;
	case MACH_MSG_TYPE_COPY_SEND:
	case MACH_MSG_TYPE_MOVE_SEND:
		*is_dead = p->is_dead;
		if (!n->send)
			return NULL;
		if (type == MACH_MSG_TYPE_MOVE_SEND && !p->is_dead) {
			n->send--;
			free_if_empty(n);
		}
		return p;
	case MACH_MSG_TYPE_MOVE_SEND_ONCE:
		*is_dead = p->is_dead;
		if (p->is_dead)
			return p;
		if (!n->once)
			return NULL;
		n->once--;
		free_if_empty(n);
		return p;
	default:
		return NULL;
	}
}

static mach_port_t
copyout(struct fake_port *p, bool is_once)
{
	mach_port_t name;

	if (!p)
		return MACH_PORT_NULL;
	if (p->is_dead)
		return MACH_PORT_DEAD;
	if (!is_once)
		return add_send(p);
	name = new_name(p);
	names[name].once = 1;
	return name;
}

static bool
is_once_type(uint32_t type)
{
	return type == MACH_MSG_TYPE_MAKE_SEND_ONCE ||
	       type == MACH_MSG_TYPE_MOVE_SEND_ONCE;
}

/* The body of a message that the task sends; false if there is no such right. */
static bool
take_body(struct fake_msg *m)
{
	size_t pos = header_size();
	struct place at;
	bool is_dead;

	while (next_place(m->octets, m->size, &pos, &at)) {
		if (!at.octets) {
			m->right = copyin(get32(m->octets + at.at), at.type,
					  &is_dead);
			m->right_type = is_once_type(at.type)
						? MACH_MSG_TYPE_PORT_SEND_ONCE
						: MACH_MSG_TYPE_PORT_SEND;
			m->right_at = at.type_at;
			if (!m->right)
				return false;
		} else {
			uintptr_t from = 0;

			memcpy(&from, m->octets + at.at, sizeof(from));
			m->memory = malloc(at.octets);
			if (!m->memory)
				abort();
			memcpy(m->memory, (void *)from, at.octets);
			m->memory_len = at.octets;
			m->memory_from = from;
			m->memory_at = at.type_at;
		}
	}
	return true;
}

/* Into the task: its right and memory. */
static void
give_body(struct fake_msg *m, uint8_t *to)
{
	size_t pos = header_size();
	struct place at;

	while (next_place(to, m->size, &pos, &at)) {
		if (!at.octets) {
			bool once =
				m->right_type == MACH_MSG_TYPE_PORT_SEND_ONCE;

			put32(to + at.at, copyout(m->right, once));
			mark_right(to + at.type_at, m->right_type);
		} else {
			vm_address_t address;
			size_t n = (m->memory_len + PAGE - 1) &
				   ~(size_t)(PAGE - 1);

			if (fake_mach.vm_allocate(&address, n))
				abort();
			memcpy((void *)address, m->memory, m->memory_len);
			memcpy(to + at.at, &address, sizeof(address));
			mark_deallocate(to + at.type_at);
		}
	}
}

/* A full queue: what was to be sent comes back as if it had been received. */
static void
give_back(struct fake_msg *m, mach_msg_header_t *h, struct fake_port *dest)
{
	uint32_t complex = h->msgh_bits & MACH_MSGH_BITS_COMPLEX;
	uint32_t reply_type = !m->reply          ? 0
			      : m->reply_is_once ? MACH_MSG_TYPE_PORT_SEND_ONCE
						 : MACH_MSG_TYPE_PORT_SEND;

	give_body(m, (uint8_t *)h);
	h->msgh_bits =
		MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND, reply_type) | complex;
	h->msgh_remote_port = copyout(dest, false);
	h->msgh_local_port = copyout(m->reply, m->reply_is_once);
	msg_free(m);
}

static mach_msg_return_t
send_msg(mach_msg_header_t *h, mach_msg_option_t options, uint32_t size)
{
	const uint32_t rtype = MACH_MSGH_BITS_REMOTE(h->msgh_bits);
	const uint32_t ltype = MACH_MSGH_BITS_LOCAL(h->msgh_bits);
	struct fake_port *dest;
	struct fake_msg *m;
	bool is_dead, ignored;

	dest = copyin(h->msgh_remote_port, rtype, &is_dead);
	if (!dest || is_dead)
		return MACH_SEND_INVALID_DEST;
	m = calloc(1, sizeof(*m));
	if (!m || size > sizeof(m->octets))
		abort();
	if (ltype) {
		m->reply = copyin(h->msgh_local_port, ltype, &ignored);
		m->reply_is_once = is_once_type(ltype);
		if (!m->reply) {
			msg_free(m);
			return MACH_SEND_INVALID_REPLY;
		}
	}
	m->size = size;
	m->id = (uint32_t)h->msgh_id;
	m->to_once = is_once_type(rtype);
	memcpy(m->octets, h, size);
	if ((h->msgh_bits & MACH_MSGH_BITS_COMPLEX) && !take_body(m)) {
		fake_msg_done(m);
		return MACH_SEND_INVALID_RIGHT;
	}
	if (dest->n >= dest->qlimit && !m->to_once) {
		if (!(options & MACH_SEND_TIMEOUT))
			abort(); /* it would wait */
		give_back(m, h, dest);
		return MACH_SEND_TIMED_OUT;
	}
	enqueue(dest, m);
	return MACH_MSG_SUCCESS;
}

static struct fake_port *
find_member(struct fake_port *set)
{
	struct fake_port *p = ports;

	while (p && !(p->set == set && p->first && p->receive))
		p = p->next;
	return p;
}

static mach_msg_return_t
receive_msg(mach_msg_header_t *h, uint32_t room, mach_port_t set)
{
	struct name *n = name_of(set);
	struct fake_port *p = n ? find_member(n->port) : NULL;
	struct fake_msg *m;
	uint32_t rtype;

	if (!p)
		return MACH_RCV_TIMED_OUT;
	m = dequeue(p);
	if (m->size > room) {
		fake_msg_done(m);
		return MACH_RCV_TOO_LARGE;
	}
	memcpy(h, m->octets, m->size);
	if (m->right || m->memory)
		give_body(m, (uint8_t *)h);
	rtype = !m->reply          ? 0
		: m->reply_is_once ? MACH_MSG_TYPE_PORT_SEND_ONCE
				   : MACH_MSG_TYPE_PORT_SEND;
	h->msgh_bits =
		MACH_MSGH_BITS(rtype, m->to_once ? MACH_MSG_TYPE_PORT_SEND_ONCE
						 : MACH_MSG_TYPE_PORT_SEND) |
		(m->right || m->memory ? MACH_MSGH_BITS_COMPLEX : 0);
	h->msgh_size = m->size;
	h->msgh_remote_port = copyout(m->reply, m->reply_is_once);
	h->msgh_local_port = p->receive;
	h->msgh_seqno = p->seqno++;
	h->msgh_id = (mach_msg_id_t)m->id;
	msg_free(m);
	return MACH_MSG_SUCCESS;
}

static mach_msg_return_t
sys_msg(mach_msg_header_t *msg, mach_msg_option_t options,
	mach_msg_size_t send_size, mach_msg_size_t rcv_size,
	mach_port_t rcv_name, mach_msg_timeout_t timeout, mach_port_t notify_to)
{
	(void)timeout;
	(void)notify_to;
	if (options & MACH_SEND_MSG)
		return send_msg(msg, options, send_size);
	return receive_msg(msg, rcv_size, rcv_name);
}

void
fake_send(struct fake_port *to, bool by_once, const void *octets,
	  const struct fake_port *right, struct fake_port *reply)
{
	const mach_msg_header_t *h = octets;
	struct fake_msg *m = calloc(1, sizeof(*m));

	if (!m || h->msgh_size > sizeof(m->octets))
		abort();
	m->size = h->msgh_size;
	m->id = (uint32_t)h->msgh_id;
	m->to_once = by_once;
	m->right = (struct fake_port *)(uintptr_t)right;
	m->right_type = MACH_MSG_TYPE_PORT_SEND;
	m->reply = reply;
	memcpy(m->octets, octets, m->size);
	enqueue(to, m);
}

/*
 * The rest of what a kernel does
 */

static kern_return_t
sys_port_allocate(mach_port_right_t right, mach_port_t *name)
{
	struct fake_port *p;

	if (fake_fail_allocate) {
		fake_fail_allocate--;
		return KERN_RESOURCE_SHORTAGE;
	}
	p = port_new(MACH_PORT_QLIMIT_DEFAULT);
	*name = new_name(p);
	if (right == MACH_PORT_RIGHT_PORT_SET)
		names[*name].is_set = true;
	else
		p->receive = *name;
	return KERN_SUCCESS;
}

static kern_return_t
sys_port_deallocate(mach_port_t name)
{
	struct name *n = name_of(name);

	if (!n) {
		fake_mistakes++;
		return KERN_INVALID_NAME;
	}
	if (n->once) {
		fake_drop_once(n->port);
		n->once = 0;
	} else if (n->send) {
		n->send--;
	} else {
		fake_mistakes++;
		return KERN_INVALID_RIGHT;
	}
	free_if_empty(n);
	return KERN_SUCCESS;
}

static kern_return_t
sys_port_mod_refs(mach_port_t name, mach_port_right_t right,
		  mach_port_delta_t delta)
{
	struct name *n = name_of(name);

	if (!n)
		return KERN_INVALID_NAME;
	switch (right) {
	case MACH_PORT_RIGHT_RECEIVE:
		if (!is_receive(n) || delta != -1)
			return KERN_INVALID_RIGHT;
		fake_port_kill(n->port);
		free_if_empty(n);
		return KERN_SUCCESS;
	case MACH_PORT_RIGHT_PORT_SET:
		if (!n->is_set || delta != -1)
			return KERN_INVALID_RIGHT;
		n->is_set = false;
		free_if_empty(n);
		return KERN_SUCCESS;
	default:
		if ((int)n->send + delta < 0)
			return KERN_INVALID_VALUE;
		n->send = (uint32_t)((int)n->send + delta);
		free_if_empty(n);
		return KERN_SUCCESS;
	}
}

static kern_return_t
sys_port_get_refs(mach_port_t name, mach_port_right_t right,
		  mach_port_urefs_t *refs)
{
	struct name *n = name_of(name);

	(void)right;
	if (!n)
		return KERN_INVALID_NAME;
	*refs = n->send;
	return KERN_SUCCESS;
}

static kern_return_t
sys_port_insert_right(mach_port_t name, mach_port_t right,
		      mach_msg_type_name_t type)
{
	struct name *n = name_of(right);

	if (!n || name != right || type != MACH_MSG_TYPE_MAKE_SEND)
		return KERN_INVALID_VALUE;
	n->send++;
	return KERN_SUCCESS;
}

static kern_return_t
sys_port_type(mach_port_t name, mach_port_type_t *type)
{
	struct name *n = name_of(name);

	if (!n)
		return KERN_INVALID_NAME;
	*type = 0;
	if (n->is_set)
		*type = MACH_PORT_TYPE_PORT_SET;
	else if (n->port->is_dead)
		*type = MACH_PORT_TYPE_DEAD_NAME;
	else
		*type = (n->send ? MACH_PORT_TYPE_SEND : 0) |
			(n->once ? MACH_PORT_TYPE_SEND_ONCE : 0) |
			(is_receive(n) ? MACH_PORT_TYPE_RECEIVE : 0);
	return KERN_SUCCESS;
}

static kern_return_t
sys_port_set_qlimit(mach_port_t name, mach_port_msgcount_t limit)
{
	struct name *n = name_of(name);

	if (!n || !is_receive(n))
		return KERN_INVALID_NAME;
	n->port->qlimit = limit;
	return KERN_SUCCESS;
}

static kern_return_t
sys_port_move_member(mach_port_t member, mach_port_t set)
{
	struct name *n = name_of(member), *s = name_of(set);

	if (!n || !s || !is_receive(n) || !s->is_set)
		return KERN_INVALID_NAME;
	n->port->set = s->port;
	return KERN_SUCCESS;
}

static kern_return_t
sys_port_request_notification(mach_port_t name, mach_msg_id_t id,
			      mach_port_mscount_t sync, mach_port_t notify_to,
			      mach_port_t *previous)
{
	struct name *n = name_of(name), *to = name_of(notify_to);

	(void)sync;
	*previous = MACH_PORT_NULL;
	if (!n || !to)
		return KERN_INVALID_NAME;
	if (id != MACH_NOTIFY_DEAD_NAME)
		return KERN_SUCCESS;
	if (n->watch)
		*previous = copyout(n->watch, true);
	n->watch = to->port;
	if (n->port->is_dead) {
		n->watch = NULL;
		n->send++;
		notify(to->port, MACH_NOTIFY_DEAD_NAME, name);
	}
	return KERN_SUCCESS;
}

static kern_return_t
sys_port_get_receive_status(mach_port_t name, mach_port_status_t *status)
{
	struct name *n = name_of(name);

	if (!n || !is_receive(n))
		return KERN_INVALID_NAME;
	memset(status, 0, sizeof(*status));
	status->mps_seqno = n->port->seqno;
	return KERN_SUCCESS;
}

static kern_return_t
sys_vm_allocate(vm_address_t *address, vm_size_t size)
{
	void *p = aligned_alloc(PAGE, (size + PAGE - 1) & ~(size_t)(PAGE - 1));

	if (!p)
		return KERN_NO_SPACE;
	memory_held++;
	*address = (vm_address_t)p;
	return KERN_SUCCESS;
}

static kern_return_t
sys_vm_deallocate(vm_address_t address, vm_size_t size)
{
	(void)size;
	memory_held--;
	free((void *)address);
	return KERN_SUCCESS;
}

static bool
sys_copy(void *to, const void *from, size_t n, const uint32_t *given_up)
{
	(void)given_up;
	memcpy(to, from, n);
	return true;
}

static kern_return_t
sys_catch_faults(mach_port_t right)
{
	(void)right;
	return KERN_SUCCESS;
}

static mach_port_t
sys_thread_self(void)
{
	return MACH_PORT_NULL;
}

static void
sys_interrupt(mach_port_t thread)
{
	(void)thread;
}

static bool
sys_exception(mach_msg_header_t *in, mach_msg_header_t *out)
{
	(void)in;
	(void)out;
	return false;
}

static void
sys_yield(void)
{
	abort(); /* to whom? */
}

static void
sys_wait(const uint32_t *word, uint32_t value)
{
	(void)word;
	(void)value;
	abort(); /* for ever: there is one thread */
}

static void
sys_wake(const uint32_t *word, bool all)
{
	(void)word;
	(void)all;
}

const struct vnet_mach_sys fake_mach = {
	.msg = sys_msg,
	.port_allocate = sys_port_allocate,
	.port_deallocate = sys_port_deallocate,
	.port_mod_refs = sys_port_mod_refs,
	.port_get_refs = sys_port_get_refs,
	.port_insert_right = sys_port_insert_right,
	.port_type = sys_port_type,
	.port_set_qlimit = sys_port_set_qlimit,
	.port_move_member = sys_port_move_member,
	.port_request_notification = sys_port_request_notification,
	.port_get_receive_status = sys_port_get_receive_status,
	.vm_allocate = sys_vm_allocate,
	.vm_deallocate = sys_vm_deallocate,
	.copy = sys_copy,
	.catch_faults = sys_catch_faults,
	.thread_self = sys_thread_self,
	.interrupt = sys_interrupt,
	.exception = sys_exception,
	.yield = sys_yield,
	.wait = sys_wait,
	.wake = sys_wake,
};
