/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The net that most tests of a switch begin with, as setup and teardown of
 * cmocka: two virtual interfaces or three, each with a fake client.
 *
 *	a ---+--------+
 *	b ---| switch |
 *	c ---+--------+
 */
#ifndef VNET_TEST_NET_H
#define VNET_TEST_NET_H

#include "support.h"

/**
 * struct net - a switch and who is at it
 * @alloc:	where its memory comes from
 * @nvifs:	how many of @a, @b and @c are open, in this order
 * @u, @v:	for uplinks, which a test opens itself
 * @more:	for whatever else it opens
 */
struct net {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	unsigned int nvifs;
	struct fake a, b, c;
	struct fake u, v;
	struct fake more[5];
};

/* With @nvifs of them, of a switch of @config, of which size and allocator are
 * filled in, and 8 ports where it does not say. */
void net_open(struct net *net, unsigned int nvifs,
	      const struct vnet_switch_config *config);

/* The same net, of a new switch with another configuration. */
void net_reopen(struct net *net, const struct vnet_switch_config *config);

/* Setups: a and b, or c too, of a switch with the defaults but 8 ports. */
int net_of_two(void **state);
int net_of_three(void **state);

/* The teardown, for every state of which a net is the first member. */
int net_tear_down(void **state);

#endif
