/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include <vnet/filter.h>

#include "control_filter.h"
#include "control_name.h"
#include "control_walk.h"

const char *const vnet_control_verdicts[] = {"pass", "drop", NULL};
const char *const vnet_control_sides[] = {"in", "out", "receive_in",
					  "receive_out", NULL};

/* Those that a port has come first. */
#define NPORT_SIDES VNET_RECEIVE_IN

/* A rule as it was asked for. */
struct wanted {
	char name[VNET_RULE_NAME_SIZE];
	size_t side;
	uint64_t priority;
	size_t verdict;
	struct vnet_json insns;
};

static const struct vnet_control_key rule_keys[] = {
	{VNET_KEY(NAME, struct wanted, name), .max = VNET_RULE_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(CHOICE, struct wanted, side), .choices = vnet_control_sides,
	 .is_required = true},
	{VNET_KEY(NUMBER, struct wanted, priority), .max = UINT32_MAX},
	{VNET_KEY(CHOICE, struct wanted, verdict),
	 .choices = vnet_control_verdicts, .is_required = true},
	{VNET_KEY(LIST, struct wanted, insns)},
	{.name = NULL},
};

/* Those of "filter set": the side is that of the chain. */
static const struct vnet_control_key chain_rule_keys[] = {
	{VNET_KEY(NAME, struct wanted, name), .max = VNET_RULE_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(NUMBER, struct wanted, priority), .max = UINT32_MAX},
	{VNET_KEY(CHOICE, struct wanted, verdict),
	 .choices = vnet_control_verdicts, .is_required = true},
	{VNET_KEY(LIST, struct wanted, insns)},
	{.name = NULL},
};

/*
 * Programs
 */

/* That of a rule which says nothing of one: it matches every frame. */
static const struct vnet_bpf_insn match_all = {.code = 0x06, .k = UINT32_MAX};

static int
read_insn(struct vnet_json v, const struct vnet_place *p,
	  struct vnet_bpf_insn *insn, struct vnet_complaint *c)
{
	static const uint32_t most[] = {0xffff, 0xff, 0xff, UINT32_MAX};
	uint64_t n[4] = {0};
	struct vnet_json_walk w;
	bool is_right = vnet_json_type(v) == VNET_JSON_LIST;
	size_t i = 0;

	vnet_json_begin(&w, v);
	while (is_right && vnet_json_next(&w)) {
		is_right = i < 4 && vnet_json_number(w.value, &n[i]) &&
			   n[i] <= most[i];
		i++;
	}
	if (!is_right || i != 4)
		return vnet_complain_at(c, p,
					"expected an instruction as "
					"[code, jt, jf, k], of 16, 8, 8 and 32 "
					"bits",
					NULL);
	*insn = (struct vnet_bpf_insn){
		.code = (uint16_t)n[0],
		.jt = (uint8_t)n[1],
		.jf = (uint8_t)n[2],
		.k = (uint32_t)n[3],
	};
	return 0;
}

/* As many as there are in the list. */
static int
read_program(struct vnet_json list, const struct vnet_place *p,
	     struct vnet_bpf_insn *insns, struct vnet_complaint *c)
{
	const struct vnet_place all = {.up = p, .key = "insns"};
	struct vnet_json_walk w;
	size_t n = 0;

	vnet_json_begin(&w, list);
	while (vnet_json_next(&w)) {
		const struct vnet_place at = {.up = &all, .index = n};
		int r = read_insn(w.value, &at, &insns[n++], c);

		if (r)
			return r;
	}
	return 0;
}

/*
 * Who has a chain
 */

struct owner {
	uint64_t id;
	bool is_client;
};

static int
find_owner(struct vnet_control_call *call, const char *name, size_t side,
	   struct owner *o)
{
	const struct vnet_switch *sw = call->host->sw;
	const struct vnet_place at = {.key = "side"};

