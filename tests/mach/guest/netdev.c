/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <bare.h>
#include <device/bpf.h>
#include <device/device.h>
#include <device/device_types.h>
#include <device/net_status.h>

#include "netdev.h"

#define ETHER_HEADER      14
#define NET_ADDRESS_COUNT 2

static kern_return_t
set_filter(struct netdev *dev, bool is_bpf)
{
	/* The header, and RET with all there is. */
	filter_t bpf[] = {NETF_IN | NETF_BPF, 0, 0, 0, 0x06, 0, 0xffff, 0};
	filter_t stack[] = {NETF_IN, NETF_PUSHLIT | NETF_NOP, 1};

	return device_set_filter(dev->device, dev->receive,
				 MACH_MSG_TYPE_MAKE_SEND, 0,
				 is_bpf ? bpf : stack,
				 is_bpf ? sizeof(bpf) / sizeof(bpf[0])
					: sizeof(stack) / sizeof(stack[0]));
}

static kern_return_t
get_status(struct netdev *dev)
{
	int address[NET_ADDRESS_COUNT];
	mach_msg_type_number_t count = NET_STATUS_COUNT;
	kern_return_t err;

	err = device_get_status(dev->device, NET_STATUS, dev->status, &count);
	if (err)
		return err;
	if (count != NET_STATUS_COUNT)
		return D_IO_ERROR;
	count = NET_ADDRESS_COUNT;
	err = device_get_status(dev->device, NET_ADDRESS, address, &count);
	if (err)
		return err;
	if (count != NET_ADDRESS_COUNT)
		return D_IO_ERROR;
	/* In network order, as numbers. */
	for (unsigned int i = 0; i < sizeof(dev->mac); i++)
		dev->mac[i] = (uint8_t)((unsigned int)address[i / 4] >>
					(24 - i % 4 * 8));
	return D_SUCCESS;
}

host_msec
netdev_now(void)
{
	return bare_now() / 1000000;
}

kern_return_t
netdev_open(struct netdev *dev, mach_port_t master, const char *name,
	    bool is_bpf, int flags)
{
	const mach_port_t self = mach_task_self();
	dev_name_t padded = "";
	kern_return_t err;

	memset(dev, 0, sizeof(*dev));
	for (size_t i = 0; name[i] && i < sizeof(padded) - 1; i++)
		padded[i] = name[i];
	err = mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &dev->receive);
	if (err)
		return err;
	mach_port_set_qlimit(self, dev->receive, NETDEV_QUEUE);
	err = device_open(master, D_READ | D_WRITE, padded, &dev->device);
	if (err) {
		dev->device = MACH_PORT_NULL;
		goto close;
	}
	err = set_filter(dev, is_bpf);
	if (err)
		goto close;
	err = get_status(dev);
	if (err)
		goto close;
	err = device_set_status(dev->device, NET_FLAGS, &flags, 1);
	if (err)
		goto close;
	return D_SUCCESS;

close:
	netdev_close(dev);
	return err;
}

void
netdev_close(struct netdev *dev)
{
	const mach_port_t self = mach_task_self();

	mach_port_mod_refs(self, dev->receive, MACH_PORT_RIGHT_RECEIVE, -1);
	dev->receive = MACH_PORT_NULL;
	if (dev->device == MACH_PORT_NULL)
		return;
	device_close(dev->device);
	mach_port_deallocate(self, dev->device);
	dev->device = MACH_PORT_NULL;
}

kern_return_t
netdev_write(struct netdev *dev, const void *frame, size_t len)
{
	int written = 0;
	kern_return_t err;

	err = device_write(dev->device, D_NOWAIT, 0, (io_buf_ptr_t)frame,
			   (mach_msg_type_number_t)len, &written);
	if (!err && written != (int)len)
		err = D_IO_ERROR;
	if (err) {
		dev->refused++;
		dev->last_error = err;
	}
	return err;
}

/* Does the message add up? It is then taken apart without another look. */
static bool
is_frame(const struct net_rcv_msg *msg)
{
	struct packet_header header;
	const size_t number = msg->packet_type.msgt_number;

	if (msg->msg_hdr.msgh_id != NET_RCV_MSG_ID ||
	    msg->header_type.msgt_number != NET_HDW_HDR_MAX ||
	    msg->header_type.msgt_size != 8 ||
	    msg->packet_type.msgt_size != 8 || number < sizeof(header) ||
	    offsetof(struct net_rcv_msg, packet) + number >
		    msg->msg_hdr.msgh_size)
		return false;
	memcpy(&header, msg->packet, sizeof(header));
	/* Of the whole frame: a filter may have cut the message. */
	return header.length >= number &&
	       !memcmp(&header.type, msg->header + 12, 2);
}

long
netdev_read(struct netdev *dev, uint8_t *frame, mach_msg_timeout_t timeout_ms)
{
	static struct {
		struct net_rcv_msg msg;
		uint32_t room[16];
	} m;
	size_t payload;
	mach_msg_return_t err;

	err = mach_msg(&m.msg.msg_hdr, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
		       sizeof(m), dev->receive, timeout_ms, MACH_PORT_NULL);
	if (err == MACH_RCV_TIMED_OUT)
		return -1;
	payload = m.msg.packet_type.msgt_number - sizeof(struct packet_header);
	if (err || !is_frame(&m.msg) ||
	    payload > HOST_FRAME_MAX - ETHER_HEADER) {
		dev->strange++;
		return -1;
	}
	memcpy(frame, m.msg.header, ETHER_HEADER);
	memcpy(frame + ETHER_HEADER,
	       m.msg.packet + sizeof(struct packet_header), payload);
	return (long)(ETHER_HEADER + payload);
}

static void
send_frame(void *ctx, const uint8_t *frame, size_t len)
{
	netdev_write(ctx, frame, len);
}

void
station_start(struct station *s, const uint8_t *mac,
	      const struct host_addr *ip4, const struct host_addr *ip6)
{
	struct host_config config = {
		.send = send_frame,
		.ctx = &s->dev,
		.seed = (uint32_t)netdev_now(),
	};

	memcpy(config.mac, mac ? mac : s->dev.mac, 6);
	if (ip4)
		config.ip4 = *ip4;
	if (ip6)
		config.ip6 = *ip6;
	host_init(&s->host, &config, netdev_now());
}

bool
station_run(struct station *s, bool (*is_done)(const struct station *s),
	    host_msec limit_ms)
{
	const host_msec limit = netdev_now() + limit_ms;
	uint8_t frame[HOST_FRAME_MAX];
	long len;

	while (netdev_now() < limit) {
		if (is_done && is_done(s))
			return true;
		len = netdev_read(&s->dev, frame, 10);
		if (len >= 0)
			host_input(&s->host, frame, (size_t)len, netdev_now());
		host_tick(&s->host, netdev_now());
		tcp_tick(&s->tcp, netdev_now());
	}
	return false;
}

bool
station_is_ready(const struct station *s)
{
	return host_is_ready(&s->host);
}

bool
station_is_answered(const struct station *s)
{
	return !s->host.ping.is_waiting;
}
