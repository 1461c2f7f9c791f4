/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server: made and ended, its time, its vifs.
 */
#include <errno.h>
#include <string.h>

#include "control.h"
#include "facet.h"
#include "grant_text.h"
#include "master.h"
#include "refuse.h"
#include "server.h"

#define MAX_RIGHTS  1024
#define MAX_FILTERS 8
#define MAX_CLIENTS 32

/* Of one right that may be every filter's: the kernel counts to 65534, and what a
 * message brings comes on top (msg.c). */
#define MAX_REFERENCES 32768

/* Dead names, and what wakes us: more than a few wait only for as long as
 * nobody receives. */
#define NOTIFY_QLIMIT MACH_PORT_QLIMIT_MAX

void *
vnet_mach_get_memory(struct vnet_mach *m, size_t size)
{
	void *p = m->alloc.get(m->alloc.ctx, size, 16);

	if (p)
		memset(p, 0, size);
	return p;
}

void
vnet_mach_put_memory(struct vnet_mach *m, void *p, size_t size)
{
	if (p)
		m->alloc.put(m->alloc.ctx, p, size);
}

/* Only the kernel sends here: what it says, demux.c reads before it asks. */
static bool
no_message(struct vnet_mach_right *r, mach_msg_header_t *in,
	   mach_msg_header_t *out)
{
	(void)r;
	(void)in;
	(void)out;
	return false;
}

static bool
exception_message(struct vnet_mach_right *r, mach_msg_header_t *in,
		  mach_msg_header_t *out)
{
	return r->m->sys->exception(in, out);
}

static const struct vnet_mach_right_ops notify_ops = {.message = no_message};
static const struct vnet_mach_right_ops exception_ops = {
	.message = exception_message,
};

static int
check(const struct vnet_mach_config *c, struct vnet_why *why)
{
	if (c->size != sizeof(*c))
		return refuse(why, -EINVAL,
			      "size of the server's configuration", 0, c->size,
			      sizeof(*c));
	if (!c->sw)
		return refuse(why, -EINVAL, "server without a switch", 1, 0, 0);
	if (!c->alloc)
		return refuse(why, -EINVAL, "server without memory", 2, 0, 0);
	if (!c->now)
		return refuse(why, -EINVAL, "server without a clock", 5, 0, 0);
	if (c->max_rights > UINT32_C(1) << 20)
		return refuse(why, -EINVAL, "too many rights", 9, c->max_rights,
			      UINT32_C(1) << 20);
	if ((uint64_t)(c->max_rights ? c->max_rights : MAX_RIGHTS) *
		    (c->max_filters ? c->max_filters : MAX_FILTERS) >
	    MAX_REFERENCES)
		return refuse(why, -EINVAL,
			      "more filters than one right can be counted for",
			      9, c->max_rights, MAX_REFERENCES);
	if (c->max_filters > 64)
		return refuse(why, -EINVAL, "too many filters of a facet", 10,
			      c->max_filters, 64);
	return 0;
}

static int
open_rights(struct vnet_mach *m)
{
	if (m->port_set == MACH_PORT_NULL) {
		if (m->sys->port_allocate(MACH_PORT_RIGHT_PORT_SET,
					  &m->port_set))
			return -ENOSPC;
		m->made_port_set = true;
	}
	if (vnet_mach_right_open(m, &m->notify, &notify_ops, MACH_PORT_NULL,
				 NOTIFY_QLIMIT, false) ||
	    vnet_mach_right_open(m, &m->exception, &exception_ops,
				 MACH_PORT_NULL, MACH_PORT_QLIMIT_MAX, false))
		return -ENOSPC;
	return 0;
}

int
vnet_mach_create(struct vnet_mach **created,
		 const struct vnet_mach_config *config, struct vnet_why *why)
{
	struct vnet_mach *m;
	int r = check(config, why);

	if (r)
		return r;
	m = config->alloc->get(config->alloc->ctx, sizeof(*m), 16);
	if (!m)
		return refuse(why, -ENOMEM, "no memory", 0, sizeof(*m), 0);
	memset(m, 0, sizeof(*m));
	m->config = *config;
	m->alloc = *config->alloc;
	m->sys = config->sys ? config->sys : &vnet_mach_kernel;
	m->sw = config->sw;
	m->port_set = config->port_set;
	if (!m->config.max_rights)
		m->config.max_rights = MAX_RIGHTS;
	if (!m->config.max_filters)
		m->config.max_filters = MAX_FILTERS;
	m->jobs_end = &m->jobs;
	r = vnet_mach_names_init(&m->rights, &m->alloc, m->config.max_rights);
	if (r) {
		refuse(why, r, "no memory", 9, m->rights.nplaces, 0);
		goto put_server;
	}
	r = open_rights(m);
	if (r) {
		refuse(why, r, "the kernel gives no right", 0, 0, 0);
		vnet_mach_destroy(m);
		return r;
	}
	*created = m;
	return 0;

put_server:
	config->alloc->put(config->alloc->ctx, m, sizeof(*m));
	return r;
}

