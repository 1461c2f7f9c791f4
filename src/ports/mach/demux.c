/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a message is, and whose: by the receive right that it came to. The loop is
 * the program's.
 */
#include <string.h>

#include <device/net_status.h>

#include "server.h"
#include "wire.h"

/* The reply that is sent where nothing else is said. */
static void
begin_reply(const mach_msg_header_t *in, mach_msg_header_t *out,
	    kern_return_t code)
{
	static const mach_msg_type_t int32 = {
		.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.msgt_size = 32,
		.msgt_number = 1,
		.msgt_inline = TRUE,
	};
	mig_reply_header_t *reply = (mig_reply_header_t *)out;

	memset(reply, 0, sizeof(*reply));
	reply->Head.msgh_bits =
		MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(in->msgh_bits), 0);
	reply->Head.msgh_size = sizeof(*reply);
	reply->Head.msgh_remote_port = in->msgh_remote_port;
	reply->Head.msgh_id = in->msgh_id + VNET_WIRE_REPLY;
	reply->RetCodeType = int32;
	reply->RetCode = code;
}

static kern_return_t
code_of(const mach_msg_header_t *out)
{
	/* The bit says that there is more behind a success. */
	if (out->msgh_bits & MACH_MSGH_BITS_COMPLEX)
		return KERN_SUCCESS;
	return ((const mig_reply_header_t *)out)->RetCode;
}

/* A send right became a dead name. Who holds it gives its references back; the
 * one that the message has made goes here. */
static void
dead_name(struct vnet_mach *m, const mach_msg_header_t *in)
{
	const mach_dead_name_notification_t *n = (const void *)in;

	if (in->msgh_size < sizeof(*n)) {
		m->stats.forged++;
		return;
	}
	vnet_mach_facets_died(m, n->not_port);
	vnet_mach_uplinks_died(m, n->not_port);
	m->sys->port_deallocate(n->not_port);
}

static bool
is_notification(const mach_msg_header_t *in)
{
	return in->msgh_id >= MACH_NOTIFY_FIRST &&
	       in->msgh_id <= MACH_NOTIFY_LAST;
}

/* The kernel notifies by send-once rights that we have made for it, and nobody
 * else has one. */
static kern_return_t
notify(struct vnet_mach *m, struct vnet_mach_right *r, mach_msg_header_t *in,
       mach_msg_header_t *out)
{
	if (MACH_MSGH_BITS_LOCAL(in->msgh_bits) !=
	    MACH_MSG_TYPE_PORT_SEND_ONCE) {
		m->stats.forged++;
		return MIG_BAD_ID;
	}
	if (in->msgh_id == MACH_NOTIFY_NO_SENDERS)
		vnet_mach_right_no_senders(r);
	else if (in->msgh_id == MACH_NOTIFY_DEAD_NAME && r == &m->notify)
		dead_name(m, in);
	else if (in->msgh_id == MACH_NOTIFY_SEND_ONCE)
		r->ops->message(r, in, out); /* an answer that never comes */
	return in->msgh_bits & MACH_MSGH_BITS_COMPLEX ? KERN_FAILURE
						      : MIG_NO_REPLY;
}

/* The kernel's drivers leave a word of rubbish behind a frame, which is no
 * descriptor. Who frames are for reads them with care. */
static bool
is_frame(const mach_msg_header_t *in)
{
	return in->msgh_id == NET_RCV_MSG_ID &&
	       !(in->msgh_bits & MACH_MSGH_BITS_COMPLEX);
}

static void
handle(struct vnet_mach *m, struct vnet_mach_right *r, mach_msg_header_t *in,
       mach_msg_header_t *out)
{
	if (!is_frame(in) &&
	    !vnet_wire_is_whole((const uint8_t *)in, in->msgh_size,
				VNET_WIRE_HERE)) {
		m->stats.malformed++;
		begin_reply(in, out, MIG_BAD_ARGUMENTS);
		return;
	}
	begin_reply(in, out, MIG_BAD_ID);
	if (is_notification(in))
		begin_reply(in, out, notify(m, r, in, out));
	else if (!r->ops->message(r, in, out))
		begin_reply(in, out, MIG_BAD_ID);
}

/* A right that is not send-once may be one to a queue that is full, at which
 * whoever sends by the loop of a library would wait. Returns whether @in is to be
 * destroyed. */
