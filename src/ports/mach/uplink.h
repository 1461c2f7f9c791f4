/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An uplink from inside. Everything is used under the server's lock.
 *
 * A session is from the first request to a device to the end of what that gave:
 * three receive rights of its own, so that what is late is for a right that has
 * gone. It ends in vnet_mach_tick() alone, or where nothing of it is in use:
 * whoever finds that it is lost says so by vnet_uplink_lose().
 */
#ifndef VNET_MACH_UPLINK_PARTS_H
#define VNET_MACH_UPLINK_PARTS_H

#include <device/device_types.h>
#include <device/net_status.h>

#include <vnet/mach_uplink.h>

#include "server.h"
#include "shared.h"
#include "wire.h"

/* Octets of the longest request, device_open on x86_64. */
#define UPLINK_REQUEST_SIZE 184

/* Writes that the driver has not answered, at the most, each with memory for a
 * frame of net_rcv_msg's greatest length: whole pages. */
#define UPLINK_SLOTS     16
#define UPLINK_SLOT_SIZE ((vm_size_t)8192)

/* The longest frame that net_rcv_msg holds, <device/net_status.h>. */
#define UPLINK_FRAME_MAX (VNET_ETH_HEADER_LEN + NET_RCV_MAX - 4)

/* What was asked for last, in the order in which it is. */
enum uplink_step {
	UPLINK_NOTHING, /* no session, or all is set up */
	UPLINK_OPEN,
	UPLINK_STATUS,
	UPLINK_ADDRESS,
	UPLINK_FILTER,
	UPLINK_FLAGS_READ,
	UPLINK_FLAGS_SET,
	UPLINK_FLAGS_BACK,
	UPLINK_NSTEPS
};

/* One of its rights. */
struct uplink_right {
	struct vnet_mach_right right; /* first: what is called back with */
	struct vnet_mach_uplink *u;
};

/**
 * struct vnet_mach_uplink
 * @timer:	first: what is called back with
 * @master, @device: rights, one reference of each; @device_is_given if it was
 *		not opened by us, @device_is_dead if its name is a dead one
 * @delay:	before the next attempt
 * @retry_at, @check_at, @deadline: times: of that, while there is no session;
 *		of the next look, when all is set up; to answer @step
 * @has_session: the rights below are there
 * @is_lost:	the session is over and is to be ended: @info.error
 * @is_up:	all is set up
 * @step:	the request that is next, or out
 * @is_asked:	the request for it is out. It is not where the driver's queue
 *		was full
 * @voids:	notifications about rights to reply to that were never sent
 *		away: each such right comes back once, as an answer or as a
 *		notification that it was destroyed
 * @min_len, @max_len: octets of the frames that the device takes
 * @taken:	of NET_FLAGS, what the device has once confirmed
 * @silent:	looks in a row at which nothing had come
 * @silent_max:	after how many of them the filter is set again
 * @seen:	info.received at the last look
 * @shared:	what rewrites frames; NULL where that is not wanted
 *
 * Writes: slots are used in turn. Which write is answered is not looked at, only
 * how many are: a driver that answers out of order makes us copy a page when we
 * rewrite it, as out-of-line memory is a copy.
 * @memory:	UPLINK_SLOTS times UPLINK_SLOT_SIZE
 * @next_slot:	the one that is next
 * @limit:	writes that may be out, less than UPLINK_SLOTS where the driver's
 *		queue was seen to be full
 * @credit:	answers since @limit changed
 * @write_voids: as @voids, of the right @writes
 * @is_full:	the switch is owed vnet_client_output()
 * @has_progress: a write was answered since the last look
 * @was_out:	writes were out at the last look
 */
struct vnet_mach_uplink {
	struct vnet_mach_timer timer;
	struct vnet_mach_uplink *next;
	struct vnet_mach *m;
	vnet_port_id port;
	uint32_t options;
	void (*want_right)(void *ctx, vnet_port_id port);
	void *ctx;

	mach_port_t master;
	mach_port_t device;
	bool device_is_given;
	bool device_is_dead;

	vnet_nsec delay;
	vnet_nsec retry_at;
	vnet_nsec check_at;
	vnet_nsec deadline;
	bool has_session;
	bool is_lost;
	bool is_up;

	enum uplink_step step;
	bool is_asked;
	uint32_t voids;
	uint32_t min_len;
	uint32_t max_len;
	uint32_t taken;
	uint32_t silent;
	uint32_t silent_max;
	uint64_t seen;
	struct vnet_shared *shared;

	struct uplink_right packets; /* frames */
	struct uplink_right answers; /* to steps */
	struct uplink_right writes;  /* answers to writes */

	vm_address_t memory;
	uint32_t next_slot;
	uint32_t limit;
	uint32_t credit;
	uint32_t write_voids;
	bool is_full;
	bool has_progress;
	bool was_out;

	struct vnet_mach_uplink_info info;
	uint8_t frame[UPLINK_FRAME_MAX];
};

/* The uplink that a right is of. */
static inline struct vnet_mach_uplink *
vnet_uplink_of(struct vnet_mach_right *r)
{
	return ((struct uplink_right *)r)->u;
}

/* uplink.c */

/* As vnet_mach_uplink_add(), under the lock. */
int vnet_uplink_add(struct vnet_mach *m,
		    const struct vnet_mach_uplink_config *config,
		    struct vnet_why *why);

/* As vnet_mach_uplink_give(), likewise. */
int vnet_uplink_give(struct vnet_mach *m, vnet_port_id port, mach_port_t master,
		     mach_port_t device);

/* All is set up. */
void vnet_uplink_ready(struct vnet_mach_uplink *u, vnet_nsec now);

/* The session is over, for that reason. */
void vnet_uplink_lose(struct vnet_mach_uplink *u, kern_return_t error);

/* Be called when something is due next. */
void vnet_uplink_arm(struct vnet_mach_uplink *u, vnet_nsec now);

/* uplink_open.c */

extern const struct vnet_mach_right_ops vnet_uplink_answer_ops;

/* Begin with a step. */
void vnet_uplink_step(struct vnet_mach_uplink *u, enum uplink_step step,
		      vnet_nsec now);

/* Ask for the present step, if that is not done yet. */
void vnet_uplink_ask(struct vnet_mach_uplink *u);

/* Say that the device is not used any more; nobody waits for an answer. */
void vnet_uplink_close_device(struct vnet_mach_uplink *u);

/* uplink_write.c */

extern const struct vnet_mach_right_ops vnet_uplink_write_ops;

/* vnet_driver_ops.send */
int vnet_uplink_send(void *ctx, const struct vnet_frame *frames, size_t n,
		     size_t *refused);

/* The session ends: what is out is lost. */
void vnet_uplink_forget_writes(struct vnet_mach_uplink *u);

/* uplink_receive.c */

extern const struct vnet_mach_right_ops vnet_uplink_packet_ops;

/* A message was dealt with and has no reply: fill @out to say so. */
bool vnet_uplink_no_reply(mach_msg_header_t *out);

#endif
