/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <bare.h>

#include <vnet/mach_uplink.h>

#include "plant.h"

/* Clients take room in tables of the switch, and more when they are there. */
#define MAX_PORTS   64
#define MAX_CLIENTS 256

/* What could not be done, and why. */
static bool
complain(const char *what, const struct vnet_why *why)
{
	if (why->found || why->bound)
		bare_printf("vnet-mach: %s: %s: found %llu, bound %llu\n", what,
			    why->text, (unsigned long long)why->found,
			    (unsigned long long)why->bound);
	else
		bare_printf("vnet-mach: %s: %s\n", what, why->text);
	return false;
}

static const char *
name_of(const struct options_port *port)
{
	if (port->name)
		return *port->name ? port->name : "--prefix=";
	return port->device;
}

static uint32_t
max_of(uint32_t asked, uint32_t usual, uint32_t needed)
{
	if (asked)
		return asked;
	return usual > needed ? usual : needed;
}

static bool
make_switch(struct plant *p)
{
	const struct options *o = p->o;
	uint32_t nports = o->nports;
	struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &bare_alloc,
		.seed = bare_cycles() ^ bare_now(),
		.fdb_entries = o->addresses,
		.ageing_s = o->ageing_s,
		.pool_octets = o->pool_octets,
	};
	struct vnet_why why;

	for (unsigned int i = 0; i < o->nports; i++)
		nports += o->port[i].may_create;
	config.max_ports = max_of(o->max_ports, MAX_PORTS, nports);
	config.max_clients =
		max_of(o->max_clients, MAX_CLIENTS, config.max_ports);
	p->max_clients = config.max_clients;
	return !vnet_switch_create(&p->sw, &config, &why) ||
	       complain("the switch", &why);
}

static vnet_nsec
now(void *ctx)
{
	(void)ctx;
	return bare_now();
}

static bool
make_server(struct plant *p, void (*want_worker)(void *ctx), void *ctx)
{
	const struct vnet_mach_config config = {
		.size = sizeof(config),
		.sw = p->sw,
		.alloc = &bare_alloc,
		.now = now,
		.want_worker = want_worker,
		.ctx = ctx,
	};
	struct vnet_why why;

	return !vnet_mach_create(&p->m, &config, &why) ||
	       complain("the server", &why);
}

/*
 * Grants
 */

/* VNET_NO_ID where there is none. */
static vnet_grant_id
grant_of(const struct plant *p, const char *name)
{
	return name ? vnet_grant_find(p->sw, name) : VNET_NO_ID;
}

static bool
add_grants(struct plant *p)
{
	for (unsigned int i = 0; i < p->o->ngrants; i++) {
		const struct options_grant *g = &p->o->grant[i];
		enum vnet_grant_part part = VNET_GRANT_PASS;
		struct vnet_why why = {.text = "it cannot be made"};
		char what[2 * VNET_GRANT_NAME_SIZE];

		if (!vnet_grant_form_make(
			    &g->form, p->sw,
			    grant_of(p, g->parent[0] ? g->parent : NULL),
			    bare_now(), &p->grant[i], &part, &why))
			continue;
		bare_snprintf(what, sizeof(what), "%s: %s", g->form.name,
			      vnet_grant_part_name(part));
		return complain(what, &why);
	}
	return true;
}

/*
 * Ports
 */

static struct vnet_port_config
port_config(const struct options_port *port)
{
	return (struct vnet_port_config){
		.size = sizeof(struct vnet_port_config),
		.name = port->name,
		.mac = port->mac,
		.mtu = port->mtu,
		.flags = port->flags,
	};
}

static struct vnet_mach_vif_config
vif_config(const struct plant *p, const struct options_port *port)
{
	uint32_t flags = 0;

	if (port->may_promisc)
		flags |= VNET_MACH_MAY_PROMISC;
	if (port->may_set_address)
		flags |= VNET_MACH_MAY_SET_ADDRESS;
	return (struct vnet_mach_vif_config){
		.size = sizeof(struct vnet_mach_vif_config),
		.flags = flags,
		.max_clients = port->max_opens,
		.grant = grant_of(p, port->grant),
	};
}

