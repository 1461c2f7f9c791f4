/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What clients of a Mach server may send it, and do to it: requests as they should
 * be, the same with octets changed, and messages made up item by item with
 * descriptors that lie; by any right that a client has, with any right in them,
 * the server's own among them; notifications and frames that are forged; rights
 * that die, clients that die, also while their memory is touched; memory that
 * cannot be read; a kernel that has no room. One of the clients may be a NIC's
 * driver, which the server uses as an uplink: what it is asked it answers, more or
 * less.
 *
 * All goes by way of the fake kernel (tests/mach/native), which delivers what the
 * kernel would. In the end nobody has anything of the server's any more: it then
 * holds what it held before the first client came, and never made a call that can
 * only be a mistake.
 */
#include <vnet/mach_control.h>
#include <vnet/mach_uplink.h>

#include "rig.h"

#define NCLIENTS 3
#define MAX_OPS  200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct rig r;
	struct client c[NCLIENTS];
	const uint8_t *p, *end;
	bool is_nested;
	bool has_failures; /* of the kernel's: what is left may be more */
	vnet_port_id uplink;
	mach_port_t nic; /* of the last client */
};

static uint32_t
take8(struct run *run)
{
	return run->p < run->end ? *run->p++ : 0;
}

static uint32_t
take16(struct run *run)
{
	uint32_t v = take8(run);

	return v | take8(run) << 8;
}

static uint32_t
take32(struct run *run)
{
	uint32_t v = take16(run);

	return v | take16(run) << 16;
}

/* Any right that the client has. */
static mach_port_t
pick(struct run *run, const struct client *c)
{
	unsigned n = fake_holdings(c->task).names;
	uint32_t which = take8(run);

	if (which == 255)
		return MACH_PORT_DEAD;
	if (which == 254 || !n)
		return MACH_PORT_NULL;
	return fake_name(c->task, which % n);
}

/* The device that it opened last, or any right. */
static mach_port_t
pick_device(struct run *run, const struct client *c)
{
	return take8(run) % 4 ? c->device : pick(run, c);
}

/*
 * Messages made up
 */

static void
put_word(uint8_t *msg, size_t *n, uint32_t v)
{
	memcpy(msg + *n, &v, 4);
	*n += 4;
}

static void
put_type(uint8_t *msg, size_t *n, uint32_t name, uint32_t size, uint32_t number,
	 uint32_t bits)
{
	if (!(bits & 2)) {
		put_word(msg, n,
			 name | size << 8 | (number & 0xfff) << 16 |
				 bits << 28);
		return;
	}
	put_word(msg, n, bits << 28);
	put_word(msg, n, name | size << 16);
	put_word(msg, n, number);
}

static vm_address_t
make_memory(struct run *run, size_t len)
{
	uint8_t frame[60];
	vm_address_t at;

	fake_kernel.vm_allocate(&at, len);
	rig_frame(frame, (uint8_t)(take8(run) % 4), 1);
	fake_poke(at, frame, len < sizeof(frame) ? len : sizeof(frame));
	if (take8(run) % 8 == 7)
		fake_spoil(at);
	return at;
}

