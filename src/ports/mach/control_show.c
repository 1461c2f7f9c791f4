/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What there is: the switch and the server as a whole, and their ports.
 */
#include <vnet/filter.h>

#include "control_filter.h"
#include "control_grant.h"
#include "control_name.h"
#include "control_walk.h"

static const struct vnet_control_key no_keys[] = {
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

static void
put_numbers(const struct vnet_control_numbers *n, struct vnet_json_writer *w)
{
	for (size_t i = 0; i < n->n; i++)
		vnet_json_put_number(w, n->of[i].name, n->of[i].value);
}

/*
 * The whole
 */

static enum vnet_control_step
put_whole(const struct vnet_control_host *h, struct vnet_control_walk *k,
	  struct vnet_json_writer *w)
{
	struct vnet_switch_stats s = {.size = sizeof(s)};
	struct vnet_control_numbers server = {.n = 0};

	if (k->is_over)
		return VNET_CONTROL_END;
	k->is_over = true;
	vnet_switch_get_stats(h->sw, &s);
	h->server(h->ctx, &server);
	vnet_json_open(w, NULL, '{');
	vnet_json_put_string(w, "version", h->version);
	vnet_json_put_number(w, "time_ns", h->now(h->ctx));
	vnet_json_put_number(w, "ports", s.ports);
	vnet_json_put_number(w, "clients", s.clients);
	vnet_json_put_number(w, "fdb_entries", s.fdb_entries);
	vnet_json_put_number(w, "pool_used", s.pool_used);
	vnet_json_put_number(w, "pool_octets", s.pool_octets);
	vnet_json_open(w, "server", '{');
	put_numbers(&server, w);
	vnet_json_close(w, '}');
	vnet_json_close(w, '}');
	return VNET_CONTROL_PUT;
}

int
vnet_control_show(struct vnet_control_call *call)
{
	char nowhere;
	int r = vnet_control_read(call->request, no_keys, &call->name, &nowhere,
				  NULL, call->c);

	if (!r)
		call->walk->next = put_whole;
	return r;
}

/*
 * Ports
 */

static void
put_vif(const struct vnet_control_host *h, const struct vnet_control_vif *vif,
	const struct vnet_port_info *port, struct vnet_json_writer *w)
{
	vnet_json_put_string(w, "addresses",
			     port->flags & VNET_PORT_PER_CLIENT ? "per-client"
								: "shared");
	vnet_json_put_bool(w, "siblings",
			   !(port->flags & VNET_PORT_NO_SIBLINGS));
	vnet_json_put_number(w, "max_clients", vif->max_clients);
	vnet_json_put_bool(w, "promisc", vif->may_promisc);
	vnet_json_put_bool(w, "set_address", vif->may_set_address);
	vnet_control_put_grant(h->sw, vif->grant, "grant", w);
}

/* The device that is an uplink. */
static void
put_medium(const struct vnet_control_uplink *u, bool link,
	   struct vnet_json_writer *w)
{
	vnet_json_open(w, "medium", '{');
	vnet_json_put_string(w, "kind", "device");
	vnet_json_put_string(w, "interface", u->name);
	vnet_json_put_mac(w, "mac", u->mac);
	vnet_json_put_number(w, "mtu", u->mtu);
	vnet_json_put_bool(w, "up", link);
	vnet_json_put_string(w, "state", u->state);
	vnet_json_put_number(w, "error", u->error);
	vnet_json_put_number(w, "flags", u->flags);
	vnet_json_put_bool(w, "promisc_refused", u->promisc_refused);
	vnet_json_put_bool(w, "shares_address", u->is_shared);
	vnet_json_close(w, '}');
}

static void
put_defaults(const struct vnet_switch *sw, vnet_port_id id,
	     struct vnet_json_writer *w)
{
	static const char *const keys[] = {"default_in", "default_out"};
	enum vnet_verdict verdict = VNET_PASS;

	for (int side = VNET_INGRESS; side <= VNET_EGRESS; side++) {
		vnet_filter_get_default(sw, id, (enum vnet_side)side, &verdict,
					NULL);
		vnet_json_put_string(w, keys[side],
				     vnet_control_verdicts[verdict]);
	}
}

static void
put_port(const struct vnet_control_host *h, const struct vnet_port_info *port,
	 struct vnet_json_writer *w)
{
	struct vnet_control_uplink uplink;
	struct vnet_control_vif vif;
	bool is_vif = !h->vif_get(h->ctx, port->id, &vif);
	bool is_uplink = !is_vif && !h->uplink_get(h->ctx, port->id, &uplink);

	vnet_json_open(w, NULL, '{');
	vnet_json_put_string(w, "name", port->name);
	vnet_json_put_string(w, "type",
			     is_vif      ? "vif"
			     : is_uplink ? "uplink"
					 : "other");
	vnet_json_put_string(w, "role",
			     port->role == VNET_ROLE_UPLINK ? "uplink" : "vif");
	vnet_json_put_mac(w, "mac", port->mac);
	vnet_json_put_number(w, "mtu", port->mtu);
	if (is_vif)
		put_vif(h, &vif, port, w);
	vnet_json_put_bool(w, "sticky", port->flags & VNET_PORT_STICKY);
	vnet_json_put_bool(w, "loop_guard", port->flags & VNET_PORT_LOOP_GUARD);
	put_defaults(h->sw, port->id, w);
	vnet_json_put_string(w, "link", port->link ? "up" : "down");
	vnet_json_put_number(w, "id", port->id);
	vnet_json_put_number(w, "clients", port->clients);
	if (is_uplink)
		put_medium(&uplink, port->link, w);
	else
		vnet_json_put_null(w, "medium");
	vnet_json_close(w, '}');
}

static enum vnet_control_step
next_port(const struct vnet_control_host *h, struct vnet_control_walk *k,
	  struct vnet_json_writer *w)
{
	struct vnet_port_info port;

	if (!vnet_control_walk_port(h, k, &port))
		return VNET_CONTROL_END;
	put_port(h, &port, w);
	vnet_control_walk_leave(k);
	return VNET_CONTROL_PUT;
}

struct show_args {
	char port[VNET_PORT_NAME_SIZE];
};

static const struct vnet_control_key show_keys[] = {
	{VNET_KEY(TEXT, struct show_args, port),
	 .max = VNET_PORT_NAME_SIZE - 1},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_port_show(struct vnet_control_call *call)
{
	struct show_args a = {.port = ""};
	int r = vnet_control_read(call->request, show_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	call->walk->next = next_port;
	return vnet_control_walk_begin(call, a.port);
}
