/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read by MIG before <device/device.defs>: its server hands the routines what the
 * demultiplexer has put into the message (device.c), and not a name.
 */
#define DEVICE_INTRAN         vnet_mach_right_t vnet_mach_right_of_port(mach_port_t)
#define DEVICE_INTRAN_PAYLOAD vnet_mach_right_t vnet_mach_right_of_payload
#define DEVICE_IMPORTS        import "right.h";
