/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vnet/client.h>
#include <vnet/fdb.h>
#include <vnet/stream.h>

#include "log.h"
#include "opener.h"
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
 * Filters
 */

enum vnet_side
plant_side(const char *name)
{
	return strcmp(name, "out") ? VNET_INGRESS : VNET_EGRESS;
}

static enum vnet_verdict
verdict(const char *name)
{
	return strcmp(name, "drop") ? VNET_PASS : VNET_DROP;
}

static enum vnet_side
side_of(const struct plant_filter *f)
{
	return plant_side(schema_string(f->config, "side"));
}

static void
filter_free(struct plant_filter *f)
{
	if (!f)
		return;
	program_fini(&f->program);
	json_decref(f->config);
	free(f);
}

static void
free_filters(struct plant_filter *f)
{
	struct plant_filter *next;

	for (; f; f = next) {
		next = f->next;
		filter_free(f);
	}
}

/* NULL with @c. */
static struct plant_filter *
filter_new(const struct plant_port *p, const json_t *config,
	   enum plant_origin origin, struct complaint *c)
{
	struct plant_filter *f = calloc(1, sizeof(*f));
	struct complaint inner;
	const char *expr = schema_string(config, "expr");

	if (!f) {
		complain(c, -ENOMEM, "no memory");
		return NULL;
	}
	if (program_compile(&f->program, expr ? expr : "", &inner)) {
		complain(c, -EINVAL, "port %s: filter %s: %s", p->name,
			 schema_string(config, "name"), inner.text);
		free(f);
		return NULL;
	}
	f->config = json_deep_copy(config);
	f->origin = origin;
	return f;
}

static struct plant_filter **
find_filter(struct plant_port *p, const char *side, const char *name)
{
	struct plant_filter **at = &p->filters;

	while (*at && (side_of(*at) != plant_side(side) ||
		       strcmp(schema_string((*at)->config, "name"), name) != 0))
		at = &(*at)->next;
	return at;
}

static struct plant_filter **
find_like(struct plant_port *p, const json_t *config)
{
	return find_filter(p, schema_string(config, "side"),
			   schema_string(config, "name"));
}

static int
add_rule(struct plant_port *p, const struct plant_filter *f,
	 struct complaint *c)
{
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = schema_string(f->config, "name"),
		.priority = (uint32_t)schema_number(f->config, "priority"),
		.verdict = verdict(schema_string(f->config, "verdict")),
		.insns = f->program.insns,
		.ninsns = f->program.ninsns,
	};
	struct vnet_why why = {0};
	char what[96];
	int r = vnet_filter_add(p->plant->sw, p->id, side_of(f), &rule, &why);

	if (!r)
		return 0;
	(void)snprintf(what, sizeof(what), "port %s: filter %s", p->name,
		       rule.name);
	return complain_why(c, r, what, &why);
}

static void
remove_rule(struct plant_port *p, const struct plant_filter *f)
{
	vnet_filter_remove(p->plant->sw, p->id, side_of(f),
			   schema_string(f->config, "name"));
}

/* Put @f, which is in no list, in the place of one of the same name. No frame
 * passes in between. */
static int
swap_filter(struct plant_port *p, struct plant_filter *f, struct complaint *c)
{
	struct plant_filter **at = find_like(p, f->config), *old = *at;
	struct complaint ignored;
	int r;

	plant_hold(p->plant);
	if (old)
		remove_rule(p, old);
	r = add_rule(p, f, c);
	/* There was room for it. */
	if (r && old)
		add_rule(p, old, &ignored);
	plant_unlock(p->plant);
	if (r) {
		filter_free(f);
		return r;
	}
	if (old) {
		*at = old->next;
		filter_free(old);
	}
	/* It runs behind those of its priority. */
	while (*at)
		at = &(*at)->next;
	f->next = NULL;
	*at = f;
	return 0;
}

static void
drop_filter(struct plant_port *p, struct plant_filter **at)
{
	struct plant_filter *f = *at;

	plant_hold(p->plant);
	remove_rule(p, f);
	plant_unlock(p->plant);
	*at = f->next;
	filter_free(f);
}

int
plant_port_add_filter(struct plant_port *port, const json_t *filter,
		      enum plant_origin origin, struct complaint *c)
{
	struct plant_filter *f;

	if (*find_like(port, filter))
		return complain(c, -EEXIST,
				"port %s has a filter %s on this side",
				port->name, schema_string(filter, "name"));
	f = filter_new(port, filter, origin, c);
	return f ? swap_filter(port, f, c) : -EINVAL;
}

