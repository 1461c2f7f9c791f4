/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet-mach-supervisor --switch=TASK [--host-priv-port=N --next-task=TASK]: keeps
 * a switch running (vnet-mach(8)).
 *
 *	clients --- master right --- switch, a copy of TASK
 *	                  \             | bootstrap port
 *	                   +------- supervisor
 *
 * The receive right of the master is ours. Each switch gets it when it has
 * started, and with the end of the switch, however that comes, the kernel sends it
 * back to us (MACH_NOTIFY_PORT_DESTROYED): to those who hold send rights it never
 * dies, and what they ask meanwhile waits in its queue for the next switch.
 */
#include <string.h>

#include <mach/notify.h>
#include <mach/task_special_ports.h>

#include <bare.h>

#include "boot_chain.h"
#include "handover.h"
#include "template.h"

/* A switch that lives for less than a second is started again later and later. */
#define FIRST_DELAY (VNET_NSEC_PER_SEC / 10)
#define LAST_DELAY  (5 * VNET_NSEC_PER_SEC)

/**
 * struct supervisor
 * @bootstrap:	our own: who gets the master
 * @host_priv, @next_task: or else the next one of the boot chain does
 * @template:	of switches
 * @set:	@claims and @notify
 * @claims:	the bootstrap port of switches
 * @master:	the name of our rights to it
 * @has_master:	the receive right is here, not at a switch
 * @was_claimed: a switch has come so far: its arguments are right
 * @task:	the switch, MACH_PORT_NULL while there is none
 * @started:	when it was
 * @next:	when another one is to be, VNET_NEVER while there is one
 */
struct supervisor {
	mach_port_t bootstrap;
	mach_port_t host_priv;
	mach_port_t next_task;
	mach_port_t template;
	mach_port_t set;
	mach_port_t claims;
	mach_port_t notify;
	mach_port_t master;
	bool has_master;
	bool was_claimed;
	mach_port_t task;
	vnet_nsec started;
	vnet_nsec next;
	vnet_nsec delay;
};

union message {
	mach_msg_header_t header;
	mach_dead_name_notification_t dead;
	mach_port_destroyed_notification_t destroyed;
	char room[1024];
};

static _Noreturn void
die(const char *what, kern_return_t kr)
{
	if (kr)
		bare_printf("vnet-mach-supervisor: %s: 0x%x\n", what,
			    (unsigned int)kr);
	else
		bare_printf("vnet-mach-supervisor: %s\n", what);
	bare_exit();
}

static void
must(kern_return_t kr, const char *what)
{
	if (kr)
		die(what, kr);
}

static mach_port_t
make_right(struct supervisor *s, bool is_watched)
{
	const mach_port_t self = mach_task_self();
	mach_port_t name;

	must(mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &name),
	     "mach_port_allocate");
	must(mach_port_insert_right(self, name, name, MACH_MSG_TYPE_MAKE_SEND),
	     "mach_port_insert_right");
	if (is_watched)
		must(mach_port_move_member(self, name, s->set),
		     "mach_port_move_member");
	return name;
}

static void
request(const struct supervisor *s, mach_port_t name, mach_msg_id_t id,
	mach_port_mscount_t sync)
{
	mach_port_t previous = MACH_PORT_NULL;

	must(mach_port_request_notification(
		     mach_task_self(), name, id, sync, s->notify,
		     MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous),
	     "mach_port_request_notification");
	if (previous != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), previous);
}

static void
parse(struct supervisor *s, char *const *argv)
{
	static const char *const known[] = {
		"--switch=", "--host-priv-port=", "--next-task="};

	for (int i = 1; argv[i]; i++) {
		size_t k = 0;

		while (k < 3 &&
		       strncmp(argv[i], known[k], strlen(known[k])) != 0)
			k++;
		if (k == 3) {
			bare_printf("vnet-mach-supervisor: %s: unknown\n",
				    argv[i]);
			bare_exit();
		}
	}
	s->template = bare_arg_number(argv, "--switch", MACH_PORT_NULL);
	s->host_priv =
		bare_arg_number(argv, "--host-priv-port", MACH_PORT_NULL);
	s->next_task = bare_arg_number(argv, "--next-task", MACH_PORT_NULL);
	if (s->template == MACH_PORT_NULL)
		die("expected --switch=TASK", 0);
}

static void
set_up(struct supervisor *s)
{
	must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET,
				&s->set),
	     "mach_port_allocate");
	s->claims = make_right(s, true);
	s->notify = make_right(s, true);
	s->master = make_right(s, false);
	s->has_master = true;
	s->delay = FIRST_DELAY;
	must(task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT,
				   &s->bootstrap),
	     "task_get_special_port");
	if (!s->next_task && !MACH_PORT_VALID(s->bootstrap))
		die("nobody to give the master to: no bootstrap port, and no "
		    "--next-task",
		    0);
}

