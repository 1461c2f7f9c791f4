/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loop probes: frames of ours that, if they come back, show a loop. What one
 * says is signed with a key that only this switch has (siphash.h), so that
 * nobody can make one in the name of a client whose probes they never saw.
 *
 *	0	03-76-6e-65-74-01, a group of nobody's: floods through other
 *		switches
 *	6	source: 02 and 40 bits of the key's hash, the same for all
 *		probes of a switch
 *	12	EtherType 0x88b5 (IEEE 802, 9.2.3: local experimental 1)
 *	14	"vnet", 1 (version), 0
 *	20	client id (8), number of the probe (8), signature (8); big-endian
 *	44	zeros to 60
 */
#ifndef VNET_CORE_PROBE_H
#define VNET_CORE_PROBE_H

#include <vnet/frame.h>
#include <vnet/client.h>

#include "core.h"
#include "eth.h"

#define VNET_PROBE_LEN 60

/* To whom probes go. */
#define VNET_PROBE_DST UINT64_C(0x03766e657401)

struct vnet_probe_key {
	uint64_t k[2];
	uint64_t src; /* the address that probes come from */
};

/* Keys follow from a seed; not those that the FDB has from it. */
void vnet_probe_key_init(struct vnet_probe_key *key, uint64_t seed);

/* Write a probe of @client. */
void vnet_probe_make(uint8_t data[VNET_PROBE_LEN],
		     const struct vnet_probe_key *key, vnet_client_id client,
		     uint64_t number);

/* Is @f, which has passed vnet_eth_parse(), a probe that was made with @key?
 * Then true with what it says. One behind tags is one, too, and so is one that
 * comes from another address: there are bridges that put in their own. */
bool vnet_probe_read(const struct vnet_frame *f,
		     const struct vnet_probe_key *key, vnet_client_id *client,
		     uint64_t *number);

#endif
