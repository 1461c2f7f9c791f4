/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uplinks: how they come and go, and what they do when.
 *
 *	no right  --given-->  waiting  --time-->  opening  --all set up-->  up
 *	    ^                    ^                   |                      |
 *	    +---its right died---+----- failed ------+------- lost ---------+
 *
 * A session lost in the middle of something (in the driver's send, in the answer
 * to a request) is ended by the timer, which is due at once then.
 */
#include <errno.h>
#include <string.h>

#include <vnet/switch.h>

#include "refuse.h"
#include "text.h"
#include "uplink.h"

/* Before the next attempt. */
#define DELAY_MIN (VNET_NSEC_PER_SEC / 10)
#define DELAY_MAX (5 * VNET_NSEC_PER_SEC)

/* Between two looks at what is set up, and tries of what the driver's queue had
 * no room for. */
#define CHECK_TIME (5 * VNET_NSEC_PER_SEC)
#define AGAIN_TIME (VNET_NSEC_PER_SEC / 10)

/* Looks at which nothing had come before the filter is set again. */
#define SILENT_MIN 2
#define SILENT_MAX 120

/* Addresses behind one, vnet_shared_config.max_clients. */
#define MAX_SHARED 1024

/* Frames that wait to be taken: GNU Mach's most (<mach/port.h>). */
#define PACKETS_QLIMIT MACH_PORT_QLIMIT_MAX

static vnet_nsec
next_delay(struct vnet_mach_uplink *u)
{
	vnet_nsec delay = u->delay;

	u->delay = delay < DELAY_MAX / 2 ? 2 * delay : DELAY_MAX;
	return delay;
}

/*
 * Rights
 */

static void
drop_right(struct vnet_mach_uplink *u, mach_port_t *right)
{
	if (*right != MACH_PORT_NULL)
		u->m->sys->port_deallocate(*right);
	*right = MACH_PORT_NULL;
}

/* What was given is kept for the next session, unless it is dead. */
static void
drop_device(struct vnet_mach_uplink *u)
{
	if (u->device == MACH_PORT_NULL ||
	    (u->device_is_given && !u->device_is_dead))
		return;
	if (!u->device_is_dead)
		vnet_uplink_close_device(u);
	drop_right(u, &u->device);
	u->device_is_dead = false;
}

static int
open_right(struct vnet_mach_uplink *u, struct uplink_right *r,
	   const struct vnet_mach_right_ops *ops)
{
	r->u = u;
	return vnet_mach_right_open(u->m, &r->right, ops, MACH_PORT_NULL,
				    PACKETS_QLIMIT, false);
}

/* Queue limits are set here: the kernel's drivers look at that of @packets when
 * it is set as a filter's. */
static int
open_rights(struct vnet_mach_uplink *u)
{
	int r = open_right(u, &u->packets, &vnet_uplink_packet_ops);

	if (!r)
		r = open_right(u, &u->answers, &vnet_uplink_answer_ops);
	if (!r)
		r = open_right(u, &u->writes, &vnet_uplink_write_ops);
	return r;
}

/* Those that are open. What is still to come for them is for nobody. */
static void
close_rights(struct vnet_mach_uplink *u)
{
	vnet_mach_right_close(&u->packets.right);
	vnet_mach_right_close(&u->answers.right);
	vnet_mach_right_close(&u->writes.right);
}

/*
 * Sessions
 */

static void
start(struct vnet_mach_uplink *u, vnet_nsec now)
{
	if (u->master == MACH_PORT_NULL && u->device == MACH_PORT_NULL) {
		u->retry_at = VNET_NEVER;
		if (!u->want_right)
			return;
		u->retry_at = now + next_delay(u);
		u->want_right(u->ctx, u->port);
		return;
	}
	if (open_rights(u)) {
		close_rights(u);
		u->info.error = KERN_RESOURCE_SHORTAGE;
		u->info.losses++;
		u->retry_at = now + next_delay(u);
		return;
	}
	u->has_session = true;
	u->voids = 0;
	u->taken = 0;
	u->silent = 0;
	u->silent_max = SILENT_MIN;
	u->seen = u->info.received;
	vnet_uplink_forget_writes(u);
	if (u->device == MACH_PORT_NULL) {
		vnet_uplink_step(u, UPLINK_OPEN, now);
		return;
	}
	vnet_mach_watch_death(u->m, u->device);
	vnet_uplink_step(u, UPLINK_STATUS, now);
}

