/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "virtio.h"

bool
vnet_virtio_read(const struct virtio_net_hdr *h, struct vnet_frame *f)
{
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		f->flags |= VNET_FRAME_CSUM_PARTIAL;
		f->csum_start = h->csum_start;
		f->csum_offset = h->csum_offset;
	}
	if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		f->flags |= VNET_FRAME_CSUM_VALID;
	if (h->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;

	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		f->gso_type = VNET_GSO_TCP4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		f->gso_type = VNET_GSO_TCP6;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		f->gso_type = VNET_GSO_UDP;
		break;
	default:
		return false;
	}
	if (h->gso_type & VIRTIO_NET_HDR_GSO_ECN)
		f->flags |= VNET_FRAME_GSO_ECN;
	f->gso_size = h->gso_size;
	f->hdr_len = h->hdr_len;
	return true;
}

void
vnet_virtio_write(const struct vnet_frame *f, struct virtio_net_hdr *h)
{
	static const uint8_t gso_types[] = {
		[VNET_GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE,
		[VNET_GSO_TCP4] = VIRTIO_NET_HDR_GSO_TCPV4,
		[VNET_GSO_TCP6] = VIRTIO_NET_HDR_GSO_TCPV6,
		[VNET_GSO_UDP] = VIRTIO_NET_HDR_GSO_UDP_L4,
	};

	memset(h, 0, sizeof(*h));
	/* Each says that the other does not matter; Linux takes one. */
	if (f->flags & VNET_FRAME_CSUM_PARTIAL) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = f->csum_start;
		h->csum_offset = f->csum_offset;
	} else if (f->flags & VNET_FRAME_CSUM_VALID) {
		h->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	if (f->gso_type != VNET_GSO_NONE) {
		h->gso_type = gso_types[f->gso_type & 3];
		if (f->flags & VNET_FRAME_GSO_ECN)
			h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
		h->gso_size = f->gso_size;
		h->hdr_len = f->hdr_len;
	}
}
