/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants are changed one by one in the switch, while it forwards: a frame meets
 * the old one or the new one. Which can go first follows from what fits: one that
 * grows needs its parent to have grown, a parent that shrinks needs those below it
 * to have shrunk. Where neither can, as when both move to other addresses, they
 * are revoked and made anew, and their clients are given them again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "grant_read.h"
#include "grant_write.h"
#include "log.h"
#include "opener.h"
#include "plant_client.h"
#include "plant_figures.h"
#include "plant_grant.h"
#include "plant_name.h"
#include "plant_port.h"
#include "schema.h"
#include "sessions.h"

/* What no grant of a configuration can be called. */
#define EMPTY "-"

/**
 * struct grants - the grants
 * @all:	in normal form by name: what there is to be
 * @added:	names of those that the control socket has added
 * @installed:	what the switch was told, by name: as grant_whole(), with
 *		"until_ns" in its time
 * @ahead:	CLOCK_REALTIME is ahead of the switch's time by so much
 * @clock:	wakes when CLOCK_REALTIME is set; -1 if nobody can tell
 * @look:	looks for clients that were closed
 * @read:	room for one
 */
struct grants {
	struct plant *plant;
	json_t *all;
	json_t *added;
	json_t *installed;
	uint64_t ahead;
	int clock;
	struct event *clock_event;
	struct event *look;
	struct grant_read read;
};

static const char *
string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool
is_same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return (!x && !y) || (x && y && json_equal(x, y));
}

/* With the lock. */
static vnet_grant_id
id_of(const struct grants *g, const char *name)
{
	return vnet_grant_find(g->plant->sw, name);
}

bool
grants_has(const struct grants *grants, const char *name)
{
	return id_of(grants, name) != VNET_NO_ID;
}

/* Without the lock: the one that forwards ends grants as well. */
static bool
is_there(const struct grants *g, const char *name)
{
	bool is_there;

	plant_lock(g->plant);
	is_there = grants_has(g, name);
	plant_unlock(g->plant);
	return is_there;
}

/*
 * Time
 */

static uint64_t
read_ahead(void)
{
	const vnet_nsec now = plant_now();
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * VNET_NSEC_PER_SEC + (uint64_t)t.tv_nsec -
	       now;
}

uint64_t
grants_ahead(const struct grants *grants)
{
	return grants->ahead;
}

/* In the switch's time; 0 for never. One that was before its beginning is the
 * first there is. */
static vnet_nsec
until_of(const struct grants *g, const json_t *whole)
{
	const uint64_t until = grant_until(whole);

	if (!until)
		return 0;
	return until > g->ahead ? until - g->ahead : 1;
}

/* A change of the clock changes when they end. */
static void move_clock(evutil_socket_t fd, short what, void *ctx);

/* Without it a change of the clock is seen by the next reload. */
static void
watch_clock(struct grants *g)
{
	const struct itimerspec never = {
		.it_value.tv_sec = (time_t)(INT32_MAX),
	};

	g->clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (g->clock < 0)
		return;
	g->clock_event = event_new(g->plant->base, g->clock,
				   EV_READ | EV_PERSIST, move_clock, g);
	if (!g->clock_event ||
	    timerfd_settime(g->clock,
			    TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
			    NULL))
		return;
	event_add(g->clock_event, NULL);
}

/*
 * Clients
 */

/* Make a grant that is nobody's, for a moment. */
static int
make_empty(struct vnet_switch *sw, vnet_grant_id *id, struct vnet_why *why)
{
	static const struct vnet_mac_prefix nobody = {.bits = 48};
	const struct vnet_grant grant = {
		.size = sizeof(grant),
		.name = EMPTY,
		.macs = &nobody,
		.nmacs = 1,
	};

	return vnet_grant_add(sw, VNET_NO_ID, &grant, id, NULL, why);
}

/* Its link is to be down, as if it had had a grant that has ended: by one that
 * does. */
