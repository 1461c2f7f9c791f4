/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client does to the names that the server knows rights by, and to the
 * order of its messages: others notice nothing.
 *
 *	this task --device RPC-- server: vif0, vif1
 */
#include <string.h>

#include <mach/mach_interface.h>
#include <mach/mach_port.h>

#include <device/device.h>

#include "guest/guest.h"
#include "guest/pager.h"
#include "guest/service.h"

#define IN 1

/* Beyond what a name counts (MACH_PORT_UREFS_MAX). */
#define MANY 70000

static const struct vif vifs[] = {
	{.name = "vif0"},
	{.name = "vif1"},
};

static struct service service = {
	.vifs = vifs,
	.nvifs = sizeof(vifs) / sizeof(vifs[0]),
};
static uint8_t frame[5000], got[5000];

struct array_msg {
	mach_msg_header_t head;
	mach_msg_type_long_t type;
	void *address;
};

/* Send rights to @right, as many as that in a single message. */
static void
send_rights(mach_port_t to, mach_port_t right, uint32_t n)
{
	static mach_port_t rights[MANY];
	struct array_msg m = {
		.head =
			{
				.msgh_bits =
					MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						       0) |
					MACH_MSGH_BITS_COMPLEX,
				.msgh_size = sizeof(m),
				.msgh_remote_port = to,
				.msgh_id = 2801,
			},
		.type =
			{
				.msgtl_header.msgt_longform = TRUE,
				.msgtl_name = MACH_MSG_TYPE_MAKE_SEND,
				.msgtl_size = 32,
				.msgtl_number = n,
			},
		.address = rights,
	};

	for (uint32_t i = 0; i < n; i++)
		rights[i] = right;
	CHECK_OK(mach_msg(&m.head, MACH_SEND_MSG, sizeof(m), 0, MACH_PORT_NULL,
			  0, MACH_PORT_NULL));
}

/* A name counts no further than to a bound, and what is beyond it is forgotten: to
 * give back as many references as came takes those of others, and the name is
 * soon that of another right. */
static void
test_rights_beyond_count_take_no_name_away(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t victim = client_open(service.master, "vif0");
	mach_port_t ra = client_receiver(16), rv = client_receiver(16);
	int status[7];
	mach_msg_type_number_t n = 7;

	client_listen(a, ra, 0, IN);
	send_rights(a, ra, MANY);
	CHECK_OK(device_get_status(a, NET_STATUS, status, &n));
	/* Another thread may still be at them. */
	bare_sleep_ms(2000);
	client_listen(victim, rv, 0, IN);
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK_EQ(client_get(rv, got, sizeof(got), 1000), 60);
	CHECK_EQ(client_get(rv, got, sizeof(got), 30), 0);
	CHECK_EQ(client_get(ra, got, sizeof(got), 1000), 60);
	client_drop(a);
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK_EQ(client_get(rv, got, sizeof(got), 1000), 60);
	client_drop_receiver(ra);
	client_drop_receiver(rv);
	client_drop(b);
	client_drop(victim);
}

/*
 * Messages that the server has no room for
 */

static volatile bool stop;

static void
spin(void *arg)
{
	(void)arg;
	while (!stop)
		;
}

static void
send_long(mach_port_t to)
{
	static struct {
		mach_msg_header_t head;
		uint32_t body[4000];
	} m;

	m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
	m.head.msgh_size = sizeof(m);
	m.head.msgh_remote_port = to;
	m.head.msgh_id = 2801;
	CHECK_OK(mach_msg(&m.head, MACH_SEND_MSG, sizeof(m), 0, MACH_PORT_NULL,
			  0, MACH_PORT_NULL));
}

static void
send_status(mach_port_t to)
{
	mach_msg_header_t m = {
		.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
		.msgh_size = sizeof(m),
		.msgh_remote_port = to,
		.msgh_id = 2801,
	};

	CHECK_OK(mach_msg(&m, MACH_SEND_MSG, sizeof(m), 0, MACH_PORT_NULL, 0,
			  MACH_PORT_NULL));
}

static void
test_messages_too_long_hold_up_nobody(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	int status[7];
	mach_msg_type_number_t n = 7;
	uint64_t begin, alone, with;

	stop = false;
	CHECK_OK(bare_thread_create(NULL, 0, spin, NULL));
	begin = bare_now();
	for (int i = 0; i < 6; i++) {
		send_status(a);
		CHECK_OK(device_get_status(b, NET_STATUS, status, &n));
	}
	alone = bare_now() - begin;
	begin = bare_now();
	for (int i = 0; i < 6; i++) {
		send_long(a);
		send_status(a);
		CHECK_OK(device_get_status(b, NET_STATUS, status, &n));
	}
	with = bare_now() - begin;
	stop = true;
	bare_printf("%u us, and with messages too long %u us\n",
		    (unsigned)(alone / 1000), (unsigned)(with / 1000));
	CHECK(with < 4 * alone + 500000000);
	client_drop(a);
	client_drop(b);
}

