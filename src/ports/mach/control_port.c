/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports that are added, changed and removed: vifs, and uplinks, which need a
 * right to their device.
 */
#include <errno.h>
#include <string.h>

#include <vnet/filter.h>

#include "control_filter.h"
#include "control_grant.h"
#include "control_limit.h"
#include "control_name.h"
#include "grant_text.h"

enum { VIF, UPLINK };

static const char *const types[] = {"vif", "uplink", NULL};
static const char *const address_modes[] = {"shared", "per-client", NULL};

enum { MASTER, DEVICE };

static const char *const rights[] = {"master", "device", NULL};

enum { NEVER, ALWAYS, FALLBACK };

static const char *const sharing[] = {"never", "always", "fallback", NULL};

/* A port as it is asked for, or what is to be changed of it. */
struct port {
	char name[VNET_PORT_NAME_SIZE];
	size_t type;
	char device[VNET_CONTROL_NAME_SIZE];
	struct vnet_mac mac;
	uint64_t mtu;
	size_t addresses;
	bool siblings;
	uint64_t max_clients;
	bool promisc;
	bool set_address;
	char grant[VNET_GRANT_NAME_SIZE];
	vnet_grant_id grant_id;
	char interface[VNET_CONTROL_NAME_SIZE];
	size_t right;
	bool own_only;
	size_t share_address;
	bool up;
	bool sticky;
	bool loop_guard;
	size_t default_in;
	size_t default_out;
	struct vnet_json limits;
	struct vnet_json filters;
};

/* The places of these in the table below. */
enum {
	KEY_NAME,
	KEY_TYPE,
	KEY_DEVICE,
	KEY_MAC,
	KEY_MTU,
	KEY_ADDRESSES,
	KEY_SIBLINGS,
	KEY_MAX_CLIENTS,
	KEY_PROMISC,
	KEY_SET_ADDRESS,
	KEY_GRANT,
	KEY_INTERFACE,
	KEY_RIGHT,
	KEY_OWN_ONLY,
	KEY_SHARE_ADDRESS,
	KEY_UP,
	KEY_STICKY,
	KEY_LOOP_GUARD,
	KEY_DEFAULT_IN,
	KEY_DEFAULT_OUT,
	KEY_LIMITS,
	KEY_FILTERS,
};

#define GIVEN(key) (UINT32_C(1) << (key))

static const struct vnet_control_key port_keys[] = {
	[KEY_NAME] = {VNET_KEY(NAME, struct port, name),
		      .max = VNET_PORT_NAME_SIZE - 1, .is_required = true},
	[KEY_TYPE] = {VNET_KEY(CHOICE, struct port, type), .choices = types,
		      .is_required = true},
	[KEY_DEVICE] = {VNET_KEY(TEXT, struct port, device),
			.max = VNET_CONTROL_NAME_SIZE - 1},
	[KEY_MAC] = {VNET_KEY(MAC, struct port, mac)},
	[KEY_MTU] = {VNET_KEY(NUMBER, struct port, mtu), .min = VNET_MTU_MIN,
		     .max = VNET_MTU_MAX},
	[KEY_ADDRESSES] = {VNET_KEY(CHOICE, struct port, addresses),
			   .choices = address_modes},
	[KEY_SIBLINGS] = {VNET_KEY(BOOL, struct port, siblings)},
	[KEY_MAX_CLIENTS] = {VNET_KEY(NUMBER, struct port, max_clients),
			     .min = 1, .max = 65536},
	[KEY_PROMISC] = {VNET_KEY(BOOL, struct port, promisc)},
	[KEY_SET_ADDRESS] = {VNET_KEY(BOOL, struct port, set_address)},
	[KEY_GRANT] = {VNET_KEY(TEXT, struct port, grant),
		       .max = VNET_GRANT_NAME_SIZE - 1},
	[KEY_INTERFACE] = {VNET_KEY(TEXT, struct port, interface),
			   .max = VNET_CONTROL_NAME_SIZE - 1},
	[KEY_RIGHT] = {VNET_KEY(CHOICE, struct port, right), .choices = rights},
	[KEY_OWN_ONLY] = {VNET_KEY(BOOL, struct port, own_only)},
	[KEY_SHARE_ADDRESS] = {VNET_KEY(CHOICE, struct port, share_address),
			       .choices = sharing},
	[KEY_UP] = {VNET_KEY(BOOL, struct port, up)},
	[KEY_STICKY] = {VNET_KEY(BOOL, struct port, sticky)},
	[KEY_LOOP_GUARD] = {VNET_KEY(BOOL, struct port, loop_guard)},
	[KEY_DEFAULT_IN] = {VNET_KEY(CHOICE, struct port, default_in),
			    .choices = vnet_control_verdicts},
	[KEY_DEFAULT_OUT] = {VNET_KEY(CHOICE, struct port, default_out),
			     .choices = vnet_control_verdicts},
	[KEY_LIMITS] = {VNET_KEY(LIST, struct port, limits)},
	[KEY_FILTERS] = {VNET_KEY(LIST, struct port, filters)},
	{.name = NULL},
};