static int
close_client(const struct plant_client *client, struct vnet_why *why)
{
	struct vnet_switch *sw = client->port->plant->sw;
	vnet_grant_id id;
	int r = make_empty(sw, &id, why);

	if (r)
		return r;
	r = vnet_client_set_grant(sw, client->id, id, why);
	(void)vnet_grant_revoke(sw, id);
	return r;
}

/* Guard it no more. What has ended is over by another grant alone. */
static int
release_client(const struct plant_client *client, struct vnet_why *why)
{
	struct vnet_switch *sw = client->port->plant->sw;
	vnet_grant_id id;
	int r;

	if (vnet_client_grant(sw, client->id) != VNET_NO_ID)
		return vnet_client_set_grant(sw, client->id, VNET_NO_ID, why);
	r = make_empty(sw, &id, why);
	if (r)
		return r;
	r = vnet_client_set_grant(sw, client->id, id, why);
	if (!r)
		r = vnet_client_set_grant(sw, client->id, VNET_NO_ID, why);
	(void)vnet_grant_revoke(sw, id);
	return r;
}

int
grants_give(const struct grants *grants, const struct plant_client *client,
	    const char *name, uint32_t *queue, struct vnet_why *why)
{
	struct vnet_switch *sw = grants->plant->sw;
	struct vnet_grant_info info = {.size = sizeof(info)};
	const vnet_grant_id id = name ? id_of(grants, name) : VNET_NO_ID;
	const bool had_one = string(client->settings, "grant");

	*queue = 0;
	if (!name)
		return had_one ? release_client(client, why) : 0;
	if (id == VNET_NO_ID && had_one &&
	    vnet_client_grant(sw, client->id) == VNET_NO_ID)
		return 0;
	if (id == VNET_NO_ID)
		return close_client(client, why);
	if (!vnet_grant_get(sw, id, &info))
		*queue = info.grant.queue_octets;
	return vnet_client_grant(sw, client->id) == id
		       ? 0
		       : vnet_client_set_grant(sw, client->id, id, why);
}

/* Whose grant has ended: with one that there is again, or has no other. */
static bool
is_closed(const struct plant_client *client)
{
	struct plant *plant = client->port->plant;
	bool is_closed;

	if (!string(client->settings, "grant"))
		return false;
	plant_lock(plant);
	is_closed = vnet_client_grant(plant->sw, client->id) == VNET_NO_ID;
	plant_unlock(plant);
	return is_closed;
}

static void
look_at_port(struct plant_port *p)
{
	struct plant_client *client = p->clients;

	while (client) {
		if (!is_closed(client)) {
			if (client->session)
				session_end_over(client->session);
			client = client->next;
		} else if (!client->session) {
			complain(&p->error, -EACCES,
				 "closed, since its grant %s has ended",
				 string(client->settings, "grant"));
			client = client->next;
		} else {
			log_write(LOG_INFO, "client %s: its grant %s has ended",
				  client->name,
				  string(client->settings, "grant"));
			/* With it end those that it has delegated. */
			session_end(client->session);
			client = p->clients;
		}
	}
}

static void
look(evutil_socket_t fd, short what, void *ctx)
{
	struct grants *g = ctx;

	(void)fd;
	(void)what;
	for (struct plant_port *p = g->plant->ports; p; p = p->next)
		look_at_port(p);
	plant_tell(g->plant);
}

void
grants_look(struct grants *grants)
{
	event_active(grants->look, EV_TIMEOUT, 0);
}

/* Let those have their grants again whose grants are there again. */
static int
give_again(struct grants *g, struct complaint *c)
{
	struct vnet_why why = {0};
	uint32_t queue;
	int r = 0;

	for (struct plant_port *p = g->plant->ports; p; p = p->next)
		for (struct plant_client *client = p->clients; client && !r;
		     client = client->next) {
			const char *name = string(client->settings, "grant");

			if (!name || !is_closed(client) || !is_there(g, name))
				continue;
			plant_hold(g->plant);
			r = grants_give(g, client, name, &queue, &why);
			plant_unlock(g->plant);
			p->error.text[0] = '\0';
			if (r)
				complain_why(c, r, client->name, &why);
		}
	return r;
}

