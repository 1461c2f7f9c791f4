/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of <device/device.defs> that MIG does not lay out for us: msgh_id of
 * requests.
 */
#ifndef VNET_MACH_DEVICE_IDS_H
#define VNET_MACH_DEVICE_IDS_H

enum {
	DEVICE_OPEN_ID = 2800,
	DEVICE_CLOSE_ID = 2801,
	DEVICE_WRITE_ID = 2802,
	DEVICE_OPEN_NEW_ID = 2806, /* not in every device.defs */
	DEVICE_SET_STATUS_ID = 2810,
	DEVICE_GET_STATUS_ID = 2811,
	DEVICE_SET_FILTER_ID = 2812,
};

#endif
