/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The prover: that of the guards of random grants it says that they hold; and
 * that of guards that were broken, or whose grant was narrowed behind their back,
 * it never says so, where one frame among many shows that they do not.
 *
 * A frame that it shows is run, and put to the naive model, which is not what it
 * uses itself.
 *
 * VNET_PROVE_GRANTS says how many grants are tried, if not the number below.
 */
#include <errno.h>
#include <time.h>

#include "support.h"

#include "bpf.h"
#include "guard_model.h"
#include "made_grants.h"

/* Grants whose guards are to hold; and those of which one is broken. With a
 * sanitizer, or an emulator, each takes many times as long; and one build of
 * those that do not is enough. */
#if !defined(__x86_64__)
#define NGRANTS 20
#define NBROKEN 1
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	defined(__clang__)
#define NGRANTS 200
#define NBROKEN 4
#else
#define NGRANTS 2000
#define NBROKEN 12
#endif

/* Ways in which each of these is broken, and frames that it is tried with. */
#define PER_GRANT 8
#define NFRAMES   400

struct guard {
	struct vnet_bpf_insn *insns;
	struct vnet_bpf_op *ops;
	size_t n;
};

struct test {
	struct test_trial trial;
	struct tape tape;
	struct test_alloc alloc;
	struct grants_made made;
	struct guard guard;
	uint8_t octets[GRANTS_FRAME_MAX];
	unsigned long results[3]; /* by enum vnet_proof_result */
	unsigned long broken;     /* and frames show it */
	unsigned long found;      /* of these, by a frame of the prover */
	uint64_t worst_ns;
	size_t worst_insns;
	size_t peak;
};

static unsigned long
wanted(unsigned long usual)
{
	const char *text = getenv("VNET_PROVE_GRANTS");

	return text ? strtoul(text, NULL, 10) : usual;
}

static uint64_t
now_ns(void)
{
	return (uint64_t)clock() * (VNET_NSEC_PER_SEC / CLOCKS_PER_SEC);
}

static void
forget(struct guard *guard)
{
	free(guard->insns);
	free(guard->ops);
	*guard = (struct guard){.n = 0};
}

static void
compile(struct test *t, enum vnet_side side)
{
	struct guard *guard = &t->guard;
	int n = vnet_grant_compile(&t->made.grant, side, NULL, 0, NULL);

	assert_true(n > 0);
	guard->n = (size_t)n;
	guard->insns = calloc(guard->n, sizeof(*guard->insns));
	guard->ops = calloc(guard->n, sizeof(*guard->ops));
	assert_true(guard->insns && guard->ops);
	assert_int_equal(vnet_grant_compile(&t->made.grant, side, guard->insns,
					    guard->n, NULL),
			 n);
}

static struct vnet_proof
prove(struct test *t, enum vnet_side side)
{
	struct vnet_proof proof = {.size = sizeof(proof)};
	struct vnet_why why = {.text = NULL};
	uint64_t start = now_ns();
	int err = vnet_grant_prove(&t->made.grant, side, t->guard.insns,
				   t->guard.n, &t->alloc.alloc, &proof, &why);

	if (err)
		print_error("%s\n", why.text);
	assert_int_equal(err, 0);
	start = now_ns() - start;
	if (start > t->worst_ns) {
		t->worst_ns = start;
		t->worst_insns = t->guard.n;
	}
	if (t->alloc.peak > t->peak)
		t->peak = t->alloc.peak;
	assert_int_equal(t->alloc.blocks, 0);
	assert_int_equal(t->alloc.used, 0);
	t->results[proof.result]++;
	return proof;
}

static void
show(const struct test *t, enum vnet_side side, const struct vnet_proof *proof)
{
	const char *part = vnet_grant_part_name(proof->part);

	print_error("seed %lu side %d: result %d, %s, at %zu of %zu, %lu "
		    "states, %lu merged\n",
		    (unsigned long)t->trial.seed, side, proof->result,
		    part ? part : "?", proof->insn, t->guard.n,
		    (unsigned long)proof->states, (unsigned long)proof->merged);
	for (size_t i = 0; i < proof->len; i++)
		print_error("%02x%s", proof->frame[i],
			    i % 16 == 15 ? "\n" : " ");
	print_error("\n%zu macs, %zu groups, %zu ipv4, %zu ipv6, %zu vlans, "
		    "%zu ethertypes, may %02x\n",
		    t->made.grant.nmacs, t->made.grant.ngroups,
		    t->made.grant.nipv4, t->made.grant.nipv6,
		    t->made.grant.nvlans, t->made.grant.nethertypes,
		    (unsigned int)t->made.grant.may);
}

