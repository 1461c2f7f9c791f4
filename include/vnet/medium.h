/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Media: what a port driver of an operating system moves frames to and from (a
 * TAP, a NIC, a stream), behind one descriptor that any loop can watch.
 *
 * How a program uses one:
 *
 *	vnet_media_create()		once for each thread
 *	watch vnet_media_fd(), call vnet_media_ready() when it is readable
 *	vnet_tap_open(), ...		a medium; see the header of its kind
 *	vnet_medium_get()		what it is, for vnet_port_add()
 *	vnet_medium_attach()		it is the port's client from now on
 *	watch vnet_medium_fd() for vnet_medium_wants(), call
 *	vnet_medium_ready() when it is so
 *	vnet_medium_detach()		it is no longer, and may be attached anew
 *	vnet_medium_close()
 *
 * A medium belongs to the program that opened it, whatever becomes of the
 * switch: when its port or client is removed, the program still closes it.
 *
 * A vnet_media, the media attached with it and their switch are used by one
 * thread at a time. But what asks the kernel, and waits for its answer (for tens
 * of milliseconds while that makes or deletes an interface, of whomever), need
 * not hold up frames. Any thread of the same network namespace may at any time,
 * whatever others do with the rest,
 *
 *	open a medium: vnet_tap_open(), vnet_tap_adopt(), vnet_uplink_open(),
 *	vnet_stream_listen(), _accept(), _connect(), _adopt(),
 *	vnet_session_open(), vnet_attach_medium()
 *	ask and change one that nobody closes meanwhile: vnet_medium_get(),
 *	vnet_medium_get_stats(), vnet_medium_error(), vnet_medium_fd(),
 *	vnet_tap_change()
 *	close one that has never been attached, or was detached by
 *	vnet_medium_detach(): vnet_medium_close()
 *
 * Of all the rest nothing blocks. vnet_medium_attach() and vnet_media_ready()
 * ask the kernel about interfaces, which takes it a tenth of a millisecond; but
 * where a TAP is attached for the second time in another namespace, was moved,
 * or deleted, they wait as above.
 */
#ifndef VNET_MEDIUM_H
#define VNET_MEDIUM_H

#include <vnet/types.h>
#include <vnet/client.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/* The most frames that vnet_medium_ready() reads in a call. */
#define VNET_MEDIUM_BATCH 64

/*
 * What the media of a thread have in common: the memory that frames are read
 * to (some 260 KiB, whatever their number), the list of those whose wishes have
 * changed, and what hears of changes of interfaces.
 */
struct vnet_media;

/* Return: 0; -ENOMEM, -EMFILE, ... */
VNET_API int vnet_media_create(struct vnet_media **media);

/* After all that was opened with it is closed. NULL is nothing to do. */
VNET_API void vnet_media_destroy(struct vnet_media *media);

/* What becomes readable when an interface has changed. */
VNET_API int vnet_media_fd(const struct vnet_media *media);

/*
 * See what has become of interfaces that have changed. Those that were set up
 * or down, lost or found their carrier, have the link of their port follow; one
 * that was deleted has gone, as vnet_medium_ready() has it. An interface that
 * is down when its medium is attached takes the link down at once.
 */
VNET_API void vnet_media_ready(struct vnet_media *media);

struct vnet_medium;

/**
 * vnet_media_next_changed() - whose wishes have changed?
 *
 * What vnet_medium_wants() says may change by any call that concerns the
 * switch: a frame from one medium fills another. A loop that tells the kernel
 * beforehand what it waits for (epoll) asks here before it waits, until it gets
 * NULL; one that tells it each time (poll) has no need to.
 *
 * Return: a medium, which is then no longer in the list, or NULL.
 */
VNET_API struct vnet_medium *vnet_media_next_changed(struct vnet_media *media);

/* vnet_medium_wants(): when to call vnet_medium_ready(). */
enum {
	VNET_MEDIUM_READ = 1 << 0,
	VNET_MEDIUM_WRITE = 1 << 1,
};

/* The descriptor to watch: the same until vnet_medium_close(), which closes
 * it. Not to be read, written or closed. */
VNET_API int vnet_medium_fd(const struct vnet_medium *m);

/* VNET_MEDIUM_*: what to watch the descriptor for, level-triggered. 0 when it
 * is not attached, or has gone: then it is not to be watched at all, since
 * errors are reported whether one asks for them or not. */
