/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server while it runs: asked, changed, and counted, by messages. What is here
 * is for who sends them; nothing of it needs libvnet.
 *
 * The control device
 * ------------------
 * device_open of the name that a master right has for it
 * (vnet_mach_master_config.control) gives a right of its own, by which the server
 * is controlled: as vnet-switch(8) is by vnetctl(8), with the same requests and
 * answers, JSON, an object on a line each way. device_write and
 * device_write_inband take octets of requests, in pieces of any size, at once up
 * to 65536; a line has 65535 at the most. device_read and device_read_inband give
 * octets of answers, in order, as many as there are and are wanted; they wait
 * until there are some, but with D_NOWAIT get D_WOULD_BLOCK. At most 8 wait, more
 * get D_NO_MEMORY. Who asks and does not read gets D_WOULD_BLOCK for a write in
 * the end. Every open is by itself; it ends with device_close or its last sender.
 *
 *	{"do":"port add","id":1,"port":{"type":"vif","name":"vif1",
 *	 "mac":"02:00:00:00:00:01"}}
 *	{"id":1,"ok":true}
 *
 * Of the requests of vnetctl(8) these are there:
 *
 *	show				also: what the server counts ("server")
 *	port show			"type": "vif", "uplink" or "other"
 *	port add			see below
 *	port set			mtu, siblings, max_clients, promisc,
 *					set_address, grant, up, sticky, loop_guard,
 *					default_in, default_out
 *	port del
 *	client show, client set,	of opens of a vif; what can be set is
 *	client del			queue_octets, weight, max_addresses
 *	filter show, filter add, filter del
 *	filter set			port, side, filters (a list), default: the
 *					chain is replaced as a whole
 *	grant show, grant add,		see below
 *	grant revoke
 *	limit show, limit set, limit del
 *	fdb show, fdb add, fdb del, fdb flush	to add is to a client: "vif1/0"
 *	stats				"medium" has what is counted outside the
 *					switch, by the names of struct
 *					vnet_mach_facet_info and
 *					vnet_mach_uplink_info
 *
 * A filter has "insns" in the place of "expr": a list of [code, jt, jf, k], as in
 * struct bpf_insn; without it matches every frame. A port has, beside "name",
 * "type", "mtu", "sticky", "loop_guard", "default_in", "default_out", "limits"
 * and "filters",
 *
 *	of type "vif": "mac" (required where there is no "grant"); "device", the name by which it is opened
 *	on the master right that control was opened on, where that is not "name";
 *	"addresses", "siblings", "max_clients", "promisc" and "set_address"
 *	(VNET_MACH_MAY_PROMISC, _SET_ADDRESS), "grant", the name of the grant of all
 *	who open it, "up"
 *	of type "uplink": "interface" (required), the name of the device; "right",
 *	what the right that comes with the request is: "master" (the default),
 *	which opens it, or "device"; "own_only" (VNET_MACH_UPLINK_NO_PROMISC);
 *	"share_address": "never", "always" or "fallback"
 *
 * A grant has "parent", and what mach_grant.h has words for: a value, or a list of
 * them; those of a rate in an object, "rate". What it does not say of queue, rate
 * and time is its parent's. It is shown with "until_ns", of the switch's time, in
 * the place of "until".
 *
 *	{"do":"grant add","name":"alice","grant":{"parent":"lab",
 *	 "mac":"02:00:00:00:aa:01","ipv4":["10.9.0.1"],"may":["broadcast"]}}
 *	{"do":"grant revoke","name":"alice"}
 *
 * Requests with a right
 * ---------------------
 * An uplink needs a send right, which device_write does not carry. A message to
 * the right of the control device does:
 *
 *	routine vnet_control(
 *		device:		mach_port_t;
 *		right:		mach_port_send_t;
 *		request:	array [*:2048] of char;
 *	 out	answer:		array [*:2048] of char);
 *
 * with the id VNET_MACH_CONTROL_ID, laid out as MIG does (an inline array of
 * MACH_MSG_TYPE_CHAR). The request is one line, with or without its end; so is
 * the answer, "ok" or not, with KERN_SUCCESS. The right is taken where the request
 * needs one and is done, and released otherwise; that of the server itself is
 * refused. Any request may come so; one whose answer is longer than that is told
 * so. Beside the above there is
 *
 *	uplink give			port, right: another right for the same
 *					device, vnet_mach_uplink_give()
 *
 * The counters of a vif
 * ---------------------
 * Whoever holds the right of an open vif may read the counters of the vif, and of
 * that open, by device_get_status: VNET_MACH_STATUS_VIF and
 * VNET_MACH_STATUS_CLIENT. The first word is how many counters follow, at most as
 * many as fit; each has two words, the low one first.
 */
