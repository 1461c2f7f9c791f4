/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TAP as a port: the interface that a Linux network stack has, and the other
 * end of its cable.
 */
#ifndef VNET_TAP_H
#define VNET_TAP_H

#include <vnet/types.h>
#include <vnet/medium.h>

VNET_BEGIN_DECLS

/* The most that a TAP's MTU may be: 65535 less the Ethernet header. */
#define VNET_TAP_MTU_MAX 65521

enum vnet_tap_mode {
	VNET_TAP_ANY = 0, /* one of that name if there is one, else a new one */
	VNET_TAP_CREATE,  /* a new one: -EEXIST if there is one */
	VNET_TAP_ATTACH,  /* one that is there: -ENODEV if there is none */
};

/**
 * struct vnet_tap_config - a TAP to open
 * @size:	sizeof(struct vnet_tap_config)
 * @name:	1 to 15 octets; NULL for one that the kernel gives
 * @mode:	VNET_TAP_*. One that is there is a persistent one that nobody
 *		has open; its owner needs no privilege to open it
 * @netns:	the network namespace that it is in: a name of ip-netns(8), else
 *		a process id, or a path if it holds a slash; NULL for that of
 *		the calling thread, which stays where it is
 * @mac:	the interface's address; zero leaves it
 * @mtu:	the interface's, VNET_MTU_MIN to VNET_TAP_MTU_MAX; 0 leaves it
 * @addresses:	"ADDRESS/PREFIX", IPv4 or IPv6, to add to the interface; one
 *		that it has already is no error
 * @naddresses:	how many
 * @up:		true sets it up; false leaves it
 * @persist:	true lets it outlive the descriptor; false leaves it
 * @owner:	the user who may open it later, if it is persistent; NULL leaves
 *		it
 * @without:	VNET_CARRIES_*: what not to use, though the kernel would
 */
struct vnet_tap_config {
	size_t size;
	const char *name;
	enum vnet_tap_mode mode;
	const char *netns;
	struct vnet_mac mac;
	uint32_t mtu;
	const char *const *addresses;
	size_t naddresses;
	bool up;
	bool persist;
	const uint32_t *owner;
	uint32_t without;
};

/**
 * vnet_tap_open() - create a TAP, or open one that is there
 * @m:		set on success
 * @media:	outlives it
 * @why:	filled when it fails, with the step that did; may be NULL. Its
 *		index is that of the address, where it is an address
 *
 * A TAP that this call has made and that is not complete is gone again.
 *
 * Return: 0; -EINVAL if the configuration is wrong, -ENOMEM, or what the kernel
 * says: -EPERM, -EBUSY if somebody has it open, -ENOENT if there is no such
 * namespace or no TAP device here, ...
 */
VNET_API int vnet_tap_open(struct vnet_medium **m, struct vnet_media *media,
			   const struct vnet_tap_config *config,
			   struct vnet_why *why);

/**
 * vnet_tap_adopt() - take a TAP that somebody else has opened
 * @fd:		of /dev/net/tun, behind TUNSETIFF with IFF_TAP and IFF_NO_PI;
 *		the medium's on success, and non-blocking from then on. Without
 *		IFF_VNET_HDR it carries no offloads
 * @without:	VNET_CARRIES_*: what not to use
 *
 * Return: as vnet_tap_open().
 */
VNET_API int vnet_tap_adopt(struct vnet_medium **m, struct vnet_media *media,
			    int fd, uint32_t without, struct vnet_why *why);

/**
 * struct vnet_tap_change - what to change of a TAP's interface
 * @size:	sizeof(struct vnet_tap_change)
 * @mac:	its address; zero leaves it
 * @mtu:	VNET_MTU_MIN to VNET_TAP_MTU_MAX; 0 leaves it
 * @up:		to set it up, or down; NULL leaves it
 * @remove:	"ADDRESS/PREFIX" to remove from it; one that it does not have is
 *		no error. Linux may remove those of the same IPv4 network with
 *		one: what is to stay belongs in @add
 * @nremove:	how many
 * @add:	to add to it, after that; one that it has already is no error
 * @nadd:	how many
 */
struct vnet_tap_change {
	size_t size;
	struct vnet_mac mac;
	uint32_t mtu;
	const bool *up;
	const char *const *remove;
	size_t nremove;
	const char *const *add;
	size_t nadd;
};

/**
 * vnet_tap_change() - change a TAP's interface
 * @m:		a medium of a TAP that is open, attached or not
 * @why:	filled when it fails, with the step that did; may be NULL. Its
 *		index is that of the address, where it is an address
 *
 * In the network namespace where it is now. What came before the step that
 * failed stays changed: down, addresses to remove, MAC and MTU, addresses to
 * add, up is the order.
 *
 * Return: 0; -EINVAL if @change is wrong or @m is no TAP, or what the kernel
 * says: -EPERM, -EBADFD if the interface is gone, ...
 */
VNET_API int vnet_tap_change(struct vnet_medium *m,
			     const struct vnet_tap_change *change,
			     struct vnet_why *why);

VNET_END_DECLS

#endif