void
vnet_mach_destroy(struct vnet_mach *m)
{
	if (!m)
		return;
	vnet_mach_lock(m);
	while (m->uplinks)
		vnet_mach_uplink_end(m->uplinks);
	while (m->masters)
		vnet_mach_master_end(m->masters);
	vnet_mach_jobs_end(m);
	while (m->facets)
		vnet_mach_facet_end(m->facets);
	while (m->controls)
		vnet_mach_control_end(m->controls);
	while (m->vifs) {
		struct vnet_mach_vif *v = m->vifs;

		m->vifs = v->next;
		vnet_mach_put_memory(m, v, sizeof(*v));
	}
	vnet_mach_right_close(&m->exception);
	vnet_mach_right_close(&m->notify);
	if (m->made_port_set)
		m->sys->port_mod_refs(m->port_set, MACH_PORT_RIGHT_PORT_SET,
				      -1);
	vnet_mach_names_fini(&m->rights, &m->alloc);
	m->alloc.put(m->alloc.ctx, m, sizeof(*m));
}

mach_port_t
vnet_mach_port_set(const struct vnet_mach *m)
{
	return m->port_set;
}

void
vnet_mach_lock(struct vnet_mach *m)
{
	vnet_mach_mutex_take(&m->lock, m->sys);
}

void
vnet_mach_unlock(struct vnet_mach *m)
{
	vnet_mach_mutex_give(&m->lock, m->sys);
}

/* A name may be watched already, for another part: one notification serves all,
 * and takes the place of the one before. */
kern_return_t
vnet_mach_watch_death(struct vnet_mach *m, mach_port_t name)
{
	mach_port_t previous = MACH_PORT_NULL;
	kern_return_t k =
		m->sys->port_request_notification(name, MACH_NOTIFY_DEAD_NAME,
						  1, m->notify.named.name,
						  &previous);

	if (!k && previous != MACH_PORT_NULL)
		m->sys->port_deallocate(previous);
	return k;
}

/*
 * Time
 */

void
vnet_mach_timer_add(struct vnet_mach *m, struct vnet_mach_timer *t)
{
	t->next = m->timers;
	m->timers = t;
}

void
vnet_mach_timer_remove(struct vnet_mach *m, struct vnet_mach_timer *t)
{
	struct vnet_mach_timer **at = &m->timers;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
}

vnet_nsec
vnet_mach_next_due(const struct vnet_mach *m)
{
	vnet_nsec when = vnet_switch_deadline(m->sw);

	for (const struct vnet_mach_timer *t = m->timers; t; t = t->next)
		if (t->when < when)
			when = t->when;
	return when;
}

vnet_nsec
vnet_mach_deadline(struct vnet_mach *m)
{
	vnet_nsec when;

	vnet_mach_lock(m);
	when = vnet_mach_next_due(m);
	vnet_mach_unlock(m);
	return when;
}

/* One timer that is due: what it does may add and remove others. */
static struct vnet_mach_timer *
find_due(const struct vnet_mach *m, vnet_nsec now)
{
	struct vnet_mach_timer *t = m->timers;

	while (t && t->when > now)
		t = t->next;
	return t;
}

void
vnet_mach_do_tick(struct vnet_mach *m, vnet_nsec now)
{
	struct vnet_mach_timer *t;

	if (vnet_switch_deadline(m->sw) <= now)
		vnet_switch_tick(m->sw, now);
	while ((t = find_due(m, now))) {
		t->when = VNET_NEVER;
		t->due(t, now);
	}
}

void
vnet_mach_tick(struct vnet_mach *m)
{
	vnet_mach_lock(m);
	vnet_mach_do_tick(m, vnet_mach_read_clock(m));
	vnet_mach_unlock(m);
}

/*
 * Vifs
 */

struct vnet_mach_vif *
vnet_mach_vif_of(const struct vnet_mach *m, vnet_port_id port)
{
	struct vnet_mach_vif *v = m->vifs;

	while (v && v->port != port)
		v = v->next;
	return v;
}

static bool
begins_with(const char *name, const char *with)
{
	while (*with && *name == *with) {
		name++;
		with++;
	}
	return !*with;
}

/* pfinet looks at what is behind the last '/', and takes such names for
 * interfaces that are none. */
static bool
is_taken_for_another(const char *name)
{
	const char *base = name;

	for (; *name; name++)
		if (*name == '/')
			base = name + 1;
	return begins_with(base, "tun") || begins_with(base, "dummy");
}

static int
check_vif(const struct vnet_mach *m, const struct vnet_mach_vif_config *c,
	  struct vnet_why *why)
{
	const uint32_t all = VNET_MACH_MAY_PROMISC | VNET_MACH_MAY_SET_ADDRESS;
	static const struct vnet_mac none;
	struct vnet_grant_info grant = {.size = sizeof(grant)};
	struct vnet_port_info info = {.size = sizeof(info)};

