/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients that write at the same time, to a server whose threads take turns at
 * every call: the frames of each arrive in the order in which it has written
 * them, none twice, whole, and none is missing that no counter has.
 *
 *	writer 0 --- v0 ---+
 *	writer 1 --- v1 ---+--- v3 --- the test
 *	writers 2, 3 - v2 -+
 */
#include <string.h>

#include <mach/mach_port.h>

#include <device/device.h>

#include "guest/guest.h"
#include "guest/service.h"
#include "sys.h"

#define WRITERS 4
#define FRAMES  500 /* of each */
#define PAGE    4096
#define SINK    4 /* the last octet of v3's address */

/* So many of a writer's are under way where nothing may be lost: those of all fit
 * into the queue of a right. */
#define CREDIT 3

static const struct vif vifs[] = {
	{.name = "v0"},
	{.name = "v1"},
	{.name = "v2"},
	{.name = "v3"},
};
static const uint8_t vif_of[WRITERS] = {0, 1, 2, 2};

/* Behind the header of a frame. */
struct tag {
	uint32_t writer;
	uint32_t number;
};

struct writer {
	struct bare_thread *thread;
	uint32_t index;
	mach_port_t device;
	uint8_t *page;
	uint32_t received, next; /* how many, and which is expected */
};

static struct writer writers[WRITERS];

/*
 * The server's kernel, where other threads have their turn around everything that
 * can wait.
 */

static mach_msg_return_t
restless_msg(mach_msg_header_t *m, mach_msg_option_t options,
	     mach_msg_size_t send_size, mach_msg_size_t rcv_size,
	     mach_port_t rcv_name, mach_msg_timeout_t timeout_ms,
	     mach_port_t notify)
{
	mach_msg_return_t r;

	swtch_pri(0);
	r = vnet_mach_kernel.msg(m, options, send_size, rcv_size, rcv_name,
				 timeout_ms, notify);
	swtch_pri(0);
	return r;
}

static bool
restless_copy(void *to, const void *from, size_t n, const uint32_t *given_up)
{
	bool is_there;

	swtch_pri(0);
	is_there = vnet_mach_kernel.copy(to, from, n, given_up);
	swtch_pri(0);
	return is_there;
}

/*
 * Counters, read in the server's task
 */

enum figure {
	WRITES,        /* that facets got */
	NOT_FORWARDED, /* of these, dropped before the switch */
	IN,            /* that clients handed to the switch */
	NOT_MEANT,     /* of these, dropped before they were anybody's */
	/* Of the client that the frames are for alone: */
	OUT,      /* copies meant for it */
	REFUSED,  /* of these, not delivered */
	SENT,     /* copies to its right */
	NOT_SENT, /* of these, dropped */
};

static uint64_t
figure_of(const struct server *s, vnet_client_id id, enum figure which)
{
	struct vnet_mach_facet_info f = {.size = sizeof(f)};
	struct vnet_client_stats c = {.size = sizeof(c)};

	CHECK(!vnet_mach_facet_get(s->m, id, &f));
	CHECK(!vnet_client_get_stats(s->sw, id, &c));
	switch (which) {
	case WRITES:
		return f.writes;
	case NOT_FORWARDED:
		return f.write_length + f.write_down + f.write_denied +
		       f.write_full + f.write_fault;
	case IN:
		return c.in.frames;
	case NOT_MEANT:
		return c.in_dropped.frames;
	case OUT:
		return c.out.frames;
	case REFUSED:
		return c.queued.frames + c.out_dropped.frames;
	case SENT:
		return f.sent;
	case NOT_SENT:
		return f.sent_full + f.sent_dead;
	}
	return 0;
}

static int
sum_figures(struct server *s, uint32_t which)
{
	uint64_t sum = 0;
	vnet_port_id port = VNET_NO_ID;
	vnet_client_id id;

	vnet_mach_lock(s->m);
	if (which >= OUT)
		port = vnet_port_find(s->sw, "v2");
	while ((port = vnet_port_next(s->sw, port)) != VNET_NO_ID)
		for (id = vnet_client_next(s->sw, port, VNET_NO_ID);
		     id != VNET_NO_ID; id = vnet_client_next(s->sw, port, id))
			sum += figure_of(s, id, (enum figure)which);
	vnet_mach_unlock(s->m);
	return (int)sum;
}

static uint32_t
figure(struct service *s, enum figure which)
{
	return (uint32_t)service_call(s, sum_figures, which);
}

