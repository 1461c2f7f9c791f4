/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants: what a client that is not trusted may send and receive, and how that
 * is divided further.
 *
 * A switch holds a tree of grants. A client that has one is guarded: each frame
 * that it sends, and each that is meant for it, is held against the grant
 * before anything else has a say in it, and one that does not fit is dropped as
 * VNET_DROP_NOT_GRANTED, one of which that cannot be decided as
 * VNET_DROP_UNDECIDED. Neither is learned from. The switch that grants
 * enforces; nothing is asked of who is granted.
 *
 * What is granted of a frame's content is compiled into two BPF programs (the
 * guard), one for what the client sends and one for what it is sent, which are
 * not chains, and which nobody but the grant changes. They return an enum
 * vnet_grant_part. How many addresses are in use, and how much is sent, is
 * counted beside them.
 *
 * A grant below another one is contained in it, which is checked when it is
 * made; to revoke one ends all that hangs below it.
 *
 * What a client may send:
 *
 *  - from source addresses of @macs. One that is not granted by itself (48 bits)
 *    but by a prefix must be no other client's when it is first seen, and must
 *    not be granted by itself in any other grant of the switch, above and below
 *    too, though nobody may use it; and there are @max_addresses of them at the
 *    most, and no more than can be learned
 *  - with a tag of @vlans, or none, and no more than one (IEEE 802.1Q, 9.5; a
 *    service tag passes as little as a second one)
 *  - to any unicast address; to broadcast with VNET_MAY_BROADCAST, but for ARP
 *    and a DHCP client's messages, which may go there anyway; to the groups of
 *    @groups, or to any with VNET_MAY_MULTICAST. With addresses of IPv6, the
 *    groups that it cannot do without (RFC 4861, RFC 3810, RFC 8415: all nodes,
 *    all routers, solicited nodes, MLDv2, DHCP) are granted for IPv6 with it;
 *    with groups, those of IGMP (RFC 3376) are for IPv4
 *  - ARP (RFC 826), where there are addresses of IPv4: requests and replies,
 *    the sender's hardware address that of the frame, its protocol address of
 *    @ipv4; or 0.0.0.0 in a probe (RFC 5227) for an address of @ipv4
 *  - IPv4, where there are such addresses: from one of them; or from 0.0.0.0
 *    what a DHCP client (RFC 2131), and IGMP, sends from there
 *  - IPv6, where there are such addresses: from one of them, from the link-local
 *    address that is made of the frame's source address (RFC 4291, appendix A),
 *    or from :: what is sent from there (RFC 4861, RFC 4862, RFC 3810): a probe
 *    for an address that it may have, router solicitations, MLD
 *  - neighbour advertisements (RFC 4861) for the addresses that it may send
 *    from; link-layer address options that say the frame's source address
 *  - what a DHCP server or relay sends with VNET_MAY_DHCP; router advertisements
 *    and redirects, of both protocols, with VNET_MAY_ROUTE (RFC 4861, RFC 792,
 *    RFC 1256), and what multicast routers send (queries of IGMP and MLD, RFC
 *    4286, PIM, DVMRP); VRRP (RFC 9568) with VNET_MAY_VRRP; tunnels with
 *    VNET_MAY_TUNNEL
 *  - all else that is in IPv4 and IPv6
 *  - EtherTypes of @ethertypes, of which it is not looked at what is in them;
 *    frames with a length in that place, but for SNAP, with VNET_MAY_LLC
 *
 * Undecided is what has no whole headers, or says that these are longer than
 * they are; IPv6 behind more than four extension headers, or behind
 * destination options (they can replace the source address: RFC 6275); a first
 * fragment of IPv6 with more extension headers behind, or with neighbour
 * discovery (RFC 6980); more than eight neighbour discovery options.
 *
 * Not looked at: to which addresses of IP a frame is, which may differ from what
 * its destination says; protocols of routers above IP (OSPF, RIP, HSRP); what
 * DHCP clients say of themselves. A host whose link-local address is made
 * otherwise than of its source address (RFC 7217; Windows, NetworkManager), and
 * a router of VRRP for IPv6, needs that address in @ipv6; all of fe80::/64 would
 * be its router's, too.
 *
 * It is sent what is within @vlans, is ARP, IPv4, IPv6 or of an EtherType that
 * it may send, and is for a source address that it may use (of those granted by
 * a prefix: that it does use), for everybody, or for a group that it may send to
 * or that is for all hosts.
 */
