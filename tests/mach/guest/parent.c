/* SPDX-License-Identifier: BSD-2-Clause */
#include <mach/task_special_ports.h>

#include "guest.h"
#include "handover.h"
#include "parent.h"

union message {
	struct handover_message handover;
	mach_dead_name_notification_t dead;
	char room[256];
};

mach_port_t
parent_start(const char *program)
{
	const mach_port_t self = mach_task_self();
	mach_port_t requests = mach_reply_port(), task, previous;
	mach_port_t master = MACH_PORT_NULL;
	char name[64];
	union message m;

	bare_snprintf(name, sizeof(name), "task:%s", program);
	task = guest_lookup(name);
	CHECK_OK(mach_port_insert_right(self, requests, requests,
					MACH_MSG_TYPE_MAKE_SEND));
	CHECK_OK(task_set_special_port(task, TASK_BOOTSTRAP_PORT, requests));
	CHECK_OK(mach_port_request_notification(
		self, task, MACH_NOTIFY_DEAD_NAME, 1, requests,
		MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	guest_may_die(program);
	guest_start(program);
	CHECK_OK(mach_msg(&m.handover.header, MACH_RCV_MSG, 0, sizeof(m),
			  requests, MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL));
	if (m.handover.header.msgh_id == HANDOVER_GIVE) {
		CHECK_EQ(m.handover.type.msgt_name, MACH_MSG_TYPE_PORT_SEND);
		master = m.handover.right;
		mach_port_request_notification(
			self, task, MACH_NOTIFY_DEAD_NAME, 1, MACH_PORT_NULL,
			MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
		CHECK_OK(mach_port_deallocate(self, previous));
	} else {
		CHECK_EQ(m.handover.header.msgh_id, MACH_NOTIFY_DEAD_NAME);
		mach_port_deallocate(self, task);
	}
	mach_port_deallocate(self, task);
	return master;
}
