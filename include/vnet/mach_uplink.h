/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Mach network device as a port: the kernel's, or a user-level driver's. All
 * that it receives comes in, what goes out it sends.
 *
 * It is a client like others of that device (<device/device.defs>): it opens it,
 * sets a filter that passes everything, makes it promiscuous, and looks every few
 * seconds whether this is still so, for the flags of a NIC belong to all who have
 * opened it. What is written to the device does not come in, by whomever: a filter
 * NETF_IN is not shown such frames. So the host's own stack may use the device
 * beside it, and hears what it hears, but the two do not hear each other.
 *
 * It never waits: each request is a message of its own, and its reply another one
 * that the server is handed. What a driver does not answer within
 * two seconds, or a write of which nothing is heard for five to ten, counts as its
 * death. The link of the port says whether the device is there: it is down until
 * all is set up, and from the death of a driver until its device was opened again,
 * which is tried after 0.1 s, then after twice as long each time, up to 5 s.
 *
 * A driver that knows one filter alone gives its frames to whoever has set his
 * last (rumpnet does). So when nothing has come for ten seconds the filter is set
 * again, and again after twice as long each time while nothing comes, up to ten
 * minutes.
 */
#ifndef VNET_MACH_UPLINK_H
#define VNET_MACH_UPLINK_H

#include <vnet/mach.h>

VNET_BEGIN_DECLS

/* vnet_mach_uplink_config.flags */
enum {
	/* Not promiscuous: what the NIC's own filter lets through. */
	VNET_MACH_UPLINK_NO_PROMISC = 1 << 0,
	/* All who are behind it use the NIC's own address outside: frames are
	 * rewritten, ARP, ND and DHCP in them, too. What comes from outside goes
	 * to the client that has the IP address it is for, as was learned from
	 * what the clients send; broadcasts and multicasts go as always. Not
	 * promiscuous either. */
	VNET_MACH_UPLINK_SHARED = 1 << 1,
	/* That only where the device will not be promiscuous. */
	VNET_MACH_UPLINK_MAY_SHARE = 1 << 2,
};

/**
 * struct vnet_mach_uplink_config - a device to use
 * @size:	sizeof(struct vnet_mach_uplink_config)
 * @port:	a port of VNET_ROLE_UPLINK without a client. Frames longer than
 *		what the device takes are refused, whatever its MTU
 * @name:	of the device, 1 to 127 octets; copied. What is asked for on
 *		@master: "eth0", or "eth" where @master is a node of a file
 *		system. No master right of this server passes on a device_open
 *		of that name
 * @master:	a send right to open it with: a device master, a node. Taken
 * @device:	a send right to the device, opened already: then no @master.
 *		Taken
 * @flags:	VNET_MACH_UPLINK_*
 * @want_right:	the right to open it with, or the one that was given, is dead:
 *		whoever knows of another calls vnet_mach_uplink_give(). Called
 *		under the lock, must not wait nor call that itself; called
 *		again, less and less often (5 s), until there is one. NULL where
 *		there is no other: the link stays down then
 * @ctx:	handed to it
 * @max_shared:	where frames are rewritten: the most MAC addresses behind it that
 *		are known by their IP addresses, 1024 at the most; 0 for 64
 */
struct vnet_mach_uplink_config {
	size_t size;
	vnet_port_id port;
	const char *name;
	mach_port_t master;
	mach_port_t device;
	uint32_t flags;
	void (*want_right)(void *ctx, vnet_port_id port);
	void *ctx;
	uint32_t max_shared;
};

/**
 * vnet_mach_uplink_add() - use a device
 * @why:	filled on failure; may be NULL
 *
 * It is opened behind the return. That there is no such device yet is no
 * failure: it is looked for, as after the death of a driver.
 *
 * Return: 0; -EINVAL if the configuration is wrong, or @master or @device is no
 * send right or one to this server itself, otherwise as vnet_client_add().
 */
VNET_API int vnet_mach_uplink_add(struct vnet_mach *m,
				  const struct vnet_mach_uplink_config *config,
				  struct vnet_why *why);

/* Give back the device; the port stays, with its link down. Removing the port, or
 * its client, does this, too. Return: 0; -ENOENT if that is no uplink. */