static void
report(const struct test *t)
{
	if (!getenv("VNET_PROVE_GRANTS"))
		return;
	print_message("%lu hold, %lu have a hole, %lu are open\n",
		      t->results[VNET_PROOF_HOLDS], t->results[VNET_PROOF_HOLE],
		      t->results[VNET_PROOF_OPEN]);
	print_message("%lu seen to be broken, a frame for %lu of these\n",
		      t->broken, t->found);
	print_message("at most %lu us, for %zu instructions; %zu octets\n",
		      (unsigned long)(t->worst_ns / 1000), t->worst_insns,
		      t->peak);
}

static int
set_up(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	*state = t;
	if (!t)
		return -1;
	test_alloc_init(&t->alloc);
	return 0;
}

static int
tear_down(void **state)
{
	struct test *t = *state;

	forget(&t->guard);
	return test_trial_tear_down(state);
}

static void
shorten(size_t *n, size_t most)
{
	if (*n > most)
		*n = most;
}

/* One grant in four is as it was drawn, the others have shorter lists; every
 * second one has no IPv6, which takes nearly all of the time. */
static void
make_grant(struct test *t)
{
	struct vnet_grant *g = &t->made.grant;

	tape_draw(&t->tape, t->trial.seed);
	grants_make(&t->tape, &t->made);
	if (t->trial.seed % 4 == 0)
		return;
	shorten(&g->nmacs, 4);
	shorten(&g->ngroups, 4);
	shorten(&g->nipv4, 4);
	shorten(&g->nipv6, t->trial.seed % 2 ? 0 : 4);
	shorten(&g->nvlans, 4);
	shorten(&g->nethertypes, 4);
}

static void
test_guards_of_random_grants_hold(void **state)
{
	struct test *t = *state;
	const unsigned long n = wanted(NGRANTS);

	for (t->trial.seed = 1; t->trial.seed <= n; t->trial.seed++) {
		make_grant(t);
		for (int side = 0; side < 2; side++) {
			struct vnet_proof proof;

			compile(t, (enum vnet_side)side);
			proof = prove(t, (enum vnet_side)side);
			if (proof.result != VNET_PROOF_HOLDS)
				show(t, (enum vnet_side)side, &proof);
			assert_int_equal(proof.result, VNET_PROOF_HOLDS);
			forget(&t->guard);
		}
	}
	report(t);
	t->trial.is_done = true;
}

/*
 * Breaking them
 */

/* One instruction is another one. False if that is no program. */
static bool
break_insn(struct test *t)
{
	struct vnet_bpf_insn *insns = t->guard.insns;
	size_t at = tape_argument(&t->tape, (uint32_t)t->guard.n);
	struct vnet_bpf_insn *insn = &insns[at];
	uint8_t jt = insn->jt;

	switch (tape_argument(&t->tape, 8)) {
	case 0:
		insn->k += 1;
		break;
	case 1:
		insn->k -= 1;
		break;
	case 2:
	case 3:
		insn->k ^= UINT32_C(1) << tape_argument(&t->tape, 32);
		break;
	case 4:
		insn->jt = insn->jf;
		insn->jf = jt;
		break;
	case 5:
		insn->jt = (uint8_t)(insn->jt + 1);
		break;
	case 6:
		insn->jf = insn->jt;
		break;
	default:
		*insn = (struct vnet_bpf_insn){
			.code = VNET_BPF_RET_K,
			.k = VNET_GRANT_PASS,
		};
	}
	return vnet_bpf_check(insns, t->guard.n, VNET_GRANT_MAX_INSNS, NULL) ==
	       0;
}

static void
remove_entry(struct test *t, void *list, size_t *n, size_t size)
{
	uint8_t *p = list;
	size_t at;

	if (!*n)
		return;
	at = tape_argument(&t->tape, (uint32_t)*n);
	memmove(p + at * size, p + (at + 1) * size, (*n - at - 1) * size);
	--*n;
}

/* A prefix is one bit longer. */
static void
lengthen(struct test *t, uint8_t *octets, uint8_t *bits, uint8_t most)
{
	if (*bits == most)
		return;
	if (tape_argument(&t->tape, 2))
		octets[*bits / 8] |= (uint8_t)(0x80 >> *bits % 8);
	++*bits;
}

