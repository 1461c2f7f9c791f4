/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <mach.h>

#include "fake_nic.h"

void
fake_nic_make(struct fake_nic_msg *msg, int id, const void *octets, size_t len)
{
	memset(msg, 0, sizeof(*msg));
	msg->header.msgh_id = id;
	msg->header.msgh_size =
		(mach_msg_size_t)(offsetof(struct fake_nic_msg, octets) +
				  ((len + 3) & ~(size_t)3));
	msg->words_type = (mach_msg_type_t){
		.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.msgt_size = 32,
		.msgt_number = FAKE_NIC_WORDS,
		.msgt_inline = TRUE,
	};
	msg->octets_type = (mach_msg_type_t){
		.msgt_name = MACH_MSG_TYPE_BYTE,
		.msgt_size = 8,
		.msgt_number = len & 0xfff,
		.msgt_inline = TRUE,
	};
	memcpy(msg->octets, octets, len);
}

static kern_return_t
send_to(struct fake_nic_msg *msg, mach_port_t control)
{
	msg->header.msgh_bits |= MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
	msg->header.msgh_remote_port = control;
	return mach_msg(&msg->header, MACH_SEND_MSG, msg->header.msgh_size, 0,
			MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static kern_return_t
ask(struct fake_nic_msg *msg, mach_port_t control)
{
	const mach_port_t self = mach_task_self();
	mach_port_t reply;
	kern_return_t err;

	err = mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &reply);
	if (err)
		return err;
	msg->header.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
					       MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg->header.msgh_remote_port = control;
	msg->header.msgh_local_port = reply;
	err = mach_msg(&msg->header, MACH_SEND_MSG | MACH_RCV_MSG,
		       msg->header.msgh_size, sizeof(*msg), reply, 0,
		       MACH_PORT_NULL);
	/* If it dies, it is a notification that comes. */
	if (!err && msg->header.msgh_id < FAKE_NIC_INJECT)
		err = MACH_SEND_INVALID_DEST;
	mach_port_mod_refs(self, reply, MACH_PORT_RIGHT_RECEIVE, -1);
	return err;
}

kern_return_t
fake_nic_inject(mach_port_t control, const uint8_t *frame, size_t len)
{
	struct fake_nic_msg msg;

	fake_nic_make(&msg, FAKE_NIC_INJECT, frame, len);
	return send_to(&msg, control);
}

kern_return_t
fake_nic_listen(mach_port_t control, mach_port_t wire)
{
	struct fake_nic_msg msg;

	fake_nic_make(&msg, FAKE_NIC_LISTEN, "", 0);
	/* A send right, in the place of the right for a reply. */
	msg.header.msgh_bits = MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND);
	msg.header.msgh_local_port = wire;
	return send_to(&msg, control);
}

long
fake_nic_take(mach_port_t wire, uint8_t *frame, size_t room,
	      mach_msg_timeout_t timeout_ms)
{
	struct fake_nic_msg msg;
	size_t len;

	if (mach_msg(&msg.header, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
		     sizeof(msg), wire, timeout_ms, MACH_PORT_NULL) ||
	    msg.header.msgh_id != FAKE_NIC_FRAME)
		return -1;
	len = msg.octets_type.msgt_number;
	memcpy(frame, msg.octets, len < room ? len : room);
	return (long)len;
}

kern_return_t
fake_nic_fault(mach_port_t control, enum fake_nic_fault fault, int arg)
{
	struct fake_nic_msg msg;

	fake_nic_make(&msg, FAKE_NIC_FAULT, "", 0);
	msg.words[0] = (int)fault;
	msg.words[1] = arg;
	return ask(&msg, control);
}

kern_return_t
fake_nic_counts(mach_port_t control, struct nic_counts *counts, int *flags)
{
	struct fake_nic_msg msg;
	kern_return_t err;

	fake_nic_make(&msg, FAKE_NIC_COUNTS, "", 0);
	err = ask(&msg, control);
	if (err)
		return err;
	memcpy(counts, msg.octets, sizeof(*counts));
	*flags = msg.words[0];
	return 0;
}