static void
put_item(struct run *run, struct client *c, uint8_t *msg, size_t *n)
{
	static const uint32_t lengths[] = {0,    1,    13,   14,   60,
					   1514, 1518, 1519, 4105, 70000};
	uint32_t kind = take8(run), bits = kind >> 4, number, name, len;
	vm_address_t at;

	switch (kind % 6) {
	case 0:
		put_type(msg, n, 2, 32, 1, 1);
		put_word(msg, n, take32(run));
		break;
	case 1: /* rights */
		number = 1 + take8(run) % 3;
		put_type(msg, n, 16 + take8(run) % 6, 32, number,
			 1 | (bits & 2));
		while (number--)
			put_word(msg, n, pick(run, c));
		break;
	case 2: /* memory */
		len = lengths[take8(run) % 10];
		at = len ? make_memory(run, len) : 0;
		put_type(msg, n, 8 + (bits & 1), 8, len, (bits & 4) | 2);
		put_word(msg, n, (uint32_t)at);
		break;
	case 3: /* anything */
		number = take8(run) % 40;
		name = take8(run);
		len = take8(run);
		put_type(msg, n, name, len, take16(run), bits & 7);
		while (number--)
			put_word(msg, n, take32(run));
		break;
	case 4: /* octets as they are said to be */
		number = take8(run) % 133;
		put_type(msg, n, bits & 1 ? 8 : 12, 8, number, 1 | (bits & 2));
		for (uint32_t i = 0; i < number; i += 4)
			put_word(msg, n, take32(run));
		break;
	default: /* rights in memory */
		number = 1 + take8(run) % 4;
		fake_kernel.vm_allocate(&at, 4 * number);
		for (uint32_t i = 0; i < number; i++) {
			name = pick(run, c);
			fake_poke(at + 4 * i, &name, 4);
		}
		put_type(msg, n, 16 + take8(run) % 6, 32, number,
			 (bits & 4) | 2);
		put_word(msg, n, (uint32_t)at);
		break;
	}
}

static uint32_t
pick_id(struct run *run)
{
	static const uint16_t ids[] = {2800, 2801, 2802, 2803, 2804, 2805,
				       2806, 2809, 2810, 2811, 2812, 2813,
				       2814, 2999, 2400, 64,   65,   66,
				       69,   70,   71,   72,   77};
	uint32_t which = take8(run);

	return which < 200 ? ids[which % (sizeof(ids) / sizeof(ids[0]))]
			   : take16(run);
}

static void
send_any(struct run *run, struct client *c)
{
	mach_msg_header_t *h = &c->msg.head;
	uint8_t *msg = (uint8_t *)&c->msg;
	size_t n = sizeof(*h);
	uint32_t nitems, flags = take8(run);
	mach_msg_return_t k;

	fake_enter(c->task);
	memset(h, 0, sizeof(*h));
	h->msgh_remote_port = pick_device(run, c);
	h->msgh_id = (mach_msg_id_t)pick_id(run);
	h->msgh_bits =
		flags & 8 ? 16 + take8(run) % 6 : MACH_MSG_TYPE_COPY_SEND;
	if (flags & 4) {
		h->msgh_local_port = flags & 16 ? c->reply : pick(run, c);
		h->msgh_bits |= (flags & 16 ? MACH_MSG_TYPE_MAKE_SEND_ONCE
					    : 16 + take8(run) % 6)
				<< 8;
	}
	if (!(flags & 1))
		h->msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	nitems = take8(run) % 6;
	for (uint32_t i = 0; i < nitems; i++)
		put_item(run, c, msg, &n);
	if (flags & 32)
		n = sizeof(*h) + (take16(run) % (n - sizeof(*h) + 4) & ~3u);
	h->msgh_size = (mach_msg_size_t)n;
	k = fake_kernel.msg(h, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
			    (mach_msg_size_t)n, 0, 0, 0, 0);
	if ((k & ~MACH_MSG_MASK) == MACH_SEND_TIMED_OUT)
		vnet_mach_msg_destroy(&fake_kernel, h);
}

/* Some octets of what should have been sent. */
static size_t
spoil(struct client *c, size_t n, void *ctx)
{
	struct run *run = ctx;
	uint8_t *msg = (uint8_t *)&c->msg;

	for (uint32_t i = take8(run) % 4; i; i--) {
		uint32_t at = take16(run) % n;

		msg[at] = (uint8_t)take8(run);
	}
	if (take8(run) % 8 == 1)
		n = 24 + (take8(run) % (n - 20) & ~3u);
	return n;
}

/*
 * What clients do
 */

