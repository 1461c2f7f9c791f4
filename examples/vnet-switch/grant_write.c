/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#include "grant_write.h"
#include "keys.h"

static json_t *
prefix(const char *address, unsigned int bits, unsigned int width)
{
	return bits == width ? json_string(address)
			     : json_sprintf("%s/%u", address, bits);
}

static json_t *
mac(const struct vnet_mac_prefix *p)
{
	const uint8_t *o = p->mac.octet;
	char text[18];

	(void)snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
		       o[0], o[1], o[2], o[3], o[4], o[5]);
	return prefix(text, p->bits, 48);
}

static json_t *
ipv4(const struct vnet_ipv4_prefix *p)
{
	char text[INET_ADDRSTRLEN] = "";

	(void)inet_ntop(AF_INET, p->octet, text, sizeof(text));
	return prefix(text, p->bits, 32);
}

static json_t *
ipv6(const struct vnet_ipv6_prefix *p)
{
	char text[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(AF_INET6, p->octet, text, sizeof(text));
	return prefix(text, p->bits, 128);
}

static json_t *
vlans(const struct vnet_vlan_range *r)
{
	return r->first == r->last ? json_integer(r->first)
				   : json_sprintf("%d-%d", r->first, r->last);
}

static json_t *
ethertype(const uint16_t *e)
{
	return json_integer(*e);
}

static json_t *
may(uint32_t bits)
{
	const struct key *key = key_find(grant_keys, "may", ANY);
	json_t *list = json_array();

	for (size_t i = 0; key->of->choices[i]; i++)
		if (bits & UINT32_C(1) << i)
			json_array_append_new(list,
					      json_string(key->of->choices[i]));
	return list;
}

/* Beyond what the calendar of this machine has there is no end. */
static json_t *
until(uint64_t wall)
{
	const time_t t = (time_t)(wall / VNET_NSEC_PER_SEC);
	struct tm tm;
	char text[32];

	if (!gmtime_r(&t, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return NULL;
	return json_string(text);
}

static void
put_number(json_t *object, const char *key, uint64_t n)
{
	if (n)
		json_object_set_new(object, key, json_integer((json_int_t)n));
}

static json_t *
rate(const struct vnet_limit *limit)
{
	json_t *object = json_object();

	put_number(object, "frames_per_s", limit->frames_per_s);
	put_number(object, "octets_per_s", limit->octets_per_s);
	put_number(object, "burst_frames", limit->burst_frames);
	put_number(object, "burst_octets", limit->burst_octets);
	return object;
}

json_t *
grant_write(const struct vnet_grant *grant, uint64_t ahead)
{
	json_t *object = json_pack("{s:s}", "name", grant->name);

#define LIST(key, list, write)                                              \
	do {                                                                \
		json_t *all = json_array();                                 \
                                                                            \
		for (size_t i = 0; i < grant->n##list; i++)                 \
			json_array_append_new(all, write(&grant->list[i])); \
		if (grant->n##list)                                         \
			json_object_set(object, key, all);                  \
		json_decref(all);                                           \
	} while (0)
	LIST("mac", macs, mac);
	LIST("vlan", vlans, vlans);
	LIST("ethertype", ethertypes, ethertype);
	LIST("ipv4", ipv4, ipv4);
	LIST("ipv6", ipv6, ipv6);
	LIST("group", groups, mac);
#undef LIST
	if (grant->may)
		json_object_set_new(object, "may", may(grant->may));
	put_number(object, "max_addresses", grant->max_addresses);
	put_number(object, "max_clients", grant->max_clients);
	put_number(object, "queue", grant->queue_octets);
	put_number(object, "depth", grant->depth);
	if (grant->until)
		json_object_set_new(object, "until",
				    until(grant->until + ahead));
	if (grant->rate.size)
		json_object_set_new(object, "rate", rate(&grant->rate));
	return object;
}
