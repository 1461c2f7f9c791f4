/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot chain, with a server that is the device master of the whole system, and
 * a task in the place of the root filesystem, which does what the real one does.
 * The test is what is around them: the boot script, the proc server, whoever is
 * before us, and the kernel itself.
 *
 *	first		kernel <- server <- filesystem
 *	in the middle	kernel <- test <- server <- filesystem
 */
#include <errno.h>

#include <mach/task_info.h>
#include <mach/task_special_ports.h>

#include <device/device.h>
#include <mach/i386/mach_i386.h>
#include <vnet/mach_boot.h>

#include "guest/post.h"
#include "guest/service.h"

enum {
	FSYS_STARTUP = 22000,
	FSYS_GOAWAY = 22001,
	FSYS_GETPRIV = 22006,
	FSYS_INIT = 22007,
	FSYS_GET_SOURCE = 22011,
	PROC_CHILD = 24012,
	PROC_TASK2PROC = 24031,
	PROC_MARK_IMPORTANT = 24053,
};

#define FAILED 0x40000005

static const struct vif vifs[] = {{.name = "vif0"}};
static struct service service = {.vifs = vifs, .nvifs = 1};

/* Of the test, under the same names in the filesystem. */
static mach_port_t init, host, device_master, back, proc, auth, control;

/*
 * In the task of the server
 */

static struct vnet_boot *boot;
static struct vnet_mach_master *master_of_all;
static struct server *server;
static uint32_t nstarted, nnames;
static volatile bool is_stopping, has_stopped;

static vnet_nsec
now(void *ctx)
{
	(void)ctx;
	return bare_now();
}

/* A thread with a loop of its own; others serve devices. */
static void
run(void *arg)
{
	static uint64_t msg[1024];
	mach_msg_header_t *in = (mach_msg_header_t *)msg;
	mig_reply_header_t out;
	mach_msg_return_t r;

	(void)arg;
	while (!is_stopping) {
		r = mach_msg(in, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			     sizeof(msg), vnet_boot_port_set(boot), 20,
			     MACH_PORT_NULL);
		vnet_boot_tick(boot);
		if (r == MACH_RCV_TIMED_OUT)
			continue;
		CHECK_OK(r);
		CHECK(vnet_boot_demux(boot, in, &out.Head));
		CHECK_EQ(out.RetCode, MIG_NO_REPLY);
	}
	has_stopped = true;
}

/* A device master with @real behind it: a send right to it. */
static mach_port_t
make_master(mach_port_t real)
{
	const struct vnet_mach_master_config config = {
		.size = sizeof(config),
		.real = real,
	};
	const struct vnet_mach_name names = {
		.size = sizeof(names),
		.name = "vif",
		.is_prefix = true,
	};
	mach_port_t right;

	CHECK(!vnet_mach_master_add(server->m, &config, &master_of_all, NULL));
	CHECK(!vnet_mach_master_name(master_of_all, &names, NULL));
	right = vnet_mach_master_right(master_of_all);
	CHECK_OK(mach_port_insert_right(mach_task_self(), right, right,
					MACH_MSG_TYPE_MAKE_SEND));
	return right;
}

static mach_port_t
ready(void *ctx, mach_port_t host_priv, mach_port_t real)
{
	(void)ctx;
	if (!MACH_PORT_VALID(real))
		return MACH_PORT_NULL;
	CHECK(MACH_PORT_VALID(host_priv));
	return make_master(real);
}

static void
started(void *ctx, mach_port_t own_proc, mach_port_t own_auth)
{
	(void)ctx;
	CHECK(MACH_PORT_VALID(own_proc) && MACH_PORT_VALID(own_auth));
	nstarted++;
}

static int
begin_boot(struct server *s, uint32_t is_middle)
{
	struct vnet_boot_config config = {
		.size = sizeof(config),
		.alloc = &bare_alloc,
		.now = now,
		.task = mach_task_self(),
		.ready = ready,
		.started = started,
	};
	mach_port_t fs;

	nnames = guest_count_names(mach_task_self());
	fs = guest_lookup("filesystem");
	server = s;
	if (is_middle) {
		config.bootstrap = guest_lookup("upper");
	} else {
		config.host_priv = guest_lookup("host-priv");
		config.master = make_master(guest_lookup("device-master"));
	}
	/* It takes what it is given. */
	CHECK_OK(mach_port_mod_refs(mach_task_self(), config.task,
				    MACH_PORT_RIGHT_SEND, 1));
	CHECK(!vnet_boot_create(&boot, &config, NULL));
	CHECK(!vnet_boot_start(boot, fs));
	CHECK_EQ(vnet_boot_start(boot, config.task), -EINVAL);
	CHECK_OK(mach_port_deallocate(mach_task_self(), fs));
	CHECK_OK(bare_thread_create(NULL, 0, run, NULL));
	return 0;
}

