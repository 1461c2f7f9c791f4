/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <mach/mach_port.h>

#include <device/device.h>

#include "guest.h"
#include "service.h"

/* Messages of our own, between the test and the server's task. */
enum {
	MSG_READY = 77001,
	MSG_CALL,
	MSG_RESULT,
};

struct ready {
	mach_msg_header_t head;
	mach_msg_type_t master_type;
	mach_port_t master;
	mach_msg_type_t channel_type;
	mach_port_t channel;
};

struct call {
	mach_msg_header_t head;
	mach_msg_type_t type;
	uint32_t word[2]; /* the function and its argument, or the result */
};

static const mach_msg_type_t make_send = {
	.msgt_name = MACH_MSG_TYPE_MAKE_SEND,
	.msgt_size = 32,
	.msgt_number = 1,
	.msgt_inline = TRUE,
};
static const mach_msg_type_t words = {
	.msgt_name = MACH_MSG_TYPE_INTEGER_32,
	.msgt_size = 32,
	.msgt_number = 2,
	.msgt_inline = TRUE,
};

/*
 * In the server's task
 */

static mach_port_t parent; /* the same name in both tasks */

static vnet_nsec
now(void *ctx)
{
	(void)ctx;
	return bare_now();
}

static void
serve(void *m)
{
	vnet_mach_serve(m, true);
}

static void
help(void *m)
{
	vnet_mach_serve(m, false);
}

static void
want_worker(void *ctx)
{
	struct server *s = ctx;

	bare_thread_create(NULL, 0, help, s->m);
}

static void
add_vif(struct server *s, const struct vif *v, uint8_t first, size_t i)
{
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = v->name,
		.mac = {{2, 0, 0, 0, first, (uint8_t)(i + 1)}},
		.mtu = v->mtu,
		.flags = v->port_flags,
	};
	struct vnet_mach_vif_config vif = {
		.size = sizeof(vif),
		.flags = v->vif_flags,
		.max_clients = v->max_clients,
	};
	struct vnet_mach_name name = {.size = sizeof(name),
				      .name = v->device ? v->device : v->name};

	CHECK(!vnet_port_add(s->sw, &port, &vif.port, NULL));
	CHECK(!vnet_mach_vif_add(s->m, &vif, NULL));
	name.port = vif.port;
	CHECK(!vnet_mach_master_name(s->master, &name, NULL));
}

static void
make(struct server *s, const struct service *service)
{
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &bare_alloc,
		.max_clients = 256,
	};
	const struct vnet_mach_config mach = {
		.size = sizeof(mach),
		.alloc = &bare_alloc,
		.sys = service->sys,
		.now = now,
		.want_worker = want_worker,
		.ctx = s,
	};
	struct vnet_mach_config c = mach;
	const struct vnet_mach_master_config master = {
		.size = sizeof(master),
		.control = service->control,
		.max_clients = service->max_clients,
	};

	CHECK(!vnet_switch_create(&s->sw, &config, NULL));
	c.sw = s->sw;
	CHECK(!vnet_mach_create(&s->m, &c, NULL));
	CHECK(!vnet_mach_master_add(s->m, &master, &s->master, NULL));
	for (size_t i = 0; i < service->nvifs; i++)
		add_vif(s, &service->vifs[i], service->first, i);
	if (service->set_up)
		service->set_up(s, service->arg);
}

static void
say_ready(const struct server *s, mach_port_t channel)
{
	struct ready msg = {
		.head =
			{
				.msgh_bits =
					MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND,
						       0) |
					MACH_MSGH_BITS_COMPLEX,
				.msgh_size = sizeof(msg),
				.msgh_remote_port = parent,
				.msgh_id = MSG_READY,
			},
		.master_type = make_send,
		.master = vnet_mach_master_right(s->master),
		.channel_type = make_send,
		.channel = channel,
	};

	CHECK(!mach_msg(&msg.head, MACH_SEND_MSG, sizeof(msg), 0,
			MACH_PORT_NULL, 0, MACH_PORT_NULL));
}

static void
answer_calls(struct server *s, mach_port_t channel)
{
	struct {
		struct call call;
		uint32_t trailer[8];
	} m;

	while (!mach_msg(&m.call.head, MACH_RCV_MSG, 0, sizeof(m), channel, 0,
			 MACH_PORT_NULL)) {
		int (*fn)(struct server *, uint32_t) =
			(int (*)(struct server *, uint32_t))m.call.word[0];

		m.call.word[0] = (uint32_t)fn(s, m.call.word[1]);
		m.call.head.msgh_bits =
			MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
		m.call.head.msgh_id = MSG_RESULT;
		m.call.head.msgh_local_port = MACH_PORT_NULL;
		CHECK(!mach_msg(&m.call.head, MACH_SEND_MSG, sizeof(m.call), 0,
				MACH_PORT_NULL, 0, MACH_PORT_NULL));
	}
}

