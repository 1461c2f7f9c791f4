/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local attachment: a process opens a client of a vif of a switch that another
 * process runs, through a Unix socket, without any privilege.
 *
 * A session is two sockets of SOCK_SEQPACKET. One, to which the client has
 * connected, is for what is asked and answered: which vif, which filters. The
 * other is for frames alone, each behind its offload fields, several a message;
 * the switch makes it and hands it over with its welcome. A session ends when
 * either is closed; of a process that has forked, when all have closed it.
 *
 * First here what a client uses, then what a switch does.
 */
#ifndef VNET_ATTACH_H
#define VNET_ATTACH_H

#include <vnet/types.h>
#include <vnet/filter.h>
#include <vnet/grant.h>
#include <vnet/medium.h>
#include <vnet/port.h>

VNET_BEGIN_DECLS

/*
 * The client. One is used by one thread at a time; but once it is a medium,
 * what asks the switch may be called by another one than uses that. Nothing waits for
 * anything but vnet_attach_open(), vnet_attach_adopt(),
 * vnet_attach_set_filters(), vnet_attach_grant() and vnet_attach_delegate().
 */

struct vnet_attach;

/* Octets of what a switch says, with the terminating NUL. */
#define VNET_ATTACH_TEXT_SIZE 128

/**
 * struct vnet_attach_config - what to open
 * @size:	sizeof(struct vnet_attach_config)
 * @path:	of the switch's socket
 * @vif:	the name of the port; NULL for the only one that the socket is for
 * @carries:	VNET_CARRIES_CSUM, _TSO4, _TSO6, _USO: the offload fields that the
 *		caller understands in frames that it receives. (It may send frames
 *		with any of them.)
 * @timeout_ms:	how long to wait for each answer; 0 for 5000
 * @text:	room for VNET_ATTACH_TEXT_SIZE octets: what the switch says when
 *		it refuses, and why->text points there then. NULL where it is
 *		enough to know that it does
 */
struct vnet_attach_config {
	size_t size;
	const char *path;
	const char *vif;
	uint32_t carries;
	uint32_t timeout_ms;
	char *text;
};

/**
 * vnet_attach_open() - open a client of a vif
 * @a:		set on success
 * @why:	filled when it fails, with the step that did; may be NULL
 *
 * Return: 0; -EACCES if the switch does not let the caller, -ENOENT if there is
 * no such vif, or no such socket, -ECONNREFUSED, -EUSERS if there are as many
 * clients as there may be, -ETIMEDOUT, -EPROTO if what answers is no switch, or
 * hangs up, -ENOMEM, ...
 */
VNET_API int vnet_attach_open(struct vnet_attach **a,
			      const struct vnet_attach_config *config,
			      struct vnet_why *why);

/**
 * vnet_attach_adopt() - open a client by a session that somebody handed over
 * @fd:		of vnet_attach_delegate(); the client's on success
 * @config:	its path is NULL
 *
 * Return: as vnet_attach_open(); -EINVAL if @fd is no such socket.
 */
VNET_API int vnet_attach_adopt(struct vnet_attach **a, int fd,
			       const struct vnet_attach_config *config,
			       struct vnet_why *why);

/* What the switch says of it: vif, the address to send from, and MTU. */
struct vnet_attach_info {
	size_t size; /* set by the caller */
	char vif[VNET_PORT_NAME_SIZE];
	uint32_t index; /* of the client at its vif */
	struct vnet_mac mac;
	uint32_t mtu;
};

/* Return: 0, -EINVAL for an unknown info->size. */
VNET_API int vnet_attach_get(const struct vnet_attach *a,
			     struct vnet_attach_info *info);

/* To be watched: for reading, and for writing while vnet_attach_send() took less
 * than it was given, level-triggered. The same until vnet_attach_close(), which
 * closes it; -1 once it is a medium. */
VNET_API int vnet_attach_fd(const struct vnet_attach *a);

/* The most frames that one call moves. */
#define VNET_ATTACH_BATCH 64

/**
 * vnet_attach_send() - give frames to the switch
 *
 * Their tags out of band (vnet_frame.tag) are put into the frame.
 *
 * Return: how many it took, fewer than @n when there is no more room now, or
 * before one that cannot be sent; of the first, -EMSGSIZE if it is longer than a
 * frame can be, or than the socket holds, -EINVAL if its tags or its offload
 * fields are none; -EPIPE if the switch has ended the session.
 */
VNET_API int vnet_attach_send(struct vnet_attach *a,
			      const struct vnet_frame *frames, size_t n);

/**
 * vnet_attach_receive() - take frames from the switch
 * @frames:	filled; what they point to is lent until the next call of this
 *		function for @a, or vnet_attach_close()
 * @max:	room there; no more than VNET_ATTACH_BATCH are filled
 *
 * What it reads to is 260 KiB, which the first call takes.
 *
 * Return: how many, 0 if there are none now; -EPIPE if the switch has ended the
 * session, behind the last of them; -ENOMEM at the first call.
 */
