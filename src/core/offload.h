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
#define VNET_RESOLVED_MAX (65536 + 64)

/**
 * struct vnet_offload - the offload fields of a frame, as our parser found them
 * @l4:		where its transport header is
 * @hdr_len:	octets before the layer-4 payload
 * @nsegs:	segments it stands for: 1 without GSO
 */
struct vnet_offload {
	struct vnet_l4 l4;
	uint16_t hdr_len;
	uint16_t nsegs;
};

/*
 * Do the offload fields agree with the headers? The checksum start is the
 * transport header that our parser finds, its offset 16 (TCP) or 6 (UDP); the
 * segmentation type agrees with the headers and comes with a partial checksum;
 * there are at most VNET_MAX_SEGMENTS segments. False is the drop bad_offload.
 * @o is filled where the frame asks for anything (flags or gso_type).
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

/**
 * struct vnet_resolver - a frame on its way to a driver that cannot carry it
 *
 * Begin it, then take frames until vnet_resolver_next() returns 0.
 */
struct vnet_resolver {
	const struct vnet_frame *f;
	struct vnet_offload o;
	uint32_t carries;
	uint32_t done; /* octets of layer-4 payload already cut off */
	uint16_t nout; /* frames already made */
	bool cut;      /* into segments, since the driver cannot */
};

/* @f has passed vnet_offload_check(). */
void vnet_resolver_begin(struct vnet_resolver *r, const struct vnet_frame *f,
			 uint32_t carries);

/*
 * Make the next frame: its octets at @buf, its view in @out, which keeps only
 * what @carries allows. Returns the octets used at @buf, 0 when all are made.
 * @buf has room for VNET_RESOLVED_MAX octets.
 */
size_t vnet_resolver_next(struct vnet_resolver *r, uint8_t *buf,
			  struct vnet_frame *out);

#endif