VNET_API int vnet_mach_uplink_remove(struct vnet_mach *m, vnet_port_id port);

/**
 * vnet_mach_uplink_give() - another right for the same device
 * @master:	as in struct vnet_mach_uplink_config
 * @device:	likewise; one of both
 *
 * Takes the place of what there was. It is opened at once, and what is open now
 * is given back.
 *
 * Return: 0; -ENOENT, -EINVAL as vnet_mach_uplink_add().
 */
VNET_API int vnet_mach_uplink_give(struct vnet_mach *m, vnet_port_id port,
				   mach_port_t master, mach_port_t device);

enum vnet_mach_uplink_state {
	VNET_MACH_UPLINK_NO_RIGHT = 0, /* wants one: see want_right */
	VNET_MACH_UPLINK_WAITING,      /* for the time to try again */
	VNET_MACH_UPLINK_OPENING,      /* asks, or sets up */
	VNET_MACH_UPLINK_UP,
};

/**
 * struct vnet_mach_uplink_info - an uplink as it is
 * @size:	sizeof(struct vnet_mach_uplink_info), set by the caller
 * @client:	of its port
 * @name:	of the device
 * @state:	how far it has come
 * @error:	what the last attempt failed of: KERN_SUCCESS while there was
 *		none, an error of Mach or of the device. MIG_TYPE_ERROR is an
 *		answer that is none, MIG_SERVER_DIED that the request was thrown
 *		away, MACH_RCV_TIMED_OUT that nothing came in time,
 *		MACH_SEND_INVALID_DEST that the driver, or who opens it, has
 *		died, KERN_INVALID_CAPABILITY that what it opens is our own
 * @mac:	of the NIC, zero while it is not known
 * @mtu:	of the NIC, 0 while it is not known
 * @flags:	NET_FLAGS as read last
 * @promisc_refused: the device was asked to be promiscuous and is not: of what
 *		is not to its own address it receives groups alone
 * @is_shared:	frames are rewritten, see VNET_MACH_UPLINK_SHARED
 * @in_flight:	writes that the driver has not answered
 * @opens:	how often it was set up
 * @losses:	how often it was lost again, and attempts that failed
 * @timeouts:	of these, for the driver gave no answer
 * @flags_reset: how often NET_FLAGS were set again for another one had changed
 *		them
 * @filter_reset: how often the filter was set again for nothing came
 * @received:	frames that came in
 * @received_bad: messages to where frames come in that were none
 * @written:	frames sent to the driver; counted as delivered by the switch, and
 *		of these
 * @write_errors: those to which it has answered with an error
 * @write_lost:	those that nothing will be heard of: it died, or threw them away
 * @write_full:	how often its queue was full. A frame that found it full waits
 *		in the port's queue for the driver's next answer; where none is
 *		due, it is dropped (refused)
 * @write_length: frames refused for their length
 * @strays:	answers that nobody had asked for
 * @shared_unknown: frames from outside that were dropped, for no client was known
 *		to have the IP address they were for, or they had none
 * @shared_conflicts: claims of an IP address that stayed another client's, or
 *		found no place
 */
struct vnet_mach_uplink_info {
	size_t size;
	vnet_client_id client;
	char name[VNET_MACH_NAME_SIZE];
	enum vnet_mach_uplink_state state;
	kern_return_t error;
	struct vnet_mac mac;
	uint32_t mtu;
	uint32_t flags;
	bool promisc_refused;
	bool is_shared;
	uint32_t in_flight;
	uint64_t opens;
	uint64_t losses;
	uint64_t timeouts;
	uint64_t flags_reset;
	uint64_t filter_reset;
	uint64_t received;
	uint64_t received_bad;
	uint64_t written;
	uint64_t write_errors;
	uint64_t write_lost;
	uint64_t write_full;
	uint64_t write_length;
	uint64_t strays;
	uint64_t shared_unknown;
	uint64_t shared_conflicts;
};

/* Read an uplink. Under the lock. Return: 0; -ENOENT if that is no uplink,
 * -EINVAL for an unknown info->size. */
VNET_API int vnet_mach_uplink_get(const struct vnet_mach *m, vnet_port_id port,
				  struct vnet_mach_uplink_info *info);

VNET_END_DECLS

#endif
