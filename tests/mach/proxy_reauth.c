/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that authenticate anew. The test plays the program, the auth server and
 * the proc server.
 */
#include "proxied.h"

#include <string.h>

static mach_port_t real, wrapper, reply;

/* A program begins: it hands over a rendezvous. */
static void
send_rendezvous(mach_port_t at, mach_port_t rendezvous, mach_port_t task)
{
	struct post p;

	post_request(&p, at, MACH_PORT_NULL,
		     task ? PROC_REAUTHENTICATE_REASSIGN : PROC_REAUTHENTICATE);
	post_right(&p, rendezvous, MACH_MSG_TYPE_MAKE_SEND);
	if (task)
		post_right(&p, task, MACH_MSG_TYPE_COPY_SEND);
	post_send(&p);
}

/* The auth server is asked who it is, and has a new right for it. */
static mach_port_t
meet_at_auth(struct got *request, mach_port_t rendezvous)
{
	mach_port_t fresh;

	got_at(request, proxied_auth, AUTH_SERVER_AUTHENTICATE);
	CHECK_EQ(request->head->msgh_size, 40);
	CHECK_EQ(got_right(request), rendezvous);
	fresh = got_right(request);
	got_all(request);
	port_drop(rendezvous, 1);
	return fresh;
}

static void
put_ids(struct post *p, const uint32_t *ids, uint32_t n)
{
	vnet_wire_put_octets(&p->w, VNET_WIRE_INT32, ids, n, true);
}

/* And says who. */
static void
identify(const struct got *request, uint32_t id)
{
	const uint32_t gids[3] = {id + 1, id + 2, id + 3};
	struct post p;

	post_answer(&p, request, 0);
	put_ids(&p, &id, 1);
	put_ids(&p, NULL, 0);
	put_ids(&p, gids, 3);
	put_ids(&p, gids, 1);
	post_send(&p);
}

static mach_port_t
begin(mach_port_t rendezvous, uint32_t id, mach_port_t task)
{
	struct got request;
	mach_port_t fresh;

	send_rendezvous(wrapper, rendezvous, task);
	fresh = meet_at_auth(&request, rendezvous);
	identify(&request, id);
	CHECK(fresh != wrapper && fresh != real);
	return fresh;
}

static void
complete(mach_port_t fresh)
{
	struct post p;

	post_request(&p, fresh, MACH_PORT_NULL, PROC_REAUTHENTICATE_COMPLETE);
	post_send(&p);
}

static void
check_ids(struct got *g, const uint32_t *ids, uint32_t n)
{
	uint32_t octets;
	const uint8_t *p;

	/* As MIG wants them: in the long form, however few. */
	CHECK(((const mach_msg_type_t *)(g->r.msg + g->r.pos))->msgt_longform);
	p = vnet_wire_get_octets(&g->r, VNET_WIRE_INT32, &octets);
	CHECK(!g->r.is_wrong);
	CHECK_EQ(octets, 4 * n);
	CHECK(n == 0 || memcmp(p, ids, octets) == 0);
}

/* The auth server is asked for a handle of these ids. */
static void
get_makeauth(struct got *request, uint32_t id)
{
	const uint32_t gids[3] = {id + 1, id + 2, id + 3};
	uint32_t octets;

	got_at(request, proxied_auth, AUTH_MAKEAUTH);
	CHECK(((const mach_msg_type_t *)(request->r.msg + request->r.pos))
		      ->msgt_longform);
	vnet_wire_get_octets(&request->r, VNET_WIRE_MOVE_SEND, &octets);
	CHECK_EQ(octets, 0);
	check_ids(request, &id, 1);
	check_ids(request, NULL, 0);
	check_ids(request, gids, 3);
	check_ids(request, gids, 1);
	got_all(request);
}

/* It gives one, with which the proxy goes to the real server. Return: the request
 * to be answered with a new real right. */
static void
meet_at_proc(struct got *enter, mach_port_t handle, uint32_t id,
	     mach_port_t task)
{
	mach_port_t rendezvous;
	struct got g;
	struct post p;

	get_makeauth(&g, id);
	post_answer(&p, &g, 0);
	post_right(&p, handle, MACH_MSG_TYPE_MAKE_SEND);
	post_send(&p);

	got_at(&g, real,
	       task ? PROC_REAUTHENTICATE_REASSIGN : PROC_REAUTHENTICATE);
	CHECK_EQ(g.head->msgh_remote_port, MACH_PORT_NULL);
	CHECK_EQ(g.head->msgh_size, task ? 40 : 32);
	rendezvous = got_right(&g);
	if (task) {
		CHECK_EQ(got_right(&g), task);
		port_drop(task, 1);
	}
	got_all(&g);
	got_at(enter, handle, AUTH_USER_AUTHENTICATE);
	CHECK_EQ(enter->head->msgh_size, 32);
	CHECK_EQ(got_right(enter), rendezvous);
	got_all(enter);
	port_drop(rendezvous, 2);
}

