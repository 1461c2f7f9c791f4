/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A proc server that stops reading: who waits is the program, in order, and no
 * other.
 */
#include "proxied.h"

#define ROUNDS 3

static mach_port_t slow, slow_wrapper, other, other_wrapper, reply;

/* Send as much as goes. Return: how many there are then. */
static uint32_t
fill(uint32_t first)
{
	struct post p;
	uint32_t n = first;

	/* The queues hold five each; one more was forced in. The proxy takes
	 * its time to move them. */
	for (int tries = 0; tries < 5;) {
		post_request(&p, slow_wrapper, MACH_PORT_NULL, 24100);
		post_int(&p, n);
		post_right(&p, reply, MACH_MSG_TYPE_MAKE_SEND);
		if (post_within(&p, 0) == MACH_MSG_SUCCESS) {
			n++;
			tries = 0;
			continue;
		}
		/* It was given back with a reference to where it went, and the
		 * right that was made for it. */
		port_drop(slow_wrapper, 1);
		port_drop(reply, 1);
		bare_sleep_ms(20);
		tries++;
	}
	return n;
}

static void
check_other_is_served(uint32_t n)
{
	struct post p;
	struct got g;

	post_request(&p, other_wrapper, reply, 24101);
	post_int(&p, n);
	post_send(&p);
	got_at(&g, other, 24101);
	CHECK_EQ(got_int(&g), n);
	post_answer(&p, &g, 0);
	post_send(&p);
	got_at(&g, reply, 24201);
	proxied_check_privports(other_wrapper, false);
}

static void
take(uint32_t n)
{
	struct got g;

	got_at(&g, slow, 24100);
	CHECK_EQ(got_int(&g), n);
	CHECK_EQ(got_right(&g), reply);
	port_drop(reply, 1);
}

static void
open_wrappers(void)
{
	slow = port_new();
	other = port_new();
	reply = port_new();
	slow_wrapper = proxied_wrap(slow, false);
	other_wrapper = proxied_wrap(other, false);
}

static void
close_wrappers(void)
{
	port_drop(slow_wrapper, 1);
	port_drop(other_wrapper, 1);
	port_wait_deserted(slow, 1);
	port_wait_deserted(other, 1);
	port_end(slow);
	port_end(other);
	port_end(reply);
}

/* It goes on, takes some, stops again, and so on. */
static void
check_order_is_kept(void)
{
	uint32_t sent = 0, taken = 0;

	open_wrappers();
	for (uint32_t round = 0; round < ROUNDS; round++) {
		sent = fill(sent);
		CHECK(sent - taken >= 11);
		CHECK_EQ(proxied_stats().held, 1);
		check_other_is_served(sent);
		while (taken < sent - 3)
			take(taken++);
	}
	while (taken < sent)
		take(taken++);
	got_nothing(slow, 20);
	for (int i = 0; proxied_stats().held != 0; i++) {
		CHECK(i < 50);
		bare_sleep_ms(20);
	}
	CHECK(proxied_stats().waited >= ROUNDS);
	close_wrappers();
}

/* All senders go, or the server, while messages wait. */
static void
check_ends_while_held(void)
{
	uint32_t sent;

	open_wrappers();
	sent = fill(0);
	port_drop(slow_wrapper, 1);
	for (uint32_t i = 0; i < sent; i++)
		take(i);
	port_wait_deserted(slow, 1);
	port_end(slow);
	slow = port_new();
	slow_wrapper = proxied_wrap(slow, false);

	fill(0);
	port_end(slow);
	check_other_is_served(3);
	/* The wrapper has died with it. */
	for (int i = 0; proxied_stats().wrappers != 1; i++) {
		CHECK(i < 50);
		bare_sleep_ms(20);
	}
	port_drop(slow_wrapper, 1); /* a dead name */
	port_drop(other_wrapper, 1);
	port_wait_deserted(other, 1);
	port_end(other);
	/* Each message that was lost had a right in it. */
	port_wait_deserted(reply, port_sends(reply));
	port_end(reply);
}

void
check_order(void)
{
	check_order_is_kept();
	check_ends_while_held();
}
