/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants of others: by their names.
 */
#ifndef VNET_CONTROL_GRANT_H
#define VNET_CONTROL_GRANT_H

#include "complaint.h"
#include "control_host.h"

/* VNET_NO_ID with @c if there is none. */
vnet_grant_id vnet_control_find_grant(const struct vnet_switch *sw,
				      const char *name,
				      struct vnet_complaint *c);

/* Its name, or null where there is none. */
void vnet_control_put_grant(const struct vnet_switch *sw, vnet_grant_id id,
			    const char *key, struct vnet_json_writer *w);

#endif
