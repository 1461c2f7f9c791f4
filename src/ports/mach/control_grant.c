/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants that are made, shown and revoked.
 */
#include <errno.h>
#include <string.h>

#include "control_grant.h"
#include "control_walk.h"
#include "grant_text.h"

/* "grant NAME", for complaints. */
struct title {
	char text[sizeof("grant ") + VNET_GRANT_NAME_SIZE];
};

static struct title
title_of(const char *name)
{
	struct title t = {"grant "};
	size_t len = sizeof("grant ") - 1;

	while (*name && len < sizeof(t.text) - 1)
		t.text[len++] = *name++;
	t.text[len] = '\0';
	return t;
}

vnet_grant_id
vnet_control_find_grant(const struct vnet_switch *sw, const char *name,
			struct vnet_complaint *c)
{
	vnet_grant_id id = vnet_grant_find(sw, name);

	if (id == VNET_NO_ID)
		vnet_complain(c, -ENOENT, "there is no grant ", name, NULL);
	return id;
}

void
vnet_control_put_grant(const struct vnet_switch *sw, vnet_grant_id id,
		       const char *key, struct vnet_json_writer *w)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	if (id != VNET_NO_ID && !vnet_grant_get(sw, id, &info))
		vnet_json_put_string(w, key, info.grant.name);
	else
		vnet_json_put_null(w, key);
}

/*
 * Making
 */

/* One as it is asked for. */
struct wanted {
	char parent[VNET_GRANT_NAME_SIZE];
	struct vnet_json rate;
	struct vnet_grant_form form;
};

/* What mach_grant.h has a word for. */
#define OF_FORM(key)                                    \
	{                                               \
		.name = (key), .form = VNET_FORM_GRANT, \
		.offset = offsetof(struct wanted, form) \
	}

static const struct vnet_control_key grant_keys[] = {
	{VNET_KEY(TEXT, struct wanted, parent),
	 .max = VNET_GRANT_NAME_SIZE - 1},
	OF_FORM("mac"),
	OF_FORM("ipv4"),
	OF_FORM("ipv6"),
	OF_FORM("group"),
	OF_FORM("vlan"),
	OF_FORM("ethertype"),
	OF_FORM("may"),
	OF_FORM("max_addresses"),
	OF_FORM("max_clients"),
	OF_FORM("queue"),
	OF_FORM("depth"),
	OF_FORM("for_s"),
	{VNET_KEY(OBJECT, struct wanted, rate)},
	{.name = NULL},
};

static const struct vnet_control_key rate_keys[] = {
	OF_FORM("frames_per_s"), OF_FORM("octets_per_s"),
	OF_FORM("burst_frames"), OF_FORM("burst_octets"),
	{.name = NULL},
};

struct add_args {
	char name[VNET_GRANT_NAME_SIZE];
	struct vnet_json grant;
	bool may_exist;
};

