/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The law of guard.h for all frames of which certain facts are known.
 *
 * Where it asks whether something is in a list, the answer is a class of a
 * field. Facts tell which classes a field can be of; which are found is kept
 * where facts are joined, so that of a source address that is in one prefix, or
 * in another one, it stays known that it is in a prefix.
 */
#ifndef VNET_PROVE_LAW_H
#define VNET_PROVE_LAW_H

#include <vnet/grant.h>

#include "prove_facts.h"

/* What a field is. */
enum vnet_field_kind {
	/* numbers */
	VNET_FIELD_TYPE,
	VNET_FIELD_VID,
	VNET_FIELD_IPV4_FIRST, /* version and length of the header */
	VNET_FIELD_ARP_OP,
	VNET_FIELD_IPV4,        /* a source address */
	VNET_FIELD_IPV4_TARGET, /* what an ARP probe asks for */
	VNET_FIELD_PROTO,
	VNET_FIELD_NEXT,
	VNET_FIELD_ICMPV6,
	VNET_FIELD_NUMBERS,

	/* strings of octets */
	VNET_FIELD_SRC = VNET_FIELD_NUMBERS,
	VNET_FIELD_DST,
	VNET_FIELD_IPV6,
	VNET_FIELD_TARGET,

	/* an option of neighbour discovery */
	VNET_FIELD_OPTION,
	VNET_FIELD_KINDS
};

/* Classes, by kind. Those of every kind begin at 1 << 0. */
enum {
	VNET_CLASS_OTHER = 1 << 0, /* of each: none of the below */
	VNET_CLASS_IN = 1 << 1,    /* of each: granted in any context */

	VNET_CLASS_CVLAN = 1 << 2, /* types */
	VNET_CLASS_TAG = 1 << 3,
	VNET_CLASS_LLC = 1 << 4,
	VNET_CLASS_ARP = 1 << 5,
	VNET_CLASS_TYPE_IPV4 = 1 << 6,
	VNET_CLASS_TYPE_IPV6 = 1 << 7,

	VNET_CLASS_REQUEST = 1 << 2, /* operations of ARP */
	VNET_CLASS_REPLY = 1 << 3,

	VNET_CLASS_ZERO = 1 << 2, /* addresses of IP */

	VNET_CLASS_TCP = 1 << 2, /* protocols and next headers */
	VNET_CLASS_UDP = 1 << 3,
	VNET_CLASS_ICMP = 1 << 4,
	VNET_CLASS_IGMP = 1 << 5,
	VNET_CLASS_BAD_PIM = 1 << 6, /* where they are not granted */
	VNET_CLASS_BAD_VRRP = 1 << 7,
	VNET_CLASS_BAD_TUNNEL = 1 << 8,
	VNET_CLASS_WALKED = 1 << 9, /* 0 and 43 */
	VNET_CLASS_FRAGMENT = 1 << 10,
	VNET_CLASS_DSTOPTS = 1 << 11,
	VNET_CLASS_AUTH = 1 << 12, /* 51, where it is granted */

	VNET_CLASS_MLD = 1 << 2, /* types of ICMPv6: 131, 132, 143 */
	VNET_CLASS_RS = 1 << 3,
	VNET_CLASS_RA = 1 << 4,
	VNET_CLASS_NS = 1 << 5,
	VNET_CLASS_NA = 1 << 6,
	VNET_CLASS_REDIRECT = 1 << 7,
	VNET_CLASS_ROUTER = 1 << 8, /* 130, 151 */

	VNET_CLASS_BROADCAST = 1 << 2, /* destinations */
	VNET_CLASS_V4_GROUP = 1 << 3,
	VNET_CLASS_V6_GROUP = 1 << 4,
	VNET_CLASS_OTHER_HOST = 1 << 5, /* VNET_EGRESS: not in macs */
};

/* Numbers from @lo to @hi are of one class. */
struct vnet_law_segment {
	uint32_t lo;
	uint32_t hi;
	uint32_t classes;
};

/* Strings that are @value in the bits of @mask. */
struct vnet_law_cube {
	uint8_t mask[16];
	uint8_t value[16];
	uint32_t classes;
};

#define VNET_LAW_SEGMENTS (4 * VNET_GRANT_MAX_LIST)
#define VNET_LAW_CUBES    (2 * VNET_GRANT_MAX_LIST + 12)
#define VNET_LAW_FIELDS   512
#define VNET_LAW_WALK     5 /* headers in front of one that is not walked */
#define VNET_LAW_OPTIONS  8

/**
 * struct vnet_law_field - a field at one place
 * @term:	its number
 * @noctets:	octets in it
 */
