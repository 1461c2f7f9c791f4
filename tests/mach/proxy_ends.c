/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that die, at every point, and servers that do.
 */
#include "proxied.h"

enum step {
	STEP_NOTHING,
	STEP_MESSAGE,
	STEP_LOOKUP,
	STEP_RENDEZVOUS,
	STEP_COMPLETE,
	STEP_FLOOD,
	NSTEPS,
};

static mach_port_t real, wrapper, reply;

/* The program, a task that is to die. */
static void
program(void *arg)
{
	mach_port_t own = mach_reply_port(), fresh;
	enum step step = *(enum step *)arg;
	struct post p;
	struct got g;

	switch (step) {
	case STEP_MESSAGE:
		post_request(&p, wrapper, own, 24107);
		post_right(&p, own, MACH_MSG_TYPE_MAKE_SEND);
		post_send(&p);
		break;
	case STEP_LOOKUP:
		post_request(&p, wrapper, own, PROC_TASK2PROC);
		post_right(&p, mach_task_self(), MACH_MSG_TYPE_COPY_SEND);
		post_send(&p);
		break;
	case STEP_RENDEZVOUS:
	case STEP_COMPLETE:
		post_request(&p, wrapper, MACH_PORT_NULL, PROC_REAUTHENTICATE);
		post_right(&p, own, MACH_MSG_TYPE_MAKE_SEND);
		post_send(&p);
		if (step == STEP_RENDEZVOUS)
			break;
		got_at(&g, own, 1); /* the fresh right, from the test */
		fresh = got_right(&g);
		post_request(&p, fresh, MACH_PORT_NULL,
			     PROC_REAUTHENTICATE_COMPLETE);
		post_send(&p);
		break;
	case STEP_FLOOD:
		for (int i = 0; i < 11; i++) {
			post_request(&p, wrapper, own, 24108);
			post_right(&p, own, MACH_MSG_TYPE_MAKE_SEND);
			post_send(&p);
		}
		break;
	default:
		break;
	}
	/* Told that it may die. */
	post_request(&p, reply, MACH_PORT_NULL, 2);
	post_send(&p);
	for (;;)
		bare_sleep_ms(1000);
}

/* What the auth server has to do with it; returns what is left there. */
static void
play_auth(enum step step)
{
	mach_port_t rendezvous, fresh;
	struct got g;
	struct post p;

	if (step != STEP_RENDEZVOUS && step != STEP_COMPLETE)
		return;
	got_at(&g, proxied_auth, AUTH_SERVER_AUTHENTICATE);
	rendezvous = got_right(&g);
	fresh = got_right(&g);
	if (step == STEP_RENDEZVOUS) {
		port_drop(rendezvous, 1);
		port_drop(fresh, 1);
		port_drop(g.head->msgh_remote_port, 1);
		return;
	}
	post_answer(&p, &g, 0);
	for (int i = 0; i < 4; i++)
		vnet_wire_put_octets(&p.w, VNET_WIRE_INT32, NULL, 0, true);
	post_send(&p);
	post_request(&p, rendezvous, MACH_PORT_NULL, 1);
	post_right(&p, fresh, MACH_MSG_TYPE_MOVE_SEND);
	post_send(&p);
	port_drop(rendezvous, 1);
	got_at(&g, proxied_auth, AUTH_MAKEAUTH);
	port_drop(g.head->msgh_remote_port, 1);
}

/* Take what has come to the server, and throw it away. */
static void
drain(mach_port_t at)
{
	struct got g;
	struct post p;

	while (got_within(&g, at, 50) == MACH_MSG_SUCCESS) {
		if (g.head->msgh_bits & MACH_MSGH_BITS_COMPLEX) {
			mach_port_t right = got_right(&g);

			/* It may have died on its way. */
			if (MACH_PORT_VALID(right))
				port_drop(right, 1);
		}
		if (!MACH_PORT_VALID(g.head->msgh_remote_port))
			continue;
		/* Whoever asked may be dead. */
		post_answer(&p, &g, 0);
		if (post_within(&p, 0) != MACH_MSG_SUCCESS)
			port_drop(g.head->msgh_remote_port, 1);
	}
}

static void
check_program_dies(enum step step, bool is_server_first)
{
	mach_port_t task;
	struct got g;

	real = port_new();
	reply = port_new();
	wrapper = proxied_wrap(real, false);
	CHECK_OK(bare_task_fork(&task, program, &step));
	CHECK_OK(bare_task_give(task, wrapper));
	CHECK_OK(bare_task_give(task, reply));
	CHECK_OK(bare_task_start(task));
	port_drop(wrapper, 1);
	play_auth(step);
	got_at(&g, reply, 2);
	if (is_server_first) {
		port_end(real);
		bare_sleep_ms(30);
	}
	CHECK_OK(task_terminate(task));
	bare_task_join(task);
	if (!is_server_first) {
		drain(real);
		port_wait_deserted(real, 1);
		port_end(real);
	}
	drain(proxied_auth);
	port_end(reply);
	proxied_check();
}

void
check_endings(void)
{
	for (enum step step = STEP_NOTHING; step < NSTEPS; step++) {
		check_program_dies(step, false);
		check_program_dies(step, true);
	}
}
