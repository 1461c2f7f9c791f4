/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include <device/device_types.h>

#include "server.h"

kern_return_t
vnet_mach_error(int error)
{
	switch (error) {
	case 0:
		return KERN_SUCCESS;
	case -ENOENT:
		return D_NO_SUCH_DEVICE;
	case -ENOMEM:
	case -ENOSPC:
	case -EUSERS:
		return D_NO_MEMORY;
	case -EBUSY:
	case -EEXIST:
		return D_ALREADY_OPEN;
	case -EINVAL:
	case -EACCES:
	default:
		return D_INVALID_OPERATION;
	}
}