struct vnet_law_field {
	enum vnet_field_kind kind;
	vnet_term base;
	uint32_t off;
	vnet_term term;
	uint32_t noctets;
	vnet_octet octet[16];
};

/* Fields that have an octet, as a list. */
struct vnet_law_link {
	uint16_t field;
	uint16_t next; /* + 1; 0 is the end */
};

#define VNET_LAW_LINKS (VNET_LAW_FIELDS * 9)

/* Fields of a body, for frames without a tag and with one. */
struct vnet_law_body {
	uint32_t at;
	uint16_t type;
	uint16_t arp_op;
	uint16_t arp_sender;
	uint16_t arp_target;
	uint16_t ipv4_first;
	uint16_t ipv4;
	uint16_t proto;
	uint16_t ipv6;
	vnet_term l4; /* of IPv4 */
	vnet_term end;
	vnet_term x[VNET_LAW_WALK]; /* of the header behind that many */
	uint16_t next[VNET_LAW_WALK + 1];
	uint16_t icmpv6[VNET_LAW_WALK];
	uint16_t icmpv6_fragment[VNET_LAW_WALK];
	uint16_t target[VNET_LAW_WALK];
	/* by where they begin: 8, 16, 24 behind x */
	uint16_t option[VNET_LAW_WALK][3][VNET_LAW_OPTIONS];
	vnet_term o[VNET_LAW_WALK][3][VNET_LAW_OPTIONS + 1];
};

struct vnet_law {
	const struct vnet_grant *grant;
	enum vnet_side side;
	struct vnet_terms *terms;
	uint32_t nsegments[VNET_FIELD_NUMBERS];
	struct vnet_law_segment segment[VNET_FIELD_NUMBERS][VNET_LAW_SEGMENTS];
	uint32_t ncubes[VNET_FIELD_KINDS];
	uint32_t all[VNET_FIELD_KINDS]; /* classes that there are */
	struct vnet_law_cube cube[VNET_FIELD_KINDS][VNET_LAW_CUBES];
	vnet_octet src[6];
	uint16_t src_field;
	uint16_t dst_field;
	uint16_t vid_field;
	bool has_untagged; /* is granted */
	struct vnet_law_body body[2];
	uint32_t nfields;
	struct vnet_law_field field[VNET_LAW_FIELDS];
	uint32_t noctets; /* that are of fields, from 0 on */
	uint16_t *links;  /* by octet: the first + 1 */
	uint32_t nlinks;
	struct vnet_law_link link[VNET_LAW_LINKS];
};

/* False if there is no memory. */
bool vnet_law_init(struct vnet_law *law, const struct vnet_grant *grant,
		   enum vnet_side side, struct vnet_terms *terms);
void vnet_law_fini(struct vnet_law *law);

/* The classes that a field can be of. */
uint32_t vnet_law_classes(const struct vnet_law *law,
			  const struct vnet_facts *f, uint32_t field);

/* Fields, as bits. */
struct vnet_law_fields {
	uint32_t set[VNET_LAW_FIELDS / 32];
};

/* The fields that the law may ask for. */
struct vnet_law_fields vnet_law_asked(const struct vnet_law *law,
				      const struct vnet_facts *f);

/* A number that is the same where these can be of the same classes, but for a
 * destination that may be fine. */
uint32_t vnet_law_key(const struct vnet_law *law, const struct vnet_facts *f,
		      const struct vnet_law_fields *asked);

/* Can facts be joined, and nothing be lost that the law asks for? @asked is of
 * one of them. Then the classes of fields in which they differ, those of either,
 * are kept in both. */
bool vnet_law_can_join(const struct vnet_law *law, struct vnet_facts *a,
		       struct vnet_facts *b,
		       const struct vnet_law_fields *asked);

/* Answers to what facts do not answer, in the order in which it is asked. */
#define VNET_LAW_ANSWERS 64

/**
 * struct vnet_law_walk - one way through the law
 * @is_lost:	there were more questions than that
 */
struct vnet_law_walk {
	uint32_t nanswers;
	bool is_lost;
	bool answer[VNET_LAW_ANSWERS];
};

/*
 * What the law makes of the frames of @f, for which @w->answer holds, in so far as
 * it is asked for; with false for the others, which are added. @f is then
 * what holds for these frames: is_none where there are none.
 */
enum vnet_grant_part vnet_law_read(const struct vnet_law *law,
				   struct vnet_facts *f,
				   struct vnet_law_walk *w);

/* The answers to try after these. False if there are no more. */
bool vnet_law_next(struct vnet_law_walk *w);

#endif