/*
 * Writers
 */

/* Frames that fit into a message, and longer ones. */
static uint32_t
length_of(uint32_t number)
{
	return number % 3 ? 60 + number * 131 % 1455 : 60 + number % 69;
}

static uint8_t
filling(const struct tag *t)
{
	return (uint8_t)(t->number * 7 + t->writer);
}

static uint32_t
fill(const struct writer *w, uint32_t number)
{
	const struct tag t = {w->index, number};
	const uint32_t len = length_of(number);
	const size_t head = 14 + sizeof(t);

	client_frame(w->page, 14, SINK, vif_of[w->index] + 1, 0);
	memcpy(w->page + 14, &t, sizeof(t));
	memset(w->page + head, filling(&t), len - head);
	return len;
}

/* device_write, and device_write_inband, by somebody who wants no answer. */
struct write {
	mach_msg_header_t head;
	mach_msg_type_t mode_type;
	uint32_t mode;
	mach_msg_type_t recnum_type;
	uint32_t recnum;
	mach_msg_type_long_t data_type;
	const uint8_t *data;
};

struct write_inband {
	mach_msg_header_t head;
	mach_msg_type_t mode_type;
	uint32_t mode;
	mach_msg_type_t recnum_type;
	uint32_t recnum;
	mach_msg_type_t data_type;
	uint8_t data[IO_INBAND_MAX];
};

static const mach_msg_type_t int_type = {
	.msgt_name = MACH_MSG_TYPE_INTEGER_32,
	.msgt_size = 32,
	.msgt_number = 1,
	.msgt_inline = TRUE,
};

static void
send_write(mach_port_t device, const uint8_t *frame, uint32_t len)
{
	struct write m = {
		.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0) |
				  MACH_MSGH_BITS_COMPLEX,
		.head.msgh_size = sizeof(m),
		.head.msgh_remote_port = device,
		.head.msgh_id = 2802,
		.mode_type = int_type,
		.recnum_type = int_type,
		.data_type.msgtl_header.msgt_longform = TRUE,
		.data_type.msgtl_name = MACH_MSG_TYPE_INTEGER_8,
		.data_type.msgtl_size = 8,
		.data_type.msgtl_number = len,
		.data = frame,
	};

	CHECK_OK(mach_msg(&m.head, MACH_SEND_MSG, sizeof(m), 0, MACH_PORT_NULL,
			  0, MACH_PORT_NULL));
}

static void
send_write_inband(mach_port_t device, const uint8_t *frame, uint32_t len)
{
	struct write_inband m = {
		.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
		.head.msgh_size =
			(offsetof(struct write_inband, data) + len + 3) & ~3u,
		.head.msgh_remote_port = device,
		.head.msgh_id = 2803,
		.mode_type = int_type,
		.recnum_type = int_type,
		.data_type.msgt_name = MACH_MSG_TYPE_CHAR,
		.data_type.msgt_size = 8,
		.data_type.msgt_number = len & 0xfff,
		.data_type.msgt_inline = TRUE,
	};

	memcpy(m.data, frame, len);
	CHECK_OK(mach_msg(&m.head, MACH_SEND_MSG, m.head.msgh_size, 0,
			  MACH_PORT_NULL, 0, MACH_PORT_NULL));
}

static void
call_write_inband(mach_port_t device, uint8_t *frame, uint32_t len)
{
	int written;

	CHECK_OK(device_write_inband(device, D_NOWAIT, 0, (io_buf_ptr_t)frame,
				     len, &written));
	CHECK_EQ(written, len);
}

/* As fast as they are answered, with few under way. */
static void
write_and_wait(void *arg)
{
	struct writer *w = arg;

	for (uint32_t i = 0; i < FRAMES; i++) {
		uint32_t len = fill(w, i);

		while (i - __atomic_load_n(&w->received, __ATOMIC_RELAXED) >=
		       CREDIT)
			swtch_pri(0);
		if (len <= IO_INBAND_MAX)
			call_write_inband(w->device, w->page, len);
		else
			client_write(w->device, w->page, len);
	}
}

/* As fast as the queue of its facet takes them. */
static void
write_on(void *arg)
{
	struct writer *w = arg;

	for (uint32_t i = 0; i < FRAMES; i++) {
		uint32_t len = fill(w, i);

		if (len <= IO_INBAND_MAX)
			send_write_inband(w->device, w->page, len);
		else
			send_write(w->device, w->page, len);
	}
}

