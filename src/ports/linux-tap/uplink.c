/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface that is there, through a packet socket (packet(7)). What it was
 * handed in a VLAN comes without the tag, which the kernel tells beside it:
 * there it stays, in vnet_frame.tag. Sending, there is no such place, so tags
 * are put in by the switch.
 *
 * What the kernel says when all is not well:
 *
 *	EAGAIN		read: no frame. Send: the socket's buffer is full
 *	ENETDOWN	the interface is down, said once; or it is gone, and
 *			then the socket is bound to no interface any more
 *	ENXIO, ENODEV	send: it is gone
 *	EINVAL		read: a frame whose segmentation has no virtio_net_hdr,
 *			which is lost. Send: not this frame
 *	ENOBUFS		send: the interface's queue is full, the frame is lost
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include <vnet/uplink.h>

#include "link.h"
#include "medium.h"
#include "netns.h"
#include "virtio.h"
#include "watch.h"

/**
 * struct uplink
 * @ns:		where the interface is, to ask about it; or NETNS_HERE
 * @dropped:	what the socket has dropped: the kernel counts since the last
 *		time it was asked, by whatever thread
 */
struct uplink {
	struct vnet_medium m;
	int ns;
	atomic_uint_least64_t dropped;
};

/* The index of the interface that a socket is bound to; 0 if it has gone. */
static uint32_t
bound_to(int fd)
{
	struct sockaddr_ll address = {0};
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    address.sll_ifindex <= 0)
		return 0;
	return (uint32_t)address.sll_ifindex;
}

static ssize_t
write_frame(int fd, const struct vnet_frame *f)
{
	struct virtio_net_hdr hdr;
	struct iovec iov[2] = {
		{.iov_base = &hdr, .iov_len = sizeof(hdr)},
		{.iov_base = (void *)f->data, .iov_len = f->len},
	};
	const struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t r;

	vnet_virtio_write(f, &hdr);
	do
		r = sendmsg(fd, &message, MSG_DONTWAIT);
	while (r < 0 && errno == EINTR);
	return r;
}

static int
uplink_send(struct vnet_medium *m, const struct vnet_frame *frames, size_t n,
	    size_t *refused)
{
	for (size_t i = 0; i < n; i++) {
		if (write_frame(m->fd, &frames[i]) >= 0)
			continue;
		if (errno == EAGAIN) {
			vnet_medium_full(m);
			return (int)i;
		}
		if ((errno != ENXIO && errno != ENODEV && errno != ENETDOWN) ||
		    bound_to(m->fd)) {
			++*refused;
			continue;
		}
		if (i == 0)
			return -ENODEV;
		/* Some are out; the next call says that it is broken. */
		*refused += n - i;
		break;
	}
	return (int)n;
}

/* The tag that the kernel took off, if it did. */
static void
read_tag(struct msghdr *message, struct vnet_frame *f)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET ||
		    c->cmsg_type != PACKET_AUXDATA ||
		    c->cmsg_len < CMSG_LEN(sizeof(aux)))
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			continue;
		f->ntags = 1;
		f->tag[0].tci = aux.tp_vlan_tci;
		f->tag[0].tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID
					 ? aux.tp_vlan_tpid
					 : ETH_P_8021Q;
	}
}

/* 1 with @f filled, 0 if there is none now, -errno if it has gone. What is of
 * no use is counted, and has no octets. */
