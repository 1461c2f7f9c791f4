/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proxy of the Hurd's proc server: between programs and their proc server,
 * so that those which open network devices by name on the device master find
 * ours, without being root and without a change to them.
 *
 *	real		the right to a process at the proc server
 *	wrapper		the right that stands in its place before a program; there
 *			is one for each real right
 *
 * A program reaches the device master by proc_getprivports() on its process
 * right. That call the proxy answers itself. Every other message it passes on as
 * it is, in order, and the answer goes straight to the program. Two more calls
 * are seen on their way: those that give process rights (proc_task2proc,
 * proc_pid2proc) give wrappers, so that the children of a program are behind the
 * proxy as well; and those that replace a process right by way of the auth server
 * (proc_reauthenticate and its relatives), which would give the real one, are
 * carried out here.
 *
 * Outside stays what does not begin with a process right of its parent: passive
 * translators, and set-user-id programs, whose right comes from the exec
 * server's own.
 *
 * The proxy is a part of a task that has a loop, or uses ours; it owns receive
 * rights, of which one set is watched. It makes no threads and has no lock: one
 * thread at a time is in it, for messages have an order. No function waits for
 * another task.
 *
 * The protocols are those of the Hurd, process.defs and auth.defs.
 */
#ifndef VNET_MACH_PROXY_H
#define VNET_MACH_PROXY_H

#include <mach/message.h>
#include <mach/port.h>

#include <vnet/types.h>

VNET_BEGIN_DECLS

struct vnet_mach_sys;
struct vnet_proxy;

/* The most ids of one kind that a process is known by; what is more is left
 * out. */
#define VNET_PROXY_IDS 32

/**
 * struct vnet_proxy_ids - who a process is
 * @n, @id:	user ids, in effect and available, and group ids, likewise
 */
struct vnet_proxy_ids {
	uint32_t n[4];
	uint32_t id[4][VNET_PROXY_IDS];
};

/**
 * struct vnet_proxy_config - a proxy to make
 * @size:	sizeof(struct vnet_proxy_config)
 * @alloc:	where its memory comes from; copied
 * @sys:	NULL for the kernel; tests have another one
 * @port_set:	into which its receive rights go, the caller's; MACH_PORT_NULL to
 *		have it make one, see vnet_proxy_port_set()
 * @now:	the time, with @ctx; required
 * @device_master: a send right: what programs get
 * @host_priv:	a send right to the privileged host port, which opens every task
 *		of the machine: given to programs whose user ids have a 0, and
 *		only to them. MACH_PORT_NULL to give it to none
 * @auth:	a send right to the auth server (what getauth() gives). What ids it
 *		has decides whether the proc server hears of new ids of a program;
 *		where it does not, the wrapper alone knows of them.
 *		MACH_PORT_NULL where there is none: a program that authenticates
 *		anew keeps the ids that it has
 * @max_wrappers: the most of them; 0 for 1024. A program that would get one more
 *		gets an error
 * @auth_timeout: how long a program may take to authenticate anew; 0 for 10 s
 */
struct vnet_proxy_config {
	size_t size;
	const struct vnet_alloc *alloc;
	const struct vnet_mach_sys *sys;
	mach_port_t port_set;
	vnet_nsec (*now)(void *ctx);
	void *ctx;
	mach_port_t device_master;
	mach_port_t host_priv;
	mach_port_t auth;
	uint32_t max_wrappers;
	vnet_nsec auth_timeout;
};

/* Make a proxy. The rights of the configuration are taken if it succeeds.
 * Return: 0; -EINVAL if the configuration is wrong, -ENOMEM, -ENOSPC if the
 * kernel gives no right. */
VNET_API int vnet_proxy_create(struct vnet_proxy **proxy,
			       const struct vnet_proxy_config *config,
			       struct vnet_why *why);

/* End it: every wrapper dies. NULL is nothing to do. */
VNET_API void vnet_proxy_destroy(struct vnet_proxy *p);

VNET_API mach_port_t vnet_proxy_port_set(const struct vnet_proxy *p);

/**
 * vnet_proxy_wrap() - stand before a process
 * @real:	a send right to it at the proc server; taken if it succeeds
 * @ids:	who it is; NULL if that is not known, which gives it nothing
 * @wrapper:	set to a send right, the caller's to move to the program. With the
 *		last of them the wrapper ends
 *
 * A real right that has a wrapper keeps it, with the ids that it has.
 *
 * Return: 0; -EINVAL if it is no send right, -EUSERS if there are too many,
 * -ENOMEM, -ENOSPC.
 */
VNET_API int vnet_proxy_wrap(struct vnet_proxy *p, mach_port_t real,
			     const struct vnet_proxy_ids *ids,
			     mach_port_t *wrapper);

/**
 * vnet_proxy_demux() - handle a message that has arrived
 * @in:		the message. Of any length: programs may send what they like to
 *		their proc server. What is in it is taken
 * @out:	room for a mig_reply_header_t
 *
 * As a server routine of MIG: where it returns true, @out says that there is
 * nothing to reply (its remote right is null and its RetCode MIG_NO_REPLY):
 * replies are sent from here.
 *
 * Return: false if the message is not for this proxy; nothing was done then.
 */
VNET_API bool vnet_proxy_demux(struct vnet_proxy *p, mach_msg_header_t *in,
			       mach_msg_header_t *out);

/* What is due, and when it is next: to be called at that time. */
VNET_API void vnet_proxy_tick(struct vnet_proxy *p);
VNET_API vnet_nsec vnet_proxy_deadline(const struct vnet_proxy *p);

/* A loop, for a task that does nothing else: receive, handle, tick, until no
 * wrapper is left or the set is gone. Messages that are not the proxy's are
 * destroyed. Return: 0; -ENOMEM for a message that there is no room for. */
VNET_API int vnet_proxy_serve(struct vnet_proxy *p);

/**
 * struct vnet_proxy_stats - a proxy as a whole
 * @size:	sizeof(struct vnet_proxy_stats), set by the caller
 * @wrappers:	that are there
 * @held:	of these, whose messages wait: for room in the proc server's queue,
 *		or for answers of it
 * @diverted:	calls of proc_getprivports
 * @wrapped:	process rights that were given
 * @forwarded:	messages passed on
 * @waited:	of these, those for which there was no room at first
 * @undelivered: messages that could not be passed on
 * @reauths:	programs that have authenticated anew, and:
 * @reauths_lost: that have begun to, and did not get to the end
 */
struct vnet_proxy_stats {
	size_t size;
	uint32_t wrappers;
	uint32_t held;
	uint64_t diverted;
	uint64_t wrapped;
	uint64_t forwarded;
	uint64_t waited;
	uint64_t undelivered;
	uint64_t reauths;
	uint64_t reauths_lost;
};

/* Return: 0, -EINVAL for an unknown stats->size. */
VNET_API int vnet_proxy_get_stats(const struct vnet_proxy *p,
				  struct vnet_proxy_stats *stats);

VNET_END_DECLS

#endif
