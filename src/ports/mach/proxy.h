/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proxy as its parts see it.
 */
#ifndef VNET_MACH_PROXY_PARTS_H
#define VNET_MACH_PROXY_PARTS_H

#include <vnet/mach_proxy.h>

#include "call.h"
#include "endpoint.h"

struct vnet_proxy_lookup;
struct vnet_proxy_reauth;

/* Why messages to a wrapper are left in its queue. */
enum {
	VNET_PROXY_HELD_FULL = 1 << 0,    /* the proc server's queue is */
	VNET_PROXY_HELD_LOOKUPS = 1 << 1, /* that many calls are under way */
	VNET_PROXY_HELD_REAUTH = 1 << 2,  /* the real right is replaced */
};

/* The most calls of a wrapper for process rights that are under way. */
#define VNET_PROXY_LOOKUPS 8

struct vnet_proxy_wrapper {
	struct vnet_mach_endpoint right; /* that the program has */
	struct vnet_mach_named real;     /* one reference is ours */
	struct vnet_mach_sender sender;  /* to the real one */
	struct vnet_proxy *proxy;
	struct vnet_proxy_wrapper *next, **link;
	uint32_t held; /* VNET_PROXY_HELD_* */
	uint32_t nlookups;
	struct vnet_proxy_lookup *lookups;
	struct vnet_proxy_reauth *reauth; /* NULL if none is under way */
	struct vnet_proxy_ids ids;
};

struct vnet_proxy {
	struct vnet_mach_ends ends;
	struct vnet_mach_endpoint notify; /* only the kernel sends */
	struct vnet_mach_names reals;     /* wrappers by their real right */
	struct vnet_proxy_wrapper *wrappers;
	struct vnet_proxy_config config;
	struct vnet_proxy_stats stats;
};

/* Find the wrapper of @real, of which one reference is taken if it succeeds, or
 * make one with @ids. It has one send right more, under the name of its receive
 * right, to be moved to the program. */
int vnet_proxy_wrapper_get(struct vnet_proxy *p, mach_port_t real,
			   const struct vnet_proxy_ids *ids,
			   struct vnet_proxy_wrapper **w);
/* End it, and all that is under way of it. */
void vnet_proxy_wrapper_end(struct vnet_proxy_wrapper *w);

/* Put another right in the place of the real one; taken if it succeeds. */
int vnet_proxy_wrapper_replace(struct vnet_proxy_wrapper *w, mach_port_t real);

void vnet_proxy_wrapper_hold(struct vnet_proxy_wrapper *w, uint32_t why);
void vnet_proxy_wrapper_release(struct vnet_proxy_wrapper *w, uint32_t why);

/* Let @fresh be its right from now on; the one that it had dies. It is held. */
void vnet_proxy_wrapper_move(struct vnet_proxy_wrapper *w,
			     struct vnet_mach_endpoint *fresh);

/* Pass a message on to the real one. Return: false if that cannot be; it is
 * destroyed then. */
bool vnet_proxy_wrapper_forward(struct vnet_proxy_wrapper *w,
				mach_msg_header_t *in);
/* A message that was forced into the full queue of @real has been taken. */
void vnet_proxy_accepted(struct vnet_proxy *p, mach_port_t real);
/* @real is dead. */
void vnet_proxy_died(struct vnet_proxy *p, mach_port_t real);

/* A program asks for a process right. */
void vnet_proxy_lookup_begin(struct vnet_proxy_wrapper *w,
			     mach_msg_header_t *in);
void vnet_proxy_lookup_cancel_all(struct vnet_proxy_wrapper *w);

/* A program begins to authenticate anew. */
void vnet_proxy_reauth_begin(struct vnet_proxy_wrapper *w,
			     mach_msg_header_t *in);
void vnet_proxy_reauth_cancel(struct vnet_proxy_wrapper *w);
/* It has taken too long? */
void vnet_proxy_reauth_tick(struct vnet_proxy_wrapper *w, vnet_nsec now);
vnet_nsec vnet_proxy_reauth_deadline(const struct vnet_proxy_wrapper *w);

bool vnet_proxy_is_root(const struct vnet_proxy_ids *ids);

void *vnet_proxy_get_memory(struct vnet_proxy *p, size_t size, size_t align);
void vnet_proxy_put_memory(struct vnet_proxy *p, void *memory, size_t size);

#endif
