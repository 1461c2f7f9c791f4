/* SPDX-License-Identifier: BSD-2-Clause */
#include <mach/task_special_ports.h>
#include <mach/thread_status.h>

#include <bare.h>

#include "template.h"

static kern_return_t
copy_right(mach_port_t from, mach_port_t to, mach_port_t name)
{
	mach_msg_type_name_t type;
	mach_port_t right;
	kern_return_t kr = mach_port_extract_right(
		from, name, MACH_MSG_TYPE_COPY_SEND, &right, &type);

	if (kr)
		return kr;
	kr = mach_port_insert_right(to, name, right, MACH_MSG_TYPE_COPY_SEND);
	mach_port_deallocate(mach_task_self(), right);
	return kr;
}

static kern_return_t
copy_rights(mach_port_t from, mach_port_t to)
{
	mach_port_array_t names;
	mach_port_type_array_t types;
	mach_msg_type_number_t nnames, ntypes;
	kern_return_t kr =
		mach_port_names(from, &names, &nnames, &types, &ntypes);

	if (kr)
		return kr;
	for (mach_msg_type_number_t i = 0; !kr && i < nnames; i++)
		if (types[i] & MACH_PORT_TYPE_SEND)
			kr = copy_right(from, to, names[i]);
	vm_deallocate(mach_task_self(), (vm_address_t)names,
		      nnames * sizeof(*names));
	vm_deallocate(mach_task_self(), (vm_address_t)types,
		      ntypes * sizeof(*types));
	return kr;
}

/* What its one thread would do first. */
static kern_return_t
get_state(mach_port_t template, struct i386_thread_state *state)
{
	natural_t count = i386_THREAD_STATE_COUNT;
	thread_array_t threads;
	mach_msg_type_number_t n;
	kern_return_t kr = task_threads(template, &threads, &n);

	if (kr)
		return kr;
	kr = n == 1 ? thread_get_state(threads[0], i386_REGS_SEGS_STATE,
				       (thread_state_t)state, &count)
		    : KERN_INVALID_ARGUMENT;
	for (mach_msg_type_number_t i = 0; i < n; i++)
		mach_port_deallocate(mach_task_self(), threads[i]);
	vm_deallocate(mach_task_self(), (vm_address_t)threads,
		      n * sizeof(*threads));
	return kr;
}

static kern_return_t
start_thread(mach_port_t task, struct i386_thread_state *state)
{
	mach_port_t thread;
	kern_return_t kr = thread_create(task, &thread);

	if (kr)
		return kr;
	kr = thread_set_state(thread, i386_REGS_SEGS_STATE,
			      (thread_state_t)state, i386_THREAD_STATE_COUNT);
	if (!kr)
		kr = thread_resume(thread);
	mach_port_deallocate(mach_task_self(), thread);
	return kr;
}

kern_return_t
template_start(mach_port_t template, mach_port_t bootstrap, mach_port_t *task)
{
	struct i386_thread_state state;
	mach_port_t copy;
	kern_return_t kr = get_state(template, &state);

	if (kr)
		return kr;
	kr = task_create(template, TRUE, &copy);
	if (kr)
		return kr;
	kr = copy_rights(template, copy);
	if (!kr)
		kr = task_set_special_port(copy, TASK_BOOTSTRAP_PORT,
					   bootstrap);
	if (!kr)
		kr = start_thread(copy, &state);
	if (kr) {
		task_terminate(copy);
		mach_port_deallocate(mach_task_self(), copy);
		return kr;
	}
	*task = copy;
	return KERN_SUCCESS;
}