/*
 * What the switch has
 */

/* As it is to be in the switch. New reference, NULL for want of memory. */
static json_t *
plan(const struct grants *g, const json_t *all, const char *name)
{
	json_t *whole = grant_whole(all, json_object_get(all, name));

	/* One below an uplink is below no other in this switch. */
	if (!json_object_get(all, string(whole, "parent")))
		json_object_del(whole, "parent");
	if (whole)
		json_object_set_new(
			whole, "until_ns",
			json_integer((json_int_t)until_of(g, whole)));
	return whole;
}

static json_int_t
max_clients(const json_t *planned)
{
	const json_t *said = json_object_get(planned, "max_clients");

	return said ? json_integer_value(said) : 1;
}

static bool
has_ended(const json_t *planned)
{
	const json_int_t until =
		json_integer_value(json_object_get(planned, "until_ns"));

	return until && (vnet_nsec)until <= plant_now();
}

static void
uninstall(struct grants *g, const char *name)
{
	vnet_grant_id id;

	plant_hold(g->plant);
	id = id_of(g, name);
	if (id != VNET_NO_ID)
		(void)vnet_grant_revoke(g->plant->sw, id);
	plant_unlock(g->plant);
	json_object_del(g->installed, name);
}

static int
complain_grant(struct complaint *c, int error, const char *name,
	       enum vnet_grant_part part, const struct vnet_why *why)
{
	char text[GRANT_WHY_SIZE];

	if (error == -EPERM || error == -EINVAL) {
		grant_why(part, why, text, sizeof(text));
		return complain(c, error, "grant %s: %s", name, text);
	}
	return complain(c, error, "grant %s: %s%s%s", name,
			why->text ? why->text : "", why->text ? ": " : "",
			strerror(-error));
}

/* Add it, or set it. */
static int
install(struct grants *g, const char *name, const json_t *planned,
	struct complaint *c)
{
	const char *parent = string(planned, "parent");
	struct vnet_switch *sw = g->plant->sw;
	enum vnet_grant_part part = VNET_GRANT_UNDECIDED;
	struct vnet_why why = {0};
	vnet_grant_id id;
	int r;

	grant_read(&g->read, name, planned,
		   (vnet_nsec)json_integer_value(
			   json_object_get(planned, "until_ns")));
	plant_hold(g->plant);
	id = id_of(g, name);
	if (id != VNET_NO_ID)
		r = vnet_grant_set(sw, id, &g->read.grant, &part, &why);
	else
		r = vnet_grant_add(sw, parent ? id_of(g, parent) : VNET_NO_ID,
				   &g->read.grant, &id, &part, &why);
	plant_unlock(g->plant);
	return r ? complain_grant(c, r, name, part, &why) : 0;
}

/* Is there nothing to be done for it: it is in the switch, or has ended, by
 * itself or by one above? */
static bool
is_done(const struct grants *g, const json_t *planned, const char *name)
{
	const json_t *grant = json_object_get(planned, name);
	const char *parent = string(grant, "parent");

	if (has_ended(grant))
		return true;
	if (is_there(g, name))
		return json_equal(json_object_get(g->installed, name), grant);
	return parent && !is_there(g, parent) &&
	       has_ended(json_object_get(planned, parent));
}

/* One turn over all. Returns how many were done; those that were not are left,
 * the complaint is of one of them. */
static size_t
take_turn(struct grants *g, json_t *planned, size_t *left, struct complaint *c)
{
	const char *name;
	json_t *grant;
	size_t n = 0;

	*left = 0;
	json_object_foreach(planned, name, grant) {
		const char *parent = string(grant, "parent");

		if (is_done(g, planned, name))
			continue;
		if ((parent && !is_there(g, parent)) ||
		    install(g, name, grant, c)) {
			++*left;
			continue;
		}
		json_object_set(g->installed, name, grant);
		n++;
	}
	return n;
}

