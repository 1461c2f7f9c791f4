/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack programs as <device/net_status.h> tells of them, written to be read and
 * for nothing else: over the message that the frame would be delivered in.
 */
#ifndef VNET_TEST_NETF_MODEL_H
#define VNET_TEST_NETF_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is that frame wanted by the program behind the header @words[0]? The program
 * has been accepted by vnet_netf_check(); the frame has 14 octets at least. */
bool netf_model_match(const uint16_t *words, size_t nwords,
		      const uint8_t *frame, size_t len);

#endif
