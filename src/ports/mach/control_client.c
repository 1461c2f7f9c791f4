/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "control_grant.h"
#include "control_name.h"
#include "control_walk.h"

/*
 * Showing
 */

static void
put_client(const struct vnet_control_host *h, vnet_client_id id,
	   const char *port, struct vnet_json_writer *w)
{
	struct vnet_client_info info = {.size = sizeof(info)};
	char name[VNET_CLIENT_NAME_SIZE];
	struct vnet_control_facet facet;

	vnet_client_get(h->sw, id, &info);
	vnet_control_client_name(h->sw, id, name);
	vnet_json_open(w, NULL, '{');
	vnet_json_put_string(w, "client", name);
	vnet_json_put_string(w, "port", port);
	vnet_json_put_number(w, "index", info.index);
	vnet_json_put_mac(w, "mac", info.mac);
	if (!h->facet_get(h->ctx, id, &facet)) {
		vnet_json_put_number(w, "filters", facet.filters);
		vnet_json_put_number(w, "reads", facet.reads);
		vnet_json_put_number(w, "flags", facet.flags);
	}
	vnet_json_put_number(w, "queue_octets", info.queue_octets);
	vnet_json_put_number(w, "weight", info.weight);
	vnet_json_put_number(w, "max_addresses", info.max_addresses);
	vnet_json_put_string(w, "accept",
			     info.accept == VNET_ACCEPT_OWN ? "own" : "all");
	vnet_control_put_grant(h->sw, vnet_client_grant(h->sw, id), "grant", w);
	vnet_json_close(w, '}');
}

static enum vnet_control_step
next_of_ports(const struct vnet_control_host *h, struct vnet_control_walk *k,
	      struct vnet_json_writer *w)
{
	struct vnet_port_info port;
	vnet_client_id id;

	if (!vnet_control_walk_port(h, k, &port))
		return VNET_CONTROL_END;
	id = vnet_control_client_from(h->sw, port.id, &k->index);
	if (id == VNET_NO_ID) {
		vnet_control_walk_leave(k);
		return VNET_CONTROL_AGAIN;
	}
	k->index++;
	put_client(h, id, port.name, w);
	return VNET_CONTROL_PUT;
}

static enum vnet_control_step
next_of_client(const struct vnet_control_host *h, struct vnet_control_walk *k,
	       struct vnet_json_writer *w)
{
	const vnet_port_id port = vnet_client_port(h->sw, k->client);
	char name[VNET_PORT_NAME_SIZE];

	if (k->is_over || port == VNET_NO_ID)
		return VNET_CONTROL_END;
	k->is_over = true;
	vnet_control_port_name(h->sw, port, name);
	put_client(h, k->client, name, w);
	return VNET_CONTROL_PUT;
}

struct show_args {
	char port[VNET_CLIENT_NAME_SIZE];
};

static const struct vnet_control_key show_keys[] = {
	{VNET_KEY(TEXT, struct show_args, port),
	 .max = VNET_CLIENT_NAME_SIZE - 1},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_client_show(struct vnet_control_call *call)
{
	struct vnet_control_walk *k = call->walk;
	struct show_args a = {.port = ""};
	int r = vnet_control_read(call->request, show_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	if (!vnet_control_is_client(call->host->sw, a.port)) {
		k->next = next_of_ports;
		return vnet_control_walk_begin(call, a.port);
	}
	k->is_list = true;
	k->next = next_of_client;
	k->client = vnet_control_find_client(call->host->sw, a.port, call->c);
	return k->client == VNET_NO_ID ? -ENOENT : 0;
}

/*
 * Changing
 */

struct set_args {
	char client[VNET_CLIENT_NAME_SIZE];
	struct vnet_json changes;
};

static const struct vnet_control_key set_keys[] = {
	{VNET_KEY(TEXT, struct set_args, client),
	 .max = VNET_CLIENT_NAME_SIZE - 1, .is_required = true},
	{VNET_KEY(OBJECT, struct set_args, changes), .is_required = true},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

/* What it accepts, and which chains pass by default, its own flags and filters
 * say. */
struct changes {
	uint64_t queue_octets;
	uint64_t weight;
	uint64_t max_addresses;
};

static const struct vnet_control_key change_keys[] = {
	{VNET_KEY(NUMBER, struct changes, queue_octets), .min = VNET_POOL_BLOCK,
	 .max = 1 << 30},
	{VNET_KEY(NUMBER, struct changes, weight), .min = 1, .max = 1024},
	{VNET_KEY(NUMBER, struct changes, max_addresses), .max = 1 << 24},
	{.name = NULL},
};

enum {
	GIVEN_QUEUE = 1 << 0,
	GIVEN_WEIGHT = 1 << 1,
	GIVEN_MAX_ADDRESSES = 1 << 2,
};

static int
apply(struct vnet_switch *sw, vnet_client_id id, const struct changes *s,
      uint32_t given)
{
	int r = 0;

	if (given & GIVEN_QUEUE)
		r = vnet_client_set_queue(sw, id, (uint32_t)s->queue_octets);
	if (!r && given & GIVEN_WEIGHT)
		r = vnet_client_set_weight(sw, id, (uint32_t)s->weight);
	if (!r && given & GIVEN_MAX_ADDRESSES)
		r = vnet_client_set_max_addresses(sw, id,
						  (uint32_t)s->max_addresses);
	return r;
}

int
vnet_control_client_set(struct vnet_control_call *call)
{
	struct changes s = {.weight = 0};
	struct set_args a = {.client = ""};
	vnet_client_id id;
	uint32_t given;
	int r = vnet_control_read(call->request, set_keys, &call->name, &a,
				  NULL, call->c);

	if (!r)
		r = vnet_control_read(a.changes, change_keys, NULL, &s, &given,
				      call->c);
	if (r)
		return r;
	id = vnet_control_find_client(call->host->sw, a.client, call->c);
	if (id == VNET_NO_ID)
		return -ENOENT;
	r = apply(call->host->sw, id, &s, given);
	/* The first that can fail has a bound of the switch's. */
	if (r == -EINVAL)
		return vnet_complain(call->c, r, "queue_octets: found ",
				     vnet_text_of_number(s.queue_octets).text,
				     ", expected no more than the switch's",
				     NULL);
	return r ? vnet_complain_why(call->c, r, a.client, NULL) : 0;
}

struct del_args {
	char client[VNET_CLIENT_NAME_SIZE];
	bool if_exists;
};

static const struct vnet_control_key del_keys[] = {
	{VNET_KEY(TEXT, struct del_args, client),
	 .max = VNET_CLIENT_NAME_SIZE - 1, .is_required = true},
	{VNET_KEY(BOOL, struct del_args, if_exists)},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_client_del(struct vnet_control_call *call)
{
	const struct vnet_control_host *h = call->host;
	struct del_args a = {.client = ""};
	struct vnet_control_facet facet;
	vnet_client_id id;
	int r = vnet_control_read(call->request, del_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	id = vnet_control_find_client(h->sw, a.client, call->c);
	if (id == VNET_NO_ID)
		return a.if_exists ? 0 : -ENOENT;
	if (h->facet_get(h->ctx, id, &facet))
		return vnet_complain(call->c, -EINVAL, "client ", a.client,
				     " goes with its port", NULL);
	h->facet_close(h->ctx, id);
	return 0;
}
