/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "fake_nic.h"
#include "wire.h"

#define AT(id) ((id)-2800)

static void
note(struct nic *n, uint32_t what)
{
	if (n->nlog < sizeof(n->log) / sizeof(n->log[0]))
		n->log[n->nlog++] = what;
}

static void
begin(struct vnet_wire_writer *w, uint8_t *msg, uint32_t id)
{
	const struct vnet_wire_header h = {.id = id};

	vnet_wire_begin(w, msg, FAKE_MSG_SIZE, VNET_WIRE_HERE, &h);
}

/* Send what was laid out to the right to reply to of a request, which it uses
 * up. */
static void
reply(struct fake_msg *m, struct vnet_wire_writer *w,
      const struct fake_port *right)
{
	vnet_wire_end(w);
	if (m->reply)
		fake_send(m->reply, m->reply_is_once, w->msg, right, NULL);
	m->reply = NULL;
}

static void
reply_words(struct fake_msg *m, const uint32_t *words, uint32_t n)
{
	uint8_t msg[FAKE_MSG_SIZE];
	struct vnet_wire_writer w;

	begin(&w, msg, m->id + 100);
	vnet_wire_put_return(&w, KERN_SUCCESS);
	if (n)
		vnet_wire_put_int32(&w, words, n);
	reply(m, &w, NULL);
}

static void
reply_error(struct fake_msg *m, int error)
{
	uint8_t msg[FAKE_MSG_SIZE];
	struct vnet_wire_writer w;

	begin(&w, msg, m->id + 100);
	vnet_wire_put_return(&w, error);
	reply(m, &w, NULL);
}

static void
open_device(struct nic *n, struct fake_msg *m, struct vnet_wire_reader *r)
{
	uint8_t msg[FAKE_MSG_SIZE];
	struct vnet_wire_writer w;
	const uint8_t *name;
	uint32_t len;

	n->mode = vnet_wire_get_int32(r);
	name = vnet_wire_get_octets(r, VNET_WIRE_STRING, &len);
	if (!vnet_wire_close(r) || len != sizeof(n->name)) {
		reply_error(m, MIG_BAD_ARGUMENTS);
		return;
	}
	memcpy(n->name, name, len);
	begin(&w, msg, m->id + 100);
	vnet_wire_put_return(&w, KERN_SUCCESS);
	vnet_wire_put_right(&w, 0, VNET_WIRE_MOVE_SEND);
	reply(m, &w, n->opens_itself ? n->opens_itself : n->device);
}

static void
get_status(struct nic *n, struct fake_msg *m, struct vnet_wire_reader *r)
{
	uint32_t flavour = vnet_wire_get_int32(r);
	uint32_t count = vnet_wire_get_int32(r), words[NET_STATUS_COUNT];

	note(n, flavour);
	if (!vnet_wire_close(r)) {
		reply_error(m, MIG_BAD_ARGUMENTS);
	} else if (flavour == NET_STATUS && count >= NET_STATUS_COUNT) {
		memcpy(words, n->status, sizeof(words));
		reply_words(m, words, NET_STATUS_COUNT);
	} else if (flavour == NET_ADDRESS && count >= 2 && !n->has_no_address) {
		words[0] = (uint32_t)n->mac[0] << 24 | n->mac[1] << 16 |
			   n->mac[2] << 8 | n->mac[3];
		words[1] = (uint32_t)n->mac[4] << 24 | n->mac[5] << 16;
		reply_words(m, words, 2);
	} else if (flavour == NET_FLAGS && count == 1 && !n->has_no_flags) {
		reply_words(m, &n->flags, 1);
	} else {
		reply_error(m, D_INVALID_OPERATION);
	}
}

