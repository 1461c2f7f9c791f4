/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device is asked, one request after the other:
 *
 *	open -> status -> address -> filter -> read flags -> set flags -> read
 *
 * and when all is set up, from time to time, again from "read flags" or from
 * "filter" on. Each is a message of its own with a right to reply to, made anew.
 *
 * The flags of a NIC are one word for all who have opened it, written whole: what
 * is set is what was read and what we need. Whether it took is read back, for a
 * driver may say that it did and mean nothing.
 */
#include <string.h>

#include "device_ids.h"
#include "net_flags.h"
#include "uplink.h"

#define ANSWER_TIME (2 * VNET_NSEC_PER_SEC)

/* What is needed of a device to work, and what is watched of it. */
#define FLAGS_ALWAYS                                           \
	(NET_FLAG_UP | NET_FLAG_BROADCAST | NET_FLAG_RUNNING | \
	 NET_FLAG_ALLMULTI | NET_FLAG_MULTICAST)
#define FLAGS_WATCHED                                         \
	(NET_FLAG_UP | NET_FLAG_PROMISC | NET_FLAG_ALLMULTI | \
	 NET_FLAG_MULTICAST)

struct step {
	void (*put)(const struct vnet_mach_uplink *u,
		    struct vnet_wire_writer *w);
	/* Read what follows a RetCode of KERN_SUCCESS. */
	kern_return_t (*read)(struct vnet_mach_uplink *u,
			      struct vnet_wire_reader *r);
	uint32_t id;
	/* A device that answers with an error is used all the same. */
	bool may_fail;
};

static void
put_int(struct vnet_wire_writer *w, uint32_t v)
{
	vnet_wire_put_int32(w, &v, 1);
}

/*
 * The requests
 */

static void
put_open(const struct vnet_mach_uplink *u, struct vnet_wire_writer *w)
{
	put_int(w, D_READ | D_WRITE);
	vnet_wire_put_octets(w, VNET_WIRE_STRING, u->info.name,
			     VNET_MACH_NAME_SIZE, true);
}

static void
put_get_status(const struct vnet_mach_uplink *u, struct vnet_wire_writer *w)
{
	(void)u;
	put_int(w, NET_STATUS);
	put_int(w, NET_STATUS_COUNT);
}

static void
put_get_address(const struct vnet_mach_uplink *u, struct vnet_wire_writer *w)
{
	(void)u;
	put_int(w, NET_ADDRESS);
	put_int(w, 2);
}

/* The header takes the place of an instruction; then RET, of more than any frame
 * is long: some drivers cut what they deliver to that. It is what libpcap asks
 * for. */
static void
put_set_filter(const struct vnet_mach_uplink *u, struct vnet_wire_writer *w)
{
	static const filter_t accept[] = {
		NETF_IN | NETF_BPF, 0, 0, 0,
		BPF_RET | BPF_K,    0, 0, 262144 >> 16,
	};

	vnet_wire_put_right(w, u->packets.right.named.name,
			    VNET_WIRE_MAKE_SEND);
	put_int(w, 0);
	vnet_wire_put_octets(w, MACH_MSG_TYPE_INTEGER_16, accept,
			     sizeof(accept) / sizeof(accept[0]), false);
}

static void
put_get_flags(const struct vnet_mach_uplink *u, struct vnet_wire_writer *w)
{
	(void)u;
	put_int(w, NET_FLAGS);
	put_int(w, 1);
}

static bool
wants_promisc(const struct vnet_mach_uplink *u)
{
	return !(u->options &
		 (VNET_MACH_UPLINK_NO_PROMISC | VNET_MACH_UPLINK_SHARED));
}

static uint32_t
wanted_flags(const struct vnet_mach_uplink *u)
{
	return FLAGS_ALWAYS | (wants_promisc(u) ? NET_FLAG_PROMISC : 0);
}

static void
put_set_flags(const struct vnet_mach_uplink *u, struct vnet_wire_writer *w)
{
	put_int(w, NET_FLAGS);
	put_int(w, u->info.flags | wanted_flags(u));
}

/*
 * The answers
 */

/* Words of a status, in the order of the machine. */
static bool
read_words(struct vnet_wire_reader *r, uint32_t *words, uint32_t n)
{
	uint32_t found;
	const uint8_t *p = vnet_wire_get_octets(r, VNET_WIRE_INT32, &found);

	if (!p || found < n || !vnet_wire_close(r))
		return false;
	memcpy(words, p, n * sizeof(*words));
	return true;
}

