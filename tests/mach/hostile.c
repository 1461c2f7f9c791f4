/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What clients do that mean harm, or die: it concerns nobody but themselves.
 *
 *	this task, and further ones --device RPC-- server: vif0, vif1, gone
 */
#include <string.h>

#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <mach/mig_errors.h>
#include <mach/notify.h>

#include <device/device.h>

#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/pager.h"
#include "guest/service.h"

#define IN   1
#define OUT  2

#define PAGE 4096

static const struct vif vifs[] = {
	{.name = "vif0"},
	{.name = "vif1"},
	{.name = "gone"},
	{.name = "revoked"},
};

static struct service service = {
	.vifs = vifs,
	.nvifs = sizeof(vifs) / sizeof(vifs[0]),
};
static uint8_t frame[5000], got[5000];

static const mach_msg_type_t int_type = {
	.msgt_name = MACH_MSG_TYPE_INTEGER_32,
	.msgt_size = 32,
	.msgt_number = 1,
	.msgt_inline = TRUE,
};

/*
 * Messages that are made up
 */

struct raw {
	mach_msg_header_t head;
	uint32_t body[1100];
};

/* Send @size octets as a message of that id; wait for an answer if @reply. Returns
 * its RetCode. */
static kern_return_t
send_raw(struct raw *m, mach_port_t to, mach_msg_id_t id, size_t size,
	 bool wants_reply)
{
	mach_port_t reply = wants_reply ? mach_reply_port() : MACH_PORT_NULL;
	kern_return_t k = KERN_SUCCESS;

	m->head.msgh_bits |=
		MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
			       wants_reply ? MACH_MSG_TYPE_MAKE_SEND_ONCE : 0);
	m->head.msgh_size = size;
	m->head.msgh_remote_port = to;
	m->head.msgh_local_port = reply;
	m->head.msgh_id = id;
	CHECK_OK(mach_msg(&m->head, MACH_SEND_MSG, size, 0, MACH_PORT_NULL, 0,
			  MACH_PORT_NULL));
	if (wants_reply) {
		CHECK_OK(mach_msg(&m->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				  sizeof(*m), reply, 2000, MACH_PORT_NULL));
		CHECK_EQ(m->head.msgh_id, id + 100);
		k = (kern_return_t)m->body[1];
		client_drop_receiver(reply);
	}
	return k;
}

static void
test_forged_notifications_end_nothing(void)
{
	static struct raw m;
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t ra = client_receiver(16);

	client_listen(a, ra, 0, IN);
	for (mach_msg_id_t id = MACH_NOTIFY_FIRST; id <= MACH_NOTIFY_LAST;
	     id++) {
		for (int reply = 0; reply < 2; reply++) {
			memset(&m, 0, sizeof(m));
			memcpy(m.body, &int_type, sizeof(int_type));
			m.body[1] = ra;
			send_raw(&m, a, id, 32, reply);
			memset(&m, 0, sizeof(m));
			memcpy(m.body, &int_type, sizeof(int_type));
			m.body[1] = a;
			send_raw(&m, service.master, id, 32, reply);
		}
	}
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	client_drop_receiver(ra);
	client_drop(a);
	client_drop(b);
}