/*
 * The test
 */

static void
check_frame(const uint8_t *frame, size_t len)
{
	struct tag t;
	struct writer *w;

	CHECK(len >= 60);
	memcpy(&t, frame + 14, sizeof(t));
	CHECK(t.writer < WRITERS);
	CHECK_EQ(len, length_of(t.number));
	for (size_t i = 14 + sizeof(t); i < len; i++)
		CHECK_EQ(frame[i], filling(&t));
	w = &writers[t.writer];
	if (t.number < w->next)
		guest_fail("writer %u: frame %u comes behind %u", t.writer,
			   t.number, w->next - 1);
	w->next = t.number + 1;
	__atomic_fetch_add(&w->received, 1, __ATOMIC_RELAXED);
}

/* Until no frame has come for a while; after each @burst of them late for the
 * next. */
static uint32_t
receive(mach_port_t right, uint32_t burst)
{
	static uint8_t frame[1514];
	uint32_t n = 0;
	size_t len;

	while ((len = client_get(right, frame, sizeof(frame), 200))) {
		check_frame(frame, len);
		if (++n % burst == 0)
			bare_sleep_ms(50);
	}
	return n;
}

static uint32_t
run(struct service *s, mach_port_t sink, uint32_t burst, void (*write)(void *))
{
	const uint32_t all = WRITERS * FRAMES, before = figure(s, WRITES);
	uint32_t n;

	for (uint32_t i = 0; i < WRITERS; i++) {
		writers[i].received = writers[i].next = 0;
		CHECK_OK(bare_thread_create(&writers[i].thread, 0, write,
					    &writers[i]));
	}
	n = receive(sink, burst);
	for (uint32_t i = 0; i < WRITERS; i++)
		bare_thread_join(writers[i].thread);
	for (int i = 0; i < 100 && figure(s, WRITES) - before < all; i++)
		bare_sleep_ms(10);
	CHECK_EQ(figure(s, WRITES) - before, all);
	n += receive(sink, burst);
	service_check(s);
	return n;
}

/* From one place to the next, what goes in comes out or is counted. */
static void
check_sums(struct service *s, uint32_t received)
{
	CHECK_EQ(figure(s, WRITES) - figure(s, NOT_FORWARDED), figure(s, IN));
	CHECK_EQ(figure(s, IN) - figure(s, NOT_MEANT), figure(s, OUT));
	CHECK_EQ(figure(s, OUT), figure(s, SENT));
	CHECK_EQ(figure(s, REFUSED), figure(s, NOT_SENT));
	CHECK_EQ(figure(s, SENT) - figure(s, NOT_SENT), received);
}

static void
open_all(struct service *s)
{
	for (uint32_t i = 0; i < WRITERS; i++) {
		vm_address_t page;

		CHECK_OK(vm_allocate(mach_task_self(), &page, PAGE, TRUE));
		writers[i] = (struct writer){
			.index = i,
			.device = client_open(s->master, vifs[vif_of[i]].name),
			.page = (uint8_t *)page,
		};
	}
}

int
main(int argc, char **argv)
{
	static struct vnet_mach_sys restless;
	struct service s = {.vifs = vifs, .nvifs = 4, .sys = &restless};
	mach_port_t sink = client_receiver(MACH_PORT_QLIMIT_MAX);
	uint32_t waited, all;

	(void)argc;
	(void)argv;
	restless = vnet_mach_kernel;
	restless.msg = restless_msg;
	restless.copy = restless_copy;
	service_start(&s);
	open_all(&s);
	client_listen(client_open(s.master, "v3"), sink, 0, 1);

	waited = run(&s, sink, UINT32_MAX, write_and_wait);
	CHECK_EQ(waited, WRITERS * FRAMES);
	check_sums(&s, waited);
	bare_printf("writers_at_the_same_time_lose_nothing\n");

	all = waited + run(&s, sink, 64, write_on);
	check_sums(&s, all);
	for (uint32_t i = 0; i < WRITERS; i++)
		CHECK(writers[i].received > 0);
	/* Some were lost, or nothing was tried. */
	CHECK(all < 2 * WRITERS * FRAMES);
	bare_printf("%u of %u came\n", all - waited, WRITERS * FRAMES);
	bare_printf("what_writers_that_do_not_wait_lose_is_counted\n");
	service_kill(&s);
	guest_pass();
}
