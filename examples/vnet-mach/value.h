/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values of options, from text. Arguments of boot modules have no quotes, so
 * that there are no blanks in them, and QEMU wants commas doubled: what has
 * parts separates them by slashes, or commas.
 */
#ifndef VALUE_H
#define VALUE_H

#include <vnet/filter.h>
#include <vnet/limit.h>

#include "options.h"

/* All of these return false where the text is not what they read. */

/* A number, decimal or with 0x. */
bool value_number(const char *s, uint64_t min, uint64_t max, uint64_t *number);

/* Six octets, as 02:00:00:00:00:01; not a group, nor all zero. */
bool value_mac(const char *s, struct vnet_mac *mac);

/* Octets in hexadecimal, @n of them. */
bool value_octets(const char *s, uint8_t *octets, size_t n);

/* pass, drop */
bool value_verdict(const char *s, enum vnet_verdict *verdict);

/**
 * value_filter() - a verdict and a program
 * @s:		"drop/4/40/0/0/12/...": the numbers that tcpdump -ddd prints
 * @insns:	room for the program
 * @max:	instructions that there is room for
 * @n:		set to their number
 * @why:	set to what is wrong
 */
bool value_filter(const char *s, enum vnet_verdict *verdict,
		  struct vnet_bpf_insn *insns, size_t max, size_t *n,
		  const char **why);

/* A limit: "broadcast/frames_per_s=100/burst_frames=20", of all traffic where no
 * kind is said. */
bool value_limit(const char *s, enum vnet_traffic *traffic,
		 struct vnet_limit *limit);

/* A name, and behind each slash a key and its value: "alice/parent=lab/mac=...".
 * A value goes up to a separator that a letter follows. */
bool value_grant(const char *s, struct options_grant *grant, const char **why);

/* Likewise: "alice/task=7/right=0x9000/max_opens=3". */
bool value_principal(const char *s, struct options_principal *principal);

#endif
