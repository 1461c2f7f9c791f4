/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other side of <mach/memory_object.defs>, by hand.
 */
#include <string.h>

#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <mach/memory_object.h>

#include "guest.h"
#include "pager.h"

/* <mach/memory_object.defs> */
enum {
	OBJECT_INIT = 2200,
	OBJECT_TERMINATE = 2201,
	OBJECT_DATA_REQUEST = 2203,
	STOP = 77100, /* ours */
};

struct message {
	mach_msg_header_t head;
	mach_msg_type_t control_type;
	mach_port_t control;
	mach_msg_type_t second_type;
	uint32_t second; /* the name right, or the offset */
	mach_msg_type_t third_type;
	uint32_t third; /* size of a page, or the length */
	uint32_t room[32];
};

static void
give(const struct message *m)
{
	vm_address_t page;

	CHECK_OK(vm_allocate(mach_task_self(), &page, m->third, TRUE));
	memset((void *)page, 0x5a, m->third);
	CHECK_OK(memory_object_data_supply(m->control, m->second, page,
					   m->third, TRUE, VM_PROT_NONE, FALSE,
					   MACH_PORT_NULL));
}

/* False when there is nothing more to be paged. */
static bool
answer(struct pager *p, const struct message *m)
{
	switch (m->head.msgh_id) {
	case OBJECT_INIT:
		CHECK_OK(memory_object_ready(m->control, FALSE,
					     MEMORY_OBJECT_COPY_DELAY));
		return true;
	case OBJECT_DATA_REQUEST:
		__atomic_fetch_add(&p->asked, 1, __ATOMIC_RELAXED);
		bare_wake(&p->asked, true);
		if (p->manner == PAGER_GIVES)
			give(m);
		else if (p->manner == PAGER_REFUSES)
			CHECK_OK(memory_object_data_error(
				m->control, m->second, m->third, KERN_FAILURE));
		return p->manner != PAGER_DIES;
	case STOP:
		return false;
	default:
		return true;
	}
}

static void
run(void *arg)
{
	struct pager *p = arg;
	struct message m;

	do {
		CHECK_OK(mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m),
				  p->object, 0, MACH_PORT_NULL));
	} while (answer(p, &m));
	CHECK_OK(mach_port_mod_refs(mach_task_self(), p->object,
				    MACH_PORT_RIGHT_RECEIVE, -1));
}

void
pager_start(struct pager *p, enum pager_manner manner, vm_size_t size)
{
	*p = (struct pager){.manner = manner, .size = size};
	CHECK_OK(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE,
				    &p->object));
	CHECK_OK(mach_port_insert_right(mach_task_self(), p->object, p->object,
					MACH_MSG_TYPE_MAKE_SEND));
	CHECK_OK(bare_thread_create(&p->thread, 0, run, p));
	CHECK_OK(vm_map(mach_task_self(), &p->address, size, 0, TRUE, p->object,
			0, FALSE, VM_PROT_ALL, VM_PROT_ALL, VM_INHERIT_NONE));
}

/* What the kernel has sent of rights stays: a test that counts names counts them
 * before it pages. */
void
pager_stop(struct pager *p)
{
	mach_msg_header_t stop = {
		.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
		.msgh_size = sizeof(stop),
		.msgh_remote_port = p->object,
		.msgh_id = STOP,
	};

	CHECK_OK(vm_deallocate(mach_task_self(), p->address, p->size));
	mach_msg(&stop, MACH_SEND_MSG, sizeof(stop), 0, MACH_PORT_NULL, 0,
		 MACH_PORT_NULL);
	bare_thread_join(p->thread);
	mach_port_deallocate(mach_task_self(), p->object);
}
