/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include <vnet/version.h>

#include "facet.h"
#include "net_flags.h"
#include "server_control.h"
#include "uplink.h"

_Static_assert(VNET_CONTROL_VIF_MTU_MAX == VNET_MACH_MTU_MAX,
	       "the same of requests");
_Static_assert(VNET_CONTROL_NAME_SIZE == VNET_MACH_NAME_SIZE,
	       "the same of requests");

static struct vnet_mach *
server_of(const void *ctx)
{
	const struct vnet_mach_controller *c = ctx;

	return c->m;
}

static vnet_nsec
now(void *ctx)
{
	return server_of(ctx)->now;
}

/*
 * Vifs
 */

static int
vif_get(void *ctx, vnet_port_id port, struct vnet_control_vif *vif)
{
	const struct vnet_mach_vif *v = vnet_mach_vif_of(server_of(ctx), port);

	if (!v)
		return -ENOENT;
	*vif = (struct vnet_control_vif){
		.may_promisc = v->flags & VNET_MACH_MAY_PROMISC,
		.may_set_address = v->flags & VNET_MACH_MAY_SET_ADDRESS,
		.max_clients = v->max_clients,
		.grant = v->grant,
	};
	return 0;
}

static uint32_t
flags_of(const struct vnet_control_vif *vif)
{
	return (vif->may_promisc ? VNET_MACH_MAY_PROMISC : 0) |
	       (vif->may_set_address ? VNET_MACH_MAY_SET_ADDRESS : 0);
}

static int
vif_add(void *ctx, vnet_port_id port, const struct vnet_control_vif *vif,
	struct vnet_why *why)
{
	const struct vnet_mach_vif_config config = {
		.size = sizeof(config),
		.port = port,
		.flags = flags_of(vif),
		.max_clients = vif->max_clients,
		.grant = vif->grant,
	};

	struct vnet_mach_controller *c = ctx;
	int r = vnet_mach_vif_make(c->m, &config, why);

	if (r || !c->master)
		return r;
	r = vnet_mach_master_name_vif(c->master, vif->device, port);
	if (!r)
		return 0;
	*why = (struct vnet_why){.text = "name of the device"};
	vnet_mach_vif_revoke(c->m, port);
	return r;
}

static void
vif_remove(void *ctx, vnet_port_id port)
{
	vnet_mach_masters_forget(server_of(ctx), port);
	vnet_mach_vif_revoke(server_of(ctx), port);
}

/* What a facet was told when it was opened holds no more. */
static void
vif_changed(void *ctx, vnet_port_id port, const struct vnet_control_vif *vif)
{
	struct vnet_port_info info = {.size = sizeof(info)};
	struct vnet_mach *m = server_of(ctx);
	struct vnet_mach_vif *v = vnet_mach_vif_of(m, port);

	if (!v || vnet_port_get(m->sw, port, &info))
		return;
	v->flags = flags_of(vif);
	v->max_clients = vif->max_clients;
	if (v->grant != vif->grant)
		vnet_mach_facets_set_grant(m, v, vif->grant);
	for (struct vnet_mach_facet *f = m->facets; f; f = f->next) {
		if (f->vif != v)
			continue;
		f->mtu = info.mtu;
		if (vif->may_promisc || !(f->flags & NET_FLAG_PROMISC))
			continue;
		f->flags &= ~NET_FLAG_PROMISC;
		vnet_client_set_accept(m->sw, f->client, VNET_ACCEPT_OWN);
	}
}

/*
 * Uplinks
 */

static const char *
state_name(enum vnet_mach_uplink_state state)
{
	switch (state) {
	case VNET_MACH_UPLINK_NO_RIGHT:
		return "no_right";
	case VNET_MACH_UPLINK_WAITING:
		return "waiting";
	case VNET_MACH_UPLINK_OPENING:
		return "opening";
	case VNET_MACH_UPLINK_UP:
		return "up";
	}
	return "";
}

static int
uplink_get(void *ctx, vnet_port_id port, struct vnet_control_uplink *uplink)
{
	struct vnet_mach_uplink_info info = {.size = sizeof(info)};
	int r = vnet_mach_uplink_get(server_of(ctx), port, &info);

	if (r)
		return r;
	*uplink = (struct vnet_control_uplink){
		.is_shared = info.is_shared,
		.state = state_name(info.state),
		.error = (uint32_t)info.error,
		.mac = info.mac,
		.mtu = info.mtu,
		.flags = info.flags,
		.promisc_refused = info.promisc_refused,
	};
	memcpy(uplink->name, info.name, sizeof(uplink->name));
	return 0;
}

static int
uplink_add(void *ctx, vnet_port_id port,
	   const struct vnet_control_uplink *uplink,
	   const struct vnet_control_right *right, struct vnet_why *why)
{
	const mach_port_t name = (mach_port_t)right->name;
	const struct vnet_mach_uplink_config config = {
		.size = sizeof(config),
		.port = port,
		.name = uplink->name,
		.master = right->is_device ? MACH_PORT_NULL : name,
		.device = right->is_device ? name : MACH_PORT_NULL,
		.flags =
			(uplink->no_promisc ? VNET_MACH_UPLINK_NO_PROMISC : 0) |
			(uplink->is_shared ? VNET_MACH_UPLINK_SHARED : 0) |
			(uplink->may_share ? VNET_MACH_UPLINK_MAY_SHARE : 0),
	};

	return vnet_uplink_add(server_of(ctx), &config, why);
}

static int
uplink_give(void *ctx, vnet_port_id port,
	    const struct vnet_control_right *right)
{
	const mach_port_t name = (mach_port_t)right->name;

	return vnet_uplink_give(server_of(ctx), port,
				right->is_device ? MACH_PORT_NULL : name,
				right->is_device ? name : MACH_PORT_NULL);
}

