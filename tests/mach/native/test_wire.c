/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layouts of both ABIs, octet by octet: sizes are those of MIG's output (i386:
 * Debian 12's packages; x86_64: GNU Mach of 2023 and later), vectors are written
 * by hand from <mach/message.h>.
 *
 * Whatever is read lies in memory of exactly its size: a sanitizer sees one octet
 * too far.
 */
#include "support.h"
#include "wire.h"

#define ROOM 8192

static const enum vnet_wire_abi both[] = {VNET_WIRE_I386, VNET_WIRE_X86_64};

static size_t
header_size(enum vnet_wire_abi abi)
{
	return abi == VNET_WIRE_I386 ? 24 : 32;
}

static size_t
round_up(size_t n, enum vnet_wire_abi abi)
{
	const size_t to = abi == VNET_WIRE_I386 ? 4 : 8;

	return (n + to - 1) / to * to;
}

/* That many octets on the heap, and no more. */
static uint8_t *
exactly(const void *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

/*
 * Sizes: a word for each item
 *
 *	i	an int			n	a natural
 *	p	a right			m	memory out of line
 *	N	a name, long form	S	a name, short form
 *	b I h	an array of COUNT octets, ints, words of 16 bits
 */
struct layout {
	const char *what;
	uint32_t id;
	const char *items;
	uint32_t count;
	size_t size[2];
};

static const struct layout layouts[] = {
	{"device_open", 2800, "iN", 0, {172, 184}},
	{"its reply", 2900, "ip", 0, {40, 64}},
	{"device_close", 2801, "", 0, {24, 32}},
	{"its reply", 2901, "i", 0, {32, 48}},
	{"device_write", 2802, "inm", 0, {56, 80}},
	{"its reply", 2902, "ii", 0, {40, 64}},
	{"device_write_inband", 2803, "inb", 1, {48, 80}},
	{"device_write_inband", 2803, "inb", 128, {172, 200}},
	{"device_read", 2804, "ini", 0, {48, 80}},
	{"its reply", 2904, "im", 0, {48, 64}},
	{"device_read_inband", 2805, "ini", 0, {48, 80}},
	{"its reply", 2905, "ib", 0, {36, 56}},
	{"its reply", 2905, "ib", 7, {44, 64}},
	{"device_open_new", 2806, "iS", 0, {164, 184}},
	{"device_map", 2809, "inni", 0, {56, 96}},
	{"its reply", 2909, "ip", 0, {40, 64}},
	{"device_set_status", 2810, "iI", 1, {40, 64}},
	{"device_set_status", 2810, "iI", 2, {44, 64}},
	{"device_get_status", 2811, "ii", 0, {40, 64}},
	{"its reply", 2911, "iI", 7, {64, 88}},
	{"device_set_filter", 2812, "pih", 28, {100, 128}},
	{"device_set_filter", 2812, "pih", 3, {52, 80}},
	{"device_intr_register", 2813, "iip", 0, {48, 80}},
	{"device_intr_ack", 2814, "p", 0, {32, 48}},
	{"proc_getprivports", 24004, "", 0, {24, 32}},
	{"its reply", 24104, "ipp", 0, {48, 80}},
	{"proc_reauthenticate", 24011, "p", 0, {32, 48}},
	{"proc_task2proc", 24031, "p", 0, {32, 48}},
	{"its reply", 24131, "ip", 0, {40, 64}},
	{"proc_pid2proc", 24033, "i", 0, {32, 48}},
	{"fsys_getpriv reply", 22106, "ippp", 0, {56, 96}},
	{"fsys_startup", 22000, "ip", 0, {40, 64}},
};

static void
put_items(struct vnet_wire_writer *w, const struct layout *l)
{
	const uint32_t words[128] = {0x04030201, 5, 6};
	const char name[128] = "eth0";

	for (const char *c = l->items; *c; c++)
		switch (*c) {
		case 'i':
			vnet_wire_put_int32(w, words, 1);
			break;
		case 'n':
			vnet_wire_put_natural(w, 0x1234);
			break;
		case 'p':
			vnet_wire_put_right(w, 77, VNET_WIRE_COPY_SEND);
			break;
		case 'm':
			vnet_wire_put_memory(w, 0x5000, 1514, true);
			break;
		case 'N':
			vnet_wire_put_octets(w, VNET_WIRE_STRING, name,
					     sizeof(name), true);
			break;
		case 'S':
			vnet_wire_put_octets(w, VNET_WIRE_STRING, name,
					     sizeof(name), false);
			break;
		case 'b':
			vnet_wire_put_octets(w, VNET_WIRE_CHAR, words, l->count,
					     false);
			break;
		case 'I':
			vnet_wire_put_int32(w, words, l->count);
			break;
		case 'h':
			vnet_wire_put_octets(w, VNET_WIRE_INT16, words,
					     l->count, false);
			break;
		}
}

static void
assert_items(struct vnet_wire_reader *r, const struct layout *l)
{
	uint32_t n, type;

	for (const char *c = l->items; *c; c++)
		switch (*c) {
		case 'i':
			assert_int_equal(vnet_wire_get_int32(r), 0x04030201);
			break;
		case 'n': {
			bool is_64 = r->abi == VNET_WIRE_X86_64;
			const uint8_t *p = vnet_wire_get_octets(
				r, is_64 ? VNET_WIRE_INT64 : VNET_WIRE_INT32,
				&n);

			assert_int_equal(n, is_64 ? 8 : 4);
			assert_int_equal(p[0] | p[1] << 8, 0x1234);
			break;
		}
		case 'p':
			assert_int_equal(vnet_wire_get_right(r, &type), 77);
			assert_int_equal(type, VNET_WIRE_COPY_SEND);
			break;
		case 'm':
			assert_int_equal(vnet_wire_get_memory(r, &n), 0x5000);
			assert_int_equal(n, 1514);
			break;
		case 'N':
		case 'S': {
			const uint8_t *p =
				vnet_wire_get_octets(r, VNET_WIRE_STRING, &n);

			assert_int_equal(n, 128);
			assert_string_equal((const char *)p, "eth0");
			break;
		}
		case 'b':
			vnet_wire_get_octets(r, VNET_WIRE_CHAR, &n);
			assert_int_equal(n, l->count);
			break;
		case 'I':
			vnet_wire_get_octets(r, VNET_WIRE_INT32, &n);
			assert_int_equal(n, 4 * l->count);
			break;
		case 'h':
			vnet_wire_get_octets(r, VNET_WIRE_INT16, &n);
			assert_int_equal(n, 2 * l->count);
			break;
		}
	assert_true(vnet_wire_close(r));
}

static size_t
write_layout(uint8_t *msg, size_t room, enum vnet_wire_abi abi,
	     const struct layout *l)
{
	const struct vnet_wire_header h = {
		.bits = VNET_WIRE_COPY_SEND,
		.remote = 11,
		.local = 12,
		.id = l->id,
	};
	struct vnet_wire_writer w;

	vnet_wire_begin(&w, msg, room, abi, &h);
	put_items(&w, l);
	return vnet_wire_end(&w);
}

static void
test_messages_have_the_sizes_that_mig_gives_them(void **state)
{
	uint8_t msg[ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		for (size_t k = 0; k < 2; k++) {
			const struct layout *l = &layouts[i];
			size_t n = write_layout(msg, sizeof(msg), both[k], l);

			if (n != l->size[k])
				fail_msg("%s (%u): %zu, not %zu", l->what,
					 l->id, n, l->size[k]);
		}
}

static void
test_what_was_written_is_read(void **state)
{
	struct vnet_wire_header h;
	struct vnet_wire_reader r;
	uint8_t msg[ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		for (size_t k = 0; k < 2; k++) {
			const struct layout *l = &layouts[i];
			size_t n = write_layout(msg, sizeof(msg), both[k], l);
			bool is_complex = strpbrk(l->items, "pm");
			uint8_t *copy = exactly(msg, n);

			assert_true(vnet_wire_is_whole(copy, n, both[k]));
			vnet_wire_open(&r, copy, n, both[k], &h);
			assert_int_equal(h.bits,
					 VNET_WIRE_COPY_SEND |
						 (is_complex ? 0x80000000 : 0));
			assert_int_equal(h.size, n);
			assert_int_equal(h.remote, 11);
			assert_int_equal(h.local, 12);
			assert_int_equal(h.id, l->id);
			assert_items(&r, l);
			free(copy);
		}
}

/* Room for all of it is needed, and enough. */
static void
test_a_message_that_does_not_fit_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		for (size_t k = 0; k < 2; k++) {
			const struct layout *l = &layouts[i];
			size_t size = l->size[k];

			for (size_t room = 0; room <= size; room++) {
				uint8_t *msg = malloc(room ? room : 1);
				size_t n = write_layout(msg, room, both[k], l);

				assert_int_equal(n, room < size ? 0 : size);
				free(msg);
			}
		}
}

static void
test_what_no_descriptor_holds_is_not_written(void **state)
{
	const struct vnet_wire_header h = {.id = 1};
	static uint8_t many[5000], msg[ROOM];
	struct vnet_wire_writer w;

	(void)state;
	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_I386, &h);
	vnet_wire_put_octets(&w, VNET_WIRE_BYTE, many, 4095, false);
	assert_int_equal(vnet_wire_end(&w), 24 + 4 + 4096);
	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_I386, &h);
	vnet_wire_put_octets(&w, VNET_WIRE_BYTE, many, 4096, false);
	assert_int_equal(vnet_wire_end(&w), 0);
	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_I386, &h);
	vnet_wire_put_octets(&w, VNET_WIRE_BYTE, many, 4096, true);
	assert_int_equal(vnet_wire_end(&w), 24 + 12 + 4096);
	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_X86_64, &h);
	vnet_wire_put_octets(&w, VNET_WIRE_BYTE, many, 4096, false);
	assert_int_equal(vnet_wire_end(&w), 32 + 8 + 4096);
	vnet_wire_put_octets(&w, VNET_WIRE_BYTE, many, UINT32_MAX, false);
	assert_int_equal(vnet_wire_end(&w), 0);
}

