/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <hurd.h>
#include <string.h>
#include <sys/stat.h>

#include <device/device_types.h>
#include <hurd/fs.h>
#include <hurd/fshelp.h>
#include <hurd/fsys.h>
#include <hurd/io.h>
#include <mach/mig_errors.h>

#include "nodes.h"

/* <device/device.defs>, and what glibc has beside it. */
#define DEVICE_OPEN     2800
#define DEVICE_OPEN_NEW 2806

struct port_bucket *nodes_bucket;
static struct port_class *control_class, *protid_class;

int trivfs_fstype = FSTYPE_DEV;
int trivfs_fsid = 0;
int trivfs_support_read = 0;
int trivfs_support_write = 0;
int trivfs_support_exec = 0;
int trivfs_allow_open = O_READ | O_WRITE;

/* What goes to who has opened. */
struct open_reply {
	mig_reply_header_t head;
	mach_msg_type_t type;
	mach_port_t right;
};

void
trivfs_modify_stat(struct trivfs_protid *cred, io_statbuf_t *st)
{
	(void)cred;
	st->st_mode = (st->st_mode & ~(mode_t)S_IFMT) | S_IFCHR;
}

/* struct vnet_mach's access callback: all that was asked for, or nothing. Who asks
 * for neither gets what they may have. */
static uint32_t
access_of(void *ctx, uint32_t mode)
{
	const struct trivfs_protid *cred = ctx;
	uint32_t may = 0;
	io_statbuf_t st;

	if (io_stat(cred->po->cntl->underlying, &st))
		return 0;
	if (!fshelp_access(&st, S_IREAD, cred->user))
		may |= VNET_MACH_READ;
	if (!fshelp_access(&st, S_IWRITE, cred->user))
		may |= VNET_MACH_WRITE;
	if ((mode & D_READ && !(may & VNET_MACH_READ)) ||
	    (mode & D_WRITE && !(may & VNET_MACH_WRITE)))
		return 0;
	if (mode & (D_READ | D_WRITE))
		may &= (mode & D_READ ? VNET_MACH_READ : 0U) |
		       (mode & D_WRITE ? VNET_MACH_WRITE : 0U);
	return may;
}

static vnet_port_id
find(const struct node *node, const char *name)
{
	vnet_port_id port;

	vnet_mach_lock(node->m);
	port = vnet_port_find(node->sw, name);
	vnet_mach_unlock(node->m);
	return port;
}

/* Of both forms of the call, the mode comes first, and the name last: @size octets,
 * which need not end. Their lengths on i386 are those of MIG. */
static error_t
open_device(struct trivfs_protid *cred, const mach_msg_header_t *in,
	    mach_port_t *right)
{
	const struct node *node = cred->po->cntl->hook;
	const size_t offset = sizeof(*in) + sizeof(mach_msg_type_t);
	vnet_port_id port = node->port;
	char name[VNET_MACH_NAME_SIZE];
	uint32_t mode;
	int r;

	if (in->msgh_bits & MACH_MSGH_BITS_COMPLEX ||
	    in->msgh_size != (in->msgh_id == DEVICE_OPEN_NEW ? 164U : 172U))
		return MIG_BAD_ARGUMENTS;
	memcpy(&mode, (const char *)in + offset, sizeof(mode));
	memcpy(name, (const char *)in + in->msgh_size - sizeof(name),
	       sizeof(name));
	name[sizeof(name) - 1] = '\0';
	if (port == VNET_NO_ID)
		port = find(node, name);
	r = vnet_mach_vif_open(node->m, port, mode, access_of, cred, right);
	return r == -ENOENT ? D_NO_SUCH_DEVICE : -r;
}

/* The receiver of the message, which is a file's, or none. */
static struct trivfs_protid *
begin_using(const mach_msg_header_t *in)
{
	if (MACH_MSGH_BITS_LOCAL(in->msgh_bits) ==
	    MACH_MSG_TYPE_PROTECTED_PAYLOAD)
		return ports_lookup_payload(
			nodes_bucket, in->msgh_protected_payload, protid_class);
	return ports_lookup_port(nodes_bucket, in->msgh_local_port,
				 protid_class);
}

/* libports has begun a reply with an error, to which this adds. */
static void
answer(mach_msg_header_t *out, error_t err, mach_port_t right)
{
	struct open_reply *reply = (struct open_reply *)out;

	reply->head.RetCode = err;
	if (err)
		return;
	reply->head.Head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	reply->head.Head.msgh_size = sizeof(*reply);
	/* The facet waits for its first sender. */
	reply->type = (mach_msg_type_t){
		.msgt_name = MACH_MSG_TYPE_MAKE_SEND,
		.msgt_size = 8 * sizeof(right),
		.msgt_number = 1,
		.msgt_inline = TRUE,
	};
	reply->right = right;
}

int
nodes_demux(mach_msg_header_t *in, mach_msg_header_t *out)
{
	mach_port_t right = MACH_PORT_NULL;
	struct trivfs_protid *cred = NULL;

	if (in->msgh_id == DEVICE_OPEN || in->msgh_id == DEVICE_OPEN_NEW)
		cred = begin_using(in);
	if (!cred)
		return trivfs_demuxer(in, out);
	answer(out, open_device(cred, in, &right), right);
	ports_port_deref(cred);
	return TRUE;
}

error_t
nodes_init(void)
{
	error_t err = trivfs_add_port_bucket(&nodes_bucket);

	if (!err)
		err = trivfs_add_control_port_class(&control_class);
	if (!err)
		err = trivfs_add_protid_port_class(&protid_class);
	return err;
}

error_t
nodes_start(struct node *node)
{
	struct trivfs_control *control;
	mach_port_t bootstrap;
	error_t err;

	task_get_bootstrap_port(mach_task_self(), &bootstrap);
	if (bootstrap == MACH_PORT_NULL)
		return EDESTADDRREQ;
	err = trivfs_startup(bootstrap, 0, control_class, nodes_bucket,
			     protid_class, nodes_bucket, &control);
	mach_port_deallocate(mach_task_self(), bootstrap);
	if (!err)
		control->hook = node;
	return err;
}

error_t
nodes_bind(const char *file, struct node *node)
{
	struct trivfs_control *control;
	mach_port_t right;
	error_t err;
	file_t underlying = file_name_lookup(file, O_CREAT | O_NOTRANS, 0600);

	if (underlying == MACH_PORT_NULL)
		return errno;
	err = trivfs_create_control(underlying, control_class, nodes_bucket,
				    protid_class, nodes_bucket, &control);
	if (err) {
		mach_port_deallocate(mach_task_self(), underlying);
		return err;
	}
	/* Before anybody can open it. */
	control->hook = node;
	right = ports_get_send_right(control);
	err = file_set_translator(underlying, 0, FS_TRANS_EXCL | FS_TRANS_SET,
				  0, 0, 0, right, MACH_MSG_TYPE_COPY_SEND);
	mach_port_deallocate(mach_task_self(), right);
	ports_port_deref(control);
	return err;
}
