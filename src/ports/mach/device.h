/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices: what the server side of <device/device.defs> is asked of.
 */
#ifndef VNET_MACH_DEVICE_H
#define VNET_MACH_DEVICE_H

#include <device/device_types.h>
#include <device/net_status.h>

#include "right.h"

struct vnet_mach_device;

/* A right to reply to, and how it came: MACH_MSG_TYPE_PORT_SEND_ONCE, or
 * _PORT_SEND, to which we send without waiting all the same. */
struct vnet_mach_reply {
	mach_port_t right;
	mach_msg_type_name_t type;
};

/**
 * struct vnet_mach_device_ops - a device
 *
 * Each returns KERN_SUCCESS, an error D_*, or MIG_NO_REPLY where it has taken the
 * right to reply to. What is NULL is refused with D_INVALID_OPERATION.
 *
 * @write:	memory out of line that becomes the device's if it succeeds; it
 *		was not touched. *@written is set
 * @write_inband: octets that are lent
 * @read:	wait in line for data: out of line, or inband (@room octets
 *		at @data then, and *@len set). @wanted is 0 at the least
 * @set_filter:	@right is the device's, one reference of it, if it succeeds
 */
struct vnet_mach_device_ops {
	kern_return_t (*close)(struct vnet_mach_device *d);
	kern_return_t (*write)(struct vnet_mach_device *d, vm_address_t data,
			       vm_size_t len, int *written);
	kern_return_t (*write_inband)(struct vnet_mach_device *d,
				      const void *data, uint32_t len,
				      int *written);
	kern_return_t (*read)(struct vnet_mach_device *d,
			      const struct vnet_mach_reply *reply,
			      dev_mode_t mode, uint32_t wanted, bool is_inband);
	kern_return_t (*set_filter)(struct vnet_mach_device *d,
				    mach_port_t right, int priority,
				    const uint16_t *words, uint32_t nwords);
	kern_return_t (*get_status)(struct vnet_mach_device *d,
				    dev_flavor_t flavor, int *status,
				    uint32_t *count);
	kern_return_t (*set_status)(struct vnet_mach_device *d,
				    dev_flavor_t flavor, const int *status,
				    uint32_t count);
};

/* A right that is a device. */
struct vnet_mach_device {
	struct vnet_mach_right right; /* first: MIG's server casts */
	const struct vnet_mach_device_ops *ops;
};

/* vnet_mach_right_ops.message of every device. */
bool vnet_mach_device_message(struct vnet_mach_right *r, mach_msg_header_t *in,
			      mach_msg_header_t *out);

/* Answer a read that was deferred: @data is copied. With an error there is no
 * data. Takes the right to reply to. */
void vnet_mach_device_answer(struct vnet_mach *m,
			     const struct vnet_mach_reply *reply,
			     bool is_inband, kern_return_t error,
			     const void *data, uint32_t len);

#endif
