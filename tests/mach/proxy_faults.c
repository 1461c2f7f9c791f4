/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that may fail in the proxy does, once: memory, rights, sends. Whatever
 * becomes of the programs, nothing is left behind, and the next one is served.
 */
#include "proxied.h"

/* Who is around it: a program, whose answers come to @reply, and servers that
 * answer what they are asked. All of it in one set. */
struct scene {
	mach_port_t set;
	mach_port_t reply;
	mach_port_t real, new_real, child, handle, rendezvous;
	mach_port_t wrapper, fresh, child_wrapper;
	uint32_t asked, answered;
};

static mach_port_t
member(const struct scene *s)
{
	mach_port_t right = port_new();

	CHECK_OK(mach_port_move_member(mach_task_self(), right, s->set));
	return right;
}

/* Send what may not arrive: whoever it is for may be dead by now. */
static void
try_send(struct scene *s, struct post *p)
{
	mach_msg_header_t *head = (mach_msg_header_t *)p->msg;

	if (post_within(p, 100) == MACH_MSG_SUCCESS) {
		s->asked += head->msgh_local_port == s->reply;
		return;
	}
	if (MACH_MSGH_BITS_REMOTE(head->msgh_bits) ==
	    MACH_MSG_TYPE_MOVE_SEND_ONCE)
		port_drop(head->msgh_remote_port, 1);
}

static void
complete(struct scene *s)
{
	struct post p;

	post_request(&p, s->fresh, MACH_PORT_NULL,
		     PROC_REAUTHENTICATE_COMPLETE);
	try_send(s, &p);
	post_request(&p, s->fresh, s->reply, PROC_GETPRIVPORTS);
	try_send(s, &p);
}

static void
drop_if_valid(mach_port_t right)
{
	if (MACH_PORT_VALID(right))
		port_drop(right, 1);
}

/* An answer to the program. */
static void
take_answer(struct scene *s, struct got *g)
{
	s->answered++;
	switch (g->head->msgh_id) {
	case 24209:
		break;
	case PROC_GETPRIVPORTS + 100:
		if (got_int(g) == 0) {
			CHECK_EQ(got_right(g), MACH_PORT_NULL);
			CHECK_EQ(got_right(g), proxied_master);
			port_drop(proxied_master, 1);
		}
		break;
	case PROC_TASK2PROC + 100:
		if (got_int(g) == 0)
			s->child_wrapper = got_right(g);
		break;
	default:
		CHECK_EQ(g->head->msgh_id, MACH_NOTIFY_SEND_ONCE);
	}
}

/* A request to the proc server or the auth server. */
static void
serve(struct scene *s, struct got *g)
{
	const uint32_t id = 1000;
	struct post p;

	post_answer(&p, g, 0);
	switch (g->head->msgh_id) {
	case PROC_TASK2PROC:
		drop_if_valid(got_right(g));
		post_right(&p, s->child, MACH_MSG_TYPE_COPY_SEND);
		break;
	case AUTH_SERVER_AUTHENTICATE:
		drop_if_valid(got_right(g));
		s->fresh = got_right(g);
		vnet_wire_put_octets(&p.w, VNET_WIRE_INT32, &id, 1, true);
		for (int i = 0; i < 3; i++)
			vnet_wire_put_octets(&p.w, VNET_WIRE_INT32, NULL, 0,
					     true);
		try_send(s, &p);
		complete(s);
		return;
	case AUTH_MAKEAUTH:
		post_right(&p, s->handle, MACH_MSG_TYPE_COPY_SEND);
		break;
	case AUTH_USER_AUTHENTICATE:
		drop_if_valid(got_right(g));
		post_right(&p, s->new_real, MACH_MSG_TYPE_COPY_SEND);
		break;
	case PROC_REAUTHENTICATE:
		drop_if_valid(got_right(g));
		return;
	default:
		break;
	}
	if (MACH_PORT_VALID(g->head->msgh_remote_port))
		try_send(s, &p);
}

static void
play(struct scene *s)
{
	struct post p;
	struct got g;

	post_request(&p, s->wrapper, s->reply, PROC_GETPRIVPORTS);
	try_send(s, &p);
	post_request(&p, s->wrapper, s->reply, PROC_TASK2PROC);
	post_right(&p, mach_task_self(), MACH_MSG_TYPE_COPY_SEND);
	try_send(s, &p);
	post_request(&p, s->wrapper, s->reply, 24109);
	try_send(s, &p);
	post_request(&p, s->wrapper, MACH_PORT_NULL, PROC_REAUTHENTICATE);
	post_right(&p, s->rendezvous, MACH_MSG_TYPE_MAKE_SEND);
	try_send(s, &p);
	/* Longer than the proxy waits for somebody who authenticates. */
	while (got_within(&g, s->set, PROXIED_AUTH_TIMEOUT_MS + 100) ==
	       MACH_MSG_SUCCESS) {
		if (g.head->msgh_local_port != s->reply)
			serve(s, &g);
		else
			take_answer(s, &g);
	}
	/* Nobody waits for ever, be it that the kernel tells him so. */
	CHECK_EQ(s->answered, s->asked);
}

static void
play_once(void)
{
	struct scene s = {.set = MACH_PORT_NULL};

	CHECK_OK(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET,
				    &s.set));
	CHECK_OK(mach_port_move_member(mach_task_self(), proxied_auth, s.set));
	s.reply = member(&s);
	s.real = member(&s);
	s.new_real = member(&s);
	s.child = member(&s);
	s.handle = member(&s);
	s.rendezvous = member(&s);
	s.wrapper = proxied_try_wrap(s.real, false);
	if (MACH_PORT_VALID(s.wrapper))
		play(&s);
	drop_if_valid(s.wrapper);
	drop_if_valid(s.fresh);
	drop_if_valid(s.child_wrapper);
	CHECK_OK(mach_port_move_member(mach_task_self(), proxied_auth,
				       MACH_PORT_NULL));
	port_end(s.real);
	port_end(s.new_real);
	port_end(s.child);
	port_end(s.handle);
	port_end(s.rendezvous);
	port_end(s.reply);
	CHECK_OK(mach_port_mod_refs(mach_task_self(), s.set,
				    MACH_PORT_RIGHT_PORT_SET, -1));
}

void
check_faults(void)
{
	uint32_t n, all;

	proxied_fail(PROXIED_FAIL_NEVER);
	play_once();
	proxied_check();
	all = proxied_fail(0);
	/* It was not for nothing. */
	CHECK(all > 30);
	CHECK_EQ(proxied_stats().held, 0);
	for (n = 0; n < all; n++) {
		proxied_fail(n);
		play_once();
		proxied_check();
	}
	proxied_fail(PROXIED_FAIL_NEVER);
}
