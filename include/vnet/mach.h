/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Mach device interface: vifs as devices, to any program that opens network
 * devices under GNU Mach (pfinet, libpcap, devnode ...), and Mach network devices
 * as uplinks.
 *
 * A server is a part of a task that has a loop of its own, or uses ours. It owns
 * receive rights, of which one set is watched; what arrives there is handed to
 * vnet_mach_demux(). It guards its switch with a lock, so that any number of
 * threads may be in it: everything below may be called from any thread. While a
 * server is there, the switch is used between vnet_mach_lock() and
 * vnet_mach_unlock() alone.
 *
 *	master	a right that opens devices by name: what device_open is sent to
 *	vif	a port of the switch whose clients are opened here
 *	facet	what an open of a vif gives: a right of its own, a client of
 *		its own
 *	uplink	a port of the switch that is a Mach network device
 *
 * The protocol is that of GNU Mach: <device/device.defs>, <device/net_status.h>,
 * <device/bpf.h>, <mach/notify.defs>.
 *
 * No function waits for another task. Rights that are handed in are taken on
 * success, and left alone on failure.
 */
#ifndef VNET_MACH_H
#define VNET_MACH_H

#include <mach/message.h>
#include <mach/port.h>

#include <vnet/grant.h>
#include <vnet/switch.h>

VNET_BEGIN_DECLS

struct vnet_mach;
struct vnet_mach_sys;

/* The largest MTU of a vif, and of an uplink: what net_rcv_msg holds on every
 * ABI with one tag (4 for the packet_header, 4095 in all; <device/net_status.h>). */
#define VNET_MACH_MTU_MAX 4087

/* Octets of a device's name, with the terminating NUL (dev_name_t). */
#define VNET_MACH_NAME_SIZE 128

/* The room that vnet_mach_demux() needs for a reply, and that whoever receives
 * for it must have for a message, octets. A longer one is no message that a
 * server understands: MACH_RCV_TOO_LARGE may destroy it. */
#define VNET_MACH_MSG_SIZE 8192

/**
 * struct vnet_mach_config - a server to make
 * @size:	sizeof(struct vnet_mach_config)
 * @sw:		its switch, the server's to use until vnet_mach_destroy()
 * @alloc:	where its memory comes from; copied. Called from any thread,
 *		by one at a time
 * @sys:	NULL for the kernel; tests have another one
 * @port_set:	into which its receive rights go, the caller's; MACH_PORT_NULL
 *		to have it make one, see vnet_mach_port_set()
 * @now:	the time, in any thread; required
 * @payload_to_port: the name of the receive right whose protected payload this
 *		is, MACH_PORT_NULL if it is none (in a translator,
 *		ports_payload_get_name()). NULL where no right has any
 * @want_worker: there is work to be done beside the thread that calls: let
 *		another one call vnet_mach_work() or vnet_mach_serve(). Must not
 *		wait. NULL where enough of them do
 * @ctx:	handed to these three, which are called under the lock
 * @max_rights:	the most masters and facets together, those still open and
 *		those that only their senders keep; 0 for 1024
 * @max_filters: the most filters of a facet; 0 for 8. Times @max_rights, 32768 at
 *		the most: so often may one right be in use
 */
struct vnet_mach_config {
	size_t size;
	struct vnet_switch *sw;
	const struct vnet_alloc *alloc;
	const struct vnet_mach_sys *sys;
	mach_port_t port_set;
	vnet_nsec (*now)(void *ctx);
	mach_port_t (*payload_to_port)(void *ctx, unsigned long payload);
	void (*want_worker)(void *ctx);
	void *ctx;
	uint32_t max_rights;
	uint32_t max_filters;
};

/* Make a server. Return: 0; -EINVAL if the configuration is wrong, -ENOMEM,
 * -ENOSPC if the kernel gives no right. */
VNET_API int vnet_mach_create(struct vnet_mach **m,
			      const struct vnet_mach_config *config,
			      struct vnet_why *why);

