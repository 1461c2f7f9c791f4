/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants of every kind, and frames that are aimed at one: from, to and about
 * its addresses, or those beside them; as a tape decides.
 */
#ifndef VNET_TEST_MADE_GRANTS_H
#define VNET_TEST_MADE_GRANTS_H

#include <vnet/frame.h>
#include <vnet/grant.h>

#include "tape.h"

/* Octets of the longest frame that grants_frame() makes. */
#define GRANTS_FRAME_MAX 4096

/**
 * struct grants_made - a grant with its lists
 * @grant:	points to the rest: not to be copied
 */
struct grants_made {
	struct vnet_grant grant;
	char name[VNET_GRANT_NAME_SIZE];
	struct vnet_grant_lists lists;
};

/* Make a grant that vnet_grant_check() accepts: with lists that are empty,
 * short or as long as they may be, prefixes of every length that may overlap,
 * and any of the rest. */
void grants_make(struct tape *t, struct grants_made *made);

/* Make one that may be made below @outer; now and then one that may not. */
void grants_narrow(struct tape *t, const struct vnet_grant *outer,
		   struct grants_made *made);

/*
 * Make a frame at @buf, which has room for GRANTS_FRAME_MAX octets, that a
 * client with that grant may send (VNET_INGRESS) or be sent (VNET_EGRESS), or
 * that is not quite one: about half of them deviate somewhere. Its tags are in
 * the octets or out of band; with tags out of band it has VNET_ETH_HEADER_LEN
 * octets at the least. It asks nothing of a medium.
 */
struct vnet_frame grants_frame(struct tape *t, const struct vnet_grant *g,
			       enum vnet_side side, uint8_t *buf);

#endif