static int
read_frame(struct vnet_medium *m, uint8_t *at, struct vnet_frame *f)
{
	union {
		struct cmsghdr header; /* for the alignment */
		uint8_t octets[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct virtio_net_hdr hdr;
	struct iovec iov[2] = {
		{.iov_base = &hdr, .iov_len = sizeof(hdr)},
		{.iov_base = at, .iov_len = MEDIUM_FRAME_MAX},
	};
	struct msghdr message = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t r = recvmsg(m->fd, &message, MSG_DONTWAIT);

	*f = (struct vnet_frame){.data = at};
	if (r < 0) {
		switch (errno) {
		case EAGAIN:
			return 0;
		case EINTR:
			return 1;
		case ENETDOWN:
			/* Down is not gone: it may come up again. */
			return bound_to(m->fd) ? 1 : -ENODEV;
		case EINVAL:
		case ENOMEM:
			m->in_errors++;
			return 1;
		default:
			return -errno;
		}
	}
	if ((size_t)r < sizeof(hdr) || message.msg_flags & MSG_TRUNC ||
	    !vnet_virtio_read(&hdr, f)) {
		m->in_errors++;
		return 1;
	}
	f->len = (uint32_t)((size_t)r - sizeof(hdr));
	read_tag(&message, f);
	return 1;
}

static int
uplink_receive(struct vnet_medium *m, vnet_nsec now)
{
	struct vnet_frame *frames = m->media->frames;
	size_t n = 0, used = 0;
	int r = 1;

	for (int i = 0; i < MEDIUM_TURN && MEDIUM_FITS(used); i++) {
		r = read_frame(m, m->media->room + used, &frames[n]);
		if (r <= 0)
			break;
		if (frames[n].len) {
			used = MEDIUM_NEXT(used + frames[n].len);
			n++;
		}
	}
	vnet_medium_input(m, n, now);
	return r < 0 ? r : (int)n;
}

static int
find_link(const struct vnet_medium *m, struct link_info *info)
{
	const struct uplink *u = (const struct uplink *)m;
	uint32_t index = bound_to(m->fd);
	struct mnl_socket *nl;
	int r;

	if (!index)
		return -ENODEV;
	r = vnet_link_open(u->ns, 0, &nl);
	if (r)
		return r;
	r = vnet_link_get(nl, NULL, index, info);
	mnl_socket_close(nl);
	return r;
}

static int
uplink_get(const struct vnet_medium *m, struct vnet_medium_info *info)
{
	struct link_info link;
	int r = find_link(m, &link);

	if (r)
		return r;
	memcpy(info->name, link.name, sizeof(info->name));
	info->mac = link.mac;
	info->mtu = link.mtu;
	info->up = link.running;
	return 0;
}

/* The kernel does not say to a socket that is idle that its interface has
 * gone: it is heard here. */
static int
uplink_look(struct vnet_medium *m)
{
	unsigned int flags;
	int r = vnet_watch_set(m, ((struct uplink *)m)->ns);

	if (r)
		return r;
	m->index = bound_to(m->fd);
	if (!m->index)
		return -ENODEV;
	r = vnet_watch_flags(m, &flags);
	/* It is being renamed, or deleted, which is still to be heard. */
	if (r == -ENODEV)
		return 0;
	/* What cannot be asked passes for up. */
	vnet_medium_set_up(m, r || (flags & IFF_UP && flags & IFF_RUNNING));
	return 0;
}

/* What the interface drops is not ours alone: the host sends there too. */
static int
uplink_get_stats(struct vnet_medium *m, struct vnet_medium_stats *stats)
{
	struct uplink *u = (struct uplink *)m;
	struct tpacket_stats since;
	socklen_t len = sizeof(since);

	if (getsockopt(m->fd, SOL_PACKET, PACKET_STATISTICS, &since, &len) < 0)
		return -errno;
	stats->in_dropped =
		atomic_fetch_add(&u->dropped, since.tp_drops) + since.tp_drops;
	return 0;
}

static void
uplink_release(struct vnet_medium *m)
{
	vnet_netns_close(((struct uplink *)m)->ns);
}

static const struct medium_ops uplink_ops = {
	.kind = "uplink",
	.send = uplink_send,
	.receive = uplink_receive,
	.get = uplink_get,
	.get_stats = uplink_get_stats,
	.look = uplink_look,
	.release = uplink_release,
};

/* Inside the namespace of the interface. A socket for no protocol receives
 * nothing before it is bound. */
static int
open_socket(void *arg)
{
	int *fd = arg;

	*fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return *fd < 0 ? -errno : 0;
}

static int
find_interface(int ns, const char *name, uint32_t *index, struct vnet_why *why)
{
	struct link_info link;
	struct mnl_socket *nl;
	int r = vnet_link_open(ns, 0, &nl);

	if (r)
		return vnet_medium_why(why, "cannot open a netlink socket", r);
	r = vnet_link_get(nl, name, 0, &link);
	mnl_socket_close(nl);
	if (r)
		return vnet_medium_why(why, "there is no such interface", r);
	if (link.type != ARPHRD_ETHER)
		return vnet_medium_why(why, "not an interface of Ethernet",
				       -EINVAL);
	*index = link.index;
	return 0;
}

static int
set_option(int fd, int option)
{
	int on = 1;

	return setsockopt(fd, SOL_PACKET, option, &on, sizeof(on));
}

/* Nothing to the addresses of others, which come in where the interface has no
 * filter (a veth), or somebody else has made it promiscuous. */
static int
hear_own_only(int fd)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			 (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {
		.len = sizeof(insns) / sizeof(insns[0]),
		.filter = insns,
	};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program));
}