/* End it: every right of it dies, its clients leave the switch, whose ports
 * stay. No other thread may be in it, nor in the switch. NULL is nothing to
 * do. */
VNET_API void vnet_mach_destroy(struct vnet_mach *m);

/* The set that its receive rights are in. */
VNET_API mach_port_t vnet_mach_port_set(const struct vnet_mach *m);

/* Use the switch, or read it: nothing else does meanwhile. Not to be called
 * twice. */
VNET_API void vnet_mach_lock(struct vnet_mach *m);
VNET_API void vnet_mach_unlock(struct vnet_mach *m);

/*
 * The loop
 */

/**
 * vnet_mach_demux() - handle a message that has arrived
 * @in:		the message, with room for VNET_MACH_MSG_SIZE octets
 * @out:	VNET_MACH_MSG_SIZE octets for the reply
 *
 * As a server routine of MIG: where it returns true, @out is a reply to be sent,
 * unless its remote right is null or its RetCode MIG_NO_REPLY. Then, if RetCode
 * is neither KERN_SUCCESS nor MIG_NO_REPLY, @in is to be destroyed
 * (mach_msg_destroy(); what mach_msg_server() does). A reply to a right that is
 * not send-once it sends by itself, for such a right could hold up the caller.
 *
 * What it leaves to be done behind the reply is done by vnet_mach_work().
 *
 * Return: false if the message is not for this server; nothing was done then.
 */
VNET_API bool vnet_mach_demux(struct vnet_mach *m, mach_msg_header_t *in,
			      mach_msg_header_t *out);

/**
 * vnet_mach_work() - do what is there to be done, or wait for it
 * @wait:	wait while there is nothing, until vnet_mach_stop()
 *
 * Memory that clients have sent is touched by threads in this call alone, of one
 * client by one of them at the most; where its pager does not answer, it stays
 * here, and others are wanted (want_worker). Sets the exception port of the
 * calling thread while it is inside.
 *
 * Return: true if it did anything.
 */
VNET_API bool vnet_mach_work(struct vnet_mach *m, bool wait);

/**
 * vnet_mach_serve() - the loop: receive, reply, work, tick
 * @stays:	until vnet_mach_stop(). Otherwise it returns as soon as two other
 *		threads wait here for messages: what a thread does that was
 *		started for want_worker
 *
 * For any number of threads of a task that has nothing else to wait for; what
 * arrives and is not for the server is destroyed. Returns early where there is no
 * memory for messages, or the set has gone.
 */
VNET_API void vnet_mach_serve(struct vnet_mach *m, bool stays);

/* Let every thread return from vnet_mach_serve() and vnet_mach_work(), those that
 * wait for memory of clients as well. For good. */
VNET_API void vnet_mach_stop(struct vnet_mach *m);

/* What is due of the switch (vnet_switch_tick()) and of the uplinks, and when it
 * is next: for loops of one's own, which call this at that time. */
VNET_API void vnet_mach_tick(struct vnet_mach *m);
VNET_API vnet_nsec vnet_mach_deadline(struct vnet_mach *m);

/*
 * Vifs
 */

/* vnet_mach_vif_config.flags */
enum {
	/* NET_FLAGS may have IFF_PROMISC: frames of other addresses that the
	 * switch sends to this vif are delivered, too. */
	VNET_MACH_MAY_PROMISC = 1 << 0,
	/* NET_ADDRESS may be set, of a vif of VNET_PORT_PER_CLIENT. */
	VNET_MACH_MAY_SET_ADDRESS = 1 << 1,
};

