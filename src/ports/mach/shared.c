/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One MAC address for all.
 *
 *	client ---> vnet_shared_out() ---> NIC	   learns who has which IP address
 *	client <--- vnet_shared_in()  <--- NIC	   looks there
 *
 * Where things are in a frame shared_packet.c knows, who has which address
 * shared_table.c; here is what is done about it.
 *
 * A client that is attacked by another one inside loses no more than on a wire
 * that both are on, and less: an address that it uses cannot be taken from it.
 * That a client sends from its own MAC address alone the switch sees to: one that
 * is let send from many may take all places there are.
 *
 * From outside nothing is learnt, but the address that a DHCP server gives to a
 * client that has asked for one.
 */
#include <errno.h>
#include <string.h>

#include "shared.h"
#include "shared_packet.h"
#include "shared_table.h"

#define ETH_LEN          14
#define ETH_SRC          6

#define DEFAULT_CLIENTS  64
#define DEFAULT_ADDRS    16
#define DEFAULT_AGEING_S 1200
#define DEFAULT_QUIET_S  30

/* So that an index has 16 bits. */
#define MAX_CLIENTS 1024
#define MAX_ADDRS   63

/* A probe is answered at once, if at all; RFC 5227, 2.1.1 waits 2 seconds after
 * the last of three. */
#define PROBE_NSEC (10 * VNET_NSEC_PER_SEC)

/* A client waits 4 to 64 seconds for the reply (RFC 2131, 4.1). */
#define DHCP_NSEC (64 * VNET_NSEC_PER_SEC)

struct vnet_shared {
	struct vnet_shared_table table;
	struct vnet_mac nic;
	vnet_nsec now;
	uint64_t nconflicts;
	struct vnet_alloc alloc;
	size_t octets; /* of all of it */
};

static int
refuse(struct vnet_why *why, const char *text, uint64_t found, uint64_t bound)
{
	if (why)
		*why = (struct vnet_why){
			.text = text,
			.found = found,
			.bound = bound,
		};
	return -EINVAL;
}

static bool
is_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

/* Can it be that of a NIC, or of a client? */
static bool
is_individual(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return !is_group(mac) && memcmp(mac, zero, sizeof(zero)) != 0;
}

static bool
is_mac(const uint8_t *octets, const struct vnet_mac *mac)
{
	return memcmp(octets, mac->octet, sizeof(mac->octet)) == 0;
}

static void
put_mac(uint8_t *octets, const struct vnet_mac *mac)
{
	memcpy(octets, mac->octet, sizeof(mac->octet));
}

static uint32_t
or_default(uint32_t v, uint32_t standard)
{
	return v ? v : standard;
}

_Static_assert(_Alignof(struct vnet_shared) >=
			       _Alignof(struct vnet_shared_client) &&
		       _Alignof(struct vnet_shared) >=
			       _Alignof(struct vnet_shared_addr),
	       "what follows it is aligned as it is");

int
vnet_shared_create(struct vnet_shared **out,
		   const struct vnet_shared_config *config,
		   struct vnet_why *why)
{
	uint32_t nclients = or_default(config->max_clients, DEFAULT_CLIENTS);
	uint32_t naddrs = or_default(config->max_addrs, DEFAULT_ADDRS);
	uint32_t nchains = 1;
	struct vnet_shared_table *t;
	struct vnet_shared *s;
	size_t at_addrs, at_heads, octets;
	uint8_t *memory;

	if (config->size != sizeof(*config))
		return refuse(why, "unknown size of the configuration",
			      config->size, sizeof(*config));
	if (!config->alloc)
		return refuse(why, "no allocator", 0, 0);
	if (!is_individual(config->nic.octet))
		return refuse(why, "not an address that a NIC has", 0, 0);
	if (nclients > MAX_CLIENTS)
		return refuse(why, "too many clients", nclients, MAX_CLIENTS);
	if (naddrs > MAX_ADDRS)
		return refuse(why, "too many addresses of a client", naddrs,
			      MAX_ADDRS);

	while (nchains < nclients * naddrs)
		nchains *= 2;
	/* In the order of their alignment. */
	at_addrs = sizeof(*s) + nclients * sizeof(struct vnet_shared_client);
	at_heads = at_addrs +
		   (size_t)nclients * naddrs * sizeof(struct vnet_shared_addr);
	octets = at_heads + 2 * (size_t)nchains * sizeof(uint16_t);
	memory = config->alloc->get(config->alloc->ctx, octets,
				    _Alignof(struct vnet_shared));
	if (!memory) {
		(void)refuse(why, "no memory", octets, 0);
		return -ENOMEM;
	}

