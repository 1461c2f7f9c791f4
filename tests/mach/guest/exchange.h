/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two tasks, each with a host on a device, that send each other a MiB by TCP and
 * compare what they get.
 */
#ifndef VNET_TEST_EXCHANGE_H
#define VNET_TEST_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <mach/port.h>

#define EXCHANGE_OCTETS (1u << 20)

/**
 * struct exchange - one of the two
 * @master:	where its device is opened, by @name
 * @number:	1 or 2: the last octet of its address
 */
struct exchange {
	mach_port_t master;
	const char *name;
	uint8_t number;
	bool is_ip6;
};

/* Both ways, between two new tasks; ends the test if anything is wrong. */
void exchange_streams(struct exchange both[2], bool is_ip6);

#endif
