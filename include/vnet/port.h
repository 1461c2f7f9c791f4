/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports, the attachment points of a switch: their roles, and the contract of a
 * port driver.
 */
#ifndef VNET_PORT_H
#define VNET_PORT_H

#include <vnet/types.h>
#include <vnet/frame.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/* What a port faces. */
enum vnet_role {
	VNET_ROLE_VIF = 0,    /* clients: network stacks, or a child switch */
	VNET_ROLE_UPLINK = 1, /* the outside: a NIC, or a switch with more
			       * rights. Nothing passes from one uplink to
			       * another, unless uplink_transit is on */
};

/* Octets of a port's name, with the terminating NUL. */
#define VNET_PORT_NAME_SIZE 32

/* Bounds of an MTU. The least is IPv4's (RFC 791), the most is what an IP
 * header can express. */
#define VNET_MTU_MIN     68
#define VNET_MTU_MAX     65535
#define VNET_MTU_DEFAULT 1500

/* vnet_port_config.flags */
enum {
	/* The clients of a vif have an address each, and not one together; it is
	 * not learned on another client of the vif. For the life of the port. */
	VNET_PORT_PER_CLIENT = 1 << 0,
	/* No client of a vif is sent what another one of it has written, but by
	 * its filters VNET_RECEIVE_OUT: those of a plain network interface do
	 * not hear each other either. */
	VNET_PORT_NO_SIBLINGS = 1 << 1,
	/* An address learned on a client of this port does not move to another
	 * one while it is known. */
	VNET_PORT_STICKY = 1 << 2,
	/* A loop probe goes out every loop_probe_s of the switch. Where one
	 * comes back, the younger of the two ports has its link set down, with
	 * VNET_EVENT_LOOP, until vnet_port_set_link() sets it up; an uplink
	 * counts as older than every vif, so that nobody behind a vif can close
	 * it, and else a client that has a grant as younger than who has none:
	 * who gives a probe back in spite of one is closed whatever its age, be
	 * it an uplink. Of a vif with several clients, only the client is
	 * closed, until the link was set down and up. Switches that may meet
	 * need different seeds to tell their probes apart. */
	VNET_PORT_LOOP_GUARD = 1 << 3,
};

/**
 * struct vnet_port_config - a port to add
 * @size:	sizeof(struct vnet_port_config)
 * @name:	1 to 31 octets, unique in the switch; copied
 * @role:	what it faces
 * @mac:	its address, reported by vnet_port_get(); the switch itself
 *		never sends from it. Not a group; all zero where it has none
 * @mtu:	octets behind the Ethernet header (and up to two tags) that a
 *		frame to this port may have; 0 for VNET_MTU_DEFAULT
 * @link_down:	true adds it with its link down
 * @flags:	VNET_PORT_*. VNET_PORT_PER_CLIENT: only a vif that has an
 *		address
 */
struct vnet_port_config {
	size_t size;
	const char *name;
	enum vnet_role role;
	struct vnet_mac mac;
	uint32_t mtu;
	bool link_down;
	uint32_t flags;
};

/**
 * struct vnet_port_info - a port as it is
 * @size:	sizeof(struct vnet_port_info), set by the caller
 * @client:	its first client, VNET_NO_ID if it has none; for the others see
 *		vnet_client_next()
 * @clients:	how many it has
 * @link:	true if it is up. A port without a client may be up: there is
 *		just nobody to send to
 * The rest is as in struct vnet_port_config.
 */
struct vnet_port_info {
	size_t size;
	vnet_port_id id;
	vnet_client_id client;
	uint32_t clients;
	char name[VNET_PORT_NAME_SIZE];
	enum vnet_role role;
	struct vnet_mac mac;
	uint32_t mtu;
	bool link;
	uint32_t flags;
};

/**
 * vnet_port_add() - add a port to a switch
 * @id:		set on success
 * @why:	filled on failure; may be NULL
 *
 * Return: 0; -EINVAL if the configuration is wrong, -EEXIST if there is a port
 * of that name, -ENOSPC if there are max_ports, -ENOMEM, -EBUSY from inside a
 * driver's send.
 */
VNET_API int vnet_port_add(struct vnet_switch *sw,
			   const struct vnet_port_config *config,
			   vnet_port_id *id, struct vnet_why *why);

