/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <vnet/fdb.h>
#include <vnet/malloc.h>

#include "closer.h"
#include "forms.h"
#include "log.h"
#include "opener.h"
#include "plant_attach.h"
#include "plant_client.h"
#include "plant_filter.h"
#include "plant_grant.h"
#include "plant_name.h"
#include "plant_port.h"
#include "schema.h"
#include "sessions.h"

/* Events that are taken with one hold of the lock. */
#define EVENTS_MAX 32

/* Octets of what somebody has sent that a complaint quotes. */
#define QUOTED 40

/* What the load does is told so often at the most, in microseconds. */
#define PAUSE_US 50000

void
plant_lock(struct plant *plant)
{
	forward_lock(plant->forward);
}

void
plant_unlock(struct plant *plant)
{
	forward_unlock(plant->forward);
}

vnet_nsec
plant_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (vnet_nsec)t.tv_sec * VNET_NSEC_PER_SEC + (vnet_nsec)t.tv_nsec;
}

vnet_nsec
plant_hold(struct plant *plant)
{
	vnet_nsec now;

	plant_lock(plant);
	now = plant_now();
	vnet_switch_tick(plant->sw, now);
	return now;
}

struct plant_port *
plant_find(const struct plant *plant, const char *name, struct complaint *c)
{
	struct plant_port *p = plant->ports;

	while (p && strcmp(p->name, name) != 0)
		p = p->next;
	if (!p)
		complain(c, -ENOENT, "there is no port %s", name);
	return p;
}

/*
 * Events
 */

static enum log_level
level_of(enum vnet_event_type type)
{
	switch (type) {
	case VNET_EVENT_LINK_UP:
	case VNET_EVENT_LINK_DOWN:
	case VNET_EVENT_PORT_ADDED:
	case VNET_EVENT_PORT_REMOVED:
	case VNET_EVENT_GRANT_ENDED:
		return LOG_INFO;
	case VNET_EVENT_OVERFLOW:
	case VNET_EVENT_DRIVER_ERROR:
	case VNET_EVENT_LOOP:
		return LOG_WARNING;
	default:
		return LOG_DEBUG;
	}
}

/* Takes @event. */
static void
pass_on(struct plant *plant, json_t *event)
{
	if (plant->listener)
		plant->listener(plant->listener_ctx, event);
	json_decref(event);
}

static json_t *
make_event(const char *type, const char *port, vnet_nsec time, uint32_t count)
{
	const vnet_nsec age = plant_now() - time;
	struct timespec t;
	json_t *event;

	clock_gettime(CLOCK_REALTIME, &t);
	event = json_pack("{s:s, s:I, s:I, s:I}", "event", type, "time_ns",
			  (json_int_t)time, "wall_ns",
			  (json_int_t)t.tv_sec * VNET_NSEC_PER_SEC + t.tv_nsec -
				  (json_int_t)age,
			  "count", (json_int_t)count);

	if (port)
		json_object_set_new(event, "port", json_string(port));
	return event;
}

static bool
has_address(enum vnet_event_type type)
{
	return type == VNET_EVENT_ADDRESS_MOVED ||
	       type == VNET_EVENT_ADDRESS_HELD ||
	       type == VNET_EVENT_MOVE_REFUSED || type == VNET_EVENT_FDB_FULL ||
	       type == VNET_EVENT_NOT_GRANTED;
}

/* What is shown of a port that is open, and whose link is not up. */
static void
note_error(struct plant_port *p, enum vnet_event_type type)
{
	if (type == VNET_EVENT_LOOP)
		complain(&p->error, -ELOOP,
			 "closed, since there is a loop: port set opens it "
			 "again");
	else if (type == VNET_EVENT_LINK_UP)
		p->error.text[0] = '\0';
}

/* Which client, where the port can have several. */
static const struct plant_client *
client_of(const struct plant_port *p, const struct vnet_event *e)
{
	return p && plant_attach_is(p->config) && e->client != VNET_NO_ID
		       ? plant_client_by_id(p, e->client)
		       : NULL;
}

