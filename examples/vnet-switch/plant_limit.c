/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vnet/client.h>
#include <vnet/limit.h>

#include "plant_limit.h"
#include "plant_name.h"
#include "schema.h"

/* Octets of what somebody has sent that a complaint quotes. */
#define QUOTED 40

/* The sides that have limits. */
static const enum vnet_side sides[] = {VNET_INGRESS, VNET_EGRESS};

#define NSIDES (sizeof(sides) / sizeof(sides[0]))

/*
 * The switch
 */

static enum vnet_side
side_of(const json_t *limit)
{
	return strcmp(schema_string(limit, "side"), "out") ? VNET_INGRESS
							   : VNET_EGRESS;
}

static enum vnet_traffic
traffic_of(const json_t *limit)
{
	const char *name = schema_string(limit, "traffic");
	int traffic = VNET_TRAFFIC_ALL;

	while (traffic < VNET_NTRAFFIC - 1 &&
	       strcmp(vnet_traffic_name((enum vnet_traffic)traffic), name) != 0)
		traffic++;
	return (enum vnet_traffic)traffic;
}

/* The index of one for the same side and traffic; the length if there is none.
 */
static size_t
find(const json_t *limits, const json_t *limit)
{
	const json_t *other;
	size_t i;

	json_array_foreach(limits, i, other)
		if (side_of(other) == side_of(limit) &&
		    traffic_of(other) == traffic_of(limit))
			break;
	return i;
}

static uint64_t
number(const json_t *limit, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(limit, key));
}

static int
set(struct vnet_switch *sw, uint64_t owner, const json_t *limit,
    struct vnet_why *why)
{
	const struct vnet_limit l = {
		.size = sizeof(l),
		.frames_per_s = number(limit, "frames_per_s"),
		.octets_per_s = number(limit, "octets_per_s"),
		.burst_frames = number(limit, "burst_frames"),
		.burst_octets = number(limit, "burst_octets"),
	};

	return vnet_limit_set(sw, owner, side_of(limit), traffic_of(limit), &l,
			      why);
}

/* Take away what @but does not have. */
static void
clear(struct vnet_switch *sw, uint64_t owner, const json_t *limits,
      const json_t *but)
{
	const json_t *limit;
	size_t i;

	json_array_foreach(limits, i, limit)
		if (!json_array_get(but, find(but, limit)))
			(void)vnet_limit_set(sw, owner, side_of(limit),
					     traffic_of(limit), NULL, NULL);
}

int
plant_limits_set(struct vnet_switch *sw, uint64_t owner, const json_t *from,
		 const json_t *to, struct vnet_why *why)
{
	const json_t *limit;
	size_t i;
	int r = 0;

	json_array_foreach(to, i, limit) {
		r = set(sw, owner, limit, why);
		if (r)
			break;
	}
	if (!r) {
		clear(sw, owner, from, to);
		return 0;
	}
	/* What was there has its memory. */
	clear(sw, owner, to, from);
	json_array_foreach(from, i, limit)
		(void)set(sw, owner, limit, NULL);
	return r;
}

/*
 * What is asked for
 */

/* A port or a client, and what it is called. */
struct owner {
	struct plant_port *port; /* NULL of a client */
	uint64_t id;
	char name[PLANT_CLIENT_NAME_SIZE];
};

/* A limit that is there. */
struct row {
	enum vnet_side side;
	enum vnet_traffic traffic;
	struct vnet_limit limit;
	struct vnet_count dropped;
};

static int
find_owner(struct plant *plant, const char *name, struct owner *owner,
	   struct complaint *c)
{
	const struct plant_client *client;

	*owner = (struct owner){.id = VNET_NO_ID};
	if (plant_name_is_client(name)) {
		client = plant_client_find(plant, name, c);
		if (!client)
			return -ENOENT;
		owner->id = client->id;
		memcpy(owner->name, client->name, sizeof(owner->name));
		return 0;
	}
	owner->port = plant_find(plant, name, c);
	if (!owner->port)
		return -ENOENT;
	owner->id = owner->port->id;
	(void)snprintf(owner->name, sizeof(owner->name), "%s",
		       owner->port->name);
	return 0;
}

/* The same list with @limit in the place of its like, or without. New reference;
 * NULL if there is no memory. */
