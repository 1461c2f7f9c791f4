/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include <vnet/limit.h>

#include "control_filter.h"
#include "control_limit.h"
#include "control_name.h"
#include "control_walk.h"

/* The sides that have limits: those of a port. */
static const char *const sides[] = {"in", "out", NULL};

#define NSIDES 2

/* In the order of enum vnet_traffic. */
static const char *const traffics[] = {"all", "broadcast", "multicast",
				       "unknown", NULL};

_Static_assert(sizeof(traffics) / sizeof(traffics[0]) == VNET_NTRAFFIC + 1,
	       "one for each");

/* A limit as it was asked for. */
struct wanted {
	size_t side;
	size_t traffic;
	uint64_t frames_per_s;
	uint64_t octets_per_s;
	uint64_t burst_frames;
	uint64_t burst_octets;
};

static const struct vnet_control_key limit_keys[] = {
	{VNET_KEY(CHOICE, struct wanted, side), .choices = sides,
	 .is_required = true},
	{VNET_KEY(CHOICE, struct wanted, traffic), .choices = traffics},
	{VNET_KEY(NUMBER, struct wanted, frames_per_s), .min = 1,
	 .max = VNET_LIMIT_RATE_MAX},
	{VNET_KEY(NUMBER, struct wanted, octets_per_s), .min = 1,
	 .max = VNET_LIMIT_RATE_MAX},
	{VNET_KEY(NUMBER, struct wanted, burst_frames), .min = 1,
	 .max = VNET_LIMIT_BURST_MAX},
	{VNET_KEY(NUMBER, struct wanted, burst_octets), .min = 1,
	 .max = VNET_LIMIT_BURST_MAX},
	{.name = NULL},
};

static uint64_t
find_owner(struct vnet_control_call *call, const char *name)
{
	const struct vnet_switch *sw = call->host->sw;

	return vnet_control_is_client(sw, name)
		       ? vnet_control_find_client(sw, name, call->c)
		       : vnet_control_find_port(sw, name, call->c);
}

/*
 * Setting
 */

/* A burst is one of a rate. */
static int
check_rates(const struct wanted *l, const struct vnet_place *p,
	    struct vnet_complaint *c)
{
	const struct vnet_place frames = {.up = p, .key = "burst_frames"};
	const struct vnet_place octets = {.up = p, .key = "burst_octets"};

	if (l->burst_frames && !l->frames_per_s)
		return vnet_complain_at(c, &frames,
					"there is no \"frames_per_s\" beside "
					"it",
					NULL);
	if (l->burst_octets && !l->octets_per_s)
		return vnet_complain_at(c, &octets,
					"there is no \"octets_per_s\" beside "
					"it",
					NULL);
	if (!l->frames_per_s && !l->octets_per_s)
		return vnet_complain_at(c, p,
					"there is no \"frames_per_s\" and no "
					"\"octets_per_s\"",
					NULL);
	return 0;
}

static int
set(struct vnet_control_call *call, uint64_t owner, struct vnet_json value,
    const struct vnet_place *p)
{
	struct wanted l = {.side = 0};
	struct vnet_why why = {0};
	struct vnet_limit limit;
	int r = vnet_control_read(value, limit_keys, p, &l, NULL, call->c);

	if (!r)
		r = check_rates(&l, p, call->c);
	if (r)
		return r;
	limit = (struct vnet_limit){
		.size = sizeof(limit),
		.frames_per_s = l.frames_per_s,
		.octets_per_s = l.octets_per_s,
		.burst_frames = l.burst_frames,
		.burst_octets = l.burst_octets,
	};
	r = vnet_limit_set(call->host->sw, owner, (enum vnet_side)l.side,
			   (enum vnet_traffic)l.traffic, &limit, &why);
	return r ? vnet_complain_why(call->c, r, "limit", &why) : 0;
}

int
vnet_control_limits_set(struct vnet_control_call *call, vnet_port_id port,
			struct vnet_json list)
{
	const struct vnet_place all = {.key = "limits"};
	struct vnet_json_walk w;
	size_t n = 0;

	vnet_json_begin(&w, list);
	while (vnet_json_next(&w)) {
		const struct vnet_place at = {.up = &all, .index = n++};
		int r = set(call, port, w.value, &at);

		if (r)
			return r;
	}
	return 0;
}

struct set_args {
	char owner[VNET_CLIENT_NAME_SIZE];
	struct vnet_json limit;
};

