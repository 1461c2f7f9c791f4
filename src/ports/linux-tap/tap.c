/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TAP. Each read is one frame that the interface was to send, each write one
 * that it receives, behind a virtio_net_hdr, so that checksums and segments
 * pass from one host to another undone.
 *
 * What the kernel says when all is not well (drivers/net/tun.c):
 *
 *	EAGAIN	read: no frame. Write: practically never; a TAP whose reader
 *		is slow drops, and counts
 *	EIO	write: the interface is down
 *	EBADFD	the interface is gone, the descriptor belongs to nothing
 *	EINVAL, EMSGSIZE, ENOMEM, ...	write: not this frame
 *	EFAULT	read: a frame too long for us, which is lost
 *
 * Frames are read and written by syscall(2): libc's functions are points of
 * cancellation, which in a program of several threads takes 4 % of a frame's
 * time.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/if_tun.h>

#include <vnet/tap.h>

#include "link.h"
#include "medium.h"
#include "netns.h"
#include "virtio.h"
#include "watch.h"

/* Newer than the headers of Debian 12. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

/* How often an interface is looked for that is renamed, or moved, each time. */
#define FIND_TRIES 8

_Static_assert(VNET_MEDIUM_NAME_SIZE == IFNAMSIZ, "names fit");

#define NOWHERE (-2)

/**
 * struct tap
 * @hdr_len:	octets of virtio_net_hdr before each frame, or 0
 * @ns:		where the interface of m.index was opened, NETNS_HERE or a
 *		descriptor; NOWHERE if that is not known, or not any more
 */
struct tap {
	struct vnet_medium m;
	size_t hdr_len;
	int ns;
};

static bool
is_gone(int error)
{
	return error == EBADFD || error == ENODEV || error == ENXIO;
}

/* The header, and what follows it; without the header if there is none. */
static ssize_t
write_frame(const struct tap *t, const struct vnet_frame *f)
{
	struct virtio_net_hdr hdr;
	struct iovec iov[2] = {
		{.iov_base = &hdr, .iov_len = t->hdr_len},
		{.iov_base = (void *)f->data, .iov_len = f->len},
	};
	ssize_t r;

	vnet_virtio_write(f, &hdr);
	do
		r = syscall(SYS_writev, t->m.fd, iov, 2);
	while (r < 0 && errno == EINTR);
	return r;
}

static int
tap_send(struct vnet_medium *m, const struct vnet_frame *frames, size_t n,
	 size_t *refused)
{
	const struct tap *t = (const struct tap *)m;

	for (size_t i = 0; i < n; i++) {
		if (write_frame(t, &frames[i]) >= 0)
			continue;
		if (errno == EAGAIN) {
			vnet_medium_full(m);
			return (int)i;
		}
		if (!is_gone(errno)) {
			++*refused;
			continue;
		}
		if (i == 0)
			return -errno;
		/* Some are out; the next call says that it is broken. */
		*refused += n - i;
		break;
	}
	return (int)n;
}

/* Header and frame are read in one piece: the frame begins at 10 then, and what
 * follows its Ethernet header at 24. */
static int
tap_receive(struct vnet_medium *m, vnet_nsec now)
{
	const struct tap *t = (const struct tap *)m;
	struct vnet_frame *frames = m->media->frames;
	struct virtio_net_hdr hdr = {0};
	size_t n = 0, used = 0;
	int error = 0;

	for (int i = 0; i < MEDIUM_TURN && MEDIUM_FITS(used); i++) {
		uint8_t *at = m->media->room + used;
		ssize_t r = syscall(SYS_read, m->fd, at, MEDIUM_FRAME_MAX);

		if (r < 0 && errno == EAGAIN)
			break;
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && errno != EFAULT && errno != ENOMEM) {
			error = -errno;
			break;
		}
		if (r < (ssize_t)t->hdr_len || r > (ssize_t)MEDIUM_FRAME_MAX) {
			m->in_errors++;
			continue;
		}
		memcpy(&hdr, at, t->hdr_len);
		frames[n] = (struct vnet_frame){
			.data = at + t->hdr_len,
			.len = (uint32_t)((size_t)r - t->hdr_len),
		};
		if (!vnet_virtio_read(&hdr, &frames[n])) {
			m->in_errors++;
			continue;
		}
		n++;
		used = MEDIUM_NEXT(used + (size_t)r);
	}
	vnet_medium_input(m, n, now);
	return error ? error : (int)n;
}