/**
 * struct vnet_mach_vif_config - a port of the switch to be opened here
 * @size:	sizeof(struct vnet_mach_vif_config)
 * @port:	a vif with an address, an MTU of VNET_MACH_MTU_MAX at the most,
 *		and a name that neither is nor begins behind its last '/' with
 *		"tun" or "dummy": pfinet takes these for something else
 * @flags:	VNET_MACH_MAY_*
 * @max_clients: the most facets of it at a time; 0 for 32
 * @grant:	what they may send and receive, of one switch's: the vif's address is
 *		one of it. They share it, and no more of them are open than it has
 *		clients. Once it has ended nobody opens the vif; the facets that
 *		there are go on answering, without IFF_RUNNING, and what is written
 *		to them is dropped. VNET_NO_ID for whatever there is
 */
struct vnet_mach_vif_config {
	size_t size;
	vnet_port_id port;
	uint32_t flags;
	uint32_t max_clients;
	vnet_grant_id grant;
};

/* Let a port be opened. A port that is removed from the switch takes its vif
 * with it; facets of it stay, and answer. Return: 0; -EINVAL, -EEXIST, -ENOENT if
 * there is no such port, -ENOMEM. */
VNET_API int vnet_mach_vif_add(struct vnet_mach *m,
			       const struct vnet_mach_vif_config *config,
			       struct vnet_why *why);

/* Take a vif back: nobody opens it any more, the clients of its facets leave the
 * switch. Return: 0; -ENOENT. */
VNET_API int vnet_mach_vif_remove(struct vnet_mach *m, vnet_port_id port);

/* What a facet may be used for. */
enum {
	VNET_MACH_READ = 1 << 0,  /* receive: filters, device_read */
	VNET_MACH_WRITE = 1 << 1, /* send; a frame is dropped otherwise */
};

/**
 * vnet_mach_vif_open() - open a vif, for a translator's own device_open
 * @mode:	of device_open: D_READ, D_WRITE, both, or neither
 * @access:	what of @mode may the caller have? Returns VNET_MACH_READ |
 *		VNET_MACH_WRITE or less, 0 to refuse. Called once, without the
 *		lock. NULL for all, whatever the mode: what a master right gives
 * @right:	set to the name of the facet's receive right. The caller makes a
 *		send right of it for the reply, at once: a facet without
 *		senders ends
 *
 * Return: 0; -ENOENT if there is no such vif, -EACCES, -EUSERS if it has as many
 * facets as it may, -ENOSPC, -ENOMEM.
 */
VNET_API int vnet_mach_vif_open(struct vnet_mach *m, vnet_port_id port,
				uint32_t mode,
				uint32_t (*access)(void *ctx, uint32_t mode),
				void *ctx, mach_port_t *right);

/*
 * Masters
 */

struct vnet_mach_master;

/**
 * struct vnet_mach_master_config - a right that opens devices by name
 * @size:	sizeof(struct vnet_mach_master_config)
 * @receive:	a receive right to be used for it, which is taken; MACH_PORT_NULL
 *		to have one made
 * @control:	the name of the control device on it; NULL where it may not
 *		control
 * @real:	a send right to a device master (kernel's): every message that
 *		is not device_open of a name that is ours is passed on to it raw,
 *		but for names of devices that are uplinks here; taken.
 *		MACH_PORT_NULL to refuse them
 * @max_clients: the most facets opened on it at a time; 0 for no bound of its
 *		own
 */
struct vnet_mach_master_config {
	size_t size;
	mach_port_t receive;
	const char *control;
	mach_port_t real;
	uint32_t max_clients;
};

/* Make one. Return: 0; -EINVAL, -ENOSPC, -ENOMEM. */
VNET_API int vnet_mach_master_add(struct vnet_mach *m,
				  const struct vnet_mach_master_config *config,
				  struct vnet_mach_master **master,
				  struct vnet_why *why);

/* Its receive right: make send rights of it. */
VNET_API mach_port_t vnet_mach_master_right(const struct vnet_mach_master *s);

/* End it. What was opened on it stays. */
VNET_API void vnet_mach_master_remove(struct vnet_mach_master *s);

