/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame, as it is lent from one party to the next: a view of its octets and
 * what its medium knows of it.
 *
 * Whoever receives a view may use it, and the octets behind it, until the call
 * returns, copies what it keeps, and writes to neither. Nor does anybody else
 * meanwhile: the verdict on a frame must hold for the octets that are delivered.
 * A driver whose medium could still change them (memory that it shares with a
 * guest) hands in a copy.
 */
#ifndef VNET_FRAME_H
#define VNET_FRAME_H

#include <vnet/types.h>

VNET_BEGIN_DECLS

/* Destination, source, EtherType (IEEE 802.3, 3.1.1): the least a frame has. */
#define VNET_ETH_HEADER_LEN 14

/* The most tags that travel out of band. */
#define VNET_MAX_TAGS 2

/* The most segments that one frame may stand for. */
#define VNET_MAX_SEGMENTS 128

/**
 * struct vnet_tag - an IEEE 802.1Q tag, in host byte order
 * @tpid:	tag protocol identifier: 0x8100 or 0x88a8, others are refused
 *		(drop malformed)
 * @tci:	priority (3 bits), drop eligible (1), VLAN id (12)
 */
struct vnet_tag {
	uint16_t tpid;
	uint16_t tci;
};

/* vnet_frame.flags */
enum {
	/* The layer-4 checksum is not computed: sum the octets from
	 * csum_start and store the result csum_offset octets behind it
	 * (virtio 1.2, 5.1.6: VIRTIO_NET_HDR_F_NEEDS_CSUM). */
	VNET_FRAME_CSUM_PARTIAL = 1 << 0,
	/* The medium has verified the layer-4 checksum
	 * (VIRTIO_NET_HDR_F_DATA_VALID). */
	VNET_FRAME_CSUM_VALID = 1 << 1,
	/* TCP with ECN: CWR belongs to the first segment alone
	 * (VIRTIO_NET_HDR_GSO_ECN). */
	VNET_FRAME_GSO_ECN = 1 << 2,
};

/* vnet_frame.gso_type: what the frame is to be cut into. */
enum {
	VNET_GSO_NONE = 0,
	VNET_GSO_TCP4 = 1, /* TCP over IPv4 */
	VNET_GSO_TCP6 = 2, /* TCP over IPv6 */
	VNET_GSO_UDP = 3,  /* UDP datagrams of one size, IPv4 or IPv6 */
};

/* vnet_frame.via: how a frame comes to a client of a vif. */
enum {
	/* By its filters VNET_RECEIVE_OUT: a client of the same vif, which may
	 * be itself, has written it. */
	VNET_VIA_OUT = 1 << 0,
	/* Beside VNET_VIA_OUT: it would have come without those, too. */
	VNET_VIA_BOTH = 1 << 1,
};

/**
 * struct vnet_frame - a frame, lent
 * @data:	the octets, from the destination address on, without FCS and
 *		without the tags in @tag
 * @len:	octets at @data
 * @flags:	VNET_FRAME_*; unknown ones are refused (drop bad_offload)
 * @gso_type:	VNET_GSO_*
 * @ntags:	entries of @tag in use, at most VNET_MAX_TAGS (more: malformed)
 * @csum_start:	octets from @data to the layer-4 header; CSUM_PARTIAL only
 * @csum_offset: octets from there to the checksum field; CSUM_PARTIAL only
 * @gso_size:	octets of layer-4 payload in each segment; not GSO_NONE only
 * @hdr_len:	octets before the layer-4 payload. A hint on the way in, set
 *		by the switch on the way out; not GSO_NONE only
 * @nsegs:	segments that the frame stands for. Ignored on the way in, set
 *		by the switch on the way out, where it is at least 1
 * @depth:	switches on the call stack. 0 where a frame enters from a
 *		medium; a driver that hands the view it was lent to another
 *		switch keeps it
 * @via:	VNET_VIA_*. Ignored on the way in, set by the switch on the way
 *		out: 0 but for VNET_RECEIVE_OUT
 * @tag:	tags that travel out of band, outermost first; the frame on the
 *		wire has them between its addresses and what follows these
 *
 * A field that is said to belong to a flag or type means nothing without it.
 * All fields are in host byte order, all that is reserved is zero. Start from
 * an initialiser (struct vnet_frame f = { .data = ..., .len = ... }) and the
 * rest means a plain frame. The layout is frozen: 64 octets on every ABI.
 */
struct vnet_frame {
	union {
		const uint8_t *data;
		uint64_t reserved_data;
	};
	uint32_t len;
	uint16_t flags;
	uint8_t gso_type;
	uint8_t ntags;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t gso_size;
	uint16_t hdr_len;
	uint16_t nsegs;
	uint8_t depth;
	uint8_t via;
	struct vnet_tag tag[VNET_MAX_TAGS];
	uint32_t reserved32;
	uint64_t reserved64[3];
};

#ifdef __cplusplus
static_assert(sizeof(struct vnet_frame) == 64, "frozen layout");
#else
_Static_assert(sizeof(struct vnet_frame) == 64, "frozen layout");
#endif

VNET_END_DECLS

#endif
