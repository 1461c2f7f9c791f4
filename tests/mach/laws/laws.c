/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "laws.h"
#include "wire.h"

#define PAGE 4096

typedef const struct vnet_mach_sys *sys;

union message {
	mach_msg_header_t head;
	uint8_t octets[1024];
	struct {
		mach_msg_header_t head;
		mach_msg_type_t type;
		uint32_t word;
	} one;
};

/*
 * Shorthand
 */

static mach_port_t
receiver(sys k)
{
	mach_port_t name;

	LAW_EQ(k->port_allocate(MACH_PORT_RIGHT_RECEIVE, &name), 0);
	return name;
}

static void
add_send(sys k, mach_port_t name)
{
	LAW_EQ(k->port_insert_right(name, name, MACH_MSG_TYPE_MAKE_SEND), 0);
}

static void
drop(sys k, mach_port_t name)
{
	LAW_EQ(k->port_deallocate(name), 0);
}

static void
end(sys k, mach_port_t name)
{
	LAW_EQ(k->port_mod_refs(name, MACH_PORT_RIGHT_RECEIVE, -1), 0);
}

static long
refs(sys k, mach_port_t name, mach_port_right_t right)
{
	mach_port_urefs_t n;

	LAW_EQ(k->port_get_refs(name, right, &n), 0);
	return (long)n;
}

#define SEND MACH_PORT_RIGHT_SEND
#define DEAD MACH_PORT_RIGHT_DEAD_NAME
#define ONCE MACH_PORT_RIGHT_SEND_ONCE

static bool
is_there(sys k, mach_port_t name)
{
	mach_port_type_t type;

	return k->port_type(name, &type) == KERN_SUCCESS;
}

/* A name whose port is dead, with that many references. */
static mach_port_t
dead_name(sys k, int n)
{
	mach_port_t name = receiver(k);

	for (int i = 0; i < n; i++)
		add_send(k, name);
	end(k, name);
	return name;
}

static struct vnet_wire_writer
begin(union message *m, mach_port_t to, uint32_t type, mach_port_t reply,
      uint32_t reply_type, uint32_t id)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(type, reply_type),
		.remote = to,
		.local = reply,
		.id = id,
	};
	struct vnet_wire_writer w;

	vnet_wire_begin(&w, m, sizeof(*m), VNET_WIRE_HERE, &h);
	return w;
}

