/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MIG's server takes the requests apart, so whatever a call here refuses, it
 * frees: memory and rights of a request are then gone in any case.
 */
#include <string.h>

#include <mach.h>

#include <device/device_types.h>
#include <device/net_status.h>
#include <mach/mig_errors.h>

#include <device/device_server.h>

#include "if_flags.h"
#include "msg_destroy.h"
#include "nic.h"
#include "nic_filter.h"

#define ETHER_HEADER      14
#define NET_ADDRESS_COUNT 2

boolean_t device_server(mach_msg_header_t *in, mach_msg_header_t *out);

/* What the calls below are about. */
static struct nic *served;

void
nic_open(struct nic *n, mach_port_t set)
{
	const mach_port_t self = mach_task_self();

	n->flags = IFF_UP | IFF_RUNNING;
	mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &n->device);
	mach_port_move_member(self, n->master, set);
	mach_port_move_member(self, n->device, set);
	served = n;
}

static void
drop_right(mach_port_t right)
{
	if (MACH_PORT_VALID(right))
		mach_port_deallocate(mach_task_self(), right);
}

void
nic_answer(struct nic *n, mach_msg_header_t *request)
{
	static uint32_t buffer[NIC_MSG_SIZE / 4];
	mig_reply_header_t *reply = (mig_reply_header_t *)buffer;
	mach_msg_return_t err;

	served = n;
	if (n->faults.mute)
		return;
	if (!device_server(request, &reply->Head) ||
	    reply->RetCode == MIG_BAD_ARGUMENTS ||
	    reply->RetCode == MIG_TYPE_ERROR)
		msg_destroy_body(request);
	if (reply->RetCode == MIG_NO_REPLY ||
	    !MACH_PORT_VALID(reply->Head.msgh_remote_port))
		return;
	err = mach_msg(&reply->Head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
		       reply->Head.msgh_size, 0, MACH_PORT_NULL, 0,
		       MACH_PORT_NULL);
	/* None of the replies has a right that would have to be given back, but
	 * the one that it goes to. */
	if (err)
		drop_right(reply->Head.msgh_remote_port);
}

/* The message of a frame of which @octets behind the header are to be seen. */
static mach_msg_return_t
deliver(struct nic *n, mach_port_t right, const uint8_t *frame, size_t len,
	size_t octets)
{
	static struct net_rcv_msg msg;
	const struct packet_header header = {
		.length = (unsigned short)(len - ETHER_HEADER + sizeof(header)),
		.type = (unsigned short)(frame[12] | frame[13] << 8),
	};
	const size_t number = sizeof(header) + octets;
	const mach_msg_option_t wait = n->faults.blocks ? 0 : MACH_SEND_TIMEOUT;

	memset(&msg, 0, sizeof(msg));
	msg.msg_hdr.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
	/* With up to 4 octets of slack, as the kernel counts. */
	msg.msg_hdr.msgh_size = (mach_msg_size_t)((101 + number) & ~(size_t)3);
	msg.msg_hdr.msgh_remote_port = right;
	msg.msg_hdr.msgh_id = NET_RCV_MSG_ID;
	msg.header_type = (mach_msg_type_t){
		.msgt_name = MACH_MSG_TYPE_BYTE,
		.msgt_size = 8,
		.msgt_number = NET_HDW_HDR_MAX,
		.msgt_inline = TRUE,
	};
	memcpy(msg.header, frame, ETHER_HEADER);
	msg.packet_type = (mach_msg_type_t){
		.msgt_name = MACH_MSG_TYPE_BYTE,
		.msgt_size = 8,
		.msgt_number = number & 0xfff,
		.msgt_inline = TRUE,
	};
	memcpy(msg.packet, &header, sizeof(header));
	memcpy(msg.packet + sizeof(header), frame + ETHER_HEADER, octets);
	return mach_msg(&msg.msg_hdr, MACH_SEND_MSG | wait,
			msg.msg_hdr.msgh_size, 0, MACH_PORT_NULL, 0,
			MACH_PORT_NULL);
}

