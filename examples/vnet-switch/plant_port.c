/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vnet/client.h>
#include <vnet/fdb.h>
#include <vnet/stream.h>

#include "log.h"
#include "opener.h"
#include "plant_attach.h"
#include "plant_client.h"
#include "plant_filter.h"
#include "plant_grant.h"
#include "plant_limit.h"
#include "plant_port.h"
#include "schema.h"

static uint32_t
number(const json_t *config, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(config, key));
}

static const char *
path_of(const struct plant_port *p)
{
	return schema_string(p->config, "path");
}

/*
 * Addresses
 */

struct plant_pin **
plant_find_pin(struct plant_port *port, struct vnet_mac mac)
{
	struct plant_pin **at = &port->pins;

	while (*at && memcmp(&(*at)->mac, &mac, sizeof(mac)) != 0)
		at = &(*at)->next;
	return *at ? at : NULL;
}

int
plant_port_pin(struct plant_port *port, struct vnet_mac mac,
	       enum plant_origin origin, struct complaint *c)
{
	struct plant *plant = port->plant;
	struct plant_pin *pin = calloc(1, sizeof(*pin)), **at, *old;
	int r = 0;

	if (!pin)
		return complain(c, -ENOMEM, "no memory");
	if (port->clients) {
		plant_hold(plant);
		r = vnet_fdb_add(plant->sw, mac, port->clients->id);
		plant_unlock(plant);
	}
	if (r) {
		free(pin);
		return complain(c, r, "port %s: cannot pin an address: %s",
				port->name, strerror(-r));
	}
	for (struct plant_port *p = plant->ports; p; p = p->next) {
		at = plant_find_pin(p, mac);
		if (!at)
			continue;
		old = *at;
		*at = old->next;
		free(old);
	}
	*pin = (struct plant_pin){
		.next = port->pins,
		.mac = mac,
		.origin = origin,
	};
	port->pins = pin;
	return 0;
}

static void
free_pins(struct plant_port *p)
{
	struct plant_pin *next;

	for (; p->pins; p->pins = next) {
		next = p->pins->next;
		free(p->pins);
	}
}

/*
 * Captures
 */

/* From either thread, with the lock. */
void
plant_port_observe(void *ctx, bool out, const struct vnet_frame *frames,
		   size_t n, vnet_nsec now)
{
	const struct plant_port *p = ctx;

	(void)now;
	for (struct capture *c = p->captures; c; c = *capture_next(c))
		capture_frames(c, out, frames, n);
}

/* As long as there is somebody to hear. */
static void
observe_all(const struct plant_port *p)
{
	for (struct plant_client *client = p->clients; client;
	     client = client->next)
		plant_client_observe(client, p->captures);
}

int
plant_capture_add(struct plant *plant, const char *port,
		  struct capture *capture, struct complaint *c)
{
	struct plant_port *p = plant_find(plant, port, c);

	if (!p)
		return -ENOENT;
	plant_lock(plant);
	*capture_next(capture) = p->captures;
	p->captures = capture;
	observe_all(p);
	plant_unlock(plant);
	return 0;
}

void
plant_capture_del(struct plant *plant, struct capture *capture)
{
	for (struct plant_port *p = plant->ports; p; p = p->next) {
		struct capture **at = &p->captures;

		while (*at && *at != capture)
			at = capture_next(*at);
		if (!*at)
			continue;
		plant_lock(plant);
		*at = *capture_next(capture);
		observe_all(p);
		plant_unlock(plant);
	}
}

static void
end_captures(struct plant_port *p)
{
	while (p->captures) {
		struct capture *c = p->captures;

		plant_lock(p->plant);
		p->captures = *capture_next(c);
		*capture_next(c) = NULL;
		plant_unlock(p->plant);
		capture_end(c);
	}
}

/*
 * The medium
 */

void
plant_sweep(struct plant *plant)
{
	bool is_due;

	do {
		vnet_nsec now = plant_hold(plant);

		is_due = vnet_switch_deadline(plant->sw) <= now;
		plant_unlock(plant);
	} while (is_due);
}

/* The interface says what frames there may be, where the configuration does
 * not. */
static uint32_t
mtu_of(const struct vnet_medium *m, const json_t *config)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	uint32_t mtu = number(config, "mtu");

	if (!mtu && !vnet_medium_get(m, &info))
		mtu = info.mtu;
	return mtu ? mtu : VNET_MTU_DEFAULT;
}

