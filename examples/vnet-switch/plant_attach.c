/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "opener.h"
#include "plant_attach.h"
#include "plant_client.h"
#include "plant_grant.h"
#include "plant_port.h"
#include "schema.h"
#include "sessions.h"

/* No row. */
#define NONE SIZE_MAX

bool
plant_attach_is(const json_t *config)
{
	return !strcmp(opener_type(config), "attach");
}

static const json_t *
rows_of(const json_t *config)
{
	return json_object_get(config, "allow");
}

uint32_t
plant_attach_flags(const json_t *config)
{
	uint32_t flags = 0;

	if (!plant_attach_is(config))
		return 0;
	if (!strcmp(schema_string(config, "addresses"), "per-client"))
		flags |= VNET_PORT_PER_CLIENT;
	if (!schema_bool(config, "siblings", true))
		flags |= VNET_PORT_NO_SIBLINGS;
	return flags;
}

/*
 * The address
 */

/* FNV-1a, of 64 bits. */
static uint64_t
hash(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	/* Where one text ends, and the next begins. */
	return h * UINT64_C(0x100000001b3);
}

/* Two hosts may call their ports alike. */
static void
read_machine(char *text, size_t size)
{
	FILE *f = fopen("/etc/machine-id", "re");

	text[0] = '\0';
	if (!f)
		return;
	if (!fgets(text, (int)size, f))
		text[0] = '\0';
	(void)fclose(f);
}

/* The same at every start. */
static struct vnet_mac
make_mac(const struct plant *plant, const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	struct vnet_mac mac;
	char machine[64];

	read_machine(machine, sizeof(machine));
	h = hash(hash(hash(h, machine), plant->socket), name);
	for (int i = 0; i < 6; i++)
		mac.octet[i] = (uint8_t)(h >> (8 * i + 8));
	/* Locally administered, of a station (IEEE 802, 8.2). */
	mac.octet[0] = (uint8_t)((mac.octet[0] & 0xfc) | 0x02);
	return mac;
}

struct vnet_mac
plant_attach_mac(const struct plant *plant, const json_t *config)
{
	const char *text = schema_string(config, "mac");

	return text ? plant_mac(text)
		    : make_mac(plant, schema_string(config, "name"));
}

/*
 * The socket
 */

int
plant_attach_path(const struct plant *plant, const json_t *config, char *path,
		  struct complaint *c)
{
	const char *said = schema_string(config, "path");
	int n = snprintf(path, PLANT_ATTACH_PATH_SIZE, "%s%s",
			 said ? said : plant->socket, said ? "" : ".attach");

	if (n >= PLANT_ATTACH_PATH_SIZE)
		return complain(c, -ENAMETOOLONG,
				"port %s: there is no \"path\", and the "
				"control socket's is too long to make one of",
				schema_string(config, "name"));
	return 0;
}

static bool
is_same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return (!x && !y) || (x && y && json_equal(x, y));
}

bool
plant_attach_is_other(const json_t *from, const json_t *to)
{
	if (!plant_attach_is(from) && !plant_attach_is(to))
		return false;
	return !is_same(from, to, "type") || !is_same(from, to, "path") ||
	       !is_same(from, to, "mac") || !is_same(from, to, "addresses");
}

int
plant_attach_open(struct plant_port *port, struct complaint *c)
{
	char path[PLANT_ATTACH_PATH_SIZE];
	struct complaint inner;
	int r = plant_attach_path(port->plant, port->config, path, c);

	if (r)
		return r;
	r = entrance_open(&port->entrance, port->plant->sessions, path, &inner);
	return r ? complain(c, r, "port %s: %s", port->name, inner.text) : 0;
}

void
plant_attach_close(struct plant_port *port)
{
	/* With one may end others. */
	while (port->clients)
		session_end(port->clients->session);
	entrance_close(port->entrance);
	port->entrance = NULL;
}

/*
 * Who may
 */

/* Whoever runs the switch may do what they like to it anyway. */
static bool
is_own(const struct session *s)
{
	const uid_t uid = session_peer(s)->uid;

	return uid == 0 || uid == geteuid();
}

static bool
matches(const json_t *row, const struct session *s)
{
	const json_t *user = json_object_get(row, "user");
	const json_t *group = json_object_get(row, "group");

	if (user && (uid_t)json_integer_value(user) != session_peer(s)->uid)
		return false;
	return !group ||
	       vnet_session_has_group(session_of(s),
				      (gid_t)json_integer_value(group));
}

/* The first row that matches; 0 where there are none, and whoever runs the
 * switch may. That of the one who has delegated it, where somebody has. */
