/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet-run: runs a command whose device master is another one (GNU Hurd).
 *
 *	vnet-run -M /dev/vnet -- settrans -fga /servers/socket/2 /hurd/pfinet -i vif0
 *
 * It stands between the command, with all that it starts, and the proc server
 * (<vnet/mach_proxy.h>), until the last of them has ended.
 */
#include <argp.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <hurd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hurd/process.h>

#include <vnet/mach_proxy.h>
#include <vnet/malloc.h>

/* Exit status, as that of env(1). */
enum { FAILED = 125, CANNOT_RUN = 126 };

/* Where a name for the child's process right is looked for, in its task. */
#define FIRST_NAME 0x7000
#define LAST_NAME  0x7fff

struct options {
	const char *master;
	char **command;
};

static const struct argp_option list[] = {
	{"master-device", 'M', "FILE", 0,
	 "What opens devices by name, as vnet-translator --master", 0},
	{0},
};

static error_t
parse(int key, char *value, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'M':
		o->master = value;
		return 0;
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!o->master || !o->command)
			argp_error(state, "expected -M FILE -- COMMAND");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static _Noreturn void
die(const char *what, error_t err)
{
	error(FAILED, err, "%s", what);
	abort();
}

static vnet_nsec
now(void *ctx)
{
	struct timespec t;

	(void)ctx;
	if (clock_gettime(CLOCK_MONOTONIC, &t))
		clock_gettime(CLOCK_REALTIME, &t);
	return (vnet_nsec)t.tv_sec * VNET_NSEC_PER_SEC + (vnet_nsec)t.tv_nsec;
}

/* In the child: wait for the name of what its process right is to be, and become
 * the command. */
static _Noreturn void
run(int from_parent, char **command)
{
	mach_port_t wrapper;

	if (read(from_parent, &wrapper, sizeof(wrapper)) != sizeof(wrapper))
		_exit(FAILED); /* the parent has said why */
	close(from_parent);
	if (setproc(wrapper))
		die("setproc", errno);
	execvp(command[0], command);
	error(CANNOT_RUN, errno, "%s", command[0]);
	_exit(CANNOT_RUN);
}

/* Give the right to a task, under a name that it has not used. */
static mach_port_t
insert(task_t task, mach_port_t right)
{
	for (mach_port_t name = FIRST_NAME; name <= LAST_NAME; name++)
		if (!mach_port_insert_right(task, name, right,
					    MACH_MSG_TYPE_MOVE_SEND))
			return name;
	die("no name for the process right", 0);
}

static void
wrap(struct vnet_proxy *proxy, pid_t child, int to_child)
{
	process_t proc = getproc();
	mach_port_t real, wrapper, name;
	task_t task;
	error_t err = proc_pid2task(proc, child, &task);
	int r;

	if (!err)
		err = proc_task2proc(proc, task, &real);
	if (err)
		die("the process right of the command", err);
	r = vnet_proxy_wrap(proxy, real, NULL, &wrapper);
	if (r)
		die("the process right of the command", -r);
	name = insert(task, wrapper);
	mach_port_deallocate(mach_task_self(), task);
	mach_port_deallocate(mach_task_self(), proc);
	if (write(to_child, &name, sizeof(name)) != sizeof(name))
		die("the command", errno);
}

static struct vnet_proxy *
create(const char *master)
{
	static struct vnet_alloc alloc;
	struct vnet_proxy_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.now = now,
		.device_master = file_name_lookup(master, O_READ | O_WRITE, 0),
		.auth = getauth(),
	};
	struct vnet_proxy *proxy;
	struct vnet_why why;

	if (config.device_master == MACH_PORT_NULL)
		die(master, errno);
	alloc = vnet_malloc();
	if (vnet_proxy_create(&proxy, &config, &why))
		die(why.text, 0);
	return proxy;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {
		list,
		parse,
		"-- COMMAND [ARGUMENT]...",
		"Run COMMAND with another device master.",
		NULL,
		NULL,
		NULL};
	struct options o = {NULL, NULL};
	struct vnet_proxy *proxy;
	int pipes[2], status, r;
	pid_t child;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	proxy = create(o.master);
	if (pipe(pipes))
		die("pipe", errno);
	child = fork();
	if (child < 0)
		die("fork", errno);
	if (child == 0) {
		close(pipes[1]);
		run(pipes[0], o.command);
	}
	close(pipes[0]);
	/* They are for the command, which is in the same group. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	wrap(proxy, child, pipes[1]);
	close(pipes[1]);
	r = vnet_proxy_serve(proxy);
	if (r)
		die("the proxy", -r);
	if (waitpid(child, &status, 0) != child)
		die("waitpid", errno);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