static bool
reply_here(struct vnet_mach *m, mach_msg_header_t *in, mach_msg_header_t *out)
{
	kern_return_t code = code_of(out);

	if (code == MIG_NO_REPLY)
		return false;
	in->msgh_remote_port = MACH_PORT_NULL;
	in->msgh_bits &= ~(mach_msg_bits_t)MACH_MSGH_BITS_REMOTE_MASK;
	if (vnet_mach_send(m->sys, out) != MACH_MSG_SUCCESS)
		m->stats.replies_lost++;
	begin_reply(in, out, MIG_NO_REPLY);
	return code != KERN_SUCCESS;
}

/* Nobody is to hear it: what it holds goes. A facet that was opened so has no
 * sender, and ends. */
static void
drop_reply(struct vnet_mach *m, const mach_msg_header_t *in,
	   mach_msg_header_t *out)
{
	if (code_of(out) != KERN_SUCCESS)
		return;
	vnet_mach_msg_destroy(m->sys, out);
	begin_reply(in, out, MIG_NO_REPLY);
}

static mach_port_t
local_of(const struct vnet_mach *m, const mach_msg_header_t *in)
{
	if (MACH_MSGH_BITS_LOCAL(in->msgh_bits) !=
	    MACH_MSG_TYPE_PROTECTED_PAYLOAD)
		return in->msgh_local_port;
	if (!m->config.payload_to_port)
		return MACH_PORT_NULL;
	return m->config.payload_to_port(m->config.ctx,
					 in->msgh_protected_payload);
}

/* How long one that came before is waited for: it is there already, in the hands
 * of a thread that comes here next; unless the kernel has destroyed it. */
#define PATIENCE 64

/* The right that a message came to. Two threads may have received two messages
 * of one sender: the kernel has numbered them. */
static struct vnet_mach_right *
find(struct vnet_mach *m, const mach_msg_header_t *in)
{
	const mach_port_t name = local_of(m, in);
	struct vnet_mach_right *r;
	mach_port_seqno_t ahead = 0;

	for (int i = 0; i <= PATIENCE; i++) {
		r = vnet_mach_right_find(m, name);
		if (!r)
			return NULL;
		ahead = in->msgh_seqno - r->seqno;
		if (!ahead || ahead > INT32_MAX || i == PATIENCE)
			break;
		vnet_mach_unlock(m);
		m->sys->yield();
		vnet_mach_lock(m);
	}
	if (ahead <= INT32_MAX)
		r->seqno = in->msgh_seqno + 1;
	return r;
}

bool
vnet_mach_demux(struct vnet_mach *m, mach_msg_header_t *in,
		mach_msg_header_t *out)
{
	struct vnet_mach_right *r;
	bool is_left = false;

	vnet_mach_lock(m);
	r = find(m, in);
	if (r) {
		m->stats.messages++;
		vnet_mach_read_clock(m);
		handle(m, r, in, out);
		if (!MACH_PORT_VALID(in->msgh_remote_port))
			drop_reply(m, in, out);
		else if (MACH_MSGH_BITS_REMOTE(in->msgh_bits) ==
			 MACH_MSG_TYPE_PORT_SEND)
			is_left = reply_here(m, in, out);
	}
	vnet_mach_unlock(m);
	/* Which may take long: it may have come with any number of rights. */
	if (is_left)
		vnet_mach_msg_destroy(m->sys, in);
	return r != NULL;
}

/*
 * The loop
 */

/* Send the reply, and destroy what the request leaves. */
static void
answer(struct vnet_mach *m, mach_msg_header_t *in, mach_msg_header_t *out)
{
	kern_return_t code = code_of(out);

	if (code == MIG_NO_REPLY)
		return;
	if (out->msgh_remote_port != MACH_PORT_NULL &&
	    vnet_mach_send(m->sys, out) != MACH_MSG_SUCCESS)
		__atomic_fetch_add(&m->replies_lost, 1, __ATOMIC_RELAXED);
	if (code == KERN_SUCCESS)
		return;
	in->msgh_remote_port = MACH_PORT_NULL;
	in->msgh_bits &= ~(mach_msg_bits_t)MACH_MSGH_BITS_REMOTE_MASK;
	vnet_mach_msg_destroy(m->sys, in);
}

/* Wake a thread that waits for a message. */
void
vnet_mach_poke(struct vnet_mach *m)
{
	mach_msg_header_t msg = {
		.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND_ONCE, 0),
		.msgh_size = sizeof(msg),
		.msgh_remote_port = m->notify.named.name,
		.msgh_id = MACH_NOTIFY_SEND_ONCE,
	};

	vnet_mach_send(m->sys, &msg);
}

/* Milliseconds from @now to @when, rounded up: a thread that wakes early would
 * only wait again. */
