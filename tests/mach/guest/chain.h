/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hosts on one switch, each on an interface of its own; or each on the one
 * interface of a switch of its own, which has another client, the switch below,
 * whose uplink it is:
 *
 *	host 0         host 1         host 2
 *	  |              |              |
 *	[eth0 of 0] --[eth0 of 1] --[eth0 of 2]
 */
#ifndef GUEST_CHAIN_H
#define GUEST_CHAIN_H

#include "service.h"

#define CHAIN_MAX 8

/**
 * struct chain - the switches, each a task, and their hosts, which this one has
 * @n:		hosts
 * @nservices:	1, or as many as hosts
 */
struct chain {
	uint32_t n;
	uint32_t nservices;
	struct service services[CHAIN_MAX];
	struct vif vifs[CHAIN_MAX];
	mach_port_t devices[CHAIN_MAX];
	mach_port_t receivers[CHAIN_MAX];
	uint8_t macs[CHAIN_MAX][6];
};

/* Start it, and wait until all hosts have heard each other; fails the test where
 * that fails. */
void chain_start(struct chain *c, uint32_t n, bool is_one);
/* The sums of all switches are right; then their tasks end. */
void chain_stop(struct chain *c);

/* Put the addresses of a frame from one host to another, to all where these are
 * the same, into @frame. */
void chain_address(const struct chain *c, uint32_t from, uint32_t to,
		   uint8_t *frame);

/* Messages that have arrived at the switches so far. */
uint32_t chain_messages(struct chain *c);

#endif