static void
test_forged_frames_reach_nobody(void)
{
	static struct net_rcv_msg msg;
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t ra = client_receiver(16), rb = client_receiver(16);
	mach_port_t to[] = {a, b, service.master};

	client_listen(a, ra, 0, IN | OUT);
	client_listen(b, rb, 0, IN | OUT);
	for (size_t i = 0; i < 3; i++) {
		memset(&msg, 0, sizeof(msg));
		msg.msg_hdr.msgh_bits =
			MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
		msg.msg_hdr.msgh_size = sizeof(msg);
		msg.msg_hdr.msgh_remote_port = to[i];
		msg.msg_hdr.msgh_id = NET_RCV_MSG_ID;
		msg.header_type = int_type;
		msg.header_type.msgt_name = MACH_MSG_TYPE_BYTE;
		msg.header_type.msgt_size = 8;
		msg.header_type.msgt_number = NET_HDW_HDR_MAX;
		msg.packet_type = msg.header_type;
		msg.packet_type.msgt_number = NET_RCV_MAX;
		memset(msg.header, 0xff, 6);
		CHECK_OK(mach_msg(&msg.msg_hdr, MACH_SEND_MSG, sizeof(msg), 0,
				  MACH_PORT_NULL, 0, MACH_PORT_NULL));
	}
	CHECK(!client_get(ra, got, sizeof(got), 30));
	CHECK(!client_get(rb, got, sizeof(got), 0));
	client_drop_receiver(ra);
	client_drop_receiver(rb);
	client_drop(a);
	client_drop(b);
}

static void
test_unknown_and_odd_messages_are_answered(void)
{
	static struct raw m;
	mach_port_t a = client_open(service.master, "vif0");
	static const mach_msg_id_t ids[] = {0,    1,    2000, 2799,  2807,
					    2808, 2815, 3805, 24004, 1 << 30};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		memset(&m, 0, sizeof(m));
		CHECK_EQ(send_raw(&m, a, ids[i], 24, true), MIG_BAD_ID);
		memset(&m, 0, sizeof(m));
		CHECK_EQ(send_raw(&m, service.master, ids[i], 24, true),
			 MIG_BAD_ID);
	}
	/* Every routine, of every length that it has not. */
	for (mach_msg_id_t id = 2800; id <= 2814; id++) {
		for (size_t size = 24; size < 200; size += 4) {
			memset(&m, 0, sizeof(m));
			if (id == 2801 && size == 24)
				continue;
			CHECK(send_raw(&m, a, id, size, true) != KERN_SUCCESS);
		}
	}
	client_drop(a);
}

/* An array that is longer than the interface says: MIG does not look. */
static kern_return_t
send_array(mach_port_t to, mach_msg_id_t id, uint32_t before,
	   mach_msg_type_name_t name, uint32_t octets, uint32_t number)
{
	static struct raw m;
	mach_msg_type_t type = int_type;
	uint32_t at = 0;

	memset(&m, 0, sizeof(m));
	if (id == 2812) {
		type.msgt_name = MACH_MSG_TYPE_MAKE_SEND;
		memcpy(&m.body[at++], &type, sizeof(type));
		m.body[at++] = client_receiver(5);
		m.head.msgh_bits = MACH_MSGH_BITS_COMPLEX;
	}
	for (uint32_t i = 0; i < before; i++) {
		memcpy(&m.body[at], &int_type, sizeof(int_type));
		at += 2;
	}
	type.msgt_name = name;
	type.msgt_size = 8 * octets;
	type.msgt_number = number & 0xfff;
	memcpy(&m.body[at++], &type, sizeof(type));
	m.body[at] = 0x1; /* of a filter: NETF_IN */
	return send_raw(&m, to, id, 24 + 4 * at + ((octets * number + 3) & ~3u),
			true);
}

static void
test_arrays_longer_than_they_may_be_are_refused(void)
{
	mach_port_t a = client_open(service.master, "vif0");

	for (uint32_t n = 129; n <= 4000; n += 553) {
		CHECK_EQ(send_array(a, 2803, 2, MACH_MSG_TYPE_CHAR, 1, n),
			 D_INVALID_SIZE);
		CHECK(send_array(a, 2810, 1, MACH_MSG_TYPE_INTEGER_32, 4,
				 n / 4 + 1000) != KERN_SUCCESS);
	}
	client_drop(a);
}

