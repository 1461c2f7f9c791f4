/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard of a grant: its programs.
 *
 * What they decide is said here once more, step by step, for whoever checks
 * them. P[k:n] are the n octets at k of the frame as it is on the wire; a load
 * beyond its end, anywhere below, ends the program with UNDECIDED. "is PART"
 * ends it with that part, the first that applies. (Where a frame ends within
 * what a step compares, that step may already have found a difference, or not:
 * it is then its part, or UNDECIDED.)
 *
 * What the client sends (VNET_INGRESS):
 *
 *  S1  P[6:6] is in no prefix of macs: is MACS
 *  S2  type = P[12:2], at = 14. If type is 0x8100, vid = P[14:2] & 0xfff: if that
 *      is 0, or in no range of vlans: is VLANS; type = P[16:2], at = 18. Else, if
 *      0 is in no range of vlans (none: 0 to 0): is VLANS. If type is now 0x8100,
 *      0x88a8, 0x9100 or 0x9200: is VLANS
 *  S3  type < 0x600: without MAY_LLC, or if P[at:1] is 0xaa (SNAP, which has a
 *      type again), is LLC; with it S4, and passes
 *      type is ARP (0x0806): with no ipv4 is ETHERTYPES, else A
 *      type is IPv4 (0x0800): with no ipv4 is ETHERTYPES, else F
 *      type is IPv6 (0x86dd): with no ipv6 is ETHERTYPES, else X
 *      another one: not of ethertypes is ETHERTYPES; else S4, and passes
 *  S4  the destination, D = P[0:6]. Its group bit is not set: fine. It is
 *      broadcast: without MAY_BROADCAST is BROADCAST. Else without
 *      MAY_MULTICAST, and in no prefix of groups: is GROUPS; but in F, if there
 *      are groups, 01-00-5E-00-00-02 and -16 are fine, and in X
 *      33-33-00-00-00-01, -02 and -16, 33-33-00-01-00-02, and 33-33-FF-xx-xx-xx
 *
 *  A   ARP. D is a group other than broadcast: S4. P[at:4] is not 0x00010800,
 *      or P[at+4:2] not 0x0604, or the operation P[at+6:2] neither 1 nor 2: is
 *      ARP. P[at+8:6] is not P[6:6]: is ARP. The sender's protocol address
 *      P[at+14:4] is in ipv4 (and not 0): passes. It is 0, the operation is 1,
 *      and P[at+24:4] is in ipv4: passes. Else is ARP
 *
 *  F   IPv4. P[at:1] is not 0x45 to 0x4f: is UNDECIDED. src = P[at+12:4].
 *  F1  src is 0: the protocol P[at+9:1] is 2 (IGMP): S4, then G. It is not
 *      17: is IPV4. A fragment (P[at+6:2] & 0x3fff): is UNDECIDED. The ports
 *      P[l4:4], l4 = at + 4 * (P[at:1] & 15), are not 68 and 67: is IPV4. D is a
 *      group other than broadcast: S4. Passes
 *  F2  src is not in ipv4: is IPV4. Then S4; but broadcast is also fine where the
 *      protocol is 17, P[at+6:2] & 0x3fff is 0, and the ports are 68 and 67
 *  F3  protocol: TCP (6) passes. 1 (ICMP): C. 2: G. 17 (UDP): if P[at+6:2] &
 *      0x1fff is not 0 passes; else U with 68 and 67. 103 (PIM): without MAY_ROUTE
 *      is ROUTE. 112: without MAY_VRRP is VRRP. A tunnel's (see VNET_MAY_TUNNEL):
 *      without that is TUNNEL. Else passes
 *  C   with MAY_ROUTE passes. P[at+6:2] & 0x1fff is not 0: passes. P[l4:1] is 5
 *      or 9: is ROUTE. Else passes
 *  G   as C, but of 0x11 (a query), 0x13 (DVMRP), 0x14 (PIM), 0x30 (RFC 4286)
 *
 *  U   UDP with a client's and a server's port: P[l4:2] is the server's, or
 *      P[l4+2:2] the client's: without MAY_DHCP is DHCP. P[l4+2:2] is a tunnel's:
 *      without MAY_TUNNEL is TUNNEL. Else passes
 *
 *  X   IPv6. P[at:1] >> 4 is not 6: is UNDECIDED. src = P[at+8:16].
 *  X1  src is not ::, not in ipv6, and not the link-local address of P[6:6]
 *      (fe80::/64, and of the six octets the first with its bit 0x02 turned, the
 *      next two, ff, fe, the other three): is IPV6. Then S4
 *  X2  next = P[at+6:1], x = at + 40, n = 0. As long as next is 0 or 43: n is 4:
 *      is UNDECIDED; next = P[x:1], x += 8 + 8 * P[x+1:1], n += 1.
 *      next is 60: is UNDECIDED.
 *      next is 44: with src :: is UNDECIDED; P[x+2:2] & 0xfff8 is not 0: passes
 *      (but for S4 nothing else of it was needed); next = P[x:1], x += 8, and
 *      the frame is a fragment; next is now 0, 43, 44, 51 or 60: is UNDECIDED
 *  X3  src is ::, and next is not 58: is IPV6.
 *      next is 6 passes; 58: I; 17: U with 546 and 547, l4 = x; 103: without
 *      MAY_ROUTE is ROUTE; 112: without MAY_VRRP is VRRP; a tunnel's: without
 *      MAY_TUNNEL is TUNNEL; else passes
 *  I   ICMPv6. Not a fragment, and P[at+4:2] is 0 (the payload may then be longer:
 *      RFC 2675): is UNDECIDED. t = P[x:1]. src is :: and t none of 131, 132, 133, 135, 143: is
 *      IPV6. t is 133 to 137 and the frame is a fragment: is UNDECIDED. 130, 134,
 *      137, 151: without MAY_ROUTE is ROUTE. 137 with it passes. 133, 134, 135, 136: O with
 *      the options from x + 8, 16, 24, 24. Else passes. Before O: with 136, or
 *      135 and src ::, the target P[x+8:16] is not in ipv6, and not the
 *      link-local address of P[6:6]: is ND
 *  O   options from o; end = at + 40 + P[at+4:2]. Up to eight times: o >= end
 *      passes; P[o+1:1] is 0: is ND; P[o:1] is 1 or 2, and P[o+2:6] is not
 *      P[6:6]: is ND; o += 8 * P[o+1:1]. Then o >= end passes, else is UNDECIDED
 *
 * What the client is sent (VNET_EGRESS):
 *
 *  R1  as S2, then as S3 without A, F, X and SNAP: what these are for is R2
 *  R2  D is not a group: in no prefix of macs is MACS. It is broadcast: passes.
 *      MAY_MULTICAST passes; in a prefix of groups passes; ipv6 is not empty and
 *      D is 33-33-00-00-00-01, -02, -16, 33-33-00-01-00-02 or 33-33-FF-xx-xx-xx,
 *      whatever the type: passes; ipv4 is not empty and D is 01-00-5E-00-00-01:
 *      passes; also 01-00-5E-00-00-02 and -16 if there are groups; else is
 *      GROUPS
 *
 * A part that is looked at only where it is not granted (MAY_TUNNEL, MAY_DHCP,
 * ...) takes no instructions where it is, and does not load what only it needs.
 */
#ifndef VNET_GUARD_H
#define VNET_GUARD_H

#include <vnet/grant.h>

#include "core.h"

/* As vnet_grant_compile(), of a grant that has passed vnet_grant_check(). */
int vnet_guard_compile(const struct vnet_grant *grant, enum vnet_side side,
		       struct vnet_bpf_insn *insns, size_t max,
		       struct vnet_why *why);

#endif
