/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a translator: each opens a vif, whatever name it is asked for, or
 * all of them by name.
 *
 * Who may: the permissions of the file decide, by the ids of whoever has looked it
 * up, at each device_open. A look-up alone needs none.
 */
#ifndef NODES_H
#define NODES_H

#include <hurd/ports.h>
#include <hurd/trivfs.h>

#include <vnet/mach.h>

/* Of all files. */
extern struct port_bucket *nodes_bucket;

/* A file by name is VNET_NO_ID. */
struct node {
	struct vnet_mach *m;
	struct vnet_switch *sw;
	vnet_port_id port;
};

error_t nodes_init(void);

/* The file that the translator is set on. */
error_t nodes_start(struct node *node);

/* Set it on a further one, which is made if it is not there. */
error_t nodes_bind(const char *file, struct node *node);

/* Handle what comes to files: for ports_manage_port_operations_...(). */
int nodes_demux(mach_msg_header_t *in, mach_msg_header_t *out);

#endif
