/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "link.h"
#include "netns.h"

/* Of a request; the longest has two addresses and a name. */
#define REQUEST_SIZE 512

/* Of an answer. The kernel cuts what it says of one interface to what a reader
 * offers, at 32 KiB. */
#define ANSWER_SIZE 32768

static int
open_socket(void *arg)
{
	struct mnl_socket **nl = arg;

	*nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	return *nl ? 0 : -errno;
}

int
vnet_link_open(int ns, unsigned int groups, struct mnl_socket **nl)
{
	struct mnl_socket *s = NULL;
	int r = vnet_netns_call(ns, open_socket, &s);

	if (r)
		return r;
	if (mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		mnl_socket_close(s);
		return r;
	}
	*nl = s;
	return 0;
}

/* A socket asks one thing at a time, so any number tells answers apart from
 * what is none. */
#define SEQUENCE 1

static struct nlmsghdr *
begin(void *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = SEQUENCE;
	return h;
}

/* Ask, and call @fn for what comes before the acknowledgement. */
static int
ask(struct mnl_socket *nl, const struct nlmsghdr *h, mnl_cb_t fn, void *ctx)
{
	char buf[ANSWER_SIZE];
	ssize_t len;
	int r;

	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		return -errno;
	do {
		do
			len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		while (len < 0 && errno == EINTR);
		if (len < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)len, SEQUENCE,
			       mnl_socket_get_portid(nl), fn, ctx);
		if (r < 0)
			return -errno;
	} while (r > MNL_CB_STOP);
	return 0;
}

/* The attribute of that type in @nest, or NULL. */
static const struct nlattr *
find_attribute(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest) if (mnl_attr_get_type(a) ==
					      type) return a;
	return NULL;
}

static bool
has_pi(const struct nlattr *link_info)
{
	const struct nlattr *kind = find_attribute(link_info, IFLA_INFO_KIND);
	const struct nlattr *data = find_attribute(link_info, IFLA_INFO_DATA);
	const struct nlattr *pi;

	if (!kind || !data ||
	    mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) < 0 ||
	    strcmp(mnl_attr_get_str(kind), "tun") != 0)
		return false;
	pi = find_attribute(data, IFLA_TUN_PI);
	return pi && mnl_attr_validate(pi, MNL_TYPE_U8) == 0 &&
	       mnl_attr_get_u8(pi);
}

static int
read_attribute(const struct nlattr *a, void *ctx)
{
	struct link_info *info = ctx;

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0 &&
		    mnl_attr_get_payload_len(a) <= sizeof(info->name))
			memcpy(info->name, mnl_attr_get_payload(a),
			       mnl_attr_get_payload_len(a));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(a) == sizeof(info->mac))
			memcpy(&info->mac, mnl_attr_get_payload(a),
			       sizeof(info->mac));
		break;
	case IFLA_MTU:
		if (mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			info->mtu = mnl_attr_get_u32(a);
		break;
	case IFLA_LINKINFO:
		info->has_pi = has_pi(a);
		break;
	case IFLA_STATS64:
		if (mnl_attr_get_payload_len(a) >=
		    offsetof(struct rtnl_link_stats64, multicast)) {
			struct rtnl_link_stats64 stats;

			/* Not aligned to 8. */
			memcpy(&stats, mnl_attr_get_payload(a),
			       offsetof(struct rtnl_link_stats64, multicast));
			info->rx_dropped = stats.rx_dropped;
			info->tx_dropped = stats.tx_dropped;
		}
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int
read_link(const struct nlmsghdr *h, void *ctx)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	struct link_info *info = ctx;

	if (h->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	info->index = (uint32_t)m->ifi_index;
	info->type = m->ifi_type;
	info->up = m->ifi_flags & IFF_UP;
	info->running = info->up && m->ifi_flags & IFF_RUNNING;
	mnl_attr_parse(h, sizeof(*m), read_attribute, info);
	return MNL_CB_OK;
}

int
vnet_link_get(struct mnl_socket *nl, const char *name, uint32_t index,
	      struct link_info *info)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *h = begin(buf, RTM_GETLINK, 0);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	int r;

	m->ifi_family = AF_UNSPEC;
	if (name)
		mnl_attr_put_strz(h, IFLA_IFNAME, name);
	else
		m->ifi_index = (int)index;
	memset(info, 0, sizeof(*info));
	r = ask(nl, h, read_link, info);
	if (r)
		return r;
	return info->index ? 0 : -ENODEV;
}

int
vnet_link_set(struct mnl_socket *nl, uint32_t index,
	      const struct link_change *change)
{
	static const struct vnet_mac none;
	char buf[REQUEST_SIZE];
	struct nlmsghdr *h = begin(buf, RTM_NEWLINK, 0);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ifi_family = AF_UNSPEC;
	m->ifi_index = (int)index;
	if (change->up || change->down)
		m->ifi_change = IFF_UP;
	if (change->up)
		m->ifi_flags = IFF_UP;
	if (memcmp(&change->mac, &none, sizeof(none)) != 0)
		mnl_attr_put(h, IFLA_ADDRESS, sizeof(change->mac),
			     &change->mac);
	if (change->mtu)
		mnl_attr_put_u32(h, IFLA_MTU, change->mtu);
	if (change->gso_max_segs)
		mnl_attr_put_u32(h, IFLA_GSO_MAX_SEGS, change->gso_max_segs);
	return ask(nl, h, NULL, NULL);
}

/* Four octets or sixteen. */
static int
parse_address(const char *text, uint8_t *octets, size_t *len, uint8_t *prefix)
{
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN];
	unsigned int bits = 0;

	if (!slash || (size_t)(slash - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (inet_pton(AF_INET, host, octets) == 1)
		*len = 4;
	else if (inet_pton(AF_INET6, host, octets) == 1)
		*len = 16;
	else
		return -EINVAL;

	slash++;
	if (!*slash || strlen(slash) > 3 || slash[strspn(slash, "0123456789")])
		return -EINVAL;
	for (; *slash; slash++)
		bits = 10 * bits + (unsigned int)(*slash - '0');
	if (bits > 8 * *len)
		return -EINVAL;
	*prefix = (uint8_t)bits;
	return 0;
}

static int
change_address(struct mnl_socket *nl, uint16_t type, uint16_t flags,
	       uint32_t index, const char *text)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *h = begin(buf, type, flags);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	uint8_t octets[16];
	size_t len;
	int r = parse_address(text, octets, &len, &m->ifa_prefixlen);

	if (r)
		return r;
	m->ifa_family = len == 4 ? AF_INET : AF_INET6;
	m->ifa_index = index;
	mnl_attr_put(h, IFA_LOCAL, len, octets);
	mnl_attr_put(h, IFA_ADDRESS, len, octets);
	return ask(nl, h, NULL, NULL);
}

int
vnet_link_add_address(struct mnl_socket *nl, uint32_t index, const char *text)
{
	return change_address(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
			      index, text);
}

int
vnet_link_remove_address(struct mnl_socket *nl, uint32_t index,
			 const char *text)
{
	int r = change_address(nl, RTM_DELADDR, 0, index, text);

	return r == -EADDRNOTAVAIL ? 0 : r;
}
