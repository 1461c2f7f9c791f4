/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls.
 */
#include <string.h>

#include "fake_parts.h"

struct fake_state fake;

/* Does this call fail? */
static int
fails(enum fake_call call)
{
	if (!fake.watched || fake.watched != fake_current)
		return 0;
	fake.calls[call]++;
	if (call != fake.fail_call || fake.calls[call] != fake.fail_at)
		return 0;
	fake.has_failed = true;
	return fake.fail_code;
}

/* A task that has not what it says it has. */
static kern_return_t
wrong(const char *call, mach_port_t name, kern_return_t k)
{
	fake_mistake("%s of %#x: error %d", call, (unsigned)name, (int)k);
	return k;
}

static mach_msg_return_t
msg(mach_msg_header_t *h, mach_msg_option_t options, mach_msg_size_t send_size,
    mach_msg_size_t rcv_size, mach_port_t rcv_name, mach_msg_timeout_t timeout,
    mach_port_t notify)
{
	mach_msg_return_t r = MACH_MSG_SUCCESS;

	(void)notify;
	if (timeout && !(options & (MACH_SEND_TIMEOUT | MACH_RCV_TIMEOUT)))
		fake_mistake("a timeout that is not used");
	if (options & MACH_SEND_MSG)
		r = fake_send(h, options, send_size, fails(FAKE_SEND));
	if (r || !(options & MACH_RCV_MSG))
		return r;
	r = fails(FAKE_RECEIVE);
	return r ? r : fake_receive(h, options, rcv_size, rcv_name);
}

static kern_return_t
port_allocate(mach_port_right_t right, mach_port_t *name)
{
	kern_return_t k = fails(FAKE_PORT_ALLOCATE);
	struct entry *e;
	struct port *p;

	if (k)
		return k;
	switch (right) {
	case MACH_PORT_RIGHT_RECEIVE:
		p = fake_port_new();
		e = fake_entry_new(fake_current, p, MACH_PORT_TYPE_RECEIVE);
		fake_set_receiver(p, fake_current, e->name);
		break;
	case MACH_PORT_RIGHT_PORT_SET:
		e = fake_entry_new(fake_current, NULL, MACH_PORT_TYPE_PORT_SET);
		break;
	case MACH_PORT_RIGHT_DEAD_NAME:
		e = fake_entry_new(fake_current, NULL,
				   MACH_PORT_TYPE_DEAD_NAME);
		e->refs = 1;
		break;
	default:
		return wrong("allocate", right, KERN_INVALID_VALUE);
	}
	*name = e->name;
	return KERN_SUCCESS;
}

static kern_return_t
port_deallocate(mach_port_t name)
{
	struct entry *e = fake_find(fake_current, name);
	kern_return_t k = fails(FAKE_PORT_DEALLOCATE);

	if (k)
		return k;
	if (!e)
		return wrong("deallocate", name, KERN_INVALID_NAME);
	k = fake_right_give_back(e, 1);
	return k ? wrong("deallocate", name, k) : k;
}

static void
leave_set(mach_port_t set)
{
	for (struct port *p = fake_current->received; p; p = p->next_received)
		if (p->set == set)
			p->set = MACH_PORT_NULL;
}

static kern_return_t
port_mod_refs(mach_port_t name, mach_port_right_t right,
	      mach_port_delta_t delta)
{
	struct entry *e = fake_find(fake_current, name);
	kern_return_t k = fails(FAKE_PORT_MOD_REFS);

	if (k)
		return k;
	if (!e)
		return wrong("mod_refs", name, KERN_INVALID_NAME);
	if (!(e->type & MACH_PORT_TYPE(right)))
		return wrong("mod_refs", name, KERN_INVALID_RIGHT);
	switch (right) {
	case MACH_PORT_RIGHT_RECEIVE:
		if (delta != -1)
			return wrong("mod_refs", name, KERN_INVALID_VALUE);
		fake_port_kill(e->port);
		return KERN_SUCCESS;
	case MACH_PORT_RIGHT_PORT_SET:
		if (delta != -1)
			return wrong("mod_refs", name, KERN_INVALID_VALUE);
		leave_set(name);
		fake_entry_free(e);
		return KERN_SUCCESS;
	default:
		if (delta < 0) {
			k = fake_right_give_back(e, (uint32_t)-delta);
			return k ? wrong("mod_refs", name, k) : k;
		}
		if (e->refs + (uint32_t)delta > UREFS_MAX)
			return wrong("mod_refs", name, KERN_UREFS_OVERFLOW);
		e->refs += (uint32_t)delta;
		return KERN_SUCCESS;
	}
}

static kern_return_t
port_get_refs(mach_port_t name, mach_port_right_t right,
	      mach_port_urefs_t *refs)
{
	const struct entry *e = fake_find(fake_current, name);
	kern_return_t k = fails(FAKE_PORT_GET_REFS);

	if (k)
		return k;
	if (!e)
		return wrong("get_refs", name, KERN_INVALID_NAME);
	*refs = 0;
	if (e->type & MACH_PORT_TYPE(right))
		*refs = e->refs ? e->refs : 1;
	return KERN_SUCCESS;
}

