/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first program of a run: starts the others, watches them, keeps the names
 * that they publish, and ends the virtual machine with the verdict.
 *
 *	init HOST-PRIV DEVICE-MASTER timeout=SECONDS ROLE:NAME=TASK...
 *
 * ROLE is test (the run passes when all of these have), server (started, too), or
 * held (started when somebody asks for it).
 */
#include <string.h>

#include <mach/exception.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <mach/task_special_ports.h>
#include <mach/thread_status.h>

#include <bare.h>

#include "protocol.h"

#define EXIT_PORT   0xf4 /* isa-debug-exit */
#define PAGE        4096
#define TEXT        0x08048000 /* where ld begins */
#define TEXT_SIZE   0x00200000
#define MAX_RETURNS 24
#define MAX_TASKS   32
#define MAX_NAMES   64
#define MAX_WAITING 64

struct task {
	char name[GUEST_NAME_SIZE];
	mach_port_t port;
	mach_port_t requests; /* its bootstrap port */
	bool is_held, must_pass, may_die;
};

struct right {
	char name[GUEST_NAME_SIZE];
	mach_port_t right;
};

/* exception_raise() of <mach/exc.defs>. */
struct exception_request {
	mach_msg_header_t header;
	mach_msg_type_t thread_type;
	mach_port_t thread;
	mach_msg_type_t task_type;
	mach_port_t task;
	mach_msg_type_t exception_type;
	int exception;
	mach_msg_type_t code_type;
	int code;
	mach_msg_type_t subcode_type;
	int subcode;
};

union request {
	mach_msg_header_t header;
	struct guest_message guest;
	struct exception_request exception;
	mach_dead_name_notification_t dead;
	char room[1024];
};

static struct task tasks[MAX_TASKS];
static struct right rights[MAX_NAMES];
static struct right waiting[MAX_WAITING]; /* rights to reply to */
static mach_port_t set, exceptions, notify;
static unsigned int ntasks, to_pass;

static _Noreturn void
end(uint32_t code)
{
	bare_out32(EXIT_PORT, code);
	for (;;)
		bare_sleep_ms(1000);
}

static void
must(kern_return_t kr, const char *what)
{
	if (!kr)
		return;
	bare_printf("init: %s: 0x%x\n", what, kr);
	end(GUEST_EXIT_BROKEN);
}

static mach_port_t
make_port(void)
{
	mach_port_t port;

	must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE,
				&port),
	     "mach_port_allocate");
	must(mach_port_insert_right(mach_task_self(), port, port,
				    MACH_MSG_TYPE_MAKE_SEND),
	     "mach_port_insert_right");
	must(mach_port_move_member(mach_task_self(), port, set),
	     "mach_port_move_member");
	return port;
}

/* The place of a name, or an empty one. */
static struct right *
find_right(const char *name)
{
	struct right *empty = NULL;

	for (int i = 0; i < MAX_NAMES; i++) {
		if (rights[i].right && strcmp(rights[i].name, name) == 0)
			return &rights[i];
		if (!rights[i].right && !empty)
			empty = &rights[i];
	}
	must(!empty, "too many names");
	return empty;
}