/*
 * Vectors
 */

static void
assert_octets(const uint8_t *found, const uint8_t *wanted, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (found[i] != wanted[i])
			fail_msg("octet %zu is %02x, not %02x", i, found[i],
				 wanted[i]);
}

static void
test_device_open_reply_octet_by_octet(void **state)
{
	static const struct layout l = {"", 2900, "ip", 0, {0}};
	/* bits, size, remote, local, seqno, id; INTEGER_32 32 x1 inline;
	 * COPY_SEND 32 x1 inline */
	static const uint8_t i386[40] = {
		0x13, 0, 0, 0x80, 40, 0,  0,    0,    11, 0, 0, 0,  12, 0,
		0,    0, 0, 0,    0,  0,  0x54, 0x0b, 0,  0, 2, 32, 1,  0x10,
		1,    2, 3, 4,    19, 32, 1,    0x10, 77, 0, 0, 0,
	};
	static const uint8_t x86_64[64] = {
		0x13, 0,  0, 0x80, 64, 0, 0, 0, 11, 0, 0, 0, 0,    0,    0, 0,
		12,   0,  0, 0,    0,  0, 0, 0, 0,  0, 0, 0, 0x54, 0x0b, 0, 0,
		2,    32, 0, 0x20, 1,  0, 0, 0, 1,  2, 3, 4, 0,    0,    0, 0,
		19,   64, 0, 0x20, 1,  0, 0, 0, 77, 0, 0, 0, 0,    0,    0, 0,
	};
	uint8_t msg[ROOM];

	(void)state;
	memset(msg, 0xaa, sizeof(msg));
	assert_int_equal(write_layout(msg, ROOM, VNET_WIRE_I386, &l), 40);
	assert_octets(msg, i386, sizeof(i386));
	assert_int_equal(msg[40], 0xaa);
	memset(msg, 0xaa, sizeof(msg));
	assert_int_equal(write_layout(msg, ROOM, VNET_WIRE_X86_64, &l), 64);
	assert_octets(msg, x86_64, sizeof(x86_64));
	assert_int_equal(msg[64], 0xaa);
}