	if (c->size != sizeof(*c))
		return refuse(why, -EINVAL, "size of the vif's configuration",
			      0, c->size, sizeof(*c));
	if (c->flags & ~all)
		return refuse(why, -EINVAL, "unknown flags of a vif", 2,
			      c->flags, all);
	if (vnet_port_get(m->sw, c->port, &info))
		return refuse(why, -ENOENT, "no such port", 1, c->port, 0);
	if (info.role != VNET_ROLE_VIF)
		return refuse(why, -EINVAL, "the port is no vif", 1, info.role,
			      VNET_ROLE_VIF);
	if (!memcmp(&info.mac, &none, sizeof(none)))
		return refuse(why, -EINVAL, "the port has no address", 1, 0, 0);
	if (c->grant != VNET_NO_ID && vnet_grant_get(m->sw, c->grant, &grant))
		return refuse(why, -ENOENT, "no such grant", 4, c->grant, 0);
	if (!(info.flags & VNET_PORT_PER_CLIENT) &&
	    !vnet_grant_has_mac(m->sw, c->grant, info.mac))
		return refuse(why, -EINVAL, "the port's address is not granted",
			      1, 0, 0);
	if (info.mtu > VNET_MACH_MTU_MAX)
		return refuse(why, -EINVAL, "MTU beyond what net_rcv_msg holds",
			      1, info.mtu, VNET_MACH_MTU_MAX);
	if (is_taken_for_another(info.name))
		return refuse(why, -EINVAL,
			      "name that pfinet takes for another kind of "
			      "interface (tun..., dummy...)",
			      1, 0, 0);
	if (vnet_mach_vif_of(m, c->port))
		return refuse(why, -EEXIST, "the port is a vif already", 1,
			      c->port, 0);
	return 0;
}

/* Vifs whose ports have gone, and of which nobody holds a facet. */
static void
forget_gone(struct vnet_mach *m)
{
	struct vnet_mach_vif **at = &m->vifs;

	while (*at) {
		struct vnet_port_info info = {.size = sizeof(info)};
		struct vnet_mach_vif *v = *at;

		if (v->clients || !vnet_port_get(m->sw, v->port, &info)) {
			at = &v->next;
			continue;
		}
		*at = v->next;
		vnet_mach_put_memory(m, v, sizeof(*v));
	}
}

int
vnet_mach_vif_make(struct vnet_mach *m,
		   const struct vnet_mach_vif_config *config,
		   struct vnet_why *why)
{
	struct vnet_mach_vif *v;
	int r = check_vif(m, config, why);

	if (r)
		return r;
	forget_gone(m);
	v = vnet_mach_get_memory(m, sizeof(*v));
	if (!v)
		return refuse(why, -ENOMEM, "no memory", 0, sizeof(*v), 0);
	v->port = config->port;
	v->flags = config->flags;
	v->grant = config->grant;
	v->max_clients =
		config->max_clients ? config->max_clients : MAX_CLIENTS;
	v->next = m->vifs;
	m->vifs = v;
	return 0;
}

int
vnet_mach_vif_add(struct vnet_mach *m,
		  const struct vnet_mach_vif_config *config,
		  struct vnet_why *why)
{
	int r;

	vnet_mach_lock(m);
	r = vnet_mach_vif_make(m, config, why);
	vnet_mach_unlock(m);
	return r;
}

int
vnet_mach_vif_revoke(struct vnet_mach *m, vnet_port_id port)
{
	struct vnet_mach_vif **at = &m->vifs, *v;

	while (*at && (*at)->port != port)
		at = &(*at)->next;
	v = *at;
	if (!v)
		return -ENOENT;
	*at = v->next;
	vnet_mach_facets_revoke(m, v);
	vnet_mach_put_memory(m, v, sizeof(*v));
	return 0;
}

int
vnet_mach_vif_remove(struct vnet_mach *m, vnet_port_id port)
{
	int r;

	vnet_mach_lock(m);
	r = vnet_mach_vif_revoke(m, port);
	vnet_mach_unlock(m);
	return r;
}

int
vnet_mach_get_stats(const struct vnet_mach *m, struct vnet_mach_stats *stats)
{
	if (stats->size != sizeof(*stats))
		return -EINVAL;
	*stats = m->stats;
	stats->size = sizeof(*stats);
	stats->replies_lost +=
		__atomic_load_n(&m->replies_lost, __ATOMIC_RELAXED);
	for (const struct vnet_mach_master *s = m->masters; s; s = s->next)
		stats->masters++;
	for (const struct vnet_mach_facet *f = m->facets; f; f = f->next) {
		stats->facets++;
		stats->inert += f->client == VNET_NO_ID;
	}
	return 0;
}
