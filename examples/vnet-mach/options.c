/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Those of a port stand behind the option that begins it.
 */
#include <string.h>

#include "options.h"
#include "value.h"

/* Where an option may stand. */
enum {
	VIF = 1 << OPTIONS_VIF,
	PREFIX = 1 << OPTIONS_PREFIX,
	UPLINK = 1 << OPTIONS_UPLINK,
	PROGRAM = 1 << 3, /* anywhere, and it is about no port */
	BEGINS = 1 << 4,  /* anywhere, it begins a port */
	REPEATED = 1 << 5,
};

#define VIFS (VIF | PREFIX)

/**
 * struct parsing - where we are
 * @port:	begun last, NULL if none is
 * @seen, @seen_of_port: a bit for each option that was there, by its place in
 *		the table
 * @why:	set where more is to be said than what was expected
 */
struct parsing {
	struct options *o;
	struct options_port *port;
	uint64_t seen;
	uint64_t seen_of_port;
	const char *why;
};

/**
 * struct option - an option
 * @expected:	what its value should have been; NULL if it has none
 * @set:	the value is right: keep it
 * @field:	where, in struct options or struct options_port
 * @min, @max:	bounds of a number
 * @flag:	VNET_PORT_*
 */
struct option {
	const char *name;
	unsigned int where;
	const char *expected;
	bool (*set)(struct parsing *p, const struct option *option,
		    const char *value);
	size_t field;
	uint64_t min;
	uint64_t max;
	uint32_t flag;
};

static void *
field_of(const struct parsing *p, const struct option *option)
{
	char *base = option->where & PROGRAM ? (char *)p->o : (char *)p->port;

	return base + option->field;
}

static unsigned int
index_of_port(const struct parsing *p)
{
	return (unsigned int)(p->port - p->o->port);
}

static bool
set_number(struct parsing *p, const struct option *option, const char *value)
{
	uint64_t number;

	if (!value_number(value, option->min, option->max, &number))
		return false;
	*(uint32_t *)field_of(p, option) = (uint32_t)number;
	return true;
}

static bool
set_true(struct parsing *p, const struct option *option, const char *value)
{
	(void)value;
	*(bool *)field_of(p, option) = true;
	return true;
}

static bool
set_flag(struct parsing *p, const struct option *option, const char *value)
{
	(void)value;
	p->port->flags |= option->flag;
	return true;
}

static bool
set_text(struct parsing *p, const struct option *option, const char *value)
{
	size_t n = strlen(value);

	if (n < option->min || n > option->max)
		return false;
	*(const char **)field_of(p, option) = value;
	return true;
}

static bool
set_seed(struct parsing *p, const struct option *option, const char *value)
{
	(void)option;
	return value_octets(value, p->o->seed, sizeof(p->o->seed));
}

static bool
set_mac(struct parsing *p, const struct option *option, const char *value)
{
	(void)option;
	return value_mac(value, &p->port->mac);
}

static bool
begin(struct parsing *p, enum options_kind kind)
{
	struct options *o = p->o;

	p->why = "too many ports";
	if (o->nports == OPTIONS_MAX_PORTS)
		return false;
	p->why = NULL;
	p->port = &o->port[o->nports++];
	p->seen_of_port = 0;
	*p->port = (struct options_port){.kind = kind};
	return true;
}

static bool
begin_vif(struct parsing *p, const struct option *option, const char *value)
{
	return begin(p, OPTIONS_VIF) && set_text(p, option, value);
}

static bool
begin_prefix(struct parsing *p, const struct option *option, const char *value)
{
	return begin(p, OPTIONS_PREFIX) && set_text(p, option, value);
}

static bool
begin_uplink(struct parsing *p, const struct option *option, const char *value)
{
	return begin(p, OPTIONS_UPLINK) && set_text(p, option, value);
}

static bool
add_name(struct parsing *p, const struct option *option, const char *value)
{
	struct options *o = p->o;
	size_t n = strlen(value);

	if (n < option->min || n > option->max)
		return false;
	p->why = "too many names";
	if (o->nnames == OPTIONS_MAX_NAMES)
		return false;
	o->name[o->nnames++] = (struct options_name){index_of_port(p), value};
	return true;
}