#ifndef VNET_GRANT_H
#define VNET_GRANT_H

#include <vnet/types.h>
#include <vnet/filter.h>
#include <vnet/limit.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/* As vnet_port_id. The id of a grant is never that of a port or client. */
typedef uint64_t vnet_grant_id;

/* The addresses that begin as @mac does; of 48 bits, itself. Of 0 bits, every
 * one. What is behind the bits is zero. */
struct vnet_mac_prefix {
	struct vnet_mac mac;
	uint8_t bits;
};

/* Likewise, of 0 to 32 bits and of 0 to 128, in network byte order. */
struct vnet_ipv4_prefix {
	uint8_t octet[4];
	uint8_t bits;
};

struct vnet_ipv6_prefix {
	uint8_t octet[16];
	uint8_t bits;
};

/* VLAN ids (IEEE 802.1Q, 9.6) from @first to @last, at most 4094. 0 stands for
 * frames without a tag; one that only says a priority is never granted, for a
 * filter would not see behind it what it sees without. */
struct vnet_vlan_range {
	uint16_t first;
	uint16_t last;
};

/* struct vnet_grant.may */
enum {
	VNET_MAY_BROADCAST = 1 << 0,
	VNET_MAY_MULTICAST = 1 << 1,
	VNET_MAY_DHCP = 1 << 2,
	VNET_MAY_ROUTE = 1 << 3,
	VNET_MAY_VRRP = 1 << 4,
	/* IP protocols 4, 41, 47, 50, 51, 55, 94, 97, 98, 108, 115, 137, 140,
	 * 142, 143, 144; UDP to the ports 1701, 2152, 3544, 4341, 4754, 4789,
	 * 4790, 5247, 6080, 6081, 6635, 8472. Whatever else may hide in UDP or
	 * TCP hides. */
	VNET_MAY_TUNNEL = 1 << 5,
	VNET_MAY_LLC = 1 << 6,
};

/*
 * The parts of a grant. A guard returns the one that a frame does not fit, a
 * comparison of two grants the first that does not. Grows at the end.
 */
enum vnet_grant_part {
	VNET_GRANT_UNDECIDED = 0, /* what a program returns that reads beyond
				   * its frame */
	VNET_GRANT_PASS = 1,
	VNET_GRANT_MACS,
	VNET_GRANT_VLANS,
	VNET_GRANT_ETHERTYPES,
	VNET_GRANT_ARP,
	VNET_GRANT_IPV4,
	VNET_GRANT_IPV6,
	VNET_GRANT_ND,
	VNET_GRANT_BROADCAST,
	VNET_GRANT_GROUPS,
	VNET_GRANT_DHCP,
	VNET_GRANT_ROUTE,
	VNET_GRANT_VRRP,
	VNET_GRANT_TUNNEL,
	VNET_GRANT_LLC,
	VNET_GRANT_ADDRESSES, /* more than it may use, or another's */
	VNET_GRANT_OFFLOAD,   /* segments of fewer octets than
			       * VNET_GRANT_MIN_SEGMENT */
	VNET_GRANT_CLIENTS,
	VNET_GRANT_QUEUE,
	VNET_GRANT_RATE,
	VNET_GRANT_DEPTH,
	VNET_GRANT_UNTIL,
	VNET_GRANT_NPARTS
};

/* Stable name ("ipv4"), NULL for a number that is none. */
VNET_API const char *vnet_grant_part_name(enum vnet_grant_part part);

/* The least vnet_frame.gso_size of a guarded client. */
#define VNET_GRANT_MIN_SEGMENT 36

/* Entries of each list at the most. */
#define VNET_GRANT_MAX_LIST 64

/* Levels of grants at the most, the first included. */
#define VNET_GRANT_MAX_DEPTH 8

/* Octets of a grant's name, with the terminating NUL. */
#define VNET_GRANT_NAME_SIZE 32

