/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters: classic BPF programs, and the chains that they form at the two
 * sides of a port, and of a client.
 *
 * A chain is an ordered list of named rules, each a program and a verdict. The
 * rules run in ascending order of priority, equal priorities in the order in
 * which they were added; the first whose program returns anything but 0
 * decides. Where none does, the chain's default verdict holds, which is to
 * pass; but of VNET_RECEIVE_OUT, to drop.
 *
 * Those of a port decide on its frames. The receive filters of a client decide
 * which of the frames that its port lets through it gets itself, and so have no
 * say in what others get.
 *
 * Programs are those of McCanne and Jacobson, "The BSD Packet Filter" (USENIX
 * 1993), in tcpdump's dialect (the MOD and XOR of libpcap included): offsets
 * count from the destination address, words are loaded in network byte order,
 * LEN is the length of the frame, a load beyond the frame ends the program
 * with 0. A, X and scratch memory begin as 0; a shift by 32 or more gives 0; a
 * division by X = 0 ends the program with 0. A tag that travels out of band is
 * seen where it is on the wire.
 * Text is compiled outside, by libpcap's pcap_compile() for DLT_EN10MB. What
 * Linux keeps beside a packet, at offsets beyond every frame, is not there, and
 * a load of it is one beyond the frame.
 */
#ifndef VNET_FILTER_H
#define VNET_FILTER_H

#include <vnet/types.h>
#include <vnet/frame.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/* One instruction, laid out as libpcap's struct bpf_insn and Linux's struct
 * sock_filter, in host byte order. */
struct vnet_bpf_insn {
	uint16_t code;
	uint8_t jt;
	uint8_t jf;
	uint32_t k;
};

/* Instructions of one program at the most, where no other limit is set. */
#define VNET_BPF_MAX_INSNS 4096

enum vnet_verdict {
	VNET_PASS = 0,
	VNET_DROP = 1,
};

/* Which chain. */
enum vnet_side {
	/* of a port: frames on their way into, or out of, the switch */
	VNET_INGRESS = 0,
	VNET_EGRESS = 1,
	/* of a client: frames for it, or written by the clients of its vif */
	VNET_RECEIVE_IN = 2,
	VNET_RECEIVE_OUT = 3,
	VNET_NSIDES
};

/* Octets of a rule's name, with the terminating NUL. */
#define VNET_RULE_NAME_SIZE 32

/**
 * struct vnet_rule - a rule to add to a chain
 * @size:	sizeof(struct vnet_rule)
 * @name:	1 to 31 octets, unique in its chain; copied
 * @priority:	lower runs first
 * @verdict:	what becomes of a frame that the program matches
 * @insns:	the program; copied
 * @ninsns:	instructions in it
 */
struct vnet_rule {
	size_t size;
	const char *name;
	uint32_t priority;
	enum vnet_verdict verdict;
	const struct vnet_bpf_insn *insns;
	size_t ninsns;
};

/**
 * struct vnet_rule_info - a rule as it stands in a chain
 * @size:	sizeof(struct vnet_rule_info), set by the caller
 * @name:	its name
 * @priority:	lower runs first
 * @verdict:	what becomes of a frame that it matches
 * @ninsns:	instructions of its program
 * @hits:	frames that it has decided; of VNET_RECEIVE_OUT, those that it has
 *		let pass
 */
struct vnet_rule_info {
	size_t size;
	char name[VNET_RULE_NAME_SIZE];
	uint32_t priority;
	enum vnet_verdict verdict;
	size_t ninsns;
	uint64_t hits;
};

/**
 * vnet_bpf_check() - is this a program that cannot misbehave?
 * @insns:	the program
 * @ninsns:	instructions in it
 * @max:	the most it may have; 0 for VNET_BPF_MAX_INSNS
 * @why:	filled on failure; may be NULL
 *
 * Accepts exactly the programs of which every opcode is known, every jump goes
 * forward and stays inside, every scratch index is below 16, no division is by
 * a constant 0, and the last instruction is a return. Such a program ends, and
 * reads nothing but its frame.
 *
 * Return: 0, or -EINVAL.
 */
