/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A grant from text, word by word, with room for its lists: where there is no C
 * library, and no configuration file.
 *
 *	mac=02:00:00:00:aa:00/40	an address, or how addresses begin
 *	ipv4=10.9.0.0/24, ipv6=2001:db8:9::/64	likewise
 *	group=224.0.0.251		of IPv4, of IPv6 or a MAC, likewise
 *	vlan=0, vlan=100-200
 *	ethertype=0x88b5
 *	may=broadcast			multicast, dhcp, route, vrrp, tunnel, llc
 *	max_addresses=8, max_clients=4, queue=65536, depth=1
 *	for_s=3600			how long it lasts: in the place of @until
 *	frames_per_s=1000, octets_per_s=, burst_frames=, burst_octets=
 *
 * The first seven may be there several times.
 */
#ifndef VNET_MACH_GRANT_H
#define VNET_MACH_GRANT_H

#include <vnet/grant.h>

VNET_BEGIN_DECLS

/**
 * struct vnet_grant_form - a grant and the memory of its lists; of zeros: nothing
 * is granted
 * @grant:	its lists and its name are set by vnet_grant_form_get() alone, its
 *		until is relative until then
 * @name:	the caller's to fill in
 */
struct vnet_grant_form {
	struct vnet_grant grant;
	char name[VNET_GRANT_NAME_SIZE];
	struct vnet_grant_lists lists;
};

/* Add what "@key=@value" says. Return: NULL, or what should have been there. */
VNET_API const char *vnet_grant_form_add(struct vnet_grant_form *f,
					 const char *key, size_t key_len,
					 const char *value, size_t len);

/* What was added, as a grant that begins at @now. It lends from @f. */
VNET_API struct vnet_grant vnet_grant_form_get(const struct vnet_grant_form *f,
					       vnet_nsec now);

/* Make it: vnet_grant_add(), of what vnet_grant_form_get() gives, with the queue,
 * the rate and the time of its parent where it says none. */
VNET_API int vnet_grant_form_make(const struct vnet_grant_form *f,
				  struct vnet_switch *sw, vnet_grant_id parent,
				  vnet_nsec now, vnet_grant_id *id,
				  enum vnet_grant_part *part,
				  struct vnet_why *why);

/* May its clients send from @mac? Of VNET_NO_ID, they may. */
VNET_API bool vnet_grant_has_mac(const struct vnet_switch *sw,
				 vnet_grant_id grant, struct vnet_mac mac);

/* An address that they may: @mac, or one that begins as the first that is granted
 * does, and ends as @mac. */
VNET_API struct vnet_mac vnet_grant_mac(const struct vnet_switch *sw,
					vnet_grant_id grant,
					struct vnet_mac mac);

VNET_END_DECLS

#endif