static bool
is_of_grant(enum vnet_event_type type)
{
	return type == VNET_EVENT_GRANT_ENDED || type == VNET_EVENT_NOT_GRANTED;
}

/* The name of its client's grant, or NULL. */
static const char *
grant_of(const struct vnet_event *e, const struct plant_port *p)
{
	const struct plant_client *client =
		p && is_of_grant(e->type) ? plant_client_by_id(p, e->client)
					  : NULL;

	return client ? json_string_value(
				json_object_get(client->settings, "grant"))
		      : NULL;
}

static json_t *
event_json(const struct vnet_event *e, const struct plant_port *p)
{
	const char *grant = grant_of(e, p);
	const struct plant_client *client = client_of(p, e);
	json_t *event = make_event(vnet_event_name(e->type), p ? p->name : NULL,
				   e->time, e->count);
	char mac[18];

	if (client)
		json_object_set_new(event, "client", json_string(client->name));
	if (grant)
		json_object_set_new(event, "grant", json_string(grant));
	if (has_address(e->type)) {
		plant_mac_text(e->mac, mac);
		json_object_set_new(event, "mac", json_string(mac));
	}
	if (e->error)
		json_object_set_new(event, "error",
				    json_string(strerror(-e->error)));
	return event;
}

static void
tell(struct plant *plant, const struct vnet_event *e)
{
	const char *type = vnet_event_name(e->type);
	struct plant_port *p = plant_port_of(plant, e->port);
	enum log_level level = level_of(e->type);

	if (p && (p->m || p->entrance))
		note_error(p, e->type);
	if (e->type == VNET_EVENT_GRANT_ENDED || e->type == VNET_EVENT_OVERFLOW)
		grants_look(plant->grants);
	/* Peers come and go. */
	if (level == LOG_WARNING && p && p->listen_fd >= 0)
		level = LOG_INFO;
	log_write(level, "%s%s%s%s%s%s", p ? "port " : "", p ? p->name : "",
		  p ? ": " : "", type, e->error ? ": " : "",
		  e->error ? strerror(-e->error) : "");
	pass_on(plant, event_json(e, p));
}

/* With the lock. */
static size_t
take(struct plant *plant, struct vnet_event *events)
{
	size_t n = 0;

	while (n < EVENTS_MAX && forward_event(plant->forward, &events[n]))
		n++;
	return n;
}

void
plant_tell(struct plant *plant)
{
	struct vnet_event events[EVENTS_MAX];
	size_t n;

	do {
		plant_lock(plant);
		n = take(plant, events);
		plant_unlock(plant);
		for (size_t i = 0; i < n; i++)
			tell(plant, &events[i]);
	} while (n == EVENTS_MAX);
	plant_clients_free(plant->gone);
	plant->gone = NULL;
}

void
plant_tell_gone(struct plant *plant, const struct plant_port *port)
{
	json_t *event = make_event("medium_gone", port->name, plant_now(), 1);

	json_object_set_new(event, "error", json_string(port->error.text));
	log_write(port->listen_fd >= 0 ? LOG_INFO : LOG_WARNING,
		  "port %s: %s: %s", port->name,
		  port->listen_fd >= 0 ? "its peer has left"
				       : "its medium has gone",
		  port->error.text);
	pass_on(plant, event);
}

void
plant_listen(struct plant *plant, plant_listener *listener, void *ctx)
{
	plant->listener = listener;
	plant->listener_ctx = ctx;
}

/* Sessions of which the medium has gone are over. */
static void
end_sessions(const struct plant_port *p)
{
	struct plant_client *client = p->clients;

	while (client) {
		if (client->session && vnet_medium_error(client->m)) {
			/* With it may end others. */
			session_end(client->session);
			client = p->clients;
		} else {
			client = client->next;
		}
	}
}

static void
look_for_gone(struct plant *plant)
{
	for (struct plant_port *p = plant->ports; p; p = p->next)
		if (p->m && vnet_medium_error(p->m))
			plant_port_gone(p);
		else
			end_sessions(p);
	plant_tell(plant);
}

