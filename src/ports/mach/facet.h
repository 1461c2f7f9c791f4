/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facets: what each open of a vif gives. One is a right, and a client of the vif.
 *
 *	open	it is a client: sends, receives
 *	inert	closed, or its vif has gone: it answers, and drops what is
 *		written. A new filter opens it again, while its vif is there
 *	doomed	nobody has its right any more, and a thread is still at its
 *		memory: it goes as soon as that is done
 */
#ifndef VNET_MACH_FACET_H
#define VNET_MACH_FACET_H

#include "device.h"
#include "netf.h"
#include "server.h"
#include "writes.h"

struct vnet_mach_master;

/* Reads that wait, at the most. */
#define VNET_MACH_MAX_READS 8

/* Octets of the frames that wait to be read. */
#define VNET_MACH_READ_OCTETS 65536

/* The longest frame of a vif, with a tag. With two, or where its MTU was changed
 * since, there may be longer ones: net_rcv_msg does not hold them. */
#define VNET_MACH_FRAME_MAX (VNET_ETH_HEADER_LEN + 4 + VNET_MACH_MTU_MAX)

/* A filter, and the right that hears what it takes. */
struct vnet_mach_filter {
	mach_port_t right; /* one reference */
	int priority;
	bool was_sent; /* the frame under way, to this right */
	struct vnet_netf program;
};

/* A device_read that waits. */
struct vnet_mach_read {
	struct vnet_mach_reply reply;
	uint32_t wanted;
	bool is_inband;
};

struct vnet_mach_facet {
	struct vnet_mach_device device; /* first */
	struct vnet_mach_facet *next;
	struct vnet_mach_vif *vif;       /* NULL: it has gone */
	struct vnet_mach_master *master; /* it was opened on; or NULL */
	vnet_port_id port;
	vnet_client_id client; /* VNET_NO_ID: inert */
	uint32_t access;
	int flags; /* NET_FLAGS */
	uint32_t mtu;
	struct vnet_mac mac; /* as last seen: one that is inert has it, too */

	/* In order of priority, those of one in the order they came. */
	struct vnet_mach_filter *filters[64];
	uint32_t nfilters;

	struct vnet_mach_writes writes;
	bool is_doomed;

	struct vnet_mach_read reads[VNET_MACH_MAX_READS];
	uint32_t nreads;
	uint8_t *ring; /* frames to be read; NULL: nobody has read yet */
	uint32_t ring_first, ring_octets;

	struct vnet_mach_facet_info count;
};

/* Open a vif. What vnet_mach_vif_open() returns. */
int vnet_mach_facet_open(struct vnet_mach *m, struct vnet_mach_vif *vif,
			 struct vnet_mach_master *master, uint32_t access,
			 struct vnet_mach_facet **facet);

/* End it, whatever its senders hold. */
void vnet_mach_facet_end(struct vnet_mach_facet *f);

/* It becomes inert: filters, reads, what waits to be read go. */
void vnet_mach_facet_close(struct vnet_mach_facet *f);

/* Its memory could be freed now, if it is doomed: a thread has done. */
void vnet_mach_facet_reap(struct vnet_mach_facet *f);

/* A vif goes. */
void vnet_mach_facets_revoke(struct vnet_mach *m, struct vnet_mach_vif *vif);

/* facet_counters.c: its client leaves the switch, if it is there; the vif keeps
 * what it has counted. */
void vnet_mach_facet_leave(struct vnet_mach_facet *f);
void vnet_mach_facet_info_add(struct vnet_mach_facet_info *sum,
			      const struct vnet_mach_facet_info *f);
/* What the facets of a vif count, and have counted. */
void vnet_mach_vif_sum(const struct vnet_mach *m,
		       const struct vnet_mach_vif *vif,
		       struct vnet_mach_facet_info *sum);
/* VNET_MACH_STATUS_CLIENT, or _VIF. */
kern_return_t vnet_mach_facet_get_counters(const struct vnet_mach_facet *f,
					   bool is_client, int *status,
					   uint32_t *count);

/* What it hears has changed: filters, reads. */
void vnet_mach_facet_listen(struct vnet_mach_facet *f);

/* facet_grant.c: become a client, with the vif's grant. What vnet_client_add()
 * returns, -EUSERS also where it has no address left. */
int vnet_mach_facet_add_client(struct vnet_mach_facet *f,
			       const struct vnet_port_info *port,
			       struct vnet_client_config *config);
/* Has its grant ended? */
bool vnet_mach_facet_is_revoked(const struct vnet_mach_facet *f);
/* Another one for a vif; facets that it has no room for are closed. */
void vnet_mach_facets_set_grant(struct vnet_mach *m, struct vnet_mach_vif *vif,
				vnet_grant_id grant);

/* facet_filter.c */
kern_return_t vnet_mach_facet_set_filter(struct vnet_mach_device *d,
					 mach_port_t right, int priority,
					 const uint16_t *words,
					 uint32_t nwords);
void vnet_mach_facet_clear_filters(struct vnet_mach_facet *f);
bool vnet_mach_facet_has_filters(const struct vnet_mach_facet *f,
				 uint32_t directions);
/* Give a frame to the rights of those filters that take it. Has any? */
bool vnet_mach_facet_send(struct vnet_mach_facet *f,
			  const struct vnet_frame *frame, uint32_t directions);

/* facet_read.c */
kern_return_t vnet_mach_facet_read(struct vnet_mach_device *d,
				   const struct vnet_mach_reply *reply,
				   dev_mode_t mode, uint32_t wanted,
				   bool is_inband);
void vnet_mach_facet_clear_reads(struct vnet_mach_facet *f);
/* Give a frame to the read that waits longest, or keep it for the next. */
bool vnet_mach_facet_keep(struct vnet_mach_facet *f,
			  const struct vnet_frame *frame);

/* facet_write.c */
kern_return_t vnet_mach_facet_write(struct vnet_mach_device *d,
				    vm_address_t data, vm_size_t len,
				    int *written);
kern_return_t vnet_mach_facet_write_inband(struct vnet_mach_device *d,
					   const void *data, uint32_t len,
					   int *written);
/* vnet_mach_job.run */
void vnet_mach_facet_work(struct vnet_mach_job *job, mach_port_t thread);

#endif
