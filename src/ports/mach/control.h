/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device (vnet/mach_control.h): each open of it is a right, and a
 * session of its own.
 */
#ifndef VNET_MACH_CONTROL_DEVICE_H
#define VNET_MACH_CONTROL_DEVICE_H

#include "master.h"

/* Open it, on a master: where a vif that is made can be opened then. Its right
 * ends with its senders. Return: 0; -EUSERS if there are as many as may be,
 * -ENOMEM, -ENOSPC. */
int vnet_mach_control_open(struct vnet_mach_master *master, mach_port_t *right);

/* That master goes. */
void vnet_mach_controls_forget(struct vnet_mach *m,
			       const struct vnet_mach_master *master);

/* End it, whatever its senders hold. */
void vnet_mach_control_end(struct vnet_mach_control *c);

#endif