static bool
add_vif(struct plant *p, unsigned int i)
{
	static const struct vnet_mac none;
	const struct options_port *port = &p->o->port[i];
	struct vnet_port_config config = port_config(port);
	struct vnet_mach_vif_config vif = vif_config(p, port);
	struct vnet_why why;

	config.role = VNET_ROLE_VIF;
	if (!memcmp(&config.mac, &none, sizeof(none)))
		config.mac =
			vnet_grant_mac(p->sw, vif.grant,
				       vnet_mac_derive(p->o->seed, port->name));
	if (vnet_port_add(p->sw, &config, &p->port[i], &why))
		return complain(port->name, &why);
	vif.port = p->port[i];
	return !vnet_mach_vif_add(p->m, &vif, &why) ||
	       complain(port->name, &why);
}

static unsigned int
uplinks_before(const struct options *o, unsigned int i)
{
	unsigned int n = 0;

	while (i--)
		n += o->port[i].kind == OPTIONS_UPLINK;
	return n;
}

/* Many a vif is called as the device below it. */
static bool
add_uplink(struct plant *p, unsigned int i)
{
	const struct options_port *port = &p->o->port[i];
	struct vnet_port_config config = port_config(port);
	char name[VNET_PORT_NAME_SIZE];
	struct vnet_why why;

	if (!port->name) {
		bare_snprintf(name, sizeof(name), "uplink%u",
			      uplinks_before(p->o, i));
		config.name = name;
	}
	config.role = VNET_ROLE_UPLINK;
	return !vnet_port_add(p->sw, &config, &p->port[i], &why) ||
	       complain(name_of(port), &why);
}

static bool
add_ports(struct plant *p)
{
	bool ok = true;

	for (unsigned int i = 0; ok && i < p->o->nports; i++) {
		if (p->o->port[i].kind == OPTIONS_VIF)
			ok = add_vif(p, i);
		else if (p->o->port[i].kind == OPTIONS_UPLINK)
			ok = add_uplink(p, i);
	}
	return ok;
}

static bool
add_rules(struct plant *p)
{
	const struct options *o = p->o;

	for (unsigned int i = 0; i < o->nrules; i++) {
		const struct options_rule *r = &o->rule[i];
		char name[VNET_RULE_NAME_SIZE];
		const struct vnet_rule rule = {
			.size = sizeof(rule),
			.name = name,
			.verdict = r->verdict,
			.insns = &o->insns[r->first],
			.ninsns = r->n,
		};
		struct vnet_why why;

		bare_snprintf(name, sizeof(name), "filter%u", i);
		if (vnet_filter_add(p->sw, p->port[r->port], r->side, &rule,
				    &why))
			return complain(name_of(&o->port[r->port]), &why);
	}
	return true;
}

static void
set_defaults(struct plant *p)
{
	for (unsigned int i = 0; i < p->o->nports; i++) {
		const struct options_port *port = &p->o->port[i];

		if (port->kind == OPTIONS_PREFIX)
			continue;
		vnet_filter_set_default(p->sw, p->port[i], VNET_INGRESS,
					port->default_verdict[VNET_INGRESS]);
		vnet_filter_set_default(p->sw, p->port[i], VNET_EGRESS,
					port->default_verdict[VNET_EGRESS]);
	}
}

static bool
set_limits(struct plant *p)
{
	const struct options *o = p->o;

	for (unsigned int i = 0; i < o->nlimits; i++) {
		const struct options_limit *l = &o->limit[i];
		struct vnet_why why;

		if (vnet_limit_set(p->sw, p->port[l->port], l->side, l->traffic,
				   &l->limit, &why))
			return complain(name_of(&o->port[l->port]), &why);
	}
	return true;
}

bool
plant_create(struct plant *p, const struct options *o,
	     void (*want_worker)(void *ctx), void *ctx)
{
	p->o = o;
	if (!make_switch(p) || !make_server(p, want_worker, ctx) ||
	    !add_grants(p) || !add_ports(p) || !add_rules(p) || !set_limits(p))
		return false;
	set_defaults(p);
	return true;
}

/*
 * Rights
 */

/* One more reference. Of what is no right there is none. */
static mach_port_t
copy(mach_port_t right)
{
	if (right != MACH_PORT_NULL)
		mach_port_mod_refs(mach_task_self(), right,
				   MACH_PORT_RIGHT_SEND, 1);
	return right;
}

static uint32_t
flags_of(const struct options_port *port)
{
	uint32_t flags = 0;

	if (port->no_promisc)
		flags |= VNET_MACH_UPLINK_NO_PROMISC;
	if (port->shared)
		flags |= VNET_MACH_UPLINK_SHARED;
	if (port->may_share)
		flags |= VNET_MACH_UPLINK_MAY_SHARE;
	return flags;
}

