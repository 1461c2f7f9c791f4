/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <bare.h>
#include <mach/notify.h>

#include "nic_task.h"

/* A receive right, and a send right of the same name. */
static kern_return_t
make_port(mach_port_t *port)
{
	const mach_port_t self = mach_task_self();
	kern_return_t err;

	err = mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, port);
	if (err)
		return err;
	return mach_port_insert_right(self, *port, *port,
				      MACH_MSG_TYPE_MAKE_SEND);
}

kern_return_t
nic_task_init(struct nic_task *t)
{
	kern_return_t err;

	memset(t, 0, sizeof(*t));
	err = make_port(&t->master);
	if (err)
		return err;
	return mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE,
				  &t->gone);
}

/* Move a receive right of ours to the task; our send right stays. */
static kern_return_t
hand_over(mach_port_t task, mach_port_t port)
{
	return mach_port_insert_right(task, port, port,
				      MACH_MSG_TYPE_MOVE_RECEIVE);
}

/* Should the task end, its receive right is sent to us. */
static kern_return_t
ask_back(struct nic_task *t)
{
	mach_port_t previous;

	return mach_port_request_notification(
		t->task, t->master, MACH_NOTIFY_PORT_DESTROYED, 0, t->gone,
		MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
}

kern_return_t
nic_task_start(struct nic_task *t, mach_port_t device_master,
	       void (*run)(void *arg), void *arg)
{
	kern_return_t err;

	err = make_port(&t->control);
	if (err)
		return err;
	err = bare_task_fork(&t->task, run, arg);
	if (err)
		return err;
	err = hand_over(t->task, t->master);
	if (!err)
		err = ask_back(t);
	if (!err)
		err = hand_over(t->task, t->control);
	if (!err && device_master)
		err = bare_task_give(t->task, device_master);
	return err ? err : bare_task_start(t->task);
}

bool
nic_task_wait(struct nic_task *t, unsigned int timeout_ms)
{
	struct {
		mach_port_destroyed_notification_t n;
		uint32_t room[16];
	} msg;

	if (mach_msg(&msg.n.not_header,
		     MACH_RCV_MSG | (timeout_ms ? MACH_RCV_TIMEOUT : 0), 0,
		     sizeof(msg), t->gone, timeout_ms, MACH_PORT_NULL))
		return false;
	/* The right has come under the name that its send right has. */
	mach_port_deallocate(mach_task_self(), t->control);
	t->control = MACH_PORT_NULL;
	bare_task_join(t->task);
	t->task = MACH_PORT_NULL;
	return true;
}

void
nic_task_kill(struct nic_task *t)
{
	task_terminate(t->task);
	nic_task_wait(t, 0);
}

void
nic_task_fini(struct nic_task *t)
{
	const mach_port_t self = mach_task_self();

	if (t->task != MACH_PORT_NULL)
		nic_task_kill(t);
	mach_port_mod_refs(self, t->master, MACH_PORT_RIGHT_RECEIVE, -1);
	mach_port_deallocate(self, t->master);
	mach_port_mod_refs(self, t->gone, MACH_PORT_RIGHT_RECEIVE, -1);
}
