/* SPDX-License-Identifier: BSD-2-Clause */
/* The echo of ICMP and ICMPv6: asked for, and answered. */
#include <string.h>

#include "host.h"
#include "host_packet.h"

#define ASK_AGAIN_MS 200

#define IDENTIFIER   0x7654
#define HEADER       8
#define LEN_MAX      1400

/* Types of ICMP, and of ICMPv6. */
static const struct {
	uint8_t request;
	uint8_t reply;
	uint8_t protocol;
} echo4 = {8, 0, PROTOCOL_ICMP}, echo6 = {128, 129, PROTOCOL_ICMPV6};

uint8_t
host_ping_octet(uint16_t sequence, size_t i)
{
	return (uint8_t)host_mix((uint32_t)sequence << 16 | (uint32_t)i);
}

static void
send_echo(struct host *h, const struct host_addr *src,
	  const struct host_addr *dst, size_t len, host_msec now)
{
	host_transmit(h,
		      &(struct host_out){
			      .src = *src,
			      .dst = *dst,
			      .protocol = dst->len == 4 ? echo4.protocol
							: echo6.protocol,
			      .hop_limit = 64,
			      .len = HEADER + len,
			      .checksum_at = 2,
		      },
		      now);
}

static void
request(struct host *h, host_msec now)
{
	struct host_ping *ping = &h->ping;
	const struct host_addr *src = host_source(h, &ping->addr);
	uint8_t *p = host_payload(h, &ping->addr);

	ping->sent = now;
	if (!src)
		return;
	ping->requests++;
	memset(p, 0, HEADER);
	p[0] = ping->addr.len == 4 ? echo4.request : echo6.request;
	put16(p + 4, IDENTIFIER);
	put16(p + 6, ping->sequence);
	for (size_t i = 0; i < ping->len; i++)
		p[HEADER + i] = host_ping_octet(ping->sequence, i);
	send_echo(h, src, &ping->addr, ping->len, now);
}

void
host_ping(struct host *h, const struct host_addr *addr, size_t len,
	  host_msec now)
{
	struct host_ping *ping = &h->ping;

	ping->addr = *addr;
	ping->len = (uint16_t)(len > LEN_MAX ? LEN_MAX : len);
	ping->sequence++;
	ping->is_waiting = true;
	request(h, now);
}

static bool
is_answer(const struct host *h, const struct host_packet *p)
{
	const struct host_ping *ping = &h->ping;

	if (!ping->is_waiting || !host_addr_equal(&p->src, &ping->addr) ||
	    p->len != (size_t)HEADER + ping->len ||
	    get16(p->data + 4) != IDENTIFIER ||
	    get16(p->data + 6) != ping->sequence)
		return false;
	for (size_t i = 0; i < ping->len; i++)
		if (p->data[HEADER + i] != host_ping_octet(ping->sequence, i))
			return false;
	return true;
}

static void
answer(struct host *h, const struct host_packet *p, uint8_t type, host_msec now)
{
	uint8_t *reply = host_payload(h, &p->src);

	if ((size_t)(reply - h->frame) + p->len > HOST_FRAME_MAX) {
		h->counts.malformed++;
		return;
	}
	h->counts.echoes++;
	memcpy(reply, p->data, p->len);
	reply[0] = type;
	send_echo(h, &p->dst, &p->src, p->len - HEADER, now);
}

void
host_echo_input(struct host *h, const struct host_packet *p, host_msec now)
{
	const bool is_ip4 = p->dst.len == 4;
	const uint8_t wanted = is_ip4 ? echo4.request : echo6.request;
	const uint8_t reply = is_ip4 ? echo4.reply : echo6.reply;

	if (p->data[1] != 0)
		return;
	if (p->data[0] == wanted) {
		answer(h, p, reply, now);
	} else if (p->data[0] == reply && is_answer(h, p)) {
		h->ping.replies++;
		h->ping.is_waiting = false;
	}
}

void
host_echo_tick(struct host *h, host_msec now)
{
	if (h->ping.is_waiting && now - h->ping.sent >= ASK_AGAIN_MS)
		request(h, now);
}
