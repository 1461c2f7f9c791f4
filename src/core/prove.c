/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Showing that a program keeps to a grant.
 *
 * The program is followed from its first instruction on, as all frames at once
 * would run it: in place of numbers it computes terms (prove_term.h), and each
 * jump tells something of the frames that take it (prove_facts.h). All jumps go
 * forward, so when an instruction's turn comes, all ways to it are known. States
 * that have come to it by different ways, and that the law would not tell apart,
 * are joined: that is what keeps them few, for a list that can match in 64 ways
 * goes on in one. Where the program lets frames pass, the law is read for all
 * of these (prove_law.h), and has to let them pass, too.
 *
 * Where it does not, one of the ways there is followed once more, without
 * joining, for all that is known on it; the law's objection is added, and a
 * frame is made up of which all that is so (prove_frame.h). Only a frame that
 * passes when the program is really run, and that the law by itself
 * (prove_judge.h) refuses, is shown. That no frame was found says nothing.
 */
#include <errno.h>
#include <string.h>

#include "bpf.h"
#include "guard.h"
#include "prove_frame.h"
#include "prove_judge.h"
#include "why.h"

/* States at one instruction, from which on they are joined whatever is lost. */
#define MAX_STATES_HERE 2048

/* States in all, before no more is followed. */
#define MAX_STATES (1u << 18)

/* Readings of the law for one state. */
#define MAX_READINGS 512

/* How hard a frame is looked for: on how many ways to a return, for how many
 * objections of the law on each, with how many guesses; and guesses in all. */
#define MAX_WAYS       8
#define MAX_OBJECTIONS 6
#define MAX_GUESSES    8
#define MAX_EFFORT     2000

/* States where nothing is joined that is not alike: it is the second try. */
#define MAX_STATES_APART (1u << 15)

#define NO_STATE         UINT32_MAX

/* What a program holds. */
struct registers {
	vnet_term a;
	vnet_term x;
	vnet_term m[VNET_BPF_SCRATCH];
};

/* Which of it is asked for later, as bits: A, X, and M from 2 on. */
#define LIVE_A    1u
#define LIVE_X    2u
#define LIVE_M(k) (4u << (k))

/* A way to a state: from which one, and on which side of its jump. */
struct edge {
	uint32_t from;
	uint32_t next;
	bool is_taken;
};

/**
 * struct state - what all frames have in common that came here
 * @insn:	the instruction that is next
 * @key:	states that can be joined have the same
 * @next:	another one at the same instruction
 * @edges:	the ways here; the first that there was is the last
 * @nedges:	of them
 * @facts:	@size octets, until its turn has come
 */
struct state {
	uint32_t insn;
	uint32_t key;
	uint32_t next;
	uint32_t edges;
	uint32_t nedges;
	struct registers regs;
	uint8_t *facts;
	size_t size;
};

struct prover {
	const struct vnet_alloc *alloc;
	const struct vnet_grant *grant;
	enum vnet_side side;
	const struct vnet_bpf_insn *insns;
	size_t ninsns;
	struct vnet_bpf_op *ops;
	struct vnet_proof *proof;
	struct vnet_terms terms;
	struct vnet_law law;

	uint32_t *first; /* by instruction: of the states there */
	uint32_t *live;  /* by instruction */
	uint8_t *ways;   /* by instruction: 0, 1, or 2 for more */
	struct state *state;
	uint32_t nstates;
	uint32_t state_room;
	struct edge *edge;
	uint32_t nedges;
	uint32_t edge_room;
	bool *way; /* taken at each jump, from the last to the first */
	uint32_t way_room;

	bool keeps_all; /* only states that are alike are joined */
	bool is_open;
	bool failed; /* no memory */
	uint32_t effort;

	/* What is too large for the stack. */
	struct vnet_facts now;
	struct vnet_facts branch;
	struct vnet_facts read;
	struct vnet_facts exact;
	struct vnet_facts other;
	struct vnet_guess guess;
};

/*
 * Memory
 */

static void *
take(struct prover *p, size_t size)
{
	void *m = p->alloc->get(p->alloc->ctx, size, _Alignof(max_align_t));

	if (!m)
		p->failed = true;
	else
		memset(m, 0, size);
	return m;
}

static void
give(struct prover *p, void *m, size_t size)
{
	if (m)
		p->alloc->put(p->alloc->ctx, m, size);
}

