/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared-address uplink: a NIC that receives for its own address alone.
 *
 * Where a NIC cannot be made promiscuous (rumpnet, Wi-Fi), all clients have its
 * address outside. Frames for the outside are rewritten as if the NIC had sent
 * them; frames from outside go to the client that has the IP address that they
 * are for, which is learnt from what the clients send. Frames between clients
 * are none of its business.
 *
 * What a client is to know of it: until it has sent something from an IP address
 * (a packet, ARP, ND) or got it by DHCP, it is sent nothing but broadcasts and
 * multicasts; protocols other than ARP and IP reach it in no other way; what
 * signs or hides link-layer addresses (SEND, AH over ND) does not survive.
 *
 * A passive object: it sends nothing, and has no clock.
 */
#ifndef VNET_MACH_SHARED_H
#define VNET_MACH_SHARED_H

#include <vnet/types.h>

struct vnet_shared;

/* What is to become of a frame. */
enum vnet_shared_verdict {
	VNET_SHARED_PASS = 0,
	/* shorter than an Ethernet header, or not from an address that somebody
	 * can have */
	VNET_SHARED_MALFORMED,
	/* from outside: for an IP address that no client is known to have */
	VNET_SHARED_UNKNOWN,
	/* from outside: neither ARP nor IP, or not whole */
	VNET_SHARED_NO_ADDRESS,
	/* from outside: for the address of another NIC */
	VNET_SHARED_FOREIGN,
	/* from outside: from the NIC's address, so one of ours come back */
	VNET_SHARED_OWN,
	VNET_SHARED_NVERDICTS
};

/**
 * struct vnet_shared_config - a shared address to make
 * @size:	sizeof(struct vnet_shared_config)
 * @alloc:	where its memory comes from; copied. Called by create and
 *		destroy only
 * @nic:	the address of the NIC: not a group, not zero
 * @max_clients: the most MAC addresses that it knows; 0 for 64, 1024 at the
 *		most. One that comes when there are so many has none of what is
 *		below, until another was silent for @ageing_s
 * @max_addrs:	the most IP addresses of each, all VLANs together; 0 for 16,
 *		63 at the most
 * @ageing_s:	seconds after which an address that its client does not use is
 *		forgotten; 0 for 1200: neighbours that have it in their ARP
 *		table may ask for it again no sooner
 * @quiet_s:	seconds that a client must not have used an address for another
 *		to take it by announcing it (ARP, ND); 0 for 30
 */
struct vnet_shared_config {
	size_t size;
	const struct vnet_alloc *alloc;
	struct vnet_mac nic;
	uint32_t max_clients;
	uint32_t max_addrs;
	uint32_t ageing_s;
	uint32_t quiet_s;
};

/* Return: 0; -EINVAL if the configuration is wrong, -ENOMEM. */
int vnet_shared_create(struct vnet_shared **s,
		       const struct vnet_shared_config *config,
		       struct vnet_why *why);

/* NULL is nothing to do. */
void vnet_shared_destroy(struct vnet_shared *s);

/**
 * vnet_shared_out() - make a frame of a client one of the NIC
 * @data:	the frame, tags in its octets, checksums computed; rewritten
 * @len:	octets of it, any number
 * @now:	time; a step back counts as the last time given
 *
 * The source becomes the NIC's address, and so does, with the checksum corrected,
 * what tells others what to send to: the hardware address of the sender in ARP,
 * and that of the target where it is the client's own; the source and target
 * link-layer options of ND, that of a redirect only where it is a client's.
 * Requests of BOOTP and DHCP ask for replies by broadcast; the client's own
 * address in them stays, it is what the client is known by.
 *
 * All that is behind at most two tags (0x8100, 0x88a8), and of fragments the
 * first. Of other frames only the source is rewritten.
 *
 * Learns the IP addresses of the client, which is the source, per VLAN: the
 * source of IP, the sender in ARP, the target of neighbour advertisements. An
 * address is one client's. Another takes it if its client has not used it for
 * ageing_s, or if it announces it, by ARP or by ND, and its client has not used
 * it for quiet_s. What does not come to that goes out all the same, and is
 * counted as a conflict.
 *
 * Return: VNET_SHARED_PASS or VNET_SHARED_MALFORMED.
 */
enum vnet_shared_verdict vnet_shared_out(struct vnet_shared *s, uint8_t *data,
					 uint32_t len, vnet_nsec now);

/**
 * vnet_shared_in() - make a frame from outside one for a client
 * @data:	as it came; rewritten
 * @len:	octets of it, any number
 * @now:	time; a step back counts as the last time given
 *
 * Broadcasts and multicasts stay as they are. A frame for the NIC's address is
 * given the address of the client that has the IP address it is for, in ARP also
 * as hardware address of the target; a reply of BOOTP or DHCP that of the client
 * that it names, if it is one; an ARP reply to a probe, which is for no IP address, that of
 * the client that has probed for the sender's within 10 seconds.
 *
 * A DHCPACK of the client's own transaction announces the address it gives.
 *
 * Return: VNET_SHARED_PASS, or why it is not to be passed on.
 */
enum vnet_shared_verdict vnet_shared_in(struct vnet_shared *s, uint8_t *data,
					uint32_t len, vnet_nsec now);

/* Forget a client that has gone. */
void vnet_shared_forget(struct vnet_shared *s, const struct vnet_mac *client);

/* The NIC has another address now. What it is is checked as in
 * vnet_shared_create(). Return: 0, or -EINVAL. */
int vnet_shared_set_nic(struct vnet_shared *s, const struct vnet_mac *nic);

/* How many claims of an IP address, that was another client's and stayed it, or
 * that found no place, there have been. */
uint64_t vnet_shared_conflicts(const struct vnet_shared *s);

/* For tests: does everything inside agree? */
bool vnet_shared_check(const struct vnet_shared *s);

#endif