VNET_API int vnet_attach_receive(struct vnet_attach *a,
				 struct vnet_frame *frames, size_t max);

/**
 * vnet_attach_set_filters() - replace its receive filters of one side
 * @side:	VNET_RECEIVE_IN or VNET_RECEIVE_OUT
 * @why:	what the switch says; its text is lent until the next call for @a;
 *		may be NULL
 *
 * As vnet_filter_set(). Return: 0; what that returns; -ENOSPC if they are too many
 * for a message (of 128 KiB, some 16,000 instructions); -ETIMEDOUT,
 * and then it is not known whether they hold; -EPIPE.
 */
VNET_API int vnet_attach_set_filters(struct vnet_attach *a, enum vnet_side side,
				     const struct vnet_rule *rules,
				     size_t nrules,
				     enum vnet_verdict default_verdict,
				     struct vnet_why *why);

/**
 * vnet_attach_grant() - what may it send and receive?
 * @grant:	filled, as vnet_grant_get() has it; its lists and name are lent
 *		until the next call of this function for @a. @until is of
 *		CLOCK_MONOTONIC
 * @why:	as above
 *
 * It is what holds as the switch answers, and may be changed or revoked there.
 *
 * Return: 0; -ENOENT if the client has none, and is not guarded; -EINVAL for an
 * unknown grant->size, -EOPNOTSUPP, -ETIMEDOUT, -EPIPE.
 */
VNET_API int vnet_attach_grant(struct vnet_attach *a, struct vnet_grant *grant,
			       struct vnet_why *why);

/**
 * vnet_attach_delegate() - a session for somebody else, with less
 * @grant:	below that of @a. Its name is the switch's to choose, and may be
 *		NULL; @until is of CLOCK_MONOTONIC
 * @fd:		set on success: a socket for one vnet_attach_adopt(), at the same vif. To be
 *		passed on, to a child or by SCM_RIGHTS, or closed
 * @part:	set where it returns -EINVAL or -EPERM; may be NULL
 * @why:	as above
 *
 * Whoever has the socket opens a client that is guarded by @grant. It ends at the
 * latest when @a does. What it takes of the grant's clients and addresses is no
 * more that of @a until then.
 *
 * Return: 0; -EPERM if @grant is not contained in that of @a, or what is left of
 * it, -EINVAL if it is none, -ENOENT if @a has no grant, -ENOSPC, -EOPNOTSUPP,
 * -ETIMEDOUT, -EPIPE, ...
 */
VNET_API int vnet_attach_delegate(struct vnet_attach *a,
				  const struct vnet_grant *grant, int *fd,
				  enum vnet_grant_part *part,
				  struct vnet_why *why);

/**
 * vnet_attach_medium() - make a client a medium of a switch of the caller's
 * @m:		set on success: kind "attach". It carries all that a client may
 *		send, and vnet_medium_get() says the client's address and MTU
 * @a:		the medium's on success, which closes it. Until then it may
 *		still be asked, and set filters
 *
 * Return: 0; -EALREADY if it is one, -ENOMEM.
 */
VNET_API int vnet_attach_medium(struct vnet_medium **m,
				struct vnet_media *media, struct vnet_attach *a,
				struct vnet_why *why);

/* End the session. NULL is nothing to do. */
VNET_API void vnet_attach_close(struct vnet_attach *a);

/*
 * The switch. What is asked and answered may be done by another thread than the
 * one that forwards (medium.h); nothing waits for the client.
 */

/**
 * vnet_attach_listen() - wait for clients at a Unix socket
 * @path:	of the socket. One that nobody listens at is replaced, any other
 *		file is not
 * @mode:	who may connect, as of chmod(2), whatever the umask is
 * @fd:		set on success: watch it for reading, hand it to
 *		vnet_attach_accept(), close it; the file at @path is then the
 *		caller's to remove
 * @why:	filled when it fails, with the step that did; may be NULL
 *
 * Return: as vnet_stream_listen(); -EINVAL for a mode that is none.
 */
VNET_API int vnet_attach_listen(const char *path, uint32_t mode, int *fd,
				struct vnet_why *why);

struct vnet_session;

/* Take a client that has connected. Return: 0; -EAGAIN if there is none,
 * -ENOMEM, -EMFILE, ... */
VNET_API int vnet_attach_accept(struct vnet_session **session, int listen_fd,
				struct vnet_why *why);

/* Watch it for reading, and call vnet_session_next() when it is so. */
VNET_API int vnet_session_fd(const struct vnet_session *session);

/* Who has connected (SO_PEERCRED: as of then). */
struct vnet_session_peer {
	size_t size; /* set by the caller */
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
};

/* Return: 0, -EINVAL for an unknown peer->size. */
VNET_API int vnet_session_peer(const struct vnet_session *session,
			       struct vnet_session_peer *peer);

/* Has the peer this group, as its own or a supplementary one (SO_PEERGROUPS)? */
VNET_API bool vnet_session_has_group(const struct vnet_session *session,
				     uint32_t gid);