/* Room for one more in a list of @n things of @size. */
static bool
make_room(struct prover *p, void *list, uint32_t n, uint32_t *room, size_t size)
{
	uint32_t more = *room ? 2 * *room : 256;
	void *old, *new;

	if (n < *room)
		return true;
	new = take(p, more * size);
	if (!new)
		return false;
	memcpy(&old, list, sizeof(old));
	if (old)
		memcpy(new, old, n * size);
	give(p, old, *room * size);
	memcpy(list, &new, sizeof(new));
	*room = more;
	return true;
}

/*
 * The program
 */

static bool
is_jump(const struct vnet_bpf_insn *i)
{
	return (i->code & 7) == 5 && i->code != VNET_BPF_JA;
}

static bool
is_return(const struct vnet_bpf_insn *i)
{
	return i->code == VNET_BPF_RET_K || i->code == VNET_BPF_RET_A;
}

/* How it is compared with X, where it is compared with a constant. */
static uint16_t
comparison(const struct vnet_bpf_insn *i)
{
	return i->code | 8;
}

static bool
is_with_x(const struct vnet_bpf_insn *i)
{
	return i->code & 8;
}

static uint32_t
uses(const struct vnet_bpf_insn *i)
{
	switch (i->code) {
	case VNET_BPF_LD_W_IND:
	case VNET_BPF_LD_H_IND:
	case VNET_BPF_LD_B_IND:
	case VNET_BPF_STX:
	case VNET_BPF_TXA:
		return LIVE_X;
	case VNET_BPF_LD_MEM:
	case VNET_BPF_LDX_MEM:
		return LIVE_M(i->k);
	case VNET_BPF_ST:
	case VNET_BPF_RET_A:
	case VNET_BPF_TAX:
	case VNET_BPF_NEG:
		return LIVE_A;
	default:
		if ((i->code & 7) == 4 || is_jump(i))
			return is_with_x(i) ? LIVE_A | LIVE_X : LIVE_A;
		return 0;
	}
}

static uint32_t
sets(const struct vnet_bpf_insn *i)
{
	switch (i->code & 7) {
	case 0:
	case 4:
		return LIVE_A;
	case 1:
		return LIVE_X;
	case 2:
	case 3:
		return LIVE_M(i->k);
	default:
		return i->code == VNET_BPF_TAX   ? LIVE_X
		       : i->code == VNET_BPF_TXA ? LIVE_A
						 : 0;
	}
}

/* How many ways there are to each instruction, and what is asked for from it
 * on. */
static void
look_over(struct prover *p)
{
	for (size_t i = p->ninsns; i--;) {
		const struct vnet_bpf_insn *insn = &p->insns[i];
		uint32_t live = 0;

		if (is_jump(insn))
			live = p->live[i + 1 + insn->jt] |
			       p->live[i + 1 + insn->jf];
		else if (insn->code == VNET_BPF_JA)
			live = p->live[i + 1 + insn->k];
		else if (!is_return(insn))
			live = p->live[i + 1];
		p->live[i] = (live & ~sets(insn)) | uses(insn);
	}
	for (size_t i = 0; i < p->ninsns; i++) {
		const struct vnet_bpf_insn *insn = &p->insns[i];
		uint8_t *way[2] = {NULL, NULL};

		if (is_jump(insn)) {
			way[0] = &p->ways[i + 1 + insn->jt];
			way[1] = &p->ways[i + 1 + insn->jf];
		} else if (insn->code == VNET_BPF_JA) {
			way[0] = &p->ways[i + 1 + insn->k];
		} else if (!is_return(insn)) {
			way[0] = &p->ways[i + 1];
		}
		for (int k = 0; k < 2; k++)
			if (way[k] && *way[k] < 2)
				++*way[k];
	}
}

static void
forget_dead(const struct prover *p, struct registers *r, size_t insn)
{
	uint32_t live = p->live[insn];

	if (!(live & LIVE_A))
		r->a = VNET_TERM_ZERO;
	if (!(live & LIVE_X))
		r->x = VNET_TERM_ZERO;
	for (uint32_t i = 0; i < VNET_BPF_SCRATCH; i++)
		if (!(live & LIVE_M(i)))
			r->m[i] = VNET_TERM_ZERO;
}