static bool
open_uplink(struct plant *p, unsigned int i, mach_port_t real)
{
	const struct options_port *port = &p->o->port[i];
	const struct vnet_mach_uplink_config config = {
		.size = sizeof(config),
		.port = p->port[i],
		.name = port->device,
		.master = copy(real),
		.flags = flags_of(port),
	};
	struct vnet_why why;

	return !vnet_mach_uplink_add(p->m, &config, &why) ||
	       complain(port->device, &why);
}

static bool
open_uplinks(struct plant *p, mach_port_t real)
{
	bool ok = true;

	for (unsigned int i = 0; ok && i < p->o->nports; i++)
		if (p->o->port[i].kind == OPTIONS_UPLINK)
			ok = open_uplink(p, i, real);
	return ok;
}

static bool
add_name(struct plant *p, const char *principal,
	 const struct vnet_mach_name *name)
{
	const struct options_principal *o = options_principal(p->o, principal);
	struct vnet_mach_master *master =
		o ? p->principal[o - p->o->principal] : p->master;
	struct vnet_why why;

	return !vnet_mach_master_name(master, name, &why) ||
	       complain(name->name, &why);
}

/* A vif is opened by its own name, on the master of its principal, where no other was said. */
static bool
name_vif(struct plant *p, unsigned int i)
{
	const struct options *o = p->o;
	struct vnet_mach_name name = {
		.size = sizeof(name),
		.name = o->port[i].name,
		.port = p->port[i],
	};
	bool has_any = false;

	for (unsigned int k = 0; k < o->nnames; k++) {
		if (o->name[k].port != i)
			continue;
		has_any = true;
		name.name = o->name[k].name;
		if (!add_name(p, o->port[i].principal, &name))
			return false;
	}
	return has_any || add_name(p, o->port[i].principal, &name);
}

static bool
name_prefix(struct plant *p, unsigned int i)
{
	const struct options_port *port = &p->o->port[i];
	struct vnet_mach_name name = {
		.size = sizeof(name),
		.name = port->name,
		.is_prefix = true,
		.may_create = port->may_create,
		.create = port_config(port),
		.vif = vif_config(p, port),
	};

	memcpy(name.seed, p->o->seed, sizeof(name.seed));
	return add_name(p, port->principal, &name);
}

/* Those of vifs come before those that only begin alike. */
static bool
add_names(struct plant *p)
{
	bool ok = true;

	for (unsigned int i = 0; ok && i < p->o->nports; i++)
		if (p->o->port[i].kind == OPTIONS_VIF)
			ok = name_vif(p, i);
	for (unsigned int i = 0; ok && i < p->o->nports; i++)
		if (p->o->port[i].kind == OPTIONS_PREFIX)
			ok = name_prefix(p, i);
	return ok;
}

static bool
add_principals(struct plant *p)
{
	for (unsigned int i = 0; i < p->o->nprincipals; i++) {
		const struct options_principal *o = &p->o->principal[i];
		const struct vnet_mach_master_config config = {
			.size = sizeof(config),
			.max_clients = o->max_opens,
		};
		struct vnet_why why;

		if (vnet_mach_master_add(p->m, &config, &p->principal[i], &why))
			return complain(o->name, &why);
	}
	return true;
}

static bool
start_principal(const struct plant *p, unsigned int i)
{
	const struct options_principal *o = &p->o->principal[i];
	kern_return_t kr =
		mach_port_insert_right(o->task, o->right,
				       vnet_mach_master_right(p->principal[i]),
				       MACH_MSG_TYPE_MAKE_SEND);

	if (!kr)
		kr = task_resume(o->task);
	if (kr) {
		bare_printf("vnet-mach: %s: the task cannot be started: 0x%x\n",
			    o->name, (unsigned int)kr);
		return false;
	}
	/* It is the principal's alone from now on. */
	mach_port_deallocate(mach_task_self(), o->task);
	return true;
}

static bool
start_principals(const struct plant *p)
{
	for (unsigned int i = 0; i < p->o->nprincipals; i++)
		if (p->o->principal[i].task && !start_principal(p, i))
			return false;
	return true;
}

bool
plant_open(struct plant *p, mach_port_t receive, mach_port_t real,
	   bool forwards)
{
	const struct vnet_mach_master_config config = {
		.size = sizeof(config),
		.receive = receive,
		.control = p->o->control,
		.real = forwards ? copy(real) : MACH_PORT_NULL,
	};
	struct vnet_why why;

	if (!open_uplinks(p, real))
		return false;
	if (vnet_mach_master_add(p->m, &config, &p->master, &why))
		return complain("the master", &why);
	return add_principals(p) && add_names(p) && start_principals(p);
}