/* What the kernel may hand to us, and we to it, undone. It takes both bits of
 * USO or none. */
static uint32_t
set_offloads(int fd, uint32_t without)
{
	static const uint32_t tries[] = {
		VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TSO6 |
			VNET_CARRIES_USO,
		VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TSO6,
		VNET_CARRIES_CSUM,
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		uint32_t carries = tries[i] & ~without;
		unsigned long offloads = 0;

		/* The others need it. */
		if (!(carries & VNET_CARRIES_CSUM))
			break;
		offloads |= TUN_F_CSUM;
		if (carries & VNET_CARRIES_TSO4)
			offloads |= TUN_F_TSO4 | TUN_F_TSO_ECN;
		if (carries & VNET_CARRIES_TSO6)
			offloads |= TUN_F_TSO6 | TUN_F_TSO_ECN;
		if (carries & VNET_CARRIES_USO)
			offloads |= TUN_F_USO4 | TUN_F_USO6;
		if (ioctl(fd, TUNSETOFFLOAD, offloads) == 0)
			return carries;
	}
	ioctl(fd, TUNSETOFFLOAD, 0ul);
	return 0;
}

static int
get_ifreq(int fd, struct ifreq *ifr)
{
	memset(ifr, 0, sizeof(*ifr));
	return ioctl(fd, TUNGETIFF, ifr) < 0 ? -errno : 0;
}

/* The interface behind a TAP, which is in that namespace. There is no asking for
 * it but by its name: -EAGAIN if it was renamed or moved meanwhile, and what was
 * found, if anything, may be another. */
static int
get_link(int fd, int ns, struct link_info *info)
{
	struct mnl_socket *nl;
	struct ifreq ifr, after;
	int r = get_ifreq(fd, &ifr), error;

	if (r)
		return r;
	r = vnet_link_open(ns, 0, &nl);
	if (r)
		return r;
	r = vnet_link_get(nl, ifr.ifr_name, 0, info);
	mnl_socket_close(nl);
	error = get_ifreq(fd, &after);
	if (error)
		return error;
	if (strcmp(ifr.ifr_name, after.ifr_name) != 0)
		return -EAGAIN;
	/* Unless nobody could tell where it is. */
	return r == -ENODEV && ns != NETNS_HERE ? -EAGAIN : r;
}

/* Where it is, wherever it has been moved. Who may not ask finds it if it is
 * here. */
static int
find_netns(int fd)
{
	int ns = ioctl(fd, TUNGETDEVNETNS);

	return ns < 0 ? NETNS_HERE : ns;
}

static int
find_link(int fd, struct link_info *info)
{
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < FIND_TRIES; i++) {
		int ns = find_netns(fd);

		r = get_link(fd, ns, info);
		vnet_netns_close(ns);
	}
	return r;
}

static void
forget_place(struct tap *t)
{
	vnet_netns_close(t->ns);
	t->ns = NOWHERE;
}

/* Wherever it is now. One that cannot be found, for it is where we may not look,
 * passes for up: what it does not take is refused. */
static int
look_around(struct vnet_medium *m)
{
	struct link_info link;
	int ns = find_netns(m->fd);
	int r = vnet_watch_set(m, ns);

	/* There, its number may be that of another. */
	m->index = 0;
	forget_place((struct tap *)m);
	if (!r)
		r = get_link(m->fd, ns, &link);
	vnet_netns_close(ns);
	if (r == -EBADFD)
		return r;
	if (r == -EAGAIN) {
		vnet_watch_again(m);
		return 0;
	}
	if (r) {
		vnet_watch_end(m);
		vnet_medium_set_up(m, true);
		return 0;
	}
	m->index = link.index;
	vnet_medium_set_up(m, link.up);
	return 0;
}

/* Whatever is asked of the descriptor waits for the lock under which the kernel
 * makes and deletes interfaces: so it is not, as long as there is one where the
 * TAP was seen last. */