static void
set_filter(struct run *run, struct client *c)
{
	static const uint16_t heads[] = {1, 2, 3, 0x401, 0x402, 0x403};
	struct vnet_wire_writer w =
		client_request(c, pick_device(run, c), 2812);
	uint32_t n = take8(run) % 140;
	mach_port_t right = pick(run, c);
	uint16_t words[140];

	vnet_wire_put_right(&w, right, 16 + take8(run) % 6);
	vnet_wire_put_int32(&w, &(uint32_t){take8(run)}, 1);
	words[0] = heads[take8(run) % 6];
	for (uint32_t i = 1; i < n; i++)
		words[i] = (uint16_t)take16(run);
	vnet_wire_put_octets(&w, VNET_WIRE_INT16, words, n, false);
	client_send(c, &w);
}

static void
write_frame(struct run *run, struct client *c, bool is_inband)
{
	uint8_t frame[128], dst = (uint8_t)take8(run);
	uint32_t len = 60;

	rig_frame(frame, dst, (uint8_t)(take8(run) % 4));
	memset(frame + 60, 1, sizeof(frame) - 60);
	if (take8(run) % 4 == 0)
		len = take8(run) % 128;
	if (is_inband)
		client_write_inband(c, pick_device(run, c), frame, len);
	else
		client_send_write(c, pick_device(run, c), frame, len);
}

static void
status(struct run *run, struct client *c)
{
	struct vnet_wire_writer w;
	uint32_t flavor = 0x6e0001 + take8(run) % 6, words[200] = {0};
	uint32_t n = take8(run) % 200;
	mach_port_t device = pick_device(run, c);

	if (take8(run) % 2) {
		client_get_status(c, device, flavor, n);
		return;
	}
	for (uint32_t i = 0; i < n && i < 4; i++)
		words[i] = take32(run);
	w = client_request(c, device, 2810);
	vnet_wire_put_int32(&w, &flavor, 1);
	vnet_wire_put_int32(&w, words, n);
	client_send(c, &w);
}

/* Let go of something. */
static void
let_go(struct run *run, struct client *c)
{
	mach_port_t name = pick(run, c);
	mach_port_type_t type;

	fake_enter(c->task);
	if (fake_kernel.port_type(name, &type) || name == c->reply ||
	    name == c->master)
		return;
	if (type & MACH_PORT_TYPE_RECEIVE)
		fake_kernel.port_mod_refs(name, MACH_PORT_RIGHT_RECEIVE, -1);
	else
		fake_kernel.port_deallocate(name);
}

static void
take_messages(struct run *run, struct client *c)
{
	mach_port_t name = pick(run, c);
	mach_port_type_t type;

	fake_enter(c->task);
	if (fake_kernel.port_type(name, &type) ||
	    !(type & MACH_PORT_TYPE_RECEIVE))
		return;
	while (!fake_kernel.msg(&c->msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT,
				0, sizeof(c->msg), name, 0, 0))
		;
}

static void
change_vif(struct run *run)
{
	struct rig *r = &run->r;
	struct vnet_mach_vif_config vif = {.size = sizeof(vif)};
	uint32_t how = take8(run);

	fake_enter(r->server);
	vif.port = how & 1 ? r->vif0 : r->vif1;
	vif.flags = how >> 4 & 3;
	if (how & 2)
		vnet_mach_vif_remove(r->m, vif.port);
	else
		vnet_mach_vif_add(r->m, &vif, NULL);
}

static void
fail_next(struct run *run)
{
	static const int send[] = {MACH_SEND_TIMED_OUT, MACH_SEND_INTERRUPTED,
				   MACH_SEND_NO_BUFFER, MACH_SEND_INVALID_DEST};
	static const enum fake_call calls[] = {
		FAKE_SEND,
		FAKE_PORT_ALLOCATE,
		FAKE_PORT_TYPE,
		FAKE_PORT_SET_QLIMIT,
		FAKE_PORT_MOVE_MEMBER,
		FAKE_PORT_REQUEST_NOTIFICATION,
		FAKE_PORT_GET_RECEIVE_STATUS,
		FAKE_VM_ALLOCATE,
		FAKE_COPY,
	};
	uint32_t which = take8(run);

	fake.fail_call = calls[which % 9];
	fake.fail_at = fake.calls[fake.fail_call] + 1 + which / 64;
	fake.fail_code = fake.fail_call == FAKE_SEND ? send[take8(run) % 4]
						     : KERN_RESOURCE_SHORTAGE;
	run->has_failures = true;
}