static kern_return_t
read_open(struct vnet_mach_uplink *u, struct vnet_wire_reader *r)
{
	uint32_t disposition;
	mach_port_t right = vnet_wire_get_right(r, &disposition);

	if (!vnet_wire_close(r) || disposition != MACH_MSG_TYPE_PORT_SEND ||
	    right == MACH_PORT_NULL || right == MACH_PORT_DEAD)
		return MIG_TYPE_ERROR;
	/* Frames would go in a circle. */
	if (vnet_mach_right_find(u->m, right))
		return KERN_INVALID_CAPABILITY;
	u->device = right;
	u->device_is_dead = false;
	vnet_mach_watch_death(u->m, right);
	return KERN_SUCCESS;
}

static kern_return_t
read_status(struct vnet_mach_uplink *u, struct vnet_wire_reader *r)
{
	uint32_t words[NET_STATUS_COUNT];
	struct net_status s;

	if (!read_words(r, words, NET_STATUS_COUNT))
		return MIG_TYPE_ERROR;
	memcpy(&s, words, sizeof(s));
	if (s.header_format != HDR_ETHERNET ||
	    s.header_size != VNET_ETH_HEADER_LEN || s.address_size != 6 ||
	    s.max_packet_size < VNET_ETH_HEADER_LEN + VNET_MTU_MIN)
		return D_INVALID_OPERATION;
	u->max_len = (uint32_t)s.max_packet_size;
	if (u->max_len > UPLINK_FRAME_MAX)
		u->max_len = UPLINK_FRAME_MAX;
	u->min_len = VNET_ETH_HEADER_LEN;
	if (s.min_packet_size > VNET_ETH_HEADER_LEN &&
	    s.min_packet_size <= VNET_ETH_HEADER_LEN + VNET_MTU_MIN)
		u->min_len = (uint32_t)s.min_packet_size;
	u->info.mtu = u->max_len - VNET_ETH_HEADER_LEN;
	u->info.flags = (uint32_t)s.flags;
	return KERN_SUCCESS;
}

/* Two words that were made as if for the wire. */
static kern_return_t
read_address(struct vnet_mach_uplink *u, struct vnet_wire_reader *r)
{
	uint32_t words[2];

	if (!read_words(r, words, 2))
		return MIG_TYPE_ERROR;
	for (uint32_t i = 0; i < 6; i++)
		u->info.mac.octet[i] =
			(uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
	return KERN_SUCCESS;
}

static kern_return_t
read_flags(struct vnet_mach_uplink *u, struct vnet_wire_reader *r)
{
	return read_words(r, &u->info.flags, 1) ? KERN_SUCCESS : MIG_TYPE_ERROR;
}

static kern_return_t
read_nothing(struct vnet_mach_uplink *u, struct vnet_wire_reader *r)
{
	(void)u;
	return vnet_wire_close(r) ? KERN_SUCCESS : MIG_TYPE_ERROR;
}

static const struct step steps[UPLINK_NSTEPS] = {
	[UPLINK_OPEN] = {put_open, read_open, DEVICE_OPEN_ID, false},
	[UPLINK_STATUS] = {put_get_status, read_status, DEVICE_GET_STATUS_ID,
			   false},
	[UPLINK_ADDRESS] = {put_get_address, read_address, DEVICE_GET_STATUS_ID,
			    true},
	[UPLINK_FILTER] = {put_set_filter, read_nothing, DEVICE_SET_FILTER_ID,
			   false},
	[UPLINK_FLAGS_READ] = {put_get_flags, read_flags, DEVICE_GET_STATUS_ID,
			       true},
	[UPLINK_FLAGS_SET] = {put_set_flags, read_nothing, DEVICE_SET_STATUS_ID,
			      true},
	[UPLINK_FLAGS_BACK] = {put_get_flags, read_flags, DEVICE_GET_STATUS_ID,
			       true},
};

/*
 * From one to the next
 */

void
vnet_uplink_ask(struct vnet_mach_uplink *u)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
				       MACH_MSG_TYPE_MAKE_SEND_ONCE),
		.remote = u->step == UPLINK_OPEN ? u->master : u->device,
		.local = u->answers.right.named.name,
		.id = steps[u->step].id,
	};
	uint64_t msg[UPLINK_REQUEST_SIZE / 8];
	struct vnet_wire_writer w;
	mach_msg_return_t k;

	if (u->is_asked)
		return;
	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_HERE, &h);
	steps[u->step].put(u, &w);
	vnet_wire_end(&w);
	k = vnet_mach_send(u->m->sys, (mach_msg_header_t *)msg);
	if (k == MACH_MSG_SUCCESS)
		u->is_asked = true;
	else if (k == MACH_SEND_INVALID_DEST)
		vnet_uplink_lose(u, k);
	else if (k == MACH_SEND_TIMED_OUT)
		/* The right to reply to was made, and destroyed. */
		u->voids++;
}