#ifndef VNET_MACH_CONTROL_H
#define VNET_MACH_CONTROL_H

#include <stdint.h>

#define VNET_MACH_CONTROL_ID       76100
#define VNET_MACH_CONTROL_REPLY_ID 76200

/* Octets of the request, and of the answer, at the most. */
#define VNET_MACH_CONTROL_MAX 2048

/* Flavours of device_get_status: of the vif, those of its former clients
 * included, and of the one that asks. */
#define VNET_MACH_STATUS_VIF    0x766e0001
#define VNET_MACH_STATUS_CLIENT 0x766e0002

/* Which counter is where: what each is, struct vnet_client_stats and struct
 * vnet_mach_facet_info say. */
enum vnet_mach_counter {
	VNET_MACH_COUNTER_IN_FRAMES = 0,
	VNET_MACH_COUNTER_IN_OCTETS,
	VNET_MACH_COUNTER_IN_DROPPED_FRAMES,
	VNET_MACH_COUNTER_IN_DROPPED_OCTETS,
	VNET_MACH_COUNTER_LOOKED_UP_FRAMES,
	VNET_MACH_COUNTER_LOOKED_UP_OCTETS,
	VNET_MACH_COUNTER_COPIES_FRAMES,
	VNET_MACH_COUNTER_COPIES_OCTETS,
	VNET_MACH_COUNTER_OUT_FRAMES,
	VNET_MACH_COUNTER_OUT_OCTETS,
	VNET_MACH_COUNTER_SEGMENTS_FRAMES,
	VNET_MACH_COUNTER_SEGMENTS_OCTETS,
	VNET_MACH_COUNTER_DELIVERED_FRAMES,
	VNET_MACH_COUNTER_DELIVERED_OCTETS,
	VNET_MACH_COUNTER_QUEUED_FRAMES,
	VNET_MACH_COUNTER_QUEUED_OCTETS,
	VNET_MACH_COUNTER_OUT_DROPPED_FRAMES,
	VNET_MACH_COUNTER_OUT_DROPPED_OCTETS,
	VNET_MACH_COUNTER_LOST_BY_OTHERS_FRAMES,
	VNET_MACH_COUNTER_LOST_BY_OTHERS_OCTETS,
	VNET_MACH_COUNTER_MOVES,
	VNET_MACH_COUNTER_MOVES_REFUSED,
	VNET_MACH_COUNTER_QUEUE_MEMORY,
	VNET_MACH_COUNTER_WRITES,
	VNET_MACH_COUNTER_WRITE_LENGTH,
	VNET_MACH_COUNTER_WRITE_DOWN,
	VNET_MACH_COUNTER_WRITE_DENIED,
	VNET_MACH_COUNTER_WRITE_FULL,
	VNET_MACH_COUNTER_WRITE_FAULT,
	VNET_MACH_COUNTER_SENT,
	VNET_MACH_COUNTER_SENT_FULL,
	VNET_MACH_COUNTER_SENT_DEAD,
	VNET_MACH_COUNTER_READ,
	VNET_MACH_COUNTER_READ_CUT,
	VNET_MACH_COUNTER_READ_FULL,
	/* 0 up to here, for those to come. Then four for each enum vnet_drop
	 * (<vnet/client.h>), in its order, from VNET_DROP_NONE: frames and octets
	 * dropped on the way in, frames and octets on the way out. */
	VNET_MACH_COUNTER_DROPS = 64,
};

/* One of them, of what device_get_status has given; 0 if it is not there. */
static inline uint64_t
vnet_mach_counter(const int *status, uint32_t count, uint32_t counter)
{
	if (count < 1 || counter >= (uint32_t)status[0] ||
	    2 * counter + 2 >= count)
		return 0;
	return (uint32_t)status[1 + 2 * counter] |
	       (uint64_t)(uint32_t)status[2 + 2 * counter] << 32;
}

#endif