static void
set_status(struct nic *n, struct fake_msg *m, struct vnet_wire_reader *r)
{
	uint32_t flavour = vnet_wire_get_int32(r);
	uint32_t flags = vnet_wire_get_int32(r);

	note(n, flavour);
	if (!vnet_wire_close(r) || flavour != NET_FLAGS) {
		reply_error(m, D_INVALID_OPERATION);
		return;
	}
	n->flags = (n->flags & n->fixed_flags) | (flags & ~n->fixed_flags);
	reply_words(m, NULL, 0);
}

/* As of <device/device.defs>: the right, a priority, words of 16 bits. */
static void
set_filter(struct nic *n, struct fake_msg *m, struct vnet_wire_reader *r)
{
	uint32_t disposition, octets, priority;
	const uint8_t *words;

	vnet_wire_get_right(r, &disposition);
	priority = vnet_wire_get_int32(r);
	words = vnet_wire_get_octets(r, VNET_WIRE_INT16, &octets);
	if (!vnet_wire_close(r) || !m->right || priority != 0 ||
	    octets > sizeof(n->filter) || octets % 8) {
		reply_error(m, D_INVALID_OPERATION);
		return;
	}
	memcpy(n->filter, words, octets);
	n->filter_words = octets / 2;
	n->listener = m->right;
	n->listener_qlimit = fake_qlimit(m->right);
	reply_words(m, NULL, 0);
}

static void
reply_written(struct fake_msg *m, int error)
{
	const uint32_t octets = (uint32_t)m->memory_len;

	if (error)
		reply_error(m, error);
	else
		reply_words(m, &octets, 1);
	fake_msg_done(m);
}

static void
take_write(struct nic *n, struct fake_msg *m, struct vnet_wire_reader *r)
{
	uint32_t len;

	n->write_mode = vnet_wire_get_int32(r);
	/* The record, which is as wide as a word. */
	vnet_wire_get_octets(
		r, sizeof(void *) == 8 ? VNET_WIRE_INT64 : VNET_WIRE_INT32,
		&len);
	vnet_wire_get_memory(r, &len);
	if (!vnet_wire_close(r) || len != m->memory_len ||
	    len > sizeof(n->frame)) {
		reply_written(m, MIG_BAD_ARGUMENTS);
		return;
	}
	memcpy(n->frame, m->memory, len);
	n->frame_len = len;
	n->nframes++;
	if (n->keeps_writes && n->nwrites < NIC_WRITES)
		n->writes[n->nwrites++] = m;
	else
		reply_written(m, n->refused[AT(NIC_WRITE)]);
}

/* True if that is all that is done. */
static bool
misbehave(struct nic *n, struct fake_msg *m)
{
	static const uint32_t rubbish[3] = {1, 2, 3};
	uint8_t msg[FAKE_MSG_SIZE];
	struct vnet_wire_writer w;

	switch (n->manner[AT(m->id)]) {
	case NIC_SILENT:
		if (n->kept)
			fake_msg_done(n->kept);
		n->kept = m;
		return true;
	case NIC_DROPS:
		fake_msg_done(m);
		return true;
	case NIC_WRONG_ID:
		begin(&w, msg, m->id + 101);
		vnet_wire_put_return(&w, KERN_SUCCESS);
		break;
	case NIC_GARBAGE:
		begin(&w, msg, m->id + 100);
		vnet_wire_put_octets(&w, VNET_WIRE_BYTE, rubbish,
				     sizeof(rubbish), false);
		break;
	case NIC_ASKS:
		begin(&w, msg, m->id + 100);
		vnet_wire_put_return(&w, KERN_SUCCESS);
		vnet_wire_put_right(&w, 0, VNET_WIRE_MOVE_SEND);
		vnet_wire_end(&w);
		fake_send(m->reply, true, msg, n->device, n->master);
		m->reply = NULL;
		fake_msg_done(m);
		return true;
	default:
		return false;
	}
	reply(m, &w, NULL);
	fake_msg_done(m);
	return true;
}