static void
notice(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval pause = {.tv_usec = PAUSE_US};
	struct vnet_event events[EVENTS_MAX];
	struct plant *plant = ctx;
	bool has_gone;
	size_t n;

	(void)fd;
	(void)what;
	plant_lock(plant);
	has_gone = forward_notice(plant->forward);
	n = take(plant, events);
	if (n)
		forward_set_quiet(plant->forward, true);
	plant_unlock(plant);
	for (size_t i = 0; i < n; i++)
		tell(plant, &events[i]);
	if (n == EVENTS_MAX)
		plant_tell(plant);
	if (n)
		event_add(plant->pause, &pause);
	if (has_gone)
		look_for_gone(plant);
}

static void
end_pause(evutil_socket_t fd, short what, void *ctx)
{
	struct plant *plant = ctx;

	(void)fd;
	(void)what;
	plant_lock(plant);
	forward_set_quiet(plant->forward, false);
	plant_unlock(plant);
}

/*
 * Beginning and end
 */

static struct vnet_switch_config
switch_config(const json_t *config, const struct vnet_alloc *alloc)
{
	const json_t *s = json_object_get(config, "switch");
	struct vnet_switch_config sc = {
		.size = sizeof(sc),
		.alloc = alloc,
	};
	const json_t *bit;
	size_t i;

#define NUMBER(key) json_integer_value(json_object_get(s, key))
	sc.max_ports = (uint32_t)NUMBER("max_ports");
	sc.max_clients = (uint32_t)NUMBER("max_clients");
	sc.fdb_entries = (uint32_t)NUMBER("fdb_entries");
	sc.ageing_s = (uint32_t)NUMBER("ageing_s");
	sc.pool_octets = (uint64_t)NUMBER("pool_octets");
	sc.queue_octets = (uint32_t)NUMBER("queue_octets");
	sc.max_rules = (uint32_t)NUMBER("max_rules");
	sc.max_insns = (uint32_t)NUMBER("max_insns");
	sc.flap_moves = (uint32_t)NUMBER("flap_moves");
	sc.loop_probe_s = (uint32_t)NUMBER("loop_probe_s");
	sc.max_grants = (uint32_t)NUMBER("max_grants");
#undef NUMBER
	sc.uplink_transit = json_is_true(json_object_get(s, "uplink_transit"));
	json_array_foreach(json_object_get(s, "forward_reserved"), i, bit)
		sc.forward_reserved |=
			(uint16_t)(1u << json_integer_value(bit));
	if (!sc.max_ports)
		sc.max_ports = 64;
	if (!sc.max_grants)
		sc.max_grants = sc.max_clients ? sc.max_clients : sc.max_ports;
	/* One is ours, to close clients: see plant_grant.c. */
	if (sc.max_grants < 65536)
		sc.max_grants++;
	return sc;
}

static int
make_switch(struct plant *plant, const json_t *config, struct complaint *c)
{
	const struct vnet_alloc alloc = vnet_malloc();
	struct vnet_switch_config sc = switch_config(config, &alloc);
	struct vnet_why why = {0};
	int r;

	/* The addresses on the network are not ours to trust. */
	if (getrandom(&sc.seed, sizeof(sc.seed), 0) != sizeof(sc.seed))
		return complain(c, -errno, "no random numbers");
	plant->max_ports = sc.max_ports;
	plant->by_slot = calloc(sc.max_ports, sizeof(struct plant_port *));
	if (!plant->by_slot)
		return complain(c, -ENOMEM, "no memory");
	r = vnet_switch_create(&plant->sw, &sc, &why);
	if (r)
		complain_why(c, r, "switch", &why);
	return r;
}

static int
processor(const json_t *config)
{
	const json_t *cpu = json_object_get(config, "cpu");

	return cpu ? (int)json_integer_value(cpu) : -1;
}

