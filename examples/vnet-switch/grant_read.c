/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forms.h"
#include "grant_read.h"
#include "keys.h"

/* What is in front of a prefix, and how many bits of it count. */
static unsigned int
split(const char *text, unsigned int width, char host[INET6_ADDRSTRLEN])
{
	const size_t len = strcspn(text, "/");

	memset(host, 0, INET6_ADDRSTRLEN);
	memcpy(host, text, len < INET6_ADDRSTRLEN ? len : INET6_ADDRSTRLEN - 1);
	return text[len] ? (unsigned int)strtoul(text + len + 1, NULL, 10)
			 : width;
}

static struct vnet_mac_prefix
read_mac(const char *text)
{
	struct vnet_mac_prefix prefix;
	char host[INET6_ADDRSTRLEN];

	prefix.bits = (uint8_t)split(text, 48, host);
	for (size_t i = 0; i < 6; i++)
		prefix.mac.octet[i] = (uint8_t)strtoul(host + 3 * i, NULL, 16);
	return prefix;
}

static struct vnet_ipv4_prefix
read_ipv4(const char *text)
{
	struct vnet_ipv4_prefix prefix;
	char host[INET6_ADDRSTRLEN];

	prefix.bits = (uint8_t)split(text, 32, host);
	(void)inet_pton(AF_INET, host, prefix.octet);
	return prefix;
}

static struct vnet_ipv6_prefix
read_ipv6(const char *text)
{
	struct vnet_ipv6_prefix prefix;
	char host[INET6_ADDRSTRLEN];

	prefix.bits = (uint8_t)split(text, 128, host);
	(void)inet_pton(AF_INET6, host, prefix.octet);
	return prefix;
}

/* The last 23 bits of a group of IPv4 are those of its MAC address (RFC 1112,
 * 6.4). */
static struct vnet_mac_prefix
map_ipv4(struct vnet_ipv4_prefix p)
{
	struct vnet_mac_prefix prefix = {
		.mac = {{0x01, 0x00, 0x5e, p.octet[1] & 0x7f, p.octet[2],
			 p.octet[3]}},
		.bits = (uint8_t)(p.bits > 9 ? p.bits + 16 : 25),
	};

	return prefix;
}

/* Of IPv6 the last 32 (RFC 2464, 7). */
static struct vnet_mac_prefix
map_ipv6(struct vnet_ipv6_prefix p)
{
	struct vnet_mac_prefix prefix = {
		.mac = {{0x33, 0x33, p.octet[12], p.octet[13], p.octet[14],
			 p.octet[15]}},
		.bits = (uint8_t)(p.bits > 96 ? p.bits - 80 : 16),
	};

	return prefix;
}

/* None of IPv6 has less than four digits in front of its first colon. */
static struct vnet_mac_prefix
read_group(const char *text)
{
	if (strchr(text, '.'))
		return map_ipv4(read_ipv4(text));
	return text[2] == ':' ? read_mac(text) : map_ipv6(read_ipv6(text));
}

static struct vnet_vlan_range
read_vlans(const json_t *value)
{
	const char *text = json_string_value(value);
	struct vnet_vlan_range range;
	char *end;

	if (!text) {
		range.first = (uint16_t)json_integer_value(value);
		range.last = range.first;
		return range;
	}
	range.first = (uint16_t)strtoul(text, &end, 10);
	range.last = (uint16_t)strtoul(end + 1, NULL, 10);
	return range;
}

static uint32_t
read_may(const json_t *list)
{
	const struct key *may = key_find(grant_keys, "may", ANY);
	const json_t *value;
	uint32_t bits = 0;
	size_t i;

	json_array_foreach(list, i, value)
		bits |= UINT32_C(1) << key_choice(may->of->choices,
						  json_string_value(value));
	return bits;
}

static uint64_t
number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static struct vnet_limit
read_rate(const json_t *rate)
{
	const struct vnet_limit limit = {
		.size = rate ? sizeof(limit) : 0,
		.frames_per_s = number(rate, "frames_per_s"),
		.octets_per_s = number(rate, "octets_per_s"),
		.burst_frames = number(rate, "burst_frames"),
		.burst_octets = number(rate, "burst_octets"),
	};

	return limit;
}