/* What is next. */
enum stop {
	STOP_REFUSED,
	STOP_RETURN, /* the instruction is a return that lets pass */
	STOP_JUMP,   /* it is a jump that goes either way */
	STOP_MET,    /* another way leads to it, too */
};

/* A load; false if no frame is so long. */
static bool
run_load(struct prover *p, struct vnet_facts *f, vnet_term x, uint32_t k,
	 uint32_t size, vnet_term *to)
{
	vnet_term base;
	uint32_t off;

	*to = vnet_term_load(&p->terms, x, k, size, &base, &off);
	if (*to == VNET_TERM_NONE)
		return false;
	vnet_facts_have(f, base, off + size);
	return !f->is_none;
}

/* One instruction that is none of those where it goes on elsewhere. False if
 * it ends the program. */
static bool
run_one(struct prover *p, const struct vnet_bpf_insn *i, struct registers *r,
	struct vnet_facts *f)
{
	struct vnet_terms *t = &p->terms;
	const vnet_term zero = VNET_TERM_ZERO;
	vnet_term k;

	switch (i->code) {
	case VNET_BPF_LD_IMM:
		r->a = vnet_term_const(t, i->k);
		return true;
	case VNET_BPF_LD_W_ABS:
		return run_load(p, f, zero, i->k, 4, &r->a);
	case VNET_BPF_LD_H_ABS:
		return run_load(p, f, zero, i->k, 2, &r->a);
	case VNET_BPF_LD_B_ABS:
		return run_load(p, f, zero, i->k, 1, &r->a);
	case VNET_BPF_LD_W_IND:
		return run_load(p, f, r->x, i->k, 4, &r->a);
	case VNET_BPF_LD_H_IND:
		return run_load(p, f, r->x, i->k, 2, &r->a);
	case VNET_BPF_LD_B_IND:
		return run_load(p, f, r->x, i->k, 1, &r->a);
	case VNET_BPF_LD_MEM:
		r->a = r->m[i->k];
		return true;
	case VNET_BPF_LD_LEN:
		r->a = vnet_term_len(t);
		return true;
	case VNET_BPF_LDX_IMM:
		r->x = vnet_term_const(t, i->k);
		return true;
	case VNET_BPF_LDX_MEM:
		r->x = r->m[i->k];
		return true;
	case VNET_BPF_LDX_LEN:
		r->x = vnet_term_len(t);
		return true;
	case VNET_BPF_LDX_MSH:
		if (!run_load(p, f, zero, i->k, 1, &r->x))
			return false;
		r->x = vnet_term_arith(t, VNET_BPF_AND_K, r->x,
				       vnet_term_const(t, 15));
		r->x = vnet_term_arith(t, VNET_BPF_LSH_K, r->x,
				       vnet_term_const(t, 2));
		return true;
	case VNET_BPF_ST:
		r->m[i->k] = r->a;
		return true;
	case VNET_BPF_STX:
		r->m[i->k] = r->x;
		return true;
	case VNET_BPF_TAX:
		r->x = r->a;
		return true;
	case VNET_BPF_TXA:
		r->a = r->x;
		return true;
	case VNET_BPF_DIV_X:
	case VNET_BPF_MOD_X:
		vnet_facts_assume(f, t, VNET_BPF_JEQ_X, r->x, zero, false);
		r->a = vnet_term_arith(t, i->code, r->a, r->x);
		return !f->is_none;
	default:
		k = is_with_x(i) ? r->x : vnet_term_const(t, i->k);
		r->a = vnet_term_arith(t, i->code, r->a, k);
		return true;
	}
}

/* Go one way at a jump; false if no frame does. */
static bool
take_branch(struct prover *p, size_t *insn, const struct registers *r,
	    struct vnet_facts *f, bool is_taken)
{
	const struct vnet_bpf_insn *i = &p->insns[*insn];
	vnet_term k = is_with_x(i) ? r->x : vnet_term_const(&p->terms, i->k);

	*insn += 1 + (is_taken ? i->jt : i->jf);
	vnet_facts_assume(f, &p->terms, comparison(i), r->a, k, is_taken);
	return !f->is_none;
}