static void
test_memory_and_names_octet_by_octet(void **state)
{
	static const struct layout write = {"", 2802, "inm", 0, {0}};
	static const struct layout open = {"", 2800, "iN", 0, {0}};
	static const struct layout open_new = {"", 2806, "iS", 0, {0}};
	/* long form: 0x60000000 is longform and deallocate; CHAR is not, BYTE
	 * is what an uplink sends, 9 */
	static const uint8_t i386[32] = {
		2, 32, 1, 0x10, 1, 2, 3, 4, 2,    32, 1, 0x10, 0x34, 0x12, 0, 0,
		0, 0,  0, 0x60, 9, 0, 8, 0, 0xea, 5,  0, 0,    0,    0x50, 0, 0,
	};
	static const uint8_t x86_64[48] = {
		2,  32, 0, 0x20, 1,    0, 0, 0, 1,    2,    3, 4, 0, 0, 0, 0,
		11, 64, 0, 0x20, 1,    0, 0, 0, 0x34, 0x12, 0, 0, 0, 0, 0, 0,
		9,  8,  0, 0x80, 0xea, 5, 0, 0, 0,    0x50, 0, 0, 0, 0, 0, 0,
	};
	/* a string of 1024 bits, once; of 8, 128 times */
	static const uint8_t long_i386[] = {
		0, 0, 0, 0x30, 12, 0, 0, 4, 1, 0, 0, 0, 'e', 't', 'h', '0', 0,
	};
	static const uint8_t long_x86_64[] = {
		12, 0, 4, 0x20, 1, 0, 0, 0, 'e', 't', 'h', '0', 0,
	};
	static const uint8_t short_i386[] = {
		12, 8, 128, 0x10, 'e', 't', 'h', '0', 0,
	};
	uint8_t msg[ROOM];

	(void)state;
	write_layout(msg, ROOM, VNET_WIRE_I386, &write);
	assert_octets(msg + 24, i386, sizeof(i386));
	write_layout(msg, ROOM, VNET_WIRE_X86_64, &write);
	assert_octets(msg + 32, x86_64, sizeof(x86_64));
	write_layout(msg, ROOM, VNET_WIRE_I386, &open);
	assert_octets(msg + 32, long_i386, sizeof(long_i386));
	write_layout(msg, ROOM, VNET_WIRE_X86_64, &open);
	assert_octets(msg + 48, long_x86_64, sizeof(long_x86_64));
	write_layout(msg, ROOM, VNET_WIRE_I386, &open_new);
	assert_octets(msg + 32, short_i386, sizeof(short_i386));
}