static void
test_filters_longer_than_they_may_be_are_refused(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	uint32_t mine = guest_count_names(mach_task_self());

	for (uint32_t n = 129; n <= 2000; n += 311)
		CHECK_EQ(send_array(a, 2812, 1, MACH_MSG_TYPE_INTEGER_16, 2, n),
			 D_INVALID_SIZE);
	/* The receivers are ours to the end. */
	CHECK_EQ(guest_count_names(mach_task_self()), mine + 7);
	for (uint32_t i = 0; i < 7; i++) {
		/* The names that came last are the highest that are in use. */
		mach_port_array_t names;
		mach_port_type_array_t types;
		mach_msg_type_number_t n, k;
		mach_port_t last = 0;

		CHECK_OK(mach_port_names(mach_task_self(), &names, &n, &types,
					 &k));
		for (uint32_t j = 0; j < n; j++)
			if (types[j] & MACH_PORT_TYPE_RECEIVE &&
			    names[j] > last && names[j] != a)
				last = names[j];
		vm_deallocate(mach_task_self(), (vm_address_t)names, n * 4);
		vm_deallocate(mach_task_self(), (vm_address_t)types, k * 4);
		client_drop_receiver(last);
	}
	client_drop(a);
}

static void
test_device_open_new_opens(void)
{
	static struct raw m;
	mach_msg_type_t name = {
		.msgt_name = MACH_MSG_TYPE_STRING_C,
		.msgt_size = 8,
		.msgt_number = 128,
		.msgt_inline = TRUE,
	};
	mach_port_t reply = mach_reply_port();

	memset(&m, 0, sizeof(m));
	memcpy(&m.body[0], &int_type, sizeof(int_type));
	m.body[1] = 3;
	memcpy(&m.body[2], &name, sizeof(name));
	memcpy(&m.body[3], "vif0", 5);
	m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
					  MACH_MSG_TYPE_MAKE_SEND_ONCE);
	m.head.msgh_size = 164;
	m.head.msgh_remote_port = service.master;
	m.head.msgh_local_port = reply;
	m.head.msgh_id = 2806;
	CHECK_OK(mach_msg(&m.head,
			  MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT, 164,
			  sizeof(m), reply, 1000, MACH_PORT_NULL));
	CHECK_EQ(m.head.msgh_id, 2906);
	CHECK_EQ(m.head.msgh_size, 40);
	CHECK_EQ(m.body[1], KERN_SUCCESS);
	client_write(m.body[3], frame, client_frame(frame, 60, 0xff, 1, 1));
	client_drop(m.body[3]);
	client_drop_receiver(reply);
}

/*
 * Rights to reply to
 */

/* A send right to a queue that is full. */
static void
fill(mach_port_t right)
{
	mach_msg_header_t m = {
		.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0),
		.msgh_size = sizeof(m),
		.msgh_remote_port = right,
		.msgh_id = 1,
	};

	while (!mach_msg(&m, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(m), 0,
			 MACH_PORT_NULL, 0, MACH_PORT_NULL))
		m.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
	/* What the kernel gave back. */
	client_drop(right);
}

static void
ask_with(mach_port_t to, mach_msg_id_t id, mach_port_t reply,
	 mach_msg_type_name_t type)
{
	mach_msg_header_t m = {
		.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, type),
		.msgh_size = sizeof(m),
		.msgh_remote_port = to,
		.msgh_local_port = reply,
		.msgh_id = id,
	};

	CHECK_OK(mach_msg(&m, MACH_SEND_MSG, sizeof(m), 0, MACH_PORT_NULL, 0,
			  MACH_PORT_NULL));
}

static void
test_reply_rights_that_take_nothing_hold_up_nobody(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t full = client_receiver(1);

	fill(full);
	for (int i = 0; i < 20; i++) {
		ask_with(a, 2801, full, MACH_MSG_TYPE_MAKE_SEND);
		ask_with(service.master, 2801, full, MACH_MSG_TYPE_MAKE_SEND);
	}
	service_expect_traffic(&service, "vif0", "vif1");
	client_drop_receiver(full);
	/* Rights to reply to that are dead when the reply comes. */
	for (int i = 0; i < 20; i++) {
		mach_port_t dead = mach_reply_port();

		ask_with(a, 2801, dead, MACH_MSG_TYPE_MAKE_SEND_ONCE);
		client_drop_receiver(dead);
	}
	ask_with(a, 2801, MACH_PORT_NULL, 0);
	service_expect_traffic(&service, "vif0", "vif1");
	client_drop(a);
}

