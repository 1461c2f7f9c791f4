/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plant_filter.h"
#include "plant_port.h"
#include "program.h"
#include "schema.h"

/* Shared by the lists in which the same expression stands. */
struct plant_program {
	unsigned int nusers;
	struct program program;
};

/* One side of a list, as the switch takes it. */
struct chain {
	struct vnet_rule *rules;
	size_t n;
	enum vnet_verdict default_verdict;
};

static const char *const side_names[VNET_NSIDES] = {
	[VNET_INGRESS] = "in",
	[VNET_EGRESS] = "out",
	[VNET_RECEIVE_IN] = "receive_in",
	[VNET_RECEIVE_OUT] = "receive_out",
};

enum vnet_side
plant_side(const char *name)
{
	int side = VNET_INGRESS;

	while (side < VNET_NSIDES - 1 && strcmp(side_names[side], name) != 0)
		side++;
	return (enum vnet_side)side;
}

const char *
plant_side_name(enum vnet_side side)
{
	return side_names[side];
}

static enum vnet_verdict
verdict(const char *name)
{
	return strcmp(name, "drop") ? VNET_PASS : VNET_DROP;
}

static const char *
name_of(const struct plant_filter *f)
{
	return schema_string(f->config, "name");
}

static const char *
expr_of(const json_t *config)
{
	const char *expr = schema_string(config, "expr");

	return expr ? expr : "";
}

static enum vnet_side
side_of(const struct plant_filter *f)
{
	return plant_side(schema_string(f->config, "side"));
}

static bool
is_called(const struct plant_filter *f, enum vnet_side side, const char *name)
{
	return side_of(f) == side && !strcmp(name_of(f), name);
}

static struct plant_filter *
find_filter(struct plant_filter *list, enum vnet_side side, const char *name)
{
	while (list && !is_called(list, side, name))
		list = list->next;
	return list;
}

/*
 * Lists
 */

static void
let_go(struct plant_program *p)
{
	if (!p || --p->nusers)
		return;
	program_fini(&p->program);
	free(p);
}

void
plant_filters_free(struct plant_filter *list)
{
	struct plant_filter *next;

	for (; list; list = next) {
		next = list->next;
		let_go(list->program);
		json_decref(list->config);
		free(list);
	}
}

/* To compile takes much longer than to look. NULL with @c. */
static struct plant_program *
get_program(const struct plant_port *p, const json_t *config,
	    struct complaint *c)
{
	struct plant_program *program;
	struct complaint inner;

	for (struct plant_filter *f = p->filters; f; f = f->next)
		if (!strcmp(expr_of(f->config), expr_of(config))) {
			f->program->nusers++;
			return f->program;
		}
	program = calloc(1, sizeof(*program));
	if (!program) {
		complain(c, -ENOMEM, "no memory");
		return NULL;
	}
	if (program_compile(&program->program, expr_of(config), &inner)) {
		complain(c, -EINVAL, "port %s: filter %s: %s", p->name,
			 schema_string(config, "name"), inner.text);
		free(program);
		return NULL;
	}
	program->nusers = 1;
	return program;
}

/* NULL with @c. */
static struct plant_filter *
new_filter(const struct plant_port *p, const json_t *config,
	   enum plant_origin origin, struct complaint *c)
{
	struct plant_filter *f = calloc(1, sizeof(*f));

	if (!f) {
		complain(c, -ENOMEM, "no memory");
		return NULL;
	}
	f->program = get_program(p, config, c);
	if (!f->program) {
		free(f);
		return NULL;
	}
	f->config = json_deep_copy(config);
	f->origin = origin;
	return f;
}

/* Append a filter at *@end, which moves on. */
static int
append(const struct plant_port *p, struct plant_filter ***end,
       const json_t *config, enum plant_origin origin, struct complaint *c)
{
	struct plant_filter *f = new_filter(p, config, origin, c);

	if (!f)
		return -EINVAL;
	**end = f;
	*end = &f->next;
	return 0;
}