VNET_API unsigned int vnet_medium_wants(const struct vnet_medium *m);

/**
 * vnet_medium_ready() - a medium has something, or has room
 * @readable:	it can be read, or has an error or a hang-up (POLLIN, POLLERR,
 *		POLLHUP)
 * @writable:	it can be written (POLLOUT)
 * @now:	the time; see vnet_switch_input()
 *
 * Sends what is queued for it, then reads at most VNET_MEDIUM_BATCH frames and
 * gives them to the switch. To be told too often does no harm.
 *
 * A medium that turns out to be gone (a TAP deleted, a peer that has hung up)
 * sets its port's link down, and does nothing any more: close it. Another one
 * may then be attached to the port, whose link is the program's to set up.
 *
 * Return: frames read; -errno, the same each time, if it has gone.
 */
VNET_API int vnet_medium_ready(struct vnet_medium *m, bool readable,
			       bool writable, vnet_nsec now);

/* 0, or the -errno for which it has gone, if that was found out. */
VNET_API int vnet_medium_error(const struct vnet_medium *m);

/**
 * vnet_medium_attach() - make a medium the client of a port
 * @queue_octets: see struct vnet_client_config; 0 for the default
 * @weight:	likewise
 * @why:	filled on failure; may be NULL
 *
 * The link of the port is set down if the medium's interface is down, and
 * follows it from then on.
 *
 * Return: as vnet_client_add(); -EISCONN if it is attached, why it has gone, or
 * why its interface cannot be watched.
 */
VNET_API int vnet_medium_attach(struct vnet_medium *m, struct vnet_switch *sw,
				vnet_port_id port, uint32_t queue_octets,
				uint32_t weight, struct vnet_why *why);

/* The client that it is, VNET_NO_ID while it is not attached. */
VNET_API vnet_client_id vnet_medium_client(const struct vnet_medium *m);

/*
 * Remove its client, if it is attached. The media forget it: it is in no list
 * of changes any more, and its descriptor is the caller's to watch no longer.
 * Quick. Not from inside a driver's send.
 */
VNET_API void vnet_medium_detach(struct vnet_medium *m);

/* Detach and free it. The kernel may take its time: see the top of this file.
 * NULL is nothing to do. */
VNET_API void vnet_medium_close(struct vnet_medium *m);

/* Octets of an interface's name, with the terminating NUL. */
#define VNET_MEDIUM_NAME_SIZE 16

/**
 * struct vnet_medium_info - a medium as it is
 * @size:	sizeof(struct vnet_medium_info), set by the caller
 * @kind:	"tap", "uplink", "stream", "attach"
 * @name:	of the interface, empty where there is none. It may have been
 *		renamed
 * @mac:	the interface's; zero where there is none
 * @mtu:	likewise; of a TAP that an IP stack uses, that of its port
 * @up:		the interface is up, and an uplink's carrier, too. True of what
 *		has none, until it has gone
 * @carries:	VNET_CARRIES_*, as of a driver
 */
struct vnet_medium_info {
	size_t size;
	const char *kind;
	char name[VNET_MEDIUM_NAME_SIZE];
	struct vnet_mac mac;
	uint32_t mtu;
	bool up;
	uint32_t carries;
};

/* Return: 0; -EINVAL for an unknown info->size, why it has gone, or what the
 * kernel says. */
VNET_API int vnet_medium_get(const struct vnet_medium *m,
			     struct vnet_medium_info *info);

/**
 * struct vnet_medium_stats - what a medium loses
 * @size:	sizeof(struct vnet_medium_stats), set by the caller
 * @in_dropped:	frames for the switch that the kernel dropped, since they were
 *		not read in time
 * @out_dropped: frames from the switch that the kernel dropped; may hold those
 *		that the switch has counted as refused
 * @in_errors:	frames read that were of no use: longer than a frame can be,
 *		offload fields of no known kind, a length out of bounds
 *
 * "in" and "out" are those of the switch. What the kernel drops is outside of
 * the switch's sums.
 */
struct vnet_medium_stats {
	size_t size;
	uint64_t in_dropped;
	uint64_t out_dropped;
	uint64_t in_errors;
};

/* Return: as vnet_medium_get(). */
VNET_API int vnet_medium_get_stats(struct vnet_medium *m,
				   struct vnet_medium_stats *stats);

VNET_END_DECLS

#endif