/**
 * vnet_port_remove() - remove a port and its clients
 *
 * From the return on nothing finds it. What was queued for its clients is
 * counted as removed in the switch's totals, then the drivers are closed. What
 * refers to it elsewhere goes in bounded steps, by vnet_switch_tick().
 *
 * Return: 0; -ENOENT, -EBUSY from inside a driver's send.
 */
VNET_API int vnet_port_remove(struct vnet_switch *sw, vnet_port_id id);

/**
 * vnet_port_set_link() - tell the switch that a port's link is up, or down
 *
 * A port that is down is sent nothing and sends nothing: frames for it are not
 * flooded to it or counted as link_down, as are those from it and what was
 * queued. Its learned addresses are forgotten. Setting a link up also ends the
 * state that a broken driver, or a loop, left behind.
 *
 * Return: 0; -ENOENT, -EBUSY from inside a driver's send.
 */
VNET_API int vnet_port_set_link(struct vnet_switch *sw, vnet_port_id id,
				bool up);

/* Change a port's MTU, for frames from now on: what is queued leaves as it is.
 * Return: 0; -ENOENT, -EINVAL if out of bounds, -EBUSY. */
VNET_API int vnet_port_set_mtu(struct vnet_switch *sw, vnet_port_id id,
			       uint32_t mtu);

/* Change its flags, for frames from now on. Return: 0; -ENOENT, -EINVAL if they
 * are unknown, or differ in VNET_PORT_PER_CLIENT, -EBUSY. */
VNET_API int vnet_port_set_flags(struct vnet_switch *sw, vnet_port_id id,
				 uint32_t flags);

/* An address that is made of a name and 16 octets of @seed: always the same,
 * locally administered (IEEE 802, 8.4), and not to be foretold without the
 * seed (SipHash-2-4). */
VNET_API struct vnet_mac vnet_mac_derive(const uint8_t seed[16],
					 const char *name);

/* Read a port. Return: 0; -ENOENT, -EINVAL for an unknown info->size. */
VNET_API int vnet_port_get(const struct vnet_switch *sw, vnet_port_id id,
			   struct vnet_port_info *info);

/* The port of that name, or VNET_NO_ID. */
VNET_API vnet_port_id vnet_port_find(const struct vnet_switch *sw,
				     const char *name);

/* The port behind @id in order of slots, the first for VNET_NO_ID, VNET_NO_ID
 * behind the last. A port that was removed in between does not disturb. */
VNET_API vnet_port_id vnet_port_next(const struct vnet_switch *sw,
				     vnet_port_id id);

/* vnet_driver_ops.carries: what send may be handed unresolved. What needs CSUM
 * counts only beside it. */
enum {
	VNET_CARRIES_CSUM = 1 << 0, /* VNET_FRAME_CSUM_PARTIAL */
	VNET_CARRIES_TSO4 = 1 << 1, /* VNET_GSO_TCP4; needs CSUM */
	VNET_CARRIES_TSO6 = 1 << 2, /* VNET_GSO_TCP6; needs CSUM */
	VNET_CARRIES_USO = 1 << 3,  /* VNET_GSO_UDP; needs CSUM */
	VNET_CARRIES_TAGS = 1 << 4, /* vnet_frame.tag */
};

/**
 * struct vnet_driver_ops - a port driver
 * @size:	sizeof(struct vnet_driver_ops)
 * @carries:	VNET_CARRIES_*: what the medium does by itself. What it does
 *		not, the switch does once, on the way out
 * @send:	take frames, in order. They are lent. Returns how many were
 *		taken; fewer than @n means that the medium is full, and the
 *		driver then owes one vnet_client_output() when it has room.
 *		*@refused (0 at the call) says how many of those taken the
 *		medium will never take: they are counted as drops (in octets, as
 *		if they were the last ones). -errno means broken: all @n are
 *		dropped, the link goes down, one event is
 *		raised, and send is not called again until the link is set up
 *		(of a vif with more clients: that client alone is broken, and is
 *		sent nothing until the link was set down and up).
 *		A full medium is never an error. Never blocks, never calls the
 *		switch that called it; it may call another one
 * @close:	the client has gone from the switch; free @ctx. Called once,
 *		never from inside send. May be NULL
 *
 * Constant for the life of the client. Calls come from the thread that calls
 * the switch.
 */
struct vnet_driver_ops {
	size_t size;
	uint32_t carries;
	int (*send)(void *ctx, const struct vnet_frame *frames, size_t n,
		    size_t *refused);
	void (*close)(void *ctx);
};

VNET_END_DECLS

#endif
