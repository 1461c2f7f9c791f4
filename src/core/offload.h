/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Offloads: what a frame leaves to its medium, checked where it comes in, and
 * done here for a driver that cannot (checksums, segmentation, tags).
 */
#ifndef VNET_OFFLOAD_H
#define VNET_OFFLOAD_H

#include <vnet/frame.h>
#include <vnet/port.h>

#include "core.h"
#include "eth.h"

/* Octets of the longest frame that an MTU lets through, all tags included, and
 * then some. */
#define VNET_RESOLVED_MAX (65536 + 128)

/**
 * struct vnet_offload - the offload fields of a frame, as our parser found them
 * @l4:		where its transport header is; for CSUM_PARTIAL only
 * @hdr_len:	octets before the layer-4 payload; for CSUM_PARTIAL only
 * @nsegs:	segments it stands for: 1 without GSO
 */
struct vnet_offload {
	struct vnet_l4 l4;
	uint16_t hdr_len;
	uint16_t nsegs;
};

/*
 * Do the offload fields agree with the headers? False is the drop bad_offload.
 *
 * - Flags and segmentation type are known ones.
 * - CSUM_PARTIAL: the checksum start is the transport header that our parser
 *   finds, its offset 16 (TCP) or 6 (UDP). A TCP header lies within the
 *   datagram, the length that a UDP header states is that of the datagram: for
 *   one to be segmented too, as Linux and virtio have it.
 * - Segmentation comes with CSUM_PARTIAL, agrees with the headers, and makes at
 *   most VNET_MAX_SEGMENTS segments of at least an octet, whose headers do not
 *   add more than 64 KiB. One is allowed, also of no payload. The frame ends where its datagram does. SYN and RST cannot
 *   be cut into several.
 * - GSO_ECN comes with the segmentation of TCP.
 *
 * CSUM_VALID asks for nothing and can be said of any frame; beside CSUM_PARTIAL
 * it says nothing more, and some virtio devices set both. hdr_len and nsegs of
 * the frame are not looked at, nor is what the checksum field holds.
 *
 * @f has passed vnet_eth_parse(). @o->nsegs is set wherever it is true.
 */
bool vnet_offload_check(const struct vnet_frame *f, struct vnet_offload *o);

/* What vnet_frame asks of a medium, in VNET_CARRIES_*. */
VNET_INLINE uint32_t
vnet_offload_wants(const struct vnet_frame *f)
{
	static const uint8_t gso[] = {
		[VNET_GSO_NONE] = 0,
		[VNET_GSO_TCP4] = VNET_CARRIES_TSO4,
		[VNET_GSO_TCP6] = VNET_CARRIES_TSO6,
		[VNET_GSO_UDP] = VNET_CARRIES_USO,
	};

	if (vnet_likely(!(f->flags | f->gso_type | f->ntags)))
		return 0;
	return (f->flags & VNET_FRAME_CSUM_PARTIAL ? VNET_CARRIES_CSUM : 0) |
	       (f->ntags ? VNET_CARRIES_TAGS : 0) | gso[f->gso_type & 3];
}

/* Is the frame cut into segments for a driver of these VNET_CARRIES_*? Those of
 * segmentation count only with CSUM. */
VNET_INLINE bool
vnet_offload_is_cut(const struct vnet_frame *f, uint32_t carries)
{
	return f->gso_type != VNET_GSO_NONE &&
	       (vnet_offload_wants(f) & ~(uint32_t)VNET_CARRIES_TAGS &
		~carries);
}

/* Frames that a driver is given in place of @f. */
VNET_INLINE uint32_t
vnet_offload_frames(const struct vnet_frame *f, const struct vnet_offload *o,
		    uint32_t carries)
{
	return vnet_offload_is_cut(f, carries) ? o->nsegs : 1;
}

/* Octets that these have on the wire together (as vnet_frame_octets() counts):
 * each segment but the first brings headers and tags of its own. */
VNET_INLINE uint32_t
vnet_offload_octets(const struct vnet_frame *f, const struct vnet_offload *o,
		    uint32_t carries)
{
	uint32_t more = vnet_offload_frames(f, o, carries) - 1;

	return vnet_frame_octets(f) +
	       (more ? more * (o->hdr_len + 4u * f->ntags) : 0);
}

/*
 * vnet_eth_payload() of the longest frame that @f stands for, once segmented:
 * what an MTU bounds, whoever does the segmentation. @f has passed
 * vnet_offload_check(), which filled @o; without GSO, @o is not used.
 */
uint32_t vnet_offload_payload_max(const struct vnet_frame *f,
				  const struct vnet_offload *o);

/**
 * struct vnet_resolver - a frame on its way to a driver that cannot carry it
 *
 * Begin it, then take frames until vnet_resolver_next() returns 0: one that has
 * its checksum and its tags put in, or the segments it is cut into.
 */
struct vnet_resolver {
	const struct vnet_frame *f;
	struct vnet_offload o;
	uint32_t carries;
	uint32_t done; /* octets of layer-4 payload already cut off */
	uint16_t nout; /* frames already made */
	bool cut;      /* into segments, since the driver cannot */
};

/* @f has passed vnet_offload_check(), which filled @o, and is within an MTU
 * (vnet_offload_payload_max() is at most VNET_MTU_MAX); it lives until the last
 * frame is made. A frame that lacks nothing is copied. */
void vnet_resolver_begin(struct vnet_resolver *r, const struct vnet_frame *f,
			 const struct vnet_offload *o, uint32_t carries);

/*
 * Make the next frame: its octets at @buf, its view in @out, which asks for no
 * more than @carries allows. A frame whose checksum we computed has no flags
 * left; a segment for a driver that carries checksums is CSUM_PARTIAL, with the
 * sum of its pseudo-header in the field. nsegs is set; hdr_len, csum_start and
 * csum_offset are where the frame's type or flags use them, and 0 elsewhere.
 *
 * Returns the octets used at @buf, 0 when all are made. @buf has room for
 * VNET_RESOLVED_MAX octets.
 */
size_t vnet_resolver_next(struct vnet_resolver *r, uint8_t *buf,
			  struct vnet_frame *out);

#endif
