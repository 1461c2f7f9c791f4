/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process rights that a program asks for are wrapped.
 */
#include "proxied.h"

static mach_port_t real, wrapper, reply;

/* A program asks; the server has the request, in *@g. */
static void
ask(mach_port_t at, mach_port_t server, mach_msg_id_t id, struct got *g)
{
	struct post p;

	post_request(&p, at, reply, id);
	if (id == PROC_TASK2PROC)
		post_right(&p, mach_task_self(), MACH_MSG_TYPE_COPY_SEND);
	else
		post_int(&p, 1234);
	post_send(&p);
	got_at(g, server, id);
	CHECK_EQ(g->head->msgh_size, 32);
	if (id == PROC_TASK2PROC) {
		CHECK_EQ(got_right(g), mach_task_self());
		port_drop(mach_task_self(), 1);
	} else {
		CHECK_EQ(got_int(g), 1234);
	}
	got_all(g);
}

/* The server gives @right, and the program gets one. */
static mach_port_t
give(const struct got *request, mach_port_t right, mach_msg_type_name_t type)
{
	mach_port_t given;
	struct post p;
	struct got g;

	post_answer(&p, request, 0);
	post_right(&p, right, type);
	post_send(&p);
	got_at(&g, reply, request->head->msgh_id + 100);
	CHECK_EQ(g.head->msgh_size, 40);
	CHECK_EQ(got_int(&g), 0);
	given = got_right(&g);
	got_all(&g);
	return given;
}

static mach_port_t
look_up(mach_port_t at, mach_port_t server, mach_msg_id_t id, mach_port_t right,
	mach_msg_type_name_t type)
{
	struct got g;

	ask(at, server, id, &g);
	return give(&g, right, type);
}

static void
check_rights_are_wrapped(mach_msg_id_t id)
{
	mach_port_t child = port_new(), grandchild = port_new(), w, ww;

	w = look_up(wrapper, real, id, child, MACH_MSG_TYPE_MAKE_SEND);
	CHECK(w != child && w != wrapper);
	/* Again, and by another call. */
	CHECK_EQ(look_up(wrapper, real, id, child, MACH_MSG_TYPE_COPY_SEND), w);
	CHECK_EQ(look_up(wrapper, real, PROC_PID2PROC, child,
			 MACH_MSG_TYPE_COPY_SEND),
		 w);
	port_drop(w, 2);
	/* Its own, and of nobody. */
	CHECK_EQ(look_up(wrapper, real, id, real, MACH_MSG_TYPE_COPY_SEND),
		 wrapper);
	port_drop(wrapper, 1);
	CHECK_EQ(look_up(wrapper, real, id, MACH_PORT_NULL,
			 MACH_MSG_TYPE_COPY_SEND),
		 MACH_PORT_NULL);
	/* A right of the proxy itself stays what it is. */
	CHECK_EQ(look_up(wrapper, real, id, w, MACH_MSG_TYPE_COPY_SEND), w);
	port_drop(w, 1);

	/* A child is behind the proxy, and so is its child; with the ids. */
	proxied_check_privports(w, true);
	ww = look_up(w, child, id, grandchild, MACH_MSG_TYPE_MAKE_SEND);
	CHECK(ww != grandchild && ww != w);
	proxied_check_privports(ww, true);

	port_drop(w, 1);
	port_drop(ww, 1);
	port_wait_deserted(child, 1);
	port_wait_deserted(grandchild, 1);
	port_end(child);
	port_end(grandchild);
}

/* What the server says otherwise reaches the program. */
static void
check_refusals(void)
{
	struct post p;
	struct got request, g;

	ask(wrapper, real, PROC_TASK2PROC, &request);
	post_answer(&p, &request, 0x40000003); /* ESRCH */
	post_send(&p);
	got_at(&g, reply, PROC_TASK2PROC + 100);
	CHECK_EQ(got_int(&g), 0x40000003);
	CHECK_EQ(g.head->msgh_size, 32);

	/* It throws the request away. */
	ask(wrapper, real, PROC_PID2PROC, &request);
	port_drop(request.head->msgh_remote_port, 1);
	got_at(&g, reply, PROC_PID2PROC + 100);
	CHECK_EQ((kern_return_t)got_int(&g), MIG_SERVER_DIED);

	/* Its answer is none, with a right in it that is not for us to keep. */
	ask(wrapper, real, PROC_TASK2PROC, &request);
	post_answer(&p, &request, 0);
	post_int(&p, 5);
	post_right(&p, reply, MACH_MSG_TYPE_MAKE_SEND);
	post_send(&p);
	got_at(&g, reply, PROC_TASK2PROC + 100);
	CHECK_EQ((kern_return_t)got_int(&g), MIG_TYPE_ERROR);
	CHECK_EQ(port_sends(reply), 1);
}

/* As many as may be, answered in another order; the next one waits. Meanwhile the
 * last sender goes, and there is one again before the proxy hears of it. */
static void
check_many(void)
{
	struct got request[8];
	mach_port_t right[8], w;
	struct post p;

	for (int i = 0; i < 8; i++) {
		ask(wrapper, real, PROC_PID2PROC, &request[i]);
		right[i] = port_new();
	}
	port_drop(wrapper, 1);
	bare_sleep_ms(20);
	wrapper = proxied_wrap(real, true);
	post_request(&p, wrapper, reply, 24102);
	post_send(&p);
	got_nothing(real, 50);
	CHECK_EQ(proxied_stats().held, 1);
	for (int i = 7; i >= 0; i--) {
		w = give(&request[i], right[i], MACH_MSG_TYPE_COPY_SEND);
		CHECK(w != right[i]);
		port_drop(w, 1);
		port_wait_deserted(right[i], 1);
		port_end(right[i]);
	}
	got_at(&request[0], real, 24102);
	port_drop(request[0].head->msgh_remote_port, 1);
	got_at(&request[0], reply, MACH_NOTIFY_SEND_ONCE);
}

/* The program goes, then the server, before there is an answer. */
static void
check_ends_meanwhile(void)
{
	mach_port_t one = port_new(), w = proxied_wrap(one, false);
	struct got request, g;
	struct post p;

	ask(w, one, PROC_TASK2PROC, &request);
	port_drop(w, 1);
	got_at(&g, reply, MACH_NOTIFY_SEND_ONCE);
	port_wait_deserted(one, 1);
	post_answer(&p, &request, 0);
	post_right(&p, reply, MACH_MSG_TYPE_MAKE_SEND);
	CHECK_EQ(post_within(&p, 0), MACH_SEND_INVALID_DEST);
	port_drop(request.head->msgh_remote_port, 1); /* a dead name */
	port_end(one);

	one = port_new();
	w = proxied_wrap(one, false);
	ask(w, one, PROC_TASK2PROC, &request);
	port_end(one);
	/* The wrapper has died, and with it what it was to answer. */
	got_at(&g, reply, MACH_NOTIFY_SEND_ONCE);
	port_drop(w, 1);
	port_drop(request.head->msgh_remote_port, 1);
}

void
check_lookups(void)
{
	real = port_new();
	reply = port_new();
	wrapper = proxied_wrap(real, true);
	check_rights_are_wrapped(PROC_TASK2PROC);
	check_rights_are_wrapped(PROC_PID2PROC);
	check_refusals();
	check_many();
	check_ends_meanwhile();
	port_drop(wrapper, 1);
	port_wait_deserted(real, 1);
	port_end(real);
	port_end(reply);
}