int
plant_port_del_filter(struct plant_port *port, const char *side,
		      const char *name, struct complaint *c)
{
	struct plant_filter **at = find_filter(port, side, name);

	if (!*at)
		return complain(c, -ENOENT,
				"port %s has no filter %s on side %s",
				port->name, name, side);
	drop_filter(port, at);
	return 0;
}

/* Those of @wanted that are not there as they should be, compiled. */
static int
compile_filters(struct plant_port *p, const json_t *wanted,
		enum plant_origin by, struct plant_filter **fresh,
		struct complaint *c)
{
	struct plant_filter **end = fresh;
	const json_t *config;
	size_t i;

	*fresh = NULL;
	json_array_foreach(wanted, i, config) {
		struct plant_filter *old = *find_like(p, config);

		if (old && json_equal(old->config, config)) {
			if (by == PLANT_START)
				old->origin = by;
			continue;
		}
		*end = filter_new(p, config, by, c);
		if (!*end) {
			free_filters(*fresh);
			*fresh = NULL;
			return -EINVAL;
		}
		end = &(*end)->next;
	}
	return 0;
}

static bool
is_wanted(const struct plant_filter *f, const json_t *wanted)
{
	const json_t *config;
	size_t i;

	json_array_foreach(wanted, i, config)
		if (!strcmp(schema_string(config, "name"),
			    schema_string(f->config, "name")) &&
		    plant_side(schema_string(config, "side")) == side_of(f))
			return true;
	return false;
}

/* Takes @fresh. */
static int
change_filters(struct plant_port *p, const json_t *wanted, enum plant_origin by,
	       struct plant_filter *fresh, struct complaint *c)
{
	struct plant_filter **at = &p->filters, *next;

