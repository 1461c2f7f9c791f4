/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filters of device_set_filter(): which frames a client wants.
 *
 * A filter is an array of 16-bit words, of which the first is a header that says
 * for which directions it is, and in which language the rest is written: the
 * stack programs of <device/net_status.h>, or BPF as <device/bpf.h> lays it out.
 * It is checked once, and run for each frame. What is checked, and what a
 * program means, is what GNU Mach does (device/net_io.c), but where that would
 * read memory that is none of the frame's, and where netf.c says otherwise.
 */
#ifndef VNET_MACH_NETF_H
#define VNET_MACH_NETF_H

#include <vnet/filter.h>
#include <vnet/frame.h>

/* Words of a filter, its header among them (NET_MAX_FILTER). */
#define VNET_NETF_MAX_WORDS 128

/* Instructions of a BPF program: the header takes the place of one. */
#define VNET_NETF_MAX_INSNS (VNET_NETF_MAX_WORDS / 4 - 1)

/* vnet_netf.directions (NETF_IN, NETF_OUT) */
enum {
	VNET_NETF_IN = 1 << 0, /* frames that the client is sent */
	VNET_NETF_OUT =
		1 << 1, /* frames that clients of its vif have written */
};

/**
 * struct vnet_netf - a filter that was checked: a value, to be copied at will
 * @directions:	VNET_NETF_*, one at the least
 * @is_bpf:	a BPF program; else a stack program
 * @n:		entries of @insn or of @word in use. A stack program of none
 *		matches every frame
 */
struct vnet_netf {
	uint8_t directions;
	bool is_bpf;
	uint16_t n;
	union {
		uint16_t word[VNET_NETF_MAX_WORDS - 1];
		struct vnet_bpf_insn insn[VNET_NETF_MAX_INSNS];
	};
};

/**
 * vnet_netf_check() - is this a filter that cannot misbehave?
 * @netf:	set if it is, else left alone
 * @words:	the filter, in the byte order of the machine; copied. An
 *		instruction of BPF is the code, jt in the low octet and jf in the
 *		high one, and k, whose low half is first
 * @nwords:	words in it, the header among them; any number
 * @why:	filled on failure, with the index of the word; may be NULL
 *
 * Refuses: no words and too many; a header without a direction, or of an unknown
 * language; stack programs with a word that says nothing, without the literal
 * that they push at last, of too many values, or that push one from below the
 * stack; BPF that does not consist of whole instructions, or that
 * vnet_bpf_check() refuses (RET with MATCH_IMM, and KEY, among them).
 *
 * Return: 0, or -EINVAL.
 */
int vnet_netf_check(struct vnet_netf *netf, const uint16_t *words,
		    size_t nwords, struct vnet_why *why);

/**
 * vnet_netf_match() - does a client with that filter want the frame?
 * @netf:	from vnet_netf_check()
 * @f:		any frame, as a driver that carries nothing is sent it. One
 *		without a whole Ethernet header, or with tags out of band, is
 *		wanted by nobody
 *
 * Says nothing of the direction.
 */
bool vnet_netf_match(const struct vnet_netf *netf, const struct vnet_frame *f);

#endif