/* Make the medium that is open the port's client. */
static int
attach(struct plant_port *p, struct complaint *c)
{
	json_t *settings = plant_client_settings(p->config, NULL);
	struct plant *plant = p->plant;
	uint32_t mtu = mtu_of(p->m, p->config);
	struct plant_client *client;
	struct vnet_why why = {0};
	char what[64];
	int r;

	plant_sweep(plant);
	plant_hold(plant);
	vnet_port_set_mtu(plant->sw, p->id, mtu);
	vnet_port_set_link(plant->sw, p->id, true);
	r = plant_client_add(p, p->m, settings, &client, &why);
	if (r)
		vnet_port_set_link(plant->sw, p->id, false);
	plant_unlock(plant);
	json_decref(settings);
	if (!r) {
		p->error.text[0] = '\0';
		return 0;
	}
	(void)snprintf(what, sizeof(what), "port %s", p->name);
	return complain_why(c, r, what, &why);
}

struct vnet_medium *
plant_port_detach(struct plant_port *port)
{
	struct plant *plant = port->plant;
	struct vnet_medium *m = port->m;

	if (!m)
		return NULL;
	plant_hold(plant);
	if (port->clients)
		plant_client_remove(port->clients);
	if (port->id != VNET_NO_ID)
		vnet_port_set_link(plant->sw, port->id, false);
	plant_unlock(plant);
	port->m = NULL;
	return m;
}

static void
drop_medium(struct plant_port *p)
{
	vnet_medium_close(plant_port_detach(p));
}

static void peer(evutil_socket_t fd, short what, void *ctx);

/* One that cannot be taken now may be taken later. */
static void
wait_for_peer(struct plant_port *p, bool later)
{
	static const struct timeval second = {.tv_sec = 1};

	event_del(p->listening);
	event_assign(p->listening, p->plant->base, later ? -1 : p->listen_fd,
		     later ? 0 : EV_READ, peer, p);
	event_add(p->listening, later ? &second : NULL);
}

static void
peer(evutil_socket_t fd, short what, void *ctx)
{
	struct plant_port *p = ctx;
	struct vnet_why why = {0};
	struct complaint c;
	int r = -EAGAIN;

	if (what & EV_READ)
		r = vnet_stream_accept(&p->m, p->plant->media, fd, &why);
	if (r == -EAGAIN) {
		wait_for_peer(p, false);
		return;
	}
	if (r)
		complain_why(&c, r, "a peer", &why);
	else
		r = attach(p, &c);
	if (r) {
		log_write(LOG_WARNING, "port %s: %s", p->name, c.text);
		vnet_medium_close(p->m);
		p->m = NULL;
		wait_for_peer(p, true);
	}
	plant_tell(p->plant);
}

static int
listen_for_peers(struct plant_port *p, struct complaint *c)
{
	p->listening =
		event_new(p->plant->base, p->listen_fd, EV_READ, peer, p);
	if (!p->listening)
		return complain(c, -ENOMEM, "no memory");
	socket_file_note(&p->file, path_of(p));
	event_add(p->listening, NULL);
	return 0;
}

static void
stop_listening(struct plant_port *p)
{
	if (p->listening)
		event_free(p->listening);
	p->listening = NULL;
	if (p->listen_fd < 0)
		return;
	close(p->listen_fd);
	p->listen_fd = -1;
	socket_file_remove(&p->file, path_of(p));
}

static void
close_entrance(struct plant_port *p)
{
	plant_attach_close(p);
	if (p->id == VNET_NO_ID)
		return;
	plant_hold(p->plant);
	vnet_port_set_link(p->plant->sw, p->id, false);
	plant_unlock(p->plant);
}

void
plant_port_close(struct plant_port *port)
{
	backoff_end(&port->again);
	drop_medium(port);
	stop_listening(port);
	if (port->entrance)
		close_entrance(port);
}

static const char *
gone_text(const struct plant_port *p, int error)
{
	if (opener_is_session(p->config))
		return "the switch there has ended the session";
	if (error == -EBADFD || error == -ENODEV)
		return "its interface is not there any more";
	return strerror(-error);
}

void
plant_port_gone(struct plant_port *port)
{
	int error = vnet_medium_error(port->m);

	complain(&port->error, error, "%s", gone_text(port, error));
	plant_tell_gone(port->plant, port);
	drop_medium(port);
	if (opener_is_session(port->config))
		backoff_wait(&port->again);
	if (port->listen_fd >= 0) {
		port->error.text[0] = '\0';
		wait_for_peer(port, false);
	}
}

/* As p->config says. */
static int
open_medium(struct plant_port *p, struct complaint *c)
{
	int r;

	if (plant_attach_is(p->config))
		return plant_attach_open(p, c);
	r = opener_open(p->plant->media, p->config, &p->m, &p->listen_fd,
			&p->above, c);
	if (!r && p->listen_fd >= 0)
		r = listen_for_peers(p, c);
	if (!r && opener_is_session(p->config)) {
		p->nsessions++;
		r = grants_check_above(p->plant->grants, p, c);
	}
	return r;
}