/* What vnetctl has added is its own until a file has it, too. */
static enum plant_origin
origin_of(const struct plant_filter *old, enum plant_origin by)
{
	return old && by == PLANT_CONTROL ? old->origin : by;
}

int
plant_filters_plan(const struct plant_port *p, const json_t *wanted,
		   enum plant_origin by, struct plant_filter **list,
		   struct complaint *c)
{
	struct plant_filter *first = NULL, **end = &first, *old;
	const json_t *config;
	size_t i;
	int r = 0;

	json_array_foreach(wanted, i, config) {
		old = find_filter(p->filters,
				  plant_side(schema_string(config, "side")),
				  schema_string(config, "name"));
		r = append(p, &end, config, origin_of(old, by), c);
		if (r)
			goto free_list;
	}
	for (old = by == PLANT_START ? p->filters : NULL; old;
	     old = old->next) {
		if (old->origin == PLANT_START ||
		    find_filter(first, side_of(old), name_of(old)))
			continue;
		r = append(p, &end, old->config, old->origin, c);
		if (r)
			goto free_list;
	}
	*list = first;
	return 0;

free_list:
	plant_filters_free(first);
	return r;
}

json_t *
plant_filters_config(const struct plant_port *p)
{
	json_t *filters = p->filters ? json_array() : NULL;

	for (struct plant_filter *f = p->filters; f; f = f->next)
		json_array_append(filters, f->config);
	return filters;
}

/*
 * The switch
 */

struct vnet_rule
plant_rule(const json_t *filter)
{
	return (struct vnet_rule){
		.size = sizeof(struct vnet_rule),
		.name = schema_string(filter, "name"),
		.priority = (uint32_t)schema_number(filter, "priority"),
		.verdict = verdict(schema_string(filter, "verdict")),
	};
}

static struct vnet_rule
rule_of(const struct plant_filter *f)
{
	struct vnet_rule rule = plant_rule(f->config);

	rule.insns = f->program->program.insns;
	rule.ninsns = f->program->program.ninsns;
	return rule;
}

static int
add_rule(const struct plant_port *p, const struct plant_filter *f,
	 struct complaint *c)
{
	const struct vnet_rule rule = rule_of(f);
	struct vnet_why why = {0};
	char what[96];
	int r;

	plant_hold(p->plant);
	r = vnet_filter_add(p->plant->sw, p->id, side_of(f), &rule, &why);
	plant_unlock(p->plant);
	if (!r)
		return 0;
	(void)snprintf(what, sizeof(what), "port %s: filter %s", p->name,
		       rule.name);
	return complain_why(c, r, what, &why);
}

/* False if there is no memory. */
static bool
make_chain(struct chain *chain, const struct plant_filter *list,
	   enum vnet_side side, const json_t *config)
{
	size_t n = 0;

	for (const struct plant_filter *f = list; f; f = f->next)
		n += side_of(f) == side;
	chain->rules = calloc(n + 1, sizeof(*chain->rules));
	if (!chain->rules)
		return false;
	chain->n = 0;
	chain->default_verdict = verdict(schema_string(
		config, side == VNET_EGRESS ? "default_out" : "default_in"));
	for (const struct plant_filter *f = list; f; f = f->next)
		if (side_of(f) == side)
			chain->rules[chain->n++] = rule_of(f);
	return true;
}

/* With the lock. */
static int
set_chain(const struct plant_port *p, enum vnet_side side,
	  const struct chain *chain, struct complaint *c)
{
	struct vnet_why why = {0};
	char what[96];
	int r = vnet_filter_set(p->plant->sw, p->id, side, chain->rules,
				chain->n, chain->default_verdict, &why);

	if (!r)
		return 0;
	(void)snprintf(what, sizeof(what), "port %s: filter%s%s", p->name,
		       r == -EINVAL && why.index < chain->n ? " " : "s",
		       r == -EINVAL && why.index < chain->n
			       ? chain->rules[why.index].name
			       : "");
	return complain_why(c, r, what, &why);
}