/*
 * Frames
 */

static void
make_frame(uint8_t *frame, size_t len)
{
	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7 + len);
}

static void
test_net_rcv_octet_by_octet(void **state)
{
	/* name BYTE, size 8, number 64, inline; and number 4 + 5 */
	static const uint8_t types_i386[2][4] = {{9, 8, 64, 0x10},
						 {9, 8, 9, 0x10}};
	static const uint8_t types_x86_64[2][8] = {{9, 8, 0, 0x20, 64, 0, 0, 0},
						   {9, 8, 0, 0x20, 9, 0, 0, 0}};
	static const uint8_t zeros[64];
	uint8_t data[19], msg[VNET_WIRE_NET_RCV_MAX];
	const struct vnet_frame f = {.data = data, .len = sizeof(data)};
	uint8_t packet[12] = {9, 0};

	(void)state;
	make_frame(data, sizeof(data));
	memcpy(packet + 2, data + 12, 2); /* the type, as it is in the frame */
	memcpy(packet + 4, data + 14, 5);

	memset(msg, 0xaa, sizeof(msg));
	assert_int_equal(vnet_wire_net_rcv(msg, VNET_WIRE_I386, &f), 108);
	vnet_wire_set_remote(msg, VNET_WIRE_I386, 0x1234, VNET_WIRE_COPY_SEND);
	assert_octets(msg,
		      (const uint8_t[]){0x13, 0,    0, 0, 108,  0,    0, 0,
					0x34, 0x12, 0, 0, 0,    0,    0, 0,
					0,    0,    0, 0, 0xb7, 0x0b, 0, 0},
		      24);
	assert_octets(msg + 24, types_i386[0], 4);
	assert_octets(msg + 28, data, 14);
	assert_octets(msg + 42, zeros, 50);
	assert_octets(msg + 92, types_i386[1], 4);
	assert_octets(msg + 96, packet, 12);
	assert_int_equal(msg[108], 0xaa);

	memset(msg, 0xaa, sizeof(msg));
	assert_int_equal(vnet_wire_net_rcv(msg, VNET_WIRE_X86_64, &f), 128);
	vnet_wire_set_remote(msg, VNET_WIRE_X86_64, 0x1234,
			     VNET_WIRE_COPY_SEND);
	assert_octets(msg,
		      (const uint8_t[]){0x13, 0,    0, 0, 128,  0,    0, 0,
					0x34, 0x12, 0, 0, 0,    0,    0, 0,
					0,    0,    0, 0, 0,    0,    0, 0,
					0,    0,    0, 0, 0xb7, 0x0b, 0, 0},
		      32);
	assert_octets(msg + 32, types_x86_64[0], 8);
	assert_octets(msg + 40, data, 14);
	assert_octets(msg + 54, zeros, 50);
	assert_octets(msg + 104, types_x86_64[1], 8);
	assert_octets(msg + 112, packet, 9);
	assert_octets(msg + 121, zeros, 7);
	assert_int_equal(msg[128], 0xaa);
}

