/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a frame costs from one client to another, each side a program that uses
 * the device interface: through our switch, and through servers that do less.
 *
 *	bare	receives device_write, sends the frame as net_rcv_msg to one right,
 *		answers: nothing between
 *	all	the same, to every right: as eth-multiplexer does
 *	switch	ours
 *
 * A client writes a frame and takes it from the other's queue before it writes
 * the next. For each figure there is a line
 *
 *	bench SERVER CLIENTS CYCLES
 *
 * with the processor's cycles from one frame to the next, of all tasks and the
 * kernel together.
 */
#include <string.h>

#include <mach/mach_port.h>
#include <mach/mig_errors.h>

#include <device/device.h>

#include "guest/guest.h"
#include "guest/service.h"

#define FRAMES 10000
#define WARMUP 100
#define MAX    8
#define LEN    1514
#define PAGE   4096

/* In memory that no task was made a copy of: the kernel would have to look for it
 * behind every one of them. */
static uint8_t *frame;
static uint8_t got[LEN];

/*
 * Servers that do less
 */

/* <device/device.defs>, of which they know no more. */
#define WRITE      2802
#define SET_FILTER 2812

static mach_port_t ready; /* a send right of the same name in both tasks */

struct write_request {
	mach_msg_header_t head;
	mach_msg_type_t mode_type;
	uint32_t mode;
	mach_msg_type_t recnum_type;
	uint32_t recnum;
	mach_msg_type_long_t data_type;
	vm_address_t data;
};

struct write_reply {
	mig_reply_header_t head;
	mach_msg_type_t written_type;
	int written;
};

struct filter_request {
	mach_msg_header_t head;
	mach_msg_type_t right_type;
	mach_port_t right;
};

static const mach_msg_type_t int_type = {
	.msgt_name = MACH_MSG_TYPE_INTEGER_32,
	.msgt_size = 32,
	.msgt_number = 1,
	.msgt_inline = TRUE,
};

static struct net_rcv_msg out;

static void
deliver(mach_port_t to, const uint8_t *data, size_t len)
{
	const size_t payload = len - 14;
	mach_msg_header_t *h = &out.msg_hdr;
	uint16_t head[2] = {(uint16_t)(payload + 4), 0};

	memcpy(&head[1], data + 12, 2);
	h->msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
	h->msgh_size = (uint32_t)((offsetof(struct net_rcv_msg, packet) + 4 +
				   payload + 3) &
				  ~3u);
	h->msgh_remote_port = to;
	h->msgh_local_port = MACH_PORT_NULL;
	h->msgh_id = NET_RCV_MSG_ID;
	out.header_type = int_type;
	out.header_type.msgt_name = MACH_MSG_TYPE_BYTE;
	out.header_type.msgt_size = 8;
	out.header_type.msgt_number = NET_HDW_HDR_MAX;
	out.packet_type = out.header_type;
	out.packet_type.msgt_number = (payload + 4) & 0xfff;
	memcpy(out.header, data, 14);
	memcpy(out.packet, head, 4);
	memcpy(out.packet + 4, data + 14, payload);
	if (mach_msg(h, MACH_SEND_MSG | MACH_SEND_TIMEOUT, h->msgh_size, 0,
		     MACH_PORT_NULL, 0, MACH_PORT_NULL) == MACH_SEND_TIMED_OUT)
		mach_port_deallocate(mach_task_self(), to);
}

/* The rights in the order in which they came: a frame to 02:..:N goes to the Nth,
 * or to all. */
static void
serve_less(void *arg)
{
	static union {
		mach_msg_header_t head;
		struct write_request write;
		struct filter_request filter;
		uint32_t room[512];
	} in;
	static struct write_reply reply;
	static mach_port_t rights[MAX];
	const bool to_all = arg != NULL;
	uint32_t n = 0;
	mach_port_t self;
	mach_msg_size_t size = 0;
	mach_msg_option_t send = 0;

	CHECK_OK(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE,
				    &self));
	reply.head.Head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						   MACH_MSG_TYPE_MAKE_SEND);
	reply.head.Head.msgh_remote_port = ready;
	reply.head.Head.msgh_local_port = self;
	CHECK_OK(mach_msg(&reply.head.Head, MACH_SEND_MSG,
			  sizeof(mach_msg_header_t), 0, MACH_PORT_NULL, 0,
			  MACH_PORT_NULL));
	for (;;) {
		mach_msg_header_t *h = &reply.head.Head;

		memcpy(&in, &reply, size);
		CHECK_OK(mach_msg(&in.head, send | MACH_RCV_MSG, size,
				  sizeof(in), self, 0, MACH_PORT_NULL));
		memset(&reply, 0, sizeof(reply));
		h->msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
		h->msgh_remote_port = in.head.msgh_remote_port;
		h->msgh_id = in.head.msgh_id + 100;
		reply.head.RetCodeType = int_type;
		size = sizeof(reply.head);
		send = MACH_SEND_MSG;
		if (in.head.msgh_id == SET_FILTER) {
			rights[n++] = in.filter.right;
		} else if (in.head.msgh_id == WRITE) {
			const uint8_t *data = (const uint8_t *)in.write.data;
			uint32_t len = in.write.data_type.msgtl_number;

			if (to_all)
				for (uint32_t i = 1; i < n; i++)
					deliver(rights[i], data, len);
			else
				deliver(rights[data[5] - 1], data, len);
			vm_deallocate(mach_task_self(), in.write.data, len);
			reply.written_type = int_type;
			reply.written = (int)len;
			size = sizeof(reply);
		}
		h->msgh_size = size;
	}
}

