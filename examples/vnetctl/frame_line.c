/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "frame_line.h"

/* What is left to read; nothing is read that is not there. */
struct octets {
	const uint8_t *p;
	size_t len;
};

struct line {
	char *text;
	size_t len;
};

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_QINQ = 0x88a8,
	TYPE_MIN = 0x0600, /* below, it is a length (IEEE 802.3) */
};

enum {
	PROTO_HOPOPTS = 0,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_ICMPV6 = 58,
	PROTO_DSTOPTS = 60,
};

/* Extension headers that are stepped over. */
#define EXTENSIONS_MAX 8

static void __attribute__((format(printf, 2, 3)))
add(struct line *line, const char *format, ...)
{
	size_t room = FRAME_SUMMARY_SIZE - line->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, room, format, args);
	va_end(args);
	if (n > 0)
		line->len += (size_t)n < room ? (size_t)n : room - 1;
}

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Step over @len octets; false if they are not there. */
static bool
skip(struct octets *o, size_t len)
{
	if (o->len < len)
		return false;
	o->p += len;
	o->len -= len;
	return true;
}

static const char *
print_mac(char text[FRAME_MAC_SIZE], const uint8_t *p)
{
	snprintf(text, FRAME_MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", p[0],
		 p[1], p[2], p[3], p[4], p[5]);
	return text;
}

static void
add_address(struct line *line, int family, const uint8_t *p)
{
	char text[INET6_ADDRSTRLEN];

	add(line, "%s", inet_ntop(family, p, text, sizeof(text)));
}

static void
add_type(struct line *line, uint16_t type)
{
	switch (type) {
	case TYPE_IPV4:
		add(line, "IPv4");
		break;
	case TYPE_ARP:
		add(line, "ARP");
		break;
	case TYPE_IPV6:
		add(line, "IPv6");
		break;
	default:
		if (type < TYPE_MIN)
			add(line, "802.3");
		else
			add(line, "0x%04x", type);
		break;
	}
}

static void
add_arp(struct line *line, struct octets o)
{
	static const uint8_t ethernet_ipv4[] = {0, 1, 8, 0, 6, 4};
	char mac[FRAME_MAC_SIZE];

	if (o.len < 28 ||
	    memcmp(o.p, ethernet_ipv4, sizeof(ethernet_ipv4)) != 0)
		return;
	switch (get16(o.p + 6)) {
	case 1:
		add(line, ": who has ");
		add_address(line, AF_INET, o.p + 24);
		add(line, "? tell ");
		add_address(line, AF_INET, o.p + 14);
		break;
	case 2:
		add(line, ": ");
		add_address(line, AF_INET, o.p + 14);
		add(line, " is at %s", print_mac(mac, o.p + 8));
		break;
	default:
		break;
	}
}

static void
add_tcp_flags(struct line *line, uint8_t flags)
{
	static const char letters[] = "FSRP.UEW";

	add(line, " [");
	for (unsigned int i = 0; i < 8; i++)
		if (flags & 1u << i)
			add(line, "%c", letters[i]);
	add(line, "]");
}

static void
add_icmp(struct line *line, const char *name, uint8_t echo, struct octets o)
{
	add(line, ": %s", name);
	if (o.len < 2)
		return;
	if (o.p[0] == echo)
		add(line, " echo request");
	else if (o.p[0] == (echo == 8 ? 0 : echo + 1))
		add(line, " echo reply");
	else
		add(line, " type %u code %u", o.p[0], o.p[1]);
}

/* Addresses, ports if there are any, and what it is. */
static void
add_flow(struct line *line, int family, const uint8_t *src, const uint8_t *dst,
	 int proto, struct octets o)
{
	bool has_ports =
		(proto == PROTO_TCP || proto == PROTO_UDP) && o.len >= 4;

	add(line, ": ");
	add_address(line, family, src);
	if (has_ports)
		add(line, ".%u", get16(o.p));
	add(line, " > ");
	add_address(line, family, dst);
	if (has_ports)
		add(line, ".%u", get16(o.p + 2));
	switch (proto) {
	case PROTO_TCP:
		add(line, ": TCP");
		if (o.len >= 14)
			add_tcp_flags(line, o.p[13]);
		break;
	case PROTO_UDP:
		add(line, ": UDP");
		break;
	case PROTO_ICMP:
		add_icmp(line, "ICMP", 8, o);
		break;
	case PROTO_ICMPV6:
		add_icmp(line, "ICMPv6", 128, o);
		break;
	case -1:
		add(line, ": fragment");
		break;
	default:
		add(line, ": protocol %d", proto);
		break;
	}
}

static void
add_ipv4(struct line *line, struct octets o)
{
	const uint8_t *header = o.p;
	int proto;

	if (o.len < 20 || header[0] >> 4 != 4)
		return;
	/* Only the first fragment has ports. */
	proto = get16(header + 6) & 0x1fff ? -1 : header[9];
	if (!skip(&o, (size_t)(header[0] & 0xf) * 4))
		o.len = 0;
	add_flow(line, AF_INET, header + 12, header + 16, proto, o);
}

static void
add_ipv6(struct line *line, struct octets o)
{
	const uint8_t *header = o.p;
	int proto;

	if (!skip(&o, 40) || header[0] >> 4 != 6)
		return;
	proto = header[6];
	for (int i = 0; i < EXTENSIONS_MAX && o.len >= 8; i++) {
		size_t len = ((size_t)o.p[1] + 1) * 8;

		if (proto == PROTO_FRAGMENT) {
			len = 8;
			proto = get16(o.p + 2) & 0xfff8 ? -1 : o.p[0];
		} else if (proto == PROTO_HOPOPTS || proto == PROTO_ROUTING ||
			   proto == PROTO_DSTOPTS) {
			proto = o.p[0];
		} else {
			break;
		}
		if (!skip(&o, len))
			o.len = 0;
	}
	add_flow(line, AF_INET6, header + 8, header + 24, proto, o);
}

void
frame_line_read(struct frame_line *parts, const uint8_t *data, uint32_t kept,
		uint32_t len)
{
	struct line line = {.text = parts->summary};
	struct octets o = {data, kept};
	uint16_t type;

	*parts = (struct frame_line){.ethertype = 0};
	if (!skip(&o, 14)) {
		add(&line, "%" PRIu32 " octets, cut to %" PRIu32, len, kept);
		return;
	}
	print_mac(parts->source, data + 6);
	print_mac(parts->destination, data);
	type = get16(data + 12);
	while ((type == TYPE_VLAN || type == TYPE_QINQ) && o.len >= 4) {
		add(&line, "vlan %u, ", get16(o.p) & 0xfff);
		type = get16(o.p + 2);
		skip(&o, 4);
	}
	if (type >= TYPE_MIN)
		parts->ethertype = type;
	add_type(&line, type);
	add(&line, ", %" PRIu32, len);
	if (type == TYPE_ARP)
		add_arp(&line, o);
	else if (type == TYPE_IPV4)
		add_ipv4(&line, o);
	else if (type == TYPE_IPV6)
		add_ipv6(&line, o);
}