/*
 * The NIC
 */

static void
remove_uplink(struct run *run)
{
	struct fake_task *before = fake_enter(run->r.server);

	if (run->uplink != VNET_NO_ID) {
		vnet_mach_uplink_remove(run->r.m, run->uplink);
		vnet_port_remove(run->r.sw, run->uplink);
	}
	run->uplink = VNET_NO_ID;
	fake_enter(before);
}

static void
add_uplink(struct run *run)
{
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = "up",
		.role = VNET_ROLE_UPLINK,
	};
	struct vnet_mach_uplink_config config = {
		.size = sizeof(config),
		.name = "eth0",
	};
	struct client *c = &run->c[NCLIENTS - 1];
	uint32_t how = take8(run);
	mach_port_type_t type;
	mach_port_t right;

	remove_uplink(run);
	if (how & 64)
		return;
	fake_enter(c->task);
	/* It may have been let go, or sent away. */
	if (fake_kernel.port_type(run->nic, &type) ||
	    !(type & MACH_PORT_TYPE_RECEIVE))
		run->nic = client_receiver(c, 1 + how % 16);
	right = fake_give(c->task, run->nic, run->r.server);
	config.flags = how & 7;
	if (how & 128)
		config.device = right;
	else
		config.master = right;
	fake_enter(run->r.server);
	if (vnet_port_add(run->r.sw, &port, &run->uplink, NULL)) {
		fake_kernel.port_deallocate(right);
		run->uplink = VNET_NO_ID;
		return;
	}
	config.port = run->uplink;
	if (!vnet_mach_uplink_add(run->r.m, &config, NULL))
		return;
	fake_kernel.port_deallocate(right);
	vnet_port_remove(run->r.sw, run->uplink);
	run->uplink = VNET_NO_ID;
}

/* What the driver is asked next, it answers, or lets fall. */
static void
drive(struct run *run)
{
	static const uint32_t words[][NET_STATUS_COUNT] = {
		{14, 1514, 1, 14, 6, 0x41, 0},
		{0x02000000, 0x00990000},
		{0x1343},
	};
	struct client *c = &run->c[NCLIENTS - 1];
	struct vnet_wire_header h = {0};
	struct vnet_wire_writer w;
	struct vnet_wire_reader r;
	uint32_t how = take8(run), flavor, n, len = 0, word;
	mach_port_t right;

	fake_enter(c->task);
	if (!run->nic ||
	    fake_kernel.msg(&c->msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			    sizeof(c->msg), run->nic, 0, 0))
		return;
	vnet_wire_open(&r, &c->msg, c->msg.head.msgh_size, VNET_WIRE_HERE, &h);
	if (h.id == 2802) {
		vnet_wire_get_int32(&r);
		vnet_wire_get_int32(&r);
		vnet_wire_get_memory(&r, &len);
	}
	flavor = h.id == 2811 ? vnet_wire_get_int32(&r) - NET_STATUS : 0;
	n = (uint32_t[]){NET_STATUS_COUNT, 2, 0, 1}[flavor % 4];
	if (how & 64) {
		vnet_mach_msg_destroy(&fake_kernel, &c->msg.head);
		return;
	}
	c->msg.head.msgh_remote_port = MACH_PORT_NULL;
	if (h.id == 2802) /* the right of a filter stays */
		vnet_mach_msg_destroy(&fake_kernel, &c->msg.head);
	h.bits = MACH_MSGH_BITS_REMOTE(h.bits);
	h.local = MACH_PORT_NULL;
	h.id += 100;
	vnet_wire_begin(&w, &c->msg, sizeof(c->msg), VNET_WIRE_HERE, &h);
	vnet_wire_put_return(&w, how & 32 ? (int)take16(run) : 0);
	right = how & 16 ? pick(run, c) : run->nic;
	if (h.id == 2900)
		vnet_wire_put_right(&w, right,
				    how & 16 ? 16 + take8(run) % 6
					     : MACH_MSG_TYPE_MAKE_SEND);
	else if (h.id == 2902)
		vnet_wire_put_int32(&w, &len, 1);
	else if (h.id == 2911)
		for (uint32_t i = 0; i < 1 + (how & 1); i++)
			vnet_wire_put_int32(&w, words[flavor % 3], n);
	if (how & 8) {
		word = take32(run);
		vnet_wire_put_int32(&w, &word, 1);
	}
	c->spoil = how & 4 ? spoil : NULL;
	client_send(c, &w);
}

