/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_plant.h"

#define ROWS_A_PIECE 50

bool
fake_plant_init(struct plant *p)
{
	*p = (struct plant){
		.ports = json_pack("{s:{}}", "web"),
		.grants = json_pack("{s:{}}", "lab"),
	};
	pthread_mutex_init(&p->lock, NULL);
	return p->ports && p->grants;
}

void
fake_plant_fini(struct plant *p)
{
	json_decref(p->grants);
	json_decref(p->ports);
	pthread_mutex_destroy(&p->lock);
}

void
fake_plant_raise(struct plant *p, unsigned int n, size_t padding)
{
	char *text = calloc(1, padding + 1);
	json_t *event;

	if (!text)
		return;
	memset(text, 'x', padding);
	event = json_pack("{s:s, s:s, s:i, s:s}", "event", "link_up", "port",
			  "web", "count", (int)n, "padding", text);
	if (p->listener)
		p->listener(p->listener_ctx, event);
	json_decref(event);
	free(text);
}

void
fake_plant_frames(struct plant *p, const struct vnet_frame *frames, size_t n)
{
	plant_lock(p);
	for (struct capture *c = p->captures; c; c = *capture_next(c))
		capture_frames(c, false, frames, n);
	plant_unlock(p);
}

void
fake_plant_end_captures(struct plant *p)
{
	struct capture *next;

	plant_lock(p);
	for (struct capture *c = p->captures; c; c = next) {
		next = *capture_next(c);
		*capture_next(c) = NULL;
		capture_end(c);
	}
	p->captures = NULL;
	plant_unlock(p);
}

static json_t *
find(const struct plant *p, const char *name, struct complaint *c)
{
	json_t *port = json_object_get(p->ports, name);

	if (!port)
		complain(c, -ENOENT, "there is no port \"%s\"", name);
	return port;
}

/* @name may be NULL for all. */
static int
look(const struct plant *p, const char *name, struct complaint *c)
{
	return !name || find(p, name, c) ? 0 : -ENOENT;
}

static int
change(struct plant *p, const char *name, struct complaint *c)
{
	int r = look(p, name, c);

	p->calls += !r;
	return r;
}

json_t *
plant_config(const struct plant *plant)
{
	return json_pack("{s:O}", "ports", plant->ports);
}

int
plant_port_add(struct plant *plant, const json_t *port,
	       enum plant_origin origin, struct complaint *c)
{
	const char *name = json_string_value(json_object_get(port, "name"));

	(void)origin;
	if (!name)
		return complain(c, -EINVAL, "a port without a name");
	if (json_object_get(plant->ports, name))
		return complain(c, -EEXIST, "there is a port \"%s\"", name);
	plant->calls++;
	json_object_set(plant->ports, name, (json_t *)port);
	fake_plant_raise(plant, 1, 0);
	return 0;
}

int
plant_port_del(struct plant *plant, const char *name, struct complaint *c)
{
	int r = change(plant, name, c);

	if (!r)
		json_object_del(plant->ports, name);
	return r;
}

int
plant_port_set(struct plant *plant, const char *name, const json_t *changes,
	       struct complaint *c)
{
	json_t *port = find(plant, name, c);

	if (!port)
		return -ENOENT;
	plant->calls++;
	json_object_update(port, (json_t *)changes);
	return 0;
}

int
plant_filter_add(struct plant *plant, const char *port, const json_t *filter,
		 enum plant_origin origin, struct complaint *c)
{
	(void)filter;
	(void)origin;
	return change(plant, port, c);
}

int
plant_filter_del(struct plant *plant, const char *port, const char *side,
		 const char *name, struct complaint *c)
{
	(void)side;
	(void)name;
	return change(plant, port, c);
}

int
plant_limit_set(struct plant *plant, const char *owner, const json_t *limit,
		struct complaint *c)
{
	return limit ? change(plant, owner, c) : -EINVAL;
}

int
plant_limit_del(struct plant *plant, const char *owner, const char *side,
		const char *traffic, struct complaint *c)
{
	int r = change(plant, owner, c);

	return r ? r
		 : complain(c, -ENOENT, "%s has no limit %s %s", owner, side,
			    traffic);
}

static json_t *
find_grant(const struct plant *p, const char *name, struct complaint *c)
{
	json_t *grant = json_object_get(p->grants, name);

	if (!grant)
		complain(c, -ENOENT, "there is no grant \"%s\"", name);
	return grant;
}

int
plant_grant_add(struct plant *plant, const char *name, const json_t *grant,
		struct complaint *c)
{
	if (json_object_get(plant->grants, name))
		return complain(c, -EEXIST, "there is a grant \"%s\"", name);
	plant->calls++;
	return json_object_set(plant->grants, name, (json_t *)grant);
}

