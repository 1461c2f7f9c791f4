/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network namespace is a property of a thread (namespaces(7)). Whoever enters
 * one may find that they cannot come back, having lost the right to in between,
 * and then everything that follows happens in the wrong place. So the caller
 * stays where it is: a thread that ends afterwards does the step. What it
 * opens, socket or TAP, keeps the namespace it was opened in.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/nsfs.h>

#include "netns.h"

/* A FIFO at that path must not hold us up. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static int
open_at(const char *prefix, const char *name, const char *suffix)
{
	char path[256];
	int n = snprintf(path, sizeof(path), "%s%s%s", prefix, name, suffix);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, OPEN_FLAGS);
	return fd < 0 ? -errno : fd;
}

static int
open_any(const char *where)
{
	int fd;

	if (strchr(where, '/')) {
		fd = open(where, OPEN_FLAGS);
		return fd < 0 ? -errno : fd;
	}
	if (!*where || !strcmp(where, ".") || !strcmp(where, ".."))
		return -EINVAL;
	fd = open_at("/run/netns/", where, "");
	if (fd == -ENOENT && !where[strspn(where, "0123456789")])
		fd = open_at("/proc/", where, "/ns/net");
	return fd;
}

int
vnet_netns_open(const char *where)
{
	int fd;

	if (!where)
		return NETNS_HERE;
	fd = open_any(where);
	if (fd >= 0 && ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

void
vnet_netns_close(int ns)
{
	if (ns >= 0)
		close(ns);
}

struct step {
	int ns;
	int (*fn)(void *);
	void *arg;
	int result;
};

static void *
run(void *ctx)
{
	struct step *step = ctx;

	if (setns(step->ns, CLONE_NEWNET) < 0)
		step->result = -errno;
	else
		step->result = step->fn(step->arg);
	return NULL;
}

int
vnet_netns_call(int ns, int (*fn)(void *), void *arg)
{
	struct step step = {.ns = ns, .fn = fn, .arg = arg};
	sigset_t all, old;
	pthread_t thread;
	int r;

	if (ns < 0)
		return fn(arg);
	/* The program's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&thread, NULL, run, &step);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return -r;
	pthread_join(thread, NULL);
	return step.result;
}