/* Let it have what is open as its client, or wait for clients. */
static int
go_up(struct plant_port *p, struct complaint *c)
{
	const uint32_t mtu = number(p->config, "mtu");

	if (p->m)
		return attach(p, c);
	if (!p->entrance)
		return 0;
	plant_hold(p->plant);
	vnet_port_set_mtu(p->plant->sw, p->id, mtu ? mtu : VNET_MTU_DEFAULT);
	vnet_port_set_link(p->plant->sw, p->id, true);
	plant_unlock(p->plant);
	p->error.text[0] = '\0';
	return 0;
}

/* Another session with a switch that has ended one. */
static void
open_again(evutil_socket_t fd, short what, void *ctx)
{
	struct plant_port *p = ctx;
	struct complaint c;
	int r = open_medium(p, &c);

	(void)fd;
	(void)what;
	if (!r)
		r = go_up(p, &c);
	if (!r) {
		backoff_end(&p->again);
		log_write(LOG_INFO, "port %s: another session is open",
			  p->name);
	} else {
		drop_medium(p);
		/* Once, and not at every try. */
		log_write(strcmp(p->error.text, c.text) ? LOG_WARNING
							: LOG_DEBUG,
			  "%s", c.text);
		p->error = c;
		backoff_wait(&p->again);
	}
	plant_tell(p->plant);
}

/*
 * The port
 */

/* Those that it is to have are in its list. */
static int
install_filters(struct plant_port *p, struct complaint *c)
{
	struct plant_filter *list = p->filters;
	int r;

	p->filters = NULL;
	r = plant_filters_swap(p, &list, p->config, c);
	if (r)
		p->filters = list;
	return r;
}

static uint32_t
flags_of(const json_t *config)
{
	return plant_attach_flags(config) |
	       (schema_bool(config, "sticky", false) ? VNET_PORT_STICKY : 0) |
	       (schema_bool(config, "loop_guard", false) ? VNET_PORT_LOOP_GUARD
							 : 0);
}

/* Its link stays down until a medium is attached: no frame passes before its
 * filters and limits are there. */
static int
enter_switch(struct plant_port *p, struct complaint *c)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	struct vnet_port_config config = {
		.size = sizeof(config),
		.name = p->name,
		.role = strcmp(opener_role(p->config), "uplink")
				? VNET_ROLE_VIF
				: VNET_ROLE_UPLINK,
		.mtu = number(p->config, "mtu"),
		.link_down = true,
		.flags = flags_of(p->config),
	};
	struct plant *plant = p->plant;
	struct vnet_why why = {0};
	char what[64];
	int r;

	if (plant_attach_is(p->config))
		config.mac = plant_attach_mac(p->plant, p->config);
	else if (p->m && !vnet_medium_get(p->m, &info))
		config.mac = info.mac;
	plant_hold(plant);
	r = vnet_port_add(plant->sw, &config, &p->id, &why);
	if (!r) {
		plant->by_slot[(uint32_t)p->id] = p;
		r = plant_limits_set(plant->sw, p->id, NULL,
				     json_object_get(p->config, "limits"),
				     &why);
	}
	plant_unlock(plant);
	(void)snprintf(what, sizeof(what), "port %s", p->name);
	if (r)
		return complain_why(c, r, what, &why);
	return install_filters(p, c);
}

/* Behind drop_medium(). */
static void
leave_switch(struct plant_port *p)
{
	struct plant *plant = p->plant;

	if (p->id == VNET_NO_ID)
		return;
	plant_hold(plant);
	vnet_port_remove(plant->sw, p->id);
	plant_unlock(plant);
	plant_tell(plant);
	plant->by_slot[(uint32_t)p->id] = NULL;
	p->id = VNET_NO_ID;
}

static void
set_config(struct plant_port *p, const json_t *config)
{
	json_t *copy = json_deep_copy(config);

	json_object_del(copy, "filters");
	json_decref(p->config);
	p->config = copy;
	p->name = schema_string(copy, "name");
}

json_t *
plant_port_config(const struct plant_port *port)
{
	json_t *config = json_deep_copy(port->config);
	json_t *filters = plant_filters_config(port);

	if (filters)
		json_object_set_new(config, "filters", filters);
	return config;
}

static int
check_queues(const struct plant *plant, const json_t *config,
	     struct complaint *c)
{
	struct complaint inner;
	const json_t *row;
	int r = plant_check_queue(plant, config, &inner);
	size_t i;

