/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "probe.h"
#include "siphash.h"

#define ETHERTYPE 0x88b5

/* Offsets from the EtherType, in front of which there may be tags. */
enum {
	TYPE_AT = 0,
	MAGIC_AT = 2,
	CLIENT_AT = 8,
	NUMBER_AT = 16,
	SIGNATURE_AT = 24,
	END_AT = 32,
};

static const uint8_t magic[] = {'v', 'n', 'e', 't', 1, 0};

void
vnet_probe_key_init(struct vnet_probe_key *key, uint64_t seed)
{
	/* A PRF of the seed: whatever else is made of it tells nothing of
	 * these. */
	const uint64_t from[2] = {seed, 0};

	key->k[0] = vnet_siphash(from, (const uint8_t *)"probe 0", 7);
	key->k[1] = vnet_siphash(from, (const uint8_t *)"probe 1", 7);
	key->src = vnet_siphash(key->k, (const uint8_t *)"source", 6) >> 24 |
		   UINT64_C(0x02) << 40;
}

/* What is said is signed with the version in which it is said. */
static uint64_t
sign(const uint8_t *type, const struct vnet_probe_key *key)
{
	return vnet_siphash(key->k, type + MAGIC_AT, SIGNATURE_AT - MAGIC_AT);
}

void
vnet_probe_make(uint8_t data[VNET_PROBE_LEN], const struct vnet_probe_key *key,
		vnet_client_id client, uint64_t number)
{
	uint8_t *type = data + VNET_ETH_HEADER_LEN - 2;

	memset(data, 0, VNET_PROBE_LEN);
	vnet_mac_store(data, VNET_PROBE_DST);
	vnet_mac_store(data + 6, key->src);
	vnet_be16_store(type + TYPE_AT, ETHERTYPE);
	memcpy(type + MAGIC_AT, magic, sizeof(magic));
	vnet_be64_store(type + CLIENT_AT, client);
	vnet_be64_store(type + NUMBER_AT, number);
	vnet_be64_store(type + SIGNATURE_AT, sign(type, key));
}

bool
vnet_probe_read(const struct vnet_frame *f, const struct vnet_probe_key *key,
		vnet_client_id *client, uint64_t *number)
{
	const uint8_t *type;
	uint32_t at;

	if (vnet_mac_load(f->data) != VNET_PROBE_DST)
		return false;
	at = vnet_eth_type_at(f);
	if (!at || f->len - at < END_AT)
		return false;

	type = f->data + at;
	if (vnet_be16_load(type + TYPE_AT) != ETHERTYPE ||
	    memcmp(type + MAGIC_AT, magic, sizeof(magic)) != 0 ||
	    vnet_be64_load(type + SIGNATURE_AT) != sign(type, key))
		return false;
	*client = vnet_be64_load(type + CLIENT_AT);
	*number = vnet_be64_load(type + NUMBER_AT);
	return true;
}