static void
send_frame(struct run *run)
{
	struct client *c = &run->c[NCLIENTS - 1];
	uint8_t frame[100], dst = (uint8_t)take8(run);
	struct vnet_frame f = {.data = frame};
	uint8_t *msg = (uint8_t *)&c->msg;
	size_t n, at;

	rig_frame(frame, dst, (uint8_t)take8(run));
	f.len = 14 + take8(run) % 47;
	n = vnet_wire_net_rcv(msg, VNET_WIRE_HERE, &f);
	for (uint32_t i = take8(run) % 4; i; i--) {
		at = take8(run) % n;
		msg[at] = (uint8_t)take8(run);
	}
	vnet_wire_set_remote(msg, VNET_WIRE_HERE, pick(run, c),
			     VNET_WIRE_COPY_SEND);
	fake_enter(c->task);
	if ((fake_kernel.msg(&c->msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
			     (mach_msg_size_t)n, 0, 0, 0, 0) &
	     ~MACH_MSG_MASK) == MACH_SEND_TIMED_OUT)
		vnet_mach_msg_destroy(&fake_kernel, &c->msg.head);
}

static void
restart(struct run *run, struct client *c)
{
	if (c == &run->c[NCLIENTS - 1])
		run->nic = MACH_PORT_NULL;
	client_kill(c);
	client_begin(c, &run->r);
	c->ctx = run;
}

/* Ask the control device, which is then the device that was opened last; with a
 * right or without. */
static void
control(struct run *run, struct client *c)
{
	static const char *const requests[] = {
		"{\"do\":\"stats\"}\n",
		"{\"do\":\"port show\"}\n{\"do\":",
		"\"client del\",\"client\":\"vif0/0\"}\n",
		"{\"do\":\"client del\",\"client\":\"vif1/1\"}\n",
		"{\"do\":\"port set\",\"port\":\"vif0\",\"set\":{\"mtu\":99,"
		"\"promisc\":false}}\n",
		"{\"do\":\"port del\",\"port\":\"vif1\"}\n",
		"{\"do\":\"port del\",\"port\":\"ext\"}\n",
		"{\"do\":\"port add\",\"port\":{\"type\":\"uplink\","
		"\"name\":\"ext\",\"interface\":\"e0\"}}",
		"{\"do\":\"uplink give\",\"port\":\"ext\","
		"\"right\":\"device\"}",
	};
	uint32_t which = take8(run);
	const char *text = requests[which % 9];
	uint32_t len = (uint32_t)strlen(text);
	struct vnet_wire_writer w;

	switch (which >> 6) {
	case 0:
		client_open(c, "control");
		break;
	case 1:
		client_write_inband(c, c->device, text, len);
		break;
	case 2:
		client_send_write(c, c->device, text, len);
		break;
	default:
		w = client_request(c, c->device, VNET_MACH_CONTROL_ID);
		vnet_wire_put_right(&w, pick(run, c), 16 + take8(run) % 6);
		vnet_wire_put_octets(&w, VNET_WIRE_CHAR, text, len, false);
		client_send(c, &w);
		break;
	}
}