	o->is_client = side >= NPORT_SIDES || vnet_control_is_client(sw, name);
	if (o->is_client && side < NPORT_SIDES)
		return vnet_complain_at(call->c, &at, "found \"",
					vnet_control_sides[side],
					"\", expected \"receive_in\" or "
					"\"receive_out\"",
					NULL);
	o->id = o->is_client ? vnet_control_find_client(sw, name, call->c)
			     : vnet_control_find_port(sw, name, call->c);
	return o->id == VNET_NO_ID ? -ENOENT : 0;
}

/* "port web0" or "client web0/1". */
struct title {
	char text[sizeof("client ") + VNET_CLIENT_NAME_SIZE];
};

static struct title
title_of(const struct vnet_switch *sw, const struct owner *o)
{
	char name[VNET_CLIENT_NAME_SIZE];
	const char *kind = o->is_client ? "client " : "port ";
	struct title t;
	size_t len = 0;

	if (o->is_client)
		vnet_control_client_name(sw, o->id, name);
	else
		vnet_control_port_name(sw, o->id, name);
	for (; *kind; kind++)
		t.text[len++] = *kind;
	for (const char *p = name; *p; p++)
		t.text[len++] = *p;
	t.text[len] = '\0';
	return t;
}

static int
refuse_rule(struct vnet_control_call *call, const struct owner *o,
	    const char *name, int error, const struct vnet_why *why)
{
	const struct title t = title_of(call->host->sw, o);
	char what[sizeof(t.text) + VNET_RULE_NAME_SIZE + 10];
	struct vnet_complaint text;

	if (error == -EEXIST)
		return vnet_complain(call->c, error, t.text, " has a filter ",
				     name, " on this side", NULL);
	vnet_complain(&text, 0, t.text, ": filter ", name, NULL);
	memcpy(what, text.text, sizeof(what) - 1);
	what[sizeof(what) - 1] = '\0';
	return vnet_complain_why(call->c, error, what, why);
}

/*
 * Adding
 */

static int
add_rule(struct vnet_control_call *call, const struct owner *o,
	 const struct wanted *wanted, const struct vnet_place *p)
{
	const struct vnet_alloc *alloc = call->host->alloc;
	const size_t n = vnet_json_count(wanted->insns);
	struct vnet_bpf_insn *insns = NULL;
	struct vnet_why why = {0};
	struct vnet_rule rule;
	int r = 0;

	if (n) {
		insns = alloc->get(alloc->ctx, n * sizeof(*insns), 8);
		if (!insns)
			return vnet_complain(call->c, -ENOMEM, "no memory",
					     NULL);
		r = read_program(wanted->insns, p, insns, call->c);
	}
	rule = (struct vnet_rule){
		.size = sizeof(rule),
		.name = wanted->name,
		.priority = (uint32_t)wanted->priority,
		.verdict = (enum vnet_verdict)wanted->verdict,
		.insns = n ? insns : &match_all,
		.ninsns = n ? n : 1,
	};
	if (!r) {
		r = vnet_filter_add(call->host->sw, o->id,
				    (enum vnet_side)wanted->side, &rule, &why);
		if (r)
			refuse_rule(call, o, rule.name, r, &why);
	}
	if (insns)
		alloc->put(alloc->ctx, insns, n * sizeof(*insns));
	return r;
}

int
vnet_control_filters_add(struct vnet_control_call *call, vnet_port_id port,
			 struct vnet_json list)
{
	const struct vnet_place all = {.key = "filters"};
	const struct owner o = {.id = port};
	struct vnet_json_walk w;
	size_t n = 0;

	vnet_json_begin(&w, list);
	while (vnet_json_next(&w)) {
		const struct vnet_place at = {.up = &all, .index = n++};
		struct wanted wanted = {.side = 0};
		int r = vnet_control_read(w.value, rule_keys, &at, &wanted,
					  NULL, call->c);

		if (!r && wanted.side >= NPORT_SIDES)
			r = vnet_complain_at(call->c, &at,
					     "found a side of clients, "
					     "expected \"in\" or \"out\"",
					     NULL);
		if (!r)
			r = add_rule(call, &o, &wanted, &at);
		if (r)
			return r;
	}
	return 0;
}

