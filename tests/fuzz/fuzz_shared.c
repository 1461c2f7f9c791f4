/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of any kind, both ways, through a shared address.
 *
 * What is passed on comes from the NIC, or goes to who can be a client, and
 * differs from what came in nothing but addresses, checksums, and the broadcast
 * flag; a checksum that was right is right afterwards. What is not passed on is
 * left alone. The table inside stays whole.
 *
 * Input, again and again: octet 0 is flags, octets 1 and 2 the length of the
 * frame, which follows.
 */
#include <stdlib.h>
#include <string.h>

#include <vnet/malloc.h>

#include "shared.h"
#include "sums.h"

/* flags */
enum {
	IS_OUT = 0x01,
	IS_TO_NIC = 0x02,  /* its destination is the NIC's address */
	FORGETS = 0x04,    /* its source is forgotten first */
	SECONDS_SHIFT = 3, /* 1 << n less 1 of them have passed */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                          \
	do {                              \
		if (!(x))                 \
			__builtin_trap(); \
	} while (0)

static const struct vnet_mac nic = {{0x52, 0x54, 0, 0x12, 0x34, 0x56}};

/* Octets behind the addresses of the frame that changed. */
static unsigned
count_changes(const uint8_t *from, const uint8_t *to, size_t len)
{
	unsigned n = 0;

	for (size_t i = 12; i < len; i++)
		n += from[i] != to[i];
	return n;
}

static void
check_out(enum vnet_shared_verdict v, const uint8_t *before,
	  const uint8_t *after, size_t len)
{
	unsigned n;

	CHECK(v == VNET_SHARED_PASS || v == VNET_SHARED_MALFORMED);
	if (v != VNET_SHARED_PASS) {
		CHECK(memcmp(before, after, len) == 0);
		return;
	}
	CHECK(len >= 14 && memcmp(before, after, 6) == 0);
	CHECK(memcmp(after + 6, nic.octet, 6) == 0);
	/* Two addresses of ARP, or one of ND and its checksum. */
	n = count_changes(before, after, len);
	CHECK(n <= 12);
	if (sums_check(before, len) == SUMS_RIGHT)
		CHECK(sums_check(after, len) == SUMS_RIGHT);
}

static void
check_in(enum vnet_shared_verdict v, const uint8_t *before,
	 const uint8_t *after, size_t len)
{
	CHECK(v < VNET_SHARED_NVERDICTS);
	if (v != VNET_SHARED_PASS || before[0] & 1) {
		CHECK(memcmp(before, after, len) == 0);
		return;
	}
	CHECK(len >= 14 && memcmp(before, nic.octet, 6) == 0);
	CHECK(memcmp(before + 6, after + 6, 6) == 0);
	/* To one client, which is not nobody. */
	CHECK(!(after[0] & 1) && memcmp(after, "\0\0\0\0\0\0", 6) != 0);
	CHECK(count_changes(before, after, len) <= 6);
}

static void
step(struct vnet_shared *s, unsigned flags, const uint8_t *data, size_t len,
     vnet_nsec now)
{
	/* Memory of exactly that size. */
	uint8_t *frame = malloc(len ? len : 1);
	uint8_t *before = malloc(len ? len : 1);
	enum vnet_shared_verdict v;
	struct vnet_mac mac;

	CHECK(frame && before);
	memcpy(frame, data, len);
	if (flags & IS_TO_NIC && len >= 6)
		memcpy(frame, nic.octet, 6);
	memcpy(before, frame, len);
	if (flags & FORGETS && len >= 12) {
		memcpy(mac.octet, frame + 6, 6);
		vnet_shared_forget(s, &mac);
	}

	if (flags & IS_OUT) {
		v = vnet_shared_out(s, frame, (uint32_t)len, now);
		check_out(v, before, frame, len);
	} else {
		v = vnet_shared_in(s, frame, (uint32_t)len, now);
		check_in(v, before, frame, len);
	}
	CHECK(vnet_shared_check(s));
	free(before);
	free(frame);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vnet_alloc alloc = vnet_malloc();
	const struct vnet_shared_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.nic = nic,
		.max_clients = 4,
		.max_addrs = 3,
	};
	struct vnet_shared *s;
	vnet_nsec now = 0;

	CHECK(vnet_shared_create(&s, &config, NULL) == 0);
	while (size >= 3) {
		unsigned flags = data[0];
		size_t len = data[1] | (size_t)data[2] << 8;

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		now += ((UINT64_C(1) << (flags >> SECONDS_SHIFT & 15)) - 1) *
		       VNET_NSEC_PER_SEC;
		step(s, flags, data, len, now);
		data += len;
		size -= len;
	}
	vnet_shared_destroy(s);
	return 0;
}