static int
tap_look(struct vnet_medium *m)
{
	struct tap *t = (struct tap *)m;
	unsigned int flags;

	if (!m->watch && t->ns != NOWHERE)
		vnet_watch_set(m, t->ns);
	/* That knows where from now on; a descriptor for each is many. */
	if (t->ns != NETNS_HERE)
		forget_place(t);
	if (!m->watch || vnet_watch_flags(m, &flags) != 0)
		return look_around(m);
	vnet_medium_set_up(m, flags & IFF_UP);
	return 0;
}

static int
tap_get(const struct vnet_medium *m, struct vnet_medium_info *info)
{
	struct link_info link;
	int r = find_link(m->fd, &link);

	if (r)
		return r;
	memcpy(info->name, link.name, sizeof(info->name));
	info->mac = link.mac;
	info->mtu = link.mtu;
	info->up = link.up;
	return 0;
}

/* What the interface was to send is what comes in here. */
static int
tap_get_stats(struct vnet_medium *m, struct vnet_medium_stats *stats)
{
	struct link_info link;
	int r = find_link(m->fd, &link);

	if (r)
		return r;
	stats->in_dropped = link.tx_dropped;
	stats->out_dropped = link.rx_dropped;
	return 0;
}

static void
tap_release(struct vnet_medium *m)
{
	forget_place((struct tap *)m);
}

static const struct medium_ops tap_ops = {
	.kind = "tap",
	.send = tap_send,
	.receive = tap_receive,
	.get = tap_get,
	.get_stats = tap_get_stats,
	.look = tap_look,
	.release = tap_release,
};

/* A medium of a descriptor that is bound to an interface; NULL with @error set
 * if there is none to be had. */
static struct vnet_medium *
make_medium(struct vnet_media *media, int fd, short flags, uint32_t without,
	    int *error, struct vnet_why *why)
{
	int hdr_len = sizeof(struct virtio_net_hdr), little_endian = 0;
	uint32_t carries = 0;
	struct vnet_medium *m;

	if (flags & IFF_VNET_HDR) {
		/* As somebody else may have left it. */
		if (ioctl(fd, TUNSETVNETHDRSZ, &hdr_len) < 0 ||
		    ioctl(fd, TUNSETVNETLE, &little_endian) < 0) {
			*error = vnet_medium_why(
				why, "cannot set the format of virtio_net_hdr",
				-errno);
			return NULL;
		}
		carries = set_offloads(fd, without);
	}
	m = vnet_medium_new(sizeof(struct tap), &tap_ops, media, fd, carries);
	if (!m) {
		*error = vnet_medium_why(why, "no memory", -ENOMEM);
		return NULL;
	}
	((struct tap *)m)->hdr_len = flags & IFF_VNET_HDR ? (size_t)hdr_len : 0;
	((struct tap *)m)->ns = NOWHERE;
	return m;
}

/* It is the interface of @index in @ns, which is the TAP's from then on. */
static void
set_place(struct vnet_medium *m, int ns, uint32_t index)
{
	((struct tap *)m)->ns = ns;
	m->index = index;
}

int
vnet_tap_adopt(struct vnet_medium **m, struct vnet_media *media, int fd,
	       uint32_t without, struct vnet_why *why)
{
	struct vnet_medium *new;
	struct link_info link;
	struct ifreq ifr;
	int r = get_ifreq(fd, &ifr), ns;
	bool is_found;

	if (r)
		return vnet_medium_why(why, "not a descriptor of a TAP", r);
	ns = find_netns(fd);
	is_found = get_link(fd, ns, &link) == 0;
	/* TUNGETIFF has one bit for "no struct tun_pi" and for "no filter". Where
	 * the interface cannot be asked, there is no telling. */
	if (!(ifr.ifr_flags & IFF_TAP) || (is_found && link.has_pi)) {
		r = vnet_medium_why(why, "not IFF_TAP with IFF_NO_PI", -EINVAL);
		goto close_ns;
	}
	r = vnet_medium_set_flags(fd);
	if (r) {
		vnet_medium_why(why, "cannot make it non-blocking", r);
		goto close_ns;
	}
	new = make_medium(media, fd, ifr.ifr_flags, without, &r, why);
	if (!new)
		goto close_ns;
	if (is_found)
		set_place(new, ns, link.index);
	else
		vnet_netns_close(ns);
	*m = new;
	return 0;

close_ns:
	vnet_netns_close(ns);
	return r;
}

