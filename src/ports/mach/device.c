/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server side of <device/device.defs>: what MIG's stubs call, and the answers
 * that come later (<device/device_reply.defs>).
 *
 * The stubs check what of a message is fixed. They do not check how long an array
 * is that lies in it.
 */
#include <string.h>

#include "device.h"
#include "device_server.h"
#include "server.h"
#include "wire.h"

/* <device/device_types.defs>: the most words of a filter, and of a status. */
#define FILTER_MAX 128

boolean_t device_server(mach_msg_header_t *in, mach_msg_header_t *out);

/* The stubs find the device by what is in the place of its right. */
bool
vnet_mach_device_message(struct vnet_mach_right *r, mach_msg_header_t *in,
			 mach_msg_header_t *out)
{
	const mach_msg_bits_t bits = in->msgh_bits;
	const unsigned long local = in->msgh_protected_payload;
	bool is_known;

	in->msgh_bits = (bits & ~(mach_msg_bits_t)MACH_MSGH_BITS_LOCAL_MASK) |
			MACH_MSGH_BITS(0, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
	in->msgh_protected_payload = (unsigned long)r;
	is_known = device_server(in, out);
	in->msgh_bits = bits;
	in->msgh_protected_payload = local;
	return is_known;
}

static struct vnet_mach_device *
device_of(vnet_mach_right_t r)
{
	return (struct vnet_mach_device *)(void *)r;
}

/* By a right that is no master: see master.c for those. */
kern_return_t
ds_device_open(mach_port_t master, mach_port_t reply,
	       mach_msg_type_name_t reply_type, dev_mode_t mode,
	       const_dev_name_t name, mach_port_t *device,
	       mach_msg_type_name_t *device_type)
{
	(void)master;
	(void)reply;
	(void)reply_type;
	(void)mode;
	(void)name;
	(void)device;
	(void)device_type;
	return D_INVALID_OPERATION;
}

kern_return_t
ds_device_close(vnet_mach_right_t r)
{
	struct vnet_mach_device *d = device_of(r);

	return d->ops->close ? d->ops->close(d) : KERN_SUCCESS;
}

kern_return_t
ds_device_write(vnet_mach_right_t r, mach_port_t reply,
		mach_msg_type_name_t reply_type, dev_mode_t mode,
		recnum_t recnum, io_buf_ptr_t data, mach_msg_type_number_t len,
		int *written)
{
	struct vnet_mach_device *d = device_of(r);

	(void)reply;
	(void)reply_type;
	(void)mode;
	(void)recnum;
	if (!d->ops->write)
		return D_INVALID_OPERATION;
	return d->ops->write(d, (vm_address_t)data, len, written);
}

kern_return_t
ds_device_write_inband(vnet_mach_right_t r, mach_port_t reply,
		       mach_msg_type_name_t reply_type, dev_mode_t mode,
		       recnum_t recnum, const io_buf_ptr_inband_t data,
		       mach_msg_type_number_t len, int *written)
{
	struct vnet_mach_device *d = device_of(r);

	(void)reply;
	(void)reply_type;
	(void)mode;
	(void)recnum;
	if (len > IO_INBAND_MAX)
		return D_INVALID_SIZE;
	if (!d->ops->write_inband)
		return D_INVALID_OPERATION;
	return d->ops->write_inband(d, data, len, written);
}

static kern_return_t
read_device(vnet_mach_right_t r, mach_port_t reply,
	    mach_msg_type_name_t reply_type, dev_mode_t mode, int wanted,
	    bool is_inband)
{
	struct vnet_mach_device *d = device_of(r);
	const struct vnet_mach_reply to = {reply, reply_type};

	if (!d->ops->read)
		return D_INVALID_OPERATION;
	/* Nobody could be told what was read. */
	if (!MACH_PORT_VALID(reply))
		return D_INVALID_OPERATION;
	return d->ops->read(d, &to, mode, wanted < 0 ? 0 : (uint32_t)wanted,
			    is_inband);
}

kern_return_t
ds_device_read(vnet_mach_right_t r, mach_port_t reply,
	       mach_msg_type_name_t reply_type, dev_mode_t mode,
	       recnum_t recnum, int wanted, io_buf_ptr_t *data,
	       mach_msg_type_number_t *len)
{
	(void)recnum;
	(void)data;
	(void)len;
	return read_device(r, reply, reply_type, mode, wanted, false);
}

kern_return_t
ds_device_read_inband(vnet_mach_right_t r, mach_port_t reply,
		      mach_msg_type_name_t reply_type, dev_mode_t mode,
		      recnum_t recnum, int wanted, io_buf_ptr_inband_t data,
		      mach_msg_type_number_t *len)
{
	(void)recnum;
	(void)data;
	(void)len;
	return read_device(r, reply, reply_type, mode, wanted, true);
}

kern_return_t
ds_device_map(vnet_mach_right_t r, vm_prot_t prot, vm_offset_t offset,
	      vm_size_t size, memory_object_t *pager, int unmap)
{
	(void)r;
	(void)prot;
	(void)offset;
	(void)size;
	(void)pager;
	(void)unmap;
	return D_INVALID_OPERATION;
}

kern_return_t
ds_device_set_status(vnet_mach_right_t r, dev_flavor_t flavor,
		     const dev_status_t status, mach_msg_type_number_t count)
{
	struct vnet_mach_device *d = device_of(r);

	if (count > DEV_STATUS_MAX)
		return D_INVALID_SIZE;
	if (!d->ops->set_status)
		return D_INVALID_OPERATION;
	return d->ops->set_status(d, flavor, status, count);
}

kern_return_t
ds_device_get_status(vnet_mach_right_t r, dev_flavor_t flavor,
		     const dev_status_t status, mach_msg_type_number_t *count)
{
	struct vnet_mach_device *d = device_of(r);
	uint32_t n = *count;
	kern_return_t k;

	if (!d->ops->get_status)
		return D_INVALID_OPERATION;
	k = d->ops->get_status(d, flavor, status, &n);
	*count = n;
	return k;
}

kern_return_t
ds_device_set_filter(vnet_mach_right_t r, mach_port_t receive, int priority,
		     const filter_array_t filter, mach_msg_type_number_t count)
{
	struct vnet_mach_device *d = device_of(r);

	if (count > FILTER_MAX)
		return D_INVALID_SIZE;
	if (!d->ops->set_filter)
		return D_INVALID_OPERATION;
	return d->ops->set_filter(d, receive, priority, filter, count);
}

kern_return_t
ds_device_intr_register(vnet_mach_right_t r, int id, int flags,
			mach_port_t receive)
{
	(void)r;
	(void)id;
	(void)flags;
	(void)receive;
	return D_INVALID_OPERATION;
}

kern_return_t
ds_device_intr_ack(vnet_mach_right_t r, mach_port_t receive)
{
	(void)r;
	(void)receive;
	return D_INVALID_OPERATION;
}

/*
 * Answers that come later
 */

#define READ_REPLY        2904
#define READ_INBAND_REPLY 2905

/* @data in memory of its own, which the message takes along. */
static bool
put_data(struct vnet_mach *m, struct vnet_wire_writer *w, const void *data,
	 uint32_t len)
{
	vm_address_t address = 0;

	if (len && m->sys->vm_allocate(&address, len))
		return false;
	if (len)
		memcpy((void *)address, data, len);
	vnet_wire_put_memory(w, address, len, true);
	return true;
}

static void
begin_answer(struct vnet_wire_writer *w, void *msg, size_t room,
	     const struct vnet_mach_reply *reply, bool is_inband,
	     kern_return_t error)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(reply->type, 0),
		.remote = reply->right,
		.id = is_inband ? READ_INBAND_REPLY : READ_REPLY,
	};

	vnet_wire_begin(w, msg, room, VNET_WIRE_HERE, &h);
	vnet_wire_put_return(w, error);
}

void
vnet_mach_device_answer(struct vnet_mach *m,
			const struct vnet_mach_reply *reply, bool is_inband,
			kern_return_t error, const void *data, uint32_t len)
{
	uint64_t msg[32];
	struct vnet_wire_writer w;

	begin_answer(&w, msg, sizeof(msg), reply, is_inband, error);
	if (!error && is_inband)
		vnet_wire_put_octets(&w, VNET_WIRE_CHAR, data, len, false);
	else if (!error && !put_data(m, &w, data, len))
		begin_answer(&w, msg, sizeof(msg), reply, is_inband,
			     D_NO_MEMORY);
	vnet_wire_end(&w);
	if (vnet_mach_send(m->sys, (mach_msg_header_t *)(void *)msg) !=
	    MACH_MSG_SUCCESS)
		m->stats.replies_lost++;
}