static kern_return_t
port_insert_right(mach_port_t name, mach_port_t right,
		  mach_msg_type_name_t type)
{
	const struct entry *e = fake_find(fake_current, name);
	kern_return_t k = fails(FAKE_PORT_INSERT_RIGHT);
	struct port *p;

	if (k)
		return k;
	if (e && e->refs == UREFS_MAX)
		return wrong("insert_right", name, KERN_UREFS_OVERFLOW);
	if (name != right || type != MACH_MSG_TYPE_MAKE_SEND ||
	    fake_copyin(fake_current, right, type, false, &p))
		return wrong("insert_right", name, KERN_INVALID_RIGHT);
	fake_copyout(fake_current, p, MACH_MSG_TYPE_PORT_SEND);
	return KERN_SUCCESS;
}

static kern_return_t
port_type(mach_port_t name, mach_port_type_t *type)
{
	const struct entry *e = fake_find(fake_current, name);
	kern_return_t k = fails(FAKE_PORT_TYPE);

	if (k)
		return k;
	if (!e)
		return wrong("type", name, KERN_INVALID_NAME);
	*type = e->type;
	if (e->dead_name)
		*type |= MACH_PORT_TYPE_DNREQUEST;
	return KERN_SUCCESS;
}

static struct entry *
receive_right(mach_port_t name)
{
	struct entry *e = fake_find(fake_current, name);

	return e && e->type & MACH_PORT_TYPE_RECEIVE ? e : NULL;
}

static kern_return_t
port_set_qlimit(mach_port_t name, mach_port_msgcount_t limit)
{
	struct entry *e = receive_right(name);
	kern_return_t k = fails(FAKE_PORT_SET_QLIMIT);

	if (k)
		return k;
	if (!e)
		return wrong("set_qlimit", name, KERN_INVALID_RIGHT);
	if (limit > MACH_PORT_QLIMIT_MAX)
		return wrong("set_qlimit", name, KERN_INVALID_VALUE);
	e->port->qlimit = limit;
	return KERN_SUCCESS;
}

static kern_return_t
port_move_member(mach_port_t member, mach_port_t set)
{
	const struct entry *s = fake_find(fake_current, set);
	struct entry *e = receive_right(member);
	kern_return_t k = fails(FAKE_PORT_MOVE_MEMBER);

	if (k)
		return k;
	if (!e || (set != MACH_PORT_NULL &&
		   !(s && s->type & MACH_PORT_TYPE_PORT_SET)))
		return wrong("move_member", member, KERN_INVALID_RIGHT);
	if (set == MACH_PORT_NULL && e->port->set == MACH_PORT_NULL)
		return KERN_NOT_IN_SET;
	e->port->set = set;
	return KERN_SUCCESS;
}

/* What was asked for before is handed out; what can be told now is. */
static kern_return_t
ask_no_senders(struct entry *e, uint32_t sync, struct port *once,
	       struct port **before)
{
	struct port *p = e->port;

	if (!(e->type & MACH_PORT_TYPE_RECEIVE))
		return KERN_INVALID_RIGHT;
	*before = p->no_senders;
	p->no_senders = once;
	if (once && !p->senders && sync <= p->made)
		fake_no_senders(p);
	return KERN_SUCCESS;
}

static kern_return_t
ask_dead_name(struct entry *e, uint32_t sync, struct port *once,
	      struct port **before)
{
	if (e->port) {
		*before = e->dead_name;
		e->dead_name = once;
		return KERN_SUCCESS;
	}
	if (!(e->type & MACH_PORT_TYPE_DEAD_NAME))
		return KERN_INVALID_RIGHT;
	if (!sync || !once)
		return KERN_INVALID_ARGUMENT;
	e->refs++;
	fake_notify(once, MACH_NOTIFY_DEAD_NAME, e->name);
	return KERN_SUCCESS;
}

static kern_return_t
port_request_notification(mach_port_t name, mach_msg_id_t id,
			  mach_port_mscount_t sync, mach_port_t notify,
			  mach_port_t *previous)
{
	kern_return_t k = fails(FAKE_PORT_REQUEST_NOTIFICATION);
	struct entry *e = fake_find(fake_current, name);
	struct port *once = NULL, *before = NULL;

	if (k)
		return k;
	if (!e)
		return wrong("request_notification", name, KERN_INVALID_NAME);
	if (notify != MACH_PORT_NULL &&
	    fake_copyin(fake_current, notify, MACH_MSG_TYPE_MAKE_SEND_ONCE,
			false, &once))
		return wrong("request_notification to", notify,
			     KERN_INVALID_CAPABILITY);
	if (id == MACH_NOTIFY_NO_SENDERS)
		k = ask_no_senders(e, sync, once, &before);
	else if (id == MACH_NOTIFY_DEAD_NAME)
		k = ask_dead_name(e, sync, once, &before);
	else
		k = KERN_INVALID_VALUE;
	if (k) {
		fake_right_destroy(once, MACH_MSG_TYPE_PORT_SEND_ONCE);
		return wrong("request_notification", name, k);
	}
	*previous = fake_copyout(fake_current, before,
				 MACH_MSG_TYPE_PORT_SEND_ONCE);
	return KERN_SUCCESS;
}