struct opening {
	const struct vnet_tap_config *config;
	struct ifreq ifr;
	const char *step;
	int fd;
	uint32_t index;
};

/* Inside the namespace that the TAP is to be in. */
static int
open_tun(void *arg)
{
	struct opening *o = arg;
	int r;

	o->step = "there is no TAP of that name";
	if (o->config->mode == VNET_TAP_ATTACH &&
	    if_nametoindex(o->config->name) == 0)
		return -ENODEV;

	o->step = "cannot open /dev/net/tun";
	o->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (o->fd < 0)
		return -errno;

	o->step = "cannot create or open a TAP of that name";
	o->ifr.ifr_flags = TAP_FLAGS;
	if (o->config->mode == VNET_TAP_CREATE)
		o->ifr.ifr_flags = (short)(TAP_FLAGS | IFF_TUN_EXCL);
	if (ioctl(o->fd, TUNSETIFF, &o->ifr) == 0)
		return 0;
	/* The kernel has one error for "exists" and "is open". */
	r = errno == EBUSY && o->config->mode == VNET_TAP_CREATE ? -EEXIST
								 : -errno;
	if (r == -EINVAL && if_nametoindex(o->ifr.ifr_name) != 0)
		o->step = "the interface of that name is no TAP, or one of "
			  "several queues";
	close(o->fd);
	return r;
}

/* "ADDRESS/PREFIX", all of them. */
static int
change_addresses(struct mnl_socket *nl, uint32_t index,
		 int (*change)(struct mnl_socket *nl, uint32_t index,
			       const char *text),
		 const char *const *addresses, size_t n, const char *text,
		 struct vnet_why *why)
{
	for (size_t i = 0; i < n; i++) {
		int r = change(nl, index, addresses[i]);

		if (!r)
			continue;
		vnet_medium_why(why, text, r);
		if (why)
			why->index = i;
		return r;
	}
	return 0;
}

static int
change_up(struct mnl_socket *nl, uint32_t index, bool up, struct vnet_why *why)
{
	const struct link_change change = {.up = up, .down = !up};
	int r = vnet_link_set(nl, index, &change);

	if (r)
		vnet_medium_why(why,
				up ? "cannot set the interface up"
				   : "cannot set the interface down",
				r);
	return r;
}

/* An interface that goes down loses IPv6 addresses: those that are to be there
 * then come behind that. */
static int
change_link(struct mnl_socket *nl, uint32_t index,
	    const struct vnet_tap_change *change, struct vnet_why *why)
{
	static const struct vnet_mac none;
	const struct link_change link = {
		.mac = change->mac,
		.mtu = change->mtu,
	};
	int r = 0;

	if (change->up && !*change->up)
		r = change_up(nl, index, false, why);
	if (!r)
		r = change_addresses(nl, index, vnet_link_remove_address,
				     change->remove, change->nremove,
				     "cannot remove an IP address", why);
	if (!r && (link.mtu || memcmp(&link.mac, &none, sizeof(none)) != 0)) {
		r = vnet_link_set(nl, index, &link);
		if (r)
			vnet_medium_why(why, "cannot set MAC address and MTU",
					r);
	}
	if (!r)
		r = change_addresses(nl, index, vnet_link_add_address,
				     change->add, change->nadd,
				     "cannot add an IP address", why);
	if (!r && change->up && *change->up)
		r = change_up(nl, index, true, why);
	return r;
}

/* All that is changed through rtnetlink. */
static int
set_up(struct opening *o, int ns, struct vnet_why *why)
{
	const struct vnet_tap_config *config = o->config;
	const struct vnet_tap_change change = {
		.mac = config->mac,
		.mtu = config->mtu,
		.up = config->up ? &config->up : NULL,
		.add = config->addresses,
		.nadd = config->naddresses,
	};
	const struct link_change bound = {.gso_max_segs = VNET_MAX_SEGMENTS};
	struct mnl_socket *nl;
	struct link_info link;
	int r = vnet_link_open(ns, 0, &nl);

	if (r)
		return vnet_medium_why(why, "cannot open a netlink socket", r);
	r = vnet_link_get(nl, o->ifr.ifr_name, 0, &link);
	if (r) {
		vnet_medium_why(why, "cannot find the interface", r);
		goto close;
	}
	o->index = link.index;
	/* The switch drops what stands for more segments, which happens with
	 * MTUs below 600. Who may not change that has it in the counters. */
	vnet_link_set(nl, link.index, &bound);
	r = change_link(nl, link.index, &change, why);
close:
	mnl_socket_close(nl);
	return r;
}