static mach_port_t
start_less(bool to_all, mach_port_t *task)
{
	static mach_msg_header_t m[4];
	mach_port_t server;

	CHECK_OK(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE,
				    &ready));
	CHECK_OK(mach_port_insert_right(mach_task_self(), ready, ready,
					MACH_MSG_TYPE_MAKE_SEND));
	CHECK_OK(bare_task_fork(task, serve_less, to_all ? task : NULL));
	CHECK_OK(bare_task_give(*task, ready));
	CHECK_OK(bare_task_start(*task));
	CHECK_OK(mach_msg(m, MACH_RCV_MSG, 0, sizeof(m), ready, 0,
			  MACH_PORT_NULL));
	server = m->msgh_remote_port;
	CHECK_OK(mach_port_mod_refs(mach_task_self(), ready,
				    MACH_PORT_RIGHT_RECEIVE, -1));
	CHECK_OK(mach_port_deallocate(mach_task_self(), ready));
	return server;
}

/*
 * Figures
 */

static void
renew_frame(void)
{
	vm_address_t page;

	if (frame)
		vm_deallocate(mach_task_self(), (vm_address_t)frame, PAGE);
	CHECK_OK(vm_allocate(mach_task_self(), &page, PAGE, TRUE));
	frame = (uint8_t *)page;
}

/* From one client to another; @n others get a copy, too. */
static void
exchange(mach_port_t from, mach_port_t to, const mach_port_t *others,
	 uint32_t n, int frames)
{
	for (int i = 0; i < frames; i++) {
		frame[20] = (uint8_t)i;
		client_write(from, frame, LEN);
		CHECK(client_get(to, got, sizeof(got), 1000) == LEN);
		CHECK(got[20] == frame[20]);
		for (uint32_t k = 0; k < n; k++)
			CHECK(client_get(others[k], got, sizeof(got), 1000));
	}
}

static void
measure(const char *name, uint32_t clients, mach_port_t from, mach_port_t to,
	const mach_port_t *others, uint32_t n)
{
	uint64_t begin;

	exchange(from, to, others, n, WARMUP);
	begin = bare_cycles();
	exchange(from, to, others, n, FRAMES);
	bare_printf("bench %s %u %u\n", name, clients,
		    (uint32_t)((bare_cycles() - begin) / FRAMES));
}

static void
less(const char *name, bool to_all, uint32_t n)
{
	mach_port_t r[MAX], task, server = start_less(to_all, &task);

	renew_frame();
	for (uint32_t i = 0; i < n; i++) {
		r[i] = client_receiver(MACH_PORT_QLIMIT_MAX);
		client_listen(server, r[i], 0, 1);
	}
	client_frame(frame, LEN, 2, 1, 0);
	measure(name, n, server, r[1], r + 2, to_all ? n - 2 : 0);
	CHECK_OK(task_terminate(task));
	bare_task_join(task);
	for (uint32_t i = 0; i < n; i++)
		mach_port_mod_refs(mach_task_self(), r[i],
				   MACH_PORT_RIGHT_RECEIVE, -1);
}

static const struct vif vifs[MAX] = {
	{.name = "v0"}, {.name = "v1"}, {.name = "v2"}, {.name = "v3"},
	{.name = "v4"}, {.name = "v5"}, {.name = "v6"}, {.name = "v7"},
};

static void
through_switch(uint32_t n)
{
	static struct service s;
	mach_port_t device[MAX], r[MAX];

	s = (struct service){.vifs = vifs, .nvifs = n};
	service_start(&s);
	renew_frame();
	for (uint32_t i = 0; i < n; i++) {
		device[i] = client_open(s.master, vifs[i].name);
		r[i] = client_receiver(MACH_PORT_QLIMIT_MAX);
		client_listen(device[i], r[i], 0, 1);
	}
	for (uint32_t i = 0; i < n; i++) {
		client_write(device[i], frame,
			     client_frame(frame, 60, 0xff, (uint8_t)(i + 1),
					  0));
		for (uint32_t k = 0; k < n; k++)
			if (k != i)
				CHECK(client_get(r[k], got, sizeof(got), 1000));
	}
	client_frame(frame, LEN, 2, 1, 0);
	measure("switch", n, device[0], r[1], NULL, 0);
	service_check(&s);
	service_kill(&s);
	for (uint32_t i = 0; i < n; i++)
		mach_port_mod_refs(mach_task_self(), r[i],
				   MACH_PORT_RIGHT_RECEIVE, -1);
}

int
main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	/* Copies of this task read it, too. */
	CHECK_OK(bare_clock_map(guest_lookup("device-master")));
	less("bare", false, 2);
	through_switch(2);
	through_switch(8);
	less("all", true, 2);
	less("all", true, 8);
	guest_pass();
}
