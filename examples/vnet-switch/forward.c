/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <vnet/switch.h>

#include "forward.h"

/* The most that one turn works off; what is left comes first in the next. */
#define EVENTS_MAX 64

/**
 * struct slot - a descriptor that may be a medium's
 * @m:		whose, or NULL
 * @generation:	counts the media that had this descriptor, from 1. epoll may
 *		return what was meant for one that has been closed meanwhile
 * @watched:	EPOLL*: what the kernel watches it for; 0 for not at all
 */
struct slot {
	struct vnet_medium *m;
	uint32_t generation;
	uint32_t watched;
};

/**
 * struct forward
 * @gate:	whoever waits for @held holds it, so that the other one, who is
 *		back at once, cannot overtake
 * @held:	the switch, and what follows here
 * @nwaiting:	of the other thread; a hint
 * @slots:	by descriptor, @nslots of them
 * @deadline:	when a tick is due
 * @event:	one that was read, and is to be taken, if @has_event
 * @has_gone:	a medium has, since forward_notice()
 * @is_noticed:	@notice_fd has been written to, since forward_notice()
 */
struct forward {
	pthread_t thread;
	pthread_mutex_t gate;
	pthread_mutex_t held;
	atomic_uint nwaiting;
	struct vnet_switch *sw;
	struct vnet_media *media;
	int epoll_fd;
	int kick_fd;
	int notice_fd;
	struct slot *slots;
	size_t nslots;
	vnet_nsec deadline;
	struct vnet_event event;
	bool has_event;
	bool has_gone;
	bool is_noticed;
	bool is_quiet;
	bool ends;
};

static vnet_nsec
read_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (vnet_nsec)t.tv_sec * VNET_NSEC_PER_SEC + (vnet_nsec)t.tv_nsec;
}

static void
lock_in_turn(struct forward *f)
{
	pthread_mutex_lock(&f->gate);
	pthread_mutex_lock(&f->held);
	pthread_mutex_unlock(&f->gate);
}

static bool
is_awaited(const struct forward *f)
{
	return atomic_load_explicit(&f->nwaiting, memory_order_relaxed) > 0;
}

/* For the thread that forwards: the gate is for when there is somebody to let
 * pass. Whoever comes too late to be seen here is seen the next time. */
static void
lock(struct forward *f)
{
	if (is_awaited(f))
		lock_in_turn(f);
	else
		pthread_mutex_lock(&f->held);
}

static void
unlock(struct forward *f)
{
	pthread_mutex_unlock(&f->held);
}

/*
 * Media and epoll
 */

static struct slot *
find_slot(struct forward *f, const struct vnet_medium *m)
{
	size_t fd = (size_t)vnet_medium_fd(m);

	return fd < f->nslots && f->slots[fd].m == m ? &f->slots[fd] : NULL;
}

/* What it wants becomes what it is watched for. */
static int
update_watch(struct forward *f, struct slot *s)
{
	unsigned int wants = vnet_medium_wants(s->m);
	int fd = vnet_medium_fd(s->m);
	struct epoll_event e = {
		.events = (wants & VNET_MEDIUM_READ ? EPOLLIN : 0u) |
			  (wants & VNET_MEDIUM_WRITE ? EPOLLOUT : 0u),
		.data.u64 = (uint64_t)s->generation << 32 | (uint32_t)fd,
	};
	int op = EPOLL_CTL_MOD;

	if (e.events == s->watched)
		return 0;
	if (!s->watched)
		op = EPOLL_CTL_ADD;
	else if (!e.events)
		op = EPOLL_CTL_DEL;
	if (epoll_ctl(f->epoll_fd, op, fd, &e) < 0)
		return -errno;
	s->watched = e.events;
	return 0;
}

