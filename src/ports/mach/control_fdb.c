/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include <vnet/fdb.h>

#include "control_name.h"
#include "control_walk.h"

/* Looks at the table, each of a bounded number of places, for one entry. */
#define LOOKS 64

struct port_args {
	char port[VNET_CLIENT_NAME_SIZE];
};

static const struct vnet_control_key port_keys[] = {
	{VNET_KEY(TEXT, struct port_args, port),
	 .max = VNET_CLIENT_NAME_SIZE - 1},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

/*
 * Showing
 */

static void
put_entry(const struct vnet_switch *sw, const struct vnet_fdb_entry *e,
	  struct vnet_json_writer *w)
{
	char port[VNET_PORT_NAME_SIZE], client[VNET_CLIENT_NAME_SIZE];

	vnet_control_port_name(sw, e->port, port);
	vnet_control_client_name(sw, e->client, client);
	vnet_json_open(w, NULL, '{');
	vnet_json_put_mac(w, "mac", e->mac);
	vnet_json_put_string(w, "port", port);
	vnet_json_put_bool(w, "static", e->is_static);
	vnet_json_put_number(w, "age_s", e->age_s);
	if (client[0])
		vnet_json_put_string(w, "client", client);
	vnet_json_close(w, '}');
}

static enum vnet_control_step
next_entry(const struct vnet_control_host *h, struct vnet_control_walk *k,
	   struct vnet_json_writer *w)
{
	struct vnet_fdb_entry e = {.size = sizeof(e)};

	for (int i = 0; i < LOOKS; i++) {
		int r = vnet_fdb_next(h->sw, &k->cursor, &e);

		if (r != 1 && r != -EAGAIN)
			return VNET_CONTROL_END;
		if (r == 1 && (!k->is_one || e.port == k->port)) {
			put_entry(h->sw, &e, w);
			return VNET_CONTROL_PUT;
		}
	}
	return VNET_CONTROL_AGAIN;
}

int
vnet_control_fdb_show(struct vnet_control_call *call)
{
	struct port_args a = {.port = ""};
	int r = vnet_control_read(call->request, port_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	call->walk->next = next_entry;
	return vnet_control_walk_begin(call, a.port);
}

/*
 * Changing
 */

struct add_args {
	struct vnet_mac mac;
	char port[VNET_CLIENT_NAME_SIZE];
};

static const struct vnet_control_key add_keys[] = {
	{VNET_KEY(MAC, struct add_args, mac), .is_required = true},
	{VNET_KEY(TEXT, struct add_args, port),
	 .max = VNET_CLIENT_NAME_SIZE - 1, .is_required = true},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

/* An address is one of a client: of a port with several, one is to be said. */
int
vnet_control_fdb_add(struct vnet_control_call *call)
{
	struct add_args a = {.port = ""};
	vnet_client_id client;
	int r = vnet_control_read(call->request, add_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	client = vnet_control_find_client(call->host->sw, a.port, call->c);
	if (client == VNET_NO_ID)
		return -ENOENT;
	r = vnet_fdb_add(call->host->sw, a.mac, client);
	return r ? vnet_complain_why(call->c, r, "cannot pin the address", NULL)
		 : 0;
}

struct del_args {
	struct vnet_mac mac;
	bool if_exists;
};

static const struct vnet_control_key del_keys[] = {
	{VNET_KEY(MAC, struct del_args, mac), .is_required = true},
	{VNET_KEY(BOOL, struct del_args, if_exists)},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_fdb_del(struct vnet_control_call *call)
{
	struct del_args a = {.if_exists = false};
	char text[VNET_MAC_TEXT_SIZE];
	int r = vnet_control_read(call->request, del_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	r = vnet_fdb_remove(call->host->sw, a.mac);
	if (!r || (r == -ENOENT && a.if_exists))
		return 0;
	return vnet_complain(call->c, r, "there is no address ",
			     vnet_mac_text(a.mac, text), NULL);
}

int
vnet_control_fdb_flush(struct vnet_control_call *call)
{
	struct port_args a = {.port = ""};
	vnet_port_id port = VNET_NO_ID;
	int r = vnet_control_read(call->request, port_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	if (a.port[0]) {
		port = vnet_control_find_port(call->host->sw, a.port, call->c);
		if (port == VNET_NO_ID)
			return -ENOENT;
	}
	r = vnet_fdb_flush(call->host->sw, port);
	return r ? vnet_complain_why(call->c, r, "flush", NULL) : 0;
}