static void
end(struct vnet_mach_uplink *u)
{
	if (!u->has_session)
		return;
	drop_device(u);
	close_rights(u);
	vnet_uplink_forget_writes(u);
	u->info.is_shared = false;
	u->step = UPLINK_NOTHING;
	u->has_session = false;
	u->is_lost = false;
	u->is_up = false;
}

static void
end_lost(struct vnet_mach_uplink *u, vnet_nsec now)
{
	u->info.losses++;
	end(u);
	vnet_port_set_link(u->m->sw, u->port, false);
	u->retry_at = now + next_delay(u);
}

void
vnet_uplink_lose(struct vnet_mach_uplink *u, kern_return_t error)
{
	if (u->is_lost || !u->has_session)
		return;
	u->is_lost = true;
	u->info.error = error;
	if (error == MACH_SEND_INVALID_DEST) {
		if (u->step == UPLINK_OPEN)
			drop_right(u, &u->master);
		else
			u->device_is_dead = true;
	}
	u->timer.when = 0;
	vnet_mach_poke(u->m);
}

/* As it is to be, and the NIC has an address that can be shared. */
static bool
may_share(const struct vnet_mach_uplink *u)
{
	return u->shared && !vnet_shared_set_nic(u->shared, &u->info.mac);
}

static bool
is_to_be_shared(const struct vnet_mach_uplink *u)
{
	return may_share(u) && ((u->options & VNET_MACH_UPLINK_SHARED) ||
				u->info.promisc_refused);
}

void
vnet_uplink_ready(struct vnet_mach_uplink *u, vnet_nsec now)
{
	u->info.is_shared = is_to_be_shared(u);
	if (!u->info.is_shared && (u->options & VNET_MACH_UPLINK_SHARED)) {
		vnet_uplink_lose(u, D_INVALID_OPERATION);
		return;
	}
	u->is_up = true;
	u->info.opens++;
	u->info.error = KERN_SUCCESS;
	u->check_at = now + CHECK_TIME;
	vnet_port_set_link(u->m->sw, u->port, true);
}

/*
 * Time
 */

/* A device that answers other requests may still have stopped to send. */
static bool
is_stuck(struct vnet_mach_uplink *u)
{
	bool stuck = u->was_out && u->info.in_flight > 0 && !u->has_progress;

	u->was_out = u->info.in_flight > 0;
	u->has_progress = false;
	return stuck;
}

static bool
is_silent(struct vnet_mach_uplink *u)
{
	if (u->info.received != u->seen) {
		u->seen = u->info.received;
		u->silent = 0;
		u->silent_max = SILENT_MIN;
		return false;
	}
	if (++u->silent < u->silent_max)
		return false;
	u->silent = 0;
	u->silent_max =
		u->silent_max < SILENT_MAX / 2 ? 2 * u->silent_max : SILENT_MAX;
	return true;
}

/* All is set up: is it still? */
static void
check(struct vnet_mach_uplink *u, vnet_nsec now)
{
	bool was_silent = is_silent(u);

	u->check_at = now + CHECK_TIME;
	/* It has lasted: whatever comes now is a new trouble. */
	u->delay = DELAY_MIN;
	if (is_stuck(u)) {
		u->info.timeouts++;
		vnet_uplink_lose(u, MACH_RCV_TIMED_OUT);
		return;
	}
	if (was_silent)
		u->info.filter_reset++;
	vnet_uplink_step(u, was_silent ? UPLINK_FILTER : UPLINK_FLAGS_READ,
			 now);
}

