/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VNET_TEST_MSG_DESTROY_H
#define VNET_TEST_MSG_DESTROY_H

#include <mach/message.h>

/* Give back what a received message brought, but for its right for a reply:
 * rights, and memory. */
void msg_destroy_body(mach_msg_header_t *msg);

#endif