/* What can be changed of a port that is there. */
static const struct vnet_control_key change_keys[] = {
	{VNET_KEY(NUMBER, struct port, mtu), .min = VNET_MTU_MIN,
	 .max = VNET_MTU_MAX},
	{VNET_KEY(BOOL, struct port, siblings)},
	{VNET_KEY(NUMBER, struct port, max_clients), .min = 1, .max = 65536},
	{VNET_KEY(BOOL, struct port, promisc)},
	{VNET_KEY(BOOL, struct port, set_address)},
	{VNET_KEY(TEXT, struct port, grant), .max = VNET_GRANT_NAME_SIZE - 1},
	{VNET_KEY(BOOL, struct port, up)},
	{VNET_KEY(BOOL, struct port, sticky)},
	{VNET_KEY(BOOL, struct port, loop_guard)},
	{VNET_KEY(CHOICE, struct port, default_in),
	 .choices = vnet_control_verdicts},
	{VNET_KEY(CHOICE, struct port, default_out),
	 .choices = vnet_control_verdicts},
	{.name = NULL},
};

/* Likewise, in this order. */
static const unsigned int change_of[] = {
	KEY_MTU,         KEY_SIBLINGS,   KEY_MAX_CLIENTS, KEY_PROMISC,
	KEY_SET_ADDRESS, KEY_GRANT,      KEY_UP,          KEY_STICKY,
	KEY_LOOP_GUARD,  KEY_DEFAULT_IN, KEY_DEFAULT_OUT,
};

/* Keys that a type has alone. */
static const uint32_t only[] = {
	[VIF] = GIVEN(KEY_DEVICE) | GIVEN(KEY_MAC) | GIVEN(KEY_ADDRESSES) |
		GIVEN(KEY_SIBLINGS) | GIVEN(KEY_MAX_CLIENTS) |
		GIVEN(KEY_PROMISC) | GIVEN(KEY_SET_ADDRESS) | GIVEN(KEY_GRANT) |
		GIVEN(KEY_UP),
	[UPLINK] = GIVEN(KEY_INTERFACE) | GIVEN(KEY_RIGHT) |
		   GIVEN(KEY_OWN_ONLY) | GIVEN(KEY_SHARE_ADDRESS),
};

static int
check_type(uint32_t given, size_t type, struct vnet_complaint *c)
{
	const size_t other = type == VIF ? UPLINK : VIF;

	for (size_t i = 0; port_keys[i].name; i++) {
		const struct vnet_place at = {.key = port_keys[i].name};

		if (given & only[other] & GIVEN(i))
			return vnet_complain_at(c, &at, "only a port of type ",
						types[other], " has this",
						NULL);
	}
	return 0;
}

/* "port NAME", for complaints. */
struct title {
	char text[sizeof("port ") + VNET_PORT_NAME_SIZE];
};

static struct title
title_of(const char *name)
{
	struct title t = {"port "};
	size_t len = sizeof("port ") - 1;

	while (*name && len < sizeof(t.text) - 1)
		t.text[len++] = *name++;
	t.text[len] = '\0';
	return t;
}

/* The grant that is named, if any. */
static int
find_grant(struct vnet_control_call *call, struct port *p)
{
	if (!p->grant[0])
		return 0;
	p->grant_id =
		vnet_control_find_grant(call->host->sw, p->grant, call->c);
	return p->grant_id == VNET_NO_ID ? -ENOENT : 0;
}