#define FRAME_MAX (14 + 4091)

static void
test_frames_of_all_lengths_come_back(void **state)
{
	uint8_t *data = malloc(FRAME_MAX), *back = malloc(FRAME_MAX);

	(void)state;
	for (size_t k = 0; k < 2; k++)
		for (size_t len = 14; len <= FRAME_MAX; len++) {
			size_t packet = both[k] == VNET_WIRE_I386 ? 96 : 112;
			size_t size = round_up(packet + 4 + len - 14, both[k]);
			uint8_t *msg = malloc(size);
			const struct vnet_frame f = {
				.data = data,
				.len = (uint32_t)len,
			};

			make_frame(data, len);
			memset(msg, 0xaa, size);
			assert_int_equal(vnet_wire_net_rcv(msg, both[k], &f),
					 size);
			vnet_wire_set_remote(msg, both[k], 1,
					     VNET_WIRE_COPY_SEND);
			assert_true(vnet_wire_is_whole(msg, size, both[k]));
			for (size_t i = packet + 4 + len - 14; i < size; i++)
				assert_int_equal(msg[i], 0);
			assert_int_equal(vnet_wire_net_rcv_read(
						 msg, size, both[k], back, len),
					 len);
			assert_memory_equal(back, data, len);
			assert_int_equal(vnet_wire_net_rcv_read(msg, size,
								both[k], back,
								len - 1),
					 0);
			free(msg);
		}
	free(data);
	free(back);
}

static void
test_the_longest_message_fits_what_receivers_have(void **state)
{
	uint8_t data[FRAME_MAX] = {0}, msg[VNET_WIRE_NET_RCV_MAX];
	const struct vnet_frame f = {.data = data, .len = FRAME_MAX};

	(void)state;
	/* struct net_rcv_msg has 4 octets more, for `sent`. */
	assert_int_equal(vnet_wire_net_rcv(msg, VNET_WIRE_I386, &f), 4196 - 4);
	assert_int_equal(vnet_wire_net_rcv(msg, VNET_WIRE_X86_64, &f),
			 4216 - 8);
}

/* The kernel's own devices leave up to a word behind it. */
static void
test_slack_behind_a_frame_is_nothing(void **state)
{
	uint8_t data[60], msg[VNET_WIRE_NET_RCV_MAX], back[64];
	const struct vnet_frame f = {.data = data, .len = sizeof(data)};

	(void)state;
	make_frame(data, sizeof(data));
	for (size_t k = 0; k < 2; k++)
		for (int octet = 0; octet < 256; octet++) {
			size_t n = vnet_wire_net_rcv(msg, both[k], &f);
			uint8_t *copy;

			vnet_wire_set_remote(msg, both[k], 1,
					     VNET_WIRE_COPY_SEND);
			memset(msg + n, octet, 8);
			copy = exactly(msg, n + 4);
			assert_true(vnet_wire_is_whole(copy, n + 4, both[k]));
			assert_int_equal(vnet_wire_net_rcv_read(copy, n + 4,
								both[k], back,
								sizeof(back)),
					 60);
			free(copy);
		}
}

/* A frame changed in one place, and shortened. */
static void
test_no_forged_frame_is_read_beyond_its_end(void **state)
{
	struct test_random random = {.state = 3};
	uint8_t data[200], msg[VNET_WIRE_NET_RCV_MAX], back[FRAME_MAX];
	unsigned taken = 0, refused = 0;

	(void)state;
	make_frame(data, sizeof(data));
	for (int round = 0; round < 200000; round++) {
		enum vnet_wire_abi abi = both[round & 1];
		const struct vnet_frame f = {
			.data = data,
			.len = 14 + test_random_below(&random, 187),
		};
		size_t n = vnet_wire_net_rcv(msg, abi, &f), len;
		uint8_t *copy;

		for (uint32_t i = test_random_below(&random, 4); i; i--)
			msg[test_random_below(&random, 120)] =
				(uint8_t)test_random(&random);
		if (test_random_below(&random, 2))
			n = test_random_below(&random, (uint32_t)n + 1);
		copy = exactly(msg, n);
		len = vnet_wire_net_rcv_read(copy, n, abi, back, sizeof(back));
		assert_true(len == 0 || (len >= 14 && len < n));
		if (len)
			taken++;
		else
			refused++;
		free(copy);
	}
	assert_in_range(taken, 20000, 180000);
	assert_in_range(refused, 20000, 180000);
}