static void
handle(struct nic *n, struct fake_msg *m)
{
	struct vnet_wire_header h;
	struct vnet_wire_reader r;
	bool is_ours = m->id >= NIC_OPEN && m->id <= NIC_SET_FILTER;

	note(n, m->id);
	if (is_ours && misbehave(n, m))
		return;
	vnet_wire_open(&r, m->octets, m->size, VNET_WIRE_HERE, &h);
	if (is_ours && m->id != NIC_WRITE && n->refused[AT(m->id)]) {
		/* With the flavour in the log all the same. */
		if (m->id == NIC_GET_STATUS || m->id == NIC_SET_STATUS)
			note(n, vnet_wire_get_int32(&r));
		reply_error(m, n->refused[AT(m->id)]);
		fake_msg_done(m);
		return;
	}
	switch (m->id) {
	case NIC_OPEN:
		open_device(n, m, &r);
		break;
	case NIC_GET_STATUS:
		get_status(n, m, &r);
		break;
	case NIC_SET_STATUS:
		set_status(n, m, &r);
		break;
	case NIC_SET_FILTER:
		set_filter(n, m, &r);
		break;
	case NIC_WRITE:
		take_write(n, m, &r);
		return;
	default:
		reply_error(m, MIG_BAD_ID);
	}
	fake_msg_done(m);
}

unsigned int
nic_run(struct nic *n)
{
	unsigned int count = 0;
	struct fake_msg *m;

	while ((m = fake_receive(n->master)) || (m = fake_receive(n->device))) {
		handle(n, m);
		count++;
	}
	return count;
}

void
nic_init(struct nic *n)
{
	static const int status[NET_STATUS_COUNT] = {
		14, 1514, HDR_ETHERNET, 14, 6, 0x41, 0,
	};
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

	memset(n, 0, sizeof(*n));
	memcpy(n->status, status, sizeof(status));
	memcpy(n->mac, mac, sizeof(mac));
	n->flags = 0x41;
	n->master = fake_port_new(5);
	n->device = fake_port_new(5);
}

void
nic_die(struct nic *n)
{
	/* With what it holds. */
	if (n->kept)
		fake_msg_done(n->kept);
	n->kept = NULL;
	while (n->nwrites)
		nic_drop_write(n);
	n->listener = NULL;
	fake_port_kill(n->device);
}

void
nic_revive(struct nic *n)
{
	n->device = fake_port_new(5);
	n->flags = 0x41;
}

static struct fake_msg *
oldest_write(struct nic *n)
{
	struct fake_msg *m = n->writes[0];

	n->nwrites--;
	memmove(n->writes, n->writes + 1, n->nwrites * sizeof(n->writes[0]));
	return m;
}

void
nic_answer_writes(struct nic *n, uint32_t count, int error)
{
	while (count-- && n->nwrites)
		reply_written(oldest_write(n), error);
}

void
nic_drop_write(struct nic *n)
{
	fake_msg_done(oldest_write(n));
}

void
nic_answer_kept(struct nic *n)
{
	struct fake_msg *m = n->kept;

	n->kept = NULL;
	n->manner[AT(m->id)] = NIC_ANSWERS;
	handle(n, m);
}

bool
nic_frame(struct nic *n, const uint8_t *frame, uint32_t len)
{
	const struct vnet_frame f = {.data = frame, .len = len};
	union {
		mach_msg_header_t h;
		uint8_t octets[VNET_WIRE_NET_RCV_MAX + 4];
	} msg;
	size_t n_octets;

	if (!n->listener || fake_is_dead(n->listener))
		return false;
	memset(&msg, 0xa5, sizeof(msg));
	n_octets = vnet_wire_net_rcv(msg.octets, VNET_WIRE_HERE, &f);
	/* The kernel's count: with up to a word of what was there before. */
	memset(msg.octets + n_octets, 0xa5, sizeof(msg) - n_octets);
	msg.h.msgh_size = (mach_msg_size_t)n_octets + (len % 4 == 2 ? 4 : 0);
	fake_send(n->listener, false, &msg, NULL, NULL);
	return true;
}