/* A step that was not answered, or could not be asked for. */
static void
wait_more(struct vnet_mach_uplink *u, vnet_nsec now)
{
	if (now < u->deadline) {
		vnet_uplink_ask(u);
		return;
	}
	/* A queue that is full of other things now and then is no failure. */
	if (u->is_up && !u->is_asked) {
		u->step = UPLINK_NOTHING;
		return;
	}
	u->info.timeouts++;
	vnet_uplink_lose(u, MACH_RCV_TIMED_OUT);
}

void
vnet_uplink_arm(struct vnet_mach_uplink *u, vnet_nsec now)
{
	vnet_nsec when;

	if (u->is_lost)
		when = 0;
	else if (!u->has_session)
		when = u->retry_at;
	else if (u->step == UPLINK_NOTHING)
		when = u->check_at;
	else if (u->is_asked || u->deadline < now + AGAIN_TIME)
		when = u->deadline;
	else
		when = now + AGAIN_TIME;
	u->timer.when = when;
}

static void
due(struct vnet_mach_timer *t, vnet_nsec now)
{
	struct vnet_mach_uplink *u = (struct vnet_mach_uplink *)t;

	if (u->is_lost)
		end_lost(u, now);
	else if (!u->has_session)
		start(u, now);
	else if (u->step != UPLINK_NOTHING)
		wait_more(u, now);
	else
		check(u, now);
	vnet_uplink_arm(u, now);
}

void
vnet_mach_uplinks_died(struct vnet_mach *m, mach_port_t name)
{
	for (struct vnet_mach_uplink *u = m->uplinks; u; u = u->next) {
		if (u->device != name || !u->has_session)
			continue;
		u->is_lost = true;
		u->device_is_dead = true;
		u->info.error = MACH_SEND_INVALID_DEST;
		end_lost(u, m->now);
		vnet_uplink_arm(u, m->now);
	}
}

/*
 * Coming and going
 */

/* The client has gone from the switch, by whatever was asked of it. */
static void
driver_close(void *ctx)
{
	struct vnet_mach_uplink *u = ctx, **at = &u->m->uplinks;
	struct vnet_mach *m = u->m;

	end(u);
	drop_right(u, &u->device);
	drop_right(u, &u->master);
	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	vnet_mach_timer_remove(m, &u->timer);
	m->sys->vm_deallocate(u->memory, UPLINK_SLOTS * UPLINK_SLOT_SIZE);
	vnet_shared_destroy(u->shared);
	vnet_mach_put_memory(m, u, sizeof(*u));
}

void
vnet_mach_uplink_end(struct vnet_mach_uplink *u)
{
	vnet_port_set_link(u->m->sw, u->port, false);
	vnet_client_remove(u->m->sw, u->info.client);
}

static bool
is_send_right(const struct vnet_mach *m, mach_port_t name)
{
	mach_port_type_t type;

	return !m->sys->port_type(name, &type) &&
	       (type & MACH_PORT_TYPE_SEND) && !vnet_mach_right_find(m, name);
}

static int
check_rights(const struct vnet_mach *m, mach_port_t master, mach_port_t device,
	     struct vnet_why *why)
{
	if ((master != MACH_PORT_NULL) == (device != MACH_PORT_NULL))
		return refuse(why, -EINVAL,
			      "either a master or a device is needed", 3,
			      master, 0);
	if (master != MACH_PORT_NULL && !is_send_right(m, master))
		return refuse(why, -EINVAL,
			      "master is no send right to another", 3, master,
			      0);
	if (device != MACH_PORT_NULL && !is_send_right(m, device))
		return refuse(why, -EINVAL,
			      "device is no send right to another", 4, device,
			      0);
	return 0;
}

static int
check_config(const struct vnet_mach *m, const struct vnet_mach_uplink_config *c,
	     struct vnet_why *why)
{
	const uint32_t all = VNET_MACH_UPLINK_NO_PROMISC |
			     VNET_MACH_UPLINK_SHARED |
			     VNET_MACH_UPLINK_MAY_SHARE;
	struct vnet_port_info info = {.size = sizeof(info)};
	size_t n;

