/* SPDX-License-Identifier: BSD-2-Clause */
/* A grant of libvnet as a configuration has it. */
#ifndef GRANT_WRITE_H
#define GRANT_WRITE_H

#include <jansson.h>
#include <vnet/grant.h>

/* With its "name". Groups are MAC addresses; CLOCK_REALTIME is @ahead of the time
 * in "until". New reference. */
json_t *grant_write(const struct vnet_grant *grant, uint64_t ahead);

#endif