static void
reply(mach_port_t to, mach_port_t right)
{
	struct guest_message m = guest_message(
		MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0), right);

	m.header.msgh_remote_port = to;
	/* Whoever asked may be dead by now, or the right that was published:
	 * a name of it is then left in this task, which does not matter. */
	mach_msg(&m.header, MACH_SEND_MSG, sizeof(m), 0, MACH_PORT_NULL,
		 MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

static void
publish(const char *name, mach_port_t right)
{
	struct right *r = find_right(name);

	if (r->right)
		mach_port_deallocate(mach_task_self(), r->right);
	mig_strncpy(r->name, name, sizeof(r->name));
	r->right = right;
	for (int i = 0; right && i < MAX_WAITING; i++) {
		if (waiting[i].right && strcmp(waiting[i].name, name) == 0) {
			reply(waiting[i].right, right);
			waiting[i].right = MACH_PORT_NULL;
		}
	}
}

static void
lookup(const char *name, mach_port_t to)
{
	struct right *r = find_right(name);

	if (r->right) {
		reply(to, r->right);
		return;
	}
	for (int i = 0; i < MAX_WAITING; i++) {
		if (!waiting[i].right) {
			mig_strncpy(waiting[i].name, name,
				    sizeof(waiting[i].name));
			waiting[i].right = to;
			return;
		}
	}
	must(1, "too many wait for names");
}

static struct task *
task_of(const char *name)
{
	for (unsigned int i = 0; i < ntasks; i++)
		if (strcmp(tasks[i].name, name) == 0)
			return &tasks[i];
	bare_printf("init: no such program: %s\n", name);
	end(GUEST_EXIT_BROKEN);
}

static void
start(struct task *t)
{
	must(task_resume(t->port), "task_resume");
}

static void
handle(struct task *t, const struct guest_message *m)
{
	switch (m->header.msgh_id) {
	case GUEST_PASS:
		bare_printf("init: %s: pass\n", t->name);
		t->may_die = true;
		if (t->must_pass) {
			t->must_pass = false;
			to_pass--;
		}
		if (!to_pass)
			end(GUEST_EXIT_PASS);
		break;
	case GUEST_FAIL:
		bare_printf("init: %s: fail\n", t->name);
		end(GUEST_EXIT_FAIL);
	case GUEST_PUBLISH:
	case GUEST_WITHDRAW:
		publish(m->name, m->right);
		break;
	case GUEST_LOOKUP:
		lookup(m->name, m->header.msgh_remote_port);
		return;
	case GUEST_START:
		start(task_of(m->name));
		break;
	case GUEST_MAY_DIE:
		task_of(m->name)->may_die = true;
		break;
	default:
		bare_printf("init: %s sends %d\n", t->name, m->header.msgh_id);
		end(GUEST_EXIT_BROKEN);
	}
	reply(m->header.msgh_remote_port, MACH_PORT_NULL);
}

static void
died(mach_port_t port)
{
	for (unsigned int i = 0; i < ntasks; i++) {
		if (tasks[i].port == port && !tasks[i].may_die) {
			bare_printf("init: %s died\n", tasks[i].name);
			end(GUEST_EXIT_DIED);
		}
	}
}

/* Where a thread is, and what on its stack may be return addresses: run.py says
 * what is there. */
static void
print_thread(const char *name, mach_port_t task, mach_port_t thread)
{
	struct i386_thread_state state = {0};
	natural_t count = i386_THREAD_STATE_COUNT;
	vm_address_t page;
	vm_offset_t copy;
	mach_msg_type_number_t size;
	unsigned int found = 0;

	thread_get_state(thread, i386_REGS_SEGS_STATE, (thread_state_t)&state,
			 &count);
	bare_printf("init: %s at 0x%x", name, state.eip);
	page = state.uesp & ~(vm_address_t)(PAGE - 1);
	if (vm_read(task, page, PAGE, &copy, &size) == KERN_SUCCESS) {
		const uint32_t *word = (const uint32_t *)copy;

		for (uint32_t i = (state.uesp & (PAGE - 1)) / sizeof(*word);
		     i < PAGE / sizeof(*word) && found < MAX_RETURNS; i++) {
			if (word[i] - TEXT < TEXT_SIZE) {
				bare_printf(" 0x%x", word[i]);
				found++;
			}
		}
		vm_deallocate(mach_task_self(), copy, size);
	}
	bare_printf("\n");
}

static void
print_threads(const struct task *t)
{
	thread_array_t threads;
	mach_msg_type_number_t n;

	if (task_threads(t->port, &threads, &n))
		return;
	for (unsigned int i = 0; i < n; i++)
		print_thread(t->name, t->port, threads[i]);
}

static _Noreturn void
raised(const struct exception_request *m)
{
	const char *name = "a-copy";

	for (unsigned int i = 0; i < ntasks; i++)
		if (tasks[i].port == m->task)
			name = tasks[i].name;
	bare_printf("init: exception %d code %d subcode 0x%x in %s\n",
		    m->exception, m->code, (unsigned int)m->subcode, name);
	print_thread(name, m->task, m->thread);
	end(GUEST_EXIT_EXCEPTION);
}

static void
add_task(const char *role, const char *name, size_t n, mach_port_t port)
{
	struct task *t = &tasks[ntasks];
	mach_port_t previous;
	char text[GUEST_NAME_SIZE];

	must(ntasks == MAX_TASKS || n >= sizeof(t->name) - 5, "add_task");
	ntasks++;
	memcpy(t->name, name, n);
	t->port = port;
	t->is_held = strncmp(role, "held:", 5) == 0;
	t->must_pass = strncmp(role, "test:", 5) == 0;
	to_pass += t->must_pass;
	t->requests = make_port();
	must(task_set_special_port(port, TASK_BOOTSTRAP_PORT, t->requests),
	     "TASK_BOOTSTRAP_PORT");
	must(task_set_special_port(port, TASK_EXCEPTION_PORT, exceptions),
	     "TASK_EXCEPTION_PORT");
	must(mach_port_request_notification(
		     mach_task_self(), port, MACH_NOTIFY_DEAD_NAME, 1, notify,
		     MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous),
	     "MACH_NOTIFY_DEAD_NAME");
	bare_snprintf(text, sizeof(text), "task:%s", t->name);
	publish(text, port);
	/* A reference for the name, another for us. */
	must(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND,
				1),
	     "mach_port_mod_refs");
}