	s = (void *)memory;
	memset(s, 0, sizeof(*s));
	s->nic = config->nic;
	s->alloc = *config->alloc;
	s->octets = octets;
	t = &s->table;
	t->clients = (void *)(memory + sizeof(*s));
	t->addrs = (void *)(memory + at_addrs);
	t->heads = (void *)(memory + at_heads);
	t->nclients = nclients;
	t->naddrs = naddrs;
	t->mask = nchains - 1;
	t->ageing = or_default(config->ageing_s, DEFAULT_AGEING_S) *
		    VNET_NSEC_PER_SEC;
	t->quiet = or_default(config->quiet_s, DEFAULT_QUIET_S) *
		   VNET_NSEC_PER_SEC;
	vnet_shared_table_clear(t);
	*out = s;
	return 0;
}

void
vnet_shared_destroy(struct vnet_shared *s)
{
	struct vnet_alloc alloc;

	if (!s)
		return;
	alloc = s->alloc;
	alloc.put(alloc.ctx, s, s->octets);
}

static void
advance(struct vnet_shared *s, vnet_nsec now)
{
	if (now > s->now)
		s->now = now;
}

/* The address at @at of a frame. */
static struct vnet_shared_ip
read_ip(const struct vnet_packet *p, const uint8_t *data, uint32_t at)
{
	struct vnet_shared_ip ip = {
		.vlan = p->vlan,
		.len = p->kind == VNET_PACKET_IPV6 ? 16 : 4,
	};

	memcpy(ip.octet, data + at, ip.len);
	return ip;
}

/* A client claims the address at @at of a frame, if it is one to be had. */
static void
claim(struct vnet_shared *s, const struct vnet_mac *client,
      const struct vnet_packet *p, const uint8_t *data, uint32_t at,
      enum vnet_shared_claim how)
{
	struct vnet_shared_ip ip = read_ip(p, data, at);

	if (vnet_packet_is_host(p, data + at) &&
	    !vnet_shared_table_claim(&s->table, client, &ip, how, s->now))
		s->nconflicts++;
}

static void
arp_out(struct vnet_shared *s, const struct vnet_mac *client,
	const struct vnet_packet *p, uint8_t *data)
{
	struct vnet_shared_client *c;

	/* One that speaks for another address is not to be believed that it is
	 * to be sent what is for the other. */
	if (is_mac(data + p->src_mac, client)) {
		if (vnet_packet_is_probe(p, data)) {
			c = vnet_shared_table_meet(&s->table, client, s->now);
			if (c) {
				c->probe = read_ip(p, data, p->dst);
				c->probed = s->now;
			}
		} else {
			claim(s, client, p, data, p->src,
			      VNET_SHARED_ANNOUNCED);
		}
	}
	put_mac(data + p->src_mac, &s->nic);
	/* Announcements have it there, too (RFC 826 does not say what to put
	 * there). */
	if (is_mac(data + p->dst_mac, client))
		put_mac(data + p->dst_mac, &s->nic);
}

static void
ipv4_out(struct vnet_shared *s, const struct vnet_mac *client,
	 const struct vnet_packet *p, uint8_t *data)
{
	struct vnet_packet_bootp request;
	struct vnet_shared_client *c;

	claim(s, client, p, data, p->src, VNET_SHARED_USED);
	if (!vnet_packet_parse_request(&request, p, data))
		return;
	if (is_mac(data + request.mac, client)) {
		c = vnet_shared_table_meet(&s->table, client, s->now);
		if (c) {
			c->has_xid = true;
			c->xid = request.xid;
			c->asked = s->now;
		}
	}
	vnet_packet_set_broadcast(p, data);
}

static void
ipv6_out(struct vnet_shared *s, const struct vnet_mac *client,
	 const struct vnet_packet *p, uint8_t *data)
{
	enum vnet_shared_claim how = VNET_SHARED_USED;
	struct vnet_packet_nd nd;
	struct vnet_mac mac;
	bool is_nd;

	is_nd = vnet_packet_parse_nd(&nd, p, data);
	/* What tells an address to send to announces the one it comes from. */
	if (is_nd && nd.mac && !nd.is_redirect)
		how = VNET_SHARED_ANNOUNCED;
	claim(s, client, p, data, p->src, how);
	if (!is_nd)
		return;
	if (nd.target)
		claim(s, client, p, data, nd.target, VNET_SHARED_ANNOUNCED);
	if (!nd.mac)
		return;

	memcpy(mac.octet, data + nd.mac, sizeof(mac.octet));
	/* A redirect may be to somebody outside. */
	if (nd.is_redirect && !is_mac(mac.octet, client) &&
	    !vnet_shared_table_client(&s->table, &mac))
		return;
	vnet_packet_set_nd_mac(&nd, p, data, &s->nic);
}