static void
run(void *arg)
{
	static struct server s;
	mach_port_t channel;

	make(&s, arg);
	CHECK(!bare_thread_create(NULL, 0, serve, s.m));
	CHECK(!mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE,
				  &channel));
	say_ready(&s, channel);
	answer_calls(&s, channel);
}

/*
 * In the test's
 */

void
service_start(struct service *s)
{
	struct {
		struct ready ready;
		uint32_t trailer[8];
	} m;

	CHECK(!mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE,
				  &parent));
	CHECK(!mach_port_insert_right(mach_task_self(), parent, parent,
				      MACH_MSG_TYPE_MAKE_SEND));
	CHECK(!bare_task_fork(&s->task, run, s));
	CHECK(!bare_task_give(s->task, parent));
	CHECK(!bare_task_start(s->task));
	CHECK(!mach_msg(&m.ready.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			sizeof(m), parent, 5000, MACH_PORT_NULL));
	CHECK(m.ready.head.msgh_id == MSG_READY);
	s->master = m.ready.master;
	s->channel = m.ready.channel;
	CHECK(!mach_port_mod_refs(mach_task_self(), parent,
				  MACH_PORT_RIGHT_RECEIVE, -1));
	CHECK(!mach_port_deallocate(mach_task_self(), parent));
}

int
service_call(struct service *s, int (*fn)(struct server *, uint32_t),
	     uint32_t arg)
{
	mach_port_t reply = mach_reply_port();
	struct {
		struct call call;
		uint32_t trailer[8];
	} m = {
		.call =
			{
				.head =
					{
						.msgh_bits = MACH_MSGH_BITS(
							MACH_MSG_TYPE_COPY_SEND,
							MACH_MSG_TYPE_MAKE_SEND_ONCE),
						.msgh_size = sizeof(m.call),
						.msgh_remote_port = s->channel,
						.msgh_local_port = reply,
						.msgh_id = MSG_CALL,
					},
				.type = words,
				.word = {(uint32_t)fn, arg},
			},
	};

	CHECK(!mach_msg(
		&m.call.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
		sizeof(m.call), sizeof(m), reply, 5000, MACH_PORT_NULL));
	CHECK(m.call.head.msgh_id == MSG_RESULT);
	CHECK(!mach_port_mod_refs(mach_task_self(), reply,
				  MACH_PORT_RIGHT_RECEIVE, -1));
	return (int)m.call.word[0];
}

void
service_kill(struct service *s)
{
	CHECK(!task_terminate(s->task));
	bare_task_join(s->task);
	CHECK(!mach_port_deallocate(mach_task_self(), s->channel));
}

uint32_t
service_names(const struct service *s)
{
	return guest_count_names(s->task);
}

uint32_t
service_settle(const struct service *s)
{
	return guest_settled_names(s->task);
}

void
service_expect_names(const struct service *s, uint32_t n)
{
	for (int i = 0; i < 100 && service_names(s) != n; i++)
		bare_sleep_ms(10);
	if (service_names(s) != n)
		guest_fail("the server has %u names, and had %u",
			   service_names(s), n);
}

static int
check(struct server *s, uint32_t arg)
{
	struct vnet_why why;
	bool is_right;

	(void)arg;
	vnet_mach_lock(s->m);
	is_right = vnet_switch_check(s->sw, &why);
	vnet_mach_unlock(s->m);
	if (!is_right)
		bare_printf("switch: %s, %llu and not %llu\n", why.text,
			    (unsigned long long)why.found,
			    (unsigned long long)why.bound);
	return is_right;
}

void
service_check(struct service *s)
{
	CHECK(service_call(s, check, 0));
}

/*
 * An uplink
 */

#define NIC "eth0"

/* What the server calls the right that opens it: none that the kernel gives by
 * itself. */
#define NIC_RIGHT 5000

static vnet_port_id
uplink_port(struct server *s)
{
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = NIC,
		.role = VNET_ROLE_UPLINK,
	};
	vnet_port_id id;

	vnet_mach_lock(s->m);
	id = vnet_port_find(s->sw, NIC);
	if (id == VNET_NO_ID)
		CHECK(!vnet_port_add(s->sw, &port, &id, NULL));
	vnet_mach_unlock(s->m);
	return id;
}

static int
add_uplink(struct server *s, uint32_t flags)
{
	const struct vnet_mach_uplink_config c = {
		.size = sizeof(c),
		.port = uplink_port(s),
		.name = NIC,
		.master = NIC_RIGHT,
		.flags = flags,
	};

	return vnet_mach_uplink_add(s->m, &c, NULL);
}

static int
remove_uplink(struct server *s, uint32_t arg)
{
	(void)arg;
	return vnet_mach_uplink_remove(s->m, uplink_port(s));
}

