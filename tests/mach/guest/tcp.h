/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One TCP connection of a small host (host.h), over IPv4 or IPv6, that sends a
 * generated stream and compares what it gets with another: no octet of either
 * is ever stored.
 *
 * What comes out of order is not kept, so a loss is mended by sending all again
 * from there (go-back-N): after three duplicate acknowledgments, or after a
 * timer. The window grows and shrinks with losses, since media here hold as few
 * as five frames.
 *
 * Not here: simultaneous opens, urgent data, options but the MSS, keepalive.
 */
#ifndef VNET_TEST_TCP_H
#define VNET_TEST_TCP_H

#include "host.h"

enum tcp_state {
	TCP_CLOSED,
	TCP_LISTEN,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_OPEN,
	TCP_DONE, /* both streams came through, and both were acknowledged */
	TCP_FAILED,
};

/* Why it failed. */
enum tcp_error {
	TCP_NO_ERROR,
	TCP_REFUSED,  /* nobody listens */
	TCP_RESET,    /* by the other side */
	TCP_NO_ANSWER /* nothing acknowledged for too long */
};

/**
 * struct tcp_config - what is sent, and what is to come
 * @send_seed:	of the stream sent, @send_octets long
 * @receive_seed: of the stream that is to come
 * @window:	octets that the other side may send ahead; 0: 8 KiB; at most
 *		65535
 * @flight:	segments that we send ahead, at most; 0: 8
 * @iss:	the first sequence number
 * @patience_ms: without any acknowledgment, before it fails; 0: 30 s
 */
struct tcp_config {
	uint32_t send_seed;
	uint32_t send_octets;
	uint32_t receive_seed;
	uint32_t window;
	uint32_t flight;
	uint32_t iss;
	uint32_t patience_ms;
};

/**
 * struct tcp_counts - what happened
 * @in:		segments, to whatever port
 * @out:	segments
 * @again:	octets sent more than once
 * @timeouts:	of the retransmission timer
 * @duplicates:	times that three duplicate acknowledgments came
 * @disordered:	segments that were not what comes next
 * @strays:	segments of no connection of ours
 * @malformed:	the header is wrong
 */
struct tcp_counts {
	unsigned long in;
	unsigned long out;
	unsigned long again;
	unsigned long timeouts;
	unsigned long duplicates;
	unsigned long disordered;
	unsigned long strays;
	unsigned long malformed;
};

/**
 * struct tcp - a connection
 * @received:	octets that came in order, whatever they were
 * @wrong:	of these, how many were not those of the stream
 * @wrong_at:	the first of them
 * @una:	the oldest sequence number not acknowledged, @nxt the next to
 *		send, @max the highest that was ever next
 * @rcv_nxt:	the next to come
 * @cwnd:	segments that may be in flight now
 * @grown:	segments acknowledged since it grew
 * @ssthresh:	at which it stops to double
 * @recover:	no second retreat before this is acknowledged
 * @rto:	ms until all is sent again, @timer: when that is
 * @progress:	when something was acknowledged last
 * @done_at:	when it was done
 */
struct tcp {
	struct host *host;
	struct tcp_config config;
	enum tcp_state state;
	enum tcp_error error;
	struct host_addr self;
	struct host_addr peer;
	uint16_t self_port;
	uint16_t peer_port;
	uint16_t mss;
	uint32_t una, nxt, max;
	uint32_t rcv_nxt;
	uint32_t peer_window;
	uint32_t cwnd, grown, ssthresh;
	uint32_t recover;
	unsigned int duplicate_acks;
	bool fin_received;
	uint32_t received;
	uint32_t wrong;
	uint32_t wrong_at;
	uint32_t rto;
	host_msec timer;
	host_msec progress;
	host_msec done_at;
	struct tcp_counts counts;
};

/* Takes all TCP segments of @h from now on. */
void tcp_init(struct tcp *t, struct host *h, const struct tcp_config *config);

/* Wait for one, at a port; what else comes to this port later is refused. */
void tcp_listen(struct tcp *t, uint16_t port);

/* Open one, from one port to another. */
void tcp_connect(struct tcp *t, const struct host_addr *peer, uint16_t port,
		 uint16_t self_port, host_msec now);

/* How far the other side may send ahead; 0 stops it. */
void tcp_set_window(struct tcp *t, uint32_t window, host_msec now);

/* To be called every 10 ms or so, after host_tick(). */
void tcp_tick(struct tcp *t, host_msec now);

/* Is it done, and was the other side given a second to hear of it? */
bool tcp_may_leave(const struct tcp *t, host_msec now);

/* Octet number @i of the stream of @seed. */
uint8_t tcp_octet(uint32_t seed, uint32_t i);

#endif