	if (c->size != sizeof(*c))
		return refuse(why, -EINVAL,
			      "size of the uplink's configuration", 0, c->size,
			      sizeof(*c));
	if (vnet_port_get(m->sw, c->port, &info))
		return refuse(why, -ENOENT, "no such port", 1, c->port, 0);
	if (info.role != VNET_ROLE_UPLINK)
		return refuse(why, -EINVAL, "the port is no uplink", 1,
			      info.role, VNET_ROLE_UPLINK);
	n = c->name ? length(c->name, VNET_MACH_NAME_SIZE) : 0;
	if (n == 0 || n == VNET_MACH_NAME_SIZE)
		return refuse(why, -EINVAL, "length of the device's name", 2, n,
			      VNET_MACH_NAME_SIZE - 1);
	if (c->flags & ~all)
		return refuse(why, -EINVAL, "unknown flags of an uplink", 5,
			      c->flags, all);
	if (c->max_shared > MAX_SHARED)
		return refuse(why, -EINVAL, "too many addresses behind one", 8,
			      c->max_shared, MAX_SHARED);
	return check_rights(m, c->master, c->device, why);
}

static const struct vnet_driver_ops driver_ops = {
	.size = sizeof(driver_ops),
	.send = vnet_uplink_send,
	.close = driver_close,
};

static void
take_rights(struct vnet_mach_uplink *u, mach_port_t master, mach_port_t device)
{
	u->master = master;
	u->device = device;
	u->device_is_given = device != MACH_PORT_NULL;
	u->device_is_dead = false;
	u->delay = DELAY_MIN;
}

/* Begin, and have whoever waits for a message learn of our timer. */
static void
start_now(struct vnet_mach_uplink *u)
{
	vnet_nsec now = vnet_mach_read_clock(u->m);

	start(u, now);
	vnet_uplink_arm(u, now);
	vnet_mach_poke(u->m);
}

/* What rewrites frames, if that may be needed. The NIC's address is set when it is
 * known. */
static int
make_shared(struct vnet_mach_uplink *u,
	    const struct vnet_mach_uplink_config *config, struct vnet_why *why)
{
	const struct vnet_shared_config shared = {
		.size = sizeof(shared),
		.alloc = &u->m->alloc,
		.nic = {{2, 0, 0, 0, 0, 0}},
		.max_clients = config->max_shared,
	};

	if (!(config->flags &
	      (VNET_MACH_UPLINK_SHARED | VNET_MACH_UPLINK_MAY_SHARE)))
		return 0;
	return vnet_shared_create(&u->shared, &shared, why);
}

int
vnet_uplink_add(struct vnet_mach *m,
		const struct vnet_mach_uplink_config *config,
		struct vnet_why *why)
{
	struct vnet_client_config client = {
		.size = sizeof(client),
		.ops = &driver_ops,
	};
	struct vnet_mach_uplink *u;
	int r = check_config(m, config, why);

	if (r)
		return r;
	u = vnet_mach_get_memory(m, sizeof(*u));
	if (!u)
		return refuse(why, -ENOMEM, "no memory", 0, sizeof(*u), 0);
	u->m = m;
	r = make_shared(u, config, why);
	if (r)
		goto put;
	if (m->sys->vm_allocate(&u->memory, UPLINK_SLOTS * UPLINK_SLOT_SIZE)) {
		r = refuse(why, -ENOMEM, "no memory for writes", 0,
			   (uint64_t)UPLINK_SLOTS * UPLINK_SLOT_SIZE, 0);
		goto destroy_shared;
	}
	client.ctx = u;
	r = vnet_client_add(m->sw, config->port, &client, &u->info.client, why);
	if (r)
		goto deallocate;
	vnet_port_set_link(m->sw, config->port, false);
	u->port = config->port;
	u->options = config->flags;
	u->want_right = config->want_right;
	u->ctx = config->ctx;
	memcpy(u->info.name, config->name,
	       length(config->name, VNET_MACH_NAME_SIZE));
	take_rights(u, config->master, config->device);
	u->next = m->uplinks;
	m->uplinks = u;
	u->timer.due = due;
	vnet_mach_timer_add(m, &u->timer);
	start_now(u);
	return 0;

deallocate:
	m->sys->vm_deallocate(u->memory, UPLINK_SLOTS * UPLINK_SLOT_SIZE);
destroy_shared:
	vnet_shared_destroy(u->shared);
put:
	vnet_mach_put_memory(m, u, sizeof(*u));
	return r;
}

