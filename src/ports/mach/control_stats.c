/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "stats": one object, in pieces: its beginning, the ports, each with its
 * clients, and the totals.
 */
#include <string.h>

#include "control_name.h"
#include "control_walk.h"

/* Which piece is next. */
enum {
	STATS_BEGIN,
	STATS_PORTS,   /* a port, but for its clients */
	STATS_CLIENTS, /* one of them, or the end of the port */
	STATS_TOTALS,
	STATS_END,
};

/* What is counted outside the switch. */
static void
put_medium(const struct vnet_control_host *h, vnet_port_id port,
	   vnet_client_id client, struct vnet_json_writer *w)
{
	struct vnet_control_numbers n = {.n = 0};

	if (!h->medium(h->ctx, port, client, &n))
		return;
	vnet_json_open(w, "medium", '{');
	for (size_t i = 0; i < n.n; i++)
		vnet_json_put_number(w, n.of[i].name, n.of[i].value);
	vnet_json_close(w, '}');
}

/* All of its clients, those that have gone included. */
static void
sum_port(const struct vnet_control_host *h, vnet_port_id port,
	 struct vnet_figures *sum)
{
	vnet_client_id id = VNET_NO_ID;

	memset(sum, 0, sizeof(*sum));
	h->past(h->ctx, port, sum);
	while ((id = vnet_client_next(h->sw, port, id)) != VNET_NO_ID)
		vnet_figures_add_client(sum, h->sw, id);
}

static void
put_figures(struct vnet_control_walk *k, const struct vnet_figures *f,
	    struct vnet_json_writer *w)
{
	if (!vnet_figures_show(f, w))
		k->is_unbalanced = true;
}

static void
begin_port(const struct vnet_control_host *h, struct vnet_control_walk *k,
	   const struct vnet_port_info *port, struct vnet_json_writer *w)
{
	struct vnet_figures sum;

	sum_port(h, port->id, &sum);
	vnet_json_open(w, NULL, '{');
	vnet_json_put_string(w, "name", port->name);
	vnet_json_put_string(w, "role",
			     port->role == VNET_ROLE_UPLINK ? "uplink" : "vif");
	vnet_json_put_string(w, "link", port->link ? "up" : "down");
	put_figures(k, &sum, w);
	put_medium(h, port->id, VNET_NO_ID, w);
}

static void
put_client(const struct vnet_control_host *h, struct vnet_control_walk *k,
	   vnet_client_id id, struct vnet_json_writer *w)
{
	struct vnet_client_info info = {.size = sizeof(info)};
	char name[VNET_CLIENT_NAME_SIZE];
	struct vnet_figures f;

	memset(&f, 0, sizeof(f));
	vnet_figures_add_client(&f, h->sw, id);
	vnet_client_get(h->sw, id, &info);
	vnet_control_client_name(h->sw, id, name);
	vnet_json_open(w, NULL, '{');
	vnet_json_put_string(w, "client", name);
	vnet_json_put_mac(w, "mac", info.mac);
	put_figures(k, &f, w);
	put_medium(h, info.port, id, w);
	vnet_json_close(w, '}');
}

static void
put_totals(const struct vnet_control_host *h, struct vnet_control_walk *k,
	   struct vnet_json_writer *w)
{
	struct vnet_switch_stats whole;
	struct vnet_figures f;

	vnet_figures_of_switch(&f, h->sw, &whole);
	vnet_json_open(w, "totals", '{');
	put_figures(k, &f, w);
	vnet_figures_put(w, "originated", &whole.originated);
	vnet_json_put_number(w, "unknown_source", whole.unknown_source.frames);
	vnet_json_open(w, "fdb", '{');
	vnet_json_put_number(w, "entries", whole.fdb_entries);
	vnet_json_put_number(w, "evictions", whole.fdb_evictions);
	vnet_json_put_number(w, "unlearned", whole.fdb_unlearned);
	vnet_json_close(w, '}');
	vnet_json_open(w, "pool", '{');
	vnet_json_put_number(w, "used", whole.pool_used);
	vnet_json_put_number(w, "octets", whole.pool_octets);
	vnet_json_close(w, '}');
	vnet_json_put_number(w, "events_lost", whole.events_lost);
	vnet_json_put_number(w, "clock_steps_back", whole.clock_steps_back);
	vnet_json_close(w, '}');
}

static void
begin(const struct vnet_control_host *h, struct vnet_json_writer *w)
{
	vnet_json_open(w, NULL, '{');
	vnet_json_put_number(w, "schema", 1);
	vnet_json_put_number(w, "time_ns", h->now(h->ctx));
	vnet_json_open(w, "ports", '[');
}

static unsigned int
next_port(const struct vnet_control_host *h, struct vnet_control_walk *k,
	  struct vnet_json_writer *w)
{
	struct vnet_control_vif vif;
	struct vnet_port_info port;

	if (!vnet_control_walk_port(h, k, &port)) {
		vnet_json_close(w, ']');
		return STATS_TOTALS;
	}
	begin_port(h, k, &port, w);
	if (h->vif_get(h->ctx, port.id, &vif)) {
		vnet_json_close(w, '}');
		vnet_control_walk_leave(k);
		return STATS_PORTS;
	}
	vnet_json_open(w, "clients", '[');
	return STATS_CLIENTS;
}

static unsigned int
next_client(const struct vnet_control_host *h, struct vnet_control_walk *k,
	    struct vnet_json_writer *w)
{
	vnet_client_id id = vnet_control_client_from(h->sw, k->port, &k->index);

	if (id != VNET_NO_ID) {
		k->index++;
		put_client(h, k, id, w);
		return STATS_CLIENTS;
	}
	vnet_json_close(w, ']');
	vnet_json_close(w, '}');
	vnet_control_walk_leave(k);
	return STATS_PORTS;
}

static enum vnet_control_step
next(const struct vnet_control_host *h, struct vnet_control_walk *k,
     struct vnet_json_writer *w)
{
	switch (k->stage) {
	case STATS_BEGIN:
		begin(h, w);
		k->stage = STATS_PORTS;
		break;
	case STATS_PORTS:
		k->stage = next_port(h, k, w);
		break;
	case STATS_CLIENTS:
		k->stage = next_client(h, k, w);
		break;
	case STATS_TOTALS:
		put_totals(h, k, w);
		vnet_json_put_bool(w, "balanced", !k->is_unbalanced);
		vnet_json_close(w, '}');
		k->stage = STATS_END;
		break;
	default:
		return VNET_CONTROL_END;
	}
	return VNET_CONTROL_PUT;
}

struct stats_args {
	char port[VNET_PORT_NAME_SIZE];
};

static const struct vnet_control_key stats_keys[] = {
	{VNET_KEY(TEXT, struct stats_args, port),
	 .max = VNET_PORT_NAME_SIZE - 1},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_stats(struct vnet_control_call *call)
{
	struct stats_args a = {.port = ""};
	int r = vnet_control_read(call->request, stats_keys, &call->name, &a,
				  NULL, call->c);

	if (!r)
		r = vnet_control_walk_begin(call, a.port);
	call->walk->is_list = false;
	call->walk->next = next;
	return r;
}