/* Less is granted than the guard was made for. */
static void
narrow_grant(struct test *t)
{
	struct grants_made *m = &t->made;
	struct vnet_grant *g = &m->grant;
	struct tape *tape = &t->tape;

	switch (tape_argument(tape, 8)) {
	case 0:
		if (g->nmacs > 1)
			remove_entry(t, m->lists.macs, &g->nmacs,
				     sizeof(m->lists.macs[0]));
		break;
	case 1:
		remove_entry(t, m->lists.groups, &g->ngroups,
			     sizeof(m->lists.groups[0]));
		break;
	case 2:
		remove_entry(t, m->lists.ipv4, &g->nipv4,
			     sizeof(m->lists.ipv4[0]));
		break;
	case 3:
		remove_entry(t, m->lists.ipv6, &g->nipv6,
			     sizeof(m->lists.ipv6[0]));
		break;
	case 4:
		lengthen(t, m->lists.macs[0].mac.octet, &m->lists.macs[0].bits,
			 48);
		break;
	case 5:
		if (g->nipv6)
			lengthen(t, m->lists.ipv6[0].octet,
				 &m->lists.ipv6[0].bits, 128);
		if (g->nipv4)
			lengthen(t, m->lists.ipv4[0].octet,
				 &m->lists.ipv4[0].bits, 32);
		break;
	default:
		g->may &= ~(UINT32_C(1) << tape_argument(tape, 7));
	}
}

static bool
lets_out(struct test *t, enum vnet_side side, const struct vnet_frame *f)
{
	return vnet_bpf_run(t->guard.ops, f) == VNET_GRANT_PASS &&
	       model_guard(&t->made.grant, side, f) != VNET_GRANT_PASS;
}

/* Does one of some frames show that the guard lets out what is not granted? */
static bool
is_seen_broken(struct test *t, enum vnet_side side)
{
	for (int i = 0; i < NFRAMES; i++) {
		struct vnet_frame f =
			grants_frame(&t->tape, &t->made.grant, side, t->octets);

		if (lets_out(t, side, &f))
			return true;
	}
	return false;
}

static void
try_broken(struct test *t, enum vnet_side side)
{
	struct vnet_proof proof;
	bool is_broken;

	compile(t, side);
	if (t->trial.step % 4 == 0) {
		narrow_grant(t);
		if (vnet_grant_check(&t->made.grant, NULL, NULL) != 0)
			goto out;
	} else if (!break_insn(t)) {
		goto out;
	}
	vnet_bpf_translate(t->guard.ops, t->guard.insns, t->guard.n);
	is_broken = is_seen_broken(t, side);
	proof = prove(t, side);
	t->broken += is_broken;
	if (proof.result == VNET_PROOF_HOLE) {
		struct vnet_frame f = {.data = proof.frame,
				       .len = (uint32_t)proof.len};

		assert_true(lets_out(t, side, &f));
		assert_int_equal(model_guard(&t->made.grant, side, &f),
				 proof.part);
		t->found += is_broken;
	}
	if (is_broken && proof.result != VNET_PROOF_HOLE)
		show(t, side, &proof);
	if (is_broken)
		assert_int_not_equal(proof.result, VNET_PROOF_HOLDS);
out:
	forget(&t->guard);
}

static void
test_broken_guards_do_not_hold(void **state)
{
	struct test *t = *state;
	const unsigned long n = wanted(NBROKEN);

	for (t->trial.seed = 1; t->trial.seed <= n; t->trial.seed++) {
		for (t->trial.step = 0; t->trial.step < PER_GRANT;
		     t->trial.step++) {
			tape_draw(&t->tape, t->trial.seed);
			grants_make(&t->tape, &t->made);
			tape_draw(&t->tape, t->trial.seed << 8 | t->trial.step);
			try_broken(t, t->trial.step % 4 == 3 ? VNET_EGRESS
							     : VNET_INGRESS);
		}
	}
	report(t);
	assert_true(t->broken > 0);
	assert_true(t->found * 10 >= t->broken * 9);
	t->trial.is_done = true;
}

static void
test_without_memory_there_is_no_proof(void **state)
{
	struct test *t = *state;
	struct vnet_proof proof = {.size = sizeof(proof)};
	unsigned long at = 1;
	int err = -ENOMEM;

	t->trial.seed = 2;
	tape_draw(&t->tape, t->trial.seed);
	grants_make(&t->tape, &t->made);
	compile(t, VNET_INGRESS);
	for (; err == -ENOMEM; at += 1 + at / 16) {
		t->alloc.calls = 0;
		t->alloc.fail_at = at;
		err = vnet_grant_prove(&t->made.grant, VNET_INGRESS,
				       t->guard.insns, t->guard.n,
				       &t->alloc.alloc, &proof, NULL);
		assert_true(err == 0 || err == -ENOMEM);
		assert_int_equal(t->alloc.blocks, 0);
	}
	assert_true(at > 100);
	assert_int_equal(proof.result, VNET_PROOF_HOLDS);
	t->trial.is_done = true;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_guards_of_random_grants_hold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broken_guards_do_not_hold,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_without_memory_there_is_no_proof, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
