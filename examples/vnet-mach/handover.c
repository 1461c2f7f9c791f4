/* SPDX-License-Identifier: BSD-2-Clause */
#include <bare.h>

#include "handover.h"

static kern_return_t
send(mach_port_t to, mach_msg_type_name_t type_of_to, mach_msg_id_t id,
     mach_port_t right, mach_msg_type_name_t type_of_right)
{
	struct handover_message m = {
		.header =
			{
				.msgh_bits = MACH_MSGH_BITS_COMPLEX |
					     MACH_MSGH_BITS(type_of_to, 0),
				.msgh_size = sizeof(m),
				.msgh_remote_port = to,
				.msgh_id = id,
			},
		.type =
			{
				.msgt_name = type_of_right,
				.msgt_size = 32,
				.msgt_number = 1,
				.msgt_inline = TRUE,
			},
		.right = right,
	};

	return mach_msg(&m.header, MACH_SEND_MSG, sizeof(m), 0, MACH_PORT_NULL,
			MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

kern_return_t
handover_give(mach_port_t to, mach_port_t master)
{
	return send(to, MACH_MSG_TYPE_COPY_SEND, HANDOVER_GIVE, master,
		    MACH_MSG_TYPE_MAKE_SEND);
}

kern_return_t
handover_answer(const mach_msg_header_t *claim, mach_port_t master)
{
	return send(claim->msgh_remote_port,
		    MACH_MSGH_BITS_REMOTE(claim->msgh_bits), HANDOVER_CLAIMED,
		    master, MACH_MSG_TYPE_MOVE_RECEIVE);
}

kern_return_t
handover_claim(mach_port_t from, mach_port_t *master)
{
	mach_port_t reply = mach_reply_port();
	struct handover_message m = {
		.header =
			{
				.msgh_bits = MACH_MSGH_BITS(
					MACH_MSG_TYPE_COPY_SEND,
					MACH_MSG_TYPE_MAKE_SEND_ONCE),
				.msgh_size = sizeof(m.header),
				.msgh_remote_port = from,
				.msgh_local_port = reply,
				.msgh_id = HANDOVER_CLAIM,
			},
	};
	kern_return_t kr = mach_msg(&m.header, MACH_SEND_MSG | MACH_RCV_MSG,
				    sizeof(m.header), sizeof(m), reply,
				    MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);

	if (!kr && (m.header.msgh_id != HANDOVER_CLAIMED ||
		    m.header.msgh_size != sizeof(m) ||
		    m.type.msgt_name != MACH_MSG_TYPE_PORT_RECEIVE))
		kr = KERN_FAILURE;
	if (!kr)
		*master = m.right;
	mach_port_mod_refs(mach_task_self(), reply, MACH_PORT_RIGHT_RECEIVE,
			   -1);
	return kr;
}