static const struct vnet_control_key add_keys[] = {
	{VNET_KEY(NAME, struct add_args, name), .max = VNET_GRANT_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(OBJECT, struct add_args, grant), .is_required = true},
	{VNET_KEY(BOOL, struct add_args, may_exist)},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

static int
read_wanted(struct vnet_control_call *call, struct add_args *a,
	    struct wanted *g)
{
	const struct vnet_place rate = {.key = "rate"};
	int r = vnet_control_read(call->request, add_keys, &call->name, a, NULL,
				  call->c);

	if (!r)
		r = vnet_control_read(a->grant, grant_keys, NULL, g, NULL,
				      call->c);
	if (!r && g->rate.at)
		r = vnet_control_read(g->rate, rate_keys, &rate, g, NULL,
				      call->c);
	memcpy(g->form.name, a->name, sizeof(g->form.name));
	return r;
}

/* "grant NAME: PART: ..." where it is a part of it. */
static int
refuse(struct vnet_control_call *call, const char *name, int error,
       enum vnet_grant_part part, const struct vnet_why *why)
{
	const char *of = vnet_grant_part_name(part);
	struct vnet_complaint inner;

	if (error == -EEXIST)
		return vnet_complain(call->c, error, title_of(name).text,
				     " exists", NULL);
	if (part == VNET_GRANT_PASS)
		return vnet_complain_why(call->c, error, title_of(name).text,
					 why);
	vnet_complain_why(&inner, error, of, why);
	return vnet_complain(call->c, error, title_of(name).text, ": ",
			     inner.text, NULL);
}

int
vnet_control_grant_add(struct vnet_control_call *call)
{
	const struct vnet_control_host *h = call->host;
	enum vnet_grant_part part = VNET_GRANT_PASS;
	vnet_grant_id id, parent = VNET_NO_ID;
	struct add_args a = {.may_exist = false};
	struct wanted g = {.parent = ""};
	struct vnet_why why = {0};
	int r = read_wanted(call, &a, &g);

	if (r)
		return r;
	if (a.may_exist && vnet_grant_find(h->sw, a.name) != VNET_NO_ID)
		return 0;
	if (g.parent[0]) {
		parent = vnet_control_find_grant(h->sw, g.parent, call->c);
		if (parent == VNET_NO_ID)
			return -ENOENT;
	}
	r = vnet_grant_form_make(&g.form, h->sw, parent, h->now(h->ctx), &id,
				 &part, &why);
	return r ? refuse(call, a.name, r, part, &why) : 0;
}

/*
 * Revoking
 */

struct revoke_args {
	char name[VNET_GRANT_NAME_SIZE];
	bool if_exists;
};

static const struct vnet_control_key revoke_keys[] = {
	{VNET_KEY(TEXT, struct revoke_args, name),
	 .max = VNET_GRANT_NAME_SIZE - 1, .is_required = true},
	{VNET_KEY(BOOL, struct revoke_args, if_exists)},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_grant_revoke(struct vnet_control_call *call)
{
	struct vnet_switch *sw = call->host->sw;
	struct revoke_args a = {.if_exists = false};
	vnet_grant_id id;
	int r = vnet_control_read(call->request, revoke_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	id = vnet_control_find_grant(sw, a.name, call->c);
	if (id == VNET_NO_ID)
		return a.if_exists ? 0 : -ENOENT;
	r = vnet_grant_revoke(sw, id);
	return r ? vnet_complain_why(call->c, r, title_of(a.name).text, NULL)
		 : 0;
}

/*
 * Showing
 */

#define PUT_LIST(w, key, list, n, text_of)                              \
	do {                                                            \
		vnet_json_open(w, key, '[');                            \
		for (size_t i = 0; i < (n); i++)                        \
			vnet_json_put_string(w, NULL,                   \
					     text_of(&(list)[i]).text); \
		vnet_json_close(w, ']');                                \
	} while (0)

static void
put_lists(const struct vnet_grant *g, struct vnet_json_writer *w)
{
	PUT_LIST(w, "mac", g->macs, g->nmacs, vnet_mac_prefix_text);
	PUT_LIST(w, "ipv4", g->ipv4, g->nipv4, vnet_ipv4_prefix_text);
	PUT_LIST(w, "ipv6", g->ipv6, g->nipv6, vnet_ipv6_prefix_text);
	PUT_LIST(w, "group", g->groups, g->ngroups, vnet_mac_prefix_text);
	PUT_LIST(w, "vlan", g->vlans, g->nvlans, vnet_vlan_range_text);
	vnet_json_open(w, "ethertype", '[');
	for (size_t i = 0; i < g->nethertypes; i++)
		vnet_json_put_number(w, NULL, g->ethertypes[i]);
	vnet_json_close(w, ']');
	vnet_json_open(w, "may", '[');
	for (uint32_t i = 0; vnet_grant_mays[i]; i++)
		if (g->may & UINT32_C(1) << i)
			vnet_json_put_string(w, NULL, vnet_grant_mays[i]);
	vnet_json_close(w, ']');
}

static void
put_rate(const struct vnet_limit *rate, struct vnet_json_writer *w)
{
	if (!rate->size) {
		vnet_json_put_null(w, "rate");
		return;
	}
	vnet_json_open(w, "rate", '{');
	if (rate->frames_per_s) {
		vnet_json_put_number(w, "frames_per_s", rate->frames_per_s);
		vnet_json_put_number(w, "burst_frames", rate->burst_frames);
	}
	if (rate->octets_per_s) {
		vnet_json_put_number(w, "octets_per_s", rate->octets_per_s);
		vnet_json_put_number(w, "burst_octets", rate->burst_octets);
	}
	vnet_json_close(w, '}');
}

static void
put_refused(const struct vnet_switch *sw, vnet_grant_id id, enum vnet_side side,
	    const char *key, struct vnet_json_writer *w)
{
	struct vnet_count n;

	vnet_json_open(w, key, '{');
	for (unsigned int i = 0; i < VNET_GRANT_NPARTS; i++) {
		const enum vnet_grant_part part = (enum vnet_grant_part)i;

		if (!vnet_grant_refused(sw, id, side, part, &n) && n.frames)
			vnet_figures_put(w, vnet_grant_part_name(part), &n);
	}
	vnet_json_close(w, '}');
}

static void
put_grant(const struct vnet_switch *sw, const struct vnet_grant_info *info,
	  struct vnet_json_writer *w)
{
	const struct vnet_grant *g = &info->grant;

	vnet_json_open(w, NULL, '{');
	vnet_json_put_string(w, "name", g->name);
	vnet_json_put_string(w, "state", "active");
	vnet_control_put_grant(sw, info->parent, "parent", w);
	put_lists(g, w);
	vnet_json_put_number(w, "max_addresses", g->max_addresses);
	vnet_json_put_number(w, "max_clients", g->max_clients);
	vnet_json_put_number(w, "queue", g->queue_octets);
	vnet_json_put_number(w, "depth", g->depth);
	vnet_json_put_number(w, "until_ns", g->until);
	put_rate(&g->rate, w);
	vnet_json_put_number(w, "clients", info->nclients);
	vnet_json_put_number(w, "addresses", info->naddresses);
	vnet_json_put_number(w, "given_clients", info->given_clients);
	vnet_json_put_number(w, "given_addresses", info->given_addresses);
	vnet_json_open(w, "insns", '{');
	vnet_json_put_number(w, "in", info->ninsns[VNET_INGRESS]);
	vnet_json_put_number(w, "out", info->ninsns[VNET_EGRESS]);
	vnet_json_close(w, '}');
	vnet_json_open(w, "refused", '{');
	put_refused(sw, info->id, VNET_INGRESS, "in", w);
	put_refused(sw, info->id, VNET_EGRESS, "out", w);
	vnet_json_close(w, '}');
	vnet_json_close(w, '}');
}

/* Behind one that has gone meanwhile there is nothing to be found any more. */
static enum vnet_control_step
next_grant(const struct vnet_control_host *h, struct vnet_control_walk *k,
	   struct vnet_json_writer *w)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	if (k->is_over)
		return VNET_CONTROL_END;
	k->is_over = k->is_one;
	if (!k->is_one)
		k->grant = vnet_grant_next(h->sw, k->grant);
	if (k->grant == VNET_NO_ID || vnet_grant_get(h->sw, k->grant, &info))
		return VNET_CONTROL_END;
	put_grant(h->sw, &info, w);
	return VNET_CONTROL_PUT;
}

struct show_args {
	char name[VNET_GRANT_NAME_SIZE];
};

static const struct vnet_control_key show_keys[] = {
	{VNET_KEY(TEXT, struct show_args, name),
	 .max = VNET_GRANT_NAME_SIZE - 1},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_grant_show(struct vnet_control_call *call)
{
	struct vnet_control_walk *k = call->walk;
	struct show_args a = {.name = ""};
	int r = vnet_control_read(call->request, show_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	k->next = next_grant;
	k->is_list = true;
	k->is_one = a.name[0] != '\0';
	if (!k->is_one)
		return 0;
	k->grant = vnet_control_find_grant(call->host->sw, a.name, call->c);
	return k->grant == VNET_NO_ID ? -ENOENT : 0;
}
