/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames to the device: each a device_write of its own, which does not wait. Its
 * data is memory out of line, for a real frame is longer than what device_write
 * takes inline.
 *
 * A right to reply to is made for each write, and comes back exactly once: as the
 * driver's answer, or as the kernel's notification that it was destroyed. So
 * answers are counted, whatever they say.
 */
#include <errno.h>
#include <string.h>

#include <vnet/switch.h>

#include "device_ids.h"
#include "uplink.h"

/* Answers after which one more write may be out, for each that may. */
#define ANSWERS_TO_GROW 4

/* Copy a frame to where it is sent from. Return: its length, 0 if it is one that
 * cannot be rewritten. */
static uint32_t
copy_frame(struct vnet_mach_uplink *u, const struct vnet_frame *f, uint8_t *to)
{
	memcpy(to, f->data, f->len);
	if (u->info.is_shared && vnet_shared_out(u->shared, to, f->len,
						 u->m->now) != VNET_SHARED_PASS)
		return 0;
	if (f->len >= u->min_len)
		return f->len;
	memset(to + f->len, 0, u->min_len - f->len);
	return u->min_len;
}

static mach_msg_return_t
write_octets(struct vnet_mach_uplink *u, vm_address_t at, uint32_t len)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
				       MACH_MSG_TYPE_MAKE_SEND_ONCE),
		.remote = u->device,
		.local = u->writes.right.named.name,
		.id = DEVICE_WRITE_ID,
	};
	const uint32_t mode = D_NOWAIT;
	uint64_t msg[UPLINK_REQUEST_SIZE / 8];
	struct vnet_wire_writer w;

	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_HERE, &h);
	vnet_wire_put_int32(&w, &mode, 1);
	vnet_wire_put_natural(&w, 0); /* record */
	vnet_wire_put_memory(&w, at, len, false);
	vnet_wire_end(&w);
	return vnet_mach_send(u->m->sys, (mach_msg_header_t *)msg);
}

/* One frame. False if it is not taken, for the driver has no room. */
static bool
take(struct vnet_mach_uplink *u, const struct vnet_frame *f, size_t *refused)
{
	vm_address_t at = u->memory + u->next_slot * UPLINK_SLOT_SIZE;
	mach_msg_return_t k;
	uint32_t len;

	if (f->len < VNET_ETH_HEADER_LEN || f->len > u->max_len) {
		u->info.write_length++;
		++*refused;
		return true;
	}
	if (u->info.in_flight >= u->limit)
		return false;
	len = copy_frame(u, f, (uint8_t *)at);
	if (!len) {
		++*refused;
		return true;
	}
	k = write_octets(u, at, len);
	if (k == MACH_MSG_SUCCESS) {
		u->next_slot = (u->next_slot + 1) % UPLINK_SLOTS;
		u->info.in_flight++;
		u->info.written++;
		return true;
	}
	if (k == MACH_SEND_INVALID_DEST) {
		vnet_uplink_lose(u, k);
		++*refused;
		return true;
	}
	if (k == MACH_SEND_TIMED_OUT) {
		/* The right to reply to was made, and destroyed. */
		u->write_voids++;
		u->info.write_full++;
	}
	if (k == MACH_SEND_TIMED_OUT && u->info.in_flight > 0) {
		u->limit = u->info.in_flight;
		u->credit = 0;
		return false;
	}
	++*refused;
	return true;
}

int
vnet_uplink_send(void *ctx, const struct vnet_frame *frames, size_t n,
		 size_t *refused)
{
	struct vnet_mach_uplink *u = ctx;

	for (size_t i = 0; i < n; i++) {
		if (!u->is_up || u->is_lost) {
			if (i == 0)
				return -ENODEV;
			/* Some are out; the next call says that it is broken. */
			*refused += n - i;
			break;
		}
		if (!take(u, &frames[i], refused)) {
			u->is_full = true;
			return (int)i;
		}
	}
	return (int)n;
}

/* There is room: what the switch holds back may come. */
static void
refill(struct vnet_mach_uplink *u)
{
	while (u->is_full && u->is_up && !u->is_lost &&
	       u->info.in_flight < u->limit) {
		int wanted = (int)(u->limit - u->info.in_flight);

		u->is_full = false;
		/* As many as were asked for: there may be more. */
		if (vnet_client_output(u->m->sw, u->info.client, (size_t)wanted,
				       u->m->now) == wanted)
			u->is_full = true;
	}
}

static void
count_answer(struct vnet_mach_uplink *u)
{
	u->info.in_flight--;
	u->has_progress = true;
	if (++u->credit >= u->limit * ANSWERS_TO_GROW) {
		u->credit = 0;
		if (u->limit < UPLINK_SLOTS)
			u->limit++;
	}
}

/* RetCode, and how many octets were written. An error comes without these. */
static bool
is_success(const mach_msg_header_t *in)
{
	struct vnet_wire_header h;
	struct vnet_wire_reader r;

	vnet_wire_open(&r, in, in->msgh_size, VNET_WIRE_HERE, &h);
	return h.id == DEVICE_WRITE_ID + VNET_WIRE_REPLY &&
	       vnet_wire_get_int32(&r) == KERN_SUCCESS && !r.is_wrong;
}

static bool
answer(struct vnet_mach_right *r, mach_msg_header_t *in, mach_msg_header_t *out)
{
	struct vnet_mach_uplink *u = vnet_uplink_of(r);
	bool is_destroyed = in->msgh_id == MACH_NOTIFY_SEND_ONCE;

	if (is_destroyed && u->write_voids > 0) {
		u->write_voids--;
	} else if (u->info.in_flight == 0) {
		u->info.strays++;
	} else {
		count_answer(u);
		if (is_destroyed)
			u->info.write_lost++;
		else if (!is_success(in))
			u->info.write_errors++;
	}
	refill(u);
	if ((in->msgh_bits & MACH_MSGH_BITS_COMPLEX) ||
	    in->msgh_remote_port != MACH_PORT_NULL)
		return false;
	return vnet_uplink_no_reply(out);
}

const struct vnet_mach_right_ops vnet_uplink_write_ops = {
	.message = answer,
};

void
vnet_uplink_forget_writes(struct vnet_mach_uplink *u)
{
	u->info.write_lost += u->info.in_flight;
	u->info.in_flight = 0;
	u->write_voids = 0;
	u->limit = UPLINK_SLOTS;
	u->credit = 0;
	u->is_full = false;
	u->has_progress = false;
}
