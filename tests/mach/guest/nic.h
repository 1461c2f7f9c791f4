/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network device as the kernel's own answers, call by call: one NIC, whose
 * right is the same for whoever opens it. What is below it, a card or a test,
 * sends and gives frames.
 *
 * Faults are put into it where a test wants to see what becomes of its client.
 */
#ifndef VNET_TEST_NIC_H
#define VNET_TEST_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <device/device_types.h>
#include <device/net_status.h>
#include <mach/message.h>
#include <mach/port.h>

#define NIC_FRAME_MIN 14
#define NIC_FRAME_MAX 1514
#define NIC_FILTERS   8

/* Octets of the longest request and of the longest reply. */
#define NIC_MSG_SIZE 8448

/* A filter in one direction. */
struct nic_filter {
	mach_port_t right; /* a send right */
	int priority;
	uint16_t words[NET_MAX_FILTER];
	size_t n;
};

struct nic_filters {
	struct nic_filter list[NIC_FILTERS]; /* in the order they were set */
	size_t n;
};

/**
 * struct nic_counts - what happened
 * @opens:	right answers to device_open
 * @writes:	device_write, whatever the answer
 * @out:	frames that went out
 * @in:		frames that came in
 * @delivered:	messages to receive rights, in both directions
 * @full:	that were lost because a queue was full
 * @dead:	receive rights that were gone
 * @filters:	set
 * @flags_set:	times that flags were set
 * @deadly:	calls that the kernel's device panics at: writes of less than 14
 *		octets, and a null receive right
 * @wire_lost:	frames that the other end of a fake NIC's wire had no room for
 */
struct nic_counts {
	unsigned int opens;
	unsigned int writes;
	unsigned int out;
	unsigned int in;
	unsigned int delivered;
	unsigned int full;
	unsigned int dead;
	unsigned int filters;
	unsigned int flags_set;
	unsigned int deadly;
	unsigned int wire_lost;
};

/**
 * struct nic_faults - what it does wrong
 * @no_promisc:	PROMISC is forgotten as soon as it is set
 * @last_filter: as of rumpnet: no filter is looked at, and the last to set one
 *		gets everything
 * @blocks:	as of rumpnet: waits for room in the queues of its clients
 * @mute:	takes requests and never answers
 * @write_error: what writes are answered with, if not 0
 * @short_write: writes are said to have written half
 * @short_status: get_status answers with a word less than there are
 */
struct nic_faults {
	bool no_promisc;
	bool last_filter;
	bool blocks;
	bool mute;
	kern_return_t write_error;
	bool short_write;
	bool short_status;
};

/**
 * struct nic - the NIC
 * @name:	what it is opened by
 * @send:	sends a frame of 14 to 1514 octets
 * @set_promisc: may be NULL
 * @master:	receive right of the device master
 * @device:	of the device
 */
struct nic {
	const char *name;
	uint8_t mac[6];
	int flags;
	void (*send)(void *ctx, const uint8_t *frame, size_t len);
	void (*set_promisc)(void *ctx, bool on);
	void *ctx;
	mach_port_t master;
	mach_port_t device;
	struct nic_filters in;
	struct nic_filters out;
	struct nic_faults faults;
	struct nic_counts counts;
};

/* Put its rights into @set. The caller has filled in name, mac, send,
 * set_promisc, ctx and master; there is one in a task. */
void nic_open(struct nic *n, mach_port_t set);

/* Answer a message to one of its rights. */
void nic_answer(struct nic *n, mach_msg_header_t *request);

/* A frame has come. */
void nic_receive(struct nic *n, const uint8_t *frame, size_t len);

#endif