/*
 * Any message: items at random, of which the test knows what they are
 */

struct truth {
	uint32_t nrights, npieces;
	uint32_t rights[64], types[64];
	uintptr_t address[16];
	size_t octets[16];
};

struct seen {
	const struct truth *truth;
	uint32_t nrights, npieces;
};

static void
see_right(void *ctx, uint32_t name, uint32_t disposition)
{
	struct seen *s = ctx;

	assert_true(s->nrights < s->truth->nrights);
	assert_int_equal(name, s->truth->rights[s->nrights]);
	assert_int_equal(disposition, s->truth->types[s->nrights]);
	s->nrights++;
}

static void
see_memory(void *ctx, uintptr_t address, size_t octets)
{
	struct seen *s = ctx;

	assert_true(s->npieces < s->truth->npieces);
	assert_int_equal(address, s->truth->address[s->npieces]);
	assert_int_equal(octets, s->truth->octets[s->npieces]);
	s->npieces++;
}

static void
see(const uint8_t *msg, size_t n, enum vnet_wire_abi abi, const struct truth *t,
    struct seen *s)
{
	const struct vnet_wire_visitor v = {see_right, see_memory, s};

	*s = (struct seen){.truth = t};
	vnet_wire_visit(msg, n, abi, &v);
}

static void
put_le(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* A descriptor by hand. bits: inline 1, long 2, deallocate 4. */
static size_t
put_type(uint8_t *p, enum vnet_wire_abi abi, uint32_t name, uint32_t size,
	 uint32_t number, uint32_t bits)
{
	if (abi == VNET_WIRE_X86_64) {
		put_le(p, 4, name | size << 8 | bits << 29);
		put_le(p + 4, 4, number);
		return 8;
	}
	if (bits & 2) {
		put_le(p, 4, bits << 28);
		put_le(p + 4, 4, name | size << 16);
		put_le(p + 8, 4, number);
		return 12;
	}
	put_le(p, 4, name | size << 8 | number << 16 | bits << 28);
	return 4;
}

static void
note_rights(struct truth *t, struct test_random *r, uint32_t type, uint8_t *to,
	    size_t each, uint32_t number)
{
	for (uint32_t i = 0; i < number; i++) {
		uint32_t name = test_random(r);

		put_le(to + i * each, each, name);
		t->rights[t->nrights] = name;
		t->types[t->nrights++] = type;
	}
}

/* Rights out of line: names in memory that stays. */
static uint8_t out_of_line[16][32];

static size_t
put_random_item(uint8_t *p, enum vnet_wire_abi abi, struct test_random *r,
		struct truth *t)
{
	const size_t word = abi == VNET_WIRE_X86_64 ? 8 : 4;
	uint32_t number = test_random_below(r, 5), size, bits, name;
	uintptr_t address;
	size_t n;

	switch (test_random_below(r, 4)) {
	case 0: /* octets */
		bits = 1 | test_random_below(r, 2) << 1;
		size = 1 + test_random_below(r, 64);
		name = test_random_below(r, 16);
		n = put_type(p, abi, name, size, number, bits);
		memset(p + n, 0x55, (size * number + 7) / 8);
		n += (size * number + 7) / 8;
		break;
	case 1: /* rights */
		name = 16 + test_random_below(r, 6);
		bits = 1 | test_random_below(r, 2) << 1;
		n = put_type(p, abi, name, (uint32_t)(8 * word), number, bits);
		note_rights(t, r, name, p + n, word, number);
		n += number * word;
		break;
	case 2: /* memory */
		bits = test_random_below(r, 4) << 1;
		n = put_type(p, abi, 9, 8, number, bits);
		address = (uintptr_t)test_random(r) & ~(uintptr_t)4095;
		put_le(p + n, word, address);
		n += word;
		if (bits & 4 && number) {
			t->address[t->npieces] = address;
			t->octets[t->npieces++] = number;
		}
		break;
	default: /* rights in memory */
		name = 16 + test_random_below(r, 6);
		bits = test_random_below(r, 4) << 1;
		n = put_type(p, abi, name, 32, number, bits);
		address = (uintptr_t)out_of_line[t->npieces];
		if (number && (bits & 4)) {
			note_rights(t, r, name, out_of_line[t->npieces], 4,
				    number);
			t->address[t->npieces] = address;
			t->octets[t->npieces++] = 4 * (size_t)number;
		} else {
			number = 0;
			n = put_type(p, abi, name, 32, 0, bits);
		}
		put_le(p + n, word, address);
		n += word;
		break;
	}
	memset(p + n, 0, round_up(n, abi) - n);
	return round_up(n, abi);
}

/* On a machine with addresses of 64 bits none fits a message of i386. */
static bool
can_point(enum vnet_wire_abi abi)
{
	return abi == VNET_WIRE_HERE;
}

static void
test_rights_and_memory_of_any_message_are_found(void **state)
{
	struct test_random random = {.state = 4};
	uint8_t msg[ROOM];
	struct seen seen;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		enum vnet_wire_abi abi = both[round & 1];
		size_t ends[12], nitems = test_random_below(&random, 10);
		size_t n = header_size(abi);
		struct truth truth = {0};
		uint8_t *copy;

		if (!can_point(abi))
			continue;
		memset(msg, 0, n);
		put_le(msg, 4, 0x80000000 | 0x11);
		for (size_t i = 0; i < nitems; i++) {
			n += put_random_item(msg + n, abi, &random, &truth);
			ends[i] = n;
		}
		copy = exactly(msg, n);
		assert_true(vnet_wire_is_whole(copy, n, abi));
		see(copy, n, abi, &truth, &seen);
		assert_int_equal(seen.nrights, truth.nrights);
		assert_int_equal(seen.npieces, truth.npieces);
		/* Not a complex one: nothing in it counts. */
		copy[3] = 0;
		assert_true(vnet_wire_is_whole(copy, n, abi));
		see(copy, n, abi, &truth, &seen);
		assert_int_equal(seen.nrights + seen.npieces, 0);
		free(copy);

		/* Cut anywhere: whole only where an item ends. */
		n = test_random_below(&random, (uint32_t)n + 1) & ~3u;
		copy = exactly(msg, n);
		bool is_end = n == header_size(abi);

		for (size_t i = 0; i < nitems; i++)
			is_end |= n == ends[i];
		if (is_end)
			assert_true(vnet_wire_is_whole(copy, n, abi));
		if (n < header_size(abi))
			assert_false(vnet_wire_is_whole(copy, n, abi));
		see(copy, n, abi, &truth, &seen);
		free(copy);
	}
}

