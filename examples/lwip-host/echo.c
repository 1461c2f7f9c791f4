/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In lwIP's callbacks, which come with the core lock held: any number of
 * connections takes no further thread. What a peer has sent waits until lwIP
 * has room for it on the way back, and the window is closed to the peer by as
 * much.
 */
#include <stdbool.h>
#include <stdlib.h>

#include <lwip/pbuf.h>
#include <lwip/tcp.h>

#include "echo.h"

/* When to try again what lwIP had no memory for, in its half seconds. */
#define POLL_INTERVAL 1

/**
 * struct connection
 * @waiting:	what is to be sent back
 * @is_over:	the peer sends no more
 */
struct connection {
	struct pbuf *waiting;
	bool is_over;
};

static void
free_connection(struct connection *c)
{
	if (c->waiting)
		pbuf_free(c->waiting);
	free(c);
}

/* lwIP has freed the pcb. */
static void
has_failed(void *arg, err_t error)
{
	(void)error;
	free_connection(arg);
}

/* The pcb is lwIP's again, which may free it at once. */
static err_t
finish(struct connection *c, struct tcp_pcb *pcb)
{
	free_connection(c);
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_err(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
	if (tcp_close(pcb) == ERR_OK)
		return ERR_OK;
	tcp_abort(pcb);
	return ERR_ABRT;
}

/* As much as there is room for. */
static err_t
send_back(struct connection *c, struct tcp_pcb *pcb)
{
	uint8_t octets[TCP_MSS];

	while (c->waiting && c->waiting->tot_len) {
		u16_t n = LWIP_MIN(c->waiting->tot_len, sizeof(octets));

		n = (u16_t)LWIP_MIN(n, tcp_sndbuf(pcb));
		pbuf_copy_partial(c->waiting, octets, n, 0);
		if (!n ||
		    tcp_write(pcb, octets, n, TCP_WRITE_FLAG_COPY) != ERR_OK)
			return ERR_OK;
		c->waiting = pbuf_free_header(c->waiting, n);
		tcp_recved(pcb, n);
	}
	return c->is_over ? finish(c, pcb) : ERR_OK;
}

/* @p is ours; NULL if the peer sends no more. */
static err_t
has_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	struct connection *c = arg;

	(void)error;
	if (!p)
		c->is_over = true;
	else if (c->waiting)
		pbuf_cat(c->waiting, p);
	else
		c->waiting = p;
	return send_back(c, pcb);
}

static err_t
has_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	(void)len;
	return send_back(arg, pcb);
}

static err_t
try_again(void *arg, struct tcp_pcb *pcb)
{
	return send_back(arg, pcb);
}

static err_t
accept_connection(void *arg, struct tcp_pcb *pcb, err_t error)
{
	struct connection *c;

	(void)arg;
	if (error != ERR_OK)
		return error;
	c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_MEM;
	/* What is short goes back at once, too. */
	tcp_nagle_disable(pcb);
	tcp_arg(pcb, c);
	tcp_recv(pcb, has_received);
	tcp_sent(pcb, has_sent);
	tcp_err(pcb, has_failed);
	tcp_poll(pcb, try_again, POLL_INTERVAL);
	return ERR_OK;
}

err_t
echo_start(void)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
	struct tcp_pcb *listener = NULL;
	err_t r = ERR_MEM;

	if (!pcb)
		return ERR_MEM;
	r = tcp_bind(pcb, IP_ANY_TYPE, ECHO_PORT);
	if (r == ERR_OK)
		listener = tcp_listen_with_backlog_and_err(
			pcb, TCP_DEFAULT_LISTEN_BACKLOG, &r);
	if (!listener) {
		tcp_abort(pcb);
		return r;
	}
	tcp_accept(listener, accept_connection);
	return ERR_OK;
}
