/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A grant and frames, made as tests/model/made_grants.h does, or of any octets:
 * the compiled guard says of each what the naive model says. Of some, which are
 * small, it is proved that nothing outside of the grant passes.
 *
 * Input: the decisions of the grant, and of one frame after the other.
 */
#include <stdlib.h>
#include <string.h>

#include <vnet/malloc.h>

#include "bpf.h"
#include "made_grants.h"
#include "guard_model.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

static struct vnet_bpf_op *
compile(const struct vnet_grant *g, enum vnet_side side)
{
	int n = vnet_grant_compile(g, side, NULL, 0, NULL);
	struct vnet_bpf_insn *insns;
	struct vnet_bpf_op *ops;

	MUST(n > 0 && n <= VNET_GRANT_MAX_INSNS);
	insns = calloc((size_t)n, sizeof(*insns));
	ops = calloc((size_t)n, sizeof(*ops));
	MUST(insns && ops);
	MUST(vnet_grant_compile(g, side, insns, (size_t)n, NULL) == n);
	MUST(!vnet_bpf_check(insns, (size_t)n, VNET_GRANT_MAX_INSNS, NULL));
	vnet_bpf_translate(ops, insns, (size_t)n);
	free(insns);
	return ops;
}

static size_t
count_entries(const struct vnet_grant *g)
{
	return g->nmacs + g->ngroups + g->nipv4 + g->nipv6 + g->nvlans +
	       g->nethertypes;
}

/* What was compiled is shown to keep to the grant. */
static void
prove(const struct vnet_grant *g, enum vnet_side side)
{
	const struct vnet_alloc alloc = vnet_malloc();
	struct vnet_proof proof = {.size = sizeof(proof)};
	int n = vnet_grant_compile(g, side, NULL, 0, NULL);
	struct vnet_bpf_insn *insns = calloc((size_t)n, sizeof(*insns));

	MUST(insns);
	MUST(vnet_grant_compile(g, side, insns, (size_t)n, NULL) == n);
	MUST(!vnet_grant_prove(g, side, insns, (size_t)n, &alloc, &proof,
			       NULL));
	MUST(proof.result == VNET_PROOF_HOLDS);
	free(insns);
}

/* Octets of any kind, behind addresses that are likely to be granted. */
static struct vnet_frame
spoil(struct tape *t, struct vnet_frame f, uint8_t *octets)
{
	uint32_t at = tape_argument(t, 64), n = tape_argument(t, 128);

	if (f.len < at + n) {
		memset(octets + f.len, 0, at + n - f.len);
		f.len = at + n;
	}
	for (uint32_t i = 0; i < n; i++)
		octets[at + i] = (uint8_t)tape_argument(t, 256);
	return f;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static struct grants_made made;
	static uint8_t octets[GRANTS_FRAME_MAX];
	const struct vnet_grant *g = &made.grant;
	struct vnet_bpf_op *guard[2];
	struct tape t;

	tape_fuzz(&t, in, size);
	grants_make(&t, &made);
	MUST(!vnet_grant_check(g, NULL, NULL));
	guard[VNET_INGRESS] = compile(g, VNET_INGRESS);
	guard[VNET_EGRESS] = compile(g, VNET_EGRESS);
	/* This takes longer than many frames. */
	if (tape_seldom(&t, 64) && count_entries(g) <= 4) {
		prove(g, VNET_INGRESS);
		prove(g, VNET_EGRESS);
	}
	while (!tape_is_over(&t)) {
		enum vnet_side side =
			tape_argument(&t, 4) ? VNET_INGRESS : VNET_EGRESS;
		struct vnet_frame f = grants_frame(&t, g, side, octets);
		uint8_t *copy;

		if (tape_argument(&t, 2))
			f = spoil(&t, f, octets);
		/* In memory of exactly its size. */
		copy = malloc(f.len ? f.len : 1);
		MUST(copy);
		memcpy(copy, octets, f.len);
		f.data = copy;
		MUST(model_guard_accepts(
			g, side, &f,
			(enum vnet_grant_part)vnet_bpf_run(guard[side], &f)));
		free(copy);
	}
	free(guard[VNET_INGRESS]);
	free(guard[VNET_EGRESS]);
	return 0;
}
