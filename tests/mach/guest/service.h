/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server in a task of its own, and what a client of it does, call by call.
 */
#ifndef GUEST_SERVICE_H
#define GUEST_SERVICE_H

#include <bare.h>
#include <device/device_types.h>
#include <device/net_status.h>
#include <vnet/mach.h>
#include <vnet/mach_uplink.h>

/* What runs in the server's task. */
struct server {
	struct vnet_switch *sw;
	struct vnet_mach *m;
	struct vnet_mach_master *master;
};

/* A vif of that name, opened by it, or by @device if that is not NULL. Flags of the port, and of the vif. */
struct vif {
	const char *name;
	uint32_t port_flags;
	uint32_t vif_flags;
	uint32_t mtu; /* 0 for 1500 */
	uint32_t max_clients;
	const char *device;
};

/**
 * struct service - a server to start
 * @vifs:	@nvifs of them; the address of the i-th is
 *		02:00:00:00:@first:i+1
 * @set_up:	what else is to be done in its task before it serves; may be NULL
 * @arg:	for that
 * @sys:	the kernel, as it is to see it; NULL as it is
 * @task, @master: set by service_start()
 */
struct service {
	const struct vif *vifs;
	size_t nvifs;
	uint8_t first;
	void (*set_up)(struct server *s, uint32_t arg);
	uint32_t arg;
	const struct vnet_mach_sys *sys;
	const char *control;
	uint32_t max_clients;

	mach_port_t task;
	mach_port_t master;
	mach_port_t channel;
};

/* Start it; fails the test where that fails. */
void service_start(struct service *s);
/* Have a function run in its task, and return its result. Memory of this task it
 * sees as it was at service_start(). */
int service_call(struct service *s,
		 int (*fn)(struct server *server, uint32_t arg), uint32_t arg);
/* End its task, as a crash would. */
void service_kill(struct service *s);
/* Names that its task has, those of the calling RPC not among them. */
uint32_t service_names(const struct service *s);
/* These, as soon as they have stayed the same for a while: the server hears of
 * what its clients let go of when it gets round to it. */
uint32_t service_settle(const struct service *s);
/* Wait until it has as many, a second at the most; fails otherwise. */
void service_expect_names(const struct service *s, uint32_t n);
/* Its switch and the sums of its counters are in order. */
void service_check(struct service *s);

/* An uplink to the NIC eth0 of a task, whose device master is @master: the first
 * time, its port is added as well. Both must succeed. */
void service_add_uplink(struct service *s, mach_port_t master, uint32_t flags);
void service_remove_uplink(struct service *s);
/* What is known of it, in the server's task. */
void server_uplink(struct server *s, struct vnet_mach_uplink_info *info,
		   struct vnet_port_info *port);

/* A client of one vif and one of another talk: whatever has happened, they still
 * do. */
void service_expect_traffic(const struct service *s, const char *from,
			    const char *to);

/* Give back a reference of a right; destroy a receive right. */
void client_drop(mach_port_t right);
void client_drop_receiver(mach_port_t right);
/* A client's end of a filter: a receive right. */
mach_port_t client_receiver(uint32_t qlimit);
/* device_open, which must succeed. */
mach_port_t client_open(mach_port_t master, const char *name);
/* A filter that accepts all, by BPF. */
void client_listen(mach_port_t device, mach_port_t receive, int priority,
		   uint32_t directions);
/* device_write of a frame; must succeed with its full count. */
void client_write(mach_port_t device, const void *frame, size_t len);
/* A frame of that length between stations of the numbers given (0xff: broadcast),
 * whose payload counts up from @tag. */
size_t client_frame(uint8_t *frame, size_t len, uint8_t dst, uint8_t src,
		    uint8_t tag);
/* Receive a net_rcv_msg, waiting @ms; the frame's length, 0 if none came. */
size_t client_get(mach_port_t receive, uint8_t *frame, size_t room,
		  uint32_t ms);

#endif
