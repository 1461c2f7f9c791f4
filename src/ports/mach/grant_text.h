/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a grant as text, as vnet_grant_form_add() reads them.
 */
#ifndef VNET_GRANT_TEXT_H
#define VNET_GRANT_TEXT_H

#include <vnet/mach_grant.h>

/* A prefix of any kind, with the terminating NUL. */
#define VNET_PREFIX_TEXT_SIZE 48

struct vnet_prefix_text {
	char text[VNET_PREFIX_TEXT_SIZE];
};

struct vnet_prefix_text vnet_mac_prefix_text(const struct vnet_mac_prefix *p);
struct vnet_prefix_text vnet_ipv4_prefix_text(const struct vnet_ipv4_prefix *p);
/* As RFC 5952 wants it. */
struct vnet_prefix_text vnet_ipv6_prefix_text(const struct vnet_ipv6_prefix *p);
struct vnet_prefix_text vnet_vlan_range_text(const struct vnet_vlan_range *r);

/* The address that begins as @p does, and ends as @mac. */
struct vnet_mac vnet_mac_below(const struct vnet_mac_prefix *p,
			       struct vnet_mac mac);

/* The names of VNET_MAY_*, by their bits; ended by NULL. */
extern const char *const vnet_grant_mays[];

#endif