/**
 * struct vnet_grant - what is granted
 * @size:	sizeof(struct vnet_grant)
 * @name:	1 to 31 octets, unique in its switch
 * @macs:	source addresses, 1 at the least
 * @groups:	group addresses that it may send to: prefixes of 8 bits or more
 * @ipv4:	addresses of IPv4; none: no ARP and no IPv4
 * @ipv6:	addresses of IPv6; none: no IPv6
 * @vlans:	none: frames without a tag alone
 * @ethertypes:	further ones, from 0x0600 on, neither ARP, IPv4, IPv6 nor a
 *		tag's
 * @may:	VNET_MAY_*
 * @max_addresses: source addresses in use at the same time, of all its clients;
 *		0 for as many as @macs has entries
 * @max_clients: clients with it at the same time; 0 for 1
 * @queue_octets: the most that the queue of each may be bounded to, as in struct
 *		vnet_client_config; 0 for no bound but the switch's
 * @depth:	levels of grants that may be made below it; 0 for none
 * @until:	when it ends by itself, in the time of its switch; 0 for never
 * @rate:	what may be sent by its clients and those of the grants below it
 *		together; rate.size is 0 where there is no bound
 *
 * What a grant below takes of @max_addresses and @max_clients is no more its
 * own. Lists are lent for the call, and in no order.
 */
struct vnet_grant {
	size_t size;
	const char *name;
	const struct vnet_mac_prefix *macs;
	size_t nmacs;
	const struct vnet_mac_prefix *groups;
	size_t ngroups;
	const struct vnet_ipv4_prefix *ipv4;
	size_t nipv4;
	const struct vnet_ipv6_prefix *ipv6;
	size_t nipv6;
	const struct vnet_vlan_range *vlans;
	size_t nvlans;
	const uint16_t *ethertypes;
	size_t nethertypes;
	uint32_t may;
	uint32_t max_addresses;
	uint32_t max_clients;
	uint32_t queue_octets;
	uint32_t depth;
	vnet_nsec until;
	struct vnet_limit rate;
};

/* Room for all lists of a grant. */
struct vnet_grant_lists {
	struct vnet_mac_prefix macs[VNET_GRANT_MAX_LIST];
	struct vnet_mac_prefix groups[VNET_GRANT_MAX_LIST];
	struct vnet_ipv4_prefix ipv4[VNET_GRANT_MAX_LIST];
	struct vnet_ipv6_prefix ipv6[VNET_GRANT_MAX_LIST];
	struct vnet_vlan_range vlans[VNET_GRANT_MAX_LIST];
	uint16_t ethertypes[VNET_GRANT_MAX_LIST];
};

/* Let the lists of a grant be those there; how long they are it says itself. */
static inline void
vnet_grant_use_lists(struct vnet_grant *grant,
		     const struct vnet_grant_lists *lists)
{
	grant->macs = lists->macs;
	grant->groups = lists->groups;
	grant->ipv4 = lists->ipv4;
	grant->ipv6 = lists->ipv6;
	grant->vlans = lists->vlans;
	grant->ethertypes = lists->ethertypes;
}

/*
 * Grants by themselves.
 */

/**
 * vnet_grant_check() - is this a grant?
 * @part:	set on failure to the part that is wrong; may be NULL
 * @why:	filled on failure, its index the entry of that part's list; may be
 *		NULL
 *
 * Return: 0, or -EINVAL.
 */
VNET_API int vnet_grant_check(const struct vnet_grant *grant,
			      enum vnet_grant_part *part, struct vnet_why *why);

/**
 * vnet_grant_contains() - may @inner be made below @outer?
 * @part:	set on failure to the first part that does not fit; may be NULL
 * @why:	filled on failure, its index the entry of that part's list in
 *		@inner, or 0; may be NULL
 *
 * Both have passed vnet_grant_check(). A prefix fits that several of the other
 * ones cover together. What other grants below @outer have taken is not
 * considered.
 *
 * Return: 0, or -EPERM.
 */
VNET_API int vnet_grant_contains(const struct vnet_grant *outer,
				 const struct vnet_grant *inner,
				 enum vnet_grant_part *part,
				 struct vnet_why *why);