enum vnet_request_type {
	VNET_REQUEST_OPEN = 1,    /* the first, and that only once */
	VNET_REQUEST_FILTERS = 2, /* vnet_attach_set_filters() */
	VNET_REQUEST_GRANT = 3,
	VNET_REQUEST_DELEGATE = 4,
};

/**
 * struct vnet_request - what a client asks for
 * @size:	sizeof(struct vnet_request), set by the caller
 * @vif:	of OPEN; empty if it did not say
 * @side, @rules, @nrules, @default_verdict: of FILTERS, lent until it is answered.
 *		Names and programs are bytes from outside: vnet_filter_set()
 *		checks them. The side is one of a client's
 * @grant:	of DELEGATE, likewise: vnet_grant_add() checks it. Its name may
 *		be empty
 */
struct vnet_request {
	size_t size;
	enum vnet_request_type type;
	char vif[VNET_PORT_NAME_SIZE];
	enum vnet_side side;
	const struct vnet_rule *rules;
	size_t nrules;
	enum vnet_verdict default_verdict;
	struct vnet_grant grant;
};

/**
 * vnet_session_next() - what does the client ask for?
 *
 * Each request is answered before the next is read: by vnet_session_welcome() if
 * it is OPEN, vnet_session_grant() if it is GRANT, vnet_session_delegate() if it
 * is DELEGATE, and what it asks for is given; else by vnet_session_answer(). A
 * program that knows of no grants says -EOPNOTSUPP.
 *
 * Return: 1 with @request filled, 0 if there is none now; -EPIPE if the client has
 * left, -EPROTO if what it sends is no request (which it has been told), or if it
 * was refused a vif: end the session then. -EBUSY if the last one is not
 * answered, -EINVAL for an unknown request->size.
 */
VNET_API int vnet_session_next(struct vnet_session *session,
			       struct vnet_request *request);

/* The most of vnet_session_open(). */
#define VNET_ATTACH_SNDBUF_MAX (UINT32_C(1) << 30)

/**
 * vnet_session_open() - make the medium of a session that may open a vif
 * @m:		set on success: kind "attach". Attach it to the port, then call
 *		vnet_session_welcome(). It outlives the session where that ends
 *		first, and says that it has gone when the client has left
 * @sndbuf:	octets that the kernel may hold for the client, and of it, as of
 *		SO_SNDBUF: it takes twice that, and counts 768 for a short frame
 *		that comes alone, 16,640 for many that come together, and 70,000
 *		for one of 64 KiB. VNET_ATTACH_SNDBUF_MAX at the most; 0 for
 *		212992; less than one of the longest takes is raised to that.
 *		Beyond net.core.wmem_max it takes CAP_NET_ADMIN, or is that
 * @why:	filled when it fails, with the step that did; may be NULL
 *
 * Return: 0; -EALREADY if it has one, -EINVAL if it has not asked for one,
 * -ENOMEM, -EMFILE, ...
 */
VNET_API int vnet_session_open(struct vnet_session *session,
			       struct vnet_medium **m, struct vnet_media *media,
			       uint32_t sndbuf, struct vnet_why *why);

/* Tell the client that it has what it asked for, and what that is: @info is as
 * vnet_attach_get() will give it. Return: 0; -EPIPE if it has left, or does not
 * read: end the session then. -EINVAL for an unknown info->size, or without
 * vnet_session_open(). */
VNET_API int vnet_session_welcome(struct vnet_session *session,
				  const struct vnet_attach_info *info);

/* Answer: 0 for done, or why not, an -errno, and @why (may be NULL) to say more,
 * of which the text is cut to VNET_ATTACH_TEXT_SIZE. Return: as
 * vnet_session_welcome(); -EINVAL if nothing was asked, or what was asked is
 * given. */
VNET_API int vnet_session_answer(struct vnet_session *session, int error,
				 const struct vnet_why *why);

/* Likewise why not, and which part of a grant is wrong. */
VNET_API int vnet_session_refuse(struct vnet_session *session, int error,
				 enum vnet_grant_part part,
				 const struct vnet_why *why);

/* Tell the client its grant, of which until is of CLOCK_MONOTONIC. Return: as
 * vnet_session_welcome(); -EINVAL if it did not ask. */
VNET_API int vnet_session_grant(struct vnet_session *session,
				const struct vnet_grant *grant);

/**
 * vnet_session_delegate() - give the client a session for somebody else
 * @made:	set on success: as one of vnet_attach_accept(), of the same peer.
 *		What it opens is to have the grant that was asked for; it is to
 *		end when @session ends
 * @why:	filled on failure; may be NULL
 *
 * Return: 0; -EPIPE if the client has left, or does not read: end @session then.
 * -EINVAL if it did not ask; -ENOMEM, -EMFILE, ..., to be answered.
 */
VNET_API int vnet_session_delegate(struct vnet_session *session,
				   struct vnet_session **made,
				   struct vnet_why *why);

/* End it; its medium is the caller's to close. NULL is nothing to do. */
VNET_API void vnet_session_close(struct vnet_session *session);

VNET_END_DECLS

#endif