static void
test_open_whose_reply_nobody_takes_is_not_left_behind(void)
{
	static struct raw m;
	mach_msg_type_t name = {
		.msgt_name = MACH_MSG_TYPE_STRING_C,
		.msgt_size = 8,
		.msgt_number = 128,
		.msgt_inline = TRUE,
	};

	for (int i = 0; i < 100; i++) {
		mach_port_t reply = mach_reply_port();

		memset(&m, 0, sizeof(m));
		memcpy(&m.body[0], &int_type, sizeof(int_type));
		m.body[1] = 3;
		memcpy(&m.body[2], &name, sizeof(name));
		memcpy(&m.body[3], "vif0", 5);
		m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						  MACH_MSG_TYPE_MAKE_SEND_ONCE);
		m.head.msgh_size = 164;
		m.head.msgh_remote_port = service.master;
		m.head.msgh_local_port = reply;
		m.head.msgh_id = 2806;
		CHECK_OK(mach_msg(&m.head, MACH_SEND_MSG, 164, 0,
				  MACH_PORT_NULL, 0, MACH_PORT_NULL));
		client_drop_receiver(reply);
	}
}

/*
 * Reads
 */

static void
ask_read(mach_port_t device, mach_port_t reply, uint32_t mode, uint32_t wanted)
{
	static struct raw m;

	memset(&m, 0, sizeof(m));
	for (int i = 0; i < 3; i++)
		memcpy(&m.body[2 * i], &int_type, sizeof(int_type));
	m.body[1] = mode;
	m.body[5] = wanted;
	m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
					  MACH_MSG_TYPE_MAKE_SEND_ONCE);
	m.head.msgh_size = 48;
	m.head.msgh_remote_port = device;
	m.head.msgh_local_port = reply;
	m.head.msgh_id = 2805;
	CHECK_OK(mach_msg(&m.head, MACH_SEND_MSG, 48, 0, MACH_PORT_NULL, 0,
			  MACH_PORT_NULL));
}

/* Returns the code of the next answer; its octets are in @m. */
static kern_return_t
take_answer(mach_port_t reply, struct raw *m)
{
	CHECK_OK(mach_msg(&m->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			  sizeof(*m), reply, 1000, MACH_PORT_NULL));
	CHECK_EQ(m->head.msgh_id, 2905);
	return (kern_return_t)m->body[1];
}

static void
test_reads_wait_in_line_and_are_told_of_the_end(void)
{
	static struct raw m;
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t reply = client_receiver(16);

	for (int i = 0; i < 8; i++)
		ask_read(a, reply, 0, 100);
	ask_read(a, reply, 0, 100);
	CHECK_EQ(take_answer(reply, &m), D_NO_MEMORY);
	for (uint8_t i = 0; i < 3; i++)
		client_write(b, frame, client_frame(frame, 60, 0xff, 2, i));
	for (uint8_t i = 0; i < 3; i++) {
		CHECK_EQ(take_answer(reply, &m), KERN_SUCCESS);
		CHECK_EQ(m.body[2] >> 16 & 0xfff, 60);
		CHECK_EQ(((uint8_t *)&m.body[3])[14], 14 + i);
	}
	CHECK_OK(device_close(a));
	for (int i = 0; i < 5; i++)
		CHECK_EQ(take_answer(reply, &m), D_DEVICE_DOWN);
	ask_read(a, reply, 0, 100);
	CHECK_EQ(take_answer(reply, &m), D_DEVICE_DOWN);
	client_drop_receiver(reply);
	client_drop(a);
	client_drop(b);
}