/* ROLE:NAME=TASK */
static void
read_argument(const char *s)
{
	const char *name = strchr(s, ':'), *value = strchr(s, '=');
	uint32_t port;

	if (!name)
		return;
	name++;
	must(!value || !bare_parse_number(value + 1, &port), s);
	add_task(s, name, (size_t)(value - name), port);
}

static void
take(union request *m)
{
	mach_port_t at = m->header.msgh_local_port;

	if (at == exceptions)
		raised(&m->exception);
	if (at == notify) {
		if (m->header.msgh_id == MACH_NOTIFY_DEAD_NAME)
			died(m->dead.not_port);
		return;
	}
	for (unsigned int i = 0; i < ntasks; i++)
		if (tasks[i].requests == at)
			handle(&tasks[i], &m->guest);
}

static _Noreturn void
time_is_over(void)
{
	for (unsigned int i = 0; i < ntasks; i++)
		if (tasks[i].must_pass)
			bare_printf("init: %s has not passed\n", tasks[i].name);
	for (int i = 0; i < MAX_WAITING; i++)
		if (waiting[i].right)
			bare_printf("init: somebody waits for %s\n",
				    waiting[i].name);
	for (unsigned int i = 0; i < ntasks; i++)
		if (!tasks[i].is_held && !tasks[i].may_die)
			print_threads(&tasks[i]);
	bare_printf("init: time is over\n");
	end(GUEST_EXIT_TIMEOUT);
}

int
main(int argc, char **argv)
{
	uint32_t host, master;
	vnet_nsec last;

	if (argc < 3 || !bare_parse_number(argv[1], &host) ||
	    !bare_parse_number(argv[2], &master))
		must(1, "arguments");
	must(bare_io_allow(master, EXIT_PORT, EXIT_PORT + 3), "bare_io_allow");
	must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET,
				&set),
	     "mach_port_allocate");
	exceptions = make_port();
	notify = make_port();
	publish("host-priv", host);
	publish("device-master", master);
	for (int i = 3; i < argc; i++)
		read_argument(argv[i]);
	for (unsigned int i = 0; i < ntasks; i++)
		if (!tasks[i].is_held)
			start(&tasks[i]);

	last = bare_now() +
	       bare_arg_number(argv, "timeout", 20) * VNET_NSEC_PER_SEC;
	for (;;) {
		union request m;
		vnet_nsec now = bare_now();
		mach_msg_return_t mr;

		if (now >= last)
			time_is_over();
		mr = mach_msg(&m.header, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			      sizeof(m), set,
			      (mach_msg_timeout_t)((last - now) / 1000000),
			      MACH_PORT_NULL);
		if (mr == MACH_RCV_TIMED_OUT)
			time_is_over();
		must(mr, "mach_msg");
		take(&m);
	}
}