static int
get_nstarted(struct server *s, uint32_t arg)
{
	(void)s;
	(void)arg;
	return (int)nstarted;
}

/* End all of it. Return: how many names are left. */
static int
end_boot(struct server *s, uint32_t arg)
{
	(void)s;
	(void)arg;
	is_stopping = true;
	while (!has_stopped)
		bare_sleep_ms(10);
	vnet_boot_destroy(boot);
	/* With its last client the device goes, too. */
	if (master_of_all)
		vnet_mach_master_remove(master_of_all);
	for (int i = 0; i < 50; i++) {
		if (guest_count_names(mach_task_self()) == nnames)
			return 0;
		bare_sleep_ms(10);
	}
	guest_print_names(mach_task_self());
	return (int)(guest_count_names(mach_task_self()) - nnames);
}

/*
 * In the task of the filesystem
 */

static void
say(mach_msg_id_t id)
{
	struct post p;

	post_request(&p, back, MACH_PORT_NULL, id);
	post_send(&p);
}

/* Devices, through the master that it was given. */
static void
use_devices(mach_port_t master)
{
	int status[NET_STATUS_COUNT];
	mach_msg_type_number_t n = NET_STATUS_COUNT;
	mach_port_t device, ours, perm;

	ours = client_open(master, "vif0");
	CHECK_OK(device_get_status(ours, NET_STATUS, status, &n));
	CHECK_EQ(status[1], 1514);
	/* The kernel's: the same right as without us between. */
	CHECK(client_open(master, "time") ==
	      client_open(device_master, "time"));
	CHECK_EQ(device_open(master, D_READ, (char[128]){"nonesuch"}, &device),
		 D_NO_SUCH_DEVICE);
	/* Whatever is asked of a device master is passed on. */
	CHECK_OK(i386_io_perm_create(master, 0xe9, 0xe9, &perm));
	CHECK(MACH_PORT_VALID(perm));
	CHECK_EQ(i386_io_perm_create(host, 0xe9, 0xe9, &perm),
		 KERN_INVALID_ARGUMENT);
}

static mach_port_t
get_priv(mach_port_t chain, mach_port_t reply)
{
	struct task_basic_info info;
	mach_msg_type_number_t n = TASK_BASIC_INFO_COUNT;
	mach_port_t master, task;
	struct post p;
	struct got g;

	post_request(&p, chain, reply, FSYS_GETPRIV);
	post_send(&p);
	got_at(&g, reply, FSYS_GETPRIV + 100);
	CHECK_EQ(g.head->msgh_size, 56);
	CHECK_EQ(got_int(&g), 0);
	CHECK_EQ(got_right(&g), host);
	master = got_right(&g);
	CHECK(MACH_PORT_VALID(master) && master != device_master);
	/* As it asserts: it enters us at the proc server by that. */
	task = got_right(&g);
	CHECK(MACH_PORT_VALID(task) && task != mach_task_self());
	CHECK_OK(task_info(task, TASK_BASIC_INFO, (task_info_t)&info, &n));
	got_all(&g);
	return master;
}

static void
start_up(mach_port_t chain, mach_port_t reply)
{
	struct post p;
	struct got g;

	post_request(&p, chain, reply, FSYS_STARTUP);
	post_int(&p, 3);
	post_right(&p, control, MACH_MSG_TYPE_COPY_SEND);
	post_send(&p);
	got_at(&g, reply, FSYS_STARTUP + 100);
	CHECK_EQ(g.head->msgh_size, 40);
	CHECK_EQ(got_int(&g), 0);
	CHECK_EQ(got_right(&g), MACH_PORT_NULL);
	got_all(&g);
}

static kern_return_t
bring_proc(mach_port_t chain, mach_port_t reply, bool is_complex)
{
	/* In a message that the kernel does not see to, it would be a name of
	 * the server's, and look as if it had been received. */
	const mach_msg_type_name_t type =
		is_complex ? MACH_MSG_TYPE_COPY_SEND : MACH_MSG_TYPE_MOVE_SEND;
	struct post p;
	struct got g;

	post_request(&p, chain, reply, FSYS_INIT);
	post_right(&p, proc, type);
	post_right(&p, auth, type);
	p.w.is_complex = is_complex;
	post_send(&p);
	got_at(&g, reply, FSYS_INIT + 100);
	CHECK_EQ(g.head->msgh_size, 32);
	return (kern_return_t)got_int(&g);
}