static json_t *
changed_list(const json_t *limits, const json_t *limit, bool is_there)
{
	json_t *list = limits ? json_copy((json_t *)limits) : json_array();
	const size_t at = find(list, limit);
	int r;

	if (!is_there)
		r = json_array_remove(list, at);
	else if (at < json_array_size(list))
		r = json_array_set(list, at, (json_t *)limit);
	else
		r = json_array_append(list, (json_t *)limit);
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

/* To the switch; a port that is not in it takes it along when it enters. */
static int
tell_switch(struct plant *plant, const struct owner *o, const json_t *limit,
	    bool is_there, struct complaint *c)
{
	struct vnet_why why = {0};
	char what[PLANT_CLIENT_NAME_SIZE + 32];
	int r = 0;

	if (o->id == VNET_NO_ID)
		return 0;
	plant_hold(plant);
	if (is_there)
		r = set(plant->sw, o->id, limit, &why);
	else
		r = vnet_limit_set(plant->sw, o->id, side_of(limit),
				   traffic_of(limit), NULL, &why);
	plant_unlock(plant);
	if (!r)
		return 0;
	(void)snprintf(what, sizeof(what), "%s: limit %s %s", o->name,
		       schema_string(limit, "side"),
		       schema_string(limit, "traffic"));
	return complain_why(c, r, what, &why);
}

/* An empty list is none. */
static void
put_list(struct plant_port *p, json_t *list)
{
	if (json_array_size(list))
		json_object_set(p->config, "limits", list);
	else
		json_object_del(p->config, "limits");
}

/* Of a port it is part of the configuration, of a client it goes with it. */
static int
change(struct plant *plant, const struct owner *o, const json_t *limit,
       bool is_there, struct complaint *c)
{
	json_t *list;
	int r;

	if (!o->port)
		return tell_switch(plant, o, limit, is_there, c);
	list = changed_list(json_object_get(o->port->config, "limits"), limit,
			    is_there);
	if (!list)
		return complain(c, -ENOMEM, "no memory");
	r = tell_switch(plant, o, limit, is_there, c);
	if (!r)
		put_list(o->port, list);
	json_decref(list);
	return r;
}

int
plant_limit_set(struct plant *plant, const char *owner, const json_t *limit,
		struct complaint *c)
{
	struct owner o;
	int r = find_owner(plant, owner, &o, c);

	return r ? r : change(plant, &o, limit, true, c);
}

static bool
has(struct plant *plant, const struct owner *o, const json_t *limit)
{
	int r;

	plant_lock(plant);
	r = vnet_limit_get(plant->sw, o->id, side_of(limit), traffic_of(limit),
			   NULL, NULL);
	plant_unlock(plant);
	return !r;
}

static bool
is_traffic(const char *name)
{
	for (int i = 0; i < VNET_NTRAFFIC; i++)
		if (!strcmp(vnet_traffic_name((enum vnet_traffic)i), name))
			return true;
	return false;
}

int
plant_limit_del(struct plant *plant, const char *owner, const char *side,
		const char *traffic, struct complaint *c)
{
	struct owner o;
	json_t *limit;
	int r;

	if (!is_traffic(traffic))
		return complain(c, -EINVAL,
				"traffic: found \"%.*s\", expected all, "
				"broadcast, multicast or unknown",
				QUOTED, traffic);
	r = find_owner(plant, owner, &o, c);
	if (r)
		return r;
	limit = json_pack("{s:s, s:s}", "side", side, "traffic", traffic);
	if (has(plant, &o, limit))
		r = change(plant, &o, limit, false, c);
	else
		r = complain(c, -ENOENT, "%s has no limit %s %s", o.name, side,
			     traffic);
	json_decref(limit);
	return r;
}

/*
 * What is shown
 */

static const char *
side_name(enum vnet_side side)
{
	return side == VNET_EGRESS ? "out" : "in";
}

/* How many there are. */
static size_t
read_limits(struct plant *plant, uint64_t owner,
	    struct row rows[NSIDES * VNET_NTRAFFIC])
{
	size_t n = 0;

	plant_lock(plant);
	for (size_t i = 0; i < NSIDES * VNET_NTRAFFIC; i++) {
		struct row *row = &rows[n];

		*row = (struct row){
			.side = sides[i / VNET_NTRAFFIC],
			.traffic = (enum vnet_traffic)(i % VNET_NTRAFFIC),
			.limit.size = sizeof(row->limit),
		};
		n += !vnet_limit_get(plant->sw, owner, row->side, row->traffic,
				     &row->limit, &row->dropped);
	}
	plant_unlock(plant);
	return n;
}

/* A rate that there is, and its burst. */
static void
show_rate(json_t *row, const char *key, uint64_t rate, const char *burst_key,
	  uint64_t burst)
{
	if (!rate)
		return;
	json_object_set_new(row, key, json_integer((json_int_t)rate));
	json_object_set_new(row, burst_key, json_integer((json_int_t)burst));
}

static void
show_owner(struct plant *plant, uint64_t owner, const char *name, json_t *list)
{
	struct row rows[NSIDES * VNET_NTRAFFIC];
	const size_t n = read_limits(plant, owner, rows);

	for (size_t i = 0; i < n; i++) {
		const struct vnet_limit *l = &rows[i].limit;
		json_t *row =
			json_pack("{s:s, s:s, s:s}", "owner", name, "side",
				  side_name(rows[i].side), "traffic",
				  vnet_traffic_name(rows[i].traffic));

		show_rate(row, "frames_per_s", l->frames_per_s, "burst_frames",
			  l->burst_frames);
		show_rate(row, "octets_per_s", l->octets_per_s, "burst_octets",
			  l->burst_octets);
		json_object_set_new(row, "dropped",
				    figures_count(&rows[i].dropped));
		json_array_append_new(list, row);
	}
}

/* Clients come and go by this thread alone: the walk is not cut short. */
static void
show_clients(const struct plant_port *p, json_t *list)
{
	char name[PLANT_CLIENT_NAME_SIZE];
	vnet_client_id id = VNET_NO_ID;

	for (;;) {
		plant_lock(p->plant);
		id = vnet_client_next(p->plant->sw, p->id, id);
		plant_client_name(p->plant, id, name);
		plant_unlock(p->plant);
		if (id == VNET_NO_ID)
			break;
		show_owner(p->plant, id, name, list);
	}
}

json_t *
plant_limit_show(struct plant *plant, const char *owner, struct complaint *c)
{
	struct owner o = {.port = NULL};
	json_t *list;

	if (owner && find_owner(plant, owner, &o, c))
		return NULL;
	list = json_array();
	if (owner && !o.port)
		show_owner(plant, o.id, o.name, list);
	for (const struct plant_port *p = owner ? o.port : plant->ports; p;
	     p = owner ? NULL : p->next) {
		show_owner(plant, p->id, p->name, list);
		show_clients(p, list);
	}
	return list;
}