/* More than there is room for in an address space. */
static void
test_memory_beyond_our_space_is_gone(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	struct {
		mach_msg_header_t head;
		struct {
			mach_msg_type_long_t type;
			vm_address_t address;
		} part[4];
	} m = {
		.head =
			{
				.msgh_bits =
					MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						       0) |
					MACH_MSGH_BITS_COMPLEX,
				.msgh_size = sizeof(m),
				.msgh_id = 2801,
			},
	};
	const vm_size_t size = 1u << 30;
	vm_address_t huge = 0;
	uint32_t memory;

	service_expect_traffic(&service, "vif0", "vif1");
	memory = guest_memory(service.task);
	CHECK_OK(vm_allocate(mach_task_self(), &huge, size, TRUE));
	for (int i = 0; i < 4; i++) {
		m.part[i].type.msgtl_header.msgt_longform = TRUE;
		m.part[i].type.msgtl_name = MACH_MSG_TYPE_CHAR;
		m.part[i].type.msgtl_size = 8;
		m.part[i].type.msgtl_number = size;
		m.part[i].address = huge;
	}
	for (int i = 0; i < 10; i++) {
		m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0) |
				   MACH_MSGH_BITS_COMPLEX;
		m.head.msgh_remote_port = a;
		CHECK_OK(mach_msg(&m.head, MACH_SEND_MSG, sizeof(m), 0,
				  MACH_PORT_NULL, 0, MACH_PORT_NULL));
	}
	CHECK_OK(vm_deallocate(mach_task_self(), huge, size));
	service_expect_traffic(&service, "vif0", "vif1");
	CHECK(guest_memory(service.task) < memory + (1 << 20));
	client_drop(a);
}

/*
 * Memory
 */

#define PAGE    4096
#define NSTUCK  50
#define NROUNDS 8

/* A station that is heard, whatever the others do. */
static void
exchange(mach_port_t b, mach_port_t to, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		size_t len =
			client_frame(frame, 60 + i % 1400, 0xff, 2, (uint8_t)i);

		client_write(b, frame, len);
		CHECK_EQ(client_get(to, got, sizeof(got), 3000), len);
		CHECK(!memcmp(got, frame, len));
	}
}

/* Threads of the server wait for memory of many clients, and come back. */
static void
test_many_that_wait_hold_up_nobody(void)
{
	mach_port_t stuck[NSTUCK];
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t ra = client_receiver(16);
	struct pager p;

	client_listen(a, ra, 0, IN);
	pager_start(&p, PAGER_IS_SILENT, PAGE);
	for (int round = 0; round < NROUNDS; round++) {
		for (int i = 0; i < NSTUCK; i++) {
			stuck[i] = client_open(service.master,
					       i & 1 ? "vif0" : "vif1");
			for (int k = 0; k < 3; k++)
				client_write(stuck[i], (void *)p.address, 100);
		}
		exchange(b, ra, 50);
		for (int i = 0; i < NSTUCK; i++) {
			if (i % 3)
				CHECK_OK(device_close(stuck[i]));
			client_drop(stuck[i]);
		}
		/* Their places are free when the threads are back. */
		bare_sleep_ms(200);
		exchange(b, ra, 50);
	}
	pager_stop(&p);
	client_drop_receiver(ra);
	client_drop(a);
	client_drop(b);
}

#define RUN(test)                                                 \
	do {                                                      \
		bare_printf("%s\n", #test);                       \
		test_##test();                                    \
		service_expect_traffic(&service, "vif0", "vif1"); \
		service_expect_names(&service, names);            \
		service_check(&service);                          \
	} while (0)

int
main(int argc, char **argv)
{
	uint32_t names;

	service_start(&service);
	service_expect_traffic(&service, "vif0", "vif1");
	names = service_settle(&service);
	(void)argc;
	(void)argv;
	RUN(messages_too_long_hold_up_nobody);
	RUN(memory_beyond_our_space_is_gone);
	RUN(many_that_wait_hold_up_nobody);
	/* The name stays. */
	names++;
	RUN(rights_beyond_count_take_no_name_away);
	guest_pass();
}
