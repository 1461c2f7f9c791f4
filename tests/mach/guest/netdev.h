/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of a network device, and the small host (host.h) that uses one: what
 * a stack does with device RPCs, call by call.
 */
#ifndef VNET_TEST_NETDEV_H
#define VNET_TEST_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/message.h>
#include <mach/port.h>

#include "host.h"
#include "tcp.h"

/* The longest queue that a right may have. */
#define NETDEV_QUEUE 16

/**
 * struct netdev - a device that was opened
 * @device:	its send right
 * @receive:	the receive right of its filters, with a queue of NETDEV_QUEUE
 * @mac:	its address
 * @status:	as of NET_STATUS: struct net_status
 * @last_error:	of the last write that was refused
 * @refused:	writes with an error or a short count
 * @strange:	messages that were no frame, or one that does not add up
 */
struct netdev {
	mach_port_t device;
	mach_port_t receive;
	uint8_t mac[6];
	int status[7];
	kern_return_t last_error;
	unsigned long refused;
	unsigned long strange;
};

/* As pfinet does: open, set a filter that takes all (BPF, or in the older
 * language), get status and address, set the flags. 0, or what went wrong. */
kern_return_t netdev_open(struct netdev *dev, mach_port_t master,
			  const char *name, bool is_bpf, int flags);

/* As pfinet does: the receive right goes first. */
void netdev_close(struct netdev *dev);

/* Write a frame, out of line. */
kern_return_t netdev_write(struct netdev *dev, const void *frame, size_t len);

/* Wait for a frame; @frame has room for HOST_FRAME_MAX octets. Its length, -1
 * if none came in time. */
long netdev_read(struct netdev *dev, uint8_t *frame,
		 mach_msg_timeout_t timeout_ms);

/* A host whose medium is a device. */
struct station {
	struct netdev dev;
	struct host host;
	struct tcp tcp;
};

/* Put a host on a device that is open. Its addresses may be empty. @mac NULL:
 * that of the device. */
void station_start(struct station *s, const uint8_t *mac,
		   const struct host_addr *ip4, const struct host_addr *ip6);

/* Let it do its work until @is_done() says so, or @limit_ms are over: false. */
bool station_run(struct station *s, bool (*is_done)(const struct station *s),
		 host_msec limit_ms);

/* Such: its host has all its addresses; its ping is answered. */
bool station_is_ready(const struct station *s);
bool station_is_answered(const struct station *s);

/* The clock, which steps 10 ms. */
host_msec netdev_now(void);

#endif
