/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the media have in common: the way between a descriptor and a client.
 *
 * A kind of medium is a struct that begins with a struct vnet_medium, a table
 * of functions, and a way to open it.
 */
#ifndef VNET_LINUX_MEDIUM_H
#define VNET_LINUX_MEDIUM_H

#include <stdatomic.h>

#include <vnet/medium.h>
#include <vnet/switch.h>

/* The longest frame that is read: an IP datagram, header and two tags, and then
 * some. */
#define MEDIUM_FRAME_MAX ((size_t)65536 + 64)

/* Frames are read one behind the other, each with room for the longest, so
 * that 64 short ones fit and large ones stay within a processor's cache. */
#define MEDIUM_ROOM (4 * MEDIUM_FRAME_MAX)

/* Frames that are read in a turn from a medium of which each costs a system call,
 * and the one that writes it another: in the time that these take, some five
 * microseconds, all others wait. */
#define MEDIUM_TURN 4

/* Is there room for one more, behind so many octets? */
#define MEDIUM_FITS(used) ((used) + MEDIUM_FRAME_MAX <= MEDIUM_ROOM)

/* Where the next begins: on a cache line of its own. */
#define MEDIUM_NEXT(used) (((used) + 63) & ~(size_t)63)

struct vnet_watch;

/**
 * struct vnet_media - what the media of a thread have in common
 * @epoll_fd:	of the sockets of @watches, and of @stale_fd
 * @stale:	media to be looked at, in a line by next_stale that ends at
 *		*stale_end
 * @stale_fd:	an eventfd, readable while there are any
 *
 * Of one thread. A medium that is not attached, and is not on the list of
 * changes either, has no part in it.
 */
struct vnet_media {
	struct vnet_medium *changed;
	struct vnet_watch *watches;
	int epoll_fd;
	struct vnet_medium *stale;
	struct vnet_medium **stale_end;
	int stale_fd;
	struct vnet_frame frames[VNET_MEDIUM_BATCH];
	uint8_t room[MEDIUM_ROOM];
};

/**
 * struct medium_ops - a kind of medium
 * @kind:	its name
 * @send:	as of a driver; its ctx is the medium, which has not gone
 * @flush:	send what it has kept of frames that it took, and say that it is
 *		full if some is left. 0, or -errno if the medium has gone. NULL
 *		if it keeps nothing
 * @receive:	read, and call vnet_medium_input(). Returns frames read, or
 *		-errno if the medium has gone, after what came before is input
 * @get:	fill in what is zero, which is all but kind and carries. From
 *		any thread
 * @get_stats:	fill in what the kernel counts; in_errors is there. Likewise.
 *		May be NULL
 * @look:	watch the interface where it is now, see what has become of it,
 *		and call vnet_medium_set_up(). 0, or -errno if the medium has
 *		gone, or cannot be watched and has to be. NULL if there is none
 * @release:	free what is not in struct vnet_medium. May be NULL
 * @comes_and_goes: that it has gone says nothing of its port, whose link stays
 */
struct medium_ops {
	const char *kind;
	int (*send)(struct vnet_medium *m, const struct vnet_frame *frames,
		    size_t n, size_t *refused);
	int (*flush)(struct vnet_medium *m);
	int (*receive)(struct vnet_medium *m, vnet_nsec now);
	int (*get)(const struct vnet_medium *m, struct vnet_medium_info *info);
	int (*get_stats)(struct vnet_medium *m,
			 struct vnet_medium_stats *stats);
	int (*look)(struct vnet_medium *m);
	void (*release)(struct vnet_medium *m);
	bool comes_and_goes;
};

/**
 * struct vnet_medium - the beginning of every medium
 * @sw, @port, @client: what it is attached to; client is VNET_NO_ID if to
 *		nothing
 * @error:	0, or the -errno for which it has gone; any thread may read it
 * @is_full:	send took less than it was offered: output is owed
 * @is_told:	the switch knows that it has gone
 * @is_listed:	it is in media->changed, linked by @next
 * @is_up:	the interface is, or there is none
 * @is_stale:	it is in media->stale, linked by @next_stale
 * @watch:	where the interface of @index is watched, while it is attached;
 *		or NULL
 * @in_errors:	any thread may read it
 */
struct vnet_medium {
	const struct medium_ops *ops;
	struct vnet_driver_ops driver;
	struct vnet_media *media;
	struct vnet_switch *sw;
	vnet_port_id port;
	vnet_client_id client;
	int fd;
	atomic_int error;
	bool is_full;
	bool is_told;
	bool is_listed;
	struct vnet_medium *next;
	bool is_up;
	bool is_stale;
	uint32_t index;
	struct vnet_watch *watch;
	struct vnet_medium *next_watched;
	struct vnet_medium *next_stale;
	atomic_uint_least64_t in_errors;
};

/* A medium of @size octets, zero behind its beginning, which owns @fd from then
 * on; NULL if there is no memory. */
struct vnet_medium *vnet_medium_new(size_t size, const struct medium_ops *ops,
				    struct vnet_media *media, int fd,
				    uint32_t carries);

/* Give the first @n of media->frames to the switch. */
void vnet_medium_input(struct vnet_medium *m, size_t n, vnet_nsec now);

/* For send: the medium takes no more until it has room. */
void vnet_medium_full(struct vnet_medium *m);

/* The interface is up, or is not: so is the link of the port. */
void vnet_medium_set_up(struct vnet_medium *m, bool up);

/* Say in @why what failed; returns @error. */
int vnet_medium_why(struct vnet_why *why, const char *text, int error);

/* O_NONBLOCK, O_CLOEXEC. 0 or -errno. */
int vnet_medium_set_flags(int fd);

#endif
