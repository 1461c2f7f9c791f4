/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request under way, and what its answer is made of. A request is read and
 * done at once; what it shows is written piece by piece, as it is read, so that
 * an answer may be of any length.
 */
#ifndef VNET_CONTROL_CALL_H
#define VNET_CONTROL_CALL_H

#include "complaint.h"
#include "control_host.h"
#include "control_keys.h"

struct vnet_control_walk;

/* Octets of the most that one piece has. */
#define VNET_CONTROL_PIECE 12288

/* What has become of a piece. */
enum vnet_control_step {
	VNET_CONTROL_END,   /* there is nothing left, and nothing written */
	VNET_CONTROL_AGAIN, /* nothing written: ask again */
	VNET_CONTROL_PUT,   /* one is written */
};

/**
 * struct vnet_control_walk - what an answer has told, and where it goes on
 * @next:	write the next piece; NULL where there is no result
 * @is_list:	each piece is an element of the result, a list; else the pieces
 *		together are the result
 * @port:	where it is; VNET_NO_ID before the first
 * @client:	a client that is meant alone, or VNET_NO_ID
 * @grant:	likewise where it is, of grants
 * @is_one:	@port is meant alone
 * @has_begun:	with @port
 * @is_over:	with it, where it is meant alone
 * The rest is for @next alone.
 */
struct vnet_control_walk {
	enum vnet_control_step (*next)(const struct vnet_control_host *h,
				       struct vnet_control_walk *k,
				       struct vnet_json_writer *w);
	bool is_list;
	bool is_one;
	bool has_begun;
	bool is_over;
	vnet_port_id port;
	vnet_client_id client;
	vnet_grant_id grant;
	unsigned int stage;
	unsigned int side;
	uint32_t index;
	uint64_t cursor;
	bool is_unbalanced;
};

/**
 * struct vnet_control_call - a request
 * @request:	an object
 * @name:	its command, as where it is in complaints
 * @right:	what it has brought; the call sets it to 0 where it takes it
 * @walk:	what it shows, if anything
 * @c:		what is wrong
 */
struct vnet_control_call {
	const struct vnet_control_host *host;
	struct vnet_json request;
	struct vnet_place name;
	struct vnet_control_right *right;
	struct vnet_control_walk *walk;
	struct vnet_complaint *c;
};

/* The two keys that each request may have, in the table of its keys. */
#define VNET_CONTROL_KEYS                           \
	{.name = "do", .form = VNET_FORM_ANY},      \
	{                                           \
		.name = "id", .form = VNET_FORM_ANY \
	}

/* Commands: 0, or -errno with a complaint. */
typedef int vnet_control_command(struct vnet_control_call *call);

vnet_control_command vnet_control_show, vnet_control_stats;
vnet_control_command vnet_control_port_show, vnet_control_port_add,
	vnet_control_port_set, vnet_control_port_del, vnet_control_uplink_give;
vnet_control_command vnet_control_client_show, vnet_control_client_set,
	vnet_control_client_del;
vnet_control_command vnet_control_filter_show, vnet_control_filter_add,
	vnet_control_filter_set, vnet_control_filter_del;
vnet_control_command vnet_control_limit_show, vnet_control_limit_set,
	vnet_control_limit_del;
vnet_control_command vnet_control_grant_show, vnet_control_grant_add,
	vnet_control_grant_revoke;
vnet_control_command vnet_control_fdb_show, vnet_control_fdb_add,
	vnet_control_fdb_del, vnet_control_fdb_flush;

#endif
