/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes through the proxy as it is, and what does not.
 */
#include "proxied.h"

#include <string.h>

static mach_port_t real, wrapper, reply;

static void
open_wrapper(bool is_root)
{
	real = port_new();
	reply = port_new();
	wrapper = proxied_wrap(real, is_root);
	CHECK(wrapper != real);
}

static void
close_wrapper(void)
{
	port_drop(wrapper, 1);
	/* With its last sender the wrapper ends, and lets go of the real one. */
	port_wait_deserted(real, 1);
	port_end(real);
	port_end(reply);
}

/* The proc server never hears of it. */
static void
check_privports_are_ours(void)
{
	open_wrapper(false);
	proxied_check_privports(wrapper, false);
	got_nothing(real, 20);
	close_wrapper();

	open_wrapper(true);
	proxied_check_privports(wrapper, true);
	got_nothing(real, 20);
	close_wrapper();
}

/* Without a right to reply to, and of the wrong size. */
static void
check_bad_privports(void)
{
	struct post p;
	struct got g;

	open_wrapper(true);
	post_request(&p, wrapper, MACH_PORT_NULL, PROC_GETPRIVPORTS);
	post_send(&p);
	post_request(&p, wrapper, reply, PROC_GETPRIVPORTS);
	post_int(&p, 0);
	post_send(&p);
	got_at(&g, reply, PROC_GETPRIVPORTS + 100);
	CHECK_EQ((kern_return_t)got_int(&g), MIG_BAD_ARGUMENTS);
	got_nothing(real, 20);
	close_wrapper();
}

static vm_address_t
memory_new(void)
{
	vm_address_t memory = 0;

	CHECK_OK(vm_allocate(mach_task_self(), &memory, 3 * 4096, TRUE));
	memset((void *)memory, 'm', 3 * 4096);
	return memory;
}

static void
check_memory(struct got *g)
{
	vm_address_t at;
	uint32_t n;

	at = vnet_wire_get_memory(&g->r, &n);
	CHECK_EQ(n, 3 * 4096);
	for (uint32_t i = 0; i < n; i++)
		CHECK_EQ(((const char *)at)[i], 'm');
	CHECK_OK(vm_deallocate(mach_task_self(), at, n));
}

/* Any id, whatever is in it, and the answer comes from the server alone. */
static void
check_anything_is_passed_on(mach_msg_id_t id)
{
	mach_port_t send = port_new(), receive = port_new(), once = port_new();
	mach_port_t got_once;
	struct post p;
	struct got g;
	uint32_t n;

	post_request(&p, wrapper, reply, id);
	post_int(&p, 17);
	vnet_wire_put_octets(&p.w, VNET_WIRE_CHAR, "text", 5, true);
	post_right(&p, send, MACH_MSG_TYPE_COPY_SEND);
	post_right(&p, receive, MACH_MSG_TYPE_MOVE_RECEIVE);
	post_right(&p, once, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	post_right(&p, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
	vnet_wire_put_memory(&p.w, memory_new(), 3 * 4096, true);
	post_send(&p);

	got_at(&g, real, id);
	CHECK_EQ(MACH_MSGH_BITS_REMOTE(g.head->msgh_bits),
		 MACH_MSG_TYPE_PORT_SEND_ONCE);
	CHECK_EQ(MACH_MSGH_BITS_LOCAL(g.head->msgh_bits),
		 MACH_MSG_TYPE_PORT_SEND);
	CHECK_EQ(got_int(&g), 17);
	CHECK(!memcmp(vnet_wire_get_octets(&g.r, VNET_WIRE_CHAR, &n), "text",
		      5));
	CHECK_EQ(n, 5);
	CHECK_EQ(got_right(&g), send);
	/* It was away; the send right of that name was here meanwhile. */
	CHECK_EQ(got_right(&g), receive);
	got_once = got_right(&g);
	CHECK_EQ(got_right(&g), MACH_PORT_NULL);
	check_memory(&g);
	got_all(&g);
	post_answer(&p, &g, 4711);
	post_send(&p);
	got_at(&g, reply, id + 100);
	CHECK_EQ(got_int(&g), 4711);

	port_drop(got_once, 1);
	got_at(&g, once, MACH_NOTIFY_SEND_ONCE);
	CHECK_EQ(port_sends(send), 2);
	port_end(send);
	port_end(receive);
	port_end(once);
}

/* To answer to, a right may be of either kind, or none. */
static void
check_rights_to_reply_to(void)
{
	struct post p;
	struct got g;

	post_begin(&p, wrapper, MACH_MSG_TYPE_COPY_SEND, reply,
		   MACH_MSG_TYPE_MAKE_SEND, 24019);
	post_send(&p);
	got_at(&g, real, 24019);
	CHECK_EQ(g.head->msgh_remote_port, reply);
	CHECK_EQ(MACH_MSGH_BITS_REMOTE(g.head->msgh_bits),
		 MACH_MSG_TYPE_PORT_SEND);
	port_drop(reply, 1);

	post_request(&p, wrapper, MACH_PORT_NULL, 24020);
	post_send(&p);
	got_at(&g, real, 24020);
	CHECK_EQ(g.head->msgh_remote_port, MACH_PORT_NULL);
	CHECK_EQ(g.head->msgh_size, sizeof(*g.head));
}

/* Rights that only the kernel makes are not ours to tell from others: a program
 * may send what looks like a notification, and its server hears of it. */
static void
check_notifications_are_not_forged(void)
{
	struct post p;
	struct got g;

	for (mach_msg_id_t id = MACH_NOTIFY_FIRST; id < MACH_NOTIFY_LAST;
	     id++) {
		post_request(&p, wrapper, MACH_PORT_NULL, id);
		post_int(&p, real);
		post_send(&p);
		got_at(&g, real, id);
	}
}

/* Longer than the buffer that the loop begins with, and than the next one. */
static void
check_long_messages(void)
{
	static uint8_t text[40000];
	static uint64_t msg[6000];
	mach_msg_header_t *head = (mach_msg_header_t *)msg;
	struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
		.remote = wrapper,
		.id = 24500,
	};
	struct vnet_wire_writer w;
	uint32_t n;

	for (n = 8100; n <= sizeof(text); n *= 2) {
		vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_HERE, &h);
		vnet_wire_put_octets(&w, VNET_WIRE_BYTE, text, n, true);
		CHECK(vnet_wire_end(&w) > n);
		CHECK_OK(mach_msg(head, MACH_SEND_MSG, head->msgh_size, 0,
				  MACH_PORT_NULL, MACH_MSG_TIMEOUT_NONE,
				  MACH_PORT_NULL));
		CHECK_OK(mach_msg(head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				  sizeof(msg), real, 1000, MACH_PORT_NULL));
		CHECK_EQ(head->msgh_id, 24500);
		CHECK(head->msgh_size > n);
	}
}

void
check_forwarding(void)
{
	check_privports_are_ours();
	check_bad_privports();

	open_wrapper(true);
	check_anything_is_passed_on(24013);
	check_anything_is_passed_on(24999);
	check_anything_is_passed_on(33000); /* interrupt_operation */
	check_anything_is_passed_on(1);
	check_rights_to_reply_to();
	check_notifications_are_not_forged();
	/* The same real right has the same wrapper. */
	CHECK_EQ(proxied_wrap(real, false), wrapper);
	port_drop(wrapper, 1);
	proxied_check_privports(wrapper, true);
	close_wrapper();

	open_wrapper(false);
	proxied_serve();
	check_long_messages();
	check_anything_is_passed_on(24013);
	close_wrapper();
}