int
plant_create(struct plant **plant, struct event_base *base,
	     const json_t *config, const char *socket, struct complaint *c)
{
	struct plant *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return complain(c, -ENOMEM, "no memory");
	p->base = base;
	p->socket = socket;
	p->end = &p->ports;
	p->running = json_deep_copy(config);
	r = make_switch(p, config, c);
	if (r)
		goto free_plant;
	r = vnet_media_create(&p->media);
	if (r) {
		complain(c, r, "media: %s", strerror(-r));
		goto free_plant;
	}
	r = forward_create(&p->forward, p->sw, p->media, processor(config), c);
	if (r)
		goto free_plant;
	p->notice = event_new(base, forward_notice_fd(p->forward),
			      EV_READ | EV_PERSIST, notice, p);
	p->pause = evtimer_new(base, end_pause, p);
	if (!p->notice || !p->pause) {
		r = complain(c, -ENOMEM, "no memory");
		goto free_plant;
	}
	r = sessions_create(&p->sessions, p, c);
	if (r)
		goto free_plant;
	r = grants_create(&p->grants, p, c);
	if (r)
		goto free_plant;
	event_add(p->notice, NULL);
	*plant = p;
	return 0;

free_plant:
	plant_destroy(p);
	return r;
}

int
plant_open(struct plant *plant, struct complaint *c)
{
	const json_t *port, *pin;
	size_t i;
	int r = grants_apply(plant->grants, plant->running, c);

	if (r)
		return r;
	json_array_foreach(json_object_get(plant->running, "ports"), i, port) {
		r = plant_port_create(plant, port, PLANT_START, c);
		if (r)
			return r;
	}
	json_array_foreach(json_object_get(plant->running, "fdb"), i, pin) {
		r = plant_pin(plant, pin, PLANT_START, c);
		if (r)
			return r;
	}
	return 0;
}

/* The sums are looked at with all that there is, before it goes. */
static bool
check(struct plant *plant)
{
	struct vnet_why why = {0};
	bool balanced;

	plant_lock(plant);
	balanced = vnet_switch_check(plant->sw, &why);
	plant_unlock(plant);
	if (!balanced)
		log_write(LOG_ERROR,
			  "the sums do not agree: %s, slot %zu: %" PRIu64
			  ", %" PRIu64,
			  why.text, why.index, why.found, why.bound);
	return balanced;
}

void
plant_close_media(struct plant *plant,
		  bool (*which)(const struct plant_port *p, void *ctx),
		  void *ctx)
{
	struct vnet_medium **media =
		calloc(plant->nports + 1, sizeof(struct vnet_medium *));
	size_t n = 0;

	/* They are closed all the same, one after the other. */
	if (!media)
		return;
	for (struct plant_port *p = plant->ports; p; p = p->next)
		if (p->m && which(p, ctx))
			media[n++] = plant_port_detach(p);
	closer_run(media, n);
	free(media);
	plant_tell(plant);
}

static bool
all(const struct plant_port *p, void *ctx)
{
	(void)p;
	(void)ctx;
	return true;
}

bool
plant_destroy(struct plant *plant)
{
	bool balanced = true;

	if (!plant)
		return true;
	if (plant->forward) {
		balanced = check(plant);
		plant_close_media(plant, all, NULL);
	}
	while (plant->ports)
		plant_port_destroy(plant->ports);
	sessions_destroy(plant->sessions);
	grants_destroy(plant->grants);
	plant_clients_free(plant->gone);
	if (plant->pause)
		event_free(plant->pause);
	if (plant->notice)
		event_free(plant->notice);
	forward_destroy(plant->forward);
	vnet_switch_destroy(plant->sw);
	vnet_media_destroy(plant->media);
	free(plant->by_slot);
	json_decref(plant->running);
	free(plant);
	return balanced;
}

/*
 * Filters and addresses
 */

int
plant_filter_add(struct plant *plant, const char *port, const json_t *filter,
		 enum plant_origin origin, struct complaint *c)
{
	struct plant_client *client;
	struct plant_port *p;

	if (plant_side(schema_string(filter, "side")) >= VNET_RECEIVE_IN) {
		client = plant_client_find(plant, port, c);
		return client ? plant_client_add_filter(client, filter, c)
			      : -ENOENT;
	}
	p = plant_find(plant, port, c);
	return p ? plant_port_add_filter(p, filter, origin, c) : -ENOENT;
}