enum vnet_shared_verdict
vnet_shared_out(struct vnet_shared *s, uint8_t *data, uint32_t len,
		vnet_nsec now)
{
	struct vnet_packet p;
	struct vnet_mac client;

	if (len < ETH_LEN || !is_individual(data + ETH_SRC))
		return VNET_SHARED_MALFORMED;
	advance(s, now);
	memcpy(client.octet, data + ETH_SRC, sizeof(client.octet));
	put_mac(data + ETH_SRC, &s->nic);

	vnet_packet_parse(&p, data, len);
	switch (p.kind) {
	case VNET_PACKET_ARP:
		arp_out(s, &client, &p, data);
		break;
	case VNET_PACKET_IPV4:
		ipv4_out(s, &client, &p, data);
		break;
	case VNET_PACKET_IPV6:
		ipv6_out(s, &client, &p, data);
		break;
	case VNET_PACKET_OTHER:
		break;
	}
	return VNET_SHARED_PASS;
}

/* The client that a reply of DHCP is for; NULL if it is none of ours. If a server
 * tells a client that it has the address that it has asked for, so it is. */
static const struct vnet_shared_client *
find_asker(struct vnet_shared *s, const struct vnet_packet *p,
	   const uint8_t *data)
{
	const struct vnet_shared_client *c;
	struct vnet_packet_bootp reply;
	struct vnet_mac mac;

	if (!vnet_packet_parse_reply(&reply, p, data))
		return NULL;
	memcpy(mac.octet, data + reply.mac, sizeof(mac.octet));
	c = vnet_shared_table_client(&s->table, &mac);
	if (c && reply.is_ack && c->has_xid && c->xid == reply.xid &&
	    s->now - c->asked <= DHCP_NSEC)
		claim(s, &mac, p, data, reply.ip, VNET_SHARED_ANNOUNCED);
	return c;
}

/* The client that an ARP packet is for; NULL if there is none. */
static const struct vnet_shared_client *
find_arp_target(const struct vnet_shared *s, const struct vnet_packet *p,
		const uint8_t *data)
{
	static const uint8_t nobody[4];
	struct vnet_shared_ip ip;

	if (memcmp(data + p->dst, nobody, sizeof(nobody)) != 0) {
		ip = read_ip(p, data, p->dst);
		return vnet_shared_table_find(&s->table, &ip, s->now);
	}
	ip = read_ip(p, data, p->src);
	return vnet_shared_table_find_probe(
		&s->table, &ip, s->now > PROBE_NSEC ? s->now - PROBE_NSEC : 0);
}

enum vnet_shared_verdict
vnet_shared_in(struct vnet_shared *s, uint8_t *data, uint32_t len,
	       vnet_nsec now)
{
	const struct vnet_shared_client *to;
	struct vnet_shared_ip ip;
	struct vnet_packet p;

	if (len < ETH_LEN || !is_individual(data + ETH_SRC))
		return VNET_SHARED_MALFORMED;
	if (is_mac(data + ETH_SRC, &s->nic))
		return VNET_SHARED_OWN;
	if (!is_group(data) && !is_mac(data, &s->nic))
		return VNET_SHARED_FOREIGN;
	advance(s, now);

	vnet_packet_parse(&p, data, len);
	to = find_asker(s, &p, data);
	if (is_group(data))
		return VNET_SHARED_PASS;
	if (p.kind == VNET_PACKET_OTHER)
		return VNET_SHARED_NO_ADDRESS;
	if (p.kind == VNET_PACKET_ARP) {
		to = find_arp_target(s, &p, data);
	} else if (!to) {
		ip = read_ip(&p, data, p.dst);
		to = vnet_shared_table_find(&s->table, &ip, s->now);
	}
	if (!to)
		return VNET_SHARED_UNKNOWN;

	put_mac(data, &to->mac);
	if (p.kind == VNET_PACKET_ARP && is_mac(data + p.dst_mac, &s->nic))
		put_mac(data + p.dst_mac, &to->mac);
	return VNET_SHARED_PASS;
}

void
vnet_shared_forget(struct vnet_shared *s, const struct vnet_mac *client)
{
	struct vnet_shared_client *c =
		vnet_shared_table_client(&s->table, client);

	if (c)
		vnet_shared_table_remove(&s->table, c);
}

int
vnet_shared_set_nic(struct vnet_shared *s, const struct vnet_mac *nic)
{
	if (!is_individual(nic->octet))
		return -EINVAL;
	s->nic = *nic;
	return 0;
}

uint64_t
vnet_shared_conflicts(const struct vnet_shared *s)
{
	return s->nconflicts;
}

bool
vnet_shared_check(const struct vnet_shared *s)
{
	return vnet_shared_table_check(&s->table);
}
