/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client and a switch ask and answer, one message each, on the socket to
 * which the client has connected:
 *
 *	client				switch
 *	struct attach_open	->
 *				<-	struct attach_welcome, and with it the
 *					socket for frames; or struct
 *					attach_answer, why not
 *	struct attach_filters	->
 *				<-	struct attach_answer
 *	ATTACH_GRANT		->
 *				<-	struct attach_grant; or struct
 *					attach_answer, where there is none
 *	struct attach_grant	->	(ATTACH_DELEGATE)
 *				<-	ATTACH_DELEGATED, and with it a socket
 *					as this one; or struct attach_answer
 *	...
 *
 * Both run on one machine, so the byte order is its own; but one may be built
 * for 32 bits and the other for 64, and they may be of different versions.
 * Every field that is reserved is zero.
 *
 * What is on the socket for frames is in attach_frames.h.
 */
#ifndef VNET_LINUX_ATTACH_WIRE_H
#define VNET_LINUX_ATTACH_WIRE_H

#include <stdint.h>
#include <sys/types.h>

#include <vnet/attach.h>

#define ATTACH_MAGIC   UINT32_C(0x766e6174) /* "vnat" */
#define ATTACH_VERSION 2

/* The longest message: filters of some 16,000 instructions. */
#define ATTACH_MESSAGE_MAX ((size_t)128 << 10)

/* VNET_CARRIES_*: what may be said of a client. Tags are never beside a frame
 * here. */
#define ATTACH_CARRIES                                               \
	(VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TSO6 | \
	 VNET_CARRIES_USO)

enum attach_type {
	ATTACH_OPEN = 1,
	ATTACH_FILTERS = 2,
	ATTACH_WELCOME = 3,
	ATTACH_ANSWER = 4,
	ATTACH_GRANT = 5, /* a struct attach_head alone */
	ATTACH_GRANTED = 6,
	ATTACH_DELEGATE = 7,
	ATTACH_DELEGATED = 8, /* a struct attach_head alone */
};

/**
 * struct attach_head - the beginning of every message
 * @type:	enum attach_type
 * @id:		of a request: the client's to choose. Of an answer: that of what
 *		it answers
 */
struct attach_head {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint32_t id;
	uint32_t reserved;
};

/* @vif: filled up with NULs, of which there is at least one; and so are all
 * names and texts below */
struct attach_open {
	struct attach_head head;
	char vif[VNET_PORT_NAME_SIZE];
	uint32_t carries;
	uint32_t reserved[3];
};

/* @mac: the client's own */
struct attach_welcome {
	struct attach_head head;
	char vif[VNET_PORT_NAME_SIZE];
	uint32_t index;
	uint32_t mtu;
	uint8_t mac[6];
	uint8_t reserved[2];
};

/* A rule; its instructions are behind all the rules, in the same order. */
struct attach_rule {
	char name[VNET_RULE_NAME_SIZE];
	uint32_t priority;
	uint32_t verdict;
	uint32_t ninsns;
	uint32_t reserved;
};

/* Then @nrules of struct attach_rule, and @ninsns of struct vnet_bpf_insn. */
struct attach_filters {
	struct attach_head head;
	uint32_t side;
	uint32_t default_verdict;
	uint32_t nrules;
	uint32_t ninsns;
};

/**
 * struct attach_grant - a struct vnet_grant
 * @name:	that of GRANTED; of DELEGATE nobody looks at it
 * @until:	of CLOCK_MONOTONIC
 * @has_rate:	0 or 1
 *
 * All lists are there as a whole: of each, so many count as the number says.
 */
struct attach_grant {
	struct attach_head head;
	char name[VNET_GRANT_NAME_SIZE];
	uint32_t nmacs;
	uint32_t ngroups;
	uint32_t nipv4;
	uint32_t nipv6;
	uint32_t nvlans;
	uint32_t nethertypes;
	uint32_t may;
	uint32_t max_addresses;
	uint32_t max_clients;
	uint32_t queue_octets;
	uint32_t depth;
	uint32_t has_rate;
	uint64_t until;
	uint64_t frames_per_s;
	uint64_t octets_per_s;
	uint64_t burst_frames;
	uint64_t burst_octets;
	struct vnet_grant_lists lists;
};

/* @error: enum attach_error; @part: enum vnet_grant_part, of DELEGATE; the rest is a
 * struct vnet_why */
struct attach_answer {
	struct attach_head head;
	uint32_t error;
	uint32_t part;
	uint64_t index;
	uint64_t found;
	uint64_t bound;
	char text[VNET_ATTACH_TEXT_SIZE];
};

_Static_assert(sizeof(struct attach_head) == 16, "the same on every ABI");
_Static_assert(sizeof(struct attach_open) == 64, "the same on every ABI");
_Static_assert(sizeof(struct attach_welcome) == 64, "the same on every ABI");
_Static_assert(sizeof(struct attach_rule) == 48, "the same on every ABI");
_Static_assert(sizeof(struct attach_filters) == 32, "the same on every ABI");
_Static_assert(sizeof(struct attach_answer) == 176, "the same on every ABI");
_Static_assert(sizeof(struct attach_grant) == 2824, "the same on every ABI");
_Static_assert(sizeof(struct vnet_bpf_insn) == 8, "the same on every ABI");

/* Errors have numbers of their own here: those of errno are not the same
 * everywhere. One that has none is sent as EIO. */
uint32_t vnet_attach_error_to_wire(int error);
int vnet_attach_error_from_wire(uint32_t number);

/* Octets of a message, which is copied to @to, of @size octets; 0 if the peer
 * has left. -EAGAIN, -ETIMEDOUT (neither is told from the other), -EMSGSIZE if it
 * is longer, -EBADMSG if there are more descriptors with it than *@fd can take
 * (@fd is NULL: any), or another -errno. *@fd is -1 if there was none. */
ssize_t vnet_attach_receive_message(int socket, void *to, size_t size, int *fd,
				    int flags);

/* Send one, with a descriptor unless @fd is -1. 0 or -errno; -EPIPE if the peer
 * has left. */
int vnet_attach_send_message(int socket, const void *message, size_t len,
			     int fd, int flags);

/* To a message, but for its head, and back: the lists are then those of the
 * message. 0, or -EINVAL for what can be none. What it says is not checked. */
int vnet_attach_grant_to_wire(struct attach_grant *m,
			      const struct vnet_grant *grant);
int vnet_attach_grant_from_wire(const struct attach_grant *m,
				struct vnet_grant *grant);

/* A session of a socket that is connected, which it owns on success. Return: as
 * vnet_attach_accept(). */
int vnet_session_adopt(struct vnet_session **session, int fd,
		       struct vnet_why *why);

/* Is the text of @size octets, and does it end within them? */
bool vnet_attach_is_text(const char *text, size_t size);

/* Copy a text, cut to what there is room for, and fill up with NULs. */
void vnet_attach_copy_text(char *to, size_t size, const char *text);

/* Let nobody pass descriptors to a socket: where we had the last reference, the
 * kernel would end what it refers to in our time, and wait for that as long as its
 * owner wishes (SO_LINGER). From Linux 6.16 on; before, nothing helps. */
void vnet_attach_refuse_descriptors(int socket);

#endif
