/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

/*
 * The server
 */

static vnet_nsec
now(void *ctx)
{
	return ((struct rig *)ctx)->now;
}

/* Vifs of this name; their addresses are 02:00:00:00:00:01 and 02. */
static vnet_port_id
add_vif(struct rig *r, const char *name, uint8_t number)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
		.role = VNET_ROLE_VIF,
		.mac = {{2, 0, 0, 0, 0, number}},
		.mtu = 1500,
	};
	const struct vnet_mach_vif_config vif = {
		.size = sizeof(vif),
		.flags = VNET_MACH_MAY_PROMISC,
	};
	struct vnet_mach_vif_config v = vif;

	if (vnet_port_add(r->sw, &config, &v.port, NULL) ||
	    vnet_mach_vif_add(r->m, &v, NULL))
		return VNET_NO_ID;
	return v.port;
}

static int
add_names(struct rig *r)
{
	const struct vnet_mach_name names[] = {
		{
			.size = sizeof(names[0]),
			.name = "new",
			.port = VNET_NO_ID,
			.is_prefix = true,
			.may_create = 2,
			.create = {.mtu = 1500},
		},
		{
			.size = sizeof(names[0]),
			.name = "",
			.port = VNET_NO_ID,
			.is_prefix = true,
		},
	};
	int k = 0;

	for (int i = 0; i < 2 && !k; i++)
		k = vnet_mach_master_name(r->master, &names[i], NULL);
	return k;
}

int
rig_begin(struct rig *r, const struct rig_plan *plan)
{
	struct vnet_switch_config sw = {
		.size = sizeof(sw),
		.max_ports = 8,
		.max_clients = 80,
		.fdb_entries = 64,
		.pool_octets = 1 << 18,
		.max_rules = 16,
		.max_insns = 2048,
		.max_program = 16,
		.max_events = 16,
	};
	struct vnet_mach_config m = {
		.size = sizeof(m),
		.sys = &fake_kernel,
		.now = now,
		.ctx = r,
		.max_rights = 64,
		.max_filters = 4,
	};
	struct vnet_mach_master_config master = {
		.size = sizeof(master),
		.control = "control",
	};
	int k;

	memset(r, 0, sizeof(*r));
	fake_begin();
	r->server = fake_task_new();
	r->is_working = true;
	r->vif0 = r->vif1 = VNET_NO_ID;
	r->now = 1000;
	r->sw = test_switch_of(&r->alloc, &sw);
	fake_enter(r->server);
	fake_kernel.port_allocate(MACH_PORT_RIGHT_PORT_SET, &r->set);
	fake.watched = r->server;
	if (plan) {
		fake.fail_call = plan->call;
		fake.fail_at = plan->at;
		fake.fail_code = plan->code;
		fake.torn = plan->torn;
		if (plan->memory_at)
			r->alloc.fail_at = r->alloc.calls + plan->memory_at;
	}
	m.sw = r->sw;
	m.alloc = &r->alloc.alloc;
	m.port_set = r->set;
	k = vnet_mach_create(&r->m, &m, NULL);
	if (k)
		return k;
	r->vif0 = add_vif(r, "vif0", 1);
	r->vif1 = add_vif(r, "vif1", 2);
	if (r->vif0 == VNET_NO_ID || r->vif1 == VNET_NO_ID)
		return -1;
	k = vnet_mach_master_add(r->m, &master, &r->master, NULL);
	return k ? k : add_names(r);
}

void
rig_end(struct rig *r)
{
	struct fake_holdings h;

	fake.fail_at = fake.torn = 0;
	r->alloc.fail_at = 0;
	fake_enter(r->server);
	vnet_mach_destroy(r->m);
	fake_kernel.port_mod_refs(r->set, MACH_PORT_RIGHT_PORT_SET, -1);
	h = fake_holdings(r->server);
	if (fake.mistakes)
		fail_msg("%u mistakes: %s", fake.mistakes, fake.mistake);
	if (h.names || h.pieces)
		fail_msg("left: %u names (%#x), %u references, %u pieces",
			 h.names, (unsigned)fake_name(r->server, 0), h.refs,
			 h.pieces);
	test_switch_end(r->sw, &r->alloc);
	assert_int_equal(fake_end(), 0);
}

static kern_return_t
code_of(const mach_msg_header_t *out)
{
	if (out->msgh_bits & MACH_MSGH_BITS_COMPLEX)
		return KERN_SUCCESS;
	return ((const mig_reply_header_t *)(const void *)out)->RetCode;
}

/* As mach_msg_server() of a C library does it, with a reply that cannot be sent
 * destroyed, and a request that was not taken. */