/* Those that are in the way of each other. */
static size_t
revoke_left(struct grants *g, json_t *planned)
{
	const char *name;
	json_t *grant;
	size_t n = 0;

	json_object_foreach(planned, name, grant)
		if (is_there(g, name) && !is_done(g, planned, name)) {
			uninstall(g, name);
			n++;
		}
	return n;
}

/* What is to go, or has ended by now, and what is to hang elsewhere. */
static void
revoke_gone(struct grants *g, const json_t *planned)
{
	const char *name;
	json_t *grant;
	void *next;

	json_object_foreach_safe(g->installed, next, name, grant)
	{
		const json_t *to = json_object_get(planned, name);

		if (!to || has_ended(to) || !is_same(grant, to, "parent"))
			uninstall(g, name);
	}
}

static json_t *
plan_all(const struct grants *g, const json_t *all)
{
	json_t *planned = json_object(), *grant;
	const char *name;

	json_object_foreach((json_t *)all, name, grant)
		if (json_object_set_new(planned, name, plan(g, all, name))) {
			json_decref(planned);
			return NULL;
		}
	return planned;
}

/* Clients that a grant is to have at the most, beside those of grants below
 * it. */
static json_int_t
own_clients(json_t *planned, const char *name)
{
	json_int_t n = 0;
	const char *other;
	json_t *grant;

	json_object_foreach(planned, other, grant)
		if (!strcmp(other, name))
			n += max_clients(grant);
		else if (string(grant, "parent") &&
			 !strcmp(string(grant, "parent"), name))
			n -= max_clients(grant);
	return n;
}

/* Nobody is to go for it: that is asked before anything is changed. */
static int
check_clients(const struct grants *g, json_t *planned, struct complaint *c)
{
	const char *name;
	json_t *grant;

	json_object_foreach(planned, name, grant) {
		struct vnet_grant_info info = {.size = sizeof(info)};
		json_int_t bound;

		plant_lock(g->plant);
		(void)vnet_grant_get(g->plant->sw, id_of(g, name), &info);
		plant_unlock(g->plant);
		if (!info.nclients)
			continue;
		bound = own_clients(planned, name);
		if ((json_int_t)info.nclients > bound)
			return complain(c, -EPERM,
					"grant %s: clients: there are %" PRIu32
					", and would be at most "
					"%" JSON_INTEGER_FORMAT,
					name, info.nclients, bound);
	}
	return 0;
}

/* Have the switch have @all, as far as that goes. */
static int
move(struct grants *g, const json_t *all, struct complaint *c)
{
	json_t *planned = plan_all(g, all);
	struct complaint ignored;
	size_t left, n;
	int r;

	if (!planned)
		return complain(c, -ENOMEM, "no memory");
	r = check_clients(g, planned, c);
	if (r) {
		json_decref(planned);
		return r;
	}
	complain(c, -EPERM, "grants: they do not fit");
	revoke_gone(g, planned);
	do {
		n = take_turn(g, planned, &left, c);
		if (left && !n)
			n = revoke_left(g, planned);
	} while (left && n);
	r = give_again(g, left ? &ignored : c);
	json_decref(planned);
	return left ? -EPERM : r;
}

/* Of queue, rate and time what it does not say is what there is above, and is
 * held to there. */
static void
take_above(struct vnet_grant *grant, const struct vnet_grant *above)
{
	if (!grant->queue_octets)
		grant->queue_octets = above->queue_octets;
	if (!grant->rate.size)
		grant->rate = above->rate;
	if (!grant->until)
		grant->until = above->until;
}

static int
check_above(struct grants *g, const struct plant_port *port, const json_t *all,
	    struct complaint *c)
{
	struct vnet_grant *read = &g->read.grant;
	char text[GRANT_WHY_SIZE];
	const char *name;
	json_t *grant;

