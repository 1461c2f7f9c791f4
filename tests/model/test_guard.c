/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guards of random grants, which a frame passes if and only if the naive
 * model of guard.h lets it pass, and otherwise names the part that the model
 * names.
 *
 * VNET_GUARD_FRAMES says how many frames are tried, if not the number below.
 */
#include <errno.h>

#include "support.h"

#include "bpf.h"
#include "made_grants.h"
#include "guard_model.h"

/* Frames, and how many of these are tried with one grant. */
#define NFRAMES   1500000
#define PER_GRANT 1000

/* Of each part that a guard can name, frames of a million at the least. */
#define PER_MILLION 500

struct guard {
	struct vnet_bpf_insn *insns;
	struct vnet_bpf_op *ops;
	size_t n;
};

struct test {
	struct test_trial trial;
	struct tape tape;
	struct grants_made made;
	struct guard guard[2]; /* by enum vnet_side */
	uint8_t octets[GRANTS_FRAME_MAX];
	unsigned long seen[2][VNET_GRANT_NPARTS];
	unsigned long frames;
	unsigned long early; /* that end too early, with another part */
	size_t longest;
};

static unsigned long
wanted(void)
{
	const char *text = getenv("VNET_GUARD_FRAMES");

	return text ? strtoul(text, NULL, 10) : NFRAMES;
}

static void
compile(struct test *t, enum vnet_side side)
{
	struct guard *guard = &t->guard[side];
	struct vnet_why why = {.text = NULL};
	int n = vnet_grant_compile(&t->made.grant, side, NULL, 0, &why);

	if (n < 0)
		print_error("%s, %u\n", why.text, (unsigned int)why.index);
	assert_true(n > 0 && n <= VNET_GRANT_MAX_INSNS);
	guard->n = (size_t)n;
	guard->insns = calloc(guard->n, sizeof(*guard->insns));
	guard->ops = calloc(guard->n, sizeof(*guard->ops));
	assert_true(guard->insns && guard->ops);
	assert_int_equal(vnet_grant_compile(&t->made.grant, side, guard->insns,
					    guard->n - 1, NULL),
			 -ENOSPC);
	assert_int_equal(vnet_grant_compile(&t->made.grant, side, guard->insns,
					    guard->n, &why),
			 n);
	assert_int_equal(vnet_bpf_check(guard->insns, guard->n,
					VNET_GRANT_MAX_INSNS, &why),
			 0);
	vnet_bpf_translate(guard->ops, guard->insns, guard->n);
	if (guard->n > t->longest)
		t->longest = guard->n;
}

static void
forget(struct guard *guard)
{
	free(guard->insns);
	free(guard->ops);
	*guard = (struct guard){.n = 0};
}

static void
show(const struct test *t, enum vnet_side side, const struct vnet_frame *f,
     enum vnet_grant_part model, enum vnet_grant_part part)
{
	const char *name = vnet_grant_part_name(part);

	print_error("side %d: %s, but the guard says %s (%u)\n", side,
		    vnet_grant_part_name(model), name ? name : "?",
		    (unsigned int)part);
	for (int i = 0; i < f->ntags; i++)
		print_error("tag %04x %04x\n", f->tag[i].tpid, f->tag[i].tci);
	for (uint32_t i = 0; i < f->len; i++)
		print_error("%02x%s", f->data[i], i % 16 == 15 ? "\n" : " ");
	print_error("\n%zu macs, %zu groups, %zu ipv4, %zu ipv6, %zu vlans, "
		    "%zu ethertypes, may %02x\n",
		    t->made.grant.nmacs, t->made.grant.ngroups,
		    t->made.grant.nipv4, t->made.grant.nipv6,
		    t->made.grant.nvlans, t->made.grant.nethertypes,
		    (unsigned int)t->made.grant.may);
}

static void
try_frame(struct test *t, enum vnet_side side)
{
	const struct vnet_grant *g = &t->made.grant;
	struct vnet_frame f = grants_frame(&t->tape, g, side, t->octets);
	enum vnet_grant_part model = model_guard(g, side, &f);
	enum vnet_grant_part part =
		(enum vnet_grant_part)vnet_bpf_run(t->guard[side].ops, &f);

	if (model != part) {
		bool accepts = model_guard_accepts(g, side, &f, part);

		if (!accepts)
			show(t, side, &f, model, part);
		assert_true(accepts);
		t->early++;
	}
	t->seen[side][model]++;
	t->frames++;
}

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct test));
	return *state ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct test *t = *state;

	forget(&t->guard[VNET_INGRESS]);
	forget(&t->guard[VNET_EGRESS]);
	return test_trial_tear_down(state);
}

/* A run that meets a part seldom tests it little. */
static void
assert_all_seen(const struct test *t)
{
	static const enum vnet_grant_part parts[2][16] = {
		[VNET_INGRESS] = {VNET_GRANT_UNDECIDED, VNET_GRANT_MACS,
				  VNET_GRANT_VLANS, VNET_GRANT_ETHERTYPES,
				  VNET_GRANT_ARP, VNET_GRANT_IPV4,
				  VNET_GRANT_IPV6, VNET_GRANT_ND,
				  VNET_GRANT_BROADCAST, VNET_GRANT_GROUPS,
				  VNET_GRANT_DHCP, VNET_GRANT_ROUTE,
				  VNET_GRANT_VRRP, VNET_GRANT_TUNNEL,
				  VNET_GRANT_LLC, VNET_GRANT_PASS},
		[VNET_EGRESS] = {VNET_GRANT_UNDECIDED, VNET_GRANT_MACS,
				 VNET_GRANT_VLANS, VNET_GRANT_ETHERTYPES,
				 VNET_GRANT_GROUPS, VNET_GRANT_LLC,
				 VNET_GRANT_PASS},
	};
	unsigned long least = t->frames / 1000000 * PER_MILLION;

	for (int side = 0; side < 2; side++)
		for (int i = 0; parts[side][i]; i++)
			assert_true(t->seen[side][parts[side][i]] >= least);
	for (int side = 0; side < 2; side++)
		assert_true(t->seen[side][VNET_GRANT_UNDECIDED] >= least);
}

static void
report(const struct test *t)
{
	if (!getenv("VNET_GUARD_FRAMES"))
		return;
	print_message("%lu frames, %lu of them cut short, at most %zu "
		      "instructions\n",
		      t->frames, t->early, t->longest);
	for (int i = 0; i < VNET_GRANT_NPARTS; i++)
		if (t->seen[0][i] || t->seen[1][i])
			print_message(
				"%-12s %9lu %9lu\n",
				vnet_grant_part_name((enum vnet_grant_part)i),
				t->seen[0][i], t->seen[1][i]);
}

static void
test_guards_do_what_their_law_says(void **state)
{
	struct test *t = *state;
	const unsigned long n = wanted();

	for (t->trial.seed = 1; t->frames < n; t->trial.seed++) {
		tape_draw(&t->tape, t->trial.seed);
		grants_make(&t->tape, &t->made);
		assert_int_equal(vnet_grant_check(&t->made.grant, NULL, NULL),
				 0);
		compile(t, VNET_INGRESS);
		compile(t, VNET_EGRESS);
		for (t->trial.step = 0; t->trial.step < PER_GRANT;
		     t->trial.step++)
			try_frame(t, t->trial.step % 4 ? VNET_INGRESS
						       : VNET_EGRESS);
		forget(&t->guard[VNET_INGRESS]);
		forget(&t->guard[VNET_EGRESS]);
	}
	report(t);
	assert_all_seen(t);
	t->trial.is_done = true;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_guards_do_what_their_law_says, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