static int
check_mtu(uint32_t mtu, struct vnet_why *why)
{
	if (mtu && (mtu < VNET_MTU_MIN || mtu > VNET_TAP_MTU_MAX))
		return vnet_medium_why(why, "MTU not from 68 to 65521",
				       -EINVAL);
	return 0;
}

static int
check(const struct vnet_tap_config *config, struct vnet_why *why)
{
	if (config->size != sizeof(*config))
		return vnet_medium_why(why, "unknown size of the configuration",
				       -EINVAL);
	if (config->name &&
	    (!*config->name || strlen(config->name) >= IFNAMSIZ))
		return vnet_medium_why(why, "name not of 1 to 15 octets",
				       -EINVAL);
	if (!config->name && config->mode == VNET_TAP_ATTACH)
		return vnet_medium_why(why, "no name", -EINVAL);
	return check_mtu(config->mtu, why);
}

int
vnet_tap_open(struct vnet_medium **m, struct vnet_media *media,
	      const struct vnet_tap_config *config, struct vnet_why *why)
{
	struct opening o = {
		.config = config,
		.step = "cannot enter the network namespace",
	};
	struct vnet_medium *new;
	int ns, r;

	r = check(config, why);
	if (r)
		return r;
	if (config->name)
		memcpy(o.ifr.ifr_name, config->name, strlen(config->name));
	ns = vnet_netns_open(config->netns);
	if (ns < 0 && config->netns)
		return vnet_medium_why(why, "cannot open the network namespace",
				       ns);
	r = vnet_netns_call(ns, open_tun, &o);
	if (r) {
		vnet_medium_why(why, o.step, r);
		goto close_ns;
	}
	new = make_medium(media, o.fd, TAP_FLAGS, config->without, &r, why);
	if (!new) {
		close(o.fd);
		goto close_ns;
	}
	r = set_up(&o, ns, why);
	if (r)
		goto close_medium;
	if (config->owner && ioctl(o.fd, TUNSETOWNER, *config->owner) < 0) {
		r = vnet_medium_why(why, "cannot set the owner", -errno);
		goto close_medium;
	}
	/* Last: from here on it would stay behind. */
	if (config->persist && ioctl(o.fd, TUNSETPERSIST, 1ul) < 0) {
		r = vnet_medium_why(why, "cannot make it persistent", -errno);
		goto close_medium;
	}
	set_place(new, ns, o.index);
	*m = new;
	return 0;

close_medium:
	vnet_medium_close(new);
close_ns:
	vnet_netns_close(ns);
	return r;
}

int
vnet_tap_change(struct vnet_medium *m, const struct vnet_tap_change *change,
		struct vnet_why *why)
{
	struct mnl_socket *nl;
	struct ifreq ifr;
	struct link_info link;
	int ns, r;

	if (m->ops != &tap_ops)
		return vnet_medium_why(why, "not a TAP", -EINVAL);
	if (change->size != sizeof(*change))
		return vnet_medium_why(why, "unknown size of the change",
				       -EINVAL);
	r = check_mtu(change->mtu, why);
	if (r)
		return r;
	r = get_ifreq(m->fd, &ifr);
	if (r)
		return vnet_medium_why(why, "cannot find the interface", r);
	/* Where one may not ask, one may not change it either: not that of its
	 * name that is here. */
	ns = find_netns(m->fd);
	if (ns < 0 && errno == EPERM)
		return vnet_medium_why(why, "cannot find the network namespace",
				       -EPERM);
	r = vnet_link_open(ns, 0, &nl);
	if (r) {
		vnet_medium_why(why, "cannot open a netlink socket", r);
		goto close_ns;
	}
	r = vnet_link_get(nl, ifr.ifr_name, 0, &link);
	if (r)
		vnet_medium_why(why, "cannot find the interface", r);
	else
		r = change_link(nl, link.index, change, why);
	mnl_socket_close(nl);
close_ns:
	vnet_netns_close(ns);
	return r;
}
