/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VNET_CONTROL_LIMIT_H
#define VNET_CONTROL_LIMIT_H

#include "control_call.h"

/* Set those of a list, "limits" of a new port. What is set stays where one
 * cannot be. */
int vnet_control_limits_set(struct vnet_control_call *call, vnet_port_id port,
			    struct vnet_json list);

#endif