static int
set_up(int fd, uint32_t index, bool own_only, struct vnet_why *why)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)index,
	};
	const struct packet_mreq promiscuous = {
		.mr_ifindex = (int)index,
		.mr_type = PACKET_MR_PROMISC,
	};
	const int buffer = 2 << 20;

	if (set_option(fd, PACKET_VNET_HDR) < 0)
		return vnet_medium_why(why, "cannot set PACKET_VNET_HDR",
				       -errno);
	if (set_option(fd, PACKET_AUXDATA) < 0)
		return vnet_medium_why(why, "cannot set PACKET_AUXDATA",
				       -errno);
	if (set_option(fd, PACKET_IGNORE_OUTGOING) < 0)
		return vnet_medium_why(why, "cannot set PACKET_IGNORE_OUTGOING",
				       -errno);
	/* What is usual holds a hundred frames, which a sender that does its
	 * own segmentation exceeds. Beyond net.core.rmem_max with privilege
	 * alone; less is no error. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer,
		       sizeof(buffer)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (own_only && hear_own_only(fd) < 0)
		return vnet_medium_why(why, "cannot attach a filter", -errno);
	if (!own_only && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP,
				    &promiscuous, sizeof(promiscuous)) < 0)
		return vnet_medium_why(why, "cannot make it promiscuous",
				       -errno);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return vnet_medium_why(why, "cannot bind to the interface",
				       -errno);
	return 0;
}

int
vnet_uplink_open(struct vnet_medium **m, struct vnet_media *media,
		 const struct vnet_uplink_config *config, struct vnet_why *why)
{
	/* Not USO: there is no way to ask whether the kernel takes it. */
	uint32_t carries =
		VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TSO6;
	struct vnet_medium *new;
	uint32_t index = 0;
	int ns, fd = -1, r;

	if (config->size != sizeof(*config))
		return vnet_medium_why(why, "unknown size of the configuration",
				       -EINVAL);
	if (!config->name || !*config->name || strlen(config->name) >= IFNAMSIZ)
		return vnet_medium_why(why, "name not of 1 to 15 octets",
				       -EINVAL);
	ns = vnet_netns_open(config->netns);
	if (ns < 0 && config->netns)
		return vnet_medium_why(why, "cannot open the network namespace",
				       ns);
	r = find_interface(ns, config->name, &index, why);
	if (r)
		goto close_ns;
	r = vnet_netns_call(ns, open_socket, &fd);
	if (r) {
		vnet_medium_why(why, "cannot open a packet socket", r);
		goto close_ns;
	}
	r = set_up(fd, index, config->own_only, why);
	if (r)
		goto close_fd;

	carries &= ~config->without;
	/* The others need it. */
	if (!(carries & VNET_CARRIES_CSUM))
		carries = 0;
	new = vnet_medium_new(sizeof(struct uplink), &uplink_ops, media, fd,
			      carries);
	if (!new) {
		r = vnet_medium_why(why, "no memory", -ENOMEM);
		goto close_fd;
	}
	((struct uplink *)new)->ns = ns;
	*m = new;
	return 0;

close_fd:
	close(fd);
close_ns:
	vnet_netns_close(ns);
	return r;
}