static const struct vnet_control_key set_keys[] = {
	{VNET_KEY(TEXT, struct set_args, owner),
	 .max = VNET_CLIENT_NAME_SIZE - 1, .is_required = true},
	{VNET_KEY(OBJECT, struct set_args, limit), .is_required = true},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_limit_set(struct vnet_control_call *call)
{
	struct set_args a = {.owner = ""};
	uint64_t owner;
	int r = vnet_control_read(call->request, set_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	owner = find_owner(call, a.owner);
	return owner == VNET_NO_ID ? -ENOENT : set(call, owner, a.limit, NULL);
}

/*
 * Taking away
 */

struct del_args {
	char owner[VNET_CLIENT_NAME_SIZE];
	size_t side;
	size_t traffic;
	bool if_exists;
};

static const struct vnet_control_key del_keys[] = {
	{VNET_KEY(TEXT, struct del_args, owner),
	 .max = VNET_CLIENT_NAME_SIZE - 1, .is_required = true},
	{VNET_KEY(CHOICE, struct del_args, side), .choices = sides,
	 .is_required = true},
	{VNET_KEY(CHOICE, struct del_args, traffic), .choices = traffics,
	 .is_required = true},
	{VNET_KEY(BOOL, struct del_args, if_exists)},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_limit_del(struct vnet_control_call *call)
{
	struct vnet_switch *sw = call->host->sw;
	struct del_args a = {.side = 0};
	enum vnet_traffic traffic;
	enum vnet_side side;
	uint64_t owner;
	int r = vnet_control_read(call->request, del_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	side = (enum vnet_side)a.side;
	traffic = (enum vnet_traffic)a.traffic;
	owner = find_owner(call, a.owner);
	if (owner == VNET_NO_ID)
		return a.if_exists ? 0 : -ENOENT;
	if (!vnet_limit_get(sw, owner, side, traffic, NULL, NULL)) {
		r = vnet_limit_set(sw, owner, side, traffic, NULL, NULL);
		return r ? vnet_complain_why(call->c, r, "limit", NULL) : 0;
	}
	if (a.if_exists)
		return 0;
	return vnet_complain(call->c, -ENOENT, a.owner, " has no limit ",
			     sides[side], " ", traffics[traffic], NULL);
}

/*
 * Showing
 */

/* A rate that there is, and its burst. */
static void
put_rate(struct vnet_json_writer *w, const char *key, uint64_t rate,
	 const char *burst_key, uint64_t burst)
{
	if (!rate)
		return;
	vnet_json_put_number(w, key, rate);
	vnet_json_put_number(w, burst_key, burst);
}

static void
put_limit(const char *owner, unsigned int side, enum vnet_traffic traffic,
	  const struct vnet_limit *l, const struct vnet_count *dropped,
	  struct vnet_json_writer *w)
{
	vnet_json_open(w, NULL, '{');
	vnet_json_put_string(w, "owner", owner);
	vnet_json_put_string(w, "side", sides[side]);
	vnet_json_put_string(w, "traffic", traffics[traffic]);
	put_rate(w, "frames_per_s", l->frames_per_s, "burst_frames",
		 l->burst_frames);
	put_rate(w, "octets_per_s", l->octets_per_s, "burst_octets",
		 l->burst_octets);
	vnet_figures_put(w, "dropped", dropped);
	vnet_json_close(w, '}');
}

/* The next of an owner, from that of k->side on: a side and a kind of traffic. */
static bool
put_next(const struct vnet_switch *sw, struct vnet_control_walk *k,
	 uint64_t owner, const char *name, struct vnet_json_writer *w)
{
	struct vnet_limit l = {.size = sizeof(l)};
	struct vnet_count dropped;

	while (k->side < NSIDES * VNET_NTRAFFIC) {
		const unsigned int side = k->side / VNET_NTRAFFIC;
		const enum vnet_traffic traffic =
			(enum vnet_traffic)(k->side % VNET_NTRAFFIC);

		k->side++;
		if (!vnet_limit_get(sw, owner, (enum vnet_side)side, traffic,
				    &l, &dropped)) {
			put_limit(name, side, traffic, &l, &dropped, w);
			return true;
		}
	}
	return false;
}

static enum vnet_control_step
next_of_client(const struct vnet_control_host *h, struct vnet_control_walk *k,
	       struct vnet_json_writer *w)
{
	char name[VNET_CLIENT_NAME_SIZE];

	vnet_control_client_name(h->sw, k->client, name);
	return put_next(h->sw, k, k->client, name, w) ? VNET_CONTROL_PUT
						      : VNET_CONTROL_END;
}

/* A port's own, then those of its clients: k->index is 0, then the client's
 * index and one. */
static enum vnet_control_step
next_of_ports(const struct vnet_control_host *h, struct vnet_control_walk *k,
	      struct vnet_json_writer *w)
{
	char name[VNET_CLIENT_NAME_SIZE];
	struct vnet_port_info port;
	vnet_client_id client;
	uint32_t index;

	if (!vnet_control_walk_port(h, k, &port))
		return VNET_CONTROL_END;
	if (!k->index) {
		if (put_next(h->sw, k, port.id, port.name, w))
			return VNET_CONTROL_PUT;
		k->index = 1;
		k->side = 0;
		return VNET_CONTROL_AGAIN;
	}
	index = k->index - 1;
	client = vnet_control_client_from(h->sw, port.id, &index);
	if (client == VNET_NO_ID) {
		vnet_control_walk_leave(k);
		return VNET_CONTROL_AGAIN;
	}
	if (index + 1 != k->index) { /* the one that it was at has gone */
		k->index = index + 1;
		k->side = 0;
	}
	vnet_control_client_name(h->sw, client, name);
	if (put_next(h->sw, k, client, name, w))
		return VNET_CONTROL_PUT;
	k->index++;
	k->side = 0;
	return VNET_CONTROL_AGAIN;
}

struct show_args {
	char owner[VNET_CLIENT_NAME_SIZE];
};

static const struct vnet_control_key show_keys[] = {
	{VNET_KEY(TEXT, struct show_args, owner),
	 .max = VNET_CLIENT_NAME_SIZE - 1},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_limit_show(struct vnet_control_call *call)
{
	struct vnet_control_walk *k = call->walk;
	struct show_args a = {.owner = ""};
	int r = vnet_control_read(call->request, show_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	if (!vnet_control_is_client(call->host->sw, a.owner)) {
		k->next = next_of_ports;
		return vnet_control_walk_begin(call, a.owner);
	}
	k->is_list = true;
	k->next = next_of_client;
	k->client = vnet_control_find_client(call->host->sw, a.owner, call->c);
	return k->client == VNET_NO_ID ? -ENOENT : 0;
}