	json_array_foreach(json_object_get(config, "allow"), i, row)
		if (!r)
			r = plant_check_queue(plant, row, &inner);
	return r ? complain(c, r, "port %s: %s", schema_string(config, "name"),
			    inner.text)
		 : 0;
}

/* Two that use one interface: the kernel would not always refuse. */
static int
check_conflicts(const struct plant *plant, const struct plant_port *self,
		const json_t *config, struct complaint *c)
{
	const char *name = schema_string(config, "name");
	const char *path = schema_string(config, "path");

	for (const struct plant_port *p = plant->ports; p; p = p->next) {
		if (p == self)
			continue;
		if (!strcmp(p->name, name))
			return complain(c, -EEXIST, "port %s exists", name);
		if (opener_conflicts(p->config, config))
			return complain(c, -EEXIST,
					"port %s: port %s has its %s", name,
					p->name, path ? "path" : "interface");
	}
	return check_queues(plant, config, c) ||
			       grants_check_port(plant->grants, config, c)
		       ? -EINVAL
		       : 0;
}

int
plant_port_create(struct plant *plant, const json_t *config,
		  enum plant_origin origin, struct complaint *c)
{
	struct plant_port *p;
	int r = check_conflicts(plant, NULL, config, c);

	if (r)
		return r;
	if (plant->nports == plant->max_ports)
		return complain(c, -ENOSPC,
				"port %s: there are max_ports already, %u",
				schema_string(config, "name"),
				plant->max_ports);
	p = calloc(1, sizeof(*p));
	if (!p)
		return complain(c, -ENOMEM, "no memory");
	p->plant = plant;
	p->origin = origin;
	p->listen_fd = -1;
	if (backoff_init(&p->again, plant->base, open_again, p)) {
		free(p);
		return complain(c, -ENOMEM, "no memory");
	}
	set_config(p, config);
	*plant->end = p;
	plant->end = &p->next;
	plant->nports++;
	r = plant_filters_plan(p, json_object_get(config, "filters"), origin,
			       &p->filters, c);
	if (!r)
		r = open_medium(p, c);
	if (!r)
		r = enter_switch(p, c);
	if (!r)
		r = go_up(p, c);
	if (r)
		plant_port_destroy(p);
	else
		plant_tell(plant);
	return r;
}

void
plant_port_destroy(struct plant_port *port)
{
	struct plant *plant = port->plant;
	struct plant_port **at = &plant->ports;

	end_captures(port);
	plant_port_close(port);
	backoff_fini(&port->again);
	leave_switch(port);
	while (*at != port)
		at = &(*at)->next;
	*at = port->next;
	if (!*at)
		plant->end = at;
	plant->nports--;
	plant_filters_free(port->filters);
	free_pins(port);
	json_decref(port->config);
	free(port);
}

/*
 * Change
 */

static bool
is_open(const struct plant_port *p)
{
	return p->m || p->listen_fd >= 0 || p->entrance;
}

/* Is that another port for the switch? */
static bool
is_replaced(const struct plant_port *p, const json_t *config)
{
	return strcmp(opener_role(p->config), opener_role(config)) != 0 ||
	       plant_attach_is_other(p->config, config);
}

bool
plant_port_reopens(const struct plant_port *port, const json_t *config)
{
	return !is_open(port) || opener_is_other(port->config, config) ||
	       is_replaced(port, config);
}

/* What its own client is to have. With the lock. */
static int
tell_of_client(struct plant_port *p, const json_t *config, struct complaint *c)
{
	json_t *settings = plant_client_settings(config, NULL);
	struct vnet_why why = {0};
	int r = plant_client_apply(p->clients, settings, &why);

	json_decref(settings);
	return r ? complain_why(c, r, p->clients->name, &why) : 0;
}

/* Its flags and limits, which it has by now as @from says. With the lock. */
static int
tell_of_port(struct plant_port *p, const json_t *from, const json_t *config,
	     struct complaint *c)
{
	struct vnet_switch *sw = p->plant->sw;
	struct vnet_why why = {0};
	char what[64];
	int r = plant_limits_set(sw, p->id, json_object_get(from, "limits"),
				 json_object_get(config, "limits"), &why);

	if (!r) {
		vnet_port_set_flags(sw, p->id, flags_of(config));
		return 0;
	}
	(void)snprintf(what, sizeof(what), "port %s: limits", p->name);
	return complain_why(c, r, what, &why);
}