static bool
add_rule(struct parsing *p, enum vnet_side side, const char *value)
{
	struct options *o = p->o;
	struct options_rule *rule = &o->rule[o->nrules];

	p->why = "too many filters";
	if (o->nrules == OPTIONS_MAX_RULES)
		return false;
	rule->port = index_of_port(p);
	rule->side = side;
	rule->first = o->ninsns;
	if (!value_filter(value, &rule->verdict, &o->insns[o->ninsns],
			  OPTIONS_MAX_INSNS - o->ninsns, &rule->n, &p->why))
		return false;
	o->ninsns += rule->n;
	o->nrules++;
	return true;
}

static bool
add_in_rule(struct parsing *p, const struct option *option, const char *value)
{
	(void)option;
	return add_rule(p, VNET_INGRESS, value);
}

static bool
add_out_rule(struct parsing *p, const struct option *option, const char *value)
{
	(void)option;
	return add_rule(p, VNET_EGRESS, value);
}

static bool
set_in_default(struct parsing *p, const struct option *option,
	       const char *value)
{
	(void)option;
	return value_verdict(value, &p->port->default_verdict[VNET_INGRESS]);
}

static bool
set_out_default(struct parsing *p, const struct option *option,
		const char *value)
{
	(void)option;
	return value_verdict(value, &p->port->default_verdict[VNET_EGRESS]);
}

static bool
add_limit(struct parsing *p, enum vnet_side side, const char *value)
{
	struct options *o = p->o;
	struct options_limit *l = &o->limit[o->nlimits];

	if (o->nlimits == OPTIONS_MAX_LIMITS) {
		p->why = "too many limits";
		return false;
	}
	l->port = index_of_port(p);
	l->side = side;
	if (!value_limit(value, &l->traffic, &l->limit))
		return false;
	o->nlimits++;
	return true;
}

static bool
add_in_limit(struct parsing *p, const struct option *option, const char *value)
{
	(void)option;
	return add_limit(p, VNET_INGRESS, value);
}

static bool
add_out_limit(struct parsing *p, const struct option *option, const char *value)
{
	(void)option;
	return add_limit(p, VNET_EGRESS, value);
}

const struct options_principal *
options_principal(const struct options *o, const char *name)
{
	for (unsigned int i = 0; name && i < o->nprincipals; i++)
		if (!strcmp(o->principal[i].name, name))
			return &o->principal[i];
	return NULL;
}

static const struct options_grant *
find_grant(const struct options *o, const char *name)
{
	for (unsigned int i = 0; i < o->ngrants; i++)
		if (!strcmp(o->grant[i].form.name, name))
			return &o->grant[i];
	return NULL;
}

static bool
add_grant(struct parsing *p, const struct option *option, const char *value)
{
	struct options *o = p->o;
	struct options_grant *g = &o->grant[o->ngrants];

	(void)option;
	p->why = "too many grants";
	if (o->ngrants == OPTIONS_MAX_GRANTS || !value_grant(value, g, &p->why))
		return false;
	p->why = "a grant of that name was there before";
	if (find_grant(o, g->form.name))
		return false;
	p->why = "its parent is no grant that was there before";
	if (g->parent[0] && !find_grant(o, g->parent))
		return false;
	o->ngrants++;
	return true;
}

static bool
set_grant(struct parsing *p, const struct option *option, const char *value)
{
	if (!set_text(p, option, value))
		return false;
	p->why = "no --add-grant of that name was there before";
	return find_grant(p->o, value);
}

static bool
add_principal(struct parsing *p, const struct option *option, const char *value)
{
	struct options *o = p->o;
	struct options_principal *principal = &o->principal[o->nprincipals];

	(void)option;
	if (o->nprincipals == OPTIONS_MAX_PRINCIPALS) {
		p->why = "too many principals";
		return false;
	}
	if (!value_principal(value, principal))
		return false;
	p->why = "a principal of that name was there before";
	if (options_principal(o, principal->name))
		return false;
	o->nprincipals++;
	return true;
}

static bool
set_principal(struct parsing *p, const struct option *option, const char *value)
{
	if (!set_text(p, option, value))
		return false;
	p->why = "no --add-principal of that name was there before";
	return options_principal(p->o, value);
}

#define NAME  "expected a name of 1 to 31 octets"
#define RIGHT "expected the name of a right, a number"
#define LIMIT                                                                \
	"expected all, broadcast, multicast or unknown, and behind slashes " \
	"frames_per_s=N, octets_per_s=N, burst_frames=N, burst_octets=N"

#define OF_PROGRAM(field) offsetof(struct options, field)
#define OF_PORT(field)    offsetof(struct options_port, field)

