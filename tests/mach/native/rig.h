/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server in one task of the fake kernel, and clients in others. It is served by
 * a loop as a program would have that knows nothing of it: mach_msg_server().
 *
 *	client  ──┐                       ┌── vif0
 *	client  ──┼── master ── server ───┼── vif1
 *	client  ──┘                       └── new0 ... (made when opened)
 */
#ifndef VNET_MACH_RIG_H
#define VNET_MACH_RIG_H

#include <device/device_types.h>
#include <device/net_status.h>
#include <vnet/mach.h>

#include "fake_kernel.h"
#include "support.h"
#include "wire.h"

union rig_message {
	mach_msg_header_t head;
	uint64_t words[VNET_MACH_MSG_SIZE / 8];
};

struct rig {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct vnet_mach *m;
	struct vnet_mach_master *master;
	struct fake_task *server;
	vnet_port_id vif0, vif1;
	vnet_nsec now;
	mach_port_t set; /* the program's, with its own rights in it */
	bool is_working; /* by the loop; else by the test */
	union rig_message in, out;
};

/* What is to fail, from the server's creation on: as in struct fake_state, and the
 * call to the allocator. Zero for nothing. */
struct rig_plan {
	enum fake_call call;
	unsigned long at;
	int code;
	unsigned torn;
	unsigned long memory_at;
};

/* Set up. 0, or an error where something failed that was to fail: then parts are
 * missing, but rig_end() is to be called. */
int rig_begin(struct rig *r, const struct rig_plan *plan);
/* Tear down, with whatever clients there still are, and see that nothing is left
 * and no mistake was made. */
void rig_end(struct rig *r);

/* Serve until there is nothing to be done. */
void rig_serve(struct rig *r);

struct client {
	struct rig *r;
	struct fake_task *task;
	mach_port_t master; /* a send right */
	mach_port_t reply;  /* a receive right */
	mach_port_t device; /* the last that was opened, 0 if that failed */
	/* What a request is turned into before it is sent; its length. */
	size_t (*spoil)(struct client *c, size_t n, void *ctx);
	void *ctx;
	union rig_message msg;
};

void client_begin(struct client *c, struct rig *r);
void client_kill(struct client *c);

/* A request: begin, put, and call, which returns RetCode, or a number beyond
 * those where there was no reply. The reply is in c->msg. */
#define NO_REPLY 0x7fffffff
struct vnet_wire_writer client_request(struct client *c, mach_port_t to,
				       uint32_t id);
int client_call(struct client *c, struct vnet_wire_writer *w);
/* Without serving: is it on its way? And the reply to come. */
bool client_send(struct client *c, struct vnet_wire_writer *w);
int client_reply(struct client *c);

/* device_open; the right is c->device. */
int client_open(struct client *c, const char *name);
int client_open_new(struct client *c, const char *name);
int client_close(struct client *c, mach_port_t device);
/* A receive right of that queue. */
mach_port_t client_receiver(struct client *c, uint32_t qlimit);
/* A filter that takes all, of NETF_IN | NETF_OUT. */
int client_filter(struct client *c, mach_port_t device, mach_port_t right,
		  uint32_t disposition, int priority, uint32_t directions);
/* device_write out of line, of 60 octets or @len. Not served. */
bool client_send_write(struct client *c, mach_port_t device, const void *frame,
		       size_t len);
int client_write(struct client *c, mach_port_t device, const void *frame,
		 size_t len);
int client_write_inband(struct client *c, mach_port_t device, const void *frame,
			size_t len);
/* Sends the request alone: a read may be answered late. */
bool client_read(struct client *c, mach_port_t device, bool is_inband,
		 uint32_t mode);
int client_get_status(struct client *c, mach_port_t device, uint32_t flavor,
		      uint32_t count);
int client_set_flags(struct client *c, mach_port_t device, uint32_t flags);
/* Frames at a receive right, which are taken. */
unsigned client_frames(struct client *c, mach_port_t right);

/* A frame of 60 octets. */
void rig_frame(uint8_t *frame, uint8_t dst, uint8_t src);

#endif
