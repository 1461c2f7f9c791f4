/* SPDX-License-Identifier: BSD-2-Clause */
#include "post.h"

void
post_begin(struct post *p, mach_port_t to, mach_msg_type_name_t disposition,
	   mach_port_t reply, mach_msg_type_name_t reply_disposition,
	   mach_msg_id_t id)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(disposition, reply_disposition),
		.remote = to,
		.local = reply,
		.id = (uint32_t)id,
	};

	vnet_wire_begin(&p->w, p->msg, sizeof(p->msg), VNET_WIRE_HERE, &h);
}

void
post_request(struct post *p, mach_port_t to, mach_port_t reply,
	     mach_msg_id_t id)
{
	post_begin(p, to, MACH_MSG_TYPE_COPY_SEND, reply,
		   reply != MACH_PORT_NULL ? MACH_MSG_TYPE_MAKE_SEND_ONCE : 0,
		   id);
}

void
post_right(struct post *p, mach_port_t right, mach_msg_type_name_t disposition)
{
	vnet_wire_put_right(&p->w, right, disposition);
}

void
post_int(struct post *p, uint32_t n)
{
	vnet_wire_put_int32(&p->w, &n, 1);
}

mach_msg_return_t
post_within(struct post *p, uint32_t ms)
{
	size_t n = vnet_wire_end(&p->w);

	CHECK(n > 0);
	return mach_msg((mach_msg_header_t *)p->msg,
			MACH_SEND_MSG | MACH_SEND_TIMEOUT, n, 0, MACH_PORT_NULL,
			ms, MACH_PORT_NULL);
}

mach_msg_return_t
got_within(struct got *g, mach_port_t at, uint32_t ms)
{
	struct vnet_wire_header h;
	mach_msg_return_t r;

	g->head = (mach_msg_header_t *)g->msg;
	r = mach_msg(g->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
		     sizeof(g->msg), at, ms, MACH_PORT_NULL);
	if (r == MACH_MSG_SUCCESS)
		vnet_wire_open(&g->r, g->msg, g->head->msgh_size,
			       VNET_WIRE_HERE, &h);
	return r;
}

mach_port_t
got_right(struct got *g)
{
	uint32_t disposition;
	mach_port_t right = vnet_wire_get_right(&g->r, &disposition);

	CHECK(!g->r.is_wrong);
	CHECK(g->head->msgh_bits & MACH_MSGH_BITS_COMPLEX);
	return right;
}

uint32_t
got_int(struct got *g)
{
	uint32_t n = vnet_wire_get_int32(&g->r);

	CHECK(!g->r.is_wrong);
	return n;
}

void
got_all(const struct got *g)
{
	CHECK(vnet_wire_close(&g->r));
}

void
got_nothing(mach_port_t at, uint32_t ms)
{
	struct got g;

	CHECK_EQ(got_within(&g, at, ms), MACH_RCV_TIMED_OUT);
}

void
post_answer(struct post *p, const struct got *g, kern_return_t code)
{
	post_begin(p, g->head->msgh_remote_port,
		   MACH_MSGH_BITS_REMOTE(g->head->msgh_bits), MACH_PORT_NULL, 0,
		   g->head->msgh_id + 100);
	vnet_wire_put_return(&p->w, code);
}

mach_port_t
port_new(void)
{
	mach_port_t name = mach_reply_port();

	CHECK_OK(mach_port_insert_right(mach_task_self(), name, name,
					MACH_MSG_TYPE_MAKE_SEND));
	return name;
}

void
port_end(mach_port_t name)
{
	CHECK_OK(mach_port_destroy(mach_task_self(), name));
}

kern_return_t
port_give_back(mach_port_t name, uint32_t n)
{
	kern_return_t kr = KERN_SUCCESS;

	while (n-- > 0 && kr == KERN_SUCCESS)
		kr = mach_port_deallocate(mach_task_self(), name);
	return kr;
}

uint32_t
port_sends(mach_port_t name)
{
	mach_port_urefs_t n = 0;

	CHECK_OK(mach_port_get_refs(mach_task_self(), name,
				    MACH_PORT_RIGHT_SEND, &n));
	return n;
}

mach_msg_return_t
port_deserted_within(mach_port_t name, uint32_t own, uint32_t ms)
{
	mach_port_t previous, at = mach_reply_port();
	mach_msg_return_t r;
	struct got g;

	port_drop(name, own);
	CHECK_OK(mach_port_request_notification(
		mach_task_self(), name, MACH_NOTIFY_NO_SENDERS, 0, at,
		MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	r = got_within(&g, at, ms);
	port_end(at);
	return r;
}