/*
 * Adding
 */

static uint32_t
flags_of(const struct port *p)
{
	return (p->addresses ? VNET_PORT_PER_CLIENT : 0) |
	       (p->siblings ? 0 : VNET_PORT_NO_SIBLINGS) |
	       (p->sticky ? VNET_PORT_STICKY : 0) |
	       (p->loop_guard ? VNET_PORT_LOOP_GUARD : 0);
}

static int
add_vif(struct vnet_control_call *call, vnet_port_id id, const struct port *p)
{
	const struct vnet_control_host *h = call->host;
	const struct vnet_control_vif vif = {
		.device = p->device[0] ? p->device : p->name,
		.may_promisc = p->promisc,
		.may_set_address = p->set_address,
		.max_clients = (uint32_t)p->max_clients,
		.grant = p->grant_id,
	};
	struct vnet_why why = {0};
	int r = h->vif_add(h->ctx, id, &vif, &why);

	if (r)
		return vnet_complain_why(call->c, r, title_of(p->name).text,
					 &why);
	if (p->up)
		vnet_port_set_link(h->sw, id, true);
	return 0;
}

static int
add_uplink(struct vnet_control_call *call, vnet_port_id id,
	   const struct port *p)
{
	const struct vnet_control_host *h = call->host;
	struct vnet_control_uplink uplink = {
		.no_promisc = p->own_only,
		.is_shared = p->share_address == ALWAYS,
		.may_share = p->share_address == FALLBACK,
	};
	struct vnet_control_right right = *call->right;
	struct vnet_why why = {0};
	int r;

	right.is_device = p->right == DEVICE;
	memcpy(uplink.name, p->interface, sizeof(uplink.name));
	r = h->uplink_add(h->ctx, id, &uplink, &right, &why);
	if (r)
		return vnet_complain_why(call->c, r, title_of(p->name).text,
					 &why);
	call->right->name = 0;
	return 0;
}

/* What is there before the first frame passes. */
static int
furnish(struct vnet_control_call *call, vnet_port_id id, const struct port *p)
{
	struct vnet_switch *sw = call->host->sw;
	int r;

	vnet_filter_set_default(sw, id, VNET_INGRESS,
				(enum vnet_verdict)p->default_in);
	vnet_filter_set_default(sw, id, VNET_EGRESS,
				(enum vnet_verdict)p->default_out);
	r = vnet_control_filters_add(call, id, p->filters);
	if (!r)
		r = vnet_control_limits_set(call, id, p->limits);
	return r;
}

static int
add(struct vnet_control_call *call, const struct port *p)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = p->name,
		.role = p->type == VIF ? VNET_ROLE_VIF : VNET_ROLE_UPLINK,
		.mac = p->mac,
		.mtu = (uint32_t)p->mtu,
		.link_down = true,
		.flags = flags_of(p),
	};
	struct vnet_switch *sw = call->host->sw;
	struct vnet_why why = {0};
	vnet_port_id id;
	int r = vnet_port_add(sw, &config, &id, &why);

	if (r == -EEXIST)
		return vnet_complain(call->c, r, "port ", p->name, " exists",
				     NULL);
	if (r)
		return vnet_complain_why(call->c, r, title_of(p->name).text,
					 &why);
	r = furnish(call, id, p);
	if (!r)
		r = p->type == VIF ? add_vif(call, id, p)
				   : add_uplink(call, id, p);
	if (r)
		vnet_port_remove(sw, id);
	return r;
}

static int
check(struct vnet_control_call *call, const struct port *p, uint32_t given)
{
	int r = check_type(given, p->type, call->c);

	if (r)
		return r;
	if (p->type == VIF && !(given & (GIVEN(KEY_MAC) | GIVEN(KEY_GRANT))))
		return vnet_complain(call->c, -EINVAL,
				     "there is no \"mac\" and no \"grant\"",
				     NULL);
	if (p->type == UPLINK && !(given & GIVEN(KEY_INTERFACE)))
		return vnet_complain(call->c, -EINVAL,
				     "there is no \"interface\"", NULL);
	if (p->type == UPLINK && !call->right->name)
		return vnet_complain(call->c, -EINVAL,
				     "an uplink needs a send right to its "
				     "device, or to what opens it: it comes "
				     "in a message with the request",
				     NULL);
	return 0;
}

