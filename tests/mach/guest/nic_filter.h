/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filters of device_set_filter() as the kernel takes and runs them: a naive
 * reading of its behaviour, apart from that of the server under test.
 */
#ifndef VNET_TEST_NIC_FILTER_H
#define VNET_TEST_NIC_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NIC_FILTER_IN  0x001
#define NIC_FILTER_OUT 0x002
#define NIC_FILTER_BPF 0x400

/* Would the kernel take it: @n words? */
bool nic_filter_is_good(const uint16_t *words, size_t n);

/* How many octets behind the Ethernet header of @frame it lets through; 0 to
 * those that there are. -1: it does not pass. @len is at least 14. */
long nic_filter_run(const uint16_t *words, size_t n, const uint8_t *frame,
		    size_t len);

#endif