VNET_API int vnet_bpf_check(const struct vnet_bpf_insn *insns, size_t ninsns,
			    size_t max, struct vnet_why *why);

/**
 * vnet_bpf_match() - run a program on a frame
 * @insns:	the program, which vnet_bpf_check() has accepted
 * @ninsns:	instructions in it; one of none matches every frame
 * @f:		any frame. One with more than VNET_MAX_TAGS tags, or with tags
 *		and without addresses, matches no program that has instructions
 *
 * For what is beside the data path (captures): a chain runs its programs twice
 * as fast.
 *
 * Return: true if it returns anything but 0.
 */
VNET_API bool vnet_bpf_match(const struct vnet_bpf_insn *insns, size_t ninsns,
			     const struct vnet_frame *f);

/**
 * vnet_filter_add() - add a rule to a chain
 * @owner:	whose: a port for VNET_INGRESS and VNET_EGRESS, a client for
 *		VNET_RECEIVE_IN and VNET_RECEIVE_OUT; and so below
 * @side:	which of its two chains
 * @rule:	what to add
 * @why:	filled on failure; may be NULL
 *
 * Return: 0; -ENOENT if there is no such owner, -EINVAL if the rule or its
 * program is wrong, -EEXIST if the chain has a rule of that name, -ENOSPC if
 * the switch's limit of rules or instructions is reached, -ENOMEM, -EBUSY from
 * inside a driver's send. The chain is then as it was.
 */
VNET_API int vnet_filter_add(struct vnet_switch *sw, uint64_t owner,
			     enum vnet_side side, const struct vnet_rule *rule,
			     struct vnet_why *why);

/**
 * vnet_filter_set() - replace a chain as a whole
 * @rules:	@nrules of them; those of equal priority run in this order
 * @default_verdict: see vnet_filter_set_default()
 * @why:	filled on failure, with the index of the rule; may be NULL
 *
 * A frame meets the old chain or the new one, and nothing in between. A rule
 * that is in both, alike in everything, keeps its hits.
 *
 * Return: as vnet_filter_add(); -EEXIST if two have one name.
 */
VNET_API int vnet_filter_set(struct vnet_switch *sw, uint64_t owner,
			     enum vnet_side side, const struct vnet_rule *rules,
			     size_t nrules, enum vnet_verdict default_verdict,
			     struct vnet_why *why);

/**
 * vnet_filter_remove() - take a rule out of a chain
 *
 * Needs no memory. Return: 0; -ENOENT if there is no such owner or rule, -EBUSY
 * from inside a driver's send.
 */
VNET_API int vnet_filter_remove(struct vnet_switch *sw, uint64_t owner,
				enum vnet_side side, const char *name);

/**
 * vnet_filter_set_default() - what becomes of a frame that no rule matches
 *
 * Return: 0; -ENOENT if there is no such owner, -EINVAL for an unknown side or
 * verdict, -EBUSY from inside a driver's send.
 */
VNET_API int vnet_filter_set_default(struct vnet_switch *sw, uint64_t owner,
				     enum vnet_side side,
				     enum vnet_verdict verdict);

/**
 * vnet_filter_get() - read one rule of a chain
 * @index:	which, in the order in which they run, counted from 0
 *
 * Return: 0; -ENOENT if there is no such owner, or rule any more; -EINVAL for an
 * unknown side or info->size.
 */
VNET_API int vnet_filter_get(const struct vnet_switch *sw, uint64_t owner,
			     enum vnet_side side, size_t index,
			     struct vnet_rule_info *info);

/**
 * vnet_filter_get_default() - the verdict of a chain when no rule matches
 * @hits:	set to the frames that it has decided; may be NULL. A chain
 *		that passes and has no rules is not run, and counts nothing
 *
 * Return: 0; -ENOENT if there is no such owner, -EINVAL for an unknown side.
 */
VNET_API int vnet_filter_get_default(const struct vnet_switch *sw,
				     uint64_t owner, enum vnet_side side,
				     enum vnet_verdict *verdict,
				     uint64_t *hits);

VNET_END_DECLS

#endif