/**
 * vnet_grant_compile() - the program of a guard
 * @side:	VNET_INGRESS for what its client sends, VNET_EGRESS for what it
 *		is sent
 * @insns:	filled; room for @max instructions. NULL to ask how many it takes
 * @why:	filled on failure; may be NULL
 *
 * The program returns an enum vnet_grant_part for a frame as it is on the wire.
 * It is what a switch runs, and changes from version to version.
 *
 * Return: instructions; -EINVAL, -ENOSPC if they are more than @max or
 * VNET_GRANT_MAX_INSNS.
 */
VNET_API int vnet_grant_compile(const struct vnet_grant *grant,
				enum vnet_side side,
				struct vnet_bpf_insn *insns, size_t max,
				struct vnet_why *why);

#define VNET_GRANT_MAX_INSNS 16384

/* Octets of a frame that a proof shows, at the most. */
#define VNET_PROOF_FRAME_SIZE 512

enum vnet_proof_result {
	/* Every frame that the program lets pass is within the grant. */
	VNET_PROOF_HOLDS = 0,
	/* struct vnet_proof.frame passes, and is outside of it. */
	VNET_PROOF_HOLE = 1,
	/* Neither was shown. */
	VNET_PROOF_OPEN = 2,
};

/**
 * struct vnet_proof - what vnet_grant_prove() has found
 * @size:	sizeof(struct vnet_proof), set by the caller
 * @result:	enum vnet_proof_result
 * @part:	where it does not hold: of the grant, which part
 * @insn:	and the return instruction that lets the frame pass
 * @states:	states that were looked at
 * @merged:	of these, those that were merged with another one
 * @frame:	VNET_PROOF_HOLE: @len octets of a frame, as on the wire
 */
struct vnet_proof {
	size_t size;
	enum vnet_proof_result result;
	enum vnet_grant_part part;
	size_t insn;
	uint64_t states;
	uint64_t merged;
	size_t len;
	uint8_t frame[VNET_PROOF_FRAME_SIZE];
};

/**
 * vnet_grant_prove() - show that a program keeps to a grant
 * @side:	as in vnet_grant_compile()
 * @insns:	@ninsns instructions that vnet_bpf_check() accepts; from
 *		wherever
 * @alloc:	for what it needs meanwhile
 * @why:	filled on failure; may be NULL
 *
 * Follows every path of the program. For programs that vnet_grant_compile() has
 * made the result is HOLDS; for others, with one instruction changed, or the
 * grant, that let something pass that is not granted, HOLE or OPEN.
 *
 * Return: 0; -EINVAL, -ENOMEM.
 */
VNET_API int vnet_grant_prove(const struct vnet_grant *grant,
			      enum vnet_side side,
			      const struct vnet_bpf_insn *insns, size_t ninsns,
			      const struct vnet_alloc *alloc,
			      struct vnet_proof *proof, struct vnet_why *why);

/*
 * Grants in a switch.
 */

/**
 * vnet_grant_add() - make a grant
 * @parent:	the one that it is to be contained in; VNET_NO_ID for none
 * @grant:	copied
 * @id:		set on success
 * @part:	set where it returns -EINVAL or -EPERM; may be NULL
 * @why:	filled on failure; may be NULL
 *
 * Return: 0; -EINVAL if the grant is wrong, -EPERM if it does not fit into
 * @parent or what is left of that, -ENOENT if there is no such parent, -EEXIST if
 * there is one of that name, -ENOSPC if there are as many as there may be, or
 * the switch has no instructions left for it, -ENOMEM, -EBUSY from inside a
 * driver's send.
 */
VNET_API int vnet_grant_add(struct vnet_switch *sw, vnet_grant_id parent,
			    const struct vnet_grant *grant, vnet_grant_id *id,
			    enum vnet_grant_part *part, struct vnet_why *why);

/**
 * vnet_grant_set() - change a grant as a whole
 *
 * As vnet_grant_add(), and -EPERM too where what hangs below it, or its clients,
 * would not fit any more. A frame meets the old one or the new one, and nothing
 * in between. What was learned on its clients is forgotten.
 */