static void
remove_filter(struct nic_filters *filters, size_t at)
{
	drop_right(filters->list[at].right);
	filters->n--;
	memmove(&filters->list[at], &filters->list[at + 1],
		(filters->n - at) * sizeof(filters->list[0]));
}

/* To each right whose filter lets it pass, in the order that they were set; the
 * first with a high priority is the last to get it. */
static void
show(struct nic *n, struct nic_filters *filters, const uint8_t *frame,
     size_t len)
{
	for (size_t i = 0; i < filters->n;) {
		struct nic_filter *f = &filters->list[i];
		const bool is_last = f->priority >= NET_HI_PRI;
		long octets = (long)(len - ETHER_HEADER);
		mach_msg_return_t err;

		if (!n->faults.last_filter)
			octets = nic_filter_run(f->words, f->n, frame, len);
		if (octets < 0) {
			i++;
			continue;
		}
		err = deliver(n, f->right, frame, len, (size_t)octets);
		if (err == MACH_MSG_SUCCESS) {
			n->counts.delivered++;
		} else if (err == MACH_SEND_TIMED_OUT) {
			/* The message was given back with a right of its own. */
			drop_right(f->right);
			n->counts.full++;
		} else {
			n->counts.dead++;
			remove_filter(filters, i);
			continue;
		}
		if (is_last)
			break;
		i++;
	}
}

void
nic_receive(struct nic *n, const uint8_t *frame, size_t len)
{
	n->counts.in++;
	if (len >= NIC_FRAME_MIN && len <= NIC_FRAME_MAX)
		show(n, &n->in, frame, len);
}

static bool
is_name(const char *name, const char *expected)
{
	for (size_t i = 0; i < sizeof(dev_name_t); i++) {
		if (name[i] != expected[i])
			return false;
		if (!name[i])
			return true;
	}
	return false;
}

kern_return_t
ds_device_open(mach_port_t master_port, mach_port_t reply_port,
	       mach_msg_type_name_t reply_portPoly, dev_mode_t mode,
	       const_dev_name_t name, mach_port_t *device,
	       mach_msg_type_name_t *devicePoly)
{
	(void)reply_port;
	(void)reply_portPoly;
	(void)mode;
	*device = MACH_PORT_NULL;
	*devicePoly = MACH_MSG_TYPE_COPY_SEND;
	if (master_port != served->master)
		return D_INVALID_OPERATION;
	if (!is_name(name, served->name))
		return D_NO_SUCH_DEVICE;
	served->counts.opens++;
	*device = served->device;
	*devicePoly = MACH_MSG_TYPE_MAKE_SEND;
	return D_SUCCESS;
}

/* The right goes on to work. */
kern_return_t
ds_device_close(mach_port_t device)
{
	return device == served->device ? D_SUCCESS : D_NO_SUCH_DEVICE;
}

static kern_return_t
write_frame(mach_port_t device, const uint8_t *frame, size_t len, int *written)
{
	struct nic *n = served;

	*written = 0;
	if (device != n->device)
		return D_NO_SUCH_DEVICE;
	n->counts.writes++;
	if (n->faults.write_error)
		return n->faults.write_error;
	if (!len || len > NIC_FRAME_MAX)
		return D_INVALID_SIZE;
	if (len < NIC_FRAME_MIN) {
		n->counts.deadly++;
		return D_INVALID_SIZE;
	}
	n->counts.out++;
	*written = (int)(n->faults.short_write ? len / 2 : len);
	show(n, &n->out, frame, len);
	n->send(n->ctx, frame, len);
	return D_SUCCESS;
}

kern_return_t
ds_device_write(mach_port_t device, mach_port_t reply_port,
		mach_msg_type_name_t reply_portPoly, dev_mode_t mode,
		recnum_t recnum, io_buf_ptr_t data,
		mach_msg_type_number_t dataCnt, int *bytes_written)
{
	kern_return_t err;

	(void)reply_port;
	(void)reply_portPoly;
	(void)mode;
	(void)recnum;
	err = write_frame(device, (const uint8_t *)data, dataCnt,
			  bytes_written);
	if (dataCnt)
		vm_deallocate(mach_task_self(), (vm_address_t)data, dataCnt);
	return err;
}

