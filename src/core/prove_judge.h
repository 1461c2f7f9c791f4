/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The law of guard.h for one frame, and nothing but that: what a proof is
 * confirmed by.
 */
#ifndef VNET_PROVE_JUDGE_H
#define VNET_PROVE_JUDGE_H

#include <vnet/grant.h>

#include "core.h"

/* What the law makes of a frame of @len octets on the wire. */
enum vnet_grant_part vnet_grant_judge(const struct vnet_grant *g,
				      enum vnet_side side, const uint8_t *data,
				      size_t len);

/* Is it the number of an IP protocol of VNET_MAY_TUNNEL? */
bool vnet_grant_is_tunnel_proto(uint32_t proto);

#endif