static kern_return_t
port_get_receive_status(mach_port_t name, mach_port_status_t *status)
{
	const struct entry *e = receive_right(name);
	kern_return_t k = fails(FAKE_PORT_GET_RECEIVE_STATUS);

	if (k)
		return k;
	if (!e)
		return wrong("get_receive_status", name, KERN_INVALID_RIGHT);
	*status = (mach_port_status_t){
		.mps_pset = e->port->set,
		.mps_mscount = e->port->made,
		.mps_qlimit = e->port->qlimit,
		.mps_msgcount = e->port->nmessages,
		.mps_sorights = e->port->onces,
		.mps_srights = e->port->senders != 0,
		.mps_nsrequest = e->port->no_senders != NULL,
	};
	return KERN_SUCCESS;
}

static kern_return_t
allocate(vm_address_t *address, vm_size_t size)
{
	kern_return_t k = fails(FAKE_VM_ALLOCATE);

	return k ? k : fake_allocate(fake_current, address, size);
}

static kern_return_t
deallocate(vm_address_t address, vm_size_t size)
{
	kern_return_t k = fails(FAKE_VM_DEALLOCATE);

	return k ? k : fake_deallocate(fake_current, address, size);
}

static bool
copy(void *to, const void *from, size_t n, const uint32_t *given_up)
{
	bool is_there = !fails(FAKE_COPY);

	fake_current->is_interrupted = false;
	if (fake.on_copy)
		fake.on_copy(fake.ctx);
	is_there &= !fake_current->is_interrupted && !*given_up;
	is_there &= fake_memory_read(fake_current, to, (vm_address_t)from, n);
	if (!is_there && fake_current->faults == MACH_PORT_NULL)
		fake_mistake("an exception that nobody hears of");
	return is_there;
}

static mach_port_t
thread_self(void)
{
	struct fake_task *t = fake_current;

	if (!t->thread)
		t->thread = fake_port_new();
	t->thread->senders++;
	return fake_copyout(t, t->thread, MACH_MSG_TYPE_PORT_SEND);
}

static void
interrupt(mach_port_t thread)
{
	const struct entry *e = fake_find(fake_current, thread);

	if (!e || e->port != fake_current->thread)
		wrong("interrupt", thread, KERN_INVALID_ARGUMENT);
	fake_current->is_interrupted = true;
}

static kern_return_t
catch_faults(mach_port_t right)
{
	kern_return_t k = fails(FAKE_CATCH_FAULTS);

	if (k)
		return k;
	if (right != MACH_PORT_NULL && !receive_right(right))
		return wrong("catch_faults", right, KERN_INVALID_RIGHT);
	fake_current->faults = right;
	return KERN_SUCCESS;
}

/* Faults are not told by messages here. */
static bool
exception(mach_msg_header_t *in, mach_msg_header_t *out)
{
	(void)in;
	(void)out;
	return false;
}

static void
yield(void)
{
	fake.yields++;
}

/* There are no tasks that have rights to others here. */
static kern_return_t
task_set_bootstrap(mach_port_t task, mach_port_t right)
{
	(void)right;
	return wrong("set_bootstrap", task, KERN_INVALID_ARGUMENT);
}

static kern_return_t
task_resume(mach_port_t task)
{
	return wrong("resume", task, KERN_INVALID_ARGUMENT);
}

static void
wait(const uint32_t *word, uint32_t value)
{
	if (__atomic_load_n(word, __ATOMIC_RELAXED) != value)
		return;
	if (fake.on_wait)
		fake.on_wait(fake.ctx, word, value);
	else
		fake_mistake("sleeps for ever");
}

static void
wake(const uint32_t *word, bool all)
{
	(void)word;
	(void)all;
	fake.wakes++;
}

const struct vnet_mach_sys fake_kernel = {
	.msg = msg,
	.port_allocate = port_allocate,
	.port_deallocate = port_deallocate,
	.port_mod_refs = port_mod_refs,
	.port_get_refs = port_get_refs,
	.port_insert_right = port_insert_right,
	.port_type = port_type,
	.port_set_qlimit = port_set_qlimit,
	.port_move_member = port_move_member,
	.port_request_notification = port_request_notification,
	.port_get_receive_status = port_get_receive_status,
	.task_set_bootstrap = task_set_bootstrap,
	.task_resume = task_resume,
	.vm_allocate = allocate,
	.vm_deallocate = deallocate,
	.copy = copy,
	.catch_faults = catch_faults,
	.thread_self = thread_self,
	.interrupt = interrupt,
	.exception = exception,
	.yield = yield,
	.wait = wait,
	.wake = wake,
};

/* The real one is not here. */
const struct vnet_mach_sys vnet_mach_kernel;