/* The name first: the manual is held to these rows (tests/project/man.py). */
static const struct option list[] = {
	{"host-priv-port", PROGRAM, RIGHT, set_number, OF_PROGRAM(host_priv), 1,
	 UINT32_MAX, 0},
	{"device-master-port", PROGRAM, RIGHT, set_number,
	 OF_PROGRAM(device_master), 1, UINT32_MAX, 0},
	{"next-task", PROGRAM, RIGHT, set_number, OF_PROGRAM(next_task), 1,
	 UINT32_MAX, 0},
	{"supervised", PROGRAM, NULL, set_true, OF_PROGRAM(is_supervised), 0, 0,
	 0},
	{"forward", PROGRAM, NULL, set_true, OF_PROGRAM(forwards), 0, 0, 0},
	{"control", PROGRAM, "expected a name of 1 to 127 octets", set_text,
	 OF_PROGRAM(control), 1, 127, 0},
	{"max-ports", PROGRAM, "expected 1 to 65536", set_number,
	 OF_PROGRAM(max_ports), 1, 65536, 0},
	{"max-clients", PROGRAM, "expected 1 to 65536", set_number,
	 OF_PROGRAM(max_clients), 1, 65536, 0},
	{"addresses", PROGRAM, "expected 1 to 16777216", set_number,
	 OF_PROGRAM(addresses), 1, 16777216, 0},
	{"ageing", PROGRAM, "expected 1 to 1000000 seconds", set_number,
	 OF_PROGRAM(ageing_s), 1, 1000000, 0},
	{"pool", PROGRAM, "expected at most 1073741824 octets", set_number,
	 OF_PROGRAM(pool_octets), 1, 1 << 30, 0},
	{"threads", PROGRAM, "expected 1 to 256", set_number,
	 OF_PROGRAM(threads), 1, 256, 0},
	{"seed", PROGRAM, "expected 32 hexadecimal digits", set_seed, 0, 0, 0,
	 0},
	{"add-grant", PROGRAM | REPEATED, "expected a grant", add_grant, 0, 0,
	 0, 0},
	{"add-principal", PROGRAM | REPEATED,
	 "expected a name of 1 to 31 octets, and behind slashes task=N and "
	 "right=N, max_opens=N",
	 add_principal, 0, 0, 0, 0},
	{"vif", BEGINS | REPEATED, "expected a name of 1 to 31 octets",
	 begin_vif, OF_PORT(name), 1, VNET_PORT_NAME_SIZE - 1, 0},
	{"prefix", BEGINS | REPEATED, "expected at most 30 octets",
	 begin_prefix, OF_PORT(name), 0, VNET_PORT_NAME_SIZE - 2, 0},
	{"uplink", BEGINS | REPEATED, "expected a name of 1 to 127 octets",
	 begin_uplink, OF_PORT(device), 1, 127, 0},
	{"name", UPLINK, "expected a name of 1 to 31 octets", set_text,
	 OF_PORT(name), 1, VNET_PORT_NAME_SIZE - 1, 0},
	{"device", VIF | REPEATED, "expected a name of 1 to 127 octets",
	 add_name, 0, 1, 127, 0},
	{"mac", VIF, "expected an address as 02:00:00:00:00:01, not a group",
	 set_mac, 0, 0, 0, 0},
	{"mtu", VIFS | UPLINK, "expected 68 to 4087", set_number, OF_PORT(mtu),
	 VNET_MTU_MIN, OPTIONS_MAX_MTU, 0},
	{"max-opens", VIFS, "expected 1 to 65536", set_number,
	 OF_PORT(max_opens), 1, 65536, 0},
	{"may-create", PREFIX, "expected 1 to 65536", set_number,
	 OF_PORT(may_create), 1, 65536, 0},
	{"grant", VIFS, NAME, set_grant, OF_PORT(grant), 1,
	 VNET_GRANT_NAME_SIZE - 1, 0},
	{"principal", VIFS, NAME, set_principal, OF_PORT(principal), 1,
	 OPTIONS_NAME_SIZE - 1, 0},
	{"may-promisc", VIFS, NULL, set_true, OF_PORT(may_promisc), 0, 0, 0},
	{"may-set-address", VIFS, NULL, set_true, OF_PORT(may_set_address), 0,
	 0, 0},
	{"per-client", VIFS, NULL, set_flag, 0, 0, 0, VNET_PORT_PER_CLIENT},
	{"no-siblings", VIFS, NULL, set_flag, 0, 0, 0, VNET_PORT_NO_SIBLINGS},
	{"sticky", VIFS, NULL, set_flag, 0, 0, 0, VNET_PORT_STICKY},
	{"loop-guard", VIFS | UPLINK, NULL, set_flag, 0, 0, 0,
	 VNET_PORT_LOOP_GUARD},
	{"no-promisc", UPLINK, NULL, set_true, OF_PORT(no_promisc), 0, 0, 0},
	{"shared", UPLINK, NULL, set_true, OF_PORT(shared), 0, 0, 0},
	{"may-share", UPLINK, NULL, set_true, OF_PORT(may_share), 0, 0, 0},
	{"in-filter", VIF | UPLINK | REPEATED, "expected a program",
	 add_in_rule, 0, 0, 0, 0},
	{"out-filter", VIF | UPLINK | REPEATED, "expected a program",
	 add_out_rule, 0, 0, 0, 0},
	{"in-default", VIF | UPLINK, "expected pass or drop", set_in_default, 0,
	 0, 0, 0},
	{"out-default", VIF | UPLINK, "expected pass or drop", set_out_default,
	 0, 0, 0, 0},
	{"in-limit", VIF | UPLINK | REPEATED, LIMIT, add_in_limit, 0, 0, 0, 0},
	{"out-limit", VIF | UPLINK | REPEATED, LIMIT, add_out_limit, 0, 0, 0,
	 0},
};