static int
grow(struct forward *f, size_t fd)
{
	size_t n = f->nslots ? f->nslots : 64;
	struct slot *slots;

	while (n <= fd)
		n *= 2;
	slots = realloc(f->slots, n * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memset(&slots[f->nslots], 0, (n - f->nslots) * sizeof(*slots));
	f->slots = slots;
	f->nslots = n;
	return 0;
}

int
forward_watch(struct forward *f, struct vnet_medium *m)
{
	size_t fd = (size_t)vnet_medium_fd(m);
	struct slot *s;
	int r = fd < f->nslots ? 0 : grow(f, fd);

	if (r)
		return r;
	s = &f->slots[fd];
	s->m = m;
	s->generation++;
	s->watched = 0;
	r = update_watch(f, s);
	if (r)
		s->m = NULL;
	return r;
}

void
forward_unwatch(struct forward *f, struct vnet_medium *m)
{
	struct slot *s = find_slot(f, m);

	if (!s)
		return;
	if (s->watched)
		epoll_ctl(f->epoll_fd, EPOLL_CTL_DEL, vnet_medium_fd(m), NULL);
	s->watched = 0;
	s->m = NULL;
}

/*
 * What is to be noticed
 */

static void
write_eventfd(int fd)
{
	ssize_t r;

	do
		r = write(fd, &(uint64_t){1}, sizeof(uint64_t));
	while (r < 0 && errno == EINTR);
}

static void
read_eventfd(int fd)
{
	uint64_t n;
	ssize_t r;

	do
		r = read(fd, &n, sizeof(n));
	while (r < 0 && errno == EINTR);
}

static void
give_notice(struct forward *f)
{
	if (!f->has_event && !f->is_quiet) {
		f->event.size = sizeof(f->event);
		f->has_event = vnet_switch_event(f->sw, &f->event) == 1;
	}
	if (f->is_noticed || !(f->has_event || f->has_gone))
		return;
	f->is_noticed = true;
	write_eventfd(f->notice_fd);
}

int
forward_notice_fd(const struct forward *f)
{
	return f->notice_fd;
}

bool
forward_notice(struct forward *f)
{
	bool has_gone = f->has_gone;

	if (f->is_noticed)
		read_eventfd(f->notice_fd);
	f->is_noticed = false;
	f->has_gone = false;
	return has_gone;
}

int
forward_event(struct forward *f, struct vnet_event *event)
{
	if (f->has_event) {
		*event = f->event;
		f->has_event = false;
		return 1;
	}
	event->size = sizeof(*event);
	return vnet_switch_event(f->sw, event) == 1;
}

void
forward_set_quiet(struct forward *f, bool quiet)
{
	f->is_quiet = quiet;
}

/*
 * The loop
 */

/* Whoever has used the switch leaves the kernel and the other thread with what
 * has come of it. */
static void
settle(struct forward *f)
{
	struct vnet_medium *m;

	while ((m = vnet_media_next_changed(f->media))) {
		struct slot *s = find_slot(f, m);

		if (!s)
			continue;
		if (vnet_medium_error(m))
			f->has_gone = true;
		/* To change what is there needs no memory. */
		update_watch(f, s);
	}
	give_notice(f);
	f->deadline = vnet_switch_deadline(f->sw);
}

/* The thread that forwards may hold it for milliseconds, where frames are
 * flooded to a thousand ports: it lets go between media when asked to. */
void
forward_lock(struct forward *f)
{
	atomic_fetch_add_explicit(&f->nwaiting, 1, memory_order_relaxed);
	lock_in_turn(f);
	atomic_fetch_sub_explicit(&f->nwaiting, 1, memory_order_relaxed);
}

void
forward_unlock(struct forward *f)
{
	vnet_nsec before = f->deadline;

	settle(f);
	/* It sleeps until then, or is about to. */
	if (f->deadline < before)
		write_eventfd(f->kick_fd);
	unlock(f);
}

static void
work_off(struct forward *f, const struct epoll_event *e, vnet_nsec now)
{
	uint32_t fd = (uint32_t)e->data.u64;
	uint32_t generation = (uint32_t)(e->data.u64 >> 32);
	const struct slot *s;

	if (generation == 0) {
		if ((int)fd == f->kick_fd)
			read_eventfd(f->kick_fd);
		else
			vnet_media_ready(f->media);
		return;
	}
	/* They do not get fewer. */
	s = &f->slots[fd];
	if (s->generation == generation && s->m)
		vnet_medium_ready(s->m,
				  e->events & (EPOLLIN | EPOLLERR | EPOLLHUP),
				  e->events & EPOLLOUT, now);
}

/* Returns when the next turn is due, 0 for no more turns. The time is read with
 * the lock, so that it is not before what the other thread has read. */
static vnet_nsec
turn(struct forward *f, const struct epoll_event *e, int n, vnet_nsec *now)
{
	vnet_nsec deadline;

	lock(f);
	*now = read_clock();
	if (*now >= f->deadline)
		vnet_switch_tick(f->sw, *now);
	for (int i = 0; i < n; i++) {
		if (is_awaited(f)) {
			settle(f);
			unlock(f);
			lock(f);
			*now = read_clock();
		}
		work_off(f, &e[i], *now);
	}
	settle(f);
	/* What is due at once says so by a time that may be 0. */
	deadline = f->deadline ? f->deadline : 1;
	if (f->ends)
		deadline = 0;
	unlock(f);
	return deadline;
}

static int
timeout(vnet_nsec deadline, vnet_nsec now)
{
	if (deadline == VNET_NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	/* Rounded up: to wake too early would be to wake twice. */
	deadline = (deadline - now + 999999) / 1000000;
	return deadline < 3600000 ? (int)deadline : 3600000;
}

static void *
run(void *arg)
{
	struct epoll_event e[EVENTS_MAX];
	struct forward *f = arg;
	vnet_nsec now, deadline = turn(f, NULL, 0, &now);

	while (deadline) {
		int n = epoll_wait(f->epoll_fd, e, EVENTS_MAX,
				   timeout(deadline, now));

		deadline = turn(f, e, n < 0 ? 0 : n, &now);
	}
	return NULL;
}

static int
watch_own(struct forward *f, int fd)
{
	struct epoll_event e = {
		.events = EPOLLIN,
		.data.u64 = (uint32_t)fd,
	};

	return epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* Signals are for the other thread. */
static int
start_thread(struct forward *f, int cpu, struct complaint *c)
{
	sigset_t all, before;
	pthread_attr_t attr;
	cpu_set_t cpus;
	int r;

	CPU_ZERO(&cpus);
	if (cpu >= CPU_SETSIZE)
		return complain(c, -EINVAL,
				"cpu: found %d, expected at most %d", cpu,
				CPU_SETSIZE - 1);
	r = -pthread_attr_init(&attr);
	if (r)
		return complain(c, r, "no memory for a thread");
	if (cpu >= 0) {
		CPU_SET((size_t)cpu, &cpus);
		pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&f->thread, &attr, run, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (r == -EINVAL && cpu >= 0)
		return complain(c, r, "cpu: there is no processor %d for us",
				cpu);
	if (r)
		return complain(c, r, "cannot start a thread: %s",
				strerror(-r));
	pthread_setname_np(f->thread, "forward");
	return 0;
}

int
forward_create(struct forward **forward, struct vnet_switch *sw,
	       struct vnet_media *media, int cpu, struct complaint *c)
{
	struct forward *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return complain(c, -ENOMEM, "no memory");
	f->sw = sw;
	f->media = media;
	f->deadline = VNET_NEVER;
	pthread_mutex_init(&f->gate, NULL);
	pthread_mutex_init(&f->held, NULL);
	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	f->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->notice_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->epoll_fd < 0 || f->kick_fd < 0 || f->notice_fd < 0) {
		r = complain(c, -errno, "no descriptors: %s", strerror(errno));
		goto close;
	}
	r = watch_own(f, f->kick_fd);
	if (!r)
		r = watch_own(f, vnet_media_fd(media));
	if (r) {
		complain(c, r, "epoll: %s", strerror(-r));
		goto close;
	}
	r = start_thread(f, cpu, c);
	if (r)
		goto close;
	*forward = f;
	return 0;

close:
	if (f->notice_fd >= 0)
		close(f->notice_fd);
	if (f->kick_fd >= 0)
		close(f->kick_fd);
	if (f->epoll_fd >= 0)
		close(f->epoll_fd);
	free(f);
	return r;
}

void
forward_destroy(struct forward *f)
{
	if (!f)
		return;
	forward_lock(f);
	f->ends = true;
	unlock(f);
	write_eventfd(f->kick_fd);
	pthread_join(f->thread, NULL);
	close(f->notice_fd);
	close(f->kick_fd);
	close(f->epoll_fd);
	pthread_mutex_destroy(&f->gate);
	pthread_mutex_destroy(&f->held);
	free(f->slots);
	free(f);
}