/*
 * Facets
 */

static struct vnet_mach_facet *
find_facet(const struct vnet_mach *m, vnet_client_id client)
{
	struct vnet_mach_facet *f = m->facets;

	while (f && f->client != client)
		f = f->next;
	return f;
}

static int
facet_get(void *ctx, vnet_client_id client, struct vnet_control_facet *facet)
{
	struct vnet_mach_facet_info info = {.size = sizeof(info)};
	int r = vnet_mach_facet_get(server_of(ctx), client, &info);

	if (r)
		return r;
	*facet = (struct vnet_control_facet){
		.filters = info.filters,
		.reads = info.reads,
		.flags = info.flags,
	};
	return 0;
}

static void
facet_close(void *ctx, vnet_client_id client)
{
	struct vnet_mach_facet *f = find_facet(server_of(ctx), client);

	if (f)
		vnet_mach_facet_close(f);
}

/*
 * Figures
 */

static void
past(void *ctx, vnet_port_id port, struct vnet_figures *sum)
{
	const struct vnet_mach_vif *v = vnet_mach_vif_of(server_of(ctx), port);

	if (v)
		vnet_figures_add(sum, &v->past);
}

static void
put(struct vnet_control_numbers *n, const char *name, uint64_t value)
{
	n->of[n->n].name = name;
	n->of[n->n++].value = value;
}

/* The first three are what every medium has. */
static void
put_facet(struct vnet_control_numbers *n, const struct vnet_mach_facet_info *i)
{
	put(n, "in_dropped",
	    i->write_down + i->write_denied + i->write_full + i->write_length +
		    i->write_fault);
	put(n, "out_dropped", i->sent_full + i->sent_dead + i->read_full);
	put(n, "in_errors", i->write_length + i->write_fault);
	put(n, "writes", i->writes);
	put(n, "write_length", i->write_length);
	put(n, "write_down", i->write_down);
	put(n, "write_denied", i->write_denied);
	put(n, "write_full", i->write_full);
	put(n, "write_fault", i->write_fault);
	put(n, "sent", i->sent);
	put(n, "sent_full", i->sent_full);
	put(n, "sent_dead", i->sent_dead);
	put(n, "read", i->read);
	put(n, "read_cut", i->read_cut);
	put(n, "read_full", i->read_full);
}

static void
put_uplink(struct vnet_control_numbers *n,
	   const struct vnet_mach_uplink_info *i)
{
	put(n, "in_dropped", 0);
	put(n, "out_dropped", i->write_errors + i->write_lost);
	put(n, "in_errors", i->received_bad);
	put(n, "in_flight", i->in_flight);
	put(n, "opens", i->opens);
	put(n, "losses", i->losses);
	put(n, "timeouts", i->timeouts);
	put(n, "flags_reset", i->flags_reset);
	put(n, "filter_reset", i->filter_reset);
	put(n, "received", i->received);
	put(n, "received_bad", i->received_bad);
	put(n, "written", i->written);
	put(n, "write_errors", i->write_errors);
	put(n, "write_lost", i->write_lost);
	put(n, "write_full", i->write_full);
	put(n, "write_length", i->write_length);
	put(n, "strays", i->strays);
	put(n, "shared_unknown", i->shared_unknown);
	put(n, "shared_conflicts", i->shared_conflicts);
}

static bool
medium(void *ctx, vnet_port_id port, vnet_client_id client,
       struct vnet_control_numbers *numbers)
{
	struct vnet_mach_uplink_info uplink = {.size = sizeof(uplink)};
	struct vnet_mach_facet_info sum;
	const struct vnet_mach *m = server_of(ctx);
	const struct vnet_mach_vif *v = vnet_mach_vif_of(m, port);
	const struct vnet_mach_facet *f;

	if (!v && vnet_mach_uplink_get(m, port, &uplink))
		return false;
	if (!v) {
		put_uplink(numbers, &uplink);
		return true;
	}
	if (client == VNET_NO_ID) {
		vnet_mach_vif_sum(m, v, &sum);
		put_facet(numbers, &sum);
		return true;
	}
	f = find_facet(m, client);
	if (f)
		put_facet(numbers, &f->count);
	return f != NULL;
}

static void
server(void *ctx, struct vnet_control_numbers *numbers)
{
	struct vnet_mach_stats s = {.size = sizeof(s)};

	vnet_mach_get_stats(server_of(ctx), &s);
	put(numbers, "masters", s.masters);
	put(numbers, "facets", s.facets);
	put(numbers, "inert", s.inert);
	put(numbers, "workers", s.workers);
	put(numbers, "messages", s.messages);
	put(numbers, "malformed", s.malformed);
	put(numbers, "forged", s.forged);
	put(numbers, "replies_lost", s.replies_lost);
}

void
vnet_mach_controller_init(struct vnet_mach_controller *c,
			  struct vnet_mach_master *master)
{
	struct vnet_mach *m = master->right.m;

	c->m = m;
	c->master = master;
	c->host = (struct vnet_control_host){
		.sw = m->sw,
		.alloc = &m->alloc,
		.version = vnet_version(),
		.now = now,
		.vif_get = vif_get,
		.vif_add = vif_add,
		.vif_remove = vif_remove,
		.vif_changed = vif_changed,
		.uplink_get = uplink_get,
		.uplink_add = uplink_add,
		.uplink_give = uplink_give,
		.facet_get = facet_get,
		.facet_close = facet_close,
		.past = past,
		.medium = medium,
		.server = server,
		.ctx = c,
	};
}