static void
test_read_of_nothing_cuts_to_nothing(void)
{
	static struct raw m;
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t reply = client_receiver(16);

	ask_read(a, reply, 0, 0);
	ask_read(a, reply, 0, (uint32_t)-1);
	ask_read(a, reply, 0, 1 << 30);
	for (uint8_t i = 0; i < 3; i++)
		client_write(b, frame, client_frame(frame, 1000, 0xff, 2, i));
	CHECK_EQ(take_answer(reply, &m), KERN_SUCCESS);
	CHECK_EQ(m.body[2] >> 16 & 0xfff, 0);
	CHECK_EQ(take_answer(reply, &m), KERN_SUCCESS);
	CHECK_EQ(m.body[2] >> 16 & 0xfff, 0);
	CHECK_EQ(take_answer(reply, &m), KERN_SUCCESS);
	CHECK_EQ(m.body[2] >> 16 & 0xfff, 128);
	client_drop_receiver(reply);
	client_drop(a);
	client_drop(b);
}

/*
 * Memory
 */

static void
wait_asked(struct pager *p)
{
	for (int i = 0;
	     i < 200 && !__atomic_load_n(&p->asked, __ATOMIC_RELAXED); i++)
		bare_sleep_ms(10);
	CHECK(p->asked);
}

static void
test_memory_that_nobody_gives_holds_up_its_client_alone(void)
{
	struct pager p;
	mach_port_t a = client_open(service.master, "vif0");

	pager_start(&p, PAGER_IS_SILENT, PAGE);
	for (int i = 0; i < 40; i++)
		client_write(a, (void *)p.address, 100);
	wait_asked(&p);
	service_expect_traffic(&service, "vif0", "vif1");
	CHECK_OK(device_close(a));
	client_drop(a);
	service_expect_traffic(&service, "vif0", "vif1");
	/* The thread comes back when the kernel gives up on the pager. */
	pager_stop(&p);
}

static void
test_memory_that_is_refused_ends_its_client_alone(void)
{
	struct pager p;
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t b = client_open(service.master, "vif1");
	mach_port_t ra = client_receiver(16);

	client_listen(a, ra, 0, IN);
	pager_start(&p, PAGER_REFUSES, PAGE);
	client_write(a, (void *)p.address, 100);
	wait_asked(&p);
	bare_sleep_ms(50);
	service_expect_traffic(&service, "vif0", "vif1");
	/* It is closed, and may open again by a filter. */
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(!client_get(ra, got, sizeof(got), 30));
	client_write(a, frame, client_frame(frame, 60, 0xff, 1, 1));
	client_listen(a, ra, 0, IN);
	client_write(b, frame, client_frame(frame, 60, 0xff, 2, 1));
	CHECK(client_get(ra, got, sizeof(got), 1000));
	pager_stop(&p);
	client_drop_receiver(ra);
	client_drop(a);
	client_drop(b);
}

static void
test_memory_whose_pager_died_ends_its_client_alone(void)
{
	struct pager p;
	mach_port_t a = client_open(service.master, "vif0");

	/* Asked for the first page it dies; the second is asked of nobody. */
	pager_start(&p, PAGER_DIES, 2 * PAGE);
	client_write(a, (void *)(p.address + PAGE - 50), 100);
	wait_asked(&p);
	client_write(a, (void *)(p.address + PAGE), 100);
	bare_sleep_ms(50);
	service_expect_traffic(&service, "vif0", "vif1");
	client_drop(a);
	service_expect_traffic(&service, "vif0", "vif1");
	pager_stop(&p);
}

