/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left to be done behind a reply: the memory that clients have sent is
 * touched here, by threads that can be spared.
 */
#include "server.h"

void
vnet_mach_job_add(struct vnet_mach *m, struct vnet_mach_job *j)
{
	if (j->is_waiting)
		return;
	j->is_waiting = true;
	j->next = NULL;
	*m->jobs_end = j;
	m->jobs_end = &j->next;
	if (!m->sleepers)
		return;
	/* Pairs with the look at it in vnet_mach_work(). */
	__atomic_fetch_add(&m->work_word, 1, __ATOMIC_RELEASE);
	m->sys->wake(&m->work_word, false);
}

void
vnet_mach_jobs_end(struct vnet_mach *m)
{
	for (; m->jobs; m->jobs = m->jobs->next)
		m->jobs->is_waiting = false;
	m->jobs_end = &m->jobs;
}

/* Without the lock: it may take for ever. */
bool
vnet_mach_job_touch(struct vnet_mach *m, struct vnet_mach_job *j,
		    mach_port_t thread, void *to, vm_address_t from,
		    uint32_t len)
{
	struct vnet_mach_job **at;
	bool is_there;

	j->toucher = thread;
	j->given_up = 0;
	j->next_touching = m->touching;
	m->touching = j;
	vnet_mach_unlock(m);
	is_there = m->sys->copy(to, (const void *)from, len, &j->given_up);
	m->sys->vm_deallocate(from, len);
	vnet_mach_lock(m);
	j->toucher = MACH_PORT_NULL;
	for (at = &m->touching; *at != j; at = &(*at)->next_touching)
		;
	*at = j->next_touching;
	return is_there;
}

/* The thread may not have come to the memory yet. */
void
vnet_mach_job_interrupt(struct vnet_mach *m, struct vnet_mach_job *j)
{
	if (j->toucher == MACH_PORT_NULL)
		return;
	__atomic_store_n(&j->given_up, 1, __ATOMIC_RELEASE);
	m->sys->interrupt(j->toucher);
}

static struct vnet_mach_job *
next_job(struct vnet_mach *m)
{
	struct vnet_mach_job *j = m->jobs;

	if (!j)
		return NULL;
	m->jobs = j->next;
	if (!m->jobs)
		m->jobs_end = &m->jobs;
	j->is_waiting = false;
	return j;
}

/* Whoever holds up this thread is not to hold up the rest. */
static void
see_to_others(struct vnet_mach *m)
{
	if (!m->sleepers && !__atomic_load_n(&m->waiting, __ATOMIC_RELAXED) &&
	    m->config.want_worker)
		m->config.want_worker(m->config.ctx);
}

/* Until there is something to be done, or we are to stop. */
static void
sleep(struct vnet_mach *m)
{
	uint32_t word = __atomic_load_n(&m->work_word, __ATOMIC_ACQUIRE);

	m->sleepers++;
	vnet_mach_unlock(m);
	m->sys->wait(&m->work_word, word);
	vnet_mach_lock(m);
	m->sleepers--;
}

bool
vnet_mach_do_work(struct vnet_mach *m, bool wait, mach_port_t thread)
{
	struct vnet_mach_job *j;
	bool did_any = false;

	if (thread == MACH_PORT_NULL)
		return false;
	/* Nothing is missed: who makes work does so before it comes here. */
	if (!wait && !__atomic_load_n(&m->jobs, __ATOMIC_RELAXED))
		return false;
	vnet_mach_lock(m);
	for (;;) {
		j = vnet_mach_is_stopped(m) ? NULL : next_job(m);
		if (j) {
			did_any = true;
			m->stats.workers++;
			see_to_others(m);
			j->run(j, thread);
			m->stats.workers--;
		} else if (wait && !vnet_mach_is_stopped(m)) {
			sleep(m);
		} else {
			break;
		}
	}
	vnet_mach_unlock(m);
	return did_any;
}

mach_port_t
vnet_mach_enter(struct vnet_mach *m)
{
	if (m->sys->catch_faults(m->exception.named.name))
		return MACH_PORT_NULL;
	return m->sys->thread_self();
}

void
vnet_mach_leave(struct vnet_mach *m, mach_port_t thread)
{
	m->sys->catch_faults(MACH_PORT_NULL);
	if (thread != MACH_PORT_NULL)
		m->sys->port_deallocate(thread);
}

bool
vnet_mach_work(struct vnet_mach *m, bool wait)
{
	mach_port_t thread = vnet_mach_enter(m);
	bool did_any = vnet_mach_do_work(m, wait, thread);

	vnet_mach_leave(m, thread);
	return did_any;
}

void
vnet_mach_stop(struct vnet_mach *m)
{
	vnet_mach_lock(m);
	__atomic_store_n(&m->is_stopped, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&m->work_word, 1, __ATOMIC_RELEASE);
	m->sys->wake(&m->work_word, true);
	for (struct vnet_mach_job *j = m->touching; j; j = j->next_touching)
		vnet_mach_job_interrupt(m, j);
	vnet_mach_unlock(m);
	vnet_mach_poke(m);
}