/* The whole of it, with a server that gives new rights. */
static void
check_all_of_it(uint32_t id, mach_port_t task)
{
	mach_port_t rendezvous = port_new(), handle = port_new();
	mach_port_t old = real, old_wrapper = wrapper, fresh;
	struct got enter, g;
	struct post p;

	fresh = begin(rendezvous, id, task);
	/* Nothing of it holds yet. */
	proxied_check_privports(wrapper, true);
	complete(fresh);
	post_request(&p, fresh, reply, 24103);
	post_send(&p);
	meet_at_proc(&enter, handle, id, task);
	got_nothing(real, 20);
	real = port_new();
	post_answer(&p, &enter, 0);
	post_right(&p, real, MACH_MSG_TYPE_MAKE_SEND);
	post_send(&p);
	/* The first that the new right sees. */
	got_at(&g, real, PROC_REAUTHENTICATE_COMPLETE);
	CHECK_EQ(g.head->msgh_size, 24);
	CHECK_EQ(g.head->msgh_remote_port, MACH_PORT_NULL);
	got_at(&g, real, 24103);
	port_drop(g.head->msgh_remote_port, 1);
	got_at(&g, reply, MACH_NOTIFY_SEND_ONCE);

	port_wait_deserted(old, 1);
	port_end(old);
	port_drop(old_wrapper, 1); /* a dead name */
	wrapper = fresh;
	proxied_check_privports(wrapper, id == 0);
	port_wait_deserted(handle, 1);
	port_end(handle);
	port_end(rendezvous);
}

/* It may not have a handle of these ids: the wrapper alone knows of them. */
static void
check_without_power(uint32_t id)
{
	mach_port_t rendezvous = port_new(), fresh;
	struct got g;
	struct post p;

	fresh = begin(rendezvous, id, MACH_PORT_NULL);
	complete(fresh);
	get_makeauth(&g, id);
	post_answer(&p, &g, 0x40000001); /* EPERM */
	post_send(&p);
	proxied_check_privports(fresh, id == 0);
	port_drop(wrapper, 1);
	wrapper = fresh;
	post_request(&p, wrapper, MACH_PORT_NULL, 24104);
	post_send(&p);
	got_at(&g, real, 24104);
	port_end(rendezvous);
}