/* Does a jump refuse on one side? Then there is one way to go on. */
static bool
is_forced(const struct prover *p, size_t insn, bool *is_taken)
{
	const struct vnet_bpf_insn *i = &p->insns[insn];
	const struct vnet_bpf_insn *yes = i + 1 + i->jt, *no = i + 1 + i->jf;

	*is_taken = no->code == VNET_BPF_RET_K && no->k != VNET_GRANT_PASS;
	return *is_taken ||
	       (yes->code == VNET_BPF_RET_K && yes->k != VNET_GRANT_PASS);
}

/* Up to where it is not the next instruction's turn. */
static enum stop
run_on(struct prover *p, size_t *insn, struct registers *r,
       struct vnet_facts *f)
{
	for (bool is_first = true;; is_first = false) {
		const struct vnet_bpf_insn *i = &p->insns[*insn];
		bool is_taken;

		if (!is_first && p->ways[*insn] > 1)
			return STOP_MET;
		if (is_jump(i) && !is_forced(p, *insn, &is_taken))
			return STOP_JUMP;
		if (is_jump(i)) {
			if (!take_branch(p, insn, r, f, is_taken))
				return STOP_REFUSED;
			continue;
		}
		if (i->code == VNET_BPF_JA) {
			*insn += 1 + i->k;
			continue;
		}
		if (i->code == VNET_BPF_RET_K)
			return i->k == VNET_GRANT_PASS ? STOP_RETURN
						       : STOP_REFUSED;
		if (i->code == VNET_BPF_RET_A) {
			vnet_facts_assume(f, &p->terms, VNET_BPF_JEQ_X, r->a,
					  vnet_term_const(&p->terms,
							  VNET_GRANT_PASS),
					  true);
			return f->is_none ? STOP_REFUSED : STOP_RETURN;
		}
		if (!run_one(p, i, r, f))
			return STOP_REFUSED;
		++*insn;
	}
}

/*
 * States
 */

static bool
keep_facts(struct prover *p, struct state *s, const struct vnet_facts *f)
{
	size_t size = vnet_facts_size(f);
	uint8_t *to = take(p, size);

	if (!to)
		return false;
	vnet_facts_save(f, to);
	give(p, s->facts, s->size);
	s->facts = to;
	s->size = size;
	return true;
}

static bool
add_edge(struct prover *p, struct state *s, uint32_t from, bool is_taken)
{
	if (!make_room(p, &p->edge, p->nedges, &p->edge_room,
		       sizeof(p->edge[0])))
		return false;
	p->edge[p->nedges] = (struct edge){from, s->edges, is_taken};
	s->edges = p->nedges++;
	s->nedges++;
	return true;
}

/* Registers that differ are unknown. */
static void
join_registers(struct registers *r, const struct registers *other)
{
	if (r->a != other->a)
		r->a = VNET_TERM_UNKNOWN;
	if (r->x != other->x)
		r->x = VNET_TERM_UNKNOWN;
	for (uint32_t i = 0; i < VNET_BPF_SCRATCH; i++)
		if (r->m[i] != other->m[i])
			r->m[i] = VNET_TERM_UNKNOWN;
}

/* Join a state with @s, where little is lost; or whatever is lost. */
static bool
join_state(struct prover *p, struct state *s, const struct registers *r,
	   struct vnet_facts *f, const struct vnet_law_fields *asked,
	   bool is_forced)
{
	vnet_facts_restore(&p->other, s->facts);
	if (is_forced)
		join_registers(&s->regs, r);
	else if (p->keeps_all
			 ? !vnet_facts_are_same(&p->other, f)
			 : !vnet_law_can_join(&p->law, &p->other, f, asked))
		return false;
	vnet_facts_join(&p->other, &p->terms, f);
	p->proof->merged++;
	if (!keep_facts(p, s, &p->other))
		p->failed = true;
	return true;
}

/* The state at @insn that one was joined with, NULL for none. */
static struct state *
find_joined(struct prover *p, size_t insn, const struct registers *r,
	    struct vnet_facts *f, uint32_t *key)
{
	/* Those that come from one instruction were not joined there. */
	const bool is_met = p->ways[insn] > 1;
	struct vnet_law_fields asked;
	struct state *s = NULL;
	uint32_t n = 0;