/* Both are to be gone: the task, and its right to the master. */
static void
plan(struct supervisor *s, vnet_nsec now)
{
	if (s->task != MACH_PORT_NULL || !s->has_master)
		return;
	if (!s->was_claimed)
		die("the switch has ended before it was ready", 0);
	if (now - s->started >= VNET_NSEC_PER_SEC)
		s->delay = FIRST_DELAY;
	s->next = now + s->delay;
	s->delay = s->delay * 2 < LAST_DELAY ? s->delay * 2 : LAST_DELAY;
	bare_printf("vnet-mach-supervisor: another switch is started\n");
}

/* One that cannot be made now is made later, once there was one: whoever has the
 * master waits for it. */
static void
start(struct supervisor *s, vnet_nsec now)
{
	kern_return_t kr;

	s->started = now;
	s->next = VNET_NEVER;
	kr = template_start(s->template, s->claims, &s->task);
	if (kr && s->was_claimed) {
		plan(s, now);
		return;
	}
	must(kr, "cannot start a switch");
	request(s, s->task, MACH_NOTIFY_DEAD_NAME, 1);
}

/* Only our switches send here, and nothing that has more than a right to reply
 * to. */
static void
drop(const mach_msg_header_t *m)
{
	if (m->msgh_remote_port != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), m->msgh_remote_port);
}

/* The first switch is ready: there is a use for the master. */
static void
give_master(struct supervisor *s)
{
	struct vnet_boot_config config = {
		.host_priv = s->host_priv,
		.master = s->master,
	};
	const char *wrong;

	if (!s->next_task) {
		must(handover_give(s->bootstrap, s->master),
		     "the master is not wanted");
		return;
	}
	must(mach_port_insert_right(mach_task_self(), s->master, s->master,
				    MACH_MSG_TYPE_MAKE_SEND),
	     "mach_port_insert_right");
	wrong = boot_chain_start(&config, s->next_task);
	if (wrong)
		die(wrong, 0);
}

static void
claimed(struct supervisor *s, const mach_msg_header_t *claim)
{
	if (!s->has_master) {
		drop(claim);
		return;
	}
	if (!s->was_claimed)
		give_master(s);
	s->was_claimed = true;
	request(s, s->master, MACH_NOTIFY_PORT_DESTROYED, 0);
	/* Who has died meanwhile gives it back: at once, or as it is told. */
	s->has_master = handover_answer(claim, s->master) != KERN_SUCCESS;
	if (s->has_master)
		drop(claim);
}

/* What only the kernel says: it has send-once rights, we alone made them. */
static void
notified(struct supervisor *s, union message *m, vnet_nsec now)
{
	if (m->header.msgh_id == MACH_NOTIFY_PORT_DESTROYED &&
	    m->destroyed.not_port == s->master) {
		s->has_master = true;
		/* Without it, it is of no use. */
		if (s->task != MACH_PORT_NULL)
			task_terminate(s->task);
	} else if (m->header.msgh_id == MACH_NOTIFY_DEAD_NAME &&
		   m->dead.not_port == s->task) {
		/* Ours, and what the notification has brought. */
		mach_port_mod_refs(mach_task_self(), s->task,
				   MACH_PORT_RIGHT_DEAD_NAME, -2);
		s->task = MACH_PORT_NULL;
	}
	plan(s, now);
}

static void
wait(struct supervisor *s)
{
	union message m;
	vnet_nsec now = bare_now();
	mach_msg_option_t options = MACH_RCV_MSG;
	mach_msg_timeout_t ms = 0;

	if (s->next != VNET_NEVER) {
		options |= MACH_RCV_TIMEOUT;
		if (s->next > now)
			ms = (mach_msg_timeout_t)((s->next - now) / 1000000) +
			     1;
	}
	if (mach_msg(&m.header, options, 0, sizeof(m), s->set, ms,
		     MACH_PORT_NULL))
		return; /* the time is over, or it was too long for us */
	if (m.header.msgh_local_port == s->notify &&
	    MACH_MSGH_BITS_LOCAL(m.header.msgh_bits) ==
		    MACH_MSG_TYPE_PORT_SEND_ONCE)
		notified(s, &m, bare_now());
	else if (m.header.msgh_local_port == s->claims &&
		 m.header.msgh_id == HANDOVER_CLAIM)
		claimed(s, &m.header);
	else
		drop(&m.header);
}

int
main(int argc, char **argv)
{
	static struct supervisor s;

	(void)argc;
	parse(&s, argv);
	set_up(&s);
	for (;;) {
		vnet_nsec now = bare_now();

		if (s.next <= now)
			start(&s, now);
		wait(&s);
	}
}