int
vnet_mach_uplink_add(struct vnet_mach *m,
		     const struct vnet_mach_uplink_config *config,
		     struct vnet_why *why)
{
	int r;

	vnet_mach_lock(m);
	r = vnet_uplink_add(m, config, why);
	vnet_mach_unlock(m);
	return r;
}

static struct vnet_mach_uplink *
find(const struct vnet_mach *m, vnet_port_id port)
{
	struct vnet_mach_uplink *u = m->uplinks;

	while (u && u->port != port)
		u = u->next;
	return u;
}

int
vnet_mach_uplink_remove(struct vnet_mach *m, vnet_port_id port)
{
	struct vnet_mach_uplink *u;

	vnet_mach_lock(m);
	u = find(m, port);
	if (u)
		vnet_mach_uplink_end(u);
	vnet_mach_unlock(m);
	return u ? 0 : -ENOENT;
}

int
vnet_uplink_give(struct vnet_mach *m, vnet_port_id port, mach_port_t master,
		 mach_port_t device)
{
	struct vnet_mach_uplink *u = find(m, port);
	int r;

	if (!u)
		return -ENOENT;
	r = check_rights(m, master, device, NULL);
	if (r)
		return r;
	end(u);
	vnet_port_set_link(m->sw, port, false);
	drop_right(u, &u->device);
	drop_right(u, &u->master);
	take_rights(u, master, device);
	start_now(u);
	return 0;
}

int
vnet_mach_uplink_give(struct vnet_mach *m, vnet_port_id port,
		      mach_port_t master, mach_port_t device)
{
	int r;

	vnet_mach_lock(m);
	r = vnet_uplink_give(m, port, master, device);
	vnet_mach_unlock(m);
	return r;
}

bool
vnet_mach_is_uplink(const struct vnet_mach *m, const char *name)
{
	size_t n = length(name, VNET_MACH_NAME_SIZE);

	for (const struct vnet_mach_uplink *u = m->uplinks; u; u = u->next)
		if (length(u->info.name, VNET_MACH_NAME_SIZE) == n &&
		    !memcmp(u->info.name, name, n))
			return true;
	return false;
}

static enum vnet_mach_uplink_state
state_of(const struct vnet_mach_uplink *u)
{
	if (u->has_session && !u->is_lost)
		return u->is_up ? VNET_MACH_UPLINK_UP
				: VNET_MACH_UPLINK_OPENING;
	return u->master == MACH_PORT_NULL &&
			       (u->device == MACH_PORT_NULL ||
				u->device_is_dead || !u->device_is_given)
		       ? VNET_MACH_UPLINK_NO_RIGHT
		       : VNET_MACH_UPLINK_WAITING;
}

int
vnet_mach_uplink_get(const struct vnet_mach *m, vnet_port_id port,
		     struct vnet_mach_uplink_info *info)
{
	const struct vnet_mach_uplink *u = find(m, port);

	if (info->size != sizeof(*info))
		return -EINVAL;
	if (!u)
		return -ENOENT;
	*info = u->info;
	info->size = sizeof(*info);
	info->state = state_of(u);
	if (u->shared)
		info->shared_conflicts = vnet_shared_conflicts(u->shared);
	return 0;
}