kern_return_t
ds_device_write_inband(mach_port_t device, mach_port_t reply_port,
		       mach_msg_type_name_t reply_portPoly, dev_mode_t mode,
		       recnum_t recnum, const io_buf_ptr_inband_t data,
		       mach_msg_type_number_t dataCnt, int *bytes_written)
{
	(void)device;
	(void)reply_port;
	(void)reply_portPoly;
	(void)mode;
	(void)recnum;
	(void)data;
	(void)dataCnt;
	*bytes_written = 0;
	return D_INVALID_OPERATION;
}

kern_return_t
ds_device_read(mach_port_t device, mach_port_t reply_port,
	       mach_msg_type_name_t reply_portPoly, dev_mode_t mode,
	       recnum_t recnum, int bytes_wanted, io_buf_ptr_t *data,
	       mach_msg_type_number_t *dataCnt)
{
	(void)device;
	(void)reply_port;
	(void)reply_portPoly;
	(void)mode;
	(void)recnum;
	(void)bytes_wanted;
	*data = NULL;
	*dataCnt = 0;
	return D_INVALID_OPERATION;
}

kern_return_t
ds_device_read_inband(mach_port_t device, mach_port_t reply_port,
		      mach_msg_type_name_t reply_portPoly, dev_mode_t mode,
		      recnum_t recnum, int bytes_wanted,
		      io_buf_ptr_inband_t data, mach_msg_type_number_t *dataCnt)
{
	(void)device;
	(void)reply_port;
	(void)reply_portPoly;
	(void)mode;
	(void)recnum;
	(void)bytes_wanted;
	(void)data;
	*dataCnt = 0;
	return D_INVALID_OPERATION;
}

kern_return_t
ds_device_map(mach_port_t device, vm_prot_t prot, vm_offset_t offset,
	      vm_size_t size, mach_port_t *pager, int unmap)
{
	(void)device;
	(void)prot;
	(void)offset;
	(void)size;
	(void)unmap;
	*pager = MACH_PORT_NULL;
	return D_INVALID_OPERATION;
}

kern_return_t
ds_device_set_status(mach_port_t device, dev_flavor_t flavor,
		     const dev_status_t status,
		     mach_msg_type_number_t statusCnt)
{
	struct nic *n = served;
	int flags;

	if (device != n->device)
		return D_NO_SUCH_DEVICE;
	if (flavor != NET_FLAGS)
		return D_INVALID_OPERATION;
	if (statusCnt != 1)
		return D_INVALID_SIZE;
	n->counts.flags_set++;
	flags = status[0];
	if (n->faults.no_promisc)
		flags &= ~IFF_PROMISC;
	/* Of the NIC, for all who have opened it. */
	n->flags = flags | IFF_RUNNING;
	if (n->set_promisc)
		n->set_promisc(n->ctx, n->flags & IFF_PROMISC);
	return D_SUCCESS;
}

static kern_return_t
get_address(const struct nic *n, int *status, mach_msg_type_number_t *count)
{
	uint8_t raw[4 * NET_ADDRESS_COUNT] = {0};

	if (*count < NET_ADDRESS_COUNT)
		return D_INVALID_OPERATION;
	memcpy(raw, n->mac, sizeof(n->mac));
	for (size_t i = 0; i < NET_ADDRESS_COUNT; i++)
		status[i] =
			(int)((uint32_t)raw[4 * i] << 24 |
			      (uint32_t)raw[4 * i + 1] << 16 |
			      (uint32_t)raw[4 * i + 2] << 8 | raw[4 * i + 3]);
	*count = NET_ADDRESS_COUNT;
	return D_SUCCESS;
}

