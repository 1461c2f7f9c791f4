/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio_net_hdr that Linux puts before a frame (virtio 1.2, 5.1.6; legacy:
 * native byte order, 10 octets), and what struct vnet_frame makes of it.
 */
#ifndef VNET_LINUX_VIRTIO_H
#define VNET_LINUX_VIRTIO_H

#include <linux/virtio_net.h>

#include <vnet/frame.h>

/* Newer than the headers of Debian 12. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/*
 * Set the offload fields of @f, all zero before, from a header that came with
 * it. Whether they agree with the frame's own headers is for the switch to say.
 *
 * Returns false for a segmentation type that we do not know.
 */
bool vnet_virtio_read(const struct virtio_net_hdr *h, struct vnet_frame *f);

/* The header for a frame that the switch hands out. */
void vnet_virtio_write(const struct vnet_frame *f, struct virtio_net_hdr *h);

#endif