static size_t
find_row(const json_t *config, const struct session *s)
{
	const json_t *rows = rows_of(config), *row;
	size_t i;

	while (session_from(s))
		s = session_from(s);
	if (!rows)
		return is_own(s) ? 0 : NONE;
	json_array_foreach(rows, i, row)
		if (matches(row, s))
			return i;
	return NONE;
}

/* Of those let in by a row; 0 for no bound. */
static uint64_t
most_of_row(const json_t *config, size_t row)
{
	return (uint64_t)json_integer_value(json_object_get(
		json_array_get(rows_of(config), row), "max_clients"));
}

/* How many of the clients before @end are there by @row; by any, for NONE. */
static uint64_t
count(const struct plant_port *p, const struct plant_client *end, size_t row)
{
	uint64_t n = 0;

	for (const struct plant_client *client = p->clients; client != end;
	     client = client->next)
		n += client->session && (row == NONE || client->row == row);
	return n;
}

/* Is there room for one more, behind those before @end? */
static int
check_room(const struct plant_port *p, const json_t *config,
	   const struct plant_client *end, size_t row, struct vnet_why *why)
{
	const uint64_t bound = schema_number(config, "max_clients");
	const uint64_t row_bound = most_of_row(config, row);

	why->text = "there are as many clients as there may be";
	why->bound = bound;
	if (count(p, end, NONE) >= bound)
		return -EUSERS;
	why->text = "there are as many clients of this user or group as there "
		    "may be";
	why->bound = row_bound;
	return row_bound && count(p, end, row) >= row_bound ? -EUSERS : 0;
}

int
plant_attach_find(const struct plant *plant, const struct entrance *entrance,
		  const char *vif, struct plant_port **port,
		  struct vnet_why *why)
{
	struct plant_port *found = NULL;

	for (struct plant_port *p = plant->ports; p; p = p->next) {
		if (p->entrance != entrance ||
		    (*vif && strcmp(p->name, vif) != 0))
			continue;
		if (found) {
			why->text = "there are several vifs: say which";
			return -EINVAL;
		}
		found = p;
	}
	if (!found) {
		why->text = "there is no such vif at this socket";
		return -ENOENT;
	}
	*port = found;
	return 0;
}

static bool
is_within(struct vnet_mac mac, const struct vnet_mac_prefix *prefix)
{
	for (unsigned int bit = 0; bit < prefix->bits; bit++)
		if ((mac.octet[bit / 8] ^ prefix->mac.octet[bit / 8]) &
		    (0x80 >> bit % 8))
			return false;
	return true;
}

/* One that begins as @prefix does, another one for each of some clients, and else
 * is as @own. */
static struct vnet_mac
address_within(const struct vnet_mac_prefix *prefix, struct vnet_mac own,
	       uint32_t index)
{
	own.octet[5] = (uint8_t)(own.octet[5] + index);
	for (unsigned int bit = 0; bit < prefix->bits; bit++) {
		const uint8_t mask = (uint8_t)(0x80 >> bit % 8);
		uint8_t *octet = &own.octet[bit / 8];

		*octet = (uint8_t)((*octet & ~mask) |
				   (prefix->mac.octet[bit / 8] & mask));
	}
	return own;
}

/* The address that it is to send from: where its grant has others than its own, the
 * first of these that is whole, or one of the first that are not. */
static struct vnet_mac
usual_address(const struct vnet_switch *sw, const struct plant_client *client,
	      struct vnet_mac own, uint32_t index)
{
	struct vnet_grant_info info = {.size = sizeof(info)};
	const struct vnet_grant *grant = &info.grant;
	struct vnet_mac mac;

	if (vnet_grant_get(sw, vnet_client_grant(sw, client->id), &info))
		return own;
	mac = address_within(&grant->macs[0], own, index);
	for (size_t i = grant->nmacs; i-- > 0;) {
		if (is_within(own, &grant->macs[i]))
			return own;
		if (grant->macs[i].bits == 48)
			mac = grant->macs[i].mac;
	}
	return mac;
}

static void
describe(const struct plant_client *client, struct vnet_attach_info *info)
{
	const struct plant_port *p = client->port;
	struct vnet_client_info ci = {.size = sizeof(ci)};
	struct vnet_port_info pi = {.size = sizeof(pi)};

	vnet_client_get(p->plant->sw, client->id, &ci);
	vnet_port_get(p->plant->sw, p->id, &pi);
	(void)snprintf(info->vif, sizeof(info->vif), "%s", p->name);
	info->index = ci.index;
	info->mac = usual_address(p->plant->sw, client, ci.mac, ci.index);
	info->mtu = pi.mtu;
}

