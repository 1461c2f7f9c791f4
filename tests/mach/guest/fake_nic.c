/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <bare.h>

#include "fake_nic.h"
#include "nic.h"

struct fake {
	struct nic nic;
	mach_port_t set;
	mach_port_t control;
	mach_port_t wire; /* a send right */
	unsigned int die_after;
};

/* To the wire. It waits there for a second, so that a test that takes what
 * comes sees every frame. */
static void
send_frame(void *ctx, const uint8_t *frame, size_t len)
{
	struct fake *fake = ctx;
	struct fake_nic_msg msg;
	mach_msg_return_t err;

	if (fake->wire == MACH_PORT_NULL)
		return;
	fake_nic_make(&msg, FAKE_NIC_FRAME, frame, len);
	msg.header.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
	msg.header.msgh_remote_port = fake->wire;
	err = mach_msg(&msg.header, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
		       msg.header.msgh_size, 0, MACH_PORT_NULL, 1000,
		       MACH_PORT_NULL);
	if (!err)
		return;
	fake->nic.counts.wire_lost++;
	/* The message was given back with a right of its own. */
	if (err == MACH_SEND_TIMED_OUT)
		mach_port_deallocate(mach_task_self(), fake->wire);
}

static void
reply(const struct fake_nic_msg *request, struct fake_nic_msg *msg)
{
	msg->header.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
	msg->header.msgh_remote_port = request->header.msgh_remote_port;
	mach_msg(&msg->header, MACH_SEND_MSG, msg->header.msgh_size, 0,
		 MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static void
set_stalled(struct fake *fake, bool on)
{
	mach_port_move_member(mach_task_self(), fake->nic.device,
			      on ? MACH_PORT_NULL : fake->set);
}

static void
set_fault(struct fake *fake, const struct fake_nic_msg *request)
{
	struct nic_faults *faults = &fake->nic.faults;
	const int arg = request->words[1];

	switch (request->words[0]) {
	case FAKE_NIC_WELL:
		memset(faults, 0, sizeof(*faults));
		fake->die_after = 0;
		set_stalled(fake, false);
		break;
	case FAKE_NIC_DIE:
		bare_exit();
	case FAKE_NIC_DIE_AFTER:
		fake->die_after = fake->nic.counts.writes + (unsigned int)arg;
		break;
	case FAKE_NIC_STALL:
		set_stalled(fake, true);
		break;
	case FAKE_NIC_MUTE:
		faults->mute = true;
		break;
	case FAKE_NIC_NO_PROMISC:
		faults->no_promisc = true;
		break;
	case FAKE_NIC_CLEAR_FLAGS:
		fake->nic.flags = arg;
		break;
	case FAKE_NIC_WRITE_ERROR:
		faults->write_error = arg;
		break;
	case FAKE_NIC_SHORT_WRITE:
		faults->short_write = true;
		break;
	case FAKE_NIC_SHORT_STATUS:
		faults->short_status = true;
		break;
	case FAKE_NIC_LAST_FILTER:
		faults->last_filter = true;
		break;
	case FAKE_NIC_BLOCKS:
		faults->blocks = true;
		break;
	default:
		break;
	}
}

static void
obey(struct fake *fake, const struct fake_nic_msg *request)
{
	struct fake_nic_msg msg;

	switch (request->header.msgh_id) {
	case FAKE_NIC_INJECT:
		nic_receive(&fake->nic, request->octets,
			    request->octets_type.msgt_number);
		return;
	case FAKE_NIC_LISTEN:
		if (fake->wire != MACH_PORT_NULL)
			mach_port_deallocate(mach_task_self(), fake->wire);
		fake->wire = request->header.msgh_remote_port;
		return;
	case FAKE_NIC_FAULT:
		set_fault(fake, request);
		fake_nic_make(&msg, FAKE_NIC_FAULT + FAKE_NIC_REPLY, "", 0);
		reply(request, &msg);
		return;
	case FAKE_NIC_COUNTS:
		fake_nic_make(&msg, FAKE_NIC_COUNTS + FAKE_NIC_REPLY,
			      &fake->nic.counts, sizeof(fake->nic.counts));
		msg.words[0] = fake->nic.flags;
		reply(request, &msg);
		return;
	default:
		return;
	}
}

_Noreturn void
fake_nic_run(void *arg)
{
	static struct fake fake;
	static union {
		mach_msg_header_t header;
		struct fake_nic_msg control;
		uint32_t room[NIC_MSG_SIZE / 4];
	} msg;
	const struct fake_nic *config = arg;
	const mach_port_t self = mach_task_self();

	fake.nic.name = config->name;
	memcpy(fake.nic.mac, config->mac, sizeof(fake.nic.mac));
	fake.nic.send = send_frame;
	fake.nic.ctx = &fake;
	fake.nic.master = config->task.master;
	fake.control = config->task.control;
	mach_port_allocate(self, MACH_PORT_RIGHT_PORT_SET, &fake.set);
	nic_open(&fake.nic, fake.set);
	mach_port_move_member(self, fake.control, fake.set);
	for (;;) {
		if (mach_msg(&msg.header, MACH_RCV_MSG, 0, sizeof(msg),
			     fake.set, 0, MACH_PORT_NULL))
			continue;
		if (msg.header.msgh_local_port == fake.control)
			obey(&fake, &msg.control);
		else
			nic_answer(&fake.nic, &msg.header);
		if (fake.die_after && fake.nic.counts.writes >= fake.die_after)
			bare_exit();
	}
}

kern_return_t
fake_nic_start(struct fake_nic *fake)
{
	return nic_task_start(&fake->task, MACH_PORT_NULL, fake_nic_run, fake);
}
