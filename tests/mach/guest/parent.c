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

void
parent_adopt(struct parent *p, const char *program)
{
	const mach_port_t self = mach_task_self();
	mach_port_t previous;
	char name[64];

	p->program = program;
	p->requests = mach_reply_port();
	bare_snprintf(name, sizeof(name), "task:%s", program);
	p->task = guest_lookup(name);
	CHECK_OK(mach_port_insert_right(self, p->requests, p->requests,
					MACH_MSG_TYPE_MAKE_SEND));
	CHECK_OK(task_set_special_port(p->task, TASK_BOOTSTRAP_PORT,
				       p->requests));
	CHECK_OK(mach_port_request_notification(
		self, p->task, MACH_NOTIFY_DEAD_NAME, 1, p->requests,
		MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	guest_may_die(program);
}

mach_port_t
parent_wait(struct parent *p)
{
	const mach_port_t self = mach_task_self();
	mach_port_t master = MACH_PORT_NULL, previous;
	union message m;

	CHECK_OK(mach_msg(&m.handover.header, MACH_RCV_MSG, 0, sizeof(m),
			  p->requests, MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL));
	if (m.handover.header.msgh_id == HANDOVER_GIVE) {
		CHECK_EQ(m.handover.type.msgt_name, MACH_MSG_TYPE_PORT_SEND);
		master = m.handover.right;
		mach_port_request_notification(
			self, p->task, MACH_NOTIFY_DEAD_NAME, 1, MACH_PORT_NULL,
			MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
		CHECK_OK(mach_port_deallocate(self, previous));
	} else {
		CHECK_EQ(m.handover.header.msgh_id, MACH_NOTIFY_DEAD_NAME);
		mach_port_deallocate(self, p->task);
	}
	mach_port_deallocate(self, p->task);
	return master;
}

mach_port_t
parent_start(const char *program)
{
	struct parent p;

	parent_adopt(&p, program);
	guest_start(program);
	return parent_wait(&p);
}