	if (!port->m || !port->above.size || json_object_get(all, port->name))
		return 0;
	json_object_foreach((json_t *)all, name, grant) {
		enum vnet_grant_part part = VNET_GRANT_UNDECIDED;
		struct vnet_why why = {0};
		json_t *whole;
		int r;

		if (!string(grant, "parent") ||
		    strcmp(string(grant, "parent"), port->name) != 0)
			continue;
		whole = grant_whole(all, grant);
		grant_read(&g->read, name, whole, until_of(g, whole));
		json_decref(whole);
		take_above(read, &port->above);
		r = vnet_grant_contains(&port->above, read, &part, &why);
		if (!r)
			continue;
		grant_why(part, &why, text, sizeof(text));
		return complain(c, r,
				"grant %s: does not fit into grant %s of the "
				"switch that port %s attaches to: %s",
				name, port->above.name, port->name, text);
	}
	return 0;
}

int
grants_check_above(struct grants *grants, const struct plant_port *port,
		   struct complaint *c)
{
	return check_above(grants, port, grants->all, c);
}

/* As a whole, or not. */
static int
become(struct grants *g, json_t *all, struct complaint *c)
{
	struct complaint ignored;
	int r = 0;

	for (const struct plant_port *p = g->plant->ports; p && !r; p = p->next)
		r = check_above(g, p, all, c);
	if (r)
		return r;
	r = move(g, all, c);
	if (r) {
		if (move(g, g->all, &ignored))
			log_write(LOG_ERROR, "%s", ignored.text);
	} else {
		json_incref(all);
		json_decref(g->all);
		g->all = all;
	}
	grants_look(g);
	plant_tell(g->plant);
	return r;
}

static void
move_clock(evutil_socket_t fd, short what, void *ctx)
{
	struct grants *g = ctx;
	struct complaint c;
	uint64_t ignored;

	(void)what;
	/* -ECANCELED: it was set. */
	(void)!read(fd, &ignored, sizeof(ignored));
	g->ahead = read_ahead();
	if (move(g, g->all, &c))
		log_write(LOG_ERROR, "%s", c.text);
	grants_look(g);
	plant_tell(g->plant);
}

/*
 * What is said of them
 */

int
grants_create(struct grants **grants, struct plant *plant, struct complaint *c)
{
	struct grants *g = calloc(1, sizeof(*g));

	if (!g)
		return complain(c, -ENOMEM, "no memory");
	g->plant = plant;
	g->all = json_object();
	g->added = json_object();
	g->installed = json_object();
	g->ahead = read_ahead();
	g->look = event_new(plant->base, -1, 0, look, g);
	if (!g->all || !g->added || !g->installed || !g->look) {
		g->clock = -1;
		grants_destroy(g);
		return complain(c, -ENOMEM, "no memory");
	}
	watch_clock(g);
	*grants = g;
	return 0;
}

void
grants_destroy(struct grants *grants)
{
	if (!grants)
		return;
	if (grants->clock_event)
		event_free(grants->clock_event);
	if (grants->clock >= 0)
		close(grants->clock);
	if (grants->look)
		event_free(grants->look);
	json_decref(grants->installed);
	json_decref(grants->added);
	json_decref(grants->all);
	free(grants);
}

int
grants_apply(struct grants *grants, const json_t *config, struct complaint *c)
{
	json_t *wanted = json_object_get(config, "grants"), *grant;
	json_t *all = wanted ? json_copy(wanted) : json_object();
	const char *name;
	int r;

	json_object_foreach(grants->added, name, grant)
		if (!json_object_get(all, name))
			json_object_set(all, name,
					json_object_get(grants->all, name));
	r = become(grants, all, c);
	json_decref(all);
	if (r)
		return r;
	json_object_foreach(wanted, name, grant)
		json_object_del(grants->added, name);
	return 0;
}

json_t *
grants_config(const struct grants *grants)
{
	return json_deep_copy(grants->all);
}

static int
check_name(const struct grants *g, const json_t *object, const json_t *port,
	   struct complaint *c)
{
	const char *name = string(object, "grant");

	if (!name || json_object_get(g->all, name))
		return 0;
	return complain(c, -EINVAL, "port %s: there is no grant %s",
			schema_string(port, "name"), name);
}