	*key = 0;
	if (is_met) {
		asked = vnet_law_asked(&p->law, f);
		*key = vnet_law_key(&p->law, f, &asked);
	}
	for (uint32_t i = p->first[insn]; i != NO_STATE; i = s->next, n++) {
		s = &p->state[i];
		if (is_met && s->key == *key &&
		    memcmp(&s->regs, r, sizeof(*r)) == 0 &&
		    join_state(p, s, r, f, &asked, false))
			return s;
	}
	if (n >= MAX_STATES_HERE && join_state(p, s, r, f, NULL, true))
		return s;
	return NULL;
}

/* A state that goes on at @insn with @f, which is changed. @from is where it
 * comes from. */
static bool
add_state(struct prover *p, size_t insn, const struct registers *regs,
	  struct vnet_facts *f, uint32_t from, bool is_taken)
{
	struct registers r = *regs;
	struct state *s;
	uint32_t key;

	forget_dead(p, &r, insn);
	s = find_joined(p, insn, &r, f, &key);
	if (s)
		return add_edge(p, s, from, is_taken);
	if (p->nstates == (p->keeps_all ? MAX_STATES_APART : MAX_STATES)) {
		p->is_open = true;
		return false;
	}
	if (!make_room(p, &p->state, p->nstates, &p->state_room,
		       sizeof(p->state[0])))
		return false;
	s = &p->state[p->nstates];
	*s = (struct state){
		.insn = (uint32_t)insn,
		.key = key,
		.next = p->first[insn],
		.edges = NO_STATE,
		.regs = r,
	};
	p->first[insn] = p->nstates++;
	return keep_facts(p, s, f) &&
	       (from == NO_STATE || add_edge(p, s, from, is_taken));
}

/*
 * Frames that should not pass
 */

static uint32_t
draw(struct prover *p, uint32_t n)
{
	uint32_t *r = &p->guess.random;

	*r ^= *r << 13;
	*r ^= *r >> 17;
	*r ^= *r << 5;
	return *r % n;
}

/* Does the program let pass what the law does not? */
static bool
is_hole(struct prover *p, enum vnet_grant_part *part)
{
	const struct vnet_frame f = {
		.data = p->guess.data,
		.len = (uint32_t)p->guess.len,
	};

	if (vnet_bpf_run(p->ops, &f) != VNET_GRANT_PASS)
		return false;
	*part = vnet_grant_judge(p->grant, p->side, f.data, f.len);
	return *part != VNET_GRANT_PASS;
}

static bool
show_hole(struct prover *p, size_t insn, enum vnet_grant_part part)
{
	p->proof->result = VNET_PROOF_HOLE;
	p->proof->part = part;
	p->proof->insn = insn;
	p->proof->len = p->guess.len;
	memcpy(p->proof->frame, p->guess.data, p->guess.len);
	return true;
}

/* With all that is known on the way to a return, in @exact. */
static bool
search_here(struct prover *p, size_t insn)
{
	struct vnet_law_walk w = {.nanswers = 0};
	uint32_t nobjections = 0;
	enum vnet_grant_part part;

	for (int i = 0; i < MAX_READINGS; i++) {
		p->read = p->exact;
		w.is_lost = false;
		part = vnet_law_read(&p->law, &p->read, &w);
		if (part != VNET_GRANT_PASS && !p->read.is_none) {
			for (int k = 0; k < MAX_GUESSES; k++)
				if (p->effort++ < MAX_EFFORT &&
				    vnet_guess_frame(&p->guess, &p->law,
						     &p->read) &&
				    is_hole(p, &part))
					return show_hole(p, insn, part);
			if (++nobjections == MAX_OBJECTIONS)
				return false;
		}
		if (!vnet_law_next(&w))
			return false;
	}
	return false;
}

/* A way to a return, from @state on by its jump: the first that there was, or
 * any. */
static bool
choose_way(struct prover *p, uint32_t state, bool is_taken, bool is_any,
	   uint32_t *n)
{
	for (*n = 0;; ++*n) {
		const struct state *s = &p->state[state];
		uint32_t edge = s->edges, k;

		if (!make_room(p, &p->way, *n, &p->way_room, sizeof(p->way[0])))
			return false;
		p->way[*n] = is_taken;
		if (!s->nedges)
			break;
		for (k = is_any ? draw(p, s->nedges) : s->nedges - 1; k--;)
			edge = p->edge[edge].next;
		is_taken = p->edge[edge].is_taken;
		state = p->edge[edge].from;
	}
	++*n;
	return true;
}

/* Follow it. False if no frame does: it was one only of states that were
 * joined. */