int
plant_filter_del(struct plant *plant, const char *port, const char *side,
		 const char *name, struct complaint *c)
{
	struct plant_client *client;
	struct plant_port *p;

	if (plant_side(side) >= VNET_RECEIVE_IN) {
		client = plant_client_find(plant, port, c);
		return client ? plant_client_del_filter(client, side, name, c)
			      : -ENOENT;
	}
	p = plant_find(plant, port, c);
	return p ? plant_port_del_filter(p, side, name, c) : -ENOENT;
}

struct vnet_mac
plant_mac(const char *text)
{
	struct vnet_mac mac;

	for (int i = 0; i < 6; i++)
		mac.octet[i] =
			(uint8_t)strtoul(text + (size_t)(3 * i), NULL, 16);
	return mac;
}

static int
parse_mac(const char *text, struct vnet_mac *mac, struct complaint *c)
{
	const char *expected;
	json_t *normal = form_mac(text, &expected);

	if (!normal)
		return complain(c, -EINVAL, "mac: found \"%.*s\", expected %s",
				QUOTED, text, expected);
	*mac = plant_mac(json_string_value(normal));
	json_decref(normal);
	return 0;
}

int
plant_pin(struct plant *plant, const json_t *pin, enum plant_origin origin,
	  struct complaint *c)
{
	struct plant_port *p = plant_find(plant, schema_string(pin, "port"), c);
	struct vnet_mac mac;
	int r;

	if (!p)
		return -ENOENT;
	r = parse_mac(schema_string(pin, "mac"), &mac, c);
	return r ? r : plant_port_pin(p, mac, origin, c);
}

int
plant_fdb_add(struct plant *plant, const char *mac, const char *port,
	      struct complaint *c)
{
	json_t *pin = json_pack("{s:s, s:s}", "mac", mac, "port", port);
	int r = plant_pin(plant, pin, PLANT_CONTROL, c);

	json_decref(pin);
	return r;
}

int
plant_unpin(struct plant *plant, struct vnet_mac mac)
{
	int r;

	plant_hold(plant);
	r = vnet_fdb_remove(plant->sw, mac);
	plant_unlock(plant);
	for (struct plant_port *p = plant->ports; p; p = p->next) {
		struct plant_pin **at = plant_find_pin(p, mac), *pin;

		if (!at)
			continue;
		pin = *at;
		*at = pin->next;
		free(pin);
		r = 0;
	}
	return r;
}

int
plant_fdb_del(struct plant *plant, const char *mac, struct complaint *c)
{
	struct vnet_mac address;
	int r = parse_mac(mac, &address, c);

	if (r)
		return r;
	r = plant_unpin(plant, address);
	if (r)
		complain(c, r, "the table does not have %s", mac);
	return r;
}

int
plant_fdb_flush(struct plant *plant, const char *port, struct complaint *c)
{
	const struct plant_port *p = port ? plant_find(plant, port, c) : NULL;

	if (port && !p)
		return -ENOENT;
	plant_hold(plant);
	vnet_fdb_flush(plant->sw, p ? p->id : VNET_NO_ID);
	plant_unlock(plant);
	return 0;
}

/*
 * Ports
 */

int
plant_port_add(struct plant *plant, const json_t *port,
	       enum plant_origin origin, struct complaint *c)
{
	return plant_port_create(plant, port, origin, c);
}

int
plant_port_del(struct plant *plant, const char *name, struct complaint *c)
{
	struct plant_port *p = plant_find(plant, name, c);

	if (!p)
		return -ENOENT;
	plant_port_destroy(p);
	return 0;
}

/* In normal form, with the filters; NULL with @c. */
static json_t *
changed_config(const struct plant_port *p, const json_t *changes,
	       struct complaint *c)
{
	json_t *wanted = plant_port_config(p), *config = NULL;
	json_t *typed = json_copy((json_t *)changes), *normal, *value;
	const char *key;

