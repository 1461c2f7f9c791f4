/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames from the device. Whoever has come by a send right to where they arrive
 * may send what he likes: a message is looked at whole before it is a frame.
 */
#include <vnet/switch.h>

#include "uplink.h"

bool
vnet_uplink_no_reply(mach_msg_header_t *out)
{
	mig_reply_header_t *reply = (mig_reply_header_t *)(void *)out;

	out->msgh_bits = 0;
	out->msgh_size = sizeof(*reply);
	out->msgh_remote_port = MACH_PORT_NULL;
	out->msgh_local_port = MACH_PORT_NULL;
	reply->RetCode = MIG_NO_REPLY;
	return true;
}

static bool
packet(struct vnet_mach_right *r, mach_msg_header_t *in, mach_msg_header_t *out)
{
	struct vnet_mach_uplink *u = vnet_uplink_of(r);
	struct vnet_frame f = {.data = u->frame};

	/* What brings rights, the one to reply to among them, is destroyed by
	 * who has called. */
	if (in->msgh_id != NET_RCV_MSG_ID ||
	    (in->msgh_bits & MACH_MSGH_BITS_COMPLEX) ||
	    in->msgh_remote_port != MACH_PORT_NULL) {
		u->info.received_bad++;
		return false;
	}
	f.len = (uint32_t)vnet_wire_net_rcv_read((const uint8_t *)in,
						 in->msgh_size, VNET_WIRE_HERE,
						 u->frame, sizeof(u->frame));
	if (f.len == 0) {
		u->info.received_bad++;
		return vnet_uplink_no_reply(out);
	}
	u->info.received++;
	if (u->info.is_shared &&
	    vnet_shared_in(u->shared, u->frame, f.len, r->m->now) !=
		    VNET_SHARED_PASS) {
		u->info.shared_unknown++;
		return vnet_uplink_no_reply(out);
	}
	vnet_switch_input(r->m->sw, u->info.client, &f, 1, r->m->now);
	return vnet_uplink_no_reply(out);
}

const struct vnet_mach_right_ops vnet_uplink_packet_ops = {
	.message = packet,
};