	while (*at) {
		if ((by == PLANT_CONTROL || (*at)->origin == PLANT_START) &&
		    !is_wanted(*at, wanted))
			drop_filter(p, at);
		else
			at = &(*at)->next;
	}
	for (; fresh; fresh = next) {
		int r;

		next = fresh->next;
		r = swap_filter(p, fresh, c);
		if (r) {
			free_filters(next);
			return r;
		}
	}
	return 0;
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
	if (port->m) {
		plant_hold(plant);
		r = vnet_fdb_add(plant->sw, mac, vnet_medium_client(port->m));
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

/* Addresses go with the client that they are pinned to. */
static void
pin_again(const struct plant_port *p)
{
	for (const struct plant_pin *pin = p->pins; pin; pin = pin->next)
		vnet_fdb_add(p->plant->sw, pin->mac, vnet_medium_client(p->m));
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
 * The medium
 */

/* From either thread, with the lock. */
static void
observe(void *ctx, bool out, const struct vnet_frame *frames, size_t n,
	vnet_nsec now)
{
	const struct plant_port *p = ctx;

	(void)now;
	for (struct capture *c = p->captures; c; c = *capture_next(c))
		capture_frames(c, out, frames, n);
}

int
plant_capture_add(struct plant *plant, const char *port,
		  struct capture *capture, struct complaint *c)
{
	struct plant_port *p = plant_find(plant, port, c);
	const struct vnet_observer observer = {
		.size = sizeof(observer),
		.frames = observe,
		.ctx = p,
	};

	if (!p)
		return -ENOENT;
	plant_lock(plant);
	*capture_next(capture) = p->captures;
	p->captures = capture;
	if (p->m)
		vnet_client_observe(plant->sw, vnet_medium_client(p->m),
				    &observer);
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
		if (!p->captures && p->m)
			vnet_client_observe(plant->sw, vnet_medium_client(p->m),
					    NULL);
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

/* Slots of removed clients become free in bounded steps. */
static void
sweep(struct plant *plant)
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
	const struct vnet_observer observer = {
		.size = sizeof(observer),
		.frames = observe,
		.ctx = p,
	};
	struct plant *plant = p->plant;
	uint32_t mtu = mtu_of(p->m, p->config);
	struct vnet_why why = {0};
	char what[64];
	int r;

	sweep(plant);
	plant_hold(plant);
	vnet_port_set_mtu(plant->sw, p->id, mtu);
	vnet_port_set_link(plant->sw, p->id, true);
	r = vnet_medium_attach(p->m, plant->sw, p->id,
			       number(p->config, "queue_octets"),
			       number(p->config, "weight"), &why);
	if (!r) {
		r = forward_watch(plant->forward, p->m);
		if (r)
			vnet_medium_detach(p->m);
	}
	if (r) {
		vnet_port_set_link(plant->sw, p->id, false);
	} else {
		if (p->captures)
			vnet_client_observe(plant->sw, vnet_medium_client(p->m),
					    &observer);
		pin_again(p);
	}
	plant_unlock(plant);
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
	struct figures f;

	if (!m)
		return NULL;
	plant_hold(plant);
	figures_of_client(&f, plant->sw, vnet_medium_client(m));
	figures_end(&f);
	figures_add(&port->past, &f);
	forward_unwatch(plant->forward, m);
	vnet_medium_detach(m);
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
	struct stat st;

	p->listening =
		event_new(p->plant->base, p->listen_fd, EV_READ, peer, p);
	if (!p->listening)
		return complain(c, -ENOMEM, "no memory");
	if (stat(path_of(p), &st) == 0) {
		p->dev = st.st_dev;
		p->ino = st.st_ino;
	}
	event_add(p->listening, NULL);
	return 0;
}

static void
stop_listening(struct plant_port *p)
{
	struct stat st;

	if (p->listening)
		event_free(p->listening);
	p->listening = NULL;
	if (p->listen_fd < 0)
		return;
	close(p->listen_fd);
	p->listen_fd = -1;
	/* Somebody may have put another one there. */
	if (lstat(path_of(p), &st) == 0 && st.st_dev == p->dev &&
	    st.st_ino == p->ino)
		unlink(path_of(p));
}

void
plant_port_close(struct plant_port *port)
{
	drop_medium(port);
	stop_listening(port);
}

void
plant_port_gone(struct plant_port *port)
{
	int error = vnet_medium_error(port->m);

	complain(&port->error, error, "%s",
		 error == -EBADFD || error == -ENODEV
			 ? "its interface is not there any more"
			 : strerror(-error));
	plant_tell_gone(port->plant, port);
	drop_medium(port);
	if (port->listen_fd >= 0) {
		port->error.text[0] = '\0';
		wait_for_peer(port, false);
	}
}

/* As p->config says. */
static int
open_medium(struct plant_port *p, struct complaint *c)
{
	int r = opener_open(p->plant->media, p->config, &p->m, &p->listen_fd,
			    c);

	if (!r && p->listen_fd >= 0)
		r = listen_for_peers(p, c);
	return r;
}

/*
 * The port
 */

static void
set_defaults(struct plant_port *p, const json_t *config)
{
	struct vnet_switch *sw = p->plant->sw;

	vnet_filter_set_default(sw, p->id, VNET_INGRESS,
				verdict(schema_string(config, "default_in")));
	vnet_filter_set_default(sw, p->id, VNET_EGRESS,
				verdict(schema_string(config, "default_out")));
}

/* Its link stays down until a medium is attached: no frame passes before its
 * filters are there. */
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
	};
	struct plant *plant = p->plant;
	struct vnet_why why = {0};
	char what[64];
	int r;

	if (p->m && !vnet_medium_get(p->m, &info))
		config.mac = info.mac;
	plant_hold(plant);
	r = vnet_port_add(plant->sw, &config, &p->id, &why);
	if (!r) {
		plant->by_slot[(uint32_t)p->id] = p;
		set_defaults(p, p->config);
	}
	plant_unlock(plant);
	(void)snprintf(what, sizeof(what), "port %s", p->name);
	if (r)
		return complain_why(c, r, what, &why);
	for (struct plant_filter *f = p->filters; f && !r; f = f->next) {
		plant_hold(plant);
		r = add_rule(p, f, c);
		plant_unlock(plant);
	}
	return r;
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
	json_t *filters = json_array();

	for (struct plant_filter *f = port->filters; f; f = f->next)
		json_array_append(filters, f->config);
	if (port->filters)
		json_object_set(config, "filters", filters);
	json_decref(filters);
	return config;
}

/* Two that use one interface: the kernel would not always refuse. */
static int
check_conflicts(const struct plant *plant, const struct plant_port *self,
		const json_t *config, struct complaint *c)
{
	const char *name = schema_string(config, "name");

	for (const struct plant_port *p = plant->ports; p; p = p->next) {
		if (p == self)
			continue;
		if (!strcmp(p->name, name))
			return complain(c, -EEXIST, "port %s exists", name);
		if (opener_conflicts(p->config, config))
			return complain(c, -EEXIST,
					"port %s: port %s has its interface, "
					"or path",
					name, p->name);
	}
	return 0;
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
	set_config(p, config);
	*plant->end = p;
	plant->end = &p->next;
	plant->nports++;
	r = compile_filters(p, json_object_get(config, "filters"), origin,
			    &p->filters, c);
	if (!r)
		r = open_medium(p, c);
	if (!r)
		r = enter_switch(p, c);
	if (!r && p->m)
		r = attach(p, c);
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
	drop_medium(port);
	leave_switch(port);
	stop_listening(port);
	while (*at != port)
		at = &(*at)->next;
	*at = port->next;
	if (!*at)
		plant->end = at;
	plant->nports--;
	free_filters(port->filters);
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
	return p->m || p->listen_fd >= 0;
}

static bool
faces_others(const struct plant_port *p, const json_t *config)
{
	return strcmp(opener_role(p->config), opener_role(config)) != 0;
}

bool
plant_port_reopens(const struct plant_port *port, const json_t *config)
{
	return !is_open(port) || opener_is_other(port->config, config) ||
	       faces_others(port, config);
}

static int
reopen_as(struct plant_port *p, const json_t *config, struct complaint *c)
{
	bool moves = faces_others(p, config) || p->id == VNET_NO_ID;
	int r;

	plant_port_close(p);
	if (moves)
		leave_switch(p);
	set_config(p, config);
	r = open_medium(p, c);
	if (moves) {
		struct complaint first = *c;
		int other = enter_switch(p, c);

		/* It is in the switch all the same. */
		if (r)
			*c = first;
		else
			r = other;
	} else {
		plant_hold(p->plant);
		set_defaults(p, p->config);
		plant_unlock(p->plant);
	}
	if (!r && p->m)
		r = attach(p, c);
	if (r)
		plant_port_close(p);
	return r;
}

static int
reopen(struct plant_port *p, const json_t *config, struct complaint *c)
{
	json_t *before = json_incref(p->config);
	bool is_other =
		opener_is_other(before, config) || faces_others(p, config);
	struct complaint ignored;
	int r = reopen_as(p, config, c);

	if (r && (!is_other || reopen_as(p, before, &ignored)))
		p->error = *c;
	if (!r)
		p->error.text[0] = '\0';
	json_decref(before);
	plant_tell(p->plant);
	return r;
}

/* What the switch has to be told. */
static int
set_limits(struct plant_port *p, const json_t *config, struct complaint *c)
{
	struct vnet_switch *sw = p->plant->sw;
	vnet_client_id client = p->m ? vnet_medium_client(p->m) : VNET_NO_ID;
	uint32_t mtu = p->m ? mtu_of(p->m, config) : 0;
	int r = 0;

	plant_hold(p->plant);
	if (client != VNET_NO_ID) {
		r = vnet_client_set_queue(sw, client,
					  number(config, "queue_octets"));
		if (!r)
			r = vnet_client_set_weight(sw, client,
						   number(config, "weight"));
	}
	if (!r) {
		if (mtu)
			vnet_port_set_mtu(sw, p->id, mtu);
		set_defaults(p, config);
	}
	plant_unlock(p->plant);
	if (r)
		complain(c, r,
			 "port %s: queue_octets: found %u, expected no "
			 "more than the switch's",
			 p->name, number(config, "queue_octets"));
	return r;
}

static int
change(struct plant_port *p, const json_t *config, struct complaint *c)
{
	struct complaint ignored;
	int r = set_limits(p, config, c);

	if (r)
		return r;
	if (p->m) {
		r = opener_change(p->m, p->config, config, c);
		if (r) {
			set_limits(p, p->config, &ignored);
			return r;
		}
		/* The interface has another MTU by now. */
		set_limits(p, config, &ignored);
	}
	set_config(p, config);
	return 0;
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
	const json_t *filters = json_object_get(config, "filters");
	struct plant_filter *fresh;
	int r = check_conflicts(port->plant, port, config, c);

	if (!r)
		r = compile_filters(port, filters, by, &fresh, c);
	if (r)
		return r;
	if (plant_port_reopens(port, config))
		r = reopen(port, config, c);
	else if (!is_same(port, config))
		r = change(port, config, c);
	if (r)
		free_filters(fresh);
	else
		r = change_filters(port, filters, by, fresh, c);
	if (r && !is_open(port))
		port->error = *c;
	return r;
}
