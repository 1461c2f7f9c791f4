/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Talks to init. Nothing is kept from one call to the next, so that a task that is
 * a copy of another, which has no right of it, may call it all the same.
 */
#include <string.h>

#include <mach/mig_support.h>
#include <mach/task_info.h>
#include <mach/task_special_ports.h>

#include "guest.h"
#include "protocol.h"

static mach_msg_return_t
call(mach_msg_id_t id, const char *name, mach_port_t *right)
{
	struct guest_message m =
		guest_message(MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND,
					     MACH_MSG_TYPE_MAKE_SEND_ONCE),
			      *right);
	mach_msg_return_t mr;

	m.header.msgh_local_port = mig_get_reply_port();
	m.header.msgh_id = id;
	mig_strncpy(m.name, name, sizeof(m.name));
	mr = task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT,
				   &m.header.msgh_remote_port);
	if (mr)
		return mr;
	mr = mach_msg(&m.header, MACH_SEND_MSG | MACH_RCV_MSG, sizeof(m),
		      sizeof(m), m.header.msgh_local_port,
		      MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
	*right = m.right;
	return mr;
}

/* A request that init never answers, or that it cannot refuse. */
static void
tell(mach_msg_id_t id, const char *name, mach_port_t right)
{
	mach_msg_return_t mr = call(id, name, &right);

	if (mr) {
		bare_printf("guest: no init to talk to: 0x%x\n", mr);
		bare_exit();
	}
	if (right)
		mach_port_deallocate(mach_task_self(), right);
}

_Noreturn void
guest_pass(void)
{
	tell(GUEST_PASS, "", MACH_PORT_NULL);
	bare_exit();
}

_Noreturn void
guest_fail(const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	bare_vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bare_printf("FAIL: %s\n", text);
	tell(GUEST_FAIL, "", MACH_PORT_NULL);
	bare_exit();
}

void
guest_publish(const char *name, mach_port_t right)
{
	tell(GUEST_PUBLISH, name, right);
}

void
guest_withdraw(const char *name)
{
	tell(GUEST_WITHDRAW, name, MACH_PORT_NULL);
}

mach_port_t
guest_lookup(const char *name)
{
	mach_port_t right = MACH_PORT_NULL;

	CHECK_OK(call(GUEST_LOOKUP, name, &right));
	return right;
}

void
guest_start(const char *program)
{
	tell(GUEST_START, program, MACH_PORT_NULL);
}

void
guest_may_die(const char *program)
{
	tell(GUEST_MAY_DIE, program, MACH_PORT_NULL);
}

void
guest_kill(const char *program)
{
	char name[GUEST_NAME_SIZE];
	mach_port_t task;

	bare_snprintf(name, sizeof(name), "task:%s", program);
	task = guest_lookup(name);
	guest_may_die(program);
	CHECK_OK(task_terminate(task));
	bare_task_join(task);
}

/* Calls @fn for each name of a task. */
static uint32_t
list_names(mach_port_t task, void (*fn)(mach_port_t name, mach_port_type_t))
{
	mach_port_array_t names;
	mach_port_type_array_t types;
	mach_msg_type_number_t n, ntypes;

	/* The thread's reply port is there already when the names are counted. */
	mig_get_reply_port();
	CHECK_OK(mach_port_names(task, &names, &n, &types, &ntypes));
	for (uint32_t i = 0; fn && i < n; i++)
		fn(names[i], types[i]);
	vm_deallocate(mach_task_self(), (vm_address_t)names,
		      n * sizeof(*names));
	vm_deallocate(mach_task_self(), (vm_address_t)types,
		      ntypes * sizeof(*types));
	return n;
}

uint32_t
guest_count_names(mach_port_t task)
{
	return list_names(task, NULL);
}

uint32_t
guest_settled_names(mach_port_t task)
{
	uint32_t n = guest_count_names(task), quiet = 0;

	for (int i = 0; i < 200 && quiet < 20; i++) {
		const uint32_t before = n;

		bare_sleep_ms(10);
		n = guest_count_names(task);
		quiet = n == before ? quiet + 1 : 0;
	}
	return n;
}

static void
print_name(mach_port_t name, mach_port_type_t type)
{
	bare_printf("  %u:%s%s%s%s%s\n", name,
		    type & MACH_PORT_TYPE_SEND ? " send" : "",
		    type & MACH_PORT_TYPE_RECEIVE ? " receive" : "",
		    type & MACH_PORT_TYPE_SEND_ONCE ? " send-once" : "",
		    type & MACH_PORT_TYPE_PORT_SET ? " set" : "",
		    type & MACH_PORT_TYPE_DEAD_NAME ? " dead" : "");
}

void
guest_print_names(mach_port_t task)
{
	list_names(task, print_name);
}

uint32_t
guest_memory(mach_port_t task)
{
	struct task_basic_info info;
	mach_msg_type_number_t n = TASK_BASIC_INFO_COUNT;

	CHECK_OK(task_info(task, TASK_BASIC_INFO, (task_info_t)&info, &n));
	return info.virtual_size;
}
