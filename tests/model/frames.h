/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of every kind, good and bad, as a tape decides.
 */
#ifndef VNET_TEST_FRAMES_H
#define VNET_TEST_FRAMES_H

#include <vnet/frame.h>

#include "tape.h"

/* The longest that frames_make() makes. */
#define FRAMES_MAX 65549

/* Octets in memory of exactly their size: to be freed. */
void *frames_copy(const void *p, size_t len);

/* Write the address of host @number, below 16; above, one that no host has:
 * broadcast, a group, a reserved one, or zeroes. */
void frames_put_mac(uint8_t *p, uint32_t number);

/*
 * Make a frame: TCP, UDP or something else, of any length up to FRAMES_MAX, with
 * tags and offload fields that agree with it or do not. It comes mostly from
 * host @home modulo 16. Its octets are in memory of exactly their size: free
 * them, casting const away.
 */
struct vnet_frame frames_make(struct tape *t, uint32_t home);

#endif