static mach_msg_return_t
send(sys k, union message *m, struct vnet_wire_writer *w)
{
	size_t n = vnet_wire_end(w);

	return k->msg(&m->head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
		      (mach_msg_size_t)n, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

/* A message of nothing. */
static mach_msg_return_t
send_empty(sys k, mach_port_t to, uint32_t type)
{
	union message m;
	struct vnet_wire_writer w = begin(&m, to, type, 0, 0, 4242);

	return send(k, &m, &w);
}

static mach_msg_return_t
receive(sys k, mach_port_t from, union message *m)
{
	memset(m, 0, sizeof(*m));
	return k->msg(&m->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(*m),
		      from, 0, MACH_PORT_NULL);
}

static void
expect_none(sys k, mach_port_t at)
{
	union message m;

	LAW_EQ(receive(k, at, &m), MACH_RCV_TIMED_OUT);
}

/* A notification that the kernel has sent; the word in it. */
static uint32_t
expect_notice(sys k, mach_port_t at, mach_msg_id_t id)
{
	union message m;

	LAW_EQ(receive(k, at, &m), 0);
	LAW_EQ(m.head.msgh_id, id);
	LAW_EQ(MACH_MSGH_BITS_LOCAL(m.head.msgh_bits),
	       MACH_MSG_TYPE_PORT_SEND_ONCE);
	LAW_EQ(MACH_MSGH_BITS_REMOTE(m.head.msgh_bits), 0);
	LAW_EQ(m.head.msgh_remote_port, 0);
	LAW_EQ(m.head.msgh_local_port, at);
	LAW_EQ(m.head.msgh_bits & MACH_MSGH_BITS_COMPLEX, 0);
	if (id == MACH_NOTIFY_SEND_ONCE) {
		LAW_EQ(m.head.msgh_size, sizeof(mach_msg_header_t));
		return 0;
	}
	LAW_EQ(m.head.msgh_size, sizeof(mach_dead_name_notification_t));
	LAW_EQ(m.one.type.msgt_name, id == MACH_NOTIFY_NO_SENDERS
					     ? MACH_MSG_TYPE_INTEGER_32
					     : MACH_MSG_TYPE_PORT_NAME);
	return m.one.word;
}

static mach_port_t
ask(sys k, mach_port_t name, mach_msg_id_t id, mach_port_mscount_t sync,
    mach_port_t notify)
{
	mach_port_t previous = 99;

	LAW_EQ(k->port_request_notification(name, id, sync, notify, &previous),
	       0);
	return previous;
}

/* Nobody but this task has a right to a receive right of it. */
static void
expect_alone(sys k, mach_port_t name)
{
	mach_port_status_t s;

	LAW_EQ(k->port_get_receive_status(name, &s), 0);
	LAW_EQ(s.mps_srights, 0);
	LAW_EQ(s.mps_sorights, 0);
	LAW_EQ(s.mps_msgcount, 0);
}

/*
 * References
 */

static void
law_references_are_counted(sys k)
{
	mach_port_t p = receiver(k);
	mach_port_type_t type;

	LAW_EQ(refs(k, p, SEND), 0);
	LAW_EQ(refs(k, p, MACH_PORT_RIGHT_RECEIVE), 1);
	LAW_EQ(k->port_deallocate(p), KERN_INVALID_RIGHT);
	add_send(k, p);
	add_send(k, p);
	LAW_EQ(refs(k, p, SEND), 2);
	LAW_EQ(k->port_mod_refs(p, SEND, -3), KERN_INVALID_VALUE);
	LAW_EQ(k->port_mod_refs(p, SEND, 5), 0);
	LAW_EQ(refs(k, p, SEND), 7);
	LAW_EQ(k->port_mod_refs(p, SEND, -6), 0);
	drop(k, p);
	LAW_EQ(k->port_type(p, &type), 0);
	LAW_EQ(type, MACH_PORT_TYPE_RECEIVE);
	end(k, p);
	LAW_EQ(is_there(k, p), false);
	LAW_EQ(k->port_deallocate(p), KERN_INVALID_NAME);
}

static void
law_references_end_at_65535(sys k)
{
	mach_port_t p = receiver(k);
	union message m;
	struct vnet_wire_writer w;

	add_send(k, p);
	LAW_EQ(k->port_mod_refs(p, SEND, 65535), KERN_UREFS_OVERFLOW);
	LAW_EQ(k->port_mod_refs(p, SEND, 65533), 0);
	LAW_EQ(refs(k, p, SEND), 65534);
	LAW_EQ(k->port_insert_right(p, p, MACH_MSG_TYPE_MAKE_SEND),
	       KERN_UREFS_OVERFLOW);
	/* What comes by a message is not refused, and not counted. */
	w = begin(&m, p, MACH_MSG_TYPE_COPY_SEND, 0, 0, 1);
	vnet_wire_put_right(&w, p, MACH_MSG_TYPE_COPY_SEND);
	LAW_EQ(send(k, &m, &w), 0);
	LAW_EQ(receive(k, p, &m), 0);
	LAW_EQ(refs(k, p, SEND), 65534);
	LAW_EQ(k->port_mod_refs(p, SEND, -65534), 0);
	expect_alone(k, p);
	end(k, p);
}

static void
law_a_dead_name_has_the_references_of_the_right(sys k)
{
	mach_port_t p = dead_name(k, 3);
	mach_port_type_t type;

	LAW_EQ(k->port_type(p, &type), 0);
	LAW_EQ(type, MACH_PORT_TYPE_DEAD_NAME);
	LAW_EQ(refs(k, p, DEAD), 3);
	LAW_EQ(refs(k, p, SEND), 0);
	LAW_EQ(k->port_mod_refs(p, DEAD, -2), 0);
	drop(k, p);
	LAW_EQ(is_there(k, p), false);
}

/*
 * Notifications
 */

static void
law_a_death_is_told_and_adds_a_reference(sys k)
{
	mach_port_t n = receiver(k), p = receiver(k);

	add_send(k, p);
	LAW_EQ(ask(k, p, MACH_NOTIFY_DEAD_NAME, 1, n), 0);
	expect_none(k, n);
	end(k, p);
	LAW_EQ(expect_notice(k, n, MACH_NOTIFY_DEAD_NAME), p);
	LAW_EQ(refs(k, p, DEAD), 2);
	LAW_EQ(k->port_mod_refs(p, DEAD, -2), 0);
	expect_none(k, n);
	expect_alone(k, n);
	end(k, n);
}

static void
law_the_death_of_a_dead_name_is_told_at_once(sys k)
{
	mach_port_t n = receiver(k), p = dead_name(k, 1), previous;

	LAW_EQ(k->port_request_notification(p, MACH_NOTIFY_DEAD_NAME, 0, n,
					    &previous),
	       KERN_INVALID_ARGUMENT);
	/* The right that was made for it is destroyed, and says so. */
	expect_notice(k, n, MACH_NOTIFY_SEND_ONCE);
	LAW_EQ(ask(k, p, MACH_NOTIFY_DEAD_NAME, 1, n), 0);
	LAW_EQ(expect_notice(k, n, MACH_NOTIFY_DEAD_NAME), p);
	LAW_EQ(refs(k, p, DEAD), 2);
	LAW_EQ(k->port_mod_refs(p, DEAD, -2), 0);
	expect_none(k, n);
	end(k, n);
}

static void
law_a_watched_name_that_goes_is_told(sys k)
{
	mach_port_t n = receiver(k), p = receiver(k), s;
	union message m;
	struct vnet_wire_writer w;

	/* A send-once right to p, which has a name of its own. */
	w = begin(&m, n, MACH_MSG_TYPE_MAKE_SEND, 0, 0, 1);
	vnet_wire_put_right(&w, p, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	LAW_EQ(send(k, &m, &w), 0);
	LAW_EQ(receive(k, n, &m), 0);
	s = m.one.word;
	LAW_EQ(s != p, true);
	LAW_EQ(ask(k, s, MACH_NOTIFY_DEAD_NAME, 1, n), 0);
	drop(k, s);
	LAW_EQ(expect_notice(k, n, MACH_NOTIFY_PORT_DELETED), s);
	expect_notice(k, p, MACH_NOTIFY_SEND_ONCE);
	LAW_EQ(is_there(k, s), false);
	expect_alone(k, p);
	expect_alone(k, n);
	end(k, p);
	end(k, n);
}

static void
law_a_send_once_right_dies_as_one_reference(sys k)
{
	mach_port_t n = receiver(k), p = receiver(k), s;
	union message m;
	struct vnet_wire_writer w;

	w = begin(&m, n, MACH_MSG_TYPE_MAKE_SEND, 0, 0, 1);
	vnet_wire_put_right(&w, p, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	LAW_EQ(send(k, &m, &w), 0);
	LAW_EQ(receive(k, n, &m), 0);
	s = m.one.word;
	LAW_EQ(ask(k, s, MACH_NOTIFY_DEAD_NAME, 1, n), 0);
	end(k, p);
	LAW_EQ(expect_notice(k, n, MACH_NOTIFY_DEAD_NAME), s);
	LAW_EQ(refs(k, s, DEAD), 2);
	LAW_EQ(k->port_mod_refs(s, DEAD, -2), 0);
	expect_none(k, n);
	end(k, n);
}

static void
law_a_request_gives_back_the_one_before(sys k)
{
	mach_port_t n = receiver(k), p = receiver(k), before;

	add_send(k, p);
	LAW_EQ(ask(k, p, MACH_NOTIFY_DEAD_NAME, 1, n), 0);
	before = ask(k, p, MACH_NOTIFY_DEAD_NAME, 1, n);
	LAW_EQ(refs(k, before, ONCE), 1);
	drop(k, before);
	expect_notice(k, n, MACH_NOTIFY_SEND_ONCE);
	before = ask(k, p, MACH_NOTIFY_DEAD_NAME, 0, MACH_PORT_NULL);
	drop(k, before);
	expect_notice(k, n, MACH_NOTIFY_SEND_ONCE);
	end(k, p);
	drop(k, p);
	expect_none(k, n);
	end(k, n);
}

static void
law_the_last_sender_is_told_of(sys k)
{
	mach_port_t n = receiver(k), p = receiver(k);

	LAW_EQ(ask(k, p, MACH_NOTIFY_NO_SENDERS, 1, n), 0);
	expect_none(k, n);
	add_send(k, p);
	add_send(k, p);
	drop(k, p);
	expect_none(k, n);
	drop(k, p);
	LAW_EQ(expect_notice(k, n, MACH_NOTIFY_NO_SENDERS), 2);
	/* Once. */
	add_send(k, p);
	drop(k, p);
	expect_none(k, n);
	end(k, p);
	end(k, n);
}

static void
law_no_senders_is_told_at_once_if_it_is_late(sys k)
{
	mach_port_t n = receiver(k), p = receiver(k);

	add_send(k, p);
	drop(k, p);
	LAW_EQ(ask(k, p, MACH_NOTIFY_NO_SENDERS, 2, n), 0);
	expect_none(k, n);
	drop(k, ask(k, p, MACH_NOTIFY_NO_SENDERS, 1, n));
	expect_notice(k, n, MACH_NOTIFY_NO_SENDERS);
	expect_notice(k, n, MACH_NOTIFY_SEND_ONCE);
	end(k, p);
	end(k, n);
}

static void
law_a_message_is_a_sender_until_it_is_received(sys k)
{
	mach_port_t n = receiver(k), p = receiver(k);
	union message m;

	LAW_EQ(ask(k, p, MACH_NOTIFY_NO_SENDERS, 1, n), 0);
	add_send(k, p);
	LAW_EQ(send_empty(k, p, MACH_MSG_TYPE_MOVE_SEND), 0);
	LAW_EQ(refs(k, p, SEND), 0);
	expect_none(k, n);
	LAW_EQ(receive(k, p, &m), 0);
	LAW_EQ(m.head.msgh_id, 4242);
	expect_notice(k, n, MACH_NOTIFY_NO_SENDERS);
	end(k, p);
	end(k, n);
}

static void
law_who_waits_for_no_senders_hears_of_the_end(sys k)
{
	mach_port_t n = receiver(k), p = receiver(k);

	LAW_EQ(ask(k, p, MACH_NOTIFY_NO_SENDERS, 1, n), 0);
	end(k, p);
	expect_notice(k, n, MACH_NOTIFY_SEND_ONCE);
	end(k, n);
}

/* As a facet does it: at its own right. */
static void
law_a_right_may_tell_itself(sys k)
{
	mach_port_t p = receiver(k);
	mach_port_status_t s;

	LAW_EQ(k->port_get_receive_status(p, &s), 0);
	LAW_EQ(s.mps_mscount, 0);
	LAW_EQ(s.mps_nsrequest, false);
	LAW_EQ(ask(k, p, MACH_NOTIFY_NO_SENDERS, 1, p), 0);
	LAW_EQ(k->port_get_receive_status(p, &s), 0);
	LAW_EQ(s.mps_nsrequest, true);
	LAW_EQ(s.mps_sorights, 1);
	add_send(k, p);
	drop(k, p);
	LAW_EQ(expect_notice(k, p, MACH_NOTIFY_NO_SENDERS), 1);
	LAW_EQ(ask(k, p, MACH_NOTIFY_NO_SENDERS, 2, p), 0);
	end(k, p);
}

/*
 * Queues
 */

static void
law_a_queue_holds_its_limit(sys k)
{
	mach_port_t p = receiver(k);
	union message m;

	LAW_EQ(k->port_set_qlimit(p, MACH_PORT_QLIMIT_MAX + 1),
	       KERN_INVALID_VALUE);
	LAW_EQ(k->port_set_qlimit(p, 2), 0);
	add_send(k, p);
	LAW_EQ(send_empty(k, p, MACH_MSG_TYPE_COPY_SEND), 0);
	LAW_EQ(send_empty(k, p, MACH_MSG_TYPE_MAKE_SEND), 0);
	LAW_EQ(send_empty(k, p, MACH_MSG_TYPE_COPY_SEND), MACH_SEND_TIMED_OUT);
	LAW_EQ(refs(k, p, SEND), 2); /* the trap: one more */
	LAW_EQ(k->port_mod_refs(p, SEND, -1), 0);
	/* A send-once right is no guest: it always goes. */
	LAW_EQ(send_empty(k, p, MACH_MSG_TYPE_MAKE_SEND_ONCE), 0);
	for (unsigned i = 0; i < 3; i++) {
		LAW_EQ(receive(k, p, &m), 0);
		LAW_EQ(m.head.msgh_seqno, i);
		LAW_EQ(MACH_MSGH_BITS_LOCAL(m.head.msgh_bits),
		       i == 2 ? MACH_MSG_TYPE_PORT_SEND_ONCE
			      : MACH_MSG_TYPE_PORT_SEND);
	}
	drop(k, p);
	expect_alone(k, p);
	end(k, p);
}

static void
law_a_set_gives_what_came_first(sys k)
{
	mach_port_t set, a = receiver(k), b = receiver(k);
	union message m;

	LAW_EQ(k->port_allocate(MACH_PORT_RIGHT_PORT_SET, &set), 0);
	LAW_EQ(k->port_move_member(a, set), 0);
	LAW_EQ(k->port_move_member(b, set), 0);
	LAW_EQ(send_empty(k, b, MACH_MSG_TYPE_MAKE_SEND), 0);
	LAW_EQ(send_empty(k, b, MACH_MSG_TYPE_MAKE_SEND), 0);
	LAW_EQ(receive(k, a, &m), MACH_RCV_IN_SET);
	LAW_EQ(receive(k, set, &m), 0);
	LAW_EQ(m.head.msgh_local_port, b);
	LAW_EQ(m.head.msgh_seqno, 0);
	LAW_EQ(receive(k, set, &m), 0);
	LAW_EQ(m.head.msgh_seqno, 1);
	expect_none(k, set);
	LAW_EQ(k->port_move_member(a, MACH_PORT_NULL), 0);
	LAW_EQ(k->port_move_member(a, MACH_PORT_NULL), KERN_NOT_IN_SET);
	LAW_EQ(receive(k, a, &m), MACH_RCV_TIMED_OUT);
	LAW_EQ(k->port_mod_refs(set, MACH_PORT_RIGHT_PORT_SET, -1), 0);
	LAW_EQ(send_empty(k, b, MACH_MSG_TYPE_MAKE_SEND), 0);
	LAW_EQ(receive(k, b, &m), 0);
	end(k, a);
	end(k, b);
}

static void
law_a_message_that_is_too_large_is_destroyed(sys k)
{
	mach_port_t p = receiver(k), r = receiver(k);
	union message m;
	struct vnet_wire_writer w;

	w = begin(&m, p, MACH_MSG_TYPE_MAKE_SEND, r,
		  MACH_MSG_TYPE_MAKE_SEND_ONCE, 1);
	vnet_wire_put_right(&w, r, MACH_MSG_TYPE_MAKE_SEND);
	LAW_EQ(send(k, &m, &w), 0);
	LAW_EQ(k->msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, 24, p, 0, 0),
	       MACH_RCV_TOO_LARGE);
	expect_none(k, p);
	expect_notice(k, r, MACH_NOTIFY_SEND_ONCE);
	expect_alone(k, r);
	/* It was counted. */
	LAW_EQ(send_empty(k, p, MACH_MSG_TYPE_MAKE_SEND), 0);
	LAW_EQ(receive(k, p, &m), 0);
	LAW_EQ(m.head.msgh_seqno, 1);
	end(k, p);
	end(k, r);
}

static void
law_what_waits_in_a_queue_dies_with_it(sys k)
{
	mach_port_t p = receiver(k), r = receiver(k), n = receiver(k);
	vm_address_t at;
	union message m;
	struct vnet_wire_writer w;

	LAW_EQ(ask(k, r, MACH_NOTIFY_NO_SENDERS, 1, n), 0);
	LAW_EQ(k->vm_allocate(&at, PAGE), 0);
	w = begin(&m, p, MACH_MSG_TYPE_MAKE_SEND, r,
		  MACH_MSG_TYPE_MAKE_SEND_ONCE, 1);
	vnet_wire_put_right(&w, r, MACH_MSG_TYPE_MAKE_SEND);
	vnet_wire_put_memory(&w, at, PAGE, true);
	LAW_EQ(send(k, &m, &w), 0);
	end(k, p);
	expect_notice(k, n, MACH_NOTIFY_NO_SENDERS);
	expect_notice(k, r, MACH_NOTIFY_SEND_ONCE);
	expect_alone(k, r);
	end(k, r);
	end(k, n);
}

/*
 * Bodies
 */

static void
law_rights_arrive_as_what_they_are(sys k)
{
	mach_port_t p = receiver(k), r = receiver(k), moved = receiver(k), s;
	struct vnet_wire_header h;
	struct vnet_wire_reader reader;
	struct vnet_wire_writer w;
	union message m;
	uint32_t type;

	add_send(k, r);
	add_send(k, moved);
	w = begin(&m, p, MACH_MSG_TYPE_MAKE_SEND, 0, 0, 1);
	vnet_wire_put_right(&w, r, MACH_MSG_TYPE_MOVE_SEND);
	vnet_wire_put_right(&w, r, MACH_MSG_TYPE_MAKE_SEND);
	vnet_wire_put_right(&w, r, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	vnet_wire_put_right(&w, moved, MACH_MSG_TYPE_MOVE_RECEIVE);
	vnet_wire_put_right(&w, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
	vnet_wire_put_right(&w, MACH_PORT_DEAD, MACH_MSG_TYPE_MOVE_SEND);
	LAW_EQ(send(k, &m, &w), 0);
	LAW_EQ(refs(k, r, SEND), 0);
	LAW_EQ(refs(k, moved, MACH_PORT_RIGHT_RECEIVE), 0);
	LAW_EQ(receive(k, p, &m), 0);
	vnet_wire_open(&reader, &m, m.head.msgh_size, VNET_WIRE_HERE, &h);
	LAW_EQ(vnet_wire_get_right(&reader, &type), r);
	LAW_EQ(type, MACH_MSG_TYPE_PORT_SEND);
	LAW_EQ(vnet_wire_get_right(&reader, &type), r);
	LAW_EQ(type, MACH_MSG_TYPE_PORT_SEND);
	s = vnet_wire_get_right(&reader, &type);
	LAW_EQ(type, MACH_MSG_TYPE_PORT_SEND_ONCE);
	LAW_EQ(vnet_wire_get_right(&reader, &type), moved);
	LAW_EQ(type, MACH_MSG_TYPE_PORT_RECEIVE);
	LAW_EQ(vnet_wire_get_right(&reader, &type), MACH_PORT_NULL);
	LAW_EQ(vnet_wire_get_right(&reader, &type), MACH_PORT_DEAD);
	LAW_EQ(vnet_wire_close(&reader), true);
	LAW_EQ(refs(k, r, SEND), 2);
	drop(k, s);
	expect_notice(k, r, MACH_NOTIFY_SEND_ONCE);
	LAW_EQ(k->port_mod_refs(r, SEND, -2), 0);
	expect_alone(k, r);
	drop(k, moved);
	end(k, moved);
	end(k, r);
	end(k, p);
}

static void
law_memory_arrives_as_a_copy(sys k)
{
	const uint32_t never = 0;
	mach_port_t p = receiver(k);
	struct vnet_wire_header h;
	struct vnet_wire_reader reader;
	struct vnet_wire_writer w;
	vm_address_t at, got;
	uint8_t octets[60], back[60];
	union message m;
	uint32_t n;

	for (int how = 0; how < 3; how++) {
		for (unsigned i = 0; i < 60; i++)
			octets[i] = (uint8_t)(i + how);
		LAW_EQ(k->vm_allocate(&at, PAGE), 0);
		memcpy((void *)(at + 100), octets, 60);
		w = begin(&m, p, MACH_MSG_TYPE_MAKE_SEND, 0, 0, 1);
		vnet_wire_put_memory(&w, how == 2 ? 0 : at + 100,
				     how == 2 ? 0 : 60, how == 1);
		LAW_EQ(send(k, &m, &w), 0);
		LAW_EQ(receive(k, p, &m), 0);
		LAW_EQ(m.head.msgh_bits & MACH_MSGH_BITS_COMPLEX,
		       MACH_MSGH_BITS_COMPLEX);
		/* Always to be deallocated. */
		LAW_EQ(m.octets[27] & 0x70, 0x60);
		vnet_wire_open(&reader, &m, m.head.msgh_size, VNET_WIRE_HERE,
			       &h);
		got = vnet_wire_get_memory(&reader, &n);
		LAW_EQ(vnet_wire_close(&reader), true);
		LAW_EQ(n, how == 2 ? 0 : 60);
		LAW_EQ(got == 0, how == 2);
		if (how < 2) {
			LAW_EQ(k->copy(back, (void *)got, 60, &never), true);
			LAW_EQ(memcmp(octets, back, 60), 0);
			LAW_EQ(k->vm_deallocate(got, 60), 0);
		}
		if (how != 1)
			LAW_EQ(k->vm_deallocate(at, PAGE), 0);
	}
	end(k, p);
}

static void
law_rights_may_lie_out_of_line(sys k)
{
	mach_port_t p = receiver(k), r = receiver(k), *names;
	const mach_msg_type_long_t type = {
		.msgtl_header.msgt_longform = TRUE,
		.msgtl_header.msgt_deallocate = TRUE,
		.msgtl_name = MACH_MSG_TYPE_MAKE_SEND,
		.msgtl_size = 32,
		.msgtl_number = 3,
	};
	struct vnet_wire_writer w;
	vm_address_t at;
	union message m;

	LAW_EQ(k->vm_allocate(&at, PAGE), 0);
	names = (mach_port_t *)at;
	names[0] = names[2] = r;
	names[1] = MACH_PORT_DEAD;
	w = begin(&m, p, MACH_MSG_TYPE_MAKE_SEND, 0, 0, 1);
	vnet_wire_put_memory(&w, at, 12, true);
	memcpy(m.octets + 24, &type, sizeof(type));
	LAW_EQ(send(k, &m, &w), 0);
	LAW_EQ(receive(k, p, &m), 0);
	LAW_EQ(m.octets[27] & 0x70, 0x60);
	LAW_EQ(m.octets[28], MACH_MSG_TYPE_PORT_SEND);
	memcpy(&at, m.octets + 36, 4);
	names = (mach_port_t *)at;
	LAW_EQ(names[0], r);
	LAW_EQ(names[1], MACH_PORT_DEAD);
	LAW_EQ(names[2], r);
	LAW_EQ(refs(k, r, SEND), 2);
	vnet_mach_msg_destroy(k, &m.head);
	expect_alone(k, r);
	end(k, r);
	end(k, p);
}

static void
law_a_message_with_nothing_in_it_is_not_complex(sys k)
{
	mach_port_t p = receiver(k);
	struct vnet_wire_writer w;
	union message m;

	w = begin(&m, p, MACH_MSG_TYPE_MAKE_SEND, 0, 0, 1);
	vnet_wire_put_return(&w, 5);
	m.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	LAW_EQ(send(k, &m, &w), 0);
	LAW_EQ(receive(k, p, &m), 0);
	LAW_EQ(m.head.msgh_bits & MACH_MSGH_BITS_COMPLEX, 0);
	end(k, p);
}

static void
law_a_right_that_would_lie_in_its_own_queue_is_destroyed(sys k)
{
	mach_port_t p = receiver(k), q = receiver(k), n = receiver(k);
	struct vnet_wire_writer w;
	union message m;

	LAW_EQ(ask(k, n, MACH_NOTIFY_NO_SENDERS, 1, n), 0);
	add_send(k, p);
	add_send(k, q);
	/* p in the queue of q, and then q, with it, in that of p; n to see. */
	w = begin(&m, q, MACH_MSG_TYPE_COPY_SEND, 0, 0, 1);
	vnet_wire_put_right(&w, p, MACH_MSG_TYPE_MOVE_RECEIVE);
	vnet_wire_put_right(&w, n, MACH_MSG_TYPE_MAKE_SEND);
	LAW_EQ(send(k, &m, &w), 0);
	expect_none(k, n);
	w = begin(&m, p, MACH_MSG_TYPE_COPY_SEND, 0, 0, 1);
	vnet_wire_put_right(&w, q, MACH_MSG_TYPE_MOVE_RECEIVE);
	LAW_EQ(send(k, &m, &w), 0);
	expect_notice(k, n, MACH_NOTIFY_NO_SENDERS);
	LAW_EQ(refs(k, p, DEAD), 1);
	LAW_EQ(refs(k, q, DEAD), 1);
	drop(k, p);
	drop(k, q);
	end(k, n);
}

/* What is found in the body behind the first right has cost what was before. */
static void
law_a_bad_body_loses_what_was_read_of_it(sys k)
{
	mach_port_t p = receiver(k), before = receiver(k), behind = receiver(k);
	vm_address_t at;
	struct vnet_wire_writer w;
	union message m;

	add_send(k, p);
	for (int how = 0; how < 3; how++) {
		add_send(k, before);
		add_send(k, behind);
		LAW_EQ(k->vm_allocate(&at, PAGE), 0);
		w = begin(&m, p, MACH_MSG_TYPE_COPY_SEND, before,
			  MACH_MSG_TYPE_MAKE_SEND_ONCE, 1);
		vnet_wire_put_right(&w, before, MACH_MSG_TYPE_MOVE_SEND);
		vnet_wire_put_memory(&w, at, PAGE, true);
		if (how == 0)
			vnet_wire_put_right(&w, before,
					    MACH_MSG_TYPE_MOVE_SEND_ONCE);
		else
			vnet_wire_put_memory(&w, how == 1 ? 0 : 16, 100, true);
		if (how == 1) /* inline is not to be deallocated */
			m.octets[w.len - 13] |= 0x10;
		vnet_wire_put_right(&w, behind, MACH_MSG_TYPE_MOVE_SEND);
		LAW_EQ(send(k, &m, &w), how == 0   ? MACH_SEND_INVALID_RIGHT
					: how == 1 ? MACH_SEND_INVALID_TYPE
						   : MACH_SEND_INVALID_MEMORY);
		LAW_EQ(refs(k, before, SEND), 0);
		LAW_EQ(refs(k, behind, SEND), 1);
		drop(k, behind);
		expect_notice(k, before, MACH_NOTIFY_SEND_ONCE);
		expect_alone(k, before);
		LAW_EQ(refs(k, p, SEND), 1);
	}
	drop(k, p);
	expect_none(k, p);
	end(k, p);
	end(k, before);
	end(k, behind);
}

/*
 * vnet_mach_send(): whatever becomes of a message, nothing of it is left
 */

enum to {
	TO_FULL_COPY,
	TO_FULL_MOVE,
	TO_DEAD_COPY,
	TO_DEAD_MOVE,
	TO_DEAD_ONCE,
	TO_NOTHING,
	TO_NULL,
	TO_GONE,
	TO_ONCE,
	TO_NTO
};

enum reply {
	REPLY_NONE,
	REPLY_MAKE_ONCE,
	REPLY_MOVE_ONCE,
	REPLY_MAKE_SEND,
	REPLY_MOVE_DEAD,
	REPLY_NREPLY
};

enum body {
	BODY_EMPTY,
	BODY_COPY,
	BODY_MOVE,
	BODY_MAKE,
	BODY_MAKE_ONCE,
	BODY_MOVE_ONCE,
	BODY_RECEIVE,
	BODY_DEAD,
	BODY_MEMORY,
	BODY_KEPT_MEMORY,
	BODY_RIGHTS,
	BODY_NBODY
};

/* A send-once right to @p, by a message to @at. */
static mach_port_t
make_once(sys k, mach_port_t p, mach_port_t at)
{
	struct vnet_wire_writer w;
	union message m;

	w = begin(&m, at, MACH_MSG_TYPE_MAKE_SEND, 0, 0, 1);
	vnet_wire_put_right(&w, p, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	LAW_EQ(send(k, &m, &w), 0);
	LAW_EQ(receive(k, at, &m), 0);
	return m.one.word;
}

struct trial {
	sys k;
	mach_port_t p; /* a receive right: of the destination, if it lives */
	mach_port_t r; /* of rights in the body, and to reply to */
	vm_address_t memory;
	mach_port_t to;
	uint32_t to_type;
	mach_msg_return_t expected;
};

static void
choose_to(struct trial *t, enum to to)
{
	sys k = t->k;
	mach_port_t p = receiver(k);

	t->expected = MACH_SEND_INVALID_DEST;
	t->to = MACH_PORT_NULL;
	t->to_type = MACH_MSG_TYPE_COPY_SEND;
	switch (to) {
	case TO_FULL_MOVE:
	case TO_FULL_COPY:
		LAW_EQ(k->port_set_qlimit(p, 1), 0);
		LAW_EQ(send_empty(k, p, MACH_MSG_TYPE_MAKE_SEND), 0);
		add_send(k, p);
		t->to = p;
		t->expected = MACH_SEND_TIMED_OUT;
		if (to == TO_FULL_MOVE)
			t->to_type = MACH_MSG_TYPE_MOVE_SEND;
		break;
	case TO_DEAD_COPY:
	case TO_DEAD_MOVE:
		t->to = dead_name(k, 1);
		if (to == TO_DEAD_MOVE)
			t->to_type = MACH_MSG_TYPE_MOVE_SEND;
		break;
	case TO_DEAD_ONCE: {
		mach_port_t dies = receiver(k);

		t->to = make_once(k, dies, p);
		end(k, dies);
		t->to_type = MACH_MSG_TYPE_MOVE_SEND_ONCE;
		break;
	}
	case TO_NOTHING:
		t->to_type = 0;
		t->expected = MACH_SEND_INVALID_HEADER;
		break;
	case TO_GONE:
		t->to = dead_name(k, 1);
		drop(k, t->to);
		break;
	case TO_ONCE:
		t->to = make_once(k, p, p);
		t->to_type = MACH_MSG_TYPE_MOVE_SEND_ONCE;
		t->expected = MACH_MSG_SUCCESS;
		break;
	default:
		break;
	}
	t->p = p;
}

static mach_port_t
choose_reply(struct trial *t, enum reply reply, uint32_t *type)
{
	switch (reply) {
	case REPLY_MAKE_ONCE:
		*type = MACH_MSG_TYPE_MAKE_SEND_ONCE;
		return t->r;
	case REPLY_MOVE_ONCE:
		*type = MACH_MSG_TYPE_MOVE_SEND_ONCE;
		return make_once(t->k, t->r, t->r);
	case REPLY_MAKE_SEND:
		*type = MACH_MSG_TYPE_MAKE_SEND;
		return t->r;
	case REPLY_MOVE_DEAD:
		*type = MACH_MSG_TYPE_MOVE_SEND;
		return dead_name(t->k, 1);
	default:
		*type = 0;
		return MACH_PORT_NULL;
	}
}

static void
put_body(struct trial *t, enum body body, struct vnet_wire_writer *w)
{
	const mach_msg_type_long_t type = {
		.msgtl_header.msgt_longform = TRUE,
		.msgtl_header.msgt_deallocate = TRUE,
		.msgtl_name = MACH_MSG_TYPE_MOVE_SEND,
		.msgtl_size = 32,
		.msgtl_number = 2,
	};
	sys k = t->k;

	switch (body) {
	case BODY_COPY:
		add_send(k, t->r);
		vnet_wire_put_right(w, t->r, MACH_MSG_TYPE_COPY_SEND);
		break;
	case BODY_MOVE:
		add_send(k, t->r);
		vnet_wire_put_right(w, t->r, MACH_MSG_TYPE_MOVE_SEND);
		break;
	case BODY_MAKE:
		vnet_wire_put_right(w, t->r, MACH_MSG_TYPE_MAKE_SEND);
		break;
	case BODY_MAKE_ONCE:
		vnet_wire_put_right(w, t->r, MACH_MSG_TYPE_MAKE_SEND_ONCE);
		break;
	case BODY_MOVE_ONCE:
		vnet_wire_put_right(w, make_once(k, t->r, t->r),
				    MACH_MSG_TYPE_MOVE_SEND_ONCE);
		break;
	case BODY_RECEIVE:
		vnet_wire_put_right(w, receiver(k), MACH_MSG_TYPE_MOVE_RECEIVE);
		break;
	case BODY_DEAD:
		vnet_wire_put_right(w, dead_name(k, 1),
				    MACH_MSG_TYPE_MOVE_SEND);
		break;
	case BODY_MEMORY:
	case BODY_KEPT_MEMORY:
		LAW_EQ(k->vm_allocate(&t->memory, 3 * PAGE), 0);
		vnet_wire_put_memory(w, t->memory, 3 * PAGE,
				     body == BODY_MEMORY);
		break;
	case BODY_RIGHTS:
		LAW_EQ(k->vm_allocate(&t->memory, PAGE), 0);
		add_send(k, t->r);
		add_send(k, t->r);
		((mach_port_t *)t->memory)[0] = t->r;
		((mach_port_t *)t->memory)[1] = t->r;
		vnet_wire_put_memory(w, t->memory, 8, true);
		memcpy(w->msg + 24, &type, sizeof(type));
		break;
	default:
		break;
	}
}

static void
try_send(sys k, enum to to, enum reply reply, enum body body)
{
	struct trial t = {.k = k, .r = receiver(k)};
	struct vnet_wire_writer w;
	mach_port_t back;
	uint32_t type;
	union message m;

	choose_to(&t, to);
	back = choose_reply(&t, reply, &type);
	w = begin(&m, t.to, t.to_type, back, type, 77);
	put_body(&t, body, &w);
	vnet_wire_end(&w);
	LAW_EQ(vnet_mach_send(k, &m.head), t.expected);
	if (to == TO_ONCE) {
		LAW_EQ(receive(k, t.p, &m), 0);
		vnet_mach_msg_destroy(k, &m.head);
	}
	if (t.to_type == MACH_MSG_TYPE_COPY_SEND && to != TO_GONE &&
	    to != TO_NULL) {
		LAW_EQ(refs(k, t.to, to == TO_FULL_COPY ? SEND : DEAD), 1);
		drop(k, t.to);
	} else if (to == TO_DEAD_MOVE || to == TO_DEAD_ONCE) {
		LAW_EQ(is_there(k, t.to), false);
	}
	if (body == BODY_COPY) {
		LAW_EQ(refs(k, t.r, SEND), 1);
		drop(k, t.r);
	}
	if (body == BODY_KEPT_MEMORY)
		LAW_EQ(k->vm_deallocate(t.memory, 3 * PAGE), 0);
	LAW_EQ(refs(k, t.r, SEND), 0);
	/* Send-once rights that were made, or moved, tell of their end. */
	while (!receive(k, t.r, &m))
		LAW_EQ(m.head.msgh_id, MACH_NOTIFY_SEND_ONCE);
	expect_alone(k, t.r);
	end(k, t.r);
	while (!receive(k, t.p, &m))
		;
	expect_alone(k, t.p);
	end(k, t.p);
}

static void
law_nothing_is_left_of_a_message_that_was_sent_or_not(sys k)
{
	for (int to = 0; to < TO_NTO; to++)
		for (int reply = 0; reply < REPLY_NREPLY; reply++)
			for (int body = 0; body < BODY_NBODY; body++)
				try_send(k, (enum to)to, (enum reply)reply,
					 (enum body)body);
}

/* The notification that the header of sys.h promises. */
static void
law_a_reply_that_was_made_for_nothing_tells_after_a_time_out(sys k)
{
	mach_port_t r = receiver(k), p = receiver(k), dead = dead_name(k, 1);
	struct vnet_wire_writer w;
	union message m;

	LAW_EQ(k->port_set_qlimit(p, 0), 0);
	add_send(k, p);
	w = begin(&m, p, MACH_MSG_TYPE_COPY_SEND, r,
		  MACH_MSG_TYPE_MAKE_SEND_ONCE, 1);
	vnet_wire_end(&w);
	LAW_EQ(vnet_mach_send(k, &m.head), MACH_SEND_TIMED_OUT);
	expect_notice(k, r, MACH_NOTIFY_SEND_ONCE);
	w = begin(&m, dead, MACH_MSG_TYPE_COPY_SEND, r,
		  MACH_MSG_TYPE_MAKE_SEND_ONCE, 1);
	vnet_wire_end(&w);
	LAW_EQ(vnet_mach_send(k, &m.head), MACH_SEND_INVALID_DEST);
	expect_none(k, r);
	drop(k, dead);
	drop(k, p);
	end(k, p);
	end(k, r);
}

#define LAW(name)                 \
	{                         \
#name, law_##name \
	}

const struct law laws[] = {
	LAW(references_are_counted),
	LAW(references_end_at_65535),
	LAW(a_dead_name_has_the_references_of_the_right),
	LAW(a_death_is_told_and_adds_a_reference),
	LAW(the_death_of_a_dead_name_is_told_at_once),
	LAW(a_watched_name_that_goes_is_told),
	LAW(a_send_once_right_dies_as_one_reference),
	LAW(a_request_gives_back_the_one_before),
	LAW(the_last_sender_is_told_of),
	LAW(no_senders_is_told_at_once_if_it_is_late),
	LAW(a_message_is_a_sender_until_it_is_received),
	LAW(who_waits_for_no_senders_hears_of_the_end),
	LAW(a_right_may_tell_itself),
	LAW(a_queue_holds_its_limit),
	LAW(a_set_gives_what_came_first),
	LAW(a_message_that_is_too_large_is_destroyed),
	LAW(what_waits_in_a_queue_dies_with_it),
	LAW(rights_arrive_as_what_they_are),
	LAW(memory_arrives_as_a_copy),
	LAW(rights_may_lie_out_of_line),
	LAW(a_message_with_nothing_in_it_is_not_complex),
	LAW(a_right_that_would_lie_in_its_own_queue_is_destroyed),
	LAW(a_bad_body_loses_what_was_read_of_it),
	LAW(nothing_is_left_of_a_message_that_was_sent_or_not),
	LAW(a_reply_that_was_made_for_nothing_tells_after_a_time_out),
};
const size_t nlaws = sizeof(laws) / sizeof(laws[0]);