static void
handle(struct rig *r)
{
	mach_msg_header_t *in = &r->in.head;
	mach_msg_header_t *out = &r->out.head;
	mach_msg_return_t sent;
	kern_return_t k;

	if (!vnet_mach_demux(r->m, in, out)) {
		vnet_mach_msg_destroy(&fake_kernel, in);
		return;
	}
	k = code_of(out);
	if (k == MIG_NO_REPLY)
		return;
	if (k != KERN_SUCCESS) {
		in->msgh_remote_port = MACH_PORT_NULL;
		vnet_mach_msg_destroy(&fake_kernel, in);
	}
	if (out->msgh_remote_port == MACH_PORT_NULL)
		return;
	sent = fake_kernel.msg(out, MACH_SEND_MSG, out->msgh_size, 0,
			       MACH_PORT_NULL, 0, MACH_PORT_NULL) &
	       ~MACH_MSG_MASK;
	if (sent == MACH_SEND_INVALID_DEST || sent == MACH_SEND_NO_BUFFER ||
	    sent == MACH_SEND_TIMED_OUT || sent == MACH_SEND_INTERRUPTED)
		vnet_mach_msg_destroy(&fake_kernel, out);
}

static bool
serve_one(struct rig *r)
{
	mach_msg_header_t *in = &r->in.head;
	mach_msg_return_t k;

	k = fake_kernel.msg(in, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			    VNET_MACH_MSG_SIZE, r->set, 0, MACH_PORT_NULL);
	if (k == MACH_RCV_TIMED_OUT)
		return false;
	if (k == MACH_MSG_SUCCESS)
		handle(r);
	else if ((k & ~MACH_MSG_MASK) == MACH_RCV_BODY_ERROR)
		vnet_mach_msg_destroy(&fake_kernel, in);
	return true;
}

void
rig_serve(struct rig *r)
{
	struct fake_task *before = fake_enter(r->server);

	while (r->m && serve_one(r))
		if (r->is_working)
			vnet_mach_work(r->m, false);
	if (r->m && r->is_working)
		vnet_mach_work(r->m, false);
	if (r->m)
		vnet_mach_tick(r->m);
	fake_enter(before);
}

/*
 * Clients
 */

void
client_begin(struct client *c, struct rig *r)
{
	memset(c, 0, sizeof(*c));
	c->r = r;
	c->task = fake_task_new();
	if (r->master)
		c->master = fake_give(
			r->server, vnet_mach_master_right(r->master), c->task);
	fake_enter(c->task);
	fake_kernel.port_allocate(MACH_PORT_RIGHT_RECEIVE, &c->reply);
	fake_kernel.port_set_qlimit(c->reply, MACH_PORT_QLIMIT_MAX);
}

void
client_kill(struct client *c)
{
	fake_task_kill(c->task);
	c->task = NULL;
}

struct vnet_wire_writer
client_request(struct client *c, mach_port_t to, uint32_t id)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
				       MACH_MSG_TYPE_MAKE_SEND_ONCE),
		.remote = to,
		.local = c->reply,
		.id = id,
	};
	struct vnet_wire_writer w;

	vnet_wire_begin(&w, &c->msg, sizeof(c->msg), VNET_WIRE_HERE, &h);
	return w;
}

bool
client_send(struct client *c, struct vnet_wire_writer *w)
{
	size_t n = vnet_wire_end(w);
	mach_msg_return_t k;

	if (c->spoil)
		n = c->spoil(c, n, c->ctx);
	fake_enter(c->task);
	k = fake_kernel.msg(&c->msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
			    (mach_msg_size_t)n, 0, MACH_PORT_NULL, 0,
			    MACH_PORT_NULL);
	if ((k & ~MACH_MSG_MASK) == MACH_SEND_TIMED_OUT)
		vnet_mach_msg_destroy(&fake_kernel, &c->msg.head);
	return !k;
}

int
client_reply(struct client *c)
{
	mach_msg_header_t *h = &c->msg.head;
	struct vnet_wire_header head;
	struct vnet_wire_reader r;

	fake_enter(c->task);
	if (fake_kernel.msg(h, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			    sizeof(c->msg), c->reply, 0, MACH_PORT_NULL) ||
	    h->msgh_id < 2900)
		return NO_REPLY;
	vnet_wire_open(&r, &c->msg, h->msgh_size, VNET_WIRE_HERE, &head);
	return (int)vnet_wire_get_int32(&r);
}

int
client_call(struct client *c, struct vnet_wire_writer *w)
{
	if (!client_send(c, w))
		return NO_REPLY;
	rig_serve(c->r);
	return client_reply(c);
}

static void
put_int(struct vnet_wire_writer *w, uint32_t v)
{
	vnet_wire_put_int32(w, &v, 1);
}