/* Octets of any kind behind a header. */
static void
test_no_message_is_read_beyond_its_end(void **state)
{
	static const uint32_t types[] = {0,  1,  2,  8,  9,  11, 12, 15, 16,
					 17, 18, 19, 20, 21, 22, 23, 255};
	struct test_random random = {.state = 9};
	unsigned whole = 0, torn = 0;
	uint8_t msg[256];

	(void)state;
	for (int round = 0; round < 300000; round++) {
		enum vnet_wire_abi abi = both[round & 1];
		size_t n = test_random_below(&random, 160) & ~3u;
		struct vnet_wire_reader r;
		struct vnet_wire_header h;
		uint8_t *copy;
		uint32_t k;

		for (size_t i = 0; i < n; i++)
			msg[i] = (uint8_t)test_random(&random);
		for (size_t i = header_size(abi); i + 12 < n;)
			i += put_type(msg + i, abi,
				      types[test_random_below(&random, 17)],
				      1u << test_random_below(&random, 8),
				      test_random_below(&random, 20),
				      test_random_below(&random, 8)) +
			     4 * test_random_below(&random, 5);
		copy = exactly(msg, n);
		if (vnet_wire_is_whole(copy, n, abi))
			whole++;
		else
			torn++;
		vnet_wire_open(&r, copy, n, abi, &h);
		while (!r.is_wrong && r.pos < n) {
			const uint8_t *p = NULL;

			k = 0;
			switch (test_random_below(&random, 4)) {
			case 0:
				vnet_wire_get_int32(&r);
				break;
			case 1:
				p = vnet_wire_get_octets(
					&r,
					types[test_random_below(&random, 17)],
					&k);
				break;
			case 2:
				vnet_wire_get_right(&r, &k);
				assert_true(r.is_wrong || (k >= 16 && k <= 21));
				break;
			default:
				vnet_wire_get_memory(&r, &k);
				break;
			}
			if (p)
				assert_true(p >= copy && p + k <= copy + n);
		}
		assert_int_equal(vnet_wire_close(&r), !r.is_wrong);
		free(copy);
	}
	assert_in_range(whole, 30000, 270000);
	assert_in_range(torn, 30000, 270000);
}

