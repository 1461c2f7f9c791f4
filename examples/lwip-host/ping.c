/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lwip/api.h>
#include <lwip/inet_chksum.h>
#include <lwip/prot/icmp.h>
#include <lwip/prot/icmp6.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/sys.h>

#include "address.h"
#include "ping.h"

#define TIMEOUT_MS 1000

/* The header is the same in both, its types are not. */
struct echo {
	struct icmp_echo_hdr header;
	uint8_t data[56];
};

_Static_assert(sizeof(struct icmp6_echo_hdr) == sizeof(struct icmp_echo_hdr),
	       "one header for both");

static void
make_request(struct echo *e, bool is_ip6, uint16_t number)
{
	memset(e, 0, sizeof(*e));
	e->header.type = is_ip6 ? ICMP6_TYPE_EREQ : ICMP_ECHO;
	e->header.id = lwip_htons((u16_t)getpid());
	e->header.seqno = lwip_htons(number);
	for (size_t i = 0; i < sizeof(e->data); i++)
		e->data[i] = (uint8_t)i;
	/* That of ICMPv6 covers addresses, and is lwIP's to compute. */
	if (!is_ip6)
		e->header.chksum = inet_chksum(e, sizeof(*e));
}

/* lwIP hands over what it has received from the IP header on. */
static bool
is_answer(struct netbuf *from, const struct echo *request, const ip_addr_t *to)
{
	bool is_ip6 = IP_IS_V6(to);
	struct echo e;
	uint8_t first;
	size_t at = IP6_HLEN;

	if (netbuf_copy(from, &first, 1) != 1)
		return false;
	if (!is_ip6)
		at = (size_t)(first & 0xf) * 4;
	if (netbuf_copy_partial(from, &e, sizeof(e), (u16_t)at) != sizeof(e))
		return false;
	return ip_addr_cmp_zoneless(netbuf_fromaddr(from), to) &&
	       e.header.type == (is_ip6 ? ICMP6_TYPE_EREP : ICMP_ER) &&
	       e.header.id == request->header.id &&
	       e.header.seqno == request->header.seqno &&
	       memcmp(e.data, request->data, sizeof(e.data)) == 0;
}

static bool
wait_for_answer(struct netconn *c, const struct echo *request,
		const ip_addr_t *to)
{
	u32_t start = sys_now();

	for (;;) {
		u32_t waited = sys_now() - start;
		struct netbuf *from;
		bool is_it;

		if (waited >= TIMEOUT_MS)
			return false;
		netconn_set_recvtimeout(c, (int)(TIMEOUT_MS - waited));
		if (netconn_recv(c, &from) != ERR_OK)
			return false;
		is_it = is_answer(from, request, to);
		netbuf_delete(from);
		if (is_it)
			return true;
	}
}

static bool
is_answered(struct netconn *c, const ip_addr_t *to, uint16_t number)
{
	struct netbuf *packet = netbuf_new();
	struct echo e;
	err_t r;

	if (!packet)
		return false;
	make_request(&e, IP_IS_V6(to), number);
	r = netbuf_ref(packet, &e, sizeof(e));
	if (r == ERR_OK)
		r = netconn_sendto(c, packet, to, 0);
	netbuf_delete(packet);
	return r == ERR_OK && wait_for_answer(c, &e, to);
}

bool
ping(const ip_addr_t *to, unsigned long count)
{
	bool is_ip6 = IP_IS_V6(to);
	struct netconn *c = netconn_new_with_proto_and_callback(
		is_ip6 ? NETCONN_RAW_IPV6 : NETCONN_RAW,
		is_ip6 ? IP6_NEXTH_ICMP6 : IP_PROTO_ICMP, NULL);
	char text[IPADDR_STRLEN_MAX];
	unsigned long answered = 0;

	if (!c) {
		fprintf(stderr, "lwip-host: ping: no memory\n");
		return false;
	}
	for (unsigned long i = 0; i < count; i++)
		answered += is_answered(c, to, (uint16_t)i);
	netconn_delete(c);
	printf("ping %s: %lu of %lu answered\n", address_text(to, text),
	       answered, count);
	return answered == count;
}
