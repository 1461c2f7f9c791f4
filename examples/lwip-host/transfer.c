/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the manner of lwIP's "netconn": calls that wait, in a thread of ours, which
 * does not hold the core lock.
 */
#include <stdio.h>
#include <string.h>

#include <lwip/api.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>

#include "address.h"
#include "echo.h"
#include "transfer.h"

/* Less than what the buffers on the way take: all of it is sent before any of
 * it is read. */
#define CHUNK 16384

static void
report(const char *what, err_t error)
{
	fprintf(stderr, "lwip-host: tcp: %s: %s\n", what,
		strerror(err_to_errno(error)));
}

/* The octet at @at of those that are sent. */
static uint8_t
octet(unsigned long at)
{
	return (uint8_t)(at ^ at >> 8 ^ at >> 16);
}

static bool
send_chunk(struct netconn *c, unsigned long at, size_t len)
{
	uint8_t octets[CHUNK];
	err_t r;

	for (size_t i = 0; i < len; i++)
		octets[i] = octet(at + i);
	r = netconn_write(c, octets, len, NETCONN_COPY);
	if (r != ERR_OK)
		report("cannot send", r);
	return r == ERR_OK;
}

/* Are these what was sent, from *@at on, and no more than up to @end? */
static bool
is_expected(const struct pbuf *p, unsigned long *at, unsigned long end)
{
	for (; p; p = p->next) {
		const uint8_t *octets = p->payload;

		for (u16_t i = 0; i < p->len; i++, ++*at) {
			if (*at < end && octets[i] == octet(*at))
				continue;
			fprintf(stderr,
				"lwip-host: tcp: octet %lu is not what was "
				"sent\n",
				*at);
			return false;
		}
	}
	return true;
}

static bool
receive_chunk(struct netconn *c, unsigned long at, size_t len)
{
	unsigned long end = at + len;

	while (at < end) {
		struct pbuf *p;
		err_t r = netconn_recv_tcp_pbuf(c, &p);
		bool good;

		if (r != ERR_OK) {
			report("cannot receive", r);
			return false;
		}
		good = is_expected(p, &at, end);
		pbuf_free(p);
		if (!good)
			return false;
	}
	return true;
}

/* Say that this is all; so does the other. */
static bool
finish(struct netconn *c)
{
	struct pbuf *p;
	err_t r = netconn_shutdown(c, 0, 1);

	if (r == ERR_OK)
		r = netconn_recv_tcp_pbuf(c, &p);
	if (r == ERR_CLSD)
		return true;
	if (r == ERR_OK) {
		pbuf_free(p);
		fprintf(stderr, "lwip-host: tcp: more came than was sent\n");
	} else {
		report("no end", r);
	}
	return false;
}

static bool
run(struct netconn *c, const ip_addr_t *to, unsigned long octets)
{
	err_t r = netconn_connect(c, to, ECHO_PORT);

	if (r != ERR_OK) {
		report("cannot connect", r);
		return false;
	}
	/* The end of a chunk waits for no acknowledgement (RFC 896). */
	LOCK_TCPIP_CORE();
	tcp_nagle_disable(c->pcb.tcp);
	UNLOCK_TCPIP_CORE();
	for (unsigned long at = 0; at < octets; at += CHUNK) {
		size_t len = LWIP_MIN(CHUNK, octets - at);

		if (!send_chunk(c, at, len) || !receive_chunk(c, at, len))
			return false;
	}
	return finish(c);
}

bool
transfer(const ip_addr_t *to, unsigned long octets)
{
	struct netconn *c =
		netconn_new(IP_IS_V6(to) ? NETCONN_TCP_IPV6 : NETCONN_TCP);
	char text[IPADDR_STRLEN_MAX];
	bool good;

	if (!c) {
		report("no connection", ERR_MEM);
		return false;
	}
	good = run(c, to, octets);
	netconn_delete(c);
	if (good)
		printf("tcp %s: %lu octets have come back\n",
		       address_text(to, text), octets);
	return good;
}
