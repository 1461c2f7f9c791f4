/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does the guard that is in use keep to its grant? The daemon hands out both, and
 * goes on; what takes long is done here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/grant.h>
#include <vnet/malloc.h>

#include "actions.h"
#include "client.h"
#include "field.h"
#include "frame_hex.h"
#include "frame_line.h"
#include "grant_read.h"
#include "print_json.h"
#include "schema.h"

/**
 * struct guarded - what the daemon has handed out
 * @name:	of the grant
 */
struct guarded {
	const char *name;
	struct grant_read read;
	struct vnet_bpf_insn *insns[2];
	size_t ninsns[2];
	struct vnet_proof proof[2];
};

static const char *const sides[] = {
	[VNET_INGRESS] = "in",
	[VNET_EGRESS] = "out",
};

static const char *const results[] = {
	[VNET_PROOF_HOLDS] = "holds",
	[VNET_PROOF_HOLE] = "hole",
	[VNET_PROOF_OPEN] = "open",
};

/*
 * What the daemon says
 */

/* A number up to @max; more than that where it is none. */
static uint64_t
part_of(const json_t *insn, size_t i, uint64_t max)
{
	const json_t *value = json_array_get(insn, i);
	const json_int_t n = json_integer_value(value);

	return json_is_integer(value) && n >= 0 && (uint64_t)n <= max
		       ? (uint64_t)n
		       : max + 1;
}

static bool
read_insn(const json_t *value, struct vnet_bpf_insn *insn)
{
	const uint64_t code = part_of(value, 0, UINT16_MAX);
	const uint64_t jt = part_of(value, 1, UINT8_MAX);
	const uint64_t jf = part_of(value, 2, UINT8_MAX);
	const uint64_t k = part_of(value, 3, UINT32_MAX);

	*insn = (struct vnet_bpf_insn){
		.code = (uint16_t)code,
		.jt = (uint8_t)jt,
		.jf = (uint8_t)jf,
		.k = (uint32_t)k,
	};
	return json_array_size(value) == 4 && code <= UINT16_MAX &&
	       jt <= UINT8_MAX && jf <= UINT8_MAX && k <= UINT32_MAX;
}

static enum status
read_program(struct guarded *g, enum vnet_side side, const json_t *list,
	     struct complaint *c)
{
	const size_t n = json_array_size(list);
	struct vnet_why why = {0};

	if (!n || n > VNET_GRANT_MAX_INSNS)
		return complain(c, FAILED,
				"%s: found %zu instructions, expected 1 to %d",
				sides[side], n, VNET_GRANT_MAX_INSNS);
	g->insns[side] = calloc(n, sizeof(*g->insns[side]));
	if (!g->insns[side])
		return complain(c, FAILED, "no memory for a program");
	g->ninsns[side] = n;
	for (size_t i = 0; i < n; i++)
		if (!read_insn(json_array_get(list, i), &g->insns[side][i]))
			return complain(c, FAILED,
					"%s: instruction %zu is none",
					sides[side], i);
	if (vnet_bpf_check(g->insns[side], n, n, &why))
		return complain(c, FAILED, "%s: instruction %zu: %s",
				sides[side], why.index, why.text);
	return DONE;
}

static enum status
read_guarded(struct guarded *g, const json_t *answer, struct complaint *c)
{
	const json_t *programs = json_object_get(answer, "programs");
	enum vnet_grant_part part = VNET_GRANT_UNDECIDED;
	char text[GRANT_WHY_SIZE];
	struct vnet_why why = {0};
	enum status status;
	json_t *config;

	g->name = field_text(answer, "grant");
	config = schema_check(SCHEMA_GRANT, json_object_get(answer, "config"),
			      NULL, NULL, c);
	if (!config)
		return FAILED;
	grant_read(&g->read, g->name, config, 0);
	json_decref(config);
	if (vnet_grant_check(&g->read.grant, &part, &why)) {
		grant_why(part, &why, text, sizeof(text));
		return complain(c, FAILED, "%s", text);
	}
	status = read_program(g, VNET_INGRESS, json_object_get(programs, "in"),
			      c);
	return status ? status
		      : read_program(g, VNET_EGRESS,
				     json_object_get(programs, "out"), c);
}

/*
 * What comes out
 */

/* A frame that passes, and is not granted. */
static void
print_frame(const struct vnet_proof *proof)
{
	char *hex = frame_hex_write(proof->frame, proof->len);
	struct frame_line parts;

	frame_line_read(&parts, proof->frame, (uint32_t)proof->len,
			(uint32_t)proof->len);
	printf("    ");
	if (*parts.source)
		printf("%s > %s, ", parts.source, parts.destination);
	printf("%s\n    %s\n", parts.summary, hex ? hex : "");
	free(hex);
}

