/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server as its parts see it. Everything here is used under its lock, but where
 * it says otherwise.
 */
#ifndef VNET_MACH_SERVER_H
#define VNET_MACH_SERVER_H

#include <vnet/mach.h>

#include "control_figures.h"
#include "lock.h"
#include "right.h"
#include "sys.h"
#include "work.h"

struct vnet_mach_control;
struct vnet_mach_facet;
struct vnet_mach_uplink;

/* A vif: a port of the switch that is opened here. */
struct vnet_mach_vif {
	struct vnet_mach_vif *next;
	vnet_port_id port;
	uint32_t flags;
	uint32_t max_clients;
	vnet_grant_id grant; /* of its facets, VNET_NO_ID for none */
	uint32_t clients; /* facets, also those that only their senders keep */
	/* What those that have gone have counted. */
	struct vnet_figures past;
	struct vnet_mach_facet_info past_facets;
};

/* Something that wants to be called at a time, by vnet_mach_tick(). Part of what
 * it is for. */
struct vnet_mach_timer {
	struct vnet_mach_timer *next;
	vnet_nsec when; /* VNET_NEVER: not */
	void (*due)(struct vnet_mach_timer *t, vnet_nsec now);
};

struct vnet_mach {
	struct vnet_mach_mutex lock;
	const struct vnet_mach_sys *sys;
	struct vnet_switch *sw;
	struct vnet_alloc alloc;
	struct vnet_mach_config config;

	mach_port_t port_set;
	bool made_port_set;
	struct vnet_mach_right notify; /* dead names: only the kernel sends */
	struct vnet_mach_right exception; /* faults of our threads, likewise */

	struct vnet_mach_names rights; /* all that are open */

	struct vnet_mach_vif *vifs;
	struct vnet_mach_master *masters;
	struct vnet_mach_facet *facets;
	struct vnet_mach_uplink *uplinks;
	struct vnet_mach_control *controls;
	struct vnet_mach_timer *timers;
	uint32_t nrights; /* masters and facets */
	vnet_nsec now;    /* when the latest message arrived */

	/* Those that wait for a thread to see to them. */
	struct vnet_mach_job *jobs, **jobs_end;
	struct vnet_mach_job *touching; /* those that a thread is at */
	uint32_t work_word;  /* grows when there is work, for those who wait */
	uint32_t sleepers;   /* these */
	uint32_t waiting;    /* threads that wait for it, or for messages;
				 * changed without the lock */
	uint32_t leavers;    /* of those that wait for messages, the ones
				 * that need not stay; likewise */
	uint32_t is_stopped; /* read without the lock */
	uint32_t replies_lost; /* those that were sent without it */

	struct vnet_mach_stats stats;
	/* Where a net_rcv_msg is laid out, on its way to a right. */
	uint32_t message[VNET_MACH_MSG_SIZE / 4];
};

/* The time: to ask for it may take a call of the kernel, which is done once for a
 * message. */
static inline vnet_nsec
vnet_mach_read_clock(struct vnet_mach *m)
{
	m->now = m->config.now(m->config.ctx);
	return m->now;
}

/* Memory: zeroed. NULL if there is none. */
void *vnet_mach_get_memory(struct vnet_mach *m, size_t size);
void vnet_mach_put_memory(struct vnet_mach *m, void *p, size_t size);

/* vnet_mach_tick() and vnet_mach_deadline(), under the lock. */
void vnet_mach_do_tick(struct vnet_mach *m, vnet_nsec now);
vnet_nsec vnet_mach_next_due(const struct vnet_mach *m);

/* Have @t called. It is the caller's; set @t->when at any time. */
void vnet_mach_timer_add(struct vnet_mach *m, struct vnet_mach_timer *t);
void vnet_mach_timer_remove(struct vnet_mach *m, struct vnet_mach_timer *t);

/* Hear of it when the send right @name dies: by vnet_mach_facets_died() and
 * vnet_mach_uplinks_died(). Ends with the last reference to it. */
kern_return_t vnet_mach_watch_death(struct vnet_mach *m, mach_port_t name);

/* vnet_mach_vif_add() and _remove(), under the lock. */
int vnet_mach_vif_make(struct vnet_mach *m,
		       const struct vnet_mach_vif_config *config,
		       struct vnet_why *why);
int vnet_mach_vif_revoke(struct vnet_mach *m, vnet_port_id port);

/* This thread may touch memory from now on, until it leaves: its right.
 * MACH_PORT_NULL if it may not: what it touches could end the task. */
mach_port_t vnet_mach_enter(struct vnet_mach *m);
void vnet_mach_leave(struct vnet_mach *m, mach_port_t thread);

/* vnet_mach_work(), by such a thread. */
bool vnet_mach_do_work(struct vnet_mach *m, bool wait, mach_port_t thread);

/* Wake a thread that waits for a message. */
void vnet_mach_poke(struct vnet_mach *m);

/* Has it been stopped? Needs no lock. */
static inline bool
vnet_mach_is_stopped(const struct vnet_mach *m)
{
	return __atomic_load_n(&m->is_stopped, __ATOMIC_RELAXED) != 0;
}

/* The vif of a port, NULL if it is none. */
struct vnet_mach_vif *vnet_mach_vif_of(const struct vnet_mach *m,
				       vnet_port_id port);

/* Is that the name of a device that is an uplink here, in use or not? */
bool vnet_mach_is_uplink(const struct vnet_mach *m, const char *name);

/* A right that was watched is a dead name now. For each part that holds such
 * rights; it gives back its references to them. */
void vnet_mach_facets_died(struct vnet_mach *m, mach_port_t name);
void vnet_mach_uplinks_died(struct vnet_mach *m, mach_port_t name);

/* End an uplink, under the lock. */
void vnet_mach_uplink_end(struct vnet_mach_uplink *u);

/* An error of the library as one of Mach's device interface
 * (<device/device_types.h>). */
kern_return_t vnet_mach_error(int error);

#endif