VNET_API int vnet_grant_set(struct vnet_switch *sw, vnet_grant_id id,
			    const struct vnet_grant *grant,
			    enum vnet_grant_part *part, struct vnet_why *why);

/**
 * vnet_grant_revoke() - end a grant and all that hangs below it
 *
 * The grants are gone. Of their clients the link is down until they are given
 * another grant, or removed: what they send is dropped as VNET_DROP_REVOKED,
 * what is queued for them as removed, what was learned on them forgotten; for
 * each there is an event VNET_EVENT_GRANT_ENDED. Where @until has come this
 * happens by itself: no frame passes later, and the rest is done by the next
 * call of vnet_switch_tick().
 *
 * Return: 0; -ENOENT, -EBUSY from inside a driver's send.
 */
VNET_API int vnet_grant_revoke(struct vnet_switch *sw, vnet_grant_id id);

/**
 * vnet_client_set_grant() - guard a client, or stop guarding it
 * @grant:	VNET_NO_ID for none
 * @why:	filled on failure; may be NULL
 *
 * What was learned on it is forgotten, and its queue's bound is made fit. The
 * link of one whose grant had ended goes up with the next one. A client can be
 * added with a grant: struct vnet_client_config.
 *
 * Return: 0; -ENOENT if there is no such client or grant, -EUSERS if the grant
 * has as many clients as it may, -EBUSY from inside a driver's send.
 */
VNET_API int vnet_client_set_grant(struct vnet_switch *sw, uint64_t client,
				   vnet_grant_id grant, struct vnet_why *why);

/**
 * struct vnet_grant_info - a grant as it stands
 * @size:	sizeof(struct vnet_grant_info), set by the caller
 * @id:		its own
 * @parent:	VNET_NO_ID for none
 * @grant:	with the defaults filled in; lists and name are lent until the
 *		next call that changes the switch
 * @nclients:	clients that have it
 * @naddresses:	source addresses in use on these
 * @given_clients: of grant.max_clients, taken by grants right below it
 * @given_addresses: likewise
 * @ninsns:	of its two programs, by enum vnet_side
 */
struct vnet_grant_info {
	size_t size;
	vnet_grant_id id;
	vnet_grant_id parent;
	struct vnet_grant grant;
	uint32_t nclients;
	uint32_t naddresses;
	uint32_t given_clients;
	uint32_t given_addresses;
	size_t ninsns[2];
};

/* Read a grant. Return: 0; -ENOENT, -EINVAL for an unknown info->size. */
VNET_API int vnet_grant_get(const struct vnet_switch *sw, vnet_grant_id id,
			    struct vnet_grant_info *info);

/* The program of its guard that is in use, as vnet_grant_compile(): room for @max
 * instructions at @insns. Return: instructions; -ENOENT, -EINVAL, -ENOSPC. */
VNET_API int vnet_grant_program(const struct vnet_switch *sw, vnet_grant_id id,
				enum vnet_side side,
				struct vnet_bpf_insn *insns, size_t max);

/* Frames, and their octets, that were outside of a part of it, of what its
 * clients sent (VNET_INGRESS) or were to be sent (VNET_EGRESS). Of grants below
 * it they are not counted, but for VNET_GRANT_RATE: what its rate has kept back,
 * in segments. Return: 0; -ENOENT, -EINVAL. */
VNET_API int vnet_grant_refused(const struct vnet_switch *sw, vnet_grant_id id,
				enum vnet_side side, enum vnet_grant_part part,
				struct vnet_count *refused);

/* The grant behind @id in the order in which they were made, the first for
 * VNET_NO_ID, VNET_NO_ID behind the last. */
VNET_API vnet_grant_id vnet_grant_next(const struct vnet_switch *sw,
				       vnet_grant_id id);

/* The grant of that name, or VNET_NO_ID. */
VNET_API vnet_grant_id vnet_grant_find(const struct vnet_switch *sw,
				       const char *name);

/* The grant of a client, or VNET_NO_ID. */
VNET_API vnet_grant_id vnet_client_grant(const struct vnet_switch *sw,
					 uint64_t client);

VNET_END_DECLS

#endif