/* Both sides, or neither. @before is what the first of them was. */
static int
set_chains(const struct plant_port *p, const struct chain chains[2],
	   const struct chain *before, struct complaint *c)
{
	struct complaint ignored;
	int r;

	plant_hold(p->plant);
	r = set_chain(p, VNET_INGRESS, &chains[VNET_INGRESS], c);
	if (!r) {
		r = set_chain(p, VNET_EGRESS, &chains[VNET_EGRESS], c);
		/* There was room for it. */
		if (r)
			set_chain(p, VNET_INGRESS, before, &ignored);
	}
	plant_unlock(p->plant);
	return r;
}

static bool
is_same_key(const json_t *a, const json_t *b, const char *key)
{
	return !strcmp(schema_string(a, key), schema_string(b, key));
}

/* What a file says again need not be done again. */
static bool
is_same(const struct plant_filter *a, const struct plant_filter *b)
{
	for (; a && b && json_equal(a->config, b->config); a = a->next)
		b = b->next;
	return !a && !b;
}

int
plant_filters_swap(struct plant_port *p, struct plant_filter **list,
		   const json_t *config, struct complaint *c)
{
	struct plant_filter *old = p->filters;
	struct chain chains[2] = {{0}}, before = {0};
	int r = 0;

	/* One that is not in the switch takes them along when it enters. */
	if (p->id == VNET_NO_ID)
		goto swap;
	if (old && is_same(*list, old) &&
	    is_same_key(config, p->config, "default_in") &&
	    is_same_key(config, p->config, "default_out"))
		goto swap;
	if (make_chain(&chains[VNET_INGRESS], *list, VNET_INGRESS, config) &&
	    make_chain(&chains[VNET_EGRESS], *list, VNET_EGRESS, config) &&
	    make_chain(&before, old, VNET_INGRESS, p->config))
		r = set_chains(p, chains, &before, c);
	else
		r = complain(c, -ENOMEM, "no memory");
	free(before.rules);
	free(chains[VNET_EGRESS].rules);
	free(chains[VNET_INGRESS].rules);
	if (r)
		return r;
swap:
	p->filters = *list;
	*list = old;
	return 0;
}

/* One of many is added, or removed, alone: to replace a chain of a thousand
 * takes a millisecond. */
int
plant_port_add_filter(struct plant_port *port, const json_t *filter,
		      enum plant_origin origin, struct complaint *c)
{
	const char *name = schema_string(filter, "name");
	enum vnet_side side = plant_side(schema_string(filter, "side"));
	struct plant_filter *new, **at = &port->filters;
	int r;

	if (find_filter(port->filters, side, name))
		return complain(c, -EEXIST,
				"port %s has a filter %s on this side",
				port->name, name);
	new = new_filter(port, filter, origin, c);
	if (!new)
		return -EINVAL;
	r = add_rule(port, new, c);
	if (r) {
		plant_filters_free(new);
		return r;
	}
	while (*at)
		at = &(*at)->next;
	*at = new;
	return 0;
}

int
plant_port_del_filter(struct plant_port *port, const char *side,
		      const char *name, struct complaint *c)
{
	struct plant_filter **at = &port->filters, *old;

	while (*at && !is_called(*at, plant_side(side), name))
		at = &(*at)->next;
	old = *at;
	if (!old)
		return complain(c, -ENOENT,
				"port %s has no filter %s on side %s",
				port->name, name, side);
	plant_hold(port->plant);
	vnet_filter_remove(port->plant->sw, port->id, plant_side(side), name);
	plant_unlock(port->plant);
	*at = old->next;
	old->next = NULL;
	plant_filters_free(old);
	return 0;
}