static int
open_by(struct client *c, const char *name, uint32_t id, bool is_long)
{
	struct vnet_wire_writer w = client_request(c, c->master, id);
	char text[VNET_MACH_NAME_SIZE] = {0};
	struct vnet_wire_header h;
	struct vnet_wire_reader r;
	uint32_t type;
	int k;

	memcpy(text, name, strlen(name));
	put_int(&w, D_READ | D_WRITE);
	vnet_wire_put_octets(&w, VNET_WIRE_STRING, text, sizeof(text), is_long);
	c->device = MACH_PORT_NULL;
	k = client_call(c, &w);
	if (k)
		return k;
	vnet_wire_open(&r, &c->msg, c->msg.head.msgh_size, VNET_WIRE_HERE, &h);
	vnet_wire_get_int32(&r);
	c->device = vnet_wire_get_right(&r, &type);
	return k;
}

int
client_open(struct client *c, const char *name)
{
	return open_by(c, name, 2800, true);
}

int
client_open_new(struct client *c, const char *name)
{
	return open_by(c, name, 2806, false);
}

int
client_close(struct client *c, mach_port_t device)
{
	struct vnet_wire_writer w = client_request(c, device, 2801);

	return client_call(c, &w);
}

mach_port_t
client_receiver(struct client *c, uint32_t qlimit)
{
	mach_port_t name;

	fake_enter(c->task);
	fake_kernel.port_allocate(MACH_PORT_RIGHT_RECEIVE, &name);
	fake_kernel.port_set_qlimit(name, qlimit);
	return name;
}

int
client_filter(struct client *c, mach_port_t device, mach_port_t right,
	      uint32_t disposition, int priority, uint32_t directions)
{
	const uint16_t words[] = {(uint16_t)directions};
	struct vnet_wire_writer w = client_request(c, device, 2812);

	vnet_wire_put_right(&w, right, disposition);
	put_int(&w, (uint32_t)priority);
	vnet_wire_put_octets(&w, VNET_WIRE_INT16, words, 1, false);
	return client_call(c, &w);
}

bool
client_send_write(struct client *c, mach_port_t device, const void *frame,
		  size_t len)
{
	struct vnet_wire_writer w = client_request(c, device, 2802);
	vm_address_t at = 0;

	fake_enter(c->task);
	if (len) {
		fake_kernel.vm_allocate(&at, len);
		fake_poke(at, frame, len);
	}
	put_int(&w, D_NOWAIT);
	vnet_wire_put_natural(&w, 0);
	vnet_wire_put_memory(&w, at, (uint32_t)len, true);
	return client_send(c, &w);
}

int
client_write(struct client *c, mach_port_t device, const void *frame,
	     size_t len)
{
	if (!client_send_write(c, device, frame, len))
		return NO_REPLY;
	rig_serve(c->r);
	return client_reply(c);
}

int
client_write_inband(struct client *c, mach_port_t device, const void *frame,
		    size_t len)
{
	struct vnet_wire_writer w = client_request(c, device, 2803);

	put_int(&w, D_NOWAIT);
	vnet_wire_put_natural(&w, 0);
	vnet_wire_put_octets(&w, VNET_WIRE_CHAR, frame, (uint32_t)len, false);
	return client_call(c, &w);
}

bool
client_read(struct client *c, mach_port_t device, bool is_inband, uint32_t mode)
{
	struct vnet_wire_writer w =
		client_request(c, device, is_inband ? 2805 : 2804);

	put_int(&w, mode);
	vnet_wire_put_natural(&w, 0);
	put_int(&w, 1514);
	return client_send(c, &w);
}

int
client_get_status(struct client *c, mach_port_t device, uint32_t flavor,
		  uint32_t count)
{
	struct vnet_wire_writer w = client_request(c, device, 2811);

	put_int(&w, flavor);
	put_int(&w, count);
	return client_call(c, &w);
}

int
client_set_flags(struct client *c, mach_port_t device, uint32_t flags)
{
	struct vnet_wire_writer w = client_request(c, device, 2810);

	put_int(&w, NET_FLAGS);
	vnet_wire_put_int32(&w, &flags, 1);
	return client_call(c, &w);
}

unsigned
client_frames(struct client *c, mach_port_t right)
{
	unsigned n = 0;

	fake_enter(c->task);
	while (!fake_kernel.msg(&c->msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT,
				0, sizeof(c->msg), right, 0, MACH_PORT_NULL))
		n += c->msg.head.msgh_id == NET_RCV_MSG_ID;
	return n;
}

void
rig_frame(uint8_t *frame, uint8_t dst, uint8_t src)
{
	memset(frame, 0, 60);
	memset(frame, dst == 0xff ? 0xff : 0, 6);
	if (dst != 0xff) {
		frame[0] = 2;
		frame[5] = dst;
	}
	frame[6] = 2;
	frame[11] = src;
	frame[12] = 0x88;
	frame[13] = 0xb5;
	for (uint8_t i = 14; i < 60; i++)
		frame[i] = i;
}