static kern_return_t
get_status(const struct nic *n, int *status, mach_msg_type_number_t *count)
{
	const struct net_status s = {
		.min_packet_size = ETHER_HEADER,
		.max_packet_size = NIC_FRAME_MAX,
		.header_format = HDR_ETHERNET,
		.header_size = ETHER_HEADER,
		.address_size = 6,
		.flags = n->flags,
	};

	if (*count < NET_STATUS_COUNT)
		return D_INVALID_OPERATION;
	memcpy(status, &s, sizeof(s));
	*count = NET_STATUS_COUNT;
	return D_SUCCESS;
}

kern_return_t
ds_device_get_status(mach_port_t device, dev_flavor_t flavor,
		     dev_status_t status, mach_msg_type_number_t *statusCnt)
{
	const struct nic *n = served;
	kern_return_t err;

	if (device != n->device)
		return D_NO_SUCH_DEVICE;
	switch (flavor) {
	case NET_STATUS:
		err = get_status(n, status, statusCnt);
		break;
	case NET_ADDRESS:
		err = get_address(n, status, statusCnt);
		break;
	case NET_FLAGS:
		err = *statusCnt == 1 ? D_SUCCESS : D_INVALID_SIZE;
		if (!err)
			status[0] = n->flags;
		break;
	default:
		err = D_INVALID_OPERATION;
		break;
	}
	if (!err && n->faults.short_status)
		--*statusCnt;
	return err;
}

/* Where the filter of that right belongs; the one before is gone. NULL if there
 * is no room. */
static struct nic_filter *
make_room(struct nic *n, struct nic_filters *filters, mach_port_t right)
{
	for (size_t i = 0; i < filters->n; i++)
		if (n->faults.last_filter || filters->list[i].right == right) {
			remove_filter(filters, i);
			break;
		}
	if (filters->n == NIC_FILTERS)
		return NULL;
	return &filters->list[filters->n++];
}

static bool
add_filter(struct nic *n, struct nic_filters *filters,
	   const struct nic_filter *filter)
{
	struct nic_filter *f = make_room(n, filters, filter->right);

	if (!f)
		return false;
	*f = *filter;
	mach_port_mod_refs(mach_task_self(), f->right, MACH_PORT_RIGHT_SEND, 1);
	return true;
}

static kern_return_t
set_filter(mach_port_t device, const struct nic_filter *filter)
{
	struct nic *n = served;
	bool is_good = true;

	if (device != n->device)
		return D_NO_SUCH_DEVICE;
	if (!MACH_PORT_VALID(filter->right)) {
		n->counts.deadly++;
		return D_INVALID_OPERATION;
	}
	if (n->faults.last_filter)
		return add_filter(n, &n->in, filter) ? D_SUCCESS : D_NO_MEMORY;
	if (!nic_filter_is_good(filter->words, filter->n))
		return D_INVALID_OPERATION;
	if (filter->words[0] & NETF_IN)
		is_good = add_filter(n, &n->in, filter);
	if (is_good && filter->words[0] & NETF_OUT)
		is_good = add_filter(n, &n->out, filter);
	n->counts.filters += is_good;
	return is_good ? D_SUCCESS : D_NO_MEMORY;
}

kern_return_t
ds_device_set_filter(mach_port_t device, mach_port_t receive_port, int priority,
		     const filter_array_t filter,
		     mach_msg_type_number_t filterCnt)
{
	struct nic_filter f = {.right = receive_port, .priority = priority};
	kern_return_t err = D_INVALID_OPERATION;

	/* MIG's server does not look at how many there are. */
	if (filterCnt <= NET_MAX_FILTER) {
		f.n = filterCnt;
		memcpy(f.words, filter, filterCnt * sizeof(f.words[0]));
		err = set_filter(device, &f);
	}
	drop_right(receive_port);
	return err;
}

kern_return_t
ds_device_intr_register(mach_port_t device, int id, int flags,
			mach_port_t receive_port)
{
	(void)device;
	(void)id;
	(void)flags;
	drop_right(receive_port);
	return D_INVALID_OPERATION;
}

kern_return_t
ds_device_intr_ack(mach_port_t device, mach_port_t receive_port)
{
	(void)device;
	drop_right(receive_port);
	return D_INVALID_OPERATION;
}