static bool
follow_way(struct prover *p, uint32_t n, size_t *insn)
{
	struct registers r = {VNET_TERM_ZERO, VNET_TERM_ZERO, {0}};
	enum stop stop;

	for (int i = 0; i < VNET_BPF_SCRATCH; i++)
		r.m[i] = VNET_TERM_ZERO;
	vnet_facts_init(&p->exact);
	p->exact.is_exact = true;
	*insn = 0;
	for (;;) {
		stop = run_on(p, insn, &r, &p->exact);
		if (stop == STOP_REFUSED)
			return false;
		if (stop == STOP_RETURN)
			return true;
		if (n-- == 0)
			return false;
		if (stop == STOP_JUMP &&
		    !take_branch(p, insn, &r, &p->exact, p->way[n]))
			return false;
	}
}

/* Look for a frame that comes to @state, and then passes, and should not. */
static bool
hunt(struct prover *p, uint32_t state, bool is_taken)
{
	size_t insn;
	uint32_t n;

	for (int i = 0; i < MAX_WAYS && p->effort < MAX_EFFORT; i++) {
		p->effort++;
		if (!choose_way(p, state, is_taken, i > 0, &n))
			return false;
		if (follow_way(p, n, &insn) && search_here(p, insn))
			return true;
	}
	return false;
}

/*
 * The proof
 */

/* Does the law let pass all frames of which @f is so? */
static bool
is_lawful(struct prover *p, const struct vnet_facts *f,
	  enum vnet_grant_part *part)
{
	struct vnet_law_walk w = {.nanswers = 0};

	for (int i = 0; i < MAX_READINGS; i++) {
		p->read = *f;
		w.is_lost = false;
		*part = vnet_law_read(&p->law, &p->read, &w);
		if (*part != VNET_GRANT_PASS && !p->read.is_none)
			return false;
		if (!vnet_law_next(&w))
			return true;
	}
	*part = VNET_GRANT_UNDECIDED;
	return false;
}

/* A return that lets frames pass, of which @f is so. True if that is all that
 * need be known. */
static bool
judge_return(struct prover *p, uint32_t state, bool is_taken, size_t insn,
	     const struct vnet_facts *f)
{
	enum vnet_grant_part part;

	if (is_lawful(p, f, &part))
		return false;
	if (hunt(p, state, is_taken))
		return true;
	if (!p->is_open) {
		p->proof->insn = insn;
		p->proof->part = part;
	}
	p->is_open = true;
	/* Nothing better comes of going on. */
	return p->effort >= MAX_EFFORT;
}

/* From a state to another instruction. A return is judged for each state by
 * itself: nothing would be gained by joining them. */
static bool
go_on(struct prover *p, uint32_t state, bool is_taken, size_t insn,
      const struct registers *r, struct vnet_facts *f)
{
	const struct vnet_bpf_insn *i = &p->insns[insn];

	if (i->code == VNET_BPF_RET_K)
		return i->k == VNET_GRANT_PASS &&
		       judge_return(p, state, is_taken, insn, f);
	return !add_state(p, insn, r, f, state, is_taken);
}

/* One state, up to those that follow. True if that is all that need be known. */
static bool
step(struct prover *p, uint32_t state)
{
	struct registers r = p->state[state].regs;
	size_t insn = p->state[state].insn, to;
	enum stop stop;

	p->proof->states++;
	vnet_facts_restore(&p->now, p->state[state].facts);
	give(p, p->state[state].facts, p->state[state].size);
	p->state[state].facts = NULL;

	stop = run_on(p, &insn, &r, &p->now);
	if (stop == STOP_REFUSED)
		return false;
	if (stop == STOP_RETURN)
		return judge_return(p, state, false, insn, &p->now);
	if (stop == STOP_MET)
		return go_on(p, state, false, insn, &r, &p->now);
	for (int is_taken = 0; is_taken <= 1; is_taken++) {
		p->branch = p->now;
		to = insn;
		if (take_branch(p, &to, &r, &p->branch, is_taken) &&
		    go_on(p, state, is_taken, to, &r, &p->branch))
			return true;
	}
	return false;
}

static void
drop_states(struct prover *p)
{
	for (uint32_t i = 0; i < p->nstates; i++) {
		if (p->state[i].facts)
			give(p, p->state[i].facts, p->state[i].size);
		p->state[i].facts = NULL;
	}
	p->nstates = 0;
	p->nedges = 0;
	for (size_t i = 0; i < p->ninsns; i++)
		p->first[i] = NO_STATE;
}