int
plant_grant_set(struct plant *plant, const char *name, const json_t *changes,
		struct complaint *c)
{
	json_t *grant = find_grant(plant, name, c);

	if (!grant)
		return -ENOENT;
	plant->calls++;
	return json_object_update(grant, (json_t *)changes);
}

int
plant_grant_revoke(struct plant *plant, const char *name, struct complaint *c)
{
	if (!find_grant(plant, name, c))
		return -ENOENT;
	plant->calls++;
	return json_object_del(plant->grants, name);
}

json_t *
plant_grant_show(struct plant *plant, const char *name, struct complaint *c)
{
	json_t *grant = name ? find_grant(plant, name, c) : plant->grants;

	return grant ? json_pack("[O]", grant) : NULL;
}

json_t *
plant_grant_program(struct plant *plant, const char *name, struct complaint *c)
{
	return find_grant(plant, name, c) ? json_pack("{s:s}", "grant", name)
					  : NULL;
}

int
plant_fdb_add(struct plant *plant, const char *mac, const char *port,
	      struct complaint *c)
{
	return mac ? change(plant, port, c) : -EINVAL;
}

int
plant_fdb_del(struct plant *plant, const char *mac, struct complaint *c)
{
	(void)plant;
	return complain(c, -ENOENT, "there is no address \"%s\"", mac);
}

int
plant_fdb_flush(struct plant *plant, const char *port, struct complaint *c)
{
	return change(plant, port, c);
}

json_t *
plant_port_show(struct plant *plant, const char *port, struct complaint *c)
{
	size_t n = plant->port_rows ? plant->port_rows
				    : json_object_size(plant->ports);
	json_t *list;

	if (look(plant, port, c))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:i}", "id", (int)i));
	return list;
}

json_t *
plant_client_show(struct plant *plant, const char *port, struct complaint *c)
{
	return look(plant, port, c) ? NULL : json_array();
}

int
plant_client_set(struct plant *plant, const char *name, const json_t *changes,
		 struct complaint *c)
{
	(void)changes;
	return change(plant, name, c);
}

int
plant_client_del(struct plant *plant, const char *name, struct complaint *c)
{
	return change(plant, name, c);
}

json_t *
plant_filter_show(struct plant *plant, const char *port, struct complaint *c)
{
	return look(plant, port, c) ? NULL : json_array();
}

json_t *
plant_limit_show(struct plant *plant, const char *owner, struct complaint *c)
{
	return look(plant, owner, c) ? NULL : json_array();
}

json_t *
plant_explain(struct plant *plant, const char *client, const char *hex,
	      struct complaint *c)
{
	return look(plant, client, c)
		       ? NULL
		       : json_pack("{s:s, s:s}", "client", client, "hex", hex);
}

json_t *
plant_stats(struct plant *plant, const char *port, struct complaint *c)
{
	return look(plant, port, c) ? NULL : json_pack("{s:i}", "schema", 1);
}

json_t *
plant_show(struct plant *plant)
{
	return json_pack("{s:i}", "ports", (int)json_object_size(plant->ports));
}

json_t *
plant_fdb_show(struct plant *plant, const char *port, uint64_t *cursor,
	       bool *end, struct complaint *c)
{
	uint64_t row = *cursor < plant->empty_pieces
			       ? 0
			       : (*cursor - plant->empty_pieces) * ROWS_A_PIECE;
	json_t *list;

	if (look(plant, port, c))
		return NULL;
	plant->pieces++;
	list = json_array();
	if (*cursor >= plant->empty_pieces)
		for (int i = 0; i < ROWS_A_PIECE && row < plant->fdb_rows;
		     i++, row++)
			json_array_append_new(list, json_pack("{s:i, s:s}",
							      "row", (int)row,
							      "port", "web"));
	++*cursor;
	*end = *cursor > plant->empty_pieces && row >= plant->fdb_rows;
	return list;
}

void
plant_listen(struct plant *plant, plant_listener *listener, void *ctx)
{
	plant->listener = listener;
	plant->listener_ctx = ctx;
}

int
plant_capture_add(struct plant *plant, const char *port,
		  struct capture *capture, struct complaint *c)
{
	int r = look(plant, port, c);

	if (r)
		return r;
	plant_lock(plant);
	*capture_next(capture) = plant->captures;
	plant->captures = capture;
	plant_unlock(plant);
	return 0;
}

void
plant_capture_del(struct plant *plant, struct capture *capture)
{
	struct capture **at = &plant->captures;

	plant_lock(plant);
	while (*at && *at != capture)
		at = capture_next(*at);
	if (*at)
		*at = *capture_next(capture);
	plant_unlock(plant);
}

void
plant_lock(struct plant *plant)
{
	pthread_mutex_lock(&plant->lock);
}

void
plant_unlock(struct plant *plant)
{
	pthread_mutex_unlock(&plant->lock);
}