/**
 * struct vnet_mach_name - names that may be opened on a master right
 * @size:	sizeof(struct vnet_mach_name)
 * @name:	of a device; with @is_prefix, how names begin; copied
 * @port:	the vif that it opens. VNET_NO_ID: the vif of the same name as
 *		the device, as far as there is one
 * @is_prefix:	all names that begin with @name, of vifs of those names
 * @may_create:	the most vifs that are made when a name is first opened that
 *		has none; only with @is_prefix
 * @create:	how: its size, name and mac are ignored. The address is made of
 *		@seed and the name, so that it is the same again
 * @seed:	of these addresses, 16 octets, secret where they are to be
 *		unpredictable
 * @vif:	likewise, its port is ignored
 */
struct vnet_mach_name {
	size_t size;
	const char *name;
	vnet_port_id port;
	bool is_prefix;
	uint32_t may_create;
	struct vnet_port_config create;
	uint8_t seed[16];
	struct vnet_mach_vif_config vif;
};

/* Add names to a master right; the first that was added and matches decides.
 * Return: 0; -EINVAL, -ENOMEM. */
VNET_API int vnet_mach_master_name(struct vnet_mach_master *s,
				   const struct vnet_mach_name *name,
				   struct vnet_why *why);

/*
 * Figures
 */

/**
 * struct vnet_mach_facet_info - a facet as it is
 * @size:	sizeof(struct vnet_mach_facet_info), set by the caller
 * @client:	its client
 * @port:	its vif
 * @filters:	in use
 * @reads:	deferred
 * @flags:	NET_FLAGS
 * @writes:	device_write and device_write_inband, and of these the frames that
 *		were dropped before the switch saw them:
 * @write_length: shorter than 14 octets, or longer than the vif's MTU allows
 * @write_down:	NET_FLAGS without IFF_UP, closed, revoked
 * @write_denied: a facet that may not write
 * @write_full:	too many writes of it wait
 * @write_fault: memory that could not be read
 * @sent:	copies sent to the rights of filters, and of those:
 * @sent_full:	dropped, for the right's queue was full
 * @sent_dead:	dropped, for the right was dead
 * @read:	frames given to device_read, and of those:
 * @read_cut:	cut to bytes_wanted
 * @read_full:	frames dropped, for nobody has read those before
 */
struct vnet_mach_facet_info {
	size_t size;
	vnet_client_id client;
	vnet_port_id port;
	uint32_t filters;
	uint32_t reads;
	uint32_t flags;
	uint64_t writes;
	uint64_t write_length;
	uint64_t write_down;
	uint64_t write_denied;
	uint64_t write_full;
	uint64_t write_fault;
	uint64_t sent;
	uint64_t sent_full;
	uint64_t sent_dead;
	uint64_t read;
	uint64_t read_cut;
	uint64_t read_full;
};

/* Read a facet, by its client. Under the lock. Return: 0; -ENOENT, -EINVAL for an
 * unknown info->size. */
VNET_API int vnet_mach_facet_get(const struct vnet_mach *m, vnet_client_id id,
				 struct vnet_mach_facet_info *info);

/**
 * struct vnet_mach_stats - a server as a whole
 * @size:	sizeof(struct vnet_mach_stats), set by the caller
 * @masters, @facets, @inert: that are there; inert ones were closed, or their
 *		vif has gone, and somebody still holds them
 * @workers:	threads that touch a client's memory now
 * @messages:	that arrived, and of those:
 * @malformed:	destroyed for what they were: no reply
 * @forged:	notifications that were none
 * @replies_lost: replies to a right that was dead, or would not take them
 */
struct vnet_mach_stats {
	size_t size;
	uint32_t masters;
	uint32_t facets;
	uint32_t inert;
	uint32_t workers;
	uint64_t messages;
	uint64_t malformed;
	uint64_t forged;
	uint64_t replies_lost;
};

/* Return: 0, -EINVAL for an unknown stats->size. Under the lock. */
VNET_API int vnet_mach_get_stats(const struct vnet_mach *m,
				 struct vnet_mach_stats *stats);

VNET_END_DECLS

#endif