static mach_msg_timeout_t
ms_between(vnet_nsec now, vnet_nsec when)
{
	vnet_nsec left;

	if (when <= now)
		return 0;
	left = when - now;
	/* As a number of 32 bits, which is divided without help. */
	if (left >= UINT32_MAX)
		return 1000;
	return (uint32_t)left / 1000000 + 1;
}

/* Do what is due, and say how long nothing will be: no clock is asked, as long as
 * messages come. */
static bool
tick(struct vnet_mach *m, mach_msg_timeout_t *timeout)
{
	vnet_nsec when;

	vnet_mach_do_tick(m, m->now);
	when = vnet_mach_next_due(m);
	*timeout = ms_between(m->now, when);
	return when != VNET_NEVER;
}

/* Threads that wait for messages, of those that need not stay. */
#define ENOUGH 2

/* False if there are others enough to wait. */
static bool
receive(struct vnet_mach *m, mach_msg_header_t *in, bool stays,
	mach_msg_return_t *r)
{
	mach_msg_option_t options = MACH_RCV_MSG;
	mach_msg_timeout_t timeout;
	bool are_enough, waits;

	vnet_mach_lock(m);
	are_enough = __atomic_load_n(&m->waiting, __ATOMIC_RELAXED) >= ENOUGH;
	waits = stays || !are_enough;
	if (waits) {
		if (tick(m, &timeout))
			options |= MACH_RCV_TIMEOUT;
		__atomic_fetch_add(&m->waiting, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&m->leavers, !stays, __ATOMIC_RELAXED);
	}
	vnet_mach_unlock(m);
	if (!waits)
		return false;
	/* If one of those need not wait any more, it does not know. */
	if (are_enough && __atomic_load_n(&m->leavers, __ATOMIC_RELAXED))
		vnet_mach_poke(m);
	*r = m->sys->msg(in, options, 0, VNET_MACH_MSG_SIZE, m->port_set,
			 timeout, MACH_PORT_NULL);
	__atomic_fetch_sub(&m->leavers, !stays, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&m->waiting, 1, __ATOMIC_RELAXED);
	return true;
}

/* What comes with a body that did not fit our address space is a header, and
 * what of the rest did fit. */
static bool
is_torn(mach_msg_return_t r)
{
	return (r & ~(MACH_MSG_IPC_SPACE | MACH_MSG_VM_SPACE |
		      MACH_MSG_IPC_KERNEL | MACH_MSG_VM_KERNEL)) ==
	       MACH_RCV_BODY_ERROR;
}

/* Of what could not be received whole there is the header at least, and nobody
 * waits for it any more. */
static void
pass_over(struct vnet_mach *m, const mach_msg_header_t *in)
{
	vnet_mach_lock(m);
	find(m, in);
	vnet_mach_unlock(m);
}

void
vnet_mach_serve(struct vnet_mach *m, bool stays)
{
	mach_msg_header_t *in, *out;
	mach_msg_return_t r;
	mach_port_t thread;

	vnet_mach_lock(m);
	in = vnet_mach_get_memory(m, VNET_MACH_MSG_SIZE);
	out = vnet_mach_get_memory(m, VNET_MACH_MSG_SIZE);
	vnet_mach_unlock(m);
	thread = vnet_mach_enter(m);
	while (in && out && !vnet_mach_is_stopped(m) &&
	       receive(m, in, stays, &r)) {
		if (is_torn(r) || r == MACH_RCV_TOO_LARGE ||
		    r == MACH_RCV_HEADER_ERROR)
			pass_over(m, in);
		if (thread == MACH_PORT_NULL)
			thread = vnet_mach_enter(m);
		if (r == MACH_MSG_SUCCESS && vnet_mach_demux(m, in, out))
			answer(m, in, out);
		else if (r == MACH_MSG_SUCCESS || is_torn(r))
			vnet_mach_msg_destroy(m->sys, in);
		else if (r == MACH_RCV_INVALID_NAME || r == MACH_RCV_PORT_DIED)
			break; /* the caller's set has gone */
		else
			vnet_mach_tick(m);
		vnet_mach_do_work(m, false, thread);
	}
	vnet_mach_leave(m, thread);
	/* The next one, too. */
	if (vnet_mach_is_stopped(m))
		vnet_mach_poke(m);
	vnet_mach_lock(m);
	vnet_mach_put_memory(m, in, VNET_MACH_MSG_SIZE);
	vnet_mach_put_memory(m, out, VNET_MACH_MSG_SIZE);
	vnet_mach_unlock(m);
}