	if (!json_object_get(typed, "type"))
		json_object_set_new(typed, "type",
				    json_string(opener_type(p->config)));
	normal = schema_check(SCHEMA_PORT_CHANGES, typed, NULL, NULL, c);
	json_decref(typed);
	json_object_foreach(normal, key, value) {
		if (json_is_null(value))
			json_object_del(wanted, key);
		else
			json_object_set(wanted, key, value);
	}
	if (normal)
		config = schema_check(SCHEMA_PORT, wanted, NULL, NULL, c);
	json_decref(normal);
	json_decref(wanted);
	return config;
}

int
plant_port_set(struct plant *plant, const char *name, const json_t *changes,
	       struct complaint *c)
{
	struct plant_port *p = plant_find(plant, name, c);
	const json_t *other = json_object_get(changes, "name");
	json_t *config;
	int r;

	if (!p)
		return -ENOENT;
	if (other && (!json_is_string(other) ||
		      strcmp(json_string_value(other), name) != 0))
		return complain(c, -EINVAL,
				"port %s: a port cannot change its name", name);
	config = changed_config(p, changes, c);
	if (!config)
		return -EINVAL;
	r = plant_port_become(p, config, PLANT_CONTROL, c);
	json_decref(config);
	return r;
}

/*
 * Clients
 */

int
plant_check_queue(const struct plant *plant, const json_t *object,
		  struct complaint *c)
{
	const json_t *sw = json_object_get(plant->running, "switch");
	const json_t *found = json_object_get(object, "queue_octets");

	if ((uint64_t)json_integer_value(found) <=
	    schema_number(sw, "queue_octets"))
		return 0;
	return complain(c, -EINVAL,
			"queue_octets: found %" JSON_INTEGER_FORMAT
			", expected no more than the switch's",
			json_integer_value(found));
}

/* The client of a session; NULL with @c. */
static struct plant_client *
find_session(struct plant *plant, const char *name, struct complaint *c)
{
	struct plant_client *client = plant_client_find(plant, name, c);

	if (!client || client->session)
		return client;
	complain(c, -EINVAL,
		 "client %s is the port's own: change the port instead",
		 client->name);
	return NULL;
}

/* One key of the changes, in normal form; with the lock. */
static int
change_client(struct plant_client *client, const char *key, const json_t *value)
{
	struct vnet_switch *sw = client->port->plant->sw;
	const uint32_t n = (uint32_t)json_integer_value(value);
	const char *text = json_string_value(value);

	if (!strcmp(key, "queue_octets"))
		return vnet_client_set_queue(sw, client->id, n);
	if (!strcmp(key, "weight"))
		return vnet_client_set_weight(sw, client->id, n);
	if (!strcmp(key, "max_addresses"))
		return vnet_client_set_max_addresses(sw, client->id, n);
	if (!strcmp(key, "accept"))
		return vnet_client_set_accept(sw, client->id,
					      strcmp(text, "own")
						      ? VNET_ACCEPT_ALL
						      : VNET_ACCEPT_OWN);
	return vnet_filter_set_default(
		sw, client->id,
		strcmp(key, "default_receive_out") ? VNET_RECEIVE_IN
						   : VNET_RECEIVE_OUT,
		strcmp(text, "drop") ? VNET_PASS : VNET_DROP);
}

int
plant_client_set(struct plant *plant, const char *name, const json_t *changes,
		 struct complaint *c)
{
	struct plant_client *client = find_session(plant, name, c);
	const char *key;
	json_t *value;
	int r = 0;

	if (!client)
		return -ENOENT;
	r = plant_check_queue(plant, changes, c);
	if (r)
		return r;
	plant_hold(plant);
	json_object_foreach((json_t *)changes, key, value)
		if (!r)
			r = change_client(client, key, value);
	plant_unlock(plant);
	return r ? complain(c, r, "client %s: %s", name, strerror(-r)) : 0;
}

int
plant_client_del(struct plant *plant, const char *name, struct complaint *c)
{
	struct plant_client *client = find_session(plant, name, c);

	if (!client)
		return -ENOENT;
	session_end(client->session);
	plant_tell(plant);
	return 0;
}