void
service_add_uplink(struct service *s, mach_port_t master, uint32_t flags)
{
	CHECK_OK(mach_port_insert_right(s->task, NIC_RIGHT, master,
					MACH_MSG_TYPE_COPY_SEND));
	CHECK_EQ(service_call(s, add_uplink, flags), 0);
}

void
service_remove_uplink(struct service *s)
{
	CHECK_EQ(service_call(s, remove_uplink, 0), 0);
}

void
server_uplink(struct server *s, struct vnet_mach_uplink_info *info,
	      struct vnet_port_info *port)
{
	const vnet_port_id id = uplink_port(s);

	info->size = sizeof(*info);
	port->size = sizeof(*port);
	vnet_mach_lock(s->m);
	CHECK(!vnet_mach_uplink_get(s->m, id, info));
	CHECK(!vnet_port_get(s->sw, id, port));
	vnet_mach_unlock(s->m);
}

/*
 * A client
 */

mach_port_t
client_receiver(uint32_t qlimit)
{
	mach_port_t right;

	CHECK(!mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE,
				  &right));
	CHECK(!mach_port_set_qlimit(mach_task_self(), right, qlimit));
	return right;
}

mach_port_t
client_open(mach_port_t master, const char *name)
{
	mach_port_t device = MACH_PORT_NULL;
	char text[128] = {0};
	size_t len = 0;

	while (name[len])
		len++;
	memcpy(text, name, len);
	CHECK_EQ(device_open(master, D_READ | D_WRITE, text, &device),
		 KERN_SUCCESS);
	CHECK(MACH_PORT_VALID(device));
	return device;
}

void
client_listen(mach_port_t device, mach_port_t receive, int priority,
	      uint32_t directions)
{
	/* RET 0xffffffff, behind the header in the place of an instruction. */
	filter_t filter[] = {
		(filter_t)(0x400 | directions), 0, 0, 0, 6, 0, 0xffff, 0xffff};

	CHECK_EQ(device_set_filter(device, receive, MACH_MSG_TYPE_MAKE_SEND,
				   priority, filter, 8),
		 KERN_SUCCESS);
}

void
client_write(mach_port_t device, const void *frame, size_t len)
{
	int written = -1;

	CHECK_EQ(device_write(device, D_NOWAIT, 0,
			      (io_buf_ptr_t)(uintptr_t)frame, len, &written),
		 KERN_SUCCESS);
	CHECK(written == (int)len);
}

size_t
client_frame(uint8_t *frame, size_t len, uint8_t dst, uint8_t src, uint8_t tag)
{
	static const uint8_t base[6] = {2};

	memcpy(frame, base, 6);
	frame[5] = dst;
	if (dst == 0xff)
		memset(frame, 0xff, 6);
	memcpy(frame + 6, base, 6);
	frame[11] = src;
	frame[12] = 0x08;
	frame[13] = 0x00;
	for (size_t i = 14; i < len; i++)
		frame[i] = (uint8_t)(tag + i);
	return len;
}

size_t
client_get(mach_port_t receive, uint8_t *frame, size_t room, uint32_t ms)
{
	static struct {
		struct net_rcv_msg msg;
		uint32_t trailer[8];
	} m;
	size_t len;

	if (mach_msg(&m.msg.msg_hdr, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
		     sizeof(m), receive, ms, MACH_PORT_NULL))
		return 0;
	CHECK(m.msg.msg_hdr.msgh_id == NET_RCV_MSG_ID);
	CHECK(m.msg.header_type.msgt_number == NET_HDW_HDR_MAX);
	CHECK(m.msg.packet_type.msgt_number >= 4);
	len = 14 + m.msg.packet_type.msgt_number - 4;
	CHECK(len <= room);
	memcpy(frame, m.msg.header, 14);
	memcpy(frame + 14, m.msg.packet + 4, len - 14);
	return len;
}

void
client_drop(mach_port_t right)
{
	CHECK_OK(mach_port_deallocate(mach_task_self(), right));
}

void
client_drop_receiver(mach_port_t right)
{
	CHECK_OK(mach_port_mod_refs(mach_task_self(), right,
				    MACH_PORT_RIGHT_RECEIVE, -1));
}

void
service_expect_traffic(const struct service *s, const char *from,
		       const char *to)
{
	uint8_t sent[200], got[200];
	mach_port_t a = client_open(s->master, from);
	mach_port_t b = client_open(s->master, to);
	mach_port_t r = client_receiver(16);

	client_listen(b, r, 0, 1);
	client_write(a, sent, client_frame(sent, sizeof(sent), 0xff, 1, 3));
	CHECK_EQ(client_get(r, got, sizeof(got), 1000), sizeof(sent));
	CHECK(!memcmp(sent, got, sizeof(sent)));
	client_drop_receiver(r);
	client_drop(a);
	client_drop(b);
}