/* Of the addresses of vifs that have none but a grant. */
static const uint8_t no_seed[16];

struct add_args {
	struct vnet_json port;
	bool may_exist;
};

static const struct vnet_control_key add_keys[] = {
	{VNET_KEY(OBJECT, struct add_args, port), .is_required = true},
	{VNET_KEY(BOOL, struct add_args, may_exist)},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_port_add(struct vnet_control_call *call)
{
	struct add_args a = {.may_exist = false};
	struct port p = {.siblings = true, .up = true};
	uint32_t given;
	int r = vnet_control_read(call->request, add_keys, &call->name, &a,
				  NULL, call->c);

	if (!r)
		r = vnet_control_read(a.port, port_keys, NULL, &p, &given,
				      call->c);
	if (r)
		return r;
	/* With no port to be made, no right is needed. */
	if (a.may_exist && vnet_port_find(call->host->sw, p.name) != VNET_NO_ID)
		return 0;
	r = check(call, &p, given);
	if (!r)
		r = find_grant(call, &p);
	if (r)
		return r;
	if (p.type == VIF && !(given & GIVEN(KEY_MAC)))
		p.mac = vnet_grant_mac(call->host->sw, p.grant_id,
				       vnet_mac_derive(no_seed, p.name));
	return add(call, &p);
}

/*
 * Changing
 */

struct set_args {
	char port[VNET_PORT_NAME_SIZE];
	struct vnet_json set;
};

static const struct vnet_control_key set_keys[] = {
	{VNET_KEY(TEXT, struct set_args, port), .max = VNET_PORT_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(OBJECT, struct set_args, set), .is_required = true},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

/* Of what was given, by the places in the other table. */
static uint32_t
translate(uint32_t given)
{
	uint32_t all = 0;

	for (size_t i = 0; i < sizeof(change_of) / sizeof(change_of[0]); i++)
		if (given & GIVEN(i))
			all |= GIVEN(change_of[i]);
	return all;
}

static uint32_t
change_flag(uint32_t flags, uint32_t flag, bool on)
{
	return on ? flags | flag : flags & ~flag;
}

static uint32_t
changed_flags(uint32_t flags, const struct port *p, uint32_t given)
{
	if (given & GIVEN(KEY_SIBLINGS))
		flags = change_flag(flags, VNET_PORT_NO_SIBLINGS, !p->siblings);
	if (given & GIVEN(KEY_STICKY))
		flags = change_flag(flags, VNET_PORT_STICKY, p->sticky);
	if (given & GIVEN(KEY_LOOP_GUARD))
		flags = change_flag(flags, VNET_PORT_LOOP_GUARD, p->loop_guard);
	return flags;
}

/* Bounded by what a net_rcv_msg holds. */
static int
check_mtu(struct vnet_control_call *call, const struct port *p)
{
	const struct vnet_place at = {.key = "mtu"};

	if (p->mtu <= VNET_CONTROL_VIF_MTU_MAX)
		return 0;
	return vnet_complain_at(
		call->c, &at, "found ", vnet_text_of_number(p->mtu).text,
		", expected no more than ",
		vnet_text_of_number(VNET_CONTROL_VIF_MTU_MAX).text, " of a vif",
		NULL);
}

static void
change_vif(const struct vnet_control_host *h, vnet_port_id id,
	   struct vnet_control_vif *vif, const struct port *p, uint32_t given)
{
	if (given & GIVEN(KEY_MAX_CLIENTS))
		vif->max_clients = (uint32_t)p->max_clients;
	if (given & GIVEN(KEY_PROMISC))
		vif->may_promisc = p->promisc;
	if (given & GIVEN(KEY_SET_ADDRESS))
		vif->may_set_address = p->set_address;
	if (given & GIVEN(KEY_GRANT))
		vif->grant = p->grant_id;
	h->vif_changed(h->ctx, id, vif);
}

/* What cannot fail any more. */
static void
change(struct vnet_switch *sw, vnet_port_id id, const struct port *p,
       uint32_t given)
{
	struct vnet_port_info info = {.size = sizeof(info)};

	vnet_port_get(sw, id, &info);
	vnet_port_set_flags(sw, id, changed_flags(info.flags, p, given));
	if (given & GIVEN(KEY_MTU))
		vnet_port_set_mtu(sw, id, (uint32_t)p->mtu);
	if (given & GIVEN(KEY_DEFAULT_IN))
		vnet_filter_set_default(sw, id, VNET_INGRESS,
					(enum vnet_verdict)p->default_in);
	if (given & GIVEN(KEY_DEFAULT_OUT))
		vnet_filter_set_default(sw, id, VNET_EGRESS,
					(enum vnet_verdict)p->default_out);
	if (given & GIVEN(KEY_UP))
		vnet_port_set_link(sw, id, p->up);
}

int
vnet_control_port_set(struct vnet_control_call *call)
{
	const struct vnet_control_host *h = call->host;
	struct port p = {.type = VIF};
	struct set_args a = {.port = ""};
	struct vnet_control_vif vif;
	vnet_port_id id;
	uint32_t given;
	bool is_vif;
	int r = vnet_control_read(call->request, set_keys, &call->name, &a,
				  NULL, call->c);

	if (!r)
		r = vnet_control_read(a.set, change_keys, NULL, &p, &given,
				      call->c);
	if (r)
		return r;
	id = vnet_control_find_port(h->sw, a.port, call->c);
	if (id == VNET_NO_ID)
		return -ENOENT;
	given = translate(given);
	r = find_grant(call, &p);
	if (r)
		return r;
	is_vif = !h->vif_get(h->ctx, id, &vif);
	r = is_vif ? check_mtu(call, &p) : check_type(given, UPLINK, call->c);
	if (r)
		return r;
	change(h->sw, id, &p, given);
	if (is_vif)
		change_vif(h, id, &vif, &p, given);
	return 0;
}

/*
 * Removing
 */

struct del_args {
	char port[VNET_PORT_NAME_SIZE];
	bool if_exists;
};

static const struct vnet_control_key del_keys[] = {
	{VNET_KEY(TEXT, struct del_args, port), .max = VNET_PORT_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(BOOL, struct del_args, if_exists)},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

/* A vif's clients are told before their port goes; an uplink goes with it. */
int
vnet_control_port_del(struct vnet_control_call *call)
{
	const struct vnet_control_host *h = call->host;
	struct del_args a = {.if_exists = false};
	vnet_port_id id;
	int r = vnet_control_read(call->request, del_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	id = vnet_control_find_port(h->sw, a.port, call->c);
	if (id == VNET_NO_ID)
		return a.if_exists ? 0 : -ENOENT;
	h->vif_remove(h->ctx, id);
	vnet_port_remove(h->sw, id);
	return 0;
}

/*
 * Another right for an uplink
 */

struct give_args {
	char port[VNET_PORT_NAME_SIZE];
	size_t right;
};

static const struct vnet_control_key give_keys[] = {
	{VNET_KEY(TEXT, struct give_args, port), .max = VNET_PORT_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(CHOICE, struct give_args, right), .choices = rights},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_uplink_give(struct vnet_control_call *call)
{
	const struct vnet_control_host *h = call->host;
	struct vnet_control_right right = *call->right;
	struct give_args a = {.port = ""};
	vnet_port_id id;
	int r = vnet_control_read(call->request, give_keys, &call->name, &a,
				  NULL, call->c);

	if (r)
		return r;
	id = vnet_control_find_port(h->sw, a.port, call->c);
	if (id == VNET_NO_ID)
		return -ENOENT;
	if (!right.name)
		return vnet_complain(call->c, -EINVAL,
				     "there is no right: it comes in a message "
				     "with the request",
				     NULL);
	right.is_device = a.right == DEVICE;
	r = h->uplink_give(h->ctx, id, &right);
	if (r == -ENOENT)
		return vnet_complain(call->c, r, "port ", a.port,
				     " is no uplink of a device", NULL);
	if (r)
		return vnet_complain(call->c, r, "port ", a.port,
				     ": that is no send right to another",
				     NULL);
	call->right->name = 0;
	return 0;
}
