/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checksums of frames, computed in full over what is found without the help of the
 * code under test.
 */
#ifndef VNET_TEST_SUMS_H
#define VNET_TEST_SUMS_H

#include <stddef.h>
#include <stdint.h>

/* What is to be found in a frame: its checksum of ICMPv6, or of UDP over IPv4. */
enum sums_state {
	SUMS_NONE, /* it is no such frame, or not all of it, or has none */
	SUMS_RIGHT,
	SUMS_WRONG,
};

enum sums_state sums_check(const uint8_t *frame, size_t len);

/* Compute it, of a frame that has one. */
void sums_set(uint8_t *frame, size_t len);

#endif