static void
test_memory_that_is_given_late_is_a_frame(void)
{
	struct pager p;
	mach_port_t a = client_open(service.master, "vif0");
	mach_port_t capture = client_open(service.master, "vif0");
	mach_port_t rc = client_receiver(16);

	client_listen(capture, rc, 0, OUT);
	pager_start(&p, PAGER_GIVES, PAGE);
	client_write(a, (void *)p.address, 100);
	CHECK_EQ(client_get(rc, got, sizeof(got), 1000), 100);
	CHECK_EQ(got[99], 0x5a);
	pager_stop(&p);
	client_drop_receiver(rc);
	client_drop(capture);
	client_drop(a);
}

static void
test_huge_writes_are_counted_and_gone(void)
{
	mach_port_t a = client_open(service.master, "vif0");
	vm_address_t huge = 0;
	const vm_size_t size = 64 << 20;

	CHECK_OK(vm_allocate(mach_task_self(), &huge, size, TRUE));
	for (int i = 0; i < 40; i++)
		client_write(a, (void *)huge, size);
	CHECK_OK(vm_deallocate(mach_task_self(), huge, size));
	service_expect_traffic(&service, "vif0", "vif1");
	client_drop(a);
}

/*
 * Vifs that go
 */

static int
remove_port(struct server *s, uint32_t arg)
{
	int r;

	(void)arg;
	vnet_mach_lock(s->m);
	r = vnet_port_remove(s->sw, vnet_port_find(s->sw, "gone"));
	vnet_mach_unlock(s->m);
	return r;
}

static int
revoke_vif(struct server *s, uint32_t arg)
{
	(void)arg;
	return vnet_mach_vif_remove(s->m, vnet_port_find(s->sw, "revoked"));
}

static void
goes(const char *name, int (*remove)(struct server *, uint32_t))
{
	mach_port_t a = client_open(service.master, name);
	mach_port_t ra = client_receiver(16), reply = client_receiver(16);
	mach_msg_type_number_t n = 2;
	int status[NET_STATUS_COUNT], address[2];
	static struct raw m;
	mach_port_t device;
	char text[128] = {0};
	size_t len = 0;

	client_listen(a, ra, 0, IN);
	CHECK_OK(device_get_status(a, NET_ADDRESS, address, &n));
	ask_read(a, reply, 0, 100);
	CHECK_EQ(service_call(&service, remove, 0), 0);
	CHECK_EQ(take_answer(reply, &m), D_DEVICE_DOWN);
	n = NET_STATUS_COUNT;
	client_write(a, frame, client_frame(frame, 60, 0xff, 1, 1));
	CHECK_OK(device_get_status(a, NET_STATUS, status, &n));
	CHECK(!(status[5] & IFF_RUNNING));
	n = 2;
	CHECK_OK(device_get_status(a, NET_ADDRESS, status, &n));
	CHECK_EQ(status[0], address[0]);
	CHECK_EQ(status[1], address[1]);
	status[0] = PFINET_FLAGS;
	CHECK_OK(device_set_status(a, NET_FLAGS, status, 1));
	client_listen(a, ra, 0, IN);
	client_write(a, frame, 60);
	while (name[len])
		len++;
	memcpy(text, name, len);
	CHECK_EQ(device_open(service.master, 3, text, &device),
		 D_NO_SUCH_DEVICE);
	CHECK_OK(device_close(a));
	client_write(a, frame, 60);
	client_drop_receiver(reply);
	client_drop_receiver(ra);
	client_drop(a);
}

static void
test_vif_that_is_removed_leaves_its_facets(void)
{
	goes("gone", remove_port);
}

static void
test_vif_that_is_revoked_leaves_its_facets(void)
{
	goes("revoked", revoke_vif);
}

/*
 * Many, and deaths
 */

static void
test_ten_thousand_opens_leave_nothing(void)
{
	uint32_t memory;

	for (int i = 0; i < 100; i++)
		client_drop(client_open(service.master, "vif0"));
	bare_sleep_ms(50);
	memory = guest_memory(service.task);
	for (int i = 0; i < 10000; i++) {
		mach_port_t a = client_open(service.master, "vif0");

		if (i & 1)
			CHECK_OK(device_close(a));
		client_drop(a);
	}
	bare_sleep_ms(50);
	CHECK_EQ(guest_memory(service.task), memory);
}