/* A loop has closed the only client of a port, and the port with it. That is not
 * for who comes next. */
static void
open_link(const struct plant_port *p, const struct plant_client *newcomer)
{
	struct vnet_switch *sw = p->plant->sw;
	struct vnet_port_info info = {.size = sizeof(info)};

	if (vnet_port_get(sw, p->id, &info) || info.link)
		return;
	vnet_port_set_link(sw, p->id, true);
	for (const struct plant_client *c = p->clients; c; c = c->next)
		if (c != newcomer)
			vnet_client_set_link(sw, c->id, false);
}

/* As @config has them for who comes by @row; but what was delegated has the grant
 * that it was delegated with. New reference. */
static json_t *
settings_of(const json_t *config, size_t row, const struct session *s)
{
	json_t *settings = plant_client_settings(
		config, json_array_get(rows_of(config), row));

	if (session_grant(s))
		json_object_set_new(settings, "grant",
				    json_string(session_grant(s)));
	return settings;
}

/* Make a session's medium a client of its port, by @row. */
static int
join(struct plant_port *p, struct session *s, struct vnet_medium *m, size_t row,
     struct plant_client **client, struct vnet_attach_info *info,
     struct vnet_why *why)
{
	json_t *settings = settings_of(p->config, row, s);
	const char *grant = schema_string(settings, "grant");
	int r = 0;

	plant_sweep(p->plant);
	plant_hold(p->plant);
	if (grant && !grants_has(p->plant->grants, grant)) {
		why->text = "the grant of this user or group has ended";
		r = -EACCES;
	}
	if (!r)
		r = plant_client_add(p, m, settings, client, why);
	if (!r) {
		open_link(p, *client);
		(*client)->session = s;
		(*client)->row = row;
		describe(*client, info);
	}
	plant_unlock(p->plant);
	json_decref(settings);
	return r == -ENOSPC ? -EUSERS : r;
}

int
plant_attach_admit(struct plant_port *port, struct session *session,
		   struct plant_client **client, struct vnet_attach_info *info,
		   struct vnet_why *why)
{
	const struct vnet_session_peer *peer = session_peer(session);
	const size_t row = find_row(port->config, session);
	struct vnet_medium *m = NULL;
	int r = 0;

	if (row == NONE) {
		why->text = "this user may not attach to it";
		r = -EACCES;
	}
	if (!r)
		r = check_room(port, port->config, NULL, row, why);
	if (!r)
		r = vnet_session_open(session_of(session), &m,
				      port->plant->media, 0, why);
	if (!r)
		r = join(port, session, m, row, client, info, why);
	if (r) {
		vnet_medium_close(m);
		log_write(LOG_INFO, "port %s: user %u: %s", port->name,
			  (unsigned int)peer->uid,
			  why->text ? why->text : strerror(-r));
		return r;
	}
	log_write(LOG_DEBUG, "port %s: user %u, process %d: is %s", port->name,
		  (unsigned int)peer->uid, (int)peer->pid, (*client)->name);
	return 0;
}

/*
 * Change
 */

/* May it stay? Of too many, those that came last go. */
static bool
may_stay(const struct plant_port *p, const json_t *config,
	 struct plant_client *client)
{
	struct vnet_why why;

	client->row = find_row(config, client->session);
	return client->row != NONE &&
	       !check_room(p, config, client, client->row, &why);
}

static void
give_row(const json_t *config, struct plant_client *client)
{
	struct plant *plant = client->port->plant;
	json_t *settings = settings_of(config, client->row, client->session);
	struct vnet_why why = {0};
	int r = 0;

	/* What it has delegated is of another one. */
	if (!is_same(settings, client->settings, "grant"))
		session_end_given(client->session);

	/* What was changed while it lasts stays, where its row does. */
	if (!json_equal(settings, client->settings)) {
		plant_hold(plant);
		r = plant_client_apply(client, settings, &why);
		plant_unlock(plant);
	}
	json_decref(settings);
	if (r)
		log_write(LOG_WARNING, "client %s: %s: %s", client->name,
			  why.text ? why.text : "cannot be changed",
			  strerror(-r));
}

void
plant_attach_change(struct plant_port *port, const json_t *config)
{
	struct plant_client *client = port->clients;

	while (client) {
		if (may_stay(port, config, client)) {
			give_row(config, client);
			client = client->next;
		} else {
			log_write(LOG_INFO, "client %s: may be there no more",
				  client->name);
			/* With it may end others: those who stay stay. */
			session_end(client->session);
			client = port->clients;
		}
	}
	plant_tell(port->plant);
}