int
grants_check_port(const struct grants *grants, const json_t *port,
		  struct complaint *c)
{
	int r = check_name(grants, port, port, c);
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(port, "allow"), i, row)
		if (!r)
			r = check_name(grants, row, port, c);
	return r;
}

static const json_t *
find(const struct grants *g, const char *name, struct complaint *c)
{
	const json_t *grant = json_object_get(g->all, name);

	if (!grant)
		complain(c, -ENOENT, "there is no grant %s", name);
	return grant;
}

int
plant_apply_grants(struct plant *plant, const json_t *config,
		   struct complaint *c)
{
	return grants_apply(plant->grants, config, c);
}

/* Those that grants may be below. */
static json_t *
uplinks(const struct plant *plant)
{
	json_t *list = json_array();

	for (const struct plant_port *p = plant->ports; p; p = p->next)
		if (opener_is_session(p->config))
			json_array_append(list, p->config);
	return list;
}

/* Do they fit? What the file says is asked the same. */
static int
check_all(const struct grants *g, const json_t *all, struct complaint *c)
{
	json_t *config = json_pack("{s:O*, s:O, s:o}", "switch",
				   json_object_get(g->plant->running, "switch"),
				   "grants", all, "ports", uplinks(g->plant));
	json_t *normal = schema_check(SCHEMA_CONFIG, config, NULL, NULL, c);

	json_decref(config);
	json_decref(normal);
	return normal ? 0 : -EINVAL;
}

/* All with @grant as @name. */
static int
become_with(struct grants *g, const char *name, const json_t *grant,
	    struct complaint *c)
{
	json_t *all = json_copy(g->all);
	int r = json_object_set(all, name, (json_t *)grant)
			? complain(c, -ENOMEM, "no memory")
			: check_all(g, all, c);

	if (!r)
		r = become(g, all, c);
	json_decref(all);
	return r;
}

int
plant_grant_add(struct plant *plant, const char *name, const json_t *grant,
		struct complaint *c)
{
	struct grants *g = plant->grants;
	int r;

	if (json_object_get(g->all, name))
		return complain(c, -EEXIST, "there is a grant %s", name);
	r = become_with(g, name, grant, c);
	if (!r)
		json_object_set_new(g->added, name, json_true());
	return r;
}

/* With the changes; in normal form, NULL with @c. */
static json_t *
changed_config(const json_t *grant, const json_t *changes, struct complaint *c)
{
	json_t *normal =
		schema_check(SCHEMA_GRANT_CHANGES, changes, NULL, NULL, c);
	json_t *wanted = json_copy((json_t *)grant), *config = NULL, *value;
	const char *key;

	json_object_foreach(normal, key, value) {
		if (json_is_null(value))
			json_object_del(wanted, key);
		else
			json_object_set(wanted, key, value);
	}
	if (normal)
		config = schema_check(SCHEMA_GRANT, wanted, NULL, NULL, c);
	json_decref(wanted);
	json_decref(normal);
	return config;
}

int
plant_grant_set(struct plant *plant, const char *name, const json_t *changes,
		struct complaint *c)
{
	struct grants *g = plant->grants;
	const json_t *grant = find(g, name, c);
	json_t *config;
	int r;

	if (!grant)
		return -ENOENT;
	config = changed_config(grant, changes, c);
	if (!config)
		return -EINVAL;
	r = become_with(g, name, config, c);
	json_decref(config);
	return r;
}

/* One that a session has made: none of ours has a slash in its name. */
static bool
is_delegated(const struct grants *g, const char *name)
{
	return strchr(name, '/') && is_there(g, name);
}

/* Is it @top, or below that? */
static bool
is_below(const json_t *all, const char *name, const char *top)
{
	while (name && strcmp(name, top) != 0)
		name = string(json_object_get(all, name), "parent");
	return name;
}