/* How far a client gets before it is killed. */
enum step { OPENED, LISTENS, READS, WRITES, CLOSED, NSTEPS };

static uint32_t step, reached_step;
static mach_port_t reached;

static void
live(void *arg)
{
	static struct pager p;
	mach_port_t a, r, reply;
	mach_msg_header_t done = {
		.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
		.msgh_size = sizeof(done),
	};

	(void)arg;
	a = client_open(service.master, "vif0");
	if (step >= LISTENS) {
		r = client_receiver(5);
		client_listen(a, r, 0, IN | OUT);
	}
	if (step >= READS) {
		reply = client_receiver(16);
		for (int i = 0; i < 8; i++)
			ask_read(a, reply, 0, 100);
	}
	if (step >= WRITES) {
		pager_start(&p, PAGER_IS_SILENT, PAGE);
		for (int i = 0; i < 20; i++)
			client_write(a, (void *)p.address, 100);
		wait_asked(&p);
	}
	if (step >= CLOSED)
		CHECK_OK(device_close(a));
	done.msgh_remote_port = reached;
	CHECK_OK(mach_msg(&done, MACH_SEND_MSG, sizeof(done), 0, MACH_PORT_NULL,
			  0, MACH_PORT_NULL));
	for (;;)
		bare_sleep_ms(1000);
}

static void
test_clients_may_die_at_every_step(void)
{
	struct {
		mach_msg_header_t head;
		uint32_t room[16];
	} m;

	reached = client_receiver(5);
	CHECK_OK(mach_port_insert_right(mach_task_self(), reached, reached,
					MACH_MSG_TYPE_MAKE_SEND));
	for (step = 0; step < NSTEPS; step++) {
		mach_port_t task;

		reached_step = step;
		CHECK_OK(bare_task_fork(&task, live, NULL));
		CHECK_OK(bare_task_give(task, service.master));
		CHECK_OK(bare_task_give(task, reached));
		CHECK_OK(bare_task_start(task));
		CHECK_OK(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				  sizeof(m), reached, 5000, MACH_PORT_NULL));
		CHECK_OK(task_terminate(task));
		bare_task_join(task);
		service_expect_traffic(&service, "vif0", "vif1");
	}
	client_drop_receiver(reached);
	client_drop(reached);
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

	(void)argc;
	(void)argv;
	service_start(&service);
	service_expect_traffic(&service, "vif0", "vif1");
	names = service_settle(&service);

	RUN(forged_notifications_end_nothing);
	RUN(forged_frames_reach_nobody);
	RUN(unknown_and_odd_messages_are_answered);
	RUN(arrays_longer_than_they_may_be_are_refused);
	RUN(filters_longer_than_they_may_be_are_refused);
	RUN(device_open_new_opens);
	RUN(reply_rights_that_take_nothing_hold_up_nobody);
	RUN(open_whose_reply_nobody_takes_is_not_left_behind);
	RUN(reads_wait_in_line_and_are_told_of_the_end);
	RUN(read_of_nothing_cuts_to_nothing);
	RUN(memory_that_is_given_late_is_a_frame);
	RUN(memory_that_is_refused_ends_its_client_alone);
	RUN(huge_writes_are_counted_and_gone);
	RUN(vif_that_is_removed_leaves_its_facets);
	RUN(vif_that_is_revoked_leaves_its_facets);
	RUN(ten_thousand_opens_leave_nothing);
	/* These may leave a thread where nobody answers. */
	RUN(memory_whose_pager_died_ends_its_client_alone);
	RUN(memory_that_nobody_gives_holds_up_its_client_alone);
	RUN(clients_may_die_at_every_step);
	guest_pass();
}
