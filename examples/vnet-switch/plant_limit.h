/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits of a port or of a client, as a configuration has them. */
#ifndef PLANT_LIMIT_H
#define PLANT_LIMIT_H

#include <jansson.h>
#include <vnet/limit.h>
#include <vnet/switch.h>

/**
 * plant_limits_set() - make one list of limits of another, with the lock
 * @owner:	a port or a client
 * @from:	"limits" as they are, in normal form; NULL for none
 * @to:		as they are to be; likewise
 * @why:	filled on failure
 *
 * Those that are not in @from are left alone unless @to has them; one that stays
 * the same goes on as it was.
 *
 * Return: 0; as vnet_limit_set(), and all is as @from says.
 */
int plant_limits_set(struct vnet_switch *sw, uint64_t owner, const json_t *from,
		     const json_t *to, struct vnet_why *why);

#endif