static void
test_nothing_is_a_right_in_a_simple_message(void **state)
{
	static const struct layout l = {"", 1, "p", 0, {0}};
	static const struct layout o = {"", 1, "m", 0, {0}};
	struct vnet_wire_reader r;
	struct vnet_wire_header h;
	uint8_t msg[ROOM];
	uint32_t n;
	size_t size;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		size = write_layout(msg, ROOM, both[k], &l);
		msg[3] = 0;
		vnet_wire_open(&r, msg, size, both[k], &h);
		assert_int_equal(vnet_wire_get_right(&r, &n), 0);
		assert_false(vnet_wire_close(&r));
		size = write_layout(msg, ROOM, both[k], &o);
		msg[3] = 0;
		vnet_wire_open(&r, msg, size, both[k], &h);
		assert_int_equal(vnet_wire_get_memory(&r, &n), 0);
		assert_int_equal(n, 0);
		assert_false(vnet_wire_close(&r));
	}
}

/* What is not as it was asked for, item by item. */
static void
test_another_item_than_asked_for_is_wrong(void **state)
{
	static const struct {
		const char *items;
		char asked;
		bool is_right;
	} cases[] = {
		{"i", 'i', true},  {"i", 'p', false}, {"i", 'm', false},
		{"p", 'i', false}, {"p", 'p', true},  {"p", 'm', false},
		{"m", 'i', false}, {"m", 'p', false}, {"m", 'm', true},
		{"b", 'i', false}, {"b", 's', false}, {"S", 's', true},
		{"N", 's', true},  {"", 'i', false},  {"ii", 'i', false},
	};
	struct vnet_wire_reader r;
	struct vnet_wire_header h;
	uint8_t msg[ROOM];
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t k = 0; k < 2; k++) {
			const struct layout l = {"", 1, cases[i].items, 5, {0}};
			size_t size = write_layout(msg, ROOM, both[k], &l);

			/* Complex in any case: the item decides. */
			msg[3] |= 0x80;
			vnet_wire_open(&r, msg, size, both[k], &h);
			switch (cases[i].asked) {
			case 'i':
				vnet_wire_get_int32(&r);
				break;
			case 'p':
				vnet_wire_get_right(&r, &n);
				break;
			case 'm':
				vnet_wire_get_memory(&r, &n);
				break;
			case 's':
				vnet_wire_get_octets(&r, VNET_WIRE_STRING, &n);
				break;
			}
			if (vnet_wire_close(&r) != cases[i].is_right)
				fail_msg("\"%s\" as %c", cases[i].items,
					 cases[i].asked);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_messages_have_the_sizes_that_mig_gives_them),
		cmocka_unit_test(test_what_was_written_is_read),
		cmocka_unit_test(test_a_message_that_does_not_fit_is_none),
		cmocka_unit_test(test_what_no_descriptor_holds_is_not_written),
		cmocka_unit_test(test_device_open_reply_octet_by_octet),
		cmocka_unit_test(test_memory_and_names_octet_by_octet),
		cmocka_unit_test(test_net_rcv_octet_by_octet),
		cmocka_unit_test(test_frames_of_all_lengths_come_back),
		cmocka_unit_test(
			test_the_longest_message_fits_what_receivers_have),
		cmocka_unit_test(test_slack_behind_a_frame_is_nothing),
		cmocka_unit_test(test_no_forged_frame_is_read_beyond_its_end),
		cmocka_unit_test(
			test_rights_and_memory_of_any_message_are_found),
		cmocka_unit_test(test_no_message_is_read_beyond_its_end),
		cmocka_unit_test(test_nothing_is_a_right_in_a_simple_message),
		cmocka_unit_test(test_another_item_than_asked_for_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