/* What is not for us: its code. */
static kern_return_t
ask_other(mach_port_t chain, mach_port_t reply, mach_msg_id_t id)
{
	struct post p;
	struct got g;

	post_request(&p, chain, reply, id);
	post_int(&p, 5);
	post_right(&p, back, MACH_MSG_TYPE_COPY_SEND);
	post_send(&p);
	got_at(&g, reply, id + 100);
	return (kern_return_t)got_int(&g);
}

/* @arg: in the middle of the chain, where there is no master if it is 2. */
static void
filesystem(void *arg)
{
	mach_port_t chain, master, reply = mach_reply_port();
	const uint32_t place = *(const uint32_t *)arg;
	mach_msg_id_t id;
	struct post p;
	struct got g;

	CHECK_OK(task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT,
				       &chain));
	/* So that it can say what is wrong. */
	CHECK_OK(task_set_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT,
				       init));
	CHECK(MACH_PORT_VALID(chain) && chain != init);
	if (place == 2) {
		post_request(&p, chain, reply, FSYS_GETPRIV);
		post_send(&p);
		got_at(&g, reply, FSYS_GETPRIV + 100);
		CHECK_EQ((kern_return_t)got_int(&g), KERN_FAILURE);
		say(1);
		return;
	}
	master = get_priv(chain, reply);
	use_devices(master);
	start_up(chain, reply);
	for (id = FSYS_GOAWAY; id <= FSYS_GET_SOURCE; id++) {
		if (id != FSYS_GETPRIV && id != FSYS_INIT)
			CHECK_EQ(ask_other(chain, reply, id), MIG_BAD_ID);
	}
	CHECK_EQ(ask_other(chain, reply, FSYS_GETPRIV), MIG_BAD_ARGUMENTS);
	CHECK_EQ(ask_other(chain, reply, FSYS_INIT), MIG_BAD_ARGUMENTS);
	CHECK_EQ(bring_proc(chain, reply, false), MIG_BAD_ARGUMENTS);
	CHECK_EQ(bring_proc(chain, reply, true), 0);
	CHECK_EQ(bring_proc(chain, reply, true), 0x4000002d); /* EOPNOTSUPP */
	/* Again, in any order. */
	start_up(chain, reply);
	CHECK_EQ(get_priv(chain, reply), master);
	say(1);
}

/*
 * In the test
 */

/* The boot script: it makes the filesystem's task, and leaves it suspended. */
static void
load(uint32_t place, uint32_t is_middle)
{
	static uint32_t where;
	mach_port_t fs;

	where = place;
	CHECK_OK(bare_task_fork(&fs, filesystem, &where));
	CHECK_OK(bare_task_give(fs, init));
	CHECK_OK(bare_task_give(fs, host));
	CHECK_OK(bare_task_give(fs, device_master));
	CHECK_OK(bare_task_give(fs, back));
	CHECK_OK(bare_task_give(fs, proc));
	CHECK_OK(bare_task_give(fs, auth));
	CHECK_OK(bare_task_give(fs, control));
	guest_publish("filesystem", fs);
	service_start(&service);
	CHECK_EQ(service_call(&service, begin_boot, is_middle), 0);
	guest_withdraw("filesystem");
	CHECK_OK(mach_port_deallocate(mach_task_self(), fs));
}

static void
unload(void)
{
	/* It keeps nothing of what it was brought. */
	port_wait_deserted(proc, 1);
	port_wait_deserted(auth, 1);
	port_wait_deserted(control, 1);
	CHECK_EQ(service_call(&service, end_boot, 0), 0);
	service_kill(&service);
	CHECK_OK(mach_port_deallocate(mach_task_self(), service.master));
	port_end(proc);
	port_end(auth);
	port_end(control);
}

static void
make_rights(void)
{
	proc = port_new();
	auth = port_new();
	control = port_new();
}

/* The proc server hears that the server is important. */
static void
expect_important(void)
{
	struct post p;
	struct got g;

	got_at(&g, proc, PROC_MARK_IMPORTANT);
	CHECK_EQ(g.head->msgh_size, 24);
	post_answer(&p, &g, 0);
	post_send(&p);
}

static void
check_first(void)
{
	struct got g;

	make_rights();
	load(0, false);
	expect_important();
	got_at(&g, back, 1);
	CHECK_EQ(service_call(&service, get_nstarted, 0), 1);
	got_nothing(proc, 20);
	unload();
}