int
plant_grant_revoke(struct plant *plant, const char *name, struct complaint *c)
{
	struct grants *g = plant->grants;
	json_t *all, *grant;
	const char *other;
	int r;

	if (is_delegated(g, name)) {
		uninstall(g, name);
		grants_look(g);
		plant_tell(plant);
		return 0;
	}
	if (!find(g, name, c))
		return -ENOENT;
	all = json_object();
	json_object_foreach(g->all, other, grant)
		if (!is_below(g->all, other, name))
			json_object_set(all, other, grant);
	r = become(g, all, c);
	json_decref(all);
	return r;
}

/*
 * What is shown
 */

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* What was outside of its parts, and of how many octets. */
static json_t *
refused_json(const struct plant *plant, vnet_grant_id id, enum vnet_side side)
{
	json_t *object = json_object();

	for (int i = 0; i < VNET_GRANT_NPARTS; i++) {
		const enum vnet_grant_part part = (enum vnet_grant_part)i;
		struct vnet_count n = {0};

		if (!vnet_grant_refused(plant->sw, id, side, part, &n) &&
		    n.frames)
			json_object_set_new(object, vnet_grant_part_name(part),
					    figures_count(&n));
	}
	return object;
}

/* How it stands; with the lock. */
static void
add_state(const struct grants *g, const char *name, json_t *row)
{
	struct vnet_grant_info info = {.size = sizeof(info)};
	const vnet_grant_id id = id_of(g, name);
	const bool is_there = !vnet_grant_get(g->plant->sw, id, &info);

	json_object_set_new(row, "state",
			    json_string(is_there ? "active" : "ended"));
	if (!is_there)
		return;
	json_object_set_new(row, "clients", number(info.nclients));
	json_object_set_new(row, "addresses", number(info.naddresses));
	json_object_set_new(row, "given_clients", number(info.given_clients));
	json_object_set_new(row, "given_addresses",
			    number(info.given_addresses));
	json_object_set_new(row, "max_clients", number(info.grant.max_clients));
	json_object_set_new(row, "max_addresses",
			    number(info.grant.max_addresses));
	json_object_set_new(row, "insns",
			    json_pack("{s:I, s:I}", "in",
				      (json_int_t)info.ninsns[VNET_INGRESS],
				      "out",
				      (json_int_t)info.ninsns[VNET_EGRESS]));
	json_object_set_new(row, "refused",
			    json_pack("{s:o, s:o}", "in",
				      refused_json(g->plant, id, VNET_INGRESS),
				      "out",
				      refused_json(g->plant, id, VNET_EGRESS)));
}

static json_t *
show_grant(const struct grants *g, const char *name)
{
	json_t *row = json_pack("{s:s}", "name", name);
	json_t *whole = grant_whole(g->all, json_object_get(g->all, name));

	json_object_update(row, whole);
	json_decref(whole);
	plant_lock(g->plant);
	add_state(g, name, row);
	plant_unlock(g->plant);
	return row;
}

/* What was delegated, as it is in the switch. With the lock. */
static json_t *
show_delegated(const struct grants *g, const struct vnet_grant_info *info)
{
	struct vnet_grant_info parent = {.size = sizeof(parent)};
	json_t *row = grant_write(&info->grant, g->ahead);

	if (!vnet_grant_get(g->plant->sw, info->parent, &parent))
		json_object_set_new(row, "parent",
				    json_string(parent.grant.name));
	add_state(g, info->grant.name, row);
	return row;
}

/* Of that name; of all, for NULL. */
static void
add_delegated(const struct grants *g, const char *name, json_t *list)
{
	struct vnet_grant_info info = {.size = sizeof(info)};
	struct vnet_switch *sw = g->plant->sw;
	vnet_grant_id id = VNET_NO_ID;

	plant_lock(g->plant);
	while ((id = vnet_grant_next(sw, id)) != VNET_NO_ID)
		if (!vnet_grant_get(sw, id, &info) &&
		    strchr(info.grant.name, '/') &&
		    (!name || !strcmp(info.grant.name, name)))
			json_array_append_new(list, show_delegated(g, &info));
	plant_unlock(g->plant);
}

