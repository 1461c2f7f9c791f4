/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making up a frame of which certain facts are so.
 */
#ifndef VNET_PROVE_FRAME_H
#define VNET_PROVE_FRAME_H

#include "prove_law.h"

/**
 * struct vnet_guess - a frame, as it is made up
 * @random:	what it is made up from; not 0
 * @locked:	bits that are as they have to be
 */
struct vnet_guess {
	uint32_t random;
	size_t len;
	uint8_t data[VNET_PROOF_FRAME_SIZE];
	uint8_t locked[VNET_PROOF_FRAME_SIZE];
};

/* One of which @f may be so: who wants to know runs it. False if none was
 * thought of this time. */
bool vnet_guess_frame(struct vnet_guess *g, const struct vnet_law *law,
		      const struct vnet_facts *f);

#endif
