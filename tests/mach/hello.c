/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A task begins, with its arguments, and can do what C can.
 */
#include <string.h>

#include "guest/guest.h"

static void
check_text(void)
{
	char text[64];
	int n = bare_snprintf(text, sizeof(text),
			      "%s|%5d|%-4u|%04x|%08x|%llu|%c|%p|%.2s|%%", "a",
			      -7, 8u, 0xabcu, 0xdeadbeefu,
			      12345678901234567890ull, 'z', (void *)0x10,
			      "xyz");

	CHECK(strcmp(text, "a|   -7|8   |0abc|deadbeef|12345678901234567890|z|"
			   "0x10|xy|%") == 0);
	CHECK_EQ(n, strlen(text));
	CHECK_EQ(bare_snprintf(text, 4, "%05d", -42), 5);
	CHECK(strcmp(text, "-00") == 0);
}

static void
check_memory(void)
{
	static const char digits[] = "0123456789";
	char room[16];

	memset(room, 'x', sizeof(room));
	memcpy(room + 1, digits, 10);
	CHECK(memcmp(room, "x0123456789x", 12) == 0);
	memmove(room + 3, room + 1, 10);
	CHECK(memcmp(room, "x010123456789xxx", 16) == 0);
	memmove(room, room + 3, 10);
	CHECK(memcmp(room, digits, 10) == 0);
	memset(room + 1, 0, 5);
	CHECK(memcmp(room, "0\0\0\0\0\0006", 7) == 0);
	CHECK(memcmp("a\xff", "a\x01", 2) > 0);
}

static void
check_allocator(void)
{
	static void *p[3000];
	const struct vnet_alloc *a = &bare_alloc;
	uint32_t before = guest_memory(mach_task_self());

	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 3000; i++) {
			size_t size = (i * 37) % 2100 + 1;

			p[i] = a->get(a->ctx, size, 1u << i % 10);
			CHECK(p[i]);
			CHECK_EQ((uintptr_t)p[i] % (1u << i % 10), 0);
			memset(p[i], (int)i, size);
		}
		for (unsigned int i = 0; i < 3000; i++) {
			size_t size = (i * 37) % 2100 + 1;
			const unsigned char *s = p[i];

			CHECK_EQ(s[0], i & 0xff);
			CHECK_EQ(s[size - 1], i & 0xff);
			a->put(a->ctx, p[i], size);
		}
	}
	p[0] = a->get(a->ctx, 5000, 65536);
	CHECK(p[0]);
	CHECK_EQ((uintptr_t)p[0] % 65536, 0);
	a->put(a->ctx, p[0], 5000);
	CHECK_EQ(bare_memory_used(), 0);
	CHECK_EQ(guest_memory(mach_task_self()), before);
}

static void
check_clock(void)
{
	mach_port_t master = guest_lookup("device-master");
	time_value_t set = {.seconds = 1000000000};
	vnet_nsec begin = bare_now(), mapped;

	bare_sleep_ms(30);
	CHECK(bare_now() >= begin + 20 * 1000000);
	CHECK_OK(bare_clock_map(master));
	mapped = bare_now();
	CHECK(mapped > begin && mapped < begin + 5 * VNET_NSEC_PER_SEC);
	bare_sleep_ms(30);
	CHECK(bare_now() >= mapped + 20 * 1000000);
	/* Of the kernel's clock, which is set back, ours knows nothing. */
	mapped = bare_now();
	CHECK_OK(host_set_time(guest_lookup("host-priv"), set));
	CHECK(bare_now() - mapped < VNET_NSEC_PER_SEC);
	bare_sleep_ms(30);
	CHECK(bare_now() >= mapped + 20 * 1000000);
	CHECK(bare_now() - mapped < VNET_NSEC_PER_SEC);
	CHECK(bare_cycles() != bare_cycles());
}

int
main(int argc, char **argv)
{
	uint32_t number;

	CHECK_EQ(argc, 5);
	CHECK(strcmp(argv[1], "a=b") == 0);
	CHECK(strcmp(bare_arg(argv, "a"), "b") == 0);
	CHECK_EQ(bare_arg_number(argv, "n", 1), 0x1f);
	CHECK_EQ(bare_arg_number(argv, "missing", 7), 7);
	CHECK(bare_arg_is_set(argv, "flag"));
	CHECK(!bare_arg_is_set(argv, "n"));
	CHECK(!bare_parse_number("4294967296", &number));
	CHECK(!bare_parse_number("0x", &number));
	/* A comma separates modules. */
	CHECK(strcmp(argv[4], "x,y") == 0);
	check_text();
	check_memory();
	check_allocator();
	check_clock();
	bare_printf("hello, %s\n", argv[0]);
	guest_pass();
}