static int
reopen_as(struct plant_port *p, const json_t *config, struct complaint *c)
{
	bool moves = is_replaced(p, config) || p->id == VNET_NO_ID;
	int r = 0;

	plant_port_close(p);
	if (moves) {
		leave_switch(p);
	} else {
		plant_hold(p->plant);
		r = tell_of_port(p, p->config, config, c);
		plant_unlock(p->plant);
	}
	set_config(p, config);
	if (!r)
		r = open_medium(p, c);
	if (moves) {
		struct complaint first = *c;
		int other = enter_switch(p, c);

		/* It is in the switch all the same. */
		if (r)
			*c = first;
		else
			r = other;
	}
	if (!r)
		r = go_up(p, c);
	if (r)
		plant_port_close(p);
	return r;
}

static int
reopen(struct plant_port *p, const json_t *config, struct complaint *c)
{
	json_t *before = json_incref(p->config);
	bool is_other =
		opener_is_other(before, config) || is_replaced(p, config);
	struct complaint ignored;
	int r = reopen_as(p, config, c);

	if (r && (!is_other || reopen_as(p, before, &ignored)))
		p->error = *c;
	if (!r)
		p->error.text[0] = '\0';
	if (!is_open(p) && opener_is_session(p->config))
		backoff_wait(&p->again);
	json_decref(before);
	plant_tell(p->plant);
	return r;
}

/* What the switch has to be told. */
static int
tell_switch(struct plant_port *p, const json_t *from, const json_t *config,
	    struct complaint *c)
{
	uint32_t mtu = p->m ? mtu_of(p->m, config) : number(config, "mtu");
	int r = 0;

	plant_hold(p->plant);
	if (p->m && p->clients)
		r = tell_of_client(p, config, c);
	if (!r)
		r = tell_of_port(p, from, config, c);
	if (!r && is_open(p))
		vnet_port_set_mtu(p->plant->sw, p->id,
				  mtu ? mtu : VNET_MTU_DEFAULT);
	plant_unlock(p->plant);
	if (!r && p->entrance)
		plant_attach_change(p, config);
	return r;
}

static int
change(struct plant_port *p, const json_t *config, struct complaint *c)
{
	struct complaint ignored;
	int r = tell_switch(p, p->config, config, c);

	if (r)
		return r;
	if (p->m) {
		r = opener_change(p->m, p->config, config, c);
		if (r) {
			tell_switch(p, config, p->config, &ignored);
			return r;
		}
		/* The interface has another MTU by now. */
		tell_switch(p, config, config, &ignored);
	}
	set_config(p, config);
	return 0;
}

/* What a loop has closed is open again: the port, or of several clients some. */
static void
end_loop(struct plant_port *p)
{
	struct vnet_medium_info medium = {.size = sizeof(medium)};
	struct vnet_port_info port = {.size = sizeof(port)};

	if (p->m && (vnet_medium_get(p->m, &medium) || !medium.up))
		return;
	if (!p->m && !p->entrance)
		return;
	plant_hold(p->plant);
	if (!vnet_port_get(p->plant->sw, p->id, &port) && !port.link)
		vnet_port_set_link(p->plant->sw, p->id, true);
	for (const struct plant_client *client = p->clients; client;
	     client = client->next)
		vnet_client_set_link(p->plant->sw, client->id, true);
	plant_unlock(p->plant);
	p->error.text[0] = '\0';
	plant_tell(p->plant);
}

static bool
is_same(const struct plant_port *p, const json_t *config)
{
	json_t *copy = json_copy((json_t *)config);
	bool same;

	json_object_del(copy, "filters");
	same = json_equal(p->config, copy);
	json_decref(copy);
	return same;
}

int
plant_port_become(struct plant_port *port, const json_t *config,
		  enum plant_origin by, struct complaint *c)
{
	json_t *before = json_incref(port->config);
	struct plant_filter *list;
	struct complaint ignored;
	int r = check_conflicts(port->plant, port, config, c);

	if (!r)
		r = plant_filters_plan(port, json_object_get(config, "filters"),
				       by, &list, c);
	if (r) {
		/* What was closed to make room does not stay so for that. */
		if (by == PLANT_START && !is_open(port))
			(void)reopen(port, before, &ignored);
		goto release;
	}
	/* First, so that no frame passes what is to be its filters. */
	r = plant_filters_swap(port, &list, config, c);
	if (!r) {
		if (plant_port_reopens(port, config))
			r = reopen(port, config, c);
		else if (!is_same(port, config))
			r = change(port, config, c);
		if (r)
			plant_filters_swap(port, &list, before, &ignored);
		else
			end_loop(port);
	}
	plant_filters_free(list);
release:
	if (r && !is_open(port))
		port->error = *c;
	json_decref(before);
	return r;
}