/* Who is before the server gives what it has of the kernel. */
static void
give_priv(mach_port_t upper, bool is_given)
{
	struct post p;
	struct got g;

	got_at(&g, upper, FSYS_GETPRIV);
	CHECK_EQ(g.head->msgh_size, 24);
	post_answer(&p, &g, is_given ? 0 : FAILED);
	if (is_given) {
		post_right(&p, host, MACH_MSG_TYPE_COPY_SEND);
		post_right(&p, device_master, MACH_MSG_TYPE_COPY_SEND);
		post_right(&p, mach_task_self(), MACH_MSG_TYPE_COPY_SEND);
	}
	post_send(&p);
}

/* It hears of the filesystem's control right from the filesystem. */
static void
take_startup(mach_port_t upper)
{
	struct post p;
	struct got g;

	got_at(&g, upper, FSYS_STARTUP);
	CHECK_EQ(g.head->msgh_size, 40);
	CHECK_EQ(got_int(&g), 3);
	CHECK_EQ(got_right(&g), control);
	got_all(&g);
	port_drop(control, 1);
	post_answer(&p, &g, 0);
	post_right(&p, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
	post_send(&p);
}

/* The proc server is asked for the right of who is before the server. */
static void
enter_parent(mach_port_t parent_proc)
{
	struct post p;
	struct got g;

	expect_important();
	for (mach_msg_id_t id = PROC_CHILD;; id = PROC_TASK2PROC) {
		got_at(&g, proc, id);
		CHECK_EQ(g.head->msgh_size, 32);
		CHECK_EQ(got_right(&g), mach_task_self());
		got_all(&g);
		port_drop(mach_task_self(), 1);
		/* That it is a child already is nothing to stop for. */
		post_answer(&p, &g, id == PROC_CHILD ? FAILED : 0);
		if (id == PROC_TASK2PROC)
			post_right(&p, parent_proc, MACH_MSG_TYPE_MAKE_SEND);
		post_send(&p);
		if (id == PROC_TASK2PROC)
			break;
	}
}

/* And brings it. */
static void
take_init(mach_port_t upper, mach_port_t parent_proc)
{
	struct post p;
	struct got g;

	got_at(&g, upper, FSYS_INIT);
	CHECK_EQ(g.head->msgh_size, 40);
	CHECK_EQ(got_right(&g), parent_proc);
	CHECK_EQ(got_right(&g), auth);
	got_all(&g);
	port_drop(parent_proc, 1);
	port_drop(auth, 1);
	post_answer(&p, &g, 0);
	post_send(&p);
	port_wait_deserted(parent_proc, 1);
}

static void
check_middle(bool is_busy)
{
	mach_port_t upper = port_new(), parent_proc = port_new();
	struct post p;
	struct got g;

	make_rights();
	guest_publish("upper", upper);
	load(1, true);
	guest_withdraw("upper");
	/* The filesystem runs already, and waits. */
	got_nothing(back, 50);
	give_priv(upper, true);
	if (is_busy) {
		for (int i = 0; i < 5; i++) {
			post_request(&p, upper, MACH_PORT_NULL, 1);
			post_send(&p);
		}
		got_nothing(back, 50);
		for (int i = 0; i < 5; i++)
			got_at(&g, upper, 1);
	}
	take_startup(upper);
	take_startup(upper);
	got_at(&g, back, 1);
	/* For the rest the filesystem has not waited. */
	enter_parent(parent_proc);
	take_init(upper, parent_proc);
	unload();
	port_wait_deserted(upper, 1);
	port_end(upper);
	port_end(parent_proc);
}

/* Who is before the server has nothing for it, or dies: nor has it then. */
static void
check_nothing_given(bool is_dead)
{
	mach_port_t upper = port_new();
	struct got g;

	make_rights();
	guest_publish("upper", upper);
	load(2, true);
	guest_withdraw("upper");
	if (is_dead)
		port_end(upper);
	else
		give_priv(upper, false);
	got_at(&g, back, 1);
	unload();
	if (!is_dead)
		port_end(upper);
}

int
main(int argc, char **argv)
{
	uint32_t own;

	(void)argc;
	(void)argv;
	CHECK_OK(task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT,
				       &init));
	host = guest_lookup("host-priv");
	device_master = guest_lookup("device-master");
	back = port_new();
	check_first();
	own = guest_count_names(mach_task_self());
	check_first();
	check_middle(false);
	check_middle(true);
	check_nothing_given(false);
	check_nothing_given(true);
	CHECK_EQ(guest_count_names(mach_task_self()), own);
	guest_pass();
}