/* A server of before 2022: the right stays, there is nothing to complete. */
static void
check_old_server(uint32_t id)
{
	mach_port_t rendezvous = port_new(), handle = port_new(), fresh;
	struct got enter;
	struct post p;

	fresh = begin(rendezvous, id, MACH_PORT_NULL);
	complete(fresh);
	meet_at_proc(&enter, handle, id, MACH_PORT_NULL);
	post_answer(&p, &enter, 0);
	post_right(&p, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
	post_send(&p);
	proxied_check_privports(fresh, id == 0);
	got_nothing(real, 20);
	port_drop(wrapper, 1);
	wrapper = fresh;
	port_end(handle);
	port_end(rendezvous);
}

/* It has not taken effect: the wrapper is the one that it was, and the fresh right
 * is dead. */
static void
check_nothing_came_of_it(mach_port_t fresh, mach_port_t rendezvous)
{
	mach_port_type_t type = 0;
	struct post p;
	struct got g;

	for (int i = 0; !(type & MACH_PORT_TYPE_DEAD_NAME); i++) {
		CHECK(i < 100);
		CHECK_OK(mach_port_type(mach_task_self(), fresh, &type));
		bare_sleep_ms(10);
	}
	port_drop(fresh, 1);
	port_end(rendezvous);
	proxied_check_privports(wrapper, true);
	post_request(&p, wrapper, MACH_PORT_NULL, 24105);
	post_send(&p);
	got_at(&g, real, 24105);
}

/* Whoever authenticated meant somebody else. */
static void
check_not_meant(void)
{
	mach_port_t rendezvous = port_new(), fresh;
	struct post p;

	fresh = begin(rendezvous, 1000, MACH_PORT_NULL);
	post_request(&p, fresh, MACH_PORT_NULL, 24106);
	post_send(&p);
	check_nothing_came_of_it(fresh, rendezvous);

	/* Nor does it count that its right is thrown away. */
	rendezvous = port_new();
	fresh = begin(rendezvous, 1000, MACH_PORT_NULL);
	CHECK_OK(mach_port_mod_refs(mach_task_self(), fresh,
				    MACH_PORT_RIGHT_SEND, 1));
	port_drop(fresh, 2);
	port_end(rendezvous);
	bare_sleep_ms(20);
	proxied_check_privports(wrapper, true);

	/* Or that it says so to the wrapper that it has. */
	rendezvous = port_new();
	fresh = begin(rendezvous, 1000, MACH_PORT_NULL);
	complete(wrapper);
	check_nothing_came_of_it(fresh, rendezvous);
}

/* It takes too long, in each of its parts. */
static void
check_too_late(void)
{
	mach_port_t rendezvous = port_new(), handle, fresh;
	struct got g;
	struct post p;

	/* The program never goes to the auth server. */
	send_rendezvous(wrapper, rendezvous, MACH_PORT_NULL);
	fresh = meet_at_auth(&g, rendezvous);
	check_nothing_came_of_it(fresh, rendezvous);
	post_answer(&p, &g, 0);
	CHECK_EQ(post_within(&p, 0), MACH_SEND_INVALID_DEST);
	port_drop(g.head->msgh_remote_port, 1);

	/* It never says that it means it. */
	rendezvous = port_new();
	fresh = begin(rendezvous, 1000, MACH_PORT_NULL);
	check_nothing_came_of_it(fresh, rendezvous);

	/* The real server does not take part: it goes without. */
	rendezvous = port_new();
	handle = port_new();
	fresh = begin(rendezvous, 0, MACH_PORT_NULL);
	complete(fresh);
	meet_at_proc(&g, handle, 0, MACH_PORT_NULL);
	bare_sleep_ms(PROXIED_AUTH_TIMEOUT_MS + 50);
	proxied_check_privports(fresh, true);
	port_drop(wrapper, 1);
	wrapper = fresh;
	post_answer(&p, &g, 0);
	post_right(&p, handle, MACH_MSG_TYPE_MAKE_SEND);
	CHECK_EQ(post_within(&p, 0), MACH_SEND_INVALID_DEST);
	port_drop(g.head->msgh_remote_port, 1);
	port_wait_deserted(handle, 1);
	port_end(handle);
	port_end(rendezvous);
}

/* One at a time; what is malformed is none. */
static void
check_refused(void)
{
	mach_port_t rendezvous = port_new(), second = port_new(), fresh;
	struct post p;
	struct got g;

	send_rendezvous(wrapper, rendezvous, MACH_PORT_NULL);
	fresh = meet_at_auth(&g, rendezvous);
	send_rendezvous(wrapper, second, MACH_PORT_NULL);
	port_wait_deserted(second, 1);
	got_nothing(proxied_auth, 20);
	check_nothing_came_of_it(fresh, rendezvous);
	port_drop(g.head->msgh_remote_port, 1);

	/* The name of a right that the proxy has, in a message that has none. */
	post_request(&p, wrapper, MACH_PORT_NULL, PROC_REAUTHENTICATE);
	post_right(&p, proxied_master, MACH_MSG_TYPE_MOVE_SEND);
	p.w.is_complex = false;
	post_send(&p);
	post_request(&p, wrapper, reply, PROC_REAUTHENTICATE);
	post_int(&p, 5);
	post_right(&p, second, MACH_MSG_TYPE_MAKE_SEND);
	post_send(&p);
	got_at(&g, reply, PROC_REAUTHENTICATE + 100);
	post_request(&p, wrapper, MACH_PORT_NULL, PROC_REAUTHENTICATE);
	post_right(&p, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
	post_send(&p);
	got_nothing(proxied_auth, 20);
	got_nothing(real, 20);
	port_wait_deserted(second, 0);
	port_end(second);
}

/* With another task it is all or nothing. */
static void
check_reassign(void)
{
	mach_port_t rendezvous = port_new(), fresh;
	struct post p;
	struct got g;

	fresh = begin(rendezvous, 0, mach_task_self());
	complete(fresh);
	get_makeauth(&g, 0);
	post_answer(&p, &g, 0x40000001);
	post_send(&p);
	check_nothing_came_of_it(fresh, rendezvous);
	check_all_of_it(0, mach_task_self());
}

/* The auth server does not read for a while. */
static void
check_busy_auth(void)
{
	mach_port_t rendezvous = port_new(), fresh;
	struct post p;
	struct got g;

	for (int i = 0; i < 5; i++) {
		post_request(&p, proxied_auth, MACH_PORT_NULL, 1);
		post_send(&p);
	}
	send_rendezvous(wrapper, rendezvous, MACH_PORT_NULL);
	/* Nobody else waits. */
	proxied_check_privports(wrapper, true);
	bare_sleep_ms(50);
	for (int i = 0; i < 5; i++)
		got_at(&g, proxied_auth, 1);
	fresh = meet_at_auth(&g, rendezvous);
	identify(&g, 0);
	complete(fresh);
	get_makeauth(&g, 0);
	post_answer(&p, &g, 5);
	post_send(&p);
	proxied_check_privports(fresh, true);
	port_drop(wrapper, 1);
	wrapper = fresh;
	port_end(rendezvous);
}

void
check_reauthentication(void)
{
	real = port_new();
	reply = port_new();
	wrapper = proxied_wrap(real, true);
	check_not_meant();
	check_too_late();
	check_refused();
	check_busy_auth();
	check_reassign();
	check_all_of_it(0, MACH_PORT_NULL);
	check_old_server(0);
	check_without_power(0);
	/* It drops what it was. */
	check_all_of_it(1000, MACH_PORT_NULL);
	port_drop(wrapper, 1);
	port_wait_deserted(real, 1);
	port_end(real);

	real = port_new();
	wrapper = proxied_wrap(real, true);
	check_without_power(1000);
	port_drop(wrapper, 1);
	port_wait_deserted(real, 1);
	port_end(real);
	port_end(reply);
}