json_t *
plant_grant_show(struct plant *plant, const char *name, struct complaint *c)
{
	struct grants *g = plant->grants;
	json_t *list, *grant;
	const char *each;

	if (name && !is_delegated(g, name) && !find(g, name, c))
		return NULL;
	list = json_array();
	json_object_foreach(g->all, each, grant)
		if (!name || !strcmp(name, each))
			json_array_append_new(list, show_grant(g, each));
	add_delegated(g, name, list);
	return list;
}

json_t *
grants_stats(const struct grants *grants)
{
	json_t *list = json_array(), *grant;
	const char *name;

	json_object_foreach(grants->all, name, grant) {
		json_t *row = json_pack("{s:s}", "name", name);

		plant_lock(grants->plant);
		add_state(grants, name, row);
		plant_unlock(grants->plant);
		json_object_del(row, "insns");
		json_array_append_new(list, row);
	}
	return list;
}

/*
 * What is proved
 */

/**
 * struct guard - the guard of a grant
 * @name:	of the grant; empty if the client has none
 */
struct guard {
	char name[VNET_GRANT_NAME_SIZE];
	int ninsns[2];
	struct vnet_bpf_insn insns[2][VNET_GRANT_MAX_INSNS];
};

static void
read_guard(struct plant *plant, vnet_grant_id id, struct guard *guard)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	plant_lock(plant);
	if (!vnet_grant_get(plant->sw, id, &info)) {
		memcpy(guard->name, info.grant.name, sizeof(guard->name));
		for (int side = VNET_INGRESS; side <= VNET_EGRESS; side++)
			guard->ninsns[side] = vnet_grant_program(
				plant->sw, id, (enum vnet_side)side,
				guard->insns[side], VNET_GRANT_MAX_INSNS);
	}
	plant_unlock(plant);
}

static json_t *
program_json(const struct guard *guard, enum vnet_side side)
{
	json_t *list = json_array();

	for (int i = 0; i < guard->ninsns[side]; i++) {
		const struct vnet_bpf_insn *insn = &guard->insns[side][i];

		json_array_append_new(list,
				      json_pack("[i, i, i, I]", (int)insn->code,
						(int)insn->jt, (int)insn->jf,
						(json_int_t)insn->k));
	}
	return list;
}

/* VNET_NO_ID with @c. */
static vnet_grant_id
find_guard(struct plant *plant, const char *name, struct complaint *c)
{
	const struct grants *g = plant->grants;
	const struct plant_client *client = NULL;
	vnet_grant_id id;

	if (!json_object_get(g->all, name)) {
		client = plant_client_find(plant, name, c);
		if (!client)
			return VNET_NO_ID;
	}
	plant_lock(plant);
	id = client ? vnet_client_grant(plant->sw, client->id) : id_of(g, name);
	plant_unlock(plant);
	if (id == VNET_NO_ID && client)
		complain(c, -ENOENT, "client %s has no grant", client->name);
	else if (id == VNET_NO_ID)
		complain(c, -ENOENT, "grant %s has ended", name);
	return id;
}

json_t *
plant_grant_program(struct plant *plant, const char *name, struct complaint *c)
{
	const struct grants *g = plant->grants;
	const vnet_grant_id id = find_guard(plant, name, c);
	struct guard *guard;
	json_t *result;

	if (id == VNET_NO_ID)
		return NULL;
	guard = calloc(1, sizeof(*guard));
	if (!guard) {
		complain(c, -ENOMEM, "no memory");
		return NULL;
	}
	read_guard(plant, id, guard);
	result = json_pack(
		"{s:s, s:o, s:{s:o, s:o}}", "grant", guard->name, "config",
		grant_whole(g->all, json_object_get(g->all, guard->name)),
		"programs", "in", program_json(guard, VNET_INGRESS), "out",
		program_json(guard, VNET_EGRESS));
	free(guard);
	/* It may have ended since. */
	if (!result)
		complain(c, -ENOENT, "grant %s has ended", name);
	return result;
}