static void
follow_all(struct prover *p)
{
	struct registers r;

	drop_states(p);
	r.a = r.x = VNET_TERM_ZERO;
	for (int i = 0; i < VNET_BPF_SCRATCH; i++)
		r.m[i] = VNET_TERM_ZERO;
	vnet_facts_init(&p->now);
	p->is_open = false;
	p->effort = 0;
	if (!add_state(p, 0, &r, &p->now, NO_STATE, false))
		return;
	for (size_t i = 0; i < p->ninsns; i++) {
		for (uint32_t s = p->first[i]; s != NO_STATE;
		     s = p->state[s].next)
			if (step(p, s) || p->failed || p->terms.failed)
				return;
	}
}

static bool
open_prover(struct prover *p)
{
	size_t n = p->ninsns;

	p->ops = take(p, n * sizeof(p->ops[0]));
	p->first = take(p, n * sizeof(p->first[0]));
	p->live = take(p, n * sizeof(p->live[0]));
	p->ways = take(p, n);
	vnet_terms_init(&p->terms, p->alloc);
	if (p->failed || p->terms.failed)
		return false;
	vnet_bpf_translate(p->ops, p->insns, n);
	look_over(p);
	p->guess.random = 0x2545f491;
	return vnet_law_init(&p->law, p->grant, p->side, &p->terms);
}

static void
close_prover(struct prover *p)
{
	size_t n = p->ninsns;

	if (p->first)
		drop_states(p);
	if (p->law.terms)
		vnet_law_fini(&p->law);
	vnet_terms_fini(&p->terms);
	give(p, p->state, p->state_room * sizeof(p->state[0]));
	give(p, p->edge, p->edge_room * sizeof(p->edge[0]));
	give(p, p->way, p->way_room * sizeof(p->way[0]));
	give(p, p->ways, n);
	give(p, p->live, n * sizeof(p->live[0]));
	give(p, p->first, n * sizeof(p->first[0]));
	give(p, p->ops, n * sizeof(p->ops[0]));
}

static int
check(const struct vnet_grant *grant, enum vnet_side side,
      const struct vnet_bpf_insn *insns, size_t ninsns,
      const struct vnet_proof *proof, struct vnet_why *why)
{
	int err;

	if (proof->size != sizeof(*proof))
		return vnet_why(why, "unknown size of a proof", 0, proof->size,
				sizeof(*proof));
	if (side != VNET_INGRESS && side != VNET_EGRESS)
		return vnet_why(why, "a guard has no such side", 0, side, 0);
	err = vnet_grant_check(grant, NULL, why);
	if (err)
		return err;
	return vnet_bpf_check(insns, ninsns, VNET_GRANT_MAX_INSNS, why);
}

int
vnet_grant_prove(const struct vnet_grant *grant, enum vnet_side side,
		 const struct vnet_bpf_insn *insns, size_t ninsns,
		 const struct vnet_alloc *alloc, struct vnet_proof *proof,
		 struct vnet_why *why)
{
	struct prover *p;
	int err = check(grant, side, insns, ninsns, proof, why);

	if (err)
		return err;
	p = alloc->get(alloc->ctx, sizeof(*p), _Alignof(struct prover));
	if (!p)
		return vnet_why_errno(why, -ENOMEM);
	memset(p, 0, sizeof(*p));
	*proof = (struct vnet_proof){.size = sizeof(*proof)};
	p->alloc = alloc;
	p->grant = grant;
	p->side = side;
	p->insns = insns;
	p->ninsns = ninsns;
	p->proof = proof;
	if (!open_prover(p))
		p->failed = true;
	else
		follow_all(p);
	if (!p->failed && !p->terms.failed && p->is_open &&
	    proof->result == VNET_PROOF_HOLDS) {
		p->keeps_all = true;
		follow_all(p);
		if (p->is_open && proof->result == VNET_PROOF_HOLDS)
			proof->result = VNET_PROOF_OPEN;
	}
	if (p->failed || p->terms.failed)
		err = vnet_why_errno(why, -ENOMEM);
	close_prover(p);
	alloc->put(alloc->ctx, p, sizeof(*p));
	return err;
}
