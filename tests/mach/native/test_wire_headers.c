/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layouts of i386 as GNU Mach's packaged headers, and MIG's stubs, have them.
 */
#include <device/device_types.h>
#include <device/net_status.h>
#include <mach/message.h>
#include <mach/notify.h>

#include "support.h"
#include "wire.h"

_Static_assert(sizeof(struct net_rcv_msg) == 4196, "net_rcv_msg");
_Static_assert(NET_RCV_MAX == 4095 && NET_HDW_HDR_MAX == 64, "its arrays");

static void
test_a_frame_is_the_struct_of_the_headers(void **state)
{
	(void)state;
	for (uint32_t len = 14; len <= 14 + NET_RCV_MAX - 4; len++) {
		static struct net_rcv_msg m;
		uint8_t data[14 + NET_RCV_MAX], msg[VNET_WIRE_NET_RCV_MAX];
		const struct vnet_frame f = {.data = data, .len = len};
		struct packet_header packet;
		size_t n;

		for (uint32_t i = 0; i < len; i++)
			data[i] = (uint8_t)(i * 5 + len);
		n = vnet_wire_net_rcv(msg, VNET_WIRE_I386, &f);
		vnet_wire_set_remote(msg, VNET_WIRE_I386, 17,
				     VNET_WIRE_COPY_SEND);
		memset(&m, 0, sizeof(m));
		m.msg_hdr.msgh_bits =
			MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
		m.msg_hdr.msgh_size = (mach_msg_size_t)n;
		m.msg_hdr.msgh_remote_port = 17;
		m.msg_hdr.msgh_id = NET_RCV_MSG_ID;
		m.header_type = (mach_msg_type_t){
			.msgt_name = MACH_MSG_TYPE_BYTE,
			.msgt_size = 8,
			.msgt_number = NET_HDW_HDR_MAX,
			.msgt_inline = TRUE,
		};
		memcpy(m.header, data, 14);
		m.packet_type = m.header_type;
		m.packet_type.msgt_number = (sizeof(packet) + len - 14) & 0xfff;
		packet.length = (uint16_t)(sizeof(packet) + len - 14);
		memcpy(&packet.type, data + 12, 2);
		memcpy(m.packet, &packet, sizeof(packet));
		memcpy(m.packet + sizeof(packet), data + 14, len - 14);
		assert_int_equal(n, (offsetof(struct net_rcv_msg, packet) +
				     packet.length + 3) &
					    ~3u);
		assert_memory_equal(msg, &m, n);
	}
}

/* A header, a descriptor of each form, as the compiler lays them out. */
static void
test_descriptors_are_those_of_the_headers(void **state)
{
	struct {
		mach_msg_header_t head;
		mach_msg_type_t int_type;
		uint32_t number;
		mach_msg_type_t right_type;
		mach_port_t right;
		mach_msg_type_long_t memory_type;
		vm_address_t memory;
		mach_msg_type_long_t name_type;
		char name[128];
	} m = {
		.head = {.msgh_bits = MACH_MSGH_BITS_COMPLEX |
				      MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND,
						     MACH_MSG_TYPE_MAKE_SEND),
			 .msgh_size = sizeof(m),
			 .msgh_remote_port = 3,
			 .msgh_local_port = 4,
			 .msgh_id = 5},
		.int_type = {.msgt_name = MACH_MSG_TYPE_INTEGER_32,
			     .msgt_size = 32,
			     .msgt_number = 1,
			     .msgt_inline = TRUE},
		.number = 6,
		.right_type = {.msgt_name = MACH_MSG_TYPE_MAKE_SEND_ONCE,
			       .msgt_size = 32,
			       .msgt_number = 1,
			       .msgt_inline = TRUE},
		.right = 7,
		.memory_type = {.msgtl_header = {.msgt_longform = TRUE,
						 .msgt_deallocate = TRUE},
				.msgtl_name = MACH_MSG_TYPE_BYTE,
				.msgtl_size = 8,
				.msgtl_number = 100000},
		.memory = 0x8000,
		.name_type = {.msgtl_header = {.msgt_inline = TRUE,
					       .msgt_longform = TRUE},
			      .msgtl_name = MACH_MSG_TYPE_STRING_C,
			      .msgtl_size = 1024,
			      .msgtl_number = 1},
		.name = "eth0",
	};
	const struct vnet_wire_header h = {
		.bits = m.head.msgh_bits,
		.remote = 3,
		.local = 4,
		.id = 5,
	};
	struct vnet_wire_writer w;
	uint8_t msg[512];

	(void)state;
	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_I386, &h);
	vnet_wire_put_int32(&w, &m.number, 1);
	vnet_wire_put_right(&w, 7, VNET_WIRE_MAKE_SEND_ONCE);
	vnet_wire_put_memory(&w, 0x8000, 100000, true);
	vnet_wire_put_octets(&w, VNET_WIRE_STRING, m.name, 128, true);
	assert_int_equal(vnet_wire_end(&w), sizeof(m));
	assert_memory_equal(msg, &m, sizeof(m));
	assert_true(
		vnet_wire_is_whole((uint8_t *)&m, sizeof(m), VNET_WIRE_I386));
}

static void
test_numbers_are_those_of_the_headers(void **state)
{
	(void)state;
	assert_int_equal(VNET_WIRE_INT16, MACH_MSG_TYPE_INTEGER_16);
	assert_int_equal(VNET_WIRE_INT32, MACH_MSG_TYPE_INTEGER_32);
	assert_int_equal(VNET_WIRE_CHAR, MACH_MSG_TYPE_CHAR);
	assert_int_equal(VNET_WIRE_BYTE, MACH_MSG_TYPE_BYTE);
	assert_int_equal(VNET_WIRE_INT64, MACH_MSG_TYPE_INTEGER_64);
	assert_int_equal(VNET_WIRE_STRING, MACH_MSG_TYPE_STRING_C);
	assert_int_equal(VNET_WIRE_MOVE_SEND, MACH_MSG_TYPE_MOVE_SEND);
	assert_int_equal(VNET_WIRE_MOVE_SEND_ONCE,
			 MACH_MSG_TYPE_MOVE_SEND_ONCE);
	assert_int_equal(VNET_WIRE_COPY_SEND, MACH_MSG_TYPE_COPY_SEND);
	assert_int_equal(VNET_WIRE_MAKE_SEND, MACH_MSG_TYPE_MAKE_SEND);
	assert_int_equal(VNET_WIRE_MAKE_SEND_ONCE,
			 MACH_MSG_TYPE_MAKE_SEND_ONCE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_frame_is_the_struct_of_the_headers),
		cmocka_unit_test(test_descriptors_are_those_of_the_headers),
		cmocka_unit_test(test_numbers_are_those_of_the_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