#define NOPTIONS (sizeof(list) / sizeof(*list))

_Static_assert(NOPTIONS <= 64, "a bit for each");

/* The option that an argument is, and its value, NULL if it has none. */
static const struct option *
find(const char *argument, const char **value)
{
	if (argument[0] != '-' || argument[1] != '-')
		return NULL;
	argument += 2;
	for (size_t i = 0; i < NOPTIONS; i++) {
		size_t n = strlen(list[i].name);

		if (strncmp(argument, list[i].name, n) != 0 ||
		    (argument[n] && argument[n] != '='))
			continue;
		*value = argument[n] ? argument + n + 1 : NULL;
		return &list[i];
	}
	return NULL;
}

/* May it stand here? What not, is said. */
static const char *
misplaced(const struct parsing *p, const struct option *option)
{
	const uint64_t bit = UINT64_C(1) << (option - list);

	if (option->where & (PROGRAM | BEGINS))
		return p->seen & bit && !(option->where & REPEATED) ? "twice"
								    : NULL;
	if (!p->port)
		return "stands behind the port that it is about";
	if (!(option->where & 1U << p->port->kind))
		return "no option of ports of this kind";
	if (p->seen_of_port & bit && !(option->where & REPEATED))
		return "twice for one port";
	return NULL;
}

static const char *
parse_one(struct parsing *p, const char *argument)
{
	const char *value, *wrong;
	const struct option *option = find(argument, &value);

	if (!option)
		return "unknown";
	wrong = misplaced(p, option);
	if (wrong)
		return wrong;
	if (value && !option->expected)
		return "has no value";
	if (!value && option->expected)
		return option->expected;
	p->why = NULL;
	if (!option->set(p, option, value))
		return p->why ? p->why : option->expected;
	p->seen |= UINT64_C(1) << (option - list);
	p->seen_of_port |= UINT64_C(1) << (option - list);
	return NULL;
}

/* What does not fit together. */
static const char *
check(const struct options *o)
{
	if (!o->nports)
		return "no --vif, --prefix or --uplink: nothing to do";
	if (o->is_supervised && o->next_task)
		return "--supervised and --next-task: one of them";
	if (o->is_supervised && o->nprincipals)
		return "--supervised and --add-principal: one of them";
	if (o->forwards && !o->device_master && !o->next_task)
		return "--forward needs --device-master-port";
	for (unsigned int i = 0; i < o->nports; i++)
		if (o->port[i].kind == OPTIONS_UPLINK && !o->device_master &&
		    !o->next_task)
			return "--uplink needs --device-master-port";
	return NULL;
}

bool
options_parse(struct options *o, const char *const *argv,
	      struct options_complaint *complaint)
{
	struct parsing p = {.o = o};

	memset(o, 0, sizeof(*o));
	for (; *argv; argv++) {
		complaint->argument = *argv;
		complaint->text = parse_one(&p, *argv);
		if (complaint->text)
			return false;
	}
	complaint->argument = NULL;
	complaint->text = check(o);
	return !complaint->text;
}
