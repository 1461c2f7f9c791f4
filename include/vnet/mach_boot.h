/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot chain of the Hurd: a server that is started as a boot module, in front
 * of the root filesystem or of another module that serves it, and is the device
 * master of the whole system then.
 *
 * The boot script makes the task of the next module and leaves it suspended. We
 * are its bootstrap port: from there it gets the privileged rights
 * (fsys_getpriv), tells us its control right (fsys_startup), and later brings us
 * our process right (fsys_init). Where somebody stands before us in the same way,
 * our own bootstrap port is theirs, and each of these is carried on to there.
 *
 *	first		kernel <- us <- root filesystem
 *	in the middle	kernel <- a driver <- us <- root filesystem
 *
 * A boot chain is a part of a task that has a loop; it owns receive rights, of
 * which one set is watched. It has no lock: one thread at a time is in it. No
 * function waits for another task.
 *
 * The protocols are those of the Hurd, fsys.defs and process.defs.
 */
#ifndef VNET_MACH_BOOT_H
#define VNET_MACH_BOOT_H

#include <mach/message.h>
#include <mach/port.h>

#include <vnet/types.h>

VNET_BEGIN_DECLS

struct vnet_boot;
struct vnet_mach_sys;

/**
 * struct vnet_boot_config - our place in the chain
 * @size:	sizeof(struct vnet_boot_config)
 * @alloc:	where its memory comes from; copied
 * @sys:	NULL for the kernel; tests have another one
 * @port_set:	into which its receive rights go, the caller's; MACH_PORT_NULL to
 *		have it make one, see vnet_boot_port_set()
 * @now:	the time, with @ctx; required
 * @task:	a send right to our own task: what the next one is told of us, so
 *		that it enters us at its proc server
 * @bootstrap:	our own bootstrap port, a send right; MACH_PORT_NULL if we are
 *		first
 * @host_priv:	first: a send right to the privileged host port
 * @master:	first: a send right to the device master that the system gets,
 *		ours
 * @ready:	in the middle: those before us have given their rights.
 *		@host_priv is lent, the device master @real a send right that is
 *		the callee's. Returns a send right to the device master that the
 *		next one gets, which is taken. Both are null if there was no
 *		answer: then null may be returned, and the next one is refused.
 *		Called once. Until then messages of the next one wait
 * @started:	there is a proc server now, and an auth server: rights to our own
 *		process and of our own authentication, lent. May be NULL
 */
struct vnet_boot_config {
	size_t size;
	const struct vnet_alloc *alloc;
	const struct vnet_mach_sys *sys;
	mach_port_t port_set;
	vnet_nsec (*now)(void *ctx);
	mach_port_t task;
	mach_port_t bootstrap;
	mach_port_t host_priv;
	mach_port_t master;
	mach_port_t (*ready)(void *ctx, mach_port_t host_priv,
			     mach_port_t real);
	void (*started)(void *ctx, mach_port_t proc, mach_port_t auth);
	void *ctx;
};

/* Take our place. The rights of the configuration are taken if it succeeds. In
 * the middle, those before us are asked at once. Return: 0; -EINVAL if the
 * configuration is wrong, -ENOMEM, -ENOSPC if the kernel gives no right. */
VNET_API int vnet_boot_create(struct vnet_boot **boot,
			      const struct vnet_boot_config *config,
			      struct vnet_why *why);

/* End it: the next one's bootstrap port dies. NULL is nothing to do. */
VNET_API void vnet_boot_destroy(struct vnet_boot *b);

VNET_API mach_port_t vnet_boot_port_set(const struct vnet_boot *b);

/* Let the next one run: the task that the boot script has made, with us as its
 * bootstrap port. The right stays the caller's. Return: 0; -EINVAL if it is no
 * task. */
VNET_API int vnet_boot_start(struct vnet_boot *b, mach_port_t task);

/* Handle a message that has arrived, of any length; @out has room for a
 * mig_reply_header_t. As vnet_proxy_demux(): replies are sent from here. Return:
 * false if it is not for this boot chain; nothing was done then. */
VNET_API bool vnet_boot_demux(struct vnet_boot *b, mach_msg_header_t *in,
			      mach_msg_header_t *out);

/* What is due, and when it is next: to be called at that time. */
VNET_API void vnet_boot_tick(struct vnet_boot *b);
VNET_API vnet_nsec vnet_boot_deadline(const struct vnet_boot *b);

VNET_END_DECLS

#endif
