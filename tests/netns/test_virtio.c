/* SPDX-License-Identifier: BSD-2-Clause */
/* What virtio_net_hdr and struct vnet_frame make of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "virtio.h"

static void
assert_read(struct virtio_net_hdr h, struct vnet_frame expected)
{
	struct vnet_frame f = {0};

	assert_true(vnet_virtio_read(&h, &f));
	assert_memory_equal(&f, &expected, sizeof(f));
}

static void
assert_written(struct vnet_frame f, struct virtio_net_hdr expected)
{
	struct virtio_net_hdr h;

	memset(&h, 0xa5, sizeof(h));
	vnet_virtio_write(&f, &h);
	assert_memory_equal(&h, &expected, sizeof(h));
}

static void
test_header_is_ten_octets(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct virtio_net_hdr), 10);
}

static void
test_plain_frame_has_a_header_of_zero(void **state)
{
	(void)state;
	assert_read((struct virtio_net_hdr){0}, (struct vnet_frame){0});
	assert_written((struct vnet_frame){.nsegs = 1},
		       (struct virtio_net_hdr){0});
}

static void
test_partial_checksum_goes_both_ways(void **state)
{
	const struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = 34,
		.csum_offset = 16,
	};
	const struct vnet_frame f = {
		.flags = VNET_FRAME_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 16,
	};

	(void)state;
	assert_read(h, f);
	assert_written(f, h);
}

static void
test_verified_checksum_goes_both_ways(void **state)
{
	const struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};
	const struct vnet_frame f = {.flags = VNET_FRAME_CSUM_VALID};

	(void)state;
	assert_read(h, f);
	assert_written(f, h);
}

static void
test_checksum_to_be_computed_is_not_called_verified(void **state)
{
	(void)state;
	assert_written(
		(struct vnet_frame){
			.flags =
				VNET_FRAME_CSUM_PARTIAL | VNET_FRAME_CSUM_VALID,
			.csum_start = 34,
			.csum_offset = 6,
		},
		(struct virtio_net_hdr){
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.csum_start = 34,
			.csum_offset = 6,
		});
}

static void
test_segmentation_goes_both_ways(void **state)
{
	static const struct {
		uint8_t virtio;
		uint8_t gso;
		uint16_t flags;
	} types[] = {
		{1, VNET_GSO_TCP4, 0},
		{4, VNET_GSO_TCP6, 0},
		{5, VNET_GSO_UDP, 0},
		{0x81, VNET_GSO_TCP4, VNET_FRAME_GSO_ECN},
		{0x84, VNET_GSO_TCP6, VNET_FRAME_GSO_ECN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct virtio_net_hdr h = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = types[i].virtio,
			.hdr_len = 66,
			.gso_size = 1448,
			.csum_start = 34,
			.csum_offset = 16,
		};
		const struct vnet_frame f = {
			.flags = (uint16_t)(VNET_FRAME_CSUM_PARTIAL |
					    types[i].flags),
			.gso_type = types[i].gso,
			.csum_start = 34,
			.csum_offset = 16,
			.gso_size = 1448,
			.hdr_len = 66,
		};

		assert_read(h, f);
		assert_written(f, h);
	}
}

static void
test_fields_that_say_nothing_are_not_read(void **state)
{
	(void)state;
	assert_read(
		(struct virtio_net_hdr){
			.csum_start = 34,
			.csum_offset = 16,
			.gso_size = 1448,
			.hdr_len = 66,
		},
		(struct vnet_frame){0});
}

static void
test_unknown_segmentation_is_refused(void **state)
{
	(void)state;
	for (unsigned int type = 1; type < 256; type++) {
		struct virtio_net_hdr h = {.gso_type = (uint8_t)type};
		unsigned int known = type & 0x7f;
		struct vnet_frame f = {0};

		assert_int_equal(vnet_virtio_read(&h, &f),
				 known == 1 || known == 4 || known == 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_is_ten_octets),
		cmocka_unit_test(test_plain_frame_has_a_header_of_zero),
		cmocka_unit_test(test_partial_checksum_goes_both_ways),
		cmocka_unit_test(test_verified_checksum_goes_both_ways),
		cmocka_unit_test(
			test_checksum_to_be_computed_is_not_called_verified),
		cmocka_unit_test(test_segmentation_goes_both_ways),
		cmocka_unit_test(test_fields_that_say_nothing_are_not_read),
		cmocka_unit_test(test_unknown_segmentation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