struct add {
	char port[VNET_CLIENT_NAME_SIZE];
	struct vnet_json filter;
	bool may_exist;
};

static const struct vnet_control_key add_keys[] = {
	{VNET_KEY(TEXT, struct add, port), .max = VNET_CLIENT_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(OBJECT, struct add, filter), .is_required = true},
	{VNET_KEY(BOOL, struct add, may_exist)},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_filter_add(struct vnet_control_call *call)
{
	struct wanted wanted = {.side = 0};
	struct add a = {.may_exist = false};
	struct owner o = {0};
	int r = vnet_control_read(call->request, add_keys, &call->name, &a,
				  NULL, call->c);

	if (!r)
		r = vnet_control_read(a.filter, rule_keys, NULL, &wanted, NULL,
				      call->c);
	if (!r)
		r = find_owner(call, a.port, wanted.side, &o);
	if (!r)
		r = add_rule(call, &o, &wanted, NULL);
	return r == -EEXIST && a.may_exist ? 0 : r;
}

/*
 * Replacing a chain
 */

struct set {
	char port[VNET_CLIENT_NAME_SIZE];
	size_t side;
	struct vnet_json filters;
	size_t verdict;
};

static const struct vnet_control_key set_keys[] = {
	{VNET_KEY(TEXT, struct set, port), .max = VNET_CLIENT_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(CHOICE, struct set, side), .choices = vnet_control_sides,
	 .is_required = true},
	{VNET_KEY(LIST, struct set, filters), .is_required = true},
	{.name = "default",
	 .form = VNET_FORM_CHOICE,
	 .offset = offsetof(struct set, verdict),
	 .choices = vnet_control_verdicts},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

#define GIVEN_DEFAULT (1 << 3)

/* What a chain is made of, in one piece of memory. */
struct chain {
	size_t size;
	size_t nrules;
	struct vnet_rule *rules;
	struct wanted *wanted;
	struct vnet_bpf_insn *insns;
};

static size_t
count_insns(struct vnet_json filters)
{
	struct vnet_json_walk w;
	size_t n = 0;

	vnet_json_begin(&w, filters);
	while (vnet_json_next(&w))
		n += vnet_json_count(vnet_json_get(w.value, "insns"));
	return n;
}

static int
get_chain(const struct vnet_alloc *alloc, struct vnet_json filters,
	  struct chain *chain)
{
	const size_t n = vnet_json_count(filters);
	char *p;

	chain->nrules = n;
	chain->size = n * sizeof(*chain->rules) + n * sizeof(*chain->wanted) +
		      count_insns(filters) * sizeof(*chain->insns);
	/* A chain of no rules, too. */
	chain->size += !chain->size;
	p = alloc->get(alloc->ctx, chain->size, 16);
	if (!p)
		return -ENOMEM;
	chain->rules = (struct vnet_rule *)(void *)p;
	p += n * sizeof(*chain->rules);
	chain->wanted = (struct wanted *)(void *)p;
	p += n * sizeof(*chain->wanted);
	chain->insns = (struct vnet_bpf_insn *)(void *)p;
	return 0;
}

static int
read_chain(struct vnet_json filters, struct chain *chain,
	   struct vnet_complaint *c)
{
	const struct vnet_place all = {.key = "filters"};
	struct vnet_bpf_insn *insns = chain->insns;
	struct vnet_json_walk w;
	size_t n = 0;

	vnet_json_begin(&w, filters);
	for (; vnet_json_next(&w); n++) {
		const struct vnet_place at = {.up = &all, .index = n};
		struct wanted *wanted = &chain->wanted[n];
		size_t ninsns;
		int r;

		*wanted = (struct wanted){.side = 0};
		r = vnet_control_read(w.value, chain_rule_keys, &at, wanted,
				      NULL, c);
		ninsns = vnet_json_count(wanted->insns);
		if (!r)
			r = read_program(wanted->insns, &at, insns, c);
		if (r)
			return r;
		chain->rules[n] = (struct vnet_rule){
			.size = sizeof(struct vnet_rule),
			.name = wanted->name,
			.priority = (uint32_t)wanted->priority,
			.verdict = (enum vnet_verdict)wanted->verdict,
			.insns = ninsns ? insns : &match_all,
			.ninsns = ninsns ? ninsns : 1,
		};
		insns += ninsns;
	}
	return 0;
}

static int
set_chain(struct vnet_control_call *call, const struct owner *o,
	  const struct set *s, const struct chain *chain)
{
	struct vnet_why why = {0};
	int r = vnet_filter_set(call->host->sw, o->id, (enum vnet_side)s->side,
				chain->rules, chain->nrules,
				(enum vnet_verdict)s->verdict, &why);

	if (!r)
		return 0;
	if (chain->nrules && why.index < chain->nrules)
		return refuse_rule(call, o, chain->rules[why.index].name, r,
				   &why);
	return vnet_complain_why(call->c, r, title_of(call->host->sw, o).text,
				 &why);
}

int
vnet_control_filter_set(struct vnet_control_call *call)
{
	const struct vnet_alloc *alloc = call->host->alloc;
	struct set s = {.side = 0};
	enum vnet_verdict verdict;
	struct chain chain;
	uint32_t given;
	struct owner o = {0};
	int r = vnet_control_read(call->request, set_keys, &call->name, &s,
				  &given, call->c);

	if (!r)
		r = find_owner(call, s.port, s.side, &o);
	if (r)
		return r;
	if (!(given & GIVEN_DEFAULT) &&
	    !vnet_filter_get_default(call->host->sw, o.id,
				     (enum vnet_side)s.side, &verdict, NULL))
		s.verdict = verdict;
	if (get_chain(alloc, s.filters, &chain))
		return vnet_complain(call->c, -ENOMEM, "no memory", NULL);
	r = read_chain(s.filters, &chain, call->c);
	if (!r)
		r = set_chain(call, &o, &s, &chain);
	alloc->put(alloc->ctx, chain.rules, chain.size);
	return r;
}

/*
 * Removing
 */

struct del {
	char port[VNET_CLIENT_NAME_SIZE];
	size_t side;
	char name[VNET_RULE_NAME_SIZE];
	bool if_exists;
};

static const struct vnet_control_key del_keys[] = {
	{VNET_KEY(TEXT, struct del, port), .max = VNET_CLIENT_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(CHOICE, struct del, side), .choices = vnet_control_sides,
	 .is_required = true},
	{VNET_KEY(TEXT, struct del, name), .max = VNET_RULE_NAME_SIZE - 1,
	 .is_required = true},
	{VNET_KEY(BOOL, struct del, if_exists)},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

int
vnet_control_filter_del(struct vnet_control_call *call)
{
	struct del d = {.side = 0};
	struct owner o = {0};
	int r = vnet_control_read(call->request, del_keys, &call->name, &d,
				  NULL, call->c);

	if (!r)
		r = find_owner(call, d.port, d.side, &o);
	if (r)
		return r == -ENOENT && d.if_exists ? 0 : r;
	r = vnet_filter_remove(call->host->sw, o.id, (enum vnet_side)d.side,
			       d.name);
	if (!r || (r == -ENOENT && d.if_exists))
		return 0;
	return vnet_complain(call->c, r, title_of(call->host->sw, &o).text,
			     " has no filter ", d.name, " on side ",
			     vnet_control_sides[d.side], NULL);
}

/*
 * Showing
 */

struct show {
	char port[VNET_CLIENT_NAME_SIZE];
};

static const struct vnet_control_key show_keys[] = {
	{VNET_KEY(TEXT, struct show, port), .max = VNET_CLIENT_NAME_SIZE - 1},
	VNET_CONTROL_KEYS,
	{.name = NULL},
};

static void
end_row(const char *owner, unsigned int side, struct vnet_json_writer *w)
{
	vnet_json_put_string(w, "port", owner);
	vnet_json_put_string(w, "side", vnet_control_sides[side]);
	vnet_json_close(w, '}');
}

static void
put_rule(const struct vnet_rule_info *rule, struct vnet_json_writer *w)
{
	vnet_json_open(w, NULL, '{');
	vnet_json_put_string(w, "name", rule->name);
	vnet_json_put_number(w, "priority", rule->priority);
	vnet_json_put_string(w, "verdict",
			     vnet_control_verdicts[rule->verdict]);
	vnet_json_put_number(w, "hits", rule->hits);
	vnet_json_put_number(w, "insns", rule->ninsns);
}

static void
put_default(enum vnet_verdict verdict, uint64_t hits,
	    struct vnet_json_writer *w)
{
	vnet_json_open(w, NULL, '{');
	vnet_json_put_string(w, "verdict", vnet_control_verdicts[verdict]);
	vnet_json_put_number(w, "hits", hits);
	vnet_json_put_bool(w, "default", true);
}

/* The next rule of the chain that @k is at, or its default, behind which the
 * next chain begins. False if whose chain it is has gone. */
static bool
put_next(const struct vnet_switch *sw, struct vnet_control_walk *k,
	 uint64_t owner, const char *name, struct vnet_json_writer *w)
{
	struct vnet_rule_info rule = {.size = sizeof(rule)};
	const enum vnet_side side = (enum vnet_side)k->side;
	enum vnet_verdict verdict;
	uint64_t hits;

	if (!vnet_filter_get(sw, owner, side, k->index, &rule)) {
		k->index++;
		put_rule(&rule, w);
		end_row(name, k->side, w);
		return true;
	}
	if (vnet_filter_get_default(sw, owner, side, &verdict, &hits))
		return false;
	put_default(verdict, hits, w);
	end_row(name, k->side, w);
	k->index = 0;
	k->side++;
	return true;
}

static enum vnet_control_step
next_of_client(const struct vnet_control_host *h, struct vnet_control_walk *k,
	       struct vnet_json_writer *w)
{
	char name[VNET_CLIENT_NAME_SIZE];

	vnet_control_client_name(h->sw, k->client, name);
	if (k->side > VNET_RECEIVE_OUT ||
	    !put_next(h->sw, k, k->client, name, w))
		return VNET_CONTROL_END;
	return VNET_CONTROL_PUT;
}

static enum vnet_control_step
next_of_ports(const struct vnet_control_host *h, struct vnet_control_walk *k,
	      struct vnet_json_writer *w)
{
	struct vnet_port_info port;

	if (!vnet_control_walk_port(h, k, &port))
		return VNET_CONTROL_END;
	if (k->side < NPORT_SIDES && put_next(h->sw, k, port.id, port.name, w))
		return VNET_CONTROL_PUT;
	vnet_control_walk_leave(k);
	return VNET_CONTROL_AGAIN;
}

/* Those of clients only of whom they are asked for: there may be many. */
int
vnet_control_filter_show(struct vnet_control_call *call)
{
	struct vnet_control_walk *k = call->walk;
	struct show s = {.port = ""};
	int r = vnet_control_read(call->request, show_keys, &call->name, &s,
				  NULL, call->c);

	if (r)
		return r;
	if (!vnet_control_is_client(call->host->sw, s.port)) {
		k->next = next_of_ports;
		return vnet_control_walk_begin(call, s.port);
	}
	k->is_list = true;
	k->next = next_of_client;
	k->side = VNET_RECEIVE_IN;
	k->client = vnet_control_find_client(call->host->sw, s.port, call->c);
	return k->client == VNET_NO_ID ? -ENOENT : 0;
}