static void
operate(struct run *run)
{
	static const char *const names[] = {"vif0", "vif1", "new0", "new1",
					    "new2", "none", ""};
	uint32_t op = take8(run), which = op >> 5;
	struct client *c = &run->c[which % NCLIENTS];
	mach_port_t right;
	uint32_t priority;

	c->spoil = which >= 6 ? spoil : NULL;
	switch (op & 31) {
	case 0:
	case 1:
		client_open(c, names[take8(run) % 7]);
		break;
	case 2:
		client_open_new(c, names[take8(run) % 7]);
		break;
	case 3:
	case 4:
	case 5:
		send_any(run, c);
		break;
	case 6:
		control(run, c);
		break;
	case 7:
	case 8:
		client_receiver(c, take8(run) % 17);
		break;
	case 9:
	case 10:
		right = pick(run, c);
		priority = take8(run);
		client_filter(c, c->device, right, MACH_MSG_TYPE_MAKE_SEND,
			      (int)priority, 1 + take8(run) % 3);
		break;
	case 11:
		set_filter(run, c);
		break;
	case 12:
	case 13:
	case 14:
		write_frame(run, c, false);
		break;
	case 15:
		write_frame(run, c, true);
		break;
	case 16:
	case 17:
		right = pick_device(run, c);
		client_read(c, right, op & 1, take8(run) % 2 ? D_NOWAIT : 0);
		break;
	case 18:
		status(run, c);
		break;
	case 19:
		client_close(c, pick_device(run, c));
		break;
	case 20:
		let_go(run, c);
		break;
	case 21:
		take_messages(run, c);
		break;
	case 22:
		restart(run, c);
		break;
	case 23:
		change_vif(run);
		break;
	case 24:
		fail_next(run);
		break;
	case 25:
		fake.torn = 1 + take8(run) % 2;
		break;
	case 26:
		run->r.now += take32(run);
		break;
	case 27:
		if (!run->is_nested)
			run->r.is_working = !run->r.is_working;
		break;
	case 28:
		if (!run->is_nested)
			add_uplink(run);
		break;
	case 29:
		drive(run);
		break;
	case 30:
		send_frame(run);
		break;
	default:
		rig_serve(&run->r);
		break;
	}
}

/* Another thread's turn, while memory is touched. */
static void
on_copy(void *ctx)
{
	struct run *run = ctx;
	struct fake_task *before;
	bool was_working = run->r.is_working;

	if (run->is_nested || run->p == run->end)
		return;
	before = fake_enter(NULL);
	run->is_nested = true;
	run->r.is_working = false;
	for (uint32_t n = take8(run) % 4; n; n--)
		operate(run);
	run->r.is_working = was_working;
	run->is_nested = false;
	fake_enter(before);
}

/* It stays, whoever has made it. */
static void
remove_ext(struct rig *r)
{
	fake_enter(r->server);
	vnet_mach_lock(r->m);
	vnet_port_remove(r->sw, vnet_port_find(r->sw, "ext"));
	vnet_mach_unlock(r->m);
}

static void
end(struct run *run, const struct fake_holdings *before)
{
	struct vnet_mach_stats stats = {.size = sizeof(stats)};
	struct fake_holdings after;

	fake.fail_at = fake.torn = 0;
	fake.on_copy = NULL;
	run->r.is_working = true;
	for (int i = 0; i < NCLIENTS; i++)
		client_kill(&run->c[i]);
	rig_serve(&run->r);
	remove_uplink(run);
	remove_ext(&run->r);
	rig_serve(&run->r);
	after = fake_holdings(run->r.server);
	if (!run->has_failures) {
		vnet_mach_get_stats(run->r.m, &stats);
		assert_int_equal(stats.facets, 0);
		assert_memory_equal(&after, before, sizeof(after));
	}
	rig_end(&run->r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;
	struct fake_holdings before;

	memset(&run, 0, sizeof(run));
	run.p = data;
	run.end = data + size;
	run.uplink = VNET_NO_ID;
	assert_int_equal(rig_begin(&run.r, NULL), 0);
	before = fake_holdings(run.r.server);
	for (int i = 0; i < NCLIENTS; i++) {
		client_begin(&run.c[i], &run.r);
		run.c[i].ctx = &run;
	}
	fake.on_copy = on_copy;
	fake.ctx = &run;
	for (int n = 0; run.p < run.end && n < MAX_OPS; n++)
		operate(&run);
	end(&run, &before);
	return 0;
}