static void
print_side(const struct guarded *g, enum vnet_side side)
{
	const struct vnet_proof *proof = &g->proof[side];
	const char *part = vnet_grant_part_name(proof->part);

	if (proof->result == VNET_PROOF_HOLDS)
		printf("%s: holds", sides[side]);
	else if (proof->result == VNET_PROOF_HOLE)
		printf("%s: does not hold: instruction %zu passes what is not "
		       "granted (%s)",
		       sides[side], proof->insn, part ? part : "?");
	else
		printf("%s: not shown: instruction %zu may pass what is not "
		       "granted (%s)",
		       sides[side], proof->insn, part ? part : "?");
	printf("; %zu instructions, %llu states, %llu merged\n",
	       g->ninsns[side], (unsigned long long)proof->states,
	       (unsigned long long)proof->merged);
	if (proof->result == VNET_PROOF_HOLE)
		print_frame(proof);
}

static json_t *
side_json(const struct guarded *g, enum vnet_side side)
{
	const struct vnet_proof *proof = &g->proof[side];
	json_t *object = json_pack("{s:s, s:I, s:I, s:I}", "result",
				   results[proof->result], "insns",
				   (json_int_t)g->ninsns[side], "states",
				   (json_int_t)proof->states, "merged",
				   (json_int_t)proof->merged);
	char *hex;

	if (proof->result == VNET_PROOF_HOLDS)
		return object;
	json_object_set_new(object, "part",
			    json_string(vnet_grant_part_name(proof->part)));
	json_object_set_new(object, "insn",
			    json_integer((json_int_t)proof->insn));
	if (proof->result == VNET_PROOF_HOLE) {
		hex = frame_hex_write(proof->frame, proof->len);
		json_object_set_new(object, "frame", json_string(hex));
		free(hex);
	}
	return object;
}

static void
print(const struct guarded *g, bool is_json)
{
	json_t *object;

	if (is_json) {
		object = json_pack("{s:s, s:o, s:o}", "grant", g->name, "in",
				   side_json(g, VNET_INGRESS), "out",
				   side_json(g, VNET_EGRESS));
		print_json_line(stdout, object);
		json_decref(object);
		return;
	}
	printf("grant %s\n", g->name);
	print_side(g, VNET_INGRESS);
	print_side(g, VNET_EGRESS);
}

/*
 * All of it
 */

static enum status
prove(struct guarded *g, struct complaint *c)
{
	const struct vnet_alloc alloc = vnet_malloc();
	struct vnet_why why = {0};

	for (int side = VNET_INGRESS; side <= VNET_EGRESS; side++) {
		int r;

		g->proof[side].size = sizeof(g->proof[side]);
		r = vnet_grant_prove(&g->read.grant, (enum vnet_side)side,
				     g->insns[side], g->ninsns[side], &alloc,
				     &g->proof[side], &why);
		if (r)
			return complain_why(c, FAILED, sides[side], &why);
	}
	return DONE;
}

static enum status
judge(const struct guarded *g, struct complaint *c)
{
	bool is_open = false;

	for (int side = VNET_INGRESS; side <= VNET_EGRESS; side++) {
		if (g->proof[side].result == VNET_PROOF_HOLE)
			return complain(c, FAILED,
					"grant %s: its guard does not hold",
					g->name);
		is_open |= g->proof[side].result != VNET_PROOF_HOLDS;
	}
	return is_open ? complain(c, FAILED,
				  "grant %s: nobody can tell whether its guard "
				  "holds",
				  g->name)
		       : DONE;
}

enum status
prove_grant(const struct command_line *line, struct complaint *c)
{
	struct guarded *g = calloc(1, sizeof(*g));
	json_t *answer = NULL;
	enum status status;

	if (!g)
		return complain(c, FAILED, "no memory for a grant");
	status = client_ask_once(
		line, field_request("grant program", "name", line->args[0]),
		&answer, c);
	if (!status)
		status = field_expect(answer, JSON_OBJECT, "grant program", c);
	if (!status)
		status = read_guarded(g, answer, c);
	if (!status)
		status = prove(g, c);
	if (!status) {
		print(g, line->json);
		status = judge(g, c);
	}
	json_decref(answer);
	free(g->insns[VNET_INGRESS]);
	free(g->insns[VNET_EGRESS]);
	free(g);
	return status;
}