void
vnet_uplink_close_device(struct vnet_mach_uplink *u)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
		.remote = u->device,
		.id = DEVICE_CLOSE_ID,
	};
	uint64_t msg[UPLINK_REQUEST_SIZE / 8];
	struct vnet_wire_writer w;

	vnet_wire_begin(&w, msg, sizeof(msg), VNET_WIRE_HERE, &h);
	vnet_wire_end(&w);
	vnet_mach_send(u->m->sys, (mach_msg_header_t *)msg);
}

void
vnet_uplink_step(struct vnet_mach_uplink *u, enum uplink_step step,
		 vnet_nsec now)
{
	u->step = step;
	u->is_asked = false;
	u->deadline = now + ANSWER_TIME;
	vnet_uplink_ask(u);
}

/* What the flags were found to be, after they were set or because they need not
 * be. */
static void
judge_flags(struct vnet_mach_uplink *u)
{
	u->taken |= u->info.flags & wanted_flags(u) & FLAGS_WATCHED;
	u->info.promisc_refused =
		wants_promisc(u) && !(u->info.flags & NET_FLAG_PROMISC);
}

static enum uplink_step
after_flags_read(struct vnet_mach_uplink *u)
{
	if (!u->is_up)
		return UPLINK_FLAGS_SET;
	judge_flags(u);
	if (!(u->taken & ~u->info.flags))
		return UPLINK_NOTHING;
	u->info.flags_reset++;
	return UPLINK_FLAGS_SET;
}

/* What comes next. Where the flags cannot be read, what was set has to be
 * believed, unless that was refused. */
static enum uplink_step
next_step(struct vnet_mach_uplink *u, kern_return_t k)
{
	switch (u->step) {
	case UPLINK_ADDRESS:
		if (k)
			u->info.mac = (struct vnet_mac){{0}};
		return UPLINK_FILTER;
	case UPLINK_FLAGS_READ:
		return k && u->is_up ? UPLINK_NOTHING : after_flags_read(u);
	case UPLINK_FLAGS_SET:
		if (!k)
			return UPLINK_FLAGS_BACK;
		judge_flags(u);
		return UPLINK_NOTHING;
	case UPLINK_FLAGS_BACK:
		if (k)
			u->info.flags |= wanted_flags(u);
		judge_flags(u);
		return UPLINK_NOTHING;
	default:
		return (enum uplink_step)(u->step + 1);
	}
}

/* The present step was answered so. */
static void
proceed(struct vnet_mach_uplink *u, kern_return_t k, vnet_nsec now)
{
	enum uplink_step next;

	if (k && (k == MIG_TYPE_ERROR || k == MIG_SERVER_DIED ||
		  !steps[u->step].may_fail)) {
		vnet_uplink_lose(u, k);
		return;
	}
	next = next_step(u, k);
	u->step = UPLINK_NOTHING;
	if (next != UPLINK_NOTHING)
		vnet_uplink_step(u, next, now);
	else if (!u->is_up)
		vnet_uplink_ready(u, now);
}

static kern_return_t
read_answer(struct vnet_mach_uplink *u, const mach_msg_header_t *in)
{
	const struct step *s = &steps[u->step];
	struct vnet_wire_header h;
	struct vnet_wire_reader r;
	kern_return_t k;

	if (in->msgh_id == MACH_NOTIFY_SEND_ONCE)
		return MIG_SERVER_DIED;
	/* Nobody asks us here; it is destroyed as a whole. */
	if (in->msgh_remote_port != MACH_PORT_NULL)
		return MIG_TYPE_ERROR;
	vnet_wire_open(&r, in, in->msgh_size, VNET_WIRE_HERE, &h);
	k = (kern_return_t)vnet_wire_get_int32(&r);
	if (r.is_wrong || h.id != s->id + VNET_WIRE_REPLY)
		return MIG_TYPE_ERROR;
	return k ? k : s->read(u, &r);
}

static bool
answer(struct vnet_mach_right *r, mach_msg_header_t *in, mach_msg_header_t *out)
{
	struct vnet_mach_uplink *u = vnet_uplink_of(r);
	vnet_nsec now = u->m->now;
	bool has_rights = in->msgh_bits & MACH_MSGH_BITS_COMPLEX;

	if (in->msgh_id == MACH_NOTIFY_SEND_ONCE && u->voids > 0) {
		u->voids--;
	} else if (!u->is_asked || u->is_lost) {
		u->info.strays++;
	} else {
		kern_return_t k = read_answer(u, in);

		/* The right was taken, and is all that there was. */
		if (u->step == UPLINK_OPEN && k == KERN_SUCCESS)
			has_rights = false;
		u->is_asked = false;
		proceed(u, k, now);
	}
	vnet_uplink_arm(u, now);
	/* What is left in it is destroyed by who has called. */
	if (has_rights || in->msgh_remote_port != MACH_PORT_NULL)
		return false;
	return vnet_uplink_no_reply(out);
}

const struct vnet_mach_right_ops vnet_uplink_answer_ops = {
	.message = answer,
};