void
grant_read(struct grant_read *g, const char *name, const json_t *config,
	   vnet_nsec until)
{
	struct vnet_grant *to = &g->grant;
	const json_t *value;

#define LIST(key, list, n, read)                                           \
	do {                                                               \
		json_array_foreach(json_object_get(config, key), n, value) \
			(list)[n] = read;                                  \
	} while (0)
	*to = (struct vnet_grant){
		.size = sizeof(*to),
		.name = name,
		.may = read_may(json_object_get(config, "may")),
		.max_addresses = (uint32_t)number(config, "max_addresses"),
		.max_clients = (uint32_t)number(config, "max_clients"),
		.queue_octets = (uint32_t)number(config, "queue"),
		.depth = (uint32_t)number(config, "depth"),
		.until = until,
		.rate = read_rate(json_object_get(config, "rate")),
	};
	vnet_grant_use_lists(to, &g->lists);
	LIST("mac", g->lists.macs, to->nmacs,
	     read_mac(json_string_value(value)));
	LIST("group", g->lists.groups, to->ngroups,
	     read_group(json_string_value(value)));
	LIST("ipv4", g->lists.ipv4, to->nipv4,
	     read_ipv4(json_string_value(value)));
	LIST("ipv6", g->lists.ipv6, to->nipv6,
	     read_ipv6(json_string_value(value)));
	LIST("vlan", g->lists.vlans, to->nvlans, read_vlans(value));
	LIST("ethertype", g->lists.ethertypes, to->nethertypes,
	     (uint16_t)json_integer_value(value));
#undef LIST
}

uint64_t
grant_until(const json_t *config)
{
	const char *text = json_string_value(json_object_get(config, "until"));

	return text ? (uint64_t)form_seconds(text) * VNET_NSEC_PER_SEC : 0;
}

json_t *
grant_whole(const json_t *grants, const json_t *config)
{
	static const char *const keys[] = {"queue", "rate", "until"};
	json_t *whole = json_copy((json_t *)config);
	const json_t *from = config;

	while (whole && json_object_get(from, "parent")) {
		from = json_object_get(
			grants,
			json_string_value(json_object_get(from, "parent")));
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (!json_object_get(whole, keys[i]) &&
			    json_object_get(from, keys[i]))
				json_object_set(whole, keys[i],
						json_object_get(from, keys[i]));
	}
	return whole;
}

static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	const size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + len, size - len, format, args);
	va_end(args);
}

void
grant_why(enum vnet_grant_part part, const struct vnet_why *why, char *text,
	  size_t size)
{
	const char *name = vnet_grant_part_name(part);

	text[0] = '\0';
	append(text, size, "%s", name ? name : "grant");
	if (why->text)
		append(text, size, ": %s", why->text);
	if (why->found || why->bound)
		append(text, size, ": found %" PRIu64, why->found);
	if (why->bound)
		append(text, size, ", bound %" PRIu64, why->bound);
}

const char *
grant_key(enum vnet_grant_part part)
{
	static const char *const keys[VNET_GRANT_NPARTS] = {
		[VNET_GRANT_MACS] = "mac",
		[VNET_GRANT_VLANS] = "vlan",
		[VNET_GRANT_ETHERTYPES] = "ethertype",
		[VNET_GRANT_IPV4] = "ipv4",
		[VNET_GRANT_IPV6] = "ipv6",
		[VNET_GRANT_BROADCAST] = "may",
		[VNET_GRANT_GROUPS] = "group",
		[VNET_GRANT_DHCP] = "may",
		[VNET_GRANT_ROUTE] = "may",
		[VNET_GRANT_VRRP] = "may",
		[VNET_GRANT_TUNNEL] = "may",
		[VNET_GRANT_LLC] = "may",
		[VNET_GRANT_ADDRESSES] = "max_addresses",
		[VNET_GRANT_CLIENTS] = "max_clients",
		[VNET_GRANT_QUEUE] = "queue",
		[VNET_GRANT_RATE] = "rate",
		[VNET_GRANT_DEPTH] = "depth",
		[VNET_GRANT_UNTIL] = "until",
	};

	return (unsigned int)part < VNET_GRANT_NPARTS ? keys[part] : NULL;
}
